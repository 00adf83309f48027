"""Why a whole table is refused: codes nobody declared, questions nobody knows, too many bad rows, strangers only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.sources.answers import UNDECLARED
from cxlib.sources.declared import Workbook
from cxlib.sources.sql import text
from cxlib.tables import TableError, did_you_mean

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

#: From this share of a question's answers on, one value outside the scale is a code and not an accident.
CODE_SHARE = 0.005


def unknown_questions(workbook: Workbook, con: Backend) -> None:
    """Answers to a question that nobody declared."""
    unknown = con.raw_sql(
        f'SELECT question, count(*) FROM stage WHERE "(problem)" = {text(UNDECLARED)} GROUP BY 1 ORDER BY 2 DESC, 1'
    ).fetchall()
    if unknown:
        name, rows = unknown[0]
        raise TableError(
            f"responses: the question '{name}' is answered {rows:,} times and is not declared"
            f"{f' ({len(unknown)} such questions)' if len(unknown) > 1 else ''}.{did_you_mean(name, workbook.questions)} "
            f"Declare it: [questions.{name}] with kind, scale and direction in {workbook.path.name}."
        )


def codes(workbook: Workbook, con: Backend) -> None:
    """One value outside the scale that comes up often is a code for something; what it means is for people to say."""
    given = "score IS NOT NULL OR starts_with(\"(problem)\", 'score is')"
    found = con.raw_sql(
        f"WITH answers AS (SELECT question, count(*) FILTER ({given}) AS answers FROM stage GROUP BY 1), "
        'outside AS (SELECT question, "(shown)" AS value, count(*) AS rows FROM stage '
        "WHERE starts_with(\"(problem)\", 'score is') GROUP BY 1, 2) "
        f"SELECT question, value, rows, answers FROM outside JOIN answers USING (question) WHERE rows >= {CODE_SHARE} * answers "
        "ORDER BY rows DESC, question, value"
    ).fetchall()
    letters = [_code(workbook, *each) for each in found[:3]]
    if letters:
        raise TableError("\n".join(letters) + (f"\n… and {len(found) - 3} more such values." if len(found) > 3 else ""))


def _code(workbook: Workbook, name: str, value: str, rows: int, given: int) -> str:
    question = workbook.questions[name]
    quoted = ", ".join(code if code.lstrip("-").isdigit() else f'"{code}"' for code in (*question.no_answer, value))
    silent = f"If it means 'no answer', declare it: no_answer = [{quoted}] under [questions.{name}] in {workbook.path.name}"
    if question.kind == "choice":
        # Each of its answers stands in as many rows as there are choices, and all of them are set aside.
        a_row = max(len(question.choices), 1) if not question.choice_columns else 1
        return (
            f"responses: '{value}' occurs {rows // a_row:,} times among the {given // a_row:,} answers to '{name}' ({rows / given:.1%}), "
            f"and is not one of its choices. {silent}; if it is a choice, declare it there: {'choices' if question.choices else 'values'}."
        )
    low, high = question.scale
    return (
        f"responses: {value} occurs {rows:,} times among the {given:,} answers to '{name}' ({rows / given:.1%}), "
        f"outside its scale {low} to {high}. That is a code, not an accident. {silent}; if the scale is another, correct scale."
    )


def problems(con: Backend, labels: Sequence[str], unreadable: Sequence[pd.DataFrame], per_line: Sequence[int]) -> pd.DataFrame:
    """One row a reason: how many rows, and the first three of them; ``labels`` name the exports where there are several."""
    shown = con.raw_sql(
        'SELECT "(problem)", count(*) OVER (PARTITION BY "(problem)"), "(export)", line, "(shown)" FROM stage '
        'WHERE "(problem)" IS NOT NULL '
        'QUALIFY row_number() OVER (PARTITION BY "(problem)" ORDER BY place) < 4 ORDER BY "(problem)", place'
    ).fetchall()
    reasons: dict[str, tuple[int, list[str]]] = {}
    for reason, rows, export, line, value in shown:
        where = f"{labels[export]} row {line}".strip()
        reasons.setdefault(reason, (rows, []))[1].append(where if value is None else f"{where}: {value}")
    for label, frame, rows in zip(labels, unreadable, per_line, strict=True):
        for reason, group in frame.groupby("problem"):
            many, first = reasons.get(str(reason), (0, []))
            first += [f"{label} line {line}".strip() for line in group["line"].head(3)]
            reasons[str(reason)] = (many + len(group) * rows, first[:3])
    most_first = sorted(
        ((reason, many, ", ".join(first)) for reason, (many, first) in reasons.items()), key=lambda part: (-part[1], part[0])
    )
    return pd.DataFrame(most_first, columns=["reason", "rows", "first"]).astype({"rows": "int64"})


def too_many(workbook: Workbook, table: str, rows_read: int, set_aside: int, found: pd.DataFrame) -> None:
    """More bad rows than the workbook allows."""
    if set_aside <= workbook.bad_rows_allowed * rows_read:
        return
    reasons = "; ".join(f"{row.rows:,} {row.reason} ({row.first})" for row in found.head(3).itertuples())
    hint = ""
    if found["reason"].str.contains("is not a date").any():
        hint = f' If the dates have another form, declare it: date_format = "%d/%m/%Y" under [tables.{table}] in {workbook.path.name}.'
    raise TableError(
        f"{table}: {set_aside:,} of {rows_read:,} rows break a rule, "
        f"more than the {workbook.bad_rows_allowed:.0%} allowed: {reasons}.{hint} "
        f"Mend the source, or allow more: bad_rows_allowed under [workbook]."
    )
