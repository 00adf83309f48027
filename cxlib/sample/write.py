"""The sample company as files: as a company's systems would have exported it, or as typed Parquet for large ones."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cxlib.sample import laws
from cxlib.sample.dirt import soil
from cxlib.sample.story import Company
from cxlib.sample.workbook import COMMA, ENCODING, FOREIGN, NO_ANSWER, SEPARATOR, TIME_FORMAT, WORDS, declaration
from cxlib.tables import TABLES

DECIMALS = {"weight": 4, "points": 1, "points_possible": 0}
SOURCES, TRUTH = "sources.toml", "truth.json"
#: What a file is called until all are whole.
PART = ".part"


def write(
    to: str | Path,
    *,
    customers: int = laws.CUSTOMERS,
    seed: int = laws.SEED,
    journeys: float = laws.JOURNEYS,
    parquet: bool = False,
    progress: Callable[[str], object] = str,
) -> list[Path]:
    """Write the sample company into a folder: a file for each table, ``sources.toml`` that reads them, and ``truth.json``.

    Parameters
    ----------
    to : str or Path
        The folder; made where it is not there. A sample company that is there already is written over;
        other files are left alone, and one of the same name is an error.
    customers : int, default 1500
        As for `company`.
    seed : int, default 12
        As for `company`.
    journeys : float, default 0.25
        Journeys through the shop a customer and month. With 4 of them 641,000 customers have 100 million events.
    parquet : bool, default False
        Typed Parquet files with canonical columns, clean; by default CSV as exports are, with a little dirt.
    progress : callable, optional
        Told in words how far it has come; by default nobody listens.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ValueError
        As for `company`; if ``journeys`` is not from 0 to 30.
    FileExistsError
        If a file in the folder would be written over that is not of a sample company.

    See Also
    --------
    company : the tables without dirt.

    Notes
    -----
    The CSV files differ from the tables as exports do: tickets and sends have names of their own, sends have
    dates like 31/12/2025 18:05 (so seconds are lost), audits have semicolons, decimal commas and the encoding
    cp1252. A few rows are dirty, all among the first 10,000 customers; ``truth.json`` counts each kind under
    ``dirt``.

    Customers are lived and written in blocks of 10,000, whatever the machine: memory does not grow with the
    company, and the bytes depend on ``customers``, ``seed`` and ``journeys`` only (Parquet's on the version
    of pyarrow too). Within a block rows are in the order an export has, mostly of time; the next block
    begins again, so that the whole file is not in order of time where there is more than one block.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     len(write(folder, customers=50))
    13
    """
    told, folder = Company(customers, seed, journeys), Path(to)
    names = [*(f"{table}.{'parquet' if parquet else 'csv'}" for table in TABLES), SOURCES, TRUTH]
    _may_write(folder, names)
    folder.mkdir(parents=True, exist_ok=True)
    sink: _Exports | _Typed = _Typed(folder) if parquet else _Exports(folder, seed)
    with ThreadPoolExecutor(max_workers=1) as writer:
        written: Future[None] | None = None
        for tables in told.blocks(progress):
            if written is not None:
                written.result()  # one block is written while the next is lived, and no more than that is in memory
            written = writer.submit(sink.add, tables)
        writer.submit(sink.close).result()
    if written is not None:
        written.result()
    known = told.truth() | {"rows": _whole(told.tally.rows + sink.added), "rows_without_consent": _whole(told.tally.without_consent)}
    known["dirt"] = {table: _whole(kinds) for table, kinds in sink.dirt.items()}
    for name, text in ((SOURCES, declaration(TABLES, parquet=parquet)), (TRUTH, json.dumps(known, indent=1, ensure_ascii=False) + "\n")):
        (folder / (name + PART)).write_text(text, encoding="utf-8", newline="\n")
    return [(folder / (name + PART)).replace(folder / name) for name in names]


def _whole(counts: Counter[str]) -> dict[str, int]:
    return {name: int(counts[name]) for name in counts}


def _may_write(folder: Path, names: list[str]) -> None:
    """Refuse to write over files that are somebody else's; a sample company can always be made again."""
    there = [name for name in names if (folder / name).exists()]
    try:
        ours = json.loads((folder / TRUTH).read_text(encoding="utf-8")).get("made_by") == "cxlib sample"
    except (OSError, ValueError, AttributeError):
        ours = False
    if there and not ours:
        raise FileExistsError(
            f"{len(there)} of {len(names)} files are in the folder already, and not from a sample company ({', '.join(there[:3])}). "
            "Choose another folder, or move them away."
        )


class _Typed:
    """Parquet files, a row group or more a block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, Any] = {}
        self.added: Counter[str] = Counter()
        self.dirt: dict[str, Counter[str]] = {}

    def add(self, tables: dict[str, Any]) -> None:
        """Write the tables of a block."""
        for name, table in tables.items():
            if name not in self._open:
                path = self._folder / f"{name}.parquet{PART}"
                self._open[name] = pq.ParquetWriter(path, table.schema, store_schema=False, compression="zstd")
            self._open[name].write_table(table)

    def close(self) -> None:
        """Close the files."""
        for file in self._open.values():
            file.close()


class _Exports:
    """CSV files, each in its system's habit, with dirt in the first block."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder, self._seed, self._first = folder, seed, True
        self.added: Counter[str] = Counter()
        self.dirt: dict[str, Counter[str]] = {}

    def add(self, tables: dict[str, Any]) -> None:
        """Write the tables of a block below those before."""
        frames = {name: _written(name, table) for name, table in tables.items()}
        unanswered = _unanswered(frames["responses"])
        if self._first:
            rows = {name: len(frame) for name, frame in frames.items()}
            frames, account = soil(frames, self._seed)
            self.dirt = {name: Counter(kinds) for name, kinds in account.items()}
            self.added.update({name: len(frame) - rows[name] for name, frame in frames.items()})
            self.dirt["responses"] = Counter(unanswered) + self.dirt["responses"]
        else:
            self.dirt["responses"].update(unanswered)
        for name, frame in frames.items():
            frame.rename(columns=FOREIGN.get(name, {})).to_csv(
                self._folder / f"{name}.csv{PART}",
                mode="w" if self._first else "a",
                header=self._first,
                index=False,
                lineterminator="\n",
                sep=SEPARATOR.get(name, ","),
                encoding=ENCODING.get(name, "utf-8"),
            )
        self._first = False

    def close(self) -> None:
        """Nothing is left open."""


def _unanswered(responses: pd.DataFrame) -> dict[str, int]:
    """Write the codes for no answer, and count them and the cells that stay empty."""
    empty, counts = responses["score"] == "", {}
    for question, code in NO_ANSWER.items():
        rows = empty & (responses["question"] == question)
        responses.loc[rows, "score"] = code
        counts[f"no answer ({code}) to {question}"] = int(rows.sum())
    return counts | {"no answer (empty)": int((responses["score"] == "").sum())}


def _written(table: str, rows: Any) -> pd.DataFrame:
    """Every cell as the text that goes into the file; a missing one is empty."""
    texts = {name: _texts(table, name, rows[name].combine_chunks()) for name in rows.column_names}
    return pd.DataFrame({name: texts[name].fill_null("").to_numpy(zero_copy_only=False) for name in texts}, dtype=object)


def _texts(table: str, name: str, column: Any) -> Any:
    kind, said = TABLES[table][name].kind, WORDS.get((table, name))
    if said:
        words = [*said.values(), None]
        places = [list(said).index(value) if value is not None else len(said) for value in column.to_pylist()]
        return pa.array(words, pa.string()).take(pa.array(places, pa.int64()))
    if kind == "date":
        return pc.strftime(column, format="%Y-%m-%d")
    if kind == "time":
        # Without fractions of a second, which %S would show.
        return pc.strftime(column.cast(pa.timestamp("s")), format=TIME_FORMAT.get(table, "%Y-%m-%d %H:%M:%S"))
    if kind == "number":
        shown = np.char.mod(f"%.{DECIMALS.get(name, 2)}f", column.fill_null(0.0).to_numpy(zero_copy_only=False))
        texts = pa.array(np.char.replace(shown, ".", ",") if table in COMMA else shown, pa.string())
        return pc.if_else(column.is_valid(), texts, None)
    return column.cast(pa.string())
