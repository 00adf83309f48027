"""The words of `words.toml`: names, shops, and every phrase by language, theme and feeling, in each form it takes."""

from __future__ import annotations

import itertools
import string
import tomllib
import unicodedata
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import pyarrow as pa

from cxlib.sample.laws import LANGUAGES, THEMES

#: First names, and last names, in each language.
NAMES = 8
CHINESE = "zh-Hant"
FEELINGS = ("unhappy", "happy")
AROUND = ("openings", "endings")
#: How a phrase stands in a comment: inside a sentence, at its beginning, in a sentence of its own, or turning to the other feeling.
INSIDE, FIRST, NEXT, TURN = range(4)
#: How it is spelt: as it should be, without diacritics, or with the cedillas of old keyboards.
SPELLINGS = 3
_CEDILLAS = str.maketrans("șțȘȚ", "şţŞŢ")


class Span(NamedTuple):
    """Where the phrases of one kind stand, and how many there are."""

    begin: int
    size: int


class Phrases(NamedTuple):
    """Every phrase in every form and spelling; phrase 0 is the empty one.

    A phrase at ``place`` of ``size`` stands at ``(spelling * 4 + form) * size + place`` of ``texts``.
    """

    texts: Any
    size: int
    spans: dict[tuple[str, str, bool], Span]


@cache
def _known() -> dict[str, Any]:
    return tomllib.loads(resources.files("cxlib.sample").joinpath("words.toml").read_text(encoding="utf-8"))


def full_names() -> tuple[str, ...]:
    """Every first name with every last name, language by language."""
    first, last = _known()["first_names"], _known()["last_names"]
    pairs = ((tongue, a, b) for tongue in LANGUAGES for a, b in itertools.product(first[tongue], last[tongue]))
    return tuple(b + a if tongue == CHINESE else f"{a} {b}" for tongue, a, b in pairs)


def places() -> tuple[str, ...]:
    """The names of the shops."""
    return tuple(_known()["places"])


def around(part: str, language: str, happy: bool) -> list[str]:
    """What stands before (``openings``) or after (``endings``) the sentences of a comment."""
    return list(_known()[part][language][FEELINGS[happy]])


def but(language: str) -> str:
    """What turns to the other feeling."""
    return str(_known()["but"][language])


def reach_me(language: str) -> list[str]:
    """Sentences with something to redact."""
    return list(_known()["reach_me"][language])


def sentences(language: str, theme: str, happy: bool) -> list[str]:
    """Every sentence there is for this theme and feeling, each slot filled in each way."""
    slots, filled = _known()["slots"][language], []
    for sentence in _known()["sentences"][language][theme][FEELINGS[happy]]:
        asked = list(dict.fromkeys(name for _, name, _, _ in string.Formatter().parse(sentence) if name))
        for choice in itertools.product(*(slots[name] for name in asked)):
            filled += [sentence.format(**dict(zip(asked, choice, strict=True)))]
    return filled


def spelt(text: str, spelling: int) -> str:
    """The text as its writer spells it."""
    if spelling == 1:
        return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
    return text.translate(_CEDILLAS) if spelling else text


@cache
def phrases() -> Phrases:
    """All of them, so that a comment is put together from whole pieces."""
    spans, known = {}, [("", "", "")]
    for language, happy in itertools.product(LANGUAGES, (False, True)):
        gap = "" if language == CHINESE else " "
        parts = [(name, around(name, language, happy)) for name in AROUND]
        for name, texts in [*parts, *((theme, sentences(language, theme, happy)) for theme in THEMES)]:
            spans[language, name, happy] = Span(len(known), len(texts))
            known += [(text, gap, but(language)) for text in texts]
    forms = [
        spelt("" if not text else (text, _capital(text), gap + _capital(text), gap + turn + text)[form], spelling)
        for spelling in range(SPELLINGS)
        for form in (INSIDE, FIRST, NEXT, TURN)
        for text, gap, turn in known
    ]
    return Phrases(pa.array(forms, pa.string()), len(known), spans)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
