"""Scores weighted so that those who answered look like all customers, beside the scores as they came in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.fieldwork.matched import NUMBER, Sample, asked_of, crossed_of, sampled
from cxlib.fieldwork.population import Crossed
from cxlib.stats import intervals, weighting
from cxlib.stats.weighting import Parts
from cxlib.survey.people import Base
from cxlib.survey.scoring import SCORING, Score, Scored, results
from cxlib.tables import Table, TableError, ask
from cxlib.tables.rows import alike, key_names, restored

Floats = npt.NDArray[np.float64]

_RAKED = {
    "n_people": "Int64", "n_eff": "float64", "deff": "float64", "largest_weight": "float64", "replicates": "int64",
    "since": "object", "until": "object",
}  # fmt: skip


def raked(
    responses: Table,
    customers: Table,
    *,
    margins: Sequence[str | Crossed],
    measure: str | Score = "nps",
    by: str | Sequence[str] = (),
    level: float = 0.95,
) -> pd.DataFrame:
    """A score as it came in and raked to the customers, side by side, two rows (or more) per group.

    Answers are weighted so that along every margin their shares are those of the
    customers: who answers seldom counts for more. In the unit of the score.

    Parameters
    ----------
    responses : pandas DataFrame or Ibis table, one row per answer
        What the score itself needs; and every column of ``margins``, as the customer had
        it. ``respondent`` tells people apart.
    customers : pandas DataFrame or Ibis table, one row per spell of a customer
        The columns of ``margins``; and ``start``, ``end`` (dates), ``consent`` where known.
    margins : sequence of str or of tuples
        Columns to weight to, one after the other until all fit (raking). A tuple
        ``("segment", "plan")`` is one margin of all combinations; alone it is
        post-stratification.
    measure : str or Score, default "nps"
        ``"nps"``, ``"csat"``, ``"ces"``, or a ``Score`` that also names a question or a
        weight: weights of the design stay in, raking multiplies them. Ratings are raked
        one question at a time.
    by : str or sequence of str, optional
        Columns to group by. Weights are made once, for all answers together; groups are
        parts of them.
    level : float, default 0.95
        Confidence level of the interval.

    Returns
    -------
    DataFrame, two rows per group and number, in order of ``by``
        ==============  =====  ==================================================
        ``by`` ...             the group; a missing key is a group of its own
        measure         str    ``"nps"``, then ``"nps_raked"``, and so on
        estimate        float  the score; missing where ``n`` is 0
        low, high       float  interval, in the unit of the score
        level           float  confidence level of the interval
        n               int    answers in the base, unweighted
        n_people        int    people who gave them; missing where nobody is named
        n_eff           float  independent answers they are worth
        deff            float  Kish's design effect of the weights alone: of so many
                               answers one is left; 1 without weights
        largest_weight  float  the heaviest answer, in average ones
        replicates      int    of the sample, each raked anew; 0 without raking
        since, until    date   first and last day of these answers
        ==============  =====  ==================================================

        ``frame.attrs["notes"]`` says which customers, and what was left out; without
        rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If the score cannot be computed, customers have a category that no answer has, or
        the margins cannot be met together.
    ValueError
        If an argument means nothing.

    See Also
    --------
    balance : how unlike the customers those who answered are.
    cxlib.figures.sentence : both numbers in words.

    Notes
    -----
    The customers are those who had a spell in the window from the first to the last
    answer, each counted for the days of it on which they were customers (where answers
    carry no day, all rows of the table once); where ``consent`` is known, only those who
    gave it. Answers in a category that no such customer has are left out of both rows,
    and counted; a column that all answers or all customers lack is not weighted to.

    Raking is iterative proportional fitting [1]_, as R's ``survey::rake``; weights are
    shown, not trimmed. The interval: people are drawn anew 1,000 times, each time raked
    anew; from the variance of the replicates follows what the answers are worth, never
    more than with the weights taken as given and people who repeat themselves counted
    once (`cxlib.stats.weighting` has the coverage). The draws hang on the engine's hash
    of each person, not on the order of rows.

    It misleads where those who answer differ from the silent in what no margin knows:
    raking repairs who answered, not what the silent would have said (see `tipping`). And
    where a group's own mix is far from that of all, as one set of weights serves all.

    References
    ----------
    .. [1] Deming, W. E., Stephan, F. F. (1940). On a least squares adjustment of a
       sampled frequency table when the expected marginal totals are known. Annals of
       Mathematical Statistics 11(4), 427-444.

    Examples
    --------
    Half of the customers are small ones, who answered seldom and are less happy:

    >>> responses = pd.DataFrame({"segment": ["large"] * 8 + ["small"] * 4, "score": [9, 10, 9, 8, 10, 7, 9, 5, 6, 9, 3, 7]})
    >>> customers = pd.DataFrame({"segment": ["large", "small"] * 50})
    >>> found = raked(responses, customers, margins=["segment"])
    >>> found[["measure", "estimate", "low", "high", "n", "deff", "largest_weight"]].round(1)
         measure  estimate   low  high   n  deff  largest_weight
    0        nps      25.0 -23.3  62.7  12   1.0             1.0
    1  nps_raked      12.5 -36.6  55.7  12   1.1             1.5
    """
    intervals.tails(level)
    asked, score = asked_of("raked", responses, measure=measure, names=key_names(by, _RAKED))
    sample = sampled(asked, score, responses, customers=customers, crossed=crossed_of(margins, "raked"))
    if sample.reason:
        return asked.nothing(_RAKED, reason=sample.reason)
    alone = {"deff": 1.0, "largest_weight": 1.0, "replicates": 0}
    numbers = SCORING[score.name][2](sample.plain, asked)
    frames = [results([number], sample.plain, asked, level=level).assign(**alone) for number in numbers]
    frames += _reweighted(sample, numbers, frames, score, level)
    found = asked.result(pd.concat(frames), _RAKED, level=level).astype(_RAKED)
    found.attrs["notes"] = sample.notes
    return found


def _parts(sample: Sample, numbers: Sequence[Scored]) -> Parts:
    """A part for each row of people, and for each score of those that nobody signed."""
    fine = sample.fine
    people = fine.groups[NUMBER].to_numpy(dtype="int64")
    one = np.flatnonzero(people >= 0)
    row, score = np.nonzero((fine.counts > 0) & (people < 0)[:, None])
    rows = np.concatenate([one, row])
    # Of answers with unequal design weights fewer are left; how many is known of all scores together.
    alone = np.concatenate([np.ones(len(one)), fine.counts[row, score] * (fine.n_eff / fine.n)[row]])
    values = [fine.weights, *(fine.weights * number.worth for number in numbers)]
    weight, *worth = (np.concatenate([each[one].sum(axis=1), each[row, score]]) for each in values)
    return Parts(sample.cell[rows], sample.group[rows], people[rows], weight, alone, np.array(worth))


def _reweighted(sample: Sample, numbers: Sequence[Scored], plain: Sequence[pd.DataFrame], score: Score, level: float) -> list[pd.DataFrame]:
    """Each number after raking, beside what it was: its interval is that of replicates, but never narrower than with weights as given."""
    counted = sample.counted
    parts = _parts(sample, SCORING[score.name][2](sample.fine, counted.asked))  # type: ignore[arg-type]
    try:
        found = weighting.replicates(parts, sample.margins, groups=len(counted.n))
    except ValueError as letter:
        raise TableError(f"raked: {letter}") from None
    total, heaviest = counted.weights.sum(axis=1), _heaviest(sample, score)
    total[counted.n == 0] = np.nan
    frames = []
    for position, (number, before) in enumerate(zip(numbers, plain, strict=True)):
        mean, square = ((counted.weights * values).sum(axis=1) / total for values in (number.worth, number.worth**2))
        clusters = weighting.clusters(parts, sample.factor, position, groups=len(counted.n))
        spread = np.nan_to_num(np.maximum(square - mean**2, 0))
        n_eff, freedom = weighting.worth(clusters, found[:, position], spread=spread, n=counted.n, n_eff=counted.n_eff)
        known = Base(pd.Series(pd.NA, index=range(len(counted.n)), dtype="Int64"), n_eff, freedom)
        estimate, low, high = (number.unit * each for each in number.interval(counted, known, level))
        columns = {
            "estimate": estimate, "low": low, "high": high, "n_eff": n_eff,
            "deff": weighting.design_effect(counted.n, total, counted.squares), "largest_weight": heaviest * counted.n / total,
        }  # fmt: skip
        names = [f"{name}_raked" for name in number.measure[number.rows]]
        values = {name: column[number.rows] for name, column in columns.items()}
        frames.append(before.assign(measure=names, replicates=weighting.REPLICATES, **values))
    return frames


def _heaviest(sample: Sample, score: Score) -> Floats:
    """The largest weight of one answer in each group, after raking."""
    fine, largest = sample.fine, np.ones(len(sample.fine.n))
    if score.weight and fine.asked and fine.expr is not None:
        rows: Any = fine.asked.rows(fine.expr)
        keys = [f"k{position}" for position in range(len(fine.asked.names))]
        heavy = ask(rows.filter(rows["score"].notnull()).group_by(keys).agg(largest=rows["weight"].max()))
        heavy = restored(heavy, fine.asked.prepared(fine.expr), fine.asked.names)
        largest = heavy["largest"].to_numpy(dtype="float64")[alike([heavy, fine.groups], fine.asked.names)[1]]
    found = np.zeros(len(sample.plain.n))
    np.maximum.at(found, sample.group, largest * sample.factor[sample.cell])
    return found
