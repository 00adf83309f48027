"""Forecasts in words: how many will leave, whether earlier forecasts held, and how right they were."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlib.figures.measures import a_date, capital, counted, date_words, decimal, level_words, listed, measure_named
from cxlib.figures.ranks import ends_told

if TYPE_CHECKING:
    from cxlib.figures.shown import Row, Shown

HELD, MORE, FEWER = "held", "more left", "fewer left"
#: Signs that do not rely on colour; each stands beside its word.
HELD_SIGNS = {HELD: "＝", MORE: "▲", FEWER: "▼"}
#: A calibration slope within this and one over it is as good as 1.
_ALIKE = 0.8
#: Groups of risk of about the same size, and how many of them are spoken of together.
_PARTS = {2: "half", 3: "third", 4: "quarter", 5: "fifth", 10: "tenth"}
_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five"}
_VERDICTS = {HELD: "the forecast held", MORE: "more than forecast", FEWER: "fewer than forecast"}


def is_foretold(shown: Shown) -> bool:
    """Whether a result is about forecasts of leaving."""
    return (
        "risk_group" in shown.keys
        or "brier" in shown.counts
        or (shown.measure.name == "expected_leavers" and "share" in shown.counts)
        or ("made_on" in shown.keys)
    )


def told(shown: Shown) -> str:
    """The finding of a result about forecasts, by its shape."""
    if "made_on" in shown.keys:
        return backtested(shown)
    if "risk_group" in shown.keys:
        return calibrated(shown)
    if "brier" in shown.counts:
        return scored(shown)
    return expected_words(shown) if shown.keys == ("horizon_days",) else by_group(shown)


def number(row: Row, name: str) -> float:
    """One of the counts of a row; missing where it has none."""
    value: Any = row.counts.get(name)
    return math.nan if value is None or pd.isna(value) else float(value)


def horizon(row: Row) -> str:
    """``within 90 days``"""
    return f"within {counted(float(row.key('horizon_days')), 'day', 'days')}"


def alone(shown: Shown, row: Row, *, first: bool) -> str:
    """What the interval would be if earlier forecasts had not been heard: ``, by the model alone 61 to 96``."""
    low, high = number(row, "model_low"), number(row, "model_high")
    if not number(row, "forecasts") > 0 or (low, high) == (row.low, row.high):
        return ""
    return f", {'by the model ' * first}alone {shown.measure.interval(low, high)}"


def record(shown: Shown, *, brief: bool = False) -> str:
    """How earlier forecasts did, as a sentence behind another; ``brief`` of the last alone, empty where none were heard."""
    row = shown.rows[0]
    forecasts = number(row, "forecasts")
    if not forecasts > 0:
        return ""

    def expected_and_left(which: str, of: str = "") -> str:
        left = number(row, f"left_{which}")
        return f"{decimal(number(row, f'expected_{which}'), 0)}{of} to leave, and {decimal(left, 0) if left else 'nobody'} did"

    there = f" of {decimal(number(row, 'there_latest'), 0)}"
    text = f" The last such forecast expected {expected_and_left('latest', there)}"
    return f"{text}." if brief or forecasts == 1 else f"{text}; the last {decimal(forecasts, 0)} together {expected_and_left('before')}."


def expected_words(shown: Shown) -> str:
    """Of everybody: how many by each horizon."""
    when = f" on {date_words(shown.as_of)}" if shown.as_of else ""
    parts = []
    for place, row in enumerate(shown.rows):
        lead = f"{level_words(row.level)} interval " if not place else ""
        verb = "are expected to leave " if not place else ""
        behind = f"({lead}{shown.measure.interval(row.low, row.high)}{alone(shown, row, first=not place)})"
        parts.append(f"{decimal(row.estimate, 0)} {verb}{horizon(row)} {behind}")
    return f"Of the {shown.measure.many(shown.rows[0].n)} there{when}, {listed(parts)}.{record(shown)}"


def by_group(shown: Shown) -> str:
    """Of groups: the one most and the one least likely to leave by the first horizon."""
    rows = first_horizon(shown)
    share = measure_named("leaving_share")

    def bounds(row: Row) -> tuple[float, float]:
        return number(row, "low_share"), number(row, "high_share")

    def said(row: Row, first: bool) -> tuple[str, str]:
        lead = f"{level_words(row.level)} interval " if first else ""
        behind = f"({share.quantity(number(row, 'share'))}, {lead}{share.interval(*bounds(row))})"
        return row.group("horizon_days").spoken, f"{decimal(row.estimate, 0)} of {decimal(row.n, 0)} {behind}"

    when = horizon(rows[0])
    if len(rows) == 1:
        return f"Expected to leave {when}: {', '.join(said(rows[0], True))}."
    claims, ranges = (f"Most likely to leave {when}: {{}}, {{}}", "least likely: {}, {}"), f"Expected to leave {when}: from {{}} to {{}}"
    return f"{ends_told(rows, said, claims=claims, ranges=ranges, falling=True, bounds=bounds)}."


def first_horizon(shown: Shown) -> list[Row]:
    """The groups at the nearest horizon, the one most likely to leave first."""
    nearest = min(float(row.key("horizon_days")) for row in shown.rows)
    rows = [row for row in shown.rows if float(row.key("horizon_days")) == nearest]
    return sorted(rows, key=lambda row: (-number(row, "share"), row.label))


def backtested(shown: Shown) -> str:
    """The latest forecast against what happened, and how many of all held."""
    rows = shown.rows
    row, verdicts = rows[-1], [str(row.counts["verdict"]) for row in rows]
    made, until = a_date(row.key("made_on")), a_date(row.counts["until"])
    if made is None or until is None:
        return "No forecast carries a date."
    behind = f"({level_words(row.level)} interval {shown.measure.interval(row.low, row.high)})"
    text = (
        f"Made again with only what was known on {date_words(made)}, the forecast is that {decimal(row.estimate, 0)} {behind} of "
        f"{shown.measure.many(row.n)} leave by {date_words(until)}; {decimal(number(row, 'left'), 0)} did: {_VERDICTS[verdicts[-1]]}."
    )
    if len(rows) == 1:
        return text
    return f"{text} Of the last {decimal(len(rows), 0)} forecasts made in this way, {decimal(verdicts.count(HELD), 0)} held."


def calibrated(shown: Shown) -> str:
    """The groups least and most at risk, expected and seen, and in how many groups the interval holds what was expected."""
    return f"{capital(_ends(shown.rows))}. {_held(shown.rows)}"


def _held(rows: Sequence[Row]) -> str:
    right = sum(row.low <= number(row, "expected_share") <= row.high for row in rows)
    return f"In {decimal(right, 0)} of {counted(len(rows), 'group', 'groups')} the interval holds the share expected."


def _ends(rows: Sequence[Row]) -> str:
    """``of the three fifths least at risk 186 were expected to leave and 232 did; of the fifth most at risk …``"""
    if len(rows) == 1:
        return f"of all {_expected_and_left(rows)}"
    low = (len(rows) + 1) // 2
    part = _PARTS.get(len(rows)) if max(row.n for row in rows) < 1.2 * min(row.n for row in rows) else None
    least = f"{_NUMBERS.get(low, low)} {part or 'group'}s" if low > 1 else part or "group"
    words = f"of the {least} least at risk {_expected_and_left(rows[:low])}"
    return f"{words}; of the {part or 'group'} most at risk {_expected_and_left(rows[-1:])}"


def _expected_and_left(rows: Sequence[Row]) -> str:
    hoped, left = (sum(number(row, name) for row in rows) for name in ("expected_left", "left"))
    return f"{decimal(hoped, 0)} were expected to leave and {decimal(left, 0)} did"


def _slope(scores: Shown) -> Row | None:
    return next((row for row in scores.rows_of("calibration_slope") if not math.isnan(row.low)), None)


def _apart(slope: Row) -> str:
    """``too far apart`` or ``not far enough apart``, where the interval of the slope says so; else empty."""
    return "too far apart" if slope.high < 1 else "not far enough apart" if slope.low > 1 else ""


def _spread(scores: Shown) -> str:
    """Whether the forecasts set customers too far apart, by the interval of the calibration slope; empty without one."""
    row = _slope(scores)
    if row is None:
        return ""
    ends = f"{level_words(row.level)} interval {decimal(row.low, 2)} to {decimal(row.high, 2)}"
    behind = f"(calibration slope {decimal(row.estimate, 2)}, {ends}; 1 is right)"
    if apart := _apart(row):
        return f"The forecasts set customers {apart} {behind}"
    if row.low >= _ALIKE and row.high <= 1 / _ALIKE:
        return f"The forecasts set customers about as far apart as they are {behind}"
    return f"Whether the forecasts set customers too far apart, or not far enough, cannot be told yet {behind}"


def checked(shown: Shown, scores: Sequence[Shown]) -> str:
    """What was expected against what happened, by groups of risk, and in the scores that follow; empty without a slope."""
    spread = next((words for each in scores if (words := _spread(each))), "")
    if shown.reason or not spread:
        return ""
    behind = " ".join(_others(each) for each in scores)
    return f"{spread}: {_ends(shown.rows)}. {_held(shown.rows)} {behind}"


def misjudged(shown: Shown | None = None, *scores: Shown) -> str:
    """That earlier chances of those most at risk were too high, or too low, as a sentence; empty where nothing says so."""
    slope = next((row for each in scores if (row := _slope(each))), None)
    if shown is None or shown.reason or slope is None or len(shown.rows) < 2:
        return ""
    top = shown.rows[-1]
    hoped, left = number(top, "expected_left"), number(top, "left")
    _, _, words = _ends(shown.rows).rpartition("; ")
    if top.high < number(top, "expected_share") or top.low > number(top, "expected_share"):
        return f"In earlier forecasts such chances were too {'high' if left < hoped else 'low'}: {words}."
    # The slope is of all customers: of those at the top it says which way they err, and not that they do.
    apart = _apart(slope)
    if not apart or (left < hoped) != (slope.high < 1):
        return ""
    here, there = ("high", "low") if slope.high < 1 else ("low", "high")
    return f"Earlier forecasts set customers {apart}: chances like these are rather too {here}, those of all others too {there} ({words})."


def scored(shown: Shown) -> str:
    """Whether customers were set too far apart, how many left of those expected, and how well who leaves was told."""
    spread, others = _spread(shown), _others(shown)
    return f"{spread}. {others}" if spread else others


def _others(shown: Shown) -> str:
    """How many left of those expected, how often who left first had the greater chance, and how much error that takes away."""
    said = []
    for row in shown.rows_of("observed_expected"):
        if not math.isnan(row.low):
            ends = f"{level_words(row.level)} interval {decimal(row.low, 2)} to {decimal(row.high, 2)}"
            said.append(f"Of all, {_expected_and_left([row])}: {decimal(row.estimate, 2)} for each expected ({ends}).")
    for row in shown.rows_of("concordance"):
        if not math.isnan(row.estimate):
            ends = f"{decimal(100 * row.low, 0)} to {decimal(100 * row.high, 0)}"
            said.append(
                "Of two customers of whom one left first, it was the one thought more at risk in "
                f"{decimal(100 * row.estimate, 0)} of 100 cases ({level_words(row.level)} interval {ends}; by chance alone 50)."
            )
    for row in shown.rows_of("brier_scaled"):
        if math.isnan(row.estimate):
            continue
        ends = f"({level_words(row.level)} interval {shown.measure.interval(row.low, row.high)})"
        if row.low > 0 or row.high < 0:
            way = "smaller" if row.low > 0 else "larger"
            size = decimal(100 * abs(row.estimate), 1)
            ends = ends if row.low > 0 else f"({level_words(row.level)} interval {shown.measure.interval(-row.high, -row.low)})"
            said.append(f"Its squared error was {size} % {way} than that of tenure alone {ends}.")
        else:
            said.append(f"Whether it erred less than tenure alone cannot be told: {shown.measure.quantity(row.estimate)} {ends}.")
    return " ".join(said) or "Nobody left, so nothing tells how right the forecasts were."
