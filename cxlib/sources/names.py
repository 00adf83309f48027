"""The names of the columns, from the lines of a header."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cxlib.sources.files import File
from cxlib.sources.look import BLANKS
from cxlib.sources.unpacked import apart


def named(lines: Sequence[Sequence[str]], width: int = 0) -> list[str]:
    """One name a column, from the header's lines; without a line, ``(column 1)`` and so on.

    Names of two lines are ``upper | lower``. An empty upper cell continues the one to its left, as
    merged cells do; an empty lower one adds nothing. Doubled names are numbered, every one of them, so
    that none of them is taken for the only one; names that differ in case only are doubled too.
    """
    width = max([width, *(len(line) for line in lines)])
    names = [""] * width
    for place, line in enumerate(lines):
        cells = [re.sub(r"\s*[\r\n]+\s*", " ", cell).strip(BLANKS) for cell in line] + [""] * (width - len(line))
        if place < len(lines) - 1:
            for column in range(1, width):
                cells[column] = cells[column] or cells[column - 1]
        names = [" | ".join(filter(None, pair)) for pair in zip(names, cells, strict=True)]
    names = [name or f"(column {place})" for place, name in enumerate(names, start=1)]
    return numbered([apart(name) for name in names])


def numbered(names: list[str]) -> list[str]:
    """Every doubled name with its number behind it."""
    while len({name.lower() for name in names}) < len(names):
        lower = [name.lower() for name in names]
        seen: dict[str, Iterator[int]] = {}
        names = [
            f"{name} ({next(seen.setdefault(key, iter(range(1, len(names) + 1))))})" if lower.count(key) > 1 else name
            for name, key in zip(names, lower, strict=True)
        ]
    return names


def same(files: Sequence[File], names: Sequence[Sequence[str]]) -> None:
    """Refuse files of one source whose columns differ."""
    for file, columns in zip(files[1:], names[1:], strict=True):
        if list(columns) != list(names[0]):
            odd = sorted(set(columns) ^ set(names[0])) or ["their order"]
            raise file.refused(
                f"has other columns than {files[0].name} ({', '.join(odd[:3])}). "
                f"Exports that differ are declared each on its own, as [[tables.{file.table}]]."
            )
