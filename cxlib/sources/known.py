"""What was known on a day: later rows out, later facts missing again, people without consent out; each counted.

Answers of staff, who guess what customers feel, are handed out as a table of their own, so that no score of
customers can take them in.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import ibis
import pandas as pd

from cxlib.sources.door import SEVERAL
from cxlib.sources.marks import BESIDE, GIVEN, MEANT, PROBLEM
from cxlib.tables import TABLES, TableSpec
from cxlib.tables.engine import embedded
from cxlib.tables.schema import PHYSICAL

if TYPE_CHECKING:
    import ibis.expr.types as ir

Span: TypeAlias = "tuple[dt.date | None, dt.date | None]"

#: The place of a row in its file, from 0, as DuckDB calls it.
PLACE = "file_row_number"
#: The columns of a customer that an answer inherits where its own source does not have them.
INHERITED = ("segment", "persona", "plan", "region")


def known_then(folder: Path, as_of: dt.date, declared: list[str]) -> tuple[dict[str, ir.Table], dict[str, tuple[dict[str, int], Span]]]:
    """Every canonical table as known on a day, and per declared one how many rows that leaves out, why, and its span."""
    all_rows = {name: _validated(folder, spec) for name, spec in TABLES.items()}
    silent = _without_consent(all_rows["customers"]) if "customers" in declared else None
    known: dict[str, ir.Table] = {}
    counts: dict[str, tuple[dict[str, int], Span]] = {}
    for name, spec in TABLES.items():
        table = all_rows[name]
        later = _later(spec, table, as_of)
        person = next((column for column in ("customer", "respondent") if column in spec.names), None)
        earlier = _earlier_answers(folder, spec, as_of) if name == "responses" else None
        repeats = ibis.literal(False) if earlier is None else (table[PLACE] + 1).isin(earlier["(place)"])
        refuses = ibis.literal(False)
        if person is not None and silent is not None:
            refuses = table[person].notnull() & table[person].isin(silent.customer)
        known[name] = _as_it_was(spec, table.filter(~later & ~repeats & ~refuses).drop(*({PLACE} & {*table.columns})), as_of)
        if name in declared:
            counts[name] = _counted(spec, table, {"after_as_of": later, "repeats": repeats, "no_consent": refuses})
    answers = _inheriting(known["responses"], known["customers"]) if {"responses", "customers"} <= set(declared) else known["responses"]
    known["responses"] = answers.filter(answers.role != "staff")
    known["staff_responses"] = answers.filter(answers.role == "staff")
    return known, counts


def _earlier_answers(folder: Path, spec: TableSpec, as_of: dt.date) -> ir.Table | None:
    """Answers that a person had given anew by the day: the last one counts, and a question skipped does not undo an answer."""
    if not (folder / SEVERAL).is_file():
        return None
    several = embedded().read_parquet(folder / SEVERAL)
    known = several.filter(~_later(spec, several, as_of))
    last = [known.score.notnull().desc(), known.time_answered.desc(nulls_first=False), ibis.desc("(place)")]
    place = ibis.row_number().over(group_by="(first)", order_by=last)
    return known.filter(place > 0).select("(place)")


def _counted(spec: TableSpec, table: ir.Table, reasons: dict[str, ir.BooleanValue]) -> tuple[dict[str, int], Span]:
    """How many rows each reason leaves out, the first that holds counting, and the first and last day of the others."""
    marked = table.select(**reasons, day=table[spec.dated].cast("date") if spec.dated else ibis.null("date"))
    asked: dict[str, ir.Value] = {}
    stays = ibis.literal(True)
    for name in reasons:
        asked[name] = (marked[name] & stays).sum()
        stays = stays & ~marked[name]
    row = marked.agg(**asked, since=marked.day.min(where=stays), until=marked.day.max(where=stays)).execute().iloc[0]
    since, until = (None if pd.isna(row[name]) else pd.Timestamp(row[name]).date() for name in ("since", "until"))
    return {name: 0 if pd.isna(row[name]) else int(row[name]) for name in reasons}, (since, until)


def _validated(folder: Path, spec: TableSpec) -> ir.Table:
    """The admitted table, or an empty one of the same shape where the workbook does not have it."""
    file = folder / f"{spec.name}.parquet"
    if not file.is_file():
        return _empty(spec.name)
    table = embedded().read_parquet(file, file_row_number=True)
    absent = [column for column in spec.columns if column.name not in table.columns]
    filled = {column.name: ibis.literal(GIVEN.get(column.name), PHYSICAL[column.kind]) for column in absent}
    beside = [name for name in table.columns if name not in (*spec.names, *BESIDE)]
    return table.filter(table[PROBLEM].isnull() & table[MEANT]).mutate(**filled).select(*spec.names, *beside)


@cache
def _empty(name: str) -> ir.Table:
    schema = ibis.schema({column.name: PHYSICAL[column.kind] for column in TABLES[name].columns})
    return embedded().create_table(f"no_{name}", schema=schema, temp=True)


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
