"""Results made by hand, in the shape that measures return them, and ways to read what a figure shows."""

import base64
import datetime as dt
import html
import re
from xml.etree import ElementTree as ET

import pandas as pd

SVG = "{http://www.w3.org/2000/svg}"
MIME = "application/vnd.cxlib.result+json"


def month(number: int, first: dt.date = dt.date(2024, 7, 1)) -> dt.date:
    """The first day of the month so many after July 2024."""
    place = 12 * first.year + first.month - 1 + number
    return dt.date(place // 12, place % 12 + 1, 1)


def nps(*groups, dated=True, measure="nps"):
    """An NPS result: each group is (keys, estimate, low, high, n)."""
    rows = []
    for keys, estimate, low, high, n in groups:
        row = {**keys, "measure": measure, "estimate": estimate, "low": low, "high": high, "level": 0.95, "n": n}
        row |= {"promoters": n // 2, "passives": n - n // 2 - n // 5, "detractors": n // 5, "n_eff": n}
        since = keys.get("month", dt.date(2024, 7, 1))
        row |= {"since": since if dated else None, "until": keys.get("month", dt.date(2026, 6, 30)) if dated else None}
        rows.append(row)
    return pd.DataFrame(rows)


EVERYBODY = nps(({}, 31.2, 28.1, 34.3, 2746))


def by_month(count=24, *, missing=(), measure="nps"):
    """NPS month by month: 31 points, six more or fewer by turns."""
    kept = [number for number in range(count) if number not in missing]
    groups = (
        ({"month": month(number)}, 31 + 6 * (-1) ** number, 25 + 6 * (-1) ** number, 37 + 6 * (-1) ** number, 90 + number)
        for number in kept
    )
    return nps(*groups, measure=measure)


def by_segment():
    return nps(
        ({"segment": "Business"}, 12.0, 2.5, 20.6, 312),
        ({"segment": "Consumer"}, 34.0, 30.0, 37.6, 1800),
        ({"segment": "Public sector"}, 38.0, 27.2, 47.8, 240),
        ({"segment": None}, 22.0, 0.5, 40.9, 94),
    )


def ratio(
    covariate, category, estimate, verdict, *, reference="Plus", events=120, n=600, spread=1.3, stretch="any tenure", margin=float("nan")
):
    """One row of hazard ratios, its interval from ``estimate`` over ``spread`` to times it."""
    told = not verdict.startswith("reference") and estimate == estimate
    row = {"covariate": covariate, "category": category, "stretch": stretch, "measure": "hazard_ratio", "estimate": estimate}
    row |= {"low": estimate / spread if told else estimate, "high": estimate * spread if told else estimate, "level": 0.95, "n": n}
    row |= {"reference": reference, "events": events, "p_value": 0.01 if told else None, "p_corrected": 0.02 if told else None}
    return row | {"verdict": verdict, "margin": margin}


def ratios():
    """Two covariates, one of yes and no, with every verdict there is."""
    rows = [
        ratio("plan", "Plus", 1.0, "reference", events=163),
        ratio("plan", "Basic", 1.48, "leaves sooner", events=215),
        ratio("plan", "Premium", 0.57, "leaves later", events=59, spread=1.4),
        ratio("plan", "Trial, as it was sold before the change of prices", 1.02, "no material difference", margin=1.1, spread=1.06),
        ratio("plan", "not recorded", float("nan"), "not told apart", events=0),
        ratio("slow ticket", "no", 1.0, "reference", reference="no", events=340),
        ratio("slow ticket", "yes", 1.2, "cannot tell yet", reference="no", events=31),
    ]
    return pd.DataFrame(rows)


def survival(end=0.4, *, months=24, customers=1000, **keys):
    """A curve that falls in a straight line from 1 to ``end``."""
    rows = []
    for number in range(months + 1):
        share = 1 - (1 - end) * number / months
        row = {**keys, "tenure_days": 30.4375 * number, "measure": "survival", "estimate": share}
        row |= {"low": max(share - 0.02, 0), "high": min(share + 0.02, 1), "level": 0.95, "n": int(customers * share)}
        rows.append(row | {"events": 5 * (number > 0), "censored": 1, "customers": customers})
    return pd.DataFrame(rows)


def answers(shares, first=0, n=1000, **keys):
    """A distribution over whole scores from ``first``."""
    rows = []
    for score, share in enumerate(shares, start=first):
        row = {**keys, "question": "recommend", "score": score, "measure": "answer_share", "estimate": share}
        rows.append(row | {"low": share * 0.8, "high": share * 1.2, "level": 0.95, "n": n, "answers": round(share * n)})
    return pd.DataFrame(rows)


def account(**changed):
    columns = {
        "table": "responses",
        "rows_read": 2831,
        "kept": 2829,
        "set_aside": 2,
        "not_meant": 0,
        "repeats": 0,
        "after_as_of": 0,
        "no_consent": 0,
    }
    return pd.DataFrame([{**columns, "since": dt.date(2017, 5, 1), "until": dt.date(2017, 5, 31)} | changed])


def bundle(piece):
    """Data and metadata, as Jupyter asks for them."""
    return piece._repr_mimebundle_()


def page(piece) -> str:
    """Its html, without the headings that the cells of a table repeat for a phone."""
    data, _ = bundle(piece)
    return re.sub(r' data-head="[^"]*"', "", data["text/html"])


def payload(piece):
    data, _ = bundle(piece)
    return data[MIME]


def files(markup: str) -> dict[str, list[str]]:
    """What the data addresses of a page hold, by media type."""
    found: dict[str, list[str]] = {}
    for kind, content in re.findall(r'data:([\w/+]+)(?:;charset=utf-8)?;base64,([^"\s]+)', markup):
        found.setdefault(kind, []).append(base64.b64decode(html.unescape(content)).decode("utf-8"))
    return found


def drawings(piece) -> list[str]:
    """The SVG of a picture, narrow and wide."""
    return files(page(piece)).get("image/svg+xml", [])


def svg_texts(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(svg).iter(f"{SVG}text")]


def words(piece) -> str:
    """Everything a person can read in a bundle: html without its tags, the letters of the drawings, alt texts, files."""
    data, metadata = bundle(piece)
    markup = data["text/html"]
    alts = [html.unescape(alt) for alt in re.findall(r'alt="([^"]*)"', markup)]
    within = [text for svg in drawings(piece) for text in svg_texts(svg)]
    visible = html.unescape(re.sub(r"<style>.*?</style>", " ", markup, flags=re.S))
    visible = re.sub(r'(?:src|href|srcset)="[^"]*"|width="[\d.]*"|height="[\d.]*"|class="[^"]*"|max-width: \d+px', " ", visible)
    return "\n".join([visible, data["text/plain"], *alts, *within, *files(markup).get("text/csv", []), str(data[MIME]), str(metadata)])
