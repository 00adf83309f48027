"""Which table an export feeds, and which of its columns is which."""

from __future__ import annotations

from typing import Any

from cxlib.draft.facts import MOST, Facts, plain
from cxlib.draft.known import bears, by_name, names, present, words
from cxlib.draft.look import Look
from cxlib.draft.plan import Part, Plan
from cxlib.draft.questions import guess, hinted
from cxlib.tables import TABLES

#: Columns that many exports have: they say little of which table this is.
_COMMON = {
    *("customer", "respondent", "segment", "plan", "region", "language", "channel", "persona", "touchpoint", "currency"),
    *("account", "wave", "role", "name", "weight", "observed_from", "consent"),
}


def parts(look: Look, facts: dict[str, Facts], template: tuple[str, dict[str, Any]] | None, plan: Plan) -> list[Part]:
    """The tables an export feeds: those of its template, or the one its columns speak for most."""
    if template:
        name, made = template
        fitting = [table for table in made["table"] if bears(look.columns, table)]
        return [_by_template(look, facts, name, table, plan) for table in fitting or made["table"][:1]]
    scored = sorted(((_score(table, look, facts), table) for table in names() if table in TABLES), key=lambda pair: -pair[0])
    best, table = scored[0]
    if best <= 0:
        return []
    also, texts = by_name("feedback", look.columns), _texts(facts)
    part = _by_content(table, look, facts, plan, texts="feedback" not in also or table == "feedback")
    found = [part]
    if table == "responses" and "feedback" in also and texts:
        # What is written has a name of its own, so it is a piece of feedback; a respondent may have given several.
        part.columns.pop("comment", None)
        found.append(_by_content("feedback", look, facts, plan))
    return found


def _by_template(look: Look, facts: dict[str, Facts], name: str, table: dict[str, Any], plan: Plan) -> Part:
    part = Part(table["table"], look, facts, template=name)
    for ours, theirs in table.get("columns", {}).items():
        there = present(look.columns, theirs)
        if there is not None:
            part.columns[ours] = there
            if said := facts[there].personal:
                part.guessed[ours] = f"{said} are all that says who it is; they are kept in the private tables only"
    part.notes = list(table.get("mind", []))
    _ask_columns(part, plan)
    return part


def _named(table: str, look: Look, facts: dict[str, Facts]) -> dict[str, str]:
    """The columns found by name whose cells are of the kind that the table asks for."""
    return {ours: theirs for ours, theirs in by_name(table, look.columns).items() if _fits(table, ours, facts[theirs])}


def _fits(table: str, ours: str, facts: Facts) -> bool:
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
        return {plain(text) for text in facts.values if text not in facts.nothing} <= words("yes") | words("no")
    return ours != "comment" or not (facts.numeric or facts.dated)


def _score(table: str, look: Look, facts: dict[str, Facts]) -> float:
    """How much the columns speak for a table; nothing where one it cannot do without is not to be found."""
    found = _named(table, look, facts)
    score = sum(0.5 if ours in _COMMON else 2.0 for ours in found)
    if table == "sends" and "arm" not in found and _arm(facts):
        score += 3
    if table == "responses":
        asked = [each for name in look.columns if (each := guess(facts[name], look.labels.get(name, ""))) and name not in found.values()]
        score += min(6, 2 * sum(each.named for each in asked)) + min(4, 0.5 * len(asked))
        if "score" not in found and not asked:
            return 0
    if table == "feedback" and "comment" not in found:
        score += 2 if _texts(facts) else -9
    spec = TABLES[table]
    for column in spec.columns:
        loose = column.name in ("campaign", "question") or (column.name == "customer" and _identifier(facts))
        loose = loose or (column.name == "case_id" and "customer" in found) or (column.kind in ("date", "time") and bool(_dated(facts)))
        if column.required and column.name not in found and not loose:
            return 0
    if spec.either and not any(name in found for name in spec.either):
        return 0
    return score if any(ours not in _COMMON for ours in found) or score >= 2 else 0


def _by_content(table: str, look: Look, facts: dict[str, Facts], plan: Plan, *, texts: bool = True) -> Part:
    """A table whose columns are found by name first, and where one is wanted and not named, by what its cells are."""
    part = Part(table, look, facts, columns=_named(table, look, facts))
    spec = TABLES[table]
    free = {name: facts[name] for name in look.columns if name not in part.columns.values()}
    who = "respondent" if "respondent" in spec.names else "customer" if "customer" in spec.names else None
    if who and who not in part.columns and (near := _near(table, who, free)):
        _take(part, free, who, near, "the name comes close")
    if who and who not in part.columns and (ids := _identifier(free)) and spec[who].required:
        _take(part, free, who, ids, "a different value in each row" if free[ids].distinct == free[ids].filled else "few rows a value")
    for column in spec.columns:
        wanted = column.required or column.name == spec.dated
        if column.kind in ("date", "time") and wanted and column.name not in part.columns and (dated := _dated(free)):
            _take(part, free, column.name, dated[0], f"{len(dated)} columns hold dates" if len(dated) > 1 else "the only column with dates")
            part.others[column.name] = dated[1:]
    if texts and "comment" in spec.names and "comment" not in part.columns and (written := _texts(free)):
        _take(part, free, "comment", written[0], "the fullest of those with free text" if written[1:] else "the only column with free text")
        part.others["comment"] = written[1:]
    if table == "sends" and "arm" not in part.columns and (arm := _arm(free)):
        _take(part, free, "arm", arm, "one of its values is a group that got nothing")
    part.others |= {column.name: [] for column in spec.columns if column.required and column.name not in part.columns}
    _ask_columns(part, plan)
    return part


def _ask_columns(part: Part, plan: Plan) -> None:
    if part.guessed:
        which = ", ".join(f"{ours} is '{part.columns[ours]}'" for ours in part.guessed)
        key = plan.ask(f"columns_{part.table}", f"which column is which: {which}")
        part.guessed = {ours: f"{why} (confirm {key})" for ours, why in part.guessed.items()}


def _take(part: Part, free: dict[str, Facts], ours: str, theirs: str, why: str) -> None:
    part.columns[ours], part.guessed[ours] = theirs, why
    free.pop(theirs, None)


def _near(table: str, ours: str, facts: dict[str, Facts]) -> str | None:
    """A column whose name holds all the words of one of the known names."""
    for known in names()[table].get(ours, ()):
        parts = set(known.split())
        for name, each in facts.items():
            within = known in name if not known.isascii() else len(known) > 4 and parts <= set(plain(name).split())
            if within and not each.personal and not each.wordy:
                return name
    return None


def _identifier(facts: dict[str, Facts]) -> str | None:
    """A column that names who a row is of: an id by its name, of many different values."""
    for name, each in facts.items():
        spoken = plain(name).split()
        if each.distinct > 0.2 * each.filled and not each.personal and not each.dated and ("id" in spoken or name.lower().endswith("id")):
            return name
    return None


def _dated(facts: dict[str, Facts]) -> list[str]:
    return [name for name, each in facts.items() if each.dated and set(plain(name).split()) & words("date")] or [
        name for name, each in facts.items() if each.mostly(each.dates.fitting) and not each.numeric
    ]


def _texts(facts: dict[str, Facts]) -> list[str]:
    """Columns of free text, the fullest first."""
    found = [name for name, each in facts.items() if each.wordy and not each.personal and not each.dated]
    return sorted(found, key=lambda name: -facts[name].filled)


def _arm(facts: dict[str, Facts]) -> str | None:
    for name, each in facts.items():
        groups = [text for text in each.values if text]
        held = [text for text in groups if plain(text) in words("control")]
        alone = len(held) == 1 and plain(held[0]) != "none" and not hinted(name)
        if alone and 2 <= len(groups) <= 6 and each.values[held[0]] >= (1 - MOST) * each.filled:
            return name
    return None
