"""A little dirt, as real extracts have it: each kind with its count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from cxlib.sample import laws
from cxlib.sample.laws import Flag, Whole
from cxlib.sample.workbook import NO_ANSWER

#: Scores outside their scale: question, value, how often at most.
OUTSIDE = (("nps", "-1", 2), ("nps", "12", 3), ("csat", "0", 2), ("rating_website", "9", 1))
#: A value outside the scale stays below this share of its question's answers, where it is still an accident.
ACCIDENT = 0.004

Frame: TypeAlias = pd.DataFrame
Account: TypeAlias = dict[str, int]


class Rows:
    """The rows of a table that may get dirty, in random order, each for one reason only.

    ``nobody`` is a customer whom the customer table does not know.
    """

    def __init__(self, rng: np.random.Generator, clean: Flag, nobody: str) -> None:
        self.nobody = nobody
        self._open = rng.permutation(np.flatnonzero(clean))
        self._most = max(len(clean) // 200, 1)

    def take(self, most: int, among: Any = None) -> Whole:
        """At most so many rows and one in 200, of those ``among`` which may be chosen."""
        fits = self._open if among is None else self._open[np.asarray(among, dtype=bool)[self._open]]
        taken: Whole = np.sort(fits[: min(most, self._most)])
        self._open = self._open[~np.isin(self._open, taken)]
        return taken


def soil(tables: dict[str, Frame], seed: int) -> tuple[dict[str, Frame], dict[str, Account]]:
    """Make written tables (all text) dirty, and give the account: table → kind → rows.

    Rows of customers without consent are left clean, so that no row has two reasons to be left out.
    """
    rng = laws.stream(seed, 10)
    tables, account = dict(tables), {}
    customers = tables["customers"]
    silent = set(customers.loc[customers["consent"] == "No", "customer"])
    nobody = "C".ljust(len(customers["customer"].iloc[0]), "9")
    kinds: dict[str, Callable[[Frame, Rows], tuple[Frame, Account]]] = {
        "customers": _customers,
        "orders": _orders,
        "responses": _responses,
        "feedback": _feedback,
        "events": _events,
        "tickets": _tickets,
    }
    for name, dirty in kinds.items():
        frame = tables[name].copy()
        person = frame["respondent" if name == "responses" else "customer"]
        tables[name], account[name] = dirty(frame, Rows(rng, ~person.isin(silent).to_numpy(), nobody))
    return tables, account


def _put(frame: Frame, rows: Whole, column: str, *values: str) -> int:
    """Write the values into the rows, over and over, and say how many rows that were."""
    frame.loc[rows, column] = np.resize(np.array(values, dtype=object), len(rows))
    return len(rows)


def _blanks(frame: Frame, rows: Whole, column: str) -> int:
    """Leave one or two blanks after a value."""
    frame.loc[rows, column] = frame.loc[rows, column] + np.resize(np.array([" ", "  "], dtype=object), len(rows))
    return len(rows)


def _customers(frame: Frame, rows: Rows) -> tuple[Frame, Account]:
    again = frame.loc[rows.take(3)]
    wrong = frame.loc[rows.take(2)].assign(start="2025-09-01", end="2025-03-01", end_reason="choice", observed_from="")
    wrong["customer"] = [f"C9{place:0{len(rows.nobody) - 2}d}" for place in range(1, len(wrong) + 1)]
    account = {
        "blanks after a value": _blanks(frame, rows.take(20), "segment"),
        "duplicated id": len(again),
        "end before start": len(wrong),
    }
    return pd.concat([frame, wrong, again], ignore_index=True), account


def _orders(frame: Frame, rows: Rows) -> tuple[Frame, Account]:
    return frame, {
        "unknown customer": _put(frame, rows.take(1), "customer", rows.nobody),
        "unreadable amount": _put(frame, rows.take(2), "amount", "12,9O", "free"),
    }


def _responses(frame: Frame, rows: Rows) -> tuple[Frame, Account]:
    account, question = {}, frame["question"]
    answered = ~frame["score"].isin(["", *NO_ANSWER.values()])
    given = answered & (frame["role"] == "customer")
    answers = question[answered].value_counts()
    account["score outside its scale"] = sum(
        _put(frame, rows.take(min(most, int(ACCIDENT * answers.get(name, 0))), given & (question == name)), "score", value)
        for name, value, most in OUTSIDE
    )
    account["unreadable date"] = _put(frame, rows.take(3, given), "time_answered", "2025-02-30 10:15:00", "yesterday", "31/04/2025")
    account["received before answered"] = _put(frame, rows.take(1, given), "time_received", "2024-07-01 00:00:00")
    account["unknown customer"] = _put(frame, rows.take(1, given & (question == "nps")), "respondent", rows.nobody)
    account["blanks after a value"] = _blanks(frame, rows.take(25, given), "channel")
    again = frame.loc[rows.take(12, given & (question == "nps"))]
    account["repeat answer"] = len(again)
    return pd.concat([frame, _changed(again)], ignore_index=True), account


def _changed(again: Frame) -> Frame:
    """Every other repeat says something else, ten minutes later; the rest were sent twice."""
    again = again.copy()
    turned = np.arange(len(again)) % 2 == 1
    again.loc[turned, "score"] = [str(abs(int(score) - 1)) for score in again.loc[turned, "score"]]
    for column in ("time_answered", "time_received"):
        later = pd.to_datetime(again.loc[turned, column]) + pd.Timedelta(minutes=10)
        again.loc[turned, column] = later.dt.strftime("%Y-%m-%d %H:%M:%S")
    return again


def _feedback(frame: Frame, rows: Rows) -> tuple[Frame, Account]:
    again = frame.loc[rows.take(2)]
    account = {"unreadable date": _put(frame, rows.take(2), "time_answered", "soon", "2025-13-01 09:00:00"), "duplicated id": len(again)}
    return pd.concat([frame, again], ignore_index=True), account


def _events(frame: Frame, rows: Rows) -> tuple[Frame, Account]:
    account = {"unreadable date": _put(frame, rows.take(2), "time", "0000-00-00 00:00:00", "?")}
    return frame, account | {"no activity": _put(frame, rows.take(1), "activity", "")}


def _tickets(frame: Frame, rows: Rows) -> tuple[Frame, Account]:
    solved = frame["time_resolved"] != ""
    again = frame.loc[rows.take(2, solved)]
    account = {
        "duplicated id": len(again),
        "resolved before opened": _put(frame, rows.take(1, solved), "time_resolved", "2024-06-30 23:00:00"),
        "blanks after a value": _blanks(frame, rows.take(10), "topic"),
    }
    return pd.concat([frame, again], ignore_index=True), account
