"""The questions of a survey as a draft writes them: blocks of alike ones confirmed at once, the doubtful ones offered."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cxlib.draft import known
from cxlib.draft.facts import Facts, facts, plain
from cxlib.draft.plan import Line, Part, Plan
from cxlib.draft.questions import Guess, choices, family, guess
from cxlib.draft.toml import inline, key, said
from cxlib.sources import sql

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

#: Offered questions, at most; a questionnaire of a hundred columns has more numbers than ratings.
OFFERED = 20


def questions(part: Part, made: dict[str, Any], plan: Plan, con: Backend) -> None:
    """Add the questions of a table of answers to the draft."""
    if "question" in part.columns and "score" in part.columns:
        _long(part, plan, con)
        return
    part.others.pop("question", None)
    if "score" in part.columns:  # one question without a name of its own: its column is the question
        part.columns.pop("score")
    beside = {present for each in made.get("beside", ()) if (present := known.present(part.look.columns, each))}
    free = {name: part.facts[name] for name in part.look.columns if name not in part.used | beside}
    guessed = [each for name, found in free.items() if (each := guess(found, part.look.labels.get(name, "")))]
    _write(_turned(part, guessed, con), part, plan, taken=set())
    _choices(part, {name: found for name, found in free.items() if name not in {each.column for each in guessed}}, plan)
    respondent = part.facts.get(part.columns.get("respondent", ""))
    if respondent and "wave" not in part.columns and respondent.filled > respondent.distinct:
        why = f"{respondent.distinct:,} respondents in {respondent.filled:,} rows"
        summary = "a respondent answers a question once; of several answers the last counts"
        plan.guess(part, "one_answer_per", 'one_answer_per = ["respondent", "question"]', why, summary)


def _long(part: Part, plan: Plan, con: Backend) -> None:
    """One row an answer: each value of the column of questions is a question."""
    table, column = part.look.table, part.facts[part.columns["question"]]
    for place, name in enumerate(sorted(text for text in column.values if len(text) <= 60)[:40]):
        view = f"question {place}"
        con.create_view(view, con.table(table).filter(con.table(table)[column.name].strip() == name), overwrite=True)
        found = guess(replace_name(facts(con, view, part.columns["score"], set(known.words("nothing"))), name))
        con.drop_view(view)
        if found:
            _write([replace(found, column="", family=name, because=f"'{said(name, 40)}': {found.because}")], part, plan, taken={name})


def replace_name(found: Facts, name: str) -> Facts:
    """The facts of one question's answers, under the question's name."""
    return replace(found, name=name)


def _turned(part: Part, guessed: list[Guess], con: Backend) -> list[Guess]:
    """The direction of each question, where a question about recommending is there to compare with: it has only one."""
    nps = next((each for each in guessed if each.kind == "nps" and not each.values), None)
    found = []
    for each in guessed:
        if nps and each is not nps and not each.values and each.direction == "high is good":
            together = _together(part, nps, each, con)
            if together is not None:
                low = together < -0.1
                text = (
                    f"{'falls' if low else 'rises'} with '{said(nps.column, 30)}' (correlation {together:.2f})"
                    if abs(together) >= 0.1
                    else ""
                )
                each = replace(
                    each, direction="low is good" if low else each.direction, because=f"{each.because}; {text}" if text else each.because
                )
        found.append(each)
    return found


def _together(part: Part, one: Guess, other: Guess, con: Backend) -> float | None:
    names = []
    for each in (one, other):
        low, high = each.scale or (0, 10)
        cell = f"try_cast({sql.name(each.column)} AS DOUBLE)"
        names.append(f"CASE WHEN {cell} BETWEEN {low} AND {high} THEN {cell} END")
    value = con.raw_sql(f"SELECT corr({names[0]}, {names[1]}) FROM {part.look.table}").fetchone()[0]
    return None if value is None or value != value else float(value)


def _write(guessed: list[Guess], part: Part, plan: Plan, *, taken: set[str]) -> None:
    """Named questions and blocks of at least three are written, each block under one confirmation; others are offered."""
    blocks: dict[tuple[object, ...], list[Guess]] = {}
    for each in guessed:
        # A question about the whole is of a kind of its own even where it stands in a block.
        alone = each.kind == "nps" or (each.named and each.family == each.column)
        blocks.setdefault((each.column if alone else each.family, each.kind, each.scale, each.direction, bool(each.values)), []).append(
            each
        )
    offered = 0
    for block in blocks.values():
        # What one question of a block was not answered with, the next export may answer.
        values = {word: number for each in block for word, number in each.values.items()}
        block = [replace(each, values=dict(sorted(values.items(), key=lambda pair: (pair[1], pair[0])))) for each in block]
        sure = block[0].named or len(block) >= 3
        if not sure:
            offered += len(block)
            if offered > OFFERED or sum(each.answers for each in block) < 0.3 * len(block) * part.look.rows:
                continue
        name = plan.ask(f"question_{_slug(block[0].family or block[0].column, taken=())}", _summary(block)) if sure else None
        why = _because(block) + (f" (confirm {name})." if name else ". Nothing but its numbers speaks for a question.")
        for place, each in enumerate(block):
            plan.questions.append(Line(_question(each, part, taken), why if place == 0 else "", offered=not sure))
    if offered > OFFERED:
        plan.questions.append(Line("", f"{offered - OFFERED} more columns hold small whole numbers."))


def _summary(block: list[Guess]) -> str:
    first = block[0]
    low, high = first.scale or (0, 0)
    codes = sorted({code for each in block for code, _ in each.codes})
    text = f"{len(block)} questions alike, " if len(block) > 1 else ""
    return f"{text}{first.kind}, {low} to {high}, {first.direction}" + (f", no answer {', '.join(codes)}" if codes else "")


def _because(block: list[Guess]) -> str:
    if len(block) == 1:
        return f"{said(block[0].column, 60)}: {block[0].because}" if block[0].column else block[0].because
    low, high = block[0].scale or (0, 0)
    inside, answers = sum(each.inside for each in block), sum(each.answers for each in block)
    codes: dict[str, int] = {}
    for each in block:
        for code, rows in each.codes:
            codes[code] = codes.get(code, 0) + rows
    text = f"{said(block[0].family, 60)}: {len(block)} columns alike, values {low} to {high} in {inside:,} of {answers:,} answers"
    for code, rows in sorted(codes.items()):
        text += f"; {said(code, 20)} occurs {rows:,} times"
    rising = [each for each in block if "rises with" in each.because]
    return (
        text
        + (": probably codes" if codes else "")
        + (f"; {len(rising)} of them rise with the question about recommending" if rising else "")
    )


def _question(each: Guess, part: Part, taken: set[str]) -> str:
    if each.column:
        part.asked.add(each.column)
        name = _slug(each.column, taken=taken)
        settings: dict[str, object] = {"column": each.column}
        label = part.look.labels.get(each.column, "") or (each.column if " " in each.column.strip() else "")
        if label:
            settings["label"] = " ".join(label.split())[:160]
    else:
        (name,) = taken
        settings = {}
    settings |= {"kind": each.kind, "scale": list(each.scale or ()), "direction": each.direction}
    if each.codes:
        settings["no_answer"] = [int(code) if re.fullmatch(r"-?\d+", code) else code for code, _ in each.codes]
    if each.values:
        settings["values"] = each.values
    return f"{key(name)} = {inline(settings)}"


def _slug(name: str, *, taken: set[str] | Iterable[str]) -> str:
    """A short name of a question in plain letters; the same name twice is numbered."""
    bare = "_".join(re.sub(r"[^a-z0-9 ]", " ", plain(name).encode("ascii", "ignore").decode()).split())[:40].strip("_") or "question"
    slug, number = bare, 2
    while slug in taken:
        slug, number = f"{bare}_{number}", number + 1
    if isinstance(taken, set):
        taken.add(slug)
    return slug


def _choices(part: Part, free: dict[str, Facts], plan: Plan) -> None:
    """Yes or no, several choices in a cell, or a column a choice: offered, since only people know what is worth counting."""
    taken = {line.setting.split(" = ")[0] for line in plan.questions}
    blocks: dict[str, list[str]] = {}
    for name, found in free.items():
        texts = {plain(text) for text in found.values if text not in found.nothing}
        if found.personal or found.dated or not texts:
            continue
        if len(texts) == 2 and texts <= known.words("yes") | known.words("no"):
            values = {text: int(plain(text) in known.words("yes")) for text in sorted(found.values) if text not in found.nothing}
            line = f"{key(_slug(name, taken=taken))} = {inline({'column': name, 'kind': 'choice', 'values': values})}"
            plan.questions.append(Line(line, offered=True))
        elif several := choices(found):
            settings = {"column": name, "kind": "choice", "choices": several[1], "choices_separated_by": several[0].strip() or several[0]}
            plan.questions.append(Line(f"{key(_slug(name, taken=taken))} = {inline(settings)}", "Several choices in a cell.", offered=True))
        elif found.distinct == 1 and found.blank and family(name) != name:
            blocks.setdefault(family(name), []).append(name)
    for block, names in blocks.items():
        if len(names) > 1:
            named = {(part.facts[name].labels or [name.removeprefix(block).strip(" _[]|")])[0]: name for name in names}
            line = f"{key(_slug(block, taken=taken))} = {inline({'kind': 'choice', 'choices': named})}"
            plan.questions.append(Line(line, "A column for each choice.", offered=True))
