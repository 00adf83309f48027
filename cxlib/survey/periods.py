"""Which periods are compared: months, quarters, a month or several and those of a year before, waves, or two by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from cxlib.tables import Table, TableError, ask, did_you_mean, expression, need
from cxlib.tables.calendar import first_day, month_numbers
from cxlib.tables.rows import refuse_type, typed

if TYPE_CHECKING:
    import ibis.expr.types as ir

Label = date | str
#: A way to pair periods, or two waves, or two windows of days.
Between: TypeAlias = str | tuple[str, str] | tuple[tuple[str, str], tuple[str, str]]
#: Ways to pair periods, and what to say where there are no two of them.
WAYS = {
    "month": "All answers are of one month, so there is none to compare it with.",
    "quarter": "All answers are of one quarter, so there is none to compare it with.",
    "year": "No answer is a year older than the last ones, so no month can be compared with that of the year before.",
    **dict.fromkeys(
        ("last 3 months", "last 6 months", "last 12 months"),
        "No answer is a year older than the last ones, so these months cannot be compared with those of the year before.",
    ),
    "wave": "All answers are of one wave, so there is none to compare it with.",
}
UNDATED = "No answer carries a date, so there is nothing to compare."
UNWAVED = "No answer has a wave, so there is nothing to compare."


@dataclass(frozen=True)
class Periods:
    """Periods as whole numbers in their order: how the engine finds that of an answer, and what each is called.

    A period is compared with the one ``lag`` before it.
    """

    number: Callable[[ir.Table], Any]
    label: Callable[[int], Label]
    lag: int
    too_few: str
    none: str
    way: str = "windows"

    @classmethod
    def of(cls, table: Table, between: Between, *, asks: str) -> Periods:
        """The periods that ``between`` names; waves stand in the order in which their first answers came."""
        expr = expression(table)
        if isinstance(between, str) and between not in WAYS:
            known = ", ".join(repr(way) for way in WAYS)
            raise ValueError(f"between: {between!r} is none of {known}, and no pair of waves such as ('2025', '2026')")
        if not isinstance(between, str) and len(between) != 2:
            raise ValueError(f"between: {between!r} is no pair")
        windows = None if isinstance(between, str) or isinstance(between[0], str) else [_window(each) for each in between]
        if windows is None and (between == "wave" or not isinstance(between, str)):
            need(expr, ["wave"], asks=asks)
            waves = _waves(expr) if between == "wave" else _pair(expr, between, asks=asks)
            way = "wave" if between == "wave" else "waves"
            return cls(lambda rows: _place(rows, waves), lambda place: waves[place], 1, WAYS["wave"], UNWAVED, way)
        for name in ("month", "time_answered"):
            refuse_type(table, expr, name=name, kind="date", asks=asks)
        if isinstance(between, str) and between.startswith("last "):
            return _last(expr, int(between.split()[1]), between)
        if windows is not None:
            if windows[0][1] >= windows[1][0]:
                raise ValueError(f"between: the window {_words(windows[0])} is not over when {_words(windows[1])} begins")
            none = f"No answer is of {_words(windows[0])} or of {_words(windows[1])}."
            few = f"No answers are of both {_words(windows[0])} and {_words(windows[1])}, so there is nothing to compare."
            return cls(lambda rows: _within(rows, windows), lambda place: windows[place][0], 1, few, none)
        months, lag = {"month": (1, 1), "quarter": (3, 1), "year": (1, 12)}[str(between)]
        return cls(
            lambda rows: _calendar(rows, months), lambda place: first_day(place * months), lag, WAYS[str(between)], UNDATED, str(between)
        )


def _last(expr: ir.Table, months: int, way: str) -> Periods:
    """The months up to that of the last answer, and the same a year before, as far into the last of them."""
    days: Any = expr.select(day=_day(expr))
    last = pd.to_datetime(ask(days.agg(last=days["day"].max()))["last"].iloc[0])
    if pd.isna(last):
        return Periods(lambda rows: _day(rows).year(), lambda place: first_day(12 * place), 1, WAYS[way], UNDATED, way)
    since = last.replace(day=1) - pd.DateOffset(months=months - 1)
    windows = [((since - pd.DateOffset(years=ago)).date(), (last - pd.DateOffset(years=ago)).date()) for ago in (1, 0)]
    return Periods(lambda rows: _within(rows, windows), lambda place: windows[place][0], 1, WAYS[way], UNDATED, way)


def _day(rows: Any) -> Any:
    import ibis

    return ibis.coalesce(typed(rows, "time_answered", "date"), typed(rows, "month", "date"))


def _window(days: Any) -> tuple[date, date]:
    try:
        since, until = (date.fromisoformat(str(each)) for each in days)
    except ValueError:
        raise ValueError(f"between: {days!r} are not two days such as ('2026-01-01', '2026-06-30')") from None
    if since > until:
        raise ValueError(f"between: the window {since} to {until} ends before it begins")
    return since, until


def _words(window: tuple[date, date]) -> str:
    return f"{window[0]} to {window[1]}"


def _within(rows: Any, windows: list[tuple[date, date]]) -> Any:
    import ibis

    day = _day(rows)
    inside = [(day.between(since, until), ibis.literal(place, "int64")) for place, (since, until) in enumerate(windows)]
    return ibis.cases(*inside, else_=ibis.null("int64"))


def _calendar(rows: Any, months: int) -> Any:
    """The period of an answer, counted from year 0, of so many months each."""
    import ibis

    day = ibis.coalesce(typed(rows, "month", "date"), typed(rows, "time_answered", "date"))
    return (month_numbers(day) / months).floor().cast("int64")


def _place(rows: Any, waves: list[str]) -> Any:
    import ibis

    wave = rows["wave"].cast("string")
    return ibis.cases(*[(wave == name, ibis.literal(place, "int64")) for place, name in enumerate(waves)], else_=ibis.null("int64"))


def _waves(expr: ir.Table) -> list[str]:
    rows: Any = expr.select(wave=expr["wave"].cast("string"), day=typed(expr, "time_answered", "date"))
    found = ask(rows.group_by("wave").agg(first=rows["day"].min()))
    found = found[found["wave"].notna()].assign(first=lambda frame: pd.to_datetime(frame["first"]))
    names: list[str] = found.sort_values(["first", "wave"], na_position="first")["wave"].tolist()
    return names or [""]


def _pair(expr: ir.Table, pair: Any, *, asks: str) -> list[str]:
    if pair[0] == pair[1]:
        raise ValueError(f"between: '{pair[0]}' is one wave, not two")
    known = sorted(_waves(expr))
    for name in pair:
        if name not in known:
            raise TableError(f"{asks}: there is no wave '{name}'.{did_you_mean(name, known)}")
    return list(pair)
