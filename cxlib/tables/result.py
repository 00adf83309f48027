"""The shape of every result: keys, measure, estimate, low, high, level, n, then the counts it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

RESULT = ("measure", "estimate", "low", "high", "level", "n")


def assemble(
    groups: pd.DataFrame,
    *,
    keys: Sequence[str],
    measure: str,
    level: float,
    counts: Sequence[str] = (),
) -> pd.DataFrame:
    """Put a frame that has keys, ``estimate``, ``low``, ``high``, ``n`` and counts into the shape of a result.

    Rows come in the order of the keys, a missing key last.
    """
    frame = groups.assign(measure=measure, level=level)
    if keys:
        frame = frame.sort_values(list(keys), na_position="last", kind="stable")
    return frame[[*keys, *RESULT, *counts]].reset_index(drop=True)


def nothing(*, keys: Sequence[str], counts: Mapping[str, str] | Sequence[str], reason: str) -> pd.DataFrame:
    """A result without rows, and the reason why; a picture of it says the reason."""
    frame = pd.DataFrame({name: pd.Series(dtype="object") for name in [*keys, *RESULT, *counts]})
    kinds = dict(counts) if isinstance(counts, Mapping) else {}
    frame = frame.astype({"estimate": float, "low": float, "high": float, "level": float, "n": "int64", **kinds})
    frame.attrs["reason"] = reason
    return frame
