"""Which columns of a survey are questions: kind, scale, codes and direction; blocks of alike ones, each with what speaks for it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from cxlib.draft.facts import MOST, Facts, facts, plain
from cxlib.draft.known import names, present, words
from cxlib.draft.plan import Line, Part, Plan
from cxlib.draft.toml import inline, key, said, slug
from cxlib.sources import sql
from cxlib.tables.engine import one_row

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

#: Numbers that survey tools and people write for "no answer", "does not apply" or "do not know".
CODES = {0, 6, 8, 9, 11, 12, 66, 77, 88, 96, 97, 98, 99, 999, -1, -2, -7, -8, -9, -99}
#: Scales in the order in which they are tried; only the first four where nothing but the numbers speaks for a question.
SCALES = ((1, 5), (1, 7), (0, 10), (1, 10), (1, 4), (1, 6), (1, 3), (0, 5), (0, 100))
#: Offered questions, at most; a questionnaire of a hundred columns has more numbers than ratings.
OFFERED = 20


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


@cache
def _hints() -> dict[str, re.Pattern[str]]:
    """Kind of question → its words as a pattern; Chinese writes no blanks between them."""
    edged = {word: rf"\b{word[:-1]}" if word.endswith("*") else rf"\b{word}\b" for each in names()["questions"].values() for word in each}
    return {
        kind: re.compile("|".join(edged[word] if word.isascii() else word for word in each)) for kind, each in names()["questions"].items()
    }


def hinted(name: str) -> str | None:
    """The kind of question that a column's name speaks of: the first under ``[questions]`` of which a word is there."""
    return next((kind for kind, pattern in _hints().items() if pattern.search(plain(name))), None)


def _family(name: str) -> str:
    """What the columns of one block share: ``Q7`` of Q7FOOD, the question before ``[…]`` or ``|`` or ``_1``."""
    match = re.match(r"^(.+?)\s*(?:\[.*\]|\|.*|_\d+)$", name) or re.match(r"^([A-Za-z]{1,3}\d+)[A-Z_][A-Za-z_]*$", name)
    return match[1].strip() if match else name


def guess(facts: Facts, label: str = "") -> Guess | None:
    """A column as a question, or nothing where its cells are no answers on a scale."""
    kind = hinted(facts.name) or hinted(label)
    counted, values = _counted(facts)
    if not counted or facts.personal or facts.wordy or counted.total() < 0.8 * facts.filled or len(counted) > 25:
        return None
    ladder = bool(values) and not any(text[:1].isdigit() for text in values)
    scale = (1, 5) if kind == "fft" else (1, max(5, *values.values())) if ladder else _scale(counted, kind)
    within = [number for number in counted if scale and scale[0] <= number <= scale[1]]
    if scale is None or not within:
        return None
    codes = {str(number): rows for number, rows in sorted(counted.items()) if number not in within} | dict(sorted(facts.nothing.items()))
    note = f"only {min(within)} to {max(within)} occur" if (min(within), max(within)) != scale else ""
    inside = sum(counted[number] for number in within)
    made = Guess(facts.name, kind or "rating", scale, inside, facts.values.total(), codes, values, family=_family(facts.name), note=note)
    if kind != "fft":
        return replace(made, named=kind is not None or ladder)
    # The Friends and Family Test of the English health service is coded from 1, very good, to 5, very poor.
    note = "in England's Friends and Family Test 1 is very good and 6 is 'don't know'"
    return replace(made, kind="csat", direction="low is good", note=note) if inside >= 0.5 * counted.total() else None


def _counted(facts: Facts) -> tuple[Counter[int], dict[str, int]]:
    """How often each number was given, and the words that stand for a number: a ladder's, or those like ``10 - very likely``."""
    counted: Counter[int] = Counter()
    values: dict[str, int] = {}
    texts = {plain(text) for text in facts.said} if len(facts.said) <= 50 else set()
    rungs = max(_ladders(), key=lambda ladder: len(texts & ladder.keys()))
    for text, rows in facts.said.items():
        started = re.match(r"(\d{1,2})\s*[-–—:=(]\s*\D", text) if len(text) <= 40 else None
        if re.fullmatch(r"[+-]?\d{1,4}(\.0+)?", text):
            counted[int(float(text))] += rows
        elif started or (len(texts & rungs.keys()) > 1 and plain(text) in rungs):
            values[text] = int(started[1]) if started else rungs[plain(text)]
            counted[values[text]] += rows
    return counted, dict(sorted(values.items(), key=lambda pair: (pair[1], pair[0])))


@cache
def _ladders() -> list[dict[str, int]]:
    """Word → rung, from 1; ``a|b`` are two words for one rung."""
    several = [rungs for each in names()["ladders"].values() for rungs in each]
    return [{plain(word): place for place, rung in enumerate(rungs, start=1) for word in rung.split("|")} for rungs in several]


def _scale(counted: Counter[int], kind: str | None) -> tuple[int, int] | None:
    """The scale under which everything outside is a usual code, and both ends occur; a named question may lack an end."""
    if kind == "nps":
        return next((each for each in ((0, 10), (1, 10)) if max((n for n in counted if each[0] <= n <= each[1]), default=-1) >= 7), None)
    for whole in (True, False):
        for low, high in SCALES if kind else SCALES[:4]:
            usual = CODES if kind else {n for n in CODES if n in (low - 1, high + 1, 8, 9) or abs(n) > 65}
            inside = sum(rows for number, rows in counted.items() if low <= number <= high)
            ends = counted[low] and counted[high] if whole else kind
            if ends and inside >= 0.4 * counted.total() and {n for n in counted if not low <= n <= high} <= usual:
                return low, high
    return None


def questions(part: Part, plan: Plan, con: Backend) -> None:
    """Add the questions of a table of answers to the draft."""
    taken: set[str] = set()
    if "question" in part.columns and "score" in part.columns:
        # One row an answer: each value of the column of questions is a question.
        for name in sorted(text for text in part.facts[part.columns["question"]].values if len(text) <= 60)[:40]:
            rows = f"(SELECT * FROM {part.look.table} WHERE trim({sql.name(part.columns['question'])}) = {sql.text(name)})"
            answers = facts(con, rows, name=part.columns["score"], nothing=words("nothing"))
            if one := guess(replace(answers, name=name)):
                _write([replace(one, column="", family=name)], None, part=part, plan=plan, taken=taken)
        return
    part.columns.pop("score", None)  # one question without a name of its own: its column is the question
    beside = {present(part.look.columns, each) for each in part.made.get("beside", ())}
    free = {name: part.facts[name] for name in part.look.columns if name not in part.used | beside}
    found = [each for name, column in free.items() if (each := guess(column, part.look.labels.get(name, "")))]
    nps = next((each for each in found if each.kind == "nps" and not each.values), None)
    _write([_turned(each, nps, part=part, con=con) for each in found], nps, part=part, plan=plan, taken=taken)
    _choices({name: column for name, column in free.items() if name not in part.asked}, part=part, plan=plan, taken=taken)
    respondent = part.facts.get(part.columns.get("respondent", ""))
    if respondent and "wave" not in part.columns and respondent.filled > respondent.distinct:
        why = f"{respondent.distinct:,} respondents in {respondent.filled:,} rows; of several answers to a question the last counts"
        plan.guess(part, "one_answer_per", 'one_answer_per = ["respondent", "question"]', why=why)


def _turned(each: Guess, nps: Guess | None, *, part: Part, con: Backend) -> Guess:
    """The direction of a question, where one about recommending is there to compare with: that one has only one."""
    if nps is None or each is nps or each.values or each.direction == "low is good":
        return each
    cells = [
        f"CASE WHEN try_cast({cell} AS DOUBLE) BETWEEN {low} AND {high} THEN try_cast({cell} AS DOUBLE) END"
        for cell, (low, high) in ((sql.name(nps.column), nps.scale), (sql.name(each.column), each.scale))
    ]
    together = one_row(con, f"SELECT corr({', '.join(cells)}) FROM {part.look.table}")[0]
    if together is None or not abs(together) >= 0.1:
        return each
    return replace(each, together=together, direction="low is good" if together < 0 else each.direction)


def _write(found: list[Guess], nps: Guess | None, *, part: Part, plan: Plan, taken: set[str]) -> None:
    """Named questions and blocks of at least three are written, each block under one confirmation; others are offered."""
    blocks: dict[tuple[object, ...], list[Guess]] = {}
    for each in found:
        # A question about the whole is of a kind of its own even where it stands in a block.
        alone = each.kind == "nps" or (each.named and each.family == each.column)
        alike = (each.column if alone else each.family, each.kind, each.scale, each.direction, bool(each.values))
        blocks.setdefault(alike, []).append(each)
    offered = 0
    for block in blocks.values():
        first, sure = block[0], block[0].named or len(block) >= 3
        if not sure:
            offered += len(block)
            if offered > OFFERED or sum(each.answers for each in block) < 0.3 * len(block) * part.look.rows:
                continue
        why = _because(block, nps)
        if sure:
            why += f" (confirm {plan.ask(f'question_{_slug(first.family or first.column, first.kind, set())}', _summary(block))})."
        # What one question of a block was not answered with, the next export may answer.
        values = sorted({pair for each in block for pair in each.values.items()}, key=lambda pair: (pair[1], pair[0]))
        for each in block:
            line = _question(replace(each, values=dict(values)), part, taken)
            plan.questions.append(
                Line(line, (why if sure else f"{why}. Only its numbers speak for a question.") * (each is first), not sure)
            )
    if offered > OFFERED:
        plan.questions.append(Line("", f"{offered - OFFERED} more columns hold small whole numbers."))


def _summary(block: list[Guess]) -> str:
    first, codes = block[0], sorted({code for each in block for code in each.codes})
    which = f"{len(block)} questions alike, " if len(block) > 1 else f"'{said(first.column, 50)}': " if first.column else ""
    scale = f"{which}{first.kind}, {first.scale[0]} to {first.scale[1]}, {first.direction}"
    return scale + (f", no answer {', '.join(codes)}" if codes else "")


def _because(block: list[Guess], nps: Guess | None) -> str:
    first, several = block[0], len(block) > 1
    worded = sum(not word[:1].isdigit() for word in first.values) > 1
    inside, answers = sum(each.inside for each in block), sum(each.answers for each in block)
    text = f"{said(first.family if several else first.column or first.family, 60)}: " + (f"{len(block)} columns alike, " if several else "")
    text += f"{'words for' if worded else 'values'} {first.scale[0]} to {first.scale[1]} in {inside:,} of {answers:,} answers"
    if codes := sum((Counter(each.codes) for each in block), Counter[str]()):
        times = {code: "once" if rows == 1 else f"{rows:,} times" for code, rows in codes.items()}
        listed = ", ".join(f"{code if code.lstrip('-').isdigit() else inline(code)} occurs {often}" for code, often in times.items())
        text += f"; {listed}: probably {'codes' if len(codes) > 1 else 'a code'}"
    text += f"; {first.note}" if first.note and not several else ""
    found = [each.together for each in block if each.together is not None]
    if found and nps:
        way = "falls" if found[0] < 0 else "rises"
        how = f"{len(found)} of them {way[:-1]}" if several else way
        text += f"; {how} with '{said(nps.column, 30)}'" + ("" if several else f" (correlation {found[0]:.2f})")
    return text


def _question(each: Guess, part: Part, taken: set[str]) -> str:
    settings: dict[str, object] = {}
    name = each.family
    if each.column:
        part.asked.add(each.column)
        name = _slug(each.column, each.kind, taken)
        settings["column"] = each.column
        own = each.column if " " in each.column.strip() or not name.startswith(plain(each.column)[:1]) else ""
        if label := part.look.labels.get(each.column, "") or own:
            settings["label"] = " ".join(label.split())[:160]
    settings |= {"kind": each.kind, "scale": list(each.scale), "direction": each.direction}
    if each.codes:
        settings["no_answer"] = [int(code) if re.fullmatch(r"-?\d+", code) else code for code in each.codes]
    return f"{key(name)} = {inline(settings | ({'values': each.values} if each.values else {}))}"


def _slug(name: str, kind: str, taken: set[str]) -> str:
    """A short name of a question in plain letters, or its kind where it has none; the same name twice is numbered."""
    bare, number = slug(name) or kind, 2
    short = bare
    while short in taken:
        short, number = f"{bare}_{number}", number + 1
    taken.add(short)
    return short


def _choices(free: dict[str, Facts], *, part: Part, plan: Plan, taken: set[str]) -> None:
    """Yes or no, several choices in a cell, or a column a choice: offered, since only people know what is worth counting."""
    blocks: dict[str, list[str]] = {}
    offers: list[tuple[str, list[str], dict[str, object], str]] = []
    for name, found in free.items():
        texts = {plain(text) for text in found.said}
        if found.personal or found.dated or not texts:
            continue
        if len(texts) == 2 and texts <= words("yes") | words("no"):
            values = {text: int(plain(text) in words("yes")) for text in sorted(found.said)}
            offers.append((name, [name], {"column": name, "kind": "choice", "values": values}, ""))
        elif several := _several(found):
            separated: dict[str, object] = {"choices": several[1], "choices_separated_by": several[0].strip() or several[0]}
            offers.append((name, [name], {"column": name, "kind": "choice"} | separated, "Several choices in a cell."))
        elif found.distinct == 1 and found.blank and _family(name) != name:
            blocks.setdefault(_family(name), []).append(name)
    for block, columns in blocks.items():
        named = {(part.facts[name].labels or [name.removeprefix(block).strip(" _[]|")])[0]: name for name in columns}
        if len(columns) > 1:
            offers.append((block, columns, {"kind": "choice", "choices": named}, "A column for each choice."))
    for name, columns, settings, why in offers:
        part.asked.update(columns)
        plan.questions.append(Line(f"{key(_slug(name, 'choice', taken))} = {inline(settings)}", why, offered=True))


def _several(facts: Facts) -> tuple[str, list[str]] | None:
    """The separator and the choices of a cell that holds several of them, where they are few and shared by many rows."""
    for separator in (";", ", ", "|", "\n"):
        if sum(rows for text, rows in facts.values.items() if separator in text) < max(2, 0.1 * facts.filled):
            continue
        parts: Counter[str] = Counter()
        for text, rows in facts.values.items():
            parts.update({part.strip(): rows for part in text.split(separator)})
        shared = sorted(part for part, rows in parts.items() if part and rows > 1 and len(part) <= 60)
        if 2 <= len(shared) <= 15 and sum(parts[part] for part in shared) >= MOST * parts.total():
            return separator, shared
    return None
