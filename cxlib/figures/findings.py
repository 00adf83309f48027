"""Findings: what a result says, in one or two sentences with estimate, interval, base and window.

No sentence here claims that something moved, or why: a movement needs a test (its result is told in `moves`) and a
cause needs more.
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Sequence
from datetime import date

from cxlib.figures.closes import is_closes, restatements
from cxlib.figures.importance import importance, is_drivers
from cxlib.figures.lettered import banner_words, is_banner
from cxlib.figures.moves import is_moves, movements
from cxlib.figures.numbers import DAYS_A_MONTH, MONTHS, Measure, capital, counted, decimal, level_words, listed, month_words, window_words
from cxlib.figures.parts import part_of, shares_told
from cxlib.figures.ranks import apart as ranked_apart
from cxlib.figures.ranks import ends_told
from cxlib.figures.ratios import checks_told, is_checks, is_ratios, ratios_told
from cxlib.figures.rests import against_words, is_rests, rests_of
from cxlib.figures.shown import Row, Shown
from cxlib.figures.sides import apart, is_sides
from cxlib.figures.tenures import asked, at, counted_months, curves_of, reaches
from cxlib.figures.withhold import is_apart


def finding(shown: Shown, *, than: Row | None = None) -> str:
    """The finding of a result, by its shape: one number, a series, a curve, a distribution, or groups."""
    if shown.reason:
        return shown.reason
    if is_moves(shown.keys):
        return movements(shown)
    if own := _own(shown):
        return own
    if is_banner(shown.keys):
        return banner_words(shown)
    if is_rests(shown.counts):
        return against_words(rests_of(shown))
    if is_sides(shown):
        return apart(shown)
    if is_closes(shown):
        return restatements(shown)
    if part_of(shown):
        return shares_told(shown)
    if is_drivers(shown.keys):
        return importance(shown)
    if "month" in shown.keys:
        return series(shown)
    if "tenure_days" in shown.keys:
        return staying(shown, than=than)
    if "score" in shown.keys:
        # It is made of the pieces below, as those above are.
        from cxlib.figures.spreads import answers

        return answers(shown)
    if shown.keys:
        return groups(shown, than=than)
    return overall(shown)


def _own(shown: Shown) -> str:
    """The finding of a result that says more than its numbers alone: of weights, of those who did not answer, of leaving."""
    if is_ratios(shown.keys):
        return ratios_told(shown)
    if is_checks(shown.counts):
        return checks_told(shown)
    # These findings are made of the pieces below, so they are found when they are needed.
    from cxlib.figures import cohorts, definitions, foretold, money, purchases, weights

    if cohorts.is_cohorts(shown):
        return cohorts.cohorts_told(shown)
    if definitions.is_rates(shown):
        return definitions.rates_told(shown)
    if shown.measure.name in purchases.TOLD:
        return purchases.told(shown)
    if shown.measure.name in money.TOLD:
        return money.told(shown)
    from cxlib.figures.apart import apart_words
    from cxlib.figures.dangers import endangered
    from cxlib.figures.reasons import ended

    if is_apart(shown.counts):
        return apart_words(shown)
    if shown.measure.name == "cumulative_incidence":
        return ended(shown)
    if shown.measure.name == "hazard":
        return endangered(shown)
    if shown.measure.name == "tenure_quantile":
        return quantiles(shown)
    if foretold.is_foretold(shown):
        return foretold.told(shown)
    if f"{shown.measure.name}_raked" in set(shown.frame["measure"]):
        return weights.beside(shown)
    if shown.measure.name.removesuffix("_weighted").endswith("_tipping"):
        return weights.tipped(shown)
    return weights.mix(shown) if {"margin", "category"} <= set(shown.keys) else ""


def based_on(row: Row) -> float:
    """How many the number rests on: of a curve all customers of the group, not only those still at risk at its end."""
    customers = row.counts.get("customers")
    return row.n if customers is None else float(customers)


def bracket(measure: Measure, row: Row, *, first: bool = False, base: str = "", window: str = "") -> str:
    """What stands behind a number: ``(95 % interval 28 to 34; 2,746 answers, July 2024 to June 2026)``."""
    lead = f"{level_words(row.level)} interval " if first else ""
    after = ", ".join(part for part in (base, window) if part)
    return f"({lead}{measure.interval(row.low, row.high)}{'; ' + after if after else ''})"


def at_risk_of(measure: Measure, row: Row, *, when: str = " seen") -> str:
    """``412 customers seen`` where a curve rests at its tenure on fewer than all of the group; else ``1,455 customers``.

    Beside a share a reader would divide the one by the other, which is not that share.
    """
    fewer = measure.name in {"survival", "cumulative_incidence"} and row.n < based_on(row)
    return measure.many(row.n) + when if fewer else measure.many(based_on(row))


def overall(shown: Shown) -> str:
    """One number of everybody: ``Loyalty (NPS) stands at 31 points (…).`` Over more than a month it is an average, which may be past."""
    row, measure = shown.rows[0], shown.measure
    if measure.name == "median_tenure":
        return _median(measure, row)
    behind = bracket(measure, row, first=True, base=measure.many(row.n), window=window_of(row))
    verb = "averaged" if " to " in window_of(row) else "stands at"
    return f"{capital(measure.subject)} {verb} {measure.quantity(row.estimate)} {behind}."


def window_of(row: Row) -> str:
    """The window of a number, or that it has none."""
    if not {"since", "until"} <= set(row.counts):
        return ""
    return window_words(row.counts["since"], row.counts["until"]) or "undated"


def _median(measure: Measure, row: Row) -> str:
    if math.isnan(row.estimate):
        low = f"; it lies above {measure.quantity(row.low)} with {level_words(row.level)} confidence" if not math.isnan(row.low) else ""
        return f"Fewer than half of {measure.many(row.n)} have left, so the median tenure is not reached{low}."
    behind = bracket(measure, row, first=True, base=measure.many(row.n))
    return f"Half of the customers have left after {measure.quantity(row.estimate)} {behind}."


def latest(shown: Shown, *, known: Measure | None = None) -> str:
    """The last month of a series: ``In June 2026 it was 24 points (18 to 30).``"""
    row, measure = shown.dated[-1], shown.measure
    month = month_so_far(row.month, shown.as_of)
    if known is not None and known.name == measure.name:
        return f"In {month} it was {measure.brief(row.estimate)} {bracket(measure, row)}."
    behind = bracket(measure, row, first=True, base=measure.many(row.n))
    return f"In {month} {measure.subject} was {measure.quantity(row.estimate)} {behind}."


def month_so_far(month: date, as_of: date | None) -> str:
    """``June 2026``, or ``June 2026 (to 12 June)`` where the month was not over on the last day counted."""
    last = calendar.monthrange(month.year, month.month)[1]
    if as_of is not None and (as_of.year, as_of.month) == (month.year, month.month) and as_of.day < last:
        return f"{month_words(month)} (to {as_of.day} {MONTHS[as_of.month - 1]})"
    return month_words(month)


def series(shown: Shown, *, judged: bool = False) -> str:
    """A series: its last month, and between which it lay; of several, the last month of the worst and the best.

    Where its movements are ``judged`` beside it, nobody has to be told that months differ by chance alone.
    """
    if len({row.without("month") for row in shown.dated}) > 1:
        return _many_series(shown)
    measure, rows = shown.measure, shown.dated
    row = rows[-1]
    behind = bracket(measure, row, first=True, base=measure.many(row.n))
    if len(rows) == 1:
        return (
            f"{capital(measure.subject)} was {measure.quantity(row.estimate)} {behind}. "
            f"Only {month_words(row.month)} was asked: there is nothing to compare it with."
        )
    low, high = min(rows, key=lambda each: each.estimate), max(rows, key=lambda each: each.estimate)
    alone = "" if judged else "; months differ by chance alone, too"
    lay = f"Over the {len(rows)} months shown the estimate lay between {measure.number(low.estimate)} ({month_words(low.month)})"
    return (
        f"In {month_so_far(row.month, shown.as_of)} {measure.subject} was {measure.quantity(row.estimate)} {behind}. "
        f"{lay} and {measure.quantity(high.estimate)} ({month_words(high.month)}){alone}."
    )


def _many_series(shown: Shown) -> str:
    month = shown.dated[-1].month
    parts = _extremes(shown.measure, [row.group("month") for row in shown.dated if row.month == month])
    return f"In {month_so_far(month, shown.as_of)}: {parts}."


def _extremes(measure: Measure, rows: Sequence[Row]) -> str:
    """The worst and the best of some groups, the worst first."""
    ranked = [row for row in ranked_worst_first(measure, rows) if not math.isnan(row.estimate)]

    def said(row: Row, first: bool) -> tuple[str, str]:
        number = measure.quantity(row.estimate) if first else measure.brief(row.estimate)
        return row.spoken, f"{number} {bracket(measure, row, first=first, base=measure.many(row.n) if first else decimal(row.n, 0))}"

    if len(ranked) == 1:
        return "{} stands at {}".format(*said(ranked[0], True))
    claims = f"{{}} is {_end(measure, worst=True)} at {{}}", f"{{}} is {_end(measure, worst=False)} at {{}}"
    return ends_told(ranked, said, claims=claims, ranges=f"{measure.subject} ranges from {{}} to {{}}", falling=measure.good == "low")


def _end(measure: Measure, *, worst: bool) -> str:
    return "highest" if worst == (measure.good == "low") else "lowest"


def ranked_worst_first(measure: Measure, rows: Sequence[Row]) -> list[Row]:
    """Rows by estimate, the bad end first; equal ones by name, so that no run differs from another."""
    sign = -1 if measure.good == "low" else 1
    return sorted(rows, key=lambda row: (math.isnan(row.estimate), sign * row.estimate if not math.isnan(row.estimate) else 0, row.label))


def groups(shown: Shown, *, than: Row | None = None) -> str:
    """Groups: the worst and the best, and how many lie wholly to one side of all together."""
    measure, rows = shown.measure, shown.rows
    if measure.name == "median_tenure":
        return _medians(shown)
    if len(rows) > 1:
        text = f"{capital(_extremes(measure, rows))}."
    elif shown.keys == ("question",):
        text = (
            f"Of the only question, the mean is: {_extremes(measure, rows)}." if measure.form == "mean" else f"{_extremes(measure, rows)}."
        )
    else:
        text = f"Only one group is shown: {_extremes(measure, rows)}."
    return text + _sides(measure, rows, than)


def _sides(measure: Measure, rows: Sequence[Row], than: Row | None) -> str:
    """How many intervals lie wholly below and above the number of everybody; nothing where there is none."""
    if than is None or math.isnan(than.estimate):
        return ""
    overall_ = f"the {measure.quantity(than.estimate)} of all together"
    below = sum(row.high < than.estimate for row in rows)
    above = sum(row.low > than.estimate for row in rows)
    if not below and not above:
        return f" No interval lies wholly to one side of {overall_}."
    sides = listed(f"{n} {'lies' if n == 1 else 'lie'} wholly {side}" for n, side in ((below, "below"), (above, "above")) if n)
    return f" Of {counted(len(rows), 'interval', 'intervals')}, {sides} {overall_}."


def _medians(shown: Shown) -> str:
    measure = shown.measure
    reached = [row for row in shown.rows if not math.isnan(row.estimate)]
    rest = len(shown.rows) - len(reached)
    if not reached:
        return f"In none of {counted(rest, 'group', 'groups')} have half of the customers left, so no median tenure is reached."
    row = min(reached, key=lambda each: (each.estimate, each.label))
    behind = bracket(measure, row, first=True, base=measure.many(row.n))
    text = f"Half have left {_soonest(row, shown.rows, row.spoken, measure.quantity(row.estimate), behind)}."
    return f"{text} In {counted(rest, 'group', 'groups')} the median is not reached." if rest else text


def _soonest(row: Row, rows: Sequence[Row], who: str, after: str, behind: str) -> str:
    """``soonest in Home, after 5 months (…)``, or that it is not settled which group is the first."""
    others = [each for each in rows if each is not row]
    if not others or ranked_apart(row, others):
        return f"soonest in {who}, after {after} {behind}"
    return f"in {who} after {after} {behind}; which group is the soonest is not settled"


def quantiles(shown: Shown) -> str:
    """By when so many have left: of one group each share, of several who is soonest at the largest share that any has reached."""
    measure, rows = shown.measure, [row for row in shown.rows if not math.isnan(row.estimate)]
    if not rows:
        return f"So few have left that none of these tenures is reached, of {measure.many(max(row.n for row in shown.rows))}."
    groups = {row.group("share_left").label for row in shown.rows}
    if len(groups) == 1:
        lines = [(row, f"{key_of(row)} after {counted_months(row.estimate / DAYS_A_MONTH)}") for row in rows]
        said = [f"{text} {bracket(measure, row, first=not place)}" for place, (row, text) in enumerate(lines)]
        rest = len(shown.rows) - len(rows)
        more = (
            f" {decimal(rest, 0)} of the {decimal(len(shown.rows), 0)} shares {'is' if rest == 1 else 'are'} not reached." if rest else ""
        )
        return f"Of 100 who join have left: {listed(said)}, of {measure.many(rows[0].n)}.{more}"
    share = max(float(row.key("share_left")) for row in rows)
    there = [row for row in rows if float(row.key("share_left")) == share]
    soonest = min(there, key=lambda row: (row.estimate, row.label))
    behind = bracket(measure, soonest, first=True, base=measure.many(soonest.n))
    same = [row for row in shown.rows if float(row.key("share_left")) == share and row.keys != soonest.keys]
    after = counted_months(soonest.estimate / DAYS_A_MONTH)
    rest = len(groups) - len(there)
    text = f"{key_of(soonest)} of 100 who join have left {_soonest(soonest, same, soonest.group('share_left').spoken, after, behind)}."
    return f"{text} In {counted(rest, 'group', 'groups')} so many have not left." if rest else text


def key_of(row: Row) -> str:
    """``25``: of 100 customers, who have left."""
    return decimal(100 * float(row.key("share_left")), 1).removesuffix(".0")


def staying(shown: Shown, *, than: Row | None = None) -> str:
    """A curve of customers: how many of 100 are still there after a year, and when half have left."""
    curves = curves_of(shown)
    months = asked(curves)
    if len(curves) > 1:
        compared = than if all(len(rows) == 1 for rows in curves) else None
        return _many_curves(shown, curves, months) + _sides(shown.measure, shown.rows, compared)
    rows = curves[0]
    row = at(rows, months)
    text = f"{_of_100(shown, row, still=_still(months))}."
    if len(rows) == 1:
        return text
    half = next((each for each in rows if each.estimate <= 0.5), None)
    months = float((half or rows[-1]).key("tenure_days")) / DAYS_A_MONTH
    if half is not None:
        return f"{text} Half have left by {counted_months(months)}."
    last = f"{counted_months(months)}, the last tenure shown"
    return f"{text} More than half are still there at {last}: the median is not reached."


def _still(months: float) -> str:
    return f"who join are still with us after {counted_months(months)} "


def _of_100(shown: Shown, row: Row, *, still: str = "", first: bool = True) -> str:
    """``70 of 100 who join are still with us after 12 months (95 % interval …; 400 customers …)``, or without who and when."""
    hundred = decimal(100 * row.estimate, 0)
    if hundred in {"0", "100"} and row.estimate not in {0.0, 1.0}:
        hundred = decimal(100 * row.estimate, 1)
    base = at_risk_of(shown.measure, row, when=" seen at that tenure" * first)
    lead = f"{level_words(row.level)} interval " if first else ""
    return f"{hundred} of 100 {still}({lead}{shown.measure.interval(row.low, row.high)}; {base})"


def _many_curves(shown: Shown, curves: Sequence[Sequence[Row]], months: float) -> str:
    there = [(at(rows, months), rows) for rows in curves if reaches(rows, months)]
    ranked = [row for row, _ in sorted(there, key=lambda pair: (pair[0].estimate, pair[0].label))]

    def said(row: Row, first: bool) -> tuple[str, str]:
        return row.group("tenure_days").spoken, _of_100(shown, row, first=first)

    after = f"still with us after {counted_months(months)}"
    if len(ranked) == 1:
        return f"In {ranked[0].group('tenure_days').spoken}, {_of_100(shown, ranked[0], still=_still(months))}."
    claims, ranges = (
        (f"Of those who join, fewest are {after} in {{}}, {{}}", "most in {}, {}"),
        f"By group, so many of those who join are {after}: from {{}} to {{}}",
    )
    return f"{ends_told(ranked, said, claims=claims, ranges=ranges)}."
