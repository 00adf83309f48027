"""Customers whom the customer table does not know: counted in every table, and refused where a table knows nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlib.sources.declared import Workbook
from cxlib.sources.door import admitted_rows
from cxlib.tables import TABLES
from cxlib.tables.engine import one_row

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

#: The column of each table that names a customer.
PERSON = {name: "respondent" if "respondent" in spec.names else "customer" for name, spec in TABLES.items() if name != "audits"}
#: Fewer rows than these may well be of strangers only.
_FEW = 20


def strangers(workbook: Workbook, con: Backend, *, folder: Path, account: dict[str, dict[str, Any]]) -> list[str]:
    """Note in the account of each table how many rows name a customer nobody knows; the letters about tables of strangers only."""
    if "customers" not in account:
        return []
    letters = []
    known = f"SELECT customer FROM {admitted_rows(folder, 'customers')}"
    for name, of_table in account.items():
        if name == "customers" or name not in PERSON or PERSON[name] not in of_table["read"]:
            continue
        person = PERSON[name]
        role = "AND role = 'customer'" if "role" in TABLES[name].names else ""
        rows = f"SELECT {person} AS person FROM {admitted_rows(folder, name)} WHERE {person} IS NOT NULL {role}"
        marked = f"SELECT person, person IN ({known}) AS known FROM ({rows})"
        there, strange, first = one_row(
            con, f"SELECT count(*), count(*) FILTER (NOT known), min(person) FILTER (NOT known) FROM ({marked})"
        )
        if strange == there >= _FEW:
            ours = one_row(con, f"SELECT min(customer) FROM ({known})")[0]
            letters.append(
                f"{name}: none of its {there:,} rows names a customer of the table customers ('{person}' has '{first}', customers has "
                f"'{ours}'). Export identifiers as text from both systems, or, where {name} is of other people, leave customers out of "
                f"{workbook.path.name}."
            )
        elif strange:
            of_table["notes"].append({"column": person, "note": "is not in the table customers", "rows": int(strange)})
    return letters
