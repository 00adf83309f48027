"""Two sets of answers: each comparison as a second route has it, the coverage it promises, and the sample company's own gap."""

import json

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from statsmodels.stats.proportion import confint_proportions_2indep
from survey_answers import answers

from cxlib import groups, sample, survey
from cxlib.stats import movement as stats
from cxlib.tables import RESULT, TableError

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

few = settings(max_examples=4)
COLUMNS = [
    "p_value", "p_corrected", "verdict", "margin", "smallest_detectable", "n_to_tell", "estimate_customers", "estimate_staff",
    "low_customers", "low_staff", "high_customers", "high_staff", "n_customers", "n_staff", "good_customers", "good_staff",
    "bad_customers", "bad_staff", "scale_low", "scale_high", "since", "until",
]  # fmt: skip
NUMBERS = ["estimate", "low", "high", "p_value", "n", "smallest_detectable"]


def scored(*counts, scores=(10, 8, 3), **columns):
    """Answers by how many gave each score."""
    return pd.DataFrame({"score": np.repeat(scores, counts)}).assign(**columns)


CUSTOMERS, STAFF = scored(40, 30, 30), scored(16, 3, 1)


def on_five(satisfied, others):
    return scored(satisfied, others, scores=(5, 2), kind="csat", scale_low=1, scale_high=5)


# Golden, and a second route


def test_eighty_think_so_and_eight_agree():
    """The trade's own example, a hundred asked on either side, with the interval of Newcombe that statsmodels has."""
    found = groups.gap(on_five(8, 92), staff=on_five(80, 20), measure="csat").iloc[0]
    assert [found["estimate"], found["estimate_customers"], found["estimate_staff"]] == pytest.approx([0.72, 0.08, 0.8])
    theirs = confint_proportions_2indep(80, 100, 8, 100, method="newcomb", compare="diff")
    np.testing.assert_allclose([found["low"], found["high"]], theirs, rtol=1e-9)
    assert (found["measure"], found["verdict"]) == ("csat_gap", "above")


def test_the_gap_of_nps_is_the_tested_change_of_its_counts():
    found = groups.gap(CUSTOMERS, staff=STAFF).iloc[0]
    change = stats.net_change([[40, 30, 30]], [[16, 3, 1]], level=0.95)
    expected = [100 * change.estimate[0], 100 * change.low[0], 100 * change.high[0], change.p_value[0], 20]
    np.testing.assert_allclose([found[name] for name in NUMBERS[:5]], expected, rtol=1e-12)


@few
@given(answers(), answers(), st.booleans())
def test_a_gap_is_a_movement_between_people_who_are_in_one_wave_only(customers, staff, weighed):
    score = survey.Score("nps", weight="weight" if weighed else None)
    apart = staff.assign(respondent="s" + staff["respondent"])
    found = groups.gap(customers, staff=apart, measure=score, by="plan")
    waves = pd.concat([customers.assign(wave="c"), apart.assign(wave="s")], ignore_index=True)
    moved = survey.movement(waves, measure=score, by="plan", between=("c", "s"))
    assert found["plan"].fillna("-").tolist() == moved["plan"].fillna("-").tolist()
    np.testing.assert_allclose(found[NUMBERS].astype(float), moved[NUMBERS].astype(float), rtol=1e-9, atol=1e-9)
    both = [("customers", "before"), ("staff", "after")]
    for side, period in both:
        for part in ("estimate", "n", "good", "bad"):
            np.testing.assert_allclose(found[f"{part}_{side}"].astype(float), moved[f"{part}_{period}"].astype(float), rtol=1e-9)


def test_each_side_has_the_score_and_the_interval_of_its_own():
    found = groups.gap(CUSTOMERS, staff=STAFF).iloc[0]
    for side, table in (("customers", CUSTOMERS), ("staff", STAFF)):
        alone = survey.nps(table).iloc[0]
        assert [found[f"{part}_{side}"] for part in ("estimate", "low", "high", "n")] == alone[["estimate", "low", "high", "n"]].tolist()


@pytest.mark.parametrize(
    ("measure", "scale", "low_is_good", "name"),
    [("ratings", (1, 5), False, "rating_mean_gap"), ("ces", (1, 5), True, "ces_effort_gap"), ("ces", (1, 7), False, "ces_share_gap")],
)
def test_means_and_effort_are_compared_in_their_unit(measure, scale, low_is_good, name):
    kind = "rating" if measure == "ratings" else "ces"
    columns = {"kind": kind, "scale_low": scale[0], "scale_high": scale[1], "low_is_good": low_is_good, "question": "q"}
    customers, staff = scored(5, 10, 5, scores=(2, 3, 5), **columns), scored(2, 2, 6, scores=(2, 3, 5), **columns)
    found = groups.gap(customers, staff=staff, measure=measure).iloc[0]
    moved = survey.movement(pd.concat([customers.assign(wave="c"), staff.assign(wave="s")]), measure=measure, between=("c", "s")).iloc[0]
    assert found["measure"] == name
    assert found[NUMBERS[:4]].tolist() == pytest.approx(moved[NUMBERS[:4]].tolist())


# Properties


@few
@given(answers(), answers(), st.integers(0, 99))
def test_neither_the_engine_nor_the_order_of_the_rows_matters(customers, staff, seed):
    found = groups.gap(customers, staff=staff, by="plan", margin=5)
    other = groups.gap(customers.sample(frac=1, random_state=seed), staff=staff.sample(frac=1, random_state=seed), by="plan", margin=5)
    assert_frame_equal(found, other, check_exact=True)
    engine = ibis.duckdb.connect()
    tables = [engine.create_table(name, table) for name, table in (("customers", customers), ("staff", staff))]
    assert_frame_equal(found, groups.gap(tables[0], staff=tables[1], by="plan", margin=5), check_exact=True)
    assert_frame_equal(found, groups.gap(customers, staff=tables[1], by="plan", margin=5), check_exact=True)


@few
@given(answers(), answers())
def test_the_other_way_round_the_gap_has_the_other_sign(customers, staff):
    found, other = groups.gap(customers, staff=staff), groups.gap(staff, staff=customers)
    np.testing.assert_allclose(found["estimate"], -other["estimate"])
    np.testing.assert_allclose(found[["low", "high"]], -other[["high", "low"]])
    np.testing.assert_allclose(found["p_value"], other["p_value"])
    wider = groups.gap(customers, staff=staff, level=0.99)
    known = found["estimate"].notna()
    assert ((wider["low"] <= found["low"]) & (wider["high"] >= found["high"]))[known].all()


# Coverage


def test_the_interval_holds_the_true_gap_as_often_as_it_says_whoever_is_asked_again():
    """Customers once, 25 employees four times, each with a mood of their own; 400 companies."""
    random, size = np.random.default_rng(11), 400
    mood = np.repeat(random.normal(0, 0.8, (size, 25)), 4, axis=1)
    guesses = mood + random.normal(0.9, 1, (size, 100))
    feelings = random.normal(0.2, 1.3, (size, 150))
    cuts = np.array([-0.5, 0.5])
    # Far more of the same laws: 1.28 is the spread of a guess, mood and all.
    many = random.normal(0.9, np.hypot(1, 0.8), 2_000_000), random.normal(0.2, 1.3, 2_000_000)
    truth = [100 * ((each > 0.5).mean() - (each < -0.5).mean()) for each in many]
    points = np.array([3, 8, 10])
    staff = pd.DataFrame({"sim": np.repeat(np.arange(size), 100), "score": points[np.searchsorted(cuts, guesses.ravel())]})
    staff["respondent"] = np.tile(np.repeat([f"s{number}" for number in range(25)], 4), size)
    customers = pd.DataFrame({"sim": np.repeat(np.arange(size), 150), "score": points[np.searchsorted(cuts, feelings.ravel())]})
    customers["respondent"] = np.tile([f"c{number}" for number in range(150)], size)
    found = groups.gap(customers, staff=staff, by="sim")
    gap = truth[0] - truth[1]
    assert 0.93 <= ((found["low"] <= gap) & (gap <= found["high"])).mean() <= 0.99
    alone = groups.gap(customers, staff=staff, measure=survey.Score("nps", cluster=None), by="sim")
    assert ((alone["low"] <= gap) & (gap <= alone["high"])).mean() < 0.92


def test_of_reports_without_a_gap_few_name_one():
    random, size = np.random.default_rng(12), 300
    law = {"a": [10, 8, 3], "p": [0.5, 0.3, 0.2]}
    tables = [
        pd.DataFrame({"sim": np.repeat(np.arange(size), n), "score": random.choice(law["a"], size * n, p=law["p"])}) for n in (120, 40)
    ]
    found = groups.gap(tables[0], staff=tables[1], by="sim")
    assert (found["p_value"] < 0.05).mean() < 0.075
    assert (found["verdict"] != "cannot tell yet").mean() < 0.02


def test_the_gap_of_the_sample_company_is_found_from_company_to_company():
    """The truth is told beside each company: the staff's law, and what is true of those customers whom the tables hold."""
    held = 0
    for seed in range(100, 112):
        table, truth = sample.company(customers=400, seed=seed)["responses"], sample.truth(customers=400, seed=seed)
        loyal = table[table["question"] == "nps"]
        customers, staff = (loyal[loyal["role"] == role] for role in ("customer", "staff"))
        months = pd.Series(truth["nps"]["among_answers_by_month"])
        real = truth["staff"]["nps"] - months.loc[customers.dropna(subset="score")["wave"]].mean()
        found = groups.gap(customers, staff=staff, measure=survey.Score("nps", question="nps")).iloc[0]
        held += found["low"] <= real <= found["high"]
        assert found["verdict"] == "above", json.dumps({"seed": seed, "estimate": found["estimate"]})
    assert held >= 10


# Verdicts


def test_what_is_within_a_declared_margin_is_no_material_difference():
    found = groups.gap(scored(5000, 3000, 2000), staff=scored(5010, 2990, 2000), margin=5).iloc[0]
    assert found["verdict"] == "no material difference"
    assert pd.isna(found["n_to_tell"])


def test_staff_who_think_customers_unhappier_stand_below():
    assert groups.gap(STAFF, staff=CUSTOMERS).loc[0, "verdict"] == "below"


def test_what_is_open_says_how_many_answers_would_tell():
    found = groups.gap(scored(5, 3, 2), staff=scored(4, 3, 3), margin=5).iloc[0]
    assert found["verdict"] == "cannot tell yet"
    assert 3_000 < found["n_to_tell"] < 7_000


def test_all_gaps_are_corrected_together():
    random = np.random.default_rng(4)
    tables = [pd.DataFrame({"plan": np.repeat(list("abcde"), n), "score": random.integers(0, 11, 5 * n)}) for n in (40, 20)]
    found = groups.gap(tables[0], staff=tables[1], by="plan")
    np.testing.assert_allclose(found["p_corrected"], stats.benjamini_hochberg(found["p_value"]))


# Edges


def test_a_result_has_its_shape():
    found = groups.gap(CUSTOMERS.assign(plan="a"), staff=STAFF.assign(plan="a"), by="plan")
    assert list(found.columns) == ["plan", *RESULT, *COLUMNS]
    none = groups.gap(CUSTOMERS.assign(plan="a"), staff=STAFF.assign(plan="a").head(0), by="plan")
    assert list(none.columns) == list(found.columns)
    assert none.dtypes[COLUMNS].tolist() == found.dtypes[COLUMNS].tolist()
    assert none.attrs["reason"] == "Among staff: nobody was asked how likely they are to recommend."
    nobody = groups.gap(CUSTOMERS.head(0), staff=STAFF)
    assert nobody.attrs["reason"] == "Nobody was asked how likely they are to recommend."


def test_a_group_on_one_side_only_stays_and_is_not_compared():
    found = groups.gap(CUSTOMERS.assign(plan="a"), staff=STAFF.assign(plan="b"), by="plan")
    assert found["plan"].tolist() == ["a", "b"]
    assert found[["n", "n_customers", "n_staff"]].values.tolist() == [[0, 100, 0], [0, 0, 20]]
    assert found[["estimate", "low", "high", "p_value"]].isna().all(axis=None)
    assert set(found["verdict"]) == {"cannot tell yet"}
    nowhere = groups.gap(CUSTOMERS.assign(plan="a"), staff=STAFF.assign(plan=None), by="plan")
    assert nowhere.attrs["reason"] == "Among staff: no answer has a plan."


def test_a_missing_key_meets_a_missing_key():
    plans = [pd.Series([None] * each + ["a"] * (n - each), dtype=object) for n, each in ((100, 50), (20, 5))]
    found = groups.gap(CUSTOMERS.assign(plan=plans[0]), staff=STAFF.assign(plan=plans[1]), by="plan")
    assert found["plan"].tolist() == ["a", None]
    assert found[["n_customers", "n_staff"]].values.tolist() == [[50, 15], [50, 5]]


def test_sides_that_all_agree_leave_a_width():
    found = groups.gap(scored(10, 0, 0), staff=scored(10, 0, 0)).iloc[0]
    assert found["estimate"] == 0
    assert found["low"] < 0 < found["high"]
    assert found["p_value"] == 1


def test_ratings_are_compared_question_by_question():
    table = scored(3, 3, scores=(5, 2), scale_low=1, scale_high=5)
    customers = pd.concat([table.assign(question=name) for name in ("food", "price")])
    found = groups.gap(customers, staff=table.assign(question="food"), measure="ratings")
    assert found[["question", "n"]].values.tolist() == [["food", 6], ["price", 0]]


# Letters

SEVEN = on_five(8, 92).assign(scale_high=7)
LETTERS = {
    "two scales": (
        lambda: groups.gap(on_five(8, 2), staff=SEVEN, measure="csat"),
        (
            "gap: the question was asked on different scales (customers: 1 to 5; staff: 1 to 7), which have no common score. "
            "Compare answers on one scale, or name one question."
        ),
    ),
    "an absent key": (
        lambda: groups.gap(CUSTOMERS.assign(plan="a"), staff=STAFF, by="plan"),
        "gap: the table has no column 'plan'.",
    ),
    "a bad score of staff": (
        lambda: groups.gap(CUSTOMERS, staff=scored(1, 1, 1, scores=(10, 8, 12))),
        (
            "gap: 1 of 3 values of 'score' are not whole numbers from 0 to 10 (row 3: 12). If one of them means 'no answer', "
            "declare it: no_answer = [12] under [tables.responses] in data/sources.toml."
        ),
    ),
    "a key that the result has": (
        lambda: groups.gap(CUSTOMERS, staff=STAFF, by="verdict"),
        "by: 'verdict' is a column of this result and cannot be a key",
    ),
    "no such score": (
        lambda: groups.gap(CUSTOMERS, staff=STAFF, measure="NPS"),
        "measure: 'NPS' is none of 'nps', 'csat', 'ces', 'ratings'",
    ),
    "a margin": (
        lambda: groups.gap(CUSTOMERS, staff=STAFF, margin=0),
        "margin: 0 is no size of a difference; it is above 0, in the unit of the score",
    ),
    "a margin of a share in percent": (
        lambda: groups.gap(on_five(8, 2), staff=on_five(8, 2), measure="csat", margin=5),
        "margin: 5 is no part of a share, which goes from 0 to 1; for five in a hundred write 0.05",
    ),
    "a level of a coin": (
        lambda: groups.gap(CUSTOMERS, staff=STAFF, level=0.5),
        "level: 0.5 is not above 0.5, and a verdict needs more than a toss of a coin; for 95 % write 0.95",
    ),
}


@pytest.mark.parametrize("name", LETTERS)
def test_an_error_is_a_letter(name):
    call, expected = LETTERS[name]
    with pytest.raises((TableError, ValueError)) as error:
        call()
    assert str(error.value) == expected
