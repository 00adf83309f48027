"""Whether a score moved between two periods, and what it would take to tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.stats import intervals
from cxlib.stats import movement as stats
from cxlib.survey.answers import PEOPLE, PERIOD, Asked, Tally
from cxlib.survey.people import Base, base, in_both
from cxlib.survey.periods import Periods, periods
from cxlib.survey.scoring import SCORING, Scored, classes, effective
from cxlib.tables import RESULT, Table, TableError, nothing
from cxlib.tables.rows import key_names

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_BOTH = ("estimate", "n", "good", "bad")
_COUNTS = {
    "p_value": "float64", "p_corrected": "float64", "verdict": "object", "better": "boolean", "margin": "float64",
    "smallest_detectable": "float64", "n_to_tell": "Int64", "estimate_before": "float64", "estimate_after": "float64",
    "n_before": "int64", "n_after": "int64", "good_before": "int64", "good_after": "int64", "bad_before": "int64",
    "bad_after": "int64", "n_both": "Int64", "since_before": "object", "until_before": "object", "since": "object",
    "until": "object",
}  # fmt: skip
_AXIS = ["before", "after"]


@dataclass(frozen=True)
class Score:
    """A score with what its own function is told beside the table: ``Score("csat", question="support", weight="weight")``.

    ``name`` is that of the function: ``"nps"``, ``"csat"``, ``"ces"`` or ``"ratings"``; the others mean what they mean
    there.
    """

    name: str
    question: str | None = None
    weight: str | None = None
    cluster: str | None = PEOPLE
    scale: tuple[int, int] | None = None


def movement(
    responses: Table,
    *,
    measure: str | Score = "nps",
    by: str | Sequence[str] = (),
    between: str | tuple[str, str] = "month",
    margin: float | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    intervals.tails(level)
    if level <= 0.5:
        raise ValueError(f"level: {level} is not above 0.5, and a verdict needs more than a toss of a coin; for 95 % write 0.95")
    if margin is not None and not margin > 0:
        raise ValueError(f"margin: {margin} is no size of a change; it is above 0, in the unit of the score")
    score = measure if isinstance(measure, Score) else Score(measure)
    if score.name not in SCORING:
        raise ValueError(f"measure: {score.name!r} is none of {', '.join(map(repr, SCORING))}")
    keys = _keys(by, score)
    spans = periods(responses, between, asks="movement")
    kind, usual, made_of = SCORING[score.name]
    scale = score.scale or (None if "scale_low" in responses.columns else usual)
    asked = Asked(
        "movement", kind, [*keys, PERIOD], score.question, score.weight, scale,
        each_question=score.name == "ratings", cluster=score.cluster, period=spans.number,
    )  # fmt: skip
    counted = asked.tally(responses)
    places = _placed(counted)
    reason = counted.reason or ("" if len(places) else spans.none) or ("" if _spread(places) >= spans.lag else spans.too_few)
    if reason:
        return nothing(keys=[*keys, *_AXIS], counts=_COUNTS, reason=reason).astype(_COUNTS)
    pairs = _pairs(counted, keys, places, spans.lag)
    _refuse_bridge(counted, pairs)
    frame = _compared(counted, pairs, made_of(counted, asked), spans, margin, level)
    frame = _judged(frame, margin, level)
    frame = frame.sort_values([*keys, "after"], na_position="last", kind="stable")
    return frame[[*keys, *_AXIS, *RESULT, *_COUNTS]].astype(_COUNTS).reset_index(drop=True)


def _keys(by: str | Sequence[str], score: Score) -> list[str]:
    names = key_names(by, [*_COUNTS, *_AXIS])
    for name in names:
        if name in {"month", "wave"}:
            raise ValueError(f"by: '{name}' is what is compared and cannot be a key; say which with between=")
    return [*(name for name in names if name != "question"), "question"] if score.name == "ratings" else names


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
    group = groups.groupby(keys, dropna=False, sort=False).ngroup().to_numpy() if keys else np.zeros(len(groups), dtype="int64")
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
        here = [frame[apart].iloc[0] for frame in (one, other)]
        words = " and then from ".join(f"{row['scale_low']} to {row['scale_high']}{', low is good' * bool(row['low_is_good'])}" for row in here)
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
            if margin is not None and number.form == "share" and margin >= 1:
                raise ValueError(f"margin: {margin:g} is no part of a share, which goes from 0 to 1; for five in a hundred write 0.05")
            frames.append(_changes(counted, pairs[here].reset_index(drop=True), number, spans, margin, level))
    return pd.concat(frames, ignore_index=True)


def _changes(
    counted: Tally, pairs: pd.DataFrame, number: Scored, spans: Periods, margin: float | None, level: float
) -> pd.DataFrame:
    known = base(counted, number.worth)
    both = _both(counted, pairs, number, known, spans.lag)
    sides = [pairs["first"].to_numpy(), pairs["second"].to_numpy()]
    freedom = tuple(_at(known.freedom, side, np.inf) for side in sides)

    def change(at: float) -> stats.Change:
        return _change(counted, sides, number, known, (freedom[0], freedom[1]), both["correlation"].to_numpy(), at)

    found, narrower = change(level), change(2 * level - 1)
    n = [_at(counted.n, side, 0) for side in sides]
    spread = (n[0] * found.variances[0] + n[1] * found.variances[1]) * found.std_error**2 / sum(found.variances)
    unit, low_is_good = number.unit, counted.groups["low_is_good"].to_numpy()[pairs["any_row"]]
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
        "low_is_good": low_is_good,
        "n_both": both["both"].astype("Int64"),
        "before": [spans.label(int(place) - spans.lag) for place in pairs["place"]],
        "after": [spans.label(int(place)) for place in pairs["place"]],
    }
    total = counted.weights.sum(axis=1)
    mean = np.divide((counted.weights * number.worth).sum(axis=1), total, out=np.full_like(total, np.nan), where=total > 0)
    for side, name in zip(sides, _AXIS, strict=True):
        columns[f"estimate_{name}"] = unit * _at(mean, side, np.nan)
        columns[f"n_{name}"] = _at(counted.n, side, 0)
        columns[f"good_{name}"] = _at((counted.counts * number.good).sum(axis=1), side, 0)
        columns[f"bad_{name}"] = _at((counted.counts * number.bad).sum(axis=1), side, 0)
        for bound in ("since", "until"):
            day = np.append(counted.groups[bound].to_numpy(dtype=object), None)[side]
            columns[bound if name == "after" else f"{bound}_before"] = pd.Series(day, dtype=object)
    return pairs.assign(**columns)


def _both(counted: Tally, pairs: pd.DataFrame, number: Scored, known: Base, lag: int) -> pd.DataFrame:
    """How many people of each pair answered in both periods, and how far that makes the two estimates alike.

    The covariance is the linearised one; its share of the two linearised variances is the correlation.
    """
    clusters = known.clusters
    if clusters is None:
        return pd.DataFrame({"both": pd.array([pd.NA] * len(pairs), dtype="Int64"), "correlation": 0.0})
    shared = in_both(counted, number.worth, lag)
    keys = [name for name in counted.asked.names if name != PERIOD] if counted.asked else []
    # Keys may be missing, and a missing one is a group of its own: groups are told apart by number.
    joint = pd.concat([pairs[keys], shared[keys]]).groupby(keys, dropna=False, sort=False).ngroup().to_numpy() if keys else None
    left = pairs[["place"]].assign(group=joint[: len(pairs)] if joint is not None else 0)
    right = shared.rename(columns={PERIOD: "place"}).assign(group=joint[len(pairs) :] if joint is not None else 0)
    right["place"] = right["place"].astype("int64")
    sums = left.merge(right[["group", "place", "both", "aa", "ab", "ba", "bb"]], on=["group", "place"], how="left").fillna(0.0)
    sides = [pairs["first"].to_numpy(), pairs["second"].to_numpy()]
    (mean, other), (total, other_total) = ([_at(values, side, 0.0) for side in sides] for values in (clusters.mean, clusters.a))
    own = clusters.bb - 2 * clusters.mean * clusters.ab + clusters.mean**2 * clusters.aa
    together = sums["bb"] - other * sums["ba"] - mean * sums["ab"] + mean * other * sums["aa"]
    scale = np.sqrt(np.maximum(_at(own, sides[0], 0.0) * _at(own, sides[1], 0.0), 0))
    alike = np.divide(together, scale, out=np.zeros(len(pairs)), where=scale > 0)
    named = _at(known.people.notna().to_numpy(), sides[0], False) | _at(known.people.notna().to_numpy(), sides[1], False)
    return pd.DataFrame({"both": sums["both"].astype("Int64").where(named), "correlation": np.clip(alike, -1, 1)})


def _change(
    counted: Tally, sides: list[Ints], number: Scored, known: Base, freedom: stats.Freedom, alike: Floats, level: float
) -> stats.Change:
    """The change of every pair by the test of its form; means on each scale of their own."""
    answers = effective(counted, known.n_eff)
    if number.form != "mean":
        compared = classes(answers, number)
        test = {"net": stats.net_change, "share": stats.share_change}[number.form]
        return test(*(_at(compared, side, 0.0) for side in sides), level=level, freedom=freedom, correlation=alike)
    first = np.where(sides[0] >= 0, sides[0], sides[1])
    found = np.full((8, len(first)), np.nan)
    for rows, scores in counted.scales():
        here = np.flatnonzero(rows[first])
        pair = [_at(answers[:, : len(scores)], side[here], 0.0) for side in sides]
        free = (np.asarray(freedom[0])[here], np.asarray(freedom[1])[here])
        change = stats.mean_change(*pair, scores, level=level, freedom=free, correlation=alike[here])
        found[:, here] = (
            change.estimate, change.low, change.high, change.p_value, change.std_error, *change.variances, change.freedom,
        )  # fmt: skip
    estimate, low, high, p_value, std_error, variance, variance_after, freedom_of_both = found
    return stats.Change(estimate, low, high, p_value, std_error, (variance, variance_after), freedom_of_both)


def _at(values: Any, side: Ints, absent: Any) -> Any:
    """The values of these groups, and ``absent`` where there is no group."""
    values = np.asarray(values)
    chosen = values[np.maximum(side, 0)]
    none = (side < 0).reshape(-1, *[1] * (values.ndim - 1))
    return np.where(none, absent, chosen)


def _judged(frame: pd.DataFrame, margin: float | None, level: float) -> pd.DataFrame:
    """All changes corrected together, then judged; what is open says what would settle it."""
    corrected = stats.benjamini_hochberg(frame["p_value"])
    verdict = stats.verdicts(frame["estimate"], corrected, frame["unchanged"], level=level)
    raised = np.divide(corrected, frame["p_value"], out=np.ones(len(frame)), where=frame["p_value"] > 0)
    wanted = frame["estimate"] if margin is None else np.full(len(frame), margin)
    needed = stats.answers_to_tell(frame["spread"], wanted, level=level, stricter=raised, margin=margin is not None)
    is_open = np.array([word == stats.OPEN for word in verdict])
    moved = np.array([word in {stats.UP, stats.DOWN} for word in verdict])
    better = pd.Series((frame["estimate"] > 0) != frame["low_is_good"], index=frame.index, dtype="boolean").where(moved)
    # More answers than there are people on earth tell nobody anything.
    needed = pd.Series(np.where(is_open & (needed < 1e10), needed, np.nan), index=frame.index).astype("Int64")
    return frame.assign(p_corrected=corrected, verdict=verdict, better=better, n_to_tell=needed)
