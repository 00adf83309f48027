"""Cox's model on counts, held against R, the partial likelihood written out, simulation, and itself in other pieces."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, settings
from hypothesis import given as drawn
from hypothesis import strategies as st
from partial_likelihood import Spans, concordance, influence, partial, spans
from scipy.optimize import linprog
from test_golden_cox import ALL, ROBUST, estimates, golden, terms, whole
from test_golden_cox import given as rows_of

from cxlib.stats import cox

#: R's fits of the same ties: Efron's, and counted by customers.
FITS = [fit for fit in ALL if not fit.endswith("breslow") and fit not in ("months_counts_efron", "veteran_karno_log_time")]
TELCO = Path(__file__).parents[2] / "shared" / "real" / "ibm-telco-churn" / "Telco-Customer-Churn.csv"
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
    clusters = np.asarray(ROBUST[fit]()) if fit in ROBUST else None
    return cox.fit(*counted(rows_of(fit)), clusters=clusters)


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


@pytest.mark.parametrize("fit", ROBUST)
def test_robust_errors_are_rs(fit):
    found = fitted(fit)
    np.testing.assert_allclose(np.sqrt(np.diag(found.robust)), terms(fit)["robust_error"], rtol=1e-11)
    sums = pd.DataFrame(found.score_residuals()).groupby(np.asarray(ROBUST[fit]())).sum().to_numpy()
    np.testing.assert_allclose(cox.robust_covariance(found, sums), found.robust, rtol=1e-12)


def test_a_score_residual_is_what_the_gradient_gains_when_a_row_counts_more():
    rows, beta = rows_of("heart_efron"), estimates("heart_efron")
    gained = influence(rows, beta) @ partial(rows, beta)[2]
    np.testing.assert_allclose(fitted("heart_efron").score_residuals(), gained, rtol=1e-8, atol=1e-8)


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


def test_a_stratum_has_a_baseline_of_its_own_as_in_r():
    table = golden("lung_predicted")
    hazard, error = fitted("lung_late_strata").cumulative_hazard(np.array([[60.0, 1.0]] * len(table)), table["sex"] - 1, table["time"])
    np.testing.assert_allclose(np.exp(-hazard), table["survival"], rtol=1e-12)
    np.testing.assert_allclose(np.exp(-hazard) * error, table["std_error"], rtol=1e-11)


@pytest.mark.skipif(not TELCO.exists(), reason="the telephone company's customers are not here")
def test_the_telephone_companys_coefficients_and_concordance_are_the_published_ones():
    rows = pd.read_csv(TELCO).query("Contract == 'Month-to-month' and InternetService != 'No'")
    given = {"Dependents": "Yes", "InternetService": "DSL", "OnlineBackup": "Yes", "TechSupport": "Yes"}
    known = pd.DataFrame({name: rows[name] == value for name, value in given.items()}).assign(
        stop=rows["tenure"], ended=rows["Churn"] == "Yes"
    )
    table = known.value_counts().rename("spells").reset_index()
    covariates, pattern = np.unique(table[list(given)].to_numpy(dtype=float), axis=0, return_inverse=True)
    found = cox.fit(cells(-0.5 + 0 * table["stop"], table["stop"], table["ended"], pattern, spells=table["spells"]), covariates)
    assert [found.spells, found.events, len(covariates)] == [3351, 1556, 16]
    np.testing.assert_array_equal(found.coefficients.round(4), [-0.3287, -0.2173, -0.7766, -0.6392])
    share, _ = concordance(spans(known, list(given), stop="stop", event="ended"), found.coefficients)
    assert round(share, 4) == 0.6409


@st.composite
def histories(draw):
    """Some spells of few days and few kinds: ties, late entry, strata."""
    spell = st.tuples(st.integers(0, 5), st.integers(1, 6), st.booleans(), st.integers(0, 2), st.integers(0, 1))
    rows = np.array(draw(st.lists(spell, min_size=8, max_size=40)))
    start, days, ended, pattern, stratum = rows.T
    return cells(start - 0.5, start + days, ended == 1, pattern, stratum)


KINDS = np.array([[0.0, 0.0], [1.0, 0.3], [0.2, 1.0]])


def tried(table, **options):
    """The fit, where these spells allow one."""
    try:
        return cox.fit(table, KINDS, **options)
    except ValueError as letter:
        # An error of NumPy's own is a ValueError too, and no letter.
        if not str(letter).startswith("cox: "):
            raise
        return None


def permuted(table, order):
    return replace(table, **{name: getattr(table, name)[order] for name in vars(table)})


def same(left, right, rtol=1e-9):
    np.testing.assert_allclose(left.coefficients, right.coefficients, rtol=rtol, atol=1e-9)
    np.testing.assert_allclose(left.covariance, right.covariance, rtol=rtol, atol=1e-9)
    assert left.log_likelihood == pytest.approx(right.log_likelihood, rel=1e-11, abs=1e-9)
    for transform in ("km", "identity"):
        tests = [fit.proportionality(transform) for fit in (left, right)]
        np.testing.assert_allclose(tests[0].chi2, tests[1].chi2, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(tests[0].whole_chi2, tests[1].whole_chi2, rtol=1e-6, atol=1e-6)


@settings(max_examples=40, deadline=None)
@drawn(histories())
def test_the_fit_is_where_the_likelihood_written_out_is_highest(table):
    found = tried(table)
    assume(found is not None)
    rows = Spans(table.start, table.stop, table.ended, KINDS[table.pattern], np.ones(len(table.stop)), table.stratum)
    log_likelihood, gradient, information = partial(rows, found.coefficients)
    assert found.log_likelihood == pytest.approx(log_likelihood, rel=1e-10)
    np.testing.assert_allclose(np.linalg.solve(information, gradient), 0, atol=1e-6 * np.sqrt(np.diag(found.covariance)).max())
    np.testing.assert_allclose(found.covariance @ information, np.eye(2), atol=1e-6)
    np.testing.assert_allclose(found.score_residuals().T @ table.spells, 0, atol=1e-7)


@settings(max_examples=25, deadline=None)
@drawn(histories())
def test_alike_rows_may_be_counted(table):
    found = tried(table)
    assume(found is not None)
    rows = pd.DataFrame({name: getattr(table, name) for name in vars(table)})
    few = rows.groupby([name for name in rows if name != "spells"], as_index=False).sum()
    together = cox.Cells(**{name: few[name].to_numpy() for name in rows})
    same(tried(together), found)
    assert tried(together).spells == found.spells
    twice = tried(replace(together, spells=2 * together.spells))
    again = tried(permuted(table, np.repeat(np.arange(len(table.stop)), 2)))
    same(twice, again)


@settings(max_examples=25, deadline=None)
@drawn(histories(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_byte(table, random):
    order = np.array(random.sample(range(len(table.stop)), len(table.stop)))
    found, mixed = tried(table), tried(permuted(table, order))
    assume(found is not None)
    assert found.coefficients.tobytes() == mixed.coefficients.tobytes()
    assert found.covariance.tobytes() == mixed.covariance.tobytes()
    drawn_once, drawn_again = (fit.drawn(np.random.default_rng(1)) for fit in (found, mixed))
    ahead = [fit.left_within(KINDS, np.full(3, table.stratum[0]), 1.0, [3, 30, 300]) for fit in (drawn_once, drawn_again)]
    np.testing.assert_allclose(ahead[0], ahead[1], rtol=1e-12)


@settings(max_examples=25, deadline=None)
@drawn(histories(), st.integers(0, 10))
def test_a_spell_in_pieces_is_the_spell(table, day):
    found = tried(table, clusters=np.arange(len(table.stop)))
    assume(found is not None)
    cut = (table.start < day) & (day < table.stop)
    first = permuted(replace(table, stop=np.where(cut, day, table.stop), ended=table.ended & ~cut), np.arange(len(cut)))
    rest = permuted(replace(table, start=np.where(cut, day, table.start)), cut)
    pieces = cox.Cells(**{name: np.concatenate([getattr(first, name), getattr(rest, name)]) for name in vars(table)})
    again = tried(pieces, clusters=np.concatenate([np.arange(len(cut)), np.flatnonzero(cut)]))
    same(again, found)
    np.testing.assert_allclose(again.robust, found.robust, rtol=1e-9, atol=1e-9)


@settings(max_examples=25, deadline=None)
@drawn(histories())
def test_two_strata_alike_say_the_same_twice(table):
    found = tried(table)
    assume(found is not None)
    copies = permuted(table, np.tile(np.arange(len(table.stop)), 2))
    twice = tried(replace(copies, stratum=np.concatenate([table.stratum, table.stratum + 7])))
    np.testing.assert_allclose(twice.coefficients, found.coefficients, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(twice.covariance, found.covariance / 2, rtol=1e-9, atol=1e-9)
    here, there = (twice.left_within(KINDS, table.stratum[0] + shift, 1.0, [3.0, 30.0, 300.0]) for shift in (0, 7))
    np.testing.assert_allclose(here, there, rtol=1e-9)


@settings(max_examples=60, deadline=None)
@drawn(histories())
def test_an_effect_is_refused_as_endless_just_where_a_direction_puts_all_who_left_first(table):
    try:
        cox.fit(table, KINDS)
        endless = False
    except ValueError as letter:
        assume("has no end" in str(letter))
        endless = True
    x, apart = KINDS[table.pattern], []
    for i in np.flatnonzero(table.ended):
        met = (table.stratum == table.stratum[i]) & (table.start < table.stop[i]) & (table.stop >= table.stop[i])
        apart.append(x[i] - x[met])
    apart = np.concatenate(apart)
    # The direction that puts who left farthest before the others, without putting any one behind.
    best = linprog(-apart.sum(axis=0), A_ub=-apart, b_ub=np.zeros(len(apart)), bounds=[(-1, 1)] * 2)
    assert (best.fun < -1e-9) == endless


THREE = {"start": [-0.5] * 6, "stop": [1, 2, 3, 4, 5, 6], "ended": [True, False, True, True, False, True]}


@pytest.mark.parametrize(
    ("changed", "covariates", "words"),
    [
        (
            {"pattern": [0, 1, 0, 0, 1, 0]},
            [[0], [1]],
            (
                "cox: the effect of 1 of 1 columns has no end (column 0, counted from 0): all of the 4 who left are on one side of it. "
                "Join categories in which nobody, or everybody, left with others, or leave the column out."
            ),
        ),
        (
            {"pattern": [0, 1, 1, 0, 1, 0]},
            [[0, 1], [1, 0]],
            (
                "cox: column 1 of 2 (counted from 0) follows from those before it. Leave one of them out; of categories, one is the "
                "reference and has no column."
            ),
        ),
        (
            {"pattern": [0, 1, 1, 0, 1, 0]},
            [[0, 2], [1, 2]],
            (
                "cox: 1 of 2 columns are the same for everybody at risk at the same time (the first: column 1, counted from 0), so they "
                "tell nobody who leaves from who stays. Leave them out."
            ),
        ),
        (
            {"pattern": [0, 1, 1, 0, 1, 0], "ended": [False] * 6, "spells": 1000},
            [[0], [1]],
            "cox: none of 6,000 spells has ended, so nothing can be said of who leaves.",
        ),
        (
            {"pattern": [0, 1, 1, 0, 1, 0], "stop": [1, 2, -0.5, 4, -3, 6]},
            [[0], [1]],
            "cox: 2 of 6 cells end before they have begun (row 2, row 4). Count them again.",
        ),
        (
            {"pattern": [0, 1, 1, 0, 1, 2]},
            [[0], [1]],
            "cox: 1 of 6 cells have no such covariates (there are 2 rows of them) (row 5). Count them again.",
        ),
        (
            {"pattern": [0, 1, 1, 0, 1, 0], "spells": [1, 1, 1, 0, 1, 1]},
            [[0], [1]],
            "cox: 1 of 6 cells count no spells (row 3). Count them again.",
        ),
        (
            {"pattern": [0, 1, 1, 0, 1, 0]},
            [[0], [np.nan]],
            "cox: 1 of 2 covariates are not finite numbers (the first: row 1, column 0). Make missing values a category of their own.",
        ),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_a_letter(changed, covariates, words):
    with pytest.raises(ValueError, match="cox: ") as letter:
        cox.fit(cells(**THREE | changed), np.array(covariates, dtype=float))
    assert str(letter.value) == words


def test_other_questions_that_have_no_answer_are_refused():
    found = cox.fit(cells(pattern=[0, 1, 1, 0, 1, 0], **THREE), np.array([[0.0], [1.0]]))
    with pytest.raises(ValueError, match=r"proportionality: transform is 'log'; it is 'km' \(share that has left\) or 'identity' \(days\)"):
        found.proportionality("log")
    with pytest.raises(ValueError, match="cox: 1 clusters are too few for the errors of 1 columns; there must be more of them"):
        cox.fit(found.cells, np.array([[0.0], [1.0]]), clusters=[5] * 6)
    with pytest.raises(ValueError, match=r"cox: 1 of 2 rows are in strata that were not fitted \(first: 3\)"):
        found.left_within(np.zeros((2, 1)), [0, 3], 1.0, 30)


def test_without_covariates_the_baseline_is_the_share_that_leaves_of_who_is_at_risk():
    found = cox.fit(cells(pattern=[0] * 6, **THREE), np.zeros((1, 0)))
    hazard, error = found.cumulative_hazard(np.zeros((3, 0)), 0, [0, 3, 6])
    np.testing.assert_allclose(hazard, [0, 1 / 6 + 1 / 4, 1 / 6 + 1 / 4 + 1 / 3 + 1])
    np.testing.assert_allclose(error, np.sqrt([0, 1 / 36 + 1 / 16, 1 / 36 + 1 / 16 + 1 / 9 + 1]))
    assert found.likelihood_ratio_test == found.wald_test == cox.ChiSquare(0.0, 0, 1.0)


def test_a_term_of_several_columns_is_tested_as_one():
    rows = rows_of("veteran_efron")
    found = fitted("veteran_efron")
    table = found.proportionality("km", [[0], [1, 2]])
    assert table.chi2[0] == pytest.approx(found.proportionality("km").chi2[0], rel=1e-12)
    assert table.df.tolist() == [1, 2]
    assert found.proportionality("km", [[0, 1, 2]]).chi2[0] == pytest.approx(table.whole_chi2, rel=1e-12)
    # The same in other columns: a term is what its columns span.
    covariates, pattern = np.unique(rows.x, axis=0, return_inverse=True)
    turned = covariates @ np.array([[1.0, 0, 0], [0, 1, 1], [0, 1, -1]])
    again = cox.fit(replace(found.cells, pattern=pattern), turned).proportionality("km", [[0], [1, 2]])
    np.testing.assert_allclose(again.chi2, table.chi2, rtol=1e-9)


def company(rng, number, *, days=100.0, seen=120):
    """Customers with a constant hazard and one covariate, some seen late, all until a day at most."""
    kind = rng.integers(0, 2, number)
    life = np.floor(rng.exponential(days / np.exp(0.7 * kind)))
    late = np.where(rng.random(number) < 0.4, rng.integers(0, 60, number), 0)
    until = rng.integers(0, seen, number)
    there = (life >= late) & (until >= late)
    ended = life <= until
    return cells(late[there] - 0.5, np.minimum(life, until)[there], ended[there], kind[there])


def test_beyond_what_was_seen_the_mean_hazard_of_the_last_stretch_goes_on():
    found = cox.fit(company(np.random.default_rng(4), 40_000), np.array([[0.0], [1.0]]))
    longest = found.cells.stop.max()
    for tenure in (0.0, 60.0, longest - 10, longest, longest + 500):
        chance = found.left_within(np.array([[0.0], [1.0]]), 0, np.full(2, tenure), 90)
        np.testing.assert_allclose(chance, 1 - np.exp(-0.9 * np.exp([0, 0.7])), atol=0.03)
    stretches = found.left_within(np.array([[0.0]] * 3), 0, [longest, longest, longest + 30], [30, 60, 30])
    assert 1 - stretches[1] == pytest.approx((1 - stretches[0]) * (1 - stretches[2]), rel=1e-12)


@settings(max_examples=25, deadline=None)
@drawn(histories(), st.integers(1, 10))
def test_steps_are_believed_as_long_as_twenty_are_at_risk(table, times):
    table = replace(table, spells=table.spells * times)
    found = tried(table)
    assume(found is not None)
    for stratum, reach in zip(found.baseline.strata, found.baseline.reach, strict=True):
        mine = permuted(table, table.stratum == stratum)
        at_risk = {end: mine.spells[(mine.start < end) & (mine.stop >= end)].sum() for end in mine.stop}
        assert reach == max([end for end, number in at_risk.items() if number >= 20], default=max(at_risk))


def test_the_way_an_effect_goes_is_the_slope():
    fades = rows_of("veteran_efron")
    table = fitted("veteran_efron").proportionality("km")
    # A patient's Karnofsky score tells less and less: its coefficient comes up from below 0.
    assert fitted("veteran_efron").coefficients[2] < 0 < table.slope[2]
    shifted = replace(fitted("veteran_efron").cells, stop=fades.stop * 2 + 5)
    again = cox.fit(shifted, counted(fades)[1]).proportionality("km")
    np.testing.assert_allclose(again.slope, table.slope, rtol=1e-9)


def test_of_a_single_day_nothing_can_be_said_over_tenure():
    once = cells([-0.5] * 6, [1] * 6, [True, True, False, True, False, False], [0, 1, 1, 2, 2, 0])
    table = cox.fit(once, KINDS).proportionality("identity")
    assert np.isnan([*table.chi2, *table.p, *table.slope, table.whole_chi2, table.whole_p]).all()


def test_units_change_nothing_but_the_unit():
    covariates = counted(rows_of("rossi_efron"))[1]
    found, table = fitted("rossi_efron"), fitted("rossi_efron").cells
    unit, zero = np.array([1.0, 1e6, 1e-6, 1, 100, 1, 1e3]), np.array([0, 2e9, 1, -5, 1e5, 0, 0])
    again = cox.fit(table, covariates * unit + zero)
    np.testing.assert_allclose(again.coefficients * unit, found.coefficients, rtol=1e-7)
    np.testing.assert_allclose(again.covariance * np.outer(unit, unit), found.covariance, rtol=1e-7)
    chances = [fit.left_within(x, 0, 3.0, 20) for fit, x in ((found, covariates), (again, covariates * unit + zero))]
    np.testing.assert_allclose(chances[0], chances[1], rtol=1e-7)


def test_memory_is_bounded_and_changes_nothing(monkeypatch):
    found = fitted("mgus2_late")
    monkeypatch.setattr("cxlib.stats.cox_risk._ROOM", 7)
    again = fitted("mgus2_late")
    assert again.coefficients.tobytes() == found.coefficients.tobytes()


def test_a_stratum_nobody_left_has_no_hazard():
    both = {name: [*values, *values] for name, values in (THREE | {"pattern": [0, 1, 1, 0, 1, 0]}).items()}
    both["ended"][6:] = [False] * 6
    found = cox.fit(cells(stratum=[0] * 6 + [4] * 6, **both), np.array([[0.0], [1.0]]))
    chances = found.left_within(np.zeros((2, 1)), [0, 4], 2.0, 500)
    assert chances[0] > 0
    assert chances[1] == 0
    assert found.drawn(np.random.default_rng(0)).left_within(np.zeros((1, 1)), 4, 2.0, 500) == 0


def test_the_hazard_of_days_in_which_few_left_is_that_of_as_many_more_as_hold_enough():
    found = cox.fit(company(np.random.default_rng(4), 300), np.array([[0.0], [1.0]]))
    steps, left = found.baseline.tenure, found.risk.tied
    since = np.array([0.0, 20.0, 60.0])

    def held(first: float, last: float) -> int:
        return int(left[(steps > first) & (steps <= last)].sum())

    for least in (1, 15, 40):
        around = found.baseline.over(found.stretch(0, since, 10, least=least))
        for place, at in enumerate(since):
            more = next(more for more in range(500) if held(max(at - more, 0), at + 10 + more) >= least)
            first, last = max(at - more, 0), at + 10 + more
            assert around[place] == pytest.approx(10 * found.baseline.ahead(0, first, last)[0] / (last - first))
    np.testing.assert_array_equal(found.baseline.over(found.stretch(0, since, 10)), found.baseline.ahead(0, since, since + 10))
    # Beyond the reach the hazard is a mean already.
    beyond = found.baseline.reach[0] + 5
    assert found.baseline.over(found.stretch(0, beyond, 10, least=40)) == found.baseline.ahead(0, beyond, beyond + 10)


def test_drawn_models_lie_about_the_fit_as_far_as_their_errors_say():
    found = cox.fit(company(np.random.default_rng(4), 800), np.array([[0.0], [1.0]]))
    rng = np.random.default_rng(5)
    many = [found.drawn(rng) for _ in range(1200)]
    away = (np.array([each.coefficients[0] for each in many]) - found.coefficients[0]) / np.sqrt(found.covariance[0, 0])
    assert abs(away.mean()) < 0.08
    assert away.std() == pytest.approx(1, abs=0.06)
    person = np.array([[1.0]])
    hazard, error = found.cumulative_hazard(person, 0, [40.0])
    gathered = np.array([each.cumulative_hazard(person, 0, [40.0])[0][0] for each in many])
    assert gathered.mean() == pytest.approx(hazard[0], rel=0.02)
    assert gathered.std() == pytest.approx(error[0], rel=0.06)


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng, held = np.random.default_rng(6), []
    for _ in range(250):
        found = cox.fit(company(rng, 150), np.array([[0.0], [1.0]]))
        error = np.sqrt(found.covariance[0, 0])
        hazard, uncertain = found.cumulative_hazard(np.array([[1.0]]), 0, [30.0])
        # Up to the end of day 30 they have had 31 days to leave.
        truth = 31 / 100 * np.exp(0.7)
        held.append([abs(found.coefficients[0] - 0.7) < 1.96 * error, abs(np.log(truth / hazard[0])) < 1.96 * uncertain[0] / hazard[0]])
    assert (np.mean(held, axis=0) > 0.925).all()
    assert (np.mean(held, axis=0) < 0.975).all()


def test_robust_errors_hold_where_customers_come_back_alike_and_others_do_not():
    rng, held = np.random.default_rng(7), []
    for _ in range(200):
        person = np.repeat(np.arange(100), 4)
        kind, mood = np.repeat(rng.integers(0, 2, 100), 4), np.repeat(rng.gamma(1.0, 1.0, 100), 4)
        life = np.ceil(rng.exponential(60 / mood))
        found = cox.fit(cells(0 * life - 0.5, np.minimum(life, 200), life <= 200, kind), np.array([[0.0], [1.0]]), clusters=person)
        errors = np.sqrt([found.covariance[0, 0], found.robust[0, 0]])
        held.append(np.abs(found.coefficients[0]) < 1.96 * errors)
    plain, robust = np.mean(held, axis=0)
    assert plain < 0.85
    assert 0.9 < robust < 0.98
