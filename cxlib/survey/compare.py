"""What every comparison of groups has: the wholes that its groups are parts of, and what it says where nobody is named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxlib.survey.answers import Tally
from cxlib.tables import TableError
from cxlib.tables.rows import numbered

Ints = npt.NDArray[np.int64]

UNNAMED = "Nobody is named, so every answer is taken to be another person's."


@dataclass(frozen=True)
class Wholes:
    """The number of the whole that each group of a tally is a part of: all answers, or all to its question."""

    counted: Tally
    number: Ints

    @classmethod
    def of(cls, counted: Tally, names: Iterable[str], *, asks: str) -> Wholes:
        """The wholes that columns of these ``names`` tell apart, after refusing those that were asked on several scales."""
        found = cls(counted, numbered(counted.groups, list(names) if len(counted.groups) else [])[0])
        if len(counted.groups):
            found._refuse_scales_apart(asks)
        return found

    def _refuse_scales_apart(self, asks: str) -> None:
        """Raise the letter about groups of one whole that were asked on different scales."""
        names = ["scale_low", "scale_high", "low_is_good"]
        scales = self.counted.groups[names].assign(whole=self.number)[self.counted.n > 0].drop_duplicates()
        apart = scales[scales["whole"].duplicated(keep=False)]
        if len(apart):
            first = apart[apart["whole"] == apart["whole"].iloc[0]][names].itertuples(index=False)
            words = " and ".join(sorted(f"{low} to {high}{', low is good' * bool(reverse)}" for low, high, reverse in first))
            raise TableError(
                f"{asks}: the groups were asked on different scales ({words}). Answers on different scales have no common score: "
                "compare groups of one scale, or name one question."
            )
