"""Whether the sample company's truth is found again: twenty companies of other seeds, and in how many the interval holds it.

``make simulate`` writes ``tests/benchmarks/recovery.md``. Each company is made, read through the door and measured as
any other; its truth is what its ``truth.json`` says.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from cxlib import sources, survey
from cxlib.sample import write

AS_OF = "2026-06-30"
#: Three months to each side of the month in which the deliveries fail.
BEFORE, AFTER = ("2025-11", "2025-12", "2026-01"), ("2026-02", "2026-03", "2026-04")
BETWEEN = (("2025-11-01", "2026-01-31"), ("2026-02-01", "2026-04-30"))


def change(by_month: dict[str, float]) -> float:
    """The true change between the two quarters, from the true scores of their months."""
    return float(np.mean([by_month[month] for month in AFTER]) - np.mean([by_month[month] for month in BEFORE]))


def found(folder: Path) -> Iterator[tuple[str, float, float, float, float, str]]:
    """Each number that is known: what it is, its truth, what is estimated, low, high, verdict."""
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    responses = sources.read(folder / "sources.toml", as_of=AS_OF).responses
    known = {
        "NPS, change when deliveries fail (points)": ("nps", None, change(truth["nps"]["among_answers_by_month"])),
        "CSAT, the same (share)": ("csat", None, change(truth["csat"]["by_month"]) / 100),
        "CES, the same (share)": ("ces", None, change(truth["ces"]["by_month"]) / 100),
        "rating of billing, which does not move (mean)": ("ratings", "rating_billing", 0.0),
        "rating of the store, which does not move (mean)": ("ratings", "rating_store", 0.0),
    }
    for name, (score, question, true) in known.items():
        row = survey.movement(responses, measure=survey.Score(score, question=question), between=BETWEEN).iloc[0]
        yield name, true, row["estimate"], row["low"], row["high"], row["verdict"]


def main() -> None:
    """Print the page."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--companies", type=int, default=20)
    asked.add_argument("--customers", type=int, default=6000)
    given = asked.parse_args()
    told: dict[str, list[tuple[float, float, float, float, str]]] = {}
    for seed in range(101, 101 + given.companies):
        with tempfile.TemporaryDirectory() as folder:
            write(folder, customers=given.customers, seed=seed, parquet=True)
            for name, *numbers in found(Path(folder)):
                told.setdefault(name, []).append(tuple(numbers))  # type: ignore[arg-type]
    print("# Is the truth found again?\n")
    print(
        f"Made by `make simulate`: {given.companies} companies of {given.customers:,} customers, none with the seed of the committed one."
    )
    print("At 95 % the interval should hold the truth in 17 to 20 of 20.\n")
    print("| number | truth, mean | estimate, mean | interval holds it in | verdict up or down in |")
    print("|---|---|---|---|---|")
    for name, rows in told.items():
        true, estimate, low, high = (np.array([row[place] for row in rows]) for place in range(4))
        held, moved = ((low <= true) & (true <= high)).sum(), sum(row[4] in {"up", "down"} for row in rows)
        print(f"| {name} | {true.mean():+.3f} | {estimate.mean():+.3f} | {held} of {len(rows)} | {moved} of {len(rows)} |")


if __name__ == "__main__":
    main()
