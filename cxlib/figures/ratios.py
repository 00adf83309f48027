"""Hazard ratios in words: who leaves sooner, who later, of whom it cannot be told; and whether a ratio holds at every tenure.

The verdict is the result's. A ratio is how many times as likely leaving is on any day, never how many more leave, and
never why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cxlib.figures.measures import capital, clean, counted, decimal, level_words, listed
from cxlib.figures.vocabulary import ALIKE, CHANGES, LATER, OPEN, REFERENCE, SOONER, UNTOLD

if TYPE_CHECKING:
    from cxlib.figures.shown import Row, Shown

BRIEF = {SOONER: "sooner", LATER: "later", ALIKE: "alike", OPEN: "cannot tell yet", REFERENCE: "compared with", UNTOLD: "not told apart"}
ANY = "any tenure"
#: So many ratios are named.
_NAMED = 4
CAREFUL = "That they go together does not say that one brings about the other."


def is_ratios(keys: Sequence[str]) -> bool:
    """Whether a result with these keys holds hazard ratios by covariate and category."""
    return {"covariate", "category", "stretch"} <= set(keys)


def is_checks(counts: Sequence[str]) -> bool:
    """Whether a result with these counts holds tests that ratios stay the same."""
    return {"df", "verdict", "advice"} <= set(counts)


def times(ratio: float) -> str:
    """A ratio rounded for eyes: 1.6, 0.64, and 1.03 rather than a 1.0 that it is not."""
    if math.isnan(ratio):
        return ""
    return decimal(ratio, 0 if ratio >= 9.95 else 1 if ratio >= 1.05 else 2)


@dataclass(frozen=True)
class Ratio:
    """A ratio that may be shown, and how it is spoken of."""

    row: Row

    @property
    def covariate(self) -> str:
        return clean(self.row.key("covariate"))

    @property
    def category(self) -> str:
        return clean(self.row.key("category"))

    @property
    def reference(self) -> str:
        return clean(self.row.counts["reference"])

    @property
    def stretch(self) -> str:
        """Of which tenures it is, where not of all: ``after day 365``."""
        stretch = clean(self.row.key("stretch"))
        return "" if stretch == ANY else stretch

    @property
    def verdict(self) -> str:
        return str(self.row.counts["verdict"])

    @property
    def events(self) -> int:
        return int(self.row.counts["events"])

    @property
    def apart(self) -> bool:
        return self.verdict in {SOONER, LATER}

    @property
    def far(self) -> float:
        """How far from 1, either way."""
        return abs(math.log(self.row.estimate))

    @property
    def interval(self) -> str:
        return f"{times(self.row.low)} to {times(self.row.high)}"

    @property
    def named(self) -> str:
        """What is compared with what: ``with slow ticket as without``, or ``with plan Basic as with Plus``."""
        binary = (self.category.lower(), self.reference.lower()) == ("yes", "no")
        words = f"with {self.covariate} as without" if binary else f"with {self.covariate} {self.category} as with {self.reference}"
        return f"{words}, {self.stretch}" if self.stretch else words

    def told(self, *, first: bool) -> str:
        """``1.6 times as likely with slow ticket as without (95 % interval 1.3 to 1.9; 212 leavers)``, shorter if not the first."""
        level = f"{level_words(self.row.level)} interval " if first else ""
        base = counted(self.events, "leaver", "leavers") if first else decimal(self.events, 0)
        return f"{times(self.row.estimate)} times as likely {self.named} ({level}{self.interval}; {base})"


def ratios_of(shown: Shown) -> list[Ratio]:
    """The ratios that may be shown, in the order of the result."""
    return [Ratio(row) for row in shown.rows]


def spoken_of(found: Sequence[Ratio]) -> list[Ratio]:
    """Those that are named: of those larger than chance the farthest from 1 of each covariate, then others; who leaves sooner is first.

    So many categories of one covariate do not hide another, on which somebody could act.
    """
    apart = sorted((each for each in found if each.apart), key=lambda each: (-each.far, each.named))
    strongest = {each.covariate: each for each in reversed(apart)}
    named = sorted(apart, key=lambda each: strongest[each.covariate] is not each)[:_NAMED]
    return sorted(named, key=lambda each: each.verdict != SOONER)


def ratios_told(shown: Shown) -> str:
    """Who leaves sooner and who later, by how much, and of how many it cannot be told."""
    found = [each for each in ratios_of(shown) if each.verdict not in {REFERENCE, UNTOLD}]
    if not found:
        return "No category can be told apart from the one it is compared with."
    named, apart = spoken_of(found), [each for each in found if each.apart]
    alike, still = ([each for each in found if each.verdict == verdict] for verdict in (ALIKE, OPEN))
    if len(still) == len(found):
        return f"Whether leaving is more or less likely in any of {counted(len(found), 'category', 'categories')} cannot be told yet."
    parts = [
        f"{decimal(len(apart) - len(named), 0)} more {'differs' if len(apart) - len(named) == 1 else 'differ'} by more than chance"
    ] * (len(apart) > len(named))
    if alike:
        margin = float(alike[0].row.counts["margin"])
        parts.append(
            f"{decimal(len(alike), 0)} {'is' if len(alike) == 1 else 'are'} within the {times(margin)} times declared not to matter"
        )
    parts += [f"{decimal(len(still), 0)} cannot be told yet"] if still else []
    rest = f" Of {counted(len(found), 'ratio', 'ratios')}, {listed(parts)}." if parts else ""
    if not named:
        return f"In no category is leaving more or less likely by more than chance.{rest}"
    said = "; ".join(each.told(first=not place) for place, each in enumerate(named))
    return f"On any day, all else in the model alike, leaving is {said}.{rest} {CAREFUL}"


def checks_told(shown: Shown) -> str:
    """Which ratios change with tenure, if any."""
    rows = [row for row in shown.rows if row.key("covariate") != "all together"]
    changing = [clean(row.key("covariate")) for row in rows if row.counts["verdict"] == CHANGES]
    if not changing:
        return f"None of {counted(len(rows), 'covariate', 'covariates')} shows a sign that its ratios change with tenure."
    told = "their ratios are means over tenures, and change" if len(changing) > 1 else "its ratio is a mean over tenures, and changes"
    return f"{capital(listed(changing))}: {told} with them by more than chance."
