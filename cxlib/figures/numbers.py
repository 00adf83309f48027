"""Numbers, amounts and days as they are written for eyes, and how a measure is spoken of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import pandas as pd

Form = Literal["points", "share", "mean", "months", "days", "number", "count", "money"]

#: Places behind the point, for eyes; in tables these have one more.
_PLACES = {"points": 0, "days": 0, "share": 1, "mean": 2, "number": 2, "count": 0}
_FINER = ("points", "days")

DAYS_A_MONTH = 30.4375
MINUS = "\u2212"
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True)
class Measure:
    """How a measure is spoken of.

    ``subject`` stands in a sentence, ``short`` on a card, ``heading`` over a column, ``axis`` beside
    a picture. ``form`` decides how a number is written, ``good`` which end of the scale is the good
    one, ``base`` what ``n`` counts, and ``floor`` and ``ceiling`` where the scale ends. A ``change`` of
    a measure has its form, and a sign. Amounts have the ``currency`` of their result, changes of means
    the ``scale`` of the answers; ``finer`` is how many more places a number has than is usual.
    """

    name: str
    subject: str
    short: str
    heading: str
    axis: str
    form: Form
    base: tuple[str, str] = ("answer", "answers")
    base_heading: str = "Answers"
    good: Literal["high", "low"] | None = "high"
    floor: float = -math.inf
    ceiling: float = math.inf
    change: bool = False
    currency: str = ""
    scale: str = ""
    finer: int = 0

    @property
    def unit(self) -> str:
        """What follows a number: `` points``, `` %``, `` months``, a currency or nothing."""
        if self.change and self.form == "share":
            return " percentage points"
        if self.change and self.form == "mean":
            return f" points on the scale {self.scale}" if self.scale else " points"
        if self.form == "money":
            return f" {self.currency}".rstrip()
        return {"points": " points", "share": " %", "months": " months", "days": " days"}.get(self.form, "")

    def shown(self, value: float) -> float:
        """The value on the scale a reader sees: percent for shares, months for days."""
        if self.form == "share":
            return 100 * value
        return value / DAYS_A_MONTH if self.form == "months" else value

    def number(self, value: float, *, fine: bool = False) -> str:
        """The value rounded for eyes, without its unit; ``fine`` for tables."""
        if self.form == "months" or (self.form == "count" and fine):
            return decimal(self.shown(value), 1).removesuffix(".0")
        if self.form == "money":
            (number,) = amounts([value], fine=fine)
        else:
            number = decimal(self.shown(value), _PLACES[self.form] + self.finer + (fine and self.form in _FINER))
        return f"+{number}" if self.change and value > 0 and any(digit in number for digit in "123456789") else number

    def quantity(self, value: float) -> str:
        """The value rounded for eyes, with its unit: ``31 points``."""
        number = self.number(value)
        if self.form in {"points", "days"}:
            return f"{number} {self.form.removesuffix('s') if number in {'1', '+1', MINUS + '1'} else self.form}"
        return number + self.unit

    def brief(self, value: float) -> str:
        """The value where its unit has been said: ``31``, but ``31.0 %``."""
        return self.number(value) if self.form == "points" or self.change else self.quantity(value)

    def interval(self, low: float, high: float, *, fine: bool = False) -> str:
        """The interval rounded for eyes: ``28 to 34``, or ``above 28`` where it has no upper end."""
        if missing(low) and missing(high):
            return "no interval"
        if missing(high):
            return f"above {self.number(low, fine=fine)}"
        if missing(low):
            return f"below {self.number(high, fine=fine)}"
        if self.form == "money":
            ends = amounts([low, high], fine=fine)
            # The million is said once.
            return f"{ends[0].split()[0]} to {ends[1]}"
        return f"{self.number(low, fine=fine)} to {self.number(high, fine=fine)}"

    def finer_for(self, before: float, after: float, change: float) -> int:
        """One more place where two values, written as usual, would not differ by what is written of their change; else none.

        With it they differ by that to a tenth of the usual last place, as rounded numbers do.
        """
        if self.form not in _PLACES or not math.isclose(after - before, change, rel_tol=1e-9, abs_tol=1e-9):
            return 0
        one, other, between = (Decimal(f"{self.shown(value):.{_PLACES[self.form]}f}") for value in (before, after, change))
        return int(other - one != between)

    def many(self, n: float) -> str:
        """The base in words: ``2,746 answers``."""
        return counted(n, *self.base)


def date_words(day: date, *, short: bool = False) -> str:
    """``30 June 2026``, or ``30 Jun 2026`` where room is short."""
    return f"{day.day} {month_words(day, short=short)}"


def month_words(day: date, *, short: bool = False) -> str:
    """``June 2026``, or ``Jun 2026`` where room is short."""
    name = MONTHS[day.month - 1]
    return f"{name[:3] if short else name} {day.year}"


def window_words(since: object, until: object) -> str:
    """The window of a number: ``June 2026`` or ``July 2024 to June 2026``; nothing where the table has no dates."""
    first, last = a_date(since), a_date(until)
    if first is None or last is None:
        return ""
    return month_words(last) if (first.year, first.month) == (last.year, last.month) else f"{month_words(first)} to {month_words(last)}"


def a_date(value: object) -> date | None:
    """A date from whatever pandas made of it; None where it is missing."""
    if missing(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.date()
    if isinstance(value, date):
        return value
    return pd.Timestamp(str(value)).date()


def decimal(value: float, places: int) -> str:
    """A number for eyes: thousands separated, a true minus, and never a minus before nothing."""
    text = f"{value:,.{places}f}"
    if text.startswith("-"):
        text = MINUS + text[1:] if any(digit in text for digit in "123456789") else text[1:]
    return text


#: Above these amounts a word says how large they are.
_LARGE = ((1e9, " billion"), (1e6, " million"))


def amounts(values: Sequence[float], *, fine: bool = False) -> list[str]:
    """Amounts of money for eyes, all as fine as the largest of them needs: three digits of it; in tables whole units of a currency.

    Below 100 they have the hundredths that prices have.
    """
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    scale, word = next(((scale, word) for scale, word in _LARGE if largest >= scale and not fine), (1.0, ""))
    digits = math.floor(math.log10(largest / scale)) if largest else 0
    places = 2 if digits < 2 and scale == 1 else 0 if fine else 2 - digits
    return [f"{decimal(round(value / scale, places), max(places, 0))}{word}" for value in values]


def counted(n: float, one: str, many: str) -> str:
    """``1 answer``, ``2,746 answers``; weighted counts are rounded."""
    number = decimal(n, 0)
    return f"{number} {one if number == '1' else many}"


def capital(text: str) -> str:
    """A text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def listed(words: Iterable[str]) -> str:
    """``a, b and c``"""
    items = list(words)
    return " and ".join(items) if len(items) < 3 else f"{', '.join(items[:-1])} and {items[-1]}"


def level_words(level: float) -> str:
    """``95 %`` or ``99.5 %``"""
    return f"{100 * level:.4g} %"


def counted_years(years: float) -> str:
    """``1 year``, ``3 years``, ``1.5 years``"""
    return f"{years:g} {'year' if years == 1 else 'years'}"


def missing(value: Any) -> bool:
    """Whether there is no value, in whatever way pandas says so."""
    return value is None or value is pd.NA or bool(pd.api.types.is_scalar(value) and pd.isna(value))
