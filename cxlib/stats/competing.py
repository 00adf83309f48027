"""Competing ends from a life table: the Aalen-Johansen estimate of leaving for one reason, and its interval.

Counts of one group at its distinct tenures, in order, as in `cxlib.stats.survival`: an event at a tenure comes before a
censoring at the same one, and events of several reasons at one tenure are tied, not put in an order by chance.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cxlib.stats.intervals import Bounds, Floats
from cxlib.stats.survival import hazard, kaplan_meier, log_log

Ints = npt.NDArray[np.int64]


def incidence(risk: Ints, events: Ints, own: Ints) -> Floats:
    """Share that has left for one reason by each tenure, where ``own`` of the ``events`` are of that reason [1]_.

    The reasons and `kaplan_meier` add up to 1. One minus the Kaplan-Meier estimate with all other ends censored would be
    larger: it asks what would happen if nobody could leave otherwise.

    .. [1] Aalen, O., Johansen, S. (1978). An empirical transition matrix for non-homogeneous Markov chains based on
       censored observations. Scandinavian Journal of Statistics 5(3), 141-150.
    """
    return np.cumsum(_before(risk, events) * hazard(risk, own))


def variance(risk: Ints, events: Ints, own: Ints) -> Floats:
    """Variance of `incidence` at each tenure, of Greenwood's kind: by the delta method, ends at one tenure multinomial.

    It is the infinitesimal jackknife's, which R's survfit gives, and Greenwood's own where there is one reason. Aalen's,
    which cmprsk gives, is larger where few are at risk.
    """
    curve, before = incidence(risk, events, own), _before(risk, events)
    of_all, of_own = hazard(risk, events), hazard(risk, own)
    # A chance more to leave for the reason at a tenure adds those still there, and takes what they would have added later:
    # (F(t) - F(u)) / (1 - h(u)) is linear in F(t), so the sum over u is a polynomial in F(t), whose coefficients are sums.
    later = np.divide(1.0, 1 - of_all, out=np.zeros(len(risk)), where=of_all < 1)
    least = np.divide(1.0, risk, out=np.zeros(len(risk)), where=risk > 0)
    gain, other = before + curve * later, of_all - of_own
    # Of a first part that does not know t and a second part times F(t), for the reason itself and for all others.
    first, second = (gain, curve * later), -later

    def spread(one: tuple[Floats, Floats], two: tuple[Floats, Floats]) -> Floats:
        crossed = one[0] * two[0] * of_own + one[1] * two[1] * other
        means = (one[0] * of_own + one[1] * other) * (two[0] * of_own + two[1] * other)
        return np.cumsum((crossed - means) * least)

    found = spread(first, first) + 2 * curve * spread(first, (second, second)) + curve**2 * spread((second, second), (second, second))
    return np.maximum(found, 0.0)


def bounds(risk: Ints, events: Ints, own: Ints, *, level: float) -> Bounds:
    """The interval of `incidence`: that of its complement on the scale of log(-log), as delayed entry allows.

    While nobody has left for the reason the upper bound is the exact one for none of those whose fate is known by then,
    and of the fewest such that there have been.
    """
    rest = 1 - incidence(risk, events, own)
    # Rounding must not make somebody leave who did not, nor leave a hair where all have gone.
    rest = np.where(np.cumsum(own) == 0, 1.0, np.where(rest < 1e-12, 0.0, rest))
    known = np.minimum.accumulate(risk + np.cumsum(events) - events)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = log_log(rest, variance(risk, events, own) / rest**2, known, level=level)
    return 1 - high, 1 - low


def _before(risk: Ints, events: Ints) -> Floats:
    """Share still there just before each tenure."""
    return np.concatenate([[1.0], kaplan_meier(risk, events)[:-1]])
