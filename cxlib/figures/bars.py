"""Bars: how the answers to a question are spread over its scale."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.figures import canvas
from cxlib.figures.canvas import Sheet
from cxlib.figures.findings import finding, nps_classes, spreads_of
from cxlib.figures.measures import Measure, decimal, level_words
from cxlib.figures.picture import Picture, pictured
from cxlib.figures.shown import Row, Shown, read

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: More distributions than these are not compared by anybody.
MOST_PANELS = 12

_CLASS_COLORS = {"promoters": canvas.HIGH, "passives": canvas.SOFT, "detractors": canvas.GREY}
_CLASS_SCORES = {"promoters": (9, 10), "passives": (7, 8), "detractors": (0, 6)}


def shares(result: pd.DataFrame) -> Picture:
    """The picture of a distribution: the share of each answer, with its interval.

    Parameters
    ----------
    result : DataFrame
        What `survey.distribution` returned. Several questions or groups get a panel each.

    Returns
    -------
    Picture
        ``text`` states the classes of a question from 0 to 10, and the answer most often given.

    Raises
    ------
    ValueError
        If ``result`` is not a result, or has no key ``score``.

    See Also
    --------
    intervals : one number a group instead of the whole distribution.

    Notes
    -----
    Eleven scores from 0 to 10 are taken for a question on loyalty: promoters (9 and 10), passives
    and detractors (0 to 6) have a colour each. The intervals hold for all answers at once.

    Examples
    --------
    >>> answers = pd.DataFrame({"question": "overall", "score": [1, 2, 3], "measure": "answer_share", "estimate": [0.2, 0.3, 0.5],
    ...                         "low": [0.1, 0.2, 0.38], "high": [0.33, 0.43, 0.62], "level": 0.95, "n": 100, "answers": [20, 30, 50]})
    >>> print(shares(answers))
    Most often given: 3 (50.0 %, 95 % interval 38.0 to 62.0), of 100 answers.
    """
    shown = read(result, asks="shares", needs=["score"])
    text = finding(shown)
    if shown.reason:
        return pictured(shown, text)
    spreads = spreads_of(shown)
    said = [f"The first {MOST_PANELS} of {len(spreads)} distributions are drawn; the table has all."] if len(spreads) > MOST_PANELS else []
    draw = partial(_bars, shown, spreads[:MOST_PANELS])
    return pictured(shown, text, draw, what=f"Bars with interval by answer: {shown.measure.axis}", notes=said)


def _bars(shown: Shown, spreads: Sequence[Sequence[Row]], sheet: Sheet) -> Figure:
    measure, single = shown.measure, len(spreads) == 1
    base = f"{measure.many(spreads[0][0].n)}. " if single else ""
    words = f"{measure.axis}. {base}Whiskers: {level_words(shown.level)} interval for all answers at once"
    across = 1 if single or sheet.narrow else 2
    step, gap, title = 25.0, 28.0, 0.0 if single else 30.0
    highs = [title + step * max(len(rows) for rows in spreads[start : start + across]) + 12 for start in range(0, len(spreads), across)]
    top = canvas.head_lines(sheet, words)
    fig = canvas.figure(sheet, top + sum(highs) + 4)
    canvas.headed(fig, sheet, words)
    each = (sheet.width - gap * (across - 1)) / across
    longest = max(measure.shown(row.high) for rows in spreads for row in rows)
    for number, rows in enumerate(spreads):
        x, y = (number % across) * (each + gap), top + sum(highs[: number // across])
        if not single:
            name = rows[0].group("score").label
            n = f"n {decimal(rows[0].n, 0)}"
            room = each - canvas.text_width(n, sheet.small) - 12
            canvas.write(fig, x, y + 12, canvas.shortened(name, room, sheet.size, bold=True), size=sheet.size, bold=True)
            canvas.write(fig, x + each, y + 12, n, size=sheet.small, color=canvas.QUIET, ha="right")
        _spread(fig, measure, rows, sheet, (x, y + title, each, step), longest)
    return fig


def _spread(
    fig: Figure, measure: Measure, rows: Sequence[Row], sheet: Sheet, box: tuple[float, float, float, float], longest: float
) -> None:
    """One distribution: score, bar, whisker, value; classes bracketed to the right where there are some."""
    x, y, width, step = box
    page_width, page_height = (72 * side for side in fig.get_size_inches())
    classes = nps_classes(rows)
    scores = [f"{float(row.key('score')):g}" for row in rows]
    left = 12 + max(canvas.text_width(score, sheet.size) for score in scores)
    value = canvas.text_width("100.0", sheet.size) + 10
    named = (96 if sheet.narrow else 150) if classes else 0
    bottom = page_height - y - step * len(rows)
    ax = canvas.axes(fig, left=x + left, top=y, right=page_width - x - width + value + named, bottom=bottom)
    ax.set(xlim=(0, longest), ylim=(len(rows), 0))
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines["bottom"].set_visible(False)
    top = max(rows, key=lambda row: row.estimate)
    for place, row in enumerate(rows):
        color = _color(row, classes, top)
        ax.barh(place + 0.5, measure.shown(row.estimate), height=0.72, color=color, linewidth=0)
        ax.hlines(place + 0.5, measure.shown(row.low), measure.shown(row.high), color=canvas.INK, linewidth=1.2)
        middle = y + step * (place + 0.5)
        canvas.write(fig, x + left - 8, middle, scores[place], size=sheet.size, ha="right")
        canvas.write(fig, x + width - named, middle, measure.number(row.estimate), size=sheet.size, ha="right")
    ax.axvline(0, color=canvas.GREY, linewidth=1)
    for name, share in classes:
        _class(fig, measure, name, share, sheet, (x + width - named + 12, y, step), len(rows))


def _color(row: Row, classes: Sequence[tuple[str, float]], top: Row) -> str:
    """The colour of an answer: that of its class, else grey with the most frequent one highlighted."""
    if not classes:
        return canvas.HIGH if row is top else canvas.GREY
    score = float(row.key("score"))
    return next(_CLASS_COLORS[name] for name, (low, high) in _CLASS_SCORES.items() if low <= score <= high)


def _class(fig: Figure, measure: Measure, name: str, share: float, sheet: Sheet, at: tuple[float, float, float], rows: int) -> None:
    """The name and share of one class of answers, beside the bars it is made of."""
    from matplotlib.lines import Line2D

    x, y, step = at
    low, high = _CLASS_SCORES[name]
    first, last = y + step * (rows - 1 - high) + 5, y + step * (rows - low) - 5
    width, height = (72 * side for side in fig.get_size_inches())
    fig.add_artist(Line2D([x / width, x / width], [1 - first / height, 1 - last / height], color=_CLASS_COLORS[name], linewidth=3))
    middle = (first + last) / 2
    color = canvas.HIGH if name == "promoters" else canvas.INK
    canvas.write(fig, x + 9, middle - 8, name, size=sheet.small, color=color, bold=True)
    canvas.write(fig, x + 9, middle + 9, measure.quantity(share), size=sheet.size, color=color)
