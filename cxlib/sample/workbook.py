"""The declaration that reads the files of the sample company: a ``sources.toml`` beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: Names that other systems give to columns.
FOREIGN: dict[str, dict[str, str]] = {
    "tickets": {
        "ticket": "Ticket #",
        "customer": "Customer ID",
        "topic": "Category",
        "channel": "Via",
        "time_opened": "Created",
        "time_first_reply": "First response",
        "time_resolved": "Solved",
        "reopened": "Reopens",
    },
    "sends": {"send": "Message ID", "customer": "Contact", "arm": "Group", "time_sent": "Sent", "bounced": "Bounce"},
}
#: Values that other systems write.
WORDS: dict[tuple[str, str], dict[Any, str]] = {
    ("customers", "consent"): {True: "Yes", False: "No"},
    ("sends", "arm"): {"message": "Mailing", "control": "Held back"},
    ("sends", "bounced"): {True: "1", False: "0"},
}
TIME_FORMAT = {"sends": "%d/%m/%Y %H:%M"}
SEPARATOR, ENCODING, COMMA = {"audits": ";"}, {"audits": "cp1252"}, ("audits",)
#: What stands in the file for an answer that was not given; to the other questions the cell is empty.
NO_ANSWER = {"nps": "11", "csat": "n/a"}

#: Question, kind, scale and wording.
QUESTIONS = (
    ("nps", "nps", [0, 10], "How likely are you to recommend us to a friend or colleague?"),
    ("csat", "csat", [1, 5], "How satisfied are you with us overall?"),
    ("ces", "ces", [1, 7], "The company made it easy for me to get what I wanted."),
    ("rating_delivery", "rating", [1, 5], "How was the delivery of your last box?"),
    ("rating_support", "rating", [1, 5], "How was our customer service?"),
    ("rating_website", "rating", [1, 5], "How do you find our website and app?"),
    ("rating_billing", "rating", [1, 5], "How clear and correct are our invoices?"),
    ("rating_store", "rating", [1, 5], "How are our shops?"),
)


def declaration(tables: Iterable[str], *, parquet: bool) -> str:
    """The text of a ``sources.toml`` for these files, as canonical Parquet or as the exports of several systems."""
    kind = "Parquet, with canonical columns" if parquet else "CSV, each in the habit of the system it comes from"
    lines = [f"# The sample company: {kind}. Look: cxlib check --sources <this file>.", "", "[workbook]", 'name = "Sample company"']
    lines += ['time_zone = "Europe/Rome"', "bad_rows_allowed = 0.05", "smallest_group = 5"]
    for table in tables:
        lines += ["", f"[tables.{table}]", f'files = "{table}.{"parquet" if parquet else "csv"}"']
        lines += [] if parquet else _habits(table)
    for name, asked, scale, label in QUESTIONS:
        lines += ["", f"[questions.{name}]", f'label = "{label}"', f'kind = "{asked}"', f"scale = {scale}", 'direction = "high is good"']
        lines += [f'touchpoint = "{name.removeprefix("rating_")}"'] if asked == "rating" else []
        lines += [f"no_answer = [{NO_ANSWER[name]}]"] if not parquet and NO_ANSWER.get(name, "").isdigit() else []
    return "\n".join(lines) + "\n"


def _habits(table: str) -> list[str]:
    """What is not as in most files: names, values, codes, dates, separators."""
    lines = []
    if table == "responses":
        lines += [f"no_answer = {_list(['', *(code for code in NO_ANSWER.values() if not code.isdigit())])}"]
    settings = {"date_format": TIME_FORMAT, "separator": SEPARATOR, "encoding": ENCODING, "decimal": dict.fromkeys(COMMA, ",")}
    lines += [f'{setting} = "{values[table]}"' for setting, values in settings.items() if table in values]
    lines += [f"columns = {_pairs(FOREIGN[table])}"] if table in FOREIGN else []
    for (where, column), words in WORDS.items():
        lines += [f"values.{column} = {_pairs({theirs: ours for ours, theirs in words.items()})}"] if where == table else []
    return lines


def _list(values: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def _pairs(pairs: Mapping[str, Any]) -> str:
    return "{ " + ", ".join(f'"{key}" = {_value(value)}' for key, value in pairs.items()) + " }"


def _value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'
