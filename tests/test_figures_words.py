"""Findings in words: estimate, interval, base and window, in plain English that claims no more."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pandas as pd
import pytest
from figure_results import EVERYBODY, account, answers, by_month, by_segment, month, nps, page, payload, survival
from hypothesis import given
from hypothesis import strategies as st

from cxlib import figures
from cxlib.figures.measures import clean, decimal, measure_named
from cxlib.figures.settings import CURRENT, Settings
from cxlib.tables import nothing


@pytest.fixture(autouse=True)
def fresh():
    """Each test begins as a new kernel does."""
    CURRENT.__dict__.update(Settings().__dict__)


NO_DATES = nothing(keys=["month"], counts=["promoters"], reason="No answer carries a date, so there is no trend.")


def test_headline_has_estimate_interval_base_and_window_then_the_last_month():
    assert figures.headline(EVERYBODY, by_month()).text == (
        "Loyalty (NPS) averaged 31 points (95 % interval 28 to 34; 2,746 answers, July 2024 to June 2026). "
        "In June 2026 it was 25 (19 to 31)."
    )


def test_a_month_that_is_not_over_says_until_when():
    figures.set_up(title="Example", as_of="2026-06-12")
    assert figures.headline(EVERYBODY, by_month()).text.endswith("In June 2026 (to 12 June) it was 25 (19 to 31).")


def test_a_single_month_is_said_once():
    assert figures.headline(EVERYBODY, by_month(1)).text == figures.headline(EVERYBODY).text


def test_headline_without_dates_says_so_and_has_no_month():
    undated = nps(({}, 39.8, 37.0, 42.5, 2746), dated=False)
    assert figures.headline(undated, NO_DATES).text == "Loyalty (NPS) stands at 40 points (95 % interval 37 to 42; 2,746 answers, undated)."


def test_headline_joins_what_is_different():
    churn = by_month(2, measure="churn_rate").assign(estimate=0.0212, low=0.014, high=0.0309, n=1234)
    year = survival(0.8432, months=12, customers=7043).tail(1).assign(low=0.834, high=0.851)
    assert figures.headline(year, churn).text == (
        "84 of 100 who join are still with us after 12 months (95 % interval 83.4 to 85.1; 5,938 customers seen at that tenure). "
        "In August 2024 the monthly churn rate was 2.1 % (95 % interval 1.4 to 3.1; 1,234 customers)."
    )


def test_headline_of_nothing_is_the_reason():
    piece = figures.headline(nothing(keys=[], counts=["promoters"], reason="The table has no rows."))
    assert (piece.text, piece.reason) == ("The table has no rows.", "The table has no rows.")


def test_intervals_in_a_headline_are_printed_lighter_and_names_are_not():
    html = page(figures.headline(EVERYBODY))
    assert '<span class="cx-base">(95\u00a0% interval 28 to 34; 2,746 answers, July 2024 to June 2026).</span>' in html
    assert "Loyalty (NPS) averaged" in html


SENTENCES = {
    "csat": (
        nps(({}, 0.8207, 0.806, 0.8345, 2700), measure="csat"),
        "Satisfaction (CSAT) averaged 82.1 % (95 % interval 80.6 to 83.5; 2,700 answers, July 2024 to June 2026).",
    ),
    "weighted": (
        nps(({}, 40.4, 37.0, 43.9, 2746), measure="nps_weighted", dated=False),
        "Loyalty (NPS), weighted, stands at 40 points (95 % interval 37 to 44; 2,746 answers, undated).",
    ),
    "negative": (
        nps(({}, -12.4, -20.0, -0.4, 1200)),
        "Loyalty (NPS) averaged −12 points (95 % interval −20 to 0; 1,200 answers, July 2024 to June 2026).",
    ),
    "mean": (
        nps(({}, 2.314, 2.25, 2.38, 800), measure="ces_effort", dated=False),
        "Effort (CES) stands at 2.31 (95 % interval 2.25 to 2.38; 800 answers, undated).",
    ),
    "unlisted": (
        nps(({}, 0.25, 0.2, 0.3, 400), measure="theme_share", dated=False),
        "Theme share stands at 25.0 % (95 % interval 20.0 to 30.0; 400 answers, undated).",
    ),
    "groups": (
        by_segment(),
        (
            "Loyalty (NPS) ranges from Business, 12 points (95 % interval 2 to 21; 312 answers), to Public sector, 38 (27 to 48; 240); "
            "their order is not settled."
        ),
    ),
    "one group": (
        by_segment().head(1),
        "Only one group is shown: Business stands at 12 points (95 % interval 2 to 21; 312 answers).",
    ),
    "curve": (
        survival(0.4),
        (
            "70 of 100 who join are still with us after 12 months (95 % interval 68.0 to 72.0; 700 customers seen at that tenure). "
            "Half have left by 20 months."
        ),
    ),
    "curve above half": (
        survival(0.7, months=6),
        (
            "70 of 100 who join are still with us after 6 months (95 % interval 68.0 to 72.0; 700 customers seen at that tenure). "
            "More than half are still there at 6 months, the last tenure shown: the median is not reached."
        ),
    ),
    "nearly all stay": (
        survival(0.999, months=12).tail(1),
        "99.9 of 100 who join are still with us after 12 months (95 % interval 97.9 to 100.0; 999 customers seen at that tenure).",
    ),
    "curves": (
        pd.concat([survival(0.4, plan="free"), survival(0.8, plan=None, customers=300)]),
        (
            "Of those who join, fewest are still with us after 12 months in free, 70 of 100 (95 % interval 68.0 to 72.0; 700 customers "
            "seen at that tenure); most in plan not recorded, 90 of 100 (88.0 to 92.0; 270 customers)."
        ),
    ),
    "promoters": (
        answers([0.02, 0.01, 0.01, 0.02, 0.02, 0.06, 0.06, 0.14, 0.16, 0.2, 0.3]),
        (
            "50.0 % are promoters, 30.0 % passives and 20.0 % detractors, of 1,000 answers. "
            "Often given: 10 (30.0 %, 95 % interval 24.0 to 36.0) and 9 (20.0 %, 16.0 to 24.0); which of them most often is not settled."
        ),
    ),
    "five points": (
        answers([0.05, 0.05, 0.1, 0.25, 0.55], first=1),
        "Most often given: 5 (55.0 %, 95 % interval 44.0 to 66.0), of 1,000 answers.",
    ),
    "two distributions": (
        pd.concat([answers([0.6, 0.4], plan="free"), answers([0.3, 0.7], plan=None, n=80)]),
        ("Most often given: 1 for plan not recorded, 70.0 % (95 % interval 56.0 to 84.0; 80 answers); for 1 it is not settled."),
    ),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_a_result_is_said_in_full(name):
    result, said = SENTENCES[name]
    assert figures.sentence(result.reset_index(drop=True)).text == said


def test_median_tenure_is_said_in_months_and_says_when_it_is_not_reached():
    median = pd.DataFrame({"measure": ["median_tenure"], "estimate": [34 * 30.4375], "low": [32 * 30.4375], "high": [36 * 30.4375]})
    median = median.assign(level=0.95, n=3351, churned=1556, censored=1795)
    assert figures.sentence(median).text == "Half of the customers have left after 34 months (95 % interval 32 to 36; 3,351 customers)."
    never = median.assign(estimate=float("nan"), low=70 * 30.4375, high=float("nan"))
    assert figures.sentence(never).text == (
        "Fewer than half of 3,351 customers have left, so the median tenure is not reached; it lies above 70 months with 95 % confidence."
    )


def test_groups_say_how_many_lie_wholly_to_one_side_of_everybody():
    assert figures.sentence(by_segment(), than=EVERYBODY).text.endswith(
        "Of 4 intervals, 1 lies wholly below the 31 points of all together."
    )
    alike = by_segment().assign(low=0.0, high=60.0)
    assert figures.sentence(alike, than=EVERYBODY).text.endswith("No interval lies wholly to one side of the 31 points of all together.")


def test_where_low_is_good_the_highest_is_the_worst():
    churn = by_segment().assign(
        measure="churn_rate", estimate=[0.05, 0.02, 0.01, 0.03], low=[0.04, 0.0, 0.0, 0.01], high=[0.06, 0.03, 0.02, 0.035]
    )
    assert figures.sentence(churn).text.startswith(
        "The monthly churn rate ranges from Business, 5.0 % (95 % interval 4.0 to 6.0; 312 customers), the highest, to "
    )


ROUNDED = st.sampled_from(["nps", "csat", "ces_mean", "stay"]).map(measure_named)


@given(ROUNDED, st.floats(-1, 1), st.floats(-1, 1))
def test_two_values_and_their_change_agree_as_they_are_written(of, one, other):
    before, after = (value * (1 if of.form == "share" else 100) for value in (one, other))
    finer = of.finer_for(before, after, after - before)
    measure = replace(of, finer=finer)
    written = [Decimal(measure.number(value).replace("\u2212", "-").replace(",", "")) for value in (before, after, after - before)]
    usual = {"points": 0, "days": 0, "share": 1, "mean": 2}[of.form]
    # One more place is as near as rounded numbers come.
    assert abs(written[1] - written[0] - written[2]) <= (Decimal(10) ** -(usual + 1) if finer else 0)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [(38.52, 24.81, ("39", "25", "14")), (34.43, 34.77, ("34.4", "34.8", "0.3")), (100 / 3, 200 / 3, ("33.3", "66.7", "33.3"))],
)
def test_places_are_added_only_where_the_usual_ones_contradict_each_other(before, after, words):
    nps_ = measure_named("nps")
    finer = nps_.finer_for(before, after, after - before)
    assert (
        tuple(replace(nps_, finer=finer).number(value) for value in (before, after, after - before if before < after else before - after))
        == words
    )


def test_no_sentence_claims_a_movement_or_a_cause():
    pieces = (figures.headline(EVERYBODY, by_month()), figures.trend(by_month()), figures.intervals(by_segment(), than=EVERYBODY))
    said = " ".join(piece.text for piece in pieces)
    for word in ("fell", "rose", "fall", "rise", "dropped", "improved", "because", "due to", "drives", "significant"):
        assert f" {word}" not in said


def test_trend_says_the_last_month_and_between_which_values_it_lay():
    assert figures.trend(by_month()).text == (
        "In June 2026 loyalty (NPS) was 25 points (95 % interval 19 to 31; 113 answers). "
        "Over the 24 months shown the estimate lay between 25 (August 2024) and 37 points (July 2024); months differ by chance alone, too."
    )


def test_one_month_has_nothing_to_be_compared_with():
    piece = figures.trend(nps(({"month": dt.date(2017, 5, 1)}, 39.8, 37.0, 42.5, 2746)))
    assert piece.text == (
        "Loyalty (NPS) was 40 points (95 % interval 37 to 42; 2,746 answers). Only May 2017 was asked: there is nothing to compare it with."
    )
    assert piece.axes == []


@pytest.mark.parametrize("ask", [figures.trend, figures.intervals, figures.table, figures.sentence, figures.headline, figures.cards])
def test_what_is_not_there_is_said_as_a_sentence(ask):
    piece = ask(NO_DATES)
    assert piece.reason == "No answer carries a date, so there is no trend."
    assert piece.reason in piece.text
    assert f'<p class="cx-note">{piece.reason}</p>' in page(piece) or ask is figures.headline
    assert payload(piece)["results"][0]["rows"] == []
    assert "<img" not in page(piece)


@pytest.mark.parametrize("ask", [figures.shares, figures.curve])
def test_an_empty_distribution_or_curve_says_why(ask):
    piece = ask(nothing(keys=["question"], counts=["answers"], reason="No question of this kind was asked."))
    assert piece.text == piece.reason == "No question of this kind was asked."


def test_cards_have_number_interval_base_and_window():
    piece = figures.cards(by_month(), survival(0.8432, months=12, customers=7043), NO_DATES)
    assert payload(piece)["cards"] == [
        {
            "title": "Loyalty (NPS)", "value": "25 points", "interval": "95 % interval 19 to 31", "base": "113 answers",
            "window": "June 2026", "moved": [], "target": "", "measure": "nps", "reason": None,
        },
        {
            "title": "Still with us", "value": "84.3 %", "interval": "95 % interval 82.3 to 86.3", "base": "5,938 customers seen",
            "window": "after 12 months", "moved": [], "target": "", "measure": "survival", "reason": None,
        },
        {
            "title": "Loyalty (NPS)", "value": None, "interval": None, "base": None,
            "window": None, "moved": [], "target": "", "measure": "nps", "reason": "No answer carries a date, so there is no trend.",
        },
    ]  # fmt: skip
    assert 'alt="24 months from July 2024 to June 2026: lowest 25 points (August 2024), highest 37 points (July 2024)."' in page(piece)


def test_set_up_says_title_date_and_smallest_group():
    piece = figures.set_up(title="Example <b>", as_of="2026-06-30", smallest_group=10)
    assert piece.text == "Example <b>, counted up to 30 June 2026. Groups with fewer than 10 answers are not shown."
    assert {**payload(piece), "text": ""} == {
        "version": 1, "kind": "set_up", "name": "set_up", "text": "", "reason": None, "withheld": 0, "smallest_group": 10,
        "results": [], "title": "Example <b>", "as_of": "2026-06-30",
    }  # fmt: skip
    assert "<b>" not in page(piece)


def test_account_adds_up_in_words():
    assert figures.account(account()).text == "Of 2,831 rows read, 2,829 were kept; 2 were set aside for breaking a rule."
    several = account(kept=2800, repeats=1, after_as_of=20, no_consent=8)
    assert figures.account(several).text == (
        "Of 2,831 rows read, 2,800 were kept; 2 were set aside for breaking a rule, 1 was left out as repeats, "
        "20 were later than the last day counted and 8 were without consent."
    )
    assert figures.account(account(kept=2831, set_aside=0)).text == "Of 2,831 rows read, all were kept."


MISTAKES = {
    "not a result": (
        lambda: figures.trend(pd.DataFrame({"score": [1]})),
        "trend: this is not a result, it has no column 'measure'. A result comes from a measure, such as survey.nps(responses).",
    ),
    "no month": (lambda: figures.trend(by_segment()), "trend: the result has no key 'month'; its keys are segment."),
    "no score": (lambda: figures.shares(EVERYBODY), "shares: the result has no key 'score'; its keys are none."),
    "grouped than": (
        lambda: figures.intervals(by_segment(), than=by_segment()),
        "intervals: than must be the number of everybody, but it is grouped by segment.",
    ),
    "card of groups": (
        lambda: figures.cards(by_segment()),
        'cards: the result has 4 groups, and a card holds one number; ask the measure without by, or by="month".',
    ),
    "no results": (
        lambda: figures.headline(),
        "headline: no result is given. Give the number of everybody first, such as survey.nps(responses).",
    ),
    "as_of": (
        lambda: figures.set_up(title="Example", as_of="30/06/2026"),
        "set_up: as_of is '30/06/2026'; write a date as year-month-day, such as '2026-06-30'.",
    ),
    "smallest group": (
        lambda: figures.set_up(title="Example", as_of="2026-06-30", smallest_group=0),
        "set_up: smallest_group is 0; it must be a whole number from 1.",
    ),
    "account column": (
        lambda: figures.account(account().drop(columns="repeats")),
        "account: the frame has no column 'repeats'. The account of a book is book.account.",
    ),
    "account sum": (
        lambda: figures.account(account(kept=2828)),
        "account: 2,831 rows of 'responses' were read, but 2,830 are accounted for.",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_answered_with_a_letter(name):
    ask, letter = MISTAKES[name]
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        ask()
    assert str(raised.value) == letter


def test_numbers_are_written_for_readers():
    assert decimal(-1234.56, 1) == "−1,234.6"
    assert decimal(-0.04, 1) == "0.0"
    assert measure_named("nps").quantity(1.4) == "1 point"
    assert measure_named("nps").quantity(-0.4) == "0 points"
    assert measure_named("median_tenure").interval(30.4375, float("nan")) == "above 1"


def test_a_text_of_someone_else_becomes_one_line_that_reads_one_way():
    assert clean("a\x00b\nc\u202ed\ud800") == "ab cd"
    assert clean("  小型  企業 ") == "小型 企業"


def test_a_key_is_written_for_readers():
    frame = nps(({"language": "zh-Hant", "month": month(0)}, 1.0, 0.0, 2.0, 50), ({"language": None, "month": month(0)}, 1.0, 0.0, 2.0, 50))
    table = page(figures.table(frame))
    assert '<th scope="row">Traditional Chinese</th><th scope="row">July 2024</th>' in table
    assert '<th scope="row">not recorded</th>' in table
