"""`cxlib check`: what a workbook would read, without running it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Hashable
from pathlib import Path
from typing import Any

from cxlib.sources import sql
from cxlib.sources.book import Book, admitted, opened
from cxlib.sources.declared import Workbook, declared
from cxlib.sources.door import admitted_rows
from cxlib.sources.reading import files
from cxlib.sources.said import legible
from cxlib.tables import TABLES
from cxlib.tables.engine import embedded, one_row
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
    workbook = declared(path)
    folder = admitted(str(workbook.path))
    book = opened(workbook, folder, until)
    passed = json.loads((folder / "account.json").read_text(encoding="utf-8"))["tables"]
    lines = [f"{book.name}: {workbook.path.name}, time zone {book.time_zone}, groups below {book.smallest_group} not shown"]
    if as_of is not None:
        lines.append(f"as of {until.isoformat()}")
    outside = [legible(str(file)) for file in _outside(workbook)]
    if outside:
        lines.append(f"files outside the folder of {workbook.path.name}: {_some(outside, 3)}")
    for row in book.account.to_dict("records"):
        dates = f"{row['since']} to {row['until']}" if row["since"] else "no dates"
        lines += ["", f"{row['table']}: {row['rows_read']:,} row{'' if row['rows_read'] == 1 else 's'} read, {row['kept']:,} kept, {dates}"]
        lines += [*_left_out(book, row), *_columns(folder, row["table"], passed[row["table"]]["read"]), *_noted(book, row["table"])]
        if row["table"] == "responses" and (unasked := _not_compared(workbook, passed["responses"]["read"])):
            lines.append(f"  repeated answers not looked for: no column is read as {unasked}; one_answer_per can name other columns")
        if row["table"] == "customers" and not {"end", "churned"} & set(passed["customers"]["read"]):
            lines.append("  who left is not known: no column is read as end or churned, so nothing can be said of leaving")
        if row["not_read"]:
            lines.append(f"  not read: {_some(row['not_read'])}")
    return "\n".join(lines)


def _outside(workbook: Workbook) -> list[Path]:
    """The files that are read from elsewhere: who runs a colleague's workbook should know."""
    here = workbook.path.parent
    read = [file for exports in workbook.sources.values() for source in exports if source.files for file in files(workbook, source)]
    return [file for file in dict.fromkeys(read) if not file.resolve().is_relative_to(here)]


def _not_compared(workbook: Workbook, read: list[str]) -> str:
    """The columns without which no answer can be told to be given twice."""
    per = workbook.sources["responses"][0].one_answer_per or ("respondent", "wave", "question")
    return " or ".join(name for name in per if name not in read)


def _left_out(book: Book, row: dict[Hashable, Any]) -> list[str]:
    """The rows that were read and are not among the kept, each kind with its reason."""
    problems = book.problems[book.problems["table"] == row["table"]].to_dict("records")
    lines = [f"  set aside {problem['rows']:,}: {problem['reason']} ({problem['first']})" for problem in problems]
    words = {
        "not_meant": "not meant for this table, as only says",
        "repeats": "earlier answers of the same person to the same question",
        "after_as_of": "dated after the last day counted",
        "no_consent": "of customers without consent",
    }
    return lines + [f"  left out {row[name]:,}: {reason}" for name, reason in words.items() if row[name]]


def _columns(folder: Path, table: str, read: list[str]) -> list[str]:
    """One line a column of the rows that came in: how many cells are missing, and the range or the number of different values."""
    spec, wide, lines = TABLES[table], max(map(len, read), default=0), []
    for name in read:
        column, ranged = sql.name(name), name in spec.names and spec[name].kind not in ("text", "yes/no")
        asked = f"min({column})::VARCHAR, max({column})::VARCHAR" if ranged else f"count(DISTINCT {column}), NULL"
        rows = f"SELECT {asked}, count(*) - count({column}) FROM {admitted_rows(folder, table)}"
        low, high, missing = one_row(embedded(), rows)
        span = f"{_plain(low)} to {_plain(high)}" if high is not None else f"{low or 0:,} different"
        lines.append(f"  {name:<{wide}}  {span}, {f'{missing:,} missing' if missing else 'none missing'}")
    return lines


def _noted(book: Book, table: str) -> list[str]:
    """One line for each thing that is strange and was kept."""
    notes = book.notes[book.notes["table"] == table].to_dict("records")
    return [f"  noted {note['rows']:,}: {note['column'] or 'rows'} {note['note']}" for note in notes]


def _plain(value: str) -> str:
    return value.removesuffix(".0").removesuffix(" 00:00:00")


def _some(names: tuple[str, ...] | list[str], most: int = 8) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more columns" if len(names) > most else shown
