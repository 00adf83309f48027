"""Two sets of answers side by side in words: staff and customers, early and late.

The verdict is the result's. Only what it calls above or below is said to stand there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cxlib.figures.measures import Measure, capital, counted, decimal, level_words, listed, moving, on_scale, window_words
from cxlib.figures.moves import size, would_tell
from cxlib.figures.vocabulary import ABOVE, ALIKE, BELOW, OPEN
from cxlib.figures.withhold import sides_of

if TYPE_CHECKING:
    from cxlib.figures.shown import Row, Shown

#: So many groups are named.
_NAMED = 3


@dataclass(frozen=True)
class Pair:
    """One row of two sets of answers, and how it is spoken of."""

    row: Row
    measure: Measure
    sides: tuple[str, str]

    @property
    def verdict(self) -> str:
        return str(self.row.counts["verdict"])

    @property
    def _finer(self) -> int:
        """How much finer both scores and what lies between them are written, so that they agree."""
        return self.measure.finer_for(self.side(0), self.side(1), self.row.estimate)

    @property
    def of(self) -> Measure:
        """The score of both sides."""
        return replace(moving(self.measure), finer=self._finer)

    @property
    def difference(self) -> str:
        """``+27 points``"""
        return replace(self.measure, finer=self._finer).quantity(self.row.estimate)

    def side(self, place: int, part: str = "estimate") -> float:
        """Of the set that is measured against (0) or that is measured (1): ``estimate``, ``low``, ``high`` or ``n``."""
        return self.row.count(f"{part}_{self.sides[place]}")

    @property
    def days(self) -> str:
        """``2 days``, where early is who answered within so many."""
        return counted(self.row.count("days"), "day", "days")

    @property
    def subject(self) -> str:
        """Who is measured, as a sentence begins."""
        return "Staff" if self.sides[1] == "staff" else f"Those who answered within {self.days} of being asked"

    @property
    def against(self) -> str:
        return "customers" if self.sides[1] == "staff" else "those who took longer"

    def ends(self) -> str:
        """``62 points against 35``: what is measured first."""
        of = self.of
        return f"{of.quantity(self.side(1))} against {of.brief(self.side(0))}"

    def behind(self, *, first: bool = True, base: bool = True) -> str:
        """``(gap +27 points, 95 % interval +17 to +35; 200 answers of staff, 2,398 of customers, July 2024 to June 2026)``"""
        word = "gap" if self.sides[1] == "staff" else "difference"
        lead = f"{level_words(self.row.level)} interval " if first else ""
        text = f"{word} {self.difference}, {lead}{self.measure.interval(self.row.low, self.row.high)}"
        if not base:
            return f"({text})"
        n, other = self.side(1, "n"), decimal(self.side(0, "n"), 0)
        if self.sides[1] == "staff":
            bases = f"{counted(n, 'answer', 'answers')} of staff, {other} of customers"
        else:
            bases = f"{counted(n, 'answer', 'answers')} against {other}"
        window = window_words(self.row.counts.get("since"), self.row.counts.get("until"))
        return f"({text}; {bases}{', ' + window if window else ''})"

    def told(self) -> str:
        """Where the one set stands, as a whole sentence."""
        if self.verdict in {ABOVE, BELOW}:
            mood = "happier" if (self.verdict == ABOVE) == (self.of.good != "low") else "unhappier"
            if self.sides[1] == "staff":
                ends = f"{self.of.quantity(self.side(1))} guessed, {self.of.brief(self.side(0))} given"
                return f"Staff think customers {mood} than customers say they are: {self.of.subject}, {ends} {self.behind()}."
            return f"{self.subject} are {mood} than {self.against}: {self.of.subject}, {self.ends()} {self.behind()}."
        numbers = f"{self.of.subject}, {self.ends()} {self.behind()}"
        if self.verdict == ALIKE:
            small = f"smaller than the {size(self.measure, self.row.count('margin'))} declared to matter"
            return f"{self.subject} and {self.against} show no material difference: {numbers}, {small}."
        told = would_tell(self.row.count("n_to_tell"), self.row.n, "answers", "on each side")
        tell = f" {capital(told)}." if told else ""
        return f"Whether {_small(self.subject)} and {self.against} differ cannot be told yet: {numbers}.{tell}"


def is_sides(shown: Shown) -> bool:
    """Whether a result sets two sets of answers against each other."""
    return sides_of(shown.counts) is not None


def pairs_of(shown: Shown) -> list[Pair]:
    """The differences of a result that may be shown, in their order."""
    sides = sides_of(shown.counts)
    return (
        []
        if sides is None
        else [Pair(row, on_scale(shown.measure, row.counts), sides) for row in shown.rows if not math.isnan(row.estimate)]
    )


def apart(shown: Shown) -> str:
    """How far two sets of answers stand apart: one of them in full, of several groups the farthest and how many."""
    pairs = pairs_of(shown)
    if not pairs:
        return "No group has answers on both sides, so nothing is compared."
    if len(pairs) == 1 and not pairs[0].row.label:
        return pairs[0].told()
    far = sorted((pair for pair in pairs if pair.verdict in {ABOVE, BELOW}), key=lambda pair: -abs(pair.row.estimate))
    said = [f"{pair.row.spoken}, {pair.ends()} {pair.behind(first=not place, base=False)}" for place, pair in enumerate(far[:_NAMED])]
    tally = _tally(pairs)
    if not far:
        return f"{pairs[0].subject} against {pairs[0].against}: {tally}."
    return f"{pairs[0].subject} against {pairs[0].against}: {tally}. Farthest apart: {'; '.join(said)}."


def _tally(pairs: Sequence[Pair]) -> str:
    """``above in 3 groups and cannot be told yet in 5``"""
    words = {ABOVE: "above", BELOW: "below", ALIKE: "no material difference", OPEN: "cannot be told yet"}
    many = {verdict: sum(pair.verdict == verdict for pair in pairs) for verdict in words}
    return listed(f"{words[verdict]} in {counted(n, 'group', 'groups')}" for verdict, n in many.items() if n)


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]
