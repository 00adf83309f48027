"""Who is most likely to leave next, and what speaks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlib.leaving.expected import drawn_chances, whole_days
from cxlib.leaving.model import FEW
from cxlib.stats import intervals
from cxlib.stats.intervals import Floats
from cxlib.tables import assemble, nothing

if TYPE_CHECKING:
    from cxlib.leaving.model import Model
    from cxlib.stats.cox import Fit

#: So many reasons are told of each customer, each at least by so much.
REASONS, _LEAST = 3, 1.05

_COUNTS = {
    "rank": "int64",
    **{f"{what}_{place}": kind for place in range(1, REASONS + 1) for what, kind in (("reason", "object"), ("times", "float64"))},
}


def at_risk(
    model: Model,
    *,
    days: int = 90,
    most: int = 100,
    level: float = 0.95,
) -> pd.DataFrame:
    """The customers most likely to leave within so many days, one row each, with reasons.

    The chance of leaving, from 0 to 1, of those who are there on the last day counted,
    the greatest first; and what goes with it most, against the average of all who are there.

    Parameters
    ----------
    model : Model
        What `model` returned.
    days : int, default 90
        How far to look ahead.
    most : int, default 100
        So many customers at most.
    level : float, default 0.95
        Confidence level of the interval.

    Returns
    -------
    DataFrame, one row per customer, the one most at risk first
        ==============  =====  ==================================================
        customer        str    identifier; nothing else that names anybody
        horizon_days    int    ``days``
        measure         str    ``"chance_of_leaving"``
        estimate        float  chance of leaving within the days, 0-1
        low, high       float  interval of that chance
        level           float  confidence level of the interval
        n               int    customers who are there, of whom these are the first
        rank            int    1 for the one most at risk
        reason_1, …     str    what goes with the hazard most, as ``"plan: Basic"``;
                               missing where nothing more goes with a twentieth more
        times_1, …      float  how many times the mean of all the hazard is by that alone
        ==============  =====  ==================================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    ValueError
        If ``days`` or ``most`` is not a whole number from 1, or ``level`` is not between
        0 and 1.

    See Also
    --------
    expected : how many will leave, of all.
    accuracy : how well such a ranking has done.
    cxlib.figures.at_risk : the list on a page, and as a file.

    Notes
    -----
    A reason is a covariate: its hazard ratio over the mean of those of all who are there.
    ``tenure`` is one too: the danger of the days ahead at this tenure over its mean. A few
    leavers of one tenure would put all who are at it on the list by chance: where fewer than
    50 left at the tenures ahead, the danger is the mean over as many days more before and
    after as it takes to hold 50 [2]_. So the chances add up to what `expected` says only
    nearly; `calibration` and `accuracy` are of chances such as these. Equal
    chances are ranked by identifier. The interval is of the chance, by parameters that
    could be true; whether a customer leaves is certain for none. Whoever did not agree to be
    part of analyses is left out at the door, in `cxlib.sources`, and is in no list.
    It misleads as a list of those who can be kept: who is most at risk need not be who can
    be moved, and what goes with leaving need not be its cause. Only a trial, with some
    left alone by lot, tells what an offer does.

    References
    ----------
    .. [1] Ascarza, E. (2018). Retention futility: targeting high-risk customers might be
       ineffective. Journal of Marketing Research 55(1), 80-98.
    .. [2] Tanner, M. A., Wong, W. H. (1983). The estimation of the hazard function from
       randomly censored data by the kernel method. Annals of Statistics 11(3), 989-993.

    Examples
    --------
    >>> from cxlib import leaving, sample
    >>> customers = sample.company(customers=300)["customers"]
    >>> fitted = leaving.model(customers, as_of="2026-06-30", of=["plan"])
    >>> at_risk(fitted, most=3)[["customer", "estimate", "rank", "reason_1", "times_1"]].round(3)
      customer  estimate  rank          reason_1  times_1
    0   C00100     0.115     1  tenure: 4 months    1.283
    1   C00272     0.115     2  tenure: 3 months    1.283
    2   C00273     0.115     3  tenure: 3 months    1.283
    """
    tail = intervals.tails(level)
    (horizon,), (number,) = whole_days([days], asks="at_risk"), whole_days([most], asks="at_risk", name="most")
    if model.fit is None or not len(model.there):
        reason = model.reason_absent or "No customer is there on the last day counted."
        return nothing(keys=["customer", "horizon_days"], counts=_COUNTS, reason=reason)
    rows = model.there.assign(estimate=model.left_within(horizon, smooth=True))
    order = np.lexsort((rows["tenure_days"], rows["customer"].astype(str), -rows["estimate"]))
    # Who has two spells is one customer.
    first = rows.iloc[order].drop_duplicates("customer")[:number]
    drawn = np.stack([chance[:, 0] for chance in drawn_chances(model, first, [horizon], smooth=True)])
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    frame = pd.DataFrame(
        {
            "customer": first["customer"],
            "horizon_days": horizon,
            "estimate": first["estimate"],
            "low": np.minimum(low, first["estimate"]),
            "high": np.maximum(high, first["estimate"]),
            "n": rows["customer"].nunique(),
            "rank": np.arange(1, len(first) + 1),
        }
    )
    reasons = _reasons(model, model.fit, first, horizon)
    frame = pd.concat([frame.reset_index(drop=True), reasons], axis=1)
    found = assemble(frame, keys=[], measure="chance_of_leaving", level=level, counts=list(_COUNTS))
    found.insert(0, "customer", frame["customer"])
    found.insert(1, "horizon_days", horizon)
    return found


def _reasons(model: Model, fit: Fit, first: pd.DataFrame, days: int) -> pd.DataFrame:
    """What goes with the hazard of these customers most, in words, and how many times the mean it is by that."""
    names = [*model.of, "tenure"]
    raised = np.stack([*(_effect(model, fit, name, first) for name in model.of), _danger(model, fit, first, days)], axis=1)
    words = [*([f"{name}: {value}" for value in first[name]] for name in model.of), _tenures(first)]
    order = np.argsort(-raised, axis=1, kind="stable")[:, :REASONS]
    found: dict[str, Any] = {}
    for place in range(REASONS):
        which = order[:, place] if place < len(names) else np.zeros(len(first), dtype="int64")
        by = raised[np.arange(len(first)), which]
        told = (by >= _LEAST) & (place < len(names))
        found[f"reason_{place + 1}"] = [words[column][row] if told[row] else None for row, column in enumerate(which)]
        found[f"times_{place + 1}"] = np.where(told, by, np.nan)
    return pd.DataFrame(found).astype({name: kind for name, kind in _COUNTS.items() if name in found})


def _effect(model: Model, fit: Fit, name: str, first: pd.DataFrame) -> Floats:
    """How many times the mean of all who are there a covariate makes the hazard of each."""
    own = np.array([covariate == name for covariate, _ in model.terms], dtype=bool)
    ratio = np.exp(model.covariates[:, own] @ fit.coefficients[own])
    return np.asarray(ratio[first["pattern"].to_numpy()] / ratio[model.there["pattern"].to_numpy()].mean())


def _danger(model: Model, fit: Fit, first: pd.DataFrame, days: int) -> Floats:
    """The same of the tenure, and of what has a danger of its own at each tenure."""

    def gathered(rows: pd.DataFrame) -> Floats:
        return fit.baseline.over(fit.stretch(rows["stratum"], rows["tenure_days"], days, least=FEW))

    return np.asarray(gathered(first) / gathered(model.there).mean())


def _tenures(rows: pd.DataFrame) -> list[str]:
    """``tenure: 14 months``"""
    months = (rows["tenure_days"].to_numpy(dtype=float) // 30.4375).astype(int)
    return ["tenure: under a month" if each < 1 else f"tenure: {each} month{'' if each == 1 else 's'}" for each in months]
