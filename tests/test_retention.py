"""Churn by the calendar: known rates, counting one by one, quiet companies in which nothing moves, and nobody lost who has not left."""

import datetime as dt
from functools import cache
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from scipy import stats as scipy_stats

from cxlib import churn, retention, verdicts
from cxlib.stats import intervals
from cxlib.tables import RESULT, TableError

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

GOLDEN = Path(__file__).parent / "golden"
AS_OF = dt.date(2026, 6, 30)

# Most of an example's time is the engine's preparation, so a few examples of many rows tell more than many of a few.
few = settings(max_examples=4)


@cache
def golden(name: str) -> pd.DataFrame:
    return pd.read_csv(GOLDEN / f"{name}.csv")


@cache
def engine() -> ibis.BaseBackend:
    return ibis.duckdb.connect()


def engine_table(frame: pd.DataFrame) -> ibis.Table:
    return engine().create_table("given", frame.astype({"plan": "string"} if "plan" in frame else {}), overwrite=True)


def customers(*spells, **columns) -> pd.DataFrame:
    """Spells from pairs or triples of ISO days: start, end, observed_from."""
    padded = [(*spell, None, None)[:3] for spell in spells]
    frame = pd.DataFrame(padded, columns=["start", "end", "observed_from"]).apply(pd.to_datetime)
    return frame.assign(**columns)


@st.composite
def spells(draw):
    """Dated spells in groups over a year and a half, some not ended, some after the last day, some observed late, many alike."""
    days = st.integers(0, 500)
    row = st.tuples(days, st.one_of(st.none(), days), st.integers(-100, 200), st.sampled_from(["a", "b", None]))
    rows = draw(st.lists(row, min_size=10, max_size=60))
    frame = pd.DataFrame(rows, columns=["start", "end", "observed_from", "plan"]).astype({"plan": object})
    start = pd.Timestamp("2025-03-10") + pd.to_timedelta(frame["start"], unit="D")
    end = start + pd.to_timedelta(frame["end"], unit="D")
    observed = start + pd.to_timedelta(frame["observed_from"], unit="D")
    # Most days are some day; the first and the last of a month are where counting goes wrong.
    snapped = start.where(frame.index % 3 != 0, start + pd.offsets.MonthEnd(0))
    end = end.where(end >= snapped, snapped).where(end.notna())
    return frame.assign(start=snapped, end=end, observed_from=observed.where(frame["observed_from"] > -50))


def one_by_one(table: pd.DataFrame):
    """The spells begun by the last day as days: from when on each was seen, and its last day, or a day far away."""
    table = table[table["start"] <= pd.Timestamp(AS_OF)]
    seen = table[["start", "observed_from"]].max(axis=1)
    gone = table["end"].where(table["end"] <= pd.Timestamp(AS_OF), pd.Timestamp("2100-01-01")).fillna(pd.Timestamp("2100-01-01"))
    return table.assign(seen=seen, gone=gone)[gone >= seen]


def of_group(rows: pd.DataFrame, plan) -> pd.DataFrame:
    return rows[rows["plan"].isna() if plan is None or pd.isna(plan) else rows["plan"] == plan]


# The definitions


def test_of_ten_thousand_at_the_start_and_five_thousand_new_each_definition_has_its_own_rate():
    """500 of the 10,000 leave and 125 of the 5,000 new: 6.25 %, 5.0 %, 5.13 %; and 625 in 435,625 days."""
    table = pd.concat(
        [
            customers(*[("2026-02-10", "2026-03-15")] * 500, *[("2026-02-10", None)] * 9_500),
            customers(*[("2026-03-05", "2026-03-20")] * 125, *[("2026-03-05", "2026-04-20")] * 4_875),
        ]
    )
    found = retention.definitions(table, as_of="2026-04-29").set_index("measure")
    assert found["estimate"].round(6).to_dict() == {
        "churn_rate": 0.05,
        "churn_rate_all": 0.0625,
        "churn_rate_mean": 0.051282,
        "churn_rate_days": 0.043502,
    }
    assert found["n"].tolist() == [10_000, 10_000, 10_000, 15_000]
    counts = ["start", "left", "new", "new_left", "seen_late", "seen_late_left", "customer_days", "since", "until"]
    days = 9_500 * 31 + 500 * 15 + 125 * 16 + 4_875 * 27
    assert found[counts].drop_duplicates().values.tolist() == [
        [10_000, 500, 5_000, 125, 0, 0, days, dt.date(2026, 3, 1), dt.date(2026, 3, 31)]
    ]


def test_the_exact_poisson_interval_is_rs():
    found = golden("retention_poisson")
    low, high = intervals.poisson(found["estimate"], 0.95)
    np.testing.assert_allclose([low, high], [found["low"], found["high"]], rtol=1e-12)


def test_the_rate_by_customer_days_has_the_poisson_interval_of_its_leavers():
    table = customers(*[("2026-05-01", "2026-06-11")] * 10, *[("2026-05-01", None)] * 90)
    found = retention.definitions(table, as_of=AS_OF).set_index("measure").loc["churn_rate_days"]
    ten = golden("retention_poisson").set_index("case").loc["ten"]
    days = 90 * 30 + 10 * 11
    assert found["customer_days"] == days
    expected = [1 - np.exp(-ten[name] / days * 30) for name in ("estimate", "low", "high")]
    np.testing.assert_allclose(found[["estimate", "low", "high"]].tolist(), expected, rtol=1e-12)


def test_the_default_is_the_churn_rate_of_the_month():
    table = customers(("2026-01-05", "2026-06-11"), ("2026-05-31", None), ("2026-06-01", "2026-06-02"), ("2026-06-20", "2026-06-20"))
    found = retention.definitions(table, as_of=AS_OF)
    monthly = churn.churn_rate(table, as_of=AS_OF).iloc[-1]
    assert found.iloc[0][["estimate", "low", "high", "n", "left"]].tolist() == monthly[["estimate", "low", "high", "n", "left"]].tolist()
    assert found.iloc[0][["new", "new_left"]].tolist() == [1, 1]


def test_a_period_may_begin_on_any_day():
    table = customers(("2026-01-05", "2026-04-02"), ("2026-01-05", None))
    found = retention.definitions(table, as_of="2026-04-10", since="2026-03-20")
    assert found[["estimate", "n", "since", "until"]].iloc[0].tolist() == [0.5, 2, dt.date(2026, 3, 20), dt.date(2026, 4, 10)]


def test_who_is_seen_from_some_day_on_counts_by_days_only_and_is_said():
    table = customers(("2020-01-01", "2026-06-25", "2026-06-11"), ("2026-01-01", None), ("2020-01-01", "2026-06-05", "2026-06-11"))
    found = retention.definitions(table, as_of=AS_OF)
    assert found[["start", "left", "new", "seen_late", "seen_late_left", "customer_days"]].iloc[0].tolist() == [1, 0, 0, 1, 1, 45]
    assert found["n"].tolist() == [1, 1, 1, 2]
    assert found["estimate"].tolist()[:3] == [0, 0, 0]
    assert found["estimate"].iloc[3] == pytest.approx(1 - np.exp(-30 / 45))
    assert found.attrs["notes"] == [
        "1 of 3 spells ended before observed_from, when leaving was not yet seen; they are left out.",
        "1 customer was seen only from some day of the period on: only the rate by customer-days counts them.",
    ]


@few
@given(table=spells())
def test_the_definitions_are_those_of_counting_customers_one_by_one(table):
    since, until = pd.Timestamp("2026-05-15"), pd.Timestamp(AS_OF)
    found = retention.definitions(table, as_of=AS_OF, since="2026-05-15", by="plan")
    for row in found.itertuples():
        rows = of_group(one_by_one(table), row.plan)
        there = rows[(rows["seen"] <= since) & (rows["gone"] >= since)]
        new = rows[(rows["start"] > since) & (rows["seen"] == rows["start"])]
        late = rows[(rows["seen"] > rows["start"]) & rows["seen"].between(since + pd.Timedelta(days=1), until)]
        left = [(group["gone"] <= until).sum() for group in (there, new, late)]
        assert [row.start, row.new, row.seen_late] == [len(there), len(new), len(late)]
        assert [row.left, row.new_left, row.seen_late_left] == left
        days = sum(((rows["seen"] <= day) & (rows["gone"] >= day)).sum() for day in pd.date_range(since, until))
        assert row.customer_days == days
        every = row.left + row.new_left
        by_hand = {
            "churn_rate": (row.left, row.start),
            "churn_rate_all": (every, row.start),
            "churn_rate_mean": (every, (row.start + row.start + row.new - every) / 2 if row.start else 0),
        }
        if row.measure == "churn_rate_days":
            a_day = (every + row.seen_late_left) / days if days else np.nan
            assert row.estimate == pytest.approx(1 - np.exp(-a_day * 47), nan_ok=True)
        else:
            top, bottom = by_hand[row.measure]
            assert row.estimate == pytest.approx(top / bottom) if bottom else np.isnan(row.estimate)


def test_the_intervals_of_the_definitions_hold_the_truth_as_often_as_they_say():
    """1,000 months of 150 customers and 60 new ones, leaving at 4 % and 8 % a month on any day."""
    random, worlds = np.random.default_rng(5), 1_000
    old, new, days = 150, 60, 30
    hazards = 1 - (1 - np.array([0.04, 0.08])) ** (1 / days)
    start = np.concatenate([np.full(old, -20), random.integers(1, 20, new)])
    life = np.where(np.arange(old + new) < old, *(random.geometric(h, (worlds, old + new)) for h in hazards))
    # Who was there at the start leaves on its day 0 or later.
    first = np.datetime64("2026-06-01")
    began = np.broadcast_to(start, life.shape)
    end = np.maximum(began, 0) + life - 1
    table = pd.DataFrame({"start": (first + began).ravel(), "end": (first + end).ravel(), "world": np.repeat(np.arange(worlds), old + new)})
    found = retention.definitions(table, as_of=AS_OF, by="world")
    # The truth given who joins when: the expectation of the leavers.
    stay = (1 - hazards[1]) ** (days - start[old:])
    leavers = old * 0.04, new - stay.sum()
    truth = {"churn_rate": 0.04, "churn_rate_all": sum(leavers) / old, "churn_rate_mean": sum(leavers) / (old + (new - sum(leavers)) / 2)}
    for measure, value in truth.items():
        rows = found[found["measure"] == measure]
        assert ((rows["low"] <= value) & (value <= rows["high"])).mean() == pytest.approx(0.95, abs=0.02)
    rows = found[found["measure"] == "churn_rate_days"]
    a_day = rows["left"].add(rows["new_left"]).sum() / rows["customer_days"].sum()
    held = (rows["low"] <= 1 - np.exp(-a_day * days)) & (1 - np.exp(-a_day * days) <= rows["high"])
    assert 0.94 < held.mean() < 0.985


# Rolling


@few
@given(table=spells())
def test_a_rolling_window_is_that_of_counting_customers_day_by_day(table):
    found = retention.rolling(table, as_of=AS_OF, days=45, by="plan")
    for row in found.itertuples():
        rows, window = of_group(one_by_one(table), row.plan), pd.date_range(row.since, row.until)
        assert len(window) == 45
        assert row.until == (pd.Timestamp(row.month) + pd.offsets.MonthEnd(0)).date()
        active = [((rows["seen"] <= day) & (rows["gone"] >= day)).sum() for day in window]
        left = rows["gone"].between(window[0], window[-1]).sum()
        assert [row.customer_days, row.left] == [sum(active), left]
        assert row.n == ((rows["seen"] <= window[-1]) & (rows["gone"] >= window[0])).sum()
        assert row.estimate == pytest.approx(left / np.mean(active)) if sum(active) else np.isnan(row.estimate)


def test_rolling_windows_begin_when_somebody_was_seen():
    table = customers(("2020-01-01", None, "2026-01-15"), ("2020-01-01", "2026-02-11", "2026-01-15"))
    found = retention.rolling(table, as_of="2026-05-20", days=60)
    assert found["month"].tolist() == [dt.date(2026, 3, 1), dt.date(2026, 4, 1)]
    late = retention.rolling(table, as_of="2026-02-20", days=60)
    assert late.attrs["reason"] == "By 2026-02-20 no month had ended 60 days or more after somebody was first seen."


# Movement


def quiet(random, worlds, size):
    """Companies in which nothing moves: customers unequally ready to leave, joining evenly, seen from 2025 on."""
    hazard = 0.001 * np.exp(random.normal(0, 0.6, worlds * size))
    joined = random.integers(-400, 460, worlds * size)
    life = random.geometric(hazard)
    seen = joined + life >= 0
    start = np.datetime64("2025-01-01") + joined
    first = np.maximum(start, np.datetime64("2025-01-01"))
    world = np.repeat(np.arange(worlds), size)
    return pd.DataFrame({"world": world, "start": start, "end": start + life, "observed_from": first})[seen]


def test_in_two_thousand_quiet_companies_one_in_twenty_pairs_is_found_to_have_moved():
    table = quiet(np.random.default_rng(1), 2_000, 600)
    for way, rate in (("month", 0.040), ("quarter", 0.045), ("year", 0.050)):
        found = retention.movement(table, as_of="2026-03-31", by="world", between=way)
        assert (found["p_value"] < 0.05).mean() == pytest.approx(rate, abs=0.003)
        # Most customers of the one period are those of the other as well.
        assert found["n_both"].sum() > 0.6 * found["n_before"].sum()
    held = (found["low"] <= 0) & (found["high"] >= 0)
    assert held.mean() == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize("law", ["by the day", "by the month"])
def test_a_longer_month_is_no_movement_however_customers_leave(law):
    """Ten companies of 30,000 customers; where they leave by the day, the shares alone would find March above February."""
    random, worlds, size = np.random.default_rng(3), 10, 30_000
    shares = [1 - 0.9 ** (days / 30) if law == "by the day" else 0.1 for days in (28, 31)]
    there = random.random((worlds, size)) >= shares[0]
    left = random.random((worlds, size)) < shares[1]
    end = np.where(~there, np.datetime64("2026-02-14"), np.where(left, np.datetime64("2026-03-14"), np.datetime64("NaT")))
    table = pd.DataFrame({"world": np.repeat(np.arange(worlds), size), "start": pd.Timestamp("2026-02-01"), "end": end.ravel()})
    found = retention.movement(table, as_of="2026-03-31", by="world")
    assert (found["p_value"] < 0.05).sum() <= 1
    by_shares_alone = ~((found["low"] <= 0) & (found["high"] >= 0))
    assert by_shares_alone.sum() >= 9 if law == "by the day" else by_shares_alone.sum() <= 2


def test_a_movement_has_the_shares_and_the_interval_of_both_months():
    table = customers(
        *[("2025-12-01", "2026-01-20")] * 30, *[("2025-12-01", "2026-02-28")] * 60, *[("2025-12-01", None)] * 910,
        *[("2026-02-01", "2026-02-09")] * 20, ("2026-02-02", "2026-02-09"),
    )  # fmt: skip
    found = retention.movement(table, as_of="2026-02-28")
    row = found.iloc[-1]
    assert row[["n_before", "bad_before", "good_before", "months_before"]].tolist() == [1_000, 30, 970, 1_000]
    assert row[["n_after", "bad_after", "good_after", "months_after", "n_both"]].tolist() == [990, 80, 910, 990, 970]
    rates = churn.churn_rate(table, as_of="2026-02-28")["estimate"].tolist()
    assert row[["estimate_before", "estimate_after"]].tolist() == rates[1:]
    low, high = (np.array(bound) for bound in intervals.wilson([30, 80], [1_000, 990], 0.95))
    first, second = rates[1:]
    newcombe = [
        second - first - np.hypot(second - low[1], high[0] - first),
        second - first + np.hypot(high[1] - second, first - low[0]),
    ]
    np.testing.assert_allclose(row[["low", "high"]].tolist(), newcombe, rtol=1e-9)
    assert row[["verdict", "better", "low_is_good", "between"]].tolist() == ["up", False, True, "month"]
    assert row[["before", "after", "since", "until_before"]].tolist() == [
        dt.date(2026, 1, 1), dt.date(2026, 2, 1), dt.date(2026, 2, 1), dt.date(2026, 1, 31),
    ]  # fmt: skip


@few
@given(table=spells(), way=st.sampled_from(["month", "quarter", "year", "last 3 months"]))
def test_a_movement_rests_on_the_churn_rates_of_its_months(table, way):
    rates = churn.churn_rate(table, as_of=AS_OF, by="plan").assign(plan=lambda frame: frame["plan"].fillna("none"))
    found = retention.movement(table, as_of=AS_OF, by="plan", between=way)
    for row in found.itertuples():
        for side, since, until in (("before", row.since_before, row.until_before), ("after", row.since, row.until)):
            of = rates[(rates["plan"] == ("none" if pd.isna(row.plan) else row.plan)) & rates["month"].between(since, until)]
            assert [getattr(row, f"bad_{side}"), getattr(row, f"months_{side}")] == of[["left", "n"]].sum().tolist()
            rows = of_group(one_by_one(table), row.plan)
            first = rows["seen"] + pd.offsets.MonthBegin(0)
            there = (first.clip(lower=pd.Timestamp(since)) <= rows["gone"]) & (first <= pd.Timestamp(until))
            assert getattr(row, f"n_{side}") == there.sum()


def test_months_quarters_years_spans_and_windows_are_paired():
    table = customers(("2024-11-15", None), ("2024-12-01", "2026-05-20"))
    pairs = {
        way: retention.movement(table, as_of="2026-06-15", between=way)[["since_before", "until_before", "since", "until"]]
        for way in ("month", "quarter", "year", "last 3 months", (("2024-12-01", "2025-02-28"), ("2025-12-01", "2026-02-28")))
    }
    assert [len(each) for each in pairs.values()] == [17, 4, 6, 1, 1]
    assert pairs["quarter"].iloc[0].tolist() == [dt.date(2025, 1, 1), dt.date(2025, 3, 31), dt.date(2025, 4, 1), dt.date(2025, 6, 30)]
    assert pairs["year"].iloc[-1].tolist() == [dt.date(2025, 5, 1), dt.date(2025, 5, 31), dt.date(2026, 5, 1), dt.date(2026, 5, 31)]
    assert pairs["last 3 months"].iloc[0].tolist() == [
        dt.date(2025, 3, 1), dt.date(2025, 5, 31), dt.date(2026, 3, 1), dt.date(2026, 5, 31),
    ]  # fmt: skip


def test_churn_is_corrected_together_with_all_movements_of_a_report():
    table = quiet(np.random.default_rng(4), 3, 3_000)
    months, years = (retention.movement(table, as_of="2026-03-31", between=way, margin=0.01) for way in ("month", "year"))
    by_world = retention.movement(table, as_of="2026-03-31", between="year", by="world")
    found = verdicts.together(months, years, by_world)
    assert [list(frame.columns) for frame in found] == [list(frame.columns) for frame in (months, years, by_world)]
    assert not found[1]["p_corrected"].equals(years["p_corrected"])
    kept = [name for name in years if name not in {"p_corrected", "verdict", "better", "n_to_tell"}]
    assert_frame_equal(found[1][kept], years[kept])
    assert found[0].attrs["together"] == len(months) + len(years) + len(by_world)
    assert set(months["verdict"]) <= {"up", "down", "no material change", "cannot tell yet"}


def test_what_would_settle_an_open_movement_settles_it():
    """As many customers as the result asks for, with the shares that it saw, are enough for a verdict."""

    def company(size):
        left = [round(0.030 * size), round(0.038 * size)]
        first = [("2025-12-01", "2026-03-20")] * left[0] + [("2025-12-01", "2026-05-20")] * left[1]
        return customers(*first, *[("2025-12-01", None)] * (size - sum(left)))

    way = (("2026-03-01", "2026-03-31"), ("2026-05-01", "2026-05-31"))
    (row,) = retention.movement(company(1_000), as_of=AS_OF, between=way).itertuples()
    assert row.verdict == "cannot tell yet"
    (row,) = retention.movement(company(int(row.n_to_tell * 1.1)), as_of=AS_OF, between=way).itertuples()
    assert row.verdict == "up"


def test_months_of_different_length_are_said():
    table = customers(*[("2025-12-01", None)] * 50)
    found = retention.movement(table, as_of="2026-03-31")
    assert found.attrs["notes"] == [
        (
            "2 of 3 comparisons are of months of different length: to count as moved, churn has to have moved for each month and for each "
            "day of it."
        )
    ]
    assert retention.movement(table, as_of="2026-01-31").attrs["notes"] == []


# Cohorts


def months_stayed(start: pd.Timestamp, day: pd.Timestamp) -> int:
    return max(months for months in range(-1, 60) if months < 0 or start + pd.DateOffset(months=months) <= day)


@few
@given(table=spells(), months=st.sampled_from([("month", 1), ("quarter", 3)]))
def test_the_triangle_is_that_of_following_customers_one_by_one(table, months):
    found = retention.cohorts(table, as_of=AS_OF, by="plan", joined=months[0])
    own = table[(table["start"] <= pd.Timestamp(AS_OF)) & ~(table["observed_from"] > table["start"])]
    own = own.assign(gone=own["end"].where(own["end"] <= pd.Timestamp(AS_OF)).fillna(pd.Timestamp("2100-01-01")))
    expected = {}
    for (plan, _), part in own.groupby(["plan", own["start"].dt.to_period("M" if months[1] == 1 else "Q")], dropna=False):
        last = part["start"].dt.to_period("M" if months[1] == 1 else "Q").iloc[0].end_time.normalize()
        for month in range(1, months_stayed(last, pd.Timestamp(AS_OF)) + 1):
            still = sum(row.start + pd.DateOffset(months=month) < row.gone for row in part.itertuples())
            first = part["start"].dt.to_period("M" if months[1] == 1 else "Q").iloc[0].start_time.date()
            expected["none" if pd.isna(plan) else plan, first, month] = (len(part), still)
    rows = {("none" if pd.isna(row.plan) else row.plan, row.cohort, row.tenure_months): (row.n, row.still) for row in found.itertuples()}
    assert rows == expected


def test_nobody_who_has_not_had_the_time_counts_as_lost():
    """Of May's cohort even the last joiner, of the 31st, has had a month on 30 June, and of June's nobody need have had one."""
    table = customers(("2026-05-02", None), ("2026-05-31", "2026-06-30"), ("2026-06-01", None))
    found = retention.cohorts(table, as_of=AS_OF)
    assert found[["cohort", "tenure_months", "n", "still", "left"]].values.tolist() == [[dt.date(2026, 5, 1), 1, 2, 1, 1]]
    assert not len(retention.cohorts(table, as_of="2026-06-29"))


def test_who_was_there_before_leaving_was_seen_is_in_no_cohort():
    table = customers(("2026-01-02", None, "2026-02-01"), ("2026-01-03", "2026-01-20"), ("2026-01-04", None, "2026-01-04"))
    found = retention.cohorts(table, as_of="2026-02-28")
    assert found[["n", "still"]].values.tolist() == [[2, 1]]
    assert found.attrs["notes"] == ["1 of 3 customers joined before leaving was seen; they are in no cohort."]
    none = retention.cohorts(table[:1], as_of=AS_OF)
    assert none.attrs["reason"] == "Every customer was there before leaving was seen, so there is no cohort of those who joined."


def cohorts_of(still, n):
    """Monthly cohorts of these sizes, of which so many are still there after a month."""
    parts = [
        customers(*[(f"2026-{month:02}-10", f"2026-{month:02}-20")] * (size - left), *[(f"2026-{month:02}-10", None)] * left)
        for month, (left, size) in enumerate(zip(still, n, strict=True), start=1)
    ]
    return pd.concat(parts)


def test_the_trend_over_cohorts_is_rs_before_it_is_raised_for_how_much_they_differ():
    rows = golden("retention_trend")
    (found,) = retention.cohort_trend(cohorts_of(rows["still"], rows["n"]), as_of=AS_OF, months=[1]).itertuples()
    assert (found.n, found.still, found.cohorts) == (rows["n"].sum(), rows["still"].sum(), 4)
    assert found.overdispersion > 1
    t = scipy_stats.t.ppf(found.p_value / 2, 2)
    assert t**2 * found.overdispersion == pytest.approx(rows["statistic"].iloc[0], rel=1e-9)
    reach = (found.high - found.low) / 2 / scipy_stats.t.ppf(0.975, 2)
    assert (found.estimate / reach) ** 2 == pytest.approx(t**2, rel=1e-9)


def test_where_cohorts_differ_by_no_more_than_chance_the_trend_is_rs():
    still, n = [80, 84, 88, 92], [100] * 4
    (found,) = retention.cohort_trend(cohorts_of(still, n), as_of=AS_OF, months=[1]).itertuples()
    share, away = 0.86, (np.arange(4) - 1.5) / 3
    error = np.sqrt(share * (1 - share) / (100 * away @ away))
    assert found.overdispersion == 1
    assert found.estimate == pytest.approx(0.12)
    assert found.p_value == pytest.approx(2 * scipy_stats.norm.sf(0.12 / error))
    assert found.verdict == "up"


def test_in_quiet_companies_later_cohorts_are_seldom_found_to_stay_longer():
    """1,000 companies with a season of readiness to leave, cohorts of 5 to 40; one in twenty at most."""
    random, worlds, months = np.random.default_rng(8), 1_000, 18
    n = random.integers(5, 40, (worlds, months))
    share = 0.8 + 0.08 * np.sin(2 * np.pi * random.random((worlds, 1)) + 2 * np.pi * np.arange(months) / 6)
    still = random.binomial(n, share)
    first = pd.date_range("2024-12-10", periods=months, freq="MS") + pd.Timedelta(days=9)
    frame = pd.DataFrame(
        {"world": np.repeat(np.arange(worlds), months), "start": np.tile(first, worlds), "n": n.ravel(), "still": still.ravel()}
    )
    rows = frame.loc[frame.index.repeat(frame["n"])]
    left = rows.groupby(level=0).cumcount() >= rows["still"]
    table = pd.DataFrame({"world": rows["world"], "start": rows["start"], "end": (rows["start"] + pd.Timedelta(days=9)).where(left)})
    found = retention.cohort_trend(table, as_of="2026-08-31", by="world", months=[1])
    assert 0.02 < (found["p_value"] < 0.05).mean() < 0.055


def test_below_three_cohorts_there_is_no_trend():
    found = retention.cohort_trend(cohorts_of([5, 9], [10, 10]), as_of="2026-03-31", months=[1])
    assert found[["estimate", "low", "high", "p_value"]].isna().all(axis=None)
    assert found[["cohorts", "verdict"]].values.tolist() == [[2, "cannot tell yet"]]


# Revenue


def history(*rows, **columns) -> pd.DataFrame:
    """Revenue of customers from triples: customer, month, revenue."""
    frame = pd.DataFrame(rows, columns=["customer", "valid_from", "revenue"]).astype({"revenue": float})
    return frame.assign(valid_from=pd.to_datetime(frame["valid_from"]), **columns)


def test_gross_churn_and_net_retention_are_rs_ratios():
    rows, ratios = golden("retention_revenue"), golden("retention_ratios").set_index("measure")
    months = {"2026-05-01": rows["start"], "2026-06-01": rows["then"].where(rows["then"] > 0)}
    table = pd.concat(
        [pd.DataFrame({"customer": rows.index, "valid_from": pd.Timestamp(day), "revenue": paid}) for day, paid in months.items()]
    )
    table = table.dropna().astype({"revenue": float})
    (lost,) = retention.revenue_churn(table, as_of=AS_OF).itertuples()
    (kept,) = retention.net_retention(table, as_of=AS_OF).itertuples()
    assert [lost.estimate, kept.estimate] == pytest.approx(ratios["estimate"].tolist(), rel=1e-12)
    assert (lost.n, lost.left, lost.start, lost.churned, lost.contraction, lost.expansion, lost.new) == (12, 1, 515, 25, 25, 35, 0)
    errors = ratios["std_error"]
    # Two customers of mean revenue, one gone and one doubled, stand in the variance of the net.
    reach = scipy_stats.t.ppf(0.975, 13) * np.sqrt(errors["net_retention"] ** 2 + 2 / 144)
    assert [kept.low, kept.high] == pytest.approx([kept.estimate - reach, kept.estimate + reach], rel=1e-9)
    share = lost.estimate
    kish = 515**2 / (rows["start"] ** 2).sum()
    # Four lost something: the variance of losing all or nothing counts as ten more.
    drawn = (4 * errors["revenue_churn"] ** 2 + 10 * max(share * (1 - share) / kish, errors["revenue_churn"] ** 2)) / 14
    worth = share * (1 - share) / drawn / (scipy_stats.t.ppf(0.975, 11) / scipy_stats.norm.ppf(0.975)) ** 2
    assert [lost.low, lost.high] == pytest.approx(np.ravel(intervals.wilson([share * worth], [worth], 0.95)).tolist(), rel=1e-9)


def followed(table: pd.DataFrame) -> dict:
    """What became of revenue, month by month and customer by customer."""
    rows = table[table["valid_from"] <= pd.Timestamp(AS_OF)]
    months = sorted(rows["valid_from"].dt.to_period("M").unique())
    paid = {(row.customer, row.valid_from.to_period("M")): max(row.revenue, 0) for row in rows.itertuples()}
    whole = {}
    for customer in rows["customer"].unique():
        own = {}
        for month in months:
            value = paid.get((customer, month))
            paused = value is None and (customer, month - 1) in paid and (customer, month + 1) in paid
            own[month] = (paid[customer, month - 1], True) if paused else (value, False)
        whole[customer] = own
    found = {}
    for month in months[1:]:
        sums = dict.fromkeys(("start", "contraction", "churned", "expansion", "new", "paused", "n", "left"), 0)
        for own in whole.values():
            (before, _), (now, paused) = own[month - 1], own[month]
            if before:
                sums["start"] += before
                sums["n"] += 1
                sums["paused"] += before if paused else 0
                change = (now or 0) - before
                name = "churned" if now is None else "contraction" if change < 0 else "expansion"
                sums[name] += abs(change)
                sums["left"] += now is None
            else:
                sums["new"] += now or 0
        found[month.start_time.date()] = sums
    return found


@st.composite
def histories(draw):
    """Revenue of some customers over five months, some months missing, 0 or below; of the first, every month."""
    amounts = st.one_of(st.none(), st.sampled_from([0.0, 10.0, 10.0, 12.5, 30.25, -4.0]))
    rows = draw(st.lists(st.lists(amounts, min_size=5, max_size=5), min_size=3, max_size=25))
    rows[0] = [amount or 5.0 for amount in rows[0]]
    months = pd.date_range("2026-02-01", periods=5, freq="MS")
    parts = [
        (f"c{place}", month, paid) for place, own in enumerate(rows) for month, paid in zip(months, own, strict=True) if paid is not None
    ]
    return history(*parts).assign(plan=lambda frame: np.where(frame["customer"].str[-1].isin(list("0246")), "even", "odd"))


@settings(max_examples=8)
@given(table=histories())
def test_revenue_is_that_of_following_customers_one_by_one_and_adds_up(table):
    found = retention.revenue_churn(table, as_of=AS_OF)
    for month, sums in followed(table).items():
        row = found[found["month"] == month].iloc[0]
        assert {name: row[name] for name in sums} == pytest.approx(sums)
        assert (
            row["estimate"] == pytest.approx((sums["churned"] + sums["contraction"]) / sums["start"])
            if sums["start"]
            else np.isnan(row["estimate"])
        )
    ends = found["start"] + found["new"] + found["expansion"] - found["contraction"] - found["churned"]
    assert ends.tolist()[:-1] == pytest.approx(found["start"].tolist()[1:])
    net = retention.net_retention(table, as_of=AS_OF)
    kept = (found["start"] + found["expansion"] - found["contraction"] - found["churned"]) / found["start"].where(found["start"] > 0)
    assert net["estimate"].tolist() == pytest.approx(kept.tolist(), nan_ok=True)


def test_a_gap_of_one_month_is_a_pause_and_of_two_a_loss():
    table = history(("a", "2026-01-01", 10), ("a", "2026-03-01", 8), ("b", "2026-01-01", 10), ("b", "2026-04-01", 10),
                    *[("c", f"2026-0{month}-01", 10) for month in range(1, 5)])  # fmt: skip
    found = retention.revenue_churn(table, as_of="2026-04-30")
    columns = ["start", "contraction", "churned", "expansion", "new", "paused", "left"]
    assert found[columns].values.tolist() == [[30, 0, 10, 0, 0, 10, 1], [20, 2, 0, 0, 0, 0, 0], [18, 0, 8, 0, 10, 0, 1]]
    assert found.attrs["notes"] == [
        "Of 1 customers gone in the last month it is not known yet who will be back in the next, and has paused."
    ]
    back = pd.concat([table, history(("a", "2026-05-01", 8))])
    assert retention.revenue_churn(back, as_of="2026-05-10")["churned"].tolist() == [10, 0, 0]


def test_refunds_count_as_nothing_and_are_said():
    table = history(("a", "2026-05-01", 10), ("b", "2026-05-01", 10), ("a", "2026-06-01", -5), ("b", "2026-06-01", 10))
    found = retention.revenue_churn(table, as_of=AS_OF)
    assert found[["estimate", "contraction", "churned", "left"]].values.tolist() == [[0.5, 10, 0, 0]]
    assert found.attrs["notes"] == ["1 of 4 months of a customer are below 0 and count as 0."]


def test_currencies_are_refused_or_kept_apart():
    table = history(("a", "2026-05-01", 10), ("a", "2026-06-01", 5), currency="EUR")
    both = pd.concat([table, table.assign(currency="CHF", revenue=[20.0, 20.0])])
    with pytest.raises(TableError) as letter:
        retention.net_retention(both, as_of=AS_OF)
    assert str(letter.value) == (
        "net_retention: revenue is in 2 currencies (CHF, EUR), which cannot be added. Give by='currency', or convert them first."
    )
    found = retention.net_retention(both, as_of=AS_OF, by="currency")
    assert found[["currency", "estimate", "start"]].values.tolist() == [["CHF", 1, 20], ["EUR", 0.5, 10]]


def test_the_intervals_of_revenue_hold_the_truth_as_often_as_they_say():
    """1,000 months of 100 and of 400 customers with fees of 19 to 354; 4 % leave and 5 % halve or grow by half."""
    random, worlds = np.random.default_rng(9), 1_000
    for size in (100, 400):
        fees = random.choice(
            [19, 34, 59, 57, 102, 177, 114, 204, 354], p=[0.3, 0.25, 0.1, 0.1, 0.08, 0.05, 0.05, 0.04, 0.03], size=(worlds, size)
        )
        fate = random.choice([0.0, 0.5, 1.5, 1.0], p=[0.04, 0.05, 0.05, 0.86], size=fees.shape)
        world, customer = np.repeat(np.arange(worlds), size), np.arange(worlds * size)
        then = (fees * fate).ravel()
        first = pd.DataFrame(
            {"customer": customer, "valid_from": pd.Timestamp("2026-05-01"), "revenue": fees.ravel().astype(float), "world": world}
        )
        second = first.assign(valid_from=pd.Timestamp("2026-06-01"), revenue=then)[then > 0]
        table = pd.concat([first, second])
        lost = retention.revenue_churn(table, as_of=AS_OF, by="world")
        kept = retention.net_retention(table, as_of=AS_OF, by="world")
        for found, truth in ((lost, 0.04 + 0.025), (kept, 0.96)):
            assert 0.935 < ((found["low"] <= truth) & (truth <= found["high"])).mean() < 0.985


def test_where_nothing_changed_revenue_keeps_an_interval():
    table = history(*[(customer, month, 10) for customer in "abcdefgh" for month in ("2026-05-01", "2026-06-01")])
    lost, kept = retention.revenue_churn(table, as_of=AS_OF), retention.net_retention(table, as_of=AS_OF)
    low, high = intervals.wilson([0], [8], 0.95)
    assert lost[["estimate", "low", "high"]].values.tolist() == [[0, low[0], high[0]]]
    assert kept["estimate"].tolist() == [1]
    assert (kept["low"] < 0.8).all()
    assert (kept["high"] > 1.2).all()


# All of them


def worth(table: pd.DataFrame) -> pd.DataFrame:
    """Spells as revenue: a row for each month in which a customer was there."""
    rows = []
    for place, row in enumerate(table.itertuples()):
        last = min(row.end if pd.notna(row.end) else pd.Timestamp("2026-08-31"), pd.Timestamp("2026-08-31"))
        months = pd.period_range(row.start, last, freq="M") if row.start <= last else []
        rows += [(f"c{place}", month.start_time, 10.0 + place, row.plan) for month in months]
    every = [("all", month.start_time, 5.0, "a") for month in pd.period_range("2025-03", "2026-08", freq="M")]
    return pd.DataFrame([*rows, *every], columns=["customer", "valid_from", "revenue", "plan"]).astype({"plan": object})


MEASURES = {
    "definitions": lambda table, **more: retention.definitions(table, **{"as_of": AS_OF, **more}),
    "rolling": lambda table, **more: retention.rolling(table, **{"as_of": AS_OF, **more}),
    "movement": lambda table, **more: retention.movement(table, **{"as_of": AS_OF, **more}),
    "cohorts": lambda table, **more: retention.cohorts(table, **{"as_of": AS_OF, **more}),
    "cohort_trend": lambda table, **more: retention.cohort_trend(table, **{"as_of": AS_OF, "months": [1, 3], **more}),
    "revenue_churn": lambda table, **more: retention.revenue_churn(table, **{"as_of": AS_OF, **more}),
    "net_retention": lambda table, **more: retention.net_retention(table, **{"as_of": AS_OF, **more}),
}
OF_REVENUE = {"revenue_churn", "net_retention"}
every_measure = pytest.mark.parametrize("name", MEASURES)


def given_to(name: str, table: pd.DataFrame) -> pd.DataFrame:
    return worth(table) if name in OF_REVENUE else table


@every_measure
@settings(max_examples=2)
@given(table=spells(), seed=st.integers(0, 99))
def test_frames_engine_tables_and_shuffled_rows_give_the_same_answer(name, table, seed):
    measure, rows = MEASURES[name], given_to(name, table)
    found = measure(rows, by="plan")
    assert_frame_equal(found, measure(engine_table(rows), by="plan"), check_exact=True)
    assert_frame_equal(found, measure(rows.sample(frac=1, random_state=seed), by="plan"), check_exact=True)


@every_measure
@few
@given(table=spells())
def test_a_result_has_its_shape_and_its_bounds_hold_the_estimate(name, table):
    found = MEASURES[name](given_to(name, table), by="plan")
    columns = list(found.columns)
    start = columns.index("measure")
    assert tuple(columns[start : start + len(RESULT)]) == RESULT
    assert isinstance(found.index, pd.RangeIndex)
    known = found[found[["estimate", "low", "high"]].notna().all(axis=1)]
    assert (known["low"] <= known["estimate"] + 1e-12).all()
    assert (known["estimate"] <= known["high"] + 1e-12).all()
    assert (known["low"] < known["high"]).all()


@every_measure
@settings(max_examples=2)
@given(table=spells())
def test_what_happens_after_the_last_day_changes_nothing(name, table):
    known = table[table["start"] <= pd.Timestamp(AS_OF)]
    known = known.assign(end=known["end"].where(known["end"] <= pd.Timestamp(AS_OF)))
    rows, without = given_to(name, table), given_to(name, known)
    if name in OF_REVENUE:
        without = rows[rows["valid_from"] <= pd.Timestamp(AS_OF)]
    assert_frame_equal(MEASURES[name](rows, by="plan"), MEASURES[name](without, by="plan"), check_exact=True)


EVENLY = pd.concat(
    [
        customers(*[(f"2025-{month:02}-05", f"2026-{month % 6 + 1:02}-10") for month in range(1, 13)], ("2025-01-05", None), plan=plan)
        for plan in ("b", None, "a")
    ],
    ignore_index=True,
)


@every_measure
def test_groups_are_those_alone_the_missing_one_last(name):
    rows = given_to(name, EVENLY)
    found = MEASURES[name](rows, by="plan")
    assert [None if pd.isna(key) else key for key in found["plan"].drop_duplicates()] == ["a", "b", None]
    alone = MEASURES[name](rows[rows["plan"] == "a"])
    own = found[found["plan"] == "a"].drop(columns="plan").reset_index(drop=True)
    corrected = [column for column in ("p_corrected", "verdict", "better", "n_to_tell") if column in own]
    assert_frame_equal(own.drop(columns=corrected), alone.drop(columns=corrected))


@every_measure
def test_a_higher_level_widens_the_interval(name):
    rows = given_to(name, EVENLY)
    narrow, wide = MEASURES[name](rows, level=0.6), MEASURES[name](rows, level=0.99)
    assert (wide["low"].fillna(0) <= narrow["low"].fillna(0) + 1e-12).all()
    assert (narrow["high"].fillna(9) <= wide["high"].fillna(9) + 1e-12).all()


REASONS = {
    "definitions": "No customer was seen between 2026-06-01 and 2026-06-30.",
    "rolling": "By 2026-06-30 no month had ended 90 days or more after somebody was first seen.",
    "movement": "Customers were seen for one whole month, so there is none to compare it with.",
    "cohorts": "No cohort has had a month by 2026-06-30.",
    "cohort_trend": "No cohort has had a month by 2026-06-30.",
}


@pytest.mark.parametrize("name", REASONS)
def test_without_customers_the_result_has_no_rows_and_says_why(name):
    measure = MEASURES[name]
    full = measure(EVENLY, by="plan")
    gone = customers(("2026-01-05", "2026-01-10"), plan="a", segment=None)
    new = customers(("2026-05-31", None), plan="a", segment=None) if name == "movement" else customers(("2026-06-09", None), plan="a")
    dateless = gone.assign(start=pd.NaT, end=pd.NaT, tenure_days=9.0, churned=True)
    last = gone if name == "definitions" else new
    for frame, key, reason in (
        (gone[:0], "plan", "There are no customers."),
        (gone.assign(start=pd.Timestamp("2027-01-01"), end=pd.NaT), "plan", "There are no customers."),
        (gone, "segment", "No customer has a segment."),
        (dateless, "plan", "No customer has a start date, so there is no churn by the calendar."),
        (last, "plan", REASONS[name]),
    ):
        found = measure(frame, by=key)
        assert len(found) == 0
        assert found.attrs["reason"] == reason
        assert list(found.columns) == [key, *full.columns[1:]]
        counts = full.columns[full.columns.get_loc("n") :]
        assert found.dtypes[counts].tolist() == full.dtypes[counts].tolist()


@pytest.mark.parametrize("name", REASONS)
def test_where_nothing_read_says_who_left_nothing_is_said_of_leaving(name):
    table = ibis.memtable(customers(("2026-01-05",))[["start"]]).mutate(end=ibis.null(), churned=ibis.null())
    found = MEASURES[name](table)
    assert found.attrs["reason"] == "Nothing that was read says who left, so nothing can be said of leaving."


def test_without_two_months_of_revenue_there_is_nothing_to_compare():
    table = history(("a", "2026-05-01", 10), ("a", "2026-06-01", 10), plan=None)
    for frame, as_of, key, reason in (
        (table[:0], AS_OF, (), "No revenue is of a month complete by 2026-06-30."),
        (table, "2026-05-30", (), "No revenue is of a month complete by 2026-05-30."),
        (table, "2026-06-29", (), "There is revenue of one month, so none to compare it with."),
        (table, AS_OF, "plan", "No row has a plan."),
    ):
        found = retention.revenue_churn(frame, as_of=as_of, by=key)
        assert len(found) == 0
        assert found.attrs["reason"] == reason


# Letters


ONE = customers(("2026-01-01", None))
PAID = history(("a", "2026-05-01", 10), ("a", "2026-06-01", 10))

LETTERS = {
    "misspelt key": (
        lambda: retention.rolling(ONE.assign(plan="a"), as_of=AS_OF, by="plam"),
        "rolling: the table has no column 'plam'. Did you mean 'plan'?",
    ),
    "end before start": (
        lambda: retention.cohorts(customers(("2026-03-02", "2026-03-01"), ("2026-03-01", None)), as_of=AS_OF),
        "cohorts: 1 of 2 spells end before they start (row 1: '2026-03-02 to 2026-03-01'). Correct them, or leave them out.",
    ),
    **{
        f"some without start, {name}": (
            lambda measure=measure: measure(customers(("2026-01-01", None), (None, None), tenure_days=[np.nan, 5], churned=False)),
            f"{name}: 1 of 2 spells have no start. Correct them, or leave them out.",
        )
        for name, measure in MEASURES.items()
        if name not in OF_REVENUE
    },
    "no revenue": (
        lambda: retention.revenue_churn(PAID.assign(revenue=[10, np.nan]), as_of=AS_OF),
        "revenue_churn: 1 of 2 rows have no revenue (row 2: 'a'). Correct them, or leave them out.",
    ),
    "no customer": (
        lambda: retention.net_retention(PAID.assign(customer=["a", None]), as_of=AS_OF),
        "net_retention: 1 of 2 rows have no customer (row 2: missing). Correct them, or leave them out.",
    ),
    "twice a month": (
        lambda: retention.revenue_churn(pd.concat([PAID, PAID[:1]]), as_of=AS_OF),
        "revenue_churn: 1 rows are a second one of the same customer and month. Add them up, or leave them out.",
    ),
    "a month without rows": (
        lambda: retention.revenue_churn(history(("a", "2026-03-01", 10), ("a", "2026-05-01", 10)), as_of=AS_OF),
        (
            "revenue_churn: no row is of 2026-04, so it is not known what became of the revenue before. "
            "Read that month too, or ask from the next on."
        ),
    ),
    "text for revenue": (
        lambda: retention.revenue_churn(PAID.assign(revenue=["10", "ten"]), as_of=AS_OF),
        "revenue_churn: 2 values of 'revenue' are not numbers (row 1: '10', row 2: 'ten'). Convert the column first.",
    ),
}


@pytest.mark.parametrize(("call", "words"), LETTERS.values(), ids=LETTERS)
def test_a_table_that_cannot_be_counted_gets_a_letter(call, words):
    with pytest.raises(TableError) as letter:
        call()
    assert str(letter.value) == words


WINDOWS = (("2025-07-01", "2025-12-31"), ("2026-01-01", "2026-06-30"))
ARGUMENTS = {
    "level": (lambda: retention.definitions(ONE, as_of=AS_OF, level=1), "level: 1 is not between 0 and 1; for 95 % write 0.95"),
    "since after as_of": (
        lambda: retention.definitions(ONE, as_of=AS_OF, since="2026-07-01"),
        "definitions: since=2026-07-01 is after the last day counted, 2026-06-30",
    ),
    "days": (lambda: retention.rolling(ONE, as_of=AS_OF, days=0), "rolling: days is 0; the window is a whole number of days from 1"),
    "margin": (
        lambda: retention.movement(ONE, as_of=AS_OF, margin=5),
        "margin: 5 is no part of a share, which goes from 0 to 1; for five in a hundred write 0.05",
    ),
    "between": (
        lambda: retention.movement(ONE, as_of=AS_OF, between="week"),
        (
            "between: 'week' is none of 'month', 'quarter', 'year', 'last 3 months', 'last 6 months', 'last 12 months', "
            "and no pair of windows"
        ),
    ),
    "no windows": (
        lambda: retention.movement(ONE, as_of=AS_OF, between=("2025", "2026")),
        "between: ('2025', '2026') are no two windows such as (('2025-07-01', '2025-12-31'), ('2026-01-01', '2026-06-30'))",
    ),
    "windows in the wrong order": (
        lambda: retention.movement(ONE, as_of=AS_OF, between=WINDOWS[::-1]),
        "between: the windows 2026-01-01 to 2026-06-30 and 2025-07-01 to 2025-12-31 do not follow each other",
    ),
    "windows of half months": (
        lambda: retention.movement(ONE, as_of=AS_OF, between=(WINDOWS[0], ("2026-01-15", "2026-06-30"))),
        "between: the windows 2025-07-01 to 2025-12-31 and 2026-01-15 to 2026-06-30 are not of whole months",
    ),
    "joined": (
        lambda: retention.cohorts(ONE, as_of=AS_OF, joined="week"),
        "cohorts: joined is 'week'; cohorts are of a 'month' or a 'quarter'",
    ),
    "months": (
        lambda: retention.cohort_trend(ONE, as_of=AS_OF, months=[0, 3]),
        "cohort_trend: months is [0, 3]; they are whole numbers from 1, such as [1, 3, 6, 12]",
    ),
    "key of this result": (
        lambda: retention.cohorts(ONE, as_of=AS_OF, by="cohort"),
        "by: 'cohort' is a column of this result and cannot be a key",
    ),
}


@pytest.mark.parametrize(("call", "words"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_an_argument_that_means_nothing_is_refused(call, words):
    with pytest.raises(ValueError) as letter:  # noqa: PT011 - the whole message is compared
        call()
    assert str(letter.value) == words
