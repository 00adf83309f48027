"""Shops in figures: what is said of purchases and silences, what is drawn, what is withheld, and what is refused."""

import math
import re

import pandas as pd
import pytest
from figure_results import drawings, page, payload, svg_texts, words

from cxlib import figures, shops
from cxlib.figures import canvas
from cxlib.figures.settings import CURRENT, Settings
from cxlib.tables import nothing


@pytest.fixture(autouse=True)
def fresh():
    """Each test begins as a new kernel does."""
    CURRENT.__dict__.update(Settings().__dict__)


def curve(*steps, n=1000, customers=400, **keys):
    """Steps of days and share; the naive share is half as large again."""
    rows = []
    for days, share in steps:
        row = {**keys, "gap_days": days, "measure": "returned_share", "estimate": share, "low": share - 0.02, "high": share + 0.02}
        row |= {"level": 0.95, "n": int(n * (1 - share)), "returned": 5, "open": 1, "purchases": n, "customers": customers}
        rows.append(row | {"naive": min(1.5 * share, 1), "followed": share, "n_followed": n - days})
    return pd.DataFrame(rows)


def rule(days=286.0, *, n=14_340, returned=1_426, **keys):
    row = {**keys, "measure": "silent_days", "estimate": days, "low": days - 10, "high": days + 10, "level": 0.95, "n": n}
    row |= {"returned": returned, "stay_away": 0.9, "within_days": 180, "longest_days": 365, "customers": 23_570, "purchases": 67_591}
    return pd.DataFrame([row])


def choices(*rows, customers=1000, **keys):
    """Rules of days, the share woken, the silences, the share lost."""
    frame = []
    for days, share, n, lost in rows:
        row = {**keys, "after_days": days, "measure": "woken_share", "estimate": share, "low": 0.9 * share, "high": 1.1 * share}
        row |= {"level": 0.95, "n": n, "returned": int(share * n), "within_days": 180, "customers": customers}
        frame.append(row | {"lost": int(lost * customers), "lost_share": lost, "silences": 2 * n, "ended": n // 2})
    return pd.DataFrame(frame)


STEPS = ((1, 0.02), (30, 0.31), (90, 0.49), (180, 0.6), (365, 0.68))
USUAL = choices((30, 0.42, 900, 0.94), (180, 0.17, 500, 0.77), (365, 0.08, 60, 0.65))


def test_how_soon_customers_come_back_is_said_beside_the_naive_share():
    assert figures.sentence(curve(*STEPS)).text == (
        "Of 100 purchases, 31 were followed by another within 30 days (95 % interval 29.0 to 33.0; 1,000 purchases), 49 within 90 days "
        "(47.0 to 51.0) and 60 within 180 days (58.0 to 62.0). Of those alone that have been followed by now it would be 46, 74 and 90: "
        "who has not come back yet is not in that."
    )


def test_of_days_that_were_asked_for_those_are_said():
    assert figures.sentence(curve((7, 0.1), (14, 0.2))).text.startswith("Of 100 purchases, 10 were followed by another within 7 days (")


def test_a_short_curve_speaks_of_its_last_day():
    steps = [(day, day / 100) for day in (1, 5, 9, 12)]
    assert "12 were followed by another within 12 days" in figures.sentence(curve(*steps)).text


def test_of_groups_the_fewest_and_the_most_are_said():
    frame = pd.concat([curve(*STEPS, channel="web"), curve((1, 0.1), (30, 0.5), (200, 0.8), channel="app", n=300)])
    assert figures.sentence(frame).text == (
        "Of 100 purchases, so many were followed by another within 30 days: web, 31 (95 % interval 29.0 to 33.0; 1,000 purchases), "
        "the fewest; app, 50 (48.0 to 52.0; 300), the most."
    )


def test_the_rule_is_said_with_what_it_rests_on():
    assert figures.sentence(rule()).text == (
        "A customer who has bought nothing for 286 days may count as lost (95 % interval 276 to 296): of 14,340 silences of so many "
        "days, 9.9 of 100 ended in the next 180 days."
    )


def test_a_rule_that_is_not_reached_says_how_long_could_be_watched():
    found = figures.sentence(rule(math.nan)).text
    assert found == (
        "No silence is known to be long enough: of those of up to 365 days, the longest that could be watched for 180 days more, "
        "over 10 of 100 ended by then."
    )
    assert ">not reached<" in page(figures.table(rule(math.nan)))


def test_rules_of_groups_are_named():
    frame = pd.concat([rule(100.0, channel="web"), rule(200.0, channel=None)])
    said = figures.sentence(frame).text
    assert said.startswith("web: A customer who has bought nothing for 100 days")
    assert "channel not recorded: A customer who has bought nothing for 200 days" in said


def test_what_the_shortest_and_the_longest_rule_would_mean_is_said():
    assert figures.sentence(USUAL).text == (
        "Of those silent for 30 days, 42.0 % came back in the next 180 days (95 % interval 37.8 to 46.2; 900 silences); of those silent "
        "for 365 days, 8.0 % came back (7.2 to 8.8; 60 silences). Lost now, by the one rule and by the other: 94.0 % and 65.0 % of "
        "1,000 customers."
    )
    assert "Lost now, by that rule: 94.0 % of 1,000 customers." in figures.sentence(USUAL.head(1)).text


def test_quantiles_are_said_and_those_out_of_reach_too():
    frame = pd.DataFrame({"share": [0.25, 0.5], "measure": "return_days", "estimate": [22.0, math.nan], "low": [21.0, math.nan]})
    frame = frame.assign(high=[23.0, math.nan], level=0.95, n=900, returned=400, open=500, customers=500, naive=[12.0, 34.0])
    assert figures.sentence(frame).text == (
        "Of 100 purchases, 25 were followed by another within 22 days (95 % interval 21 to 23; 900 purchases) and 50 in no time that "
        "could be waited."
    )
    assert "<td>12</td>" in page(figures.table(frame)).replace(' class="cx-number"', "")


def test_the_curve_shows_the_rule_and_says_it():
    picture = figures.returning(curve(*STEPS), rule=rule())
    assert picture.text.endswith("ended in the next 180 days.")
    for drawing in drawings(picture):
        assert {"lost after 286 days", "all", "only those"} <= set(svg_texts(drawing))
    assert [result["name"] for result in payload(picture)["results"]] == ["returned_share_by_gap_days", "silent_days"]
    assert picture.alt.startswith("Curve with 95 % interval: Purchases followed by another")


def test_the_names_of_lines_that_end_close_to_each_other_stand_apart():
    for last in (0.68, 0.985, 1.0):
        for drawing in drawings(figures.returning(curve(*STEPS[:-1], (365, last)))):
            placed = {text: float(y) for y, text in re.findall(r' y="([\d.]+)"[^>]*>([^<]+)</text>', drawing)}
            assert placed["all"] - placed["who are back"] > 10, (last, placed)


def test_a_rule_beyond_the_curve_or_without_days_is_said_and_not_drawn():
    for days in (400.0, math.nan):
        picture = figures.returning(curve(*STEPS), rule=rule(days))
        assert not any(text.startswith("lost after") for text in svg_texts(drawings(picture)[0]))
    none = nothing(keys=[], counts=list(rule().columns[7:]), reason="No silence could be watched for 180 days more.")
    assert figures.returning(curve(*STEPS), rule=none).text.endswith("No silence could be watched for 180 days more.")


def test_silences_stand_on_silences_and_few_enough_are_marked():
    picture = figures.silences(USUAL, rule=rule())
    texts = svg_texts(drawings(picture)[1])
    assert {"30 days", "900", "42.0 % · 94 % lost", "8.0 % · 65 % lost"} <= set(texts)
    assert "1,000" not in texts
    assert drawings(picture)[1].count(f"fill: {canvas.HIGH}") > drawings(figures.silences(USUAL))[1].count(f"fill: {canvas.HIGH}")


def test_few_silences_and_few_purchases_are_withheld():
    picture = figures.silences(choices((30, 0.42, 900, 0.94), (365, 0.5, 4, 0.65)))
    assert "365" not in words(picture)
    assert "Not shown: days with fewer than 5 silences at risk." in page(picture)
    assert figures.silences(choices((30, 0.4, 40, 0.5), customers=4)).text == "Nothing is shown: every group has fewer than 5 silences."
    late = figures.returning(curve(*STEPS, (500, 0.997)))
    assert "Not shown: days with fewer than 5 purchases at risk." in page(late)
    assert "99.7" not in words(late)


def test_a_long_curve_is_tabled_at_days_that_a_reader_asks_for():
    picture = figures.returning(curve(*[(day, day / 200) for day in range(1, 190)]))
    assert "9 of 189 days; the file has all." in page(picture)
    assert len(payload(picture)["results"][0]["rows"]) == 189


def test_where_there_is_nothing_the_reason_is_said():
    none = pd.DataFrame({"customer": pd.Series(dtype=str), "time_ordered": pd.Series(dtype="datetime64[s]")})
    found = [shops.gaps(none, as_of="2026-06-30"), shops.sensitivity(none, as_of="2026-06-30"), shops.inactivity(none, as_of="2026-06-30")]
    pictures = [figures.returning(found[0], rule=found[2]), figures.silences(found[1]), figures.sentence(found[2]), figures.table(found[0])]
    for picture in pictures:
        assert picture.text == "There are no purchases."
        assert drawings(picture) == []


def test_what_is_something_else_is_refused():
    words_ = "returning: one group is drawn; for groups draw intervals of shops.gaps(orders, at=[180], by=...)."
    with pytest.raises(ValueError, match=words_.replace("(", r"\(").replace(")", r"\)").replace("[", r"\[")):
        figures.returning(curve(*STEPS, channel="web"))
    for wrong in (USUAL, rule(channel="web")):
        with pytest.raises(ValueError, match=r"silences: rule is what shops.inactivity\(orders, as_of=...\) returned for everybody"):
            figures.silences(USUAL, rule=wrong)
    with pytest.raises(ValueError, match="returning: the result has no key 'gap_days'"):
        figures.returning(USUAL)


@pytest.mark.parametrize("draw", [lambda: figures.returning(curve(*STEPS), rule=rule()), lambda: figures.silences(USUAL, rule=rule())])
def test_a_picture_is_the_same_to_the_byte_and_fits_its_sheet(draw):
    one, other = draw(), draw()
    assert drawings(one) == drawings(other)
    for sheet, drawing in zip((canvas.NARROW, canvas.WIDE), drawings(one), strict=True):
        assert f'width="{sheet.width}"' in drawing
