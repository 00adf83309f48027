"""Words: what a notebook is about, its headline, and findings as sentences."""

from __future__ import annotations

import re
from datetime import date
from itertools import zip_longest

import pandas as pd
from markupsafe import Markup

from cxlib.figures.findings import finding, latest
from cxlib.figures.importance import compared as drivers_compared
from cxlib.figures.importance import is_drivers, raised
from cxlib.figures.measures import clean, counted, date_words, listed, moving
from cxlib.figures.moves import both_open, is_moves, is_open, newest, settles
from cxlib.figures.picture import Piece, said, unbroken
from cxlib.figures.settings import CURRENT, SMALLEST_GROUP, style
from cxlib.figures.shown import Shown, only, read


def set_up(*, title: str, as_of: str | date, smallest_group: int = SMALLEST_GROUP) -> Piece:
    """Say once what all figures of a notebook share.

    Parameters
    ----------
    title : str
        What the tables are about, such as the company's name.
    as_of : str or date
        Last day counted, ISO.
    smallest_group : int, default 5
        Groups with fewer answers are not shown.

    Returns
    -------
    Piece
        It brings the style of all figures to JupyterLab; the page has its own copy.

    Raises
    ------
    ValueError
        If ``as_of`` is not a date, or ``smallest_group`` is not a whole number from 1.

    See Also
    --------
    cxlib.sources.read : where the book and its smallest group come from.

    Notes
    -----
    It holds for the kernel until it is called again.

    Examples
    --------
    >>> print(set_up(title="Example Ltd", as_of="2026-06-30"))
    Example Ltd, counted up to 30 June 2026. Groups with fewer than 5 answers are not shown.
    """
    if isinstance(smallest_group, bool) or not isinstance(smallest_group, int) or smallest_group < 1:
        raise ValueError(f"set_up: smallest_group is {smallest_group!r}; it must be a whole number from 1.")
    CURRENT.as_of, CURRENT.smallest_group = _day(as_of), smallest_group
    fewer = f" Groups with fewer than {counted(smallest_group, 'answer', 'answers')} are not shown." if smallest_group > 1 else ""
    text = f"{clean(title)}, counted up to {date_words(CURRENT.as_of)}.{fewer}"
    html = Markup("<style>{}</style>").format(Markup(style())) + said([text])
    more = {"title": clean(title), "as_of": CURRENT.as_of.isoformat()}
    return Piece("set_up", "set_up", text, html, smallest_group=smallest_group, more=more)


def _day(as_of: str | date) -> date:
    try:
        return as_of if type(as_of) is date else date.fromisoformat(str(as_of)[:10])
    except ValueError:
        raise ValueError(f"set_up: as_of is {as_of!r}; write a date as year-month-day, such as '2026-06-30'.") from None


def headline(*results: pd.DataFrame) -> Piece:
    """The finding that comes first on the page, in one or two sentences.

    Parameters
    ----------
    *results : DataFrame
        The number of everybody, then the same by month: the last month follows it. A movement of
        this score says whether it moved, its drivers what to raise first. Any other result adds its
        own sentence.

    Returns
    -------
    Piece
        ``text`` is the headline.

    Raises
    ------
    ValueError
        If something is not a result, or there is none.

    See Also
    --------
    sentence : one result in words, anywhere in the text.

    Notes
    -----
    Levels stand side by side; that one is larger than another by more than chance is said only where
    a movement was given, in its verdict, corrected over all of its rows.

    Examples
    --------
    >>> nps = pd.DataFrame({"measure": ["nps"], "estimate": [31.2], "low": [28.1], "high": [34.3], "level": 0.95, "n": [2746],
    ...                     "since": [date(2024, 7, 1)], "until": [date(2026, 6, 30)]})
    >>> print(headline(nps))
    Loyalty (NPS) averaged 31 points (95 % interval 28 to 34; 2,746 answers, July 2024 to June 2026).
    """
    shown = [read(result, asks="headline") for result in results]
    if not shown:
        raise ValueError("headline: no result is given. Give the number of everybody first, such as survey.nps(responses).")
    text = " ".join(dict.fromkeys(_headline_sentences(shown)))
    html = Markup('<p class="cx-headline">{}</p>').format(_bases_quiet(text))
    reason = shown[0].reason if all(each.reason for each in shown) else None
    return Piece("headline", shown[0].name, text, html, [each.payload() for each in shown], reason, shown[0].k)


#: An interval in brackets, with its base and the stop behind it.
_BASE = re.compile(r"(\((?:[^()]* interval |change |[−\d])[^()]*\)[.;,]?)")


def _bases_quiet(text: str) -> Markup:
    """What stands in brackets, in a lighter hand: the finding is read first, what it rests on second."""
    found = _BASE.split(unbroken(text))
    quiet = Markup('<span class="cx-base">{}</span>')
    return Markup().join(quiet.format(part) if place % 2 else part for place, part in enumerate(found))


def _headline_sentences(shown: list[Shown]) -> list[str]:
    """A sentence a result; a series of the same measure adds its last month only, if it has more than one."""
    said: list[str] = []
    before: Shown | None = None
    compared: Shown | None = None
    unsettled: list[str] = []
    done: list[str] = []
    for each, following in zip_longest(shown, shown[1:]):
        same = before is not None and before.measure.name == moving(each.measure).name and not before.reason
        if is_drivers(each.keys):
            # Of what goes with a score a headline says what to do about it, where that is settled.
            done += raised(drivers_compared(each), brief=True)
            continue
        if is_moves(each.keys):
            # The score that it belongs to stays in mind: a second comparison may follow the first.
            if not each.reason and not same and said and is_open(each):
                unsettled.append(moving(each.measure).subject)
            elif not each.reason:
                said.append(newest(each, known=same, open_before=same and compared is not None and both_open(compared, each)))
                compared = each
            continue
        compared = None
        if following is not None and not each.keys and settles(following, each):
            # A mean over what fell and what it fell from is the score of no time: the movement names both ends.
            before = None
            continue
        if "month" in each.keys and each.keys == ("month",) and not each.reason:
            if len(each.rows) > 1 or not same:
                said.append(latest(each, known=each.measure if same else None))
        elif not (each.reason and said):
            said.append(finding(each))
        before = each
    # What is open of other scores is said in a few words: the page has the rest.
    return [*said, *([f"Whether {listed(unsettled)} moved cannot be told yet."] if unsettled else []), *done]


def sentence(result: pd.DataFrame, *, than: pd.DataFrame | None = None) -> Piece:
    """A result in words, with estimate, interval, base and window.

    Parameters
    ----------
    result : DataFrame
        What a measure returned.
    than : DataFrame, optional
        The number of everybody, which groups are set against.

    Returns
    -------
    Piece
        ``text`` is the sentence.

    Raises
    ------
    ValueError
        If ``result`` is not a result.

    See Also
    --------
    headline : the sentence a page begins with.

    Notes
    -----
    The first interval of a sentence names its level. Groups withheld are named, never their numbers.

    Examples
    --------
    >>> after_a_year = pd.DataFrame({"tenure_days": [365.25], "measure": "survival", "estimate": [0.8432], "low": [0.834],
    ...                              "high": [0.851], "level": 0.95, "n": [4858], "customers": [7043]})
    >>> print(sentence(after_a_year))
    84 of 100 who join are still with us after 12 months (95 % interval 83.4 to 85.1; 4,858 customers seen at that tenure).
    """
    shown = read(result, asks="sentence")
    text = " ".join([finding(shown, than=only(than, asks="sentence", of=[shown])), *([] if shown.reason else shown.notes)])
    html = Markup('<p class="{}">{}</p>').format("cx-note" if shown.reason else "cx-words", unbroken(text))
    return Piece("words", shown.name, text, html, [shown.payload()], shown.reason, shown.k)
