"""What a draft is made of: lines that are written, lines that are offered, and what is to be confirmed."""

from __future__ import annotations

from dataclasses import dataclass, field

from cxlib.draft.facts import Facts
from cxlib.draft.look import Look


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
    and ``asked`` the columns that are questions.
    """

    table: str
    look: Look
    facts: dict[str, Facts]
    columns: dict[str, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    guessed: dict[str, str] = field(default_factory=dict)
    others: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    template: str | None = None
    asked: set[str] = field(default_factory=set)

    @property
    def used(self) -> set[str]:
        """The columns of the file that are read, or offered as a question."""
        return self.asked | set(self.columns.values())


@dataclass
class Plan:
    """A whole draft."""

    parts: list[Part] = field(default_factory=list)
    questions: list[Line] = field(default_factory=list)
    confirm: dict[str, str] = field(default_factory=dict)

    def ask(self, name: str, why: str) -> str:
        """A guess to be confirmed: its name, with a number where the name is taken by another."""
        key, number = name, 2
        while self.confirm.get(key, why) != why:
            key, number = f"{name}_{number}", number + 1
        self.confirm[key] = why
        return key

    def guess(self, part: Part, name: str, setting: str, because: str, summary: str) -> None:
        """A setting of a table that is read once it is confirmed."""
        key = self.ask(name, f"{part.table}: {summary}")
        part.lines.append(Line(setting, f"{because} (confirm {key})."))
