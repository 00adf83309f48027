"""What is said of all cells from the bytes of a file holds of every cell that DuckDB reads from it."""

import csv
import io
import re

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlib import sources
from cxlib.sources import door
from cxlib.sources.look import BLANKS, MANGLED, NOTHING_SEEN, SIGNS, Look, Seen
from cxlib.tables import TableError

PIECES = st.text(alphabet=st.sampled_from(["a", "9", "+", "_", "é", "好", "-", ",", '"', *BLANKS]), max_size=4)


def seen(content: bytes, *, part: int = 1 << 20, delimiter: str = ",", quote: str = '"', header: bool = True) -> Seen:
    look = Look(delimiter, quote, header=header)
    for start in range(0, len(content), part):
        look.see(content[start : start + part])
    return look.seen()


@given(
    rows=st.lists(st.tuples(PIECES, PIECES), min_size=1, max_size=4),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    delimiter=st.sampled_from([",", ";", "\t"]),
    part=st.sampled_from([1, 3, 7, 1 << 20]),
)
def test_what_is_said_of_all_cells_holds_of_each(tmp_path_factory, rows, end, quoting, delimiter, part):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows([("h_+ ", "é"), *rows])
    content = out.getvalue().encode()
    said = seen(content, part=part, delimiter=delimiter)
    assert said.ascii == content.isascii()
    cells = [cell for row in rows for cell in row]
    for sign in said.without:
        assert not any(sign in cell for cell in cells)
    if said.spaced:
        assert not [cell for cell in cells if re.search(r"\s\s|[\t\n\v\f\r]", cell, re.ASCII)]
    if said.bare:
        assert not [cell for cell in cells if cell != cell.strip(BLANKS)]
        file = tmp_path_factory.getbasetemp() / "look.csv"
        file.write_bytes(content)
        columns = "auto_detect = false, header = false, skip = 1, columns = {a: 'VARCHAR', b: 'VARCHAR'}, escape = '\"', quote = '\"'"
        read = duckdb.execute(f"FROM read_csv('{file}', {columns}, delim = '{delimiter}')").fetchall()
        assert not [cell for row in read for cell in row if cell is not None and cell != (cell.strip(BLANKS) or None)]


@pytest.mark.parametrize(
    ("content", "bare"),
    [
        (b"a,b\n1,2\n", True),
        (b"\xef\xbb\xbfa,b\n1,2\n", True),
        (b"a,b\r\n1,2\r\n", True),
        (b'"a","b"\n"1","2"\n"","x y"\n', True),
        ("a,b\né,1é\nñ o,好\n".encode(), True),
        (b"a,b\n1 ,2\n", False),
        (b'a,b\n"late, or" ,2\n', False),
        (b'a,b\n"late, or ",2\n', False),
        (b'a,b\n"", 1\n"late, or",2\n', False),
        (b'a,b\n5",1\n"x", 2\n', False),
        (b'a,b\n5"",1\n"x, y",2\n', False),
        (b"a,b\n1, 2\n", False),
        (b"a,b\n1,2 ", False),
        (b"a,b\n1,2\t\r\n", False),
        (b'a,b\n"1","\n2"\n', False),
        (b'a,b\n"1\n","2"\n', False),
        (b'a,b\n"1","2\n"', False),
        (b"a,b\n1,2\r\n3,4\n", False),
        (b"a,b\n1,2\n3,4\r\n", False),
        (b"a,b\r1,2\r", False),
        ("a,b\n\u00a01,2\n".encode(), False),
        ("a,b\n1\u3000,2\n".encode(), False),
        ("a,b\n1,2\u200b".encode(), False),
    ],
)
@pytest.mark.parametrize("part", [1, 2, 5, 1 << 20])
def test_a_file_is_bare_where_no_cell_has_a_blank_at_an_edge(content, bare, part):
    assert seen(content, part=part).bare is bare


def test_a_tab_in_quotes_is_a_blank_where_tabs_stand_between_cells():
    assert seen(b"a\tb\n1\t2\n", delimiter="\t").bare
    assert not seen(b'a\tb\n"\t1"\t2\n', delimiter="\t").bare


def test_a_separator_of_several_bytes_leaves_it_open():
    assert not seen("a\u00a6b\n1\u00a62\n".encode(), delimiter="\u00a6").bare
    assert not seen(b"a||b\n1||2\n", delimiter="||").bare


def test_signs_of_a_header_do_not_matter_and_those_of_a_first_row_do():
    assert seen(b"time_asked,a+b\n1,2\n").without == {*SIGNS}
    assert seen(b"time_asked,a+b\n1,2\n", header=False).without == {*MANGLED}
    assert seen(b"time_asked\n1_000\n", part=3).without == {*SIGNS} - {"_"}


@pytest.mark.parametrize("part", [1, 2, 3, 1 << 20])
def test_a_sign_of_several_bytes_is_seen_across_parts(part):
    assert seen("a\nperchÃ¨\n".encode(), part=part).without == {*SIGNS} - {"Ã"}
    assert seen("Ã\nsoâ€¦\n".encode(), part=part).without == {*SIGNS} - {"â€"}


def test_what_is_known_of_two_files_is_what_is_known_of_both():
    one = Seen(bare=True, spaced=True, ascii=True, without=frozenset("+_"))
    assert one & Seen(bare=True, without=frozenset("_")) == Seen(bare=True, without=frozenset("_"))


@pytest.mark.parametrize("other", [b"a  b", b"a\tb", b"a\x0bb", b'"a b"'])
@pytest.mark.parametrize("part", [1, 3, 1 << 20])
def test_words_parted_by_more_than_a_space_show(other, part):
    assert seen(b"a,b\na b,1\n", part=part).spaced
    assert not seen(b"a,b\n" + other + b",1\n", part=part).spaced


WORKBOOK = """[workbook]
time_zone = "Europe/Rome"
bad_rows_allowed = 1.0
[tables.responses]
files = "answers.csv"
[questions.nps]
kind = "nps"
scale = [0, 10]
direction = "high is good"
[questions.easy]
kind = "ces"
scale = [0, 10]
direction = "low is good"
"""
TIMES = [
    "2026-06-30 08:00:00",
    "2026-06-30T08:00:00",
    "2026-06-30",
    "2026-06-30 08:00",
    "2026-06-30 08:00:00.5",
    "2026-06-30 08:00:00Z",
    "2026-06-30 24:00:00",
    "2026-03-29 02:30:00",
    "2025-10-26 02:30:00",
    "2026-6-30 8:00:00",
    "2026-6-30",
    "2026/06/30 08:00:00",
    "12026-6-30 08:00:00",
    "0026-06-30 08:00:00",
    "26-06-30",
    "30.06.2026",
    "2026-02-30",
    "infinity",
    "epoch",
]
LAX = ["2026-6-30  08:00:00", "2026-06-30\t08:00:00", "2026-06-30  8:00:00", '"2026-06-30\n08:00:00"']
PLAIN = [("c1", "9", "1.5"), ("", "10.0", "0"), ("7.0", "", "1e3")]
ODD = [*PLAIN, ("7", "9", "1_000"), ("1.2E+11", "3", "2 €"), ("n/a", "2", "nan"), ("ñ+", "4", "x")]
REFUSED = [*ODD, ("c2", "1_0", "1"), ("c2", "11", "1")]


@pytest.mark.parametrize("lax", [[], LAX], ids=["one space", "other blanks"])
@pytest.mark.parametrize("others", [PLAIN, ODD, REFUSED], ids=["plain", "odd", "refused"])
def test_the_door_says_the_same_whether_or_not_the_bytes_were_looked_at(tmp_path, monkeypatch, lax, others):
    rows = [
        f"{who},{question},{score},{weight},{time},{channel}"
        for time in (*TIMES, *lax)
        for who, score, weight in others
        for question, channel in (("nps", "app"), ("easy", "None"))
    ]
    (tmp_path / "answers.csv").write_text("\n".join(["respondent,question,score,weight,time_answered,channel", *rows, *rows[:20]]) + "\n")
    (tmp_path / "sources.toml").write_text(WORKBOOK)
    said = []
    for looked_at in (True, False):
        to = tmp_path / str(looked_at)
        to.mkdir()
        if not looked_at:
            monkeypatch.setattr(Look, "seen", lambda _: NOTHING_SEEN)
        try:
            sources.admit(tmp_path / "sources.toml", to=to)
        except TableError as error:
            said.append([str(error)])
            continue
        # Which bit stands for which note depends on the notes that are looked for.
        tables = [duckdb.execute(f"FROM '{file}'").df().drop(columns="(notes)", errors="ignore") for file in sorted(to.glob("*.parquet"))]
        said.append([(to / "account.json").read_text(), *(table.to_csv() for table in tables)])
    assert said[0] == said[1]
    assert (len(said[0]) == 1) is (others is REFUSED)


def test_repeated_answers_are_found_in_parts_as_well(tmp_path, monkeypatch):
    rows = "\n".join(f"c{person % 40},w1,nps,{person % 10}" for person in range(100))
    (tmp_path / "answers.csv").write_text(f"respondent,wave,question,score\n{rows}\n")
    (tmp_path / "sources.toml").write_text(WORKBOOK)
    found = []
    for many in (1_000, 7):
        monkeypatch.setattr(door, "_AT_ONCE", many)
        to = tmp_path / str(many)
        to.mkdir()
        sources.admit(tmp_path / "sources.toml", to=to)
        found.append(duckdb.execute(f"FROM '{to / 'several.parquet'}'").df())
    assert len(found[0]) == 100
    assert found[0].equals(found[1])
