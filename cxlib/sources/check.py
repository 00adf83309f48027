"""`cxlib check`: what a workbook would read, without running it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from pathlib import Path
from typing import Any

from cxlib.sources.book import Book, read
from cxlib.sources.declared import Workbook, declared
from cxlib.tables.rows import day


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
    until = day(as_of, asks="check") if as_of is not None else dt.date.max
    book = read(path, as_of=until)
    lines = [f"{book.name}: {declared(path).path.name}, time zone {book.time_zone}, groups below {book.smallest_group} not shown"]
    if as_of is not None:
        lines.append(f"as of {until.isoformat()}")
    for row in book.account.to_dict("records"):
        dates = f"{row['since']} to {row['until']}" if row["since"] else "no dates"
        lines += ["", f"{row['table']}: {row['rows_read']:,} rows read, {row['kept']:,} kept, {dates}"]
        lines += [*_left_out(book, row), *_columns(book, row["table"])]
        if row["table"] == "responses" and (unasked := _not_compared(book, declared(path))):
            lines.append(f"  repeated answers not looked for: no column is read as {unasked}; one_answer_per can name other columns")
        if row["not_read"]:
            lines.append(f"  not read: {_some(row['not_read'])}")
    return "\n".join(lines)


def _not_compared(book: Book, workbook: Workbook) -> str:
    """The columns without which no answer can be told to be given twice."""
    per = workbook.sources["responses"].one_answer_per or ("respondent", "wave", "question")
    read = {*book.columns.loc[book.columns["table"] == "responses", "column"], *(["question"] if workbook.wide else [])}
    return " or ".join(name for name in per if name not in read)


def _left_out(book: Book, row: dict[Hashable, Any]) -> list[str]:
    """The rows that were read and are not among the kept, each kind with its reason."""
    problems = book.problems[book.problems["table"] == row["table"]].to_dict("records")
    lines = [f"  set aside {problem['rows']:,}: {problem['reason']} ({problem['first']})" for problem in problems]
    words = {
        "repeats": "earlier answers of the same person to the same question",
        "after_as_of": "dated after the last day counted",
        "no_consent": "of customers without consent",
    }
    return lines + [f"  left out {row[name]:,}: {reason}" for name, reason in words.items() if row[name]]


def _columns(book: Book, table: str) -> list[str]:
    """One line a column: how many cells are missing, and the range or the number of different values."""
    columns = book.columns[book.columns["table"] == table].to_dict("records")
    wide = max((len(column["column"]) for column in columns), default=0)
    lines = []
    for column in columns:
        missing = f"{column['missing']:,} missing" if column["missing"] else "none missing"
        ranged = isinstance(column["low"], str)
        span = f"{_plain(column['low'])} to {_plain(column['high'])}" if ranged else f"{column['distinct']:,} different"
        lines.append(f"  {column['column']:<{wide}}  {span}, {missing}")
    return lines


def _plain(value: str) -> str:
    return value.removesuffix(".0").removesuffix(" 00:00:00")


def _some(names: tuple[str, ...] | list[str], most: int = 8) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more columns" if len(names) > most else shown
