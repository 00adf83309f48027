"""Two dots a row, and parts of a whole, in figures: what may be said, what is withheld, and what the table holds."""

import datetime as dt
import math
import re

import numpy as np
import pandas as pd
import pytest
from figure_results import bundle, drawings, files, page, payload, svg_texts, words

from cxlib import fieldwork, figures, survey
from cxlib.figures import canvas
from cxlib.figures.settings import CURRENT, Settings
from cxlib.tables import nothing

ABOVE, BELOW, ALIKE, OPEN = "above", "below", "no material difference", "cannot tell yet"


@pytest.fixture(autouse=True)
def fresh():
    """Each test begins as a new kernel does."""
    CURRENT.__dict__.update(Settings().__dict__)


def sides(verdict=ABOVE, *, ends=(34.7, 61.5), n=(2398, 200), measure="nps", names=("customers", "staff"), called="gap", **keys):
    """One row of two sets of answers, the one that is measured against first."""
    known = 0 not in n
    row = {**keys, "measure": f"{measure}_{called}", "estimate": ends[1] - ends[0] if known else math.nan}
    half = 8 if measure == "nps" else 0.08
    row |= {"low": row["estimate"] - half, "high": row["estimate"] + half, "level": 0.95, "n": min(n)}
    row |= {"days": 2} if called == "early" else {}
    row |= {"p_value": 0.01, "p_corrected": 0.02, "verdict": verdict, "margin": 5.0 if measure == "nps" else 0.05}
    row |= {"smallest_detectable": 13.2 if measure == "nps" else 0.1, "n_to_tell": 820 if verdict == OPEN else None}
    for place, name in enumerate(names):
        width = 4 if measure == "nps" else 0.04
        row |= {f"estimate_{name}": ends[place], f"low_{name}": ends[place] - width, f"high_{name}": ends[place] + width}
        row |= {f"n_{name}": n[place]}
    return row | {"since": dt.date(2024, 7, 15), "until": dt.date(2026, 6, 28)}


def gaps(*rows):
    return pd.DataFrame(list(rows))


def closes(*months, measure="nps", **keys):
    """Months of (number of the month, score at the close, now, answers then, answers now)."""
    rows = []
    for number, before, now, n_closed, n in months:
        row = {
            **keys,
            "month": dt.date(2026, number, 1),
            "measure": f"{measure}_restated",
            "estimate": now,
            "low": now - 6,
            "high": now + 6,
        }
        row |= {"level": 0.95, "n": n, "restated": now - before, "estimate_closed": before, "low_closed": before - 6}
        row |= {"high_closed": before + 6, "n_closed": n_closed, "late": n - n_closed, "closed": dt.date(2026, number, 28)}
        row |= {"arrived": 0.96 if number == months[-1][0] else 1.0, "low_arrived": 0.94, "high_arrived": 0.98}
        rows.append(row | {"to_come": n / 0.96 - n if number == months[-1][0] else 0.0, "since": None, "until": None})
    return pd.DataFrame(rows)


LATE = closes((3, 30.0, 31.0, 900, 960), (4, 30.6, 31.0, 950, 1040), (5, 31.0, 29.0, 1000, 1214))


# What a gap may be said to be


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            sides(),
            (
                "Staff think customers happier than customers say they are: loyalty (NPS), 62 points guessed, 35 given "
                "(gap +27 points, 95 % interval +19 to +35; 200 answers of staff, 2,398 of customers, July 2024 to June 2026)."
            ),
        ),
        (
            sides(BELOW, ends=(61.5, 34.7)),
            (
                "Staff think customers unhappier than customers say they are: loyalty (NPS), 35 points guessed, 62 given "
                "(gap −27 points, 95 % interval −35 to −19; 200 answers of staff, 2,398 of customers, July 2024 to June 2026)."
            ),
        ),
        (
            sides(measure="csat", ends=(0.08, 0.8), n=(100, 100)),
            (
                "Staff think customers happier than customers say they are: satisfaction (CSAT), 80.0 % guessed, 8.0 % given "
                "(gap +72.0 percentage points, 95 % interval +64.0 to +80.0; 100 answers of staff, 100 of customers, "
                "July 2024 to June 2026)."
            ),
        ),
        (
            sides(ALIKE, ends=(34.7, 35.9)),
            (
                "Staff and customers show no material difference: loyalty (NPS), 36 points against 35 (gap +1 point, "
                "95 % interval −7 to +9; 200 answers of staff, 2,398 of customers, July 2024 to June 2026), "
                "smaller than the 5 points declared to matter."
            ),
        ),
        (
            sides(OPEN, ends=(34.7, 38.9)),
            (
                "Whether staff and customers differ cannot be told yet: loyalty (NPS), 39 points against 35 (gap +4 points, 95 % interval "
                "−4 to +12; 200 answers of staff, 2,398 of customers, July 2024 to June 2026). About 820 answers on each side would tell."
            ),
        ),
        (
            sides(names=("later", "early"), called="early", n=(926, 1472)),
            (
                "Those who answered within 2 days of being asked are happier than those who took longer: loyalty (NPS), "
                "62 points against 35 (difference +27 points, 95 % interval +19 to +35; 1,472 answers against 926, July 2024 to June 2026)."
            ),
        ),
    ],
    ids=["above", "below", "a share", "alike", "open", "early"],
)
def test_a_gap_is_told_by_its_verdict(row, text):
    assert figures.gap(gaps(row)).text == text
    assert figures.sentence(gaps(row)).text == text


def test_staff_who_guess_more_effort_think_customers_unhappier():
    text = figures.gap(gaps(sides(measure="ces_effort", ends=(2.1, 3.2)))).text
    assert text.startswith(
        "Staff think customers unhappier than customers say they are: effort (CES), 3.20 guessed, 2.10 given (gap +1.10 points,"
    )


def test_of_several_groups_only_those_that_stand_apart_are_named():
    result = gaps(sides(plan="a"), sides(OPEN, plan="b"), sides(ALIKE, plan="c"), sides(ends=(20.0, 70.0), plan="d"))
    assert figures.gap(result).text == (
        "Staff against customers: above in 2 groups, no material difference in 1 group and cannot be told yet in 1 group. "
        "Farthest apart: d, 70 points against 20 (gap +50 points, 95 % interval +42 to +58); a, 62 points against 35 "
        "(gap +27 points, +19 to +35)."
    )
    still = figures.gap(gaps(sides(OPEN, plan="a"), sides(OPEN, plan="b"))).text
    assert still == "Staff against customers: cannot be told yet in 2 groups."


def test_both_drawings_show_both_sides_the_gap_and_its_sign():
    for drawn in drawings(figures.gap(gaps(sides()))):
        texts = svg_texts(drawn)
        assert {"customers 35", "staff 62"} <= set(texts)
        assert any(text.startswith("▲ +27 points") for text in texts)
        assert any(text.startswith("Net Promoter Score") for text in texts)
    several = figures.gap(gaps(sides(plan="a"), sides(OPEN, plan="b")))
    for drawn in drawings(several):
        assert {"a", "b"} <= set(svg_texts(drawn))
    assert several.alt.startswith("Two dots and their 95 % intervals a row: Net Promoter Score")
    assert several.text in several.alt


def test_nothing_leaves_a_phones_sheet():
    long = gaps(*(sides(plan=f"a plan with quite a long name, number {number}") for number in range(3)))
    for result, draw in ((long, figures.gap), (LATE, figures.restated), (named_choices(), figures.shares)):
        narrow = next(drawn for drawn in drawings(draw(result)) if f'width="{canvas.NARROW.width}"' in drawn)
        with canvas.theme():
            fig = draw(result).draw(canvas.NARROW)
        width = canvas.NARROW.width
        for text in fig.findobj(match=lambda artist: hasattr(artist, "get_text") and artist.get_text()):
            box = text.get_window_extent()
            assert box.x0 >= -2, (text.get_text(), box)
            assert box.x1 <= width + 2, (text.get_text(), box)
        assert "…" not in "".join(text for text in svg_texts(narrow) if text[:1].isdigit())


def test_the_table_of_a_gap_has_both_scores_and_the_verdict():
    shown = page(figures.table(gaps(sides())))
    for cell in ("Gap (points)", "Customers", "Staff", "▲ above", "34.7", "61.5", "2,398", "0.020", "13 points"):
        assert cell in shown
    assert "Low customers" not in shown
    assert "low_customers" in "".join(files(shown)["text/csv"])


def test_a_group_that_one_side_is_too_small_in_is_not_shown():
    result = gaps(sides(plan="a", n=(300, 3)), sides(plan="b", n=(400, 20)), sides(plan="c", n=(300, 40)), sides(plan="d", n=(200, 0)))
    piece = figures.gap(result)
    rows = payload(piece)["results"][0]["rows"]
    assert [row["withheld"] for row in rows] == [True, True, False, False]
    assert rows[0]["estimate_customers"] is None
    below = page(piece)
    assert "Not shown: fewer than 5 answers (a)." in below
    assert "No answers on one of the two sides: d." in below


def test_a_side_of_few_is_not_shown_where_the_other_has_nobody():
    row = payload(figures.gap(gaps(sides(plan="a", n=(3, 0)), sides(plan="b"), sides(plan="c"))))["results"][0]["rows"][0]
    assert row["withheld"]
    assert row["estimate_customers"] is None


def test_a_gap_without_staff_says_so():
    counts = dict.fromkeys(("verdict", "n_customers", "n_staff"), "float64")
    none = nothing(keys=["plan"], counts=counts, reason="Among staff: nobody was asked how satisfied they are.")
    piece = figures.gap(none)
    assert (piece.text, piece.axes, bundle(piece)[0].get("image/svg+xml")) == (none.attrs["reason"], [], None)


# What a restatement may be said to be


def test_the_month_that_was_restated_most_comes_first_and_what_is_to_come_last():
    assert figures.restated(LATE).text == (
        "May 2026 stood at 31 points when it closed and stands at 29 now: 214 answers came late, the largest restatement of "
        "3 months that are shown. Of the 3,214 answers of these 3 months, 364 came after their month had closed. "
        "Of May 2026 about 96 % has arrived (95 % interval 94 to 98): 51 answers are still to be expected."
    )


def test_a_month_that_stands_where_it_stood_is_said_to():
    text = figures.restated(closes((5, 31.1, 31.2, 1000, 1214))).text
    assert text.startswith("May 2026 stood at 31 points when it closed and still does: 214 answers came late.")


def test_shares_are_restated_in_percent():
    text = figures.restated(closes((5, 0.891, 0.843, 46, 51), measure="csat")).text
    assert text.startswith("May 2026 stood at 89.1 % when it closed and stands at 84.3 % now: 5 answers came late.")


def test_where_nothing_came_late_nothing_was_restated():
    text = figures.restated(closes((4, 31.0, 31.0, 90, 90), (5, 31.0, 31.0, 90, 90))).text
    assert text.startswith("Nothing was restated: no answer came late to 2 months that are shown.")


def test_what_few_late_answers_said_is_not_shown():
    result = closes((2, 30.0, 31.0, 90, 93), (3, 30.0, 31.0, 90, 92), (4, 30.6, 31.0, 95, 104), (5, 31.0, 29.0, 100, 121))
    piece = figures.restated(result)
    rows = payload(piece)["results"][0]["rows"]
    assert [row["estimate_closed"] is None for row in rows] == [True, True, False, False]
    assert [row["late"] for row in rows] == [None, None, 9, 21]
    assert [row["estimate"] for row in rows] == [31.0, 31.0, 31.0, 29.0]
    note = "Not shown: what fewer than 5 late answers changed, or would be given away (February 2026 and March 2026)."
    assert note in page(piece)
    assert "93" not in [row["n_closed"] for row in rows]


def test_one_month_with_few_late_answers_hides_another():
    result = closes((3, 30.0, 31.0, 90, 93), (4, 30.6, 31.0, 95, 104), (5, 31.0, 29.0, 100, 121))
    rows = payload(figures.table(result))["results"][0]["rows"]
    assert [row["restated"] is None for row in rows] == [True, True, False]


def test_hollow_and_filled_dots_are_drawn_and_the_largest_restatement_has_its_numbers():
    for drawn in drawings(figures.restated(LATE)):
        texts = svg_texts(drawn)
        assert "31 → 29" in texts
        assert any("hollow when the month closed, filled now" in " ".join(texts[place : place + 3]) for place in range(len(texts)))
    several = pd.concat([LATE.assign(plan="a"), LATE.assign(plan="b")])[["plan", *LATE.columns]]
    assert len(figures.restated(several).axes) == 2


def test_the_table_of_restated_months_has_both_scores():
    shown = page(figures.table(LATE))
    for cell in ("At the close", "Late answers", "Closed on", "28 May 2026", "31.0", "29.0", "−2.0", "214", "96.0"):
        assert cell in shown


def test_without_days_of_receipt_the_reason_stands_alone():
    none = fieldwork.late(pd.DataFrame({"score": [9], "time_answered": [pd.Timestamp("2026-05-04")]}), as_of="2026-06-30")
    assert figures.restated(none).text == "No answer says when it reached the company, so nothing is restated."


# Parts of a whole


def named_choices(**more):
    rows = [("Price of the box", 0.67), ("Quality", 0.66), ("Service in our shops and on the telephone, at any time", 0.33)]
    frame = pd.DataFrame(
        {"question": "why", "choice": [name for name, _ in rows], "measure": "choice_share", "estimate": [x for _, x in rows]}
    )
    frame = frame.assign(
        low=frame["estimate"] - 0.09, high=frame["estimate"] + 0.09, level=0.95, n=100, chosen=[67, 66, 33], one_only=False
    )
    return frame.assign(**more)


def test_choices_are_told_and_drawn_the_most_chosen_first():
    piece = figures.shares(named_choices())
    assert piece.text == (
        "Often chosen: Price of the box, 67.0 % (95 % interval 58.0 to 76.0; 100 answers), Quality, 66.0 % (57.0 to 75.0), "
        "Service in our shops and on the telephone, at any time, 33.0 % (24.0 to 42.0); which most often is not settled. "
        "Several could be chosen."
    )
    settled = figures.shares(named_choices(low=[0.6, 0.5, 0.2], high=[0.7, 0.59, 0.4])).text
    assert settled.startswith("Most often chosen: Price of the box, 67.0 % (95 % interval 60.0 to 70.0; 100 answers), then Quality, ")
    for drawn in drawings(piece):
        texts = svg_texts(drawn)
        assert texts.index("Price of the box") < texts.index("Quality")
        assert "telephone, at any time" in texts or "and on the telephon…" in texts
    assert "at once" not in "".join(svg_texts(drawings(piece)[0]))
    only = figures.shares(named_choices(one_only=True))
    assert "Several" not in only.text
    assert "choices at once" in " ".join(svg_texts(drawings(only)[1]))


def test_yes_is_said_in_a_sentence():
    again = named_choices().head(1).assign(question="again", choice="yes")
    assert figures.shares(again).text == "67.0 % said yes (95 % interval 58.0 to 76.0; 100 answers)."
    both = pd.concat([again, named_choices()], ignore_index=True)
    piece = figures.shares(both)
    assert piece.text.startswith("again: 67.0 % said yes (95 % interval 58.0 to 76.0; 100 answers). why: often chosen: Price of the box")
    assert {"again", "why"} <= set(svg_texts(drawings(piece)[0]))


def test_classes_are_told_with_their_intervals_and_drawn_in_their_order():
    answers = pd.DataFrame({"score": [10] * 50 + [8] * 30 + [3] * 20})
    piece = figures.shares(survey.classes(answers))
    assert piece.text == (
        "50.0 % are promoters (95 % interval 38.4 to 61.6), 30.0 % passives (20.4 to 41.8) and "
        "20.0 % detractors (12.2 to 31.1), of 100 answers."
    )
    texts = svg_texts(drawings(piece)[0])
    assert texts.index("promoters") < texts.index("passives") < texts.index("detractors")
    assert figures.sentence(survey.classes(answers)).text == piece.text


def test_classes_of_groups_say_where_the_bad_end_is_largest():
    frame = pd.DataFrame({"score": [10] * 50 + [3] * 20 + [10] * 20 + [3] * 50, "plan": ["a"] * 70 + ["b"] * 70})
    text = figures.shares(survey.classes(frame, by="plan")).text
    assert text.startswith("The share of detractors is largest for b, 71.4 % (95 % interval ")
    assert "and smallest for a, 28.6 %" in text
    rated = survey.classes(frame.assign(question="q"), measure=survey.Score("ratings", scale=(0, 10)), by="plan")
    assert figures.shares(rated).text.startswith("The share of answers in the bottom box ranges from a, 0.0 %")


def test_a_small_group_has_no_classes_on_the_page():
    frame = pd.DataFrame({"score": [10] * 30 + [3] * 3 + [8] * 9, "plan": ["a"] * 30 + ["b"] * 3 + ["c"] * 9})
    rows = payload(figures.shares(survey.classes(frame, by="plan")))["results"][0]["rows"]
    assert [row["withheld"] for row in rows] == [False] * 3 + [True] * 6


# Letters


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: figures.gap(LATE), "gap: this result has no two sets of answers; it comes from groups.gap or fieldwork.early."),
        (
            lambda: figures.restated(named_choices().assign(month=dt.date(2026, 5, 1))[["month", *named_choices().columns]]),
            "restated: this result does not say how months stood when they closed; it comes from fieldwork.late.",
        ),
        (lambda: figures.restated(gaps(sides())), "restated: the result has no key 'month'; its keys are none."),
        (lambda: figures.shares(gaps(sides())), "shares: the result has no key 'score'; its keys are none."),
    ],
)
def test_an_error_is_a_letter(call, text):
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        call()


def test_the_words_of_every_piece_say_no_number_that_is_withheld():
    secret = sides(plan="hidden", n=(333, 3), ends=(11.11, 77.77))
    result = gaps(secret, sides(plan="b", n=(400, 20)), sides(plan="c"), sides(plan="d"))
    for piece in (figures.gap(result), figures.table(result), figures.sentence(result)):
        read = words(piece)
        assert not any(number in read for number in ("11.1", "77.7", "77.8", "333", "66.6"))
    assert np.isnan(secret["n_to_tell"] or math.nan)


def test_two_scores_that_look_alike_are_as_fine_as_their_difference():
    piece = figures.gap(gaps(sides(OPEN, ends=(34.43, 34.77), names=("later", "early"), called="early")))
    assert ", 34.8 points against 34.4 (difference +0.3 points, 95 % interval −8 to +8; " in piece.text
    said = " ".join(svg_texts(drawings(piece)[0]))
    assert "34.8" in said
    assert "+0.3 points" in said


def test_a_gap_of_means_names_their_scale():
    piece = figures.gap(gaps(sides(ends=(2.1, 3.2), measure="ces_effort") | {"scale_low": 1, "scale_high": 5}))
    assert "effort (CES), 3.20 guessed, 2.10 given (gap +1.10 points on the scale 1 to 5, 95 % interval +1.02 to +1.18; " in piece.text
    assert ">Gap (points on the scale 1 to 5)</th>" in page(piece)
