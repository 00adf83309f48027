"""Shops without contracts in figures: how soon customers buy again, and what silence means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.figures import canvas
from cxlib.figures.canvas import Sheet
from cxlib.figures.curves import heights
from cxlib.figures.dots import Mark, dotted
from cxlib.figures.findings import bracket
from cxlib.figures.measures import capital, counted, decimal, level_words, listed
from cxlib.figures.picture import Picture, pictured
from cxlib.figures.ranks import ends_told
from cxlib.figures.shown import Row, Shown, by_group, read

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Measures whose findings are told here.
TOLD = ("returned_share", "return_days", "silent_days", "woken_share")
#: Days that a sentence speaks of, where the curve has more than it can say.
SPOKEN_DAYS = (30, 90, 180)
#: So many groups are named.
NAMED = 3

_AXIS = "Purchases followed by another of the same customer, %, by days since the purchase"


def told(shown: Shown) -> str:
    """The finding of a result about purchases and silences."""
    tell = {"returned_share": _returned, "return_days": _quantiles, "silent_days": _rules, "woken_share": _choices}
    return tell[shown.measure.name](shown)


def _days(value: object) -> str:
    return counted(float(str(value)), "day", "days")


def _by_group(shown: Shown, axis: str) -> list[list[Row]]:
    """The rows of each group, in their order along the axis."""
    return [sorted(rows, key=lambda row: float(row.key(axis))) for rows in by_group(shown.rows, axis)]


def _returned(shown: Shown) -> str:
    """How many of 100 purchases were followed by another within a few numbers of days; of groups where fewest and most were."""
    measure, curves = shown.measure, _by_group(shown, "gap_days")
    if len(curves) > 1:
        return _returned_by_group(shown, curves)
    rows = curves[0]
    wanted = [float(row.key("gap_days")) for row in rows] if len(rows) <= NAMED else [day for day in SPOKEN_DAYS if _reaches(rows, day)]
    wanted = wanted or [float(rows[-1].key("gap_days"))]
    parts, naive = [], []
    for place, days in enumerate(wanted):
        row = _at(rows, days)
        lead = f"were followed by another within {_days(days)}" if not place else f"within {_days(days)}"
        behind = bracket(measure, row, first=not place, base="" if place else measure.many(float(row.counts["purchases"])))
        parts.append(f"{_hundred(row.estimate)} {lead} {behind}")
        naive.append(_hundred(float(row.counts["naive"])))
    alone = f"Of those alone that have been followed by now it would be {listed(naive)}: who has not come back yet is not in that."
    return f"Of 100 purchases, {listed(parts)}. {alone}"


def _returned_by_group(shown: Shown, curves: Sequence[Sequence[Row]]) -> str:
    shortest = min(float(rows[-1].key("gap_days")) for rows in curves)
    days = next((float(day) for day in reversed(SPOKEN_DAYS) if all(_reaches(rows, day) for rows in curves)), shortest)
    ranked = sorted((_at(rows, days) for rows in curves), key=lambda row: (row.estimate, row.label))

    def said(row: Row, first: bool) -> tuple[str, str]:
        many = float(row.counts["purchases"])
        base = shown.measure.many(many) if first else decimal(many, 0)
        return row.group("gap_days").spoken, f"{_hundred(row.estimate)} {bracket(shown.measure, row, first=first, base=base)}"

    told = ends_told(ranked, said, claims=("{}, {}, the fewest", "{}, {}, the most"), ranges="from {} to {}")
    return f"Of 100 purchases, so many were followed by another within {_days(days)}: {told}."


def _hundred(share: float) -> str:
    number = decimal(100 * share, 0)
    return decimal(100 * share, 1) if number in {"0", "100"} and share not in {0.0, 1.0} else number


def _reaches(rows: Sequence[Row], days: float) -> bool:
    row = _at(rows, days)
    return float(row.key("gap_days")) <= days <= row.holds


def _at(rows: Sequence[Row], days: float) -> Row:
    """The row of the curve that holds after so many days."""
    return next((row for row in reversed(rows) if float(row.key("gap_days")) <= days), rows[0])


def _quantiles(shown: Shown) -> str:
    """Days within which shares of purchases were followed by another."""
    measure, said = shown.measure, []
    for place, row in enumerate(shown.rows[:NAMED]):
        of = "" if len(shown.keys) == 1 else f" in {row.group('share').spoken}"
        share = decimal(100 * float(row.key("share")), 1).removesuffix(".0")
        if math.isnan(row.estimate):
            said.append(f"{share}{of} in no time that could be waited")
            continue
        behind = bracket(measure, row, first=not place, base=measure.many(row.n) if not place else "")
        said.append(f"{share}{of} {'were followed by another ' if not place else ''}within {_days(row.estimate)} {behind}")
    more = f"; {decimal(len(shown.rows) - NAMED, 0)} more in the table" if len(shown.rows) > NAMED else ""
    return f"Of 100 purchases, {listed(said)}{more}."


def _rules(shown: Shown) -> str:
    """The days of silence that are enough, of everybody or of groups."""
    said = [_rule(shown, row, first=not place) for place, row in enumerate(shown.rows[:NAMED])]
    more = f" {counted(len(shown.rows) - NAMED, 'more group is', 'more groups are')} in the table." if len(shown.rows) > NAMED else ""
    return " ".join(said) + more


def _rule(shown: Shown, row: Row, *, first: bool) -> str:
    counts, of = row.counts, f"{row.spoken}: " if shown.keys else ""
    watched, most = _days(counts["within_days"]), decimal(100 * (1 - float(counts["stay_away"])), 1).removesuffix(".0")
    if math.isnan(row.estimate):
        longest = _days(counts["longest_days"])
        return (
            f"{of}No silence is known to be long enough: of those of up to {longest}, the longest that could be watched "
            f"for {watched} more, over {most} of 100 ended by then."
        )
    behind = bracket(shown.measure, row, first=first)
    share = decimal(100 * float(counts["returned"]) / row.n, 1)
    return (
        f"{of}A customer who has bought nothing for {_days(row.estimate)} may count as lost {behind}: of "
        f"{shown.measure.many(row.n)} of so many days, {share} of 100 ended in the next {watched}."
    )


def _choices(shown: Shown) -> str:
    """What the shortest and the longest of some rules would have meant; of groups, of each of the first."""
    groups = _by_group(shown, "after_days")
    said = [_choice(shown, rows, first=not place) for place, rows in enumerate(groups[:NAMED])]
    more = f" {counted(len(groups) - NAMED, 'more group is', 'more groups are')} in the table." if len(groups) > NAMED else ""
    return " ".join(said) + more


def _choice(shown: Shown, rows: Sequence[Row], *, first: bool) -> str:
    measure, ends = shown.measure, [rows[0], *rows[-1:]][: min(len(rows), 2)]
    name = rows[0].group("after_days").spoken
    parts, lost = [], []
    for place, row in enumerate(ends):
        behind = bracket(measure, row, first=first and not place, base=measure.many(row.n))
        when = f" in the next {_days(row.counts['within_days'])}" if not place else ""
        parts.append(f"of those silent for {_days(row.key('after_days'))}, {measure.quantity(row.estimate)} came back{when} {behind}")
        lost.append(f"{decimal(100 * float(row.counts['lost_share']), 1)} %")
    rules = "by that rule" if len(ends) == 1 else "by the one rule and by the other"
    customers = counted(float(ends[0].counts["customers"]), "customer", "customers")
    text = f"{'; '.join(parts)}. Lost now, {rules}: {listed(lost)} of {customers}."
    return f"{name}: {text}" if name else capital(text)


def returning(result: pd.DataFrame, *, rule: pd.DataFrame | None = None) -> Picture:
    """The picture of purchases that were followed by another, by days, with the days of silence that mean lost.

    Parameters
    ----------
    result : DataFrame
        What `shops.gaps` returned for everybody.
    rule : DataFrame, optional
        What `shops.inactivity` returned for everybody: its days are marked, with their interval.

    Returns
    -------
    Picture
        ``text`` says how many of 100 purchases were followed by another, and what the rule is.

    Raises
    ------
    ValueError
        If ``result`` is of something else or grouped, or ``rule`` is no rule for everybody.

    See Also
    --------
    silences : what other rules would have meant.
    intervals : groups, at one number of days.

    Notes
    -----
    The second line counts only purchases that have been followed; it is drawn to show how far off that is. Steps
    are put together until each is of ``smallest_group`` purchases that were followed, and the curve ends where fewer
    are waited for.

    Examples
    --------
    >>> result = pd.DataFrame({"gap_days": [30, 90], "measure": "returned_share", "estimate": [0.31, 0.49], "low": [0.3, 0.48],
    ...     "high": [0.32, 0.5], "level": 0.95, "n": [400, 300], "returned": [9, 3], "open": 0, "purchases": 1000, "customers": 300,
    ...     "naive": [0.47, 0.74], "followed": [0.31, 0.49], "n_followed": [990, 950]})
    >>> print(returning(result))
    Of 100 purchases, 31 were followed by another within 30 days (95 % interval 30.0 to 32.0; 1,000 purchases) and 49 within
    90 days (48.0 to 50.0). Of those alone that have been followed by now it would be 47 and 74: who has not come back yet is
    not in that.
    """
    shown = read(result, asks="returning", needs=["gap_days"])
    if len(shown.keys) > 1:
        raise ValueError("returning: one group is drawn; for groups draw intervals of shops.gaps(orders, at=[180], by=...).")
    given = None if rule is None else _of_everybody(rule, "silent_days", "returning")
    # A rule of which there is nothing has its reason to say.
    said = [told(shown) if not shown.reason else shown.reason, *([given.reason or told(given)] if given is not None else [])]
    if shown.reason or len(shown.rows) < 2:
        return pictured(shown, " ".join(dict.fromkeys(said)))
    marked = given.rows[0] if given is not None and not given.reason and not math.isnan(given.rows[0].estimate) else None
    what = f"Curve with {level_words(shown.level)} interval: {_AXIS}"
    return pictured(shown, " ".join(said), partial(_curve, shown.rows, marked), what=what, beside=[given] if given is not None else [])


def _of_everybody(result: pd.DataFrame, measure: str, asks: str) -> Shown:
    shown = read(result, asks=asks)
    if shown.keys or (len(shown.frame) and shown.measure.name != measure):
        raise ValueError(f"{asks}: rule is what shops.inactivity(orders, as_of=...) returned for everybody; this is '{shown.name}'.")
    return shown


def _curve(rows: Sequence[Row], rule: Row | None, sheet: Sheet) -> Figure:
    """The share that came back, its band, the naive share in grey, and the rule as a line across."""
    words = f"{_AXIS}, with {level_words(rows[0].level)} interval"
    head = canvas.head_lines(sheet, words) + (20 if rule is not None else 0)
    fig = canvas.figure(sheet, head + (280 if sheet.narrow else 340))
    canvas.headed(fig, sheet, words)
    room = 12 + max(canvas.text_width(text, sheet.size, bold=True) for text in ("only those", "who are back"))
    ax = canvas.axes(fig, left=36, top=head + 4, right=room, bottom=30)
    values = [0.0, 25.0, 50.0, 75.0, 100.0]
    last = float(rows[-1].key("gap_days"))
    ax.set(ylim=(0, 103), xlim=(0, last))
    ax.set_yticks(values, canvas.tick_words(values), fontsize=sheet.small)
    for value in values[1:]:
        ax.axhline(value, color=canvas.RULE, linewidth=1, zorder=0)
    _day_ticks(ax, last, sheet)
    days = [0.0, *(float(row.key("gap_days")) for row in rows)]
    lines = {name: [0.0, *(100 * value for value in of)] for name, of in (
        ("estimate", [row.estimate for row in rows]), ("low", [row.low for row in rows]), ("high", [row.high for row in rows]),
        ("naive", [float(row.counts["naive"]) for row in rows]),
    )}  # fmt: skip
    ax.step(days, lines["naive"], where="post", color=canvas.GREY, linewidth=1.4, linestyle=(0, (4, 2)), zorder=2)
    ax.fill_between(days, lines["low"], lines["high"], step="post", color=canvas.HIGH, alpha=0.22, linewidth=0, zorder=2)
    ax.step(days, lines["estimate"], where="post", color=canvas.HIGH, linewidth=2.2, zorder=4)
    # In points, as the words are; one line may end close to the other.
    least = 103 * 34 / (ax.get_position().height * fig.get_figheight() * 72)
    of_all, of_those = heights([lines["estimate"][-1], lines["naive"][-1]], least=least)
    _named(ax, of_all, "all", f"{decimal(lines['estimate'][-1], 1)} %", canvas.HIGH, sheet)
    _named(ax, of_those, "only those", "who are back", canvas.QUIET, sheet)
    if rule is not None:
        _marked(ax, rule, last, sheet)
    return fig


def _day_ticks(ax: Axes, last: float, sheet: Sheet) -> None:
    most = 4 if sheet.narrow else 8
    step = next((step for step in (1, 5, 10, 30, 60, 90, 180, 365, 730) if last / step <= most), 1825)
    marks = list(range(0, int(last) + 1, step))
    ax.set_xticks(marks, [decimal(mark, 0) for mark in marks], fontsize=sheet.small)
    ax.tick_params(axis="x", bottom=True, length=4, pad=4, color=canvas.GREY)


def _named(ax: Axes, y: float, name: str, below: str, color: str, sheet: Sheet) -> None:
    for text, up, size, weight in ((name, 7, sheet.size, "bold"), (below, -9, sheet.small, "normal")):
        ax.annotate(
            text, (1, y), xycoords=("axes fraction", "data"), xytext=(8, up), textcoords="offset points", va="center_baseline",
            size=size, color=color, weight=weight, annotation_clip=False,
        )  # fmt: skip


def _marked(ax: Axes, rule: Row, last: float, sheet: Sheet) -> None:
    """The days of silence that mean lost, with their interval as a faint band; the words stand on top."""
    if rule.estimate > last:
        return
    high = last if math.isnan(rule.high) else min(rule.high, last)
    ax.axvspan(rule.low if not math.isnan(rule.low) else 0, high, color=canvas.SOFT, alpha=0.35, linewidth=0, zorder=0)
    ax.axvline(rule.estimate, color=canvas.INK, linewidth=1, linestyle=(0, (3, 2)), zorder=1)
    middle = rule.estimate / last
    side = "left" if middle < 0.3 else "right" if middle > 0.7 else "center"
    ax.annotate(
        f"lost after {_days(rule.estimate)}", (rule.estimate, 1), xycoords=("data", "axes fraction"), xytext=(0, 9),
        textcoords="offset points", ha=side, va="center_baseline", size=sheet.small, color=canvas.INK, annotation_clip=False,
    )  # fmt: skip


def silences(result: pd.DataFrame, *, rule: pd.DataFrame | None = None) -> Picture:
    """The picture of rules of inactivity: of those silent for so long how many came back, and how many it counts as lost.

    Parameters
    ----------
    result : DataFrame
        What `shops.sensitivity` returned.
    rule : DataFrame, optional
        What `shops.inactivity` returned for everybody: rules under which as few came back are marked.

    Returns
    -------
    Picture
        ``text`` says what the shortest and the longest rule would have meant.

    Raises
    ------
    ValueError
        If ``result`` is of something else, or ``rule`` is no rule for everybody.

    See Also
    --------
    returning : the days between purchases.

    Notes
    -----
    A rule of few days calls many lost who come back; one of many days knows of a loss late. Rules that nobody could
    be watched for are in the table only.

    Examples
    --------
    >>> result = pd.DataFrame({"after_days": [30, 180], "measure": "woken_share", "estimate": [0.42, 0.17], "low": [0.4, 0.15],
    ...     "high": [0.44, 0.19], "level": 0.95, "n": [900, 500], "returned": [378, 85], "within_days": 180, "customers": 1000,
    ...     "lost": [936, 773], "lost_share": [0.936, 0.773], "silences": [1200, 800], "ended": [400, 100]})
    >>> print(silences(result))
    Of those silent for 30 days, 42.0 % came back in the next 180 days (95 % interval 40.0 to 44.0; 900 silences); of those
    silent for 180 days, 17.0 % came back (15.0 to 19.0; 500 silences). Lost now, by the one rule and by the other: 93.6 % and
    77.3 % of 1,000 customers.
    """
    shown = read(result, asks="silences", needs=["after_days"])
    given = None if rule is None else _of_everybody(rule, "silent_days", "silences")
    if shown.reason:
        return pictured(shown, shown.reason)
    most = 1 - float(given.rows[0].counts["stay_away"]) + 1e-12 if given is not None and given.rows else -1.0
    marks = [_mark(row, most) for row in shown.rows]
    more = f"; beside it: came back, and lost now; {'marked: few enough came back' if most > 0 else ''}".rstrip("; ")
    within = _days(shown.rows[0].counts["within_days"])
    axis = f"{shown.measure.axis} within {within}"
    what = f"Dot and {level_words(shown.level)} interval by days of silence: {axis}"
    return pictured(shown, told(shown), partial(dotted, shown.measure, marks, None, more=f", within {within}{more}"), what=what)


def _mark(row: Row, most: float) -> Mark:
    lost = f"{decimal(100 * float(row.counts['lost_share']), 0)} % lost"
    # Its base are the silences, not all customers.
    of_silences = replace(row, counts={name: count for name, count in row.counts.items() if name != "customers"})
    return Mark(row.label, of_silences, row.estimate <= most, f"{decimal(100 * row.estimate, 1)} % · {lost}")
