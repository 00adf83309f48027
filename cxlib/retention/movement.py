"""Whether churn moved between two periods, and what it would take to tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.churn.spells import Asked, undated, unseen
from cxlib.stats import intervals
from cxlib.stats import movement as stats
from cxlib.tables import RESULT, Table, nothing
from cxlib.tables.calendar import complete, first_day, last_day, month_of
from cxlib.tables.rows import absent_key, day, key_names, numbered
from cxlib.verdicts import judged, movement_counts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
#: A way to pair periods, or two windows of whole months.
Between: TypeAlias = str | tuple[tuple[str, str], tuple[str, str]]

_COUNTS = movement_counts(good="int64", bad="int64", months="int64")
_AXIS = ["before", "after"]
#: Later than any month.
_NEVER = 10**6
#: Months of a period, and how many months before it the other began.
_WAYS = {"month": (1, 1), "quarter": (3, 3), "year": (1, 12), **{f"last {months} months": (months, 12) for months in (3, 6, 12)}}


def movement(
    customers: Table,
    *,
    as_of: str | date,
    by: str | Sequence[str] = (),
    between: Between = "month",
    margin: float | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Whether churn moved from one period to the next, one row per group and pair of periods.

    The share of the customers of a month's first day that is lost in it, of the later period
    less that of the earlier, and what can be said of it: that it went ``"up"`` or ``"down"``, that there is ``"no material
    change"``, or that one ``"cannot tell yet"``.

    Parameters
    ----------
    customers : pandas DataFrame or Ibis table, one row per spell of a customer
        Needs ``start`` and ``end`` (dates; ``end`` missing while still a customer).
        ``observed_from`` is the first day from which leaving would have been seen, where
        that is later than ``start``.
    as_of : str or date
        Last day counted, such as ``"2026-06-30"``. Only periods complete by then count.
    by : str or sequence of str, optional
        Columns to group by. By default all customers form one group.
    between : str or pair, default "month"
        ``"month"`` or ``"quarter"``: each with the one before. ``"year"``: each month with
        the same one of the year before. ``"last 3 months"`` (6, 12): the last complete months
        with the same ones of the year before.
        ``(("2025-07-01", "2025-12-31"), ("2026-01-01", "2026-06-30"))``: two windows of
        whole months. Of several months the share is that of a month, over all of them.
    margin : float, optional
        Changes of the share smaller than this do not matter to anybody, such as 0.005.
        Without it no change can be called immaterial.
    level : float, default 0.95
        Confidence level of the intervals; 1 - ``level`` is the share of false findings.

    Returns
    -------
    DataFrame, one row per group and pair of periods, in their order
        ======================  =====  ==============================================
        ``by`` ...                     the group; a missing key is its own group
        before, after           date   first day of each of the two periods
        measure                 str    ``"churn_rate_change"``
        estimate                float  change of the share, -1 to 1
        low, high               float  its interval
        level                   float  confidence level of the interval
        n                       int    customers of the period that had fewer
        p_value                 float  of such a change or a larger one, if nothing moved
        p_corrected             float  the same, all rows corrected together
        verdict                 str    see Notes
        better                  bool   whether what went up or down went the good way
        margin                  float  as declared
        smallest_detectable     float  true change found in four of five such pairs, if
                                       they were the only ones
        n_to_tell               int    customers in each period that would settle it in
                                       four of five cases; where it is open
        estimate_before, ...    float  the two shares: left, of customers and months
        n_before, n_after       int    customers of the first day of a month, seen all of it
        good_before, bad_...    int    of them stayed, and left in the period
        months_before, ...      int    months of these customers in the period
        n_both                  int    customers of both periods
        spread                  float  variance of one customer before plus one after
        low_is_good             bool   true
        between                 str    how the periods are paired
        since_before, ...       date   first and last day of the earlier period
        since, until            date   first and last day of the later one
        ======================  =====  ==============================================

        ``frame.attrs["notes"]`` says what to know beside it; without rows,
        ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent or of another type, a spell ends before it starts, or some
        spells have no start.
    ValueError
        If an argument means nothing.

    See Also
    --------
    cxlib.churn.churn_rate : the share itself, month by month.
    cxlib.verdicts.together : corrects it with all movements of a report.

    Notes
    -----
    Newcombe's interval of the difference of two shares [1]_, and the verdicts, the margin
    and the correction of `cxlib.survey.movement`.

    Most customers of one month are also those of the next (``n_both``), and yet the two
    shares are no more alike for it: who left in the first is not in the second, so that
    given who is left, leaving in the second is a new draw. The errors are martingale
    differences, whose covariance is 0 [2]_. That customers differ in how readily they leave
    changes neither by more than a hundredth: it takes from the variances what it adds by
    the covariance. Of 2,000 quiet companies of 300 such customers .040 of the months, .045
    of the quarters and .050 of the years are found to have moved at 95 % (``tests`` simulate
    them).

    Months differ in length. Where leaving is possible on any day, March loses a tenth more
    than February; where contracts end with the month it does not. Nobody knows which, so
    such a pair has moved only if it has by either reading: per month, and per day (shares
    brought to the length of the earlier one as 1 - (1 - share)^(days / days)). ``p_value`` is
    the larger of the two, the interval that of the shares as they are.

    Over several months each customer counts once for each month begun, and may leave in one
    of them: a share of customer-months, whose draws are new from month to month as above.

    It misleads where customers leave together, several of one account; where many joined
    just before (those new to the house leave soonest: then the mix moved, not the readiness
    to leave); and month on month with the season: look at the year as well.

    References
    ----------
    .. [1] Newcombe, R. G. (1998). Interval estimation for the difference between
       independent proportions. Statistics in Medicine 17, 873-890.
    .. [2] Andersen, P. K., Gill, R. D. (1982). Cox's regression model for counting
       processes: a large sample study. Annals of Statistics 10(4), 1100-1120.

    Examples
    --------
    >>> customers = pd.DataFrame(
    ...     {
    ...         "start": pd.Timestamp("2025-12-01"),
    ...         "end": pd.to_datetime(["2026-01-20"] * 10 + ["2026-02-20"] * 60 + [None] * 400),
    ...     }
    ... )
    >>> moved = movement(customers, as_of="2026-02-28", margin=0.01)
    >>> moved[["before", "after", "estimate", "low", "high", "verdict", "better"]].round(3)
           before       after  estimate    low   high verdict  better
    0  2025-12-01  2026-01-01     0.021  0.009  0.039      up   False
    1  2026-01-01  2026-02-01     0.109  0.076  0.144      up   False
    """
    intervals.tails(level)
    names = key_names(by, [*_COUNTS, *_AXIS])
    intervals.refuse_share_margin(margin)
    last = day(as_of, asks="movement")
    spans = Spans.of(between)
    if reason := Asked.unknown(customers):
        return nothing(keys=[*names, *_AXIS], counts=_COUNTS, reason=reason)
    cells = Asked("movement", names, last).monthly(customers)
    reason = undated(cells, "churn by the calendar", asks="movement") or unseen(cells, last) or absent_key(cells, names, row="customer")
    pairs = [] if reason else spans.pairs(int(cells["first"].min()), complete(last))
    if not pairs:
        return nothing(keys=[*names, *_AXIS], counts=_COUNTS, reason=reason or spans.none)
    frame = _compared(cells, names, np.array(pairs), margin, level).assign(between=spans.way)
    frame = judged(frame, stats.benjamini_hochberg(frame["p_value"]))
    frame = frame.sort_values([*names, "place"], na_position="last", kind="stable")
    frame = frame[[*names, *_AXIS, *RESULT, *_COUNTS]].astype(_COUNTS).reset_index(drop=True)
    frame.attrs["notes"] = _notes(frame)
    return frame


@dataclass(frozen=True)
class Spans:
    """How periods are paired: of so many months, so many months apart, all of them or the last only; or two windows."""

    way: str
    months: int = 0
    lag: int = 0
    windows: tuple[int, int, int, int] | None = None

    @classmethod
    def of(cls, between: Any) -> Spans:
        if isinstance(between, str):
            if between not in _WAYS:
                known = ", ".join(repr(way) for way in _WAYS)
                raise ValueError(f"between: {between!r} is none of {known}, and no pair of windows")
            return cls(between, *_WAYS[between])
        try:
            days = [[date.fromisoformat(str(each)) for each in window] for window in between]
            (one, two), (three, four) = days
        except (TypeError, ValueError):
            raise ValueError(
                f"between: {between!r} are no two windows such as (('2025-07-01', '2025-12-31'), ('2026-01-01', '2026-06-30'))"
            ) from None
        if not one < two < three < four:
            raise ValueError(f"between: the windows {one} to {two} and {three} to {four} do not follow each other")
        if any(since.day != 1 or until != last_day(month_of(until)) for since, until in ((one, two), (three, four))):
            raise ValueError(f"between: the windows {one} to {two} and {three} to {four} are not of whole months")
        return cls("windows", windows=(month_of(one), month_of(two), month_of(three), month_of(four)))

    def pairs(self, first: int, last: int) -> list[tuple[int, int, int, int]]:
        """The first and last month of the earlier and of the later period of each pair, within the months that were seen."""
        if self.windows:
            found = [self.windows]
        elif self.way.startswith("last "):
            found = [self._pair(last - self.months + 1)]
        else:
            found = [self._pair(place) for place in range(first + self.lag, last + 1) if place % self.months == 0]
        return [pair for pair in found if pair[0] >= first and pair[3] <= last]

    def _pair(self, place: int) -> tuple[int, int, int, int]:
        end = self.months - 1
        return place - self.lag, place - self.lag + end, place, place + end

    @property
    def none(self) -> str:
        """Why there is no pair."""
        if self.windows:
            return "The customers were not seen throughout both windows, so there is nothing to compare."
        return {
            "month": "Customers were seen for one whole month, so there is none to compare it with.",
            "quarter": "Customers were not seen for two whole quarters, so there is nothing to compare.",
        }.get(self.way, "Customers were not seen a year before, so nothing can be compared with it.")


def _compared(cells: pd.DataFrame, names: list[str], pairs: Ints, margin: float | None, level: float) -> pd.DataFrame:
    """The change of every group and pair."""
    counts = _counted(cells, names, pairs)
    days = {name: [first_day(month) for month in pairs[:, at]] for name, at in (("since_before", 0), ("since", 2))}
    days |= {name: [last_day(month) for month in pairs[:, at]] for name, at in (("until_before", 1), ("until", 3))}
    groups = len(counts) // len(pairs)
    counts = counts.assign(**{name: pd.Series(each * groups, dtype=object) for name, each in days.items()})
    left, months, n = ([counts[f"{what}_{side}"].to_numpy(dtype=float) for side in _AXIS] for what in ("bad", "months", "n"))
    samples = [np.stack([bad, each - bad], axis=1) for bad, each in zip(left, months, strict=True)]
    found = stats.share_change(*samples, level=level)
    narrower = stats.share_change(*samples, level=2 * level - 1)
    # A month of the later period in months of the earlier one.
    longer = np.tile(_month_length(pairs[:, :2]) / _month_length(pairs[:, 2:]), groups)
    by_day = stats.share_change(samples[0], _at_length(samples[1], longer), level=level)
    either = np.where(np.sign(by_day.estimate) == np.sign(found.estimate), np.fmax(found.p_value, by_day.p_value), 1.0)
    shares = [np.divide(bad, each, out=np.full(len(each), np.nan), where=each > 0) for bad, each in zip(left, months, strict=True)]
    each_has = [np.divide(each, one, out=np.ones(len(each)), where=one > 0) for each, one in zip(months, n, strict=True)]
    return counts.assign(
        place=np.tile(pairs[:, 2], groups),
        before=counts["since_before"],
        after=counts["since"],
        measure="churn_rate_change",
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        level=level,
        n=np.minimum(*n).astype("int64"),
        p_value=np.where(np.isnan(found.p_value) | (longer == 1), found.p_value, either),
        margin=np.nan if margin is None else margin,
        smallest_detectable=stats.smallest_change(found.std_error, level=level),
        spread=sum(map(np.divide, found.spreads, each_has)),
        unchanged=False if margin is None else stats.within(narrower, margin),
        low_is_good=True,
        estimate_before=shares[0],
        estimate_after=shares[1],
    )


def _month_length(periods: Ints) -> Floats:
    """Days of a mean month of each period."""
    days = [(last_day(int(last)) - first_day(int(first))).days + 1 for first, last in periods]
    length: Floats = np.array(days) / (periods[:, 1] - periods[:, 0] + 1)
    return length


def _counted(cells: pd.DataFrame, names: list[str], pairs: Ints) -> pd.DataFrame:
    """Of each group and pair: who was there when a month of each period began, who left, for how many months, and who is in both."""
    number, groups = numbered(cells, names)
    spells, came = cells["spells"].to_numpy()[:, None], cells["first"].to_numpy()[:, None]
    gone = cells["gone"].astype("float64").fillna(_NEVER).to_numpy(dtype="int64")[:, None]

    def by_pair(of: npt.NDArray[Any]) -> Ints:
        found = np.zeros((number.max() + 1, len(pairs)), dtype="int64")
        np.add.at(found, number, spells * of)
        return found.ravel()

    columns: dict[str, Ints] = {}
    months = {side: np.minimum(gone, pairs[:, at + 1]) - np.maximum(came, pairs[:, at]) + 1 for side, at in zip(_AXIS, (0, 2), strict=True)}
    for side, at in zip(_AXIS, (0, 2), strict=True):
        there = months[side] > 0
        left = there & (gone <= pairs[:, at + 1])
        columns |= {f"n_{side}": by_pair(there), f"good_{side}": by_pair(there & ~left), f"bad_{side}": by_pair(left)}
        columns[f"months_{side}"] = by_pair(np.maximum(months[side], 0))
    columns["n_both"] = by_pair((months["before"] > 0) & (months["after"] > 0))
    return groups.loc[groups.index.repeat(len(pairs))].reset_index(drop=True).assign(**columns)


def _at_length(sample: Floats, ratio: Floats) -> Floats:
    """Leavers and stayers as they would be in a period of another length, in number worth as much as they are."""
    n = np.where(sample.sum(axis=1) > 0, sample.sum(axis=1), np.nan)
    share = sample[:, 0] / n
    other = 1 - (1 - share) ** ratio
    with np.errstate(divide="ignore", invalid="ignore"):
        # By the delta method: n other (1 - other) over the variance of what one customer adds to it.
        worth = n * other * (1 - other) / ((ratio * (1 - share) ** (ratio - 1)) ** 2 * share * (1 - share))
    worth = np.where((share > 0) & (share < 1), worth, n / ratio)
    found: Floats = np.nan_to_num(np.stack([worth * other, worth * (1 - other)], axis=1))
    return found


def _notes(frame: pd.DataFrame) -> list[str]:
    """What a reader has to know beside the numbers."""
    notes = []
    known = frame[frame["estimate"].notna()]
    if unequal := sum(_apart(row) for row in known[["since_before", "until_before", "since", "until"]].to_numpy()):
        notes.append(
            f"{unequal:,} of {len(known):,} comparisons are of months of different length: to count as moved, churn has to have moved "
            "for each month and for each day of it."
        )
    empty = int(((frame["n_before"] == 0) ^ (frame["n_after"] == 0)).sum())
    if empty:
        notes.append(f"{empty:,} of {len(frame):,} comparisons have no customers in one of their periods, and are none.")
    return notes


def _apart(days: Any) -> bool:
    """Whether the months of two periods, each given by its first and last day, differ in length."""
    before, after = (np.array([[month_of(days[at]), month_of(days[at + 1])]]) for at in (0, 2))
    return bool(_month_length(before)[0] != _month_length(after)[0])
