"""`cxlib check`: what a workbook would read, without running it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd

from cxlib.sources.book import Book, day, read
from cxlib.sources.declared import declared


def check(path: str | Path, *, as_of: str | dt.date | None = None) -> str:
    """A workbook's tables, ranges, gaps and set-aside rows, in words for a terminal.

    Parameters
    ----------
    path : str or Path
        The workbook's `sources.toml`.
    as_of : str or date, optional
        Last day counted; by default everything that was read counts.

    Returns
    -------
    str
        Several lines. Without ``as_of`` nothing is left out as too late.

    Raises
    ------
    TableError
        If the data are refused at the door.
    """
    until = day(as_of) if as_of is not None else dt.date.max
    book = read(path, as_of=until)
    lines = [f"{book.name}: {declared(path).path.name}, time zone {book.time_zone}, groups below {book.smallest_group} not shown"]
    if as_of is not None:
        lines.append(f"as of {until.isoformat()}")
    for row in book.account.itertuples(index=False):
        dates = f"{row.since} to {row.until}" if row.since else "no dates"
        lines += ["", f"{row.table}: {row.rows_read:,} rows read, {row.kept:,} kept, {dates}"]
        lines += _left_out(book, row)
        lines += _columns(book, row.table)
        if row.not_read:
            lines.append(f"  not read: {_some(row.not_read)}")
    return "\n".join(lines)


def _left_out(book: Book, row: object) -> list[str]:
    """The rows that were read and are not among the kept, each kind with its reason."""
    lines = []
    table = getattr(row, "table")  # noqa: B009 - a row of itertuples has no type of its own
    for problem in book.problems[book.problems["table"] == table].itertuples(index=False):
        lines.append(f"  set aside {problem.rows:,}: {problem.reason} ({problem.first})")
    words = {
        "repeats": "earlier answers of the same person to the same question",
        "after_as_of": "dated after the last day counted",
        "no_consent": "of customers without consent",
    }
    for name, reason in words.items():
        if getattr(row, name):
            lines.append(f"  left out {getattr(row, name):,}: {reason}")
    return lines


def _columns(book: Book, table: str) -> list[str]:
    """One line a column: how many cells are missing, and the range or the number of different values."""
    frame = book.columns[book.columns["table"] == table]
    wide = max((len(name) for name in frame["column"]), default=0)
    lines = []
    for column in frame.itertuples(index=False):
        missing = f"{column.missing:,} missing" if column.missing else "none missing"
        span = f"{_plain(column.low)} to {_plain(column.high)}" if pd.notna(column.low) else f"{column.distinct:,} different"
        lines.append(f"  {column.column:<{wide}}  {span}, {missing}")
    return lines


def _plain(value: str) -> str:
    return value.removesuffix(".0").removesuffix(" 00:00:00")


def _some(names: tuple[str, ...] | list[str], most: int = 8) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more columns" if len(names) > most else shown
