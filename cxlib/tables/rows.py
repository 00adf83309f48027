"""What the measures share on the way from rows to counts: typed columns, group keys, and the letters about bad values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.tables.engine import Table, ask, expression, keys
from cxlib.tables.schema import TableError

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: What a column holds where a measure wanted something else, and how to say what it wanted.
_WANTED = {"number": "numbers", "date": "dates", "yes/no": "yes or no (true or false, 1 or 0)"}


def typed(table: ir.Table, name: str, kind: str) -> Any:
    """The column as a ``number``, a ``date`` or a ``yes/no``; missing throughout where it is absent or of another type.

    NaN is missing, as it is in pandas. A yes/no in numbers is 1 or 0; any other number is missing.
    """
    import ibis

    if name not in table.columns or not _holds(table[name].type(), kind):
        return ibis.null({"number": "float64", "date": "date", "yes/no": "boolean"}[kind])
    column: Any = table[name]
    if kind == "date":
        return column.cast("date")
    if kind == "number":
        return (
            column.isnan().ifelse(ibis.null("float64"), column.cast("float64")) if column.type().is_floating() else column.cast("float64")
        )
    return column if column.type().is_boolean() else column.isin([0, 1]).ifelse(column == 1, ibis.null("boolean"))


def _holds(of_type: Any, kind: str) -> bool:
    if kind == "date":
        return bool(of_type.is_date() or of_type.is_timestamp())
    return bool(of_type.is_numeric() or (kind == "yes/no" and of_type.is_boolean()))


def refuse_type(table: Table, expr: ir.Table, *, name: str, kind: str, asks: str) -> None:
    """Raise the letter about a column that holds something else than ``kind``; one that is missing throughout holds nothing."""
    if name not in expr.columns or _holds(expr[name].type(), kind):
        return
    wrong = int(ask(expr.aggregate(wrong=expr[name].count()))["wrong"].iloc[0])
    if wrong:
        words, _ = examples(
            table, lambda t: t.mutate(cx_bad=t[name].notnull(), cx_shown=t[name].cast("string")), bad="cx_bad", value="cx_shown"
        )
        raise TableError(f"{asks}: {wrong:,} values of '{name}' are not {_WANTED[kind]} ({words}). Convert the column first.")


def examples(table: Table, prepare: Callable[[Any], Any], *, bad: str, value: str) -> tuple[str, Any]:
    """The first three bad values in words, and the first of them.

    A frame has an order, so its values carry their row; an engine's table has none, so its values carry how often
    they occur, the most frequent first. ``prepare`` adds the columns ``bad`` and ``value``, and keeps ``cx_row``.
    """
    if isinstance(table, pd.DataFrame):
        rows = prepare(expression(table.assign(cx_row=np.arange(1, len(table) + 1))))
        found = ask(rows.filter(rows[bad]).select(value=rows[value], row=rows["cx_row"]).order_by("row").limit(4))
        words = [f"row {row}: {plain(shown)}" for shown, row in zip(found["value"], found["row"], strict=True)]
    else:
        rows = prepare(table)
        counted = rows.filter(rows[bad]).group_by(value=rows[value]).agg(times=lambda t: t.count())
        found = ask(counted.order_by([counted["times"].desc(), counted["value"]]).limit(4))
        words = [f"{plain(shown)} occurs {_times(times)}" for shown, times in zip(found["value"], found["times"], strict=True)]
    return ", ".join(words[:3]) + (", …" if len(words) > 3 else ""), found["value"].iloc[0]


def plain(value: Any) -> str:
    """A value as a person writes it: 99 rather than 99.0, text in quotation marks."""
    if isinstance(value, str):
        return f"'{value}'"
    if value is None or pd.isna(value):
        return "missing"
    number = float(value)
    return f"{int(number)}" if number.is_integer() else f"{number}"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def refuse_unknown(name: str, value: object, known: Iterable[object]) -> None:
    """Raise the letter about an argument of some ``name`` that is none of those that mean something."""
    options = list(known)
    if value not in options:
        raise ValueError(f"{name}: {value!r} is none of {', '.join(map(repr, options))}")


def key_names(by: str | Sequence[str], columns: Iterable[str]) -> list[str]:
    """``by`` as a list, none of it a column that the result has anyway."""
    names = keys(by)
    taken = [name for name in names if name in set(columns)]
    if taken:
        raise ValueError(f"by: '{taken[0]}' is a column of this result and cannot be a key")
    return names


def key_columns(table: ir.Table, names: Sequence[str]) -> dict[str, Any]:
    """The key columns under names of our own (``k0``, ``k1``, …), which no column of a caller can collide with."""
    return {f"k{position}": table[name] for position, name in enumerate(names)}


def stretches(rows: Any, *, of: str) -> Any:
    """Stretches of time, from ``since`` to ``until``, of which those of one ``of`` that overlap or touch are one."""
    import ibis

    # Of two that are equal one is enough; which of them comes first would not be the same in every window.
    rows = rows.select(of, "since", "until").distinct()
    within = {"group_by": of, "order_by": ["since", "until"]}
    rows = rows.mutate(reached=rows["until"].max().over(ibis.cumulative_window(**within)))
    rows = rows.mutate(begins=(rows["since"] > rows["reached"].lag().over(**within)).fill_null(True).cast("int64"))
    rows = rows.mutate(number=rows["begins"].sum().over(ibis.cumulative_window(**within)))
    return rows.group_by([of, "number"]).agg(since=rows["since"].min(), until=rows["until"].max()).drop("number")


def restored(counts: pd.DataFrame, table: ir.Table, names: Sequence[str]) -> pd.DataFrame:
    """The keys under their own names again, dates as ``datetime.date``, rows in the order of the keys."""
    frame = counts.rename(columns={f"k{position}": name for position, name in enumerate(names)})
    for name in names:
        if table[name].type().is_date():
            frame[name] = dates(frame[name])
    return frame.sort_values(list(names), na_position="last", kind="stable").reset_index(drop=True) if names else frame


def numbered(rows: pd.DataFrame, names: Sequence[str]) -> tuple[npt.NDArray[np.int64], pd.DataFrame]:
    """The number of the group that each row is of, in the order in which groups come, and their keys; a missing key is a key."""
    if not names:
        return np.zeros(len(rows), dtype=np.int64), pd.DataFrame(index=range(min(1, len(rows))))
    number = rows.groupby(list(names), dropna=False, sort=False).ngroup().to_numpy().astype(np.int64)
    return number, rows.iloc[np.unique(number, return_index=True)[1]][list(names)].reset_index(drop=True)


def alike(frames: Sequence[pd.DataFrame], names: Sequence[str]) -> list[npt.NDArray[np.int64]]:
    """The number of the group that each row of each frame is of, the same in all; the groups of the first frame come first."""
    number, _ = numbered(pd.concat([frame[list(names)] for frame in frames]), names)
    return np.split(number, np.cumsum([len(frame) for frame in frames])[:-1])


def parts(rows: pd.DataFrame, names: Sequence[str]) -> list[tuple[dict[str, Any], pd.DataFrame]]:
    """The key and the rows of each group, in the order in which groups come."""
    if not names:
        return [({}, rows)]
    found = rows.groupby(list(names), dropna=False, sort=False)
    return [({name: part[name].iloc[0] for name in names}, part) for _, part in found]


def whole(counts: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Counts as int64: an engine sums whole numbers in a wider type, and over no row to nothing."""
    return counts.assign(**{name: counts[name].astype("float64").fillna(0).astype("int64") for name in names})


def dates(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column of dates as ``datetime.date``, ``None`` where missing."""
    days = [None if pd.isna(day) else pd.Timestamp(day).date() for day in column]
    return pd.Series(days, index=column.index, dtype=object)


def absent_key(groups: pd.DataFrame, names: Sequence[str], *, row: str) -> str:
    """Why nothing can be grouped, where a key is missing in every row; empty where none is."""
    for name in names:
        if groups[name].isna().all():
            if name == "month":
                return f"No {row} carries a date, so there is no trend."
            return f"No {row} has {'an' if name[0] in 'aeiou' else 'a'} {name}."
    return ""


def day(as_of: str | date, *, asks: str, name: str = "as_of") -> date:
    """``as_of``, or another day that a parameter of some name gives, as a date."""
    if isinstance(as_of, date):
        return as_of.date() if isinstance(as_of, datetime) else as_of
    try:
        return date.fromisoformat(as_of)
    except (TypeError, ValueError):
        # A tool that pastes a parameter unquoted turns 2026-11-20 into 1995.
        raise ValueError(f"{asks}: {name} is a day written like '2026-06-30', not {as_of!r}") from None
