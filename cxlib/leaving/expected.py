"""How many of the customers who are there will leave, by when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlib.leaving.model import FEW
from cxlib.stats import forecast, intervals
from cxlib.stats.forecast import Ints
from cxlib.stats.intervals import Floats
from cxlib.tables import assemble, did_you_mean, nothing
from cxlib.tables.rows import key_names

if TYPE_CHECKING:
    from cxlib.leaving.backtest import Past
    from cxlib.leaving.model import Model

#: Streams of chance: which parameters could be true, who then leaves, and which parameters meet which miss of the record.
_PARAMETERS, _LEAVERS, _MISSES = 61, 62, 64
#: Customers are put beside each other by their chance within so many days, whatever the horizon.
_A_QUARTER = 91

#: What stands beside an interval that the record of earlier forecasts has widened.
RECORD = {
    "model_low": "float64",
    "model_high": "float64",
    "forecasts": "int64",
    "expected_before": "float64",
    "left_before": "int64",
    "there_latest": "int64",
    "expected_latest": "float64",
    "left_latest": "int64",
}
_SHARES = {"share": "estimate", "low_share": "low", "high_share": "high"}
_COUNTS = dict.fromkeys(_SHARES, "float64") | RECORD


def expected(
    model: Model,
    *,
    days: Sequence[int] = (30, 90, 365),
    by: str | Sequence[str] = (),
    earlier: Past | None = None,
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
    earlier : Past, optional
        Earlier forecasts of this model, from `past`. With them the interval allows for how
        far they missed; without them it is the model's own.
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
        model_low, model_high  float  the interval by the model alone
        forecasts              int    earlier forecasts whose record is allowed for
        expected_before        float  customers whom these expected to leave, of all groups
        left_before            int    customers who then left
        there_latest           int    customers who were there for the latest of these
        expected_latest        float  customers whom that one expected to leave
        left_latest            int    customers who left after that one
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

    By the model alone it knows nothing of what makes all leave sooner at one time: a price, a
    competitor, a season, a breakdown. The record of earlier forecasts does: with it all
    hazards of a draw are multiplied by one number, drawn from what is learned of how far
    windows differ beyond the model's own interval (random effects of the logarithm of observed
    over expected [2]_, with a weak prior, see `cxlib.stats.forecast.misses`). Simulated at 95 %
    with a record of eight windows: where the hazard stays the same the interval is 1.3 times as
    wide and holds .99, that of the model alone .96; where windows differ by a tenth .97 and .84,
    by a quarter .95 and .57; where each window adds a tenth that stays .96 and .71.

    It misleads where what is coming is unlike anything in the record, and where forecasts
    miss to one side: the record widens the interval on both and moves no estimate. Misses are
    taken to be as large at every horizon as at that of the record, and in every group as in
    all. A few windows say little, so that the interval is wide. What is known of
    customers is taken to stay as it is: the farther the horizon, the less it is to be trusted.

    References
    ----------
    .. [1] Lawless, J. F., Fredette, M. (2005). Frequentist prediction intervals and
       predictive distributions. Biometrika 92(3), 529-542.
    .. [2] Debray, T. P. A. and others (2019). A framework for meta-analysis of prediction model
       studies with binary and time-to-event outcomes. Statistical Methods in Medical Research
       28(9), 2768-2786.

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
    drawn = drawn_leavers(model, cells, place, horizons, earlier)
    # The first columns are of the model alone; where there is a record, the last ones allow for it.
    own, last = (forecast.predictive(part, estimate, level=level) for part in (drawn[..., : len(horizons)], drawn[..., -len(horizons) :]))
    first = cells.iloc[np.unique(place, return_index=True)[1]][names].reset_index(drop=True)
    frame = first.loc[first.index.repeat(len(horizons))].reset_index(drop=True)
    n = np.repeat(np.bincount(place, customers).astype("int64"), len(horizons))
    numbers = {"estimate": estimate, "low": last[0], "high": last[1], "model_low": own[0], "model_high": own[1]}
    frame = frame.assign(horizon_days=np.tile(horizons, len(first)), n=n, **{name: each.ravel() for name, each in numbers.items()})
    frame = frame.assign(**{name: frame[of] / n for name, of in _SHARES.items()}, **recorded(earlier))
    return assemble(frame, keys=[*names, "horizon_days"], measure="expected_leavers", level=level, counts=list(_COUNTS))


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


def chances(model: Model, rows: pd.DataFrame, horizons: Sequence[int], *, smooth: bool = False) -> Floats:
    """The chance of leaving of each row, one column a horizon; missing where there is no model."""
    return np.stack([replace(model, there=rows).left_within(days, smooth=smooth) for days in horizons], axis=1)


def drawn_chances(
    model: Model, rows: pd.DataFrame, horizons: Sequence[int], *, earlier: Past | None = None, smooth: bool = False
) -> Iterator[Floats]:
    """The same with parameters that could be true, drawn again and again; with a record, as many columns more that allow for it."""
    if model.fit is None:
        return
    rng = np.random.default_rng(_PARAMETERS)
    times = None if earlier is None or not earlier.forecasts else np.random.default_rng(_MISSES).permutation(earlier.misses())
    # Customers of one stratum and tenure have one baseline hazard before them, whatever else is known of them.
    places = rows[["stratum", "tenure_days"]].drop_duplicates()
    place = rows[["stratum", "tenure_days"]].merge(places.assign(place=range(len(places))), how="left")["place"].to_numpy()
    least, pattern = FEW if smooth else 0, rows["pattern"].to_numpy(dtype="int64")
    ahead = [model.fit.stretch(places["stratum"], places["tenure_days"], days, least=least) for days in horizons]
    for draw in range(forecast.DRAWS):
        fit = model.fit.drawn(rng)
        weights = fit.weights(model.covariates)[pattern, None]
        hazard = weights * np.stack([fit.baseline.over(stretch) for stretch in ahead], axis=1)[place]
        yield -np.expm1(-hazard if times is None else -np.concatenate([hazard, times[draw] * hazard], axis=1))


def drawn_leavers(model: Model, cells: pd.DataFrame, place: Ints, horizons: Sequence[int], earlier: Past | None = None) -> Ints:
    """How many leave of each group of cells, drawn: a layer a draw, a row a group, a column as of `drawn_chances`."""
    risk = chances(model, cells, [_A_QUARTER])[:, 0]
    customers = cells["customers"].to_numpy(dtype="int64")
    return forecast.leavers(drawn_chances(model, cells, horizons, earlier=earlier), customers, place, risk=risk, seed=_LEAVERS)


def recorded(earlier: Past | None) -> dict[str, Any]:
    """What stands of earlier forecasts beside an interval that allows for them."""
    made = () if earlier is None else earlier.forecasts
    found: dict[str, Any] = {"forecasts": len(made)}
    for name, some in (("before", made), ("latest", made[-1:])):
        found |= {f"expected_{name}": float(sum(each.hoped for each in some)), f"left_{name}": sum(each.left for each in some)}
    return {**found, "there_latest": sum(len(each.rows) for each in made[-1:])}
