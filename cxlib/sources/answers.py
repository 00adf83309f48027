"""Answers on their way in, in SQL: one row an answer out of wide and long files, codes and words, scales and choices."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from cxlib.sources import sql
from cxlib.sources.cells import QUICK, TEXT, clean, whole
from cxlib.sources.declared import Question, Workbook
from cxlib.sources.look import Seen
from cxlib.tables import TABLES

UNDECLARED = "question is not declared"
NO_CHOICE = "score is not a declared choice"
#: The place of a row's question among the declared ones, and the text of its answer.
ASKED, ANSWER = "(asked)", "(answer)"

_QUESTION, _SCORE = TEXT + "question", TEXT + "score"


def questions_of(workbook: Workbook) -> list[Question]:
    """The declared questions in order of name, so that every statement is the same from run to run."""
    return [workbook.questions[name] for name in sorted(workbook.questions)]


def stacked(asked: Sequence[Question]) -> str:
    """The answers of a row of a wide file as a list, to be unnested: question, choice, and the text of the answer."""
    return f"unnest([{', '.join(_answer(*each) for each in _answers(asked))}])"


def answers_a_row(asked: Sequence[Question]) -> int:
    """How many rows a row of a wide file becomes."""
    return len(_answers(asked))


def _answers(asked: Sequence[Question]) -> list[tuple[Question, str | None, str]]:
    """Every answer of a row of a wide file: question, choice, SQL of its text."""
    made: list[tuple[Question, str | None, str]] = []
    for question in asked:
        if question.choice_columns:
            cells = {choice: clean(f"CAST({sql.name(column)} AS VARCHAR)") for choice, column in question.choice_columns.items()}
            # A choice that is not ticked leaves its cell empty, and so does who skipped the question: then all are.
            some = f"coalesce({', '.join(cells.values())}) IS NOT NULL"
            for choice, cell in cells.items():
                text = f"CASE {cell} WHEN {sql.text(choice)} THEN '1' ELSE coalesce({cell}, CASE WHEN {some} THEN '0' END) END"
                made.append((question, choice, text))
        elif question.column:
            cell = f"CAST({sql.name(question.column)} AS VARCHAR)"
            made += [(question, choice, chosen(question, choice, cell)) for choice in question.choices] or [(question, None, cell)]
    return made


def _answer(question: Question, choice: str | None, text: str) -> str:
    named = "CAST(NULL AS VARCHAR)" if choice is None else sql.text(choice)
    return f"{{'question': {sql.text(question.name)}, 'choice': {named}, 'score': {text}}}"


def chosen(question: Question, choice: str, cell: str) -> str:
    """'1' where a cell of several choices has this one, '0' where it has others; whatever is not declared, as it is."""
    text = clean(cell)
    known = "|".join(re.escape(each) for each in sorted(question.choices, key=len, reverse=True))
    between = rf"\s*{re.escape(question.choices_separated_by)}\s*" if question.choices_separated_by else ""
    several = f"^(?:{known})(?:{between}(?:{known}))*$" if between else f"^(?:{known})$"
    this = f"list_contains(regexp_extract_all({text}, {sql.text(known)}), {sql.text(choice)})"
    one = f"CASE WHEN {this} THEN '1' ELSE '0' END"
    silent = sql.among(text, question.no_answer) if question.no_answer else "false"
    return f"CASE WHEN {text} IS NULL OR {silent} THEN NULL WHEN regexp_matches({text}, {sql.text(several)}) THEN {one} ELSE {text} END"


def choices_in_rows(questions: Sequence[Question]) -> str:
    """In a long file, one row for each choice of a question of several: what to unnest."""
    pairs = [(sql.text(q.name), f"[{', '.join(map(sql.text, q.choices))}]") for q in questions if q.choices]
    return f"unnest({sql.cases(sql.name(_QUESTION), pairs, otherwise='[NULL]')})"


def marked_in_rows(questions: Sequence[Question]) -> str:
    """In a long file, the text of the answer to a question of several choices."""
    pairs = []
    for question in questions:
        each = [(sql.text(choice), chosen(question, choice, sql.name(_SCORE))) for choice in question.choices]
        if each:
            pairs.append((sql.text(question.name), sql.cases(sql.name(TEXT + "choice"), each)))
    return sql.cases(sql.name(_QUESTION), pairs, otherwise=sql.name(_SCORE))


def settled(questions: Sequence[Question]) -> dict[str, str]:
    """The place of the question, and the text of its answer: a declared code for no answer is missing."""
    name = sql.name(_QUESTION)
    # '11.0' is what a program leaves of 11; the code for no answer means both.
    given = sql.name(_SCORE)
    ends = f"strlen({given}) > 2 AND ends_with({given}, '.0')"
    text = f"CASE WHEN {ends} THEN regexp_replace({given}, '^(-?\\d+)\\.0$', '\\1') ELSE {given} END"
    # Of choices that share a cell the code is settled already: what is left is 1 or 0, and 0 is no code here.
    coded = [q for q in questions if q.no_answer and (q.choice_columns or not q.choices)]
    silent = [(f"{name} = {sql.text(q.name)} AND {sql.among(text, q.no_answer)}", "NULL") for q in coded]
    place = sql.cases(name, ((sql.text(question.name), str(number)) for number, question in enumerate(questions)))
    return {ASKED: f"CAST({place} AS INTEGER)", ANSWER: sql.cases("", silent, otherwise=text)}


def quick(questions: Sequence[Question]) -> dict[str, str]:
    """The answer as a number, or as the number that its word is declared to mean."""
    answer = sql.name(ANSWER)
    words = [
        (f"{sql.name(ASKED)} = {place} AND {answer} = {sql.text(word)}", sql.text(number))
        for place, question in enumerate(questions)
        for word, number in question.values.items()
    ]
    return {QUICK + "score": f"try_cast({sql.cases('', words, otherwise=answer)} AS DOUBLE)"}


def scored(questions: Sequence[Question], seen: Seen) -> dict[str, str]:
    """The answer on its scale, turned where low is good, and what is declared of its question."""
    number = whole(sql.name(QUICK + "score"), sql.name(ANSWER), seen)
    kinds = ", ".join(map(sql.text, TABLES["responses"]["kind"].one_of))
    low, high = of_question(questions, lambda q: str(q.scale[0])), of_question(questions, lambda q: str(q.scale[1]))
    turned = any(question.turned for question in questions)
    turn = f"CASE WHEN {_whether(questions, lambda q: q.turned)} THEN {low} + {high} - ({number}) ELSE {number} END"
    return {
        "score": f"CAST({turn if turned else number} AS BIGINT)",
        "scale_low": f"CAST({low} AS BIGINT)",
        "scale_high": f"CAST({high} AS BIGINT)",
        # One of a few words is written in a fraction of the time that a text takes, and is read as a text.
        "kind": of_question(questions, lambda q: f"CAST({sql.text(q.kind)} AS ENUM({kinds}))"),
        "low_is_good": of_question(questions, lambda q: str(q.low_is_good).lower()),
    }


def off_scale(questions: Sequence[Question]) -> list[tuple[str, str, str]]:
    """What can be wrong with an answer: reason, condition, and the text that is shown."""
    score, answer = sql.name("score"), sql.name(ANSWER)
    unread = f"{score} IS NULL AND {answer} IS NOT NULL"
    outside = f"{score} NOT BETWEEN {sql.name('scale_low')} AND {sql.name('scale_high')}"
    wrong = [(UNDECLARED, f"{sql.name(ASKED)} IS NULL AND {sql.name('question')} IS NOT NULL", answer)]
    if any(question.kind == "choice" for question in questions):
        of_choices = _whether(questions, lambda question: question.kind == "choice")
        wrong.append((NO_CHOICE, f"{of_choices} AND ({unread} OR {outside})", answer))
    return [*wrong, ("score is not a whole number", unread, answer), ("score is outside the scale of its question", outside, answer)]


def of_question(questions: Sequence[Question], what: Callable[[Question], str | None]) -> str:
    """A property of the question that a row answers."""
    asked, each = sql.name(ASKED), [what(question) or "NULL" for question in questions]
    most = max(each, key=each.count, default="NULL")
    # What most questions share is not asked for one after the other.
    pairs = [(f"{asked} = {place}", value) for place, value in enumerate(each) if value != most]
    return sql.cases("", [(f"{asked} IS NULL", "NULL"), *pairs] if most != "NULL" else pairs, otherwise=most)


def _whether(questions: Sequence[Question], what: Callable[[Question], bool]) -> str:
    """Whether the question that a row answers is of a sort."""
    return f"coalesce({of_question(questions, lambda question: 'true' if what(question) else None)}, false)"
