"""The settings of a table that rest on its cells: dates, numbers, words for nothing, yes and no, units; what is not sure is asked."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cxlib.draft.facts import Dates, plain
from cxlib.draft.known import present, words
from cxlib.draft.plan import Line, Part, Plan
from cxlib.draft.toml import inline, said, slug
from cxlib.tables import TABLES
from cxlib.tables.engine import one_row

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
        plan.guess(part, setting, f"{setting} = {inline(part.look.settings[setting])}", why=f"{part.look.paths[0].name}: {why}")
    part.lines += [Line(f"{name} = {inline(part.made[name])}") for name in _DOCUMENTED if name in part.made]
    for step in (_only, _dates, _numbers, _nothing, _words, _units, _leaving):
        step(part, plan)


def _only(part: Part, plan: Plan) -> None:
    """Which rows are meant, where the template knows a column that says of some that they are not."""
    for documented, kinds in part.made.get("only", {}).items():
        facts = part.facts.get(present(part.look.columns, documented) or "")
        kept = [text for text in kinds if facts and text in facts.values]
        rows = sum(facts.values[text] for text in kept) if facts else 0
        if facts and 0 < rows < part.look.rows:
            others = ", ".join(f"{inline(text)} {facts.values[text]:,}" for text in facts.labels if text not in kept)
            why = f"{rows:,} of {part.look.rows:,} rows; not meant: {others or f'{part.look.rows - rows:,} others'}"
            summary = f"only the rows where '{said(facts.name, 40)}' is {' or '.join(map(inline, kept))}"
            plan.guess(part, f"only_{part.table}", f"only = {inline({facts.name: kept})}", why=why, summary=summary)


def _dates(part: Part, plan: Plan) -> None:
    """Date formats, with what decides between day and month; a year that comes first needs no word."""
    formats: dict[str, str | list[str]] = {}
    evidence: dict[str, list[str]] = {}
    dated = part.of("date", "time") if "date_format" not in part.made else {}
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
    setting = f"date_format = {inline(next(iter(formats.values())) if alike else formats)}"
    if any(facts.dates.open for facts in dated.values()):
        plan.guess(part, f"dates_{part.table}", setting, why=why)
    else:
        part.lines.append(Line(setting, why and f"{why}."))


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
    """Decimal commas, and what stands between thousands."""
    for setting, usual, like in (("decimal", ".", "12{}50"), ("thousands", None, "1{}250")):
        found = {ours: getattr(facts, setting) for ours, facts in part.of("number", "whole").items() if facts.numeric}
        odd = {ours: value for ours, value in found.items() if value not in (usual, None)}
        for value in list(odd.values())[:1]:
            why = f"{', '.join(odd)}: numbers such as {like.format(value)}"
            plan.guess(part, f"numbers_{part.table}", f"{setting} = {inline(value)}", why=why)


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
        why = f"{which}: they look like words for nothing"
        plan.guess(part, f"no_answer_{part.table}", f"no_answer = {inline(sorted(found))}", why=why)


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
            plan.guess(part, "arms", f"values.arm = {inline(arms)}", why=why, summary=summary)


def _units(part: Part, plan: Plan) -> None:
    """The unit of a tenure, the pause that ends a session, the name of the only campaign."""
    if part.table == "customers" and "tenure_days" in part.columns:
        facts = part.facts[part.columns["tenure_days"]]
        high = max((float(text) for text in facts.said if text.replace(".", "", 1).isdigit()), default=0)
        unit = "years" if high <= 30 and facts.whole < facts.filled else "months" if high <= 400 else "days"
        why = f"values up to {high:g}; the file does not say of what"
        plan.guess(part, "tenure_unit", f"tenure_unit = {inline(unit)}", why=why, summary=f"'{said(facts.name, 40)}' counts {unit}")
    if part.table == "events" and "case_id" not in part.columns and "session_gap_minutes" not in part.made:
        why = "no column names a case, so a pause of more than 30 minutes of a customer begins a new one"
        plan.guess(part, "session", "session_gap_minutes = 30", why=why)
    if part.table == "sends" and "campaign" not in part.columns and "constants" not in part.made:
        name = part.look.paths[0].name.split(".")[0][:60]
        why = f"no column names a campaign, so all rows are of one, '{said(name, 40)}'"
        plan.guess(part, "campaign", f"constants = {inline({'campaign': name})}", why=why)


def _leaving(part: Part, plan: Plan) -> None:
    """Customers of whom nothing says who left: how long they stay would rest on nobody's leaving."""
    dated = [name for name in part.look.columns if part.facts[name].dated]
    if part.table != "customers" or {"end", "churned"} & set(part.columns) or not (dated or "tenure_days" in part.columns):
        return
    summary = "nothing says who left: every customer would count as still there; name the column of leaving under columns end, or churned"
    unread = ", ".join(f"'{said(name, 40)}'" for name in dated if name not in part.used)
    plan.guess(part, "leaving", "", why=summary + (f". Dates that are not read: {unread}" if unread else ""), summary=summary)


def doubles(part: Part, con: Backend) -> None:
    """Rows that are alike in every cell, and identifiers that a spreadsheet took for numbers: said, with what can be done."""
    alike = part.look.rows - one_row(con, f"SELECT count(*) FROM (SELECT DISTINCT * FROM {part.look.table})")[0]
    if alike and part.table != "responses" and not any(name in part.columns for name in TABLES[part.table].key):
        part.notes.append(f"{alike:,} rows are alike in every cell; nothing tells whether they happened twice, so they are kept.")
        part.lines.append(Line('exact_doubles = "set aside"', offered=True))
    for ours, facts in part.of("text").items():
        if TABLES[part.table][ours].identifier and (lost := facts.count(r"\d\.?\d*[eE]\+?\d+")):
            part.notes.append(f"{ours}: {lost:,} values such as 1.2E+10 have lost digits. Export '{said(facts.name, 40)}' as text.")
        elif TABLES[part.table][ours].identifier and (rows := facts.count(r"\d+\.0")):
            part.notes.append(f"{ours}: {rows:,} values end in .0, as a spreadsheet writes numbers; another table may not.")


def keys(part: Part) -> None:
    """Other columns of a few values each, by which a report may be divided: offered."""
    found: dict[str, object] = {}
    for name in part.look.columns:
        bare, facts = slug(name), part.facts[name]
        # In a survey a column of a few numbers is a question more often than a group.
        few = 2 <= facts.distinct <= 12 and len(facts.labels) >= 2 and not (facts.numeric and part.table == "responses")
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
