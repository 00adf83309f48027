"""Pictures and sentences of who stays longer, of how customers leave, of when the danger is, and of quantiles."""

import re

import pandas as pd
import pytest
from figure_results import drawings, page, payload, svg_texts, words

from cxlib import churn, figures
from cxlib.figures.settings import CURRENT, Settings

# Ibis 12 asks DuckDB 2 for a table's columns by a name that DuckDB gave up.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")


@pytest.fixture(autouse=True)
def fresh():
    """Each test starts with the settings of a fresh kernel."""
    vars(CURRENT).update(vars(Settings()))


def stays(*groups):
    """Customers from groups: how many, after which tenure, left for which reason (or False), and their plan."""
    rows = [
        {"tenure_days": float(days), "churned": reason is not False, "end_reason": reason or None, "plan": plan}
        for many, days, reason, plan in groups
        for _ in range(many)
    ]
    return pd.DataFrame(rows).astype({"end_reason": object})


APART = stays((40, 60, "choice", "free"), (60, 400, False, "free"), (10, 60, "choice", "paid"), (90, 400, False, "paid"))
LEFT = stays((60, 30, "choice", "free"), (20, 90, "moved", "free"), (80, 300, "choice", "paid"), (240, 400, False, "paid"))


# Differences


def test_who_stays_longer_is_said_with_how_far_and_how_sure():
    found = churn.difference(APART, by="plan")
    assert figures.difference(found).text == (
        "By more than chance, of the first 12 months free stay 92 days less than the rest (95 % interval 54 to 127) and paid stay 92 days "
        "longer (54 to 127). Taken together, the groups differ by more than chance (log-rank test over all tenures, p below 0.001)."
    )
    assert figures.sentence(found).text == figures.table(found).text == figures.difference(found).text


def test_how_many_more_are_still_there_is_said_with_the_tenure():
    found = figures.difference(churn.survival_difference(APART, by="plan"))
    assert found.text == (
        "By more than chance, after 12 months 30.0 percentage points fewer of free are still with us than of the rest (95 % interval 18.3 "
        "to 40.8) and 30.0 percentage points more of paid (18.3 to 40.8)."
    )
    several = figures.difference(churn.survival_difference(APART, by="plan", at=[30.4375, 365.25]))
    assert "after 12 months 30.0 percentage points fewer of free" in several.text
    assert several.text.count("after 12 months") == 1
    assert [text for text in svg_texts(drawings(several)[1]) if " month" in text and "," in text and "share" not in text] == [
        "free, 1 month",
        "paid, 1 month",
        "free, 12 months",
        "paid, 12 months",
    ]
    assert several.text.endswith("Of 4 comparisons, 2 cannot be told yet.")


def test_no_sentence_says_longer_or_less_without_a_verdict():
    alike = stays((30, 60, "choice", "a"), (70, 400, False, "a"), (31, 60, "choice", "b"), (69, 400, False, "b"))
    text = figures.difference(churn.difference(alike, by="plan")).text
    assert text == (
        "No group differs from the rest by more than chance. Of 2 comparisons, 2 cannot be told yet. "
        "Taken together, the groups cannot be told apart (log-rank test over all tenures, p 0.878)."
    )
    small = figures.difference(churn.difference(alike, by="plan", margin=60)).text
    assert "Of 2 comparisons, 2 show a difference smaller than the 60 days declared to matter." in small


def test_beside_each_dot_stands_the_verdict_and_the_bar_is_the_rest():
    picture = figures.difference(churn.difference(APART, by="plan"))
    for svg in drawings(picture):
        texts = svg_texts(svg)
        assert "▼ 92 shorter" in texts
        assert "▲ 92 longer" in texts
    assert picture.alt.startswith(
        "Dot and 95 % interval: Group less rest, the stay in days, of the first 12 months; bar: the rest. By more"
    )


def test_the_table_of_differences_has_both_sides_and_no_log_rank_statistic_in_every_row():
    markup = page(figures.difference(churn.difference(APART, by="plan")))
    heads = re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', markup)
    assert heads == [
        "Plan", "Difference (days)", "95 % interval", "Customers", "Stay (days)", "Of the rest (days)", "Customers of the rest",
        "Corrected p", "Verdict", "Difference they show", "To (months)",
    ]  # fmt: skip


def test_a_group_is_withheld_where_it_or_its_rest_is_small():
    few = stays((3, 60, "choice", "few"), (50, 60, "choice", "many"), (60, 400, False, "many"), (40, 400, False, "more"))
    picture = figures.difference(churn.difference(few, by="plan"))
    assert "few" not in picture.text
    assert "Not shown: fewer than 5 customers (few)." in words(picture)
    held = [row for row in payload(picture)["results"][0]["rows"] if row["plan"] == "few"]
    assert {held[0][name] for name in ("estimate", "stay", "stay_rest", "n", "chi2")} == {None}
    pair = figures.difference(churn.difference(stays((3, 60, "choice", "few"), (50, 400, False, "many")), by="plan"))
    assert pair.reason is not None
    assert drawings(pair) == []


def test_groups_that_were_not_seen_so_long_are_not_compared_and_another_result_is_refused():
    short = stays((10, 60, "choice", "a"), (10, 90, False, "a"), (10, 80, False, "b"))
    assert figures.difference(churn.difference(short, by="plan")).text == (
        "No group and its rest were seen so long, so nothing is compared."
    )
    with pytest.raises(ValueError, match=r"^difference: this is 'survival_by_tenure_days', no difference of how long customers stay\. One"):
        figures.difference(churn.survival(APART))
    assert figures.difference(churn.difference(APART[:0], by="plan")).text == "There are no customers."


def test_a_curve_tells_whether_its_groups_differ():
    survival, differs = churn.survival(APART, by="plan"), churn.difference(APART, by="plan")
    picture = figures.curve(survival, differs)
    assert picture.text == f"{figures.curve(survival).text} {figures.difference(differs).text}"
    assert [each["name"] for each in payload(picture)["results"]] == ["survival_by_plan_tenure_days", "stay_difference_by_plan"]
    with pytest.raises(ValueError, match=r"^curve: what follows the curves must be differences of their groups, such as"):
        figures.curve(survival, survival)


# Ends


def test_how_customers_leave_is_said_reason_by_reason():
    assert figures.ends(churn.ends(LEFT)).text == (
        "After 12 months 60.0 of 100 who join are still with us (320 customers seen at that tenure). Left by then: choice 35.0 "
        "(95 % interval 30.5 to 39.9); moved 5.0 (3.3 to 7.6)."
    )


def test_of_several_groups_the_ends_of_the_reason_that_takes_most_are_said():
    found = figures.ends(churn.ends(LEFT, by="plan", at=[60])).text
    assert found.startswith("Left after 2 months, reason choice: most in free, 75.0 of 100 (95 % interval ")
    assert "fewest in paid, 0.0 of 100" in found
    assert found.endswith("1 other reason is in the table.")


def test_lines_carry_their_reason_and_a_single_tenure_has_dots():
    picture = figures.ends(churn.ends(LEFT))
    for svg in drawings(picture):
        texts = svg_texts(svg)
        assert {"Choice", "Moved", "35.0 % left", "5.0 % left"} <= set(texts)
    dots = figures.ends(churn.ends(LEFT, at=[365.25]))
    assert dots.alt.startswith("Dot and 95 % interval")
    assert "choice" in svg_texts(drawings(dots)[0])


def test_of_many_lines_eight_are_drawn():
    many = pd.concat([LEFT.assign(plan=f"plan {number}") for number in range(5)])
    assert "The 8 of 10 lines that reach highest are drawn; the table has all." in words(figures.ends(churn.ends(many, by="plan")))


def test_ends_that_cannot_be_told_apart_are_a_sentence():
    picture = figures.ends(churn.ends(LEFT.assign(end_reason=None)))
    assert picture.text == "Of nobody who left is it recorded why, so ends cannot be told apart."
    assert drawings(picture) == []


# Hazard


def test_the_danger_is_said_with_what_lies_above_by_more_than_chance():
    early = stays((40, 10, "choice", "a"), (10, 200, "choice", "a"), (150, 700, False, "a"))
    text = figures.hazard(churn.hazard(early)).text
    assert text == (
        "Of those still with us, from 0.0 % in months 12 to 24 (95 % interval 0.0 to 0.2; 150 customers) to 20.3 % in the first month "
        "(15.0 to 26.6; 200) leave in a month. By more than chance, more leave in the first month and fewer leave in "
        "months 1 to 6 and months 12 to 24 than at other tenures."
    )


def test_without_a_verdict_no_tenure_is_said_to_differ():
    level = stays(*((7 - place // 2, 30.4375 * place + 15, "choice", "a") for place in range(12)), (60, 400, False, "a"))
    found = churn.hazard(level)
    assert set(found["verdict"]) == {"cannot tell yet"}
    assert figures.hazard(found).text.endswith("No tenure lies above or below the others by more than chance.")


def test_the_table_of_dangers_counts_whoever_was_seen_in_the_band():
    markup = page(figures.hazard(churn.hazard(stays((40, 10, "choice", "a"), (150, 700, False, "a")))))
    assert re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', markup)[3] == "Seen in the band"


def test_bars_have_the_edges_of_the_bands_below_and_signs_on_top():
    picture = figures.hazard(churn.hazard(stays((40, 10, "choice", "a"), (10, 200, "choice", "a"), (150, 700, False, "a"))))
    wide = svg_texts(drawings(picture)[1])
    assert [text for text in wide if text in {"0", "1", "3", "6", "12", "24"}][-6:]
    assert "▲ 20.3" in wide
    assert "▼ 0.0" in wide


def test_several_groups_and_reasons_have_dots_the_largest_first():
    picture = figures.hazard(churn.hazard(LEFT, by="end_reason"))
    assert " to 13.7 % in the first month, choice (" in picture.text
    assert "choice, first month" in svg_texts(drawings(picture)[1])
    assert "The 15 largest of" not in words(picture)
    many = pd.concat([LEFT.assign(plan=f"plan {number}") for number in range(5)])
    assert "The 15 largest of 25 are drawn; the table has all." in words(figures.hazard(churn.hazard(many, by="plan")))


# Quantiles


def test_quantiles_are_said_share_by_share_and_what_is_not_reached_too():
    text = figures.table(churn.quantiles(LEFT, shares=[0.1, 0.25, 0.9])).text
    assert text == (
        "Of 100 who join have left: 10 after 1 month (95 % interval 1 to 1) and 25 after 9.9 months (9.9 to 9.9), of 400 customers. "
        "1 of the 3 shares is not reached."
    )
    parted = figures.table(churn.quantiles(LEFT, by="plan", shares=[0.5])).text
    assert parted.startswith("50 of 100 who join have left soonest in free, after 1 month (95 % interval ")
    assert parted.endswith("In 1 group so many have not left.")
    never = figures.table(churn.quantiles(stays((9, 100, False, "a")))).text
    assert never == "So few have left that none of these tenures is reached, of 9 customers."


@pytest.mark.parametrize("narrow", [True, False])
def test_every_letter_stays_within_its_picture(narrow):
    pictures = [
        figures.difference(churn.difference(APART, by="plan")),
        figures.ends(churn.ends(LEFT)),
        figures.hazard(churn.hazard(LEFT)),
    ]
    for picture in pictures:
        svg = drawings(picture)[0 if narrow else 1]
        assert f'width="{350 if narrow else 680}' in svg
