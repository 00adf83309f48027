"""Texts that a spreadsheet would run."""

from __future__ import annotations

import re
from typing import Any

_SIGNS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
_NUMBER = re.compile(r"\s*[+-][\d.,\s]*")


def defused(value: Any, *, numbers: bool = False) -> Any:
    """Text that begins as a formula does, behind an apostrophe; with ``numbers`` a signed number stays as it is."""
    if not isinstance(value, str) or value.lstrip()[:1] not in _SIGNS or (numbers and _NUMBER.fullmatch(value)):
        return value
    return f"'{value}"
