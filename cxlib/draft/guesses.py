"""The settings of a table that rest on its cells: dates, numbers, words for nothing, yes and no, units; what is not sure is asked."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cxlib.draft.facts import Dates, plain
from cxlib.draft.known import present, words
from cxlib.draft.plan import Line, Part, Plan
from cxlib.draft.toml import inline, said
from cxlib.tables import TABLES

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

#: Settings that a template gives as the tool documents them.
_DOCUMENTED = ("time_zone", "no_answer", "date_format", "session_gap_minutes", "constants")
#: Columns that are left unread and named; a questionnaire may have hundreds.
_NAMED = 60


def settle(part: Part, plan: Plan) -> None:
    """Write a table's settings: those of its template as documented, the others as its cells suggest."""
    if part.guessed:
        which = ", ".join(f"{ours} is '{said(part.columns[ours], 40)}'" for ours in part.guessed)
        key = plan.ask(f"columns_{part.table}", f"{part.table}: {which}")
        part.guessed = {ours: f"{why} (confirm {key})" for ours, why in part.guessed.items()}
    for setting, why in part.look.unsure.items():
        written = inline(part.look.settings[setting])
        plan.guess(part, setting, Line(f"{setting} = {written}", why), summary=f"{part.look.paths[0].name} is written in {written}")
    part.lines += [Line(f"{name} = {inline(part.made[name])}") for name in _DOCUMENTED if name in part.made]
    _only(part, plan)
    if "date_format" not in part.made:
        _dates(part, plan)
    _numbers(part, plan)
    _nothing(part, plan)
    _words(part, plan)
    _units(part, plan)


def _only(part: Part, plan: Plan) -> None:
    """Which rows are meant, where a column says of some that they are not."""
    wanted: dict[str, list[str]] = {}
    for name, documented in part.made.get("only", {}).items():
        theirs = present(part.look.columns, name)
        if theirs and (there := [text for text in documented if text in part.facts[theirs].values]):
            wanted[theirs] = there
    if part.table == "events" and not wanted:
        for name, facts in part.facts.items():
            done = [text for text in facts.labels if plain(text) in words("done")]
            if plain(name) in words("lifecycle") and done and facts.distinct > 1:
                wanted[name] = done
    for name, kept in wanted.items():
        facts, all_rows = part.facts[name], part.look.rows
        rows = sum(facts.values[text] for text in kept)
        others = ", ".join(f"{inline(text)} {facts.values[text]:,}" for text in facts.labels if text not in kept)
        if rows < all_rows:
            why = f"{rows:,} of {all_rows:,} rows; not meant: {others or f'{all_rows - rows:,} others'}"
            summary = f"only the rows where '{said(name, 40)}' is {' or '.join(map(inline, kept))}"
            plan.guess(part, f"only_{part.table}", Line(f"only = {inline({name: kept})}", why), summary=summary)


def _dates(part: Part, plan: Plan) -> None:
    """Date formats, with what decides between day and month; a year that comes first needs no word."""
    formats: dict[str, str | list[str]] = {}
    evidence: dict[str, list[str]] = {}
    dated = part.of("date", "time")
    for ours, facts in dated.items():
        if facts.epoch:
            formats[ours] = facts.epoch
        elif forms := _forms(facts.dates):
            formats[ours] = forms if len(forms) > 1 else forms[0]
            if any("%?" in form for form in facts.dates.forms):
                evidence.setdefault(_evidence(facts.dates), []).append(ours)
        if not facts.epoch and (unfit := facts.filled - facts.dates.fitting):
            part.notes.append(f"{ours}: {unfit:,} of {facts.filled:,} values are no date of a known form; these rows are set aside.")
    if not formats:
        return
    alike = len(formats) == len(dated) and len({inline(each) for each in formats.values()}) == 1
    why = "; ".join(f"{' and '.join(several)}: {text}" for text, several in evidence.items())
    line = Line(f"date_format = {inline(next(iter(formats.values())) if alike else formats)}", why)
    if any(facts.dates.open for facts in dated.values()):
        plan.guess(part, f"dates_{part.table}", line, summary=why)
    else:
        part.lines.append(Line(line.setting, why and f"{why}."))


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


def _evidence(dates: Dates) -> str:
    if not dates.day_first and not dates.month_first:
        return f"day before month is assumed; none of {dates.either:,} values decides, each fits both orders"
    first = "day before month" if dates.day_first >= dates.month_first else "month before day"
    return f"{first}: {dates.day_first:,} values only fit day/month, {dates.month_first:,} only month/day, {dates.either:,} either"


def _numbers(part: Part, plan: Plan) -> None:
    """Decimal commas and thousands; signs of currency are said."""
    found = {ours: facts.numbers for ours, facts in part.of("number", "whole").items() if facts.numeric}
    for setting, usual, like in (("decimal", ".", "12{}50"), ("thousands", None, "1{}250")):
        odd = {ours: value for ours, numbers in found.items() if (value := getattr(numbers, setting)) not in (usual, None)}
        if odd:
            value = next(iter(odd.values()))
            why = f"{', '.join(odd)}: numbers such as {like.format(value)}"
            line = Line(f"{setting} = {inline(value)}", why)
            plan.guess(part, f"numbers_{part.table}", line, summary=f"how numbers are written ({', '.join(odd)})")
    for ours, numbers in found.items():
        if numbers.signs:
            part.notes.append(f"{ours}: {', '.join(f'{sign} beside {rows:,} numbers' for sign, rows in sorted(numbers.signs.items()))}.")


def _nothing(part: Part, plan: Plan) -> None:
    """Words that stand where nothing was meant."""
    found: Counter[str] = Counter()
    for ours, theirs in part.columns.items():
        # Somebody may write "none" and mean it; a word that comes up again and again was not written by anybody.
        facts = part.facts[theirs]
        least = 0.005 * facts.values.total() if TABLES[part.table][ours].kind == "text" else 1
        found.update({text: rows for text, rows in facts.nothing.items() if rows >= least and ours != "arm"})
    if found and "no_answer" not in part.made:
        which = ", ".join(f"{inline(text)} {rows:,} times" for text, rows in sorted(found.items()))
        line = Line(f"no_answer = {inline(sorted(found))}", f"{which}: they look like words for nothing")
        plan.guess(part, f"no_answer_{part.table}", line, summary=f"{', '.join(map(inline, sorted(found)))} stand for nothing")


def _words(part: Part, plan: Plan) -> None:
    """Yes and no, and who got a message: the words of the file, and what they mean."""
    for ours, facts in part.of("yes/no").items():
        pairs: dict[str, object] = {text: plain(text) in words("yes") for text in sorted(facts.said)}
        if pairs and not {text.lower() for text in pairs} <= {"true", "false"}:
            part.lines.append(Line(f"values.{ours} = {inline(pairs)}"))
    if part.table == "sends" and "arm" in part.columns:
        facts = part.facts[part.columns["arm"]]
        arms = {text: "control" if plain(text) in words("control") else "message" for text in facts.labels}
        if arms and set(arms) != {"control", "message"}:
            why = ", ".join(f"{inline(text)} {facts.values[text]:,}" for text in arms) + " rows"
            summary = f"in '{said(facts.name, 40)}' " + ", ".join(f"{inline(text)} is {arm}" for text, arm in arms.items())
            plan.guess(part, "arms", Line(f"values.arm = {inline(arms)}", why), summary=summary)


def _units(part: Part, plan: Plan) -> None:
    """The unit of a tenure, the pause that ends a session, the name of the only campaign."""
    if part.table == "customers" and "tenure_days" in part.columns:
        facts = part.facts[part.columns["tenure_days"]]
        high = max((float(text) for text in facts.said if text.replace(".", "", 1).isdigit()), default=0)
        unit = "years" if high <= 30 and facts.whole < facts.filled else "months" if high <= 400 else "days"
        line = Line(f"tenure_unit = {inline(unit)}", f"values up to {high:g}; the file does not say of what")
        plan.guess(part, "tenure_unit", line, summary=f"'{said(facts.name, 40)}' counts {unit}")
    if part.table == "events" and "case_id" not in part.columns and "session_gap_minutes" not in part.made:
        line = Line("session_gap_minutes = 30", "no column names a case, so one is made of the events of a customer")
        plan.guess(part, "session", line, summary="a pause of more than 30 minutes begins a new case")
    if part.table == "sends" and "campaign" not in part.columns and "constants" not in part.made:
        name = part.look.paths[0].name.split(".")[0][:60]
        line = Line(f"constants = {inline({'campaign': name})}", "no column names a campaign")
        plan.guess(part, "campaign", line, summary=f"all rows are of one campaign, '{said(name, 40)}'")


def doubles(part: Part, con: Backend) -> None:
    """Rows that are alike in every cell, and identifiers that come up again or lost digits: said, with what can be done."""
    spec = TABLES[part.table]
    alike = part.look.rows - con.raw_sql(f"SELECT count(*) FROM (SELECT DISTINCT * FROM {part.look.table})").fetchone()[0]
    key = [part.facts[part.columns[name]] for name in spec.key if name in part.columns]
    again = key[0].filled - key[0].distinct if len(spec.key) == 1 and key else 0
    if alike and not key:
        part.notes.append(f"{alike:,} rows are alike in every cell; nothing tells whether they happened twice, so they are kept.")
        part.lines.append(Line('exact_doubles = "set aside"', offered=True))
    elif again > 0 or alike:
        which = f", {alike:,} of them alike in every cell" if alike else ""
        repeated = f"a value of {spec.key[0]} ('{said(key[0].name, 40)}')" if again > 0 else " and ".join(spec.key)
        part.notes.append(f"{max(again, alike):,} rows repeat {repeated}{which}; only the first of each is kept.")
    for ours in ("customer", "respondent", "order", "ticket", "case_id"):
        facts = part.facts.get(part.columns.get(ours, ""))
        if facts and (lost := facts.count(r"\d\.?\d*[eE]\+?\d+")):
            part.notes.append(f"{ours}: {lost:,} values such as 1.2E+10 have lost digits. Export '{said(facts.name, 40)}' as text.")
        elif facts and (rows := facts.count(r"\d+\.0")):
            part.notes.append(f"{ours}: {rows:,} values end in .0, as a spreadsheet writes numbers; another table may not.")


def keys(part: Part) -> None:
    """Other columns of a few values each, by which a report may be divided: offered."""
    found: dict[str, object] = {}
    for name in part.look.columns:
        bare = "_".join(plain(name).encode("ascii", "ignore").decode().split())
        few = 2 <= part.facts[name].distinct <= 12 and len(part.facts[name].labels) >= 2
        if few and bare and name not in part.used and bare not in TABLES[part.table].names and len(found) < 6:
            found.setdefault(bare, name)
    if found and part.table != "feedback":
        part.lines.append(Line(f"keys = {inline(found)}", "Columns by which a report can be divided:", offered=True))


def unread(part: Part) -> str:
    """The columns that are left unread, and why where there is a reason."""
    left = []
    for facts in (part.facts[name] for name in part.look.columns if name not in part.used):
        same = "the same value in every row" if facts.distinct == 1 and not facts.blank else ""
        why = facts.personal or ("personal" if plain(facts.name) in words("personal") else same if facts.filled else "empty")
        left.append(f"{said(facts.name, 50)} ({why})" if why else said(facts.name, 50))
    return ", ".join(left[:_NAMED]) + (f" and {len(left) - _NAMED} more" if left[_NAMED:] else "")
