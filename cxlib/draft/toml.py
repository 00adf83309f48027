"""Values as TOML writes them, and text that cannot leave the comment or the string it stands in."""

from __future__ import annotations

import re
import unicodedata

from cxlib.draft.facts import plain

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


def slug(name: str) -> str:
    """A name in plain letters, digits and underscores; nothing where it has none."""
    return "_".join(re.sub(r"[^a-z0-9 ]", " ", plain(name)).split())[:40].strip("_")


def said(text: str, most: int = 80) -> str:
    """Text of a file for a comment: in one line, not too long, nothing in it that a terminal or an editor obeys."""
    plain = _escaped(" ".join(text.split()))
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def _escaped(text: str) -> str:
    # Half of a character cannot be written in TOML.
    whole = re.sub("[\ud800-\udfff]", "\ufffd", text)
    unseen = {letter for letter in whole if unicodedata.category(letter) in _UNSEEN}
    return "".join((f"\\u{ord(each):04X}" if ord(each) < 0x10000 else f"\\U{ord(each):08X}") if each in unseen else each for each in whole)
