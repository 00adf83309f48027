"""`cxlib init` as a newcomer meets it: awkward exports in five languages; what is asked, how long the letter is, what is read."""

import datetime as dt
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import openpyxl
import pytest

from cxlib import draft, sources
from cxlib.tables import TableError


class Export(NamedTuple):
    """Files by name, what must be asked, and what is read once that is confirmed: table, rows kept."""

    files: dict[str, bytes]
    asked: set[str]
    table: str
    kept: int


def day(number: int, form: str = "%Y-%m-%d") -> str:
    return f"{dt.date(2026, 1, 1) + dt.timedelta(days=number):{form}}"


def surveymonkey_in_italian() -> Export:
    words = ("Molto soddisfatto", "Soddisfatto", "Né soddisfatto né insoddisfatto", "Insoddisfatto")
    rows = "".join(
        f"{1000 + n};77;{day(n % 80, '%d/%m/%Y')} 09:10;{day(n % 80, '%d/%m/%Y')} 09:20;10.0.0.1;"
        f"{(10, 9, '10 - Estremamente probabile', 3)[n % 4]};"
        f"{words[n % 4]};{words[n % 3]};{'Prezzo' if n % 2 else ''};{'Qualità' if n % 3 else ''};"
        f'"La consegna è arrivata tardi, e nessuno risponde {n}"\r\n'
        for n in range(120)
    )
    head = (
        "ID rispondente;ID agente di raccolta;Data inizio;Data fine;Indirizzo IP;Con quale probabilità ci consiglieresti?;"
        "Quanto sei soddisfatto di quanto segue?;;Perché hai scelto noi?;;Altro da aggiungere?\r\n"
        ";;;;;;Consegna;Prezzo;Prezzo;Qualità;Risposta aperta\r\n"
    )
    questions = {"question_con_quale_probabilita_ci_consiglieresti", "question_quanto_sei_soddisfatto_di_quanto_segue"}
    return Export({"sm.csv": (head + rows).encode("utf-8-sig")}, {"columns_responses", "time_zone", *questions}, "responses", 360)


def orders_in_romanian() -> Export:
    rows = "".join(f"C{n % 40:04d};CMD{n};{day(n % 100, '%d.%m.%Y')};{n + 1},{n % 90 + 10};RON;Iaşi\r\n" for n in range(200))
    text = f"Cod client;Număr comandă;Data comenzii;Valoare;Monedă;Oraş\r\n{rows}"
    return Export({"comenzi.csv": text.encode("cp1250")}, {"encoding", "numbers_orders"}, "orders", 200)


def form_in_chinese(encoding: str) -> Export:
    words = ("非常滿意", "滿意", "普通", "不滿意", "非常不滿意")
    rows = "".join(
        f"2026/{1 + n % 3}/{1 + n % 27} {('上午', '下午')[n % 2]} {1 + n % 11}:{n % 60:02d}:07,"
        f'{n % 11},{words[n % 5]},"{("門市, 網站", "門市", "電話")[n % 3]}"\n'
        for n in range(80)
    )
    text = f"時間戳記,您有多大可能向朋友推薦我們？,您對服務的滿意程度,您使用哪些服務？\n{rows}"
    asked = {"question_nps", "question_csat", "time_zone", *(["encoding"] if encoding != "utf-8" else [])}
    return Export({"form.csv": text.encode(encoding)}, asked, "responses", 160)


def customers_in_a_spanish_workbook(folder: Path) -> Export:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Informe de clientes 2026"])
    sheet.append([])
    sheet.append(["N.º de cliente", "Nombre", "Correo", "Fecha de alta", "Fecha de baja", "Motivo de baja", "Tarifa"])
    for n in range(60):
        end = dt.date(2025, 3, 1) + dt.timedelta(days=n) if n % 3 == 0 else None
        start = dt.date(2024, 3, 1) + dt.timedelta(days=5 * n)
        sheet.append(
            [float(100_200 + n), f"Ana {n}", f"a{n}@example.org", start, end, "Precio" if end else None, ("Básica", "Plus")[n % 2]]
        )
    book.save(folder / "made.xlsx")
    return Export({"clientes.xlsx": (folder / "made.xlsx").read_bytes()}, set(), "customers", 60)


def clicks_counted_from_1970() -> Export:
    rows = "".join(
        f"{1_767_225_600_000 + n * 37_000},{5000 + n % 30}.0,{('view', 'cart', 'purchase')[n % 3]},/p/{n % 9}\n" for n in range(500)
    )
    return Export({"clicks.csv": f"ts,visitor_id,event,page\n{rows}".encode()}, {"session", "time_zone"}, "events", 500)


def wide_survey_in_words() -> Export:
    words = ("Very satisfied", "Satisfied", "Neutral", "Dissatisfied", "N/A")
    rows = "".join(
        f"R{n},{day(n % 60)},{words[n % 5]},{('Easy', 'Very easy', 'Difficult')[n % 3]},{(0, 5, 8, 9, 10, 99)[n % 6]},"
        f'"{("Price;Quality", "Price", "Quality")[n % 3]}",{("Yes", "No")[n % 2]},{("18-24", "25-34")[n % 2]}\n'
        for n in range(150)
    )
    head = (
        "Response ID,Date submitted,Overall how satisfied are you?,How easy was it?,NPS score,Why us? (all that apply),"
        "Would you buy again?,Age group\n"
    )
    questions = {"question_overall_how_satisfied_are_you", "question_how_easy_was_it", "question_nps_score"}
    return Export({"wide.csv": (head + rows).encode()}, questions, "responses", 450)


def tickets_of_two_months() -> Export:
    made = {}
    for month in ("01", "02"):
        rows = "".join(
            f"{month}{n:03d},{n % 9}.0,{('Fatturazione', 'Guasto')[n % 2]},"
            f"{month}/{1 + n % 12:02d}/2026 {n % 24:02d}:05,{month}/{1 + n % 12:02d}/2026 {n % 24:02d}:45\n"
            for n in range(50)
        )
        made[f"ticket_2026_{month}.csv"] = f"Numero ticket,Codice cliente,Argomento,Data apertura,Data chiusura\n{rows}".encode()
    return Export(made, {"dates_tickets", "time_zone"}, "tickets", 100)


def three_rows_in_spanish() -> Export:
    text = "Cliente,Fecha,Puntuación,Comentario\n1,03/04/2026,9,Muy bien\n2,05/04/2026,7,\n3,06/04/2026,10,Todo perfecto\n"
    return Export({"tiny.csv": text.encode()}, {"dates_responses", "question_puntuacion"}, "responses", 3)


def three_hundred_columns() -> Export:
    names = [f"Q{block}_{place}" for block in range(1, 28) for place in range(1, 12)]
    rows = "".join(
        f"{n},{day(n % 30)},1.5," + ",".join(str((1, 2, 3, 4, 5, 9)[(n * 7 + place) % 6]) for place in range(len(names))) + "\n"
        for n in range(90)
    )
    asked = {f"question_q{block}" for block in range(1, 28)}
    return Export({"wide.csv": f"respid,interview_date,weight,{','.join(names)}\n{rows}".encode()}, asked, "responses", 90 * 297)


def mailing_with_a_control_group() -> Export:
    rows = "".join(
        f"{n},{('Gruppo di controllo', 'Mail A', 'Mail B')[n % 3]},2026-02-03T08:00:00Z,"
        f"{'2026-02-03T09:00:00Z' if n % 3 == 1 else ''},{n % 2}\n"
        for n in range(200)
    )
    return Export(
        {"invii.csv": f"id cliente,gruppo,data invio,apertura,bounce\n{rows}".encode()}, {"arms", "campaign", "time_zone"}, "sends", 200
    )


def revenue_by_month() -> Export:
    rows = "".join(f'{n % 20},{day(31 * (n // 20), "%b %Y")},"1,{n:03d}.50",EUR\n' for n in range(100))
    return Export({"mrr.csv": f"account id,month,MRR,currency\n{rows}".encode()}, {"numbers_value_history"}, "value_history", 100)


MADE: dict[str, Callable[[Path], Export]] = {
    "Italian SurveyMonkey": lambda _: surveymonkey_in_italian(),
    "Romanian orders in cp1250": lambda _: orders_in_romanian(),
    "Chinese form in Big5": lambda _: form_in_chinese("big5"),
    "Chinese form in UTF-8": lambda _: form_in_chinese("utf-8"),
    "Spanish workbook below a title": customers_in_a_spanish_workbook,
    "clicks": lambda _: clicks_counted_from_1970(),
    "survey in words": lambda _: wide_survey_in_words(),
    "two months": lambda _: tickets_of_two_months(),
    "three rows": lambda _: three_rows_in_spanish(),
    "three hundred columns": lambda _: three_hundred_columns(),
    "mailing": lambda _: mailing_with_a_control_group(),
    "months": lambda _: revenue_by_month(),
}


@pytest.mark.parametrize("name", MADE)
def test_an_awkward_export_is_asked_about_what_is_not_sure_and_then_read_whole(name, tmp_path):
    made = MADE[name](tmp_path)
    for file, content in made.files.items():
        (tmp_path / file).write_bytes(content)
    text = draft.draft([tmp_path / file for file in made.files], beside=tmp_path)
    questions = len(tomllib.loads(text).get("questions", {}))
    assert set(tomllib.loads(text).get("confirm", {})) == made.asked
    assert len(text.splitlines()) - questions < 60 + 3 * len(made.asked), "a letter that is read"
    path = tmp_path / "sources.toml"
    path.write_text(text.replace(" = false  #", " = true  #"), encoding="utf-8")
    account = sources.read(path, as_of="2027-12-31").account.set_index("table")
    assert account.loc[made.table, "kept"] == made.kept
    assert account["set_aside"].sum() == 0


def test_a_column_offered_as_a_question_is_not_called_unread(tmp_path):
    (tmp_path / "wide.csv").write_bytes(wide_survey_in_words().files["wide.csv"])
    text = draft.draft([tmp_path / "wide.csv"], beside=tmp_path)
    assert "# Not read: Age group." in text
    assert '# keys = { age_group = "Age group" }' in text


def test_what_feeds_no_table_is_told_which_comes_closest_and_what_it_lacks(tmp_path):
    (tmp_path / "log.csv").write_text("event,page\nview,/a\ncart,/b\n")
    with pytest.raises(TableError) as error:
        draft.draft([tmp_path / "log.csv"], beside=tmp_path)
    assert str(error.value) == (
        "none of the files feeds a table that is known. Name the template of the tool they come from (cxlib i"
        "nit --templates), or say which table each is: write these lines into a sources.toml, without the # before a setting.\n"
        "\n"
        "# log.csv: not read, since it feeds no table that is known. It comes closest to events: there is act"
        "ivity ('event'), and\n"
        "# nothing for case_id, time.\n"
        "# Which table is it? One of customers, attributes, value_history, orders, invitations, responses, fe"
        "edback, events,\n"
        "# tickets, sends, audits: data/README.md says what each is, and what its columns mean. Write its nam"
        "e for which_table\n"
        "# and the table's names for ours, and take the # away where a line is meant. Two exports of one tabl"
        "e are written\n"
        '# [[tables.…]] both. In short: columns = { ours = "theirs" }. Not wanted? Delete these lines.\n'
        "# [tables.which_table]\n"
        '# files = "log.csv"\n'
        "# [tables.which_table.columns]\n"
        '# ours = "event"\n'
        '# ours = "page"'
    )
