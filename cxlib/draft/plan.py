"""What a draft is made of: lines that are written, lines that are offered, and what is to be confirmed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cxlib.draft.facts import Facts
from cxlib.draft.look import Look
from cxlib.tables import TABLES


@dataclass
class Line:
    """One setting and what speaks for it; one that is ``offered`` is written as a comment."""

    setting: str
    because: str = ""
    offered: bool = False


@dataclass
class Part:
    """One ``[tables.…]`` section: the export that feeds it, its settings, its columns, and what is to be known of it.

    ``columns`` are ours → theirs, ``guessed`` why one of them was taken that has another name, ``others`` what it may be instead,
    ``asked`` the columns that are questions, and ``made`` what a template says.
    """

    table: str
    look: Look
    facts: dict[str, Facts]
    columns: dict[str, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    guessed: dict[str, str] = field(default_factory=dict)
    others: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    made: dict[str, Any] = field(default_factory=dict)

    @property
    def used(self) -> set[str]:
        """The columns of the file that are read, or offered as a question."""
        return self.asked | set(self.columns.values())

    def of(self, *kinds: str) -> dict[str, Facts]:
        """Our columns of these kinds, with the facts of the column they are read from."""
        return {ours: self.facts[theirs] for ours, theirs in self.columns.items() if TABLES[self.table][ours].kind in kinds}

    def take(self, ours: str, theirs: list[str], why: str) -> None:
        """Read one of our columns from the first of theirs although its name does not say so; the others may be meant instead."""
        self.columns[ours], self.guessed[ours], self.others[ours] = theirs[0], why, theirs[1:]


@dataclass(frozen=True)
class Unknown:
    """An export that feeds no table that is known, the table it comes closest to, and the name under which it is asked about."""

    look: Look
    closest: str
    asked: str


@dataclass
class Plan:
    """A whole draft."""

    parts: list[Part] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)
    questions: list[Line] = field(default_factory=list)
    confirm: dict[str, str] = field(default_factory=dict)

    def ask(self, name: str, why: str) -> str:
        """A guess to be confirmed: its name, with a number where the name is taken by another."""
        key, number = name, 2
        while self.confirm.get(key, why) != why:
            key, number = f"{name}_{number}", number + 1
        self.confirm[key] = why
        return key

    def guess(self, part: Part, name: str, setting: str, *, why: str, summary: str = "") -> None:
        """A setting of a table that is read once it is confirmed."""
        key = self.ask(name, f"{part.table}: {summary or why}")
        part.lines.append(Line(setting, f"{why} (confirm {key})."))
