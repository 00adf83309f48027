"""Who answers when asked, and who does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlib.stats import intervals, variance
from cxlib.tables import Table, TableError, ask, assemble, expression, need, nothing
from cxlib.tables.rows import absent_key, dates, day, key_columns, key_names, refuse_type, restored, typed, whole

if TYPE_CHECKING:
    import ibis.expr.types as ir

_COUNTS = {
    "answered": "int64", "late": "int64", "too_recent": "int64", "recent_answered": "int64", "n_people": "int64", "n_eff": "float64",
    "since": "object", "until": "object",
}  # fmt: skip
_SUMS = ["number", "a", "b", "aa", "ab", "bb"]


def response_rate(
    invitations: Table,
    responses: Table,
    *,
    as_of: str | date,
    by: str | Sequence[str] = (),
    customers: Table | None = None,
    days: int = 28,
    level: float = 0.95,
) -> pd.DataFrame:
    """Share of invitations that were answered in time, one row per group.

    Of the invitations that had ``days`` days for it by ``as_of``, the share, from 0 to 1,
    whose answer was known within these days.

    Parameters
    ----------
    invitations : pandas DataFrame or Ibis table, one row per invitation
        Needs ``respondent`` and ``time_asked``. ``wave``, ``touchpoint`` and ``role`` where
        known.
    responses : pandas DataFrame or Ibis table, one row per answer
        Needs ``respondent`` and ``time_answered``. ``time_received`` is when the answer
        became known; ``wave``, ``touchpoint`` and ``role`` where known. A question that was
        skipped is an answer to the invitation.
    as_of : str or date
        Last day counted, such as ``"2026-06-30"``.
    by : str or sequence of str, optional
        Columns to group by: of ``invitations``, else of ``customers``; ``"month"`` is that of
        the asking.
    customers : pandas DataFrame or Ibis table, one row per spell, optional
        Lends what it knows of a respondent, from the latest spell.
    days : int, default 28
        Days that everybody is given to answer.
    level : float, default 0.95
        Confidence level of the interval.

    Returns
    -------
    DataFrame, one row per group, in order of ``by``
        ===============  =====  =================================================
        ``by`` ...              the group; a missing key is a group of its own
        measure          str    ``"response_rate"``
        estimate         float  share answered, 0-1; missing where ``n`` is 0
        low, high        float  interval of the share
        level            float  confidence level of the interval
        n                int    invitations that had their time
        answered         int    of them, answered in time
        late             int    of them, arrived later; they count as not answered
        too_recent       int    invitations that did not have their time; not in ``n``
        recent_answered  int    of them, answered so far
        n_people         int    people who were invited, of ``n``
        n_eff            float  independent invitations they are worth
        since, until     date   first and last day of asking, of ``n``
        ===============  =====  =================================================

        ``frame.attrs["notes"]`` says what was left out; without rows,
        ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent or of another type, or an invitation names nobody.
    ValueError
        If an argument means nothing.

    See Also
    --------
    rate_breakdowns : each group against the rest.
    raked : the score, weighted for who answers seldom.

    Notes
    -----
    An answer belongs to an invitation of the same respondent, not later than it, of the
    same wave and the same touchpoint where both sides name them; where no wave is named,
    to the last invitation before it. It may come through another channel. Asked again in
    the same wave is a reminder, and the first counts. Wilson's interval [1]_, with fewer
    invitations where people were invited more than once and are alike in answering.

    Giving everybody the same days makes groups and months comparable: nobody who has not
    had the time is taken for silent. It misleads between channels, where paper takes longer
    to come in than a click: give all of them more days. It misleads where invitations
    bounce, as nobody can answer what never arrived; and where a low rate is taken for a
    wrong score: what counts is how the silent differ, not how many they are (see `tipping`).

    References
    ----------
    .. [1] Wilson, E. B. (1927). Probable inference, the law of succession, and
       statistical inference. JASA 22(158), 209-212.

    Examples
    --------
    >>> asked = pd.to_datetime(["2026-05-04"] * 4 + ["2026-06-22"] * 2)
    >>> invitations = pd.DataFrame({"respondent": ["a", "b", "c", "d", "a", "b"], "wave": list("111122"), "time_asked": asked})
    >>> answered = pd.to_datetime(["2026-05-05", "2026-06-20", "2026-06-23"])
    >>> responses = pd.DataFrame({"respondent": ["a", "b", "a"], "wave": list("112"), "time_answered": answered})
    >>> found = response_rate(invitations, responses, as_of="2026-06-30")
    >>> found[["estimate", "low", "high", "n", "answered", "late", "too_recent"]].round(2)
       estimate   low  high  n  answered  late  too_recent
    0      0.25  0.05   0.7  4         1     1           2
    """
    intervals.tails(level)
    if isinstance(days, bool) or not isinstance(days, int) or days < 1:
        raise ValueError(f"days: {days!r} is no number of days; it is a whole number from 1")
    asked = _Asked(key_names(by, _COUNTS), day(as_of, asks="response_rate"), days)
    answers = asked.answers(responses)
    counted = asked.counted(invitations, answers, customers)
    if reason := asked.reason(counted, answers):
        return nothing(keys=asked.names, counts=_COUNTS, reason=reason)
    groups = counted[counted["here"]].drop(columns="here")
    clusters = variance.Clusters(*groups[_SUMS].astype("float64").to_numpy().T)
    share, n = clusters.mean, groups["a"].to_numpy(dtype="float64")
    n_eff, freedom = variance.worth(clusters, spread=np.nan_to_num(share * (1 - share)), n=n, n_eff=n)
    worth = n_eff / variance.inflation(freedom, level)
    low, high = intervals.wilson(share * worth, worth, level)
    groups = groups.assign(
        estimate=share, low=low, high=high, n=groups["a"], answered=groups["b"], n_people=groups["number"], n_eff=n_eff,
        since=dates(groups["since"]), until=dates(groups["until"]),
    )  # fmt: skip
    found = assemble(groups, keys=asked.names, measure="response_rate", level=level, counts=list(_COUNTS)).astype(_COUNTS)
    found.attrs["notes"] = asked.notes(counted, answers)
    return found


def in_time(invitations: Table, responses: Table, *, as_of: date, names: Sequence[str], customers: Table | None, days: int) -> ir.Table:
    """The invitations that had their time, a row each, as answers to one question: ``score`` is 1 where one came in time, else 0."""
    import ibis

    asked = _Asked(list(names), as_of, days)
    answers = asked.answers(responses)
    keyed, rows = asked.matched(invitations, answers, customers)
    ripe, answered = asked.became(rows)
    rows = rows.mutate(score=answered.cast("int64")).filter(ripe, rows["role"].isin(answers.roles["role"].tolist()))
    # What was sent several times over on one day, in no wave, stands in one row.
    rows = rows.mutate(copy=ibis.range(rows["times"]).unnest())
    named = {name: rows[key] for key, name in zip(key_columns(keyed, asked.names), asked.names, strict=True)}
    each: ir.Table = rows.select("score", respondent=rows["who"], time_answered=rows["asked"], **named)
    return each


@dataclass(frozen=True)
class _Answers:
    """The answers by respondent and day, and of each role how many there are, are signed, and carry a day."""

    rows: Any
    roles: pd.DataFrame


@dataclass(frozen=True)
class _Asked:
    """What is asked for: in which groups, up to which day, with how many days to answer."""

    names: list[str]
    as_of: date
    days: int

    def answers(self, table: Table) -> _Answers:
        """Who answered when, in which wave and at which touchpoint; known by the last day counted."""
        import ibis

        expr = expression(table)
        need(expr, ["respondent", "time_answered"], asks="response_rate")
        for name in ("time_answered", "time_received"):
            refuse_type(table, expr, name=name, kind="date", asks="response_rate")
        given, received = typed(expr, "time_answered", "date"), typed(expr, "time_received", "date")
        rows = expr.select(**_who(expr), given=given, known=ibis.coalesce(received, given))
        rows = rows.filter((rows["known"] <= self.as_of).fill_null(True))
        roles = ask(rows.group_by("role").agg(answers=rows.count(), signed=rows["who"].count(), dated=rows["given"].count()))
        return _Answers(rows.filter(rows["who"].notnull()).distinct(), roles)

    def counted(self, table: Table, answers: _Answers, customers: Table | None) -> pd.DataFrame:
        """One row a group and role: sums over people of their invitations and of those answered; ``here`` where the role has answers."""
        keyed, rows = self.matched(table, answers, customers)
        keys = list(key_columns(keyed, self.names))
        found = ask(_sums(self._people(rows, keys), [*keys, "role"]))
        found = whole(found, [*_SUMS, "late", "too_recent", "recent_answered", "nameless"])
        nameless = int(found["nameless"].sum())
        if nameless:
            many = int(found["a"].sum() + found["too_recent"].sum())
            raise TableError(f"response_rate: {nameless:,} of {many:,} invitations name nobody. Leave them out, or say who was asked.")
        found = restored(found, keyed, self.names)
        return found.assign(here=found["role"].isin(answers.roles["role"]))

    def matched(self, table: Table, answers: _Answers, customers: Table | None) -> tuple[Any, Any]:
        """The invitations with the columns that group them, and each once with what became of it."""
        expr = expression(table)
        need(expr, ["respondent", "time_asked"], asks="response_rate")
        refuse_type(table, expr, name="time_asked", kind="date", asks="response_rate")
        keyed = _lent(expr, self.names, customers)
        keys = key_columns(keyed, self.names)
        rows: Any = keyed.select(**_who(keyed), asked=typed(keyed, "time_asked", "date"), **keys)
        return keyed, _answered(_once(rows.filter(rows["asked"] <= self.as_of), list(keys)), answers.rows, list(keys))

    def became(self, rows: Any) -> tuple[Any, Any]:
        """Whether an invitation had its time, and whether it was answered in it."""
        return rows["asked"] <= self.as_of - timedelta(days=self.days), (rows["delay"] <= self.days).fill_null(False)

    def _people(self, rows: Any, keys: list[str]) -> Any:
        """One row for each group and person: invitations that had their time, those answered in it, later, and too recent ones."""
        import ibis

        (ripe, in_time), zero, never = self.became(rows), ibis.literal(0, "int64"), ibis.null("date")
        times = rows["times"]
        return rows.group_by([*keys, "role", "who"]).agg(
            a=ripe.ifelse(times, zero).sum(),
            b=(ripe & in_time).ifelse(times, zero).sum(),
            late=(ripe & rows["delay"].notnull() & ~in_time).ifelse(times, zero).sum(),
            too_recent=ripe.ifelse(zero, times).sum(),
            recent_answered=(~ripe & rows["delay"].notnull()).ifelse(times, zero).sum(),
            since=ripe.ifelse(rows["asked"], never).min(),
            until=ripe.ifelse(rows["asked"], never).max(),
        )

    def reason(self, counted: pd.DataFrame, answers: _Answers) -> str:
        """Why there is no rate; empty where there is one."""
        here = counted[counted["here"]]
        if not len(counted):
            return "Nobody was invited, as far as is known, so there is no response rate."
        if not answers.roles["answers"].sum():
            return "There are no answers."
        if not answers.roles["signed"].sum():
            return "No answer is signed, so nobody knows which invitations were answered."
        if not len(here):
            return "Nobody of those who answered was invited, as far as is known."
        if not here["a"].sum():
            return f"All invitations are of the last {self.days} days, so none has had its time."
        return absent_key(here, self.names, row="invitation")

    def notes(self, counted: pd.DataFrame, answers: _Answers) -> list[str]:
        """What a reader has to know beside the numbers."""
        here, others = counted[counted["here"]], counted[~counted["here"]]
        notes = [f"An answer counts where it was known within {self.days} days of asking."]
        recent, late = int(here["too_recent"].sum()), int(here["late"].sum())
        if recent:
            notes.append(f"{recent:,} {'invitation is' if recent == 1 else 'invitations are'} more recent than that and left out.")
        if late:
            notes.append(f"{late:,} {'answer arrived later, and counts' if late == 1 else 'answers arrived later, and count'} as none.")
        unsigned = int((answers.roles["answers"] - answers.roles["signed"]).sum())
        if unsigned:
            signs = f"{unsigned:,} of {int(answers.roles['answers'].sum()):,} answers {'is' if unsigned == 1 else 'are'} signed by nobody"
            notes.append(f"{signs}: the invitations behind them count as not answered.")
        for role, part in others.groupby("role"):
            many = int(part["a"].sum() + part["too_recent"].sum())
            words = "invitation of role '{}' is" if many == 1 else "invitations of role '{}' are"
            notes.append(f"{many:,} {words.format(role)} left out, as no answer here is of that role.")
        return notes


def _who(expr: ir.Table) -> dict[str, Any]:
    """Who it is about, in which role and wave and at which touchpoint; missing where a table does not say."""
    import ibis

    text = {name: expr[name].cast("string") if name in expr.columns else ibis.null("string") for name in ("role", "wave", "touchpoint")}
    return {"who": expr["respondent"].cast("string"), **text, "role": ibis.coalesce(text["role"], "customer")}


def _lent(expr: ir.Table, names: list[str], customers: Table | None) -> Any:
    """The invitations with every column that they are grouped by: their own, the month of asking, or that of the customer."""
    import ibis

    if "month" in names and "month" not in expr.columns:
        expr = expr.mutate(month=typed(expr, "time_asked", "date").truncate("M"))
    lacking = [name for name in names if name not in expr.columns]
    if not lacking:
        return expr
    if customers is None:
        need(expr, lacking, asks="response_rate")
    known = expression(customers)
    need(known, ["customer", *lacking], asks="response_rate")
    start = typed(known, "start", "date")
    latest = ibis.row_number().over(
        group_by=known["customer"], order_by=[start.desc(nulls_first=False), *(known[name] for name in lacking)]
    )
    one = known.filter(latest == 0).select(cx_customer=known["customer"].cast("string"), **{name: known[name] for name in lacking})
    role = _who(expr)["role"]
    return expr.mutate(cx_role=role).left_join(one, [expr["respondent"].cast("string") == one["cx_customer"], role == "customer"])


def _once(rows: Any, keys: list[str]) -> Any:
    """Each invitation once: a reminder in a known wave is none; with the day of that person's next one, and how often it stands there."""
    import ibis

    order = [rows["asked"], *(rows[key] for key in keys)]
    place = ibis.row_number().over(group_by=[rows[name] for name in ("who", "role", "wave", "touchpoint")], order_by=order)
    rows = rows.filter((place == 0) | rows["wave"].isnull() | rows["who"].isnull())
    rows = rows.group_by(rows.columns).agg(times=rows.count())
    following = (
        rows["asked"].lead().over(group_by=[rows[name] for name in ("who", "role", "touchpoint")], order_by=[rows["asked"], rows["wave"]])
    )
    return rows.mutate(following=following)


def _answered(rows: Any, answers: Any, keys: list[str]) -> Any:
    """The invitations with the days that the first answer to each took to be known; missing where none came."""
    answers = answers.select(**{f"of_{name}": answers[name] for name in answers.columns})
    one_wave = (rows["wave"] == answers["of_wave"]).fill_null(False)
    no_wave = rows["wave"].isnull() | answers["of_wave"].isnull()
    before_next = (answers["of_given"] < rows["following"]).fill_null(True)
    matched = rows.left_join(
        answers,
        [
            rows["who"] == answers["of_who"],
            rows["role"] == answers["of_role"],
            one_wave | (no_wave & answers["of_given"].notnull() & before_next),
            rows["touchpoint"].isnull() | answers["of_touchpoint"].isnull() | (rows["touchpoint"] == answers["of_touchpoint"]),
            # By the day: an answer may carry no time of it. Of a wave, one without a day was given in time.
            (answers["of_given"] >= rows["asked"]).fill_null(True),
        ],
    )
    took = matched["of_known"].delta(matched["asked"], unit="day").fill_null(0)
    delay = matched["of_who"].notnull().ifelse(took, None)
    each = [*keys, "who", "role", "wave", "touchpoint", "asked", "following", "times"]
    return matched.mutate(delay=delay).group_by(each).agg(delay=lambda t: t["delay"].min())


def _sums(people: Any, keys: list[str]) -> Any:
    """The sums over the people of each group."""
    squares = {name: (people[name[0]] * people[name[1]]).sum() for name in ("aa", "ab", "bb")}
    nameless = people["who"].isnull().ifelse(people["a"] + people["too_recent"], 0).sum()
    more = {name: people[name].sum() for name in ("a", "b", "late", "too_recent", "recent_answered")}
    days = {"since": people["since"].min(), "until": people["until"].max()}
    return people.group_by(keys).agg(number=(people["a"] > 0).sum(), nameless=nameless, **more, **squares, **days)
