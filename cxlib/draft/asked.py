"""The questions of a survey as a draft writes them: blocks of alike ones confirmed at once, the doubtful ones offered."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

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


def questions(part: Part, plan: Plan, con: Backend) -> None:
    """Add the questions of a table of answers to the draft."""
    taken: set[str] = set()
    if "question" in part.columns and "score" in part.columns:
        _long(part, plan, con)
        return
    part.columns.pop("score", None)  # one question without a name of its own: its column is the question
    beside = {known.present(part.look.columns, each) for each in part.made.get("beside", ())}
    free = {name: part.facts[name] for name in part.look.columns if name not in part.used | beside}
    found = [each for name, facts in free.items() if (each := guess(facts, part.look.labels.get(name, "")))]
    nps = next((each for each in found if each.kind == "nps" and not each.values), None)
    _write([_turned(each, nps, part=part, con=con) for each in found], nps, part=part, plan=plan, taken=taken)
    _choices(part, {name: facts for name, facts in free.items() if name not in {each.column for each in found}}, plan, taken=taken)
    respondent = part.facts.get(part.columns.get("respondent", ""))
    if respondent and "wave" not in part.columns and respondent.filled > respondent.distinct:
        line = Line('one_answer_per = ["respondent", "question"]', f"{respondent.distinct:,} respondents in {respondent.filled:,} rows")
        plan.guess(part, "one_answer_per", line, summary="a respondent answers a question once; of several answers the last counts")


def _long(part: Part, plan: Plan, con: Backend) -> None:
    """One row an answer: each value of the column of questions is a question."""
    column, nothing = part.facts[part.columns["question"]], known.words("nothing")
    for name in sorted(text for text in column.values if len(text) <= 60)[:40]:
        rows = f"(SELECT * FROM {part.look.table} WHERE trim({sql.name(column.name)}) = {sql.text(name)})"
        answers = facts(con, rows, name=part.columns["score"], nothing=nothing)
        if found := guess(replace(answers, name=name)):
            _write([replace(found, column="", family=name)], None, part=part, plan=plan, taken={name})


def _turned(each: Guess, nps: Guess | None, *, part: Part, con: Backend) -> Guess:
    """The direction of a question, where one about recommending is there to compare with: that one has only one."""
    if nps is None or each is nps or each.values or each.direction == "low is good":
        return each
    cells = [f"try_cast({sql.name(one.column)} AS DOUBLE)" for one in (nps, each)]
    bound = [
        f"CASE WHEN {cell} BETWEEN {one.scale[0]} AND {one.scale[1]} THEN {cell} END" for one, cell in zip((nps, each), cells, strict=True)
    ]
    together = con.raw_sql(f"SELECT corr({', '.join(bound)}) FROM {part.look.table}").fetchone()[0]
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
        # What one question of a block was not answered with, the next export may answer.
        values = {word: number for each in block for word, number in each.values.items()}
        values = dict(sorted(values.items(), key=lambda pair: (pair[1], pair[0])))
        sure = block[0].named or len(block) >= 3
        if not sure:
            offered += len(block)
            if offered > OFFERED or sum(each.answers for each in block) < 0.3 * len(block) * part.look.rows:
                continue
        first, why = block[0], _because(block, nps)
        name = plan.ask(f"question_{_slug(first.family or first.column, first.kind)}", _summary(block)) if sure else None
        why += f" (confirm {name})." if name else ". Nothing but its numbers speaks for a question."
        for place, each in enumerate(block):
            line = _question(replace(each, values=values), part, taken)
            plan.questions.append(Line(line, why if place == 0 else "", offered=not sure))
    if offered > OFFERED:
        plan.questions.append(Line("", f"{offered - OFFERED} more columns hold small whole numbers."))


def _summary(block: list[Guess]) -> str:
    first, codes = block[0], sorted({code for each in block for code in each.codes})
    which = f"{len(block)} questions alike, " if len(block) > 1 else f"'{said(first.column, 50)}': " if first.column else ""
    scale = f"{which}{first.kind}, {first.scale[0]} to {first.scale[1]}, {first.direction}"
    return scale + (f", no answer {', '.join(codes)}" if codes else "")


def _because(block: list[Guess], nps: Guess | None) -> str:
    first, several = block[0], len(block) > 1
    worded = all(each.values for each in block) and sum(not word[:1].isdigit() for word in first.values) > 1
    inside, answers = sum(each.inside for each in block), sum(each.answers for each in block)
    codes = sum((Counter(each.codes) for each in block), Counter[str]())
    text = f"{said(first.family if several else first.column or first.family, 60)}: " + (f"{len(block)} columns alike, " if several else "")
    text += f"{'words for' if worded else 'values'} {first.scale[0]} to {first.scale[1]} in {inside:,} of {answers:,} answers"
    if codes:
        times = {code: "once" if rows == 1 else f"{rows:,} times" for code, rows in codes.items()}
        each = ", ".join(f"{code if code.lstrip('-').isdigit() else inline(code)} occurs {often}" for code, often in times.items())
        text += f"; {each}: probably {'codes' if len(codes) > 1 else 'a code'}"
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
        name = _slug(each.column, each.kind, taken=taken)
        settings["column"] = each.column
        own = each.column if " " in each.column.strip() or not name.startswith(plain(each.column)[:1]) else ""
        if label := part.look.labels.get(each.column, "") or own:
            settings["label"] = " ".join(label.split())[:160]
    settings |= {"kind": each.kind, "scale": list(each.scale), "direction": each.direction}
    if each.codes:
        settings["no_answer"] = [int(code) if re.fullmatch(r"-?\d+", code) else code for code in each.codes]
    if each.values:
        settings["values"] = each.values
    return f"{key(name)} = {inline(settings)}"


def _slug(name: str, kind: str, *, taken: set[str] | None = None) -> str:
    """A short name of a question in plain letters, or its kind where it has none; the same name twice is numbered."""
    bare = "_".join(re.sub(r"[^a-z0-9 ]", " ", plain(name).encode("ascii", "ignore").decode()).split())[:40].strip("_") or kind
    slug, number = bare, 2
    while taken and slug in taken:
        slug, number = f"{bare}_{number}", number + 1
    if taken is not None:
        taken.add(slug)
    return slug


def _choices(part: Part, free: dict[str, Facts], plan: Plan, *, taken: set[str]) -> None:
    """Yes or no, several choices in a cell, or a column a choice: offered, since only people know what is worth counting."""
    blocks: dict[str, list[str]] = {}

    def offer(name: str, columns: list[str], settings: dict[str, object], why: str = "") -> None:
        part.asked.update(columns)
        plan.questions.append(Line(f"{key(_slug(name, 'choice', taken=taken))} = {inline(settings)}", why, offered=True))

    for name, found in free.items():
        texts = {plain(text) for text in found.said}
        if found.personal or found.dated or not texts:
            continue
        if len(texts) == 2 and texts <= known.words("yes") | known.words("no"):
            values = {text: int(plain(text) in known.words("yes")) for text in sorted(found.said)}
            offer(name, [name], {"column": name, "kind": "choice", "values": values})
        elif several := choices(found):
            settings: dict[str, object] = {
                "column": name,
                "kind": "choice",
                "choices": several[1],
                "choices_separated_by": several[0].strip() or several[0],
            }
            offer(name, [name], settings, "Several choices in a cell.")
        elif found.distinct == 1 and found.blank and family(name) != name:
            blocks.setdefault(family(name), []).append(name)
    for block, several_ in blocks.items():
        if len(several_) > 1:
            named = {(part.facts[name].labels or [name.removeprefix(block).strip(" _[]|")])[0]: name for name in several_}
            offer(block, several_, {"kind": "choice", "choices": named}, "A column for each choice.")
