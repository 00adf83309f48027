"""Months as whole numbers since year 0."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any


def month_of(day: date) -> int:
    """The month of a day."""
    return day.year * 12 + day.month - 1


def month_numbers(days: Any) -> Any:
    """The month of each day of a column of days in the engine."""
    return days.year().cast("int64") * 12 + days.month().cast("int64") - 1


def complete(last_day: date) -> int:
    """The last month that is over by the evening of this day."""
    return month_of(last_day + timedelta(days=1)) - 1


def first_day(month: int) -> date:
    """The first day of a month."""
    return date(month // 12, month % 12 + 1, 1)


def last_day(month: int) -> date:
    """The last day of a month."""
    return first_day(month + 1) - timedelta(days=1)
