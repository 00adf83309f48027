"""R's numbers on survival and competing ends, each held against a second computation; and the list of all of them."""

import re
from functools import cache
from pathlib import Path

import lifelines
import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_multicenter_aids_cohort_study
from lifelines.statistics import multivariate_logrank_test

from cxlib import churn
from cxlib.stats import survival

GOLDEN = Path(__file__).parent / "golden"
README = (GOLDEN / "README.md").read_text(encoding="utf-8")
LISTED = {
    name: (int(rows.replace(",", "")), re.findall(r"`(\w+)`", columns))
    for name, rows, columns in re.findall(r"^\| `([\w.]+\.csv)` \| ([\d,]+) \| ((?:`\w+` ?)+) \|", README, flags=re.MULTILINE)
}


@cache
def golden(name: str) -> pd.DataFrame:
    return pd.read_csv(GOLDEN / f"{name}.csv")


def groups(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {"all": rows, "men": rows[rows["sex"] == 1], "women": rows[rows["sex"] == 2]}


def test_every_file_is_listed_and_every_listed_file_is_there():
    assert sorted(LISTED) == sorted(path.name for path in GOLDEN.glob("*.csv"))


@pytest.mark.parametrize("name", sorted(LISTED))
def test_a_file_has_the_rows_and_the_columns_that_are_listed(name):
    found = pd.read_csv(GOLDEN / name)
    assert (len(found), list(found)) == LISTED[name]


def test_every_file_is_read_by_a_test():
    tests = "".join(path.read_text(encoding="utf-8") for path in GOLDEN.parent.glob("test_*.py"))
    assert [name for name in LISTED if f'"{name}"' not in tests and f'"{name.removesuffix(".csv")}"' not in tests] == []


def test_the_versions_that_are_listed_are_those_that_made_the_files():
    versions = golden("versions").set_index("software")["version"]
    said = re.search(
        r"Made with R ([\d.]+), survival ([\d.]+), survey ([\d.]+), cmprsk ([\d.]+)\. And, for pooling\.R, metafor ([\d.]+)\.", README
    )
    assert said is not None
    assert list(said.groups()) == versions[["R", "survival", "survey", "cmprsk", "metafor"]].tolist()


# Kaplan-Meier


def test_the_curve_of_each_group_at_a_day_is_the_measures_and_its_error_greenwoods():
    rows = golden("lung")
    table = pd.DataFrame({"tenure_days": rows["time"], "churned": rows["left"] == 1, "sex": rows["sex"]})
    expected = golden("lung_at")
    found = churn.survival(table, by="sex", at=[0, 90, 180, 365, 730])
    np.testing.assert_allclose(found["estimate"], expected["estimate"], rtol=1e-13)
    assert found["n"].tolist() == expected["n"].tolist()
    for sex, part in table.groupby("sex"):
        tenure, risk, events = life_table(part["tenure_days"], part["churned"])
        step = np.searchsorted(tenure, [90, 180, 365, 730], side="right") - 1
        golden_rows = expected[(expected["sex"] == sex) & (expected["tenure_days"] > 0)]
        error = survival.kaplan_meier(risk, events) * np.sqrt(greenwood(risk, events).cumsum())
        np.testing.assert_allclose(error[step], golden_rows["std_error"], rtol=1e-12)
        bounds = [bound[step] for bound in survival.log_log_greenwood(risk, events, level=0.95)]
        np.testing.assert_allclose(np.column_stack(bounds), golden_rows[["low", "high"]], rtol=1e-12)


def life_table(time, left, entry=None):
    """Distinct times, how many are at risk just before each (whoever enters at it included), and how many leave at it."""
    time, left = np.asarray(time), np.asarray(left).astype(bool)
    entry = np.full(len(time), -1.0) if entry is None else np.asarray(entry)
    tenure = np.unique(time)
    risk = ((entry[:, None] <= tenure) & (time[:, None] >= tenure)).sum(axis=0)
    return tenure, risk, ((time[:, None] == tenure) & left[:, None]).sum(axis=0)


def greenwood(risk, events):
    return np.divide(events, risk * (risk - events), out=np.zeros(len(risk)), where=risk > events)


def parts(rows):
    return {name: (part["time"], part["left"], None) for name, part in groups(rows).items()} | {
        "late": (rows["time"], rows["left"], rows["entry"])
    }


def test_the_quantiles_are_where_the_curve_and_its_bounds_pass_them():
    for name, given in parts(golden("lung")).items():
        tenure, risk, events = life_table(*given)
        low, high = survival.log_log_greenwood(risk, events, level=0.95)
        # R's bounds are missing where nobody has left yet or all at risk have; there ours keep a width.
        curves = {"estimate": survival.kaplan_meier(risk, events), "low": np.where(events.cumsum() > 0, low, 1.0), "high": high}
        for row in golden("lung_quantiles").query(f"group == '{name}'").itertuples():
            for column, curve in curves.items():
                passed = tenure[curve <= 1 - row.share_left + 1e-12]
                expected = getattr(row, column)
                assert (passed[0] if len(passed) else np.nan) == pytest.approx(expected, nan_ok=True), (name, row.share_left, column)


def test_the_median_and_its_interval_are_the_measures():
    rows, expected = golden("lung"), golden("lung_quantiles").query("share_left == 0.5").set_index("group")
    table = pd.DataFrame({"tenure_days": rows["time"], "churned": rows["left"] == 1, "sex": rows["sex"]})
    assert churn.median_tenure(table, by="sex")["estimate"].tolist() == expected.loc[["men", "women"], "estimate"].tolist()
    assert churn.median_tenure(table)["estimate"].tolist() == [expected.loc["all", "estimate"]]


def test_a_restricted_mean_is_the_area_below_the_curve():
    for name, given in parts(golden("lung")).items():
        tenure, risk, events = life_table(*given)
        curve = np.concatenate([[1.0], survival.kaplan_meier(risk, events)])
        for row in golden("lung_restricted_mean").query(f"group == '{name}'").itertuples():
            within = tenure < row.horizon_days
            knots = np.concatenate([[0.0], tenure[within], [row.horizon_days]])
            areas = np.diff(knots) * curve[: len(knots) - 1]
            beyond = areas[::-1].cumsum()[::-1][1:]
            assert areas.sum() == pytest.approx(row.estimate, rel=1e-12)
            assert np.sqrt((beyond**2 * greenwood(risk, events)[within]).sum()) == pytest.approx(row.std_error, rel=1e-12)


def log_rank(time, left, group, stratum, rho):
    """Observed, expected and chi-square of the k-sample test, event time by event time."""
    names = np.unique(group)
    observed, expected, covariance = np.zeros(len(names)), np.zeros(len(names)), np.zeros((len(names),) * 2)
    for here in (stratum == value for value in np.unique(stratum)):
        before = 1.0
        for at in np.unique(time[here & left]):
            n = np.array([(here & (time >= at) & (group == name)).sum() for name in names])
            d = np.array([(here & (time == at) & left & (group == name)).sum() for name in names])
            total, dead, weight = n.sum(), d.sum(), before**rho
            observed += weight * d
            expected += weight * dead * n / total
            if total > 1:
                share = n / total
                covariance += weight**2 * dead * (total - dead) / (total - 1) * (np.diag(share) - np.outer(share, share))
            before *= 1 - dead / total
    away = (observed - expected)[1:]
    return observed, expected, away @ np.linalg.solve(covariance[1:, 1:], away)


@pytest.mark.parametrize(
    ("test", "column", "strata", "rho"),
    [("sex", "sex", None, 0), ("ecog", "ecog", None, 0), ("sex within ecog", "sex", "ecog", 0), ("sex with rho 1", "sex", None, 1)],
)
def test_rank_tests_sum_who_left_less_who_was_expected_to(test, column, strata, rho):
    rows = golden("lung").dropna(subset=["ecog"] if "ecog" in (column, strata) else [])
    stratum = np.zeros(len(rows)) if strata is None else rows[strata].to_numpy()
    found = log_rank(rows["time"].to_numpy(), rows["left"].to_numpy() == 1, rows[column].to_numpy(), stratum, rho)
    expected = golden("lung_rank_tests").query(f"test == '{test}'")
    np.testing.assert_allclose(found[0], expected["observed"], rtol=1e-12)
    np.testing.assert_allclose(found[1], expected["expected"], rtol=1e-12)
    assert found[2] == pytest.approx(expected["chi2"].iloc[0], rel=1e-10)
    if test in ("sex", "ecog"):
        theirs = multivariate_logrank_test(rows["time"], rows[column], rows["left"])
        assert [theirs.test_statistic, theirs.p_value] == pytest.approx(expected[["chi2", "p"]].iloc[0].tolist(), rel=1e-9)


def test_the_aids_cohort_with_late_entry_is_the_published_one():
    # Cole and Hudgens 2010, AIDS 24(16): 26 times of death; 42, 44 and 11 at risk; the median is 3 years.
    rows, expected = golden("macs"), golden("macs_km").query("events > 0").set_index("tenure_days")
    theirs = load_multicenter_aids_cohort_study()
    pd.testing.assert_frame_equal(rows, theirs[["W", "T", "D"]].set_axis(list(rows), axis=1).reset_index(drop=True))
    assert len(expected) == 26
    assert expected.loc[[0.269, 0.791, 4.688], "n"].tolist() == [42, 44, 11]
    assert expected.index[expected["estimate"] <= 0.5][0] == pytest.approx(3, abs=0.1)
    tenure, risk, events = life_table(rows["time"], rows["left"], rows["entry"])
    curve, (low, high) = survival.kaplan_meier(risk, events), survival.log_log_greenwood(risk, events, level=0.95)
    kept = events > 0
    found = np.column_stack([tenure, risk, events, curve, low, high])[kept]
    np.testing.assert_allclose(found, expected.reset_index()[["tenure_days", "n", "events", "estimate", "low", "high"]], rtol=1e-12)
    fitted = lifelines.KaplanMeierFitter().fit(rows["time"], rows["left"], entry=rows["entry"]).survival_function_["KM_estimate"]
    np.testing.assert_allclose(fitted[expected.index], expected["estimate"], rtol=1e-12)


# Competing ends


def johansen(time, end, entry, times, which):
    """Cumulative incidence of one end, F += S(t−) d/n, as a function of the rows' weights, which may be complex."""
    every = np.unique(time[end > 0])
    there = ((entry[:, None] <= every) & (time[:, None] >= every)).astype(float)
    leaving = ((time[:, None] == every) & (end[:, None] > 0)).astype(float)
    to_this = leaving * (end[:, None] == which)

    def curve(weight):
        at_risk = weight @ there
        before = np.concatenate([[1.0], np.cumprod(1 - weight @ leaving / at_risk)[:-1]])
        found = np.concatenate([[0.0], np.cumsum(before * (weight @ to_this) / at_risk)])
        return found[np.searchsorted(every, times, side="right")]

    return curve


def ends(sample: str, group: str):
    rows = golden("ends_ties").assign(entry=0) if sample == "ends_ties" else golden("mgus2")
    rows = rows[rows["woman"] == (group == "women")] if group in ("men", "women") else rows
    entry = rows["entry"] if group == "late" else rows["entry"] * 0
    return rows["time"].to_numpy(), rows["end"].to_numpy(), entry.to_numpy()


CURVES = golden("ends_johansen")[["sample", "group", "end"]].drop_duplicates().to_numpy().tolist()


@pytest.mark.parametrize(("sample", "group", "end"), CURVES)
def test_the_cumulative_incidence_counts_ties_whole_and_its_error_is_its_move_when_a_row_counts_more(sample, group, end):
    expected = golden("ends_johansen").query("sample == @sample and group == @group and end == @end")
    time, kind, entry = ends(sample, group)
    times, n = expected["time"].to_numpy(), len(time)
    curve = johansen(time, kind, entry, times, end)
    np.testing.assert_allclose(curve(np.ones(n)), expected["estimate"], rtol=1e-12)
    step = 1e-20
    rows = np.unique(np.column_stack([time, kind, entry]), axis=0, return_inverse=True, return_counts=True)
    squares = np.zeros(len(times))
    for place, count in enumerate(rows[2]):  # equal rows move it equally
        weight = np.ones(n, dtype=complex)
        weight[np.flatnonzero(rows[1].ravel() == place)[0]] += 1j * step
        squares += count * (curve(weight).imag / step) ** 2
    np.testing.assert_allclose(np.sqrt(squares), expected["std_error"], rtol=1e-9)


def test_the_small_vector_with_ties_is_the_one_of_the_definitions():
    expected = golden("ends_johansen").query("sample == 'ends_ties' and end == 1 and time == 4")["estimate"]
    assert expected.tolist() == pytest.approx([7 / 12])


def aalen(time, end, which, times):
    """Aalen's variance of a cumulative incidence (1978, Annals of Statistics 6): each end's own jumps, d of n without replacement."""
    every = np.unique(time[end > 0])
    n = (time[:, None] >= every).sum(axis=0)
    by_end = {kind: ((time[:, None] == every) & (end[:, None] == kind)).sum(axis=0) for kind in (1, 2)}
    stays = 1 - (by_end[1] + by_end[2]) / n
    before = np.concatenate([[1.0], np.cumprod(stays)[:-1]])
    curve = np.cumsum(before * by_end[which] / n)
    found = []
    for at in times:
        k = every <= at
        later = np.divide(curve[k][-1] - curve[k], stays[k], out=np.zeros(k.sum()), where=stays[k] > 0)
        moves = {kind: (before[k] if kind == which else 0) - later for kind in by_end}
        spread = {kind: d[k] / n[k] ** 2 * np.where(d[k] > 1, (n[k] - d[k]) / np.maximum(n[k] - 1, 1), 1) for kind, d in by_end.items()}
        found.append(sum((moves[kind] ** 2 * spread[kind]).sum() for kind in by_end))
    return np.array(found)


@pytest.mark.parametrize(
    ("sample", "group", "end"), golden("ends_cuminc")[["sample", "group", "end"]].drop_duplicates().to_numpy().tolist()
)
def test_the_other_package_has_the_same_incidence_and_aalens_variance(sample, group, end):
    expected = golden("ends_cuminc").query("sample == @sample and group == @group and end == @end")
    time, kind, entry = ends(sample, group)
    found = johansen(time, kind, entry, expected["time"].to_numpy(), end)(np.ones(len(time)))
    np.testing.assert_allclose(found, expected["estimate"], rtol=1e-12)
    np.testing.assert_allclose(aalen(time, kind, end, expected["time"]), expected["variance"], rtol=1e-9)


def gray_score(time, end, women, which):
    """Gray's sum: how much the women's incidence hazard is above everybody's, weighted by who is at risk of it."""
    every = np.unique(time[end > 0])
    sums = []
    for member in (women, ~women):
        n = (time[member, None] >= every).sum(axis=0)
        leaving = time[member, None] == every
        d, own = (leaving & (end[member, None] > 0)).sum(axis=0), (leaving & (end[member, None] == which)).sum(axis=0)
        hazard = np.divide(d, n, out=np.zeros(len(n)), where=n > 0)
        before = np.concatenate([[1.0], np.cumprod(1 - hazard)[:-1]])
        grown = before * np.divide(own, n, out=np.zeros(len(n)), where=n > 0)
        curve_before = np.concatenate([[0.0], np.cumsum(grown)[:-1]])
        risk = np.divide(n * (1 - curve_before), before, out=np.zeros(len(n)), where=before > 0)
        sums.append((risk, np.divide(risk * grown, 1 - curve_before)))
    (risk_1, new_1), (risk_0, new_0) = sums
    share = np.divide(risk_1, risk_1 + risk_0, out=np.zeros(len(every)), where=risk_1 + risk_0 > 0)
    return (new_1 - share * (new_1 + new_0)).sum()


@pytest.mark.parametrize("end", [1, 2])
def test_grays_test_is_as_far_out_among_shuffled_groups(end):
    time, kind, _ = ends("mgus2", "all")
    women = golden("mgus2")["woman"].to_numpy() == 1
    random = np.random.default_rng(8)
    shuffled = [gray_score(time, kind, random.permutation(women), end) for _ in range(400)]
    expected = golden("ends_gray_test").set_index("end").loc[end]
    found = (gray_score(time, kind, women, end) - np.mean(shuffled)) ** 2 / np.var(shuffled)
    # 400 shuffles give the variance to about 7 %, twice that is allowed, and a chance shift of the mean.
    assert found == pytest.approx(expected["chi2"], rel=0.16)
