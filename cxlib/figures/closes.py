"""Months that were closed before all answers had come, in words: how far they were restated, and what is still to come."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from cxlib.figures.measures import Measure, counted, decimal, level_words, month_words

if TYPE_CHECKING:
    from cxlib.figures.shown import Row, Shown


@dataclass(frozen=True)
class Close:
    """One month of one group: its score now, and as it was known when the month closed."""

    row: Row
    measure: Measure

    @property
    def month(self) -> date:
        return self.row.month

    @property
    def known(self) -> bool:
        """Whether its score at the close may be shown."""
        return not math.isnan(self.row.count("estimate_closed"))

    @property
    def late(self) -> float:
        return self.row.count("late")

    @property
    def restated(self) -> float:
        return self.row.count("restated")

    @property
    def change(self) -> str:
        """``−5 points``"""
        return replace(self.measure, change=True).quantity(self.restated)

    @property
    def where(self) -> str:
        """``May 2026``, or ``May 2026 in Business``"""
        group = self.row.group("month").spoken
        return f"{month_words(self.month)}{f' in {group}' if group else ''}"

    def told(self) -> str:
        """``May 2026 stood at 26 points when it closed and stands at 25 now: 3 answers came late.``"""
        closed = self.measure.quantity(self.row.count("estimate_closed"))
        late = counted(self.late, "answer", "answers")
        now = self.measure.brief(self.row.estimate)
        if closed.split()[0] == now.split()[0]:
            return f"{self.where} stood at {closed} when it closed and still does: {late} came late"
        return f"{self.where} stood at {closed} when it closed and stands at {now} now: {late} came late"


def is_closes(shown: Shown) -> bool:
    """Whether a result holds months as they were known when they closed."""
    return "n_closed" in shown.counts


def closes_of(shown: Shown) -> list[Close]:
    """The months of a result that may be shown, in order of time."""
    return [Close(row, shown.measure) for row in shown.dated]


def farthest(closes: list[Close]) -> Close | None:
    """The month that was restated by most; none where no answer came late that may be shown."""
    moved = [close for close in closes if close.known and close.late > 0]
    return max(moved, key=lambda close: (abs(close.restated), close.month)) if moved else None


def restatements(shown: Shown) -> str:
    """Which month was restated by most, how many answers came late, and what is still to come."""
    closes = closes_of(shown)
    known = [close for close in closes if close.known]
    if not known:
        return " ".join(["No month can be compared with what was known when it closed.", *_to_come(closes)])
    far = farthest(closes)
    if far is None:
        return " ".join([f"Nothing was restated: no answer came late to {_many(known)}.", *_to_come(closes)])
    late, all_ = sum(close.late for close in known), sum(close.row.n for close in known)
    most = f"{far.told()}, the largest restatement of {_many(known)}." if len(known) > 1 else f"{far.told()}."
    answers = f"Of the {counted(all_, 'answer', 'answers')} of these {_months(known)}"
    hidden = "; months with fewer late answers are not among them" * (len(known) < len(closes))
    share = f"{answers}, {decimal(late, 0)} came after their month had closed{hidden}."
    return " ".join([most, *([share] if len(known) > 1 else []), *_to_come(closes)])


def _many(closes: list[Close]) -> str:
    """``15 months that are shown``, ``51 months of groups that are shown``"""
    return f"{_months(closes)} that {'is' if len(closes) == 1 else 'are'} shown"


def _months(closes: list[Close]) -> str:
    of_groups = " of groups" if len({close.row.group("month").label for close in closes}) > 1 else ""
    return f"{counted(len(closes), 'month', 'months')}{of_groups}"


def _to_come(closes: list[Close]) -> list[str]:
    """What is still to come of the last month, where something is."""
    last = max(closes, key=lambda close: (close.month, close.row.n), default=None)
    if last is None or len({close.row.group("month").label for close in closes}) > 1:
        return []
    share = last.row.count("arrived")
    if math.isnan(share):
        return [f"What is still to come of {month_words(last.month)} cannot be told."]
    more = last.row.count("to_come")
    if more < 0.5:
        return []
    low, high = (decimal(100 * last.row.count(f"{bound}_arrived"), 0) for bound in ("low", "high"))
    bounds = f"{level_words(last.row.level)} interval {low} to {high}"
    expected = f"{counted(round(more), 'answer is', 'answers are')} still to be expected"
    return [f"Of {month_words(last.month)} about {decimal(100 * share, 0)} % has arrived ({bounds}): {expected}."]
