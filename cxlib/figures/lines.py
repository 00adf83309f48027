"""Lines: a measure month by month, and customers still with us by tenure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.figures import canvas
from cxlib.figures.canvas import Sheet
from cxlib.figures.findings import finding, series
from cxlib.figures.measures import Measure, counted, decimal, level_words, month_words
from cxlib.figures.moves import Move, both_open, movements, moves_of
from cxlib.figures.picture import Picture, pictured
from cxlib.figures.shown import Row, Shown, movement_of, read
from cxlib.figures.vocabulary import UP
from cxlib.tables.calendar import first_day, month_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Of a group and a month, the change into it.
Marks = dict[tuple[str, int], Move]

#: More panels than these are not compared by anybody.
MOST_PANELS = 12


def trend(result: pd.DataFrame, *moved: pd.DataFrame) -> Picture:
    """The picture of a measure month by month, with its interval, marked where it moved.

    Parameters
    ----------
    result : DataFrame
        What a measure returned ``by="month"``. With further keys, one small panel a group.
    *moved : DataFrame
        Movements of the same score, such as ``survey.movement(responses)``: their verdicts are told,
        their tables folded beneath.

    Returns
    -------
    Picture
        ``text`` states the last month, between which values the months lie, and what moved.

    Raises
    ------
    ValueError
        If ``result`` is not a result or has no key ``month``, or ``moved`` is no movement of its score.

    See Also
    --------
    intervals : groups instead of months.

    Notes
    -----
    A month without answers is a gap, not a zero. A single month is not drawn: there is nothing to
    compare it with, and the sentence says so. The axis need not begin at 0. That the line rises or
    falls is said and marked only where the corrected verdict of a movement says so, against the month
    before or a year before: the intervals of neighbouring months often hold each other's estimate.

    Examples
    --------
    >>> by_month = pd.DataFrame({"month": [date(2026, 5, 1), date(2026, 6, 1)], "measure": "nps", "estimate": [33.0, 24.0],
    ...                          "low": [27.0, 18.0], "high": [39.0, 30.0], "level": 0.95, "n": [240, 212]})
    >>> print(trend(by_month))
    In June 2026 loyalty (NPS) was 24 points (95 % interval 18 to 30; 212 answers).
    Over the 2 months shown the estimate lay between 24 (June 2026) and 33 points (May 2026); months differ by chance alone, too.
    """
    shown = read(result, asks="trend", needs=["month"])
    beside = [movement_of(shown, each, asks="trend") for each in moved]
    rows = _series(shown)
    longest = max((len(each) for each in rows), default=0)
    if longest < 2:
        return pictured(shown, finding(shown), beside=beside)
    draw = partial(_one if len(rows) == 1 else _panels, shown, rows[:MOST_PANELS], _marks(beside))
    said = [f"The {MOST_PANELS} largest of {len(rows)} groups are drawn; the table has all."] if len(rows) > MOST_PANELS else []
    text = series(shown, judged=any(not each.reason for each in beside))
    for place, each in enumerate(beside):
        before = [other for other in beside[:place] if not other.reason]
        nor = bool(before) and both_open(before[-1], each)
        text += f" {each.reason or movements(each, known=len(rows) == 1, open_before=nor)}"
    return pictured(shown, text, draw, what=f"Line with interval by month: {shown.measure.axis}", notes=said, beside=beside)


def _marks(beside: Sequence[Shown]) -> Marks:
    """Where a series moved by more than chance: for each group and month the verdict, that against the month before first."""
    found: Marks = {}
    for way in ("month", "year"):
        for move in (move for shown in beside for move in moves_of(shown) if move.way == way and move.moved and move.after):
            found.setdefault((move.group, month_of(move.after)), move)  # type: ignore[arg-type]
    return found


def _series(shown: Shown) -> list[list[Row]]:
    """The months of each group, in order; the groups as they come, or the largest first where not all fit."""
    found: dict[str, list[Row]] = {}
    for row in shown.rows:
        if not math.isnan(row.estimate) and row.month != date.min:
            found.setdefault(row.group("month").label, []).append(row)
    series = [sorted(rows, key=lambda row: row.month) for rows in found.values()]
    if len(series) > MOST_PANELS:
        series.sort(key=lambda rows: -sum(row.n for row in rows))
    return series


def runs(rows: Sequence[Row]) -> list[list[Row]]:
    """Stretches of months without a gap, of rows in order."""
    found: list[list[Row]] = []
    for row in rows:
        if found and month_of(found[-1][-1].month) == month_of(row.month) - 1:
            found[-1].append(row)
        else:
            found.append([row])
    return found


def _scale(measure: Measure, rows: Sequence[Row]) -> tuple[float, float]:
    """Where the value axis begins and ends, on the reader's scale: the intervals with some air, within the measure's own ends."""
    low = min(row.low if not math.isnan(row.low) else row.estimate for row in rows)
    high = max(row.high if not math.isnan(row.high) else row.estimate for row in rows)
    low, high = measure.shown(low), measure.shown(high)
    floor, ceiling = min(measure.shown(measure.floor), low), max(measure.shown(measure.ceiling), high)
    air = 0.08 * (high - low or abs(high) or 1)
    if measure.form == "share" and low < 0.5 * high:
        return 0.0, min(high + air, ceiling)
    ends = max(low - air, floor), min(high + air, ceiling)
    # A line of the grid that is nearly the end becomes the end.
    marks = canvas.ticks(*ends)
    return max([mark for mark in marks if mark <= low], default=ends[0]), min([mark for mark in marks if mark >= high], default=ends[1])


def _axis_words(shown: Shown, rows: Sequence[Row], marks: Marks) -> str:
    measure = shown.measure
    words = f"{measure.axis}, with {level_words(shown.level)} interval"
    if measure.good == "low":
        words += "; low is good"
    words += _MARKED if marks else ""
    least, most = min(row.n for row in rows), max(row.n for row in rows)
    base = counted(most, *measure.base)
    return f"{words}. {base if least == most else f'{decimal(least, 0)} to {base}'} a month"


#: What the marks mean, where there are any.
_MARKED = "; ▲ ▼ moved by more than chance"


def _one(shown: Shown, series: Sequence[Sequence[Row]], marks: Marks, sheet: Sheet) -> Figure:
    """One series, wide, its last point and its ends labelled."""
    rows, measure = series[0], shown.measure
    words = _axis_words(shown, rows, marks)
    top = canvas.head_lines(sheet, words)
    fig = canvas.figure(sheet, top + (230 if sheet.narrow else 270))
    canvas.headed(fig, sheet, words)
    last = rows[-1]
    said = [measure.quantity(last.estimate), measure.interval(last.low, last.high)]
    right = 14 + max(canvas.text_width(said[0], sheet.size, bold=True), canvas.text_width(said[1], sheet.small))
    ends = _scale(measure, rows)
    values = canvas.ticks(*ends)
    left = 10 + max(canvas.text_width(word, sheet.small) for word in canvas.tick_words(values))
    ax = canvas.axes(fig, left=left, top=top, right=right, bottom=42)
    _line(ax, measure, rows, color=canvas.QUIET)
    month_axis(ax, rows, sheet, most=5 if sheet.narrow else 9)
    value_axis(ax, sheet, ends=ends, values=values)
    _labelled(ax, measure, rows, sheet)
    _marked(ax, measure, rows, marks)
    return fig


def _marked(ax: Axes, measure: Measure, rows: Sequence[Row], marks: Marks) -> None:
    """A triangle beyond the interval of each month into which the score moved: up stands above, down below."""
    for row in rows:
        move = marks.get((row.group("month").label, month_of(row.month)))
        if move is not None:
            up = move.verdict == UP
            at = (month_of(row.month), measure.shown(row.high if up else row.low))
            ax.plot(*at, "^" if up else "v", color=canvas.HIGH, markersize=9, clip_on=False, zorder=6)


def _line(ax: Axes, measure: Measure, rows: Sequence[Row], *, color: str) -> None:
    """Line and band, broken where a month is missing; a month alone is a point with its interval."""
    for run in runs(rows):
        months = [month_of(row.month) for row in run]
        estimate, low, high = ([measure.shown(getattr(row, name)) for row in run] for name in ("estimate", "low", "high"))
        if len(run) > 1:
            ax.fill_between(months, low, high, color=canvas.SOFT, alpha=0.45, linewidth=0)
            ax.plot(months, estimate, color=color)
        else:
            ax.vlines(months, low, high, color=canvas.SOFT, linewidth=3, alpha=0.8)
            ax.plot(months, estimate, "o", color=color, markersize=4.5)


def month_axis(ax: Axes, rows: Sequence[Row], sheet: Sheet, *, most: int) -> None:
    """Months below, the year under its first; every third, sixth or twelfth where there are many."""
    first, last = month_of(rows[0].month), month_of(rows[-1].month)
    step = next(step for step in (1, 2, 3, 6, 12, 24, 60, 120, 1200) if (last - first) // step < most)
    marks = [place for place in range(first, last + 1) if place % step == first % step] if step < 3 else []
    marks = marks or [place for place in range(first, last + 1) if place % step == 0]
    years: set[int] = set()
    words = []
    for place in marks:
        month = first_day(place)
        year = "" if month.year in years else f"\n{month.year}"
        years.add(month.year)
        words.append(str(month.year) if step >= 12 else f"{month_words(month, short=True)[:3]}{year}")
    ax.set_xticks(marks, words, fontsize=sheet.small)
    ax.set_xlim(first - 0.3, last + 0.3)
    ax.tick_params(axis="x", bottom=True, length=4, pad=4, color=canvas.GREY)


def value_axis(ax: Axes, sheet: Sheet, *, ends: tuple[float, float], values: list[float]) -> None:
    """Value axis: light lines, quiet numbers, 0 a little stronger."""
    ax.set_ylim(*ends)
    ax.set_yticks(values, canvas.tick_words(values), fontsize=sheet.small)
    ax.tick_params(axis="y", pad=4)
    for value in values:
        if value > ends[0]:
            ax.axhline(value, color=canvas.GREY if value == 0 else canvas.RULE, linewidth=1, zorder=0)


def _labelled(ax: Axes, measure: Measure, rows: Sequence[Row], sheet: Sheet) -> None:
    """The last point with its value and interval; the lowest and the highest with their value."""
    last = rows[-1]
    at = (month_of(last.month), measure.shown(last.estimate))
    ax.plot(*at, "o", color=canvas.HIGH, markersize=7, clip_on=False, zorder=5)
    said = (
        (measure.quantity(last.estimate), 0, sheet.size, canvas.HIGH, "bold"),
        (measure.interval(last.low, last.high), -16, sheet.small, canvas.QUIET, "normal"),
    )
    for words, below, size, color, weight in said:
        ax.annotate(
            words, at, xytext=(9, below), textcoords="offset points", va="center_baseline",
            size=size, color=color, weight=weight, annotation_clip=False,
        )  # fmt: skip
    if len(rows) < 4:
        return
    ends = ((min(rows, key=lambda row: row.estimate), -13), (max(rows, key=lambda row: row.estimate), 13))
    for row, away in ends:
        if month_of(last.month) - month_of(row.month) > 1:
            point = (month_of(row.month), measure.shown(row.estimate))
            ax.plot(*point, "o", color=canvas.QUIET, markersize=4, zorder=4)
            ax.annotate(
                measure.number(row.estimate), point, xytext=(0, away), textcoords="offset points", ha="center", va="center_baseline",
                size=sheet.small, color=canvas.INK,
            )  # fmt: skip


def _panels(shown: Shown, series: Sequence[Sequence[Row]], marks: Marks, sheet: Sheet) -> Figure:
    """Small multiples: one panel a group, all on one scale."""
    measure, every = shown.measure, [row for rows in series for row in rows]
    words = f"{measure.axis}, with {level_words(shown.level)} interval; last month and its number of {measure.base[1]} above"
    words += "; low is good" if measure.good == "low" else ""
    words += _MARKED if marks else ""
    across = 2 if sheet.narrow else 3
    down = -(-len(series) // across)
    top, high, gap = canvas.head_lines(sheet, words), 150.0, 18.0
    fig = canvas.figure(sheet, top + down * high)
    canvas.headed(fig, sheet, words)
    ends = _scale(measure, every)
    values = canvas.ticks(*ends, most=3)
    left = 10 + max(canvas.text_width(word, sheet.small) for word in canvas.tick_words(values))
    each = (sheet.width - left - gap * (across - 1) - 4) / across
    span = sorted(every, key=lambda row: row.month)
    for number, rows in enumerate(series):
        x, y = left + (number % across) * (each + gap), top + (number // across) * high
        ax = canvas.axes(fig, left=x, top=y + 38, right=sheet.width - x - each, bottom=down * high + top - y - high + 26)
        _line(ax, measure, rows, color=canvas.QUIET)
        value_axis(ax, sheet, ends=ends, values=values)
        if number % across:
            ax.set_yticklabels([])
        _two_ends(ax, span, sheet)
        _marked(ax, measure, rows, marks)
        last = rows[-1]
        ax.plot(month_of(last.month), measure.shown(last.estimate), "o", color=canvas.HIGH, markersize=5, clip_on=False, zorder=5)
        name = last.group("month").label
        canvas.write(fig, x, y + 8, canvas.shortened(name, each, sheet.small, bold=True), size=sheet.small, bold=True)
        value = f"{measure.number(last.estimate)} ({measure.interval(last.low, last.high)}) n {decimal(last.n, 0)}"
        canvas.write(fig, x, y + 25, canvas.shortened(value, each, sheet.small), size=sheet.small, color=canvas.QUIET)
    return fig


def _two_ends(ax: Axes, span: Sequence[Row], sheet: Sheet) -> None:
    """The first and the last month below a small panel."""
    first, last = span[0].month, span[-1].month
    ax.set_xlim(month_of(first) - 0.3, month_of(last) + 0.3)
    words = [f"{month_words(month, short=True)[:3]} ’{month.year % 100:02d}" for month in (first, last)]
    ax.set_xticks([month_of(first), month_of(last)], words, fontsize=sheet.small - 0.5)
    left, right = ax.get_xticklabels()
    left.set_horizontalalignment("left")
    right.set_horizontalalignment("right")
