"""Comments from the phrase grammar: theme and feeling in, words out."""

from __future__ import annotations

import itertools
import string
import unicodedata
from functools import cache

import numpy as np

from cxlib.sample import laws, words
from cxlib.sample.laws import Flag, Whole, Words
from cxlib.sample.people import People

PLAIN, CEDILLA, REACH, SECOND = 0.30, 0.10, 0.05, 0.18


@cache
def sentences(language: str, theme: str, happy: bool) -> Words:
    """Every sentence the grammar has for this theme and feeling, slots filled."""
    slots, filled = words.SLOTS[language], []
    for sentence in words.SENTENCES[language][theme][happy]:
        asked = list(dict.fromkeys(name for _, name, _, _ in string.Formatter().parse(sentence) if name))
        choices = itertools.product(*(slots[name] for name in asked))
        filled += [sentence.format(**dict(zip(asked, choice, strict=True))) for choice in choices]
    return np.array(filled, dtype=object)


def _capital(texts: Words) -> Words:
    return np.array([text[:1].upper() + text[1:] for text in texts], dtype=object)


def _bare(text: str) -> str:
    """The text as people type it who leave the diacritics out."""
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))


def _joined(parts: list[Words], gap: str) -> Words:
    joined = parts[0]
    for part in parts[1:]:
        joined = np.where(part == "", joined, joined + np.where(joined == "", "", gap) + part)
    return joined


def _of_language(rng: np.random.Generator, language: str, theme: Whole, second: Whole, happy: Flag) -> Words:
    """Comments of one language, without anything to redact."""
    gap = "" if language == "zh-Hant" else " "
    main, more = np.full(len(theme), "", dtype=object), np.full(len(theme), "", dtype=object)
    opening, ending = main.copy(), main.copy()
    for feeling in (False, True):
        felt = np.flatnonzero(happy == feeling)
        opening[felt] = np.array(words.OPENINGS[language][feeling], dtype=object)[rng.integers(0, 5, size=len(felt))]
        ending[felt] = np.array(words.ENDINGS[language][feeling], dtype=object)[rng.integers(0, 6, size=len(felt))]
        for place, name in enumerate(words.THEMES):
            known = sentences(language, name, feeling)
            for chosen, text in ((theme, main), (second, more)):
                here = felt[chosen[felt] == place]
                text[here] = known[rng.integers(0, len(known), size=len(here))]
    lines = _joined([_capital(opening + main), _capital(more), ending], gap)
    return lines


def write(rng: np.random.Generator, people: People, person: Whole, theme: Whole, happy: Flag) -> tuple[Words, Whole]:
    """One comment a row, and the position of a second theme in it (-1 where there is none).

    ``person`` is -1 where nobody is known; such comments are in a language of their own drawing.
    """
    size = len(theme)
    language = np.where(person >= 0, people.language[person], laws.pick(rng, laws.LANGUAGE_SHARE, size))
    other = rng.integers(0, len(words.THEMES), size=size)
    second = np.where((rng.random(size) < SECOND) & (other != theme), other, -1)
    plain, cedilla, reach = rng.random(size) < PLAIN, rng.random(size) < CEDILLA, rng.random(size) < REACH
    which, number = rng.integers(0, 3, size=size), rng.integers(0, 1000, size=size)
    texts = np.full(size, "", dtype=object)
    for place, name in enumerate(laws.LANGUAGES):
        here = np.flatnonzero(language == place)
        texts[here] = _of_language(rng, name, theme[here], second[here], happy[here])
    for row in np.flatnonzero(reach & (person >= 0)):
        tongue = laws.LANGUAGES[language[row]]
        asked = words.REACH_ME[tongue][which[row]]
        contact = asked.format(
            mail=f"customer{number[row]}@example.com", phone=f"+44 1632 960{number[row]:03d}", name=people.full_name[person[row]]
        )
        texts[row] += ("" if tongue == "zh-Hant" else " ") + contact
    for row in np.flatnonzero(plain & (language != laws.LANGUAGES.index("zh-Hant"))):
        texts[row] = _bare(texts[row])
    for row in np.flatnonzero(cedilla & (language == laws.LANGUAGES.index("ro"))):
        texts[row] = texts[row].translate(str.maketrans("șțȘȚ", "şţŞŢ"))
    return texts, second


def language_written(people: People, person: Whole) -> Words:
    """The language column beside comments: known where the person is."""
    known: Words = np.array([*laws.LANGUAGES, None], dtype=object)[np.where(person >= 0, people.language[person], -1)]
    return known
