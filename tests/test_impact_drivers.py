"""Drivers of a score: what stands beside what, what is missing, and what may be claimed of importance, order and role."""

import datetime as dt
import importlib.util
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from cxlib import impact, survey
from cxlib.stats import drivers as stats
from cxlib.tables import RESULT, TableError

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

few = settings(max_examples=3)
PARTS = ["delivery", "staff", "store"]
COLUMNS = [
    "outcome", "noise_floor", "above_noise", "rank", "rank_low", "rank_high", "johnson", "performance", "performance_low",
    "performance_high", "reward", "reward_low", "reward_high", "penalty", "penalty_low", "penalty_high", "asymmetry",
    "asymmetry_low", "asymmetry_high", "role", "priority", "missing", "n_people", "r_squared", "equal_part",
    "performance_of_all", "scale_low", "scale_high", "outcome_low", "outcome_high", "since", "until",
]  # fmt: skip


def wide(n=300, *, worth=(1.0, 0.5, 0.0), seed=1, parts=PARTS, bend=None):
    """A person a row: the rating of each part, and the score that they make, with some chance. ``bend`` makes it of the ratings."""
    rng = np.random.default_rng(seed)
    ratings = rng.choice([1, 2, 3, 4, 5], p=[0.08, 0.12, 0.2, 0.3, 0.3], size=(n, len(worth)))
    made = ratings @ worth if bend is None else bend(ratings)
    score = np.clip(np.round(made - made.mean() + 7 + rng.normal(0, 1, n)), 0, 10)
    return pd.DataFrame(ratings, columns=parts[: len(worth)]).assign(recommend=score, respondent=[f"p{row:05}" for row in range(n)])


def answers(people, *, gone=None, **columns):
    """One row an answer, as the workbook hands them out; ``gone`` says which ratings were not given."""
    parts = [name for name in people.columns if name not in {"recommend", "respondent", "wave", *columns.get("keep", ())}]
    if gone is not None:
        people = people.assign(**{part: people[part].mask(gone[:, place]) for place, part in enumerate(parts)})
    kept = [name for name in people.columns if name not in {*parts, "recommend"}]
    rows = people.melt(id_vars=kept, value_vars=["recommend", *parts], var_name="question", value_name="score")
    score = rows["question"] == "recommend"
    rows = rows.assign(kind=np.where(score, "nps", "rating"), scale_low=np.where(score, 0, 1), scale_high=np.where(score, 10, 5))
    rows["touchpoint"] = rows["question"].where(~score, None)
    rows["question"] = np.where(score, "recommend", "rate_" + rows["question"])
    return rows.assign(**{name: value for name, value in columns.items() if name != "keep"})


def by_hand(people, parts=PARTS):
    corr = np.corrcoef(people[["recommend", *parts]].to_numpy(dtype=float).T)
    return stats.lmg(corr[1:, 1:], corr[0, 1:])


# What stands beside what


def test_where_nothing_is_missing_the_parts_are_those_of_the_plain_correlations():
    people = wide()
    found = impact.drivers(answers(people))
    assert found["driver"].tolist() == PARTS
    assert found["estimate"].to_numpy() == pytest.approx(by_hand(people), rel=1e-9)
    assert found["r_squared"].to_numpy() == pytest.approx(by_hand(people).sum(), rel=1e-9)
    assert (found["low"] <= found["estimate"]).all()
    assert (found["estimate"] <= found["high"]).all()
    assert found["n"].tolist() == found["n_people"].tolist() == [300] * 3
    assert found["missing"].tolist() == [0] * 3


@few
@given(st.integers(0, 99))
def test_neither_the_engine_nor_the_order_of_the_rows_matters(seed):
    gone = np.random.default_rng(2).random((300, 3)) < 0.2
    table = answers(wide(), gone=gone)
    found = impact.drivers(table)
    assert_frame_equal(found, impact.drivers(table.sample(frac=1, random_state=seed)), check_exact=True)
    other = ibis.duckdb.connect().create_table("responses", table)
    assert_frame_equal(found, impact.drivers(other), check_exact=True)


def test_a_result_has_its_shape_and_an_empty_one_the_same():
    found = impact.drivers(answers(wide(), plan="a"), by="plan")
    assert list(found.columns) == ["plan", "driver", *RESULT, *COLUMNS]
    assert set(found["measure"]) == {"driver_importance"}
    assert found[["outcome", "outcome_low", "outcome_high"]].drop_duplicates().values.tolist() == [["nps", 0, 10]]
    none = impact.drivers(answers(wide(30), plan="a"), by="plan")
    assert list(none.columns) == list(found.columns)
    assert none.dtypes[COLUMNS].tolist() == found.dtypes[COLUMNS].tolist()
    assert none.attrs["reason"] == "a: No part of the experience was rated 50 times beside a score with ratings that differ."


def test_only_answers_of_one_person_and_one_wave_stand_side_by_side():
    first, second = answers(wide(seed=1), wave="2026-01"), answers(wide(seed=2), wave="2026-02")
    both = pd.concat([first, second])
    assert impact.drivers(both)["n"].tolist() == [600] * 3
    assert impact.drivers(both)["n_people"].tolist() == [300] * 3
    apart = pd.concat([first[first["kind"] == "nps"], second[second["kind"] == "rating"]])
    assert impact.drivers(apart).attrs["reason"] == "Nobody who gave a score rated a part of the experience on the same occasion."


def test_without_waves_answers_of_one_day_stand_side_by_side():
    days = [pd.Timestamp("2026-01-05 10:00"), pd.Timestamp("2026-03-01 10:00")]
    both = pd.concat([answers(wide(seed=1), time_answered=days[0]), answers(wide(seed=2), time_answered=days[1])])
    found = impact.drivers(both)
    assert found["n"].tolist() == [600] * 3
    assert found[["since", "until"]].iloc[0].tolist() == [dt.date(2026, 1, 5), dt.date(2026, 3, 1)]


def test_two_answers_to_one_question_on_one_occasion_are_refused():
    table = answers(wide(), wave="2026-01")
    with pytest.raises(TableError) as error:
        impact.drivers(pd.concat([table, table.head(2)]))
    assert str(error.value) == (
        "drivers: on 2 of 300 occasions somebody answered one question more than once, so it is not known which answers belong "
        "together. Give each occasion a name of its own in the column 'wave'."
    )


def test_who_gave_no_name_is_left_out_and_counted():
    table = answers(wide())
    table.loc[table["respondent"] == "p00000", "respondent"] = None
    found = impact.drivers(table)
    assert found["n"].tolist() == [299] * 3
    assert found.attrs["notes"][0].startswith("Of 300 answers, 299 stand beside a rating of the same person on the same occasion;")


# What is missing


def test_ratings_that_are_missing_leave_nobody_out_and_are_said():
    gone = np.zeros((300, 3), dtype=bool)
    gone[:60, 2], gone[:10, 1] = True, True
    found = impact.drivers(answers(wide(), gone=gone))
    assert found["n"].tolist() == [300, 290, 240]
    assert found["missing"].tolist() == [0, 10, 60]
    base, missing = found.attrs["notes"]
    assert base == "Of 300 answers, 300 stand beside a rating of the same person on the same occasion; these are the base."
    assert missing == (
        "Not rated beside an answer (skipped, or not applicable): store 60, staff 10. Nobody is left out for it: who did not rate a part "
        "is taken to be like those who did and agree in all they answered."
    )


def test_missing_ratings_mislead_less_than_leaving_people_out():
    """Whoever found delivery bad was not asked about staff: those who rated everything are not like the others."""
    people = wide(20_000)
    gone = np.zeros((20_000, 3), dtype=bool)
    gone[:, 1] = (people["delivery"] <= 3) & (np.arange(20_000) % 10 < 9)
    found = impact.drivers(answers(people, gone=gone))["estimate"].to_numpy()
    assert found == pytest.approx(by_hand(people), abs=0.015)
    assert by_hand(people[~gone.any(axis=1)])[0] < by_hand(people)[0] - 0.1


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda people: people.assign(store=4), "store is not compared: everybody rated it alike."),
        (
            lambda people: people.assign(store=people["store"].where(np.arange(300) < 49)),
            "store is not compared: fewer than 50 ratings beside a score.",
        ),
        (
            lambda people: people.assign(
                store=people["store"].where(np.arange(300) < 140), staff=people["staff"].where(np.arange(300) >= 100)
            ),
            "store is not compared: rated together with another fewer than 50 times.",
        ),
    ],
)
def test_what_cannot_be_compared_keeps_its_row_and_says_why(spoil, said):
    found = impact.drivers(answers(spoil(wide()))).set_index("driver")
    assert found.attrs["notes"][-1] == said
    assert found.loc["store", ["estimate", "low", "high", "rank", "role", "priority", "above_noise"]].isna().all()
    assert found.loc[["delivery", "staff"], "estimate"].notna().all()
    assert found.loc["store", "performance"] > 0


def test_too_few_people_for_so_many_parts_are_refused():
    found = impact.drivers(answers(wide(59)))
    assert found.empty
    assert found.attrs["reason"] == "59 people are too few to tell 3 parts of the experience apart; it takes 60."
    assert len(impact.drivers(answers(wide(60)))) == 3


def test_one_score_for_all_explains_nothing():
    found = impact.drivers(answers(wide().assign(recommend=9)))
    assert found.attrs["reason"] == "Everybody gave the same score, so there is nothing to explain."


def test_more_parts_than_can_be_told_apart_are_refused_in_a_sentence():
    names = [f"part {number:02}" for number in range(16)]
    found = impact.drivers(answers(wide(400, worth=[1.0] * 16, parts=names)))
    assert found.attrs["reason"] == "16 parts of the experience were rated, and at most 15 can be told apart: leave some out."


def test_a_table_without_ratings_or_without_scores_has_a_reason():
    table = answers(wide())
    assert impact.drivers(table[table["kind"] == "nps"]).attrs["reason"] == "Nobody was asked for a rating."
    assert impact.drivers(table[table["kind"] == "rating"]).attrs["reason"] == "Nobody was asked how likely they are to recommend."


def test_a_group_that_is_too_small_keeps_its_rows_and_says_why():
    people = wide(340)
    people["plan"] = np.where(np.arange(340) < 300, "paid", "free")
    found = impact.drivers(answers(people, keep=["plan"]), by="plan")
    assert found["plan"].tolist() == ["free"] * 3 + ["paid"] * 3
    assert found["estimate"].isna().tolist() == [True] * 3 + [False] * 3
    assert found.attrs["notes"][-1] == "free: No part of the experience was rated 50 times beside a score with ratings that differ."
    assert found[found["plan"] == "paid"]["estimate"].to_numpy() == pytest.approx(by_hand(people.head(300)), rel=1e-9)


# What may be claimed


def test_what_matters_is_above_the_noise_in_its_order_and_chance_is_not():
    found = impact.drivers(answers(wide(500))).set_index("driver")
    assert found["above_noise"].tolist() == [True, True, False]
    assert found["rank"].tolist() == [1, 2, 3]
    assert found.loc["store", "low"] == 0


def test_an_order_that_is_not_settled_is_not_claimed():
    found = impact.drivers(answers(wide(300, worth=(0.7, 0.7, 0.0)))).set_index("driver")
    assert found["rank"].isna().tolist() == [True, True, False]
    assert found.loc[["delivery", "staff"], ["rank_low", "rank_high"]].to_numpy().tolist() == [[1, 2], [1, 2]]


def test_a_part_asked_twice_shares_what_it_explains():
    people = wide(300)
    people["store"] = people["delivery"]
    found = impact.drivers(answers(people)).set_index("driver")
    assert found.loc["store", "estimate"] == pytest.approx(found.loc["delivery", "estimate"], abs=1e-6)
    assert found.loc["store", "johnson"] == pytest.approx(found.loc["delivery", "johnson"], abs=1e-6)


def test_people_who_answer_again_say_less_than_as_many_others():
    people = wide(150)
    again = pd.concat([answers(people, wave=wave) for wave in ("1", "2", "3")])
    whole, blind = impact.drivers(again), impact.drivers(again, outcome=survey.Score("nps", cluster=None))
    once = impact.drivers(answers(people))
    assert whole["estimate"].to_numpy() == pytest.approx(once["estimate"].to_numpy(), rel=1e-6)
    assert ((whole["high"] - whole["low"]) / (once["high"] - once["low"]))[:2].to_numpy() == pytest.approx(1, abs=0.1)
    assert whole["noise_floor"].to_numpy() == pytest.approx(once["noise_floor"].to_numpy(), rel=1e-6)
    assert ((blind["high"] - blind["low"]) < 0.7 * (whole["high"] - whole["low"]))[:2].all()


def test_a_weight_counts_as_so_many_people():
    people = wide(200).assign(weight=np.arange(200) % 3 + 1.0)
    found = impact.drivers(answers(people, keep=["weight"]), outcome=survey.Score("nps", weight="weight"))
    assert set(found["measure"]) == {"driver_importance_weighted"}
    assert found["estimate"].to_numpy() == pytest.approx(by_hand(people.loc[people.index.repeat(people["weight"].astype(int))]), rel=1e-6)
    assert found["n"].tolist() == [200] * 3
    assert (found["noise_floor"] > impact.drivers(answers(people, keep=["weight"]))["noise_floor"]).all()


# Reward and penalty


def test_reward_and_penalty_are_those_of_a_regression_on_the_boxes():
    people = wide(400)
    boxes = []
    for part in PARTS:
        rating = people[part]
        middle = rating[rating.between(3, 4)].mean()
        boxes += [(rating == 5) * (5 - middle), (rating <= 2) * (middle - rating[rating <= 2].mean())]
    design = np.column_stack([np.ones(400), *boxes])
    slopes = np.linalg.lstsq(design, people["recommend"].to_numpy(), rcond=None)[0]
    found = impact.drivers(answers(people))
    assert found["reward"].to_numpy() == pytest.approx(slopes[1::2], rel=1e-7)
    assert found["penalty"].to_numpy() == pytest.approx(slopes[2::2], rel=1e-7)
    size = np.abs(slopes[1:])
    assert found["asymmetry"].to_numpy() == pytest.approx((size[::2] - size[1::2]) / (size[::2] + size[1::2]), rel=1e-7)


def test_a_part_that_only_costs_is_basic_and_one_that_only_brings_is_a_delight():
    def bend(ratings):
        return np.minimum(ratings[:, 0], 3) * 1.2 + np.maximum(ratings[:, 1], 4) * 2.0 + ratings[:, 2] * 0.0

    found = impact.drivers(answers(wide(1500, bend=bend))).set_index("driver")
    assert found["role"].tolist()[:2] == ["basic", "delight"]
    assert found.loc["delivery", "penalty_high"] < 0 < found.loc["staff", "reward_low"]


def test_a_straight_line_is_neither():
    found = impact.drivers(answers(wide(4000))).set_index("driver")
    assert found.loc["delivery", "role"] == "performance"
    assert found.loc["delivery", "asymmetry_low"] < found.loc["delivery", "asymmetry"] < found.loc["delivery", "asymmetry_high"]


def test_a_scale_without_a_middle_has_no_boxes():
    people = wide(300)
    people["store"] = people["store"].clip(1, 2)
    table = answers(people)
    table.loc[table["touchpoint"] == "store", "scale_high"] = 2
    found = impact.drivers(table).set_index("driver")
    assert found.loc["store", ["reward", "penalty", "asymmetry"]].isna().all()
    assert found.loc["store", "role"] == "not clear"
    assert found.loc["store", "estimate"] >= 0


# Other scores


def test_effort_is_turned_so_that_reward_is_always_good():
    people = wide(400)
    table = answers(people)
    effort = table["kind"] == "nps"
    table.loc[effort, "score"] = np.ceil((11 - table.loc[effort, "score"]) / 2.2).clip(1, 5)
    table = table.assign(
        kind=np.where(effort, "ces", "rating"),
        low_is_good=effort,
        scale_low=1,
        scale_high=5,
    )
    found = impact.drivers(table, outcome="ces").set_index("driver")
    assert found.loc["delivery", "reward"] > 0 > found.loc["delivery", "penalty"]
    assert set(found["outcome"]) == {"ces"}


def test_a_rating_may_be_explained_by_the_others():
    found = impact.drivers(answers(wide()), outcome=survey.Score("ratings", question="rate_delivery"))
    assert found["driver"].tolist() == ["staff", "store"]


def test_parts_are_called_by_touchpoint_where_it_has_one_question_and_by_question_where_it_has_more():
    table = answers(wide())
    table.loc[table["touchpoint"] == "store", "touchpoint"] = "staff"
    assert impact.drivers(table)["driver"].tolist() == ["delivery", "rate_staff", "rate_store"]
    assert impact.drivers(table.drop(columns="touchpoint"))["driver"].tolist() == ["rate_delivery", "rate_staff", "rate_store"]
    assert impact.drivers(table.assign(touchpoint=None))["driver"].tolist() == ["rate_delivery", "rate_staff", "rate_store"]


def test_performance_is_the_mean_that_ratings_have():
    table = answers(wide())
    found, means = impact.drivers(table), survey.ratings(table, by="touchpoint")
    assert found[["performance", "performance_low", "performance_high"]].to_numpy() == pytest.approx(
        means[["estimate", "low", "high"]].to_numpy()
    )


def test_what_is_important_and_rated_low_is_to_be_raised_first():
    people = wide(500)
    people["staff"] = (people["staff"] + 1).clip(1, 5)
    people["store"] = (people["store"] + 1).clip(1, 5)
    found = impact.drivers(answers(people)).set_index("driver")
    assert found["priority"].tolist() == ["raise first", "leave", "leave"]


# The sample company


@pytest.mark.parametrize("seed", [101, 102])
def test_the_drivers_of_a_company_whose_truth_is_known_are_found(seed):
    """Two of the twenty companies of tests/benchmarks/drivers.py; the truth is that of a very large one."""
    spec = importlib.util.spec_from_file_location("benchmark", Path(__file__).parent / "benchmarks" / "drivers.py")
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    found = impact.drivers(benchmark.company(1500, seed)).set_index("driver")
    true = pd.Series(benchmark.TRUTH["nps"])
    held = (found["low"] <= true[found.index]) & (true[found.index] <= found["high"])
    assert held.sum() >= 4
    assert found["estimate"].idxmax() == "delivery"
    assert not found.loc["store", "above_noise"]


# Letters


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"outcome": "loyalty"}, "outcome: 'loyalty' is none of 'nps', 'csat', 'ces', 'ratings'"),
        ({"by": "touchpoint"}, "by: 'touchpoint' tells the drivers apart and cannot be a key"),
        ({"by": "driver"}, "by: 'driver' is a column of this result and cannot be a key"),
        ({"level": 2}, "level: 2 is not between 0 and 1; for 95 % write 0.95"),
    ],
)
def test_an_argument_that_cannot_be_is_refused(call, said):
    with pytest.raises(ValueError, match=r"\w") as error:
        impact.drivers(answers(wide(60)), **call)
    assert str(error.value) == said


@pytest.mark.parametrize("name", ["respondent", "kind", "question", "score", "scale_low"])
def test_a_column_that_is_needed_is_asked_for(name):
    with pytest.raises(TableError) as error:
        impact.drivers(answers(wide(60)).drop(columns=name))
    assert str(error.value).startswith(f"drivers: the table has no column '{name}'.")


def test_ratings_of_which_low_is_good_are_refused():
    table = answers(wide(60))
    with pytest.raises(TableError) as error:
        impact.drivers(table.assign(low_is_good=table["touchpoint"] == "store"))
    assert str(error.value) == ("drivers: some ratings are declared with low as good. Turn them first, so that high is good in all.")
