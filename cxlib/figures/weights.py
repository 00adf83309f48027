"""Who answered and who did not: scores weighted to the customers, the mix of answers, and what the silent would have to think."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.figures import canvas
from cxlib.figures.canvas import Sheet
from cxlib.figures.findings import bracket, window_of
from cxlib.figures.measures import capital, counted, decimal, heading, key_words, level_words, measure_named
from cxlib.figures.moves import periods, size, way_of
from cxlib.figures.picture import Picture, pictured
from cxlib.figures.shown import Row, Shown, read

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: From this distance on, in standard deviations, a share is usually taken to be another one (Austin 2009).
MATTERS = 0.1
#: So many categories are named.
NAMED = 3


def beside(shown: Shown) -> str:
    """A score as it came in and as weighted to the customers: of everybody in full, of groups where weighting moves it most."""
    plain, weighted = shown.rows, shown.rows_of(f"{shown.measure.name}_raked")
    if not shown.keys:
        return _both(shown, plain[0], weighted[0])
    pairs = [(one, other) for one, other in zip(plain, weighted, strict=True) if not math.isnan(other.estimate)]
    if all(shown.measure.number(one.estimate) == shown.measure.number(other.estimate) for one, other in pairs):
        return f"Weighted to the customers, {shown.measure.subject} stays what it was in each of {counted(len(pairs), 'group', 'groups')}."
    one, other = max(pairs, key=lambda pair: abs(pair[1].estimate - pair[0].estimate))
    behind = bracket(shown.measure, other, first=True, base=shown.measure.many(other.n))
    return (
        f"Weighted to the customers, {shown.measure.subject} moves most in {other.spoken}: "
        f"to {shown.measure.quantity(other.estimate)} {behind}, from {shown.measure.brief(one.estimate)} as it came in."
    )


def _both(shown: Shown, plain: Row, weighted: Row) -> str:
    measure = shown.measure
    behind = bracket(measure, plain, first=True, base=measure.many(plain.n), window=window_of(plain))
    stays = "stays at" if measure.number(plain.estimate) == measure.number(weighted.estimate) else "is"
    heaviest, left = weighted.counts["largest_weight"], weighted.n / weighted.counts["deff"]
    return (
        f"As it came in, {measure.subject} is {measure.quantity(plain.estimate)} {behind}. Weighted to the customers, it {stays} "
        f"{measure.quantity(weighted.estimate)} {bracket(measure, weighted)}. The heaviest answer counts for {decimal(heaviest, 1)} "
        f"average ones; so weighted, {measure.many(plain.n)} say as much as {decimal(left, 0)} would unweighted."
    )


def tipped(shown: Shown) -> str:
    """How different the silent would have to be: of the last change that is larger than chance, or that there is none to erase."""
    known = [row for row in shown.rows if not math.isnan(row.estimate)]
    found = [row for row in known if row.counts["verdict"] in {"up", "down"}]
    if not found:
        if not known:
            return "No invitation is known that had its time, so nothing is known of the silent."
        many = counted(len(known), "change", "changes")
        return f"None of {many} is larger than chance, so there is nothing that the silent could erase."
    return _erased(shown, found[-1])


def _erased(shown: Shown, row: Row) -> str:
    of = measure_named(shown.measure.name.replace("_tipping", ""))
    change, counts = float(row.counts["change"]), row.counts
    way = way_of(shown.frame)
    against, when = periods(way, {"before": row.key("against"), "after": row.key("period"), **counts})
    rose, side = ("rose", "lower") if change > 0 else ("fell", "higher")
    others = [(key, value) for key, value in row.keys if key not in ("period", "against")]
    group = f" in {row.group('period', 'against').spoken}" if others else ""
    share = decimal(100 * counts["answered"] / counts["invited"], 0)
    needed = size(shown.measure, row.estimate)
    ends = sorted(abs(end) if (end > 0) == (row.estimate > 0) else 0.0 for end in (row.low, row.high))
    said = f"{capital(of.subject)}{group} {rose} by {size(shown.measure, change)} between {against} and {when}. "
    recent = f"; {decimal(counts['too_recent'], 0)} more are too recent" if counts["too_recent"] else ""
    invited = counted(counts["invited"], "invitation", "invitations")
    said += f"Of {invited} of {when} that had their time, {share} in 100 were answered in it{recent}. "
    than = f"To erase that, the silent would have to score {needed} {side} than those who answered"
    if counts["possible"] is not pd.NA and counts["possible"] is not None and not counts["possible"]:
        return f"{said}{than}, which is beyond the end of the scale."
    between = f"{level_words(row.level)} interval {of.number(ends[0])} to {of.number(ends[1])}"
    return f"{said}{than} ({between}), and in {against} just like them."


def mix(shown: Shown) -> str:
    """Which categories are furthest from the customers before weighting, and which are after it."""
    rows = [row for row in shown.rows if not math.isnan(row.estimate)]
    far = sorted(rows, key=lambda row: (-row.count("asmd_before"), _name(row)))
    beyond = [row for row in far if row.count("asmd_before") >= MATTERS][:NAMED]
    rest = max(far, key=lambda row: row.count("asmd_after"))
    after = f"After weighting the largest distance left is {decimal(rest.count('asmd_after'), 2)}, of {_name(rest)}."
    if not beyond:
        return f"Those who answered look like the customers: no category is {decimal(MATTERS, 1)} standard deviations away or more. {after}"
    named = [
        f"{_name(row)} {'gave ' if not place else ''}{_percent(row.estimate)} of the answers and {'is ' if not place else ''}"
        f"{_percent(row.counts['share_customers'])} of the customers"
        for place, row in enumerate(beyond)
    ]
    many = sum(row.count("asmd_before") >= MATTERS for row in far)
    lead = f"{counted(many, 'category', 'categories')} of {len(far)} {'is' if many == 1 else 'are'}"
    farthest = ", the farthest" if many > len(named) else ""
    return f"{lead} {decimal(MATTERS, 1)} standard deviations away or more{farthest}: {'; '.join(named)}. {after}"


def _name(row: Row) -> str:
    return f"{key_words('category', row.key('category'))} ({heading(str(row.key('margin'))).lower()})"


def _percent(share: float) -> str:
    return f"{decimal(100 * share, 0)} %"


def balance(result: pd.DataFrame) -> Picture:
    """The picture of who answered: how much more or less often than among the customers, before and after weighting.

    Parameters
    ----------
    result : DataFrame
        What `fieldwork.balance` returned.

    Returns
    -------
    Picture
        ``text`` names the categories that are furthest from the customers.

    Raises
    ------
    ValueError
        If ``result`` is not a balance.

    See Also
    --------
    sentence : a raked score in words.

    Notes
    -----
    A category that is weighted to lies on the line of the customers after weighting, by construction;
    one that is only looked at shows what weighting does not repair.

    Examples
    --------
    >>> result = pd.DataFrame({"margin": "segment", "category": ["Business", "Consumer"], "measure": "share_of_answers",
    ...     "estimate": [0.4, 0.6], "low": [0.37, 0.57], "high": [0.43, 0.63], "level": 0.95, "n": [400, 600],
    ...     "share_customers": [0.2, 0.8], "share_weighted": [0.2, 0.8], "asmd_before": [0.5, 0.5], "asmd_after": 0.0,
    ...     "average_customers": [20.0, 80.0]})
    >>> print(balance(result))
    2 categories of 2 are 0.1 standard deviations away or more: Business (segment) gave 40 % of the answers and is 20 % of the
    customers; Consumer (segment) 60 % of the answers and 80 % of the customers. After weighting the largest distance left is 0.00,
    of Business (segment).
    """
    shown = read(result, asks="balance", needs=["margin", "category"])
    if shown.reason:
        return pictured(shown, shown.reason)
    marks = [_Mark.of(row) for row in shown.rows]
    what = "Two dots a category, before and after weighting: its share of the answers less its share of the customers, in percentage points"
    return pictured(shown, mix(shown), partial(_dumbbells, marks), what=what)


@dataclass(frozen=True)
class _Mark:
    """One category: its name, its share of the customers, and how far off its share of the answers is, in percentage points."""

    name: str
    share: str
    before: float
    after: float
    spoken: bool

    @classmethod
    def of(cls, row: Row) -> _Mark:
        customers = float(row.counts["share_customers"])
        before, after = 100 * (row.estimate - customers), 100 * (float(row.counts["share_weighted"]) - customers)
        return cls(_name(row), _percent(customers), before, after, row.count("asmd_before") >= MATTERS)

    @property
    def value(self) -> str:
        return f"{_signed(self.before)} → {_signed(self.after)}"


def _signed(points: float) -> str:
    number = decimal(points, 1)
    return f"+{number}" if points > 0 and any(sign in number for sign in "123456789") else number


_WORDS = (
    "Dot: share of the answers less share of the customers, percentage points; ring: the same after weighting; %: share of the customers"
)


def _dumbbells(marks: Sequence[_Mark], sheet: Sheet) -> Figure:
    """Name and share of the customers, two dots with a line between, both numbers; on a phone the words stand above the dots."""
    head = canvas.head_lines(sheet, _WORDS)
    step, above = (44.0, 20.0) if sheet.narrow else (27.0, 20.0)
    top = head + above
    fig = canvas.figure(sheet, top + step * len(marks) + 28)
    canvas.headed(fig, sheet, _WORDS)
    names = min(max(canvas.text_width(mark.name, sheet.size, bold=mark.spoken) for mark in marks), 200)
    value = max(canvas.text_width(mark.value, sheet.size) for mark in marks)
    base = sheet.width - value - 14 if sheet.narrow else names + 14 + canvas.text_width("customers", sheet.small)
    left, right = (18.0, 18.0) if sheet.narrow else (base + 16, value + 16)
    ax = canvas.axes(fig, left=left, top=top, right=right, bottom=28)
    reach = 1.1 * max(1.0, *(abs(end) for mark in marks for end in (mark.before, mark.after)))
    ax.set(xlim=(-reach, reach), ylim=(len(marks), 0))
    ax.set_yticks([])
    values = canvas.ticks(-reach, reach, most=4 if sheet.narrow else 6)
    ax.set_xticks(values, canvas.tick_words(values), fontsize=sheet.small)
    for place, mark in enumerate(marks):
        _dumbbell(ax, mark, place + (0.72 if sheet.narrow else 0.5))
        y = top + step * place + (13 if sheet.narrow else step / 2)
        color = canvas.HIGH if mark.spoken else canvas.INK
        room = base - 44 if sheet.narrow else names + 2
        canvas.write(
            fig, 0, y, canvas.shortened(mark.name, room, sheet.size, bold=mark.spoken), size=sheet.size, color=color, bold=mark.spoken
        )
        canvas.write(fig, base, y, mark.share, size=sheet.small, color=canvas.QUIET, ha="right")
        canvas.write(fig, sheet.width, y, mark.value, size=sheet.size, color=color, ha="right")
    if not sheet.narrow:
        canvas.write(fig, base, head + 6, "customers", size=sheet.small, color=canvas.QUIET, ha="right")
    return fig


def _dumbbell(ax: Axes, mark: _Mark, down: float) -> None:
    color = canvas.HIGH if mark.spoken else canvas.GREY
    # On a phone the words stand between the dots: the line of the customers is drawn behind the dots only.
    ax.vlines(0, down - 0.24, down + 0.24, color=canvas.INK, linewidth=1, linestyle=(0, (3, 2)), zorder=1)
    ax.hlines(down, mark.before, mark.after, color=color, linewidth=2.5, alpha=0.55, zorder=2)
    ax.scatter([mark.before], [down], s=60, color=color, linewidth=0, zorder=3, clip_on=False)
    ax.scatter([mark.after], [down], s=60, facecolor="none", edgecolor=color, linewidth=2, zorder=4, clip_on=False)
