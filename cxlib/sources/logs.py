"""XES event logs: one event a row, named as pm4py names them, however long the log is."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from cxlib.sources.files import File, examined, first_line, letters
from cxlib.sources.unpacked import Rows
from cxlib.tables import TableError

#: A tag, or a text between tags, of more bytes is refused: the parser would hold it in memory whole.
_LONGEST = 2_000_000
_CHUNK = 1 << 16
_SCALARS = {"string", "date", "int", "float", "boolean", "id"}
_HOLDERS = {"list", "container"}
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
    from xml.sax import SAXParseException

    from defusedxml import DefusedXmlException
    from defusedxml.expatreader import create_parser

    parser: Any = create_parser(forbid_dtd=True)
    parser.setContentHandler(log)
    log.parser, fed = parser, 0
    try:
        with letters(file.name), file.opened() as stream:
            while part := stream.read(_CHUNK):
                parser.feed(part)
                fed = 0 if log.moved else fed + len(part)
                log.moved = False
                if fed > _LONGEST:
                    raise file.refused("has a tag of more than 2 MB. No event log does: it is damaged, or no XES.")
            parser.close()
    except DefusedXmlException:
        raise file.refused("declares entities or a document type, which no event log needs and attacks use. It is not read.") from None
    except SAXParseException as error:
        raise file.refused(
            f"is damaged: its XML cannot be read after line {error.getLineNumber()} ({error.getMessage()}). Export it again."
        ) from None
    except (ValueError, LookupError) as error:
        if isinstance(error, TableError):
            raise
        raise file.refused(f"is damaged: its XML cannot be read ({first_line(error)})") from None


class _Log(ContentHandler):
    """What of the XML is a row: the attributes of an event, and of its trace before it."""

    def __init__(self, file: File, rows: Rows) -> None:
        super().__init__()
        self.file, self.rows = file, rows
        self.parser: Any = None
        self.moved = False
        self._path: list[str] = []
        #: Names of the attributes that the current one is inside of.
        self._inside: list[str] = []
        self._trace: dict[str, str | None] = {}
        self._event: dict[str, str | None] | None = None
        self._aside = 0
        self._began = 0
        self._events = 0

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 - the name is SAX's
        self.moved = True
        name = name.rpartition(":")[2]
        path = self._path
        path.append(name)
        if self._aside:
            self._aside += 1
        elif len(path) == 1:
            if name != "log":
                raise self.file.refused(f"is XML, but no XES event log: its outermost tag is <{name[:40]}>, not <log>.")
        elif name == "event":
            self._event, self._inside = {}, []
        elif name == "trace":
            self._trace, self._inside, self._events, self._began = {}, [], 0, self.parser.getLineNumber()
        elif (name in _SCALARS or name in _HOLDERS) and ("trace" in path or self._event is not None):
            self._attribute(name, attrs)
        elif name != "values":
            # Extensions, global defaults, classifiers and attributes of the log itself are about it, not in it.
            self._aside = 1

    def _attribute(self, kind: str, attrs: AttributesImpl) -> None:
        self._inside.append(attrs.get("key", ""))
        if kind in _HOLDERS:
            return
        name, value = ".".join(self._inside), attrs.get("value")
        if self._event is not None:
            row = self._event
        else:
            row, name = self._trace, CASE + name
            if self._events:
                raise self.file.refused(f"has the attribute '{name}' of a trace behind its events, where XES has it before them.")
        # A list of XES has several of one name.
        row[name] = f"{row[name]};{value}" if row.get(name) is not None else value

    def endElement(self, name: str) -> None:  # noqa: N802 - the name is SAX's
        self.moved = True
        name = self._path.pop().rpartition(":")[2]
        if self._aside:
            self._aside -= 1
        elif name == "event":
            self.rows.add(self.file, {**self._trace, **(self._event or {})})
            self._event, self._events = None, self._events + 1
        elif name == "trace":
            if not self._events:
                case = self._trace.get(CASE + "concept:name") or "without a name"
                self.rows.unreadable(self._began, "the trace has no events", case)
            self._trace = {}
        elif self._inside and name != "values":
            self._inside.pop()

    def characters(self, content: str) -> None:
        self.moved = self.moved or bool(content)
