"""Purchases of customers, checked and counted: what the measures of a shop ask of their table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.tables import Table, TableError, ask, expression, need
from cxlib.tables.rows import absent_key, examples, key_columns, refuse_type, restored, typed, whole

if TYPE_CHECKING:
    import ibis.expr.types as ir

Ints = npt.NDArray[np.int64]

#: Customers are counted in so many parts, by which the spread between customers is told.
PARTS = 200

#: The day on which a customer of a contract left, in a table of orders that knows it.
LEFT = "customer_left"

_TYPES = {"time_ordered": "date", "amount": "number", LEFT: "date"}


@dataclass(frozen=True)
class Asked:
    """What a measure asks for: who asks, in which groups, up to which day, and whether an order for nothing is a purchase."""

    by_whom: str
    names: list[str]
    as_of: date
    free: bool

    @property
    def groups(self) -> list[str]:
        """The keys under the names they have inside the engine."""
        return [f"k{position}" for position in range(len(self.names))]

    def notes(self, orders: Table) -> list[str]:
        """What of the orders counted and what did not, as sentences; a letter where one has no customer or no day."""
        expr = _expression(orders, self)
        rows = _judged(_rows(expr, self))
        seen = ~rows["later"]
        totals = {"orders": rows.count(), "unnamed": rows["unnamed"].sum(), "undated": rows["undated"].sum()}
        totals |= {"refunds": (seen & (rows["amount"] < 0)).sum(), "free": (seen & (rows["amount"] == 0)).sum()}
        totals |= {"after": (seen & rows["bought"] & ~rows["purchase"]).sum()}
        totals |= {"gone": rows["customer"].nunique(where=seen & rows["purchase"] & (rows["left"] <= self.as_of))}
        (found,) = whole(ask(rows.aggregate(**totals)), totals).to_dict("records")
        for flag, what in (("unnamed", "customer"), ("undated", "time_ordered")):
            if count := found[flag]:
                shown, _ = examples(orders, lambda t: _judged(_rows(t, self)), bad=flag, value="shown")
                raise TableError(
                    f"{self.by_whom}: {count:,} of {found['orders']:,} orders have no {what} ({shown}). Correct them, or leave them out."
                )
        said = []
        if count := found["free"]:
            how = "counts as a purchase" if self.free else "is no purchase"
            said.append(f"An order for nothing {how} ({count:,} of them).")
        if count := found["refunds"]:
            said.append(f"A refund is no purchase ({count:,} of them).")
        if count := found["gone"]:
            said.append(f"A customer who has left is not silent: waiting ends on the day of leaving ({count:,} of them).")
        if count := found["after"]:
            said.append(f"An order after leaving is no purchase ({count:,} of them).")
        return said

    def visits(self, orders: Table) -> Any:
        """One row a customer and day with a purchase: the keys of its first order, the days to the next one, if there is one.

        ``gap`` runs to the next visit, or to the last day that could be waited where none has ``returned``; ``room`` always
        runs to that last day: the last one counted or, of who is not ``there`` any more, that of leaving. ``part`` is one of
        so many parts into which customers fall, all rows of a customer into the same.
        """
        import ibis

        expr = _expression(orders, self)
        rows = _rows(expr, self)
        rows = rows.filter(~rows["later"] & rows["purchase"])
        if self.names:
            # Of several orders of a day the first gives the keys; of several at once, the first by name.
            by_key = [rows[name].cast("string") for name in self.groups]
            place = ibis.row_number().over(group_by=["customer", "day"], order_by=[rows["moment"], *by_key])
            rows = rows.mutate(place=place)
            rows = rows.filter(rows["place"] == 0).drop("place")
        else:
            rows = rows.select("customer", "day", "left").distinct()
        next_day = rows["day"].lead().over(group_by="customer", order_by="day")
        rows = rows.mutate(next_day=next_day)
        as_of = ibis.literal(self.as_of, "date")
        until = ibis.least(ibis.coalesce(rows["left"], as_of), as_of)
        rows = rows.mutate(until=until, returned=(rows["next_day"] <= until).fill_null(False))
        # In the order of the engine's own hash customers are mixed, whatever they are called; a few have a part each.
        people = rows.select("customer").distinct()
        place = ibis.row_number().over(order_by=[people["customer"].cast("string").hash(), people["customer"]])
        people = people.select(who="customer", part=place % PARTS)
        rows = rows.join(people, rows["customer"] == people["who"])
        return rows.select(
            *self.groups,
            "customer",
            "part",
            "day",
            "returned",
            gap=rows["returned"].ifelse(rows["next_day"], rows["until"]).delta(rows["day"], unit="day"),
            room=rows["until"].delta(rows["day"], unit="day"),
            there=(rows["left"] > as_of).fill_null(True),
        )

    def counted(self, orders: Table, visits: Any, *more: Any) -> pd.DataFrame:
        """One row for each group, part and number of days: visits ``closed`` by another, those still ``open``, ``customers``.

        Below them what ``more`` arms count; an arm is a table with ``part``, ``what`` and ``days``.
        """
        import ibis

        closed, still_open = visits.filter(visits["returned"]), visits.filter(~visits["returned"])
        arms = [
            self.arm(closed, "closed", closed["gap"], part=closed["part"]),
            self.arm(still_open, "open", still_open["gap"], part=still_open["part"]),
            self.arm(visits.select(*self.groups, "customer").distinct(), "customers", ibis.literal(0)),
            *more,
        ]
        parts = [arm.group_by([*self.groups, "part", "what", "days"]).agg(times=ibis._.count()) for arm in arms]
        found = whole(ask(reduce(ibis.union, parts)), ["times", "days", "part"])
        found = restored(found, expression(orders), self.names)
        return found.sort_values([*self.names, "what", "part", "days"], na_position="last", kind="stable", ignore_index=True)

    def arm(self, rows: Any, what: str, days: Any, *, part: Any = None) -> Any:
        """Visits to be counted under a name, by some number of days, and by part where one is given."""
        import ibis

        number = ibis.literal(0, "int64") if part is None else part.cast("int64")
        return rows.select(*self.groups, part=number, what=ibis.literal(what), days=days.cast("int64"))


def absent(cells: pd.DataFrame, names: list[str]) -> str:
    """Why nothing can be said, where there is no purchase or no key; otherwise nothing."""
    return absent_key(cells, names, row="purchase") if len(cells) else "There are no purchases."


def by_part(cells: pd.DataFrame, what: str, longest: int) -> Ints:
    """One row a part, one column a number of days from 0 to the longest: how often that many days were counted."""
    rows = cells[cells["what"] == what]
    place = rows["part"].to_numpy() * (longest + 1) + rows["days"].to_numpy()
    found = np.bincount(place, weights=rows["times"].to_numpy(dtype="float64"), minlength=PARTS * (longest + 1))
    counted: Ints = found.astype("int64").reshape(PARTS, longest + 1)
    return counted


def at_least(counts: Ints) -> Ints:
    """How many have so many days or more, along the last axis."""
    found: Ints = counts[..., ::-1].cumsum(axis=-1)[..., ::-1]
    return found


def whole_days(value: object, name: str, *, asks: str, least: int = 1) -> int:
    """A number of days, of at least so many."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{asks}: {name} is a whole number of days from {least}, not {value!r}")
    return int(value)


def _expression(orders: Table, asked: Asked) -> ir.Table:
    expr = expression(orders)
    need(expr, ["customer", "time_ordered", *asked.names], asks=asked.by_whom)
    for name, kind in _TYPES.items():
        refuse_type(orders, expr, name=name, kind=kind, asks=asked.by_whom)
    return expr


def _rows(expr: ir.Table, asked: Asked) -> Any:
    """Every order: its keys, customer, day, amount, whether it is later than the last day counted, and whether a purchase."""
    import ibis

    numbered = {"cx_row": expr["cx_row"]} if "cx_row" in expr.columns else {}
    rows: Any = expr.select(
        **numbered,
        **key_columns(expr, asked.names),
        customer=expr["customer"],
        moment=expr["time_ordered"].cast("timestamp"),
        day=typed(expr, "time_ordered", "date"),
        amount=typed(expr, "amount", "number"),
        left=typed(expr, LEFT, "date"),
    )
    amount = rows["amount"]
    # What was paid is not always recorded; that something was ordered is.
    bought = ((amount >= 0) if asked.free else (amount > 0)).fill_null(True)
    return rows.mutate(
        later=(rows["day"] > ibis.literal(asked.as_of, "date")).fill_null(False),
        bought=bought,
        purchase=bought & (rows["left"] >= rows["day"]).fill_null(True),
    )


def _judged(rows: Any) -> Any:
    """What is wrong with an order, beside it."""
    return rows.mutate(
        unnamed=rows["customer"].isnull(),
        undated=rows["day"].isnull(),
        shown=rows["customer"].cast("string").fill_null("no customer") + " on " + rows["day"].cast("string").fill_null("no day"),
    )
