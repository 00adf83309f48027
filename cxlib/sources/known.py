"""What was known on a day: later rows out, later facts missing again, people without consent out; each counted.

Answers of staff, who guess what customers feel, are handed out as a table of their own, so that no score of
customers can take them in.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import pandas as pd

from cxlib.tables import TABLES, TableSpec
from cxlib.tables.engine import embedded
from cxlib.tables.schema import PHYSICAL

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: The columns of a customer that an answer inherits where its own source does not have them.
INHERITED = ("segment", "persona", "plan", "region")


def known_then(folder: Path, as_of: dt.date) -> tuple[dict[str, ir.Table], dict[str, dict[str, int]]]:
    """Every canonical table as known on a day, and per table how many rows that leaves out, and why."""
    all_rows = {name: _validated(folder, spec) for name, spec in TABLES.items()}
    silent = _without_consent(all_rows["customers"])
    known: dict[str, ir.Table] = {}
    counts: dict[str, dict[str, int]] = {}
    for name, spec in TABLES.items():
        table = all_rows[name]
        later = _later(spec, table, as_of)
        person = next((column for column in ("customer", "respondent") if column in spec.names), None)
        refuses = ibis.literal(False)
        if person is not None and silent is not None:
            refuses = table[person].notnull() & table[person].isin(silent.customer)
        counted = table.agg(after_as_of=later.sum(), no_consent=(refuses & ~later).sum()).execute().iloc[0]
        counts[name] = {key: int(counted[key]) if pd.notna(counted[key]) else 0 for key in ("after_as_of", "no_consent")}
        known[name] = _as_it_was(spec, table.filter(~later & ~refuses), as_of)
    answers = _inheriting(known["responses"], known["customers"])
    known["responses"] = answers.filter(answers.role != "staff")
    known["staff_responses"] = answers.filter(answers.role == "staff")
    return known, counts


def span(spec: TableSpec, *parts: ir.Table) -> tuple[dt.date | None, dt.date | None]:
    """First and last day of a table, which may have been handed out in parts; missing where it has no dates."""
    if spec.dated is None:
        return None, None
    ends = [part.agg(since=part[spec.dated].cast("date").min(), until=part[spec.dated].cast("date").max()).execute().iloc[0] for part in parts]
    since, until = ([pd.Timestamp(end[name]).date() for end in ends if pd.notna(end[name])] for name in ("since", "until"))
    return min(since, default=None), max(until, default=None)


def _validated(folder: Path, spec: TableSpec) -> ir.Table:
    """The admitted table, or an empty one of the same shape where the workbook does not have it."""
    file = folder / f"{spec.name}.parquet"
    con = embedded()
    if file.is_file():
        return con.read_parquet(file)
    schema = ibis.schema({column.name: PHYSICAL[column.kind] for column in spec.columns})
    return con.create_table(f"no_{spec.name}", schema=schema, temp=True, overwrite=True)


def _later(spec: TableSpec, table: ir.Table, as_of: dt.date) -> ir.BooleanValue:
    """Whether a row was not known yet: an answer counts from the day it was received, not from the day it was given."""
    if spec.dated is None:
        return ibis.literal(False)
    when = table[spec.dated]
    if spec.name == "responses":
        when = ibis.coalesce(table.time_received, when)
    return (when.cast("date") > as_of).fill_null(False)


def _as_it_was(spec: TableSpec, table: ir.Table, as_of: dt.date) -> ir.Table:
    """What happened after the day had not happened yet."""
    blank: dict[str, ir.Value] = {}
    for column in spec.columns:
        if column.kind in ("date", "time") and column.name not in (spec.dated, "month", "time_received"):
            value = table[column.name]
            blank[column.name] = ibis.ifelse(value.cast("date") > as_of, ibis.null(value.type()), value)
    if spec.name == "customers":
        blank["end_reason"] = ibis.ifelse(table.end > as_of, ibis.null("string"), table.end_reason)
    return table.mutate(**blank) if blank else table


def _without_consent(customers: ir.Table) -> ir.Table | None:
    """Customers who did not say yes, where the workbook has consent at all; who is not asked has not agreed."""
    asked = customers.consent.notnull().sum().execute()
    if pd.isna(asked) or asked == 0:
        return None
    return customers.filter(~customers.consent.fill_null(False)).select("customer").distinct()


def _inheriting(responses: ir.Table, customers: ir.Table) -> ir.Table:
    """Answers of customers with the attributes of their latest spell, where the answer itself has none."""
    latest = ibis.row_number().over(group_by=customers.customer, order_by=customers.start.desc(nulls_first=False)) == 0
    one = customers.filter(latest).select(
        **{"(customer)": customers.customer}, **{f"(customer) {name}": customers[name] for name in INHERITED}
    )
    joined = responses.left_join(one, (responses.respondent == one["(customer)"]) & (responses.role == "customer"))
    inherited = {name: ibis.coalesce(joined[name], joined[f"(customer) {name}"]) for name in INHERITED}
    return joined.mutate(**inherited).select(responses.columns)
