"""What staff think that customers feel, and what customers say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxlib.survey.compared import Side, counts_of, differences, with_question
from cxlib.survey.scoring import Score
from cxlib.tables import Table, nothing
from cxlib.tables.rows import key_names

_SIDES = ("customers", "staff")
_COUNTS = counts_of(_SIDES)


def gap(
    responses: Table,
    *,
    staff: Table,
    measure: str | Score = "nps",
    by: str | Sequence[str] = (),
    margin: float | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """The perception gap: what staff guess that customers feel, less what customers say, one row per group.

    The score of the staff's guesses less the score of the customers' answers to the same
    question, in the unit of the score: above 0 where staff think customers happier than
    they are [1]_. And what can be said of it: that staff stand ``"above"`` or ``"below"``
    customers, that there is ``"no material difference"``, or that one ``"cannot tell yet"``.

    Parameters
    ----------
    responses : pandas DataFrame or Ibis table, one row per answer
        The answers of customers, with what the score itself needs.
    staff : pandas DataFrame or Ibis table, one row per answer
        The answers of staff who were asked what customers feel, with the same columns:
        the ``staff_responses`` of a book.
    measure : str or Score, default "nps"
        ``"nps"``, ``"csat"``, ``"ces"`` (on seven points the share), ``"ratings"``; or a
        ``Score`` that also names a question, a weight, a scale or the accounts of people.
    by : str or sequence of str, optional
        Columns to group by, known of both: ``"wave"``, ``"month"``, ``"touchpoint"``.
    margin : float, optional
        Gaps smaller than this, in the unit of the score, do not matter to anybody.
        Without it no gap can be called immaterial.
    level : float, default 0.95
        Confidence level of the intervals; 1 - ``level`` is the share of false findings.

    Returns
    -------
    DataFrame, one row per group, in order of ``by``
        ========================  =====  ============================================
        ``by`` ...                       the group; a missing key is its own group
        measure                   str    ``"nps_gap"``, ``"csat_gap"``, ...
        estimate                  float  staff less customers; missing where one side
                                         has no answers
        low, high                 float  interval of the gap, not corrected
        level                     float  confidence level of the intervals
        n                         int    answers on the smaller of the two sides
        p_value                   float  of such a gap or a larger one, if there is none
        p_corrected               float  the same, all rows corrected together
        verdict                   str    where staff stand; see Notes
        margin                    float  as declared
        smallest_detectable       float  true gap found in four of five such surveys
        n_to_tell                 int    answers on each side that would settle it in
                                         four of five cases; where it is open
        estimate_customers, ...   float  the two scores, ``low_...`` and ``high_...``
                                         the interval of each
        n_customers, n_staff      int    answers
        good_customers, bad_...   int    of them promoters and detractors; satisfied and
                                         dissatisfied; easy and hard; top and bottom
        scale_low, scale_high     int    the scale of the answers
        since, until              date   first and last day of all these answers
        ========================  =====  ============================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If the score cannot be computed, or the two were asked on different scales.
    ValueError
        If an argument means nothing.

    See Also
    --------
    movement : the same people at two times.
    cxlib.figures.gap : the picture of this result.

    Notes
    -----
    Two independent samples, with the intervals and tests of `movement`: Rocks' adjusted
    Wald for NPS, Newcombe's for shares, Welch's for means. Guesses of one employee who is
    asked again and again count for less, as answers of one customer do. The verdict, in
    this order: *no material difference* where two one-sided tests show the gap to be
    within ``margin``; *above* or *below* where the p-value, corrected over all rows by
    Benjamini and Hochberg, is below 1 - ``level``; else *cannot tell yet*.

    It misleads where guesses are all alike: a share counts who is past a line, and staff
    who all guess the mean of customers rightly, a 7, give no promoter and no detractor;
    ``measure="ratings"`` compares means instead. And where staff answer for the customers
    whom they meet, and the survey for those who answer surveys.

    References
    ----------
    .. [1] Allen, J., Reichheld, F. F., Hamilton, B., Markey, R. (2005). Closing the
       delivery gap. Bain & Company.

    Examples
    --------
    >>> customers = pd.DataFrame({"score": [10] * 40 + [8] * 30 + [3] * 30})
    >>> guesses = pd.DataFrame({"score": [10] * 16 + [8] * 3 + [3] * 1})
    >>> found = gap(customers, staff=guesses)
    >>> found[["estimate", "low", "high", "verdict", "estimate_customers", "estimate_staff"]].round(1)
       estimate   low  high verdict  estimate_customers  estimate_staff
    0      65.0  25.7  85.3   above                10.0            75.0
    """
    score = Score.of(measure, level=level, margin=margin)
    keys = with_question(key_names(by, _COUNTS), score)
    tallies = [score.asks(table, keys, by_whom="gap").tally(table) for table in (responses, staff)]
    if reason := tallies[0].reason or _of_staff(tallies[1].reason):
        return nothing(keys=keys, counts=_COUNTS, reason=reason)
    one, other = (Side(name, counted, np.ones(len(counted.groups), dtype=bool)) for name, counted in zip(_SIDES, tallies, strict=True))
    return differences(one, other, score, keys=keys, called="gap", margin=margin, level=level)


def _of_staff(reason: str) -> str:
    """The reason, where it is the staff's side that is not there."""
    return f"Among staff: {reason[0].lower()}{reason[1:]}" if reason else ""
