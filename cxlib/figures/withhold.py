"""Small groups: what may not be shown, decided before anything is drawn, said or handed on.

A group with fewer than ``k`` answers is withheld. A single withheld group could be worked out as
the total less all others, so the groups withheld along any one key must be at least two and hold
at least ``k`` together: the next smallest goes with them until they do. The group of those whose key is
missing is withheld like any other, but no group is withheld for its sake: nobody knows who is in it.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cxlib.figures.measures import AXES

#: Keys whose values share their respondents: the total over them says nothing about one of them.
_SHARED = (*AXES, "question")


def withheld(frame: pd.DataFrame, *, keys: Sequence[str], k: int) -> pd.DataFrame:
    """Two columns beside ``frame``: ``small`` (0 < n < k) and ``beside`` (withheld to keep a small one from being worked out)."""
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
            part = sizes[number == each]
            part = part[part[key].notna()]
            hidden, open_ = part[part["hidden"]], part[~part["hidden"] & (part["size"] > 0)]
            exposed = len(hidden) == 1 or (len(hidden) > 1 and hidden["size"].sum() < k)
            if exposed and len(open_):
                sizes.loc[open_["size"].idxmin(), "hidden"] = True
                more = True
    return more
