"""How fast: survival by segment of ten million customers, beside hand-written SQL and lifelines on pandas.

``python tests/benchmarks/lives.py``, or ``--customers 1000000 --repeat 3``. The engine counts a life table, and the statistics have its
few thousand rows: no customer crosses into Python. lifelines has the rows in memory, read before the clock starts. Every pair is timed in
one run, in turns; seconds of the clock, and of all processors together, which a busy machine leaves as they are. Counts or curves that are
not the same fail the run.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import ibis
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))

from bench import AS_OF, CASES, differing, generate

from cxlib import churn

SURVIVAL = next(case for case in CASES if case.name == "survival")
OTHERS = tuple(case for case in CASES if case.name in {"quantiles", "ends", "hazard", "difference", "survival_difference"})


def timed(repeat: int, calls: dict[str, Callable[[], Any]]) -> tuple[dict[str, tuple[float, float]], dict[str, Any]]:
    """Median seconds of each call, by the clock and of all processors, and its last answer; the calls take turns."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    answers: dict[str, Any] = {}
    for _ in range(repeat):
        for name, call in calls.items():
            began = time.perf_counter(), time.process_time()
            answers[name] = call()
            times[name].append((time.perf_counter() - began[0], time.process_time() - began[1]))
    medians = {
        name: (statistics.median(each[0] for each in all_), statistics.median(each[1] for each in all_)) for name, all_ in times.items()
    }
    return medians, answers


def in_lifelines(frame: pd.DataFrame) -> pd.DataFrame:
    """What a lifelines user writes: the curve of each segment, a year on."""
    from lifelines import KaplanMeierFitter

    end = frame["end"].fillna(pd.Timestamp(AS_OF))
    tenure, left = (end - frame["start"]).dt.days, frame["end"].notna()
    found = []
    for name in [*sorted(frame["segment"].dropna().unique()), None]:
        rows = frame["segment"].isna() if name is None else frame["segment"] == name
        fitted = KaplanMeierFitter().fit(tenure[rows], left[rows])
        _ = fitted.confidence_interval_
        found.append({"segment": name, "estimate": fitted.predict(365)})
    return pd.DataFrame(found)


def main() -> int:
    """Print seconds and ratios; 1 where counts or curves are not the same."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--customers", type=int, default=10_000_000, help="rows (default: 10,000,000)")
    parser.add_argument("--repeat", type=int, default=1, help="runs of which the median is shown (default: 1)")
    asked = parser.parse_args()
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("duckdb", "ibis-framework", "pandas", "lifelines"))
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {versions}")
    with tempfile.TemporaryDirectory(prefix="cxlib-bench-") as name:
        file = generate(Path(name), {"customers": asked.customers})["customers"]
        embedded, plain = ibis.duckdb.connect(), duckdb.connect()
        table = embedded.read_parquet(file, table_name="customers")
        plain.execute(f"CREATE VIEW customers AS FROM '{file}'")
        # Neither pays for imports.
        churn.survival(table.limit(1000), as_of=AS_OF, by="segment")
        frame = pd.read_parquet(file, columns=["start", "end", "segment"])
        frame = frame.astype(dict.fromkeys(["start", "end"], "datetime64[us]"))
        in_lifelines(frame.head(1000))
        calls = {
            "cxlib": partial(SURVIVAL.measure, table),
            "SQL": lambda: plain.execute(SURVIVAL.sql).df(),
            "lifelines": partial(in_lifelines, frame),
        }
        seconds, answers = timed(asked.repeat, calls)
        others, _ = timed(asked.repeat, {case.name: partial(case.measure, table) for case in OTHERS})
    curve = answers["cxlib"]
    year = [part[part["tenure_days"] <= 365]["estimate"].iloc[-1] for _, part in curve.groupby("segment", dropna=False, sort=False)]
    alike = not differing(SURVIVAL, curve, answers["SQL"]) and np.allclose(year, answers["lifelines"]["estimate"], rtol=1e-9)
    print(f"\nSurvival by segment, {asked.customers:,} customers, {len(curve):,} steps; median of {asked.repeat}, in seconds\n")
    print(f"{'':<27}{'clock':>6}{'processors':>12}")
    for name, (clock, processors) in seconds.items():
        times = "" if name == "cxlib" else f"   {clock / seconds['cxlib'][0]:.1f}x and {processors / seconds['cxlib'][1]:.1f}x cxlib"
        print(f"{name:<27}{clock:>6.2f}{processors:>12.2f}{times}")
    for name, (clock, processors) in others.items():
        print(f"{'cxlib ' + name:<27}{clock:>6.2f}{processors:>12.2f}")
    print(f"\ncounts and curves {'agree' if alike else 'differ'}")
    return 0 if alike else 1


if __name__ == "__main__":
    sys.exit(main())
