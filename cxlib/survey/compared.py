"""Two sets of answers to one question, set against each other: staff and customers, early and late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.stats import movement as stats
from cxlib.survey.answers import Tally
from cxlib.survey.people import Base
from cxlib.survey.scoring import SCORING, Floats, Score, Scored, mean_changes
from cxlib.tables import RESULT, TableError
from cxlib.tables.rows import numbered
from cxlib.verdicts import judged

Ints = npt.NDArray[np.int64]

#: What is said of a difference, in the words of two sets that stand side by side.
VERDICTS = {stats.UP: "above", stats.DOWN: "below", stats.UNCHANGED: "no material difference", stats.OPEN: "cannot tell yet"}
_JUDGED = {
    "p_value": "float64", "p_corrected": "float64", "verdict": "object", "margin": "float64", "smallest_detectable": "float64",
    "n_to_tell": "Int64",
}  # fmt: skip
_OF_A_SIDE = {"estimate": "float64", "low": "float64", "high": "float64", "n": "int64", "good": "int64", "bad": "int64"}
_SCALE = ["scale_low", "scale_high", "low_is_good"]


def with_question(keys: Sequence[str], score: Score) -> list[str]:
    """The keys of a result; each rating question is a group of its own."""
    return [*(name for name in keys if name != "question"), "question"] if score.name == "ratings" else list(keys)


@dataclass(frozen=True)
class Side:
    """One of two sets of answers: what its columns are called, the tally that holds it, and which groups of that are its own."""

    name: str
    counted: Tally
    rows: npt.NDArray[np.bool_]

    def numbers(self, score: Score) -> list[Scored]:
        """What the score is made of in each group."""
        if self.counted.asked is None:
            return []
        return SCORING[score.name][2](self.counted, self.counted.asked)


@dataclass(frozen=True)
class _Sample:
    """One side of all comparisons: its number and base, and of each comparison the group in its tally; -1 where it has none."""

    counted: Tally
    number: Scored
    known: Base
    place: Ints

    def at(self, values: Any, absent: Any) -> Any:
        """The values of these groups, and ``absent`` where there is no group."""
        return at(values, self.place, absent)


def counts_of(names: Sequence[str]) -> dict[str, str]:
    """The columns of a comparison after the six of every result, and their types."""
    of_sides = {f"{column}_{name}": kind for column, kind in _OF_A_SIDE.items() for name in names}
    return {**_JUDGED, **of_sides, "scale_low": "int64", "scale_high": "int64", "since": "object", "until": "object"}


def differences(
    one: Side, other: Side, score: Score, *, keys: Sequence[str], called: str, margin: float | None, level: float
) -> pd.DataFrame:
    """The second side less the first, one row a group that either has; all verdicts corrected together.

    ``called`` ends the name of the measure: ``nps_gap``.
    """
    pairs = paired(one, other, keys)
    _refuse_bridge(one, other, pairs)
    frames, left = [], np.ones(len(pairs), dtype=bool)
    for number, against in zip(one.numbers(score), other.numbers(score), strict=True):
        has = [at(each.rows, pairs[side], False) for each, side in ((number, "one"), (against, "other"))]
        here = left & (has[0] | has[1])
        left &= ~here
        if not here.any():
            continue
        number.refuse_margin(margin)
        known = Base.of(one.counted, number.worth)
        same = other.counted is one.counted
        drawn = pairs[here].reset_index(drop=True)
        samples = (
            _Sample(one.counted, number, known, drawn["one"].to_numpy()),
            _Sample(other.counted, against, known if same else Base.of(other.counted, against.worth), drawn["other"].to_numpy()),
        )
        frames.append(_measured(drawn, samples, (one.name, other.name), called, margin, level))
    frame = pd.concat(frames, ignore_index=True)
    frame = judged(frame, stats.benjamini_hochberg(frame["p_value"]))
    frame = frame.assign(verdict=[VERDICTS[word] for word in frame["verdict"]])
    counts = counts_of([one.name, other.name])
    frame = frame.sort_values(list(keys), na_position="last", kind="stable") if keys else frame
    return frame[[*keys, *RESULT, *counts]].astype(counts).reset_index(drop=True)


def paired(one: Side, other: Side, keys: Sequence[str]) -> pd.DataFrame:
    """Every group that either side has: its keys, and where it stands in the tally of each, or -1."""
    there = [np.flatnonzero(side.rows) for side in (one, other)]
    groups = pd.concat(
        [side.counted.groups.iloc[rows][list(keys)] for side, rows in zip((one, other), there, strict=True)], ignore_index=True
    )
    number, each = numbered(groups, keys)
    place = np.full((2, len(each)), -1)
    place[0, number[: len(there[0])]] = there[0]
    place[1, number[len(there[0]) :]] = there[1]
    return each.assign(one=place[0], other=place[1])


def _refuse_bridge(one: Side, other: Side, pairs: pd.DataFrame) -> None:
    """Raise the letter about two sides that were asked on different scales."""
    known = pairs[(pairs["one"] >= 0) & (pairs["other"] >= 0)]
    scales = [side.counted.groups[_SCALE].iloc[known[name]].reset_index(drop=True) for side, name in ((one, "one"), (other, "other"))]
    apart = (scales[0] != scales[1]).any(axis=1)
    if apart.any():
        sides = ((side.name, frame[apart].iloc[0]) for side, frame in zip((one, other), scales, strict=True))
        words = "; ".join(
            f"{name}: {row['scale_low']} to {row['scale_high']}{', low is good' * bool(row['low_is_good'])}" for name, row in sides
        )
        asks = one.counted.asked.by_whom if one.counted.asked else ""
        raise TableError(
            f"{asks}: the question was asked on different scales ({words}), which have no common score. "
            "Compare answers on one scale, or name one question."
        )


def _measured(
    pairs: pd.DataFrame, samples: tuple[_Sample, _Sample], names: tuple[str, str], called: str, margin: float | None, level: float
) -> pd.DataFrame:
    """Each side with its interval, and the difference with its own."""
    number = samples[0].number
    found, narrower = (_difference(samples, each) for each in (level, 2 * level - 1))
    n = [each.at(each.counted.n, 0) for each in samples]
    # What one more answer tells, of people who repeat themselves less.
    repeated = [
        np.divide(m, each.at(each.known.n_eff, 0.0), out=np.ones(len(pairs)), where=m > 0) for m, each in zip(n, samples, strict=True)
    ]
    asked = samples[0].counted.asked
    called += "_weighted" * bool(asked and asked.weight)
    measures = np.where(pairs["one"] >= 0, samples[0].at(number.measure, ""), samples[1].at(samples[1].number.measure, ""))
    columns: dict[str, Any] = {
        "measure": [f"{name}_{called}" for name in measures],
        "estimate": number.unit * found.estimate,
        "low": number.unit * found.low,
        "high": number.unit * found.high,
        "level": level,
        "n": np.minimum(*n),
        "p_value": found.p_value,
        "margin": np.nan if margin is None else margin,
        "smallest_detectable": number.unit * stats.smallest_change(found.std_error, level=level, freedom=found.freedom),
        "spread": number.unit**2 * sum(map(np.multiply, found.spreads, repeated)),
        "unchanged": False if margin is None else stats.within(narrower, margin / number.unit),
        **{name: _asked(samples, name) for name in _SCALE},
    }
    for name, each in zip(names, samples, strict=True):
        numbers = zip(("estimate", "low", "high"), each.number.interval(each.counted, each.known, level), strict=True)
        columns |= {f"{column}_{name}": number.unit * each.at(values, np.nan) for column, values in numbers}
        columns[f"n_{name}"] = each.at(each.counted.n, 0)
        columns[f"good_{name}"] = each.at((each.counted.counts * each.number.good).sum(axis=1), 0)
        columns[f"bad_{name}"] = each.at((each.counted.counts * each.number.bad).sum(axis=1), 0)
    days = {bound: pd.concat([_days(each, bound) for each in samples], axis=1) for bound in ("since", "until")}
    return pairs.assign(**columns, since=_first(days["since"]), until=_first(days["until"], last=True))


def _asked(samples: tuple[_Sample, _Sample], bound: str) -> Any:
    """What is known of the scale on which each pair was asked, from whichever side was."""
    one, other = (each.at(each.counted.groups[bound].to_numpy(), 0) for each in samples)
    return np.where(samples[0].place >= 0, one, other)


def _difference(samples: tuple[_Sample, _Sample], level: float) -> stats.Change:
    """The difference of every pair by the test of its form; means on each scale of their own."""
    number = samples[0].number
    freedom = (samples[0].at(samples[0].known.freedom, np.inf), samples[1].at(samples[1].known.freedom, np.inf))
    answers = [each.counted.scaled(each.known.n_eff) for each in samples]
    if number.form != "mean":
        first, second = (each.at(each.number.classes(given), 0.0) for each, given in zip(samples, answers, strict=True))
        test = {"net": stats.net_change, "share": stats.share_change}[number.form]
        return test(first, second, level=level, freedom=freedom)
    lows, highs = (_asked(samples, bound) for bound in ("scale_low", "scale_high"))
    widest = int((highs - lows).max()) + 1
    one, other = (_padded(each.at(given, 0.0), widest) for each, given in zip(samples, answers, strict=True))
    return mean_changes((one, other), lows, highs, freedom=freedom, correlation=np.zeros(len(lows)), level=level)


def _padded(answers: Floats, size: int) -> Floats:
    """Answers by score on a scale of so many; a tally that has no such scale may be narrower."""
    return np.pad(answers, ((0, 0), (0, max(size - answers.shape[1], 0))))[:, :size]


def _days(sample: _Sample, bound: str) -> pd.Series[Any]:
    return pd.Series(sample.at(sample.counted.groups[bound].to_numpy(dtype=object), None), dtype=object)


def _first(days: pd.DataFrame, *, last: bool = False) -> list[Any]:
    """The first of the days of both sides, or the last."""
    known = [[day for day in row if day is not None] for row in days.itertuples(index=False, name=None)]
    return [(max if last else min)(row) if row else None for row in known]


def at(values: Any, place: Any, absent: Any) -> Any:
    """The values of these groups, and ``absent`` where a place is -1."""
    values, place = np.asarray(values), np.asarray(place)
    chosen = values[np.maximum(place, 0)]
    return np.where((place < 0).reshape(-1, *[1] * (values.ndim - 1)), absent, chosen)
