"""Partial pooling, held against printed numbers, other software, and the intervals it promises."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import combine_effects

from cxlib.stats.pooling import between_groups, pooled

GOLDEN = Path(__file__).parent / "golden"
LEVEL = 0.95
#: Efron, Morris 1975, JASA 70(350), 311-319, table 1: 45 times at bat of 18 players, on a scale on which the variance is 1.
BATTING = np.array([18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7]) / 45
groups = st.lists(st.tuples(st.floats(-100, 100), st.floats(0.1, 400)), min_size=4, max_size=12)


def stretched(average):
    return np.sqrt(45) * np.arcsin(2 * average - 1)


def test_batting_averages_are_drawn_to_their_mean_as_efron_and_morris_printed():
    found = pooled(stretched(BATTING), np.ones(18), level=LEVEL)
    kept = np.polyfit(stretched(BATTING), found.estimate, 1)[0]
    assert kept == pytest.approx(0.209, abs=5e-4)
    averages = (1 + np.sin(found.estimate / np.sqrt(45))) / 2
    printed = [0.290, 0.286, 0.281, 0.277, 0.273, 0.273, 0.268, 0.264, 0.259, 0.259, *[0.254] * 5, 0.249, 0.244, 0.239]
    np.testing.assert_allclose(averages, printed, atol=1.01e-3)


@pytest.mark.parametrize("name", ["schools", "vaccine"])
def test_the_variance_between_groups_is_that_of_metafor_and_of_statsmodels(name):
    rows = pd.read_csv(GOLDEN / "pooling.csv")
    rows = rows[rows["of"] == name]
    found = pooled(rows["y"], rows["v"], level=LEVEL)
    assert found.between == pytest.approx(rows["between"].iloc[0], abs=1e-9)
    assert found.mean == pytest.approx(rows["mean"].iloc[0], rel=1e-8)
    theirs = combine_effects(rows["y"].to_numpy(), rows["v"].to_numpy(), method_re="iterated", atol=1e-12).tau2
    assert found.between == pytest.approx(max(theirs, 0), abs=1e-6)
    # Taken as known, the variance between groups draws each by so much; being estimated, by a factor less.
    k = len(rows)
    np.testing.assert_allclose(found.estimate - rows["y"], (k - 3) / (k - 1) * (rows["predicted"] - rows["y"]), atol=1e-7)


def test_groups_of_one_size_have_the_error_that_morris_gives_them():
    y, k = np.array([3.0, -1, 4, 1, -5, 9, 2, 6]), 8
    v = 4.0
    found = pooled(y, np.full(k, v), level=LEVEL)
    shrinkage = (k - 3) * v / ((y - y.mean()) ** 2).sum()
    square = v * (1 - (k - 1) / k * shrinkage) + 2 / (k - 3) * shrinkage**2 * (y - y.mean()) ** 2
    np.testing.assert_allclose(found.estimate, y - shrinkage * (y - y.mean()))
    np.testing.assert_allclose(found.high - found.estimate, 1.959964 * np.sqrt(square), rtol=1e-6)


@given(groups)
def test_a_pooled_number_lies_between_its_own_and_the_mean_and_the_more_certain_moves_less(pairs):
    y, v = np.array(pairs).T
    found = pooled(y, v, level=LEVEL)
    apart, moved = y - found.mean, y - found.estimate
    assert (moved * apart >= -1e-9).all()
    assert (np.abs(moved) <= np.abs(apart) + 1e-9).all()
    assert (found.low < found.estimate).all()
    share = moved / np.where(np.abs(apart) < 1e-6, np.nan, apart)
    order = np.argsort(v)
    assert (np.diff(share[order][~np.isnan(share[order])]) >= -1e-6).all()


@given(groups, st.randoms())
def test_the_order_of_the_groups_does_not_matter(pairs, random):
    mixed = list(range(len(pairs)))
    random.shuffle(mixed)
    y, v = np.array(pairs).T
    found, other = pooled(y, v, level=LEVEL), pooled(y[mixed], v[mixed], level=LEVEL)
    np.testing.assert_allclose(found.estimate[mixed], other.estimate, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.low[mixed], other.low, rtol=1e-6, atol=1e-6)


def test_groups_that_chance_explains_have_no_variance_of_their_own():
    assert between_groups([1.0, 1.1, 0.9, 1.0], [1.0] * 4) == 0
    assert between_groups([0.0, 10.0, 20.0, 30.0], [1.0] * 4) == pytest.approx(500 / 3 - 1)


def test_three_groups_say_too_little_of_the_variance_between_them():
    found = pooled([1.0, 2.0, 3.0, np.nan], [1.0, 1.0, 1.0, np.nan], level=LEVEL)
    assert np.isnan([*found.estimate, *found.low, *found.high, found.mean, found.between]).all()


def test_a_group_that_nothing_is_learned_from_is_drawn_to_the_mean_of_the_others():
    y, v = np.array([10.0, 20.0, 30.0, 40.0, -90.0]), np.array([25.0, 25.0, 25.0, 25.0, 900.0])
    alone, with_it = pooled(y[:4], v[:4], level=LEVEL), pooled(y, v, level=LEVEL, learn=[True] * 4 + [False])
    assert (with_it.mean, with_it.between) == pytest.approx((alone.mean, alone.between))
    np.testing.assert_allclose(with_it.estimate[:4], alone.estimate)
    assert -90 < with_it.estimate[4] < 25
    assert pooled(y, v, level=LEVEL).mean < with_it.mean


def test_a_group_without_answers_stays_and_has_no_number():
    found = pooled([10.0, 20.0, np.nan, 30.0, 40.0], [25.0, 25.0, np.nan, 25.0, 25.0], level=LEVEL)
    assert np.isnan(found.estimate).tolist() == [False, False, True, False, False]


@pytest.mark.parametrize("differ", [0.0, 0.15, 0.3])
def test_the_interval_holds_the_true_score_of_nearly_as_many_groups_as_it_says(differ):
    random, sizes, worth = np.random.default_rng(7), np.array([6, 10, 20, 40, 100, 400]), np.array([1, 0, -1])
    holds, nearer = [], []
    for _ in range(500):
        shift = random.normal(0, differ, 6) / 2
        promoters, detractors = np.clip(0.5 + shift, 0.02, 0.7), np.clip(0.25 - shift, 0.02, 0.28)
        shares = np.column_stack([promoters, 1 - promoters - detractors, detractors])
        counts = np.array([random.multinomial(n, share) for n, share in zip(sizes, shares, strict=True)])
        whole = counts.sum(axis=0) / counts.sum()
        raw, true = counts @ worth / sizes, shares @ worth
        found = pooled(raw, (whole @ worth**2 - (whole @ worth) ** 2) / sizes, level=LEVEL)
        holds.append((found.low <= true) & (true <= found.high))
        nearer.append([(found.estimate - true) ** 2, (raw - true) ** 2])
    assert np.mean(holds) > 0.93
    assert np.mean(holds, axis=0).min() > 0.9
    error = np.sqrt(np.mean(nearer, axis=0))
    assert error[0].mean() < error[1].mean()
