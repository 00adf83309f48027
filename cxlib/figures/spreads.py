"""Distributions in words: the classes of a question on loyalty, and the answer most often given where that is settled."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cxlib.figures.findings import bracket
from cxlib.figures.measures import Measure, decimal, level_words, listed
from cxlib.figures.ranks import apart
from cxlib.figures.shown import Row, Shown, by_group

NPS_SCORES = tuple(range(11))


def answers(shown: Shown) -> str:
    """A distribution: the three classes of an NPS question, and the answer most often given."""
    spreads = spreads_of(shown)
    measure = shown.measure
    if len(spreads) > 1:
        return _several_spreads(measure, spreads)
    often = _often(measure, shown.rows)
    classes = nps_classes(shown.rows)
    if not classes:
        return often(f", of {measure.many(shown.rows[0].n)}")
    said = listed(f"{measure.quantity(share)}{'' if place else ' are'} {name}" for place, (name, share) in enumerate(classes))
    return f"{said}, of {measure.many(shown.rows[0].n)}. {often('')}"


def _often(measure: Measure, rows: Sequence[Row]) -> Callable[[str], str]:
    """The answer most often given, or the two most frequent where that is not settled; the base is said in the middle."""
    row, *others = sorted(rows, key=lambda each: (each.estimate, float(each.key("score"))), reverse=True)
    lead = f"{level_words(row.level)} interval "
    said = f"{float(row.key('score')):g} ({measure.quantity(row.estimate)}, {lead}{measure.interval(row.low, row.high)})"
    if not others or apart(row, others):
        return lambda base: f"Most often given: {said}{base}."
    other = others[0]
    said += f" and {float(other.key('score')):g} ({measure.quantity(other.estimate)}, {measure.interval(other.low, other.high)})"
    return lambda base: f"Often given: {said}{base}; which of them most often is not settled."


def _several_spreads(measure: Measure, spreads: Sequence[Sequence[Row]]) -> str:
    """The answer most often given to each of some questions, or in each of some groups, and for how many that is not settled."""
    tops = [max(rows, key=lambda each: (each.estimate, float(each.key("score")))) for rows in spreads]
    known = [top for top, rows in zip(tops, spreads, strict=True) if apart(top, [row for row in rows if row is not top])]
    said: list[str] = []
    for row in known[:4]:
        behind = bracket(measure, row, first=not said, base=decimal(row.n, 0) if said else measure.many(row.n))
        said.append(f"{float(row.key('score')):g} for {row.group('score').spoken or 'all'}, {measure.quantity(row.estimate)} {behind}")
    said += [f"{decimal(len(known) - 4, 0)} more in the table"] if len(known) > 4 else []
    still = len(spreads) - len(known)
    if not known:
        return f"Which answer is most often given is settled for none of {decimal(still, 0)}."
    return f"Most often given: {'; '.join(said)}{f'; for {decimal(still, 0)} it is not settled' if still else ''}."


def spreads_of(shown: Shown) -> list[list[Row]]:
    """The rows of each question and group, the highest answer first."""
    return [sorted(rows, key=lambda row: -float(row.key("score"))) for rows in by_group(shown.rows, "score")]


def nps_classes(rows: Sequence[Row]) -> list[tuple[str, float]]:
    """Shares of promoters, passives and detractors where the scores are 0 to 10, else nothing."""
    if sorted(float(row.key("score")) for row in rows) != [float(score) for score in NPS_SCORES]:
        return []
    ends = (("promoters", 9, 10), ("passives", 7, 8), ("detractors", 0, 6))
    return [(name, sum(row.estimate for row in rows if low <= float(row.key("score")) <= high)) for name, low, high in ends]
