"""Columns of a block, as Arrow keeps them: texts by their position, moments counted from SINCE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa

from cxlib.sample import laws
from cxlib.sample.laws import NEVER, Flag, Whole

DAY = 86400


@dataclass(frozen=True)
class Rows:
    """Columns of equal length, as numbers."""

    def rows(self, chosen: Whole | Flag) -> Self:
        """Some of the rows, or in another order."""
        return type(self)(*(column[chosen] for column in vars(self).values()))

    def and_then(self, *others: Self) -> Self:
        """These rows, and others below them."""
        return type(self)(*(np.concatenate(column) for column in zip(*(vars(one).values() for one in (self, *others)), strict=True)))


def named(values: Any, position: Whole) -> Any:
    """The texts at these positions; missing where the position is negative."""
    texts = pa.array(values, pa.string()) if isinstance(values, tuple | list) else values
    return pa.DictionaryArray.from_arrays(pa.array(position.astype(np.int32), mask=position < 0), texts)


def same(text: str | None, size: int) -> Any:
    """One text for all rows; None for none."""
    return named((text or "",), np.full(size, -1 if text is None else 0))


def identifiers(letter: str, number: Whole, digits: int) -> Any:
    """T00001 for 1, and so on."""
    cells = np.empty((len(number), digits + 1), dtype=np.uint8)
    cells[:, 0] = ord(letter)
    for place in range(digits):
        cells[:, digits - place] = number // 10**place % 10 + ord("0")
    ends = np.arange(len(number) + 1, dtype=np.int32) * (digits + 1)
    return pa.StringArray.from_buffers(len(number), pa.py_buffer(ends), pa.py_buffer(cells))


def days(counted: Whole) -> Any:
    """Dates; missing at NEVER."""
    since = int(laws.SINCE.astype(np.int64))
    return pa.array((np.where(counted == NEVER, 0, counted) + since).astype(np.int32), mask=counted == NEVER).view(pa.date32())


def times(seconds: Whole) -> Any:
    """Local times; missing at NEVER days or later."""
    never = seconds >= NEVER * DAY
    since = int(laws.SINCE.astype(np.int64)) * DAY
    return pa.array((np.where(never, 0, seconds) + since) * 1_000_000, mask=never).view(pa.timestamp("us"))


def shown_until_as_of(seconds: Whole) -> Whole:
    """Moments after the last day counted have not happened."""
    return np.where(seconds < (laws.LAST_DAY + 1) * DAY, seconds, NEVER * DAY)


def money(cents: Whole, there: Flag | None = None) -> Any:
    """Amounts in whole currency; missing where they are not there."""
    return pa.array(cents / 100, mask=None if there is None else ~there)
