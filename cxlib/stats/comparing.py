"""Whether groups leave alike: the rank test on life tables, and what they stay of a first stretch of time.

Arrays have a row for each group and a column for each tenure: ``risk`` just before the tenure, ``events`` at it.

Simulated at 95 %: of lives with these mean days, censored evenly between day 20 and 220, how often the interval of the
days stayed of the first 100 holds the true difference (500 samples); where both means are one, the rest is how often a
difference is found that is not there. In the last two rows half were observed late, by up to 30 days.

====================  ============  =========
customers             mean days     coverage
====================  ============  =========
5 against 200         300, 300      .99
10 against 10         300, 300      .97
20 against 20         100, 100      .95
50 against 400        100, 100      .94
20 against 400        1000, 1000    1
5 against 200         2000, 100     1
10 against 200        60, 300       .95
400 against 400       60, 300       .96
20 against 20, late   100, 100      .92
80 against 200, late  60, 300       .95
====================  ============  =========
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from cxlib.stats import survival
from cxlib.stats.intervals import Floats, poisson, tails

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
    # The groups add up to 0, so one direction at least has no variance but what rounding leaves.
    values, directions = np.linalg.eigh(covariance)
    kept = values > 1e-10 * max(float(values.max()), 1e-300)
    degrees, apart = int(kept.sum()), (observed - expected) @ directions[:, kept]
    chi2 = float((apart**2 / values[kept]).sum()) if degrees else float("nan")
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


def stay(tenure: Floats, risk: tuple[Ints, Ints], events: tuple[Ints, Ints], *, until: float, level: float) -> Stay:
    """The restricted mean of the first group less that of the second, each tenure counted up to ``until``.

    Each group is given one customer more who leaves as all together do, and its variance is drawn towards the one that it
    would have if it left as all do, where that is larger, the more the fewer have left: a group of which nobody has left
    yet still has a width. Hazards may cross, and entry may be delayed.
    """
    everybody, left = risk[0] + risk[1], events[0] + events[1]
    all_hazard, known = survival.hazard(everybody, left), max(float(everybody.max()), 1.0)
    raw, shrunk, spread = [], [], 0.0
    for at_risk, own in zip(risk, events, strict=True):
        raw.append(survival.restricted_mean(tenure, at_risk, survival.hazard(at_risk, own), until=until)[0])
        more = at_risk + everybody / known
        mean, variance = survival.restricted_mean(tenure, more, survival.hazard(more, own + left / known), until=until)
        _, alike = survival.restricted_mean(tenure, more, all_hazard, until=until)
        shrunk.append(mean)
        spread += variance + max(alike - variance, 0.0) * _OWN / (_OWN + own[tenure <= until].sum())
    estimate, centre, error = raw[0] - raw[1], shrunk[0] - shrunk[1], float(np.sqrt(spread))
    half = float(special.ndtri(1 - tails(level))) * error
    # No difference is found that is not seen.
    seen = error > 0 and np.sign(round(estimate, 9)) == np.sign(centre)
    p_value = float(2 * special.ndtr(-abs(centre) / error)) if seen else 1.0
    low, high = max(min(centre - half, estimate), -until), min(max(centre + half, estimate), until)
    return Stay((raw[0], raw[1]), estimate, low, high, p_value, error)


def rate(events: npt.ArrayLike, exposure: npt.ArrayLike, *, level: float) -> tuple[Floats, Floats, Floats]:
    """Events for each unit of exposure, with the exact Poisson interval (Garwood); missing where nothing was exposed."""
    seen = np.where(np.asarray(exposure, dtype=float) > 0, exposure, np.nan)
    low, high = poisson(events, level)
    return np.asarray(events, dtype=float) / seen, low / seen, high / seen


def rate_apart(events: npt.ArrayLike, exposure: npt.ArrayLike, *, others: npt.ArrayLike, elsewhere: npt.ArrayLike) -> Floats:
    """P-value of two rates being one: the exact conditional test, in which the events fall by exposure alone.

    Missing where either has no exposure, or there are no events.
    """
    own, total = np.asarray(events, dtype=float), np.asarray(events, dtype=float) + np.asarray(others, dtype=float)
    exposed, rest = np.asarray(exposure, dtype=float), np.asarray(elsewhere, dtype=float)
    tested = (exposed > 0) & (rest > 0) & (total > 0)
    share = np.divide(exposed, exposed + rest, out=np.full(len(own), 0.5), where=tested)
    at_least = np.where(own > 0, special.betainc(np.maximum(own, 1.0), total - own + 1, share), 1.0)
    at_most = np.where(own < total, special.betaincc(own + 1, np.maximum(total - own, 1.0), share), 1.0)
    return np.where(tested, np.minimum(1.0, 2 * np.minimum(at_least, at_most)), np.nan)
