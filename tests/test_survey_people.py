"""Scores of people who answered more than once: R's schools, sums by hand, every engine alike, and what is said of it."""

from functools import cache
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from survey_answers import answers

from cxlib import survey
from cxlib.stats import intervals, variance
from cxlib.tables import TableError

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

GOLDEN = Path(__file__).parent / "golden"
few = settings(max_examples=4)

MEASURES = {
    "nps": lambda table, **more: survey.nps(table, **more),
    "csat": lambda table, **more: survey.csat(table.assign(score=table["score"] % 5 + 1), scale=(1, 5), **more),
    "ces": lambda table, **more: survey.ces(table.assign(score=table["score"] % 7 + 1), scale=(1, 7), **more),
    "ratings": lambda table, **more: survey.ratings(table, scale=(0, 10), **more),
}
every_measure = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)


def by_hand(value, people, weight=None):
    """Effective n and degrees of freedom of one group, from its rows."""
    weight = np.ones(len(value)) if weight is None else weight
    signed = np.where(pd.isna(people), [f"nobody {row}" for row in range(len(value))], people)
    per = pd.DataFrame({"a": weight, "b": weight * value}).groupby(signed).sum()
    a, b = per["a"], per["b"]
    clusters = variance.Clusters(*(np.array([float(x)]) for x in (len(per), a.sum(), b.sum(), (a * a).sum(), (a * b).sum(), (b * b).sum())))
    mean = np.average(value, weights=weight)
    spread = np.average((value - mean) ** 2, weights=weight)
    n_eff = weight.sum() ** 2 / (weight**2).sum()
    return variance.worth(clusters, spread=[spread], n=[len(value)], n_eff=[n_eff])


def test_schools_of_one_district_are_worth_what_r_says():
    schools = pd.read_csv(GOLDEN / "api_clusters.csv")
    row = pd.read_csv(GOLDEN / "survey_means.csv").query("design == 'clusters' and variable == 'nps'").iloc[0]
    found = survey.nps(schools[["score", "district"]], cluster="district").iloc[0]
    assert found["estimate"] == pytest.approx(row["estimate"])
    assert found["n_eff"] == pytest.approx(183 / row["deff_replace"])
    assert found["n_people"] == 15
    # R's interval is not drawn towards the middle; the width is what the two share.
    assert found["high"] - found["low"] == pytest.approx(row["high"] - row["low"], rel=0.07)
    alone = survey.nps(schools[["score"]]).iloc[0]
    assert alone["high"] - alone["low"] < (found["high"] - found["low"]) / 2
    weighted = survey.nps(schools[["score", "district", "weight"]], cluster="district", weight="weight").iloc[0]
    assert weighted["n_eff"] == pytest.approx(found["n_eff"])


@few
@given(answers(), st.booleans())
def test_what_the_engine_sums_is_what_the_rows_sum_to(table, weighed):
    found = survey.nps(table, by="plan", weight="weight" if weighed else None)
    answered = table.dropna(subset="score")
    for row in found[found["n"] > 0].itertuples():
        rows = answered[answered["plan"].isna() if pd.isna(row.plan) else answered["plan"] == row.plan]
        score = rows["score"].to_numpy(dtype=int)
        value = (score >= 9) * 1.0 - (score <= 6)
        worth, freedom = by_hand(value, rows["respondent"].to_numpy(), rows["weight"].to_numpy() if weighed else None)
        assert row.n_eff == pytest.approx(worth.item(), rel=1e-9)
        signed = rows["respondent"].dropna().nunique()
        assert pd.isna(row.n_people) if not signed else row.n_people == signed + rows["respondent"].isna().sum()
        weight = rows["weight"].to_numpy() if weighed else np.ones(len(rows))
        counts = np.array([[weight[value == each].sum() for each in (1, 0, -1)]]) / weight.sum()
        low, high = intervals.net_share(counts * worth / variance.inflation(freedom, 0.95), 0.95)
        assert [row.low, row.high] == pytest.approx([min(100 * low.item(), row.estimate), max(100 * high.item(), row.estimate)], abs=1e-6)


@cache
def engine():
    return ibis.duckdb.connect()


@every_measure
@few
@given(table=answers(), seed=st.integers(0, 99))
def test_neither_the_engine_nor_the_order_of_the_rows_matters(measure, table, seed):
    found = measure(table, by="plan")
    assert_frame_equal(found, measure(table.sample(frac=1, random_state=seed), by="plan"), check_exact=True)
    score = MEASURES["nps"](table, by="plan")
    assert_frame_equal(score, survey.nps(engine().create_table("people", table, overwrite=True), by="plan"), check_exact=True)


@every_measure
@few
@given(table=answers())
def test_answers_of_people_never_narrow_an_interval_by_much_and_never_move_the_estimate(measure, table):
    found, independent = measure(table, by="plan"), measure(table, by="plan", cluster=None)
    counts = ["estimate", "n"]
    assert_frame_equal(found[counts], independent[counts])
    assert (found["n_eff"] <= independent["n_eff"] + 1e-9).all()
    assert independent["n_people"].isna().all()


@every_measure
def test_who_answered_once_changes_nothing(measure):
    table = pd.DataFrame({"score": [9, 8, 3, 10, 7, 7, 0, 5], "respondent": list("abcdefgh")})
    named, bare = measure(table), measure(table.drop(columns="respondent"))
    assert_frame_equal(named.drop(columns="n_people"), bare.drop(columns="n_people"))
    assert set(named["n_people"]) == {8}
    assert bare["n_people"].isna().all()


@every_measure
def test_the_same_people_asked_again_and_again_are_not_more_people(measure):
    once = pd.DataFrame({"score": [9, 8, 3, 10, 7, 7, 0, 5], "respondent": list("abcdefgh")})
    again = pd.concat([once] * 12)
    first, twelfth = measure(once), measure(again)
    assert set(twelfth["n"]) == {96}
    assert (twelfth["high"] - twelfth["low"] > 0.8 * (first["high"] - first["low"])).all()
    assert (twelfth["n_eff"] < 9).all()


def test_accounts_of_several_people_are_named():
    table = pd.DataFrame({"score": [9, 9, 9, 2, 3, 2, 8, 8], "account": list("aaabbbcc"), "respondent": list("abcdefgh")})
    assert survey.nps(table, cluster="account")["n_people"].item() == 3
    assert survey.nps(table)["n_people"].item() == 8
    with pytest.raises(TableError, match=r"^nps: the table has no column 'acount'\. Did you mean 'account'\?$"):
        survey.nps(table, cluster="acount")


def test_where_nobody_is_named_answers_stand_for_themselves():
    table = pd.DataFrame({"score": [9, 8, 3], "respondent": [None, None, None]})
    found = survey.nps(table)
    assert found["n_people"].isna().all()
    assert found["n_eff"].item() == 3


def test_two_questions_on_two_scales_are_each_summed_on_its_own():
    frames = [
        pd.DataFrame({"score": [1, 5, 5, 4], "question": "staff", "scale_low": 1, "scale_high": 5}),
        pd.DataFrame({"score": [0, 10, 10, 7], "question": "food", "scale_low": 0, "scale_high": 10}),
    ]
    table = pd.concat(frames).assign(kind="rating", low_is_good=False, respondent=["a", "b", "b", "b"] * 2)
    found = survey.ratings(table).set_index("question")
    for question, rows in table.groupby("question"):
        worth, _ = by_hand(rows["score"].to_numpy(dtype=float), rows["respondent"].to_numpy())
        assert found.loc[question, "n_eff"] == pytest.approx(worth.item())
        assert found.loc[question, "n_people"] == 2


def test_a_bad_rating_of_a_question_without_a_name_gets_its_letter():
    with pytest.raises(TableError, match=r"^ratings: 1 of 2 values of 'score' are not whole numbers from 1 to 5 \(row 2: 9\)\."):
        survey.ratings(pd.DataFrame({"score": [3, 9]}), scale=(1, 5))
