"""Intervals from counts, held against printed numbers, other software, and the coverage they promise."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import multinomial_proportions_confint, proportion_confint

from cxlib.stats import intervals

GOLDEN = Path(__file__).parent / "golden"
LEVEL = 0.95

counts_of_three = st.tuples(*[st.integers(0, 60)] * 3).filter(any)


def trinomial_coverage(n: int) -> np.ndarray:
    """Exact coverage of the interval of a net share, over shares of promoters and detractors in steps of a twentieth."""
    outcomes = np.array([(p, n - p - d, d) for p, d in product(range(n + 1), repeat=2) if p + d <= n])
    low, high = intervals.net_share(outcomes, LEVEL)
    grid = np.arange(0, 1.001, 0.05)
    truths = [(p, 1 - p - d, d) for p, d in product(grid, repeat=2) if p + d <= 1.0001]
    covered = []
    for shares in np.clip(truths, 0, 1):
        probability = stats.multinomial.pmf(outcomes, n, shares / shares.sum())
        net = shares[0] - shares[2]
        covered.append(probability[(low <= net + 1e-9) & (net <= high + 1e-9)].sum())
    return np.array(covered)


def test_both_intervals_of_a_net_share_are_those_that_were_printed():
    # Computed independently with plain NumPy; one decimal. The score bound printed 11.7 is 11.649 by two other solvers.
    golden = pd.read_csv(GOLDEN / "nps_intervals.csv")
    counts = golden[["promoters", "passives", "detractors"]]
    for name, found in (
        ("adjusted", intervals.net_share_adjusted(counts, LEVEL)),
        ("score", intervals.net_share_score(counts, LEVEL)),
    ):
        np.testing.assert_allclose(100 * found[0], golden[f"{name}_low"], atol=0.052)
        np.testing.assert_allclose(100 * found[1], golden[f"{name}_high"], atol=0.052)


@settings(max_examples=40)
@given(counts_of_three)
def test_the_score_bounds_are_where_the_score_statistic_is_z(counts):
    promoters, _passives, detractors = counts
    n = sum(counts)

    def statistic(delta):
        a, b, c = 2 * n, -promoters - detractors + (2 * n - promoters + detractors) * delta, -detractors * delta * (1 - delta)
        q = (np.sqrt(b * b - 4 * a * c) - b) / (2 * a)
        return (promoters - detractors - n * delta) / np.sqrt(n * (2 * q + delta * (1 - delta)))

    low, high = (bound[0] for bound in intervals.net_share_score([counts], LEVEL))
    z = stats.norm.ppf(0.975)
    if low > -1:
        assert statistic(low) == pytest.approx(z, abs=1e-6)
    if high < 1:
        assert statistic(high) == pytest.approx(-z, abs=1e-6)


def test_the_score_interval_stands_in_for_few_answers_and_for_empty_classes_only():
    counts = np.array([[7, 2, 1], [7, 4, 3], [7, 4, 4], [40, 0, 30], [40, 30, 0], [0, 20, 20], [40, 30, 20]])
    chosen, score, adjusted = (f(counts, LEVEL)[0] for f in (intervals.net_share, intervals.net_share_score, intervals.net_share_adjusted))
    by_score = [True, True, False, True, True, True, False]
    np.testing.assert_array_equal(chosen, np.where(by_score, score, adjusted))
    assert (score != adjusted).all()


@pytest.mark.parametrize(("n", "mean", "worst"), [(5, 0.95, 0.90), (10, 0.95, 0.90), (14, 0.95, 0.90), (15, 0.94, 0.88), (50, 0.945, 0.92)])
def test_a_net_share_is_covered_as_often_as_promised(n, mean, worst):
    covered = trinomial_coverage(n)
    assert covered.mean() >= mean
    assert covered.min() >= worst


@settings(max_examples=40)
@given(counts_of_three, st.floats(0.5, 0.99))
def test_the_interval_of_a_net_share_mirrors_when_promoters_and_detractors_change_places(counts, level):
    low, high = intervals.net_share([counts], level)
    mirrored_low, mirrored_high = intervals.net_share([counts[::-1]], level)
    np.testing.assert_allclose([low, high], [-mirrored_high, -mirrored_low], atol=1e-9)
    assert -1 <= low[0] < high[0] <= 1
    assert low[0] <= (counts[0] - counts[2]) / sum(counts) <= high[0]


@given(st.integers(1, 500), st.data(), st.floats(0.5, 0.999))
def test_the_share_interval_is_the_one_of_statsmodels(n, data, level):
    successes = data.draw(st.integers(0, n))
    ours = intervals.wilson([successes], [n], level)
    theirs = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    np.testing.assert_allclose(np.ravel(ours), theirs, atol=1e-12)
    assert ours[0][0] <= successes / n <= ours[1][0]
    assert ours[0][0] < ours[1][0]


@given(st.lists(st.integers(0, 80), min_size=2, max_size=11).filter(any), st.floats(0.5, 0.99))
def test_the_simultaneous_intervals_are_those_of_statsmodels(counts, level):
    low, high = intervals.goodman([counts], level)
    theirs = multinomial_proportions_confint(counts, alpha=1 - level, method="goodman")
    np.testing.assert_allclose(np.column_stack([low[0], high[0]]), theirs, atol=1e-10)


def test_the_simultaneous_intervals_hold_all_the_shares_at_once():
    shares = np.array([0.05, 0.1, 0.2, 0.3, 0.35])
    counts = np.random.default_rng(11).multinomial(60, shares, size=4000)
    low, high = intervals.goodman(counts, LEVEL)
    assert ((low <= shares) & (shares <= high)).all(axis=1).mean() >= 0.94


def shapes(points: int) -> list[np.ndarray]:
    """Distributions on a scale, from even to nearly all at one end or all at both."""
    score = np.arange(points)
    slopes = [np.exp(slope * score) for slope in (0.0, 0.6, 1.2, 2.5, -1.2)]
    top = [np.where(score == points - 1, share, (1 - share) / (points - 1)) for share in (0.9, 0.98, 1.0)]
    ends = [np.where(score == 0, share, 0) + np.where(score == points - 1, 1 - share, 0) for share in (0.05, 0.5)]
    middle = np.where(score == points // 2, 0.9, 0.1 / (points - 1))
    return [shape / shape.sum() for shape in [*slopes, *top, *ends, middle]]


@pytest.mark.parametrize(("n", "mean", "worst"), [(5, 0.94, 0.88), (10, 0.945, 0.86), (30, 0.95, 0.90), (300, 0.945, 0.92)])
def test_a_mean_is_covered_as_often_as_the_docstring_says(n, mean, worst):
    covered = []
    for points in (3, 5, 7, 11):
        scores = np.arange(points)
        for shares in shapes(points):
            counts = np.random.default_rng(5).multinomial(n, shares, size=2000)
            _, low, high = intervals.scale_mean(counts, scores, LEVEL)
            truth = shares @ scores
            covered.append(((low <= truth + 1e-9) & (truth <= high + 1e-9)).mean())
    assert np.mean(covered) >= mean
    assert np.min(covered) >= worst


@pytest.mark.parametrize("counts", [[0, 0, 0, 0, 5], [1, 0, 0, 0, 9], [0, 1, 2, 4, 3], [2, 0, 0, 0, 30], [0, 0, 1, 20, 100]])
def test_the_interval_of_a_mean_is_that_of_simulated_posteriors(counts):
    draws = np.random.default_rng(3).dirichlet(np.array(counts) + 0.2, size=200_000) @ np.arange(1, 6)
    estimate, low, high = (found[0] for found in intervals.scale_mean([counts], np.arange(1, 6), LEVEL))
    # Matched by two moments, the quantiles are right to a hundredth of a point; the upper one is widened to hold the estimate.
    assert low == pytest.approx(np.quantile(draws, 0.025), abs=0.015)
    assert high == pytest.approx(max(np.quantile(draws, 0.975), estimate), abs=0.015)


@given(st.lists(st.integers(0, 40), min_size=2, max_size=11).filter(any), st.integers(-3, 3))
def test_a_mean_keeps_to_its_scale_and_its_interval_has_a_width(counts, lowest):
    scores = np.arange(lowest, lowest + len(counts))
    estimate, low, high = (found[0] for found in intervals.scale_mean([counts], scores, LEVEL))
    assert scores[0] <= low <= estimate <= high <= scores[-1]
    assert low < high
    assert estimate == pytest.approx(np.repeat(scores, counts).mean())


def test_of_two_scores_the_mean_has_the_interval_of_jeffreys():
    _, low, high = intervals.scale_mean([[7, 3]], [0, 1], LEVEL)
    np.testing.assert_allclose([low[0], high[0]], proportion_confint(3, 10, method="jeffreys"))


def test_the_effective_number_of_answers_is_kishs():
    weights = np.array([0.5, 0.5, 1.0, 2.0])
    assert intervals.effective_n([weights.sum()], [(weights**2).sum()]) == pytest.approx(16 / 5.5)
    assert intervals.effective_n([3.0], [3.0]) == [3]
    assert intervals.effective_n([0.0], [0.0]) == [0]


@settings(max_examples=20)
@given(counts_of_three, st.floats(0.5, 0.9), st.floats(0.91, 0.999))
def test_a_higher_level_widens_every_interval(counts, level, higher):
    def widths(at):
        _, *mean = intervals.scale_mean([counts], [0, 1, 2], at)
        bounds = [
            mean,
            intervals.net_share([counts], at),
            intervals.wilson([counts[0]], [sum(counts)], at),
            intervals.goodman([counts], at),
        ]
        return np.concatenate([np.ravel(high) - np.ravel(low) for low, high in bounds])

    assert (widths(level) <= widths(higher) + 1e-12).all()


def test_where_nobody_answered_every_interval_is_missing():
    nobody = np.zeros((1, 3))
    found = [*intervals.net_share(nobody, LEVEL), *intervals.wilson([0], [0], LEVEL), *intervals.scale_mean(nobody, [1, 2, 3], LEVEL)]
    assert np.isnan(np.concatenate(found)).all()
    assert np.isnan(intervals.goodman(nobody, LEVEL)).all()


@pytest.mark.parametrize("level", [0, 1, 95, -0.1, float("nan")])
def test_a_level_that_is_no_probability_is_refused(level):
    with pytest.raises(ValueError, match=r"^level: .* is not between 0 and 1; for 95 % write 0\.95$"):
        intervals.tails(level)
