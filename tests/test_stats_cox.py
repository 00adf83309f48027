"""Cox's model on counts, held against R, the partial likelihood written out, lifelines, simulation, and itself in other pieces."""

import numpy as np
import pandas as pd
import pytest
from partial_likelihood import influence, partial
from test_golden_cox import estimates, golden, lung, terms, whole
from test_golden_cox import given as rows_of

from cxlib.stats import cox

#: R's fits that count customers, and not tied patterns, one by one.
FITS = [
    *("lung_efron", "lung_strata", "lung_late", "lung_late_sex", "lung_robust", "lung_cluster", "rossi_efron"),
    *("heart_efron", "heart_cluster", "months_rows_efron", "veteran_efron"),
]
CLUSTERS = {
    "lung_robust": lambda: np.arange(len(lung())),
    "lung_cluster": lambda: lung()["institution"].dropna().to_numpy(),
    "heart_cluster": lambda: golden("heart")["patient"].to_numpy(),
}
#: All of R's checks but those on the logarithm of time, which a tenure of 0 has not.
CHECKS = golden("cox_zph").query("transform != 'log'")[["fit", "transform"]].drop_duplicates().to_numpy().tolist()


def cells(start, stop, ended, pattern, stratum=0, spells=1):
    number = len(stop)
    whole_numbers = (np.broadcast_to(each, number).astype("int64") for each in (spells, stratum))
    return cox.Cells(np.asarray(pattern), np.asarray(start, dtype=float), np.asarray(stop, dtype=float), np.asarray(ended), *whole_numbers)


def counted(rows):
    """The rows of an oracle as cells, one each."""
    covariates, pattern = np.unique(rows.x, axis=0, return_inverse=True)
    start = np.where(np.isinf(rows.start), -0.5, rows.start)
    stratum = np.unique(rows.stratum, return_inverse=True)[1]
    return cells(start, rows.stop, rows.event, pattern, stratum), covariates


def fitted(fit):
    clusters = CLUSTERS.get(fit)
    return cox.fit(*counted(rows_of(fit)), clusters=clusters and clusters())


@pytest.mark.parametrize("fit", FITS)
def test_coefficients_errors_likelihoods_and_tests_are_rs(fit):
    found, expected = fitted(fit), whole(fit)
    np.testing.assert_allclose(found.coefficients, estimates(fit), rtol=1e-11)
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), terms(fit)["std_error"], rtol=1e-11)
    assert found.log_likelihood == pytest.approx(expected["log_likelihood"], rel=1e-13)
    assert found.null_log_likelihood == pytest.approx(expected["log_likelihood_null"], rel=1e-13)
    assert found.score_test.chi2 == pytest.approx(expected["score_chi2"], rel=1e-11)
    assert found.wald_test.chi2 == pytest.approx(expected["wald_chi2"], rel=1e-9)
    gain = 2 * (expected["log_likelihood"] - expected["log_likelihood_null"])
    assert found.likelihood_ratio_test.chi2 == pytest.approx(gain, rel=1e-9)
    assert found.wald_test.df == found.score_test.df == expected["df"]
    assert [found.spells, found.events] == expected[["n", "events"]].tolist()


@pytest.mark.parametrize("fit", CLUSTERS)
def test_robust_errors_are_rs(fit):
    found = fitted(fit)
    np.testing.assert_allclose(np.sqrt(np.diag(found.robust)), terms(fit)["robust_error"], rtol=1e-11)
    sums = pd.DataFrame(found.score_residuals()).groupby(CLUSTERS[fit]()).sum().to_numpy()
    np.testing.assert_allclose(cox.robust_covariance(found, sums), found.robust, rtol=1e-12)


@pytest.mark.parametrize("fit", ["lung_late", "heart_efron", "lung_strata"])
def test_a_score_residual_is_what_the_gradient_gains_when_a_row_counts_more(fit):
    rows, found = rows_of(fit), fitted(fit)
    information = partial(rows, estimates(fit))[2]
    np.testing.assert_allclose(found.score_residuals(), influence(rows, estimates(fit)) @ information, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(("fit", "transform"), CHECKS)
def test_the_check_of_proportionality_is_rs(fit, transform):
    table = golden("cox_zph").query("fit == @fit and transform == @transform")
    found = fitted(fit).proportionality(transform)
    np.testing.assert_allclose([*found.chi2, found.whole_chi2], table["chi2"], rtol=1e-10)
    np.testing.assert_allclose([*found.p, found.whole_p], table["p"], rtol=1e-10)
    assert [*found.df, found.whole_df] == table["df"].tolist()


@pytest.mark.parametrize("fit", golden("cox_schoenfeld")["fit"].unique())
def test_schoenfelds_residuals_are_rs(fit):
    found, table = fitted(fit), golden("cox_schoenfeld").query("fit == @fit")
    expected = [table.loc[table["term"] == term, "residual"] for term in terms(fit).index]
    times = found.cells.stop[found.cells.ended]
    ours = np.column_stack([times, found.schoenfeld_residuals()])
    theirs = np.column_stack([table.loc[table["term"] == terms(fit).index[0], "time"], *expected])
    # Of who left at the same time the order is nobody's.
    ours, theirs = (rows[np.lexsort(rows.round(8).T[::-1])] for rows in (ours, theirs))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("fit", ["rossi_efron", "lung_late"])
def test_the_baseline_is_rs(fit):
    table = golden("cox_baseline").query("fit == @fit")
    nobody = np.zeros((len(table), len(terms(fit))))
    hazard, _ = fitted(fit).cumulative_hazard(nobody, 0, table["time"].to_numpy())
    np.testing.assert_allclose(hazard, table["cumulative_hazard"], rtol=1e-11, atol=1e-15)


def test_a_predicted_survival_and_its_error_are_rs():
    people = np.array([[0, 20, 1, 0, 0, 1, 8], [1, 35, 1, 1, 0, 1, 0]])
    table = golden("rossi_predicted")
    person, week = people[table["person"] - 1], table["week"].to_numpy()
    found = fitted("rossi_efron")
    hazard, error = found.cumulative_hazard(person, 0, week)
    np.testing.assert_allclose(np.exp(-hazard), table["survival"], rtol=1e-12)
    np.testing.assert_allclose(np.exp(-hazard) * error, table["std_error"], rtol=1e-11)
    np.testing.assert_allclose(1 - found.left_within(person, 0, np.zeros(len(week)), week), table["survival"], rtol=1e-12)
