"""The definitions of churn rate side by side, each with the question that it answers."""

from __future__ import annotations

from functools import partial

import pandas as pd

from cxlib.figures.dots import Mark, dotted
from cxlib.figures.findings import bracket
from cxlib.figures.measures import level_words, listed, window_words
from cxlib.figures.picture import Picture, pictured
from cxlib.figures.shown import Row, Shown, read

#: The measures in the order in which they stand beside one another: how each is named in a picture, and in a sentence.
_NAMES = {
    "churn_rate": ("There at the start", ""),
    "churn_rate_all": ("And those new since", "with the new customers who left"),
    "churn_rate_mean": ("Of the average number", "of the average number of customers"),
    "churn_rate_days": ("By customer-days", "by customer-days"),
}


def rates(result: pd.DataFrame) -> Picture:
    """The picture of one period's churn by its four definitions: a dot and its interval each.

    Parameters
    ----------
    result : DataFrame
        What `retention.definitions` returned.

    Returns
    -------
    Picture
        ``text`` states the share of those at the start, and what the others come to.

    Raises
    ------
    ValueError
        If ``result`` is not what `retention.definitions` returns.

    See Also
    --------
    trend : one of them, month by month.

    Notes
    -----
    Of groups only the table is given. The four rest on the same leavers: that one is larger than
    another says how it counts, and nothing about customers.

    Examples
    --------
    >>> result = pd.DataFrame({"measure": ["churn_rate", "churn_rate_all", "churn_rate_mean", "churn_rate_days"],
    ...                        "estimate": [0.05, 0.0625, 0.0513, 0.0435], "low": [0.046, 0.058, 0.047, 0.040],
    ...                        "high": [0.054, 0.068, 0.056, 0.047], "level": 0.95, "n": [10000, 10000, 10000, 15000],
    ...                        "new": 5000, "since": pd.Timestamp("2026-03-01"), "until": pd.Timestamp("2026-03-31")})
    >>> print(rates(result))
    Of the customers there when March 2026 began, 5.0 % were lost in it (95 % interval 4.6 to 5.4; 10,000 customers).
    Counted otherwise it is 6.2 % with the new customers who left, 5.1 % of the average number of customers and
    4.3 % by customer-days: a churn rate from elsewhere is compared only with the one that counts alike.
    """
    shown = read(result, asks="rates")
    if len(result) and not set(_NAMES) >= set(result["measure"]):
        raise ValueError(f"rates: this is '{shown.name}'; the four definitions come from retention.definitions(customers, as_of=...).")
    text = rates_told(shown)
    if shown.reason or shown.keys:
        return pictured(shown, text)
    marks = [Mark(name, shown.rows_of(measure)[0], not place) for place, (measure, (name, _)) in enumerate(_NAMES.items())]
    what = f"Dot and {level_words(shown.level)} interval by definition: {shown.measure.axis}"
    notes = ["New is who joined after the first day; who joined on it is among those at the start."]
    return pictured(shown, text, partial(dotted, shown.measure, marks, None), what=what, notes=notes)


def is_rates(shown: Shown) -> bool:
    """Whether a result holds the definitions of churn rate."""
    return "churn_rate_days" in set(shown.frame["measure"])


def rates_told(shown: Shown) -> str:
    """What was lost of those at the start, and by the other counts; of groups, the highest."""
    if shown.reason:
        return shown.reason
    if shown.keys:
        from cxlib.figures.findings import groups

        return groups(shown)
    row, measure = shown.rows[0], shown.measure
    first = f"Of the customers there when {_period(row)} began, {measure.quantity(row.estimate)} were lost in it "
    first += f"{bracket(measure, row, first=True, base=measure.many(row.n))}."
    others = [(shown.rows_of(name)[0], words) for name, (_, words) in _NAMES.items() if words]
    said = listed(f"{measure.quantity(other.estimate)} {words}" for other, words in others)
    return f"{first} Counted otherwise it is {said}: a churn rate from elsewhere is compared only with the one that counts alike."


def _period(row: Row) -> str:
    return window_words(row.counts["since"], row.counts["until"]) or "the period"
