"""What every comparison of groups refuses, and what it says of those whom it compares."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from cxlib.stats import intervals
from cxlib.survey.answers import Tally
from cxlib.survey.scoring import SCORING, Score
from cxlib.tables import TableError

Ints = npt.NDArray[np.int64]

UNNAMED = "Nobody is named, so every answer is taken to be another person's."


def score_of(measure: str | Score, *, level: float, margin: float | None = None) -> Score:
    """The score that is compared, after refusing what no comparison can be made with."""
    intervals.tails(level)
    if level <= 0.5:
        raise ValueError(f"level: {level} is not above 0.5, and a verdict needs more than a toss of a coin; for 95 % write 0.95")
    if margin is not None and not margin > 0:
        raise ValueError(f"margin: {margin} is no size of a difference; it is above 0, in the unit of the score")
    score = measure if isinstance(measure, Score) else Score(measure)
    if score.name not in SCORING:
        raise ValueError(f"measure: {score.name!r} is none of {', '.join(map(repr, SCORING))}")
    return score


def wholes(counted: Tally, names: Iterable[str]) -> Ints:
    """The number of the whole that each group is a part of: all answers, or all to its question where ``names`` says so."""
    keys = list(names)
    if not keys:
        return np.zeros(len(counted.groups), dtype="int64")
    return counted.groups.groupby(keys, dropna=False, sort=False).ngroup().to_numpy().astype("int64")


def refuse_scales_apart(counted: Tally, within: Ints, *, asks: str) -> None:
    """Raise the letter about groups of one whole that were asked on different scales."""
    names = ["scale_low", "scale_high", "low_is_good"]
    scales = counted.groups[names].assign(within=within)[counted.n > 0].drop_duplicates()
    apart = scales[scales["within"].duplicated(keep=False)]
    if len(apart):
        first = apart[apart["within"] == apart["within"].iloc[0]][names].itertuples(index=False)
        words = " and ".join(sorted(f"{low} to {high}{', low is good' * bool(reverse)}" for low, high, reverse in first))
        raise TableError(
            f"{asks}: the groups were asked on different scales ({words}). Answers on different scales have no common score: "
            "compare groups of one scale, or name one question."
        )
