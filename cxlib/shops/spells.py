"""The table of customers of a shop without contracts: from the first purchase to a silence that is too long."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlib.shops.visits import LEFT, Asked, whole_days
from cxlib.tables import TABLES, Table, TableError, ask, expression, need
from cxlib.tables.rows import day, examples, whole
from cxlib.tables.schema import PHYSICAL

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: What the orders say; everything else is known of a customer from elsewhere, or not at all.
_OF_THE_ORDERS = ("customer", "start", "end", "end_reason", "observed_from", "tenure_days", "churned")
SILENCE = "silence"


def customers(
    orders: Table,
    *,
    as_of: str | date,
    after_days: int,
    since: str | date | None = None,
    known: Table | None = None,
    free: bool = True,
) -> Table:
    """Orders as the table of customers that the churn measures take, one row per spell of a customer.

    A spell begins with a purchase and ends on the day on which the customer has bought
    nothing for ``after_days`` days. Who has not been silent for so long is not lost. Who
    buys again later has a second spell.

    Parameters
    ----------
    orders : pandas DataFrame or Ibis table, one row per order
        Needs ``customer`` and ``time_ordered``. Where ``amount`` is below 0 the row is a
        refund, and no purchase; a missing amount is a purchase.
    as_of : str or date
        Last day counted, such as ``"2026-06-30"``. Later orders are left out.
    after_days : int
        Days of silence after which a customer counts as lost; `inactivity` finds them. With
        0, for customers whose contracts end, ``known`` is handed back as it is.
    since : str or date, optional
        First day of the orders, where customers bought before it. By default the orders
        reach back to everybody's first purchase.
    known : pandas DataFrame or Ibis table, one row per customer, optional
        What else is known of customers, such as the ``customers`` of a book: all its columns
        go with the spells, but for those below that the orders decide.
    free : bool, default True
        Whether an order with an amount of 0 is a purchase.

    Returns
    -------
    DataFrame or Ibis table, as ``orders`` is, in the shape of the table ``customers``
        =============  =====  ===================================================
        customer       str    identifier
        start          date   day of the first purchase of the spell
        end            date   day of the last purchase and ``after_days`` more;
                              missing where that lies after ``as_of``
        end_reason     str    ``"silence"`` where the spell has ended
        observed_from  date   first day from which leaving would have been seen, where
                              the spell may have begun before ``since``
        last_ordered   date   day of the last purchase of the spell
        purchases      int    days of the spell with a purchase
        ...                   the other columns of ``customers``, and of ``known``
        =============  =====  ===================================================

    Raises
    ------
    TableError
        If a column is absent or of another type, an order has no customer or no day, or a
        customer has more than one row in ``known``.
    ValueError
        If a day is none, ``after_days`` is not a whole number from 0, or is 0 without ``known``,
        or ``orders`` are those of `under_contract`.

    See Also
    --------
    inactivity : how many days are enough.
    cxlib.churn.survival : what takes this table.

    Notes
    -----
    The end is dated on the day on which the rule is met, not on the last purchase. Of a last
    purchase nobody knows on its day that it is the last: dated there, nobody could have been
    lost in the last ``after_days`` days before ``as_of``, and all who were silent by then would
    be at risk without being able to leave. Every measure would have to stop that much
    earlier. Dated on the day of the rule, all that has ended by ``as_of`` is known on it. The
    price: nobody is lost in the first ``after_days`` days of a spell, and every tenure holds
    that much silence. Who counts from the last purchase takes ``last_ordered`` for ``end``,
    and ends each measure at ``as_of`` less ``after_days``.
    With ``since``, whoever bought in the first ``after_days`` days may have been a customer
    before: ``start`` is then the start in ``known`` where that is earlier, else the first
    purchase that was seen, which makes the tenure too short. They are at risk from the end of
    those days on, when all who were not lost by the rule have been seen once.
    It misleads where the rule is too short: the woken count as lost and as new. `sensitivity`
    says how many. Who never bought has no row.

    References
    ----------
    .. [1] Buckinx, W., Van den Poel, D. (2005). Customer base analysis: partial defection
       of behaviourally loyal clients in a non-contractual FMCG retail setting. European
       Journal of Operational Research 164(1), 252-268.

    Examples
    --------
    Ann stayed away too long and came back; Ben has been silent for 29 days only:

    >>> orders = pd.DataFrame(
    ...     {
    ...         "customer": ["Ann", "Ann", "Ann", "Ben"],
    ...         "time_ordered": pd.to_datetime(["2026-01-01", "2026-01-11", "2026-04-11", "2026-06-01"]),
    ...     }
    ... )
    >>> customers(orders, as_of="2026-06-30", after_days=60)[["customer", "start", "end", "last_ordered", "purchases"]]
      customer      start        end last_ordered  purchases
    0      Ann 2026-01-01 2026-03-12   2026-01-11          2
    1      Ann 2026-04-11 2026-06-10   2026-04-11          1
    2      Ben 2026-06-01        NaT   2026-06-01          1
    """
    last_day = day(as_of, asks="customers")
    silent = whole_days(after_days, "after_days", asks="customers", least=0)
    if not silent:
        if known is None:
            raise ValueError("customers: after_days is 0, which is for customers whose contracts end; their table is needed as known")
        return known
    if LEFT in orders.columns:
        raise ValueError(
            f"customers: these orders know who left ({LEFT}); where contracts end after_days is 0, and known the table of them"
        )
    asked = Asked("customers", [], last_day, free)
    asked.notes(orders)
    spells = _spells(asked.visits(orders), silent)
    spells = _completed(spells, None if known is None else _known(known))
    spells = _observed(spells, silent, None if since is None else day(since, asks="customers"))
    if not isinstance(orders, pd.DataFrame):
        return spells
    frame = ask(spells).sort_values(["customer", "start"], ignore_index=True)
    days = [name for name in frame.columns if spells[name].type().is_date()]
    return frame.assign(**{name: pd.to_datetime(frame[name]) for name in days})


def _spells(visits: Any, silent: int) -> Any:
    """One row a spell: its customer, days of the first and the last purchase, their number, and the day on which it ended."""
    import ibis

    of_one = {"group_by": "customer", "order_by": "day"}
    gap_before = visits["gap"].lag().over(**of_one)
    visits = visits.mutate(new=(gap_before > silent).fill_null(False).cast("int64"))
    visits = visits.mutate(spell=visits["new"].sum().over(ibis.window(**of_one, preceding=None, following=0)))
    spells = visits.group_by(["customer", "spell"]).agg(
        start=visits["day"].min(), last_ordered=visits["day"].max(), purchases=visits.count(), room=visits["room"].min()
    )
    gone = spells["room"] >= silent
    day_gone = (spells["last_ordered"] + ibis.interval(days=silent)).cast("date")
    return spells.select(
        "customer",
        "start",
        "last_ordered",
        "purchases",
        first=spells["spell"] == 0,
        end=gone.ifelse(day_gone, ibis.null("date")),
        end_reason=gone.ifelse(SILENCE, ibis.null("string")),
    )


def _known(known: Table) -> Any:
    """What is known of customers, one row each; a letter where a customer has more."""
    expr = expression(known)
    need(expr, ["customer"], asks="customers")
    counted = expr.group_by("customer").agg(rows=expr.count())
    totals = {"all": counted.count(), "several": (counted["rows"] > 1).sum()}
    (found,) = whole(ask(counted.aggregate(**totals)), totals).to_dict("records")
    if found["several"]:
        shown, _ = examples(counted, lambda t: t.mutate(several=t["rows"] > 1), bad="several", value="customer")
        many = f"{found['several']:,} of {found['all']:,} customers"
        raise TableError(f"customers: {many} have several rows in known ({shown}). Keep one of each.")
    return expr


def _completed(spells: Any, known: Any) -> Any:
    """The spells with every column of the table of customers, and with what is known beside it."""
    import ibis

    columns: dict[str, Any] = {
        column.name: ibis.null(PHYSICAL[column.kind]) for column in TABLES["customers"].columns if column.name not in spells.columns
    }
    columns["joined"] = ibis.null("date")
    if known is not None:
        # Under names that no column of the orders has, so that nothing is renamed by the join.
        named = {f"known_{name}": known[name] for name in known.columns if name not in _OF_THE_ORDERS}
        started = known["start"].cast("date") if "start" in known.columns else ibis.null("date")
        there: ir.Table = known.select(known_customer=known["customer"].cast("string"), known_joined=started, **named)
        spells = spells.left_join(there, spells["customer"].cast("string") == there["known_customer"])
        columns |= {name.removeprefix("known_"): spells[name] for name in named} | {"joined": spells["known_joined"]}
    return spells.select("customer", "start", "end", "end_reason", "last_ordered", "purchases", "first", **columns)


def _observed(spells: Any, silent: int, since: date | None) -> Any:
    """When leaving would first have been seen: of who may have been a customer before the orders begin, after that many days."""
    import ibis

    if since is not None:
        seen_from = since + timedelta(days=silent)
        before = spells["first"] & (spells["start"] < ibis.literal(seen_from, "date"))
        earlier = ibis.least(ibis.coalesce(spells["joined"], spells["start"]), spells["start"])
        spells = spells.mutate(
            observed_from=before.ifelse(ibis.literal(seen_from, "date"), ibis.null("date")),
            start=before.ifelse(earlier, spells["start"]),
        )
    order = [*TABLES["customers"].names, "last_ordered", "purchases"]
    return spells.select(*order, *(name for name in spells.columns if name not in {*order, "first", "joined"}))
