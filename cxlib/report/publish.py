"""A report put in its place at one stroke; what stood there before is kept where it differs."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cxlib.report import manifest
from cxlib.report.letters import USAGE, Refusal

BUILDING, RETIRED = ".building", ".retired"
FAILED = ".failed.json"
RESULTS = "results.parquet"


def refuse_other_workbook(to: Path, name: str) -> None:
    """One folder of reports is one workbook's: refuse where another has published."""
    for folder in sorted(to.glob("[0-9]*")):
        other = manifest.read(folder).get("workbook", name)
        if other != name:
            letter = f"{to}: holds the reports of '{other}', and this workbook is '{name}'. Give each its own folder with --to DIR."
            raise Refusal(letter, USAGE)


@contextmanager
def building(to: Path) -> Iterator[Path]:
    """A folder beside the reports to build in; gone at the end, whatever happens, unless it was published."""
    folder = to / BUILDING
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(built: Path, place: Path) -> str | None:
    """Move ``built`` to ``place``. Returns the name under which an earlier, different report is kept."""
    for path in [*built.rglob("*"), built]:
        _sync(path)
    if place.exists():
        (place.parent / RETIRED).mkdir()
        place.rename(place.parent / RETIRED / place.name)
    try:
        built.rename(place)
    finally:
        revision = settle(place.parent)
    (place.parent / f"{place.name}{FAILED}").unlink(missing_ok=True)
    _sync(place.parent)
    return revision


def settle(to: Path) -> str | None:
    """Finish what a run began, be it this one or one that was killed: we hold the lock.

    A report on its way out goes back where none took its place, and is kept as a revision where it differs from the one that did.
    """
    kept = None
    for retired in (to / RETIRED).glob("*"):
        place = to / retired.name
        if not place.exists():
            retired.rename(place)
        elif _differs(place, retired):
            number = 1
            while (revision := to / f"{place.name}.revision-{number}").exists():
                number += 1
            kept = retired.rename(revision).name
    for left_over in (BUILDING, RETIRED):
        shutil.rmtree(to / left_over, ignore_errors=True)
    return kept


def _differs(new: Path, old: Path) -> bool:
    """Whether the earlier report says something else, or was made from something else; newer code alone is no revision."""
    now, then = manifest.read(new), manifest.read(old)
    same: bool = now["files"][RESULTS] == then.get("files", {}).get(RESULTS)
    return not same or any(now[part] != then.get(part) for part in ("inputs", "parameters"))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write(path: Path, content: str, *, encoding: str = "utf-8") -> None:
    """Write a file whole or not at all."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(content, encoding=encoding)
    beside.replace(path)


def note_failure(to: Path, as_of: str, record: Mapping[str, Any]) -> None:
    """Remember beside the reports that the attempt for a date failed, and why."""
    write(to / f"{as_of}{FAILED}", json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def forget_failure(to: Path, as_of: str) -> bool:
    """Forget a failed attempt, where the report that stands is what a new one would be."""
    record = to / f"{as_of}{FAILED}"
    there = record.exists()
    record.unlink(missing_ok=True)
    return there


def history(to: Path) -> list[dict[str, Any]]:
    """All dates of a folder of reports, the latest first: manifest, revisions, failed attempt."""
    dates: dict[str, dict[str, Any]] = {}
    for path in to.glob("[0-9]*"):
        date, _, rest = path.name.partition(".")
        entry = dates.setdefault(date, {"as_of": date, "manifest": {}, "revisions": [], "failed": {}})
        if not rest:
            entry["manifest"] = manifest.read(path)
        elif rest.startswith("revision-"):
            entry["revisions"].append({"folder": path.name, "number": int(rest.removeprefix("revision-")), "manifest": manifest.read(path)})
        elif path.name.endswith(FAILED):
            entry["failed"] = json.loads(path.read_text(encoding="utf-8"))
    for entry in dates.values():
        entry["revisions"].sort(key=lambda revision: revision["number"])
    return [dates[date] for date in sorted(dates, reverse=True)]


def private_folder(folder: Path) -> Path:
    """A folder ``<private>/<workbook>/<date>/<what>`` that only its owner can open, from the workbook's downwards."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for part in (folder, *folder.parents[:2]):
        part.chmod(0o700)
    return folder


def move_private(source: Path, place: Path) -> None:
    """Replace a private folder's content by the files of ``source``; nothing where there are none."""
    shutil.rmtree(place, ignore_errors=True)
    if not source.is_dir() or not any(source.iterdir()):
        return
    private_folder(place)
    for file in sorted(source.iterdir()):
        shutil.move(str(file), place / file.name)
        (place / file.name).chmod(0o600)
