"""Files and engine tables as they are: every cell as text (or as the engine's own type), no row lost unseen."""

from __future__ import annotations

import codecs
import csv
import glob
import gzip
import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import duckdb
import pandas as pd

from cxlib.sources import sql
from cxlib.sources.declared import Source, Workbook
from cxlib.tables import TableError

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

#: The column that numbers the rows of a source, from 1.
ROW = "row"


_WHY = {
    "MISSING COLUMNS": "the line has too few cells",
    "TOO MANY COLUMNS": "the line has too many cells",
    "UNQUOTED VALUE": "a quote in the line does not close",
    "LINE SIZE OVER MAXIMUM": "the line is longer than 2 MB",
    "INVALID ENCODING": "the line is not in the declared encoding",
}


@dataclass(frozen=True)
class Raw:
    """An export before the door: what can be selected from, its columns with their types, and the lines that are no rows.

    ``unreadable`` is asked once the rows were read; it gives ``line``, ``problem`` and ``text`` of each such line.
    """

    scan: str
    types: Mapping[str, str]
    unreadable: Callable[[], pd.DataFrame]


def raw(workbook: Workbook, source: Source, *, con: Backend, scratch: Path) -> Raw:
    """The rows of an export, unchanged."""
    if source.engine_table:
        return _engine_table(workbook, source, con, scratch)
    paths = files(workbook, source)
    if all(path.suffix == ".parquet" for path in paths):
        return _parquet(source, con, paths)
    return _csv(source, con, paths, scratch)


def files(workbook: Workbook, source: Source) -> list[Path]:
    """The files of a source, in order of name; a pattern such as ``answers-*.csv`` may stand for several."""
    paths: list[Path] = []
    for pattern in source.files:
        # Path.glob refuses a pattern with a root, and a workbook may name its files by one.
        matches = sorted(glob.glob(str(workbook.path.parent / pattern)))  # noqa: PTH207
        if not matches:
            raise TableError(
                f"{source.label}: there is no file '{pattern}' beside {workbook.path.name}. Correct files under [tables.{source.table}]."
            )
        paths += [Path(match) for match in matches if Path(match) not in paths]
    return paths


def inputs(workbook: Workbook) -> dict[str, str]:
    """Each input by its name beside the workbook, with its SHA-256; an engine's table cannot be hashed and has ``""``."""
    hashes = {workbook.path.name: _sha256(workbook.path)}
    for source in (export for exports in workbook.sources.values() for export in exports):
        if source.engine_table:
            hashes[f"table {source.engine_table}"] = ""
            continue
        for path in files(workbook, source):
            try:
                name = path.relative_to(workbook.path.parent).as_posix()
            except ValueError:
                name = path.name
            hashes.setdefault(name, _sha256(path))
    return hashes


def _sha256(path: Path) -> str:
    with _letters(path), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _letters(path: Path) -> Iterator[None]:
    """What the system says of a file, as a letter without its folder."""
    try:
        yield
    except OSError as error:
        raise TableError(f"'{path.name}' cannot be read: {error.strerror or 'the file is damaged'}.") from None


def _engine_table(workbook: Workbook, source: Source, con: Backend, scratch: Path) -> Raw:
    """A table of the workbook's engine, copied batch by batch: what is checked is then what is measured."""
    import ibis
    from ibis.common.exceptions import IbisError, TableNotFound

    name = source.engine_table or ""
    where = f"{workbook.path.name} [tables.{source.table}]"
    url = workbook.engine
    if url == "duckdb":
        raise TableError(
            f'{where}: a table is named and the workbook has no engine. Write engine = "duckdb:///company.db" under [workbook].'
        )
    if url.startswith("duckdb:///"):
        file = workbook.path.parent / url.removeprefix("duckdb:///")
        if not file.is_file():
            raise TableError(f"{where}: there is no database '{file.name}' beside {workbook.path.name}. Correct engine under [workbook].")
        url = f"duckdb://{file}?read_only=True"
    try:
        engine = ibis.connect(url)
    except Exception as error:  # noqa: BLE001 - each driver has errors of its own, and none may reach the reader as a dump
        raise TableError(f"{where}: the engine '{workbook.engine.split('@')[-1]}' does not answer: {_first_line(error)}") from None
    try:
        copy = scratch / f"{source.stem}.source.parquet"
        engine.table(name).to_parquet(copy)
    except (IbisError, TableNotFound):
        raise TableError(f"{where}: the engine has no table '{name}'. Correct table.") from None
    finally:
        engine.disconnect()
    return _parquet(source, con, [copy])


def _parquet(source: Source, con: Backend, paths: list[Path]) -> Raw:
    scan = f"read_parquet([{', '.join(sql.text(str(path)) for path in paths)}])"
    try:
        types = {name: kind for name, kind, *_ in con.raw_sql(f"DESCRIBE FROM {scan}").fetchall()}
    except duckdb.Error as error:
        raise TableError(f"{source.label}: {paths[0].name} is not a Parquet file that can be read: {_first_line(error)}") from None
    if ROW in types:
        scan = f"(SELECT * RENAME ({sql.name(ROW)} AS {sql.name(f'{ROW} (in the file)')}) FROM {scan})"
        types = {f"{ROW} (in the file)" if name == ROW else name: kind for name, kind in types.items()}
    return Raw(scan, types, _no_rows)


def _csv(source: Source, con: Backend, paths: list[Path], scratch: Path) -> Raw:
    """CSV files, every cell as text; lines that are no rows are kept as unreadable, with the reason.

    The header is read here and handed over, since a reader that looks for it itself may take a broken
    first line for it, and lose a row in silence.
    """
    headers = [_header(source, path) for path in paths]
    for path, header in zip(paths[1:], headers[1:], strict=True):
        if header != headers[0]:
            odd = sorted(set(header) ^ set(headers[0])) or ["their order"]
            raise TableError(f"{source.label}: {path.name} has other columns than {paths[0].name} ({', '.join(odd[:3])}).")
    columns = headers[0]
    readable = [_as_utf8(source, path, scratch) for path in paths]
    names = ", ".join(f"{sql.text(name)}: 'VARCHAR'" for name in columns)
    quote = sql.text(source.quote)
    scan = (
        f"read_csv([{', '.join(sql.text(str(path)) for path in readable)}], auto_detect = false, columns = {{{names}}}, header = true, "
        f"delim = {sql.text(source.separator)}, quote = {quote}, escape = {quote}, store_rejects = true, rejects_limit = 0)"
    )
    con.raw_sql("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")

    def unreadable() -> pd.DataFrame:
        lines: pd.DataFrame = con.raw_sql(
            "SELECT line, error_type AS why, csv_line AS text FROM reject_errors "
            "QUALIFY row_number() OVER (PARTITION BY file_id, line ORDER BY error_type) = 1 ORDER BY file_id, line"
        ).df()
        open_quotes = lines[(lines["why"] == "UNQUOTED VALUE") & lines["text"].str.rstrip().str.contains("\n")]
        if len(open_quotes):
            line = open_quotes["line"].iloc[0]
            raise TableError(
                f"{source.label}: in {paths[0].name} a quote that opens on line {line} is never closed, "
                "so the rows after it cannot be told apart. Close it."
            )
        return lines.assign(problem=lines["why"].map(_WHY).fillna("the line cannot be read"))

    return Raw(scan, dict.fromkeys(columns, "VARCHAR"), unreadable)


def _no_rows() -> pd.DataFrame:
    return pd.DataFrame({"line": pd.Series(dtype="int64"), "problem": pd.Series(dtype=str), "text": pd.Series(dtype=str)})


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _header(source: Source, path: Path) -> list[str]:
    """The names of the columns; blanks around them are dropped, an empty or doubled name is refused."""
    encoding = "utf-8-sig" if _is_utf8(source.encoding) else source.encoding
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise TableError(f"{source.label}: encoding '{source.encoding}' is not known. Examples: utf-8, cp1252, utf-16, big5.") from None
    try:
        with _letters(path), _opened(path) as stream:
            # Only the header is judged here: what follows it is decoded, line by line, by the reader of the rows.
            text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")
            names = next(csv.reader(text, delimiter=source.separator, quotechar=source.quote), None)
    except (UnicodeError, csv.Error, EOFError) as error:
        raise TableError(f"{source.label}: the header of {path.name} cannot be read: {_first_line(error)}") from None
    if not names:
        raise TableError(f"{source.label}: {path.name} is empty; not even a header is there.")
    names = [name.strip() for name in names]
    if any("\ufffd" in name for name in names):
        raise TableError(
            f'{source.label}: the header of {path.name} is not {source.encoding}. Declare encoding = "…" under [tables.{source.table}].'
        )
    doubled = sorted({name for name in names if names.count(name) > 1 and name})
    if doubled:
        raise TableError(
            f"{source.label}: {path.name} has {names.count(doubled[0])} columns called '{doubled[0]}'; "
            "which one is meant cannot be told. Rename them."
        )
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|,"):
        mark = next(mark for mark in ";\t|," if mark in names[0])
        raise TableError(
            f"{source.label}: {path.name} has a single column called '{names[0][:60]}'. "
            f"Is the separator {mark!r}? Declare it: separator = {mark!r} under [tables.{source.table}]."
        )
    names = [name or f"(column {place})" for place, name in enumerate(names, start=1)]
    return [f"{ROW} (in the file)" if name == ROW else name for name in names]


def _is_utf8(encoding: str) -> bool:
    return encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig")


def _as_utf8(source: Source, path: Path, scratch: Path) -> Path:
    """The file itself where it is UTF-8, otherwise a private copy that is."""
    if _is_utf8(source.encoding):
        return path
    copy = scratch / f"{source.stem}-{path.name.removesuffix('.gz')}.utf8"
    reader = codecs.getreader(source.encoding)
    try:
        with _letters(path), _opened(path) as stream, copy.open("w", encoding="utf-8", newline="") as out:
            text = reader(stream)
            while part := text.read(1 << 20):
                out.write(part)
    except UnicodeError as error:
        raise TableError(
            f"{source.label}: {path.name} is not {source.encoding} throughout: {_first_line(error)} "
            f"Declare its encoding under [tables.{source.table}]."
        ) from None
    return copy


def _first_line(error: BaseException) -> str:
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return line.rstrip(".")[:200] + "."
