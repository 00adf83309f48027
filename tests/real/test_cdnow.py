"""The CD shop: every number once more in plain pandas, from the file as it is."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlib import churn, shops, sources

HERE = Path(__file__).parent
AS_OF = "1998-06-30"

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")


@pytest.fixture(scope="module")
def book(real, tmp_path_factory) -> sources.Book:
    text = (HERE / "cdnow.toml").read_text(encoding="utf-8").replace("../../../shared/real", real.as_posix())
    path = tmp_path_factory.mktemp("cdnow") / "cdnow.toml"
    path.write_text(text, encoding="utf-8")
    return sources.read(path, as_of=AS_OF)


@pytest.fixture(scope="module")
def visits(real) -> pd.DataFrame:
    """One row a customer and day, with the days to the next one, and to the last day."""
    columns = ["customer", "day", "discs", "amount"]
    rows = pd.read_csv(real / "cdnow" / "CDNOW_master.txt", sep=r"\s+", skiprows=1, names=columns, dtype={"customer": str, "day": str})
    rows["day"] = pd.to_datetime(rows["day"], format="%Y%m%d")
    days = rows[["customer", "day"]].drop_duplicates().sort_values(["customer", "day"], ignore_index=True)
    following = days.groupby("customer")["day"].shift(-1)
    room = (pd.Timestamp(AS_OF) - days["day"]).dt.days
    return days.assign(returned=following.notna(), gap=(following - days["day"]).dt.days.fillna(room).astype(int), room=room)


def test_the_cohort_is_the_one_that_was_published(book, visits):
    """Fader and Hardie (2001, Interfaces 31(3), S94-S107): 23,570 customers whose first purchase was in the first quarter of 1997."""
    first = visits.groupby("customer")["day"].min()
    assert (len(first), str(first.min().date()), first.max() < pd.Timestamp("1997-04-01")) == (23_570, "1997-01-01", True)
    found = shops.quantiles(book.orders, as_of=AS_OF).iloc[0]
    assert (found["customers"], found["n"], found["returned"]) == (23_570, 67_591, 44_021)
    assert shops.gaps(book.orders, as_of=AS_OF).attrs["notes"] == ["An order for nothing counts as a purchase (80 of them)."]


def test_the_curve_is_that_of_plain_pandas_and_far_below_the_naive_one(book, visits):
    days = [7, 30, 90, 180, 365, 500]
    found = shops.gaps(book.orders, as_of=AS_OF, at=days).set_index("gap_days")
    closed = visits.loc[visits["returned"], "gap"].value_counts().sort_index()
    at_risk = np.array([(visits["gap"] >= day).sum() for day in closed.index])
    curve = 1 - (1 - closed / at_risk).cumprod()
    for day in days:
        assert found.loc[day, "estimate"] == pytest.approx(curve.loc[:day].iloc[-1], rel=1e-12)
        back = visits[visits["room"] >= day]
        assert found.loc[day, "followed"] == pytest.approx((back["returned"] & (back["gap"] <= day)).mean(), rel=1e-12)
        assert found.loc[day, "naive"] == pytest.approx(closed.loc[:day].sum() / closed.sum(), rel=1e-12)
    assert found["estimate"].round(3).tolist() == [0.112, 0.309, 0.495, 0.598, 0.676, 0.695]
    halves = shops.quantiles(book.orders, as_of=AS_OF, shares=[0.5]).iloc[0]
    assert (halves["naive"], halves["estimate"]) == (34, 94)
    assert 85 < halves["low"] < 94 < halves["high"] < 103


def test_the_woken_are_those_of_plain_pandas_and_fewer_than_a_curve_would_have_it(book, visits):
    found = shops.sensitivity(book.orders, as_of=AS_OF).set_index("after_days")
    for days, row in found.iterrows():
        watched = visits[(visits["room"] >= days + 180) & (~visits["returned"] | (visits["gap"] > days))]
        assert (row["n"], row["returned"]) == (len(watched), (watched["returned"] & (watched["gap"] <= days + 180)).sum())
        assert row["lost"] == (~visits["returned"] & (visits["gap"] >= days)).sum()
    assert found["estimate"].round(3).tolist() == [0.423, 0.331, 0.276, 0.237, 0.173, 0.087]
    # By Kaplan and Meier 30 of 100 would be woken after 90 days: frequent buyers begin late silences more often than early ones.
    curve = shops.gaps(book.orders, as_of=AS_OF, at=[90, 270])["estimate"]
    by_curve = 1 - (1 - curve[1]) / (1 - curve[0])
    assert by_curve == pytest.approx(0.299, abs=0.001)
    assert by_curve > found.loc[90, "high"]


def test_nine_in_ten_stay_away_after_286_days(book, visits):
    rule = shops.inactivity(book.orders, as_of=AS_OF).iloc[0]
    assert (rule["estimate"], rule["n"], rule["returned"], rule["longest_days"]) == (286, 14_340, 1_426, 365)
    assert 270 < rule["low"] < 286 < rule["high"] < 305
    for days, enough in ((285, False), (286, True)):
        watched = visits[(visits["room"] >= days + 180) & (~visits["returned"] | (visits["gap"] > days))]
        woken = (watched["returned"] & (watched["gap"] <= days + 180)).mean()
        assert (woken <= 0.1) == enough
    # Within a year more come back than a tenth of any who could be watched for so long.
    assert shops.inactivity(book.orders, as_of=AS_OF, within_days=365)["estimate"].isna().all()


def test_the_spells_go_through_the_churn_measures(book, visits):
    table = shops.customers(book.orders, as_of=AS_OF, after_days=286)
    woken = (visits["returned"] & (visits["gap"] > 286)).sum()
    silent = (~visits["returned"] & (visits["gap"] >= 286)).sum()
    curve = churn.survival(table, as_of=AS_OF, at=[285, 286, 364])
    assert curve["customers"].iloc[0] == 23_570 + woken
    assert curve["estimate"].iloc[0] == 1
    rates = churn.churn_rate(table, as_of=AS_OF)
    assert rates["left"].sum() == woken + silent
    # In October 1997 the first could have been silent for so long, of all the customers there are.
    assert rates.loc[rates["left"] > 0, "month"].min().isoformat() == "1997-10-01"
    assert rates.loc[rates["left"] > 0, "n"].iloc[0] == 23_570
