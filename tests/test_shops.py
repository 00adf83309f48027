"""Shops without contracts: gaps and silences counted one by one, R's robust errors, known laws, and nobody lost too soon."""

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

from cxlib import churn, shops
from cxlib.stats import intervals, repeats
from cxlib.stats.variance import critical
from cxlib.tables import RESULT, TABLES, TableError

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

GOLDEN = Path(__file__).parent / "golden"
AS_OF = dt.date(2026, 6, 30)
DAY = pd.Timedelta(days=1)

# Most of an example's time is the engine's preparation, so a few examples of many rows tell more than many of a few.
few = settings(max_examples=3)


@cache
def engine() -> ibis.BaseBackend:
    return ibis.duckdb.connect()


def engine_table(frame: pd.DataFrame) -> ibis.Table:
    return engine().create_table("orders", frame.astype({"channel": "string"} if "channel" in frame else {}), overwrite=True)


def bought(*purchases, **columns) -> pd.DataFrame:
    """Orders from pairs of a customer and an ISO day, or triples with an amount."""
    padded = [(*purchase, 10.0)[:3] for purchase in purchases]
    frame = pd.DataFrame(padded, columns=["customer", "time_ordered", "amount"])
    return frame.assign(time_ordered=pd.to_datetime(frame["time_ordered"], format="ISO8601"), **columns)


@st.composite
def orders(draw):
    """Orders of a few customers within 200 days, some on one day, some later than the last day, refunds and gifts among them."""
    row = st.tuples(
        st.sampled_from("abcdefghij"),
        st.integers(-200, 15),
        st.sampled_from([9.0, 5.0, 0.0, -3.0, None]),
        st.sampled_from(["web", "app", None]),
    )
    rows = draw(st.lists(row, min_size=1, max_size=60))
    frame = pd.DataFrame(rows, columns=["customer", "day", "amount", "channel"]).astype({"channel": object, "amount": float})
    # An hour of its own for each order of a day, so that it is known which was the first.
    hours = pd.to_timedelta(frame.groupby(["customer", "day"]).cumcount(), unit="h")
    frame["time_ordered"] = pd.Timestamp(AS_OF) + frame.pop("day") * DAY + hours
    return frame


def counted_gaps(frame, as_of=AS_OF, free=True):
    """Every purchase, one by one: its customer, key, days to the next (or to the last day), whether there is one, days since."""
    last, visits = pd.Timestamp(as_of), {}
    for row in frame.sort_values("time_ordered", kind="stable").itertuples():
        day = row.time_ordered.normalize()
        paid = 1.0 if pd.isna(row.amount) else row.amount
        if day <= last and (paid > 0 or (free and paid == 0)):
            visits.setdefault(row.customer, {}).setdefault(day, getattr(row, "channel", None))
    found = []
    for customer, days in visits.items():
        ordered = sorted(days)
        for place, day in enumerate(ordered):
            returned = place + 1 < len(ordered)
            upto = ordered[place + 1] if returned else last
            found.append((customer, days[day], (upto - day).days, returned, (last - day).days, day))
    return pd.DataFrame(found, columns=["customer", "channel", "gap", "returned", "room", "day"])


def of_group(rows, channel):
    return rows[rows["channel"].isna() if channel is None or pd.isna(channel) else rows["channel"] == channel]


# Gaps


@few
@given(frame=orders(), free=st.booleans())
def test_the_curve_is_that_of_counting_purchases_one_by_one(frame, free):
    rows = counted_gaps(frame, free=free)
    found = shops.gaps(frame, as_of=AS_OF, by="channel", free=free)
    for row in found.itertuples():
        group = of_group(rows, row.channel)
        share = 1.0
        for days in sorted(set(group.loc[group["returned"] & (group["gap"] <= row.gap_days), "gap"])):
            share *= 1 - (group["returned"] & (group["gap"] == days)).sum() / (group["gap"] >= days).sum()
        closed = group[group["returned"]]
        back = group[group["room"] >= row.gap_days]
        assert row.estimate == pytest.approx(1 - share, abs=1e-12)
        assert row.n == (group["gap"] >= row.gap_days).sum()
        assert row.returned == (closed["gap"] == row.gap_days).sum()
        assert row.open == (~group["returned"] & (group["gap"] == row.gap_days)).sum()
        assert (row.purchases, row.customers) == (len(group), group["customer"].nunique())
        assert row.naive == pytest.approx((closed["gap"] <= row.gap_days).mean())
        assert row.n_followed == len(back)
        assert row.followed == pytest.approx((back["returned"] & (back["gap"] <= row.gap_days)).mean())
        assert row.naive >= row.estimate - 1e-12
    assert found["returned"].gt(0).all()
    assert found["returned"].sum() == rows["returned"].sum()


def test_the_error_between_clusters_is_rs():
    rows, golden = pd.read_csv(GOLDEN / "cgd.csv"), pd.read_csv(GOLDEN / "cgd_gaps.csv")
    days = (rows["stop"] - rows["start"]).to_numpy()
    closed = np.zeros((rows["patient"].max() + 1, days.max() + 1), dtype="int64")
    ended = closed.copy()
    np.add.at(closed, (rows["patient"], days), rows["infected"])
    np.add.at(ended, (rows["patient"], days), 1)
    risk = ended[:, ::-1].cumsum(axis=1)[:, ::-1]
    at = golden["gap_days"].to_numpy()
    error = np.sqrt(repeats.robust_variance(risk, closed)[at]) * golden["estimate"]
    np.testing.assert_allclose(error, golden["std_error"], rtol=1e-11)
    low, high = repeats.log_log(risk, closed, level=0.9)
    estimate = golden["estimate"].to_numpy()
    half = critical(127, 0.9) * golden["std_error"].to_numpy() / (estimate * -np.log(estimate))
    wide = golden["std_error"] > 0.01
    np.testing.assert_allclose(low[at][wide], (estimate ** np.exp(half))[wide], rtol=1e-9)
    np.testing.assert_allclose(high[at][wide], (estimate ** np.exp(-half))[wide], rtol=1e-9)


def test_the_curve_of_orders_and_its_interval_are_rs():
    rows, golden = pd.read_csv(GOLDEN / "cgd.csv"), pd.read_csv(GOLDEN / "cgd_gaps.csv")
    last = rows.groupby("patient")["stop"].max()
    came = pd.concat(
        [rows.loc[rows["start"] == 0, ["patient", "start"]], rows[rows["infected"] == 1].rename(columns={"start": "_", "stop": "start"})]
    )
    frame = pd.DataFrame(
        {"customer": came["patient"], "time_ordered": pd.Timestamp(AS_OF) + (came["start"] - came["patient"].map(last)) * DAY}
    )
    found = shops.gaps(frame, as_of=AS_OF)
    assert found[["gap_days", "n", "returned"]].values.tolist() == golden[["gap_days", "n", "infected"]].values.tolist()
    np.testing.assert_allclose(1 - found["estimate"], golden["estimate"], rtol=1e-12)
    estimate = golden["estimate"].to_numpy()
    half = critical(127, 0.95) * golden["std_error"].to_numpy() / (estimate * -np.log(estimate))
    wide = (golden["std_error"] > 0.01).to_numpy()
    np.testing.assert_allclose((1 - found["high"])[wide], (estimate ** np.exp(half))[wide], rtol=1e-9)
    np.testing.assert_allclose((1 - found["low"])[wide], (estimate ** np.exp(-half))[wide], rtol=1e-9)


def test_purchases_of_one_day_are_one_and_the_first_of_them_gives_the_key():
    frame = bought(("a", "2026-06-01 18:00"), ("a", "2026-06-01 09:00"), ("a", "2026-06-11"), channel=["web", "app", "web"])
    found = shops.gaps(frame, as_of=AS_OF, by="channel")
    assert found[["channel", "gap_days", "purchases", "returned"]].values.tolist() == [["app", 10, 1, 1]]


def test_a_refund_is_no_purchase_and_a_gift_is_what_was_declared():
    frame = bought(("a", "2026-06-01"), ("a", "2026-06-03", -10.0), ("a", "2026-06-06", 0.0), ("a", "2026-06-11", float("nan")))
    counted = shops.gaps(frame, as_of=AS_OF)
    assert counted["gap_days"].tolist() == [5]
    assert counted["purchases"].tolist() == [3]
    assert counted.attrs["notes"] == ["An order for nothing counts as a purchase (1 of them).", "A refund is no purchase (1 of them)."]
    for measure in (shops.inactivity, shops.sensitivity):
        assert [measure(frame, as_of=AS_OF, within_days=5, free=free)["customers"].iloc[0] for free in (True, False)] == [1, 1]
        assert (
            measure(frame, as_of=AS_OF, within_days=5, free=False).attrs["notes"][0] == "An order for nothing is no purchase (1 of them)."
        )
    assert [shops.sensitivity(frame, as_of=AS_OF, days=[1], within_days=5, free=free)["ended"].iloc[0] for free in (True, False)] == [2, 1]
    left_out = shops.gaps(frame, as_of=AS_OF, free=False)
    assert left_out["gap_days"].tolist() == [10]
    assert left_out.attrs["notes"][0] == "An order for nothing is no purchase (1 of them)."


def test_orders_without_amounts_are_purchases():
    frame = bought(("a", "2026-06-01"), ("a", "2026-06-11")).drop(columns="amount")
    assert shops.gaps(frame, as_of=AS_OF)["gap_days"].tolist() == [10]


def test_what_is_later_than_the_last_day_has_not_happened():
    frame = bought(("a", "2026-06-20"), ("a", "2026-06-30"), ("a", "2026-07-01"))
    assert shops.gaps(frame, as_of=AS_OF)[["gap_days", "purchases"]].values.tolist() == [[10, 2]]
    assert shops.gaps(frame, as_of="2026-06-29").attrs["reason"] == "Nobody has bought a second time."


def test_nothing_is_known_beyond_the_longest_wait():
    frame = bought(("a", "2026-06-01"), ("a", "2026-06-11"), ("b", "2026-06-01"))
    found = shops.gaps(frame, as_of=AS_OF, at=[29, 30])
    assert found["estimate"].isna().tolist() == [False, True]
    assert found["n"].tolist() == [1, 0]


def test_one_customer_says_nothing_of_others():
    found = shops.gaps(bought(*[("a", f"2026-05-{day:02}") for day in range(1, 29, 3)]), as_of=AS_OF)
    assert found[["low", "high"]].values.tolist() == [[0, 1]]


def test_the_quantiles_are_read_from_the_curve_and_its_bounds():
    frame = bought(*[(f"c{i}", "2026-01-01") for i in range(40)], *[(f"c{i}", f"2026-{1 + i % 5:02}-{3 + i % 17:02}") for i in range(30)])
    curve = shops.gaps(frame, as_of=AS_OF)
    found = shops.quantiles(frame, as_of=AS_OF, shares=[0.1, 0.3, 0.5, 0.99])
    for row in found.itertuples():
        for name, bound in (("estimate", "estimate"), ("low", "high"), ("high", "low"), ("naive", "naive")):
            reached = curve.loc[curve[bound] >= row.share - 1e-12, "gap_days"]
            assert getattr(row, name) == pytest.approx(reached.iloc[0] if len(reached) else np.nan, nan_ok=True)
    assert found["estimate"].isna().tolist() == [False, False, False, True]


# Silences


@few
@given(frame=orders(), within=st.sampled_from([1, 10, 45]))
def test_the_woken_are_those_of_counting_silences_one_by_one(frame, within):
    rows = counted_gaps(frame)
    found = shops.sensitivity(frame, as_of=AS_OF, days=[1, 2, 5, 10, 20, 40, 90, 150, 400], within_days=within, by="channel")
    for row in found.itertuples():
        group, k = of_group(rows, row.channel), row.after_days
        silent = group[(group["returned"] & (group["gap"] > k)) | (~group["returned"] & (group["gap"] >= k))]
        watched = silent[silent["room"] >= k + within]
        assert row.silences == len(silent)
        assert row.ended == silent["returned"].sum()
        assert row.n == len(watched)
        assert row.returned == (watched["returned"] & (watched["gap"] <= k + within)).sum()
        assert row.lost == (~group["returned"] & (group["gap"] >= k)).sum()
        assert row.customers == group["customer"].nunique()
        assert row.estimate == pytest.approx(row.returned / row.n if row.n else np.nan, nan_ok=True)


@few
@given(frame=orders(), share=st.sampled_from([0.5, 0.75, 0.9]))
def test_the_rule_is_the_first_number_of_days_that_is_enough(frame, share):
    for row in shops.inactivity(frame, as_of=AS_OF, share=share, within_days=30).itertuples():
        every = shops.sensitivity(frame, as_of=AS_OF, days=range(1, 202), within_days=30)
        for name in ("estimate", "low", "high"):
            enough = every.loc[every[name] <= 1 - share + 1e-12, "after_days"]
            assert getattr(row, name) == pytest.approx(enough.iloc[0] if len(enough) else np.nan, nan_ok=True)
        assert row.longest_days == every.loc[every["n"] > 0, "after_days"].max()


def test_a_tenth_is_a_tenth():
    """One of ten came back: with a share of 0.9, of which the computer makes a little more than a tenth for the rest, that is enough."""
    frame = bought(*[(f"c{i}", "2026-01-01") for i in range(10)], ("c0", "2026-03-01"))
    assert shops.inactivity(frame, as_of=AS_OF, within_days=60)["estimate"].tolist() == [1]


def test_orders_that_do_not_reach_back_far_enough_are_told_so():
    frame = bought(("a", "2026-06-01"), ("b", "2026-06-11"))
    said = "No silence could be watched for 180 days more: the orders do not reach back far enough."
    rule, choices = shops.inactivity(frame, as_of=AS_OF), shops.sensitivity(frame, as_of=AS_OF)
    assert rule.attrs["reason"] == choices.attrs["reason"] == said
    assert len(rule) == 0
    assert choices["lost"].tolist() == [0] * 6


def test_customers_who_fall_silent_more_than_once_are_worth_less():
    """Half of them buy every 60 days, half every 150: of 30 days of silence all of the ones end in the next 60, none of the others."""
    days = {"quick": range(0, 600, 60), "slow": range(0, 600, 150)}
    rows = [(f"{pace} {i}", pd.Timestamp("2024-01-01") + day * DAY) for pace in days for i in range(20) for day in days[pace]]
    alike = pd.DataFrame(rows, columns=["customer", "time_ordered"])
    (row,) = shops.sensitivity(alike, as_of="2025-08-20", days=[30], within_days=60).itertuples()
    low, high = intervals.wilson(row.returned, row.n, 0.95)
    assert (row.n, row.returned) == (20 * 9 + 20 * 4, 20 * 9)
    assert row.high - row.low > 1.9 * (high - low)


# Customers


def counted_spells(frame, after_days, as_of=AS_OF):
    """Every spell, purchase by purchase: customer, first, last, purchases, end."""
    last, spells = pd.Timestamp(as_of), []
    for customer, rows in counted_gaps(frame, as_of).sort_values("day").groupby("customer"):
        current = None
        for day in rows["day"]:
            if current is None or (day - current[2]).days > after_days:
                current = [customer, day, day, 0]
                spells.append(current)
            current[2], current[3] = day, current[3] + 1
    ended = [spell[2] + after_days * DAY for spell in spells]
    return pd.DataFrame(
        [(*spell, end if end <= last else pd.NaT) for spell, end in zip(spells, ended, strict=True)],
        columns=["customer", "start", "last_ordered", "purchases", "end"],
    )


@few
@given(frame=orders(), after_days=st.sampled_from([1, 7, 30, 90]))
def test_the_spells_are_those_of_going_from_purchase_to_purchase(frame, after_days):
    found = shops.customers(frame, as_of=AS_OF, after_days=after_days)
    columns = ["customer", "start", "last_ordered", "purchases", "end"]
    expected = counted_spells(frame, after_days).sort_values(["customer", "start"], ignore_index=True)
    days = dict.fromkeys(["start", "last_ordered", "end"], "datetime64[ns]")
    assert_frame_equal(found[columns].astype(days), expected.astype(days), check_dtype=False)
    assert found["end_reason"].eq("silence").tolist() == found["end"].notna().tolist()
    assert found["observed_from"].isna().all()
    # A spell is over before the next one of the same customer begins.
    after = found.groupby("customer")["start"].shift(-1)
    assert (found["end"] < after)[after.notna()].all()


@few
@given(frame=orders(), after_days=st.sampled_from([3, 20, 60]), earlier=st.integers(0, 150))
def test_what_was_said_on_a_day_is_what_is_said_of_it_later(frame, after_days, earlier):
    """Nobody's leaving is known before it can be: the table of an earlier day is the later one as it stood on that day."""
    then = pd.Timestamp(AS_OF) - earlier * DAY
    columns = ["customer", "start", "end"]
    before = shops.customers(frame, as_of=then.date(), after_days=after_days)[columns]
    later = shops.customers(frame, as_of=AS_OF, after_days=after_days)[columns]
    later = later[later["start"] <= then].reset_index(drop=True)
    assert_frame_equal(before, later.assign(end=later["end"].where(later["end"] <= then)), check_dtype=False)


def test_who_has_not_been_silent_for_long_enough_is_not_lost():
    frame = bought(("gone", "2026-05-01"), ("not yet", "2026-05-02"), ("bought", "2026-06-30"))
    found = shops.customers(frame, as_of=AS_OF, after_days=60).set_index("customer")
    assert found["end"].notna().to_dict() == {"gone": True, "not yet": False, "bought": False}
    assert found.loc["gone", "end"] == pd.Timestamp(AS_OF)


def test_coming_back_on_the_last_day_is_no_loss_and_a_day_later_is_a_second_spell():
    frame = bought(("in time", "2026-01-01"), ("in time", "2026-01-31"), ("late", "2026-01-01"), ("late", "2026-02-01"))
    found = shops.customers(frame, as_of=AS_OF, after_days=30)
    assert found["customer"].tolist() == ["in time", "late", "late"]


def test_the_churn_measures_take_the_spells_as_they_are():
    frame = bought(("a", "2026-01-01"), ("a", "2026-02-15"), ("b", "2026-01-01"), ("c", "2026-06-20"))
    table = shops.customers(frame, as_of=AS_OF, after_days=30)
    curve = churn.survival(table, as_of=AS_OF)
    assert curve[["tenure_days", "n", "events", "censored"]].values.tolist() == [[0, 4, 0, 0], [10, 4, 0, 1], [30, 3, 3, 0]]
    assert (curve["estimate"].iloc[-1], curve["customers"].iloc[0]) == (0, 4)
    rates = churn.churn_rate(table, as_of=AS_OF)
    # Of January both, of March the one who had come back.
    assert rates["left"].tolist() == [2, 0, 1, 0, 0, 0]
    assert churn.survival(table, as_of=AS_OF, by="plan").attrs["reason"] == "No customer has a plan."


def test_of_who_may_have_been_there_before_leaving_is_seen_only_once_all_have_been_silent_for_long_enough():
    frame = bought(("old", "2026-01-05"), ("new", "2026-01-31"), ("old", "2026-04-01"), ("registered", "2026-01-10"))
    known = pd.DataFrame({"customer": ["registered", "new"], "start": pd.to_datetime(["2020-05-05", "2025-12-24"]), "plan": ["club", None]})
    found = shops.customers(frame, as_of=AS_OF, after_days=30, since="2026-01-01", known=known)
    shown = found[["customer", "start", "end", "observed_from", "plan"]].astype(str).values.tolist()
    assert shown == [
        ["new", "2026-01-31", "2026-03-02", "NaT", "None"],
        ["old", "2026-01-05", "2026-02-04", "2026-01-31", "None"],
        ["old", "2026-04-01", "2026-05-01", "NaT", "None"],
        ["registered", "2020-05-05", "2026-02-09", "2026-01-31", "club"],
    ]
    # All three are at risk on the last of January, at the tenures that they have by then.
    curve = churn.survival(found, as_of=AS_OF)
    assert curve["customers"].iloc[0] == 4


def test_with_contracts_the_table_of_customers_is_handed_back():
    known = pd.DataFrame({"customer": ["a"], "start": pd.to_datetime(["2026-01-01"]), "end": pd.to_datetime([None])})
    assert shops.customers(bought(("a", "2026-01-01")), as_of=AS_OF, after_days=0, known=known) is known


def test_spells_have_every_column_of_the_table_of_customers_from_frames_and_from_an_engine():
    frame = bought(("a", "2026-01-01"), ("b", "2026-06-01"))
    found = shops.customers(frame, as_of=AS_OF, after_days=30)
    assert list(found.columns) == [*TABLES["customers"].names, "last_ordered", "purchases"]
    lazy = shops.customers(engine_table(frame), as_of=AS_OF, after_days=30)
    assert isinstance(lazy, ibis.Table)
    assert set(lazy.columns) == set(found.columns)
    from_engine, from_frame = (churn.survival(table, as_of=AS_OF) for table in (lazy, found))
    assert_frame_equal(from_engine, from_frame)
    known = pd.DataFrame({"customer": ["b"], "region": ["north"], "club card": ["gold"], "end": pd.to_datetime(["2026-06-02"])})
    joined = shops.customers(frame, as_of=AS_OF, after_days=30, known=known).set_index("customer")
    assert joined.loc["b", ["region", "club card"]].tolist() == ["north", "gold"]
    assert joined["end"].isna().tolist() == [False, True]


def test_a_table_of_customers_without_rows_adds_nothing(recwarn):
    known = pd.DataFrame({"customer": pd.Series(dtype=object), "plan": pd.Series(dtype=object)})
    found = shops.customers(bought(("a", "2026-01-01")), as_of=AS_OF, after_days=30, known=known)
    assert found["plan"].isna().tolist() == [True]
    assert [str(each.message) for each in recwarn] == []


# All of them

MEASURES = {
    "gaps": lambda table, **more: shops.gaps(table, **{"as_of": AS_OF, **more}),
    "quantiles": lambda table, **more: shops.quantiles(table, **{"as_of": AS_OF, **more}),
    "inactivity": lambda table, **more: shops.inactivity(table, **{"as_of": AS_OF, "within_days": 30, **more}),
    "sensitivity": lambda table, **more: shops.sensitivity(table, **{"as_of": AS_OF, "within_days": 30, **more}),
}
every_measure = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES.keys())


@every_measure
@few
@given(frame=orders(), seed=st.integers(0, 99))
def test_frames_engine_tables_and_shuffled_rows_give_the_same_answer(measure, frame, seed):
    found = measure(frame, by="channel")
    assert_frame_equal(found, measure(engine_table(frame), by="channel"), check_exact=True)
    assert_frame_equal(found, measure(frame.sample(frac=1, random_state=seed), by="channel"), check_exact=True)


@every_measure
@few
@given(frame=orders())
def test_a_result_has_its_shape_and_its_bounds_hold_the_estimate(measure, frame):
    found = measure(frame, by="channel")
    columns = list(found.columns)
    start = columns.index("measure")
    assert tuple(columns[start : start + len(RESULT)]) == RESULT
    assert isinstance(found.index, pd.RangeIndex)
    known = found[found[["estimate", "low", "high"]].notna().all(axis=1)]
    assert (known["low"] <= known["estimate"] + 1e-12).all()
    assert (known["estimate"] <= known["high"] + 1e-12).all()
    assert list(measure(frame.head(0), by="channel").columns) == columns


@every_measure
@few
@given(frame=orders())
def test_a_higher_level_makes_a_wider_interval(measure, frame):
    narrow, wide = measure(frame, level=0.5), measure(frame, level=0.99)
    assert (narrow["low"].fillna(np.inf) >= wide["low"].fillna(-np.inf) - 1e-12).all()
    assert (wide["high"].fillna(np.inf) >= narrow["high"].fillna(-np.inf) - 1e-12).all()


@every_measure
def test_nothing_and_nobody_with_a_key_are_sentences(measure):
    assert measure(bought().astype({"customer": object})).attrs["reason"] == "There are no purchases."
    frame = bought(("a", "2026-01-01"), channel=None)
    assert measure(frame, by="channel").attrs["reason"] == "No purchase has a channel."


MESSAGES = [
    (lambda: shops.gaps(bought(("a", "2026-01-01")).drop(columns="customer"), as_of=AS_OF), "gaps: the table has no column 'customer'."),
    (
        lambda: shops.inactivity(bought(("a", "2026-01-01"), (None, "2026-01-02")), as_of=AS_OF),
        "inactivity: 1 of 2 orders have no customer (row 2: 'no customer on 2026-01-02'). Correct them, or leave them out.",
    ),
    (
        lambda: shops.sensitivity(bought(("a", None), ("b", "2026-01-02")), as_of=AS_OF),
        "sensitivity: 1 of 2 orders have no time_ordered (row 1: 'a on no day'). Correct them, or leave them out.",
    ),
    (
        lambda: shops.gaps(bought(("a", "2026-01-01")).assign(amount="ten"), as_of=AS_OF),
        "gaps: 1 values of 'amount' are not numbers (row 1: 'ten'). Convert the column first.",
    ),
    (
        lambda: shops.customers(
            bought(("a", "2026-01-01")), as_of=AS_OF, after_days=30, known=pd.DataFrame({"customer": ["a", "a", "b"], "plan": list("xyz")})
        ),
        "customers: 1 of 2 customers have several rows in known ('a' occurs once). Keep one of each.",
    ),
    (
        lambda: shops.customers(bought(("a", "2026-01-01")), as_of=AS_OF, after_days=0),
        "customers: after_days is 0, which is for customers whose contracts end; their table is needed as known",
    ),
    (
        lambda: shops.customers(bought(("a", "2026-01-01")), as_of=AS_OF, after_days=1.5),
        "customers: after_days is a whole number of days from 0, not 1.5",
    ),
    (lambda: shops.gaps(bought(("a", "2026-01-01")), as_of=AS_OF, at=[0]), "gaps: at is a whole number of days from 1, not 0"),
    (
        lambda: shops.inactivity(bought(("a", "2026-01-01")), as_of=AS_OF, share=90),
        "inactivity: share is 90; it lies between 0 and 1, and 0.9 is 90 of 100",
    ),
    (
        lambda: shops.quantiles(bought(("a", "2026-01-01")), as_of=AS_OF, shares=[50]),
        "quantiles: shares lie between 0 and 1; for half of the purchases write 0.5",
    ),
    (lambda: shops.gaps(bought(("a", "2026-01-01")), as_of=AS_OF, by="open"), "by: 'open' is a column of this result and cannot be a key"),
    (lambda: shops.gaps(bought(("a", "2026-01-01")), as_of=AS_OF, level=95), "level: 95 is not between 0 and 1; for 95 % write 0.95"),
]


@pytest.mark.parametrize(("call", "words"), MESSAGES, ids=[words[:40] for _, words in MESSAGES])
def test_a_letter_says_who_asks_what_is_wrong_and_what_to_do(call, words):
    with pytest.raises((TableError, ValueError), match=f"^{re.escape(words)}$"):
        call()
