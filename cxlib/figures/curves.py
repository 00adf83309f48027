"""Curves: how many customers are still there after so many months."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlib.figures import canvas
from cxlib.figures.canvas import Sheet
from cxlib.figures.findings import finding
from cxlib.figures.measures import DAYS_A_MONTH, Measure, decimal, level_words
from cxlib.figures.picture import Picture, pictured
from cxlib.figures.ranks import apart
from cxlib.figures.shown import Row, Shown, read
from cxlib.figures.stretches import FEWEST
from cxlib.figures.tenures import counted_months, curves_of, quoted, ranked_curves
from cxlib.figures.withhold import is_apart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: So many lines can be told apart by the label at their end.
MOST_LINES = 8


def curve(result: pd.DataFrame, *differs: pd.DataFrame) -> Picture:
    """The picture of survival: the share of customers still there, by tenure.

    Parameters
    ----------
    result : DataFrame
        What `churn.survival` returned, with its key ``tenure_days``.
    *differs : DataFrame
        Differences of the same groups, such as ``churn.difference(customers, by="plan")``: their verdicts are
        told, their tables folded beneath.

    Returns
    -------
    Picture
        ``text`` states how many of 100 are still there after a year, and when half have left.

    Raises
    ------
    ValueError
        If ``result`` is not a result or has no key ``tenure_days``, or ``differs`` holds no differences.

    See Also
    --------
    table : the curve at the tenures a reader asks for.

    Notes
    -----
    Months of 30.4375 days are drawn; the file has days. Steps are put together until each is of
    ``smallest_group`` leavers: at its days a line is exact, between them straight where steps are put together. It
    ends where fewer than ``smallest_group`` customers are at risk: beyond, one leaving would be a cliff; it is
    faint where fewer than 30 are. Its label has what it is after a year, at the dot, or at the last tenure at which
    30 were at risk. The band holds for each tenure by itself, not for the curve as a whole.

    Examples
    --------
    >>> survival = pd.DataFrame({"tenure_days": [0.0, 182.625, 365.25], "measure": "survival", "estimate": [1.0, 0.91, 0.84],
    ...                          "low": [1.0, 0.89, 0.81], "high": [1.0, 0.93, 0.87], "level": 0.95, "n": [1000, 900, 700],
    ...                          "events": [0, 90, 70], "censored": [0, 0, 0], "customers": 1000})
    >>> print(curve(survival))
    84 of 100 who join are still with us after 12 months (95 % interval 81.0 to 87.0; 700 customers seen at that tenure).
    More than half are still there at 12 months, the last tenure shown: the median is not reached.
    """
    shown = read(result, asks="curve", needs=["tenure_days"])
    beside = [_apart_of(each) for each in differs]
    text = " ".join([finding(shown), *(finding(each) for each in beside)])
    curves = curves_of(shown)
    if max((len(rows) for rows in curves), default=0) < 2:
        return pictured(shown, text, beside=beside)
    said = []
    if len(curves) > MOST_LINES:
        said.append(f"The {MOST_LINES} largest of {len(curves)} groups are drawn; the table has all.")
        curves = sorted(curves, key=lambda rows: -_customers(rows))[:MOST_LINES]
    what = f"Curve with {level_words(shown.level)} interval: {shown.measure.axis}, by months since joining"
    return pictured(shown, text, partial(drawn, shown, ranked_curves(curves)), what=what, notes=said, beside=beside)


def _apart_of(result: pd.DataFrame) -> Shown:
    """What is told beside curves; a letter where it is no difference of groups."""
    shown = read(result, asks="curve")
    if not is_apart(shown.counts):
        what = "what follows the curves must be differences of their groups, such as churn.difference(customers, by=...)"
        raise ValueError(f"curve: {what}; this is '{shown.name}'.")
    return shown


def _customers(rows: Sequence[Row]) -> float:
    return max(float(row.counts.get("customers", row.n)) for row in rows)


def drawn(
    shown: Shown, curves: Sequence[Sequence[Row]], sheet: Sheet, *, most: float = 100, named: Callable[[Row], str] | None = None
) -> Figure:
    """Curves with their bands, up to ``most`` %; names at the ends. The first curve is in colour where it lies apart from the others."""
    measure = shown.measure
    faint = f"; faint: fewer than {FEWEST} at risk" * any(row.n < FEWEST for rows in curves for row in rows)
    words = f"{measure.axis}, with {level_words(shown.level)} interval, by months since joining{_dots(curves)}{faint}"
    top = canvas.head_lines(sheet, words)
    fig = canvas.figure(sheet, top + max(260 if sheet.narrow else 320, 36 * len(curves) + 40))
    canvas.headed(fig, sheet, words)
    labels = [_label(measure, rows, named, alike=bool(_dots(curves))) for rows in curves]
    room = 124 if sheet.narrow else 190
    right = 12 + min(max(canvas.text_width(line, sheet.size, bold=True) for label in labels for line in label), room)
    ax = canvas.axes(fig, left=36, top=top + 4, right=right, bottom=30)
    values = [0.0, 25.0, 50.0, 75.0, 100.0] if most == 100 else canvas.ticks(0, most)
    ax.set_ylim(0, 1.01 * most)
    ax.set_yticks(values, canvas.tick_words(values), fontsize=sheet.small)
    for value in values[1:]:
        ax.axhline(value, color=canvas.RULE, linewidth=1, zorder=0)
    last = max(_months(rows[-1]) for rows in curves)
    read_at = [quoted(rows) for rows in curves]
    front = 0 if len(curves) == 1 or apart(read_at[0][0], [row for row, _ in read_at[1:]]) else None
    for place, rows in reversed(list(enumerate(curves))):
        drawn_rows = _per_pixel(rows, last / (sheet.width - 36 - right))
        _line(ax, drawn_rows, front=place == front, band=0.22 if place == front else 0.16 if len(curves) < 5 else 0.08)
        _dot(ax, rows, front=place == front)
    _tenures(ax, last, sheet)
    row, months = read_at[0]
    if len(curves) == 1 and months < 0.6 * last:
        # The number stands where it is read, above the band of a curve that falls from there on.
        _named(ax, labels[0], (months, 100 * row.high), sheet=sheet, room=0.5 * sheet.width, color=canvas.HIGH, within=True)
        return fig
    # In points, as the labels are: a figure of another resolution has as many points and other pixels.
    height = ax.get_position().height * fig.get_figheight() * 72
    for place, y in enumerate(heights([100 * rows[-1].estimate for rows in curves], least=1.01 * most * 34 / height, most=most)):
        if len(curves) > 1:
            _led(ax, curves[place][-1], y)
        _named(ax, labels[place], (1, y), sheet=sheet, room=right - 12, color=canvas.HIGH if place == front else canvas.INK)
    return fig


def _dots(curves: Sequence[Sequence[Row]]) -> str:
    """Where all numbers at the ends are read, said above; nothing where there is one curve, or each is read elsewhere."""
    found = {counted_months(quoted(rows)[1]) for rows in curves}
    return f"; dots and numbers: after {found.pop()}" if len(found) == 1 < len(curves) else ""


def _months(row: Row) -> float:
    return float(row.key("tenure_days")) / DAYS_A_MONTH


def _label(measure: Measure, rows: Sequence[Row], named: Callable[[Row], str] | None, *, alike: bool) -> tuple[str, str]:
    """What stands at the end of a curve: its name, and what it is where it is quoted; of the only curve the number first."""
    row, months = quoted(rows)
    name, number, when = row.group("tenure_days").label, f"{measure.number(row.estimate)} %", f"after {counted_months(months)}"
    if not name:
        return number, when
    what = f"{number}{' left' * (named is not None)}"
    base = "" if named else f", n {decimal(_customers(rows), 0)}"
    return (named(row) if named else name), f"{what}{base}" if alike else f"{what} {when}"


def _per_pixel(rows: Sequence[Row], months: float) -> list[Row]:
    """The last step within each pixel: what is drawn of a curve with a step a day, and all that can be seen of it."""
    kept = {int(_months(row) / months): row for row in rows[1:]}
    return [rows[0], *kept.values()]


def _line(ax: Axes, rows: Sequence[Row], *, front: bool, band: float) -> None:
    """A curve within its band, faint where few are at risk; many bands are fainter, as they lie on each other."""
    color, points = canvas.HIGH if front else canvas.GREY, _points(rows)
    months = [month for month, _ in points]
    share, low, high = ([100 * getattr(row, name) for _, row in points] for name in ("estimate", "low", "high"))
    sure = [value if row.n >= FEWEST else math.nan for value, (_, row) in zip(share, points, strict=True)]
    width, order = 2.2 if front else 1.6, 4 if front else 3
    ax.plot(months, share, color=color, linewidth=width, alpha=0.35, zorder=order)
    ax.plot(months, sure, color=color, linewidth=width, zorder=order)
    ax.fill_between(months, low, high, color=color, alpha=band, linewidth=0, zorder=2)


def _points(rows: Sequence[Row]) -> list[tuple[float, Row]]:
    """Where a line turns: in a step where nothing happened before it, else on the straight line from the day shown before."""
    found = [(_months(rows[0]), rows[0])]
    for before, row in pairwise(rows):
        if before.holds + 0.01 > float(row.key("tenure_days")):
            found.append((_months(row), before))
        found.append((_months(row), row))
    return found


def _dot(ax: Axes, rows: Sequence[Row], *, front: bool) -> None:
    """Where the number at the end of a curve is read."""
    row, months = quoted(rows)
    ax.plot(months, 100 * row.estimate, "o", markersize=6 if front else 5, color=canvas.HIGH if front else canvas.GREY, zorder=5)


def _tenures(ax: Axes, last: float, sheet: Sheet) -> None:
    """Round months below; years where there are many."""
    most = 5 if sheet.narrow else 8
    step = next((step for step in (1, 2, 3, 6, 12, 24, 36, 60, 120) if last / step <= most), 240)
    marks = list(range(0, int(last) + 1, step))
    ax.set_xlim(0, last)
    ax.set_xticks(marks, [str(mark) for mark in marks], fontsize=sheet.small)
    ax.tick_params(axis="x", bottom=True, length=4, pad=4, color=canvas.GREY)


def heights(values: Sequence[float], *, least: float, most: float = 100) -> list[float]:
    """Heights for labels near their lines, at least so far apart, in the order of the lines."""
    order = sorted(range(len(values)), key=lambda place: values[place])
    placed = dict(zip(order, (values[place] for place in order), strict=True))
    for lower, upper in pairwise(order):
        placed[upper] = max(placed[upper], placed[lower] + least)
    over = max(placed[order[-1]] - (most - least / 3), 0)
    ceiling = placed[order[-1]] - over
    for place in reversed(order):
        placed[place] = min(placed[place], ceiling)
        ceiling = placed[place] - least
    return [placed[place] for place in range(len(values))]


def _led(ax: Axes, row: Row, y: float) -> None:
    """A thin line from the end of a curve to its label, wherever that had to go."""
    line = {"arrowstyle": "-", "color": canvas.GREY, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    end = (_months(row), 100 * row.estimate)
    ax.annotate("", end, xytext=(1.012, y), textcoords=("axes fraction", "data"), arrowprops=line, annotation_clip=False)


def _named(
    ax: Axes, label: tuple[str, str], place: tuple[float, float], *, sheet: Sheet, room: float, color: str, within: bool = False
) -> None:
    """A name and its number at the end of a line, or above a place within the picture."""
    where: Any = "data" if within else ("axes fraction", "data")
    right, above = (2, 18) if within else (8, 0)
    lines = ((label[0], 7, sheet.size, color, "bold"), (label[1], -9, sheet.small, canvas.QUIET, "normal"))
    for text, up, size, ink, weight in lines:
        words = canvas.shortened(text, room, size, bold=weight == "bold")
        ax.annotate(
            words, place, xycoords=where, xytext=(right, above + up), textcoords="offset points", va="center_baseline",
            size=size, color=ink, weight=weight, annotation_clip=False,
        )  # fmt: skip
