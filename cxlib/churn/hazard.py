"""When the danger is: how many leave in a month, by how long they have been there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from cxlib.churn.ends import unreasoned
from cxlib.churn.lives import Floats, Lives, lives_of
from cxlib.churn.spells import life_table
from cxlib.stats import comparing, intervals, movement
from cxlib.tables import Table, assemble, nothing
from cxlib.tables.rows import key_names

_COUNTS = {
    "until_days": "float64", "customer_days": "float64", "left": "int64", "p_value": "float64", "p_corrected": "float64",
    "verdict": "object",
}  # fmt: skip
MONTH = 30.4375
#: Where one band of tenure ends and the next begins: after 1, 3 and 6 months, then at each year, later at some.
BANDS = tuple(MONTH * months for months in (1, 3, 6, 12, 24, 36, 48, 60, 84, 120))
#: Bands at the end that fewer customers have reached, of all groups together, are not given.
_FEWEST = 30


def hazard(
    customers: Table,
    *,
    as_of: str | date | None = None,
    by: str | Sequence[str] = (),
    edges: Sequence[float] = BANDS,
    level: float = 0.95,
) -> pd.DataFrame:
    """Share leaving in a month by how long they have been there, one row per group and band of tenure.

    Of those still there, the share, from 0 to 1, that leaves within a month of 30.4375 days:
    1 - exp(-30.4375 r), with r the number who left in the band for each day that customers
    spent in it. It says when the danger of leaving is greatest.

    Parameters
    ----------
    customers : pandas DataFrame or Ibis table, one row per spell of a customer
        Needs what `survival` needs.
    as_of : str or date, optional
        Last day counted, such as ``"2026-06-30"``. Needed where the table has dates.
    by : str or sequence of str, optional
        Columns to group by. By default all customers form one group. With ``"end_reason"``
        the danger of each end by itself: everybody still there may leave for any reason.
    edges : sequence of float, optional
        Tenures in days at which one band ends and the next begins. By default after 1, 3, 6
        and 12 months, each year up to five, 7 and 10 years.
    level : float, default 0.95
        Confidence level of the interval; 1 - ``level`` is the share of false findings.

    Returns
    -------
    DataFrame, one row per group and band, in their order
        =============  =====  ===================================================
        ``by`` ...            the group; a missing key is a group of its own
        tenure_days    float  where the band begins; its first day is the next one,
                              and that of joining in the first band
        measure        str    ``"hazard"``
        estimate       float  share leaving in a month, 0-1; missing where nobody was
                              there
        low, high      float  interval of the share
        level          float  confidence level of the interval
        n              int    customers who were at risk in the band
        until_days     float  last tenure of the band; missing in the last one
        customer_days  float  days that customers were at risk in it
        left           int    customers who left in the band
        p_value        float  of such a distance from the group's other bands or a larger
                              one, if they are all alike
        p_corrected    float  the same, all rows corrected together
        verdict        str    ``"above"`` or ``"below"`` the group's other bands, or
                              ``"cannot tell yet"``
        =============  =====  ===================================================

        Bands at the end that fewer than 30 customers have reached are not given. Without
        rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent or of another type, or a spell ends before it starts.
    ValueError
        If ``as_of`` is missing where the table has dates, ``edges`` do not rise from above 0,
        or ``level`` is not between 0 and 1.

    Warns
    -----
    UserWarning
        If customers left before they were observed; they are left out.

    See Also
    --------
    survival : the share still there, which these dangers bring about.
    cxlib.figures.hazard : the picture of this result.

    Notes
    -----
    The interval is the exact Poisson one [1]_, which has a width where nobody left. A band
    is set against all other bands of its group by the exact conditional test [2]_, corrected
    over all rows by Benjamini and Hochberg. A spell that begins on day e counts from e - 1/2:
    who joins or is first observed on a day is at risk on it.

    It misleads as an effect of time: those who stay are not those who joined. Where some are
    quick to leave and others never do, the danger falls with tenure although nobody's own
    does. Within a band it is taken to be level.

    References
    ----------
    .. [1] Garwood, F. (1936). Fiducial limits for the Poisson distribution. Biometrika 28.
    .. [2] Przyborowski, J., Wilenski, H. (1940). Homogeneity of results in testing samples
       from Poisson series. Biometrika 31, 313-323.

    Examples
    --------
    >>> customers = pd.DataFrame({"tenure_days": [10.0] * 40 + [400.0] * 60, "churned": [True] * 40 + [False] * 60})
    >>> found = hazard(customers, edges=[30.4375, 365.25])
    >>> found[["tenure_days", "estimate", "low", "high", "n", "left", "verdict"]].round(3)
       tenure_days  estimate    low   high    n  left          verdict
    0        0.000     0.414  0.318  0.517  100    40            above
    1       30.438     0.000  0.000  0.006   60     0            below
    2      365.250     0.000  0.000  0.052   60     0  cannot tell yet
    """
    intervals.tails(level)
    keys = key_names(by, ["tenure_days", *_COUNTS])
    names, bands = [name for name in keys if name != "end_reason"], _bands(edges)
    each = "end_reason" in keys
    cells, absent = life_table(customers, names, as_of, asks="hazard", reasons=each)
    if reason := absent or (unreasoned(cells) if each else ""):
        return nothing(keys=[*keys, "tenure_days"], counts=_COUNTS, reason=reason)
    groups = lives_of(cells, names, asks="hazard")
    kept = _reached([lives for _, lives in groups], bands)
    reasons = sorted({reason for _, lives in groups for reason in lives.ends}) if each else [None]
    frames = []
    for key, lives in groups:
        of_reasons = (_danger(lives, reason, bands[:, :kept], level).assign(end_reason=reason) for reason in reasons)
        frames.append(pd.concat(of_reasons).assign(**key))
    frame = pd.concat(frames)
    corrected = movement.benjamini_hochberg(frame["p_value"])
    words = (movement.ALIKE, movement.ABOVE, movement.BELOW)
    verdict = movement.verdicts(frame["apart"], corrected, np.zeros(len(frame), dtype=bool), level=level, words=words)
    frame = frame.assign(p_corrected=corrected, verdict=verdict)
    return assemble(frame, keys=[*keys, "tenure_days"], measure="hazard", level=level, counts=list(_COUNTS))


def _bands(edges: Sequence[float]) -> Floats:
    """Where each band begins and ends; the last has no end."""
    ends = np.asarray(list(edges), dtype=float)
    if not len(ends) or not np.isfinite(ends).all() or (np.diff(ends, prepend=0.0) <= 0).any():
        raise ValueError("edges: tenures in days that rise, from above 0, such as [30.4375, 91.3125, 365.25]")
    return np.stack([np.append(0.0, ends), np.append(ends, np.inf)])


def _reached(groups: Sequence[Lives], bands: Floats) -> int:
    """So many bands are given: all that enough customers of all groups have reached, and at least the first."""
    there = np.sum([_at_risk(lives, bands) for lives in groups], axis=0)
    enough = np.flatnonzero(there >= _FEWEST)
    return int(enough[-1]) + 1 if len(enough) else 1


def _at_risk(lives: Lives, bands: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Customers at risk at some time in each band: who had entered by its end, and had not ended by its beginning."""
    ended, begins = lives.events + lives.censored, np.where(bands[0] > 0, bands[0], -np.inf)
    entered = (lives.entered * (lives.tenure - 0.5 < bands[1][:, None])).sum(axis=1)
    found: np.ndarray[tuple[int], np.dtype[np.int64]] = entered - (ended * (lives.tenure <= begins[:, None])).sum(axis=1)
    return found


def _danger(lives: Lives, reason: str | None, bands: Floats, level: float) -> pd.DataFrame:
    own = lives.events if reason is None else lives.ends.get(reason, np.zeros_like(lives.events))
    # In the first band are the day of joining, and the half day before it.
    begins = np.where(bands[0] > 0, bands[0], -0.5)
    place = np.searchsorted(bands[1], lives.tenure)
    left = np.bincount(place[place < bands.shape[1]], own[place < bands.shape[1]], bands.shape[1])
    ended = ((lives.events + lives.censored) * np.clip(lives.tenure, begins[:, None], bands[1][:, None])).sum(axis=1)
    entered = (lives.entered * np.clip(lives.tenure - 0.5, begins[:, None], bands[1][:, None])).sum(axis=1)
    days = ended - entered
    others, elsewhere = left.sum() - left, days.sum() - days
    per_day, low, high = comparing.rate(left, days, level=level)
    by_the_rest = np.divide(others, elsewhere, out=np.zeros(len(days)), where=elsewhere > 0)
    return pd.DataFrame(
        {
            "tenure_days": bands[0],
            **{name: -np.expm1(-MONTH * bound) for name, bound in (("estimate", per_day), ("low", low), ("high", high))},
            "n": _at_risk(lives, bands),
            "until_days": np.where(np.isfinite(bands[1]), bands[1], np.nan),
            "left": left.astype("int64"),
            "customer_days": days,
            "p_value": comparing.rate_apart(left, days, others=others, elsewhere=elsewhere),
            "apart": np.where(days > 0, per_day, 0.0) - by_the_rest,
        }
    )
