"""CSV and other text with a row a line: DuckDB reads the rows, the header is read here."""

from __future__ import annotations

import codecs
import csv
import functools
import io
import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.sources import sql
from cxlib.sources.declared import Source
from cxlib.sources.files import File, examined, first_line, letters
from cxlib.sources.look import NOTHING_SEEN, PART, Look, Seen
from cxlib.sources.names import named, same
from cxlib.sources.said import legible, quoted
from cxlib.tables import TableError

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

#: The separator of columns that are set apart by one blank or more, as in listings of fixed width.
BLANKS = "blanks"
_CHUNK = 1 << 20
#: As many as a sheet of Excel can have.
_MOST_COLUMNS = 16_384
#: A cell with line breaks that is longer than this is no cell: a quote was left open.
_LONGEST_CELL = 1_500_000

_WHY = {
    "MISSING COLUMNS": "the line has too few cells",
    "TOO MANY COLUMNS": "the line has too many cells",
    "UNQUOTED VALUE": "a quote in the line does not close",
    "LINE SIZE OVER MAXIMUM": "the line is longer than 2 MB",
    "INVALID ENCODING": "the line is not in the declared encoding",
}


@dataclass(frozen=True)
class Text:
    """Text files that can be read: what DuckDB selects from, the columns, and the lines that are no rows, asked afterwards."""

    scan: str
    columns: tuple[str, ...]
    unreadable: Callable[[], pd.DataFrame]
    seen: Seen = NOTHING_SEEN


def text(source: Source, files: list[File], *, con: Backend, scratch: Path) -> Text:
    """Text files, every cell as text.

    The header is read here and passed over by its number of records, since a reader that looks for it
    itself may take a broken first line for it, and lose a row in silence.
    """
    are_utf8 = [examined(file, encoding=source.encoding) for file in files]
    if not _is_utf8(source.encoding):
        files, are_utf8 = [_utf8(source, file, scratch) for file in files], [True]
    delimiter, quote = ("\t", "") if source.separator == BLANKS else (source.separator, source.quote)
    if source.separator == BLANKS:
        files = [_tabbed(file, scratch) for file in files]
    headers = [_header(source, file, delimiter, quote) for file in files]
    same(files, headers)
    skip = max(source.header) + source.skip_after_header
    seen = [_passed_over(file, delimiter, quote, Look(delimiter, quote, header=skip > 0)) for file in files]
    found = csv_files(files, headers[0], con=con, stem=source.stem, skip=skip, delimiter=delimiter, quote=quote)
    if all(are_utf8):
        return replace(found, seen=functools.reduce(operator.and_, seen))
    # DuckDB judges the encoding of the columns that are asked for only. A condition on all of them makes it judge
    # all, so that every reading of the file passes over the same lines.
    cells = ", ".join(map(sql.name, headers[0]))
    return replace(found, scan=f"(FROM {found.scan} WHERE length(concat({cells})) >= 0)")


def csv_files(
    files: list[File], columns: list[str], *, con: Backend, stem: str, skip: int = 0, delimiter: str = ",", quote: str = '"'
) -> Text:
    """CSV files as DuckDB reads them; what is wrong with a line goes into a table of its own for each source."""
    # DuckDB takes brackets and stars in a name for a pattern.
    paths = ", ".join(sql.text(re.sub(r"([*?[])", r"[\1]", str(file.path))) for file in files)
    names = ", ".join(f"{sql.text(name)}: 'VARCHAR'" for name in columns)
    rejects, scans = f"rejects_{stem}", f"scans_{stem}"
    con.raw_sql(f"DROP TABLE IF EXISTS {sql.name(rejects)}; DROP TABLE IF EXISTS {sql.name(scans)}")
    # Never raise max_line_size: DuckDB's buffers are a multiple of it, for each thread.
    scan = (
        f"read_csv([{paths}], auto_detect = false, columns = {{{names}}}, header = false, skip = {skip}, "
        f"delim = {sql.text(delimiter)}, quote = {sql.text(quote)}, escape = {sql.text(quote)}, store_rejects = true, rejects_limit = 0, "
        f"rejects_table = {sql.text(rejects)}, rejects_scan = {sql.text(scans)})"
    )

    def unreadable() -> pd.DataFrame:
        # A line has one reason, however often the file was read.
        lines = con.raw_sql(
            f"SELECT line, error_type AS why, csv_line AS text FROM {sql.name(rejects)} "
            "QUALIFY row_number() OVER (PARTITION BY file_id, line ORDER BY error_type) = 1 ORDER BY file_id, line"
        ).df()
        open_quotes = lines[(lines["why"] == "UNQUOTED VALUE") & lines["text"].str.rstrip().str.contains("\n")]
        if len(open_quotes):
            raise _never_closed(files[0], int(open_quotes["line"].iloc[0]))
        whole: pd.DataFrame = lines.assign(problem=lines["why"].map(_WHY).fillna("the line cannot be read"))
        return whole

    return Text(scan, tuple(columns), unreadable)


def _header(source: Source, file: File, delimiter: str, quote: str) -> list[str]:
    """The names of the columns, from the declared lines; a line is counted as a spreadsheet counts its rows."""
    quoting = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
    last = max(source.header, default=0)
    try:
        with letters(file.name), io.TextIOWrapper(file.opened(), encoding="utf-8-sig", errors="replace", newline="") as stream:
            lines = list(islice(csv.reader(stream, delimiter=delimiter, **quoting), max(last, 1)))
    except csv.Error as error:
        raise file.refused(f"has a header that cannot be read: {first_line(error)} Check separator and quote.") from None
    if len(lines) < last:
        raise file.refused(
            f"has {len(lines)} lines, and the header is declared on line {last}. Correct header under [tables.{source.table}]."
        )
    if not last:
        return named([], width=len(lines[0]))
    header = [lines[line - 1] for line in source.header]
    if not any(cell.strip() for line in header for cell in line):
        raise file.refused(f"has nothing on line {last}, where its header should be. Declare the right line: header = 2.")
    if any("\ufffd" in cell for line in header for cell in line):
        raise file.refused(f'has a header that is not {source.encoding}. Declare encoding = "…" under [tables.{source.table}].')
    width = max(map(len, header))
    if width > _MOST_COLUMNS:
        raise file.refused(
            f"has a header of {width:,} names. No table has more than {_MOST_COLUMNS:,}: values seem to stand where names belong."
        )
    names = named(header)
    if len(names) == 1 and (mark := next((mark for mark in ";\t|," if mark in names[0]), None)):
        raise file.refused(
            f"has a single column called '{legible(names[0])}'. "
            f"Is the separator {quoted(mark)}? Declare it: separator = {quoted(mark)} under [tables.{source.table}]."
        )
    return names


def _is_utf8(encoding: str) -> bool:
    return encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig")


def _utf8(source: Source, file: File, scratch: Path) -> File:
    """The file itself where it is UTF-8, otherwise a private copy that is."""
    encoding = source.encoding
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise TableError(f"{source.label}: encoding '{encoding}' is not known. Examples: utf-8, cp1252, utf-16, big5.") from None
    declare = f"Declare its encoding under [tables.{source.table}]."
    copy = scratch / f"{file.path.name.removesuffix('.gz')}.{len(list(scratch.iterdir()))}.utf8"
    is_utf8, place = _Utf8(), 0
    try:
        with letters(file.name), file.opened() as stream, copy.open("w", encoding="utf-8", newline="") as out:
            decoder = codecs.getincrementaldecoder(encoding)()
            while part := stream.read(_CHUNK):
                is_utf8.see(part)
                decoded = decoder.decode(part)
                if b"\n" in part and b"\0" not in part and "\n" not in decoded:
                    raise file.refused(f"is not {encoding}: read so, it has no line ends. {declare}")
                out.write(decoded)
                place += len(part)
            out.write(decoder.decode(b"", final=True))
    except UnicodeError as error:
        raise file.refused(f"is not {encoding} throughout (near byte {place + getattr(error, 'start', 0) + 1:,}). {declare}") from None
    if is_utf8.surely:
        raise file.refused(f"is UTF-8, not {encoding}: read so, its letters with accents would be garbled. Remove encoding.")
    return File(file.label, file.table, copy, file.name)


class _Utf8:
    """Whether bytes with letters beyond ASCII are UTF-8 throughout; other encodings practically never are."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._valid, self._beyond = True, False

    def see(self, part: bytes) -> None:
        if self._valid:
            self._beyond = self._beyond or not part.isascii()
            try:
                self._valid = "\0" not in self._decoder.decode(part)
            except UnicodeDecodeError:
                self._valid = False

    @property
    def surely(self) -> bool:
        return self._valid and self._beyond


def _tabbed(file: File, scratch: Path) -> File:
    """A private copy in which one tab stands for every run of blanks, and lines have no blanks around them."""
    copy = scratch / f"{file.path.name}.{len(list(scratch.iterdir()))}.tabs"
    rest = b""
    with letters(file.name), file.opened() as stream, copy.open("wb") as out:
        while part := stream.read(_CHUNK):
            *lines, rest = (rest + part).split(b"\n")
            out.writelines(b"\t".join(line.split()) + b"\n" for line in lines)
        out.write(b"\t".join(rest.split()))
    return File(file.label, file.table, copy, file.name)


def _passed_over(file: File, delimiter: str, quote: str, look: Look) -> Seen:
    """What all bytes of a file say; refuse a quote that opens and is not closed for a long way.

    DuckDB never ends with such a one, or loses rows in silence. A pass that only counts quotes raises the suspicion;
    quotes inside a cell, as in ``5" pipe``, raise it as well, so that a second, slower pass tells which it is.
    """
    mark, seen, place, before = quote.encode(), 0, 0, 0
    with letters(file.name), file.opened() as stream:
        while part := stream.read(PART):
            look.see(part)
            if not quote:
                continue
            first = part.find(mark)
            gap = place + (len(part) if first < 0 else first) - before
            if seen % 2 and gap > _LONGEST_CELL:
                break
            if first >= 0:
                # Where there are many, to compare all bytes takes a third of going from one to the next.
                seen += int(np.count_nonzero(np.frombuffer(part, dtype=np.uint8) == mark[0]))
                before = place + part.rfind(mark)
            place += len(part)
        else:
            return look.seen()
    with letters(file.name), file.opened() as stream:
        line = _open_at(stream, delimiter.encode(), mark)
    if line:
        raise _never_closed(file, line)
    return NOTHING_SEEN


def _open_at(lines: Iterable[bytes], delimiter: bytes, mark: bytes) -> int | None:
    """The line on which a quoted cell begins that is longer than any cell should be."""
    since, length = 0, 0
    for number, line in enumerate(lines, start=1):
        length += len(line)
        if not since and mark in line and _stays_open(line, delimiter, mark, opened=False):
            since, length = number, 0
        elif since and length > _LONGEST_CELL:
            return since
        elif since and mark in line and not _stays_open(line, delimiter, mark, opened=True):
            since = 0
    return None


def _stays_open(line: bytes, delimiter: bytes, mark: bytes, *, opened: bool) -> bool:
    """Whether a quoted cell is open at the end of a line, given whether one was at its beginning."""
    place = 0
    if not opened:
        opened, place = line.startswith(mark), 1
    while True:
        while opened:
            place = line.find(mark, place) + 1
            if not place:
                return True
            opened = line[place : place + 1] == mark
            place += opened
        place = line.find(delimiter + mark, place - 1 if place else 0) + 2
        if place == 1:
            return False
        opened = True


def _never_closed(file: File, line: int) -> TableError:
    return TableError(
        f"{file.label}: in {file.name} a quote that opens on line {line} is never closed, "
        "so the rows after it cannot be told apart. Close it."
    )
