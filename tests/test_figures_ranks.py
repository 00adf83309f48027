"""A group is called the highest or the lowest only where that is settled."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest

from cxlib import figures
from cxlib.figures.ranks import apart, ends_told
from cxlib.figures.settings import CURRENT, Settings
from cxlib.figures.shown import Row
from cxlib.stats import intervals


@pytest.fixture(autouse=True)
def fresh():
    """Each test begins as a new kernel does."""
    CURRENT.__dict__.update(Settings().__dict__)


def row(name: str, low: float, high: float) -> Row:
    return Row((("plan", name),), (low + high) / 2, low, high, 0.95, 100, {})


def told(*rows: Row, falling: bool = False) -> str:
    def said(each: Row, first: bool) -> tuple[str, str]:
        return each.label, f"{each.estimate:g}{' (first)' * first}"

    return ends_told(rows, said, claims=("{} is lowest at {}", "{} highest at {}"), ranges="it ranges from {} to {}", falling=falling)


def test_both_ends_are_named_only_where_their_intervals_lie_apart_from_all_others():
    a, b, c = row("a", 0, 2), row("b", 3, 5), row("c", 6, 8)
    assert told(a, b, c) == "a is lowest at 1 (first); c highest at 7"
    assert told(a, b, row("c", 4, 8)) == "it ranges from a, 1 (first), the lowest, to c, 6; which is the highest is not settled"
    assert told(a, row("b", 1, 5), c) == "it ranges from a, 1 (first), to c, 7, the highest; which is the lowest is not settled"
    assert told(a, row("b", 1, 7), c) == "it ranges from a, 1 (first), to c, 7; their order is not settled"
    assert told(c, row("b", 1, 5), a, falling=True) == (
        "it ranges from c, 7 (first), the highest, to a, 1; which is the lowest is not settled"
    )


def test_the_next_estimate_alone_settles_nothing_where_a_wider_interval_reaches_further():
    assert not apart(row("a", 0, 2), [row("b", 3, 5), row("c", 1, 20)])


def test_an_open_or_missing_interval_and_a_group_alone_settle_nothing():
    assert not apart(row("a", 0, math.nan), [row("b", 3, 5)])
    assert not apart(row("a", 0, 2), [row("b", math.nan, math.nan)])
    assert not apart(row("a", 0, 2), [])
    assert apart(row("a", 0, 2), [row("b", 3, math.nan)])


def results(random: np.random.Generator) -> list[list[Row]]:
    """Six results by group of a company in which groups do not differ: shares that left, and mean amounts of which a few are large."""
    found = []
    for sizes in ((993, 322, 140), (548, 204, 96), (600, 560, 290)):
        left = [random.binomial(size, 0.1) for size in sizes]
        paid = [random.lognormal(3, 1, size) for size in sizes]
        reach = [1.96 * each.std() / np.sqrt(len(each)) for each in paid]
        for ends in (
            zip(*intervals.wilson(left, sizes, 0.95), strict=True),
            [(each.mean() - half, each.mean() + half) for each, half in zip(paid, reach, strict=True)],
        ):
            rows = [row(name, float(low), float(high)) for name, (low, high) in zip("abc", ends, strict=True)]
            found.append(sorted(rows, key=lambda each: each.estimate))
    return found


def test_at_least_95_of_100_pages_on_which_nothing_differs_name_no_winner():
    random, pages = np.random.default_rng(11), 1_000
    named = sum(any(re.search("lowest|highest", told(*rows)) for rows in results(random)) for _ in range(pages))
    assert 0 < named <= 0.05 * pages


def test_a_page_says_what_is_settled_and_what_is_not():
    parts = pd.DataFrame({"touchpoint": ["delivery", "support", "website"], "measure": "rating_mean", "estimate": [3.57, 3.79, 4.02]})
    parts = parts.assign(low=[3.46, 3.70, 3.80], high=[3.67, 3.88, 4.10], level=0.95, n=[588, 590, 588])
    assert figures.intervals(parts).text == (
        "The mean rating ranges from delivery, 3.57 (95 % interval 3.46 to 3.67; 588 answers), the lowest, to website, 4.02 "
        "(3.80 to 4.10; 588); which is the highest is not settled."
    )
