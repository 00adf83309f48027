"""How long it takes until a customer buys again: all purchases count, those that nothing followed yet, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.shops.visits import Asked, Ints, absent, at_least, by_part, whole_days
from cxlib.stats import intervals, repeats
from cxlib.stats.intervals import Floats
from cxlib.stats.survival import kaplan_meier
from cxlib.tables import Table, assemble, nothing
from cxlib.tables.rows import day, key_names, parts

_CURVE = {
    "returned": "int64", "open": "int64", "purchases": "int64", "customers": "int64", "naive": "float64",
    "followed": "float64", "n_followed": "int64",
}  # fmt: skip
_QUANTILE = {"returned": "int64", "open": "int64", "customers": "int64", "naive": "float64"}


def gaps(
    orders: Table,
    *,
    as_of: str | date,
    by: str | Sequence[str] = (),
    at: Sequence[int] = (),
    free: bool = True,
    level: float = 0.95,
) -> pd.DataFrame:
    """Share of purchases followed by another of the same customer within so many days, one row per group and day.

    The Kaplan-Meier estimate of the share, from 0 to 1. A purchase that nothing has
    followed by ``as_of`` is not taken as the last one: it counts for as long as could be
    waited. All purchases of a customer on one day are one; a refund is none.

    Parameters
    ----------
    orders : pandas DataFrame or Ibis table, one row per order
        Needs ``customer`` and ``time_ordered``. Where ``amount`` is below 0 the row is a
        refund, and no purchase; a missing amount is a purchase. Where contracts end, what
        `under_contract` returned.
    as_of : str or date
        Last day counted, such as ``"2026-06-30"``. Later orders are left out.
    by : str or sequence of str, optional
        Columns to group by, as they stand at the purchase from which days are counted: the
        first of its day. By default all purchases form one group.
    at : sequence of int, optional
        Days to give. By default each day on which a purchase was followed by another.
    free : bool, default True
        Whether an order with an amount of 0 is a purchase.
    level : float, default 0.95
        Confidence level of the interval, at each number of days by itself.

    Returns
    -------
    DataFrame, one row per group and number of days, in their order
        ============  =====  ====================================================
        ``by`` ...           the group; a missing key is a group of its own
        gap_days      int    days since a purchase
        measure       str    ``"returned_share"``
        estimate      float  share followed by another within these days, 0-1;
                             missing beyond the longest wait
        low, high     float  interval of the share
        level         float  confidence level of the interval
        n             int    purchases not followed by another before this day, and
                             waited for until it
        returned      int    of them, followed by another on this day
        open          int    of them, followed by none when waiting ended on it, as the
                             data or the contract did
        purchases     int    all purchases of the group
        customers     int    whose they are
        naive         float  share of those followed by another at all; see Notes
        followed      float  share of the purchases that could be waited for so long
        n_followed    int    how many do
        ============  =====  ====================================================

        ``frame.attrs["notes"]`` says what counted as a purchase; without rows
        ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent or of another type, or an order has no customer or no day.
    ValueError
        If ``as_of`` is not a day, ``at`` has a number of days below 1, or ``level`` is not
        between 0 and 1.

    See Also
    --------
    quantiles : the days by which a given share came back.
    inactivity : the rule that follows from it.
    cxlib.figures.returning : the picture of this result.

    Notes
    -----
    Gaps of one customer are alike. The interval is the log-log one with the variance
    between customers [1]_, who are counted in 200 parts; t with parts less one, and never
    narrower than if gaps were independent.
    ``naive`` leaves out whoever has not come back: the longer a gap, the less often it has
    ended by ``as_of``, so it is far too fast. It is given to be compared.
    It misleads as a statement about customers: who buys often has more purchases in it. And
    late purchases are waited for less long than early ones; where they come from other
    customers, as in a shop whose early customers have gone, the curve mixes the two [2]_.
    ``followed`` has no such mixture at any one day, but another base for each. Where the two
    differ the customers have changed.

    References
    ----------
    .. [1] Lin, D. Y., Wei, L. J. (1989). The robust inference for the Cox proportional
       hazards model. JASA 84(408), 1074-1078.
    .. [2] Cook, R. J., Lawless, J. F. (2007). The statistical analysis of recurrent events.
       Springer, chapter 4.

    Examples
    --------
    Ann came back after 10 and after 20 days, Ben after 10; nothing is known of Cy yet:

    >>> orders = pd.DataFrame(
    ...     {
    ...         "customer": ["Ann", "Ann", "Ann", "Ben", "Ben", "Cy"],
    ...         "time_ordered": pd.to_datetime(
    ...             ["2026-01-01", "2026-01-11", "2026-01-31", "2026-01-01", "2026-01-11", "2026-01-21"]
    ...         ),
    ...     }
    ... )
    >>> gaps(orders, as_of="2026-01-31")[["gap_days", "estimate", "naive", "followed", "n", "returned", "open"]].round(2)
       gap_days  estimate  naive  followed  n  returned  open
    0        10       0.4   0.67      0.40  5         2     1
    1        20       0.7   1.00      0.75  2         1     1
    """
    intervals.tails(level)
    names = key_names(by, ["gap_days", *_CURVE])
    wanted = np.unique([whole_days(each, "at", asks="gaps") for each in at]).astype("int64")
    asked = Asked("gaps", names, day(as_of, asks="gaps"), free)
    notes, cells = asked.notes(orders), _cells(orders, asked)
    if reason := absent(cells, names):
        return nothing(keys=[*names, "gap_days"], counts=_CURVE, reason=reason)
    frames = []
    for key, group in parts(cells, names):
        curve = _Curve.of(group, level)
        frames.append(curve.at(wanted if len(wanted) else np.flatnonzero(curve.events)).assign(**key))
    found = assemble(pd.concat(frames), keys=[*names, "gap_days"], measure="returned_share", level=level, counts=list(_CURVE))
    found.attrs["notes"] = notes
    if not len(found):
        found.attrs["reason"] = "Nobody has bought a second time."
    return found


def quantiles(
    orders: Table,
    *,
    as_of: str | date,
    shares: Sequence[float] = (0.25, 0.5, 0.75),
    by: str | Sequence[str] = (),
    free: bool = True,
    level: float = 0.95,
) -> pd.DataFrame:
    """Days within which given shares of purchases are followed by another, one row per group and share.

    The first number of days at which the curve of `gaps` is at the share or above. Missing
    where it never is: so many purchases have been followed by none that it is not known.

    Parameters
    ----------
    orders : pandas DataFrame or Ibis table, one row per order
        Needs ``customer`` and ``time_ordered``; see `gaps`.
    as_of : str or date
        Last day counted, such as ``"2026-06-30"``.
    shares : sequence of float, default (0.25, 0.5, 0.75)
        Shares of purchases, each between 0 and 1.
    by : str or sequence of str, optional
        Columns to group by, as they stand at the purchase. By default all form one group.
    free : bool, default True
        Whether an order with an amount of 0 is a purchase.
    level : float, default 0.95
        Confidence level of the interval.

    Returns
    -------
    DataFrame, one row per group and share, in their order
        ============  =====  ====================================================
        ``by`` ...           the group; a missing key is a group of its own
        share         float  share of purchases followed by another
        measure       str    ``"return_days"``
        estimate      float  days; missing where the share is not reached
        low, high     float  interval in days; ``high`` is missing where it is not
                             bounded, ``low`` where even it was not reached
        level         float  confidence level of the interval
        n             int    purchases
        returned      int    of them, followed by another by ``as_of``
        open          int    of them, followed by none yet: the last of each customer,
                             or the last before leaving
        customers     int    whose purchases they are
        naive         float  days within which that share of the closed gaps ended
        ============  =====  ====================================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent or of another type, or an order has no customer or no day.
    ValueError
        If ``as_of`` is not a day, or a share or ``level`` is not between 0 and 1.

    See Also
    --------
    gaps : the curve that this is read from, and what its interval is.
    cxlib.figures.table : the table of this result.

    Notes
    -----
    The interval holds the days at which the share lies between the bounds of the curve
    [1]_. It misleads where ``naive`` is read instead: it says how fast those came back who
    came back soon enough to be seen.

    References
    ----------
    .. [1] Brookmeyer, R., Crowley, J. (1982). A confidence interval for the median
       survival time. Biometrics 38(1), 29-41.

    Examples
    --------
    >>> orders = pd.DataFrame(
    ...     {
    ...         "customer": ["Ann", "Ann", "Ann", "Ben", "Ben", "Cy"],
    ...         "time_ordered": pd.to_datetime(
    ...             ["2026-01-01", "2026-01-11", "2026-01-31", "2026-01-01", "2026-01-11", "2026-01-21"]
    ...         ),
    ...     }
    ... )
    >>> quantiles(orders, as_of="2026-01-31", shares=[0.25, 0.5, 0.9])[["share", "estimate", "n", "returned", "open", "naive"]]
       share  estimate  n  returned  open  naive
    0   0.25      10.0  6         3     3   10.0
    1   0.50      20.0  6         3     3   10.0
    2   0.90       NaN  6         3     3   20.0
    """
    intervals.tails(level)
    names = key_names(by, ["share", *_QUANTILE])
    wanted = sorted({float(share) for share in shares})
    if not all(0 < share < 1 for share in wanted):
        raise ValueError("quantiles: shares lie between 0 and 1; for half of the purchases write 0.5")
    asked = Asked("quantiles", names, day(as_of, asks="quantiles"), free)
    notes, cells = asked.notes(orders), _cells(orders, asked)
    if reason := absent(cells, names):
        return nothing(keys=[*names, "share"], counts=_QUANTILE, reason=reason)
    frames = [_Curve.of(group, level).quantiles(wanted).assign(**key) for key, group in parts(cells, names)]
    found = assemble(pd.concat(frames), keys=[*names, "share"], measure="return_days", level=level, counts=list(_QUANTILE))
    found.attrs["notes"] = notes
    return found


def _cells(orders: Table, asked: Asked) -> pd.DataFrame:
    """Purchases counted by the days that passed after them, and by the days that could have passed."""
    rows = asked.visits(orders)
    closed = rows.filter(rows["returned"])
    return asked.counted(orders, rows, asked.arm(closed, "room", closed["room"]))


@dataclass(frozen=True)
class _Curve:
    """The share of one group's purchases not followed by another, at each number of days from 0 on."""

    risk: Ints
    events: Ints
    still_open: Ints
    room: Ints
    customers: int
    survival: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, cells: pd.DataFrame, level: float) -> _Curve:
        longest = int(cells["days"].max())
        closed, still_open = by_part(cells, "closed", longest), by_part(cells, "open", longest)
        risk = at_least(closed + still_open)
        low, high = repeats.log_log(risk, closed, level=level)
        events, all_risk = closed.sum(axis=0), risk.sum(axis=0)
        room = by_part(cells, "room", longest).sum(axis=0)
        customers = int(cells.loc[cells["what"] == "customers", "times"].sum())
        return cls(all_risk, events, still_open.sum(axis=0), room, customers, kaplan_meier(all_risk, events), low, high)

    def at(self, days: npt.NDArray[np.int64]) -> pd.DataFrame:
        """The curve at these days, from 1 on."""
        seen = days < len(self.risk)
        place = np.where(seen, days, len(self.risk) - 1)
        # All that is beyond the longest wait is unknown, unless nothing is waited for any more.
        known = seen | (self.survival[-1] == 0)
        shares = {"estimate": 1 - self.survival, "low": 1 - self.high, "high": 1 - self.low}
        followed, n_followed = self._followed()
        counts = {"n": self.risk, "returned": self.events, "open": self.still_open, "n_followed": n_followed}
        ended = np.cumsum(self.events)
        naive = np.divide(ended, ended[-1], out=np.full(len(ended), np.nan), where=ended[-1] > 0)
        return pd.DataFrame(
            {
                "gap_days": days,
                **{name: np.where(known, share[place], np.nan) for name, share in shares.items()},
                **{name: np.where(seen, count[place], 0) for name, count in counts.items()},
                "purchases": int(self.risk[0]),
                "customers": self.customers,
                "naive": naive[place],
                "followed": np.where(seen, followed[place], np.nan),
            }
        )

    def _followed(self) -> tuple[Floats, Ints]:
        """At each number of days: of the purchases that lie so far back, how many were followed by another in that time."""
        # The last purchase of a customer has its gap for room.
        many: Ints = at_least(self.room + self.still_open)
        # Followed after so many days, and for as long as it lies back.
        came = np.cumsum(self.events) - (np.cumsum(self.room) - self.room)
        return np.divide(came, many, out=np.full(len(many), np.nan), where=many > 0), many

    def quantiles(self, shares: Sequence[float]) -> pd.DataFrame:
        """The first days at which the curve and its bounds reach these shares."""
        ended = np.cumsum(self.events) / max(int(self.events.sum()), 1)
        curves = {"estimate": 1 - self.survival, "low": 1 - self.low, "high": 1 - self.high, "naive": ended}
        found = {name: [_first(curve, share) for share in shares] for name, curve in curves.items()}
        counts = {"n": int(self.risk[0]), "returned": int(self.events.sum()), "open": int(self.still_open.sum())}
        return pd.DataFrame({"share": list(shares), **found, **counts, "customers": self.customers})


def _first(curve: Floats, share: float) -> float:
    # A product of shares that is the share by arithmetic may miss it by the last digit.
    reached = np.flatnonzero(curve >= share - 1e-12)
    return float(reached[0]) if len(reached) else float("nan")
