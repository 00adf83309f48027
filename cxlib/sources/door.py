"""The door: the rows of a table's exports in; a validated table out, and every row that did not come in with its reason.

Each export is read once, from its file into a private Parquet file of typed columns, in order and with as
many threads as there are. What needs more than one row to be judged is looked for afterwards.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd

from cxlib.sources import answers, notes, refusals, sql
from cxlib.sources.cells import TYPES
from cxlib.sources.declared import Source, Workbook
from cxlib.sources.export import Export, refuse_unasked, resolved, used
from cxlib.sources.marks import ALIKE, EXPORT, GIVEN, GOOD, MEANT, PLACE, PROBLEM, SHOWN
from cxlib.sources.reading import ROW, Raw
from cxlib.sources.rows import checked, replaced, same_answer
from cxlib.tables import TABLES, TableSpec
from cxlib.tables.engine import one_row
from cxlib.tables.formula import defused

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

#: How tables are written; the newer encodings of numbers and times take less time both ways. Columns of more different values than
#: these are soon given up as a dictionary: of identifiers it would only grow. LZ4 packs as much as the default, in less time.
PARQUET = "FORMAT parquet, PARQUET_VERSION v2, WRITE_BLOOM_FILTER false, DICTIONARY_SIZE_LIMIT 4096, COMPRESSION lz4_raw"
#: The file that holds the places of several answers of one person to one question; which one counts depends on the day.
SEVERAL = "several.parquet"
#: As many answers as are looked through for repeated ones together, in some 24 bytes of memory each.
_AT_ONCE = 10_000_000


@dataclass(frozen=True)
class Passed:
    """What the door says of one table: counts, the reasons of what was set aside, what was noted, and what was not read."""

    rows_read: int
    set_aside: int
    not_meant: int
    kept: int
    problems: pd.DataFrame
    notes: pd.DataFrame
    read: tuple[str, ...]
    not_read: tuple[str, ...]


def passed(workbook: Workbook, exports: Sequence[tuple[Source, Raw]], *, con: Backend, scratch: Path, to: Path) -> Passed:
    """Check one table and write `<table>.parquet`, and `set_aside/<table>.csv` where rows were set aside."""
    spec = TABLES[exports[0][0].table]
    ours = [resolved(workbook, source, spec, raw) for source, raw in exports]
    refuse_unasked(workbook, ours)
    keys = sorted({key for each in ours for key in each.source.keys})
    stages, noted = [], []
    for each in ours:
        stages.append(scratch / f"{each.source.stem}.stage.parquet")
        statement, found = checked(workbook, each, spec, keys)
        noted.append(found)
        _ask(con, f"COPY ({statement}) TO {sql.text(str(stages[-1]))} ({PARQUET})", each.source)
    per_line = [answers.answers_a_row(each.asked) if each.wide else 1 for each in ours]
    _stack(con, spec, ours, stages, per_line)
    doubled = _doubles(con, spec, ours)
    if spec.name == "responses":
        _several_answers(con, ours[0].source, to / SEVERAL)
    unreadable = [each.raw.unreadable() for each in ours]
    labels = [f"export {each.source.number}" if each.source.number else "" for each in ours]
    problems = refusals.problems(con, labels=labels, unreadable=unreadable, per_line=per_line)
    lost = sum(len(frame) * rows for frame, rows in zip(unreadable, per_line, strict=True))
    rows, bad, other = _row(con, f"SELECT count(*), count({sql.name(PROBLEM)}), count(*) FILTER (NOT {sql.name(MEANT)}) FROM stage")
    if bad and spec.name == "responses":
        refusals.unknown_questions(workbook, con)
        refusals.codes(workbook, con)
    refusals.too_many(workbook, con, spec.name, rows_read=rows - other + lost, set_aside=bad + lost, found=problems)
    if bad + lost:
        _write_set_aside(con, ours, unreadable, to / "set_aside", spec.name)
    taken = {part for each in ours for part in used(each)}
    read = {name for each in ours for name in (*each.names, *each.source.constants, *(["question", "score"] if each.wide else []))}
    columns = [name for name in (*spec.names, *keys) if name in read]
    seen = notes.seen(con, spec, source=ours[0].source, notes=noted, read=columns)
    out = to / f"{spec.name}.parquet"
    if len(stages) == 1 and not (doubled or ours[0].source.session_gap_minutes):
        shutil.move(stages[0], out)
    else:
        _write(con, spec, ours[0].source, keys, out)
    return Passed(
        rows_read=rows + lost,
        set_aside=bad + lost,
        not_meant=other,
        kept=rows - bad - other,
        problems=problems,
        notes=seen,
        read=tuple(columns),
        not_read=tuple(dict.fromkeys(name for each in ours for name in each.raw.types if name not in taken)),
    )


def _ask(con: Backend, statement: str, source: Source) -> Any:
    """Ask the engine; what it says of a file it cannot read becomes a letter."""
    try:
        return con.raw_sql(statement)
    except duckdb.Error as error:
        raise refusals.unreadable(source, error) from None


def _row(con: Backend, statement: str) -> tuple[int, ...]:
    return tuple(int(value or 0) for value in one_row(con, statement))


def _filled(spec: TableSpec, scan: str) -> str:
    """Rows as they were written, with the columns that were not: whoever asks finds all of a table's."""
    none = ", ".join(f"CAST(NULL AS {TYPES[column.kind]}) AS {sql.name(column.name)}" for column in spec.columns)
    whole = f"FROM {scan} UNION ALL BY NAME SELECT {none} WHERE false"
    given = {name: f"coalesce({sql.name(name)}, {sql.text(value)})" for name, value in GIVEN.items() if name in spec.names}
    return f"(SELECT * REPLACE ({replaced(given)}) FROM ({whole}))" if given else f"({whole})"


def _stack(con: Backend, spec: TableSpec, exports: list[Export], stages: list[Path], per_line: list[int]) -> None:
    """All exports under each other as the view ``stage``, each row with its line in the export and its place among all."""
    parts, before = [], 0
    for number, (export, stage, rows) in enumerate(zip(exports, stages, per_line, strict=True)):
        scan = f"read_parquet({sql.text(str(stage))}, file_row_number = true)"
        line = sql.name(ROW) if export.multiplied else f"file_row_number // {rows} + 1"
        made = f'{line} AS "(line)", file_row_number + {before + 1} AS "(place)", {number} AS {sql.name(EXPORT)}'
        dropped = f"file_row_number, {sql.name(ROW)}" if export.multiplied else "file_row_number"
        parts.append(f"SELECT * EXCLUDE ({dropped}), {made} FROM {_filled(spec, scan)}")
        before += _row(con, f"SELECT count(*) FROM {scan}")[0]
    con.raw_sql(f"CREATE OR REPLACE VIEW stacked AS {' UNION ALL BY NAME '.join(parts)}")
    con.raw_sql("CREATE OR REPLACE VIEW stage AS FROM stacked")


def _doubles(con: Backend, spec: TableSpec, exports: list[Export]) -> bool:
    """Second rows with a key that must be unique, and rows declared to be doubled, become problems; whether there are any."""
    source = exports[0].source
    key = spec.key if all(name in each.names for each in exports for name in spec.key[:1]) else ()
    alike = not key and source.exact_doubles == "set aside"
    if not (key or alike):
        return False
    by = key or tuple(name for name in spec.readable if any(name in each.names for each in exports))
    names = ", ".join(map(sql.name, by))
    good = f"{GOOD} AND {sql.name(key[0])} IS NOT NULL" if key else GOOD
    rows, different = _row(con, f"SELECT count(*), count(DISTINCT hash({names})) FROM stacked WHERE {good}")
    if rows == different:
        return False
    doubled = f"SELECT hash({names}) FROM stacked WHERE {good} GROUP BY 1 HAVING count(*) > 1"
    again = f'QUALIFY row_number() OVER (PARTITION BY {names} ORDER BY "(place)") > 1'
    con.raw_sql(
        f"CREATE OR REPLACE TABLE doubles AS SELECT {sql.name(PLACE)} FROM stacked WHERE {good} AND hash({names}) IN ({doubled}) {again}"
    )
    reason = f"a second row with the same {', '.join(key)}" if key else "alike in every column that is read to an earlier row"
    second, shown = '"(place)" IN (SELECT "(place)" FROM doubles)', sql.name(key[0]) if key else "NULL"
    said = {PROBLEM: f"CASE WHEN {second} THEN {sql.text(reason)} ELSE {sql.name(PROBLEM)} END"}
    said |= {SHOWN: f"CASE WHEN {second} THEN {shown} ELSE {sql.name(SHOWN)} END"}
    con.raw_sql(f"CREATE OR REPLACE VIEW stage AS SELECT * REPLACE ({replaced(said)}) FROM stacked")
    return True


def _several_answers(con: Backend, source: Source, out: Path) -> None:
    """Write the places of the answers of one person to one question, where there are several."""
    alike = sql.name(ALIKE)
    con.raw_sql("CREATE OR REPLACE TABLE alike (h UBIGINT)")
    parts, found = _row(con, f"SELECT count({alike}) FROM stage")[0] // _AT_ONCE + 1, 0
    for part in range(parts):
        # To sort numbers takes a fraction of the time, and of the memory, in which an engine groups by them.
        ordered = con.raw_sql(f"SELECT {alike} AS h FROM stage WHERE {alike} % {parts} = {part}").fetchnumpy()["h"]
        ordered.sort()
        again = pd.DataFrame({"h": np.unique(ordered[1:][ordered[1:] == ordered[:-1]])})
        found += len(again)
        con.con.register("again", again)
        con.raw_sql("INSERT INTO alike FROM again")
        con.con.unregister("again")
    if found:
        person = f"PARTITION BY {', '.join(map(sql.name, same_answer(source)))}"
        first, many = f'min("(place)") OVER ({person}) AS "(first)"', f'count(*) OVER ({person}) AS "(many)"'
        rows = f"SELECT *, {first}, {many} FROM stage WHERE {alike} IN (FROM alike)"
        kept = f'SELECT "(place)", "(first)", score, time_answered, time_received FROM ({rows}) WHERE "(many)" > 1 ORDER BY "(place)"'
        con.raw_sql(f"COPY ({kept}) TO {sql.text(str(out))} ({PARQUET})")


def _write(con: Backend, spec: TableSpec, source: Source, keys: Sequence[str], out: Path) -> None:
    """All rows in their order, the bad ones marked, so that a row keeps its place."""
    columns, rows = {name: sql.name(name) for name in (*spec.names, *keys, PROBLEM, MEANT)}, "stage"
    if source.session_gap_minutes:
        # A row that does not come in starts no session and ends none: it is in a part of its own.
        person = f'PARTITION BY customer, {GOOD} ORDER BY time, "(place)"'
        pause = f"time - lag(time) OVER ({person}) > INTERVAL {source.session_gap_minutes!r} MINUTE"
        rows = f'(SELECT *, coalesce({pause}, true) AS "(starts)" FROM stage)'
        columns["case_id"] = f"customer || ' ' || sum(\"(starts)\"::INTEGER) OVER ({person})"
    con.raw_sql(f"COPY (SELECT {sql.selected(columns)} FROM {rows} ORDER BY {sql.name(PLACE)}) TO {sql.text(str(out))} ({PARQUET})")


def admitted_rows(folder: Path, table: str) -> str:
    """The rows of a table that came in, as SQL that can stand after FROM."""
    scan = f"read_parquet({sql.text(str(folder / f'{table}.parquet'))})"
    return f"(FROM {_filled(TABLES[table], scan)} WHERE {GOOD})"


def _write_set_aside(con: Backend, exports: list[Export], unreadable: list[pd.DataFrame], folder: Path, table: str) -> None:
    """The rows that did not come in, as they were, with the reason: for whoever mends the source."""
    folder.mkdir(mode=0o700, exist_ok=True)
    parts = []
    for number, (export, lines) in enumerate(zip(exports, unreadable, strict=True)):
        row, reason = sql.name(ROW), sql.name(PROBLEM)
        bad = f'SELECT "(line)", {reason} FROM stage WHERE {reason} IS NOT NULL AND {sql.name(EXPORT)} = {number}'
        numbered = f"SELECT row_number() OVER () AS {row}, * FROM {export.raw.scan}"
        joined = f'({numbered}) raw JOIN ({bad}) bad ON {row} = bad."(line)"'
        both = f'SELECT {row}, bad.{reason} AS "(reason)", raw.* EXCLUDE ({row}) FROM {joined}'
        rows = con.raw_sql(f"{both} ORDER BY 1, 2").df()
        broken = pd.DataFrame({ROW: lines["line"].astype("int64"), "(reason)": lines["problem"], "(line as it is)": lines["text"]})
        each = rows if not len(broken) else pd.concat([rows, broken], ignore_index=True)
        parts.append(each.assign(**{EXPORT: number + 1}) if len(exports) > 1 else each)
    whole = pd.concat(parts, ignore_index=True)
    for name in whole.select_dtypes(["object", "string"]):
        # Who opens the file in a spreadsheet must not run what a stranger wrote: a formula gets an apostrophe before it.
        whole[name] = [defused(value, numbers=True) for value in whole[name]]
    whole.to_csv(folder / f"{table}.csv", index=False)
