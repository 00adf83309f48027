"""Scores weighted to the customers: by hand, R's numbers through the measure, which customers they are, and what is refused."""

import datetime as dt
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from cxlib import fieldwork, figures, sources, survey
from cxlib.figures.settings import CURRENT, Settings
from cxlib.tables import RESULT, TableError

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

few = settings(max_examples=4)
GOLDEN = Path(__file__).parent / "golden"
ROOT = Path(__file__).parents[1]
RAKED = ["n_people", "n_eff", "deff", "largest_weight", "replicates", "since", "until"]
BALANCE = ["share_customers", "share_weighted", "asmd_before", "asmd_after", "average_customers"]


def customers(**shares):
    """A hundred customers: ``customers(segment={"Home": 70, "Office": 30})``; columns go with each other by chance of their order."""
    columns = {name: np.repeat(list(parts), list(parts.values())) for name, parts in shares.items()}
    return pd.DataFrame(columns)


def answers(**parts):
    """Answers of segments: ``answers(Home=[9, 10], Office=[3])``."""
    return pd.DataFrame([(segment, score) for segment, scores in parts.items() for score in scores], columns=["segment", "score"])


HALF = {"Home": [10] * 20 + [8] * 10 + [3] * 10, "Office": [10] * 3 + [3] * 7}
SEGMENTS = customers(segment={"Home": 50, "Office": 50})


def raked(table=None, people=SEGMENTS, **more):
    return fieldwork.raked(answers(**HALF) if table is None else table, people, **({"margins": ["segment"]} | more))


# By hand


def test_a_raked_score_is_that_of_each_category_times_its_share_of_the_customers():
    plain, weighted = raked().itertuples()
    home, office = 25.0, -40.0
    assert plain.estimate == pytest.approx((40 * home + 10 * office) / 50)
    assert weighted.estimate == pytest.approx((home + office) / 2)
    assert (plain.measure, weighted.measure, plain.n, weighted.n) == ("nps", "nps_raked", 50, 50)
    # Weights 1 and 4 on 40 and 10 answers: 50 (40 + 160) / 80².
    assert (plain.deff, weighted.deff) == (1.0, pytest.approx(50 * 200 / 6400))
    assert (plain.largest_weight, weighted.largest_weight) == (1.0, pytest.approx(4 / (80 / 50)))
    assert (plain.replicates, weighted.replicates) == (0, 1000)
    assert weighted.high - weighted.low > plain.high - plain.low


def test_the_row_beside_it_is_the_score_itself():
    table = answers(**HALF).assign(respondent=[f"p{place % 35}" for place in range(50)])
    shared = [*RESULT, "n_people", "n_eff"]
    assert_frame_equal(raked(table)[shared].iloc[[0]], survey.nps(table)[shared])


def test_design_weights_stay_in():
    """Of a design weight that a margin knows of, raking to that margin leaves nothing; of any other it leaves all."""
    table = answers(**HALF)
    known = table.assign(weight=np.where(table["segment"] == "Home", 1.0, 2.5))
    score = survey.Score("nps", weight="weight")
    assert raked(known, measure=score)["estimate"].tolist() == pytest.approx(raked()["estimate"].tolist())
    other = table.assign(weight=np.where(table["score"] == 10, 3.0, 1.0))
    home, office = (100 * (3 * top - bottom) / (3 * top + middle + bottom) for top, middle, bottom in ((20, 10, 10), (3, 0, 7)))
    found = raked(other, measure=score).iloc[1]
    assert found["estimate"] == pytest.approx((home + office) / 2)
    # The heaviest answer is one of three promoters of Office: half of the customers in 16 parts, of which it has 3.
    assert found["largest_weight"] == pytest.approx(50 * 0.5 * 3 / 16)


@pytest.mark.parametrize("design", ["simple", "strata", "clusters"])
def test_raked_scores_are_rs_and_their_error_is_near(design):
    """survey::rake to both margins; R's error is linearised, ours no smaller than with weights as given."""
    rows = pd.read_csv(GOLDEN / f"api_{design}.csv").rename(columns={"district": "respondent"})
    margins = pd.read_csv(GOLDEN / "api_margins.csv").set_index("value")["customers"]
    people = pd.DataFrame({"type": np.repeat(["E", "H", "M"], margins[["E", "H", "M"]])})
    # The customers' two columns may go with each other in any way: raking knows their margins only.
    people = people.assign(target=np.repeat(["No", "Yes"], margins[["No", "Yes"]]))
    score = survey.Score("nps", weight="weight")
    found = fieldwork.raked(rows, people, margins=["type", "target"], measure=score).iloc[1]
    expected = pd.read_csv(GOLDEN / "survey_means.csv").query("design == @design + '_raked' and variable == 'nps'").iloc[0]
    assert found["estimate"] == pytest.approx(expected["estimate"], rel=1e-8)
    width = (found["high"] - found["low"]) / (expected["high"] - expected["low"])
    assert 0.93 < width < 1.15


def test_groups_are_parts_of_what_was_weighted_as_a_whole():
    """R's svyby of the raked sample: NPS of schools that met the target and of those that did not."""
    rows = pd.read_csv(GOLDEN / "api_clusters.csv").rename(columns={"district": "respondent"})
    margins = pd.read_csv(GOLDEN / "api_margins.csv").set_index("value")["customers"]
    people = pd.DataFrame(
        {"type": np.repeat(["E", "H", "M"], margins[["E", "H", "M"]]), "target": np.repeat(["No", "Yes"], margins[["No", "Yes"]])}
    )
    found = fieldwork.raked(rows, people, margins=["type", "target"], by="target", measure=survey.Score("nps", weight="weight"))
    expected = pd.read_csv(GOLDEN / "survey_domains.csv").query("design == 'clusters_raked'")["estimate"]
    assert found.loc[found["measure"] == "nps_raked", "estimate"].tolist() == pytest.approx(expected.tolist(), rel=1e-8)


def test_one_margin_of_all_combinations_is_post_stratification():
    random = np.random.default_rng(2)
    table = pd.DataFrame(
        {"segment": random.choice(["a", "b"], 80), "plan": random.choice(["x", "y"], 80), "score": random.integers(0, 11, 80)}
    )
    people = pd.DataFrame({"segment": ["a"] * 60 + ["b"] * 40, "plan": ["x"] * 20 + ["y"] * 70 + ["x"] * 10})
    found = fieldwork.raked(table, people, margins=[("segment", "plan")]).iloc[1]
    value = (table["score"] >= 9) * 100.0 - (table["score"] <= 6) * 100.0
    mean = value.groupby([table["segment"], table["plan"]]).mean()
    share = people.groupby(["segment", "plan"]).size() / 100
    assert found["estimate"] == pytest.approx((mean * share).sum())


def test_csat_and_effort_are_raked_as_well():
    table = pd.concat(
        [
            answers(**HALF).assign(score=lambda t: t["score"].clip(1, 5), kind="csat"),
            answers(**HALF).assign(score=lambda t: t["score"].clip(1, 7), kind="ces"),
        ]
    )
    csat = raked(table, measure=survey.Score("csat", scale=(1, 5)))
    assert csat["measure"].tolist() == ["csat", "csat_raked"]
    assert csat["estimate"].tolist() == pytest.approx([33 / 50, (30 / 40 + 3 / 10) / 2])
    ces = raked(table, measure=survey.Score("ces", scale=(1, 7)))
    assert ces["measure"].tolist() == ["ces_share", "ces_mean", "ces_share_raked", "ces_mean_raked"]
    rating = raked(table.assign(kind="rating", question="food"), measure=survey.Score("ratings", question="food", scale=(1, 7)))
    assert rating["measure"].tolist() == ["rating_mean", "rating_mean_raked"]


# What must always hold


@st.composite
def surveys(draw):
    """Answers of a few people in two plans and two segments, some not signed, each category answered."""
    size = draw(st.integers(8, 40))

    def column(values):
        return draw(st.lists(st.sampled_from(values), min_size=size, max_size=size))

    frame = pd.DataFrame({"score": column([*range(11), None]), "segment": column(["a", "b"]), "plan": column(["x", "y", None])})
    frame = frame.astype({"score": "Int64", "plan": object}).assign(
        respondent=pd.Series(column(["p1", "p2", "p3", "p4", None]), dtype=object)
    )
    frame.loc[:5, ["segment", "plan", "score"]] = [
        ["a", "x", 9],
        ["a", "y", 3],
        ["b", "x", 8],
        ["b", "y", 10],
        ["a", None, 0],
        ["b", None, 9],
    ]
    return frame


PEOPLE = customers(segment={"a": 70, "b": 30}, plan={"x": 20, "y": 80}).assign(plan=lambda t: t["plan"].where(t.index % 7 > 0))


@few
@given(surveys(), st.integers(0, 99))
def test_neither_the_engine_nor_the_order_of_the_rows_matters(table, seed):
    found = raked(table, PEOPLE, margins=["segment", "plan"], by="segment")
    other = raked(
        table.sample(frac=1, random_state=seed), PEOPLE.sample(frac=1, random_state=seed), margins=["segment", "plan"], by="segment"
    )
    assert_frame_equal(found, other, check_exact=True)
    con = ibis.duckdb.connect()
    engine = raked(con.create_table("responses", table), con.create_table("customers", PEOPLE), margins=["segment", "plan"], by="segment")
    assert_frame_equal(found, engine, check_exact=True)


@few
@given(surveys())
def test_bounds_are_in_order_and_weights_cost_answers(table):
    found = raked(table, PEOPLE, margins=["segment", "plan"])
    assert found["estimate"].between(found["low"], found["high"]).all()
    assert found["low"].ge(-100).all()
    assert found["high"].le(100).all()
    weighted = found.iloc[1]
    assert weighted["deff"] >= 1 - 1e-9
    assert weighted["largest_weight"] >= 1 - 1e-9
    assert weighted["n_eff"] <= weighted["n"] + 1e-9
    wider = raked(table, PEOPLE, margins=["segment", "plan"], level=0.99).iloc[1]
    assert wider["low"] <= weighted["low"]
    assert wider["high"] >= weighted["high"]


@few
@given(surveys())
def test_balance_says_what_raking_does(table):
    found = fieldwork.balance(table, PEOPLE, margins=["segment"], also=["plan"])
    known = table[table["score"].notna()]
    for margin, part in found.groupby("margin"):
        assert part[["estimate", "share_customers", "share_weighted"]].sum().tolist() == pytest.approx([1, 1, 1])
        assert part["n"].sum() == len(known)
        for row in part.itertuples():
            same = known[margin].isna() if row.category == "not recorded" else known[margin] == row.category
            assert (row.n, row.estimate) == (same.sum(), pytest.approx(same.mean()))
    segments = found[found["margin"] == "segment"]
    assert segments["share_weighted"].tolist() == pytest.approx(segments["share_customers"].tolist())
    assert segments["asmd_after"].max() < 1e-8
    assert list(found.columns) == ["margin", "category", *RESULT, *BALANCE]


def test_a_survey_that_looks_like_the_customers_stays_what_it_is():
    table = answers(Home=[10, 10, 3, 8] * 10, Office=[9, 3, 3, 8] * 10)
    plain, weighted = raked(table).itertuples()
    assert (weighted.estimate, weighted.deff, weighted.largest_weight) == pytest.approx((plain.estimate, 1, 1))


def test_people_who_repeat_themselves_make_the_raked_interval_wider():
    table = answers(**HALF)
    alone = raked(table.assign(respondent=range(50))).iloc[1]
    again = raked(pd.concat([table] * 4).assign(respondent=[*range(50)] * 4)).iloc[1]
    apart = raked(pd.concat([table] * 4).assign(respondent=range(200))).iloc[1]
    width = [each["high"] - each["low"] for each in (alone, again, apart)]
    assert width[1] == pytest.approx(width[0], rel=0.15)
    assert width[2] < 0.7 * width[1]
    assert again["n_people"] == 50


def test_the_interval_is_never_narrower_than_with_weights_as_given():
    """Margins that foretell every answer leave replicates nothing to vary by; a survey of 50 does not know that they do."""
    found = raked(answers(Home=[10] * 40, Office=[3] * 10)).iloc[1]
    assert found["estimate"] == pytest.approx(0)
    assert found["n_eff"] <= 50 / found["deff"] + 1e-9
    assert found["high"] - found["low"] > 30


# Which customers


SPELLS = pd.DataFrame(
    {
        "customer": ["a", "b", "c", "d", "e", "f"],
        "segment": ["Home", "Home", "Office", "Office", "Office", "Home"],
        "start": pd.to_datetime(["2025-01-01", "2026-01-06", "2026-01-01", "2025-01-01", "2026-02-01", None]),
        "end": pd.to_datetime([None, None, "2026-01-04", "2026-01-01", None, "2026-01-03"]),
    }
)
TEN_DAYS = answers(Home=[9, 3], Office=[3, 9]).assign(
    time_answered=pd.to_datetime(["2026-01-01", "2026-01-10", "2026-01-02", "2026-01-03"])
)


def test_customers_count_for_the_days_of_the_window_on_which_they_were_customers():
    found = fieldwork.balance(TEN_DAYS, SPELLS, margins=["segment"])
    # Home: a all ten days, b from the sixth on, f the first two. Office: c the first three; d had left, e was yet to come.
    assert found["average_customers"].tolist() == [pytest.approx(17 / 10), pytest.approx(3 / 10)]
    assert found["share_customers"].tolist() == [pytest.approx(0.85), pytest.approx(0.15)]
    assert found.attrs["notes"] == ["Weighted to the 2 customers of an average day from 2026-01-01 to 2026-01-10."]


def test_where_answers_carry_no_day_all_customers_of_the_table_count_once():
    found = fieldwork.balance(TEN_DAYS.drop(columns="time_answered"), SPELLS, margins=["segment"])
    assert found["share_customers"].tolist() == [0.5, 0.5]
    assert found.attrs["notes"] == ["Weighted to the 6 customers of the table."]


def test_without_consent_nobody_is_counted():
    people = customers(segment={"Home": 60, "Office": 40}).assign(consent=[True] * 50 + [False] * 20 + [None] * 10 + [True] * 20)
    assert fieldwork.balance(answers(**HALF), people, margins=["segment"])["share_customers"].tolist() == pytest.approx([50 / 70, 20 / 70])
    unasked = people.assign(consent=pd.Series(pd.NA, index=people.index, dtype="boolean"))
    assert fieldwork.balance(answers(**HALF), unasked, margins=["segment"])["share_customers"].tolist() == [0.6, 0.4]


def test_answers_of_nobody_among_these_customers_are_left_out_and_counted():
    table = pd.concat([answers(**HALF), answers(Partner=[0, 0]), answers(Home=[0]).assign(segment=None)])
    found = raked(table)
    assert_frame_equal(found, raked(), check_exact=True)
    assert found.attrs["notes"] == [
        "Weighted to the 100 customers of the table.",
        "3 of 53 answers are of nobody among these customers and left out.",
    ]


def test_a_missing_value_is_a_category_where_customers_have_it():
    people = pd.concat([SEGMENTS, SEGMENTS.head(25).assign(segment=None)])
    table = pd.concat([answers(**HALF), answers(Home=[10] * 5).assign(segment=None)])
    assert raked(table, people).loc[1, "estimate"] == pytest.approx(0.4 * 25 - 0.4 * 40 + 0.2 * 100)
    assert fieldwork.balance(table, people, margins=["segment"])["category"].tolist() == ["Home", "Office", "not recorded"]


def test_a_column_that_is_empty_on_one_side_is_not_weighted_to_and_said():
    table, people = answers(**HALF).assign(plan="x", region=None), SEGMENTS.assign(plan=None, region="North")
    found = raked(table, people, margins=["segment", "plan", "region"])
    assert found["estimate"].tolist() == raked()["estimate"].tolist()
    assert found.attrs["notes"][1:] == [
        "No customer has a plan. Nothing is weighted to it.",
        "No answer has a region. Nothing is weighted to it.",
    ]
    nothing = raked(table, people, margins=["plan"])
    assert (len(nothing), nothing.attrs["reason"]) == (0, "No customer has a plan.")


# What is not there, and what is refused


def test_a_group_that_nobody_answered_stays_without_a_number():
    table = pd.concat([answers(**HALF).assign(plan="x"), answers(Home=[None, None]).assign(plan="y")]).astype({"score": "Int64"})
    found = raked(table, by="plan")
    assert found["plan"].tolist() == ["x", "x", "y", "y"]
    assert found["n"].tolist() == [50, 50, 0, 0]
    assert found["estimate"].isna().tolist() == [False, False, True, True]
    assert found.loc[2:, ["low", "high"]].isna().all(axis=None)


def test_months_are_parts_of_what_was_weighted_as_a_whole():
    day = pd.to_datetime(["2026-01-05"] * 20 + ["2026-02-05"] * 30)
    table = answers(**HALF).sample(frac=1, random_state=1).assign(time_answered=day, month=day.to_period("M").start_time)
    found = raked(table.assign(month=lambda t: t["month"].dt.date), by="month")
    assert found["month"].tolist() == [dt.date(2026, 1, 1)] * 2 + [dt.date(2026, 2, 1)] * 2
    value = ((table["score"] >= 9) * 100.0 - (table["score"] <= 6) * 100.0).to_numpy()
    weight = np.where(table["segment"] == "Home", 1.0, 4.0)
    parts = [np.average(value[part], weights=weight[part]) for part in (slice(20), slice(20, 50))]
    assert found.loc[found["measure"] == "nps_raked", "estimate"].tolist() == pytest.approx(parts)


NOTHING = {
    "no answers": (answers(Home=[]).astype({"score": "float64"}), SEGMENTS, "Nobody was asked how likely they are to recommend."),
    "no customers": (answers(**HALF), SEGMENTS.head(0), "There are no customers to compare with."),
    "nobody then": (TEN_DAYS, SPELLS.iloc[[3, 4]], "Nobody was a customer from 2026-01-01 to 2026-01-10."),
    "strangers only": (answers(Partner=[9, 3]), SEGMENTS, "No answer is of one of these customers."),
}


@pytest.mark.parametrize(("table", "people", "reason"), NOTHING.values(), ids=NOTHING)
def test_without_both_sides_there_are_no_rows_and_a_reason(table, people, reason):
    for found, columns in (
        (raked(table, people), [*RESULT, *RAKED]),
        (fieldwork.balance(table, people, margins=["segment"]), ["margin", "category", *RESULT, *BALANCE]),
    ):
        assert (len(found), found.attrs["reason"], list(found.columns)) == (0, reason, columns)


LETTERS = {
    "customers that no answer is of": (
        lambda: raked(answers(Home=[9, 3]), customers(segment={"Home": 90, "Office": 6, "Partner": 4})),
        (
            "raked: no answer is of 2 of the 3 categories of 'segment' that customers have ('Office', 6 % of the customers; 'Partner', 4 % "
            "of the customers), so nothing can be weighted to stand for them. Leave the margin out, or join these categories with others."
        ),
    ),
    "margins that contradict each other": (
        lambda: raked(
            answers(Home=[9, 3], Office=[9]).assign(plan=["Basic", "Basic", "Plus"]),
            customers(segment={"Home": 60, "Office": 40}, plan={"Basic": 90, "Plus": 10}), margins=["segment", "plan"],
        ),
        (
            "raked: the margins cannot be met together: after 500 rounds 'segment' is still missed by 30 % of the customers. Some "
            "combinations of their categories have no answers: leave a margin out, or join categories."
        ),
    ),
    "a column of answers": (lambda: raked(margins=["plan"]), "raked: the table has no column 'plan'."),
    "a column of customers": (
        lambda: raked(answers(**HALF).assign(segmnt="a"), margins=["segmnt"]),
        "raked: the table has no column 'segmnt'. Did you mean 'segment'?",
    ),
    "dates": (
        lambda: raked(TEN_DAYS, SPELLS.assign(end="never")),
        "raked: 6 values of 'end' are not dates (row 1: 'never', row 2: 'never', row 3: 'never', …). Convert the column first.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "words"), LETTERS.values(), ids=LETTERS)
def test_a_table_that_cannot_be_weighted_gets_a_letter(call, words):
    with pytest.raises(TableError) as letter:
        call()
    assert str(letter.value) == words


ARGUMENTS = {
    "no margins": (
        lambda: raked(margins=[]),
        "raked: margins names no column; say which columns of customers the answers are to be weighted to",
    ),
    "twice": (lambda: raked(margins=["segment", "segment"]), "raked: margins names a column twice"),
    "measure": (lambda: raked(measure="NPS"), "measure: 'NPS' is none of 'nps', 'csat', 'ces', 'ratings'"),
    "ratings": (
        lambda: raked(measure="ratings"),
        "raked: each question was answered by others; name one, measure=Score('ratings', question='…')",
    ),
    "level": (lambda: raked(level=95), "level: 95 is not between 0 and 1; for 95 % write 0.95"),
    "by": (lambda: raked(by="deff"), "by: 'deff' is a column of this result and cannot be a key"),
}


@pytest.mark.parametrize(("call", "words"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_an_argument_that_means_nothing_is_refused(call, words):
    with pytest.raises(ValueError) as letter:  # noqa: PT011 - the whole message is compared
        call()
    assert str(letter.value) == words


# The tipping point


def moved_and_rates(before, after, invited, **columns):
    month = [dt.date(2026, 1, 1)] * len(before) + [dt.date(2026, 2, 1)] * len(after)
    moved = survey.movement(pd.DataFrame({"month": month, "score": [*before, *after]}).assign(**columns))
    counts = {"n": invited, "answered": [len(before), len(after)], "late": 0, "too_recent": 0, "recent_answered": 0}
    return moved, pd.DataFrame({"month": sorted(set(month)), "measure": "response_rate", **counts})


@given(
    st.lists(st.integers(0, 10), min_size=1, max_size=30),
    st.lists(st.integers(0, 10), min_size=1, max_size=30),
    st.integers(1, 200),
    st.integers(1, 200),
)
@settings(max_examples=15)
def test_with_the_silent_as_far_off_as_said_all_invited_score_the_same_in_both_periods(before, after, silent_before, silent_after):
    """By brute force: everybody who was invited, the silent of the first period like those who answered it."""
    found = fieldwork.tipping(*moved_and_rates(before, after, [len(before) + silent_before, len(after) + silent_after]), target=12.5).iloc[
        0
    ]
    values = [np.array([100.0 * ((score >= 9) - (score <= 6)) for score in scores]) for scores in (before, after)]
    first = np.concatenate([values[0], np.full(silent_before, values[0].mean())]).mean()
    everybody = np.concatenate([values[1], np.full(silent_after, values[1].mean() - found["estimate"])]).mean()
    assert everybody == pytest.approx(first, abs=1e-9)
    assert found["score_of_silent"] == pytest.approx(values[1].mean() - found["estimate"], abs=1e-9)
    assert found["possible"] == (-100 <= found["score_of_silent"] <= 100)
    at_target = np.concatenate([values[1], np.full(silent_after, values[1].mean() - found["to_target"])]).mean()
    assert at_target == pytest.approx(12.5, abs=1e-9)
    assert np.isnan(found["low"]) or found["low"] <= found["estimate"] <= found["high"]


def test_without_invitations_no_tipping_point_is_known():
    moved, rates = moved_and_rates([9, 3], [9, 9], [40, 40])
    found = fieldwork.tipping(moved, rates.head(1))
    assert found["estimate"].isna().all()
    assert found["possible"].isna().all()
    nobody = fieldwork.tipping(moved, rates.assign(n=[2, 2]))
    assert nobody["estimate"].isna().all(), "nobody is silent"
    empty = fieldwork.tipping(survey.movement(pd.DataFrame({"month": [dt.date(2026, 1, 1)], "score": [9]})), rates)
    assert empty.attrs["reason"] == "All answers are of one month, so there is none to compare it with."
    assert list(empty.columns) == list(found.columns)


def test_who_had_no_time_to_answer_yet_is_not_silent():
    """Half of the second month's invitations are too recent; of the others every fourth was answered in time."""
    moved, rates = moved_and_rates([10] * 40 + [3] * 20, [10] * 20 + [3] * 40, [240, 120])
    rates = rates.assign(answered=[60, 30], too_recent=[0, 120], recent_answered=[0, 90], late=[5, 7])
    (found,) = fieldwork.tipping(moved, rates).itertuples()
    assert (found.invited, found.answered, found.too_recent) == (120, 30, 120)
    assert found.estimate == pytest.approx(found.change / 0.75)
    said = figures.sentence(fieldwork.tipping(moved, rates)).text
    assert "Of 120 invitations of February 2026 that had their time, 25 in 100 were answered in it; 120 more are too recent. To" in said
    none = fieldwork.tipping(moved, rates.assign(n=[240, 0], answered=[60, 0]))
    assert none["estimate"].isna().all()
    assert figures.sentence(none).text.startswith("No invitation is known that had its time, so nothing is known of the silent.")


def test_waves_and_groups_find_their_own_response_rate():
    table = pd.DataFrame(
        {
            "wave": list("112212"),
            "score": [9, 9, 3, 3, 9, 3],
            "plan": list("aaaabb"),
            "time_answered": pd.to_datetime(["2026-01-01"] * 2 + ["2026-02-01"] * 2 + ["2026-01-01", "2026-02-01"]),
        }
    )
    moved = survey.movement(table, between="wave", by="plan")
    rates = pd.DataFrame(
        {
            "plan": list("aabb"),
            "wave": list("1212"),
            "measure": "response_rate",
            "n": [10, 4, 10, 10],
            "answered": [2, 2, 1, 1],
            "late": 0,
            "too_recent": 0,
            "recent_answered": 0,
        }
    )
    found = fieldwork.tipping(moved, rates)
    assert found[["plan", "period", "against", "invited", "answered"]].values.tolist() == [["a", "2", "1", 4, 2], ["b", "2", "1", 10, 1]]
    assert found["estimate"].tolist() == pytest.approx([-200 / 0.5, -200 / 0.9])
    assert found["possible"].tolist() == [False, False]
    with pytest.raises(TableError) as letter:
        fieldwork.tipping(moved, rates.drop(columns="plan"))
    assert str(letter.value) == "tipping: the response rates are not by 'plan'. Ask for them: by=['plan', 'wave']."


def test_rates_of_other_periods_than_those_compared_say_nothing():
    moved, rates = moved_and_rates([9, 3], [9, 9], [40, 40])
    found = fieldwork.tipping(moved, rates.assign(wave=["1", "2"]).drop(columns="month"))
    assert (len(found), found.attrs["reason"]) == (0, "Response rates are known by wave, and not by month.")


def test_rates_by_more_columns_than_the_change_are_summed_up():
    moved, rates = moved_and_rates([9, 3], [9, 9], [40, 40])
    halves = pd.concat([rates.assign(plan=plan, n=20, answered=1) for plan in "ab"])
    assert fieldwork.tipping(moved, halves)["estimate"].tolist() == pytest.approx(fieldwork.tipping(moved, rates)["estimate"].tolist())


def test_what_is_no_movement_or_no_rate_is_refused():
    moved, rates = moved_and_rates([9, 3], [9, 9], [40, 40])
    with pytest.raises(ValueError, match=r"^tipping: moved is no movement; it is what survey\.movement\(responses\) returns$"):
        fieldwork.tipping(rates, rates)
    with pytest.raises(ValueError, match=r"^tipping: rates are no response rates; they are what fieldwork\.response_rate"):
        fieldwork.tipping(moved, moved)


# In words and pictures


@pytest.fixture
def fresh():
    CURRENT.__dict__.update(Settings().__dict__)


@pytest.mark.usefixtures("fresh")
def test_both_scores_are_said_side_by_side():
    assert figures.sentence(raked()).text == (
        "As it came in, loyalty (NPS) is 12 points (95 % interval −12 to 35; 50 answers, undated). Weighted to the customers, it is −8 "
        "points (−37 to 23). The heaviest answer counts for 2.5 average ones; so weighted, 50 answers say as much as 32 would unweighted. "
        "Weighted to the 100 customers of the table."
    )


@pytest.mark.usefixtures("fresh")
def test_of_groups_the_one_is_named_that_weighting_moves_most():
    table = answers(**HALF).assign(plan=["x"] * 30 + ["y"] * 20)
    text = figures.sentence(raked(table, by="plan")).text
    assert text.startswith("Weighted to the customers, loyalty (NPS) moves most in y: to −")
    same = raked(answers(Home=[10, 3] * 10, Office=[9, 3] * 10), by="segment")
    assert figures.sentence(same).text.startswith("Weighted to the customers, loyalty (NPS) stays what it was in each of 2 groups.")


@pytest.mark.usefixtures("fresh")
def test_the_picture_of_the_balance_names_who_is_furthest_from_the_customers():
    table = answers(**HALF).assign(plan=["x", "y"] * 25)
    found = fieldwork.balance(table, SEGMENTS.assign(plan=["x"] * 30 + ["y"] * 70), margins=["segment"], also=["plan"])
    picture = figures.balance(found)
    assert picture.text == (
        "4 categories of 4 are 0.1 standard deviations away or more, the farthest: "
        "Home (segment) gave 80 % of the answers and is 50 % of the customers; "
        "Office (segment) 20 % of the answers and 50 % of the customers; x (plan) 50 % of the answers and 30 % of the customers. "
        "After weighting the largest distance left is 0.44, of x (plan)."
    )
    assert len(picture.axes) == 1
    for said in ("Home (segment)", "+30.0 → 0.0", "50 %"):
        assert said in picture.svg()


@pytest.mark.usefixtures("fresh")
def test_a_category_of_few_answers_is_withheld_and_so_is_one_beside_it():
    few_ = answers(Home=[10, 3] * 10, Office=[9, 3] * 10, Partner=[9, 9])
    found = fieldwork.balance(few_, customers(segment={"Home": 50, "Office": 45, "Partner": 5}), margins=["segment"])
    picture = figures.balance(found)
    assert "fewer than 5 answers (segment · Partner)" in picture.below
    assert "Partner" not in picture.text
    assert "Partner" not in picture.svg()
    assert [row["share_customers"] is None for row in picture.results[0]["rows"]].count(True) == 2


@pytest.mark.usefixtures("fresh")
def test_a_tipping_point_is_said_of_a_change_that_is_larger_than_chance():
    fell = moved_and_rates([10] * 40 + [8] * 10 + [3] * 10, [10] * 20 + [8] * 10 + [3] * 30, [200, 240])
    assert figures.sentence(fieldwork.tipping(*fell)).text.startswith(
        "Loyalty (NPS) fell by 67 points between January 2026 and February 2026. Of 240 invitations of February 2026 that had their time, "
        "25 in 100 were answered in it. To erase that, the silent would have to score 89 points higher than those who answered "
        "(95 % interval "
    )
    chance = moved_and_rates([9, 3] * 5, [9, 9, 3] * 3, [40, 40])
    assert figures.sentence(fieldwork.tipping(*chance)).text.startswith(
        "None of 1 change is larger than chance, so there is nothing that the silent could erase."
    )
    few_silent = moved_and_rates([10] * 60, [3] * 60, [60, 70])
    assert "which is beyond the end of the scale." in figures.sentence(fieldwork.tipping(*few_silent)).text


# The sample company


def test_the_sample_companys_raked_score_holds_what_is_true_of_its_customers():
    book = sources.read(ROOT / "data" / "sources.toml", as_of="2026-06-30")
    margins = ["segment", "plan", "region"]
    before = book.responses.filter(book.responses["month"] < dt.date(2026, 2, 1))
    since = book.responses.filter(book.responses["month"] >= dt.date(2026, 2, 1))
    for part, true in ((before, 38.0), (since, 24.0)):
        weighted = fieldwork.raked(part, book.customers, margins=margins).iloc[1]
        assert weighted["low"] < true < weighted["high"]
    found = fieldwork.balance(book.responses, book.customers, margins=["segment"], also=["persona"]).set_index("category")
    # Hospitality is asked twice as often as Home; bargain hunters answer half as often as devotees.
    assert found.loc["Hospitality", "estimate"] > 1.3 * found.loc["Hospitality", "share_customers"]
    assert found.loc["Devotee", "low"] > found.loc["Devotee", "share_customers"]
    assert found.loc["Bargain hunter", "high"] < found.loc["Bargain hunter", "share_customers"]
    assert found.loc["Hospitality", "share_weighted"] == pytest.approx(found.loc["Hospitality", "share_customers"])
