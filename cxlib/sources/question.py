"""A question as it is declared: its kind, its scale, its direction; none of them is ever guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cxlib.sources.settings import known, pairs, texts, words, written
from cxlib.tables import TableError

KINDS = ("nps", "csat", "ces", "rating", "choice")
DIRECTIONS = ("high is good", "low is good")
_SETTINGS = ("label", "kind", "scale", "direction", "no_answer", "values", "column", "touchpoint", "choices", "choices_separated_by")


@dataclass(frozen=True)
class Question:
    """One declared question.

    ``choices`` names what can be chosen, in declared order; ``choice_columns`` has the column of each
    where they do not share one cell; where they do, and nothing separates them, a cell holds one. A yes/no
    question is a choice question without choices.
    """

    name: str
    label: str
    kind: str
    scale: tuple[int, int]
    direction: str
    no_answer: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    column: str | None = None
    touchpoint: str | None = None
    choices: tuple[str, ...] = ()
    choice_columns: Mapping[str, str] = field(default_factory=dict)
    choices_separated_by: str | None = None

    @property
    def turned(self) -> bool:
        """Whether the scores are turned at the door, so that high is good inside."""
        return self.direction == "low is good" and self.kind != "ces"

    @property
    def low_is_good(self) -> bool:
        """Whether low stays good inside: only the effort score, which is defined that way."""
        return self.direction == "low is good" and self.kind == "ces"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a wide file that hold its answers."""
        return tuple(self.choice_columns.values()) or ((self.column,) if self.column else ())


def question(name: str, part: Any, file: str) -> Question:
    """Check one [questions.…] section."""
    where = f"{file} [questions.{name}]"
    if not isinstance(part, dict):
        raise TableError(f"{where}: this is not a section. Write [questions.{name}] and its settings below.")
    known(part, _SETTINGS, where=where)
    kind = part.get("kind")
    if kind not in KINDS:
        raise TableError(f"{where}: kind is {written(kind)}. A question's kind is never guessed; it is one of {', '.join(KINDS)}.")
    choices, columns, separated_by = _choices(part, where)
    return Question(
        name=name,
        label=str(part.get("label", name)),
        kind=kind,
        scale=(0, 1) if kind == "choice" else _scale(part, kind, where),
        direction="high is good" if kind == "choice" else _direction(part, where),
        no_answer=texts(part, "no_answer", where=where),
        values=_values(part, where),
        column=words(part, "column", where=where),
        touchpoint=words(part, "touchpoint", where=where),
        choices=choices,
        choice_columns=columns,
        choices_separated_by=separated_by,
    )


def _values(part: Mapping[str, Any], where: str) -> dict[str, str]:
    """What words mean in numbers."""
    values = pairs(part.get("values", {}), f"{where} values")
    for word, number in values.items():
        if not number.lstrip("-").isdecimal():
            raise TableError(f"{where} values: {written(word)} is {written(number)}; an answer in words stands for a whole number.")
    return values


def _scale(part: Mapping[str, Any], kind: str, where: str) -> tuple[int, int]:
    scale = part.get("scale")
    if not (isinstance(scale, list) and len(scale) == 2 and all(type(end) is int for end in scale) and scale[0] < scale[1]):
        raise TableError(
            f"{where}: scale is {written(scale)}. A scale is never guessed; write its two ends, the lower one first, "
            "such as scale = [0, 10]."
        )
    if kind == "nps" and scale not in ([0, 10], [1, 10]):
        raise TableError(f"{where}: an nps question has scale [0, 10] (or [1, 10], which is scored apart), not {scale}.")
    return scale[0], scale[1]


def _direction(part: Mapping[str, Any], where: str) -> str:
    direction = part.get("direction")
    if direction not in DIRECTIONS:
        raise TableError(
            f'{where}: direction is {written(direction)}. A direction is never guessed; write "high is good" or "low is good".'
        )
    return str(direction)


def _choices(part: Mapping[str, Any], where: str) -> tuple[tuple[str, ...], dict[str, str], str | None]:
    """What can be chosen: a list where the choices share a cell, pairs of choice and column where each has its own."""
    given, separated_by = part.get("choices"), words(part, "choices_separated_by", where=where)
    if part.get("kind") != "choice":
        if given is not None or separated_by is not None:
            raise TableError(f'{where}: only a question of kind "choice" has choices.')
        return (), {}, None
    if "scale" in part or "direction" in part:
        raise TableError(f"{where}: a choice is chosen or not; it has no scale and no direction. Leave them out.")
    if isinstance(given, dict) and given:
        if "column" in part or separated_by is not None:
            raise TableError(f"{where}: each choice has its column, so there is no column of the question and nothing that separates.")
        columns = pairs(given, f"{where} choices")
        return tuple(columns), columns, None
    names = texts(part, "choices", where=where) if given else ()
    if len(set(names)) < len(names) or (given is not None and not names):
        raise TableError(f'{where}: choices is {written(given)}; it is a list of different names such as ["Price", "Quality"].')
    if not names and not part.get("values"):
        raise TableError(f"{where}: a choice question needs choices, or, where it is yes or no, values = {{ Yes = 1, No = 0 }}.")
    return names, {}, separated_by
