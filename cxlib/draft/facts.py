"""What the cells of one column look like: counted, never quoted."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cxlib.sources import sql
from cxlib.sources.cells import BLANKS

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

#: From this share of the cells on, a column is what these cells are; the others are accidents or codes.
MOST = 0.9
#: Different values of a column that are looked at one by one.
VALUES = 100_000

_CLOCK = r"(?P<comma>,)?(?:[ T](?P<hour>\d{1,2}):\d{2}(?P<second>:\d{2}(?P<part>\.\d+)?)?(?P<half> ?[AaPp]\.?[Mm]\.?)?)?"
_ZONE = r"(?P<gap> ?)(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
_DATES = tuple(
    re.compile(rf"^{day}{_CLOCK}{_ZONE}$")
    for day in (
        r"(?P<iso>\d{4}-\d{2}-\d{2})",
        r"(?P<a>\d{1,2})(?P<mark>[/.-])(?P<b>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})",
        r"(?P<year>\d{4})(?P<mark>[/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})",
        r"(?P<name>[A-Z][a-z]{2,8})\.? (?P<day>\d{1,2}), (?P<year>\d{4})",
        r"(?P<day>\d{1,2})(?P<mark>[ -])(?P<name>[A-Za-z]{3,9})(?P=mark)(?P<year>\d{4}|\d{2})",
    )
)
_COMPACT = re.compile(r"^(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$")
_WHOLE = re.compile(r"^[+-]?\d{1,15}(\.0+)?$")
_NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
_SIGN = r"(?:[€$£¥]|NT\$|US\$|EUR|USD|GBP|RON|TWD|lei)"
_DRESSED = re.compile(rf"^[-+(]?\s*(?P<sign>{_SIGN})?\s*-?(?P<body>\d[\d.,' \u00a0]*)\s*(?P<tail>{_SIGN}|%)?\)?$")
_MAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}$")
_PHONE = re.compile(r"^(\+|00)\d[\d ()./-]{6,18}\d$|^\(?\d{2,4}\)?[ ./-]\d{3,4}[ .-]\d{3,4}$")
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
    def undecided(self) -> bool:
        return bool(self.day_first or self.month_first or self.either)


@dataclass
class Facts:
    """A column's cells in numbers. ``values`` holds each different cell (blanks around it dropped) and how often it occurs."""

    name: str
    values: Counter[str]
    distinct: int
    blank: int
    nothing: Counter[str]
    whole: int = 0
    number: int = 0
    dates: Dates = field(default_factory=Dates)
    epoch: str | None = None
    decimal: str = "."
    thousands: str | None = None
    signs: Counter[str] = field(default_factory=Counter)
    mails: int = 0
    phones: int = 0
    float_like: int = 0
    scientific: int = 0
    long: int = 0

    @property
    def filled(self) -> int:
        return self.values.total() - self.nothing.total()

    def mostly(self, count: int) -> bool:
        return self.filled > 0 and count >= MOST * self.filled

    @property
    def dated(self) -> bool:
        return self.mostly(self.dates.fitting) or self.epoch is not None

    @property
    def numeric(self) -> bool:
        return self.mostly(self.number)

    @property
    def wordy(self) -> bool:
        """Free text, not a label: many different cells, and long ones."""
        return self.filled > 0 and self.distinct > 5 and self.long >= 0.2 * self.filled

    @property
    def personal(self) -> str | None:
        if self.mostly(self.mails):
            return "e-mail addresses"
        return "telephone numbers" if self.mostly(self.phones) and not self.dated else None

    @property
    def labels(self) -> list[str]:
        """The values of a column that are few, short and shared by several rows, so that they name no person."""
        kept = [text for text, rows in self.values.items() if text and len(text) <= 40 and rows > 1]
        return sorted(kept) if not self.personal and len(kept) <= 20 and self.distinct <= max(20, len(kept) + 3) else []


def plain(name: str) -> str:
    """A name or a word as it is compared: without accents, capitals and punctuation."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFKC", name))
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", split) if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[^\w]|_", " ", bare.lower()).split())


def facts(con: Backend, table: str, name: str, nothing: set[str]) -> Facts:
    """The facts of one column, from its different values and how often each occurs."""
    cells = f"SELECT trim({sql.name(name)}, '{BLANKS}') AS v FROM {sql.name(table)}"
    counted = con.raw_sql(f"SELECT v, count(*) AS n FROM ({cells}) GROUP BY v ORDER BY n DESC, v NULLS FIRST").fetchall()
    blank = sum(n for v, n in counted if not v)
    values = Counter({v: n for v, n in counted[:VALUES] if v})
    silent = Counter({v: n for v, n in values.items() if v in ("?", "-", "--", ".", "–", "—") or plain(v) in nothing})
    found = Facts(name, values, sum(1 for v, _ in counted if v), blank, silent)
    for text, rows in values.items():
        if text not in silent:
            _count(found, text, rows)
    _finish(found)
    return found


def _count(found: Facts, text: str, rows: int) -> None:
    if _NUMBER.match(text):
        found.number += rows
        found.whole += rows if _WHOLE.match(text) else 0
        found.float_like += rows if re.fullmatch(r"\d+\.0", text) else 0
        found.scientific += rows if re.search(r"\d[eE]\+?\d", text) else 0
        if _COMPACT.match(text):
            found.dates.forms["%Y%m%d"] += rows
        return
    found.mails += rows if _MAIL.match(text) else 0
    found.phones += rows if _PHONE.match(text) else 0
    found.long += rows if len(text) > 40 or (len(text) > 12 and any("\u4e00" <= letter <= "\u9fff" for letter in text)) else 0
    if len(text) <= 40 and text[:1].isalnum():
        _date(found.dates, text, rows)
    dressed = _DRESSED.match(text) if len(text) <= 30 else None
    if dressed:
        sign = dressed["sign"] or dressed["tail"]
        if sign:
            found.signs[sign] += rows
        _marks(found, dressed["body"].strip(), rows)


def _marks(found: Facts, body: str, rows: int) -> None:
    """Whether a number like 1.234,5 has a decimal comma, and what stands between its thousands."""
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})*,\d{1,2}|\d+,\d{1,2}|\d+,\d{4,}", body):
        found.signs["decimal comma"] += rows
        found.signs["thousands ."] += rows if "." in body else 0
    elif grouped := re.fullmatch(r"\d{1,3}(?:(?P<mark>[,' \u00a0])\d{3})+(\.\d+)?", body):
        found.signs[f"thousands {grouped['mark']}"] += rows
    elif not re.fullmatch(r"\d+(\.\d+)?", body):
        return
    found.signs["dressed"] += rows


def _finish(found: Facts) -> None:
    found.signs = +found.signs
    dressed = found.signs.pop("dressed", 0)
    comma = found.signs.pop("decimal comma", 0)
    marks = {mark: found.signs.pop(f"thousands {mark}", 0) for mark in (",", "'", " ", "\u00a0", ".")}
    if dressed and not found.dated and found.mostly(found.number + dressed):
        found.number += dressed
        found.decimal = "," if comma else "."
        often = max(marks, key=lambda mark: marks[mark])
        found.thousands = (" " if often == "\u00a0" else often) if marks[often] else None
    else:
        found.signs.clear()
    if found.dates.forms.get("%Y%m%d") and not found.mostly(found.dates.forms["%Y%m%d"]):
        del found.dates.forms["%Y%m%d"]
    if found.mostly(found.whole) and found.distinct > 1:
        numbers = [float(text) for text in found.values if _WHOLE.match(text)]
        for unit, size in _EPOCHS.items():
            if numbers and all(946_684_800 * size <= number < 2_524_608_000 * size for number in numbers):
                found.epoch = unit


def _date(dates: Dates, text: str, rows: int) -> None:
    for pattern in _DATES:
        if match := pattern.match(text):
            break
    else:
        return
    part = {key: value or "" for key, value in match.groupdict().items()}
    timed, zone = bool(part["hour"]), part["zone"]
    clock = ""
    if timed:
        clock = (", " if part["comma"] else "T" if "T" in text[8:12] else " ") + ("%I:%M" if part["half"] else "%H:%M")
        clock += (":%S" if part["second"] else "") + (".%f" if part["part"] else "")
        clock += (" %p" if part["half"].startswith(" ") else "%p") if part["half"] else ""
        dates.timed += rows
    if zone:
        dates.offsets[zone] += rows
    year = "%Y" if len(part.get("year", "")) != 2 else "%y"
    if part.get("iso"):
        # The door reads these without a word more, except where a blank stands before +0200.
        dates.forms[f"%Y-%m-%d{clock} %z" if zone[:1] in ("+", "-") and part["gap"] else f"iso %Y-%m-%d{clock}"] += rows
        return
    tail = clock + (part["gap"] + ("%z" if zone[:1] in ("+", "-") else zone) if zone else "")
    mark = part.get("mark", "")
    if part.get("year") in ("1899", "1900"):  # where a spreadsheet keeps a time of day without a date
        return
    if "a" in part:
        first, second = int(part["a"]), int(part["b"])
        if not (1 <= first <= 31 and 1 <= second <= 31) or (first > 12 and second > 12):
            return
        dates.day_first += rows if first > 12 else 0
        dates.month_first += rows if second > 12 else 0
        dates.either += rows if first <= 12 and second <= 12 else 0
        dates.forms[f"%?{mark}%?{mark}{year}{tail}"] += rows
    elif "month" in part:
        dates.forms[f"%Y{mark}%m{mark}%d{tail}"] += rows
    else:
        month = "%b" if len(part["name"]) == 3 else "%B"
        dates.forms[(f"%d{mark}{month}{mark}{year}" if mark else f"{month} %d, {year}") + tail] += rows
