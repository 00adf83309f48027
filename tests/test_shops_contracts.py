"""Shops whose customers have contracts: who has left is not silent, as going through spells and purchases one by one has it."""

import re
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from test_shops import AS_OF, DAY, MEASURES, bought, counted_gaps, engine_table, orders

from cxlib import shops, sources
from cxlib.tables import TableError

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

few = settings(max_examples=4, deadline=None)
LAST = pd.Timestamp(AS_OF)
FOREVER = pd.Timestamp("2200-01-01")


def contracts(*spells) -> pd.DataFrame:
    """Spells from a customer and the ISO days of start and end."""
    frame = pd.DataFrame(spells, columns=["customer", "start", "end"])
    return frame.assign(start=pd.to_datetime(frame["start"]), end=pd.to_datetime(frame["end"]))


@st.composite
def spells(draw):
    """Spells of some of the customers: before each other, overlapping, without a start, and with ends beyond the last day."""
    day = st.integers(-220, 20)
    rows = draw(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.one_of(st.none(), day), st.one_of(st.none(), st.integers(0, 90)))))
    frame = pd.DataFrame(rows, columns=["customer", "start", "length"]).astype({"customer": object, "start": float, "length": float})
    end = frame["start"].fillna(-150) + frame["length"]
    return frame.assign(start=LAST + frame["start"] * DAY, end=LAST + end * DAY)[["customer", "start", "end"]]


def left_on(day: pd.Timestamp, mine: pd.DataFrame) -> pd.Timestamp:
    """The day on which a customer left whose spells these are, seen from an order of a day: after it where one ran, before it else."""
    held: list[list[pd.Timestamp]] = []
    for spell in mine.fillna({"start": pd.Timestamp("1900-01-01"), "end": FOREVER}).sort_values(["start", "end"]).itertuples():
        if held and spell.start <= held[-1][1]:
            held[-1][1] = max(held[-1][1], spell.end)
        else:
            held.append([spell.start, spell.end])
    begun = [stretch for place, stretch in enumerate(held) if not place or stretch[0] <= day]
    return begun[-1][1] if begun else FOREVER


def waited(frame: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Every purchase made while a contract ran, one by one: how long until the next, or until waiting ended, and whether by leaving."""
    rows = counted_gaps(frame)[["customer", "channel", "day"]].astype({"day": "datetime64[ns]"})
    left = [left_on(row.day, known[known["customer"] == row.customer]) for row in rows.itertuples()]
    rows = rows.assign(left=pd.Series(left, index=rows.index, dtype="datetime64[ns]"))
    rows = rows[rows["left"] >= rows["day"]].sort_values(["customer", "day"], ignore_index=True)
    until, following = rows["left"].clip(upper=LAST), rows.groupby("customer")["day"].shift(-1)
    returned = following <= until
    gap = following.where(returned, until) - rows["day"]
    return rows.assign(returned=returned, gap=gap.dt.days, room=(until - rows["day"]).dt.days, there=rows["left"] > LAST)


@few
@given(frame=orders(), known=spells())
def test_the_curve_waits_for_nobody_who_has_left(frame, known):
    rows = waited(frame, known)
    found = shops.gaps(shops.under_contract(frame, known=known), as_of=AS_OF)
    assert found["returned"].sum() == rows["returned"].sum()
    for row in found.itertuples():
        share = 1.0
        for days in sorted(set(rows.loc[rows["returned"] & (rows["gap"] <= row.gap_days), "gap"])):
            share *= 1 - (rows["returned"] & (rows["gap"] == days)).sum() / (rows["gap"] >= days).sum()
        back = rows[rows["room"] >= row.gap_days]
        assert row.estimate == pytest.approx(1 - share, abs=1e-12)
        assert (row.n, row.purchases, row.customers) == ((rows["gap"] >= row.gap_days).sum(), len(rows), rows["customer"].nunique())
        assert row.open == (~rows["returned"] & (rows["gap"] == row.gap_days)).sum()
        assert (row.n_followed, row.followed) == (len(back), pytest.approx((back["returned"] & (back["gap"] <= row.gap_days)).mean()))


@few
@given(frame=orders(), known=spells(), within=st.sampled_from([1, 10, 45]))
def test_nobody_is_silent_after_leaving_nor_watched_beyond_it(frame, known, within):
    rows = waited(frame, known)
    found = shops.sensitivity(
        shops.under_contract(frame, known=known), as_of=AS_OF, days=[1, 2, 5, 10, 20, 40, 90, 150, 400], within_days=within
    )
    for row in found.itertuples():
        k = row.after_days
        silent = rows[(rows["returned"] & (rows["gap"] > k)) | (~rows["returned"] & (rows["gap"] >= k))]
        watched = silent[silent["room"] >= k + within]
        assert (row.silences, row.ended, row.n) == (len(silent), silent["returned"].sum(), len(watched))
        assert row.returned == (watched["returned"] & (watched["gap"] <= k + within)).sum()
        assert row.customers == rows.loc[rows["there"], "customer"].nunique()
        assert row.lost == (~rows["returned"] & rows["there"] & (rows["gap"] >= k)).sum()
        assert row.lost_share == pytest.approx(row.lost / row.customers if row.customers else np.nan, nan_ok=True)


@few
@given(frame=orders(), known=spells(), seed=st.integers(0, 99))
def test_each_order_knows_when_its_customer_left_from_frames_and_from_an_engine(frame, known, seed):
    found = shops.under_contract(frame, known=known)
    assert_frame_equal(found.drop(columns="customer_left"), frame)
    expected = [left_on(row.time_ordered.normalize(), known[known["customer"] == row.customer]) for row in frame.itertuples()]
    assert found["customer_left"].fillna(FOREVER).tolist() == expected
    assert_frame_equal(shops.under_contract(frame, known=known.sample(frac=1, random_state=seed)), found)
    lazy = shops.under_contract(engine_table(frame), known=known)
    assert isinstance(lazy, ibis.Table)
    assert_frame_equal(shops.gaps(lazy, as_of=AS_OF, by="channel"), shops.gaps(found, as_of=AS_OF, by="channel"), check_exact=True)


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES.keys())
@settings(max_examples=3, deadline=None)
@given(frame=orders())
def test_where_no_contract_has_ended_nothing_changes(measure, frame):
    known = pd.DataFrame({"customer": list("abcdefgh"), "start": LAST - 9 * DAY, "end": pd.NaT})
    later = known.assign(end=LAST + DAY)
    for each in (known, later):
        assert_frame_equal(measure(shops.under_contract(frame, known=each), by="channel"), measure(frame, by="channel"), check_exact=True)


def test_who_leaves_on_the_last_day_is_not_lost_by_silence_and_who_leaves_a_day_later_still_may_be():
    frame = bought(("a", "2026-01-01"), ("b", "2026-01-01"), ("c", "2026-01-01"))
    known = contracts(("a", "2025-01-01", "2026-06-30"), ("b", "2025-01-01", "2026-07-01"), ("c", "2025-01-01", "2026-02-01"))
    (row,) = shops.sensitivity(shops.under_contract(frame, known=known), as_of=AS_OF, days=[100], within_days=10).itertuples()
    assert (row.customers, row.lost, row.silences, row.n) == (1, 1, 2, 2)


def test_what_counted_and_what_did_not_is_said():
    frame = bought(("a", "2026-01-01"), ("a", "2026-03-01"), ("b", "2026-01-05"), ("c", "2026-02-01"))
    known = contracts(("a", "2025-01-01", "2026-02-01"), ("b", "2025-01-01", None))
    found = shops.gaps(shops.under_contract(frame, known=known), as_of=AS_OF, at=[20])
    assert found.attrs["notes"] == [
        "A customer who has left is not silent: waiting ends on the day of leaving (1 of them).",
        "An order after leaving is no purchase (1 of them).",
    ]
    assert found["purchases"].tolist() == [3]


def test_all_who_bought_have_left_and_no_share_is_lost():
    frame, known = bought(("a", "2026-01-01")), contracts(("a", None, "2026-03-01"))
    (row,) = shops.sensitivity(shops.under_contract(frame, known=known), as_of=AS_OF, days=[10], within_days=10).itertuples()
    assert (row.customers, row.lost, row.n) == (0, 0, 1)
    assert np.isnan(row.lost_share)


def test_the_curve_of_those_who_may_leave_is_that_of_the_law_and_without_their_ends_far_from_it():
    """Everybody buys on one day in twenty while there, and leaves on one in sixty: within 40 days 87 of 100 purchases are followed."""
    random, n = np.random.default_rng(5), 1500
    joined, stays = random.integers(0, 250, n), random.geometric(1 / 60, n)
    days = [[day for day in range(start, start + stay + 1) if random.random() < 1 / 20] for start, stay in zip(joined, stays, strict=True)]
    first = LAST - 300 * DAY
    rows = [(f"c{who}", first + day * DAY) for who, mine in enumerate(days) for day in mine]
    frame = pd.DataFrame(rows, columns=["customer", "time_ordered"])
    start, end = (first + pd.to_timedelta(each, unit="D") for each in (joined, joined + stays))
    known = pd.DataFrame({"customer": [f"c{who}" for who in range(n)], "start": start, "end": end})
    right, wrong = (shops.gaps(each, as_of=AS_OF, at=[40]).iloc[0] for each in (shops.under_contract(frame, known=known), frame))
    law = 1 - (1 - 1 / 20) ** 40
    assert right["low"] < law < right["high"]
    assert right["high"] - right["low"] < 0.06
    assert wrong["high"] < law - 0.1


def test_the_sample_companys_customers_come_back_after_any_silence_while_they_are_there():
    """They order as often in any month, so that silence says nothing of leaving; only contracts that had ended made it seem to."""
    book = sources.read(Path(__file__).parents[1] / "data" / "sources.toml", as_of="2026-06-30")
    known = shops.under_contract(book.orders, known=book.customers)
    found, before = (shops.sensitivity(each, as_of="2026-06-30").set_index("after_days") for each in (known, book.orders))
    assert found["low"].max() < found["high"].min()
    assert before.loc[365, "high"] < found["low"].min()
    # One in twenty of those there has not ordered for a year, not one in five of all who ever did.
    assert [round(each.loc[365, "lost_share"], 2) for each in (found, before)] == [0.05, 0.22]
    assert np.isnan(shops.inactivity(known, as_of="2026-06-30")["estimate"].iloc[0])


MESSAGES = [
    (
        lambda: shops.under_contract(bought(("a", "2026-01-01")), known=contracts(("a", "2026-01-01", None)).drop(columns="end")),
        "under_contract: the table has no column 'end'.",
    ),
    (
        lambda: shops.under_contract(bought(("a", "2026-01-01")), known=contracts(("a", "2026-02-01", "2026-01-01"), ("b", None, None))),
        "under_contract: 1 of 2 spells end before they start (row 1: '2026-02-01 to 2026-01-01'). Correct them, or leave them out.",
    ),
    (
        lambda: shops.under_contract(bought(("a", "2026-01-01")), known=contracts(("a", None, None)).assign(end="never")),
        "under_contract: 1 values of 'end' are not dates (row 1: 'never'). Convert the column first.",
    ),
    (
        lambda: shops.customers(bought(("a", "2026-01-01"), customer_left=LAST), as_of=AS_OF, after_days=30),
        "customers: these orders know who left (customer_left); where contracts end after_days is 0, and known the table of them",
    ),
]


@pytest.mark.parametrize(("call", "words"), MESSAGES, ids=[words[:45] for _, words in MESSAGES])
def test_a_letter_says_who_asks_what_is_wrong_and_what_to_do(call, words):
    with pytest.raises((TableError, ValueError), match=f"^{re.escape(words)}$"):
        call()
