"""Journeys that were begun and have not reached their goal in time, in the shape of the table of attributes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cxlib.leaving.states import days_from_one, given, lasting, later, moment_of
from cxlib.tables import Table, TableError, ask, did_you_mean, expression, need
from cxlib.tables.rows import examples, plain, refuse_type, whole

if TYPE_CHECKING:
    import ibis.expr.types as ir


def journeys(
    events: Table,
    *,
    goal: str,
    within_days: int,
    for_days: int = 90,
    name: str = "unfinished journey",
) -> Table:
    """Who has begun a journey and not reached its goal in time, from the day the time had passed, as attributes.

    ``yes`` from the day on which a case has been open for ``within_days`` without its goal,
    until the day on which the goal is reached after all, for ``for_days`` days at most;
    otherwise ``no``.

    Parameters
    ----------
    events : pandas DataFrame or Ibis table, one row per step of a case
        Needs ``case_id``, ``customer``, ``activity`` and ``time``. A case begins with its
        first step and belongs to the only customer among its steps; one without any is left
        out.
    goal : str
        The activity that a case is begun for. With ``""`` nobody is said to have begun any.
    within_days : int
        Days from the first step within which the goal is to be reached.
    for_days : int, default 90
        For how many days from then a journey without its goal counts.
    name : str, default "unfinished journey"
        Name of the attribute.

    Returns
    -------
    pandas DataFrame, or Ibis table where one was given, one row per change
        ==========  ====  ======================================================
        customer    str   missing in one row: what holds before anything is learned
        attribute   str   ``name``
        value       str   ``"yes"`` or ``"no"``
        valid_from  date  day on which it was learned
        ==========  ====  ======================================================

    Raises
    ------
    TableError
        If a column is absent or of another type, an event has no case or no time, a case
        has several customers, or no event is the goal.
    ValueError
        If a number of days is below 1.

    See Also
    --------
    model : what to give it to, as ``learned=[…]``.
    slow_tickets : the same of tickets.

    Notes
    -----
    Who has not had the time yet is not lost: a journey counts as unfinished only once
    ``within_days`` have passed, whoever begins it, and nothing is counted from the day on
    which it was begun, when nobody could know [1]_. Days are those of the calendar; of the
    first and the last the time of day counts, too. Other journeys of the customer do not
    finish this one: a case has to be what is begun and finished (an order, an application).
    It misleads where each visit is a case of its own: who comes back on another day and
    buys has left one unfinished. And where customers who are about to leave begin nothing,
    those who do are the loyal ones, and what is left undone seems to keep them.

    References
    ----------
    .. [1] Suissa, S. (2008). Immortal time bias in pharmacoepidemiology. American Journal
       of Epidemiology 167(4), 492-499.

    Examples
    --------
    Ada paid after twelve days and not within a week, Bob in time, Cyd never:

    >>> import pandas as pd
    >>> events = pd.DataFrame({"case_id": ["j1", "j1", "j2", "j2", "j3"], "customer": ["ada", "ada", "bob", "bob", "cyd"],
    ...                        "activity": ["basket", "pay", "basket", "pay", "basket"],
    ...                        "time": pd.to_datetime(["2026-01-01", "2026-01-13", "2026-01-01", "2026-01-02", "2026-01-05"])})
    >>> journeys(events, goal="pay", within_days=7, for_days=30)[["customer", "value", "valid_from"]]
      customer value valid_from
    0      ada   yes 2026-01-08
    1      ada    no 2026-01-13
    2      cyd   yes 2026-01-12
    3      cyd    no 2026-02-11
    4     None    no        NaT
    """
    import ibis

    days_from_one("journeys", within_days=within_days, for_days=for_days)
    expr = expression(events)
    need(expr, ["case_id", "customer", "activity", "time"], asks="journeys")
    refuse_type(events, expr, name="time", kind="date", asks="journeys")
    _refuse(events, goal)
    rows = _judged(expr, goal).filter(ibis.literal(bool(goal)))
    cases = rows.group_by("case_id").agg(
        customer=rows["customer"].max(),
        customers=rows["customer"].nunique(),
        begun=rows["moment"].min(),
        reached=rows["moment"].min(where=rows["is_goal"]),
    )
    _refuse_shared(cases)
    known = cases["begun"] + ibis.interval(days=within_days)
    late = cases.filter((cases["reached"] > known).fill_null(True))
    late = late.mutate(since=(late["begun"] + ibis.interval(days=within_days)).cast("date"))
    fades = later(late["since"], for_days)
    until = ibis.least(ibis.coalesce(late["reached"].cast("date"), fades), fades)
    return given(events, lasting(late.select("customer", "since", until=until), name=name))


def _judged(expr: ir.Table, goal: str) -> Any:
    """Every event, whether it is the goal, and what is wrong with it."""
    activity, moment = expr["activity"].cast("string"), moment_of(expr, "time")
    return expr.mutate(
        moment=moment,
        is_goal=(activity == goal).fill_null(False),
        caseless=expr["case_id"].isnull(),
        timeless=moment.isnull(),
        shown=activity.fill_null("no activity") + " of " + expr["case_id"].cast("string").fill_null("no case"),
    )


def _refuse(events: Table, goal: str) -> None:
    """Raise the letter about events that no case or no time is known of, or of which none is the goal."""
    rows = _judged(expression(events), goal)
    totals = {"events": rows.count(), **{flag: rows[flag].sum() for flag in ("caseless", "timeless", "is_goal")}}
    (found,) = whole(ask(rows.aggregate(**totals)), totals).to_dict("records")
    for flag, what in (("caseless", "case_id"), ("timeless", "time")):
        if count := found[flag]:
            shown, _ = examples(events, lambda table: _judged(table, goal), bad=flag, value="shown")
            raise TableError(
                f"journeys: {count:,} of {found['events']:,} events have no {what} ({shown}). Correct them, or leave them out."
            )
    if goal and found["events"] and not found["is_goal"]:
        activities = sorted(ask(rows.select("activity").distinct())["activity"].dropna().astype(str))
        raise TableError(
            f"journeys: none of {found['events']:,} events is the goal '{goal}'; there are {len(activities):,} activities "
            f"({_named(activities)}).{did_you_mean(goal, activities)} Give one of them as goal, or '' where journeys have none."
        )


def _refuse_shared(cases: Any) -> None:
    """Raise the letter about cases of which it is not known whose they are."""
    several = cases["customers"] > 1
    totals = {"cases": cases.count(), "several": several.sum()}
    (found,) = whole(ask(cases.aggregate(**totals)), totals).to_dict("records")
    if found["several"]:
        first = ask(cases.filter(several).select("case_id").order_by("case_id").limit(4))["case_id"]
        raise TableError(
            f"journeys: {found['several']:,} of {found['cases']:,} cases have events of several customers ({_named(first)}). "
            "Give the part of each customer a case_id of its own."
        )


def _named(values: Iterable[object]) -> str:
    """``'basket', 'browse', 'pay', …``"""
    words = [plain(value) for value in values]
    return ", ".join(words[:3]) + (", …" if len(words) > 3 else "")
