"""The forest: hazard ratios on a logarithmic scale, each with its interval, its leavers and its verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.figures import canvas
from cxlib.figures.canvas import Sheet
from cxlib.figures.findings import finding
from cxlib.figures.measures import decimal, level_words
from cxlib.figures.picture import Picture, pictured
from cxlib.figures.ratios import BRIEF, Ratio, is_ratios, ratios_of, spoken_of, times
from cxlib.figures.shown import read
from cxlib.figures.vocabulary import REFERENCE, SIGNS, UNTOLD

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: More rows than these are not compared by anybody.
MOST = 40
_TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_CLOSE = (0.5, 0.7, 1.0, 1.4, 2.0)
#: An interval that reaches farther than so many times beyond the outermost ratio runs out of the picture.
_BEYOND = 2.5


@dataclass(frozen=True)
class _Line:
    """One line of the picture: the name of a covariate, or one of its categories."""

    name: str
    ratio: Ratio | None = None
    spoken: bool = False


def forest(result: pd.DataFrame) -> Picture:
    """The picture of what goes with leaving: a dot and its interval for each category, by covariate.

    Right of 1 leaving is more likely on any day than in the category compared with, left of it less. Each line has
    its leavers, its ratio, and its verdict as a sign and a word.

    Parameters
    ----------
    result : DataFrame
        What ``leaving.effects`` returned.

    Returns
    -------
    Picture
        ``text`` names ratios that are larger than chance, of each covariate the farthest from 1, and counts the others.

    Raises
    ------
    ValueError
        If ``result`` holds no hazard ratios.

    See Also
    --------
    intervals : groups by themselves, without anything held alike.

    Notes
    -----
    The scale is logarithmic, so that twice and half as likely lie equally far from 1. An interval that leaves the
    picture runs to its edge; the table has its end. Verdicts are corrected for all lines together, intervals are not.

    Examples
    --------
    >>> from cxlib import leaving
    >>> days = [*range(10, 110, 2), *range(10, 210, 4)]
    >>> plan = ["free"] * 50 + ["paid"] * 50
    >>> customers = pd.DataFrame({"customer": range(100), "plan": plan, "tenure_days": days, "churned": True})
    >>> print(forest(leaving.effects(leaving.model(customers, of="plan"))))
    On any day, all else in the model alike, leaving is 3.9 times as likely with plan free as with paid (95 % interval 2.4
    to 6.4; 50 leavers). That they go together does not say that one brings about the other.
    """
    shown = read(result, asks="forest")
    if len(result) and not is_ratios(shown.keys):
        raise ValueError(f"forest: this is '{shown.name}', no hazard ratios. They come from leaving.effects(model).")
    text, notes = finding(shown), []
    if shown.reason:
        return pictured(shown, text)
    found = ratios_of(shown)
    if len(found) > MOST:
        notes.append(f"The first {MOST} of {len(found)} categories are drawn; the table has all.")
        found = found[:MOST]
    what = f"Dot and {level_words(shown.level)} interval by category: {shown.measure.axis}, on a logarithmic scale"
    return pictured(shown, text, partial(_drawn, shown.measure.axis, _lines(found)), what=what, notes=notes)


def _lines(found: Sequence[Ratio]) -> list[_Line]:
    """The categories under the names of their covariates, those that the caption names marked."""
    named, lines, last = {id(each) for each in spoken_of(found)}, [], ""
    for each in found:
        head = ", ".join(part for part in (each.covariate, each.stretch) if part)
        if head != last:
            lines.append(_Line(head))
            last = head
        lines.append(_Line(each.category, each, id(each) in named))
    return lines


def _drawn(axis: str, lines: Sequence[_Line], sheet: Sheet) -> Figure:
    """Name, leavers, dot and whisker, ratio, verdict; on a phone the whisker and the verdict stand below the words."""
    drawn = [line.ratio for line in lines if line.ratio is not None]
    words = f"{axis}, with {level_words(drawn[0].row.level)} interval; logarithmic scale, 1 is no difference"
    head = canvas.head_lines(sheet, words)
    heights = [(30.0 if line.ratio is None else 46.0 if sheet.narrow else 26.0) for line in lines]
    top = head + 18
    fig = canvas.figure(sheet, top + sum(heights) + 28)
    canvas.headed(fig, sheet, words)
    verdicts = max(canvas.text_width(_verdict(each), sheet.small) for each in drawn)
    values = max(canvas.text_width(_value(each), sheet.size, bold=True) for each in drawn)
    names = min(max(canvas.text_width(line.name, sheet.size, bold=True) for line in lines) + 12, 190)
    bases = max(canvas.text_width(text, sheet.small) for text in ["leavers", *(decimal(each.events, 0) for each in drawn)])
    left, right = (10.0, verdicts + 16) if sheet.narrow else (names + bases + 30, values + verdicts + 26)
    ax = canvas.axes(fig, left=left, top=top, right=right, bottom=28)
    values_at = _scaled(ax, drawn, sum(heights), sheet)
    # On a phone words stand between the whiskers: lines are drawn behind the whiskers only.
    stretches = [] if sheet.narrow else [(0.0, sum(heights))]
    y = 0.0
    for line, height in zip(lines, heights, strict=True):
        if line.ratio is None:
            name = canvas.shortened(line.name, sheet.width, sheet.size, bold=True)
            canvas.write(fig, 0, top + y + height - 11, name, size=sheet.size, bold=True)
        else:
            middle = y + (32.0 if sheet.narrow else height / 2)
            stretches += [(y + 22, y + 42)] * sheet.narrow
            _whisker(ax, line, middle)
            base = sheet.width - values - 12 if sheet.narrow else names + bases + 14
            _worded(fig, line, sheet, (top + y + (13.0 if sheet.narrow else height / 2), top + middle), base)
        y += height
    for first, last in stretches:
        ax.vlines(values_at, first, last, colors=[canvas.INK if at == 1 else canvas.RULE for at in values_at], linewidth=1, zorder=0)
    if not sheet.narrow:
        canvas.write(fig, names + bases + 14, head + 8, "leavers", size=sheet.small, color=canvas.QUIET, ha="right")
    return fig


def _scaled(ax: Axes, drawn: Sequence[Ratio], height: float, sheet: Sheet) -> list[float]:
    """A logarithmic axis that holds every ratio and most of every interval; its round values, 1 among them."""
    known = [each.row for each in drawn if not math.isnan(each.row.estimate)]
    outer = [min([1.0, *(row.estimate for row in known)]) / _BEYOND, max([1.0, *(row.estimate for row in known)]) * _BEYOND]
    low = max(min([0.8, *(row.low for row in known)]), outer[0]) / 1.06
    high = min(max([1.25, *(row.high for row in known)]), outer[1]) * 1.06
    ax.set_xscale("log")
    ax.set(xlim=(low, high), ylim=(height, 0))
    ax.set_yticks([])
    values = [value for value in _TICKS if low <= value <= high]
    values = values if len(values) > 2 else [value for value in _CLOSE if low <= value <= high]
    ax.set_xticks(values, [f"{value:g}" for value in values], fontsize=sheet.small)
    ax.set_xticks([], minor=True)
    return values


def _whisker(ax: Axes, line: _Line, y: float) -> None:
    """The dot and interval of a line; a ring where it is what others are compared with, nothing where it is not told."""
    if line.ratio is None or math.isnan(line.ratio.row.estimate):
        return
    row, color = line.ratio.row, canvas.HIGH if line.spoken else canvas.GREY
    if line.ratio.verdict == REFERENCE:
        ax.plot([1.0], [y], "o", markersize=8, markerfacecolor="none", markeredgecolor=canvas.GREY, markeredgewidth=1.5, zorder=3)
        return
    first, last = ax.get_xlim()
    ax.hlines(y, max(row.low, first), min(row.high, last), color=color, linewidth=3 if line.spoken else 2.5, alpha=0.55, zorder=2)
    ax.plot([row.estimate], [y], "o", markersize=8, color=color, markeredgewidth=0, zorder=3, clip_on=False)


def _value(ratio: Ratio) -> str:
    if ratio.verdict in {REFERENCE, UNTOLD}:
        return "1" if ratio.verdict == REFERENCE else ""
    return f"{times(ratio.row.estimate)} ({ratio.interval})"


def _verdict(ratio: Ratio) -> str:
    return f"{SIGNS[ratio.verdict]} {BRIEF[ratio.verdict]}"


def _worded(fig: Figure, line: _Line, sheet: Sheet, at: tuple[float, float], base: float) -> None:
    """What stands beside a whisker, so far from the top; the verdict as far as the whisker. Leavers end at ``base``."""
    if line.ratio is None:
        return
    color = canvas.HIGH if line.spoken else canvas.QUIET if line.ratio.verdict == REFERENCE else canvas.INK
    leavers = decimal(line.ratio.events, 0) + " left" * sheet.narrow
    name = canvas.shortened(line.name, base - 28 - canvas.text_width(leavers, sheet.small), sheet.size, bold=line.spoken)
    canvas.write(fig, 12, at[0], name, size=sheet.size, color=color, bold=line.spoken)
    canvas.write(fig, base, at[0], leavers, size=sheet.small, color=canvas.QUIET, ha="right")
    beside = fig.axes[0].get_position().x1 * sheet.width + 10
    value, side = (sheet.width, "right") if sheet.narrow else (beside, "left")
    canvas.write(fig, value, at[0], _value(line.ratio), size=sheet.size, color=color, ha=side, bold=line.spoken)
    canvas.write(fig, sheet.width, at[1], _verdict(line.ratio), size=sheet.small, color=color, ha="right")
