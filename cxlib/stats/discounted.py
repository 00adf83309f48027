"""The time a customer stays up to a horizon, what comes later counting less: an area under the survival curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxlib.stats.intervals import Floats
from cxlib.stats.survival import kaplan_meier

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Stay:
    """The discounted days of a customer from joining on, and what each spell has to do with them.

    ``influence`` is, for one spell of each row, how far the estimate moves with its weight; summed over clusters and
    squared it is the variance. ``reached`` says whether anybody was at risk from the first day to the horizon, or all had
    left; ``smallest`` is the least number at risk on the way, and ``last`` the number at risk at the horizon.
    """

    days: float
    influence: Floats
    reached: bool
    events: int
    smallest: int
    last: int


def discounted_stay(entry: Floats, tenure: Floats, left: npt.NDArray[np.bool_], spells: Ints, *, until: float, a_day: float) -> Stay:
    """The integral of survival from 0 to ``until``, each day counting by a factor of exp(−``a_day``) less than the one before.

    One row is so many ``spells`` alike: at risk from the tenure ``entry`` to ``tenure``, both included, and ``left`` at it
    or not. Survival is Kaplan and Meier's. With ``a_day`` 0 it is the restricted mean [1]_. The influences are those of the
    infinitesimal jackknife; without delayed entry, and each spell by itself, their squares add up to Greenwood's variance of
    the restricted mean.

    .. [1] Royston, P., Parmar, M. K. B. (2013). Restricted mean survival time: an alternative to the hazard ratio. BMC
       Medical Research Methodology 13, 152.
    """
    gone = left & (tenure <= until)
    when = np.unique(tenure[gone])
    events = np.bincount(np.searchsorted(when, tenure[gone]), spells[gone], minlength=len(when)).astype("int64")
    risk = _at_risk(entry, tenure, spells, when)
    survival = kaplan_meier(risk, events)
    edges = np.concatenate([[0.0], when, [until]])
    areas = np.concatenate([[1.0], survival]) * _lengths(edges, a_day)
    # What is still to come after each tenure at which somebody left.
    after = areas[::-1].cumsum()[::-1][1:]
    stayed = risk - events
    pull = np.divide(after, stayed, out=np.zeros(len(when)), where=stayed > 0)
    drift = np.concatenate([[0.0], np.cumsum(pull * np.divide(events, risk, out=np.zeros(len(when)), where=risk > 0))])
    at_end, before = np.searchsorted(when, tenure, side="right"), np.searchsorted(when, entry, side="left")
    influence = drift[np.maximum(at_end, before)] - drift[before]
    influence[gone] -= pull[np.searchsorted(when, tenure[gone])]
    last = int(_at_risk(entry, tenure, spells, np.array([until]))[0])
    over = bool(len(when)) and survival[-1] == 0
    reached = bool((entry == 0).any()) and (last > 0 or over)
    smallest = int(min([*risk, *([] if over else [last])], default=0))
    return Stay(float(areas.sum()), influence, reached, int(events.sum()), smallest, last)


def _at_risk(entry: Floats, tenure: Floats, spells: Ints, when: Floats) -> Ints:
    """How many are at risk at each of these tenures: they had entered by then, and had not ended before."""
    came, went = np.argsort(entry, kind="stable"), np.argsort(tenure, kind="stable")
    entered, ended = (np.concatenate([[0], np.cumsum(spells[order])]) for order in (came, went))
    risk: Ints = entered[np.searchsorted(entry[came], when, side="right")] - ended[np.searchsorted(tenure[went], when, side="left")]
    return risk


def _lengths(edges: Floats, a_day: float) -> Floats:
    """The discounted length of each stretch between two tenures."""
    days = np.diff(edges)
    if a_day == 0:
        return days
    lengths: Floats = -np.expm1(-a_day * days) * np.exp(-a_day * edges[:-1]) / a_day
    return lengths
