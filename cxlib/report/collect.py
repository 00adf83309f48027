"""The results of an executed notebook: gathered from its outputs, checked, and kept as tables."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

INJECTED = "injected-parameters"  # papermill's tag of the cell it adds
MIME = "application/vnd.cxlib.result+json"
RESULT = ("measure", "estimate", "low", "high", "level", "n")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)
#: What a spreadsheet would take for a formula, were it the first character of a cell.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Shown:
    """One thing a notebook shows: the heading above it, and its payload."""

    notebook: str
    section: str
    payload: Mapping[str, Any]

    @property
    def results(self) -> Sequence[Mapping[str, Any]]:
        """The results it is made of."""
        results: Sequence[Mapping[str, Any]] = self.payload.get("results", [])
        return results


def text(source: str | Sequence[str]) -> str:
    """Text of a cell or an output; notebooks keep it whole or as lines."""
    return source if isinstance(source, str) else "".join(source)


def code(content: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Each code cell that holds code: the heading above it, its place in words, and the cell itself."""
    section, number = "", 0
    for cell in content.get("cells", []):
        source = text(cell["source"])
        if cell["cell_type"] == "markdown":
            section = next(reversed(HEADING.findall(source)), section)
        elif cell["cell_type"] == "code" and source.strip():
            # The cell that papermill adds is none of the notebook's own.
            number += INJECTED not in cell["metadata"].get("tags", [])
            yield section, f"code cell {number}" + (f", under '{section}'" if section else ""), cell


def shown(name: str, content: Mapping[str, Any]) -> list[Shown]:
    """All that an executed notebook shows, in its order."""
    outputs = [(section, output.get("data", {})) for section, _, cell in code(content) for output in cell.get("outputs", [])]
    return [Shown(name, section, data[MIME]) for section, data in outputs if MIME in data]


def fault(name: str, content: Mapping[str, Any], *, smallest_group: int) -> str:
    """Why what a notebook shows cannot be published; empty where it can."""
    for _, place, cell in code(content):
        asked = _asks_figure(text(cell["source"]))
        if asked and not any(MIME in output.get("data", {}) for output in cell.get("outputs", [])):
            return f"{place}, calls figures.{asked} but shows no result."
    items = shown(name, content)
    if all(item.payload["kind"] == "set_up" for item in items):
        return "shows no result. Show at least one with cxlib.figures."
    for item in items:
        for result in item.results:
            for row in result["rows"]:
                problem = _too_small(row, smallest_group)
                if problem:
                    return f"'{result['name']}' under '{item.section}' {problem}"
    return ""


def _asks_figure(source: str) -> str:
    """The figure that the last line of a cell asks for, if it asks for one."""
    try:
        body = ast.parse(source).body
    except SyntaxError:  # a magic of IPython
        return ""
    last = body[-1] if body else None
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call) and isinstance(last.value.func, ast.Attribute):
        function = last.value.func
        if isinstance(function.value, ast.Name) and function.value.id == "figures":
            return function.attr
    return ""


def _too_small(row: Mapping[str, Any], smallest_group: int) -> str:
    if row.get("withheld"):
        if any(row.get(name) is not None for name in ("estimate", "low", "high", "n")):
            return "says of a row that it is withheld, and shows its numbers."
    elif 0 < (row.get("n") or 0) < smallest_group:
        return f"shows a group of {row['n']}; the smallest this workbook shows is {smallest_group}."
    return ""


def canonical(value: Any) -> str:
    """JSON that is the same text for the same value."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def estimates(items: Sequence[Shown]) -> list[dict[str, Any]]:
    """One row an estimate, as ``results.parquet`` has them; a result drawn twice stands once, where it came first."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for item in items:
        for result in item.results:
            for row in result["rows"]:
                estimate = {
                    "notebook": item.notebook,
                    "section": item.section,
                    "measure": row["measure"],
                    "keys": canonical({key: row[key] for key in result["keys"]}),
                    **{name: row.get(name) for name in RESULT[1:]},
                    "counts": canonical({name: row[name] for name in _counts(result, row)}),
                }
                same = tuple(estimate[name] for name in estimate if name != "section")
                rows.setdefault(same, estimate)
    return sorted(rows.values(), key=lambda row: [str(row[name]) for name in ("notebook", "section", "measure", "keys", "counts", "n")])


def _counts(result: Mapping[str, Any], row: Mapping[str, Any]) -> list[str]:
    taken = {*result["keys"], *RESULT, "withheld"}
    return [name for name in row if name not in taken]


def write_parquet(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """``results.parquet``: the same rows give the same bytes."""
    import pyarrow as pa
    from pyarrow import parquet

    words = dict.fromkeys(("notebook", "section", "measure", "keys"), pa.string())
    numbers = dict.fromkeys(("estimate", "low", "high", "level"), pa.float64())
    schema = pa.schema(words | numbers | {"n": pa.int64(), "counts": pa.string()})
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
    parquet.write_table(table, path, version="2.6", compression="zstd", compression_level=3, row_group_size=2**20, store_schema=False)


def tables(items: Sequence[Shown]) -> Iterator[tuple[str, str]]:
    """Each result as CSV, under ``<notebook>-<name>.csv``; a result drawn twice is written once."""
    seen: dict[str, str] = {}
    for item in items:
        for result in item.results:
            if not result["rows"]:
                continue
            content, number = _csv(result, item.payload.get("smallest_group")), 1
            stem = re.sub(r"[^\w.-]+", "_", f"{item.notebook}-{result['name']}")
            name = f"{stem}.csv"
            while seen.get(name, content) != content:
                number += 1
                name = f"{stem}-{number}.csv"
            if name not in seen:
                seen[name] = content
                yield name, content


def _csv(result: Mapping[str, Any], smallest_group: Any) -> str:
    rows = result["rows"]
    withheld = any(row.get("withheld") for row in rows)
    columns = list(dict.fromkeys([*result["keys"], *RESULT, *(name for row in rows for name in _counts(result, row))]))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_cell(name) for name in columns] + ["note"] * withheld)
    for row in rows:
        note = f"not shown: fewer than {smallest_group}" if row.get("withheld") else ""
        writer.writerow([_cell(row.get(name)) for name in columns] + [note] * withheld)
    return out.getvalue()


def _cell(value: Any) -> Any:
    """A value for a spreadsheet: text that looks like a formula is told to be text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def scrubber(folders: Mapping[Path, str]) -> Callable[[Any], Any]:
    """Make the function that replaces what names a place on this machine, in a text or anywhere within JSON.

    ``folders`` says what stands for the beginning of a path; a folder named by itself becomes its last part.
    """
    words: dict[str, str] = {}
    for folder, word in folders.items():
        if len(folder.parts) > 1:
            words |= {f"{folder}/": word, str(folder): folder.name}
    paths = [re.escape(path) + ("" if path.endswith("/") else r"(?![\w.-])") for path in sorted(words, key=len, reverse=True)]
    scratch = re.escape(f"{tempfile.gettempdir()}/ipykernel_") + r"\d+/\d+\.py"
    pattern = re.compile("|".join([scratch, *paths]))

    def scrub(value: Any) -> Any:
        if isinstance(value, str):
            return pattern.sub(lambda match: words.get(match[0], "cell"), value)
        if isinstance(value, list):
            return [scrub(each) for each in value]
        if isinstance(value, dict):
            return {key: scrub(each) for key, each in value.items()}
        return value

    return scrub


def tidied(content: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out of an executed notebook what is of this machine or of papermill; its parameters are ``values``, as published."""
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": content["metadata"].get("language_info", {"name": "python"})}
    cells = [{**cell, "metadata": _without(cell["metadata"], "papermill", "execution")} for cell in content["cells"]]
    for cell in cells:
        if INJECTED in cell["metadata"].get("tags", []):
            cell["source"] = "\n".join(["# Parameters", *(f"{name} = {value!r}" for name, value in values.items())])
    return {**content, "metadata": metadata, "cells": cells}


def _without(mapping: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name not in names}
