"""Survey measures: known scores, every engine alike, and a letter wherever a score would mean nothing."""

import datetime as dt
import itertools
from functools import cache

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from statsmodels.stats.proportion import proportion_confint

from cxlib import survey
from cxlib.stats import intervals
from cxlib.tables import RESULT, TableError

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

PLANS = pd.DataFrame({"plan": ["free", "free", "free", "paid", "paid", "paid"], "score": [0, 7, 9, 7, 9, 9]})


def canonical(scores, *, kind="nps", scale=(0, 10), question="q", low_is_good=False, **columns):
    """Answers as the door hands them out."""
    frame = pd.DataFrame({"score": pd.array(scores, dtype="Int64"), "question": question, "kind": kind})
    return frame.assign(scale_low=scale[0], scale_high=scale[1], low_is_good=low_is_good, **columns)


# Most of an example's time is the engine's preparation, so a few examples of many rows tell more than many of a few.
few = settings(max_examples=3)


@cache
def engine() -> ibis.BaseBackend:
    return ibis.duckdb.connect()


def engine_table(frame: pd.DataFrame) -> ibis.Table:
    return engine().create_table("responses", frame, overwrite=True)


@st.composite
def answers(draw, highest=10):
    """A frame of weighted answers in groups, some skipped, some without a group."""
    size = draw(st.integers(1, 60))

    def column(values):
        return draw(st.lists(values, min_size=size, max_size=size))

    return pd.DataFrame(
        {
            "score": pd.array(column(st.one_of(st.none(), st.integers(0, highest))), dtype="Int64"),
            "plan": pd.Series(["a", *column(st.sampled_from(["a", "b", None]))][:size], dtype=object),
            "weight": column(st.floats(0.01, 50)),
        }
    )


MEASURES = {
    "nps": lambda table, **more: survey.nps(table, **more),
    "csat": lambda table, **more: survey.csat(_reduced(table, 7), scale=(0, 6), **more),
    "ces": lambda table, **more: survey.ces(_reduced(table, 7, 1), scale=(1, 7), **more),
    "ratings": lambda table, **more: survey.ratings(table, scale=(0, 10), **more),
    "distribution": lambda table, **more: survey.distribution(table, scale=(0, 10), **more),
}


def _reduced(table, points, lowest=0):
    score = table["score"] % points + lowest
    return table.assign(score=score) if isinstance(table, pd.DataFrame) else table.mutate(score=score)


every_measure = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES.keys())


# Known values


@pytest.mark.parametrize(("scores", "points"), [([0, 7, 7, 9, 9, 9], 33.33), ([0], -100), ([10], 100), ([7], 0)])
def test_scores_are_those_of_rs_nps_package(scores, points):
    assert survey.nps(pd.DataFrame({"score": scores}))["estimate"].item() == pytest.approx(points, abs=0.005)


def test_each_answer_belongs_to_its_class():
    found = survey.nps(pd.DataFrame({"score": range(11)})).iloc[0]
    assert (found["promoters"], found["passives"], found["detractors"]) == (2, 2, 7)
    assert (found["low"], found["high"]) == tuple(100 * bound[0] for bound in intervals.net_share([[2, 2, 7]], 0.95))


def test_satisfaction_is_the_top_two_boxes_by_wilson():
    for low, high in ((1, 5), (1, 7), (0, 4)):
        scores = list(range(low, high + 1)) + [high] * 3
        found = survey.csat(pd.DataFrame({"score": scores}), scale=(low, high)).iloc[0]
        assert (found["satisfied"], found["dissatisfied"], found["n"]) == (5, 2, len(scores))
        assert found["estimate"] == 5 / len(scores)
        np.testing.assert_allclose([found["low"], found["high"]], proportion_confint(5, len(scores), method="wilson"))


def test_effort_has_three_versions_that_are_never_mixed():
    two_thousand_ten = survey.ces(canonical([1, 2, 3, 5], kind="ces", scale=(1, 5), low_is_good=True))
    seven = survey.ces(canonical([4, 5, 7, 1], kind="ces", scale=(1, 7)))
    agreement = survey.ces(canonical([4, 5, 3, 1], kind="ces", scale=(1, 5)))
    assert two_thousand_ten[["measure", "estimate", "easy"]].values.tolist() == [["ces_effort", 2.75, 2]]
    assert seven[["measure", "estimate", "easy"]].values.tolist() == [["ces_share", 0.5, 2], ["ces_mean", 4.25, 2]]
    assert agreement[["measure", "estimate", "easy"]].values.tolist() == [["ces_agreement", 3.25, 2]]
    both = survey.ces(
        pd.concat([canonical([5], kind="ces", scale=(1, 7), question="a"), canonical([5], kind="ces", scale=(1, 5), question="b")]),
        by="question",
    )
    assert both["measure"].tolist() == ["ces_share", "ces_mean", "ces_agreement"]


def test_a_score_asked_from_one_to_ten_carries_its_scale_in_its_name():
    found = survey.nps(canonical([1, 6, 7, 10], scale=(1, 10)))
    assert found["measure"].item() == "nps_1_to_10"
    assert found[["promoters", "passives", "detractors"]].values.tolist() == [[1, 1, 2]]
    with pytest.raises(TableError, match="1 of 1 values of 'score' are not whole numbers from 1 to 10"):
        survey.nps(canonical([0], scale=(1, 10)))


def test_a_question_on_satisfaction_has_a_mean_as_well():
    table = canonical([5, 4, 1, None], kind="csat", scale=(1, 5), question="overall")
    found = survey.ratings(table, kind="csat").iloc[0]
    assert [found["question"], found["measure"], found["n"]] == ["overall", "rating_mean", 3]
    assert found["estimate"] == pytest.approx(10 / 3)
    assert survey.ratings(table).attrs["reason"] == "Nobody was asked for a rating."


def test_ratings_have_one_row_a_question_each_on_its_own_scale():
    table = pd.concat(
        [canonical([5, 4, 1], kind="rating", scale=(1, 5), question="staff"), canonical([0, 10], kind="rating", question="food")]
    )
    found = survey.ratings(table)
    assert found["question"].tolist() == ["food", "staff"]
    assert found["estimate"].tolist() == pytest.approx([5, 10 / 3])
    assert found[["top", "bottom", "scale_low", "scale_high"]].values.tolist() == [[1, 1, 0, 10], [1, 1, 1, 5]]
    for row, (counts, lowest) in zip(found.itertuples(), [([1, *[0] * 9, 1], 0), ([1, 0, 0, 1, 1], 1)], strict=True):
        expected = intervals.scale_mean([counts], np.arange(lowest, lowest + len(counts)), 0.95)
        assert (row.estimate, row.low, row.high) == tuple(bound[0] for bound in expected)


def test_a_score_that_nobody_gave_stays_in_the_distribution():
    found = survey.distribution(pd.DataFrame({"score": [1, 3, 3, None]}), scale=(1, 4))
    assert found["score"].tolist() == [1, 2, 3, 4]
    assert found["answers"].tolist() == [1, 0, 2, 0]
    assert found["n"].tolist() == [3] * 4
    low, high = intervals.goodman([[1, 0, 2, 0]], 0.95)
    np.testing.assert_array_equal(found[["low", "high"]], np.column_stack([low[0], high[0]]))


def test_a_distribution_covers_questions_of_every_kind_and_scale():
    table = pd.concat([canonical([9]), canonical([2], kind="csat", scale=(1, 5), question="p")])
    found = survey.distribution(table)
    assert found["question"].tolist() == ["p"] * 5 + ["q"] * 11
    assert survey.distribution(table, question="p")["score"].tolist() == [1, 2, 3, 4, 5]
    assert survey.distribution(table, kind="csat")["question"].unique().tolist() == ["p"]
    assert survey.distribution(table, by="question").equals(found)


def test_scores_below_zero_have_their_place():
    assert survey.ratings(canonical([-2, 2, 2], kind="rating", scale=(-2, 2)))[["top", "bottom"]].values.tolist() == [[2, 1]]


# Weights


def test_weights_weigh_the_score_and_kish_shrinks_the_base():
    table = pd.DataFrame({"score": [10, 8, 3, 0], "weight": [0.5, 0.5, 1.0, 2.0]})
    found = survey.nps(table, weight="weight").iloc[0]
    assert found["measure"] == "nps_weighted"
    assert found["estimate"] == pytest.approx(100 * (0.5 - 3) / 4)
    assert found["n"] == 4
    assert found["n_eff"] == pytest.approx(16 / 5.5)
    low, high = intervals.net_share(np.array([[0.5, 0.5, 3]]) / 4 * 16 / 5.5, 0.95)
    assert (found["low"], found["high"]) == (pytest.approx(100 * low[0]), pytest.approx(100 * high[0]))


def test_weighted_shares_and_means_follow_the_same_rule():
    weight = np.array([1.0, 3.0, 1.0, 1.0])
    table = pd.DataFrame({"score": [7, 6, 5, 1], "weight": weight})
    n_eff = weight.sum() ** 2 / (weight**2).sum()
    csat = survey.csat(table, weight="weight", scale=(1, 7)).iloc[0]
    assert csat["estimate"] == pytest.approx(4 / 6)
    np.testing.assert_allclose([csat["low"], csat["high"]], np.ravel(intervals.wilson([n_eff * 4 / 6], [n_eff], 0.95)))
    share, mean = survey.ces(table, weight="weight", scale=(1, 7)).itertuples()
    assert (share.measure, mean.measure) == ("ces_share_weighted", "ces_mean_weighted")
    assert (share.estimate, mean.estimate) == (pytest.approx(5 / 6), pytest.approx((7 + 18 + 5 + 1) / 6))


@few
@given(answers())
def test_equal_weights_change_nothing_but_the_name(table):
    plain, weighed = (survey.nps(table.assign(w=0.37), by="plan", weight=weight) for weight in (None, "w"))
    assert_frame_equal(plain.drop(columns="measure"), weighed.drop(columns="measure"), rtol=1e-9, atol=1e-9)


def test_weighted_results_repeat_to_the_byte_whatever_the_number_of_threads():
    random = np.random.default_rng(1)
    size = 300_000
    table = pd.DataFrame(
        {"score": random.integers(0, 11, size), "plan": random.choice(["a", "b", "c"], size), "w": random.uniform(0.1, 3, size)}
    )
    found = []
    for threads in (1, 2, 2):
        backend = ibis.duckdb.connect(threads=threads)
        found.append(survey.nps(backend.create_table("responses", table), by="plan", weight="w"))
    for other in found[1:]:
        assert_frame_equal(found[0], other, check_exact=True)


# Every measure


@every_measure
@few
@given(table=answers())
def test_frames_and_engine_tables_give_the_same_answer(measure, table):
    assert_frame_equal(measure(table, by="plan"), measure(engine_table(table), by="plan"), check_exact=True)


@every_measure
@few
@given(table=answers(), seed=st.integers(0, 99))
def test_the_order_of_the_rows_is_irrelevant(measure, table, seed):
    shuffled = table.sample(frac=1, random_state=seed)
    assert_frame_equal(measure(table, by="plan"), measure(shuffled, by="plan"), check_exact=True)


@every_measure
@few
@given(table=answers())
def test_a_result_has_its_shape_and_its_bounds_hold_the_estimate(measure, table):
    found = measure(table, by="plan")
    columns = list(found.columns)
    start = columns.index("measure")
    assert tuple(columns[start : start + len(RESULT)]) == RESULT
    assert columns[-2:] == ["since", "until"]
    assert isinstance(found.index, pd.RangeIndex)
    answered = found[found["n"] > 0]
    assert (answered["low"] <= answered["estimate"]).all()
    assert (answered["estimate"] <= answered["high"]).all()
    assert (answered["low"] < answered["high"]).all()
    assert found.loc[found["n"] == 0, ["estimate", "low", "high"]].isna().all(axis=None)
    numbers = found.drop(columns=["estimate", "low", "high", "level", "n_people", "n_eff"], errors="ignore").select_dtypes("number")
    assert set(map(str, numbers.dtypes)) == {"int64"}


@every_measure
@few
@given(table=answers())
def test_the_groups_add_up_to_the_whole(measure, table):
    whole, parts = measure(table), measure(table, by="plan")
    axis = [name for name in ("measure", "score") if name in whole]
    counts = [name for name in whole.columns[whole.columns.get_loc("n") :] if whole[name].dtype == "int64" and not name.startswith("scale")]
    assert_frame_equal(parts.groupby(axis)[counts].sum(), whole.groupby(axis)[counts].sum())


@every_measure
def test_a_missing_key_is_a_group_of_its_own_and_comes_last(measure):
    table = pd.DataFrame({"plan": ["b", None, "a", None], "score": [9, 8, 1, 2]})
    keys = list(dict.fromkeys(None if pd.isna(key) else key for key in measure(table, by="plan")["plan"]))
    assert keys == ["a", "b", None]


@every_measure
def test_a_group_that_nobody_answered_stays_with_a_missing_estimate(measure):
    table = pd.DataFrame({"plan": ["a", "b"], "score": [9.0, np.nan]})
    found = measure(table, by="plan").groupby("plan")[["n", "estimate"]].first()
    assert found["n"].to_dict() == {"a": 1, "b": 0}
    assert found["estimate"].isna().to_dict() == {"a": False, "b": True}


@every_measure
def test_a_single_answer_and_answers_all_alike_keep_an_interval(measure):
    for scores in ([9], [9] * 200):
        found = measure(pd.DataFrame({"score": scores}))
        assert (found["low"] < found["high"]).all()


@every_measure
def test_the_window_is_that_of_the_answers_that_count(measure):
    times = pd.to_datetime(["2026-03-01 08:00", "2026-02-03 23:59", "2026-05-05 00:00", "2026-01-01 00:00"])
    found = measure(pd.DataFrame({"score": [9, 8, None, None], "time_answered": times}))
    assert set(found["since"]) == {dt.date(2026, 2, 3)}
    assert set(found["until"]) == {dt.date(2026, 3, 1)}
    undated = measure(pd.DataFrame({"score": [9, 8], "time_answered": [None, None]}))
    assert undated["since"].tolist() == [None] * len(undated)


@every_measure
def test_months_are_dates_and_in_order(measure):
    months = [dt.date(2026, 2, 1), dt.date(2025, 12, 1), None]
    found = measure(pd.DataFrame({"score": [9, 8, 7], "month": months}), by="month")
    assert list(dict.fromkeys(found["month"])) == [dt.date(2025, 12, 1), dt.date(2026, 2, 1), None]


@every_measure
def test_a_higher_level_widens_the_interval(measure):
    narrow, wide = (measure(PLANS, by="plan", level=level) for level in (0.8, 0.99))
    assert (wide["low"] <= narrow["low"]).all()
    assert (narrow["high"] <= wide["high"]).all()
    assert wide["level"].eq(0.99).all()


@every_measure
def test_two_keys_make_a_group_of_each_pair(measure):
    table = PLANS.assign(region=["n", "s", "n", "s", "n", "s"])
    found = measure(table, by=["region", "plan"])
    assert found[["region", "plan"]].drop_duplicates().values.tolist() == list(map(list, itertools.product("ns", ["free", "paid"])))


# Which answers


def test_only_answers_of_the_kind_are_scored():
    table = pd.concat([canonical([10, 0, 0]), canonical([5], kind="csat", scale=(1, 5), question="p")])
    assert survey.nps(table)["n"].item() == 3
    assert survey.csat(table)["n"].item() == 1
    assert survey.nps(table, question="q")["n"].item() == 3


def test_two_questions_of_a_kind_are_scored_apart_or_not_at_all():
    table = pd.concat([canonical([10]), canonical([0], question="p")])
    with pytest.raises(TableError) as letter:
        survey.nps(table)
    assert str(letter.value) == "nps: the answers are to several questions ('p', 'q', …). Name one, question='p', or group by='question'."
    assert survey.nps(table, by="question")["estimate"].tolist() == [-100, 100]
    assert survey.nps(table, question="p")["estimate"].tolist() == [-100]


def test_a_question_of_another_kind_or_of_no_answer_is_refused():
    table = canonical([3], kind="csat", scale=(1, 5), question="recommend")
    with pytest.raises(TableError, match=r"^nps: the question 'recommend' is of kind csat, not nps\.$"):
        survey.nps(table, question="recommend")
    with pytest.raises(TableError, match=r"^csat: there is no question 'recomend'\. Did you mean 'recommend'\?$"):
        survey.csat(table, question="recomend")


# What is not there


NOTHING = {
    "nps": (survey.nps, "Nobody was asked how likely they are to recommend."),
    "csat": (survey.csat, "Nobody was asked how satisfied they are."),
    "ces": (survey.ces, "Nobody was asked how much effort it took."),
    "ratings": (survey.ratings, "Nobody was asked for a rating."),
    "distribution": (survey.distribution, "There are no answers."),
}


@pytest.mark.parametrize(("measure", "reason"), NOTHING.values(), ids=NOTHING)
def test_without_answers_the_result_has_no_rows_and_says_why(measure, reason):
    found = measure(canonical([], plan=pd.Series(dtype=object)), by="plan")
    full = measure(
        canonical([5, 5], kind="rating" if measure is survey.ratings else measure.__name__, scale=_usual(measure), plan="a"), by="plan"
    )
    assert len(found) == 0
    assert found.attrs["reason"] == reason
    assert list(found.columns) == list(full.columns)
    counts = full.columns[full.columns.get_loc("n") :]
    assert found.dtypes[counts].tolist() == full.dtypes[counts].tolist()


def _usual(measure):
    return (0, 10) if measure is survey.nps else (1, 5)


@every_measure
def test_a_key_that_is_missing_throughout_divides_nothing(measure):
    table = pd.DataFrame({"score": [9, 8], "segment": [None, None], "age_band": [None, None], "month": [None, None]})
    for key, reason in (
        ("segment", "No answer has a segment."),
        ("age_band", "No answer has an age_band."),
        ("month", "No answer carries a date, so there is no trend."),
    ):
        found = measure(table, by=key)
        assert len(found) == 0
        assert found.attrs["reason"] == reason


def test_a_weight_that_is_missing_throughout_weighs_nothing():
    found = survey.nps(PLANS.assign(weight=np.nan), weight="weight")
    assert len(found) == 0
    assert found.attrs["reason"] == "No answer has a weight."


def test_a_table_of_another_kind_of_question_has_no_score_of_this_one():
    assert survey.nps(canonical([3], kind="csat", scale=(1, 5))).attrs["reason"] == "Nobody was asked how likely they are to recommend."


def test_what_is_no_number_in_an_engine_is_a_skipped_answer():
    table = engine_table(pd.DataFrame({"score": ["NaN", "9", "3", None]}))
    assert survey.nps(table.mutate(score=table["score"].cast("float64")))[["n", "estimate"]].values.tolist() == [[2, 0]]


# Letters


def test_bad_scores_are_refused_with_the_first_three():
    with pytest.raises(TableError) as letter:
        survey.nps(pd.DataFrame({"score": [99, -1, 2.5, 9]}))
    assert str(letter.value) == (
        "nps: 3 of 4 values of 'score' are not whole numbers from 0 to 10 (row 1: 99, row 2: -1, row 3: 2.5). "
        "If one of them means 'no answer', declare it: no_answer = [99] under [tables.responses] in data/sources.toml."
    )


def test_an_engine_has_no_rows_to_name_so_values_come_with_how_often_they_occur():
    table = engine_table(pd.DataFrame({"score": [11] * 84 + [9] * 20 + [12, 12, 13, 14]}))
    with pytest.raises(TableError) as letter:
        survey.nps(table)
    assert str(letter.value) == (
        "nps: 88 of 108 values of 'score' are not whole numbers from 0 to 10 (11 occurs 84 times, 12 occurs twice, 13 occurs once, …). "
        "If one of them means 'no answer', declare it: no_answer = [11] under [tables.responses] in data/sources.toml."
    )


def test_a_bad_score_to_another_question_is_none_of_this_measures_business():
    table = pd.concat([canonical([10]), canonical([9], kind="csat", scale=(1, 5), question="p")])
    assert survey.nps(table)["n"].item() == 1
    with pytest.raises(TableError, match=r"^csat: 1 of 1 values of 'score' are not whole numbers from 1 to 5 \(row 2: 9\)\."):
        survey.csat(table)


LETTERS = {
    "misspelt key": (lambda: survey.nps(PLANS, by="plam"), "nps: the table has no column 'plam'. Did you mean 'plan'?"),
    "no score": (lambda: survey.nps(pd.DataFrame({"scor": [1]})), "nps: the table has no column 'score'. Did you mean 'scor'?"),
    "no weight column": (lambda: survey.nps(PLANS, weight="w"), "nps: the table has no column 'w'."),
    "no question column": (lambda: survey.nps(PLANS, question="q"), "nps: the table has no column 'question'."),
    "text": (
        lambda: survey.nps(pd.DataFrame({"score": ["9", "10", None]})),
        "nps: 2 values of 'score' are not numbers (row 1: '9', row 2: '10'). Convert the column first.",
    ),
    "text for times": (
        lambda: survey.nps(PLANS.assign(time_answered="2026-01-01")),
        (
            "nps: 6 values of 'time_answered' are not dates (row 1: '2026-01-01', row 2: '2026-01-01', row 3: '2026-01-01', …). "
            "Convert the column first."
        ),
    ),
    "scale not said": (
        lambda: survey.csat(PLANS),
        "csat: the table does not say on which scale its answers are. Say it, for instance: scale=(1, 5)",
    ),
    "scale of another measure": (
        lambda: survey.csat(PLANS, scale=(0, 10)),
        "csat: these answers are on a scale of 0 to 10; csat is known on five points or seven. Use ratings for any other scale.",
    ),
    "nps on five points": (
        lambda: survey.nps(canonical([3], scale=(1, 5))),
        (
            "nps: these answers are on a scale of 1 to 5; nps is known on 0 to 10, or 1 to 10 where it was asked so. "
            "Use ratings for any other scale."
        ),
    ),
    "nps with low as good": (
        lambda: survey.nps(canonical([3], low_is_good=True)),
        (
            "nps: these answers are on a scale of 0 to 10, low is good; nps is known on 0 to 10, or 1 to 10 where it was asked so. "
            "Use ratings for any other scale."
        ),
    ),
    "effort on ten points": (
        lambda: survey.ces(canonical([3], kind="ces")),
        "ces: these answers are on a scale of 0 to 10; ces is known on 1 to 7, or 1 to 5. Use ratings for any other scale.",
    ),
    "mixed scales": (
        lambda: survey.nps(pd.concat([canonical([3]), canonical([3], scale=(1, 10))])),
        (
            "nps: answers on different scales (0 to 10, 1 to 10) stand in one group. They have no common score: "
            "name one question=, or group by what tells them apart."
        ),
    ),
    "weight of nothing": (
        lambda: survey.nps(PLANS.assign(w=[1, 0, None, -2, np.inf, 1]), weight="w"),
        (
            "nps: 4 of 6 answers have no 'w' from 1e-06 to 1e+09 (row 2: 0, row 3: missing, row 4: -2, …). "
            "Only the ratios of weights count: rescale them; leave out answers that have none."
        ),
    ),
}


@pytest.mark.parametrize(("call", "words"), LETTERS.values(), ids=LETTERS)
def test_a_table_that_cannot_be_scored_gets_a_letter(call, words):
    with pytest.raises(TableError) as letter:
        call()
    assert str(letter.value) == words


ARGUMENTS = {
    "level": (lambda: survey.nps(PLANS, level=95), "level: 95 is not between 0 and 1; for 95 % write 0.95"),
    "key of every result": (lambda: survey.nps(PLANS, by="n"), "by: 'n' is a column of every result and cannot be a key"),
    "key of this result": (lambda: survey.csat(PLANS, by="since"), "by: 'since' is a column of this result and cannot be a key"),
    "scores as a key": (lambda: survey.distribution(PLANS, by="score"), "by: 'score' is a column of this result and cannot be a key"),
    "kind": (lambda: survey.distribution(PLANS, kind="NPS"), "kind: 'NPS' is none of 'nps', 'csat', 'ces', 'rating'"),
    "kind that has no mean": (lambda: survey.ratings(PLANS, kind="nps"), "kind: 'nps' is none of 'rating', 'csat'"),
    "a scale twice": (
        lambda: survey.csat(canonical([3], kind="csat", scale=(1, 5)), scale=(1, 7)),
        "scale: the table declares its scales itself (scale_low, scale_high)",
    ),
}


@pytest.mark.parametrize(("call", "words"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_an_argument_that_means_nothing_is_refused(call, words):
    with pytest.raises(ValueError) as letter:  # noqa: PT011 - the whole message is compared
        call()
    assert str(letter.value) == words


def test_a_skipped_answer_needs_no_weight():
    table = pd.DataFrame({"score": [9, None, 3], "w": [1.0, np.nan, 1.0]})
    assert survey.nps(table, weight="w")["estimate"].item() == 0
