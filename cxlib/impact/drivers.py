"""Which parts of the experience a score goes with: importance, how sure it is, and what could be raised first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlib.impact.explaining import Boxes, Explained
from cxlib.impact.occasions import Occasions
from cxlib.stats import intervals
from cxlib.stats.drivers import MOST
from cxlib.survey.answers import KINDS, PEOPLE, Asked, Tally
from cxlib.survey.people import Base
from cxlib.survey.scoring import SCORING, Score
from cxlib.tables import RESULT, Table, TableError, ask, expression, need, nothing
from cxlib.tables.rows import alike, dates, key_names, refuse_unknown

if TYPE_CHECKING:
    import ibis.expr.types as ir

_COUNTS = {
    "outcome": "object", "noise_floor": "float64", "above_noise": "boolean", "rank": "Int64", "rank_low": "Int64",
    "rank_high": "Int64", "johnson": "float64", "performance": "float64", "performance_low": "float64",
    "performance_high": "float64", "reward": "float64", "reward_low": "float64", "reward_high": "float64", "penalty": "float64",
    "penalty_low": "float64", "penalty_high": "float64", "asymmetry": "float64", "asymmetry_low": "float64",
    "asymmetry_high": "float64", "role": "object", "priority": "object", "missing": "int64", "n_people": "Int64",
    "r_squared": "float64", "equal_part": "float64", "performance_of_all": "float64", "scale_low": "int64", "scale_high": "int64",
    "outcome_low": "Int64", "outcome_high": "Int64", "since": "object", "until": "object",
}  # fmt: skip
_NUMBERS = (
    "estimate", "low", "high", "noise_floor", "johnson", "r_squared", "reward", "reward_low", "reward_high", "penalty", "penalty_low",
    "penalty_high", "asymmetry", "asymmetry_low", "asymmetry_high", "rank_low", "rank_high",
)  # fmt: skip


def drivers(
    responses: Table,
    *,
    outcome: str | Score = "nps",
    by: str | Sequence[str] = (),
    level: float = 0.95,
) -> pd.DataFrame:
    """Which rated parts of the experience a score goes with, one row per group and driver.

    The part of the score's differences between people that goes with each rating: its share,
    0-1, of the variance of the answers, the mean gain of R² over all orders in which the
    ratings could be taken up (LMG [1]_, also Shapley's value). The parts sum to R².

    Parameters
    ----------
    responses : pandas DataFrame or Ibis table, one row per answer
        Needs ``respondent``, ``question``, ``kind``, ``score``, ``scale_low`` and
        ``scale_high``; ``touchpoint`` names what was rated. A score stands beside the
        ratings of the same person in the same ``wave``; without that column, of the same
        ``time_asked``, and without both, of the same day.
    outcome : str or Score, default "nps"
        The score to explain: ``"nps"``, ``"csat"``, ``"ces"`` or ``"ratings"``; or a ``Score``
        that also names a question, a weight or the accounts of people.
    by : str or sequence of str, optional
        Columns to group by. By default all answers form one group.
    level : float, default 0.95
        Confidence level of the intervals.

    Returns
    -------
    DataFrame, one row per group and driver, in their order
        ======================  =====  ==============================================
        ``by`` ...                     the group; a missing key is its own group
        driver                  str    what was rated: a touchpoint, or a question
        measure                 str    ``"driver_importance"``
        estimate                float  its part of the variance of the score, 0-1;
                                       missing where it cannot be compared
        low, high               float  interval of the part
        level                   float  confidence level of the intervals
        n                       int    ratings that stand beside a score
        outcome                 str    the score
        noise_floor             float  the part that a rating of pure chance stays below
                                       in 95 of 100 samples
        above_noise             bool   whether the interval lies above that
        rank                    int    place by importance; missing where not settled
        rank_low, rank_high     int    best and worst place it may have
        johnson                 float  Johnson's relative weight, to compare with
        performance             float  mean rating in points, as `ratings` has it; with
                                       ``performance_low`` and ``performance_high``
        reward                  float  points of the score gained for each point by which
                                       the top box exceeds the middle; with its interval
        penalty                 float  the same for each point below it: negative where
                                       low ratings cost; with its interval
        asymmetry               float  from -1, only penalty, to 1, only reward; with its
                                       interval
        role                    str    ``"basic"`` below -0.1, ``"delight"`` above 0.1,
                                       ``"performance"`` between, ``"not clear"``
        priority                str    ``"raise first"``, ``"keep up"``, ``"later"``,
                                       ``"leave"`` or ``"not settled"``
        missing                 int    scores in the base without this rating
        n_people                int    people who gave the rating beside a score
        r_squared               float  the part that all drivers have together
        equal_part              float  what each had if all had the same
        performance_of_all      float  mean of the mean ratings, on this one's scale
        scale_low, scale_high   int    the scale of the rating
        outcome_low, _high      int    the scale of the score; missing where groups were
                                       asked on several
        since, until            date   first and last day of these scores
        ======================  =====  ==============================================

        Without rows, ``frame.attrs["reason"]`` says why; ``frame.attrs["notes"]`` says
        what was not rated, and what is not compared.

    Raises
    ------
    TableError
        If a column is absent, a score is not a whole number on its scale, ratings have low
        as good, or somebody answered a question more than once on one occasion.
    ValueError
        If ``level`` is not between 0 and 1, there is no such ``outcome``, or a key tells
        drivers apart.

    See Also
    --------
    ratings : the level of each rating.
    cxlib.figures.drivers, cxlib.figures.priorities : the pictures of this result.

    Notes
    -----
    The score is the answer itself, turned where low is good, and the model is linear.
    **Ratings that are missing** (skipped, not applicable) leave nobody out: means and
    covariances are those of maximum likelihood, found by EM (`cxlib.stats.missing`), on
    everybody who gave the score and at least one rating. That takes people who did not
    rate a part to be like those who did and agree in all they answered; of a part that does
    not apply to somebody it says what it goes with where it does. A part rated fewer than
    50 times beside a score, or beside each other part, keeps its row without numbers: a
    correlation is then known to no better than 0.28. So does a group of fewer than 20
    people for each part, the fewest for which the intervals were simulated.

    **Intervals** are between the percentiles of 1,000 bootstrap samples of people, in 400
    groups where there are more; from 0 where a rating of chance reaches as much in 1 -
    (1 - level) / 2 of samples. **An order** is claimed only where the differences show it,
    all of them at once. **Roles** come from a regression on the top box (the best fifth of
    the scale) and the bottom box (the worst two fifths) of every rating [2]_, each coded by
    how many points it lies from the middle: with the plain codes 1 and 0 a driver whose
    effect is a straight line looks basic or delightful as its ratings are skewed. The
    interval of the asymmetry reaches -1 where that of the reward holds 0, and 1 where that
    of the penalty does: no sample is without any. A role is given where the interval of the asymmetry, corrected for the number of drivers
    (Bonferroni), lies to one side of -0.1 or 0.1.
    **Priorities** compare importance with an equal part for all, and the rating with the
    mean of all ratings; `cxlib.impact.explaining` has the coverage of all this.

    It misleads wherever it is read as a cause. One mood colours all answers of a person on
    one page (halo, common method), so parts resemble each other and LMG shares among them:
    a part that does nothing has a share if it goes with one that does something. What
    nobody was asked is in no part. What everybody finds alike explains no differences and
    may still matter most. And a score that moves by what is rated elsewhere (a season, a
    relaunch) goes with its date: compare within a period, by ``by="month"`` or by a filter.
    Johnson's weights are there because they are in use; where they disagree on the order,
    it was not known.

    References
    ----------
    .. [1] Grömping, U. (2007). Estimators of relative importance in linear regression
       based on variance decomposition. The American Statistician 61(2), 139-147.
    .. [2] Brandt, R. D. (1987). A procedure for identifying value-enhancing service
       components using customer satisfaction survey data. In: Add Value to Your Service.
       American Marketing Association, 61-65.

    Examples
    --------
    Delivery matters, staff less, and the weather is chance:

    >>> chance = np.random.default_rng(1)
    >>> parts = chance.integers(1, 6, size=(400, 3))
    >>> score = np.clip(parts @ [1, 0.5, 0] + chance.normal(2, 1, 400), 0, 10).round()
    >>> wide = pd.DataFrame(parts, columns=["delivery", "staff", "weather"]).assign(recommend=score, respondent=range(400))
    >>> responses = wide.melt(id_vars="respondent", var_name="question", value_name="score")
    >>> responses["kind"] = np.where(responses["question"] == "recommend", "nps", "rating")
    >>> responses["scale_low"] = np.where(responses["kind"] == "nps", 0, 1)
    >>> responses["scale_high"] = np.where(responses["kind"] == "nps", 10, 5)
    >>> drivers(responses)[["driver", "estimate", "low", "high", "n", "noise_floor", "rank", "role"]].round(3)
         driver  estimate    low   high    n  noise_floor  rank       role
    0  delivery     0.533  0.476  0.589  400        0.006     1  not clear
    1     staff     0.144  0.100  0.197  400        0.006     2  not clear
    2   weather     0.005  0.000  0.022  400        0.006     3  not clear
    """
    intervals.tails(level)
    score = outcome if isinstance(outcome, Score) else Score(outcome)
    refuse_unknown("outcome", score.name, SCORING)
    names = _keys(by)
    expr = expression(responses)
    need(expr, [*names, "kind", PEOPLE, "question", "score", "scale_low", "scale_high"], asks="drivers")
    kind, _, made_of = SCORING[score.name]
    asked = Asked("drivers", kind, names, score.question, score.weight, score.scale, cluster=score.cluster)
    scored = asked.tally(responses)
    what = _what(expr)
    ratings = Asked("drivers", "rating", [*names, *what], None, score.weight, None, each_question=True, cluster=score.cluster)
    rated = ratings.tally(responses)
    known = _known(rated, what, score)
    reason = scored.reason or rated.reason or _refused(known)
    if not reason:
        made_of(scored, asked)  # refuses the scales on which the score is not known
        found = Occasions.asked(expr, asked, ratings, known)
        frame, reasons = _measured(found, rated, known, names, level)
        reason = (reasons or [KINDS["rating"]])[0] if frame["estimate"].isna().all() else ""
    if reason:
        return nothing(keys=[*names, "driver"], counts=_COUNTS, reason=reason)
    scales = scored.groups[["scale_low", "scale_high"]].drop_duplicates()
    ends: list[int | None] = scales.iloc[0].tolist() if len(scales) == 1 else [None, None]
    frame = frame.assign(measure="driver_importance" + "_weighted" * bool(score.weight), outcome=score.name, level=level)
    frame[["outcome_low", "outcome_high"]] = pd.DataFrame([ends] * len(frame), index=frame.index, dtype="Int64")
    frame = frame.sort_values([*names, "driver"], na_position="last", kind="stable")
    frame = frame[[*names, "driver", *RESULT, *_COUNTS]].astype(_COUNTS).reset_index(drop=True)
    frame.attrs["notes"] = _notes(frame, found, scored, reasons)
    return frame


def _keys(by: str | Sequence[str]) -> list[str]:
    names = key_names(by, [*_COUNTS, "driver"])
    for name in names:
        if name in {"touchpoint", "question"}:
            raise ValueError(f"by: '{name}' tells the drivers apart and cannot be a key")
    return names


def _what(expr: ir.Table) -> list[str]:
    """The columns that tell what was rated: the touchpoint, where one is named, and the question."""
    if "touchpoint" not in expr.columns:
        return ["question"]
    rated = expr.filter(expr["kind"] == "rating")
    named = int(ask(rated.aggregate(named=rated["touchpoint"].count()))["named"].iloc[0])
    return ["touchpoint", "question"] if named else ["question"]


def _known(rated: Tally, what: Sequence[str], score: Score) -> pd.DataFrame:
    """Every driver once: its name, its touchpoint and its question. The score itself is none."""
    if rated.reason:
        return pd.DataFrame()
    if rated.groups["low_is_good"].any():
        raise TableError("drivers: some ratings are declared with low as good. Turn them first, so that high is good in all.")
    groups = rated.groups if "touchpoint" in what else rated.groups.assign(touchpoint=None)
    return Occasions.named(groups[groups["question"] != score.question] if score.name == "ratings" else groups)


def _refused(known: pd.DataFrame) -> str:
    """Why no drivers can be compared, by their number alone; empty where they can."""
    if len(known) > MOST:
        return f"{len(known)} parts of the experience were rated, and at most {MOST} can be told apart: leave some out."
    return "" if len(known) else KINDS["rating"]


def _measured(found: Occasions, rated: Tally, known: pd.DataFrame, names: list[str], level: float) -> tuple[pd.DataFrame, list[str]]:
    """A row for each group and driver, with all its numbers; and, in words, which groups and drivers have none."""
    frame = _performance(rated, level)
    named = frame if "touchpoint" in frame else frame.assign(touchpoint=None)
    at = alike([known, named], ["touchpoint", "question"])[1]
    frame = frame.assign(at=at, group=alike([found.groups, frame], names)[1])[at < len(known)]
    parts, reasons = [], []
    for place in np.unique(frame["group"]).tolist():
        rows = frame[frame["group"] == place]
        boxes = {int(driver): Boxes.of(rated.counts[row][: high - low + 1], low) for row, driver, low, high in _scales(rows)}
        group = f"{', '.join(str(rows[name].iloc[0]) for name in names)}: " if names else ""
        told = Explained.of(found, place, boxes, level=level) if place < len(found.groups) else None
        if told is not None and told.reason:
            reasons.append(group + told.reason)
        elif told is not None:
            reasons += [f"{group}{known['driver'][driver]} is not compared: {why}." for driver, why in sorted(told.left_out.items())]
        parts.append(_told(rows, known, found, told, place))
    return pd.concat(parts, ignore_index=True), reasons


def _scales(rows: pd.DataFrame) -> Iterator[tuple[int, int, int, int]]:
    return rows[["at", "scale_low", "scale_high"]].itertuples(name=None)


def _performance(rated: Tally, level: float) -> pd.DataFrame:
    """The mean of every rating, as `ratings` has it."""
    (number,) = SCORING["ratings"][2](rated, rated.asked) if rated.asked else []
    known = Base.of(rated, number.worth)
    mean, low, high = number.interval(rated, known, level)
    return rated.groups.drop(columns=["since", "until"]).assign(performance=mean, performance_low=low, performance_high=high)


def _told(rows: pd.DataFrame, known: pd.DataFrame, found: Occasions, told: Explained | None, place: int) -> pd.DataFrame:
    """The rows of one group with what is known of its drivers."""
    at = rows["at"].to_numpy()
    group = found.groups.iloc[place] if told is not None else None
    together = found.together(place).diagonal()[at]
    columns: dict[str, Any] = {name: np.full(len(rows), np.nan) for name in _NUMBERS}
    columns |= {} if told is None else {name: values[at] for name, values in told.columns.items()}
    rows = rows.assign(
        driver=known["driver"].to_numpy()[at], n=together, missing=0 if group is None else int(group["occasions"]) - together, **columns
    )
    rows["n_people"] = 0 if group is None else group[[f"p{driver}" for driver in at]].to_numpy(dtype="int64")
    is_known = rows["estimate"].notna()
    rows["above_noise"] = (rows["low"] > rows["noise_floor"]).astype("boolean").where(is_known)
    for bound in ("rank_low", "rank_high"):
        rows[bound] = rows[bound].astype("Int64")
    rows["rank"] = rows["rank_low"].where(rows["rank_low"] == rows["rank_high"])
    rows["role"] = [None if told is None else told.roles.get(driver) for driver in at]
    rows["equal_part"] = rows["r_squared"] / max(int(is_known.sum()), 1)
    # Ratings on scales of different length are compared by how far up each they lie.
    reach = rows["scale_high"] - rows["scale_low"]
    middle = ((rows["performance"] - rows["scale_low"]) / reach)[is_known].mean()
    rows["performance_of_all"] = (rows["scale_low"] + reach * middle).where(is_known)
    rows["priority"] = _priorities(rows)
    for bound in ("since", "until"):
        rows[bound] = None if group is None else dates(pd.Series([group[bound]] * len(rows), index=rows.index))
    return rows


def _notes(frame: pd.DataFrame, found: Occasions, scored: Tally, reasons: list[str]) -> list[str]:
    """Whom the numbers rest on, what was not rated and what was assumed of it, and what is not compared."""
    answers, used = int(scored.n.sum()), int(found.groups["occasions"].sum())
    beside = "stand beside a rating of the same person on the same occasion; these are the base"
    notes = [f"Of {answers:,} answers, {used:,} {beside}."]
    missing = frame[frame["estimate"].notna()].groupby("driver")["missing"].sum()
    gone = missing[missing > 0].sort_values(ascending=False, kind="stable")
    if len(gone):
        named = ", ".join(f"{driver} {number:,}" for driver, number in gone.items())
        taken = "Nobody is left out for it: who did not rate a part is taken to be like those who did and agree in all they answered."
        notes.append(f"Not rated beside an answer (skipped, or not applicable): {named}. {taken}")
    return notes + reasons


def _priorities(rows: pd.DataFrame) -> list[str | None]:
    """What to do about each driver of a group: by its importance against an equal part, and its rating against the mean of all.

    Said only where it is settled: an important one is above the noise and no less than an equal part of what is
    explained; an unimportant one is not above the noise, or wholly below that part; and the interval of
    its rating is wholly to one side of the mean of the ratings.
    """
    known = rows["estimate"].notna()
    above = rows["above_noise"].fillna(False).to_numpy(dtype=bool)
    important = above & (rows["estimate"] >= rows["equal_part"])
    unimportant = ~above | (rows["high"] < rows["equal_part"])
    low, high = rows["performance_high"] < rows["performance_of_all"], rows["performance_low"] > rows["performance_of_all"]
    words = {(True, True): "raise first", (True, False): "keep up", (False, True): "later", (False, False): "leave"}
    settled = known & (important | unimportant) & (low | high)
    said = [words[bool(much), bool(worse)] for much, worse in zip(important, low, strict=True)]
    return [(word if sure else "not settled") if there else None for word, sure, there in zip(said, settled, known, strict=True)]
