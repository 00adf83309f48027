"""Hazard ratios with their intervals and verdicts, and whether they are the same at every tenure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from cxlib.leaving.model import Model
from cxlib.leaving.terms import Rows
from cxlib.stats import cox, intervals, movement
from cxlib.tables import RESULT, nothing

Ints = npt.NDArray[np.int64]

#: Verdicts, as a reader has them.
ALIKE, SOONER, LATER = "no material difference", "leaves sooner", "leaves later"
REFERENCE, UNKNOWN = "reference", "not told apart"
CHANGES, STEADY = "changes with tenure", "no sign that it changes"

_KEYS = ["covariate", "category", "stretch"]
_EFFECTS = {
    "reference": "object", "events": "int64", "p_value": "float64", "p_corrected": "float64", "verdict": "object", "margin": "float64",
}  # fmt: skip
_TESTS = {"df": "int64", "p_value": "float64", "p_corrected": "float64", "verdict": "object", "advice": "object"}


def effects(model: Model, *, margin: float | None = None, split_days: float | None = None, level: float = 0.95) -> pd.DataFrame:
    """Hazard ratios of leaving, one row per covariate and category.

    How many times as likely leaving is on any day, compared with the reference category
    and all other covariates alike. Without a unit; 1 is no difference, 2 twice as likely.

    Parameters
    ----------
    model : Model
        What `model` returned.
    margin : float, optional
        A ratio, above 1, below which a difference is not material: with 1.1, ratios from
        1/1.1 to 1.1. By default none is.
    split_days : float, optional
        A tenure in days: the ratios up to it and after it, each with rows of their own.
    level : float, default 0.95
        Confidence level of the interval.

    Returns
    -------
    DataFrame, one row per covariate, category and stretch, in the order of the model
        ===========  =====  =====================================================
        covariate    str    what tells customers apart
        category     str    its category
        stretch      str    ``"any tenure"``, or ``"up to day …"``, ``"after day …"``
        measure      str    ``"hazard_ratio"``
        estimate     float  ratio of the hazards; 1 in the reference, missing where it
                            cannot be told
        low, high    float  interval of the ratio
        level        float  confidence level of the interval
        n            int    spells that were ever at risk in the category
        reference    str    the category it is compared with
        events       int    of them, left while in it, in the stretch
        p_value      float  of the test that the ratio is 1
        p_corrected  float  the same, corrected for all rows together
        verdict      str    ``"leaves sooner"``, ``"leaves later"``, ``"no material
                            difference"``, ``"cannot tell yet"``, ``"reference"`` or
                            ``"not told apart"``
        margin       float  as declared
        ===========  =====  =====================================================

        ``frame.attrs["notes"]`` says what is not recorded or not told apart; without rows,
        ``frame.attrs["reason"]`` says why.

    Raises
    ------
    ValueError
        If ``level`` is not between 0 and 1, or ``margin`` is not above 1.

    See Also
    --------
    proportionality : whether one ratio tells the whole story.
    cxlib.figures.forest : the picture of this result.

    Notes
    -----
    The interval is Wald's on the logarithm, with errors clustered by customer [1]_. The
    verdict, in this order: *no material difference* where two one-sided tests show the
    ratio to be within ``margin``; *leaves sooner* or *later* where the p-value, corrected
    over all rows by Benjamini and Hochberg, is below 1 - ``level``; else *cannot tell yet*.
    The intervals are not corrected.

    It misleads as a cause: who is in a category differs in more than the model knows. Nor
    is a ratio a share: twice the hazard is fewer than twice as many who leave within a
    year. Where the ratio changes with tenure it is a mean over the leavers there were. Of
    a mixture of people the ratios lie nearer to 1 than those of people alike in all else,
    as those at risk are sorted out first.

    References
    ----------
    .. [1] Lin, D. Y., Wei, L. J. (1989). The robust inference for the Cox proportional
       hazards model. JASA 84(408), 1074-1078.
    .. [2] Hernán, M. A. (2010). The hazards of hazard ratios. Epidemiology 21(1), 13-15.

    Examples
    --------
    >>> from cxlib.leaving.model import model as modelled
    >>> chance = np.random.default_rng(1)
    >>> plan = np.repeat(["free", "paid"], 200)
    >>> days = chance.exponential(np.where(plan == "free", 100, 200))
    >>> customers = pd.DataFrame({"customer": range(400), "plan": plan, "tenure_days": days, "churned": True})
    >>> effects(modelled(customers, of="plan"))[["category", "estimate", "low", "high", "n", "verdict"]].round(2)
      category  estimate   low  high    n        verdict
    0     paid       1.0  1.00  1.00  200      reference
    1     free       1.7  1.38  2.11  200  leaves sooner
    """
    intervals.tails(level)
    if margin is not None and not 1 < margin < np.inf:
        raise ValueError(f"margin: {margin!r} is no ratio above 1; for a tenth more or less likely write 1.1")
    reason = model.reason_absent or ("" if model.of else "The model has no covariates, so nothing is compared.")
    if reason or model.fit is None or model.rows is None:
        return nothing(keys=_KEYS, counts=_EFFECTS, reason=reason)
    try:
        frame = _whole(model, model.fit) if split_days is None else _cut(model, model.rows, split_days)
    except ValueError as letter:
        reason = f"There are no ratios before and after day {split_days:g}: {letter}"
        return nothing(keys=_KEYS, counts=_EFFECTS, reason=reason)
    error, log = frame["error"].to_numpy(), frame["log"].to_numpy()
    reach = special.ndtri(1 - intervals.tails(level))
    is_reference = error == 0
    with np.errstate(over="ignore"):
        low, high = (np.where(is_reference, 1.0, np.exp(log + sign * reach * error)) for sign in (-1, 1))
    p_value = np.where(is_reference, np.nan, 2 * special.ndtr(-np.abs(log) / np.where(error > 0, error, np.nan)))
    p_corrected = movement.benjamini_hochberg(p_value)
    # Two one-sided tests at 1 - level: the interval at twice the level less 1 lies within the margin.
    bound = np.nan if margin is None else np.log(margin)
    within = np.abs(log) + special.ndtri(level) * error < bound
    said = np.array(movement.verdicts(log, p_corrected, within, level=level, words=(ALIKE, SOONER, LATER)), dtype=object)
    said[np.isnan(log)] = UNKNOWN
    said[is_reference] = REFERENCE
    frame = frame.assign(estimate=np.exp(log), low=low, high=high, level=level, measure="hazard_ratio", p_value=p_value)
    frame = frame.assign(p_corrected=p_corrected, verdict=said, margin=np.nan if margin is None else float(margin))
    frame = frame[[*_KEYS, *RESULT, *_EFFECTS]].astype(_EFFECTS).reset_index(drop=True)
    frame.attrs["notes"] = list(model.notes)
    return frame


def _whole(model: Model, fit: cox.Fit) -> pd.DataFrame:
    """Coefficients and errors of every category at any tenure."""
    column, events = (model.categories[name].to_numpy(dtype="int64") for name in ("column", "events"))
    return _told(model, fit, column).assign(stretch="any tenure", events=events)


def _cut(model: Model, rows: Rows, day: float) -> pd.DataFrame:
    """The same before and after a tenure, from one fit of rows that are cut there."""
    cut, stretches = rows.split(day), (f"up to day {day:g}", f"after day {day:g}")
    leavers = np.split(cut.leavers(), 2)
    for stretch, left in zip(stretches, leavers, strict=True):
        if not left.any():
            raise ValueError(f"nobody left {stretch}. Give a tenure by which some have left, and after which others have.")
    first = _first(model)
    terms = model.categories.loc[~first, ["covariate", "category"]].to_numpy().tolist()
    found = cut.fitted([(name, f"{category}, {stretch}") for stretch in stretches for name, category in terms])
    parts = []
    for stretch, left, columns in zip(stretches, leavers, np.split(found.columns, 2), strict=True):
        column, events = np.full(len(first), -1), np.zeros(len(first))
        column[~first], events[~first] = columns, left @ rows.covariates
        others = pd.Series(events).groupby(model.categories["covariate"]).transform("sum").to_numpy()
        part = _told(model, found.fit, column)
        parts.append(part.assign(stretch=stretch, events=np.where(first, left.sum() - others, events).astype("int64")))
    return pd.concat(parts, ignore_index=True)


def _first(model: Model) -> npt.NDArray[np.bool_]:
    """Which of the categories are references."""
    rows = zip(model.categories["covariate"], model.categories["category"], strict=True)
    return np.array([category == model.levels[name][0] for name, category in rows], dtype=bool)


def _told(model: Model, fit: cox.Fit, column: Ints) -> pd.DataFrame:
    """Every category with the logarithm of its ratio and its error: 0 in the reference, missing where there is no column."""
    first, rows = _first(model), model.categories
    log, error = (np.append(known, np.nan)[column] for known in (fit.coefficients, np.sqrt(np.diag(fit.uncertainty))))
    found = rows[["covariate", "category"]].assign(reference=[model.levels[name][0] for name in rows["covariate"]])
    return found.assign(log=np.where(first, 0.0, log), error=np.where(first, 0.0, error), n=rows["spells"].astype("int64"))


def proportionality(model: Model, *, level: float = 0.95) -> pd.DataFrame:
    """Whether each covariate's hazard ratios are the same at every tenure, one row per covariate.

    The score test of each covariate's terms times the share that has left by a tenure, as a
    chi-square; the larger, the less one ratio tells the whole story [1]_.

    Parameters
    ----------
    model : Model
        What `model` returned.
    level : float, default 0.95
        1 less the corrected p-value below which a ratio is said to change.

    Returns
    -------
    DataFrame, one row per covariate in the order of the model, and one of all together
        ===========  =====  =====================================================
        covariate    str    the covariate, or ``"all together"``
        measure      str    ``"proportionality"``
        estimate     float  chi-square of the test
        low, high    float  missing: a test has no interval
        level        float  as given
        n            int    customers' spells at risk
        df           int    degrees of freedom
        p_value      float  of the test that the ratios stay the same
        p_corrected  float  the same, corrected for all covariates together
        verdict      str    ``"changes with tenure"`` or ``"no sign that it changes"``
        advice       str    what it means, and what to do
        ===========  =====  =====================================================

        Without rows, ``frame.attrs["reason"]`` says why.

    Raises
    ------
    ValueError
        If ``level`` is not between 0 and 1.

    See Also
    --------
    effects : ``split_days`` gives the ratios before and after a tenure.
    model : ``apart`` gives a covariate a baseline of its own.

    Notes
    -----
    The exact score test of R's ``cox.zph`` since survival 3. Covariates are corrected by
    Benjamini and Hochberg; the row of all together is not. It misleads at both ends of n: of
    a hundred leavers hardly any change is seen, of a hundred thousand one that matters to
    nobody. And a ratio that wears off also looks so where the most endangered leave first.

    References
    ----------
    .. [1] Grambsch, P. M., Therneau, T. M. (1994). Proportional hazards tests and
       diagnostics based on weighted residuals. Biometrika 81(3), 515-526.

    Examples
    --------
    >>> from cxlib.leaving.model import model as modelled
    >>> chance = np.random.default_rng(1)
    >>> plan = np.repeat(["free", "paid"], 200)
    >>> days = chance.exponential(np.where(plan == "free", 100, 200))
    >>> customers = pd.DataFrame({"customer": range(400), "plan": plan, "tenure_days": days, "churned": True})
    >>> proportionality(modelled(customers, of="plan"))[["covariate", "estimate", "df", "p_value", "verdict"]].round(2)
          covariate  estimate  df  p_value                  verdict
    0          plan      1.37   1     0.24  no sign that it changes
    1  all together      1.37   1     0.24  no sign that it changes
    """
    intervals.tails(level)
    reason = model.reason_absent or ("" if model.terms else "No covariate tells customers apart, so no ratio could change.")
    if reason or model.fit is None:
        return nothing(keys=["covariate"], counts=_TESTS, reason=reason)
    names = [name for name in model.of if any(name == term for term, _ in model.terms)]
    columns = [[place for place, (term, _) in enumerate(model.terms) if term == name] for name in names]
    tests = model.fit.proportionality("km", columns)
    frame = pd.DataFrame({"covariate": names, "estimate": tests.chi2, "df": tests.df, "p_value": tests.p})
    frame = frame.assign(p_corrected=movement.benjamini_hochberg(frame["p_value"]))
    whole = {"covariate": "all together", "estimate": tests.whole_chi2, "df": tests.whole_df, "p_value": tests.whole_p}
    frame = pd.concat([frame, pd.DataFrame([whole | {"p_corrected": tests.whole_p}])], ignore_index=True)
    found = frame["p_corrected"] < 1 - level
    advice = [_advice(name, changes) for name, changes in zip(frame["covariate"], found, strict=True)]
    frame = frame.assign(
        measure="proportionality", low=np.nan, high=np.nan, level=level, n=model.fit.spells,
        verdict=np.where(found, CHANGES, STEADY), advice=advice,
    )  # fmt: skip
    return frame[["covariate", *RESULT, *_TESTS]].astype(_TESTS)


def _advice(name: str, changes: bool) -> str:
    """What a test means, and what to do about it."""
    if not changes:
        return "One hazard ratio describes it at every tenure, as far as these leavers tell."
    if name == "all together":
        return "Some ratio is a mean over tenures: see which, above."
    return (
        f"Its ratio is a mean over tenures. Give it before and after a tenure (split_days=), "
        f"or, where it only has to be held equal, a baseline of its own (apart='{name}')."
    )
