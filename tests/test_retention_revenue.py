"""Revenue churn between two periods against R, against following customers one by one, and where nothing moves."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from scipy import stats

from cxlib import retention, verdicts
from cxlib.stats import movement
from cxlib.tables import RESULT

GOLDEN = Path(__file__).parent / "golden"
AS_OF = "2026-06-30"
MEASURES = ("revenue_churn", "net_retention")
WINDOWS = (("2026-03-01", "2026-04-30"), ("2026-05-01", "2026-06-30"))


def paid(columns: dict[str, object]) -> pd.DataFrame:
    """Revenue of customers by month, a column each; who pays nothing has no row."""
    wide = pd.DataFrame(columns).rename_axis("customer").reset_index()
    table = wide.melt("customer", var_name="valid_from", value_name="revenue")
    return table[table["revenue"] > 0].astype({"revenue": float}).assign(valid_from=lambda frame: pd.to_datetime(frame["valid_from"]))


def test_a_change_has_rs_ratios_variances_and_covariance():
    rows = pd.read_csv(GOLDEN / "retention_months.csv")
    expected = pd.read_csv(GOLDEN / "retention_changes.csv").set_index("measure")
    table = paid(dict(zip(("2026-04-01", "2026-05-01", "2026-06-01"), rows.to_numpy().T, strict=True)))
    # Eleven customers are there in the second month, and in both; R has twelve, one of them with nothing.
    then, now = expected["before"], expected["after"] * (11 / 12) * (11 / 10)
    alike = expected["both"] / np.sqrt(expected["before"] * expected["after"]) * 11 / 12
    for measure in MEASURES:
        (row,) = retention.revenue_movement(table, as_of=AS_OF, measure=measure).itertuples()
        assert row.estimate == pytest.approx(expected["change"][measure], rel=1e-12)
        assert (row.n_before, row.n_after, row.n_both, row.start_before, row.start_after) == (12, 11, 11, 515, 500)
    kish = [np.square(rows[name].sum()) / np.square(rows[name]).sum() for name in ("start", "then")]
    first, second = then["net_retention"] + 2 / 144, now["net_retention"] + 2 / 121
    error = np.sqrt(first + second - 2 * alike["net_retention"] * np.sqrt(first * second))
    free = (first + second) ** 2 / (first**2 / (kish[0] + 1) + second**2 / (kish[1] + 1))
    assert [row.low, row.high] == pytest.approx(row.estimate + np.array([-1, 1]) * stats.t.ppf(0.975, free) * error, rel=1e-9)
    (lost,) = retention.revenue_movement(table, as_of=AS_OF).itertuples()
    shares = [lost.estimate_before, lost.estimate_after]
    # Four lost something of the first month and five of the second: the variance of losing all or nothing counts as ten more.
    worth = []
    for share, variance, effective, some in zip(shares, (then["revenue_churn"], now["revenue_churn"]), kish, (4, 5), strict=True):
        wholly = max(share * (1 - share) / effective, variance)
        worth.append(share * (1 - share) / ((some * variance + 10 * wholly) / (some + 10)))
    change = movement.share_change(
        *([[share * each, (1 - share) * each]] for share, each in zip(shares, worth, strict=True)),
        level=0.95, freedom=(kish[0] - 1, kish[1] - 1), correlation=alike["revenue_churn"],
    )  # fmt: skip
    assert [lost.low, lost.high, lost.p_value] == pytest.approx([change.low[0], change.high[0], change.p_value[0]], rel=1e-9)


@st.composite
def histories(draw):
    """Revenue of some customers over five months, in two plans, who leave and come back; of the first, every month."""
    rows = draw(st.lists(st.lists(st.sampled_from([0, 0, 10, 12, 30]), min_size=5, max_size=5), min_size=4, max_size=20))
    rows[0], rows[1] = [5] * 5, [7] * 5
    months = [f"2026-0{month}-01" for month in range(2, 7)]
    return paid(dict(zip(months, np.array(rows).T, strict=True))).assign(plan=lambda frame: np.where(frame["customer"] % 2, "a", None))


@settings(max_examples=3)
@given(table=histories(), way=st.sampled_from(["month", WINDOWS]), measure=st.sampled_from(MEASURES))
def test_a_change_rests_on_the_shares_of_its_months(table, way, measure):
    months = getattr(retention, measure)(table, as_of=AS_OF, by="plan").assign(plan=lambda frame: frame["plan"].fillna("none"))
    kept = months["start"] + months["expansion"] - months["contraction"] - months["churned"]
    months["part"] = months["churned"] + months["contraction"] if measure == "revenue_churn" else kept
    found = retention.revenue_movement(table, as_of=AS_OF, by="plan", between=way, measure=measure)
    for row in found.itertuples():
        for side, since, until in (("before", row.since_before, row.until_before), ("after", row.since, row.until)):
            of = months[(months["plan"] == ("none" if pd.isna(row.plan) else row.plan)) & months["month"].between(since, until)]
            assert getattr(row, f"start_{side}") == pytest.approx(of["start"].sum())
            assert getattr(row, f"estimate_{side}") == pytest.approx(of["part"].sum() / of["start"].sum(), nan_ok=True)
            assert of["n"].max() <= getattr(row, f"n_{side}") <= of["n"].sum()
    known = found[found["estimate"].notna()]
    assert (known["low"] <= known["estimate"]).all()
    assert (known["estimate"] <= known["high"]).all()
    shuffled = table.sample(frac=1, random_state=3)
    assert_frame_equal(found, retention.revenue_movement(shuffled, as_of=AS_OF, by="plan", between=way, measure=measure), check_exact=True)
    alone = retention.revenue_movement(table[table["plan"] == "a"], as_of=AS_OF, between=way, measure=measure)
    own = ["estimate", "low", "high", "p_value", "n_before", "n_after", "n_both", "spread"]
    assert_frame_equal(found.loc[found["plan"] == "a", own].reset_index(drop=True), alone[own])


def swinging(random: np.random.Generator, worlds: int, size: int) -> pd.DataFrame:
    """Companies in which nothing moves: unequal customers whose orders swing by a half, of whom one in 25 leaves each month."""
    fees = random.choice([19.0, 34.0, 59.0, 102.0, 177.0, 354.0], p=[0.3, 0.25, 0.2, 0.15, 0.07, 0.03], size=worlds * size)
    there, columns = np.ones(worlds * size, dtype=bool), {}
    for month in range(2, 7):
        columns[f"2026-0{month}-01"] = np.round(np.where(there, fees * random.lognormal(-0.125, 0.5, worlds * size), 0), 2)
        there &= random.random(worlds * size) >= 0.04
    return paid(columns).assign(world=lambda frame: frame["customer"] // size)


@pytest.mark.parametrize("measure", MEASURES)
def test_of_a_hundred_quiet_companies_about_five_are_found_to_have_moved(measure):
    table = swinging(np.random.default_rng(7), 200, 100)
    months = retention.revenue_movement(table, as_of=AS_OF, by="world", measure=measure)
    windows = retention.revenue_movement(table, as_of=AS_OF, by="world", measure=measure, between=WINDOWS)
    assert len(months) == 600
    # Four standard errors of so many draws about .05, at the most; those of what is lost are cautious.
    assert 0.01 < (months["p_value"] < 0.05).mean() < 0.085
    assert (windows["p_value"] < 0.05).mean() < 0.11
    assert months["n_both"].sum() > 0.9 * months["n_after"].sum()


def company(lost: int) -> pd.DataFrame:
    """Of a hundred customers four are lost in May, and so many in June."""
    return paid({"2026-04-01": [10] * 100, "2026-05-01": [10] * 96 + [0] * 4, "2026-06-01": [10] * (96 - lost) + [0] * (lost + 4)})


def test_what_is_lost_more_went_up_the_bad_way_and_what_is_there_again_down():
    (lost,) = retention.revenue_movement(company(30), as_of=AS_OF).itertuples()
    (kept,) = retention.revenue_movement(company(30), as_of=AS_OF, measure="net_retention").itertuples()
    assert (lost.verdict, lost.better, lost.low_is_good) == ("up", False, True)
    assert (kept.verdict, kept.better, kept.low_is_good) == ("down", False, False)
    assert lost.estimate == pytest.approx(-kept.estimate)
    assert (lost.measure, kept.measure) == ("revenue_churn_change", "net_retention_change")
    assert (lost.before, lost.after, lost.until) == (dt.date(2026, 5, 1), dt.date(2026, 6, 1), dt.date(2026, 6, 30))
    (same,) = retention.revenue_movement(company(4), as_of=AS_OF, margin=0.2).itertuples()
    assert same.verdict == "no material change"
    (still,) = retention.revenue_movement(company(7), as_of=AS_OF).itertuples()
    assert still.verdict == "cannot tell yet"
    assert still.n_to_tell > 100


def test_it_is_corrected_with_all_movements_of_a_report():
    table = company(30)
    each = [retention.revenue_movement(table, as_of=AS_OF, measure=measure) for measure in MEASURES]
    found = verdicts.together(*each)
    assert [frame.attrs["together"] for frame in found] == [2, 2]
    assert (found[0]["p_corrected"] >= each[0]["p_corrected"]).all()


ONE_MONTH = "There is revenue of one month, so none to compare it with."


def test_without_two_periods_it_has_no_rows_and_says_why():
    for frame, way, reason in (
        (company(5)[:0], "month", "No revenue is of a month complete by 2026-06-30."),
        (
            company(5)[lambda frame: frame["valid_from"] == pd.Timestamp("2026-06-01")],
            "month",
            "There is revenue of one month, so none to compare it with.",
        ),
        (company(5), "year", "No revenue is of both periods, so there is nothing to compare."),
        (company(5).assign(plan=None), "month", "No row has a plan."),
    ):
        found = retention.revenue_movement(frame, as_of=AS_OF, between=way, by="plan" if "plan" in frame else ())
        assert found.attrs["reason"] == reason
        assert len(found) == 0
        columns = list(found.columns)
        assert tuple(columns[columns.index("measure") :][: len(RESULT)]) == RESULT


WRONG = {
    "measure": ({"measure": "churn_rate"}, "measure: 'churn_rate' is none of 'revenue_churn', 'net_retention'"),
    "margin": ({"margin": 5}, "margin: 5 is no part of a share, which goes from 0 to 1; for one in a hundred write 0.01"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_means_nothing_is_refused(name):
    more, letter = WRONG[name]
    with pytest.raises(ValueError, match=f"^{re.escape(letter)}$"):
        retention.revenue_movement(company(5), as_of=AS_OF, **more)


def test_amounts_say_their_currency():
    for table, currency in ((company(5), None), (company(5).assign(currency="EUR"), "EUR")):
        found = retention.revenue_churn(table, as_of=AS_OF)["amounts_in"].tolist()
        assert found == [currency] * 2 or (currency is None and pd.isna(found).all())
    both = pd.concat([company(5).assign(currency="EUR"), company(9).assign(currency="CHF")])
    found = retention.revenue_churn(both, as_of=AS_OF, by="currency")
    assert (found["amounts_in"] == found["currency"]).all()
