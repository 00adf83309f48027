"""Whether revenue churn moved between two periods, by what became of each customer's revenue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.retention.movement import Between, Spans
from cxlib.retention.paid import between as paid_between
from cxlib.retention.paid import steps
from cxlib.retention.revenue import few, months_paid, once, with_two, worth_of
from cxlib.stats import intervals, variance
from cxlib.stats import movement as stats
from cxlib.tables import RESULT, Table, expression, nothing
from cxlib.tables.calendar import first_day, last_day
from cxlib.tables.rows import key_names, numbered, refuse_unknown
from cxlib.verdicts import judged, movement_counts

Floats = npt.NDArray[np.float64]

_COUNTS = movement_counts(start="float64", lost="int64")
_AXIS = ["before", "after"]
#: What of the revenue of the months before is asked for.
_OF = {"revenue_churn": "lost", "net_retention": "b"}


def revenue_movement(
    value_history: Table,
    *,
    as_of: str | date,
    measure: str = "revenue_churn",
    by: str | Sequence[str] = (),
    between: Between = "month",
    margin: float | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Whether revenue churn moved from one period to the next, one row per group and pair of periods.

    The share of the revenue of the month before that is lost, of the later period less that of
    the earlier, and what can be said of it: that it went ``"up"`` or ``"down"``, that there is
    ``"no material change"``, or that one ``"cannot tell yet"``. Or the same of the share that
    is there again, with what the same customers pay more.

    Parameters
    ----------
    value_history : pandas DataFrame or Ibis table, one row per customer and month
        As for `revenue_churn`.
    as_of : str or date
        Last day counted, such as ``"2026-06-30"``. Only periods complete by then count.
    measure : str, default "revenue_churn"
        ``"revenue_churn"`` or ``"net_retention"``.
    by : str or sequence of str, optional
        Columns to group by; a customer counts under the key of the month before. By default
        all customers form one group.
    between : str or pair, default "month"
        As for `movement`. Of several months it is the share lost of the revenue of all of them.
    margin : float, optional
        Changes of the share smaller than this do not matter to anybody, such as 0.01.
        Without it no change can be called immaterial.
    level : float, default 0.95
        Confidence level of the intervals; 1 - ``level`` is the share of false findings.

    Returns
    -------
    DataFrame, one row per group and pair of periods, in their order
        ======================  =====  ==============================================
        ``by`` ...                     the group; a missing key is its own group
        before, after           date   first day of each of the two periods
        measure                 str    ``"revenue_churn_change"`` or
                                       ``"net_retention_change"``
        estimate                float  change of the share
        low, high               float  its interval
        level                   float  confidence level of the interval
        n                       int    customers of the period that had fewer
        p_value                 float  of such a change or a larger one, if nothing moved
        p_corrected             float  the same, all rows corrected together
        verdict                 str    as of `movement`
        better                  bool   whether what went up or down went the good way
        margin                  float  as declared
        smallest_detectable     float  true change found in four of five such pairs, if
                                       they were the only ones
        n_to_tell               int    customers in each period that would settle it in
                                       four of five cases; where it is open
        estimate_before, ...    float  the two shares
        n_before, n_after       int    customers with revenue in a month before
        start_before, ...       float  their revenue in it, of all months of the period
        n_both                  int    customers of both periods
        lost_before, ...        int    customers of whom revenue was lost
        spread                  float  variance of one customer before plus one after
        low_is_good             bool   whether a small share is the good one
        between                 str    how the periods are paired
        since_before, ...       date   first and last day of the earlier period
        since, until            date   first and last day of the later one
        ======================  =====  ==============================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        As for `revenue_churn`.
    ValueError
        If an argument means nothing.

    See Also
    --------
    revenue_churn : the share itself, month by month, and how customers are counted.
    cxlib.verdicts.together : corrects it with all movements of a report.

    Notes
    -----
    Each share is a ratio of sums over customers, whose variance is linearised [1]_. Most
    customers are in both periods, and who ordered little in one month has little to lose in the
    next: the covariance is linearised as well, drawn to 0 as if one customer more had none. Of
    what is lost the interval is Newcombe's [2]_ with that correlation, each share of as many
    customers as its variance, drawn as in `revenue_churn`, says they are worth; of what is there
    again it is the difference of two ratios, each with two customers more, of whom one left and
    one doubled. Both by t, of as many customers as they would be if all paid alike (Kish). The
    verdicts, the margin and the correction are those of `movement`.

    Simulated at 95 %, a month against the next and three months against three, of 30, 100 and
    400 customers of whom nobody changed (``tests`` simulate 100): with fees from 19 to 354 from
    .00 to .06 are found to have moved, with orders that swing by a half from .00 to .05 and .07
    of 30; with one in fifty who pays a hundred times as much .00 to .04 of what is lost and up to
    .15 of what is there again.

    It misleads where few customers are most of the revenue, and month on month with the season
    and the length of the month: in 28 days fewer orders come in than in 31. Look at the year as
    well. Of the last month nobody knows yet who will be back in the next: its churn may be
    restated to be lower.

    References
    ----------
    .. [1] Cochran, W. G. (1977). Sampling techniques, 3rd ed., chapter 6. Wiley.
    .. [2] Newcombe, R. G. (1998). Improved confidence intervals for the difference between
       binomial proportions based on paired data. Statistics in Medicine 17, 2635-2650.

    Examples
    --------
    Of forty who pay 10 a month, two are lost in May and sixteen in June:

    >>> months = {"2026-04-01": 40, "2026-05-01": 38, "2026-06-01": 22}
    >>> value_history = pd.concat(
    ...     [pd.DataFrame({"customer": range(n), "valid_from": pd.Timestamp(day), "revenue": 10.0}) for day, n in months.items()]
    ... )
    >>> moved = revenue_movement(value_history, as_of="2026-06-30")
    >>> moved[["before", "after", "estimate", "low", "high", "n_both", "verdict", "better"]].round(2)
           before       after  estimate   low  high  n_both verdict  better
    0  2026-05-01  2026-06-01      0.37  0.18  0.54      38      up   False
    """
    intervals.tails(level)
    refuse_unknown("measure", measure, _OF)
    intervals.refuse_share_margin(margin, example="one in a hundred write 0.01")
    names, spans = key_names(by, [*_COUNTS, *_AXIS]), Spans.of(between)
    rows, _, months = months_paid(value_history, names, as_of, asks="revenue_movement")
    keys = [*names, *_AXIS]
    pairs = spans.pairs(months[1], months[-1]) if len(months) > 1 else []
    if not pairs:
        none = "No revenue is of both periods, so there is nothing to compare."
        return nothing(keys=keys, counts=_COUNTS, reason=few(months, as_of) if len(months) < 2 else none)
    cells = paid_between(steps(rows, names, months), names, pairs, amount=_OF[measure], table=expression(value_history))
    if reason := once(cells, names, asks="revenue_movement"):
        return nothing(keys=keys, counts=_COUNTS, reason=reason)
    frame = _compared(_every_pair(cells, names, pairs), measure, margin, level).assign(between=spans.way)
    frame = judged(frame, stats.benjamini_hochberg(frame["p_value"]))
    frame = frame.sort_values([*names, "pair"], na_position="last", kind="stable")
    return frame[[*keys, *RESULT, *_COUNTS]].astype(_COUNTS).reset_index(drop=True)


def _every_pair(cells: pd.DataFrame, names: list[str], pairs: list[tuple[int, int, int, int]]) -> pd.DataFrame:
    """The sums of every group in every pair, 0 where it had nothing, and the days of both periods."""
    number, groups = numbered(cells, names)
    at = number * len(pairs) + cells["pair"].to_numpy()
    sums = cells.drop(columns=[*names, "pair"]).set_axis(at, axis=0).reindex(range(len(groups) * len(pairs)), fill_value=0)
    frame = groups.loc[groups.index.repeat(len(pairs))].reset_index(drop=True)
    days = {"since_before": (0, first_day), "until_before": (1, last_day), "since": (2, first_day), "until": (3, last_day)}
    known = {name: pd.Series([of(pair[end]) for pair in pairs] * len(groups), dtype=object) for name, (end, of) in days.items()}
    return frame.assign(pair=np.tile(range(len(pairs)), len(groups)), **sums, **known)


def _compared(cells: pd.DataFrame, measure: str, margin: float | None, level: float) -> pd.DataFrame:
    """The change of every group and pair."""

    def of(name: str) -> Floats:
        return cells[name].to_numpy(dtype=float)

    sides = [variance.Clusters(*(of(name.replace("?", side)) for name in ("n?", "a?", "b?", "a?a?", "a?b?", "b?b?"))) for side in "01"]
    alike = variance.alike(sides[0], sides[1], variance.Shared(*(of(name) for name in ("n_both", "a0a1", "a0b1", "b0a1", "b0b1"))))

    def change(at: float) -> stats.Change:
        if measure == "revenue_churn":
            return _of_lost(sides, [of("some0"), of("some1")], alike, at)
        return stats.mean_difference(
            [side.mean for side in sides], [with_two(side) for side in sides],
            level=at, freedom=(sides[0].alike + 1, sides[1].alike + 1), correlation=alike,
        )  # fmt: skip

    found = change(level)
    n = [side.number for side in sides]
    # What one more customer tells, of the same unequal ones in both periods.
    alone = sum(found.variances)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = sum(map(np.multiply, found.variances, n)) * found.std_error**2 / alone
    columns: dict[str, Any] = {
        "before": cells["since_before"], "after": cells["since"], "measure": f"{measure}_change", "level": level,
        "estimate": found.estimate, "low": found.low, "high": found.high, "p_value": found.p_value,
        "n": np.minimum(*n), "margin": np.nan if margin is None else margin, "spread": spread,
        "smallest_detectable": stats.smallest_change(found.std_error, level=level, freedom=found.freedom),
        "unchanged": False if margin is None else stats.within(change(2 * level - 1), margin),
        "low_is_good": measure == "revenue_churn",
    }  # fmt: skip
    for side, name in zip((0, 1), _AXIS, strict=True):
        columns |= {f"estimate_{name}": sides[side].mean, f"n_{name}": n[side], f"start_{name}": sides[side].a / 100}
        columns[f"lost_{name}"] = of(f"some{side}")
    return cells.assign(**columns)


def _of_lost(sides: list[variance.Clusters], losses: list[Floats], alike: Floats, level: float) -> stats.Change:
    """Newcombe's change of two shares, each of as many customers as it is worth."""
    worth = [worth_of(side, some) for side, some in zip(sides, losses, strict=True)]
    samples = [np.stack([side.mean * each, (1 - side.mean) * each], axis=1) for side, (each, _) in zip(sides, worth, strict=True)]
    free = [np.where(np.isfinite(each), np.maximum(side.alike - 1, 1), each) for side, (_, each) in zip(sides, worth, strict=True)]
    return stats.share_change(*(np.nan_to_num(each) for each in samples), level=level, freedom=(free[0], free[1]), correlation=alike)
