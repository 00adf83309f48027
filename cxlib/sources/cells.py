"""From cells of text to typed columns, in SQL: each conversion with the words for what does not fit it.

What nearly every cell looks like is tried first, since a file of a hundred million rows pays for each
expression a hundred million times; whatever does not look so goes the long way and means the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cxlib.sources import sql
from cxlib.sources.look import BLANKS, NOTHING_SEEN, Seen
from cxlib.sources.source import EPOCHS, TENURE_DAYS, Source
from cxlib.tables import Column, TableSpec
from cxlib.tables.schema import Kind

#: What a column is made of that an export does not have.
NOTHING = "CAST(NULL AS VARCHAR)"
#: Prefix of the column that carries a cell as text beside its typed value.
TEXT = "(text) "
#: Prefixes of what was worked out once for the steps after.
CAST, QUICK = "(cast) ", "(quick) "

_WORDS: dict[Kind, str] = {
    "text": "a text",
    "whole": "a whole number",
    "number": "a number",
    "date": "a date",
    "time": "a date and time",
    "yes/no": "true or false",
}
TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "whole": "BIGINT",
    "number": "DOUBLE",
    "date": "DATE",
    "time": "TIMESTAMP",
    "yes/no": "BOOLEAN",
}
_FLOATS = ("DOUBLE", "FLOAT", "REAL")
_OFFSET = r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)? ?(?:Z|UTC|[+-]\d{2}(?::?\d{2})?)"
_LOCAL = r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
#: Times and days in full, in which no number can be longer.
_FULL = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S")
#: What may stand before or after an amount: a sign of money, or a code of three letters.
MONEY = r"(?:[A-Z]{0,2}\p{Sc}|[A-Z]{3}|lei|kr|zł)"
#: Signs of money that are told apart, each with its code.
CURRENCIES = (("€", "EUR"), ("$", "USD"), ("£", "GBP"), ("¥", "JPY"))
_OTHER_ORDER = str.maketrans("dm", "md")
#: The year 9999 in microseconds, and some more.
_FAR = 253_500_000_000_000_000
_LOST = r"^[+-]?\d(\.\d+)?[eE]\+\d+$"


@dataclass(frozen=True)
class Cell:
    """One column on its way in: the canonical column, the source's expression for it, that one's type, and what is known of its texts."""

    column: Column
    made: str
    type: str = "VARCHAR"
    seen: Seen = NOTHING_SEEN

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def absent(self) -> bool:
        """Whether the export has nothing for this column."""
        return self.made == NOTHING

    @property
    def native(self) -> bool:
        """Whether the source gives a type of its own."""
        return self.type != "VARCHAR"


def clean(cell: str) -> str:
    """A text without the blanks around it; an empty one is missing."""
    edge, bare = "NOT BETWEEN '!' AND '~'", f"nullif(trim({cell}, {sql.text(BLANKS)}), '')"
    return f"CASE WHEN ({cell})[-1] {edge} THEN {bare} WHEN {cell} {edge} THEN {bare} ELSE {cell} END"


def within(text: str, form: str) -> str:
    """What a text is but for the blanks around it, where that has a form; otherwise empty."""
    return f"regexp_extract({text}, {sql.text(f'^[{BLANKS}]*({form})[{BLANKS}]*$')}, 1)"


def as_text(cell: Cell, source: Source) -> str:
    """First step: the cell as text; a declared code for no answer is missing."""
    codes = [code for code in source.no_answer if code]
    if cell.absent:
        return NOTHING
    if not cell.native:
        trimmed = cell.column.kind == "text" or bool(codes) or cell.name in source.values or cell.name == "score"
        # A number, a date or a yes/no is found without the blanks being taken off first.
        text = clean(cell.made) if trimmed and not cell.seen.bare else cell.made
    elif cell.type in _FLOATS and cell.column.kind == "text":
        exact = f"abs({cell.made}) < 9007199254740992"
        digits = f"CASE WHEN {exact} THEN CAST(CAST({cell.made} AS BIGINT) AS VARCHAR) ELSE format('{{:e}}', {cell.made}) END"
        text = f"CASE WHEN {cell.made} = floor({cell.made}) THEN {digits} ELSE CAST({cell.made} AS VARCHAR) END"
    else:
        text = f"CAST({cell.made} AS VARCHAR)"
    return f"CASE WHEN {sql.among(text, codes)} THEN NULL ELSE {text} END" if codes else text


def mapped(cell: Cell, source: Source) -> str:
    """The cell as text, or what its value is declared to mean; missing where the declaration does not say."""
    text, pairs = sql.name(TEXT + cell.name), source.values.get(cell.name)
    return sql.cases(text, ((sql.text(one), sql.text(other)) for one, other in pairs.items())) if pairs else text


def cast(cell: Cell, source: Source) -> str | None:
    """Second step: a time as DuckDB takes it, where the door takes less than that."""
    plain = cell.absent or cell.column.kind not in ("date", "time") or source.forms(cell.name) or _own(cell, source)
    if plain:
        return None
    text = mapped(cell, source)
    return f"try_strptime({text}, [{', '.join(map(sql.text, _FULL))}])" if _strict(cell, source) else f"try_cast({text} AS TIMESTAMP)"


def _strict(cell: Cell, source: Source) -> bool:
    """Whether a text is written in full where it has the length and the form of that: its blanks may be all that a form is lax in."""
    return cell.seen.bare and cell.seen.spaced and cell.name not in source.values


def quick(cell: Cell, source: Source) -> str | None:
    """Third step: what nearly every cell of a type is, worked out once; the next step names it several times."""
    kind, text = cell.column.kind, mapped(cell, source)
    own = _own(cell, source)
    if cell.absent or kind in ("text", "yes/no"):
        return None
    if kind in ("number", "whole"):
        return f"CAST({own} AS DOUBLE)" if own and _numeric(cell.type) else f"try_cast({text} AS DOUBLE)"
    if own and cell.type.startswith(("DATE", "TIMESTAMP")):
        return f"CAST({own if 'WITH TIME ZONE' not in cell.type else 'NULL'} AS TIMESTAMP)"
    parsed, soon = _parsed(text, cell, source), sql.name(CAST + cell.name)
    if cast(cell, source) is None:
        return parsed
    if _strict(cell, source):
        return f"CASE WHEN {soon} IS NOT NULL AND strlen({text}) IN (10, 19) THEN {soon} ELSE {parsed} END"
    # What DuckDB would write the same way is a time or a day in full, without a blank around it: no pattern needs to be asked.
    time, day = f"CAST({soon} AS VARCHAR) = {text}", f"CAST(CAST({soon} AS DATE) AS VARCHAR) = {text}"
    return f"CASE WHEN strlen({text}) = 19 AND {time} THEN {soon} WHEN strlen({text}) = 10 AND {day} THEN {soon} ELSE {parsed} END"


def typed(cell: Cell, source: Source, zone: str) -> str:
    """Fourth step: the text as the type of its column; missing where it cannot be one."""
    if cell.absent:
        return f"CAST(NULL AS {TYPES[cell.column.kind]})"
    kind, text, own, soon = cell.column.kind, mapped(cell, source), _own(cell, source), sql.name(QUICK + cell.name)
    if kind == "text":
        return text
    if kind == "yes/no":
        return own if own and cell.type == "BOOLEAN" else f"CASE lower({text}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    if kind == "whole":
        return whole(soon, text, cell.seen)
    if kind == "number":
        finite = f"CASE WHEN isfinite({soon}) THEN {soon} END"
        number = finite if own and _numeric(cell.type) else _number(soon, text, source, cell.seen)
        unit = source.tenure_unit if cell.name == "tenure_days" else None
        return f"({number}) * {TENURE_DAYS[unit]!r}" if unit else number
    if own and "WITH TIME ZONE" in cell.type:
        return f"CAST({own} AT TIME ZONE {sql.text(zone)} AS {TYPES[kind]})"
    offset = [] if own and cell.type.startswith(("DATE", "TIMESTAMP")) else _with_offset(text, cell, source, zone)
    other = sql.first(*offset) if offset else "NULL"
    return f"CAST(CASE WHEN {soon} IS NOT NULL THEN {_zoned(soon, source, zone)} ELSE {other} END AS {TYPES[kind]})"


def _own(cell: Cell, source: Source) -> str | None:
    """The value in the source's own type, where no declaration speaks of its text."""
    return sql.name("(native) " + cell.name) if cell.native and cell.name not in source.values and not source.no_answer else None


def misfits(cell: Cell, source: Source, zone: str) -> list[tuple[str, str, str]]:
    """Last step: what can be wrong with a cell: reason, condition, and the text that is shown."""
    column, name, value = cell.column, cell.name, sql.name(cell.name)
    if cell.absent:
        return [(f"no {name}", "true", "NULL")] if column.required else []
    text, said = sql.name(TEXT + name), mapped(cell, source)
    there = f"trim({text}, {sql.text(BLANKS)}) <> ''"
    wrong = []
    if name in source.values:
        wrong.append((f"{name} has a value that values.{name} does not map", f"{text} IS NOT NULL AND {said} IS NULL", text))
    if column.kind != "text":
        unfit = f"CASE WHEN {value} IS NOT NULL THEN false ELSE {there} END"
        if column.kind in ("date", "time") and not cell.native:
            skipped = f"{value} IS NULL AND {sql.name(QUICK + name)} IS NOT NULL"
            wrong.append((f"{name} is in the hour that the clocks of {source.time_zone or zone} skip", skipped, text))
            other = [form.translate(_OTHER_ORDER) for form in source.forms(name) if {"%d", "%m"} <= set(re.findall("%.", form))]
            if other:
                turned = sql.first(*(f"try_strptime({clean(text)}, {sql.text(form)})" for form in other))
                told = f"{name} fits its form only with day and month the other way round; others of its kind may fit, and be read wrong"
                wrong.append((told, f"{unfit} AND {turned} IS NOT NULL", text))
        wrong.append((f"{name} is not {_WORDS[column.kind]}", unfit, text))
    if column.kind in ("date", "time"):
        # %Y takes 26 for the year 26.
        wrong.append((f"{name} has no year of four digits", f"{value} NOT BETWEEN DATE '1000-01-01' AND DATE '9999-12-31'", text))
    if column.identifier and "+" not in cell.seen.without:
        wrong.append(
            (
                f"{name} has lost digits: a program took it for a number",
                # What has, begins with a digit or its sign; to compare costs less than to look for the +.
                f"{text} < ':' AND contains({text}, '+') AND regexp_matches({text}, {sql.text(_LOST)})",
                text,
            )
        )
    if column.required:
        wrong.append((f"no {name}", f"{text} IS NULL" if column.kind == "text" else f"{value} IS NULL", text))
    if column.low is not None:
        wrong.append((f"{name} is below {column.low:g}", f"{value} < {column.low!r}", text))
    if column.above is not None:
        wrong.append((f"{name} is not above {column.above:g}", f"{value} <= {column.above!r}", text))
    if column.one_of:
        wrong.append((f"{name} is not one of {', '.join(column.one_of)}", f"NOT {sql.among(value, column.one_of)}", text))
    return wrong


def orders(spec: TableSpec) -> list[tuple[str, str, str]]:
    """Pairs of which the first must not lie after or above the second, and columns of which one must be there."""
    wrong = []
    for first, second in spec.ordered:
        lies = "after" if spec[first].kind in ("date", "time") else "above"
        wrong.append((f"{first} is {lies} {second}", f"{sql.name(first)} > {sql.name(second)}", "NULL"))
    if spec.either:
        missing = " AND ".join(f"{sql.name(name)} IS NULL" for name in spec.either)
        wrong.append(("neither " + " nor ".join(spec.either), missing, "NULL"))
    return wrong


def whole(number: str, text: str, seen: Seen = NOTHING_SEEN) -> str:
    """A whole number; missing where there is a fraction, or more digits than a float keeps, and for 1_000."""
    exact = f"{number} = floor({number}) AND abs({number}) < 9007199254740992{_unmarked(text, seen)}"
    return f"CASE WHEN {exact} THEN CAST({number} AS BIGINT) END"


def _unmarked(text: str, seen: Seen) -> str:
    """And the text is not like 1_000, which DuckDB takes for a number."""
    return "" if "_" in seen.without else f" AND NOT (strlen({text}) > 2 AND contains({text}, '_'))"


def _number(soon: str, text: str, source: Source, seen: Seen) -> str:
    """A number as the export writes it: its decimal mark, marks between thousands, a sign of money around it.

    Where the decimal mark is declared to be a comma, a point can only stand between thousands.
    """
    decimal, between = source.decimal, source.thousands or ("." if source.decimal == "," else "")
    marks = " \u00a0\u202f" if between == " " else between
    groups = rf"\d{{1,3}}(?:[{marks}]\d{{3}})+|\d+" if marks else r"\d+"
    form = rf"^[{BLANKS}]*(?:{MONEY})?\s*([+-]?(?:(?:{groups})(?:[{decimal}]\d*)?|[{decimal}]\d+))\s*(?:{MONEY})?[{BLANKS}]*$"
    digits = f"translate(regexp_extract({text}, {sql.text(form)}, 1), {sql.text(decimal + marks)}, '.')"
    long = f"try_cast(nullif({digits}, '') AS DOUBLE)"
    # With a decimal comma '1.5' is no number, and the short way would read it as one; nan and 1_000 are none either.
    return long if decimal == "," else f"CASE WHEN isfinite({soon}){_unmarked(text, seen)} THEN {soon} ELSE {long} END"


def carries_money(cell: Cell, sign: str = "", code: str = "") -> str:
    """Whether a sign of money stands around an unusual number, this one or another; the table's currency is declared elsewhere."""
    text = sql.name(TEXT + cell.name)
    if sign:
        return f"contains({text}, {sql.text(sign)}) OR contains({text}, {sql.text(code)})"
    known = " OR ".join(f"contains({text}, {sql.text(one)})" for pair in CURRENCIES for one in pair)
    return f"regexp_matches({text}, {sql.text(MONEY)}) AND NOT ({known})"


def unusual(cell: Cell) -> str:
    """Whether a cell went the long way and came through; nearly every number is plain."""
    return f"{sql.name(QUICK + cell.name)} IS NULL AND {sql.name(cell.name)} IS NOT NULL"


def names_zone(cell: Cell, source: Source) -> str | None:
    """Whether a time says its zone; asked where some may and others not."""
    if cell.native or cell.column.kind != "time" or source.forms(cell.name):
        return None
    return unusual(cell)


def _numeric(kind: str) -> bool:
    return kind in (*_FLOATS, "BOOLEAN") or kind.startswith(("DECIMAL", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "U"))


def _with_offset(text: str, cell: Cell, source: Source, zone: str) -> list[str]:
    """A time that says how far it is from UTC, brought into the workbook's zone, in each form that the column may have."""
    moments, bare = [], _bare(text, cell, source)
    for form in source.forms(cell.name):
        if form in EPOCHS:
            micros = f"try_cast({bare} AS DOUBLE) * {1_000_000 // EPOCHS[form]}"
            near = f"try_cast(CASE WHEN abs({micros}) < {_FAR} THEN {micros} END AS BIGINT)"
            moments.append(f"make_timestamptz({near})")
        elif "%z" in form or "%Z" in form:
            moments.append(f"CAST(try_strptime({_halved(bare, form)}, {sql.text(form)}) AS TIMESTAMPTZ)")
    if not source.forms(cell.name):
        # DuckDB reads no offset behind a blank.
        moments.append(f"try_cast(regexp_replace({within(text, _OFFSET)}, ' (Z|[+-][0-9:]+)$', '\\1') AS TIMESTAMPTZ)")
    return [f"{moment} AT TIME ZONE {sql.text(zone)}" for moment in moments]


def _bare(text: str, cell: Cell, source: Source) -> str:
    """The text of a cell without the blanks around it, where it may have any."""
    return text if cell.seen.bare and cell.name not in source.values else clean(text)


def _parsed(text: str, cell: Cell, source: Source) -> str:
    """A text without an offset as the clocks of its zone show it, whether or not they ever did."""
    forms = [form for form in source.forms(cell.name) if form not in EPOCHS and "%z" not in form and "%Z" not in form]
    if forms:
        bare = _bare(text, cell, source)
        tries = [f"try_strptime({_halved(bare, form)}, {sql.text(form)})" for form in forms]
        # %Y takes 26 for a year, before the form with %y is asked.
        return sql.first(*(f"CASE WHEN {one} >= DATE '1000-01-01' THEN {one} END" for one in tries[:-1]), tries[-1])
    if source.forms(cell.name):
        return "CAST(NULL AS TIMESTAMP)"
    # Only what starts like 2026-06-30 is read without a declared form: DuckDB also takes '1-2-3' for a year.
    return f"try_cast({within(text, _LOCAL)} AS TIMESTAMP)"


def _halved(text: str, form: str) -> str:
    """A time of twelve hours with AM or PM where it says 上午, 下午, a.m. or p. m., as programs in Chinese and Spanish write it."""
    if "%p" not in form:
        return text
    chinese = f"replace(replace({text}, '上午', 'AM'), '下午', 'PM')"
    return f"regexp_replace({chinese}, '([aApP])\\.?[ \u00a0\u202f]?[mM]\\.?', '\\1M')"


def _zoned(moment: str, source: Source, zone: str) -> str:
    """A time of the export's zone in the workbook's; missing where the clocks skipped it (they do so in the small hours)."""
    own = source.time_zone or zone
    if own == zone == "UTC":
        return moment
    instant = f"({moment}) AT TIME ZONE {sql.text(own)}"
    here = moment if own == zone else f"({instant}) AT TIME ZONE {sql.text(zone)}"
    ever = f"CASE WHEN ({instant}) AT TIME ZONE {sql.text(own)} = {moment} THEN {here} END"
    return f"CASE WHEN hour({moment}) < 4 THEN {ever} ELSE {here} END"


def twice_on_the_clock(cell: Cell, source: Source, zone: str) -> str | None:
    """Whether a time without an offset is in the hour that the clocks repeat, so that it may be either."""
    own = source.time_zone or zone
    if own == "UTC" or cell.native or cell.column.kind != "time":
        return None
    local, value = sql.name(QUICK + cell.name), sql.name(cell.name)
    later, earlier = (
        f"(({local}) AT TIME ZONE {sql.text(own)} {sign} INTERVAL 1 HOUR) AT TIME ZONE {sql.text(own)} = {local}" for sign in ("+", "-")
    )
    return (
        f"CASE WHEN hour({value}) < 5 OR hour({value}) > 20 THEN {later} OR {earlier} ELSE false END"
        if own != zone
        else (f"CASE WHEN hour({value}) < 4 THEN {later} OR {earlier} ELSE false END")
    )
