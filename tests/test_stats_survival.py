"""Survival curves from life tables, held against R, lifelines, simulation, and the coverage they promise."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from statsmodels.stats.proportion import proportion_confint

from cxlib.stats import survival

GOLDEN = Path(__file__).parent / "golden"
LEVEL = 0.95


def life_table(time, left, entry=None):
    """Distinct tenures and the counts at them, from rows."""
    time, left = np.asarray(time, dtype=float), np.asarray(left, dtype=bool)
    entry = np.zeros(len(time)) if entry is None else np.asarray(entry, dtype=float)
    tenure = np.unique([0.0, *time, *entry])
    events, censored, entered = ([int((which == t).sum()) for t in tenure] for which in (time[left], time[~left], entry))
    events, censored = np.array(events), np.array(censored)
    return tenure, survival.at_risk(np.array(entered), events + censored), events, censored


spells = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=40)


def test_the_curve_is_rs_on_the_lung_data():
    rows, golden = pd.read_csv(GOLDEN / "lung.csv"), pd.read_csv(GOLDEN / "lung_km.csv")
    tenure, risk, events, censored = life_table(rows["time"], rows["left"])
    found = survival.kaplan_meier(risk, events)
    assert list(tenure[1:]) == list(golden["tenure_days"])
    assert list(risk[1:]) == list(golden["n"])
    assert list(events[1:]) == list(golden["events"])
    assert list(censored[1:]) == list(golden["censored"])
    np.testing.assert_allclose(found[1:], golden["estimate"], rtol=1e-13)


def test_the_interval_with_delayed_entry_is_rs():
    rows, golden = pd.read_csv(GOLDEN / "lung.csv"), pd.read_csv(GOLDEN / "lung_late.csv").set_index("tenure_days")
    tenure, risk, events, _ = life_table(rows["time"], rows["left"], rows["entry"])
    found = pd.DataFrame(
        {
            "estimate": survival.kaplan_meier(risk, events),
            **dict(zip(["low", "high"], survival.log_log_greenwood(risk, events, level=LEVEL), strict=True)),
        },
        index=tenure,
    )
    np.testing.assert_allclose(found.loc[golden.index], golden[["estimate", "low", "high"]], rtol=1e-12)


@settings(max_examples=40)
@given(spells)
def test_the_curve_is_that_of_lifelines(rows):
    time, left = zip(*rows, strict=True)
    tenure, risk, events, _ = life_table(time, left)
    theirs = KaplanMeierFitter().fit(time, left).survival_function_at_times(tenure)
    np.testing.assert_allclose(survival.kaplan_meier(risk, events), theirs, atol=1e-12)


def test_the_beta_product_bounds_are_the_printed_ones():
    # Fay and Brittain, vignette of the R package bpcp: bpcp(c(3, 7, 8, 14), c(1, 1, 1, 1)), by the convention of 2016.
    golden = pd.read_csv(GOLDEN / "bpcp.csv")
    tenure, risk, events, censored = life_table([3, 7, 8, 14], [1, 1, 1, 1])
    low, high = survival.beta_product(risk, events, censored, level=LEVEL)
    assert list(tenure) == list(golden["tenure_days"])
    np.testing.assert_allclose(low, golden["low"], atol=5e-10)
    np.testing.assert_allclose(high, golden["high"], atol=5e-8)


def test_if_none_of_four_has_left_the_lower_bound_is_3976():
    low, high = survival.beta_product(np.array([4]), np.array([0]), np.array([0]), level=LEVEL)
    assert low[0] == pytest.approx(0.3976, abs=5e-5)
    assert high[0] == 1


@given(st.lists(st.integers(1, 9), min_size=1, max_size=40))
def test_without_censoring_the_beta_product_interval_is_clopper_pearsons(time):
    tenure, risk, events, censored = life_table(time, np.ones(len(time)))
    low, high = survival.beta_product(risk, events, censored, level=LEVEL)
    staying = [int((np.array(time) > t).sum()) for t in tenure]
    np.testing.assert_allclose([low, high], np.transpose([proportion_confint(k, len(time), method="beta") for k in staying]), atol=1e-9)


def test_the_beta_product_bounds_are_those_of_simulated_products():
    rows = pd.read_csv(GOLDEN / "lung.csv").head(60)
    tenure, risk, events, censored = life_table(rows["time"], rows["left"])
    low, high = survival.beta_product(risk, events, censored, level=LEVEL)
    random = np.random.default_rng(7)
    upper = np.ones(100_000)
    for step in range(len(tenure) - 1):
        if events[step]:
            upper *= random.beta(risk[step] - events[step] + 1, events[step], size=upper.size)
        lower = upper * random.beta(risk[step + 1], 1, size=upper.size)
        assert low[step] == pytest.approx(np.quantile(lower, 0.025), abs=0.006)
        assert high[step] == pytest.approx(np.quantile(upper, 0.975), abs=0.006)


@settings(max_examples=40)
@given(spells)
def test_the_bounds_hold_the_curve_fall_with_it_and_keep_a_width(rows):
    time, left = zip(*rows, strict=True)
    _, risk, events, censored = life_table(time, left)
    curve = survival.kaplan_meier(risk, events)
    for low, high in (survival.beta_product(risk, events, censored, level=LEVEL), survival.log_log_greenwood(risk, events, level=LEVEL)):
        assert (low <= curve + 1e-12).all()
        assert (curve <= high + 1e-12).all()
        assert (low < high).all()
        assert (low >= 0).all()
        assert (high <= 1).all()
    low, high = survival.beta_product(risk, events, censored, level=LEVEL)
    assert (np.diff(low) <= 0).all()
    assert (np.diff(high) <= 0).all()


def coverage(delay: float, method, n: int = 40, rounds: int = 800) -> np.ndarray:
    """How often the interval of S(30), S(60), S(120) holds exp(-t / 100); censoring uniform on 0 to 200 days."""
    random, at = np.random.default_rng(17), np.array([30, 60, 120])
    held = []
    for _ in range(rounds):
        life, end = np.ceil(random.exponential(100, 3 * n)), np.ceil(random.uniform(0, 200, 3 * n))
        entry = np.floor(random.uniform(0, delay, 3 * n) * (random.random(3 * n) < 0.5)) if delay else np.zeros(3 * n)
        seen = np.flatnonzero(np.minimum(life, end) >= entry)[:n]
        tenure, *counts = life_table(np.minimum(life, end)[seen], (life <= end)[seen], entry[seen])
        step = np.searchsorted(tenure, at, side="right") - 1
        low, high = (bound[step] for bound in method(*counts))
        truth = np.exp(-at / 100)
        held.append((low <= truth) & (truth <= high))
    return np.mean(held, axis=0)


def test_the_beta_product_interval_covers_at_least_as_often_as_it_says():
    assert (coverage(0, lambda *counts: survival.beta_product(*counts, level=LEVEL)) >= 0.95).all()


def test_with_delayed_entry_the_interval_covers_nearly_as_often_as_it_says():
    found = coverage(20, lambda risk, events, _: survival.log_log_greenwood(risk, events, level=LEVEL), n=80)
    assert (found >= 0.93).all()


def test_before_anybody_left_a_delayed_group_has_the_exact_lower_bound_of_its_smallest_risk_set():
    low, high = survival.log_log_greenwood(np.array([5, 4, 9]), np.array([0, 0, 1]), level=LEVEL)
    assert low[:2] == pytest.approx([0.025 ** (1 / 5), 0.025 ** (1 / 4)])
    assert list(high[:2]) == [1, 1]


def test_once_all_at_risk_are_gone_a_delayed_group_keeps_its_last_upper_bound():
    risk, events = np.array([9, 4, 2, 3]), np.array([3, 1, 2, 0])
    low, high = survival.log_log_greenwood(risk, events, level=LEVEL)
    assert list(low[2:]) == [0, 0]
    assert list(high[2:]) == [high[1], high[1]]
    assert survival.log_log_greenwood(np.array([1]), np.array([1]), level=LEVEL) == (pytest.approx([0]), pytest.approx([1]))


def test_while_nobody_is_at_risk_nothing_is_known():
    risk, events = np.array([0, 3]), np.array([0, 1])
    low, high = survival.log_log_greenwood(risk, events, level=LEVEL)
    assert (low[0], high[0]) == (0, 1)
    assert survival.kaplan_meier(risk, events)[0] == 1


def test_a_half_is_reached_when_rounding_misses_it_by_the_last_digit():
    assert survival.passed(np.array([1.0, 2.0, 3.0]), np.array([0.9, 0.5 + 1e-16, 0.4]), 0.5) == 2
    assert survival.passed(np.array([1.0, 2.0]), np.array([0.5 + 1e-9, 0.4]), 0.5) == 2
    assert np.isnan(survival.passed(np.array([1.0, 2.0]), np.array([0.9, 0.8]), 0.5))


def test_a_higher_level_widens_both_bands():
    _, risk, events, censored = life_table([1, 2, 2, 5, 7, 7], [1, 0, 1, 1, 0, 1])
    for method in (
        lambda at: survival.beta_product(risk, events, censored, level=at),
        lambda at: survival.log_log_greenwood(risk, events, level=at),
    ):
        (low, high), (lower, higher) = method(0.8), method(0.99)
        assert (lower <= low).all()
        assert (high <= higher).all()
