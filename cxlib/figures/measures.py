"""The vocabulary: what a reader calls each measure, key and count, its unit, and how its numbers are written."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd

from cxlib.figures.numbers import (
    DAYS_A_MONTH,
    MINUS,
    MONTHS,
    Form,
    Measure,
    a_date,
    amounts,
    capital,
    counted,
    counted_years,
    date_words,
    decimal,
    level_words,
    listed,
    missing,
    month_words,
    window_words,
)
from cxlib.figures.vocabulary import HEADINGS, MEASURES, TELLTALE

#: How numbers and days are written is asked for here, too.
__all__ = [
    "DAYS_A_MONTH", "MINUS", "MONTHS", "Form", "Measure", "a_date", "amounts", "capital", "counted", "counted_years", "date_words",
    "decimal", "level_words", "listed", "missing", "month_words", "window_words",
]  # fmt: skip

NOT_RECORDED = "not recorded"

#: Languages are kept as codes; a reader has names.
LANGUAGES = {
    "ar": "Arabic", "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "fr": "French", "hu": "Hungarian",
    "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "tr": "Turkish", "uk": "Ukrainian", "zh": "Chinese", "zh-Hans": "Simplified Chinese",
    "zh-Hant": "Traditional Chinese",
}  # fmt: skip


_SHARE = (0.0, 1.0)
_VOCABULARY = {measure.name: measure for measure in MEASURES}

#: Keys along which a result is a curve or a distribution: its rows are no groups of their own.
AXES = (
    "score", "step", "tenure_days", "tenure_months", "class", "choice", "gap_days", "after_days", "share", "share_left", "end_reason",
    "horizon_days",
)  # fmt: skip

#: What a measure is made into, by the end of its name: in a sentence, over a column, beside a picture.
_DERIVED = {
    "_change": ("the change of", "Change", "Change of"),
    "_difference": ("the difference of", "Difference", "Group less rest,"),
    "_gap": ("the gap in", "Gap", "Staff less customers,"),
    "_early": ("the difference in", "Difference", "Early less later answers,"),
    "_restated": ("", "", ""),
}

_ORDER = {measure.name: place for place, measure in enumerate(MEASURES)}


def measure_named(name: str) -> Measure:
    """The vocabulary of a measure; one that is not in it is spoken of by its name."""
    if name.endswith("_raked"):
        return _raked(measure_named(name.removesuffix("_raked")), name)
    base = name.removesuffix("_weighted")
    derived = next((suffix for suffix in _DERIVED if base.endswith(suffix)), None)
    found = _VOCABULARY.get(base) or (
        _derived(base, derived) if derived else _tipping(base) if base.endswith("_tipping") else _unlisted(base)
    )
    if base == name:
        return found
    return replace(
        found, name=name, subject=f"{found.subject}, weighted,", short=f"{found.short}, weighted", axis=f"{found.axis}, weighted"
    )


def moving(measure: Measure) -> Measure:
    """The measure whose change or difference a result holds: that of ``csat_change`` is ``csat``."""
    suffix = next((suffix for suffix in _DERIVED if suffix in measure.name), "") if measure.change else ""
    return measure_named(measure.name.replace(suffix, "")) if suffix else measure


def _derived(name: str, suffix: str) -> Measure:
    """A change or difference of a measure, with a sign; or the measure itself, restated."""
    of = measure_named(name.removesuffix(suffix))
    if suffix == "_restated":
        return replace(of, name=name)
    what, over, axis = _DERIVED[suffix]
    found = replace(of, name=name, subject=f"{what} {of.subject}", short=f"{of.short}, {over.lower()}", change=True)
    unit = found.unit.strip()
    span = of.ceiling - of.floor
    axis = f"{axis} {of.subject}{f' in {unit}' if unit else ''}"
    if of.base_heading == "At risk":
        found = replace(found, base_heading="Customers")
    if suffix in {"_gap", "_early"}:
        found = replace(found, base_heading="Answers on the smaller side")
    return replace(found, heading=f"{over}{f' ({unit})' if unit else ''}", axis=axis, floor=-span, ceiling=span)


def _raked(of: Measure, name: str) -> Measure:
    words = "weighted to the customers"
    return replace(of, name=name, subject=f"{of.subject}, {words},", short=f"{of.short}, {words}", axis=f"{of.axis}, {words}")


def _tipping(name: str) -> Measure:
    of = measure_named(name.removesuffix("_tipping"))
    unit = replace(of, change=True).unit.strip()
    over = f"How much lower the silent would have to score{f' ({unit})' if unit else ''}"
    return replace(
        of, name=name, subject=f"how much lower in {of.subject} the silent would have to be", short=over, heading=over, axis=over,
        good=None, floor=-math.inf, ceiling=math.inf, change=True,
    )  # fmt: skip


def measure_of(frame: pd.DataFrame) -> Measure:
    """The measure a result is about: the first in the order of the vocabulary, guessed from the counts where there is no row."""
    names = sorted({str(name) for name in frame["measure"]}, key=lambda name: (_ORDER.get(name.removesuffix("_weighted"), 99), name))
    if not names:
        return measure_named(next((TELLTALE[column] for column in frame.columns if column in TELLTALE), "result"))
    measure = measure_named(names[0])
    if measure.form == "mean" and {"scale_low", "scale_high"} <= set(frame.columns):
        scales = frame[["scale_low", "scale_high"]].dropna().drop_duplicates()
        return on_scale(measure, scales.iloc[0].to_dict()) if len(scales) == 1 else measure
    if measure.name == "churn_rolling":
        return _over_its_days(measure, frame)
    return _in_its_currency(measure, frame) if measure.form == "money" else measure


def family(frame: pd.DataFrame) -> str:
    """The stem all measures of a result share: ``ces`` for ``ces_share`` and ``ces_mean``, else the measure's own name."""
    names = {str(name) for name in frame["measure"]}
    if len(names) < 2:
        return measure_of(frame).name
    stems = {name.split("_")[0] for name in names}
    return stems.pop() if len(stems) == 1 else "_".join(sorted(names))


def on_scale(measure: Measure, asked: Mapping[Any, Any]) -> Measure:
    """A mean, or a change of one, on the scale of its answers; any other measure, or one whose scale is not known, as it is."""
    if measure.form != "mean" or any(missing(asked.get(end)) for end in ("scale_low", "scale_high")):
        return measure
    low, high = (float(asked[end]) for end in ("scale_low", "scale_high"))
    if measure.name == "rating_mean":
        return replace(measure, axis=f"Mean rating, {low:g} to {high:g}", floor=low, ceiling=high)
    scaled = replace(measure, scale=f"{low:g} to {high:g}")
    unit = measure.unit.strip(), scaled.unit.strip()
    return replace(scaled, heading=measure.heading.replace(*unit), axis=measure.axis.replace(*unit)) if measure.change else measure


def _in_its_currency(measure: Measure, frame: pd.DataFrame) -> Measure:
    """An amount in the currency of its result, and what it is an amount of: margin, or revenue where there is no margin."""
    row = frame.iloc[0].to_dict() if len(frame) else {}
    currency = "" if missing(row.get("currency")) else clean(row["currency"])
    when = f" over the next {row['horizon_days']} days" if "horizon_days" in row else ""
    if {"years", "discount_year"} <= set(row):
        when = f" in the first {counted_years(float(row['years']))}, discounted by {100 * float(row['discount_year']):g} % a year"
    unit = f" ({currency})" if currency else ""
    of = "revenue" if row.get("what") == "revenue" else "margin"

    def words(text: str) -> str:
        return text.replace("margin", of).replace("Margin", of.capitalize())

    return replace(
        measure, currency=currency, subject=words(measure.subject), short=words(measure.short),
        heading=f"{words(measure.heading)}{unit}", axis=f"{words(measure.axis)}{when}{f', {currency}' if currency else ''}",
    )  # fmt: skip


def _over_its_days(measure: Measure, frame: pd.DataFrame) -> Measure:
    """Rolling churn with the length of its windows, where it is one of all rows."""
    if not {"since", "until"} <= set(frame.columns):
        return measure
    since, until = (pd.to_datetime(frame[end]) for end in ("since", "until"))
    lengths = (until - since).dt.days.unique() + 1
    if len(lengths) != 1 or missing(lengths[0]):
        return measure
    days = counted(lengths[0], "day", "days")
    return replace(
        measure, subject=f"{measure.subject} over {days}", short=f"{measure.short} over {days}", heading=f"Lost in {days} (%)",
        axis=measure.axis.replace("the days", f"the {days}"),
    )  # fmt: skip


def _unlisted(name: str) -> Measure:
    words = name.replace("_", " ")
    form: Form = "share" if name.endswith(("_share", "_rate")) else "months" if name.endswith("_days") else "number"
    low, high = _SHARE if form == "share" else (-math.inf, math.inf)
    axis = f"{words.capitalize()}, %" if form == "share" else words.capitalize()
    over = words.capitalize() + {"share": " (%)", "months": " (months)"}.get(form, "")
    return Measure(name, words, words.capitalize(), over, axis, form, good=None, floor=low, ceiling=high)


def heading(column: str) -> str:
    """A column's name as a reader's heading: ``joined_left`` is "Joined and left in the month"."""
    return HEADINGS.get(column, clean(column).replace("_", " ").strip().capitalize())


def clean(text: object) -> str:
    """A text of someone else as one line: no control characters, nothing that turns the line around."""
    kept = (" " if sign.isspace() else sign for sign in str(text))
    line = "".join(sign for sign in kept if unicodedata.category(sign) not in {"Cc", "Cs"} and sign not in _TURNING)
    return re.sub(r" {2,}", " ", line).strip()


_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufffe\uffff")


def key_words(key: str, value: object) -> str:
    """One key as a reader sees it: a month by name, a missing one as "not recorded"."""
    if missing(value):
        return NOT_RECORDED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return month_words(value) if key in {"month", "cohort"} else date_words(value)
    if key == "tenure_days":
        return decimal(float(str(value)) / DAYS_A_MONTH, 1).removesuffix(".0")
    if key == "after_days":
        return counted(float(str(value)), "day", "days")
    if key in {"share", "share_left"}:
        return decimal(100 * float(str(value)), 1).removesuffix(".0")
    if key == "language":
        return LANGUAGES.get(str(value), clean(value))
    if isinstance(value, float):
        return f"{value:g}"
    return clean(value) or NOT_RECORDED


def label(keys: Iterable[tuple[str, object]]) -> str:
    """A group as a reader sees it: its keys joined with a dot."""
    return " · ".join(key_words(key, value) for key, value in keys)


def spoken(keys: Iterable[tuple[str, object]]) -> str:
    """A group inside a sentence, where "not recorded" must say what was not."""
    words = ((heading(key).lower(), key_words(key, value)) for key, value in keys)
    return " · ".join(f"{key} {value}" if value == NOT_RECORDED else value for key, value in words)
