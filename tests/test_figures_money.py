"""Money in words and pictures: amounts to three digits, in the currency of the result, and never of a few customers."""

import datetime as dt
import re
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
from figure_results import SVG, bundle, drawings, nps, payload, svg_texts

from cxlib import figures
from cxlib.figures import canvas
from cxlib.figures.measures import amounts, measure_named, measure_of
from cxlib.figures.settings import CURRENT, Settings

WINDOW = {"since": dt.date(2026, 4, 1), "until": dt.date(2026, 6, 30)}


@pytest.fixture(autouse=True)
def fresh():
    """Each test begins as a new kernel does."""
    CURRENT.__dict__.update(Settings().__dict__)


def at_risk(*groups, currency="EUR", what="margin", days=90):
    """Margin at risk: each group is (keys, estimate, low, high, n), and brings ten times as much."""
    rows = [
        {**keys, "measure": "value_at_risk", "estimate": estimate, "low": low, "high": high, "level": 0.95, "n": n}
        | {"leavers": n / 10, "value": 10 * estimate, "at_risk_share": 0.1, "without_value": 3, "horizon_days": days}
        | {"what": what, "currency": currency, **WINDOW}
        for keys, estimate, low, high, n in groups
    ]
    return pd.DataFrame(rows)


def lifetime(*groups, **more):
    rows = [
        {**keys, "measure": "lifetime_value", "estimate": estimate, "low": low, "high": high, "level": 0.95, "n": n}
        | {"stay_months": 20.0, "churned": n // 2, "at_horizon": 9, "valued": n // 3, "without_value": 0, "margin_month": 12.5}
        | {"years": 3.0, "discount_year": 0.1, "what": "margin", "currency": "EUR", **WINDOW, **more}
        for keys, estimate, low, high, n in groups
    ]
    return pd.DataFrame(rows)


def gains(*groups, points=(1.0, 5.0), times=1.0, **more):
    """What more retention adds: each group is (keys, gain of a point, n), the bounds a fifth away."""
    rows = [
        {**keys, "points": each, "measure": "retention_gain", "estimate": times * each * gain, "low": times * each * gain * 0.8}
        | {"high": times * each * gain * 1.2, "level": 0.95, "n": n, "retained": round(0.7 * n), "retention": 0.7, "low_retention": 0.66}
        | {"high_retention": 0.74, "groups": 1, "margin_year": 400.0}
        | {"worth_now": 20 * times * gain, "gain_share": 0.04 * each, "valued": n, "without_value": 0, "gain_all": n * times * each * gain}
        | {"low_all": n * times * each * gain * 0.8, "high_all": n * times * each * gain * 1.2, "discount_year": 0.1}
        | {"as_one": n * each * gain, "low_as_one": n * each * gain * 0.8, "high_as_one": n * each * gain * 1.2}
        | {"what": "margin", "currency": "EUR", "since": dt.date(2025, 7, 1), "until": dt.date(2026, 6, 30), **more}
        for keys, gain, n in groups
        for each in points
    ]
    return pd.DataFrame(rows)


ALL = at_risk(({}, 1_234_567.0, 987_654.0, 1_456_789.0, 1312))
BY_PLAN = at_risk(({"plan": "Basic"}, 6_240.0, 4_900.0, 7_610.0, 512), ({"plan": "Premium"}, 12_480.0, 8_000.0, 17_321.0, 201))
GAINS = gains(({"plan": "Basic"}, 7.4, 275), ({"plan": "Premium"}, 148.2, 225))


# Numbers


@pytest.mark.parametrize(
    ("value", "words", "fine"),
    [
        (0.0, "0.00", "0.00"),
        (3.456, "3.46", "3.46"),
        (99.999, "100.00", "100.00"),
        (123.4, "123", "123"),
        (1_234.5, "1,230", "1,234"),
        (84_321.0, "84,300", "84,321"),
        (999_999.0, "1,000,000", "999,999"),
        (1_234_567.0, "1.23 million", "1,234,567"),
        (56_789_012.0, "56.8 million", "56,789,012"),
        (-1_234_567.0, "−1.23 million", "−1,234,567"),
        (2.5e9, "2.50 billion", "2,500,000,000"),
    ],
)
def test_an_amount_has_three_digits_for_eyes_and_whole_units_in_a_table(value, words, fine):
    assert amounts([value]) == [words]
    assert amounts([value], fine=True) == [fine]


def test_both_ends_of_an_interval_are_as_fine_as_the_larger():
    measure = measure_of(ALL)
    assert measure.interval(987_654.0, 1_456_789.0) == "0.99 to 1.46 million"
    assert measure.interval(84_321.0, 112_900.0) == "84,000 to 113,000"
    assert measure.interval(-12.0, 3.5) == "−12.00 to 3.50"
    assert measure.interval(float("nan"), float("nan")) == "no interval"


def test_the_currency_and_what_it_is_an_amount_of_are_those_of_the_result():
    measure = measure_of(at_risk(({}, 1.0, 0.0, 2.0, 9), currency="CHF", what="revenue", days=30))
    assert measure.quantity(1234.0) == "1,230 CHF"
    assert (measure.subject, measure.heading) == ("the revenue at risk", "Revenue at risk (CHF)")
    assert measure.axis == "Revenue at risk over the next 30 days, CHF"
    nameless = measure_of(at_risk(({}, 1.0, 0.0, 2.0, 9), currency=None))
    assert (nameless.quantity(5.0), nameless.heading) == ("5.00", "Margin at risk")
    assert measure_named("value_at_risk").currency == ""


# Words


SENTENCES = {
    "at risk": (
        ALL,
        (
            "The 131 of 1,312 customers expected to leave in the next 90 days bring 1.23 million EUR of margin in as many days "
            "(95 % interval 0.99 to 1.46 million): 10.0 % of what all of these bring."
        ),
    ),
    "at risk by plan": (
        BY_PLAN,
        (
            "Most is at risk in Premium: 12,500 EUR of margin over the next 90 days (95 % interval 8,000 to 17,300; 201 customers): "
            "10.0 % of what these customers bring in as many days; "
            "least in Basic: 6,240 EUR (4,900 to 7,610; 512), 10.0 % of what they bring."
        ),
    ),
    "one group": (
        BY_PLAN[:1],
        (
            "At risk is in Basic: 6,240 EUR of margin over the next 90 days (95 % interval 4,900 to 7,610; 512 customers): "
            "10.0 % of what these customers bring in as many days."
        ),
    ),
    "a share of nothing": (
        ALL.assign(at_risk_share=float("nan")),
        (
            "The 131 of 1,312 customers expected to leave in the next 90 days bring 1.23 million EUR of margin in as many days "
            "(95 % interval 0.99 to 1.46 million)."
        ),
    ),
    "a new customer": (
        lifetime(({}, 623.0, 568.0, 677.0, 1455)),
        (
            "A new customer brings 623 EUR of margin in the first 3 years, discounted by 10 % a year "
            "(95 % interval 568 to 677; 1,455 customers)."
        ),
    ),
    "the first year": (
        lifetime(({}, 23.5, 20.0, 26.0, 1455), years=1.0, what="revenue"),
        (
            "A new customer brings 23.50 EUR of revenue in the first year, discounted by 10 % a year "
            "(95 % interval 20.00 to 26.00; 1,455 customers)."
        ),
    ),
    "new customers by plan": (
        lifetime(({"plan": "Basic"}, 184.0, 161.0, 207.0, 561), ({"plan": "Premium"}, 1530.0, 1330.0, 1730.0, 331)),
        (
            "A new customer brings least in Basic: 184 EUR of margin in the first 3 years, discounted by 10 % a year "
            "(95 % interval 161 to 207; 561 customers); most in Premium: 1,530 EUR (1,330 to 1,730; 331)."
        ),
    ),
    "a horizon nobody reached": (
        lifetime(({}, float("nan"), float("nan"), float("nan"), 1455)),
        "There is no number.",
    ),
    "gains": (
        gains(({}, 31.6, 822)),
        (
            "5 percentage points more of yearly retention than the 70.0 % now (95 % interval 66.0 to 74.0; 575 of 822 customers) would add "
            "130,000 EUR (95 % interval 104,000 to 156,000) for all 822 customers there over all the years of staying, discounted by 10 % "
            "a year, 20.0 % more than now: 158 EUR a customer (126 to 190)."
        ),
    ),
    "gains of groups apart": (
        gains(({}, 31.6, 822), points=(1.0,)).assign(groups=3),
        (
            "1 percentage point more of yearly retention than the 70.0 % now (95 % interval 66.0 to 74.0; 575 of 822 customers) would add "
            "26,000 EUR (95 % interval 20,800 to 31,200) for all 822 customers there over all the years of staying, discounted by 10 % "
            "a year, 4.0 % more than now: 31.60 EUR a customer (25.28 to 37.92). "
            "Added up are 3 groups, each reckoned from its own retention and what it brings; taken as one it is 26,000 EUR "
            "(20,800 to 31,200). The more alike the customers of a group, the more it is, and no interval allows for that."
        ),
    ),
    "gains by plan": (
        GAINS,
        (
            "5 percentage points more of yearly retention would add most in Premium: 741 EUR a customer "
            "over all the years of staying, discounted by 10 % a year "
            "(95 % interval 593 to 889; 225 customers), 20.0 % more than now; least in Basic: 37.00 EUR (29.60 to 44.40; 275)."
        ),
    ),
    "gains beyond all": (
        gains(({}, 31.6, 822)).assign(estimate=float("nan"), low=float("nan"), high=float("nan")),
        "Retention and the points would exceed 100 %, so nothing is computed.",
    ),
}


@pytest.mark.parametrize(("result", "words"), [pytest.param(*pair, id=name) for name, pair in SENTENCES.items()])
def test_a_result_in_money_is_said_with_currency_interval_base_and_horizon(result, words):
    assert figures.sentence(result).text == words


def test_a_card_has_the_currency_as_its_unit():
    assert figures.cards(ALL).text == (
        "Margin at risk: 1.23 million EUR, 95 % interval 0.99 to 1.46 million, 1,312 customers, over the next 90 days, "
        "by what they brought April 2026 to June 2026"
    )
    assert '1.23 million<span class="cx-card-unit"> EUR</span>' in bundle(figures.cards(ALL))[0]["text/html"]


def test_a_table_has_whole_units_and_shares_in_percent():
    html = bundle(figures.table(BY_PLAN))[0]["text/html"]
    for cell in ("Margin at risk (EUR)", "12,480", "8,000 to 17,321", "62,400", "At risk (%)", "Expected to leave", "51.2"):
        assert f">{cell}<" in html
    html = bundle(figures.table(GAINS))[0]["text/html"]
    for cell in ("Points more", "Kept a year (%)", "70.0", "741", "593 to 889", "Worth now", "2,964", "More (%)", "166,725"):
        assert f">{cell}<" in html


def test_without_rows_the_reason_stands_in_place_of_the_picture():
    for result, picture in (
        (BY_PLAN, figures.intervals),
        (lifetime(({}, 1.0, 0.0, 2.0, 9)), figures.intervals),
        (GAINS, figures.economics),
    ):
        empty = result[:0]
        empty.attrs["reason"] = "There are no customers."
        piece = picture(empty)
        assert (piece.text, piece.draw) == ("There are no customers.", None)
        assert measure_of(empty).name == result["measure"].iloc[0]


def test_of_groups_whose_intervals_overlap_none_is_said_to_bring_most():
    overlapping = lifetime(({"plan": "a"}, 10.0, 5.0, 15.0, 90), ({"plan": "b"}, 20.0, 12.0, 35.0, 80))
    text = figures.intervals(overlapping).text
    assert text.startswith("By group, a new customer brings from a, 10.00")
    assert text.endswith("; their order is not settled.")
    apart = figures.intervals(overlapping.assign(low=[5.0, 16.0])).text
    assert apart.startswith("A new customer brings least in a: 10.00")


# Who is too few


def test_what_a_few_with_a_value_bring_is_not_shown_however_many_are_there():
    result = lifetime(
        ({"plan": "a"}, 10.0, 5.0, 15.0, 90), ({"plan": "b"}, 20.0, 5.0, 35.0, 80), ({"plan": "c"}, 30.0, 5.0, 55.0, 70)
    ).assign(valued=[2, 40, 30])
    piece = figures.intervals(result)
    rows = {row["plan"]: row for row in payload(piece)["results"][0]["rows"]}
    assert [rows[plan]["withheld"] for plan in "abc"] == [True, False, True]
    assert rows["a"]["margin_month"] is None
    assert "least in b" not in piece.text


def test_a_small_group_is_withheld_at_every_number_of_points():
    result = gains(({"plan": "a"}, 1.0, 3), ({"plan": "b"}, 2.0, 200), ({"plan": "c"}, 3.0, 100))
    rows = payload(figures.economics(result))["results"][0]["rows"]
    assert [(row["plan"], row["withheld"]) for row in rows] == [
        ("a", True), ("a", True), ("b", False), ("b", False), ("c", True), ("c", True),
    ]  # fmt: skip


# Pictures


LONG = "Non-profit organisations, charities and everybody else who was in the room"
PICTURES = {
    "at risk": lambda: figures.intervals(BY_PLAN),
    "millions at risk": lambda: figures.intervals(BY_PLAN.assign(**{end: BY_PLAN[end] * 900 for end in ("estimate", "low", "high")})),
    "economics": lambda: figures.economics(GAINS),
    "economics of all": lambda: figures.economics(gains(({}, 31.6, 822))),
    "economics of a long name": lambda: figures.economics(gains(({"plan": LONG}, 31.6, 822), ({"plan": None}, -40.0, 90))),
    "economics of millions": lambda: figures.economics(gains(({"plan": "Basic"}, 123_456.0, 275), ({"plan": "b"}, -98_765.0, 90))),
    "economics beyond all": lambda: figures.economics(GAINS.assign(estimate=GAINS["estimate"].where(GAINS["points"] < 5))),
}


@pytest.mark.parametrize("name", PICTURES)
def test_every_letter_stands_on_the_page_in_one_of_the_few_colours(name):
    piece = PICTURES[name]()
    for svg in drawings(piece):
        root = ET.fromstring(svg)
        width, height = float(root.get("width")), float(root.get("height"))
        for text in root.iter(f"{SVG}text"):
            css = dict(part.split(": ", 1) for part in text.get("style").split("; "))
            size = float(css["font-size"].removesuffix("px"))
            assert size >= 11
            moved = re.search(r"translate\(([-\d.]+) ([-\d.]+)\)", text.get("transform", ""))
            x, y = (float(text.get("x")), float(text.get("y"))) if moved is None else (float(moved[1]), float(moved[2]))
            wide = canvas.text_width("".join(text.itertext()), size, bold=css.get("font-weight") == "700")
            left = x - wide * {"middle": 0.5, "end": 1.0}.get(css.get("text-anchor", ""), 0)
            assert left >= -8, text.text
            assert left + wide <= width + 1.5, text.text
            assert 0 <= y <= height
        used = set(re.findall(r"(?:fill|stroke): (#\w{6})", re.sub(r"<style.*?</style>", "", svg, flags=re.S)))
        assert used <= set(canvas.DARK)
    data, metadata = bundle(piece)
    assert metadata["image/svg+xml"]["alt"].endswith(piece.text)
    assert "95 % interval" in metadata["image/svg+xml"]["alt"]
    assert data["text/plain"] == piece.text


def test_the_economics_show_what_is_kept_what_it_is_worth_and_what_points_add_with_the_interval():
    for svg in drawings(figures.economics(GAINS)):
        said = " ".join(svg_texts(svg))
        for words in ("Premium", "70.0 %", "2,960", "+741", "593 to 889", "5 points more", "1 point more", "discounted by 10 % a year"):
            assert words in said
        assert said.index("Premium") < said.index("Basic")


def test_what_exceeds_all_is_a_dash_and_says_so():
    nothing = GAINS["points"] == 5
    result = GAINS.assign(**{name: GAINS[name].mask(nothing) for name in ("estimate", "low", "high")})
    said = " ".join(svg_texts(drawings(figures.economics(result))[1]))
    assert "above 100 %" in said


def test_many_groups_are_drawn_as_far_as_they_are_read():
    piece = figures.economics(gains(*(({"plan": f"Tariff {place}"}, 1.0 + place, 100 + place) for place in range(15))))
    assert "The first 12 of 15 groups are drawn; the table has all." in bundle(piece)[0]["text/html"]


def test_the_economics_refuse_another_result():
    with pytest.raises(ValueError, match=r"^economics: the result has no key 'points'; its keys are none\.$"):
        figures.economics(ALL)
    words = r"^economics: this is 'nps_by_points'\. What more retention would add comes from money\.retention_gain\(customers, …\)\.$"
    with pytest.raises(ValueError, match=words):
        figures.economics(nps(({"points": 5.0}, 1.0, 0.0, 2.0, 90)))


def test_how_earlier_forecasts_did_is_said_with_the_margin_at_risk():
    record = {"forecasts": 7, "expected_before": 440.0, "left_before": 500, "there_latest": 860, "expected_latest": 68.0, "left_latest": 97}
    found = ALL.assign(model_low=1_080_000.0, model_high=1_380_000.0, **record)
    text = figures.sentence(found).text
    assert "(95 % interval 0.99 to 1.46 million, by the model alone 1.08 to 1.38 million)" in text
    assert text.endswith("The last such forecast expected 68 of 860 to leave, and 97 did.")
    assert figures.headline(found).text == text


def test_a_table_says_that_its_months_are_those_of_what_customers_brought():
    for result, words in (
        (BY_PLAN, "by plan, by what they brought April 2026 to June 2026."),
        (GAINS, "by the retention of July 2025 to June 2026."),
    ):
        assert words in bundle(figures.table(result))[0]["text/html"]
