"""One export as it is declared: where its rows are, and what its columns, codes and forms mean."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from cxlib.sources.settings import between, known, mark, pairs, texts, whole, words, written
from cxlib.tables import TABLES, TableError, TableSpec

#: Days in one unit of tenure. A month is a twelfth of 365.25 days, exactly representable, so that ties stay ties.
TENURE_DAYS = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}
#: Moments that are written as a number since 1970, and how many make a second.
EPOCHS = {"epoch seconds": 1, "epoch milliseconds": 1_000, "epoch microseconds": 1_000_000}

_SETTINGS = (
    *("files", "table", "query", "sheet", "header", "skip_after_header", "columns", "keys", "constants", "values", "no_answer", "only"),
    *("separator", "quote", "encoding", "decimal", "thousands", "date_format", "time_zone", "tenure_unit", "one_answer_per"),
    *("session_gap_minutes", "exact_doubles"),
)
#: Names that a row's place has on its way in.
_TAKEN = ("row", "file_row_number")
_DIRECTIVES = re.compile(r"%(-?[aAbBcdfgGHIjmMnpSuUVwWxXyYzZ%])?")


@dataclass(frozen=True)
class Source:
    """Where the rows of one canonical table come from: one export of perhaps several.

    ``number`` is 0 where it is the only one, otherwise its place from 1. ``date_formats`` has the forms of
    each column, and under the empty name those of all others.
    """

    table: str
    number: int = 0
    files: tuple[str, ...] = ()
    engine_table: str | None = None
    engine_query: str | None = None
    sheet: str | None = None
    header: tuple[int, ...] = (1,)
    skip_after_header: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    no_answer: tuple[str, ...] = ()
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    separator: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    decimal: str = "."
    thousands: str | None = None
    date_formats: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    time_zone: str | None = None
    tenure_unit: str | None = None
    one_answer_per: tuple[str, ...] | None = None
    session_gap_minutes: float | None = None
    exact_doubles: str = "keep"

    @property
    def label(self) -> str:
        """Who speaks in a letter: the table, and which of its exports where there are several."""
        return f"{self.table} (export {self.number})" if self.number else self.table

    @property
    def stem(self) -> str:
        """A name for what is made of it on the way."""
        return f"{self.table}_{self.number}" if self.number else self.table

    def forms(self, column: str) -> tuple[str, ...]:
        """The forms in which a column writes its dates; none is year-month-day."""
        return self.date_formats.get(column, self.date_formats.get("", ()))


def source(name: str, part: Any, file: str, *, number: int = 0) -> Source:
    """Check one [tables.…] section."""
    where = f"{file} [tables.{name}]" + (f" (export {number})" if number else "")
    if not isinstance(part, dict):
        raise TableError(f"{where}: this is not a section. Write [tables.{name}] and its settings below.")
    known(part, _SETTINGS, where=where)
    spec = TABLES[name]
    files = texts(part, "files", where=where)
    if not all(isinstance(file, str) for file in (part["files"] if isinstance(part.get("files"), list) else [part.get("files", "")])):
        raise TableError(f"{where}: files is {written(part['files'])}; it is a name in quotes, or a list of names.")
    if sum(map(bool, (files, part.get("table"), part.get("query")))) != 1:
        raise TableError(f'{where}: say where the rows are, either files = "…" or table = "…" (or query = "…"), one of them.')
    columns = pairs(part.get("columns", {}), f"{where} columns")
    known(columns, spec.readable, where=f"{where} columns")
    keys = pairs(part.get("keys", {}), f"{where} keys")
    for column, pattern in (columns | keys).items():
        if not pattern.strip():
            raise TableError(
                f'{where}: {column} names no column. Leave it out; a column without a name is called by its place, "(column 7)".'
            )
        if "{" in pattern and re.search(r"[{}]", re.sub(r"\{[^{}]+\}", "", pattern)):
            raise TableError(
                f'{where}: {column} is {written(pattern)}; each brace opens on a column\'s name and closes behind it: "{{date}} {{time}}".'
            )
    _refuse_keys(keys, spec, where)
    constants = pairs(part.get("constants", {}), f"{where} constants")
    known(constants, spec.readable, where=f"{where} constants")
    values = {column: pairs(mapped, f"{where} values.{column}") for column, mapped in pairs_of(part, "values", where).items()}
    known(values, (*spec.readable, *keys), where=f"{where} values")
    return Source(
        table=name,
        number=number,
        files=files,
        engine_table=words(part, "table", where=where),
        engine_query=words(part, "query", where=where),
        columns=columns,
        keys=keys,
        constants=constants,
        values=values,
        no_answer=texts(part, "no_answer", where=where),
        only={column: texts(part["only"], column, where=f"{where} only") for column in pairs_of(part, "only", where)},
        one_answer_per=texts(part, "one_answer_per", where=where) if "one_answer_per" in part else None,
        **_layout(part, where),
        **_forms(part, spec, where),
        **_rules(part, spec, columns, where),
    )


def _refuse_keys(keys: Mapping[str, str], spec: TableSpec, where: str) -> None:
    """Keys whose names are taken: engines take Plan and plan for the same, and the door's own names are in brackets."""
    seen = {column: column for column in spec.names}
    for key in keys:
        before = seen.setdefault(key.lower(), key)
        if before in spec.names:
            raise TableError(f"{where}: '{before}' is a column of {spec.name} already; declare it under columns, not under keys.")
        if before != key:
            raise TableError(
                f"{where}: the keys '{before}' and '{key}' differ in case only, which is one name to an engine. Call one otherwise."
            )
        if not key.strip() or key.startswith("(") or key.lower() in _TAKEN:
            raise TableError(f"{where}: a key cannot be called '{key}', which the door needs for itself. Call it otherwise.")


def pairs_of(part: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    """A table whose values are tables or lists."""
    value = part.get(name, {})
    if not isinstance(value, dict):
        raise TableError(f"{where}: {name} is {written(value)}; it is a section of its own.")
    return value


def _layout(part: Mapping[str, Any], where: str) -> dict[str, Any]:
    """How the file is laid out: sheet, lines of the header, separator, quote, encoding."""
    header = part.get("header", 1)
    lines = header if isinstance(header, list) else [header]
    if not (all(type(line) is int and line > 0 for line in lines) and lines in ([lines[0]], [lines[0], lines[0] + 1])):
        raise TableError(f"{where}: header is {written(header)}; it is the header's line, or two that follow each other such as [1, 2].")
    separator = part.get("separator", ",")
    return {
        "sheet": words(part, "sheet", where=where),
        "header": tuple(lines),
        "skip_after_header": whole(part, "skip_after_header", 0, low=0, where=where),
        # Columns set apart by any number of blanks are said in a word: a single blank would make empty cells.
        "separator": separator if separator == "blanks" else mark(part, "separator", ",", where=where),
        "quote": "" if part.get("quote") == "" else mark(part, "quote", '"', where=where),
        "encoding": words(part, "encoding", where=where) or "utf-8",
    }


def _forms(part: Mapping[str, Any], spec: TableSpec, where: str) -> dict[str, Any]:
    """How numbers, dates, times and tenures are written."""
    decimal, thousands, unit = part.get("decimal", "."), part.get("thousands"), part.get("tenure_unit")
    if decimal not in (".", ","):
        raise TableError(f'{where}: decimal is {written(decimal)}; it is "." or ",".')
    if thousands is not None and (thousands not in (",", ".", " ", "'") or thousands == decimal):
        raise TableError(f'{where}: thousands is {written(thousands)}; it is ",", ".", " " or "\'", and not the decimal mark.')
    if unit is not None and unit not in TENURE_DAYS:
        raise TableError(f"{where}: tenure_unit is {written(unit)}; it is one of {', '.join(TENURE_DAYS)}.")
    given = part.get("date_format", {})
    by_column = given if isinstance(given, dict) else {"": given}
    dated = tuple(column.name for column in spec.columns if column.kind in ("date", "time") and not column.made)
    known({name: "" for name in by_column if name}, dated, where=f"{where} date_format")
    forms = {name: texts(by_column, name, where=f"{where} date_format") for name in by_column}
    for each in forms.values():
        _refuse_forms(each, where)
    zone = words(part, "time_zone", where=where)
    if zone is not None:
        refuse_zone(zone, where)
    return {"decimal": decimal, "thousands": thousands, "tenure_unit": unit, "date_formats": forms, "time_zone": zone}


def _refuse_forms(forms: tuple[str, ...], where: str) -> None:
    """A form that is none, and forms that would read the same text as different days."""
    for form in forms:
        unknown = [found.group(0) for found in _DIRECTIVES.finditer(form) if found.group(1) is None]
        if form not in EPOCHS and ("%" not in form or unknown):
            raise TableError(
                f'{where}: date_format is {written(form)}; it is a form such as "%d/%m/%Y %H:%M", or one of {", ".join(EPOCHS)}.'
            )
    for one, other in itertools.combinations(forms, 2):
        if one != other and re.sub("%-?[dm]", "?", one) == re.sub("%-?[dm]", "?", other):
            raise TableError(
                f"{where}: date_format has both {written(one)} and {written(other)}, which read 03/04 as different days. Which one an "
                "export means cannot be told row by row. Declare the right one; what does not fit it is set aside and counted."
            )


def refuse_zone(zone: str, where: str) -> None:
    """A time zone that nobody knows."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise TableError(f"{where}: time_zone '{zone}' is not known. Use a name such as \"Europe/Rome\".") from None


def _rules(part: Mapping[str, Any], spec: TableSpec, columns: Mapping[str, str], where: str) -> dict[str, Any]:
    """What makes a case, and what a doubled row is."""
    doubles, gap = part.get("exact_doubles", "keep"), None
    if doubles not in ("keep", "set aside"):
        raise TableError(f'{where}: exact_doubles is {written(doubles)}; it is "keep" or "set aside".')
    if "session_gap_minutes" in part:
        gap = between(part, "session_gap_minutes", 30, low=0.01, high=525_600, where=where)
        if spec.name != "events":
            raise TableError(f"{where}: session_gap_minutes makes cases of events; {spec.name} have none.")
        if "case_id" in columns:
            raise TableError(f"{where}: case_id is read from '{columns['case_id']}', and session_gap_minutes would make it. Keep one.")
    return {"exact_doubles": doubles, "session_gap_minutes": gap}
