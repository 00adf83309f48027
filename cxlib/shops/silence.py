"""When silence means that a customer is gone: of those silent for so long, how many came back after all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.shops.visits import Asked, Ints, absent, at_least, by_part, whole_days
from cxlib.stats import intervals, variance
from cxlib.stats.intervals import Floats
from cxlib.tables import Table, assemble, nothing
from cxlib.tables.rows import day, key_names, parts

_RULE = {
    "returned": "int64",
    "stay_away": "float64",
    "within_days": "int64",
    "longest_days": "int64",
    "customers": "int64",
    "purchases": "int64",
}
_CHOICES = {
    "returned": "int64", "within_days": "int64", "customers": "int64", "lost": "int64", "lost_share": "float64",
    "silences": "int64", "ended": "int64",
}  # fmt: skip


def inactivity(
    orders: Table,
    *,
    as_of: str | date,
    share: float = 0.9,
    within_days: int = 180,
    by: str | Sequence[str] = (),
    free: bool = True,
    level: float = 0.95,
) -> pd.DataFrame:
    """Days of silence after which a customer of a shop may be counted as lost, one row per group.

    The fewest days without a purchase of which it held that at least ``share`` of those
    silent for so long stayed away for ``within_days`` more: called lost on that day, of
    100 customers no more than 10 were woken, by themselves or by anybody, in the next half
    year.

    Parameters
    ----------
    orders : pandas DataFrame or Ibis table, one row per order
        Needs ``customer`` and ``time_ordered``. Where ``amount`` is below 0 the row is a
        refund, and no purchase; a missing amount is a purchase. Where contracts end, what
        `under_contract` returned.
    as_of : str or date
        Last day counted, such as ``"2026-06-30"``. Later orders are left out.
    share : float, default 0.9
        Share of those called lost who are to stay away.
    within_days : int, default 180
        Days that they are watched after they were called lost.
    by : str or sequence of str, optional
        Columns to group by, as they stand at the last purchase before the silence. By
        default all customers form one group.
    free : bool, default True
        Whether an order with an amount of 0 is a purchase.
    level : float, default 0.95
        Confidence level of the interval.

    Returns
    -------
    DataFrame, one row per group, in order of ``by``
        ============  =====  ====================================================
        ``by`` ...           the group; a missing key is a group of its own
        measure       str    ``"silent_days"``
        estimate      float  days of silence; missing where no number of days that
                             could be watched was enough
        low, high     float  interval in days; ``high`` is missing where it is not
                             bounded
        level         float  confidence level of the interval
        n             int    silences of so many days that could be watched; where
                             none was enough, silences of a day or more
        returned      int    of them, ended by a purchase while watched
        stay_away     float  ``share``, as given
        within_days   int    as given
        longest_days  int    longest silence that could be watched
        customers     int    customers who have bought
        purchases     int    their purchases; those of one day are one
        ============  =====  ====================================================

        ``frame.attrs["notes"]`` says what counted as a purchase; without rows
        ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent or of another type, or an order has no customer or no day.
    ValueError
        If ``as_of`` is not a day, ``within_days`` not a whole number from 1, or ``share`` or
        ``level`` not between 0 and 1.

    See Also
    --------
    sensitivity : what other numbers of days would have meant.
    gaps : the days between purchases that the silences are part of.
    customers : the table of customers that follows from the rule.
    cxlib.figures.sentence : this result in words.

    Notes
    -----
    A silence of k days is watched where the last purchase lies k and ``within_days`` days
    back, and the customer has not left by then. All of those are counted to their end, so nothing is estimated from who could be
    watched for longer: the Kaplan-Meier estimate of the same share is wrong here, as who
    buys often begins late silences more often than early ones, and ends them sooner. The
    price is that the latest ``within_days`` are not in it. A customer with several long
    silences counts with each; the interval holds the days at which the share lies between
    the bounds of `sensitivity`.
    It misleads where the shop has changed: the rule is that of earlier customers. Where
    people buy once a year, for a feast, it needs more than two years of orders. And it says
    nothing of causes: who is written to after 60 days of silence comes back for that, too.
    The rule is to be declared once and kept, not taken anew each month, when churn would
    move with it.

    References
    ----------
    .. [1] Buckinx, W., Van den Poel, D. (2005). Customer base analysis: partial defection
       of behaviourally loyal clients in a non-contractual FMCG retail setting. European
       Journal of Operational Research 164(1), 252-268.

    Examples
    --------
    Ten customers bought on 1 January. One came back after 20 days, one after 50, nobody after that:

    >>> orders = pd.DataFrame(
    ...     {
    ...         "customer": [*"abcdefghij", "a", "b"],
    ...         "time_ordered": pd.to_datetime(["2026-01-01"] * 10 + ["2026-01-21", "2026-02-20"]),
    ...     }
    ... )
    >>> inactivity(orders, as_of="2026-06-30", within_days=60)[["estimate", "n", "returned", "longest_days"]]
       estimate   n  returned  longest_days
    0      20.0  11         1           120
    """
    intervals.tails(level)
    if not 0 < share < 1:
        raise ValueError(f"inactivity: share is {share}; it lies between 0 and 1, and 0.9 is 90 of 100")
    within = whole_days(within_days, "within_days", asks="inactivity")
    names = key_names(by, _RULE)
    asked = Asked("inactivity", names, day(as_of, asks="inactivity"), free)
    notes, cells = asked.notes(orders), _cells(orders, asked, within)
    if reason := absent(cells, names):
        return nothing(keys=names, counts=_RULE, reason=reason)
    frame = pd.DataFrame([{**key, **_Silences.of(group, level).rule(1 - share)} for key, group in parts(cells, names)])
    found = assemble(
        frame.assign(stay_away=float(share), within_days=within), keys=names, measure="silent_days", level=level, counts=list(_RULE)
    )
    found.attrs["notes"] = notes
    if not found["longest_days"].any():
        found = nothing(keys=names, counts=_RULE, reason=_too_short(within))
    return found


def sensitivity(
    orders: Table,
    *,
    as_of: str | date,
    days: Sequence[int] = (30, 60, 90, 120, 180, 365),
    within_days: int = 180,
    by: str | Sequence[str] = (),
    free: bool = True,
    level: float = 0.95,
) -> pd.DataFrame:
    """What each rule of so many days of silence would have meant, one row per group and rule.

    Beside each number of days: of those silent for so long, the share, from 0 to 1, that
    was woken in the ``within_days`` after, and how many customers it would count as lost.

    Parameters
    ----------
    orders : pandas DataFrame or Ibis table, one row per order
        Needs ``customer`` and ``time_ordered``; see `inactivity`.
    as_of : str or date
        Last day counted, such as ``"2026-06-30"``.
    days : sequence of int, default (30, 60, 90, 120, 180, 365)
        Days of silence to try.
    within_days : int, default 180
        Days that silent customers are watched for.
    by : str or sequence of str, optional
        Columns to group by, as they stand at the last purchase before the silence.
    free : bool, default True
        Whether an order with an amount of 0 is a purchase.
    level : float, default 0.95
        Confidence level of the interval.

    Returns
    -------
    DataFrame, one row per group and number of days, in their order
        ============  =====  ====================================================
        ``by`` ...           the group; a missing key is a group of its own
        after_days    int    days of silence
        measure       str    ``"woken_share"``
        estimate      float  share woken, 0-1; missing where none could be watched
        low, high     float  interval of the share
        level         float  confidence level of the interval
        n             int    silences of so many days that could be watched
        returned      int    of them, ended by a purchase while watched
        within_days   int    as given
        customers     int    customers who have bought and not left
        lost          int    of them, silent for so long on ``as_of``
        lost_share    float  their share
        silences      int    silences that have lasted so long, watched or not
        ended         int    of them, ended by a purchase by ``as_of``, however late
        ============  =====  ====================================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent or of another type, or an order has no customer or no day.
    ValueError
        If ``as_of`` is not a day, ``within_days`` or one of ``days`` not a whole number from 1,
        or ``level`` not between 0 and 1.

    See Also
    --------
    inactivity : the rule that a share of those woken leads to.
    cxlib.figures.silences : the picture of this result.

    Notes
    -----
    Wilson's interval, for as many silences as those of alike customers are worth [1]_: a
    customer may be silent more than once.
    It misleads where ``ended`` is set against ``silences``: the latest silences have had no
    time to end. And the lost are those of one day: a rule of few days counts as lost on it
    many who come back, and who then count as new spells.

    References
    ----------
    .. [1] Korn, E. L., Graubard, B. I. (1998). Confidence intervals for proportions with
       small expected number of positive counts. Survey Methodology 24(2), 193-201.

    Examples
    --------
    >>> orders = pd.DataFrame(
    ...     {
    ...         "customer": [*"abcdefghij", "a", "b"],
    ...         "time_ordered": pd.to_datetime(["2026-01-01"] * 10 + ["2026-01-21", "2026-02-20"]),
    ...     }
    ... )
    >>> rules = sensitivity(orders, as_of="2026-06-30", days=[10, 30, 60], within_days=60)
    >>> rules[["after_days", "estimate", "n", "returned", "customers", "lost"]].round(3)
       after_days  estimate   n  returned  customers  lost
    0          10     0.167  12         2         10    10
    1          30     0.091  11         1         10    10
    2          60     0.000  10         0         10    10
    """
    intervals.tails(level)
    within = whole_days(within_days, "within_days", asks="sensitivity")
    wanted = np.unique([whole_days(each, "days", asks="sensitivity") for each in days]).astype("int64")
    names = key_names(by, ["after_days", *_CHOICES])
    asked = Asked("sensitivity", names, day(as_of, asks="sensitivity"), free)
    notes, cells = asked.notes(orders), _cells(orders, asked, within)
    if reason := absent(cells, names):
        return nothing(keys=[*names, "after_days"], counts=_CHOICES, reason=reason)
    frames = [_Silences.of(group, level).at(wanted).assign(**key) for key, group in parts(cells, names)]
    frame = pd.concat(frames).assign(within_days=within)
    found = assemble(frame, keys=[*names, "after_days"], measure="woken_share", level=level, counts=list(_CHOICES))
    found.attrs["notes"] = notes
    if not found["n"].any():
        found.attrs["reason"] = _too_short(within)
    return found


def _too_short(within: int) -> str:
    return f"No silence could be watched for {within:,} days more: the orders do not reach back far enough."


def _cells(orders: Table, asked: Asked, within: int) -> pd.DataFrame:
    """Silences counted by how long they lasted, and by the days of silence after which they could be watched."""
    import ibis

    rows = asked.visits(orders)
    # Silent for k days and watched for so many more: k lies below the next purchase, and the watch ends by the last day counted.
    could = rows["room"] - within
    until = rows["returned"].ifelse(ibis.least(rows["gap"] - 1, could), could)
    rows = rows.mutate(until=until, first=ibis.greatest(rows["gap"] - within, 1))
    watched, here = rows.filter(rows["until"] >= 1), rows.filter(rows["there"])
    woken, lost = watched.filter(watched["returned"]), here.filter(~here["returned"])
    return asked.counted(
        orders,
        rows,
        asked.arm(watched, "watched", watched["until"], part=watched["part"]),
        asked.arm(woken, "woken_from", woken["first"], part=woken["part"]),
        asked.arm(woken, "woken_until", woken["until"], part=woken["part"]),
        asked.arm(lost, "lost", lost["gap"]),
        asked.arm(here.select(*asked.groups, "customer").distinct(), "there", ibis.literal(0)),
    )


@dataclass(frozen=True)
class _Silences:
    """Silences of one group, at each number of days from 0 on: how many could be watched, and how many of them ended."""

    watched: Ints
    woken: Ints
    low: Floats
    high: Floats
    closed: Ints
    still_open: Ints
    lost: Ints
    customers: int
    there: int

    @classmethod
    def of(cls, cells: pd.DataFrame, level: float) -> _Silences:
        longest = int(cells["days"].max()) + 1
        watched = at_least(by_part(cells, "watched", longest))
        # From the first day on which its end could be foreseen to the last on which it had not come.
        begun = at_least(by_part(cells, "woken_from", longest))
        woken = at_least(by_part(cells, "woken_until", longest)) - np.pad(begun[:, 1:], ((0, 0), (0, 1)))
        low, high = _bounds(watched, woken, level)
        ended = (by_part(cells, name, longest).sum(axis=0) for name in ("closed", "open", "lost"))
        people = (int(cells.loc[cells["what"] == name, "times"].sum()) for name in ("customers", "there"))
        return cls(watched.sum(axis=0), woken.sum(axis=0), low, high, *ended, *people)

    @property
    def share(self) -> Floats:
        found: Floats = np.divide(self.woken, self.watched, out=np.full(len(self.watched), np.nan), where=self.watched > 0)
        return found

    def rule(self, most: float) -> dict[str, Any]:
        """The first number of days of which the share woken, and its bounds, are no larger than this."""
        # The share is a ratio of whole numbers, and 1 - 0.9 is not quite a tenth.
        ends = {"estimate": self.share, "low": self.low, "high": self.high}
        found = {name: np.flatnonzero(end[1:] <= most + 1e-12) + 1 for name, end in ends.items()}
        first = {name: float(places[0]) if len(places) else float("nan") for name, places in found.items()}
        at = 1 if np.isnan(first["estimate"]) else int(first["estimate"])
        longest = np.flatnonzero(self.watched[1:]) + 1
        return {
            **first,
            "n": int(self.watched[at]),
            "returned": int(self.woken[at]),
            "longest_days": int(longest[-1]) if len(longest) else 0,
            "customers": self.customers,
            "purchases": int(self.closed.sum() + self.still_open.sum()),
        }

    def at(self, days: npt.NDArray[np.int64]) -> pd.DataFrame:
        """What each of these numbers of days would have meant."""
        seen = days < len(self.watched)
        place = np.where(seen, days, len(self.watched) - 1)
        # A gap of k days ends on the day on which it would have been a silence of k.
        ended = np.append(at_least(self.closed)[1:], 0)
        silences = ended + at_least(self.still_open)
        counts = {"n": self.watched, "returned": self.woken, "lost": at_least(self.lost), "silences": silences, "ended": ended}
        shares = {"estimate": self.share, "low": self.low, "high": self.high}
        frame = pd.DataFrame({name: np.where(seen, count[place], 0) for name, count in counts.items()})
        frame = frame.assign(**{name: np.where(seen, share[place], np.nan) for name, share in shares.items()})
        return frame.assign(after_days=days, customers=self.there, lost_share=frame["lost"] / (self.there or np.nan))


def _bounds(watched: Ints, woken: Ints, level: float) -> tuple[Floats, Floats]:
    """Wilson's interval of the share woken at each number of days, from one row a part of the customers."""
    a, b = watched.astype(float), woken.astype(float)
    sums = [(a > 0).sum(axis=0), a.sum(axis=0), b.sum(axis=0), (a * a).sum(axis=0), (a * b).sum(axis=0), (b * b).sum(axis=0)]
    clusters = variance.Clusters(*(np.asarray(each, dtype=float) for each in sums))
    n, share = clusters.a, clusters.mean
    n_eff, freedom = variance.worth(clusters, spread=share * (1 - share), n=n, n_eff=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        n_eff = np.where(np.isnan(n_eff), 0.0, n_eff) / variance.inflation(freedom, level)
        low, high = intervals.wilson(np.where(n > 0, share, 0.0) * n_eff, n_eff, level)
    # Of one customer nothing is known of others.
    return np.where((n > 0) & np.isnan(low), 0.0, low), np.where((n > 0) & np.isnan(high), 1.0, high)
