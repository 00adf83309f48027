"""Forecasts of leaving: how many will, within which bounds, and how well a forecast did.

A row is a customer: the ``chance`` of leaving within a horizon, and what was seen of it: after how many days (``time``)
it ``left``, or was last seen. Leaving on a day comes before being last seen on it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from scipy import special

from cxlib.stats.intervals import Bounds, Floats, tails

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: Draws of the parameters, of whom each leaves or stays for each of them, and resamples of a bootstrap.
DRAWS, EACH, RESAMPLES = 250, 4, 500
#: Into so many numbers the chances of a group are drawn together.
_TOGETHER = 20
#: Before a record is seen: by how much the logarithm of the hazard of one window may be off, and what is conceivable at most.
_OFF, _MOST_OFF = 0.25, 3.0


def leavers(chances: Iterable[Floats], customers: Ints, group: Ints, *, risk: Floats, seed: int) -> Ints:
    """How many leave, drawn: four layers for each draw of the parameters, a row a group, a column a horizon.

    ``chances`` hands out, for each draw of the parameters, a row for each cell of customers who are alike and a column
    for each horizon; ``customers`` are so many in each cell, ``group`` is its place among the groups. Cells of a group
    that are near each other by ``risk`` are drawn together, with their mean chance: what that adds to the variance is the
    square of hundredths. What is drawn for a horizon is the same whatever the others are, and no fewer have left by a
    farther one.
    """
    rng, found, groups = np.random.default_rng(seed), [], int(group.max()) + 1
    near = _near(risk, group)
    together = np.bincount(near, customers, minlength=groups * _TOGETHER).astype("float64")
    for chance in chances:
        lot, drawn = rng.random((EACH, len(together))), []
        for column in chance.T:
            mean = np.bincount(near, customers * column, minlength=len(together)) / np.maximum(together, 1)
            drawn.append(_binomial(lot, together, mean).reshape(EACH, groups, _TOGETHER).sum(axis=2))
        found.append(np.stack(drawn, axis=2))
    return np.concatenate(found).astype("int64")


def _binomial(lot: Floats, n: Floats, chance: Floats) -> Floats:
    """The binomial number that a lot between 0 and 1 draws: the least that so much probability reaches.

    Probabilities are added up over all numbers within ten standard deviations, and ten, of the mean: one table for the
    lots of a cell takes less than a root for each of them.
    """
    mean = n * chance
    reach = 10 * np.sqrt(mean * (1 - chance)) + 10
    first = np.maximum(np.floor(mean - reach), 0)[..., None]
    k, n, chance = first + np.arange(2 * np.ceil(reach.max(initial=0)) + 1), n[..., None], chance[..., None]
    rest = np.maximum(n - k, 0)
    ways = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(rest + 1)
    each = np.where(k <= n, np.exp(ways + special.xlogy(k, chance) + special.xlog1py(rest, -chance)), 0)
    found = first[..., 0] + (np.cumsum(each, axis=-1) < lot[..., None]).sum(axis=-1)
    return np.asarray(np.minimum(found, n[..., 0]))


def _near(risk: Floats, group: Ints) -> Ints:
    """Cells by group and place of their risk in it, up to twenty places: each has a number of its own in small groups."""
    order, size = np.lexsort((risk, group)), np.bincount(group)
    place = np.empty(len(group), dtype="int64")
    place[order] = np.arange(len(group)) - (np.cumsum(size) - size)[group[order]]
    return np.asarray(group * _TOGETHER + np.where(size[group] > _TOGETHER, place * _TOGETHER // size[group], place), dtype="int64")


def predictive(drawn: Ints, expected: Floats, *, level: float) -> Bounds:
    """The whole numbers between which a share ``level`` of the draws lies, at the least, and the expected number does."""
    tail = tails(level)
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0, method="inverted_cdf")
    return np.minimum(low, np.floor(expected)), np.maximum(high, np.ceil(expected))


def misses(left: Floats, hoped: Floats, error: Floats, *, n: Floats) -> Floats:
    """By how many times the hazard of the next window may be that of its forecast: `DRAWS` equally likely numbers, ascending.

    In each earlier window ``left`` of ``n`` left, ``hoped`` were expected, and ``error`` is the standard deviation that the
    forecast itself gave the number. The logarithm of the hazard over that forecast is normal about 0 by what the forecast
    knows of, and by τ, what windows differ by beyond it: a random-effects meta-analysis of observed over expected
    [1]_ whose mean is held at 0. What is known of τ is its likelihood with a half-normal prior of scale 0.25 [2]_; the
    numbers are quantiles of what follows for a window to come. Without a record they are those of the prior.

    .. [1] Debray, T. P. A. and others (2019). A framework for meta-analysis of prediction model studies with binary and
       time-to-event outcomes. Statistical Methods in Medical Research 28(9), 2768-2786.
    .. [2] Röver, C. and others (2021). On weakly informative prior distributions for the heterogeneity parameter in Bayesian
       random-effects meta-analysis. Research Synthesis Methods 12(4), 448-474.
    """
    # Half a customer more in either keeps the logarithm where nobody left, or all did.
    hazard, seen = (-np.log1p(-(each + 0.5) / (n + 1)) for each in (hoped, left))
    known = (error / (n + 0.5 - hoped) / hazard) ** 2
    # Finer where τ is small: steps are as wide as their place.
    place = (np.arange(200) + 0.5) / 200
    tau = _MOST_OFF * place**2
    total = known + tau[:, None] ** 2
    log = np.log(place) - ((tau / _OFF) ** 2 + (np.log(total) + np.log(seen / hazard) ** 2 / total).sum(axis=1)) / 2
    weight = np.exp(log - log.max())
    away = 3 * _MOST_OFF * np.linspace(0, 1, 401) ** 2
    below = special.ndtr(away[:, None] / tau) @ (weight / weight.sum())
    upper = np.interp((np.arange(DRAWS // 2) + 0.5) / DRAWS + 0.5, below, away)
    return np.asarray(np.exp(np.concatenate([-upper[::-1], upper])))


def still_seen(time: Floats, left: Flags, at: npt.ArrayLike) -> Floats:
    """The chance not to be lost from sight before a time (Kaplan-Meier, with being lost as the event)."""
    order = np.unique(time)
    seen = len(time) - np.searchsorted(np.sort(time), order)
    gone = np.bincount(np.searchsorted(order, time[left]), minlength=len(order))
    lost = np.bincount(np.searchsorted(order, time[~left]), minlength=len(order))
    # Who left on a day is not there to be lost on it.
    there = seen - gone
    stays = np.cumprod(1 - np.divide(lost, there, out=np.zeros(len(order)), where=there > 0))
    return np.append(1.0, stays)[np.searchsorted(order, np.asarray(at, dtype=float))]


def squared_errors(chance: Floats, time: Floats, left: Flags, *, horizon: float) -> Floats:
    """What each row adds to the Brier score at a horizon: its squared error, weighted for those lost from sight [1]_.

    The score is the mean over all rows; who was lost from sight before the horizon adds nothing, and those of whom it
    is known count for them, too: by one over the chance to be seen so long.

    .. [1] Graf, E., Schmoor, C., Sauerbrei, W., Schumacher, M. (1999). Assessment and comparison of prognostic
       classification schemes for survival data. Statistics in Medicine 18(17-18), 2529-2545.
    """
    gone = left & (time <= horizon)
    known = gone | (time >= horizon)
    seen = still_seen(time, left, np.minimum(time, horizon))
    return np.divide((gone - chance) ** 2, seen, out=np.zeros(len(chance)), where=known)


def scaled_brier(errors: Floats, errors_null: Floats, person: Ints, *, level: float, seed: int) -> tuple[float, float, float]:
    """By how much a forecast errs less than another: 1 - Brier / Brier of the other, with its bootstrap interval.

    Persons are drawn with all their rows, as rows of one person are not independent.
    """
    tail = tails(level)
    both = np.stack([np.bincount(person, each) for each in (errors, errors_null)], axis=1)
    rng, drawn = np.random.default_rng(seed), []
    for _ in range(RESAMPLES):
        mine, null = np.bincount(rng.integers(0, len(both), len(both)), minlength=len(both)) @ both
        drawn.append(1 - mine / null if null > 0 else np.nan)
    total, total_null = both.sum(axis=0)
    if not total_null > 0:
        return float("nan"), float("nan"), float("nan")
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return float(1 - total / total_null), float(low), float(high)


def pairs(chance: Floats, time: Floats, left: Flags, *, horizon: float, uno: bool = False) -> tuple[Floats, Floats]:
    """Of each row, the pairs it is in of which one left first, by the horizon: those told rightly, and all.

    A pair is told rightly if the one that left first had the greater chance; with equal chances it counts a half. Two
    who left on the same day are no pair. With ``uno`` the pairs of a day count by one over the squared chance to be seen
    until then, so that the share told rightly does not depend on who was lost from sight [1]_.

    .. [1] Uno, H., Cai, T., Pencina, M. J., D'Agostino, R. B., Wei, L. J. (2011). On the C-statistics for evaluating
       overall adequacy of risk prediction procedures with censored survival data. Statistics in Medicine 30(10),
       1105-1117.
    """
    _, rank = np.unique(chance, return_inverse=True)
    right, every, ranks = np.zeros(len(chance)), np.zeros(len(chance)), rank.max(initial=0) + 1
    gone = left & (time <= horizon)
    for day in np.unique(time[gone]):
        first = gone & (time == day)
        later = (time > day) | ((time == day) & ~left)
        weight = still_seen(time, left, day) ** -2.0 if uno else 1.0
        # How many of the one side have a chance below, and as great as, each on the other.
        of_later, of_first = (np.bincount(rank[which], minlength=ranks) for which in (later, first))
        below = np.cumsum(of_later) - of_later / 2
        above = first.sum() - np.cumsum(of_first) + of_first / 2
        right += weight * (first * below[rank] + later * above[rank])
        every += weight * (first * later.sum() + later * first.sum())
    return right, every


def concordance(right: Floats, every: Floats, person: Ints) -> tuple[float, float]:
    """The share of pairs told rightly, and its standard error by the infinitesimal jackknife over persons."""
    total = every.sum()
    if not total > 0:
        return float("nan"), float("nan")
    estimate = right.sum() / total
    # Each pair stands in two rows, and so does its influence: over half the total it is that of one row.
    moves = np.bincount(person, (right - estimate * every) / (total / 2))
    return float(estimate), float(np.sqrt((moves**2).sum()))


def calibration_slope(chance: Floats, left: Flags, person: Ints) -> tuple[float, float]:
    """How far apart customers are for each step by which the forecast sets them apart, and its standard error by persons.

    The slope of a logistic line of leaving on the log odds of the chance [1]_; its error is that of the sandwich, in which
    the rows of one person count together. Missing where nobody left, everybody did, or all chances are alike. Chances
    nearer to 0 or 1 than half a row of all count as that near.

    .. [1] Cox, D. R. (1958). Two further applications of a model for binary regression. Biometrika 45(3-4), 562-565.
    """
    least = 0.5 / len(chance)
    line = special.logit(np.clip(chance, least, 1 - least))
    columns = np.stack([np.ones(len(line)), line], axis=1)
    if not 0 < left.sum() < len(left) or np.ptp(line) == 0:
        return float("nan"), float("nan")
    at = np.array([special.logit(left.mean()), 0.0])
    for _ in range(50):
        fitted = special.expit(columns @ at)
        known = columns.T @ (columns * (fitted * (1 - fitted))[:, None])
        off = columns * (left - fitted)[:, None]
        if not np.linalg.cond(known) < 1e12:
            break
        step = np.linalg.solve(known, off.sum(axis=0))
        at = at + step
        if np.abs(step).max() < 1e-10:
            moves = off @ np.linalg.inv(known)[1]
            return float(at[1]), _spread(np.bincount(person, moves).astype("float64"))
    # Who leaves and who stays are wholly apart: there is no end to the slope.
    return float("nan"), float("nan")


def observed_expected(chance: Floats, left: Flags, person: Ints) -> tuple[float, float]:
    """How many left for each that was expected to, and its standard error, linearised over persons."""
    expected = chance.sum()
    ratio = left.sum() / expected
    return float(ratio), _spread(np.bincount(person, left - ratio * chance).astype("float64") / expected)


def _spread(persons: Floats) -> float:
    """The standard error of a sum of what each person adds to an estimate."""
    n = len(persons)
    return float(np.sqrt(n / (n - 1) * (persons**2).sum())) if n > 1 else float("nan")


def risk_groups(chance: Floats, groups: int) -> Ints:
    """The place of each row among groups of about the same size, from the least chance to the greatest, from 0 on.

    Rows with the same chance are in one group, so that there may be fewer.
    """
    ends = np.unique(np.quantile(chance, np.arange(1, groups) / groups, method="inverted_cdf"))
    _, places = np.unique(np.searchsorted(ends, chance), return_inverse=True)
    return places.astype("int64")
