"""Excel and OpenDocument workbooks, through calamine: one sheet, every cell as text."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlib.sources.declared import Source
from cxlib.sources.files import RATIO, SMALL, File, bomb, examined, first_line, letters
from cxlib.sources.names import named, same
from cxlib.sources.unpacked import Rows
from cxlib.tables import did_you_mean

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

#: A sheet is held in memory whole, as a rectangle; one of more cells, or a workbook that unpacks to more, is refused.
_MOST_CELLS = 50_000_000
_MOST_BYTES = 1_000_000_000
#: From here on a float has lost digits: such a number is left as it would be printed, so that the door sees it.
_EXACT = 2**53


def sheets(source: Source, files: list[File], scratch: Path) -> Rows:
    """The rows of the declared sheet of each workbook."""
    found: list[list[str]] = []
    rows = Rows(scratch)
    for file in files:
        examined(file)
        if file.ending != ".xls":
            _refuse_bombs(file)
        sheet = _sheet(source, file)
        lines = _lines(sheet)
        header = _header(source, file, lines)
        found.append(header)
        if len(found) == 1:
            rows.columns = dict.fromkeys(header)
        same(files[: len(found)], found)
        for _ in range(source.skip_after_header):
            next(lines, None)
        _body(rows, file, header, lines)
    return rows


def full(file: File) -> list[str]:
    """The names of the sheets that hold cells."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    examined(file)
    if file.ending != ".xls":
        _refuse_bombs(file)
    try:
        with letters(file.name):
            workbook = CalamineWorkbook.from_path(str(file.path))
        return [name for name in workbook.sheet_names if workbook.get_sheet_by_name(name).total_height]
    except PasswordError:
        raise file.refused("is locked with a password. Save it without one.") from None
    except (CalamineError, zlib.error, ValueError) as error:
        raise file.refused(f"is damaged, or no workbook that can be read: {first_line(error)}") from None


def start(file: File, sheet: str, *, lines: int = 50) -> list[tuple[int, list[str]]]:
    """The first lines of a sheet, empty ones among them, as text."""
    _, (found,) = _opened(file, sheet)
    return list(itertools.islice(_lines(found), lines))


def _body(rows: Rows, file: File, header: list[str], lines: Iterator[tuple[int, list[str]]]) -> None:
    """The rows below the header; empty ones at the end are none, and an empty one between is not counted either, as in CSV."""
    for number, cells in lines:
        if not any(cells):
            continue
        beyond = [cell for cell in cells[len(header) :] if cell]
        if beyond:
            rows.unreadable(number, "the line has too many cells", ";".join(cells))
        else:
            rows.add(file, dict(zip(header, [cell or None for cell in cells], strict=False)))


def _sheet(source: Source, file: File) -> CalamineSheet:
    """The declared sheet, or the only one that has cells."""
    where = f"under [tables.{source.table}]"
    names, found = _opened(file, source.sheet)
    if source.sheet is not None and source.sheet not in names:
        known = ", ".join(f"'{name}'" for name in names[:10])
        raise file.refused(f"has no sheet '{source.sheet}'. It has {known}.{did_you_mean(source.sheet, names)} Correct sheet {where}.")
    full = [sheet for sheet in found if sheet.start is not None]
    if not full:
        raise file.refused(f"is empty; {'the sheet' if source.sheet else 'no sheet'} has {'no ' if source.sheet else ''}cells.")
    if len(full) > 1:
        known = ", ".join(f"'{sheet.name}'" for sheet in full)
        raise file.refused(f'has {len(full)} sheets with cells: {known}. Say which one: sheet = "{full[0].name}" {where}.')
    return full[0]


def _opened(file: File, asked: str | None) -> tuple[list[str], list[CalamineSheet]]:
    """The names of all sheets, and those that are asked for."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        with letters(file.name):
            workbook = CalamineWorkbook.from_path(str(file.path))
        names = workbook.sheet_names
        return names, [workbook.get_sheet_by_name(name) for name in names if asked in (None, name)]
    except PasswordError:
        raise file.refused("is locked with a password. Save it without one.") from None
    except CalamineError as error:
        raise file.refused(f"is damaged, or no workbook that can be read: {first_line(error)}") from None


def _lines(sheet: CalamineSheet) -> Iterator[tuple[int, list[str]]]:
    """The lines of a sheet as text, numbered as Excel numbers them; columns to the left of all cells are none."""
    for number, row in enumerate(sheet.iter_rows(), start=1):
        yield number, [cell_text(cell) for cell in row]


def _header(source: Source, file: File, lines: Iterator[tuple[int, list[str]]]) -> list[str]:
    last = max(source.header, default=0)
    if not last:
        raise file.refused("is declared to have no header. A sheet needs one: add it in Excel.")
    seen: list[list[str]] = [cells for _, (_, cells) in zip(range(last), lines, strict=False)]
    header = [seen[line - 1] for line in source.header if line <= len(seen)]
    if not any(cell for line in header for cell in line):
        raise file.refused(
            f"has nothing on line {last} of the sheet, where its header should be. "
            f"Say which line it is: header = 3 under [tables.{source.table}]."
        )
    width = max(place for line in header for place, cell in enumerate(line, start=1) if cell)
    return named([line[:width] for line in header])


def cell_text(cell: Any) -> str:
    """A cell as text: whole numbers without a fraction, dates as ISO text; a number that lost digits as it would be printed."""
    match cell:
        case bool():
            return "true" if cell else "false"
        case float():
            return str(int(cell)) if cell.is_integer() and abs(cell) < _EXACT else f"{cell!r}" if abs(cell) < _EXACT else f"{cell:e}"
        case dt.datetime():
            return cell.isoformat(sep=" ")
        case dt.date() | dt.time():
            return cell.isoformat()
        case dt.timedelta():
            return str(cell)
        case _:
            return str(cell).strip()


def _refuse_bombs(file: File) -> None:
    """Refuse, before calamine unpacks it, what would not fit into memory."""
    try:
        with letters(file.name), zipfile.ZipFile(file.path) as archive:
            parts = archive.infolist()
            size = sum(part.file_size for part in parts)
            if size > max(SMALL, RATIO * file.path.stat().st_size):
                raise bomb(file)
            if size > _MOST_BYTES:
                raise _too_large(file)
            # A sheet may stand under any name: the workbook itself says under which.
            for part in parts:
                with archive.open(part) as stream:
                    _refuse_spread(file, stream)
            if "content.xml" in archive.namelist():
                with archive.open("content.xml") as stream:
                    _refuse_repeats(file, stream)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise file.refused(f"is damaged: {first_line(error)} Save it anew.") from None


def _refuse_spread(file: File, stream: Any) -> None:
    """Two cells far apart span a rectangle of all the cells between them."""
    # Only columns beyond Z and rows from 1,000 on are looked at: most sheets have few, and then this costs nothing.
    height, width, rest = 999, 26, b""
    while part := stream.read(1 << 20):
        part = rest + part
        rows = set(re.findall(rb"""\br\s*=\s*["'][A-Za-z]{0,3}(\d{4,9})["']""", part))
        height = max([height, *map(int, rows)])
        for column in set(re.findall(rb"""\br\s*=\s*["']([A-Za-z]{2,3})\d""", part)):
            width = max(width, sum((letter - 64) * 26**place for place, letter in enumerate(reversed(column.upper()))))
        if height * width > _MOST_CELLS:
            raise _too_large(file)
        rest = part[-200:]


def _refuse_repeats(file: File, stream: Any) -> None:
    """One cell of OpenDocument may stand for a million: count those that have a value."""
    rows, rest, total = 1, b"", 0
    while part := stream.read(1 << 20):
        part = rest + part
        end = part.rfind(b">") + 1
        for tag in re.findall(rb"<table:table-(?:row|cell)\b[^>]*>", part[:end]):
            name = rb"rows" if tag.startswith(b"<table:table-row") else rb"columns"
            repeats = re.search(rb"""number-%b-repeated\s*=\s*["'](\d{1,9})["']""" % name, tag)
            count = int(repeats[1]) if repeats else 1
            if name == b"rows":
                rows = count
            elif b"value-type" in tag:
                total += rows * count
        if total > _MOST_CELLS:
            raise _too_large(file)
        rest = part[end:][-100_000:]


def _too_large(file: File) -> Exception:
    return file.refused(f"spans more than {_MOST_CELLS // 1_000_000} million cells, or unpacks to more than 1 GB. Export it as CSV.")
