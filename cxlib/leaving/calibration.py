"""Whether earlier forecasts were right customer by customer: by groups of risk, and by who left first."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from cxlib.leaving.backtest import Past
from cxlib.stats import forecast, intervals
from cxlib.stats.forecast import Ints
from cxlib.stats.intervals import Floats
from cxlib.tables import assemble, nothing

#: The stream of chance of the bootstrap.
_RESAMPLES = 63

_GROUPS = {"expected_share": "float64", "expected_left": "float64", "left": "int64"}
_SCORES = {"expected_left": "float64", "brier": "float64", "brier_alone": "float64", "left": "int64"}


def calibration(past: Past, *, groups: int = 5, level: float = 0.95) -> pd.DataFrame:
    """The share that left against the share expected, one row per group of risk.

    The customers of all earlier forecasts, from those least at risk to those most, in
    groups of about the same size; shares from 0 to 1.

    Parameters
    ----------
    past : Past
        What `past` returned.
    groups : int, default 5
        Groups of risk, at most; customers with the same chance are in one.
    level : float, default 0.95
        Confidence level of the interval.

    Returns
    -------
    DataFrame, one row per group, the least at risk first
        ==============  =====  ==================================================
        risk_group      int    1 for the least at risk
        horizon_days    int    days that the forecasts look ahead
        measure         str    ``"left_share"``
        estimate        float  share that left within the days
        low, high       float  interval of that share
        level           float  confidence level of the interval
        n               int    customers, once for each forecast they were there for
        expected_share  float  mean of their chances, 0-1
        expected_left   float  customers expected to leave
        left            int    customers who left
        ==============  =====  ==================================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    ValueError
        If ``groups`` is not a whole number from 2, or ``level`` is not between 0 and 1.

    See Also
    --------
    accuracy : the same in a few numbers.
    cxlib.figures.calibration : the picture of this result.

    Notes
    -----
    Wilson's interval. Nobody is lost from sight within the days, so the share that left is
    what Kaplan and Meier's estimate would be, and the expected share lies within the
    interval where the forecast is right for such customers. The windows of the forecasts
    have no day in common, so a customer leaves in one of them at most, and those of
    different windows are as good as independent. It misleads where groups are few: within
    a group the one half may be too high and the other too low.

    References
    ----------
    .. [1] Van Calster, B., McLernon, D. J., van Smeden, M., Wynants, L., Steyerberg, E. W.
       (2019). Calibration: the Achilles heel of predictive analytics. BMC Medicine 17, 230.

    Examples
    --------
    >>> from cxlib import leaving, sample
    >>> customers = sample.company(customers=300)["customers"]
    >>> fitted = leaving.model(customers, as_of="2026-06-30", of=["plan"])
    >>> earlier = leaving.past(fitted, customers, days=91, times=2)
    >>> calibration(earlier, groups=3)[["risk_group", "estimate", "low", "high", "n", "expected_share"]].round(3)
       risk_group  estimate    low   high    n  expected_share
    0           1     0.067  0.034  0.127  119           0.046
    1           2     0.069  0.035  0.130  116           0.090
    2           3     0.103  0.060  0.171  117           0.107
    """
    intervals.tails(level)
    if isinstance(groups, bool) or int(groups) != groups or groups < 2:
        raise ValueError(f"calibration: groups is a whole number from 2, not {groups}")
    keys = ["risk_group", "horizon_days"]
    if past.absent:
        return nothing(keys=keys, counts=_GROUPS, reason=past.absent)
    rows = past.rows()
    place = forecast.risk_groups(rows["chance"].to_numpy(), groups)
    n, left, hoped = (np.bincount(place, each) for each in (np.ones(len(rows)), rows["left"], rows["chance"]))
    low, high = intervals.wilson(left, n, level)
    frame = pd.DataFrame(
        {
            "risk_group": np.arange(1, len(n) + 1),
            "horizon_days": past.days,
            "estimate": left / n,
            "low": low,
            "high": high,
            "n": n.astype("int64"),
            "left": left.astype("int64"),
            "expected_share": hoped / n,
            "expected_left": hoped,
        }
    )
    return assemble(frame, keys=keys, measure="left_share", level=level, counts=list(_GROUPS))


def accuracy(past: Past, *, level: float = 0.95) -> pd.DataFrame:
    """How far earlier forecasts told those who left from those who stayed, one row per score.

    ``concordance``: of two customers of whom one left first, how often it was the one with
    the greater chance, from 0 to 1; by chance a half. ``brier_scaled``: by how much the
    squared errors of the chances are smaller than with tenure alone, at most 1; 0 where
    all that was known beside tenure helped nothing, below where it did harm.
    ``calibration_slope``: how far apart customers are for each step by which the chances
    set them apart; 1 where they are as far apart as was said, below where they are nearer,
    so that high chances are too high or low ones too low. ``observed_expected``: how many
    left for each that was expected to; 1 where the number was right.

    Parameters
    ----------
    past : Past
        What `past` returned.
    level : float, default 0.95
        Confidence level of the intervals.

    Returns
    -------
    DataFrame, one row per score
        =============  =====  ====================================================
        horizon_days   int    days that the forecasts look ahead
        measure        str    ``"brier_scaled"``, ``"concordance"``,
                              ``"calibration_slope"`` or ``"observed_expected"``
        estimate       float  the score
        low, high      float  interval of the score
        level          float  confidence level of the interval
        n              int    customers, once for each forecast they were there for
        expected_left  float  customers expected to leave
        brier          float  Brier score: mean squared error of the chances
        brier_alone    float  the same of chances by tenure alone
        left           int    customers who left
        =============  =====  ====================================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    ValueError
        If ``level`` is not between 0 and 1.

    See Also
    --------
    calibration : whether the chances are as great as they should be.
    cxlib.figures.table : the picture of this result.

    Notes
    -----
    Pairs are made within each forecast. Days are counted from the day it was made, when
    all are there already: no entry is delayed and nobody is lost from sight, and Harrell's
    concordance up to the horizon is Uno's [1]_. Its error is that of the infinitesimal
    jackknife over customers, its interval made on the scale of log odds. The Brier score
    would be weighted for those lost from sight [2]_; here all weights are 1. Its interval
    is from a bootstrap of customers. Chances by tenure alone are those of a model without
    covariates, fitted to the same days.

    The calibration slope [3]_ is that of a logistic line of leaving on the log odds of the
    chance, over all forecasts together; its error is robust, with the rows of a customer
    taken together. So is that of the observed over the expected number, whose interval is
    made on the scale of its logarithm. The forecasts are taken as they were: intervals are
    of how such forecasts do, not of how well a model of these customers could. Chances of
    customers one by one are taken together over more days where few left at a tenure, so that
    they add up to another number than `backtest` expects.

    It misleads where few leave: even a perfect model errs a lot on each of them, so that
    a scaled Brier score of a few hundredths is usual and useful. Of 300 customers of whom
    46 leave, the interval of the scaled Brier score held the truth in 92 of 100 simulated
    samples, not in 95: with so few it is too narrow.

    References
    ----------
    .. [1] Uno, H., Cai, T., Pencina, M. J., D'Agostino, R. B., Wei, L. J. (2011). On the
       C-statistics for evaluating overall adequacy of risk prediction procedures with
       censored survival data. Statistics in Medicine 30(10), 1105-1117.
    .. [2] Graf, E., Schmoor, C., Sauerbrei, W., Schumacher, M. (1999). Assessment and
       comparison of prognostic classification schemes for survival data. Statistics in
       Medicine 18(17-18), 2529-2545.
    .. [3] Van Calster, B., McLernon, D. J., van Smeden, M., Wynants, L., Steyerberg, E. W.
       (2019). Calibration: the Achilles heel of predictive analytics. BMC Medicine 17, 230.

    Examples
    --------
    >>> from cxlib import leaving, sample
    >>> customers = sample.company(customers=300)["customers"]
    >>> fitted = leaving.model(customers, as_of="2026-06-30", of=["plan"])
    >>> earlier = leaving.past(fitted, customers, days=91, times=2)
    >>> accuracy(earlier)[["measure", "estimate", "low", "high", "n", "left"]].round(3)
                 measure  estimate    low   high    n  left
    0       brier_scaled    -0.007 -0.027  0.010  352    28
    1        concordance     0.556  0.435  0.670  352    28
    2  calibration_slope     0.142 -0.747  1.031  352    28
    3  observed_expected     0.989  0.690  1.417  352    28
    """
    intervals.tails(level)
    keys = ["horizon_days"]
    if past.absent:
        return nothing(keys=keys, counts=_SCORES, reason=past.absent)
    rows = past.rows()
    # Numbered in the order of their identifiers, so that resamples do not depend on the order of rows.
    person = np.unique(rows["customer"].to_numpy(dtype=str), return_inverse=True)[1].astype("int64")
    errors, alone = (_squared_errors(past, chance) for chance in ("chance", "chance_alone"))
    chance, left = rows["chance"].to_numpy(), rows["left"].to_numpy()
    z = -float(special.ndtri(intervals.tails(level)))
    slope, error = forecast.calibration_slope(chance, left, person)
    ratio = forecast.observed_expected(chance, left, person)
    scores = {
        "brier_scaled": forecast.scaled_brier(errors, alone, person, level=level, seed=_RESAMPLES),
        "concordance": _concordance(past, person, z),
        "calibration_slope": (slope, slope - z * error, slope + z * error),
        "observed_expected": _on_logarithms(*ratio, z),
    }
    frame = pd.DataFrame(scores.values(), columns=["estimate", "low", "high"]).assign(
        horizon_days=past.days,
        n=len(rows),
        expected_left=chance.sum(),
        left=int(left.sum()),
        brier=errors.mean(),
        brier_alone=alone.mean(),
    )
    found = assemble(frame, keys=keys, measure="", level=level, counts=list(_SCORES))
    return found.assign(measure=list(scores))


def _squared_errors(past: Past, chance: str) -> Floats:
    return np.concatenate(
        [
            forecast.squared_errors(
                each.rows[chance].to_numpy(), each.rows["after_days"].to_numpy(), each.rows["left"].to_numpy(), horizon=past.days
            )
            for each in past.forecasts
        ]
    )


def _concordance(past: Past, person: Ints, z: float) -> tuple[float, float, float]:
    """The concordance of all forecasts together, and its interval."""
    made = []
    for each in past.forecasts:
        chance, after, left = (each.rows[name].to_numpy() for name in ("chance", "after_days", "left"))
        made.append(forecast.pairs(chance, after, left, horizon=past.days, uno=True))
    right, every = (np.concatenate(parts) for parts in zip(*made, strict=True))
    estimate, error = forecast.concordance(right, every, person)
    if not 0 < estimate < 1:
        return estimate, float("nan"), float("nan")
    half = z * error / (estimate * (1 - estimate))
    low, high = special.expit(special.logit(estimate) + np.array([-half, half]))
    return estimate, float(low), float(high)


def _on_logarithms(ratio: float, error: float, z: float) -> tuple[float, float, float]:
    """A ratio and its interval; none where nobody left."""
    if not ratio > 0:
        return ratio, float("nan"), float("nan")
    times = float(np.exp(z * error / ratio))
    return ratio, ratio / times, ratio * times
