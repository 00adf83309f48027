"""How much margin leaves with those who are expected to leave."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.leaving.backtest import Past
from cxlib.leaving.expected import RECORD, chances, drawn_chances, of_all_ends, recorded
from cxlib.leaving.model import Model
from cxlib.money.worth import DAYS_A_MONTH, UNIT, Worth, left_out, worth
from cxlib.stats import intervals
from cxlib.stats.intervals import Floats
from cxlib.tables import Table, TableError, ask, assemble, nothing
from cxlib.tables.rows import absent_key, key_names, numbered

#: Who leaves is drawn so often for each draw of the parameters: together enough for the second digit of a bound.
EACH = 4
_SEED = 20
_COUNTS = {
    "leavers": "float64",
    "value": "float64",
    "at_risk_share": "float64",
    "without_value": "int64",
    **RECORD,
    "horizon_days": "int64",
    "what": "object",
    "currency": "object",
    "since": "object",
    "until": "object",
}


def value_at_risk(
    model: Model,
    value_history: Table,
    *,
    days: int = 90,
    by: str | Sequence[str] = (),
    earlier: Past | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Margin that is expected to leave within so many days, one row per group.

    The sum over the customers still there of what each brings in a period of ``days``, in the
    currency of the values, times the chance that the customer leaves within as many days:
    what every such period lacks once those who are expected to leave are gone.

    Parameters
    ----------
    model : Model
        Who leaves how soon, as `cxlib.leaving.model` returned it; its last day counted is
        that of the values, too.
    value_history : pandas DataFrame or Ibis table, one row per customer and month
        Needs ``customer``, ``valid_from`` (first day of the month) and ``margin`` or
        ``revenue`` (a month, in one ``currency``).
    days : int, default 90
        The horizon, from the last day counted on.
    by : str or sequence of str, optional
        Covariates of the model to group by, as known on the last day counted. By default all
        customers form one group.
    earlier : Past, optional
        Earlier forecasts of this model, from `cxlib.leaving.past`. With them the interval allows
        for how far they missed; without them it is the model's own.
    level : float, default 0.95
        Level of the interval.

    Returns
    -------
    DataFrame, one row per group, in order of ``by``
        ===============  =====  ====================================================
        ``by`` ...              the group; a missing key is a group of its own
        measure          str    ``"value_at_risk"``
        estimate         float  currency; missing where ``n`` is 0
        low, high        float  predictive interval of the sum: of what will leave
        level            float  level of the interval
        n                int    customers there with a value
        leavers          float  of them, expected to leave within the horizon
        value            float  what they all bring in ``horizon_days``, currency
        at_risk_share    float  the estimate as a share of it; missing where it is not
                                above 0
        without_value    int    customers there without a value; they are in no sum
        model_low,       float  the interval by the model alone
        model_high
        forecasts        int    earlier forecasts whose record is allowed for
        expected_before  float  customers whom these expected to leave, of all groups
        left_before      int    customers who then left
        there_latest     int    customers who were there for the latest of these
        expected_latest  float  customers whom that one expected to leave
        left_latest      int    customers who left after that one
        horizon_days     int    the horizon
        what             str    ``"margin"``, or ``"revenue"`` where there is no margin
        currency         str    the currency; missing where none is recorded
        since, until     date   first and last day of the months the worth is from
        ===============  =====  ====================================================

        Without rows, ``frame.attrs["reason"]`` says why; ``frame.attrs["notes"]`` says who
        has no value.

    Raises
    ------
    TableError
        If the customers of the model have no column ``by``, a column of the values is absent
        or of another type, a month is not given by its first day or twice, or values are in
        several currencies.
    ValueError
        If ``days`` is not a whole number from 1, ``level`` is not between 0 and 1, or the model is
        of one reason for leaving alone.

    See Also
    --------
    cxlib.leaving.model : where the chances are from.
    lifetime_value : what a customer brings in years.
    cxlib.figures.intervals : the picture of this result.

    Notes
    -----
    A customer's worth is the mean margin of the last three complete months, of those with a
    row, brought to ``days``. The interval is that of 1,000 draws: 250 of the parameters from
    what is known of them, and for each four of who leaves by these chances; it is of the sum
    that will leave, wider than that of its expectation. Of 80 simulated plans of 250
    customers, in 74 what left lay within it. With ``earlier`` the hazards of each draw are multiplied by
    one number for all, as in `cxlib.leaving.expected`, where it is said what that is worth:
    the record is of customers, not of margin. The worth is taken as it is. Groups add up to all
    in the estimate, not in the bounds. A customer with a negative margin counts with it: their
    leaving saves it. Who has several spells that run is one customer, whose worth the spells
    share.

    It misleads where the chances do: see `cxlib.leaving.calibration`. Within the horizon itself
    about half is lost, as people leave all along; what is won back, and what new customers bring,
    is not in it.

    References
    ----------
    .. [1] Glady, N., Baesens, B., Croux, C. (2009). Modeling churn using customer lifetime value.
       European Journal of Operational Research 197(1), 402-411.

    Examples
    --------
    Of twelve customers with 10 a month each, four have left in half a year:

    >>> from cxlib import leaving
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer": list("abcdefghijkl"),
    ...         "start": pd.Timestamp("2026-01-01"),
    ...         "end": pd.to_datetime(["2026-02-15", "2026-03-20", "2026-05-02", "2026-06-11"] + [None] * 8),
    ...     }
    ... )
    >>> model = leaving.model(customers, as_of="2026-06-30")
    >>> values = pd.DataFrame({"customer": list("efghijkl"), "valid_from": pd.Timestamp("2026-06-01"), "margin": 10.0})
    >>> found = value_at_risk(model, values, days=60)
    >>> found[["n", "leavers", "value", "at_risk_share"]].round(2)
       n  leavers  value  at_risk_share
    0  8     0.97  157.7           0.12
    """
    tail = intervals.tails(level)
    if isinstance(days, bool) or not isinstance(days, int | np.integer) or days < 1:
        raise ValueError(f"value_at_risk: days is {days!r}, and must be a whole number from 1")
    names = key_names(by, _COUNTS)
    of_all_ends(model, asks="value_at_risk")
    found = _there(model, value_history, names)
    if isinstance(found, str):
        return nothing(keys=names, counts=_COUNTS, reason=found)
    there, value = found
    there["brings"] = there["worth"] * (days / DAYS_A_MONTH / UNIT)
    valued = there["worth"].notna().to_numpy()
    number, frame = numbered(there, names)
    frame["n"] = np.bincount(number[valued], minlength=len(frame))
    frame["without_value"] = np.bincount(number[~valued], minlength=len(frame))
    known = there[valued].reset_index(drop=True)
    chance, lost = _drawn(model, known, number[valued], len(frame), days, earlier)
    sums = {"estimate": known["brings"] * chance, "value": known["brings"], "leavers": chance}
    for name, each in sums.items():
        frame[name] = np.bincount(number[valued], np.asarray(each), minlength=len(frame))
    # A sum of few customers may have no width, or lie to one side of what is expected.
    for of, column in (("model_", 0), ("", -1)):
        frame[f"{of}low"] = np.minimum(np.quantile(lost[:, column], tail, axis=0), frame["estimate"])
        frame[f"{of}high"] = np.maximum(np.quantile(lost[:, column], 1 - tail, axis=0), frame["estimate"])
    frame.loc[frame["n"] == 0, ["estimate", "low", "high", "model_low", "model_high"]] = np.nan
    frame["at_risk_share"] = (frame["estimate"] / frame["value"]).where(frame["value"] > 0)
    frame = frame.assign(horizon_days=int(days), **value.said, **recorded(earlier))
    result = assemble(frame, keys=names, measure="value_at_risk", level=level, counts=list(_COUNTS))
    result.attrs["notes"] = left_out(frame.rename(columns={"n": "valued"}), value)
    return result.astype(_COUNTS)


def _there(model: Model, value_history: Table, names: Sequence[str]) -> tuple[pd.DataFrame, Worth] | str:
    """The customers of the model with their worth, shared among the spells of one; or why nothing can be said."""
    if model.reason_absent:
        return model.reason_absent
    if model.as_of is None:
        return "The customers have no dates, so there is no day on which to ask what they are worth."
    lacking = [name for name in names if name not in model.there.columns]
    if lacking:
        known = ", ".join(model.of) or "none"
        raise TableError(f"value_at_risk: '{lacking[0]}' is no covariate of the model ({known}). Name it in of= or apart= of the model.")
    if not len(model.there):
        return "Nobody is still there."
    value = worth(value_history, as_of=model.as_of, asks="value_at_risk")
    if isinstance(value, str):
        return value
    there: pd.DataFrame = model.there.reset_index(drop=True)
    if reason := absent_key(there, names, row="customer"):
        return reason
    of = ask(value.rows).set_index("customer")["worth"].astype("float64")
    spells = there.groupby("customer")["customer"].transform("size")
    return there.assign(worth=there["customer"].map(of) / spells), value


def _drawn(
    model: Model, known: pd.DataFrame, number: npt.NDArray[np.int64], groups: int, days: int, earlier: Past | None
) -> tuple[Floats, Floats]:
    """The chance of each customer, and what each group loses in each of the draws: by the model alone, and last with its record."""
    # Customers alike have the same chance: the model is asked once for all of them.
    alike = known.groupby(["pattern", "stratum", "tenure_days"], sort=False).ngroup().to_numpy()
    first = known.iloc[np.unique(alike, return_index=True)[1]]
    rng, brings, lost = np.random.default_rng(_SEED), known["brings"].to_numpy(), []
    for drawn in drawn_chances(model, first, [days], earlier=earlier):
        for _ in range(EACH):
            lot = rng.random(len(known))
            left = [lot < column[alike] for column in drawn.T]
            lost.append([np.bincount(number[each], brings[each], minlength=groups) for each in left])
    return chances(model, first, [days])[alike, 0], np.array(lost)
