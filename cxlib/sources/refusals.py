"""Why a whole table is refused: codes nobody declared, questions nobody knows, too many bad rows, strangers only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from cxlib.sources.answers import UNDECLARED
from cxlib.sources.declared import Question, Source, Workbook
from cxlib.sources.remedies import remedies
from cxlib.sources.said import code, key, legible, times
from cxlib.sources.sql import text
from cxlib.tables import TableError, did_you_mean

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

#: From this share of a question's answers on, one value outside the scale is a code and not an accident.
CODE_SHARE = 0.005
#: More values than these are not listed for copying.
_MOST = 10


def unknown_questions(workbook: Workbook, con: Backend) -> None:
    """Answers to a question that nobody declared."""
    unknown = con.raw_sql(
        f'SELECT question, count(*) FROM stage WHERE "(problem)" = {text(UNDECLARED)} GROUP BY 1 ORDER BY 2 DESC, 1'
    ).fetchall()
    if unknown:
        name, rows = unknown[0]
        raise TableError(
            f"responses: the question '{legible(name)}' is answered {times(rows)} and is not declared"
            f"{f' ({len(unknown)} such questions)' if len(unknown) > 1 else ''}.{did_you_mean(name, workbook.questions)} "
            f"Declare it: [questions.{key(name)}] with kind, scale and direction in {workbook.path.name}."
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
    by_question: dict[str, list[tuple[str, int, int]]] = {}
    for name, value, rows, given in found:
        by_question.setdefault(name, []).append((value, rows, given))
    letters = [_codes(workbook, workbook.questions[name], values) for name, values in by_question.items()]
    if letters:
        raise TableError("\n".join(letters[:3]) + (f"\n… and {len(letters) - 3} more such questions." if len(letters) > 3 else ""))


def _codes(workbook: Workbook, question: Question, values: Sequence[tuple[str, int, int]]) -> str:
    """The letter about the values of one question that are codes for something."""
    # An answer to several choices stands in as many rows as there are choices, and all of them are set aside.
    a_row = len(question.choices) if question.choices and not question.choice_columns else 1
    given, where = values[0][2], f"under [questions.{key(question.name)}] in {workbook.path.name}"
    words = [f"{_shown(value)} occurs {times(rows // a_row)} ({rows / given:.1%})" for value, rows, _ in values[:3]]
    more = f" and {len(values) - 3} more" if len(values) > 3 else ""
    mark = question.choices_separated_by
    alone = [value for value, _, _ in values if not (mark and mark in value)] or [value for value, _, _ in values]
    those, one = ", ".join([*map(code, (*question.no_answer, *alone[:_MOST])), *(["…"] if len(alone) > _MOST else [])]), len(values) == 1
    means, them = ("it means", "it") if len(alone) == 1 else ("they mean", "them")
    silent = f"If {means} 'no answer', declare {them}: no_answer = [{those}] {where}"
    among = f"among the {given // a_row:,} answers to '{question.name}'"
    told = f"responses: {', '.join(words)}{more}, {among}"
    if one:
        (value, rows, _), *_ = values
        told = f"responses: {_shown(value)} occurs {times(rows // a_row)} {among} ({rows / given:.1%})"
    if question.kind == "choice":
        return f"{told}, and {'is' if one else 'are'} not one of its choices. {silent}; {_choice_remedy(question, values)}"
    low, high = question.scale
    if all(_fraction(value) for value, _, _ in values):
        what = "is no whole number" if one else "are no whole numbers"
        return f"{told}, and {what}: an average, or the answer to another question. Mend the source."
    outside = f"{told}, outside its scale {low} to {high}."
    what = "That is a code, not an accident." if one else "Those are codes, not accidents."
    pairs = ", ".join(f"{key(value)} = …" for value, _, _ in values[:_MOST] if code(value) != value)
    if pairs:
        return f"{outside} {what} {silent}; where it is an answer in words, say which number it is: values = {{ {pairs} }}."
    return f"{outside} {what} {silent}; if the scale is another, correct scale."


def _shown(value: str) -> str:
    return value if code(value) == value else f"'{legible(value)}'"


def _fraction(value: str) -> bool:
    whole, point, rest = value.lstrip("-").partition(".")
    return bool(point) and whole.isdecimal() and rest.isdecimal()


def _choice_remedy(question: Question, values: Sequence[tuple[str, int, int]]) -> str:
    """What to declare where a cell holds what is no choice."""
    if question.choice_columns or not question.choices:
        return (
            f"if it says that something was chosen, declare it: values = {{ {', '.join(f'{key(value)} = 1' for value, _, _ in values)} }}."
        )
    mark, shown = question.choices_separated_by, [value for value, _, _ in values]
    if any(sum(choice in value for choice in question.choices) > 1 for value in shown) and not (
        mark and any(mark in value for value in shown)
    ):
        return "if it is several choices, say what stands between them: choices_separated_by."
    parts = [part.strip() for value in shown for part in (value.split(mark) if mark else [value])]
    unknown = [f"'{legible(part)}'" for part in dict.fromkeys(parts) if part not in question.choices]
    return f"if {', '.join(unknown[:3])} can be chosen, declare it there: choices."


def problems(con: Backend, *, labels: Sequence[str], unreadable: Sequence[pd.DataFrame], per_line: Sequence[int]) -> pd.DataFrame:
    """One row a reason: how many rows, and the first three of them; ``labels`` name the exports where there are several."""
    shown = con.raw_sql(
        'SELECT "(problem)", count(*) OVER (PARTITION BY "(problem)"), "(export)", "(line)", "(shown)" FROM stage '
        'WHERE "(problem)" IS NOT NULL '
        'QUALIFY row_number() OVER (PARTITION BY "(problem)" ORDER BY "(place)") < 4 ORDER BY "(problem)", "(place)"'
    ).fetchall()
    reasons: dict[str, tuple[int, list[str]]] = {}
    for reason, rows, export, line, value in shown:
        where = f"{labels[export]} row {line}".strip()
        value = legible(value or "")
        reasons.setdefault(reason, (rows, []))[1].append(f"{where}: {value}" if value else where)
    for label, frame, rows in zip(labels, unreadable, per_line, strict=True):
        for reason, group in frame.groupby("problem"):
            many, first = reasons.get(str(reason), (0, []))
            first += [f"{label} line {line}".strip() for line in group["line"].head(3)]
            reasons[str(reason)] = (many + len(group) * rows, first[:3])
    most_first = sorted(
        ((reason, many, ", ".join(first)) for reason, (many, first) in reasons.items()), key=lambda part: (-part[1], part[0])
    )
    return pd.DataFrame(most_first, columns=["reason", "rows", "first"]).astype({"rows": "int64"})


def too_many(workbook: Workbook, con: Backend, table: str, *, rows_read: int, set_aside: int, found: pd.DataFrame) -> None:
    """More bad rows than the workbook allows."""
    if set_aside <= workbook.bad_rows_allowed * rows_read:
        return
    reasons = "; ".join(f"{row.rows:,} {row.reason} ({row.first})" for row in found.head(3).itertuples())
    where = f"under [tables.{table}] in {workbook.path.name}"
    hint = remedies(con, where)
    if found["reason"].eq("the line is not in the declared encoding").any():
        hint += f' Declare the encoding that the file has: encoding = "…" {where}; cp1252 is what Excel writes in Western Europe.'
    raise TableError(
        f"{table}: {set_aside:,} of {rows_read:,} rows break a rule, "
        f"more than the {workbook.bad_rows_allowed:.0%} allowed: {reasons}.{hint} "
        f"Mend the source, or allow more: bad_rows_allowed under [workbook]."
    )


def unreadable(source: Source, error: duckdb.Error) -> TableError:
    """What DuckDB says of a file, as a letter."""
    words = re.sub(r"^[A-Z][\w ]* Error: ", "", (str(error).strip().splitlines() or [type(error).__name__])[0]).rstrip(".")[:200]
    if "state machine" in words:
        return TableError(
            f"{source.label}: the rows cannot be told apart: lines end in different ways (some with CR LF, some with LF), or a quote "
            "stands where none can. Save the file anew from one program, or declare quote."
        )
    return TableError(f"{source.label}: the rows cannot be read: {words}. Check separator, quote and encoding.")
