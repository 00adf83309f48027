"""Parts of a whole in words: the classes of a score, what was said yes to, and what was chosen."""

from __future__ import annotations

from collections.abc import Sequence

from cxlib.figures.measures import Measure, counted, decimal, label, level_words, listed, window_words
from cxlib.figures.shown import Row, Shown, by_group

YES = "yes"
#: Keys along which a result is parts of a whole.
PARTS = ("class", "choice")
#: So many choices, questions or groups are named.
_NAMED = 3


def part_of(shown: Shown) -> str | None:
    """The key along which a result is parts of a whole: ``class`` or ``choice``; None where it is none."""
    return next((key for key in PARTS if key in shown.keys), None)


def wholes_of(shown: Shown, part: str) -> list[list[Row]]:
    """The rows of each question and group: classes in their order, choices the most chosen first."""
    wholes = by_group(shown.rows, part)
    return wholes if part == "class" else [sorted(rows, key=lambda row: (-row.estimate, str(row.key(part)))) for rows in wholes]


def name_of(row: Row, part: str) -> str:
    """The question or group that a part belongs to, even where the parts alone would tell the rows apart."""
    return row.group(part).label or label(row.without(part))


def shares_told(shown: Shown) -> str:
    """The parts of one whole in full; of several groups where the share that matters is largest and smallest."""
    part = part_of(shown) or ""
    wholes = wholes_of(shown, part)
    measure = shown.measure
    if part == "choice":
        return " ".join(_chosen(measure, rows, several=len(wholes) > 1, first=not place) for place, rows in enumerate(wholes[:_NAMED])) + (
            f" {decimal(len(wholes) - _NAMED, 0)} more in the table." if len(wholes) > _NAMED else ""
        )
    return _classes(measure, wholes[0]) if len(wholes) == 1 else _bad_ends(measure, wholes)


def _classes(measure: Measure, rows: Sequence[Row]) -> str:
    """``49.5 % are promoters (95 % interval 46.2 to 52.8), 35.7 % passives (33.1 to 38.4) and …, of 2,398 answers.``"""
    said = []
    for place, row in enumerate(rows):
        lead = f"{level_words(row.level)} interval " if not place else ""
        are = "" if place else " are"
        said.append(f"{measure.quantity(row.estimate)}{are} {_class(row)} ({lead}{measure.interval(row.low, row.high)})")
    return f"{listed(said)}, of {_base(measure, rows[0])}."


def _bad_ends(measure: Measure, wholes: Sequence[Sequence[Row]]) -> str:
    """Where the share of the bad end is largest, and where smallest."""
    ends = sorted((rows[-1] for rows in wholes), key=lambda row: (-row.estimate, row.label))
    most, least = ends[0], ends[-1]
    what = _class(most).replace("in the", "answers in the")
    lead = f"{level_words(most.level)} interval "
    first = f"{most.group('class').spoken}, {measure.quantity(most.estimate)} ({lead}{measure.interval(most.low, most.high)}; "
    last = f"{least.group('class').spoken}, {measure.quantity(least.estimate)} ({measure.interval(least.low, least.high)}; "
    bases = f"{measure.many(most.n)})", f"{decimal(least.n, 0)})"
    return f"The share of {what} is largest for {first}{bases[0]}, and smallest for {last}{bases[1]}."


def _class(row: Row) -> str:
    """A class inside a sentence: ``promoters``, ``in the top box``."""
    name = str(row.key("class"))
    return {"top": "in the top box", "bottom": "in the bottom box", "middle": "between"}.get(name, name)


def _chosen(measure: Measure, rows: Sequence[Row], *, several: bool, first: bool) -> str:
    """What was chosen most often of one question, or how many said yes."""
    lead = f"{level_words(rows[0].level)} interval " if first else ""
    group = name_of(rows[0], "choice") if several else ""
    of = f"{group}: " if group else ""
    top = rows[0]
    behind = f"({lead}{measure.interval(top.low, top.high)}; {_base(measure, top)})"
    if len(rows) == 1 and top.key("choice") == YES:
        return f"{of}{measure.quantity(top.estimate)} said yes {behind}."
    said = [f"{top.key('choice')}, {measure.quantity(top.estimate)} {behind}"]
    said += [f"{row.key('choice')}, {measure.quantity(row.estimate)} ({measure.interval(row.low, row.high)})" for row in rows[1:_NAMED]]
    rest = len(rows) - len(said)
    more = f", and {counted(rest, 'other', 'others')}" if rest else ""
    how = "" if bool(top.counts.get("one_only")) else " Several could be chosen."
    return f"{of or ''}{'most' if of else 'Most'} often chosen: {', then '.join(said)}{more}.{how}"


def _base(measure: Measure, row: Row) -> str:
    window = window_words(row.counts.get("since"), row.counts.get("until"))
    return f"{measure.many(row.n)}{', ' + window if window else ''}"
