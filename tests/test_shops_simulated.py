"""Shops whose law is known: intervals hold the truth, the rule calls lost who is gone, and a late beginning changes no rate."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shop_simulated as simulated
from pandas.testing import assert_frame_equal

from cxlib import churn, shops, sources

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

SAMPLES = 120
WITHIN = 90


@pytest.fixture(scope="module")
def samples() -> pd.DataFrame:
    """The orders of many shops of 1,000 customers, from the first day on."""
    orders = pd.concat([simulated.shop(seed, 1_000)[0].assign(sample=seed) for seed in range(SAMPLES)])
    return orders[orders["time_ordered"] >= simulated.FIRST]


@pytest.fixture(scope="module")
def large() -> tuple[pd.DataFrame, pd.DataFrame]:
    return simulated.shop(3, 12_000)


def held(found: pd.DataFrame, truth: float) -> float:
    return float(((found["low"].fillna(np.inf) <= truth) & (found["high"].fillna(np.inf) >= truth)).mean())


def test_the_curve_holds_the_truth_as_often_as_promised_and_the_naive_one_never(samples):
    """Of 120 samples an interval that holds in 95 % holds in 107 or fewer about once in 100 times."""
    found = shops.gaps(samples, as_of=simulated.AS_OF, by="sample", at=[10, 30, 90, 180])
    for days, rows in found.groupby("gap_days"):
        truth = 1 - simulated.not_followed(days)
        assert held(rows, truth) >= 107 / SAMPLES
        assert rows["estimate"].mean() == pytest.approx(truth, abs=0.004)
        assert (rows["naive"] > rows["high"]).mean() > 0.95


def test_the_share_woken_holds_the_truth_as_often_as_promised(samples):
    found = shops.sensitivity(samples, as_of=simulated.AS_OF, by="sample", days=[30, 60, 120, 200], within_days=WITHIN)
    for days, rows in found.groupby("after_days"):
        truth = simulated.woken(days, WITHIN)
        assert held(rows, truth) >= 107 / SAMPLES
        assert rows["returned"].sum() / rows["n"].sum() == pytest.approx(truth, abs=0.006)


def test_the_rule_and_the_median_hold_the_truth_as_often_as_promised(samples):
    rule = next(days for days in range(1, 400) if simulated.woken(days, WITHIN) <= 0.1)
    assert held(shops.inactivity(samples, as_of=simulated.AS_OF, by="sample", within_days=WITHIN), rule) >= 107 / SAMPLES
    median = next(days for days in range(1, 400) if simulated.not_followed(days) <= 0.5)
    assert held(shops.quantiles(samples, as_of=simulated.AS_OF, by="sample", shares=[0.5]), median) >= 107 / SAMPLES


def test_of_those_called_lost_as_many_are_gone_as_the_law_has_it(large):
    """After 30 days of silence 56 of 100 are gone for ever, after 125 days 84."""
    orders, truth = large
    for days in (30, 125, 250):
        table = shops.customers(orders, as_of=simulated.AS_OF, after_days=days).merge(truth, on="customer")
        lost = table[table["end"].notna()]
        assert (lost["last_ordered"] == lost["gone"]).mean() == pytest.approx(simulated.gone(days), abs=0.01)
        # Whoever is gone for so long has been called lost.
        over = table[table["gone"] + pd.Timedelta(days=days) <= pd.Timestamp(simulated.AS_OF)].groupby("customer")["end"].last()
        assert over.notna().all()


def test_orders_that_begin_late_give_the_same_rates_once_everybody_has_had_time_to_be_silent(large):
    orders, _ = large
    whole = churn.churn_rate(shops.customers(orders, as_of=simulated.AS_OF, after_days=125), as_of=simulated.AS_OF)
    late = orders[orders["time_ordered"] >= simulated.FIRST]
    table = shops.customers(late, as_of=simulated.AS_OF, after_days=125, since=simulated.FIRST.date())
    found = churn.churn_rate(table, as_of=simulated.AS_OF)
    assert len(found) == 8
    columns = ["month", "estimate", "n", "left"]
    assert_frame_equal(found[columns], whole[columns].tail(8).reset_index(drop=True))


def test_with_the_days_of_joining_the_curve_of_late_orders_is_that_of_all_of_them(large):
    orders, _ = large
    tenures = [130, 200, 300]
    whole = churn.survival(shops.customers(orders, as_of=simulated.AS_OF, after_days=125), as_of=simulated.AS_OF, at=tenures)
    known = orders.groupby("customer", as_index=False)["time_ordered"].min().rename(columns={"time_ordered": "start"})
    late = orders[orders["time_ordered"] >= simulated.FIRST]
    table = shops.customers(late, as_of=simulated.AS_OF, after_days=125, since=simulated.FIRST.date(), known=known)
    found = churn.survival(table, as_of=simulated.AS_OF, at=tenures)
    assert ((found["low"] < whole["estimate"]) & (whole["estimate"] < found["high"])).all()


def test_where_contracts_are_known_a_short_silence_is_mostly_no_leaving():
    """The sample company has both: half of those silent for 90 days are still under contract, of those silent for a year one in seven."""
    book = sources.read(Path(__file__).parents[1] / "data" / "sources.toml", as_of="2026-06-30")
    contracts = book.customers.execute()
    there = contracts.groupby("customer")["end"].apply(lambda ends: ends.isna().any()).rename("there")
    under_contract = []
    for days in (90, 180, 365):
        table = shops.customers(book.orders, as_of="2026-06-30", after_days=days).execute()
        last = table.sort_values("start").groupby("customer").tail(1).merge(there, on="customer")
        under_contract.append(last.loc[last["end"].notna(), "there"].mean())
    assert under_contract == pytest.approx([0.49, 0.36, 0.14], abs=0.01)
