"""Rank tests, restricted means and rates, held against R, written-out sums, simulation, and what they promise."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines.statistics import multivariate_logrank_test
from scipy import stats as scipy_stats
from statsmodels.duration.hazard_regression import PHReg

from cxlib.stats import comparing, movement, survival

GOLDEN = Path(__file__).parent / "golden"


def lung():
    return pd.read_csv(GOLDEN / "lung.csv")


def matrix(rows, column, values, *, late=False):
    """Who is at risk and who leaves, a row for each group, a column for each tenure."""
    entry = rows["entry"] if late else 0 * rows["time"]
    tenure = np.unique(np.concatenate([[0], rows["time"], entry]))
    groups = [rows[column] == value for value in values]
    risk = [[((rows["time"] >= t) & (entry <= t) & group).sum() for t in tenure] for group in groups]
    events = [[((rows["time"] == t) & (rows["left"] == 1) & group).sum() for t in tenure] for group in groups]
    return tenure.astype(float), np.array(risk), np.array(events)


RANK_TESTS = {
    "sex": lambda rows: [matrix(rows, "sex", [1, 2])[1:]],
    "ecog": lambda rows: [matrix(rows.dropna(subset="ecog"), "ecog", [0, 1, 2, 3])[1:]],
    "sex within ecog": lambda rows: [matrix(part, "sex", [1, 2])[1:] for _, part in rows.groupby("ecog")],
}


@pytest.mark.parametrize("name", RANK_TESTS)
def test_the_rank_test_is_rs(name):
    expected = pd.read_csv(GOLDEN / "lung_rank_tests.csv").query("test == @name")
    found = comparing.rank_test(RANK_TESTS[name](lung()))
    np.testing.assert_allclose(found.observed, expected["observed"])
    np.testing.assert_allclose(found.expected, expected["expected"], rtol=1e-12)
    assert found.chi2 == pytest.approx(expected["chi2"].iloc[0], rel=1e-12)
    assert found.degrees == expected["df"].iloc[0]
    assert found.p_value == pytest.approx(expected["p"].iloc[0], rel=1e-10)


def test_with_delayed_entry_it_is_the_score_test_of_the_cox_model():
    # Without ties all treatments of them are one: a hair apart by the row, and entry a hair before.
    rows = lung().assign(time=lambda frame: frame["time"] + np.arange(len(frame)) / 1000)
    _, *counts = matrix(rows, "sex", [1, 2], late=True)
    found = comparing.rank_test([tuple(counts)])
    model = PHReg(
        rows["time"], (rows["sex"] == 2).astype(float).to_frame(), status=rows["left"], entry=(rows["entry"] - 1e-9).clip(lower=0)
    )
    # The score at no effect, and its variance, by differences of the log-likelihood.
    step = 1e-4
    likelihood = [model.loglike(np.array([beta])) for beta in (-step, 0.0, step)]
    score = (likelihood[2] - likelihood[0]) / (2 * step)
    information = -(likelihood[2] - 2 * likelihood[1] + likelihood[0]) / step**2
    assert found.chi2 == pytest.approx(score**2 / information, rel=1e-4)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.integers(0, 3)), min_size=4, max_size=40))
def test_the_rank_test_of_any_groups_is_lifelines_and_groups_nobody_is_in_change_nothing(rows):
    frame = pd.DataFrame(rows, columns=["time", "left", "group"]).assign(left=lambda each: each["left"].astype(int), entry=0)
    values = sorted(set(frame["group"]))
    found = comparing.rank_test([matrix(frame, "group", values)[1:]])
    if not found.degrees or found.degrees < len(values) - 1:
        # Somebody was never at risk when anybody left: lifelines cannot be asked.
        return
    padded = comparing.rank_test([matrix(frame, "group", [*values, 99])[1:]])
    assert (padded.degrees, padded.chi2) == (found.degrees, pytest.approx(found.chi2, rel=1e-9))
    theirs = multivariate_logrank_test(frame["time"], frame["group"], frame["left"])
    assert found.chi2 == pytest.approx(theirs.test_statistic, rel=1e-6, abs=1e-9)


def test_where_only_one_group_is_at_risk_nothing_is_tested():
    found = comparing.rank_test([(np.array([[3, 2], [0, 0]]), np.array([[1, 1], [0, 0]]))])
    assert found.degrees == 0
    assert np.isnan(found.chi2)
    assert np.isnan(found.p_value)


@pytest.mark.parametrize(("group", "column"), [("men", 1), ("women", 2)])
def test_restricted_means_and_their_errors_are_rs(group, column):
    golden = pd.read_csv(GOLDEN / "lung_restricted_mean.csv")
    expected = golden[golden["group"] == group]
    tenure, risk, events = matrix(lung(), "sex", [column])
    for row in expected.itertuples():
        mean, variance = survival.restricted_mean(tenure, risk[0], survival.hazard(risk[0], events[0]), until=row.horizon_days)
        assert (mean, np.sqrt(variance)) == pytest.approx((row.estimate, row.std_error), rel=1e-12)


def test_the_restricted_mean_with_delayed_entry_is_rs():
    tenure, risk, events = matrix(lung().assign(all=1), "all", [1], late=True)
    for row in pd.read_csv(GOLDEN / "lung_restricted_mean.csv").query("group == 'late'").itertuples():
        mean, variance = survival.restricted_mean(tenure, risk[0], survival.hazard(risk[0], events[0]), until=row.horizon_days)
        assert (mean, np.sqrt(variance)) == pytest.approx((row.estimate, row.std_error), rel=1e-12)


def test_a_large_difference_of_restricted_means_is_as_sure_as_r_has_it():
    tenure, risk, events = matrix(lung(), "sex", [1, 2])
    found = comparing.stay(tenure, tuple(risk), tuple(events), until=365, level=0.95)
    expected = pd.read_csv(GOLDEN / "lung_restricted_mean.csv").query("horizon_days == 365").set_index("group")
    assert found.estimate == pytest.approx(expected.loc["men", "estimate"] - expected.loc["women", "estimate"])
    plain = np.hypot(*expected.loc[["men", "women"], "std_error"])
    assert 1 <= found.std_error / plain <= 1.02


def test_a_group_of_which_nobody_left_is_not_sure_to_stay_longer():
    tenure = np.arange(5.0)
    risk = (np.full(5, 5), np.array([60, 60, 50, 40, 30]))
    found = comparing.stay(tenure, risk, (np.zeros(5, dtype=int), np.array([0, 10, 10, 10, 0])), until=4, level=0.95)
    assert found.estimate > 0
    assert found.low < 0 < found.high
    assert found.p_value > 0.05


lives = st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.booleans()), min_size=4, max_size=40)


@settings(max_examples=60)
@given(lives)
def test_a_stay_is_turned_over_with_its_groups_and_its_interval_agrees_with_its_p_value(rows):
    frame = pd.DataFrame(rows, columns=["time", "left", "group"]).assign(entry=0)
    tenure, risk, events = matrix(frame, "group", [False, True])
    if not risk[:, 0].all():
        return
    one, other = (comparing.stay(tenure, tuple(risk[order]), tuple(events[order]), until=9.0, level=0.95) for order in ([0, 1], [1, 0]))
    assert (one.estimate, one.low, one.high) == pytest.approx((-other.estimate, -other.high, -other.low))
    assert one.low <= one.estimate <= one.high
    assert one.low >= -9
    assert one.high <= 9
    assert (one.p_value < 0.05) == (not one.low <= 0 <= one.high)
    narrow = comparing.stay(tenure, tuple(risk), tuple(events), until=9.0, level=0.5)
    assert one.low <= narrow.low <= narrow.high <= one.high


def drawn(random, n, mean, delay):
    """Lives of customers, censored evenly between day 20 and 220, half of them observed late."""
    many = 3 * n
    life, last = np.ceil(random.exponential(mean, many)), np.ceil(random.uniform(20, 220, many))
    entry = np.floor(random.uniform(0, delay, many)) * (random.random(many) < 0.5)
    seen = np.flatnonzero(np.minimum(life, last) >= entry)[:n]
    return np.minimum(life, last)[seen], (life <= last)[seen], entry[seen]


def held(n, means, delay=0, rounds=250, until=100):
    """How often the intervals of both differences hold the truth."""
    random, found = np.random.default_rng(31), []
    for _ in range(rounds):
        groups = [drawn(random, size, mean, delay) for size, mean in zip(n, means, strict=True)]
        tenure = np.unique(np.concatenate([[0.0], *(part for group in groups for part in (group[0], group[2]))]))

        def counted(which, tenure=tenure):
            return np.bincount(np.searchsorted(tenure, which), minlength=len(tenure))

        tables = []
        for time, left, entry in groups:
            events, censored = counted(time[left]), counted(time[~left])
            tables.append((survival.at_risk(counted(entry), events + censored), events, censored))
        (risk, events, _), (risk_2, events_2, _) = tables
        days = comparing.stay(tenure, (risk, risk_2), (events, events_2), until=until, level=0.95)
        truth = [sum(np.exp(-np.arange(until) / mean)) for mean in means]
        step = np.searchsorted(tenure, until, side="right") - 1
        samples = []
        for table in reversed(tables):
            share, size = survival.kaplan_meier(*table[:2])[step], survival.effective(tenure, *table, until=until)
            samples.append([[share * size, (1 - share) * size]])
        share = movement.share_change(*samples, level=0.95)
        there = np.exp(-until / means[0]) - np.exp(-until / means[1])
        inside = share.low[0] <= there <= share.high[0]
        found.append([days.low <= truth[0] - truth[1] <= days.high, inside or np.isnan(share.estimate[0])])
    return np.mean(found, axis=0)


@pytest.mark.parametrize(
    ("n", "means", "delay"), [((5, 100), (300, 300), 0), ((20, 20), (100, 100), 0), ((10, 100), (60, 300), 0), ((60, 60), (100, 100), 30)]
)
def test_the_intervals_of_both_differences_cover_about_as_often_as_they_say(n, means, delay):
    # 250 samples tell a coverage to about 1.4 %; twice that is allowed below .94.
    assert (held(n, means, delay) >= 0.912).all()


def test_without_censoring_the_survival_is_as_sure_as_that_of_all_customers():
    tenure, risk, events = np.array([0.0, 1, 2, 3]), np.array([10, 10, 7, 5]), np.array([0, 3, 2, 5])
    nobody = np.zeros(4, dtype=int)
    assert [survival.effective(tenure, risk, events, nobody, until=until) for until in (0, 0.5, 1, 1.5, 2, 3, 9)] == pytest.approx([10] * 7)


def test_a_stretch_at_which_few_were_at_risk_counts_though_none_of_them_left():
    tenure, risk = np.array([0.0, 50, 100]), np.array([3, 3, 100])
    found = survival.effective(tenure, risk, np.array([0, 0, 10]), np.zeros(3, dtype=int), until=100)
    assert found == pytest.approx(100 / (50 / 3 + 50 / 100))
    assert survival.effective(tenure, risk, np.zeros(3, dtype=int), np.zeros(3, dtype=int), until=100) == 3


@given(st.integers(0, 60), st.floats(0.5, 1e6))
def test_the_interval_of_a_rate_is_garwoods(events, exposure):
    _, low, high = comparing.rate([events], [exposure], level=0.95)
    assert low[0] * exposure == pytest.approx(scipy_stats.chi2.ppf(0.025, 2 * events) / 2 if events else 0)
    assert high[0] * exposure == pytest.approx(scipy_stats.chi2.ppf(0.975, 2 * events + 2) / 2)


@given(st.integers(0, 30), st.integers(0, 30), st.floats(0.1, 10))
def test_two_rates_are_compared_by_the_exact_binomial_test(events, others, exposure):
    (found,) = comparing.rate_apart([events], [exposure], others=[others], elsewhere=[1.0])
    if not events + others:
        assert np.isnan(found)
        return
    law = scipy_stats.binom(events + others, exposure / (exposure + 1))
    assert found == pytest.approx(min(1, 2 * min(law.cdf(events), law.sf(events - 1))))


def test_a_rate_without_exposure_is_missing():
    assert np.isnan(comparing.rate([0], [0.0], level=0.95)).all()
    assert np.isnan(comparing.rate_apart([0], [0.0], others=[5], elsewhere=[10.0])).all()
