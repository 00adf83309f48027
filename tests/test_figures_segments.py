"""Groups against the rest and cross-tables in figures: what a verdict lets a sentence say, what letters mean, what is withheld."""

import math
import re

import numpy as np
import pandas as pd
import pytest
from figure_results import EVERYBODY, bundle, drawings, files, page, payload, svg_texts, words

from cxlib import figures, groups, survey
from cxlib.figures.lettered import unlettered
from cxlib.figures.settings import CURRENT, Settings
from cxlib.tables import nothing

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

ABOVE, BELOW, ALIKE, OPEN = "above", "below", "no material difference", "cannot tell yet"


@pytest.fixture(autouse=True)
def fresh():
    """Each test begins as a new kernel does."""
    CURRENT.__dict__.update(Settings().__dict__)


def against(*groups, measure="nps", unit=1.0, **keys):
    """A result of groups against the rest: each group is (name, verdict, difference, n)."""
    rows = []
    everybody = sum(n for *_, n in groups)
    for name, verdict, estimate, n in groups:
        row = {"plan": name, **keys, "measure": f"{measure}_difference", "estimate": unit * estimate}
        row |= {"low": unit * (estimate - 8), "high": unit * (estimate + 8), "level": 0.95, "n": n, "p_value": 0.001, "p_corrected": 0.0004}
        row |= {
            "verdict": verdict,
            "better": None,
            "margin": 5.0 * unit,
            "smallest_detectable": 12.5 * unit,
            "score": unit * (30 + estimate),
        }
        row |= {"score_low": unit * (24 + estimate), "score_high": unit * (36 + estimate), "score_rest": unit * 30, "n_rest": everybody - n}
        row |= {"n_both": 3, "pooled": unit * (30 + estimate / 2), "pooled_low": unit * 20, "pooled_high": unit * 40}
        rows.append(row | {"since": None, "until": None})
    return pd.DataFrame(rows)


SOME = against(("Members", BELOW, -12, 300), ("Guests", ABOVE, 9, 200), ("Staff", OPEN, -4, 90), ("Press", ALIKE, 1, 900))


# Words


def test_who_lies_apart_is_said_with_how_far_and_how_sure():
    assert figures.sentence(against(("Members", BELOW, -12, 300), ("Press", OPEN, 3, 300))).text == (
        "Members: 12 points below the rest (95 % interval 4 to 20): larger than chance. Of 2 groups, 1 cannot be told yet."
    )
    assert figures.sentence(SOME).text == (
        "Larger than chance: Members 12 points below the rest (95 % interval 4 to 20) and Guests 9 points above (1 to 17). "
        "Of 4 groups, 1 differs by less than the 5 points declared to matter and 1 cannot be told yet."
    )


def test_where_low_is_good_the_highest_comes_first():
    effort = against(("a", ABOVE, 0.5, 300), ("b", BELOW, -0.6, 300), measure="ces_effort")
    effort[["low", "high"]] = [[0.2, 0.8], [-0.9, -0.3]]
    said = "Larger than chance: a 0.50 points{} above the rest (95 % interval 0.20 to 0.80) and b 0.60 points below (0.30 to 0.90)."
    assert figures.sentence(effort).text == said.format("")
    effort = effort.assign(scale_low=1, scale_high=5)
    assert figures.sentence(effort).text == said.format(" on the scale 1 to 5")
    assert ">Difference (points on the scale 1 to 5)</th>" in page(figures.table(effort))


def test_a_difference_of_shares_is_in_percentage_points():
    csat = against(("Members", BELOW, -12, 300), ("Press", OPEN, 3, 300), measure="csat", unit=0.01)
    assert figures.sentence(csat).text.startswith("Members: 12.0 percentage points below the rest (95 % interval 4.0 to 20.0): larger")


def test_no_sentence_says_above_or_below_without_a_verdict():
    none = against(("a", OPEN, -12, 300), ("b", ALIKE, 3, 300), ("c", ALIKE, 2, 300))
    assert figures.sentence(none).text == (
        "No group lies above or below the rest by more than chance. "
        "Of 3 groups, 2 differ by less than the 5 points declared to matter and 1 cannot be told yet."
    )
    open_ = against(("a", OPEN, -12, 300), ("b", OPEN, 3, 300))
    assert figures.against(open_).text == "Whether any of 2 groups lies above or below the rest cannot be told yet."


def test_of_many_groups_four_are_named():
    many = against(*((name, BELOW, -20 + place, 300) for place, name in enumerate("abcdef")))
    assert figures.sentence(many).text.endswith("c 18 points below (10 to 26), d 17 points below (9 to 25) and 2 more.")


def test_a_group_without_a_key_is_spoken_of_by_what_is_not_recorded():
    assert figures.sentence(against((None, BELOW, -12, 300), ("a", ABOVE, 12, 300))).text.startswith(
        "Larger than chance: plan not recorded 12 points below the rest"
    )


# The picture and the table


def test_the_picture_has_the_verdict_in_words_beside_each_group_the_worst_first():
    piece = figures.against(SOME)
    assert piece.text == figures.sentence(SOME).text
    for svg in drawings(piece):
        said = svg_texts(svg)
        found = [text for text in said if " · " in text]
        assert found == ["18 · ▼ 12 below", "26 · ? cannot tell yet", "31 · ＝ no material difference", "39 · ▲ 9 above"]
        assert "Net Promoter Score, points from −100 to 100, with 95 % interval; bar: the rest, ring: pooled" in " ".join(said)
    alt = bundle(piece)[1]["image/svg+xml"]["alt"]
    assert alt.startswith("Dot and 95 % interval by plan; bar: the rest, ring: pooled: Net Promoter Score")
    assert alt.endswith(piece.text)


def test_the_ring_is_the_pooled_score_and_the_bar_the_rest():
    (ax,) = figures.against(SOME).axes
    rings = [(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.get_lines() if line.get_markerfacecolor() == "none"]
    assert rings == [(24.0, 0.5), (28.0, 1.5), (30.5, 2.5), (34.5, 3.5)]
    without = figures.against(SOME.assign(pooled=math.nan, pooled_low=math.nan, pooled_high=math.nan))
    assert not [line for line in without.axes[0].get_lines() if line.get_markerfacecolor() == "none"]
    assert "ring" not in bundle(without)[1]["image/svg+xml"]["alt"]


def test_the_table_has_both_scores_and_what_corrects_the_verdicts():
    html = page(figures.table(SOME))
    for head in ("Verdict", "Difference (points)", "Corrected p", "NPS (points)", "Of the rest", "Pooled", "Difference they show"):
        assert f">{head}</th>" in html
    assert "▼ below" in html
    assert ">−12.0</td>" in html
    assert ">18.0</td>" in html
    assert "corrected for 4 comparisons together (Benjamini and Hochberg); the intervals are not." in html
    (file,) = files(html)["text/csv"]
    assert file.splitlines()[0].lstrip("\ufeff").startswith("plan,measure,estimate,low,high,level,n,p_value,p_corrected,verdict")


def test_each_table_says_over_how_many_comparisons_the_verdicts_are_corrected_shown_or_not():
    random = np.random.default_rng(9)
    frame = pd.DataFrame({"plan": ["free"] * 60 + ["paid"] * 60 + [None] * 3, "region": random.choice(list("nsew"), 123)})
    frame["score"] = random.integers(0, 11, 123)
    plan, region = groups.breakdowns(frame, columns=["plan", "region"])
    together = "The verdicts are corrected for all 7 comparisons of this kind, any not shown among them, together (Benjamini and Hochberg)"
    assert page(figures.against(plan, region)).count(together) == 2
    (alone,) = groups.breakdowns(frame, columns=["region"])
    assert "The verdicts are corrected for 4 comparisons together (Benjamini and Hochberg)" in page(figures.table(alone))


def test_more_than_thirty_groups_are_drawn_at_either_end():
    many = against(*((f"g{place:02}", OPEN, place, 300) for place in range(40)))
    piece = figures.against(many)
    assert "The 15 groups at either end of 40 are drawn; the table has all." in page(piece)
    assert len([text for text in svg_texts(drawings(piece)[0]) if " · " in text]) == 30


def test_a_result_without_rows_says_why_and_another_result_is_refused():
    none = nothing(keys=["plan"], counts=[*SOME.columns[7:]], reason="No answer has a plan.")
    assert figures.against(none).text == figures.sentence(none).text == "No answer has a plan."
    with pytest.raises(ValueError, match=r"^against: this is 'nps', no comparison with the rest. One comes from groups.against_rest\("):
        figures.against(EVERYBODY)
    with pytest.raises(ValueError, match=r"^banner: this is 'nps', no banner. A banner comes from groups.banner\("):
        figures.banner(EVERYBODY)


def test_a_headline_may_say_who_lies_apart():
    assert figures.headline(EVERYBODY, SOME).text.endswith(figures.sentence(SOME).text)


# What is withheld


def test_a_small_group_and_the_next_smallest_are_withheld_with_all_their_numbers():
    result = against(("a", BELOW, -12, 300), ("b", OPEN, 7.77, 44), ("c", BELOW, -33.3, 4), ("d", OPEN, 1, 900))
    piece = figures.against(result)
    assert "Not shown: fewer than 5 answers (c)." in words(piece)
    assert "Not shown either, as the total would give a smaller group away: b." in words(piece)
    for number in ("37.77", "33.3", "7.77", "1204", "44"):
        assert number not in words(piece)
    hidden = [row for row in payload(piece)["results"][0]["rows"] if row["withheld"]]
    assert [row["plan"] for row in hidden] == ["b", "c"]
    assert {row[name] for row in hidden for name in ("estimate", "n_rest", "score", "score_rest", "pooled", "p_corrected", "n_both")} == {
        None
    }


def test_pooled_scores_that_learned_from_a_withheld_group_are_not_shown():
    learned = against(("a", BELOW, -12, 300), ("b", OPEN, 7, 44), ("c", BELOW, -33, 4), ("d", OPEN, 1, 900))
    rows = payload(figures.table(learned))["results"][0]["rows"]
    assert {row[name] for row in rows for name in ("pooled", "pooled_low", "pooled_high")} == {None}
    assert "Pooled scores are not shown, as they would help to work out a group that is withheld." in page(figures.table(learned))
    # Two groups of four hide each other, and nothing was learned from either.
    apart = against(("a", BELOW, -12, 300), ("b", OPEN, 7, 4), ("c", BELOW, -33, 4), ("d", OPEN, 1, 900))
    assert [row["pooled"] is None for row in payload(figures.table(apart))["results"][0]["rows"]] == [False, True, True, False]


def test_a_group_is_withheld_where_its_rest_is_small():
    result = against(("a", BELOW, -12, 300), (None, OPEN, 7, 3))
    rows = payload(figures.table(result))["results"][0]["rows"]
    assert [row["withheld"] for row in rows] == [True, True]
    assert figures.against(result).reason


@pytest.mark.parametrize("sizes", [(3, 60, 200, 300), (3, 4, 200, 300), (2, 2, 40, 300), (4, 400)])
def test_a_withheld_group_cannot_be_worked_out_from_any_row_that_is_shown(sizes):
    random = np.random.default_rng(3)
    table = pd.DataFrame({"plan": np.repeat([f"g{place}" for place in range(len(sizes))], sizes)})
    table["score"] = random.integers(0, 11, len(table))
    rows = payload(figures.table(groups.against_rest(table, by="plan")))["results"][0]["rows"]
    shown = [row for row in rows if not row["withheld"]]
    hidden = [size for size, row in zip(sizes, rows, strict=True) if row["withheld"]]
    if shown:
        # What is known is the total of a row less all rows shown: of two groups at least, and of five answers.
        assert shown[0]["n"] + shown[0]["n_rest"] - sum(row["n"] for row in shown) == sum(hidden)
        assert len(hidden) >= 2
        assert sum(hidden) >= 5


# The banner


def cross(table=None, **more):
    random = np.random.default_rng(6)
    plan = np.repeat(["free", "paid", "trial"], [200, 200, 100])
    score = np.where(plan == "free", random.integers(0, 9, 500), random.integers(5, 11, 500))
    table = pd.DataFrame({"plan": plan, "score": score, "channel": random.choice(["web", "desk"], 500)}) if table is None else table
    return groups.banner(table, **{"by": ["plan", "channel"], **more})


def test_a_banner_names_who_is_higher_than_whom():
    piece = figures.banner(cross())
    assert piece.text == "Loyalty (NPS) is higher, by more than chance, in paid than in free; in trial than in free."
    assert figures.banner(cross(by="channel")).text == "No difference between two columns in loyalty (NPS) can be told from chance."
    assert figures.table(cross()).text == piece.text
    assert figures.sentence(cross()).text == f"{piece.text} Nobody is named, so every answer is taken to be another person's."


def test_a_column_that_is_higher_than_many_says_how_many():
    table = pd.DataFrame({"plan": list("abcde") * 50, "score": [10, 2, 2, 2, 2] * 50})
    assert figures.banner(cross(table, by="plan")).text == "Loyalty (NPS) is higher, by more than chance, in a than in 4 other columns."


def test_letters_in_other_rows_are_counted_where_the_score_has_none():
    table = pd.DataFrame({"plan": ["a"] * 100 + ["b"] * 100, "score": [10, 3] * 50 + [7] * 100})
    assert figures.banner(cross(table, by="plan")).text == (
        "No difference between two columns in loyalty (NPS) can be told from chance. In its other rows 3 cells have a letter."
    )


def test_a_banner_has_a_table_for_each_breakdown_with_everybody_first_and_a_letter_for_each_column():
    html = page(figures.banner(cross()))
    assert html.count("<table>") == 2
    heads = [re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', table) for table in html.split("<table>")[1:]]
    assert heads == [["Share or score", "All", "A · free", "B · paid", "C · trial"], ["Share or score", "All", "A · desk", "B · web"]]
    rows = re.findall(r'<th scope="row"[^>]*>([^<]*)</th>', html)
    assert rows == ["Answers", "Promoters %", "Passives %", "Detractors %", "Loyalty (NPS)"] * 2
    assert '<b><span class="cx-heard">higher than </span>A</b>' in html
    assert "A letter names a column of the same table that the cell is higher than, by more than chance" in html
    (file,) = files(html)["text/csv"]
    assert file.splitlines()[0].lstrip("\ufeff") == (
        "breakdown,group,letter,row,measure,estimate,low,high,level,n,higher_than,p_corrected,tested,answers,n_eff,since,until,withheld"
    )
    assert 'download="nps_banner_by_plan_channel.csv"' in html


def test_the_numbers_of_a_cell_are_those_of_the_result():
    result = cross()
    html = page(figures.banner(result))
    row = result[(result["letter"] == "B") & (result["breakdown"] == "plan") & (result["row"] == "promoters")].iloc[0]
    cell = f'{100 * row["estimate"]:.1f} <b><span class="cx-heard">higher than </span>{row["higher_than"]}</b>'
    assert f'{cell}<br><span class="cx-base">{100 * row["low"]:.1f} to {100 * row["high"]:.1f}</span>' in html


def test_a_column_that_is_not_tested_says_so():
    table = pd.DataFrame({"plan": ["a"] * 50 + ["b"] * 50 + ["c"] * 20, "score": [9, 3] * 60})
    assert ">20, not tested</td>" in page(figures.banner(cross(table, by="plan")))


def test_ratings_have_their_tables_question_by_question():
    table = pd.DataFrame({"question": ["staff", "food"] * 100, "plan": ["a", "a", "b", "b"] * 50, "score": [5, 1, 4, 3] * 50})
    piece = figures.banner(cross(table, by="plan", measure=survey.Score("ratings", scale=(1, 5))))
    assert re.findall("<caption>([^<]*)</caption>", page(piece)) == ["food, by plan.", "staff, by plan."]
    assert piece.text == "The mean rating is higher, by more than chance, in b than in a (food); in a than in b (staff)."


def test_a_small_column_is_withheld_with_the_next_smallest_and_with_its_letters_elsewhere():
    table = pd.DataFrame({"plan": ["a"] * 90 + ["b"] * 90 + ["c"] * 60 + ["d"] * 3, "score": [10] * 90 + [0] * 93 + [5] * 60})
    result = cross(table, by="plan")
    assert result[(result["letter"] == "A") & (result["row"] == "nps")]["higher_than"].item() == "B C"
    piece = figures.banner(result)
    assert "Not shown: fewer than 5 answers (d)." in words(piece)
    assert "Not shown either, as the total would give a smaller group away: c." in words(piece)
    rows = payload(piece)["results"][0]["rows"]
    hidden = [row for row in rows if row["withheld"]]
    assert {row["letter"] for row in hidden} == {"C", "D"}
    assert {row[name] for row in hidden for name in ("estimate", "n", "answers", "n_eff", "tested", "higher_than", "p_corrected")} == {None}
    shown = [row for row in rows if not row["withheld"]]
    assert {row["higher_than"] for row in shown} == {"", "B", "A"}
    assert {row["p_corrected"] for row in shown} == {None}
    assert "fewer than 5" in page(piece)
    assert not re.search(r"\bC\b", piece.text)


def test_letters_of_another_breakdown_stay_where_a_column_is_withheld():
    frame = pd.DataFrame(
        {
            "breakdown": ["plan", "plan", "plan", "region", "region"],
            "letter": ["A", "B", "C", "A", "B"],
            "higher_than": ["B C", "C", "", "B", ""],
            "p_corrected": 0.01,
            "withheld": [False, True, False, False, False],
        }
    )
    found = unlettered(frame)
    assert found["higher_than"].tolist() == ["C", "C", "", "B", ""]
    assert found["p_corrected"].isna().tolist() == [True, True, True, False, False]


def test_a_banner_without_columns_says_why():
    piece = figures.banner(cross(pd.DataFrame({"plan": [None] * 5, "score": [9] * 5}), by="plan"))
    assert piece.text == piece.reason == "No answer has a plan."


# Several breakdowns in one picture


def of_region(*each):
    """The same kind of result for another breakdown."""
    return against(*each).rename(columns={"plan": "region"})


REGIONS = of_region(("North", ABOVE, 15, 400), ("South", OPEN, -3, 500), (None, OPEN, 2, 70))


def test_groups_of_several_breakdowns_are_ranked_in_one_picture_and_named_with_their_breakdown():
    piece = figures.against(SOME, REGIONS)
    assert piece.text == (
        "Larger than chance: Members (plan) 12 points below the rest (95 % interval 4 to 20), Guests (plan) 9 points above (1 to 17) "
        "and North (region) 15 points above (7 to 23). Of 7 groups, 1 differs by less than the 5 points declared to matter "
        "and 3 cannot be told yet."
    )
    assert "not recorded (region)" in " ".join(svg_texts(piece.svg()))
    assert piece.alt.startswith("Dot and 95 % interval by plan and region; bar: the rest, ring: pooled: ")
    assert len(payload(piece)["results"]) == 2


def test_those_that_stand_out_are_drawn_and_of_the_others_as_many_as_make_twelve():
    many = against(*((f"Plan {place:02d}", ABOVE if place in (1, 2) else OPEN, place, 100) for place in range(1, 17)))
    drawn = " ".join(svg_texts(figures.against(many, REGIONS).svg()))
    shown = [
        name for name in [*(f"Plan {place:02d} (plan)" for place in range(1, 17)), *("North (region)", "South (region)")] if name in drawn
    ]
    assert {"Plan 01 (plan)", "Plan 02 (plan)", "North (region)", "Plan 16 (plan)"} <= set(shown)
    assert len(shown) == 12
    assert "12 of 19 groups are drawn; the tables have all." in page(figures.against(many, REGIONS))


def test_a_breakdown_with_nothing_to_compare_says_why_beside_the_others():
    none = nothing(keys=["persona"], counts=list(SOME.columns[7:]), reason="No answer has a persona.")
    assert "No answer has a persona." in page(figures.against(SOME, none))
    assert figures.against(none, none).text == "No answer has a persona."


def test_groups_of_two_scores_are_not_ranked_in_one_picture():
    with pytest.raises(ValueError, match=r"^against: the results hold different measures \(csat_difference and nps_difference\); only"):
        figures.against(SOME, against(("Members", BELOW, -12, 300), measure="csat", unit=0.01))
    with pytest.raises(ValueError, match=r"^against: no result is given\. One comes from groups\.against_rest"):
        figures.against()


def test_what_is_not_shown_of_several_breakdowns_is_said_once():
    segment, plan = ["Home"] * 30 + ["Office"] * 29 + [None], ["Basic"] * 20 + [None] + ["Plus"] * 39
    rows = pd.DataFrame({"score": [10] * 30 + [3] * 30, "segment": segment, "plan": plan})
    said = page(figures.against(*groups.breakdowns(rows, columns=["segment", "plan"])))
    assert said.count("Not shown: fewer than 5 answers (segment not recorded and plan not recorded).") == 1
    assert said.count("are a group of their own") == 1
