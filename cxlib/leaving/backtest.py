"""What would have been forecast on earlier days, with what was known then, against what happened since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from cxlib.churn.spells import Asked
from cxlib.leaving.expected import alike, chances, drawn_leavers, of_all_ends, whole_days
from cxlib.leaving.model import FEW, Model, model
from cxlib.stats import cox, forecast, intervals
from cxlib.stats.forecast import Ints
from cxlib.stats.intervals import Floats
from cxlib.tables import Table, TableError, ask, assemble, nothing
from cxlib.tables.rows import dates

#: With fewer who had left by a day, a forecast of that day would be a guess, and no record of what one of today is worth.
_FEWEST = 20
#: What became of a forecast: the observed number within its bounds, above, or below.
HELD, MORE, FEWER = "held", "more left", "fewer left"

_COUNTS = {"left": "int64", "verdict": "object", "since": "object", "until": "object"}


@dataclass(frozen=True)
class Forecast:
    """One day's forecast: the model of that day, and of each customer then there the chance and what happened.

    ``rows`` has, in the order of ``model.there``: customer, ``chance`` of leaving within the days, ``chance_alone`` by
    tenure alone, ``after_days`` (days until leaving, or all of them) and ``left``. ``hoped`` were expected to leave, and
    ``drawn`` are numbers that could have left by the model alone.
    """

    on: date
    model: Model
    rows: pd.DataFrame
    hoped: float
    drawn: Ints

    @classmethod
    def of(cls, on: date, model: Model, rows: pd.DataFrame, days: int) -> Forecast:
        """With the numbers of all customers together."""
        cells = alike(model)
        hoped = float(chances(model, cells, [days])[:, 0] @ cells["customers"])
        return cls(on, model, rows, hoped, drawn_leavers(model, cells, np.zeros(len(cells), dtype="int64"), [days])[:, 0, 0])

    @property
    def left(self) -> int:
        """How many left."""
        return int(self.rows["left"].sum())


@dataclass(frozen=True)
class Past:
    """Forecasts over so many ``days`` as they would have been made, the earliest first, and what happened since.

    ``absent`` says why there is none; ``notes`` on which days none could be made.
    """

    days: int
    forecasts: tuple[Forecast, ...]
    absent: str = ""
    notes: tuple[str, ...] = ()

    def rows(self) -> pd.DataFrame:
        """The customers of all forecasts, one row for each, with the number of the forecast as ``made``."""
        return pd.concat([each.rows.assign(made=place) for place, each in enumerate(self.forecasts)], ignore_index=True)

    def misses(self) -> Floats:
        """By how many times the hazard of the next window may be that of its forecast, as far as these tell; ascending."""
        told = [(each.left, each.hoped, each.drawn.std(), len(each.rows)) for each in self.forecasts]
        left, hoped, error, n = np.array(told, dtype="float64").reshape(-1, 4).T
        return forecast.misses(left, hoped, error, n=n)


def past(
    model: Model,
    customers: Table,
    *,
    learned: Sequence[Table] = (),
    days: int = 90,
    times: int = 8,
) -> Past:
    """The same model as it would have been fitted on earlier days, and what happened in the days after.

    Forecasts are made again, not kept from earlier reports: for the evening of the day so
    many ``days`` before the last one counted, for that many days before again, and so on.
    Each time the model is fitted anew to what had happened and been learned by that day,
    and to nothing else: an answer given before that day but received after it is left out.

    Parameters
    ----------
    model : Model
        The model whose forecasts are in question, for all ends and with a last day counted.
    customers : pandas DataFrame or Ibis table, one row per spell of a customer
        The table that the model was fitted to; it needs ``start`` and ``end``.
    learned : sequence of tables
        What was learned, and when: as given to the model.
    days : int, default 90
        How far each forecast looks. The windows of two forecasts have no day in common.
    times : int, default 4
        How many forecasts at most, the latest last. There is none of a day by which fewer
        than 20 had left.

    Returns
    -------
    Past
        For `backtest`, `calibration` and `accuracy`. Where there is none, ``absent`` says
        why; days on which no model could be fitted are named in ``notes``.

    Raises
    ------
    TableError
        If a column is absent or of another type, or spells have no start.
    ValueError
        If ``days`` or ``times`` is not a whole number from 1, or the model has no last day
        counted or is of one reason alone.

    See Also
    --------
    backtest : expected against observed.
    calibration : the same by groups of risk.
    accuracy : whether the right ones were thought to be at risk.

    Notes
    -----
    What is known of a customer on a day is what the tables say of that day: ends after it
    have not happened, spells begun after it are not there, what was learned after it is
    not known. It misleads where a table was written over since: a column of ``customers``
    without a history among ``learned`` has the value of today, and may be a consequence of
    what it seems to foretell. So does a row that came late and bears an earlier day: an end
    booked backwards, an attribute, an answer without ``time_received``. A report of that day
    may therefore have said something else. Everybody is seen up to the last day counted, so
    nobody is lost from sight within a window.

    References
    ----------
    .. [1] Steyerberg, E. W., Harrell, F. E. (2016). Prediction models need appropriate
       internal, internal-external, and external validation. Journal of Clinical
       Epidemiology 69, 245-247.

    Examples
    --------
    >>> from cxlib import leaving, sample
    >>> customers = sample.company(customers=300)["customers"]
    >>> fitted = leaving.model(customers, as_of="2026-06-30", of=["plan"])
    >>> [str(each.on) for each in past(fitted, customers, days=91, times=2).forecasts]
    ['2025-12-30', '2026-03-31']
    """
    (horizon,), (number,) = whole_days([days], asks="past"), whole_days([times], asks="past", name="times")
    of_all_ends(model, asks="past")
    if model.as_of is None:
        raise ValueError("past: the model has no last day counted, so no day lies before it. Fit it to a table with dates, with as_of.")
    if model.reason_absent:
        return Past(horizon, (), model.reason_absent)
    forecasts, notes = [], []
    for back in range(number, 0, -1):
        on = model.as_of - timedelta(days=back * horizon)
        made = _made(model, customers, learned, on, horizon)
        if isinstance(made, Forecast):
            forecasts.append(made)
        else:
            notes.append(f"No forecast could be made on {on}: {made}")
    absent = "" if forecasts else "On no earlier day could a forecast be made that has come to its end since."
    return Past(horizon, tuple(forecasts), absent, tuple(notes))


def _made(of: Model, customers: Table, learned: Sequence[Table], on: date, days: int) -> Forecast | str:
    """The forecast of a day and what became of it, or why there is none."""
    try:
        then = model(customers, as_of=on, learned=learned, of=of.of, apart=of.apart)
    except TableError:
        raise
    except ValueError as problem:
        # What can be told apart today could not always.
        return str(problem)
    if then.fit is None or then.rows is None or not len(then.there):
        return then.reason_absent or "nobody was there."
    if then.fit.events < _FEWEST:
        return f"only {then.fit.events} had left by then, and it needs {_FEWEST}."
    gone = _gone(customers, on, on + timedelta(days=days))
    whose = ["customer", "tenure_days"]
    there = then.there[whose].assign(number=then.there.groupby(whose).cumcount())
    met = there.merge(gone, on=[*whose, "number"], how="left", validate="one_to_one")["after_days"]
    tenure = then.there["tenure_days"].to_numpy(dtype="float64")
    rows = pd.DataFrame(
        {
            "customer": then.there["customer"],
            "chance": then.left_within(days, smooth=True),
            "chance_alone": _by_tenure_alone(then.rows.cells, tenure, days),
            "after_days": met.fillna(days).to_numpy(dtype="float64"),
            "left": met.notna().to_numpy(),
        }
    )
    return Forecast.of(on, then, rows, days)


def _gone(customers: Table, on: date, until: date) -> pd.DataFrame:
    """The spells there on a day that ended by another: whose, the tenure on that day, and how many days after it."""
    rows: Any = Asked("past", ["customer"], until).spells(customers)
    first = rows["start"].delta(on.isoformat(), unit="day") * -1
    rows = rows.filter(rows["left"]).mutate(tenure_days=first.cast("float64"))
    rows = rows.mutate(after_days=rows["tenure"] - rows["tenure_days"])
    rows = rows.filter((rows["tenure_days"] >= 0) & (rows["after_days"] > 0))
    found = ask(rows.select("tenure_days", "after_days", customer="k0"))
    found = found.sort_values(["customer", "tenure_days", "after_days"], kind="stable", ignore_index=True)
    return found.assign(number=found.groupby(["customer", "tenure_days"]).cumcount())


def _by_tenure_alone(cells: cox.Cells, tenure: Floats, days: int) -> Floats:
    """The chance of leaving of each tenure, whatever else was known."""
    alike = np.zeros_like(cells.pattern)
    fit = cox.fit(replace(cells, pattern=alike, stratum=alike), np.zeros((1, 0)))
    return fit.left_over(np.ones(len(tenure)), fit.stretch(np.zeros(len(tenure), dtype="int64"), tenure, days, least=FEW))


def backtest(past: Past, *, level: float = 0.95) -> pd.DataFrame:
    """Earlier forecasts against what happened, one row per day on which one was made.

    The customers expected to leave within the days after, the bounds between which their
    number was to lie, and how many did leave.

    Parameters
    ----------
    past : Past
        What `past` returned.
    level : float, default 0.95
        Level of the predictive interval.

    Returns
    -------
    DataFrame, one row per forecast, the earliest first
        ============  =====  ====================================================
        made_on       date   day on whose evening the forecast stands
        horizon_days  int    days it looks ahead
        measure       str    ``"expected_leavers"``
        estimate      float  customers expected to leave
        low, high     float  whole customers, between which the number was to lie
        level         float  level of that interval
        n             int    customers who were there
        left          int    customers of them who left
        verdict       str    ``"held"``, ``"more left"`` or ``"fewer left"``
        since, until  date   first and last day of the window
        ============  =====  ====================================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    ValueError
        If ``level`` is not between 0 and 1.

    See Also
    --------
    expected : the forecast of today.
    cxlib.figures.backtest : the picture of this result.

    Notes
    -----
    Bounds are those of the model alone. At 95 % one of twenty forecasts misses by chance
    alone, and eight say little: none that misses is no proof. Where more leave than forecast
    again and again, something has changed that the model does not know, and its forecast of
    today is too low as well; `expected` widens its interval by how far these missed. See
    `past` for what was known when.

    References
    ----------
    .. [1] Lawless, J. F., Fredette, M. (2005). Frequentist prediction intervals and
       predictive distributions. Biometrika 92(3), 529-542.

    Examples
    --------
    >>> from cxlib import leaving, sample
    >>> customers = sample.company(customers=300)["customers"]
    >>> fitted = leaving.model(customers, as_of="2026-06-30", of=["plan"])
    >>> earlier = leaving.past(fitted, customers, days=91, times=2)
    >>> backtest(earlier)[["made_on", "estimate", "low", "high", "n", "left", "verdict"]].round(1)
          made_on  estimate  low  high    n  left verdict
    0  2025-12-30      15.9  8.0  24.0  175    14    held
    1  2026-03-31      13.6  7.0  21.0  177    14    held
    """
    intervals.tails(level)
    keys = ["made_on", "horizon_days"]
    if past.absent:
        return _noted(nothing(keys=keys, counts=_COUNTS, reason=past.absent), past)
    rows = []
    for each in past.forecasts:
        low, high = (float(bound[0]) for bound in forecast.predictive(each.drawn[:, None], np.array([each.hoped]), level=level))
        verdict = HELD if low <= each.left <= high else MORE if each.left > high else FEWER
        until = each.on + timedelta(days=past.days)
        rows.append((each.on, each.hoped, low, high, len(each.rows), each.left, verdict, each.on + timedelta(days=1), until))
    frame = pd.DataFrame(rows, columns=["made_on", "estimate", "low", "high", "n", "left", "verdict", "since", "until"])
    frame = frame.assign(horizon_days=past.days, **{name: dates(frame[name]) for name in ("made_on", "since", "until")})
    found = assemble(frame, keys=keys, measure="expected_leavers", level=level, counts=list(_COUNTS))
    return _noted(found, past)


def _noted(frame: pd.DataFrame, past: Past) -> pd.DataFrame:
    frame.attrs["notes"] = list(past.notes)
    return frame
