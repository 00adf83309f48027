"""When the danger is: bars of the share leaving in a month over tenure, and in words where it lies above the rest.

The verdict is the result's. Only what it calls above or below is said to be larger than chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.figures import canvas
from cxlib.figures.canvas import Sheet
from cxlib.figures.dots import EACH_END, Mark, dotted
from cxlib.figures.findings import bracket, finding
from cxlib.figures.measures import counted, decimal, key_words, level_words, listed
from cxlib.figures.picture import Picture, pictured
from cxlib.figures.shown import Row, Shown, read
from cxlib.figures.vocabulary import ABOVE, BELOW, SIGNS

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def hazard(result: pd.DataFrame) -> Picture:
    """The picture of when the danger is: the share leaving in a month, by how long they have been there.

    Parameters
    ----------
    result : DataFrame
        What ``churn.hazard`` returned. One group is drawn as bars; several as dots, the largest first.

    Returns
    -------
    Picture
        ``text`` states where most and where fewest leave in a month, and which tenures lie above or below the
        others by more than chance.

    Raises
    ------
    ValueError
        If ``result`` has no key ``tenure_days``.

    See Also
    --------
    curve : the share still there.

    Notes
    -----
    Bands of tenure are drawn equally wide, though the later ones are longer; in colour those that lie above the
    others by more than chance.

    Examples
    --------
    >>> from cxlib import churn
    >>> customers = pd.DataFrame({"tenure_days": [10.0] * 40 + [400.0] * 60, "churned": [True] * 40 + [False] * 60})
    >>> print(hazard(churn.hazard(customers, edges=[30.4375, 365.25])))
    Of those still with us, the largest share leaves in the first month: 41.4 % a month (95 % interval 31.8 to 51.7; 100
    customers); the smallest in months 1 to 12: 0.0 % (0.0 to 0.6; 60). By more than chance, more leave in the first
    month and fewer leave in months 1 to 12 than at other tenures.
    """
    shown = read(result, asks="hazard", needs=["tenure_days"])
    text, rows = finding(shown), _known(shown)
    if shown.reason or not rows:
        return pictured(shown, text)
    level = level_words(shown.level)
    if not any(row.group("tenure_days").label for row in rows):
        what = f"Bars with {level} interval by months since joining: {shown.measure.axis}"
        return pictured(shown, text, partial(_bars, shown, rows), what=what)
    ranked, notes = sorted(rows, key=lambda row: (-row.estimate, row.label)), []
    if len(ranked) > EACH_END:
        notes.append(f"The {EACH_END} largest of {len(ranked)} are drawn; the table has all.")
    marks = [Mark(f"{row.group('tenure_days').label}, {band(row)}", row, _verdict(row) == ABOVE) for row in ranked[:EACH_END]]
    what = f"Dot and {level} interval by tenure: {shown.measure.axis}"
    return pictured(shown, text, partial(dotted, shown.measure, marks, None), what=what, notes=notes)


def band(row: Row) -> str:
    """``first month``, ``months 3 to 6``, ``beyond 60 months``"""
    begins, ends = key_words("tenure_days", row.key("tenure_days")), row.counts["until_days"]
    if ends is None or pd.isna(ends):
        return f"beyond {begins} months"
    last = key_words("tenure_days", ends)
    if begins == "0":
        return "first month" if last == "1" else f"first {last} months"
    return f"months {begins} to {last}"


def endangered(shown: Shown) -> str:
    """Where most and where fewest leave in a month, and what of it is more than chance."""
    rows = _known(shown)
    if not rows:
        return "Nobody was at risk, so no danger of leaving can be told."
    several = any(row.group("tenure_days").label for row in rows)
    ends = max(rows, key=lambda row: (row.estimate, row.low)), min(rows, key=lambda row: (row.estimate, row.high))
    most, fewest = (_told(shown, row, first=not place) for place, row in enumerate(ends))
    text = f"Of those still with us, the largest share leaves in {most}"
    text += f"; the smallest in {fewest}." if len(rows) > 1 else "."
    apart = {verdict: [row for row in rows if _verdict(row) == verdict] for verdict in (ABOVE, BELOW)}
    if several:
        many = [f"{decimal(len(found), 0)} {'lies' if len(found) == 1 else 'lie'} {verdict}" for verdict, found in apart.items() if found]
        of = f" By more than chance, of {counted(len(rows), 'tenure', 'tenures')} {listed(many)} the others of their group."
        return text + (of if many else " No tenure lies above or below the others of its group by more than chance.")
    words = {ABOVE: "more leave", BELOW: "fewer leave"}
    named = [f"{words[verdict]} in {_stretches(found)}" for verdict, found in apart.items() if found]
    if not named:
        return f"{text} No tenure lies above or below the others by more than chance." if len(rows) > 1 else text
    return f"{text} By more than chance, {listed(named)} than at other tenures."


def _stretches(rows: Sequence[Row]) -> str:
    """Bands that follow each other told as one: ``months 1 to 12 and months 24 to 36``."""
    found: list[Row] = []
    for row in rows:
        if found and found[-1].counts["until_days"] == row.key("tenure_days"):
            keys = tuple((key, found[-1].key(key)) for key, _ in row.keys)
            found[-1] = replace(row, keys=keys)
        else:
            found.append(row)
    return listed(_spoken(row) for row in found)


def _told(shown: Shown, row: Row, *, first: bool) -> str:
    """``the first month: 4.2 % in a month (95 % interval 2.8 to 5.9)``"""
    behind = bracket(shown.measure, row, first=first, base=shown.measure.many(row.n) if first else decimal(row.n, 0))
    who = row.group("tenure_days").spoken
    return f"{_spoken(row)}{f' ({who})' * bool(who)}: {shown.measure.quantity(row.estimate)}{' a month' * first} {behind}"


def _spoken(row: Row) -> str:
    return band(row).replace("first", "the first").replace("beyond", "the time beyond")


def _known(shown: Shown) -> list[Row]:
    return [row for row in shown.rows if not math.isnan(row.estimate)]


def _verdict(row: Row) -> str:
    return str(row.counts["verdict"])


def _bars(shown: Shown, rows: Sequence[Row], sheet: Sheet) -> Figure:
    """A bar for each band with its whisker, the edges of the bands below, verdicts as signs on top."""
    measure, width = shown.measure, 0.92
    signs = "".join(sorted({f"; {SIGNS[each]} {each} the others" for each in map(_verdict, rows) if each in {ABOVE, BELOW}}))
    words = f"{measure.axis}, by months since joining. Whiskers: {level_words(shown.level)} interval{signs}"
    head = canvas.head_lines(sheet, words)
    fig = canvas.figure(sheet, head + (250 if sheet.narrow else 290))
    canvas.headed(fig, sheet, words)
    ax = canvas.axes(fig, left=36, top=head + 26, right=10, bottom=30)
    top = max(measure.shown(row.high) for row in rows)
    values = canvas.ticks(0, 1.02 * top)
    ax.set(ylim=(0, 1.02 * top), xlim=(0, len(rows)))
    ax.set_yticks(values, canvas.tick_words(values), fontsize=sheet.small)
    for value in values[1:]:
        ax.axhline(value, color=canvas.RULE, linewidth=1, zorder=0)
    for place, row in enumerate(rows):
        color, middle = canvas.HIGH if _verdict(row) == ABOVE else canvas.GREY, place + 0.5
        ax.bar(middle, measure.shown(row.estimate), width=width, color=color, linewidth=0, zorder=2)
        ax.vlines(middle, measure.shown(row.low), measure.shown(row.high), color=canvas.INK, linewidth=1.4, zorder=3)
        lines = [SIGNS[_verdict(row)] if _verdict(row) in {ABOVE, BELOW} else "", measure.number(row.estimate)]
        text = lines[0] if sheet.narrow else " ".join(lines).strip()
        if text:
            ax.annotate(
                text, (middle, measure.shown(row.high)), xytext=(0, 4), textcoords="offset points", ha="center", va="bottom",
                size=sheet.small, color=color if _verdict(row) == ABOVE else canvas.INK, annotation_clip=False,
            )  # fmt: skip
    edges = [key_words("tenure_days", row.key("tenure_days")) for row in rows]
    last = rows[-1].counts["until_days"]
    edges.append("" if last is None or pd.isna(last) else key_words("tenure_days", last))
    ax.set_xticks(range(len(rows) + 1), edges, fontsize=sheet.small)
    ax.tick_params(axis="x", bottom=True, length=4, pad=4, color=canvas.GREY)
    return fig
