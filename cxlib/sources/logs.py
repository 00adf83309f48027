"""XES event logs: one event a row, named as pm4py names them, however long the log is."""

from __future__ import annotations

from pathlib import Path
from xml.sax import SAXParseException

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from cxlib.sources.files import File, examined, letters
from cxlib.sources.unpacked import Rows

#: A tag, or a text between tags, of more bytes is refused: the parser would hold it in memory whole.
_LONGEST = 2_000_000
_CHUNK = 1 << 16
_SCALARS = {"string", "date", "int", "float", "boolean", "id"}
_ATTRIBUTES = _SCALARS | {"list", "container"}
CASE = "case:"


def events(files: list[File], scratch: Path) -> Rows:
    """The events of XES files; a trace without events is kept as unreadable, since it has no row."""
    rows = Rows(scratch)
    for file in files:
        examined(file)
        _parse(file, _Log(file, rows))
    if not rows.columns:
        raise files[0].refused("holds no event.")
    return rows


def _parse(file: File, log: _Log) -> None:
    fed = 0
    try:
        with letters(file.name), file.opened() as stream:
            while part := stream.read(_CHUNK):
                log.feed(part)
                fed = 0 if log.moved else fed + len(part)
                log.moved = False
                if fed > _LONGEST:
                    raise file.refused("goes on for more than 2 MB without a tag, or in one. No event log does: it is damaged, or no XES.")
            log.close()
    except DefusedXmlException:
        raise file.refused("declares entities or a document type, which no event log needs and attacks use. It is not read.") from None
    except SAXParseException as error:
        raise file.refused(
            f"is damaged: its XML cannot be read after line {error.getLineNumber()} ({error.getMessage()}). Export it again."
        ) from None


class _Log(DefusedExpatParser):  # type: ignore[misc]
    """What of the XML is a row: the attributes of an event, and of its trace before it.

    A parser of its own rather than a handler of one: a log has millions of attributes, and this way each
    costs two calls.
    """

    def __init__(self, file: File, rows: Rows) -> None:
        super().__init__(forbid_dtd=True)
        self._file, self._rows = file, rows
        self.moved = False
        self._depth = 0
        #: The depth of what is passed over with all that is in it, or 0.
        self._aside = 0
        #: Names of the attributes that the current one is inside of, and itself.
        self._inside: list[str] = []
        self._trace: dict[str, str | None] | None = None
        self._event: dict[str, str | None] | None = None
        self._began = self._events = 0

    def reset(self) -> None:
        super().reset()
        # Nothing of a log stands between its tags but line ends.
        self._parser.CharacterDataHandler = None

    def start_element(self, name: str, attrs: dict[str, str]) -> None:
        self.moved = True
        self._depth += 1
        if self._aside:
            return
        kind = name if ":" not in name else name.rpartition(":")[2]
        if kind in _ATTRIBUTES and (self._event is not None or self._trace is not None):
            self._inside.append(attrs.get("key", ""))
            if kind in _SCALARS:
                self._attribute(attrs.get("value"))
        elif kind == "event":
            self._event = {}
        elif kind == "trace":
            self._trace, self._events, self._began = {}, 0, self.getLineNumber()
        elif self._depth == 1 and kind != "log":
            raise self._file.refused(f"is XML, but no XES event log: its outermost tag is <{kind[:40]}>, not <log>.")
        elif self._depth > 1 and kind != "values":
            # Extensions, global defaults, classifiers and attributes of the log itself are about it, not in it.
            self._aside = self._depth

    def _attribute(self, value: str | None) -> None:
        name = ".".join(self._inside) if len(self._inside) > 1 else self._inside[0]
        row = self._event
        if row is None:
            row, name = self._trace or {}, CASE + name
            if self._events:
                raise self._file.refused(f"has the attribute '{name}' of a trace behind its events, where XES has it before them.")
            self._trace = row
        # A list of XES has several of one name.
        row[name] = f"{row[name]};{value}" if row.get(name) is not None else value

    def end_element(self, name: str) -> None:
        self.moved = True
        self._depth -= 1
        if self._aside:
            self._aside = 0 if self._depth < self._aside else self._aside
            return
        kind = name if ":" not in name else name.rpartition(":")[2]
        if kind in _ATTRIBUTES:
            if self._inside:
                self._inside.pop()
        elif kind == "event":
            self._rows.add(self._file, {**(self._trace or {}), **(self._event or {})})
            self._event, self._events = None, self._events + 1
        elif kind == "trace":
            if not self._events:
                case = (self._trace or {}).get(CASE + "concept:name") or "without a name"
                self._rows.unreadable(self._began, "the trace has no events", case)
            self._trace = None
