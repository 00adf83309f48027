"""A list of persons: what any page may say of it, and what only a page for those who act on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from cxlib.figures.foretold import misjudged
from cxlib.figures.measures import Measure, clean, counted, decimal, level_words, listed, measure_named
from cxlib.figures.picture import Piece, said, unbroken
from cxlib.figures.settings import CURRENT
from cxlib.figures.shown import read
from cxlib.figures.tables import Cell, csv_of, download, grid
from cxlib.tables import RESULT

#: So many persons stand on a page that names any; the file has all.
FIRST = 10
#: So many reasons are told in a sentence.
_TOLD = 3

_CONSENT = "Customers who did not agree to be part of analyses are on no list."


def at_risk(result: pd.DataFrame, *checked: pd.DataFrame, name_customers: bool = False) -> Piece:
    """The customers most at risk: what goes with their risk, and, only where asked for, who they are.

    Parameters
    ----------
    result : DataFrame
        What `leaving.at_risk` returned.
    *checked : DataFrame
        What `leaving.calibration` and `leaving.accuracy` returned, in this order: where chances like these have
        been too high or too low, the sentence says so.
    name_customers : bool, default False
        Whether the page lists customers, by identifier: the first ten, and all in a file.

    Returns
    -------
    Piece
        ``text`` says how likely they are to leave, and what goes with it most often.

    Raises
    ------
    ValueError
        If ``result`` is not such a list.

    See Also
    --------
    expected : how many will leave, of all.

    Notes
    -----
    A page is mailed on, so it holds nothing of a single person unless that was asked for: reasons are
    counted, and those of fewer than ``smallest_group`` customers are not told. Whoever acts on the list asks for
    it and keeps the page to themselves: it then holds, in the table and in the file, the
    identifier, the chance and its reasons, and no name, address or other column. The record of a run
    never holds the list.

    Examples
    --------
    >>> found = pd.DataFrame({"customer": ["C7", "C2"], "horizon_days": 90, "measure": "chance_of_leaving", "estimate": [0.3, 0.2],
    ...                       "low": [0.2, 0.1], "high": [0.4, 0.3], "level": 0.95, "n": 873, "rank": [1, 2],
    ...                       "reason_1": "plan: Basic", "times_1": 1.5})
    >>> print(at_risk(found, name_customers=True))
    The 2 of 873 customers most at risk leave within 90 days with a chance of 20.0 to 30.0 % each.
    The page lists customers by identifier and is for those who act on it.
    Customers who did not agree to be part of analyses are on no list.
    """
    lacking = [name for name in ("customer", "horizon_days", *RESULT, "rank") if name not in result.columns]
    if lacking:
        raise ValueError(f"at_risk: this is no list of customers, it has no column '{lacking[0]}'. One comes from leaving.at_risk(model).")
    stem = "customers_at_risk"
    if reason := result.attrs.get("reason"):
        return Piece("list", stem, reason, said([reason]), reason=reason, smallest_group=CURRENT.smallest_group)
    text = _sentence(result, misjudged(*(read(each, asks="at_risk", needs=["horizon_days"]) for each in checked)))
    notes = [_CONSENT]
    if name_customers:
        notes.insert(0, "The page lists customers by identifier and is for those who act on it.")
    html = Markup('<p class="cx-words">{}</p>').format(unbroken(text)) + _reasons_table(result)
    if name_customers:
        html += _persons_table(result) + download(csv_of(_file(result)), f"{stem}.csv")
    return Piece("list", stem, " ".join([text, *notes]), html + said(notes), smallest_group=CURRENT.smallest_group)


def _sentence(result: pd.DataFrame, warning: str) -> str:
    share, days = measure_named("leaving_share"), counted(float(result["horizon_days"].iloc[0]), "day", "days")
    first, last = float(result["estimate"].max()), float(result["estimate"].min())
    who = f"The {decimal(len(result), 0)} of {counted(float(result['n'].iloc[0]), 'customer', 'customers')} most at risk"
    ends = list(dict.fromkeys([share.number(last), share.number(first)]))
    text = f"{who} leave within {days} with a chance of {' to '.join(ends)} % each.{' ' * bool(warning)}{warning}"
    reasons = [f"{name} ({decimal(n, 0)} of them)" for name, n, _, _ in _told(result)[:_TOLD]]
    return f"{text} What goes with it most often: {listed(reasons)}." if reasons else text


def _told(result: pd.DataFrame) -> list[tuple[str, int, float, float]]:
    """Every reason that enough customers share: its words, for how many it is told, and the fewest and most times the hazard."""
    places = [name.removeprefix("reason_") for name in result.columns if name.startswith("reason_")]
    parts = [result[[f"reason_{place}", f"times_{place}"]].set_axis(["reason", "times"], axis=1) for place in places]
    rows = pd.concat(parts).dropna(subset=["reason"])
    # A tenure is nearly everybody's own: it is told by year.
    rows["reason"] = [_by_year(clean(reason)) for reason in rows["reason"]]
    counted_ = rows.groupby("reason")["times"].agg(["size", "min", "max"]).reset_index()
    counted_ = counted_[counted_["size"] >= CURRENT.smallest_group].sort_values(["size", "reason"], ascending=[False, True])
    return [(str(row["reason"]), int(row["size"]), float(row["min"]), float(row["max"])) for row in counted_.to_dict("records")]


def _by_year(reason: str) -> str:
    """``tenure: 14 months`` as ``tenure: in year 2``; any other reason as it is."""
    name, _, words = reason.partition(": ")
    if name != "tenure" or not words.endswith(("month", "months")):
        return reason
    months = 0 if words == "under a month" else int(words.split()[0])
    return f"tenure: in year {months // 12 + 1}"


def _reasons_table(result: pd.DataFrame) -> Markup:
    told = _told(result)
    if not told:
        return Markup()
    heads: list[Cell] = [("What goes with the risk", False), ("Customers of the list", True), ("Times as likely as the mean", True)]
    rows: list[list[Cell]] = []
    for name, n, *ends in told:
        times = dict.fromkeys(decimal(each, 1) for each in ends)
        rows.append([(name, False), (decimal(n, 0), True), (" to ".join(times), True)])
    fewer = counted(CURRENT.smallest_group, "customer", "customers")
    words = (
        "Of each customer on the list what goes with leaving most, three things at most: how many customers it is told of, and how "
        "many times as likely as for the mean of all customers leaving on any one day is by that alone, from the customer for whom it "
        f"is fewest to the one for whom it is most. Not told: what holds for fewer than {fewer} of the list."
    )
    return grid(words, heads, rows)


def _persons_table(result: pd.DataFrame) -> Markup:
    """The first of the list: identifier, chance and reasons."""
    share, cut = measure_named("leaving_share"), result.head(FIRST)
    heads: list[Cell] = [("Rank", True), ("Customer", False), ("Chance (%)", True)]
    heads += [(f"{level_words(float(result['level'].iloc[0]))} interval", True), ("What goes with it", False)]
    rows = [_person(record, share) for record in cut.to_dict("records")]
    many = f" The first {decimal(len(cut), 0)} of {decimal(len(result), 0)}; the file has all." if len(cut) < len(result) else ""
    return grid(f"The customers most at risk, by identifier.{many}", heads, rows, first=2)


def _person(record: Mapping[Any, Any], share: Measure) -> list[Cell]:
    reasons = []
    for name, value in record.items():
        if str(name).startswith("reason_") and not pd.isna(value):
            times = float(record[str(name).replace("reason", "times")])
            reasons.append(f"{clean(value)} (× {decimal(times, 1)})")
    estimate, low, high = (float(record[name]) for name in ("estimate", "low", "high"))
    shown = [(decimal(record["rank"], 0), True), (clean(record["customer"]), False), (share.number(estimate), True)]
    return [*shown, (share.interval(low, high), True), (", ".join(reasons), False)]


def _file(result: pd.DataFrame) -> pd.DataFrame:
    """The columns of the file: whatever else the frame was given, no other leaves it."""
    reasons = [name for name in result.columns if name.startswith(("reason_", "times_"))]
    return result[["rank", "customer", "horizon_days", "estimate", "low", "high", "level", *reasons]]
