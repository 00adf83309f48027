"""Names and texts as DuckDB reads them: whatever stands in a file, it is quoted and never run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def name(column: str) -> str:
    """A column or a table by its name."""
    return '"' + column.replace('"', '""') + '"'


def text(value: str) -> str:
    """A literal text."""
    return "'" + value.replace("'", "''") + "'"


def among(of: str, values: Iterable[str]) -> str:
    """Whether a text is one of several; DuckDB makes a join of an IN, and the rows would lose their order with it."""
    return cases(of, ((text(value), "true") for value in values), otherwise="false")


def cases(of: str, pairs: Iterable[tuple[str, str]], *, otherwise: str = "NULL") -> str:
    """What an expression stands for: CASE … WHEN … THEN …; both parts of a pair are SQL."""
    branches = " ".join(f"WHEN {when} THEN {then}" for when, then in pairs)
    return f"CASE {of} {branches} ELSE {otherwise} END" if branches else otherwise


def first(*made: str) -> str:
    """The first that is there; unlike coalesce it works the later ones out only where the earlier are missing."""
    if len(made) == 1:
        return made[0]
    return f"CASE WHEN {made[0]} IS NOT NULL THEN {made[0]} ELSE {first(*made[1:])} END"


def selected(columns: Mapping[str, str]) -> str:
    """A select list: name → expression."""
    return ", ".join(name(column) if made == name(column) else f"{made} AS {name(column)}" for column, made in columns.items())


def steps(first: str, *selects: tuple[str, str]) -> str:
    """A statement of one step after the other: each selects from the one before, named by its ``{}``."""
    parts, before = [], first
    for place, (label, select) in enumerate(selects[:-1]):
        made = name(f"{place} {label}")
        # A step that is kept in memory before the next one starts would lose the order of the rows, and time.
        parts.append(f"{made} AS NOT MATERIALIZED (SELECT {select} FROM {before})")
        before = made
    last = f"SELECT {selects[-1][1]} FROM {before}"
    return f"WITH {', '.join(parts)} {last}" if parts else last
