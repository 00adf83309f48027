"""A Cox fit of categories: which of them can be told apart, and errors that know whose rows are whose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.stats import cox

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Whose:
    """Which customer, by number, has a row in which cell, by its place; as often as there is one."""

    customer: Ints
    cell: Ints

    @classmethod
    def of(cls, rows: pd.DataFrame, cells: Ints) -> Whose:
        """From the numbers that the engine gave to cells, which stand here in another order."""
        place = np.empty(len(cells), dtype="int64")
        place[cells] = np.arange(len(cells))
        return cls(rows["who"].to_numpy(dtype="int64"), place[rows["cell"].to_numpy(dtype="int64")])

    def among(self, place: Ints) -> Whose:
        """The same of other cells: ``place`` has for each cell its new place, or -1 where it is gone."""
        new = place[self.cell]
        return Whose(self.customer[new >= 0], new[new >= 0])

    def sums(self, per_spell: Floats) -> Floats:
        """Sums by customer of what each spell of a cell has, one row a customer."""
        sums = [np.bincount(self.customer, weights=column[self.cell]) for column in per_spell.T]
        return np.stack(sums, axis=1)


@dataclass(frozen=True)
class Fitted:
    """A fit, and for each term the column that has its coefficient; -1 where it has none."""

    fit: cox.Fit
    columns: Ints


@dataclass(frozen=True)
class Rows:
    """What is fitted: counted rows, a column for every term by pattern, and whose rows they are, where that is known."""

    cells: cox.Cells
    covariates: Floats
    whose: Whose | None

    def leavers(self) -> Ints:
        """How many left, by pattern."""
        cells = self.cells
        return np.bincount(cells.pattern[cells.ended], cells.spells[cells.ended], len(self.covariates)).astype("int64")

    def fitted(self, terms: Sequence[tuple[str, str]]) -> Fitted:
        """Fit what can be told apart, with errors robust to several rows of a customer where it is known whose they are.

        A category in which nobody left has a ratio of 0 at best, and no interval: as the ratio goes to 0 its rows weigh
        nothing, so they are left out, and the others' ratios are what they would be. Of two terms with the same rows the
        first stands for both.
        """
        cells, covariates = self.cells, self.covariates
        told: npt.NDArray[np.bool_] = np.not_equal(self.leavers() @ covariates, 0)
        keep = np.equal(covariates[:, ~told].sum(axis=1), 0)[cells.pattern]
        if len(terms):
            _, first = np.unique(covariates[np.unique(cells.pattern[keep])], axis=1, return_index=True)
            told &= np.isin(np.arange(len(terms)), first)
        part = cox.Cells(*(getattr(cells, name)[keep] for name in ("pattern", "start", "stop", "ended", "spells", "stratum")))
        try:
            found = cox.fit(part, covariates[:, told])
        except ValueError as error:
            named = [f"{name}: {category}" for (name, category), is_told in zip(terms, told, strict=True) if is_told]
            words = ", ".join(f"{column} {name}" for column, name in enumerate(named))
            raise ValueError(f"{str(error).removeprefix('cox: ')} The columns are: {words}.") from None
        if self.whose is not None and told.any():
            sums = self.whose.among(np.where(keep, np.cumsum(keep) - 1, -1)).sums(found.score_residuals())
            found = replace(found, robust=cox.robust_covariance(found, sums))
        return Fitted(found, np.where(told, np.cumsum(told) - 1, -1))

    def split(self, day: float) -> Rows:
        """The same rows cut at a tenure: first the terms before it, then those after it."""
        cells, patterns = self.cells, len(self.covariates)
        early, late = np.flatnonzero(cells.start < day), np.flatnonzero(cells.stop > day)
        rows = np.concatenate([early, late])
        is_late = np.arange(len(rows)) >= len(early)
        stop = np.where(is_late, cells.stop[rows], np.minimum(cells.stop[rows], day))
        cut = cox.Cells(
            pattern=cells.pattern[rows] + patterns * is_late,
            start=np.where(is_late, np.maximum(cells.start[rows], day), cells.start[rows]),
            stop=stop,
            ended=cells.ended[rows] & (stop == cells.stop[rows]),
            spells=cells.spells[rows],
            stratum=cells.stratum[rows],
        )
        nothing = np.zeros_like(self.covariates)
        covariates = np.block([[self.covariates, nothing], [nothing, self.covariates]])
        whose = None
        if self.whose is not None:
            parts = []
            for which, before in ((early, 0), (late, len(early))):
                place = np.full(len(cells.start), -1)
                place[which] = np.arange(len(which)) + before
                parts.append(self.whose.among(place))
            whose = Whose(np.concatenate([part.customer for part in parts]), np.concatenate([part.cell for part in parts]))
        return Rows(cut, covariates, whose)
