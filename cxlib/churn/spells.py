"""Spells of customers, checked and counted: what the churn measures ask of their table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlib.tables import Table, TableError, ask, did_you_mean, expression, need
from cxlib.tables.calendar import complete, month_numbers
from cxlib.tables.rows import absent_key, day, examples, key_columns, refuse_type, restored, typed, whole

if TYPE_CHECKING:
    import ibis.expr.types as ir

_TYPES = {"start": "date", "end": "date", "observed_from": "date", "tenure_days": "number", "churned": "yes/no"}

#: What makes a spell useless: the flag, the column to show, and how to say it.
_BAD = (
    ("backwards", "span", "end before they start"),
    ("timeless", "tenure_days", "have neither a start nor a tenure_days of 0 or more"),
    ("undecided", "churned", "have a tenure_days, but churned does not say whether they ended"),
)


#: Makes columns of spells, by name.
Columns = Callable[[Any], dict[str, Any]]
#: The end of those who left and of whom nobody wrote down why.
UNRECORDED = "not recorded"

_COUNTED = ["spells", "decided", "observed", "events", "lost", "late"]


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

    @staticmethod
    def unknown(table: Table) -> str:
        """Why nothing can be said of leaving, where the source had no column that says who left; otherwise nothing."""
        expr = expression(table)
        columns = [name for name in ("end", "churned") if name in expr.columns]
        if len(columns) == 2 and all(expr[name].type().is_null() for name in columns):
            return "Nothing that was read says who left, so nothing can be said of leaving."
        return ""

    def life_table(self, table: Table, *, reasons: bool = False) -> pd.DataFrame:
        """One row for each group and tenure: how many ``entered``, were ``events``, were ``censored``.

        ``lost`` counts those who left before they were observed; they were never at risk. With ``reasons`` there is
        one row for each ``reason``, too, missing of those who have not left.
        """
        import ibis

        expr = _expression(table, self)
        rows = _prepared(expr, self)
        along = ["tenure"]
        if reasons:
            need(expr, ["end_reason"], asks=self.by_whom)
            along = ["tenure", "reason"]
        observed = rows["tenure"] >= rows["entry"]
        cells: Any = rows.group_by([*self.groups, *along]).agg(
            spells=rows.count(),
            decided=rows["left"].count(),
            observed=observed.sum(),
            events=(observed & rows["left"]).sum(),
            lost=(~observed & rows["left"]).sum(),
        )
        cells = cells.mutate(late=ibis.literal(0, "int64"))
        if "observed_from" in expr.columns:
            # A second aggregation, over the tenure at which they entered, joins the first on the axis of tenure.
            entries = rows.filter(observed & (rows["entry"] > 0)).group_by([*self.groups, "entry"]).agg(late=ibis._.count())
            counts = [name for name in cells.columns if name not in {*self.groups, *along, "late"}]
            entries = entries.rename(tenure="entry").mutate(**dict.fromkeys(counts, ibis.literal(0, "int64")))
            entries = entries.mutate(reason=ibis.null("string")) if reasons else entries
            both = ibis.union(cells, entries.select(*cells.columns))
            cells = both.group_by([*self.groups, *along]).agg(**{name: both[name].sum() for name in [*counts, "late"]})
        found = whole(ask(cells), _COUNTED).astype({"tenure": "float64"})
        unusable = found["tenure"].isna() | ~(found["tenure"] < np.inf) | (found["tenure"] < 0) | (found["decided"] < found["spells"])
        _refuse(table, self, bad=bool((unusable & (found["spells"] > 0)).any()), spells=int(found["spells"].sum()))
        found = restored(found, expr, self.names)
        found = found.sort_values([*self.names, *along], na_position="last", kind="stable", ignore_index=True)
        return found.assign(censored=found["observed"] - found["events"])

    def spells(self, table: Table) -> Any:
        """The spells begun by ``as_of``, for the engine, one row each: keys (``k0``, ``k1``, …), ``entry``, ``tenure``, ``left``."""
        rows = _judged(_prepared(_expression(table, self), self))
        sums = {flag: rows[flag].sum() for flag, _, _ in _BAD} | {"dated": rows["start"].count()}
        counted = whole(ask(rows.aggregate(spells=rows.count(), **sums)), ["spells", *sums]).iloc[0]
        unusable = [*(flag for flag, _, _ in _BAD), *(["dated"] if self.as_of is None else [])]
        _refuse(table, self, bad=bool(counted[unusable].any()), spells=int(counted["spells"]))
        return rows

    def monthly(self, table: Table) -> pd.DataFrame:
        """One row for each group, month of joining, first month wholly at risk and month of leaving, as months since year 0.

        A spell without a start has no months.
        """
        import ibis

        expr = _expression(table, self)
        rows = _prepared(expr, self)
        joined, observed = month_numbers(rows["start"]), rows["observed_from"]
        # From the first of a month on, all of that month is at risk; from any later day, the next one is.
        there, seen = (month_numbers(since) + (since.day() > 1).cast("int64") for since in (rows["start"], observed))
        rows = rows.mutate(
            joined=joined,
            first=ibis.greatest(there, ibis.coalesce(seen, there)),
            gone=(rows["left"] & rows["start"].notnull()).ifelse(month_numbers(rows["end"]), ibis.null("int64")),
        )
        counted = {"spells": rows.count(), "dated": rows["start"].count(), "backwards": (rows["end"] < rows["start"]).sum()}
        found = ask(rows.group_by([*self.groups, "joined", "first", "gone"]).agg(**counted))
        _refuse(table, self, bad=bool(found["backwards"].sum()), spells=int(found["spells"].sum()))
        return restored(found, expr, self.names)

    def dated(self, table: Table, counts: Columns, *, axes: Columns | None = None) -> pd.DataFrame:
        """One row for each group and value of the ``axes``: how many ``spells``, how many of them have a start, and ``counts``.

        Axes and counts are made of spells that are at risk from the day ``seen`` on, and ended on the day ``gone`` where
        they have ended. ``lost`` counts those that ended before they were observed.
        """
        import ibis

        expr = _expression(table, self)
        rows = _prepared(expr, self)
        seen = ibis.greatest(rows["start"], ibis.coalesce(rows["observed_from"], rows["start"]))
        rows = rows.mutate(seen=seen, gone=rows["left"].ifelse(rows["end"], ibis.null("date")))
        along = axes(rows) if axes else {}
        rows = rows.mutate(**along)
        own = {"spells": rows.count(), "dated": rows["start"].count(), "lost": (rows["gone"] < rows["seen"]).sum()}
        own["backwards"] = (rows["end"] < rows["start"]).sum()
        found = ask(rows.aggregate(**own, **counts(rows), by=[*self.groups, *along]))
        found = whole(found, [name for name in found.columns if name not in {*self.groups, *along}])
        _refuse(table, self, bad=bool(found["backwards"].sum()), spells=int(found["spells"].sum()))
        return restored(found, expr, self.names)


def life_table(
    customers: Table, names: list[str], as_of: str | date | None, *, asks: str, reasons: bool = False, apart: Sequence[str] = ()
) -> tuple[pd.DataFrame, str]:
    """The life table of the groups, with what is kept ``apart`` within them, and why it says nothing; empty where it does."""
    asked = Asked(asks, [*names, *apart], day(as_of, asks=asks) if as_of is not None else None)
    if reason := Asked.unknown(customers):
        return pd.DataFrame(), reason
    cells = asked.life_table(customers, reasons=reasons)
    return cells, absent_key(cells, names, row="customer") if cells["spells"].sum() else "There are no customers."


def undated(cells: pd.DataFrame, so: str, *, asks: str) -> str:
    """Why nothing can be said by dates, of spells counted with how many are ``dated``; a few without a start are refused."""
    spells, dated = int(cells["spells"].sum()), int(cells["dated"].sum())
    if spells and not dated:
        return f"No customer has a start date, so there is no {so}."
    if dated < spells:
        raise TableError(f"{asks}: {spells - dated:,} of {spells:,} spells have no start. Correct them, or leave them out.")
    return "" if spells else "There are no customers."


def unseen(cells: pd.DataFrame, last: date) -> str:
    """Why there is no month to speak of, of spells counted by month."""
    return f"No customer was seen for a whole month by {last}." if cells["first"].min() > complete(last) else ""


def lost(cells: pd.DataFrame) -> list[str]:
    """What is left out of a result because it ended before anybody looked, as a sentence."""
    ended, spells = int(cells["lost"].sum()), int(cells["spells"].sum())
    words = f"{ended:,} of {spells:,} spells ended before observed_from, when leaving was not yet seen; they are left out."
    return [words] if ended else []


def _expression(table: Table, asked: Asked) -> ir.Table:
    expr = expression(table)
    need(expr, asked.names, asks=asked.by_whom)
    if "start" not in expr.columns and "tenure_days" not in expr.columns:
        near = did_you_mean("start", expr.columns) or did_you_mean("tenure_days", expr.columns)
        raise TableError(f"{asked.by_whom}: the table has neither a column 'start' nor a column 'tenure_days'.{near}")
    need(expr, ["end"] if "start" in expr.columns else ["churned"], asks=asked.by_whom)
    for name, kind in _TYPES.items():
        refuse_type(table, expr, name=name, kind=kind, asks=asked.by_whom)
    return expr


def _prepared(expr: ir.Table, asked: Asked) -> Any:
    """One row a spell begun by ``as_of``: its keys, the tenure at which it entered, the one at which it was last seen."""
    import ibis

    numbered = {"cx_row": expr["cx_row"]} if "cx_row" in expr.columns else {}
    columns = {name: typed(expr, name, kind) for name, kind in _TYPES.items()}
    reason = expr["end_reason"].cast("string") if "end_reason" in expr.columns else ibis.null("string")
    rows: Any = expr.select(**numbered, **key_columns(expr, asked.names), **columns, end_reason=reason)
    as_of = ibis.literal(asked.as_of, "date") if asked.as_of else ibis.null("date")
    rows = rows.filter(~(rows["start"] > as_of).fill_null(False))
    dated = rows["start"].notnull()
    ended = (rows["end"] <= as_of).fill_null(False)
    delay = rows["observed_from"].delta(rows["start"], unit="day").fill_null(0)
    stayed = ended.ifelse(rows["end"], as_of).delta(rows["start"], unit="day")
    left = dated.ifelse(ended, rows["churned"])
    return rows.mutate(
        tenure=dated.ifelse(stayed.cast("float64"), rows["tenure_days"]),
        left=left,
        reason=left.ifelse(ibis.coalesce(rows["end_reason"], ibis.literal(UNRECORDED)), ibis.null("string")),
        entry=(delay > 0).ifelse(delay, 0).cast("float64"),
    )


def _judged(rows: Any) -> Any:
    """What is wrong with a spell, beside it."""
    undated, tenure = rows["start"].isnull(), rows["tenure_days"]
    return rows.mutate(
        backwards=(rows["end"] < rows["start"]).fill_null(False),
        span=rows["start"].cast("string") + " to " + rows["end"].cast("string"),
        timeless=undated & ~((tenure >= 0) & (tenure < float("inf"))).fill_null(False),
        undecided=undated & tenure.notnull() & rows["churned"].isnull(),
    )


def _refuse(table: Table, asked: Asked, *, bad: bool, spells: int) -> None:
    """Raise the letter about what makes these counts meaningless, where they show that something does."""
    if not bad:
        return
    rows = _judged(_prepared(expression(table), asked))
    counted = ask(rows.aggregate(dated=rows["start"].count(), **{flag: rows[flag].sum() for flag, _, _ in _BAD})).iloc[0]
    if asked.as_of is None and counted["dated"]:
        raise ValueError(
            f"{asked.by_whom}: the table has start dates, so as_of is needed: the last day counted, for instance as_of='2026-06-30'"
        )
    for flag, value, words in _BAD:
        if count := int(counted[flag]):
            shown, _ = examples(table, lambda t: _judged(_prepared(t, asked)), bad=flag, value=value)
            raise TableError(f"{asked.by_whom}: {count:,} of {spells:,} spells {words} ({shown}). Correct them, or leave them out.")
