"""A workbook's tables as they were known on one day, and the account of every row that was read."""

from __future__ import annotations

import atexit
import datetime as dt
import functools
import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.sources import reading, sql
from cxlib.sources.declared import Workbook, declared
from cxlib.sources.known import known_then
from cxlib.sources.strangers import strangers
from cxlib.tables import TABLES, TableError
from cxlib.tables.engine import connect
from cxlib.tables.rows import day

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True)
class Book:
    """The tables of a workbook as known on ``as_of``, each with all its canonical columns.

    A table that the workbook does not have is there without rows, and a column that a source does not
    have is there without values, so that a notebook runs on any workbook and says what is missing.

    Attributes
    ----------
    name, time_zone, smallest_group, journey_goal
        As declared in `sources.toml`.
    as_of : date
        Last day counted.
    account : DataFrame, one row per declared table
        ``table``, ``rows_read``, ``kept``, ``set_aside``, ``not_meant``, ``repeats``, ``after_as_of``,
        ``no_consent`` (counts of rows; the last six add up to the first), ``since``, ``until`` (first and last day).
    problems : DataFrame, one row per table and reason
        ``table``, ``reason``, ``rows``, ``first`` (the first three).
    responses, staff_responses : Ibis tables
        The answers of customers, and of staff asked to guess what customers feel.
    notes : DataFrame, one row per table, column and note
        ``table``, ``column``, ``note``, ``rows``: what is strange and was kept.
    earlier : DataFrame, one row per table
        ``table``, ``words``, ``rows``: what was kept and is not looked at; see `answered_since`.
    """

    name: str
    time_zone: str
    smallest_group: int
    journey_goal: str
    as_of: dt.date
    account: pd.DataFrame
    problems: pd.DataFrame
    notes: pd.DataFrame
    customers: ir.Table
    attributes: ir.Table
    value_history: ir.Table
    orders: ir.Table
    invitations: ir.Table
    responses: ir.Table
    staff_responses: ir.Table
    feedback: ir.Table
    events: ir.Table
    tickets: ir.Table
    sends: ir.Table
    audits: ir.Table
    earlier: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["table", "words", "rows"]))

    @property
    def remarks(self) -> pd.DataFrame:
        """What was set aside and what was strange and kept, without what stood in the cells: table, became, words, rows."""
        aside = self.problems.assign(became="set aside", words=self.problems["reason"])
        kept = self.notes.assign(became="kept", words=(self.notes["column"] + " " + self.notes["note"]).str.strip())
        unseen = self.earlier.assign(became="not looked at")
        return pd.concat([aside, kept, unseen], ignore_index=True)[["table", "became", "words", "rows"]]

    def answered_since(self, since: str | dt.date) -> Book:
        """The same workbook with only the answers and invitations from a day on, the others counted in `remarks`.

        An empty text leaves all of them. What has no date is not from that day on either.
        """
        if since == "":
            return self
        first = day(since, asks="answered_since", name="since")
        if first > self.as_of:
            raise ValueError(f"answered_since: since is {first}, after as_of ({self.as_of}), so there would be nothing to look at")
        looked_at, rows = {}, []
        for name, dated in (("responses", "time_answered"), ("staff_responses", "time_answered"), ("invitations", "time_asked")):
            table = getattr(self, name)
            seen = (table[dated].cast("date") >= first).fill_null(False)
            looked_at[name] = table.filter(seen)
            unseen = int(table.aggregate(rows=(~seen).sum().fill_null(0)).execute()["rows"].iloc[0])
            if unseen:
                rows.append({"table": name.removeprefix("staff_"), "words": f"before {first}, or without a date", "rows": unseen})
        return replace(self, **looked_at, earlier=pd.DataFrame(rows, columns=["table", "words", "rows"]))


def admit(path: str | Path, *, to: str | Path) -> list[str]:
    """Pass every declared table through the door, into a folder of validated Parquet files.

    Parameters
    ----------
    path : str or Path
        The workbook's `sources.toml`.
    to : str or Path
        An existing folder. It receives ``<table>.parquet``, ``account.json``, and
        ``set_aside/<table>.csv`` where rows were set aside. It holds personal data: keep it private.

    Returns
    -------
    list of str
        The tables that were admitted.

    Raises
    ------
    TableError
        If the workbook or one of its tables is refused; the message says what to do.
    """
    from cxlib.sources.door import passed

    workbook, to = declared(path), Path(to)
    scratch = Path(tempfile.mkdtemp(prefix="cxlib-door-"))
    con = connect()
    con.raw_sql(f"SET TimeZone = {sql.text(workbook.time_zone)}")
    con.raw_sql(f"SET temp_directory = {sql.text(str(scratch))}")
    letters: list[str] = []
    account = {}
    hashes = reading.Hashes(workbook)
    try:
        for name in TABLES:
            exports = workbook.sources.get(name, ())
            if not exports:
                continue
            try:
                raws = [(source, reading.raw(workbook, source, con=con, scratch=scratch)) for source in exports]
                result = passed(workbook, raws, con=con, scratch=scratch, to=to)
            except TableError as error:
                letters.append(str(error))
                continue
            account[name] = asdict(result) | {part: getattr(result, part).to_dict("records") for part in ("problems", "notes")}
        letters += [] if letters else strangers(workbook, con, folder=to, account=account)
        if letters:
            raise TableError("\n".join(letters))
        stamp = {"workbook": str(workbook.path), "inputs": hashes.result(), "tables": account}
    finally:
        hashes.stop()
        con.disconnect()
        shutil.rmtree(scratch, ignore_errors=True)
    (to / "account.json").write_text(json.dumps(stamp, indent=1, ensure_ascii=False, default=str), encoding="utf-8")
    return list(account)


def inputs(path: str | Path) -> dict[str, str]:
    """Every input of a workbook by its name beside the `sources.toml`, with its SHA-256.

    Parameters
    ----------
    path : str or Path
        The workbook's `sources.toml`.

    Returns
    -------
    dict
        Name → hash. A table of an engine cannot be hashed and has an empty text.

    Raises
    ------
    TableError
        If a declared file is absent or cannot be read.
    """
    return reading.inputs(declared(path))


def read(path: str | Path, *, as_of: str | dt.date) -> Book:
    """The workbook as it was known on ``as_of``.

    Rows dated later are left out and counted. What had not happened yet (a customer's leaving, a
    ticket's resolution) is missing again. Customers who did not consent are left out of every table
    that names them, and counted.

    Parameters
    ----------
    path : str or Path
        The workbook's `sources.toml`; a relative path is looked for here and in the folders above.
    as_of : str or date
        Last day counted, inclusive, in the workbook's time zone.

    Returns
    -------
    Book

    Raises
    ------
    TableError
        If the data are refused at the door.
    ValueError
        If ``as_of`` is not a day.
    """
    workbook, until = declared(path), day(as_of, asks="read")
    return opened(workbook, admitted(str(workbook.path)), until)


def opened(workbook: Workbook, folder: Path, until: dt.date) -> Book:
    """The tables that a folder holds, as they were known on a day."""
    import ibis

    stamp = json.loads((folder / "account.json").read_text(encoding="utf-8"))
    tables, counts = known_then(folder, until, list(stamp["tables"]))
    if "customers" in stamp["tables"] and not {"end", "churned"} & set(stamp["tables"]["customers"]["read"]):
        # Nobody wrote down who left. That is not the same as nobody having left, and a column without a type says so.
        tables["customers"] = tables["customers"].mutate(end=ibis.null(), churned=ibis.null())
    rows = []
    for name, passed in stamp["tables"].items():
        left_out, (since, last) = counts[name]
        rows.append(
            {
                "table": name,
                "rows_read": passed["rows_read"],
                "kept": passed["kept"] - sum(left_out.values()),
                **{part: passed[part] for part in ("set_aside", "not_meant")},
                **{name: left_out[name] for name in ("repeats", "after_as_of", "no_consent")},
                "since": since,
                "until": last,
                "not_read": passed["not_read"],
            }
        )
    return Book(
        name=workbook.name,
        time_zone=workbook.time_zone,
        smallest_group=workbook.smallest_group,
        journey_goal=workbook.journey_goal,
        as_of=until,
        account=pd.DataFrame(rows),
        problems=_frame(stamp, "problems", ["reason", "rows", "first"]),
        notes=_frame(stamp, "notes", ["column", "note", "rows"]),
        **tables,
    )


def _frame(stamp: dict[str, object], part: str, columns: list[str]) -> pd.DataFrame:
    tables: dict[str, dict[str, list[dict[str, object]]]] = stamp["tables"]  # type: ignore[assignment]
    rows = [{"table": name, **row} for name, passed in tables.items() for row in passed[part]]
    return pd.DataFrame(rows, columns=["table", *columns])


def admitted(path: str) -> Path:
    """The folder of validated tables: the run's, where it admitted this very workbook, or a private one of this process.

    A file that changes is read anew: an analyst who mends her export and runs the cell again sees it mended.
    """
    given = os.environ.get("CXLIB_ADMITTED")
    if given and (Path(given) / "account.json").is_file():
        stamp = json.loads((Path(given) / "account.json").read_text(encoding="utf-8"))
        if stamp["workbook"] == path:
            return Path(given)
    hashes = inputs(path)
    if "" in hashes.values():
        return _of_this_process(path)
    return _once(path, tuple(sorted(hashes.items())))


def _of_this_process(path: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="cxlib-tables-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    admit(path, to=folder)
    return folder


@functools.lru_cache(maxsize=4)
def _once(path: str, hashes: tuple[tuple[str, str], ...]) -> Path:  # noqa: ARG001 - the hashes are the key of the cache
    return _of_this_process(path)
