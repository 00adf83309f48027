"""Means and covariances of columns that not everybody answered, and how sure they are.

Maximum likelihood as if all columns were normal, found by the EM algorithm (Dempster, Laird and Rubin 1977), from sums
alone: of each unit of resampling (a person, or a group of people), by which of its columns were answered. It is
right where whether a column was answered depends on nothing but what else was answered (missing at random).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxlib.stats.intervals import Floats

#: Rounds of EM at most; near the end they go on by Newton's method, until nothing moves.
_STEPS, _NEAR, _CLOSE = 500, 1e-3, 1e-10
#: So small a part of a column's variance keeps an inverse within reach where one column is another's double.
_HAIR = 1e-9


@dataclass(frozen=True)
class Sums:
    """Answers summed, one row for each unit and set of columns answered.

    ``unit`` counts from 0; ``seen`` says which columns were answered; ``n`` is the answers (or weights), ``first`` the sum
    of each column and ``second`` that of each product of two, 0 where a column was not answered.
    """

    unit: npt.NDArray[np.int64]
    seen: npt.NDArray[np.bool_]
    n: Floats
    first: Floats
    second: Floats

    def patterns(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """The different sets of columns answered, and which of them each row has."""
        known, row = np.unique(self.seen, axis=0, return_inverse=True)
        return known, row.reshape(-1)


@dataclass(frozen=True)
class Moments:
    """Means (…, d) and covariances (…, d, d)."""

    mean: Floats
    cov: Floats


def moments(sums: Sums) -> Moments:
    """Means and covariances of all columns by maximum likelihood."""
    known, *totals = _totals(sums)
    found, leap = _begun(known, *totals), None
    if known.all():
        return found
    for _ in range(_STEPS):
        after = _step(found, known, *totals)
        moved = _distance(found, after)
        if moved < _CLOSE:
            return after
        if leap is None and moved < _NEAR:
            leap = _leap(found, known, *totals)
        far = None if leap is None else _unflat(_flat(found) + leap @ (_flat(after) - _flat(found)), len(found.mean))
        found = far if far is not None and bool(_sound(far, found)) else after
    return found


def _totals(sums: Sums) -> tuple[npt.NDArray[np.bool_], Floats, Floats, Floats]:
    """The sums of all units together, a row for each set of columns answered."""
    known, row = sums.patterns()
    n, first, second = (_added(values, row, len(known)) for values in (sums.n, sums.first, sums.second))
    return known, n, first, second


def _distance(one: Moments, other: Moments) -> float:
    """The largest move of a mean, in standard deviations, or of a covariance, as of a correlation."""
    scale = np.sqrt(np.diagonal(one.cov)) + 1e-300
    return float(max(np.abs((other.mean - one.mean) / scale).max(), np.abs((other.cov - one.cov) / (scale[:, None] * scale)).max()))


def _sound(at: Moments, beside: Moments) -> npt.NDArray[np.bool_]:
    """Whether covariances are some at all: no combination of columns varies by less than nothing."""
    scale = np.sqrt(np.maximum(np.diagonal(beside.cov), 1e-300))
    sound: npt.NDArray[np.bool_] = np.linalg.eigvalsh(at.cov / (scale[:, None] * scale))[..., 0] > -1e-8
    return sound


def _begun(known: npt.NDArray[np.bool_], n: Floats, first: Floats, second: Floats) -> Moments:
    """Means and variances of each column by itself; where nothing is missing, all there is to know."""
    if known.all():
        mean = first.sum(axis=0) / n.sum()
        return Moments(mean, second.sum(axis=0) / n.sum() - np.outer(mean, mean))
    of_each = n @ known
    mean = first.sum(axis=0) / of_each
    return Moments(mean, np.diag(np.diagonal(second.sum(axis=0)) / of_each - mean**2))


def _added(values: Floats, row: npt.NDArray[np.int64], size: int) -> Floats:
    total = np.zeros((size, *values.shape[1:]))
    np.add.at(total, row, values)
    return total


def _filled(at: Moments, seen: npt.NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """What is expected of all columns where only some were seen: a matrix, a constant, and the covariance that is left."""
    before, d = at.mean.shape[:-1], at.mean.shape[-1]
    o, u = np.flatnonzero(seen), np.flatnonzero(~seen)
    turn, left = np.zeros((*before, d, d)), np.zeros((*before, d, d))
    turn[..., o, o] = 1.0
    if len(u):
        between = at.cov[..., o[:, None], u]
        inner = at.cov[..., o[:, None], o] + np.diag(_HAIR * np.diagonal(at.cov, axis1=-2, axis2=-1).reshape(-1, d)[0, o] + 1e-12)
        slope = np.swapaxes(np.linalg.solve(inner, between), -1, -2)
        turn[..., u[:, None], o] = slope
        left[..., u[:, None], u] = at.cov[..., u[:, None], u] - slope @ between
    constant = at.mean - (turn @ np.where(seen, at.mean, 0.0)[..., None])[..., 0]
    return turn, np.where(seen, 0.0, constant), left


def _expected(at: Moments, seen: npt.NDArray[np.bool_], n: Floats, first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Expected sums of all columns and of all products, given the sums of those that were seen."""
    turn, constant, left = _filled(at, seen)
    flipped = np.swapaxes(turn, -1, -2)
    summed = (turn @ first[..., None])[..., 0]
    mixed = summed[..., :, None] * constant[..., None, :]
    square = constant[..., :, None] * constant[..., None, :] + left
    n = np.asarray(n)[..., None]
    return summed + n * constant, turn @ second @ flipped + mixed + np.swapaxes(mixed, -1, -2) + n[..., None] * square


def _step(at: Moments, known: npt.NDArray[np.bool_], n: Floats, first: Floats, second: Floats) -> Moments:
    """One round of EM, for one or for many parameters at once."""
    ones, twos = np.zeros_like(at.mean), np.zeros_like(at.cov)
    for seen, *sums in zip(known, n, first, second, strict=True):
        one, two = _expected(at, seen, *sums)
        ones += one
        twos += two
    mean = ones / n.sum()
    return Moments(mean, twos / n.sum() - mean[..., :, None] * mean[..., None, :])


def resampled(sums: Sums, at: Moments, *, draws: int = 500) -> Moments:
    """Means and covariances of ``draws`` bootstrap samples of the units, ``at`` being those of the sample itself.

    Where nothing is missing they are those of the samples. Else each goes one Newton step from ``at`` towards the maximum
    of its own likelihood: a round of EM, which is linear in the sums of the units, stretched by what the rounds
    after it would add (Hu and Kalbfleisch 2000, Canadian Journal of Statistics 28(3)).
    """
    known, row = sums.patterns()
    units, d = int(sums.unit.max()) + 1, len(at.mean)
    n, ones, twos = np.zeros(units), np.zeros((units, d)), np.zeros((units, d, d))
    np.add.at(n, sums.unit, sums.n)
    for place, seen in enumerate(known):
        here = row == place
        one, two = _expected(at, seen, sums.n[here], sums.first[here], sums.second[here])
        np.add.at(ones, sums.unit[here], one)
        np.add.at(twos, sums.unit[here], two)
    times = np.random.default_rng(1).multinomial(units, np.full(units, 1 / units), size=draws).astype(float)
    total = times @ n
    mean = times @ ones / total[:, None]
    cov = (times @ twos.reshape(units, -1)).reshape(draws, d, d) / total[:, None, None] - mean[:, :, None] * mean[:, None, :]
    once = Moments(mean, cov)
    return once if known.all() else _stretched(once, at, sums)


def _stretched(once: Moments, at: Moments, sums: Sums) -> Moments:
    """Replicates after one round, moved to where all the rounds would end; one that would end nowhere stays."""
    leap = _leap(at, *_totals(sums))
    ends = _unflat(_flat(at) + (_flat(once) - _flat(at)) @ leap.T, len(at.mean))
    sound = _sound(ends, at)
    return Moments(np.where(sound[:, None], ends.mean, once.mean), np.where(sound[:, None, None], ends.cov, once.cov))


def _leap(at: Moments, known: npt.NDArray[np.bool_], n: Floats, first: Floats, second: Floats) -> Floats:
    """What turns the move of one round of EM into that of all rounds: (I − J)⁻¹, J the slope of a round."""
    here, d = _flat(at), len(at.mean)
    scale = np.sqrt(np.diagonal(at.cov)) + 1e-12
    upper = np.triu_indices(d)
    nudge = 1e-5 * np.concatenate([scale, scale[upper[0]] * scale[upper[1]]])
    moved = _flat(_step(_unflat(here + np.diag(nudge), d), known, n, first, second)) - _flat(_step(at, known, n, first, second))
    return np.asarray(np.linalg.inv(np.eye(len(here)) - (moved / nudge[:, None]).T), dtype=np.float64)


def _flat(of: Moments) -> Floats:
    """Means and covariances in one row, each covariance once."""
    upper = np.triu_indices(of.mean.shape[-1])
    return np.concatenate([of.mean, of.cov[..., upper[0], upper[1]]], axis=-1)


def _unflat(values: Floats, d: int) -> Moments:
    upper = np.triu_indices(d)
    cov = np.zeros((*values.shape[:-1], d, d))
    cov[..., upper[0], upper[1]] = cov[..., upper[1], upper[0]] = values[..., d:]
    return Moments(values[..., :d], cov)
