"""How fast: a Cox model on counted spells beside lifelines on rows; other coefficients fail the run.

``python tests/benchmarks/cox.py``, or ``--customers 200000 --repeat 3``. Customers have a plan, a region, a channel and a size (240
patterns, 12 terms) and leave by a known law, on whole days, so that hundreds leave on the same one. Ours counts the rows of a Parquet
file in DuckDB and fits what was counted; lifelines has the rows in memory and makes the columns of its model.
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
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2]))

from cxlib.stats import cox

LEVELS = {"plan": 3, "region": 5, "channel": 4, "size": 4}
#: What a level adds to the logarithm of the hazard, each time; the first of each column adds nothing.
ADDS = {"plan": 0.4, "region": 0.1, "channel": -0.2, "size": 0.05}
RISK = " + ".join(f"{adds} * {name}" for name, adds in ADDS.items())
#: One hash a column: those of two arguments share their last bits.
DRAWN = ", ".join(f"hash(range || '{name}') % {levels} AS {name}" for name, levels in LEVELS.items())
CUSTOMERS = f"""
SELECT {", ".join(f"{name}::TINYINT AS {name}" for name in LEVELS)}, least(life, until)::INT AS tenure_days, life <= until AS churned
FROM (
    SELECT *, floor(-ln((hash(i || 'life') % 1000000 + 1) / 1000001.0) * 900 / exp({RISK})) AS life
    FROM (SELECT range AS i, {DRAWN}, 1 + hash(range || 'until') % 2000 AS until FROM range($rows))
)
"""


def dummies(frame: pd.DataFrame) -> pd.DataFrame:
    """A column of 0 and 1 for each level but the first."""
    columns = {f"{name} {level}": frame[name] == level for name, levels in LEVELS.items() for level in range(1, levels)}
    return pd.DataFrame(columns, index=frame.index, dtype=float)


def on_counts(file: Path) -> np.ndarray:
    """Counted by the engine, fitted on counts."""
    counted = duckdb.connect().execute(f"SELECT *, count(*) AS spells FROM '{file}' GROUP BY ALL").df()
    patterns = counted[list(LEVELS)].drop_duplicates().sort_values(list(LEVELS)).reset_index(drop=True)
    place = counted[list(LEVELS)].merge(patterns.reset_index(names="pattern"), how="left")["pattern"]
    cells = cox.Cells(
        pattern=place.to_numpy(),
        start=np.full(len(counted), -0.5),
        stop=counted["tenure_days"].to_numpy(dtype=float),
        ended=counted["churned"].to_numpy(),
        spells=counted["spells"].to_numpy(),
        stratum=np.zeros(len(counted), dtype="int64"),
    )
    return cox.fit(cells, dummies(patterns).to_numpy()).coefficients


def in_lifelines(frame: pd.DataFrame) -> np.ndarray:
    """What a lifelines user writes."""
    from lifelines import CoxPHFitter

    rows = dummies(frame).assign(tenure_days=frame["tenure_days"], churned=frame["churned"])
    return CoxPHFitter().fit(rows, "tenure_days", "churned").params_.to_numpy()


def main() -> int:
    """Print the seconds of both, and whether they agree."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--customers", type=int, default=1_000_000, help="rows (default: 1,000,000)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of which the median is shown (default: 3)")
    asked = parser.parse_args()
    times: dict[str, list[float]] = {"cxlib": [], "lifelines": []}
    with tempfile.TemporaryDirectory(prefix="cxlib-bench-cox-") as name:
        file = Path(name) / "customers.parquet"
        duckdb.connect().execute(f"COPY ({CUSTOMERS.replace('$rows', str(asked.customers))}) TO '{file}' (FORMAT parquet)")
        frame = pd.read_parquet(file)
        on_counts(file)  # imports and a cold file are not counted
        ours = np.zeros(0)
        for _ in range(asked.repeat):
            began = time.perf_counter()
            ours = on_counts(file)
            times["cxlib"].append(time.perf_counter() - began)
        in_lifelines(frame.head(1000))
        theirs = np.zeros(0)
        for _ in range(asked.repeat):
            began = time.perf_counter()
            theirs = in_lifelines(frame)
            times["lifelines"].append(time.perf_counter() - began)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("duckdb", "numpy", "lifelines"))
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {versions}")
    terms = sum(LEVELS.values()) - len(LEVELS)
    print(f"\nCox, {len(frame):,} customers of whom {frame['churned'].sum():,} left, {terms} terms; median of {asked.repeat}, in seconds\n")
    median = {name: statistics.median(each) for name, each in times.items()}
    apart = float(np.abs(ours - theirs).max())
    # lifelines stops where the likelihood has nearly settled.
    agreed = apart < 5e-6
    ratio = median["lifelines"] / median["cxlib"]
    print(f"{'cxlib, from Parquet, counted and fitted':<45}{median['cxlib']:>9.3f}")
    print(f"{'lifelines, from a frame in memory':<45}{median['lifelines']:>9.3f}   ({ratio:.1f}x cxlib)")
    print(f"coefficients are apart by {apart:.1e} at most: {'agree' if agreed else 'differ'}")
    return 0 if agreed else 1


if __name__ == "__main__":
    sys.exit(main())
