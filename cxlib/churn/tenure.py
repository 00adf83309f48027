"""How long customers stay: survival by tenure, and the median."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from cxlib.churn.lives import Floats, Lives, lives_of
from cxlib.churn.spells import life_table
from cxlib.stats import intervals
from cxlib.stats import survival as curves
from cxlib.tables import Table, assemble, nothing
from cxlib.tables.rows import key_names

_SURVIVAL = {"events": "int64", "censored": "int64", "customers": "int64"}
_MEDIAN = {"churned": "int64", "censored": "int64"}


def survival(
    customers: Table,
    *,
    as_of: str | date | None = None,
    by: str | Sequence[str] = (),
    at: Sequence[float] = (),
    level: float = 0.95,
) -> pd.DataFrame:
    """Share of customers still there after each tenure, one row per group and tenure.

    The Kaplan-Meier estimate of the share, from 0 to 1, that stays longer than
    ``tenure_days``. Who has not left by ``as_of`` is not lost: they count as staying for
    as long as they were seen, and not at all afterwards.

    Parameters
    ----------
    customers : pandas DataFrame or Ibis table, one row per spell of a customer
        Needs ``start`` and ``end`` (dates; ``end`` missing while still a customer), or
        ``tenure_days`` (length so far, in days) and ``churned`` (true or false) where there
        are no dates. ``observed_from`` is the first day from which leaving would have been
        seen, where that is later than ``start``.
    as_of : str or date, optional
        Last day counted, such as ``"2026-06-30"``. Needed where the table has dates. Later
        starts are left out, later ends have not happened yet.
    by : str or sequence of str, optional
        Columns to group by. By default all customers form one group.
    at : sequence of float, optional
        Tenures in days to give. By default 0 and each tenure at which somebody left or was
        last seen.
    level : float, default 0.95
        Confidence level of the interval, at each tenure by itself.

    Returns
    -------
    DataFrame, one row per group and tenure, in their order
        ============  =====  ====================================================
        ``by`` ...           the group; a missing key is a group of its own
        tenure_days   float  days since joining
        measure       str    ``"survival"``
        estimate      float  share staying longer, 0-1; missing beyond the longest
                             tenure that was seen, unless all had left
        low, high     float  interval of the share
        level         float  confidence level of the interval
        n             int    customers at risk just before this tenure
        events        int    customers who left at this tenure
        censored      int    customers last seen at this tenure, still there
        customers     int    customers of the group who were ever at risk
        ============  =====  ====================================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent or of another type, or a spell ends before it starts.
    ValueError
        If ``as_of`` is missing where the table has dates, ``at`` has a tenure below 0,
        or ``level`` is not between 0 and 1.

    Warns
    -----
    UserWarning
        If customers left before they were observed; they are left out.

    See Also
    --------
    median_tenure : where this curve passes a half.
    difference : whether groups differ in it.
    ends : for which reasons they left.
    hazard : when the danger is.
    cxlib.figures.curve : the picture of this result.

    Notes
    -----
    Leaving at a tenure is counted before being last seen at the same one. The interval
    is the beta product confidence procedure [2]_, which is Clopper-Pearson's where
    nobody is censored and has a width where nobody has left. It is for right censoring
    only: in a group with delayed entry it is the log-log Greenwood interval, kept from
    having no width at the ends.
    It misleads where those who joined lately stay longer or shorter than those before
    them (the curve mixes the cohorts); where few have been seen that long (look at
    ``n``); and with delayed entry where hardly anybody was at risk early on.

    References
    ----------
    .. [1] Kaplan, E. L., Meier, P. (1958). Nonparametric estimation from incomplete
       observations. JASA 53(282), 457-481.
    .. [2] Fay, M. P., Brittain, E. H., Proschan, M. A. (2013). Pointwise confidence
       intervals for a survival distribution with small samples or heavy censoring.
       Biostatistics 14(4), 723-736.

    Examples
    --------
    Four customers, two of whom left; of the fourth nothing is known after day 200:

    >>> customers = pd.DataFrame({"tenure_days": [100, 300, 250, 200], "churned": [True, True, False, False]})
    >>> survival(customers)[["tenure_days", "estimate", "low", "high", "n", "events", "censored"]].round(3)
       tenure_days  estimate    low   high  n  events  censored
    0          0.0      1.00  0.398  1.000  4       0         0
    1        100.0      0.75  0.194  0.994  4       1         0
    2        200.0      0.75  0.194  0.994  3       0         1
    3        250.0      0.75  0.117  0.994  2       0         1
    4        300.0      0.00  0.000  0.895  1       1         0
    """
    intervals.tails(level)
    names = key_names(by, ["tenure_days", *_SURVIVAL])
    wanted = tenures_at(at)
    cells, reason = life_table(customers, names, as_of, asks="survival")
    if reason:
        return nothing(keys=[*names, "tenure_days"], counts=_SURVIVAL, reason=reason)
    frames = []
    for key, lives in lives_of(cells, names, asks="survival"):
        curve = Curve.of(lives, level)
        steps = curve.at(wanted) if len(wanted) else curve.steps()
        # Assigned to a frame that has its rows, a key reaches all of them, a missing one too.
        frames.append(steps.assign(**key))
    return assemble(pd.concat(frames), keys=[*names, "tenure_days"], measure="survival", level=level, counts=list(_SURVIVAL))


def median_tenure(
    customers: Table,
    *,
    as_of: str | date | None = None,
    by: str | Sequence[str] = (),
    level: float = 0.95,
) -> pd.DataFrame:
    """Tenure by which half of the customers have left, one row per group.

    The first tenure, in days, at which the Kaplan-Meier estimate of the share still there
    is a half or less. Missing where it never is: so many are still there that the median
    is not known yet.

    Parameters
    ----------
    customers : pandas DataFrame or Ibis table, one row per spell of a customer
        Needs ``start`` and ``end``, or ``tenure_days`` and ``churned``; see `survival`.
    as_of : str or date, optional
        Last day counted, such as ``"2026-06-30"``. Needed where the table has dates.
    by : str or sequence of str, optional
        Columns to group by. By default all customers form one group.
    level : float, default 0.95
        Confidence level of the interval.

    Returns
    -------
    DataFrame, one row per group, in order of ``by``
        ============  =====  ====================================================
        ``by`` ...           the group; a missing key is a group of its own
        measure       str    ``"median_tenure"``
        estimate      float  days; missing where the median is not reached
        low, high     float  interval in days; ``high`` is missing where it is not
                             bounded, ``low`` where even it was not reached
        level         float  confidence level of the interval
        n             int    customers of the group who were ever at risk
        churned       int    of them, left by ``as_of``
        censored      int    of them, still there when last seen
        ============  =====  ====================================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent or of another type, or a spell ends before it starts.
    ValueError
        If ``as_of`` is missing where the table has dates, or ``level`` is not between
        0 and 1.

    Warns
    -----
    UserWarning
        If a median is not reached, or customers left before they were observed.

    See Also
    --------
    survival : the curve that this is read from.
    cxlib.figures.intervals : the picture of this result.

    Notes
    -----
    The interval holds the tenures at which a half lies between the bounds of the curve
    [1]_. It misleads as a forecast: it describes those who have joined so far, and the
    mean stay can be far longer than the median where some stay for ever.

    References
    ----------
    .. [1] Brookmeyer, R., Crowley, J. (1982). A confidence interval for the median
       survival time. Biometrics 38(1), 29-41.

    Examples
    --------
    >>> customers = pd.DataFrame({"tenure_days": [30, 60, 90, 90, 120, 150], "churned": [True] * 5 + [False]})
    >>> median_tenure(customers)[["estimate", "low", "high", "n", "churned", "censored"]]
       estimate   low  high  n  churned  censored
    0      90.0  30.0   NaN  6        5         1
    """
    intervals.tails(level)
    names = key_names(by, _MEDIAN)
    cells, reason = life_table(customers, names, as_of, asks="median_tenure")
    if reason:
        return nothing(keys=names, counts=_MEDIAN, reason=reason)
    pairs = [(key, Curve.of(lives, level)) for key, lives in lives_of(cells, names, asks="median_tenure")]
    frame = pd.DataFrame([{**key, **curve.passed(0.5), **curve.counts} for key, curve in pairs])
    if missing := int(frame["estimate"].isna().sum()):
        where = "" if len(frame) == 1 else f" in {missing} of {len(frame)} groups"
        warnings.warn(f"median_tenure: fewer than half have left; the median is not reached{where}", UserWarning, stacklevel=2)
    return assemble(frame, keys=names, measure="median_tenure", level=level, counts=list(_MEDIAN))


@dataclass(frozen=True)
class Curve:
    """The survival of one group at its tenures, with its bounds; ``after`` is the lower one just after a tenure."""

    lives: Lives
    estimate: Floats
    low: Floats
    high: Floats
    after: Floats

    @staticmethod
    def of(lives: Lives, level: float) -> Curve:
        """The interval that allows for delayed entry where there is any, else the beta product one."""
        risk, events, censored = lives.risk, lives.events, lives.censored
        if lives.delayed:
            low, high = curves.log_log_greenwood(risk, events, level=level)
            after = low
        else:
            low, high = curves.beta_product(risk, events, np.zeros_like(censored), level=level)
            after, _ = curves.beta_product(risk, events, censored, level=level)
        return Curve(lives, curves.kaplan_meier(risk, events), low, high, after)

    def steps(self) -> pd.DataFrame:
        """The curve at 0 and at each tenure at which somebody left or was last seen."""
        return self.at(self.lives.steps)

    def at(self, tenures: Floats) -> pd.DataFrame:
        """The curve at these tenures; each holds from its step to the next."""
        lives = self.lives
        step, here, unseen = lives.place(tenures, gone=self.estimate[-1] == 0)
        # Who was last seen at a tenure is known to have stayed that long, and no longer: just after it the bound is lower.
        ends = {"estimate": self.estimate[step], "low": np.where(here, self.low[step], self.after[step]), "high": self.high[step]}
        curve = {name: np.where(unseen, np.nan, end) for name, end in ends.items()}
        counts = {name: np.where(here, getattr(lives, name)[step], 0) for name in ("events", "censored")}
        return pd.DataFrame({"tenure_days": tenures, **curve, "n": lives.at_risk(tenures), **counts, "customers": lives.customers})

    def passed(self, share: float) -> dict[str, float]:
        """Where the curve and its bounds pass a share."""
        bounds = {"estimate": self.estimate, "low": self.after, "high": self.high}
        return {name: curves.passed(self.lives.tenure, bound, share) for name, bound in bounds.items()}

    @property
    def counts(self) -> dict[str, int]:
        lives = self.lives
        return {"n": lives.customers, "churned": int(lives.events.sum()), "censored": int(lives.censored.sum())}


def tenures_at(at: Sequence[float]) -> Floats:
    """The tenures asked for, in order, each once."""
    wanted: Floats = np.unique(np.asarray(list(at), dtype=float))
    if not np.isfinite(wanted).all() or (wanted < 0).any():
        raise ValueError("at: tenures are numbers of days of 0 or more")
    return wanted
