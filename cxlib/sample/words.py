"""The words of `words.toml`: names, shops, and sentences by language, theme and feeling."""

from __future__ import annotations

import itertools
import string
import tomllib
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from cxlib.sample.laws import LANGUAGES, Words


@cache
def _known() -> dict[str, Any]:
    return tomllib.loads(resources.files("cxlib.sample").joinpath("words.toml").read_text(encoding="utf-8"))


def _feeling(happy: bool) -> str:
    return "happy" if happy else "unhappy"


def names(part: str) -> Words:
    """First or last names, a row a language."""
    return np.array([_known()[part][language] for language in LANGUAGES], dtype=object)


def places() -> Words:
    """The names of the shops."""
    return np.array(_known()["places"], dtype=object)


def around(part: str, language: str, happy: bool) -> Words:
    """What stands before (``openings``) or after (``endings``) the sentences of a comment."""
    return np.array(_known()[part][language][_feeling(happy)], dtype=object)


def but(language: str) -> str:
    """What turns to the other feeling."""
    return str(_known()["but"][language])


def reach_me(language: str) -> Words:
    """Sentences with something to redact."""
    return np.array(_known()["reach_me"][language], dtype=object)


@cache
def sentences(language: str, theme: str, happy: bool) -> Words:
    """Every sentence there is for this theme and feeling, each slot filled in each way."""
    slots, filled = _known()["slots"][language], []
    for sentence in _known()["sentences"][language][theme][_feeling(happy)]:
        asked = list(dict.fromkeys(name for _, name, _, _ in string.Formatter().parse(sentence) if name))
        for choice in itertools.product(*(slots[name] for name in asked)):
            filled += [sentence.format(**dict(zip(asked, choice, strict=True)))]
    return np.array(filled, dtype=object)
