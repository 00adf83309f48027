"""What the ratings of one group explain of its score: importance, order, reward and penalty, each with its interval.

Simulated at 95 %, five drivers whose effect is a straight line, over three laws of 60 samples each
(tests/benchmarks/drivers.md has all, and the recovery of the sample company's drivers):

===========================  ===================  =============  =============
sample                       interval holds       wrong order    line is bent
===========================  ===================  =============  =============
100 people                   0.963, worst 0.917   0 of 180       0 of 180
300 people, a third missing  0.938, worst 0.883   0 of 180       1 of 180
100 people, 3 times          0.969, worst 0.917   0 of 180       3 of 180
1,000 people                 0.948, worst 0.900   0 of 180       5 of 180
===========================  ===================  =============  =============

The first number is the mean over drivers and laws; the worst is of one driver in 60 samples, of which a share near .95 is known to
no better than .06. A line is bent where one of the five drivers is called basic or a delight. A rating that was nothing
but chance was named as more in none of 240 samples. Twenty people a driver are the fewest that were simulated.

Rewards, penalties and their asymmetry, of five parts that are punished, rewarded or neither: of 600 people the intervals hold .94
to .98; of 150, thirty a part, .87 to .97, .93 on the mean (``drivers.md``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.impact.occasions import Occasions
from cxlib.stats import drivers as stats
from cxlib.stats.intervals import Floats, tails
from cxlib.stats.missing import Moments, Sums, moments, resampled

#: A correlation of fewer pairs than this is known to no better than ± 0.28.
FEW_TOGETHER = 50
#: The fewest people for each driver for which the intervals were simulated; the table above.
PEOPLE_EACH = 20
#: Fewer answers than this in a box say nothing of those who give them.
FEW_IN_A_BOX = 10
#: What a noise driver stays below in so many samples is the noise floor.
_FLOOR = 0.95
#: Where the interval of the asymmetry lies beyond these, a driver is basic, or a delight.
_BASIC, _DELIGHT = -0.1, 0.1
_DRAWS = 1000


@dataclass(frozen=True)
class Boxes:
    """The ends of a driver's scale: the lowest score of the top box, the highest of the bottom box, and how far they lie from the middle.

    The top box is the best fifth of the scale, the bottom box the worst two fifths, at least one score each. ``above`` is how many
    points the mean of the top box lies above that of the scores between, ``below`` how many the bottom box lies below it;
    missing where one of the three is all but empty.
    """

    top: int
    bottom: int
    above: float
    below: float

    @classmethod
    def of(cls, counts: npt.NDArray[np.int64], low: int) -> Boxes:
        """The boxes of a scale that begins at ``low``, from its counts by score."""
        width = len(counts)
        score = low + np.arange(width)
        top, bottom = low + width - max(width // 5, 1), low + max(2 * width // 5, 1) - 1
        parts = [score >= top, score <= bottom, (score > bottom) & (score < top)]
        if min(counts[part].sum() for part in parts) < FEW_IN_A_BOX:
            return cls(top, bottom, np.nan, np.nan)
        high, worst, middle = (float((counts * score)[part].sum() / counts[part].sum()) for part in parts)
        return cls(top, bottom, high - middle, middle - worst)


@dataclass(frozen=True)
class Explained:
    """The numbers of a group by driver, NaN where there is none; the roles; and in words why what cannot be compared is not."""

    columns: dict[str, Floats] = field(default_factory=dict)
    roles: dict[int, str] = field(default_factory=dict)
    left_out: dict[int, str] = field(default_factory=dict)
    reason: str = ""

    @classmethod
    def of(cls, counted: Occasions, place: int, boxes: Mapping[int, Boxes], *, level: float) -> Explained:
        """All that is said of the drivers of one group; ``boxes`` are those of each driver's scale."""
        rows, group = counted.of(place), counted.groups.iloc[place]
        chosen, left_out = _chosen(rows, counted.together(place))
        reason = _refused(rows, int(group["people"]), chosen)
        if reason:
            return cls(reason=reason)
        people = group[[f"p{driver}" for driver in chosen]].to_numpy(dtype=float)
        # Weights that differ are worth fewer people (Kish).
        total, squares, n = (rows[name].to_numpy(dtype=float).sum() for name in ("w", "ww", "n"))
        people *= total**2 / squares / n
        parts = _parts(rows, chosen, people, level)
        # Two boxes of each driver are in that regression.
        tail = stats.tail_of(people.min(), 2 * len(chosen), level)
        effects, roles = _effects(rows, chosen, [boxes[driver] for driver in chosen], tail)
        columns = {name: np.full(counted.drivers, np.nan) for name in parts | effects}
        for name, values in (parts | effects).items():
            columns[name][chosen] = values
        return cls(columns, dict(zip(chosen, roles, strict=True)), left_out)


def _varies(rows: pd.DataFrame, name: str) -> bool:
    return bool(rows[name].nunique() > 1)


def _chosen(rows: pd.DataFrame, together: npt.NDArray[np.int64]) -> tuple[list[int], dict[int, str]]:
    """The drivers that can be compared, and why the others cannot."""
    left_out: dict[int, str] = {}
    for driver in range(len(together)):
        if together[driver, driver] < FEW_TOGETHER:
            left_out[driver] = f"fewer than {FEW_TOGETHER} ratings beside a score"
        elif not _varies(rows, f"v{driver}"):
            left_out[driver] = "everybody rated it alike"
    chosen = [driver for driver in range(len(together)) if driver not in left_out]
    while chosen and together[np.ix_(chosen, chosen)].min() < FEW_TOGETHER:
        # Of those who were seldom rated together, the one with the fewest such ratings goes first.
        seldom = (together[np.ix_(chosen, chosen)] < FEW_TOGETHER).sum(axis=1)
        alone = max(range(len(chosen)), key=lambda at: (seldom[at], -together[chosen[at], chosen[at]], chosen[at]))
        left_out[chosen.pop(alone)] = f"rated together with another fewer than {FEW_TOGETHER} times"
    return chosen, left_out


def _refused(rows: pd.DataFrame, people: int, chosen: Sequence[int]) -> str:
    """Why nothing can be said of a group; empty where something can."""
    if not len(rows):
        return "Nobody who gave a score rated a part of the experience on the same occasion."
    if not chosen:
        return f"No part of the experience was rated {FEW_TOGETHER} times beside a score with ratings that differ."
    if people < (needed := PEOPLE_EACH * len(chosen)):
        return f"{people:,} people are too few to tell {len(chosen)} parts of the experience apart; it takes {needed:,}."
    return "" if _varies(rows, "y") else "Everybody gave the same score, so there is nothing to explain."


def _parts(rows: pd.DataFrame, chosen: Sequence[int], people: Floats, level: float) -> dict[str, Floats]:
    """The part of each driver, with its interval, its place among the others, and what chance reaches."""
    fitted, drawn = _fitted(Occasions.sums(rows, chosen))
    corr, again = stats.correlations(fitted.cov), stats.correlations(drawn.cov)
    xx, xy = corr[1:, 1:], corr[0, 1:]
    estimate, replicates = stats.lmg(xx, xy), stats.lmg(again[:, 1:, 1:], again[:, 0, 1:])
    # A driver of chance would be alike within a person as well: its people count, not its ratings.
    noise = stats.noise(xx, xy)
    base = np.maximum(people - len(chosen) - 1, 1)
    silent, floor = (np.quantile(noise, share) / base for share in (1 - tails(level), _FLOOR))
    low, high = stats.bounds(estimate, replicates, silent=silent, tail=stats.tail_of(people.min(), len(chosen), level))
    best, worst = stats.rank_bounds(estimate, replicates, level)
    return {
        "estimate": estimate, "low": low, "high": high, "noise_floor": floor, "johnson": stats.relative_weights(xx, xy),
        "r_squared": np.full(len(chosen), estimate.sum()), "rank_low": best.astype(float), "rank_high": worst.astype(float),
    }  # fmt: skip


def _fitted(sums: Sums) -> tuple[Moments, Moments]:
    fitted = moments(sums)
    return fitted, resampled(sums, fitted, draws=_DRAWS)


def _effects(rows: pd.DataFrame, chosen: Sequence[int], boxes: Sequence[Boxes], tail: float) -> tuple[dict[str, Floats], list[str]]:
    """What the top box brings and the bottom box costs, in points of the score for each point of the rating, and how unlike they are."""
    fitted, drawn = _fitted(Occasions.sums(rows, chosen, np.array([[each.top, each.bottom] for each in boxes], dtype=float)))
    gaps = np.array([[each.above, each.below] for each in boxes])
    estimate, replicates = _slopes(fitted, gaps), _slopes(drawn, gaps)
    found: dict[str, Floats] = {}
    names = ("reward", "penalty", "asymmetry")
    for name, value, again in zip(names, (*estimate, _unlike(*estimate)), (*replicates, _unlike(*replicates)), strict=True):
        low, high = np.quantile(again, [tail, 1 - tail], axis=0)
        found |= {name: value, f"{name}_low": np.fmin(low, value), f"{name}_high": np.fmax(high, value)}
    # No replicate is without any reward or any penalty; where that may be the truth, the asymmetry may be whole.
    none = {name: (found[f"{name}_low"] <= 0) & (found[f"{name}_high"] >= 0) for name in names[:2]}
    found["asymmetry_low"] = np.where(none["reward"], -1.0, found["asymmetry_low"])
    found["asymmetry_high"] = np.where(none["penalty"], 1.0, found["asymmetry_high"])
    # A role is a verdict, one of as many as there are drivers: its interval is wider by that (Bonferroni).
    low, high = np.quantile(_unlike(*replicates), [tail / len(chosen), 1 - tail / len(chosen)], axis=0)
    return found, [_role(*ends) for ends in zip(low, high, strict=True)]


def _slopes(at: Moments, gaps: Floats) -> tuple[Floats, Floats]:
    """Reward and penalty of each driver by the regression on all boxes at once."""
    corr = stats.correlations(at.cov)
    spread = np.sqrt(np.maximum(np.diagonal(at.cov, axis1=-2, axis2=-1), 0))
    scale = np.divide(spread[..., :1], spread[..., 1:], out=np.zeros_like(spread[..., 1:]), where=spread[..., 1:] > 0)
    effect = stats.slopes(corr[..., 1:, 1:], corr[..., 0, 1:]) * scale
    p = len(gaps)
    return effect[..., :p] / gaps[:, 0], effect[..., p:] / gaps[:, 1]


def _unlike(reward: Floats, penalty: Floats) -> Floats:
    """(|reward| − |penalty|) / (|reward| + |penalty|)"""
    both = np.abs(reward) + np.abs(penalty)
    found: Floats = np.divide(np.abs(reward) - np.abs(penalty), both, out=np.full_like(both, np.nan), where=both > 0)
    return found


def _role(low: float, high: float) -> str:
    """What an asymmetry with this interval says."""
    if high < _BASIC:
        return "basic"
    if low > _DELIGHT:
        return "delight"
    return "performance" if low >= _BASIC and high <= _DELIGHT else "not clear"
