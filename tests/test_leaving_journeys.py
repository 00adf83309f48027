"""Unfinished journeys: day by day as asking each case, nobody lost who has had no time, no immortal time, the truth of the sample."""

import json
import re
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from test_leaving import FIRST, customers, days, engine_table, states

from cxlib import leaving, sample
from cxlib.tables import TableError

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

SAMPLE = Path(__file__).parents[1] / "data" / "sample"


def steps(*rows) -> pd.DataFrame:
    """Events from (case, customer, activity, day since FIRST)."""
    frame = pd.DataFrame(rows, columns=["case_id", "customer", "activity", "time"])
    return frame.assign(time=days(*frame["time"]).to_numpy())


def shown(found: pd.DataFrame) -> list[tuple[str, str, int]]:
    """What was learned of whom on which day since FIRST."""
    rows = found.dropna(subset="customer")
    return list(zip(rows["customer"], rows["value"], (rows["valid_from"] - FIRST).dt.days, strict=True))


def of_anybody(found: pd.DataFrame) -> list[list[object]]:
    """What holds of anybody before something is learned."""
    rows = found[found["customer"].isna()]
    return rows.assign(undated=rows["valid_from"].isna())[["attribute", "value", "undated"]].values.tolist()


@st.composite
def logs(draw):
    """Steps of up to nine cases of three customers, at quarters of days, some of them without a customer; each has one goal at least."""
    cases = st.sampled_from(["a1", "a2", "a3", "b1", "b2", "c1", "c2", "x1", "x2"])
    step = st.tuples(cases, st.sampled_from(["look", "look", "ask", "pay"]), st.integers(0, 160).map(lambda quarter: quarter / 4))
    rows = draw(st.lists(step, max_size=40))
    return steps(
        *((case, None if case[0] == "x" else case[0], activity, day) for case, activity, day in rows),
        ("x9", None, "pay", 0),
    )


def one_by_one(events: pd.DataFrame, customer: str, day: int, within: int, lasts: int) -> str:
    """Whether on the evening of a day a case of the customer was unfinished, from all that had happened by then."""
    evening = FIRST + pd.Timedelta(days=day + 1)
    mine: dict[str, list[tuple[pd.Timestamp, str]]] = {}
    for row in events[events["customer"] == customer].itertuples():
        mine.setdefault(row.case_id, []).append((row.time, row.activity))
    for case in mine.values():
        patience = min(case)[0] + pd.Timedelta(days=within)
        over = patience.normalize() + pd.Timedelta(days=lasts)
        if patience < evening <= over and not any(time < evening and activity == "pay" for time, activity in case):
            return "yes"
    return "no"


@settings(max_examples=4, deadline=None)
@given(events=logs(), within=st.sampled_from([1, 4, 15]), lasts=st.sampled_from([1, 9, 40]))
def test_a_journey_is_unfinished_on_the_days_on_which_asking_each_case_finds_one(events, within, lasts):
    found = leaving.journeys(events, goal="pay", within_days=within, for_days=lasts)
    calendar = pd.date_range(FIRST, periods=110)
    for customer in "abc":
        expected = [one_by_one(events, customer, day, within, lasts) for day in range(110)]
        assert states(found, customer, calendar, "no") == expected
    assert list(found) == ["customer", "attribute", "value", "valid_from"]
    assert of_anybody(found) == [["unfinished journey", "no", True]]


@settings(max_examples=4, deadline=None)
@given(events=logs(), seed=st.integers(0, 99))
def test_an_engines_events_and_shuffled_ones_teach_the_same(events, seed):
    asked = {"goal": "pay", "within_days": 4, "for_days": 9}
    found = leaving.journeys(events, **asked)
    assert_frame_equal(found, leaving.journeys(events.sample(frac=1, random_state=seed), **asked))
    lazy = leaving.journeys(engine_table(events, "events"), **asked)
    assert isinstance(lazy, ibis.Table)
    assert_frame_equal(lazy.execute().sort_values(["customer", "valid_from"], ignore_index=True), found, check_dtype=False)


def test_who_has_not_had_the_time_yet_has_lost_nothing():
    """Begun on day 0 with ten days to go: on day 9 the model knows of nothing, on day 10 it does, whatever comes later."""
    table = customers(("a", 0, None), ("b", 0, 8), ("c", 0, 9))
    events = steps(("j", "a", "look", 0), ("k", "z", "pay", 0))
    learned = leaving.journeys(events, goal="pay", within_days=10)
    there = []
    for day in (9, 10):
        as_of = (FIRST + pd.Timedelta(days=day)).date()
        found = leaving.model(table, as_of=as_of, learned=[learned], of="unfinished journey")
        there.append(found.there["unfinished journey"].tolist())
    assert there == [["no"], ["yes"]]


def test_a_goal_in_time_teaches_nothing_and_one_after_it_ends_the_state_on_its_day():
    within = {"goal": "pay", "within_days": 5, "for_days": 30}
    cases = [("in time", 5.0), ("an hour late", 5.05), ("late", 12.5), ("after it faded", 40.0)]
    events = steps(*((name, name, "look", 0) for name, _ in cases), *((name, name, "pay", day) for name, day in cases))
    assert shown(leaving.journeys(events, **within)) == [
        ("after it faded", "yes", 5),
        ("after it faded", "no", 35),
        ("late", "yes", 5),
        ("late", "no", 12),
    ]


def test_of_several_unfinished_journeys_the_state_lasts_until_the_last_is_over():
    events = steps(("j", "a", "look", 0), ("k", "a", "look", 6), ("l", "a", "look", 30), ("k", "a", "pay", 14), ("j", "a", "ask", 25))
    assert shown(leaving.journeys(events, goal="pay", within_days=5, for_days=8)) == [
        ("a", "yes", 5),
        ("a", "no", 14),
        ("a", "yes", 35),
        ("a", "no", 43),
    ]


def test_a_case_belongs_to_the_customer_who_is_known_in_any_of_its_steps():
    events = steps(("j", None, "look", 0), ("j", "a", "ask", 1), ("k", None, "look", 0), ("l", None, "pay", 0))
    assert shown(leaving.journeys(events, goal="pay", within_days=5)) == [("a", "yes", 5), ("a", "no", 95)]


@pytest.mark.parametrize("goal", ["pay", ""])
def test_without_events_or_without_a_goal_nothing_is_learned_of_anybody(goal):
    events = steps(("j", "a", "look", 0))
    found = leaving.journeys(events if not goal else events.iloc[:0], goal=goal, within_days=5)
    assert of_anybody(found) == [["unfinished journey", "no", True]]
    assert len(found) == 1
    model = leaving.model(
        customers(("a", 0, 9), ("b", 0, None)), as_of=(FIRST + pd.Timedelta(days=20)).date(), learned=[found], of="unfinished journey"
    )
    assert model.notes == ("All are alike in 'unfinished journey' (no): it tells nobody apart.",)


def test_a_journey_left_unfinished_seems_to_keep_customers_where_it_is_counted_from_its_first_step_and_not_where_it_counts_once_known():
    """Leaving has nothing to do with journeys; but only who stays for two weeks after beginning one is known not to have finished it."""
    random, n = np.random.default_rng(7), 1500
    left, begun = (np.floor(random.exponential(scale, n)).astype(int) for scale in (30, 20))
    who = [f"c{number}" for number in range(n)]
    table = pd.DataFrame({"customer": who, "start": FIRST, "end": days(*left).to_numpy()})
    looked = pd.DataFrame({"case_id": who, "customer": who, "activity": "look", "time": days(*begun).to_numpy()})[begun < left]
    events = pd.concat([looked, steps(("goal", None, "pay", 0))], ignore_index=True)
    as_of = (FIRST + pd.Timedelta(days=int(left.max()) + 1)).date()
    known = leaving.journeys(events, goal="pay", within_days=14, for_days=10_000)
    known = known[(known["valid_from"] <= pd.Timestamp(as_of)) | known["customer"].isna()]
    seen = known.merge(table, on="customer", how="left")
    seen = known[~(seen["valid_from"] > seen["end"]).to_numpy()]
    too_early = seen.assign(valid_from=seen["valid_from"] - pd.Timedelta(days=14))
    wrong, right = (
        leaving.effects(leaving.model(table, as_of=as_of, learned=[each], of="unfinished journey")).query("category == 'yes'").iloc[0]
        for each in (too_early, known)
    )
    assert (wrong["high"] < 0.9, wrong["verdict"]) == (True, "leaves later")
    assert right["low"] < 1 < right["high"]
    assert right["verdict"] == "cannot tell yet"


def test_in_companies_where_nobody_leaves_because_of_a_journey_the_ratio_holds_one():
    """The truth names all that moves the hazard of choice; journeys are not among it, so that their ratio is 1."""
    truth = json.loads((SAMPLE / "truth.json").read_text(encoding="utf-8"))["hazards"]
    assert not [words for words in (*truth["choice_times"], *truth["hazard_ratios_of_choice"]) if "journey" in words]
    held = []
    for seed in range(301, 306):
        tables = sample.company(customers=1500, seed=seed)
        learned = [tables["attributes"], leaving.journeys(tables["events"], goal="pay", within_days=7)]
        found = leaving.model(
            tables["customers"], as_of="2026-06-30", learned=learned, of=["plan", "segment", "unfinished journey"], reason="choice"
        )
        row = leaving.effects(found).query("category == 'yes'").iloc[0]
        assert row["events"] > 50
        held.append(row["low"] <= 1 <= row["high"])
    # Of five intervals that hold in 95 % four or five hold in 98 of 100 times.
    assert sum(held) >= 4


MESSAGES = [
    (
        {"goal": "pya"},
        (
            "journeys: none of 5 events is the goal 'pya'; there are 4 activities ('ask', 'look', 'pay', …). Did you mean 'pay'? "
            "Give one of them as goal, or '' where journeys have none."
        ),
    ),
    ({"within_days": 0}, "journeys: within_days is a whole number of days from 1, not 0"),
    ({"for_days": 1.5}, "journeys: for_days is a whole number of days from 1, not 1.5"),
    ({"case_id": None}, "journeys: 1 of 5 events have no case_id (row 1: 'look of no case'). Correct them, or leave them out."),
    ({"time": pd.NaT}, "journeys: 1 of 5 events have no time (row 1: 'look of j'). Correct them, or leave them out."),
    (
        {"customer": "z"},
        "journeys: 1 of 3 cases have events of several customers ('j'). Give the part of each customer a case_id of its own.",
    ),
]


@pytest.mark.parametrize(("change", "words"), MESSAGES, ids=[words[:45] for _, words in MESSAGES])
def test_a_letter_says_who_asks_what_is_wrong_and_what_to_do(change, words):
    events = steps(("j", "a", "look", 0), ("j", "a", "ask", 1), ("j", "a", "wait", 2), ("k", "b", "pay", 3), ("l", "b", "pay", 4))
    for name in set(change) & set(events):
        events.loc[0, name] = change[name]
    asked = {"goal": "pay", "within_days": 7} | {name: value for name, value in change.items() if name not in events}
    with pytest.raises((TableError, ValueError), match=f"^{re.escape(words)}$"):
        leaving.journeys(events, **asked)


def test_a_column_that_is_absent_or_holds_no_times_is_named():
    events = steps(("j", "a", "pay", 0))
    with pytest.raises(TableError, match=r"^journeys: the table has no column 'case_id'\.$"):
        leaving.journeys(events.drop(columns="case_id"), goal="pay", within_days=7)
    words = "journeys: 1 values of 'time' are not dates (row 1: 'monday'). Convert the column first."
    with pytest.raises(TableError, match=f"^{re.escape(words)}$"):
        leaving.journeys(events.assign(time="monday"), goal="pay", within_days=7)
