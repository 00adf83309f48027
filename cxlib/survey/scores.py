"""The three scores of the trade: Net Promoter Score, customer satisfaction, customer effort."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cxlib.stats import intervals
from cxlib.survey.answers import PEOPLE
from cxlib.survey.scoring import SCORING, Score, results
from cxlib.tables import Table
from cxlib.tables.rows import key_names

_WINDOW = {"n_people": "Int64", "n_eff": "float64", "since": "object", "until": "object"}
_NPS = {"promoters": "int64", "passives": "int64", "detractors": "int64", **_WINDOW}
_CSAT = {"satisfied": "int64", "dissatisfied": "int64", **_WINDOW}
_CES = {"easy": "int64", **_WINDOW}
_COUNTS = {"nps": _NPS, "csat": _CSAT, "ces": _CES}


def nps(
    responses: Table,
    *,
    by: str | Sequence[str] = (),
    question: str | None = None,
    weight: str | None = None,
    cluster: str | None = PEOPLE,
    level: float = 0.95,
) -> pd.DataFrame:
    """Net Promoter Score with its confidence interval, one row per group.

    The share of promoters (answers 9-10) less the share of detractors (0-6), in
    points from -100 to 100. Passives (7-8) count in the base only [1]_.

    Parameters
    ----------
    responses : pandas DataFrame or Ibis table, one row per answer
        Needs ``score``: whole numbers 0 to 10, missing where the question was
        skipped. Skipped answers are left out of the base; they are not passives.
        Where ``kind`` is a column, only answers of kind ``"nps"`` are read; where
        ``scale_low`` and ``scale_high`` are, they may also say 1 to 10.
    by : str or sequence of str, optional
        Columns to group by. By default all answers form one group.
    question : str, optional
        The question to score, where ``responses`` has a ``question`` column. By
        default the only question of kind ``"nps"``; two are an error.
    weight : str, optional
        Column of design weights, from 1e-6 to 1e9. See Notes.
    cluster : str or None, default "respondent"
        Column that tells people apart, or accounts of several people. Where someone
        answered more than once in a group, the interval is wider; see Notes. ``None``
        takes all answers as independent.
    level : float, default 0.95
        Confidence level of the interval.

    Returns
    -------
    DataFrame, one row per group, in order of ``by``
        ============  =====  ====================================================
        ``by`` ...           the group; a missing key is a group of its own
        measure       str    ``"nps"``; ``"nps_1_to_10"`` on that scale, which is
                             never joined to the other; ``"..._weighted"``
        estimate      float  NPS in points; missing where ``n`` is 0
        low, high     float  interval in points, within [-100, 100]
        level         float  confidence level of the interval
        n             int    answers in the base, unweighted
        promoters     int    answers 9-10, unweighted
        passives      int    answers 7-8
        detractors    int    answers 0-6 (1-6)
        n_people      int    people who gave them (an answer that nobody signed is
                             one person's); missing where nobody is named
        n_eff         float  independent answers they are worth
        since, until  date   first and last day of these answers, missing where
                             the table has no ``time_answered``
        ============  =====  ====================================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent, a score is not a whole number on its scale, a group
        mixes scales, or an answer has no usable weight.
    ValueError
        If ``level`` is not between 0 and 1.

    See Also
    --------
    csat : share of satisfied answers.
    cxlib.figures.intervals : the picture of this result.

    Notes
    -----
    The interval is Rocks' adjusted Wald [2]_; below 15 answers, or where one of the
    three classes is empty, the score interval. Unlike the plain Wald interval both
    keep a width when every answer agrees. Neither is symmetric about ``estimate``.
    With weights the counts are weighted and ``n`` is replaced by Kish's effective n in
    the interval, which ignores what raking itself adds. Answers of one person resemble
    each other: where someone answered more than once, ``n`` is replaced by what the
    answers are worth, from the linearised variance between people, with t in the place
    of z (`cxlib.stats.variance` has its coverage: of pooled months an interval that
    takes answers as independent holds the truth in half of cases, not in 95 %). It is
    never narrower than that interval. It misleads where nobody is named and people are
    asked again and again.

    References
    ----------
    .. [1] Reichheld, F. F. (2003). The one number you need to grow. Harvard
       Business Review 81(12).
    .. [2] Rocks, B. (2016). Interval estimation for the "Net Promoter Score".
       The American Statistician 70(4), 365-372. arXiv:1601.07235

    Examples
    --------
    Three answers a plan say almost nothing, and the intervals say so:

    >>> responses = pd.DataFrame(
    ...     {
    ...         "plan": ["free", "free", "free", "paid", "paid", "paid"],
    ...         "score": [0, 7, 9, 7, 9, 9],
    ...     }
    ... )
    >>> nps(responses, by="plan")[["plan", "estimate", "low", "high", "n"]].round(1)
       plan  estimate   low  high  n
    0  free       0.0 -69.2  69.2  3
    1  paid      66.7 -26.9  93.9  3
    """
    return _score(Score("nps", question, weight, cluster), responses, by=by, level=level)


def csat(
    responses: Table,
    *,
    by: str | Sequence[str] = (),
    question: str | None = None,
    weight: str | None = None,
    cluster: str | None = PEOPLE,
    scale: tuple[int, int] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Customer satisfaction: the share of answers in the top two boxes, one row per group.

    The share, from 0 to 1, of answers 4-5 on five points or 6-7 on seven; the bottom
    two boxes are counted beside it.

    Parameters
    ----------
    responses : pandas DataFrame or Ibis table, one row per answer
        Needs ``score``: whole numbers, high is satisfied, missing where skipped; and
        ``scale_low``, ``scale_high``, unless ``scale`` is given. Where ``kind`` is a
        column, only answers of kind ``"csat"`` are read.
    by : str or sequence of str, optional
        Columns to group by. By default all answers form one group.
    question : str, optional
        The question to score. By default the only question of kind ``"csat"``; two
        are an error.
    weight : str, optional
        Column of design weights, from 1e-6 to 1e9.
    cluster : str or None, default "respondent"
        Column that tells people apart, or accounts of several people. Where someone
        answered more than once in a group, the interval is wider; see Notes. ``None``
        takes all answers as independent.
    scale : (int, int), optional
        Lowest and highest answer allowed, where the table does not declare them.
    level : float, default 0.95
        Confidence level of the interval.

    Returns
    -------
    DataFrame, one row per group, in order of ``by``
        ============  =====  ====================================================
        ``by`` ...           the group; a missing key is a group of its own
        measure       str    ``"csat"``, ``"csat_weighted"``
        estimate      float  share satisfied, 0-1; missing where ``n`` is 0
        low, high     float  interval of the share
        level         float  confidence level of the interval
        n             int    answers in the base, unweighted
        satisfied     int    answers in the top two boxes, unweighted
        dissatisfied  int    answers in the bottom two boxes
        n_people      int    people who gave them (an answer that nobody signed is
                             one person's); missing where nobody is named
        n_eff         float  independent answers they are worth
        since, until  date   first and last day of these answers
        ============  =====  ====================================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent, a scale has neither five nor seven points or is not
        declared, a group mixes scales, or a score or weight cannot be used.
    ValueError
        If ``level`` is not between 0 and 1.

    See Also
    --------
    ratings : means of ratings on any scale.
    cxlib.figures.intervals : the picture of this result.

    Notes
    -----
    Wilson's score interval [1]_, with Kish's effective n where answers are weighted.
    It misleads where waves on five and on seven points are compared: two boxes of
    five are an easier target than two of seven. And where only those who are content
    answer: no interval knows who was silent.

    References
    ----------
    .. [1] Wilson, E. B. (1927). Probable inference, the law of succession, and
       statistical inference. JASA 22(158), 209-212.

    Examples
    --------
    >>> responses = pd.DataFrame({"score": [5, 4, 4, 2, 5, 3, 1, 4, None]})
    >>> csat(responses, scale=(1, 5))[["estimate", "low", "high", "n", "satisfied", "dissatisfied"]].round(3)
       estimate    low   high  n  satisfied  dissatisfied
    0     0.625  0.306  0.863  8          5             2
    """
    return _score(Score("csat", question, weight, cluster, scale), responses, by=by, level=level)


def ces(
    responses: Table,
    *,
    by: str | Sequence[str] = (),
    question: str | None = None,
    weight: str | None = None,
    cluster: str | None = PEOPLE,
    scale: tuple[int, int] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Customer effort score, in the version that was asked, one or two rows per group.

    Three questions go by this name, and they are never mixed. The effort of 2010 [1]_,
    1 to 5, low is good: its mean. "Made it easy", 1 to 7: the share of answers 5-7,
    and the mean. Agreement on five points, high is good: its mean. Means are in points
    of their scale, the share is 0-1.

    Parameters
    ----------
    responses : pandas DataFrame or Ibis table, one row per answer
        Needs ``score``: whole numbers, missing where skipped; and ``scale_low``,
        ``scale_high``, unless ``scale`` is given. ``low_is_good`` is true for the
        question of 2010; without that column high is good. Where ``kind`` is a column,
        only answers of kind ``"ces"`` are read.
    by : str or sequence of str, optional
        Columns to group by. By default all answers form one group.
    question : str, optional
        The question to score. By default the only question of kind ``"ces"``; two
        are an error.
    weight : str, optional
        Column of design weights, from 1e-6 to 1e9.
    cluster : str or None, default "respondent"
        Column that tells people apart, or accounts of several people. Where someone
        answered more than once in a group, the interval is wider; see Notes. ``None``
        takes all answers as independent.
    scale : (int, int), optional
        Lowest and highest answer allowed, where the table does not declare them.
    level : float, default 0.95
        Confidence level of the interval.

    Returns
    -------
    DataFrame, one row per group (two on seven points), in order of ``by``
        ============  =====  ====================================================
        ``by`` ...           the group; a missing key is a group of its own
        measure       str    ``"ces_effort"`` (mean, low is good);
                             ``"ces_share"`` and ``"ces_mean"``;
                             ``"ces_agreement"`` (mean); ``"..._weighted"``
        estimate      float  mean in points of the scale, or share 0-1; missing
                             where ``n`` is 0
        low, high     float  interval, in the same unit
        level         float  confidence level of the interval
        n             int    answers in the base, unweighted
        easy          int    answers on the good side: 5-7 of seven, 4-5 of five,
                             1-2 where low is good
        n_people      int    people who gave them (an answer that nobody signed is
                             one person's); missing where nobody is named
        n_eff         float  independent answers they are worth
        since, until  date   first and last day of these answers
        ============  =====  ====================================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent, a scale is none of the three or is not declared, a
        group mixes scales, or a score or weight cannot be used.
    ValueError
        If ``level`` is not between 0 and 1.

    See Also
    --------
    ratings : means of ratings on any scale.
    cxlib.figures.intervals : the picture of this result.

    Notes
    -----
    The interval of a share is Wilson's; that of a mean comes from the counts of the
    answers (`cxlib.stats.intervals.scale_mean`) and stays on the scale. It misleads
    where effort is compared across versions, or where only those who got through were
    asked: who gave up made the greatest effort.

    References
    ----------
    .. [1] Dixon, M., Freeman, K., Toman, N. (2010). Stop trying to delight your
       customers. Harvard Business Review 88(7/8), 116-122.

    Examples
    --------
    >>> responses = pd.DataFrame({"score": [7, 6, 5, 3, 6, 2, 7, 5]})
    >>> ces(responses, scale=(1, 7))[["measure", "estimate", "low", "high", "n", "easy"]].round(3)
         measure  estimate    low   high  n  easy
    0  ces_share     0.750  0.409  0.929  8     6
    1   ces_mean     5.125  3.842  6.005  8     6
    """
    return _score(Score("ces", question, weight, cluster, scale), responses, by=by, level=level)


def _score(score: Score, responses: Table, *, by: str | Sequence[str], level: float) -> pd.DataFrame:
    """A score: check, ask for counts, turn counts into a result."""
    intervals.tails(level)
    counts = _COUNTS[score.name]
    asked = score.asks(responses, key_names(by, counts), by_whom=score.name)
    counted = asked.tally(responses)
    if counted.reason:
        return asked.nothing(counts, reason=counted.reason)
    return asked.result(results(SCORING[score.name][2](counted, asked), counted, asked, level=level), counts, level=level)
