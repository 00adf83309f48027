"""A small project made for a test: a workbook, notebooks of a few cells, and the real command line."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
AS_OF = "2026-06-30"

WORKBOOK = """
[workbook]
name = "{name}"
time_zone = "UTC"
smallest_group = 5
bad_rows_allowed = 0.1

[tables.responses]
files = "answers.csv"

[questions.recommend]
label = "Would you recommend us?"
kind = "nps"
scale = [0, 10]
direction = "high is good"
"""
PARAMETERS = 'as_of: str = "2026-06-30"  # last day counted\nworkbook: str = "data/sources.toml"  # where the tables come from\n'
READ = "from cxlib import sources\nbook = sources.read(workbook, as_of=as_of)\nanswers = book.responses.score.count().execute()"


def payload(kind: str = "table", *results: Mapping[str, Any], text: str = "The finding.") -> dict[str, Any]:
    return {"version": 1, "kind": kind, "text": text, "reason": None, "smallest_group": 5, "results": list(results)}


def result(name: str, rows: Sequence[Mapping[str, Any]], keys: Sequence[str] = (), counts: Sequence[str] = ()) -> dict[str, Any]:
    return {"name": name, "keys": list(keys), "counts": list(counts), "rows": list(rows), "withheld": 0, "reason": None}


def row(estimate: float | None, n: int | None, **more: Any) -> dict[str, Any]:
    keys = {name: value for name, value in more.items() if name in ("plan", "month")}
    counts = {name: value for name, value in more.items() if name not in keys}
    return {**keys, "measure": "nps", "estimate": estimate, "low": None, "high": None, "level": 0.95, "n": n, **counts}


def show(content: Mapping[str, Any], html: str = "<p>shown</p>") -> str:
    """A cell that shows a payload, as a figure of the workbook does."""
    data = {"text/html": html, "text/plain": "shown", "application/vnd.cxlib.result+json": content}
    return f"from IPython.display import display\ndisplay({data!r}, raw=True)"


SHOW = show(
    payload("headline", result("nps", [row(12.5, 40, promoters=20)], counts=["promoters"])), '<p class="cx-headline">The finding.</p>'
)


def cell(source: str, *tags: str) -> dict[str, Any]:
    if source.startswith("#"):
        return {"cell_type": "markdown", "metadata": {}, "source": source}
    return {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source, "outputs": [], "execution_count": None}


def notebook(*sources: str, parameters: str = PARAMETERS) -> dict[str, Any]:
    cells = [cell("# A question\n\nAsked in words."), cell(parameters, "parameters"), *map(cell, sources)]
    kernel = {"name": "a-colleague's", "display_name": "x", "language": "python"}
    cells = [{"id": f"cell-{number}", **each} for number, each in enumerate(cells)]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}


class Project:
    """A folder with ``data/`` and ``notebooks/``, and the command line started in it."""

    def __init__(self, folder: Path, name: str = "Tiny & Sons") -> None:
        self.folder = folder
        self.reports = folder / "reports"
        self.place = self.reports / AS_OF
        self.private = folder / "data" / "private"
        self.temporary = folder / "tmp"
        for part in (folder / "data", folder / "notebooks", self.temporary):
            part.mkdir(parents=True)
        (folder / "data" / "sources.toml").write_text(WORKBOOK.format(name=name))
        self.answers([(number * 7) % 11 for number in range(100)])

    def answers(self, scores: Sequence[int], *, slip: bool = False) -> None:
        """Write the answers, with one of no date that can be read where there is a slip."""
        lines = [f"r{number},recommend,{score},2026-0{1 + number % 6}-10T10:00:00" for number, score in enumerate(scores)]
        lines += ["r999,recommend,5,31st of June"] * slip
        (self.folder / "data" / "answers.csv").write_text("\n".join(["respondent,question,score,time_answered", *lines]) + "\n")

    def add(self, name: str, *sources: str, parameters: str = PARAMETERS) -> None:
        (self.folder / "notebooks" / f"{name}.ipynb").write_text(json.dumps(notebook(*sources, parameters=parameters)))

    def environment(self, **more: str) -> dict[str, str]:
        paths = [more.pop("PYTHONPATH", ""), str(ROOT)]
        return {**os.environ, "TMPDIR": str(self.temporary), "PYTHONPATH": os.pathsep.join(filter(None, paths)), **more}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "cxlib", *words]

    def run(self, *words: str, as_of: str = AS_OF, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.cxlib("run", "--as-of", as_of, *words, **environment)

    def cxlib(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        environ = self.environment(**environment)
        return subprocess.run(self.command(*words), cwd=self.folder, env=environ, capture_output=True, text=True, timeout=240)

    def hashes(self, folder: Path | None = None) -> dict[str, str]:
        """Every file of a folder with the hash of its content, and every folder."""
        top = folder or self.reports
        files = {path: hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "" for path in sorted(top.rglob("*"))}
        return {path.relative_to(top).as_posix(): digest for path, digest in files.items()}

    def left_over(self) -> list[str]:
        """What a run left in the temporary folder and hidden beside the reports."""
        hidden = [path.name for path in self.reports.glob(".*") if path.name != ".lock"] if self.reports.exists() else []
        # DuckDB of another version may keep nothing here; the door's own folders are the run's to remove.
        return hidden + [path.name for path in self.temporary.iterdir()]
