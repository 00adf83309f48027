"""How unlike the customers those who answered are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cxlib.fieldwork.matched import Sample, asked_of, crossed_of, sampled
from cxlib.fieldwork.population import Crossed, Population, category_words
from cxlib.stats import intervals, weighting
from cxlib.survey.people import Base
from cxlib.survey.scoring import Score
from cxlib.tables import RESULT, Table
from cxlib.tables.rows import alike

_KEYS = ["margin", "category"]
_COUNTS = {
    "share_customers": "float64", "share_weighted": "float64", "asmd_before": "float64", "asmd_after": "float64",
    "average_customers": "float64",
}  # fmt: skip


def balance(
    responses: Table,
    customers: Table,
    *,
    margins: Sequence[str | Crossed],
    measure: str | Score = "nps",
    also: Sequence[str] = (),
    level: float = 0.95,
) -> pd.DataFrame:
    """How unlike the customers those who answered are, before and after raking: one row per category.

    The share of the answers that each category of customers gave, from 0 to 1, beside
    its share of the customers.

    Parameters
    ----------
    responses : pandas DataFrame or Ibis table, one row per answer
        As for `raked`.
    customers : pandas DataFrame or Ibis table, one row per spell of a customer
        As for `raked`.
    margins : sequence of str or of tuples
        Columns that are weighted to, as for `raked`.
    measure : str or Score, default "nps"
        Which answers; a ``Score`` may name a question and a weight.
    also : sequence of str, optional
        Columns that are looked at and not weighted to.
    level : float, default 0.95
        Confidence level of the interval.

    Returns
    -------
    DataFrame, one row per category, in order of ``margins`` and ``also``
        =================  =====  ===============================================
        margin             str    the column, or columns crossed
        category           str    its value; ``"not recorded"`` where it is missing
        measure            str    ``"share_of_answers"``
        estimate           float  share of the answers, before raking
        low, high          float  interval of the share
        level              float  confidence level of the interval
        n                  int    answers of this category, unweighted
        share_customers    float  share of the customers
        share_weighted     float  share of the answers, after raking
        asmd_before        float  distance from the share of the customers, in
                                  standard deviations of one of these; before raking
        asmd_after         float  the same after raking
        average_customers  float  customers of this category on an average day
        =================  =====  ===============================================

        ``frame.attrs["notes"]`` says which customers, and what was left out; without
        rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        As for `raked`.
    ValueError
        If an argument means nothing.

    See Also
    --------
    raked : the score that goes with these weights.
    cxlib.figures.balance : the picture of this result.

    Notes
    -----
    Wilson's interval, for as many answers as were worth it if people who answered again
    add nothing: whoever answers again is of the same category. The distance is the
    absolute standardised mean difference; above 0.1 it is usually taken to matter [1]_.
    It misleads where it is small: that those who answered look like the customers does
    not say that they think like them.

    References
    ----------
    .. [1] Austin, P. C. (2009). Balance diagnostics for comparing the distribution of
       baseline covariates. Statistics in Medicine 28(25), 3083-3107.

    Examples
    --------
    >>> responses = pd.DataFrame({"segment": ["large"] * 8 + ["small"] * 4, "score": [9, 10, 9, 8, 10, 7, 9, 5, 6, 9, 3, 7]})
    >>> customers = pd.DataFrame({"segment": ["large", "small"] * 50})
    >>> found = balance(responses, customers, margins=["segment"])
    >>> found[["category", "estimate", "n", "share_customers", "share_weighted", "asmd_before"]].round(2)
      category  estimate  n  share_customers  share_weighted  asmd_before
    0    large      0.67  8              0.5             0.5         0.33
    1    small      0.33  4              0.5             0.5         0.33
    """
    intervals.tails(level)
    crossed = crossed_of(margins, "balance")
    asked, score = asked_of("balance", responses, measure=measure, names=[])
    shape = replace(asked, names=_KEYS)
    looked_at = [(name,) for name in also if (name,) not in crossed]
    sample = sampled(asked, score, responses, customers=customers, crossed=crossed, also=also)
    if sample.reason or sample.population is None:
        return shape.nothing(_COUNTS, reason=sample.reason)
    frames = [_shares(sample, sample.population, columns, level) for columns in [*crossed, *looked_at]]
    found = pd.concat(frames, ignore_index=True).assign(level=level)
    found = found[[*_KEYS, *RESULT, *_COUNTS]]
    found.attrs["notes"] = sample.notes
    return found


def _shares(sample: Sample, population: Population, columns: Crossed, level: float) -> pd.DataFrame:
    """Share of the customers, of the answers, and of the answers after raking, of each category of one margin."""
    fine = sample.fine
    known = population.along(columns)
    inside = alike([known, fine.groups], columns)[1]
    names = [*known[list(columns)].itertuples(index=False, name=None)]
    more = fine.groups.iloc[np.flatnonzero(inside >= len(known))][list(columns)].drop_duplicates()
    names += [*more.itertuples(index=False, name=None)]
    days = np.concatenate([known["days"].to_numpy(dtype="float64"), np.zeros(len(more))])
    weight = fine.weights.sum(axis=1)
    before, after, n = (np.bincount(inside, each, minlength=len(days)) for each in (weight, weight * sample.factor[sample.cell], fine.n))
    share, share_after, target = before / before.sum(), after / after.sum(), days / days.sum()
    clusters = Base.of(sample.plain, np.ones_like(sample.plain.counts)).clusters
    worth = float(sample.plain.n[0] if clusters is None else clusters.alike[0])
    low, high = intervals.wilson(share * worth, np.full(len(share), worth), level)
    return pd.DataFrame(
        {
            "margin": " × ".join(columns), "category": [category_words(name) for name in names], "measure": "share_of_answers",
            "estimate": share, "low": low, "high": high, "n": n.astype("int64"), "share_customers": target,
            "share_weighted": share_after, "asmd_before": weighting.standardised_difference(share, target),
            "asmd_after": weighting.standardised_difference(share_after, target), "average_customers": days / population.length,
        }
    )  # fmt: skip
