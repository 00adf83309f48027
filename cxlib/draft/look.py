"""A first look at an export: how its cells are written down, and the rows that are looked at."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from cxlib.sources import archives, reading, sql, workbooks
from cxlib.sources.declared import Workbook
from cxlib.sources.files import File, examined, letters
from cxlib.sources.source import source
from cxlib.tables import TableError
from cxlib.tables.engine import one_row

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

#: Rows looked at in one export, at most; a guess does not get better by more of them.
ROWS = 200_000
#: Bytes of a text file from which only its beginning is looked at, and how long that is.
WHOLE, FIRST = 64_000_000, 32_000_000
#: Bytes, and records, in which separator, quote and header are looked for.
SNIFFED, RECORDS = 400_000, 2_000

_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
#: Encodings of the five languages, tried where a file is not UTF-8.
_ENCODINGS = ["cp1252", "cp1250", "big5", "utf_16_le", "utf_16_be", "cp1251", "gb18030"]

Records = list[tuple[int, list[str]]]


@dataclass(frozen=True)
class Look:
    """Exports of one shape, and their rows in a table of the engine.

    ``settings`` are those of a ``[tables.…]`` section that say how to read them, where they are not the usual ones; ``unsure`` gives,
    setting by setting, why one of them may be otherwise. ``rows`` were looked at; ``of`` is about how many there are, where that is more.
    """

    paths: tuple[Path, ...]
    table: str
    columns: tuple[str, ...]
    rows: int
    of: int | None
    settings: dict[str, Any]
    unsure: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    unreadable: int = 0


def looks(paths: Sequence[Path], *, con: Backend, scratch: Path) -> list[Look]:
    """Each export, those of one shape together."""
    shapes: dict[tuple[object, ...], Look] = {}
    for path in paths:
        if not path.is_file():
            raise TableError(f"there is no file '{path.name}'. Name the exports to look at.")
        file = File("init", "feedback", path, path.name)
        sheets = workbooks.full(file) if file.kind == "excel" else []
        for sheet in sheets or [""]:
            settings: dict[str, Any] = {"sheet": sheet} if len(sheets) > 1 else {}
            settings |= _header(workbooks.start(file, sheet)) if sheet else {}
            look = _look(file, settings, con=con, scratch=scratch, table=f"look_{len(shapes)}")
            shape = (look.columns, repr(look.settings), path.parent)
            shapes[shape] = _together(shapes[shape], look, con) if shape in shapes else look
    return list(shapes.values())


def _together(seen: Look, look: Look, con: Backend) -> Look:
    """Two exports of one shape; where their rows are too many, those of the first are looked at."""
    con.raw_sql(f"INSERT INTO {seen.table} FROM {look.table} LIMIT {max(0, ROWS - seen.rows)}")
    rows, there = min(ROWS, seen.rows + look.rows), (seen.of or seen.rows) + (look.of or look.rows)
    return replace(seen, paths=(*seen.paths, *look.paths), rows=rows, of=there if there > rows else None)


def _look(file: File, settings: dict[str, Any], *, con: Backend, scratch: Path, table: str) -> Look:
    unsure: dict[str, str] = {}
    labels: list[str] = []
    inner, longer = archives.inside(file, scratch) if file.kind == "zip" else file, 1.0
    if inner.kind == "text":
        settings, unsure, labels = _written(inner)
        inner, longer = _beginning(inner, scratch)
    # Read as the door would read it.
    declared = source("feedback", {"files": inner.path.resolve().as_posix(), **settings}, "init")
    workbook = Workbook(
        path=scratch / "init.toml",
        name="init",
        time_zone="UTC",
        bad_rows_allowed=1.0,
        smallest_group=1,
        journey_goal="",
        engine="duckdb",
        sources={"feedback": (declared,)},
        questions={},
    )
    try:
        raw = reading.raw(workbook, declared, con=con, scratch=scratch)
        cells = ", ".join(f"{sql.name(name)}::VARCHAR AS {sql.name(name)}" for name in raw.types)
        con.raw_sql(f"CREATE OR REPLACE TABLE {table} AS SELECT {cells} FROM {raw.scan}")
        unreadable, columns = len(raw.unreadable()), tuple(raw.types)
    except duckdb.Error as error:
        first = str(error).splitlines()[0][:200]
        raise TableError(f"'{file.name}' cannot be read with the separator and quote that it seems to have: {first}") from None
    rows = one_row(con, f"SELECT count(*) FROM {table}")[0]
    of = round(rows * longer) if longer > 1 or rows > ROWS else None
    if rows > ROWS:  # spread over the file: what is written at its end may be written otherwise
        con.raw_sql(f"DELETE FROM {table} WHERE rowid % {-(-rows // ROWS)} <> 0")
        rows = one_row(con, f"SELECT count(*) FROM {table}")[0]
    return Look((file.path,), table, columns, rows, of, settings, unsure, dict(zip(columns, labels, strict=False)), unreadable)


def _written(file: File) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """How a text file is written down: the settings, what is unsure of them, and the longer names some tools put below the header."""
    with letters(file.name), file.opened() as stream:
        start = stream.read(SNIFFED)
    cut = len(start) == SNIFFED
    encoding = _encoding(start, cut=cut)
    examined(file, encoding=encoding)
    separator, quote, records = _cut(start.decode(encoding, errors="replace").lstrip("\ufeff"), cut=cut)
    if not separator:
        raise TableError(
            f"'{file.name}' has one column, or columns separated by something else than a comma, a semicolon, a tab, a bar or blanks. "
            "Export it with one of these between its columns, and with a line of names above them."
        )
    written = {"encoding": encoding, "separator": separator, "quote": quote}
    usual = {"encoding": "utf-8", "separator": ",", "quote": '"'}
    settings: dict[str, Any] = {name: value for name, value in written.items() if value != usual[name]} | _header(records)
    unsure = (
        {}
        if encoding.startswith("utf")
        else {"encoding": "not UTF-8; the bytes fit this. Look whether letters with accents come out right"}
    )
    header = settings.get("header", 1)
    at = [line for line, _ in records].index(header[0] if isinstance(header, list) else header)
    names = records[at][1]
    # Without a line of names nobody can say which column is which, and what people wrote would be taken for a name.
    data = [cell for cell in names if re.fullmatch(r"\s*([+-]?[\d.,:/ -]+|[^@\s]+@[^@\s]+)\s*", cell)]
    if 2 * len(data) > len(names) or any("@" in cell for cell in data) or max(map(len, names)) > 400:
        raise TableError(f"'{file.name}' has no line of names above its columns, so which is which cannot be told. Write one.")
    return settings, unsure, records[at + 1][1] if "skip_after_header" in settings else []


def _encoding(start: bytes, *, cut: bool) -> str:
    if marked := next((name for mark, name in _BOMS.items() if start.startswith(mark)), None):
        return marked
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start, final=not cut)
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = from_bytes(start, cp_isolation=_ENCODINGS).best()
        return codecs.lookup(best.encoding).name if best else "cp1252"
    return "utf-8"


def _cut(text: str, *, cut: bool) -> tuple[str, str, Records]:
    """Separator, quote, and the first records with the line each starts on: the pair under which most records are equally long."""
    best: tuple[tuple[float, int], str, str, Records] = ((0.0, 0), "", '"', [])
    pairs = [(separator, quote) for separator in ",;\t|" for quote in ('"', "'", "")]
    for separator, quote in [*pairs, ("blanks", "")]:
        unquoted = quote == "'" and not re.search(rf"(^|{re.escape(separator)})'", text, flags=re.MULTILINE)
        if unquoted or (separator == "blanks" and best[1]):
            continue
        records = _records(text, separator, quote)
        records = records[:-1] if cut and len(records) > 1 else records
        widths = Counter(len(record) for _, record in records if any(cell.strip() for cell in record))
        wide, often = max(widths.items(), key=lambda pair: (pair[1] * (pair[0] > 1), pair[0]), default=(0, 0))
        # Without quotes a file is cut better only where a quote is a character like others.
        fit = (round(often / (widths.total() or 1), 3), wide if quote else min(wide, 2))
        if wide > 1 and fit[0] >= 0.8 and fit > best[0]:
            best = (fit, separator, quote, records)
    return best[1:]


def _records(text: str, separator: str, quote: str) -> Records:
    if separator == "blanks":
        return [(line, cells.split()) for line, cells in enumerate(text.splitlines()[:RECORDS], start=1)]
    records: Records = []
    quoting: Any = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
    reader, line = csv.reader(io.StringIO(text, newline=""), delimiter=separator, quotechar=quote or None, quoting=quoting), 1
    with suppress(csv.Error):  # what is read until then is enough to judge by; the rest is the reader's to refuse
        for record in islice(reader, RECORDS):
            records.append((line, record))
            line = reader.line_num + 1
    return records


def _header(records: Records) -> dict[str, Any]:
    """Where the names of the columns stand: below a title, on two lines, or with lines below them that are no data."""
    filled = [sum(bool(cell.strip()) for cell in record) for _, record in records]
    wide = Counter(len(record) for _, record in records).most_common(1)[0][0]
    # A title has a cell or two; of names on two lines the upper may have few, but never so few.
    start = next((place for place, (_, record) in enumerate(records) if len(record) == wide and filled[place] >= min(3, max(filled))), 0)
    (line, upper), *below = records[start : start + 3]
    found: dict[str, Any] = {"header": line} if line > 1 else {}
    if len(below) == 2 and any(cell.strip().startswith('{"ImportId"') for cell in below[1][1]):
        return found | {"skip_after_header": 2}
    lower = below[0][1] if below and below[0][0] == line + 1 else []
    # The second line goes on with the names of the first: it names what has no name, and says nothing of the first column.
    words = [cell for cell in lower if cell.strip()]
    named = upper[0].strip() and words and not lower[0].strip() and all(re.search(r"[^\W\d_]", cell) for cell in words)
    if named and (len(words) > 1 or any(low.strip() and not up.strip() for up, low in zip(upper, lower, strict=False))):
        return {"header": [line, line + 1]}
    return found


def _beginning(file: File, scratch: Path) -> tuple[File, float]:
    """The file, or where it is large its beginning; and how many times longer the file is."""
    with letters(file.name), file.opened() as stream:
        first = stream.read(WHOLE + 1)
    if len(first) <= WHOLE:
        return file, 1.0
    first = first[: first.rindex(b"\n", 0, FIRST) + 1]
    beginning = scratch / file.path.name.removesuffix(".gz")
    beginning.write_bytes(first)
    # How much longer a packed file is than its beginning cannot be known without unpacking it: four to one is usual.
    return replace(file, path=beginning), file.path.stat().st_size * (4 if file.packed else 1) / len(first)
