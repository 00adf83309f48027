"""Curves as they are published: no step is the doing of a few, no reason to leave can be read off, and labels quote what is known."""

import numpy as np
import pandas as pd
import pytest
from figure_results import drawings, files, page, payload, survival, svg_texts, words
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib import churn, figures
from cxlib.figures import canvas
from cxlib.figures.settings import CURRENT, Settings

K = 5
REASONS = ("choice", "moved", "payment failure")


@pytest.fixture(autouse=True)
def fresh():
    """Each test begins as a new kernel does."""
    CURRENT.__dict__.update(Settings().__dict__)


def steps(left, seen, *, reasons=REASONS):
    """The curve of all, and the curves by reason, of so many who left for each reason and were last seen on each day from 1 on."""
    left, seen = np.vstack([np.zeros(len(reasons), dtype="int64"), left]), np.append(0, seen)
    kept = (left.sum(axis=1) + seen > 0) | (np.arange(len(seen)) == 0)
    customers = int(left.sum() + seen.sum())
    gone = left.sum(axis=1) + seen
    risk = customers - np.append(0, np.cumsum(gone)[:-1])
    stays = np.cumprod(1 - np.divide(left.sum(axis=1), risk, out=np.zeros(len(seen)), where=risk > 0))
    days = pd.DataFrame({"tenure_days": np.arange(len(seen), dtype=float), "low": 0.0, "high": 1.0, "level": 0.95, "n": risk})
    curve = days.assign(measure="survival", estimate=stays, events=left.sum(axis=1), censored=seen, customers=customers)[kept]
    before = np.append(1.0, stays[:-1])
    by_reason = []
    for place, reason in enumerate(reasons):
        share = np.cumsum(before * np.divide(left[:, place], risk, out=np.zeros(len(seen)), where=risk > 0))
        line = days.assign(measure="cumulative_incidence", estimate=share, still_there=stays, events=left[:, place])
        by_reason.append(line.assign(left=np.cumsum(left[:, place]), customers=customers, end_reason=reason)[kept])
    order = ["tenure_days", "measure", "estimate", "low", "high", "level", "n"]
    curves = pd.concat(by_reason, ignore_index=True)[["end_reason", *order, "still_there", "events", "left", "customers"]]
    return curve[[*order, "events", "censored", "customers"]].reset_index(drop=True), curves


@st.composite
def histories(draw):
    """Up to 40 days on which, often, one or a few leave for one of three reasons or are last seen, and both their curves."""
    days = draw(st.integers(1, 40))
    seed, rare = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from([0.0, 0.02, 0.2]))
    chance = np.random.default_rng(seed)
    left = chance.binomial(3, [0.3, rare, 0.15], size=(days, 3))
    # Some curves end with nobody at risk, so that their last days are cut.
    return steps(left, chance.binomial(4, 0.3, size=days) + np.where(np.arange(days) == days - 1, draw(st.sampled_from([0, K])), 0))


def rows_of(piece):
    return pd.DataFrame(payload(piece)["results"][0]["rows"])


def stretches(result, days, count="events"):
    """How many left between the days that are shown, from the whole result."""
    ends = np.searchsorted(days, result["tenure_days"])
    inside = ends < len(days)
    return result[count][inside].groupby(ends[inside]).sum().reindex(range(len(days)), fill_value=0).to_numpy()


@settings(max_examples=40)
@given(histories())
def test_between_two_days_of_a_published_curve_nobody_or_enough_left(history):
    whole, _ = history
    shown = rows_of(figures.curve(whole)) if whole["customers"].max() >= K else whole.head(0)
    if not len(shown):
        return
    left = stretches(whole, shown["tenure_days"].to_numpy())
    if left.sum() >= K:
        assert set(left.tolist()) & set(range(1, K)) == set()
        assert shown["events"].tolist() == left.tolist()
    assert not shown["events"].isin(range(1, K)).any()
    same = whole.set_index("tenure_days").loc[shown["tenure_days"]]
    for name in ("estimate", "n", "customers"):
        assert shown[name].tolist() == same[name].tolist()


@settings(max_examples=40)
@given(histories())
def test_between_two_days_no_reason_is_of_a_few_nor_of_everybody(history):
    curve, whole = history
    rows = rows_of(figures.ends(whole))
    shown = rows[~rows["withheld"]]
    total = whole[whole["n"] >= K].groupby("end_reason")["events"].sum().reindex(REASONS, fill_value=0)
    hidden = [reason for reason in REASONS if reason not in set(shown["end_reason"])]
    assert {reason for reason in REASONS if 0 < total[reason] < K} <= set(hidden)
    if not len(shown):
        return
    days = np.sort(shown["tenure_days"].unique())
    assert set(days) <= set(rows_of(figures.curve(curve))["tenure_days"])
    left = {reason: stretches(part, days) for reason, part in whole.groupby("end_reason")}
    for reason, part in shown.groupby("end_reason"):
        assert part["tenure_days"].tolist() == days.tolist()
        assert part["events"].tolist() == left[reason].tolist()
    # Of those that are withheld their sum is known: all who left, less those shown.
    parts = [left[reason] for reason in REASONS if reason not in hidden] + [sum((left[reason] for reason in hidden), np.zeros(len(days)))]
    assert not np.isin(parts, range(1, K)).any()
    several = sum(part.sum() > 0 for part in parts) > 1
    assert all(np.count_nonzero(stretch) != 1 for stretch in np.transpose(parts)) or not several


def test_of_a_curve_with_few_leavers_both_ends_are_left_and_not_their_number():
    left = np.zeros((60, 3), dtype="int64")
    left[[9, 19, 39], [0, 1, 0]] = 1
    whole, by_reason = steps(left, np.where(np.arange(60) == 59, 97, 0))
    rows = rows_of(figures.curve(whole))
    assert rows["tenure_days"].tolist() == [0, 60]
    assert rows["events"].isna().tolist() == [False, True]
    assert figures.ends(by_reason).text == "Nothing is shown: what is left would give away a group of fewer than 5 customers who left."


def test_a_rare_reason_takes_the_next_with_it_and_the_page_says_so():
    left = np.tile([[3, 2, 0]], (20, 1))
    left[[3, 8], 2] = 1
    piece = figures.ends(steps(left, np.full(20, 10))[1])
    rows = rows_of(piece)
    assert set(rows.loc[rows["withheld"], "end_reason"]) == {"moved", "payment failure"}
    assert "Not shown: fewer than 5 customers who left (payment failure)." in page(piece)
    assert "Not shown either, as the total would give a smaller group away: moved." in page(piece)
    assert "payment failure" not in piece.text


def test_the_file_and_the_picture_have_the_same_days():
    chance = np.random.default_rng(7)
    whole, _ = steps(chance.binomial(2, 0.2, size=(400, 3)), chance.binomial(2, 0.5, size=400))
    piece = figures.curve(whole)
    rows = rows_of(piece)
    assert len(rows) < len(whole) / 2
    (file,) = files(page(piece))["text/csv"]
    assert len(file.splitlines()) == len(rows) + 1
    line = max(piece.axes[0].get_lines(), key=lambda each: len(each.get_xdata()))
    assert {round(month * 30.4375, 6) for month in line.get_xdata()} <= set(rows["tenure_days"])
    assert "Tenures are given once at least 5 customers have left since the one before; events are counted since then." in page(piece)


def test_a_day_on_which_many_leave_is_drawn_as_a_step_and_put_together_ones_as_a_slope():
    left = np.zeros((30, 3), dtype="int64")
    left[9, 0], left[14:19, 0] = 40, 1
    line = figures.curve(steps(left, np.where(np.arange(30) == 29, 60, 0))[0]).axes[0].get_lines()
    drawn = max(line, key=lambda each: len(each.get_xdata()))
    assert [round(month * 30.4375) for month in drawn.get_xdata()] == [0, 10, 10, 19, 30, 30]


def test_a_year_stays_among_the_days_and_is_said_exactly():
    chance = np.random.default_rng(11)
    whole, by_reason = steps(chance.binomial(3, [0.2, 0.1, 0.1], size=(600, 3)), chance.binomial(2, 0.5, size=600))
    year = whole[whole["tenure_days"] <= 365.25].iloc[-1]
    assert year["tenure_days"] in set(rows_of(figures.curve(whole))["tenure_days"])
    assert figures.curve(whole).text.startswith(f"{100 * year['estimate']:.0f} of 100 who join are still with us after 12 months (")
    assert year["tenure_days"] in set(rows_of(figures.ends(by_reason))["tenure_days"])


def test_what_cannot_be_said_of_a_year_is_said_of_a_day_that_is_shown():
    """One leaves after the year: the day before it that would be read cannot be shown, as it would part that one off."""
    left = np.zeros((500, 3), dtype="int64")
    left[[59, 299, 449], 0] = [20, 2, 1]
    text = figures.curve(steps(left, np.where(np.arange(500) == 499, 77, 0))[0]).text
    assert text.startswith("77 of 100 who join are still with us after 16.4 months (")


def test_tenures_asked_for_are_parted_by_what_the_curve_fell_at_least():
    fine = survival(0.9, months=24, customers=200).assign(events=0, n=200)
    assert rows_of(figures.curve(fine))["tenure_days"].div(30.4375).tolist() == [0, 6, 12, 18, 24]
    few = survival(0.98, months=24, customers=200).assign(events=0, n=200)
    assert rows_of(figures.curve(few))["tenure_days"].div(30.4375).tolist() == [0, 24]
    assert len(rows_of(figures.curve(survival(0.4)))) == 25


def test_one_band_of_a_reason_that_took_few_is_withheld_with_another():
    customers = pd.DataFrame({"tenure_days": [10.0] * 20 + [20.0] * 3 + [70.0] * 20 + [80.0] * 10 + [300.0] * 60})
    customers = customers.assign(churned=customers["tenure_days"] < 300)
    customers["end_reason"] = pd.Series(["choice"] * 20 + ["moved"] * 3 + ["choice"] * 20 + ["moved"] * 10 + [None] * 60, dtype=object)
    piece = figures.hazard(churn.hazard(customers, by="end_reason", edges=[30.4375, 91.3125]))
    rows = rows_of(piece)
    assert not rows["left"].isin(range(1, K)).any()
    assert "(moved)" in page(piece)
    assert set(rows.loc[rows["withheld"], "end_reason"]) == {"choice", "moved"}


def test_labels_quote_a_year_and_dots_stand_where_they_are_read():
    curves = pd.concat([survival(0.4, plan="free"), survival(0.8, plan="paid")])
    for drawing in drawings(figures.curve(curves)):
        assert {"free", "70.0 %, n 1,000", "paid", "90.0 %, n 1,000"} <= set(svg_texts(drawing))
        assert "dots and numbers: after 12 months" in " ".join(svg_texts(drawing))
    assert {"70.0 %", "after 12 months"} <= set(svg_texts(drawings(figures.curve(survival(0.4)))[1]))


def test_where_few_are_at_risk_a_line_is_faint_and_nothing_is_quoted():
    thin = survival(0.4, customers=100).assign(n=lambda frame: np.r_[100:30:-10, [31, 29], 28:4:-1][: len(frame)])
    piece = figures.curve(thin)
    assert {"82.5 %", "after 7 months"} <= set(svg_texts(drawings(piece)[1]))
    assert "faint: fewer than 30 at risk" in words(piece)
    faint, sure = [line for line in piece.axes[0].get_lines() if line.get_color() == canvas.HIGH and len(line.get_xdata()) > 5]
    assert faint.get_alpha() < 0.5
    assert np.isfinite(sure.get_ydata()).sum() == 8
