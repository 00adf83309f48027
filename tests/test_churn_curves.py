"""Differences, ends, dangers and quantiles of how long customers stay: through the whole path, with nobody lost."""

import datetime as dt
import json
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
from statsmodels.stats.proportion import confint_proportions_2indep

from cxlib import churn, sources
from cxlib.churn.hazard import MONTH
from cxlib.tables import RESULT, TableError

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden"
TELCO = ROOT.parent / "shared" / "real" / "ibm-telco-churn" / "Telco-Customer-Churn.csv"
AS_OF = dt.date(2026, 6, 30)
REASONS = ["choice", "moved", None]

# Most of an example's time is the engine's preparation, so a few examples of many rows tell more than many of a few.
few = settings(max_examples=4)


@cache
def engine() -> ibis.BaseBackend:
    return ibis.duckdb.connect()


def engine_table(frame: pd.DataFrame) -> ibis.Table:
    texts = {name: "string" for name in ("plan", "end_reason") if name in frame}
    return engine().create_table("customers", frame.astype(texts), overwrite=True)


def quietly(measure, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return measure(*arguments, **options)


def stays(*rows, **columns):
    """Customers from pairs: a tenure, and the reason they left for, or False."""
    frame = pd.DataFrame(
        {
            "tenure_days": [float(days) for days, _ in rows],
            "churned": [reason is not False for _, reason in rows],
            "end_reason": pd.Series([reason or None for _, reason in rows], dtype=object),
        }
    )
    return frame.assign(**columns)


@st.composite
def spells(draw):
    """Dated spells in groups, some not ended, some observed late, with and without a reason."""
    days = st.integers(0, 400)
    row = st.tuples(days, st.one_of(st.none(), days), st.integers(-100, 90), st.sampled_from(["a", "b", None]), st.sampled_from(REASONS))
    rows = draw(st.lists(row, min_size=1, max_size=40))
    frame = pd.DataFrame(rows, columns=["start", "end", "observed_from", "plan", "end_reason"]).astype(
        {"plan": object, "end_reason": object}
    )
    start = pd.Timestamp("2025-03-10") + pd.to_timedelta(frame["start"], unit="D")
    end = start + pd.to_timedelta(frame["end"], unit="D")
    observed = start + pd.to_timedelta(frame["observed_from"], unit="D")
    observed = observed.where(frame["observed_from"] > 0)
    return frame.assign(start=start, end=end, observed_from=observed, end_reason=frame["end_reason"].where(end.notna(), None))


MEASURES = {
    "difference": lambda table, **more: quietly(churn.difference, table, **{"as_of": AS_OF, "by": "plan", "until_days": 90, **more}),
    "survival_difference": lambda table, **more: quietly(
        churn.survival_difference, table, **{"as_of": AS_OF, "by": "plan", "at": [30, 90], **more}
    ),
    "ends": lambda table, **more: quietly(churn.ends, table, **{"as_of": AS_OF, "by": "plan", **more}),
    "hazard": lambda table, **more: quietly(churn.hazard, table, **{"as_of": AS_OF, "by": "plan", **more}),
    "hazard of each end": lambda table, **more: quietly(churn.hazard, table, **{"as_of": AS_OF, "by": ["plan", "end_reason"], **more}),
    "quantiles": lambda table, **more: quietly(churn.quantiles, table, **{"as_of": AS_OF, "by": "plan", **more}),
}
every_measure = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES.keys())


@every_measure
@few
@given(table=spells(), seed=st.integers(0, 99))
def test_frames_engine_tables_and_shuffled_rows_give_the_same_answer(measure, table, seed):
    found = measure(table)
    assert_frame_equal(found, measure(engine_table(table)), check_exact=True)
    assert_frame_equal(found, measure(table.sample(frac=1, random_state=seed)), check_exact=True)
    assert found.attrs.get("reason") == measure(engine_table(table)).attrs.get("reason")


@every_measure
@few
@given(table=spells())
def test_a_result_has_its_shape_and_its_bounds_hold_the_estimate(measure, table):
    found = measure(table)
    columns = list(found.columns)
    start = columns.index("measure")
    assert tuple(columns[start : start + len(RESULT)]) == RESULT
    assert isinstance(found.index, pd.RangeIndex)
    known = found[found[["estimate", "low", "high"]].notna().all(axis=1)]
    assert (known["low"] <= known["estimate"] + 1e-12).all()
    assert (known["estimate"] <= known["high"] + 1e-12).all()
    if "p_value" in found and "hazard" not in set(found["measure"]):
        apart = (known["low"] > 0) | (known["high"] < 0)
        assert (apart == (known["p_value"] < 0.05)).all()


@every_measure
@few
@given(table=spells())
def test_what_happens_after_the_last_day_changes_nothing(measure, table):
    known = table[table["start"] <= pd.Timestamp(AS_OF)]
    still = ~(known["end"] <= pd.Timestamp(AS_OF))
    known = known.assign(end=known["end"].mask(still), end_reason=known["end_reason"].mask(still, None))
    assert_frame_equal(measure(table), measure(known.astype({"end_reason": object})), check_exact=True)


@every_measure
def test_without_customers_or_keys_the_result_has_no_rows_and_says_why(measure):
    table = stays((40, "choice"), (90, False), (50, "moved"), plan=["a", "b", "a"])
    full = measure(table, as_of=None)
    for frame, reason in ((table[:0], "There are no customers."), (table.assign(plan=None), "No customer has a plan.")):
        found = measure(frame, as_of=None)
        assert len(found) == 0
        assert found.attrs["reason"] == reason
        assert list(found.columns) == list(full.columns)
        counts = full.columns[full.columns.get_loc("n") :]
        assert found.dtypes[counts].tolist() == full.dtypes[counts].tolist()


@every_measure
def test_who_left_before_being_observed_is_left_out_with_a_warning_that_points_to_the_call(measure):
    name = next(name for name, each in MEASURES.items() if each is measure).partition(" ")[0]
    days = pd.to_datetime(["2026-01-01"] * 4)
    table = pd.DataFrame({"start": days, "end": pd.to_datetime(["2026-01-03", "2026-01-05", None, None]), "plan": ["a", "a", "b", "b"]})
    table = table.assign(observed_from=pd.to_datetime(["2026-02-01", None, None, None]), end_reason=["choice", "choice", None, None])
    words = f"{name}: 1 of 4 spells ended before observed_from, when leaving was not yet seen; they are left out"
    with pytest.warns(UserWarning, match=f"^{words}$") as warned:
        getattr(churn, name)(table, as_of=AS_OF, by="plan")
    assert warned[0].filename == __file__


def test_the_published_left_truncation_table_is_found_from_dates():
    """Cole and Hudgens 2010: who entered the study late was at risk of being missed before."""
    rows, golden = pd.read_csv(GOLDEN / "macs.csv"), pd.read_csv(GOLDEN / "macs_km.csv")
    # A year is a thousand days, so that no tenure is rounded.
    entry, time = (pd.to_timedelta((1000 * rows[name]).round(), unit="D") for name in ("entry", "time"))
    last = pd.Timestamp("2100-01-01")
    table = pd.DataFrame({"start": last - time, "end": pd.Series(last, index=rows.index).where(rows["left"] == 1)})
    found = churn.survival(table.assign(observed_from=table["start"] + entry), as_of="2100-01-01", at=1000 * golden["tenure_days"])
    assert found[["events", "censored"]].values.tolist() == golden[["events", "censored"]].values.tolist()
    np.testing.assert_allclose(found["estimate"], golden["estimate"], rtol=1e-12)
    # R takes who enters on a tenure as at risk after it; here they are at risk on it. Nobody leaves on one of these.
    entered = golden["tenure_days"].isin(rows["entry"])
    assert (found["n"] - golden["n"]).tolist() == entered.astype(int).tolist()
    assert not golden.loc[entered, "events"].any()


# Quantiles


@pytest.mark.parametrize("group", ["all", "men", "women", "late"])
def test_the_quantiles_are_rs(group):
    rows = pd.read_csv(GOLDEN / "lung.csv")
    rows = rows[rows["sex"] == {"men": 1, "women": 2}[group]] if group in {"men", "women"} else rows
    start = pd.Timestamp(AS_OF) - pd.to_timedelta(rows["time"], unit="D")
    table = pd.DataFrame({"start": start, "end": pd.Series(pd.Timestamp(AS_OF), index=rows.index).where(rows["left"] == 1)})
    if group == "late":
        table = table.assign(observed_from=start + pd.to_timedelta(rows["entry"], unit="D"))
    found = churn.quantiles(table, as_of=AS_OF, shares=[0.1, 0.25, 0.5, 0.75, 0.9])
    expected = pd.read_csv(GOLDEN / "lung_quantiles.csv").query("group == @group")
    # R gives the middle of a level stretch; where the curve is level at the share, its first day is given here.
    level = {"women": [0.1]}.get(group, [])
    told = ~expected["share_left"].isin(level).to_numpy()
    assert found.loc[told, "estimate"].tolist() == expected.loc[told, "estimate"].tolist()
    if group == "late":
        np.testing.assert_allclose(found[["low", "high"]], expected[["low", "high"]])


def test_the_half_is_the_median_and_what_is_not_reached_is_missing():
    table = stays((30, "choice"), (60, "choice"), (90, "choice"), (90, False), (120, False))
    found = churn.quantiles(table, shares=[0.9, 0.5, 0.5]).set_index("share_left")
    median = churn.median_tenure(table)
    assert found.index.tolist() == [0.5, 0.9]
    assert found.loc[0.5, ["estimate", "low", "high"]].tolist() == pytest.approx(
        median.loc[0, ["estimate", "low", "high"]].tolist(), nan_ok=True
    )
    assert np.isnan(found.loc[0.9, "estimate"])


# Ends


def test_of_six_with_ties_the_first_reason_takes_seven_in_twelve():
    table = stays((1, "choice"), (1, "moved"), (2, "choice"), (2, False), (3, "moved"), (4, "choice"))
    found = churn.ends(table).set_index(["end_reason", "tenure_days"])
    assert found.loc[("choice", 4.0), "estimate"] == pytest.approx(7 / 12)
    assert found.loc[("moved", 4.0), "estimate"] == pytest.approx(5 / 12)
    assert found.loc["choice"][["n", "events", "left", "customers"]].values.tolist() == [
        [6, 0, 0, 6],
        [6, 1, 1, 6],
        [4, 1, 2, 6],
        [2, 0, 2, 6],
        [1, 1, 3, 6],
    ]


def test_a_reason_that_nobody_wrote_down_is_an_end_of_its_own():
    found = churn.ends(stays((1, "choice"), (2, None), (3, False)), at=[3])
    assert found[["end_reason", "left"]].values.tolist() == [["choice", 1], ["not recorded", 1]]


@few
@given(table=spells())
def test_over_the_reasons_the_ends_add_up_with_survival_to_one(table):
    found, still = (quietly(measure, table, as_of=AS_OF, by="plan") for measure in (churn.ends, churn.survival))
    if not len(found):
        return
    sums = found.groupby(["plan", "tenure_days"], dropna=False, sort=False).agg(
        estimate=("estimate", lambda each: each.sum(skipna=False)),
        still=("still_there", "first"),
        events=("events", "sum"),
        n=("n", "first"),
    )
    assert len(sums) == len(still)
    np.testing.assert_allclose(sums["still"], still["estimate"], atol=1e-12)
    np.testing.assert_allclose(sums["estimate"] + sums["still"], np.where(still["estimate"].isna(), np.nan, 1), atol=1e-12)
    assert sums["events"].tolist() == still["events"].tolist()
    assert sums["n"].tolist() == still["n"].tolist()


def test_at_gives_the_step_that_holds_and_nothing_beyond_what_was_seen():
    table = stays((10, "choice"), (20, "moved"), (30, False))
    found = churn.ends(table, at=[15, 40]).set_index(["end_reason", "tenure_days"])
    assert found.loc[("choice", 15.0), ["estimate", "n", "events", "left"]].tolist() == [pytest.approx(1 / 3), 2, 0, 1]
    assert found.loc[("choice", 40.0), ["estimate", "low", "high", "still_there"]].isna().all()


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([(10, False), (20, False)], "Nobody has left yet, so there are no ends to tell apart."),
        ([(10, None), (20, False)], "Of nobody who left is it recorded why, so ends cannot be told apart."),
    ],
)
def test_without_reasons_there_are_no_ends(rows, reason):
    for measure in (churn.ends, lambda table: churn.hazard(table, by="end_reason")):
        found = measure(stays(*rows))
        assert len(found) == 0
        assert found.attrs["reason"] == reason


@cache
def sample():
    return sources.read(ROOT / "data" / "sources.toml", as_of="2026-06-30").customers


@pytest.mark.parametrize("days", [90, 365])
def test_the_samples_ends_are_found_about_as_often_as_its_truth_says(days):
    truth = json.loads((ROOT / "data" / "sample" / "truth.json").read_text(encoding="utf-8"))["cumulative_incidence"][f"{days}_days"]
    table = sample()
    joined = table.filter(table.start >= "2024-07-01", table.start <= "2025-01-31")
    whole = churn.ends(joined, as_of="2026-06-30", at=[days]).set_index("end_reason")
    parted = churn.ends(joined, as_of="2026-06-30", at=[days], by="plan", level=0.99).set_index(["plan", "end_reason"])
    for reason, share in truth["all"].items():
        assert whole.loc[reason, "low"] <= share <= whole.loc[reason, "high"]
        for plan, shares in truth["by_plan_at_joining"].items():
            assert parted.loc[(plan, reason), "low"] <= shares[reason] <= parted.loc[(plan, reason), "high"]


# Hazard


@few
@given(table=spells())
def test_a_danger_is_who_left_for_each_day_that_somebody_was_there(table):
    found = quietly(churn.hazard, table, as_of=AS_OF, by=["plan", "end_reason"], edges=[30, 91.3125, 200])
    table = table[table["start"] <= pd.Timestamp(AS_OF)]
    left = table["end"] <= pd.Timestamp(AS_OF)
    tenure = (table["end"].where(left, pd.Timestamp(AS_OF)) - table["start"]).dt.days
    entry = (table["observed_from"] - table["start"]).dt.days.fillna(0)
    seen = tenure >= entry
    for row in found.itertuples():
        here = seen & (table["plan"].isna() if row.plan is None else table["plan"] == row.plan)
        begins, ends = row.tenure_days or -0.5, np.inf if np.isnan(row.until_days) else row.until_days
        days = (tenure.clip(begins, ends) - (entry - 0.5).clip(begins, ends))[here].sum()
        reason = table["end_reason"].fillna("not recorded") == row.end_reason
        assert row.left == (here & left & reason & (tenure > begins) & (tenure <= ends)).sum()
        assert row.customer_days == days
        assert row.n == (here & (tenure > begins) & (entry - 0.5 < ends)).sum()
        if days:
            assert row.estimate == pytest.approx(1 - np.exp(-MONTH * row.left / days))


def test_the_bands_end_where_fewer_than_thirty_came_and_the_first_is_always_there():
    table = stays(*[(20, "choice")] * 40, *[(100, False)] * 30, *[(800, False)] * 29)
    found = churn.hazard(table)
    assert (found["tenure_days"] / MONTH).tolist() == [0, 1, 3]
    assert found["n"].tolist() == [99, 59, 59]
    assert churn.hazard(stays((500, False)))["tenure_days"].tolist() == [0]


def test_a_tenure_on_an_edge_belongs_to_the_band_that_ends_there():
    found = churn.hazard(stays(*[(MONTH, "choice")] * 20, *[(2 * MONTH, False)] * 30))
    assert found["left"].tolist() == [20, 0]


def test_a_level_danger_is_seldom_called_uneven_and_an_uneven_one_is_found():
    random, named = np.random.default_rng(11), []
    for _ in range(40):
        life, last = np.ceil(random.exponential(300, 300)), random.integers(30, 800, 300)
        table = pd.DataFrame({"tenure_days": np.minimum(life, last), "churned": life <= last})
        named.append((churn.hazard(table)["verdict"] != "cannot tell yet").any())
    assert np.mean(named) <= 0.12
    early = churn.hazard(stays(*[(10, "choice")] * 30, *[(300, "choice")] * 30, *[(700, False)] * 100))
    assert early["verdict"].tolist()[0] == "above"


def test_the_intervals_of_dangers_cover_as_often_as_they_say():
    random, rows = np.random.default_rng(12), []
    for sample in range(200):
        life, last = np.ceil(random.exponential(300, 120)), random.integers(30, 800, 120)
        rows.append(pd.DataFrame({"tenure_days": np.minimum(life, last), "churned": life <= last, "sample": sample}))
    found = churn.hazard(pd.concat(rows), by="sample", edges=[MONTH, 3 * MONTH, 6 * MONTH, 12 * MONTH])
    truth = 1 - np.exp(-MONTH / 300)
    held = ((found["low"] <= truth) & (truth <= found["high"])).groupby(found["tenure_days"]).mean()
    assert (held.iloc[:4] >= 0.94).all()


# Differences


def test_by_contract_customers_of_the_telephone_company_differ_as_published():
    if not TELCO.exists():
        pytest.skip("the telephone company's customers are not here")
    rows = pd.read_csv(TELCO)
    table = pd.DataFrame({"tenure_days": rows["tenure"] * MONTH, "churned": rows["Churn"] == "Yes", "contract": rows["Contract"]})
    found = churn.difference(table, by="contract").set_index("contract")
    assert found["chi2"].round(2).tolist() == [2352.87] * 3
    assert found["degrees"].tolist() == [2] * 3
    assert found["verdict"].to_dict() == {"Month-to-month": "below", "One year": "above", "Two year": "above"}


def test_the_difference_is_that_of_two_areas_and_the_test_is_stratified():
    rows = pd.read_csv(GOLDEN / "lung.csv").dropna(subset="ecog")
    table = pd.DataFrame({"tenure_days": rows["time"], "churned": rows["left"], "sex": rows["sex"], "ecog": rows["ecog"]})
    found = churn.difference(table, by="sex", until_days=365, apart="ecog").set_index("sex")
    expected = pd.read_csv(GOLDEN / "lung_rank_tests.csv").query("test == 'sex within ecog'")
    assert found["chi2"].tolist() == pytest.approx(expected["chi2"].tolist())
    assert found["p_together"].tolist() == pytest.approx(expected["p"].tolist())
    whole = churn.difference(table[["tenure_days", "churned", "sex"]], by="sex", until_days=365).set_index("sex")
    same = ["estimate", "low", "high", "n", "p_value", "verdict", "stay", "stay_rest", "n_rest"]
    assert_frame_equal(found[same], whole[same])
    assert found.loc[1, "estimate"] == found.loc[1, "stay"] - found.loc[1, "stay_rest"] == -found.loc[2, "estimate"]
    curve = churn.survival(table, by="sex", at=np.arange(365)).groupby("sex")["estimate"].sum()
    assert found["stay"].tolist() == pytest.approx(curve.tolist())


def test_with_delayed_entry_the_rank_test_takes_who_was_at_risk():
    rows = pd.read_csv(GOLDEN / "lung.csv")
    start = pd.Timestamp(AS_OF) - pd.to_timedelta(rows["time"], unit="D")
    table = pd.DataFrame({"start": start, "end": pd.Series(pd.Timestamp(AS_OF), index=rows.index).where(rows["left"] == 1)})
    table = table.assign(observed_from=start + pd.to_timedelta(rows["entry"], unit="D"), sex=rows["sex"])
    observed = expected = spread = 0.0
    for t in sorted(set(rows.loc[rows["left"] == 1, "time"])):
        at_risk = (rows["time"] >= t) & (rows["entry"] <= t)
        n, men = at_risk.sum(), (at_risk & (rows["sex"] == 1)).sum()
        leaving = (rows["time"] == t) & (rows["left"] == 1)
        d = leaving.sum()
        observed += (leaving & (rows["sex"] == 1)).sum()
        expected += d * men / n
        spread += d * men / n * (1 - men / n) * (n - d) / max(n - 1, 1)
    found = churn.difference(table, as_of=AS_OF, by="sex")
    assert found.loc[0, "chi2"] == pytest.approx((observed - expected) ** 2 / spread)


def test_where_hazards_cross_the_days_stayed_tell_what_the_rank_test_does_not():
    random, n = np.random.default_rng(3), 400
    one = np.where(random.random(n) < 0.25, random.integers(1, 40, n), random.integers(300, 420, n))
    other = random.integers(120, 420, n)
    table = pd.DataFrame({"tenure_days": np.concatenate([one, other]), "churned": True, "plan": ["a"] * n + ["b"] * n})
    found = churn.difference(table, by="plan", until_days=120).set_index("plan")
    assert found.loc["a", "verdict"] == "below"
    assert found.loc["a", "p_corrected"] < 1e-6


def test_at_a_tenure_without_censoring_it_is_newcombes_difference_of_shares():
    table = stays(*[(10, "choice")] * 8, *[(99, False)] * 22, *[(20, "choice")] * 3, *[(99, False)] * 37, plan=["a"] * 30 + ["b"] * 40)
    found = churn.survival_difference(table, by="plan", at=[50])
    (a, b) = found.itertuples()
    assert (a.survival, a.survival_rest, a.n, a.n_rest) == (pytest.approx(22 / 30), pytest.approx(37 / 40), 30, 40)
    theirs = confint_proportions_2indep(22, 30, 37, 40, method="newcomb")
    assert (a.estimate, a.low, a.high) == pytest.approx((22 / 30 - 37 / 40, *theirs))
    assert (b.estimate, b.low, b.high) == pytest.approx((-a.estimate, -a.high, -a.low))


def test_what_is_within_the_margin_is_no_material_difference():
    many = [(10, "choice")] * 100 + [(400, False)] * 900
    table = stays(*many, *many, plan=["a"] * 1000 + ["b"] * 1000)
    assert churn.difference(table, by="plan", margin=15)["verdict"].tolist() == ["no material difference"] * 2
    assert churn.survival_difference(table, by="plan", margin=0.05)["verdict"].tolist() == ["no material difference"] * 2
    assert churn.difference(table, by="plan", margin=1)["verdict"].tolist() == ["cannot tell yet"] * 2


def test_a_group_that_was_not_seen_so_long_is_not_compared():
    table = stays((10, "choice"), (400, False), (20, "choice"), (50, False), plan=["a", "a", "b", "b"])
    for found in (churn.difference(table, by="plan"), churn.survival_difference(table, by="plan")):
        assert found["estimate"].isna().all()
        assert found["verdict"].tolist() == ["cannot tell yet"] * 2
        assert found["n"].tolist() == [2, 2]
    gone = stays((10, "choice"), (20, "choice"), (400, False), plan=["a", "a", "b"])
    assert churn.difference(gone, by="plan")["stay"].tolist() == [15, 365.25]


def test_groups_that_leave_alike_are_seldom_told_apart():
    random, named = np.random.default_rng(5), []
    for _ in range(40):
        life, last = np.ceil(random.exponential(250, 260)), random.integers(100, 500, 260)
        groups = np.repeat(["a", "b", "c", "d"], [12, 40, 80, 128])
        table = pd.DataFrame({"tenure_days": np.minimum(life, last), "churned": life <= last, "plan": groups})
        both = (churn.difference(table, by="plan", until_days=90), churn.survival_difference(table, by="plan", at=[90]))
        named += [(found["verdict"] != "cannot tell yet").any() for found in both]
    assert np.mean(named) <= 0.1


def test_one_group_alone_has_no_rest():
    for measure in (churn.difference, churn.survival_difference):
        found = measure(stays((10, "choice"), (20, False), plan="a"), by="plan")
        assert found.attrs["reason"] == "All customers are of one plan, so there is no rest to compare it with."


def test_all_groups_are_compared_with_those_of_no_plan_too():
    table = stays(*[(10, "choice"), (400, False), (400, False), (30, "moved"), (500, False)] * 6, plan=["a", "b", None] * 10)
    found = churn.difference(table, by="plan")
    assert found["plan"].tolist() == ["a", "b", None]
    assert found["degrees"].tolist() == [2] * 3
    parted = churn.difference(table.assign(segment="x"), by="plan", apart="segment")
    assert_frame_equal(found, parted)


# Letters

PLANS = stays((10, "choice"), (20, False), plan=["a", "b"])

ARGUMENTS = {
    "no groups": (lambda: churn.difference(PLANS, by=()), 'by: name at least one column that makes groups, such as by="segment"'),
    "no days": (lambda: churn.difference(PLANS, by="plan", until_days=0), "until_days: 0; a number of days above 0, such as 365.25"),
    "margin": (lambda: churn.difference(PLANS, by="plan", margin=0), "margin: 0; what does not matter is a difference above 0"),
    "apart by the group": (
        lambda: churn.difference(PLANS, by="plan", apart="plan"),
        "apart: 'plan' makes the groups; customers of one group cannot be kept apart by it",
    ),
    "margin of a share": (
        lambda: churn.survival_difference(PLANS, by="plan", margin=5),
        "margin: 5 is no part of a share, which goes from 0 to 1; for five in a hundred write 0.05",
    ),
    "no tenure": (lambda: churn.survival_difference(PLANS, by="plan", at=[]), "at: name at least one tenure in days, such as at=[365.25]"),
    "tenure below 0": (lambda: churn.ends(PLANS, at=[-1]), "at: tenures are numbers of days of 0 or more"),
    "edges": (
        lambda: churn.hazard(PLANS, edges=[90, 30]),
        "edges: tenures in days that rise, from above 0, such as [30.4375, 91.3125, 365.25]",
    ),
    "shares": (lambda: churn.quantiles(PLANS, shares=[0.5, 1]), "shares: 0.5, 1; each must lie between 0 and 1, such as 0.25"),
    "level": (lambda: churn.ends(PLANS, level=1), "level: 1 is not between 0 and 1; for 95 % write 0.95"),
    "reason as a key": (
        lambda: churn.ends(PLANS, by="end_reason"),
        "by: 'end_reason' is a column of this result and cannot be a key",
    ),
}


@pytest.mark.parametrize(("call", "words"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_an_argument_that_means_nothing_is_refused(call, words):
    with pytest.raises(ValueError) as letter:  # noqa: PT011 - the whole message is compared
        call()
    assert str(letter.value) == words


LETTERS = {
    "no reason": (
        lambda: churn.ends(PLANS.drop(columns="end_reason").assign(endreason="choice")),
        "ends: the table has no column 'end_reason'. Did you mean 'endreason'?",
    ),
    "no reason for a hazard": (
        lambda: churn.hazard(PLANS.drop(columns="end_reason"), by="end_reason"),
        "hazard: the table has no column 'end_reason'.",
    ),
    "misspelt stratum": (
        lambda: churn.difference(PLANS, by="plan", apart="plam"),
        "difference: the table has no column 'plam'. Did you mean 'plan'?",
    ),
    "no length": (
        lambda: churn.quantiles(PLANS.assign(tenure_days=[-1.0, 5.0])),
        ("quantiles: 1 of 2 spells have neither a start nor a tenure_days of 0 or more (row 1: -1). Correct them, or leave them out."),
    ),
}


@pytest.mark.parametrize(("call", "words"), LETTERS.values(), ids=LETTERS)
def test_a_table_that_cannot_be_counted_gets_a_letter(call, words):
    with pytest.raises(TableError) as letter:
        call()
    assert str(letter.value) == words
