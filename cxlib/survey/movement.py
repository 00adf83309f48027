"""Whether a score moved between two periods, and what it would take to tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.stats import movement as stats
from cxlib.stats import variance
from cxlib.survey.answers import PERIOD, Tally
from cxlib.survey.compared import at, with_question
from cxlib.survey.people import Base
from cxlib.survey.periods import Between, Periods
from cxlib.survey.scoring import SCORING, Score, Scored
from cxlib.tables import RESULT, Table, TableError, nothing
from cxlib.tables.rows import alike, key_names, numbered
from cxlib.verdicts import judged, movement_counts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_COUNTS = movement_counts("Int64", scale=True, good="int64", bad="int64")
_AXIS = ["before", "after"]


def movement(
    responses: Table,
    *,
    measure: str | Score = "nps",
    by: str | Sequence[str] = (),
    between: Between = "month",
    margin: float | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Whether a score moved from one period to the next, one row per group and pair of periods.

    The score of the later period less that of the earlier one, in the unit of the score,
    and what can be said of it: that it went ``"up"`` or ``"down"``, that there is ``"no
    material change"``, or that one ``"cannot tell yet"``.

    Parameters
    ----------
    responses : pandas DataFrame or Ibis table, one row per answer
        What the score itself needs; and ``month`` or ``time_answered``, or ``wave`` where
        waves are compared. ``respondent`` tells who answered in both periods.
    measure : str or Score, default "nps"
        ``"nps"``, ``"csat"``, ``"ces"`` (on seven points the share), ``"ratings"``; or a
        ``Score`` that also names a question, a weight, a scale or the accounts of people.
    by : str or sequence of str, optional
        Columns to group by. By default all answers form one group.
    between : str or pair, default "month"
        ``"month"`` or ``"quarter"``: each with the one before. ``"year"``: each month with
        the same one of the year before. ``"last 3 months"`` (6, 12): the months up to the
        last answer with the same ones of the year before. ``"wave"``: each wave with the one before, in
        order of their first answers. ``("2025", "2026")``: two waves.
        ``(("2025-07-01", "2025-12-31"), ("2026-01-01", "2026-06-30"))``: two windows.
    margin : float, optional
        Changes smaller than this, in the unit of the score, do not matter to anybody.
        Without it no change can be called immaterial.
    level : float, default 0.95
        Confidence level of the intervals; 1 - ``level`` is the share of false findings.

    Returns
    -------
    DataFrame, one row per group and pair of periods, in their order
        ======================  =====  ==============================================
        ``by`` ...                     the group; a missing key is its own group
        before, after                  the two periods: first day of a month, quarter
                                       or window, or name of a wave
        measure                 str    ``"nps_change"``, ``"csat_change"``, ...
        estimate                float  after less before; missing where a period has
                                       no answers
        low, high               float  interval of the change, not corrected
        level                   float  confidence level of the interval
        n                       int    answers in the smaller of the two periods
        p_value                 float  of such a change or a larger one, if nothing moved
        p_corrected             float  the same, all rows corrected together
        verdict                 str    see Notes
        better                  bool   whether what went up or down went the good way
        margin                  float  as declared
        smallest_detectable     float  true change found in four of five such pairs, if
                                       they were the only ones
        n_to_tell               int    answers in each period that would settle it in
                                       four of five cases; where it is open
        estimate_before, ...    float  the two scores
        n_before, n_after       int    answers
        good_before, bad_...    int    of them promoters and detractors; satisfied and
                                       dissatisfied; easy and hard; top and bottom
        n_both                  int    people who answered in both; missing where
                                       nobody is named
        spread                  float  variance of one answer before plus of one after
        low_is_good             bool   whether a low score is the good one
        scale_low, scale_high   int    the scale of the answers
        between                 str    how the periods are paired
        since_before, ...       date   first and last day of the earlier answers
        since, until            date   first and last day of the later ones
        ======================  =====  ==============================================

        ``frame.attrs["notes"]`` says what was left out; without rows,
        ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If the score cannot be computed, a wave is not there, or two periods were asked
        on different scales.
    ValueError
        If an argument means nothing.

    See Also
    --------
    nps : the score itself.
    cxlib.figures.table : this result as a table.

    Notes
    -----
    Change of NPS: Rocks' adjusted Wald interval in both periods [1]_; of shares:
    Newcombe's [2]_; of means: Welch's on the moments of Dirichlet posteriors. Answers of
    people who answered more than once in a period count for less; people who answered in
    both take from the variance of the change (`cxlib.stats.movement` has the coverage).

    The verdict, in this order: *no material change* where two one-sided tests show the
    change to be within ``margin``, be it 0 or not; *up* or *down* where the p-value,
    corrected over all rows by Benjamini and Hochberg [3]_, is below 1 - ``level``; else
    *cannot tell yet*. Of 24 movements in which nothing moves, one in twenty reports
    names a false one; without the correction it would be two in three.

    It misleads month on month, where a season is taken for a movement: look at the year
    as well. A period that is still running is compared as far as it goes; ``until`` says
    how far. Who answers may change while nobody's mind does. And ``n_to_tell`` without a
    margin takes the change that was seen for the true one, which it seldom is.

    References
    ----------
    .. [1] Rocks, B. (2016). Interval estimation for the "Net Promoter Score".
       The American Statistician 70(4), 365-372. arXiv:1601.07235
    .. [2] Newcombe, R. G. (1998). Interval estimation for the difference between
       independent proportions. Statistics in Medicine 17, 873-890.
    .. [3] Benjamini, Y., Hochberg, Y. (1995). Controlling the false discovery rate.
       Journal of the Royal Statistical Society B 57(1), 289-300.

    Examples
    --------
    >>> responses = pd.DataFrame(
    ...     {
    ...         "month": pd.to_datetime(["2026-01-01"] * 60 + ["2026-02-01"] * 60),
    ...         "score": [10] * 40 + [8] * 10 + [3] * 10 + [10] * 20 + [8] * 10 + [3] * 30,
    ...     }
    ... )
    >>> moved = movement(responses, margin=5)
    >>> moved[["before", "after", "estimate", "low", "high", "verdict", "better"]].round(1)
           before       after  estimate   low  high verdict  better
    0  2026-01-01  2026-02-01     -66.7 -92.5 -34.5    down   False
    """
    score = Score.of(measure, level=level, margin=margin, compares="change")
    keys = _keys(by, score)
    spans = Periods.of(responses, between, asks="movement")
    made_of = SCORING[score.name][-1]
    asked = score.asks(responses, keys, by_whom="movement", period=spans.number)
    counted = asked.tally(responses)
    places = _placed(counted)
    reason = counted.reason or ("" if len(places) else spans.none) or ("" if _spread(places) >= spans.lag else spans.too_few)
    if reason:
        return nothing(keys=[*keys, *_AXIS], counts=_COUNTS, reason=reason)
    pairs = _pairs(counted, keys, places, spans.lag)
    _refuse_bridge(counted, pairs)
    frame = _compared(counted, pairs, made_of(counted, asked), spans, margin, level)
    frame = judged(frame, stats.benjamini_hochberg(frame["p_value"]))
    # In the order of the calendar or of the waves, whatever these are called.
    frame = frame.sort_values([*keys, "place"], na_position="last", kind="stable")
    frame = frame[[*keys, *_AXIS, *RESULT, *_COUNTS]].astype(_COUNTS).reset_index(drop=True)
    frame.attrs["notes"] = _notes(counted, frame)
    return frame


def _notes(counted: Tally, frame: pd.DataFrame) -> list[str]:
    """What a reader has to know beside the numbers: who cannot be told apart, and what belongs to no period."""
    notes = []
    if frame["n_both"].isna().all():
        notes.append("Nobody is named, so every answer is taken to be another person's.")
    # Of the last months everything else is left out, as it was asked.
    span = frame["between"].iloc[0].startswith("last ")
    outside = 0 if span else int(counted.n[counted.groups[PERIOD].isna().to_numpy()].sum())
    if outside:
        notes.append(f"{outside:,} of {int(counted.n.sum()):,} answers are of none of these periods and are left out.")
    empty = int(((frame["n_before"] == 0) ^ (frame["n_after"] == 0)).sum())
    if empty:
        notes.append(f"{empty:,} of {len(frame):,} comparisons have no answers in one of their periods; nothing is compared across a gap.")
    return notes


def _keys(by: str | Sequence[str], score: Score) -> list[str]:
    names = key_names(by, [*_COUNTS, *_AXIS])
    for name in names:
        if name in {"month", "wave"}:
            raise ValueError(f"by: '{name}' is what is compared and cannot be a key; say which with between=")
    return with_question(names, score)


def _placed(counted: Tally) -> Ints:
    """The period of each group, and nothing of those answers that are of none."""
    return counted.groups[PERIOD].dropna().to_numpy(dtype="int64") if len(counted.groups) else np.zeros(0, dtype="int64")


def _spread(places: Ints) -> int:
    return int(places.max() - places.min())


def _pairs(counted: Tally, keys: list[str], places: Ints, lag: int) -> pd.DataFrame:
    """Every group and every period that can be compared: where its two periods stand in the tally, or -1.

    A period without answers is there as well, between two that have some: nothing is compared across it.
    """
    groups = counted.groups
    group, _ = numbered(groups, keys)
    first, last = int(places.min()), int(places.max())
    there = groups[PERIOD].notna().to_numpy()
    position = np.full((group.max() + 1, last - first + 1), -1)
    position[group[there], places - first] = np.flatnonzero(there)
    after = np.arange(first + lag, last + 1)
    number, size = np.arange(len(position)), len(after)
    one = np.unique(group, return_index=True)[1]
    frame = groups.iloc[one[np.repeat(number, size)]][keys].reset_index(drop=True)
    return frame.assign(
        group=np.repeat(number, size),
        any_row=one[np.repeat(number, size)],
        place=np.tile(after, len(number)),
        first=position[:, :size].ravel(),
        second=position[:, lag:].ravel(),
    )


def _refuse_bridge(counted: Tally, pairs: pd.DataFrame) -> None:
    """Raise the letter about two periods that were asked on different scales."""
    scale = counted.groups[["scale_low", "scale_high", "low_is_good"]]
    known = pairs[(pairs["first"] >= 0) & (pairs["second"] >= 0)]
    one, other = (scale.iloc[known[side]].reset_index(drop=True) for side in ("first", "second"))
    apart = (one != other).any(axis=1)
    if apart.any():
        words = " and then from ".join(
            f"{row['scale_low']} to {row['scale_high']}{', low is good' * bool(row['low_is_good'])}"
            for row in (frame[apart].iloc[0] for frame in (one, other))
        )
        raise TableError(
            f"movement: the question was asked from {words}. Answers on different scales have no common score: "
            "compare periods of one scale, or name one question."
        )


def _compared(
    counted: Tally, pairs: pd.DataFrame, numbers: list[Scored], spans: Periods, margin: float | None, level: float
) -> pd.DataFrame:
    """The change of every pair, from the first number that its group has."""
    frames, left = [], np.ones(len(pairs), dtype=bool)
    for number in numbers:
        here = left & number.rows[pairs["any_row"].to_numpy()]
        left &= ~here
        if here.any():
            number.refuse_margin(margin)
            frames.append(_changes(counted, pairs[here].reset_index(drop=True), number, spans, margin, level))
    return pd.concat(frames, ignore_index=True)


def _changes(counted: Tally, pairs: pd.DataFrame, number: Scored, spans: Periods, margin: float | None, level: float) -> pd.DataFrame:
    known = Base.of(counted, number.worth)
    both, alike = _both(counted, pairs, number, known, spans.lag)
    sides = _sides(pairs)
    found = _change(counted, sides, number, known, alike, level)
    narrower = _change(counted, sides, number, known, alike, 2 * level - 1)
    n = [at(counted.n, side, 0) for side in sides]
    # What one more answer tells, of people who repeat themselves less, of people who are in both periods more.
    repeated = [
        np.divide(each, at(known.n_eff, side, 0.0), out=np.ones(len(pairs)), where=each > 0) for each, side in zip(n, sides, strict=True)
    ]
    spread = sum(map(np.multiply, found.spreads, repeated)) * found.std_error**2 / sum(found.variances)
    unit, asked = number.unit, counted.groups.iloc[pairs["any_row"].to_numpy()]
    weighted = "_weighted" * bool(counted.asked and counted.asked.weight)
    columns: dict[str, Any] = {
        "measure": [f"{name}_change{weighted}" for name in number.measure[pairs["any_row"]]],
        "estimate": unit * found.estimate,
        "low": unit * found.low,
        "high": unit * found.high,
        "level": level,
        "n": np.minimum(*n),
        "p_value": found.p_value,
        "margin": np.nan if margin is None else margin,
        "smallest_detectable": unit * stats.smallest_change(found.std_error, level=level, freedom=found.freedom),
        "spread": unit**2 * spread,
        "unchanged": False if margin is None else stats.within(narrower, margin / unit),
        **{name: asked[name].to_numpy() for name in ("low_is_good", "scale_low", "scale_high")},
        "n_both": both,
        "between": spans.way,
        "before": [spans.label(int(place) - spans.lag) for place in pairs["place"]],
        "after": [spans.label(int(place)) for place in pairs["place"]],
    }
    mean = number.mean(counted)
    for side, name in zip(sides, _AXIS, strict=True):
        columns[f"estimate_{name}"] = unit * at(mean, side, np.nan)
        columns[f"n_{name}"] = at(counted.n, side, 0)
        columns[f"good_{name}"] = at((counted.counts * number.good).sum(axis=1), side, 0)
        columns[f"bad_{name}"] = at((counted.counts * number.bad).sum(axis=1), side, 0)
        for bound in ("since", "until"):
            day = pd.Series(at(counted.groups[bound].to_numpy(dtype=object), side, None), dtype=object)
            columns[bound if name == "after" else f"{bound}_before"] = day
    return pairs.assign(**columns)


def _both(counted: Tally, pairs: pd.DataFrame, number: Scored, known: Base, lag: int) -> tuple[pd.Series[Any], Floats]:
    """How many people of each pair answered in both periods, and how far that makes the two estimates alike."""
    clusters, asked = known.clusters, counted.asked
    if clusters is None or asked is None:
        return pd.Series(pd.NA, index=pairs.index, dtype="Int64"), np.zeros(len(pairs))
    keys = [name for name in asked.names if name != PERIOD]
    found = Base.in_both(counted, number.worth, lag).rename(columns={PERIOD: "place"})
    group, found["group"] = alike([pairs, found], keys)
    names = ["both", "aa", "ab", "ba", "bb"]
    sums = pairs[["place"]].assign(group=group).merge(found[["group", "place", *names]], on=["group", "place"], how="left")
    shared = variance.Shared(*sums[names].fillna(0.0).to_numpy().T)
    sides = [variance.Clusters(*(at(values, side, 0.0) for values in clusters.sums)) for side in _sides(pairs)]
    named = [at(known.people.notna().to_numpy(), side, False) for side in _sides(pairs)]
    both = pd.Series(shared.number.astype("int64"), dtype="Int64").where(named[0] | named[1])
    return both, variance.alike(sides[0], sides[1], shared)


def _sides(pairs: pd.DataFrame) -> tuple[Ints, Ints]:
    """Where the two periods of each pair stand in the tally."""
    return pairs["first"].to_numpy(), pairs["second"].to_numpy()


def _change(counted: Tally, sides: tuple[Ints, Ints], number: Scored, known: Base, alike: Floats, level: float) -> stats.Change:
    """The change of every pair by the test of its form."""
    answers = counted.scaled(known.n_eff)
    freedom = (at(known.freedom, sides[0], np.inf), at(known.freedom, sides[1], np.inf))
    samples = (at(answers, sides[0], 0.0), at(answers, sides[1], 0.0))
    asked = np.where(sides[0] >= 0, sides[0], sides[1])
    return number.change(counted, samples, asked, freedom=freedom, correlation=alike, level=level)
