"""Forecasts of leaving: known chances, nothing known too early, the bounds held, and the company's breakdown noticed."""

import datetime as dt
import re
from functools import cache

import ibis
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from cxlib import leaving, money, sample
from cxlib.leaving.backtest import Forecast
from cxlib.stats import forecast
from cxlib.tables import RESULT

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

AS_OF = "2026-06-30"
#: What the record of earlier forecasts adds to a result.
RECORD = ["model_low", "model_high", "forecasts", "expected_before", "left_before", "there_latest", "expected_latest", "left_latest"]
OF = ["plan", "segment", "slow ticket"]


@cache
def company(customers: int = 700, seed: int = 12) -> dict[str, pd.DataFrame]:
    return sample.company(customers=customers, seed=seed)


def learned(tables: dict[str, pd.DataFrame]) -> list[pd.DataFrame]:
    return [tables["attributes"], leaving.slow_tickets(tables["tickets"], over_days=3)]


@cache
def fitted(as_of: str = AS_OF, customers: int = 700) -> leaving.Model:
    tables = company(customers)
    return leaving.model(tables["customers"], as_of=as_of, learned=learned(tables), of=OF)


@cache
def earlier(days: int = 91, times: int = 2) -> leaving.Past:
    tables = company()
    return leaving.past(fitted(), tables["customers"], learned=learned(tables), days=days, times=times)


def constant(customers: int, *, hazard: float, seed: int, days: int = 400, more: int = 0) -> pd.DataFrame:
    """Customers who all leave with the same chance on every day, seen from day 0 to ``days``, and ``more`` days after."""
    random = np.random.default_rng(seed)
    first = pd.Timestamp("2025-01-01")
    start = random.integers(0, days, customers)
    end = start + random.geometric(hazard, customers)
    return pd.DataFrame(
        {
            "customer": [f"c{place:05}" for place in range(customers)],
            "start": first + pd.to_timedelta(start, unit="D"),
            "end": pd.Series(first + pd.to_timedelta(end, unit="D")).where(end <= days + more),
            "plan": random.choice(["a", "b"], customers),
        }
    )


# Expected


def test_the_expected_number_is_the_sum_of_the_chances_and_its_groups_add_up():
    model = fitted()
    found = leaving.expected(model, days=[90, 30])
    assert list(found.columns) == ["horizon_days", *RESULT, "share", "low_share", "high_share", *RECORD]
    assert found["model_low"].equals(found["low"])
    assert found["model_high"].equals(found["high"])
    assert found["forecasts"].eq(0).all()
    assert found["horizon_days"].tolist() == [30, 90]
    np.testing.assert_allclose(found["estimate"], [model.left_within(30).sum(), model.left_within(90).sum()], rtol=1e-12)
    assert found["n"].eq(len(model.there)).all()
    alone = leaving.expected(model, days=[90])
    assert_frame_equal(alone, found[1:].reset_index(drop=True))
    groups = leaving.expected(model, days=[90], by=["plan", "segment"])
    assert groups["estimate"].sum() == pytest.approx(found["estimate"].iloc[1])
    assert groups["n"].sum() == len(model.there)
    assert (groups["low"] <= groups["estimate"]).all()
    assert (groups["estimate"] <= groups["high"]).all()


def test_with_one_hazard_for_all_the_expected_share_is_that_of_the_hazard():
    model = leaving.model(constant(8000, hazard=0.002, seed=4), as_of="2026-02-05", of=())
    found = leaving.expected(model, days=[30, 90])
    # Within three standard errors, which are those of the hazard at the longest tenures.
    np.testing.assert_allclose(found["share"], 1 - 0.998 ** np.array([30, 90]), rtol=0.09)


def test_bounds_are_whole_customers_wider_with_the_level_and_farther_with_the_horizon():
    found = leaving.expected(fitted(), by="plan")
    assert (found[["low", "high"]] % 1 == 0).all(axis=None)
    wide = leaving.expected(fitted(), by="plan", level=0.99)
    assert (wide["low"] <= found["low"]).all()
    assert (wide["high"] >= found["high"]).all()
    for _, group in found.groupby("plan"):
        assert group[["estimate", "low", "high"]].apply(lambda column: column.is_monotonic_increasing).all()


def test_neither_the_order_of_rows_nor_the_kind_of_table_changes_a_forecast():
    tables = company()
    shuffled = tables["customers"].sample(frac=1, random_state=3)
    parts = [table.sample(frac=1, random_state=4) for table in learned(tables)]
    again = leaving.model(shuffled, as_of=AS_OF, learned=parts, of=OF)
    engine = ibis.duckdb.connect()
    kept = engine.create_table("customers", tables["customers"].drop(columns=["consent"]))
    lazy = leaving.model(kept, as_of=AS_OF, learned=learned(tables), of=OF)
    for other in (again, lazy):
        assert_frame_equal(leaving.expected(other, by="plan"), leaving.expected(fitted(), by="plan"))
        assert_frame_equal(leaving.at_risk(other), leaving.at_risk(fitted()))


def test_a_company_nobody_has_left_has_no_forecast_and_says_why():
    table = constant(20, hazard=0.003, seed=1).assign(end=pd.NaT)
    model = leaving.model(table, as_of="2026-02-05", of="plan")
    for found in (leaving.expected(model), leaving.at_risk(model), leaving.backtest(leaving.past(model, table))):
        assert len(found) == 0
        assert found.attrs["reason"].startswith("Nobody has left")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: leaving.expected(model, days=[0]), "expected: days must be whole numbers from 1, not 0"),
        (lambda model: leaving.expected(model, days=[]), "expected: days must be whole numbers from 1, not none"),
        (lambda model: leaving.at_risk(model, most=0.5), "at_risk: most must be whole numbers from 1, not 0.5"),
        (
            lambda model: leaving.expected(model, by="plam"),
            "expected: by is 'plam', which the model does not know. Did you mean 'plan'? Fit it with this in of.",
        ),
        (
            lambda _: leaving.calibration(leaving.Past(90, ()), groups=1),
            "calibration: groups is a whole number from 2, not 1",
        ),
    ],
)
def test_a_letter_says_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call(fitted())


def test_a_model_of_one_reason_foretells_no_numbers():
    tables = company()
    model = leaving.model(tables["customers"], as_of=AS_OF, of="plan", reason="choice")
    words = (
        "the model is of leaving by 'choice' alone, as if nobody left for another reason first. For how many leave, fit it without reason."
    )
    with pytest.raises(ValueError, match=f"^expected: {words}$"):
        leaving.expected(model)
    with pytest.raises(ValueError, match=f"^past: {words}$"):
        leaving.past(model, tables["customers"])
    with pytest.raises(ValueError, match=f"^value_at_risk: {words}$"):
        money.value_at_risk(model, tables["value_history"])
    assert len(leaving.at_risk(model, most=5)) == 5


# Earlier forecasts


def test_a_forecast_of_then_is_the_one_that_was_made_then():
    made = earlier().forecasts[-1]
    assert made.on == dt.date(2026, 3, 31)
    then = fitted("2026-03-31")
    assert_frame_equal(made.model.there, then.there)
    np.testing.assert_array_equal(made.model.left_within(91), then.left_within(91))


def test_nothing_that_was_learned_or_happened_later_is_known_to_a_forecast():
    tables, on = company(), pd.Timestamp("2026-03-31")
    customers = tables["customers"]
    later = customers["end"] > on
    known = customers[customers["start"] <= on].assign(end=customers["end"].mask(later), end_reason=customers["end_reason"].mask(later))
    told = [table[~(table["valid_from"] > on)] for table in learned(tables)]
    blind = leaving.model(known, as_of="2026-03-31", learned=told, of=OF)
    made = earlier().forecasts[-1]
    np.testing.assert_array_equal(made.rows["chance"], blind.left_within(91, smooth=True))
    assert_frame_equal(made.model.there, blind.there)


def test_an_answer_that_came_later_is_not_known_to_a_forecast_made_before_it_came():
    customers, responses = company()["customers"], company()["responses"]
    there = customers[(customers["start"] < "2026-01-01") & ~(customers["end"] <= "2026-04-10")]["customer"].head(60)
    given = pd.DataFrame({"respondent": there, "score": 0, "question": "nps", "kind": "nps", "time_answered": pd.Timestamp("2026-03-20")})

    def chances(received: str | None) -> pd.Series:
        late = given.assign(time_received=pd.Timestamp(received)) if received else given.head(0)
        answers = leaving.scores(pd.concat([responses, late], ignore_index=True), question="nps")
        model = leaving.model(customers, as_of=AS_OF, learned=[answers], of="last answer")
        made = leaving.past(model, customers, learned=[answers], days=91, times=1).forecasts[0]
        return made.rows.set_index("customer")["chance"]

    without = chances(None)
    pd.testing.assert_series_equal(chances("2026-04-02"), without)
    assert not np.allclose(chances("2026-03-31")[there], without[there])


def test_who_left_and_when_is_counted_one_by_one():
    customers = company()["customers"]
    for made in earlier().forecasts:
        on, until = pd.Timestamp(made.on), pd.Timestamp(made.on + dt.timedelta(days=91))
        there = customers[(customers["start"] <= on) & ~(customers["end"] <= on)]
        gone = there[there["end"] <= until]
        assert len(made.rows) == len(there)
        left = made.rows[made.rows["left"]]
        expected = sorted(zip(gone["customer"], (gone["end"] - on).dt.days.astype(float), strict=True))
        assert sorted(zip(left["customer"], left["after_days"], strict=True)) == expected
        assert made.rows.loc[~made.rows["left"], "after_days"].eq(91).all()


def test_two_spells_that_are_alike_are_two_customers_gone():
    table = constant(200, hazard=0.004, seed=8, more=100)
    one = table[table["end"] > "2026-02-05"].head(1)
    table = pd.concat([table, one, one.assign(end=pd.NaT)], ignore_index=True)
    model = leaving.model(table, as_of="2026-05-06", of="plan")
    made = leaving.past(model, table, days=90, times=1).forecasts[0]
    rows = made.rows[made.rows["customer"] == one["customer"].iloc[0]]
    assert sorted(rows["left"]) == [False, True, True]


def test_a_backtest_sets_what_was_expected_against_what_happened():
    found = leaving.backtest(earlier())
    assert list(found.columns) == ["made_on", "horizon_days", *RESULT, "left", "verdict", "since", "until"]
    assert found["made_on"].tolist() == [dt.date(2025, 12, 30), dt.date(2026, 3, 31)]
    assert found["since"].tolist() == [dt.date(2025, 12, 31), dt.date(2026, 4, 1)]
    assert found["until"].tolist() == [dt.date(2026, 3, 31), dt.date(2026, 6, 30)]
    for row, made in zip(found.itertuples(), earlier().forecasts, strict=True):
        assert row.estimate == pytest.approx(made.model.left_within(91).sum())
        assert row.left == made.rows["left"].sum()
        assert row.verdict == ("held" if row.low <= row.left <= row.high else "more left" if row.left > row.high else "fewer left")


def test_a_day_before_anything_was_known_has_no_forecast_and_is_named():
    tables = company()
    found = leaving.past(fitted(), tables["customers"], learned=learned(tables), days=365, times=3)
    assert [made.on.year for made in found.forecasts] == [2025]
    assert [note[:39] for note in found.notes] == [f"No forecast could be made on {day}" for day in ("2023-07-01", "2024-06-30")]
    assert leaving.backtest(found).attrs["notes"] == list(found.notes)


def test_a_day_by_which_hardly_anybody_had_left_has_no_forecast_and_says_so():
    tables = company()
    model = leaving.model(tables["customers"], as_of="2024-10-15", of="plan")
    found = leaving.past(model, tables["customers"], days=91, times=1)
    assert found.forecasts == ()
    assert re.fullmatch(r"No forecast could be made on 2024-07-16: only \d+ had left by then, and it needs 20\.", found.notes[0])


def test_the_shares_by_risk_add_up_and_rise():
    found = leaving.calibration(earlier(), groups=4)
    rows = earlier().rows()
    assert found["n"].sum() == len(rows)
    assert found["left"].sum() == rows["left"].sum()
    assert found["expected_left"].sum() == pytest.approx(rows["chance"].sum())
    assert found["expected_share"].is_monotonic_increasing
    np.testing.assert_allclose(found["estimate"], found["left"] / found["n"])


def test_a_forecast_that_knows_what_matters_is_better_than_tenure_alone_and_one_that_does_not_is_not():
    random = np.random.default_rng(6)
    matters = random.random(3000) < 0.5
    one, other = constant(3000, hazard=0.006, seed=1, more=100), constant(3000, hazard=0.001, seed=2, more=100)
    table = one.where(pd.Series(matters), other).assign(kind=np.where(matters, "leaves", "stays"), lot=random.choice(["x", "y"], 3000))
    scores = {}
    for name in ("kind", "lot"):
        model = leaving.model(table, as_of="2026-05-16", of=name)
        scores[name] = leaving.accuracy(leaving.past(model, table, days=100, times=1)).set_index("measure")
    assert scores["kind"].loc["concordance", "low"] > 0.6
    assert scores["kind"].loc["brier_scaled", "low"] > 0.02
    assert scores["lot"].loc["brier_scaled", "estimate"] == pytest.approx(0, abs=0.01)
    assert scores["lot"].loc["concordance", "low"] < 0.55
    rows = leaving.accuracy(earlier())
    assert rows["measure"].tolist() == ["brier_scaled", "concordance", "calibration_slope", "observed_expected"]
    assert rows["estimate"].iloc[3] == pytest.approx(rows["left"].iloc[0] / rows["expected_left"].iloc[0])
    assert (rows["low"] < rows["estimate"]).all()
    assert (rows["estimate"] < rows["high"]).all()
    # Chances by what matters set customers as far apart as they are.
    assert scores["kind"].loc["calibration_slope", "low"] < 1 < scores["kind"].loc["calibration_slope", "high"]
    assert rows["estimate"].iloc[0] == pytest.approx(1 - rows["brier"].iloc[0] / rows["brier_alone"].iloc[0])


def past_of(*windows: tuple[float, int, int], n: int = 900) -> leaving.Past:
    """Forecasts of (expected, left, standard deviation of the model)."""
    made = []
    for hoped, left, error in windows:
        rows = pd.DataFrame({"left": np.arange(n) < left})
        made.append(Forecast(dt.date(2026, 1, 1), fitted(), rows, hoped, np.array([hoped - error, hoped + error])))
    return leaving.Past(91, tuple(made))


def test_the_record_widens_an_interval_by_how_far_forecasts_missed_and_moves_no_estimate():
    own = leaving.expected(fitted(), days=[91])
    right, wrong = past_of(*[(60, left, 8) for left in (52, 66, 60, 71)]), past_of(*[(60, left, 8) for left in (90, 42, 100, 38)])
    held, missed = (leaving.expected(fitted(), days=[91], earlier=each) for each in (right, wrong))
    for found in (held, missed):
        assert_frame_equal(found[["estimate", "n", "model_low", "model_high"]], own[["estimate", "n", "model_low", "model_high"]])
        assert (found["low"] <= own["low"]).all()
        assert (found["high"] >= own["high"]).all()
        assert found["forecasts"].tolist() == [4]
        assert found["expected_before"].tolist() == [240]
    assert missed[["left_before", "expected_latest", "left_latest"]].values.tolist() == [[270, 60, 38]]
    width = [float((each["high"] - each["low"]).iloc[0]) for each in (own, held, missed)]
    assert 1 < width[1] / width[0] < 1.7
    assert width[2] / width[0] > 2


def test_the_margin_at_risk_is_widened_by_the_same_record():
    values = company()["value_history"]
    own = money.value_at_risk(fitted(), values, days=91).iloc[0]
    found = money.value_at_risk(fitted(), values, days=91, earlier=past_of(*[(60, left, 8) for left in (90, 42, 100, 38)])).iloc[0]
    assert found["estimate"] == own["estimate"]
    assert found[["model_low", "model_high"]].tolist() == own[["low", "high"]].tolist()
    assert found["high"] - found["low"] > 1.7 * (own["high"] - own["low"])
    assert found[["forecasts", "left_before"]].tolist() == [4, 270]


def test_the_breakdown_of_the_deliveries_is_what_the_forecast_did_not_know():
    tables = company(4000)
    model = leaving.model(tables["customers"], as_of=AS_OF, of="plan")
    found = leaving.backtest(leaving.past(model, tables["customers"], days=91, times=2))
    # Deliveries break down in February 2026: more leave from then on than anything before foretold.
    assert found["verdict"].tolist() == ["held", "more left"]


# At risk


def test_the_list_is_by_chance_and_then_by_identifier():
    table = constant(300, hazard=0.004, seed=9).assign(start=pd.Timestamp("2025-06-01"))
    table = table[~(table["end"] < table["start"])]
    model = leaving.model(table, as_of="2026-02-05", of=())
    found = leaving.at_risk(model, most=20)
    assert found["customer"].tolist() == sorted(model.there["customer"])[:20]
    assert found["rank"].tolist() == list(range(1, 21))
    ranked = leaving.at_risk(fitted(), most=50)
    assert ranked["estimate"].is_monotonic_decreasing
    assert ranked["estimate"].iloc[0] == fitted().left_within(90, smooth=True).max()
    assert (ranked["low"] <= ranked["estimate"]).all()
    assert (ranked["estimate"] <= ranked["high"]).all()
    assert ranked["n"].eq(fitted().there["customer"].nunique()).all()


def test_reasons_multiply_to_how_many_times_the_means_of_all_the_hazard_is():
    model = leaving.model(company()["customers"], as_of=AS_OF, of="plan")
    hazard = -np.log1p(-model.left_within(90, smooth=True))
    ratio = np.exp(model.covariates[model.there["pattern"]] @ model.fit.coefficients)
    average = ratio.mean() * (hazard / ratio).mean()
    found = leaving.at_risk(model, most=len(model.there)).set_index("customer")
    both = found[found["reason_2"].notna()]
    assert len(both) > 20
    times = pd.Series(hazard / average, index=model.there["customer"])
    np.testing.assert_allclose(both["times_1"] * both["times_2"], times[both.index], rtol=1e-9)
    assert (both["times_1"] >= both["times_2"]).all()
    assert (both[["times_1", "times_2"]] >= 1.05).all(axis=None)
    assert found["reason_3"].isna().all()
    words = {reason.split(":")[0] for reason in found["reason_1"].dropna()}
    assert words == {"plan", "tenure"}


def test_a_few_who_left_at_one_tenure_put_nobody_else_on_the_list():
    table = constant(600, hazard=0.0015, seed=2)
    # Ten left together at a tenure of 200 days; nothing else tells it from any other.
    table = pd.concat([table, table.head(10).assign(customer=[f"d{place}" for place in range(10)], start=pd.Timestamp("2025-04-01"))])
    table.loc[table["customer"].str.startswith("d"), "end"] = pd.Timestamp("2025-10-18")
    model = leaving.model(table[~(table["end"] < table["start"])], as_of="2026-02-05", of=())
    plain, smooth = model.left_within(30), model.left_within(30, smooth=True)
    assert plain.max() > 2 * plain.mean()
    assert smooth.max() < 1.35 * smooth.mean()
    assert smooth.mean() == pytest.approx(plain.mean(), rel=0.1)


def test_who_has_two_spells_is_one_customer():
    table = constant(300, hazard=0.004, seed=9)
    twice = pd.concat([table, table.assign(start=table["start"] + pd.Timedelta(days=3))], ignore_index=True)
    twice = twice[~(twice["end"] < twice["start"])]
    model = leaving.model(twice, as_of="2026-02-05", of="plan")
    assert leaving.at_risk(model, most=500)["customer"].is_unique


def test_a_list_holds_no_column_of_a_person_but_the_identifier():
    assert list(leaving.at_risk(fitted(), most=5).columns) == [
        "customer", "horizon_days", *RESULT, "rank", "reason_1", "times_1", "reason_2", "times_2", "reason_3", "times_3",
    ]  # fmt: skip


def test_groups_of_customers_who_are_nearly_alike_are_drawn_as_if_each_were_drawn():
    random = np.random.default_rng(3)
    chance = random.uniform(0.01, 0.3, 2000)
    drawn = forecast.leavers([chance[:, None]] * 500, np.ones(2000, dtype="int64"), np.zeros(2000, dtype="int64"), risk=chance, seed=5)
    assert drawn.mean() == pytest.approx(chance.sum(), rel=0.01)
    assert drawn.std() == pytest.approx(np.sqrt((chance * (1 - chance)).sum()), rel=0.06)
