"""What a customer brings from joining on, over a horizon that the data reach."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from cxlib.churn.spells import Asked
from cxlib.money.worth import (
    DAYS_A_MONTH,
    UNIT,
    Estimate,
    Worth,
    counted,
    discount,
    left_out,
    mean_worth,
    product,
    sums,
    valued,
    worth,
)
from cxlib.stats import intervals
from cxlib.stats.discounted import Stay, discounted_stay
from cxlib.tables import Table, ask, assemble, expression, nothing
from cxlib.tables.rows import absent_key, day, key_names, parts, restored

DAYS_A_YEAR = 365.25
_COUNTS = {
    "stay_months": "float64",
    "churned": "int64",
    "at_horizon": "int64",
    "valued": "int64",
    "without_value": "int64",
    "margin_month": "float64",
    "years": "float64",
    "discount_year": "float64",
    "what": "object",
    "currency": "object",
    "since": "object",
    "until": "object",
}


def lifetime_value(
    customers: Table,
    value_history: Table,
    *,
    as_of: str | date,
    by: str | Sequence[str] = (),
    years: float = 3.0,
    discount_year: float = 0.10,
    level: float = 0.95,
) -> pd.DataFrame:
    """Value of a new customer over the first years, one row per group.

    The mean margin of a month, in the currency of the values, times the months that a
    customer stays within so many years of joining, later ones discounted [1]_.

    Parameters
    ----------
    customers : pandas DataFrame or Ibis table, one row per spell of a customer
        Needs ``customer``, and what `cxlib.churn.survival` needs.
    value_history : pandas DataFrame or Ibis table, one row per customer and month
        Needs ``customer``, ``valid_from`` (first day of the month) and ``margin`` or
        ``revenue`` (a month, in one ``currency``).
    as_of : str or date
        Last day counted, such as ``"2026-06-30"``.
    by : str or sequence of str, optional
        Columns of ``customers`` to group by. By default all customers form one group.
    years : float, default 3
        The horizon, from joining on. Nothing is said beyond the tenures that were seen.
    discount_year : float, default 0.10
        What money a year later is worth less, as a share.
    level : float, default 0.95
        Confidence level of the interval.

    Returns
    -------
    DataFrame, one row per group, in order of ``by``
        ==============  =====  ====================================================
        ``by`` ...             the group; a missing key is a group of its own
        measure         str    ``"lifetime_value"``
        estimate        float  currency a customer; missing where the data do not
                               reach the horizon, or nobody has a value
        low, high       float  interval; missing with a single value
        level           float  confidence level of the interval
        n               int    spells of the group that were ever at risk
        stay_months     float  months of staying within the horizon, discounted
        churned         int    spells that ended by ``as_of``
        at_horizon      int    spells at risk ``years`` after joining
        valued          int    customers there on ``as_of`` who joined within so many
                               years, with a value
        without_value   int    the same without one
        margin_month    float  mean worth of those with a value, currency a month
        years           float  the horizon
        discount_year   float  the discount, as a share
        what            str    ``"margin"``, or ``"revenue"`` where there is no margin
        currency        str    the currency; missing where none is recorded
        since, until    date   first and last day of the months the worth is from
        ==============  =====  ====================================================

        Without rows, ``frame.attrs["reason"]`` says why; ``frame.attrs["notes"]`` says who
        has no value, and how many groups do not reach the horizon.

    Raises
    ------
    TableError
        If a column is absent or of another type, a month is not given by its first day or
        twice, or values are in several currencies.
    ValueError
        If ``years`` is not above 0, ``discount_year`` is not from 0 to below 1, ``as_of``
        is not a day, or ``level`` is not between 0 and 1.

    See Also
    --------
    retention_gain : what more retention would add.
    cxlib.churn.survival : the curve under which this is the area.
    cxlib.figures.intervals : the picture of this result.

    Notes
    -----
    A customer's worth is the mean margin of the last three complete months, of those with a
    row. The mean is that of those there now who joined within the horizon: where as many join
    every month, each tenure is among them as often as it is lived, so that the product holds also
    where those who bring more stay longer, and where margin changes with tenure. The months of
    staying are the area under the Kaplan-Meier curve, with delayed entry, up to the horizon, each
    day discounted. Both vary: the interval is made from the t interval of the mean worth (of its
    logarithm, where it is clear of 0) and the normal one of the months, whose variance is that of
    the infinitesimal jackknife with customers as clusters, and from their covariance [2]_. Where
    nobody left, the months have the exact lower bound for the smallest number at risk. It held the
    truth in 92 to 97 of 100 simulated samples of 60 to 400 customers; in 90, of 60 of whom a few
    bring most.

    It misleads where the last three months are not like the others (a season), where more or other
    customers joined at one time than at another, and where few were at risk at the horizon.

    References
    ----------
    .. [1] Gupta, S., et al. (2006). Modeling customer lifetime value. Journal of Service
       Research 9(2), 139-155.
    .. [2] Zou, G. Y., Donner, A. (2008). Construction of confidence limits about effect
       measures. Statistics in Medicine 27(10), 1693-1702.

    Examples
    --------
    Two of six leave after half a year, and all bring 10 a month; without a discount that is 100 in a year. Two have been there
    for longer than that: they tell how long customers stay, and not what new ones bring.

    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer": ["a", "b", "c", "d", "e", "f"],
    ...         "start": pd.to_datetime(["2025-06-30", "2025-06-30", "2025-09-01", "2025-09-01", "2023-01-01", "2023-01-01"]),
    ...         "end": pd.to_datetime(["2025-12-30", "2025-12-30", None, None, None, None]),
    ...     }
    ... )
    >>> months = pd.to_datetime(["2026-05-01", "2026-06-01"] * 2)
    >>> values = pd.DataFrame({"customer": ["c", "c", "d", "d"], "valid_from": months, "margin": [9.0, 11.0, 8.0, 12.0]})
    >>> found = lifetime_value(customers, values, as_of="2026-06-30", years=1, discount_year=0)
    >>> found[["estimate", "n", "churned", "valued", "margin_month", "stay_months"]].round(1)
       estimate  n  churned  valued  margin_month  stay_months
    0     100.0  6        2       2          10.0         10.0
    """
    tail = intervals.tails(level)
    a_year = discount(discount_year, asks="lifetime_value")
    if not 0 < years < np.inf:
        raise ValueError(f"lifetime_value: years is {years}, and must be above 0; for 18 months write 1.5")
    names = key_names(by, _COUNTS)
    last_day = day(as_of, asks="lifetime_value")
    asked = Asked("lifetime_value", names, last_day)
    value = worth(value_history, as_of=last_day, asks="lifetime_value")
    until, a_day = years * DAYS_A_YEAR, float(np.log1p(a_year)) / DAYS_A_YEAR
    cells = value if isinstance(value, str) else _cells(customers, value, asked, until)
    if isinstance(value, str) or isinstance(cells, str):
        return nothing(keys=names, counts=_COUNTS, reason=str(cells))
    rows = [{**key, **_group(part, until=until, a_day=a_day, tail=tail)} for key, part in parts(cells, names)]
    said = {"years": float(years), "discount_year": a_year, **value.said}
    # Assigned to a frame that has its rows, a value reaches all of them, a missing one too.
    frame = pd.DataFrame(rows).assign(**said)
    result = assemble(frame.drop(columns="reached"), keys=names, measure="lifetime_value", level=level, counts=list(_COUNTS))
    short = int((~frame["reached"]).sum())
    far = f"In {short} of {len(frame)} groups" if names else "Here"
    notes = [f"{far} nobody was seen all the way from joining to {years:g} years later: no value over so long."] * bool(short)
    result.attrs["notes"] = [*left_out(frame, value, who=f"customers who joined within {years:g} years and are there"), *notes]
    return result.astype(_COUNTS)


def _cells(customers: Table, value: Worth, asked: Asked, until: float) -> pd.DataFrame | str:
    """Spells alike, counted, by group, ``entry``, ``tenure`` and whether they ``left``, with the sums of their worth; or why none.

    Only who joined within the horizon has a worth: whoever is there much longer is not like those who join.
    ``cluster`` is 0 for customers with one spell; one with several has a number, so that what happens to the same customer is
    seen together.
    """
    import ibis

    if reason := Asked.unknown(customers):
        return reason
    rows, groups = valued(customers, value, asked)
    new = rows["tenure"] < until
    rows = rows.mutate(one=rows["one"] & new, worth=new.ifelse(rows["worth"], ibis.null("int64")))
    many = rows["cx_customer_of"].count().over(ibis.window(group_by="cx_customer_of"))
    rows = rows.mutate(several=(many > 1).fill_null(False))
    once, more = rows.filter(~rows["several"]), rows.filter(rows["several"])
    number = ibis.dense_rank().over(ibis.window(order_by="cx_customer_of")) + 1
    kept = [*groups, "entry", "tenure", "left", "cluster", "one", "worth"]
    both = ibis.union(once.mutate(cluster=ibis.literal(0, "int64"))[kept], more.mutate(cluster=number.cast("int64"))[kept])
    found = counted(ask(both.group_by([*groups, "entry", "tenure", "left", "cluster"]).agg(**sums(both))))
    found = restored(found, expression(customers), asked.names)
    if not len(found):
        return "There are no customers."
    if reason := absent_key(found, asked.names, row="customer"):
        return reason
    return found.sort_values([*asked.names, "tenure", "entry", "left", "cluster"], na_position="last", kind="stable", ignore_index=True)


def _group(cells: pd.DataFrame, *, until: float, a_day: float, tail: float) -> dict[str, Any]:
    """The value of one group, and what it is made of."""
    entry, tenure = (cells[name].to_numpy(dtype="float64") for name in ("entry", "tenure"))
    left, spells = cells["left"].to_numpy(dtype=bool), cells["spells"].to_numpy()
    stay = discounted_stay(entry, tenure, left, spells, until=until, a_day=a_day)
    n = int(cells["valued"].sum())
    margin = mean_worth(n, float(cells["total"].sum()), float(cells["squares"].sum()), tail=tail)
    months = _months(stay, spells, cells["cluster"].to_numpy(), tail)
    estimate, low, high = product(margin, months, _covariance(cells, stay, margin, n))
    if not stay.reached:
        estimate = low = high = np.nan
    counts = {"churned": int(spells[left].sum()), "at_horizon": stay.last, "valued": n, "without_value": int(cells["without"].sum())}
    more = {"margin_month": margin.value, "stay_months": months.value if stay.reached else np.nan, "reached": stay.reached}
    return {"estimate": estimate, "low": low, "high": high, "n": int(spells.sum()), **counts, **more}


def _months(stay: Stay, spells: Any, cluster: Any, tail: float) -> Estimate:
    """The discounted months of staying, with the spells of one customer taken together."""
    alone = cluster == 0
    together = np.bincount(cluster[~alone], (spells * stay.influence)[~alone]) if (~alone).any() else np.zeros(1)
    error = float(np.sqrt((spells * stay.influence**2)[alone].sum() + (together**2).sum())) / DAYS_A_MONTH
    value, z = stay.days / DAYS_A_MONTH, float(special.ndtri(1 - tail))
    low = max(value - z * error, 0.0)
    if not stay.events and stay.smallest:
        # Nobody left: so many at risk, all of whom stayed, do not rule out a survival of this.
        low = value * tail ** (1 / stay.smallest)
    return Estimate(value, low, value + z * error, error)


def _covariance(cells: pd.DataFrame, stay: Stay, margin: Estimate, n: int) -> float:
    """Of the months of staying and the mean worth, through those who are there and have a value."""
    if n < 2:
        return 0.0
    apart = cells["total"].to_numpy(dtype="float64") / UNIT - cells["valued"].to_numpy() * margin.value
    # A customer's earlier spells go with the worth of the one that runs.
    whole = pd.Series(stay.influence).groupby(cells["cluster"].to_numpy()).transform("sum").to_numpy()
    influence = np.where(cells["cluster"] == 0, stay.influence, whole)
    return float((influence * apart).sum()) / DAYS_A_MONTH / n
