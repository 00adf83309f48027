"""Small groups: no number of one leaves the kernel, and none can be worked out from what does."""

import re

import numpy as np
import pandas as pd
import pytest
from figure_results import bundle, by_month, by_segment, files, month, nps, page, payload, survival, words
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib import figures, retention
from cxlib.figures.settings import CURRENT, Settings
from cxlib.figures.withhold import withheld


@pytest.fixture(autouse=True)
def fresh():
    """Each test begins as a new kernel does."""
    CURRENT.__dict__.update(Settings().__dict__)


def sized(sizes, key="plan", measure="nps"):
    """Groups whose every number lies within 3 of their own size, so that each number betrays its group."""
    names = [month(place) for place in range(len(sizes))] if key == "month" else [f"group {chr(97 + place)}" for place in range(len(sizes))]
    frame = nps(*(({key: name}, size + 0.25, size - 1.5, size + 1.5, size) for name, size in zip(names, sizes, strict=True)))
    return frame.assign(measure=measure, promoters=frame["n"] - 1, passives=frame["n"], detractors=frame["n"] + 1)


def betrayed(text, sizes):
    """Which of some sizes a text gives away, in any rounding and with or without separators."""
    numbers = {abs(float(number.replace(",", ""))) for number in re.findall(r"\d[\d,]*(?:\.\d+)?", text)}
    return [size for size in sizes if any(abs(number - size) <= 2.5 for number in numbers)]


# Sizes end in 7, so that a round number on an axis is nobody's; years begin at 2024.
SIZES = st.lists(st.integers(20, 180).map(lambda tens: 10 * tens + 7), min_size=1, max_size=6, unique=True)


@settings(max_examples=12)
@given(SIZES, st.sampled_from(["plan", "month"]))
def test_no_number_of_a_withheld_group_is_anywhere_in_a_bundle(sizes, key):
    figures.set_up(title="Example", as_of="2026-06-30", smallest_group=1000)
    result = sized(sizes, key, measure="wait_minutes")
    flags = withheld(result, keys=[key], k=1000)
    hidden = result.loc[flags.any(axis=1), "n"].tolist()
    assert set(hidden) >= {size for size in sizes if size < 1000}
    assert betrayed(" ".join(map(str, sizes)), hidden) == hidden
    asks = [figures.table, figures.sentence, figures.trend if key == "month" else figures.intervals]
    asks += [figures.cards] if key == "month" else []
    for ask in asks:
        assert betrayed(words(ask(result)), hidden) == []


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.integers(1, 12))
def test_what_is_withheld_cannot_be_worked_out_from_the_total(sizes, k):
    flags = withheld(sized(sizes), keys=["plan"], k=k)
    hidden = [size for size, one in zip(sizes, flags.any(axis=1), strict=True) if one]
    assert flags["small"].tolist() == [0 < size < k for size in sizes]
    everyone_is_hidden = len(hidden) == sum(size > 0 for size in sizes)
    assert not hidden or everyone_is_hidden or (len(hidden) >= 2 and sum(hidden) >= k)


@given(st.lists(st.integers(0, 30), min_size=6, max_size=6), st.integers(2, 8))
def test_of_two_keys_no_row_and_no_column_gives_a_group_away(sizes, k):
    keys = [{"plan": plan, "region": region} for plan in ("a", "b") for region in ("x", "y", "z")]
    frame = nps(*((key, 10.0, 0.0, 20.0, size) for key, size in zip(keys, sizes, strict=True)))
    frame["hidden"] = withheld(frame, keys=["plan", "region"], k=k).any(axis=1)
    for key in ("plan", "region"):
        for _, line in frame.groupby(key):
            hidden = line[line["hidden"]]
            assert len(hidden) in {0, (line["n"] > 0).sum()} or (len(hidden) >= 2 and hidden["n"].sum() >= k)


def test_one_small_group_takes_the_next_smallest_with_it_and_the_page_says_so():
    result = sized([7, 207, 307])
    figures.set_up(title="Example", as_of="2026-06-30", smallest_group=10)
    piece = figures.intervals(result)
    said = "Not shown: fewer than 10 answers (group a). Not shown either, as the total would give a smaller group away: group b."
    assert f'<p class="cx-note">{said}</p>' in page(piece)
    assert "not shown: fewer than 10 answers" in page(piece)
    assert "not shown: it would give a smaller group away" in page(piece)
    assert payload(piece)["withheld"] == 2


def test_a_withheld_row_keeps_its_key_and_its_measure_and_nothing_else():
    rows = payload(figures.table(sized([3, 4, 57])))["results"][0]["rows"]
    assert rows[0] == {
        "plan": "group a", "measure": "nps", "estimate": None, "low": None, "high": None, "level": None, "n": None, "promoters": None,
        "passives": None, "detractors": None, "n_eff": None, "since": None, "until": None, "withheld": True,
    }  # fmt: skip
    assert rows[2]["n"] == 57
    assert rows[2]["withheld"] is False
    assert isinstance(rows[2]["n"], int)


def test_a_group_of_nobody_is_not_small_and_is_said():
    result = sized([57, 67]).assign(n=[0, 67], estimate=[np.nan, 67.25], low=[np.nan, 65.5], high=[np.nan, 68.5])
    piece = figures.intervals(result)
    assert payload(piece)["withheld"] == 0
    assert "No answers: group a." in page(piece)
    assert payload(piece)["results"][0]["rows"][0]["n"] == 0


def test_questions_share_their_respondents_so_none_is_withheld_for_another():
    result = sized([3, 57, 67]).rename(columns={"plan": "question"})
    assert payload(figures.intervals(result))["withheld"] == 1


def test_everybody_is_withheld_where_they_are_too_few():
    few = nps(({}, 31.0, 20.0, 40.0, 4))
    piece = figures.headline(few)
    assert piece.text == "Nothing is shown: there are fewer than 5 answers."
    assert betrayed(words(piece), [31]) == []
    assert figures.intervals(by_segment(), than=few).text == figures.intervals(by_segment()).text


def test_where_every_group_is_small_the_page_says_that():
    assert figures.intervals(sized([3, 4])).text == "Nothing is shown: every group has fewer than 5 answers."
    assert figures.intervals(sized([3, 57])).text == "Nothing is shown: what is left would give away a group of fewer than 5 answers."


def test_a_curve_stops_where_fewer_than_the_smallest_group_are_at_risk():
    result = survival(0.4, months=24, customers=100).assign(n=lambda frame: np.r_[range(100, 4, -5), 4, 3, 2, 1, 1, 1][: len(frame)])
    piece = figures.curve(result)
    rows = payload(piece)["results"][0]["rows"]
    assert min(row["n"] for row in rows) == 5
    assert "Not shown: tenures with fewer than 5 customers at risk." in page(piece)
    assert len(files(page(piece))["text/csv"][0].splitlines()) == len(rows) + 1


def test_of_a_small_group_no_step_of_its_curve_is_left():
    result = pd.concat([survival(0.4, plan="free"), survival(0.6, plan="paid", customers=900), survival(0.5, plan="trial", customers=4)])
    rows = payload(figures.curve(result.reset_index(drop=True)))["results"][0]["rows"]
    withheld_rows = [row for row in rows if row["withheld"]]
    assert [(row["plan"], row["tenure_days"], row["customers"]) for row in withheld_rows] == [("paid", None, None), ("trial", None, None)]


def test_a_group_of_which_too_few_are_at_risk_is_named():
    year = pd.concat([survival(0.4, plan=plan, months=12).tail(1) for plan in ("free", "paid", "trial")]).assign(n=[400, 300, 4])
    piece = figures.intervals(year.reset_index(drop=True))
    assert "Not shown: fewer than 5 customers at risk (trial)." in page(piece)


def test_a_month_that_is_withheld_is_a_gap():
    result = by_month(12)
    result.loc[[3, 4], "n"] = 2
    assert "Not shown: fewer than 5 answers (October 2024 and November 2024). Not shown either" in page(figures.trend(result))


def test_a_group_whose_key_is_missing_is_withheld_too():
    result = nps(({"plan": "free"}, 10.0, 5.0, 15.0, 100), ({"plan": "paid"}, 20.0, 15.0, 25.0, 100), ({"plan": None}, 63.0, 62.0, 64.0, 3))
    piece = figures.intervals(result)
    assert "Not shown: fewer than 5 answers (plan not recorded)." in page(piece)
    assert betrayed(words(piece), [63]) == []


def test_nothing_is_withheld_from_the_result_itself():
    result = sized([3, 57])
    before = result.copy()
    bundle(figures.table(result))
    pd.testing.assert_frame_equal(result, before)


# Revenue lost


def lost(left, less, n=100):
    """Revenue churn of months in which so many left and so many paid less."""
    frame = pd.DataFrame({"month": [month(place) for place in range(len(left))], "measure": "revenue_churn", "estimate": 0.1})
    amounts = dict.fromkeys(("start", "contraction", "churned", "expansion", "new", "paused"), 777.0)
    return frame.assign(low=0.05, high=0.2, level=0.95, n=n, **amounts, left=left, less=less)


MONTHS = st.lists(st.integers(0, 9), min_size=1, max_size=14)


@given(MONTHS, st.integers(1, 3), st.integers(2, 6))
def test_revenue_lost_of_a_few_cannot_be_worked_out_from_that_of_months_together(left, months, k):
    result = lost(left, 0)
    flags = withheld(result, keys=["month"], k=k)
    hidden = flags.any(axis=1).to_numpy()
    assert flags["small"].tolist() == [0 < each < k for each in left]
    for first in range(len(left) - months + 1):
        window = slice(first, first + months)
        # What a quarter lost, less its months that are shown, is lost of nobody, or of enough; or the quarter is withheld.
        rest = sum(np.array(left[window])[hidden[window]])
        assert rest == 0 or rest >= k or sum(left[window]) < k


def test_revenue_lost_of_a_few_is_in_no_bundle_and_it_is_said():
    piece = figures.trend(lost([9, 2, 9, 9], [0, 1, 0, 0]).assign(churned=[111.0, 4242.0, 333.0, 444.0]))
    assert "4,242" not in words(piece)
    assert "4242" not in words(piece)
    assert "Not shown: fewer than 5 customers there, or who left or pay less (" in page(piece)
    assert [row["withheld"] for row in payload(piece)["results"][0]["rows"]] == [True, True, True, False]


def test_what_a_few_who_left_paid_does_not_stand_beside_what_many_others_pay_less():
    piece = figures.table(lost([9, 2, 9, 9], 30))
    rows = payload(piece)["results"][0]["rows"]
    assert not any(row["withheld"] for row in rows)
    # Another month goes with it, the total less which would give it away.
    assert [row["churned"] is None for row in rows] == [row["contraction"] is None for row in rows] == [True, True, False, False]
    assert [row["estimate"] for row in rows] == [0.1] * 4
    assert "Not shown: by itself what those who left paid and what others pay less, where either is of fewer than 5 customers" in page(
        piece
    )


def test_a_change_of_revenue_lost_of_a_few_is_withheld_with_its_months():
    paid = [("2026-03-01", 60), ("2026-04-01", 52), ("2026-05-01", 50), ("2026-06-01", 40)]
    value_history = pd.concat([pd.DataFrame({"customer": range(n), "valid_from": pd.Timestamp(day), "revenue": 10.0}) for day, n in paid])
    for measure in ("revenue_churn", "net_retention"):
        moved = retention.revenue_movement(value_history, as_of="2026-06-30", measure=measure)
        assert moved[["lost_before", "lost_after"]].values.tolist() == [[8, 2], [2, 10]]
        assert withheld(moved, keys=["before", "after"], k=5)["small"].tolist() == [True, True]
        assert not withheld(moved, keys=["before", "after"], k=2).any(axis=None)
