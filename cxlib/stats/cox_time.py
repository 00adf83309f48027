"""What a Cox model says over tenure: its baseline hazard, and whether its hazard ratios stay the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from cxlib.stats.cox_risk import Risk, Sums
from cxlib.stats.intervals import Floats
from cxlib.stats.survival import Ints, kaplan_meier

#: With fewer at risk than this ever after, a single leaver would make a hazard of his own.
_FEW = 20
#: The last stretch is that of the last tenth of the events, and of no fewer than this many.
_LAST = (0.1, 20)


@dataclass(frozen=True)
class Baseline:
    """Steps of the hazard for covariates at their mean, by stratum and tenure; ``mean`` is what its error has from the covariates.

    In each stratum the steps are believed up to its ``reach``, the last tenure of an event at which 20 spells were at risk.
    From there on the mean hazard of the last stretch goes on: ``rate`` a day is its events over the weighed days at risk
    in it, from the last tenth of the stratum's events (no fewer than 20, where there are so many) to the longest tenure
    seen. A stratum nobody left has a hazard of 0.
    """

    stratum: Ints
    tenure: Floats
    hazard: Floats
    variance: Floats
    mean: Floats
    strata: Ints
    reach: Floats
    rate: Floats
    rate_events: Floats

    @classmethod
    def of(cls, risk: Risk, cells: Any, sums: Sums) -> Baseline:
        """The baseline at the coefficients of these sums."""
        strata = np.unique(cells.stratum)
        here = risk.at_risk(np.ones(len(risk.x)))
        reach, rate, events = (np.zeros(len(strata)) for _ in range(3))
        for row, stratum in enumerate(strata):
            at = np.flatnonzero(risk.stratum == stratum)
            if not len(at):
                reach[row] = np.inf
                continue
            tenure, tied = risk.tenure[at], risk.tied[at]
            many = np.flatnonzero(here[at] >= _FEW)
            reach[row] = tenure[many[-1]] if len(many) else tenure[-1]
            least = min(max(_LAST[0] * tied.sum(), _LAST[1]), tied.sum())
            # The stretch begins after the last event that is not needed for so many.
            first = int(np.flatnonzero(np.cumsum(tied[::-1])[::-1] >= least)[-1])
            since = tenure[first - 1] if first else -np.inf
            mine = cells.stratum == stratum
            days = np.maximum(cells.stop[mine] - np.maximum(cells.start[mine], since), 0)
            events[row] = tied[first:].sum()
            rate[row] = events[row] / (days * cells.spells[mine] * sums.weights[cells.pattern[mine]]).sum()
        return cls(risk.stratum, risk.tenure, sums.inverse, sums.square, sums.weighed, strata, reach, rate, events)

    def drawn(self, rng: np.random.Generator) -> Baseline:
        """Each step, and the rate that goes on, from a gamma distribution with the mean and the variance it has by itself."""
        shape = self.hazard**2 / self.variance
        hazard = rng.gamma(shape, self.hazard / shape)
        known = np.maximum(self.rate_events, 1)
        return replace(self, hazard=hazard, rate=rng.gamma(known, self.rate / known))

    def gathered(self, stratum: npt.ArrayLike, tenure: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Up to each tenure: hazard, its variance for known coefficients, and the mean covariates taken with it."""
        rows, tenure = np.broadcast_arrays(self._row(stratum), np.asarray(tenure, dtype=float))
        hazard, variance, mean = np.zeros(len(tenure)), np.zeros(len(tenure)), np.zeros((len(tenure), self.mean.shape[1]))
        for row in np.unique(rows):
            which, mine = rows == row, self.stratum == self.strata[row]
            at = np.searchsorted(self.tenure[mine], tenure[which], side="right")
            for found, steps in ((hazard, self.hazard), (variance, self.variance), (mean, self.mean)):
                found[which] = np.concatenate([np.zeros((1, *steps.shape[1:])), np.cumsum(steps[mine], axis=0)])[at]
        return hazard, variance, mean

    def ahead(self, stratum: npt.ArrayLike, since: npt.ArrayLike, until: npt.ArrayLike) -> Floats:
        """Hazard from one tenure to another; beyond the reach the mean hazard of the last stretch."""
        row = self._row(stratum)
        reach, found = self.reach[row], []
        for tenure in np.broadcast_arrays(np.asarray(since, dtype=float), np.asarray(until, dtype=float), reach)[:2]:
            steps, _, _ = self.gathered(stratum, np.minimum(tenure, reach))
            found.append(steps + self.rate[row] * np.maximum(tenure - reach, 0))
        return np.asarray(found[1] - found[0])

    def _row(self, stratum: npt.ArrayLike) -> Ints:
        stratum = np.atleast_1d(np.asarray(stratum))
        row = np.minimum(np.searchsorted(self.strata, stratum), len(self.strata) - 1)
        if (unknown := self.strata[row] != stratum).any():
            raise ValueError(
                f"cox: {unknown.sum():,} of {len(row):,} rows are in strata that were not fitted (first: {stratum[unknown][0]})"
            )
        return row


@dataclass(frozen=True)
class Proportionality:
    """Tests that the hazard ratios of terms stay the same over tenure: one by term, and of all at once.

    The score test of each term times a function of tenure (Grambsch and Therneau 1994, Biometrika 81, 515-526), exact as
    R's ``cox.zph`` has it since survival 3, not its earlier approximation. ``slope`` is the one step towards the
    coefficient of that product, with the other terms held: what a term's effect gains as the function goes from 0 to 1.
    """

    transform: str
    chi2: Floats
    df: Ints
    p: Floats
    slope: Floats
    whole_chi2: float
    whole_df: int
    whole_p: float


def proportionality(risk: Risk, cells: Any, sums: Sums, transform: str, terms: list[list[int]] | None) -> Proportionality:
    """Test every term, a list of columns (by default each column); ``transform`` is "km" (share that has left) or "identity" (days)."""
    clock = _clock(risk, cells, transform)
    number = risk.x.shape[1]
    terms = [[column] for column in range(number)] if terms is None else terms
    slope = np.asarray(risk.leavers @ risk.x - sums.means).T @ clock
    once, twice, plain = (risk.information(sums, clock**power) for power in (1, 2, 0))
    left = twice - once @ np.linalg.solve(plain, once)
    parts = [(slope[term], left[np.ix_(term, term)]) for term in (np.array(each) for each in terms)]
    chi2 = np.array([part @ np.linalg.solve(known, part) for part, known in parts])
    df = np.array([len(part) for part, _ in parts])
    whole = float(slope @ np.linalg.solve(left, slope))
    return Proportionality(
        transform, chi2, df, special.chdtrc(df, chi2), slope / np.diag(left), whole, number, float(special.chdtrc(number, whole))
    )


def _clock(risk: Risk, cells: Any, transform: str) -> Floats:
    """Tenure as the test takes it, less its mean, which changes nothing but the digits."""
    if transform == "identity":
        clock = risk.tenure
    elif transform == "km":
        # Of all strata together, just before each tenure.
        tenure, place = np.unique(risk.tenure, return_inverse=True)
        events = np.bincount(place, weights=risk.tied)
        came, gone = (np.searchsorted(tenure, each, side="right") for each in (cells.start, cells.stop))
        change = np.bincount(came, cells.spells, len(tenure) + 1) - np.bincount(gone, cells.spells, len(tenure) + 1)
        at_risk = np.cumsum(change)[:-1].astype("int64")
        clock = 1 - np.concatenate([[1.0], kaplan_meier(at_risk, events.astype("int64"))])[place]
    else:
        raise ValueError(f"proportionality: transform is {transform!r}; it is 'km' (share that has left) or 'identity' (days)")
    return np.asarray(clock - clock.mean())
