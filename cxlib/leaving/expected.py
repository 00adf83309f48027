"""How many of the customers who are there will leave, by when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.stats import forecast, intervals
from cxlib.stats.intervals import Floats
from cxlib.tables import assemble, did_you_mean, nothing
from cxlib.tables.rows import key_names

if TYPE_CHECKING:
    from cxlib.leaving.model import Model

#: Two streams of chance: which parameters could be true, and who then leaves.
_PARAMETERS, _LEAVERS = 61, 62
#: Customers are put beside each other by their chance within so many days, whatever the horizon.
_A_QUARTER = 91

_COUNTS = {"share": "float64", "low_share": "float64", "high_share": "float64"}


def expected(
    model: Model,
    *,
    days: Sequence[int] = (30, 90, 365),
    by: str | Sequence[str] = (),
    level: float = 0.95,
) -> pd.DataFrame:
    """Customers expected to leave by each horizon, one row per group and horizon.

    The sum of the chances of leaving of those who are there on the last day counted, in
    customers, with the bounds between which the true number will lie.

    Parameters
    ----------
    model : Model
        What `model` returned, for all ends.
    days : sequence of int, default (30, 90, 365)
        Horizons in days from the last day counted.
    by : str or sequence of str, optional
        Columns that the model knows, to group by. By default all customers form one group.
    level : float, default 0.95
        Level of the predictive interval.

    Returns
    -------
    DataFrame, one row per group and horizon, in their order
        =====================  =====  ===========================================
        ``by`` ...                    the group, as known on the last day counted
        horizon_days           int    days from then
        measure                str    ``"expected_leavers"``
        estimate               float  customers expected to leave by then
        low, high              float  whole customers, between which the number lies
        level                  float  level of that interval
        n                      int    customers who are there
        share                  float  ``estimate`` of ``n``, 0-1
        low_share, high_share  float  ``low`` and ``high`` of ``n``
        =====================  =====  ===========================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    ValueError
        If a horizon is not a whole number from 1, ``by`` is not known to the model, the
        model is of one reason alone, or ``level`` is not between 0 and 1.

    See Also
    --------
    backtest : whether such forecasts have held.
    at_risk : who they are.
    cxlib.figures.expected : the picture of this result.

    Notes
    -----
    The interval is a predictive one: parameters that could be true are drawn 250 times, and
    each customer then leaves or stays by chance, four times for each [1]_. It is of whole customers,
    so that it holds a little more often than promised where few leave. Numbers of groups
    add up, their bounds do not. Only those who are there count: nobody who joins later.
    It misleads where what is coming is unlike what has been (a price, a competitor, a
    season), or where what is known of customers changes within the horizon: they are taken
    to stay as they are. So the farther the horizon, the less it is to be trusted. Nor does
    the interval know that customers may leave together; `backtest` shows it.

    References
    ----------
    .. [1] Lawless, J. F., Fredette, M. (2005). Frequentist prediction intervals and
       predictive distributions. Biometrika 92(3), 529-542.

    Examples
    --------
    >>> from cxlib import leaving, sample
    >>> customers = sample.company(customers=300)["customers"]
    >>> fitted = leaving.model(customers, as_of="2026-06-30", of="plan")
    >>> expected(fitted, days=[90])[["horizon_days", "estimate", "low", "high", "n", "share"]].round(3)
       horizon_days  estimate  low  high    n  share
    0            90    14.645  8.0  22.0  184   0.08
    """
    intervals.tails(level)
    horizons = whole_days(days, asks="expected")
    names = key_names(by, ["horizon_days", *_COUNTS])
    of_all_ends(model, asks="expected")
    if model.fit is None or not len(model.there):
        reason = model.reason_absent or "No customer is there on the last day counted."
        return nothing(keys=[*names, "horizon_days"], counts=_COUNTS, reason=reason)
    for name in names:
        if name not in (known := [*model.of, *model.apart]):
            raise ValueError(f"expected: by is '{name}', which the model does not know.{did_you_mean(name, known)} Fit it with this in of.")
    cells = alike(model)
    place = np.zeros(len(cells), dtype="int64")
    if names:
        place = np.asarray(cells.groupby(names, sort=True, dropna=False).ngroup(), dtype="int64")
    customers = cells["customers"].to_numpy(dtype="int64")
    chance = chances(model, cells, horizons)
    estimate: Floats = np.stack([np.bincount(place, customers * column) for column in chance.T], axis=1).astype("float64")
    risk = chances(model, cells, [_A_QUARTER])[:, 0]
    drawn = forecast.leavers(drawn_chances(model, cells, horizons), customers, place, risk=risk, seed=_LEAVERS)
    low, high = forecast.predictive(drawn, estimate, level=level)
    first = cells.iloc[np.unique(place, return_index=True)[1]][names].reset_index(drop=True)
    frame = first.loc[first.index.repeat(len(horizons))].reset_index(drop=True)
    n = np.repeat(np.bincount(place, customers).astype("int64"), len(horizons))
    frame = frame.assign(horizon_days=np.tile(horizons, len(first)), estimate=estimate.ravel(), low=low.ravel(), high=high.ravel(), n=n)
    shares = {name: frame[of] / n for name, of in zip(_COUNTS, ("estimate", "low", "high"), strict=True)}
    return assemble(frame.assign(**shares), keys=[*names, "horizon_days"], measure="expected_leavers", level=level, counts=list(_COUNTS))


def of_all_ends(model: Model, *, asks: str) -> None:
    """Refuse a model of a single reason: it speaks of a world in which nobody leaves for another."""
    if model.reason:
        raise ValueError(
            f"{asks}: the model is of leaving by '{model.reason}' alone, as if nobody left for another reason first. "
            "For how many leave, fit it without reason."
        )


def alike(model: Model) -> pd.DataFrame:
    """Those who are there, counted: one row for each kind of customer and tenure, in a fixed order."""
    kinds = [*model.of, *model.apart, "pattern", "stratum", "tenure_days"]
    counted: pd.DataFrame = model.there.groupby(kinds, sort=True, dropna=False).size().rename("customers").reset_index()
    return counted


def whole_days(days: Sequence[int], *, asks: str, name: str = "days") -> list[int]:
    """Whole numbers from 1 in order, each once."""
    wrong = [each for each in days if isinstance(each, bool) or not isinstance(each, int | np.integer) or each < 1]
    if wrong or not len(days):
        raise ValueError(f"{asks}: {name} must be whole numbers from 1, not {wrong[0] if wrong else 'none'}")
    return sorted({int(each) for each in days})


def chances(model: Model, rows: pd.DataFrame, horizons: Sequence[int]) -> Floats:
    """The chance of leaving of each row, one column a horizon; missing where there is no model."""
    if model.fit is None:
        return np.full((len(rows), len(horizons)), np.nan)
    covariates, stratum = model.covariates[rows["pattern"].to_numpy()], rows["stratum"].to_numpy()
    tenure = rows["tenure_days"].to_numpy(dtype="float64")
    return np.stack([model.fit.left_within(covariates, stratum, tenure, days) for days in horizons], axis=1)


def drawn_chances(model: Model, rows: pd.DataFrame, horizons: Sequence[int]) -> Iterator[Floats]:
    """The same with parameters that could be true, drawn again and again."""
    rng = np.random.default_rng(_PARAMETERS)
    for _ in range(forecast.DRAWS):
        yield chances(model.drawn(rng), rows, horizons)
