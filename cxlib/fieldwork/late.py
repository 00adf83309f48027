"""Answers that come late: how far they restate what was known when a month closed, and what is still to come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlib.stats import delays as stats
from cxlib.stats import intervals
from cxlib.survey.answers import PERIOD, Tally
from cxlib.survey.compared import Ints, Side, at, paired, with_question
from cxlib.survey.people import Base
from cxlib.survey.scoring import Score, Scored
from cxlib.tables import RESULT, Table, ask, expression, nothing
from cxlib.tables.calendar import first_day, last_day, month_numbers
from cxlib.tables.rows import alike, day, key_names, refuse_type, typed

if TYPE_CHECKING:
    import ibis.expr.types as ir

_COUNTS = {
    "restated": "float64", "estimate_closed": "float64", "low_closed": "float64", "high_closed": "float64", "n_closed": "Int64",
    "late": "Int64", "closed": "object", "arrived": "float64", "low_arrived": "float64", "high_arrived": "float64",
    "to_come": "float64", "since": "object", "until": "object",
}  # fmt: skip
#: A month and a delay in days as one number.
_SPAN = 100_000


def late(
    responses: Table,
    *,
    as_of: str | date,
    measure: str | Score = "nps",
    by: str | Sequence[str] = (),
    days: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """How late answers restated a score, month by month, one row per group and month.

    The score of a month as it is known now, and as it was known when the month closed:
    from the answers that had reached the company by its last day, or some days later. An
    answer belongs to the month in which it was given. And of the answers that come in
    the end, the share that has arrived.

    Parameters
    ----------
    responses : pandas DataFrame or Ibis table, one row per answer
        What the score itself needs; ``time_answered`` or ``month``; and
        ``time_received``, when the answer reached the company: where it is missing, the
        answer counts as received when it was given.
    as_of : str or date
        Last day counted; answers received later are left out.
    measure : str or Score, default "nps"
        ``"nps"``, ``"csat"``, ``"ces"`` (on seven points the share), ``"ratings"``; or a
        ``Score`` that also names a question, a weight, a scale or the accounts of people.
    by : str or sequence of str, optional
        Columns to group by. By default all answers of a month form one group.
    days : int, default 0
        Days after its last one on which a month is closed and reported.
    level : float, default 0.95
        Confidence level of the intervals.

    Returns
    -------
    DataFrame, one row per group and month, in their order
        ======================  =====  ==============================================
        ``by`` ...                     the group; a missing key is its own group
        month                   date   first day of the month
        measure                 str    ``"nps_restated"``, ``"csat_restated"``, ...
        estimate                float  the score as known now; missing where ``n`` is 0
        low, high               float  interval of it
        level                   float  confidence level of the intervals
        n                       int    answers known now
        restated                float  the score now less the score at the close
        estimate_closed, ...    float  the score at the close, and its interval; missing
                                       where the month is not closed yet
        n_closed                int    answers that had arrived at the close
        late                    int    answers that came after it
        closed                  date   last day whose answers counted then
        arrived, low_...        float  share, 0-1, of the answers that come in the end
                                       that has arrived, and its interval; missing where
                                       the month is not over, or too few older ones tell
        to_come                 float  answers still to come, on average
        since, until            date   first and last day of these answers
        ======================  =====  ==============================================

        ``frame.attrs["notes"]`` says what was left out; without rows,
        ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If the score cannot be computed.
    ValueError
        If an argument means nothing.

    See Also
    --------
    early : whether those who answer soon differ from those who take their time.
    cxlib.figures.restated : the picture of this result.

    Notes
    -----
    The restatement itself is no estimate: both scores were, or would have been, on the
    page. What has arrived is estimated from older months by the product-limit method for
    delays that are known only once they are over [1]_, which actuaries call the chain
    ladder: a delay of ten days is judged by months that ended at least ten days ago.
    Its interval allows for months that differ (`cxlib.stats.delays` has its coverage).
    What comes later than anything did so far is not foreseen.

    It misleads where a person gave an answer anew: only the last one is in the table. A
    report of the closing day had the one before, which is left out of the score at the
    close. And a month that will be restated little may still be restated one way: those
    who answer late are other people.

    References
    ----------
    .. [1] Lagakos, S. W., Barraj, L. M., De Gruttola, V. (1988). Nonparametric analysis
       of truncated survival data, with application to AIDS. Biometrika 75(3), 515-523.

    Examples
    --------
    >>> given = pd.to_datetime(["2026-05-20"] * 60 + ["2026-06-20"] * 50)
    >>> responses = pd.DataFrame({
    ...     "score": [10] * 30 + [3] * 10 + [7] * 20 + [10] * 25 + [3] * 25,
    ...     "time_answered": given,
    ...     "time_received": given + pd.to_timedelta([0] * 40 + [15] * 20 + [0] * 50, unit="D"),
    ... })
    >>> found = late(responses, as_of="2026-06-30")
    >>> found[["month", "estimate", "n", "estimate_closed", "n_closed", "restated", "late"]].round(1)
            month  estimate   n  estimate_closed  n_closed  restated  late
    0  2026-05-01      33.3  60             50.0        40     -16.7    20
    1  2026-06-01       0.0  50              0.0        50       0.0     0
    """
    intervals.tails(level)
    until = day(as_of, asks="late")
    if isinstance(days, bool) or not isinstance(days, int) or days < 0:
        raise ValueError(f"days: {days!r} is no number of days; it is a whole number from 0")
    score = Score.of(measure)
    keys = with_question(key_names(by, [*_COUNTS, "month"]), score)
    axis = [*keys, "month"]
    for name in ("month", "time_answered", "time_received"):
        refuse_type(responses, expression(responses), name=name, kind="date", asks="late")
    now, split, each = (
        score.asks(responses, keys, by_whom="late", period=period).tally(responses)
        for period in (_month(until), _half(until, days), _delay(until))
    )
    reason = now.reason or _unknown(now, responses)
    if reason:
        return nothing(keys=axis, counts=_COUNTS, reason=reason)
    frame = _restated(now, split, score, keys=keys, closing=_closing(until, days), level=level)
    frame = _completed(frame, each, keys, until, level)
    frame = frame.sort_values(axis, na_position="last", kind="stable")[[*axis, *RESULT, *_COUNTS]]
    frame = frame.astype(_COUNTS).reset_index(drop=True)
    frame.attrs["notes"] = _notes(now)
    return frame


def _known(rows: Any, until: date) -> tuple[Any, Any, Any]:
    """Of each answer the month as a number, the days from its end to receipt (0 where in time), and whether it is known."""
    import ibis

    given = ibis.coalesce(typed(rows, "month", "date"), typed(rows, "time_answered", "date"))
    received = ibis.coalesce(typed(rows, "time_received", "date"), typed(rows, "time_answered", "date"), given)
    next_month = (given.truncate("M") + ibis.interval(months=1)).cast("date")
    delay = ibis.greatest(received.delta(next_month, unit="day").cast("int64") + 1, ibis.literal(0, "int64"))
    return month_numbers(given), delay, received <= ibis.literal(until)


def _only(known: Any, value: Any) -> Any:
    import ibis

    return known.ifelse(value, ibis.null("int64"))


def _month(until: date) -> Callable[[ir.Table], Any]:
    def period(rows: ir.Table) -> Any:
        month, _, known = _known(rows, until)
        return _only(known, month)

    return period


def _half(until: date, days: int) -> Callable[[ir.Table], Any]:
    """The month of an answer, doubled, and one more where it came after the close."""

    def period(rows: ir.Table) -> Any:
        month, delay, known = _known(rows, until)
        return _only(known, month * 2 + (delay > days).cast("int64"))

    return period


def _delay(until: date) -> Callable[[ir.Table], Any]:
    """The month of an answer, and its delay in days, as one number."""

    def period(rows: ir.Table) -> Any:
        import ibis

        month, delay, known = _known(rows, until)
        return _only(known, month * _SPAN + ibis.least(delay, ibis.literal(_SPAN - 1, "int64")))

    return period


def _unknown(now: Tally, table: Table) -> str:
    """Why nothing can be restated, where that is so."""
    if "time_received" not in table.columns or not _any(table):
        return "No answer says when it reached the company, so nothing is restated."
    return "" if now.groups[PERIOD].notna().any() else "No answer that was known by then carries a date, so nothing is restated."


def _any(table: Table) -> bool:
    expr = expression(table)
    return bool(ask(expr.aggregate(some=typed(expr, "time_received", "date").count()))["some"].iloc[0])


def _closing(until: date, days: int) -> Callable[[int], date | None]:
    """The day on which a month was closed; none where that is still to come."""

    def closed(place: int) -> date | None:
        on = first_day(place + 1) + timedelta(days=days - 1)
        return on if on <= until else None

    return closed


def _restated(
    now: Tally, split: Tally, score: Score, *, keys: Sequence[str], closing: Callable[[int], date | None], level: float
) -> pd.DataFrame:
    """Every group and month: the score now and at the close, from the first number that the group has."""
    dated = split.groups[PERIOD].notna().to_numpy()
    half = split.groups[PERIOD].where(dated, 0).to_numpy(dtype="int64")
    # Of the split tally only what had come in time is set against what is known now.
    in_time = replace(split, groups=split.groups.assign(**{PERIOD: half // 2}))
    sides = Side("now", now, now.groups[PERIOD].notna().to_numpy()), Side("closed", in_time, dated & (half % 2 == 0))
    pairs = paired(*sides, [*keys, PERIOD])
    pairs["place"] = pairs[PERIOD].astype("int64")
    pairs["closed"] = [closing(place) for place in pairs["place"]]
    frames, left = [], np.ones(len(pairs), dtype=bool)
    for number, before in zip(*(side.numbers(score) for side in sides), strict=True):
        here = left & at(number.rows, pairs["one"], False)
        left &= ~here
        if here.any():
            frames.append(_scores(pairs[here].reset_index(drop=True), (now, number), (split, before), level))
    frame = pd.concat(frames, ignore_index=True)
    return frame.assign(month=[first_day(place) for place in frame["place"]], level=level)


def _scores(pairs: pd.DataFrame, known: tuple[Tally, Scored], in_time: tuple[Tally, Scored], level: float) -> pd.DataFrame:
    """Both scores of some months; nothing at the close where that is still to come."""
    columns: dict[str, Any] = {}
    for (counted, number), place, name in ((known, pairs["one"], ""), (in_time, pairs["other"], "_closed")):
        found = number.interval(counted, Base.of(counted, number.worth), level)
        columns |= {
            f"{part}{name}": number.unit * at(each, place, np.nan) for part, each in zip(("estimate", "low", "high"), found, strict=True)
        }
        columns[f"n{name}"] = at(counted.n, place, 0)
    counted, number = known
    weighted = "_weighted" * bool(counted.asked and counted.asked.weight)
    days = {bound: at(counted.groups[bound].to_numpy(dtype=object), pairs["one"], None) for bound in ("since", "until")}
    frame = pairs.assign(**columns, **days, measure=[f"{name}_restated{weighted}" for name in at(number.measure, pairs["one"], "")])
    is_open = frame["closed"].isna()
    blank = {name: frame[name].mask(is_open) for name in ("estimate_closed", "low_closed", "high_closed")}
    n_closed = frame["n_closed"].astype("Int64").mask(is_open)
    frame = frame.assign(**blank, n_closed=n_closed, late=frame["n"] - n_closed)
    return frame.assign(restated=frame["estimate"] - frame["estimate_closed"])


def _completed(frame: pd.DataFrame, each: Tally, keys: Sequence[str], until: date, level: float) -> pd.DataFrame:
    """What has arrived of each month, from the months of its group that are older, and what is still to come."""
    dated = each.groups[PERIOD].notna().to_numpy()
    groups = each.groups[dated].assign(n=each.n[dated])
    period = groups[PERIOD].to_numpy(dtype="int64")
    own, of_cells = alike([frame, groups], keys)
    found = np.full((3, len(frame)), np.nan)
    for group in np.unique(own):
        rows, here = np.flatnonzero(own == group), of_cells == group
        place = frame["place"].to_numpy()[rows]
        delay = period[here] % _SPAN
        counts = np.zeros((len(rows), int(delay.max()) + 1))
        order: Ints = np.argsort(place)
        np.add.at(counts, (order[np.searchsorted(place[order], period[here] // _SPAN)], delay), groups["n"].to_numpy()[here])
        ages = [(until - last_day(int(month))).days for month in place]
        found[:, rows] = stats.arrived(counts, ages, level=level)
    to_come = frame["n"] * (1 - found[0]) / found[0]
    return frame.assign(arrived=found[0], low_arrived=found[1], high_arrived=found[2], to_come=to_come)


def _notes(now: Tally) -> list[str]:
    """What belongs to no month, or was not known yet."""
    outside = int(now.n[now.groups[PERIOD].isna().to_numpy()].sum())
    return [f"{outside:,} of {int(now.n.sum()):,} answers carry no date or came later, and are left out."] if outside else []
