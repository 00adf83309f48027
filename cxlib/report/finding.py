"""What a check of `cxlib doctor` says, and the few words all checks share."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

DISTRIBUTION = "cx-workbook"


@dataclass(frozen=True)
class Finding:
    """One thing looked at: ``good``, to ``mind``, or ``wrong``; what was seen; what to do."""

    check: str
    sign: str
    seen: str
    remedy: str = ""


@dataclass(frozen=True)
class Place:
    """What is examined: the project's folder, the workbook, where reports go, and where rows set aside do."""

    root: Path
    sources: Path
    to: Path
    private: Path


def project() -> Path:
    """The project's folder: here, above, or where this package lies."""
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (folder / "notebooks").is_dir():
            return folder
    return here


def install() -> str:
    """The command that puts in order what is installed: the lock's set where there is one."""
    lock = beside("requirements.lock")
    what = f"--require-hashes -r {lock}" if lock else f"--upgrade {DISTRIBUTION}"
    return f"{sys.executable} -m pip install {what}"


def beside(name: str) -> Path | None:
    """A file of the project: in its folder, or where this package lies."""
    return next((folder / name for folder in (project(), Path(__file__).resolve().parents[2]) if (folder / name).is_file()), None)


def first_line(said: object) -> str:
    """What was said, without what follows its first line."""
    return next(iter(str(said).strip().splitlines()), type(said).__name__).rstrip(".")[:300] + "."


def some(names: list[str], most: int = 3) -> str:
    """The first names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
