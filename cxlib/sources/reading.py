"""Files, tables and queries as they are: every cell as text (or as the engine's own type), no row lost unseen."""

from __future__ import annotations

import glob
import hashlib
import re
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from cxlib.sources import archives, engines, logs, records, sql, workbooks
from cxlib.sources.declared import Source, Workbook
from cxlib.sources.files import File, examined, first_line, letters
from cxlib.sources.look import NOTHING_SEEN, Seen
from cxlib.sources.names import same
from cxlib.sources.text import Text, csv_files, text
from cxlib.sources.unpacked import ROW, Rows, apart
from cxlib.tables import TableError

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

__all__ = ["ROW", "Hashes", "Raw", "files", "inputs", "raw"]

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Raw:
    """An export before the door: what can be selected from, its columns with their types, and what is no row.

    ``scan`` stands after FROM; its order is the file's, and every reading passes over the same lines.
    ``unreadable`` is asked once the rows were read; it gives ``line``, ``problem`` (in words) and ``text``.
    ``seen`` is what is known of every cell before any is read.
    """

    scan: str
    types: Mapping[str, str]
    unreadable: Callable[[], pd.DataFrame]
    seen: Seen = NOTHING_SEEN


def raw(workbook: Workbook, source: Source, *, con: Backend, scratch: Path) -> Raw:
    """The rows of an export, unchanged.

    Parameters
    ----------
    workbook, source
        What is declared.
    con : DuckDB backend
        What the rows will be read with.
    scratch : Path
        A private folder; what is unpacked stays in it as long as the rows are read.

    Returns
    -------
    Raw

    Raises
    ------
    TableError
        If the export cannot be read; the message says why and what to do.
    """
    # Several exports may feed one table: each has a folder and a name of its own.
    scratch = Path(tempfile.mkdtemp(prefix=f"{source.stem}-", dir=scratch))
    if source.engine_table or source.engine_query:
        return _of_engine(workbook, source, con, scratch)
    found = [File(source.label, source.table, path, path.name) for path in files(workbook, source)]
    found = [archives.inside(file, scratch) if file.kind == "zip" else file for file in found]
    kinds = sorted({file.kind for file in found})
    if len(kinds) > 1:
        raise TableError(
            f"{source.label}: the files are of several kinds ({', '.join(kinds)}). "
            f"Declare each kind on its own, as [[tables.{source.table}]]."
        )
    match kinds[0]:
        case "parquet":
            return _parquet(found, con)
        case "excel":
            return _unpacked(con, workbooks.sheets(source, found, scratch / "rows"))
        case "json":
            return _unpacked(con, records.records(found, scratch / "rows"))
        case "xes":
            return _unpacked(con, logs.events(found, scratch / "rows"))
        case _:
            return _text(text(source, found, con=con, scratch=scratch))


def files(workbook: Workbook, source: Source) -> list[Path]:
    """The files of a source, in order of name; a pattern such as ``answers-*.csv`` may stand for several."""
    paths: list[Path] = []
    where = f"under [tables.{source.table}]"
    for pattern in source.files:
        path = workbook.path.parent / pattern
        # A name is a name before it is a pattern: browsers save 'answers[1].csv'.
        # Path.glob refuses a pattern with a root, and a workbook may name its files by one.
        matches = [path] if path.exists() else [Path(match) for match in sorted(glob.glob(str(path)))]  # noqa: PTH207
        if not matches:
            raise TableError(f"{source.label}: there is no file '{pattern}' beside {workbook.path.name}. Correct files {where}.")
        for match in matches:
            if match.is_dir():
                raise TableError(
                    f"{source.table}: '{pattern}' is a folder. Name the files in it, such as files = \"{pattern}/*.csv\" {where}."
                )
            if not match.is_file():
                raise TableError(f"{source.label}: '{match.name}' is no file but a device or a pipe. Correct files {where}.")
        paths += [match for match in matches if match not in paths]
    return paths


class Hashes:
    """The inputs of a workbook, worked out beside the reading of them: what adds up bytes leaves a second processor to others."""

    def __init__(self, workbook: Workbook) -> None:
        self._given_up = threading.Event()
        self._worker = ThreadPoolExecutor(1)
        self._found = self._worker.submit(inputs, workbook, unless=self._given_up.is_set)

    def result(self) -> dict[str, str]:
        """What `inputs` says, once it is known."""
        return self._found.result()

    def stop(self) -> None:
        """Give up what is not known yet: a refusal need not wait for the hash of a large file."""
        self._given_up.set()
        self._worker.shutdown()


def inputs(workbook: Workbook, *, unless: Callable[[], bool] = lambda: False) -> dict[str, str]:
    """Each input by its name beside the workbook, with its SHA-256; what an engine gives cannot be hashed and has ``""``."""
    hashes = {workbook.path.name: _sha256(workbook.path, unless)}
    for source in (export for exports in workbook.sources.values() for export in exports):
        if source.engine_query:
            hashes[f"query of {source.stem}"] = ""
        if source.engine_table:
            hashes[f"table {source.engine_table}"] = ""
        for path in files(workbook, source):
            try:
                name = path.relative_to(workbook.path.parent).as_posix()
            except ValueError:
                name = path.name
            if name not in hashes:
                hashes[name] = _sha256(path, unless)
    return hashes


def _sha256(path: Path, unless: Callable[[], bool]) -> str:
    digest = hashlib.sha256()
    with letters(path.name), path.open("rb") as stream:
        while not unless() and (part := stream.read(_CHUNK)):
            digest.update(part)
    return digest.hexdigest()


def _of_engine(workbook: Workbook, source: Source, con: Backend, scratch: Path) -> Raw:
    """What an engine gives, copied: what is checked is then what is measured."""
    if not workbook.engine.startswith(engines.POSTGRES):
        copy = scratch / "source.parquet"
        engines.through_ibis(workbook, source, copy)
        return _parquet([File(source.label, source.table, copy, "what the engine gave")], con)
    copy, end = scratch / "source.csv", "(end)"
    columns = engines.from_postgres(workbook, source, copy)
    file = File(source.label, source.table, copy, "what the engine gave")
    given = csv_files([file], [*columns, end], con=con, stem=source.stem)
    return _text(replace(given, scan=f"(SELECT * EXCLUDE ({sql.name(end)}) FROM {given.scan})", columns=tuple(columns)))


def _text(found: Text) -> Raw:
    return Raw(found.scan, dict.fromkeys(found.columns, "VARCHAR"), found.unreadable, found.seen)


def _parquet(found: list[File], con: Backend) -> Raw:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = []
    for file in found:
        examined(file)
        try:
            with letters(file.name):
                names.append(pq.read_schema(file.path).names)
        except pa.ArrowException as error:
            raise file.refused(f"is not a Parquet file that can be read: {first_line(error)}") from None
    same(found, names)
    try:
        return _scanned(con, [file.path for file in found], _none)
    except duckdb.Error as error:
        raise found[0].refused(f"is not a Parquet file that can be read: {first_line(error)}") from None


def _unpacked(con: Backend, rows: Rows) -> Raw:
    return _scanned(con, rows.done(), rows.bad)


def _scanned(con: Backend, paths: Sequence[Path], unreadable: Callable[[], pd.DataFrame]) -> Raw:
    """Parquet files with their columns and types; files need not have the same columns."""
    quoted = ", ".join(sql.text(re.sub(r"([*?[])", r"[\1]", str(path))) for path in paths)
    scan = f"read_parquet([{quoted}], union_by_name = true, hive_partitioning = false)"
    types = {name: kind for name, kind, *_ in con.raw_sql(f"DESCRIBE FROM {scan}").fetchall()}
    renamed = {name: apart(name) for name in types if apart(name) != name}
    if renamed:
        pairs = ", ".join(f"{sql.name(old)} AS {sql.name(new)}" for old, new in renamed.items())
        scan = f"(SELECT * RENAME ({pairs}) FROM {scan})"
    return Raw(scan, {renamed.get(name, name): kind for name, kind in types.items()}, unreadable)


def _none() -> pd.DataFrame:
    return pd.DataFrame({"line": pd.Series(dtype="int64"), "problem": pd.Series(dtype=str), "text": pd.Series(dtype=str)})
