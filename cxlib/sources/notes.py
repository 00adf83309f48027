"""What is strange and was kept: counted at the door, so that nothing strange comes in unseen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.sources import cells, sql
from cxlib.sources.cells import TEXT, Cell
from cxlib.sources.declared import Source
from cxlib.sources.look import MANGLED
from cxlib.sources.marks import EXPORT, GOOD, MASK
from cxlib.sources.said import times
from cxlib.tables import TableError, TableSpec
from cxlib.tables.engine import one_row

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

#: Words that in most files mean that there is no answer, and that nobody declared.
SILENT = r"(?i:[?.-]{1,3}|#?n/?a|n\.a\.|[ns]/d|n\.d\.|null|none|nan|nil|blank|did not answer|不適用|無)"
_SILENT_WORDS = ("?", "-", "--", "NULL", "null", "None", "none", "NaN", "nan", "N/A", "n/a", "#N/A", "NA", "n.a.", "不適用", "無")
_LONGER = ("blank", "did not answer", "不適用")
#: With what the short ones of them begin.
SILENT_BEGINS = "?.-#ns"
#: Columns of names that the workbook itself declares, or that have a form of their own.
_PLAIN = ("question", "choice", "wave", "currency", "language", "attribute")
_MOST = 62


@dataclass(frozen=True)
class Note:
    """Something to count in a column: the words for it, and the SQL of its condition."""

    column: str
    words: str
    condition: str
    #: Whether the other rows are counted, and only where the condition holds for some.
    others: bool = False
    sign: str = ""
    #: What must hold before the condition is asked.
    where: str = "true"


def noted(spec: TableSpec, taken: list[Cell], *, source: Source, zone: str) -> list[Note]:
    """Everything that is looked for in an export, in order of column."""
    notes = []
    for cell in taken:
        if cell.absent or cell.name not in spec.names:
            continue
        text, kind = sql.name(TEXT + cell.name), cell.column.kind
        if cell.column.identifier:
            notes += _of_identifier(cell.name, text)
        elif kind == "text" and cell.name not in (*source.values, *_PLAIN) and not cell.column.one_of:
            notes.append(_silent(cell.name, text))
            some = [f"contains({text}, {sql.text(sign)})" for sign in MANGLED if sign not in cell.seen.without]
            if some and not cell.seen.ascii:
                # More bytes than letters: not plain ASCII.
                mangled = f"strlen({text}) <> length({text}) AND ({' OR '.join(some)})"
                notes.append(Note(cell.name, "has signs such as Ã¨ of text that was read in a wrong encoding", mangled))
        elif kind == "number" and not cell.native:
            for sign, code in cells.CURRENCIES:
                words = f"has the sign {sign} beside the number, which is dropped"
                notes.append(Note(cell.name, words, cells.carries_money(cell, sign, code), sign=sign, where=cells.unusual(cell)))
            words = "has a sign of money beside the number, which is dropped"
            notes.append(Note(cell.name, words, cells.carries_money(cell), where=cells.unusual(cell)))
        elif kind == "time":
            notes += _of_time(cell, source, zone)
    return notes[:_MOST]


def mask(found: list[Note]) -> str:
    """A number with a bit for each note; what several must have first is asked once."""
    parts = []
    for where, some in groupby(enumerate(found), key=lambda each: each[1].where):
        bits = " + ".join(f"CASE WHEN {note.condition} THEN {1 << bit} ELSE 0 END" for bit, note in some)
        parts.append(f"CASE WHEN {where} THEN {bits} ELSE 0 END")
    return f"CAST({' + '.join(parts) or '0'} AS BIGINT)"


def _count(note: Note) -> str:
    return f"count({sql.name(note.column)})" if note.others else "count(*)"


def _begins(text: str, letters: Iterable[str]) -> str:
    """Whether a text may begin with one of some letters, small or capital; any beyond ASCII may be."""
    both = sorted({ord(case) for letter in letters if letter.isascii() for case in (letter.lower(), letter.upper())})
    # Numbers are compared in half the time of texts.
    return sql.cases(f"unicode({text})", ((str(one), "true") for one in both), otherwise=f"unicode({text}) > 126")


def _silent(name: str, text: str) -> Note:
    # A pattern costs more than all else that is asked of a word, so that length and first letter are asked before.
    short, longer = f"regexp_full_match({text}, {sql.text(SILENT)})", sql.among(f"lower({text})", _LONGER)
    short = f"CASE WHEN {_begins(text, SILENT_BEGINS)} THEN {short} END"
    longer = f"CASE WHEN {_begins(text, {word[0] for word in _LONGER})} THEN {longer} END"
    silent = f"CASE WHEN strlen({text}) < 5 THEN {short} WHEN strlen({text}) < 16 THEN {longer} END"
    return Note(name, "looks like no answer, and is not declared under no_answer", silent)


def _of_identifier(name: str, text: str) -> list[Note]:
    whole = f"ends_with({text}, '.0') AND regexp_full_match({text}, '[0-9]+\\.0')"
    words = "ends in .0, as where a program took it for a number; elsewhere it may be written without"
    # Rows have an identifier each, so that only these words are asked for, no pattern, and of most no more than the length.
    short, longer = ([word for word in _SILENT_WORDS if (len(word.encode()) < 5) is few] for few in (True, False))
    silent = f"CASE WHEN strlen({text}) < 5 THEN {sql.among(text, short)} ELSE {sql.among(text, longer)} END"
    return [Note(name, _silent(name, text).words, silent), Note(name, words, whole)]


def _of_time(cell: Cell, source: Source, zone: str) -> list[Note]:
    notes, own = [], source.time_zone or zone
    if (zoned := cells.names_zone(cell, source)) is not None:
        notes.append(Note(cell.name, f"names no time zone where others do; it is read as {own}", zoned, others=True))
    if (twice := cells.twice_on_the_clock(cell, source, zone)) is not None:
        notes.append(Note(cell.name, f"is in the hour that the clocks of {own} show twice, and does not say which", twice))
    return notes


def _one_currency(source: Source, found: list[Note], counts: dict[tuple[str, str], int], read: list[str]) -> None:
    """Refuse an amount in two currencies where no column says which: a sum of them means nothing."""
    signs: dict[str, list[str]] = {}
    for note in found:
        if note.sign and (rows := counts.get((note.column, note.words))):
            signs.setdefault(note.column, []).append(f"{note.sign} {times(rows)}")
    for column, each in signs.items():
        if len(each) > 1 and "currency" not in read:
            raise TableError(
                f"{source.label}: {column} is in several currencies ({', '.join(each)}), and no column says which. "
                f"A sum of them means nothing. Read one as currency, or export each currency apart."
            )


def seen(con: Backend, spec: TableSpec, *, source: Source, notes: list[list[Note]], read: list[str]) -> pd.DataFrame:
    """What was seen in the rows that came in: column, note, rows; ``notes`` has the list of each export."""
    counts: dict[tuple[str, str], int] = {}
    for number, found in enumerate(notes):
        rows = f"FROM stage WHERE {sql.name(EXPORT)} = {number} AND {GOOD}"
        any_bits = one_row(con, f"SELECT bit_or({sql.name(MASK)}) {rows}")[0] or 0
        some = [(bit, note) for bit, note in enumerate(found) if any_bits >> bit & 1]
        if some:
            asked = ", ".join(
                f"{_count(note)} FILTER ({sql.name(MASK)} & {1 << bit} {'=' if note.others else '>'} 0)" for bit, note in some
            )
            for (_, note), many in zip(some, one_row(con, f"SELECT {asked} {rows}"), strict=True):
                counts[note.column, note.words] = counts.get((note.column, note.words), 0) + many
            _one_currency(source, found, counts, read)
    words = "alike in every column that is read; without an identifier nobody can tell whether a row is doubled"
    counts["", words] = _doubled(con, spec, source, read)
    some_rows = [(column, words, many) for (column, words), many in counts.items() if many]
    return pd.DataFrame(some_rows, columns=["column", "note", "rows"]).astype({"rows": "int64"})


def _doubled(con: Backend, spec: TableSpec, source: Source, read: list[str]) -> int:
    """Rows that repeat an earlier one exactly, in a table whose rows have no identifier."""
    if spec.name == "responses" or source.exact_doubles == "set aside" or (spec.key and spec.key[0] in read) or not read:
        return 0
    names = ", ".join(map(sql.name, read))
    rows, different = one_row(con, f"SELECT count(*), count(DISTINCT hash({names})) FROM stage WHERE {GOOD}")
    return int(rows - different)
