"""`cxlib init`: exports of the documented shapes go in; the draft, once confirmed, reads the rows that are there."""

import os
import re
import string
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxlib import draft, sources
from cxlib.__main__ import main
from cxlib.draft import look
from cxlib.tables import TableError

#: One export a template, in the shape its documentation gives; every value is made up.
EXPORTS = {
    "qualtrics": (
        "StartDate,EndDate,Status,IPAddress,Progress,Duration (in seconds),Finished,RecordedDate,ResponseId,RecipientEmail,"
        "ExternalReference,DistributionChannel,UserLanguage,Q1,Q2\n"
        '"Start Date","End Date","Response Type","IP Address","Progress","Duration (in seconds)","Finished","Recorded Date","Response ID",'
        '"Recipient Email","External Data Reference","Distribution Channel","User Language",'
        '"How likely are you to recommend us?","How satisfied are you with us?"\n'
        + ",".join(f'"{{""ImportId"":""x{place}""}}"' for place in range(15))
        + "\n"
        "2026-03-01 10:00:00,2026-03-01 10:05:00,IP Address,192.0.2.1,100,300,True,2026-03-01 10:05:01,R_1,ana@example.org,C1,email,E,9,4\n"
        "2026-03-02 10:00:00,2026-03-02 10:05:00,IP Address,192.0.2.2,100,90,True,2026-03-02 10:05:01,R_2,bea@example.org,C2,email,E,10,5\n"
        "2026-03-03 10:00:00,2026-03-03 10:05:00,Survey Preview,,100,300,True,2026-03-03 10:05:01,R_3,,C3,preview,EN,0,1\n"
    ),
    "surveymonkey": (
        "Respondent ID,Collector ID,Start Date,End Date,IP Address,Email Address,How likely is it that you would recommend us?,"
        "How satisfied are you?,\n"
        ",,,,,,Response,With the delivery,With the price\n"
        "101,7,03/25/2026 09:10:00 AM,03/25/2026 09:12:00 AM,192.0.2.1,ana@example.org,9,Very satisfied,Satisfied\n"
        "102,7,03/26/2026 09:10:00 AM,03/26/2026 09:12:00 AM,192.0.2.2,bea@example.org,10 - Extremely likely,Satisfied,Dissatisfied\n"
        "103,7,03/27/2026 09:10:00 PM,03/27/2026 09:12:00 PM,192.0.2.3,cid@example.org,0,Dissatisfied,Very dissatisfied\n"
    ),
    "typeform": (
        "#,How likely are you to recommend us?,What could be better?,Response Type,Start Date (UTC),Stage Date (UTC),Submit Date (UTC),"
        "Network ID,Tags\n"
        "a1b2,9,Opening hours,completed,2026-03-01 10:00:00,,2026-03-01 10:02:00,f00,\n"
        "a1b3,7,,completed,2026-03-02 10:00:00,,2026-03-02 10:02:00,f01,\n"
        "a1b4,,,started,2026-03-03 10:00:00,2026-03-03 10:01:00,,f02,\n"
    ),
    "google_forms": (
        "Timestamp,Email Address,How likely are you to recommend us?,How easy was it to find what you needed?\n"
        "25/03/2026 18:05:00,ana@example.org,9,5\n"
        "26/03/2026 08:05:00,bea@example.org,8,4\n"
        "27/03/2026 09:05:00,cid@example.org,10,1\n"
    ),
    "zendesk": (
        "Id,Requester,Requester id,Requester email,Subject,Status,Via,Ticket type,Created at,Initially assigned at,Solved at,"
        "Satisfaction Score,Reopens,First reply time in minutes\n"
        "1,Ana,501,ana@example.org,Help,Closed,Mail,Question,2026-03-01 10:00,2026-03-01 10:10,2026-03-01 12:00,Good,0,12\n"
        "2,Bea,502,bea@example.org,Help,Open,Chat,Problem,2026-03-02 10:00,2026-03-02 10:10,,Not Offered,1,\n"
    ),
    "freshdesk": (
        "Ticket ID,Subject,Status,Priority,Source,Type,Agent,Group,Created time,Due by Time,Resolved time,Closed time,"
        "Initial response time,First response time (in hrs),Resolution time (in hrs),Full name,Email,Contact ID\n"
        "1,Help,Closed,Low,Email,Question,X,Y,2026-03-01 10:00:00,2026-03-02 10:00:00,2026-03-01 12:00:00,2026-03-01 12:30:00,"
        "2026-03-01 10:30:00,00:30:00,02:00:00,Ana,ana@example.org,901\n"
        "2,Help,Open,Low,Phone,Incident,X,Y,2026-03-02 10:00:00,2026-03-03 10:00:00,,,,,,Bea,bea@example.org,902\n"
    ),
    "mailchimp": (
        "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,CC,LAST_CHANGED,LEID,EUID,UNSUB_TIME,UNSUB_REASON\n"
        "ana@example.org,Ana,4,2025-01-01 10:00:00,2025-01-01 10:05:00,IT,2026-01-01 10:00:00,11,aa11,,\n"
        "bea@example.org,Bea,2,2025-02-01 10:00:00,2025-02-01 10:05:00,ES,2026-01-01 10:00:00,12,bb12,2026-01-01 10:00:00,NORMAL\n"
    ),
    "stripe": (
        "id,Description,Created (UTC),Amount,Amount Refunded,Currency,Converted Amount,Fee,Status,Customer ID,Customer Email\n"
        "ch_1,,2026-03-01 10:00,12.50,0.00,eur,12.50,0.40,Paid,cus_1,ana@example.org\n"
        "ch_2,,2026-03-01 11:00,99.00,0.00,eur,99.00,0.40,Failed,cus_2,bea@example.org\n"
        "ch_3,,2026-03-02 10:00,20.00,20.00,eur,20.00,0.40,Refunded,cus_2,bea@example.org\n"
    ),
    "shopify": (
        "Name,Email,Financial Status,Paid at,Currency,Subtotal,Total,Created at,Lineitem quantity,Lineitem name,Source,Customer ID\n"
        "#1001,ana@example.org,paid,2026-03-12 09:14:02 +0100,EUR,30.00,35.00,2026-03-12 09:14:02 +0100,1,Soap,web,c1\n"
        "#1001,ana@example.org,,,,,,2026-03-12 09:14:02 +0100,2,Towel,,\n"
        "#1002,bea@example.org,paid,2026-07-13 09:14:02 +0200,EUR,10.00,12.00,2026-07-13 09:14:02 +0200,1,Soap,web,c2\n"
        "#1003,bea@example.org,voided,,EUR,10.00,12.00,2026-07-14 09:14:02 +0200,1,Soap,web,c2\n"
    ),
    "ga4": (
        "event_date,event_timestamp,event_name,user_pseudo_id,session_id,platform\n"
        "20260301,1772359200000000,session_start,u1,u1.1,WEB\n"
        "20260301,1772359260000000,purchase,u1,u1.1,WEB\n"
    ),
    "salesforce": (
        "Id,CaseNumber,ContactId,Reason,Origin,Status,CreatedDate,ClosedDate,ContactEmail,IsDeleted\n"
        "500A,00001001,003A,Installation,Email,Closed,2026-03-01T10:00:00.000Z,2026-03-02T10:00:00.000Z,ana@example.org,false\n"
        "500B,00001002,003B,Performance,Phone,New,2026-03-02T10:00:00.000Z,,bea@example.org,false\n"
        "500C,00001003,003C,Performance,Phone,New,2026-03-03T10:00:00.000Z,,cid@example.org,true\n"
    ),
    "process_log": (
        "case:concept:name,concept:name,time:timestamp,lifecycle:transition,org:resource\n"
        "c1,Submitted,2011-10-01 00:38:44+02:00,SCHEDULE,112\n"
        "c1,Submitted,2011-10-01 00:39:44+02:00,COMPLETE,112\n"
        "c1,Accepted,2011-11-01 00:39:44+01:00,COMPLETE,112\n"
    ),
}

#: The other shapes of a template: template and shape → the export.
SHAPES = {
    "zendesk of the API": (
        '{"id": 1, "requester_id": 501, "type": "question", "status": "closed", "via": {"channel": "email"}, '
        '"created_at": "2026-03-01T10:00:00Z", "metric_set": {"solved_at": "2026-03-01T12:00:00Z", "reopens": 0}}\n'
        '{"id": 2, "requester_id": 502, "type": "problem", "status": "open", "via": {"channel": "chat"}, '
        '"created_at": "2026-03-02T10:00:00Z", "metric_set": {"solved_at": null, "reopens": 1}}\n'
    ),
    "stripe subscriptions": (
        "id,Customer ID,Customer Name,Status,Cancellation Reason,Created (UTC),Start (UTC),Canceled At (UTC),Ended At (UTC)\n"
        "sub_1,cus_1,Ana,active,,2025-03-01 10:00,2025-03-01 10:00,,\n"
        "sub_2,cus_2,Bea,canceled,too expensive,2025-04-01 10:00,2025-04-01 10:00,2025-08-20 09:00,2025-09-01 10:00\n"
    ),
    "stripe charges": (
        "id,object,amount,created,currency,customer,status\n"
        "ch_1,charge,1250,1772359200,eur,cus_1,succeeded\n"
        "ch_2,charge,9900,1772362800,eur,cus_2,failed\n"
        "ch_3,charge,2000,1772445600,eur,cus_2,succeeded\n"
    ),
    "salesforce report": (
        '"Case Number","Account ID","Case Reason","Case Origin","Subject","Date/Time Opened","Date/Time Closed"\n'
        '"00001001","001A","Installation","Email","Help","25/03/2026 10:00","26/03/2026 11:00"\n'
        '"00001002","001B","Performance","Phone","Help","27/03/2026 10:00",""\n'
    ),
    "mailchimp recipients": (
        "Email Address,First Name,Opens,Member Rating,LEID,EUID,First Open\n"
        "ana@example.org,Ana,2,4,11,aa11,2026-03-01 10:00:00\n"
        "bea@example.org,Bea,0,2,12,bb12,\n"
    ),
    "google_forms of Taiwan": (
        "時間戳記,您有多大可能向朋友推薦我們？\n2026/3/25 上午 9:05:00,10\n2026/3/25 下午 6:05:00,9\n2026/3/26 上午 12:10:00,0\n"
    ),
    "google_forms in Spanish": (
        "Marca temporal,¿Qué tan probable es que nos recomiende?\n"
        "25/3/2026 9:05:00 a. m.,10\n25/3/2026 6:05:00 p. m.,9\n26/3/2026 12:10:00 a. m.,0\n"
    ),
    "typeform with an ending": (
        "#,How easy was it?,Response Type,Start Date (UTC),Stage Date (UTC),Submit Date (UTC),Network ID,Tags,Ending\n"
        "a1,5,completed,2023-01-23 06:24:12,,2023-01-23 06:27:59,938f,,thanks\n"
        "a2,4,partial,2023-01-24 06:24:12,2023-01-24 06:25:00,,938e,,\n"
        "a3,1,completed,2023-01-25 06:24:12,,2023-01-25 06:27:59,938d,,thanks\n"
    ),
    "process_log without a life cycle": (
        "case:concept:name,concept:name,time:timestamp,case:clientID\n"
        "1,register,2026-04-22 04:55:00+00:00,1337\n"
        "1,pay,2026-04-22 05:03:00+00:00,1337\n"
    ),
}

MARCH = [*map(pd.Timestamp, ("2026-03-25 09:05", "2026-03-25 18:05", "2026-03-26 00:10"))]

#: template → table → what the door must then say: the rows kept, and one column of them in order.
READ = {
    "qualtrics": ("responses", 4, "score", [9, 4, 10, 5]),
    "surveymonkey": ("responses", 9, "respondent", ["101", "101", "101", "102", "102", "102", "103", "103", "103"]),
    "typeform": ("responses", 2, "score", [9, 7]),
    "google_forms": ("responses", 6, "score", [5, 9, 4, 8, 1, 10]),
    "zendesk": ("tickets", 2, "customer", ["501", "502"]),
    "freshdesk": ("tickets", 2, "customer", ["901", "902"]),
    "mailchimp": ("customers", 2, "customer", ["aa11", "bb12"]),
    "stripe": ("orders", 2, "amount", [12.5, 20.0]),
    "shopify": ("orders", 2, "amount", [35.0, 12.0]),
    "ga4": ("events", 2, "activity", ["session_start", "purchase"]),
    "salesforce": ("tickets", 2, "ticket", ["00001001", "00001002"]),
    "process_log": ("events", 2, "activity", ["Submitted", "Accepted"]),
    "zendesk of the API": ("tickets", 2, "channel", ["email", "chat"]),
    "stripe subscriptions": ("customers", 2, "customer", ["cus_1", "cus_2"]),
    "stripe charges": ("orders", 2, "amount", [1250.0, 2000.0]),
    "salesforce report": ("tickets", 2, "ticket", ["00001001", "00001002"]),
    "mailchimp recipients": ("sends", 2, "send", ["11", "12"]),
    "google_forms of Taiwan": ("responses", 3, "time_answered", MARCH),
    "google_forms in Spanish": ("responses", 3, "time_answered", MARCH),
    "typeform with an ending": ("responses", 2, "respondent", ["a1", "a3"]),
    "process_log without a life cycle": ("events", 2, "activity", ["register", "pay"]),
}


def export(folder: Path, text: str | bytes, name: str = "export.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def confirmed(text: str) -> str:
    """What a person does who agrees with every guess."""
    head, _, rest = text.partition("[confirm]\n")
    section, gap, after = rest.partition("\n\n")
    return head + "[confirm]\n" + section.replace(" = false ", " = true ") + gap + after if rest else text


def workbook(folder: Path, text: str) -> Path:
    path = folder / "sources.toml"
    path.write_text(text, encoding="utf-8")
    return path


# Ready-made templates


def test_every_template_has_an_export_it_is_tried_on():
    named = {line.split()[0] for line in draft.templates().splitlines()}
    assert named == set(EXPORTS)
    assert set(READ) == {*EXPORTS, *SHAPES}
    assert all("https://" in line for line in draft.templates().splitlines())


@pytest.mark.parametrize("name", READ)
def test_an_export_in_the_documented_shape_is_recognised_confirmed_and_read(name, tmp_path):
    raw = (EXPORTS | SHAPES)[name]
    text = draft.draft([export(tmp_path, raw, "export.jsonl" if raw.startswith("{") else "export.csv")], beside=tmp_path)
    (title,) = (line.split(maxsplit=1)[1].split(" (")[0] for line in draft.templates().splitlines() if line.split()[0] == name.split()[0])
    assert f"Recognised as {title}" in text
    path = workbook(tmp_path, text)
    if "= false" in text:
        with pytest.raises(TableError, match=r"guesses wait for you"):
            sources.read(path, as_of="2026-12-31")
    path = workbook(tmp_path, confirmed(text))
    table, rows, column, values = READ[name]
    assert f"{table}" in str(sources.check(path))
    book = sources.read(path, as_of="2026-12-31")
    kept = getattr(book, table).execute()
    assert book.account.set_index("table").loc[table, "kept"] == rows
    assert book.account.set_index("table").loc[table, "set_aside"] == 0
    assert kept[column].dropna().tolist() == values
    assert "@" not in kept.astype(str).to_string(), "addresses are left unread"


def test_an_address_that_alone_says_who_ordered_is_read_only_when_confirmed(tmp_path):
    text = EXPORTS["shopify"].replace(",Customer ID\n", ",Note\n")
    made = tomllib.loads(draft.draft([export(tmp_path, text)], beside=tmp_path))
    assert made["tables"]["orders"]["columns"]["customer"] == "Email"
    assert made["confirm"]["columns_orders"] is False


def test_sheets_of_a_workbook_and_lines_of_json_are_looked_at_like_files(tmp_path):
    orders = pd.DataFrame({"Customer ID": ["c1", "c2"], "Order date": ["2026-03-01", "2026-03-02"], "Amount": [1.5, 2.5]})
    tickets = pd.DataFrame({"Ticket ID": ["t1", "t2"], "Created at": ["2026-03-01 10:00", "2026-03-02 11:00"], "Category": ["a", "b"]})
    with pd.ExcelWriter(tmp_path / "both.xlsx") as book:
        orders.to_excel(book, sheet_name="Sales", index=False)
        tickets.to_excel(book, sheet_name="Help", index=False)
    tickets.to_json(tmp_path / "tickets.jsonl", orient="records", lines=True)
    made = tomllib.loads(draft.draft([tmp_path / "both.xlsx"], beside=tmp_path))
    assert {name: part["sheet"] for name, part in made["tables"].items()} == {"orders": "Sales", "tickets": "Help"}
    made = tomllib.loads(draft.draft([tmp_path / "tickets.jsonl"], beside=tmp_path))
    assert made["tables"]["tickets"]["columns"] == {"ticket": "Ticket ID", "topic": "Category", "time_opened": "Created at"}


def test_a_template_can_be_forced_and_an_unknown_one_is_refused_with_the_known(tmp_path):
    path = export(tmp_path, "case:concept:name,concept:name,time:timestamp\n1,a,2026-01-01 10:00:00\n")
    assert "Recognised as Event log" in draft.draft([path], template="process_log", beside=tmp_path)
    with pytest.raises(TableError, match=r"there is no template 'zendex'\. Did you mean 'zendesk'\?"):
        draft.draft([path], template="zendex")


def test_the_texts_of_qualtrics_questions_become_their_labels(tmp_path):
    text = draft.draft([export(tmp_path, EXPORTS["qualtrics"])], beside=tmp_path)
    questions = tomllib.loads(text)["questions"]
    assert questions["q1"]["label"] == "How likely are you to recommend us?"
    assert (questions["q1"]["kind"], questions["q2"]["kind"]) == ("nps", "csat")


# How a file is written down

SURVEY = "Kundennr;Datum;Q1\n" + "".join(f"K{n};{n % 28 + 1:02d}.03.2026;{n % 11}\n" for n in range(60))


@pytest.mark.parametrize(
    ("encoding", "name"), [("utf-8-sig", None), ("utf-16", "utf-16"), ("cp1252", "cp1252")], ids=["mark", "utf-16", "cp1252"]
)
def test_encodings_and_separators_are_seen(encoding, name, tmp_path):
    text = "Customer ID;Date;How satisfied are you in città?\n" + "".join(f"c{n};2026-03-{n % 28 + 1:02d};{n % 5 + 1}\n" for n in range(60))
    made = tomllib.loads(draft.draft([export(tmp_path, text.encode(encoding))], beside=tmp_path))
    source = made["tables"]["responses"]
    assert source["separator"] == ";"
    assert source.get("encoding") == name
    assert ("encoding" in made.get("confirm", {})) == (name == "cp1252"), "only what is not sure is asked"


def test_chinese_names_are_known_and_big5_is_seen(tmp_path):
    text = "客戶編號,日期,您有多滿意？\n" + "".join(f"c{n},2026-03-{n % 28 + 1:02d},{n % 5 + 1}\n" for n in range(60))
    made = tomllib.loads(draft.draft([export(tmp_path, text.encode("big5"))], beside=tmp_path))
    assert made["tables"]["responses"]["encoding"] == "big5"
    assert made["tables"]["responses"]["columns"] == {"respondent": "客戶編號", "time_answered": "日期"}
    assert [each["kind"] for each in made["questions"].values()] == ["csat"]


@pytest.mark.parametrize(
    "header",
    [
        "Customer ID,Date,Amount",
        "Codice cliente,Data ordine,Importo",
        "Cod client,Data comenzii,Suma",
        "Número de cliente,Fecha de pedido,Importe",
        "客戶編號,訂單日期,金額",
    ],
    ids=["en", "it", "ro", "es", "zh"],
)
def test_columns_are_known_by_name_in_five_languages(header, tmp_path):
    rows = "".join(f"c{n},2026-03-{n % 28 + 1:02d},{n}.50\n" for n in range(30))
    made = tomllib.loads(
        draft.draft([export(tmp_path, f"{header}\n{rows}".replace("Customer ID,Date", "Customer ID,Order date"))], beside=tmp_path)
    )
    assert set(made["tables"]["orders"]["columns"]) >= {"customer", "time_ordered"}
    assert "confirm" not in made


def test_a_title_above_the_header_is_seen(tmp_path):
    text = "Report of March\n\nCustomer ID,Order date,Amount\n" + "".join(f"c{n},2026-03-{n % 28 + 1:02d},{n}.5\n" for n in range(20))
    made = tomllib.loads(draft.draft([export(tmp_path, text)], beside=tmp_path))
    assert made["tables"]["orders"]["header"] == 3


def test_files_of_one_shape_are_one_export_by_a_pattern(tmp_path):
    for month in ("01", "02", "03"):
        export(tmp_path, f"Customer ID,Order date,Amount\nc{month},2026-{month}-01,5.00\n", f"orders-{month}.csv")
    made = tomllib.loads(draft.draft(sorted(tmp_path.glob("*.csv")), beside=tmp_path))
    assert made["tables"]["orders"]["files"] == "orders-*.csv"
    export(tmp_path, "something,else\n1,2\n", "orders-0x.csv")
    made = tomllib.loads(draft.draft([tmp_path / f"orders-0{n}.csv" for n in (1, 2, 3)], beside=tmp_path))
    assert made["tables"]["orders"]["files"] == ["orders-01.csv", "orders-02.csv", "orders-03.csv"], "a pattern would take a stranger in"


def test_of_a_large_file_the_beginning_is_looked_at_and_the_draft_says_so(tmp_path, monkeypatch):
    for name, size in {"WHOLE": 20_000, "FIRST": 8_000}.items():
        monkeypatch.setattr(look, name, size)
    text = "Customer ID,Order date,Amount\n" + "".join(f"c{n:06d},2026-03-{n % 28 + 1:02d},{n}.50\n" for n in range(5_000))
    drafted = draft.draft([export(tmp_path, text)], beside=tmp_path)
    said = re.search(r"([\d,]+) rows looked at of about ([\d,]+)", drafted)
    assert said
    looked, about = (int(number.replace(",", "")) for number in said.groups())
    assert looked < 1_000
    assert 4_500 < about < 5_500


# What is guessed, and on what evidence


def test_a_code_in_a_scale_is_proposed_with_its_count(tmp_path):
    answers = [10] * 40 + [9] * 30 + [3] * 20 + [0] * 5 + [11] * 5
    rows = "".join(f"c{n},2026-03-01,{score}\n" for n, score in enumerate(answers))
    text = draft.draft([export(tmp_path, f"Customer ID,Date,NPS\n{rows}")], beside=tmp_path)
    assert "# NPS: values 0 to 10 in 95 of 100 answers; 11 occurs 5 times: probably a code (confirm question_nps)." in text
    assert tomllib.loads(text)["questions"]["nps"] == {
        "column": "NPS",
        "kind": "nps",
        "scale": [0, 10],
        "direction": "high is good",
        "no_answer": [11],
    }


def test_the_order_of_day_and_month_is_said_with_its_evidence(tmp_path):
    dates = ["25/03/2026"] * 60 + ["03/25/2026"] * 4 + ["01/02/2026"] * 10
    rows = "".join(f"c{n},{day},5.00\n" for n, day in enumerate(dates))
    text = draft.draft([export(tmp_path, f"Customer ID,Order date,Amount\n{rows}")], beside=tmp_path)
    assert "day before month: 60 values only fit day/month, 4 only month/day, 10 either (confirm dates_orders)" in " ".join(
        line.removeprefix("# ") for line in text.splitlines()
    )
    assert tomllib.loads(text)["tables"]["orders"]["date_format"] == "%d/%m/%Y"


def test_numbers_of_another_country_are_to_be_confirmed(tmp_path):
    rows = "".join(f"c{n};2026-03-01;€ 1.{n:03d},50\n" for n in range(100, 150))
    made = tomllib.loads(draft.draft([export(tmp_path, f"Customer ID;Order date;Amount\n{rows}")], beside=tmp_path))
    assert (made["tables"]["orders"]["decimal"], made["tables"]["orders"]["thousands"]) == (",", ".")
    assert "numbers_orders" in made["confirm"]


def test_a_scale_that_runs_backwards_is_told_by_the_question_about_recommending(tmp_path):
    rows = "".join(f"c{n},2026-03-01,{n % 11},{5 - n % 11 * 4 // 10}\n" for n in range(110))
    made = tomllib.loads(draft.draft([export(tmp_path, f"Customer ID,Date,NPS,Overall satisfaction\n{rows}")], beside=tmp_path))
    assert made["questions"]["overall_satisfaction"]["direction"] == "low is good"


def test_a_long_table_of_answers_has_a_question_for_each_of_its_names(tmp_path):
    rows = "".join(f"c{n},2026-03-01,nps,{n % 11}\nc{n},2026-03-01,csat,{n % 5 + 1}\n" for n in range(55))
    made = tomllib.loads(draft.draft([export(tmp_path, f"respondent,Date,question,score\n{rows}")], beside=tmp_path))
    assert {name: each["scale"] for name, each in made["questions"].items()} == {"csat": [1, 5], "nps": [0, 10]}
    assert all("column" not in each for each in made["questions"].values())


def test_a_clickstream_without_sessions_gets_a_pause_to_confirm(tmp_path):
    rows = "".join(f"u{n % 5},click,2026-03-01 10:{n:02d}:00\n" for n in range(40))
    made = tomllib.loads(draft.draft([export(tmp_path, f"user_id,event,timestamp\n{rows}")], beside=tmp_path))
    assert made["tables"]["events"]["session_gap_minutes"] == 30
    assert set(made["confirm"]) == {"session", "time_zone"}


def test_ids_that_lost_digits_doubled_ids_and_personal_columns_are_said(tmp_path):
    rows = "".join(f"1.2E+{10 + n % 9},T{n % 19},2026-03-01 10:00:00,ana{n}@example.org,+39 333 12345{n:02d}\n" for n in range(20))
    text = draft.draft([export(tmp_path, f"Customer ID,Ticket ID,Created at,Contact,Mobile\n{rows}")], beside=tmp_path)
    flat = " ".join(line.removeprefix("# ") for line in text.splitlines())
    assert "customer: 20 values such as 1.2E+10 have lost digits. Export 'Customer ID' as text." in flat
    assert "Not read: Contact (e-mail addresses), Mobile (telephone numbers)." in flat
    assert "example.org" not in text


def test_several_choices_and_yes_or_no_are_offered(tmp_path):
    rows = "".join(f"c{n},2026-03-01,{n % 11},{'Yes' if n % 2 else 'No'},{'Price;Quality' if n % 3 else 'Price'}\n" for n in range(60))
    text = draft.draft([export(tmp_path, f"Customer ID,Date,NPS,Came back,Why\n{rows}")], beside=tmp_path)
    assert '# came_back = { column = "Came back", kind = "choice", values = { No = 0, Yes = 1 } }' in text
    assert '# why = { column = "Why", kind = "choice", choices = ["Price", "Quality"], choices_separated_by = ";" }' in text


# The whole letter


def test_the_whole_draft_of_a_telephone_company(tmp_path):
    rows = "".join(
        f"{n:04d}-ABC,{('Female', 'Male')[n % 2]},{n % 73},{('Month-to-month', 'Two year')[n % 2]},{('Yes', 'No')[n % 3 > 0]}\n"
        for n in range(146)
    )
    text = draft.draft([export(tmp_path, f"customerID,gender,tenure,Contract,Churn\n{rows}", "telco.csv")], beside=tmp_path)
    assert text == (
        "# Drafted by `cxlib init`. What is sure is written as it will be read. What was guessed is listed under [confirm], with\n"
        "# its evidence further down, and refused until it says true: look, correct what is wrong, write true. data/README.md\n"
        "# says what each table and column means; `cxlib check --sources …` shows what would be read.\n"
        "\n"
        "[workbook]\n"
        'name = "telco"\n'
        "# No time of day was seen, so the zone decides nothing yet.\n"
        'time_zone = "UTC"\n'
        "\n"
        "[confirm]\n"
        "# One guess, to be looked at.\n"
        "tenure_unit = false  # customers: 'tenure' counts months\n"
        "\n"
        "\n"
        "# customers: one spell of one customer: from joining to leaving; who comes back has a second row. telco.csv: 146 rows.\n"
        "[tables.customers]\n"
        'files = "telco.csv"\n'
        "values.churned = { No = false, Yes = true }\n"
        "# values up to 72; the file does not say of what (confirm tenure_unit).\n"
        'tenure_unit = "months"\n'
        "# Columns by which a report can be divided:\n"
        '# keys = { gender = "gender" }\n'
        "\n"
        "[tables.customers.columns]\n"
        'customer = "customerID"\n'
        'tenure_days = "tenure"\n'
        'churned = "Churn"\n'
        'plan = "Contract"\n'
        "# Not read: gender.\n"
    )


def test_what_waits_is_refused_with_a_letter_that_says_what_to_do(tmp_path):
    path = workbook(tmp_path, draft.draft([export(tmp_path, EXPORTS["google_forms"])], beside=tmp_path))
    with pytest.raises(TableError) as error:
        sources.declared(path)
    assert str(error.value) == (
        "sources.toml: 3 of 3 guesses wait for you (question_how_likely_are_you_to_recommend_us, "
        "question_how_easy_was_it_to_find_what_you_needed, time_zone). Look at the lines that say (confirm "
        "question_how_likely_are_you_to_recommend_us), correct what is wrong, and write "
        "question_how_likely_are_you_to_recommend_us = true under [confirm]."
    )


def test_init_writes_where_it_is_told_and_never_over_a_file_unasked(tmp_path, capsys):
    path, to = export(tmp_path, EXPORTS["zendesk"]), tmp_path / "sources.toml"
    assert main(["init", str(path), "--to", str(to)]) == 0
    assert capsys.readouterr().out.splitlines()[1] == f"What it would read then:  cxlib check --sources {to}"
    before = to.read_text(encoding="utf-8")
    assert tomllib.loads(before)["tables"]["tickets"]["files"] == "export.csv"
    to.write_text("mine", encoding="utf-8")
    assert main(["init", str(path), "--to", str(to)]) == 2
    assert to.read_text(encoding="utf-8") == "mine"
    assert main(["init", str(path), "--to", str(to), "--force"]) == 0
    assert to.read_text(encoding="utf-8") == before
    assert main(["init"]) == 2
    assert main(["init", str(tmp_path / "none.csv")]) == 3
    assert "there is no file 'none.csv'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("", "is empty"),
        ("only one column\nx\n", "has one column"),
        ("1,2,3\n4,5,6\n", "has no line of names"),
        ("ana@example.org,hello\nbea@example.org,there\n", "has no line of names"),
        ("a,b\n1,2\n", r"none of the files feeds a table that is known(?s:.*)# ours = \"a\"\n# ours = \"b\"$"),
    ],
)
def test_what_cannot_be_drafted_is_said(text, letter, tmp_path):
    with pytest.raises(TableError, match=letter):
        draft.draft([export(tmp_path, text)])


def test_a_file_that_feeds_no_table_has_a_skeleton_beside_what_is_known(tmp_path):
    orders = export(tmp_path, "Customer ID,Order date,Amount\nc1,2026-03-01,5.00\n", "orders.csv")
    strange = export(tmp_path, "Größe;page\n".encode("cp1252") + b"1;/a\n2;/b\n", "web log.csv")
    to = tmp_path / "sources.toml"
    assert main(["init", str(strange), str(orders), "--to", str(to)]) == 0
    text = to.read_text(encoding="utf-8")
    assert text == (
        "# Drafted by `cxlib init`. What is sure is written as it will be read. What was guessed is listed un"
        "der [confirm], with\n"
        "# its evidence further down, and refused until it says true: look, correct what is wrong, write true"
        ". data/README.md\n"
        "# says what each table and column means; `cxlib check --sources …` shows what would be read.\n"
        "\n"
        "[workbook]\n"
        'name = "orders"\n'
        "# No time of day was seen, so the zone decides nothing yet.\n"
        'time_zone = "UTC"\n'
        "\n"
        "[confirm]\n"
        "# One guess, to be looked at.\n"
        "file_web_log = false  # web log.csv is not read: say further down which table it is, or leave it out\n"
        "\n"
        "\n"
        "# orders: one order. orders.csv: 1 rows.\n"
        "[tables.orders]\n"
        'files = "orders.csv"\n'
        "\n"
        "[tables.orders.columns]\n"
        'customer = "Customer ID"\n'
        'time_ordered = "Order date"\n'
        'amount = "Amount"\n'
        "\n"
        "\n"
        "# web log.csv: not read, since it feeds no table that is known.\n"
        "# Which table is it? One of customers, attributes, value_history, orders, invitations, responses, fe"
        "edback, events,\n"
        "# tickets, sends, audits: data/README.md says what each is, and what its columns mean. Write its nam"
        "e for which_table\n"
        "# and the table's names for ours, and take the # away where a line is meant. Two exports of one tabl"
        "e are written\n"
        '# [[tables.…]] both. In short: columns = { ours = "theirs" }. Not wanted? Delete these lines (confir'
        "m file_web_log).\n"
        "# encoding: not UTF-8; the bytes fit this. Look whether letters with accents come out right.\n"
        "# [tables.which_table]\n"
        '# files = "web log.csv"\n'
        '# encoding = "cp1250"\n'
        '# separator = ";"\n'
        "# [tables.which_table.columns]\n"
        '# ours = "Größe"\n'
        '# ours = "page"\n'
    )


def test_a_skeleton_filled_in_as_it_says_is_read(tmp_path):
    orders = export(tmp_path, "Customer ID,Order date,Amount\nc1,2026-03-01,5.00\n", "orders.csv")
    strange = export(tmp_path, "wer;wann;was\nc1;2026-03-01 10:00;a\n", "log.csv")
    text = confirmed(draft.draft([orders, strange], beside=tmp_path))
    book = sources.read(workbook(tmp_path, text), as_of="2026-12-31")
    assert book.account["table"].tolist() == ["orders"], "what is confirmed as it stands is left out"
    filled = text.replace("# [tables.which_table", "[tables.events").replace('# files = "log.csv"', 'files = "log.csv"')
    filled = filled.replace('# separator = ";"', 'separator = ";"')
    for ours, theirs in {"customer": "wer", "time": "wann", "activity": "was"}.items():
        filled = filled.replace(f'# ours = "{theirs}"', f'{ours} = "{theirs}"')
    filled = filled.replace('separator = ";"', 'separator = ";"\nsession_gap_minutes = 30')
    book = sources.read(workbook(tmp_path, filled), as_of="2026-12-31")
    assert book.events.execute()["activity"].tolist() == ["a"]


@pytest.mark.parametrize(
    "name",
    [
        "Cancelled on",
        "Cancellation date",
        "Churn date",
        "Ended",
        "Data di disdetta",
        "Fecha de baja",
        "Data încetării",
        "終止日期",
        "解約日",
    ],
)
def test_the_day_of_leaving_is_known_by_name(name, tmp_path):
    rows = "".join(f"c{n},2025-03-{n % 28 + 1:02d},{'2026-01-05' if n % 3 == 0 else ''}\n" for n in range(30))
    made = tomllib.loads(draft.draft([export(tmp_path, f"Customer ID,Start date,{name}\n{rows}")], beside=tmp_path))
    assert made["tables"]["customers"]["columns"] == {"customer": "Customer ID", "start": "Start date", "end": name}
    assert "leaving" not in made.get("confirm", {})


def test_customers_of_whom_nothing_says_who_left_are_asked_about(tmp_path):
    rows = "".join(f"c{n},2025-03-{n % 28 + 1:02d},{'2026-01-05' if n % 3 == 0 else ''}\n" for n in range(30))
    text = draft.draft([export(tmp_path, f"Customer ID,Start date,Letzter Tag\n{rows}", "kunden.csv")], beside=tmp_path)
    assert text == (
        "# Drafted by `cxlib init`. What is sure is written as it will be read. What was guessed is listed un"
        "der [confirm], with\n"
        "# its evidence further down, and refused until it says true: look, correct what is wrong, write true"
        ". data/README.md\n"
        "# says what each table and column means; `cxlib check --sources …` shows what would be read.\n"
        "\n"
        "[workbook]\n"
        'name = "kunden"\n'
        "# No time of day was seen, so the zone decides nothing yet.\n"
        'time_zone = "UTC"\n'
        "\n"
        "[confirm]\n"
        "# One guess, to be looked at.\n"
        "leaving = false  # customers: nothing says who left: every customer would count as still there; name"
        " the column of leaving under columns end, or churned\n"
        "\n"
        "\n"
        "# customers: one spell of one customer: from joining to leaving; who comes back has a second row. ku"
        "nden.csv: 30 rows.\n"
        "[tables.customers]\n"
        'files = "kunden.csv"\n'
        "# nothing says who left: every customer would count as still there; name the column of leaving under"
        " columns end, or\n"
        "# churned. Dates that are not read: 'Letzter Tag' (confirm leaving).\n"
        "\n"
        "[tables.customers.columns]\n"
        'customer = "Customer ID"\n'
        'start = "Start date"\n'
        "# Not read: Letzter Tag.\n"
    )


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["at the end", "while it prints"])
def test_a_reader_that_stops_reading_ends_the_command_quietly(unbuffered):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        command = [sys.executable, "-m", "cxlib", "init", "--templates"]
        env = os.environ | {"PYTHONUNBUFFERED": unbuffered, "PYTHONPATH": os.pathsep.join(sys.path)}
        ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=env, text=True, check=False, timeout=60)
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, "")


# Hostile text


HOSTILE = [
    '"]\nfiles = "/etc/passwd"\n[workbook]',
    "a\u2028[confirm]",
    "x\x07\x1b[31m",
    '"""',
    "'''",
    "{NPS}",
    "# = [",
    "\u202egnirts",
    "\ufeff=cmd()",
    "a\\",
]


@pytest.mark.parametrize("evil", HOSTILE)
def test_hostile_names_and_cells_stay_in_their_quotes_and_comments(evil, tmp_path):
    cell = evil.replace('"', '""')
    rows = "".join(f'c{n},2026-03-01,{n % 11},"{cell}","{cell}{n}"\n' for n in range(30))
    header = f'Customer ID,Date,NPS,"{cell}","comment {cell}"'
    text = draft.draft([export(tmp_path, f"{header}\n{rows}")], beside=tmp_path)
    made = tomllib.loads(text)
    assert set(made) == {"workbook", "confirm", "tables", "questions"}
    assert set(made["tables"]) == {"responses"}
    assert made["tables"]["responses"]["files"] == "export.csv"
    assert set(made["questions"]) == {"nps"}
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    for line in text.splitlines():
        assert line == "" or line[0] in "#[" or re.match(r"^[\w.]+ *= ", line), line


NAMES = st.text(alphabet=string.printable + "éßñ滿\u2028\u202e\x00", min_size=1, max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(NAMES, min_size=1, max_size=4, unique_by=lambda name: name.strip()),
    cells=st.lists(
        st.sampled_from(["", "1", "5", "N/A", "2026-01-02", "31/12/2025", "Yes", '"', "a,b", "1,5", "99"]), min_size=4, max_size=40
    ),
)
def test_any_names_give_toml_that_parses_and_the_same_every_time(names, cells, tmp_path_factory):
    folder = tmp_path_factory.mktemp("any")
    frame = pd.DataFrame({"Customer ID": [f"c{n}" for n in range(12)], "Date": "2026-03-01", "NPS": range(12)})
    for place, name in enumerate(names):
        frame[f"{name}"] = [cells[(n * (place + 1)) % len(cells)] for n in range(12)]
    path = folder / "any.csv"
    frame.to_csv(path, index=False)
    try:
        text = draft.draft([path], beside=folder)
    except TableError:
        return  # a letter is an answer: names that are data, a line break that no reader takes
    assert tomllib.loads(text)["tables"]
    assert draft.draft([path], beside=folder) == text
    sources.declared(workbook(folder, confirmed(text)))
