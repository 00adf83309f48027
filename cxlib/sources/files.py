"""What a file is, before anything reads it: its kind by name and by content, and the dirt that no reader survives."""

from __future__ import annotations

import codecs
import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cxlib.tables import TableError

#: More bytes than this in one line are no row of a table; DuckDB itself counts lines from 2 MB on as unreadable.
LONGEST_LINE = 8_000_000
#: What unpacks to more than this many times its size, and to more than this many bytes, is a bomb and no export.
RATIO, SMALL = 200, 100_000_000
_CHUNK = 1 << 20

#: The kind a name promises, by its ending; everything else is text, a row a line.
_KINDS = {
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xls", ".ods"), "excel"),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), "json"),
    ".xes": "xes",
    ".zip": "zip",
}
_PROMISED = {"text": "text such as CSV", "parquet": "Parquet", "excel": "Excel", "json": "JSON", "xes": "XES", "zip": "zip"}

_BEGINNINGS = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "xls",
    b"PAR1": "parquet",
    b"\x1f\x8b": "gzip",
    b"%PDF": "pdf",
    b"SQLite format 3\0": "sqlite",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"7z\xbc\xaf": "7z",
    b"\xfd7zXZ": "xz",
    b"Rar!": "rar",
}
_WHAT = {
    "zip": ("a zip archive", "Rename it to end in .zip, or unpack it."),
    "xlsx": ("an Excel workbook", "Rename it to end in .xlsx."),
    "ods": ("an OpenDocument workbook", "Rename it to end in .ods."),
    "xls": ("an old Excel workbook, or one with a password", "Without a password, rename it to end in .xls; with one, save it without."),
    "parquet": ("a Parquet file", "Rename it to end in .parquet."),
    "gzip": ("packed with gzip", "Rename it to end in .gz, after its present name."),
    "pdf": ("a PDF", "Ask for the data themselves, as CSV or Excel."),
    "sqlite": ("an SQLite database", "Export its table as CSV."),
    **dict.fromkeys(("zstd", "bzip2", "7z", "xz", "rar"), ("a packed archive", "Unpack it, or pack it with gzip or zip.")),
    "html": ("a web page, as some tools save under another name", "Open it in Excel and save it as .xlsx or CSV."),
    "xml": ("XML", "If it is an event log, rename it to end in .xes; otherwise export it as CSV."),
    "json": ("JSON", "Rename it to end in .json."),
    "text": ("plain text", "If it is CSV, rename it to end in .csv."),
}


@dataclass(frozen=True)
class File:
    """A file of a source: where its bytes are, and the names that letters call the source and it by."""

    label: str
    table: str
    path: Path
    name: str

    @property
    def packed(self) -> bool:
        return self.path.suffix.lower() == ".gz"

    @property
    def ending(self) -> str:
        name = Path(self.path.stem) if self.packed else self.path
        return name.suffix.lower()

    @property
    def kind(self) -> str:
        return _KINDS.get(self.ending, "text")

    def opened(self) -> IO[bytes]:
        return gzip.open(self.path) if self.packed else self.path.open("rb")  # type: ignore[return-value]

    def refused(self, what: str) -> TableError:
        """A letter about this file."""
        return TableError(f"{self.label}: {self.name} {what}")


@contextmanager
def letters(name: str) -> Iterator[None]:
    """What the system says of a file, as a letter without its folder."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TableError(
            f"'{name}' is damaged: what is packed in it breaks off or does not fit ({_said(error)}). Fetch it again."
        ) from None
    except OSError as error:
        raise TableError(f"'{name}' cannot be read: {error.strerror or 'the file is damaged'}.") from None


def examined(file: File, *, encoding: str = "utf-8") -> bool:
    """Refuse what is not what its name says, what is damaged, and what would grow without bound when it is read.

    Says of a text whether it is UTF-8 throughout.
    """
    with letters(file.name), file.opened() as stream:
        head = stream.read(_CHUNK)
    if not head:
        raise file.refused("is empty; not even a header is there.")
    found = content(file, head)
    right = {"parquet": ("parquet",), "zip": ("zip",), "xes": ("xml",), "json": ("json", "text"), "text": ("text",)}
    right["excel"] = ({".xls": "xls", ".ods": "ods"}.get(file.ending, "xlsx"),)
    if found not in right[file.kind]:
        if file.kind == "excel" and file.ending != ".xls" and found == "xls":
            raise file.refused("is locked with a password, or is an old Excel workbook. Save it without a password, as .xlsx.")
        what, remedy = _WHAT[found]
        raise file.refused(f"is {what}, not {_PROMISED[file.kind]} as its name says. {remedy}")
    if file.kind in ("text", "json", "xes") and (file.packed or file.kind == "text"):
        return _whole(file, nul=file.kind == "text" and not encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32")))
    return True


def content(file: File, head: bytes) -> str:
    """What the first bytes say a file is."""
    for beginning, what in _BEGINNINGS.items():
        if head.startswith(beginning):
            return _zipped(file) if what == "zip" else what
    start = head.removeprefix(b"\xef\xbb\xbf")[:2000].replace(b"\0", b"").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    start = start.lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<table", b"<meta", b"<body", b"<style")):
        return "html"
    if start.startswith((b"<?xml", b"<log")):
        return "html" if b"<html" in start else "xml"
    if start.startswith((b'{"', b"[{", b"{\n", b"[\n", b"[\r", b"{\r")):
        return "json"
    return "text"


def _zipped(file: File) -> str:
    """Which of the formats that are zip archives inside this one is."""
    if file.packed:
        return "zip"
    try:
        with zipfile.ZipFile(file.path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        return {"excel": "xlsx" if file.ending != ".ods" else "ods"}.get(file.kind, "zip")
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    return "ods" if {"content.xml", "mimetype"} <= names else "zip"


def _whole(file: File, *, nul: bool) -> bool:
    """One pass over the bytes, in little memory: what DuckDB would lose in silence or never end with is refused here."""
    decoder, is_utf8 = codecs.getincrementaldecoder("utf-8")(), True
    limit = max(SMALL, RATIO * file.path.stat().st_size) if file.packed else None
    place, line_end = 0, 0
    with letters(file.name), file.opened() as stream:
        while part := stream.read(_CHUNK):
            if nul and b"\0" in part:
                raise _nul(file, part, first=place == 0)
            if file.kind == "text":
                first, last = _ends(part)
                if place + (len(part) if first < 0 else first) - line_end > LONGEST_LINE:
                    raise file.refused(
                        f"has a line of more than {LONGEST_LINE // 1_000_000} MB. No row of a table is that long: "
                        "it is not CSV, or it is damaged."
                    )
                line_end = place + last if last >= 0 else line_end
            place += len(part)
            if limit and place > limit:
                raise bomb(file)
            is_utf8 = is_utf8 and _goes_on(decoder, part)
    return is_utf8


def _goes_on(decoder: codecs.IncrementalDecoder, part: bytes) -> bool:
    """Whether the bytes go on in the decoder's encoding; ASCII after a whole character needs no look."""
    try:
        if decoder.getstate()[0] or not part.isascii():
            decoder.decode(part)
    except UnicodeDecodeError:
        return False
    return True


def _ends(part: bytes) -> tuple[int, int]:
    """Where the first and the last line end, or -1; a lone carriage return ends a line as well."""
    first, last = part.find(b"\n"), part.rfind(b"\n")
    return (first, last) if first >= 0 else (part.find(b"\r"), part.rfind(b"\r"))


def bomb(file: File) -> TableError:
    """The refusal of what unpacks to an absurd size."""
    return file.refused(f"unpacks to more than {RATIO} times its size. No export does; unpack it yourself if you trust it.")


def _nul(file: File, part: bytes, *, first: bool) -> TableError:
    start = part[:2000]
    marked = start.startswith((b"\xff\xfe", b"\xfe\xff"))
    if first and (marked or start.count(b"\0") > len(start) // 4):
        order = "" if marked else "-le" if start[1::2].count(b"\0") > start[::2].count(b"\0") else "-be"
        return file.refused(f'looks like UTF-16. Declare it: encoding = "utf-16{order}" under [tables.{file.table}].')
    return file.refused("holds NUL bytes, which no text has: it is damaged, or not text. Export it again.")


def _said(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:200]


def first_line(error: BaseException) -> str:
    """The first line of what a library says, as a sentence."""
    return _said(error) + "."
