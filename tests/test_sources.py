"""The door: what is declared comes in, what breaks a rule is set aside and counted, what is unclear is refused in a letter."""

import datetime as dt
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from cxlib import sources
from cxlib.tables import TABLES, TableError

QUESTION = '[questions.nps]\nkind = "nps"\nscale = [0, 10]\ndirection = "high is good"\n'
ANSWERS = '[tables.responses]\nfiles = "answers.csv"\n'


@pytest.fixture
def workbook(tmp_path):
    """A maker of workbooks: the text of sources.toml, and its files by name."""

    def make(toml: str, **files: str | bytes) -> Path:
        for name, content in files.items():
            path = tmp_path / name.replace("_csv", ".csv")
            path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        (tmp_path / "sources.toml").write_text(toml, encoding="utf-8")
        return tmp_path / "sources.toml"

    return make


def answers(rows: list[str], header: str = "respondent,wave,question,score") -> str:
    return "\n".join([header, *rows]) + "\n"


def plain(*scores: object) -> str:
    return answers([f"r{place},w1,nps,{score}" for place, score in enumerate(scores)])


def refusal(path: Path, as_of: str = "2026-06-30") -> str:
    with pytest.raises(TableError) as error:
        sources.read(path, as_of=as_of)
    return str(error.value)


def accounted(book: sources.Book) -> bool:
    parts = book.account[["kept", "set_aside", "not_meant", "repeats", "after_as_of", "no_consent"]].sum(axis=1)
    return bool((parts == book.account["rows_read"]).all())


# What comes in


def test_an_answer_comes_in_with_the_kind_and_scale_of_its_question(workbook):
    book = sources.read(workbook(ANSWERS + QUESTION, answers_csv=plain(10, 7, 0)), as_of="2026-06-30")
    rows = book.responses.order_by("respondent").execute()
    assert rows["score"].tolist() == [10, 7, 0]
    assert set(rows["kind"]) == {"nps"}
    assert set(zip(rows["scale_low"], rows["scale_high"], strict=True)) == {(0, 10)}
    assert list(rows.columns) == list(TABLES["responses"].names)


def test_a_workbook_has_every_table_and_every_column_even_those_it_does_not_declare(workbook):
    book = sources.read(workbook(ANSWERS + QUESTION, answers_csv=plain(10)), as_of="2026-06-30")
    for name, spec in TABLES.items():
        assert set(spec.names) <= set(getattr(book, name).columns), name
    assert book.tickets.count().execute() == 0
    assert book.account["table"].tolist() == ["responses"]


def test_blanks_codes_and_float_looking_scores_are_settled_at_the_door(workbook):
    toml = ANSWERS + QUESTION + "no_answer = [11]\n"
    path = workbook(toml, answers_csv=answers(["a,w1,nps, 9 ", "b,w1,nps,11", "c,w1,nps,11.0", "d,w1,nps,7.0", "e,w1,nps,\u00a0"]))
    rows = sources.read(path, as_of="2026-06-30").responses.order_by("respondent").execute()
    assert rows["score"].tolist()[0] == 9
    assert rows["score"].isna().tolist() == [False, True, True, False, True]


def test_a_scale_that_runs_backwards_is_turned_and_the_effort_score_is_not(workbook):
    toml = ANSWERS + (
        '[questions.fft]\nkind = "csat"\nscale = [1, 5]\ndirection = "low is good"\n'
        '[questions.effort]\nkind = "ces"\nscale = [1, 5]\ndirection = "low is good"\n'
    )
    book = sources.read(workbook(toml, answers_csv=answers(["a,w,fft,1", "a,w,effort,1"])), as_of="2026-06-30")
    rows = book.responses.execute().set_index("question")
    assert rows.loc["fft", "score"] == 5
    assert not rows.loc["fft", "low_is_good"]
    assert rows.loc["effort", "score"] == 1
    assert rows.loc["effort", "low_is_good"]


def test_a_wide_file_gives_one_row_an_answer(workbook):
    toml = (
        '[tables.responses]\nfiles = "answers.csv"\ncolumns = { respondent = "ID", time_answered = "{day} {clock}" }\n'
        '[questions.nps]\nkind = "nps"\nscale = [0, 10]\ndirection = "high is good"\ncolumn = "Q1"\n'
        '[questions.food]\nkind = "rating"\nscale = [1, 5]\ndirection = "high is good"\ncolumn = "Q2"\n'
        'touchpoint = "Food"\nno_answer = [0]\n'
    )
    path = workbook(toml, answers_csv="ID,Q1,Q2,day,clock\n1,10,5,2026-01-31,23:59\n2,3,0,2026-02-01,00:01\n")
    rows = sources.read(path, as_of="2026-06-30").responses.order_by(["respondent", "question"]).execute()
    assert rows["question"].tolist() == ["food", "nps", "food", "nps"]
    assert rows["score"].tolist()[:2] == [5, 10]
    assert pd.isna(rows["score"][2])
    assert rows["touchpoint"].tolist() == ["Food", None, "Food", None]
    assert [str(month)[:10] for month in rows["month"]] == ["2026-01-01", "2026-01-01", "2026-02-01", "2026-02-01"]


def test_words_can_be_answers(workbook):
    toml = (
        ANSWERS
        + '[questions.easy]\nkind = "ces"\nscale = [1, 5]\ndirection = "high is good"\nvalues = { "Strongly agree" = 5, "Agree" = 4 }\n'
    )
    rows = sources.read(workbook(toml, answers_csv=answers(["a,w,easy,Strongly agree", "b,w,easy,Agree"])), as_of="2026-06-30").responses
    assert sorted(rows.execute()["score"]) == [4, 5]


def test_the_last_answer_of_a_person_counts_and_the_earlier_ones_are_counted_as_repeats(workbook):
    header = "respondent,wave,question,score,time_answered"
    rows = [
        "a,w1,nps,3,2026-01-02 10:00:00",
        "a,w1,nps,9,2026-01-03 10:00:00",
        "a,w1,nps,,2026-01-04 10:00:00",
        "a,w2,nps,5,2026-02-01 10:00:00",
    ]
    book = sources.read(workbook(ANSWERS + QUESTION, answers_csv=answers(rows, header)), as_of="2026-06-30")
    assert sorted(book.responses.execute()["score"]) == [5, 9]
    assert book.account["repeats"].tolist() == [2]
    assert accounted(book)


def test_an_answer_that_is_given_anew_later_still_counts_on_the_days_before(workbook):
    header = "respondent,wave,question,score,time_answered"
    path = workbook(ANSWERS + QUESTION, answers_csv=answers(["a,w,nps,9,2026-05-30 10:00:00", "a,w,nps,3,2026-06-02 10:00:00"], header))
    before, after = (sources.read(path, as_of=day) for day in ("2026-05-31", "2026-06-02"))
    assert before.responses.execute()["score"].tolist() == [9]
    assert before.account[["repeats", "after_as_of"]].iloc[0].tolist() == [0, 1]
    assert after.responses.execute()["score"].tolist() == [3]
    assert after.account[["repeats", "after_as_of"]].iloc[0].tolist() == [1, 0]
    assert accounted(before)
    assert accounted(after)


def test_answers_without_a_wave_are_all_counted_unless_declared(workbook):
    path = workbook(ANSWERS + QUESTION, answers_csv="respondent,question,score\na,nps,3\na,nps,9\n")
    assert sources.read(path, as_of="2026-06-30").account["kept"].tolist() == [2]
    path = workbook(
        ANSWERS + 'one_answer_per = ["respondent", "question"]\n' + QUESTION, answers_csv="respondent,question,score\na,nps,3\na,nps,9\n"
    )
    assert sources.read(path, as_of="2026-06-30").account["kept"].tolist() == [1]


def test_staff_answer_apart(workbook):
    path = workbook(ANSWERS + QUESTION, answers_csv="respondent,role,question,score\na,customer,nps,3\nb,staff,nps,9\nc,,nps,4\n")
    book = sources.read(path, as_of="2026-06-30")
    assert sorted(book.responses.execute()["respondent"]) == ["a", "c"]
    assert book.staff_responses.execute()["respondent"].tolist() == ["b"]
    assert accounted(book)


def test_any_separator_encoding_and_decimal_come_in(workbook):
    toml = (
        '[tables.orders]\nfiles = "orders.csv"\nseparator = ";"\nencoding = "cp1252"\ndecimal = ","\ndate_format = "%d.%m.%Y"\n'
        'columns = { customer = "Kundé", time_ordered = "Tag", amount = "Betrag" }\n'
    )
    path = workbook(toml, orders_csv="Kundé ;Tag;Betrag\nJosé;31.12.2025;1.234,50\n".encode("cp1252"))
    (row,) = sources.read(path, as_of="2026-06-30").orders.execute().itertuples()
    assert (row.customer, row.amount, row.time_ordered.date()) == ("José", 1234.5, dt.date(2025, 12, 31))


def test_a_byte_order_mark_multiline_cells_and_dos_line_ends_do_no_harm(workbook):
    toml = '[tables.feedback]\nfiles = "feedback.csv"\n'
    path = workbook(toml, feedback_csv=b'\xef\xbb\xbffeedback,comment\r\n1,"two\r\nlines, ""quoted"""\r\n2,\r\n')
    rows = sources.read(path, as_of="2026-06-30").feedback.order_by("feedback").execute()
    assert rows["comment"].tolist() == ['two\r\nlines, "quoted"', None]


def test_a_time_with_an_offset_is_brought_into_the_workbooks_zone(workbook):
    toml = '[workbook]\ntime_zone = "Europe/Rome"\n[tables.events]\nfiles = "events.csv"\n'
    path = workbook(
        toml, events_csv="case_id,activity,time\n1,a,2026-01-31T23:30:00Z\n2,a,2026-02-01 00:30:00\n3,a,2026-07-01T00:30:00+05:30\n"
    )
    rows = sources.read(path, as_of="2026-12-31").events.order_by("case_id").execute()
    assert [str(time) for time in rows["time"]] == ["2026-02-01 00:30:00", "2026-02-01 00:30:00", "2026-06-30 21:00:00"]


def test_parquet_gives_what_csv_gives(workbook, tmp_path):
    frame = pd.DataFrame(
        {
            "respondent": ["a", "b"],
            "question": "nps",
            "score": [9.0, None],
            "time_answered": pd.to_datetime(["2026-01-05 10:00:00", "2026-01-06 00:00:00"]),
        }
    )
    frame.to_parquet(tmp_path / "answers.parquet")
    toml = '[tables.responses]\nfiles = "answers.parquet"\n' + QUESTION
    from_parquet = sources.read(workbook(toml), as_of="2026-06-30").responses.order_by("respondent").execute()
    from_csv = (
        sources.read(workbook(ANSWERS + QUESTION, answers_csv=frame.to_csv(index=False)), as_of="2026-06-30")
        .responses.order_by("respondent")
        .execute()
    )
    pd.testing.assert_frame_equal(from_parquet, from_csv)


def test_a_table_of_an_engine_gives_what_a_file_gives(workbook, tmp_path):
    import duckdb

    with duckdb.connect(str(tmp_path / "company.db")) as con:
        con.sql("CREATE TABLE answers AS SELECT 'a' AS respondent, 'nps' AS question, 9 AS score, DATE '2026-01-05' AS time_answered")
    toml = '[workbook]\nengine = "duckdb:///company.db"\n[tables.responses]\ntable = "answers"\n' + QUESTION
    path = workbook(toml)
    assert sources.read(path, as_of="2026-06-30").responses.execute()["score"].tolist() == [9]
    assert sources.inputs(path)["table answers"] == ""
    path.write_text(path.read_text().replace('table = "answers"', 'table = "replies"'))
    assert refusal(path) == "sources.toml [tables.responses]: the engine has no table 'replies'. Correct table."


def test_several_files_feed_one_table_in_order_of_name(workbook):
    toml = '[tables.feedback]\nfiles = "part-*.csv"\n'
    path = workbook(toml, **{"part-2_csv": "feedback,comment\n2,b\n", "part-1_csv": "feedback,comment\n1,a\n"})
    assert sources.read(path, as_of="2026-06-30").feedback.execute()["comment"].tolist() == ["a", "b"]


def test_a_tenure_without_dates_becomes_days_and_ties_stay_ties(workbook):
    toml = (
        '[tables.customers]\nfiles = "customers.csv"\ntenure_unit = "months"\nvalues.churned = { Yes = true, No = false }\n'
        'columns = { customer = "id", tenure_days = "tenure", churned = "Churn" }\nkeys = { net = "Internet" }\n'
    )
    path = workbook(toml, customers_csv="id,tenure,Churn,Internet\n1,12,Yes,DSL\n2,12.0,No,\n")
    rows = sources.read(path, as_of="2026-06-30").customers.order_by("customer").execute()
    assert rows["tenure_days"].tolist() == [365.25, 365.25]
    assert rows["churned"].tolist() == [True, False]
    assert rows["net"].tolist() == ["DSL", None]


# What was known on a day


CUSTOMERS = '[tables.customers]\nfiles = "customers.csv"\nvalues.consent = { yes = true, no = false }\n'


def test_what_happens_after_the_day_has_not_happened_yet(workbook):
    toml = CUSTOMERS + '[tables.tickets]\nfiles = "tickets.csv"\n'
    path = workbook(
        toml,
        customers_csv="customer,start,end,end_reason\na,2025-01-01,2026-07-01,moved\nb,2025-01-01,2026-06-30,moved\nc,2026-07-01,,\n",
        tickets_csv="ticket,time_opened,time_resolved\n1,2026-06-30 23:59:59,2026-07-02 10:00:00\n2,2026-07-01 00:00:00,\n",
    )
    book = sources.read(path, as_of="2026-06-30")
    rows = book.customers.order_by("customer").execute()
    assert rows["customer"].tolist() == ["a", "b"]
    assert rows["end"].isna().tolist() == [True, False]
    assert rows["end_reason"].isna().tolist() == [True, False]
    tickets = book.tickets.execute()
    assert tickets["ticket"].tolist() == ["1"]
    assert tickets["time_resolved"].isna().all()
    assert book.account["after_as_of"].tolist() == [1, 1]
    assert accounted(book)


def test_an_answer_counts_from_the_day_it_was_received(workbook):
    header = "respondent,question,score,time_answered,time_received"
    path = workbook(
        ANSWERS + QUESTION,
        answers_csv=answers(["a,nps,9,2026-06-30 10:00:00,2026-07-02 10:00:00", "b,nps,9,2026-06-30 10:00:00,2026-06-30 11:00:00"], header),
    )
    assert sources.read(path, as_of="2026-06-30").responses.execute()["respondent"].tolist() == ["b"]
    assert sources.read(path, as_of="2026-07-02").responses.count().execute() == 2


def test_who_did_not_consent_is_left_out_of_every_table_and_counted(workbook):
    toml = CUSTOMERS + ANSWERS + QUESTION
    path = workbook(
        toml,
        customers_csv="customer,start,consent,segment\na,2025-01-01,yes,home\nb,2025-01-01,no,home\nc,2025-01-01,,home\n",
        answers_csv="respondent,question,score\na,nps,9\nb,nps,9\nc,nps,9\nstranger,nps,1\n",
    )
    book = sources.read(path, as_of="2026-06-30")
    assert book.customers.execute()["customer"].tolist() == ["a"]
    assert sorted(book.responses.execute()["respondent"]) == ["a", "stranger"]
    assert book.account["no_consent"].tolist() == [2, 2]
    assert accounted(book)


def test_an_answer_inherits_the_segment_of_the_latest_spell_and_is_not_doubled_by_an_earlier_one(workbook):
    path = workbook(
        CUSTOMERS + ANSWERS + QUESTION,
        customers_csv="customer,start,end,segment\na,2024-01-01,2024-06-01,home\na,2025-01-01,,office\n",
        answers_csv="respondent,question,score\na,nps,9\nx,nps,3\n",
    )
    rows = sources.read(path, as_of="2026-06-30").responses.order_by("respondent").execute()
    assert rows["segment"].tolist() == ["office", None]


# What is set aside


def test_a_row_that_breaks_a_rule_is_set_aside_with_its_reason_and_kept_as_it_was(workbook, tmp_path):
    good = [f"c{place},2025-01-01,2025-06-01" for place in range(60)]
    bad = ["late,2025-06-02,2025-06-01", "when,01/02/2025,", ",2025-01-01,", "c1,2025-01-01,2026-01-01"]
    path = workbook("[workbook]\nbad_rows_allowed = 0.1\n" + CUSTOMERS, customers_csv="\n".join(["customer,start,end", *good, *bad]) + "\n")
    book = sources.read(path, as_of="2026-06-30")
    assert dict(zip(book.problems["reason"], book.problems["first"], strict=True)) == {
        "a second row with the same customer, start": "row 64: c1",
        "no customer": "row 63",
        "start is after end": "row 61",
        "start is not a date": "row 62: 01/02/2025",
    }
    assert accounted(book)
    to = tmp_path / "door"
    to.mkdir()
    sources.admit(path, to=to)
    aside = pd.read_csv(to / "set_aside" / "customers.csv", dtype=str)
    assert aside["start"].tolist() == ["2025-06-02", "01/02/2025", "2025-01-01", "2025-01-01"]
    assert (to / "set_aside").stat().st_mode & 0o777 == 0o700


def test_a_line_that_is_no_row_is_counted_and_not_lost(workbook):
    lines = [f"{place},text" for place in range(100)]
    path = workbook(
        '[tables.feedback]\nfiles = "feedback.csv"\n', feedback_csv="\n".join(["feedback,comment", *lines, "101", "102,a,b"]) + "\n"
    )
    book = sources.read(path, as_of="2026-06-30")
    assert book.account[["rows_read", "kept", "set_aside"]].iloc[0].tolist() == [102, 100, 2]
    assert dict(zip(book.problems["reason"], book.problems["first"], strict=True)) == {
        "the line has too few cells": "line 102",
        "the line has too many cells": "line 103",
    }


def test_a_broken_first_line_is_not_taken_for_the_header(workbook):
    lines = [f"{place},text" for place in range(100)]
    path = workbook('[tables.feedback]\nfiles = "feedback.csv"\n', feedback_csv="\n".join(["feedback,comment", "a,b,c", *lines]) + "\n")
    book = sources.read(path, as_of="2026-06-30")
    assert book.account[["rows_read", "kept", "set_aside"]].iloc[0].tolist() == [101, 100, 1]


def test_an_accident_outside_the_scale_is_set_aside(workbook):
    book = sources.read(workbook(ANSWERS + QUESTION, answers_csv=plain(*[9] * 400, 99)), as_of="2026-06-30")
    assert book.problems[["reason", "rows", "first"]].to_numpy().tolist() == [
        ["score is outside the scale of its question", 1, "row 401: 99"]
    ]


def test_nan_and_infinity_are_not_numbers(workbook):
    rows = "\n".join(f"c,2026-01-01,{amount}" for amount in [*["1.5"] * 100, "nan", "inf", "1e400"])
    path = workbook('[tables.orders]\nfiles = "orders.csv"\n', orders_csv="customer,time_ordered,amount\n" + rows + "\n")
    book = sources.read(path, as_of="2026-06-30")
    assert book.problems[["reason", "rows"]].to_numpy().tolist() == [["amount is not a number", 3]]


# What is refused, and the whole letter


def test_a_code_outside_the_scale_is_refused(workbook):
    assert refusal(workbook(ANSWERS + QUESTION, answers_csv=plain(*[9] * 97, 11, 11, 11))) == (
        "responses: 11 occurs 3 times among the 100 answers to 'nps' (3.0%), outside its scale 0 to 10. That is a code, not an accident. "
        "If it means 'no answer', declare it: no_answer = [11] under [questions.nps] in sources.toml; "
        "if the scale is another, correct scale."
    )


def test_a_word_among_scores_is_refused(workbook):
    assert 'no_answer = ["Blank"] under [questions.nps]' in refusal(workbook(ANSWERS + QUESTION, answers_csv=plain(9, 8, "Blank")))


def test_an_undeclared_question_is_refused(workbook):
    path = workbook(ANSWERS + QUESTION, answers_csv=answers(["a,w,nps,9", "a,w,npss,9", "b,w,npss,9"]))
    assert refusal(path) == (
        "responses: the question 'npss' is answered twice and is not declared. Did you mean 'nps'? "
        "Declare it: [questions.npss] with kind, scale and direction in sources.toml."
    )


def test_a_missing_column_is_refused_with_a_near_one(workbook):
    path = workbook('[tables.orders]\nfiles = "orders.csv"\n', orders_csv="Customer,time_ordered,amount\n")
    assert refusal(path) == (
        "orders: the source has no column 'customer'. Did you mean 'Customer'? "
        'Declare which one it is: columns = { customer = "…" } under [tables.orders] in sources.toml.'
    )


def test_a_declared_column_that_is_not_there_is_refused(workbook):
    path = workbook('[tables.orders]\nfiles = "orders.csv"\ncolumns = { customer = "Kunde" }\n', orders_csv="a,b\n")
    assert (
        refusal(path)
        == "orders: the source has no column 'Kunde', declared for 'customer' under [tables.orders] in sources.toml. It has a, b."
    )


def test_more_bad_rows_than_allowed_are_refused_with_the_remedy(workbook):
    path = workbook(CUSTOMERS, customers_csv="customer,start\na,31/12/2025\nb,2025-01-01\n")
    assert refusal(path) == (
        "customers: 1 of 2 rows break a rule, more than the 5% allowed: 1 start is not a date (row 1: 31/12/2025). "
        'If the dates have another form, declare it: date_format = "%d/%m/%Y" under [tables.customers] in sources.toml. '
        "Mend the source, or allow more: bad_rows_allowed under [workbook]."
    )


@pytest.mark.parametrize(
    ("content", "letter"),
    [
        (b"", "feedback: feedback.csv is empty; not even a header is there."),
        (
            b"a;b\n1;2\n",
            (
                "feedback: feedback.csv has a single column called 'a;b'. "
                'Is the separator ";"? Declare it: separator = ";" under [tables.feedback].'
            ),
        ),
        (
            b'feedback,comment\n1,"never closed\n2,b\n3,c\n',
            "feedback: in feedback.csv a quote that opens on line 2 is never closed, so the rows after it cannot be told apart. Close it.",
        ),
        (
            b"feedback,comment\n1,caf\xe9\n2,b\n",
            (
                "feedback: 1 of 2 rows break a rule, more than the 5% allowed: 1 the line is not in the declared encoding (line 2). "
                'Declare the encoding that the file has: encoding = "…" under [tables.feedback] in sources.toml; cp1252 is what Excel '
                "writes in Western Europe. Mend the source, or allow more: bad_rows_allowed under [workbook]."
            ),
        ),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused(workbook, content, letter):
    assert refusal(workbook('[tables.feedback]\nfiles = "feedback.csv"\n', feedback_csv=content)) == letter


def test_a_parquet_file_that_is_none_is_refused(workbook):
    path = workbook('[tables.feedback]\nfiles = "feedback.parquet"\n', **{"feedback.parquet": b"not parquet at all"})
    assert refusal(path) == (
        "feedback: feedback.parquet is plain text, not Parquet as its name says. If it is CSV, rename it to end in .csv."
    )


def test_a_doubled_column_has_a_number_and_its_plain_name_is_refused_with_an_offer(workbook):
    toml = '[tables.feedback]\nfiles = "feedback.csv"\ncolumns = { comment = "Words" }\n'
    path = workbook(toml, feedback_csv="Words,Words \na,b\n")
    assert refusal(path) == (
        "feedback: the source has no column 'Words', declared for 'comment' under [tables.feedback] in sources.toml. "
        "Did you mean 'Words (1)'?"
    )
    path.write_text(toml.replace('"Words"', '"Words (2)"'))
    assert sources.read(path, as_of="2026-06-30").feedback.execute()["comment"].tolist() == ["b"]


def test_all_tables_are_looked_at_before_the_refusal(workbook):
    path = workbook('[tables.orders]\nfiles = "a.csv"\n[tables.events]\nfiles = "b.csv"\n', a_csv="x\n", b_csv="y\n")
    assert [line.partition(":")[0] for line in refusal(path).splitlines()] == ["orders", "events"]


@pytest.mark.parametrize(
    ("toml", "letter"),
    [
        ("a = ", "sources.toml: this is not valid TOML"),
        ("[table.x]", "sources.toml: 'table' is not known here. Did you mean 'tables'?"),
        ("[workbook]\nname = 'x'\n", "sources.toml: no table is declared."),
        ("[tables.custmers]\nfiles='x.csv'", "sources.toml [tables]: 'custmers' is not known here. Did you mean 'customers'?"),
        ("[tables.events]\nfiels='x.csv'", "sources.toml [tables.events]: 'fiels' is not known here. Did you mean 'files'?"),
        ("[tables.events]\n", "sources.toml [tables.events]: say where the rows are, either files"),
        (
            "[tables.events]\nfiles='x.csv'\ncolumns={activty='a'}",
            "sources.toml [tables.events] columns: 'activty' is not known here. Did you mean 'activity'?",
        ),
        ("[workbook]\ntime_zone='Rome'\n[tables.events]\nfiles='x.csv'", "sources.toml: time_zone 'Rome' is not known."),
        (
            "[workbook]\nbad_rows_allowed=5\n[tables.events]\nfiles='x.csv'",
            "sources.toml [workbook]: bad_rows_allowed is 5; it is a number from 0 to 1.",
        ),
        (
            "[tables.events]\nfiles='gone.csv'",
            "events: there is no file 'gone.csv' beside sources.toml. Correct files under [tables.events].",
        ),
        (ANSWERS, "sources.toml: there are responses and no question."),
        (ANSWERS + "[questions.q]\nscale=[0,10]", "sources.toml [questions.q]: kind is not declared. A question's kind is never guessed"),
        (ANSWERS + "[questions.q]\nkind='nps'", "sources.toml [questions.q]: scale is not declared. A scale is never guessed"),
        (ANSWERS + "[questions.q]\nkind='nps'\nscale=[0,5]", "sources.toml [questions.q]: an nps question has scale [0, 10]"),
        (
            ANSWERS + "[questions.q]\nkind='csat'\nscale=[1,5]",
            "sources.toml [questions.q]: direction is not declared. A direction is never guessed",
        ),
        (
            "[tables.customers]\nfiles='x.csv'\ncolumns={tenure_days='t'}",
            "sources.toml [tables.customers]: a tenure is read and its unit is not declared.",
        ),
        ("[tables.events]\ntable='x'\n", "sources.toml [tables.events]: a table is named and the workbook has no engine."),
    ],
)
def test_a_declaration_that_cannot_be_meant_is_refused(workbook, toml, letter):
    assert refusal(workbook(toml)).startswith(letter)


def test_a_day_that_is_none_is_refused(workbook):
    path = workbook(ANSWERS + QUESTION, answers_csv=plain(9))
    for wrong in ("1995", 1995, "30/06/2026", "2026-02-30", None):
        with pytest.raises(ValueError, match=f"^read: as_of is a day written like '2026-06-30', not {wrong!r}$"):
            sources.read(path, as_of=wrong)


# The account and the check


def test_a_file_with_a_header_and_no_rows_is_a_table_without_rows(workbook):
    path = workbook(ANSWERS + QUESTION, answers_csv=answers([]))
    assert sources.read(path, as_of="2026-06-30").account[["rows_read", "kept"]].iloc[0].tolist() == [0, 0]


def test_the_check_says_where_repeated_answers_cannot_be_told(workbook):
    path = workbook(ANSWERS + QUESTION, answers_csv="respondent,question,score\na,nps,3\na,nps,9\n")
    line = "  repeated answers not looked for: no column is read as wave; one_answer_per can name other columns"
    assert line in sources.check(path).splitlines()
    path.write_text(ANSWERS + 'one_answer_per = ["respondent", "question"]\n' + QUESTION)
    assert line not in sources.check(path).splitlines()


def test_the_check_says_what_would_be_read(workbook):
    path = workbook(
        '[workbook]\nname = "Corner shop"\n' + ANSWERS + QUESTION + "no_answer = [11]\n",
        answers_csv=answers(
            [*[f"r{place},w1,nps,{place % 11},x" for place in range(300)], "s,w1,nps,11,x", "t,w1,nps,99,x"],
            "respondent,wave,question,score,shoe",
        ),
    )
    assert sources.check(path) == (
        "Corner shop: sources.toml, time zone UTC, groups below 5 not shown\n"
        "\n"
        "responses: 302 rows read, 301 kept, no dates\n"
        "  set aside 1: score is outside the scale of its question (row 302: 99)\n"
        "  respondent  301 different, none missing\n"
        "  wave        1 different, none missing\n"
        "  question    1 different, none missing\n"
        "  score       0 to 10, 1 missing\n"
        "  not read: shoe"
    )


def test_the_run_passes_the_door_once_and_the_notebooks_read_what_it_admitted(workbook, tmp_path, monkeypatch):
    path = workbook(ANSWERS + QUESTION, answers_csv=plain(9, 8))
    to = tmp_path / "door"
    to.mkdir()
    assert sources.admit(path, to=to) == ["responses"]
    assert json.loads((to / "account.json").read_text())["inputs"] == sources.inputs(path)
    (tmp_path / "answers.csv").write_text("changed meanwhile")
    monkeypatch.setenv("CXLIB_ADMITTED", str(to))
    assert sorted(sources.read(path, as_of="2026-06-30").responses.execute()["score"]) == [8, 9]


def test_what_is_admitted_is_the_same_to_the_byte_with_one_thread_and_with_two(workbook, tmp_path, monkeypatch):
    path = workbook(ANSWERS + QUESTION, answers_csv=plain(*[place % 11 for place in range(5000)]))
    written = []
    for threads in ("1", "2"):
        monkeypatch.setenv("CXLIB_THREADS", threads)
        to = tmp_path / threads
        to.mkdir()
        sources.admit(path, to=to)
        written.append((to / "responses.parquet").read_bytes())
    assert written[0] == written[1]


def test_a_relative_workbook_is_found_from_a_folder_below(workbook, tmp_path, monkeypatch):
    path = workbook(ANSWERS + QUESTION, answers_csv=plain(9))
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert sources.declared("sources.toml").path == path.resolve()
    with pytest.raises(TableError, match=r"^there is no file 'other\.toml' here or in a folder above\."):
        sources.declared("other.toml")


def test_answers_before_the_day_that_is_looked_at_are_left_out_and_counted(workbook):
    rows = ["a,1,nps,9,2026-01-10", "b,1,nps,8,2026-02-10", "c,1,nps,7,2026-03-10", "d,1,nps,6,"]
    header = "respondent,wave,question,score,time_answered"
    path = workbook(ANSWERS + QUESTION, answers_csv=answers(rows, header))
    book = sources.read(path, as_of="2026-06-30")
    assert book.answered_since("") is book
    later = book.answered_since("2026-02-10")
    assert sorted(later.responses.execute()["respondent"]) == ["b", "c"]
    unseen = later.remarks[later.remarks["became"] == "not looked at"]
    assert unseen[["table", "words", "rows"]].values.tolist() == [["responses", "before 2026-02-10, or without a date", 2]]
    assert accounted(later)


@pytest.mark.parametrize(
    ("since", "message"),
    [
        ("1 May", "answered_since: since is a day written like '2026-06-30', not '1 May'"),
        ("2026-07-01", "answered_since: since is 2026-07-01, after as_of (2026-06-30), so there would be nothing to look at"),
    ],
)
def test_a_first_day_that_is_none_is_refused_in_words(workbook, since, message):
    book = sources.read(workbook(ANSWERS + QUESTION, answers_csv=plain(9, 8)), as_of="2026-06-30")
    with pytest.raises(ValueError, match=re.escape(message)):
        book.answered_since(since)
