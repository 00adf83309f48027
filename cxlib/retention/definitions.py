"""One period's churn, counted in the four ways that are called churn rate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.churn.spells import Asked, lost, undated
from cxlib.stats import intervals
from cxlib.tables import RESULT, Table, nothing
from cxlib.tables.calendar import complete, first_day, last_day
from cxlib.tables.rows import absent_key, day, key_names

Floats = npt.NDArray[np.float64]

_COUNTS = {
    "start": "int64", "left": "int64", "new": "int64", "new_left": "int64", "seen_late": "int64",
    "seen_late_left": "int64", "customer_days": "int64", "since": "object", "until": "object",
}  # fmt: skip
#: In the order in which they stand beside one another, the default first.
MEASURES = ("churn_rate", "churn_rate_all", "churn_rate_mean", "churn_rate_days")


def definitions(
    customers: Table,
    *,
    as_of: str | date,
    since: str | date | None = None,
    by: str | Sequence[str] = (),
    level: float = 0.95,
) -> pd.DataFrame:
    """Churn of one period by each of its four definitions, four rows per group.

    Four numbers are called churn rate, and of one period they differ. All are shares, from
    0 to 1, of the whole period; each answers a question of its own.

    Parameters
    ----------
    customers : pandas DataFrame or Ibis table, one row per spell of a customer
        Needs ``start`` and ``end`` (dates; ``end`` missing while still a customer).
        ``observed_from`` is the first day from which leaving would have been seen, where
        that is later than ``start``.
    as_of : str or date
        Last day counted, such as ``"2026-06-30"``.
    since : str or date, optional
        First day of a period that ends on ``as_of``. By default the period is the last month
        that is complete by ``as_of``.
    by : str or sequence of str, optional
        Columns to group by. By default all customers form one group.
    level : float, default 0.95
        Confidence level of the intervals.

    Returns
    -------
    DataFrame, four rows per group, the groups in their order
        =============  =====  ===================================================
        ``by`` ...            the group; a missing key is a group of its own
        measure        str    see Notes
        estimate       float  churn of the period; missing where ``n`` is 0
        low, high      float  its interval
        level          float  confidence level of the interval
        n              int    customers it rests on: those of the first day; of
                              ``churn_rate_days`` all who were seen in the period
        start          int    customers on the first day, seen all period
        left           int    of them, left in the period
        new            int    customers who joined after the first day
        new_left       int    of them, left in the period
        seen_late ...  int    customers of before who are seen only from some day
                              of the period on; of them, left in it
        customer_days  int    days of all customers within the period
        since, until   date   first and last day of the period
        =============  =====  ===================================================

        ``frame.attrs["notes"]`` says what was left out. Without rows,
        ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent or of another type, a spell ends before it starts, or some
        spells have no start.
    ValueError
        If a day is none, ``since`` is after ``as_of``, or ``level`` is not between 0 and 1.

    See Also
    --------
    cxlib.churn.churn_rate : the default, month by month.
    cxlib.figures.rates : the picture of this result.

    Notes
    -----
    - ``churn_rate``, the default: ``left / start``. What share of the customers we had did we
      lose? A share of known people, so it cannot pass 1, does not move with the number of
      new customers, and multiplies over months. Wilson's interval.
    - ``churn_rate_all``: ``(left + new_left) / start``. How many must be won to stand still,
      for each we had? It counts people who are not in its base, so that a good month for
      sales raises it, and may pass 1. Wilson's intervals of the two shares, added by
      Zou and Donner's method [1]_.
    - ``churn_rate_mean``: the same leavers by the mean of the customers at the start and at
      the end. What many accounts of subscriptions show; a growing company looks better by it.
      The interval of ``churn_rate_all``, carried over.
    - ``churn_rate_days``: 1 - exp(-λ days), λ the leavers per customer-day. Would a customer
      who is there all period have left? The one to compare periods of different length, and
      the only one that counts who is seen from some day on. Exact Poisson interval [2]_.

    All four mislead where those new to the house leave soonest and their number changes:
    look at survival by tenure. The first day counts as a day at the start, the day of
    leaving as a day at risk.

    References
    ----------
    .. [1] Zou, G. Y., Donner, A. (2008). Construction of confidence limits about effect
       measures: a general approach. Statistics in Medicine 27(10), 1693-1702.
    .. [2] Garwood, F. (1936). Fiducial limits for the Poisson distribution. Biometrika
       28(3/4), 437-442.

    Examples
    --------
    Of two customers on the first of March one leaves, and one of two new ones:

    >>> customers = pd.DataFrame(
    ...     {
    ...         "start": pd.to_datetime(["2026-01-05", "2026-02-11", "2026-03-02", "2026-03-12"]),
    ...         "end": pd.to_datetime([None, "2026-03-25", "2026-03-21", None]),
    ...     }
    ... )
    >>> found = definitions(customers, as_of="2026-03-31")
    >>> found[["measure", "estimate", "low", "high", "n", "customer_days"]].round(3)
               measure  estimate    low   high  n  customer_days
    0       churn_rate     0.500  0.095  0.905  2             96
    1   churn_rate_all     1.000  0.427  1.573  2             96
    2  churn_rate_mean     1.000  0.332  2.206  2             96
    3  churn_rate_days     0.476  0.075  0.903  4             96
    """
    intervals.tails(level)
    names = key_names(by, _COUNTS)
    first, last = _period(day(as_of, asks="definitions"), since)
    if reason := Asked.unknown(customers):
        return nothing(keys=names, counts=_COUNTS, reason=reason)
    cells = Asked("definitions", names, last).dated(customers, lambda rows: _counted(rows, first, last))
    reason = undated(cells, "churn by the calendar", asks="definitions") or absent_key(cells, names, row="customer")
    if not reason and not cells["customer_days"].sum():
        reason = f"No customer was seen between {first} and {last}."
    if reason:
        return nothing(keys=names, counts=_COUNTS, reason=reason)
    cells = cells.assign(since=first, until=last)
    rates = _rates(cells, (last - first).days + 1, level)
    frame = pd.concat([cells.assign(measure=measure, **columns) for measure, columns in rates.items()])
    frame = frame.assign(level=level, place=np.tile(np.arange(len(cells)), len(MEASURES)))
    frame = frame.sort_values("place", kind="stable")[[*names, *RESULT, *_COUNTS]].astype(_COUNTS).reset_index(drop=True)
    frame.attrs["notes"] = [*lost(cells), *_late(cells)]
    return frame


def _period(last: date, since: str | date | None) -> tuple[date, date]:
    if since is None:
        month = complete(last)
        return first_day(month), last_day(month)
    first = day(since, asks="definitions")
    if first > last:
        raise ValueError(f"definitions: since={first} is after the last day counted, {last}")
    return first, last


def _counted(rows: Any, first: date, last: date) -> dict[str, Any]:
    """What the engine counts of spells that began by the ``last`` day."""
    import ibis

    since, until = ibis.literal(first, "date"), ibis.literal(last, "date")
    seen, gone = rows["seen"], ibis.coalesce(rows["gone"], until)
    left = rows["gone"].notnull()
    at_risk = (gone >= seen) & (gone >= since) & (seen <= until)
    groups = {
        "start": at_risk & (seen <= since),
        "new": at_risk & (seen > since) & (seen == rows["start"]),
        "seen_late": at_risk & (seen > since) & (seen > rows["start"]),
    }
    days = gone.delta(ibis.greatest(seen, since), unit="day") + 1
    leavers = {f"{name}_left": (group & left).sum() for name, group in groups.items()}
    leavers["left"] = leavers.pop("start_left")
    return {name: group.sum() for name, group in groups.items()} | leavers | {"customer_days": at_risk.ifelse(days, 0).sum()}


def _rates(cells: pd.DataFrame, length: int, level: float) -> dict[str, dict[str, Floats]]:
    """Each definition of each group: estimate, interval and base."""
    start, left, new, new_left = (cells[name].to_numpy(dtype=float) for name in ("start", "left", "new", "new_left"))
    share = _divide(left, start)
    low, high = intervals.wilson(left, start, level)
    # Leavers among the new, on the base of those at the start: a share of theirs, times how many there are for each.
    for_each, of_new = _divide(new, start), _divide(new_left, new)
    new_low, new_high = intervals.wilson(new_left, new, level)
    below, above = (np.nan_to_num(for_each * (bound - of_new)) for bound in (new_low, new_high))
    every = _divide(left + new_left, start)
    all_low, all_high = every - np.hypot(share - low, below), every + np.hypot(high - share, above)
    days, seen = cells["customer_days"].to_numpy(dtype=float), start + new + cells["seen_late"].to_numpy()
    gone = left + new_left + cells["seen_late_left"].to_numpy()
    a_day = [_divide(events, days) for events in (gone, *intervals.poisson(gone, level))]
    columns = {
        "churn_rate": (share, low, high, start),
        "churn_rate_all": (every, all_low, all_high, start),
        "churn_rate_mean": (*(_of_mean(rate, for_each) for rate in (every, all_low, all_high)), start),
        "churn_rate_days": (*(-np.expm1(-rate * length) for rate in a_day), seen),
    }
    return {
        name: dict(zip(("estimate", "low", "high", "n"), (*numbers, base.astype("int64")), strict=True))
        for name, (*numbers, base) in columns.items()
    }


def _of_mean(rate: Floats, for_each: Floats) -> Floats:
    """Leavers by the mean of the customers at start and end, from leavers and new customers for each at the start."""
    return _divide(rate, 1 + (for_each - rate) / 2)


def _late(cells: pd.DataFrame) -> list[str]:
    late = int(cells["seen_late"].sum())
    who = "customer was" if late == 1 else "customers were"
    words = f"{late:,} {who} seen only from some day of the period on: only the rate by customer-days counts them."
    return [words] if late else []


def _divide(top: Floats, bottom: Floats) -> Floats:
    found: Floats = np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0)
    return found
