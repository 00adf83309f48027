"""Ratings on any scale, and how the answers to a question are spread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxlib.stats import intervals
from cxlib.survey.answers import KINDS, PEOPLE, Asked
from cxlib.survey.scoring import SCORING, results
from cxlib.tables import Table
from cxlib.tables.rows import key_names, refuse_unknown

_WINDOW = {"since": "object", "until": "object"}
_ENDS = {"top": "int64", "bottom": "int64", "scale_low": "int64", "scale_high": "int64"}
_RATINGS = {**_ENDS, "n_people": "Int64", "n_eff": "float64", **_WINDOW}
#: Kinds of question whose mean says something; of loyalty and effort their own scores speak.
_RATED = ("rating", "csat")
_DISTRIBUTION = {"answers": "int64", **_WINDOW}


def ratings(
    responses: Table,
    *,
    by: str | Sequence[str] = (),
    question: str | None = None,
    kind: str = "rating",
    cluster: str | None = PEOPLE,
    scale: tuple[int, int] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Mean of each rating question with its confidence interval, one row per group and question.

    The mean of the answers, in points of the question's own scale.

    Parameters
    ----------
    responses : pandas DataFrame or Ibis table, one row per answer
        Needs ``score``: whole numbers, high is good, missing where skipped; and
        ``scale_low``, ``scale_high``, unless ``scale`` is given. Where ``kind`` is a
        column, only answers of one kind are read; without a column ``question`` all
        answers are to one question that has no name.
    by : str or sequence of str, optional
        Columns to group by, for instance ``"touchpoint"``.
    question : str, optional
        The only question to read. By default every question of the kind.
    kind : str, default "rating"
        Kind of the questions: ``"csat"`` for the mean of a question on satisfaction.
    cluster : str or None, default "respondent"
        Column that tells people apart, or accounts of several people. Where someone
        answered a question more than once in a group, its interval is wider (see `nps`).
        ``None`` takes all answers as independent.
    scale : (int, int), optional
        Lowest and highest answer allowed, where the table does not declare them.
    level : float, default 0.95
        Confidence level of each interval.

    Returns
    -------
    DataFrame, one row per group and question, in their order
        ======================  =====  ==========================================
        ``by`` ...                     the group; a missing key is its own group
        question                str    the question
        measure                 str    ``"rating_mean"``
        estimate                float  mean in points of the scale; missing where
                                       ``n`` is 0
        low, high               float  interval in points, within the scale
        level                   float  confidence level of the interval
        n                       int    answers in the base
        top, bottom             int    answers at the ends of the scale
        scale_low, scale_high   int    the scale
        n_people                int    people who gave them; missing where nobody
                                       is named
        n_eff                   float  independent answers they are worth
        since, until            date   first and last day of these answers
        ======================  =====  ==========================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent, the scale is not declared, a group mixes scales, or a
        score is not a whole number on its scale.
    ValueError
        If ``level`` is not between 0 and 1, or ``kind`` is none that is rated.

    See Also
    --------
    distribution : how the answers are spread, of which the mean says little.
    cxlib.figures.intervals : the picture of this result.

    Notes
    -----
    The interval comes from the counts of the answers: a Dirichlet posterior whose prior
    is one answer shared by the scores [1]_ (`cxlib.stats.intervals.scale_mean` shows
    why, with its coverage). It has a width where all answers agree. A mean misleads
    where opinions are divided: half ones and half fives make a three that nobody gave.

    References
    ----------
    .. [1] Perks, W. (1947). Some observations on inverse probability including a new
       indifference rule. Journal of the Institute of Actuaries 73(2), 285-334.

    Examples
    --------
    >>> responses = pd.DataFrame({"question": ["staff"] * 5 + ["queue"] * 4, "score": [5, 5, 5, 5, 5, 1, 3, 2, 4]})
    >>> ratings(responses, scale=(1, 5))[["question", "estimate", "low", "high", "n", "top", "bottom"]].round(2)
      question  estimate   low  high  n  top  bottom
    0    queue       2.5  1.71  3.59  4    0       1
    1    staff       5.0  3.70  5.00  5    5       0
    """
    intervals.tails(level)
    names = [name for name in key_names(by, _RATINGS) if name != "question"] + ["question"]
    refuse_unknown("kind", kind, _RATED)
    _, _, made_of = SCORING["ratings"]
    asked = Asked("ratings", kind, names, question, None, scale, each_question=True, cluster=cluster)
    counted = asked.tally(responses)
    if counted.reason:
        return asked.nothing(_RATINGS, reason=counted.reason)
    return asked.result(results(made_of(counted, asked), counted, asked, level=level), _RATINGS, level=level)


def distribution(
    responses: Table,
    *,
    by: str | Sequence[str] = (),
    question: str | None = None,
    kind: str | None = None,
    scale: tuple[int, int] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Share of each score among the answers to a question, one row per group, question and score.

    The share, from 0 to 1, of the answers that gave this score. A score that nobody gave
    stays, with a share of 0.

    Parameters
    ----------
    responses : pandas DataFrame or Ibis table, one row per answer
        Needs ``score``: whole numbers, missing where skipped; and ``scale_low``,
        ``scale_high``, unless ``scale`` is given. Without a column ``question`` all
        answers are to one question that has no name.
    by : str or sequence of str, optional
        Columns to group by. By default all answers to a question form one group.
    question : str, optional
        The only question to read. By default every question on a scale; of those with
        choices see `choices`.
    kind : str, optional
        Read questions of this kind only: ``"nps"``, ``"csat"``, ``"ces"`` or ``"rating"``.
    scale : (int, int), optional
        Lowest and highest answer allowed, where the table does not declare them.
    level : float, default 0.95
        Confidence that the intervals of all scores of a group hold at once.

    Returns
    -------
    DataFrame, one row per group, question and score, in their order
        ============  =====  ====================================================
        ``by`` ...           the group; a missing key is a group of its own
        question      str    the question
        score         int    the score, from the lowest of the scale to the highest
        measure       str    ``"answer_share"``
        estimate      float  share of the answers, 0-1; missing where ``n`` is 0
        low, high     float  interval of the share
        level         float  confidence level of the intervals together
        n             int    answers to the question, the base of the share
        answers       int    answers that gave this score
        since, until  date   first and last day of the answers to the question
        ============  =====  ====================================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent, the scale is not declared, a group mixes scales, or a
        score is not a whole number on its scale.
    ValueError
        If ``level`` is not between 0 and 1, or there is no such ``kind``.

    See Also
    --------
    ratings : the mean of such a distribution.
    cxlib.figures.shares : the picture of this result.

    Notes
    -----
    Goodman's simultaneous intervals [1]_: wider than one share alone would need, since
    the eye compares all of them. They mislead as tests between two scores of the same
    question, whose shares are not independent, and where people answered more than once:
    here every answer counts for itself.

    References
    ----------
    .. [1] Goodman, L. A. (1965). On simultaneous confidence intervals for multinomial
       proportions. Technometrics 7(2), 247-254.

    Examples
    --------
    >>> responses = pd.DataFrame({"question": "staff", "score": [1, 3, 3, 3, 2, 3]})
    >>> distribution(responses, scale=(1, 3))[["question", "score", "estimate", "low", "high", "n", "answers"]].round(2)
      question  score  estimate   low  high  n  answers
    0    staff      1      0.17  0.02  0.64  6        1
    1    staff      2      0.17  0.02  0.64  6        1
    2    staff      3      0.67  0.25  0.92  6        4
    """
    intervals.tails(level)
    names = [name for name in key_names(by, [*_DISTRIBUTION, "score"]) if name != "question"] + ["question"]
    if kind not in KINDS or kind == "choice":
        raise ValueError(f"kind: {kind!r} is none of {', '.join(repr(known) for known in KINDS if known not in (None, 'choice'))}")
    asked = Asked("distribution", kind, names, question, None, scale, each_question=True)
    counted = asked.tally(responses)
    if counted.reason:
        return asked.nothing(_DISTRIBUTION, axis=["score"], reason=counted.reason)
    frames = []
    for rows, scores in counted.scales():
        counts = counted.counts[rows, : len(scores)]
        low, high = intervals.goodman(counts, level)
        groups = counted.groups[rows].assign(n=counted.n[rows])
        # One row a group and score: each group repeated, its counts laid out one after another.
        frame = groups.loc[groups.index.repeat(len(scores))]
        share = counts / np.where(counts.sum(axis=1) > 0, counts.sum(axis=1), np.nan)[:, None]
        laid_out = {"score": np.tile(scores, len(groups)), "answers": counts.ravel(), "estimate": share.ravel(), "low": low.ravel()}
        frames.append(frame.assign(measure="answer_share", high=high.ravel(), **laid_out))
    return asked.result(pd.concat(frames), _DISTRIBUTION, axis=["score"], level=level)
