"""Groups and how long they stay, set against the rest: a dot and an interval each, and in words who stays longer.

The verdict is the result's. Only what it calls above or below is said to be larger than chance.
"""

from __future__ import annotations

import math
from functools import partial

import pandas as pd

from cxlib.figures.dots import EACH_END, Mark, dotted
from cxlib.figures.findings import finding
from cxlib.figures.measures import DAYS_A_MONTH, Measure, counted, decimal, level_words, listed
from cxlib.figures.moves import size
from cxlib.figures.picture import Picture, pictured
from cxlib.figures.shown import Row, Shown, read
from cxlib.figures.tenures import counted_months
from cxlib.figures.vocabulary import ABOVE, ALIKE, BELOW, SIGNS
from cxlib.figures.withhold import is_apart

#: So many groups are named.
_NAMED = 4
_WORDS = {"stay_rest": {ABOVE: "longer", BELOW: "shorter"}, "survival_rest": {ABOVE: "more", BELOW: "fewer"}}


def difference(result: pd.DataFrame) -> Picture:
    """The picture of groups that stay longer or shorter than the rest: a dot and its interval each, the shortest first.

    Parameters
    ----------
    result : DataFrame
        What ``churn.difference`` or ``churn.survival_difference`` returned.

    Returns
    -------
    Picture
        ``text`` names the groups that differ from the rest by more than chance, and says whether all groups
        together do.

    Raises
    ------
    ValueError
        If ``result`` holds no such differences.

    See Also
    --------
    curve : the share still there, at all tenures.

    Notes
    -----
    The bar is the rest, at 0; beside each group stands its verdict, which is corrected for the number of
    groups, as the interval is not. Above 30 groups the 15 at either end are drawn.

    Examples
    --------
    >>> from cxlib import churn
    >>> customers = pd.DataFrame({
    ...     "plan": ["free"] * 40 + ["paid"] * 60,
    ...     "tenure_days": [60.0, 120.0, 180.0, 400.0] * 10 + [300.0, 400.0, 400.0] * 20,
    ...     "churned": [True, True, True, False] * 10 + [True, False, False] * 20,
    ... })
    >>> print(difference(churn.difference(customers, by="plan")))
    By more than chance, of the first 12 months free stay 162 days less than the rest (95 % interval 119 to 198) and
    paid stay 162 days longer (119 to 198). Taken together, the groups differ by more than chance (log-rank test over
    all tenures, p below 0.001).
    """
    shown = read(result, asks="difference")
    if not is_apart(shown.counts):
        what = f"difference: this is '{shown.name}', no difference of how long customers stay"
        raise ValueError(f"{what}. One comes from churn.difference(customers, by=...).")
    text, rows, notes = finding(shown), _ranked(shown), []
    if shown.reason or not rows:
        return pictured(shown, text)
    if len(rows) > 2 * EACH_END:
        notes.append(f"The {EACH_END} groups at either end of {len(rows)} are drawn; the table has all.")
        rows = [*rows[:EACH_END], *rows[-EACH_END:]]
    marks = [Mark(row.label, row, _verdict(row) in {ABOVE, BELOW}, _brief(shown, row), bar=0.0) for row in rows]
    until = f", of the first {_months(rows[0].counts['until_days'])}" if "until_days" in shown.counts else ""
    more = f"{until}; bar: the rest"
    what = f"Dot and {level_words(shown.level)} interval: {shown.measure.axis}{more}"
    return pictured(shown, text, partial(dotted, shown.measure, marks, None, more=more), what=what, notes=notes)


def apart_words(shown: Shown) -> str:
    """Who stays longer or shorter than the rest by more than chance, how it is with the others, and with all together."""
    rows = _ranked(shown)
    if not rows:
        return "No group and its rest were seen so long, so nothing is compared."
    apart = [row for row in rows if _verdict(row) in {ABOVE, BELOW}]
    alike, many = sum(_verdict(row) == ALIKE for row in rows), counted(len(rows), "comparison", "comparisons")
    still = len(rows) - len(apart) - alike
    parts = []
    if alike:
        small = size(shown.measure, float(rows[0].counts["margin"]))
        parts.append(f"{decimal(alike, 0)} {'shows' if alike == 1 else 'show'} a difference smaller than the {small} declared to matter")
    parts += [f"{decimal(still, 0)} cannot be told yet"] if still else []
    said = [_told(shown, row, first=not place) for place, row in enumerate(apart[:_NAMED])]
    said += [f"{decimal(len(apart) - _NAMED, 0)} more"] if len(apart) > _NAMED else []
    text = f"By more than chance, {listed(said)}." if said else "No group differs from the rest by more than chance."
    rest = f" Of {many}, {listed(parts)}." if parts else ""
    return f"{text}{rest}{_together(rows[0])}"


def _together(row: Row) -> str:
    """Whether all groups together differ, by the log-rank test; nothing where it was not made."""
    p = float(row.counts.get("p_together", math.nan))
    if math.isnan(p):
        return ""
    value = "below 0.001" if p < 0.001 else decimal(p, 3)
    verb = "differ by more than chance" if p < 1 - row.level else "cannot be told apart"
    return f" Taken together, the groups {verb} (log-rank test over all tenures, p {value})."


def _ranked(shown: Shown) -> list[Row]:
    rows = (row for row in shown.rows if not math.isnan(row.estimate))
    return sorted(rows, key=lambda row: (row.estimate, row.label))


def _verdict(row: Row) -> str:
    return str(row.counts["verdict"])


def _word(row: Row) -> str:
    return next(words for name, words in _WORDS.items() if name in row.counts)[_verdict(row)]


def _brief(shown: Shown, row: Row) -> str:
    """Beside a dot: ``▼ 26 shorter``, or the verdict alone."""
    verdict = _verdict(row)
    if verdict not in {ABOVE, BELOW}:
        return f"{SIGNS[verdict]} {verdict}"
    return f"{SIGNS[verdict]} {shown.measure.number(abs(row.estimate)).removeprefix('+')} {_word(row)}"


def _told(shown: Shown, row: Row, *, first: bool) -> str:
    """``of the first 12 months Home stay 26 days less than the rest (95 % interval 6 to 45)``"""
    lead = f"{level_words(row.level)} interval " if first else ""
    ends = sorted((abs(row.low), abs(row.high)))
    plain = Measure(**{**vars(shown.measure), "change": False})
    behind = f"({lead}{plain.interval(*ends)})"
    who = row.group("tenure_days").spoken
    if "stay" in row.counts:
        when = f"of the first {_months(row.counts['until_days'])} " if first else ""
        how = "longer" if _verdict(row) == ABOVE else "less"
        return f"{when}{who} stay {size(shown.measure, row.estimate)} {how}{' than the rest' * first} {behind}"
    when = f"after {_months(row.key('tenure_days'))} " if first or "tenure_days" not in shown.silent else ""
    there = "are still with us than of the rest " if first else ""
    return f"{when}{size(shown.measure, row.estimate)} {_word(row)} of {who} {there}{behind}"


def _months(days: object) -> str:
    return counted_months(float(str(days)) / DAYS_A_MONTH)
