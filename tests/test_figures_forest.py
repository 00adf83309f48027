"""Hazard ratios in figures: what is said of them, what stands where, what is withheld, and never a cause."""

import math

import pandas as pd
import pytest
from figure_results import drawings, page, payload, ratio, ratios, svg_texts

from cxlib import figures, leaving
from cxlib.figures.ratios import times
from cxlib.figures.settings import CURRENT, Settings
from cxlib.tables import nothing


@pytest.fixture(autouse=True)
def fresh():
    """Each test begins as a new kernel does."""
    CURRENT.__dict__.update(Settings().__dict__)


def test_the_caption_names_who_leaves_sooner_then_later_and_counts_the_rest():
    assert figures.forest(ratios()).text == (
        "On any day, all else in the model alike, leaving is 1.5 times as likely with plan Basic as with Plus (95 % interval 1.1 to 1.9; "
        "215 leavers); 0.57 times as likely with plan Premium as with Plus (0.41 to 0.80; 59). Of 4 ratios, 1 is within the 1.1 times "
        "declared not to matter and 1 cannot be told yet. That they go together does not say that one brings about the other."
    )


def test_of_yes_and_no_a_ratio_is_with_it_as_without():
    rows = [ratio("slow ticket", "no", 1.0, "reference", reference="no")]
    rows += [ratio("slow ticket", "yes", 1.6, "leaves sooner", reference="no", events=212, spread=1.2)]
    assert figures.sentence(pd.DataFrame(rows)).text == (
        "On any day, all else in the model alike, leaving is 1.6 times as likely with slow ticket as without (95 % interval 1.3 to 1.9; "
        "212 leavers). That they go together does not say that one brings about the other."
    )


def test_a_ratio_of_some_tenures_says_of_which():
    rows = [ratio("plan", "Plus", 1.0, "reference", stretch=stretch) for stretch in ("up to day 365", "after day 365")]
    rows += [ratio("plan", "Basic", 2.0, "leaves sooner", stretch="after day 365")]
    piece = figures.forest(pd.DataFrame(rows))
    assert "2.0 times as likely with plan Basic as with Plus, after day 365 (" in piece.text
    assert "plan, after day 365" in svg_texts(drawings(piece)[1])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            [ratio("plan", "Basic", 1.2, "cannot tell yet"), ratio("plan", "Premium", 0.9, "cannot tell yet")],
            "Whether leaving is more or less likely in any of 2 categories cannot be told yet.",
        ),
        (
            [ratio("plan", "Basic", 1.2, "cannot tell yet"), ratio("plan", "Premium", 1.0, "no material difference", margin=1.1)],
            (
                "In no category is leaving more or less likely by more than chance. Of 2 ratios, 1 is within the 1.1 times declared not to "
                "matter and 1 cannot be told yet."
            ),
        ),
        (
            [ratio("plan", "Plus", 1.0, "reference"), ratio("plan", "Basic", math.nan, "not told apart")],
            "No category can be told apart from the one it is compared with.",
        ),
    ],
)
def test_where_no_ratio_is_larger_than_chance_none_is_named(rows, words):
    assert figures.forest(pd.DataFrame(rows)).text == words


def test_four_ratios_are_named_the_farthest_from_1_and_the_others_counted():
    rows = [
        ratio("plan", name, value, "leaves sooner" if value > 1 else "leaves later")
        for name, value in zip("abcdef", (2, 3, 0.2, 0.6, 1.5, 4), strict=True)
    ]
    text = figures.forest(pd.DataFrame(rows)).text
    assert [text.index(f"with plan {name} ") for name in "fbac"] == sorted(text.index(f"with plan {name} ") for name in "fbac")
    assert "with plan d " not in text
    assert "Of 6 ratios, 2 more differ by more than chance." in text


@pytest.mark.parametrize(
    ("said", "hidden", "rest"),
    [
        (["plan a", "region c", "ticket f", "channel e"], ["plan b", "region d"], "Of 6 ratios, 2 more differ by more than chance."),
        (["plan a", "region c", "region d", "plan b"], ["ticket f", "channel e"], "That they go together"),
    ],
)
def test_the_strongest_category_of_each_covariate_is_named_before_a_second_one_of_any(said, hidden, rest):
    values = {"plan a": 3, "plan b": 0.4, "region c": 1.9, "region d": 1.8, "channel e": 0.6, "ticket f": 1.46}
    told = said if "more" not in rest else values
    rows = [ratio(*name.split(), values[name], "leaves sooner" if values[name] > 1 else "leaves later") for name in told]
    text = figures.forest(pd.DataFrame(rows)).text
    places = [text.index(f"with {name} ") for name in said]
    assert places == sorted(places)
    assert not any(name in text for name in hidden)
    assert rest in text


def test_every_line_has_its_verdict_as_a_sign_and_a_word_and_the_reference_its_one():
    for svg in drawings(figures.forest(ratios())):
        said = svg_texts(svg)
        assert {"▲ sooner", "▼ later", "＝ alike", "? cannot tell yet", "• compared with", "– not told apart", "1"} <= set(said)
        assert "1.5 (1.1 to 1.9)" in said
        assert {"0.5", "1"} <= set(said), "round values on the scale"


def test_an_interval_far_beyond_the_others_does_not_squeeze_them():
    frame = pd.concat([ratios(), pd.DataFrame([ratio("campaign", "sent", 1.1, "cannot tell yet", spread=500)])], ignore_index=True)
    (ax,) = figures.forest(frame).axes
    low, high = ax.get_xlim()
    assert high / low < 30


def test_a_category_of_fewer_than_five_spells_is_withheld_and_named():
    frame = pd.concat([ratios(), pd.DataFrame([ratio("plan", "Gold", 3.0, "leaves sooner", n=3, events=2)])], ignore_index=True)
    piece = figures.forest(frame)
    assert "Gold" not in piece.text
    assert all("Gold" not in svg_texts(svg) for svg in drawings(piece))
    assert "Not shown: fewer than 5 spells (plan · Gold" in page(piece)
    assert [row["estimate"] for row in payload(piece)["results"][0]["rows"] if row["category"] == "Gold"] == [None]


def test_more_categories_than_can_be_compared_are_said():
    frame = pd.DataFrame([ratio("region", f"R{number}", 1.2, "cannot tell yet") for number in range(45)])
    assert "The first 40 of 45 categories are drawn; the table has all." in page(figures.forest(frame))


def test_ratios_are_rounded_for_eyes_but_not_to_a_1_that_they_are_not():
    assert [times(value) for value in (0.0512, 0.954, 1.03, 1.05, 1.64, 12.3, math.nan)] == ["0.05", "0.95", "1.03", "1.1", "1.6", "12", ""]


def test_what_is_no_hazard_ratio_is_refused_and_a_reason_is_said():
    with pytest.raises(ValueError, match=r"^forest: this is 'nps', no hazard ratios\. They come from leaving\.effects\(model\)\.$"):
        figures.forest(pd.DataFrame({"measure": ["nps"], "estimate": [1.0], "low": [0.0], "high": [2.0], "level": [0.95], "n": [9]}))
    empty = leaving.effects(
        leaving.model(pd.DataFrame({"customer": ["a"], "tenure_days": [3], "churned": [False], "plan": ["x"]}), of="plan")
    )
    piece = figures.forest(empty)
    assert piece.text == "Nobody has left, so nothing tells who leaves sooner."
    assert piece.name == "hazard_ratio_by_covariate_category_stretch"
    assert nothing(keys=["covariate"], counts=["df"], reason="x").attrs["reason"] == "x"


def checks(*verdicts):
    rows = [
        {"covariate": name, "measure": "proportionality", "estimate": 3.2, "low": math.nan, "high": math.nan, "level": 0.95, "n": 900}
        | {"df": 2, "p_value": 0.01, "p_corrected": 0.02, "verdict": verdict, "advice": "Something to do."}
        for name, verdict in zip(["plan", "region", "segment"], verdicts, strict=False)
    ]
    return pd.DataFrame(rows)


def test_checks_of_proportionality_say_which_ratios_change():
    steady = "no sign that it changes"
    changes = "changes with tenure"
    said = [figures.table(checks(*each)).text for each in ((steady, steady), (changes, steady), (changes, changes, steady))]
    assert said == [
        "None of 2 covariates shows a sign that its ratios change with tenure.",
        "Plan: its ratio is a mean over tenures, and changes with them by more than chance.",
        "Plan and region: their ratios are means over tenures, and change with them by more than chance.",
    ]
    table = page(figures.table(checks(changes)))
    assert "≠ changes with tenure" in table
    assert "Something to do." in table
