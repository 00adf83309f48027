"""What each score is made of: which answers count for how much, and the number of a group with its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.stats import intervals, variance
from cxlib.stats import movement as stats
from cxlib.survey.answers import PEOPLE, PERIOD, Asked, Tally
from cxlib.survey.people import Base, Worth
from cxlib.tables import Table
from cxlib.tables.rows import refuse_unknown

if TYPE_CHECKING:
    import ibis.expr.types as ir

Box = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Score:
    """A score with what its own function is told beside the table: ``Score("csat", question="support", weight="weight")``.

    ``name`` is that of the function: ``"nps"``, ``"csat"``, ``"ces"`` or ``"ratings"``; the others mean what they mean
    there.
    """

    name: str
    question: str | None = None
    weight: str | None = None
    cluster: str | None = PEOPLE
    scale: tuple[int, int] | None = None

    @classmethod
    def of(cls, measure: str | Score, *, level: float = 0.95, margin: float | None = None, compares: str = "difference") -> Score:
        """The score that is meant, after refusing a level and a margin by which nothing could be judged."""
        intervals.tails(level)
        if level <= 0.5:
            raise ValueError(f"level: {level} is not above 0.5, and a verdict needs more than a toss of a coin; for 95 % write 0.95")
        if margin is not None and not margin > 0:
            raise ValueError(f"margin: {margin} is no size of a {compares}; it is above 0, in the unit of the score")
        score = measure if isinstance(measure, Score) else cls(measure)
        refuse_unknown("measure", score.name, SCORING)
        return score

    def asks(self, table: Table, keys: Sequence[str], *, by_whom: str, period: Callable[[ir.Table], Any] | None = None) -> Asked:
        """What this score asks of a table, in the groups of some keys and of what ``period`` makes of each answer."""
        kind, usual, _ = SCORING[self.name]
        # What the measure is about has one usual scale; any other has to be declared.
        scale = self.scale or (None if "scale_low" in table.columns else usual)
        return Asked(
            by_whom, kind, [*keys, *([PERIOD] if period else [])], self.question, self.weight, scale,
            each_question=self.name == "ratings", cluster=self.cluster, period=period,
        )  # fmt: skip


@dataclass(frozen=True)
class Scored:
    """One number that a group has: its name in each group, which groups have it, what each score is worth in it.

    A ``net`` share is worth 1, 0 or -1, a ``share`` 1 or 0, a ``mean`` the score itself; ``unit`` is what one is in the
    result. ``boxes`` are the answers that the result counts, ``good`` and ``bad`` those at the two ends.
    """

    form: Literal["net", "share", "mean"]
    measure: npt.NDArray[np.str_]
    worth: Worth
    boxes: dict[str, Box]
    good: Box
    bad: Box
    rows: npt.NDArray[np.bool_]
    unit: float = 1.0

    def result(self, counted: Tally, asked: Asked, known: Base, *, level: float) -> pd.DataFrame:
        """The number of each group that has it, with its interval, its base and its counts."""
        estimate, low, high = self.interval(counted, known, level)
        frame = counted.groups.assign(
            measure=[f"{name}{'_weighted' * bool(asked.weight)}" for name in self.measure],
            estimate=self.unit * estimate,
            low=self.unit * low,
            high=self.unit * high,
            n=counted.n,
            n_people=known.people,
            n_eff=known.n_eff,
            **{name: (counted.counts * box).sum(axis=1) for name, box in self.boxes.items()},
        )
        return frame[self.rows]

    def interval(self, counted: Tally, known: Base, level: float) -> tuple[Floats, Floats, Floats]:
        """Estimate, lower and upper bound, from as many answers as they are worth, fewer where that is not well known."""
        answers = counted.scaled(known.n_eff / variance.inflation(known.freedom, level))
        estimate = self.mean(counted)
        low, high = np.full_like(estimate, np.nan), np.full_like(estimate, np.nan)
        if self.form == "mean":
            for rows, scores in counted.scales():
                _, low[rows], high[rows] = intervals.scale_mean(answers[rows, : len(scores)], scores, level)
        else:
            low, high = {"net": intervals.net_share, "share": _wilson}[self.form](self.classes(answers), level)
        return estimate, np.fmin(low, estimate), np.fmax(high, estimate)

    def mean(self, counted: Tally) -> Floats:
        """What the answers of each group are worth on average, by their weights; missing where there are none."""
        total = counted.weights.sum(axis=1)
        found: Floats = np.divide((counted.weights * self.worth).sum(axis=1), total, out=np.full_like(total, np.nan), where=total > 0)
        return found

    def refuse_margin(self, margin: float | None) -> None:
        """Raise the letter about a margin that is larger than any difference of two shares."""
        if self.form == "share":
            intervals.refuse_share_margin(margin)

    def classes(self, answers: Floats, at: Ints | slice = slice(None)) -> Floats:
        """Answers by what they are worth: promoters, passives, detractors; or inside, outside."""
        values = {"net": (1, 0, -1), "share": (1, 0)}[self.form]
        return np.column_stack([(answers * (self.worth[at] == value)).sum(axis=1) for value in values])

    def change(
        self, counted: Tally, samples: tuple[Floats, Floats], at: Ints, *, freedom: stats.Freedom, correlation: Floats, level: float
    ) -> stats.Change:
        """The second of two samples less the first, one row a pair, by the test of its form; means on each scale of their own.

        ``samples`` are answers by score, ``at`` a group of the tally that was asked as each pair was.
        """
        if self.form != "mean":
            test = {"net": stats.net_change, "share": stats.share_change}[self.form]
            one, other = (self.classes(answers, at) for answers in samples)
            return test(one, other, level=level, freedom=freedom, correlation=correlation)
        bounds = (counted.groups[bound].to_numpy()[at] for bound in ("scale_low", "scale_high"))
        return mean_changes(samples, *bounds, freedom=freedom, correlation=correlation, level=level)

    def judged_by(self, samples: tuple[Floats, Floats], at: Ints, found: stats.Change, *, correlation: Floats) -> Floats:
        """The p-values by which a few answers are judged beside many: those of their interval, or larger ones made for few."""
        if self.form == "mean":
            return found.p_value
        test = {"net": stats.net_few, "share": stats.share_few}[self.form]
        one, other = (self.classes(answers, at) for answers in samples)
        larger: Floats = np.fmax(found.p_value, test(one, other, correlation=correlation))
        return larger


def mean_changes(
    samples: tuple[Floats, Floats], lows: Ints, highs: Ints, *, freedom: stats.Freedom, correlation: Floats, level: float
) -> stats.Change:
    """Differences of means, one row a pair of answers by score, each pair on the scale that goes from ``lows`` to ``highs``."""
    found = np.full((10, len(lows)), np.nan)
    for low, high in sorted(set(zip(lows.tolist(), highs.tolist(), strict=True))):
        here, scores = np.flatnonzero((lows == low) & (highs == high)), np.arange(low, high + 1)
        one, other = (answers[here, : len(scores)] for answers in samples)
        free = (np.asarray(freedom[0])[here], np.asarray(freedom[1])[here])
        change = stats.mean_change(one, other, scores, level=level, freedom=free, correlation=correlation[here])
        found[:, here] = [
            *(change.estimate, change.low, change.high, change.p_value, change.std_error),
            *(*change.variances, *change.spreads, change.freedom),
        ]
    estimate, low, high, p_value, std_error, first, second, spread, spread_after, free_of_both = found
    return stats.Change(estimate, low, high, p_value, std_error, (first, second), (spread, spread_after), free_of_both)


def results(made_of: Sequence[Scored], counted: Tally, asked: Asked, *, level: float) -> pd.DataFrame:
    """Several numbers that are made of the same answers, one under the other."""
    bases = Base.of_each(counted, [number.worth for number in made_of])
    return pd.concat([number.result(counted, asked, known, level=level) for number, known in zip(made_of, bases, strict=True)])


def _nps(counted: Tally, asked: Asked) -> list[Scored]:
    """Net Promoter Score, asked from 0 or from 1."""
    counted.refuse_scales(asked, [(0, 10, False), (1, 10, False)], "0 to 10, or 1 to 10 where it was asked so")
    promoter, passive, detractor = counted.between(9, 10), counted.between(7, 8), counted.between(0, 6)
    name = np.where(counted.groups["scale_low"] == 1, "nps_1_to_10", "nps")
    boxes = {"promoters": promoter, "passives": passive, "detractors": detractor}
    worth = promoter.astype("int64") - detractor
    return [Scored("net", name, worth, boxes, promoter, detractor, _everywhere(counted), unit=100.0)]


def _csat(counted: Tally, asked: Asked) -> list[Scored]:
    """Share of answers in the top two boxes."""
    lowest, highest = counted.groups["scale_low"].to_numpy(), counted.groups["scale_high"].to_numpy()
    counted.refuse_scales(asked, [(low, low + k, False) for low in lowest for k in (4, 6)], "five points or seven")
    top, bottom = counted.between(highest - 1, highest), counted.between(lowest, lowest + 1)
    boxes = {"satisfied": top, "dissatisfied": bottom}
    return [Scored("share", _named(counted, "csat"), top.astype("int64"), boxes, top, bottom, _everywhere(counted))]


def _ces(counted: Tally, asked: Asked) -> list[Scored]:
    """Effort in the version that was asked: on seven points the share who found it easy, and the mean."""
    counted.refuse_scales(asked, [(1, 5, True), (1, 5, False), (1, 7, False)], "1 to 7, or 1 to 5")
    effort, seven = counted.groups["low_is_good"].to_numpy(), counted.groups["scale_high"].to_numpy() == 7
    easy = counted.between(np.where(effort, 1, np.where(seven, 5, 4)), np.where(effort, 2, np.where(seven, 7, 5)))
    hard = counted.between(np.where(effort, 4, 1), np.where(effort, 5, np.where(seven, 3, 2)))
    means_of = np.where(effort, "ces_effort", np.where(seven, "ces_mean", "ces_agreement"))
    boxes = {"easy": easy}
    return [
        Scored("share", _named(counted, "ces_share"), easy.astype("int64"), boxes, easy, hard, seven),
        Scored("mean", means_of, _points(counted), boxes, easy, hard, _everywhere(counted)),
    ]


def _ratings(counted: Tally, asked: Asked) -> list[Scored]:  # noqa: ARG001 - ratings are known on every scale
    """Mean of a rating on any scale."""
    lowest, highest = counted.groups["scale_low"], counted.groups["scale_high"]
    top, bottom = counted.between(highest, highest), counted.between(lowest, lowest)
    boxes = {"top": top, "bottom": bottom}
    return [Scored("mean", _named(counted, "rating_mean"), _points(counted), boxes, top, bottom, _everywhere(counted))]


def _wilson(answers: Floats, level: float) -> intervals.Bounds:
    return intervals.wilson(answers[:, 0], answers.sum(axis=1), level)


def _points(counted: Tally) -> Worth:
    """Every answer worth its score; beyond the end of a scale there are no answers."""
    points: Worth = counted.groups["scale_low"].to_numpy(dtype="int64")[:, None] + np.arange(counted.counts.shape[1])
    return points


def _named(counted: Tally, name: str) -> npt.NDArray[np.str_]:
    return np.full(len(counted.groups), name)


def _everywhere(counted: Tally) -> npt.NDArray[np.bool_]:
    return np.ones(len(counted.groups), dtype=bool)


#: Each measure: the kind of question it reads, the scale where the table declares none, and what it is made of.
SCORING: dict[str, tuple[str, tuple[int, int] | None, Callable[[Tally, Asked], list[Scored]]]] = {
    "nps": ("nps", (0, 10), _nps),
    "csat": ("csat", None, _csat),
    "ces": ("ces", None, _ces),
    "ratings": ("rating", None, _ratings),
}
