"""Two dots a row: staff and customers, early and late, a month at its close and now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.figures import canvas
from cxlib.figures.canvas import Sheet
from cxlib.figures.closes import Close, closes_of, farthest, is_closes
from cxlib.figures.findings import finding
from cxlib.figures.lines import month_axis, value_axis
from cxlib.figures.measures import Measure, counted, level_words
from cxlib.figures.picture import Picture, pictured
from cxlib.figures.shown import Shown, read
from cxlib.figures.sides import Pair, is_sides, pairs_of
from cxlib.figures.vocabulary import ABOVE, BELOW, SIGNS
from cxlib.tables.calendar import month_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: More rows or panels than these are not compared by anybody.
MOST_ROWS, MOST_PANELS = 20, 12


def gap(result: pd.DataFrame) -> Picture:
    """The picture of two sets of answers side by side: a dot and its interval each, and what lies between.

    Parameters
    ----------
    result : DataFrame
        What `groups.gap` or `fieldwork.early` returned.

    Returns
    -------
    Picture
        ``text`` says where the one set stands, with the difference and its interval; of several
        groups how many, and which stand farthest apart.

    Raises
    ------
    ValueError
        If ``result`` is not a result, or holds no two sets of answers.

    See Also
    --------
    intervals : groups instead of two sets.

    Notes
    -----
    The intervals drawn are those of the two scores. Whether these differ by more than chance is told by the
    interval of the difference and its verdict, not by whether they overlap: two that overlap a little may differ.

    Examples
    --------
    >>> found = pd.DataFrame({"measure": ["nps_gap"], "estimate": [26.8], "low": [16.7], "high": [35.3], "level": 0.95, "n": [200],
    ...                       "verdict": ["above"], "n_to_tell": [None], "margin": [None], "estimate_customers": [34.7],
    ...                       "estimate_staff": [61.5], "low_customers": [30.4], "low_staff": [52.1], "high_customers": [38.7],
    ...                       "high_staff": [68.9], "n_customers": [2398], "n_staff": [200]})
    >>> print(gap(found))
    Staff think customers happier than customers say they are: loyalty (NPS), 62 points guessed, 35 given (gap +27 points,
    95 % interval +17 to +35; 200 answers of staff, 2,398 of customers).
    """
    shown = read(result, asks="gap")
    if len(result) and not is_sides(shown):
        raise ValueError("gap: this result has no two sets of answers; it comes from groups.gap or fieldwork.early.")
    text = finding(shown)
    pairs = pairs_of(shown)
    if shown.reason or not pairs:
        return pictured(shown, text)
    # The farthest apart first; equal ones by name, so that no run differs from another.
    pairs = sorted(pairs, key=lambda pair: (-abs(pair.row.estimate), pair.row.label))
    notes = (
        [f"The {MOST_ROWS} of {len(pairs)} groups that stand farthest apart are drawn; the table has all."]
        if len(pairs) > MOST_ROWS
        else []
    )
    what = f"Two dots and their {level_words(shown.level)} intervals a row: {pairs[0].of.axis}"
    return pictured(shown, text, partial(_sides, pairs[:MOST_ROWS]), what=what, notes=notes)


def _sides(pairs: Sequence[Pair], sheet: Sheet) -> Figure:
    """A row a group: the name above, the two dots below, the difference and its verdict to the right."""
    of, first = pairs[0].of, pairs[0]
    words = f"{of.axis}, with {level_words(first.row.level)} intervals{'; low is good' if of.good == 'low' else ''}"
    alone = len(pairs) == 1 and not first.row.label
    step = 76.0
    top = canvas.head_lines(sheet, words)
    fig = canvas.figure(sheet, top + step * len(pairs) + 28)
    canvas.headed(fig, sheet, words)
    ends = _ends(of, pairs)
    ax = canvas.axes(fig, left=24, top=top, right=24, bottom=28)
    ax.set(xlim=ends, ylim=(step * len(pairs), 0))
    ax.set_yticks([])
    values = canvas.ticks(*ends, most=4 if sheet.narrow else 6)
    ax.set_xticks(values, canvas.tick_words(values), fontsize=sheet.small)
    for place, pair in enumerate(pairs):
        said = pair.verdict in {ABOVE, BELOW}
        name = "" if alone else canvas.shortened(pair.row.label, 0.5 * sheet.width, sheet.size, bold=said)
        canvas.write(fig, 0, top + step * place + 11, name, size=sheet.size, bold=said)
        told = f"{SIGNS[pair.verdict]} {replace(pair, measure=replace(pair.measure, scale='')).difference}"
        more = "" if sheet.narrow and not alone else f" ({pair.measure.interval(pair.row.low, pair.row.high)})"
        color = canvas.HIGH if said else canvas.QUIET
        canvas.write(fig, sheet.width, top + step * place + 11, told + more, size=sheet.size, color=color, ha="right", bold=said)
        ax.vlines(values, step * place + 26, step * (place + 1) - 4, color=canvas.RULE, linewidth=1, zorder=0)
        _dumbbell(ax, pair, sheet, step * place + 50, named=not place)
    return fig


def _dumbbell(ax: Axes, pair: Pair, sheet: Sheet, y: float, *, named: bool) -> None:
    """Two dots with their intervals, a line between them, and beside each its number, in the first row its name."""
    of = pair.of
    at = [of.shown(pair.side(place)) for place in (0, 1)]
    ax.hlines(y, min(at), max(at), color=canvas.GREY, linewidth=1, zorder=1)
    for place, color in ((0, canvas.GREY), (1, canvas.HIGH)):
        low, high = (of.shown(pair.side(place, bound)) for bound in ("low", "high"))
        ax.hlines(y + (5 if place else -5), low, high, color=color, linewidth=2.5, alpha=0.45, zorder=2)
        ax.plot(at[place], y, "o", color=color, markersize=9, clip_on=False, zorder=4)
        words = f"{pair.sides[place]} {of.number(pair.side(place))}" if named else of.number(pair.side(place))
        _beside(ax, words, (at[place], y + (18 if place else -18)), sheet, color=canvas.HIGH if place else canvas.INK)


def _beside(ax: Axes, words: str, at: tuple[float, float], sheet: Sheet, *, color: str) -> None:
    """Words above or below a dot, kept within the picture."""
    first, last = ax.get_xlim()
    share = (at[0] - first) / (last - first)
    side = "left" if share < 0.2 else "right" if share > 0.8 else "center"
    ax.annotate(words, at, ha=side, va="center_baseline", size=sheet.small, color=color, annotation_clip=False, zorder=5)


def _ends(of: Measure, pairs: Sequence[Pair]) -> tuple[float, float]:
    values = [of.shown(pair.side(place, part)) for pair in pairs for place in (0, 1) for part in ("low", "estimate", "high")]
    low, high = min(values), max(values)
    air = 0.06 * (high - low or abs(high) or 1)
    floor, ceiling = min(of.shown(of.floor), low), max(of.shown(of.ceiling), high)
    return max(low - air, floor), min(high + air, ceiling)


def restated(result: pd.DataFrame) -> Picture:
    """The picture of months that were restated: a hollow dot as each stood when it closed, a filled one as it stands now.

    Parameters
    ----------
    result : DataFrame
        What `fieldwork.late` returned. With further keys, one panel a group.

    Returns
    -------
    Picture
        ``text`` names the month that was restated by most, says how many answers came late, and what is still
        to come of the last month.

    Raises
    ------
    ValueError
        If ``result`` is not a result, or does not say how months stood when they closed.

    See Also
    --------
    trend : the months as they stand now.

    Notes
    -----
    Where fewer than ``smallest_group`` answers came late, the score at the close is not shown: the two scores
    together would tell what these few said. The bars are the intervals of the scores as they stand now.

    Examples
    --------
    >>> months = pd.to_datetime(["2026-04-01", "2026-05-01"]).date
    >>> found = pd.DataFrame({"month": months, "measure": "nps_restated", "estimate": [31.0, 29.0],
    ...                       "low": [25.0, 23.0], "high": [37.0, 35.0], "level": 0.95, "n": [1040, 1214], "restated": [0.4, -2.0],
    ...                       "estimate_closed": [30.6, 31.0], "n_closed": [950, 1000], "late": [90, 214], "arrived": [1.0, 0.96],
    ...                       "low_arrived": [1.0, 0.94], "high_arrived": [1.0, 0.98], "to_come": [0.0, 50.6]})
    >>> print(restated(found))
    May 2026 stood at 31 points when it closed and stands at 29 now: 214 answers came late, the largest restatement of
    2 months that are shown. Of the 2,254 answers of these 2 months, 304 came after their month had closed. Of May 2026 about 96 % has
    arrived (95 % interval 94 to 98): 51 answers are still to be expected.
    """
    shown = read(result, asks="restated", needs=["month"])
    if len(result) and not is_closes(shown):
        raise ValueError("restated: this result does not say how months stood when they closed; it comes from fieldwork.late.")
    text = finding(shown)
    series: dict[str, list[Close]] = {}
    for close in closes_of(shown):
        series.setdefault(close.row.group("month").label, []).append(close)
    if shown.reason or not any(close.known for each in series.values() for close in each):
        return pictured(shown, text)
    panels = list(series.items())
    if len(panels) > MOST_PANELS:
        panels.sort(key=lambda panel: -sum(close.row.n for close in panel[1]))
    notes = [f"The {MOST_PANELS} largest of {len(panels)} groups are drawn; the table has all."] if len(panels) > MOST_PANELS else []
    what = f"By month a hollow dot at the close and a filled one now, with interval: {shown.measure.axis}"
    return pictured(shown, text, partial(_closes, shown, panels[:MOST_PANELS]), what=what, notes=notes)


def _closes(shown: Shown, panels: Sequence[tuple[str, list[Close]]], sheet: Sheet) -> Figure:
    """One panel, or one below the other on one scale."""
    measure, every = shown.measure, [close for _, closes in panels for close in closes]
    words = f"{measure.axis}: hollow when the month closed, filled now, with {level_words(shown.level)} interval"
    words += "; low is good" if measure.good == "low" else ""
    high = (230.0 if sheet.narrow else 250.0) if len(panels) == 1 else 160.0
    top = canvas.head_lines(sheet, words)
    fig = canvas.figure(sheet, top + high * len(panels))
    canvas.headed(fig, sheet, words)
    ends = _span(measure, every)
    values = canvas.ticks(*ends, most=5 if len(panels) == 1 else 3)
    left = 10 + max(canvas.text_width(word, sheet.small) for word in canvas.tick_words(values))
    far = farthest(every)
    for number, (name, closes) in enumerate(panels):
        y = top + number * high
        head = 8 if len(panels) == 1 else 30
        ax = canvas.axes(fig, left=left, top=y + head, right=14, bottom=high * len(panels) + top - y - high + 42)
        month_axis(ax, [close.row for close in sorted(every, key=lambda close: close.month)], sheet, most=5 if sheet.narrow else 9)
        value_axis(ax, sheet, ends=ends, values=values)
        _dots(ax, measure, closes, far, sheet)
        if len(panels) > 1:
            n = counted(sum(close.row.n for close in closes), *measure.base)
            canvas.write(fig, 0, y + 10, canvas.shortened(name, 0.6 * sheet.width, sheet.size, bold=True), size=sheet.size, bold=True)
            canvas.write(fig, sheet.width, y + 10, n, size=sheet.small, color=canvas.QUIET, ha="right")
    return fig


def _dots(ax: Axes, measure: Measure, closes: Sequence[Close], far: Close | None, sheet: Sheet) -> None:
    """Each month now, with its interval, and as it stood at its close; the one restated by most in colour, with its numbers."""
    for close in closes:
        x, now = month_of(close.month), measure.shown(close.row.estimate)
        most = close is far
        color = canvas.HIGH if most else canvas.GREY
        ax.vlines(x, measure.shown(close.row.low), measure.shown(close.row.high), color=canvas.SOFT, linewidth=2, zorder=1)
        if close.known:
            before = measure.shown(close.row.count("estimate_closed"))
            ax.vlines(x, min(before, now), max(before, now), color=color, linewidth=1.5, zorder=3)
            ax.plot(x, before, "o", markerfacecolor="none", color=color, markersize=7, markeredgewidth=1.6, zorder=5)
        ax.plot(x, now, "o", color=color, markersize=5.5, zorder=4)
    if far is not None and any(close is far for close in closes):
        words = f"{measure.number(far.row.count('estimate_closed'))} → {measure.number(far.row.estimate)}"
        ax.annotate(
            words, (month_of(far.month), measure.shown(far.row.high)), xytext=(0, 10), textcoords="offset points", ha="center",
            va="center_baseline", size=sheet.small, color=canvas.HIGH, weight="bold", annotation_clip=False, zorder=6,
        )  # fmt: skip


def _span(measure: Measure, closes: Sequence[Close]) -> tuple[float, float]:
    """Where the value axis begins and ends: the intervals and the scores at the close with some air, within the scale."""
    values = [measure.shown(value) for close in closes for value in (close.row.low, close.row.high)]
    values += [measure.shown(close.row.count("estimate_closed")) for close in closes if close.known]
    low, high = min(values), max(values)
    air = 0.06 * (high - low or abs(high) or 1)
    floor, ceiling = min(measure.shown(measure.floor), low), max(measure.shown(measure.ceiling), high)
    return max(low - air, floor), min(high + air, ceiling)
