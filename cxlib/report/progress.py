"""How far a run has come: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import datetime as dt
import sys
import threading
from collections.abc import Sequence
from typing import Any, Self

from cxlib.report.execute import Execution
from cxlib.report.parameters import Notebook


class Progress:
    """Told of every cell and every notebook, on stderr; stdout is for what was published."""

    def __init__(self, notebooks: Sequence[Notebook]) -> None:
        cells = sum(cell["cell_type"] == "code" for each in notebooks for cell in each.content["cells"])
        self._bar: Any = None
        self._lock = threading.Lock()
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=cells, unit="cell", file=sys.stderr, leave=False, dynamic_ncols=True)
        self._say(f"{len(notebooks)} notebooks: {', '.join(each.name for each in notebooks)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def stepped(self, name: str) -> None:
        """Count one cell of a notebook."""
        if self._bar is not None:
            with self._lock:
                self._bar.set_postfix_str(name, refresh=False)
                self._bar.update()

    def done(self, one: Execution) -> None:
        """Say that a notebook is done."""
        self._say(f"{one.name}: {'FAILED' if one.reason else 'executed'} after {one.seconds:.1f} s")

    def _say(self, words: str) -> None:
        line = f"{dt.datetime.now(dt.UTC).astimezone():%H:%M:%S} {words}"
        if self._bar is not None:
            self._bar.write(line, file=sys.stderr)
        else:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
