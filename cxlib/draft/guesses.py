"""The settings of a table that rest on its cells: dates, numbers, words for nothing, yes and no, units; each to be confirmed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from cxlib.draft.facts import Dates, Facts, plain
from cxlib.draft.known import present, words
from cxlib.draft.plan import Line, Part, Plan
from cxlib.draft.toml import inline, said
from cxlib.tables import TABLES

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

#: Settings that a template gives as the tool documents them.
_DOCUMENTED = ("time_zone", "no_answer", "date_format", "session_gap_minutes", "constants")


def settle(part: Part, made: dict[str, Any], plan: Plan) -> None:
    """Write a table's settings: those of its template as documented, the others as its cells suggest."""
    part.lines += [Line(f"{name} = {inline(made[name])}") for name in _DOCUMENTED if name in made]
    part.lines += [Line(f"values.{name} = {inline(pairs)}") for name, pairs in made.get("values", {}).items() if name in part.columns]
    for setting, why in part.look.unsure.items():
        plan.guess(part, setting, "", why, f"{setting} = {inline(part.look.settings[setting])}")
    _only(part, made, plan)
    if "date_format" not in made:
        _dates(part, plan)
    _numbers(part, plan)
    _nothing(part, made, plan)
    _words(part, plan)
    _units(part, made, plan)


def _facts(part: Part, *kinds: str) -> dict[str, Facts]:
    """Our columns of these kinds, with the facts of the column they are read from."""
    return {ours: part.facts[theirs] for ours, theirs in part.columns.items() if TABLES[part.table][ours].kind in kinds}


def _only(part: Part, made: dict[str, Any], plan: Plan) -> None:
    """Which rows are meant, where a column says of some that they are not."""
    wanted: dict[str, list[str]] = {}
    for name, documented in made.get("only", {}).items():
        theirs = present(part.look.columns, name)
        if theirs and (there := [text for text in documented if text in part.facts[theirs].values]):
            wanted[theirs] = there
    if part.table == "events" and not wanted:
        for name, facts in part.facts.items():
            done = [text for text in facts.labels if plain(text) in words("done")]
            if plain(name) in words("lifecycle") and done and facts.distinct > 1:
                wanted[name] = done
    for name, kept in wanted.items():
        facts = part.facts[name]
        rows, all_rows = sum(facts.values[text] for text in kept), part.look.rows
        others = ", ".join(f"{inline(text)} {facts.values[text]:,}" for text in facts.labels if text not in kept)
        if rows < all_rows:
            why = f"{rows:,} of {all_rows:,} rows; not meant: {others or f'{all_rows - rows:,} others'}"
            summary = f"the rows where '{said(name, 40)}' is {' or '.join(map(inline, kept))}, and no others"
            plan.guess(part, f"only_{part.table}", f"only = {inline({name: kept})}", why, summary)


def _dates(part: Part, plan: Plan) -> None:
    """Date formats, with what decides between day and month; a year that comes first needs no word."""
    formats: dict[str, str | list[str]] = {}
    open_: dict[str, str] = {}
    dated = _facts(part, "date", "time")
    for ours, facts in dated.items():
        if facts.epoch:
            formats[ours] = facts.epoch
            continue
        if forms := _forms(facts.dates):
            formats[ours] = forms if len(forms) > 1 else forms[0]
            if any("%?" in form for form in facts.dates.forms):
                open_[ours] = _evidence(facts)
        if unfit := facts.filled - facts.dates.fitting:
            part.notes.append(f"{ours}: {unfit:,} of {facts.filled:,} values are no date of a known form; these rows are set aside.")
    if not formats:
        return
    alike = len(formats) == len(dated) and len({inline(each) for each in formats.values()}) == 1
    setting = f"date_format = {inline(next(iter(formats.values())) if alike else formats)}"
    if open_:
        why = "; ".join(f"{ours}: {text}" for ours, text in open_.items())
        plan.guess(part, f"dates_{part.table}", setting, why, why)
    else:
        part.lines.append(Line(setting))


def _forms(dates: Dates) -> list[str]:
    """The forms of a column in use, the most frequent first; nothing where every date begins with the year and needs no declaration."""
    order = ("%m", "%d") if dates.month_first > dates.day_first else ("%d", "%m")
    forms: Counter[str] = Counter()
    for form, rows in dates.forms.items():
        if rows >= 0.005 * dates.fitting:
            forms[form.replace("%?", order[0], 1).replace("%?", order[1], 1)] += rows
    if all(form.startswith("iso ") for form in forms):
        return []
    return [form.removeprefix("iso ") for form, _ in sorted(forms.items(), key=lambda pair: (-pair[1], pair[0]))]


def _evidence(facts: Facts) -> str:
    dates = facts.dates
    if not dates.day_first and not dates.month_first:
        return f"day before month is assumed; none of {dates.either:,} values decides, each fits both orders"
    first = "day before month" if dates.day_first >= dates.month_first else "month before day"
    return f"{first}: {dates.day_first:,} values only fit day/month, {dates.month_first:,} only month/day, {dates.either:,} either"


def _numbers(part: Part, plan: Plan) -> None:
    """Decimal commas and thousands; signs of currency are said."""
    found = {ours: facts for ours, facts in _facts(part, "number", "whole").items() if facts.numeric}
    for setting, usual, like in (("decimal", ".", "12{}50"), ("thousands", None, "1{}250")):
        odd = {ours: value for ours, facts in found.items() if (value := getattr(facts, setting)) not in (usual, None)}
        if odd:
            value = next(iter(odd.values()))
            why = f"{', '.join(odd)}: numbers such as {like.format(value)}"
            plan.guess(part, f"numbers_{part.table}", f"{setting} = {inline(value)}", why, f"how numbers are written ({', '.join(odd)})")
    for ours, facts in found.items():
        if facts.signs:
            part.notes.append(f"{ours}: {', '.join(f'{sign} beside {rows:,} numbers' for sign, rows in sorted(facts.signs.items()))}.")


def _nothing(part: Part, made: dict[str, Any], plan: Plan) -> None:
    """Words that stand where nothing was meant."""
    found: Counter[str] = Counter()
    for ours, theirs in part.columns.items():
        # Somebody may write "none" and mean it; a word that comes up again and again was not written by anybody.
        facts = part.facts[theirs]
        least = 0.005 * facts.values.total() if TABLES[part.table][ours].kind == "text" else 1
        found.update({text: rows for text, rows in facts.nothing.items() if rows >= least and ours != "arm"})
    if found and "no_answer" not in made:
        which = ", ".join(f"{inline(text)} {rows:,} times" for text, rows in sorted(found.items()))
        setting = f"no_answer = {inline(sorted(found))}"
        plan.guess(part, f"no_answer_{part.table}", setting, f"{which}: they look like words for nothing", f"{which} stand for nothing")


def _words(part: Part, plan: Plan) -> None:
    """Yes and no, and who got a message: the words of the file, and what they mean."""
    for ours, facts in _facts(part, "yes/no").items():
        known = [text for text in sorted(facts.values) if plain(text) in words("yes") | words("no")]
        pairs: dict[str, object] = {text: plain(text) in words("yes") for text in known if text not in facts.nothing}
        if not pairs or {text.lower() for text in pairs} <= {"true", "false"}:
            continue
        setting = f"values.{ours} = {inline(pairs)}"
        if all(text.isdigit() for text in pairs):
            why = f"1 in {facts.values['1']:,} rows, 0 in {facts.values['0']:,}"
            plan.guess(part, f"yes_{ours}", setting, why, f"in '{said(facts.name, 40)}' 1 means yes")
        else:
            part.lines.append(Line(setting))
    if part.table == "sends" and "arm" in part.columns:
        facts = part.facts[part.columns["arm"]]
        arms = {text: "control" if plain(text) in words("control") else "message" for text in facts.labels}
        if arms and set(arms) != {"control", "message"}:
            why = ", ".join(f"{inline(text)} {facts.values[text]:,}" for text in arms) + " rows"
            summary = f"in '{said(facts.name, 40)}' " + ", ".join(f"{inline(text)} is {arm}" for text, arm in arms.items())
            plan.guess(part, "arms", f"values.arm = {inline(arms)}", why, summary)


def _units(part: Part, made: dict[str, Any], plan: Plan) -> None:
    """The unit of a tenure, the pause that ends a session, the name of the only campaign."""
    if part.table == "customers" and "tenure_days" in part.columns:
        facts = part.facts[part.columns["tenure_days"]]
        high = max((float(text) for text in facts.values if text.replace(".", "", 1).isdigit()), default=0)
        unit = "years" if high <= 30 and facts.whole < facts.filled else "months" if high <= 400 else "days"
        why = f"values up to {high:g}; the file does not say of what"
        plan.guess(part, "tenure_unit", f"tenure_unit = {inline(unit)}", why, f"'{said(facts.name, 40)}' counts {unit}")
    if part.table == "events" and "case_id" not in part.columns and "session_gap_minutes" not in made:
        why = "no column names a case, so one is made of the events of a customer"
        plan.guess(part, "session", "session_gap_minutes = 30", why, "a pause of more than 30 minutes begins a new case")
        part.others.pop("case_id", None)
    if part.table == "sends" and "campaign" not in part.columns and "constants" not in made:
        name = part.look.paths[0].name.split(".")[0][:60]
        setting = f"constants = {inline({'campaign': name})}"
        plan.guess(part, "campaign", setting, "no column names a campaign", f"all rows are of one campaign, '{said(name, 40)}'")
        part.others.pop("campaign", None)


def doubles(part: Part, con: Backend) -> None:
    """Rows that are alike in every cell, and identifiers that come up again or lost digits: said, with what can be done."""
    spec = TABLES[part.table]
    distinct = con.raw_sql(f"SELECT count(*) FROM (SELECT DISTINCT * FROM {part.look.table})").fetchone()[0]
    alike = part.look.rows - distinct
    ids = [part.columns[name] for name in spec.key if name in part.columns]
    if alike and not ids:
        part.notes.append(f"{alike:,} rows are alike in every cell; nothing tells whether they happened twice, so they are kept.")
        part.lines.append(Line('exact_doubles = "set aside"', offered=True))
    elif alike:
        part.notes.append(f"{alike:,} rows are alike in every cell; a second row with the same {' and '.join(spec.key)} is set aside.")
    if len(spec.key) == 1 and ids and (again := part.facts[ids[0]].filled - part.facts[ids[0]].distinct) > 0:
        part.notes.append(f"{again:,} rows repeat a value of {spec.key[0]} ('{said(ids[0], 40)}'); only the first of each is kept.")
    for ours in ("customer", "respondent", "order", "ticket", "case_id"):
        facts = part.facts.get(part.columns.get(ours, ""))
        if facts and facts.scientific:
            part.notes.append(
                f"{ours}: {facts.scientific:,} values such as 1.2E+10 have lost digits. Export '{said(facts.name, 40)}' as text."
            )
        elif facts and facts.float_like:
            part.notes.append(f"{ours}: {facts.float_like:,} values end in .0, as a spreadsheet writes numbers; another table may not.")


def keys(part: Part) -> None:
    """Other columns of a few values each, by which a report may be divided: offered."""
    found: dict[str, object] = {}
    for name in part.look.columns:
        if name not in part.used and 2 <= part.facts[name].distinct <= 12 and len(part.facts[name].labels) >= 2 and len(found) < 6:
            plain_ = "_".join(plain(name).encode("ascii", "ignore").decode().split())
            if plain_ and plain_ not in TABLES[part.table].names:
                found.setdefault(plain_, name)
    if found and part.table in ("customers", "sends", "tickets", "orders", "events"):
        part.lines.append(Line(f"keys = {inline(found)}", "Columns by which a report can be divided:", offered=True))


def unread(part: Part) -> str:
    """The columns that are left unread, and why where there is a reason."""
    left = []
    for name in part.look.columns:
        facts = part.facts[name]
        why = facts.personal or (
            "empty" if not facts.filled else "the same value in every row" if facts.distinct == 1 and not facts.blank else ""
        )
        why = why or ("personal" if plain(name) in words("personal") else "")
        if name not in part.used:
            left.append(f"{said(name, 50)} ({why})" if why else said(name, 50))
    return ", ".join(left)
