"""The sample company as files: as a company's systems would have exported it, each in its own habit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxlib.sample import laws
from cxlib.sample.dirt import soil
from cxlib.sample.facts import facts
from cxlib.sample.story import tell
from cxlib.tables import TABLES

#: Names that other systems give to columns; `data/sources.toml` says what they mean.
FOREIGN = {
    "tickets": {
        "ticket": "Ticket #",
        "customer": "Customer ID",
        "topic": "Category",
        "channel": "Via",
        "time_opened": "Created",
        "time_first_reply": "First response",
        "time_resolved": "Solved",
        "reopened": "Reopens",
    },
    "sends": {"send": "Message ID", "customer": "Contact", "arm": "Group", "time_sent": "Sent", "bounced": "Bounce"},
}
#: Values that other systems write.
WORDS: dict[tuple[str, str], dict[Any, str]] = {
    ("customers", "consent"): {True: "Yes", False: "No"},
    ("sends", "arm"): {"message": "Mailing", "control": "Held back"},
    ("sends", "bounced"): {True: "1", False: "0"},
}
TIME_FORMAT = {"sends": "%d/%m/%Y %H:%M"}
SEPARATOR, ENCODING, COMMA = {"audits": ";"}, {"audits": "cp1252"}, ("audits",)
DECIMALS = {"weight": 4, "points": 1, "points_possible": 0}


def write(to: str | Path, *, customers: int = laws.CUSTOMERS, seed: int = laws.SEED) -> list[Path]:
    """Write the sample company into a folder: a CSV for each table, and ``truth.json``.

    Parameters
    ----------
    to : str or Path
        The folder; made where it is not there. Files of the same names are written over.
    customers : int, default 1500
        As for `company`.
    seed : int, default 12
        As for `company`.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ValueError
        As for `company`.

    See Also
    --------
    company : the tables without dirt.

    Notes
    -----
    The files differ from the tables as exports do: tickets and sends have names of their own, sends have
    dates like 31/12/2025 18:05 (so seconds are lost), audits have semicolons, decimal commas and the
    encoding cp1252. A few rows are dirty; ``truth.json`` counts each kind under ``dirt``. ``data/sources.toml``
    reads them all.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     len(write(folder, customers=50))
    12
    """
    folder = Path(to)
    folder.mkdir(parents=True, exist_ok=True)
    story = tell(customers, seed)
    silent = set(story.people.name[~story.people.consent])
    texts = {name: _written(name, frame) for name, frame in story.tables.items()}
    texts, account = soil(texts, silent, seed)
    paths = []
    for name, frame in texts.items():
        paths.append(folder / f"{name}.csv")
        frame.rename(columns=FOREIGN.get(name, {})).to_csv(
            paths[-1], index=False, lineterminator="\n", sep=SEPARATOR.get(name, ","), encoding=ENCODING.get(name, "utf-8")
        )
    known = facts(story.people, story.survey, story.feedback_themes)
    known["rows"] = {name: len(frame) for name, frame in texts.items()}
    known["rows_without_consent"] = {
        name: int(frame[person].isin(silent).sum())
        for name, frame in texts.items()
        for person in ("customer", "respondent")
        if person in frame.columns
    }
    known["dirt"] = account
    paths.append(folder / "truth.json")
    paths[-1].write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
    return paths


def _written(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Every cell as the text that goes into the file; a missing one is empty."""
    spec = TABLES[table]
    texts = {}
    for name in spec.readable:
        if name in frame.columns:
            texts[name] = _texts(table, name, frame[name], spec[name].kind)
    return pd.DataFrame(texts)


def _texts(table: str, name: str, column: pd.Series, kind: str) -> pd.Series:
    there = column.notna().to_numpy()
    texts = np.full(len(column), "", dtype=object)
    known = column[there]
    said = WORDS.get((table, name))
    if said:
        texts[there] = [said[value] for value in known]
    elif kind == "date":
        texts[there] = known.dt.strftime("%Y-%m-%d")
    elif kind == "time":
        texts[there] = known.dt.strftime(TIME_FORMAT.get(table, "%Y-%m-%d %H:%M:%S"))
    elif kind == "number":
        shown = np.char.mod(f"%.{DECIMALS.get(name, 2)}f", known.to_numpy(dtype=float))
        texts[there] = np.char.replace(shown, ".", ",") if table in COMMA else shown
    else:
        texts[there] = known.astype(str)
    return pd.Series(texts, dtype=object)
