"""Shares of people who chose something: yes, one of several choices, or a class of a score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.stats import intervals
from cxlib.survey.answers import PEOPLE, PERIOD, Asked, Tally
from cxlib.survey.compared import with_question
from cxlib.survey.people import Base
from cxlib.survey.scoring import SCORING, Score, Scored
from cxlib.tables import RESULT, Table
from cxlib.tables.rows import key_names

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: What is chosen where a question has no choices.
YES = "yes"
#: The two ends of each score, and what lies between them, as its trade calls them.
CLASSES = {
    "nps": ("promoters", "passives", "detractors"),
    "csat": ("satisfied", "neither", "dissatisfied"),
    "ces": ("easy", "between", "hard"),
    "ratings": ("top", "middle", "bottom"),
}

_WINDOW = {"n_people": "Int64", "n_eff": "float64", "since": "object", "until": "object"}
_CHOSEN = {"chosen": "int64", "one_only": "bool", **_WINDOW}
_OF_CLASS = {"answers": "int64", "scale_low": "int64", "scale_high": "int64", **_WINDOW}


def choices(
    responses: Table,
    *,
    question: str | None = None,
    by: str | Sequence[str] = (),
    cluster: str | None = PEOPLE,
    level: float = 0.95,
) -> pd.DataFrame:
    """Share of people who said yes, or chose each of several choices, one row per group, question and choice.

    The share, from 0 to 1, of those who answered the question. Where several can be
    chosen the shares add up to more than 1.

    Parameters
    ----------
    responses : pandas DataFrame or Ibis table, one row per answer and choice
        Needs ``score``: 1 where it was chosen, 0 where not, missing where the question
        was skipped; and ``choice``, which one the row is about: missing for a question
        with yes and no. Where ``kind`` is a column, only answers of kind ``"choice"``
        are read; without a column ``question`` all are to one that has no name.
    question : str, optional
        The only question to read. By default every question of kind ``"choice"``.
    by : str or sequence of str, optional
        Columns to group by. By default all answers to a question form one group.
    cluster : str or None, default "respondent"
        Column that tells people apart, or accounts of several people. Where someone
        answered a question more than once in a group, its intervals are wider (see
        `nps`). ``None`` takes all answers as independent.
    level : float, default 0.95
        Confidence level of each interval, or of all those of a question at once.

    Returns
    -------
    DataFrame, one row per group, question and choice, in their order
        ============  =====  ====================================================
        ``by`` ...           the group; a missing key is a group of its own
        question      str    the question
        choice        str    what was chosen; ``"yes"`` of a question without choices
        measure       str    ``"choice_share"``
        estimate      float  share of those who answered, 0-1; missing where ``n`` is 0
        low, high     float  interval of the share
        level         float  confidence level, of all intervals of a question together
                             where ``one_only``
        n             int    those who answered the question (and were offered this)
        chosen        int    of them, those who chose this
        one_only      bool   whether everybody chose exactly one; see Notes
        n_people      int    people who answered; missing where nobody is named
        n_eff         float  independent answers they are worth
        since, until  date   first and last day of these answers
        ============  =====  ====================================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent, or a score is neither 0 nor 1.
    ValueError
        If ``level`` is not between 0 and 1.

    See Also
    --------
    classes : the same for the classes of a score.
    cxlib.figures.shares : the picture of this result.

    Notes
    -----
    Wilson's interval. Where everybody chose exactly one of several, the shares are parts
    of one whole, and the intervals are Goodman's [1]_, which hold all of them at once; he
    gives each of k shares Wilson's interval at the level 1 - (1 - ``level``)/k. That
    exactly one could be chosen is taken from the counts: in every group as many choices
    as answers. Of few answers it may be chance, and the intervals are then wider than
    they need be. It misleads where the order of the choices was the same for everybody:
    what stands first is chosen more often.

    References
    ----------
    .. [1] Goodman, L. A. (1965). On simultaneous confidence intervals for multinomial
       proportions. Technometrics 7(2), 247-254.

    Examples
    --------
    >>> responses = pd.DataFrame({
    ...     "question": "why",
    ...     "choice": ["price", "quality", "service"] * 5,
    ...     "score": [1, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0, None, None, None],
    ... })
    >>> choices(responses)[["choice", "estimate", "low", "high", "n", "chosen", "one_only"]].round(2)
        choice  estimate   low  high  n  chosen  one_only
    0    price      0.75  0.30  0.95  4       3     False
    1  quality      0.50  0.15  0.85  4       2     False
    2  service      0.25  0.05  0.70  4       1     False
    """
    intervals.tails(level)
    names = [name for name in key_names(by, [*_CHOSEN, "choice"]) if name != "question"] + ["question"]
    scale = None if "scale_low" in responses.columns else (0, 1)
    # What was chosen is a column that is made, as a period is: nothing is missing in it.
    asked = Asked("choices", "choice", [*names, PERIOD], question, None, scale, each_question=True, cluster=cluster, period=_choice)
    counted = asked.tally(responses)
    shaped = replace(asked, names=names)
    if counted.reason:
        return shaped.nothing(_CHOSEN, axis=["choice"], reason=counted.reason)
    counted.refuse_scales(asked, [(0, 1, False)], "0 to 1")
    inside = counted.between(1, 1)
    groups = counted.groups.rename(columns={PERIOD: "choice"}).assign(n=counted.n, chosen=counted.counts[:, 1])
    together = _together(groups, names)
    frame = groups.assign(**_shares(counted, inside, together, level), measure="choice_share", one_only=together > 1)
    return shaped.result(frame, _CHOSEN, axis=["choice"], level=level)


def classes(
    responses: Table,
    *,
    measure: str | Score = "nps",
    by: str | Sequence[str] = (),
    level: float = 0.95,
) -> pd.DataFrame:
    """Share of the answers in each class of a score: promoters, passives, detractors, one row per group and class.

    The share, from 0 to 1, of the answers at the good end, at the bad end and between:
    for NPS 9-10, 7-8 and 0-6; for CSAT the top two boxes, the bottom two and the rest;
    for effort easy, hard and between; for ratings the top box, the bottom box and the rest.

    Parameters
    ----------
    responses : pandas DataFrame or Ibis table, one row per answer
        What the score itself needs.
    measure : str or Score, default "nps"
        ``"nps"``, ``"csat"``, ``"ces"``, ``"ratings"``; or a ``Score`` that also names a
        question, a weight, a scale or the accounts of people.
    by : str or sequence of str, optional
        Columns to group by. By default all answers form one group.
    level : float, default 0.95
        Confidence that the intervals of all three classes of a group hold at once.

    Returns
    -------
    DataFrame, one row per group and class, in order of ``by``, the good end first
        ======================  =====  ==========================================
        ``by`` ...                     the group; a missing key is its own group
        class                   str    ``"promoters"``, ``"passives"``,
                                       ``"detractors"``; ``"satisfied"``,
                                       ``"neither"``, ``"dissatisfied"``; ``"easy"``,
                                       ``"between"``, ``"hard"``; ``"top"``,
                                       ``"middle"``, ``"bottom"``
        measure                 str    ``"class_share"``, ``"class_share_weighted"``
        estimate                float  share of the answers, 0-1; missing where ``n``
                                       is 0
        low, high               float  interval of the share
        level                   float  confidence level of the three together
        n                       int    answers in the base, unweighted
        answers                 int    answers of this class, unweighted
        scale_low, scale_high   int    the scale
        n_people                int    people who answered; missing where nobody is
                                       named
        n_eff                   float  independent answers they are worth
        since, until            date   first and last day of the answers
        ======================  =====  ==========================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If the score cannot be computed.
    ValueError
        If ``level`` is not between 0 and 1, or there is no such ``measure``.

    See Also
    --------
    distribution : the share of each single answer.
    cxlib.figures.shares : the picture of this result.

    Notes
    -----
    Goodman's simultaneous intervals [1]_: wider than one share alone would need, since
    all three are read at once. Each is Wilson's at the level 1 - (1 - ``level``)/3, from
    as many answers as those of people who answered more than once are worth for it. They
    mislead as a test between two classes, whose shares are not independent: what the one
    gains the others lose.

    References
    ----------
    .. [1] Goodman, L. A. (1965). On simultaneous confidence intervals for multinomial
       proportions. Technometrics 7(2), 247-254.

    Examples
    --------
    >>> responses = pd.DataFrame({"score": [10] * 50 + [8] * 30 + [3] * 20})
    >>> classes(responses)[["class", "estimate", "low", "high", "n", "answers"]].round(3)
            class  estimate    low   high    n  answers
    0   promoters       0.5  0.384  0.616  100       50
    1    passives       0.3  0.204  0.418  100       30
    2  detractors       0.2  0.122  0.311  100       20
    """
    intervals.tails(level)
    score = Score.of(measure)
    keys = with_question(key_names(by, [*_OF_CLASS, "class"]), score)
    asked = score.asks(responses, keys, by_whom="classes")
    counted = asked.tally(responses)
    if counted.reason:
        return asked.nothing(_OF_CLASS, axis=["class"], reason=counted.reason)
    # The last number of a score is one that every group has.
    number = SCORING[score.name][2](counted, asked)[-1]
    good, between, bad = CLASSES[score.name]
    inside = {good: number.good, between: ~number.good & ~number.bad & counted.between(*_scale(counted)), bad: number.bad}
    together = np.full(len(counted.groups), len(inside))
    weighted = "_weighted" * bool(score.weight)
    frames = [
        counted.groups.assign(
            **{"class": name, "measure": f"class_share{weighted}"},
            n=counted.n,
            answers=(counted.counts * box).sum(axis=1),
            **_shares(counted, box, together, level),
        )
        for name, box in inside.items()
    ]
    # The classes have an order of their own: they are told apart by keys alone.
    found = asked.result(pd.concat(frames), ["class", *_OF_CLASS], level=level)
    return found[[*keys, "class", *RESULT, *_OF_CLASS]]


def _choice(rows: ir.Table) -> Any:
    """What a row is about: one of the choices, or yes."""
    import ibis

    return ibis.coalesce(rows["choice"].cast("string"), YES) if "choice" in rows.columns else ibis.literal(YES)


def _together(groups: pd.DataFrame, names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Of each row, how many shares are parts of one whole: the choices of its group where exactly one was chosen, else 1."""
    group = groups.groupby(list(names), dropna=False, sort=False)
    size, n = group["n"].transform("size"), group["n"].transform("max")
    whole = (group["n"].transform("min") == n) & (group["chosen"].transform("sum") == n)
    # One question is asked in one way, whatever the group.
    of_question = groups["question"].fillna("")
    one_only = whole.groupby(of_question).transform("all") & (groups["n"].groupby(of_question).transform("sum") > 0) & (size > 1)
    return np.where(one_only, size, 1)


def _shares(counted: Tally, inside: npt.NDArray[np.bool_], together: npt.NDArray[np.int64], level: float) -> dict[str, Any]:
    """The share of the answers inside, its interval (of so many shares at once), and what the answers are worth."""
    number = Scored("share", np.full(len(inside), ""), inside.astype("int64"), {}, inside, ~inside, np.ones(len(inside), dtype=bool))
    known = Base.of(counted, number.worth)
    found = np.full((3, len(inside)), np.nan)
    for number_of in np.unique(together):
        here = together == number_of
        found[:, here] = np.array(number.interval(counted, known, 1 - (1 - level) / int(number_of)))[:, here]
    return {"estimate": found[0], "low": found[1], "high": found[2], "n_people": known.people, "n_eff": known.n_eff}


def _scale(counted: Tally) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    return counted.groups["scale_low"].to_numpy(), counted.groups["scale_high"].to_numpy()
