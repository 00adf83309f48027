"""Orders of customers whose contracts end: until when each of them was there to order."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlib.shops.visits import LEFT
from cxlib.tables import Table, TableError, ask, expression, need
from cxlib.tables.rows import examples, refuse_type, stretches, typed, whole

if TYPE_CHECKING:
    import ibis.expr.types as ir

_FIRST, _LAST = date.min, date.max


def under_contract(orders: Table, *, known: Table) -> Table:
    """Orders with the day on which their customer left, so that nobody who has left is silent.

    The measures of a shop end a silence on that day, and count no purchase after it.

    Parameters
    ----------
    orders : pandas DataFrame or Ibis table, one row per order
        Needs ``customer`` and ``time_ordered``.
    known : pandas DataFrame or Ibis table, one row per spell of a customer
        Such as the ``customers`` of a book. Needs ``customer`` and ``end`` (a date, missing
        where there is none yet); ``start`` where customers have come back.

    Returns
    -------
    DataFrame or Ibis table, as ``orders`` is, with one column more
        =============  =====  ===================================================
        ...                   the columns of ``orders``
        customer_left  date   day on which the customer left after the order, or had
                              left before it; missing while the customer is there
        =============  =====  ===================================================

    Raises
    ------
    TableError
        If a column is absent or of another type, or a spell ends before it starts.

    See Also
    --------
    gaps, quantiles, inactivity, sensitivity : what takes this table.
    customers : the table of customers where no contract ends.

    Notes
    -----
    Spells of a customer that overlap or touch are one. An order before the first of them counts
    with it. Customers of whom no spell is known are taken to be there. Where leaving is never
    seen, silence has to stand for it, and `inactivity` says which [1]_.
    It misleads where customers order less because they are about to leave: their last silences
    are cut short, and count as if they could have gone on as those of others do.

    References
    ----------
    .. [1] Schmittlein, D. C., Morrison, D. G., Colombo, R. (1987). Counting your customers: who
       are they and what will they do next? Management Science 33(1), 1-24.

    Examples
    --------
    Ann left in March and came back in May; the order of April is of nobody's contract:

    >>> orders = pd.DataFrame({"customer": "Ann", "time_ordered": pd.to_datetime(["2026-02-01", "2026-04-01", "2026-05-02"])})
    >>> spells = pd.DataFrame({"customer": "Ann", "start": pd.to_datetime(["2026-01-01", "2026-05-01"]),
    ...                        "end": pd.to_datetime(["2026-03-31", None])})
    >>> under_contract(orders, known=spells)[["time_ordered", "customer_left"]]
      time_ordered customer_left
    0   2026-02-01    2026-03-31
    1   2026-04-01    2026-03-31
    2   2026-05-02           NaT
    """
    is_frame = isinstance(orders, pd.DataFrame)
    expr = expression(orders.assign(cx_row=np.arange(len(orders))) if is_frame else orders)
    need(expr, ["customer", "time_ordered"], asks="under_contract")
    refuse_type(orders, expr, name="time_ordered", kind="date", asks="under_contract")
    there = _there(known)
    day, who = typed(expr, "time_ordered", "date"), expr["customer"].cast("string")
    found = expr.left_join(there, [who == there["cx_who"], day >= there["cx_since"], day < there["cx_back"]])
    found = found.select(*expr.columns, **{LEFT: found["cx_left"]})
    if not is_frame:
        return found
    left = ask(found.select("cx_row", LEFT)).sort_values("cx_row")[LEFT]
    return orders.assign(**{LEFT: pd.to_datetime(left).to_numpy()})


def _there(known: Table) -> Any:
    """When each customer was there, in stretches: the first reaches back for ever, and each until the next begins."""
    import ibis

    expr = expression(known)
    need(expr, ["customer", "end"], asks="under_contract")
    for name in ("start", "end"):
        refuse_type(known, expr, name=name, kind="date", asks="under_contract")
    _refuse(known)
    since, until = (ibis.coalesce(typed(expr, name, "date"), ibis.literal(none)) for name, none in (("start", _FIRST), ("end", _LAST)))
    spells = expr.select(who=expr["customer"].cast("string"), since=since, until=until)
    spells = stretches(spells.filter(spells["who"].notnull()), of="who")
    within = {"group_by": "who", "order_by": "since"}
    first, following = spells["since"].lag().over(**within).isnull(), spells["since"].lead().over(**within)
    return spells.select(
        cx_who=spells["who"],
        cx_since=first.ifelse(ibis.literal(_FIRST), spells["since"]),
        cx_back=ibis.coalesce(following, ibis.literal(_LAST)),
        cx_left=(spells["until"] < ibis.literal(_LAST)).ifelse(spells["until"], ibis.null("date")),
    )


def _refuse(known: Table) -> None:
    """Raise the letter about spells that end before they start."""

    def judged(table: ir.Table) -> Any:
        since, until = typed(table, "start", "date"), typed(table, "end", "date")
        span = since.cast("string") + " to " + until.cast("string")
        return table.mutate(cx_bad=(until < since).fill_null(False), cx_span=span)

    rows = judged(expression(known))
    totals = {"spells": rows.count(), "bad": rows["cx_bad"].sum()}
    (found,) = whole(ask(rows.aggregate(**totals)), totals).to_dict("records")
    if found["bad"]:
        shown, _ = examples(known, judged, bad="cx_bad", value="cx_span")
        raise TableError(
            f"under_contract: {found['bad']:,} of {found['spells']:,} spells end before they start ({shown}). "
            "Correct them, or leave them out."
        )
