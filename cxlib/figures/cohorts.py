"""The retention triangle: cohorts below each other, the share still there printed and shaded by months since joining."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.figures import canvas
from cxlib.figures.canvas import Sheet
from cxlib.figures.findings import bracket
from cxlib.figures.measures import Measure, a_date, counted, decimal, heading, month_words
from cxlib.figures.picture import Picture, pictured
from cxlib.figures.shown import Row, Shown, read
from cxlib.figures.vocabulary import DOWN, UP

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Months since joining in the order in which they are worth a column, where not all have room.
_WORTH = (1, 12, 6, 3, 24, 18, 2, 9, 36, 15, 21, 48, 30, 4, 60, 5, 8, 7, 10, 11)
#: So many cohorts are drawn, the latest.
MOST_COHORTS = 24
#: How strongly the lowest and the highest share of a picture are shaded: a number is read on any of them, in the dark too.
_FAINT, _STRONG = 0.04, 0.5
_ROW, _HEAD = 24.0, 22.0


def triangle(result: pd.DataFrame, trend: pd.DataFrame | None = None) -> Picture:
    """The picture of cohorts: a line each, a column a month since joining, the share still there in it.

    Parameters
    ----------
    result : DataFrame
        What `retention.cohorts` returned.
    trend : DataFrame, optional
        What `retention.cohort_trend` returned: its verdicts are told, its table folded beneath.

    Returns
    -------
    Picture
        ``text`` states between which shares the cohorts lie, and whether later ones stay longer
        where ``trend`` tells.

    Raises
    ------
    ValueError
        If ``result`` or ``trend`` is not what these measures return.

    See Also
    --------
    curve : all of them together, by tenure.

    Notes
    -----
    The more are still there the darker a cell; the numbers have it exactly. The latest 24 cohorts are drawn,
    on a phone in six columns. Of groups only the table is given. That later cohorts stay longer
    is said only where the corrected verdict of a trend says so: of many cells some lie far apart by chance.

    Examples
    --------
    >>> joined = pd.to_datetime(["2026-01-01", "2026-02-01", "2026-03-01"])
    >>> cells = pd.DataFrame({"cohort": joined, "tenure_months": 1, "measure": "retention", "estimate": [0.9, 0.95, 0.85],
    ...                       "low": [0.8, 0.87, 0.74], "high": [0.95, 0.98, 0.92], "level": 0.95, "n": [60, 70, 62],
    ...                       "still": [54, 66, 53]})
    >>> print(triangle(cells))
    After 1 month 85.0 to 95.0 % of a cohort are still there: 85.0 % of those who joined in March 2026 (95 % interval 74.0 to 92.0;
    62 customers), 95.0 % of February 2026 (87.0 to 98.0; 70). Cohorts differ by chance, too.
    """
    shown = read(result, asks="triangle", needs=["cohort", "tenure_months"])
    beside = [_trend(trend)] if trend is not None else []
    text = shown.reason or " ".join([cells_told(shown), *(trends_told(each) for each in beside)])
    if shown.reason or len(shown.keys) > 2:
        return pictured(shown, text, beside=beside)
    lines = _lines(shown)
    said = []
    if len(lines) > MOST_COHORTS:
        said.append(f"The latest {MOST_COHORTS} of {decimal(len(lines), 0)} cohorts are drawn; the table has all.")
        lines = lines[-MOST_COHORTS:]
    what = f"Table shaded by share: {shown.measure.axis}, by cohort and months since joining"
    return pictured(shown, text, partial(_drawn, shown.measure, lines), what=what, notes=said, beside=beside)


def _trend(trend: pd.DataFrame) -> Shown:
    shown = read(trend, asks="triangle")
    if "overdispersion" not in shown.counts:
        raise ValueError(f"triangle: trend is '{shown.name}'; it comes from retention.cohort_trend(customers, as_of=...).")
    return shown


def is_cohorts(shown: Shown) -> bool:
    """Whether a result holds cohorts, or their trend."""
    return "cohort" in shown.keys or "overdispersion" in shown.counts


def cohorts_told(shown: Shown) -> str:
    """The finding of cohorts, or of their trend."""
    return trends_told(shown) if "overdispersion" in shown.counts else cells_told(shown)


def cells_told(shown: Shown) -> str:
    """Between which shares the cohorts lie after the longest usual time that three of them have had."""
    if shown.reason:
        return shown.reason
    measure = shown.measure
    months, rows = _column(shown)
    ends = sorted(rows, key=lambda row: (row.estimate, row.label))
    low, high = ends[0], ends[-1]
    after = f"After {counted(months, 'month', 'months')}"
    behind = bracket(measure, low, first=True, base=measure.many(low.n))
    if low is high:
        return f"{after} {measure.quantity(low.estimate)} of those who joined in {_named(low)} are still there {behind}."
    other = bracket(measure, high, base=decimal(high.n, 0))
    return (
        f"{after} {measure.number(low.estimate)} to {measure.quantity(high.estimate)} of a cohort are still there: "
        f"{measure.quantity(low.estimate)} of those who joined in {_named(low)} {behind}, "
        f"{measure.quantity(high.estimate)} of {_named(high)} {other}. Cohorts differ by chance, too."
    )


def trends_told(shown: Shown) -> str:
    """Whether later cohorts stay longer, after how many months."""
    if shown.reason:
        return shown.reason
    rows = [row for row in shown.rows if not math.isnan(row.estimate)]
    if not rows:
        return "Fewer than three cohorts have had the time, so no trend can be told."
    said = []
    for verdict, words in ((UP, "Later cohorts stay longer"), (DOWN, "Later cohorts leave sooner")):
        moved = [_slope(shown.measure, row, first=not place) for place, row in enumerate(_of(rows, verdict))]
        said += [f"{words}, by more than chance: {'; '.join(moved)}."] if moved else []
    if said:
        return " ".join(said)
    last = rows[-1]
    return f"Whether later cohorts stay longer cannot be told yet: {_slope(shown.measure, last, first=True)}."


def _of(rows: Sequence[Row], verdict: str) -> list[Row]:
    return [row for row in rows if row.counts["verdict"] == verdict]


def _slope(measure: Measure, row: Row, *, first: bool) -> str:
    """``after 6 months +3.1 percentage points from the first of 18 cohorts to the last (95 % interval …; 516 customers)``"""
    whose = row.group("tenure_months").label
    of = f", {whose}" if whose else ""
    months = counted(float(row.key("tenure_months")), "month", "months")
    line = f"{measure.quantity(row.estimate)} from the first of {counted(float(row.counts['cohorts']), 'cohort', 'cohorts')} to the last"
    return f"after {months} {line}{of} {bracket(measure, row, first=first, base=measure.many(row.n))}"


def _column(shown: Shown) -> tuple[int, list[Row]]:
    columns: dict[int, list[Row]] = {}
    for row in shown.rows:
        columns.setdefault(int(row.key("tenure_months")), []).append(row)
    usual = [months for months in (12, 6, 3, 1) if len(columns.get(months, [])) > 2]
    months = usual[0] if usual else min(columns)
    return months, columns[months]


def _named(row: Row) -> str:
    """``July 2024``, or ``July to September 2024`` of a quarter, and of which group."""
    first, last = a_date(row.key("cohort")), a_date(row.counts.get("until"))
    words = _quarter(row) if first and last and last.month != first.month else month_words(first) if first else "no month"
    whose = row.group("cohort", "tenure_months").spoken
    return f"{words}, {whose}" if whose else words


def _quarter(row: Row, *, short: bool = False) -> str:
    first = a_date(row.key("cohort"))
    last = a_date(row.counts.get("until"))
    if first is None or last is None or first.month == last.month:
        return month_words(first, short=short) if first else ""
    return f"Q{last.month // 3} {first.year}"


def _lines(shown: Shown) -> list[list[Row]]:
    """The cells of each cohort, in order of months; cohorts in theirs."""
    found: dict[object, list[Row]] = {}
    for row in shown.rows:
        found.setdefault(row.key("cohort"), []).append(row)
    return [sorted(rows, key=lambda row: int(row.key("tenure_months"))) for _, rows in sorted(found.items(), key=lambda pair: str(pair[0]))]


def _columns(lines: Sequence[Sequence[Row]], most: int) -> list[int]:
    """The months that have a column: all of them, or those worth most."""
    known = sorted({int(row.key("tenure_months")) for rows in lines for row in rows})
    if len(known) <= most:
        return known
    worth = [*(month for month in _WORTH if month in known), *(month for month in known if month not in _WORTH)]
    return sorted(worth[:most])


def _drawn(measure: Measure, lines: Sequence[Sequence[Row]], sheet: Sheet) -> Figure:
    """A line a cohort: its name and size, then a shaded cell with its share for each month it has wholly had."""
    columns = _columns(lines, 6 if sheet.narrow else 12)
    words = f"{measure.axis}, by {heading('tenure_months').lower()}; n joined in the cohort"
    top = canvas.head_lines(sheet, words)
    fig = canvas.figure(sheet, top + _HEAD + _ROW * len(lines) + 4)
    canvas.headed(fig, sheet, words)
    names = [_quarter(rows[0], short=True) for rows in lines]
    bases = [decimal(rows[0].n, 0) for rows in lines]
    name = max(canvas.text_width(each, sheet.size) for each in names)
    base = name + 10 + max(canvas.text_width(each, sheet.small) for each in [*bases, "n"])
    left = base + 10
    each = min((sheet.width - left) / len(columns), 64.0)
    ax = canvas.axes(fig, left=left, top=top + _HEAD, right=sheet.width - left - each * len(columns), bottom=4)
    ax.spines["bottom"].set_visible(False)
    ax.set(xlim=(0, len(columns)), ylim=(len(lines), 0), xticks=[], yticks=[])
    canvas.write(fig, base, top + _HEAD / 2, "n", size=sheet.small, color=canvas.QUIET, ha="right")
    for place, months in enumerate(columns):
        canvas.write(fig, left + each * (place + 0.5), top + _HEAD / 2, str(months), size=sheet.small, color=canvas.QUIET, ha="center")
    _cells(ax, measure, lines, columns, sheet)
    for place, (words, n) in enumerate(zip(names, bases, strict=True)):
        y = top + _HEAD + _ROW * (place + 0.5)
        canvas.write(fig, 0, y, words, size=sheet.size)
        canvas.write(fig, base, y, n, size=sheet.small, color=canvas.QUIET, ha="right")
    return fig


def _cells(ax: Axes, measure: Measure, lines: Sequence[Sequence[Row]], columns: Sequence[int], sheet: Sheet) -> None:
    from matplotlib.patches import Rectangle

    cells = [
        (place, columns.index(int(row.key("tenure_months"))), row)
        for place, rows in enumerate(lines)
        for row in rows
        if int(row.key("tenure_months")) in columns
    ]
    low, high = min(row.estimate for *_, row in cells), max(row.estimate for *_, row in cells)
    for down, across, row in cells:
        shade = _FAINT + (_STRONG - _FAINT) * ((row.estimate - low) / (high - low) if high > low else 0.5)
        box = Rectangle((across + 0.03, down + 0.05), 0.94, 0.9, facecolor=canvas.HIGH, alpha=shade, linewidth=0)
        ax.add_patch(box)
        ax.annotate(
            decimal(measure.shown(row.estimate), 0), (across + 0.5, down + 0.5), ha="center", va="center_baseline",
            size=sheet.small, color=canvas.INK, annotation_clip=False,
        )  # fmt: skip
