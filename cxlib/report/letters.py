"""How a run ends: the exit codes, and the letter that says why it could not go on."""

from __future__ import annotations

import signal

DONE = 0
NOTEBOOK_FAILED = 1
USAGE = 2
DATA_REFUSED = 3
ENVIRONMENT = 4
HELD = 75


class Refusal(Exception):
    """A run that cannot go on: a letter for whoever asked for it, and the exit code."""

    def __init__(self, letter: str, code: int) -> None:
        super().__init__(letter)
        self.letter = letter
        self.code = code


class Stopped(BaseException):
    """A signal asked the run to stop. Not an Exception, so that nothing on the way mistakes it for a fault."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number
