"""Drivers in words: which part matters most, what is not settled, what chance does as well, and what to raise first.

Nothing here is called a cause: importance is what goes with a score.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from cxlib.figures.cells import withheld_words
from cxlib.figures.measures import Measure, capital, counted, decimal, heading, key_words, level_words, listed, measure_named
from cxlib.figures.shown import Row, Shown, by_group

RAISE, KEEP, LATER, LEAVE, OPEN = "raise first", "keep up", "later", "leave", "not settled"
#: More than so many parts are not named in one sentence.
NAMED = 4

#: What stands under the table.
DRIVER_WORDS = (
    "Place: from the best to the worst that the intervals allow. Chance: what a rating that says nothing stays below in 95 of 100 samples. "
    "Reward and penalty: points of the score for each point of the rating above and below the middle of its scale. "
    "Importance is what goes with the score; it is no proof that raising a rating raises the score."
)

Cell = tuple[str, bool]


def is_drivers(keys: Iterable[str]) -> bool:
    """Whether a result with these keys holds drivers of a score."""
    return "driver" in keys


def compared(shown: Shown) -> list[Row]:
    """The drivers that have an importance: group after group, the most important first."""
    order = {group: place for place, group in enumerate(dict.fromkeys(row.group("driver").label for row in shown.rows))}
    rows = (row for row in shown.rows if not math.isnan(row.estimate))
    return sorted(rows, key=lambda row: (order[row.group("driver").label], -row.estimate, row.label))


def name_of(row: Row) -> str:
    """What was rated, as a reader sees it."""
    return key_words("driver", row.key("driver"))


def first_ones(rows: Sequence[Row]) -> list[Row]:
    """The drivers of one group that may be the most important."""
    return [row for row in rows if row.count("rank_low") == 1 and row.counts["above_noise"]]


def importance(shown: Shown) -> str:
    """What matters most, or between which that is not settled; what chance does as well; what is to be raised first."""
    groups = by_group(compared(shown), "driver")
    if not groups:
        return "No part of the experience can be compared."
    if len(groups) == 1:
        (rows,) = groups
        return " ".join([_most(shown.measure, rows), *_order(rows), *_chance(rows), *raised(rows)])
    said = [_most(shown.measure, rows, group=rows[0].group("driver").spoken) for rows in groups[:NAMED]]
    more = len(groups) - len(said)
    return " ".join([*said, *([f"{counted(more, 'more group is', 'more groups are')} in the table."] if more else [])])


def outcome_of(row: Row) -> Measure:
    """The score that is explained."""
    name = str(row.counts["outcome"])
    return measure_named({"ces": "ces_mean", "ratings": "rating_mean"}.get(name, name))


def _most(measure: Measure, rows: Sequence[Row], *, group: str = "") -> str:
    """``Delivery matters most to loyalty (NPS): 14.9 % of the differences between answers go with it (95 % interval 9.8 to 20.6).``"""
    first, top = first_ones(rows), rows[0]
    subject = outcome_of(top).subject + (f" in {group}" if group else "")
    if not first:
        return f"No part of the experience goes with {subject} more than chance would."
    behind = f"({level_words(top.level)} interval {measure.interval(top.low, top.high)})"
    part = f"{measure.quantity(top.estimate)} of the differences between answers"
    together = f"all {len(rows)} parts together go with {measure.quantity(top.count('r_squared'))}"
    if len(first) == 1:
        return f"{capital(name_of(top))} matters most to {subject}: {part} go with it {behind}; {together}."
    among = listed(map(name_of, first)) if len(first) <= NAMED else f"{len(first)} of {len(rows)} parts"
    return f"What matters most to {subject} is not settled between {among}: most goes with {name_of(top)}, {part} {behind}; {together}."


def _order(rows: Sequence[Row]) -> list[str]:
    """The refusal to rank what is not stable."""
    open_ = [row for row in rows if pd.isna(row.counts["rank"]) and row.counts["above_noise"]]
    if len(open_) < 2 or open_ == first_ones(rows):
        return []
    if len(open_) == len(rows) > NAMED:
        return [f"No place among the {len(rows)} parts is settled."]
    if len(open_) > NAMED:
        return [f"The order of {len(open_)} of the {len(rows)} parts is not settled."]
    return [f"The order of {listed(map(name_of, open_))} is not settled."]


def _chance(rows: Sequence[Row]) -> list[str]:
    silent = [name_of(row) for row in rows if not row.counts["above_noise"]]
    if not silent or len(silent) == len(rows):
        return []
    return [f"{capital(listed(silent))} {'shows' if len(silent) == 1 else 'show'} no more than chance would."]


def raised(rows: Sequence[Row], *, brief: bool = False) -> list[str]:
    """What is important and rated low, and whether low ratings cost; ``brief`` without its numbers, for a headline."""
    said = []
    for row in (row for row in rows if row.counts["priority"] == RAISE):
        low, high = row.count("penalty_low"), row.count("penalty_high")
        rated = "rated low" if brief else f"rated low (mean {decimal(row.count('performance'), 2)})"
        scale = (
            "" if pd.isna(row.counts.get("outcome_low")) else f" on the scale {row.counts['outcome_low']} to {row.counts['outcome_high']}"
        )
        lost = f"who rates it a point lower gives a score lower by {decimal(-row.count('penalty'), 2)} points{scale}"
        cost = f" ({level_words(row.level)} interval {decimal(-high, 2)} to {decimal(-low, 2)})"
        only = ", and low ratings are punished" if row.counts["role"] == "basic" else ""
        punished = f" and {rated}{only}" + (f"; {lost}{cost}" if high < 0 and not brief else "")
        said.append(f"Raise {name_of(row)} first: it is important{punished}.")
    return said


def driver_cells(shown: Shown, frame: pd.DataFrame) -> tuple[list[Cell], list[list[Cell]]]:
    """Headings and rows of the table of drivers."""
    heads: list[Cell] = [*((heading(key), False) for key in shown.keys), ("Place", True), (shown.measure.heading, True)]
    heads += [(f"{level_words(shown.level)} interval", True), ("Chance (%)", True), ("Johnson (%)", True), ("Mean rating", True)]
    heads += [("Reward", True), ("Penalty", True), ("Role", False), ("What to do", False), ("Ratings", True), ("Not rated", True)]
    return heads, [_cells(shown, record) for record in frame.to_dict("records")]


def _cells(shown: Shown, record: dict[Any, Any]) -> list[Cell]:
    measure = shown.measure
    head: list[Cell] = [(key_words(key, record[key]), False) for key in shown.keys]
    if record["withheld"]:
        return [*head, (withheld_words(measure, record, shown.k), False), *([("", True)] * 11)]

    def share(column: str) -> str:
        return "" if pd.isna(record.get(column)) else measure.number(float(record[column]), fine=True)

    def mean(column: str) -> str:
        ends = [record.get(f"{column}{end}") for end in ("", "_low", "_high")]
        if any(pd.isna(end) for end in ends):
            return ""
        value, low, high = (decimal(float(str(end)), 2) for end in ends)
        return f"{value} ({low} to {high})"

    best, worst = record.get("rank_low"), record.get("rank_high")
    place = "not compared" if pd.isna(best) else f"{best}" if best == worst else f"{best} to {worst}"
    span = "" if pd.isna(record["low"]) else measure.interval(float(record["low"]), float(record["high"]), fine=True)
    whole = [("" if pd.isna(record.get(column)) else decimal(float(record[column]), 0), True) for column in ("n", "missing")]
    advice: list[Cell] = [(str(record.get(column) or ""), False) for column in ("role", "priority")]
    numbers = [place, share("estimate"), span, share("noise_floor"), share("johnson"), mean("performance"), mean("reward"), mean("penalty")]
    return [*head, *((text, True) for text in numbers), *advice, *whole]
