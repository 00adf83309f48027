"""One run at a time in a folder of reports."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cxlib.report.letters import ENVIRONMENT, HELD, Refusal


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; refuse where another run holds it. The system lets go of it when the process ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("a")
    except OSError as fault:
        raise Refusal(f"{folder}: cannot write reports here ({fault.strerror}).", ENVIRONMENT) from fault
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal(f"{folder}: another run is writing here. Try again when it is done.", HELD) from None
        yield
