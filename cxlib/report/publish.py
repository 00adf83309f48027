"""A report put in its place at one stroke; what stood there before is kept where it differs."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cxlib.report import manifest
from cxlib.report.letters import USAGE, Refusal

BUILDING = ".building-"
RETIRED = ".retired-"
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
    _tidy(to)
    folder = Path(tempfile.mkdtemp(prefix=BUILDING, dir=to))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tidy(to: Path) -> None:
    """Clear up after a run that was killed (we hold the lock): a report on its way out goes back if none took its place."""
    for left_over in [*to.glob(f"{BUILDING}*"), *to.glob(f"{RETIRED}*")]:
        for retired in left_over.iterdir() if left_over.name.startswith(RETIRED) else ():
            if not (to / retired.name).exists():
                retired.rename(to / retired.name)
        shutil.rmtree(left_over, ignore_errors=True)


def publish(built: Path, place: Path) -> str | None:
    """Move ``built`` to ``place``. Returns the name under which an earlier, different report is kept."""
    for path in [*built.rglob("*"), built]:
        _sync(path)
    revision = None
    if place.exists():
        if _differs(built, place):
            revision = _keep(place)
        retired = Path(tempfile.mkdtemp(prefix=RETIRED, dir=place.parent)) / place.name
        place.rename(retired)
        try:
            built.rename(place)
        except BaseException:
            retired.rename(place)
            raise
        shutil.rmtree(retired.parent, ignore_errors=True)
    else:
        built.rename(place)
    (place.parent / f"{place.name}{FAILED}").unlink(missing_ok=True)
    _sync(place.parent)
    return revision


def _differs(built: Path, place: Path) -> bool:
    """Whether the earlier report says something else, or was made from something else; newer code alone is no revision."""
    new, old = manifest.read(built), manifest.read(place)
    same: bool = new["files"][RESULTS] == old.get("files", {}).get(RESULTS)
    return not same or any(new[part] != old.get(part) for part in ("inputs", "parameters"))


def _keep(place: Path) -> str:
    """A copy of the earlier report, made before it gives way, so that no moment is without it."""
    number = 1
    while (revision := place.with_name(f"{place.name}.revision-{number}")).exists():
        number += 1
    copy = Path(tempfile.mkdtemp(prefix=BUILDING, dir=place.parent)) / revision.name
    shutil.copytree(place, copy)
    copy.rename(revision)
    copy.parent.rmdir()
    return revision.name


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
