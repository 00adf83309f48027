"""Groups against the rest, in words: who lies above, who below, and of whom it cannot be told.

The verdict is the result's. Only what it calls above or below is said to be larger than chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlib.figures.measures import Measure, counted, decimal, heading, level_words, listed, moving, on_scale
from cxlib.figures.moves import size
from cxlib.figures.vocabulary import ABOVE, ALIKE, BELOW, OPEN, SIGNS

if TYPE_CHECKING:
    from cxlib.figures.shown import Row, Shown

#: From groups of so many answers the pooled scores of the others have learned.
_LEARNED_FROM = 5
UNPOOLED = "Pooled scores are not shown, as they would help to work out a group that is withheld."
#: So many groups are named.
_NAMED = 4


def is_rests(columns: Sequence[Any]) -> bool:
    """Whether a result with these columns holds groups against the rest."""
    return {"score_rest", "n_rest", "verdict"} <= {str(column) for column in columns}


def unpooled(frame: pd.DataFrame) -> tuple[pd.DataFrame, bool]:
    """The frame without pooled scores where one of them has learned from a group that is withheld, and whether it was so."""
    learned = bool((frame["withheld"] & (frame["n"] >= _LEARNED_FROM)).any())
    if not learned:
        return frame, False
    return frame.assign(**dict.fromkeys(("pooled", "pooled_low", "pooled_high"), math.nan)), True


@dataclass(frozen=True)
class Rest:
    """A group that may be shown, and how its distance from the rest is spoken of; of several breakdowns, of which it is."""

    row: Row
    measure: Measure
    breakdown: str = ""

    @property
    def name(self) -> str:
        """Beside its dot: ``Basic``, or ``Basic (plan)``."""
        return self._of_its_breakdown(self.row.label)

    @property
    def spoken(self) -> str:
        """Its name inside a sentence."""
        return self._of_its_breakdown(self.row.spoken)

    def _of_its_breakdown(self, name: str) -> str:
        return f"{name} ({self.breakdown})" if self.breakdown else name

    @property
    def verdict(self) -> str:
        return str(self.row.counts["verdict"])

    @property
    def apart(self) -> bool:
        return self.verdict in {ABOVE, BELOW}

    @property
    def of(self) -> Measure:
        return moving(self.measure)

    @property
    def score(self) -> Row:
        """The group's own score, with its interval."""
        low, high = self.row.count("score_low"), self.row.count("score_high")
        return replace(self.row, estimate=self.row.count("score"), low=low, high=high)

    @property
    def brief(self) -> str:
        """Beside a dot: ``▼ 12 below``, or the verdict alone."""
        far = replace(self.measure, change=False).number(abs(self.row.estimate))
        return f"{SIGNS[self.verdict]} {far} {self.verdict}" if self.apart else f"{SIGNS[self.verdict]} {self.verdict}"

    def told(self, *, first: bool) -> str:
        """``Members 12 points below the rest (95 % interval 5 to 19)``, shorter where it is not the first."""
        ends = sorted(abs(end) for end in (self.row.low, self.row.high))
        lead = f"{level_words(self.row.level)} interval " if first else ""
        interval = replace(self.measure, change=False).interval(*ends)
        measure = replace(self.measure, scale=self.measure.scale * first)
        return f"{self.spoken} {size(measure, self.row.estimate)} {self.verdict}{' the rest' * first} ({lead}{interval})"


def rests_of(*breakdowns: Shown) -> list[Rest]:
    """The groups of some results that may be shown and have a rest, the worst first."""
    found = [
        Rest(row, on_scale(shown.measure, row.counts), heading_of(shown) if len(breakdowns) > 1 else "")
        for shown in breakdowns
        for row in shown.rows
        if not math.isnan(row.estimate)
    ]
    sign = -1 if found and moving(found[0].measure).good == "low" else 1
    return sorted(found, key=lambda each: (sign * each.row.estimate, each.name))


def heading_of(shown: Shown) -> str:
    """What a result is broken down by, in words."""
    return " · ".join(heading(key).lower() for key in shown.keys if key not in shown.silent)


def against_words(found: Sequence[Rest]) -> str:
    """Who lies above or below the rest by more than chance, the worst first, and how it is with the others."""
    if not found:
        return "No group has a rest to compare it with."
    apart = [each for each in found if each.apart]
    alike, still = ([each for each in found if each.verdict == verdict] for verdict in (ALIKE, OPEN))
    parts = []
    if alike:
        margin = size(found[0].measure, alike[0].row.count("margin"))
        parts.append(f"{decimal(len(alike), 0)} {'differs' if len(alike) == 1 else 'differ'} by less than the {margin} declared to matter")
    if still:
        parts.append(f"{decimal(len(still), 0)} cannot be told yet")
    many = counted(len(found), "group", "groups")
    if len(still) == len(found):
        return f"Whether any of {many} lies above or below the rest cannot be told yet."
    rest = f" Of {many}, {listed(parts)}." if parts else ""
    if not apart:
        return f"No group lies above or below the rest by more than chance.{rest}"
    if len(apart) == 1:
        (one,) = apart
        return f"{one.told(first=True).replace(f'{one.spoken} ', f'{one.spoken}: ', 1)}: larger than chance.{rest}"
    said = [each.told(first=not place) for place, each in enumerate(apart[:_NAMED])]
    said += [f"{decimal(len(apart) - _NAMED, 0)} more"] if len(apart) > _NAMED else []
    return f"Larger than chance: {listed(said)}.{rest}"
