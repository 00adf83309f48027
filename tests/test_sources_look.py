"""What is said of all cells from the bytes of a file holds of every cell that DuckDB reads from it."""

import csv
import io
import re

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlib.sources.look import BLANKS, Look, Seen

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
    assert seen(b"time_asked,a+b\n1,2\n").without == {"+", "_"}
    assert seen(b"time_asked,a+b\n1,2\n", header=False).without == set()
    assert seen(b"time_asked\n1_000\n", part=3).without == {"+"}


def test_what_is_known_of_two_files_is_what_is_known_of_both():
    one = Seen(bare=True, spaced=True, ascii=True, without=frozenset("+_"))
    assert one & Seen(bare=True, without=frozenset("_")) == Seen(bare=True, without=frozenset("_"))


@pytest.mark.parametrize("other", [b"a  b", b"a\tb", b"a\x0bb", b'"a b"'])
@pytest.mark.parametrize("part", [1, 3, 1 << 20])
def test_words_parted_by_more_than_a_space_show(other, part):
    assert seen(b"a,b\na b,1\n", part=part).spaced
    assert not seen(b"a,b\n" + other + b",1\n", part=part).spaced
