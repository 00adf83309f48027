"""A little dirt, as real extracts have it: each kind with its count."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from cxlib.sample import laws

#: Scores outside their scale: question, value, how often. Each stays below half a per cent of its question.
OUTSIDE = (("nps", "-1", 2), ("nps", "12", 3), ("csat", "0", 2), ("rating_website", "9", 1))
NO_ANSWER = {"nps": "11", "csat": "n/a"}
UNKNOWN = "C99999"

Account = dict[str, dict[str, int]]


def soil(tables: dict[str, pd.DataFrame], silent: set[str], seed: int) -> tuple[dict[str, pd.DataFrame], Account]:
    """Written tables (all text) with dirt in them, and the account: table → kind → rows.

    Rows of customers without consent (``silent``) are left clean, so that no row has two reasons to be left out.
    """
    rng = laws.stream(seed, 10)
    tables, account = dict(tables), {}
    kinds: dict[str, Callable[[np.random.Generator, pd.DataFrame, np.ndarray], tuple[pd.DataFrame, dict[str, int]]]] = {
        "customers": _customers,
        "orders": _orders,
        "responses": _responses,
        "feedback": _feedback,
        "events": _events,
        "tickets": _tickets,
    }
    for name, dirty in kinds.items():
        frame = tables[name]
        person = "respondent" if name == "responses" else "customer"
        clean = np.flatnonzero(~frame[person].isin(silent).to_numpy())
        tables[name], account[name] = dirty(rng, frame.copy(), rng.permutation(clean))
    return tables, account


def _customers(rng: np.random.Generator, frame: pd.DataFrame, rows: np.ndarray) -> tuple[pd.DataFrame, dict[str, int]]:
    blanks, twice, backwards = rows[:20], rows[20:23], rows[23:25]
    frame.loc[blanks, "segment"] = frame.loc[blanks, "segment"] + np.where(rng.random(len(blanks)) < 0.5, " ", "  ")
    again = frame.loc[np.sort(twice)]
    wrong = frame.loc[np.sort(backwards)].assign(start="2025-09-01", end="2025-03-01", end_reason="choice", observed_from="")
    wrong["customer"] = [f"C9000{place}" for place in range(1, len(wrong) + 1)]
    account = {"blanks after a value": len(blanks), "duplicated id": len(again), "end before start": len(wrong)}
    return pd.concat([frame, wrong, again], ignore_index=True), account


def _orders(_rng: np.random.Generator, frame: pd.DataFrame, rows: np.ndarray) -> tuple[pd.DataFrame, dict[str, int]]:
    frame.loc[rows[:1], "customer"] = UNKNOWN
    frame.loc[rows[1:3], "amount"] = ["12,9O", "free"][: len(rows[1:3])]
    return frame, {"unknown customer": len(rows[:1]), "unreadable amount": len(rows[1:3])}


def _responses(rng: np.random.Generator, frame: pd.DataFrame, rows: np.ndarray) -> tuple[pd.DataFrame, dict[str, int]]:
    account = {}
    for question, code in NO_ANSWER.items():
        skipped = (frame["question"] == question) & (frame["score"] == "")
        frame.loc[skipped, "score"] = code
        account[f"no answer ({code}) to {question}"] = int(skipped.sum())
    account["no answer (empty)"] = int((frame["score"] == "").sum())
    usable = rows[frame["score"].to_numpy()[rows] != ""]
    usable = usable[~np.isin(frame["score"].to_numpy()[usable], list(NO_ANSWER.values()))]
    usable = usable[frame["role"].to_numpy()[usable] == "customer"]
    question = frame["question"].to_numpy()
    free = np.ones(len(frame), dtype=bool)

    def some(size: int, name: str | None = None) -> np.ndarray:
        open_rows = usable[free[usable] & ((question[usable] == name) if name else True)][:size]
        free[open_rows] = False
        return open_rows

    for name, value, size in OUTSIDE:
        frame.loc[some(size, name), "score"] = value
    account["score outside its scale"] = int(sum(size for _, _, size in OUTSIDE))
    unreadable = some(3)
    frame.loc[unreadable, "time_answered"] = ["2025-02-30 10:15:00", "yesterday", "31/04/2025"][: len(unreadable)]
    blanks = some(25)
    frame.loc[blanks, "channel"] = frame.loc[blanks, "channel"] + " "
    early = some(1)
    frame.loc[early, "time_received"] = "2024-07-01 00:00:00"
    frame.loc[some(1, "nps"), "respondent"] = UNKNOWN
    first = frame.loc[np.sort(some(12, "nps"))]
    later = first.copy()
    turned = np.arange(len(later)) % 2 == 1
    later.loc[turned, "score"] = rng.integers(0, 11, size=int(turned.sum())).astype(str)
    account |= {
        "unreadable date": len(unreadable),
        "blanks after a value": len(blanks),
        "received before answered": len(early),
        "unknown customer": 1,
        "repeat answer": len(later),
    }
    return pd.concat([frame, later], ignore_index=True), account


def _feedback(_rng: np.random.Generator, frame: pd.DataFrame, rows: np.ndarray) -> tuple[pd.DataFrame, dict[str, int]]:
    frame.loc[rows[:2], "time_answered"] = ["soon", "2025-13-01 09:00:00"][: len(rows[:2])]
    again = frame.loc[np.sort(rows[2:4])]
    return pd.concat([frame, again], ignore_index=True), {"unreadable date": len(rows[:2]), "duplicated id": len(again)}


def _events(_rng: np.random.Generator, frame: pd.DataFrame, rows: np.ndarray) -> tuple[pd.DataFrame, dict[str, int]]:
    frame.loc[rows[:2], "time"] = ["0000-00-00 00:00:00", "?"][: len(rows[:2])]
    frame.loc[rows[2:3], "activity"] = ""
    return frame, {"unreadable date": len(rows[:2]), "no activity": len(rows[2:3])}


def _tickets(_rng: np.random.Generator, frame: pd.DataFrame, rows: np.ndarray) -> tuple[pd.DataFrame, dict[str, int]]:
    solved = rows[frame["time_resolved"].to_numpy()[rows] != ""]
    again = frame.loc[np.sort(solved[:2])]
    backwards = solved[2:3]
    frame.loc[backwards, "time_resolved"] = "2024-06-30 23:00:00"
    frame.loc[solved[3:13], "topic"] = frame.loc[solved[3:13], "topic"] + " "
    account = {"duplicated id": len(again), "resolved before opened": len(backwards), "blanks after a value": len(solved[3:13])}
    return pd.concat([frame, again], ignore_index=True), account
