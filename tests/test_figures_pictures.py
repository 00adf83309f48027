"""Pictures and tables: complete, escaped, the same to the byte, and readable where they are read."""

import html
import io
import json
import math
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from figure_results import (
    EVERYBODY,
    MIME,
    SVG,
    account,
    answers,
    bundle,
    by_month,
    by_segment,
    drawings,
    files,
    month,
    nps,
    page,
    payload,
    ratios,
    survival,
    svg_texts,
)
from hypothesis import given
from hypothesis import strategies as st

from cxlib import figures
from cxlib.figures import canvas
from cxlib.figures.curves import heights
from cxlib.figures.settings import CURRENT, Settings, style


@pytest.fixture(autouse=True)
def fresh():
    """Each test begins as a new kernel does."""
    CURRENT.__dict__.update(Settings().__dict__)


LONG = "Non-profit organisations, charities and everybody else who was in the room"
NPS_SHARES = [0.02, 0.01, 0.01, 0.02, 0.02, 0.06, 0.06, 0.14, 0.16, 0.2, 0.3]


def groups_by_month(count):
    groups = [(f"Group {place}", place) for place in range(count)]
    return pd.concat([by_month(12).assign(n=200 - place, plan=name) for name, place in groups]).reset_index(drop=True)


def with_plan_first(frame):
    return frame[["plan", *frame.columns.drop("plan")]]


def odd_groups():
    return nps(
        ({"segment": LONG}, 12.0, 2.0, 20.0, 1312),
        ({"segment": "小型企業客戶"}, -34.0, -100.0, 30.0, 96),
        ({"segment": None}, 100.0, 17.5, 100.0, 5),
    )


def one_year_of(count):
    return pd.concat([survival(0.5, months=12, plan=f"Tariff {place}", customers=100 + place).tail(1) for place in range(count)])


PICTURES = {
    "trend": lambda: figures.trend(by_month()),
    "trend with gaps": lambda: figures.trend(by_month(missing=(3, 4, 6, 8))),
    "trend of low is good": lambda: figures.trend(by_month(60, measure="churn_rate").assign(estimate=0.02, low=0.01, high=0.03)),
    "trends": lambda: figures.trend(with_plan_first(groups_by_month(5))),
    "intervals": lambda: figures.intervals(by_segment(), than=EVERYBODY),
    "intervals of odd groups": lambda: figures.intervals(odd_groups(), than=EVERYBODY),
    "shares of NPS": lambda: figures.shares(answers(NPS_SHARES)),
    "shares": lambda: figures.shares(pd.concat([answers([0.1, 0.3, 0.6], plan=LONG), answers([0.4, 0.4, 0.2], plan="free")])),
    "curve": lambda: figures.curve(survival(0.4)),
    "curves": lambda: figures.curve(pd.concat([survival(0.4, plan=LONG), survival(0.41, plan="free"), survival(0.8, plan="paid")])),
    "a year": lambda: figures.intervals(one_year_of(3).reset_index(drop=True)),
    "forest": lambda: figures.forest(ratios()),
}
DRAWN = {}


def drawn(name):
    """A picture and its bundle, drawn once for all tests that only look at it."""
    if name not in DRAWN:
        CURRENT.__dict__.update(Settings().__dict__)
        piece = PICTURES[name]()
        DRAWN[name] = piece, bundle(piece), drawings(piece)
    return DRAWN[name]


@pytest.mark.parametrize("name", PICTURES)
def test_a_bundle_is_complete_and_its_parts_agree(name):
    piece, (data, metadata), (narrow, wide) = drawn(name)
    assert set(data) == {"text/html", "text/plain", "image/svg+xml", MIME}
    alt = metadata["image/svg+xml"]["alt"]
    assert alt.endswith(piece.text)
    assert html.escape(alt, quote=False) in html.unescape(data["text/html"]).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert data["text/plain"] == piece.text
    assert data["image/svg+xml"] == wide
    assert [ET.fromstring(svg).get("width") for svg in (narrow, wide)] == ["350", "680"]
    assert data["text/html"].count("<figure") == data["text/html"].count("</figure>") == 1
    assert '<source media="(max-width: 600px)"' in data["text/html"]
    assert "<script" not in data["text/html"]


@pytest.mark.parametrize("name", PICTURES)
def test_the_axis_says_the_measure_and_the_level(name):
    _, _, drawings_ = drawn(name)
    for svg in drawings_:
        said = " ".join(svg_texts(svg))
        assert "95 % interval" in said
        assert re.search(r"Net Promoter|Share of|Customers still with us|Leaving on any day", said)


@pytest.mark.parametrize("name", PICTURES)
def test_every_letter_can_be_read_and_stands_on_the_page(name):
    _, _, drawings_ = drawn(name)
    for svg in drawings_:
        root = ET.fromstring(svg)
        width, height = float(root.get("width")), float(root.get("height"))
        for text in root.iter(f"{SVG}text"):
            css = dict(part.split(": ", 1) for part in text.get("style").split("; "))
            size = float(css["font-size"].removesuffix("px"))
            assert size >= 11
            assert css["font-family"].startswith("system-ui")
            moved = re.search(r"translate\(([-\d.]+) ([-\d.]+)\)", text.get("transform", ""))
            x, y = (float(text.get("x")), float(text.get("y"))) if moved is None else (float(moved[1]), float(moved[2]))
            wide = canvas.text_width("".join(text.itertext()), size, bold=css.get("font-weight") == "700")
            left = x - wide * {"middle": 0.5, "end": 1.0}.get(css.get("text-anchor", ""), 0)
            assert left >= -8, text.text
            assert left + wide <= width + 1.5, text.text
            assert 0 <= y <= height


@pytest.mark.parametrize("name", PICTURES)
def test_only_the_few_colours_are_used_and_each_has_a_dark_one(name):
    _, _, drawings_ = drawn(name)
    for svg in drawings_:
        used = set(re.findall(r"(?:fill|stroke): (#\w{6})", re.sub(r"<style.*?</style>", "", svg, flags=re.S)))
        assert used <= set(canvas.DARK)
        assert canvas.dark() in svg
        # A text without a colour would be black on a black page.
        assert all("fill: #" in text.get("style") for text in ET.fromstring(svg).iter(f"{SVG}text"))


def luminance(color):
    parts = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_letters_and_marks_stand_out_from_light_and_dark_paper():
    papers = re.findall(r"--cx-paper: (#\w{6})", style())
    assert len(set(papers)) == 2
    for swap, paper in ((lambda color: color, papers[0]), (canvas.DARK.get, papers[1])):
        for color in (canvas.INK, canvas.QUIET, canvas.HIGH):
            assert contrast(swap(color), paper) >= 4.5
        assert contrast(swap(canvas.GREY), paper) >= 3


def test_pictures_and_pages_have_the_same_colours():
    names = {"ink": canvas.INK, "quiet": canvas.QUIET, "rule": canvas.RULE, "accent": canvas.HIGH}
    for name, color in names.items():
        assert set(re.findall(rf"--cx-{name}: (#\w{{6}})", style())) == {color, canvas.DARK[color]}


@pytest.mark.parametrize("name", ["trend", "intervals of odd groups", "curves"])
def test_drawn_twice_a_bundle_is_the_same_to_the_byte(name):
    CURRENT.__dict__.update(Settings().__dict__)
    assert json.dumps(bundle(PICTURES[name]()), sort_keys=True) == json.dumps(drawn(name)[1], sort_keys=True)


def test_another_process_with_another_hash_seed_and_theme_draws_the_same_bytes():
    code = (
        "import hashlib, json, matplotlib, figure_results as r; from cxlib import figures;"
        "matplotlib.rcParams['font.size'] = 31; matplotlib.rcParams['axes.grid'] = True;"
        "data = figures.intervals(r.by_segment(), than=r.EVERYBODY)._repr_mimebundle_();"
        "print(hashlib.sha256(json.dumps(data).encode()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": f"{Path(__file__).parent}:{Path(__file__).parents[1]}", "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


def test_drawing_leaves_pyplot_and_its_settings_alone():
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    before = dict(mpl.rcParams)
    bundle(figures.trend(by_month()))
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == before


def test_who_changes_the_axes_sees_the_change_on_a_phone_too():
    piece = figures.trend(by_month())
    piece.axes[0].annotate("a new price", (0.5, 0.5), xycoords="axes fraction")
    assert all("a new price" in svg_texts(svg) for svg in drawings(piece))


def test_numbers_in_the_picture_are_those_of_the_result():
    said = svg_texts(drawn("intervals")[2][1])
    for text in ("12 (2 to 21)", "34 (30 to 38)", "38 (27 to 48)", "22 (0 to 41)", "312", "1,800", "not recorded", "all 31"):
        assert text in said


def coloured(piece):
    texts = ET.fromstring(drawings(piece)[1]).iter(f"{SVG}text")
    return ["".join(text.itertext()) for text in texts if f"fill: {canvas.HIGH}" in text.get("style")]


def test_the_worst_stands_first_and_alone_in_colour_where_it_lies_apart_from_the_others():
    CURRENT.__dict__.update(Settings().__dict__)
    private, business = ({"segment": "Private"}, 40.0, 35.0, 45.0, 900), ({"segment": "Business"}, 12.0, 2.0, 21.0, 300)
    assert coloured(figures.intervals(nps(private, business))) == ["Business", "12 (2 to 21)"]
    assert coloured(figures.intervals(nps(private, (*business[:3], 36.0, 300)))) == []


def test_where_low_is_good_the_axis_says_so():
    assert "low is good" in " ".join(svg_texts(drawn("trend of low is good")[2][1]))


def test_months_that_are_missing_are_gaps():
    CURRENT.__dict__.update(Settings().__dict__)
    lines = figures.trend(by_month(missing=(3, 4, 6, 8))).axes[0].get_lines()
    stretches = [len(line.get_xdata()) for line in lines if line.get_linestyle() == "-" and line.get_color() == canvas.QUIET]
    assert stretches == [3, 15]
    assert 0 not in [value for line in lines for value in line.get_ydata() if line.get_color() == canvas.QUIET]


def test_a_share_is_drawn_in_percent_and_a_tenure_in_months():
    axes = figures.curve(survival(0.4)).axes[0]
    step = next(line for line in axes.get_lines() if line.get_color() == canvas.HIGH)
    assert math.isclose(max(step.get_xdata()), 24)
    assert math.isclose(min(step.get_ydata()), 40)


def test_promoters_passives_and_detractors_are_named_beside_their_bars():
    said = svg_texts(drawn("shares of NPS")[2][0])
    assert {"promoters", "50.0 %", "passives", "30.0 %", "detractors", "20.0 %"} <= set(said)


def test_a_year_of_survival_says_after_how_many_months():
    assert "Customers still with us, %, after 12 months, with 95 % interval" in svg_texts(drawn("a year")[2][1])


def test_too_many_groups_are_said_and_the_table_has_them():
    many = pd.concat([survival(0.5, plan=f"Tariff {place}", customers=100 + place) for place in range(10)]).reset_index(drop=True)
    assert "The 8 largest of 10 groups are drawn; the table has all." in page(figures.curve(many))
    assert "The 12 largest of 13 groups are drawn; the table has all." in page(figures.trend(with_plan_first(groups_by_month(13))))
    lots = nps(*(({"plan": f"Plan {place:02d}"}, float(place), place - 5.0, place + 5.0, 100) for place in range(40)))
    assert "The 15 groups at either end of 40 are drawn; the table has all." in page(figures.intervals(lots))


def test_a_curve_with_a_step_a_day_stays_small():
    daily = pd.DataFrame({"tenure_days": np.arange(3000.0), "measure": "survival", "estimate": np.linspace(1, 0.2, 3000)})
    daily = daily.assign(
        low=daily["estimate"] - 0.01, high=daily["estimate"] + 0.01, level=0.95, n=5000, events=1, censored=0, customers=5000
    )
    piece = figures.curve(daily)
    assert len(piece.svg()) < 60_000
    assert page(piece).count("<tr>") < 70
    rows = len(payload(piece)["results"][0]["rows"])
    assert rows > 500
    assert f"of {rows:,} tenures; the file has all." in page(piece)
    assert len(files(page(piece))["text/csv"][0].splitlines()) == rows + 1


@given(st.lists(st.floats(0, 100), min_size=1, max_size=7))
def test_labels_stand_apart_in_the_order_of_their_lines(values):
    places = heights(values, least=12)
    ordered = [place for _, place in sorted(zip(values, places, strict=True))]
    assert all(upper - lower >= 12 - 1e-6 for lower, upper in zip(sorted(places), sorted(places)[1:], strict=False))
    assert ordered == sorted(ordered)


# Hostile text ---------------------------------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>", "]]></svg><script>alert(2)</script>", '" onload="alert(3)', "[x](javascript:alert(4))", "&lt;b&gt;",
    "$x$ and $y$", "a\x00b\x0bc", "\u202etxt.exe", "</style><img src=x onerror=alert(5)>", "{{ 7*7 }} {% raw %}",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_ever_text(text):
    result = nps(({"segment": text}, 12.0, 2.0, 20.0, 312), ({"segment": "kind"}, 40.0, 30.0, 50.0, 300))
    by = by_month(3).assign(segment=text)
    by = by[["segment", *by.columns.drop("segment")]]
    pieces = [figures.intervals(result, than=EVERYBODY), figures.table(result), figures.sentence(result)]
    pieces += [
        figures.trend(by),
        figures.curve(survival(0.5, segment=text)),
        figures.account(account(table=text)),
        figures.headline(result),
    ]
    for piece in [*pieces, figures.set_up(title=text, as_of="2026-06-30")]:
        markup = re.sub(r"<style>.*?</style>", "", page(piece), count=1, flags=re.S) if piece.kind == "set_up" else page(piece)
        tags = set(re.findall(r"<(/?\w+)", markup))
        assert tags.isdisjoint({"script", "/script", "b", "svg", "/svg", "style", "/style"})
        assert not re.search(r"<[^>]*\son\w+=", re.sub(r'"[^"]*"', '""', markup))
        for svg in drawings(piece):
            names = {element.tag.removeprefix(SVG) for element in ET.fromstring(svg).iter()}
            assert names <= {"svg", "defs", "style", "g", "path", "use", "text", "clipPath", "rect", "metadata"}


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", " =1"])
def test_a_spreadsheet_runs_nothing_of_a_file(text):
    file = files(page(figures.table(nps(({"segment": text}, -12.0, -20.0, 2.0, 312)))))["text/csv"][0]
    read = pd.read_csv(io.StringIO(file.removeprefix("\ufeff")))
    assert read["segment"][0].strip("\r\n\t ").startswith("'")
    assert read["estimate"][0] == -12.0


# Tables and payloads ------------------------------------------------------------------------------------------------


def test_a_table_has_a_caption_scopes_and_rounded_numbers():
    markup = page(figures.table(by_segment()))
    assert "<caption>Net Promoter Score, points from −100 to 100, by segment, July 2024 to June 2026.</caption>" in markup
    heads = re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', markup)
    assert heads == ["Segment", "NPS (points)", "95 % interval", "Answers", "Promoters", "Passives", "Detractors"]
    row = re.findall(r"<tr>(.*?)</tr>", markup)[1]
    assert row.startswith('<th scope="row">Business</th><td class="cx-number">12.0</td><td class="cx-number">2.5 to 20.6</td>')
    assert 'tabindex="0" role="region" aria-label="' in markup


def test_a_table_of_few_rows_stacks_on_a_phone_and_says_beside_each_cell_what_it_is():
    few, many = (bundle(figures.table(result))[0]["text/html"] for result in (by_segment(), by_month(24)))
    assert 'class="cx-table cx-stacks"' in few
    assert '<td class="cx-number" data-head="NPS (points)">12.0</td>' in few
    assert "data-head" not in many
    assert "cx-stacks" not in many


def test_windows_that_differ_have_a_column():
    result = by_segment().assign(until=[pd.Timestamp("2026-06-30").date(), pd.Timestamp("2025-06-30").date()] * 2)
    assert '<th scope="col">Window</th>' in page(figures.table(result))


def test_two_measures_of_one_question_are_told_apart():
    result = pd.concat([by_segment().assign(measure=name, estimate=0.7, low=0.6, high=0.8) for name in ("ces_mean", "ces_share")])
    piece = figures.intervals(result.reset_index(drop=True))
    assert piece.name == "ces_by_segment"
    assert "70.0 %" in piece.text
    assert '<th scope="col">Measure</th>' in page(piece)
    assert len(payload(piece)["results"][0]["rows"]) == 8


def test_the_file_is_whole_and_unrounded_where_the_table_is_cut():
    many = nps(*(({"plan": f"Plan {place:03d}"}, place / 3, place / 3 - 1, place / 3 + 1, 100) for place in range(250)))
    markup = page(figures.table(many))
    assert "The first 200 of 250 rows; the file has all." in markup
    assert len(re.findall(r'<th scope="row"', markup)) == 200
    read = pd.read_csv(io.StringIO(files(markup)["text/csv"][0].removeprefix("\ufeff")))
    assert len(read) == 250
    assert read["estimate"].tolist() == pytest.approx([place / 3 for place in range(250)], rel=1e-12)
    assert read.columns.tolist() == [*many.columns, "withheld"]


def test_a_payload_is_json_and_keeps_every_number_unrounded():
    result = by_month(2).assign(estimate=[1 / 3, np.nan], n=np.array([100, 0], dtype="int64"))
    found = json.loads(json.dumps(payload(figures.table(result)), allow_nan=False))
    assert set(found) == {"version", "kind", "name", "text", "reason", "withheld", "smallest_group", "results"}
    assert (found["version"], found["kind"], found["name"], found["smallest_group"]) == (1, "table", "nps_by_month", 5)
    (one,) = found["results"]
    assert set(one) == {"name", "keys", "counts", "rows", "withheld", "reason"}
    assert one["keys"] == ["month"]
    assert one["counts"] == ["promoters", "passives", "detractors", "n_eff", "since", "until"]
    assert one["rows"][0]["estimate"] == 1 / 3
    assert one["rows"][0]["month"] == one["rows"][0]["since"] == "2024-07-01"
    assert one["rows"][1]["estimate"] is None
    assert one["rows"][1]["n"] == 0


KINDS = {
    "set_up": lambda: figures.set_up(title="Example", as_of="2026-06-30"),
    "headline": lambda: figures.headline(EVERYBODY),
    "cards": lambda: figures.cards(EVERYBODY),
    "words": lambda: figures.sentence(EVERYBODY),
    "picture": lambda: figures.trend(by_month(1)),
    "table": lambda: figures.table(EVERYBODY),
    "account": lambda: figures.account(account()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_says_what_it_is(kind):
    piece = KINDS[kind]()
    found = payload(piece)
    assert found["kind"] == kind
    assert found["text"] == str(piece) == bundle(piece)[0]["text/plain"]
    assert {"version", "kind", "name", "text", "reason", "withheld", "smallest_group", "results"} <= set(found)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_an_account_hands_on_its_rows_as_numbers():
    (row,) = payload(figures.account(account()))["account"]
    assert row == {
        "table": "responses", "rows_read": 2831, "kept": 2829, "set_aside": 2, "not_meant": 0, "repeats": 0, "after_as_of": 0,
        "no_consent": 0,
        "since": "2017-05-01", "until": "2017-05-31",
    }  # fmt: skip


def test_an_account_says_what_was_strange_and_how_often_and_escapes_it():
    remarks = pd.DataFrame([{"table": "responses", "became": "set aside", "words": "score is <b>odd</b>", "rows": 2}])
    piece = figures.account(account(), remarks=remarks)
    assert payload(piece)["remarks"] == [{"table": "responses", "words": "score is <b>odd</b>", "became": "set aside", "rows": 2}]
    assert "score is &lt;b&gt;odd&lt;/b&gt;" in page(piece)
    assert "What was strange" not in page(figures.account(account(), remarks=remarks.iloc[:0]))


def test_dates_that_pandas_made_timestamps_are_read_as_dates():
    result = by_month(3).assign(month=lambda frame: pd.to_datetime(frame["month"]))
    assert figures.trend(result).text == figures.trend(by_month(3)).text
    assert payload(figures.trend(result))["results"][0]["rows"][0]["month"] == "2024-07-01"


def test_names_are_file_stems():
    assert figures.table(nps(({"Seg ment/../x": "a", "plan": "b"}, 1.0, 0.0, 2.0, 50))).name == "nps_by_seg_ment_x_plan"
    assert figures.trend(by_month().iloc[:0]).name == "nps_by_month"


def test_the_style_is_in_set_up_and_asks_no_network():
    markup = page(figures.set_up(title="Example", as_of="2026-06-30"))
    assert style() in markup
    assert not re.search(r"url\(|@import|http", style())
    assert month(0).isoformat() not in markup
