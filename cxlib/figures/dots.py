"""Dots and whiskers: groups set against each other and against everybody."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.figures import canvas
from cxlib.figures.canvas import Sheet
from cxlib.figures.findings import based_on, finding, ranked_worst_first
from cxlib.figures.measures import DAYS_A_MONTH, Measure, amounts, decimal, heading, level_words, listed, moving
from cxlib.figures.picture import Picture, pictured, several
from cxlib.figures.ranks import apart
from cxlib.figures.rests import Rest, against_words, heading_of, is_rests, rests_of
from cxlib.figures.shown import Row, Shown, only, read
from cxlib.figures.tenures import counted_months

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: So many groups at either end are drawn where there are more than twice as many.
EACH_END = 15
#: So many are drawn of several breakdowns that are set against the rest.
SEVERAL = 12


@dataclass(frozen=True)
class Mark:
    """One line of the picture: a name, its number, and whether the caption speaks of it.

    ``words`` stand in the place of the number; a ``ring`` and a ``bar`` are further numbers on the line.
    """

    name: str
    row: Row
    spoken: bool
    words: str = ""
    ring: float = math.nan
    bar: float = math.nan


def intervals(result: pd.DataFrame, *, than: pd.DataFrame | None = None) -> Picture:
    """The picture of groups: a dot and its interval each, the worst first.

    Parameters
    ----------
    result : DataFrame
        What a measure returned for groups.
    than : DataFrame, optional
        The number of everybody, drawn as a line.

    Returns
    -------
    Picture
        ``text`` names the worst and the best where their intervals lie wholly apart from those of all others, else
        between what the groups range; and says how many intervals lie wholly to one side of everybody's number.

    Raises
    ------
    ValueError
        If ``result`` is not a result, or ``than`` is grouped or of another measure.

    See Also
    --------
    against : each group against all others, with a verdict.
    trend : months instead of groups.

    Notes
    -----
    A result with two measures (effort asked on seven points has a share and a mean) is drawn for
    the first; the table has both. Two intervals that overlap may still differ by more than chance,
    and of many groups some lie apart by chance alone. Above 30 groups the 15 at either end are drawn.

    Examples
    --------
    >>> by_plan = pd.DataFrame({"plan": ["free", "paid"], "measure": "nps", "estimate": [12.0, 45.0], "low": [4.0, 40.0],
    ...                         "high": [20.0, 50.0], "level": 0.95, "n": [312, 900]})
    >>> print(intervals(by_plan))
    Free is lowest at 12 points (95 % interval 4 to 20; 312 answers); paid is highest at 45 (40 to 50; 900).
    """
    shown = read(result, asks="intervals")
    overall = only(than, asks="intervals", of=[shown])
    if shown.reason:
        return pictured(shown, shown.reason)
    ranked = ranked_worst_first(shown.measure, shown.rows)
    text = finding(shown, than=overall)
    said = []
    if len(ranked) > 2 * EACH_END:
        said.append(f"The {EACH_END} groups at either end of {len(ranked)} are drawn; the table has all.")
        ranked = [*ranked[:EACH_END], *ranked[-EACH_END:]]
    settled = apart(ranked[0], ranked[1:])
    marks = [Mark(row.label or "all", row, settled and not place) for place, row in enumerate(ranked)]
    what = f"Dot and {level_words(shown.level)} interval by {listed(heading(key).lower() for key in shown.keys)}: {shown.measure.axis}"
    return pictured(shown, text, partial(dotted, shown.measure, marks, overall), what=what, notes=said)


def against(*results: pd.DataFrame) -> Picture:
    """The picture of groups against the rest: a dot and its interval each, the one farthest on the bad side first.

    A ring is the pooled score, the bar the score of the rest; beside each group stands its verdict.

    Parameters
    ----------
    *results : DataFrame
        What ``groups.against_rest`` returned, or all that ``groups.breakdowns`` or ``fieldwork.rate_breakdowns`` did.

    Returns
    -------
    Picture
        ``text`` names the groups that lie above or below the rest by more than chance.

    Raises
    ------
    ValueError
        If there is no result, one holds no groups against the rest, or they are of different scores.

    See Also
    --------
    intervals : the same groups without a comparison.
    banner : every group against every other.

    Notes
    -----
    The interval is that of the group's own score, and may cross the bar of the rest though the two differ by more
    than chance; the verdict is the test. Above 30 groups of one breakdown the 15 at either end are drawn; of several
    breakdowns those that stand out, and as many of the others as make 12.

    Examples
    --------
    >>> from cxlib import groups
    >>> plan = ["free"] * 60 + ["paid"] * 60
    >>> score = [10] * 15 + [8] * 15 + [3] * 30 + [10] * 25 + [8] * 25 + [3] * 10
    >>> print(against(groups.against_rest(pd.DataFrame({"plan": plan, "score": score}), by="plan")))
    Larger than chance: free 50 points below the rest (95 % interval 21 to 75) and paid 50 points above (21 to 75).
    """
    shown = [read(result, asks="against") for result in results]
    _refuse_others(shown)
    drawn = [each for each in shown if not each.reason]
    found = rests_of(*drawn)
    if not found:
        reason = " ".join(dict.fromkeys(each.reason or finding(each) for each in shown))
        return pictured(shown[0], reason) if len(shown) == 1 else several("against", shown, reason, reason=reason)
    text = against_words(found)
    kept, notes = _kept(found, breakdowns=len(shown))
    of, marks = moving(drawn[0].measure), [_beside_rest(each) for each in kept]
    signs = f"bar: the rest{', ring: pooled' if any(not math.isnan(mark.ring) for mark in marks) else ''}"
    what = f"Dot and {level_words(drawn[0].level)} interval by {listed(map(heading_of, drawn))}; {signs}: {of.axis}"
    draw = partial(dotted, of, marks, None, more=f"; {signs}")
    if len(shown) == 1:
        return pictured(shown[0], text, draw, what=what, notes=notes)
    notes += [each.reason for each in shown if each.reason]
    return several("against", shown, text, draw=draw, what=what, notes=notes)


def _kept(found: Sequence[Rest], *, breakdowns: int) -> tuple[list[Rest], list[str]]:
    """The groups that are drawn, in their order, and what is said of the others."""
    if breakdowns == 1:
        if len(found) <= 2 * EACH_END:
            return list(found), []
        return [*found[:EACH_END], *found[-EACH_END:]], [
            f"The {EACH_END} groups at either end of {len(found)} are drawn; the table has all."
        ]
    far = sorted((each for each in found if not each.apart), key=lambda each: -abs(each.row.estimate))
    apart = [each for each in found if each.apart]
    chosen = {id(each) for each in [*apart, *far][: max(SEVERAL, len(apart))]}
    kept = [each for each in found if id(each) in chosen]
    return kept, [f"{len(kept)} of {len(found)} groups are drawn; the tables have all."] if len(kept) < len(found) else []


def _refuse_others(shown: Sequence[Shown]) -> None:
    """Raise the letter about what is no group against the rest, or of another score than the first."""
    if not shown:
        raise ValueError("against: no result is given. One comes from groups.against_rest(responses, by=...).")
    for each in shown:
        if not is_rests(each.counts):
            what = f"against: this is '{each.name}', no comparison with the rest"
            raise ValueError(f"{what}. One comes from groups.against_rest(responses, by=...).")
    measures = sorted({each.measure.name for each in shown if not each.reason})
    if len(measures) > 1:
        raise ValueError(f"against: the results hold different measures ({listed(measures)}); only groups of one can be ranked.")


def _beside_rest(each: Rest) -> Mark:
    words = f"{each.of.number(each.score.estimate)} · {each.brief}"
    return Mark(each.name, each.score, each.apart, words, each.row.count("pooled"), each.row.count("score_rest"))


def dotted(
    measure: Measure, marks: Sequence[Mark], overall: Row | None, sheet: Sheet, *, more: str = "", chance: Sequence[float] = ()
) -> Figure:
    """Name and base, dot and whisker, value and interval; on a phone the words stand above the whisker.

    ``chance`` is what each would reach if it were nothing but chance; the axis then begins at 0.
    """
    words = f"{measure.axis}{_asked_at(marks)}, with {level_words(marks[0].row.level)} interval"
    words += more + ("; low is good" if measure.good == "low" else "")
    head = canvas.head_lines(sheet, words)
    step, above = (44.0, 20.0) if sheet.narrow else (27.0, 20.0)
    top = head + above
    fig = canvas.figure(sheet, top + step * len(marks) + 28)
    canvas.headed(fig, sheet, words)
    lay = _columns(measure, marks, sheet)
    ax = canvas.axes(fig, left=lay.left, top=top, right=lay.right, bottom=28)
    ends = _ends(measure, marks, overall) if not chance else (0.0, _ends(measure, marks, overall)[1])
    ax.set(xlim=ends, ylim=(len(marks), 0))
    ax.set_yticks([])
    values = canvas.ticks(*ends, most=4 if sheet.narrow else 6)
    ax.set_xticks(values, amounts(values) if measure.form == "money" else canvas.tick_words(values), fontsize=sheet.small)
    # On a phone the words stand between the whiskers: lines are drawn behind the whiskers only.
    stretches = [(place + 0.5, place + 0.95) for place in range(len(marks))] if sheet.narrow else [(0.0, float(len(marks)))]
    for first, last in stretches:
        ax.vlines(values, first, last, color=canvas.RULE, linewidth=1, zorder=0)
    if overall is not None and not math.isnan(overall.estimate):
        _everybody(ax, measure, overall, sheet, stretches)
    _chance(ax, measure, chance, sheet)
    _whiskers(ax, measure, marks, down=0.72 if sheet.narrow else 0.5)
    for place, mark in enumerate(marks):
        _names(fig, measure, mark, sheet, lay, top + step * place + (13 if sheet.narrow else step / 2))
    if not sheet.narrow:
        canvas.write(fig, lay.base, head + 6, measure.base[1], size=sheet.small, color=canvas.QUIET, ha="right")
    return fig


def _asked_at(marks: Sequence[Mark]) -> str:
    """The tenure all numbers of a picture were asked for, where there is one: ``, after 12 months``."""
    tenures = {value for mark in marks for key, value in mark.row.keys if key == "tenure_days"}
    return f", after {counted_months(float(str(tenures.pop())) / DAYS_A_MONTH)}" if len(tenures) == 1 else ""


@dataclass(frozen=True)
class _Lay:
    """Where the columns stand: the width of names, the right end of the base, the plot's margins."""

    name: float
    base: float
    left: float
    right: float


def _columns(measure: Measure, marks: Sequence[Mark], sheet: Sheet) -> _Lay:
    if sheet.narrow:
        base = sheet.width - 14 - max(canvas.text_width(_value(measure, mark), sheet.size, bold=mark.spoken) for mark in marks)
        name = base - 10 - max(canvas.text_width(f"n {decimal(based_on(mark.row), 0)}", sheet.small) for mark in marks)
        return _Lay(name, base, 18, 18)
    names = min(max(canvas.text_width(mark.name, sheet.size, bold=mark.spoken) for mark in marks), 220)
    bases = [decimal(based_on(mark.row), 0) for mark in marks] + [measure.base[1]]
    base = names + 14 + max(canvas.text_width(text, sheet.small) for text in bases)
    value = max(canvas.text_width(_value(measure, mark), sheet.size, bold=mark.spoken) for mark in marks)
    return _Lay(names + 2, base, base + 16, value + 16)


def _value(measure: Measure, mark: Mark) -> str:
    row = mark.row
    if mark.words:
        return mark.words
    estimate = "not reached" if math.isnan(row.estimate) else measure.number(row.estimate)
    return f"{estimate} ({measure.interval(row.low, row.high)})"


def _ends(measure: Measure, marks: Sequence[Mark], overall: Row | None) -> tuple[float, float]:
    rows = [mark.row for mark in marks] + ([overall] if overall else [])
    further = [value for mark in marks for value in (mark.ring, mark.bar)]
    known = [*(value for row in rows for value in (row.low, row.estimate, row.high)), *further]
    values = [measure.shown(value) for value in known if not math.isnan(value)]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    air = 0.05 * (high - low or abs(high) or 1)
    # An interval without an end runs out of the picture.
    more = 0.15 * (high - low) if any(math.isnan(row.high) for row in rows) else air
    floor, ceiling = min(measure.shown(measure.floor), low), max(measure.shown(measure.ceiling), high)
    return max(low - air, floor), min(high + more, ceiling)


def _everybody(ax: Axes, measure: Measure, overall: Row, sheet: Sheet, stretches: Sequence[tuple[float, float]]) -> None:
    """The number of everybody as a line with its name on top."""
    at = measure.shown(overall.estimate)
    for first, last in stretches:
        ax.vlines(at, first, last, color=canvas.INK, linewidth=1, linestyle=(0, (3, 2)), zorder=1)
    middle = (at - ax.get_xlim()[0]) / (ax.get_xlim()[1] - ax.get_xlim()[0])
    side = "left" if middle < 0.15 else "right" if middle > 0.85 else "center"
    words = f"all {measure.number(overall.estimate)}"
    ax.annotate(
        words, (at, 1), xycoords=("data", "axes fraction"), xytext=(0, 10), textcoords="offset points", ha=side, va="center_baseline",
        size=sheet.small, color=canvas.INK, annotation_clip=False,
    )  # fmt: skip


def _chance(ax: Axes, measure: Measure, chance: Sequence[float], sheet: Sheet) -> None:
    """How far chance alone reaches in each line, as a mark across it; its name on top."""
    for place, reached in enumerate(chance):
        first, last = (0.55, 0.9) if sheet.narrow else (0.15, 0.85)
        ax.vlines(measure.shown(reached), place + first, place + last, color=canvas.INK, linewidth=1, linestyle=(0, (2, 1.5)), zorder=1)
    if chance:
        ax.annotate(
            "chance", (measure.shown(chance[0]), 1), xycoords=("data", "axes fraction"), xytext=(0, 10), textcoords="offset points",
            ha="left", va="center_baseline", size=sheet.small, color=canvas.INK, annotation_clip=False,
        )  # fmt: skip


def _whiskers(ax: Axes, measure: Measure, marks: Sequence[Mark], *, down: float) -> None:
    """Every dot and interval; an interval without an end runs out of the picture."""
    import seaborn as sns

    first, last = ax.get_xlim()
    for place, mark in enumerate(marks):
        start = first if math.isnan(mark.row.low) else measure.shown(mark.row.low)
        end = last if math.isnan(mark.row.high) else measure.shown(mark.row.high)
        color = canvas.HIGH if mark.spoken else canvas.GREY
        ax.hlines(place + down, start, end, color=color, linewidth=3 if mark.spoken else 2.5, alpha=0.55, zorder=2)
    for place, mark in enumerate(marks):
        if not math.isnan(mark.bar):
            at = measure.shown(mark.bar)
            ax.vlines(at, place + down - 0.18, place + down + 0.18, color=canvas.INK, linewidth=1.5, zorder=3)
        if not math.isnan(mark.ring):
            color = canvas.HIGH if mark.spoken else canvas.GREY
            ax.plot(
                [measure.shown(mark.ring)], [place + down], "o", markersize=11, markerfacecolor="none", markeredgecolor=color,
                markeredgewidth=1.5, zorder=4, clip_on=False,
            )  # fmt: skip
    dots = pd.DataFrame(
        {
            "at": [measure.shown(mark.row.estimate) for mark in marks],
            "down": [place + down for place in range(len(marks))],
            "spoken": [mark.spoken for mark in marks],
        }
    )
    colors = {True: canvas.HIGH, False: canvas.GREY}
    sns.scatterplot(
        data=dots, x="at", y="down", hue="spoken", palette=colors, s=60, linewidth=0, legend=False, ax=ax, zorder=3, clip_on=False
    )
    ax.set(xlabel="", ylabel="")


def _names(fig: Figure, measure: Measure, mark: Mark, sheet: Sheet, lay: _Lay, y: float) -> None:
    """What stands beside a whisker: its name, its base, its value."""
    color = canvas.HIGH if mark.spoken else canvas.INK
    value, base = _value(measure, mark), decimal(based_on(mark.row), 0)
    name = canvas.shortened(mark.name, lay.name, sheet.size, bold=mark.spoken)
    canvas.write(fig, 0, y, name, size=sheet.size, color=color, bold=mark.spoken)
    canvas.write(fig, lay.base, y, f"n {base}" if sheet.narrow else base, size=sheet.small, color=canvas.QUIET, ha="right")
    canvas.write(fig, sheet.width, y, value, size=sheet.size, color=color, ha="right", bold=mark.spoken)
