"""Bars: how the answers to a question are spread over its scale, its classes or its choices."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.figures import canvas
from cxlib.figures.canvas import Sheet
from cxlib.figures.findings import finding
from cxlib.figures.measures import Measure, decimal, key_words, level_words
from cxlib.figures.parts import PARTS, name_of, wholes_of
from cxlib.figures.picture import Picture, pictured
from cxlib.figures.ranks import apart
from cxlib.figures.shown import Row, Shown, read
from cxlib.figures.spreads import nps_classes, spreads_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: More distributions than these are not compared by anybody.
MOST_PANELS = 12

_CLASS_COLORS = {"promoters": canvas.HIGH, "passives": canvas.SOFT, "detractors": canvas.GREY}
_CLASS_SCORES = {"promoters": (9, 10), "passives": (7, 8), "detractors": (0, 6)}


def shares(result: pd.DataFrame) -> Picture:
    """The picture of a distribution: the share of each answer, class or choice, with its interval.

    Parameters
    ----------
    result : DataFrame
        What `survey.distribution`, `survey.classes` or `survey.choices` returned. Several questions or
        groups get a panel each.

    Returns
    -------
    Picture
        ``text`` states the classes of a question from 0 to 10, and the answer most often given; the share
        of each class; what was chosen most often, or how many said yes.

    Raises
    ------
    ValueError
        If ``result`` is not a result, or has none of the keys ``score``, ``class`` and ``choice``.

    See Also
    --------
    intervals : one number a group instead of the whole distribution.

    Notes
    -----
    Eleven scores from 0 to 10 are taken for a question on loyalty: promoters (9 and 10), passives
    and detractors (0 to 6) have a colour each. The intervals hold for all answers at once.

    Examples
    --------
    >>> answers = pd.DataFrame({"question": "overall", "score": [1, 2, 3], "measure": "answer_share", "estimate": [0.2, 0.2, 0.6],
    ...                         "low": [0.1, 0.1, 0.47], "high": [0.33, 0.33, 0.72], "level": 0.95, "n": 100, "answers": [20, 20, 60]})
    >>> print(shares(answers))
    Most often given: 3 (60.0 %, 95 % interval 47.0 to 72.0), of 100 answers.
    """
    part = next((key for key in PARTS if key in result.columns), "score")
    shown = read(result, asks="shares", needs=[part])
    text = finding(shown)
    if shown.reason:
        return pictured(shown, text)
    spreads = spreads_of(shown) if part == "score" else wholes_of(shown, part)
    said = [f"The first {MOST_PANELS} of {len(spreads)} distributions are drawn; the table has all."] if len(spreads) > MOST_PANELS else []
    draw = partial(_bars, shown, part, spreads[:MOST_PANELS])
    by = "answer" if part == "score" else part
    return pictured(shown, text, draw, what=f"Bars with interval by {by}: {shown.measure.axis}", notes=said)


def _at_once(part: str, spreads: Sequence[Sequence[Row]]) -> str:
    """Which shares the intervals hold for together."""
    if part != "choice":
        return f" for all {'answers' if part == 'score' else 'classes'} at once"
    together = all(row.counts.get("one_only") for rows in spreads for row in rows)
    return " for all choices at once" if together else ""


def _bars(shown: Shown, part: str, spreads: Sequence[Sequence[Row]], sheet: Sheet) -> Figure:
    measure, single = shown.measure, len(spreads) == 1
    base = f"{measure.many(spreads[0][0].n)}. " if single else ""
    words = f"{measure.axis}. {base}Whiskers: {level_words(shown.level)} interval{_at_once(part, spreads)}"
    # Names need room: they stand in as many lines as they need, and one panel below the other.
    across = 1 if single or sheet.narrow or part == "choice" else 2
    gap, title = 28.0, 0.0 if single else 30.0
    step = max((18.0 * len(_lines(row, part, sheet.width / across, sheet)) + 8 for rows in spreads for row in rows), default=26.0) - 1
    highs = [title + step * max(len(rows) for rows in spreads[start : start + across]) + 12 for start in range(0, len(spreads), across)]
    top = canvas.head_lines(sheet, words)
    fig = canvas.figure(sheet, top + sum(highs) + 4)
    canvas.headed(fig, sheet, words)
    each = (sheet.width - gap * (across - 1)) / across
    longest = max(measure.shown(row.high) for rows in spreads for row in rows)
    for number, rows in enumerate(spreads):
        x, y = (number % across) * (each + gap), top + sum(highs[: number // across])
        if not single:
            name = name_of(rows[0], part)
            n = f"n {decimal(rows[0].n, 0)}"
            room = each - canvas.text_width(n, sheet.small) - 12
            canvas.write(fig, x, y + 12, canvas.shortened(name, room, sheet.size, bold=True), size=sheet.size, bold=True)
            canvas.write(fig, x + each, y + 12, n, size=sheet.small, color=canvas.QUIET, ha="right")
        _spread(fig, measure, rows, part, sheet, (x, y + title, each, step), longest)
    return fig


def _lines(row: Row, part: str, width: float, sheet: Sheet) -> list[str]:
    """What stands before a bar: the score, the class, or the choice in two lines where it is long."""
    if part == "score":
        return [f"{float(row.key('score')):g}"]
    return canvas.wrapped(key_words(part, row.key(part)), 0.42 * width, sheet.size)


def _spread(
    fig: Figure, measure: Measure, rows: Sequence[Row], part: str, sheet: Sheet, box: tuple[float, float, float, float], longest: float
) -> None:
    """One distribution: score, class or choice, bar, whisker, value; classes of scores bracketed to the right where there are some."""
    x, y, width, step = box
    page_width, page_height = (72 * side for side in fig.get_size_inches())
    classes = nps_classes(rows) if part == "score" else []
    names = [_lines(row, part, width, sheet) for row in rows]
    left = 12 + max(canvas.text_width(line, sheet.size) for lines in names for line in lines)
    value = canvas.text_width("100.0", sheet.size) + 10
    named = (96 if sheet.narrow else 150) if classes else 0
    bottom = page_height - y - step * len(rows)
    ax = canvas.axes(fig, left=x + left, top=y, right=page_width - x - width + value + named, bottom=bottom)
    ax.set(xlim=(0, longest), ylim=(len(rows), 0))
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines["bottom"].set_visible(False)
    top = max(rows, key=lambda row: row.estimate)
    settled = apart(top, [row for row in rows if row is not top])
    for place, row in enumerate(rows):
        color = _color(row, part, classes, place, most=settled and row is top)
        ax.barh(place + 0.5, measure.shown(row.estimate), height=18 / step, color=color, linewidth=0)
        ax.hlines(place + 0.5, measure.shown(row.low), measure.shown(row.high), color=canvas.INK, linewidth=1.2)
        middle = y + step * (place + 0.5)
        for number, line in enumerate(names[place]):
            down = 18 * (number - (len(names[place]) - 1) / 2)
            canvas.write(fig, x + left - 8, middle + down, line, size=sheet.size, ha="right")
        canvas.write(fig, x + width - named, middle, measure.number(row.estimate), size=sheet.size, ha="right")
    ax.axvline(0, color=canvas.GREY, linewidth=1)
    for name, share in classes:
        _class(fig, measure, name, share, sheet, (x + width - named + 12, y, step), len(rows))


def _color(row: Row, part: str, classes: Sequence[tuple[str, float]], place: int, *, most: bool) -> str:
    """The colour of an answer: that of its class, else grey with the most frequent one highlighted where that is settled."""
    if part == "class":
        return list(_CLASS_COLORS.values())[place]
    if not classes:
        return canvas.HIGH if most else canvas.GREY
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
