"""What was learned about a customer, and when: scores, slow tickets and campaigns in the shape of the table of attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cxlib.leaving.states import days_from_one, given, lasting, later, moment_of, passing
from cxlib.tables import Table, TableError, ask, did_you_mean, expression, need
from cxlib.tables.rows import typed

if TYPE_CHECKING:
    import ibis.expr.types as ir

NO_ANSWER = "no recent answer"
NOTHING_SENT = "nothing sent"


def scores(
    responses: Table,
    *,
    question: str | None = None,
    recent_days: int = 365,
    name: str = "last answer",
) -> Table:
    """What each customer last said, from the day the answer was received, as attributes.

    Of a question from 0 to 10 ``promoter`` (9-10), ``passive`` (7-8) or ``detractor`` (0-6);
    of any other ``best two``, ``middle`` or ``worst two`` of its scale. After
    ``recent_days``, and before the first answer, ``no recent answer``.

    Parameters
    ----------
    responses : pandas DataFrame or Ibis table, one row per answer
        Needs ``respondent``, ``score``, and ``time_received`` or ``time_answered``. Staff,
        skipped questions and answers without a day are left out.
    question : str, optional
        The question, where ``responses`` has a ``question`` column. By default the only
        one of kind ``"nps"``.
    recent_days : int, default 365
        For how many days an answer holds.
    name : str, default "last answer"
        Name of the attribute.

    Returns
    -------
    pandas DataFrame, or Ibis table where one was given, one row per change
        ==========  ====  ======================================================
        customer    str   missing in one row: what holds before anything is learned
        attribute   str   ``name``
        value       str   the class of the last answer
        valid_from  date  day on which it was learned
        ==========  ====  ======================================================

    Raises
    ------
    TableError
        If a column is absent, there are several such questions or none of that name, or a
        score is not on its scale.
    ValueError
        If ``recent_days`` is below 1.

    See Also
    --------
    model : what to give it to, as ``learned=[…]``.
    slow_tickets, campaigns : what else is learned.

    Notes
    -----
    Of several answers on a day the last counts, of equally late ones the lowest. It misleads
    where those who are about to leave no longer answer: "no recent answer" is then a sign
    of leaving, and not the lack of one.

    References
    ----------
    .. [1] Therneau, T., Crowson, C., Atkinson, E. (2024). Using time dependent covariates
       and time dependent coefficients in the Cox model. Vignette of the R package survival.

    Examples
    --------
    >>> import pandas as pd
    >>> responses = pd.DataFrame({"respondent": ["ada", "ada"], "score": [3, 10], "time_answered": ["2026-01-10", "2026-01-20"]})
    >>> responses["time_answered"] = pd.to_datetime(responses["time_answered"])
    >>> scores(responses, recent_days=100)[["customer", "value", "valid_from"]]
      customer             value valid_from
    0      ada         detractor 2026-01-10
    1      ada          promoter 2026-01-20
    2      ada  no recent answer 2026-04-30
    3     None  no recent answer        NaT
    """
    import ibis

    days_from_one("scores", recent_days=recent_days)
    expr = expression(responses)
    need(expr, ["respondent", "score"], asks="scores")
    moments = _moments(expr, ["time_received", "time_answered"], asks="scores")
    asked = _of_question(expr, question)
    if "role" in expr.columns:
        asked = asked.filter(asked["role"].fill_null("customer") == "customer")
    low, high = (
        asked[name].cast("int64") if name in expr.columns else ibis.literal(end) for name, end in (("scale_low", 0), ("scale_high", 10))
    )
    rows = asked.mutate(cx_low=low, cx_high=high, cx_score=typed(asked, "score", "number"), cx_moment=ibis.coalesce(*moments(asked)))
    rows = rows.mutate(cx_bad=(~rows["cx_score"].between(rows["cx_low"], rows["cx_high"])).fill_null(False))
    if bad := int(ask(rows.aggregate(bad=rows["cx_bad"].sum().fill_null(0)))["bad"].iloc[0]):
        shown = ", ".join(f"{value:g}" for value in sorted(ask(rows.filter(rows["cx_bad"]).select("cx_score").distinct())["cx_score"])[:3])
        raise TableError(f"scores: {bad:,} scores are not on the scale of their question ({shown}). Correct them, or leave them out.")
    score, low, high = rows["cx_score"], rows["cx_low"], rows["cx_high"]
    is_nps = (rows["kind"] == "nps") if "kind" in rows.columns else ibis.literal(True)
    best_is_low = rows["low_is_good"].fill_null(False) if "low_is_good" in rows.columns else ibis.literal(False)
    top, bottom = score >= high - 1, score <= low + 1
    value = ibis.cases(
        (is_nps & (score >= 9), "promoter"),
        (is_nps & (score >= 7), "passive"),
        (is_nps, "detractor"),
        (best_is_low.ifelse(bottom, top), "best two"),
        (best_is_low.ifelse(top, bottom), "worst two"),
        else_="middle",
    )
    rows = rows.filter(score.notnull()).select(customer=rows["respondent"], moment=rows["cx_moment"], value=value, least=score)
    return given(responses, passing(rows, name=name, days=recent_days, after=NO_ANSWER))


def slow_tickets(
    tickets: Table,
    *,
    over_days: int,
    for_days: int = 90,
    name: str = "slow ticket",
) -> Table:
    """Who has had a ticket open for over so many days, from the day it had been, as attributes.

    ``yes`` from the day on which the ticket has been open for ``over_days`` and is not
    resolved, for ``for_days`` days; otherwise ``no``.

    Parameters
    ----------
    tickets : pandas DataFrame or Ibis table, one row per ticket
        Needs ``customer``, ``time_opened`` and ``time_resolved`` (missing while open).
    over_days : int
        Days from the first contact after which a ticket is slow.
    for_days : int, default 90
        For how many days from then it counts.
    name : str, default "slow ticket"
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
        If a column is absent.
    ValueError
        If a number of days is below 1.

    See Also
    --------
    model : what to give it to, as ``learned=[…]``.

    Notes
    -----
    That a ticket is slow is not known when it is opened: to count it from then on would
    compare those who stayed long enough to see it with those who did not. Days are those
    of the calendar, nights and holidays too. It misleads where customers who leave no
    longer open tickets, and where a ticket is about leaving.

    References
    ----------
    .. [1] Suissa, S. (2008). Immortal time bias in pharmacoepidemiology. American Journal
       of Epidemiology 167(4), 492-499.

    Examples
    --------
    >>> import pandas as pd
    >>> tickets = pd.DataFrame({"customer": ["ada", "bob"], "time_opened": ["2026-01-01 09:00", "2026-01-01 09:00"],
    ...                         "time_resolved": ["2026-01-09 12:00", "2026-01-02 12:00"]})
    >>> tickets[["time_opened", "time_resolved"]] = tickets[["time_opened", "time_resolved"]].apply(pd.to_datetime)
    >>> slow_tickets(tickets, over_days=3, for_days=30)[["customer", "value", "valid_from"]]
      customer value valid_from
    0      ada   yes 2026-01-04
    1      ada    no 2026-02-03
    2     None    no        NaT
    """
    import ibis

    days_from_one("slow_tickets", over_days=over_days, for_days=for_days)
    expr = expression(tickets)
    need(expr, ["customer", "time_opened", "time_resolved"], asks="slow_tickets")
    opened, resolved = (moment_of(expr, name) for name in ("time_opened", "time_resolved"))
    known = opened + ibis.interval(days=over_days)
    slow = expr.select("customer", since=known.cast("date"), until=later(known, for_days), still=(resolved > known).fill_null(True))
    return given(tickets, lasting(slow.filter(slow["still"]), name=name))


def campaigns(
    sends: Table,
    *,
    campaign: str | None = None,
    for_days: int = 30,
    name: str = "campaign",
) -> Table:
    """What was sent to each customer lately, from the day it was sent, as attributes.

    ``sent`` for ``for_days`` days after a message, ``held back`` for as long after the day
    on which the control group would have had it, otherwise ``nothing sent``.

    Parameters
    ----------
    sends : pandas DataFrame or Ibis table, one row per message or customer held back
        Needs ``customer`` and ``time_sent``; ``arm`` tells ``"message"`` from
        ``"control"``, and a message that ``bounced`` was not sent.
    campaign : str, optional
        Only this campaign. By default all of them.
    for_days : int, default 30
        For how many days a message counts.
    name : str, default "campaign"
        Name of the attribute.

    Returns
    -------
    pandas DataFrame, or Ibis table where one was given, one row per change
        ==========  ====  ======================================================
        customer    str   missing in one row: what holds before anything is learned
        attribute   str   ``name``
        value       str   ``"sent"``, ``"held back"`` or ``"nothing sent"``
        valid_from  date  day on which it was learned
        ==========  ====  ======================================================

    Raises
    ------
    TableError
        If a column or the campaign is absent.
    ValueError
        If ``for_days`` is below 1.

    See Also
    --------
    model : what to give it to, as ``learned=[…]``.

    Notes
    -----
    Only those held back at random can be compared with those it was sent to: who gets a
    message is otherwise chosen, often because they are about to leave or are loyal. That a
    message was opened is not used: who opens mail is interested already.

    References
    ----------
    .. [1] Ascarza, E. (2018). Retention futility: targeting high-risk customers might be
       ineffective. Journal of Marketing Research 55(1), 80-98.

    Examples
    --------
    >>> import pandas as pd
    >>> sends = pd.DataFrame({"customer": ["ada", "bob"], "arm": ["message", "control"], "time_sent": pd.to_datetime(["2026-01-01"] * 2)})
    >>> campaigns(sends, for_days=14)[["customer", "value", "valid_from"]]
      customer         value valid_from
    0      ada          sent 2026-01-01
    1      ada  nothing sent 2026-01-15
    2      bob     held back 2026-01-01
    3      bob  nothing sent 2026-01-15
    4     None  nothing sent        NaT
    """
    import ibis

    days_from_one("campaigns", for_days=for_days)
    expr = expression(sends)
    need(expr, ["customer", "time_sent", *(["campaign"] if campaign else [])], asks="campaigns")
    if campaign is not None:
        expr = expr.filter(expr["campaign"] == campaign)
        if not int(ask(expr.aggregate(n=expr.count()))["n"].iloc[0]):
            raise TableError(f"campaigns: no row is of a campaign '{campaign}'.")
    held = (expr["arm"] == "control").fill_null(False) if "arm" in expr.columns else ibis.literal(False)
    bounced = typed(expr, "bounced", "yes/no").fill_null(False)
    value = held.ifelse("held back", "sent")
    rows = expr.filter(held | ~bounced).select(
        customer="customer", moment=moment_of(expr, "time_sent"), value=value, least=held.cast("float64")
    )
    return given(sends, passing(rows, name=name, days=for_days, after=NOTHING_SENT))


def _moments(expr: ir.Table, names: list[str], *, asks: str) -> Any:
    there = [name for name in names if name in expr.columns]
    if not there:
        near = did_you_mean(names[0], expr.columns)
        raise TableError(f"{asks}: the table has neither a column '{names[0]}' nor a column '{names[1]}'.{near}")
    return lambda rows: [moment_of(rows, name) for name in there]


def _of_question(expr: ir.Table, question: str | None) -> ir.Table:
    """The answers to the question asked for, or to the only one of kind nps."""
    if "question" not in expr.columns:
        return expr
    chosen = (
        expr.filter(expr["question"] == question) if question else expr.filter(expr["kind"] == "nps") if "kind" in expr.columns else expr
    )
    found = sorted(ask(chosen.select("question").distinct())["question"].dropna())
    if question and not found:
        known = sorted(ask(expr.select("question").distinct())["question"].dropna())
        raise TableError(f"scores: no answer is to a question '{question}'.{did_you_mean(question, known)}")
    if len(found) > 1:
        raise TableError(f"scores: there are {len(found)} such questions ({', '.join(found[:3])}). Say which with question=.")
    return chosen
