"""What was chosen, and the classes of a score: held against statsmodels and pandas, and the coverage their intervals promise."""

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from statsmodels.stats.proportion import multinomial_proportions_confint, proportion_confint
from survey_answers import answers

from cxlib import sources, survey
from cxlib.tables import RESULT, TableError

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

few = settings(max_examples=5)
CHOSEN = ["chosen", "one_only", "n_people", "n_eff", "since", "until"]


def asked(chosen, *, choices=("price", "quality", "service"), question="why", first=0, **columns):
    """Answers of people to a question with choices: for each person what was chosen, or None where skipped."""
    rows = [
        (f"p{person}", question, choice, None if given_ is None else int(choice in given_))
        for person, given_ in enumerate(chosen, start=first)
        for choice in choices
    ]
    frame = pd.DataFrame(rows, columns=["respondent", "question", "choice", "score"]).astype({"score": "Int64"})
    return frame.assign(kind="choice", scale_low=0, scale_high=1, **columns)


def yes_no(scores, **columns):
    frame = pd.DataFrame({"score": pd.array(scores, dtype="Int64"), "question": "again", "choice": None, "kind": "choice"})
    return frame.assign(respondent=[f"q{number}" for number in range(len(scores))], scale_low=0, scale_high=1, **columns)


ONE = asked([["price"]] * 50 + [["quality"]] * 30 + [["service"]] * 20)
SEVERAL = asked([["price", "quality"]] * 40 + [["quality"]] * 30 + [[]] * 20 + [None] * 10)


@st.composite
def picks(draw):
    """Answers to a question with choices, some skipped, in two plans."""
    size = draw(st.integers(1, 25))
    chosen = draw(st.lists(st.one_of(st.none(), st.sets(st.sampled_from(["price", "quality", "service"]))), min_size=size, max_size=size))
    plans = draw(st.lists(st.sampled_from(["a", "b", None]), min_size=size, max_size=size))
    return asked(chosen).assign(plan=pd.Series(np.repeat(np.array(plans, dtype=object), 3), dtype=object).where(lambda x: x.index > 0, "a"))


# Golden


def test_where_one_is_chosen_the_intervals_are_goodmans():
    found = survey.choices(ONE)
    theirs = multinomial_proportions_confint([50, 30, 20], alpha=0.05, method="goodman")
    assert found["choice"].tolist() == ["price", "quality", "service"]
    assert found["one_only"].all()
    np.testing.assert_allclose(found[["low", "high"]], theirs, rtol=1e-12)


def test_where_several_are_chosen_each_has_wilsons_interval():
    found = survey.choices(SEVERAL)
    assert found[["choice", "n", "chosen"]].values.tolist() == [["price", 90, 40], ["quality", 90, 70], ["service", 90, 0]]
    assert not found["one_only"].any()
    theirs = [proportion_confint(chosen, 90, method="wilson") for chosen in (40, 70, 0)]
    np.testing.assert_allclose(found[["low", "high"]], theirs, rtol=1e-12, atol=1e-15)


def test_yes_or_no_is_one_share_with_wilsons_interval():
    found = survey.choices(yes_no([1] * 12 + [0] * 8 + [None] * 5)).iloc[0]
    assert (found["choice"], found["estimate"], found["n"], found["chosen"], found["one_only"]) == ("yes", 0.6, 20, 12, False)
    np.testing.assert_allclose([found["low"], found["high"]], proportion_confint(12, 20, method="wilson"), rtol=1e-12)


@pytest.mark.parametrize(
    ("measure", "scale", "scores", "counts", "names"),
    [
        ("nps", (0, 10), [10] * 7 + [8] * 2 + [3], [7, 2, 1], ["promoters", "passives", "detractors"]),
        ("csat", (1, 5), [5] * 20 + [3] * 6 + [1] * 4, [20, 6, 4], ["satisfied", "neither", "dissatisfied"]),
        ("csat", (1, 7), [6] * 20 + [5] * 6 + [2] * 4, [20, 6, 4], ["satisfied", "neither", "dissatisfied"]),
        ("ces", (1, 7), [5] * 9 + [4] * 2 + [3] * 3, [9, 2, 3], ["easy", "between", "hard"]),
        ("ces", (1, 5), [4] * 9 + [3] * 2 + [2] * 3, [9, 2, 3], ["easy", "between", "hard"]),
        ("ratings", (1, 5), [5] * 9 + [4] * 2 + [1] * 3, [9, 2, 3], ["top", "middle", "bottom"]),
    ],
)
def test_the_classes_of_each_score_have_goodmans_intervals(measure, scale, scores, counts, names):
    found = survey.classes(pd.DataFrame({"score": scores}), measure=survey.Score(measure, scale=scale))
    assert found["class"].tolist() == names
    assert found["answers"].tolist() == counts
    theirs = multinomial_proportions_confint(counts, alpha=0.05, method="goodman")
    np.testing.assert_allclose(found[["low", "high"]], theirs, rtol=1e-12)
    np.testing.assert_allclose(found["estimate"], np.array(counts) / sum(counts))


def test_effort_where_low_is_good_is_easy_at_the_low_end():
    table = pd.DataFrame({"score": [1, 2, 2, 3, 5], "scale_low": 1, "scale_high": 5, "low_is_good": True})
    found = survey.classes(table, measure="ces").set_index("class")["answers"]
    assert found.to_dict() == {"easy": 3, "between": 1, "hard": 1}


# By pandas


@few
@given(picks())
def test_every_share_is_what_its_rows_say(table):
    found = survey.choices(table, by="plan")
    answered = table.dropna(subset="score")
    expected = table.groupby(["plan", "choice"], dropna=False)["score"].agg(["count", "sum"])
    assert len(found) == len(expected)
    for row in found.itertuples():
        n, chosen = (
            expected.loc[(row.plan, row.choice)] if pd.notna(row.plan) else expected[expected.index.isin([row.choice], level=1)].iloc[-1]
        )
        assert (row.n, row.chosen) == (n, chosen)
        assert pd.isna(row.estimate) if n == 0 else row.estimate == pytest.approx(chosen / n)
        assert n == 0 or 0 <= row.low <= row.estimate <= row.high <= 1
    groups = answered.groupby("plan", dropna=False)["score"]
    single = len(answered) > 0 and bool((groups.sum() * 3 == groups.size()).all())
    assert set(found["one_only"]) == {single}


@few
@given(answers(), st.booleans())
def test_every_class_is_what_its_rows_say(table, weighed):
    found = survey.classes(table, measure=survey.Score("nps", weight="weight" if weighed else None, cluster=None), by="plan")
    rows = table.dropna(subset="score")
    score, weight = rows["score"].astype(int), rows["weight"] if weighed else pd.Series(1.0, index=rows.index)
    for row in found.to_dict("records"):
        group = rows["plan"].isna() if pd.isna(row["plan"]) else rows["plan"] == row["plan"]
        inside = {"promoters": score >= 9, "passives": score.between(7, 8), "detractors": score <= 6}[row["class"]]
        assert (row["n"], row["answers"]) == (group.sum(), (group & inside).sum())
        if group.any():
            assert row["estimate"] == pytest.approx(weight[group & inside].sum() / weight[group].sum())
            assert row["low"] <= row["estimate"] <= row["high"]
    groups = found.groupby("plan", dropna=False)["estimate"].sum(min_count=1).dropna()
    np.testing.assert_allclose(groups, 1)


@few
@given(picks(), st.integers(0, 99))
def test_neither_the_engine_nor_the_order_of_the_rows_matters(table, seed):
    found = survey.choices(table, by="plan")
    assert_frame_equal(found, survey.choices(table.sample(frac=1, random_state=seed), by="plan"), check_exact=True)
    other = ibis.duckdb.connect().create_table("responses", table)
    assert_frame_equal(found, survey.choices(other, by="plan"), check_exact=True)


@few
@given(answers())
def test_classes_are_the_same_from_an_engine_and_widen_with_the_level(table):
    found = survey.classes(table, by="plan")
    assert_frame_equal(found, survey.classes(ibis.duckdb.connect().create_table("responses", table), by="plan"), check_exact=True)
    wider = survey.classes(table, by="plan", level=0.99)
    known = found["n"] > 0
    assert (wider["low"] <= found["low"])[known].all()
    assert (wider["high"] >= found["high"])[known].all()


def test_classes_are_the_scores_of_a_distribution_added_up():
    table = pd.DataFrame({"score": [*range(11)] * 3 + [9] * 7, "question": "q"})
    found = survey.classes(table).set_index("class")["answers"]
    each = survey.distribution(table, scale=(0, 10)).set_index("score")["answers"]
    assert found.to_dict() == {"promoters": each.loc[9:].sum(), "passives": each.loc[7:8].sum(), "detractors": each.loc[:6].sum()}


def test_what_was_chosen_is_in_no_distribution_of_scores():
    rated = pd.DataFrame({"score": [5, 1], "question": "food", "kind": "rating", "scale_low": 1, "scale_high": 5})
    found = survey.distribution(pd.concat([ONE, rated]))
    assert set(found["question"]) == {"food"}
    with pytest.raises(ValueError, match=r"^kind: 'choice' is none of 'nps', 'csat', 'ces', 'rating'$"):
        survey.distribution(ONE, kind="choice")


# Coverage


def test_the_intervals_of_one_choice_hold_all_shares_at_once_as_often_as_they_say():
    random, laws = np.random.default_rng(8), [(0.6, 0.3, 0.1), (0.4, 0.35, 0.25), (0.85, 0.1, 0.05)]
    for law in laws:
        picked = random.choice(["price", "quality", "service"], p=law, size=(400, 60))
        frames = pd.DataFrame({"sim": np.repeat(np.arange(400), 180), "choice": np.tile(["price", "quality", "service"], 24_000)})
        table = frames.assign(score=(np.repeat(picked.ravel(), 3) == frames["choice"]).astype(int))
        found = survey.choices(table, by="sim")
        assert found["one_only"].all()
        truth = found["choice"].map(dict(zip(["price", "quality", "service"], law, strict=True)))
        holds = ((found["low"] <= truth) & (truth <= found["high"])).groupby(found["sim"]).all()
        assert 0.92 <= holds.mean() <= 0.99


def test_people_who_answer_again_and_again_do_not_narrow_the_interval():
    once = yes_no([1] * 30 + [0] * 20)
    table = pd.concat([once] * 6, ignore_index=True)
    single, again, apart = (survey.choices(each).iloc[0] for each in (once, table, table.assign(respondent=range(300))))
    assert (again["n"], again["n_people"], apart["n_people"]) == (300, 50, 300)
    assert again["high"] - again["low"] >= single["high"] - single["low"]
    assert again["high"] - again["low"] > 2 * (apart["high"] - apart["low"])
    assert survey.choices(table, cluster=None).loc[0, "high"] == apart["high"]


def test_people_who_answer_again_are_worth_less_in_each_class():
    table = pd.DataFrame({"score": [10] * 40 + [8] * 20 + [2] * 20, "respondent": [f"p{number // 4}" for number in range(80)]})
    known, apart = survey.classes(table), survey.classes(table, measure=survey.Score("nps", cluster=None))
    assert (known["n_eff"] < 30).all()
    assert ((known["high"] - known["low"]) > 1.5 * (apart["high"] - apart["low"])).all()


# Edges


def test_a_result_has_its_shape():
    found = survey.choices(pd.concat([ONE, yes_no([1, 0])]).assign(plan="x"), by="plan")
    assert list(found.columns) == ["plan", "question", "choice", *RESULT, *CHOSEN]
    assert found[["question", "choice"]].values.tolist() == [["again", "yes"], ["why", "price"], ["why", "quality"], ["why", "service"]]
    none = survey.choices(ONE.assign(plan="x", kind="nps"), by="plan")
    assert list(none.columns) == list(found.columns)
    assert none.dtypes[CHOSEN].tolist() == found.dtypes[CHOSEN].tolist()
    assert none.attrs["reason"] == "Nobody was asked a question with choices, or one with yes and no."


def test_a_question_that_everybody_skipped_stays_without_a_share():
    found = survey.choices(asked([None, None]))
    assert found["n"].tolist() == [0, 0, 0]
    assert found[["estimate", "low", "high"]].isna().all(axis=None)
    assert not found["one_only"].any()


def test_what_looks_like_one_choice_in_one_group_alone_is_not_taken_for_it():
    table = pd.concat([asked([["price"]] * 9, plan="a"), asked([["price", "quality"]] * 9, first=9, plan="b")])
    assert not survey.choices(table, by="plan")["one_only"].any()


def test_a_choice_that_was_offered_later_has_a_base_of_its_own():
    table = pd.concat([asked([["price"]] * 6, choices=("price", "quality")), asked([["service"]] * 4, first=6)])
    found = survey.choices(table).set_index("choice")
    assert found["n"].to_dict() == {"price": 10, "quality": 10, "service": 4}
    assert not found["one_only"].any()


def test_everybody_who_chose_alike_leaves_a_width():
    found = survey.choices(yes_no([1] * 5)).iloc[0]
    assert found["estimate"] == found["high"] == 1
    assert 0.5 < found["low"] < 0.6


def test_a_class_that_nobody_is_in_stays():
    found = survey.classes(pd.DataFrame({"score": [10, 9, 9]})).set_index("class")
    assert found.loc["detractors", ["estimate", "answers"]].tolist() == [0, 0]
    assert found.loc["detractors", "high"] > 0.5


def test_ratings_have_classes_by_question():
    table = pd.DataFrame({"score": [5, 1, 3, 5], "question": ["food", "food", "staff", "staff"]})
    found = survey.classes(table, measure=survey.Score("ratings", scale=(1, 5)))
    assert found["question"].tolist() == ["food"] * 3 + ["staff"] * 3
    assert found["answers"].tolist() == [1, 0, 1, 1, 1, 0]


def test_the_choices_of_a_workbook_are_read_as_they_were_declared(tmp_path):
    (tmp_path / "a.csv").write_text(
        "ID,Why,Way,Again\n1,Price;Quality,Web,Yes\n2,Price,Shop,No\n3,,Web,Yes\n4,Quality,Web,\n", encoding="utf-8"
    )
    (tmp_path / "sources.toml").write_text(
        '[tables.responses]\nfiles = "a.csv"\ncolumns = { respondent = "ID" }\n'
        '[questions.why]\nkind = "choice"\ncolumn = "Why"\nchoices = ["Price", "Quality"]\nchoices_separated_by = ";"\n'
        '[questions.way]\nkind = "choice"\ncolumn = "Way"\nchoices = ["Web", "Shop"]\n'
        '[questions.again]\nkind = "choice"\ncolumn = "Again"\nvalues = { Yes = 1, No = 0 }\n',
        encoding="utf-8",
    )
    found = survey.choices(sources.read(tmp_path / "sources.toml", as_of="2026-06-30").responses)
    assert found[["question", "choice", "n", "chosen", "one_only"]].values.tolist() == [
        ["again", "yes", 3, 2, False],
        ["way", "Shop", 4, 1, True],
        ["way", "Web", 4, 3, True],
        ["why", "Price", 3, 2, False],
        ["why", "Quality", 3, 2, False],
    ]


# Letters

LETTERS = {
    "a score that is no choice": (
        lambda: survey.choices(ONE.assign(score=ONE["score"].where(ONE.index > 0, 2))),
        (
            "choices: 1 of 300 values of 'score' are not whole numbers from 0 to 1 (row 1: 2). If one of them means 'no answer', "
            "declare it: no_answer = [2] under [tables.responses] in data/sources.toml."
        ),
    ),
    "a scale": (
        lambda: survey.choices(ONE.assign(scale_high=5)),
        "choices: these answers are on a scale of 0 to 5; choices is known on 0 to 1. Use ratings for any other scale.",
    ),
    "a misspelt question": (
        lambda: survey.choices(ONE, question="whi"),
        "choices: there is no question 'whi'. Did you mean 'why'?",
    ),
    "a key that the result has": (lambda: survey.choices(ONE, by="choice"), "by: 'choice' is a column of this result and cannot be a key"),
    "a level": (lambda: survey.choices(ONE, level=95), "level: 95 is not between 0 and 1; for 95 % write 0.95"),
    "no such score": (lambda: survey.classes(ONE, measure="NPS"), "measure: 'NPS' is none of 'nps', 'csat', 'ces', 'ratings'"),
    "a class as key": (lambda: survey.classes(ONE, by="class"), "by: 'class' is a column of this result and cannot be a key"),
}


@pytest.mark.parametrize("name", LETTERS)
def test_an_error_is_a_letter(name):
    call, expected = LETTERS[name]
    with pytest.raises((TableError, ValueError)) as error:
        call()
    assert str(error.value) == expected
