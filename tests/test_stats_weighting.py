"""Weights to known margins: R's numbers, what must always hold, what is refused, and how often the interval holds the truth."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from weighted_samples import LAWS, covered, sample

from cxlib.stats import weighting
from cxlib.stats.weighting import Margin, Parts

GOLDEN = Path(__file__).parent / "golden"


@cache
def golden(name):
    return pd.read_csv(GOLDEN / f"{name}.csv")


def schools(design):
    """The sample of a design of R's, the cell of the margins each school is in, and the margins."""
    rows = golden({"simple": "api_simple", "strata": "api_strata", "clusters": "api_clusters"}[design.partition("_")[0]])
    columns = ["type"] if design.endswith("_post") else ["type", "target"]
    cell = rows.groupby(["type", "target"]).ngroup().to_numpy()
    first = rows.iloc[np.unique(cell, return_index=True)[1]]
    margins = []
    for column in columns:
        known = golden("api_margins").query("column == @column").set_index("value")["customers"]
        margins.append(Margin(column, list(known.index), known.to_numpy(dtype=float), known.index.get_indexer(first[column])))
    return rows, cell, margins


# Golden: R's survey package (tests/golden/weights.R)


@pytest.mark.parametrize("design", ["simple_raked", "strata_raked", "clusters_raked", "simple_post", "clusters_post"])
def test_raked_and_post_stratified_weights_are_those_of_r(design):
    rows, cell, margins = schools(design)
    factors = weighting.rake(np.bincount(cell, rows["weight"]), margins)
    expected = golden("survey_weights").query("design == @design").sort_values("row")["weight"]
    np.testing.assert_allclose(rows["weight"] * factors[cell], expected, rtol=1e-9)


@pytest.mark.parametrize("variable", ["nps", "index"])
@pytest.mark.parametrize("design", ["simple_raked", "simple_post", "strata_raked", "clusters_raked", "clusters_post"])
def test_the_error_over_replicates_is_near_that_which_r_linearises(design, variable):
    """Within chance of a thousand replicates (one in 45) and, of 15 districts of unlike size, what a bootstrap makes of so few."""
    rows, cell, margins = schools(design)
    people = pd.factorize(rows["district"])[0] if "district" in rows else np.arange(len(rows))
    parts = Parts(
        cell, np.zeros(len(rows), dtype=int), people, rows["weight"].to_numpy(), np.ones(len(rows)),
        (rows["weight"] * rows[variable]).to_numpy()[None],
    )  # fmt: skip
    found = weighting.replicates(parts, margins, groups=1)[:, 0]
    error = np.sqrt(weighting.replicated_variance(found, [people.max() + 1]))
    expected = golden("survey_means").query("design == @design and variable == @variable")["std_error"]
    np.testing.assert_allclose(error, expected, rtol=0.1 if design.startswith("clusters") else 0.05)


def test_the_design_effect_is_kishs():
    """Weights 1, 1, 2: n Σw² / (Σw)² = 3 · 6 / 16."""
    assert weighting.design_effect([3], [4], [6]).tolist() == [18 / 16]
    assert np.isnan(weighting.design_effect([0], [0], [0])).all()


def test_the_distance_of_shares_is_in_standard_deviations_of_the_customers():
    found = weighting.standardised_difference([0.6, 0.2, 0.1, 0.0], [0.5, 0.2, 0.0, 0.0])
    assert found.tolist() == [pytest.approx(0.1 / 0.5), 0.0, np.inf, 0.0]


# Properties


@st.composite
def tables(draw):
    """A table of answers without empty cells, and customers along its two margins."""
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    cells = np.array(draw(st.lists(st.integers(1, 50), min_size=rows * columns, max_size=rows * columns)), dtype=float)
    place = np.arange(rows * columns)
    of = np.array(draw(st.lists(st.integers(1, 50), min_size=rows * columns, max_size=rows * columns)), dtype=float).reshape(rows, columns)
    names = [str(number) for number in range(4)]
    margins = [Margin("a", names[:rows], of.sum(axis=1), place // columns), Margin("b", names[:columns], of.sum(axis=0), place % columns)]
    return cells, margins


@given(tables())
def test_every_margin_is_met_and_what_two_categories_have_in_common_stays(drawn):
    cells, margins = drawn
    factors = weighting.rake(cells, margins)
    for margin in margins:
        np.testing.assert_allclose(np.bincount(margin.places, cells * factors), margin.totals, rtol=1e-6)
    # Raking multiplies rows and columns: cross-ratios of the factors are 1.
    table = np.log(factors).reshape(len(margins[0].totals), -1)
    np.testing.assert_allclose(table - table[:1] - table[:, :1] + table[0, 0], 0, atol=1e-6)


@given(tables(), st.permutations([0, 1]), st.floats(0.1, 10))
def test_neither_the_order_of_margins_nor_their_unit_matters(drawn, order, unit):
    cells, margins = drawn
    factors = weighting.rake(cells, margins)
    other = weighting.rake(
        cells, [Margin(each.name, each.categories, each.totals * unit, each.places) for each in (margins[o] for o in order)]
    )
    np.testing.assert_allclose(other, factors * unit, rtol=1e-6)


@given(tables())
def test_one_crossed_margin_is_post_stratification(drawn):
    cells, _ = drawn
    totals = np.arange(1.0, len(cells) + 1)
    crossed = Margin("crossed", [str(place) for place in range(len(cells))], totals, np.arange(len(cells)))
    np.testing.assert_allclose(weighting.rake(cells, [crossed]), totals / cells, rtol=1e-12)


@given(tables())
def test_replicates_are_raked_each_by_itself(drawn):
    cells, margins = drawn
    both = weighting.rake(np.stack([cells, 2 * cells[::-1]]), margins)
    np.testing.assert_allclose(both[0], weighting.rake(cells, margins), rtol=1e-6)
    np.testing.assert_allclose(both[1], weighting.rake(2 * cells[::-1], margins), rtol=1e-6)


@settings(max_examples=10)
@given(st.integers(0, 99))
def test_the_order_of_the_answers_does_not_change_a_replicate(seed):
    random = np.random.default_rng(seed)
    cell, who = random.integers(0, 4, 60), random.integers(0, 20, 60)
    cell[:4] = range(4)
    value = random.integers(-1, 2, 60).astype(float)
    margins = [Margin("a", "ab", np.array([3.0, 1.0]), np.arange(4) // 2), Margin("b", "ab", np.array([2.0, 2.0]), np.arange(4) % 2)]

    def found(order):
        parts = Parts(cell[order], np.zeros(60, dtype=int), who[order], np.ones(60), np.ones(60), value[order][None])
        return weighting.replicates(parts, margins, groups=1, number=100)

    np.testing.assert_allclose(found(np.arange(60)), found(random.permutation(60)), rtol=1e-9, atol=1e-9)


# By hand


def test_unsigned_answers_counted_together_vary_like_answers_drawn_one_by_one():
    margin = [Margin("all", ["all"], np.array([1.0]), np.zeros(1, dtype=int))]
    value = np.repeat([1.0, 0.0, -1.0], [50, 30, 20])
    one = Parts(np.zeros(100, dtype=int), np.zeros(100, dtype=int), np.arange(100), np.ones(100), np.ones(100), value[None])
    counts = np.array([50.0, 30.0, 20.0])
    together = Parts(*(np.zeros(3, dtype=int),) * 2, np.full(3, -1), counts, counts, (counts * [1, 0, -1])[None])
    errors = [
        np.sqrt(weighting.replicated_variance(weighting.replicates(parts, margin, groups=1)[:, 0], [100])) for parts in (one, together)
    ]
    np.testing.assert_allclose(errors, value.std(ddof=1) / 10, rtol=0.06)
    sums = [weighting.clusters(parts, np.ones(1), 0, groups=1).sums for parts in (one, together)]
    np.testing.assert_allclose(*sums, rtol=1e-12)


# Refusals


def two(cells, totals):
    place = np.arange(4)
    (first, second) = totals
    return cells, [
        Margin("segment", ["Home", "Office"], np.array(first, dtype=float), place // 2),
        Margin("plan", ["Basic", "Plus"], np.array(second, dtype=float), place % 2),
    ]


REFUSED = {
    "an empty cell": (
        two([5, 0, 7, 0], ([60, 40], [90, 10])),
        (
            "no answer is of 1 of the 2 categories of 'plan' that customers have ('Plus', 10 % of the customers), so nothing can be "
            "weighted to stand for them. Leave the margin out, or join these categories with others."
        ),
    ),
    "unequal totals": (
        two([5, 3, 7, 2], ([60, 40], [90, 11])),
        "'segment' has 100 customers and 'plan' 101: margins of the same customers add up to the same number.",
    ),
    "margins that contradict each other": (
        two([5, 0, 0, 7], ([60, 40], [90, 10])),
        (
            "the margins cannot be met together: after 500 rounds 'segment' is still missed by 30 % of the customers. Some combinations of "
            "their categories have no answers: leave a margin out, or join categories."
        ),
    ),
}


@pytest.mark.parametrize(("table", "words"), REFUSED.values(), ids=REFUSED)
def test_margins_that_no_weights_can_meet_are_refused(table, words):
    with pytest.raises(ValueError) as letter:  # noqa: PT011 - the whole message is compared
        weighting.rake(*table)
    assert str(letter.value) == words


def test_a_category_that_no_customer_has_weighs_nothing():
    factors = weighting.rake(*two([5, 3, 7, 2], ([100, 0], [90, 10])))
    assert factors.tolist() == [18, pytest.approx(10 / 3), 0, 0]


# Coverage


def test_the_interval_holds_the_truth_and_one_without_weights_does_not():
    random = np.random.default_rng(3)
    held = {"unweighted": [], "used": [], "given": [], "replicates": []}
    for law in LAWS:
        for _ in range(8):
            drawn = sample(random, law, 150)
            found = drawn and covered(law, drawn, number=100)
            for name in held if found else ():
                held[name].append(found[name])
    holds, width = ({name: np.mean([each[part] for each in found]) for name, found in held.items()} for part in (0, 1))
    assert holds["used"] > 0.9
    assert holds["unweighted"] < 0.75
    assert width["given"] <= width["used"] <= 1.2 * width["given"]
    assert width["replicates"] < width["used"]
