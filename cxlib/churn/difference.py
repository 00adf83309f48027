"""Whether groups differ in how long they stay: each against the rest, and all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from cxlib.churn.lives import Floats, Ints, Lives, counted, everybody, lives_of
from cxlib.churn.spells import life_table
from cxlib.churn.tenure import tenures_at
from cxlib.stats import comparing, intervals
from cxlib.stats import movement as stats
from cxlib.stats.survival import effective, kaplan_meier
from cxlib.tables import Table, assemble, nothing
from cxlib.tables.rows import key_names, numbered, parts

_WORDS = (stats.ALIKE, stats.ABOVE, stats.BELOW)
_JUDGED = {"p_value": "float64", "p_corrected": "float64", "verdict": "object", "margin": "float64", "smallest_detectable": "float64"}
_STAY = {
    "stay": "float64", "stay_rest": "float64", "n_rest": "int64", **_JUDGED, "until_days": "float64", "chi2": "float64",
    "degrees": "int64", "p_together": "float64",
}  # fmt: skip
_SHARE = {"survival": "float64", "survival_rest": "float64", "n_rest": "int64", **_JUDGED}


def difference(
    customers: Table,
    *,
    as_of: str | date | None = None,
    by: str | Sequence[str],
    until_days: float = 365.25,
    apart: str | Sequence[str] = (),
    margin: float | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """How much longer each group stays than the rest, in days of a first stretch, one row per group.

    The mean of the days that the group's customers stay, each counted up to ``until_days``, less
    that of all other customers: the difference of restricted means [1]_, the area between the two
    curves. And what can be said of it: that the group stays longer (``"above"``) or shorter
    (``"below"``) than the rest, that there is ``"no material difference"``, or that one ``"cannot
    tell yet"``. Whether the groups differ at all is the log-rank test beside it.

    Parameters
    ----------
    customers : pandas DataFrame or Ibis table, one row per spell of a customer
        Needs what `survival` needs.
    as_of : str or date, optional
        Last day counted, such as ``"2026-06-30"``. Needed where the table has dates.
    by : str or sequence of str
        Columns that make the groups.
    until_days : float, default 365.25
        Days counted of each stay, at most. All groups need customers who were seen so long.
    apart : str or sequence of str, optional
        Columns within whose values the log-rank test compares: customers of different ones are
        never set against each other. The differences do not know them.
    margin : float, optional
        Differences of fewer days do not matter to anybody. Without it no difference can be called
        immaterial.
    level : float, default 0.95
        Confidence level of the interval; 1 - ``level`` is the share of false findings.

    Returns
    -------
    DataFrame, one row per group, in order of ``by``
        ====================  =====  ================================================
        ``by`` ...                   the group; a missing key is its own group
        measure               str    ``"stay_difference"``
        estimate              float  days the group stays longer than the rest; missing
                                     where either was not seen until ``until_days``
        low, high             float  interval of the difference, not corrected
        level                 float  confidence level of the interval
        n                     int    customers of the group who were ever at risk
        stay, stay_rest       float  mean days of the group, and of the rest
        n_rest                int    customers of the rest
        p_value               float  of such a difference or a larger one, if there is none
        p_corrected           float  the same, all rows corrected together
        verdict               str    see above and Notes
        margin                float  as declared, days
        smallest_detectable   float  true difference found in four of five such cases, days
        until_days            float  days counted, at most
        chi2, degrees         float  log-rank statistic of all groups, its degrees of freedom
        p_together            float  its p-value: of groups so unlike, if all leave alike
        ====================  =====  ================================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent or of another type, or a spell ends before it starts.
    ValueError
        If ``by`` names no column, ``as_of`` is missing where the table has dates, or an argument
        means nothing.

    Warns
    -----
    UserWarning
        If customers left before they were observed; they are left out.

    See Also
    --------
    survival_difference : how many are still there at one tenure.
    cxlib.figures.difference : the picture of this result.

    Notes
    -----
    The difference is right where hazards cross and the log-rank test sees nothing, and with delayed
    entry. Its interval: each group is given one customer more who leaves as all do, and its variance
    is drawn towards the one it would have if it left as all do, where that is larger
    (`cxlib.stats.comparing` has the coverage: .92 to 1 from 5 customers on).
    The verdict, in this order: *no material difference* where two one-sided tests show the
    difference to be within ``margin``; *above* or *below* where the p-value, corrected over all rows
    by Benjamini and Hochberg, is below 1 - ``level``; else *cannot tell yet*.

    The log-rank test counts who left of each group less who would have if all at risk on that day
    of tenure left alike [2]_; ties are drawn without replacement (exact, hypergeometric). With
    delayed entry it is the score test of the Cox model with entry, on the same counts. It asks of
    the whole curves, not only of ``until_days``.

    It misleads as a cause: groups may differ in much else. And where a group has customers from
    times when all stayed longer.

    References
    ----------
    .. [1] Royston, P., Parmar, M. K. B. (2013). Restricted mean survival time: an alternative to the
       hazard ratio. BMC Medical Research Methodology 13, 152.
    .. [2] Mantel, N. (1966). Evaluation of survival data and two new rank order statistics arising
       in its consideration. Cancer Chemotherapy Reports 50, 163-170.

    Examples
    --------
    >>> customers = pd.DataFrame({
    ...     "plan": ["free"] * 40 + ["paid"] * 60,
    ...     "tenure_days": [60.0, 120.0, 180.0, 400.0] * 10 + [300.0, 400.0, 400.0] * 20,
    ...     "churned": [True, True, True, False] * 10 + [True, False, False] * 20,
    ... })
    >>> found = difference(customers, by="plan")
    >>> found[["plan", "estimate", "low", "high", "n", "verdict", "stay", "stay_rest", "chi2"]].round(1)
       plan  estimate    low   high   n verdict   stay  stay_rest  chi2
    0  free    -162.2 -198.4 -119.1  40   below  181.3      343.5  39.3
    1  paid     162.2  119.1  198.4  60   above  343.5      181.3  39.3
    """
    names, apart_ = key_names(by, _STAY), [apart] if isinstance(apart, str) else list(apart)
    _checked(names, level, margin)
    if not 0 < until_days < np.inf:
        raise ValueError(f"until_days: {until_days:g}; a number of days above 0, such as 365.25")
    if twice := [name for name in apart_ if name in names]:
        raise ValueError(f"apart: '{twice[0]}' makes the groups; customers of one group cannot be kept apart by it")
    cells, absent = life_table(customers, names, as_of, asks="difference", apart=apart_)
    if reason := absent or _alone(cells, names):
        return nothing(keys=names, counts=_STAY, reason=reason)
    whole, groups = _at_the_same(lives_of(_summed(cells, names), names, asks="difference"))
    together = comparing.rank_test(_strata(cells, names, apart_))
    rows = []
    for key, lives in groups:
        rest = whole.without(lives)
        found = _stay(lives, rest, until_days, level)
        row = {"stay": found.means[0], "stay_rest": found.means[1], "n": lives.customers, "n_rest": rest.customers, **key}
        row |= {"estimate": found.estimate, "low": found.low, "high": found.high, "p_value": found.p_value}
        alike = _stay(lives, rest, until_days, 2 * level - 1)
        within = margin is not None and alike.low > -margin and alike.high < margin
        rows.append(row | {"std_error": found.std_error, "unchanged": within})
    frame = _judged(pd.DataFrame(rows), margin, level)
    frame = frame.assign(until_days=until_days, chi2=together.chi2, degrees=together.degrees, p_together=together.p_value)
    return assemble(frame.astype(_STAY), keys=names, measure="stay_difference", level=level, counts=list(_STAY))


def survival_difference(
    customers: Table,
    *,
    as_of: str | date | None = None,
    by: str | Sequence[str],
    at: Sequence[float] = (365.25,),
    margin: float | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """How many more of each group are still there than of the rest, one row per group and tenure.

    The share of the group still there after ``tenure_days`` less that of all other customers, from
    -1 to 1, and what can be said of it: ``"above"`` or ``"below"`` the rest, ``"no material
    difference"``, or ``"cannot tell yet"``.

    Parameters
    ----------
    customers : pandas DataFrame or Ibis table, one row per spell of a customer
        Needs what `survival` needs.
    as_of : str or date, optional
        Last day counted, such as ``"2026-06-30"``. Needed where the table has dates.
    by : str or sequence of str
        Columns that make the groups.
    at : sequence of float, default (365.25,)
        Tenures in days.
    margin : float, optional
        Differences smaller than this share do not matter to anybody: 0.05 for five in a hundred.
        Without it no difference can be called immaterial.
    level : float, default 0.95
        Confidence level of the interval; 1 - ``level`` is the share of false findings.

    Returns
    -------
    DataFrame, one row per group and tenure, in their order
        ====================  =====  ================================================
        ``by`` ...                   the group; a missing key is its own group
        tenure_days           float  days since joining
        measure               str    ``"survival_difference"``
        estimate              float  group less rest, -1 to 1; missing where either was not
                                     seen so long
        low, high             float  interval of the difference, not corrected
        level                 float  confidence level of the interval
        n                     int    customers of the group who were ever at risk
        survival              float  share of the group still there
        survival_rest         float  share of the rest still there
        n_rest                int    customers of the rest
        p_value               float  of such a difference or a larger one, if there is none
        p_corrected           float  the same, all rows corrected together
        verdict               str    see above and Notes
        margin                float  as declared
        smallest_detectable   float  true difference found in four of five such cases
        ====================  =====  ================================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    TableError
        If a column is absent or of another type, or a spell ends before it starts.
    ValueError
        If ``by`` or ``at`` names nothing, ``as_of`` is missing where the table has dates, or an
        argument means nothing.

    Warns
    -----
    UserWarning
        If customers left before they were observed; they are left out.

    See Also
    --------
    difference : the whole stretch up to a tenure, in days.
    cxlib.figures.difference : the picture of this result.

    Notes
    -----
    Each share is as sure as that of so many customers without censoring as have its Greenwood
    variance [1]_; never of more than would say as much if leaving were spread evenly, and where
    nobody or everybody has left, of the fewest whose fate is known. Of these the interval is
    Newcombe's [2]_, which squares and adds those of Wilson; the p-value is that of the level at
    which it reaches 0. Simulated at 95 %, the interval covers .93 to .97 from 5 customers on. The
    verdict is made as in `difference`, corrected over all rows.

    It misleads where the tenure is chosen after looking, and as a cause.

    References
    ----------
    .. [1] Rothman, K. J. (1978). Estimation of confidence limits for the cumulative probability of
       survival in life table analysis. Journal of Chronic Diseases 31, 557-560.
    .. [2] Newcombe, R. G. (1998). Interval estimation for the difference between independent
       proportions. Statistics in Medicine 17, 873-890.

    Examples
    --------
    >>> customers = pd.DataFrame({
    ...     "plan": ["free"] * 40 + ["paid"] * 60,
    ...     "tenure_days": [60.0, 120.0, 180.0, 400.0] * 10 + [300.0, 400.0, 400.0] * 20,
    ...     "churned": [True, True, True, False] * 10 + [True, False, False] * 20,
    ... })
    >>> found = survival_difference(customers, by="plan", at=[90, 365.25])
    >>> found[["plan", "tenure_days", "estimate", "low", "high", "verdict", "survival", "survival_rest"]].round(3)
       plan  tenure_days  estimate    low   high verdict  survival  survival_rest
    0  free        90.00    -0.250 -0.402 -0.126   below     0.750          1.000
    1  free       365.25    -0.417 -0.568 -0.219   below     0.250          0.667
    2  paid        90.00     0.250  0.126  0.402   above     1.000          0.750
    3  paid       365.25     0.417  0.219  0.568   above     0.667          0.250
    """
    names = key_names(by, ["tenure_days", *_SHARE])
    wanted = tenures_at(at)
    _checked(names, level, margin)
    if not len(wanted):
        raise ValueError("at: name at least one tenure in days, such as at=[365.25]")
    intervals.refuse_share_margin(margin)
    keys = [*names, "tenure_days"]
    cells, absent = life_table(customers, names, as_of, asks="survival_difference")
    if reason := absent or _alone(cells, names):
        return nothing(keys=keys, counts=_SHARE, reason=reason)
    whole, groups = _at_the_same(lives_of(cells, names, asks="survival_difference"))
    frames = []
    for key, lives in groups:
        rest = whole.without(lives)
        sides = [np.array([_sample(side, tenure) for tenure in wanted]) for side in (rest, lives)]
        found, narrow = (stats.share_change(*sides, level=each) for each in (level, 2 * level - 1))
        frame = pd.DataFrame({"tenure_days": wanted, "estimate": found.estimate, "low": found.low, "high": found.high})
        within = np.zeros(len(wanted), dtype=bool) if margin is None else stats.within(narrow, margin)
        shares = {name: _part(side) for name, side in zip(("survival_rest", "survival"), sides, strict=True)}
        frame = frame.assign(p_value=found.p_value, std_error=found.std_error, unchanged=within, n=lives.customers, **shares)
        frames.append(frame.assign(n_rest=rest.customers, **key))
    frame = _judged(pd.concat(frames, ignore_index=True), margin, level).astype(_SHARE)
    return assemble(frame, keys=keys, measure="survival_difference", level=level, counts=list(_SHARE))


def _checked(names: list[str], level: float, margin: float | None) -> None:
    intervals.tails(level)
    if not names:
        raise ValueError('by: name at least one column that makes groups, such as by="segment"')
    if margin is not None and not margin > 0:
        raise ValueError(f"margin: {margin:g}; what does not matter is a difference above 0")


def _alone(cells: pd.DataFrame, names: list[str]) -> str:
    """Why no group has a rest; empty where one has."""
    if cells.loc[cells["observed"] > 0, names].drop_duplicates().shape[0] > 1:
        return ""
    return f"All customers are of one {' and '.join(names)}, so there is no rest to compare it with."


def _summed(cells: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """The cells of the groups, over all that was kept apart."""
    if not cells.duplicated([*names, "tenure"]).any():
        return cells
    columns = ["spells", "lost", "late", "events", "censored"]
    summed = cells.groupby([*names, "tenure"], dropna=False, sort=False)[columns].sum().reset_index()
    # Summing makes of a missing name a missing number.
    summed = summed.assign(**{name: summed[name].astype(cells[name].dtype).where(summed[name].notna(), None) for name in names})
    return summed.sort_values([*names, "tenure"], na_position="last", kind="stable", ignore_index=True)


def _at_the_same(pairs: list[tuple[dict[str, Any], Lives]]) -> tuple[Lives, list[tuple[dict[str, Any], Lives]]]:
    """Everybody, and each group at the same tenures."""
    whole, groups = everybody([lives for _, lives in pairs])
    return whole, [(key, lives) for (key, _), lives in zip(pairs, groups, strict=True)]


def _strata(cells: pd.DataFrame, names: list[str], apart: list[str]) -> list[tuple[Ints, Ints]]:
    """Customers at risk and who left, a row for each group and a column for each tenure, of each stratum."""
    cells = cells.assign(cx_group=numbered(cells, names)[0])
    found = []
    for _, stratum in parts(cells, apart):
        numbers = np.unique(stratum["cx_group"])
        whole, lives = everybody([counted(stratum[stratum["cx_group"] == number]) for number in numbers])
        risk, events = (np.zeros((int(cells["cx_group"].max()) + 1, len(whole.tenure)), dtype="int64") for _ in range(2))
        risk[numbers], events[numbers] = [each.risk for each in lives], [each.events for each in lives]
        found.append((risk, events))
    return found


def _stay(lives: Lives, rest: Lives, until: float, level: float) -> comparing.Stay:
    """The difference of two groups; missing where one of them was not seen all the time."""
    if not (lives.seen(until) and rest.seen(until)):
        return comparing.Stay((np.nan, np.nan), *([np.nan] * 5))
    return comparing.stay(lives.tenure, (lives.risk, rest.risk), (lives.events, rest.events), until=until, level=level)


def _sample(lives: Lives, tenure: float) -> tuple[float, float]:
    """So many still there and so many gone, without censoring, as are as sure as the curve is; none where it is not seen."""
    still = kaplan_meier(lives.risk, lives.events)
    step, _, unseen = lives.place(np.array([tenure]), gone=bool(still[-1] == 0))
    if unseen[0]:
        return 0.0, 0.0
    n = effective(lives.tenure, lives.risk, lives.events, lives.censored, until=tenure)
    return float(still[step[0]] * n), float((1 - still[step[0]]) * n)


def _part(sample: Floats) -> Floats:
    total = sample.sum(axis=1)
    part: Floats = np.divide(sample[:, 0], total, out=np.full(len(total), np.nan), where=total > 0)
    return part


def _judged(frame: pd.DataFrame, margin: float | None, level: float) -> pd.DataFrame:
    """All differences corrected together, then judged."""
    corrected = stats.benjamini_hochberg(frame["p_value"])
    return frame.assign(
        p_corrected=corrected,
        verdict=stats.verdicts(frame["estimate"], corrected, frame["unchanged"], level=level, words=_WORDS),
        margin=np.nan if margin is None else margin,
        smallest_detectable=stats.smallest_change(frame["std_error"], level=level),
    )
