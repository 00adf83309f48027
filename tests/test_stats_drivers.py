"""Parts of R², held against R, all orders written out, shuffled columns, and a likelihood maximised by another road."""

import itertools
import math
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special

from cxlib.stats import drivers, missing

GOLDEN = Path(__file__).parent / "golden"
some = settings(max_examples=25)


@cache
def golden(name: str) -> pd.DataFrame:
    return pd.read_csv(GOLDEN / f"{name}.csv")


def correlated(frame, score):
    corr = np.corrcoef(frame[[*frame.columns.drop(score), score]].to_numpy(dtype=float).T)
    return corr[:-1, :-1], corr[:-1, -1]


@st.composite
def laws(draw, most=5):
    """Correlations of some drivers and a score, from a made-up sample of a few dozen."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    p = draw(st.integers(1, most))
    rows = rng.normal(size=(30, p)) @ rng.normal(size=(p, p))
    score = rows @ rng.normal(size=p) + draw(st.floats(0.1, 5)) * rng.normal(size=30)
    corr = np.corrcoef(np.column_stack([rows, score]).T).reshape(p + 1, p + 1)
    return corr[:-1, :-1], corr[:-1, -1]


def by_orders(xx, xy):
    """The definition: each driver's gain of R², the mean over all orders."""
    p = len(xy)

    def r2(used):
        used = list(used)
        return xy[used] @ np.linalg.solve(xx[np.ix_(used, used)], xy[used]) if used else 0.0

    found = np.zeros(p)
    for order in itertools.permutations(range(p)):
        for place, driver in enumerate(order):
            found[driver] += r2(order[: place + 1]) - r2(order[:place])
    return found / math.factorial(p)


# Golden


@pytest.mark.parametrize(("data", "score"), [("mtcars", "mpg"), ("attitude", "rating")])
def test_parts_and_weights_are_those_of_r(data, score):
    expected = golden("drivers").query("data == @data").set_index("driver")
    xx, xy = correlated(golden(data), score)
    names = golden(data).columns.drop(score)
    assert drivers.lmg(xx, xy) == pytest.approx(expected.loc[names, "lmg"].to_numpy(), rel=1e-9)
    assert drivers.relative_weights(xx, xy) == pytest.approx(expected.loc[names, "johnson"].to_numpy(), rel=1e-9)
    spread = golden(data)[[*names, score]].std().to_numpy()
    assert drivers.slopes(xx, xy) * spread[-1] / spread[:-1] == pytest.approx(expected.loc[names, "slope"].to_numpy(), rel=1e-9)


def test_the_cars_have_the_weights_that_the_vignette_of_rwa_prints():
    """R package rwa, vignette: mpg by cyl, disp, hp, gear. By LMG another driver comes first."""
    xx, xy = correlated(golden("mtcars"), "mpg")
    weights, parts = drivers.relative_weights(xx, xy), drivers.lmg(xx, xy)
    assert weights.round(7).tolist() == [0.2284797, 0.2221469, 0.2321744, 0.0963886]
    assert drivers.r_squared(xx, xy).round(7) == 0.7791896
    assert weights.argmax() != parts.argmax()


# What must hold of any correlations


@some
@given(laws())
def test_parts_are_the_mean_gain_over_all_orders(law):
    assert drivers.lmg(*law) == pytest.approx(by_orders(*law), abs=1e-9)


@some
@given(laws(8))
def test_parts_and_weights_share_out_r_squared_and_none_is_negative(law):
    whole = drivers.r_squared(*law)
    assert 0 <= whole <= 1
    for parts in (drivers.lmg(*law), drivers.relative_weights(*law)):
        assert parts.sum() == pytest.approx(float(whole), abs=1e-8)
        assert (parts >= 0).all()


@some
@given(laws(6), st.randoms())
def test_neither_their_order_nor_the_direction_of_a_driver_matters(law, random):
    xx, xy = law
    order = list(range(len(xy)))
    random.shuffle(order)
    sign = np.array([random.choice([-1.0, 1.0]) for _ in order])
    other = (xx * sign[:, None] * sign)[np.ix_(order, order)], (xy * sign)[order]
    assert drivers.lmg(*other) == pytest.approx(drivers.lmg(xx, xy)[order], abs=1e-9)
    assert drivers.relative_weights(*other) == pytest.approx(drivers.relative_weights(xx, xy)[order], abs=1e-7)


@some
@given(laws(4))
def test_a_driver_asked_twice_shares_its_part_with_its_double(law):
    xx, xy = law
    twice = [*range(len(xy)), 0]
    doubled = xx[np.ix_(twice, twice)], xy[twice]
    for share_out in (drivers.lmg, drivers.relative_weights):
        parts = share_out(*doubled)
        assert parts[0] == pytest.approx(parts[-1], abs=1e-6)
        assert parts.sum() == pytest.approx(float(drivers.r_squared(xx, xy)), abs=1e-5)


def test_many_samples_at_once_are_what_each_is_by_itself():
    rng = np.random.default_rng(4)
    samples = [np.corrcoef(rng.normal(size=(20, 6)).T) for _ in range(7)]
    together = np.array(samples)
    xx, xy = together[:, 1:, 1:], together[:, 0, 1:]
    for function in (drivers.lmg, drivers.relative_weights, drivers.r_squared, drivers.slopes):
        one_by_one = np.array([function(one[1:, 1:], one[0, 1:]) for one in samples])
        assert function(xx, xy) == pytest.approx(one_by_one, abs=1e-12)


def test_fifteen_drivers_are_many_and_more_are_refused():
    corr = np.corrcoef(np.random.default_rng(1).normal(size=(60, 17)).T)
    parts = drivers.lmg(corr[1:16, 1:16], corr[0, 1:16])
    assert parts.sum() == pytest.approx(float(drivers.r_squared(corr[1:16, 1:16], corr[0, 1:16])))
    with pytest.raises(ValueError, match=r"^drivers: 16 drivers have 65,536 subsets; at most 15 can be told apart$"):
        drivers.lmg(corr[1:, 1:], corr[0, 1:])


def test_what_does_not_vary_correlates_with_nothing():
    corr = drivers.correlations(np.array([[4.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]]))
    assert corr.tolist() == [[1.0, 0.0, 0.5], [0.0, 0.0, 0.0], [0.5, 0.0, 1.0]]
    assert drivers.lmg(corr[1:, 1:], corr[0, 1:]) == pytest.approx([0.0, 0.25])


# Noise, ranks, bounds


def test_the_noise_floor_is_what_shuffled_ratings_reach():
    rng = np.random.default_rng(2)
    n = 400
    rows = rng.normal(size=(n, 4)) @ rng.normal(size=(4, 4))
    rows = np.column_stack([rows, rows.sum(axis=1) + 4 * rng.normal(size=n)])
    corr = np.corrcoef(rows.T)
    expected = np.quantile(drivers.noise(corr[:-1, :-1], corr[:-1, -1]), 0.95) / (n - 6)
    skewed = rng.choice([1, 2, 3, 4, 5], p=[0.02, 0.03, 0.1, 0.25, 0.6], size=n)
    reached = []
    for _ in range(2000):
        with_it = np.corrcoef(np.column_stack([rng.permutation(skewed), rows]).T)
        reached.append(drivers.lmg(with_it[:-1, :-1], with_it[:-1, -1])[0])
    assert np.quantile(reached, 0.95) == pytest.approx(expected, rel=0.12)


def test_ranks_are_given_only_as_far_as_the_replicates_settle_them():
    rng = np.random.default_rng(3)
    estimate = np.array([0.1, 0.3, 0.29, 0.0])
    replicates = estimate + 0.02 * rng.standard_normal((2000, 4))
    best, worst = drivers.rank_bounds(estimate, replicates, 0.95)
    assert (best.tolist(), worst.tolist()) == ([3, 1, 1, 4], [3, 2, 2, 4])
    best, worst = drivers.rank_bounds(np.array([0.2, 0.2]), np.full((50, 2), 0.2), 0.95)
    assert (best.tolist(), worst.tolist()) == ([1, 1], [2, 2])


def test_drivers_that_are_alike_are_seldom_put_in_an_order():
    """Of samples in which three drivers matter alike, an order between any two is claimed in about one of twenty."""
    rng = np.random.default_rng(5)
    claimed = 0
    for _ in range(300):
        estimate = 0.1 + 0.02 * rng.standard_normal(3)
        best, worst = drivers.rank_bounds(estimate, estimate + 0.02 * rng.standard_normal((400, 3)), 0.95)
        claimed += bool((best > 1).any() or (worst < 3).any())
    assert 0.02 < claimed / 300 < 0.085


@given(st.floats(0, 0.4), st.floats(0, 0.1))
def test_an_interval_holds_its_estimate_and_begins_at_nothing_where_chance_reaches_as_far(estimate, silent):
    replicates = np.abs(estimate + 0.05 * np.random.default_rng(1).standard_normal((200, 1)))
    low, high = drivers.bounds(np.array([estimate]), replicates, silent=np.array([silent]), tail=0.025)
    assert 0 <= low[0] <= estimate <= high[0]
    assert low[0] == 0 or estimate > silent


def test_tails_are_those_of_the_level_where_people_are_many_and_smaller_where_they_are_few():
    assert drivers.tail_of(1e9, 5, 0.95) == pytest.approx(0.025)
    assert drivers.tail_of(100, 5, 0.95) == pytest.approx(special.ndtr(-1.9855 * math.sqrt(100 / 94)), rel=1e-3)
    assert drivers.tail_of(100, 10, 0.95) < drivers.tail_of(100, 5, 0.95) < drivers.tail_of(400, 5, 0.95)


# What not everybody rated


def with_gaps(n=400, *, share=0.3, seed=7):
    """A score and three ratings that resemble each other, of which the later are missing where the first is low."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, 4)) @ np.linalg.cholesky(np.full((4, 4), 0.5) + 0.5 * np.eye(4)).T + [7.0, 4.0, 3.5, 3.0]
    gone = rng.random((n, 2)) < np.where(rows[:, [0]] < 7, 2 * share, 0)
    rows[:, 2:][gone] = np.nan
    return rows


def summed(rows, unit=None):
    seen = ~np.isnan(rows)
    first = np.where(seen, rows, 0.0)
    unit = np.arange(len(rows)) if unit is None else unit
    return missing.Sums(unit, seen, np.ones(len(rows)), first, first[:, :, None] * first[:, None, :])


def test_nothing_missing_is_the_plain_covariance_and_the_plain_bootstrap():
    rows = np.random.default_rng(1).normal(size=(50, 3))
    found = missing.moments(summed(rows))
    assert found.mean == pytest.approx(rows.mean(axis=0))
    assert found.cov == pytest.approx(np.cov(rows.T, bias=True))
    drawn = missing.resampled(summed(rows), found, draws=3)
    times = np.random.default_rng(1).multinomial(50, np.full(50, 1 / 50), size=3)
    again = [rows[np.repeat(np.arange(50), each)] for each in times]
    assert drawn.cov == pytest.approx(np.array([np.cov(each.T, bias=True) for each in again]))


def test_gaps_are_filled_as_the_likelihood_has_it():
    """The same maximum, found by a general optimiser on the likelihood of the rows."""
    rows = with_gaps(60)
    lower = np.tril_indices(4)

    def unlikely(theta):
        root = np.zeros((4, 4))
        root[lower] = theta[4:]
        cov, total = root @ root.T, 0.0
        for row in rows:
            seen = ~np.isnan(row)
            off, inner = row[seen] - theta[:4][seen], cov[np.ix_(seen, seen)]
            total += np.linalg.slogdet(inner)[1] + off @ np.linalg.solve(inner, off)
        return total / len(rows)

    begin = np.concatenate([np.nanmean(rows, axis=0), np.eye(4)[lower]])
    best = optimize.minimize(unlikely, begin, method="BFGS", options={"gtol": 1e-7})
    found = missing.moments(summed(rows))
    root = np.zeros((4, 4))
    root[lower] = best.x[4:]
    assert found.mean == pytest.approx(best.x[:4], abs=2e-5)
    assert found.cov == pytest.approx(root @ root.T, abs=2e-5)


def test_what_is_missing_for_a_reason_that_is_known_does_not_mislead():
    rows = with_gaps(20_000, share=0.45)
    corr = drivers.correlations(missing.moments(summed(rows)).cov)
    assert corr[0, 1:] == pytest.approx([0.5, 0.5, 0.5], abs=0.025)
    complete = np.corrcoef(rows[~np.isnan(rows).any(axis=1)].T)
    assert complete[0, 3] < 0.46, "those who rated everything would have misled"


def test_a_replicate_ends_where_its_own_likelihood_would():
    rows = with_gaps(300)
    sums = summed(rows)
    at = missing.moments(sums)
    drawn = missing.resampled(sums, at, draws=40)
    times = np.random.default_rng(1).multinomial(300, np.full(300, 1 / 300), size=40).astype(float)
    settled = []
    for each in times:
        again = missing.Sums(sums.unit, sums.seen, each, sums.first * each[:, None], sums.second * each[:, None, None])
        settled.append(missing.moments(again).cov)
    moved = np.array(settled) - at.cov
    assert np.abs(drawn.cov - settled).max() < 0.15 * np.abs(moved).max()
    assert np.corrcoef((drawn.cov - at.cov)[:, 3, 2], moved[:, 3, 2])[0, 1] > 0.99


def test_people_are_resampled_whole():
    """Everybody said everything twice: half as many people as rows, and no more certainty than they have."""
    once = np.random.default_rng(8).normal(size=(200, 2))
    twice = np.concatenate([once, once])
    alone = missing.resampled(summed(once), missing.moments(summed(once)))
    people = summed(twice, np.tile(np.arange(200), 2))
    assert missing.resampled(people, missing.moments(people)).cov == pytest.approx(alone.cov)
