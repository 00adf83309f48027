"""Money: what is at risk, what a customer brings, and what more retention would add, in words and as a picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.figures import canvas
from cxlib.figures.canvas import Sheet
from cxlib.figures.findings import bracket, finding
from cxlib.figures.foretold import alone, record
from cxlib.figures.measures import amounts, capital, counted, counted_years, decimal, heading, level_words, listed
from cxlib.figures.picture import Picture, pictured
from cxlib.figures.ranks import apart, ends_told
from cxlib.figures.shown import Row, Shown, by_group, read

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: More groups than these are not read in a picture; the table has all.
MOST_GROUPS = 12


def told(shown: Shown) -> str:
    """The finding of a result in money: of everybody, or of the groups where it is most and least."""
    return TOLD[shown.measure.name](shown)


def _what(row: Row) -> str:
    return str(row.counts["what"])


def _percent(share: float) -> str:
    return f"{decimal(100 * share, 1)} %"


def _at_risk(shown: Shown) -> str:
    """``The 73 of 833 customers expected to leave in the next 90 days bring 12,400 EUR of margin in as many days (…): 9.4 % of what …``"""

    def days(row: Row) -> str:
        return counted(float(row.counts["horizon_days"]), "day", "days")

    def of(row: Row, whose: str, sign: str) -> str:
        share = float(row.counts["at_risk_share"])
        return "" if math.isnan(share) else f"{sign} {_percent(share)} of what {whose}"

    def said(row: Row, *, first: bool) -> str:
        when, whose, sign = (
            (f" of {_what(row)} over the next {days(row)}", "these customers bring in as many days", ":")
            if first
            else ("", "they bring", ",")
        )
        return f"{shown.measure.quantity(row.estimate)}{when} {_behind(shown, row, first=first)}{of(row, whose, sign)}"

    if not shown.keys:
        row = shown.rows[0]
        ends = f"{level_words(row.level)} interval {shown.measure.interval(row.low, row.high)}{alone(shown, row, first=True)}"
        what = f"{shown.measure.quantity(row.estimate)} of {_what(row)} in as many days ({ends})"
        few = decimal(float(row.counts["leavers"]), 0)
        who = f"The {few} of {shown.measure.many(row.n)} expected to leave in the next {days(row)} {'brings' if few == '1' else 'bring'}"
        return f"{who} {what}{of(row, 'all of these bring', ':')}.{record(shown, brief=True)}"
    return _ends(shown, ("Most is at risk in {}: {}", "least in {}: {}"), said, "At risk is")


def _lifetime(shown: Shown) -> str:
    """``A new customer brings 623 EUR of margin in the first 3 years, discounted by 10 % a year (…).``"""

    def said(row: Row, *, first: bool) -> str:
        years = counted_years(float(row.counts["years"])).removeprefix("1 ")
        when = f" of {_what(row)} in the first {years}, discounted by {100 * float(row.counts['discount_year']):g} % a year"
        return f"{shown.measure.quantity(row.estimate)}{when if first else ''} {_behind(shown, row, first=first)}"

    if not shown.keys and not math.isnan(shown.rows[0].estimate):
        return f"A new customer brings {said(shown.rows[0], first=True)}."
    claims = "A new customer brings least in {}: {}", "most in {}: {}"
    return _ends(shown, claims, said, "A new customer brings", falling=False)


def _gains(shown: Shown) -> str:
    """What the most points asked for would add: to all together, or to a customer of the groups where it is most and least."""
    asked = [row for row in shown.rows if not math.isnan(row.estimate)]
    if not asked:
        return "Retention and the points would exceed 100 %, so nothing is computed."
    most = max(float(row.key("points")) for row in asked)
    points = f"{most:g} {'percentage point' if most == 1 else 'percentage points'} more of yearly retention"
    if shown.keys == ("points",):
        return _gain_of_all(shown, next(row for row in asked if row.key("points") == most), points)

    def said(row: Row, *, first: bool) -> str:
        more = f", {_percent(float(row.counts['gain_share']))} more than now" if first else ""
        return f"{shown.measure.quantity(row.estimate)}{f' a customer {_years(row)}' * first} {_behind(shown, row, first=first)}{more}"

    claims = f"{points} would add most in {{}}: {{}}", "least in {}: {}"
    return _ends(shown, claims, said, f"{points} would add", of=most)


def _years(row: Row) -> str:
    return f"over all the years of staying, discounted by {100 * float(row.counts['discount_year']):g} % a year"


def _gain_of_all(shown: Shown, row: Row, points: str) -> str:
    """What so many points would add to all there and to a customer, and whether groups of them were reckoned apart."""
    total, low, high, share, below, above = (
        float(row.counts[name]) for name in ("gain_all", "low_all", "high_all", "retention", "low_retention", "high_retention")
    )
    level, kept = f"{level_words(row.level)} interval", f"{decimal(float(row.counts['retained']), 0)} of {shown.measure.many(row.n)}"
    now = f"the {_percent(share)} now ({level} {decimal(100 * below, 1)} to {decimal(100 * above, 1)}; {kept})"
    there = counted(float(row.counts["valued"]), "customer", "customers")
    all_ = f"{shown.measure.quantity(total)} ({level} {shown.measure.interval(low, high)})"
    each = f"{shown.measure.quantity(row.estimate)} a customer ({shown.measure.interval(row.low, row.high)})"
    more = f"{_percent(float(row.counts['gain_share']))} more than now"
    groups = float(row.counts["groups"])
    apart = f" {_as_one(shown, row, groups)}" if groups > 1 else ""
    return f"{points} than {now} would add {all_} for all {there} there {_years(row)}, {more}: {each}.{apart}"


def _as_one(shown: Shown, row: Row, groups: float) -> str:
    """That a sum over groups depends on which groups they are, and what it is without any."""
    one, low, high = (float(row.counts[name]) for name in ("as_one", "low_as_one", "high_as_one"))
    added = f"Added up are {decimal(groups, 0)} groups, each reckoned from its own retention and what it brings"
    whole = f"taken as one it is {shown.measure.quantity(one)} ({shown.measure.interval(low, high)})"
    return f"{added}; {whole}. The more alike the customers of a group, the more it is, and no interval allows for that."


def _behind(shown: Shown, row: Row, *, first: bool) -> str:
    return bracket(shown.measure, row, first=first, base=shown.measure.many(row.n) if first else decimal(row.n, 0))


def _ends(
    shown: Shown, claims: tuple[str, str], said: Callable[..., str], lead: str, *, of: float | None = None, falling: bool = True
) -> str:
    """The groups at either end, the one that a reader should look at first before the other; the most only where that is settled."""
    rows = [row for row in shown.rows if not math.isnan(row.estimate) and (of is None or row.key("points") == of)]
    if not rows:
        return "There is no number for any group." if shown.keys else "There is no number."
    ranked = sorted(rows, key=lambda row: (-row.estimate if falling else row.estimate, row.label))

    def named(row: Row, first: bool) -> tuple[str, str]:
        return row.group("points").spoken, said(row, first=first)

    if len(ranked) == 1:
        return "{} in {}: {}.".format(lead, *named(ranked[0], True))
    ranges = f"By group, {lead[0].lower()}{lead[1:]} from {{}} to {{}}"
    return f"{ends_told(ranked, named, claims=claims, ranges=ranges, falling=falling)}."


TOLD: dict[str, Callable[[Shown], str]] = {"value_at_risk": _at_risk, "lifetime_value": _lifetime, "retention_gain": _gains}


def economics(result: pd.DataFrame) -> Picture:
    """The picture of what more retention would add: a table of groups, worth now, and worth with more points.

    Parameters
    ----------
    result : DataFrame
        What `money.retention_gain` returned.

    Returns
    -------
    Picture
        ``text`` states what the most points asked for would add, or in which groups most and least.

    Raises
    ------
    ValueError
        If ``result`` does not hold what more retention would add.

    See Also
    --------
    cxlib.money.retention_gain : the numbers, how they are made, and where they mislead.

    Notes
    -----
    The groups to which more retention would add most stand first, in colour where that is settled. Above 12 groups the first 12 are drawn.

    Examples
    --------
    >>> gains = pd.DataFrame({"points": [5.0], "measure": "retention_gain", "estimate": [222.1], "low": [180.0], "high": [270.0],
    ...                       "level": 0.95, "n": [822], "retained": [740], "retention": [0.9], "low_retention": [0.878],
    ...                       "high_retention": [0.919], "groups": [1], "margin_year": [60.0],
    ...                       "worth_now": [270.0], "gain_share": [0.41], "valued": [700], "gain_all": [155470.0],
    ...                       "low_all": [126000.0], "high_all": [189000.0], "as_one": [155470.0], "low_as_one": [126000.0],
    ...                       "high_as_one": [189000.0], "what": "margin", "currency": "EUR",
    ...                       "discount_year": [0.1]})
    >>> print(economics(gains))
    5 percentage points more of yearly retention than the 90.0 % now (95 % interval 87.8 to 91.9; 740 of 822 customers) would add
    155,000 EUR (95 % interval 126,000 to 189,000) for all 700 customers there over all the years of staying, discounted by 10 % a year,
    41.0 % more than now: 222 EUR a customer (180 to 270).
    """
    shown = read(result, asks="economics", needs=["points"])
    if len(result) and shown.measure.name != "retention_gain":
        raise ValueError(f"economics: this is '{shown.name}'. What more retention would add comes from money.retention_gain(customers, …).")
    text = finding(shown)
    if shown.reason:
        return pictured(shown, text)
    groups = _groups(shown)
    notes = [f"The first {MOST_GROUPS} of {len(groups)} groups are drawn; the table has all."] if len(groups) > MOST_GROUPS else []
    by = listed(heading(key).lower() for key in shown.keys if key != "points")
    what = f"Table{f' by {by}' if by else ''}: {_head(shown)}"
    return pictured(shown, text, partial(_drawn, shown, groups[:MOST_GROUPS]), what=what, notes=notes)


def _groups(shown: Shown) -> list[list[Row]]:
    """The rows of each group by points, the group with the largest gain first; what could not be computed counts as nothing."""
    each = [sorted(rows, key=lambda row: float(row.key("points"))) for rows in by_group(shown.rows, "points")]
    return sorted(each, key=lambda rows: (-max((row.estimate for row in rows if not math.isnan(row.estimate)), default=0), rows[0].label))


def _settled(groups: Sequence[Sequence[Row]]) -> bool:
    """Whether it is settled that the most points asked for would add most to the first group."""
    return apart(groups[0][-1], [rows[-1] for rows in groups[1:]])


def _head(shown: Shown) -> str:
    row = shown.rows[0]
    rate = row.counts.get("discount_year")
    discounted = "" if rate is None else f", discounted by {100 * float(rate):g} % a year"
    unit = f"{shown.measure.currency} of {_what(row)}" if shown.measure.currency else capital(_what(row))
    more = f"now, and what more yearly retention would add, with {level_words(row.level)} interval"
    return f"{unit} a customer brings while they stay{discounted}: {more}"


def _drawn(shown: Shown, groups: Sequence[Sequence[Row]], sheet: Sheet) -> Figure:
    if sheet.narrow or any(wide > _column(sheet, groups) - 12 for wide in _widths(shown, groups, sheet)):
        return _blocks(shown, groups, sheet)
    return _lines(shown, groups, sheet)


#: The part of a wide picture that the names of groups take.
_NAMES = 0.27


def _column(sheet: Sheet, groups: Sequence[Sequence[Row]]) -> float:
    return (1 - _NAMES) * sheet.width / (2 + len(groups[0]))


def _widths(shown: Shown, groups: Sequence[Sequence[Row]], sheet: Sheet) -> list[float]:
    """How wide the cells of all groups are."""
    cells = [_cell(shown, row) for rows in groups for row in rows]
    return [max(canvas.text_width(one, sheet.size, bold=True), canvas.text_width(other, sheet.small)) for one, other in cells]


def _points(row: Row) -> str:
    points = float(row.key("points"))
    return f"{points:g} {'point' if points == 1 else 'points'} more"


def _cell(shown: Shown, row: Row) -> tuple[str, str]:
    """What the points add, and its interval below it."""
    if math.isnan(row.estimate):
        return "–", "above 100 %"
    (number,) = amounts([row.estimate])
    return f"{'+' if row.estimate > 0 else ''}{number}", shown.measure.interval(row.low, row.high)


def _lines(shown: Shown, groups: Sequence[Sequence[Row]], sheet: Sheet) -> Figure:
    """One line a group: what they keep, what a customer is worth, and what each number of points adds."""
    words = _head(shown)
    top = canvas.head_lines(sheet, words) + 26
    step = 48.0
    fig = canvas.figure(sheet, top + step * len(groups) + 6)
    canvas.headed(fig, sheet, words)
    width = _NAMES * sheet.width
    heads = ["Kept a year", "Worth now", *(_points(row) for row in groups[0])]
    ends = [width + _column(sheet, groups) * (place + 1) for place in range(len(heads))]
    for end, text in zip(ends, heads, strict=True):
        canvas.write(fig, end, top - 16, text, size=sheet.small, color=canvas.QUIET, ha="right")
    for place, rows in enumerate(groups):
        y = top + step * place
        _rule(fig, y)
        spoken = not place and _settled(groups)
        color = canvas.HIGH if spoken else canvas.INK
        row = rows[0]
        name = row.group("points").label or "All"
        canvas.write(fig, 0, y + 16, canvas.shortened(name, width - 8, sheet.size, bold=spoken), size=sheet.size, color=color, bold=spoken)
        canvas.write(fig, 0, y + 34, shown.measure.many(row.n), size=sheet.small, color=canvas.QUIET)
        cells = [(_percent(float(row.counts["retention"])), ""), (amounts([float(row.counts["worth_now"])])[0], "")]
        for end, (above, below) in zip(ends, [*cells, *(_cell(shown, each) for each in rows)], strict=True):
            canvas.write(fig, end, y + 16, above, size=sheet.size, color=color, ha="right", bold=spoken)
            canvas.write(fig, end, y + 34, below, size=sheet.small, color=canvas.QUIET, ha="right")
    return fig


def _blocks(shown: Shown, groups: Sequence[Sequence[Row]], sheet: Sheet) -> Figure:
    """On a phone, or where amounts are long, a block a group: what it keeps and is worth, and a line for each number of points."""
    words = _head(shown)
    top, line = canvas.head_lines(sheet, words) + 4, 21.0
    high = 2 * line + line * len(groups[0]) + 12
    fig = canvas.figure(sheet, top + high * len(groups) + 4)
    canvas.headed(fig, sheet, words)
    for place, rows in enumerate(groups):
        y, row = top + high * place, rows[0]
        _rule(fig, y)
        spoken = not place and _settled(groups)
        color = canvas.HIGH if spoken else canvas.INK
        base = f"n {decimal(row.n, 0)}"
        room = sheet.width - canvas.text_width(base, sheet.small) - 12
        name = canvas.shortened(row.group("points").label or "All", room, sheet.size, bold=True)
        canvas.write(fig, 0, y + 15, name, size=sheet.size, color=color, bold=True)
        canvas.write(fig, sheet.width, y + 15, base, size=sheet.small, color=canvas.QUIET, ha="right")
        kept, worth = _percent(float(row.counts["retention"])), amounts([float(row.counts["worth_now"])])[0]
        canvas.write(fig, 0, y + 15 + line, f"kept a year {kept}, worth now {worth}", size=sheet.small, color=canvas.QUIET)
        for number, each in enumerate(rows):
            above, below = _cell(shown, each)
            at = y + 15 + line * (2 + number)
            canvas.write(fig, 0, at, _points(each), size=sheet.size, color=color)
            canvas.write(fig, sheet.width, at, f"{above} ({below})", size=sheet.size, color=color, ha="right")
    return fig


def _rule(fig: Figure, y: float) -> None:
    """A thin line across, so many pixels from the top."""
    from matplotlib.lines import Line2D

    height = 72 * fig.get_size_inches()[1]
    fig.add_artist(Line2D([0, 1], [1 - y / height, 1 - y / height], color=canvas.RULE, linewidth=1))
