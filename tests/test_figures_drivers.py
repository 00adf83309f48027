"""Drivers in figures: what is said to matter, what is refused, what stands where, and what is withheld."""

import math

import numpy as np
import pandas as pd
import pytest
from figure_results import bundle, drawings, page, payload, svg_texts

from cxlib import figures
from cxlib.figures import canvas
from cxlib.figures.settings import CURRENT, Settings
from cxlib.tables import nothing


@pytest.fixture(autouse=True)
def fresh():
    """Each test begins as a new kernel does."""
    CURRENT.__dict__.update(Settings().__dict__)


def driver(name, estimate, *, ranks=(1, 1), rated=4.0, priority="not settled", n=500, **keys):
    """One row of drivers, a tenth of its importance uncertain to each side."""
    missing = math.isnan(estimate)
    row = {**keys, "driver": name, "measure": "driver_importance", "estimate": estimate, "low": 0.9 * estimate, "high": 1.1 * estimate}
    row |= {"level": 0.95, "n": n, "outcome": "nps", "noise_floor": 0.007, "above_noise": pd.NA if missing else 0.9 * estimate > 0.007}
    row |= {"rank": pd.NA if missing or ranks[0] < ranks[1] else ranks[0]}
    row |= {"rank_low": pd.NA if missing else ranks[0], "rank_high": pd.NA if missing else ranks[1], "johnson": estimate}
    row |= {"performance": rated, "performance_low": rated - 0.1, "performance_high": rated + 0.1}
    row |= {"reward": 0.5, "reward_low": 0.3, "reward_high": 0.7, "penalty": -0.5, "penalty_low": -0.7, "penalty_high": -0.3}
    row |= {"asymmetry": 0.0, "asymmetry_low": -0.3, "asymmetry_high": 0.3, "role": "not clear", "priority": None if missing else priority}
    row |= {"missing": 12, "n_people": n, "r_squared": 0.31, "equal_part": 0.1, "performance_of_all": 3.9, "scale_low": 1, "scale_high": 5}
    return row | {"outcome_low": 0, "outcome_high": 10, "since": None, "until": None}


def result(*rows):
    frame = pd.DataFrame(rows)
    counts = dict.fromkeys(["rank", "rank_low", "rank_high", "n_people"], "Int64")
    return frame.astype({**counts, "above_noise": "boolean"})


USUAL = (
    driver("delivery", 0.2, ranks=(1, 1), rated=3.5, priority="raise first"),
    driver("support", 0.06, ranks=(2, 3), priority="keep up"),
    driver("website", 0.05, ranks=(2, 3)),
    driver("store", 0.001, ranks=(4, 4), rated=3.6, priority="later"),
)


def test_what_matters_most_is_said_with_its_interval_and_what_is_open_is_refused():
    assert figures.drivers(result(*USUAL)).text == (
        "Delivery matters most to loyalty (NPS): 20.0 % of the differences between answers go with it (95 % interval 18.0 to 22.0); "
        "all 4 parts together go with 31.0 %. The order of support and website is not settled. Store shows no more than chance would. "
        "Raise delivery first: it is important and rated low (mean 3.50); who rates it a point lower gives a score lower by 0.50 points "
        "on the scale 0 to 10 (95 % interval 0.30 to 0.70)."
    )


def test_a_first_place_that_is_not_settled_is_not_given():
    rows = [driver("delivery", 0.2, ranks=(1, 2)), driver("support", 0.19, ranks=(1, 2)), driver("store", 0.05, ranks=(3, 3))]
    assert figures.sentence(result(*rows)).text == (
        "What matters most to loyalty (NPS) is not settled between delivery and support: most goes with delivery, 20.0 % of the "
        "differences between answers (95 % interval 18.0 to 22.0); all 3 parts together go with 31.0 %."
    )


def test_of_many_that_are_open_the_number_is_said():
    rows = [driver(f"part {place}", 0.2 - place / 100, ranks=(1, 6)) for place in range(6)]
    text = figures.drivers(result(*rows)).text
    assert "is not settled between 6 of 6 parts: most goes with part 0" in text


def test_nothing_above_chance_is_said_to_be_nothing():
    rows = [driver("delivery", 0.004, ranks=(1, 2)), driver("store", 0.001, ranks=(1, 2))]
    assert figures.drivers(result(*rows)).text == "No part of the experience goes with loyalty (NPS) more than chance would."


def test_each_group_has_its_sentence():
    rows = [driver("delivery", 0.2, plan="free"), driver("store", 0.05, ranks=(2, 2), plan="free"), driver("store", 0.2, plan="paid")]
    picture = figures.drivers(result(*rows))
    assert picture.text.startswith("Delivery matters most to loyalty (NPS) in free: 20.0 %")
    assert "Store matters most to loyalty (NPS) in paid" in picture.text
    assert {"free · delivery", "paid · store"} <= set(svg_texts(drawings(picture)[1]))


def test_the_picture_begins_at_nothing_and_shows_how_far_chance_reaches():
    picture = figures.drivers(result(*USUAL))
    (ax,) = picture.axes
    assert ax.get_xlim()[0] == 0
    assert "chance" in svg_texts(drawings(picture)[0])
    reached = [segment[0][0] for lines in ax.collections for segment in getattr(lines, "get_segments", list)() if len(segment) == 2]
    assert reached.count(pytest.approx(0.7)) == len(USUAL)


def test_what_could_not_be_compared_is_in_the_table_and_not_drawn():
    frame = result(*USUAL, driver("shop", math.nan))
    frame.attrs["notes"] = ["shop is not compared: everybody rated it alike."]
    picture = figures.drivers(frame)
    assert "shop" not in svg_texts(drawings(picture)[0])
    assert "shop is not compared: everybody rated it alike." in page(picture)
    assert "<td>not compared</td>" in page(picture).replace(' class="cx-number"', "")


def test_advice_names_only_what_is_settled():
    assert figures.priorities(result(*USUAL)).text == (
        "Raise delivery first: it is important and rated low (mean 3.50); who rates it a point lower gives a score lower by 0.50 points "
        "on the scale 0 to 10 (95 % interval 0.30 to 0.70). Keep up support: important, and rated higher than the others. "
        "Rated low, but of little importance: "
        "store. Not settled: website."
    )
    open_ = [driver("delivery", 0.2), driver("store", 0.05, ranks=(2, 2))]
    text = figures.priorities(result(*open_)).text
    assert text == "No part is settled to be both important and rated low. Not settled: delivery and store."
    many = [driver(f"part {place}", 0.2 - place / 100, ranks=(1, 6)) for place in range(6)]
    assert figures.priorities(result(*many)).text.endswith("For 6 of 6 parts it is not settled.")


def test_low_ratings_that_may_cost_nothing_are_not_said_to_be_punished():
    frame = result(*USUAL).assign(penalty_high=0.1)
    assert figures.priorities(frame).text.startswith("Raise delivery first: it is important and rated low (mean 3.50). Keep up")


def boxes(picture, sheet):
    """Where every text of the drawing stands, in pixels."""
    with canvas.theme():
        fig = picture.draw(sheet)
        fig.canvas.draw()
        return [text.get_window_extent() for text in fig.texts if text.get_text()]


@pytest.mark.parametrize("sheet", [canvas.WIDE, canvas.NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("count", [2, 5, 9, 15])
def test_names_never_meet_and_never_leave_the_picture(sheet, count):
    rng = np.random.default_rng(count)
    rows = [
        driver(f"Part of the experience {place}", share, ranks=(1, count), rated=rated)
        for place, (share, rated) in enumerate(zip(rng.uniform(0.01, 0.2, count), rng.uniform(3, 4.5, count), strict=True))
    ]
    picture = figures.priorities(result(*rows))
    found = boxes(picture, sheet)
    assert all(box.x0 >= 0 and box.x1 <= sheet.width + 1 for box in found)
    # Shrunk by a pixel: the boxes of matplotlib hold some air.
    for place, one in enumerate(found):
        for other in found[place + 1 :]:
            assert not (one.x0 + 1 < other.x1 and other.x0 + 1 < one.x1 and one.y0 + 2 < other.y1 and other.y0 + 2 < one.y1)


def test_ratings_on_different_scales_are_set_side_by_side_in_percent():
    frame = result(*USUAL)
    frame.loc[0, ["scale_high", "performance", "performance_low", "performance_high"]] = [11, 6.0, 5.5, 6.5]
    picture = figures.priorities(frame)
    assert "as a share of its scale in %" in " ".join(svg_texts(drawings(picture)[1]))
    (ax,) = picture.axes
    dots = [line.get_ydata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert dots[0] == 50


def test_one_picture_of_priorities_shows_one_group():
    rows = [driver("store", 0.2, plan="free"), driver("store", 0.2, plan="paid")]
    with pytest.raises(ValueError, match="holds several groups") as error:
        figures.priorities(result(*rows))
    assert str(error.value) == "priorities: the result holds several groups, and one picture shows one. Take the rows of one group first."


@pytest.mark.parametrize("figure", [figures.drivers, figures.priorities])
def test_what_is_no_result_of_drivers_is_refused(figure):
    frame = pd.DataFrame({"plan": ["a"], "measure": "nps", "estimate": 1.0, "low": 0.0, "high": 2.0, "level": 0.95, "n": 9})
    with pytest.raises(ValueError, match="the result has no key 'driver'; its keys are plan"):
        figure(frame)


@pytest.mark.parametrize("figure", [figures.drivers, figures.priorities, figures.table, figures.sentence])
def test_where_there_is_nothing_the_reason_is_said(figure):
    none = nothing(keys=["driver"], counts={"johnson": "float64"}, reason="Nobody was asked for a rating.")
    assert figure(none).text == "Nobody was asked for a rating."


def test_a_part_that_few_rated_is_withheld_and_no_other_for_its_sake():
    picture = figures.drivers(result(*USUAL, driver("shop", math.nan, n=3)))
    rows = {row["driver"]: row for row in payload(picture)["results"][0]["rows"]}
    assert rows["shop"]["withheld"]
    assert rows["shop"]["n"] is None
    assert not any(rows[name]["withheld"] for name in ("delivery", "support", "website", "store"))


@pytest.mark.parametrize("figure", [figures.drivers, figures.priorities])
def test_a_picture_is_the_same_to_the_byte_and_says_what_it_is(figure):
    one, other = (bundle(figure(result(*USUAL))) for _ in range(2))
    assert one == other
    picture = figure(result(*USUAL))
    assert picture.alt.endswith(picture.text)
    assert picture.alt != picture.text
