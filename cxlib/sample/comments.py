"""Comments from the phrase grammar: theme and feeling in, words out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cxlib.sample import laws, words
from cxlib.sample.laws import Flag, Whole
from cxlib.sample.people import People

CHINESE, ROMANIAN = (laws.LANGUAGES.index(name) for name in (words.CHINESE, "ro"))
FEELINGS = (False, True)
PHONES = ("+44 1632 960{:03d}", "01632 960 {:03d}", "(01632) 960{:03d}")  # kept free for fiction


@dataclass(frozen=True)
class Written:
    """Comments, and what was planted in each: themes (``second`` -1 where there is none) and feelings."""

    texts: Any
    theme: Whole
    happy: Flag
    second: Whole
    second_happy: Flag


def write(rng: np.random.Generator, people: People, *, person: Whole, theme: Whole, happy: Flag) -> Written:
    """One comment a row: an opening, a sentence, perhaps a second one, perhaps an ending.

    ``person`` is -1 where nobody is known, and the language then any.
    """
    size = len(theme)
    language = np.where(person >= 0, people.language[person], laws.pick(rng, laws.LANGUAGE_SHARE, size))
    other = rng.integers(0, len(laws.THEMES), size=size)
    second = np.where((rng.random(size) < laws.SECOND_THEME) & (other != theme), other, -1)
    second_happy = happy ^ (rng.random(size) < laws.TURNS)
    opening, ending, first, then = np.zeros((4, size), dtype=np.int64)
    for place, name in enumerate(laws.LANGUAGES):
        here = language == place
        for part, into in zip(words.AROUND, (opening, ending), strict=True):
            _draw(rng, into, [(here & (happy == feeling), (name, part, feeling)) for feeling in FEELINGS])
        for about, felt, into in ((theme, happy, first), (second, second_happy, then)):
            kinds = [(feeling, number) for feeling in FEELINGS for number in range(len(laws.THEMES))]
            _draw(rng, into, [(here & (felt == f) & (about == number), (name, laws.THEMES[number], f)) for f, number in kinds])
    ending[(then > 0) & (happy != second_happy)] = 0  # nobody says "keep it up" after a complaint
    reach = np.flatnonzero((rng.random(size) < laws.REACH_ME) & (person >= 0))
    which, number = rng.integers(0, 3, size=len(reach)), rng.integers(0, 1000, size=len(reach))
    plain = (rng.random(size) < laws.WITHOUT_DIACRITICS) & (language != CHINESE)
    cedilla = (rng.random(size) < laws.CEDILLA) & (language == ROMANIAN)
    spelling = np.where(plain, 1, np.where(cedilla, 2, 0))
    said = words.phrases()
    lengths = pc.binary_length(said.texts).to_numpy()

    def formed(place: Whole, form: Any) -> Any:
        return said.texts.take(pa.array((spelling * 4 + form) * said.size + place))

    texts = pc.binary_join_element_wise(
        formed(opening, words.FIRST),
        formed(first, np.where(lengths[opening] > 0, words.INSIDE, words.FIRST)),
        formed(then, np.where(happy == second_happy, words.NEXT, words.TURN)),
        formed(ending, words.NEXT),
        _contacts(people, size, reach, person=person, language=language, spelling=spelling, which=which, number=number),
        "",
    )
    return Written(texts, theme, happy, second, second_happy)


def _draw(rng: np.random.Generator, into: Whole, choices: list[tuple[Flag, tuple[str, str, bool]]]) -> None:
    """For the rows of each condition one of its phrases."""
    for here, kind in choices:
        span = words.phrases().spans[kind]
        into[here] = span.begin + rng.integers(0, span.size, size=int(here.sum()))


def _contacts(people: People, size: int, rows: Whole, **asked: Whole) -> Any:
    """A sentence with an address, a number or a name that belongs to nobody, in a few of the comments."""
    known, names = [words.reach_me(name) for name in laws.LANGUAGES], words.full_names()
    texts = np.full(size, "", dtype=object)
    for row, which, digits in zip(rows, asked["which"], asked["number"], strict=True):
        tongue, name = asked["language"][row], names[people.full_name[asked["person"][row]]]
        phone = PHONES[digits % 3].format(digits)
        text = known[tongue][which].format(mail=f"customer{digits}@example.com", phone=phone, name=name)
        texts[row] = ("" if tongue == CHINESE else " ") + words.spelt(text, asked["spelling"][row])
    return pa.array(texts, pa.string())
