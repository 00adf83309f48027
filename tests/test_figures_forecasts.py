"""Forecasts in pictures and words, and a list of persons that names nobody unless it is asked to."""

import datetime as dt
import re

import numpy as np
import pandas as pd
import pytest
from figure_results import bundle, files, page, payload, svg_texts

from cxlib import figures

LIST_COLUMNS = ["rank", "customer", "horizon_days", "estimate", "low", "high", "level", "reason_1", "times_1", "reason_2", "times_2"]


@pytest.fixture(autouse=True)
def _set_up():
    figures.set_up(title="Example", as_of="2026-06-30")


def expected(*groups, days=(30, 90)) -> pd.DataFrame:
    """Groups of (plan, customers, expected share), by horizon; without a plan, everybody."""
    rows = []
    for plan, n, share in groups:
        for place, horizon in enumerate(days):
            leaving = n * share * (place + 1)
            ends = {"estimate": leaving, "low": np.floor(leaving * 0.7), "high": np.ceil(leaving * 1.3)}
            shares = {name: ends[of] / n for name, of in (("share", "estimate"), ("low_share", "low"), ("high_share", "high"))}
            rows.append({"plan": plan, "horizon_days": horizon, "measure": "expected_leavers", **ends, "level": 0.95, "n": n, **shares})
    frame = pd.DataFrame(rows)
    return frame.drop(columns="plan") if frame["plan"].isna().all() else frame


def backtest(*rows) -> pd.DataFrame:
    """Forecasts of (day, expected, low, high, left)."""
    frame = pd.DataFrame(rows, columns=["made_on", "estimate", "low", "high", "left"])
    frame["verdict"] = np.where(frame["left"] > frame["high"], "more left", np.where(frame["left"] < frame["low"], "fewer left", "held"))
    frame = frame.assign(measure="expected_leavers", level=0.95, n=800, horizon_days=91)
    frame["since"] = [day + dt.timedelta(days=1) for day in frame["made_on"]]
    frame["until"] = [day + dt.timedelta(days=91) for day in frame["made_on"]]
    return frame[["made_on", "horizon_days", "measure", "estimate", "low", "high", "level", "n", "left", "verdict", "since", "until"]]


def calibration(*shares) -> pd.DataFrame:
    """Groups of (expected, seen), 400 customers each."""
    frame = pd.DataFrame(shares, columns=["expected_share", "estimate"])
    frame = frame.assign(risk_group=range(1, len(shares) + 1), horizon_days=91, measure="left_share", level=0.95, n=400)
    frame = frame.assign(low=frame["estimate"] - 0.02, high=frame["estimate"] + 0.02)
    frame = frame.assign(expected_left=400 * frame["expected_share"], left=(400 * frame["estimate"]).astype("int64"))
    columns = ["risk_group", "horizon_days", "measure", "estimate", "low", "high", "level", "n", "expected_share", "expected_left", "left"]
    return frame[columns]


def scores(concordance=(0.63, 0.6, 0.66), brier=(0.014, 0.006, 0.022), slope=(np.nan, np.nan, np.nan)) -> pd.DataFrame:
    frame = pd.DataFrame([brier, concordance, slope, (1.04, 0.95, 1.13)], columns=["estimate", "low", "high"])
    frame.insert(0, "measure", ["brier_scaled", "concordance", "calibration_slope", "observed_expected"])
    frame.insert(0, "horizon_days", 91)
    return frame.assign(level=0.95, n=3465, expected_left=298.2, brier=0.08, brier_alone=0.0811, left=310)


def at_risk(customers=30) -> pd.DataFrame:
    place = np.arange(customers)
    return pd.DataFrame(
        {
            "customer": [f"C{each:03}" for each in place],
            "horizon_days": 90,
            "measure": "chance_of_leaving",
            "estimate": 0.4 - place / 200,
            "low": 0.3 - place / 200,
            "high": 0.5 - place / 200,
            "level": 0.95,
            "n": 873,
            "rank": place + 1,
            "reason_1": np.where(place < 26, "plan: Basic", "plan: Rare"),
            "times_1": 1.5,
            "reason_2": [f"tenure: {each} months" for each in place],
            "times_2": 1.2,
        }
    )


def file_of(piece) -> list[str]:
    """The lines of the only file of a page."""
    ((text,),) = files(page(piece)).values()
    return text.splitlines()


# Expected


def test_everybody_is_told_by_horizon_and_drawn_in_customers():
    picture = figures.expected(expected((None, 1000, 0.03)))
    assert picture.text == (
        "Of the 1,000 customers there on 30 June 2026, 30 are expected to leave within 30 days (95 % interval 21 to 39) "
        "and 60 within 90 days (42 to 78)."
    )
    assert {"within 30 days", "60 (42 to 78)"} <= set(svg_texts(picture.svg()))
    assert picture.alt.endswith(picture.text)
    assert "42 to 78" in page(picture)


def test_how_earlier_forecasts_did_is_said_beside_the_interval_that_allows_for_it():
    record = {"forecasts": 7, "expected_before": 440.0, "left_before": 500, "there_latest": 860, "expected_latest": 68.0, "left_latest": 97}
    found = expected((None, 1000, 0.03)).assign(model_low=[24, 49.0], model_high=[36, 71.0], **record)
    picture = figures.expected(found)
    assert picture.text == (
        "Of the 1,000 customers there on 30 June 2026, 30 are expected to leave within 30 days (95 % interval 21 to 39, by the model alone "
        "24 to 36) and 60 within 90 days (42 to 78, alone 49 to 71). "
        "The last such forecast expected 68 of 860 to leave, and 97 did; the last 7 together 440 to leave, and 500 did."
    )
    assert "By the model alone, from" in page(picture)
    one = figures.expected(found.assign(forecasts=1, left_latest=0)).text
    assert one.endswith("The last such forecast expected 68 of 860 to leave, and nobody did.")
    alike = found.assign(model_low=found["low"], model_high=found["high"])
    assert "alone" not in figures.expected(alike).text


def test_what_goes_with_the_risk_is_told_from_the_fewest_times_to_the_most():
    found = at_risk().assign(times_1=np.linspace(1.3, 2.4, 30))
    shown = page(figures.at_risk(found))
    assert "1.3 to 2.2" in shown
    assert "Times as likely as the mean" in shown
    assert "raises" not in shown


def test_groups_are_told_and_drawn_as_shares_at_the_nearest_horizon():
    picture = figures.expected(expected(("Basic", 200, 0.1), ("Plus", 400, 0.05), ("Premium", 100, 0.01)))
    assert picture.text == (
        "Most likely to leave within 30 days: Basic, 20 of 200 (10.0 %, 95 % interval 7.0 to 13.0); "
        "least likely: Premium, 1 of 100 (1.0 %, 0.0 to 2.0)."
    )
    assert "Drawn is what is expected within 30 days; the table has all." in page(picture)
    assert "10.0 (7.0 to 13.0)" in svg_texts(picture.svg())


def test_a_small_group_is_neither_drawn_nor_told_nor_handed_on():
    picture = figures.expected(expected(("Basic", 200, 0.1), ("Plus", 400, 0.05), ("Rare", 3, 0.5)))
    assert "Rare" not in picture.text
    assert "Rare" not in "".join(svg_texts(picture.svg()))
    rows = payload(picture)["results"][0]["rows"]
    assert [row["estimate"] for row in rows if row["plan"] == "Rare"] == [None, None]


def test_where_there_is_no_model_the_reason_is_said():
    nothing = expected((None, 10, 0.1)).head(0)
    nothing.attrs["reason"] = "Nobody has left by 2026-06-30, so nothing tells who leaves sooner."
    for picture in (figures.expected(nothing), figures.table(nothing)):
        assert picture.text == nothing.attrs["reason"]
    assert figures.expected(nothing).svg() == ""


# Backtest


@pytest.mark.parametrize(
    ("left", "said"), [(61, "61 did: the forecast held."), (80, "80 did: more than forecast."), (30, "30 did: fewer than forecast.")]
)
def test_the_latest_forecast_is_set_against_what_happened(left, said):
    picture = figures.backtest(backtest((dt.date(2026, 3, 31), 58.2, 44, 74, left)))
    assert picture.text == (
        "Made again with only what was known on 31 March 2026, the forecast is that 58 (95 % interval 44 to 74) of 800 customers leave "
        f"by 30 June 2026; {said}"
    )


def test_of_several_forecasts_it_is_told_how_many_held():
    result = backtest((dt.date(2025, 12, 30), 50, 40, 62, 70), (dt.date(2026, 3, 31), 58.2, 44, 74, 61))
    result.attrs["notes"] = ["No forecast could be made on 2025-09-30: nobody was there."]
    picture = figures.backtest(result)
    assert picture.text.endswith("Of the last 2 forecasts made in this way, 1 held.")
    texts = svg_texts(picture.svg())
    assert {"31 Mar 2026", "58 · 61 left ＝", "50 · 70 left ▲"} <= set(texts)
    assert "No forecast could be made on 2025-09-30: nobody was there." in page(picture)
    assert "▲ more left" in page(picture)
    assert figures.sentence(result).text.startswith(picture.text)


# Calibration


def test_the_two_ends_are_told_and_how_many_groups_are_right():
    picture = figures.calibration(calibration((0.03, 0.04), (0.05, 0.09), (0.15, 0.146)), scores())
    assert picture.text == (
        "Of the two thirds least at risk 32 were expected to leave and 52 did; of the third most at risk 60 were expected to leave and "
        "58 did. In 2 of 3 groups the interval holds the share expected. Of all, 298 were expected to leave and 310 did: 1.04 for each "
        "expected (95 % interval 0.95 to 1.13). Of two customers of whom one left first, it was the one thought more at risk in 63 of "
        "100 cases (95 % interval 60 to 66; by chance alone 50). Its squared error was 1.4 % smaller than that of tenure alone (95 % "
        "interval 0.6 to 2.2)."
    )
    texts = svg_texts(picture.svg())
    assert {"least at risk", "most at risk", "more left than expected"} <= set(texts)
    assert len(files(page(picture))["text/csv"]) == 2


@pytest.mark.parametrize(
    ("brier", "said"),
    [
        ((0.001, -0.01, 0.012), "Whether it erred less than tenure alone cannot be told: 0.1 % (95 % interval −1.0 to 1.2)."),
        ((-0.03, -0.05, -0.01), "Its squared error was 3.0 % larger than that of tenure alone (95 % interval 1.0 to 5.0)."),
        ((np.nan, np.nan, np.nan), ""),
    ],
)
def test_a_forecast_is_called_better_than_tenure_alone_only_where_its_interval_says_so(brier, said):
    text = figures.table(scores(brier=brier)).text
    assert text.partition("alone 50).")[2].strip() == said


def test_one_group_is_told_and_not_drawn():
    picture = figures.calibration(calibration((0.03, 0.04)))
    assert picture.svg() == ""
    assert picture.text.startswith("Of all 12 were expected to leave and 16 did.")


@pytest.mark.parametrize(
    ("slope", "said"),
    [
        (
            (0.7, 0.5, 0.9),
            "The forecasts set customers too far apart (calibration slope 0.70, 95 % interval 0.50 to 0.90; 1 is right): of",
        ),
        ((1.4, 1.1, 1.7), "The forecasts set customers not far enough apart (calibration slope 1.40, "),
        ((1.0, 0.85, 1.15), "The forecasts set customers about as far apart as they are (calibration slope 1.00, "),
        (
            (1.0, 0.7, 1.3),
            "Whether the forecasts set customers too far apart, or not far enough, cannot be told yet (calibration slope",
        ),
    ],
)
def test_whether_customers_were_set_too_far_apart_is_said_by_the_interval_of_the_slope(slope, said):
    groups = calibration((0.03, 0.04), (0.05, 0.09), (0.15, 0.146))
    assert figures.calibration(groups, scores(slope=slope)).text.startswith(said)
    assert figures.table(scores(slope=slope)).text.startswith(said.partition(": of")[0])


def test_groups_of_unlike_size_are_no_fifths():
    groups = calibration((0.03, 0.04), (0.15, 0.146)).assign(n=[400, 100])
    assert figures.calibration(groups).text.startswith("Of the group least at risk 12 were")


@pytest.mark.parametrize(
    ("top", "slope", "said"),
    [
        (
            (0.15, 0.145),
            (0.7, 0.5, 0.9),
            "set customers too far apart: chances like these are rather too high, those of all others too low (of the third",
        ),
        ((0.15, 0.1), (1.0, 0.8, 1.2), "In earlier forecasts such chances were too high: "),
        (
            (0.15, 0.155),
            (1.4, 1.1, 1.7),
            "Earlier forecasts set customers not far enough apart: chances like these are rather too low, those of all others too high (",
        ),
        ((0.15, 0.155), (0.7, 0.5, 0.9), ""),
        ((0.15, 0.145), (1.0, 0.8, 1.2), ""),
    ],
)
def test_beside_a_list_of_those_at_risk_stands_whether_such_chances_were_too_high(top, slope, said):
    checked = calibration((0.03, 0.04), (0.05, 0.09), top), scores(slope=slope)
    text = figures.at_risk(at_risk(), *checked).text
    assert said in text
    assert ("arlier forecasts" in text) == bool(said)


# At risk


def test_a_page_names_nobody_unless_it_is_asked_to():
    piece = figures.at_risk(at_risk())
    everything = page(piece) + str(payload(piece)) + piece.text
    assert not re.search(r"C\d{3}", everything)
    assert not files(page(piece))
    assert piece.text == (
        "The 30 of 873 customers most at risk leave within 90 days with a chance of 25.5 to 40.0 % each. What goes with it most often: "
        "plan: Basic (26 of them), tenure: in year 1 (12 of them) and tenure: in year 2 (12 of them). "
        "Customers who did not agree to be part of analyses are on no list."
    )


def test_a_reason_of_fewer_than_the_smallest_group_is_not_told():
    assert "Rare" not in page(figures.at_risk(at_risk()))
    figures.set_up(title="Example", as_of="2026-06-30", smallest_group=3)
    assert "Rare" in page(figures.at_risk(at_risk()))


def test_where_it_is_asked_to_a_page_lists_the_first_ten_and_the_file_all():
    piece = figures.at_risk(at_risk().assign(name="Ada Example"), name_customers=True)
    assert "The page lists customers by identifier and is for those who act on it." in piece.text
    shown = page(piece)
    assert len(set(re.findall(r"C\d{3}", shown.split("data:")[0]))) == 10
    rows = file_of(piece)
    assert len(rows) == 31
    assert rows[0].lstrip("\ufeff").split(",") == LIST_COLUMNS
    assert rows[1].startswith("1,C000,90,0.4,")
    assert "Ada" not in "".join(rows) + shown
    # The record of a run never holds the list.
    assert not re.search(r"C\d{3}", str(payload(piece)))


def test_an_identifier_that_looks_like_a_formula_is_not_run():
    piece = figures.at_risk(at_risk(6).assign(customer="=1+1"), name_customers=True)
    assert file_of(piece)[1].startswith("1,'=1+1,")


def test_a_list_of_nobody_says_why_and_what_is_no_list_is_refused():
    nothing = at_risk().head(0)
    nothing.attrs["reason"] = "There are no customers."
    assert figures.at_risk(nothing).text == "There are no customers."
    with pytest.raises(ValueError, match=r"^at_risk: this is no list of customers, it has no column 'customer'\. One comes from leaving"):
        figures.at_risk(scores())


@pytest.mark.parametrize(
    "picture",
    [
        lambda: figures.expected(expected(("Basic", 200, 0.1), ("Plus", 400, 0.05))),
        lambda: figures.backtest(backtest((dt.date(2026, 3, 31), 58.2, 44, 74, 80))),
        lambda: figures.calibration(calibration((0.03, 0.04), (0.15, 0.146)), scores()),
    ],
)
def test_a_picture_is_the_same_to_the_byte(picture):
    assert bundle(picture()) == bundle(picture())
