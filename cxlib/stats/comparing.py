"""Whether groups leave alike: the rank test on life tables, and what they stay of a first stretch of time.

Arrays have a row for each group and a column for each tenure: ``risk`` just before the tenure, ``events`` at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from cxlib.stats import survival
from cxlib.stats.intervals import Floats, tails

Ints = npt.NDArray[np.int64]

#: From so many events on a group's own variance counts for more than half against that of all.
_OWN = 10


@dataclass(frozen=True)
class RankTest:
    """How many left of each group, how many would if all left alike, and what that comes to."""

    observed: Floats
    expected: Floats
    chi2: float
    degrees: int
    p_value: float


def rank_test(strata: Sequence[tuple[Ints, Ints]]) -> RankTest:
    """The log-rank test of groups that leave alike, within each stratum, from pairs of ``risk`` and ``events``.

    Events at one tenure are drawn from those at risk without putting them back: the variance is hypergeometric. Risk sets
    may grow, so it is right with delayed entry, too; it is the score test of the Cox model with entry in which ties are
    exact (discrete). Missing, without degrees of freedom, where fewer than two groups were at risk together.
    """
    groups = len(strata[0][0])
    observed, expected, covariance = np.zeros(groups), np.zeros(groups), np.zeros((groups, groups))
    for risk, events in strata:
        everybody, left = risk.sum(axis=0), events.sum(axis=0)
        here = left > 0
        share = risk[:, here] / everybody[here]
        left, everybody = left[here], everybody[here]
        # Where all who are at risk leave, nothing is left to chance.
        drawn = left * (everybody - left) / np.maximum(everybody - 1, 1)
        observed += events.sum(axis=1)
        expected += share @ left
        covariance += np.diag(share @ drawn) - (share * drawn) @ share.T
    degrees = int(np.linalg.matrix_rank(covariance, hermitian=True)) if covariance.any() else 0
    apart = observed - expected
    chi2 = float(apart @ np.linalg.pinv(covariance, hermitian=True) @ apart) if degrees else float("nan")
    return RankTest(observed, expected, chi2, degrees, float(special.chdtrc(degrees, chi2)) if degrees else float("nan"))


@dataclass(frozen=True)
class Stay:
    """How much longer one group stays than another: with its interval, which leaves out 0 where ``p_value`` says so."""

    means: tuple[float, float]
    estimate: float
    low: float
    high: float
    p_value: float
    std_error: float


def stay(tenure: Floats, risk: tuple[Ints, Ints], events: tuple[Ints, Ints], until: float, *, level: float) -> Stay:
    """The restricted mean of the first group less that of the second, each tenure counted up to ``until``.

    Each group is given one customer more who leaves as all together do, and its variance is drawn towards the one that it
    would have if it left as all do, where that is larger, the more the fewer have left: a group of which nobody has left
    yet still has a width. Hazards may cross, and entry may be delayed.
    """
    everybody, left = risk[0] + risk[1], events[0] + events[1]
    all_hazard, known = _share(left, everybody), max(float(everybody.max()), 1.0)
    raw, shrunk, spread = [], [], 0.0
    for at_risk, own in zip(risk, events, strict=True):
        raw.append(survival.restricted_mean(tenure, at_risk, _share(own, at_risk), until)[0])
        more = at_risk + everybody / known
        mean, variance = survival.restricted_mean(tenure, more, _share(own + left / known, more), until)
        _, alike = survival.restricted_mean(tenure, more, all_hazard, until)
        shrunk.append(mean)
        spread += variance + max(alike - variance, 0.0) * _OWN / (_OWN + own[tenure <= until].sum())
    estimate, centre, error = raw[0] - raw[1], shrunk[0] - shrunk[1], float(np.sqrt(spread))
    half = float(special.ndtri(1 - tails(level))) * error
    # No difference is found that is not seen.
    seen = error > 0 and np.sign(round(estimate, 9)) == np.sign(centre)
    p_value = float(2 * special.ndtr(-abs(centre) / error)) if seen else 1.0
    low, high = max(min(centre - half, estimate), -until), min(max(centre + half, estimate), until)
    return Stay((raw[0], raw[1]), estimate, low, high, p_value, error)


def _share(events: npt.ArrayLike, risk: npt.ArrayLike) -> Floats:
    risk = np.asarray(risk, dtype=float)
    share: Floats = np.divide(events, risk, out=np.zeros(len(risk)), where=risk > 0)
    return share
