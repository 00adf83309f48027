"""How many of the customers of a month's first day leave in that month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.churn.spells import Asked, undated, unseen
from cxlib.stats import intervals
from cxlib.tables import Table, assemble, nothing
from cxlib.tables.calendar import complete, first_day, last_day
from cxlib.tables.rows import absent_key, day, key_names, numbered

Ints: TypeAlias = npt.NDArray[np.int64]

_COUNTS = {"left": "int64", "joined": "int64", "joined_left": "int64", "since": "object", "until": "object"}


def churn_rate(
    customers: Table,
    *,
    as_of: str | date,
    by: str | Sequence[str] = (),
    level: float = 0.95,
) -> pd.DataFrame:
    """Monthly churn of the customers of the month's first day, one row per group and month.

    Of those who were customers when the month began, the share, from 0 to 1, that left
    in it. Who joined and left within the month is counted beside it, not in it [1]_.

    Parameters
    ----------
    customers : pandas DataFrame or Ibis table, one row per spell of a customer
        Needs ``start`` and ``end`` (dates; ``end`` missing while still a customer).
        ``observed_from`` is the first day from which leaving would have been seen, where
        that is later than ``start``.
    as_of : str or date
        Last day counted, such as ``"2026-06-30"``. Only months complete by then are given.
    by : str or sequence of str, optional
        Columns to group by. By default all customers form one group.
    level : float, default 0.95
        Confidence level of the interval.

    Returns
    -------
    DataFrame, one row per group and month, in their order
        ============  =====  ====================================================
        ``by`` ...           the group; a missing key is a group of its own
        month         date   first day of the month
        measure       str    ``"churn_rate"``
        estimate      float  share leaving, 0-1; missing where ``n`` is 0
        low, high     float  interval of the share
        level         float  confidence level of the interval
        n             int    customers when the month began, seen all month
        left          int    of them, left in the month
        joined        int    customers who joined in the month
        joined_left   int    of those, not seen on its first day and left in the same
                             month: they are in no month's base
        since, until  date   first and last day of the month
        ============  =====  ====================================================

        The months run from the first in which any customer was seen all month. Without
        rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent or of another type, a spell ends before it starts, or some
        spells have no start.
    ValueError
        If ``as_of`` is not a day, or ``level`` is not between 0 and 1.

    See Also
    --------
    survival : how long they stay, whatever the calendar says.
    cxlib.figures.trend : the picture of this result.

    Notes
    -----
    Wilson's interval. It misleads where many join: those new to the house often leave
    soonest, and this rate does not see them until their second month. Months differ in
    length by up to a tenth, and so does what can happen in them.

    References
    ----------
    .. [1] Gupta, S., Zeithaml, V. (2006). Customer metrics and their impact on financial
       performance. Marketing Science 25(6), 718-739.

    Examples
    --------
    >>> customers = pd.DataFrame(
    ...     {
    ...         "start": pd.to_datetime(["2026-01-05", "2026-01-20", "2026-02-10", "2026-02-11"]),
    ...         "end": pd.to_datetime(["2026-02-20", None, "2026-02-25", None]),
    ...     }
    ... )
    >>> churn_rate(customers, as_of="2026-03-31")[["month", "estimate", "n", "left", "joined", "joined_left"]]
            month  estimate  n  left  joined  joined_left
    0  2026-02-01       0.5  2     1       2            1
    1  2026-03-01       0.0  2     0       0            0
    """
    intervals.tails(level)
    names = key_names(by, ["month", *_COUNTS])
    until = day(as_of, asks="churn_rate")
    if reason := Asked.unknown(customers):
        return nothing(keys=[*names, "month"], counts=_COUNTS, reason=reason)
    cells = Asked("churn_rate", names, until).monthly(customers)
    reason = undated(cells, "churn by month", asks="churn_rate") or unseen(cells, until)
    if reason := reason or absent_key(cells, names, row="customer"):
        return nothing(keys=[*names, "month"], counts=_COUNTS, reason=reason)
    months = np.arange(int(cells["first"].min()), complete(until) + 1)
    number, groups = numbered(cells, names)
    counts = _counted(cells, number, months)
    frame = groups.loc[groups.index.repeat(len(months))].reset_index(drop=True)
    frame = frame.assign(**{name: count.ravel() for name, count in counts.items()})
    low, high = intervals.wilson(frame["left"], frame["n"], level)
    dates = {"month": first_day, "since": first_day, "until": last_day}
    frame = frame.assign(
        estimate=np.divide(frame["left"], frame["n"], out=np.full(len(frame), np.nan), where=frame["n"] > 0),
        low=low,
        high=high,
        **{name: pd.Series([of(int(month)) for month in months] * len(groups), dtype=object) for name, of in dates.items()},
    )
    return assemble(frame, keys=[*names, "month"], measure="churn_rate", level=level, counts=list(_COUNTS))


def _counted(cells: pd.DataFrame, number: Ints, months: Ints) -> dict[str, Ints]:
    """Counts by group and month: who was there when it began, who of them left, who joined, who joined and left."""
    spells = cells["spells"].to_numpy()
    first, joined = cells["first"].to_numpy(), cells["joined"].to_numpy()
    gone = cells["gone"].astype("float64").fillna(months[-1] + 1).astype("int64").to_numpy()
    counted = {}

    def by_month(month: npt.NDArray[Any], which: npt.NDArray[np.bool_]) -> Ints:
        counts = np.zeros((number.max() + 1, len(months)), dtype="int64")
        which = which & (month >= months[0]) & (month <= months[-1])
        np.add.at(counts, (number[which], month[which] - months[0]), spells[which])
        return counts

    there = gone >= first
    counted["left"] = by_month(gone, there)
    # Whoever was there when the month began: came by then, and had not left in a month before.
    came, went = by_month(first, there).cumsum(axis=1), counted["left"].cumsum(axis=1)
    counted["n"] = came - went + counted["left"]
    counted["joined"] = by_month(joined, joined >= 0)
    # Who joined on the first of the month, and was seen then, is in its base already.
    counted["joined_left"] = by_month(joined, (joined == gone) & (first > gone))
    return counted
