"""From cells of text to typed columns: each conversion with the words for what does not fit it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis

from cxlib.sources.declared import TENURE_DAYS, Question, Source, Workbook
from cxlib.tables import Column, TableSpec

if TYPE_CHECKING:
    import ibis.expr.types as ir

BLANKS = " \t\r\n\v\f\u00a0\u3000\ufeff"

_WORDS = {"whole": "a whole number", "number": "a number", "date": "a date", "time": "a date and time", "yes/no": "true or false"}


UNDECLARED = "question is not declared"

#: Prefixes of the columns that a row carries through the door beside its typed values.
TEXT, MAPPED, NATIVE = "(text) ", "(mapped) ", "(native) "


@ibis.udf.scalar.builtin(name="trim", signature=(("string", "string"), "string"))  # type: ignore[untyped-decorator]
def _trim(text: str, blanks: str) -> str:  # type: ignore[empty-body]
    """DuckDB's trim with a set of characters; Ibis's own knows ASCII blanks only."""


@ibis.udf.scalar.builtin(name="try_strptime", signature=(("string", "string"), "timestamp(6)"))  # type: ignore[untyped-decorator]
def _try_strptime(text: str, form: str) -> Any:
    """DuckDB's strptime that gives a missing value where the text has another form."""


def text_of(column: ir.Column, no_answer: tuple[str, ...] = ()) -> ir.StringValue:
    """A cell as text: blanks around it dropped; an empty one, or a declared code for no answer, is missing."""
    text = _trim(column.cast("string"), BLANKS).nullif("")
    codes = [code for code in no_answer if code]
    return ibis.ifelse(text.isin(codes), ibis.null("string"), text) if codes else text


def texts(columns: list[tuple[str, ir.Column | None]], source: Source) -> dict[str, ir.Value]:
    """First step: every cell as text, with the declared map beside it, and the engine's own value where it has a type.

    Each step of the door is a view of its own: an expression that named its cell several times in one
    step, and again in the next, would double with every step.
    """
    made: dict[str, ir.Value] = {}
    for name, raw in columns:
        constant = source.constants.get(name)
        if raw is None:
            raw = ibis.literal(constant, type="string") if constant is not None else ibis.null("string")
        made[TEXT + name] = text = text_of(raw, source.no_answer)
        pairs = source.values.get(name)
        made[MAPPED + name] = text.cases(*pairs.items(), else_=ibis.null("string")) if pairs else text
        if not (raw.type().is_string() or pairs or source.no_answer):
            made[NATIVE + name] = raw
    return made


def value(column: Column, source: Source, row: ir.Table) -> ir.Value:
    """Second step: the text as the type of its column; missing where it cannot be one."""
    typed = _typed(column, source, row)
    if column.name == "tenure_days" and source.tenure_unit:
        typed = typed * TENURE_DAYS[source.tenure_unit]
    return typed


def misfits(column: Column, source: Source, row: ir.Table) -> dict[str, ir.BooleanValue]:
    """Third step: what can be wrong with a cell: reason → condition."""
    name, wrong = column.name, {}
    text, mapped, typed = row[TEXT + name], row[MAPPED + name], row[name]
    if name in source.values:
        wrong[f"{name} has a value that values.{name} does not map"] = text.notnull() & mapped.isnull()
    if column.kind != "text":
        wrong[f"{name} is not {_WORDS[column.kind]}"] = mapped.notnull() & typed.isnull()
    if column.required:
        wrong[f"no {name}"] = text.isnull()
    if column.low is not None:
        wrong[f"{name} is below {column.low:g}"] = typed < column.low
    if column.above is not None:
        wrong[f"{name} is not above {column.above:g}"] = typed <= column.above
    if column.one_of:
        wrong[f"{name} is not one of {', '.join(column.one_of)}"] = typed.notin(column.one_of)
    return wrong


def _typed(column: Column, source: Source, row: ir.Table) -> ir.Value:
    native = row[NATIVE + column.name] if NATIVE + column.name in row.columns else None
    text = row[MAPPED + column.name]
    match column.kind:
        case "text":
            return text
        case "number" | "whole":
            plain = text.replace(".", "").replace(",", ".") if source.decimal == "," else text
            number = _finite(plain.try_cast("float64") if native is None or not native.type().is_numeric() else native.cast("float64"))
            return number if column.kind == "number" else _whole(number)
        case "yes/no":
            return text.lower().cases(("true", True), ("false", False), else_=ibis.null("boolean"))
        case _:
            dated = native is not None and (native.type().is_date() or native.type().is_timestamp())
            moment = row[NATIVE + column.name].cast("timestamp(6)") if dated else _moment(text, source.date_format)
            return moment.date() if column.kind == "date" else moment


def _whole(number: ir.Value) -> ir.Value:
    """A whole number as int64; missing where there is a fraction or more digits than a float keeps."""
    whole = (number == number.floor()) & (number.abs() < 2**53)
    return ibis.ifelse(whole, number, ibis.null("float64")).cast("int64")


def _moment(text: ir.StringValue, form: str | None) -> ir.Value:
    """A local time in the workbook's zone, to the microsecond.

    A text with an offset is brought into the zone of the session, which the door sets; one without is
    taken to be local already.
    """
    if form is not None:
        return _try_strptime(text, ibis.literal(form))
    # Only what starts like 2026-06-30 is read without a declared form: DuckDB also takes '1-2-3' for a year.
    iso = ibis.ifelse(text.re_search(r"^\d{4}-\d{2}-\d{2}"), text, ibis.null("string"))
    return iso.try_cast("timestamp('UTC', 6)").cast("timestamp(6)")


def answer(questions: list[Question], row: ir.Table) -> dict[str, ir.Value]:
    """The text of an answer: a declared code for no answer is missing, a declared word is its number."""
    name, text = row[MAPPED + "question"], row[TEXT + "score"].re_replace(r"^(-?\d+)\.0+$", r"\1")
    silent = ibis.literal(False)
    for question in questions:
        if question.no_answer:
            silent = silent | ((name == question.name) & text.isin(question.no_answer))
    pairs = [((name == question.name) & (text == word), number) for question in questions for word, number in question.values.items()]
    said = ibis.ifelse(silent, ibis.null("string"), text)
    mapped = ibis.cases(*[(silent, ibis.null("string")), *pairs], else_=text) if pairs else said
    return {TEXT + "score": said, MAPPED + "score": mapped}


def score(questions: list[Question], row: ir.Table) -> dict[str, ir.Value]:
    """The answer on its scale, turned where low is good, and the scale beside it."""
    name = row[MAPPED + "question"]
    raw = _whole(_finite(row[MAPPED + "score"].try_cast("float64")))
    low, high = by_question(questions, name, lambda q: q.scale[0]), by_question(questions, name, lambda q: q.scale[1])
    turned = [question.name for question in questions if question.turned]
    return {
        "score": ibis.ifelse(name.isin(turned), low + high - raw, raw) if turned else raw,
        "scale_low": low,
        "scale_high": high,
        "kind": by_question(questions, name, lambda question: question.kind),
        "low_is_good": by_question(questions, name, lambda question: question.low_is_good),
    }


def off_scale(row: ir.Table) -> dict[str, ir.BooleanValue]:
    """What can be wrong with an answer."""
    return {
        UNDECLARED: row.question.notnull() & row.kind.isnull(),
        "score is not a whole number": row[MAPPED + "score"].notnull() & row.score.isnull(),
        "score is outside the scale of its question": (row.score < row.scale_low) | (row.score > row.scale_high),
    }


def _finite(number: ir.Value) -> ir.Value:
    return ibis.ifelse(number.isnan() | number.isinf(), ibis.null("float64"), number)


def by_question(questions: list[Question], name: ir.StringColumn, what: Any) -> ir.Value:
    """A property of the question that a row answers."""
    pairs = [(question.name, what(question)) for question in questions if what(question) is not None]
    if not pairs:
        return ibis.null("string")
    return name.cases(*pairs, else_=ibis.null())


def orders(spec: TableSpec, values: ir.Table) -> dict[str, ir.BooleanValue]:
    """Pairs of times that must not run backwards, and columns of which one must be there."""
    wrong = {f"{first} is after {second}": values[first] > values[second] for first, second in spec.ordered}
    if spec.either:
        missing = values[spec.either[0]].isnull()
        for name in spec.either[1:]:
            missing = missing & values[name].isnull()
        wrong["neither " + " nor ".join(spec.either)] = missing
    return wrong


def questions_of(workbook: Workbook) -> list[Question]:
    """The declared questions in order of name, so that every expression is the same from run to run."""
    return [workbook.questions[name] for name in sorted(workbook.questions)]
