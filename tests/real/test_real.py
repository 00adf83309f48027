"""Public data that nobody here made, through the same command line: the numbers that others published, every row accounted for."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlib import churn, impact, leaving, sources, survey
from cxlib.stats import drivers as stats
from cxlib.tables import TableError

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def workbook(real: Path, to: Path, name: str, old: str = "", new: str = "") -> Path:
    """The committed workbook, its files where the real data are, and one line changed."""
    text = (HERE / f"{name}.toml").read_text(encoding="utf-8").replace("../../../shared/real", real.as_posix())
    assert old in text
    text = text.replace(old, new)
    path = to / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(real, tmp_path_factory):
    """A run of a workbook by the real command line, once a workbook: its folder and its results."""
    done: dict[str, tuple[Path, pd.DataFrame]] = {}

    def once(name: str, as_of: str) -> tuple[Path, pd.DataFrame]:
        if name not in done:
            to = tmp_path_factory.mktemp(name)
            command = [sys.executable, "-m", "cxlib", "run", "--as-of", as_of, "--sources", str(workbook(real, to, name))]
            command += ["--to", str(to / "reports"), "--private", str(to / "private")]
            ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
            assert ended.returncode == 0, ended.stderr
            folder = to / "reports" / as_of
            done[name] = folder, pd.read_parquet(folder / "results.parquet")
        return done[name]

    return once


def one(results: pd.DataFrame, measure: str, **keys: object) -> pd.Series:
    """The only row of a measure with these keys."""
    wanted = results[(results["measure"] == measure) & results["keys"].map(lambda text: json.loads(text) == keys)]
    assert len(wanted) == 1, wanted
    return wanted.iloc[0]


def accounted(book: sources.Book) -> bool:
    parts = book.account[["kept", "set_aside", "not_meant", "repeats", "after_as_of", "no_consent"]].sum(axis=1)
    return bool((parts == book.account["rows_read"]).all())


# San Francisco airport, passengers of May 2017


def test_the_airport_has_its_published_loyalty_and_satisfaction(run):
    _, results = run("airport", "2017-05-31")
    nps = one(results, "nps")
    assert round(nps["estimate"], 2) == 39.84
    assert nps["n"] == 2746
    assert nps["low"] < 39.84 < nps["high"]
    assert round(one(results, "nps_weighted")["estimate"], 2) == 40.40
    csat = one(results, "csat")
    assert round(csat["estimate"], 4) == 0.8207
    assert csat["n"] == 2688


def test_the_airports_touchpoints_leave_out_what_is_no_rating(run, real):
    """0 and 6 on the questionnaire mean blank and not applicable."""
    _, results = run("airport", "2017-05-31")
    raw = pd.read_csv(real / "sfo-airport-survey" / "2017_SFO_Customer_Survey.csv", encoding="utf-8", low_memory=False)
    food = raw["Q7FOOD"][raw["Q7FOOD"].between(1, 5)]
    found = one(results, "rating_mean", touchpoint="Restaurants", question="food")
    assert found["n"] == len(food)
    assert found["estimate"] == pytest.approx(food.mean(), rel=1e-12)


def test_the_airports_blank_code_is_refused_where_it_is_not_declared(real, tmp_path):
    path = workbook(real, tmp_path, "airport", "no_answer = [11]", "no_answer = []")
    with pytest.raises(TableError) as error:
        sources.read(path, as_of="2017-05-31")
    assert str(error.value) == (
        "responses: 11 occurs 84 times among the 2,830 answers to 'nps' (3.0%), outside its scale 0 to 10. "
        "That is a code, not an accident. "
        "If it means 'no answer', declare it: no_answer = [11] under [questions.nps] in airport.toml; "
        "if the scale is another, correct scale."
    )


def test_a_single_month_has_a_sentence_instead_of_a_trend(run):
    folder, _ = run("airport", "2017-05-31")
    assert "Only May 2017" in (folder / "survey_scores.html").read_text(encoding="utf-8")


def test_what_airport_passengers_recommend_it_for_is_said_as_far_as_it_is_settled(real, tmp_path):
    """Nine parts, of which two passengers in five rated all; 0 and 6 are no ratings."""
    responses = sources.read(workbook(real, tmp_path, "airport"), as_of="2017-05-31").responses
    found = impact.drivers(responses).set_index("driver")
    raw = pd.read_csv(real / "sfo-airport-survey" / "2017_SFO_Customer_Survey.csv", encoding="utf-8", low_memory=False)
    food = raw["Q7FOOD"].between(1, 5) & raw["NETPRO"].between(0, 10)
    assert found.loc["Restaurants", "n"] == food.sum()
    assert found["estimate"].sum() == pytest.approx(found["r_squared"].iloc[0])
    assert found["estimate"].idxmax() == "Cleanliness"
    assert found["above_noise"].all()
    # Passengers who rated everything give nearly the same picture, from far fewer answers.
    columns = {"NETPRO": (0, 10)} | dict.fromkeys(["Q9ALL", "Q7FOOD", "Q7ART", "Q7STORE", "Q7SIGN", "Q7WALKWAYS", "Q7SCREENS"], (1, 5))
    columns |= dict.fromkeys(["Q7WIFI", "Q7ROADS"], (1, 5))
    rated = pd.DataFrame({name: raw[name].where(raw[name].between(*ends)) for name, ends in columns.items()}).dropna()
    corr = rated.corr().to_numpy()
    parts = pd.Series(stats.lmg(corr[1:, 1:], corr[0, 1:]), index=rated.columns[1:])
    assert len(rated) == 1189
    assert parts.idxmax() == "Q9ALL"
    names = {"Q9ALL": "Cleanliness", "Q7FOOD": "Restaurants", "Q7WIFI": "Wi-Fi", "Q7STORE": "Shops"}
    assert [found.loc[name, "estimate"] for name in names.values()] == pytest.approx(parts[list(names)].to_list(), abs=0.02)
    weighted = impact.drivers(responses, outcome=survey.Score("nps", weight="weight"))
    assert set(weighted["measure"]) == {"driver_importance_weighted"}


# Customers of a telephone company


def test_the_telephone_company_keeps_its_customers_as_published(run, real, tmp_path):
    _, results = run("telco", "2023-06-30")
    assert round(one(results, "survival", tenure_days=365.25)["estimate"], 4) == 0.8432
    customers = sources.read(workbook(real, tmp_path, "telco"), as_of="2023-06-30").customers
    whole = churn.survival(customers, at=[24 * 30.4375, 72 * 30.4375])
    assert [round(share, 4) for share in whole["estimate"]] == [0.7887, 0.5928]
    assert whole["customers"].tolist() == [7043, 7043]
    with pytest.warns(UserWarning, match="the median is not reached"):
        median = churn.median_tenure(customers)
    assert median["churned"].tolist() == [1869]
    assert median["estimate"].isna().all()


def test_month_to_month_customers_with_internet_leave_as_published(real, tmp_path):
    customers = sources.read(workbook(real, tmp_path, "telco"), as_of="2023-06-30").customers
    subset = customers.filter(customers.plan == "Month-to-month", customers.internet == "yes")
    (median,) = churn.median_tenure(subset).itertuples()
    assert (median.n, median.churned) == (3351, 1556)
    assert median.estimate == 34 * 30.4375
    curve = churn.survival(subset, at=[months * 30.4375 for months in (6, 12, 24, 48, 60)])
    assert [round(share, 4) for share in curve["estimate"]] == [0.7803, 0.6950, 0.5753, 0.3872, 0.2890]


def test_what_goes_with_leaving_a_telephone_company_is_what_was_computed_from_it(real, tmp_path):
    """n 3,351, 1,556 events, and the four coefficients of the reference, through a model of leaving and its effects."""
    keys = 'keys = { internet = "InternetService", dependents = "Dependents", backup = "OnlineBackup", support = "TechSupport" }'
    path = workbook(real, tmp_path, "telco", 'keys = { internet = "InternetService" }', keys)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('DSL = "yes", "Fiber optic" = "yes"', 'DSL = "DSL", "Fiber optic" = "fibre"'), encoding="utf-8")
    customers = sources.read(path, as_of="2023-06-30").customers
    subset = customers.filter(customers.plan == "Month-to-month", customers.internet != "no")
    found = leaving.model(subset, of=["dependents", "internet", "backup", "support"])
    assert (found.fit.spells, found.fit.events) == (3351, 1556)
    effects = leaving.effects(found).set_index(["covariate", "category"])
    expected = {("dependents", "Yes"): -0.3287, ("internet", "DSL"): -0.2173, ("backup", "Yes"): -0.7766, ("support", "Yes"): -0.6392}
    assert {key: round(float(np.log(effects.loc[key, "estimate"])), 4) for key in expected} == expected
    assert effects.loc[list(expected), "verdict"].eq("leaves later").all()


def test_a_table_without_dates_has_sentences_instead_of_trends(run):
    folder, results = run("telco", "2023-06-30")
    page = (folder / "churn_survival.html").read_text(encoding="utf-8")
    assert "churn_rate" not in set(results["measure"])
    assert "No customer has a start date, so there is no churn by month." in page


# Patient feedback of two NHS trusts


def test_every_row_of_the_nhs_file_is_accounted_for_as_plain_pandas_counts_it(real, tmp_path):
    book = sources.read(workbook(real, tmp_path, "nhs"), as_of="2022-12-31")
    raw = pd.read_csv(real / "nhs-patient-feedback" / "v6framework_230831.csv", dtype=str, keep_default_na=False)
    parsed = pd.to_datetime(raw["Date"], format="%d/%m/%Y", errors="coerce")
    answers = raw.assign(day=parsed)[parsed.notna()].sort_values("day", kind="stable")
    account = book.account.set_index("table")
    assert accounted(book)
    assert account.loc["responses", "rows_read"] == len(raw) == 7908
    assert account.loc["responses", "set_aside"] == parsed.isna().sum() == 289
    assert account.loc["responses", "kept"] == answers["Respondent ID"].nunique()
    assert account.loc["responses", "repeats"] == len(answers) - answers["Respondent ID"].nunique()
    kept = book.responses.execute()
    said = answers.groupby("Respondent ID")["FFT categorical answer"].last()
    assert kept["score"].isna().sum() == said.isin(["6", "7"]).sum()
    assert (kept["score"] >= 4).sum() == said.isin(["1", "2"]).sum(), "the scale runs backwards and is turned"
    comments = book.feedback.execute()["comment"]
    assert comments.isna().sum() == raw.loc[parsed.notna(), "FFT answer"].str.strip().isin(["", "Did not answer"]).sum()


def test_the_undocumented_seven_of_the_nhs_file_is_refused_where_it_is_not_declared(real, tmp_path):
    path = workbook(real, tmp_path, "nhs", "no_answer = [6, 7]", "no_answer = [6]")
    raw = pd.read_csv(real / "nhs-patient-feedback" / "v6framework_230831.csv", dtype=str, keep_default_na=False)
    said = raw["FFT categorical answer"]
    with pytest.raises(TableError) as error:
        sources.read(path, as_of="2022-12-31")
    assert str(error.value).startswith(
        f"responses: 7 occurs {(said == '7').sum()} times among the {(said != '6').sum():,} answers to 'fft' "
    )
    assert "no_answer = [6, 7] under [questions.fft]" in str(error.value)


def test_the_nhs_file_has_a_report_without_a_loyalty_question(run, real, tmp_path):
    folder, results = run("nhs", "2022-12-31")
    rows = sources.read(workbook(real, tmp_path, "nhs"), as_of="2022-12-31").responses.execute()["score"].dropna()
    csat = one(results, "csat")
    assert csat["n"] == len(rows)
    assert csat["estimate"] == pytest.approx((rows >= 4).mean(), rel=1e-12)
    assert "nps" not in set(results["measure"])
    assert "Nobody was asked how likely they are to recommend." in (folder / "survey_scores.html").read_text(encoding="utf-8")
