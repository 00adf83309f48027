"""Who is at risk and who leaves at each tenure, counted by covariate pattern, and what a Cox model asks of it.

Nothing here grows with the number of customers: only with patterns, tenures at which somebody leaves and, for the ties,
one number per leaver at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from cxlib.stats.intervals import Floats
from cxlib.stats.survival import Ints

Flags = npt.NDArray[np.bool_]

#: So many leavers are held at once; of one tenure they are never split.
_ROOM = 2**18


@dataclass(frozen=True)
class Sums:
    """Sums at given coefficients, by time (a tenure of a stratum at which somebody leaves).

    Of d who leave at once, the k-th (k = 0 … d − 1) meets the risk set less a share k/d of all d (Efron [1]_): its
    weight is ``r(k) = S − k/d E``. Everything that is asked comes from five sums over k, of 1/r, (k/d)/r, 1/r²,
    (k/d)/r² and (k/d)²/r², and from the first moments ``s1`` of the risk set and ``e1`` of those who leave.

    .. [1] Efron, B. (1977). The efficiency of Cox's likelihood function for censored data. JASA 72(359), 557-565.
    """

    weights: Floats
    inverse: Floats
    share: Floats
    square: Floats
    share_square: Floats
    shares_square: Floats
    s1: Floats
    e1: Floats
    log_likelihood: float
    gradient: Floats

    @property
    def means(self) -> Floats:
        """The covariates' means that those who left met, summed over them."""
        return self.inverse[:, None] * self.s1 - self.share[:, None] * self.e1

    @property
    def weighed(self) -> Floats:
        """The same means, each over the weight of its risk set."""
        return self.square[:, None] * self.s1 - self.share_square[:, None] * self.e1

    @property
    def weighed_share(self) -> Floats:
        """The same again, times the share k/d."""
        return self.share_square[:, None] * self.s1 - self.shares_square[:, None] * self.e1


@dataclass(frozen=True)
class Risk:
    """Counts by time and pattern. Time k is ``tenure[k]`` in stratum ``stratum[k]``; covariates are less their mean.

    A cell is at risk at times ``first`` … ``last`` − 1. ``stays`` counts that by pattern in a tree over the times: node
    1 is all of them, 2 and 3 are its halves, and so on down to one time each; a stay is the fewest nodes that make it up.
    So a sum over who is at risk is one of few terms that are never taken away again, and keeps its digits however far
    apart the hazards are. ``leavers`` counts by pattern who leaves.
    """

    x: Floats
    centre: Floats
    tenure: Floats
    stratum: Ints
    stays: Any
    leavers: Any
    first: Ints
    last: Ints
    tied: Ints

    @classmethod
    def counted(cls, cells: Any, covariates: Floats) -> Risk:
        """Sort cells onto the axis of times."""
        ticks, place = np.unique(np.concatenate([cells.start, cells.stop]), return_inverse=True)
        start, stop = (cells.stratum * len(ticks) + each for each in np.split(place, 2))
        leaves = cells.ended
        times = np.unique(stop[leaves])
        first, last = (np.searchsorted(times, each, side="right") for each in (start, stop))
        spells, number = cells.spells.astype(float), len(covariates)
        stays = _tree(first, last, cells.pattern, spells, (len(times), number))
        leavers = counts(spells[leaves], last[leaves] - 1, cells.pattern[leaves], shape=(len(times), number))
        each = np.bincount(cells.pattern, weights=spells, minlength=number)
        centre = each @ covariates / each.sum()
        tied = np.asarray(leavers.sum(axis=1)).ravel().astype("int64")
        return cls(covariates - centre, centre, ticks[times % len(ticks)], times // len(ticks), stays, leavers, first, last, tied)

    @property
    def spread(self) -> Floats:
        """How far the values of each column are apart."""
        return np.asarray(np.ptp(self.x, axis=0))

    def sums(self, coefficients: Floats) -> Sums:
        """All sums, the log-likelihood and its gradient at these coefficients."""
        linear = self.x @ coefficients
        weights = np.exp(linear)
        moments = weights[:, None] * np.column_stack([np.ones(len(self.x)), self.x])
        here, gone = self.at_risk(moments), self.leavers @ moments
        # Who leaves is at risk; the last digit of a long sum may deny it.
        s0 = np.maximum(here[:, 0], gone[:, 0])
        log, inverse, share, square, share_square, shares_square = self._over_ties(s0, gone[:, 0])
        left = np.asarray(self.leavers.sum(axis=0)).ravel()
        s1, e1 = here[:, 1:], gone[:, 1:]
        gradient = left @ self.x - inverse @ s1 + share @ e1
        reached = float(left @ linear - log.sum())
        return Sums(weights, inverse, share, square, share_square, shares_square, s1, e1, reached, gradient)

    def at_risk(self, values: Floats) -> Floats:
        """Sums over who is at risk at each time of what a spell of each pattern counts."""
        nodes = self.stays @ values
        size = 1
        while size < len(nodes) // 2:
            # What is counted for a node is counted for both its halves.
            nodes[2 * size : 4 * size] += np.repeat(nodes[size : 2 * size], 2, axis=0)
            size *= 2
        found: Floats = nodes[size : size + len(self.tied)]
        return found

    def over_time(self, values: Floats) -> Floats:
        """For each pattern, a sum over its spells and the times at which they are at risk."""
        size = self.stays.shape[0] // 2
        nodes = np.zeros(2 * size)
        nodes[size : size + len(values)] = values
        while size > 1:
            nodes[size // 2 : size] = nodes[size : 2 * size].reshape(-1, 2).sum(axis=1)
            size //= 2
        found: Floats = self.stays.T @ nodes
        return found

    def _over_ties(self, s0: Floats, e0: Floats) -> list[Floats]:
        """Sums over who leaves at a time: of log r, 1/r, (k/d)/r, 1/r², (k/d)/r², (k/d)²/r²; memory is bounded."""
        found = np.empty((6, len(s0)))
        ends = np.cumsum(self.tied)
        at = 0
        while at < len(s0):
            before = ends[at] - self.tied[at]
            to = max(at + 1, int(np.searchsorted(ends, before + _ROOM, side="right")))
            tied = self.tied[at:to]
            firsts = np.cumsum(tied) - tied
            share = (np.arange(tied.sum()) - np.repeat(firsts, tied)) / np.repeat(tied, tied)
            rest = np.repeat(s0[at:to], tied) - share * np.repeat(e0[at:to], tied)
            inverse = 1 / rest
            square = inverse**2
            terms = (np.log(rest), inverse, share * inverse, square, share * square, share**2 * square)
            for row, term in enumerate(terms):
                found[row, at:to] = np.add.reduceat(term, firsts)
            at = to
        return list(found)

    def information(self, sums: Sums, weight: Floats | None = None) -> Floats:
        """Minus the second derivatives of the log-likelihood; with ``weight`` every time counts so much.

        The second moments of the risk sets are never formed by time: summed over time they are one sum over patterns.
        """
        weight = np.ones(len(self.tied)) if weight is None else weight
        seen = self.over_time(weight * sums.inverse) - self.leavers.T @ (weight * sums.share)
        whole = self.x.T @ ((sums.weights * seen)[:, None] * self.x)
        cross = (sums.s1 * (weight * sums.share_square)[:, None]).T @ sums.e1
        own = (sums.s1 * (weight * sums.square)[:, None]).T @ sums.s1
        gone = (sums.e1 * (weight * sums.shares_square)[:, None]).T @ sums.e1
        found: Floats = whole - own + cross + cross.T - gone
        return (found + found.T) / 2

    def score_residuals(self, sums: Sums, cells: Any) -> Floats:
        """What one spell of each cell adds to the gradient, from its own leaving and from every risk set it was in."""
        x, weight = self.x[cells.pattern], sums.weights[cells.pattern][:, None]
        hazard, mean = _before(sums.inverse), _before(sums.weighed)
        expected = x * (hazard[self.last] - hazard[self.first])[:, None] - (mean[self.last] - mean[self.first])
        found: Floats = -weight * expected
        left, at = cells.ended, self.last[cells.ended] - 1
        # Who leaves among d counts in the risk set of the k-th only by 1 − k/d.
        spared = x[left] * sums.share[at][:, None] - sums.weighed_share[at]
        found[left] += x[left] - (sums.means / self.tied[:, None])[at] + weight[left] * spared
        return found


def counts(values: Floats, row: Ints, column: Ints, *, shape: tuple[int, int]) -> Any:
    """A sparse matrix of sums; those of whole numbers (and halves of them) do not depend on their order."""
    found = sparse.coo_array((values, (row, column)), shape=shape).tocsr()
    found.sum_duplicates()
    found.eliminate_zeros()
    return found


def _tree(first: Ints, last: Ints, pattern: Ints, spells: Floats, shape: tuple[int, int]) -> Any:
    """Stays as counts of the nodes of a tree, (2 * leaves, patterns); see `Risk`."""
    leaves = 1 << int(shape[0] - 1).bit_length()
    left, right = first + leaves, last + leaves
    parts = []
    while len(left):
        # A stay that is over, or that no time falls into, needs no nodes.
        still = left < right
        left, right, pattern, spells = left[still], right[still], pattern[still], spells[still]
        # A border that is the second of two halves cannot be left to the node above.
        for at, odd in ((left, left % 2 == 1), (right - 1, right % 2 == 1)):
            parts.append((spells[odd], at[odd], pattern[odd]))
        left, right = (left + 1) // 2, right // 2
    values, node, column = (np.concatenate(each) for each in zip(*parts, strict=True))
    return counts(values, node, column, shape=(2 * leaves, shape[1]))


def _before(values: Floats) -> Floats:
    """Sums of all before each place, and of all at the end."""
    total = np.zeros((len(values) + 1, *values.shape[1:]))
    np.cumsum(values, axis=0, out=total[1:])
    return total
