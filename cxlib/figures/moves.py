"""Movements in words: which periods are compared, the sign of a verdict, and what may be said of a change.

The verdict is the result's. Only what it calls up or down is said to have risen or fallen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlib.figures.measures import clean, moving, on_scale, spoken
from cxlib.figures.numbers import Measure, a_date, capital, counted, date_words, decimal, level_words, listed, month_words
from cxlib.figures.vocabulary import DOWN, OPEN, SIGNS, UNMOVED, UP
from cxlib.figures.withhold import PAIR
from cxlib.tables.calendar import month_of

if TYPE_CHECKING:
    from cxlib.figures.shown import Row, Shown


#: How periods are paired: as a result names it, and how a reader is told of a comparison, of all of them, and of answers.
_OF = {"waves": "wave", "windows": "window", **dict.fromkeys(("last 3 months", "last 6 months", "last 12 months"), "span")}
_OTHERS = {
    "month": "a month with the one before",
    "quarter": "a quarter with the one before",
    "year": "a month with that of a year before",
    "wave": "a wave with the one before",
    "span": "these months with those of a year before",
    "window": "two windows",
}
#: The same under a table.
WAYS = {
    "month": "each month with the one before",
    "quarter": "each quarter with the one before",
    "year": "each month with that of a year before",
    "wave": "each wave with the one before",
    "span": "these months with those of a year before",
    "window": "one window with the other",
}
_EACH = {
    "month": "a month", "quarter": "a quarter", "year": "a month", "wave": "a wave", "span": "in each year", "window": "in each window",
}  # fmt: skip
#: Nobody will have so many times as many answers or customers as there are.
_EVER = 10
#: So many movements are named with their period.
_NAMED = 3


def is_moves(keys: Iterable[str]) -> bool:
    """Whether a result with these keys holds changes between two periods."""
    return set(PAIR) <= set(keys)


def way_of(frame: pd.DataFrame) -> str:
    """How the periods of a result of changes are paired: by month, quarter, year, wave, a span of months, or as two windows."""
    way = str(frame["between"].iloc[0]) if len(frame) else "wave"
    return _OF.get(way, way)


def a_day(value: object) -> date | None:
    """A date from a date or a pandas time; None from the name of a wave, even one that reads like a year."""
    return a_date(value) if isinstance(value, date) else None


def period(way: str, value: object, since: object = None, until: object = None, *, short: bool = False) -> str:
    """One of the two periods as a reader sees it: ``June 2026``, ``Q2 2026``, a wave by its name, a window by its answers."""
    day = a_day(value)
    if day is None:
        return clean(value)
    if way == "quarter":
        return f"Q{(day.month + 2) // 3} {day.year}"
    return _window(day, a_date(since), a_date(until)) if way in {"span", "window"} else month_words(day, short=short)


def _window(day: date, since: date | None, until: date | None) -> str:
    """``Jan–Jun 2026``, by the answers that are of it."""
    first, last = since or day, until or day
    if month_of(first) == month_of(last):
        return month_words(first)
    head = month_words(first, short=True)
    return f"{head.removesuffix(f' {last.year}')}–{month_words(last, short=True)}"


def periods(way: str, record: dict[Any, Any], *, short: bool = False) -> tuple[str, str]:
    """Both periods of a row: before, after. Two windows of one month are told apart by their days."""
    sides = [(record["before"], record.get("since_before"), record.get("until_before"))]
    sides.append((record["after"], record.get("since"), record.get("until")))
    before, after = (period(way, *side, short=short) for side in sides)
    if before == after and way == "window":
        before, after = (f"the days from {date_words(day)}" for day in (a_day(side[0]) for side in sides) if day)
    return before, after


def names_of(frame: pd.DataFrame, groups: Sequence[str], way: str) -> tuple[str, ...]:
    """The comparisons of some rows: ``Business, June 2026 against May 2026``."""
    said = []
    for record in frame.to_dict("records"):
        before, after = periods(way, record)
        said.append(", ".join([*([spoken((key, record[key]) for key in groups)] if groups else []), f"{after} against {before}"]))
    return tuple(dict.fromkeys(said))


@dataclass(frozen=True)
class Move:
    """One change that may be shown, and how it is spoken of."""

    row: Row
    way: str
    measure: Measure

    @property
    def verdict(self) -> str:
        return str(self.row.counts["verdict"])

    @property
    def moved(self) -> bool:
        return self.verdict in {UP, DOWN}

    @property
    def sign(self) -> str:
        return SIGNS[self.verdict]

    @property
    def of(self) -> Measure:
        return moving(self.measure)

    @property
    def group(self) -> str:
        return self.row.group(*PAIR).label

    @property
    def after(self) -> date | None:
        return a_day(self.row.key("after"))

    @property
    def last_month(self) -> date | None:
        """First day of the month that the later answers reach."""
        until = a_date(self.row.counts.get("until"))
        return until and until.replace(day=1)

    @property
    def names(self) -> tuple[str, str]:
        return periods(self.way, {**dict(self.row.keys), **self.row.counts})

    @property
    def spans(self) -> list[tuple[float, tuple[date, date]]]:
        """Both periods that have days: the score, and the first and the last day of its answers."""
        counts, found = self.row.counts, []
        for score, first, last in (("estimate_before", "since_before", "until_before"), ("estimate_after", "since", "until")):
            since, until = a_date(counts.get(first)), a_date(counts.get(last))
            found += [(self.row.count(score), (since, until))] if since and until else []
        return found

    @property
    def brief(self) -> str:
        """For a card, without its sign: ``down 14 points``, or the verdict alone.

        A span of months has another score than the month of the card, so both its scores are given: ``down from 39 to 25 points``,
        ``cannot tell yet: 39 to 25 points``.
        """
        if self.way == "span":
            of = replace(self.of, finer=self._finer)
            both = f"{of.number(self.row.count('estimate_before'))} to {of.quantity(self.row.count('estimate_after'))}"
            return f"{self.verdict} from {both}" if self.moved else f"{self.verdict}: {both}"
        return f"{self.verdict} {size(self.measure, self.row.estimate)}" if self.moved else self.verdict

    @property
    def between(self) -> str:
        """Both periods in a sentence: ``between May and June 2026``."""
        before, after = self.names
        return f"between {before.removesuffix(after[-5:]) if self.way == 'month' else before} and {after}"

    @property
    def _finer(self) -> int:
        """How much finer both scores and their change are written, so that they agree."""
        return self.measure.finer_for(self.row.count("estimate_before"), self.row.count("estimate_after"), self.row.estimate)

    @property
    def ends(self) -> str:
        """``from 39 to 25 points``"""
        of = replace(self.of, finer=self._finer)
        return f"from {of.brief(self.row.count('estimate_before'))} to {of.quantity(self.row.count('estimate_after'))}"

    def behind(self, *, ends: bool = False, first: bool = True) -> str:
        """``(change −6 points, 95 % interval −26 to +14; 100 and 97 answers)``; as fine as they are where both ``ends`` were said."""
        measure = replace(self.measure, finer=self._finer if ends else 0)
        lead = f"{level_words(self.row.level)} interval " if first else ""
        base = f"{decimal(self.row.count('n_before'), 0)} and {self.measure.many(self.row.count('n_after'))}"
        return f"(change {measure.quantity(self.row.estimate)}, {lead}{measure.interval(self.row.low, self.row.high)}; {base})"

    def told(self, subject: str) -> str:
        """Rose, fell or did not, as a whole sentence."""
        if self.verdict == UNMOVED:
            small = f": smaller than the {size(self.measure, self.row.count('margin'))} declared to matter"
            return f"{capital(subject)} shows no material change {self.between} {self.behind()}{small}."
        verb, noun = ("rose", "rise") if self.verdict == UP else ("fell", "fall")
        low = ", and low is good" if self.of.good == "low" else ""
        change = self.behind(ends=True)
        return f"{capital(subject)} {verb} {self.ends} {self.between} {change}: the {noun} is larger than chance{low}."

    def untold(self, subject: str, *, answers: bool) -> str:
        """That it cannot be told yet, what these answers would show, and how many would tell."""
        parts: list[str] = []
        one, many = self.measure.base
        least = self.row.count("smallest_detectable")
        if answers and not math.isnan(least):
            parts.append(
                f"{counted(self.row.n, f'{one} alone shows', f'{many} alone show')} changes from about {size(self.measure, least)}"
            )
        parts += [told] if (told := would_tell(self.row.count("n_to_tell"), self.row.n, many, _EACH[self.way])) else []
        why = f": {'; '.join(parts)}" if parts else ""
        return f"Whether {subject} moved {self.between} cannot be told yet {self.behind()}{why}."

    @property
    def nor(self) -> str:
        """The same after another that could not be told either."""
        return f"Nor can it be told against {self.names[0]} {self.behind()}."


def moves_of(shown: Shown) -> list[Move]:
    """The changes of a result that may be shown, in their order."""
    way = way_of(shown.frame)
    return [Move(row, way, on_scale(shown.measure, row.counts)) for row in shown.rows if not math.isnan(row.estimate)]


def last_moves(moves: Sequence[Move]) -> list[Move]:
    """Those into the last period that is left."""
    return [move for move in moves if move.names == moves[-1].names] if moves else []


def newest(shown: Shown, *, known: bool = False, open_before: bool = False) -> str:
    """The sentence of a headline: whether it moved into the last period. ``known`` says that its score was just told."""
    moves = _newest(shown)
    if len(moves) != 1:
        return _groups(moves)
    (move,) = moves
    subject = "it" if known else move.of.subject
    if move.verdict != OPEN:
        return move.told(subject)
    return move.nor if open_before else move.untold(subject, answers=False)


def is_open(shown: Shown) -> bool:
    """Whether a comparison of everybody's last two periods cannot be told yet."""
    moves = _newest(shown)
    return len(moves) == 1 and moves[0].verdict == OPEN


def both_open(one: Shown, other: Shown) -> bool:
    """Whether neither of two comparisons with one last period can be told yet."""
    return is_open(one) and is_open(other) and _newest(one)[0].names[1] == _newest(other)[0].names[1]


def settles(shown: Shown, score: Shown) -> bool:
    """Whether a result says that this score moved into its last period."""
    return is_moves(shown.keys) and moving(shown.measure).name == score.measure.name and any(move.moved for move in _newest(shown))


def _newest(shown: Shown) -> list[Move]:
    return last_moves(sorted(moves_of(shown), key=_order))


def _order(move: Move) -> date:
    return move.after or date.min


def movements(shown: Shown, *, known: bool = False, open_before: bool = False) -> str:
    """All changes of a result: the last one in full, then how many moved, and when. ``known`` says that its score was just told."""
    moves = moves_of(shown)
    if not moves:
        return f"There are no two periods with {shown.measure.base[1]}, so nothing is compared."
    last = last_moves(sorted(moves, key=_order))
    if len({move.group for move in moves}) > 1:
        return _groups(last) + (f" {_tally(moves)}" if len(last) < len(moves) else "")
    (move,) = last[-1:]
    subject = "it" if known else move.of.subject
    open_text = move.nor if open_before else move.untold(subject, answers=True)
    text = open_text if move.verdict == OPEN else move.told(subject)
    if len(moves) == 1:
        return text
    alone = sum(each.verdict == OPEN and not each.row.low <= 0 <= each.row.high for each in moves)
    more = f" In {decimal(alone, 0)} of them the interval alone leaves out 0, which among so many may be chance." if alone else ""
    return f"{text} {_tally(moves)}{more}"


def _tally(moves: Sequence[Move]) -> str:
    """``Of 23 comparisons of a month with the one before, 1 moved by more than chance (down in March 2026) and 22 cannot be told yet.``"""
    moved = [move for move in moves if move.moved]
    alike, still = (sum(move.verdict == verdict for move in moves) for verdict in (UNMOVED, OPEN))
    if still == len(moves):
        return f"None of {counted(still, 'comparison', 'comparisons')} of {_OTHERS[moves[0].way]} can be told yet."
    named = [f"{move.verdict} in {move.names[1]}" + (f", {move.group}" if move.group else "") for move in moved[:_NAMED]]
    named += [f"{len(moved) - _NAMED} more"] if len(moved) > _NAMED else []
    parts = [f"{decimal(len(moved), 0) if moved else 'none'} moved by more than chance" + (f" ({'; '.join(named)})" if named else "")]
    parts += [f"{decimal(alike, 0)} {'shows' if alike == 1 else 'show'} no material change"] if alike else []
    parts += [f"{decimal(still, 0)} cannot be told yet"] if still else []
    return f"Of {counted(len(moves), 'comparison', 'comparisons')} of {_OTHERS[moves[0].way]}, {listed(parts)}."


def _groups(moves: Sequence[Move]) -> str:
    """The groups that moved into the last period, by name; of the rest how many."""
    if not moves:
        return ""
    said: list[str] = []
    for move in [move for move in moves if move.moved][:_NAMED]:
        verb = "rose" if move.verdict == UP else "fell"
        said.append(f"{move.row.group(*PAIR).spoken} {verb} {move.ends} {move.behind(ends=True, first=not said)}")
    rest = _rest(moves, named=len(said))
    said += [f"of {counted(len(moves), 'group', 'groups')}, {rest}"] if rest else []
    return f"{capital(moves[0].between)}, {'; '.join(said)}."


def _rest(moves: Sequence[Move], *, named: int) -> str:
    """``none moved by more than chance and 3 cannot be told yet``"""
    moved, alike, still = (sum(move.verdict in verdicts for move in moves) for verdicts in ({UP, DOWN}, {UNMOVED}, {OPEN}))
    parts = [] if moved else ["none moved by more than chance"]
    parts += [f"{decimal(moved - named, 0)} more moved"] if moved > named else []
    parts += [f"{decimal(alike, 0)} {'shows' if alike == 1 else 'show'} no material change"] if alike else []
    parts += [f"{decimal(still, 0)} cannot be told yet"] if still else []
    return listed(parts)


def size(measure: Measure, value: float) -> str:
    """A change without its direction: ``14 points``."""
    return measure.quantity(abs(value)).removeprefix("+")


def would_tell(needed: float, there: float, many: str, each: str) -> str:
    """``about 9,100 answers a month would tell``; of more than anybody will have, that they would not; nothing where it is not known."""
    if math.isnan(needed):
        return ""
    if needed > _EVER * there:
        return f"not even ten times as many {many} {each} would tell"
    return f"about {decimal(about(needed), 0)} {many} {each} would tell"


def about(value: float) -> float:
    """Two figures, upwards: more would look as if it were known."""
    step = 10 ** max(math.floor(math.log10(value)) - 1, 0) if value >= 1 else 1
    return math.ceil(value / step) * step
