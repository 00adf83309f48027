"""Which parts of the experience a score goes with: importance, how sure it is, and what could be raised first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlib.stats import intervals
from cxlib.stats.drivers import MOST
from cxlib.survey.answers import KINDS, PEOPLE, Asked, Tally
from cxlib.survey.explaining import Boxes, Explained, explained, priorities, role
from cxlib.survey.movement import Score
from cxlib.survey.occasions import Occasions, named_drivers, numbered, occasions
from cxlib.survey.people import Base
from cxlib.survey.scoring import SCORING
from cxlib.tables import RESULT, Table, TableError, ask, expression, need, nothing
from cxlib.tables.rows import dates, key_names

if TYPE_CHECKING:
    import ibis.expr.types as ir

_COUNTS = {
    "outcome": "object", "noise_floor": "float64", "above_noise": "boolean", "rank": "Int64", "rank_low": "Int64",
    "rank_high": "Int64", "johnson": "float64", "performance": "float64", "performance_low": "float64",
    "performance_high": "float64", "reward": "float64", "reward_low": "float64", "reward_high": "float64", "penalty": "float64",
    "penalty_low": "float64", "penalty_high": "float64", "asymmetry": "float64", "asymmetry_low": "float64",
    "asymmetry_high": "float64", "role": "object", "priority": "object", "missing": "int64", "n_people": "Int64",
    "r_squared": "float64", "scale_low": "int64", "scale_high": "int64", "since": "object", "until": "object",
}  # fmt: skip
_NUMBERS = (
    "estimate", "low", "high", "noise_floor", "johnson", "r_squared", "reward", "reward_low", "reward_high", "penalty", "penalty_low",
    "penalty_high", "asymmetry", "asymmetry_low", "asymmetry_high",
)  # fmt: skip


def drivers(
    responses: Table,
    *,
    outcome: str | Score = "nps",
    by: str | Sequence[str] = (),
    level: float = 0.95,
) -> pd.DataFrame:
    """DOC"""
    intervals.tails(level)
    score = outcome if isinstance(outcome, Score) else Score(outcome)
    if score.name not in SCORING:
        raise ValueError(f"outcome: {score.name!r} is none of {', '.join(map(repr, SCORING))}")
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
        found = occasions(expr, asked, ratings, known)
        frame, reasons = _measured(found, rated, known, names, level)
        reason = (reasons or [KINDS["rating"]])[0] if frame["estimate"].isna().all() else ""
    if reason:
        return nothing(keys=[*names, "driver"], counts=_COUNTS, reason=reason).astype(_COUNTS)
    frame = frame.assign(measure="driver_importance" + "_weighted" * bool(score.weight), outcome=score.name, level=level)
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
    return named_drivers(groups[groups["question"] != score.question] if score.name == "ratings" else groups)


def _refused(known: pd.DataFrame) -> str:
    """Why no drivers can be compared, by their number alone; empty where they can."""
    if len(known) > MOST:
        return f"{len(known)} parts of the experience were rated, and at most {MOST} can be told apart: leave some out."
    return "" if len(known) else KINDS["rating"]


def _measured(found: Occasions, rated: Tally, known: pd.DataFrame, names: list[str], level: float) -> tuple[pd.DataFrame, list[str]]:
    """A row for each group and driver, with all its numbers; and, in words, which groups and drivers have none."""
    frame = _performance(rated, level)
    named = frame if "touchpoint" in frame else frame.assign(touchpoint=None)
    at = numbered([known, named], ["touchpoint", "question"])[1]
    frame = frame.assign(at=at, group=numbered([found.groups, frame], names)[1])[at < len(known)]
    parts, reasons = [], []
    for place, rows in frame.groupby("group", sort=True):
        at = rows["at"].to_numpy()
        boxes = {int(driver): Boxes.of(rated.counts[row][: high - low + 1], low) for row, driver, low, high in _scales(rows)}
        group = f"{', '.join(str(rows[name].iloc[0]) for name in names)}: " if names else ""
        told = explained(found, int(place), boxes, level=level) if place < len(found.groups) else None
        if told is not None:
            reasons += [group + told.reason] if told.reason else []
            reasons += [f"{group}{known['driver'][driver]} is not compared: {why}." for driver, why in sorted(told.left_out.items())]
        parts.append(_told(rows, known, found, told, int(place)))
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
    best, worst = (np.zeros(len(rows)),) * 2 if told is None else (told.best[at], told.worst[at])
    rows["rank_low"], rows["rank_high"] = (pd.Series(each, index=rows.index).astype("Int64").where(is_known) for each in (best, worst))
    rows["rank"] = rows["rank_low"].where(rows["rank_low"] == rows["rank_high"])
    rows["role"] = [role(*ends) for ends in rows[["asymmetry_low", "asymmetry_high"]].itertuples(index=False)]
    rows["role"] = rows["role"].where(is_known, None)
    rows["priority"] = priorities(rows)
    for bound in ("since", "until"):
        rows[bound] = None if group is None else dates(pd.Series([group[bound]] * len(rows), index=rows.index))
    return rows


def _notes(frame: pd.DataFrame, found: Occasions, scored: Tally, reasons: list[str]) -> list[str]:
    """Whom the numbers rest on, what was not rated and what was assumed of it, and what is not compared."""
    answers, used = int(scored.n.sum()), int(found.groups["occasions"].sum())
    notes = [f"Of {answers:,} answers, {used:,} stand beside at least one rating of the same person on the same occasion; they are the base."]
    missing = frame[frame["estimate"].notna()].groupby("driver")["missing"].sum()
    gone = missing[missing > 0].sort_values(ascending=False, kind="stable")
    if len(gone):
        named = ", ".join(f"{driver} {number:,}" for driver, number in gone.items())
        notes.append(
            f"Not rated beside an answer (skipped, or not applicable): {named}. Nobody is left out for it: who did not rate a part is taken to "
            "be like those who did and who agree in all they answered."
        )
    return notes + reasons
