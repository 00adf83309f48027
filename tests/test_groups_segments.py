"""Each group against the rest: as two waves made by hand compare, how often it is wrong, and what is said where there is no rest."""

import datetime as dt
import re

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from survey_answers import answers

from cxlib import groups, survey
from cxlib.stats import movement as stats
from cxlib.stats.pooling import pooled
from cxlib.tables import RESULT, TableError

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

few = settings(max_examples=3)
COLUMNS = [
    "p_value", "p_corrected", "verdict", "better", "margin", "smallest_detectable", "score", "score_low", "score_high",
    "score_rest", "n_rest", "n_both", "pooled", "pooled_low", "pooled_high", "scale_low", "scale_high", "since", "until",
]  # fmt: skip
APART = {"a": [10] * 60 + [8] * 30 + [3] * 20, "b": [10] * 20 + [8] * 30 + [3] * 60, "c": [10] * 30 + [8] * 30 + [3] * 30}


def of_plans(scores, **columns):
    """Answers of plans: ``{"free": [9, 10], "paid": [3]}``."""
    rows = [(plan, score) for plan, each in scores.items() for score in each]
    return pd.DataFrame(rows, columns=["plan", "score"]).assign(**columns)


def held_against_two_waves(table, found, keys, measure):
    """Every row of a result, as a movement between two waves has it: those who are not in the group, and those who are."""
    for row in found.to_dict("records"):
        inside = np.ones(len(table), dtype=bool)
        for key in keys:
            inside &= (table[key].isna() if pd.isna(row[key]) else table[key] == row[key]).to_numpy(dtype=bool)
        waves = table.assign(wave=np.where(inside, "group", "rest"))
        answered = waves.dropna(subset="score").groupby("wave").size()
        assert (row["n"], row["n_rest"]) == (answered.get("group", 0), answered.get("rest", 0))
        if not (row["n"] and row["n_rest"]):
            assert np.isnan([row[name] for name in ("estimate", "low", "high", "p_value")]).all()
            assert row["verdict"] == "cannot tell yet"
            continue
        move = survey.movement(waves, measure=measure, between=("rest", "group")).iloc[0]
        for ours, theirs in (
            *[(name, name) for name in ("estimate", "low", "high", "p_value", "smallest_detectable")],
            ("score", "estimate_after"),
            ("score_rest", "estimate_before"),
        ):
            assert row[ours] == pytest.approx(move[theirs], rel=1e-7, abs=1e-7)
        assert pd.isna(row["n_both"]) == pd.isna(move["n_both"])
        assert pd.isna(row["n_both"]) or row["n_both"] == move["n_both"]


# By hand


@few
@given(answers(), st.booleans(), st.booleans())
def test_every_group_and_its_rest_are_as_two_waves_compare(table, weighed, named):
    table = pd.concat([table, pd.DataFrame({"score": [3, 9], "plan": ["a", "b"], "respondent": ["p1", "p9"], "weight": [0.3, 7]})])
    table = table.assign(channel=(["web", "desk", None] * 30)[: len(table)]).reset_index(drop=True)
    table = table if named else table.drop(columns="respondent")
    for keys in (["plan"], ["plan", "channel"]):
        score = survey.Score("nps", weight="weight" if weighed else None)
        found = groups.against_rest(table, measure=score, by=keys)
        held_against_two_waves(table, found, keys, score)


def test_people_in_several_groups_are_handled_as_in_two_waves():
    random = np.random.default_rng(3)
    who = random.integers(0, 25, 240)
    table = pd.DataFrame({"respondent": [f"p{n}" for n in who], "channel": random.choice(["web", "desk", "phone", None], 240)})
    table["score"] = np.clip(np.array([3, 9, 10, 6, 8])[who % 5] + random.integers(-1, 2, 240), 0, 10)
    table.loc[::9, "respondent"] = None
    found = groups.against_rest(table, by="channel")
    held_against_two_waves(table, found, ["channel"], "nps")
    assert (found["n_both"] > 15).all()
    apart = groups.against_rest(table, by="channel", measure=survey.Score("nps", cluster=None))
    assert apart["n_both"].isna().all()


@few
@given(answers(), st.integers(0, 99))
def test_neither_the_engine_nor_the_order_of_the_rows_matters(table, seed):
    table = pd.concat([table, pd.DataFrame({"score": [3, 9], "plan": ["a", "b"], "respondent": ["p1", "p9"], "weight": [0.3, 7]})])
    score = survey.Score("nps", weight="weight")
    found = groups.against_rest(table, by="plan", margin=5, measure=score)
    assert_frame_equal(
        found, groups.against_rest(table.sample(frac=1, random_state=seed), by="plan", margin=5, measure=score), check_exact=True
    )
    other = ibis.duckdb.connect().create_table("responses", table)
    assert_frame_equal(found, groups.against_rest(other, by="plan", margin=5, measure=score), check_exact=True)


@pytest.mark.parametrize("measure", ["nps", "csat", "ces", "ratings"])
def test_the_score_of_a_group_and_its_interval_are_those_of_the_score_itself(measure):
    random = np.random.default_rng(2)
    kind, low, high = {"nps": ("nps", 0, 10), "csat": ("csat", 1, 5), "ces": ("ces", 1, 7), "ratings": ("rating", 1, 5)}[measure]
    table = pd.DataFrame({"plan": list("abc") * 40, "kind": kind, "question": "q", "scale_low": low, "scale_high": high})
    table = table.assign(score=random.integers(low, high + 1, 120), respondent=random.integers(0, 50, 120), low_is_good=False)
    found = groups.against_rest(table, measure=measure, by="plan")
    alone = getattr(survey, measure)(table, by="plan")
    alone = alone[alone["measure"] == alone["measure"].iloc[0]]
    assert_frame_equal(
        found[["score", "score_low", "score_high", "n"]].set_axis(["estimate", "low", "high", "n"], axis=1),
        alone[["estimate", "low", "high", "n"]].reset_index(drop=True),
    )
    assert found["measure"].unique().tolist() == [f"{alone['measure'].iloc[0]}_difference"]
    held_against_two_waves(table, found, ["plan"], measure)


def test_a_result_has_its_shape():
    found = groups.against_rest(of_plans(APART, time_answered=pd.Timestamp("2026-01-05")), by="plan")
    assert list(found.columns) == ["plan", *RESULT, *COLUMNS]
    assert found["since"].tolist() == [dt.date(2026, 1, 5)] * 3
    none = groups.against_rest(of_plans({"a": []}), by="plan")
    assert list(none.columns) == list(found.columns)
    assert none.dtypes[COLUMNS].tolist() == found.dtypes[COLUMNS].tolist()


# The rest, and not the total


def test_a_group_is_set_against_the_rest_and_never_against_the_total_that_holds_it():
    found = groups.against_rest(of_plans({"a": [10] * 50, "b": [0] * 50}), by="plan")
    assert found["estimate"].tolist() == [200, -200]
    assert found["score_rest"].tolist() == [-100, 100]


def test_answers_without_a_key_are_a_group_of_their_own_and_part_of_the_rest():
    found = groups.against_rest(of_plans({"a": [10, 10], "b": [3, 10], None: [3, 3, 3]}), by="plan")
    assert found["plan"].isna().tolist() == [False, False, True]
    assert found["n_rest"].tolist() == [5, 5, 4]
    assert found["score_rest"].tolist() == pytest.approx([-60, -20, 50])
    assert "Answers without a plan are a group of their own, and part of the rest of every other." in found.attrs["notes"]


def test_ratings_have_their_rest_among_the_answers_to_their_own_question():
    table = pd.concat(
        [
            of_plans({"a": [1, 5, 5], "b": [5, 5, 4]}, question="staff", scale_low=1, scale_high=5),
            of_plans({"a": [10, 5, 5], "b": [0, 5, 4]}, question="food", scale_low=0, scale_high=10),
            of_plans({"a": [2, 3]}, question="price", scale_low=1, scale_high=5),
        ]
    ).assign(kind="rating", low_is_good=False, respondent=["p1", "p2", "p3", "p1", "p4", "p5"] * 2 + ["p1", "p2"])
    found = groups.against_rest(table, measure="ratings", by="plan")
    assert found[["plan", "question"]].values.tolist() == [["a", "food"], ["a", "price"], ["a", "staff"], ["b", "food"], ["b", "staff"]]
    assert found["n_rest"].tolist() == [3, 0, 3, 3, 3]
    assert found["n_both"].tolist() == [1, 0, 1, 1, 1]
    for question in ("staff", "food"):
        alone = groups.against_rest(table[table["question"] == question], measure="ratings", by="plan")
        both = found[found["question"] == question]
        assert both[["estimate", "low", "high", "p_value"]].values == pytest.approx(alone[["estimate", "low", "high", "p_value"]].values)


# Verdicts


def test_who_is_above_is_better_and_who_is_below_is_worse():
    found = groups.against_rest(of_plans(APART), by="plan").set_index("plan")
    assert found["verdict"].tolist() == ["above", "below", "cannot tell yet"]
    assert found["better"].tolist() == [True, False, pd.NA]
    # One that is made for few answers is never smaller, and of many nearly the same.
    corrected = stats.benjamini_hochberg(found["p_value"])
    assert (found["p_corrected"] >= corrected).all()
    np.testing.assert_allclose(found["p_corrected"], corrected, atol=1e-6)


def test_effort_that_is_below_the_rest_is_better():
    table = of_plans({"a": [1] * 50 + [2] * 20, "b": [5] * 50 + [4] * 20}, kind="ces", scale_low=1, scale_high=5, low_is_good=True)
    found = groups.against_rest(table, measure="ces", by="plan")
    assert found[["measure", "verdict", "better"]].values.tolist() == [
        ["ces_effort_difference", "below", True],
        ["ces_effort_difference", "above", False],
    ]


def test_a_difference_within_the_declared_margin_is_none_even_if_chance_does_not_explain_it():
    scores = [10] * 10_000 + [8] * 6_000 + [3] * 4_000
    table = of_plans({"a": scores, "b": [*scores[400:], *[3] * 400]})
    open_, closed = (groups.against_rest(table, by="plan", margin=margin) for margin in (None, 8))
    assert open_["verdict"].tolist() == ["above", "below"]
    assert closed["verdict"].tolist() == ["no material difference"] * 2
    assert closed["better"].isna().all()


def test_where_no_group_differs_few_tables_name_one():
    random, sizes = np.random.default_rng(11), [8, 20, 40, 80, 200, 600]
    plan, false = np.repeat(list("abcdef"), sizes), 0
    shares = np.array([*[0.03] * 7, 0.14, 0.15, 0.2, 0.3])
    for _ in range(60):
        table = pd.DataFrame({"plan": plan, "score": random.choice(11, len(plan), p=shares / shares.sum())})
        false += groups.against_rest(table, by="plan")["verdict"].isin(["above", "below"]).any()
    # One in twenty is three of them.
    assert false <= 7


def test_where_no_group_of_five_differs_few_tables_name_one():
    """Four hundred questions, answered by twelve groups of five, mostly at both ends: by their own variances .19 of them name one."""
    random, tables = np.random.default_rng(17), 400
    score = random.choice([1, 2, 3, 4, 5], (tables * 60), p=np.array([5, 1, 1, 1, 5]) / 13)
    table = pd.DataFrame({"question": np.repeat(np.arange(tables).astype(str), 60), "plan": np.tile(np.repeat(np.arange(12), 5), tables)})
    table = table.assign(score=score, kind="rating", scale_low=1, scale_high=5, low_is_good=False)
    found = groups.against_rest(table, measure="ratings", by="plan")
    corrected = found.groupby("question")["p_value"].transform(lambda each: stats.benjamini_hochberg(each.to_numpy()))
    assert (corrected < 0.05).groupby(found["question"]).any().mean() <= 0.05
    assert ((found["low"] <= 0) & (found["high"] >= 0)).mean() == pytest.approx(0.96, abs=0.015)


def test_a_rare_answer_of_a_small_group_is_judged_by_a_p_value_made_for_few():
    table = of_plans(
        {"many": [1] * 9 + [5] * 291, "few": [1, 5, 5]}, kind="csat", question="q", scale_low=1, scale_high=5, low_is_good=False
    )
    found = groups.against_rest(table, measure="csat", by="plan")
    assert (found["p_value"] < 0.02).all()
    expected = stats.benjamini_hochberg(np.concatenate([stats.share_few([[291, 9]], [[2, 1]]), stats.share_few([[2, 1]], [[291, 9]])]))
    np.testing.assert_allclose(found["p_corrected"], expected, rtol=1e-6)


# Pooled scores


def test_the_pooled_score_is_drawn_to_the_mean_by_what_is_not_known_of_the_group():
    random = np.random.default_rng(8)
    sizes = [6, 15, 40, 100, 300, 3]
    table = of_plans({name: random.integers(0, 11, size).tolist() for name, size in zip("abcdef", sizes, strict=True)})
    found = groups.against_rest(table, by="plan")
    value = (table["score"] >= 9) * 1.0 - (table["score"] <= 6)
    means = value.groupby(table["plan"]).mean()
    by_hand = pooled(means, value.var(ddof=0) / np.array(sizes), level=0.95, learn=[True] * 5 + [False])
    np.testing.assert_allclose(found["pooled"], 100 * by_hand.estimate)
    np.testing.assert_allclose(found["pooled_low"], np.clip(100 * by_hand.low, -100, 100))
    np.testing.assert_allclose(found["pooled_high"], np.clip(100 * by_hand.high, -100, 100))


def test_three_groups_are_not_pooled_and_it_is_said():
    found = groups.against_rest(of_plans(APART), by="plan")
    assert found[["pooled", "pooled_low", "pooled_high"]].isna().all(axis=None)
    assert found.attrs["notes"] == [
        "Nobody is named, so every answer is taken to be another person's.",
        "By plan nothing is pooled: that takes 4 groups of 5 answers that do not all agree.",
    ]


# What is not there


NOTHING = {
    "no answers": (of_plans({"a": []}), {}, "Nobody was asked how likely they are to recommend."),
    "one group": (of_plans({"a": [9, 3]}), {}, "All answers are of one plan, so there is no rest to compare it with."),
    "one group with answers": (
        of_plans({"a": [9, 3], "b": [None]}),
        {},
        "All answers are of one plan, so there is no rest to compare it with.",
    ),
    "one crossing": (
        of_plans({"a": [9, 3]}, channel="web"),
        {"by": ["plan", "channel"]},
        "All answers are of one plan and channel, so there is no rest to compare it with.",
    ),
    "skipped": (of_plans({"a": [None], "b": [None]}), {}, "Nobody answered, so there is nothing to compare."),
    "no plan": (of_plans({None: [9, 3]}), {}, "No answer has a plan."),
}


@pytest.mark.parametrize(("table", "more", "reason"), NOTHING.values(), ids=NOTHING)
def test_without_a_rest_the_result_has_no_rows_and_says_why(table, more, reason):
    found = groups.against_rest(table.astype({"score": float}), **{"by": "plan", **more})
    assert len(found) == 0
    assert found.attrs["reason"] == reason


def test_a_group_that_skipped_stays_without_a_number():
    found = groups.against_rest(of_plans({"a": [9.0, 3], "b": [10.0], "c": [None, None]}), by="plan")
    assert found["n"].tolist() == [2, 1, 0]
    assert found["n_rest"].tolist() == [1, 2, 3]
    assert found["estimate"].isna().tolist() == [False, False, True]
    assert found["verdict"].iloc[2] == "cannot tell yet"
    assert found.attrs["together"] == 2, "without a rest or an answer nothing is tested"


ARGUMENTS = {
    "measure": ({"measure": "NPS"}, "measure: 'NPS' is none of 'nps', 'csat', 'ces', 'ratings'"),
    "level": ({"level": 0.5}, "level: 0.5 is not above 0.5, and a verdict needs more than a toss of a coin; for 95 % write 0.95"),
    "margin": ({"margin": 0}, "margin: 0 is no size of a difference; it is above 0, in the unit of the score"),
    "margin of a share": (
        {"measure": survey.Score("csat", scale=(1, 5)), "margin": 5},
        "margin: 5 is no part of a share, which goes from 0 to 1; for five in a hundred write 0.05",
    ),
    "no columns": ({"by": ()}, 'by: name at least one column that makes groups, such as by="segment"'),
    "only the question": (
        {"measure": survey.Score("ratings", scale=(1, 5)), "by": "question"},
        'by: name at least one column that makes groups, such as by="segment"',
    ),
    "a column of the result": ({"by": "score_rest"}, "by: 'score_rest' is a column of this result and cannot be a key"),
}


@pytest.mark.parametrize(("more", "message"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_an_argument_that_means_nothing_is_refused_in_words(more, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        groups.against_rest(of_plans({"a": [5, 4], "b": [3, 1]}), **{"by": "plan", **more})


def test_groups_on_different_scales_are_refused_in_words():
    table = of_plans({"a": [5, 4], "b": [3, 7]}, kind="csat", scale_low=1).assign(scale_high=[5, 5, 7, 7])
    with pytest.raises(TableError) as error:
        groups.against_rest(table, measure="csat", by="plan")
    assert str(error.value) == (
        "against_rest: the groups were asked on different scales (1 to 5 and 1 to 7). Answers on different scales have no common "
        "score: compare groups of one scale, or name one question."
    )
    with pytest.raises(TableError, match=r"^against_rest: the table has no column 'plam'. Did you mean 'plan'\?$"):
        groups.against_rest(table, measure="csat", by="plam")


def two_breakdowns():
    """Two plans that differ much, and six regions drawn without regard to anything."""
    frame = of_plans(APART)
    region = np.random.default_rng(4).choice(list("nsewcm"), len(frame))
    return frame.assign(region=region)


def test_the_groups_of_all_breakdowns_are_corrected_together():
    frame = two_breakdowns()
    alone = [groups.against_rest(frame, by=name) for name in ("plan", "region")]
    found = groups.breakdowns(frame, columns=["plan", "region"])
    judged = []
    for name, each in zip(("plan", "region"), alone, strict=True):
        classed = pd.crosstab(
            frame[name], np.select([frame["score"] >= 9, frame["score"] <= 6], ["a promoter", "c detractor"], "b passive")
        )
        rest = classed.sum().to_numpy() - classed
        few = pd.Series(stats.net_few(rest.to_numpy(), classed.to_numpy()), index=classed.index)
        judged.append(np.maximum(each["p_value"], each[name].map(few)))
    together = stats.benjamini_hochberg(np.concatenate(judged))
    assert np.concatenate([each["p_corrected"] for each in found]).tolist() == pytest.approx(together.tolist())
    for one, each in zip(alone, found, strict=True):
        assert_frame_equal(one.drop(columns=["p_corrected", "verdict", "better"]), each.drop(columns=["p_corrected", "verdict", "better"]))
    assert found[0]["verdict"].tolist() == ["above", "below", "cannot tell yet"]
    assert [each.attrs["together"] for each in found] == [9, 9]
    assert [each.attrs["together"] for each in alone] == [3, 6]


def test_a_breakdown_that_no_answer_has_says_so_and_the_others_stand():
    by_plan, by_persona = groups.breakdowns(two_breakdowns().assign(persona=None), columns=["plan", "persona"])
    assert len(by_plan) == 3
    assert by_persona.attrs["reason"] == "No answer has a persona."
    assert list(by_persona.columns) == ["persona", *by_plan.columns[1:]]


def test_where_nothing_differs_few_reports_of_six_breakdowns_name_a_group():
    rng = np.random.default_rng(11)
    named = 0
    for _ in range(60):
        frame = pd.DataFrame({f"c{place}": rng.integers(0, 4, 400) for place in range(6)})
        frame["score"] = rng.choice([10, 8, 3], 400)
        found = groups.breakdowns(frame, columns=[f"c{place}" for place in range(6)])
        named += any(each["verdict"].isin(["above", "below"]).any() for each in found)
    # Declared: 5 in 100, that is 3 of 60; 9 or more would come about once in 300 times.
    assert named <= 8


@pytest.mark.parametrize("columns", [[], ["plan", "plan"]])
def test_breakdowns_without_a_column_or_with_one_twice_are_refused_in_words(columns):
    with pytest.raises(ValueError, match=r"^columns: name at least one column that makes groups, and each once, such as"):
        groups.breakdowns(two_breakdowns(), columns=columns)
