"""How long until a tenth, a quarter, a half have left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd

from cxlib.churn.lives import lives_of
from cxlib.churn.spells import life_table
from cxlib.churn.tenure import Curve
from cxlib.stats import intervals
from cxlib.tables import Table, assemble, nothing
from cxlib.tables.rows import key_names

_COUNTS = {"churned": "int64", "censored": "int64"}


def quantiles(
    customers: Table,
    *,
    as_of: str | date | None = None,
    by: str | Sequence[str] = (),
    shares: Sequence[float] = (0.1, 0.25, 0.5),
    level: float = 0.95,
) -> pd.DataFrame:
    """Tenures by which given shares of the customers have left, one row per group and share.

    The first tenure, in days, by which at least ``share_left`` of the customers have left, by
    the Kaplan-Meier estimate. Missing where so many have not left yet: it is not reached.

    Parameters
    ----------
    customers : pandas DataFrame or Ibis table, one row per spell of a customer
        Needs ``start`` and ``end``, or ``tenure_days`` and ``churned``; see `survival`.
    as_of : str or date, optional
        Last day counted, such as ``"2026-06-30"``. Needed where the table has dates.
    by : str or sequence of str, optional
        Columns to group by. By default all customers form one group.
    shares : sequence of float, default (0.1, 0.25, 0.5)
        Shares that have left, between 0 and 1.
    level : float, default 0.95
        Confidence level of the interval.

    Returns
    -------
    DataFrame, one row per group and share, in their order
        ============  =====  ====================================================
        ``by`` ...           the group; a missing key is a group of its own
        share_left    float  share that has left, 0-1
        measure       str    ``"tenure_quantile"``
        estimate      float  days; missing where it is not reached
        low, high     float  interval in days; ``high`` is missing where it is not
                             bounded, ``low`` where even it was not reached
        level         float  confidence level of the interval
        n             int    customers of the group who were ever at risk
        churned       int    of them, left by ``as_of``
        censored      int    of them, still there when last seen
        ============  =====  ====================================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent or of another type, or a spell ends before it starts.
    ValueError
        If ``as_of`` is missing where the table has dates, or a share or ``level`` is not
        between 0 and 1.

    Warns
    -----
    UserWarning
        If customers left before they were observed; they are left out.

    See Also
    --------
    median_tenure : the half alone.
    cxlib.figures.table : the table of this result.

    Notes
    -----
    The interval holds the tenures at which the share lies between the bounds of the curve
    [1]_. Where the curve is level at exactly the share, other software gives the middle of
    that stretch; here it is its first day. It misleads as `median_tenure` does.

    References
    ----------
    .. [1] Brookmeyer, R., Crowley, J. (1982). A confidence interval for the median
       survival time. Biometrics 38(1), 29-41.

    Examples
    --------
    >>> customers = pd.DataFrame({"tenure_days": [30, 60, 90, 90, 120, 150], "churned": [True] * 4 + [False] * 2})
    >>> quantiles(customers, shares=[0.25, 0.5, 0.9])[["share_left", "estimate", "low", "high", "n"]]
       share_left  estimate   low  high  n
    0        0.25      60.0   0.0   NaN  6
    1        0.50      90.0  30.0   NaN  6
    2        0.90       NaN  90.0   NaN  6
    """
    intervals.tails(level)
    names = key_names(by, ["share_left", *_COUNTS])
    wanted = sorted(set(shares))
    if not wanted or not all(0 < share < 1 for share in wanted):
        raise ValueError(f"shares: {', '.join(f'{share:g}' for share in wanted) or 'none'}; each must lie between 0 and 1, such as 0.25")
    cells, reason = life_table(customers, names, as_of, asks="quantiles")
    if reason:
        return nothing(keys=[*names, "share_left"], counts=_COUNTS, reason=reason)
    pairs = [(key, Curve.of(lives, level)) for key, lives in lives_of(cells, names, asks="quantiles")]
    rows = [{**key, "share_left": share, **curve.passed(1 - share), **curve.counts} for key, curve in pairs for share in wanted]
    return assemble(pd.DataFrame(rows), keys=[*names, "share_left"], measure="tenure_quantile", level=level, counts=list(_COUNTS))
