"""How often what each measure says is true: every measure asked as a notebook asks it, of many samples whose law is known.

Many samples are one table, told apart by a column ``sample`` that is given as ``by``: one question to the engine. Only where
``by`` means something else is each sample asked by itself. ``simulated.py`` prints what is found here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

import shop_simulated as shop

from cxlib.stats.movement import benjamini_hochberg

__all__ = ["AS_OF", "FIVE", "Row", "each", "held", "named", "page", "shop"]

AS_OF = pd.Timestamp("2026-06-30")
FIVE = np.arange(1, 6)


@dataclass(frozen=True)
class Row:
    """One line of the page: ``found`` is, of each sample, the share of its rows that is right (or wrong, of a verdict)."""

    measure: str
    what: str
    found: pd.Series | np.ndarray | list[float]
    wanted: str = "0.950"

    def __str__(self) -> str:
        each = np.asarray(self.found, dtype=float)
        error = 2 * each.std() / np.sqrt(len(each))
        return f"| `{self.measure}` | {self.what} | {len(each):,} | {self.wanted} | {each.mean():.3f} ± {error:.3f} |"


def held(found: pd.DataFrame, truth, *, within: str = "sample", of: str = "") -> pd.Series:
    """Of each sample the share of its intervals that hold the truth; a bound that is missing is none."""
    low, high = (found[f"{of}{bound}"].fillna(end) for bound, end in (("low", -np.inf), ("high", np.inf)))
    return ((low <= truth + 1e-12) & (truth - 1e-12 <= high)).groupby(found[within]).mean()


def named(found: pd.DataFrame, *, within: str = "sample") -> pd.Series:
    """Of each sample, whether anything is found once its rows are corrected together."""
    corrected = found.groupby(within)["p_value"].transform(lambda each: benjamini_hochberg(each.to_numpy()))
    return (corrected < 0.05).groupby(found[within]).any()


def each(samples: int, ask: Callable[[int], pd.DataFrame]) -> pd.DataFrame:
    """The results of samples that are asked one by one."""
    return pd.concat([ask(sample).assign(sample=sample) for sample in range(samples)], ignore_index=True)


def page(sections: dict[str, tuple[Callable[[], Iterator[Row]], ...]]) -> Iterator[str]:
    """A table for each section."""
    for heading, simulations in sections.items():
        yield f"\n### {heading}\n"
        yield "| measure | what is simulated | samples | wanted | found |"
        yield "|---|---|---|---|---|"
        yield from (str(row) for simulation in simulations for row in simulation())
