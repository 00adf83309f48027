"""Values as TOML writes them, and text that cannot leave the comment or the string it stands in."""

from __future__ import annotations

import re
import unicodedata

#: Kinds of characters that are not seen, or that turn what is seen around.
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def inline(value: object) -> str:
    """A value in one line of TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(inline, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key(str(name))} = {inline(item)}' for name, item in value.items())} }}"
    return '"' + _escaped(str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").replace("\n", "\\n")) + '"'


def key(name: str) -> str:
    """A name left of an equals sign, in quotes only where it must be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else inline(name)


def said(text: str, most: int = 80) -> str:
    """Text of a file for a comment: in one line, not too long, nothing in it that a terminal or an editor obeys."""
    plain = _escaped(" ".join(text.split()))
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def _escaped(text: str) -> str:
    return "".join(_escape(ord(letter)) if unicodedata.category(letter) in _UNSEEN else letter for letter in text)


def _escape(number: int) -> str:
    if 0xD800 <= number < 0xE000:  # half of a character; TOML has no way to write it
        return "\ufffd"
    return f"\\u{number:04X}" if number < 0x10000 else f"\\U{number:08X}"
