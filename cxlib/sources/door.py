"""The door: the rows of a table's exports in; a validated table out, and every row that did not come in with its reason.

Each export is read once, from its file into a private Parquet file of typed columns, in order and with as
many threads as there are. What needs more than one row to be judged is looked for afterwards.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd

from cxlib.sources import answers, cells, notes, refusals, sql
from cxlib.sources.cells import TEXT, Cell
from cxlib.sources.declared import Question, Source, Workbook
from cxlib.sources.notes import MASK, Note
from cxlib.sources.reading import ROW, Raw
from cxlib.sources.said import legible
from cxlib.tables import TABLES, Column, TableError, TableSpec, did_you_mean

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

PROBLEM, SHOWN, MEANT, WRONG, ALIKE = "(problem)", "(shown)", "(meant)", "(wrong)", "(alike)"
#: Which export a row is of, its line there, its place among all rows, and the first place of those that are alike.
EXPORT, LINE, PLACE, FIRST = "(export)", "(line)", "(place)", "(first)"
#: What the door writes beside each row for its own use.
BESIDE = (PROBLEM, SHOWN, MEANT, MASK, ALIKE)
#: How tables are written; the newer encodings of numbers and times take less time both ways.
PARQUET = "FORMAT parquet, PARQUET_VERSION v2, WRITE_BLOOM_FILTER false"
#: The rows that come in.
GOOD = f"{sql.name(PROBLEM)} IS NULL AND {sql.name(MEANT)}"

#: The file that holds the places of several answers of one person to one question; which one counts depends on the day.
SEVERAL = "several.parquet"


@dataclass(frozen=True)
class Passed:
    """What the door says of one table: counts, the reasons of what was set aside, what was noted, and what was not read."""

    rows_read: int
    set_aside: int
    not_meant: int
    kept: int
    problems: pd.DataFrame
    notes: pd.DataFrame
    read: tuple[str, ...]
    not_read: tuple[str, ...]
    asked: tuple[str, ...]


@dataclass(frozen=True)
class Export:
    """One export on its way: what it declares, its rows, the source's column behind each canonical one, and its questions."""

    source: Source
    raw: Raw
    names: dict[str, str]
    asked: tuple[Question, ...]

    several: bool = False

    @property
    def wide(self) -> bool:
        return bool(self.asked)

    @property
    def multiplied(self) -> bool:
        """Whether some rows of the file become several, by what stands in them."""
        return self.several and not self.wide


def passed(workbook: Workbook, exports: Sequence[tuple[Source, Raw]], *, con: Backend, scratch: Path, to: Path) -> Passed:
    """Check one table and write `<table>.parquet`, and `set_aside/<table>.csv` where rows were set aside."""
    spec = TABLES[exports[0][0].table]
    resolved = [_resolved(workbook, source, spec, raw) for source, raw in exports]
    _refuse_unasked(workbook, resolved)
    keys = sorted({key for each in resolved for key in each.source.keys})
    stages, noted = [], []
    for each in resolved:
        stages.append(scratch / f"{each.source.stem}.stage.parquet")
        statement, found = _checked(workbook, each, spec, keys)
        noted.append(found)
        _ask(con, f"COPY ({statement}) TO {sql.text(str(stages[-1]))} ({PARQUET})", each.source)
    per_line = [answers.answers_a_row(each.asked) if each.wide else 1 for each in resolved]
    _stack(con, resolved, stages, per_line)
    doubled = _doubles(con, spec, resolved)
    if spec.name == "responses":
        _several_answers(con, resolved[0].source, to / SEVERAL)
    unreadable = [each.raw.unreadable() for each in resolved]
    labels = [f"export {each.source.number}" if each.source.number else "" for each in resolved]
    problems = refusals.problems(con, labels, unreadable, per_line)
    lost = sum(len(frame) * rows for frame, rows in zip(unreadable, per_line, strict=True))
    rows, bad, other = _row(con, f"SELECT count(*), count({sql.name(PROBLEM)}), count(*) FILTER (NOT {sql.name(MEANT)}) FROM stage")
    if bad and spec.name == "responses":
        refusals.unknown_questions(workbook, con)
        refusals.codes(workbook, con)
    refusals.too_many(workbook, con, spec.name, rows - other + lost, bad + lost, problems)
    if bad + lost:
        _write_set_aside(con, resolved, unreadable, to / "set_aside", spec.name)
    used = {part for each in resolved for part in _used(each)}
    read = {name for each in resolved for name in (*each.names, *each.source.constants, *(["question", "score"] if each.wide else []))}
    columns = [name for name in (*spec.names, *keys) if name in read]
    seen = notes.seen(con, spec, resolved[0].source, noted, columns)
    out = to / f"{spec.name}.parquet"
    if len(stages) == 1 and not (doubled or resolved[0].source.session_gap_minutes):
        shutil.move(stages[0], out)
    else:
        _write(con, spec, resolved[0].source, keys, out)
    return Passed(
        rows_read=rows + lost,
        set_aside=bad + lost,
        not_meant=other,
        kept=rows - bad - other,
        problems=problems,
        notes=seen,
        read=tuple(columns),
        not_read=tuple(dict.fromkeys(name for each in resolved for name in each.raw.types if name not in used)),
        asked=tuple(dict.fromkeys(question.name for each in resolved for question in each.asked)),
    )


def _ask(con: Backend, statement: str, source: Source) -> Any:
    """Ask the engine; what it says of a file it cannot read becomes a letter."""
    try:
        return con.raw_sql(statement)
    except duckdb.Error as error:
        raise refusals.unreadable(source, error) from None


def _row(con: Backend, statement: str) -> tuple[int, ...]:
    return tuple(int(value or 0) for value in con.raw_sql(statement).fetchone())


# Names


def _resolved(workbook: Workbook, source: Source, spec: TableSpec, raw: Raw) -> Export:
    """The source's column behind each canonical one and each key; what must be there and is not, is refused."""
    where, columns = f"under [tables.{spec.name}] in {workbook.path.name}", tuple(raw.types)
    names: dict[str, str] = {}
    for column in (*spec.readable, *source.keys):
        asked = source.columns.get(column) or source.keys.get(column)
        name = asked or column
        absent = [part for part in _parts(name) if part not in columns]
        if not absent:
            names[column] = name
        elif asked:
            raise TableError(
                f"{source.label}: the source has no column '{legible(absent[0])}', declared for '{column}' {where}."
                f"{_offer(absent[0], columns)}"
            )
    for column in source.only:
        if column not in columns:
            raise TableError(
                f"{source.label}: the source has no column '{legible(column)}', named by only {where}.{_offer(column, columns)}"
            )
    long = "question" in names or "question" in source.constants
    wide = spec.name == "responses" and workbook.wide and not (long and len(workbook.sources["responses"]) > 1)
    questions = _questions(workbook, source, columns) if wide else ()
    needed = [column.name for column in spec.columns if column.required and not (wide and column.name == "question")]
    if spec.name == "responses" and not wide:
        needed.append("score")
    if spec.either and not any(name in names or name in source.constants for name in spec.either):
        needed.append(spec.either[0])
    if "tenure_days" in names:
        needed.append("churned")
    if source.session_gap_minutes:
        needed = ["customer", *(name for name in needed if name != "case_id")]
        names.pop("case_id", None)
    for column in needed:
        if column not in names and column not in source.constants:
            raise TableError(
                f"{source.label}: the source has no column '{column}'.{_offer(column, columns)} "
                f'Declare which one it is: columns = {{ {column} = "…" }} {where}.'
            )
    if not names and not questions:
        raise TableError(
            f"{source.label}: nothing is read of its {len(columns):,} column{'s' if len(columns) > 1 else ''}: "
            f"{', '.join(map(legible, columns[:3]))}{', …' if len(columns) > 3 else ''}. If the header is on another line, declare it: "
            f'header = 2; otherwise say which column is which: columns = {{ {spec.readable[0]} = "…" }} {where}.'
        )
    several = spec.name == "responses" and any(question.choices for question in workbook.questions.values())
    return Export(source, raw, names, questions, several)


def _questions(workbook: Workbook, source: Source, columns: Sequence[str]) -> tuple[Question, ...]:
    """The questions that a wide export answers: all of them, or where there are several exports those it has columns for."""
    several, asked = len(workbook.sources["responses"]) > 1, []
    for question in answers.questions_of(workbook):
        absent = [name for name in question.columns if name not in columns]
        if absent and not (several and len(absent) == len(question.columns)):
            raise TableError(
                f"{source.label}: the source has no column '{legible(absent[0])}', declared for the question '{question.name}'."
                f"{_offer(absent[0], columns)}"
            )
        if not absent and question.columns:
            asked.append(question)
    if not asked:
        raise TableError(
            f"{source.label}: no question is answered in this export: it has neither a column 'question' nor one that a question names."
        )
    return tuple(asked)


def _refuse_unasked(workbook: Workbook, resolved: list[Export]) -> None:
    """A question that no export answers, where each answers some."""
    asked = {question.name for each in resolved for question in each.asked}
    absent = [question for question in answers.questions_of(workbook) if question.columns and question.name not in asked]
    if asked and absent:
        raise TableError(
            f"responses: none of its {len(resolved)} exports has the column '{absent[0].columns[0]}', declared for the question "
            f"'{absent[0].name}'. Correct column under [questions.{absent[0].name}] in {workbook.path.name}."
        )


def _parts(name: str) -> list[str]:
    """The source columns in a declaration: one name, or several in braces such as ``{date} {time}``."""
    parts = re.findall(r"\{([^{}]+)\}", name) if "{" in name else [name.strip()]
    return [f"{ROW} (in the file)" if part == ROW else part for part in parts]


def _used(export: Export) -> set[str]:
    parts = {part for name in export.names.values() for part in _parts(name)}
    return parts | set(export.source.only) | {column for question in export.asked for column in question.columns}


def _offer(name: str, columns: Sequence[str]) -> str:
    more = f", … {len(columns)} in all" if len(columns) > 5 else ""
    numbered = f"{name} (1)" if f"{name} (1)" in columns else ""
    offered = ", ".join(map(legible, columns[:5]))
    return (f" Did you mean '{numbered}'?" if numbered else did_you_mean(name, columns)) or f" It has {offered}{more}."


def _cell(export: Export, column: Column) -> Cell:
    """The source column of a declaration, or the text that its pattern makes of several; a constant; nothing."""
    declared, constant = export.names.get(column.name), export.source.constants.get(column.name)
    if declared is None:
        return Cell(column, sql.text(constant) if constant is not None else cells.NOTHING)
    if "{" not in declared:
        (name,) = _parts(declared)
        return Cell(column, sql.name(name), export.raw.types[name])
    pieces = []
    for place, piece in enumerate(re.split(r"\{([^{}]+)\}", declared)):
        if piece:
            pieces.append(f"CAST({sql.name(_parts(piece)[0])} AS VARCHAR)" if place % 2 else sql.text(piece))
    return Cell(column, f"({' || '.join(pieces)})")


# One export


def _checked(workbook: Workbook, export: Export, spec: TableSpec, keys: Sequence[str]) -> tuple[str, list[Note]]:
    """The statement that gives every row its typed columns and the first thing that is wrong with it, and what it notes."""
    source, zone, questions = export.source, workbook.time_zone, answers.questions_of(workbook)
    responses = spec.name == "responses"
    columns = [column for column in spec.columns if not column.made]
    taken = [_cell(export, column) for column in (*columns, *(Column(key, "text", "") for key in keys))]
    if export.wide:
        taken = [cell for cell in taken if cell.name not in ("question", "score", "choice")]
    texts = {TEXT + cell.name: cells.as_text(cell, source) for cell in taken}
    texts |= {f"(native) {cell.name}": cell.made for cell in taken if cell.native}
    meant = " AND ".join(sql.among(cells.clean(sql.name(name)), wanted) for name, wanted in source.only.items()) or "true"
    steps = [("cells", sql.selected(texts | {MEANT: f"coalesce({meant}, false)"}))]
    if responses:
        steps = _rows_an_answer(export, steps, questions)
    plain = [cell for cell in taken if not (responses and cell.name == "score")]
    soon = {cells.QUICK + cell.name: made for cell in plain if (made := cells.quick(cell, source)) is not None}
    if soon:
        steps.append(("quick", "*, " + sql.selected(soon)))
    typed = {cell.name: cells.typed(cell, source, zone) for cell in plain}
    given = ("question", "choice") if export.wide else ("choice",) if export.multiplied else ()
    typed |= {name: sql.name(TEXT + name) for name in given}
    steps.append(("typed", "*, " + sql.selected(typed)))
    if responses:
        steps += [(step.__name__, "*, " + sql.selected(step(questions))) for step in (answers.settled, answers.quick, answers.scored)]
        steps.append(("made", f"* REPLACE ({_replaced(_made(questions))}), date_trunc('month', time_answered)::DATE AS month"))
    wrong = _wrong(source, spec, taken, questions, zone)
    number = sql.cases("", ((condition, str(place)) for place, (_, condition, _) in enumerate(wrong)))
    found = notes.noted(spec, taken, source, zone)
    mask = " + ".join(f"CASE WHEN {note.condition} THEN {1 << bit} ELSE 0 END" for bit, note in enumerate(found)) or "0"
    steps.append(
        ("checked", f"*, CASE WHEN {sql.name(MEANT)} THEN {number} END AS {sql.name(WRONG)}, CAST({mask} AS BIGINT) AS {sql.name(MASK)}")
    )
    reasons = sql.cases(sql.name(WRONG), ((str(place), sql.text(reason)) for place, (reason, _, _) in enumerate(wrong)))
    shown = sql.cases(sql.name(WRONG), ((str(place), f"CAST({text} AS VARCHAR)") for place, (_, _, text) in enumerate(wrong)))
    last = {name: sql.name(name) for name in (*spec.names, *keys)} | {
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
            f"{cells.clean(f'answer.{part}') if part == 'score' else f'answer.{part}'} AS {name}" for part, name in text.items()
        )
        return [("cells", f"{select}, {answers.stacked(export.asked)} AS answer"), ("answers", f"* EXCLUDE (answer), {parts}")]
    if not export.multiplied:
        return steps
    # The rows of the file are numbered before they are multiplied.
    numbered = ("cells", f"{select}, row_number() OVER () AS {sql.name(ROW)}")
    each = ("choices", f"* EXCLUDE ({text['choice']}), {answers.choices_in_rows(questions)} AS {text['choice']}")
    return [numbered, each, ("marked", f"* REPLACE ({answers.marked_in_rows(questions)} AS {text['score']})")]


def _replaced(columns: dict[str, str]) -> str:
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


# All exports together


def _stack(con: Backend, resolved: list[Export], stages: list[Path], per_line: list[int]) -> None:
    """All exports under each other as the view ``stage``, each row with its line in the export and its place among all."""
    parts, before = [], 0
    for number, (export, stage, rows) in enumerate(zip(resolved, stages, per_line, strict=True)):
        scan = f"read_parquet({sql.text(str(stage))}, file_row_number = true)"
        line = sql.name(ROW) if export.multiplied else f"file_row_number // {rows} + 1"
        made = f'{line} AS "(line)", file_row_number + {before + 1} AS "(place)", {number} AS {sql.name(EXPORT)}'
        dropped = f"file_row_number, {sql.name(ROW)}" if export.multiplied else "file_row_number"
        parts.append(f"SELECT * EXCLUDE ({dropped}), {made} FROM {scan}")
        before += _row(con, f"SELECT count(*) FROM {scan}")[0]
    con.raw_sql(f"CREATE OR REPLACE VIEW stacked AS {' UNION ALL BY NAME '.join(parts)}")
    con.raw_sql("CREATE OR REPLACE VIEW stage AS FROM stacked")


def _doubles(con: Backend, spec: TableSpec, resolved: list[Export]) -> bool:
    """Second rows with a key that must be unique, and rows declared to be doubled, become problems; whether there are any."""
    source = resolved[0].source
    key = spec.key if all(name in each.names for each in resolved for name in spec.key[:1]) else ()
    alike = not key and source.exact_doubles == "set aside"
    if not (key or alike):
        return False
    by = key or tuple(name for name in spec.readable if any(name in each.names for each in resolved))
    names = ", ".join(map(sql.name, by))
    good = f"{GOOD} AND {sql.name(key[0])} IS NOT NULL" if key else GOOD
    rows, different = _row(con, f"SELECT count(*), count(DISTINCT hash({names})) FROM stacked WHERE {good}")
    if rows == different:
        return False
    doubled = f"SELECT hash({names}) FROM stacked WHERE {good} GROUP BY 1 HAVING count(*) > 1"
    again = f'QUALIFY row_number() OVER (PARTITION BY {names} ORDER BY "(place)") > 1'
    con.raw_sql(
        f"CREATE OR REPLACE TABLE doubles AS SELECT {sql.name(PLACE)} FROM stacked WHERE {good} AND hash({names}) IN ({doubled}) {again}"
    )
    reason = f"a second row with the same {', '.join(key)}" if key else "alike in every column that is read to an earlier row"
    second, shown = '"(place)" IN (SELECT "(place)" FROM doubles)', sql.name(key[0]) if key else "NULL"
    said = {PROBLEM: f"CASE WHEN {second} THEN {sql.text(reason)} ELSE {sql.name(PROBLEM)} END"}
    said |= {SHOWN: f"CASE WHEN {second} THEN {shown} ELSE {sql.name(SHOWN)} END"}
    con.raw_sql(f"CREATE OR REPLACE VIEW stage AS SELECT * REPLACE ({_replaced(said)}) FROM stacked")
    return True


def _per(source: Source) -> list[str]:
    """What makes two answers the same one. A row of staff and a row of a customer with the same identifier are two people."""
    spec, per = TABLES["responses"], source.one_answer_per or ("respondent", "wave", "question")
    for name in per:
        if name not in spec.names:
            raise TableError(f"responses: one_answer_per names '{name}', which is no column of responses.{did_you_mean(name, spec.names)}")
    # So are two touchpoints, or two choices, two questions.
    return list(dict.fromkeys([*per, "role", "touchpoint", "choice"]))


def _alike(source: Source) -> str:
    """A number that is the same for answers of one person to one question, where the row says who and what."""
    per = _per(source)
    whole = " AND ".join(f"{sql.name(name)} IS NOT NULL" for name in source.one_answer_per or per[:3])
    return f"CASE WHEN {sql.name(WRONG)} IS NULL AND {sql.name(MEANT)} AND {whole} THEN hash({', '.join(map(sql.name, per))}) END"


def _several_answers(con: Backend, source: Source, out: Path) -> None:
    """Write the places of the answers of one person to one question, where there are several."""
    alike = sql.name(ALIKE)
    con.raw_sql(f"CREATE OR REPLACE TABLE alike AS SELECT {alike} AS h FROM stage WHERE {alike} IS NOT NULL GROUP BY 1 HAVING count(*) > 1")
    if _row(con, "SELECT count(*) FROM alike")[0]:
        person = f"PARTITION BY {', '.join(map(sql.name, _per(source)))}"
        first, many = f'min("(place)") OVER ({person}) AS "(first)"', f'count(*) OVER ({person}) AS "(many)"'
        rows = f"SELECT *, {first}, {many} FROM stage WHERE {alike} IN (FROM alike)"
        kept = f'SELECT "(place)", "(first)", score, time_answered, time_received FROM ({rows}) WHERE "(many)" > 1 ORDER BY "(place)"'
        con.raw_sql(f"COPY ({kept}) TO {sql.text(str(out))} ({PARQUET})")


def _write(con: Backend, spec: TableSpec, source: Source, keys: Sequence[str], out: Path) -> None:
    """All rows in their order, the bad ones marked, so that a row keeps its place."""
    columns, rows = {name: sql.name(name) for name in (*spec.names, *keys, PROBLEM, MEANT)}, "stage"
    if source.session_gap_minutes:
        # A row that does not come in starts no session and ends none: it is in a part of its own.
        person = f'PARTITION BY customer, {GOOD} ORDER BY time, "(place)"'
        pause = f"time - lag(time) OVER ({person}) > INTERVAL {source.session_gap_minutes!r} MINUTE"
        rows = f'(SELECT *, coalesce({pause}, true) AS "(starts)" FROM stage)'
        columns["case_id"] = f"customer || ' ' || sum(\"(starts)\"::INTEGER) OVER ({person})"
    con.raw_sql(f"COPY (SELECT {sql.selected(columns)} FROM {rows} ORDER BY {sql.name(PLACE)}) TO {sql.text(str(out))} ({PARQUET})")


def admitted_rows(folder: Path, table: str) -> str:
    """The rows of a table that came in, as SQL that can stand after FROM."""
    return f"(FROM read_parquet({sql.text(str(folder / f'{table}.parquet'))}) WHERE {GOOD})"


def _write_set_aside(con: Backend, resolved: list[Export], unreadable: list[pd.DataFrame], folder: Path, table: str) -> None:
    """The rows that did not come in, as they were, with the reason: for whoever mends the source."""
    folder.mkdir(mode=0o700, exist_ok=True)
    parts = []
    for number, (export, lines) in enumerate(zip(resolved, unreadable, strict=True)):
        row, reason = sql.name(ROW), sql.name(PROBLEM)
        bad = f'SELECT "(line)", {reason} FROM stage WHERE {reason} IS NOT NULL AND {sql.name(EXPORT)} = {number}'
        numbered = f"SELECT row_number() OVER () AS {row}, * FROM {export.raw.scan}"
        joined = f'({numbered}) raw JOIN ({bad}) bad ON {row} = bad."(line)"'
        both = f'SELECT {row}, bad.{reason} AS "(reason)", raw.* EXCLUDE ({row}) FROM {joined}'
        rows = con.raw_sql(f"{both} ORDER BY 1, 2").df()
        broken = pd.DataFrame({ROW: lines["line"].astype("int64"), "(reason)": lines["problem"], "(line as it is)": lines["text"]})
        each = rows if not len(broken) else pd.concat([rows, broken], ignore_index=True)
        parts.append(each.assign(**{EXPORT: number + 1}) if len(resolved) > 1 else each)
    pd.concat(parts, ignore_index=True).to_csv(folder / f"{table}.csv", index=False)
