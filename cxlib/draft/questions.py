"""Which columns of a survey are questions: kind, scale, codes and direction, each with what speaks for it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace

from cxlib.draft.facts import MOST, Facts, plain
from cxlib.draft.known import names

#: Numbers that survey tools and people write for "no answer", "does not apply" or "do not know".
CODES = {0, 6, 8, 9, 11, 12, 66, 77, 88, 96, 97, 98, 99, 999, -1, -2, -7, -8, -9, -99}
#: Scales in the order in which they are tried; only the first four where nothing but the numbers speaks for a question.
SCALES = ((1, 5), (1, 7), (0, 10), (1, 10), (1, 4), (1, 6), (1, 3), (0, 5), (0, 100))


@dataclass(frozen=True)
class Guess:
    """A column that looks like a question. ``family`` joins columns that are one block of a questionnaire."""

    column: str
    kind: str
    scale: tuple[int, int] | None
    inside: int
    answers: int
    codes: tuple[tuple[str, int], ...] = ()
    values: dict[str, int] = field(default_factory=dict)
    direction: str = "high is good"
    family: str = ""
    because: str = ""
    named: bool = True


def hinted(name: str) -> str | None:
    """The kind of question that words of a column's name speak of; the longest word decides."""
    text = f" {plain(name)} "
    found = [(len(word), kind) for kind, several in names()["questions"].items() for word in several if _within(word, text)]
    return max(found)[1] if found else None


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
    inside = sum(counted.values())
    if not inside or facts.personal or facts.wordy or inside < 0.8 * sum(facts.values.values()) or len(counted) > 25:
        return None
    if kind == "fft":  # the Friends and Family Test of the English health service is coded from 1, very good, to 5, very poor
        made = _fitted(facts, counted, (1, 5), values, "csat")
        text = f"{made.because}; in England's Friends and Family Test 1 is very good and 6 is 'don't know'"
        return replace(made, direction="low is good", because=text) if made.inside >= 0.5 * inside else None
    if kind == "nps":
        scale = next((each for each in ((0, 10), (1, 10)) if max(_within_scale(counted, each), default=-1) >= 7), None)
    else:
        scale = _scale(counted, named=kind is not None)
    ladder = len(set(values.values())) if values and not any(text[:1].isdigit() for text in values) else 0
    if ladder:
        scale = (1, max(values.values()) if max(values.values()) in (5, 7) else 5)
    if scale is None:
        return None
    return replace(_fitted(facts, counted, scale, values, kind or "rating"), named=kind is not None or bool(ladder))


def _numbers(facts: Facts) -> tuple[Counter[int], dict[str, int]]:
    """How often each number was given, and the words that stand for a number: a ladder's, or those like ``10 - very likely``."""
    counted: Counter[int] = Counter()
    values: dict[str, int] = {}
    texts = {text: rows for text, rows in facts.values.items() if text not in facts.nothing}
    rungs = _ladder([text for text in texts if not text[:1].isdigit()])
    for text, rows in texts.items():
        if re.fullmatch(r"[+-]?\d{1,4}(\.0+)?", text):
            counted[int(float(text))] += rows
        elif (started := re.match(r"(\d{1,2})\s*[-–—:=(]\s*\D", text)) and len(text) <= 40:
            counted[int(started[1])] += rows
            values[text] = int(started[1])
        elif plain(text) in rungs:
            counted[rungs[plain(text)]] += rows
            values[text] = rungs[plain(text)]
    return counted, dict(sorted(values.items(), key=lambda pair: (pair[1], pair[0])))


def _ladder(texts: list[str]) -> dict[str, int]:
    said = {plain(text) for text in texts}
    best: dict[str, int] = {}
    for several in names()["ladders"].values():
        for rungs in several:
            placed = {word: place for place, word in enumerate((plain(word) for word in rungs), start=1)}
            if len(said & placed.keys()) > max(1, len(said & best.keys())):
                best = placed
    return best


def _within_scale(counted: Counter[int], scale: tuple[int, int]) -> list[int]:
    return [number for number in counted if scale[0] <= number <= scale[1]]


def _scale(counted: Counter[int], *, named: bool) -> tuple[int, int] | None:
    """The scale under which everything outside is a usual code, and both ends occur; a named question may lack an end."""
    total = counted.total()
    for whole in (True, False):
        for low, high in SCALES if named else SCALES[:4]:
            inside = sum(rows for number, rows in counted.items() if low <= number <= high)
            outside = [number for number in counted if not low <= number <= high]
            ends = counted[low] and counted[high] if whole else named
            usual = CODES if named else {number for number in CODES if number in (low - 1, high + 1) or abs(number) > 65}
            if ends and inside >= 0.4 * total and set(outside) <= usual:
                return low, high
    return None


def _fitted(facts: Facts, counted: Counter[int], scale: tuple[int, int], values: dict[str, int], kind: str) -> Guess:
    low, high = scale
    inside = sum(rows for number, rows in counted.items() if low <= number <= high)
    codes = [(str(number), rows) for number, rows in sorted(counted.items()) if not low <= number <= high]
    codes += sorted(facts.nothing.items())
    answers = facts.values.total()
    text = f"values {low} to {high} in {inside:,} of {answers:,} answers"
    if codes:
        text += "; " + ", ".join(f"{code if code.lstrip('-').isdigit() else repr(code)} occurs {_times(rows)}" for code, rows in codes)
        text += ": probably codes" if len(codes) > 1 else ": probably a code"
    if not codes and values:
        text = f"words for {low} to {high} in {inside:,} of {answers:,} answers"
    if kind == "nps" and scale == (0, 10) and not counted[0]:
        text += "; 0 never occurs, so the scale may begin at 1"
    return Guess(facts.name, kind, scale, inside, answers, tuple(codes), values, family=family(facts.name), because=text)


def _times(rows: int) -> str:
    return "once" if rows == 1 else f"{rows:,} times"


def choices(facts: Facts) -> tuple[str, list[str]] | None:
    """The separator and the choices of a cell that holds several of them, where they are few and shared by many rows."""
    for separator in (";", ", ", "|", "\n"):
        with_it = sum(rows for text, rows in facts.values.items() if separator in text)
        if with_it < 0.1 * facts.filled or with_it < 2:
            continue
        parts: Counter[str] = Counter()
        for text, rows in facts.values.items():
            for part in dict.fromkeys(part.strip() for part in text.split(separator)):
                parts[part] += rows
        shared = sorted(part for part, rows in parts.items() if part and rows > 1 and len(part) <= 60)
        if 2 <= len(shared) <= 15 and sum(parts[part] for part in shared) >= MOST * parts.total():
            return separator, shared
    return None
