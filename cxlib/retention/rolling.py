"""Churn of the last so many days, at the end of each month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.churn.spells import Asked, lost, undated
from cxlib.stats import intervals
from cxlib.tables import Table, assemble, nothing
from cxlib.tables.calendar import complete, first_day, last_day, month_of
from cxlib.tables.rows import absent_key, day, key_names, numbered

Ints = npt.NDArray[np.int64]

_COUNTS = {"left": "int64", "customer_days": "int64", "since": "object", "until": "object"}
_ORIGIN = date(1970, 1, 1)


def rolling(
    customers: Table,
    *,
    as_of: str | date,
    days: int = 90,
    by: str | Sequence[str] = (),
    level: float = 0.95,
) -> pd.DataFrame:
    """Churn of the last 90 days at the end of each month, one row per group and month.

    Customers who left in the ``days`` that end with the month, by the mean number of
    customers on these days. It is smoother than a month, and later to tell.

    Parameters
    ----------
    customers : pandas DataFrame or Ibis table, one row per spell of a customer
        Needs ``start`` and ``end`` (dates; ``end`` missing while still a customer).
        ``observed_from`` is the first day from which leaving would have been seen, where
        that is later than ``start``.
    as_of : str or date
        Last day counted, such as ``"2026-06-30"``. Only months complete by then are given.
    days : int, default 90
        Length of the window.
    by : str or sequence of str, optional
        Columns to group by. By default all customers form one group.
    level : float, default 0.95
        Confidence level of the interval.

    Returns
    -------
    DataFrame, one row per group and month, in their order
        =============  =====  ===================================================
        ``by`` ...            the group; a missing key is a group of its own
        month          date   first day of the month with which the window ends
        measure        str    ``"churn_rolling"``
        estimate       float  leavers by mean daily customers; missing without any
        low, high      float  its interval
        level          float  confidence level of the interval
        n              int    customers who were there on any day of the window
        left           int    of them, left in the window
        customer_days  int    days of all customers within the window
        since, until   date   first and last day of the window
        =============  =====  ===================================================

        The months run from the first whose window begins after somebody was seen.
        ``frame.attrs["notes"]`` says what was left out. Without rows,
        ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent or of another type, a spell ends before it starts, or some
        spells have no start.
    ValueError
        If ``as_of`` is not a day, ``days`` is not a whole number from 1, or ``level`` is not
        between 0 and 1.

    See Also
    --------
    movement : whether churn moved, tested on periods that do not overlap.
    cxlib.figures.trend : the picture of this result.

    Notes
    -----
    Exact Poisson interval of the leavers. Those who join are counted from their first day,
    so that this is the person-time rate times ``days``; it is near the share lost where
    that is small, and can pass 1 where it is not.
    It misleads as a series: two neighbouring windows of 90 days share 60 of them, so the
    line is smooth by construction, a step takes three months to show in full, and no two
    windows that overlap are tested against each other. Whether churn moved is what
    `movement` says.

    References
    ----------
    .. [1] Garwood, F. (1936). Fiducial limits for the Poisson distribution. Biometrika
       28(3/4), 437-442.

    Examples
    --------
    >>> customers = pd.DataFrame(
    ...     {
    ...         "start": pd.to_datetime(["2026-01-01", "2026-01-01", "2026-02-10"]),
    ...         "end": pd.to_datetime(["2026-03-31", None, None]),
    ...     }
    ... )
    >>> rolling(customers, as_of="2026-04-30", days=60)[["month", "estimate", "n", "left", "customer_days"]].round(3)
            month  estimate  n  left  customer_days
    0  2026-03-01     0.353  3     1            170
    1  2026-04-01     0.400  3     1            150
    """
    intervals.tails(level)
    names = key_names(by, ["month", *_COUNTS])
    last = day(as_of, asks="rolling")
    if isinstance(days, bool) or not isinstance(days, int) or days < 1:
        raise ValueError(f"rolling: days is {days!r}; the window is a whole number of days from 1")
    if reason := Asked.unknown(customers):
        return nothing(keys=[*names, "month"], counts=_COUNTS, reason=reason)
    asked = Asked("rolling", names, last)
    came, went = (asked.dated(customers, _there, axes=partial(_axis, of=end)) for end in ("seen", "gone"))
    reason = undated(came, "churn by the calendar", asks="rolling") or absent_key(came, names, row="customer")
    months = [] if reason else _months(came, last, days)
    if not months:
        reason = reason or f"By {last} no month had ended {days} days or more after somebody was first seen."
        return nothing(keys=[*names, "month"], counts=_COUNTS, reason=reason)
    windows = [(last_day(month) - timedelta(days=days - 1), last_day(month)) for month in months]
    frame = _counted(came, went, names, np.array([[_number(side) for side in window] for window in windows]))
    dates = {"month": [first_day(month) for month in months], "since": [w[0] for w in windows], "until": [w[1] for w in windows]}
    per_day = np.divide(days, frame["customer_days"], out=np.full(len(frame), np.nan), where=frame["customer_days"] > 0)
    bounds = zip(("estimate", "low", "high"), (frame["left"].to_numpy(), *intervals.poisson(frame["left"], level)), strict=True)
    frame = frame.assign(
        **{name: bound * per_day for name, bound in bounds},
        **{name: pd.Series(values * (len(frame) // len(windows)), dtype=object) for name, values in dates.items()},
    )
    found = assemble(frame, keys=[*names, "month"], measure="churn_rolling", level=level, counts=list(_COUNTS)).astype(_COUNTS)
    found.attrs["notes"] = lost(came)
    return found


def _axis(rows: Any, *, of: str) -> dict[str, Any]:
    """The day from which a spell is at risk, or that on which it ended, as a number."""
    import ibis

    return {"day": rows[of].delta(ibis.literal(_ORIGIN, "date"), unit="day")}


def _there(rows: Any) -> dict[str, Any]:
    return {"there": ((rows["gone"] >= rows["seen"]).fill_null(True) & rows["start"].notnull()).sum()}


def _number(of: date) -> int:
    return (of - _ORIGIN).days


def _months(came: pd.DataFrame, last: date, days: int) -> list[int]:
    """The complete months whose window begins when somebody had been seen."""
    known = came.loc[(came["there"] > 0) & came["day"].notna(), "day"]
    if not len(known):
        return []
    first = _ORIGIN + timedelta(days=int(known.min()))
    return [month for month in range(month_of(first), complete(last) + 1) if last_day(month) - timedelta(days=days - 1) >= first]


def _counted(came: pd.DataFrame, went: pd.DataFrame, names: list[str], windows: Ints) -> pd.DataFrame:
    """Of each group and window: who was there on any of its days, on how many, and who left in it."""
    both = pd.concat([came, went[went["day"].notna()]], keys=["came", "went"], ignore_index=False)
    number, groups = numbered(both, names)
    ended = both.index.get_level_values(0) == "went"
    spells, days = both["there"].to_numpy()[:, None], both["day"].to_numpy(dtype="int64")[:, None]
    since, until = windows[:, 0], windows[:, 1]

    def by_window(counts: Ints, of: npt.NDArray[np.bool_]) -> Ints:
        found = np.zeros((number.max() + 1, len(windows)), dtype="int64")
        np.add.at(found, number[of], counts[of])
        return found.ravel()

    # Of who came by a day and had not left before it the days are those from coming on, less those after leaving.
    here = spells * np.maximum(until - np.maximum(days, since) + 1, 0)
    after = spells * np.maximum(until - np.maximum(days + 1, since) + 1, 0)
    return (
        groups.loc[groups.index.repeat(len(windows))]
        .reset_index(drop=True)
        .assign(
            n=by_window(spells * (days <= until), ~ended) - by_window(spells * (days < since), ended),
            left=by_window(spells * ((days >= since) & (days <= until)), ended),
            customer_days=by_window(here, ~ended) - by_window(after, ended),
        )
    )
