"""Verdicts: what may be said of movements, one table's or a whole report's, all corrected together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.stats import movement as stats

Floats = npt.NDArray[np.float64]

_PAIR = ("before", "after")
#: What a correction makes anew, and what the movement of everybody has in common with those of its groups.
_MADE = ("p_corrected", "verdict", "better", "n_to_tell")
_PARENT = ("measure", "between", *_PAIR)
#: What every movement says beside its estimate: first what is told of the change, last of which days it is.
_TOLD = {
    "p_value": "float64", "p_corrected": "float64", "verdict": "object", "better": "boolean", "margin": "float64",
    "smallest_detectable": "float64", "n_to_tell": "Int64", "estimate_before": "float64", "estimate_after": "float64",
    "n_before": "int64", "n_after": "int64",
}  # fmt: skip
_DAYS = {
    "between": "object",
    "since_before": "object", "until_before": "object", "since": "object", "until": "object",
}  # fmt: skip


def movement_counts(both: str = "int64", *, scale: bool = False, **counted: str) -> dict[str, str]:
    """The columns of a movement after its estimate, with their types: of all movements the same, but for what is counted of each period.

    ``both`` is the type of ``n_both``, the people of both periods; ``scale`` where there are answers that have one.
    """
    of_each = {f"{name}_{side}": kind for name, kind in counted.items() for side in _PAIR}
    ends = {"scale_low": "int64", "scale_high": "int64"} if scale else {}
    return {**_TOLD, **of_each, "n_both": both, "spread": "float64", "low_is_good": "bool", **ends, **_DAYS}


def together(*movements: pd.DataFrame) -> list[pd.DataFrame]:
    """All movements of a report corrected together, as if they stood in one table.

    Of the movements that are then called up or down, on average at most the declared
    share, 1 less the level, are none, however many tables a report has.

    Parameters
    ----------
    *movements : DataFrame
        Results of `cxlib.survey.movement`, of one level. The first is what the report is
        about.

    Returns
    -------
    list of DataFrame
        The same results in the same order, with ``p_corrected``, ``verdict``, ``better``
        and ``n_to_tell`` of the whole. Nothing else changes: the intervals are not
        corrected. A result without rows stays as it is.

    Raises
    ------
    ValueError
        If something is not a movement, the levels differ, or one is given twice.

    See Also
    --------
    cxlib.survey.movement : a movement and its verdict.

    Notes
    -----
    Scores of everybody are corrected by Benjamini and Hochberg [1]_ with weights that are
    declared by the order [2]_: the first table, which the report is about, weighs as much
    as all the others together, and these as much as each other, however many months they
    have. No corrected p-value is below the plain one, which weights alone would allow.
    Movements of the groups of a score wait for it, as in the hierarchy of Yekutieli
    [3]_: they are corrected among themselves, and none is smaller than the corrected
    p-value of the same movement of everybody. So a report in which nothing moves names a
    false movement in one case of twenty at most at 95 %, whether it has three breakdowns
    or thirty (``tests`` simulate 2,000 reports). Groups whose score is not given for
    everybody are corrected with those of everybody.

    It misleads who looks every month: over a year of reports in which nothing moves
    almost every second year names a false movement in one of them. And groups that move
    against each other, so that everybody stands still, are left open.

    References
    ----------
    .. [1] Benjamini, Y., Hochberg, Y. (1995). Controlling the false discovery rate.
       Journal of the Royal Statistical Society B 57(1), 289-300.
    .. [2] Genovese, C. R., Roeder, K., Wasserman, L. (2006). False discovery control with
       p-value weighting. Biometrika 93(3), 509-524.
    .. [3] Yekutieli, D. (2008). Hierarchical false discovery rate-controlling methodology.
       Journal of the American Statistical Association 103(481), 309-316.

    Examples
    --------
    >>> from cxlib import survey
    >>> day = pd.to_datetime(["2026-01-05"] * 60 + ["2026-02-05"] * 60)
    >>> fell = [10] * 40 + [8] * 10 + [3] * 10 + [10] * 28 + [8] * 10 + [3] * 22
    >>> loyalty = survey.movement(pd.DataFrame({"time_answered": day, "score": fell}))
    >>> still = [5] * 30 + [2] * 30 + [5] * 31 + [2] * 29
    >>> asked = pd.DataFrame({"time_answered": day, "score": still})
    >>> satisfaction = survey.movement(asked, measure=survey.Score("csat", scale=(1, 5)))
    >>> [frame[["measure", "p_value", "p_corrected", "verdict"]].round(3).values.tolist() for frame in together(loyalty, satisfaction)]
    [[['nps_change', 0.011, 0.021, 'down']], [['csat_change', 0.855, 0.855, 'cannot tell yet']]]
    """
    _refuse(movements)
    rows = [frame.assign(of=place, group=_groups(frame)) for place, frame in enumerate(movements) if len(frame)]
    found = [frame.copy() for frame in movements]
    if rows:
        stacked = pd.concat(rows, ignore_index=True)
        told = judged(stacked, *_Family.of(stacked).corrected(stacked["p_value"].to_numpy(dtype=float)))
        for place, frame in enumerate(found):
            for name in _MADE if len(frame) else ():
                frame[name] = told.loc[told["of"] == place, name].array
            frame.attrs["together"] = int(told["p_value"].notna().sum())
    return found


def _groups(frame: pd.DataFrame) -> pd.Series[Any]:
    """Which group each row is of, as text; nothing where it is of everybody. A question is no group but a score of its own."""
    keys = [name for name in frame.columns[: frame.columns.get_loc("measure")] if name not in {*_PAIR, "question"}]
    named = frame[keys].apply(lambda row: str(dict(row)), axis=1) if keys else None
    return pd.Series(named, index=frame.index, dtype="object")


@dataclass(frozen=True)
class _Family:
    """Movements that are corrected together: of whom each is, in a table of how many, and the place of its parent or -1."""

    of_group: npt.NDArray[np.bool_]
    table: npt.NDArray[np.int64]
    parent: npt.NDArray[np.int64]

    @classmethod
    def of(cls, rows: pd.DataFrame) -> _Family:
        """The parent of a group's movement is that of everybody: of the same score, between the same two periods."""
        everybody = rows["group"].isna().to_numpy()
        names = [name for name in (*_PARENT, "question") if name in rows]
        first = rows[everybody][names].assign(place=np.flatnonzero(everybody)).drop_duplicates(names)
        parent = rows[names].merge(first, on=names, how="left")["place"].fillna(-1).to_numpy(dtype="int64")
        of_group = ~everybody & (parent >= 0)
        return cls(of_group, rows["of"].to_numpy(dtype="int64"), parent)

    def corrected(self, p_values: Floats) -> tuple[Floats, Floats]:
        """Everybody's movements among themselves; those of groups among themselves, and none below its parent's or the plain one.

        And of each, how many times smaller its p-value has to be than alone, if it is the only one that moved.
        """
        found, stricter = np.full(len(p_values), np.nan), np.ones(len(p_values))
        for family in (~self.of_group, self.of_group):
            tested = np.flatnonzero(family & ~np.isnan(p_values))
            _, table, size = np.unique(self.table[tested], return_inverse=True, return_counts=True)
            # A table of one row weighs as much as one of thirty: what was declared does not drown in months.
            of_table = np.full(len(size), 0.5 / max(len(size) - 1, 1))
            of_table[:1] = 1 - of_table[1:].sum()
            stricter[tested] = size[table] / of_table[table]
            weighted = stats.benjamini_hochberg(p_values[tested] * stricter[tested] / len(tested))
            # Who reads "corrected" takes it for stricter. The share of false findings may rise by that, to what is declared at most:
            # a table loses findings only if its rows are fewer than its weight's part of all, and true ones leave their weight unused.
            found[tested] = np.fmax(weighted, p_values[tested])
        parent = np.where(self.parent >= 0, found[self.parent], np.nan)
        return np.where(self.of_group, np.fmax(found, parent), found), stricter


def _refuse(movements: Sequence[pd.DataFrame]) -> None:
    for place, frame in enumerate(movements):
        missing = [name for name in (*_PAIR, "p_value", "spread") if name not in frame.columns]
        if missing:
            raise ValueError(
                f"together: the result in place {place + 1} is no movement (it has no '{missing[0]}'). "
                "Give it what survey.movement(responses) returns."
            )
    levels = sorted({float(level) for frame in movements for level in frame["level"].unique()})
    if len(levels) > 1:
        raise ValueError(f"together: the movements have different levels ({', '.join(map(str, levels))}); one correction has one")
    if len({id(frame) for frame in movements}) < len(movements):
        raise ValueError("together: a movement is given twice, and would count as two")


def judged(frame: pd.DataFrame, p_corrected: npt.ArrayLike, stricter: npt.ArrayLike | None = None) -> pd.DataFrame:
    """Changes with their corrected p-values and verdicts; what is open says what would settle it, if it alone moved.

    ``stricter`` is by how much the correction then divides the p-value that is needed: by default by the number of tests.

    Where ``unchanged`` is not given, it is what was called immaterial before: no correction bears on that.
    """
    level = float(frame["level"].iloc[0])
    corrected, estimate, margin = (np.asarray(each, dtype=float) for each in (p_corrected, frame["estimate"], frame["margin"]))
    unchanged = frame["unchanged"] if "unchanged" in frame else frame["verdict"] == stats.UNCHANGED
    verdict = stats.verdicts(estimate, corrected, unchanged, level=level)
    raised = np.full(len(frame), max(frame["p_value"].notna().sum(), 1)) if stricter is None else np.asarray(stricter, dtype=float)
    needed = np.where(
        np.isnan(margin),
        stats.answers_to_tell(frame["spread"], estimate, level=level, stricter=raised),
        stats.answers_to_tell(frame["spread"], margin, level=level, stricter=raised, margin=True),
    )
    is_open = np.array([word == stats.OPEN for word in verdict], dtype=bool)
    moved = np.array([word in {stats.UP, stats.DOWN} for word in verdict], dtype=bool)
    better = pd.Series((estimate > 0) != frame["low_is_good"], index=frame.index, dtype="boolean").where(moved)
    # More answers than there are people on earth tell nobody anything.
    shown = pd.Series(np.where(is_open & (needed < 1e10), needed, np.nan), index=frame.index).astype("Int64")
    return frame.assign(p_corrected=corrected, verdict=verdict, better=better, n_to_tell=shown)
