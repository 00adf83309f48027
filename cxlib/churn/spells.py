"""Spells of customers, checked and counted: what the churn measures ask of their table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlib.tables import Table, TableError, ask, did_you_mean, expression, need
from cxlib.tables.rows import examples, key_columns, refuse_type, restored, typed

if TYPE_CHECKING:
    import ibis.expr.types as ir

_TYPES = {"start": "date", "end": "date", "observed_from": "date", "tenure_days": "number", "churned": "yes/no"}

#: What makes a spell useless: the flag, the column to show, and how to say it.
_BAD = (
    ("backwards", "span", "end before they start"),
    ("timeless", "tenure_days", "have neither a start nor a tenure_days of 0 or more"),
    ("undecided", "churned", "have a tenure_days, but churned does not say whether they ended"),
)


@dataclass(frozen=True)
class Asked:
    """What a measure asks for: who asks, in which groups, up to which day."""

    by_whom: str
    names: list[str]
    as_of: date | None

    @property
    def groups(self) -> list[str]:
        """The keys under the names they have inside the engine."""
        return [f"k{position}" for position in range(len(self.names))]


def life_table(table: Table, asked: Asked) -> pd.DataFrame:
    """One row for each group and tenure: how many ``entered``, were ``events`` or ``censored``.

    ``lost`` counts those who left before they were observed; they were never at risk.
    """
    import ibis

    expr = _expression(table, asked)
    rows = _prepared(expr, asked)
    observed = rows["tenure"] >= rows["entry"]
    exits = rows.group_by([*asked.groups, "tenure"]).agg(
        events=(observed & rows["left"]).sum(),
        censored=(observed & ~rows["left"]).sum(),
        lost=(~observed & rows["left"]).sum(),
        **_flags(rows),
    )
    entries = rows.filter(observed).group_by([*asked.groups, "entry"]).agg(entered=ibis._.count()).rename(tenure="entry")
    # Two aggregations, one over the day of leaving and one over the day of entering, meet on the axis of tenure.
    counts = [name for name in exits.columns if name not in {*asked.groups, "tenure"}]
    zero = ibis.literal(0, "int64")
    exits = exits.select(*asked.groups, "tenure", entered=zero, **{name: exits[name].cast("int64") for name in counts})
    entries = entries.select(*asked.groups, "tenure", entered=entries["entered"].cast("int64"), **dict.fromkeys(counts, zero))
    both = ibis.union(exits, entries)
    cells = ask(both.group_by([*asked.groups, "tenure"]).agg(**{name: both[name].sum() for name in ["entered", *counts]}))
    _refuse(table, cells, asked)
    cells = restored(cells, expr, asked.names)
    return cells.sort_values([*asked.names, "tenure"], na_position="last", kind="stable", ignore_index=True)


def monthly(table: Table, asked: Asked) -> pd.DataFrame:
    """One row for each group, month of joining, first month wholly at risk and month of leaving, as months since year 0.

    ``dated`` of the ``spells`` have a start; the others have no months.
    """
    import ibis

    expr = _expression(table, asked)
    rows = _prepared(expr, asked)
    joined = _month(rows["start"])
    # Observed from the first of a month, all of that month is seen; from any later day, the next one is.
    observed = rows["observed_from"]
    seen = _month(observed) + (observed.day() > 1).cast("int64")
    rows = rows.mutate(
        joined=joined,
        first=ibis.greatest(joined + 1, ibis.coalesce(seen, joined + 1)),
        gone=rows["left"].ifelse(_month(rows["end"]), ibis.null("int64")),
    )
    cells = ask(rows.group_by([*asked.groups, "joined", "first", "gone"]).agg(**_flags(rows)))
    _refuse(table, cells, asked)
    return restored(cells, expr, asked.names)


def _month(day: Any) -> Any:
    return (day.year() * 12 + day.month() - 1).cast("int64")


def _expression(table: Table, asked: Asked) -> ir.Table:
    expr = expression(table)
    need(expr, asked.names, asks=asked.by_whom)
    if "start" not in expr.columns and "tenure_days" not in expr.columns:
        near = did_you_mean("start", expr.columns) or did_you_mean("tenure_days", expr.columns)
        raise TableError(f"{asked.by_whom}: the table has neither a column 'start' nor a column 'tenure_days'.{near}")
    need(expr, ["end"] if "start" in expr.columns else ["churned"], asks=asked.by_whom)
    return expr


def _prepared(expr: ir.Table, asked: Asked) -> Any:
    """One row a spell begun by ``as_of``: its keys, when it entered and how long it lasted, and what is wrong with it."""
    import ibis

    columns = {name: typed(expr, name, kind) for name, kind in _TYPES.items()}
    numbered = {"cx_row": expr["cx_row"]} if "cx_row" in expr.columns else {}
    rows: Any = expr.select(
        **numbered,
        **key_columns(expr, asked.names),
        **{name: column for name, (column, _) in columns.items()},
        **{f"wrong_{name}": wrong for name, (_, wrong) in columns.items()},
    )
    as_of = ibis.literal(asked.as_of, "date") if asked.as_of else ibis.null("date")
    rows = rows.filter(~(rows["start"] > as_of).fill_null(False))
    dated, days = rows["start"].notnull(), rows["tenure_days"]
    ended = (rows["end"] <= as_of).fill_null(False)
    length = ended.ifelse(rows["end"], as_of).delta(rows["start"], unit="day").cast("float64")
    delay = rows["observed_from"].delta(rows["start"], unit="day").cast("float64")
    return rows.mutate(
        dated=dated,
        tenure=dated.ifelse(length, days),
        left=dated.ifelse(ended, rows["churned"]),
        entry=(delay > 0).fill_null(False).ifelse(delay, 0.0),
        backwards=(rows["end"] < rows["start"]).fill_null(False),
        span=rows["start"].cast("string") + " to " + rows["end"].cast("string"),
        timeless=~dated & ~((days >= 0) & (days < float("inf"))).fill_null(False),
        undecided=~dated & days.notnull() & rows["churned"].isnull(),
    )


def _flags(rows: Any) -> dict[str, Any]:
    """What has to be known to refuse, counted along."""
    flags = [*(f"wrong_{name}" for name in _TYPES), *(flag for flag, _, _ in _BAD), "dated"]
    return {"spells": rows.count(), **{flag: rows[flag].sum() for flag in flags}}


def _refuse(table: Table, cells: pd.DataFrame, asked: Asked) -> None:
    """Raise the letter about the first thing that makes these counts meaningless."""
    spells = int(cells["spells"].sum())
    for name, kind in _TYPES.items():
        refuse_type(table, name, kind, asks=asked.by_whom, wrong=int(cells[f"wrong_{name}"].sum()), rows=spells)
    if asked.as_of is None and cells["dated"].sum():
        raise ValueError(
            f"{asked.by_whom}: the table has start dates, so as_of is needed: the last day counted, for instance as_of='2026-06-30'"
        )
    for flag, value, words in _BAD:
        if count := int(cells[flag].sum()):
            shown, _ = examples(table, lambda t: _prepared(t, asked), bad=flag, value=value)
            raise TableError(f"{asked.by_whom}: {count:,} of {spells:,} spells {words} ({shown}). Correct them, or leave them out.")
