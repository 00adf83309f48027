"""A notebook's signature, and the values of the command line held against it before anything starts."""

from __future__ import annotations

import ast
import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxlib.report.letters import USAGE, Refusal

Value = str | int | float | bool | list[Any]

WHOLE = re.compile(r"[+-]?\d+")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
ITEMS: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}
EXAMPLES = {
    "bool": "Write true or false.",
    "int": "Write a whole number, such as 12.",
    "float": "Write a number, such as 0.95.",
    "list": 'Write it as JSON, such as ["nps", "csat"].',
}
GIVEN_BY = {"as_of": "--as-of", "workbook": "--sources"}


@dataclass(frozen=True)
class Parameter:
    """One line of a notebook's parameters cell: ``name: annotation = default  # meaning``."""

    name: str
    annotation: str
    default: Any


@dataclass(frozen=True)
class Notebook:
    """A notebook as it was found: its name, where it lies, its JSON and its signature."""

    name: str
    path: Path
    content: dict[str, Any]
    signature: Mapping[str, Parameter]


def notebook(path: Path) -> Notebook:
    """Read a notebook and its signature; a file that is no notebook is a letter."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        cells = [cell for cell in content["cells"] if "parameters" in cell.get("metadata", {}).get("tags", [])]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise Refusal(f"{path.name}: not a readable notebook ({fault}).", USAGE) from fault
    signature = {}
    for cell in cells[:1]:
        for parameter in _assignments(path.name, "".join(cell["source"])):
            signature[parameter.name] = parameter
    if "as_of" not in signature:
        letter = f"{path.name}: no parameter 'as_of'. Give it a cell tagged 'parameters' with the line: as_of: str = \"2026-06-30\""
        raise Refusal(letter, USAGE)
    return Notebook(path.stem, path, content, signature)


def _assignments(name: str, source: str) -> list[Parameter]:
    try:
        body = ast.parse(source).body
    except SyntaxError as fault:
        raise Refusal(f"{name}: the parameters cell is not Python (line {fault.lineno}: {fault.msg}).", USAGE) from fault
    found = []
    for line in body:
        if not isinstance(line, ast.AnnAssign) or not isinstance(line.target, ast.Name) or line.value is None:
            letter = f"{name}: line {line.lineno} of the parameters cell is not of the form 'name: type = value'."
            raise Refusal(letter, USAGE)
        try:
            default = ast.literal_eval(line.value)
        except ValueError:
            letter = f"{name}: the default of '{line.target.id}' is not a plain value; a parameter is text, a number, true/false or a list."
            raise Refusal(letter, USAGE) from None
        found.append(Parameter(line.target.id, ast.unparse(line.annotation), default))
    return found


def as_of_date(text: str) -> dt.date:
    """``--as-of`` as a date, from any ISO form of one.

    >>> as_of_date("20260630").isoformat()
    '2026-06-30'
    """
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        raise Refusal(f"--as-of: '{text}' is not a date. Write year-month-day, such as 2026-06-30.", USAGE) from None


def assign(notebooks: Sequence[Notebook], given: Sequence[tuple[str, str]]) -> dict[str, dict[str, Value]]:
    """The values of ``-p``, parsed for each notebook that has the parameter; a name that none has is refused."""
    from cxlib.tables import did_you_mean

    values: dict[str, dict[str, Value]] = {each.name: {} for each in notebooks}
    known = sorted({name for each in notebooks for name in each.signature} - set(GIVEN_BY))
    for name, text in given:
        if name in GIVEN_BY:
            raise Refusal(f"-p {name}: this parameter is given by {GIVEN_BY[name]}.", USAGE)
        if name not in known:
            among = ", ".join(each.name for each in notebooks)
            hint = did_you_mean(name, known) or f" There are: {', '.join(known) or 'none'}."
            raise Refusal(f"-p {name}: no parameter of this name in {among}.{hint}", USAGE)
        for each in notebooks:
            if name in values[each.name]:
                raise Refusal(f"-p {name}: given twice.", USAGE)
            if name in each.signature:
                values[each.name][name] = parse(text, each.signature[name], asks=each.name)
    return values


def parse(text: str, parameter: Parameter, *, asks: str) -> Value:
    """``text`` as the type the notebook declares, never as a neighbouring one."""
    outer, _, inner = parameter.annotation.partition("[")
    value: Any = None
    if outer == "str":
        value = text
    elif outer == "bool":
        value = {"true": True, "false": False}.get(text.lower())
    elif outer == "int" and WHOLE.fullmatch(text):
        value = int(text)
    elif outer == "float" and NUMBER.fullmatch(text):
        value = float(text)
    elif outer == "list":
        value = _list(text, inner.rstrip("]"))
    elif outer not in EXAMPLES:
        letter = f"-p {parameter.name}: {asks} declares it as '{parameter.annotation}'; a run can set str, int, float, bool and list."
        raise Refusal(letter, USAGE)
    if value is None:
        letter = f"-p {parameter.name}: '{text}' is not of type {parameter.annotation}, as {asks} declares it. {EXAMPLES[outer]}"
        raise Refusal(letter, USAGE)
    checked: Value = value
    return checked


def _list(text: str, item: str) -> list[Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    if not isinstance(value, list):
        return None
    types = ITEMS.get(item, (str, int, float, bool))
    right = all(isinstance(each, types) and (bool in types or not isinstance(each, bool)) for each in value)
    return value if right else None
