"""Reading TOML strictly: a setting that nobody knows, or that cannot be meant, is an error and not a silence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cxlib.tables import TableError, did_you_mean


def known(part: Mapping[str, Any], names: tuple[str, ...], *, where: str) -> None:
    """Refuse a name that is not among those that are known here."""
    for name in part:
        if name not in names:
            hint = did_you_mean(name, names) or f" Known: {', '.join(names)}."
            raise TableError(f"{where}: '{name}' is not known here.{hint}")


def section(raw: Mapping[str, Any], name: str, file: str) -> dict[str, Any]:
    """A part of the file that has to be a section; an absent one is empty."""
    part = raw.get(name, {})
    if not isinstance(part, dict):
        raise TableError(f"{file}: '{name}' is not a section. Write [{name}] and its settings below.")
    return part


def between(part: Mapping[str, Any], name: str, default: float, *, low: float, high: float, where: str) -> float:
    """A number within its bounds."""
    value = part.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise TableError(f"{where}: {name} is {written(value)}; it is a number from {low:g} to {high:g}.")
    return value


def whole(part: Mapping[str, Any], name: str, default: int, *, low: int, where: str) -> int:
    """A whole number from ``low`` on."""
    value = part.get(name, default)
    if type(value) is not int or value < low:
        raise TableError(f"{where}: {name} is {written(value)}; it is a whole number from {low} on.")
    return value


def words(part: Mapping[str, Any], name: str, *, where: str) -> str | None:
    """A setting that is a text; absent, it is None."""
    value = part.get(name)
    if value is not None and not isinstance(value, str):
        raise TableError(f'{where}: {name} is {written(value)}; it is a text in quotes, such as {name} = "…".')
    return value


def mark(part: Mapping[str, Any], name: str, default: str, *, where: str) -> str:
    """A setting that is one character."""
    value = part.get(name, default)
    if not isinstance(value, str) or len(value) != 1:
        raise TableError(f"{where}: {name} is {written(value)}; it is one character.")
    return value


def texts(part: Mapping[str, Any], name: str, *, where: str) -> tuple[str, ...]:
    """A setting that is one value or a list of them, as the text a file would hold; absent, there is none."""
    value = part.get(name, [])
    return tuple(text(item, name, where) for item in (value if isinstance(value, list) else [value]))


def pairs(value: Any, where: str) -> dict[str, str]:
    """A table of pairs, both as text."""
    if not isinstance(value, dict):
        raise TableError(f'{where}: {written(value)} is not a table of pairs such as {{ a = "b" }}.')
    return {str(key): text(item, str(key), where) for key, item in value.items()}


def text(value: Any, name: str, where: str) -> str:
    """A value of TOML as the text that a file would hold."""
    if isinstance(value, dict | list):
        what = "a list" if isinstance(value, list) else "a table"
        raise TableError(f"{where}: {name} has {what} where a single value stands, such as a text in quotes.")
    return str(value).lower() if isinstance(value, bool) else str(value)


def written(value: Any) -> str:
    """A value as TOML has it, for a letter; what is absent is not declared."""
    return "not declared" if value is None else json.dumps(value, ensure_ascii=False, default=str)
