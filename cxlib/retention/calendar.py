"""Months as whole numbers since year 0, and what every measure by the calendar asks first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import pandas as pd

from cxlib.tables import TableError, nothing
from cxlib.tables.rows import absent_key


def month_of(day: date) -> int:
    """The month of a day."""
    return day.year * 12 + day.month - 1


def complete(last_day: date) -> int:
    """The last month that is over by the evening of this day."""
    return month_of(last_day + timedelta(days=1)) - 1


def first_day(month: int) -> date:
    """The first day of a month."""
    return date(month // 12, month % 12 + 1, 1)


def last_day(month: int) -> date:
    """The last day of a month."""
    return first_day(month + 1) - timedelta(days=1)


def absent(cells: pd.DataFrame, names: list[str], *, asks: str) -> str:
    """Why the calendar says nothing of these spells; empty where it does. A few without a start are refused."""
    spells, dated = int(cells["spells"].sum()), int(cells["dated"].sum())
    if not spells:
        return "There are no customers."
    if not dated:
        return "No customer has a start date, so there is no churn by the calendar."
    if dated < spells:
        raise TableError(f"{asks}: {spells - dated:,} of {spells:,} spells have no start. Correct them, or leave them out.")
    return absent_key(cells, names, row="customer")


def lost(cells: pd.DataFrame) -> list[str]:
    """What is left out of a result because it ended before anybody looked, as a sentence."""
    ended, spells = int(cells["lost"].sum()), int(cells["spells"].sum())
    words = f"{ended:,} of {spells:,} spells ended before observed_from, when leaving was not yet seen; they are left out."
    return [words] if ended else []


def without_rows(keys: Sequence[str], counts: Mapping[str, str], reason: str) -> pd.DataFrame:
    """A result that says why it has none, its columns of the types that they have elsewhere."""
    return nothing(keys=keys, counts=counts, reason=reason).astype(dict(counts))
