"""What is known before a file is opened: the names people give to columns, and the exports of well-known tools."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from cxlib.draft.facts import plain
from cxlib.tables import TABLES, TableError, did_you_mean

_HERE = Path(__file__).parent


@cache
def names() -> dict[str, Any]:
    """`names.toml`."""
    return tomllib.loads((_HERE / "names.toml").read_text(encoding="utf-8"))


@cache
def words(kind: str) -> frozenset[str]:
    """A list of words under ``[words]``, as they are compared."""
    return frozenset(plain(word) for word in names()["words"][kind])


def by_name(table: str, columns: Iterable[str]) -> dict[str, str]:
    """Our columns of a table whose name, in one of the five languages, is the name of a column of the file: ours → theirs."""
    found: dict[str, str] = {}
    theirs: dict[str, str] = {}
    for name in columns:
        theirs.setdefault(plain(name), name)
    for ours in TABLES[table].readable:
        several = names().get(table, {}).get(ours, ())
        if ours == "customer":
            several = [*several, *names()["customers"]["customer"]]
        for name in (plain(ours), *several):
            if name in theirs and theirs[name] not in found.values():
                found[ours] = theirs[name]
                break
    return found


def templates() -> dict[str, dict[str, Any]]:
    """The ready-made templates by name, in order of name."""
    return {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted((_HERE / "templates").glob("*.toml"))}


def template(name: str) -> dict[str, Any]:
    """One template; an unknown name is refused with the known ones."""
    known = templates()
    if name not in known:
        raise TableError(f"there is no template '{name}'.{did_you_mean(name, known)} Known: {', '.join(known)}.")
    return known[name]


def recognised(columns: Sequence[str]) -> str | None:
    """The template whose signature the columns bear: of several the one that names most."""
    best = (0, "")
    for name, made in templates().items():
        for table in made["table"]:
            if bears(columns, table):
                best = max(best, (len(table["signature"]), name))
    return best[1] or None


def bears(columns: Sequence[str], table: dict[str, Any]) -> bool:
    """Whether the columns are those of an export; a signature of one common word counts only as the first column, before a question."""
    if not all(present(columns, each) for each in table["signature"]):
        return False
    if not table.get("first"):
        return True
    first = present(columns, table["signature"][0])
    return first == columns[0] and any("?" in name or name.count(" ") > 2 for name in columns[1:])


def present(there: Iterable[str], name: str) -> str | None:
    """The first of the alternatives ``a|b`` that is among the columns, as it is written there.

    A header of two lines is known by its upper one: what follows the bar in ``upper | lower`` is the tool's, not the question's.
    """
    spelt = {column.strip().lower(): column for column in there}
    uppers = {column.split(" | ")[0].strip().lower(): column for column in there}
    for each in name.split("|"):
        if (found := spelt.get(each.strip().lower()) or uppers.get(each.strip().lower())) is not None:
            return found
    return None
