"""R's survey numbers, each held against plain NumPy: raking, strata, clusters, domains, and what raking does to an error."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib import survey

GOLDEN = Path(__file__).parent / "golden"
POPULATION = 6194
DISTRICTS = 757
SAMPLES = {"simple": "api_simple", "strata": "api_strata", "clusters": "api_clusters"}


@cache
def golden(name: str) -> pd.DataFrame:
    return pd.read_csv(GOLDEN / f"{name}.csv")


def sample(design: str) -> pd.DataFrame:
    return golden(SAMPLES[design.partition("_")[0]])


def margins() -> dict[str, pd.Series]:
    return {name: part.set_index("value")["customers"] for name, part in golden("api_margins").groupby("column", sort=False)}


def raked(rows: pd.DataFrame, smallest: float) -> tuple[np.ndarray, int]:
    """Weights fitted to one margin after the other, until a round moves no cell of the table by ``smallest``; and the rounds."""
    weight = rows["weight"].to_numpy(copy=True)
    cell = rows.groupby(["type", "target"]).ngroup().to_numpy()
    before = np.bincount(cell, weight)
    for done in range(1, 200):
        for column, wanted in margins().items():
            weight *= (wanted[rows[column]].to_numpy()) / pd.Series(weight).groupby(rows[column].to_numpy()).transform("sum").to_numpy()
        after = np.bincount(cell, weight)
        if np.abs(after - before).max() < smallest:
            return weight, done
        before = after
    raise AssertionError("the table did not settle")


def weights(design: str) -> np.ndarray:
    """The weights that R ended with, or those of the design."""
    found = golden("survey_weights").query("design == @design").sort_values("row")["weight"].to_numpy()
    return found if len(found) else sample(design)["weight"].to_numpy()


@pytest.mark.parametrize("row", golden("survey_rounds").to_dict("records"), ids=lambda row: f"{row['design']} {row['epsilon']}")
def test_raking_is_proportional_fitting_and_stops_in_the_same_round(row):
    rows = sample(row["design"])
    # R takes a number below 1 as a share of all the weights, 1 as one customer.
    smallest = row["epsilon"] * (rows["weight"].sum() if row["epsilon"] < 1 else 1)
    found, rounds = raked(rows, smallest)
    assert rounds == row["rounds"]
    np.testing.assert_allclose(found, weights(f"{row['design']}_raked{'_default' if row['epsilon'] == 1 else ''}"), rtol=1e-9)


@pytest.mark.parametrize("design", ["simple", "strata", "clusters"])
def test_raked_weights_meet_every_margin(design):
    rows = sample(design).assign(weight=weights(f"{design}_raked"))
    for column, wanted in margins().items():
        np.testing.assert_allclose(rows.groupby(column)["weight"].sum()[wanted.index], wanted, rtol=1e-8)


def test_raking_that_stops_at_one_customer_misses_a_margin_by_a_little():
    rows = sample("simple").assign(weight=weights("simple_raked_default"))
    missed = [(rows.groupby(column)["weight"].sum() - wanted).abs().max() for column, wanted in margins().items()]
    assert 0.01 < missed[0] < 1
    assert missed[1] < 1e-6


@pytest.mark.parametrize("design", ["simple", "clusters"])
def test_post_stratified_weights_are_scaled_within_each_cell(design):
    rows, wanted = sample(design), margins()["type"]
    scale = wanted / rows.groupby("type")["weight"].sum()
    np.testing.assert_allclose(rows["weight"] * scale[rows["type"]].to_numpy(), weights(f"{design}_post"), rtol=1e-12)


def settled(design: str, influence: np.ndarray) -> np.ndarray:
    """What weighting to margins leaves of each answer's influence: its distance from what its margins foretell.

    R regresses without weights, also where the design has unequal ones.
    """
    rows, weight, known = sample(design), weights(design), []
    if design.endswith("_raked"):
        known = ["type", "target"]
    elif design.endswith("_post"):
        known = ["type"]
    if not known:
        return influence
    indicator = pd.get_dummies(rows[known]).to_numpy(dtype=float)
    residual = influence / weight
    return weight * (residual - indicator @ np.linalg.lstsq(indicator, residual, rcond=None)[0])


def linearised(design: str, influence: np.ndarray) -> tuple[np.ndarray, int]:
    """Covariance of totals from each row's influence, by strata and clusters; and its degrees of freedom."""
    rows = sample(design)
    unit = rows["district"] if design.startswith("clusters") else pd.Series(range(len(rows)))
    stratum = rows["type"] if design.startswith("strata") else pd.Series("all", index=rows.index)
    totals = pd.DataFrame(influence).groupby([stratum.to_numpy(), unit.to_numpy()]).sum()
    covariance, free = np.zeros((influence.shape[1],) * 2), 0
    for _, part in totals.groupby(level=0):
        n = len(part)
        size = {"simple": POPULATION, "clusters": DISTRICTS}.get(design.partition("_")[0])
        size = margins()["type"][part.index[0][0]] if size is None else size
        seen = n / size if design.endswith("_fpc") else 0
        covariance += n * np.cov(part.T, ddof=1).reshape(covariance.shape) * (1 - seen)
        free += n - 1
    return covariance, free


@pytest.mark.parametrize("row", golden("survey_means").to_dict("records"), ids=lambda row: f"{row['design']} {row['variable']}")
def test_the_error_of_a_weighted_mean_is_that_of_its_clusters_within_their_strata(row):
    design, y = row["design"], sample(row["design"])[row["variable"]].to_numpy(dtype=float)
    # With the finite population R makes the weights from it, which are the same to rounding.
    weight, n = weights(design), len(y)
    mean = np.average(y, weights=weight)
    influence = settled(design, weight * (y - mean) / weight.sum())
    covariance, free = linearised(design, influence[:, None])
    error = float(np.sqrt(covariance[0, 0]))
    half = stats.t.ppf(0.975, free) * error
    assert mean == pytest.approx(row["estimate"], rel=1e-7)
    assert [error, free] == pytest.approx([row["std_error"], row["df"]], rel=1e-7)
    assert [mean - half, mean + half] == pytest.approx([row["low"], row["high"]], rel=1e-6)
    spread = np.average((y - mean) ** 2, weights=weight) * n / (n - 1) / n
    assert error**2 / spread == pytest.approx(row["deff_replace"], rel=1e-6)
    assert error**2 / (spread * (1 - n / weight.sum())) == pytest.approx(row["deff"], rel=1e-6)


@pytest.mark.parametrize("design", ["simple", "strata", "clusters", "clusters_raked"])
def test_the_weighted_net_promoter_score_is_the_measures(design):
    rows = sample(design).assign(weight=weights(design))
    expected = golden("survey_means").query("design == @design and variable == 'nps'")["estimate"]
    assert survey.nps(rows[["score", "weight"]], weight="weight")["estimate"].tolist() == pytest.approx(expected.tolist(), rel=1e-9)


def of_groups(design: str, column: str) -> tuple[list[str], np.ndarray, np.ndarray, int]:
    """The mean in each group, and their covariance: groups of one sample share clusters."""
    rows, weight = sample(design), weights(design)
    y, names = rows["nps"].to_numpy(dtype=float), sorted(rows[column].unique())
    means, influence = [], []
    for name in names:
        inside = weight * (rows[column] == name).to_numpy()
        means.append(np.average(y, weights=inside))
        influence.append(settled(design, inside * (y - means[-1]) / inside.sum()))
    return names, np.array(means), *linearised(design, np.column_stack(influence))


@pytest.mark.parametrize(("design", "column"), golden("survey_domains")[["design", "by"]].drop_duplicates().to_numpy().tolist())
def test_a_groups_error_counts_every_cluster_of_the_design(design, column):
    names, means, covariance, _ = of_groups(design, column)
    expected = golden("survey_domains").query("design == @design and by == @column").set_index("group").loc[names]
    np.testing.assert_allclose(means, expected["estimate"], rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), expected["std_error"], rtol=1e-7)


@pytest.mark.parametrize("row", golden("survey_differences").to_dict("records"), ids=lambda row: f"{row['design']} {row['by']}")
def test_the_difference_of_two_groups_knows_that_they_share_clusters(row):
    names, means, covariance, free = of_groups(row["design"], row["by"])
    error = np.sqrt(np.array([-1, 1]) @ covariance @ np.array([-1, 1]))
    change = means[1] - means[0]
    assert names[1] == row["group"]
    assert [change, error, free - 1] == pytest.approx([row["change"], row["std_error"], row["df"]], rel=1e-7)
    assert [change / error, 2 * stats.t.sf(abs(change / error), free - 1)] == pytest.approx([row["t"], row["p"]], rel=1e-6)
