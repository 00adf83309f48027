"""What is strange and was kept: counted at the door, so that nothing strange comes in unseen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.sources import cells, sql
from cxlib.sources.cells import TEXT, Cell
from cxlib.sources.declared import Source
from cxlib.tables import TableSpec

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

#: The column that says, a bit a note, what was seen in a row.
MASK = "(notes)"
#: Words that in most files mean that there is no answer, and that nobody declared.
SILENT = r"(?i:[?.-]{1,3}|#?n/?a|n\.a\.|[ns]/d|n\.d\.|null|none|nan|nil|blank|did not answer|不適用|無)"
#: What is left of an accent where a program took UTF-8 for something else.
_MANGLED = ("Ã", "â€", "Â", "\ufffd")
#: Columns of names that the workbook itself declares, or that have a form of their own.
_PLAIN = ("question", "choice", "wave", "currency", "language", "attribute")
_MOST = 62


@dataclass(frozen=True)
class Note:
    """Something to count in a column: the words for it, and the SQL of its condition."""

    column: str
    words: str
    condition: str


def noted(spec: TableSpec, taken: list[Cell], source: Source, zone: str) -> list[Note]:
    """Everything that is looked for in an export, in order of column."""
    notes = []
    for cell in taken:
        if cell.absent or cell.name not in spec.names:
            continue
        text, kind = sql.name(TEXT + cell.name), cell.column.kind
        if (
            kind == "text"
            and cell.name not in source.values
            and cell.name not in _PLAIN
            and not (cell.column.identifier or cell.column.one_of)
        ):
            short = f"length({text}) < 15 AND regexp_full_match({text}, {sql.text(SILENT)})"
            notes.append(Note(cell.name, "looks like no answer, and is not declared under no_answer", short))
            signs = " OR ".join(f"contains({text}, {sql.text(sign)})" for sign in _MANGLED)
            mangled = f"strlen({text}) <> length({text}) AND ({signs})"  # more bytes than letters: not plain ASCII
            notes.append(Note(cell.name, "has signs such as Ã¨ of text that was read in a wrong encoding", mangled))
        elif kind == "number" and not cell.native:
            notes.append(Note(cell.name, "has a sign of money beside the number, which is dropped", cells.carries_money(cell)))
        elif (twice := cells.twice_on_the_clock(cell, source, zone)) is not None:
            notes.append(
                Note(cell.name, f"is in the hour that the clocks of {source.time_zone or zone} show twice, and does not say which", twice)
            )
    return notes[:_MOST]


def seen(con: Backend, spec: TableSpec, source: Source, notes: list[list[Note]], read: list[str]) -> pd.DataFrame:
    """What was seen in the rows that came in: column, note, rows; ``notes`` has the list of each export."""
    counts: dict[tuple[str, str], int] = {}
    for number, found in enumerate(notes):
        rows = f'FROM stage WHERE "(export)" = {number} AND "(problem)" IS NULL AND "(meant)"'
        any_bits = con.raw_sql(f"SELECT bit_or({sql.name(MASK)}) {rows}").fetchone()[0] or 0
        some = [(bit, note) for bit, note in enumerate(found) if any_bits >> bit & 1]
        if some:
            asked = ", ".join(f"count(*) FILTER ({sql.name(MASK)} & {1 << bit} > 0)" for bit, _ in some)
            for (_, note), many in zip(some, con.raw_sql(f"SELECT {asked} {rows}").fetchone(), strict=True):
                counts[note.column, note.words] = counts.get((note.column, note.words), 0) + many
    words = "alike in every column that is read; without an identifier nobody can tell whether a row is doubled"
    counts["", words] = _doubled(con, spec, source, read)
    some_rows = [(column, words, many) for (column, words), many in counts.items() if many]
    return pd.DataFrame(some_rows, columns=["column", "note", "rows"]).astype({"rows": "int64"})


def _doubled(con: Backend, spec: TableSpec, source: Source, read: list[str]) -> int:
    """Rows that repeat an earlier one exactly, in a table whose rows have no identifier."""
    if spec.name == "responses" or source.exact_doubles == "set aside" or (spec.key and spec.key[0] in read) or not read:
        return 0
    names = ", ".join(map(sql.name, read))
    rows, different = con.raw_sql(
        f'SELECT count(*), count(DISTINCT hash({names})) FROM stage WHERE "(problem)" IS NULL AND "(meant)"'
    ).fetchone()
    return int(rows - different)
