"""R's Cox fits, each held against the partial likelihood written out, and against lifelines where it can."""

from functools import cache
from pathlib import Path

import lifelines
import numpy as np
import pandas as pd
import pytest
from partial_likelihood import Spans, concordance, influence, moments, partial, spans

GOLDEN = Path(__file__).parent / "golden"
ROSSI = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]
#: lifelines too stops early by default.
SETTLED = {"precision": 1e-12, "r_precision": 1e-15}
ALL = pd.read_csv(GOLDEN / "cox_terms.csv")["fit"].unique()
#: Which rows are of one cluster, where errors are robust.
ROBUST = {
    "lung_robust": lambda: lung().index,
    "lung_cluster": lambda: lung()["institution"].dropna(),
    "lung_late_strata": lambda: lung()["institution"].dropna(),
    "heart_cluster": lambda: golden("heart")["patient"],
}


@cache
def golden(name: str) -> pd.DataFrame:
    return pd.read_csv(GOLDEN / f"{name}.csv")


def lung() -> pd.DataFrame:
    rows = golden("lung").dropna(subset=["ecog"]).reset_index(drop=True)
    return rows.assign(month=np.ceil(rows["time"] / 30), late=rows["entry"] - 0.5)


def terms(fit: str) -> pd.DataFrame:
    found = golden("cox_terms")
    return found[found["fit"] == fit].set_index("term")


def whole(fit: str) -> pd.Series:
    return golden("cox_fits").set_index("fit").loc[fit]


def estimates(fit: str) -> np.ndarray:
    return terms(fit)["estimate"].to_numpy()


def given(fit: str) -> Spans:
    """The rows of one of R's fits, as its call in cox.R has them."""
    table, _, kind = fit.partition("_")
    names = [name for name in terms(fit).index if name != "karno_log_time"]
    breslow = kind.endswith("breslow")
    if table == "lung":
        rows = lung() if kind != "late_sex" else golden("lung").assign(late=golden("lung")["entry"] - 0.5)
        rows = rows.dropna(subset=["institution"]) if kind in ("cluster", "late_strata") else rows
        entry = rows["late"] if kind.startswith("late") else None
        return spans(
            rows, names, stop="time", event="left", start=entry, stratum="sex" if kind.endswith("strata") else None, efron=not breslow
        )
    if table == "months":
        counted = "counts" in kind
        rows = golden("lung_patterns") if counted else lung()
        return spans(rows, names, stop="month", event="left", weight="count" if counted else None, efron=not breslow)
    if table == "mgus2":
        rows = golden("mgus2").assign(left=(golden("mgus2")["end"] > 0).astype(int))
        return spans(rows, names, stop="time", event="left", start=rows["entry"] - 0.5)
    if table == "heart":
        return spans(golden("heart"), names, stop="stop", event="event", start=golden("heart")["start"])
    if table == "veteran":
        rows = golden("veteran")
        x = rows[names].to_numpy(dtype=float)

        def at(time: float) -> np.ndarray:
            return np.column_stack([x, x[:, 2] * np.log(time + 20)])

        return spans(rows, names, stop="time", event="left", at=at if kind == "karno_log_time" else None)
    return spans(golden("rossi"), names, stop="week", event="arrest", efron=not breslow)


@pytest.mark.parametrize("fit", ALL)
def test_the_coefficients_are_where_the_likelihood_is_highest_and_their_errors_its_curvature(fit):
    beta, rows = estimates(fit), given(fit)
    log_likelihood, gradient, information = partial(rows, beta)
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    np.testing.assert_allclose(np.linalg.solve(information, gradient) / errors, 0, atol=1e-8)
    np.testing.assert_allclose(errors, terms(fit)["std_error"], rtol=1e-9)
    assert log_likelihood == pytest.approx(whole(fit)["log_likelihood"], rel=1e-12)
    assert whole(fit)[["n", "events"]].tolist() == [len(rows.stop), rows.event.sum()]


@pytest.mark.parametrize("fit", ALL)
def test_the_score_test_is_the_slope_at_no_effect(fit):
    nothing = np.zeros(len(terms(fit)))
    log_likelihood, gradient, information = partial(given(fit), nothing)
    assert log_likelihood == pytest.approx(whole(fit)["log_likelihood_null"], rel=1e-10)
    assert gradient @ np.linalg.solve(information, gradient) == pytest.approx(whole(fit)["score_chi2"], rel=1e-8)
    assert len(nothing) == whole(fit)["df"]


@pytest.mark.parametrize("fit", [name for name in ALL if name not in ROBUST])
def test_walds_test_is_the_coefficients_over_their_errors(fit):
    beta, (_, _, information) = estimates(fit), partial(given(fit), estimates(fit))
    assert beta @ information @ beta == pytest.approx(whole(fit)["wald_chi2"], rel=1e-8)


@pytest.mark.parametrize(("fit", "cluster"), ROBUST.items())
def test_robust_errors_are_the_squared_moves_of_the_coefficients_when_a_cluster_counts_more(fit, cluster):
    moved = pd.DataFrame(influence(given(fit), estimates(fit))).groupby(np.asarray(cluster())).sum().to_numpy()
    np.testing.assert_allclose(np.sqrt((moved**2).sum(axis=0)), terms(fit)["robust_error"], rtol=1e-8)
    beta = estimates(fit)
    assert beta @ np.linalg.solve(moved.T @ moved, beta) == pytest.approx(whole(fit)["wald_chi2"], rel=1e-8)


@pytest.mark.parametrize("fit", [name for name in ALL if name != "veteran_karno_log_time"])
def test_concordance_counts_the_comparable_pairs(fit):
    share, _ = concordance(given(fit), estimates(fit))
    assert share == pytest.approx(whole(fit)["concordance"], abs=1e-9)


@pytest.mark.parametrize("fit", ["lung_efron", "rossi_efron", "lung_late", "heart_efron", "veteran_efron"])
def test_the_error_of_concordance_is_its_move_when_a_row_counts_more(fit):
    _, moved = concordance(given(fit), estimates(fit))
    assert np.sqrt((moved**2).sum()) == pytest.approx(whole(fit)["concordance_error"], rel=1e-9)


def test_on_counts_breslow_is_the_same_as_on_rows_and_rs_efron_is_not():
    # Why equal rows that are counted need an Efron of their own: d of a tie is the number of customers, not of patterns.
    np.testing.assert_allclose(estimates("months_counts_breslow"), estimates("months_rows_breslow"), rtol=1e-9)
    away = np.abs(estimates("months_counts_efron") / estimates("months_rows_efron") - 1)
    assert (away > 1e-3).all()
    patterns = golden("lung_patterns")
    again = lung().groupby(["month", "left", "sex", "ecog"]).size().rename("count").reset_index()
    key = ["month", "left", "sex", "ecog"]
    pd.testing.assert_frame_equal(again, patterns.sort_values(key).reset_index(drop=True), check_dtype=False)


@pytest.mark.parametrize(
    ("fit", "options"),
    [
        ("lung_efron", {}),
        ("lung_strata", {"strata": ["sex"]}),
        ("lung_late", {"entry_col": "entry"}),
        ("lung_robust", {"robust": True}),
        ("lung_cluster", {"cluster_col": "institution"}),
    ],
)
def test_lifelines_has_the_same_coefficients_and_errors(fit, options):
    rows = lung().dropna(subset=["institution"] if fit == "lung_cluster" else [])
    if fit == "lung_late":  # it takes who enters at t as at risk at t already
        rows = rows.assign(entry=rows["late"].clip(lower=0))
    columns = dict.fromkeys(
        [*terms(fit).index, "time", "left", *(name for value in options.values() for name in np.atleast_1d(value) if name is not True)]
    )
    columns = [name for name in columns if name in rows]
    found = lifelines.CoxPHFitter().fit(rows[columns], "time", "left", fit_options=SETTLED, **options).summary
    expected = terms(fit)
    np.testing.assert_allclose(found.loc[expected.index, "coef"], expected["estimate"], rtol=1e-7)
    errors = expected["robust_error"].fillna(expected["std_error"])
    # Its robust errors take ties as Breslow does, R's and the ones written out above as Efron does.
    np.testing.assert_allclose(found.loc[expected.index, "se(coef)"], errors, rtol=1e-7 if expected["robust_error"].isna().all() else 2e-3)


def test_lifelines_has_the_same_recidivism_and_the_same_rows():
    rows = golden("rossi")
    pd.testing.assert_frame_equal(rows, lifelines.datasets.load_rossi().reset_index(drop=True))
    found = lifelines.CoxPHFitter().fit(rows, "week", "arrest", fit_options=SETTLED)
    np.testing.assert_allclose(found.params_[ROSSI], estimates("rossi_efron"), rtol=1e-7)
    np.testing.assert_allclose(found.summary.loc[ROSSI, "se(coef)"], terms("rossi_efron")["std_error"], rtol=1e-7)
    assert found.concordance_index_ == pytest.approx(whole("rossi_efron")["concordance"], abs=1e-9)


def test_lifelines_has_the_same_coefficients_on_start_stop_rows():
    found = lifelines.CoxTimeVaryingFitter().fit(
        golden("heart"), id_col="patient", event_col="event", start_col="start", stop_col="stop", fit_options=SETTLED
    )
    np.testing.assert_allclose(found.params_[terms("heart_efron").index], estimates("heart_efron"), rtol=1e-7)


def scale(rows: Spans, transform: str, times: np.ndarray) -> np.ndarray:
    """Time as the check of proportionality takes it: as it is, its logarithm, or the share that has left before."""
    if transform == "identity":
        return times
    if transform == "log":
        return np.log(times)
    every = np.unique(rows.stop)
    hazard = [(rows.event & (rows.stop == t)).sum() / ((rows.start < t) & (rows.stop >= t)).sum() for t in every]
    survival = np.concatenate([[1.0], np.cumprod(1 - np.array(hazard))])
    return 1 - survival[np.searchsorted(every, times)]


@pytest.mark.parametrize(("fit", "transform"), golden("cox_zph")[["fit", "transform"]].drop_duplicates().to_numpy().tolist())
def test_the_check_of_proportionality_is_the_score_test_of_each_term_times_time(fit, transform):
    rows = given(fit)
    times = np.unique(rows.stop[rows.event])
    clock = dict(zip(times, scale(rows, transform, times), strict=True))
    middle = np.mean(list(clock.values()))
    twice = spans_with(rows, lambda time: np.column_stack([rows.x, rows.x * (clock[time] - middle)]))
    p = rows.x.shape[1]
    _, gradient, information = partial(twice, np.concatenate([estimates(fit), np.zeros(p)]))
    table = golden("cox_zph").query("fit == @fit and transform == @transform").set_index("term")
    for place, term in enumerate([*terms(fit).index, "GLOBAL"]):
        asked = np.arange(p, 2 * p) if term == "GLOBAL" else np.array([p + place])
        kept = np.arange(p)
        cross = information[np.ix_(asked, kept)]
        left = information[np.ix_(asked, asked)] - cross @ np.linalg.solve(information[np.ix_(kept, kept)], cross.T)
        assert gradient[asked] @ np.linalg.solve(left, gradient[asked]) == pytest.approx(table.loc[term, "chi2"], rel=1e-7), term
        assert table.loc[term, "df"] == len(asked)


def spans_with(rows: Spans, at) -> Spans:
    return Spans(rows.start, rows.stop, rows.event, rows.x, rows.weight, rows.stratum, rows.efron, at)


@pytest.mark.parametrize("fit", ["veteran_efron", "lung_late"])
def test_schoenfelds_residuals_are_who_left_less_who_was_expected_to(fit):
    rows, beta = given(fit), estimates(fit)
    expected = [(m.time, m.x[m.dead] - m.means.mean(axis=0)) for m in moments(rows, beta, rows.weight)]
    found = golden("cox_schoenfeld").query("fit == @fit")
    table = np.column_stack([found.loc[found["term"] == term, "residual"] for term in terms(fit).index])
    times = found.loc[found["term"] == terms(fit).index[0], "time"].to_numpy()
    np.testing.assert_allclose(times, np.concatenate([[time] * len(part) for time, part in expected]))
    ours = np.concatenate([part for _, part in expected])
    # Of who left at the same time the order is nobody's.
    np.testing.assert_allclose(
        sorted(map(tuple, np.column_stack([times, table]).round(6))), sorted(map(tuple, np.column_stack([times, ours]).round(6))), atol=2e-6
    )


def increments(rows: Spans, beta: np.ndarray) -> pd.DataFrame:
    """By time: the baseline hazard, the variance it has by itself, and the covariates' mean taken with it."""
    found = list(moments(rows, beta, rows.weight))
    frame = pd.DataFrame(index=[m.time for m in found])
    frame["hazard"] = [(m.mean_weight / m.s0).sum() for m in found]
    frame["variance"] = [(1 / m.s0**2).sum() for m in found]
    return frame.join(pd.DataFrame([m.means.T @ (1 / m.s0) for m in found], index=frame.index))


@pytest.mark.parametrize("fit", ["rossi_efron", "rossi_breslow", "lung_late"])
def test_the_baseline_hazard_takes_ties_as_the_fit_does(fit):
    found = golden("cox_baseline").query("fit == @fit")
    ours = increments(given(fit), estimates(fit))["hazard"].cumsum()
    step = np.searchsorted(ours.index, found["time"], side="right")
    np.testing.assert_allclose(found["cumulative_hazard"], np.concatenate([[0], ours])[step], rtol=1e-9, atol=1e-12)


def test_a_predicted_survival_has_the_error_of_its_hazard_and_of_its_coefficients():
    rows, beta = given("rossi_efron"), estimates("rossi_efron")
    by_time, covariance = increments(rows, beta), np.linalg.inv(partial(rows, beta)[2])
    people = {1: [0, 20, 1, 0, 0, 1, 8], 2: [1, 35, 1, 1, 0, 1, 0]}
    for row in golden("rossi_predicted").itertuples():
        person, past = np.array(people[row.person]), by_time[by_time.index <= row.week].sum()
        hazard = np.exp(person @ beta) * past["hazard"]
        away = person * past["hazard"] - past[list(range(7))].to_numpy()
        error = np.exp(person @ beta) * np.sqrt(past["variance"] + away @ covariance @ away)
        assert np.exp(-hazard) == pytest.approx(row.survival, rel=1e-9)
        assert np.exp(-hazard) * error == pytest.approx(row.std_error, rel=1e-7)


def test_cause_specific_hazards_take_the_other_end_as_no_longer_seen():
    for end, part in golden("ends_cause_specific").groupby("end"):
        rows = golden("mgus2").assign(left=(golden("mgus2")["end"] == end).astype(int))
        found = lifelines.CoxPHFitter().fit(rows[["time", "left", "age", "woman"]], "time", "left", fit_options=SETTLED)
        np.testing.assert_allclose(found.params_[part["term"]], part["estimate"], rtol=1e-7)
        np.testing.assert_allclose(found.summary.loc[part["term"], "se(coef)"], part["std_error"], rtol=1e-7)
