"""A first look at an export: how its cells are written down, and the rows that are looked at."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from cxlib.draft.toml import inline
from cxlib.sources import archives, reading, sql, workbooks
from cxlib.sources.declared import Source, Workbook, declared
from cxlib.sources.files import File, examined, letters
from cxlib.tables import TableError

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

#: Rows looked at in one export, at most; a guess does not get better by more of them.
ROWS = 200_000
#: Bytes of a text file from which it is looked at in parts, and how large the first part and each later one is.
WHOLE, FIRST, PART, PARTS = 64_000_000, 16_000_000, 2_000_000, 16
#: Bytes in which separator, quote and header are looked for.
SNIFFED = 400_000
#: The column that numbers the rows while they are chosen.
_PLACE = "(place among the rows)"

_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


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
    settings: dict[str, object]
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
            settings = {"sheet": sheet} if len(sheets) > 1 else {}
            look = _look(file, sheet, settings, con=con, scratch=scratch, table=f"look_{len(shapes)}")
            shape = (look.columns, repr(look.settings), path.parent)
            shapes[shape] = _together(shapes[shape], look, con) if shape in shapes else look
    return list(shapes.values())


def _together(seen: Look, look: Look, con: Backend) -> Look:
    """Two exports of one shape; where their rows are too many, those of the first are looked at."""
    con.raw_sql(f"INSERT INTO {sql.name(seen.table)} FROM {sql.name(look.table)} LIMIT {max(0, ROWS - seen.rows)}")
    rows, there = min(ROWS, seen.rows + look.rows), (seen.of or seen.rows) + (look.of or look.rows)
    return replace(seen, paths=(*seen.paths, *look.paths), rows=rows, of=there if there > rows else None)


def _look(file: File, sheet: str, settings: dict[str, object], *, con: Backend, scratch: Path, table: str) -> Look:
    unsure: dict[str, str] = {}
    labels: list[str] = []
    inner, about = archives.inside(file, scratch) if file.kind == "zip" else file, 1.0
    if inner.kind == "excel":
        settings |= _header(workbooks.start(inner, sheet))
    if inner.kind == "text":
        with letters(inner.name), inner.opened() as stream:
            start = stream.read(SNIFFED)
        encoding = _encoding(start, len(start) == SNIFFED)
        examined(inner, encoding=encoding)
        settings, unsure, labels = _written(inner, start, encoding)
        inner, about = _excerpt(inner, encoding, scratch)
    try:
        raw = reading.raw(*_declared(inner.path, settings, scratch), con=con, scratch=scratch)
        columns = tuple(raw.types)
        cells = ", ".join(f"{sql.name(name)}::VARCHAR AS {sql.name(name)}" for name in columns)
        numbered = f"(SELECT *, row_number() OVER () AS {sql.name(_PLACE)} FROM {raw.scan})"
        con.raw_sql(f"CREATE OR REPLACE TABLE {table} AS SELECT {cells}, {sql.name(_PLACE)} FROM {numbered}")
        unreadable = len(raw.unreadable())
    except duckdb.Error as error:
        first = str(error).splitlines()[0][:200]
        raise TableError(f"'{file.name}' cannot be read with the separator and quote that it seems to have: {first}") from None
    total = _rows(con, table)
    every = -(-total // ROWS) or 1
    con.raw_sql(f"DELETE FROM {table} WHERE {sql.name(_PLACE)} % {every} <> 0")
    con.raw_sql(f"ALTER TABLE {table} DROP COLUMN {sql.name(_PLACE)}")
    of = round(total * about) if about > 1 or every > 1 else None
    named = dict(zip(columns, labels, strict=False))
    return Look((file.path,), table, columns, _rows(con, table), of, settings, unsure, named, unreadable)


def _rows(con: Backend, table: str) -> int:
    return int(con.raw_sql(f"SELECT count(*) FROM {table}").fetchone()[0])


def _declared(path: Path, settings: dict[str, object], scratch: Path) -> tuple[Workbook, Source]:
    """The workbook and the source that the door would make of these settings."""
    lines = ["[tables.feedback]", f"files = {inline(path.resolve().as_posix())}"]
    lines += [f"{name} = {inline(value)}" for name, value in settings.items()]
    place = scratch / "look.toml"
    place.write_text("\n".join(lines) + "\n", encoding="utf-8")
    workbook = declared(place)
    return workbook, workbook.sources["feedback"][0]


def _written(file: File, start: bytes, encoding: str) -> tuple[dict[str, object], dict[str, str], list[str]]:
    """How a text file is written down: the settings, what is unsure of them, and the longer names some tools put below the header."""
    settings: dict[str, object] = {}
    unsure: dict[str, str] = {}
    if encoding != "utf-8":
        settings["encoding"] = encoding
        if not encoding.startswith("utf"):
            unsure["encoding"] = "the file is not UTF-8; its bytes fit this one. Look whether letters with accents come out right"
    text = start.decode(encoding, errors="replace").lstrip("\ufeff")
    separator, quote, records = _cut(text, cut=len(start) == SNIFFED)
    if separator is None or not records:
        raise TableError(
            f"'{file.name}' has one column, or columns separated by something else than a comma, a semicolon, a tab, a bar or blanks. "
            "Export it with one of these between its columns, and with a line of names above them."
        )
    if separator != ",":
        settings["separator"] = separator
    if quote != '"':
        settings["quote"] = quote
    settings |= _header(records)
    header = settings.get("header", 1)
    at = [line for line, _ in records].index(header[0] if isinstance(header, list) else header)
    _refuse_data_as_names(file.name, records[at][1])
    return settings, unsure, records[at + 1][1] if "skip_after_header" in settings else []


def _encoding(start: bytes, cut: bool) -> str:
    for mark, name in _BOMS.items():
        if start.startswith(mark):
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start, final=not cut)
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = from_bytes(start, cp_isolation=["cp1252", "cp1250", "big5", "utf_16_le", "utf_16_be", "cp1251", "gb18030"]).best()
        return codecs.lookup(best.encoding).name if best else "cp1252"
    return "utf-8"


def _cut(text: str, *, cut: bool) -> tuple[str | None, str, list[tuple[int, list[str]]]]:
    """Separator, quote, and the first records with the line each starts on: the pair under which most records are equally long."""
    best: tuple[float, int, str | None, str, list[tuple[int, list[str]]]] = (0.0, 0, None, '"', [])
    for separator in (",", ";", "\t", "|", "blanks"):
        for quote in ('"', "'", "") if separator != "blanks" else ("",):
            if (quote == "'" and not re.search(rf"(^|{re.escape(separator)})'", text, flags=re.MULTILINE)) or (
                separator == "blanks" and best[1]
            ):
                continue
            records = _records(text, separator, quote)
            records = records[:-1] if cut and len(records) > 1 else records
            widths = Counter(len(record) for _, record in records if any(cell.strip() for cell in record))
            wide, often = max(widths.items(), key=lambda pair: (pair[1] * (pair[0] > 1), pair[0]), default=(0, 0))
            # Without quotes a file is cut better only where a quote is a character like others.
            fit = (round(often / (widths.total() or 1), 3), wide if quote else min(wide, 2))
            if wide > 1 and fit[0] >= 0.8 and fit > best[:2]:
                best = (*fit, separator, quote, records)
    return best[2:]


def _records(text: str, separator: str, quote: str) -> list[tuple[int, list[str]]]:
    if separator == "blanks":
        return [(line, cells.split()) for line, cells in enumerate(text.splitlines()[:2_000], start=1)]
    stream, records, line = io.StringIO(text, newline=""), [], 1
    reader = csv.reader(stream, delimiter=separator, quotechar=quote or None, quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE)
    try:
        for record in reader:
            records.append((line, record))
            line = reader.line_num + 1
            if len(records) == 2_000:
                break
    except csv.Error:
        pass  # what was read so far is enough to judge by; the rest is the reader's to refuse
    return records


def _header(records: list[tuple[int, list[str]]]) -> dict[str, object]:
    """Where the names of the columns stand: below a title, on two lines, or with lines below them that are no data."""
    filled = [sum(bool(cell.strip()) for cell in record) for _, record in records]
    wide = Counter(len(record) for _, record in records).most_common(1)[0][0]
    # A title has a cell or two; of names on two lines the upper may have few, but never so few.
    start = next((place for place, (_, record) in enumerate(records) if len(record) == wide and filled[place] >= min(3, max(filled))), 0)
    line, names = records[start]
    found: dict[str, object] = {"header": line} if line > 1 else {}
    below = records[start + 1 : start + 3]
    if len(below) == 2 and any(cell.strip().startswith('{"ImportId"') for cell in below[1][1]):
        return found | {"skip_after_header": 2}
    if below and below[0][0] == line + 1 and _continues(names, below[0][1]):
        return {"header": [line, line + 1]}
    return found


def _refuse_data_as_names(name: str, names: list[str]) -> None:
    """Without a line of names nobody can say which column is which, and what people wrote would be taken for a name."""
    data = [cell for cell in names if re.fullmatch(r"\s*([+-]?[\d.,:/ -]+|[^@\s]+@[^@\s]+)\s*", cell)]
    if 2 * len(data) > len(names) or any("@" in cell for cell in data) or max(map(len, names)) > 400:
        raise TableError(f"'{name}' has no line of names above its columns, so which is which cannot be told. Write one.")


def _continues(upper: list[str], lower: list[str]) -> bool:
    """Whether the second line goes on with the names of the first: it names what has no name, and says nothing of the first column."""
    unnamed = any(low.strip() and not up.strip() for up, low in zip(upper, lower, strict=False))
    said = [cell for cell in lower if cell.strip()]
    if not upper[0].strip() or not said or lower[0].strip() or not all(re.search(r"[^\W\d_]", cell) for cell in said):
        return False
    return unnamed or len(said) > 1


def _excerpt(file: File, encoding: str, scratch: Path) -> tuple[File, float]:
    """The file, or where it is large its beginning and parts spread over the rest; and how many times longer the file is."""
    with letters(file.name), file.opened() as stream:
        first = stream.read(WHOLE + 1)
        if len(first) <= WHOLE:
            return file, 1.0
        parts = [first[: first.rindex(b"\n", 0, FIRST) + 1]]
        size = file.path.stat().st_size
        # A part that starts within a cell of several lines is cut wrong: where there are quotes, or it is packed, only the beginning is.
        plain = not file.packed and not encoding.startswith("utf-16") and b'"' not in parts[0]
        for number in range(PARTS if plain else 0):
            stream.seek(FIRST + (size - FIRST - PART) * number // PARTS)
            part = stream.read(PART)
            parts.append(part[part.index(b"\n") + 1 : part.rindex(b"\n") + 1] if part.count(b"\n") > 1 else b"")
    excerpt = scratch / file.path.name.removesuffix(".gz")
    excerpt.write_bytes(b"".join(parts))
    # How much longer a packed file is than its beginning cannot be known without unpacking it: four to one is usual.
    return replace(file, path=excerpt), size * (4 if file.packed else 1) / sum(map(len, parts))
