"""The statement that an export becomes: every row with its typed columns, and the first thing that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cxlib.sources import answers, cells, notes, sql
from cxlib.sources.cells import TEXT, Cell
from cxlib.sources.declared import Question, Source, Workbook
from cxlib.sources.export import Export, cell
from cxlib.sources.marks import ALIKE, MASK, MEANT, PROBLEM, SHOWN, WRONG
from cxlib.sources.notes import Note
from cxlib.sources.reading import ROW
from cxlib.tables import TABLES, Column, TableError, TableSpec, did_you_mean


def checked(workbook: Workbook, export: Export, spec: TableSpec, keys: Sequence[str]) -> tuple[str, list[Note]]:
    """The statement that gives every row its typed columns and the first thing that is wrong with it, and what it notes."""
    source, zone, questions = export.source, workbook.time_zone, answers.questions_of(workbook)
    responses = spec.name == "responses"
    columns = [column for column in spec.columns if not column.made]
    taken = [cell(export, column) for column in (*columns, *(Column(key, "text", "") for key in keys))]
    if export.wide:
        taken = [cell for cell in taken if cell.name not in ("question", "score", "choice")]
    texts = {TEXT + cell.name: cells.as_text(cell, source) for cell in taken}
    texts |= {f"(native) {cell.name}": cell.made for cell in taken if cell.native}
    meant = " AND ".join(sql.among(cells.clean(sql.name(name)), wanted) for name, wanted in source.only.items()) or "true"
    steps = [("cells", sql.selected(texts | {MEANT: f"coalesce({meant}, false)"}))]
    if responses:
        steps = _rows_an_answer(export, steps, questions)
    plain = [cell for cell in taken if not (responses and cell.name == "score")]
    for prefix, step in ((cells.CAST, cells.cast), (cells.QUICK, cells.quick)):
        if soon := {prefix + cell.name: made for cell in plain if (made := step(cell, source)) is not None}:
            steps.append((step.__name__, "*, " + sql.selected(soon)))
    typed = {cell.name: cells.typed(cell, source, zone) for cell in plain}
    given = ("question", "choice") if export.wide else ("choice",) if export.multiplied else ()
    typed |= {name: sql.name(TEXT + name) for name in given}
    steps.append(("typed", "*, " + sql.selected(typed)))
    if responses:
        steps += [(step.__name__, "*, " + sql.selected(step(questions))) for step in (answers.settled, answers.quick)]
        steps.append(("scored", "*, " + sql.selected(answers.scored(questions, export.raw.seen))))
        steps.append(("made", f"* REPLACE ({replaced(_made(questions))}), date_trunc('month', time_answered)::DATE AS month"))
    wrong = _wrong(source, spec, taken, questions, zone)
    number = sql.cases("", ((condition, str(place)) for place, (_, condition, _) in enumerate(wrong)))
    found = notes.noted(spec, taken, source=source, zone=zone)
    first = f"CASE WHEN {sql.name(MEANT)} THEN {number} END"
    steps.append(("checked", "*, " + sql.selected({WRONG: first, MASK: notes.mask(found)})))
    reasons = _of_wrong(sql.text(reason) for reason, _, _ in wrong)
    shown = _of_wrong(f"CAST({text} AS VARCHAR)" for _, _, text in wrong)
    absent = {cell.name for cell in taken if cell.absent}
    if responses:
        absent -= {"choice"} if export.multiplied else set()
        absent -= {"touchpoint"} if any(question.touchpoint for question in questions) else set()
    # What an export has nothing for is not written; it is there without values where rows are read.
    last = {name: sql.name(name) for name in (*spec.names, *keys) if name not in absent} | {
        PROBLEM: reasons,
        SHOWN: shown,
        MEANT: sql.name(MEANT),
        MASK: sql.name(MASK),
    }
    last |= {ALIKE: _alike(workbook.sources[spec.name][0])} if responses else {}
    last |= {ROW: sql.name(ROW)} if export.multiplied else {}
    return sql.steps(export.raw.scan, *steps, ("whole", sql.selected(last))), found


def _rows_an_answer(export: Export, steps: list[tuple[str, str]], questions: list[Question]) -> list[tuple[str, str]]:
    """One row an answer: the columns of a wide file under each other, and a row for each choice of several."""
    (_, select), text = steps[0], {part: sql.name(TEXT + part) for part in ("question", "choice", "score")}
    if export.wide:
        parts = ", ".join(
            f"{cells.clean(f'answer.{part}') if part == 'score' and not export.raw.seen.bare else f'answer.{part}'} AS {name}"
            for part, name in text.items()
        )
        return [("cells", f"{select}, {answers.stacked(export.asked)} AS answer"), ("answers", f"* EXCLUDE (answer), {parts}")]
    if not export.multiplied:
        return steps
    # The rows of the file are numbered before they are multiplied.
    numbered = ("cells", f"{select}, row_number() OVER () AS {sql.name(ROW)}")
    each = ("choices", f"* EXCLUDE ({text['choice']}), {answers.choices_in_rows(questions)} AS {text['choice']}")
    return [numbered, each, ("marked", f"* REPLACE ({answers.marked_in_rows(questions)} AS {text['score']})")]


def _of_wrong(each: Iterable[str]) -> str:
    """What belongs to what is wrong with a row; nearly every row is asked once whether anything is."""
    wrong, pairs = sql.name(WRONG), ((str(place), one) for place, one in enumerate(each))
    return f"CASE WHEN {wrong} IS NULL THEN NULL ELSE {sql.cases(wrong, pairs)} END"


def replaced(columns: dict[str, str]) -> str:
    """The list of a REPLACE: name → expression."""
    return ", ".join(f"{made} AS {sql.name(column)}" for column, made in columns.items())


def _made(questions: list[Question]) -> dict[str, str]:
    """What an answer has from its declaration: who answers, and the touchpoint."""
    touchpoint = answers.of_question(questions, lambda question: sql.text(question.touchpoint) if question.touchpoint else None)
    return {"role": "coalesce(role, 'customer')", "touchpoint": f"coalesce(touchpoint, {touchpoint})"}


def _wrong(source: Source, spec: TableSpec, taken: list[Cell], questions: list[Question], zone: str) -> list[tuple[str, str, str]]:
    """Everything that can be wrong with a row, in the order in which it is said: reason, condition, offending text."""
    wrong: list[tuple[str, str, str]] = []
    by_name = {cell.name: cell for cell in taken}
    for name in (*spec.readable, *source.keys):
        if (spec.name, name) == ("responses", "score"):
            wrong += answers.off_scale(questions)
        elif name in by_name and not (name == "case_id" and source.session_gap_minutes):
            wrong += cells.misfits(by_name[name], source, zone)
    return wrong + cells.orders(spec)


def same_answer(source: Source) -> list[str]:
    """What makes two answers the same one. A row of staff and a row of a customer with the same identifier are two people."""
    spec, per = TABLES["responses"], source.one_answer_per or ("respondent", "wave", "question")
    for name in per:
        if name not in spec.names:
            raise TableError(f"responses: one_answer_per names '{name}', which is no column of responses.{did_you_mean(name, spec.names)}")
    # So are two touchpoints, or two choices, two questions.
    return list(dict.fromkeys([*per, "role", "touchpoint", "choice"]))


def _alike(source: Source) -> str:
    """A number that is the same for answers of one person to one question, where the row says who and what."""
    per = same_answer(source)
    whole = " AND ".join(f"{sql.name(name)} IS NOT NULL" for name in source.one_answer_per or per[:3])
    # The place of a question among the declared ones is hashed in less time than its name.
    told = ", ".join(sql.name(answers.ASKED if name == "question" else name) for name in per)
    return f"CASE WHEN {sql.name(WRONG)} IS NULL AND {sql.name(MEANT)} AND {whole} THEN hash({told}) END"
