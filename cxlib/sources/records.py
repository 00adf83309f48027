"""JSON lines and JSON arrays: one record a row, what is nested under dotted names."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from cxlib.sources.files import File, examined, first_line, letters
from cxlib.sources.unpacked import Rows

#: A record of more characters is unreadable; as much of a file is held in memory at once.
LONGEST = 2_000_000
_CHUNK = 1 << 20
_VALUES = ("string_value", "int_value", "float_value", "double_value", "set_timestamp_micros")


def records(files: list[File], scratch: Path) -> Rows:
    """The records of JSON files; a line that is no record is kept as unreadable."""
    rows = Rows(scratch)
    for file in files:
        examined(file)
        with letters(file.name), file.opened() as stream:
            start = _start(file, stream)
            stream.seek(0)
            (_array if start == "[" else _lines)(file, stream, rows)
    if not rows.columns:
        raise files[0].refused("holds no record.")
    return rows


def _start(file: File, stream: IO[bytes]) -> str:
    head = stream.read(_CHUNK)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head[:100]:
        raise file.refused("is not UTF-8, in which JSON is written. Save it as UTF-8.")
    return head.removeprefix(codecs.BOM_UTF8).lstrip()[:1].decode("utf-8", errors="replace")


class _Doubled(ValueError):
    """A record in which one name stands twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    whole = dict(pairs)
    if len(whole) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Doubled(next(name for name in names if names.count(name) > 1))
    return whole


def _decoder() -> json.JSONDecoder:
    """Numbers stay the digits they are, so that no identifier loses some."""
    return json.JSONDecoder(object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=str)


def _lines(file: File, stream: IO[bytes], rows: Rows) -> None:
    decoder = _decoder()
    number = 0
    for number, line in enumerate(_bounded(stream), start=1):
        if line is None:
            rows.unreadable(number, "the line is longer than 2 MB", "")
            continue
        try:
            text = (line.removeprefix(codecs.BOM_UTF8) if number == 1 else line).decode("utf-8").strip()
            if not text:
                continue
            record = decoder.decode(text)
            why = "" if isinstance(record, dict) else "the line is JSON, but no record in braces"
            row = _row(record) if not why else {}
        except (ValueError, RecursionError) as error:
            why = _why(error)
        if not why:
            rows.add(file, row)
            continue
        if number == 1 and line.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{") and not line.rstrip().endswith(b"}"):
            raise file.refused(
                "is one JSON object over several lines, not a list of records. Save the list in it as an array, or one record a line."
            )
        rows.unreadable(number, why, line.decode("utf-8", errors="replace"))


def _why(error: ValueError | RecursionError) -> str:
    match error:
        case _Doubled():
            return f"the record has the name '{error}' twice"
        case UnicodeDecodeError():
            return "the line is not in the declared encoding"
        case UnicodeEncodeError():
            return "the record holds half a character"
        case RecursionError():
            return "the record is nested too deeply"
        case _:
            return "the line is not JSON"


def _bounded(stream: IO[bytes]) -> Iterator[bytes | None]:
    """The lines of a file; None for one that is too long to be held."""
    while line := stream.readline(LONGEST):
        if len(line) < LONGEST or line.endswith(b"\n"):
            yield line
            continue
        while (rest := stream.readline(_CHUNK)) and not rest.endswith(b"\n"):
            pass
        yield None


def _array(file: File, stream: IO[bytes], rows: Rows) -> None:
    """The records of one array, however it is laid out; one that cannot be read ends it, and that is refused."""
    decoder = _decoder()
    buffer, place, done, number = "", 0, False, 0
    reader = codecs.getreader("utf-8-sig")(stream)
    separators = " \t\r\n,"
    try:
        buffer = reader.read(_CHUNK).lstrip()[1:]
        while True:
            while place < len(buffer) and buffer[place] in separators:
                place += 1
            if buffer[place : place + 1] == "]":
                return
            try:
                # A number or word at the end of the buffer may go on in the next piece; a record in braces may not.
                record, place = decoder.raw_decode(buffer, place)
            except json.JSONDecodeError as error:
                more = "" if done else reader.read(_CHUNK)
                done = not more
                if done or len(buffer) - place > LONGEST:
                    raise file.refused(f"is damaged: its JSON cannot be read after record {number:,} ({_where(error)}).") from None
                buffer, place = buffer[place:] + more, 0
                continue
            number += 1
            if isinstance(record, dict):
                rows.add(file, _row(record))
            else:
                rows.unreadable(number, "the record is JSON, but not in braces", str(record))
    except (UnicodeError, _Doubled, RecursionError) as error:
        raise file.refused(f"cannot be read after record {number:,}: {_why(error)}.") from None


def _where(error: json.JSONDecodeError) -> str:
    return first_line(ValueError(error.msg)).rstrip(".")


def _row(record: dict[str, Any]) -> dict[str, str | None]:
    row: dict[str, str | None] = {}
    _flatten("", record, row)
    return row


def _flatten(prefix: str, value: Any, row: dict[str, str | None]) -> None:
    """Nested objects under dotted names; lists of plain values in one cell; lists of key and value under their keys."""
    match value:
        case dict():
            for name, inner in value.items():
                _flatten(_text(f"{prefix}.{name}" if prefix else name), inner, row)
        case list() if value and all(isinstance(item, dict) and item.keys() == {"key", "value"} for item in value):
            for item in value:
                inner = item["value"]
                if isinstance(inner, dict) and inner.keys() <= set(_VALUES):
                    inner = next((inner[kind] for kind in _VALUES if inner.get(kind) is not None), None)
                _flatten(f"{prefix}.{item['key']}", inner, row)
        case list() if any(isinstance(item, dict | list) for item in value):
            row[prefix] = _text(json.dumps(value, ensure_ascii=False))
        case list():
            row[prefix] = _text(";".join(_plain(item) for item in value)) or None
        case None:
            row[prefix] = None
        case _:
            row[prefix] = _text(_plain(value))


def _plain(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _text(text: str) -> str:
    """The text, where it can be written at all: JSON can spell halves of characters."""
    if not text.isascii():
        text.encode("utf-8")
    return text
