"""Comments from the phrase grammar: theme and feeling in, words out."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np

from cxlib.sample import laws, words
from cxlib.sample.laws import Flag, Whole, Words
from cxlib.sample.people import People

CHINESE = laws.LANGUAGES.index("zh-Hant")
ROMANIAN = laws.LANGUAGES.index("ro")
FEELINGS = (False, True)
AROUND = ("openings", "endings")
PHONES = ("+44 1632 960{:03d}", "01632 960 {:03d}", "(01632) 960{:03d}")  # kept free for fiction


@dataclass(frozen=True)
class Written:
    """Comments, and what was planted in each: themes (``second`` -1 where there is none) and feelings."""

    texts: Words
    theme: Whole
    happy: Flag
    second: Whole
    second_happy: Flag


def write(rng: np.random.Generator, people: People, *, person: Whole, theme: Whole, happy: Flag) -> Written:
    """One comment a row; ``person`` is -1 where nobody is known, and the language then any."""
    size = len(theme)
    language = np.where(person >= 0, people.language[person], laws.pick(rng, laws.LANGUAGE_SHARE, size))
    other = rng.integers(0, len(laws.THEMES), size=size)
    second = np.where((rng.random(size) < laws.SECOND_THEME) & (other != theme), other, -1)
    planted = Written(np.full(size, "", dtype=object), theme, happy, second, happy ^ (rng.random(size) < laws.TURNS))
    texts = planted.texts
    for place in range(len(laws.LANGUAGES)):
        here = np.flatnonzero(language == place)
        texts[here] = _of_language(rng, laws.LANGUAGES[place], planted, here)
    reach = np.flatnonzero((rng.random(size) < laws.REACH_ME) & (person >= 0))
    texts[reach] += _contact(rng, people, person[reach], language[reach])
    plain = (rng.random(size) < laws.WITHOUT_DIACRITICS) & (language != CHINESE)
    texts[plain] = [_bare(text) for text in texts[plain]]
    cedilla = (rng.random(size) < laws.CEDILLA) & (language == ROMANIAN)
    texts[cedilla] = [text.translate(str.maketrans("șțȘȚ", "şţŞŢ")) for text in texts[cedilla]]
    return planted


def languages(people: People, person: Whole) -> Words:
    """The language of each person; None where nobody is known."""
    return np.array([*laws.LANGUAGES, None], dtype=object)[np.where(person >= 0, people.language[person], -1)]


def _of_language(rng: np.random.Generator, language: str, planted: Written, rows: Whole) -> Words:
    """Comments of one language: an opening, a sentence, perhaps a second one, perhaps an ending."""
    happy, second_happy = planted.happy[rows], planted.second_happy[rows]
    opening, ending = (
        _drawn(rng, len(rows), [(happy == feeling, words.around(part, language, feeling)) for feeling in FEELINGS]) for part in AROUND
    )
    said = []
    for theme, felt in ((planted.theme[rows], happy), (planted.second[rows], second_happy)):
        kinds = [(feeling, place, name) for feeling in FEELINGS for place, name in enumerate(laws.THEMES)]
        said.append(
            _drawn(rng, len(rows), [((felt == f) & (theme == place), words.sentences(language, name, f)) for f, place, name in kinds])
        )
    gap = "" if language == "zh-Hant" else " "
    more = np.where(happy == second_happy, _capital(said[1]), words.but(language) + said[1])
    texts = _capital(opening + said[0])
    for part, there in ((more, said[1] != ""), (ending, ending != "")):
        texts = texts + np.where(there, gap + part, "")
    return texts


def _drawn(rng: np.random.Generator, size: int, choices: list[tuple[Flag, Words]]) -> Words:
    """For the rows of each condition one of its texts; empty elsewhere."""
    texts = np.full(size, "", dtype=object)
    for here, known in choices:
        texts[here] = known[rng.integers(0, len(known), size=int(here.sum()))]
    return texts


def _contact(rng: np.random.Generator, people: People, person: Whole, language: Whole) -> Words:
    """A sentence with an address, a number or a name that belongs to nobody."""
    size = len(person)
    which, number = rng.integers(0, 3, size=size), rng.integers(0, 1000, size=size)
    said = np.array([words.reach_me(name) for name in laws.LANGUAGES], dtype=object)[language, which]
    texts = [
        text.format(mail=f"customer{digits}@example.com", phone=PHONES[digits % 3].format(digits), name=name)
        for text, digits, name in zip(said, number, people.full_name[person], strict=True)
    ]
    return np.array([text if tongue == CHINESE else " " + text for text, tongue in zip(texts, language, strict=True)], dtype=object)


def _capital(texts: Words) -> Words:
    return np.array([text[:1].upper() + text[1:] for text in texts], dtype=object)


def _bare(text: str) -> str:
    """The text of somebody who leaves the diacritics out."""
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
