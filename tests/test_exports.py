"""Exports as tools write them: several for one table, choices, sessions, zones, marks and codes, each settled at the door and counted."""

from pathlib import Path

import pandas as pd
import pytest

from cxlib import sources
from cxlib.tables import TableError

NPS = '[questions.nps]\nkind = "nps"\nscale = [0, 10]\ndirection = "high is good"\n'
ORDERS = '[tables.orders]\nfiles = "orders.csv"\n'
EVENTS = '[tables.events]\nfiles = "events.csv"\n'


@pytest.fixture
def book(tmp_path):
    """A maker of books: the text of sources.toml, and its files by name."""

    def make(toml: str, **files: str) -> sources.Book:
        for name, content in files.items():
            (tmp_path / f"{name}.csv").write_text(content, encoding="utf-8", newline="")
        (tmp_path / "sources.toml").write_text(toml, encoding="utf-8")
        return sources.read(tmp_path / "sources.toml", as_of="2026-06-30")

    make.path = tmp_path / "sources.toml"  # type: ignore[attr-defined]
    return make


def letter(make, toml: str, **files: str) -> str:
    with pytest.raises(TableError) as error:
        make(toml, **files)
    return str(error.value)


def aside(book: sources.Book) -> dict[str, int]:
    return dict(zip(book.problems["reason"], book.problems["rows"], strict=True))


def noted(book: sources.Book) -> dict[tuple[str, str], int]:
    return {(row.column, row.note): row.rows for row in book.notes.itertuples()}


def times(book: sources.Book) -> list[str]:
    return [str(time) for time in book.events.order_by("case_id").execute()["time"]]


# Several exports


def test_several_exports_feed_one_table_each_with_its_own_settings(book):
    toml = (
        '[[tables.responses]]\nfiles = "wide.csv"\ncolumns = { respondent = "ID" }\n'
        '[[tables.responses]]\nfiles = "long.csv"\nseparator = ";"\ncolumns = { respondent = "who", question = "what", score = "mark" }\n'
        + NPS
        + 'column = "Q1"\n[questions.csat]\nkind = "csat"\nscale = [1, 5]\ndirection = "high is good"\n'
    )
    read = book(toml, wide="ID,Q1\na,9\nb,\n", long="who;what;mark\nc;csat;4\nd;nps;2\n")
    rows = read.responses.order_by("respondent").execute()
    assert rows["respondent"].tolist() == ["a", "b", "c", "d"]
    assert rows["question"].tolist() == ["nps", "nps", "csat", "nps"]
    assert rows["score"].tolist()[0] == 9
    assert read.account.loc[0, ["rows_read", "kept"]].tolist() == [4, 4]


def test_a_row_of_several_exports_is_named_with_its_export(book):
    toml = '[workbook]\nbad_rows_allowed = 0.5\n[[tables.orders]]\nfiles = "a.csv"\n[[tables.orders]]\nfiles = "b.csv"\n'
    head = "order,customer,time_ordered\n"
    read = book(toml, a=head + "1,x,2026-01-01\n2,x,2026-01-02\n", b=head + "3,x,soon\n2,y,2026-01-03\n")
    assert dict(zip(read.problems["reason"], read.problems["first"], strict=True)) == {
        "a second row with the same order": "export 2 row 2: 2",
        "time_ordered is not a date and time": "export 2 row 1: soon",
    }
    assert sorted(read.orders.execute()["customer"]) == ["x", "x"]


def test_several_answers_are_told_across_exports(book):
    toml = '[[tables.responses]]\nfiles = "a.csv"\n[[tables.responses]]\nfiles = "b.csv"\n' + NPS
    head = "respondent,wave,question,score,time_answered\n"
    read = book(toml, a=head + "x,w,nps,3,2026-01-02\n", b=head + "x,w,nps,9,2026-01-03\n")
    assert read.responses.execute()["score"].tolist() == [9]
    assert read.account["repeats"].tolist() == [1]


def test_a_question_that_no_export_answers_is_refused(book):
    toml = '[[tables.responses]]\nfiles = "a.csv"\n[[tables.responses]]\nfiles = "b.csv"\n' + NPS + 'column = "Q1"\n'
    toml += '[questions.gone]\nkind = "csat"\nscale = [1, 5]\ndirection = "high is good"\ncolumn = "Q9"\n'
    assert letter(book, toml, a="respondent,Q1\nx,1\n", b="respondent,Q1\ny,1\n") == (
        "responses: none of its 2 exports has the column 'Q9', declared for the question 'gone'. "
        "Correct column under [questions.gone] in sources.toml."
    )


# Choices

CELL = '[questions.why]\nkind = "choice"\ncolumn = "Why"\nchoices = ["Price", "Price, in shops", "Quality"]\nchoices_separated_by = ","\n'


def test_several_choices_in_a_cell_become_a_row_each(book):
    toml = '[tables.responses]\nfiles = "a.csv"\ncolumns = { respondent = "ID" }\n' + CELL
    read = book(toml, a='ID,Why\n1,"Price, in shops, Quality"\n2,Price\n3,\n')
    rows = read.responses.order_by(["respondent", "choice"]).execute()
    got = {(row.respondent, row.choice): row.score for row in rows.itertuples()}
    assert [got["1", choice] for choice in ("Price", "Price, in shops", "Quality")] == [0, 1, 1]
    assert [got["2", choice] for choice in ("Price", "Price, in shops", "Quality")] == [1, 0, 0]
    assert all(pd.isna(got["3", choice]) for choice in ("Price", "Price, in shops", "Quality"))
    assert set(rows["kind"]) == {"choice"}


@pytest.mark.parametrize("long", [False, True], ids=["wide", "long"])
def test_a_code_of_0_for_no_answer_is_not_the_0_of_a_choice_that_was_not_chosen(book, long):
    toml = '[tables.responses]\nfiles = "a.csv"\n[questions.way]\nkind = "choice"\nchoices = ["1", "2"]\nno_answer = ["0"]\n'
    rows = "respondent,question,score\na,way,1\nb,way,2\nc,way,0\n" if long else "respondent,Way\na,1\nb,2\nc,0\n"
    read = book(toml + ("" if long else 'column = "Way"\n'), a=rows).responses.order_by(["respondent", "choice"]).execute()
    assert read["score"].tolist()[:4] == [1, 0, 0, 1]
    assert read["score"].isna().tolist() == [False] * 4 + [True] * 2


def test_several_choices_in_a_long_file_become_a_row_each(book):
    toml = '[tables.responses]\nfiles = "a.csv"\n' + NPS + CELL.replace('column = "Why"\n', "")
    read = book(toml, a='respondent,question,score\n1,nps,9\n1,why,"Quality, Price"\n2,nps,3\n')
    rows = read.responses.order_by(["respondent", "question", "choice"]).execute()
    assert rows["score"].tolist() == [9, 1, 0, 1, 3]
    assert rows["choice"].tolist() == [None, "Price", "Price, in shops", "Quality", None]
    assert read.account["rows_read"].tolist() == [5]


def test_choices_over_several_columns_are_chosen_or_not_and_all_empty_is_no_answer(book):
    toml = '[tables.responses]\nfiles = "a.csv"\ncolumns = { respondent = "ID" }\n[questions.why]\nkind = "choice"\n'
    toml += 'choices = { Price = "Q5_1", Quality = "Q5_2" }\n'
    rows = book(toml, a="ID,Q5_1,Q5_2\n1,Price,\n2,0,1\n3,,\n").responses.order_by(["respondent", "choice"]).execute()
    assert rows["score"].tolist()[:4] == [1, 0, 0, 1]
    assert rows["score"].isna().tolist() == [False] * 4 + [True] * 2


def test_a_yes_no_question_is_a_choice_without_choices(book):
    toml = '[tables.responses]\nfiles = "a.csv"\ncolumns = { respondent = "ID" }\n'
    toml += '[questions.again]\nkind = "choice"\ncolumn = "Again"\nvalues = { Yes = 1, No = 0 }\n'
    rows = book(toml, a="ID,Again\n1,Yes\n2,No\n3,\n").responses.order_by("respondent").execute()
    assert rows["score"].tolist()[:2] == [1, 0]
    assert rows["choice"].isna().all()


def test_a_choice_that_nobody_declared_is_refused_with_its_count(book):
    toml = '[tables.responses]\nfiles = "a.csv"\ncolumns = { respondent = "ID" }\n' + CELL
    rows = "".join(f"{place},Price\n" for place in range(98)) + "98,Colour\n99,Colour\n"
    assert letter(book, toml, a="ID,Why\n" + rows) == (
        "responses: 'Colour' occurs twice among the 100 answers to 'why' (2.0%), and is not one of its choices. If it means 'no answer', "
        'declare it: no_answer = ["Colour"] under [questions.why] in sources.toml; '
        "if 'Colour' can be chosen, declare it there: choices."
    )


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ('kind = "choice"\n', "a choice question needs choices, or, where it is yes or no, values = { Yes = 1, No = 0 }."),
        (
            'kind = "choice"\nscale = [0, 1]\nchoices = ["a"]\n',
            "a choice is chosen or not; it has no scale and no direction. Leave them out.",
        ),
        ('kind = "csat"\nscale = [1, 5]\ndirection = "high is good"\nchoices = ["a"]\n', 'only a question of kind "choice" has choices.'),
        (
            'kind = "choice"\nchoices = ["a", "a"]\n',
            'choices is ["a", "a"]; it is a list of different names such as ["Price", "Quality"].',
        ),
    ],
)
def test_choices_that_cannot_be_meant_are_refused(book, question, words):
    toml = '[tables.responses]\nfiles = "a.csv"\n[questions.q]\n' + question
    assert letter(book, toml, a="respondent\n") == f"sources.toml [questions.q]: {words}"


# Which rows


def test_only_the_rows_that_are_meant_come_in_and_the_others_are_counted(book):
    toml = EVENTS + 'only = { "lifecycle" = ["COMPLETE", "complete"] }\n'
    rows = "1,a,2026-01-01,COMPLETE\n1,b,2026-01-02,SCHEDULE\n1,c,nonsense,START\n1,d,2026-01-04,complete \n"
    read = book(toml, events="case_id,activity,time,lifecycle\n" + rows)
    assert read.events.execute()["activity"].tolist() == ["a", "d"]
    assert read.account.loc[0, ["rows_read", "kept", "set_aside", "not_meant"]].tolist() == [4, 2, 0, 2]
    assert "  left out 2: not meant for this table, as only says" in sources.check(book.path).splitlines()


def test_exact_doubles_without_an_identifier_are_kept_and_counted_unless_declared(book):
    rows = "case_id,activity,time\n1,a,2026-01-01\n1,a,2026-01-01\n1,b,2026-01-01\n"
    read = book(EVENTS, events=rows)
    assert read.account["kept"].tolist() == [3]
    assert noted(read) == {("", "alike in every column that is read; without an identifier nobody can tell whether a row is doubled"): 1}
    read = book("[workbook]\nbad_rows_allowed = 0.5\n" + EVENTS + 'exact_doubles = "set aside"\n', events=rows)
    assert read.account["kept"].tolist() == [2]
    assert aside(read) == {"alike in every column that is read to an earlier row": 1}


def test_sessions_are_made_by_a_pause_and_a_row_set_aside_makes_none(book):
    toml = "[workbook]\nbad_rows_allowed = 0.5\n" + EVENTS + "session_gap_minutes = 30\n"
    rows = [
        "a,x,2026-01-01 10:00:00",
        "b,x,2026-01-01 10:10:00",
        "a,y,2026-01-01 10:30:00",
        "a,z,2026-01-01 11:00:01",
        "a,,2026-01-01 10:45:00",
    ]
    read = book(toml, events="customer,activity,time\n" + "\n".join(rows) + "\n")
    events = read.events.order_by(["customer", "time"]).execute()
    assert events["case_id"].tolist() == ["a 1", "a 1", "a 2", "b 1"]
    assert events["activity"].tolist() == ["x", "y", "z", "x"]


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        (
            ORDERS + "session_gap_minutes = 30\n",
            "sources.toml [tables.orders]: session_gap_minutes makes cases of events; orders have none.",
        ),
        (
            EVENTS + 'session_gap_minutes = 30\ncolumns = { case_id = "id" }\n',
            "sources.toml [tables.events]: case_id is read from 'id', and session_gap_minutes would make it. Keep one.",
        ),
        (
            EVENTS + 'date_format = ["%d/%m/%Y", "%m/%d/%Y"]\n',
            (
                'sources.toml [tables.events]: date_format has both "%d/%m/%Y" and "%m/%d/%Y", which read 03/04 as different days. '
                "Which one an export means cannot be told row by row. Declare the right one; what does not fit it is set aside and counted."
            ),
        ),
        (
            EVENTS + 'date_format = "dd/mm/yyyy"\n',
            (
                'sources.toml [tables.events]: date_format is "dd/mm/yyyy"; it is a form such as "%d/%m/%Y %H:%M", or one of '
                "epoch seconds, epoch milliseconds, epoch microseconds."
            ),
        ),
        (
            EVENTS + 'time_zone = "Rome"\n',
            "sources.toml [tables.events]: time_zone 'Rome' is not known. Use a name such as \"Europe/Rome\".",
        ),
        (
            EVENTS + 'thousands = "."\n',
            'sources.toml [tables.events]: thousands is "."; it is ",", ".", " " or "\'", and not the decimal mark.',
        ),
        (EVENTS + 'exact_doubles = "drop"\n', 'sources.toml [tables.events]: exact_doubles is "drop"; it is "keep" or "set aside".'),
        (
            EVENTS + "header = [1, 3]\n",
            "sources.toml [tables.events]: header is [1, 3]; it is the header's line, or two that follow each other such as [1, 2].",
        ),
        (
            EVENTS + 'only = { "shoe" = ["a"] }\n',
            "events: the source has no column 'shoe', named by only under [tables.events] in sources.toml.",
        ),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(book, toml, words):
    assert letter(book, toml, events="case_id,activity,time\n", orders="customer,time_ordered\n").startswith(words)


# Times


def test_times_of_an_export_are_read_in_its_own_zone(book):
    toml = '[workbook]\ntime_zone = "Europe/Rome"\n' + EVENTS + 'time_zone = "UTC"\n'
    read = book(toml, events="case_id,activity,time\n1,a,2026-01-31 23:30:00\n2,a,2026-06-01T10:00\n3,a,2026-06-01 10:00:00+02:00\n")
    assert times(read) == ["2026-02-01 00:30:00", "2026-06-01 12:00:00", "2026-06-01 10:00:00"]


@pytest.mark.parametrize(
    ("form", "value"), [("seconds", "1767222000"), ("milliseconds", "1767222000000"), ("microseconds", "1767222000000000")]
)
def test_moments_may_be_numbers_since_1970(book, form, value):
    toml = '[workbook]\ntime_zone = "Europe/Rome"\n' + EVENTS + f'date_format = "epoch {form}"\n'
    assert times(book(toml, events=f"case_id,activity,time\n1,a,{value}\n")) == ["2026-01-01 00:00:00"]


def test_an_hour_that_the_clocks_skip_never_was(book):
    toml = '[workbook]\ntime_zone = "Europe/Rome"\nbad_rows_allowed = 0.5\n' + EVENTS
    read = book(toml, events="case_id,activity,time\n1,a,2026-03-29 02:30:00\n2,a,2026-03-29 03:30:00\n3,a,2026-03-29 01:59:59\n")
    assert aside(read) == {"time is in the hour that the clocks of Europe/Rome skip": 1}
    assert times(read) == ["2026-03-29 03:30:00", "2026-03-29 01:59:59"]


def test_an_hour_that_the_clocks_show_twice_is_kept_and_counted(book):
    toml = '[workbook]\ntime_zone = "Europe/Rome"\n' + EVENTS
    read = book(toml, events="case_id,activity,time\n1,a,2025-10-26 02:30:00\n2,a,2025-10-26 02:30:00+02:00\n3,a,2025-10-26 04:00:00\n")
    assert noted(read) == {
        ("time", "is in the hour that the clocks of Europe/Rome show twice, and does not say which"): 1,
        ("time", "names no time zone where others do; it is read as Europe/Rome"): 2,
    }
    assert times(read) == ["2025-10-26 02:30:00", "2025-10-26 02:30:00", "2025-10-26 04:00:00"]


def test_each_column_may_have_a_form_of_its_own_or_several_that_agree(book):
    toml = '[tables.tickets]\nfiles = "t.csv"\ndate_format = { time_opened = "%d/%m/%Y", time_resolved = ["%Y%m%d %H:%M", "%Y%m%d"] }\n'
    read = book(toml, t="ticket,time_opened,time_resolved\n1,05/01/2026,20260106 10:30\n2,05/01/2026,20260107\n")
    rows = read.tickets.order_by("ticket").execute()
    assert [str(time) for time in rows["time_opened"]] == ["2026-01-05 00:00:00"] * 2
    assert [str(time) for time in rows["time_resolved"]] == ["2026-01-06 10:30:00", "2026-01-07 00:00:00"]


# Numbers


@pytest.mark.parametrize(
    ("settings", "text", "amount"),
    [
        ("", "12.50", 12.5),
        ("", " 12.50 ", 12.5),
        ("", "€ 12.50", 12.5),
        ("", "12.50 EUR", 12.5),
        ("", "NT$1200", 1200.0),
        ("", "-3.5", -3.5),
        ("", ".5", 0.5),
        ('thousands = ","\n', "1,234,567.5", 1234567.5),
        ('decimal = ","\n', "12,50", 12.5),
        ('decimal = ","\n', "1.234,50", 1234.5),
        ('decimal = ","\n', "1.234", 1234.0),
        ('decimal = ","\n', "12,90 lei", 12.9),
        ('decimal = ","\nthousands = " "\n', "1\u00a0234,5", 1234.5),
        ('decimal = ","\nthousands = "\'"\n', "1'234,5", 1234.5),
    ],
)
def test_a_number_is_read_as_its_export_writes_it(book, settings, text, amount):
    rows = book(ORDERS + settings, orders=f'customer,time_ordered,amount\na,2026-01-01,"{text}"\n').orders.execute()
    assert rows["amount"].tolist() == [amount]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ("", "1,234"),
        ("", "1.234,5"),
        ("", "1_000"),
        ("", "nan"),
        ("", "12 5"),
        ("", "50%"),
        ("", "(5)"),
        ('decimal = ","\n', "1.5"),
        ('decimal = ","\n', "12.34,5"),
        ('thousands = ","\n', "12,34"),
    ],
)
def test_what_could_be_two_numbers_or_none_is_set_aside(book, settings, text):
    toml = "[workbook]\nbad_rows_allowed = 1\n" + ORDERS + settings
    assert aside(book(toml, orders=f'customer,time_ordered,amount\na,2026-01-01,"{text}"\n')) == {"amount is not a number": 1}


def test_signs_of_money_are_counted(book):
    read = book(ORDERS, orders="customer,time_ordered,amount\na,2026-01-01,€12\nb,2026-01-01,13\n")
    assert noted(read) == {("amount", "has the sign € beside the number, which is dropped"): 1}


# Identifiers and strangers


def test_an_identifier_that_a_spreadsheet_turned_into_a_number_is_set_aside(book):
    toml = "[workbook]\nbad_rows_allowed = 0.5\n" + ORDERS
    read = book(toml, orders="customer,time_ordered\n1.23457E+17,2026-01-01\n1e+21,2026-01-01\n1e4,2026-01-01\na+b,2026-01-01\n")
    assert aside(read) == {"customer has lost digits: a program took it for a number": 2}


def test_whole_numbers_of_a_spreadsheet_are_identifiers_as_they_look(book, tmp_path):
    frame = pd.DataFrame({"customer": [12345.0, 2.0**60], "time_ordered": pd.to_datetime(["2026-01-01", "2026-01-02"])})
    frame.to_parquet(tmp_path / "orders.parquet")
    read = book("[workbook]\nbad_rows_allowed = 0.5\n" + ORDERS.replace(".csv", ".parquet"))
    assert read.orders.execute()["customer"].tolist() == ["12345"]
    assert aside(read) == {"customer has lost digits: a program took it for a number": 1}


CUSTOMERS = '[tables.customers]\nfiles = "customers.csv"\n'
KNOWN = "customer,start\n" + "".join(f"{place},2025-01-01\n" for place in range(30))


def test_rows_of_customers_nobody_knows_are_kept_and_counted(book):
    rows = "customer,time_ordered\n" + "".join(f"{place},2026-01-01\n" for place in range(25, 35))
    read = book(CUSTOMERS + ORDERS, customers=KNOWN, orders=rows)
    assert noted(read) == {("customer", "is not in the table customers"): 5}
    assert read.account["kept"].tolist() == [30, 10]


def test_a_table_of_strangers_only_is_refused(book):
    rows = "customer,time_ordered\n" + "".join(f"{place}.0,2026-01-01\n" for place in range(30))
    assert letter(book, CUSTOMERS + ORDERS, customers=KNOWN, orders=rows) == (
        "orders: none of its 30 rows names a customer of the table customers ('customer' has '0.0', customers has '0'). Export identifiers "
        "as text from both systems, or, where orders is of other people, leave customers out of sources.toml."
    )


# Words that look like something else


def test_words_that_look_like_no_answer_are_counted_until_declared(book):
    toml = '[tables.feedback]\nfiles = "f.csv"\n'
    rows = "feedback,channel,comment\n1,web,N/A\n2,?,fine\n3,web,perÃ² non Ã¨ vero\n4,web,n/a or not\n"
    said = "looks like no answer, and is not declared under no_answer"
    assert noted(book(toml, f=rows)) == {
        ("channel", said): 1,
        ("comment", said): 1,
        ("comment", "has signs such as Ã¨ of text that was read in a wrong encoding"): 1,
    }
    read = book(toml + 'no_answer = ["N/A", "?"]\n', f=rows)
    assert ("channel", said) not in noted(read)
    assert read.feedback.order_by("feedback").execute()["channel"].tolist() == ["web", None, "web", "web"]


@pytest.mark.parametrize("word", ["?", "-", "--", "NULL", "none", "nan", "NaN", "N/A", "n/a", "#N/A", "NA", "n.a.", "不適用", "無"])
def test_a_word_for_no_answer_is_seen_whatever_its_length_and_letters(book, word):
    toml = '[tables.feedback]\nfiles = "f.csv"\n'
    said = "looks like no answer, and is not declared under no_answer"
    near = "".join(f"{place}{word},{word} {place},web\n" for place in range(3))
    assert noted(book(toml, f=f"customer,comment,channel\n{near}")) == {}
    read = book(toml, f=f"customer,comment,channel\n{near}{word},{word},{word}\n")
    assert noted(read) == {(column, said): 1 for column in ("customer", "comment", "channel")}


@pytest.mark.parametrize("word", ["...", "null", "Nil", "s/d", "S/D", "n.d.", "#na", "blank", "Did not answer"])
def test_a_longer_or_rarer_word_for_no_answer_is_seen_in_a_text(book, word):
    rows = f"customer,comment\n1,{word}\n2,{word} or not\n"
    said = "looks like no answer, and is not declared under no_answer"
    assert noted(book('[tables.feedback]\nfiles = "f.csv"\n', f=rows)) == {("comment", said): 1}


def test_the_check_shows_what_was_noted(book):
    book(ORDERS, orders="customer,time_ordered,amount\na,2026-01-01,€12\n")
    assert sources.check(book.path).splitlines()[-1] == "  noted 1: amount has the sign € beside the number, which is dropped"


def test_the_order_of_the_rows_is_the_files_with_many_threads(book, tmp_path):
    rows = "".join(f"{place},web,comment {place}\n" for place in range(300_000))
    book('[tables.feedback]\nfiles = "f.csv"\nno_answer = ["x", "y", "z", "u", "v", "w"]\n', f="feedback,channel,comment\n" + rows)
    to = Path(tmp_path / "door")
    to.mkdir()
    sources.admit(book.path, to=to)
    assert pd.read_parquet(to / "feedback.parquet")["feedback"].astype(int).is_monotonic_increasing


def test_every_setting_stands_in_the_list_for_people():
    from cxlib.sources import question, source

    listed = (Path(__file__).parents[1] / "data" / "settings.md").read_text(encoding="utf-8")
    assert [name for name in (*source._SETTINGS, *question._SETTINGS) if f"`{name}`" not in listed and f"`{name}." not in listed] == []


def test_where_nobody_wrote_down_who_left_nothing_is_said_of_leaving(book):
    from cxlib import churn

    read = book(CUSTOMERS, customers=KNOWN)
    for result in (
        churn.survival(read.customers, as_of="2026-06-30"),
        churn.churn_rate(read.customers, as_of="2026-06-30"),
        churn.median_tenure(read.customers, as_of="2026-06-30"),
    ):
        assert len(result) == 0
        assert result.attrs["reason"] == "Nothing that was read says who left, so nothing can be said of leaving."
    stayed = book(CUSTOMERS, customers=KNOWN.replace("customer,start", "customer,start,end").replace("-01\n", "-01,\n"))
    assert churn.survival(stayed.customers, as_of="2026-06-30")["estimate"].tolist()[-1] == 1.0


def test_what_a_stranger_wrote_is_no_formula_in_the_rows_set_aside(book, tmp_path):
    toml = "[workbook]\nbad_rows_allowed = 1\n" + ORDERS
    book(toml, orders='customer,time_ordered,amount\n"=cmd()",soon,-5\n"@x",soon,"-a"\n')
    to = tmp_path / "door"
    to.mkdir()
    sources.admit(book.path, to=to)
    rows = pd.read_csv(to / "set_aside" / "orders.csv", dtype=str)
    assert rows["customer"].tolist() == ["'=cmd()", "'@x"]
    assert rows["amount"].tolist() == ["-5", "'-a"]


def test_the_check_names_files_from_elsewhere(tmp_path):
    (tmp_path / "elsewhere.csv").write_text("customer,time_ordered\na,2026-01-01\n")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "sources.toml").write_text('[tables.orders]\nfiles = "../elsewhere.csv"\n')
    assert "files outside the folder of sources.toml: " in sources.check(tmp_path / "here" / "sources.toml").splitlines()[1]


def test_points_above_the_points_possible_are_set_aside(book):
    toml = '[workbook]\nbad_rows_allowed = 0.5\n[tables.audits]\nfiles = "a.csv"\n'
    rows = "1,shop,x,5,5,2026-01-01\n1,shop,y,6,5,2026-01-01\n"
    assert aside(book(toml, a="audit,place,item,points,points_possible,time_audited\n" + rows)) == {"points is above points_possible": 1}
