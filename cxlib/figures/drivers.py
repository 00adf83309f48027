"""Pictures of drivers: what goes with a score, and what of it is rated low."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.figures import canvas
from cxlib.figures.canvas import Sheet
from cxlib.figures.dots import Mark, dotted
from cxlib.figures.importance import KEEP, LATER, LEAVE, NAMED, RAISE, compared, first_ones, importance, name_of, raised
from cxlib.figures.measures import Measure, level_words, listed
from cxlib.figures.picture import Picture, pictured
from cxlib.figures.shown import Row, Shown, by_group, read

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: More are not drawn: nobody could read them.
MOST = 45


def drivers(result: pd.DataFrame) -> Picture:
    """The picture of importance: a dot and its interval for each driver, and how far chance alone reaches.

    Parameters
    ----------
    result : DataFrame
        What `cxlib.impact.drivers` returned.

    Returns
    -------
    Picture
        ``text`` says what matters most or that it is not settled, what chance does as well, and what is to be
        raised first.

    Raises
    ------
    ValueError
        If ``result`` is not a result, or has no drivers.

    See Also
    --------
    priorities : importance beside the rating.

    Notes
    -----
    Importance is what goes with the score, no cause. Intervals that overlap may still be of drivers whose
    order is settled, as they were measured on the same people: the table has the places.

    Examples
    --------
    >>> parts = pd.DataFrame({"driver": ["delivery", "store"], "measure": "driver_importance", "estimate": [0.149, 0.003],
    ...                       "low": [0.098, 0.0], "high": [0.206, 0.013], "level": 0.95, "n": [579, 574], "outcome": "nps",
    ...                       "noise_floor": 0.007, "above_noise": pd.array([True, False]), "rank": [1, 2], "rank_low": [1, 2],
    ...                       "rank_high": [1, 2], "priority": ["keep up", "leave"], "r_squared": 0.152})
    >>> print(drivers(parts))
    Delivery matters most to loyalty (NPS): 14.9 % of the differences between answers go with it (95 % interval 9.8 to 20.6);
    all 2 parts together go with 15.2 %. Store shows no more than chance would.
    """
    shown = _read(result, "drivers")
    text = importance(shown) if shown.reason is None else shown.reason
    rows = compared(shown)
    if shown.reason is not None or not rows:
        return pictured(shown, text)
    first = {id(row) for group in by_group(rows, "driver") for row in first_ones(group)}
    said = [f"The first {MOST} of {len(rows)} are drawn; the table has all."] if len(rows) > MOST else []
    marks = [Mark(row.label, row, id(row) in first) for row in rows[:MOST]]
    chance = [row.count("noise_floor") for row in rows[:MOST]]
    what = f"Dot and {level_words(shown.level)} interval by part of the experience, with what chance reaches: {shown.measure.axis}"
    return pictured(shown, text, partial(dotted, shown.measure, marks, None, chance=chance), what=what, notes=said)


def priorities(result: pd.DataFrame) -> Picture:
    """The picture of importance beside the rating: what is important and rated low stands at the lower right.

    Parameters
    ----------
    result : DataFrame
        What `cxlib.impact.drivers` returned for one group.

    Returns
    -------
    Picture
        ``text`` names what is to be raised first, what to keep up, and of what neither is settled.

    Raises
    ------
    ValueError
        If ``result`` is not a result, has no drivers, or holds several groups.

    See Also
    --------
    drivers : importance with what chance reaches.

    Notes
    -----
    The lines are an equal part for all, and the mean of all ratings. A part is only named where its intervals
    settle on which side of both it lies; where it stands in the picture is not enough.

    Examples
    --------
    >>> parts = pd.DataFrame({"driver": ["delivery", "store"], "measure": "driver_importance", "estimate": [0.149, 0.003],
    ...                       "low": [0.098, 0.0], "high": [0.206, 0.013], "level": 0.95, "n": [579, 574], "outcome": "nps",
    ...                       "performance": [3.57, 3.81], "performance_low": [3.46, 3.72], "performance_high": [3.67, 3.9],
    ...                       "penalty": [-0.49, 0.01], "penalty_low": [-0.7, -0.2], "penalty_high": [-0.3, 0.21],
    ...                       "role": "basic", "priority": ["raise first", "leave"],
    ...                       "equal_part": 0.076, "performance_of_all": 3.69, "scale_low": 1, "scale_high": 5,
    ...                       "outcome_low": 0, "outcome_high": 10})
    >>> print(priorities(parts))
    Raise delivery first: it is important and rated low (mean 3.57), and low ratings are punished; who rates it a point lower gives
    a score lower by 0.49 points on the scale 0 to 10 (95 % interval 0.30 to 0.70).
    """
    shown = _read(result, "priorities")
    rows = compared(shown)
    if len(by_group(rows, "driver")) > 1:
        raise ValueError("priorities: the result holds several groups, and one picture shows one. Take the rows of one group first.")
    if shown.reason is not None or not rows:
        return pictured(shown, shown.reason or importance(shown))
    what = f"Importance beside the mean rating of {len(rows)} parts of the experience, each with its {level_words(shown.level)} intervals"
    return pictured(shown, _advice(rows), partial(_map, shown.measure, rows), what=what)


def _read(result: pd.DataFrame, asks: str) -> Shown:
    return read(result, asks=asks, needs=["driver"])


def _advice(rows: Sequence[Row]) -> str:
    """What to raise first and what to keep up; that nothing is settled, where nothing is."""
    said = raised(rows) or ["No part is settled to be both important and rated low."]
    for priority, words in (
        (KEEP, "Keep up {}: important, and rated higher than the others."),
        (LATER, "Rated low, but of little importance: {}."),
    ):
        named = [name_of(row) for row in rows if row.counts["priority"] == priority]
        said += [words.format(listed(named))] if named else []
    open_ = [name_of(row) for row in rows if row.counts["priority"] not in {RAISE, KEEP, LATER, LEAVE}]
    if len(open_) > NAMED:
        return " ".join([*said, f"For {len(open_)} of {len(rows)} parts it is not settled."])
    return " ".join([*said, *([f"Not settled: {listed(open_)}."] if open_ else [])])


@dataclass(frozen=True)
class _Box:
    """A stretch of the picture that is taken, in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: _Box) -> bool:
        return self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom

    def near(self, x: float, y: float) -> float:
        """How far a point lies from it."""
        return math.hypot(max(self.left - x, 0, x - self.right), max(self.top - y, 0, y - self.bottom))


def _map(measure: Measure, rows: Sequence[Row], sheet: Sheet) -> Figure:
    """Importance to the right, the rating upwards, words in the four corners; a dot has its name, or a number where names would meet."""
    shares = len({(row.counts["scale_low"], row.counts["scale_high"]) for row in rows}) > 1
    rated = "mean rating upwards" + (", as a share of its scale in %" if shares else "")
    words = f"{measure.axis} (to the right); {rated}; with {level_words(rows[0].level)} intervals"
    head = canvas.head_lines(sheet, words)
    frame = _Box(44, head + 10, sheet.width - 12, head + 10 + (300 if sheet.narrow else 340))
    points = [_point(measure, row, shares) for row in rows]
    ends = _ends(points)
    spots = [_spot(frame, ends, point) for point in points]
    corners = _corners(frame, sheet)
    lines = _lines(frame, ends, points, _middle(measure, rows[0], shares))
    names = [name_of(row) for row in rows]
    labels = _labels(names, spots, corners, lines, frame, sheet)
    listed_ = [] if labels else [f"{place + 1}  {name}" for place, name in enumerate(names)]
    if not labels:
        names = [str(place + 1) for place in range(len(rows))]
        labels = _labels(names, spots, corners, lines, frame, sheet) or [_Box(x + 7, y - 20, x + 27, y - 2) for x, y in spots]
    height = frame.bottom + 34 + 20 * len(listed_)
    fig = canvas.figure(sheet, height)
    canvas.headed(fig, sheet, words)
    ax = canvas.axes(fig, left=frame.left, top=frame.top, right=sheet.width - frame.right, bottom=height - frame.bottom)
    _ground(ax, ends, _middle(measure, rows[0], shares), sheet)
    for word, box in corners.items():
        canvas.write(fig, box.left, (box.top + box.bottom) / 2, word, size=sheet.small, color=canvas.QUIET)
    for place, (row, point) in enumerate(zip(rows, points, strict=True)):
        color = canvas.HIGH if row.counts["priority"] == RAISE else canvas.INK
        _cross(ax, point, color)
        box, bold = labels[place], bool(listed_) or color == canvas.HIGH
        canvas.write(fig, box.left, (box.top + box.bottom) / 2, names[place], size=sheet.small, color=color, bold=bold)
    for place, text in enumerate(listed_):
        color = canvas.HIGH if rows[place].counts["priority"] == RAISE else canvas.INK
        line = canvas.shortened(text, sheet.width - 4, sheet.size)
        canvas.write(fig, 0, frame.bottom + 40 + 20 * place, line, size=sheet.size, color=color, bold=color == canvas.HIGH)
    return fig


@dataclass(frozen=True)
class _Point:
    """Importance and rating on the scales a reader sees, each with its interval."""

    x: float
    y: float
    left: float
    right: float
    low: float
    high: float


def _point(measure: Measure, row: Row, shares: bool) -> _Point:
    x = [measure.shown(value) for value in (row.estimate, row.low, row.high)]
    y = [_height(row, row.count(name), shares) for name in ("performance", "performance_low", "performance_high")]
    return _Point(x[0], y[0], x[1], x[2], y[1], y[2])


def _height(row: Row, value: float, shares: bool) -> float:
    """A rating in points of its scale; in percent of the way up where the scales differ."""
    low, high = row.count("scale_low"), row.count("scale_high")
    return 100 * (value - low) / (high - low) if shares else value


def _ends(points: Sequence[_Point]) -> tuple[float, float, float, float]:
    low, high = min(point.low for point in points), max(point.high for point in points)
    air = 0.14 * (high - low or 1)
    return 0.0, 1.06 * max(point.right for point in points), low - air, high + air


def _spot(frame: _Box, ends: tuple[float, float, float, float], point: _Point) -> tuple[float, float]:
    """Where a point stands, in pixels."""
    left, right, low, high = ends
    x = frame.left + (point.x - left) / (right - left) * (frame.right - frame.left)
    return x, frame.bottom - (point.y - low) / (high - low) * (frame.bottom - frame.top)


def _corners(frame: _Box, sheet: Sheet) -> dict[str, _Box]:
    """The words of the four corners, and the room they take."""
    found = {}
    for word, right, down in ((LEAVE, False, False), (KEEP, True, False), (LATER, False, True), (RAISE, True, True)):
        wide = canvas.text_width(word, sheet.small) + 6
        left, top = (frame.right - wide if right else frame.left + 8), (frame.bottom - 22 if down else frame.top + 2)
        found[word] = _Box(left, top, left + wide, top + 20)
    return found


def _lines(frame: _Box, ends: tuple[float, float, float, float], points: Sequence[_Point], middle: tuple[float, float]) -> list[_Box]:
    """What a name should not stand on if it can be helped: the whiskers, and the lines that part the picture."""
    found = []
    for point in points:
        (left, y), (right, _) = (_spot(frame, ends, replace(point, x=x)) for x in (point.left, point.right))
        (x, bottom), (_, top) = (_spot(frame, ends, replace(point, y=y_)) for y_ in (point.low, point.high))
        found += [_Box(left, y - 1, right, y + 1), _Box(x - 1, top, x + 1, bottom)]
    x, y = _spot(frame, ends, replace(points[0], x=middle[0], y=middle[1]))
    return [*found, _Box(x - 1, frame.top, x + 1, frame.bottom), _Box(frame.left, y - 1, frame.right, y + 1)]


def _labels(
    names: Sequence[str],
    spots: Sequence[tuple[float, float]],
    corners: dict[str, _Box],
    lines: Sequence[_Box],
    frame: _Box,
    sheet: Sheet,
) -> list[_Box]:
    """A place for every name beside its dot where none meets another, a dot or a corner; nothing where there is none for all."""
    taken = [*corners.values(), *(_Box(x - 7, y - 7, x + 7, y + 7) for x, y in spots)]
    placed = []
    for name, (x, y) in zip(names, spots, strict=True):
        wide, tall = canvas.text_width(name, sheet.small, bold=True) + 4, 18.0
        sides = (x + 10, x - 10 - wide)
        tries = [(side, y + down) for down in (-20, 2) for side in sides] + [(x - wide / 2, y - 28), (x - wide / 2, y + 10)]
        boxes = [_Box(left, top, left + wide, top + tall) for left, top in tries]
        inside = [
            box for box in boxes if frame.left < box.left and box.right < frame.right and frame.top < box.top and box.bottom < frame.bottom
        ]
        free = [box for box in inside if not any(box.meets(other) for other in taken)]
        if not free:
            return []
        others = [spot for spot in spots if spot != (x, y)]
        # A name nearer to another dot would be taken for that one's.
        box = min(free, key=lambda box: (min(box.near(*other) for other in others) < 14 if others else False, any(map(box.meets, lines))))
        taken.append(box)
        placed.append(box)
    return placed


def _middle(measure: Measure, row: Row, shares: bool) -> tuple[float, float]:
    """Where the lines stand: an equal part for all, and the mean of all ratings."""
    return measure.shown(row.count("equal_part")), _height(row, row.count("performance_of_all"), shares)


def _ground(ax: Axes, ends: tuple[float, float, float, float], middle: tuple[float, float], sheet: Sheet) -> None:
    """Scales, and the lines that part the picture."""
    left, right, low, high = ends
    ax.set(xlim=(left, right), ylim=(low, high))
    across, upwards = canvas.ticks(left, right, most=4 if sheet.narrow else 7), canvas.ticks(low, high, most=5)
    ax.set_xticks(across, canvas.tick_words(across), fontsize=sheet.small)
    ax.set_yticks(upwards, canvas.tick_words(upwards), fontsize=sheet.small)
    ax.axvline(middle[0], color=canvas.GREY, linewidth=1, linestyle=(0, (3, 2)), zorder=0)
    ax.axhline(middle[1], color=canvas.GREY, linewidth=1, linestyle=(0, (3, 2)), zorder=0)


def _cross(ax: Axes, point: _Point, color: str) -> None:
    """A dot with both its intervals."""
    ax.hlines(point.y, point.left, point.right, color=color, linewidth=1.5, alpha=0.35, zorder=1)
    ax.vlines(point.x, point.low, point.high, color=color, linewidth=1.5, alpha=0.35, zorder=1)
    ax.plot([point.x], [point.y], "o", color=color, markersize=7, markeredgewidth=0, zorder=3, clip_on=False)
