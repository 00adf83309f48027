"""The vocabulary: what a reader calls each measure, key and count, its unit, and how its numbers are written."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

import pandas as pd

Form = Literal["points", "share", "mean", "months", "number", "count"]

DAYS_A_MONTH = 30.4375
NOT_RECORDED = "not recorded"
MINUS = "\u2212"
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


#: Languages are kept as codes; a reader has names.
LANGUAGES = {
    "ar": "Arabic", "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "fr": "French", "hu": "Hungarian",
    "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "tr": "Turkish", "uk": "Ukrainian", "zh": "Chinese", "zh-Hans": "Simplified Chinese",
    "zh-Hant": "Traditional Chinese",
}  # fmt: skip


@dataclass(frozen=True)
class Measure:
    """How a measure is spoken of.

    ``subject`` stands in a sentence, ``short`` on a card, ``heading`` over a column, ``axis`` beside
    a picture. ``form`` decides how a number is written, ``good`` which end of the scale is the good
    one, ``base`` what ``n`` counts, and ``floor`` and ``ceiling`` where the scale ends. A ``change`` of
    a measure has its form, and a sign.
    """

    name: str
    subject: str
    short: str
    heading: str
    axis: str
    form: Form
    base: tuple[str, str] = ("answer", "answers")
    base_heading: str = "Answers"
    good: Literal["high", "low"] | None = "high"
    floor: float = -math.inf
    ceiling: float = math.inf
    change: bool = False

    @property
    def unit(self) -> str:
        """What follows a number: `` points``, `` %``, `` months`` or nothing."""
        if self.change and self.form == "share":
            return " percentage points"
        return {"points": " points", "share": " %", "months": " months"}.get(self.form, "")

    def shown(self, value: float) -> float:
        """The value on the scale a reader sees: percent for shares, months for days."""
        if self.form == "share":
            return 100 * value
        return value / DAYS_A_MONTH if self.form == "months" else value

    def number(self, value: float, *, fine: bool = False) -> str:
        """The value rounded for eyes, without its unit; ``fine`` for tables."""
        if self.form == "months" or (self.form == "count" and fine):
            return decimal(self.shown(value), 1).removesuffix(".0")
        number = decimal(self.shown(value), {"points": int(fine), "share": 1, "mean": 2, "number": 2, "count": 0}[self.form])
        return f"+{number}" if self.change and value > 0 and any(digit in number for digit in "123456789") else number

    def quantity(self, value: float) -> str:
        """The value rounded for eyes, with its unit: ``31 points``."""
        number = self.number(value)
        return f"{number} {'point' if number in {'1', '+1', MINUS + '1'} else 'points'}" if self.form == "points" else number + self.unit

    def brief(self, value: float) -> str:
        """The value where its unit has been said: ``31``, but ``31.0 %``."""
        return self.number(value) if self.form == "points" or self.change else self.quantity(value)

    def interval(self, low: float, high: float, *, fine: bool = False) -> str:
        """The interval rounded for eyes: ``28 to 34``, or ``above 28`` where it has no upper end."""
        if _missing(low) and _missing(high):
            return "no interval"
        if _missing(high):
            return f"above {self.number(low, fine=fine)}"
        if _missing(low):
            return f"below {self.number(high, fine=fine)}"
        return f"{self.number(low, fine=fine)} to {self.number(high, fine=fine)}"

    def many(self, n: float) -> str:
        """The base in words: ``2,746 answers``."""
        return counted(n, *self.base)


_CUSTOMERS = ("customer", "customers")
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
    "made_on": "expected_leavers",
    "low_share": "expected_leavers",
    "risk_group": "left_share",
    "brier": "brier_scaled",
}

#: Keys along which a result is a curve or a distribution: its rows are no groups of their own.
AXES = ("score", "step", "tenure_days", "class", "choice", "horizon_days")

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
    return measure


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
    if _missing(value):
        return NOT_RECORDED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return month_words(value) if key == "month" else date_words(value)
    if key == "tenure_days":
        return decimal(float(str(value)) / DAYS_A_MONTH, 1).removesuffix(".0")
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


def date_words(day: date, *, short: bool = False) -> str:
    """``30 June 2026``, or ``30 Jun 2026`` where room is short."""
    return f"{day.day} {month_words(day, short=short)}"


def month_words(day: date, *, short: bool = False) -> str:
    """``June 2026``, or ``Jun 2026`` where room is short."""
    name = MONTHS[day.month - 1]
    return f"{name[:3] if short else name} {day.year}"


def window_words(since: object, until: object) -> str:
    """The window of a number: ``June 2026`` or ``July 2024 to June 2026``; nothing where the table has no dates."""
    first, last = a_date(since), a_date(until)
    if first is None or last is None:
        return ""
    return month_words(last) if (first.year, first.month) == (last.year, last.month) else f"{month_words(first)} to {month_words(last)}"


def a_date(value: object) -> date | None:
    """A date from whatever pandas made of it; None where it is missing."""
    if _missing(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.date()
    if isinstance(value, date):
        return value
    return pd.Timestamp(str(value)).date()


def decimal(value: float, places: int) -> str:
    """A number for eyes: thousands separated, a true minus, and never a minus before nothing."""
    text = f"{value:,.{places}f}"
    if text.startswith("-"):
        text = MINUS + text[1:] if any(digit in text for digit in "123456789") else text[1:]
    return text


def counted(n: float, one: str, many: str) -> str:
    """``1 answer``, ``2,746 answers``; weighted counts are rounded."""
    number = decimal(n, 0)
    return f"{number} {one if number == '1' else many}"


def listed(words: Iterable[str]) -> str:
    """``a, b and c``"""
    items = list(words)
    return " and ".join(items) if len(items) < 3 else f"{', '.join(items[:-1])} and {items[-1]}"


def level_words(level: float) -> str:
    """``95 %`` or ``99.5 %``"""
    return f"{100 * level:.4g} %"


def _missing(value: Any) -> bool:
    return value is None or value is pd.NA or bool(pd.api.types.is_scalar(value) and pd.isna(value))
