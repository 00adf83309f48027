"""What is easily got wrong: undated months, keys nobody has, numbers that are withheld and still steer something."""

import datetime as dt
import json
import re

import pandas as pd
import pytest
from figure_results import EVERYBODY, bundle, files, month, nps, page, payload, survival

from cxlib import figures
from cxlib.figures.settings import CURRENT, Settings
from cxlib.tables import nothing

K = 5
NAMES = ["North", "South", "East", "West", None]
PLANS = ["free", "paid"]


@pytest.fixture(autouse=True)
def fresh():
    CURRENT.__dict__.update(Settings().__dict__)


def groups(sizes, keys=None):
    """NPS of groups of these sizes; a group nobody belongs to has no estimate."""
    names = keys or [{"segment": name} for name in NAMES]
    chosen = zip(names, sizes, strict=False)
    return nps(*((name, 10.0 + place if n else float("nan"), 5.0, 20.0, n) for place, (name, n) in enumerate(chosen)))


def hidden(piece):
    """Which rows of a payload are withheld."""
    return [row["withheld"] for row in payload(piece)["results"][0]["rows"]]


def disturbed(frame, places, shift):
    """The same result with other numbers, but for n, in some of its rows."""
    changed = frame.copy()
    for column in ("estimate", "low", "high"):
        changed.loc[places, column] += shift
    for column in ("promoters", "passives", "detractors", "n_eff"):
        changed.loc[places, column] += 1
    changed.loc[places, "since"] = dt.date(1999, 1, 1)
    return changed


def stored(piece):
    return json.dumps(bundle(piece), allow_nan=False)


@pytest.mark.parametrize("sizes", [[3, 10, 9, 4, 8], [1, 40, 30], [4, 4, 4], [2, 3]])
def test_numbers_that_are_withheld_change_no_byte_of_words_tables_files_and_record(sizes):
    frame = groups(sizes)
    gone = [place for place, held in enumerate(hidden(figures.table(frame))) if held]
    other = disturbed(frame, gone, 50.0)
    assert gone
    for ask in (figures.table, figures.sentence):
        assert stored(ask(frame)) == stored(ask(other))


def test_numbers_that_are_withheld_change_no_byte_of_pictures():
    frame = groups([3, 10, 9, 4, 8])
    gone = [place for place, held in enumerate(hidden(figures.table(frame))) if held]
    other = disturbed(frame, gone, 50.0)
    assert gone
    assert stored(figures.intervals(frame, than=EVERYBODY)) == stored(figures.intervals(other, than=EVERYBODY))
    months = frame.rename(columns={"segment": "month"}).assign(month=[month(number) for number in range(5)])
    gone = [place for place, held in enumerate(hidden(figures.table(months))) if held]
    other = disturbed(months, gone, 50.0)
    assert stored(figures.trend(months)) == stored(figures.trend(other))
    assert stored(figures.cards(months)) == stored(figures.cards(other))


def test_a_group_without_a_key_is_withheld_when_small_and_takes_nobody_with_it():
    table = figures.table(groups([40, 30, 20, 10, 3]))
    assert hidden(table) == [False, False, False, False, True]
    assert payload(table)["withheld"] == 1
    keys = [{"segment": name, "plan": plan} for name in ("North", None) for plan in PLANS]
    assert hidden(figures.table(groups([40, 30, 3, 20], keys))) == [False, False, True, False]


def test_a_group_without_a_key_is_withheld_for_another_only_where_nobody_else_is_left():
    two = [{"segment": "North"}, {"segment": None}]
    assert hidden(figures.table(groups([3, 50], two))) == [True, True]
    three = [{"segment": "North"}, {"segment": "South"}, {"segment": None}]
    assert hidden(figures.table(groups([3, 80, 50], three))) == [True, True, False]


UNDATED = nps(
    ({"month": dt.date(2026, 5, 1)}, 33.0, 29.0, 37.0, 200),
    ({"month": dt.date(2026, 6, 1)}, 24.0, 20.0, 28.0, 200),
    ({"month": None}, -50.0, -54.0, -46.0, 200),
)


def test_answers_without_a_date_are_no_month_of_a_series():
    says = (
        "In June 2026 loyalty (NPS) was 24 points (95 % interval 20 to 28; 200 answers). "
        "Over the 2 months shown the estimate lay between 24 (June 2026) and 33 points (May 2026); months differ by chance alone, too."
    )
    assert figures.sentence(UNDATED).text == figures.trend(UNDATED).text == says
    assert figures.headline(EVERYBODY, UNDATED).text.endswith("In June 2026 it was 24 (20 to 28).")
    assert payload(figures.cards(UNDATED))["cards"][0]["window"] == "June 2026"
    assert '<th scope="row">not recorded</th>' in page(figures.table(UNDATED))


def test_a_line_of_months_leaves_out_what_has_no_month():
    more = pd.concat([UNDATED, nps(({"month": dt.date(2026, 4, 1)}, 40.0, 36.0, 44.0, 200))], ignore_index=True)
    assert 'alt="3 months from April 2026 to June 2026: lowest 24 points (June 2026), highest 40 points (April 2026)."' in page(
        figures.cards(more)
    )


def test_a_series_of_which_only_the_undated_are_left_says_so():
    left = UNDATED.assign(n=[0, 0, 200], estimate=[float("nan"), float("nan"), 30.0])
    for piece in (figures.trend(left), figures.headline(left), figures.cards(left), figures.sentence(left)):
        assert piece.text == piece.reason == "No month can be shown: what is left carries no date."


def test_a_card_of_a_curve_that_ends_early_says_when_it_was_read():
    card = payload(figures.cards(survival(0.7, months=7)))["cards"][0]
    assert (card["value"], card["window"]) == ("74.3 %", "after 6 months")
    late = payload(figures.cards(survival(0.3, months=24).tail(1)))["cards"][0]
    assert (late["value"], late["window"]) == ("30.0 %", "after 24 months")


def test_cards_that_all_miss_for_one_reason_say_it_once():
    none = nothing(keys=[], counts=["promoters"], reason="The table of responses has no rows.")
    piece = figures.cards(none, none, none)
    assert page(piece) == '<p class="cx-note">The table of responses has no rows.</p>'
    assert piece.text == piece.reason == "The table of responses has no rows."
    assert [card["title"] for card in payload(piece)["cards"]] == ["Loyalty (NPS)"] * 3


def test_cards_that_miss_for_different_reasons_say_each_on_its_own():
    loyalty = nothing(keys=[], counts=["promoters"], reason="No question is about loyalty.")
    effort = nothing(keys=[], counts=["easy"], reason="No question is about effort.")
    piece = figures.cards(loyalty, effort)
    assert piece.text == "Loyalty (NPS): No question is about loyalty.\nEase (CES): No question is about effort."
    assert piece.reason == "No question is about loyalty. No question is about effort."
    assert page(piece).count("cx-card-title") == 2


def test_groups_are_not_set_against_another_measure():
    letter = "intervals: the groups hold 'nps', but than holds 'csat'; only one measure can be compared."
    with pytest.raises(ValueError, match=f"^{letter}$"):
        figures.intervals(groups([40, 30]), than=EVERYBODY.assign(measure="csat"))


def test_groups_of_two_measures_may_be_set_against_everybody_of_both():
    def both(frame):
        return pd.concat([frame.assign(measure="ces_share"), frame.assign(measure="ces_mean")], ignore_index=True)

    plans = nps(({"plan": "a"}, 0.6, 0.55, 0.65, 300), ({"plan": "b"}, 0.8, 0.75, 0.85, 300))
    assert figures.intervals(both(plans), than=both(nps(({}, 0.7, 0.65, 0.75, 600)))).text == (
        "A is lowest at 60.0 % (95 % interval 55.0 to 65.0; 300 answers); b is highest at 80.0 % (75.0 to 85.0; 300). "
        "Of 2 intervals, 1 lies wholly below and 1 lies wholly above the 70.0 % of all together."
    )


def test_a_formula_is_defused_in_letters_of_any_width_and_half_a_letter_breaks_no_file():
    frame = nps(({"plan": "＝cmd|' /C calc'!A0"}, 10.0, 5.0, 15.0, 100), ({"plan": "half \ud800"}, 20.0, 15.0, 25.0, 100))
    rows = files(page(figures.table(frame)))["text/csv"][0].splitlines()
    assert rows[1].startswith("'＝cmd|' /C calc'!A0,nps,10.0,5.0,15.0,")
    assert rows[2].startswith("half ?,nps,20.0,")


@pytest.mark.parametrize(
    ("target", "words"),
    [("nps 20", "target 20 points: reached"), ("nps 55", "target 55 points: missed"), ("nps 31", "target 31 points: cannot tell yet")],
)
def test_a_card_says_whether_the_target_lies_wholly_to_one_side_of_the_interval(target, words):
    card = payload(figures.cards(EVERYBODY, targets=[target]))["cards"][0]
    assert card["target"] == words
    assert words in figures.cards(EVERYBODY, targets=[target]).text
    assert words.capitalize() in page(figures.cards(EVERYBODY, targets=[target]))


def test_of_churn_less_is_better_and_its_target_is_an_upper_one():
    churn = pd.DataFrame({"measure": ["churn_rate"], "estimate": [0.02], "low": [0.01], "high": [0.03], "level": 0.95, "n": [900]})
    told = [payload(figures.cards(churn, targets=[f"churn_rate {target}"]))["cards"][0]["target"] for target in (0.05, 0.005)]
    assert told == ["target 5.0 %: reached", "target 0.5 %: missed"]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nps", "cards: 'nps' is no target; write the measure and a number, such as 'nps 40' or 'csat 0.8'."),
        ("csat 0.8", "cards: there is no card of 'csat' for the target 'csat 0.8'; there are nps."),
    ],
)
def test_a_target_that_is_none_is_refused_in_words(target, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        figures.cards(EVERYBODY, targets=[target])
