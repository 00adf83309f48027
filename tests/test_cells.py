"""A cell on its way in: the short way of plain cells gives what the rule says of all."""

import datetime as dt
import re

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.sources import cells, sql
from cxlib.sources.cells import Cell
from cxlib.sources.look import BLANKS
from cxlib.sources.source import source
from cxlib.tables import TABLES

SOURCE = source("orders", {"files": "orders.csv"}, "sources.toml")
TIME = Cell(TABLES["orders"]["time_ordered"], '"given"')
#: What stands around a cell, and what a cell is: plain, nearly plain, and with letters that end in the bytes of blanks.
AROUND = st.text(alphabet=st.sampled_from(BLANKS), max_size=2)
WORD = st.text(alphabet=st.sampled_from("a!~ é中\u0301\u200d\u00a0\t"), max_size=4)
DAYS = ["2026-03-01", "2024-02-29", "2026-02-29", "2026-3-1", "0999-12-31", "12026-03-01", "2026/03/01", "20260301", "1-2-3", ""]
HOURS = ["10:00:00", "10:00", "24:00:00", "10:00:60", "23:59:59.5", "10:00:00.123456", "9:00:00", "10:00:0", "10:00+02", ""]
MOMENT = st.builds("".join, st.tuples(st.sampled_from(DAYS), st.sampled_from([" ", "T", "  ", ""]), st.sampled_from(HOURS)))
PADDED = st.one_of(MOMENT, st.builds("".join, st.tuples(AROUND, MOMENT, AROUND)))


def answered(texts: list[str | None], *selects: tuple[str, str]) -> list[object]:
    """What a statement of steps makes of texts, in their order."""
    con = duckdb.connect()
    con.execute("CREATE TABLE given (place INTEGER, given VARCHAR)")
    con.executemany("INSERT INTO given VALUES (?, ?)", list(enumerate(texts)))
    rows = con.execute(f"SELECT place, made FROM ({sql.steps('given', *selects)}) ORDER BY place").fetchall()
    return [made for _, made in rows]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.builds("".join, st.tuples(AROUND, WORD, AROUND)), min_size=1, max_size=30))
def test_a_text_loses_the_blanks_around_it_and_nothing_else(texts):
    made = answered([*texts, None], ("made", f"place, {cells.clean('given')} AS made"))
    assert made == [text.strip(BLANKS) or None for text in texts] + [None]


def local(text: str) -> dt.datetime | None:
    """A day, or a day and a time, in the figures of ISO 8601; ``24:00:00`` and a second more than 59 are DuckDB's to judge."""
    if not re.fullmatch(cells._LOCAL, text.strip(BLANKS)):
        return None
    value = duckdb.execute("SELECT try_cast(? AS TIMESTAMP)", [text.strip(BLANKS)]).fetchall()
    return value[0][0]


@settings(max_examples=25, deadline=None)
@given(st.lists(PADDED, min_size=1, max_size=30))
def test_a_time_in_full_is_read_as_every_other_time_is(texts):
    steps = [
        ("cells", '*, given AS "(text) time_ordered"'),
        ("cast", f'*, {cells.cast(TIME, SOURCE)} AS "(cast) time_ordered"'),
        ("quick", f"place, {cells.quick(TIME, SOURCE)} AS made"),
    ]
    assert answered(texts, *steps) == [local(text) for text in texts]
