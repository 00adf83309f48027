"""How a letter shows what stands in a file: on one line, not too long, and with what the eye would not see."""

from __future__ import annotations

import json
import re
import unicodedata

_LONGEST = 60
#: Two letters without width that belong into words and emoji.
_JOINERS = "\u200c\u200d"


def legible(value: str) -> str:
    """A cell as a letter shows it; ``<U+00A0>`` stands for a letter that looks like a blank or like nothing."""
    shown = "".join(map(_letter, value.strip(" ")))
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _letter(letter: str) -> str:
    if letter in "\n\r\t":
        return {"\n": "<line end>", "\r": "", "\t": "<tab>"}[letter]
    hidden = unicodedata.category(letter) in ("Cc", "Cf", "Co", "Cn", "Zl", "Zp", "Zs") and letter != " " and letter not in _JOINERS
    return f"<U+{ord(letter):04X}>" if hidden else letter


def times(count: int) -> str:
    """How often something occurs."""
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def key(name: str) -> str:
    """A name as TOML has it before an equals sign or in a section's brackets."""
    return name if re.fullmatch("[A-Za-z0-9_-]+", name) else quoted(name)


def quoted(value: str) -> str:
    """A text as TOML has it."""
    return json.dumps(value, ensure_ascii=False)


def code(value: str) -> str:
    """A value as it is declared under no_answer: a number as such, a word in quotes."""
    return value if re.fullmatch("-?(0|[1-9][0-9]*)", value) else quoted(value)
