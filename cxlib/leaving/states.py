"""States of customers that begin on a day and pass, in the shape of the table of attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlib.tables import Table, ask
from cxlib.tables.rows import stretches

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: A value of an attribute from a day on. A row without a customer has what holds of anybody until something is learned.
COLUMNS = ("customer", "attribute", "value", "valid_from")


def days_from_one(asks: str, **numbers: int) -> None:
    """Refuse what is no whole number of days, or none."""
    for name, days in numbers.items():
        if isinstance(days, bool) or not isinstance(days, int) or days < 1:
            raise ValueError(f"{asks}: {name} is a whole number of days from 1, not {days!r}")


def moment_of(expr: ir.Table, name: str) -> Any:
    """The column as a moment; missing throughout where it holds none."""
    import ibis

    column = expr[name]
    return ibis.null("timestamp") if column.type().is_null() or column.type().is_string() else column.cast("timestamp")


def passing(rows: ir.Table, *, name: str, days: int, after: str) -> ir.Table:
    """States that pass: the last one of each customer's day, and ``after`` so many days later unless another followed."""
    import ibis

    rows = rows.filter(rows["customer"].notnull() & rows["moment"].notnull())
    rows = rows.mutate(day=rows["moment"].cast("date"))
    last = ibis.window(group_by=["customer", "day"], order_by=[rows["moment"].desc(), rows["least"]])
    rows = rows.mutate(place=ibis.row_number().over(last))
    rows = rows.filter(rows["place"] == 0).select("customer", "day", "value")
    rows = rows.mutate(following=rows["day"].lead().over(ibis.window(group_by="customer", order_by=rows["day"])))
    alone = rows.mutate(ends=later(rows["day"], days)).filter(lambda each: (each["following"] > each["ends"]).fill_null(True))
    begun = rows.select("customer", value="value", valid_from="day")
    over = alone.select("customer", value=ibis.literal(after), valid_from="ends")
    return _attributes(begun, over, name=name, after=after)


def lasting(rows: ir.Table, *, name: str) -> ir.Table:
    """A ``yes`` while any of these stretches of a customer lasts, from ``since`` to the day before ``until``; else ``no``."""
    import ibis

    held = stretches(rows.filter(rows["customer"].notnull() & (rows["since"] < rows["until"])), of="customer")
    begun = held.select("customer", value=ibis.literal("yes"), valid_from="since")
    over = held.select("customer", value=ibis.literal("no"), valid_from="until")
    return _attributes(begun, over, name=name, after="no")


def later(day: Any, days: int) -> Any:
    """The date so many days after."""
    import ibis

    return (day.cast("timestamp") + ibis.interval(days=days)).cast("date")


def given(table: Table, found: ir.Table) -> Table:
    """In the kind of table that was given."""
    if not isinstance(table, pd.DataFrame):
        return found
    frame = ask(found).sort_values(["customer", "valid_from"], na_position="last", kind="stable", ignore_index=True)
    return frame.assign(
        valid_from=pd.to_datetime(frame["valid_from"]), customer=frame["customer"].astype(object).where(frame["customer"].notna(), None)
    )


def _attributes(begun: ir.Table, over: ir.Table, *, name: str, after: str) -> ir.Table:
    """Both as rows of the attribute, and the row of what holds of anybody."""
    import ibis

    # An aggregate of no rows is a row, so that what holds of anybody is there even where nothing was learned.
    anybody = begun.aggregate(n=begun.count()).select(
        customer=ibis.null(begun["customer"].type()), value=ibis.literal(after), valid_from=ibis.null("date")
    )
    return ibis.union(begun, over, anybody).mutate(attribute=ibis.literal(name)).select(*COLUMNS)
