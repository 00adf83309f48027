"""Forecasts: R's concordance and Brier score, all pairs written out, and bounds that hold what is drawn."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines.utils import concordance_index
from scipy import integrate, stats

from cxlib.stats import cox, forecast
from cxlib.stats.survival import kaplan_meier

GOLDEN = Path(__file__).parent / "golden"


@cache
def golden(name: str) -> pd.DataFrame:
    return pd.read_csv(GOLDEN / f"{name}.csv")


def told() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = golden("forecast")
    return rows["chance"].to_numpy(), rows["time"].to_numpy(dtype=float), rows["left"].to_numpy() == 1


#: Chances of leaving on a day, by plan.
HAZARDS = np.array([0.002, 0.004])

few_days = st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.3, 0.4]), st.integers(1, 6), st.booleans()), min_size=1, max_size=25)


def columns(rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chance, time, left = zip(*rows, strict=True)
    return np.array(chance), np.array(time, dtype=float), np.array(left)


# Concordance


@pytest.mark.parametrize("row", list(golden("forecast_concordance").itertuples()), ids=lambda row: f"{row.kind} {row.horizon_days}")
def test_the_concordance_and_its_error_are_rs(row):
    chance, time, left = told()
    person = pd.factorize(golden("forecast")["institution"])[0] if "institutions" in row.kind else np.arange(len(time))
    right, every = forecast.pairs(chance, time, left, horizon=row.horizon_days, uno=row.kind == "uno")
    np.testing.assert_allclose(forecast.concordance(right, every, person), (row.estimate, row.std_error), rtol=1e-12)


def test_the_concordance_over_all_days_is_lifelines():
    chance, time, left = told()
    estimate, _ = forecast.concordance(*forecast.pairs(chance, time, left, horizon=np.inf), np.arange(len(time)))
    assert estimate == pytest.approx(concordance_index(time, -chance, left), rel=1e-12)


@settings(max_examples=60)
@given(rows=few_days, horizon=st.integers(1, 7))
def test_each_row_is_in_the_pairs_that_are_written_out(rows, horizon):
    chance, time, left = columns(rows)
    right, every = forecast.pairs(chance, time, left, horizon=horizon)
    expected, pairs = np.zeros(len(rows)), np.zeros(len(rows))
    for i in range(len(rows)):
        for j in range(len(rows)):
            if left[i] and time[i] <= horizon and (time[j] > time[i] or (time[j] == time[i] and not left[j])):
                told_right = 0.5 if chance[i] == chance[j] else float(chance[i] > chance[j])
                for row in (i, j):
                    expected[row] += told_right
                    pairs[row] += 1
    np.testing.assert_allclose(right, expected)
    np.testing.assert_allclose(every, pairs)


def test_where_nobody_left_there_is_no_pair_and_no_concordance():
    right, every = forecast.pairs(np.array([0.1, 0.2]), np.array([5.0, 5.0]), np.array([False, False]), horizon=5)
    assert np.isnan(forecast.concordance(right, every, np.arange(2))).all()


def test_the_interval_of_a_concordance_holds_it_as_often_as_promised():
    random, held = np.random.default_rng(5), []
    chance = np.repeat([0.05, 0.1, 0.3], 100)
    # Of a customer who leaves and one who stays, the greater chance was that of the one who left: exactly.
    leaves, stays = chance[:, None] * (1 - chance), np.sign(chance[:, None] - chance) / 2 + 0.5
    truth = (leaves * stays).sum() / leaves.sum()
    for _ in range(300):
        left = random.random(300) < chance
        estimate, error = forecast.concordance(*forecast.pairs(chance, np.ones(300), left, horizon=1), np.arange(300))
        held.append(abs(estimate - truth) < 1.96 * error)
    assert 0.92 <= np.mean(held) <= 0.98


# Brier


@pytest.mark.parametrize("row", list(golden("forecast_brier").itertuples()), ids=lambda row: f"{row.horizon_days} days")
def test_the_brier_score_with_censoring_is_rs(row):
    chance, time, left = told()
    found = forecast.squared_errors(chance, time, left, horizon=row.horizon_days).mean()
    assert found == pytest.approx(row.brier, rel=1e-12)
    days, events = np.unique(time, return_counts=True)
    risk = len(time) - np.concatenate([[0], np.cumsum(events)[:-1]])
    events = np.array([(left & (time == day)).sum() for day in days])
    nobody = 1 - kaplan_meier(risk, events)[days <= row.horizon_days][-1]
    null = forecast.squared_errors(np.full(len(time), nobody), time, left, horizon=row.horizon_days).mean()
    assert null == pytest.approx(row.brier_null, rel=1e-12)


def test_where_nobody_is_lost_from_sight_the_brier_score_is_the_mean_squared_error():
    chance, left = np.array([0.2, 0.5, 0.9]), np.array([False, True, True])
    found = forecast.squared_errors(chance, np.array([30.0, 4.0, 30.0]), left, horizon=30)
    np.testing.assert_allclose(found, [0.04, 0.25, 0.01])


def test_weighting_for_those_lost_from_sight_leaves_the_brier_score_where_it_would_have_been():
    random, whole, weighted = np.random.default_rng(7), [], []
    for _ in range(200):
        life, lost = random.exponential(100, 200), random.uniform(0, 200, 200)
        chance = np.full(200, 0.4)
        whole.append(forecast.squared_errors(chance, life, np.ones(200, dtype=bool), horizon=60).mean())
        weighted.append(forecast.squared_errors(chance, np.minimum(life, lost), life <= lost, horizon=60).mean())
    difference = np.subtract(weighted, whole)
    assert abs(difference.mean()) < 3 * difference.std() / np.sqrt(200)


def test_a_forecast_that_knows_more_errs_less_and_one_that_knows_nothing_does_not():
    random = np.random.default_rng(9)
    chance = np.repeat([0.05, 0.4], 300)
    left = random.random(600) < chance
    errors, null = (left - chance) ** 2, (left - 0.225) ** 2.0
    estimate, low, high = forecast.scaled_brier(errors, null, np.arange(600), level=0.95, seed=1)
    assert estimate == pytest.approx(1 - errors.sum() / null.sum())
    assert 0 < low < estimate < high < 1
    assert forecast.scaled_brier(null, null, np.arange(600), level=0.95, seed=1) == (0, 0, 0)
    # The rows of one person come together: the interval of half as many persons is wider.
    _, low_twice, high_twice = forecast.scaled_brier(errors, null, np.arange(600) // 100, level=0.95, seed=1)
    assert high_twice - low_twice > high - low


# Calibration


@pytest.mark.parametrize(
    "row", list(golden("forecast_calibration").itertuples()), ids=lambda row: f"{row.measure} {row.kind} {row.horizon_days}"
)
def test_the_calibration_slope_and_observed_over_expected_are_rs(row):
    chance, time, left = told()
    gone = left & (time <= row.horizon_days)
    known = left | (time >= row.horizon_days)
    person = pd.factorize(golden("forecast")["institution"][known])[0] if row.kind == "institutions" else np.arange(known.sum())
    found = getattr(forecast, row.measure)(chance[known], gone[known], person)
    np.testing.assert_allclose(found, (row.estimate, row.std_error), rtol=1e-9)


@pytest.mark.parametrize("times", [0.5, 1.0, 2.0])
def test_a_forecast_that_spreads_customers_so_many_times_too_far_has_one_over_it_as_its_slope(times):
    random, held = np.random.default_rng(3), []
    line = np.repeat([-2.8, -2.2, -1.5, -0.8], 100)
    chance = 1 / (1 + np.exp(-times * line))
    for _ in range(300):
        estimate, error = forecast.calibration_slope(chance, random.random(400) < 1 / (1 + np.exp(-line)), np.arange(400))
        held.append(abs(estimate - 1 / times) < 1.96 * error)
    assert 0.92 <= np.mean(held) <= 0.98


@pytest.mark.parametrize(
    ("chance", "left"),
    [
        ([0.1, 0.2, 0.3], [False, False, False]),
        ([0.2, 0.2, 0.2], [False, True, False]),
        ([0.1, 0.2, 0.3, 0.4], [False, False, True, True]),
    ],
    ids=["nobody left", "all alike", "wholly apart"],
)
def test_where_nothing_tells_the_slope_there_is_none(chance, left):
    assert np.isnan(forecast.calibration_slope(np.array(chance), np.array(left), np.arange(len(left)))).all()


# Drawn numbers


def test_whoever_has_left_by_one_horizon_has_left_by_the_next():
    chances = [np.array([[0.1, 0.3], [0.5, 0.5]])] * 200
    drawn = forecast.leavers(chances, np.array([40, 10]), np.array([0, 1]), risk=chances[0][:, 1], seed=3)
    alone = forecast.leavers([each[:, 1:] for each in chances], np.array([40, 10]), np.array([0, 1]), risk=chances[0][:, 1], seed=3)
    np.testing.assert_array_equal(drawn[:, :, 1:], alone)
    assert drawn.shape == (800, 2, 2)
    assert (drawn[:, :, 1] >= drawn[:, :, 0]).all()
    assert (drawn[:, 1, 1] == drawn[:, 1, 0]).all()
    np.testing.assert_allclose(drawn.mean(axis=0), [[4, 12], [5, 5]], atol=0.5)


def test_a_binomial_number_is_scipys():
    random = np.random.default_rng(2)
    lot, n, chance = (
        random.random(5000),
        random.integers(0, 60, 5000).astype(float),
        random.choice([0.0, 1e-6, 0.01, 0.3, 0.5, 0.999, 1.0], 5000),
    )
    np.testing.assert_array_equal(forecast._binomial(lot, n, chance), stats.binom.ppf(lot, n, chance))


def test_chances_of_nothing_and_of_everything_are_drawn_as_such():
    drawn = forecast.leavers([np.array([[0.0, 1.0], [1.0, 1.0]])] * 3, np.array([7, 2]), np.array([0, 0]), risk=np.zeros(2), seed=3)
    assert drawn.tolist() == [[[2, 9]]] * 12


def test_the_bounds_are_whole_numbers_that_hold_the_expected_one():
    low, high = forecast.predictive(np.zeros((1000, 1), dtype="int64"), np.array([0.02]), level=0.95)
    assert (low.tolist(), high.tolist()) == ([0], [1])
    drawn = np.random.default_rng(1).binomial(100, 0.1, (1000, 1))
    low, high = forecast.predictive(drawn, np.array([10.0]), level=0.95)
    assert np.mean((drawn >= low) & (drawn <= high)) >= 0.95


# The record


def test_what_the_record_says_of_a_next_window_is_what_is_integrated():
    left, hoped, error, n = np.array([97.0, 70, 55]), np.array([69.0, 74, 60]), np.array([9.0, 10, 9]), np.array([800.0, 790, 780])
    hazard, seen = (-np.log1p(-(each + 0.5) / (n + 1)) for each in (hoped, left))
    away, known = np.log(seen / hazard), error / (n + 0.5 - hoped) / hazard

    def likely(tau: float) -> float:
        return stats.halfnorm.pdf(tau, scale=0.25) * stats.norm.pdf(away, scale=np.hypot(known, tau)).prod()

    total = integrate.quad(likely, 0, 3)[0]
    found = np.log(forecast.misses(left, hoped, error, n=n))
    for place in (130, 200, 240, 249):
        below = integrate.quad(lambda tau, at=found[place]: likely(tau) * stats.norm.cdf(at / tau), 0, 3)[0] / total
        assert below == pytest.approx((place + 0.5) / 250, abs=2e-4)
    np.testing.assert_allclose(found, -found[::-1])


def test_the_widened_interval_holds_the_next_window_where_hazards_drift_and_costs_little_where_they_do_not():
    for drift, least, widest in ((0.0, 0.95, 1.4), (0.1, 0.93, 1.6), (0.3, 0.9, 2.9)):
        random, own, held, wide = np.random.default_rng(7), [], [], []
        for _ in range(120):
            away = random.normal(0, np.hypot(drift, 0.12), 9)
            left = 70 * np.exp(away[:-1])
            times = forecast.misses(left, np.full(8, 70.0), np.full(8, 70 * 0.12), n=np.full(8, 9000.0))
            drawn = np.log(times)[:, None] + stats.norm.ppf((np.arange(40) + 0.5) / 40, scale=0.12)
            high = np.quantile(drawn, 0.975)
            own.append(abs(away[-1]) <= 1.96 * 0.12)
            held.append(abs(away[-1]) <= high)
            wide.append(high / (1.96 * 0.12))
        assert np.mean(held) >= least
        assert np.mean(wide) < widest
    # By the model alone, where hazards drift by a third, the interval would hold every other time.
    assert np.mean(own) < 0.65


def lived(random: np.random.Generator, customers: int) -> tuple[cox.Cells, np.ndarray, np.ndarray]:
    """Customers of two plans who leave by a hazard of their own, seen for 400 days; plan and tenure of who is there then."""
    start, plan = random.integers(0, 400, customers), random.integers(0, 2, customers)
    end = start + random.geometric(HAZARDS[plan])
    there = end > 400
    seen = (np.minimum(end, 400) - start).astype(float)
    cells = cox.Cells(plan, np.full(customers, -0.5), seen, ~there, np.ones(customers, dtype="int64"), np.zeros_like(plan))
    return cells, plan[there], seen[there]


def test_the_bounds_hold_what_then_happens_as_often_as_promised():
    random, held, covariates = np.random.default_rng(8), [], np.array([[0.0], [1.0]])
    for _ in range(8):
        cells, plan, tenure = lived(random, 300)
        fit, nobody = cox.fit(cells, covariates), np.zeros(len(plan), dtype="int64")

        def within(fit, x=covariates[plan], stratum=nobody, tenure=tenure):
            return fit.left_within(x, stratum, tenure, 60)[:, None]

        rng = np.random.default_rng(1)
        chances = (within(fit.drawn(rng)) for _ in range(forecast.DRAWS))
        drawn = forecast.leavers(chances, np.ones_like(nobody), nobody, risk=tenure, seed=2)
        low, high = forecast.predictive(drawn[:, 0], np.array([within(fit).sum()]), level=0.95)
        # Forty futures of each past.
        left = (random.geometric(HAZARDS[plan], (40, len(plan))) <= 60).sum(axis=1)
        held.append(np.mean((low[0] <= left) & (left <= high[0])))
    assert np.mean(held) >= 0.91


# Groups of risk


@settings(max_examples=60)
@given(chance=st.lists(st.sampled_from([0.01, 0.02, 0.02, 0.1, 0.3, 0.5]), min_size=1, max_size=50), groups=st.integers(2, 6))
def test_the_same_chance_is_in_the_same_group_and_a_greater_one_in_no_lower(chance, groups):
    chance = np.array(chance)
    place = forecast.risk_groups(chance, groups)
    assert set(place) == set(range(place.max() + 1))
    assert place.max() < groups
    for one, other in zip(np.argsort(chance, kind="stable")[:-1], np.argsort(chance, kind="stable")[1:], strict=True):
        assert place[one] <= place[other]
        assert place[one] == place[other] or chance[one] < chance[other]


def test_groups_of_different_chances_are_of_about_the_same_size():
    assert np.bincount(forecast.risk_groups(np.arange(100) / 100, 5)).tolist() == [20, 20, 20, 20, 20]
