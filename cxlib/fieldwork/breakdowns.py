"""Who answers less than the rest: response rates of the groups of several breakdowns, all verdicts corrected together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from cxlib.fieldwork.rates import in_time, response_rate
from cxlib.groups.breakdowns import each_once
from cxlib.groups.segments import COUNTS, Rests, judged_together
from cxlib.stats import intervals
from cxlib.survey.answers import PEOPLE, Asked, Tally
from cxlib.survey.scoring import Score, Scored
from cxlib.tables import Table
from cxlib.tables.rows import day, key_names


def rate_breakdowns(
    invitations: Table,
    responses: Table,
    *,
    as_of: str | date,
    columns: Sequence[str],
    customers: Table | None = None,
    days: int = 28,
    margin: float | None = None,
    level: float = 0.95,
) -> list[pd.DataFrame]:
    """Response rate of each group of several breakdowns against the rest, one result per breakdown.

    The `response_rate` of the group less that of all invitations that are not in it, from -1 to
    1, and what can be said of it: that the group is ``"above"`` or ``"below"`` the rest, that there
    is ``"no material difference"``, or that one ``"cannot tell yet"``, with the verdicts of all
    groups of all breakdowns corrected together.

    Parameters
    ----------
    invitations : pandas DataFrame or Ibis table, one row per invitation
        As for `response_rate`.
    responses : pandas DataFrame or Ibis table, one row per answer
        As for `response_rate`.
    as_of : str or date
        Last day counted, such as ``"2026-06-30"``.
    columns : sequence of str
        The breakdowns, a column each, of ``invitations``, else of ``customers``:
        ``["segment", "plan"]``.
    customers : pandas DataFrame or Ibis table, one row per spell, optional
        Lends what it knows of a respondent, from the latest spell.
    days : int, default 28
        Days that everybody is given to answer.
    margin : float, optional
        Differences smaller than this, as a share (0.03 is three in a hundred), do not matter
        to anybody. Without it no difference can be called immaterial.
    level : float, default 0.95
        Confidence level of the intervals; 1 - ``level`` is the share of false findings
        among all that are called above or below.

    Returns
    -------
    list of DataFrame, one per column, in their order
        Each with the columns of `cxlib.groups.against_rest`; of them
        ====================  =====  ================================================
        the column                   the group; a missing key is a group of its own
        measure               str    ``"response_rate_difference"``
        estimate              float  group less rest, -1 to 1
        low, high             float  interval of the difference, not corrected
        n                     int    invitations of the group that had their time
        score                 float  response rate of the group
        score_rest            float  that of all other invitations
        n_rest                int    those invitations
        n_both                int    people who were invited in the group and in the rest
        margin                float  as declared, 0 to 1
        ====================  =====  ================================================

    Raises
    ------
    TableError
        As for `response_rate`.
    ValueError
        If an argument means nothing, or a column is named twice.

    See Also
    --------
    response_rate : the rate itself, and what was left out of it.
    cxlib.groups.breakdowns : the same of a score.
    cxlib.figures.against : the picture of all of them.

    Notes
    -----
    Which invitations count, and which of them were answered, is as in `response_rate`. The
    interval is Newcombe's [1]_, with fewer invitations where people were invited more than once
    and are alike in answering; people who were invited in the group and in the rest take from the
    variance of the difference. Verdict, margin, correction and pooled rates are those of
    `cxlib.groups.against_rest`, over the groups of all breakdowns.

    It misleads where a group was asked in another way, by letter and not by e-mail: then it is the
    asking that differs. And who answers seldom may think like those who answer: what a score would
    be if all had answered alike is told by `raked`.

    References
    ----------
    .. [1] Newcombe, R. G. (1998). Interval estimation for the difference between
       independent proportions. Statistics in Medicine 17, 873-890.

    Examples
    --------
    >>> names = [f"c{number}" for number in range(150)]
    >>> invitations = pd.DataFrame({"respondent": names, "plan": ["free"] * 70 + ["paid"] * 80, "time_asked": pd.Timestamp("2026-05-04")})
    >>> responses = pd.DataFrame({"respondent": names[:56] + names[70:118], "time_answered": pd.Timestamp("2026-05-05")})
    >>> (found,) = rate_breakdowns(invitations, responses, as_of="2026-06-30", columns=["plan"])
    >>> found[["plan", "estimate", "low", "high", "n", "verdict", "score", "score_rest"]].round(4)
       plan  estimate     low    high   n verdict  score  score_rest
    0  free       0.2  0.0524  0.3339  70   above    0.8         0.6
    1  paid      -0.2 -0.3339 -0.0524  80   below    0.6         0.8
    """
    names = key_names(each_once(columns), COUNTS)
    Score.of("nps", level=level)
    intervals.refuse_share_margin(margin)
    everybody = response_rate(invitations, responses, as_of=as_of, customers=customers, days=days, level=level)
    if reason := everybody.attrs.get("reason"):
        return judged_together([Rests([name], pd.DataFrame(), reason) for name in names], level)
    until = day(as_of, asks="rate_breakdowns")
    each = in_time(invitations, responses, as_of=until, names=names, customers=customers, days=days)
    asked = (Asked("rate_breakdowns", None, [name], scale=(0, 1), cluster=PEOPLE, row="invitation") for name in names)
    return judged_together([Rests.of(each, one, _answered, margin=margin, level=level) for one in asked], level)


def _answered(counted: Tally, asked: Asked) -> list[Scored]:  # noqa: ARG001 - every score is made so
    """The share of invitations that were answered."""
    came, everywhere = counted.between(1, 1), np.ones(len(counted.groups), dtype=bool)
    name = np.full(len(counted.groups), "response_rate")
    return [Scored("share", name, came.astype("int64"), {"answered": came}, came, ~came, everywhere)]
