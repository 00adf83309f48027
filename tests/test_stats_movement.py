"""Changes between two samples, held against printed numbers, other software, and the errors they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

from cxlib.stats import movement

LEVEL = 0.95
three = st.tuples(*[st.integers(0, 60)] * 3).filter(any)
seven = st.lists(st.integers(0, 40), min_size=7, max_size=7).filter(any)
CHANGES = {
    "net": movement.net_change,
    "share": lambda before, after, **more: movement.share_change(np.array(before)[:, :2], np.array(after)[:, :2], **more),
    "mean": lambda before, after, **more: movement.mean_change(before, after, [1, 2, 3], **more),
}
every_change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)


def drawn(random, shares, n, samples):
    return random.multinomial(n, shares, size=samples).astype(float)


# Known values


def test_newcombes_interval_is_the_one_he_printed():
    # Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 10: the first four of his examples.
    before, after = [[48, 32], [3, 7], [2, 5], [0, 29]], [[56, 14], [9, 1], [6, 1], [5, 51]]
    found = movement.share_change(before, after, level=LEVEL)
    np.testing.assert_allclose(found.low, [0.0524, 0.1705, 0.0582, -0.0381], atol=5e-5)
    np.testing.assert_allclose(found.high, [0.3339, 0.8090, 0.8062, 0.1926], atol=5e-5)


@given(st.integers(1, 200), st.integers(1, 200), st.data(), st.floats(0.6, 0.99))
def test_the_interval_of_a_change_of_shares_is_that_of_statsmodels(n, n_after, data, level):
    inside, inside_after = data.draw(st.integers(0, n)), data.draw(st.integers(0, n_after))
    found = movement.share_change([[inside, n - inside]], [[inside_after, n_after - inside_after]], level=level)
    theirs = confint_proportions_2indep(inside_after, n_after, inside, n, method="newcomb", alpha=1 - level)
    np.testing.assert_allclose([found.low[0], found.high[0]], theirs, atol=1e-9)


def test_the_change_of_a_net_share_has_rocks_adjustment_in_both_samples():
    found = movement.net_change([[50, 30, 20]], [[30, 30, 40]], level=LEVEL)
    shares = [np.array(counts) / 103 for counts in ([50.75, 31.5, 20.75], [30.75, 31.5, 40.75])]
    net = [share[0] - share[2] for share in shares]
    error = np.sqrt(sum((share[0] + share[2] - each**2) / 103 for share, each in zip(shares, net, strict=True)))
    assert found.estimate.item() == pytest.approx(-0.4)
    assert [found.low.item(), found.high.item()] == pytest.approx([net[1] - net[0] - 1.959964 * error, net[1] - net[0] + 1.959964 * error])
    assert found.p_value.item() == pytest.approx(2 * scipy_stats.norm.sf((net[0] - net[1]) / error))


@pytest.mark.parametrize(("n", "half", "four_fifths"), [(100, 21.6, 30.9), (400, 10.8, 15.5), (2000, 4.8, 6.9)])
def test_the_smallest_change_to_be_detected_is_that_of_the_definitions(n, half, four_fifths):
    error = 100 * np.sqrt((0.5 + 0.2 - 0.3**2) * 2 / n)
    assert movement.smallest_change(error, level=LEVEL, power=0.5) == pytest.approx(half, abs=0.06)
    assert movement.smallest_change(error, level=LEVEL) == pytest.approx(four_fifths, abs=0.06)


def test_answers_to_tell_are_the_smallest_change_read_backwards():
    spread = 2 * (0.5 + 0.2 - 0.3**2)
    for n in (100, 400, 2000):
        change = movement.smallest_change(np.sqrt(spread / n), level=LEVEL)
        assert movement.answers_to_tell(spread, change - 1e-12, level=LEVEL) == pytest.approx(n, abs=1)
    assert np.isnan(movement.answers_to_tell(spread, 0.0, level=LEVEL))
    assert movement.answers_to_tell(spread, 0.1, level=LEVEL, stricter=10) > movement.answers_to_tell(spread, 0.1, level=LEVEL, margin=True)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_the_correction_is_that_of_statsmodels_and_a_missing_test_is_none(p_values):
    theirs = multipletests(p_values, method="fdr_bh")[1]
    np.testing.assert_allclose(movement.benjamini_hochberg(p_values), theirs, atol=1e-12)
    with_gap = movement.benjamini_hochberg([*p_values, np.nan])
    np.testing.assert_allclose(with_gap[:-1], theirs, atol=1e-12)
    assert np.isnan(with_gap[-1])


# Every change


@every_change
@given(before=three, after=three, level=st.floats(0.6, 0.99), alike=st.floats(-0.5, 0.9))
def test_the_interval_is_without_nothing_where_and_only_where_the_p_value_says_so(change, before, after, level, alike):
    found = change([before], [after], level=level, correlation=alike, freedom=(12, np.inf))
    if np.isnan(found.estimate.item()):
        assert np.isnan(found.p_value.item())
        return
    assert found.low.item() <= found.estimate.item() <= found.high.item()
    assert found.low.item() < found.high.item()
    if abs(found.p_value.item() - (1 - level)) > 1e-9:
        assert (found.p_value.item() < 1 - level) == (found.low.item() > 0 or found.high.item() < 0)


@every_change
@given(before=three, after=three)
def test_what_goes_up_one_way_goes_down_the_other(change, before, after):
    there, back = change([before], [after], level=LEVEL), change([after], [before], level=LEVEL)
    np.testing.assert_allclose(there.estimate, -back.estimate, atol=1e-12)
    np.testing.assert_allclose([there.low, there.high], [-back.high, -back.low], atol=1e-9)
    np.testing.assert_allclose(there.p_value, back.p_value, atol=1e-9)


@every_change
def test_no_change_is_found_that_is_not_seen(change):
    found = change([[1, 0, 0]], [[1000, 0, 0]], level=LEVEL)
    assert (found.estimate.item(), found.p_value.item()) == (0, 1)
    assert found.low.item() <= 0 <= found.high.item()


@every_change
def test_people_who_answered_twice_narrow_a_change_and_doubt_widens_it(change):
    before, after = [[30, 20, 10]], [[20, 20, 20]]

    def width(**more):
        found = change(before, after, level=LEVEL, **more)
        return (found.high - found.low).item()

    assert width(correlation=0.5) < width() < width(freedom=(5, 9))


@every_change
def test_a_sample_without_answers_has_no_change(change):
    found = change([[0, 0, 0], [5, 5, 5]], [[5, 5, 5], [0, 0, 0]], level=LEVEL)
    assert np.isnan([found.estimate, found.low, found.high, found.p_value]).all()


# What is promised


@pytest.mark.parametrize(("n", "promised"), [(10, 0.040), (20, 0.044), (50, 0.049)])
def test_a_net_share_that_stood_still_is_found_moving_as_often_as_the_docstring_says(n, promised):
    random = np.random.default_rng(21)
    before, after = (drawn(random, [0.5, 0.3, 0.2], n, 60_000) for _ in range(2))
    found = movement.net_change(before, after, level=LEVEL)
    assert (found.p_value < 0.05).mean() == pytest.approx(promised, abs=0.004)


PAIRS = [(10, 10), (10, 100), (20, 1000), (50, 50)]
NETS = [(0.5, 0.3, 0.2), (0.9, 0.08, 0.02), (0.3, 0.3, 0.4), (0.75, 0.2, 0.05)]


@pytest.mark.parametrize(("n", "n_after"), PAIRS)
def test_changes_of_net_shares_are_covered(n, n_after):
    random = np.random.default_rng(22)
    for before in NETS:
        for after in NETS:
            found = movement.net_change(drawn(random, before, n, 8000), drawn(random, after, n_after, 8000), level=LEVEL)
            truth = after[0] - after[2] - before[0] + before[2]
            assert ((found.low <= truth) & (truth <= found.high)).mean() >= 0.915


@pytest.mark.parametrize(("n", "n_after", "mean", "worst"), [(10, 10, 0.95, 0.90), (10, 100, 0.945, 0.90), (50, 1000, 0.945, 0.93)])
def test_changes_of_shares_and_means_are_covered(n, n_after, mean, worst):
    random, shares, means = np.random.default_rng(23), [], []
    for one in (0.02, 0.3, 0.5, 0.95):
        for other in (0.02, 0.3, 0.5, 0.95):
            before, after = (drawn(random, [p, 1 - p], size, 2000) for p, size in ((one, n), (other, n_after)))
            found = movement.share_change(before, after, level=LEVEL)
            shares.append(((found.low <= other - one) & (other - one <= found.high)).mean())
    scores = np.arange(1, 6)
    laws = [law / law.sum() for law in (np.ones(5), np.exp(1.2 * scores), np.array([1, 1, 1, 1, 36]), np.array([5, 1, 1, 1, 5]))]
    for one in laws:
        for other in laws:
            found = movement.mean_change(drawn(random, one, n, 2000), drawn(random, other, n_after, 2000), scores, level=LEVEL)
            truth = (other - one) @ scores
            means.append(((found.low <= truth + 1e-9) & (truth <= found.high + 1e-9)).mean())
    for covered in (shares, means):
        assert np.mean(covered) >= mean
        assert min(covered) >= worst


def test_a_change_as_large_as_the_margin_is_called_immaterial_in_one_of_twenty_at_most():
    random, margin = np.random.default_rng(24), 0.1
    before, after = drawn(random, [0.5, 0.3, 0.2], 1500, 20_000), drawn(random, [0.55, 0.3, 0.15], 1500, 20_000)
    narrower = movement.net_change(before, after, level=2 * LEVEL - 1)
    assert movement.within(narrower, margin).mean() == pytest.approx(0.05, abs=0.006)


def test_as_many_answers_as_it_takes_settle_it_in_four_of_five_cases():
    random, spread, margin = np.random.default_rng(25), 2 * 0.61, 0.08
    n = int(movement.answers_to_tell(spread, margin, level=LEVEL, margin=True))
    still = movement.net_change(*(drawn(random, [0.5, 0.3, 0.2], n, 8000) for _ in range(2)), level=2 * LEVEL - 1)
    assert movement.within(still, margin).mean() == pytest.approx(0.8, abs=0.02)
    n = int(movement.answers_to_tell(spread, margin, level=LEVEL))
    moved = movement.net_change(drawn(random, [0.5, 0.3, 0.2], n, 8000), drawn(random, [0.54, 0.3, 0.16], n, 8000), level=LEVEL)
    assert (moved.p_value < 0.05).mean() == pytest.approx(0.8, abs=0.02)


def test_of_quiet_reports_one_in_twenty_names_a_movement_and_not_seven_in_ten():
    random = np.random.default_rng(26)
    before, after = (drawn(random, [0.5, 0.3, 0.2], 120, 2000 * 24) for _ in range(2))
    p_values = movement.net_change(before, after, level=LEVEL).p_value.reshape(2000, 24)
    corrected = np.array([movement.benjamini_hochberg(report) for report in p_values])
    assert (p_values < 0.05).any(axis=1).mean() == pytest.approx(0.71, abs=0.04)
    assert (corrected < 0.05).any(axis=1).mean() == pytest.approx(0.05, abs=0.012)


def test_of_quiet_months_each_compared_with_the_one_before_one_report_in_twenty_names_a_movement():
    months = np.random.default_rng(28).multinomial(60, [0.5, 0.3, 0.2], size=(3000, 25)).astype(float)
    p_values = movement.net_change(months[:, :-1].reshape(-1, 3), months[:, 1:].reshape(-1, 3), level=LEVEL).p_value.reshape(3000, 24)
    corrected = np.array([movement.benjamini_hochberg(report) for report in p_values])
    assert (p_values < 0.05).any(axis=1).mean() > 0.6
    assert (corrected < 0.05).any(axis=1).mean() == pytest.approx(0.05, abs=0.012)


def test_of_what_a_report_says_has_moved_one_in_twenty_has_not():
    random = np.random.default_rng(27)
    before = drawn(random, [0.5, 0.3, 0.2], 200, 1500 * 24)
    after = drawn(random, [0.5, 0.3, 0.2], 200, 1500 * 24)
    truly = np.tile(np.arange(24) < 6, 1500)
    after[truly] = drawn(random, [0.38, 0.3, 0.32], 200, truly.sum())
    p_values = movement.net_change(before, after, level=LEVEL).p_value.reshape(1500, 24)
    found = np.array([movement.benjamini_hochberg(report) for report in p_values]) < 0.05
    false = (found & ~truly.reshape(1500, 24)).sum(axis=1) / np.maximum(found.sum(axis=1), 1)
    # 18 of the 24 stand still, and the rate is bounded by 18/24 of 5 %.
    assert false.mean() <= 0.05
    assert found[truly.reshape(1500, 24)].mean() > 0.5


def test_a_verdict_is_first_that_nothing_moved_then_which_way_then_that_it_is_open():
    estimate, corrected, unchanged = [2.0, 2.0, -2.0, 2.0, np.nan], [0.01, 0.01, 0.01, 0.2, np.nan], [True, False, False, False, False]
    words = movement.verdicts(estimate, corrected, unchanged, level=LEVEL)
    assert words == ["no material change", "up", "down", "cannot tell yet", "cannot tell yet"]


# Few answers


@pytest.mark.parametrize("before", [(9, 291), (30, 30), (0, 55), (400, 600)])
def test_of_few_answers_a_share_is_judged_by_draws_of_both_posteriors(before):
    random = np.random.default_rng(27)
    after = np.array([(0, 3), (1, 2), (2, 3), (9, 1), (20, 20)])
    found = movement.share_few(np.tile(before, (len(after), 1)), after)
    many = random.beta(before[0] + 0.5, before[1] + 0.5, 200_000)
    lower = np.array([(random.beta(inside + 0.5, outside + 0.5, 200_000) < many).mean() for inside, outside in after])
    np.testing.assert_allclose(found, 2 * np.minimum(lower, 1 - lower), atol=0.005)


def test_few_answers_that_agree_are_no_proof_against_many_that_do_not():
    rest, group = [[9, 291]], [[1, 2]]
    assert movement.share_change(rest, group, level=LEVEL).p_value < 0.02 < movement.share_few(rest, group)
    rest, group = [[30, 0, 25]], [[5, 0, 0]]
    assert movement.net_change(rest, group, level=LEVEL).p_value < movement.net_few(rest, group)
    nobody = movement.share_few([[0, 0], [5, 5]], [[5, 5], [0, 0]]), movement.net_few([[0, 0, 0]], [[1, 0, 0]])
    assert all(np.isnan(each).all() for each in nobody)
    once, twice = (movement.share_few([[10, 10]], [[14, 6]], correlation=alike) for alike in (0.0, 0.6))
    assert twice < once


@pytest.mark.parametrize(
    ("change", "few", "law", "plainly"),
    [
        (movement.net_change, movement.net_few, (0.5, 0.0, 0.5), 0.1),
        (movement.net_change, movement.net_few, (0.9, 0.05, 0.05), 0.07),
        (movement.share_change, movement.share_few, (0.03, 0.97), 0.25),
        (movement.share_change, movement.share_few, (0.2, 0.8), 0.03),
    ],
)
def test_of_tables_of_small_groups_that_do_not_differ_few_name_one(change, few, law, plainly):
    """Six groups of 3 and one of 300, and twelve of 5, each against the rest: 300 tables."""
    random, found = np.random.default_rng(28), []
    for sizes in ([*[3] * 6, 300], [5] * 12):
        counts = np.stack([drawn(random, law, n, 300) for n in sizes], axis=1)
        samples = [each.reshape(-1, len(law)) for each in (counts.sum(axis=1, keepdims=True) - counts, counts)]
        plain = change(*samples, level=LEVEL).p_value
        ours = [movement.benjamini_hochberg(each) for each in np.fmax(plain, few(*samples)).reshape(300, -1)]
        assert (np.array(ours) < 0.05).any(axis=1).mean() <= 0.06
        found.append((np.array([movement.benjamini_hochberg(each) for each in plain.reshape(300, -1)]) < 0.05).any(axis=1).mean())
    assert max(found) >= plainly
