"""What the cells of one column look like: counted, never quoted."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cxlib.sources import sql
from cxlib.sources.look import BLANKS
from cxlib.sources.source import EPOCHS

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
_DRESSED = re.compile(rf"[-+(]?\s*{_SIGN}?\s*-?(\d[\d.,' \u00a0]*?)\s*(?:{_SIGN}|%)?\)?")
_COMMA = re.compile(r"\d{1,3}(?:(?P<mark>\.)\d{3})*,\d{1,2}|\d+,(?:\d{1,2}|\d{4,})")
_GROUPS = re.compile(r"\d{1,3}(?:(?P<mark>[,' \u00a0])\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}")
_PHONE = re.compile(r"(\+|00)\d[\d ()./-]{6,18}\d|\(?\d{2,4}\)?[ ./-]\d{3,4}[ .-]\d{3,4}")
_LONG = re.compile(r"(?s).{41,}|(?=.*[\u4e00-\u9fff]).{13,}")


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
class Facts:
    """A column's cells.

    ``values`` holds each different one (blanks around it dropped) and how often it occurs, ``said`` those of them that say something,
    ``nothing`` the others; ``labels`` are few, short and shared by several rows, so that they name no person.
    """

    name: str
    values: Counter[str]
    said: Counter[str]
    nothing: Counter[str]
    distinct: int
    blank: int
    dates: Dates
    epoch: str | None = None
    dated: bool = False
    numeric: bool = False
    whole: int = 0
    decimal: str = "."
    thousands: str | None = None
    personal: str | None = None
    wordy: bool = False
    labels: list[str] = field(default_factory=list)

    @property
    def filled(self) -> int:
        """How many cells say something."""
        return self.said.total()

    def count(self, pattern: re.Pattern[str] | str) -> int:
        """How many cells are of a form."""
        return sum(rows for text, rows in self.said.items() if re.fullmatch(pattern, text))

    def mostly(self, count: int) -> bool:
        """Whether a column is what so many of its cells are."""
        return self.filled > 0 and count >= MOST * self.filled


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
    distinct, blank = sum(1 for v, _ in counted if v), sum(n for v, n in counted if not v)
    found = Facts(name, values, values - silent, silent, distinct, blank, Dates())
    if found.mostly(compact := found.count(_COMPACT)):
        found.dates.forms["%Y%m%d"] = compact
    for text, rows in found.said.items():
        if 6 <= len(text) <= 40 and text[0].isalnum() and not text.isdigit():
            _date(found.dates, text, rows)
    found.whole = found.count(_WHOLE)
    if distinct > 1 and found.mostly(found.whole):
        moments = [float(text) for text in found.said if _WHOLE.fullmatch(text)]
        within = [unit for unit, size in EPOCHS.items() if 946_684_800 * size <= min(moments) <= max(moments) < 2_524_608_000 * size]
        found.epoch = next(iter(within), None)
    found.dated = found.mostly(found.dates.fitting) or found.epoch is not None
    _numbers(found)
    if found.mostly(found.count(_MAIL)):
        found.personal = "e-mail addresses"
    elif not found.dated and found.mostly(found.count(_PHONE)):
        found.personal = "telephone numbers"
    found.wordy = distinct > 5 and not found.dated and 0 < 0.2 * found.filled <= found.count(_LONG)
    kept = sorted(text for text, rows in values.items() if len(text) <= 40 and rows > 1)
    found.labels = kept if not found.personal and len(kept) <= 20 and distinct <= max(20, len(kept) + 3) else []
    return found


def _numbers(found: Facts) -> None:
    """Whether the cells are numbers, what their decimal mark is, and what stands between thousands."""
    numbers, dressed, marks, commas = found.count(_NUMBER), 0, Counter[str](), 0
    for text, rows in found.said.items():
        match = _DRESSED.fullmatch(text) if len(text) <= 30 and not _NUMBER.fullmatch(text) else None
        comma = _COMMA.fullmatch(match[1]) if match else None
        if match and (written := comma or _GROUPS.fullmatch(match[1])):
            dressed, commas = dressed + rows, commas + rows * bool(comma)
            marks.update({written["mark"]: rows} if written["mark"] else {})
    found.numeric = found.mostly(numbers + (0 if found.dated else dressed))
    if dressed and found.numeric and not found.dated:
        often = max(marks, key=lambda mark: marks[mark], default=None)
        found.decimal, found.thousands = "," if commas else ".", " " if often == "\u00a0" else often


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
