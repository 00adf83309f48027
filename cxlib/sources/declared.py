"""`data/sources.toml` as it is declared: read strictly, so that a misspelt key is an error and not a silence."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cxlib.tables import TABLES, TableError, did_you_mean

KINDS = ("nps", "csat", "ces", "rating")
DIRECTIONS = ("high is good", "low is good")

#: Days in one unit of tenure. A month is a twelfth of 365.25 days, exactly representable, so that ties stay ties.
TENURE_DAYS = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}


@dataclass(frozen=True)
class Question:
    """One declared question."""

    name: str
    label: str
    kind: str
    scale: tuple[int, int]
    direction: str
    no_answer: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    column: str | None = None
    touchpoint: str | None = None

    @property
    def turned(self) -> bool:
        """Whether the scores are turned at the door, so that high is good inside."""
        return self.direction == "low is good" and self.kind != "ces"

    @property
    def low_is_good(self) -> bool:
        """Whether low stays good inside: only the effort score, which is defined that way."""
        return self.direction == "low is good" and self.kind == "ces"


@dataclass(frozen=True)
class Source:
    """Where one canonical table comes from."""

    table: str
    files: tuple[str, ...] = ()
    engine_table: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    no_answer: tuple[str, ...] = ()
    separator: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    decimal: str = "."
    date_format: str | None = None
    tenure_unit: str | None = None
    one_answer_per: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Workbook:
    """A whole `sources.toml`."""

    path: Path
    name: str
    time_zone: str
    bad_rows_allowed: float
    smallest_group: int
    engine: str
    sources: Mapping[str, Source]
    questions: Mapping[str, Question]

    @property
    def wide(self) -> bool:
        """Whether the answers stand in one column a question instead of one row an answer."""
        return any(question.column for question in self.questions.values())


def declared(path: str | Path) -> Workbook:
    """Read and check a `sources.toml`.

    Parameters
    ----------
    path : str or Path
        The file; a relative path is looked for here and in the folders above.

    Returns
    -------
    Workbook

    Raises
    ------
    TableError
        If the file is absent, is not TOML, or declares what nobody knows.
    """
    path = found(path)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TableError(f'{path.name}: this is not valid TOML: {error}. Text stands in quotes, dates as "2026-06-30".') from None
    _known(raw, ("workbook", "tables", "questions"), where=path.name)
    head = _section(raw, "workbook", path.name)
    _known(head, ("name", "time_zone", "bad_rows_allowed", "smallest_group", "engine"), where=f"{path.name} [workbook]")
    questions = {name: _question(name, part, path.name) for name, part in _section(raw, "questions", path.name).items()}
    tables = _section(raw, "tables", path.name)
    _known(tables, tuple(TABLES), where=f"{path.name} [tables]")
    if not tables:
        raise TableError(f'{path.name}: no table is declared. Declare at least one, such as [tables.responses] with files = "answers.csv".')
    zone = str(head.get("time_zone", "UTC"))
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise TableError(f"{path.name}: time_zone '{zone}' is not known. Use a name such as \"Europe/Rome\".") from None
    workbook = Workbook(
        path=path,
        name=str(head.get("name", path.parent.name)),
        time_zone=zone,
        bad_rows_allowed=_between(head, "bad_rows_allowed", 0.05, 0.0, 1.0, path.name),
        smallest_group=int(_between(head, "smallest_group", 5, 1, 1_000_000, path.name)),
        engine=str(head.get("engine", "duckdb")),
        sources={name: _source(name, part, path.name) for name, part in tables.items()},
        questions=questions,
    )
    _agree(workbook)
    return workbook


def found(path: str | Path) -> Path:
    """The file, looked for from the working folder upwards: a notebook runs in its own folder, a schedule anywhere."""
    path = Path(path).expanduser()
    if path.is_absolute():
        places = [path]
    else:
        here = Path.cwd()
        places = [folder / path for folder in (here, *here.parents)]
    for place in places:
        if place.is_file():
            return place.resolve()
    raise TableError(f"there is no file '{path}' here or in a folder above. Name the workbook's sources.toml.")


def _question(name: str, part: Any, file: str) -> Question:
    where = f"{file} [questions.{name}]"
    if not isinstance(part, dict):
        raise TableError(f"{where}: this is not a section. Write [questions.{name}] and its settings below.")
    _known(part, ("label", "kind", "scale", "direction", "no_answer", "values", "column", "touchpoint"), where=where)
    kind = part.get("kind")
    if kind not in KINDS:
        raise TableError(f"{where}: kind is {kind!r}. A question's kind is never guessed; it is one of {', '.join(KINDS)}.")
    scale = part.get("scale")
    if not (isinstance(scale, list) and len(scale) == 2 and all(type(end) is int for end in scale) and scale[0] < scale[1]):
        raise TableError(f"{where}: scale is {scale!r}. A scale is never guessed; write its two ends, such as scale = [0, 10].")
    if kind == "nps" and scale not in ([0, 10], [1, 10]):
        raise TableError(f"{where}: an nps question has scale [0, 10] (or [1, 10], which is scored apart), not {scale}.")
    direction = part.get("direction")
    if direction not in DIRECTIONS:
        raise TableError(f'{where}: direction is {direction!r}. A direction is never guessed; write "high is good" or "low is good".')
    return Question(
        name=name,
        label=str(part.get("label", name)),
        kind=kind,
        scale=(scale[0], scale[1]),
        direction=direction,
        no_answer=_texts(part.get("no_answer", [])),
        values=_map(part.get("values", {}), where),
        column=part.get("column"),
        touchpoint=part.get("touchpoint"),
    )


def _source(name: str, part: Any, file: str) -> Source:
    where = f"{file} [tables.{name}]"
    if not isinstance(part, dict):
        raise TableError(f"{where}: this is not a section. Write [tables.{name}] and its settings below.")
    _known(
        part,
        (
            *("files", "table", "columns", "keys", "constants", "values", "no_answer", "separator", "quote", "encoding"),
            *("decimal", "date_format", "tenure_unit", "one_answer_per"),
        ),
        where=where,
    )
    files = part.get("files", [])
    if bool(files) == bool(part.get("table")):
        raise TableError(f'{where}: say where the rows are, either files = "…" or table = "…", one of them.')
    spec = TABLES[name]
    columns = _map(part.get("columns", {}), where)
    _known(columns, spec.readable, where=f"{where} columns")
    keys = _map(part.get("keys", {}), where)
    taken = sorted(set(keys) & set(spec.names))
    if taken:
        raise TableError(f"{where}: '{taken[0]}' is a column of {name} already; declare it under columns, not under keys.")
    constants = _map(part.get("constants", {}), where)
    _known(constants, spec.readable, where=f"{where} constants")
    values = {column: _map(pairs, f"{where} values.{column}") for column, pairs in part.get("values", {}).items()}
    _known(values, (*spec.readable, *keys), where=f"{where} values")
    _marks(part, where)
    per = part.get("one_answer_per")
    return Source(
        table=name,
        files=_texts(files),
        engine_table=part.get("table"),
        columns=columns,
        keys=keys,
        constants=constants,
        values=values,
        no_answer=_texts(part.get("no_answer", [])),
        separator=part.get("separator", ","),
        quote=part.get("quote", '"'),
        encoding=part.get("encoding", "utf-8"),
        decimal=part.get("decimal", "."),
        date_format=part.get("date_format"),
        tenure_unit=part.get("tenure_unit"),
        one_answer_per=None if per is None else _texts(per),
    )


def _marks(part: Mapping[str, Any], where: str) -> None:
    """Units, decimals, separators and quotes are among those that are known."""
    unit = part.get("tenure_unit")
    if unit is not None and unit not in TENURE_DAYS:
        raise TableError(f"{where}: tenure_unit is {unit!r}; it is one of {', '.join(TENURE_DAYS)}.")
    if part.get("decimal", ".") not in (".", ","):
        raise TableError(f'{where}: decimal is {part["decimal"]!r}; it is "." or ",".')
    for setting in ("separator", "quote"):
        if len(part.get(setting, ",")) != 1:
            raise TableError(f"{where}: {setting} is {part[setting]!r}; it is one character.")


def _agree(workbook: Workbook) -> None:
    """The parts of a declaration must fit each other."""
    file = workbook.path.name
    if "responses" in workbook.sources:
        if not workbook.questions:
            raise TableError(
                f"{file}: there are responses and no question. Declare each, such as [questions.nps] with kind, scale, direction."
            )
        without = sorted(name for name, question in workbook.questions.items() if not question.column)
        if workbook.wide and without:
            raise TableError(
                f"{file}: {len(without)} of {len(workbook.questions)} questions have no column ({', '.join(without[:3])}). "
                'In a wide file each question says which column holds its answers: column = "…".'
            )
    customers = workbook.sources.get("customers")
    if customers and "tenure_days" in customers.columns and customers.tenure_unit is None:
        raise TableError(
            f"{file} [tables.customers]: a tenure is read and its unit is not declared. "
            f'Write tenure_unit = "months" (or days, weeks, years).'
        )


def _known(part: Mapping[str, Any], names: tuple[str, ...], *, where: str) -> None:
    for name in part:
        if name not in names:
            hint = did_you_mean(name, names) or f" Known: {', '.join(names)}."
            raise TableError(f"{where}: '{name}' is not known here.{hint}")


def _section(raw: Mapping[str, Any], name: str, file: str) -> dict[str, Any]:
    part = raw.get(name, {})
    if not isinstance(part, dict):
        raise TableError(f"{file}: '{name}' is not a section. Write [{name}] and its settings below.")
    return part


def _between(part: Mapping[str, Any], name: str, default: float, low: float, high: float, file: str) -> float:
    value = part.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise TableError(f"{file} [workbook]: {name} is {value!r}; it is a number from {low:g} to {high:g}.")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    """One value or a list of them, as the text a file would hold."""
    return tuple(_text(item) for item in (value if isinstance(value, list) else [value]))


def _map(value: Any, where: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TableError(f'{where}: {value!r} is not a table of pairs such as {{ a = "b" }}.')
    return {str(key): _text(item) for key, item in value.items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
