"""Files as people have them: every format gives the same rows, and every kind of dirt is a letter or a count."""

import datetime as dt
import gzip
import io
import json
import os
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from cxlib import sources
from cxlib.sources import reading, records
from cxlib.sources.workbooks import cell_text
from cxlib.tables import TableError
from cxlib.tables.engine import connect

#: Workbooks that nothing here can write: one of before 2007, and one that is encrypted.
KEPT = Path(__file__).parent / "formats"
ROWS = [("1", "good"), ("2", "bad")]
CSV = "feedback,comment\n1,good\n2,bad\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def read(folder, tmp_path):
    """What `raw` makes of files: the columns, the rows, and what was unreadable."""

    def ask(settings: str = "", **files: bytes | str) -> tuple[list[str], list[tuple], pd.DataFrame]:
        for name, content in files.items():
            (folder / name.replace("__", ".")).write_bytes(content if isinstance(content, bytes) else content.encode())
        named = settings if "files" in settings else f'files = "{next(iter(files)).replace("__", ".")}"\n{settings}'
        (folder / "sources.toml").write_text(f"[tables.feedback]\n{named}\n", encoding="utf-8")
        workbook = sources.declared(folder / "sources.toml")
        (source,) = workbook.sources["feedback"]
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        con = connect()
        found = reading.raw(workbook, source, con=con, scratch=scratch)
        con.raw_sql(f"CREATE TABLE asked AS FROM {found.scan}")
        rows = con.raw_sql("FROM asked").fetchall()
        bad = found.unreadable()
        assert bad.columns.tolist()[-1] == "problem" or {"line", "problem", "text"} <= set(bad.columns)
        con.disconnect()
        return list(found.types), rows, bad

    return ask


@pytest.fixture
def refused(read):
    def ask(settings: str = "", **files: bytes | str) -> str:
        with pytest.raises(TableError) as error:
            read(settings, **files)
        return str(error.value)

    return ask


def sheet(*rows: list, name: str = "Answers", more: dict[str, list] | None = None) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = name
    for title, lines in {name: list(rows), **(more or {})}.items():
        page = book[title] if title in book.sheetnames else book.create_sheet(title)
        for line in lines:
            page.append(line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def zipped(level: int = zipfile.ZIP_DEFLATED, **files: bytes | str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", level) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return out.getvalue()


def ods(*rows: str) -> bytes:
    space = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="{space}:office:1.0" '
        f'xmlns:table="{space}:table:1.0" xmlns:text="{space}:text:1.0" office:version="1.2"><office:body><office:spreadsheet>'
        f'<table:table table:name="Answers">{"".join(rows)}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        '<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>'
        "</manifest:manifest>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", manifest)
    return out.getvalue()


def ods_row(*cells: str, repeated: str = "") -> str:
    made = "".join(f'<table:table-cell office:value-type="string"{repeated}><text:p>{cell}</text:p></table:table-cell>' for cell in cells)
    return f"<table:table-row>{made}</table:table-row>"


def log(*traces: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><log xes.version="1.0" xmlns="http://www.xes-standard.org/">'
        '<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>'
        '<global scope="event"><string key="concept:name" value="default"/></global>'
        '<classifier name="Activity" keys="concept:name"/><string key="creator" value="a tool"/>' + "".join(traces) + "</log>"
    )


def trace(name: str, *events: str) -> str:
    return f'<trace><string key="concept:name" value="{name}"/><int key="AMOUNT_REQ" value="20000"/>{"".join(events)}</trace>'


def event(activity: str, more: str = "") -> str:
    return (
        f'<event><string key="concept:name" value="{activity}"/><string key="lifecycle:transition" value="COMPLETE"/>'
        f'<date key="time:timestamp" value="2011-10-01T00:38:44.546+02:00"/>{more}</event>'
    )


# Every format gives the same rows


@pytest.mark.parametrize(
    ("name", "content", "settings"),
    [
        ("answers.csv", CSV, ""),
        ("answers.csv.gz", gzip.compress(CSV.encode()), ""),
        ("answers.tsv", CSV.replace(",", "\t"), 'separator = "\\t"'),
        ("answers.txt", "feedback   comment\n  1  good \n2\t\tbad\n", 'separator = "blanks"'),
        ("answers.xlsx", sheet(["feedback", "comment"], [1, "good"], [2.0, " bad "]), ""),
        ("answers.ods", ods(ods_row("feedback", "comment"), ods_row("1", "good"), ods_row("2", "bad")), ""),
        ("answers.jsonl", '{"feedback": 1, "comment": "good"}\n\n{"feedback": 2, "comment": "bad"}', ""),
        (
            "answers.ndjson.gz",
            gzip.compress(b'\xef\xbb\xbf{"feedback": 1, "comment": "good"}\r\n{"comment": "bad", "feedback": 2}\r\n'),
            "",
        ),
        ("answers.json", '[\n {"feedback": 1, "comment": "good"},\n {"feedback": "2",\n "comment": "bad"}\n]\n', ""),
        ("answers.zip", zipped(answers__csv=CSV, __MACOSX="x"), ""),
        ("inside.zip", zipped(answers__xlsx=sheet(["feedback", "comment"], [1, "good"], [2, "bad"])), ""),
        ("cp1252.csv", CSV.encode("cp1252"), 'encoding = "cp1252"'),
        ("utf16.csv", CSV.encode("utf-16"), 'encoding = "utf-16"'),
        ("mark.csv", b"\xef\xbb\xbf" + CSV.encode(), ""),
        ("dos.csv", CSV.replace("\n", "\r\n"), ""),
        ("mac.csv", CSV.replace("\n", "\r"), ""),
        ("without-end.csv", CSV.rstrip("\n"), ""),
        ("answers [1]*.csv", CSV, ""),
        ("UPPER.CSV", CSV, ""),
    ],
)
def test_every_format_gives_the_same_rows(read, folder, name, content, settings):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    columns, rows, bad = read(f'files = "{name}"\n{settings}')
    assert (columns, rows, len(bad)) == (["feedback", "comment"], ROWS, 0)


def test_excel_of_before_2007_is_read(read):
    columns, rows, _ = read(old__xls=(KEPT / "old.xls").read_bytes())
    assert columns == ["feedback", "comment", "when"]
    assert rows == [("1", "good", "2026-03-01"), ("2", "bad", None)]


def test_several_files_stand_under_each_other_in_order_of_name(read):
    one, two = sheet(["feedback"], ["1"]), sheet(["feedback"], ["2"])
    assert read('files = "part-*.xlsx"', **{"part-2__xlsx": two, "part-1__xlsx": one})[1] == [("1",), ("2",)]
    lines = {"a-2__jsonl": '{"comment": "b", "feedback": 2}', "a-1__jsonl": '{"feedback": 1}'}
    assert read('files = "a-*.jsonl"', **lines)[:2] == (["feedback", "comment"], [("1", None), ("2", "b")])


# Excel


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (12345.0, "12345"),
        (-3.0, "-3"),
        (0.1, "0.1"),
        (9007199254740991.0, "9007199254740991"),
        (9007199254740992.0, "9.007199e+15"),
        (12345678901234567000.0, "1.234568e+19"),
        (True, "true"),
        (dt.datetime.fromisoformat("2026-01-02 03:04:05"), "2026-01-02 03:04:05"),
        (dt.datetime.fromisoformat("2026-01-02 03:04:05.678"), "2026-01-02 03:04:05.678000"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (dt.time(4, 5), "04:05:00"),
        ("  text ", "text"),
        ("", ""),
    ],
)
def test_a_cell_of_excel_is_the_text_a_csv_would_have(cell, text):
    assert cell_text(cell) == text


def test_numbers_dates_and_errors_of_a_sheet_become_text(read):
    content = sheet(
        ["id", "when", "day", "share", "yes"],
        [12345, dt.datetime.fromisoformat("2026-03-01 10:30"), dt.date(2026, 3, 1), 0.25, True],
        [12345678901234567, None, None, None, False],
    )
    columns, rows, _ = read(answers__xlsx=content)
    assert columns == ["id", "when", "day", "share", "yes"]
    assert rows == [
        ("12345", "2026-03-01 10:30:00", "2026-03-01", "0.25", "true"),
        ("1.234568e+16", None, None, None, "false"),
    ]


def test_a_sheet_is_declared_where_there_are_several_with_cells(read, refused):
    content = sheet(["feedback"], ["1"], more={"Codes": [["code"], ["9"]], "Empty": []})
    assert refused(answers__xlsx=content) == (
        "feedback: answers.xlsx has 2 sheets with cells: 'Answers', 'Codes'. Say which one: sheet = \"Answers\" under [tables.feedback]."
    )
    assert read('sheet = "Codes"', answers__xlsx=content)[:2] == (["code"], [("9",)])
    assert refused('sheet = "Answer"', answers__xlsx=content) == (
        "feedback: answers.xlsx has no sheet 'Answer'. It has 'Answers', 'Codes', 'Empty'. Did you mean 'Answers'? "
        "Correct sheet under [tables.feedback]."
    )


def test_blank_lines_and_merged_cells_of_a_sheet_are_no_rows_and_cells_beside_it_are_counted(read):
    book = openpyxl.Workbook()
    page = book.active
    page["B3"], page["C3"] = "feedback", "comment"
    page["B4"], page["C4"] = 1, "good"
    page["B6"], page["C6"], page["D6"] = 2, "bad", "a note beside the table"
    page.merge_cells("B8:C9")
    out = io.BytesIO()
    book.save(out)
    columns, rows, bad = read("header = 3", answers__xlsx=out.getvalue())
    assert (columns, rows) == (["feedback", "comment"], [("1", "good")])
    assert bad[["line", "problem", "text"]].values.tolist() == [[6, "the line has too many cells", "2;bad;a note beside the table"]]


# Headers


def test_two_lines_of_a_header_make_one_name_and_lines_below_are_skipped(read):
    lines = [["", "Satisfaction", "", "Why"], ["id", "Food", "Room", ""], ["text", "1-5", "1-5", "open"], ["a", 4, 5, "x"]]
    settings = "header = [1, 2]\nskip_after_header = 1"
    expected = (["id", "Satisfaction | Food", "Satisfaction | Room", "Why"], [("a", "4", "5", "x")])
    text = "\n".join(",".join(map(str, line)) for line in lines) + "\n"
    assert read(settings, answers__csv=text)[:2] == expected
    assert read(settings, answers__xlsx=sheet(*lines))[:2] == expected


def test_the_two_extra_lines_of_qualtrics_are_skipped_as_records(read):
    labels = 'Start,"How likely,\nfrom 0 to 10,\n\nare you?",Why?'
    imports = '"{""ImportId"":""startDate"",""timeZone"":""America/Denver""}","{""ImportId"":""QID1""}","{""ImportId"":""QID2_TEXT""}"'
    text = f'StartDate,Q1,Q2\n{labels}\n{imports}\n2026-01-02 10:00:00,9,"two\nlines"\n2026-01-03 10:00:00,3,\n'
    for content in (text, text.replace("\n", "\r\n"), "\ufeff" + text):
        columns, rows, bad = read("skip_after_header = 2", answers__csv=content)
        assert columns == ["StartDate", "Q1", "Q2"]
        assert [row[1] for row in rows] == ["9", "3"]
        assert len(bad) == 0


def test_lines_above_the_header_may_have_any_shape(read):
    text = 'Export of "ACME", made 2026-01-01\n\n"a\nnote",,,,\nfeedback,comment\n1,good\n2,bad\n'
    assert read("header = 4", answers__csv=text)[:2] == (["feedback", "comment"], ROWS)


def test_doubled_names_are_all_numbered_and_nameless_columns_have_their_place(read):
    text = " Q1 ,Q1,,q1,row,Q1 (2)\n1,2,3,4,5,6\n"
    assert read(answers__csv=text)[0] == ["Q1 (1)", "Q1 (2) (1)", "(column 3)", "q1 (3)", "row (in the file)", "Q1 (2) (2)"]


def test_a_header_that_is_not_there_is_refused(refused):
    assert refused("header = 5", answers__csv=CSV) == (
        "feedback: answers.csv has 3 lines, and the header is declared on line 5. Correct header under [tables.feedback]."
    )
    assert refused("header = 2", answers__csv="a,b\n,\n1,2\n") == (
        "feedback: answers.csv has nothing on line 2, where its header should be. Declare the right line: header = 2."
    )
    assert refused("header = 9", answers__xlsx=sheet(["a"], [1])) == (
        "feedback: answers.xlsx has nothing on line 9 of the sheet, where its header should be. "
        "Say which line it is: header = 3 under [tables.feedback]."
    )


def test_a_file_without_quoting_may_hold_quotes(read):
    text = 'feedback\tcomment\n1\t"good\n2\tba"d\n'
    assert read('separator = "\\t"\nquote = ""', answers__tsv=text)[1] == [("1", '"good'), ("2", 'ba"d')]


# JSON


def test_nested_records_have_dotted_names_and_lists_are_joined(read):
    record = {
        "user": {"id": 12345678901234567890, "plan": {"name": "free"}},
        "tags": ["a", 1, None, True],
        "items": [{"sku": "x"}],
        "score": 9.50,
        "ok": False,
        "empty": [],
        "event_params": [
            {"key": "page", "value": {"string_value": "home", "int_value": None}},
            {"key": "n", "value": {"string_value": None, "int_value": "7"}},
            {"key": "plain", "value": 3},
        ],
    }
    columns, (row,), _ = read(answers__jsonl=json.dumps(record))
    assert dict(zip(columns, row, strict=True)) == {
        "user.id": "12345678901234567890",
        "user.plan.name": "free",
        "tags": "a;1;;true",
        "items": '[{"sku": "x"}]',
        "score": "9.5",
        "ok": "false",
        "empty": None,
        "event_params.page": "home",
        "event_params.n": "7",
        "event_params.plain": "3",
    }


def test_a_line_that_is_no_record_is_counted_with_its_reason(read):
    deep = "[" * 100_000
    lines = ['{"a": 1}', '{"a": ', "[1]", '{"a": 1, "a": 2}', '{"a": "\\ud800"}', '{"a": "\xff"}', '{"a":' + deep, '{"b": 2}']
    content = b"\n".join(line.encode("latin-1") for line in lines)
    columns, rows, bad = read(answers__jsonl=content)
    assert (columns, rows) == (["a", "b"], [("1", None), (None, "2")])
    assert dict(zip(bad["line"], bad["problem"], strict=True)) == {
        2: "the line is not JSON",
        3: "the line is JSON, but no record in braces",
        4: "the record has the name 'a' twice",
        5: "the record holds half a character",
        6: "the line is not in the declared encoding",
        7: "the record is nested too deeply",
    }


def test_a_record_that_is_too_long_is_counted_and_the_next_one_is_read(read):
    long = '{"a": "' + "x" * (records.LONGEST + 10) + '"}'
    _, rows, bad = read(answers__jsonl='{"a": 1}\n' + long + '\n{"a": 2}\n')
    assert rows == [("1",), ("2",)]
    assert bad[["line", "problem"]].values.tolist() == [[2, "the line is longer than 2 MB"]]


@pytest.mark.parametrize(
    ("content", "letter"),
    [
        (
            '{\n"items": [{"a": 1}]\n}',
            "is one JSON object over several lines, not a list of records. Save the list in it as an array, or one record a line.",
        ),
        ('[{"a": 1}, {"a": ', "is damaged: its JSON cannot be read after record 1 (Expecting value)."),
        ('[{"a": 1}', "is damaged: its JSON cannot be read after record 1 (Expecting value)."),
        ('[{"a": 1, "a": 2}]', "cannot be read after record 0: the record has the name 'a' twice."),
        ("[]", "holds no record."),
        ("\n\n", "holds no record."),
        ('{"a": 1}'.encode("utf-16"), "is not UTF-8, in which JSON is written. Save it as UTF-8."),
        ("", "is empty; not even a header is there."),
        (
            json.dumps({f"key {place}": 1 for place in range(5_001)}),
            "has more than 5,000 different names. Values seem to stand where names belong.",
        ),
    ],
)
def test_json_that_holds_no_records_is_refused(refused, content, letter):
    assert refused(answers__json=content) == f"feedback: answers.json {letter}"


# XES


def test_an_event_log_has_the_names_of_pm4py(read):
    nested = '<list key="tags"><values><string key="tag" value="a"/><string key="tag" value="b"/></values></list>'
    columns, rows, bad = read(
        log__xes=log(trace("173688", event("A_SUBMITTED"), event("A_PARTLY", '<string key="org:resource" value="112"/>' + nested)))
    )
    assert columns == [
        "case:concept:name",
        "case:AMOUNT_REQ",
        "concept:name",
        "lifecycle:transition",
        "time:timestamp",
        "org:resource",
        "tags.tag",
    ]
    first = ("173688", "20000", "A_SUBMITTED", "COMPLETE", "2011-10-01T00:38:44.546+02:00", None, None)
    assert rows == [first, (*first[:2], "A_PARTLY", *first[3:5], "112", "a;b")]
    assert len(bad) == 0


def test_a_trace_without_events_is_counted(read):
    _, rows, bad = read(log__xes__gz=gzip.compress(log(trace("1", event("a")), "\n", trace("lost")).encode()))
    assert len(rows) == 1
    assert bad[["line", "problem", "text"]].values.tolist() == [[2, "the trace has no events", "lost"]]


@pytest.mark.parametrize(
    ("content", "letter"),
    [
        (log(trace("1", event("a")))[:-20], "is damaged: its XML cannot be read after line 1 (unclosed token). Export it again."),
        ("<?xml version='1.0'?><feed><a/></feed>", "is XML, but no XES event log: its outermost tag is <feed>, not <log>."),
        (
            '<?xml version="1.0"?><!DOCTYPE log [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><log>&b;</log>',
            "declares entities or a document type, which no event log needs and attacks use. It is not read.",
        ),
        (
            log(f'<trace>{event("a")}<string key="late" value="1"/></trace>'),
            "has the attribute 'case:late' of a trace behind its events, where XES has it before them.",
        ),
        (
            '<log><string key="' + "x" * 3_000_000 + '"/></log>',
            "goes on for more than 2 MB without a tag, or in one. No event log does: it is damaged, or no XES.",
        ),
        (log(), "holds no event."),
        (CSV, "is plain text, not XES as its name says. If it is CSV, rename it to end in .csv."),
    ],
)
def test_an_event_log_that_cannot_be_read_is_refused(refused, content, letter):
    assert refused(log__xes=content) == f"feedback: log.xes {letter}"


# What is not what its name says


@pytest.mark.parametrize(
    ("name", "content", "letter"),
    [
        ("a.csv", sheet(["a"]), "is an Excel workbook, not text such as CSV as its name says. Rename it to end in .xlsx."),
        ("a.xls", sheet(["a"]), "is an Excel workbook, not Excel as its name says. Rename it to end in .xlsx."),
        (
            "a.xls",
            "<html><table><tr><td>a</td></tr></table></html>",
            (
                "is a web page, as some tools save under another name, not Excel as its name says. "
                "Open it in Excel and save it as .xlsx or CSV."
            ),
        ),
        ("a.xls", CSV, "is plain text, not Excel as its name says. If it is CSV, rename it to end in .csv."),
        ("a.csv", b"%PDF-1.7 \x00", "is a PDF, not text such as CSV as its name says. Ask for the data themselves, as CSV or Excel."),
        ("a.csv", zipped(b__csv=CSV), "is a zip archive, not text such as CSV as its name says. Rename it to end in .zip, or unpack it."),
        (
            "a.csv",
            gzip.compress(CSV.encode()),
            "is packed with gzip, not text such as CSV as its name says. Rename it to end in .gz, after its present name.",
        ),
        ("a.csv", b"PAR1" + b"\0" * 20, "is a Parquet file, not text such as CSV as its name says. Rename it to end in .parquet."),
        (
            "a.csv",
            "\ufeff<!DOCTYPE html><html>",
            (
                "is a web page, as some tools save under another name, not text such as CSV as its name says. "
                "Open it in Excel and save it as .xlsx or CSV."
            ),
        ),
        ("a.csv", '{"a": 1}\n', "is JSON, not text such as CSV as its name says. Rename it to end in .json."),
        ("a.csv", "BZh91AY", "is a packed archive, not text such as CSV as its name says. Unpack it, or pack it with gzip or zip."),
        ("a.csv", b"SQLite format 3\0", "is an SQLite database, not text such as CSV as its name says. Export its table as CSV."),
        ("a.parquet", CSV, "is plain text, not Parquet as its name says. If it is CSV, rename it to end in .csv."),
        ("a.zip", CSV, "is plain text, not zip as its name says. If it is CSV, rename it to end in .csv."),
        (
            "a.xlsx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
            "is locked with a password, or is an old Excel workbook. Save it without a password, as .xlsx.",
        ),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, None),
    ],
)
def test_what_is_not_what_its_name_says_is_refused(refused, folder, name, content, letter):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    said = refused(f'files = "{name}"')
    assert said == f"feedback: {name} {letter}" or (letter is None and said.startswith("feedback: a.xls is damaged, or no workbook"))


# What is damaged, and what has no bounds


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.xlsx", "a.json", "a.xes", "a.parquet", "a.zip"])
def test_an_empty_file_is_refused(refused, folder, name):
    (folder / name).write_bytes(gzip.compress(b"") if name.endswith(".gz") else b"")
    assert refused(f'files = "{name}"') == f"feedback: {name} is empty; not even a header is there."


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", "feedback,comment"), ("a.csv", "feedback,comment\n"), ("a.xlsx", sheet(["feedback", "comment"]))]
)
def test_a_header_without_rows_is_a_table_without_rows(read, folder, name, content):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    columns, rows, bad = read(f'files = "{name}"')
    assert (columns, rows, len(bad)) == (["feedback", "comment"], [], 0)


PACKED = gzip.compress(CSV.encode() * 1000)


@pytest.mark.parametrize(
    "content",
    [PACKED[: len(PACKED) // 2], PACKED[:-8] + b"\0" * 8, PACKED + b"and more", PACKED[:100] + b"\xff\xff" + PACKED[102:]],
    ids=["breaks off", "wrong check sum", "more behind it", "a wrong byte"],
)
def test_a_damaged_gzip_is_refused(refused, content):
    said = refused(answers__csv__gz=content)
    assert said.startswith("'answers.csv.gz' is damaged: what is packed in it breaks off or does not fit (")
    assert said.endswith("). Fetch it again.")


def test_a_damaged_workbook_zip_or_parquet_is_refused(refused, tmp_path):
    book, archive = sheet(["a"], [1]), zipped(a__csv=CSV)
    pd.DataFrame({"a": range(100)}).to_parquet(tmp_path / "x.parquet")
    parquet = (tmp_path / "x.parquet").read_bytes()
    assert refused(a__xlsx=book[: len(book) // 2]) == "feedback: a.xlsx is damaged: File is not a zip file. Save it anew."
    assert refused(a__zip=archive[: len(archive) // 2]) == (
        "feedback: a.zip is damaged, or packed in a way that is not known: File is not a zip file. Unpack it yourself."
    )
    assert refused(a__parquet=parquet[:-30]).startswith("feedback: a.parquet is not a Parquet file that can be read: ")
    place = archive.index(b"a.csv") + 8
    assert refused(a__zip=archive[:place] + b"\xff\xff\xff" + archive[place + 3 :]).startswith(
        "feedback: a.zip is damaged, or packed in a way that is not known: "
    )


def test_an_archive_of_several_files_or_of_none_is_refused(refused):
    assert refused(a__zip=zipped(b__csv=CSV, c__csv=CSV)) == (
        "feedback: a.zip holds 2 files ('b.csv', 'c.csv') where one is read. Unpack it and name those that are meant."
    )
    assert refused(a__zip=zipped()) == "feedback: a.zip is empty; there is no file in it."
    assert refused(a__zip=zipped(b__zip=zipped(c__csv=CSV))) == "feedback: a.zip holds another archive. Unpack it."
    assert refused(a__zip=zipped(b__csv="")) == "feedback: a.zip: b.csv is empty; not even a header is there."


def test_a_locked_archive_is_refused(refused):
    content = bytearray(zipped(b__csv=CSV))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert refused(a__zip=bytes(content)) == "feedback: a.zip is locked with a password. Unpack it yourself."


BOMB = "unpacks to more than 200 times its size. No export does; unpack it yourself if you trust it."


def test_a_bomb_is_refused_before_it_unpacks(refused, tmp_path):
    lines = b"1,2\n" * (30 << 20)
    assert refused(a__csv__gz=gzip.compress(lines)) == f"feedback: a.csv.gz {BOMB}"
    assert refused(a__jsonl__gz=gzip.compress(b'{"a":1}\n' * (15 << 20))) == f"feedback: a.jsonl.gz {BOMB}"
    assert refused(a__zip=zipped(b__csv=lines)) == f"feedback: a.zip {BOMB}"
    book = io.BytesIO(sheet(["a"], [1]))
    with zipfile.ZipFile(book, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/x.bin", bytes(120 << 20))
    assert refused(a__xlsx=book.getvalue()) == f"feedback: a.xlsx {BOMB}"
    assert sum(path.stat().st_size for path in (tmp_path / "scratch").rglob("*") if path.is_file()) < 1 << 20


def test_a_zip_that_lies_about_its_size_is_refused(refused, tmp_path):
    lines = b"1,2\n" * (30 << 20)
    content = bytearray(zipped(b__csv=lines))
    for mark, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = content.index(mark) + place
        content[at : at + 4] = (1000).to_bytes(4, "little")
    said = refused(a__zip=bytes(content))
    assert said.startswith("feedback: a.zip ")
    assert sum(path.stat().st_size for path in (tmp_path / "scratch").rglob("*") if path.is_file()) < 1 << 20


def test_two_cells_far_apart_are_refused_before_they_fill_the_memory(refused):
    book = openpyxl.Workbook()
    book.active["A1"], book.active["XFD1048576"] = 1, 2
    out = io.BytesIO()
    book.save(out)
    letter = "spans more than 50 million cells, or unpacks to more than 1 GB. Export it as CSV."
    assert refused(a__xlsx=out.getvalue()) == f"feedback: a.xlsx {letter}"
    row = ods_row("x", repeated=' table:number-columns-repeated="16384"').replace(
        "<table:table-row", '<table:table-row table:number-rows-repeated="9999"'
    )
    assert refused(a__ods=ods(row)) == f"feedback: a.ods {letter}"


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("place", ["header", "row"])
def test_a_line_without_end_is_refused(refused, packed, place):
    long = b"x" * 40_000_000
    content = long if place == "header" else b"feedback,comment\n1,good\n" + long + b",2\n3,4\n"
    name = "a__csv__gz" if packed else "a__csv"
    letter = "has a line of more than 8 MB. No row of a table is that long: it is not CSV, or it is damaged."
    assert refused(**{name: gzip.compress(content) if packed else content}) == f"feedback: {name.replace('__', '.')} {letter}"


def test_a_long_line_is_counted(read):
    _, rows, bad = read(a__csv="feedback,comment\n1,good\n" + "x" * 3_000_000 + ",2\n2,bad\n")
    assert rows == ROWS
    assert bad[["line", "problem"]].values.tolist() == [[3, "the line is longer than 2 MB"]]


def test_a_quote_that_never_closes_is_refused_and_quotes_inside_cells_are_none(read, refused):
    letter = "feedback: in a.csv a quote that opens on line 3 is never closed, so the rows after it cannot be told apart. Close it."
    assert refused(a__csv='feedback,comment\n1,good\n2,"bad\n' + "3,x\n" * 1_000_000) == letter
    assert refused(a__csv='feedback,comment\n1,good\n2,"bad\n3,x\n4,y\n') == letter
    rest = "3,x\n" * 600_000
    _, rows, bad = read(a__csv='feedback,comment\n1,"two\nlines, ""quoted"""\n2,5" pipe\n' + rest)
    assert rows[:2] == [("1", 'two\nlines, "quoted"'), ("2", '5" pipe')]
    assert (len(rows), len(bad)) == (600_002, 0)


# Encodings


@pytest.mark.parametrize(
    ("content", "settings", "letter"),
    [
        (CSV.encode("utf-16"), "", 'looks like UTF-16. Declare it: encoding = "utf-16" under [tables.feedback].'),
        (CSV.encode("utf-16-be"), "", 'looks like UTF-16. Declare it: encoding = "utf-16-be" under [tables.feedback].'),
        (
            (CSV + "3,a\0b\n").encode(),
            "",
            "holds NUL bytes, which no text has: it is damaged, or not text. Export it again.",
        ),
        (
            "fédback,comment\n1,é\n".encode("cp1252"),
            "",
            'has a header that is not utf-8. Declare encoding = "…" under [tables.feedback].',
        ),
        (
            "feedback,comment\n1,é\n".encode(),
            'encoding = "cp1252"',
            "is UTF-8, not cp1252: read so, its letters with accents would be garbled. Remove encoding.",
        ),
        (
            b"feedback,comment\n1,\x81\n",
            'encoding = "cp1252"',
            ("is not cp1252 throughout (near byte 20). Declare its encoding under [tables.feedback]."),
        ),
        (
            CSV.encode("utf-16")[:-1],
            'encoding = "utf-16"',
            ("is not utf-16 throughout (near byte 62). Declare its encoding under [tables.feedback]."),
        ),
        (
            b"feedback,comment\n1,good\n2,fine!\n",
            'encoding = "utf-16-le"',
            "is not utf-16-le: read so, it has no line ends. Declare its encoding under [tables.feedback].",
        ),
    ],
)
def test_a_wrong_encoding_is_refused(refused, content, settings, letter):
    assert refused(settings, a__csv=content) == f"feedback: a.csv {letter}"


def test_an_encoding_that_nobody_knows_is_refused(refused):
    assert refused('encoding = "utf-9"', a__csv=CSV) == ("feedback: encoding 'utf-9' is not known. Examples: utf-8, cp1252, utf-16, big5.")


def test_a_line_in_another_encoding_is_counted_whichever_columns_are_asked_for(read, folder, tmp_path):
    content = b"feedback,comment\n1,good\n2,caf\xe9\n3,bad\n"
    _, rows, bad = read(a__csv=content)
    assert rows == [("1", "good"), ("3", "bad")]
    assert bad[["line", "problem"]].values.tolist() == [[3, "the line is not in the declared encoding"]]
    workbook = sources.declared(folder / "sources.toml")
    con = connect()
    found = reading.raw(workbook, workbook.sources["feedback"][0], con=con, scratch=tmp_path / "scratch")
    assert con.raw_sql(f"SELECT feedback FROM {found.scan}").fetchall() == [("1",), ("3",)]


# Files that cannot be opened, and files that differ


def test_a_folder_a_pipe_and_a_file_that_may_not_be_read_are_refused(refused, folder, monkeypatch):
    (folder / "exports").mkdir()
    assert refused('files = "exports"') == (
        "feedback: 'exports' is a folder. Name the files in it, such as files = \"exports/*.csv\" under [tables.feedback]."
    )
    os.mkfifo(folder / "pipe")
    assert refused('files = "pipe"') == "feedback: 'pipe' is no file but a device or a pipe. Correct files under [tables.feedback]."
    real = Path.open

    def locked(path: Path, *rest: object, **named: object) -> object:
        if path.suffix == ".csv":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *rest, **named)

    monkeypatch.setattr(Path, "open", locked)
    (folder / "a.csv").touch()
    assert refused('files = "a.csv"') == "'a.csv' cannot be read: Permission denied."


def test_files_with_other_columns_are_refused(refused, tmp_path):
    letter = (
        "feedback: b.csv has other columns than a.csv (note). Exports that differ are declared each on its own, as [[tables.feedback]]."
    )
    assert refused('files = ["a.csv", "b.csv"]', a__csv=CSV, b__csv="feedback,comment,note\n") == letter
    for name, columns in (("a", ["x", "y"]), ("b", ["y", "x"])):
        pd.DataFrame(columns=columns, dtype=str).to_parquet(tmp_path / "data" / f"{name}.parquet")
    assert refused('files = ["a.parquet", "b.parquet"]') == (
        "feedback: b.parquet has other columns than a.parquet (their order). "
        "Exports that differ are declared each on its own, as [[tables.feedback]]."
    )
    assert refused('files = ["a.csv", "a.parquet"]', a__csv=CSV) == (
        "feedback: the files are of several kinds (parquet, text). Declare each kind on its own, as [[tables.feedback]]."
    )


def test_a_locked_workbook_is_refused(refused):
    assert refused(a__xlsx=(KEPT / "locked.xlsx").read_bytes()) == (
        "feedback: a.xlsx is locked with a password, or is an old Excel workbook. Save it without a password, as .xlsx."
    )
    assert refused(a__xls=(KEPT / "locked.xlsx").read_bytes()).startswith("feedback: a.xls is ")
