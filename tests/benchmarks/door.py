"""How fast an export passes the door: rows a second beside DuckDB's own reader, which only reads.

``python tests/benchmarks/door.py``, or ``--answers 1000000 --repeat 5``. Both turn the same CSV file into a Parquet file, in turns, and
the median is shown; DuckDB guesses types and checks nothing, the door types, checks, accounts and hashes. One export has short cells
only, the other comments in quotes as well. A door that does not keep every row fails the run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import duckdb

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from cxlib import sources  # noqa: E402  (the project may not be installed)

WORKBOOK = '[workbook]\ntime_zone = "Europe/Rome"\n[tables.responses]\nfiles = "answers.csv"\n' + "".join(
    f'[questions.{name}]\nkind = "rating"\nscale = [1, 5]\ndirection = "high is good"\n'
    for name in ("recommend", "satisfied", "effort", "staff", "price")
)


EXPORTS = {"short cells": "SELECT * EXCLUDE (comment)", "comments in quotes": "SELECT *"}


def timed(folder: Path, answers: int, repeat: int) -> dict[str, float]:
    """The median seconds of both on the export in a folder."""
    times: dict[str, list[float]] = {"DuckDB's reader": [], "the door": []}
    for turn in range(repeat + 1):  # the first turn pays for imports and a cold file, and does not count
        to = folder / f"admitted-{turn}"
        to.mkdir()
        began = time.perf_counter()
        duckdb.connect().execute(f"COPY (FROM read_csv('{folder / 'answers.csv'}')) TO '{to / 'read.parquet'}' (FORMAT parquet)")
        read = time.perf_counter()
        sources.admit(folder / "sources.toml", to=to)
        passed = time.perf_counter()
        account = json.loads((to / "account.json").read_text(encoding="utf-8"))["tables"]["responses"]
        if account["kept"] != answers:
            sys.exit(f"the door kept {account['kept']:,} of {answers:,} rows")
        if turn:
            times["DuckDB's reader"].append(read - began)
            times["the door"].append(passed - read)
        shutil.rmtree(to)
    return {name: statistics.median(each) for name, each in times.items()}


def main() -> int:
    """Print seconds and rows a second of both, and how many times as long the door takes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--answers", type=int, default=5_000_000, help="rows of the export (default: 5,000,000)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of which the median is shown (default: 3)")
    asked = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, duckdb {duckdb.__version__}")
    made = (HERE / "export_responses.sql").read_text(encoding="utf-8").replace("$rows", str(asked.answers))
    for words, selected in EXPORTS.items():
        with tempfile.TemporaryDirectory(prefix="cxlib-bench-door-") as made_in:
            folder = Path(made_in)
            duckdb.connect().execute(f"COPY ({selected} FROM ({made})) TO '{folder / 'answers.csv'}' (HEADER)")
            (folder / "sources.toml").write_text(WORKBOOK, encoding="utf-8")
            size = (folder / "answers.csv").stat().st_size
            median = timed(folder, asked.answers, asked.repeat)
        print(f"\n{asked.answers:,} answers, {words}, {size / 1e6:,.0f} MB of CSV, into Parquet; median of {asked.repeat}\n")
        for name, seconds in median.items():
            print(f"{name:<18}{seconds:>8.2f} s{asked.answers / seconds:>14,.0f} rows/s")
        reader, door = median.values()
        print(f"the door takes {door / reader:.2f} times as long", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
