"""Leaving: rows as counting customer by customer has them, no immortal time, R's coefficients through the whole room."""

import datetime as dt
import re
from functools import cache
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from cxlib import leaving
from cxlib.leaving.histories import NOT_RECORDED, Histories
from cxlib.leaving.terms import Rows, Whose
from cxlib.stats import cox
from cxlib.tables import RESULT, TableError

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

GOLDEN = Path(__file__).parent / "golden"
AS_OF = dt.date(2026, 6, 30)
FIRST = pd.Timestamp("2025-03-10")

# Most of an example's time is the engine's preparation, so a few examples of many rows tell more than many of a few.
few = settings(max_examples=4, deadline=None)


@cache
def engine() -> ibis.BaseBackend:
    return ibis.duckdb.connect()


def engine_table(frame: pd.DataFrame, name: str) -> ibis.Table:
    text = {column: "string" for column in frame if frame[column].dtype == object}
    return engine().create_table(name, frame.astype(text), overwrite=True)


def days(*offsets) -> pd.Series:
    return FIRST + pd.to_timedelta(pd.Series(offsets, dtype="float64"), unit="D")


def learned(*rows) -> pd.DataFrame:
    """What was learned, from (customer, attribute, value, day since FIRST)."""
    frame = pd.DataFrame(rows, columns=["customer", "attribute", "value", "valid_from"])
    return frame.assign(valid_from=days(*frame["valid_from"]).to_numpy())


def customers(*spells, **columns) -> pd.DataFrame:
    """Spells from (customer, start, end, observed_from), in days since FIRST."""
    frame = pd.DataFrame([(*spell, None, None)[:4] for spell in spells], columns=["customer", "start", "end", "observed_from"])
    return frame.assign(**{name: days(*frame[name]).to_numpy() for name in ("start", "end", "observed_from")}, **columns)


# Start-stop rows


def one_by_one(spells: pd.DataFrame, known: pd.DataFrame, names: list[str], as_of: dt.date) -> pd.DataFrame:
    """Cells by a loop over customers and over each of their days: who was at risk, with what was known the evening before."""
    last, rows = pd.Timestamp(as_of), []
    for spell in spells[spells["start"] <= last].to_dict("records"):
        ended = pd.notna(spell["end"]) and spell["end"] <= last
        tenure = ((spell["end"] if ended else last) - spell["start"]).days
        late = pd.notna(spell["observed_from"]) and spell["observed_from"] > spell["start"]
        entry = (spell["observed_from"] - spell["start"]).days if late else 0
        mine = known[(known["customer"] == spell["customer"]) & (known["valid_from"] <= last)]
        stretch = []
        for at in range(entry, tenure + 1):
            day = spell["start"] + pd.Timedelta(days=at)
            # On the first day it counts what is known by its end, on any other what was known before it.
            heard = mine[mine["valid_from"] <= day] if at == entry else mine[mine["valid_from"] < day]
            told = []
            for name in names:
                of = heard[heard["attribute"] == name].sort_values("valid_from")
                value = of["value"].iloc[-1] if len(of) else spell.get(name)
                told.append(NOT_RECORDED if value is None or pd.isna(value) else value)
            stretch.append((tuple(told), at))
        for told, at in stretch:
            rows.append((*told, at, ended and at == tenure))
    return pd.DataFrame(rows, columns=[*names, "day", "ended"])


def by_day(cells: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Spells at risk and ended on each day of tenure, from cells: a row for every day of every spell."""
    named = cells.rename(columns={f"v{place}": name for place, name in enumerate(names)})
    named = named.loc[named.index.repeat(named["spells"])].reset_index(drop=True)
    stretches = [np.arange(int(np.floor(start)) + 1, int(stop) + 1) for start, stop in zip(named["start"], named["stop"], strict=True)]
    out = named.loc[named.index.repeat([len(each) for each in stretches])].assign(day=np.concatenate(stretches))
    return out.assign(ended=out["ended"] & (out["day"] == out["stop"]))[[*names, "day", "ended"]]


@st.composite
def stories(draw):
    """Spells of a few customers, some with several, some observed late, and what was learned of them."""
    day = st.integers(0, 60)
    who = st.sampled_from(list("abcdef"))
    spells = draw(st.lists(st.tuples(who, day, st.one_of(st.none(), day), st.integers(-20, 20)), min_size=1, max_size=12))
    rows = [
        (customer, start, None if length is None else start + length, start + late if late > -10 else None)
        for customer, start, length, late in spells
    ]
    plans = draw(st.lists(st.sampled_from(["x", "y", None]), min_size=len(rows), max_size=len(rows)))
    table = customers(*rows).assign(plan=pd.Series(plans, dtype=object))
    values = st.sampled_from(["x", "y", "z", None])
    facts = draw(st.lists(st.tuples(who, st.sampled_from(["plan", "mood"]), values, st.integers(-10, 70)), max_size=25))
    known = learned(*facts).drop_duplicates(["customer", "attribute", "valid_from"])
    return table, known


@settings(max_examples=15, deadline=None)
@given(story=stories())
def test_rows_are_those_of_asking_what_was_known_of_each_customer_on_each_day(story):
    table, known = story
    anybody = learned((None, "mood", None, np.nan))
    as_of, names = (FIRST + pd.Timedelta(days=45)).date(), ["plan", "mood"]
    asked = Histories(table, [known, anybody], names, None, as_of)
    if not asked.spells()[1]:
        return
    expected = one_by_one(table, known, names, as_of)
    order = [*names, "day", "ended"]
    found = by_day(asked.cells(), names)
    assert_frame_equal(found.sort_values(order, ignore_index=True), expected.sort_values(order, ignore_index=True), check_dtype=False)
    whose, cells = asked.whose(), asked.cells()
    assert whose.groupby("cell").size().to_dict() == cells.set_index("cell")["spells"].to_dict()


@few
@given(story=stories(), seed=st.integers(0, 99))
def test_frames_engine_tables_and_shuffled_rows_give_the_same_cells(story, seed):
    table, known = story
    as_of = (FIRST + pd.Timedelta(days=45)).date()

    def cells(customers, learned):
        asked = Histories(customers, [learned], ["plan"], None, as_of)
        return asked.cells().drop(columns="cell"), asked.there()

    found = cells(table, known)
    others = [
        cells(engine_table(table, "customers"), engine_table(known, "learned")),
        cells(table.sample(frac=1, random_state=seed), known.sample(frac=1, random_state=seed)),
    ]
    for cell, there in others:
        assert_frame_equal(found[0], cell, check_exact=True)
        assert_frame_equal(found[1], there, check_exact=True)


def test_what_is_learned_after_the_last_day_changes_nothing():
    table = customers(("a", 0, 20), ("b", 0, None), ("c", 3, 15), ("d", 0, None), plan=["x", "x", "y", "y"])
    known = learned(("b", "plan", "y", 10), ("d", "plan", "x", 5))
    later = learned(("b", "plan", "x", 26), ("d", "plan", "y", 40))
    as_of = (FIRST + pd.Timedelta(days=25)).date()
    found, again = (leaving.model(table, as_of=as_of, learned=each, of="plan") for each in ([known], [known, later]))
    assert_frame_equal(found.there, again.there)
    assert_frame_equal(leaving.effects(found), leaving.effects(again))
    assert found.there[["customer", "tenure_days", "plan"]].values.tolist() == [["b", 25, "y"], ["d", 25, "x"]]


def test_who_is_still_there_has_what_was_learned_on_the_last_day():
    table = customers(("a", 0, 20), ("b", 0, None), ("c", 0, 15), ("d", 0, 24), plan=["x", "x", "y", "y"])
    found = leaving.model(table, as_of=(FIRST + pd.Timedelta(days=25)).date(), learned=[learned(("b", "plan", "y", 25))], of="plan")
    assert found.there["plan"].tolist() == ["y"]
    # But nobody was at risk with it yet.
    assert leaving.effects(found).set_index("category")["n"].to_dict() == {"x": 2, "y": 2}


# What was learned


def states(frame: pd.DataFrame, customer: str, days: pd.DatetimeIndex, before: str) -> list[str]:
    """The value that holds on the evening of each day, by the rows of an attribute."""
    mine = frame[frame["customer"] == customer].sort_values("valid_from")
    return [([before, *mine.loc[mine["valid_from"] <= day, "value"]])[-1] for day in days]


@few
@given(answers=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 40), st.integers(0, 10)), max_size=12))
def test_an_answer_holds_until_the_next_one_or_for_as_long_as_declared(answers):
    rows = pd.DataFrame(answers, columns=["respondent", "day", "score"]).drop_duplicates(["respondent", "day"])
    found = leaving.scores(rows.assign(time_received=days(*rows["day"]).to_numpy()).astype({"respondent": "string"}), recent_days=10)
    calendar = pd.date_range(FIRST, periods=60)
    for customer in "ab":
        expected = []
        for day in range(60):
            mine = rows[(rows["respondent"] == customer) & (rows["day"] <= day) & (rows["day"] > day - 10)].sort_values("day")
            score = mine["score"].iloc[-1] if len(mine) else None
            named = "detractor" if score is not None and score <= 6 else "passive" if score is not None and score <= 8 else "promoter"
            expected.append("no recent answer" if score is None else named)
        assert states(found, customer, calendar, "no recent answer") == expected
    assert found["customer"].isna().sum() == 1


@few
@given(tickets=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.one_of(st.none(), st.integers(0, 20))), max_size=10))
def test_a_ticket_is_slow_from_the_day_it_has_been_open_for_so_long(tickets):
    rows = pd.DataFrame(tickets, columns=["customer", "opened", "took"]).astype({"customer": "string", "took": "float64"})
    dated = rows.assign(time_opened=days(*rows["opened"]).to_numpy(), time_resolved=days(*(rows["opened"] + rows["took"])).to_numpy())
    found = leaving.slow_tickets(dated, over_days=5, for_days=7)
    calendar = pd.date_range(FIRST, periods=60)
    for customer in "ab":
        mine = rows[(rows["customer"] == customer) & ~(rows["took"] <= 5)]
        expected = ["yes" if any(opened + 5 <= day < opened + 12 for opened in mine["opened"]) else "no" for day in range(60)]
        assert states(found, customer, calendar, "no") == expected


def test_a_bounced_message_is_not_sent_and_one_campaign_may_be_asked_for():
    sends = pd.DataFrame(
        {
            "customer": list("abcd"),
            "campaign": ["one", "one", "two", "one"],
            "arm": ["message", "control", "message", "message"],
            "bounced": [True, False, False, False],
            "time_sent": days(0, 0, 0, 0),
        }
    )
    every, one = (leaving.campaigns(sends, campaign=name)[["customer", "value"]].dropna().values.tolist() for name in (None, "one"))
    gone = "nothing sent"
    assert every == [["b", "held back"], ["b", gone], ["c", "sent"], ["c", gone], ["d", "sent"], ["d", gone]]
    assert one == [["b", "held back"], ["b", gone], ["d", "sent"], ["d", gone]]
    with pytest.raises(TableError, match=r"^campaigns: no row is of a campaign 'three'\.$"):
        leaving.campaigns(sends, campaign="three")


def test_scores_of_staff_skipped_questions_and_other_questions_are_no_answers():
    responses = pd.DataFrame(
        {
            "respondent": list("abcd"),
            "role": ["staff", "customer", "customer", None],
            "question": ["recommend", "recommend", "ease", "recommend"],
            "kind": ["nps", "nps", "ces", "nps"],
            "score": [10, None, 7, 9],
            "scale_low": [0, 0, 1, 0],
            "scale_high": [10, 10, 7, 10],
            "time_answered": days(0, 0, 0, 0),
        }
    )
    assert leaving.scores(responses)[["customer", "value"]].values.tolist()[0] == ["d", "promoter"]
    assert len(leaving.scores(responses)) == 3
    eased = leaving.scores(responses, question="ease", name="ease")
    assert eased[["customer", "attribute", "value"]].values.tolist()[0] == ["c", "ease", "best two"]
    with pytest.raises(TableError, match=r"^scores: no answer is to a question 'esae'\. Did you mean 'ease'\?$"):
        leaving.scores(responses, question="esae")
    with pytest.raises(TableError, match=r"^scores: 1 scores are not on the scale of their question \(11\)\."):
        leaving.scores(responses.assign(score=[10, None, 7, 11]))


# No immortal time


def test_having_had_a_slow_ticket_seems_to_protect_where_it_is_counted_from_day_0_and_not_where_it_counts_from_then_on():
    """Leaving has nothing to do with tickets; but only who stays long enough has one that has been open for a week."""
    random, n = np.random.default_rng(7), 1500
    life, opened = random.exponential(60, n), random.exponential(60, n)
    who = [f"c{number}" for number in range(n)]
    left = np.floor(life).astype(int)
    table = pd.DataFrame({"customer": who, "start": FIRST, "end": days(*left).to_numpy()})
    had = opened < life
    tickets = pd.DataFrame({"customer": who, "time_opened": days(*np.floor(opened)).to_numpy(), "time_resolved": pd.NaT})[had]
    as_of = (FIRST + pd.Timedelta(days=int(left.max()) + 1)).date()
    ever = leaving.slow_tickets(tickets, over_days=7, for_days=10_000)
    slow = ever.dropna(subset="customer").query("value == 'yes'").merge(table, on="customer")
    slow = slow[slow["valid_from"] <= slow["end"]]
    naive = table.assign(had_slow_ticket=table["customer"].isin(slow["customer"]))
    (wrong,) = leaving.effects(leaving.model(naive, as_of=as_of, of="had_slow_ticket")).query("category == 'yes'").itertuples()
    (right,) = leaving.effects(leaving.model(table, as_of=as_of, learned=[ever], of="slow ticket")).query("category == 'yes'").itertuples()
    assert wrong.high < 0.7
    assert wrong.verdict == "leaves later"
    assert right.low < 1 < right.high
    assert right.verdict == "cannot tell yet"


# The model


def heart() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Stanford's patients as customers with what was learned of them; a day is two, as one transplant was half a day away."""
    rows = pd.read_csv(GOLDEN / "heart.csv").astype({"patient": str})
    last, first = rows.groupby("patient").last(), rows.groupby("patient").first()
    end = days(*(2 * last["stop"])).to_numpy()
    spells = pd.DataFrame({"customer": last.index, "start": FIRST, "end": end}).assign(surgery=first["surgery"].to_numpy() == 1)
    # Who did not die was last seen on different days: they end without a reason.
    spells = spells.assign(end_reason=np.where(last["event"] == 1, "death", "last seen"))
    moved = rows[rows["transplant"] == 1]
    known = pd.DataFrame({"customer": moved["patient"], "attribute": "transplant", "value": "yes"})
    known = known.assign(valid_from=days(*(2 * moved["start"])).to_numpy())
    return spells, pd.concat([known, pd.DataFrame({"attribute": ["transplant"], "value": ["no"]})], ignore_index=True)


@pytest.mark.parametrize(("fit", "apart"), [("transplant", ()), ("apart", ("surgery",))])
def test_stanfords_transplants_have_rs_coefficients_and_errors_through_the_whole_room(fit, apart):
    spells, known = heart()
    golden = pd.read_csv(GOLDEN / "heart_categories.csv", index_col="fit").loc[[fit]].set_index("term")
    as_of, of = (FIRST + pd.Timedelta(days=10_000)).date(), [name for name in ("surgery", "transplant") if name not in apart]
    found = leaving.model(spells, as_of=as_of, learned=[known], of=of, apart=apart, reason="death")
    assert found.terms == [(name, "yes") for name in of]
    np.testing.assert_allclose(found.fit.coefficients, golden.loc[of, "estimate"], rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(found.fit.covariance)), golden.loc[of, "std_error"], rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(found.fit.robust)), golden.loc[of, "robust_error"], rtol=1e-9)


def test_the_heart_rows_have_the_same_coefficients_in_lifelines():
    from lifelines import CoxTimeVaryingFitter

    golden = pd.read_csv(GOLDEN / "heart_categories.csv", index_col="fit").loc[["transplant"]].set_index("term")
    rows = pd.read_csv(GOLDEN / "heart.csv")[["patient", "start", "stop", "event", "surgery", "transplant"]]
    fitted = CoxTimeVaryingFitter().fit(rows, id_col="patient", event_col="event", start_col="start", stop_col="stop")
    np.testing.assert_allclose(fitted.params_[golden.index], golden["estimate"], rtol=1e-4)


def told(left: dict[str, int], stayed: dict[str, int]) -> pd.DataFrame:
    """Customers by plan: so many left, on days 1, 2, 3 …, and so many stay for 40 days."""
    rows = [(plan, day + 1, True) for plan, number in left.items() for day in range(number)]
    rows += [(plan, 40, False) for plan, number in stayed.items() for _ in range(number)]
    table = pd.DataFrame(rows, columns=["plan", "tenure_days", "churned"])
    return table.assign(customer=[f"c{number}" for number in range(len(table))])


def test_a_category_in_which_nobody_left_has_no_ratio_and_moves_no_other():
    table = told({"a": 12, "b": 10}, {"a": 30, "b": 20, "c": 9})
    found, without = (leaving.model(each, of="plan") for each in (table, table[table["plan"] != "c"]))
    rows, others = leaving.effects(found).set_index("category"), leaving.effects(without).set_index("category")
    assert rows.loc["c", ["estimate", "low", "high", "p_value"]].isna().all()
    assert rows.loc["c", ["n", "events", "verdict"]].tolist() == [9, 0, "not told apart"]
    assert rows.loc["b", "estimate"] == pytest.approx(others.loc["b", "estimate"], rel=1e-12)
    assert found.notes == ("Nobody left while 'plan' was 'c': it has no hazard ratio, and is foretold like 'a'.",)
    chance = pd.Series(found.left_within(10)).groupby(found.there["plan"]).first()
    assert chance["c"] == chance["a"] != chance["b"]


def test_missing_values_are_a_category_of_their_own_and_said():
    table = told({"a": 12, "b": 10, "none": 8}, {"a": 30, "b": 20, "none": 40})
    table["plan"] = table["plan"].where(table["plan"] != "none")
    found = leaving.model(table, of="plan")
    assert found.levels == {"plan": ["a", "b", NOT_RECORDED]}
    assert found.notes == ("'plan' is not recorded, at some time, in 48 spells: a category of its own.",)
    both = leaving.model(table.assign(tariff=table["plan"].map({"a": "x", "b": "x"})), of=["plan", "tariff"])
    assert both.notes[-1] == "'tariff: not recorded' is the same customers as an earlier category, and has no hazard ratio of its own."
    assert leaving.effects(both).iloc[-1]["verdict"] == "not told apart"


def test_numbers_yes_and_no_and_dates_are_categories_as_they_are_written():
    table = told({"a": 8, "b": 9}, {"a": 10, "b": 20})
    first = (table["plan"] == "a").to_numpy()
    table = table.assign(flag=first, number=np.where(first, 1.0, 2.5), whole=first.astype(int))
    kinds = {name: sorted(leaving.model(table, of=name).levels[name]) for name in ("flag", "number", "whole")}
    assert kinds == {"flag": ["no", "yes"], "number": ["1", "2.5"], "whole": ["0", "1"]}


def test_errors_know_that_a_customer_has_several_spells():
    """Each customer has six spells and a danger of their own: errors that know it hold the truth, others too seldom."""
    random, held = np.random.default_rng(3), []
    for _ in range(200):
        customer = np.repeat(np.arange(80), 6)
        group = (np.arange(80) % 2)[customer]
        own = random.gamma(0.7, 1 / 0.7, 80)[customer]
        stop = np.ceil(100 * random.exponential(1 / own))
        ended, stop = stop <= 30, np.minimum(stop, 30)
        order = np.lexsort((ended, stop, group))
        cells = cox.Cells(group[order], np.full(480, -0.5), stop[order], ended[order], np.ones(480, dtype=int), np.zeros(480, dtype=int))
        rows = Rows(cells, np.array([[0.0], [1.0]]), Whose(customer[order], np.arange(480)))
        fit = rows.fitted([("group", "1")]).fit
        held.append([abs(fit.coefficients[0]) < 1.96 * np.sqrt(each[0, 0]) for each in (fit.robust, fit.covariance)])
    robust, naive = np.mean(held, axis=0)
    assert robust > 0.91
    assert naive < 0.87


def test_each_row_is_that_of_its_customer():
    """Robust errors through the engine are those of a fit that is told whose rows are whose."""
    random = np.random.default_rng(5)
    table = customers(*((f"c{n % 40}", n % 7 * 20, n % 7 * 20 + int(random.integers(1, 19))) for n in range(160)))
    table = table.assign(plan=random.choice(["x", "y", "z"], 160)).drop_duplicates(["customer", "start"])
    found = leaving.model(table, as_of=(FIRST + pd.Timedelta(days=300)).date(), of="plan")
    pattern = table["plan"].map({plan: place for place, plan in enumerate("xyz")}).to_numpy()
    stop = (table["end"] - table["start"]).dt.days.to_numpy(dtype=float)
    one = np.ones(len(table), dtype=int)
    cells = cox.Cells(pattern, -0.5 * one, stop, one == 1, one, 0 * one)
    covariates = np.stack([[plan == category for plan in "xyz"] for _, category in found.terms], axis=1).astype(float)
    again = cox.fit(cells, covariates, clusters=table["customer"].to_numpy())
    np.testing.assert_allclose(found.fit.coefficients, again.coefficients, rtol=1e-9)
    np.testing.assert_allclose(found.fit.robust, again.robust, rtol=1e-9)


# What is not there, and what is refused


@pytest.mark.parametrize(
    ("table", "reason", "words"),
    [
        (customers(("a", 0, None)).iloc[:0], None, "There are no customers."),
        (customers(("a", 0, None), ("b", 0, 90)), None, "Nobody has left by 2025-04-24, so nothing tells who leaves sooner."),
        (customers(("a", 0, 5, 9)), None, "No customer was seen while at risk of leaving."),
        (
            customers(("a", 0, 5), end_reason="moved"),
            "choice",
            "Nobody has left for the reason 'choice' by 2025-04-24, so nothing tells who leaves sooner.",
        ),
    ],
)
def test_where_nobody_left_the_model_says_why_there_is_none(table, reason, words):
    found = leaving.model(table.assign(plan="x"), as_of=(FIRST + pd.Timedelta(days=45)).date(), of="plan", reason=reason)
    assert found.reason_absent == words
    assert len(found.there) == len(found.left_within(30))
    for result in (leaving.effects(found), leaving.proportionality(found)):
        assert result.attrs["reason"] == words
        assert len(result) == 0


def test_a_model_without_covariates_has_no_effects_but_foretells():
    found = leaving.model(told({"a": 12}, {"a": 30}))
    assert leaving.effects(found).attrs["reason"] == "The model has no covariates, so nothing is compared."
    assert leaving.proportionality(found).attrs["reason"] == "No covariate tells customers apart, so no ratio could change."
    assert found.left_within(10).shape == (30,)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"of": "plam"}, "model: customers have no column 'plam', and nothing of that name was learned. Did you mean 'plan'?"),
        ({"of": ["plan", "plan"]}, "model: 'plan' is named twice; a covariate is in of or in apart"),
        ({"of": ["plan", "churned"]}, "model: 'churned' is what is to be told, and cannot be what tells it"),
        ({"of": "customer"}, "model: 'customer' is a column of the model's own and cannot be a covariate"),
        (
            {"of": "number"},
            "model: 'number' has 42 categories, and at most 30 can be told apart. Cut numbers into classes, or join what is alike.",
        ),
        ({"of": "plan", "reason": "choice"}, "model: the table has no column 'end_reason'."),
    ],
)
def test_what_cannot_be_modelled_is_refused_in_words(options, words):
    table = told({"a": 12}, {"b": 30})
    table["number"] = range(len(table))
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        leaving.model(table, **options)


def test_two_values_from_one_day_are_refused():
    table = customers(("a", 0, 5), ("b", 0, None), plan="x")
    known = learned(("a", "plan", "y", 3), ("a", "plan", "z", 3))
    words = "model: 1 customer has two values of 'plan' from the same day. Keep the one that is known to hold."
    with pytest.raises(TableError, match=f"^{re.escape(words)}$"):
        leaving.model(table, as_of=AS_OF, learned=[known], of="plan")


def test_spells_without_a_start_have_no_place_for_what_was_learned_and_it_is_said():
    table = told({"a": 12, "b": 10}, {"a": 30, "b": 20})
    known = learned(("c1", "plan", "b", 3), (None, "plan", "b", np.nan))
    found, without = leaving.model(table, learned=[known], of="plan"), leaving.model(table, of="plan")
    assert found.notes == ("72 of 72 spells have no start, so that what was learned of them has no place and is not used.",)
    np.testing.assert_array_equal(found.fit.coefficients, without.fit.coefficients)


def test_who_left_before_being_observed_is_left_out_and_it_is_said():
    table = customers(("a", 0, 3, 9), ("b", 0, 20), ("c", 0, 30), ("d", 0, None), plan=["x", "x", "y", "x"])
    found = leaving.model(table, as_of=(FIRST + pd.Timedelta(days=45)).date(), of="plan")
    assert found.notes == ("1 of 4 spells ended before observed_from, when leaving was not yet seen; they are left out.",)
    assert found.fit.spells == 3


def test_an_engines_table_of_what_was_learned_stays_in_the_engine():
    rows = pd.DataFrame({"respondent": ["a", "b"], "score": [3, 10], "time_answered": days(0, 1)})
    found, lazy = leaving.scores(rows), leaving.scores(engine_table(rows, "answers"))
    assert isinstance(lazy, ibis.Table)
    order = ["customer", "valid_from"]
    assert_frame_equal(lazy.execute().sort_values(order, ignore_index=True), found, check_dtype=False)


def test_two_covariates_that_say_the_same_of_all_but_their_names_are_one():
    table = told({"a": 12, "b": 10}, {"a": 30, "b": 20})
    found = leaving.model(table.assign(tariff=table["plan"].str.upper()), of=["plan", "tariff"])
    assert found.terms == [("plan", "b")]
    assert found.notes == ("'tariff: B' is the same customers as an earlier category, and has no hazard ratio of its own.",)


def test_covariates_of_which_one_follows_from_the_others_have_no_model_and_a_reason():
    """In each plan one region and the other, and the third covariate tells whether they are the same letter."""
    table = told({"a": 20, "b": 20}, {"a": 30, "b": 20})
    region = pd.Series(["a", "b"] * 45)
    both = table.assign(region=region, pair=(table["plan"] + region).replace({"ab": "x", "ba": "y", "aa": "x", "bb": "z"}))
    found = leaving.model(both, of=["plan", "region", "pair"])
    assert found.fit is None
    assert found.reason_absent.startswith("There is no model of leaving: ")
    assert found.reason_absent.endswith("The columns are: 0 plan: b, 1 region: a, 2 pair: y, 3 pair: z.")
    assert leaving.effects(found).attrs["reason"] == found.reason_absent
    assert len(found.there) == 50
    assert np.isnan(found.left_within(30)).all()


# Effects


def test_a_ratio_before_and_after_a_tenure_is_that_of_the_rows_before_and_after_it():
    random = np.random.default_rng(11)
    table = pd.DataFrame({"customer": range(300), "plan": random.choice(["x", "y", "z"], 300)})
    length = np.ceil(random.exponential(np.where(table["plan"] == "x", 40, 60)))
    table = table.assign(start=FIRST, end=days(*length).to_numpy())
    whole = leaving.model(table, as_of=AS_OF, of="plan")
    found = leaving.effects(whole, split_days=30).set_index(["stretch", "category"])
    early = leaving.model(table, as_of=(FIRST + pd.Timedelta(days=30)).date(), of="plan")
    late = leaving.model(table[length > 30].assign(observed_from=FIRST + pd.Timedelta(days=31)), as_of=AS_OF, of="plan")
    for stretch, part in (("up to day 30", early), ("after day 30", late)):
        assert part.levels == whole.levels
        expected = leaving.effects(part).set_index("category")
        for column in ("estimate", "low", "high", "events"):
            np.testing.assert_allclose(found.loc[stretch, column], expected[column], rtol=1e-8)
    assert found["events"].sum() == 300
    reason = leaving.effects(whole, split_days=900).attrs["reason"]
    assert reason.startswith(
        "There are no ratios before and after day 900: nobody left after day 900. Give a tenure by which some have left"
    )


def test_effects_have_their_shape_and_all_rows_are_corrected_together():
    random = np.random.default_rng(2)
    table = pd.DataFrame({"customer": range(400), "plan": random.choice(["x", "y"], 400), "region": random.choice(list("abcd"), 400)})
    length = np.ceil(random.exponential(np.where(table["plan"] == "x", 40, 60)))
    found = leaving.effects(leaving.model(table.assign(tenure_days=length, churned=True), of=["plan", "region"]))
    first = list(found).index("measure")
    assert list(found)[:first] == ["covariate", "category", "stretch"]
    assert tuple(list(found)[first : first + 6]) == RESULT
    assert ((found["low"] <= found["estimate"]) & (found["estimate"] <= found["high"])).all()
    is_reference = found["verdict"] == "reference"
    assert found.loc[is_reference, ["estimate", "low", "high"]].eq(1).all(axis=None)
    tested = found[~is_reference]
    assert (tested["p_corrected"] >= tested["p_value"]).all()
    least = tested["p_value"].min()
    assert tested.loc[tested["p_value"] == least, "p_corrected"].iloc[0] == pytest.approx(len(tested) * least)
    assert found.groupby("covariate")["events"].sum().eq(400).all()
    assert found.groupby("covariate")["n"].sum().eq(400).all()
    wider = leaving.effects(leaving.model(table.assign(tenure_days=length, churned=True), of=["plan", "region"]), level=0.99)
    assert (wider["low"] <= found["low"]).all()
    assert (wider["high"] >= found["high"]).all()


def test_a_ratio_within_the_margin_is_no_material_difference():
    random = np.random.default_rng(4)
    table = pd.DataFrame({"customer": range(6000), "plan": random.choice(["x", "y"], 6000), "churned": True})
    table["tenure_days"] = np.ceil(random.exponential(50, 6000))
    fitted = leaving.model(table, of="plan")
    verdicts = [leaving.effects(fitted, margin=margin)["verdict"].iloc[1] for margin in (None, 1.01, 1.2)]
    assert verdicts == ["cannot tell yet", "cannot tell yet", "no material difference"]
    for margin in (1, 0.9, np.inf):
        with pytest.raises(ValueError, match=r"is no ratio above 1; for a tenth more or less likely write 1\.1$"):
            leaving.effects(fitted, margin=margin)


def test_a_ratio_that_changes_with_tenure_is_found_and_the_way_out_is_named():
    """In plan x nearly all who leave do so early, in plan y late: the hazards cross."""
    random = np.random.default_rng(8)
    early, late = random.exponential(20, 300) + 1, 30 + random.exponential(30, 300)
    table = pd.DataFrame({"customer": range(600), "plan": ["x"] * 300 + ["y"] * 300, "churned": True, "region": ["a", "b"] * 300})
    found = leaving.proportionality(
        leaving.model(table.assign(tenure_days=np.ceil(np.append(early, late)).clip(max=60)), of=["plan", "region"])
    )
    assert found["covariate"].tolist() == ["plan", "region", "all together"]
    assert found["verdict"].tolist() == ["changes with tenure", "no sign that it changes", "changes with tenure"]
    assert "split_days=" in found["advice"][0]
    assert "apart='plan'" in found["advice"][0]
