"""The vocabulary: what a reader calls each measure, key and count, its unit, and how its numbers are written."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Literal

import pandas as pd

from cxlib.figures.numbers import (
    DAYS_A_MONTH,
    MINUS,
    MONTHS,
    Form,
    Measure,
    a_date,
    amounts,
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

#: How numbers and days are written is asked for here, too.
__all__ = [
    "DAYS_A_MONTH", "MINUS", "MONTHS", "Form", "Measure", "a_date", "amounts", "counted", "counted_years", "date_words", "decimal",
    "level_words", "listed", "missing", "month_words", "window_words",
]  # fmt: skip

NOT_RECORDED = "not recorded"

#: Languages are kept as codes; a reader has names.
LANGUAGES = {
    "ar": "Arabic", "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "fr": "French", "hu": "Hungarian",
    "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "tr": "Turkish", "uk": "Ukrainian", "zh": "Chinese", "zh-Hans": "Simplified Chinese",
    "zh-Hant": "Traditional Chinese",
}  # fmt: skip


_CUSTOMERS = ("customer", "customers")
_PURCHASES = ("purchase", "purchases")
_SILENCES = ("silence", "silences")
_SHARE = (0.0, 1.0)

#: Classes of answers, whose shares a cross-table has: name, words, and whether many of them are good.
_CLASSES: tuple[tuple[str, str, Literal["high", "low"] | None], ...] = (
    ("promoters", "promoters", "high"), ("passives", "passives", None), ("detractors", "detractors", "low"),
    ("dissatisfied", "dissatisfied answers", "low"), ("easy", "easy answers", "high"), ("hard", "hard answers", "low"),
    ("top", "best answers", "high"), ("bottom", "worst answers", "low"),
)  # fmt: skip

_MEASURES = (
    Measure(
        "nps", "loyalty (NPS)", "Loyalty (NPS)", "NPS (points)",
        "Net Promoter Score, points from −100 to 100", "points", floor=-100, ceiling=100,
    ),
    Measure(
        "nps_1_to_10", "loyalty (NPS asked from 1 to 10)", "Loyalty (NPS, asked from 1 to 10)", "NPS (points)",
        "Net Promoter Score asked from 1 to 10, points from −100 to 100", "points", floor=-100, ceiling=100,
    ),
    Measure(
        "csat", "satisfaction (CSAT)", "Satisfaction (CSAT)", "Satisfied (%)",
        "Share of satisfied answers, %", "share", floor=0, ceiling=1,
    ),
    Measure("ces_share", "ease (CES)", "Ease (CES)", "Easy (%)", "Share who found it easy, %", "share", floor=0, ceiling=1),
    Measure("ces_mean", "mean ease (CES)", "Mean ease (CES)", "Mean ease", "Mean ease, 1 hard to 7 easy", "mean", floor=1, ceiling=7),
    Measure("ces_agreement", "mean ease (CES)", "Ease (CES)", "Mean ease", "Mean ease, 1 hard to 5 easy", "mean", floor=1, ceiling=5),
    Measure("ces_effort", "effort (CES)", "Effort (CES)", "Mean effort", "Mean effort, 1 to 5", "mean", good="low", floor=1, ceiling=5),
    Measure("rating_mean", "the mean rating", "Mean rating", "Mean rating", "Mean rating", "mean"),
    Measure(
        "answer_share", "the share of answers", "Share of answers", "Share (%)", "Share of answers, %", "share",
        good=None, floor=0, ceiling=1,
    ),
    Measure(
        "churn_rate", "the monthly churn rate", "Monthly churn", "Lost (%)", "Share of customers lost in the month, %", "share",
        base=_CUSTOMERS, base_heading="Customers at the start", good="low", floor=0, ceiling=1,
    ),
    Measure(
        "survival", "the share still with us", "Still with us", "Still with us (%)", "Customers still with us, %", "share",
        base=_CUSTOMERS, base_heading="At risk", floor=0, ceiling=1,
    ),
    Measure(
        "median_tenure", "the median tenure", "Median tenure", "Median (months)", "Months until half have left", "months",
        base=_CUSTOMERS, base_heading="Customers", floor=0,
    ),
    Measure(
        "response_rate", "the response rate", "Response rate", "Answered (%)", "Share of invitations that were answered, %", "share",
        base=("invitation", "invitations"), base_heading="Invitations", floor=0, ceiling=1,
    ),
    Measure(
        "share_of_answers", "the share of the answers", "Share of the answers", "Of the answers (%)", "Share of the answers, %", "share",
        good=None, floor=0, ceiling=1,
    ),
    *(
        Measure(
            f"{one}_share", f"the share of {words}", words.capitalize(), f"{words.capitalize()} (%)", f"Share of {words}, %", "share",
            good=good, floor=0, ceiling=1,
        )
        for one, words, good in _CLASSES
    ),
    Measure(
        "class_share", "the share of answers", "Share of answers", "Share (%)", "Share of answers, %", "share",
        base_heading="All answers", good=None, floor=0, ceiling=1,
    ),
    Measure(
        "choice_share", "the share that chose it", "Share that chose it", "Chosen by (%)", "Share of those who answered, %", "share",
        base_heading="Those who answered", good=None, floor=0, ceiling=1,
    ),
    Measure(
        "driver_importance", "importance", "Importance", "Importance (%)", "Part of the differences between answers that goes with it, %",
        "share", base=("rating", "ratings"), base_heading="Ratings", good=None, floor=0, ceiling=1,
    ),
    Measure(
        "churn_rate_all", "churn with those who joined meanwhile", "Churn, with the new", "Lost, with the new (%)",
        "Customers lost, new ones too, % of those at the start", "share", base=_CUSTOMERS, base_heading="Customers at the start",
        good="low", floor=0,
    ),
    Measure(
        "churn_rate_mean", "churn of the average number of customers", "Churn of the average", "Lost of the average (%)",
        "Customers lost, % of the average number", "share", base=_CUSTOMERS, base_heading="Customers at the start", good="low", floor=0,
    ),
    Measure(
        "churn_rate_days", "churn by customer-days", "Churn by customer-days", "Lost by customer-days (%)",
        "Customers lost by customer-days, %", "share", base=_CUSTOMERS, base_heading="Customers", good="low", floor=0, ceiling=1,
    ),
    Measure(
        "churn_rolling", "rolling churn", "Rolling churn", "Lost (%)", "Lost in the days up to a month's end, % of their mean number",
        "share", base=_CUSTOMERS, base_heading="Customers", good="low", floor=0,
    ),
    Measure(
        "retention", "the share still there", "Still there", "Still there (%)", "Share of the cohort still there, %", "share",
        base=_CUSTOMERS, base_heading="Joined", floor=0, ceiling=1,
    ),
    Measure(
        "revenue_churn", "gross revenue churn", "Gross revenue churn", "Revenue lost (%)", "Share of the month before's revenue lost, %",
        "share", base=_CUSTOMERS, base_heading="Customers before", good="low", floor=0, ceiling=1,
    ),
    Measure(
        "net_retention", "net revenue retention", "Net revenue retention", "Revenue kept (%)",
        "Revenue of the month before's customers, % of what it was", "share", base=_CUSTOMERS, base_heading="Customers before", floor=0,
    ),
    Measure(
        "returned_share", "the share of purchases followed by another", "Bought again", "Bought again (%)",
        "Purchases followed by another of the same customer, %", "share", base=_PURCHASES, base_heading="Still waited for",
        floor=0, ceiling=1,
    ),
    Measure(
        "return_days", "the days until the next purchase", "Days until the next purchase", "Within days", "Days until the next purchase",
        "count", base=_PURCHASES, base_heading="Purchases", good="low", floor=0,
    ),
    Measure(
        "silent_days", "the silence after which a customer counts as lost", "Silent for good after", "Days of silence",
        "Days of silence after which a customer may count as lost", "count", base=_SILENCES, base_heading="Silences watched",
        good=None, floor=0,
    ),
    Measure(
        "woken_share", "the share of the silent who came back", "Came back after all", "Came back (%)", "Silent customers who came back, %",
        "share", base=_SILENCES, base_heading="Silences watched", good=None, floor=0, ceiling=1,
    ),
    Measure(
        "value_at_risk", "the margin at risk", "Margin at risk", "Margin at risk", "Margin at risk", "money",
        base=_CUSTOMERS, base_heading="Customers with a value", good="low",
    ),
    Measure(
        "lifetime_value", "the value of a new customer", "Value of a new customer", "Margin of a new customer", "Margin of a new customer",
        "money", base=_CUSTOMERS, base_heading="Customers",
    ),
    Measure(
        "retention_gain", "what more retention would add", "More retention would add", "Margin added, a customer",
        "Margin that more yearly retention would add, a customer", "money", base=_CUSTOMERS, base_heading="Customers a year ago", good=None,
    ),
    Measure(
        "cumulative_incidence", "the share that has left", "Left", "Left (%)", "Customers who have left, %", "share",
        base=_CUSTOMERS, base_heading="At risk", good="low", floor=0, ceiling=1,
    ),
    Measure(
        "hazard", "the share leaving in a month", "Leaving in a month", "Leaving in a month (%)",
        "Of those still with us, leaving in a month, %", "share", base=_CUSTOMERS, base_heading="At risk", good="low", floor=0, ceiling=1,
    ),
    Measure(
        "tenure_quantile", "the tenure by which so many have left", "Left by", "Left by (months)", "Months until so many have left",
        "months", base=_CUSTOMERS, base_heading="Customers", floor=0,
    ),
    Measure("stay", "the stay", "Stay", "Stay (days)", "Stay, days", "days", base=_CUSTOMERS, base_heading="Customers", floor=0),
    Measure(
        "expected_leavers", "the number of customers expected to leave", "Expected to leave", "Expected to leave",
        "Customers expected to leave", "count", base=_CUSTOMERS, base_heading="Customers there", good="low", floor=0,
    ),
    Measure(
        "leaving_share", "the share expected to leave", "Expected to leave", "Expected to leave (%)",
        "Share of customers expected to leave, %", "share", base=_CUSTOMERS, base_heading="Customers there", good="low", floor=0, ceiling=1,
    ),
    Measure(
        "left_share", "the share that left", "Left", "Left (%)", "Share of customers that left, %", "share",
        base=_CUSTOMERS, base_heading="Customers", good="low", floor=0, ceiling=1,
    ),
    Measure(
        "brier_scaled", "the error taken away", "Error taken away", "Error taken away (%)", "Squared error less than by tenure alone, %",
        "share", base=_CUSTOMERS, base_heading="Customers", ceiling=1,
    ),
    Measure(
        "concordance", "the concordance", "Concordance", "Concordance", "Pairs of customers told rightly, 0 to 1", "number",
        base=_CUSTOMERS, base_heading="Customers", floor=0, ceiling=1,
    ),
    Measure(
        "hazard_ratio", "the hazard ratio", "Hazard ratio", "Times as likely",
        "Leaving on any day, times as likely as in what is compared with", "number",
        base=("spell", "spells"), base_heading="Spells", good="low", floor=0,
    ),
    Measure(
        "proportionality", "the test that ratios stay the same", "Same at every tenure", "Chi-square",
        "Chi-square of the test of each covariate", "number", base=("row", "rows"), base_heading="Rows", good=None, floor=0,
    ),
)  # fmt: skip
_VOCABULARY = {measure.name: measure for measure in _MEASURES}

#: A result without rows has lost the name of its measure; the counts it would have had tell.
_TELLTALE = {
    "reference": "hazard_ratio",
    "df": "proportionality",
    "score_rest": "difference",
    "verdict": "change",
    "higher_than": "banner",
    "promoters": "nps",
    "satisfied": "csat",
    "easy": "ces_share",
    "top": "rating_mean",
    "left": "churn_rate",
    "still": "retention",
    "contraction": "revenue_churn",
    "events": "survival",
    "churned": "median_tenure",
    "answers": "answer_share",
    "chosen": "choice_share",
    "n_closed": "result_restated",
    "too_recent": "response_rate",
    "share_customers": "share_of_answers",
    "score_of_silent": "nps_tipping",
    "largest_weight": "nps",
    "johnson": "driver_importance",
    "open": "returned_share",
    "longest_days": "silent_days",
    "lost": "woken_share",
    "at_risk_share": "value_at_risk",
    "stay_months": "lifetime_value",
    "gain_share": "retention_gain",
    "still_there": "cumulative_incidence",
    "customer_days": "hazard",
    "share_left": "tenure_quantile",
    "stay_rest": "stay_difference",
    "survival_rest": "survival_difference",
    "made_on": "expected_leavers",
    "low_share": "expected_leavers",
    "risk_group": "left_share",
    "brier": "brier_scaled",
}

#: Keys along which a result is a curve or a distribution: its rows are no groups of their own.
AXES = (
    "score", "step", "tenure_days", "tenure_months", "class", "choice", "gap_days", "after_days", "share", "share_left", "end_reason",
    "horizon_days",
)  # fmt: skip

_HEADINGS = {
    "n_eff": "Effective answers",
    "tenure_days": "Tenure (months)",
    "joined_left": "Joined and left in the month",
    "level": "Level",
    "estimate_customers": "Customers",
    "estimate_staff": "Staff",
    "n_customers": "Answers of customers",
    "n_staff": "Answers of staff",
    "estimate_later": "Later",
    "estimate_early": "Early",
    "n_later": "Later answers",
    "n_early": "Early answers",
    "p_corrected": "Corrected p",
    "smallest_detectable": "Difference they show",
    "n_to_tell": "Answers to tell",
    "estimate_closed": "At the close",
    "n_closed": "Answers at the close",
    "restated": "Restated by",
    "late": "Late answers",
    "days": "Early within (days)",
    "n_people": "People",
    "to_come": "Still to come",
    "closed": "Closed on",
    "arrived": "Arrived (%)",
    "recent_answered": "Of these answered so far",
    "deff": "Answers for one",
    "average_customers": "Customers on an average day",
    "share_customers": "Of the customers (%)",
    "share_weighted": "Of the answers, weighted (%)",
    "asmd_before": "Distance",
    "asmd_after": "Distance, weighted",
    "score_answered": "Score of those who answered",
    "score_of_silent": "Score the silent would need",
    "to_target": "Lower for the target",
    "driver": "Part of the experience",
    "tenure_months": "Months since joining",
    "start": "At the start",
    "new_left": "New and left",
    "seen_late": "Seen from later on",
    "seen_late_left": "Of these left",
    "overdispersion": "Differ by (1 is chance)",
    "gap_days": "Days after a purchase",
    "returned": "Came back",
    "open": "Not yet",
    "naive": "Of those who came back",
    "followed": "Of those so far back (%)",
    "n_followed": "Purchases so far back",
    "after_days": "Silence",
    "stay_away": "To stay away (%)",
    "within_days": "Watched for (days)",
    "longest_days": "Longest to be watched (days)",
    "lost": "Lost now",
    "lost_share": "Lost now (%)",
    "silences": "Silences so far",
    "ended": "Of these ended",
    "leavers": "Expected to leave",
    "value": "Brought by all",
    "worth_now": "Worth now",
    "at_risk_share": "At risk (%)",
    "without_value": "Without a value",
    "at_horizon": "Seen to the end",
    "valued": "There, with a value",
    "margin_month": "A month",
    "stay_months": "Months of staying, discounted",
    "points": "Points more",
    "retained": "Still there",
    "retention": "Kept a year (%)",
    "margin_year": "A year",
    "gain_share": "More (%)",
    "gain_all": "For all there",
    "end_reason": "Reason",
    "share_left": "Of 100 have left",
    "still_there": "Still with us (%)",
    "until_days": "To (months)",
    "customer_days": "Customer-days",
    "stay": "Stay (days)",
    "stay_rest": "Of the rest (days)",
    "survival": "Still with us (%)",
    "survival_rest": "Of the rest (%)",
    "n_rest": "n of the rest",
    "horizon_days": "Within (days)",
    "made_on": "Forecast of",
    "risk_group": "Group, by risk",
    "share": "Share (%)",
    "low_share": "From (%)",
    "high_share": "To (%)",
    "expected_share": "Expected (%)",
    "expected_left": "Expected to leave",
    "brier": "Brier score",
    "brier_alone": "By tenure alone",
    "covariate": "What is known",
    "stretch": "Tenure",
    "reference": "Compared with",
    "df": "Degrees of freedom",
    "advice": "What it means",
}

#: What a measure is made into, by the end of its name: in a sentence, over a column, beside a picture.
_DERIVED = {
    "_change": ("the change of", "Change", "Change of"),
    "_difference": ("the difference of", "Difference", "Group less rest,"),
    "_gap": ("the gap in", "Gap", "Staff less customers,"),
    "_early": ("the difference in", "Difference", "Early less later answers,"),
    "_restated": ("", "", ""),
}

#: What has been measured before what it was measured with: the first that a result holds is drawn.
_ORDER = {measure.name: place for place, measure in enumerate(_MEASURES)}


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
        return measure_named(next((_TELLTALE[column] for column in frame.columns if column in _TELLTALE), "result"))
    measure = measure_named(names[0])
    if measure.name == "rating_mean" and {"scale_low", "scale_high"} <= set(frame.columns):
        return _on_its_scale(measure, frame)
    return _in_its_currency(measure, frame) if measure.form == "money" else measure


def family(frame: pd.DataFrame) -> str:
    """The stem all measures of a result share: ``ces`` for ``ces_share`` and ``ces_mean``, else the measure's own name."""
    names = {str(name) for name in frame["measure"]}
    if len(names) < 2:
        return measure_of(frame).name
    stems = {name.split("_")[0] for name in names}
    return stems.pop() if len(stems) == 1 else "_".join(sorted(names))


def _on_its_scale(measure: Measure, frame: pd.DataFrame) -> Measure:
    scales = frame[["scale_low", "scale_high"]].dropna().drop_duplicates()
    if len(scales) != 1:
        return measure
    low, high = (float(end) for end in scales.iloc[0])
    return replace(measure, axis=f"Mean rating, {low:g} to {high:g}", floor=low, ceiling=high)


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


def _unlisted(name: str) -> Measure:
    words = name.replace("_", " ")
    form: Form = "share" if name.endswith(("_share", "_rate")) else "months" if name.endswith("_days") else "number"
    low, high = _SHARE if form == "share" else (-math.inf, math.inf)
    axis = f"{words.capitalize()}, %" if form == "share" else words.capitalize()
    over = words.capitalize() + {"share": " (%)", "months": " (months)"}.get(form, "")
    return Measure(name, words, words.capitalize(), over, axis, form, good=None, floor=low, ceiling=high)


def heading(column: str) -> str:
    """A column's name as a reader's heading: ``joined_left`` is "Joined and left in the month"."""
    return _HEADINGS.get(column, clean(column).replace("_", " ").strip().capitalize())


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
