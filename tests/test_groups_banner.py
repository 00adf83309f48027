"""The banner: every two columns as two waves compare, letters as other software has them, and what is not tested."""

import re
from itertools import combinations

import ibis
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

from cxlib import groups, survey
from cxlib.groups.banner import _letter
from cxlib.tables import RESULT, TableError

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

KEYS = ["breakdown", "group", "letter", "row"]
COLUMNS = ["higher_than", "p_corrected", "tested", "answers", "n_eff", "since", "until"]
CLASSES = {"promoters": (9, 10), "passives": (7, 8), "detractors": (0, 6)}


def asked(size=600, seed=1):
    """Answers of people who answer again and again, by plan and by channel."""
    random = np.random.default_rng(seed)
    who = random.integers(0, 200, size)
    plan = np.array(["free", "paid", "trial"])[who % 3]
    shift = np.select([plan == "free", plan == "paid"], [-3, 2])
    frame = pd.DataFrame({"respondent": who, "plan": plan, "channel": random.choice(["desk", "phone", "web", None], size)})
    return frame.assign(score=np.clip(random.integers(3, 11, size) + shift + who % 5 - 2, 0, 10))


def cell(found, **keys):
    (row,) = found[np.logical_and.reduce([found[key] == value for key, value in keys.items()])].to_dict("records")
    return row


def split(table, key):
    return [table[key].isna() if pd.isna(value) else table[key] == value for value in [*sorted(table[key].dropna().unique()), None]][
        : table[key].nunique(dropna=False)
    ]


def by_hand(table, keys):
    """The p-value and the difference of every two columns in every row: a movement between two waves, classes as a share of fives."""
    tests = {}
    for key in keys:
        for (one, inside), (other, outside) in combinations(enumerate(split(table, key)), 2):
            pair = table[inside | outside].assign(wave=np.where(inside[inside | outside], "one", "other"))
            for row in [*CLASSES, "nps"]:
                recoded = pair if row == "nps" else pair.assign(score=np.where(pair["score"].between(*CLASSES[row]), 5, 1))
                score = survey.Score("nps") if row == "nps" else survey.Score("csat", scale=(1, 5))
                move = survey.movement(recoded, measure=score, between=("one", "other")).iloc[0]
                tests[key, row, "ABCD"[one], "ABCD"[other]] = (move["estimate"], move["p_value"])
    return tests


def test_every_letter_is_that_of_two_waves_corrected_together():
    table = asked(1000)
    table = table[~table["channel"].isin(["phone", "web"])].reset_index(drop=True)
    found = groups.banner(table, by=["plan", "channel"])
    tests = by_hand(table, ["plan", "channel"])
    corrected = multipletests([p for _, p in tests.values()], method="fdr_bh")[1]
    letters, least = {}, {}
    for ((key, row, one, other), (estimate, _)), p in zip(tests.items(), corrected, strict=True):
        for each in (one, other):
            least[key, each, row] = min(p, least.get((key, each, row), 1))
        if p < 0.05:
            up, down = (other, one) if estimate > 0 else (one, other)
            letters.setdefault((key, up, row), []).append(down)
    columns = found[found["breakdown"] != "total"]
    assert len(columns) == 4 * 5
    assert len(letters) > 4
    for row in columns.to_dict("records"):
        place = (row["breakdown"], row["letter"], row["row"])
        assert row["higher_than"] == " ".join(letters.get(place, []))
        assert row["p_corrected"] == pytest.approx(least[place], abs=1e-9)
        assert row["tested"]


def test_shares_of_independent_answers_differ_where_newcombes_interval_says_so():
    counts = {"a": (30, 70), "b": (60, 60), "c": (45, 55), "d": (33, 66)}
    rows = [(plan, score) for plan, (inside, outside) in counts.items() for score in [5] * inside + [1] * outside]
    table = pd.DataFrame(rows, columns=["plan", "score"])
    level = 0.9
    found = groups.banner(table, measure=survey.Score("csat", scale=(1, 5)), by="plan", level=level)
    assert found["row"].unique().tolist() == ["satisfied", "dissatisfied"]
    # Benjamini and Hochberg find as many as the last whose own interval, at its own level, is without 0; here by bisection.
    values = []
    for (_, (one, left)), (_, (other, right)) in combinations(counts.items(), 2):
        low, high = 1e-9, 1.0
        for _ in range(60):
            alpha = (low + high) / 2
            ends = confint_proportions_2indep(other, other + right, one, one + left, method="newcomb", alpha=alpha)
            low, high = (low, alpha) if ends[0] > 0 or ends[1] < 0 else (alpha, high)
        values.append(high)
    corrected = multipletests(values * 2, method="fdr_bh")[1][:6]
    pairs = dict(zip(combinations("ABCD", 2), corrected, strict=True))
    for letter in "ABCD":
        least = min(p for pair, p in pairs.items() if letter in pair)
        assert cell(found, letter=letter, row="satisfied")["p_corrected"] == pytest.approx(least, rel=1e-5)
    significant = {pair for pair, p in pairs.items() if p < 1 - level}
    assert significant == {("A", "B"), ("A", "C"), ("B", "D")}
    assert [cell(found, letter=letter, row="satisfied")["higher_than"] for letter in "ABCD"] == ["", "A D", "A", ""]
    assert [cell(found, letter=letter, row="dissatisfied")["higher_than"] for letter in "ABCD"] == ["B C", "", "", "B"]


@pytest.mark.parametrize("measure", ["nps", "csat", "ces", "ratings"])
def test_a_score_in_the_banner_is_the_score_itself(measure):
    kind, low, high = {"nps": ("nps", 0, 10), "csat": ("csat", 1, 5), "ces": ("ces", 1, 7), "ratings": ("rating", 1, 5)}[measure]
    rows = {
        "nps": ["promoters", "passives", "detractors", "nps"],
        "csat": ["satisfied", "dissatisfied"],
        "ces": ["easy", "hard", "mean"],
        "ratings": ["top", "bottom", "mean"],
    }[measure]
    random = np.random.default_rng(2)
    table = pd.DataFrame({"plan": list("ab") * 60, "kind": kind, "question": "q", "scale_low": low, "scale_high": high})
    table = table.assign(score=random.integers(low, high + 1, 120), respondent=random.integers(0, 50, 120), low_is_good=False)
    found = groups.banner(table, measure=measure, by="plan")
    assert found["row"].tolist() == rows * 3
    alone = getattr(survey, measure)(table, by="plan")
    everybody = getattr(survey, measure)(table)
    both = found.merge(alone.drop(columns="question", errors="ignore"), left_on=["group", "measure"], right_on=["plan", "measure"])
    assert len(both) == len(alone)
    assert both[["estimate_x", "low_x", "high_x", "n_x"]].values == pytest.approx(both[["estimate_y", "low_y", "high_y", "n_y"]].values)
    total = found[found["breakdown"] == "total"].merge(everybody, on="measure")
    assert total["low_x"].tolist() == pytest.approx(total["low_y"].tolist())


def test_the_classes_of_a_column_add_up_to_its_answers():
    found = groups.banner(asked(), by=["plan", "channel"])
    shares = found[found["row"] != "nps"].groupby(["breakdown", "letter"])
    assert shares["answers"].sum().tolist() == shares["n"].first().tolist()
    assert shares["estimate"].sum().tolist() == pytest.approx([1.0] * 8)
    assert found[found["row"] == "nps"]["answers"].isna().all()


def test_a_result_has_its_shape():
    found = groups.banner(asked(), by=["plan", "channel"])
    assert list(found.columns) == [*KEYS, *RESULT, *COLUMNS]
    assert found["breakdown"].drop_duplicates().tolist() == ["total", "plan", "channel"]
    columns = found.drop_duplicates(["breakdown", "letter"])
    assert columns["letter"].tolist() == ["", "A", "B", "C", "A", "B", "C", "D"]
    assert columns["group"].fillna("none").tolist() == ["all", "free", "paid", "trial", "desk", "phone", "web", "none"]
    none = groups.banner(asked(0), by="plan")
    assert list(none.columns) == list(found.columns)
    assert none.dtypes[COLUMNS].tolist() == found.dtypes[COLUMNS].tolist()


def test_ratings_have_a_banner_a_question_and_one_letter_a_group():
    table = pd.DataFrame({"question": ["staff"] * 80 + ["food"] * 40, "plan": ["a", "b"] * 40 + ["b"] * 40, "score": [1, 5] * 60})
    found = groups.banner(table, measure=survey.Score("ratings", scale=(1, 5)), by="plan")
    assert list(found.columns) == ["question", *KEYS, *RESULT, *COLUMNS]
    columns = found.drop_duplicates(["question", "breakdown", "letter"])
    assert columns[["question", "letter"]].values.tolist() == [["food", ""], ["food", "B"], ["staff", ""], ["staff", "A"], ["staff", "B"]]
    assert cell(found, question="staff", letter="B", row="mean")["higher_than"] == "A"
    assert not cell(found, question="food", letter="B", row="mean")["tested"]


def test_a_column_with_few_answers_is_not_tested_and_it_is_said():
    plan = ["a"] * 40 + ["b"] * 40 + ["c"] * 29
    table = pd.DataFrame({"plan": plan, "score": [10] * 40 + [0] * 69})
    found = groups.banner(table, by="plan")
    assert [cell(found, letter=letter, row="nps")["tested"] for letter in "ABC"] == [True, True, False]
    assert [cell(found, letter=letter, row="nps")["higher_than"] for letter in "ABC"] == ["B", "", ""]
    assert found.attrs["notes"] == [
        "Nobody is named, so every answer is taken to be another person's.",
        "1 of 3 columns are not tested: fewer than 30 independent answers, or no other column with as many.",
    ]
    # 40 answers of ten people who repeat themselves are worth ten.
    again = groups.banner(table.assign(respondent=[f"{name}{row % 10}" for row, name in enumerate(plan)]), by="plan")
    assert not again["tested"].any()
    assert again["p_corrected"].isna().all()


def test_neither_the_engine_nor_the_order_of_the_rows_matters():
    table = asked().assign(weight=np.linspace(0.3, 7, 600))
    score = survey.Score("nps", weight="weight")
    found = groups.banner(table, measure=score, by=["plan", "channel"])
    mixed = groups.banner(table.sample(frac=1, random_state=3), measure=score, by=["plan", "channel"])
    assert_frame_equal(found, mixed, check_exact=True)
    other = ibis.duckdb.connect().create_table("responses", table)
    assert_frame_equal(found, groups.banner(other, measure=score, by=["plan", "channel"]), check_exact=True)
    assert found["measure"].unique().tolist()[0] == "promoters_share_weighted"


def test_where_nothing_differs_few_tables_have_a_letter():
    random, false = np.random.default_rng(5), 0
    for _ in range(20):
        table = pd.DataFrame({"plan": random.choice(list("abcdef"), 400), "score": random.integers(0, 11, 400)})
        false += (groups.banner(table, by="plan")["higher_than"] != "").any()
    # One in twenty is one of them.
    assert false <= 4


def test_letters_go_on_after_the_twenty_sixth():
    assert [_letter(place) for place in (0, 25, 26, 27, 51, 52, 701, 702)] == ["A", "Z", "AA", "AB", "AZ", "BA", "ZZ", "AAA"]


NOTHING = {
    "no answers": (asked(0), "Nobody was asked how likely they are to recommend."),
    "no plan": (asked(50).assign(plan=None), "No answer has a plan."),
}


@pytest.mark.parametrize(("table", "reason"), NOTHING.values(), ids=NOTHING)
def test_without_columns_the_result_has_no_rows_and_says_why(table, reason):
    found = groups.banner(table, by="plan")
    assert len(found) == 0
    assert found.attrs["reason"] == reason


def test_a_breakdown_that_nobody_is_in_is_left_out_and_it_is_said():
    found = groups.banner(asked(90).assign(plan=None), by=["plan", "channel"])
    assert found["breakdown"].drop_duplicates().tolist() == ["total", "channel"]
    assert found.attrs["notes"][0] == "No answer has a plan."


def test_one_column_stands_alone_without_letters():
    found = groups.banner(asked(90).assign(plan="a"), by="plan")
    assert found["higher_than"].unique().tolist() == [""]
    assert not found["tested"].any()


def test_an_argument_that_means_nothing_is_refused_in_words():
    for more, message in (
        ({"measure": "NPS"}, "measure: 'NPS' is none of 'nps', 'csat', 'ces', 'ratings'"),
        ({"level": 0.4}, "level: 0.4 is not above 0.5, and a verdict needs more than a toss of a coin; for 95 % write 0.95"),
        ({"by": ()}, 'by: name at least one column that makes groups, such as by=["segment", "plan"]'),
        ({"by": ["plan", "plan"]}, "by: a column is named twice"),
        ({"by": "n_eff"}, "by: 'n_eff' is a column of this result and cannot be a key"),
    ):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            groups.banner(asked(20), **{"by": "plan", **more})
    with pytest.raises(TableError, match=r"^banner: the table has no column 'plam'. Did you mean 'plan'\?$"):
        groups.banner(asked(20), by="plam")


def test_people_who_answered_once_change_nothing_and_those_who_did_twice_do():
    table = asked(300)
    once = groups.banner(table.assign(respondent=range(300)), by=["plan", "channel"])
    unnamed = groups.banner(table.drop(columns="respondent"), by=["plan", "channel"])
    assert_frame_equal(once, unnamed)
    assert once.attrs["notes"] == []
    twice = groups.banner(table, by=["plan", "channel"])
    assert (twice["n_eff"] <= once["n_eff"] + 1e-9).all()
    assert (twice["n_eff"] < once["n_eff"] - 1).any()
