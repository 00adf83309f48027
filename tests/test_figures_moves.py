"""Movements in figures: what a verdict lets a sentence say, its sign, its marks, and what is withheld."""

import datetime as dt
import math
import re

import numpy as np
import pandas as pd
import pytest
from figure_results import EVERYBODY, bundle, by_month, drawings, files, month, nps, page, payload, svg_texts, words

from cxlib import figures
from cxlib.figures import canvas
from cxlib.figures.moves import way_of
from cxlib.figures.settings import CURRENT, Settings
from cxlib.tables import nothing

UP, DOWN, ALIKE, OPEN = "up", "down", "no material change", "cannot tell yet"
COUNTS = {"verdict": "object", "between": "object", "n_before": "int64", "n_after": "int64", "since": "object", "until": "object"}


@pytest.fixture(autouse=True)
def fresh():
    """Each test begins as a new kernel does."""
    CURRENT.__dict__.update(Settings().__dict__)


def move(before, after, verdict, estimate=-14.0, *, measure="nps", between="month", ends=(38.0, 24.0), n=(220, 212), **keys):
    """One row of a movement."""
    gap = 0 in n
    row = {**keys, "before": before, "after": after, "measure": f"{measure}_change", "estimate": math.nan if gap else estimate}
    row |= {"low": estimate - 8, "high": estimate + 8, "level": 0.95, "n": min(n), "p_value": 0.001, "p_corrected": 0.0004}
    row |= {"verdict": verdict, "better": None, "margin": 5.0, "smallest_detectable": 29.2, "n_to_tell": 3801 if verdict == OPEN else pd.NA}
    row |= {"estimate_before": ends[0], "estimate_after": ends[1], "n_before": n[0], "n_after": n[1], "between": between}
    return row | {"since_before": before, "until_before": before, "since": after, "until": after}


def moves(*verdicts, measure="nps", **given):
    """Month against month, the last one into June 2026."""
    first = 23 - len(verdicts)
    rows = (
        move(month(first + place), month(first + place + 1), verdict, measure=measure, **given) for place, verdict in enumerate(verdicts)
    )
    return pd.DataFrame(rows)


def a_year(verdict):
    return pd.DataFrame([move(month(11), month(23), verdict, between="year")])


CHANGED = "(change −14 points, 95 % interval −22 to −6; 220 and 212 answers)"
FELL, SAME, UNKNOWN = (
    (f"Loyalty (NPS) fell from 38 to 24 points between May and June 2026 {CHANGED}: the fall is larger than chance."),
    (f"Loyalty (NPS) shows no material change between May and June 2026 {CHANGED}: smaller than the 5 points declared to matter."),
    (
        f"Whether loyalty (NPS) moved between May and June 2026 cannot be told yet {CHANGED}: "
        "212 answers alone show changes from about 29 points; not even ten times as many answers a month would tell."
    ),
)
ROSE = {"estimate": 14.0, "ends": (24.0, 38.0)}


@pytest.mark.parametrize(("verdict", "said"), [(DOWN, FELL), (ALIKE, SAME), (OPEN, UNKNOWN)])
def test_a_verdict_is_said_in_full(verdict, said):
    assert figures.sentence(moves(verdict)).text == figures.table(moves(verdict)).text == said


def test_what_rose_is_said_to_have_risen_and_low_is_good_where_it_is():
    assert figures.sentence(moves(UP, **ROSE)).text == (
        "Loyalty (NPS) rose from 24 to 38 points between May and June 2026 (change +14 points, 95 % interval +6 to +22; "
        "220 and 212 answers): the rise is larger than chance."
    )
    effort = moves(UP, measure="ces_effort", estimate=0.5, ends=(2.0, 2.5))
    assert figures.sentence(effort).text.endswith("the rise is larger than chance, and low is good.")


def test_the_change_of_a_share_is_in_percentage_points():
    csat = moves(DOWN, measure="csat").assign(estimate=-0.081, low=-0.12, high=-0.042, estimate_before=0.821, estimate_after=0.74)
    assert figures.sentence(csat).text == (
        "Satisfaction (CSAT) fell from 82.1 % to 74.0 % between May and June 2026 (change −8.1 percentage points, "
        "95 % interval −12.0 to −4.2; 220 and 212 answers): the fall is larger than chance."
    )
    assert '<th scope="col" class="cx-number">Change (percentage points)</th>' in page(figures.table(csat))


def test_all_comparisons_are_counted_and_those_that_moved_are_named():
    assert figures.sentence(moves(UP, ALIKE, OPEN, OPEN, DOWN)).text == (
        f"{FELL} Of 5 comparisons of a month with the one before, 2 moved by more than chance (up in February 2026; down in June 2026), "
        "1 shows no material change and 2 cannot be told yet. "
        "In 2 of them the interval alone leaves out 0, which among so many may be chance."
    )
    none = moves(OPEN, OPEN, estimate=-4.0)
    assert figures.sentence(none).text.endswith("None of 2 comparisons of a month with the one before can be told yet.")


def test_a_headline_says_whether_the_last_month_moved():
    start = "Loyalty (NPS) averaged 31 points (95 % interval 28 to 34; 2,746 answers, July 2024 to June 2026). "
    start += "In June 2026 it was 25 (19 to 31)."
    told = f"It fell from 38 to 24 points between May and June 2026 {CHANGED}: the fall is larger than chance."
    assert figures.headline(EVERYBODY, by_month(), moves(OPEN, DOWN)).text == f"{start} {told}"
    still = f"Whether it moved between May and June 2026 cannot be told yet {CHANGED}"
    nor = f"Nor can it be told against June 2025 {CHANGED}."
    both = figures.headline(EVERYBODY, by_month(), moves(OPEN), a_year(OPEN))
    assert both.text == f"{start} {still}: not even ten times as many answers a month would tell. {nor}"
    assert '<span class="cx-base">(change −14 points, 95\u00a0% interval −22 to −6; 220 and 212 answers).</span>' in page(both)


def test_a_change_of_a_mean_names_the_scale_of_its_answers():
    fell = moves(DOWN, measure="rating_mean", estimate=-0.4, ends=(3.9, 3.5)).assign(low=-0.7, high=-0.1, scale_low=1, scale_high=5)
    assert figures.sentence(fell).text == (
        "The mean rating fell from 3.90 to 3.50 between May and June 2026 (change −0.40 points on the scale 1 to 5, 95 % interval −0.70 "
        "to −0.10; 220 and 212 answers): the fall is larger than chance."
    )
    assert ">Change (points on the scale 1 to 5)</th>" in page(figures.table(fell))
    two = pd.concat([fell.assign(question="food", scale_high=10), fell.assign(question="staff")])
    two = two[["question", *two.columns.drop("question")]]
    assert figures.sentence(two).text == (
        "Between May and June 2026, food fell from 3.90 to 3.50 (change −0.40 points on the scale 1 to 10, 95 % interval −0.70 to −0.10; "
        "220 and 212 answers); staff fell from 3.90 to 3.50 (change −0.40 points on the scale 1 to 5, −0.70 to −0.10; 220 and 212 answers)."
    )
    assert ">Change (points)</th>" in page(figures.table(two))


def test_two_comparisons_are_told_together_only_where_they_end_in_one_month():
    month_ = pd.DataFrame([move(month(21), month(22), OPEN)])
    said = figures.trend(by_month(), month_, a_year(OPEN)).text
    assert "Nor can it" not in said
    assert "Whether it moved between June 2025 and June 2026 cannot be told yet" in said
    assert "Nor can it" in figures.trend(by_month(), moves(OPEN), a_year(OPEN)).text


def test_no_sentence_says_fell_or_rose_without_a_verdict():
    open_ = moves(OPEN, ALIKE, OPEN)
    for piece in (figures.headline(EVERYBODY, by_month(), open_), figures.trend(by_month(), open_), figures.cards(by_month(), open_)):
        assert not re.search(r" (fell|rose|fall|rise|down|up) ", piece.text)


@pytest.mark.parametrize(("verdict", "sign"), [(UP, "▲"), (DOWN, "▼"), (ALIKE, "＝"), (OPEN, "?")])
def test_a_card_has_a_sign_and_the_word_for_it(verdict, sign):
    piece = figures.cards(by_month(), moves(verdict))
    said = f"{verdict} 14 points against May 2026" if verdict in {UP, DOWN} else f"{verdict} against May 2026"
    assert payload(piece)["cards"][0]["moved"] == [{"verdict": verdict, "sign": sign, "words": said}]
    assert f'<p class="cx-card-verdict"><span aria-hidden="true">{sign}</span> {said}</p>' in page(piece)
    assert piece.text.endswith(f"June 2026; {said}")


def test_a_year_stands_beside_the_month_on_a_card():
    apart = payload(figures.cards(by_month(), moves(OPEN), a_year(DOWN)))["cards"][0]["moved"]
    assert [each["words"] for each in apart] == ["cannot tell yet against May 2026", "down 14 points against June 2025"]
    alike = payload(figures.cards(by_month(), moves(OPEN), a_year(OPEN)))["cards"][0]["moved"]
    assert [each["words"] for each in alike] == ["cannot tell yet against May 2026 or June 2025"]


def test_a_card_says_nothing_of_another_month():
    assert payload(figures.cards(by_month(23), moves(DOWN)))["cards"][0]["moved"] == []


def triangles(piece):
    return [(line.get_marker(), int(line.get_xdata()[0])) for line in piece.axes[0].get_lines() if line.get_marker() in {"^", "v"}]


def test_a_trend_is_marked_only_where_it_moved_and_its_words_say_so():
    june = 12 * 2026 + 5
    piece = figures.trend(by_month(), moves(UP, ALIKE, OPEN, DOWN), a_year(OPEN))
    assert triangles(piece) == [("^", june - 3), ("v", june)]
    alt = bundle(piece)[1]["image/svg+xml"]["alt"]
    assert "2 moved by more than chance (up in March 2026; down in June 2026)" in alt
    assert "months differ by chance" not in alt
    for svg in drawings(piece):
        assert "▲ ▼ moved by more than chance" in " ".join(svg_texts(svg))
    quiet = figures.trend(by_month(), moves(OPEN, ALIKE))
    assert triangles(quiet) == []
    assert "▲" not in words(quiet).replace("▲ up", "")


def a_span(verdict):
    row = move(month(9), month(21), verdict, between="last 3 months")
    return pd.DataFrame([row | {"until_before": dt.date(2025, 6, 30), "until": dt.date(2026, 6, 30)}])


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (DOWN, "down from 38 to 24 points between Apr–Jun 2025 and Apr–Jun 2026"),
        (ALIKE, "no material change: 38 to 24 points, Apr–Jun 2025 to Apr–Jun 2026"),
        (OPEN, "cannot tell yet: 38 to 24 points, Apr–Jun 2025 to Apr–Jun 2026"),
    ],
)
def test_a_card_gives_both_scores_of_a_span_because_its_own_number_is_that_of_a_month(verdict, said):
    assert [each["words"] for each in payload(figures.cards(by_month(), a_span(verdict)))["cards"][0]["moved"]] == [said]


def test_on_a_card_both_scores_of_a_span_have_their_unit_once():
    shares = [each.assign(measure=name, estimate=0.775) for each, name in ((by_month(), "csat"), (a_span(OPEN), "csat_change"))]
    shares[1] = shares[1].assign(estimate=-0.047, estimate_before=0.822, estimate_after=0.775)
    (card,) = payload(figures.cards(*shares))["cards"]
    assert [each["words"] for each in card["moved"]] == ["cannot tell yet: 82.2 to 77.5 %, Apr–Jun 2025 to Apr–Jun 2026"]


@pytest.mark.parametrize(("verdict", "found"), [(DOWN, [("v", 12 * 2026 + 4)]), (OPEN, [])])
def test_the_months_that_a_verdict_compared_are_marked_together_and_a_triangle_where_they_moved(verdict, found):
    piece = figures.trend(by_month(), a_span(verdict))
    assert triangles(piece) == found
    lines = [
        path
        for each in piece.axes[0].collections
        if len(each.get_linewidths()) and each.get_linewidths()[0] == 3.5
        for path in each.get_segments()
    ]
    assert [[tuple(point) for point in line] for line in lines] == [
        [(12 * 2025 + 2.7, 38.0), (12 * 2025 + 5.3, 38.0)],
        [(12 * 2026 + 2.7, 24.0), (12 * 2026 + 5.3, 24.0)],
    ]
    words_ = " ".join(svg_texts(drawings(piece)[1]))
    assert "thick lines: the months" in words_
    assert ("moved by more than chance" in words_) == bool(found)


def test_how_many_would_tell_is_said_of_what_there_can_be():
    assert figures.sentence(moves(OPEN).assign(n_to_tell=1_234)).text.endswith("about 1,300 answers a month would tell.")
    assert figures.sentence(moves(OPEN).assign(n_to_tell=2_121)).text.endswith("not even ten times as many answers a month would tell.")


def test_a_year_on_year_movement_is_marked_where_no_month_was():
    assert triangles(figures.trend(by_month(), moves(OPEN), a_year(DOWN))) == [("v", 12 * 2026 + 5)]


def test_the_tables_of_all_movements_are_folded_under_a_trend():
    markup = page(figures.trend(by_month(), moves(UP, OPEN, **ROSE), a_year(DOWN)))
    assert markup.count("<details") == 1
    assert list(re.findall(r'download="([^"]+)"', markup)) == [
        "nps_by_month.csv", "nps_change_by_month.csv", "nps_change_by_year.csv",
    ]  # fmt: skip
    assert "The verdicts are corrected for 2 comparisons together (Benjamini and Hochberg); the intervals are not." in markup
    of_report = moves(UP, OPEN)
    of_report.attrs["together"] = 31
    assert "The verdicts are corrected for all 31 comparisons of this kind on the page together" in page(figures.table(of_report))
    row = next(row for row in re.findall(r"<tr>(.*?)</tr>", markup) if "▲ up" in row)
    cells = re.findall(r">([^<]*)</t[hd]>", row)
    assert cells == ["May 2026", "Apr 2026", "▲ up", "+14.0", "+6.0 to +22.0", "below 0.001", "24.0", "38.0", "220", "212", "29 points", ""]
    assert len(files(markup)["text/csv"][1].splitlines()) == 3


def test_the_record_holds_a_movement_unrounded_and_with_its_verdict():
    one, two = payload(figures.trend(by_month(), moves(DOWN)))["results"]
    assert (one["name"], two["name"], two["keys"]) == ("nps_by_month", "nps_change_by_month", ["before", "after"])
    assert (two["rows"][0]["verdict"], two["rows"][0]["estimate"], two["rows"][0]["after"]) == ("down", -14.0, "2026-06-01")


def test_a_change_is_withheld_where_either_period_is_small():
    frame = pd.DataFrame(
        [move(month(0), month(1), OPEN, n=(90, 3)), move(month(1), month(2), OPEN, n=(3, 4)), move(month(2), month(3), DOWN, n=(4, 80))]
    )
    frame = pd.concat([frame, pd.DataFrame([move(month(3), month(4), DOWN, n=(80, 70))])], ignore_index=True)
    piece = figures.table(frame)
    assert [row["withheld"] for row in payload(piece)["results"][0]["rows"]] == [True, True, True, False]
    rows = payload(piece)["results"][0]["rows"]
    assert {name for name, value in rows[0].items() if value is not None} == {"before", "after", "measure", "between", "withheld"}
    assert "not shown: fewer than 5 answers" in page(piece)


def test_a_period_withheld_for_the_sake_of_another_is_withheld_of_its_changes():
    """Of the series, the total less all other months would give the small one away."""
    sizes = [90, 3, 40, 80]
    series = nps(*(({"month": month(place)}, 10.0, 5.0, 15.0, size) for place, size in enumerate(sizes)))
    hidden = [row["withheld"] for row in payload(figures.table(series))["results"][0]["rows"]]
    assert hidden == [False, True, True, False]
    frame = pd.DataFrame([move(month(place), month(place + 1), OPEN, n=tuple(sizes[place : place + 2])) for place in range(3)])
    piece = figures.sentence(frame)
    assert [row["withheld"] for row in payload(piece)["results"][0]["rows"]] == [True, True, True]
    assert "38" not in words(piece)


def test_a_gap_is_compared_with_nothing_and_is_no_movement():
    frame = pd.concat([moves(DOWN), pd.DataFrame([move(month(23), month(24), OPEN, n=(90, 0))])], ignore_index=True)
    frame.attrs["notes"] = ["1 of 2 comparisons have no answers in one of their periods; nothing is compared across a gap."]
    piece = figures.table(frame)
    assert piece.text == FELL
    assert "not compared" in page(piece)
    assert "nothing is compared across a gap." in page(piece)


NONE = nothing(keys=["before", "after"], counts=COUNTS, reason="All answers are of one month, so there is none to compare it with.")


def test_where_nothing_can_be_compared_the_reason_is_said_and_everything_else_stands():
    assert figures.sentence(NONE).text == figures.table(NONE).reason == NONE.attrs["reason"]
    assert figures.headline(EVERYBODY, by_month(), NONE).text == figures.headline(EVERYBODY, by_month()).text
    assert figures.cards(by_month(), NONE).text == figures.cards(by_month()).text
    assert figures.trend(by_month(), NONE).text == f"{figures.trend(by_month()).text} {NONE.attrs['reason']}"
    assert figures.trend(by_month(1), NONE).text == figures.trend(by_month(1)).text
    missing = nothing(keys=["month"], counts=["promoters"], reason="Nobody was asked.")
    for piece in (figures.trend(missing, NONE), figures.cards(missing, NONE)):
        assert piece.reason == piece.text == "Nobody was asked."


def test_groups_that_moved_are_named_and_the_others_counted():
    frame = pd.DataFrame(
        [move(month(22), month(23), verdict, segment=name) for name, verdict in (("Home", OPEN), ("Office", DOWN), (None, ALIKE))]
    )
    piece = figures.sentence(frame)
    assert piece.text == (
        f"Between May and June 2026, Office fell from 38 to 24 points {CHANGED}; "
        "of 3 groups, 1 shows no material change and 1 cannot be told yet."
    )
    assert piece.name == "nps_change_by_segment_month"


WAYS = {
    "month": (month(4), month(5), "between November and December 2024"),
    "quarter": (month(0), month(3), "between Q3 2024 and Q4 2024"),
    "year": (month(0), month(12), "between July 2024 and July 2025"),
    "wave": ("2025 spring", "2025 autumn", "between 2025 spring and 2025 autumn"),
    "window": (month(0), month(6), "between July 2024 and January 2025"),
}


@pytest.mark.parametrize("way", WAYS)
def test_periods_are_called_by_what_they_are(way):
    before, after, said = WAYS[way]
    frame = pd.DataFrame([move(before, after, DOWN, between=way)])
    assert way_of(frame) == way
    assert said in figures.sentence(frame).text


def test_a_window_is_named_by_its_answers_and_no_window_is_taken_for_a_month():
    frame = pd.DataFrame([move(dt.date(2025, 1, 1), dt.date(2026, 1, 1), DOWN, between="last 6 months")])
    frame = frame.assign(until_before=dt.date(2025, 6, 28), until=dt.date(2026, 6, 30))
    assert "between Jan–Jun 2025 and Jan–Jun 2026" in figures.sentence(frame).text
    one = pd.DataFrame([move(dt.date(2026, 6, 1), dt.date(2026, 6, 16), DOWN, between="windows")])
    assert "between the days from 1 June 2026 and the days from 16 June 2026" in figures.sentence(one).text


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '" onload="alert(3)', "</style><img src=x onerror=alert(5)>", "=1+2"])
def test_hostile_waves_and_groups_are_only_ever_text(text):
    frame = pd.DataFrame([move(text, f"{text} later", DOWN, segment=name) for name in (text, "kind")])
    for piece in (figures.table(frame), figures.sentence(frame), figures.headline(EVERYBODY, frame)):
        assert set(re.findall(r"<(/?\w+)", page(piece))).isdisjoint({"script", "/script", "style", "/style", "img"})
        assert not re.search(r"<[^>]*\son\w+=", re.sub(r'"[^"]*"', '""', page(piece)))
    for file in files(page(figures.table(frame))).get("text/csv", []):
        assert not re.search(r"(^|,)=", file, flags=re.MULTILINE)


MISTAKES = {
    "no movement": (
        lambda: figures.trend(by_month(), EVERYBODY),
        "trend: what follows the score must be its movements, such as survey.movement(responses); this is 'nps'.",
    ),
    "another score": (
        lambda: figures.trend(by_month(), moves(DOWN, measure="csat")),
        "trend: this is the movement of 'csat', but the score is 'nps'.",
    ),
    "no score before": (lambda: figures.cards(moves(DOWN)), "cards: a movement comes after its score, and there is none before the first."),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_answered_with_a_letter(name):
    ask, letter = MISTAKES[name]
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        ask()
    assert str(raised.value) == letter


def test_marks_stand_on_the_page_of_a_phone_in_the_few_colours_and_the_same_to_the_byte():
    piece, again = (figures.trend(by_month(), moves(UP, OPEN, DOWN)) for _ in range(2))
    assert bundle(piece) == bundle(again)
    for svg in drawings(piece):
        assert set(re.findall(r"(?:fill|stroke): (#\w{6})", re.sub(r"<style.*?</style>", "", svg, flags=re.S))) <= set(canvas.DARK)
    assert 'width="350"' in drawings(piece)[0]


def test_numbers_that_are_missing_are_left_out_of_the_sentence():
    bare = moves(OPEN).assign(smallest_detectable=np.nan, n_to_tell=pd.NA)
    assert figures.sentence(bare).text.endswith(f"cannot be told yet {CHANGED}.")
