"""Curves by tenure: the rows of each, and at which tenure a curve is read."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cxlib.figures.numbers import DAYS_A_MONTH, decimal
from cxlib.figures.shown import Row, Shown, by_group
from cxlib.figures.stretches import FEWEST


def curves_of(shown: Shown) -> list[list[Row]]:
    """The rows of each group's curve, in order of tenure."""
    known = (row for row in shown.rows if not math.isnan(row.estimate))
    return [sorted(rows, key=lambda row: float(row.key("tenure_days"))) for rows in by_group(known, "tenure_days")]


def at(rows: Sequence[Row], months: float) -> Row:
    """The row of a step curve that holds after so many months."""
    days = months * DAYS_A_MONTH + 1e-6
    return next((row for row in reversed(rows) if float(row.key("tenure_days")) <= days), rows[0])


def reaches(rows: Sequence[Row], months: float) -> bool:
    """Whether a row of the curve is known to hold after so many months."""
    days, row = months * DAYS_A_MONTH, at(rows, months)
    return float(row.key("tenure_days")) - 1e-6 <= days <= row.holds + 1e-6


def asked(curves: Sequence[Sequence[Row]]) -> float:
    """The tenure to speak of, in months: the only one there is, else a year, else the longest usual one that is reached."""
    tenures = {float(row.key("tenure_days")) for rows in curves for row in rows}
    if len(tenures) == 1:
        return tenures.pop() / DAYS_A_MONTH
    # A curve that is known at its beginning only has more to say at its end.
    usual = [
        months for months in (12, 6, 3, 1) if any(reaches(rows, months) and at(rows, months).key("tenure_days") > 0 for rows in curves)
    ]
    return usual[0] if usual else max(tenures) / DAYS_A_MONTH


def quoted(rows: Sequence[Row]) -> tuple[Row, float]:
    """Where a number of a curve is read, and after how many months: a year, or the last tenure with enough at risk to tell.

    Of a curve on which so many never were it is the last tenure.
    """
    enough = [row for row in rows if row.n >= FEWEST and float(row.key("tenure_days")) > 0] or rows
    year = at(rows, 12)
    if reaches(rows, 12) and year in enough:
        return year, 12.0
    return enough[-1], float(enough[-1].key("tenure_days")) / DAYS_A_MONTH


def ranked_curves(curves: Sequence[Sequence[Row]]) -> list[Sequence[Row]]:
    """Curves by what is left at the tenure the sentence speaks of, the fewest first."""
    months = asked(curves)
    return sorted(curves, key=lambda rows: (not reaches(rows, months), at(rows, months).estimate, at(rows, months).label))


def counted_months(months: float) -> str:
    """``1 month``, ``11.3 months``"""
    number = decimal(months, 1).removesuffix(".0")
    return f"{number} {'month' if number == '1' else 'months'}"
