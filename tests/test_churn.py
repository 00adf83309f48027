"""Churn measures: R's curves through the whole path, known rates, and nobody lost who has not left."""

import datetime as dt
import warnings
from functools import cache
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from cxlib import churn
from cxlib.stats import intervals
from cxlib.tables import RESULT, TableError

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

GOLDEN = Path(__file__).parent / "golden"
AS_OF = dt.date(2026, 6, 30)

# Most of an example's time is the engine's preparation, so a few examples of many rows tell more than many of a few.
few = settings(max_examples=4)


@cache
def engine() -> ibis.BaseBackend:
    return ibis.duckdb.connect()


def engine_table(frame: pd.DataFrame) -> ibis.Table:
    keys = {"plan": "string"} if "plan" in frame else {}
    return engine().create_table("customers", frame.astype(keys), overwrite=True)


def customers(*spells, **columns) -> pd.DataFrame:
    """Spells from pairs or triples of ISO days: start, end, observed_from."""
    padded = [(*spell, None, None)[:3] for spell in spells]
    frame = pd.DataFrame(padded, columns=["start", "end", "observed_from"]).apply(pd.to_datetime)
    return frame.assign(**columns)


def dated(tenure, left, entry=None, as_of=AS_OF) -> pd.DataFrame:
    """Spells that end on ``as_of``, by leaving or not, after these tenures."""
    tenure, left = pd.Series(tenure), pd.Series(left).astype(bool)
    last = pd.Timestamp(as_of)
    frame = pd.DataFrame({"start": last - pd.to_timedelta(tenure, unit="D"), "end": pd.Series(last, index=tenure.index).where(left)})
    return frame if entry is None else frame.assign(observed_from=frame["start"] + pd.to_timedelta(entry, unit="D"))


def quietly(measure, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return measure(*arguments, **options)


@st.composite
def spells(draw):
    """Dated spells in groups over a year and a half, some not ended, some after the as_of, some observed late."""
    days = st.integers(0, 500)
    rows = draw(
        st.lists(
            st.tuples(days, st.one_of(st.none(), days), st.integers(-100, 200), st.sampled_from(["a", "b", None])), min_size=1, max_size=40
        )
    )
    first = pd.Timestamp("2025-03-10")
    frame = pd.DataFrame(rows, columns=["start", "end", "observed_from", "plan"]).astype({"plan": object})
    start = first + pd.to_timedelta(frame["start"], unit="D")
    end = start + pd.to_timedelta(frame["end"], unit="D")
    observed = start + pd.to_timedelta(frame["observed_from"], unit="D")
    return frame.assign(start=start, end=end, observed_from=observed.where(frame["observed_from"] > -50))


# Survival


def test_the_curve_and_the_counts_are_rs_from_tenures_and_from_dates():
    rows, golden = pd.read_csv(GOLDEN / "lung.csv"), pd.read_csv(GOLDEN / "lung_km.csv")
    by_tenure = churn.survival(pd.DataFrame({"tenure_days": rows["time"], "churned": rows["left"]}))
    by_date = churn.survival(dated(rows["time"], rows["left"]), as_of=AS_OF)
    assert_frame_equal(by_tenure, by_date)
    found = by_date[1:].reset_index(drop=True)
    assert_frame_equal(
        found[["tenure_days", "n", "events", "censored"]], golden[["tenure_days", "n", "events", "censored"]], check_dtype=False
    )
    np.testing.assert_allclose(found["estimate"], golden["estimate"], rtol=1e-13)
    assert by_date["customers"].eq(228).all()


def test_with_delayed_entry_the_curve_and_its_interval_are_rs():
    rows, golden = pd.read_csv(GOLDEN / "lung.csv"), pd.read_csv(GOLDEN / "lung_late.csv")
    found = churn.survival(dated(rows["time"], rows["left"], rows["entry"]), as_of=AS_OF)[1:].reset_index(drop=True)
    assert_frame_equal(found[list(golden)], golden, check_dtype=False, rtol=1e-12)


def test_the_medians_are_rs():
    rows, golden = pd.read_csv(GOLDEN / "lung.csv"), pd.read_csv(GOLDEN / "lung_medians.csv", index_col="group")
    by_sex = churn.median_tenure(pd.DataFrame({"tenure_days": rows["time"], "churned": rows["left"], "sex": rows["sex"]}), by="sex")
    assert (
        by_sex[["n", "churned", "estimate"]].values.tolist() == golden.loc[["men", "women"], ["n", "churned", "estimate"]].values.tolist()
    )
    late = churn.median_tenure(dated(rows["time"], rows["left"], rows["entry"]), as_of=AS_OF)
    columns = ["n", "churned", "estimate", "low", "high"]
    assert late[columns].iloc[0].tolist() == golden.loc["late", columns].tolist()


def test_the_interval_is_the_beta_product_one():
    golden = pd.read_csv(GOLDEN / "bpcp.csv")
    found = churn.survival(pd.DataFrame({"tenure_days": [3, 7, 8, 14], "churned": True}))
    assert_frame_equal(found[["tenure_days", "estimate", "low", "high"]], golden, check_dtype=False, atol=5e-8, rtol=0)


def test_who_has_not_left_by_the_last_day_is_not_lost():
    table = customers(("2026-01-01", "2026-07-01"), ("2026-01-01", "2026-06-30"), ("2026-07-01", "2026-07-02"), ("2026-06-30", None))
    found = churn.survival(table, as_of="2026-06-30")
    assert found[["tenure_days", "n", "events", "censored"]].values.tolist() == [[0, 3, 0, 1], [180, 2, 1, 1]]
    assert found["customers"].tolist() == [3, 3]


def test_leaving_is_counted_before_being_last_seen_on_the_same_day():
    found = churn.survival(pd.DataFrame({"tenure_days": [10, 10], "churned": [True, False]}))
    assert found["estimate"].tolist() == [1, 0.5]


def test_who_leaves_on_the_day_of_joining_was_a_customer():
    found = churn.survival(customers(("2026-06-01", "2026-06-01"), ("2026-06-01", None)), as_of=AS_OF)
    assert found[["tenure_days", "estimate", "n", "events"]].values.tolist() == [[0, 0.5, 2, 1], [29, 0.5, 1, 0]]


def test_who_was_there_before_the_data_begins_is_at_risk_from_that_day_on():
    table = customers(("2026-01-01", "2026-01-11", "2026-01-06"), ("2026-01-01", "2026-01-04"), ("2026-01-01", "2026-01-06", "2026-01-06"))
    found = churn.survival(table, as_of=AS_OF)
    assert found[["tenure_days", "n", "events"]].values.tolist() == [[0, 1, 0], [3, 1, 1], [5, 2, 1], [10, 1, 1]]
    assert found["customers"].eq(3).all()


def test_who_left_before_being_observed_is_left_out_with_a_warning():
    table = customers(("2026-01-01", "2026-01-03", "2026-02-01"), ("2026-01-01", "2026-01-05"))
    words = "survival: 1 of 2 spells ended before observed_from, when leaving was not yet seen; they are left out"
    with pytest.warns(UserWarning, match=f"^{words}$"):
        found = churn.survival(table, as_of=AS_OF)
    assert found["customers"].eq(1).all()


def test_who_is_observed_only_after_the_last_day_is_not_there_yet():
    table = customers(("2026-01-01", None, "2026-08-01"), ("2026-01-01", "2026-01-05"))
    assert churn.survival(table, as_of=AS_OF)["customers"].eq(1).all()


def test_ties_of_tenures_given_in_months_are_kept():
    months = [1, 12, 12, 7, 34]
    table = pd.DataFrame({"tenure_days": [month * 30.4375 for month in months], "churned": [0, 1, 1, 0, 1]})
    found = churn.survival(table)
    assert found["tenure_days"].tolist() == [0, *(month * 30.4375 for month in (1, 7, 12, 34))]
    assert found["events"].tolist() == [0, 0, 0, 2, 1]
    assert churn.survival(table, at=[12 * 30.4375])["events"].tolist() == [2]


def test_at_gives_the_step_that_holds_and_nothing_beyond_what_was_seen():
    table = pd.DataFrame({"tenure_days": [10, 20, 30], "churned": [True, False, False]})
    steps = churn.survival(table).set_index("tenure_days")
    found = churn.survival(table, at=[40, 0, 15, 20]).set_index("tenure_days")
    assert found.index.tolist() == [0, 15, 20, 40]
    for column in ("estimate", "low", "high"):
        assert found[column].tolist()[:3] == [steps.loc[held, column] for held in (0, 10, 20)]
    assert found["n"].tolist() == [3, 2, 2, 0]
    assert found[["events", "censored"]].values.tolist() == [[0, 0], [0, 0], [0, 1], [0, 0]]
    assert found.loc[40, ["estimate", "low", "high"]].isna().all()
    gone = churn.survival(table.assign(churned=True), at=[40]).iloc[0]
    assert (gone["estimate"], gone["low"]) == (0, 0)
    assert gone["high"] > 0


def test_where_nobody_or_everybody_left_the_interval_keeps_a_width():
    for left in (True, False):
        found = churn.survival(pd.DataFrame({"tenure_days": [5, 6, 7, 8], "churned": left}))
        assert (found["low"] < found["high"]).all()
        assert found["estimate"].iloc[-1] == (not left)


def test_churned_may_be_given_as_one_and_zero():
    table = pd.DataFrame({"tenure_days": [5, 6], "churned": [1.0, 0.0]})
    assert_frame_equal(churn.survival(table), churn.survival(table.astype({"churned": bool})))


# Median


def test_a_median_that_is_not_reached_is_missing_and_says_so():
    table = pd.DataFrame({"tenure_days": [10, 20, 30, 40], "churned": [True, False, False, False], "plan": list("aabb")})
    with pytest.warns(UserWarning, match=r"^median_tenure: fewer than half have left; the median is not reached$"):
        found = churn.median_tenure(table)
    assert found[["n", "churned", "censored"]].values.tolist() == [[4, 1, 3]]
    assert found["estimate"].isna().all()
    with pytest.warns(UserWarning, match=r"^median_tenure: fewer than half have left; the median is not reached in 1 of 2 groups$"):
        assert churn.median_tenure(table, by="plan")["estimate"].isna().tolist() == [False, True]


def test_the_interval_of_a_median_holds_it_as_often_as_promised():
    random, truth, held = np.random.default_rng(23), 100 * np.log(2), []
    rows = []
    for sample in range(250):
        life, end = random.exponential(100, 40), random.uniform(0, 400, 40)
        rows.append(pd.DataFrame({"tenure_days": np.minimum(life, end), "churned": life <= end, "sample": sample}))
    found = quietly(churn.median_tenure, pd.concat(rows), by="sample")
    held = (found["low"] <= truth) & (found["high"].fillna(np.inf) >= truth)
    assert held.mean() >= 0.95


# Churn rate


def test_of_ten_thousand_at_the_start_five_hundred_left():
    table = pd.concat(
        [
            customers(*[("2026-02-10", "2026-03-15")] * 500, *[("2026-02-10", None)] * 9_500),
            customers(*[("2026-03-05", "2026-03-20")] * 125, *[("2026-03-05", "2026-04-20")] * 4_875),
        ]
    )
    found = churn.churn_rate(table, as_of="2026-04-29")
    low, high = intervals.wilson([500], [10_000], 0.95)
    assert found.values.tolist() == [
        [dt.date(2026, 3, 1), "churn_rate", 0.05, low[0], high[0], 0.95, 10_000, 500, 5_000, 125, dt.date(2026, 3, 1), dt.date(2026, 3, 31)]
    ]


@few
@given(table=spells())
def test_the_rate_is_that_of_counting_customers_one_by_one(table):
    found = churn.churn_rate(table, as_of=AS_OF, by="plan")
    table = table[(table["start"] <= pd.Timestamp(AS_OF))]
    ended = table["end"].where(table["end"] <= pd.Timestamp(AS_OF))
    for row in found.itertuples():
        since, until = pd.Timestamp(row.since), pd.Timestamp(row.until)
        group = table["plan"].isna() if row.plan is None else table["plan"] == row.plan
        seen = group & (table["start"] <= since) & ~(table["observed_from"] > since) & ~(ended < since)
        joined = group & table["start"].between(since, until)
        assert row.n == seen.sum()
        assert row.left == (seen & ended.between(since, until)).sum()
        assert row.joined == joined.sum()
        assert row.joined_left == (joined & ~seen & ended.between(since, until)).sum()
        assert row.until == (since + pd.offsets.MonthEnd(0)).date()
        if row.n:
            assert row.estimate == row.left / row.n


def test_only_whole_months_are_given():
    table = customers(("2026-01-15", None))
    assert churn.churn_rate(table, as_of="2026-04-29")["month"].tolist() == [dt.date(2026, 2, 1), dt.date(2026, 3, 1)]
    assert churn.churn_rate(table, as_of="2026-04-30")["month"].tolist() == [dt.date(2026, month, 1) for month in (2, 3, 4)]


def test_every_group_has_every_month_with_a_missing_rate_where_it_had_nobody():
    table = customers(("2025-12-31", None), ("2026-01-02", None), plan=["a", "b"])
    found = churn.churn_rate(table, as_of="2026-02-28", by="plan")
    assert found[["plan", "n"]].values.tolist() == [["a", 1], ["a", 1], ["b", 0], ["b", 1]]
    assert found["estimate"].isna().tolist() == [False, False, True, False]


def test_who_joins_on_the_first_of_a_month_is_at_risk_in_it():
    table = customers(*[("2026-01-15", None)] * 50, *[("2026-02-01", "2026-02-20")] * 30, *[("2026-02-01", None)] * 70)
    (february,) = churn.churn_rate(table, as_of="2026-02-28").itertuples()
    assert (february.n, february.left, february.joined, february.joined_left) == (150, 30, 100, 0)


def test_who_is_last_seen_at_a_tenure_is_known_to_have_stayed_that_long():
    """Two of ten left on day 5 and the others were last seen on it: at day 5 the interval is Clopper and Pearson's for 8 of 10."""
    table = pd.DataFrame({"tenure_days": [5.0] * 10, "churned": [True] * 2 + [False] * 8})
    (row,) = churn.survival(table, at=[5]).itertuples()
    assert [row.low, row.high] == pytest.approx([0.4439045, 0.9747893])


def test_nothing_is_known_of_tenures_at_which_nobody_was_observed_yet():
    table = customers(*[("2025-01-01", None, "2025-04-11")] * 30)
    found = churn.survival(table, as_of="2026-03-31", at=[30, 365])
    assert found["estimate"].isna().tolist() == [True, False]
    assert found["n"].tolist() == [0, 30]


def test_a_customer_observed_late_counts_from_the_first_whole_month():
    def months(observed):
        return churn.churn_rate(customers(("2020-01-01", None, observed)), as_of="2026-04-30")["month"].tolist()

    assert months("2026-03-01") == [dt.date(2026, 3, 1), dt.date(2026, 4, 1)]
    assert months("2026-03-02") == [dt.date(2026, 4, 1)]


# All of them


MEASURES = {
    "survival": lambda table, **more: quietly(churn.survival, table, **{"as_of": AS_OF, **more}),
    "median_tenure": lambda table, **more: quietly(churn.median_tenure, table, **{"as_of": AS_OF, **more}),
    "churn_rate": lambda table, **more: quietly(churn.churn_rate, table, **{"as_of": AS_OF, **more}),
}
every_measure = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES.keys())


@every_measure
@few
@given(table=spells(), seed=st.integers(0, 99))
def test_frames_engine_tables_and_shuffled_rows_give_the_same_answer(measure, table, seed):
    found = measure(table, by="plan")
    assert_frame_equal(found, measure(engine_table(table), by="plan"), check_exact=True)
    assert_frame_equal(found, measure(table.sample(frac=1, random_state=seed), by="plan"), check_exact=True)


@every_measure
@few
@given(table=spells())
def test_a_result_has_its_shape_and_its_bounds_hold_the_estimate(measure, table):
    found = measure(table, by="plan")
    columns = list(found.columns)
    start = columns.index("measure")
    assert tuple(columns[start : start + len(RESULT)]) == RESULT
    assert isinstance(found.index, pd.RangeIndex)
    known = found[found[["estimate", "low", "high"]].notna().all(axis=1)]
    assert (known["low"] <= known["estimate"]).all()
    assert (known["estimate"] <= known["high"]).all()
    if "tenure_days" in found:
        assert (known["low"] < known["high"]).all()
        assert (found.groupby("plan", dropna=False)["estimate"].diff().dropna() <= 0).all()


@every_measure
@few
@given(table=spells())
def test_what_happens_after_the_last_day_changes_nothing(measure, table):
    known = table[table["start"] <= pd.Timestamp(AS_OF)]
    known = known.assign(end=known["end"].where(known["end"] <= pd.Timestamp(AS_OF)))
    assert_frame_equal(measure(table, by="plan"), measure(known, by="plan"), check_exact=True)


@every_measure
def test_groups_are_those_alone_the_missing_one_last(measure):
    table = pd.concat([dated([9, 70, 90], [1, 0, 1]).assign(plan=plan) for plan in ("b", None, "a")])
    found = measure(table, by="plan")
    assert [None if pd.isna(key) else key for key in found["plan"].drop_duplicates()] == ["a", "b", None]
    alone = measure(table[table["plan"] == "a"])
    assert_frame_equal(found[found["plan"] == "a"].drop(columns="plan").reset_index(drop=True), alone)


@every_measure
def test_a_higher_level_widens_the_interval(measure):
    table = dated([10, 40, 40, 70, 90, 91], [1, 1, 0, 1, 1, 0])
    narrow, wide = measure(table, level=0.5), measure(table, level=0.99)
    assert (wide["low"].fillna(0) <= narrow["low"].fillna(0)).all()
    assert (narrow["high"].fillna(np.inf) <= wide["high"].fillna(np.inf)).all()


@every_measure
def test_without_customers_the_result_has_no_rows_and_says_why(measure):
    table = dated([40, 90], [1, 0]).assign(plan="a", segment=None)
    full = measure(table, by="plan")
    for frame, key, reason in (
        (table[:0], "plan", "There are no customers."),
        (table.assign(start=pd.Timestamp("2027-01-01"), end=pd.NaT), "plan", "There are no customers."),
        (table, "segment", "No customer has a segment."),
    ):
        found = measure(frame, by=key)
        assert len(found) == 0
        assert found.attrs["reason"] == reason
        assert list(found.columns) == [key, *full.columns[1:]]
        counts = full.columns[full.columns.get_loc("n") :]
        assert found.dtypes[counts].tolist() == full.dtypes[counts].tolist()


def test_without_dates_there_is_no_churn_by_month():
    table = pd.DataFrame({"tenure_days": [10.0, 20.0], "churned": [True, False]})
    assert churn.churn_rate(table, as_of=AS_OF).attrs["reason"] == "No customer has a start date, so there is no churn by month."
    found = churn.churn_rate(customers(("2026-06-10", None)), as_of="2026-06-30")
    assert found.attrs["reason"] == "No customer was seen for a whole month by 2026-06-30."


def test_a_canonical_table_without_dates_is_read_by_its_tenures():
    table = pd.DataFrame(
        {"start": pd.Series([pd.NaT] * 2), "end": pd.NaT, "observed_from": pd.NaT, "tenure_days": [10.0, 20.0], "churned": [True, False]}
    )
    bare = table[["tenure_days", "churned"]]
    assert_frame_equal(churn.survival(table), churn.survival(bare))
    assert_frame_equal(churn.survival(table, as_of=AS_OF), churn.survival(bare))


# Letters


TENURES = pd.DataFrame({"tenure_days": [10.0, 20.0, 30.0], "churned": pd.array([True, False, None], dtype="boolean")})

LETTERS = {
    "misspelt key": (lambda: churn.survival(TENURES, by="plam"), "survival: the table has no column 'plam'."),
    "no time": (
        lambda: churn.survival(pd.DataFrame({"tenure": [1], "churned": [True]})),
        "survival: the table has neither a column 'start' nor a column 'tenure_days'. Did you mean 'tenure'?",
    ),
    "no end": (
        lambda: churn.survival(customers(("2026-01-01",)).drop(columns="end"), as_of=AS_OF),
        "survival: the table has no column 'end'.",
    ),
    "no churned": (
        lambda: churn.median_tenure(pd.DataFrame({"tenure_days": [1], "churn": [True]})),
        "median_tenure: the table has no column 'churned'. Did you mean 'churn'?",
    ),
    "text for dates": (
        lambda: churn.churn_rate(pd.DataFrame({"start": ["2026-01-01"], "end": [None]}), as_of=AS_OF),
        "churn_rate: 1 values of 'start' are not dates (row 1: '2026-01-01'). Convert the column first.",
    ),
    "text for yes": (
        lambda: churn.survival(pd.DataFrame({"tenure_days": [1, 2], "churned": ["Yes", "No"]})),
        "survival: 2 values of 'churned' are not yes or no (true or false, 1 or 0) (row 1: 'Yes', row 2: 'No'). Convert the column first.",
    ),
    "end before start": (
        lambda: churn.survival(customers(("2026-01-01", "2026-03-01"), ("2026-03-01", "2026-01-01")), as_of=AS_OF),
        "survival: 1 of 2 spells end before they start (row 2: '2026-03-01 to 2026-01-01'). Correct them, or leave them out.",
    ),
    "end before start within a month": (
        lambda: churn.churn_rate(customers(("2026-03-02", "2026-03-01"), ("2026-03-01", None)), as_of=AS_OF),
        "churn_rate: 1 of 2 spells end before they start (row 1: '2026-03-02 to 2026-03-01'). Correct them, or leave them out.",
    ),
    "no length": (
        lambda: churn.survival(pd.DataFrame({"tenure_days": [-1, None, np.inf, 5], "churned": True})),
        (
            "survival: 3 of 4 spells have neither a start nor a tenure_days of 0 or more (row 1: -1, row 2: missing, row 3: inf). "
            "Correct them, or leave them out."
        ),
    ),
    "left or not": (
        lambda: churn.survival(TENURES),
        (
            "survival: 1 of 3 spells have a tenure_days, but churned does not say whether they ended (row 3: missing). "
            "Correct them, or leave them out."
        ),
    ),
    "some without start": (
        lambda: churn.churn_rate(customers(("2026-01-01", None), (None, None), tenure_days=[np.nan, 5], churned=False), as_of=AS_OF),
        "churn_rate: 1 of 2 spells have no start. Correct them, or leave them out.",
    ),
}


@pytest.mark.parametrize(("call", "words"), LETTERS.values(), ids=LETTERS)
def test_a_table_that_cannot_be_counted_gets_a_letter(call, words):
    with pytest.raises(TableError) as letter:
        call()
    assert str(letter.value) == words


ARGUMENTS = {
    "level": (lambda: churn.survival(TENURES, level=1), "level: 1 is not between 0 and 1; for 95 % write 0.95"),
    "as_of needed": (
        lambda: churn.survival(customers(("2026-01-01",))),
        "survival: the table has start dates, so as_of is needed: the last day counted, for instance as_of='2026-06-30'",
    ),
    "as_of of another kind": (
        lambda: churn.churn_rate(customers(("2026-01-01",)), as_of="30.6.2026"),
        "churn_rate: as_of is a day written like '2026-06-30', not '30.6.2026'",
    ),
    "tenure below 0": (lambda: churn.survival(TENURES, at=[-1]), "at: tenures are numbers of days of 0 or more"),
    "key of this result": (
        lambda: churn.churn_rate(customers(("2026-01-01",)), as_of=AS_OF, by="month"),
        "by: 'month' is a column of this result and cannot be a key",
    ),
}


@pytest.mark.parametrize(("call", "words"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_an_argument_that_means_nothing_is_refused(call, words):
    with pytest.raises(ValueError) as letter:  # noqa: PT011 - the whole message is compared
        call()
    assert str(letter.value) == words


def test_as_of_may_be_a_date_a_timestamp_or_a_day_in_words():
    table = dated([10, 20], [1, 0])
    first, *others = (churn.survival(table, as_of=day) for day in (AS_OF, pd.Timestamp(AS_OF), "2026-06-30"))
    for other in others:
        assert_frame_equal(first, other)
