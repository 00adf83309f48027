"""What stands under a count in a table: most are whole numbers, some are scores, shares or verdicts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from cxlib.figures.foretold import HELD_SIGNS
from cxlib.figures.measures import Measure, decimal, key_words, measure_named, moving
from cxlib.figures.moves import size
from cxlib.figures.vocabulary import SIGNS
from cxlib.figures.withhold import few_words

#: Counts that are shares, and those whose second place matters.
_SHARES = (
    "arrived", "share_customers", "share_weighted", "followed", "stay_away", "lost_share", "at_risk_share", "retention", "gain_share",
    "still_there", "survival", "survival_rest", "share", "low_share", "high_share", "expected_share",
)  # fmt: skip
_FINE = ("asmd_before", "asmd_after", "deff", "largest_weight")
#: Counts in the currency of their result.
_AMOUNTS = ("value", "model_low", "model_high", "worth_now", "margin_month", "margin_year", "gain_all", "as_one")
#: Counts of what the silent would have to think, in the unit of the score itself.
_OF_THE_SILENT = ("change", "score_answered", "score_of_silent", "to_target")


def count_of(measure: Measure, column: str, record: Mapping[Any, Any]) -> str:
    """The cell of a row under one of the counts of its result."""
    value = record[column]
    if value is None or pd.isna(value):
        return ""
    if column == "verdict":
        signs = SIGNS | HELD_SIGNS
        return "not compared" if pd.isna(record["estimate"]) else f"{signs[value]} {value}"
    if column.startswith("estimate_"):
        return moving(measure).number(float(value), fine=True)
    if measure.form == "money" and column in _AMOUNTS:
        return measure.number(float(value), fine=True)
    if column == "restated":
        return replace(measure, change=True).number(float(value), fine=True)
    if column == "smallest_detectable":
        return size(measure, float(value))
    if column == "p_corrected":
        return p_words(float(value))
    if column == "naive":
        return measure.number(float(value), fine=True)
    if column == "until_days":
        return key_words("tenure_days", value)
    if column in _OF_THE_SILENT:
        return measure_named(measure.name.replace("_tipping", "")).number(float(value), fine=True)
    if column in {"brier", "brier_alone"}:
        return decimal(float(value), 4)
    if column in _SHARES + _FINE and not math.isinf(value):
        return decimal(100 * float(value), 1) if column in _SHARES else decimal(float(value), 2)
    return count_words(value)


def p_words(p: float) -> str:
    """A p-value for eyes; nothing where it is missing."""
    return "" if math.isnan(p) else "below 0.001" if p < 0.001 else decimal(p, 3)


def withheld_words(measure: Measure, record: Mapping[Any, Any], k: int) -> str:
    """Why a row has no numbers."""
    return "not shown: " + ("it would give a smaller group away" if record["beside"] else few_words(measure, record, k))


def count_words(value: Any) -> str:
    """A count rounded for eyes; anything else as a key is written."""
    if value is None or pd.isna(value):
        return ""
    if not isinstance(value, (int, float)):
        return key_words("", value)
    return "infinite" if math.isinf(value) else decimal(float(value), 0 if float(value).is_integer() else 1)
