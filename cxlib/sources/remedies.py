"""What to declare where many rows break a rule: the remedies that what stands in the file speaks for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cxlib.sources.notes import SILENT
from cxlib.sources.said import key, quoted

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

_MOST = 5
_SHORT_DATE = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})\b(?:([ T])\d{1,2}:\d\d(:\d\d)?)?")


def remedies(con: Backend, where: str) -> str:
    """Sentences on what to declare, for the most frequent reasons first; none where nothing is known."""
    found = con.raw_sql(
        'WITH bad AS (SELECT "(problem)" AS reason, "(shown)" AS shown, count(*) AS rows FROM stage WHERE "(problem)" IS NOT NULL '
        "GROUP BY 1, 2) SELECT reason, shown, sum(rows) OVER (PARTITION BY reason) FROM bad WHERE shown IS NOT NULL "
        f"QUALIFY row_number() OVER (PARTITION BY reason ORDER BY rows DESC, shown) <= {_MOST} ORDER BY 3 DESC, 1, rows DESC, 2"
    ).fetchall()
    values: dict[str, list[str]] = {}
    for reason, shown, _ in found:
        values.setdefault(reason, []).append(shown.strip())
    said = [remedy for reason, shown in values.items() if (remedy := _remedy(reason, shown, where))]
    return "".join(f" {sentence}" for sentence in dict.fromkeys(said[:2]))


def _remedy(reason: str, shown: Sequence[str], where: str) -> str:
    name = reason.split(" ")[0]
    silent = [value for value in shown if re.fullmatch(SILENT, value)]
    dated, number = reason.endswith((" is not a date", " is not a date and time")), reason.endswith(" is not a number")
    if silent and (dated or number or reason.endswith(" is not true or false")):
        codes = ", ".join(map(quoted, silent))
        return f"If {' or '.join(repr(value) for value in silent)} means that nothing is there, declare it: no_answer = [{codes}] {where}."
    if dated:
        return _of_dates(shown, where)
    if number:
        return _of_numbers(shown, where)
    if reason.endswith("has no year of four digits"):
        if any(re.fullmatch(r"[\d.]+", value) for value in shown):
            return f'If the moments are in a smaller unit, declare it: date_format = "epoch milliseconds" {where}.'
        return f'If the years have two digits, their form has a small y: date_format = "%d/%m/%y" {where}.'
    if reason.endswith(" is not true or false"):
        pairs = ", ".join(f"{key(value)} = …" for value in sorted(shown))
        return f"Say which is true and which is false: values.{name} = {{ {pairs} }} {where}."
    if " is not one of " in reason:
        return f"Say which each of them is: values.{name} = {{ {', '.join(f'{key(value)} = …' for value in sorted(shown))} }} {where}."
    if reason.endswith(" does not map"):
        return f"Map the others as well: {', '.join(map(quoted, sorted(shown)))}."
    return ""


def _of_dates(shown: Sequence[str], where: str) -> str:
    """The form that the dates speak for: a part above 12 is a day."""
    if all(re.fullmatch(r"[3-5]\d{4}(\.\d+)?", value) for value in shown):
        return "They are days as a spreadsheet counts them: give the column a date format there, and export it again."
    if re.fullmatch(r"\d{10}|\d{13}|\d{16}", shown[0]):
        unit = {10: "seconds", 13: "milliseconds", 16: "microseconds"}[len(shown[0])]
        return f'If they count {unit} since 1970, declare it: date_format = "epoch {unit}" {where}.'
    if all(re.search(r"[^\W\d_]{3}", value) for value in shown):
        return "Months are read as numbers, or by their English names: export the dates as 2026-06-30."
    if all(re.match(r"\d{4}-\d\d-\d\d", value) for value in shown):
        return ""
    dates = [found for value in shown if (found := _SHORT_DATE.match(value))]
    first, second = (max((int(found[part]) for found in dates), default=0) for part in (1, 3))
    mark, year, clock = "/", "%Y", ""
    if dates:
        mark, year = dates[0][2], "%y" if all(len(found[4]) == 2 for found in dates) else "%Y"
        clock = f"{dates[0][5]}%H:%M{':%S' if dates[0][6] else ''}" if dates[0][5] else ""
    day_first, month_first = (f'date_format = "{mark.join((*parts, year))}{clock}"' for parts in (("%d", "%m"), ("%m", "%d")))
    if dates and first <= 12 and second <= 12:
        return f"If the day comes first, declare {day_first}, if the month does, {month_first} {where}."
    return f"If the dates have another form, declare it: {month_first if first <= 12 < second else day_first} {where}."


def _of_numbers(shown: Sequence[str], where: str) -> str:
    if any(re.search(r",\d{3}\.\d", value) for value in shown):
        return f'If a comma stands between thousands, declare it: thousands = "," {where}.'
    if any(re.search(r"\d,\d", value) for value in shown):
        return f'If the comma is the decimal mark, declare it: decimal = "," {where}.'
    return ""
