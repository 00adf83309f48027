"""Answers of the same people: R's linearised errors and design effects, and the coverage that intervals promise."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cxlib.stats import intervals, variance
from cxlib.stats.variance import Clusters, Shared

GOLDEN = Path(__file__).parent / "golden"
SCHOOLS, DISTRICTS = 183, 15


@cache
def golden(name: str) -> pd.DataFrame:
    return pd.read_csv(GOLDEN / f"{name}.csv")


def sums(people: np.ndarray, value: np.ndarray, which: np.ndarray | None = None, number: int | None = None) -> Clusters:
    """The sums of one group, over the people among these rows; a design may count more of them than have answered."""
    which = np.ones(len(value), dtype=bool) if which is None else which
    per = pd.DataFrame({"a": which * 1.0, "b": which * value}).groupby(people).sum()
    count = (per["a"] > 0).sum() if number is None else number
    each = [count, per["a"].sum(), per["b"].sum(), (per["a"] ** 2).sum(), (per["a"] * per["b"]).sum(), (per["b"] ** 2).sum()]
    return Clusters(*(np.array([float(one)]) for one in each))


def shared(people: np.ndarray, value: np.ndarray, one: np.ndarray, other: np.ndarray) -> Shared:
    columns = {"a1": one * 1.0, "b1": one * value, "a2": other * 1.0, "b2": other * value}
    per = pd.DataFrame(columns).groupby(people).sum()
    both = (per["a1"] > 0) & (per["a2"] > 0)
    products = [(per[f"{first}1"] * per[f"{second}2"]).sum() for first in "ab" for second in "ab"]
    return Shared(*(np.array([float(each)]) for each in [both.sum(), *products]))


def schools() -> tuple[np.ndarray, pd.DataFrame]:
    frame = golden("api_clusters")
    return frame["district"].to_numpy(), frame


@pytest.mark.parametrize("variable", ["index", "nps"])
def test_the_error_of_a_clustered_mean_is_rs(variable):
    people, frame = schools()
    row = golden("survey_means").query("design == 'clusters' and variable == @variable").iloc[0]
    found = sums(people, frame[variable].to_numpy(dtype=float))
    assert found.number == DISTRICTS
    assert found.mean.item() == pytest.approx(row["estimate"])
    assert np.sqrt(found.variance).item() == pytest.approx(row["std_error"])
    half = variance.critical(found.number - 1, 0.95).item() * row["std_error"]
    assert [row["estimate"] - half, row["estimate"] + half] == pytest.approx([row["low"], row["high"]])


@pytest.mark.parametrize("variable", ["index", "nps"])
def test_answers_are_worth_what_rs_design_effect_leaves_of_them(variable):
    people, frame = schools()
    row = golden("survey_means").query("design == 'clusters' and variable == @variable").iloc[0]
    value = frame[variable].to_numpy(dtype=float)
    worth, freedom = variance.worth(sums(people, value), spread=[value.var()], n=[SCHOOLS], n_eff=[SCHOOLS])
    assert worth.item() == pytest.approx(SCHOOLS / row["deff_replace"])
    assert freedom.item() == DISTRICTS - 1


@pytest.mark.parametrize("row", golden("survey_domains").query("design == 'clusters'").to_dict("records"), ids=lambda row: row["group"])
def test_the_error_of_a_part_is_rs_where_every_cluster_of_the_design_counts(row):
    people, frame = schools()
    found = sums(people, frame["nps"].to_numpy(dtype=float), (frame[row["by"]] == row["group"]).to_numpy(), DISTRICTS)
    assert [found.mean.item(), np.sqrt(found.variance).item()] == pytest.approx([row["estimate"], row["std_error"]])


@pytest.mark.parametrize("row", golden("survey_differences").query("design == 'clusters'").to_dict("records"), ids=lambda row: row["by"])
def test_the_error_of_a_difference_between_parts_that_share_clusters_is_rs(row):
    people, frame = schools()
    value, after = frame["nps"].to_numpy(dtype=float), (frame[row["by"]] == row["group"]).to_numpy()
    one, other = sums(people, value, ~after, DISTRICTS), sums(people, value, after, DISTRICTS)
    together = variance.covariance(one, other, shared(people, value, ~after, after)) * DISTRICTS / (DISTRICTS - 1)
    error = np.sqrt(one.variance + other.variance - 2 * together).item()
    assert [(other.mean - one.mean).item(), error] == pytest.approx([row["change"], row["std_error"]])


def test_who_answered_once_is_worth_one_answer():
    people, value = np.arange(20), np.array([1.0, 0, -1, 1] * 5)
    worth, freedom = variance.worth(sums(people, value), spread=[value.var()], n=[20], n_eff=[20])
    assert (worth.item(), freedom.item()) == (20, np.inf)


def test_where_all_agree_people_are_taken_to_repeat_themselves():
    people = np.repeat(np.arange(6), [5, 3, 1, 1, 1, 1])
    worth, freedom = variance.worth(sums(people, np.ones(12)), spread=[0.0], n=[12], n_eff=[12])
    assert (worth.item(), freedom.item()) == (12**2 / (25 + 9 + 4), np.inf)


def test_a_single_person_is_worth_a_single_answer_and_nobody_none():
    worth, freedom = variance.worth(sums(np.zeros(9), np.arange(9.0)), spread=[np.arange(9.0).var()], n=[9], n_eff=[9])
    assert (worth.item(), freedom.item()) == (1, np.inf)
    nobody = Clusters(*np.zeros((6, 1)))
    assert variance.worth(nobody, spread=[0.0], n=[0], n_eff=[0])[0].item() == 0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(-1, 1)), min_size=1, max_size=60))
def test_answers_are_never_worth_more_than_there_are_nor_less_than_nothing(answers):
    people, value = np.array(answers, dtype=float).T
    n = len(value)
    clusters = sums(people, value)
    worth, freedom = variance.worth(clusters, spread=[value.var()], n=[n], n_eff=[n])
    assert 0 < worth.item() <= n
    assert freedom.item() == np.inf or freedom.item() == clusters.number.item() - 1
    low, high = (bound[0] for bound in intervals.net_share([counted(value)], 0.95))
    fewer = counted(value) * worth / n / variance.inflation(freedom, 0.95)
    wider_low, wider_high = (bound[0] for bound in intervals.net_share([fewer], 0.95))
    # Two methods meet at 15 answers and do not agree to the last point.
    assert wider_high - wider_low >= 0.9 * (high - low)


def counted(value: np.ndarray) -> np.ndarray:
    return np.array([(value == each).sum() for each in (1, 0, -1)], dtype=float)


def test_t_takes_the_place_of_z_by_its_quantiles():
    np.testing.assert_allclose(variance.critical([3, 14, np.inf], 0.9), [stats.t.ppf(0.95, 3), stats.t.ppf(0.95, 14), stats.norm.ppf(0.95)])
    np.testing.assert_allclose(variance.inflation([14], 0.95), [(stats.t.ppf(0.975, 14) / stats.norm.ppf(0.975)) ** 2])
    assert variance.inflation([np.inf], 0.95).tolist() == [1]


LAWS = [
    (times, alike, cuts) for times in ((2, 0.6), (24, 0.25)) for alike in ((0.0, 0.0), (0.8, 0.5)) for cuts in ((-0.8, 0.0), (-2.0, -1.2))
]


@pytest.mark.parametrize(("people", "mean", "worst"), [(4, 0.95, 0.92), (8, 0.95, 0.91), (30, 0.945, 0.91)])
def test_people_who_answer_again_and_again_are_covered_as_often_as_the_docstring_says(people, mean, worst):
    random, covered, naive = np.random.default_rng(8), [], []
    for (times, share), (alike, happier), cuts in LAWS:
        truth = simulated(random, 4000, times, share, alike, happier, cuts, 20)[0].mean(axis=0)
        truth = truth[1] / truth[0]
        totals, own, squares = simulated(random, people, times, share, alike, happier, cuts, 1500)
        n, total = totals.T
        keep = n > 0
        clusters = Clusters(own[keep, 0], n[keep], total[keep], *squares[keep].T)
        spread = own[keep, 1] / n[keep] - clusters.mean**2
        worth, freedom = variance.worth(clusters, spread=spread, n=n[keep], n_eff=n[keep])
        counts = np.column_stack([own[keep, 1] + total[keep], 2 * (n[keep] - own[keep, 1]), own[keep, 1] - total[keep]]) / 2
        for found, scale in ((covered, worth / n[keep] / variance.inflation(freedom, 0.95)), (naive, np.ones(keep.sum()))):
            low, high = intervals.net_share(counts * scale[:, None], 0.95)
            found.append(((low <= truth + 1e-9) & (truth <= high + 1e-9)).mean())
    assert np.mean(covered) >= mean
    assert min(covered) >= worst
    assert min(naive) < 0.6


def simulated(random, people, times, share, alike, happier, cuts, samples):
    """Of samples of people: answers and their sum; people who answered and answers that were no passive; sums of squares.

    A latent normal law, cut into detractors, passives and promoters; ``alike`` of its variance is the person's own, and
    the happier answer the more often.
    """
    person = random.normal(size=(samples, people, 1)) * np.sqrt(alike)
    latent = person + random.normal(size=(samples, people, times)) * np.sqrt(1 - alike)
    often = np.clip(share * np.exp(0.6 * random.normal(size=person.shape) + happier * person), 0, 1)
    answered = random.random(latent.shape) < often
    value = np.where(answered, (latent > cuts[1]) * 1.0 - (latent < cuts[0]), 0)
    a, b = answered.sum(axis=2).astype(float), value.sum(axis=2)
    own = np.column_stack([(a > 0).sum(axis=1), np.abs(value).sum(axis=(1, 2))])
    return (
        np.column_stack([a.sum(axis=1), b.sum(axis=1)]),
        own,
        np.column_stack([(a * a).sum(axis=1), (a * b).sum(axis=1), (b * b).sum(axis=1)]),
    )
