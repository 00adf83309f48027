"""What all figures of a notebook share: the last day counted, and the smallest group shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from importlib import resources

SMALLEST_GROUP = 5


@dataclass
class Settings:
    """Kept for the life of a kernel; `set_up` changes it."""

    as_of: date | None = None
    smallest_group: int = SMALLEST_GROUP


CURRENT = Settings()


def style() -> str:
    """The style sheet of everything a figure shows: the page inlines it once, `set_up` brings it to JupyterLab."""
    return resources.files("cxlib.figures").joinpath("style.css").read_text(encoding="utf-8")
