"""The door: a source's rows in; a validated table out, and every row that did not come in with its reason."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import pandas as pd

from cxlib.sources import cells
from cxlib.sources.declared import Question, Source, Workbook
from cxlib.sources.reading import ROW, Raw
from cxlib.tables import TABLES, Column, TableError, TableSpec, did_you_mean
from cxlib.tables.schema import PHYSICAL

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

#: From this share of a question's answers on, one value outside the scale is a code and not an accident.
CODE_SHARE = 0.005

_PROBLEM, _SHOWN, _ANSWER = "(problem)", "(shown)", "(answer)"

#: Beside the answers of one person to one question: the row of the first of them. Which one counts depends on the day.
AGAIN = "(again)"
_WHY = {
    "MISSING COLUMNS": "the line has too few cells",
    "TOO MANY COLUMNS": "the line has too many cells",
    "UNQUOTED VALUE": "a quote in the line does not close",
    "LINE SIZE OVER MAXIMUM": "the line is longer than 2 MB",
    "INVALID ENCODING": "the line is not in the declared encoding",
}


@dataclass(frozen=True)
class Passed:
    """What the door says of one table: counts, the reasons of what was set aside, the columns, and what was not read."""

    table: str
    rows_read: int
    set_aside: int
    kept: int
    problems: pd.DataFrame
    columns: pd.DataFrame
    not_read: tuple[str, ...]


def passed(workbook: Workbook, source: Source, raw: Raw, *, con: Backend, to: Path) -> Passed:
    """Check one table and write `<table>.parquet`, and `set_aside/<table>.csv` where rows were set aside."""
    spec = TABLES[source.table]
    names = _resolved(workbook, source, spec, raw)
    checked = con.create_view(f"checked_{spec.name}", _checked(workbook, source, spec, raw, names, con), overwrite=True)
    stage = con.create_table(f"stage_{spec.name}", _without_doubles(spec, source, checked), overwrite=True)
    totals = stage.agg(rows=stage.count(), bad=stage[_PROBLEM].notnull().sum()).execute().iloc[0]
    rows, bad = (0 if pd.isna(totals[name]) else int(totals[name]) for name in ("rows", "bad"))
    if bad and spec.name == "responses":
        _refuse_unknown_questions(workbook, stage)
        _refuse_codes(workbook, stage)
    per_line = len(workbook.questions) if spec.name == "responses" and workbook.wide else 1
    unreadable = raw.unreadable.assign(problem=raw.unreadable["why"].map(_WHY).fillna("the line cannot be read"))
    lost = len(unreadable) * per_line
    problems = _problems(stage if bad else None, unreadable, per_line)
    _refuse_too_many(workbook, spec.name, rows + lost, bad + lost, problems)
    good = stage.filter(stage[_PROBLEM].isnull())
    in_order = good.order_by([ROW, *(["question"] if spec.name == "responses" else [])])
    beside = [ROW, AGAIN] if spec.name == "responses" else []
    in_order.select([*spec.names, *sorted(source.keys), *beside]).to_parquet(to / f"{spec.name}.parquet")
    if bad + lost:
        _write_set_aside(raw, stage, unreadable, to / "set_aside", spec.name)
    used = {part for name in names.values() for part in _parts(name)}
    used |= {str(question.column) for question in workbook.questions.values() if spec.name == "responses"}
    return Passed(
        table=spec.name,
        rows_read=rows + lost,
        set_aside=bad + lost,
        kept=rows - bad,
        problems=problems,
        columns=_columns(spec, source, names, good),
        not_read=tuple(name for name in raw.columns if name not in used),
    )


def _resolved(workbook: Workbook, source: Source, spec: TableSpec, raw: Raw) -> dict[str, str]:
    """The source's column behind each canonical one and each key; what must be there and is not, is refused."""
    where = f"under [tables.{spec.name}] in {workbook.path.name}"
    names: dict[str, str] = {}
    for column in (*spec.readable, *source.keys):
        asked = source.columns.get(column) or source.keys.get(column)
        name = asked or column
        absent = [part for part in _parts(name) if part not in raw.columns]
        if not absent:
            names[column] = name
        elif asked:
            raise TableError(
                f"{spec.name}: the source has no column '{absent[0]}', declared for '{column}' {where}.{_offer(absent[0], raw.columns)}"
            )
    wide = spec.name == "responses" and workbook.wide
    for question in cells.questions_of(workbook) if wide else ():
        if question.column not in raw.columns:
            raise TableError(
                f"responses: the source has no column '{question.column}', declared for the question '{question.name}'."
                f"{_offer(str(question.column), raw.columns)}"
            )
    needed = [column.name for column in spec.columns if column.required and not (wide and column.name == "question")]
    if spec.name == "responses" and not wide:
        needed.append("score")
    if spec.either and not any(name in names or name in source.constants for name in spec.either):
        needed.append(spec.either[0])
    if "tenure_days" in names:
        needed.append("churned")
    for column in needed:
        if column not in names and column not in source.constants:
            raise TableError(
                f"{spec.name}: the source has no column '{column}'.{_offer(column, raw.columns)} "
                f'Declare which one it is: columns = {{ {column} = "…" }} {where}.'
            )
    return names


def _parts(name: str) -> list[str]:
    """The source columns in a declaration: one name, or several in braces such as ``{date} {time}``."""
    parts = [part for _, part, _, _ in string.Formatter().parse(name) if part] if "{" in name else [name.strip()]
    return [f"{ROW} (in the file)" if part == ROW else part for part in parts]


def _column(table: ir.Table, name: str) -> ir.Column:
    """The source column of a declaration, or the text that its pattern makes of several."""
    if "{" not in name:
        return table[_parts(name)[0]]
    text: ir.StringValue = ibis.literal("")
    for before, part, _, _ in string.Formatter().parse(name):
        text = text + before if before else text
        text = text + table[_parts(part)[0]].cast("string") if part else text
    return text


def _offer(name: str, columns: Sequence[str]) -> str:
    more = f", … {len(columns)} in all" if len(columns) > 5 else ""
    return did_you_mean(name, columns) or f" It has {', '.join(columns[:5])}{more}."


def _checked(workbook: Workbook, source: Source, spec: TableSpec, raw: Raw, names: dict[str, str], con: Backend) -> ir.Table:
    """Every row with its typed columns, and the first thing that is wrong with it, if any."""
    table, questions = raw.table, cells.questions_of(workbook)
    answers = spec.name == "responses"
    if answers and workbook.wide:
        by_column = {str(question.column): question.name for question in questions}
        # Ibis stacks columns of one type only; text is what a cell is before the door.
        table = table.mutate(**{name: table[name].cast("string") for name in by_column})
        table = table.pivot_longer(list(by_column), names_to="(question)", values_to=_ANSWER)
        table = table.mutate(**{"(question)": table["(question)"].cases(*by_column.items(), else_=ibis.null("string"))})
        names = {**names, "question": "(question)", "score": _ANSWER}
    columns = [column for column in spec.columns if not column.made]
    asked = [(name, _column(table, names[name]) if name in names else None) for name in (*spec.readable, *sorted(source.keys))]
    row = con.create_view(f"texts_{spec.name}", table.select(table[ROW], **cells.texts(asked, source)), overwrite=True)
    if answers:
        row = con.create_view("answers_responses", row.mutate(**cells.answer(questions, row)), overwrite=True)
    typed = {column.name: cells.value(column, source, row) for column in columns if not (answers and column.name == "score")}
    typed |= cells.score(questions, row) if answers else {}
    typed |= {key: row[cells.MAPPED + key] for key in source.keys}
    row = con.create_view(f"typed_{spec.name}", row.mutate(**_physical(spec, typed)), overwrite=True)
    if answers:
        row = con.create_view("made_responses", row.mutate(**_physical(spec, _made(questions, row))), overwrite=True)
    wrong = _wrong(source, spec, columns, row)
    return row.select(
        ROW,
        *spec.names,
        *sorted(source.keys),
        **{_PROBLEM: _first(wrong, 0), _SHOWN: _first(wrong, 2), _ANSWER: row[cells.TEXT + "score"] if answers else ibis.null("string")},
    )


def _physical(spec: TableSpec, values: dict[str, ir.Value]) -> dict[str, ir.Value]:
    return {name: value.cast(PHYSICAL[spec[name].kind] if name in spec.names else "string") for name, value in values.items()}


def _wrong(source: Source, spec: TableSpec, columns: list[Column], row: ir.Table) -> list[tuple[str, ir.BooleanValue, ir.StringValue]]:
    """Everything that can be wrong with a row, in the order in which it is said: reason, condition, offending text."""
    wrong = []
    for column in columns:
        found = cells.off_scale(row) if (spec.name, column.name) == ("responses", "score") else cells.misfits(column, source, row)
        wrong += [(reason, condition, row[cells.TEXT + column.name]) for reason, condition in found.items()]
    wrong += [(reason, condition, ibis.null("string")) for reason, condition in cells.orders(spec, row).items()]
    for key in source.keys:
        if key in source.values:
            text = row[cells.TEXT + key]
            wrong.append((f"{key} has a value that values.{key} does not map", text.notnull() & row[key].isnull(), text))
    return wrong


def _first(wrong: list[tuple[str, ir.BooleanValue, ir.StringValue]], part: int) -> ir.Value:
    """The reason (part 0) or the offending text (part 2) of the first condition that holds."""
    if not wrong:
        return ibis.null("string")
    branches = [(row[1], ibis.literal(row[0]) if part == 0 else row[2]) for row in wrong]
    return ibis.cases(*branches, else_=ibis.null("string"))


def _made(questions: list[Question], row: ir.Table) -> dict[str, ir.Value]:
    """What an answer has from its declaration and its date: who answers, the touchpoint, the month it counts for."""
    touchpoint = cells.by_question(questions, row.question, lambda question: question.touchpoint)
    return {
        "role": ibis.coalesce(row.role, ibis.literal("customer")),
        "touchpoint": ibis.coalesce(row.touchpoint, touchpoint.cast("string")),
        "month": row.time_answered.truncate("M").cast("date"),
    }


def _refuse_unknown_questions(workbook: Workbook, stage: ir.Table) -> None:
    unknown = (
        stage.filter(stage[_PROBLEM] == cells.UNDECLARED)
        .group_by("question")
        .agg(rows=lambda t: t.count())
        .order_by([ibis.desc("rows"), "question"])
        .execute()
    )
    if len(unknown):
        name, rows = unknown.iloc[0]
        raise TableError(
            f"responses: the question '{name}' is answered {rows:,} times and is not declared"
            f"{f' ({len(unknown)} such questions)' if len(unknown) > 1 else ''}.{did_you_mean(name, workbook.questions)} "
            f"Declare it: [questions.{name}] with kind, scale and direction in {workbook.path.name}."
        )


def _refuse_codes(workbook: Workbook, stage: ir.Table) -> None:
    """One value outside the scale that comes up often is a code for something; what it means is for people to say."""
    answers = stage.filter(stage[_ANSWER].notnull()).group_by("question").agg(answers=lambda t: t.count())
    outside = stage.filter(stage[_PROBLEM].startswith("score is")).group_by(["question", _SHOWN]).agg(rows=lambda t: t.count())
    codes = outside.join(answers, "question").order_by([ibis.desc("rows"), "question", _SHOWN]).execute()
    codes = codes[codes["rows"] >= CODE_SHARE * codes["answers"]]
    if not len(codes):
        return
    letters = []
    for row in codes.head(3).itertuples(index=False):
        name, value, rows, answers_given = row[0], row[1], row[2], row[3]
        low, high = workbook.questions[name].scale
        codes = [*workbook.questions[name].no_answer, value]
        quoted = ", ".join(code if code.lstrip("-").isdigit() else f'"{code}"' for code in codes)
        letters.append(
            f"responses: {value} occurs {rows:,} times among the {answers_given:,} answers to '{name}' ({rows / answers_given:.1%}), "
            f"outside its scale {low} to {high}. That is a code, not an accident. If it means 'no answer', declare it: "
            f"no_answer = [{quoted}] under [questions.{name}] in {workbook.path.name}; if the scale is another, correct scale."
        )
    raise TableError("\n".join(letters) + (f"\n… and {len(codes) - 3} more such values." if len(codes) > 3 else ""))


def _without_doubles(spec: TableSpec, source: Source, checked: ir.Table) -> ir.Table:
    """Second rows with a key that must be unique are set aside; several answers of a person to a question are marked."""
    good = checked[_PROBLEM].isnull()
    if spec.key:
        place = ibis.row_number().over(group_by=[*spec.key, good], order_by=ROW)
        second = checked[spec.key[0]].notnull() & good & (place > 0)
        problem = ibis.ifelse(second, ibis.literal(f"a second row with the same {', '.join(spec.key)}"), checked[_PROBLEM])
        shown = ibis.ifelse(second, checked[spec.key[0]], checked[_SHOWN])
        return checked.mutate(**{_PROBLEM: problem, _SHOWN: shown})
    if spec.name != "responses":
        return checked
    per = list(source.one_answer_per or ("respondent", "wave", "question"))
    whole = good
    for name in per:
        if name not in spec.names:
            raise TableError(f"responses: one_answer_per names '{name}', which is no column of responses.{did_you_mean(name, spec.names)}")
        whole = whole & checked[name].notnull()
    # A row of staff and a row of a customer with the same identifier are two people; so are two touchpoints two questions.
    alike = ibis.window(group_by=[*dict.fromkeys([*per, "role", "touchpoint"]), whole])
    several = whole & (checked[ROW].count().over(alike) > 1)
    return checked.mutate(**{AGAIN: ibis.ifelse(several, checked[ROW].min().over(alike), ibis.null("int64"))})


def _problems(stage: ir.Table | None, unreadable: pd.DataFrame, per_line: int) -> pd.DataFrame:
    """One row a reason: how many rows, and the first three of them; ``stage`` is None where none of its rows is bad."""
    reasons: list[tuple[str, int, str]] = []
    if stage is not None:
        bad = stage.filter(stage[_PROBLEM].notnull())
        alike = ibis.window(group_by=_PROBLEM, order_by=ROW)
        first = bad.mutate(place=ibis.row_number().over(alike), rows=bad.count().over(ibis.window(group_by=_PROBLEM)))
        shown = first.filter(first.place < 3).select(_PROBLEM, "rows", ROW, _SHOWN).order_by([_PROBLEM, ROW]).execute()
        for reason, some in shown.groupby(_PROBLEM):
            pairs = zip(some[ROW], some[_SHOWN], strict=True)
            reasons.append(
                (
                    str(reason),
                    int(some["rows"].iloc[0]),
                    ", ".join(f"row {row}" + (f": {text}" if isinstance(text, str) else "") for row, text in pairs),
                )
            )
    for reason, group in unreadable.groupby("problem"):
        reasons.append((str(reason), len(group) * per_line, ", ".join(f"line {line}" for line in group["line"].head(3))))
    most_first = sorted(reasons, key=lambda part: (-part[1], part[0]))
    frame = pd.DataFrame(most_first, columns=["reason", "rows", "first"])
    return frame.astype({"rows": "int64"})


def _refuse_too_many(workbook: Workbook, table: str, rows_read: int, set_aside: int, problems: pd.DataFrame) -> None:
    if set_aside <= workbook.bad_rows_allowed * rows_read:
        return
    reasons = "; ".join(f"{row.rows:,} {row.reason} ({row.first})" for row in problems.head(3).itertuples())
    hint = ""
    if problems["reason"].str.contains("is not a date").any():
        hint = f' If the dates have another form, declare it: date_format = "%d/%m/%Y" under [tables.{table}] in {workbook.path.name}.'
    raise TableError(
        f"{table}: {set_aside:,} of {rows_read:,} rows break a rule, "
        f"more than the {workbook.bad_rows_allowed:.0%} allowed: {reasons}.{hint} "
        f"Mend the source, or allow more: bad_rows_allowed under [workbook]."
    )


def _write_set_aside(raw: Raw, stage: ir.Table, unreadable: pd.DataFrame, folder: Path, table: str) -> None:
    """The rows that did not come in, as they were, with the reason: for whoever mends the source."""
    folder.mkdir(mode=0o700, exist_ok=True)
    bad = stage.filter(stage[_PROBLEM].notnull()).select(ROW, reason=stage[_PROBLEM])
    rows = bad.join(raw.table, ROW).order_by([ROW, "reason"]).execute()
    lines = pd.DataFrame({ROW: unreadable["line"], "reason": unreadable["problem"], "line as it is": unreadable["text"]})
    whole = rows if not len(lines) else pd.concat([rows, lines], ignore_index=True)
    whole.to_csv(folder / f"{table}.csv", index=False)


def _columns(spec: TableSpec, source: Source, names: dict[str, str], good: ir.Table) -> pd.DataFrame:
    """What came in, column by column: missing cells and the range, for `cxlib check`."""
    read = [name for name in (*spec.readable, *sorted(source.keys)) if name in names or name in source.constants or name == "score"]
    read = [name for name in read if name in good.columns]
    asked: dict[str, ir.Value] = {}
    for name in read:
        asked |= {f"{name}:missing": good[name].isnull().sum(), f"{name}:distinct": good[name].nunique()}
        ranged = name in spec.names and spec[name].kind not in ("text", "yes/no")
        asked |= {f"{name}:{end}": (getattr(good[name], end)().cast("string") if ranged else ibis.null("string")) for end in ("min", "max")}
    row = good.agg(**asked).execute().iloc[0]
    parts = ("missing", "distinct", "min", "max")
    frame = pd.DataFrame(
        [(name, *(row[f"{name}:{part}"] for part in parts)) for name in read], columns=["column", "missing", "distinct", "low", "high"]
    )
    return frame.assign(missing=pd.to_numeric(frame["missing"]).fillna(0).astype("int64"))
