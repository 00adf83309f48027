"""Which customers answers are to stand for: how many there were in the window of the answers, along each margin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.stats.weighting import Margin
from cxlib.tables import Table, ask, expression, need
from cxlib.tables.rows import alike, key_columns, plain, refuse_type, restored, typed

if TYPE_CHECKING:
    import ibis.expr.types as ir

Ints = npt.NDArray[np.int64]
#: One column, or several crossed: each combination of their values is a category.
Crossed = tuple[str, ...]


@dataclass(frozen=True)
class Population:
    """Customers by category: ``cells`` has a column each, and ``days`` that they were customers in a window of ``length`` days."""

    cells: pd.DataFrame
    length: int
    since: date | None
    until: date | None

    @classmethod
    def of(cls, customers: Table, columns: Sequence[str], window: tuple[date | None, date | None], *, asks: str) -> Population:
        """Who was a customer in the window, each for the days of it; of all times, each once, where nothing is dated."""
        since, until = window
        expr = expression(customers)
        need(expr, columns, asks=asks)
        for name, kind in (("start", "date"), ("end", "date"), ("consent", "yes/no")):
            refuse_type(customers, expr, name=name, kind=kind, asks=asks)
        rows: Any = expr.select(**key_columns(expr, columns), days=_days(expr, since, until), agreed=typed(expr, "consent", "yes/no"))
        keys = [f"k{position}" for position in range(len(columns))]
        counted = ask(rows.group_by([*keys, "agreed"]).agg(days=lambda t: t["days"].sum()))
        if counted["agreed"].notna().any():
            # Who was not asked has not agreed.
            counted = counted[counted["agreed"].eq(True)]
        cells = restored(counted.drop(columns="agreed"), expr, columns)
        cells = cells.astype({"days": "int64"}).groupby(list(columns), dropna=False, sort=False)["days"].sum().reset_index()
        return cls(cells, 1 if since is None or until is None else (until - since).days + 1, since, until)

    @property
    def reason(self) -> str:
        """Why there is nobody to stand for; empty where there is somebody."""
        if self.cells["days"].sum():
            return ""
        if not len(self.cells):
            return "There are no customers to compare with."
        return f"Nobody was a customer from {self.since} to {self.until}."

    @property
    def words(self) -> str:
        """``the 832 customers of an average day from 2026-01-05 to 2026-06-28``"""
        number = f"{self.cells['days'].sum() / self.length:,.0f} customers"
        return f"the {number} of the table" if self.since is None else f"the {number} of an average day from {self.since} to {self.until}"

    def along(self, columns: Crossed) -> pd.DataFrame:
        """The categories of one margin that customers have, with their days, in order of the columns, missing ones last."""
        found = self.cells.groupby(list(columns), dropna=False, sort=True)["days"].sum().reset_index()
        return found[found["days"] > 0].astype({"days": "int64"}).reset_index(drop=True)


def _days(expr: ir.Table, since: date | None, until: date | None) -> Any:
    """Days of the window on which the spell lasted: from its start up to the day before its end."""
    import ibis

    if since is None or until is None:
        return ibis.literal(1, "int64")
    first, after = ibis.literal(since), ibis.literal(until) + ibis.interval(days=1)
    start = ibis.greatest(ibis.coalesce(typed(expr, "start", "date"), first), first)
    end = ibis.least(ibis.coalesce(typed(expr, "end", "date"), after), after)
    days = end.cast("date").delta(start, unit="day").cast("int64")
    return ibis.greatest(days, ibis.literal(0, "int64"))


def category_words(values: Iterable[Any]) -> str:
    """The name of a category: its value, or its values with a dot between."""
    return " · ".join("not recorded" if pd.isna(value) else plain(value).strip("'") for value in values)


def margins_of(population: Population, answers: pd.DataFrame, crossed: Sequence[Crossed]) -> tuple[list[pd.DataFrame], Ints]:
    """The categories of each margin, and in which of them each row of ``answers`` is: a column a margin."""
    categories = [population.along(columns) for columns in crossed]
    inside = [alike([known, answers], columns)[1] for known, columns in zip(categories, crossed, strict=True)]
    return categories, np.column_stack(inside)


def named_margins(categories: Sequence[pd.DataFrame], crossed: Sequence[Crossed], cells: Ints) -> list[Margin]:
    """The margins of these cells (a row a cell, a column a margin), with names for whoever reads a letter about them."""
    return [
        Margin(
            " × ".join(columns),
            [category_words(row) for row in known[list(columns)].itertuples(index=False, name=None)],
            known["days"].to_numpy(dtype="float64"),
            cells[:, position],
        )
        for position, (known, columns) in enumerate(zip(categories, crossed, strict=True))
    ]
