"""Small groups: what may not be shown, decided before anything is drawn, said or handed on.

A group with fewer than ``k`` answers is withheld. A single withheld group could be worked out as
the total less all others, so the groups withheld along any one key must be at least two and hold
at least ``k`` together: the next smallest goes with them until they do. A group without a key is withheld
like any other, but no group is withheld for its sake: that a value is missing is no quality by which who reads
the page could recognise anybody, and to hide a whole group for it would take more from the reader than it gives.
It is the last to be withheld for another's. A change is withheld where one of its two periods is: it would give
that one away. So is a difference of two sets of answers, for the sake of either; and what a few late answers
changed, which would tell what they said.
A group is withheld where the rest it is set against is small, and of a table of columns whole columns are.
A reason to leave is withheld where fewer than ``k`` left for it, however many were there who might have. Revenue lost is
withheld where fewer than ``k`` left or pay less, as it would tell what they paid; and so are the months before and after,
until those withheld to either side hold ``k`` with it: the revenue lost in a quarter, less that of its months that are shown,
would give it away. What those who left paid stands beside what others pay less only where both are of at least ``k``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from cxlib.figures.lettered import is_banner
from cxlib.figures.measures import AXES, Measure, counted

#: Keys of a change.
PAIR = ("before", "after")

#: Two sets of answers to one question that stand side by side in a row, the one that the other is measured against first.
SIDES = (("customers", "staff"), ("later", "early"))

#: What is known of a month at its close, and since.
OF_THE_CLOSE = ("restated", "estimate_closed", "low_closed", "high_closed", "n_closed", "late")

#: Keys whose values share their respondents: the total over them says nothing about one of them.
_SHARED = (*AXES, "question", "driver", "points")


def withheld(frame: pd.DataFrame, *, keys: Sequence[str], k: int) -> pd.DataFrame:
    """Two columns beside ``frame``: ``small`` (0 < n < k) and ``beside`` (withheld to keep a small one from being worked out)."""
    if set(PAIR) <= set(keys) and len(frame):
        return _of_changes(frame, [key for key in keys if key not in PAIR], k)
    if is_banner(keys) and len(frame):
        return _of_columns(frame, [key for key in keys if key in _SHARED], k)
    if {"end_reason"} <= set(keys) and "left" in frame and len(frame):
        return _of_reasons(frame, keys, k)
    if (sides := sides_of(frame.columns)) and len(frame):
        return _of_either(frame, [f"n_{side}" for side in sides], keys, k)
    if {"contraction", "left", "less"} <= set(frame.columns) and len(frame):
        return _of_losses(frame[[*keys, "measure", "n"]].assign(lost=frame["left"] + frame["less"]), keys=keys, k=k)
    if {"n", "valued"} <= set(frame.columns):
        # What a few with a value bring would tell what each of them does, however many are there.
        frame = frame.assign(n=_fewer(frame["n"], frame["valued"]))
    group = [key for key in keys if key not in AXES]
    base = "customers" if "customers" in frame else "n"
    if not len(frame):
        return pd.DataFrame({"small": False, "beside": False}, index=frame.index, dtype=bool)
    if not group:
        largest = frame[base].max()
        return pd.DataFrame({"small": bool(0 < largest < k), "beside": False}, index=frame.index)
    sizes = frame.groupby(group, dropna=False, sort=False)[base].max().rename("size").reset_index()
    sizes["small"] = (sizes["size"] > 0) & (sizes["size"] < k)
    sizes["hidden"] = sizes["small"]
    while _hide_more(sizes, group, k):
        pass
    sizes["beside"] = sizes["hidden"] & ~sizes["small"]
    # A merge on keys would not pair missing ones in every pandas; the number of the group does.
    number = frame.groupby(group, dropna=False, sort=False).ngroup().to_numpy()
    found: pd.DataFrame = sizes[["small", "beside"]].iloc[number].set_index(frame.index)
    if "n_rest" in frame:
        found["beside"] |= (frame["n_rest"] > 0) & (frame["n_rest"] < k) & (frame["n"] > 0) & ~found["small"]
    return found


def _fewer(n: pd.Series, of: pd.Series) -> pd.Series:
    """The number on which something rests: of those there, or of those of them that have any of it."""
    return n.where(of == 0, n.where(n < of, of))


def few_words(measure: Measure, columns: Iterable[str], k: int) -> str:
    """``fewer than 5 customers``; where not only who was there counts, but who left or pays less, that is said."""
    found = set(columns)
    more = " there, or who left or pay less" if {"contraction", "lost_before"} & found else " who left" if "end_reason" in found else ""
    return f"fewer than {counted(k, *measure.base)}{more}"


def sides_of(columns: Iterable[str]) -> tuple[str, str] | None:
    """The two sets of answers that a result sets against each other; None where it does not."""
    return next((pair for pair in SIDES if {f"n_{side}" for side in pair} <= set(columns)), None)


def is_apart(counts: Iterable[str]) -> bool:
    """Whether a result with these counts holds groups that stay longer or shorter than the rest."""
    return bool({"stay_rest", "survival_rest"} & set(counts))


def few_late(frame: pd.DataFrame, *, keys: Sequence[str], k: int) -> pd.Series:
    """Whether the score at the close would tell what a few answers said: those that had come, or those that came late."""
    if not {"n_closed", "late"} <= set(frame.columns) or not len(frame):
        return pd.Series(False, index=frame.index, dtype=bool)
    found = _of_either(frame, ["n_closed", "late"], keys, k)
    return found["small"] | found["beside"]


def few_losses(frame: pd.DataFrame, *, keys: Sequence[str], k: int) -> pd.Series:
    """Whether what those who left paid, or what others pay less, would be told of a few."""
    if not {"contraction", "left", "less"} <= set(frame.columns) or not len(frame):
        return pd.Series(False, index=frame.index, dtype=bool)
    found = _of_either(frame, ["left", "less"], keys, k)
    return found["small"] | found["beside"]


def _of_losses(frame: pd.DataFrame, *, keys: Sequence[str], k: int) -> pd.DataFrame:
    """What is withheld of revenue lost, by how many customers it was ``lost`` of; the last key is the period."""
    number = frame.groupby(list(keys), dropna=False, sort=False).ngroup()
    # A period stands in two changes, and counts once.
    each = frame[~number.duplicated()].assign(number=number).reset_index(drop=True)
    flags = withheld(each[[*keys, "measure"]].assign(n=_fewer(each["n"], each["lost"])), keys=keys, k=k)
    series = each.groupby(list(keys[:-1]), dropna=False, sort=False).ngroup() if len(keys) > 1 else pd.Series(0, index=each.index)
    for _, part in each.sort_values(keys[-1]).groupby(series):
        lost, places = part["lost"].tolist(), part.index
        for at in flags["small"].loc[places].to_numpy().nonzero()[0]:
            for side in (range(at - 1, -1, -1), range(at + 1, len(lost))):
                held = lost[at]
                for place in side:
                    if held >= k:
                        break
                    flags.loc[places[place], "beside"] |= lost[place] > 0
                    held += lost[place]
    flags["beside"] &= ~flags["small"]
    return flags.set_axis(each["number"]).loc[number].set_axis(frame.index)


def _of_either(frame: pd.DataFrame, bases: Sequence[str], keys: Sequence[str], k: int) -> pd.DataFrame:
    """What is withheld for the sake of one of two bases."""
    known = [withheld(frame[[*keys, "measure"]].assign(n=frame[base].fillna(0).astype("int64")), keys=keys, k=k) for base in bases]
    small, beside = (known[0][name] | known[1][name] for name in ("small", "beside"))
    return pd.DataFrame({"small": small, "beside": beside & ~small}, index=frame.index)


def _of_reasons(frame: pd.DataFrame, keys: Sequence[str], k: int) -> pd.DataFrame:
    """The same by reason, from those who left for it: of curves in all, of bands of tenure in each; then from those who were there."""
    band = ["tenure_days"] if "until_days" in frame else []
    named = {key: f"{key} of a leaver" if key in {"end_reason", *band} else key for key in keys}
    own = [named[key] for key in keys if key in named and (key not in AXES or named[key] != key)]
    # What is beyond the last tenure with enough at risk is cut, and counts for nobody.
    counted = frame["left"].where(frame["n"] >= k, 0).fillna(0).astype("int64")
    sizes = frame[[*keys, "measure"]].rename(columns=named).assign(n=counted)
    left = withheld(sizes, keys=own, k=k)
    there = withheld(frame.drop(columns="left"), keys=keys, k=k)
    small, hidden = left["small"] | there["small"], (left | there).any(axis=1)
    # Where no other reason took anybody, that of a few is known by the reasons that took nobody: none is shown.
    of = [*(key for key in keys if key not in AXES), *band, "measure"]
    number = frame.groupby(of, dropna=False, sort=False).ngroup()
    few = sizes["n"].where(hidden, 0).groupby([number, frame["end_reason"]]).max().groupby(level=0).sum()
    hidden |= number.map((few > 0) & (few < k)) & (frame["n"] > 0)
    return pd.DataFrame({"small": small, "beside": hidden & ~small}, index=frame.index)


def _of_changes(frame: pd.DataFrame, groups: list[str], k: int) -> pd.DataFrame:
    """The same for changes, from the answers of each period: what is withheld of a series is withheld of its changes, too."""
    sides = [frame[[*groups, "measure"]].assign(period=frame[side], n=frame[f"n_{side}"]) for side in PAIR]
    losses = "lost_before" in frame
    if losses:
        sides = [part.assign(lost=frame[f"lost_{side}"]) for part, side in zip(sides, PAIR, strict=True)]
    both = pd.concat(sides, ignore_index=True)
    found = (_of_losses if losses else withheld)(both, keys=[*groups, "period"], k=k).to_numpy().reshape(2, len(frame), 2)
    small, beside = found[:, :, 0].any(axis=0), found[:, :, 1].any(axis=0)
    return pd.DataFrame({"small": small, "beside": beside & ~small}, index=frame.index)


def _of_columns(frame: pd.DataFrame, questions: list[str], k: int) -> pd.DataFrame:
    """The same for columns: each is withheld in all its rows, in view of the others of its breakdown and of the total."""
    of = [*questions, "breakdown", "group"]
    found = pd.DataFrame({"small": False, "beside": False}, index=frame.index)
    for _, part in frame.groupby([*questions, "breakdown"], dropna=False, sort=False):
        sizes = part.drop_duplicates("letter")
        flags = withheld(sizes[[*of, "letter", "n"]], keys=["group"], k=k)
        for flag in found:
            found.loc[part.index, flag] = part["letter"].isin(sizes.loc[flags[flag], "letter"])
    return found


def _hide_more(sizes: pd.DataFrame, group: Sequence[str], k: int) -> bool:
    """Withhold one more group in each slice that could still be worked out; False where none is left."""
    more = False
    for key in group:
        if key in _SHARED:
            continue
        others = [name for name in group if name != key]
        # By number, as pandas cannot list groups whose key is missing.
        number = sizes.groupby(others, dropna=False, sort=False).ngroup() if others else pd.Series(0, index=sizes.index)
        for each in range(int(number.max()) + 1):
            partner = _partner(sizes[number == each], group, k)
            if partner is not None:
                sizes.loc[partner, "hidden"] = True
                more = True
    return more


def _partner(part: pd.DataFrame, group: Sequence[str], k: int) -> Any:
    """The next group of a slice to withhold, the smallest; None where no small one can be worked out."""
    known = part[part[list(group)].notna().all(axis=1)]
    if not _exposed(known, k):
        return None
    if not _open(known).any():
        # The total less those without a key would give the small group away.
        known = part
    if not _exposed(known, k) or not _open(known).any():
        return None
    return known.loc[_open(known), "size"].idxmin()


def _exposed(part: pd.DataFrame, k: int) -> bool:
    sizes = part.loc[part["hidden"], "size"]
    return len(sizes) == 1 or bool(0 < sizes.sum() < k)


def _open(part: pd.DataFrame) -> pd.Series:
    return ~part["hidden"] & (part["size"] > 0)
