"""What a report was made from: inputs, parameters, code and versions; and whether they are the same as last time."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import cxlib
from cxlib.report.collect import canonical, text
from cxlib.report.parameters import Notebook, Value

NAME = "manifest.json"
PACKAGES = ("duckdb", "ibis-framework", "lifelines", "matplotlib", "numpy", "pandas", "papermill", "pyarrow", "scipy", "seaborn")
CODE = {".py", ".css", ".html", ".j2", ".toml"}


def basis(
    *, notebooks: Sequence[Notebook], values: Mapping[str, Mapping[str, Value]], inputs: Mapping[str, str], head: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything a report depends on. ``fingerprint`` is the same where all of it is; an engine's table cannot be told to be."""
    made_of = {
        **head,
        "parameters": {each.name: {p.name: p.default for p in each.signature.values()} | dict(values[each.name]) for each in notebooks},
        "inputs": {(Path(name).name if Path(name).is_absolute() else name): found for name, found in sorted(inputs.items())},
        "code": {"cxlib": _package(), "notebooks": {each.name: _notebook(each) for each in notebooks}},
        "versions": {"cxlib": cxlib.__version__, "python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "seeds": {"PYTHONHASHSEED": 0},
    }
    fingerprint = hashlib.sha256(canonical(made_of).encode()).hexdigest()
    return made_of | {"fingerprint": fingerprint, "repeatable": all(inputs.values())}


def read(folder: Path) -> dict[str, Any]:
    """The manifest of a published folder; empty where there is none."""
    try:
        manifest: dict[str, Any] = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return manifest


def up_to_date(folder: Path, made_of: Mapping[str, Any]) -> bool:
    """Whether ``folder`` holds, complete, the report that would be made now."""
    there = read(folder)
    same = bool(there.get("repeatable")) and there.get("fingerprint") == made_of["fingerprint"]
    return same and all((folder / name).is_file() for name in there["files"])


def spans(admitted: Path, as_of: str) -> dict[str, dict[str, Any]]:
    """For each admitted table: rows read, kept, set aside, its first day, and the first and last day up to ``as_of``."""
    from cxlib.sources import admitted_rows
    from cxlib.tables import TABLES
    from cxlib.tables.engine import connect, one_row

    account = json.loads((admitted / "account.json").read_text(encoding="utf-8"))["tables"]
    told: dict[str, dict[str, Any]] = {}
    con = connect()
    try:
        for name, counts in account.items():
            dated = TABLES[name].dated
            days = f"CAST({dated or 'NULL'} AS DATE)"
            asked = f"min({days}), min({days}) FILTER ({days} <= DATE '{as_of}'), max({days}) FILTER ({days} <= DATE '{as_of}')"
            row = one_row(con, f"SELECT {asked} FROM {admitted_rows(admitted, name)}")
            told[name] = {key: counts[key] for key in ("rows_read", "kept", "set_aside")}
            told[name] |= {part: day and day.isoformat() for part, day in zip(("first", "since", "until"), row, strict=True)}
    finally:
        con.disconnect()
    return told


def period(tables: Mapping[str, Mapping[str, Any]]) -> tuple[str | None, str | None]:
    """First and last day of all tables; none where nothing is dated. That of who has been a customer longest begins no period."""
    counted = {name: row for name, row in tables.items() if name != "customers" and row["since"]} or tables
    since = [row["since"] for row in counted.values() if row["since"]]
    until = [row["until"] for row in counted.values() if row["until"]]
    return (min(since), max(until)) if since else (None, None)


def commit(root: Path) -> str | None:
    """The commit the project stands at, with a word where files differ from it; none outside of git."""

    def git(*words: str) -> str:
        answer = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=True, timeout=20)
        return answer.stdout.strip()

    try:
        head = git("rev-parse", "HEAD")
        return f"{head} with changes" if git("status", "--porcelain", "--untracked-files=no") else head
    except (OSError, subprocess.SubprocessError):
        return None


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _package() -> str:
    root = Path(cxlib.__file__).parent
    package = hashlib.sha256()
    for file in sorted(path for path in root.rglob("*") if path.suffix in CODE):
        package.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return package.hexdigest()


def _notebook(each: Notebook) -> str:
    """The hash of what a notebook says and does; outputs that somebody saved in it change nothing."""
    cells = [[cell["cell_type"], text(cell["source"]), cell.get("metadata", {}).get("tags", [])] for cell in each.content["cells"]]
    return hashlib.sha256(canonical(cells).encode()).hexdigest()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
