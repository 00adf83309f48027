"""What a Cox model says over tenure: its baseline hazard, and whether its hazard ratios stay the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from cxlib.stats.cox_risk import Risk, Sums, counts
from cxlib.stats.intervals import Floats
from cxlib.stats.survival import Ints, kaplan_meier

#: With fewer at risk than this ever after, a single leaver would make a hazard of his own.
_FEW = 20
#: The last stretch is that of the last tenth of the events, and of no fewer than this many.
_LAST = (0.1, 20)
#: What is left of a term's information once it may not be used for its mean effect; below this, nothing.
_TOLD = 1e-9


@dataclass(frozen=True)
class Baseline:
    """Steps of the hazard for covariates at their mean, by stratum and tenure; ``mean`` is what its error has from the covariates.

    In each stratum the steps are believed up to its ``reach``, the last tenure with 20 spells at risk (or the longest one
    seen, where there are never so many). From there on the mean hazard of the last stretch goes on: ``rate`` a day is its
    ``events`` over its weighed days at risk, from the last tenth of the stratum's events (no fewer than 20, where there
    are so many) to the longest tenure seen. ``days`` has those days by stratum and pattern, not weighed. A stratum that
    nobody left has a hazard of 0.
    """

    stratum: Ints
    tenure: Floats
    hazard: Floats
    variance: Floats
    mean: Floats
    strata: Ints
    reach: Floats
    rate: Floats
    events: Floats
    days: Any

    @classmethod
    def of(cls, risk: Risk, cells: Any, sums: Sums) -> Baseline:
        """The baseline at the coefficients of these sums."""
        strata, row = np.unique(cells.stratum, return_inverse=True)
        reach, since, events = np.zeros(len(strata)), np.full(len(strata), np.inf), np.zeros(len(strata))
        for place, stratum in enumerate(strata):
            reach[place] = _reached(cells, row == place)
            at = np.flatnonzero(risk.stratum == stratum)
            if len(at):
                tied = risk.tied[at]
                # The stretch begins after the last event that is not needed for so many.
                later = np.cumsum(tied[::-1])[::-1]
                first = int(np.flatnonzero(later >= min(max(_LAST[0] * later[0], _LAST[1]), later[0]))[-1])
                since[place], events[place] = risk.tenure[at[first - 1]] if first else -np.inf, later[first]
        stayed = np.maximum(cells.stop - np.maximum(cells.start, since[row]), 0) * cells.spells
        days = counts(stayed, row, cells.pattern, shape=(len(strata), len(risk.x)))
        rate = _rate(events, days, sums)
        return cls(risk.stratum, risk.tenure, sums.inverse, sums.square, sums.weighed, strata, reach, rate, events, days)

    def drawn(self, sums: Sums, rng: np.random.Generator) -> Baseline:
        """At the coefficients of these sums, each step and the rate from a gamma with the mean and variance they have by themselves."""
        shape = sums.inverse**2 / sums.square
        hazard = rng.gamma(shape, sums.inverse / shape)
        known = np.maximum(self.events, 1)
        rate = rng.gamma(known, _rate(self.events, self.days, sums) / known)
        return replace(self, hazard=hazard, variance=sums.square, mean=sums.weighed, rate=rate)

    def gathered(self, stratum: npt.ArrayLike, tenure: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Up to each tenure: hazard, its variance for known coefficients, and the mean covariates taken with it."""
        row, tenure = np.broadcast_arrays(self._row(stratum), np.asarray(tenure, dtype=float))
        hazard, variance, mean = (self._summed(steps, row, tenure) for steps in (self.hazard, self.variance, self.mean))
        return hazard, variance, mean

    def ahead(self, stratum: npt.ArrayLike, since: npt.ArrayLike, until: npt.ArrayLike) -> Floats:
        """Hazard from one tenure to another; beyond the reach the mean hazard of the last stretch."""
        row, since, until = np.broadcast_arrays(self._row(stratum), np.asarray(since, dtype=float), np.asarray(until, dtype=float))
        reach, rate = self.reach[row], self.rate[row]
        known = self._summed(self.hazard, row, np.minimum(until, reach)) - self._summed(self.hazard, row, np.minimum(since, reach))
        return np.asarray(known + rate * (np.maximum(until - reach, 0) - np.maximum(since - reach, 0)))

    def _summed(self, steps: Floats, row: Ints, tenure: Floats) -> Floats:
        found = np.zeros((len(tenure), *steps.shape[1:]))
        for each in np.unique(row):
            which, mine = row == each, self.stratum == self.strata[each]
            total = np.concatenate([np.zeros((1, *steps.shape[1:])), np.cumsum(steps[mine], axis=0)])
            found[which] = total[np.searchsorted(self.tenure[mine], tenure[which], side="right")]
        return found

    def _row(self, stratum: npt.ArrayLike) -> Ints:
        stratum = np.atleast_1d(np.asarray(stratum))
        row = np.minimum(np.searchsorted(self.strata, stratum), len(self.strata) - 1)
        if (unknown := self.strata[row] != stratum).any():
            raise ValueError(
                f"cox: {unknown.sum():,} of {len(row):,} rows are in strata that were not fitted (first: {stratum[unknown][0]})"
            )
        return row


def _rate(events: Floats, days: Any, sums: Sums) -> Floats:
    weighed = np.asarray(days @ sums.weights)
    return np.asarray(np.divide(events, weighed, out=np.zeros(len(events)), where=events > 0))


def _reached(cells: Any, mine: npt.NDArray[np.bool_]) -> float:
    """The last tenure at which enough spells were at risk; the longest where there never were."""
    start, stop, spells = (each[mine] for each in (cells.start, cells.stop, cells.spells))
    ends = np.unique(stop)
    last, first = (np.bincount(np.searchsorted(ends, each, side="right"), spells, len(ends) + 1) for each in (stop, start))
    at_risk = np.cumsum((last - first)[::-1])[::-1][1:]
    many = np.flatnonzero(at_risk >= _FEW)
    return float(ends[many[-1]] if len(many) else ends[-1])


@dataclass(frozen=True)
class Proportionality:
    """Tests that the hazard ratios of terms stay the same over tenure: one by term, and of all at once.

    The score test of each term times a function of tenure (Grambsch and Therneau 1994, Biometrika 81, 515-526), exact as
    R's ``cox.zph`` has it since survival 3, not its earlier approximation. ``slope`` is the one step towards the
    coefficient of that product, with the other terms held: what a term's effect gains as the function goes from 0 to 1.
    All are missing where a term is told of at one tenure only.
    """

    transform: str
    chi2: Floats
    df: Ints
    p: Floats
    slope: Floats
    whole_chi2: float
    whole_df: int
    whole_p: float


def proportionality(risk: Risk, cells: Any, sums: Sums, *, transform: str, terms: list[list[int]] | None) -> Proportionality:
    """Test every term, a list of columns (by default each column); ``transform`` is "km" (share that has left) or "identity" (days)."""
    clock = _clock(risk, cells, transform)
    number = risk.x.shape[1]
    terms = [[column] for column in range(number)] if terms is None else terms
    slope = np.asarray(risk.leavers @ risk.x - sums.means).T @ clock
    once, twice, plain = (risk.information(sums, clock**power) for power in (1, 2, 0))
    left = twice - once @ np.linalg.solve(plain, once)
    own, before = np.diag(left), np.diag(twice)
    told = own > _TOLD * before
    blocks = [np.array(each, dtype="int64") for each in (*terms, list(range(number)))]
    chi2 = np.array([_statistic(slope[block], left[np.ix_(block, block)]) if told[block].all() else np.nan for block in blocks])
    df = np.array([len(block) for block in blocks])
    p = special.chdtrc(df, chi2)
    steps = np.divide(slope, own, out=np.full(number, np.nan), where=told)
    return Proportionality(transform, chi2[:-1], df[:-1], p[:-1], steps, float(chi2[-1]), number, float(p[-1]))


def _statistic(slope: Floats, known: Floats) -> float:
    """The chi-square of a slope of which so much is known; missing where columns cannot be told apart."""
    scale = np.sqrt(np.diag(known))
    values, vectors = np.linalg.eigh(known / np.outer(scale, scale))
    if len(values) and values[0] < _TOLD:
        return float("nan")
    return float(((vectors.T @ (slope / scale)) ** 2 / values).sum())


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
