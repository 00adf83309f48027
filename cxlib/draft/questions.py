"""Which columns of a survey are questions: kind, scale, codes and direction, each with what speaks for it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cache

from cxlib.draft.facts import MOST, Facts, plain
from cxlib.draft.known import names

#: Numbers that survey tools and people write for "no answer", "does not apply" or "do not know".
CODES = {0, 6, 8, 9, 11, 12, 66, 77, 88, 96, 97, 98, 99, 999, -1, -2, -7, -8, -9, -99}
#: Scales in the order in which they are tried; only the first four where nothing but the numbers speaks for a question.
SCALES = ((1, 5), (1, 7), (0, 10), (1, 10), (1, 4), (1, 6), (1, 3), (0, 5), (0, 100))


@dataclass(frozen=True)
class Guess:
    """A column that looks like a question. ``family`` joins columns that are one block of a questionnaire.

    ``together`` is its correlation with the question about recommending, where there is one.
    """

    column: str
    kind: str
    scale: tuple[int, int]
    inside: int
    answers: int
    codes: dict[str, int] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)
    direction: str = "high is good"
    family: str = ""
    note: str = ""
    named: bool = True
    together: float | None = None


def hinted(name: str) -> str | None:
    """The kind of question that a column's name speaks of: the first under ``[questions]`` of which a word is there."""
    text = f" {plain(name)} "
    return next((kind for kind, several in names()["questions"].items() if any(_within(word, text) for word in several)), None)


def _within(word: str, text: str) -> bool:
    if not word.isascii():  # Chinese writes no blanks between its words
        return word in text
    return f" {word[:-1]}" in text if word.endswith("*") else f" {word} " in text


def family(name: str) -> str:
    """What the columns of one block share: ``Q7`` of Q7FOOD, the question before ``[…]`` or ``|`` or ``_1``."""
    match = re.match(r"^(.+?)\s*(?:\[.*\]|\|.*|_\d+)$", name) or re.match(r"^([A-Za-z]{1,3}\d+)[A-Z_][A-Za-z_]*$", name)
    return match[1].strip() if match else name


def guess(facts: Facts, label: str = "") -> Guess | None:
    """A column as a question, or nothing where its cells are no answers on a scale."""
    kind = hinted(facts.name) or (hinted(label) if label else None)
    counted, values = _numbers(facts)
    if not counted or facts.personal or facts.wordy or counted.total() < 0.8 * facts.filled or len(counted) > 25:
        return None
    ladder = values and not any(text[:1].isdigit() for text in values)
    scale: tuple[int, int] | None
    if kind == "fft":
        scale = (1, 5)
    elif ladder:
        scale = (1, max(5, *values.values()))
    elif kind == "nps":
        scale = next((each for each in ((0, 10), (1, 10)) if max((n for n in counted if n <= each[1]), default=-1) >= 7), None)
    else:
        scale = _scale(counted, named=kind is not None)
    if scale is None:
        return None
    made = _fitted(facts, counted, scale)
    made = replace(made, kind=kind or "rating", values=values, named=kind is not None or bool(ladder))
    if kind == "fft":  # the Friends and Family Test of the English health service is coded from 1, very good, to 5, very poor
        note = "in England's Friends and Family Test 1 is very good and 6 is 'don't know'"
        made = replace(made, kind="csat", direction="low is good", note=note)
        return made if made.inside >= 0.5 * counted.total() else None
    return made


def _numbers(facts: Facts) -> tuple[Counter[int], dict[str, int]]:
    """How often each number was given, and the words that stand for a number: a ladder's, or those like ``10 - very likely``."""
    counted: Counter[int] = Counter()
    values: dict[str, int] = {}
    rungs = _ladder(frozenset(plain(text) for text in facts.said if not text[:1].isdigit())) if len(facts.said) <= 50 else {}
    for text, rows in facts.said.items():
        if re.fullmatch(r"[+-]?\d{1,4}(\.0+)?", text):
            counted[int(float(text))] += rows
            continue
        started = re.match(r"(\d{1,2})\s*[-–—:=(]\s*\D", text) if len(text) <= 40 else None
        number = int(started[1]) if started else rungs.get(plain(text))
        if number is not None:
            counted[number] += rows
            values[text] = number
    return counted, dict(sorted(values.items(), key=lambda pair: (pair[1], pair[0])))


@cache
def _ladders() -> list[dict[str, int]]:
    """Word → rung, from 1; ``a|b`` are two words for one rung."""
    several = [rungs for each in names()["ladders"].values() for rungs in each]
    return [{plain(word): place for place, rung in enumerate(rungs, start=1) for word in rung.split("|")} for rungs in several]


def _ladder(words: frozenset[str]) -> dict[str, int]:
    best = max(_ladders(), key=lambda placed: len(words & placed.keys()))
    return best if len(words & best.keys()) > 1 else {}


def _scale(counted: Counter[int], *, named: bool) -> tuple[int, int] | None:
    """The scale under which everything outside is a usual code, and both ends occur; a named question may lack an end."""
    for whole in (True, False):
        for low, high in SCALES if named else SCALES[:4]:
            inside = sum(rows for number, rows in counted.items() if low <= number <= high)
            usual = CODES if named else {n for n in CODES if n in (low - 1, high + 1, 8, 9) or abs(n) > 65}
            ends = counted[low] and counted[high] if whole else named
            if ends and inside >= 0.4 * counted.total() and {n for n in counted if not low <= n <= high} <= usual:
                return low, high
    return None


def _fitted(facts: Facts, counted: Counter[int], scale: tuple[int, int]) -> Guess:
    """A scale, what lies outside it, and what of it never occurs."""
    low, high = scale
    within = [number for number in counted if low <= number <= high]
    codes = {str(number): rows for number, rows in sorted(counted.items()) if number not in within} | dict(sorted(facts.nothing.items()))
    seen = (min(within, default=low), max(within, default=high))
    note = f"only {seen[0]} to {seen[1]} occur" if seen != scale else ""
    inside = sum(counted[number] for number in within)
    return Guess(facts.name, "rating", scale, inside, facts.values.total(), codes, family=family(facts.name), note=note)


def choices(facts: Facts) -> tuple[str, list[str]] | None:
    """The separator and the choices of a cell that holds several of them, where they are few and shared by many rows."""
    for separator in (";", ", ", "|", "\n"):
        if sum(rows for text, rows in facts.values.items() if separator in text) < max(2, 0.1 * facts.filled):
            continue
        parts: Counter[str] = Counter()
        for text, rows in facts.values.items():
            for part in dict.fromkeys(part.strip() for part in text.split(separator)):
                parts[part] += rows
        shared = sorted(part for part, rows in parts.items() if part and rows > 1 and len(part) <= 60)
        if 2 <= len(shared) <= 15 and sum(parts[part] for part in shared) >= MOST * parts.total():
            return separator, shared
    return None
