"""How much of what is to come has arrived: shares of a period's answers by days since its end, with intervals.

Only what had time to arrive speaks: a delay of x days is judged by the periods that ended at least x days ago, and
nothing that is still out counts as lost. Simulated at 95 %, the share that had arrived on the last day of the last of 12
or 24 periods (30, 100 or 1,000 answers each; 0.5, 5 or 20 % of them late; alike in all periods, or on paper in some and
not in others):

=========================================  ==============  ==============
interval                                   12 periods      24 periods
=========================================  ==============  ==============
answers taken as independent               .740, .026       .741, .060
linearised over periods, t, never
narrower than those (used)                 .963, .940       .956, .938
=========================================  ==============  ==============
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cxlib.stats.intervals import Floats, wilson
from cxlib.stats.variance import inflation

#: Of fewer earlier periods nobody can say how much they differ.
FEWEST = 3


def arrived(counts: npt.ArrayLike, ages: npt.ArrayLike, *, level: float) -> tuple[Floats, Floats, Floats]:
    """Share of each period's answers that has arrived, of all that come as late as any has: estimate, low, high.

    ``counts`` has a row a period and a column a delay in days after its end, from 0 (in time); ``ages`` are the days since
    each period's end. Missing for a period that is not over, and where fewer than three older ones tell.

    The product-limit estimate of a delay that is known only where it is shorter than the age: backwards from the longest
    delay, the share of what had arrived by day x that had arrived the day before (Lagakos, Barraj, De Gruttola 1988;
    actuaries call it the chain ladder). The interval is Wilson's with an effective number of answers, from the linearised
    variance between periods.
    """
    counts = np.atleast_2d(np.asarray(counts, dtype=float))
    ages = np.asarray(ages)
    old_enough = ages[:, None] >= np.arange(counts.shape[1])
    day, by_then = counts * old_enough, counts.cumsum(axis=1) * old_enough
    n, at_risk = day.sum(axis=0), by_then.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        gone = np.where(at_risk > 0, n / at_risk, 0.0)
        # Of each period and day: how much the logarithm of the share would move with it.
        pull = np.where(at_risk > n, (day - gone * by_then) / (at_risk - n), 0.0)
        alone = np.where(at_risk > n, n / at_risk / (at_risk - n), 0.0)
    found = np.full((3, len(ages)), np.nan)
    for place, age in enumerate(ages):
        if age + 1 >= len(gone) > 1:
            # Nothing has ever come later than that.
            found[:, place] = 1.0
            continue
        older = ages > age
        periods, after = int(older.sum()), slice(int(age) + 1, None)
        share = float(np.prod(1 - gone[after])) if age >= 0 else 0.0
        # Where nothing has ever come late, all that came in time speaks.
        seen = float(at_risk[after].max(initial=0.0) if len(gone) > 1 else counts[older].sum())
        if periods < FEWEST or share == 0 or seen == 0:
            continue
        between = periods / (periods - 1) * float((pull[:, after].sum(axis=1) ** 2).sum())
        worth = _worth(share, float(alone[after].sum()), between, periods, seen=seen, level=level)
        low, high = wilson(share * worth, worth, level)
        found[:, place] = share, low, high
    return found[0], found[1], found[2]


def _worth(share: float, alone: float, between: float, periods: int, *, seen: float, level: float) -> float:
    """How many independent answers the share rests on: by its variance, never more than were seen."""
    odds = (1 - share) / share
    cautious = odds / between / float(inflation(periods - 1, level)) if between > 0 else seen
    return min(seen, odds / alone if alone > 0 else seen, cautious)
