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


def called(table: str, ours: str) -> list[str]:
    """What people call one of our columns; who answers a survey, or wrote something, is mostly called a customer."""
    who = names()["customers"]["customer"] if ours in ("customer", "respondent") else []
    return [*names().get(table, {}).get(ours, ()), *who]


def by_name(table: str, columns: Iterable[str]) -> dict[str, str]:
    """Our columns of a table whose name, in one of the five languages, is the name of a column of the file: ours → theirs."""
    found: dict[str, str] = {}
    theirs: dict[str, str] = {}
    for name in columns:
        theirs.setdefault(plain(name), name)
    for ours in TABLES[table].readable:
        for name in (plain(ours), *called(table, ours)):
            if name in theirs and theirs[name] not in found.values():
                found[ours] = theirs[name]
                break
    return found


@cache
def templates() -> dict[str, dict[str, Any]]:
    """The ready-made templates by name, in order of name."""
    return {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted((_HERE / "shapes").glob("*.toml"))}


def recognised(columns: Sequence[str], name: str | None = None) -> list[dict[str, Any]]:
    """The tables of the template whose signature the columns bear (of several the one that names most), or of the one that is named.

    Each table carries what is said of its template: ``title`` and ``documentation``.
    """
    if name is not None and name not in templates():
        raise TableError(f"there is no template '{name}'.{did_you_mean(name, templates())} Known: {', '.join(templates())}.")
    found = [(each, made) for each in ([name] if name else templates()) for made in templates()[each]["table"] if _bears(columns, made)]
    if not found:
        found = [(name, templates()[name]["table"][0])] if name else []
    best, _ = max(found, key=lambda pair: len(pair[1]["signature"]), default=("", {}))
    about = {key: value for key, value in templates().get(best, {}).items() if key != "table"}
    return [about | made for each, made in found if each == best]


def _bears(columns: Sequence[str], made: dict[str, Any]) -> bool:
    """Whether the columns are those of an export; a signature of one common word counts only as the first column, before a question."""
    if not all(present(columns, each) for each in made["signature"]):
        return False
    asks = any("?" in name or "？" in name or name.count(" ") > 2 for name in columns[1:])
    return not made.get("first") or (asks and present(columns[:1], made["signature"][0]) is not None)


def present(there: Iterable[str], name: str) -> str | None:
    """The first of the alternatives ``a|b`` that is among the columns, as it is written there.

    A header of two lines is known by its upper one: what follows the bar in ``upper | lower`` is the tool's, not the question's.
    """
    spelt = {column.strip().lower(): column for column in there}
    uppers = {column.split(" | ")[0]: found for column, found in spelt.items()}
    return next((found for each in name.lower().split("|") if (found := spelt.get(each.strip()) or uppers.get(each.strip()))), None)
