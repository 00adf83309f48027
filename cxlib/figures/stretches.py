"""Stretches of a curve: its steps, put together until none is the doing of a few.

A curve has a step on every day of tenure on which somebody left, and many rest on one leaver. Whoever knows when a
customer came and went would find that step, and by reason read off why. So days are shown that leave, between one and the
next, nobody or at least ``k`` who left. The first and the last day stay; then come those that a reader asks for, then the
others in their order, each where what it parts still holds enough. A stretch at the end that does not is thereby part
of the one before, and of a curve with fewer than ``k`` leavers in all its two ends are left, without their number.

By reason all curves of a group have the same days, which are among those of the curve of all its leavers. In a stretch
each reason holds nobody or at least ``k``, and so do the reasons that are withheld, taken together; and where a group
leaves for more than one reason, two of them hold somebody: were it one, the reason of everybody in it would be known.

What a curve is at a day that is shown is exact, and rests on all days. The promise is that of one result, and of why they
left. Not promised is what is worked out from several: from curves of the same customers by other keys, at tenures asked
for by themselves, or of the next date; nor that nobody was gone on a day that is shown, as those at risk before and
after it tell how many were; nor anything against whoever knows the days of all customers, who can try which reasons
give the unrounded number.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.figures.numbers import DAYS_A_MONTH

#: Where fewer are at risk, a curve is drawn faint, and no number of it is quoted.
FEWEST = 30
#: Along what a curve goes in steps, and the count of those whose step it is.
_STEPS = {"tenure_days": "events", "gap_days": "returned"}
#: What a reader asks for first: tenures in months, or days after a purchase.
_ASKED = {
    "tenure_days": [months * DAYS_A_MONTH for months in (12, 6, 3, 1, 24, 36, 48, 60)],
    "gap_days": [90.0, 30.0, 180.0, 365.0],
}


Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
#: How many left after one place of a curve and up to another, for each reason.
Between = Callable[[int, int], Ints]


def stretched(frame: pd.DataFrame, *, keys: Sequence[str], k: int) -> pd.DataFrame:
    """The rows of curves that may be shown, each with the counts of its stretch; other results as they are.

    ``frame`` has ``withheld``. ``holds`` is the last day along the curve for which a row is known to hold.
    """
    axis = next((name for name, count in _STEPS.items() if name in keys and count in frame), None)
    if axis is None or not len(frame):
        return frame
    groups = [key for key in keys if key not in {axis, "end_reason"}]
    # Of a reason that is withheld the tenures with few at risk are still there.
    seen = frame["estimate"].notna() & (frame["n"] >= k)
    number = frame.groupby([*groups, "measure"], dropna=False, sort=False).ngroup()
    curves = [_curve(curve, axis, k) for _, curve in frame[seen].groupby(number)]
    # Pieces without rows would change the types of the others.
    return pd.concat([*([frame[~seen].assign(holds=frame[axis])] if not seen.all() else []), *curves]).sort_index()


def stretches_words(whole: pd.DataFrame, shown: pd.DataFrame, *, keys: Sequence[str], k: int) -> str:
    """That steps were put together; empty where none were."""
    if (~shown["withheld"]).sum() == (~whole["withheld"]).sum():
        return ""
    if "gap_days" in keys:
        return f"Days are given once at least {k} purchases were followed by another since the day before them."
    each = ", and of each reason nobody or as many" * ("end_reason" in keys)
    return f"Tenures are given once at least {k} customers have left since the one before{each}; events are counted since then."


def _curve(curve: pd.DataFrame, axis: str, k: int) -> pd.DataFrame:
    """One group's curve, or its curves by reason, on the days that may be shown."""
    lines = [line for _, line in curve.groupby("end_reason", sort=False)] if "end_reason" in curve else [curve]
    line = lines[0].assign(**{_STEPS[axis]: sum(each[_STEPS[axis]].to_numpy(dtype="int64") for each in lines)})
    days, stays = line[axis].to_numpy(dtype=float), _stays(line, axis)
    whole = bool(np.allclose(_fell(line, stays), line[_STEPS[axis]].to_numpy(dtype=float), rtol=0, atol=1e-5))
    asked = [int(np.searchsorted(days, day + 1e-6, side="right")) - 1 for day in _ASKED[axis]]
    half, steps = np.flatnonzero(stays <= 0.5)[:1], np.flatnonzero(line[_STEPS[axis]]) if whole else range(len(days))
    known = np.flatnonzero(line["n"] >= FEWEST)[-1:]
    first = [int(place) for place in (asked[0], *half, *known, *asked[1:]) if place >= 0]
    wanted = [*first, *(int(place) for place in steps)]
    if "end_reason" in curve:
        between = _by_reason(lines)
        of_all = _places(lambda first, last: between(first, last).sum(keepdims=True), len(days), wanted, k, first=first)
        places = _places(between, len(days), [place for place in wanted if place in of_all], k, first=first)
    else:
        places = _places(_of_all(line, axis, stays, whole=whole), len(days), wanted, k, first=first)
    holds = np.append(days[1:] - 1e-3, days[-1])[places] if whole else days[places]
    return pd.concat([_merged(each, axis, places, k, whole=whole).assign(holds=holds) for each in lines])


def _stays(line: pd.DataFrame, axis: str) -> Floats:
    """The share that is left of all, whatever the curve says of it."""
    share = line["still_there" if "still_there" in line else "estimate"].to_numpy(dtype=float)
    return 1 - share if axis == "gap_days" else share


def _fell(line: pd.DataFrame, stays: Floats) -> Floats:
    """How many of those at risk each step would take, were it all that happened since the row before: all of them, where no step lacks."""
    before = np.append(1.0, stays[:-1])
    fell: Floats = (1 - np.divide(stays, before, out=np.ones(len(stays)), where=before > 0)) * line["n"].to_numpy(dtype=float)
    return fell


def _of_all(line: pd.DataFrame, axis: str, stays: Floats, *, whole: bool) -> Between:
    """How many left between two rows; where steps between them are not given, how many did at least."""
    ended = np.cumsum(np.append(0, line[_STEPS[axis]].to_numpy(dtype="int64")))
    n, still = np.append(np.inf, line["n"].to_numpy(dtype=float)), np.append(1.0, stays)

    def between(first: int, last: int) -> Ints:
        known = int(ended[last + 1] - ended[first + 1])
        if not whole and still[last + 1] < still[first + 1]:
            known = max(known, 1, int((1 - still[last + 1] / still[first + 1]) * min(n[first + 1], n[last + 1]) + 1e-6))
        return np.array([known])

    return between


def _by_reason(lines: Sequence[pd.DataFrame]) -> Between:
    """How many left between two rows for each reason; for all that are withheld, together."""
    left = [(bool(line["withheld"].iloc[0]), np.append(0, line["left"].to_numpy(dtype="int64"))) for line in lines]
    held = [counts for withheld, counts in left if withheld]
    ended = np.stack([*(counts for withheld, counts in left if not withheld), *([np.sum(held, axis=0)] if held else [])])
    return lambda first, last: ended[:, last + 1] - ended[:, first + 1]


def _places(between: Between, many: int, wanted: Sequence[int], k: int, *, first: Sequence[int]) -> list[int]:
    """Places of a curve that part it into stretches of enough who left: its ends, and of those wanted, in turn, each that may."""
    several = np.count_nonzero(between(-1, many - 1)) > 1

    def enough(first: int, last: int) -> bool:
        counts = between(first, last)
        return not ((counts > 0) & (counts < k)).any() and not (several and np.count_nonzero(counts) == 1)

    # Before the first row is the day of joining, on which nobody has left.
    shown = [-1, *([0] if enough(-1, 0) and many > 1 else []), many - 1]
    for place in wanted:
        after = bisect_left(shown, place)
        if place not in first and shown[after] < many - 1 and not between(place, shown[after]).any():
            continue  # It is what the next one is, and nobody asks for it.
        if shown[after] != place and enough(shown[after - 1], place) and enough(place, shown[after]):
            shown.insert(after, place)
    return shown[1:]


def summed(line: pd.DataFrame, places: list[int]) -> pd.DataFrame:
    """The rows of a curve at these places, each counting what happened since the one before."""
    found = line.iloc[places].copy()
    for name in (name for name in ("events", "censored", "returned", "open") if name in line):
        found[name] = _since(line[name].astype("Int64").cumsum(), places)
    return found


def _since(total: pd.Series, places: list[int]) -> pd.Series:
    """Of counts that add up along a curve, how many came since the place before."""
    at: pd.Series = total.iloc[places].astype("Int64")
    since: pd.Series = at.diff().fillna(at)
    return since


def _merged(line: pd.DataFrame, axis: str, places: list[int], k: int, *, whole: bool) -> pd.DataFrame:
    """The rows at these places, with the counts since the one before; none of fewer than ``k`` who left."""
    count, steps = _STEPS[axis], whole or "left" in line
    found = summed(line, places) if steps else line.iloc[places].copy()
    if "left" in line:
        found[count] = _since(line["left"], places)
    if "open" in line and whole:
        # Waiting ends on days without a row, too: all that are at risk no more, and were not followed.
        gone = line["returned"] + line["open"]
        before = (line["n"].shift() - line["n"] - gone.shift()).fillna(0)
        found["open"] = _since((before + gone).cumsum(), places) - found["returned"]
    found[count] = found[count].astype("Int64").mask((found[count] > 0) & (found[count] < k))
    return found
