"""Money: R's restricted means, values computed by hand, and intervals that hold the truth."""

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
from statsmodels.stats.proportion import proportion_confint

from cxlib import leaving, money, sample
from cxlib.money.worth import Estimate, product
from cxlib.stats.discounted import discounted_stay
from cxlib.tables import RESULT, TableError

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

GOLDEN = Path(__file__).parent / "golden"
AS_OF = dt.date(2026, 6, 30)
few = settings(max_examples=4)


@cache
def engine() -> ibis.BaseBackend:
    return ibis.duckdb.connect()


def engine_tables(customers: pd.DataFrame, values: pd.DataFrame) -> tuple[ibis.Table, ibis.Table]:
    texts = {"plan": "string", "currency": "string"}
    return tuple(
        engine().create_table(name, frame.astype({key: kind for key, kind in texts.items() if key in frame}), overwrite=True)
        for name, frame in (("customers", customers), ("value_history", values))
    )


def spells(*rows, **columns) -> pd.DataFrame:
    """Spells from pairs or triples of ISO days (start, end, observed_from), of customers c0, c1, …"""
    padded = [(*row, None, None)[:3] for row in rows]
    frame = pd.DataFrame(padded, columns=["start", "end", "observed_from"]).apply(pd.to_datetime)
    return frame.assign(customer=[f"c{place}" for place in range(len(rows))], **columns)


def monthly(margins, month="2026-06-01", **columns) -> pd.DataFrame:
    """The margin of one month of customers c0, c1, …; None for who has none."""
    rows = [(f"c{place}", margin) for place, margin in enumerate(margins) if margin is not None]
    frame = pd.DataFrame(rows, columns=["customer", "margin"]).astype({"margin": float})
    return frame.assign(valid_from=pd.Timestamp(month), **{"currency": "EUR", **columns})


@st.composite
def companies(draw):
    """Spells over three years in groups, some ended, some seen late, some of the same customer; and their values."""
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, 900), st.one_of(st.none(), st.integers(0, 700)), st.integers(-80, 90), st.sampled_from(["a", "b", None])
            ),
            min_size=3,
            max_size=30,
        )
    )
    frame = pd.DataFrame(rows, columns=["start", "end", "late", "plan"]).astype({"plan": object})
    start = pd.Timestamp("2023-12-31") + pd.to_timedelta(frame["start"], unit="D")
    end = start + pd.to_timedelta(frame["end"], unit="D")
    seen = start + pd.to_timedelta(frame["late"], unit="D")
    # Somebody who was there all along and somebody who left, so that every measure has something to say.
    person = draw(st.lists(st.integers(0, 20), min_size=len(frame), max_size=len(frame)))
    table = pd.DataFrame(
        {
            "customer": [f"c{number}" for number in person],
            "start": start,
            "end": end,
            "observed_from": seen.where((frame["late"] > 0) & ~(end < seen)),
            "plan": frame["plan"],
        }
    )
    amounts = draw(st.lists(st.integers(-500, 90_000), min_size=21, max_size=21))
    months = pd.to_datetime(["2026-04-01", "2026-05-01", "2026-06-01"])
    values = pd.DataFrame(
        [
            (f"c{number}", months[month], amount / 100 + month)
            for number, amount in enumerate(amounts)
            for month in range(3)
            if (number + month) % 4
        ],
        columns=["customer", "valid_from", "margin"],
    )
    return table.drop_duplicates(["customer", "start"]), values.assign(currency="EUR")


# The time of staying


def test_the_restricted_means_and_their_errors_are_rs():
    rows, golden = pd.read_csv(GOLDEN / "lung.csv"), pd.read_csv(GOLDEN / "lung_restricted_mean.csv")
    parts = {"all": rows, "men": rows[rows["sex"] == 1], "women": rows[rows["sex"] == 2]}
    for row in golden[golden["group"].isin(parts)].itertuples():
        part = parts[row.group]
        found = stay(part["time"], part["left"] == 1, until=row.horizon_days)
        assert found.days == pytest.approx(row.estimate, rel=1e-12)
        assert np.sqrt((found.influence**2).sum()) == pytest.approx(row.std_error, rel=1e-12)


def stay(tenure, left, entry=None, spells=None, *, until, a_day=0.0):
    tenure = np.asarray(tenure, dtype=float)
    entry = np.zeros(len(tenure)) if entry is None else np.asarray(entry, dtype=float)
    spells = np.ones(len(tenure), dtype=np.int64) if spells is None else np.asarray(spells)
    return discounted_stay(entry, tenure, np.asarray(left, dtype=bool), spells, until=until, a_day=a_day)


def test_an_influence_is_how_far_the_estimate_moves_with_the_weight_of_a_spell():
    random = np.random.default_rng(4)
    tenure = random.integers(1, 60, 25)
    entry, left = np.where(random.random(25) < 0.4, tenure // 3, 0), random.random(25) < 0.6
    weight = 10**7
    base = stay(tenure, left, entry, np.full(25, weight), until=50, a_day=0.004)
    once = stay(tenure, left, entry, until=50, a_day=0.004)
    assert base.days == pytest.approx(once.days, rel=1e-12)
    for place in range(25):
        more = np.full(25, weight)
        more[place] += 1
        moved = (stay(tenure, left, entry, more, until=50, a_day=0.004).days - base.days) * weight
        assert moved == pytest.approx(once.influence[place], abs=1e-4)


@given(
    rows=st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.integers(0, 10)), min_size=1, max_size=30),
    until=st.integers(1, 35),
    rate=st.sampled_from([0.0, 0.01, 0.2]),
)
def test_the_discounted_stay_is_that_of_adding_up_days(rows, until, rate):
    tenure, left, entry = (np.array(column) for column in zip(*rows, strict=True))
    entry = np.minimum(entry, tenure)
    found = stay(tenure, left, entry, until=until, a_day=rate)
    alive, total = 1.0, 0.0
    for day in range(until):
        risk = ((entry <= day) & (tenure >= day)).sum()
        gone = (left & (tenure == day)).sum()
        alive *= 1 - gone / risk if risk else 1
        total += alive * ((np.exp(-rate * day) - np.exp(-rate * (day + 1))) / rate if rate else 1)
    assert found.days == pytest.approx(total, rel=1e-9)
    assert found.last == ((entry <= until) & (tenure >= until)).sum()
    assert found.influence.sum() == pytest.approx(0, abs=1e-9 * until)


# The value of a customer

#: Whoever has been there for longer than any horizon here: seen to its end, and not like those who join.
OLD = [("2020-01-01",)] * 2


def test_those_who_bring_more_and_stay_longer_do_not_make_the_new_worth_more():
    """Every month one who brings 100 joins and stays, and one who brings 10 joins and leaves after 100 days: 60 months later."""
    joined = pd.date_range(end="2026-06-30", periods=1826, freq="D")[::10]
    stays = pd.DataFrame({"start": joined, "end": pd.NaT, "margin": 100.0})
    leaves = pd.DataFrame({"start": joined, "end": joined + pd.Timedelta(days=100), "margin": 10.0})
    table = pd.concat([stays, leaves], ignore_index=True)
    table = table.assign(customer=[f"c{place}" for place in range(len(table))], end=table["end"].where(table["end"] <= pd.Timestamp(AS_OF)))
    values = table[["customer", "margin"]].assign(valid_from=pd.Timestamp("2026-06-01"))
    (row,) = money.lifetime_value(table, values, as_of=AS_OF, years=1, discount_year=0).itertuples()
    truth = (100 * 365.25 + 10 * 100) / 2 / 30.4375
    assert row.estimate == pytest.approx(truth, rel=0.01)
    # The mean of all who are there, times the same months, would be a sixth more.
    there = table[table["end"].isna()]
    assert there["margin"].mean() * row.stay_months > 1.15 * truth


def test_all_who_stay_bring_what_the_months_bring():
    table, values = spells(*[("2025-01-01",)] * 4, *OLD), monthly([10, 20, 30, 40])
    (row,) = money.lifetime_value(table, values, as_of=AS_OF, years=2, discount_year=0).itertuples()
    assert row.estimate == pytest.approx(25 * 24)
    assert (row.n, row.churned, row.at_horizon, row.valued, row.without_value) == (6, 0, 2, 4, 0)
    assert row.low < row.estimate < row.high
    assert (row.what, row.currency, row.since, row.until) == ("margin", "EUR", dt.date(2026, 4, 1), AS_OF)


def test_a_discount_of_ten_percent_makes_a_year_of_twelve_months_worth_less():
    table, values = spells(*[("2025-09-01",)] * 4, *OLD), monthly([10] * 4)
    (row,) = money.lifetime_value(table, values, as_of=AS_OF, years=1, discount_year=0.1).itertuples()
    assert row.estimate == pytest.approx(120 * (1 - 1 / 1.1) / np.log(1.1))


def test_beyond_what_was_seen_there_is_no_value_and_the_page_says_so():
    table, values = spells(*[("2025-07-01",)] * 3, *[("2023-07-01",)] * 3, *[("2025-07-01",)] * 2, plan=list("aaabbbbb")), monthly([10] * 8)
    found = money.lifetime_value(table, values, as_of=AS_OF, by="plan", years=2)
    assert found["estimate"].isna().tolist() == [True, False]
    assert found[["low", "high", "stay_months"]].isna().any(axis=1).tolist() == [True, False]
    assert found["at_horizon"].tolist() == [0, 3]
    words = "In 1 of 2 groups nobody was seen all the way from joining to 2 years later: no value over so long."
    assert found.attrs["notes"] == [words]


def test_where_everybody_has_left_the_horizon_is_reached():
    table = spells(("2025-01-01", "2025-02-01"), ("2025-01-01", "2025-03-01"), ("2026-05-01",))
    (row,) = money.lifetime_value(table.iloc[[0, 1]], monthly([10, 10]), as_of=AS_OF, years=2, discount_year=0).itertuples()
    assert row.stay_months == pytest.approx((31 + 59) / 2 / 30.4375)
    # Nobody is there, so nobody's worth is known.
    assert np.isnan(row.estimate)
    assert row.valued == 0


def test_nobody_seen_from_the_first_day_is_nobody_to_tell_a_value_from():
    table = spells(*[("2022-01-01", None, "2024-01-01")] * 3)
    assert money.lifetime_value(table, monthly([10] * 3), as_of=AS_OF, years=1)["estimate"].isna().all()


def test_two_spells_of_a_customer_are_seen_together():
    """One customer in two spells is no more independent than one in a single spell: their moves add up before they are squared."""
    ends = [
        ("2025-01-01", "2025-06-01"),
        ("2025-07-01", "2026-01-01"),
        ("2025-08-01", None),
        ("2025-08-01", None),
        ("2025-02-01", "2025-12-01"),
        *OLD,
    ]
    table, values = spells(*ends), monthly([None, None, 10, 30, None])
    apart = money.lifetime_value(table, values, as_of=AS_OF, years=1)
    together = money.lifetime_value(table.assign(customer=["x", "x", "c2", "c3", "c4", "c5", "c6"]), values, as_of=AS_OF, years=1)
    assert apart["estimate"].iloc[0] == together["estimate"].iloc[0]
    assert apart["high"].iloc[0] < together["high"].iloc[0]


@few
@given(company=companies())
def test_the_value_is_that_of_going_through_customers_one_by_one(company):
    table, values = company
    found = money.lifetime_value(table, values, as_of=AS_OF, years=0.4, discount_year=0.2, by="plan")
    last = pd.Timestamp(AS_OF)
    worth = values.groupby("customer")["margin"].mean()
    table = table[table["start"] <= last]
    table = table[~(table["observed_from"] > table["end"].fillna(last).clip(upper=last))]
    left = table["end"] <= last
    running = table[~left].sort_values("start").groupby("customer").tail(1)
    for row in found.itertuples():
        mine = table["plan"].isna() if pd.isna(row.plan) else table["plan"] == row.plan
        tenure = (table["end"].where(left, last) - table["start"]).dt.days[mine]
        entry = (table["observed_from"] - table["start"]).dt.days.fillna(0)[mine]
        of = stay(tenure, left[mine], entry, until=0.4 * 365.25, a_day=np.log(1.2) / 365.25)
        new = (last - running["start"]).dt.days < 0.4 * 365.25
        brings = running.loc[running.index.isin(table.index[mine]) & new, "customer"].map(worth)
        assert (row.n, row.churned) == (mine.sum(), left[mine].sum())
        assert (row.valued, row.without_value) == (brings.notna().sum(), brings.isna().sum())
        expected = brings.mean() * of.days / 30.4375 if of.reached else np.nan
        assert row.estimate == pytest.approx(expected, rel=1e-9, nan_ok=True)


def test_the_interval_of_a_value_holds_the_truth_as_often_as_promised():
    """Customers with an account of their own: those in large ones bring more and stay longer or shorter, censored evenly."""
    random, samples, size, years, rate = np.random.default_rng(31), 120, 150, 1.0, np.log(1.1) / 365.25
    tables, values = [], []
    for number in range(samples):
        seen, life = random.integers(100, 900, size), np.floor(random.exponential(400, size)).astype(int)
        start = pd.Timestamp(AS_OF) - pd.to_timedelta(seen, unit="D")
        end = pd.Series(start + pd.to_timedelta(life, unit="D")).where(life <= seen)
        name = [f"{number}-{place}" for place in range(size)]
        tables.append(pd.DataFrame({"customer": name, "start": start, "end": end, "sample": number}))
        values.append(pd.DataFrame({"customer": name, "margin": random.gamma(2, 15, size).round(2)}))
    values = pd.concat(values).assign(valid_from=pd.Timestamp("2026-06-01"))
    found = money.lifetime_value(pd.concat(tables), values, as_of=AS_OF, years=years, by="sample")
    # Survival falls at whole days: on day k it is exp(-(k + 1) / 400).
    days = np.arange(366)
    length = np.minimum(365.25 - days, 1)
    area = (np.exp(-(days + 1) / 400) * np.exp(-rate * days) * -np.expm1(-rate * length) / rate).sum()
    truth = 30 * area / 30.4375
    held = (found["low"] <= truth) & (truth <= found["high"])
    assert abs(found["estimate"].mean() / truth - 1) < 0.02
    # The bounds of a binomial of 120 at 95 %, one in a thousand at either side.
    assert 0.875 <= held.mean() <= 0.995


# What more retention adds


def ten(stay: int = 9, **more):
    """Ten customers a year ago of whom so many are still there, each of whom brings 10 a month."""
    table = spells(*[("2024-01-01", "2026-01-31")] * (10 - stay), *[("2024-01-01",)] * stay)
    return money.retention_gain(table, monthly([None] * (10 - stay) + [10] * stay), as_of=AS_OF, **more)


def test_groups_do_not_add_up_to_all_where_retention_differs_and_it_is_said():
    """Both bring the same, so that it is the curve of worth over retention alone: 9 of 10 are kept of one, 5 of 10 of the other."""
    left, stayed = [("2024-01-01", "2026-01-31")], [("2024-01-01",)]
    table = spells(*left, *stayed * 9, *left * 5, *stayed * 5, plan=list("a" * 10 + "b" * 10))
    values = monthly([None, *[10] * 9, *[None] * 5, *[10] * 5])
    apart, whole = (money.retention_gain(table, values, as_of=AS_OF, by=by, points=[5]) for by in ("plan", ()))
    assert apart["valued"].sum() == whole["valued"].sum() == 14
    assert apart["gain_all"].sum() > 1.5 * whole["gain_all"].sum()
    words = "Groups add up to all reckoned group by group, as they are here, and not to all taken as one."
    assert (apart.attrs["notes"], whole.attrs["notes"]) == ([words], [])
    # Reckoned apart they are added up, their intervals as those of independent sums, and points more of each are points more of all.
    (added,) = money.retention_gain(table, values, as_of=AS_OF, apart="plan", points=[5]).itertuples()
    assert (added.groups, added.n, added.valued, added.retention) == (2, 20, 14, 0.7)
    assert added.gain_all == pytest.approx(apart["gain_all"].sum())
    assert added.low_all == pytest.approx(added.gain_all - np.hypot(*(apart["gain_all"] - apart["low_all"])))
    assert added.high_all == pytest.approx(added.gain_all + np.hypot(*(apart["high_all"] - apart["gain_all"])))
    assert added.low * 14 == pytest.approx(added.low_all)
    assert added.gain_share == pytest.approx(added.gain_all / (apart["worth_now"] * apart["valued"]).sum())


def test_where_a_group_cannot_be_reckoned_apart_all_are_taken_as_one_and_it_is_said():
    table = spells(("2024-01-01", "2026-01-31"), *[("2024-01-01",)] * 9, ("2026-03-01",), ("2026-03-01",), plan=list("a" * 10 + "b" * 2))
    values = monthly([None, *[10] * 11])
    together, apart = (money.retention_gain(table, values, as_of=AS_OF, points=[5], apart=names) for names in ((), "plan"))
    assert_frame_equal(together, apart)
    (said,) = apart.attrs["notes"]
    assert said == (
        "Groups could not all be reckoned apart: in one hardly anybody has a value or was there a year ago, or retention and the points "
        "exceed 100 %. All are taken as one, which is too low where groups differ."
    )


def test_where_nobody_has_a_group_all_are_taken_as_one():
    table = spells(("2024-01-01", "2026-01-31"), *[("2024-01-01",)] * 9, plan=None)
    together, apart = (money.retention_gain(table, monthly([None, *[10] * 9]), as_of=AS_OF, apart=names) for names in ((), "plan"))
    assert_frame_equal(together, apart)
    assert apart.attrs["notes"] == together.attrs["notes"]


def test_the_share_kept_has_wilsons_interval():
    (row,) = ten(points=[5]).itertuples()
    np.testing.assert_allclose([row.low_retention, row.high_retention], proportion_confint(9, 10, method="wilson"))


@pytest.mark.parametrize(("rate", "share"), [(0.05, 0.58), (0.10, 0.41), (0.15, 0.32)])
def test_from_ninety_to_ninety_five_percent_a_customer_is_worth_so_much_more(rate, share):
    """The numbers of ../shared/definitions.md, under Retention economics."""
    (row,) = ten(points=[5], discount_year=rate).itertuples()
    assert row.retention == 0.9
    assert round(row.gain_share, 2) == share
    assert row.worth_now == pytest.approx(120 * 0.9 / (1 + rate - 0.9))
    assert row.estimate == pytest.approx(row.gain_share * row.worth_now)
    assert row.gain_all == pytest.approx(9 * row.estimate)
    assert (row.n, row.retained, row.valued) == (10, 9, 9)


def test_where_retention_and_the_points_exceed_all_nothing_is_computed_and_it_is_said():
    found = ten(points=[5, 10, 11])
    assert found["estimate"].isna().tolist() == [False, False, True]
    assert found[["low", "high", "gain_share", "gain_all"]].isna().all(axis=1).tolist() == [False, False, True]
    assert found.attrs["notes"] == ["1 gain is not computed: retention and the points would exceed 100 %."]
    # Without a discount, who stays for ever is worth no number.
    assert ten(points=[10], discount_year=0)["estimate"].isna().all()
    assert ten(10, points=[1], discount_year=0)[["estimate", "worth_now"]].isna().all(axis=None)


def test_the_year_of_the_retention_is_the_one_that_ends_on_the_last_day():
    table = spells(
        ("2025-07-01",), ("2025-07-02",), ("2025-01-01", "2025-06-30"), ("2025-01-01", "2025-07-01"), ("2025-01-01", "2026-06-30"),
        ("2025-01-01", "2026-07-01"), ("2020-01-01", None, "2025-07-01"), ("2020-01-01", None, "2025-07-02"),
    )  # fmt: skip
    (row,) = money.retention_gain(table, monthly([1] * 8), as_of=AS_OF, points=[1]).itertuples()
    assert (row.n, row.retained, row.since, row.until) == (5, 3, dt.date(2025, 7, 1), AS_OF)
    assert (row.valued, row.without_value) == (5, 0)


def test_the_gain_of_a_leap_day_counts_a_whole_year():
    (row,) = money.retention_gain(spells(("2020-01-01",)), monthly([1], "2024-01-01"), as_of="2024-02-29", points=[1]).itertuples()
    assert row.since == dt.date(2023, 3, 1)


def test_a_single_customer_has_a_gain_and_no_interval():
    (row,) = money.retention_gain(spells(("2020-01-01",), ("2020-01-01", "2026-01-01")), monthly([5]), as_of=AS_OF, points=[1]).itertuples()
    assert row.estimate == pytest.approx(60 * (0.51 / 0.59 - 0.5 / 0.6))
    assert np.isnan([row.low, row.high]).all()


def test_a_negative_margin_makes_staying_a_loss():
    table, values = spells(*[("2020-01-01",)] * 5, ("2020-01-01", "2026-01-01")), monthly([-5, -6, -4, -5, -7])
    (row,) = money.retention_gain(table, values, as_of=AS_OF, points=[5]).itertuples()
    assert row.low < row.estimate < row.high < 0
    (row,) = money.lifetime_value(spells(*[("2024-01-01",)] * 5, *OLD), values, as_of=AS_OF).itertuples()
    assert row.low < row.estimate < row.high < 0


def test_the_interval_of_a_gain_holds_the_truth_as_often_as_promised():
    random, samples, size, retention = np.random.default_rng(32), 150, 120, 0.85
    tables, values = [], []
    for number in range(samples):
        gone = random.random(size) > retention
        name = [f"{number}-{place}" for place in range(size)]
        end = pd.Series(pd.Timestamp("2026-01-15"), index=range(size)).where(gone)
        tables.append(pd.DataFrame({"customer": name, "start": pd.Timestamp("2024-01-01"), "end": end, "sample": number}))
        values.append(pd.DataFrame({"customer": name, "margin": random.gamma(2, 15, size).round(2)}))
    values = pd.concat(values).assign(valid_from=pd.Timestamp("2026-06-01"))
    found = money.retention_gain(pd.concat(tables), values, as_of=AS_OF, points=[5], by="sample")
    truth = 360 * (0.9 / 0.2 - 0.85 / 0.25)
    held = (found["low"] <= truth) & (truth <= found["high"])
    # The bounds of a binomial of 150 at 95 %, one in a thousand at either side.
    assert 0.88 <= held.mean() <= 0.994


def test_the_bounds_of_a_product_are_those_of_its_factors_where_one_is_known():
    known, other = Estimate(3.0, 3.0, 3.0, 0.0), Estimate(2.0, 1.0, 4.0, 0.5)
    assert product(known, other, 0.0) == (6.0, 3.0, 12.0)
    assert product(Estimate(-3.0, -3.0, -3.0, 0.0), other, 0.0) == (-6.0, -12.0, -3.0)


def test_factors_that_rise_together_widen_their_product_and_those_against_each_other_narrow_it():
    one, other = Estimate(10.0, 8.0, 12.0, 1.0), Estimate(5.0, 4.0, 6.0, 0.5)
    widths = [product(one, other, covariance)[2] - 50 for covariance in (-0.5, 0.0, 0.5)]
    assert widths == [pytest.approx(0), pytest.approx(np.hypot(10, 10)), pytest.approx(20)]


# What all have in common


MEASURES = {"lifetime_value": money.lifetime_value, "retention_gain": money.retention_gain}
every_measure = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES.keys())
SHORT = {money.lifetime_value: {"years": 0.3}, money.retention_gain: {}}
#: Within which everybody joined.
LONG = {money.lifetime_value: {"years": 7}, money.retention_gain: {}}


@every_measure
@few
@given(company=companies(), seed=st.integers(0, 99))
def test_frames_engine_tables_and_shuffled_rows_give_the_same_answer(measure, company, seed):
    table, values = company
    found = measure(table, values, as_of=AS_OF, by="plan", **SHORT[measure])
    assert_frame_equal(found, measure(*engine_tables(table, values), as_of=AS_OF, by="plan", **SHORT[measure]), check_exact=True)
    shuffled = [frame.sample(frac=1, random_state=seed) for frame in company]
    assert_frame_equal(found, measure(*shuffled, as_of=AS_OF, by="plan", **SHORT[measure]), check_exact=True)


@every_measure
@few
@given(company=companies())
def test_a_result_has_its_shape_and_its_bounds_hold_the_estimate(measure, company):
    found = measure(*company, as_of=AS_OF, by="plan", **SHORT[measure])
    columns = list(found.columns)
    start = columns.index("measure")
    assert tuple(columns[start : start + len(RESULT)]) == RESULT
    assert isinstance(found.index, pd.RangeIndex)
    known = found[found[["estimate", "low", "high"]].notna().all(axis=1)]
    assert (known["low"] <= known["estimate"]).all()
    assert (known["estimate"] <= known["high"]).all()
    wide = measure(*company, as_of=AS_OF, by="plan", level=0.99, **SHORT[measure])
    assert not (wide["low"] > found["low"] + 1e-9).any()
    assert not (wide["high"] < found["high"] - 1e-9).any()


@every_measure
@settings(max_examples=2)
@given(company=companies())
def test_a_larger_discount_lowers_every_value_of_those_who_bring_something(measure, company):
    table, values = company
    values = values.assign(margin=values["margin"].abs() + 1)
    by_rate = [measure(table, values, as_of=AS_OF, discount_year=rate, **SHORT[measure]) for rate in (0.05, 0.10, 0.30)]
    column = "worth_now" if measure is money.retention_gain else "estimate"
    for less, more in zip(by_rate[1:], by_rate, strict=False):
        if len(less):
            assert not (less[column] > more[column]).any()


@every_measure
def test_what_happens_after_the_last_day_changes_nothing(measure):
    table = spells(("2024-01-01", "2026-07-02"), ("2024-01-01", None), ("2024-05-01", "2026-01-01"), ("2026-07-01", None))
    values = monthly([10, 20, 30, 40])
    later = pd.concat([values, monthly([900] * 4, "2026-07-01", currency="USD")])
    known = table[:3].assign(end=table["end"].where(table["end"] <= pd.Timestamp(AS_OF)))
    assert_frame_equal(measure(table, later, as_of=AS_OF), measure(known, values, as_of=AS_OF))


@every_measure
def test_the_worth_is_the_mean_of_the_last_three_months_that_are_over(measure):
    table = spells(("2020-01-01",), ("2020-01-01", "2025-01-01"))
    months = [monthly([worth], month) for month, worth in (("2026-02-01", 900), ("2026-03-01", 3), ("2026-04-01", 6), ("2026-06-01", 800))]
    column = {money.lifetime_value: ("margin_month", 1), money.retention_gain: ("margin_year", 12)}[measure]

    def worth(as_of):
        return measure(table, pd.concat(months), as_of=as_of, **LONG[measure])[column[0]].iloc[0] / column[1]

    # In May only March and April have a row, as June is not over; a month without one is no month of nothing.
    assert worth("2026-06-29") == pytest.approx(4.5)
    assert worth("2026-06-30") == pytest.approx(403)
    assert worth("2026-04-29") == pytest.approx((900 + 3) / 2)


@every_measure
def test_revenue_stands_in_where_nobody_has_a_margin_and_is_named(measure):
    table, values = spells(*[("2020-01-01",)] * 2, ("2020-01-01", "2026-01-01")), monthly([10, 20])
    both = values.assign(revenue=[100.0, 200.0])
    assert measure(table, both, as_of=AS_OF)["what"].eq("margin").all()
    assert_frame_equal(
        measure(table, both.assign(margin=np.nan), as_of=AS_OF),
        measure(table, values.assign(revenue=values["margin"] * 10, margin=np.nan), as_of=AS_OF),
    )
    assert measure(table, both.drop(columns="margin"), as_of=AS_OF)["what"].eq("revenue").all()
    # Margin of one and revenue of another are never added: who has no margin is left out, and counted.
    some = both.assign(margin=[10.0, np.nan])
    assert measure(table, some, as_of=AS_OF, **LONG[measure])["without_value"].eq(1).all()


@every_measure
def test_who_has_no_value_is_counted_and_said(measure):
    table = spells(*[("2020-01-01",)] * 5, ("2020-01-01", "2026-01-01"))
    found = measure(table, monthly([10, 12, None, 14, None, 16]), as_of=AS_OF, **LONG[measure])
    assert found[["valued", "without_value"]].drop_duplicates().values.tolist() == [[3, 2]]
    who = "customers who joined within 7 years and are there" if measure is money.lifetime_value else "customers there"
    assert found.attrs["notes"][0] == f"2 of 5 {who} have no margin in the last three complete months: they are in no sum."


@every_measure
def test_groups_are_those_alone_the_missing_one_last(measure):
    parts = [spells(*[("2024-01-01",)] * 4, ("2024-01-01", "2026-01-01")).assign(plan=plan) for plan in ("b", None, "a")]
    table = pd.concat([part.assign(customer=part["customer"] + str(part["plan"].iloc[0])) for part in parts])
    values = pd.DataFrame({"customer": table["customer"], "valid_from": pd.Timestamp("2026-05-01"), "margin": np.arange(15) * 1.25})
    found = measure(table, values, as_of=AS_OF, by="plan")
    assert [None if pd.isna(key) else key for key in found["plan"].drop_duplicates()] == ["a", "b", None]
    alone = measure(table[table["plan"] == "a"], values, as_of=AS_OF)
    assert_frame_equal(found[found["plan"] == "a"].drop(columns="plan").reset_index(drop=True), alone)


@every_measure
def test_without_customers_or_values_the_result_has_no_rows_and_says_why(measure):
    table, values = spells(*[("2024-01-01",)] * 4, plan="a", segment=None), monthly([1, 2, 3, 4])
    full = measure(table, values, as_of=AS_OF, by="plan")
    worthless = "No customer has a margin or revenue in the three months up to 2026-06-30, so nothing can be said in money."
    for given_, known, key, reason in (
        (table[:0], values, "plan", "There are no customers."),
        (table.assign(start=pd.Timestamp("2027-01-01")), values, "plan", "There are no customers."),
        (table, values, "segment", "No customer has a segment."),
        (table, values[:0], "plan", worthless),
        (table, monthly([1, 2], "2026-03-01"), "plan", worthless),
    ):
        found = measure(given_, known, as_of=AS_OF, by=key)
        assert len(found) == 0
        assert found.attrs["reason"] == reason
        assert list(found.columns) == [key, *full.columns[1:]]
        counts = full.columns[full.columns.get_loc("n") :]
        assert found.dtypes[counts].tolist() == full.dtypes[counts].tolist()


def test_without_dates_or_a_year_there_is_no_retention():
    values = monthly([1, 2])
    bare = pd.DataFrame({"customer": ["c0", "c1"], "tenure_days": [10.0, 2000.0], "churned": [False, False]})
    reason = "No customer has a start date, so there is no retention of a year."
    assert money.retention_gain(bare, values, as_of=AS_OF).attrs["reason"] == reason
    assert money.lifetime_value(bare, values, as_of=AS_OF, years=6)["margin_month"].tolist() == [1.5]
    young = money.retention_gain(spells(("2025-07-02",)), values, as_of=AS_OF)
    assert young.attrs["reason"] == "No customer was seen for a whole year by 2026-06-30, so there is no retention of a year."


# Letters


def both(table=None, values=None, **more):
    table = spells(*[("2024-01-01",)] * 3) if table is None else table
    return lambda: money.lifetime_value(table, monthly([1, 2, 3]) if values is None else values, **{"as_of": AS_OF, **more})


LETTERS = {
    "two currencies": (
        both(values=monthly([1, 2, 3], currency=["EUR", "USD", None])),
        (
            "lifetime_value: the values are in 3 currencies (EUR, USD, not recorded), which are never added. "
            "Keep the rows of one of them, or convert the others first."
        ),
    ),
    "mid-month": (
        both(values=monthly([1, 2, 3], "2026-06-15")),
        (
            "lifetime_value: 3 of 3 values of 'valid_from' are not the first day of a month "
            "(row 1: '2026-06-15', row 2: '2026-06-15', row 3: '2026-06-15')."
        ),
    ),
    "twice": (
        both(values=pd.concat([monthly([1, 2]), monthly([1])])),
        "lifetime_value: 1 months of a customer have more than one value. Add them up, or leave some out.",
    ),
    "infinite": (both(values=monthly([1, np.inf])), "lifetime_value: 1 of 2 values are infinite. Correct them, or leave them out."),
    "no amount": (
        both(values=monthly([1]).drop(columns="margin")),
        "lifetime_value: the value history has neither a column 'margin' nor a column 'revenue'.",
    ),
    "text": (
        both(values=monthly([1]).assign(margin="1 EUR")),
        "lifetime_value: 1 values of 'margin' are not numbers (row 1: '1 EUR'). Convert the column first.",
    ),
    "ids of two kinds": (
        both(values=monthly([1, 2]).assign(customer=[1, 2])),
        "'customer' is text among the customers and a number in the value history. Convert one of them.",
    ),
    "no customer": (both(spells(("2024-01-01",)).drop(columns="customer")), "lifetime_value: the table has no column 'customer'."),
    "misspelt key": (both(by="plam"), "lifetime_value: the table has no column 'plam'."),
    "ten for ten percent": (
        both(discount_year=10),
        "lifetime_value: discount_year is 10, and must be a share a year from 0 to below 1; for 10 % write 0.10",
    ),
    "no years": (both(years=0), "lifetime_value: years is 0, and must be above 0; for 18 months write 1.5"),
    "points": (lambda: ten(points=[5, 0]), "retention_gain: points: 0 is not above 0 and below 100 percentage points"),
    "apart": (
        lambda: ten(points=[5], by="customer", apart="customer"),
        "retention_gain: 'customer' is in by and in apart. Groups that are shown are apart already.",
    ),
    "level": (both(level=95), "level: 95 is not between 0 and 1; for 95 % write 0.95"),
    "as_of": (both(as_of="yesterday"), "lifetime_value: as_of is a day written like '2026-06-30', not 'yesterday'"),
}


@pytest.mark.parametrize(("ask", "words"), LETTERS.values(), ids=LETTERS.keys())
def test_a_letter_says_what_is_wrong_and_what_to_do(ask, words):
    with pytest.raises((TableError, ValueError)) as caught:
        ask()
    assert str(caught.value) == words


# What may leave


def model_of(table, **more):
    return leaving.model(table, **{"as_of": AS_OF, **more})


def a_company(size=60, seed=5):
    """Spells of half a year, a third of them ended, in two plans, and what each brings."""
    random = np.random.default_rng(seed)
    start = pd.Timestamp("2026-01-01") + pd.to_timedelta(random.integers(0, 60, size), unit="D")
    end = pd.Series(start + pd.to_timedelta(random.integers(1, 110, size), unit="D")).where(random.random(size) < 0.35)
    table = pd.DataFrame({"customer": [f"c{place}" for place in range(size)], "start": start, "end": end})
    table["plan"] = np.where(random.random(size) < 0.5, "a", "b")
    return table, monthly(random.integers(100, 9_000, size) / 100)


def test_the_margin_at_risk_is_the_sum_of_chances_times_what_each_brings():
    table, values = a_company()
    model = model_of(table, of=["plan"])
    worth = values.set_index("customer")["margin"]
    expected = (model.left_within(60) * model.there["customer"].map(worth) * 60 / 30.4375).groupby(model.there["plan"]).sum()
    found = money.value_at_risk(model, values, days=60, by="plan").set_index("plan")
    np.testing.assert_allclose(found["estimate"], expected, rtol=1e-9)
    np.testing.assert_allclose(found["at_risk_share"], found["estimate"] / found["value"])
    np.testing.assert_allclose(found["leavers"].sum(), model.left_within(60).sum())
    assert found["n"].sum() == len(model.there)
    assert (found["low"] < found["estimate"]).all()
    assert (found["estimate"] < found["high"]).all()
    everybody = money.value_at_risk(model, values, days=60)
    assert everybody["estimate"].iloc[0] == pytest.approx(found["estimate"].sum())
    assert everybody["horizon_days"].tolist() == [60]


def test_what_leaves_lies_within_the_interval_as_often_as_promised():
    """Plans with a baseline of their own, whose danger never changes: 4 in 1,000 a day leave, so that what will leave can be drawn."""
    random, plans, size, days = np.random.default_rng(8), 20, 250, 60
    life, seen = random.geometric(0.004, plans * size) - 1, random.integers(30, 400, plans * size)
    brings = random.gamma(1.5, 20, plans * size).round(2)
    start = pd.Timestamp(AS_OF) - pd.to_timedelta(seen, unit="D")
    end = pd.Series(start + pd.to_timedelta(life, unit="D"))
    table = pd.DataFrame({"customer": [f"c{place}" for place in range(plans * size)], "start": start, "end": end})
    table["plan"] = np.repeat([f"plan {place:02}" for place in range(plans)], size)
    found = money.value_at_risk(model_of(table, apart=["plan"]), monthly(brings), days=days, by="plan")
    gone = (end > pd.Timestamp(AS_OF)) & (end <= pd.Timestamp(AS_OF) + pd.Timedelta(days=days))
    lost = pd.Series(brings * gone * days / 30.4375).groupby(table["plan"]).sum().reindex(found["plan"]).to_numpy()
    held = (found["low"] <= lost) & (lost <= found["high"])
    # Fewer than 16 of 20 would be seen three times in a thousand at 95 %.
    assert held.sum() >= 16
    assert abs(found["estimate"].sum() / lost.sum() - 1) < 0.15


@pytest.mark.parametrize("as_of", ["2025-03-31", "2025-09-30"])
def test_of_the_sample_company_it_holds_what_later_left(as_of):
    tables = sample.company(customers=4000, seed=3)
    table, values, last = tables["customers"], tables["value_history"], pd.Timestamp(as_of)
    model = leaving.model(table, as_of=as_of, learned=[tables["attributes"]], of=["plan", "segment"])
    months = values[(values["valid_from"] <= last) & (values["valid_from"] > last - pd.DateOffset(months=3))]
    worth = months.groupby("customer")["margin"].mean() * 90 / 30.4375
    gone = table[(table["start"] <= last) & (table["end"] > last) & (table["end"] <= last + pd.Timedelta(days=90))]["customer"]
    plans = model.there.set_index("customer")["plan"]
    found = money.value_at_risk(model, values, by="plan").set_index("plan")
    lost = worth.reindex(gone).groupby(gone.map(plans).to_numpy()).sum()
    assert len(found) == 3
    for plan, row in found.iterrows():
        assert row["low"] <= lost[plan] <= row["high"]


def test_the_worth_of_a_month_is_the_sample_companys():
    """The truth is of everybody in a month, ours of those still there at its end: nearly the same customers."""
    tables, truth = sample.company(customers=4000, seed=3), sample.truth(customers=4000, seed=3)["value"]["in_the_tables_a_customer"]
    found = money.lifetime_value(tables["customers"], tables["value_history"], as_of=AS_OF, years=10)
    expected = np.mean([truth["margin_a_month"][month] for month in ("2026-04", "2026-05", "2026-06")])
    assert found["margin_month"].iloc[0] == pytest.approx(expected, rel=0.03)


def test_customers_without_a_value_are_in_no_sum_and_said():
    table, values = a_company()
    model = model_of(table)
    there = model.there["customer"]
    found = money.value_at_risk(model, values[~values["customer"].isin(there[:7])])
    assert found[["n", "without_value"]].values.tolist() == [[len(there) - 7, 7]]
    words = f"7 of {len(there)} customers there have no margin in the last three complete months: they are in no sum."
    assert found.attrs["notes"] == [words]


def test_two_spells_that_run_share_the_worth_of_their_customer():
    table, values = a_company()
    twice = pd.concat([table, table[table["end"].isna()].assign(start=pd.Timestamp("2026-05-01"))])
    found = money.value_at_risk(model_of(twice), values)
    assert found["value"].iloc[0] == pytest.approx(money.value_at_risk(model_of(table), values)["value"].iloc[0])


def test_whose_leaving_saves_money_counts_with_the_sign_of_their_margin():
    table, values = a_company()
    model = model_of(table)
    gain, loss = (money.value_at_risk(model, values.assign(margin=sign * values["margin"])) for sign in (1, -1))
    assert loss["estimate"].iloc[0] == pytest.approx(-gain["estimate"].iloc[0])
    assert loss["low"].iloc[0] < loss["high"].iloc[0] < 0
    assert np.isnan(loss["at_risk_share"].iloc[0])


def test_the_same_customers_in_another_order_have_the_same_margin_at_risk():
    table, values = a_company()
    found = money.value_at_risk(model_of(table, of=["plan"]), values, by="plan")
    shuffled = [frame.sample(frac=1, random_state=2) for frame in (table, values)]
    assert_frame_equal(found, money.value_at_risk(model_of(shuffled[0], of=["plan"]), shuffled[1], by="plan"), check_exact=True)
    inside = engine_tables(table, values)
    assert_frame_equal(found, money.value_at_risk(model_of(inside[0], of=["plan"]), inside[1], by="plan"), check_exact=True)


def test_a_longer_horizon_puts_more_at_risk():
    table, values = a_company()
    model = model_of(table)
    found = [money.value_at_risk(model, values, days=days).iloc[0] for days in (1, 30, 90)]
    assert [row["at_risk_share"] for row in found] == sorted(row["at_risk_share"] for row in found)
    assert [row["value"] for row in found] == pytest.approx([found[0]["value"] * days for days in (1, 30, 90)])


def test_without_a_model_or_a_value_nothing_is_at_risk_and_it_is_said_why():
    table, values = a_company()
    full = money.value_at_risk(model_of(table, of=["plan"]), values, by="plan")
    none = model_of(table.assign(end=pd.NaT), of=["plan"])
    bare = leaving.model(pd.DataFrame({"customer": ["c0", "c1", "c2"], "tenure_days": [5.0, 7, 9], "churned": [True, False, False]}))
    undated = "The customers have no dates, so there is no day on which to ask what they are worth."
    worthless = "No customer has a margin or revenue in the three months up to 2026-06-30, so nothing can be said in money."
    for model, known, reason in ((none, values, none.reason_absent), (bare, values, undated), (model_of(table), values[:0], worthless)):
        found = money.value_at_risk(model, known)
        assert len(found) == 0
        assert found.attrs["reason"] == reason != ""
        assert found.dtypes.tolist() == full.drop(columns="plan").dtypes.tolist()


def test_a_letter_about_the_horizon_and_about_a_key_the_model_does_not_have():
    table, values = a_company()
    model = model_of(table, of=["plan"])
    with pytest.raises(ValueError, match=r"^value_at_risk: days is 0, and must be a whole number from 1$"):
        money.value_at_risk(model, values, days=0)
    words = r"^value_at_risk: 'region' is no covariate of the model \(plan\)\. Name it in of= or apart= of the model\.$"
    with pytest.raises(TableError, match=words):
        money.value_at_risk(model, values, by="region")
