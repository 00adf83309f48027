"""How customers leave: a line for each reason, and in words how many of 100 have left for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import pandas as pd

from cxlib.figures.curves import MOST_LINES, drawn
from cxlib.figures.dots import EACH_END, Mark, dotted
from cxlib.figures.findings import at_risk_of, based_on, bracket, finding
from cxlib.figures.measures import capital, counted, decimal, level_words
from cxlib.figures.picture import Picture, pictured
from cxlib.figures.ranks import ends_told
from cxlib.figures.shown import Row, Shown, read
from cxlib.figures.tenures import asked, at, counted_months, curves_of, quoted, reaches


def ends(result: pd.DataFrame) -> Picture:
    """The picture of how customers leave: the share that has left for each reason, by tenure.

    Parameters
    ----------
    result : DataFrame
        What ``churn.ends`` returned. At a single tenure there is a dot for each reason, not a line.

    Returns
    -------
    Picture
        ``text`` states how many of 100 have left for each reason after a year, and how many are still there.

    Raises
    ------
    ValueError
        If ``result`` has no key ``end_reason``.

    See Also
    --------
    hazard : when the danger is.

    Notes
    -----
    Steps are put together until each is of ``smallest_group`` leavers for every reason that took anybody in it, and
    for two of them at least; a reason for which fewer have left is not shown, nor another that would give it away. Lines end
    where fewer than ``smallest_group`` customers are at risk, and are faint where fewer than 30 are; the band holds for
    each tenure by itself. Of more than eight lines the eight that reach highest are drawn.

    Examples
    --------
    >>> from cxlib import churn
    >>> customers = pd.DataFrame({"tenure_days": [30.0, 90.0, 200.0, 400.0, 400.0] * 40,
    ...                           "churned": [True, True, True, False, False] * 40,
    ...                           "end_reason": ["choice", "choice", "moved", None, None] * 40})
    >>> print(ends(churn.ends(customers)))
    After 12 months 40.0 of 100 who join are still with us (120 customers seen at that tenure). Left by then: choice 40.0
    (95 % interval 33.6 to 47.1); moved 20.0 (15.1 to 26.2).
    """
    shown = read(result, asks="ends", needs=["end_reason"])
    text, curves = finding(shown), curves_of(shown)
    if shown.reason or not curves:
        return pictured(shown, text)
    # The reason that takes most, which the caption speaks of, comes first.
    curves.sort(key=lambda rows: (-quoted(rows)[0].estimate, rows[-1].group("tenure_days").label))
    level, notes = level_words(shown.level), []
    if max(len(rows) for rows in curves) < 2:
        rows = [each for curve in curves for each in curve][: 2 * EACH_END]
        marks = [Mark(row.label, row, not place and len(rows) > 1) for place, row in enumerate(rows)]
        return pictured(shown, text, partial(dotted, shown.measure, marks, None), what=f"Dot and {level} interval: {shown.measure.axis}")
    if len(curves) > MOST_LINES:
        notes.append(f"The {MOST_LINES} of {len(curves)} lines that reach highest are drawn; the table has all.")
        curves = curves[:MOST_LINES]
    top = 100 * max(row.high for rows in curves for row in rows if not math.isnan(row.high))
    what = f"A line for each reason with {level} interval: {shown.measure.axis}, by months since joining"
    draw = partial(drawn, shown, curves, most=min(10 * math.ceil(top / 10 + 0.01), 100), named=_named)
    return pictured(shown, text, draw, what=what, notes=notes)


def _named(row: Row) -> str:
    return capital(row.group("tenure_days").label)


def ended(shown: Shown) -> str:
    """How many of 100 have left for each reason; of several groups, between what shares they have left for the most frequent one."""
    curves = curves_of(shown)
    if not curves:
        return "No tenure was seen at which ends could be told apart."
    months = asked(curves)
    there = [at(rows, months) for rows in curves if reaches(rows, months)]
    there.sort(key=lambda row: (-row.estimate, row.label))
    groups = {row.group("tenure_days", "end_reason").label for row in there}
    when = f"after {counted_months(months)}"
    if len(groups) > 1:
        return _of_groups(shown, there, when)
    measure, row = shown.measure, there[0]
    said = [f"{_reason(each)} {measure.number(each.estimate)} {bracket(measure, each, first=not n)}" for n, each in enumerate(there)]
    still = measure.number(float(row.counts["still_there"]))
    base = at_risk_of(measure, row, when=" seen at that tenure")
    return f"{capital(when)} {still} of 100 who join are still with us ({base}). Left by then: {'; '.join(said)}."


def _of_groups(shown: Shown, there: Sequence[Row], when: str) -> str:
    measure, reason = shown.measure, _reason(there[0])
    rows = [row for row in there if _reason(row) == reason]

    def told(row: Row, first: bool) -> tuple[str, str]:
        behind = bracket(measure, row, first=first, base=measure.many(based_on(row)) if first else decimal(based_on(row), 0))
        return row.group("tenure_days", "end_reason").spoken, f"{measure.number(row.estimate)} of 100 {behind}"

    text = "in {}, {}".format(*told(rows[0], True))
    if len(rows) > 1:
        text = ends_told(rows, told, claims=("most in {}, {}", "fewest in {}, {}"), ranges="from {} to {}", falling=True)
    others = len({_reason(row) for row in there}) - 1
    return f"Left {when}, reason {reason}: {text}." + (
        f" {capital(counted(others, 'other reason is', 'other reasons are'))} in the table." if others else ""
    )


def _reason(row: Row) -> str:
    return str(row.key("end_reason"))
