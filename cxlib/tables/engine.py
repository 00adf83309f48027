"""How a measure asks its table: one Ibis expression, answered with counts in a small pandas frame."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from cxlib.tables.result import RESULT
from cxlib.tables.schema import TableError, did_you_mean

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

Table: TypeAlias = "pd.DataFrame | ir.Table"


def connect() -> Backend:
    """A fresh embedded DuckDB, with this process's share of threads and memory.

    ``CXLIB_THREADS`` and ``CXLIB_MEMORY`` (such as ``2GB``) are set by a run that executes several
    notebooks at once; without them DuckDB takes what the machine has.
    """
    import ibis

    settings = {"threads": os.environ.get("CXLIB_THREADS"), "memory_limit": os.environ.get("CXLIB_MEMORY")}
    return ibis.duckdb.connect(**{name: value for name, value in settings.items() if value})


@cache
def embedded() -> Backend:
    """The embedded DuckDB that this process asks where a table has no engine of its own."""
    return connect()


def expression(table: Table) -> ir.Table:
    """The table as an Ibis expression; a pandas frame keeps its columns and loses its index."""
    import ibis

    if isinstance(table, pd.DataFrame):
        # An all-missing object column has no type Arrow could guess; text is what every key is.
        empty = [name for name in table.columns if table[name].dtype == object and table[name].isna().all()]
        frame = table.reset_index(drop=True).astype(dict.fromkeys(empty, "string"))
        for name in frame.select_dtypes("object"):
            kinds = sorted({type(value).__name__ for value in frame[name].dropna()})
            if len(kinds) > 1 and "str" in kinds:
                raise TableError(f"the column '{name}' holds values of several types ({', '.join(kinds)}). Convert it first.")
        return ibis.memtable(frame)
    return table


def one_row(con: Backend, statement: str) -> tuple[Any, ...]:
    """The only row of an answer, read to its end: DuckDB 2 refuses the next question while one is half read."""
    row: tuple[Any, ...]
    (row,) = con.raw_sql(statement).fetchall()
    return row


def ask(expr: ir.Table) -> pd.DataFrame:
    """The answer of the engine; its order is the engine's own, so a measure sorts it."""
    from ibis.common.exceptions import IbisError

    try:
        backend = expr._find_backend()
    except IbisError:
        backend = embedded()
    answer: pd.DataFrame = backend.execute(expr)
    return answer


def kept(expr: ir.Table, *, beside: Sequence[Table] = ()) -> ir.Table:
    """The rows of a long expression, kept by the engine while anybody holds them, so that they are made once.

    ``beside`` are tables they will be joined with: one of them may be the only one that has an engine.
    """
    from ibis.common.exceptions import IbisError

    for table in (expr, *beside):
        if not isinstance(table, pd.DataFrame):
            try:
                return table._find_backend()._cached_table(expr)
            except IbisError:
                continue
    return embedded()._cached_table(expr)


def keys(by: str | Sequence[str]) -> list[str]:
    """``by`` as a list of column names, checked against the names a result keeps for itself."""
    names = [by] if isinstance(by, str) else list(by)
    taken = sorted(set(names) & set(RESULT))
    if taken:
        raise ValueError(f"by: '{taken[0]}' is a column of every result and cannot be a key")
    if len(set(names)) < len(names):
        raise ValueError("by: a column is named twice")
    return names


def need(table: ir.Table, columns: Sequence[str], *, asks: str) -> None:
    """Raise a small letter where ``table`` lacks one of ``columns``."""
    for name in columns:
        if name not in table.columns:
            raise TableError(f"{asks}: the table has no column '{name}'.{did_you_mean(name, table.columns)}")
