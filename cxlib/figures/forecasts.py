"""Pictures of forecasts: how many will leave, whether earlier forecasts held, and for whom they were right."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.figures import canvas
from cxlib.figures.canvas import Sheet
from cxlib.figures.dots import Mark, dotted
from cxlib.figures.findings import finding
from cxlib.figures.foretold import HELD, HELD_SIGNS, checked, first_horizon, horizon, number
from cxlib.figures.measures import a_date, date_words, decimal, level_words, measure_named
from cxlib.figures.picture import Picture, pictured
from cxlib.figures.ranks import apart
from cxlib.figures.shown import Row, Shown, read

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SMOOTH = (
    "Chances of customers one by one are taken over more days where few left at a tenure: they add up to another number than the forecasts "
    "of how many leave."
)

#: More groups than these are not compared by anybody.
MOST_ROWS = 20


def expected(result: pd.DataFrame) -> Picture:
    """The picture of customers expected to leave: by horizon, or by group at the nearest horizon.

    Parameters
    ----------
    result : DataFrame
        What `leaving.expected` returned.

    Returns
    -------
    Picture
        ``text`` says how many of how many are expected to leave by when; of groups, the one most and the
        one least likely to.

    Raises
    ------
    ValueError
        If ``result`` is not a result, or has no key ``horizon_days``.

    See Also
    --------
    backtest : whether such forecasts have held.

    Notes
    -----
    Of everybody, customers are drawn; of groups, shares, as groups differ in size. The interval is a
    predictive one: it holds the number that will leave, not only its expectation. Where it allows for how far
    earlier forecasts missed, that of the model alone stands beside it in the sentence and in the table.

    Examples
    --------
    >>> found = pd.DataFrame({"horizon_days": [30, 90], "measure": "expected_leavers", "estimate": [27.5, 78.9], "low": [17.0, 61.0],
    ...                       "high": [38.0, 96.0], "level": 0.95, "n": 873, "share": [0.031, 0.09], "low_share": [0.019, 0.07],
    ...                       "high_share": [0.044, 0.11]})
    >>> print(expected(found).text.replace(" on 30 June 2026", ""))
    Of the 873 customers there, 28 are expected to leave within 30 days (95 % interval 17 to 38) and 79 within 90 days (61 to 96).
    """
    shown = read(result, asks="expected", needs=["horizon_days"])
    text, notes = finding(shown), []
    if shown.reason:
        return pictured(shown, text)
    if shown.keys == ("horizon_days",):
        measure, marks = shown.measure, [Mark(horizon(row), row, False) for row in shown.rows]
        what = f"Dot and {level_words(shown.level)} interval by horizon: {measure.axis}"
        return pictured(shown, text, partial(dotted, measure, marks, None), what=what)
    rows, measure = first_horizon(shown), measure_named("leaving_share")
    if len(rows) < len(shown.rows):
        notes.append(f"Drawn is what is expected {horizon(rows[0])}; the table has all.")
    if len(rows) > MOST_ROWS:
        notes.append(f"The {MOST_ROWS} of {len(rows)} groups most likely to leave are drawn; the table has all.")
    shares = [_as_share(row) for row in rows]
    settled = apart(shares[0], shares[1:])
    marks = [Mark(row.group("horizon_days").label, row, settled and not place) for place, row in enumerate(shares[:MOST_ROWS])]
    what = f"Dot and {level_words(shown.level)} interval by group: {measure.axis}, {horizon(rows[0])}"
    return pictured(shown, text, partial(dotted, measure, marks, None, more=f", {horizon(rows[0])}"), what=what, notes=notes)


def _as_share(row: Row) -> Row:
    share, low, high = (number(row, name) for name in ("share", "low_share", "high_share"))
    return replace(row, estimate=share, low=low, high=high)


def backtest(result: pd.DataFrame) -> Picture:
    """The picture of earlier forecasts: a dot and its interval each, and a bar for how many left.

    Parameters
    ----------
    result : DataFrame
        What `leaving.backtest` returned.

    Returns
    -------
    Picture
        ``text`` sets the latest forecast, as it is made again for that day, against what happened, and says
        how many of all held.

    Raises
    ------
    ValueError
        If ``result`` is not a result, or has no key ``made_on``.

    See Also
    --------
    calibration : the same customer by customer.

    Notes
    -----
    A forecast that did not hold is in colour, with its verdict beside it.

    Examples
    --------
    >>> found = pd.DataFrame({"made_on": ["2026-03-31"], "horizon_days": 91, "measure": "expected_leavers", "estimate": [58.2],
    ...                       "low": [44.0], "high": [74.0], "level": 0.95, "n": 800, "left": 61, "verdict": "held",
    ...                       "since": "2026-04-01", "until": "2026-06-30"})
    >>> print(backtest(found))
    Made again with only what was known on 31 March 2026, the forecast is that 58 (95 % interval 44 to 74) of 800 customers
    leave by 30 June 2026; 61 did: the forecast held.
    """
    shown = read(result, asks="backtest", needs=["made_on"])
    text = finding(shown)
    if shown.reason:
        return pictured(shown, text)
    marks = [_beside_what_happened(row) for row in shown.rows]
    words = f"{shown.measure.axis} {horizon(shown.rows[0])}"
    draw = partial(dotted, replace(shown.measure, axis=words), marks, None, more="; bar: how many left")
    what = f"Dot and {level_words(shown.level)} interval by day of the forecast, and a bar for how many left: {words}"
    return pictured(shown, text, draw, what=what)


def _beside_what_happened(row: Row) -> Mark:
    made, left, verdict = a_date(row.key("made_on")), number(row, "left"), str(row.counts["verdict"])
    words = f"{decimal(row.estimate, 0)} · {decimal(left, 0)} left {HELD_SIGNS[verdict]}"
    return Mark(date_words(made, short=True) if made else "", row, verdict != HELD, words, bar=left)


def calibration(result: pd.DataFrame, *scores: pd.DataFrame) -> Picture:
    """The picture of what was expected against what happened, by groups of risk.

    Parameters
    ----------
    result : DataFrame
        What `leaving.calibration` returned.
    *scores : DataFrame
        What `leaving.accuracy` returned: it says whether customers were set too far apart; its table is folded beneath.

    Returns
    -------
    Picture
        ``text`` says for those least and most at risk how many were expected to leave and how many did.

    Raises
    ------
    ValueError
        If ``result`` is not a result, or has no key ``risk_group``.

    See Also
    --------
    backtest : of all customers together.

    Notes
    -----
    Customers were set too far apart where the interval of the calibration slope lies below 1, not far enough where it lies above,
    and about as far as they are where it lies within 0.8 and 1.25; else that cannot be told yet.

    On the slanted line as many left as were expected; above it more did. A group whose interval does
    not reach the line is in colour. Of five groups, one in four series has such a group by chance alone.

    Examples
    --------
    >>> found = pd.DataFrame({"risk_group": [1, 2], "horizon_days": 91, "measure": "left_share", "estimate": [0.042, 0.146],
    ...                       "low": [0.029, 0.121], "high": [0.059, 0.174], "level": 0.95, "n": [693, 693],
    ...                       "expected_share": [0.032, 0.151], "expected_left": [21.9, 104.7], "left": [29, 101]})
    >>> print(calibration(found))
    Of the half least at risk 22 were expected to leave and 29 did; of the half most at risk 105 were expected to leave and 101 did.
    In 2 of 2 groups the interval holds the share expected.
    """
    shown = read(result, asks="calibration", needs=["risk_group"])
    beside = [read(each, asks="calibration", needs=["horizon_days"]) for each in scores]
    text = checked(shown, beside) or " ".join(dict.fromkeys(finding(each) for each in [shown, *beside]))
    if shown.reason or len(shown.rows) < 2:
        return pictured(shown, text, beside=beside)
    what = f"Dots with {level_words(shown.level)} interval: the share that left {horizon(shown.rows[0])} by the share expected"
    notes = ["Who was there at several forecasts counts once for each.", _SMOOTH]
    return pictured(shown, text, partial(_against, shown), what=what, notes=notes, beside=beside)


def _against(shown: Shown, sheet: Sheet) -> Figure:
    """Expected across, seen upwards, the line on which both are the same."""
    rows, measure = shown.rows, shown.measure
    words = f"Share that left {horizon(rows[0])}, % (upwards, with {level_words(shown.level)} interval), by the share expected, % (across)"
    top = canvas.head_lines(sheet, words)
    side = min(sheet.width - 60.0, 380.0)
    fig = canvas.figure(sheet, top + side + 34)
    canvas.headed(fig, sheet, words)
    ax = canvas.axes(fig, left=40, top=top, right=sheet.width - 40 - side, bottom=34)
    last = 1.1 * max(measure.shown(value) for row in rows for value in (row.high, number(row, "expected_share")))
    values = canvas.ticks(0, last)
    ax.set(xlim=(0, last), ylim=(0, last))
    ax.set_xticks(values, canvas.tick_words(values), fontsize=sheet.small)
    ax.set_yticks(values, canvas.tick_words(values), fontsize=sheet.small)
    for value in values[1:]:
        ax.axhline(value, color=canvas.RULE, linewidth=1, zorder=0)
    ax.plot([0, last], [0, last], color=canvas.INK, linewidth=1, linestyle=(0, (3, 2)), zorder=1)
    ax.annotate("more left than expected", (0.02, 0.97), xycoords="axes fraction", size=sheet.small, color=canvas.QUIET, va="top")
    ax.annotate("fewer", (0.98, 0.03), xycoords="axes fraction", size=sheet.small, color=canvas.QUIET, ha="right")
    _groups(ax, shown, sheet)
    return fig


def _groups(ax: Axes, shown: Shown, sheet: Sheet) -> None:
    """A dot and its interval for each group; the number of customers at the two ends."""
    rows, measure = shown.rows, shown.measure
    for place, row in enumerate(rows):
        at, low, high = (measure.shown(value) for value in (number(row, "expected_share"), row.low, row.high))
        color = canvas.GREY if low <= at <= high else canvas.HIGH
        ax.vlines(at, low, high, color=color, linewidth=2.5, alpha=0.55, zorder=2)
        ax.plot(at, measure.shown(row.estimate), "o", color=color, markersize=8, zorder=3)
        if place in {0, len(rows) - 1}:
            name = "least at risk" if not place else "most at risk"
            ax.annotate(name, (at, high), xytext=(0, 5), textcoords="offset points", size=sheet.small, ha="center", annotation_clip=False)
