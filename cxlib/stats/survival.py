"""Survival curves from a life table: the Kaplan-Meier estimate, its intervals, where it passes a share, and the area below it.

All functions take the counts of one group at its distinct tenures, in order: ``at_risk`` just before the tenure,
``events`` and ``censored`` at it. An event at a tenure comes before a censoring at the same one.

Simulated coverage at 95 % of S(30), S(60) and S(120), of lives with a mean of 100 days that are censored evenly
over 200, half of them observed late by up to 20 days in the last row:

=================================  ================  ================  ================
interval                           20 customers      80 customers      200 customers
=================================  ================  ================  ================
beta product                       .980 .980 .989    .966 .963 .969    .960 .960 .967
log-log Greenwood                  .957 .958 .966    .954 .949 .947    .950 .946 .950
log-log Greenwood, delayed entry   .961 .952 .961    .957 .946 .948    .949 .944 .954
=================================  ================  ================  ================
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from cxlib.stats.intervals import Bounds, Floats, tails

Ints = npt.NDArray[np.int64]


def at_risk(entered: Ints, left: Ints) -> Ints:
    """Number under observation just before each tenure.

    ``entered`` came under observation at that tenure, and are at risk at it; ``left`` ended theirs at it, by an event
    or not, and are at risk at it for the last time.
    """
    risk: Ints = np.cumsum(entered) - np.cumsum(left) + left
    return risk


def kaplan_meier(risk: Ints, events: Ints) -> Floats:
    """Share surviving each tenure; 1 while nobody has been at risk."""
    return np.cumprod(1 - hazard(risk, events), dtype=np.float64)


def hazard(risk: npt.ArrayLike, events: npt.ArrayLike) -> Floats:
    """Share of those at risk who leave; 0 where nobody is."""
    there = np.asarray(risk, dtype=float)
    share: Floats = np.divide(events, there, out=np.zeros(len(there)), where=there > 0)
    return share


def beta_product(risk: Ints, events: Ints, censored: Ints, *, level: float) -> Bounds:
    """The beta product confidence procedure of Fay, Brittain and Proschan, by the method of moments.

    For right censoring only. Without censoring it is the Clopper-Pearson interval. Just after a tenure the survival
    lies between what was lost up to it and what is lost if the next customer at risk leaves at once: the upper bound
    is a quantile of a product of beta variables, one for each tenure, the lower one of that product and one more.
    ``censored`` leaves out of it those last seen at the tenure, for the bound just after it; at the tenure itself they
    are known to have stayed, and zeros are given.
    The product is matched by one beta variable with the same mean and variance [1]_; ties follow [2]_.

    .. [1] Fay, M. P., Brittain, E. H., Proschan, M. A. (2013). Pointwise confidence intervals for a survival
       distribution with small samples or heavy censoring. Biostatistics 14(4), 723-736.
    .. [2] Fay, M. P., Brittain, E. H. (2016). Finite sample pointwise confidence intervals for a survival
       distribution with right-censored data. Statistics in Medicine 35(16), 2726-2740.
    """
    tail = tails(level)
    survivors, lost = (risk - events + 1).astype(float), events.astype(float)
    log_mean = np.cumsum(np.log(survivors / (survivors + lost)))
    # Squared coefficient of variation of a product of independent variables: one plus it is a product too.
    log_spread = np.cumsum(np.log1p(lost / (survivors * (survivors + lost + 1))))
    after = (risk - events - censored).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        next_mean, next_spread = np.log(after / (after + 1)), np.log1p(1 / (after * (after + 2)))
        low = _beta_quantile(log_mean + next_mean, log_spread + next_spread, tail)
        high = _beta_quantile(log_mean, log_spread, 1 - tail)
    # Nobody left to observe: the truth may be anything below. No event yet: it may still be 1.
    low, high = np.where(after > 0, low, 0.0), np.where(np.cumsum(events) > 0, high, 1.0)
    # Survival never rises, so neither do its bounds; the matching by moments alone would let them, by a hair.
    return np.minimum.accumulate(low), np.minimum.accumulate(high)


def _beta_quantile(log_mean: Floats, log_spread: Floats, probability: float) -> Floats:
    """Quantile of the beta distribution with this mean and this squared coefficient of variation (plus one, in logs)."""
    mean, spread = np.exp(log_mean), np.expm1(log_spread)
    both = (1 - mean) / (mean * spread) - 1
    quantile: Floats = special.betaincinv(mean * both, (1 - mean) * both, probability)
    return quantile


def log_log_greenwood(risk: Ints, events: Ints, *, level: float) -> Bounds:
    """Greenwood's interval on the scale of log(-log S), which allows for delayed entry.

    It has no value where nobody has left yet, or everybody at risk has. There the interval keeps a width: with no
    event the lower bound is the exact one for the smallest number that has been at risk; once all at risk are gone
    it is 0, and the upper bound stays where it was.
    """
    return log_log(kaplan_meier(risk, events), greenwood(risk, events), np.minimum.accumulate(risk), level=level)


def greenwood(risk: npt.ArrayLike, events: npt.ArrayLike) -> Floats:
    """Greenwood's variance of log S at each tenure; infinite from where everybody at risk has left."""
    risk, events = np.asarray(risk, dtype=float), np.asarray(events, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.cumsum(np.where(events > 0, events / (risk * (risk - events)), 0.0))


def log_log(share: Floats, variance: Floats, known: npt.ArrayLike, *, level: float) -> Bounds:
    """The interval of a falling share on the scale of log(-log), from the variance of its logarithm.

    Where the share is still 1 the lower bound is the exact one for so many ``known``; where it is 0 the upper bound
    stays where it was last.
    """
    tail, known = tails(level), np.asarray(known, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.exp(special.ndtri(1 - tail) * np.sqrt(variance) / -np.log(share))
        low, high = share**factor, share ** (1 / factor)
        untouched = np.where(known > 0, tail ** (1 / known), 0.0)
    low = np.where(share == 1, untouched, np.where(share == 0, 0.0, low))
    high = np.where(share == 1, 1.0, np.where(share == 0, np.nan, high))
    # The last upper bound before the share was 0; 1 where that was at once.
    last = np.maximum.accumulate(np.where(np.isnan(high), -1, np.arange(len(high))))
    return low, np.where(last < 0, 1.0, high[last])


def effective(tenure: Floats, risk: Ints, events: Ints, censored: Ints, *, until: float) -> float:
    """So many customers without censoring would make the survival at ``until`` as sure as it is.

    As many as have its Greenwood variance; never more than would say as much if leaving were spread evenly, so that a
    stretch at which few were at risk counts though none of them left; where nobody or everybody has left, the fewest
    whose fate is known.
    """
    step = int(np.searchsorted(tenure, until, side="right")) - 1
    gone = np.cumsum(events)
    there = risk[step] - (0 if tenure[step] == until else events[step] + censored[step])
    # Those who left are known, too: from one tenure to the next it is those at risk at the next, and who left by the first.
    known = np.append((risk + gone - events)[: step + 1], there + gone[step] - (events[step] if tenure[step] == until else 0)).astype(float)
    share = float(kaplan_meier(risk, events)[step])
    if share in {0.0, 1.0} or until == 0:
        return float(known.min())
    widths = np.diff(np.append(tenure[: step + 1], until))
    with np.errstate(divide="ignore"):
        evenly = until / float((widths / known[1:])[widths > 0].sum())
    return min((1 - share) / (share * float(greenwood(risk, events)[step])), evenly)


def passed(tenure: Floats, curve: Floats, share: float) -> float:
    """First tenure at which a curve is at or below this share; missing where it never is."""
    # A product of shares that is a half by arithmetic may miss it by the last digit.
    reached = np.flatnonzero(curve <= share + 1e-12)
    return float(tenure[reached[0]]) if len(reached) else float("nan")


def restricted_mean(tenure: Floats, risk: npt.ArrayLike, hazard: npt.ArrayLike, *, until: float) -> tuple[float, float]:
    """Mean of the tenures, each counted up to ``until`` at most, and its variance: the area below the curve.

    ``hazard`` is the share of those at risk who leave at each tenure; the curve may be that of others, such as all
    groups together. Greenwood's variance, as in R: a tenure at which all leave adds nothing to it.
    """
    here = tenure < until
    risk, hazard = np.asarray(risk, dtype=float)[here], np.asarray(hazard, dtype=float)[here]
    area = np.cumprod(1 - hazard) * np.diff(np.append(tenure[here], until))
    after = np.cumsum(area[::-1])[::-1]
    spread = np.divide(hazard, risk * (1 - hazard), out=np.zeros(len(risk)), where=(risk > 0) & (hazard < 1))
    return float(tenure[0] + area.sum()), float((after**2 * spread).sum())
