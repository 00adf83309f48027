"""What the cells of one column look like: counted, never quoted."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from cxlib.sources import sql
from cxlib.sources.cells import BLANKS

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

#: From this share of the cells on, a column is what these cells are; the others are accidents or codes.
MOST = 0.9
#: Different values of a column that are looked at one by one.
VALUES = 50_000

_CLOCK = (
    r"(?:(?P<gap>,? |T)(?P<early>(?:上午|下午) ?)?(?P<hour>\d{1,2}):\d{2}(?P<second>:\d{2})?(?P<part>\.\d+)?"
    r"(?P<half>\s?[AaPp]\.?\s?[Mm]\.?)?)?"
    r"(?P<blank> ?)(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
)
#: How a day is written → the form that reads it; a question mark is a day or a month, and "iso" is what the door reads unasked.
_DAYS = {
    r"(?P<year>\d{4})-\d{2}-\d{2}": "iso %Y-%m-%d",
    r"(?P<a>\d{1,2})(?P<mark>[/.-])(?P<b>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})": "%?{mark}%?{mark}{year}",
    r"(?P<year>\d{4})(?P<mark>[/.])\d{1,2}(?P=mark)\d{1,2}": "%Y{mark}%m{mark}%d",
    r"(?P<name>[A-Z][a-z]{2,8}) \d{1,2}, (?P<year>\d{4})": "{name} %d, %Y",
    r"\d{1,2}(?P<mark>[ -])(?P<name>[A-Za-z]{3,9})(?P=mark)(?P<year>\d{4}|\d{2})": "%d{mark}{name}{mark}{year}",
    r"(?P<name>[A-Z][a-z]{2,8}) (?P<year>(?:19|20)\d{2})": "{name} %Y",
    r"(?P<year>(?:19|20)\d{2})-(?:0[1-9]|1[0-2])": "%Y-%m",
}
_DATES = tuple((re.compile(day + _CLOCK), form) for day, form in _DAYS.items())
_COMPACT = re.compile(r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_WHOLE = re.compile(r"[+-]?\d{1,15}(\.0+)?")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_SIGN = r"(?:[€$£¥]|NT\$|US\$|EUR|USD|GBP|RON|TWD|lei)"
_DRESSED = re.compile(rf"[-+(]?\s*(?P<sign>{_SIGN})?\s*-?(?P<body>\d[\d.,' \u00a0]*?)\s*(?P<tail>{_SIGN}|%)?\)?")
_COMMA = re.compile(r"\d{1,3}(?:(?P<mark>\.)\d{3})*,\d{1,2}|\d+,(?:\d{1,2}|\d{4,})")
_GROUPS = re.compile(r"\d{1,3}(?:(?P<mark>[,' \u00a0])\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}")
_PHONE = re.compile(r"(\+|00)\d[\d ()./-]{6,18}\d|\(?\d{2,4}\)?[ ./-]\d{3,4}[ .-]\d{3,4}")
_LONG = re.compile(r"(?s).{41,}|(?=.*[\u4e00-\u9fff]).{13,}")
_EPOCHS = {"epoch seconds": 1, "epoch milliseconds": 1_000, "epoch microseconds": 1_000_000}


@dataclass
class Dates:
    """Which forms the dates of a column have, and what decides between day and month."""

    forms: Counter[str] = field(default_factory=Counter)
    day_first: int = 0
    month_first: int = 0
    either: int = 0
    offsets: Counter[str] = field(default_factory=Counter)
    timed: int = 0

    @property
    def fitting(self) -> int:
        return self.forms.total()

    @property
    def open(self) -> bool:
        """Whether day and month can be mistaken: nothing speaks for an order, little does, or something speaks against it."""
        deciding, against = max(self.day_first, self.month_first), min(self.day_first, self.month_first)
        return self.day_first + self.month_first + self.either > 0 and (against > 0 or deciding < 0.2 * self.fitting)


@dataclass
class Numbers:
    """How many cells are numbers, and how they are written."""

    rows: int = 0
    decimal: str = "."
    thousands: str | None = None
    signs: Counter[str] = field(default_factory=Counter)


@dataclass
class Facts:
    """A column's cells. ``values`` holds each different cell (blanks around it dropped) and how often it occurs."""

    name: str
    values: Counter[str]
    distinct: int
    blank: int
    nothing: Counter[str]

    @cached_property
    def said(self) -> Counter[str]:
        """The cells that say something."""
        return self.values - self.nothing

    @cached_property
    def filled(self) -> int:
        return self.said.total()

    def count(self, pattern: re.Pattern[str] | str) -> int:
        """How many cells are of a form."""
        return sum(rows for text, rows in self.said.items() if re.fullmatch(pattern, text))

    def mostly(self, count: int) -> bool:
        return self.filled > 0 and count >= MOST * self.filled

    @cached_property
    def whole(self) -> int:
        return self.count(_WHOLE)

    @cached_property
    def numbers(self) -> Numbers:
        found, marks, commas, dressed = Numbers(), Counter[str](), 0, 0
        for text, rows in self.said.items():
            if _NUMBER.fullmatch(text):
                found.rows += rows
            elif len(text) <= 30 and (match := _DRESSED.fullmatch(text)):
                comma = _COMMA.fullmatch(match["body"])
                if written := comma or _GROUPS.fullmatch(match["body"]):
                    dressed, commas = dressed + rows, commas + rows * bool(comma)
                    marks.update({written["mark"]: rows} if written["mark"] else {})
                    found.signs.update({sign: rows for sign in (match["sign"] or match["tail"],) if sign})
        if not dressed or self.dated or not self.mostly(found.rows + dressed):
            return Numbers(found.rows)
        often = max(marks, key=lambda mark: marks[mark], default=None)
        return Numbers(found.rows + dressed, "," if commas else ".", " " if often == "\u00a0" else often, found.signs)

    @cached_property
    def dates(self) -> Dates:
        found = Dates()
        compact = self.count(_COMPACT)
        if self.mostly(compact):
            found.forms["%Y%m%d"] = compact
        for text, rows in self.said.items():
            if 6 <= len(text) <= 40 and text[0].isalnum() and not text.isdigit():
                _date(found, text, rows)
        return found

    @cached_property
    def epoch(self) -> str | None:
        """The unit of moments counted from 1970, between 2000 and 2050."""
        numbers = [float(text) for text in self.said if _WHOLE.fullmatch(text)] if self.distinct > 1 and self.mostly(self.whole) else []
        for unit, size in _EPOCHS.items():
            if numbers and 946_684_800 * size <= min(numbers) <= max(numbers) < 2_524_608_000 * size:
                return unit
        return None

    @cached_property
    def dated(self) -> bool:
        return self.mostly(self.dates.fitting) or self.epoch is not None

    @property
    def numeric(self) -> bool:
        return self.mostly(self.numbers.rows)

    @cached_property
    def wordy(self) -> bool:
        """Free text, not a label: many different cells, and long ones."""
        return self.distinct > 5 and not self.dated and self.filled > 0 and self.count(_LONG) >= 0.2 * self.filled

    @cached_property
    def personal(self) -> str | None:
        if self.mostly(self.count(_MAIL)):
            return "e-mail addresses"
        return "telephone numbers" if self.mostly(self.count(_PHONE)) and not self.dated else None

    @cached_property
    def labels(self) -> list[str]:
        """The values of a column that are few, short and shared by several rows, so that they name no person."""
        kept = [text for text, rows in self.values.items() if len(text) <= 40 and rows > 1]
        return sorted(kept) if not self.personal and len(kept) <= 20 and self.distinct <= max(20, len(kept) + 3) else []


def plain(name: str) -> str:
    """A name or a word as it is compared: without accents, capitals and punctuation."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFKC", name))
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", split) if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[^\w]|_", " ", bare.lower()).split())


def facts(con: Backend, cells: str, *, name: str, nothing: frozenset[str]) -> Facts:
    """The facts of one column, from its different values and how often each occurs; ``cells`` is what stands after FROM."""
    trimmed = f"SELECT trim({sql.name(name)}, '{BLANKS}') AS v FROM {cells}"
    counted = con.raw_sql(f"SELECT v, count(*) AS n FROM ({trimmed}) GROUP BY v ORDER BY n DESC, v NULLS FIRST").fetchall()
    values = Counter({v: n for v, n in counted[:VALUES] if v})
    silent = Counter({v: n for v, n in values.items() if v in ("?", "-", "--", ".", "–", "—") or plain(v) in nothing})
    return Facts(name, values, sum(1 for v, _ in counted if v), sum(n for v, n in counted if not v), silent)


def _date(dates: Dates, text: str, rows: int) -> None:
    match, form = next(((match, form) for day, form in _DATES if (match := day.fullmatch(text))), (None, ""))
    if match is None:
        return
    part = {key: value or "" for key, value in match.groupdict().items()}
    zone, offset = part["zone"], part["zone"][:1] in ("+", "-")
    if part["year"] in ("1899", "1900"):  # where a spreadsheet keeps a time of day without a date
        return
    if part.get("a"):
        first, second = int(part["a"]), int(part["b"])
        if min(first, second) < 1 or max(first, second) > 31 or min(first, second) > 12:
            return
        dates.day_first += rows * (first > 12)
        dates.month_first += rows * (second > 12)
        dates.either += rows * (first <= 12 and second <= 12)
    if part["hour"]:
        dates.timed += rows
        form += part["gap"] + ("%p " if part["early"].endswith(" ") else "%p" if part["early"] else "")
        form += ("%I:%M" if part["half"] or part["early"] else "%H:%M") + (":%S" if part["second"] else "")
        form += (".%f" if part["part"] else "") + (" %p" if part["half"][:1].isspace() else "%p" if part["half"] else "")
    if zone:
        dates.offsets[zone] += rows
    if form.startswith("iso"):
        # The door reads these without a word more, except where a blank stands before +0200.
        form = f"{form.removeprefix('iso ')} %z" if offset and part["blank"] else form
    elif zone:
        form += part["blank"] + ("%z" if offset else zone)
    year, name = "%Y" if len(part["year"]) == 4 else "%y", "%b" if len(part.get("name", "")) == 3 else "%B"
    dates.forms[form.format(mark=part.get("mark", ""), year=year, name=name)] += rows
