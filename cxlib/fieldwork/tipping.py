"""What those who did not answer would have to think for a finding to be another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.tables import RESULT, TableError, nothing

Floats = npt.NDArray[np.float64]

_PAIR = ["before", "after"]
_COUNTS = {
    "change": "float64", "score_answered": "float64", "score_of_silent": "float64", "possible": "boolean", "to_target": "float64",
    "verdict": "object", "invited": "int64", "answered": "int64", "too_recent": "int64", "between": "object",
    "since_before": "object", "until_before": "object", "since": "object", "until": "object",
}  # fmt: skip
#: Where the scale of a score ends; a mean of ratings is on whatever scale its question has.
_SCALES = {
    "nps": (-100.0, 100.0), "nps_1_to_10": (-100.0, 100.0), "csat": (0.0, 1.0), "ces_share": (0.0, 1.0), "ces_mean": (1.0, 7.0),
    "ces_agreement": (1.0, 5.0), "ces_effort": (1.0, 5.0),
}  # fmt: skip


def tipping(moved: pd.DataFrame, rates: pd.DataFrame, *, target: float | None = None) -> pd.DataFrame:
    """By how much those who did not answer would have to differ to erase a change, one row per change.

    How much lower than those who answered the silent of the later period would have to
    score for the change to be none, in the unit of the score; below 0, how much higher.

    Parameters
    ----------
    moved : DataFrame
        What `movement` returned.
    rates : DataFrame
        What `response_rate` returned, by ``"wave"`` where waves are compared, else by
        ``"month"``; and by the columns of ``moved``. Any others are summed up.
    target : float, optional
        A score that is to be held, in the unit of the score.

    Returns
    -------
    DataFrame, one row per change, in the order of ``moved``
        ===============  =====  =================================================
        ``by`` ...              the group, as in ``moved``
        period, against         the later and the earlier period
        measure          str    ``"nps_tipping"``, and so on
        estimate         float  how much lower the silent would have to score;
                                missing where no invitation is known that had its time
        low, high        float  the same for both ends of the change's interval
        level            float  confidence level of the interval
        n                int    answers in the smaller of the two periods
        change           float  of the score, as in ``moved``
        score_answered   float  of those who answered, in the later period
        score_of_silent  float  what the silent would have to score
        possible         bool   whether anybody can score so; missing where the scale
                                is not known
        to_target        float  how much lower than those who answered the silent would
                                have to score for all to be at ``target``
        verdict          str    of the change, as in ``moved``
        invited          int    invitations in the later period that had their time
        answered         int    of them, answered in it
        too_recent       int    invitations of that period that did not have their time;
                                not in ``invited``
        between          str    how the periods are paired
        since_before, .. date   first and last day of the earlier answers
        since, until     date   first and last day of the later ones
        ===============  =====  =================================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If ``rates`` is not by the periods of ``moved``.
    ValueError
        If ``moved`` or ``rates`` is not what it should be.

    See Also
    --------
    movement : whether there is a change to erase.
    response_rate : how many are silent.

    Notes
    -----
    The share r of those who answered is the response rate of the later period: of the
    invitations that had their time those that were answered in it, as `response_rate` counts;
    who may still answer is not taken for silent. With r answering, all of them score r A + (1 - r) Q, where those
    who answered score A and the silent Q. If the silent of the earlier period scored like
    those who answered then, the change d of the score is none where Q = A - d / (1 - r).
    A difference that was there in both periods alike erases nothing. The interval takes
    the response rate as known. The finding is sound where no silent customer could
    reasonably be so different; it is a tipping point, not an estimate [1]_.

    It misleads where few were ever invited: of them nothing is known at all. Late answers
    are in the score and count as none in the rate, which makes the silent a few more than
    they are.

    References
    ----------
    .. [1] Yan, X., Lee, S., Li, N. (2009). Missing data handling methods in medical device
       clinical trials. Journal of Biopharmaceutical Statistics 19(6), 1085-1098.

    Examples
    --------
    >>> from cxlib import survey
    >>> month = pd.to_datetime(["2026-01-01"] * 60 + ["2026-02-01"] * 60)
    >>> responses = pd.DataFrame({"month": month, "score": [10] * 40 + [8] * 10 + [3] * 10 + [10] * 20 + [8] * 10 + [3] * 30})
    >>> rates = pd.DataFrame({"month": month.unique().date, "measure": "response_rate", "n": 200, "answered": 60, "too_recent": 0})
    >>> found = tipping(survey.movement(responses), rates)
    >>> found[["period", "estimate", "change", "score_answered", "score_of_silent", "possible"]].round(1)
           period  estimate  change  score_answered  score_of_silent  possible
    0  2026-02-01     -95.2   -66.7           -16.7             78.6      True
    """
    _refuse(moved, rates)
    moved = moved.reset_index(drop=True)
    keys = [str(name) for name in moved.columns[: moved.columns.get_loc("measure")] if name not in _PAIR]
    shape = [*keys, "period", "against"]
    if reason := moved.attrs.get("reason") or rates.attrs.get("reason"):
        return nothing(keys=shape, counts=_COUNTS, reason=reason)
    waves = not all(isinstance(after, dt.date) for after in moved["after"])
    span, other = ("wave", "month") if waves else ("month", "wave")
    if span not in rates.columns and other in rates.columns:
        return nothing(keys=shape, counts=_COUNTS, reason=f"Response rates are known by {other}, and not by {span}.")
    wanted = [*keys, span]
    lacking = [name for name in wanted if name not in rates.columns]
    if lacking:
        raise TableError(f"tipping: the response rates are not by '{lacking[0]}'. Ask for them: by={wanted!r}.")
    invited, answered, too_recent = _invited(moved, rates, keys, waves=waves)
    silent = 1 - np.divide(answered, invited, out=np.full(len(invited), np.nan), where=invited > 0)
    wide = {name: _divided(moved[name], silent) for name in ("estimate", "low", "high")}
    base = moved["measure"].str.replace("_change", "", regex=False)
    score = moved["estimate_after"].to_numpy(dtype="float64")
    of_silent = score - wide["estimate"]
    ends = np.array([_SCALES.get(name.removesuffix("_weighted"), (np.nan, np.nan)) for name in base]).reshape(-1, 2)
    possible = pd.Series((of_silent >= ends[:, 0]) & (of_silent <= ends[:, 1]), dtype="boolean")
    columns: dict[str, Any] = {
        "period": moved["after"], "against": moved["before"], "measure": moved["measure"].str.replace("_change", "_tipping", regex=False),
        "change": moved["estimate"], "score_answered": score, "score_of_silent": of_silent,
        "possible": possible.mask(np.isnan(of_silent) | np.isnan(ends[:, 0])), "invited": invited.astype("int64"),
        "answered": answered.astype("int64"), "too_recent": too_recent.astype("int64"),
        "to_target": np.nan if target is None else _divided(score - target, silent),
    }  # fmt: skip
    frame = moved.assign(**wide, **columns)
    return frame[[*shape, *RESULT, *_COUNTS]].astype(_COUNTS)


def _refuse(moved: pd.DataFrame, rates: pd.DataFrame) -> None:
    if not {*_PAIR, "measure", "estimate_after"} <= set(moved.columns):
        raise ValueError("tipping: moved is no movement; it is what survey.movement(responses) returns")
    if not {"measure", "n", "answered", "too_recent"} <= set(rates.columns):
        raise ValueError("tipping: rates are no response rates; they are what fieldwork.response_rate(invitations, responses, …) returns")


def _divided(change: npt.ArrayLike, silent: Floats) -> Floats:
    change = np.asarray(change, dtype="float64")
    found: Floats = np.divide(change, silent, out=np.full(len(silent), np.nan), where=silent > 0)
    return found


def _invited(moved: pd.DataFrame, rates: pd.DataFrame, keys: Sequence[str], *, waves: bool) -> Floats:
    """Invitations of each later period (its wave, or its months) that had their time, those answered in it, and those too recent."""
    counted = rates[["n", "answered", "too_recent"]].to_numpy(dtype="float64")
    group = [_names([row[key] for key in keys]) for row in rates.to_dict("records")]
    found: Floats = np.zeros((3, len(moved)))
    for place, row in enumerate(moved.to_dict("records")):
        own = np.array([name == _names([row[key] for key in keys]) for name in group], dtype=bool)
        if waves:
            inside = (rates["wave"] == row["after"]).to_numpy(dtype=bool)
        else:
            months = pd.to_datetime(rates["month"])
            inside = months.between(_month(row["after"]), _month(row["until"] or row["after"])).to_numpy(dtype=bool)
        found[:, place] = counted[own & inside].sum(axis=0)
    return found


def _names(values: Sequence[object]) -> tuple[object, ...]:
    return tuple(None if pd.isna(value) else value for value in values)  # type: ignore[call-overload]


def _month(day: object) -> pd.Timestamp:
    when = pd.Timestamp(str(day)) if not isinstance(day, dt.date) else pd.Timestamp(day)
    return when.replace(day=1)
