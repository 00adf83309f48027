"""What became of those who joined in the same month or quarter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.churn.spells import Asked, undated
from cxlib.stats import intervals
from cxlib.stats.movement import DOWN, OPEN, UP, benjamini_hochberg
from cxlib.stats.variance import critical
from cxlib.tables import Table, assemble, nothing
from cxlib.tables.calendar import first_day, last_day, month_numbers, month_of
from cxlib.tables.rows import absent_key, day, key_names, numbered, parts

Ints = npt.NDArray[np.int64]
#: How long a time customers join in to be one cohort.
Joined: TypeAlias = Literal["month", "quarter"]

_COUNTS = {"still": "int64", "left": "int64", "since": "object", "until": "object"}
_TREND = {
    "p_value": "float64", "p_corrected": "float64", "verdict": "object", "cohorts": "int64", "still": "int64",
    "overdispersion": "float64", "since": "object", "until": "object",
}  # fmt: skip


def cohorts(
    customers: Table,
    *,
    as_of: str | date,
    joined: Joined = "month",
    by: str | Sequence[str] = (),
    level: float = 0.95,
) -> pd.DataFrame:
    """The retention triangle: of each cohort the share still there after so many months.

    A cohort are all who joined in one month or quarter. It has a row for each number of
    months that even the last of them can have stayed by ``as_of``: nobody who merely has
    not had the time counts as lost.

    Parameters
    ----------
    customers : pandas DataFrame or Ibis table, one row per spell of a customer
        Needs ``start`` and ``end`` (dates; ``end`` missing while still a customer).
        ``observed_from`` is the first day from which leaving would have been seen, where
        that is later than ``start``.
    as_of : str or date
        Last day counted, such as ``"2026-06-30"``.
    joined : {"month", "quarter"}, default "month"
        In what time customers join to be one cohort.
    by : str or sequence of str, optional
        Columns to group by. By default all customers form one group.
    level : float, default 0.95
        Confidence level of the interval, of each cell by itself.

    Returns
    -------
    DataFrame, one row per group, cohort and number of months, in their order
        =============  =====  ===================================================
        ``by`` ...            the group; a missing key is a group of its own
        cohort         date   first day of the month or quarter of joining
        tenure_months  int    months since each one's own day of joining
        measure        str    ``"retention"``
        estimate       float  share still there, 0-1
        low, high      float  interval of the share
        level          float  confidence level of the interval
        n              int    customers who joined in the cohort
        still          int    of them, still there after so many months
        left           int    of them, left by then
        since, until   date   first and last day of joining
        =============  =====  ===================================================

        ``frame.attrs["notes"]`` says who is in no cohort. Without rows,
        ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent or of another type, a spell ends before it starts, or some
        spells have no start.
    ValueError
        If ``as_of`` is not a day, ``joined`` is neither, or ``level`` is not between 0 and 1.

    See Also
    --------
    cohort_trend : whether later cohorts stay longer.
    cxlib.figures.triangle : the picture of this result.

    Notes
    -----
    A month is over on the same day of the next, or on its last day where it has no such day:
    who joined on 31 January has stayed a month on 28 February. Who leaves on that very day
    is not still there. Wilson's interval. A cell that only a part of its cohort has reached
    is not given: its early joiners would stand for the late ones.

    Who was a customer before ``observed_from`` is in no cohort: of those who joined with
    them, only the ones who stayed are known, and the share would be 1 until then.

    It misleads read along a column: neighbouring cohorts differ by chance, and among many
    cells some differ by much (`cohort_trend` tests a column as a whole). Along a row it
    falls for every company; that a curve flattens is as often those who stay anyway being
    what is left, as anybody's readiness to stay growing.

    References
    ----------
    .. [1] Wilson, E. B. (1927). Probable inference, the law of succession, and statistical
       inference. JASA 22(158), 209-212.

    Examples
    --------
    >>> customers = pd.DataFrame(
    ...     {
    ...         "start": pd.to_datetime(["2026-01-05", "2026-01-31", "2026-02-10", "2026-03-11"]),
    ...         "end": pd.to_datetime(["2026-02-20", None, "2026-03-10", None]),
    ...     }
    ... )
    >>> cohorts(customers, as_of="2026-03-31")[["cohort", "tenure_months", "estimate", "n", "still"]]
           cohort  tenure_months  estimate  n  still
    0  2026-01-01              1       1.0  2      2
    1  2026-01-01              2       0.5  2      1
    2  2026-02-01              1       0.0  1      0
    """
    intervals.tails(level)
    names = key_names(by, ["cohort", "tenure_months", *_COUNTS])
    keys = [*names, "cohort", "tenure_months"]
    frame = _triangle(customers, names, day(as_of, asks="cohorts"), joined, asks="cohorts")
    if "reason" in frame.attrs:
        return nothing(keys=keys, counts=_COUNTS, reason=frame.attrs["reason"])
    low, high = intervals.wilson(frame["still"], frame["n"], level)
    found = frame.assign(estimate=frame["still"] / frame["n"], low=low, high=high, left=frame["n"] - frame["still"])
    found = assemble(found, keys=keys, measure="retention", level=level, counts=list(_COUNTS)).astype(_COUNTS)
    found.attrs["notes"] = frame.attrs["notes"]
    return found


def cohort_trend(
    customers: Table,
    *,
    as_of: str | date,
    months: Sequence[int] = (1, 3, 6, 12),
    joined: Joined = "month",
    by: str | Sequence[str] = (),
    level: float = 0.95,
) -> pd.DataFrame:
    """Whether later cohorts stay longer, one row per group and number of months.

    By how much the share still there after so many months grows, or falls, from the first
    cohort to the last, along the line through all: the slope of a column of the triangle.

    Parameters
    ----------
    customers : pandas DataFrame or Ibis table, one row per spell of a customer
        As for `cohorts`.
    as_of : str or date
        Last day counted, such as ``"2026-06-30"``.
    months : sequence of int, default (1, 3, 6, 12)
        Columns of the triangle that are tested, all corrected together.
    joined : {"month", "quarter"}, default "month"
        In what time customers join to be one cohort.
    by : str or sequence of str, optional
        Columns to group by. By default all customers form one group.
    level : float, default 0.95
        Confidence level of the intervals; 1 - ``level`` is the share of false findings.

    Returns
    -------
    DataFrame, one row per group and number of months, in their order
        ==============  =====  ==================================================
        ``by`` ...             the group; a missing key is a group of its own
        tenure_months   int    months since joining
        measure         str    ``"retention_change"``
        estimate        float  change of the share from the first cohort to the last;
                               missing below 3 cohorts
        low, high       float  its interval
        level           float  confidence level of the interval
        n               int    customers of all cohorts that have reached the month
        p_value         float  of such a slope or a steeper one, if there is none
        p_corrected     float  the same, all rows corrected together
        verdict         str    ``"up"``, ``"down"`` or ``"cannot tell yet"``
        cohorts         int    cohorts that have reached the month
        still           int    of ``n``, still there
        overdispersion  float  how much more the cohorts differ than by chance; at least 1
        since, until    date   first and last day of joining
        ==============  =====  ==================================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        As for `cohorts`.
    ValueError
        If ``months`` are not whole numbers from 1, or as for `cohorts`.

    See Also
    --------
    cohorts : the triangle.

    Notes
    -----
    The weighted line through the shares of the cohorts, tested as Cochran and Armitage do
    [1]_: with the variance of no trend. Where the cohorts lie farther from the line than
    chance puts them (a season of joining, a campaign), its variance is raised by as much,
    and t with two degrees of freedom less than cohorts takes the place of z. Verdicts are
    corrected by Benjamini and Hochberg.

    It misleads where a step is taken for a slope: the line says that late cohorts stay
    longer than early ones, not since when. The columns are of the same people, so that they
    are up together. And a cohort is seen at 12 months only after a year: the newest changes
    show at one month first.

    References
    ----------
    .. [1] Armitage, P. (1955). Tests for linear trends in proportions and frequencies.
       Biometrics 11(3), 375-386.

    Examples
    --------
    >>> start = pd.to_datetime(["2026-01-10"] * 100 + ["2026-02-10"] * 100 + ["2026-03-10"] * 100 + ["2026-04-10"] * 100)
    >>> left = [place % 100 < 40 - 10 * (place // 100) for place in range(400)]
    >>> customers = pd.DataFrame({"start": start, "end": (start + pd.Timedelta(days=20)).where(left)})
    >>> found = cohort_trend(customers, as_of="2026-06-30", months=[1])
    >>> found[["tenure_months", "estimate", "low", "high", "n", "cohorts", "verdict"]].round(2)
       tenure_months  estimate   low  high    n  cohorts verdict
    0              1       0.3  0.19  0.41  400        4      up
    """
    intervals.tails(level)
    names = key_names(by, ["tenure_months", *_TREND])
    wanted = list(dict.fromkeys(months))
    if not wanted or any(isinstance(each, bool) or not isinstance(each, int) or each < 1 for each in wanted):
        raise ValueError(f"cohort_trend: months is {months!r}; they are whole numbers from 1, such as [1, 3, 6, 12]")
    keys = [*names, "tenure_months"]
    triangle = _triangle(customers, names, day(as_of, asks="cohort_trend"), joined, asks="cohort_trend")
    reason = triangle.attrs.get("reason", "")
    columns = triangle[triangle["tenure_months"].isin(wanted)] if not reason else triangle
    if reason or not len(columns):
        longest = "" if reason else f"No cohort has had {min(wanted)} months by {as_of}."
        return nothing(keys=keys, counts=_TREND, reason=reason or longest)
    # An engine answers in any order, and sums of fractions know theirs to the last digit.
    groups = parts(columns.sort_values("cohort", kind="stable"), keys)
    frame = pd.DataFrame([{**key, **_slope(part, level)} for key, part in groups])
    corrected = benjamini_hochberg(frame["p_value"])
    moved = np.where(frame["estimate"] > 0, UP, DOWN)
    frame = frame.assign(p_corrected=corrected, verdict=np.where(corrected < 1 - level, moved, OPEN))
    return assemble(frame, keys=keys, measure="retention_change", level=level, counts=list(_TREND)).astype(_TREND)


def _triangle(customers: Table, names: list[str], last: date, joined: str, *, asks: str) -> pd.DataFrame:
    """Each cohort and each number of months that all of it has had: how many joined, how many are still there."""
    if joined not in ("month", "quarter"):
        raise ValueError(f"{asks}: joined is {joined!r}; cohorts are of a 'month' or a 'quarter'")
    frame = pd.DataFrame()
    if reason := Asked.unknown(customers):
        frame.attrs["reason"] = reason
        return frame
    months = {"month": 1, "quarter": 3}[joined]
    cells = Asked(asks, names, last).dated(customers, _counted, axes=lambda rows: _axes(rows, months))
    reason = undated(cells, "churn by the calendar", asks=asks) or absent_key(cells, names, row="customer")
    own = cells[cells["joined"] > 0]
    before = int(cells["before"].sum())
    if not reason and not len(own):
        reason = "Every customer was there before leaving was seen, so there is no cohort of those who joined."
    frame = pd.DataFrame() if reason else _cells(own, names, months, last)
    if not reason and not len(frame):
        reason = f"No cohort has had a month by {last}."
    if reason:
        frame.attrs["reason"] = reason
    words = f"{before:,} of {int(cells['spells'].sum()):,} customers joined before leaving was seen; they are in no cohort."
    frame.attrs["notes"] = [words] if before else []
    return frame


def _axes(rows: Any, months: int) -> dict[str, Any]:
    """The cohort of a spell, and after how many months of its own it was still there for the last time; missing while it is."""
    return {"cohort": (month_numbers(rows["start"]) / months).floor().cast("int64"), "stayed": _whole_months(rows["start"], rows["gone"])}


def _whole_months(start: Any, gone: Any) -> Any:
    """Months that were over on the eve of leaving: a month is over on its own day, or on the last of a month that has no such day."""
    import ibis

    eve = gone - ibis.interval(days=1)
    between = (eve.year() - start.year()) * 12 + eve.month() - start.month()
    short = (eve.day() < start.day()) & (gone.day() != 1)
    return (between - short.cast("int64")).cast("int64")


def _counted(rows: Any) -> dict[str, Any]:
    late = (rows["seen"] > rows["start"]).fill_null(False)
    return {"joined": (rows["start"].notnull() & ~late).sum(), "before": late.sum()}


def _cells(own: pd.DataFrame, names: list[str], months: int, last: date) -> pd.DataFrame:
    """The triangle in long form, of all groups and cohorts."""
    group, cohorts_ = numbered(own, [*names, "cohort"])
    ends = [last_day(int(cohort) * months + months - 1) for cohort in cohorts_["cohort"]]
    # The last who can have joined is the one by whom a cohort has had the time.
    had = np.array([_months_had(end, last) for end in ends])
    size = max(int(had.max(initial=0)), 0)
    counts = np.zeros((len(cohorts_), size + 2), dtype="int64")
    stayed = own["stayed"].astype("float64").fillna(size + 1).clip(0, size + 1).astype("int64").to_numpy()
    np.add.at(counts, (group, stayed), own["joined"].to_numpy())
    joined = counts.sum(axis=1)
    still = joined[:, None] - np.cumsum(counts, axis=1)[:, :size]
    row, column = np.nonzero(np.arange(1, size + 1) <= had[:, None])
    frame = cohorts_.iloc[row].reset_index(drop=True)
    since = [first_day(int(cohort) * months) for cohort in frame["cohort"]]
    days = {"cohort": since, "since": since, "until": [ends[each] for each in row]}
    frame = frame.assign(tenure_months=column + 1, n=joined[row], still=still[row, column])
    return frame.assign(**{name: pd.Series(each, index=frame.index, dtype=object) for name, each in days.items()})


def _months_had(joined: date, last: date) -> int:
    """Months since a day of joining that are over by the evening of the last day."""
    between = month_of(last) - month_of(joined)
    return between - (last.day < joined.day and last != last_day(month_of(last)))


def _slope(part: pd.DataFrame, level: float) -> dict[str, Any]:
    """The line through the shares of some cohorts, by when they joined: how far it goes from the first to the last."""
    n, still = part["n"].to_numpy(dtype=float), part["still"].to_numpy(dtype=float)
    joined = np.array([month_of(first) for first in part["cohort"]], dtype=float)
    joined = joined / max(np.ptp(joined), 1)
    share = still.sum() / n.sum()
    away = joined - (n @ joined) / n.sum()
    width, spread = n @ away**2, share * (1 - share)
    found = {"estimate": np.nan, "low": np.nan, "high": np.nan, "p_value": np.nan, "overdispersion": np.nan}
    if len(part) > 2 and spread > 0:
        slope = (still - n * share) @ away / width
        beyond = n @ (still / n - share - slope * away) ** 2 / spread / (len(part) - 2)
        free = len(part) - 2 if beyond > 1 else np.inf
        error = np.sqrt(max(beyond, 1.0) * spread / width)
        reach = float(critical(free, level)) * error
        found = {"estimate": slope, "low": slope - reach, "high": slope + reach, "overdispersion": max(beyond, 1.0)}
        found["p_value"] = float(_two_sided(abs(slope) / error, free))
    counts = {"n": int(n.sum()), "still": int(still.sum()), "cohorts": len(part)}
    return {**found, **counts, "since": part["since"].min(), "until": part["until"].max()}


def _two_sided(distance: float, free: float) -> Any:
    from scipy import special

    return 2 * special.stdtr(free, -distance) if np.isfinite(free) else 2 * special.ndtr(-distance)
