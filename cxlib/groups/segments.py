"""Each group against the rest: who is above, who is below, and what is best guessed of those with few answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.stats import movement as stats
from cxlib.stats import variance
from cxlib.stats.pooling import FEWEST_GROUPS, pooled
from cxlib.survey.answers import Asked, Tally
from cxlib.survey.compare import UNNAMED, Wholes
from cxlib.survey.compared import with_question
from cxlib.survey.people import Base
from cxlib.survey.scoring import SCORING, Score, Scored
from cxlib.tables import RESULT, Table, nothing
from cxlib.tables.rows import key_names

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: From groups with fewer answers nothing is learned of the others: their scores are mostly chance.
FEWEST_ANSWERS = 5
_WORDS = (stats.ALIKE, stats.ABOVE, stats.BELOW)
#: The columns of a result after its six, and their types.
COUNTS = {
    "p_value": "float64", "p_corrected": "float64", "verdict": "object", "better": "boolean", "margin": "float64",
    "smallest_detectable": "float64", "score": "float64", "score_low": "float64", "score_high": "float64",
    "score_rest": "float64", "n_rest": "int64", "n_both": "Int64", "pooled": "float64", "pooled_low": "float64",
    "pooled_high": "float64", "scale_low": "int64", "scale_high": "int64", "since": "object", "until": "object",
}  # fmt: skip


def against_rest(
    responses: Table,
    *,
    measure: str | Score = "nps",
    by: str | Sequence[str],
    margin: float | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """How far the score of each group lies from that of all others, one row per group.

    The score of the group less the score of all answers that are not in it, in the unit
    of the score, and what can be said of it: that the group is ``"above"`` or ``"below"``
    the rest, that there is ``"no material difference"``, or that one ``"cannot tell yet"``.
    Beside the raw score stands the pooled one: the best guess of a group's score that
    knows the other groups, too.

    Parameters
    ----------
    responses : pandas DataFrame or Ibis table, one row per answer
        What the score itself needs. ``respondent`` tells who answered both in a group and
        in the rest, as in two channels.
    measure : str or Score, default "nps"
        ``"nps"``, ``"csat"``, ``"ces"`` (on seven points the share), ``"ratings"`` (each
        question by itself); or a ``Score`` that also names a question, a weight, a scale
        or the accounts of people.
    by : str or sequence of str
        Columns that make the groups: one breakdown, or a crossing of several.
    margin : float, optional
        Differences smaller than this, in the unit of the score, do not matter to anybody.
        Without it no difference can be called immaterial.
    level : float, default 0.95
        Confidence level of the intervals; 1 - ``level`` is the share of false findings.

    Returns
    -------
    DataFrame, one row per group, in order of ``by``
        ======================  =====  ==============================================
        ``by`` ...                     the group; a missing key is its own group
        measure                 str    ``"nps_difference"``, ``"csat_difference"``, ...
        estimate                float  group less rest; missing where either has no
                                       answers
        low, high               float  interval of the difference, not corrected
        level                   float  confidence level of the intervals
        n                       int    answers in the group
        p_value                 float  of such a difference or a larger one, if there
                                       is none
        p_corrected             float  of all rows corrected together; see Notes
        verdict                 str    see Notes
        better                  bool   whether what is above or below is so the good way
        margin                  float  as declared
        smallest_detectable     float  true difference found in four of five such cases
        score                   float  score of the group
        score_low, score_high   float  its interval
        score_rest              float  score of all answers that are not in the group
        n_rest                  int    those answers
        n_both                  int    people who answered in the group and in the rest;
                                       missing where nobody is named
        pooled                  float  score of the group drawn to the mean of the
                                       groups; missing below four groups of five answers
        pooled_low, _high       float  its interval
        scale_low, scale_high   int    the scale of the answers
        since, until            date   first and last day of the answers of the group
        ======================  =====  ==============================================

        ``frame.attrs["notes"]`` says what has to be known beside it, ``attrs["together"]``
        how many differences are corrected together; without rows, ``frame.attrs["reason"]``
        says why.

    Raises
    ------
    TableError
        If the score cannot be computed, or groups were asked on different scales.
    ValueError
        If an argument means nothing.

    See Also
    --------
    movement : one period against another.
    banner : every group of several breakdowns against each other.
    cxlib.figures.against : the picture of this result.

    Notes
    -----
    A total holds the group itself: who is half of all answers lies at most half as far
    from the total as from the rest. The interval is that of a difference of two samples:
    Rocks' adjusted Wald for NPS [1]_, Newcombe's for shares [2]_, Welch's on the moments
    of Dirichlet posteriors for means (`cxlib.stats.movement` has the coverage). Answers
    of people who answered more than once in a group count for less; people who are in
    the group and in the rest take from the variance of the difference. Answers without a
    key are a group of their own and part of the rest of every other.

    The verdict, in this order: *no material difference* where two one-sided tests show
    the difference to be within ``margin``, be it 0 or not; *above* or *below* where the
    p-value, corrected over all rows by Benjamini and Hochberg, is below 1 - ``level``;
    else *cannot tell yet*. All rows are tested, those too that a page withholds. Of few
    answers beside many these p-values are too small where an answer is rare, so that what is
    corrected is the larger of them and of one made for few: of NPS with a moderated variance
    and t [4]_, of shares the chance by their posteriors that they lie the other way round
    [5]_; the variance of means is moderated in the interval, too. Of tables in which none
    differs (6 groups of 3 to 300 answers, 12 of 5, 20 of 10) at most .04 then name one that
    does, whatever the law (simulated); by the plain ones up to .37 of shares, .19 of NPS
    and of means.

    The pooled score is Morris's empirical Bayes estimate [3]_, with the variance between
    groups by Paule and Mandel (`cxlib.stats.pooling` has its coverage). Its interval
    covers on average over the groups, not for the one that stands out most.

    It misleads where groups are made after looking, or where a group differs because of
    who is in it: a channel may be low since unhappy people choose it. People who are in
    several groups make pooled scores look surer than they are.

    References
    ----------
    .. [1] Rocks, B. (2016). Interval estimation for the "Net Promoter Score".
       The American Statistician 70(4), 365-372. arXiv:1601.07235
    .. [2] Newcombe, R. G. (1998). Interval estimation for the difference between
       independent proportions. Statistics in Medicine 17, 873-890.
    .. [3] Morris, C. N. (1983). Parametric empirical Bayes inference: theory and
       applications. Journal of the American Statistical Association 78(381), 47-55.
    .. [4] Smyth, G. K. (2004). Linear models and empirical Bayes methods for assessing
       differential expression in microarray experiments. Statistical Applications in
       Genetics and Molecular Biology 3(1), 3.
    .. [5] Altham, P. M. E. (1969). Exact Bayesian analysis of a 2 × 2 contingency table, and
       Fisher's "exact" significance test. Journal of the Royal Statistical Society B 31, 261-269.

    Examples
    --------
    >>> plan = ["free"] * 60 + ["paid"] * 60 + ["trial"] * 20 + ["old"] * 6
    >>> score = [10] * 15 + [8] * 15 + [3] * 30 + [10] * 40 + [8] * 10 + [3] * 10 + [10] * 9 + [7] * 5 + [2] * 6 + [9] * 5 + [5]
    >>> found = against_rest(pd.DataFrame({"plan": plan, "score": score}), by="plan", margin=5)
    >>> found[["plan", "estimate", "low", "high", "n", "verdict", "score", "score_rest", "pooled"]].round(1)
        plan  estimate   low  high   n          verdict  score  score_rest  pooled
    0   free     -68.0 -91.7 -39.1  60            below  -25.0        43.0   -23.5
    1    old      53.8 -22.2  85.9   6  cannot tell yet   66.7        12.9    59.1
    2   paid      59.3  30.5  82.8  60            above   50.0        -9.3    49.1
    3  trial      -0.1 -39.1  35.7  20  cannot tell yet   15.0        15.1    15.5
    """
    score = Score.of(measure, level=level, margin=margin)
    return judged_together([rests_of(responses, score, by, margin=margin, level=level)], level)[0]


@dataclass(frozen=True)
class Rests:
    """The groups of one breakdown beside the rest, before anything is judged; or why there are none."""

    keys: list[str]
    frame: pd.DataFrame
    reason: str = ""
    row: str = "answer"

    @classmethod
    def of(
        cls, table: Table, asked: Asked, made_of: Callable[[Tally, Asked], Sequence[Scored]], *, margin: float | None, level: float
    ) -> Rests:
        """Count what is asked for, and set every group against the rest of its question, by the numbers that it is made into."""
        counted = asked.tally(table)
        within = Wholes.of(counted, ["question"] if asked.each_question else [], asks=asked.by_whom).number
        if reason := counted.reason or _alone(counted, within, asked):
            return cls(asked.names, pd.DataFrame(), reason)
        return cls(asked.names, _compared(counted, within, made_of(counted, asked), margin, level), row=asked.row)

    def result(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The groups in the shape of a result, once they are judged."""
        if self.reason:
            return nothing(keys=self.keys, counts=COUNTS, reason=self.reason)
        frame = frame.sort_values(self.keys, na_position="last", kind="stable")
        frame = frame[[*self.keys, *RESULT, *COUNTS]].astype(COUNTS).reset_index(drop=True)
        frame.attrs["notes"] = _notes(frame, self.keys, self.row)
        return frame


def rests_of(responses: Table, score: Score, by: str | Sequence[str], *, margin: float | None, level: float) -> Rests:
    """The groups of one breakdown beside the rest, by a score."""
    asked = score.asks(responses, _keys(by, score), by_whom="against_rest")
    return Rests.of(responses, asked, SCORING[score.name][-1], margin=margin, level=level)


def judged_together(rests: Sequence[Rests], level: float) -> list[pd.DataFrame]:
    """The results of all breakdowns; their differences are corrected together, then judged."""
    judged, together = [each.frame for each in rests if not each.reason], 0
    if judged:
        corrected = stats.benjamini_hochberg(np.concatenate([frame["p_judged"] for frame in judged]))
        together = int((~np.isnan(corrected)).sum())
        parts = np.split(corrected, np.cumsum([len(frame) for frame in judged])[:-1])
        judged = [_judged(frame, part, level) for frame, part in zip(judged, parts, strict=True)]
    left = iter(judged)
    found = [each.result(each.frame if each.reason else next(left)) for each in rests]
    for frame in found:
        frame.attrs["together"] = together
    return found


def _keys(by: str | Sequence[str], score: Score) -> list[str]:
    names = key_names(by, COUNTS)
    if not [name for name in names if not (score.name == "ratings" and name == "question")]:
        raise ValueError('by: name at least one column that makes groups, such as by="segment"')
    return with_question(names, score)


def _alone(counted: Tally, within: Ints, asked: Asked) -> str:
    """Why no group has a rest; empty where one has."""
    if not counted.n.sum():
        return "Nobody answered, so there is nothing to compare."
    if (np.bincount(within, weights=counted.n > 0) > 1).any():
        return ""
    of = " and ".join(name for name in asked.names if name != "question")
    return f"All {asked.row}s are of one {of}, so there is no rest to compare it with."


def _notes(frame: pd.DataFrame, keys: Sequence[str], row: str) -> list[str]:
    notes = [UNNAMED] if frame["n_both"].isna().all() else []
    # How many they are is for the table to say, where they are not too few to be shown.
    unrecorded = [key for key in keys if key != "question" and frame.loc[frame[key].isna(), "n"].any()]
    notes += [f"{row.capitalize()}s without a {key} are a group of their own, and part of the rest of every other." for key in unrecorded]
    if frame["pooled"].isna().all():
        by = " and ".join(key for key in keys if key != "question")
        notes.append(f"By {by} nothing is pooled: that takes {FEWEST_GROUPS} groups of {FEWEST_ANSWERS} {row}s that do not all agree.")
    return notes


def _rest(counted: Tally, within: Ints) -> Tally:
    """Of each group, the answers of its whole that are not in it."""

    def others(values: Any) -> Any:
        total = np.zeros((within.max() + 1, *values.shape[1:]), dtype=values.dtype)
        np.add.at(total, within, values)
        return total[within] - values

    return replace(counted, counts=others(counted.counts), weights=others(counted.weights), squares=others(counted.squares))


def _compared(counted: Tally, within: Ints, numbers: Sequence[Scored], margin: float | None, level: float) -> pd.DataFrame:
    """Every group beside its rest, by the first number that it has."""
    rest = _rest(counted, within)
    frames, left = [], np.ones(len(within), dtype=bool)
    for number in numbers:
        here = left & number.rows
        left &= ~here
        if here.any():
            number.refuse_margin(margin)
            frames.append(_differences(counted, rest, number, within, margin, level)[here])
    return pd.concat(frames, ignore_index=True)


def _differences(counted: Tally, rest: Tally, number: Scored, within: Ints, margin: float | None, level: float) -> pd.DataFrame:
    known, others, shared = Base.against_rest(counted, rest, number.worth, within)
    alike, n_both = np.zeros(len(within)), pd.Series(pd.NA, index=range(len(within)), dtype="Int64")
    if known.clusters is not None and others.clusters is not None:
        alike = variance.alike(others.clusters, known.clusters, shared)
        named = known.people.notna() | others.people.notna()
        n_both = pd.Series(shared.number.astype("int64"), dtype="Int64").where(named)
    samples = (rest.scaled(others.n_eff), counted.scaled(known.n_eff))
    freedom = (others.freedom, known.freedom)

    def change(at_level: float) -> stats.Change:
        return number.change(counted, samples, np.arange(len(within)), freedom=freedom, correlation=alike, level=at_level)

    found, unit = change(level), number.unit
    score, score_low, score_high = number.interval(counted, known, level)
    weighted = "_weighted" * bool(counted.asked and counted.asked.weight)
    return counted.groups.assign(
        measure=[f"{name}_difference{weighted}" for name in number.measure],
        estimate=unit * found.estimate,
        low=unit * found.low,
        high=unit * found.high,
        level=level,
        n=counted.n,
        p_value=found.p_value,
        p_judged=number.judged_by(samples, np.arange(len(within)), found, correlation=alike),
        margin=np.nan if margin is None else margin,
        unchanged=False if margin is None else stats.within(change(2 * level - 1), margin / unit),
        smallest_detectable=unit * stats.smallest_change(found.std_error, level=level, freedom=found.freedom),
        score=unit * score,
        score_low=unit * score_low,
        score_high=unit * score_high,
        score_rest=unit * number.mean(rest),
        n_rest=rest.n,
        n_both=n_both,
        **{name: unit * bound for name, bound in _pooled(counted, number, known, score, within, level).items()},
    )


def _pooled(counted: Tally, number: Scored, known: Base, score: Floats, within: Ints, level: float) -> dict[str, Floats]:
    """The scores of the groups of each whole drawn to their mean, one answer as uncertain in each group as in all."""
    columns = {name: np.full(len(within), np.nan) for name in ("pooled", "pooled_low", "pooled_high")}
    for each in range(int(within.max()) + 1):
        here = np.flatnonzero((within == each) & number.rows)
        if not len(here):
            continue
        answers, worth = counted.weights[here].sum(axis=0), number.worth[here[0]]
        shares = answers / max(answers.sum(), 1e-300)
        spread = shares @ worth**2 - (shares @ worth) ** 2
        error = np.divide(spread, known.n_eff[here], out=np.full(len(here), np.nan), where=known.n_eff[here] > 0)
        found = pooled(score[here], error, level=level, learn=counted.n[here] >= FEWEST_ANSWERS)
        # An interval that reaches beyond the best or the worst answer there is holds nothing more for it.
        ends = worth[: int(np.ptp(counted.groups.iloc[here[0]][["scale_low", "scale_high"]])) + 1]
        for name, values in zip(columns, (found.estimate, found.low, found.high), strict=True):
            columns[name][here] = values.clip(ends.min(), ends.max())
    return columns


def _judged(frame: pd.DataFrame, corrected: Floats, level: float) -> pd.DataFrame:
    """The verdicts by corrected p-values."""
    verdict = stats.verdicts(frame["estimate"], corrected, frame["unchanged"], level=level, words=_WORDS)
    apart = np.array([word in {stats.ABOVE, stats.BELOW} for word in verdict])
    better = pd.Series((frame["estimate"] > 0) != frame["low_is_good"], index=frame.index, dtype="boolean").where(apart)
    return frame.assign(p_corrected=corrected, verdict=verdict, better=better)
