"""Survival from gaps of which several belong to one cluster: the spread of the Kaplan-Meier estimate between clusters.

Gaps between the purchases of one customer are alike; taken as independent they give an interval that is too narrow.
"""

from __future__ import annotations

import numpy as np

from cxlib.stats.intervals import Bounds, Floats, tails
from cxlib.stats.survival import Ints, kaplan_meier
from cxlib.stats.variance import critical


def robust_variance(risk: Ints, events: Ints) -> Floats:
    """Variance of log S at each time, from the influence of each cluster: one row a cluster, one column a time.

    The infinitesimal jackknife, as R's ``survfit(…, cluster = )`` has it. Missing once all at risk had the event.
    """
    all_risk, all_events = risk.sum(axis=0), events.sum(axis=0)
    after = (all_risk - all_events).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = (events - risk * (all_events / all_risk)) / after
    # Once nobody is at risk nothing moves the estimate any more; where all had the event it is 0, and has no logarithm.
    moved[:, all_events == 0] = 0.0
    with np.errstate(invalid="ignore"):
        found: Floats = (np.cumsum(moved, axis=1) ** 2).sum(axis=0)
    return found


def log_log(risk: Ints, events: Ints, *, level: float) -> Bounds:
    """Interval of S on the scale of log(-log S), from one row a cluster and one column a time; t with clusters less one.

    Never narrower than Greenwood's: clusters that differ less than chance would have it are no reason for that. With no
    event yet the lower bound is the exact one for as many as there are clusters at risk; once all at risk had the event it
    is 0, and the upper bound stays where it was.
    """
    tail = tails(level)
    all_risk, all_events = risk.sum(axis=0), events.sum(axis=0)
    survival = kaplan_meier(all_risk, all_events)
    clusters = int((risk.max(axis=1, initial=0) > 0).sum())
    smallest = np.minimum.accumulate((risk > 0).sum(axis=0))
    reach = critical(max(clusters - 1, 0), level)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        greenwood = np.cumsum(np.where(all_events > 0, all_events / (all_risk * (all_risk - all_events)), 0.0))
        variance = np.maximum(robust_variance(risk, events), greenwood)
        factor = np.exp(reach * np.sqrt(variance) / -np.log(survival))
        low, high = survival**factor, survival ** (1 / factor)
        untouched = np.where(smallest > 0, tail ** (1 / smallest), 0.0)
    # Of one cluster nothing is known of others.
    low, high = (np.where(np.isfinite(reach), low, 0.0), np.where(np.isfinite(reach), high, 1.0))
    low = np.where(survival == 1, untouched, np.where(survival == 0, 0.0, low))
    high = np.where(survival == 1, 1.0, np.where(survival == 0, np.nan, high))
    known = np.maximum.accumulate(np.where(np.isnan(high), -1, np.arange(len(high))))
    return low, np.where(known < 0, 1.0, high[known])
