"""One export on its way through the door: which of its columns is which, and what must be there and is not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cxlib.sources import answers, cells, sql
from cxlib.sources.cells import Cell
from cxlib.sources.declared import Question, Source, Workbook
from cxlib.sources.reading import ROW, Raw
from cxlib.sources.said import legible
from cxlib.tables import Column, TableError, TableSpec, did_you_mean


@dataclass(frozen=True)
class Export:
    """One export on its way: what it declares, its rows, the source's column behind each canonical one, and its questions."""

    source: Source
    raw: Raw
    names: dict[str, str]
    asked: tuple[Question, ...]
    several: bool = False

    @property
    def wide(self) -> bool:
        return bool(self.asked)

    @property
    def multiplied(self) -> bool:
        """Whether some rows of the file become several, by what stands in them."""
        return self.several and not self.wide


def resolved(workbook: Workbook, source: Source, spec: TableSpec, raw: Raw) -> Export:
    """The source's column behind each canonical one and each key; what must be there and is not, is refused."""
    where, columns = f"under [tables.{spec.name}] in {workbook.path.name}", tuple(raw.types)
    names: dict[str, str] = {}
    for column in (*spec.readable, *source.keys):
        asked = source.columns.get(column) or source.keys.get(column)
        name = asked or column
        absent = [part for part in _parts(name) if part not in columns]
        if not absent:
            names[column] = name
        elif asked:
            raise TableError(
                f"{source.label}: the source has no column '{legible(absent[0])}', declared for '{column}' {where}."
                f"{_offer(absent[0], columns)}"
            )
    for column in source.only:
        if column not in columns:
            raise TableError(
                f"{source.label}: the source has no column '{legible(column)}', named by only {where}.{_offer(column, columns)}"
            )
    long = "question" in names or "question" in source.constants
    wide = spec.name == "responses" and workbook.wide and not (long and len(workbook.sources["responses"]) > 1)
    questions = _questions(workbook, source, columns) if wide else ()
    needed = [column.name for column in spec.columns if column.required and not (wide and column.name == "question")]
    if spec.name == "responses" and not wide:
        needed.append("score")
    if spec.either and not any(name in names or name in source.constants for name in spec.either):
        needed.append(spec.either[0])
    if "tenure_days" in names:
        needed.append("churned")
    if source.session_gap_minutes:
        needed = ["customer", *(name for name in needed if name != "case_id")]
        names.pop("case_id", None)
    for column in needed:
        if column not in names and column not in source.constants:
            raise TableError(
                f"{source.label}: the source has no column '{column}'.{_offer(column, columns)} "
                f'Declare which one it is: columns = {{ {column} = "…" }} {where}.'
            )
    if not names and not questions:
        raise TableError(
            f"{source.label}: nothing is read of its {len(columns):,} column{'s' if len(columns) > 1 else ''}: "
            f"{', '.join(map(legible, columns[:3]))}{', …' if len(columns) > 3 else ''}. If the header is on another line, declare it: "
            f'header = 2; otherwise say which column is which: columns = {{ {spec.readable[0]} = "…" }} {where}.'
        )
    several = spec.name == "responses" and any(question.choices for question in workbook.questions.values())
    return Export(source, raw, names, questions, several)


def _questions(workbook: Workbook, source: Source, columns: Sequence[str]) -> tuple[Question, ...]:
    """The questions that a wide export answers: all of them, or where there are several exports those it has columns for."""
    several, asked = len(workbook.sources["responses"]) > 1, []
    for question in answers.questions_of(workbook):
        absent = [name for name in question.columns if name not in columns]
        if absent and not (several and len(absent) == len(question.columns)):
            raise TableError(
                f"{source.label}: the source has no column '{legible(absent[0])}', declared for the question '{question.name}'."
                f"{_offer(absent[0], columns)}"
            )
        if not absent and question.columns:
            asked.append(question)
    if not asked:
        raise TableError(
            f"{source.label}: no question is answered in this export: it has neither a column 'question' nor one that a question names."
        )
    return tuple(asked)


def refuse_unasked(workbook: Workbook, resolved: list[Export]) -> None:
    """A question that no export answers, where each answers some."""
    asked = {question.name for each in resolved for question in each.asked}
    absent = [question for question in answers.questions_of(workbook) if question.columns and question.name not in asked]
    if asked and absent:
        raise TableError(
            f"responses: none of its {len(resolved)} exports has the column '{absent[0].columns[0]}', declared for the question "
            f"'{absent[0].name}'. Correct column under [questions.{absent[0].name}] in {workbook.path.name}."
        )


def _parts(name: str) -> list[str]:
    """The source columns in a declaration: one name, or several in braces such as ``{date} {time}``."""
    parts = re.findall(r"\{([^{}]+)\}", name) if "{" in name else [name.strip()]
    return [f"{ROW} (in the file)" if part == ROW else part for part in parts]


def used(export: Export) -> set[str]:
    """The columns of the source that anything is made of."""
    parts = {part for name in export.names.values() for part in _parts(name)}
    return parts | set(export.source.only) | {column for question in export.asked for column in question.columns}


def _offer(name: str, columns: Sequence[str]) -> str:
    more = f", … {len(columns)} in all" if len(columns) > 5 else ""
    numbered = f"{name} (1)" if f"{name} (1)" in columns else ""
    offered = ", ".join(map(legible, columns[:5]))
    return (f" Did you mean '{numbered}'?" if numbered else did_you_mean(name, columns)) or f" It has {offered}{more}."


def cell(export: Export, column: Column) -> Cell:
    """The source column of a declaration, or the text that its pattern makes of several; a constant; nothing."""
    declared, constant = export.names.get(column.name), export.source.constants.get(column.name)
    if declared is None:
        return Cell(column, sql.text(constant) if constant is not None else cells.NOTHING)
    if "{" not in declared:
        (name,) = _parts(declared)
        return Cell(column, sql.name(name), export.raw.types[name], export.raw.seen)
    pieces = []
    for place, piece in enumerate(re.split(r"\{([^{}]+)\}", declared)):
        if piece:
            pieces.append(f"CAST({sql.name(_parts(piece)[0])} AS VARCHAR)" if place % 2 else sql.text(piece))
    return Cell(column, f"({' || '.join(pieces)})")
