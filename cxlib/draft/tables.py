"""Which table an export feeds, and which of its columns is which."""

from __future__ import annotations

from typing import Any

from cxlib.draft.facts import MOST, Facts, plain
from cxlib.draft.known import by_name, called, names, present, words
from cxlib.draft.look import Look
from cxlib.draft.plan import Part
from cxlib.draft.questions import guess, hinted
from cxlib.draft.toml import said
from cxlib.tables import TABLES

#: Columns that many exports have: they say little of which table this is.
_COMMON = {
    *("customer", "respondent", "segment", "plan", "region", "language", "channel", "persona", "touchpoint", "currency"),
    *("account", "wave", "role", "name", "weight", "observed_from", "consent"),
}
#: What a table can do without where something else stands for it: a name for the whole file, or a question a column.
_STOOD_FOR = ("campaign", "question", "score")


def parts(look: Look, facts: dict[str, Facts], templates: list[dict[str, Any]]) -> list[Part]:
    """The tables an export feeds: those of its template, or the one its columns speak for most; none where they speak for no table."""
    if templates:
        return [_by_template(look, facts, made) for made in templates]
    score, best = max(_scored(look, facts), key=lambda each: each[0])
    table = best.table
    if score <= 0:
        return []
    texts = _texts(facts)
    if table != "responses" or "feedback" not in by_name("feedback", look.columns) or not texts:
        return [best]
    # What is written has a name of its own, so it is a piece of feedback; a respondent may have given several.
    best.columns.pop("comment", None)
    best.guessed.pop("comment", None)
    return [best, _by_content("feedback", look, facts)[1]]


def _scored(look: Look, facts: dict[str, Facts]) -> list[tuple[float, Part]]:
    return [_by_content(table, look, facts) for table in names() if table in TABLES]


def closest(look: Look, facts: dict[str, Facts]) -> str:
    """The table that an export which feeds none comes closest to, and what it lacks for it; nothing where none is near."""
    near = max(
        (part for _, part in _scored(look, facts)),
        key=lambda part: sum(1 + (ours not in _COMMON) for ours in part.columns if ours not in part.guessed),
    )
    close = ", ".join(f"{ours} ('{said(theirs, 40)}')" for ours, theirs in near.columns.items())
    lacks = _lacks(near) or ["a column that only this table has"]
    return f"It comes closest to {near.table}: there is {close}, and nothing for {', '.join(lacks)}." if close else ""


def _by_template(look: Look, facts: dict[str, Facts], made: dict[str, Any]) -> Part:
    part = Part(made["table"], look, facts, notes=list(made.get("mind", [])), made=made)
    for ours, theirs in made.get("columns", {}).items():
        if there := present(look.columns, theirs):
            part.columns[ours] = there
            if personal := facts[there].personal:
                part.guessed[ours] = f"{personal} are all that says who it is; they are kept in the private tables only"
    return part


def _by_content(table: str, look: Look, facts: dict[str, Facts]) -> tuple[float, Part]:
    """What speaks for a table, and its columns: found by name, and where one is wanted and not named, by what its cells are."""
    found = {ours: theirs for ours, theirs in by_name(table, look.columns).items() if _fits(table, ours, facts[theirs])}
    part, spec = Part(table, look, facts, columns=dict(found)), TABLES[table]
    free = {name: facts[name] for name in look.columns if name not in found.values()}
    who = next((name for name in ("respondent", "customer") if name in spec.names and name not in found), "")
    if who and (near := _who(table, who, free, spoken=not spec[who].required)):
        part.take(who, [near], "the name comes close" if free[near].distinct < free[near].filled else "a different value in each row")
    for column in spec.columns:
        wanted = column.kind in ("date", "time") and (column.required or column.name == spec.dated) and column.name not in found
        if wanted and (dated := [name for name in _dated(free) if name not in part.used]):
            part.take(column.name, dated, f"{len(dated)} columns hold dates" if dated[1:] else "the only column with dates")
    if "comment" in spec.names and "comment" not in found and (texts := _texts(free)):
        part.take("comment", texts, "the fullest of those with free text" if texts[1:] else "the only column with free text")
    arm = _arm(free) if table == "sends" and "arm" not in found else None
    if arm:
        part.columns["arm"] = arm
    score = sum(0.5 if ours in _COMMON else 2.0 for ours in found) + 3 * bool(arm)
    asked = []
    if table == "responses":
        asked = [each for name in free if (each := guess(facts[name], look.labels.get(name, "")))]
        score += min(6, 2 * sum(each.named for each in asked)) + min(4, 0.5 * len(asked))
    if table == "feedback" and "comment" not in found:
        score += 2 if "comment" in part.columns else -9
    without = table == "responses" and not asked and "score" not in found
    either = spec.either and not any(name in part.columns for name in spec.either)
    alone = score < 2 and not any(ours not in _COMMON for ours in found)
    return 0 if without or either or alone or _lacks(part) else score, part


def _lacks(part: Part) -> list[str]:
    """What a table cannot do without and nothing was found for; cases can be made of the events of a customer."""
    stood_for = {*part.columns, *_STOOD_FOR, *(["case_id"] if "customer" in part.columns else [])}
    return [column.name for column in TABLES[part.table].columns if column.required and column.name not in stood_for]


def _fits(table: str, ours: str, facts: Facts) -> bool:
    """Whether cells are of the kind that the table asks for."""
    if not facts.filled:
        return True  # an export without rows: its names are all there is
    kind = TABLES[table][ours].kind
    if facts.personal:
        return False
    if kind in ("date", "time"):
        return facts.dated
    if kind in ("number", "whole"):
        return facts.numeric or (ours == "score" and guess(facts) is not None)
    if kind == "yes/no":
        return {plain(text) for text in facts.said} <= words("yes") | words("no")
    return ours != "comment" or not (facts.numeric or facts.dated)


def _who(table: str, ours: str, facts: dict[str, Facts], *, spoken: bool) -> str | None:
    """A column whose name holds all the words of a known one; failing that, unless it must be spoken of, an id of many values."""
    there = {name: set(plain(name).split()) for name, each in facts.items() if not (each.personal or each.wordy or each.dated)}
    for known in called(table, ours):
        for name, words_ in there.items():
            if known in name if not known.isascii() else len(known) > 4 and set(known.split()) <= words_:
                return name
    ids = [name for name, words_ in there.items() if "id" in words_ or name.lower().endswith("id")]
    return next((name for name in ids if not spoken and facts[name].distinct > 0.2 * facts[name].filled), None)


def _dated(facts: dict[str, Facts]) -> list[str]:
    """Columns with dates: those that say so, or those whose cells are no numbers."""
    dated = [name for name, each in facts.items() if each.dated]
    return [name for name in dated if set(plain(name).split()) & words("date")] or [name for name in dated if not facts[name].numeric]


def _texts(facts: dict[str, Facts]) -> list[str]:
    """Columns of free text, the fullest first."""
    return sorted((name for name, each in facts.items() if each.wordy and not each.personal), key=lambda name: -facts[name].filled)


def _arm(facts: dict[str, Facts]) -> str | None:
    """A column of a few groups, one of which by its name got nothing."""
    for name, each in facts.items():
        held = [text for text in each.values if plain(text) in words("control")]
        alone = len(held) == 1 and plain(held[0]) != "none" and not hinted(name)
        if alone and 2 <= len(each.values) <= 6 and each.values[held[0]] >= (1 - MOST) * each.filled:
            return name
    return None
