"""Those who answer soon, and those who take their time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlib.survey.answers import PERIOD, Tally
from cxlib.survey.compared import Side, counts_of, differences, with_question
from cxlib.survey.scoring import Score
from cxlib.tables import Table, expression, nothing
from cxlib.tables.rows import key_names, refuse_type, typed

if TYPE_CHECKING:
    import ibis.expr.types as ir

_SIDES = ("later", "early")
_COUNTS = {"days": "int64", **counts_of(_SIDES)}


def early(
    responses: Table,
    *,
    measure: str | Score = "nps",
    by: str | Sequence[str] = (),
    days: int | None = None,
    margin: float | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Whether those who answer soon differ from those who take their time, one row per group.

    The score of those who answered within some days of being asked less the score of
    those who took longer, in the unit of the score. And what can be said of it: that the
    early stand ``"above"`` or ``"below"`` the later ones, that there is ``"no material
    difference"``, or that one ``"cannot tell yet"``.

    Parameters
    ----------
    responses : pandas DataFrame or Ibis table, one row per answer
        What the score itself needs, and ``time_asked`` and ``time_answered``.
    measure : str or Score, default "nps"
        ``"nps"``, ``"csat"``, ``"ces"`` (on seven points the share), ``"ratings"``; or a
        ``Score`` that also names a question, a weight, a scale or the accounts of people.
    by : str or sequence of str, optional
        Columns to group by. By default all answers form one group.
    days : int, optional
        Who answers within so many days is early; 0 is the day of being asked. By default
        the days within which at least half of the answers came.
    margin : float, optional
        Differences smaller than this, in the unit of the score, do not matter to anybody.
    level : float, default 0.95
        Confidence level of the intervals; 1 - ``level`` is the share of false findings.

    Returns
    -------
    DataFrame, one row per group, in order of ``by``
        ======================  =====  ==============================================
        ``by`` ...                     the group; a missing key is its own group
        measure                 str    ``"nps_early"``, ``"csat_early"``, ...
        estimate                float  early less later; missing where one side has
                                       no answers
        low, high               float  interval of the difference, not corrected
        level                   float  confidence level of the intervals
        n                       int    answers on the smaller of the two sides
        days                    int    who answered within so many is early
        p_value                 float  of such a difference or a larger one, if there
                                       is none
        p_corrected             float  the same, all rows corrected together
        verdict                 str    where the early stand; see `gap`
        margin                  float  as declared
        smallest_detectable     float  true difference found in four of five such surveys
        n_to_tell               int    answers on each side that would settle it in
                                       four of five cases; where it is open
        estimate_later, ...     float  the two scores, ``low_...`` and ``high_...`` the
                                       interval of each
        n_later, n_early        int    answers
        good_later, bad_...     int    of them promoters and detractors; satisfied and
                                       dissatisfied; easy and hard; top and bottom
        scale_low, scale_high   int    the scale of the answers
        since, until            date   first and last day of all these answers
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
    late : how far late answers restated earlier months.
    cxlib.figures.gap : the picture of this result.

    Notes
    -----
    Two samples with the intervals and tests of `movement`, taken as independent: who
    answered soon once and late another time is in both, which makes the interval wider
    than it need be. Those who answer last are taken to stand between those who answered
    soon and those who never do [1]_: where early and later differ, the silent may differ
    more. It misleads where the later ones were asked otherwise, by letter and not by
    e-mail: then it is the channel that differs.

    References
    ----------
    .. [1] Armstrong, J. S., Overton, T. S. (1977). Estimating nonresponse bias in mail
       surveys. Journal of Marketing Research 14(3), 396-402.

    Examples
    --------
    >>> asked = pd.to_datetime(["2026-05-04"] * 120)
    >>> responses = pd.DataFrame({
    ...     "score": [10] * 50 + [3] * 10 + [10] * 30 + [3] * 30,
    ...     "time_asked": asked,
    ...     "time_answered": asked + pd.to_timedelta([0] * 60 + [9] * 60, unit="D"),
    ... })
    >>> found = early(responses)
    >>> found[["estimate", "low", "high", "verdict", "days", "estimate_later", "estimate_early"]].round(1)
       estimate   low  high verdict  days  estimate_later  estimate_early
    0      66.7  32.8  94.2   above     0             0.0            66.7
    """
    if days is not None and (isinstance(days, bool) or not isinstance(days, int) or days < 0):
        raise ValueError(f"days: {days!r} is no number of days; it is a whole number from 0")
    score = Score.of(measure, level=level, margin=margin)
    keys = with_question(key_names(by, _COUNTS), score)
    for name in ("time_asked", "time_answered"):
        refuse_type(responses, expression(responses), name=name, kind="date", asks="early")
    limit = _half(score.asks(responses, keys, by_whom="early", period=_delay).tally(responses)) if days is None else days
    counted = score.asks(responses, keys, by_whom="early", period=_soon(limit)).tally(responses)
    if reason := counted.reason or _alike(counted, limit):
        return nothing(keys=keys, counts=_COUNTS, reason=reason)
    soon = counted.groups[PERIOD].astype("Int64")
    later, sooner = (Side(name, counted, soon.eq(place).fillna(False).to_numpy(dtype=bool)) for place, name in enumerate(_SIDES))
    found = differences(later, sooner, score, keys=keys, called="early", margin=margin, level=level)
    found.insert(int(np.flatnonzero(found.columns == "p_value")[0]), "days", limit)
    found.attrs["notes"] = _notes(counted)
    return found


def _delay(rows: ir.Table) -> Any:
    """Days from being asked to answering; missing where either is not known."""
    asked, answered = typed(rows, "time_asked", "date"), typed(rows, "time_answered", "date")
    return answered.delta(asked, unit="day").cast("int64")


def _soon(limit: int) -> Callable[[ir.Table], Any]:
    """1 for an answer that came within so many days, 0 for a later one."""

    def period(rows: ir.Table) -> Any:
        return (_delay(rows) <= limit).cast("int64")

    return period


def _half(counted: Tally) -> int:
    """The days within which at least half of the answers came; 0 where nothing is known."""
    known = np.zeros(0, dtype=bool) if counted.reason else counted.groups[PERIOD].notna().to_numpy()
    if not known.any():
        return 0
    came = pd.Series(counted.n[known]).groupby(counted.groups[PERIOD][known].to_numpy(dtype="int64")).sum().cumsum()
    return int(came.index[(came >= came.iloc[-1] / 2).to_numpy().argmax()])


def _alike(counted: Tally, limit: int) -> str:
    """Why there are no two sides, where that is so."""
    known = counted.groups[PERIOD].dropna()
    if not len(known):
        return "No answer says when it was asked for and when it was given, so nobody is early or late."
    if known.nunique() == 1:
        within = f"within {limit} day{'s' * (limit != 1)} of being asked"
        return f"{'All answers' if known.iloc[0] else 'No answers'} came {within}, so there are no two sides to compare."
    return ""


def _notes(counted: Tally) -> list[str]:
    """What cannot be told to be early or late."""
    outside = int(counted.n[counted.groups[PERIOD].isna().to_numpy()].sum())
    if not outside:
        return []
    return [f"{outside:,} of {int(counted.n.sum()):,} answers do not say when they were asked for and given, and are left out."]
