"""Cards: a few big numbers, each with its interval, base, window, and the months behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from cxlib.figures import canvas
from cxlib.figures.findings import at_risk_of, month_so_far, window_of
from cxlib.figures.lines import runs
from cxlib.figures.measures import Measure, capital, counted, level_words, listed, month_words
from cxlib.figures.moves import Move, is_moves, moves_of
from cxlib.figures.picture import Piece, said
from cxlib.figures.shown import Row, Shown, movement_of, read
from cxlib.figures.tenures import asked, at, counted_months, curves_of
from cxlib.figures.vocabulary import WORTH

_WIDTH, _HEIGHT = 180, 44
#: The word says what the sign shows, so a screen reader passes over the sign.
_VERDICT = Markup('<p class="cx-card-verdict"><span aria-hidden="true">{}</span> {}</p>')


def cards(*results: pd.DataFrame, targets: Sequence[str] = ()) -> Piece:
    """A card a result: the number, its interval, base and window, and a small line of its months.

    Parameters
    ----------
    *results : DataFrame
        Each one number, or a series by month: then the last month is the number. A curve of
        survival shows the share still there after 12 months, or
        after the longest usual tenure that is reached. A movement adds its verdict to the card of the
        score before it, as a sign and in words.
    targets : sequence of str, optional
        What scores should reach, as ``"nps 40"`` or ``"csat 0.8"``: the measure, and the number in the
        unit of the result. Its card says whether it is reached.

    Returns
    -------
    Piece
        ``text`` has a line a card.

    Raises
    ------
    ValueError
        If something is not a result, there is none, or one has groups; or a target is none, or of no card.

    See Also
    --------
    headline : the first of them in words.

    Notes
    -----
    The small line has no axis: it shows the shape, on a scale of its own, and its alt text the ends.
    A target is reached, or missed, where the whole interval is on that side of it; else it is open.

    Examples
    --------
    >>> nps = pd.DataFrame({"measure": ["nps"], "estimate": [31.2], "low": [28.1], "high": [34.3], "level": 0.95, "n": [2746]})
    >>> print(cards(nps))
    Loyalty (NPS): 31 points, 95 % interval 28 to 34, 2,746 answers
    """
    shown = [read(result, asks="cards") for result in results]
    if not shown:
        raise ValueError('cards: no result is given. Give one a card, such as survey.nps(responses, by="month").')
    paired = _with_their_moves(results, shown)
    wanted = _wanted(targets, [each.measure.name for each, _ in paired])
    made = [_card(each, moves, wanted.get(each.measure.name)) for each, moves in paired]
    html = Markup('<ul class="cx-cards">{}</ul>').format(Markup().join(piece for _, piece in made))
    text = "\n".join(_line(card) for card, _ in made)
    reasons = list(dict.fromkeys(each.reason for each in shown if not is_moves(each.keys)))
    reason = None if None in reasons else " ".join(str(each) for each in reasons)
    if reason and len(reasons) == 1:
        html, text = said([reason]), reason
    more = {"cards": [card for card, _ in made]}
    return Piece("cards", "cards", text, html, [each.payload() for each in shown], reason, shown[0].k, more)


def _line(card: dict[str, Any]) -> str:
    parts = [f"{card['title']}: {card['value'] or card['reason']}", card["interval"], card["base"], card["window"]]
    told = "; ".join([*(move["words"] for move in card["moved"]), *([card["target"]] if card["target"] else [])])
    return ", ".join(part for part in parts if part) + (f"; {told}" if told else "")


def _wanted(targets: Sequence[str], measures: Sequence[str]) -> dict[str, float]:
    """The targets by the measure of a card, after refusing what is none."""
    found = {}
    for target in targets:
        name, _, number = str(target).partition(" ")
        try:
            found[name] = float(number)
        except ValueError:
            raise ValueError(f"cards: {target!r} is no target; write the measure and a number, such as 'nps 40' or 'csat 0.8'.") from None
        if name not in measures:
            raise ValueError(f"cards: there is no card of '{name}' for the target {target!r}; there are {listed(measures)}.")
    return found


def _against_target(row: Row, measure: Measure, target: float | None) -> str:
    """``target 40 points: missed``; reached or missed where the whole interval is on that side, else open."""
    if target is None:
        return ""
    beyond, short = (row.low >= target, row.high < target) if measure.good != "low" else (row.high <= target, row.low > target)
    return f"target {measure.quantity(target)}: {'reached' if beyond else 'missed' if short else 'cannot tell yet'}"


def _with_their_moves(results: Sequence[pd.DataFrame], shown: Sequence[Shown]) -> list[tuple[Shown, list[Shown]]]:
    """Each score with the movements that were given after it."""
    found: list[tuple[Shown, list[Shown]]] = []
    for result, each in zip(results, shown, strict=True):
        if not is_moves(each.keys):
            found.append((each, []))
        elif not found:
            raise ValueError("cards: a movement comes after its score, and there is none before the first.")
        else:
            found[-1][1].append(movement_of(found[-1][0], result, asks="cards"))
    return found


def _moved(row: Row, keys: Sequence[str], moves: Sequence[Shown]) -> list[Move]:
    """The movements into the month of a card; of a card without a month the last ones."""
    found = []
    for shown in moves:
        every = [] if shown.reason else moves_of(shown)
        found += [move for move in every if row.month in (move.after, move.last_month)][-1:] if tuple(keys) == ("month",) else every[-1:]
    return found


def _verdicts(moves: Sequence[Move]) -> list[dict[str, str]]:
    """The verdicts of a card, equal ones in one line: ``cannot tell yet against May 2026 or June 2025``.

    A span of months is not the month of the card, so both are named: ``down from 39 to 25 points between Apr–Jun 2025 and Apr–Jun 2026``,
    or ``cannot tell yet: 82.2 to 77.5 %, Apr–Jun 2025 to Apr–Jun 2026``.
    """
    told: dict[tuple[str, str, str], list[str]] = {}
    for move in moves:
        before, after = move.names
        if move.way != "span":
            words, named = f"{move.brief} against", before
        elif move.moved:
            words, named = f"{move.brief} between", f"{before} and {after}"
        else:
            words, named = f"{move.brief},", f"{before} to {after}"
        told.setdefault((move.verdict, move.sign, words), []).append(named)
    every = told.items()
    return [{"verdict": key[0], "sign": key[1], "words": f"{key[2]} {' or '.join(dict.fromkeys(names))}"} for key, names in every]


def _card(shown: Shown, moves: Sequence[Shown], target: float | None) -> tuple[dict[str, Any], Markup]:
    measure = shown.measure
    if shown.reason:
        card = _words(measure.short, measure, reason=shown.reason)
        html = Markup('<li class="cx-card"><p class="cx-card-title">{}</p><p class="cx-note">{}</p></li>')
        return card, html.format(measure.short, shown.reason)
    row, window, title = _number(shown)
    value = "not reached" if math.isnan(row.estimate) else measure.number(row.estimate)
    unit = "" if math.isnan(row.estimate) else measure.quantity(row.estimate).removeprefix(value).strip()
    interval = f"{level_words(row.level)} interval {measure.interval(row.low, row.high)}"
    direction = Markup('<p class="cx-card-small">low is good</p>') if measure.good == "low" else Markup()
    base = at_risk_of(measure, row)
    card = _words(title, measure, value=f"{value} {unit}".strip(), interval=interval, base=base, window=window)
    card["moved"] = _verdicts(_moved(row, shown.keys, moves))
    card["target"] = _against_target(row, measure, target)
    verdicts = Markup().join(_VERDICT.format(each["sign"], each["words"]) for each in card["moved"])
    if card["target"]:
        verdicts += Markup('<p class="cx-card-small">{}</p>').format(capital(card["target"]))
    html = Markup(
        '<li class="cx-card"><p class="cx-card-title">{}</p><p class="cx-card-value">{}<span class="cx-card-unit">{}</span></p>{}'
        '<p class="cx-card-small">{}</p><p class="cx-card-small">{}</p>{}{}</li>'
    ).format(
        title, value, f" {unit}" if unit else "", verdicts, interval, f"{base}, {window}" if window else base, direction, _spark(shown)
    )
    return card, html


def _words(title: str, measure: Measure, *, reason: str | None = None, **said: str) -> dict[str, Any]:
    blank: dict[str, Any] = {"title": title, "value": None, "interval": None, "base": None, "window": None, "moved": [], "target": ""}
    return {**blank, **said, "measure": measure.name, "reason": reason}


def _number(shown: Shown) -> tuple[Row, str, str]:
    """The row a card is about, its window, and its title."""
    measure = shown.measure
    title = measure.short
    if shown.keys == ("month",):
        row = shown.dated[-1]
        return row, month_so_far(row.month, shown.as_of), title
    if shown.keys == ("tenure_days",):
        curves = curves_of(shown)
        months = asked(curves)
        return at(curves[0], months), f"after {counted_months(months)}", title
    if shown.keys and len(shown.rows) > 1:
        raise ValueError(
            f'cards: the result has {len(shown.rows)} groups, and a card holds one number; ask the measure without by, or by="month".'
        )
    row, window = shown.rows[0], window_of(shown.rows[0])
    if "horizon_days" in row.counts:
        # Of what is to come: the window is that of what customers brought.
        ahead = f"over the next {counted(float(row.counts['horizon_days']), 'day', 'days')}"
        window = f"{ahead}, {WORTH}{window}" if window else ahead
    return row, window, f"{title}: {row.label}" if shown.keys else title


def _spark(shown: Shown) -> Markup:
    """The months of a series as a small line with its last point; nothing where there is no series."""
    if shown.keys != ("month",):
        return Markup()
    rows = shown.dated
    if len(rows) < 3:
        return Markup()
    ends = (("lowest", min(rows, key=lambda row: row.estimate)), ("highest", max(rows, key=lambda row: row.estimate)))
    spots = (f"{end} {shown.measure.quantity(row.estimate)} ({month_words(row.month)})" for end, row in ends)
    alt = f"{len(rows)} months from {month_words(rows[0].month)} to {month_words(rows[-1].month)}: {', '.join(spots)}."
    image = Markup('<img class="cx-spark" src="{}" width="{}" height="{}" alt="{}">')
    return image.format(canvas.data_uri(_spark_svg(rows)), _WIDTH, _HEIGHT, alt)


def _spark_svg(rows: Sequence[Row]) -> str:
    places = {row.month: 12 * row.month.year + row.month.month for row in rows}
    first, last = places[rows[0].month], places[rows[-1].month]
    low, high = min(row.low for row in rows), max(row.high for row in rows)

    def x(row: Row) -> float:
        return 2 + (_WIDTH - 8) * (places[row.month] - first) / max(last - first, 1)

    def y(value: float) -> float:
        return 3 + (_HEIGHT - 6) * (high - value) / (high - low or 1)

    drawn = ""
    for run in runs(rows):
        band = [(x(row), y(row.high)) for row in run] + [(x(row), y(row.low)) for row in reversed(run)]
        drawn += f'<polygon points="{_points(band)}" style="fill: {canvas.SOFT}; fill-opacity: 0.45"/>'
        line = _points([(x(row), y(row.estimate)) for row in run])
        drawn += f'<polyline points="{line}" style="fill: none; stroke: {canvas.QUIET}; stroke-width: 1.5"/>'
    drawn += f'<circle cx="{x(rows[-1]):.1f}" cy="{y(rows[-1].estimate):.1f}" r="3.5" style="fill: {canvas.HIGH}"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}">'
        f"<style>{canvas.dark()}</style>{drawn}</svg>"
    )


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
