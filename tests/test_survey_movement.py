"""Movements: each pair of periods as it is by hand, what is compared with what, and what is said where nothing can be."""

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from survey_answers import answers

from cxlib import survey
from cxlib.stats import movement as stats
from cxlib.stats import variance
from cxlib.tables import RESULT, TableError

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

few = settings(max_examples=4)
COLUMNS = [
    "p_value", "p_corrected", "verdict", "better", "margin", "smallest_detectable", "n_to_tell", "estimate_before",
    "estimate_after", "n_before", "n_after", "good_before", "good_after", "bad_before", "bad_after", "n_both",
    "spread", "low_is_good", "scale_low", "scale_high", "between",
    "since_before", "until_before", "since", "until",
]  # fmt: skip


def month(number, year=2026):
    return dt.date(year, number, 1)


def monthly(scores, **columns):
    """Answers of months: ``{1: [9, 10], 2: [3]}``."""
    rows = [(month(number), score) for number, each in scores.items() for score in each]
    return pd.DataFrame(rows, columns=["month", "score"]).assign(**columns)


FELL = {1: [10] * 60 + [8] * 30 + [3] * 20, 2: [10] * 20 + [8] * 30 + [3] * 60}


def sums(rows, value, weight):
    signed = np.where(rows["respondent"].isna(), [f"nobody {row}" for row in rows.index], rows["respondent"])
    return pd.DataFrame({"a": weight, "b": weight * value}).groupby(signed).sum()


def by_hand(before, after, *, weighed=False):
    """The change of NPS between two sets of rows, from the rows."""
    sides = []
    for rows in (before, after):
        score = rows["score"].to_numpy(dtype=int)
        value, weight = (score >= 9) * 1.0 - (score <= 6), rows["weight"].to_numpy() if weighed else np.ones(len(rows))
        per = sums(rows, value, weight)
        a, b = per["a"], per["b"]
        each = [len(per), a.sum(), b.sum(), (a * a).sum(), (a * b).sum(), (b * b).sum()]
        clusters = variance.Clusters(*(np.array([float(x)]) for x in each))
        mean = np.average(value, weights=weight)
        spread, kish = np.average((value - mean) ** 2, weights=weight), weight.sum() ** 2 / (weight**2).sum()
        worth, freedom = variance.worth(clusters, spread=[spread], n=[len(rows)], n_eff=[kish])
        counts = np.array([[weight[value == one].sum() for one in (1, 0, -1)]]) / weight.sum() * worth
        sides.append((counts, freedom, clusters, per))
    (one, free, clusters, per), (other, other_free, other_clusters, other_per) = sides
    both = per.join(other_per, how="inner", lsuffix="1", rsuffix="2")
    both = both[~both.index.str.startswith("nobody")]
    products = [(both[f"{first}1"] * both[f"{second}2"]).sum() for first in "ab" for second in "ab"]
    shared = variance.Shared(*(np.array([float(x)]) for x in [len(both), *products]))
    alike = variance.alike(clusters, other_clusters, shared)
    return stats.net_change(one, other, level=0.95, freedom=(free, other_free), correlation=alike), len(both)


# By hand


@few
@given(answers(times=True), st.booleans())
def test_every_pair_is_what_its_rows_say(table, weighed):
    score = survey.Score("nps", weight="weight" if weighed else None)
    found = survey.movement(table, measure=score, by="plan", between="month")
    answered = table.dropna(subset="score").reset_index(drop=True)
    first = answered["time_answered"].dt.to_period("M").dt.start_time.dt.date
    for row in found.itertuples():
        group = answered["plan"].isna() if pd.isna(row.plan) else answered["plan"] == row.plan
        before, after = (answered[group & (first == period)] for period in (row.before, row.after))
        assert (row.n_before, row.n_after, row.n) == (len(before), len(after), min(len(before), len(after)))
        if not row.n:
            assert np.isnan([row.estimate, row.low, row.high, row.p_value]).all()
            assert row.verdict == "cannot tell yet"
            continue
        change, both = by_hand(before, after, weighed=weighed)
        numbers = [100 * change.estimate, 100 * change.low, 100 * change.high, change.p_value]
        assert [row.estimate, row.low, row.high, row.p_value] == pytest.approx([number.item() for number in numbers], rel=1e-7, abs=1e-7)
        assert row.smallest_detectable == pytest.approx(
            100 * stats.smallest_change(change.std_error, level=0.95, freedom=change.freedom).item(), rel=1e-7
        )
        assert pd.isna(row.n_both) or row.n_both == both
        assert [row.good_before, row.bad_after] == [(before["score"] >= 9).sum(), (after["score"] <= 6).sum()]


@few
@given(answers(times=True), st.integers(0, 99))
def test_neither_the_engine_nor_the_order_of_the_rows_matters(table, seed):
    found = survey.movement(table, by="plan", margin=5)
    assert_frame_equal(found, survey.movement(table.sample(frac=1, random_state=seed), by="plan", margin=5), check_exact=True)
    other = ibis.duckdb.connect().create_table("responses", table)
    assert_frame_equal(found, survey.movement(other, by="plan", margin=5), check_exact=True)


def test_the_change_is_the_difference_of_the_two_scores():
    table = monthly(FELL, respondent=[f"p{number}" for number in range(220)])
    for measure, score in (("nps", survey.nps), ("ratings", survey.ratings)):
        scale = None if measure == "nps" else (0, 10)
        found = survey.movement(table, measure=survey.Score(measure, scale=scale)).iloc[0]
        both = score(table, by="month", **({} if scale is None else {"scale": scale}))["estimate"].tolist()
        assert [found["estimate_before"], found["estimate_after"]] == pytest.approx(both)
        assert found["estimate"] == pytest.approx(both[1] - both[0])


def test_a_result_has_its_shape():
    found = survey.movement(monthly(FELL, plan="a"), by="plan")
    assert list(found.columns) == ["plan", "before", "after", *RESULT, *COLUMNS]
    assert found["measure"].tolist() == ["nps_change"]
    assert found[["before", "after"]].values.tolist() == [[month(1), month(2)]]
    none = survey.movement(monthly({1: []}, plan=pd.Series(dtype=object)), by="plan")
    assert list(none.columns) == list(found.columns)
    assert none.dtypes[COLUMNS].tolist() == found.dtypes[COLUMNS].tolist()


def test_of_one_person_no_correlation_is_made_of_rounding():
    times = pd.to_datetime(["2026-01-05"] * 2 + ["2026-02-17"] * 2)
    table = pd.DataFrame({"score": [0, 7, 0, 9], "weight": [0.01, 0.95, 7.547233, 10.022634], "time_answered": times, "respondent": "p5"})
    found, alone = (
        survey.movement(table, measure=survey.Score("nps", weight="weight", cluster=who)).iloc[0] for who in ("respondent", None)
    )
    assert found["n_both"] == 1
    assert found["high"] - found["low"] >= alone["high"] - alone["low"]


# Verdicts


def test_what_fell_is_down_and_worse_and_what_rose_is_up_and_better():
    fell, rose = (survey.movement(monthly(scores)).iloc[0] for scores in (FELL, {1: FELL[2], 2: FELL[1]}))
    assert (fell["verdict"], fell["better"], rose["verdict"], rose["better"]) == ("down", False, "up", True)
    assert pd.isna(fell["n_to_tell"])


def test_effort_that_falls_is_down_and_better():
    table = monthly({1: [5] * 50 + [4] * 20, 2: [1] * 50 + [2] * 20}, kind="ces", scale_low=1, scale_high=5, low_is_good=True)
    found = survey.movement(table, measure="ces").iloc[0]
    assert (found["measure"], found["verdict"], found["better"]) == ("ces_effort_change", "down", True)
    assert (found["good_before"], found["good_after"], found["bad_before"], found["bad_after"]) == (0, 70, 70, 0)


def test_what_stayed_within_a_declared_margin_did_not_move_even_if_it_differs():
    scores = [10] * 10_000 + [8] * 6_000 + [3] * 4_000
    table = monthly({1: scores, 2: [*scores[400:], *[3] * 400]})
    open_, closed = (survey.movement(table, margin=margin).iloc[0] for margin in (None, 8))
    assert open_["p_value"] < 0.001
    assert (open_["verdict"], closed["verdict"]) == ("down", "no material change")
    assert pd.isna(closed["better"])


def test_what_is_open_says_how_many_answers_would_settle_it():
    found = survey.movement(monthly({1: [10] * 9 + [3] * 3, 2: [10] * 7 + [3] * 5}), margin=5).iloc[0]
    assert found["verdict"] == "cannot tell yet"
    assert 5_000 < found["n_to_tell"] < 7_000
    without = survey.movement(monthly({1: [10] * 9 + [3] * 3, 2: [10] * 7 + [3] * 5})).iloc[0]
    assert 40 < without["n_to_tell"] < 200
    still = survey.movement(monthly({1: [10, 3], 2: [10, 3]})).iloc[0]
    assert pd.isna(still["n_to_tell"])


def test_all_movements_are_corrected_together():
    random = np.random.default_rng(4)
    table = pd.concat(monthly({n: random.integers(0, 11, 40) for n in range(1, 7)}, plan=plan) for plan in "abcd")
    found = survey.movement(table, by="plan")
    assert len(found) == 20
    np.testing.assert_allclose(found["p_corrected"], stats.benjamini_hochberg(found["p_value"]))
    settled = found[found["verdict"] != "cannot tell yet"]
    assert (settled["p_corrected"] < 0.05).all()
    assert (found.loc[found["n_to_tell"].notna(), "n_to_tell"] > 40).all()


def test_people_in_both_periods_narrow_the_change():
    random = np.random.default_rng(5)
    happy = random.integers(2, 11, 80)
    table = monthly({1: happy, 2: np.clip(happy - 1, 0, 10)})
    panel = survey.movement(table.assign(respondent=[*range(80), *range(80)])).iloc[0]
    apart = survey.movement(table.assign(respondent=range(160))).iloc[0]
    assert (panel["n_both"], apart["n_both"]) == (80, 0)
    assert panel["high"] - panel["low"] < 0.8 * (apart["high"] - apart["low"])
    assert panel["estimate"] == apart["estimate"]


# What is compared with what


def test_a_month_without_answers_is_a_gap_and_no_bridge():
    found = survey.movement(monthly({1: [9, 3], 2: [9, 3], 4: [9, 8]}))
    assert found["after"].tolist() == [month(2), month(3), month(4)]
    assert found["n"].tolist() == [2, 0, 0]
    assert found["n_before"].tolist() == [2, 2, 0]
    assert found["estimate"].isna().tolist() == [False, True, True]
    assert set(found["verdict"]) == {"cannot tell yet"}
    assert found.attrs["notes"][1] == "2 of 3 comparisons have no answers in one of their periods; nothing is compared across a gap."


def test_quarters_and_years_follow_the_calendar():
    table = pd.concat(
        [
            monthly({n: [9, 3, 8] for n in range(1, 13)}),
            monthly({1: [9, 3], 2: [9, 9]}).assign(month=[dt.date(2027, 1, 1)] * 2 + [dt.date(2027, 2, 1)] * 2),
        ]
    )
    quarter, year = (survey.movement(table, between=between) for between in ("quarter", "year"))
    assert quarter["after"].tolist() == [month(4), month(7), month(10), month(1, 2027)]
    assert quarter[["n_before", "n_after"]].values.tolist() == [[9, 9], [9, 9], [9, 9], [9, 4]]
    assert year[["before", "after"]].values.tolist() == [[month(1), month(1, 2027)], [month(2), month(2, 2027)]]


def test_waves_come_in_order_of_their_first_answers_and_two_can_be_named():
    waves = ["pilot"] * 2 + ["autumn"] * 2 + ["9th"] * 2
    days = pd.to_datetime(["2026-01-01", "2026-01-09", "2026-03-01", "2026-03-02", "2026-09-01", "2026-09-09"])
    table = pd.DataFrame({"score": [9, 3, 9, 9, 3, 3], "wave": waves, "time_answered": days})
    found = survey.movement(table, between="wave")
    assert found[["before", "after"]].values.tolist() == [["pilot", "autumn"], ["autumn", "9th"]]
    named = survey.movement(table, between=("9th", "pilot"))
    assert named[["before", "after", "estimate"]].values.tolist() == [["9th", "pilot", 100]]
    assert named.attrs["notes"][1] == "2 of 6 answers are of none of these periods and are left out."
    assert [named["since_before"].item(), named["until_before"].item()] == [dt.date(2026, 9, 1), dt.date(2026, 9, 9)]


def test_two_windows_are_compared_by_their_days():
    days = pd.to_datetime(["2026-01-01", "2026-01-31 23:59", "2026-02-01", "2026-02-28", "2026-03-01"], format="ISO8601")
    table = pd.DataFrame({"score": [9, 9, 9, 3, 3], "time_answered": days})
    found = survey.movement(table, between=(("2026-01-01", "2026-01-31"), ("2026-02-01", "2026-02-28")))
    assert found[["before", "after", "n_before", "n_after"]].values.tolist() == [[month(1), month(2), 2, 2]]


@pytest.mark.parametrize("dated", ["time_answered", "month"])
def test_the_last_months_are_compared_with_the_same_of_the_year_before_as_far_as_they_go(dated):
    days = ["2025-03-31", "2025-04-01", "2025-06-20", "2025-06-21", "2025-12-01", "2026-03-31", "2026-04-02", "2026-06-20"]
    table = pd.DataFrame({dated: pd.to_datetime(days), "score": [10, 9, 3, 10, 8, 0, 9, 10]})
    found = survey.movement(table, between="last 3 months").iloc[0]
    assert (found["before"], found["after"], found["between"]) == (month(4, 2025), month(4), "last 3 months")
    assert (found["n_before"], found["good_before"], found["bad_before"]) == (2, 1, 1)
    assert (found["n_after"], found["good_after"]) == (2, 2)
    half = survey.movement(table, between="last 6 months").iloc[0]
    assert (half["before"], half["n_before"], half["n_after"]) == (month(1, 2025), 3, 3)


def test_a_group_whose_key_is_missing_is_compared_with_itself():
    table = pd.concat([monthly({1: [9], 2: [3]}, plan=None), monthly({1: [3], 2: [9]}, plan="a")])
    found = survey.movement(table.assign(respondent="one"), by="plan")
    assert found["plan"].isna().tolist() == [False, True]
    assert found["estimate"].tolist() == [200, -200]
    assert found["n_both"].tolist() == [1, 1]


def test_ratings_are_compared_question_by_question_each_on_its_scale():
    table = pd.concat(
        [
            monthly({1: [1, 5, 5], 2: [5, 5, 4]}, question="staff", scale_low=1, scale_high=5),
            monthly({1: [10, 5, 5], 2: [0, 5, 4]}, question="food", scale_low=0, scale_high=10),
        ]
    ).assign(kind="rating", low_is_good=False)
    found = survey.movement(table, measure="ratings")
    assert found["question"].tolist() == ["food", "staff"]
    assert found["estimate"].tolist() == pytest.approx([-11 / 3, 1])
    alone = survey.movement(table[table["question"] == "staff"], measure="ratings")
    assert found.loc[1, ["low", "high"]].tolist() == pytest.approx(alone.loc[0, ["low", "high"]].tolist())


def test_effort_on_seven_points_is_compared_by_its_share():
    table = monthly({1: [7, 6, 2], 2: [7, 6, 5]}, kind="ces", scale_low=1, scale_high=7, low_is_good=False)
    found = survey.movement(table, measure="ces")
    assert found[["measure", "estimate"]].values.tolist() == [["ces_share_change", pytest.approx(1 / 3)]]


def test_where_nobody_is_named_it_is_said():
    note = "Nobody is named, so every answer is taken to be another person's."
    assert survey.movement(monthly(FELL)).attrs["notes"] == [note]
    named = survey.movement(monthly(FELL, respondent=range(220)))
    assert named.attrs["notes"] == []
    assert named["n_both"].tolist() == [0]


# What is not there


NOTHING = {
    "no answers": (monthly({1: []}), {}, "Nobody was asked how likely they are to recommend."),
    "one month": (monthly({1: [9, 3]}), {}, "All answers are of one month, so there is none to compare it with."),
    "one quarter": (monthly(FELL), {"between": "quarter"}, "All answers are of one quarter, so there is none to compare it with."),
    "one year": (
        monthly(FELL),
        {"between": "year"},
        "No answer is a year older than the last ones, so no month can be compared with that of the year before.",
    ),
    "no dates": (
        pd.DataFrame({"score": [9, 3], "time_answered": [None, None]}),
        {},
        "No answer carries a date, so there is nothing to compare.",
    ),
    "no date column": (pd.DataFrame({"score": [9, 3]}), {}, "No answer carries a date, so there is nothing to compare."),
    "one wave": (monthly(FELL, wave="w"), {"between": "wave"}, "All answers are of one wave, so there is none to compare it with."),
    "no waves": (monthly(FELL, wave=None), {"between": "wave"}, "No answer has a wave, so there is nothing to compare."),
    "no segment": (monthly(FELL, segment=None), {"by": "segment"}, "No answer has a segment."),
    "empty windows": (
        monthly(FELL).assign(time_answered=pd.Timestamp("2026-01-05")),
        {"between": (("2026-01-01", "2026-01-31"), ("2026-02-01", "2026-02-28"))},
        "No answers are of both 2026-01-01 to 2026-01-31 and 2026-02-01 to 2026-02-28, so there is nothing to compare.",
    ),
}


@pytest.mark.parametrize(("table", "more", "reason"), NOTHING.values(), ids=NOTHING)
def test_without_two_periods_the_result_has_no_rows_and_says_why(table, more, reason):
    found = survey.movement(table, **more)
    assert len(found) == 0
    assert found.attrs["reason"] == reason


ARGUMENTS = {
    "measure": (lambda: survey.movement(monthly(FELL), measure="NPS"), "measure: 'NPS' is none of 'nps', 'csat', 'ces', 'ratings'"),
    "level": (
        lambda: survey.movement(monthly(FELL), level=0.5),
        "level: 0.5 is not above 0.5, and a verdict needs more than a toss of a coin; for 95 % write 0.95",
    ),
    "margin": (
        lambda: survey.movement(monthly(FELL), margin=0),
        "margin: 0 is no size of a change; it is above 0, in the unit of the score",
    ),
    "margin of a share": (
        lambda: survey.movement(monthly({1: [5], 2: [4]}), measure=survey.Score("csat", scale=(1, 5)), margin=5),
        "margin: 5 is no part of a share, which goes from 0 to 1; for five in a hundred write 0.05",
    ),
    "a period as a key": (
        lambda: survey.movement(monthly(FELL), by="month"),
        "by: 'month' is what is compared and cannot be a key; say which with between=",
    ),
    "between": (
        lambda: survey.movement(monthly(FELL), between="week"),
        (
            "between: 'week' is none of 'month', 'quarter', 'year', 'last 3 months', 'last 6 months', 'last 12 months', 'wave', "
            "and no pair of waves such as ('2025', '2026')"
        ),
    ),
    "one wave twice": (lambda: survey.movement(monthly(FELL, wave="w"), between=("w", "w")), "between: 'w' is one wave, not two"),
    "no days": (
        lambda: survey.movement(monthly(FELL), between=(("spring", "summer"), ("2026-01-01", "2026-02-01"))),
        "between: ('spring', 'summer') are not two days such as ('2026-01-01', '2026-06-30')",
    ),
    "windows that overlap": (
        lambda: survey.movement(monthly(FELL), between=(("2026-01-01", "2026-02-01"), ("2026-02-01", "2026-03-01"))),
        "between: the window 2026-01-01 to 2026-02-01 is not over when 2026-02-01 to 2026-03-01 begins",
    ),
}


@pytest.mark.parametrize(("call", "words"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_an_argument_that_means_nothing_is_refused(call, words):
    with pytest.raises(ValueError) as letter:  # noqa: PT011 - the whole message is compared
        call()
    assert str(letter.value) == words


LETTERS = {
    "unknown wave": (
        lambda: survey.movement(monthly(FELL, wave="2026 spring"), between=("2026 sprng", "2026 spring")),
        "movement: there is no wave '2026 sprng'. Did you mean '2026 spring'?",
    ),
    "no waves": (lambda: survey.movement(monthly(FELL), between="wave"), "movement: the table has no column 'wave'."),
    "two scales": (
        lambda: survey.movement(monthly(FELL, scale_low=[0] * 110 + [1] * 110, scale_high=10, low_is_good=False, kind="nps", question="q")),
        (
            "movement: the question was asked from 0 to 10 and then from 1 to 10. Answers on different scales have no common score: "
            "compare periods of one scale, or name one question."
        ),
    ),
    "bad scores": (
        lambda: survey.movement(monthly({1: [99], 2: [3]})),
        (
            "movement: 1 of 2 values of 'score' are not whole numbers from 0 to 10 (row 1: 99). "
            "If one of them means 'no answer', declare it: no_answer = [99] under [tables.responses] in data/sources.toml."
        ),
    ),
    "text for months": (
        lambda: survey.movement(monthly(FELL).assign(month="2026-01")),
        (
            "movement: 220 values of 'month' are not dates (row 1: '2026-01', row 2: '2026-01', row 3: '2026-01', …). "
            "Convert the column first."
        ),
    ),
}


@pytest.mark.parametrize(("call", "words"), LETTERS.values(), ids=LETTERS)
def test_a_table_that_cannot_be_compared_gets_a_letter(call, words):
    with pytest.raises(TableError) as letter:
        call()
    assert str(letter.value) == words
