"""Life tables as arrays: who entered, left or was last seen at each tenure, of a group and of everybody else."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.stats import survival as curves
from cxlib.tables.rows import parts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Lives:
    """The counts of one group at each tenure at which anybody entered, left or was last seen, from 0 on.

    ``ends`` has the events by reason, where they were asked for.
    """

    tenure: Floats
    entered: Ints
    events: Ints
    censored: Ints
    ends: Mapping[str, Ints] = field(default_factory=dict)

    @property
    def customers(self) -> int:
        """Customers who were ever at risk."""
        return int(self.entered.sum())

    @property
    def delayed(self) -> bool:
        """Whether anybody came under observation after the day of joining."""
        return bool(self.entered[1:].any())

    @cached_property
    def risk(self) -> Ints:
        return curves.at_risk(self.entered, self.events + self.censored)

    @property
    def steps(self) -> Floats:
        """0 and each tenure at which somebody left or was last seen."""
        steps: Floats = self.tenure[(self.tenure == 0) | (self.events + self.censored > 0)]
        return steps

    def place(self, tenures: Floats, *, gone: bool) -> tuple[Ints, Flags, Flags]:
        """Of each tenure: the step that holds at it, whether it is one of its own, and whether nothing was seen of it.

        Beyond the last tenure nothing is known, unless everybody is ``gone``; nor is it before anybody was at risk.
        """
        step = np.searchsorted(self.tenure, tenures, side="right") - 1
        never = np.maximum.accumulate(self.risk)[step] == 0
        last = self.tenure[self.risk > 0].max(initial=0.0)
        return step, self.tenure[step] == tenures, never | ((tenures > last) & (not gone))

    def at_risk(self, tenures: Floats) -> Ints:
        """Customers at risk just before any tenures."""
        step, here, _ = self.place(tenures, gone=False)
        return self.risk[step] - np.where(here, 0, (self.events + self.censored)[step])

    def seen(self, until: float) -> bool:
        """Whether somebody was at risk at all tenures up to this one, or none was left to be."""
        still = curves.kaplan_meier(self.risk, self.events)
        known = (self.risk > 0) | (np.append(1.0, still[:-1]) == 0)
        here = self.tenure <= until
        return bool(known[here].all()) and bool(self.at_risk(np.array([until]))[0] > 0 or still[here][-1] == 0)

    def on(self, tenures: Floats) -> Lives:
        """The same counts at more tenures."""
        place = np.searchsorted(tenures, self.tenure)

        def spread(counts: Ints) -> Ints:
            found = np.zeros(len(tenures), dtype="int64")
            found[place] = counts
            return found

        ends = {name: spread(counts) for name, counts in self.ends.items()}
        return Lives(tenures, spread(self.entered), spread(self.events), spread(self.censored), ends)

    def without(self, others: Lives) -> Lives:
        """These customers but for some of them, at the same tenures."""
        return Lives(self.tenure, self.entered - others.entered, self.events - others.events, self.censored - others.censored)


def lives_of(cells: pd.DataFrame, names: Sequence[str], *, asks: str) -> list[tuple[dict[str, Any], Lives]]:
    """The key and the counts of each group, each at tenures of its own; who was lost unseen is warned of."""
    if lost := int(cells["lost"].sum()):
        warnings.warn(
            f"{asks}: {lost:,} of {int(cells['spells'].sum()):,} spells ended before observed_from, "
            "when leaving was not yet seen; they are left out",
            UserWarning,
            stacklevel=3,
        )
    return [(key, counted(group)) for key, group in parts(cells, names)]


def everybody(groups: list[Lives]) -> tuple[Lives, list[Lives]]:
    """All groups together, and each of them, at the tenures of any."""
    tenures = np.unique(np.concatenate([lives.tenure for lives in groups]))
    spread = [lives.on(tenures) for lives in groups]
    entered, events, censored = (np.sum([getattr(lives, name) for lives in spread], axis=0) for name in ("entered", "events", "censored"))
    return Lives(tenures, entered, events, censored), spread


def counted(group: pd.DataFrame) -> Lives:
    """The counts of one group, from its cells."""
    columns = ["late", "events", "censored"]
    cells = group.groupby("tenure")[columns].sum()
    # Everybody may have entered late: the curve still starts at 0.
    cells = cells.reindex(cells.index.union([0.0]), fill_value=0)
    entered, events, censored = (cells[name].to_numpy(dtype="int64") for name in cells)
    # Who did not enter late was there from the first day.
    entered[0] = (events + censored - entered).sum()
    tenure = cells.index.to_numpy(dtype="float64")
    if "reason" not in group:
        return Lives(tenure, entered, events, censored)
    left = group[group["events"] > 0]
    table = left.pivot_table(index="tenure", columns="reason", values="events", aggfunc="sum", fill_value=0, observed=True)
    table = table.reindex(tenure, fill_value=0)
    return Lives(tenure, entered, events, censored, {str(name): table[name].to_numpy(dtype="int64") for name in table})
