"""The sample company told once: its tables, and what is true of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from cxlib.sample import laws, people, service, trade
from cxlib.sample.answers import Survey, survey
from cxlib.sample.facts import facts
from cxlib.sample.people import People
from cxlib.sample.service import Served


@dataclass(frozen=True)
class Story:
    """Clean tables by name, and everything the truth is computed from."""

    tables: dict[str, pd.DataFrame]
    people: People
    served: Served
    survey: Survey
    feedback_themes: pd.DataFrame


def tell(customers: int, seed: int) -> Story:
    """Live the company once."""
    if isinstance(customers, bool) or not isinstance(customers, int) or customers < 1:
        raise ValueError(f"customers: {customers!r} is not a whole number from 1 on.")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed: {seed!r} is not a whole number from 0 on.")
    who = people.live(customers, seed)
    served = service.tickets(who, seed)
    asked = survey(who, served.slow, seed)
    feedback, feedback_themes = service.feedback(who, served.slow, seed)
    events, online = trade.journeys(who, seed)
    sends, brought = trade.sends(who, seed)
    orders, bought = trade.orders(who, online=online, campaign=brought, seed=seed)
    tables = {
        "customers": people.customers(who),
        "attributes": people.attributes(who),
        "value_history": trade.value_history(who, bought),
        "orders": orders,
        "invitations": asked.invitations,
        "responses": asked.responses,
        "feedback": feedback,
        "events": events,
        "tickets": served.tickets,
        "sends": sends,
        "audits": service.audits(seed),
    }
    return Story(tables, who, served, asked, feedback_themes)


def company(*, customers: int = laws.CUSTOMERS, seed: int = laws.SEED) -> dict[str, pd.DataFrame]:
    """The sample company's tables, clean, one frame for each canonical table.

    A coffee subscription with a monthly delivery, shops, a web shop and an app, seen from 2024-07-01 to
    2026-06-30. One thing happens to it: from February 2026 deliveries break down, and the true NPS falls
    from 38 to 24 points. Every other month is as the one before.

    Parameters
    ----------
    customers : int, default 1500
        Spells in the customer table; the other tables follow from it.
    seed : int, default 12
        Names the company: the same seed and size give the same tables, to the byte.

    Returns
    -------
    dict of DataFrame, one for each table of `cxlib.tables.TABLES`
        Columns as in the codebook; dates and times without zone, local to Europe/Rome. What the files
        under ``data/sample`` have besides (codes, doubled rows, unreadable dates) is added by `write`.

    Raises
    ------
    ValueError
        If ``customers`` is below 1 or ``seed`` below 0, or either is not a whole number.

    See Also
    --------
    truth : what is true of the same company.
    write : the same tables as files, with a little dirt.

    Notes
    -----
    Customers who were there before the data begin are those of a longer history who were still customers
    on the first day, so that long stays are over-represented among them, as in any real extract. Leaving is
    drawn day by day from hazards that a delivery problem raises for three months; the same problem lowers
    what the customer feels and makes a slow ticket likely. It misleads where a test needs what it does not
    have: nobody here answers a survey because of how they feel.

    Examples
    --------
    >>> tables = company(customers=200)
    >>> tables["customers"].shape
    (200, 13)
    >>> sorted(tables)[:4]
    ['attributes', 'audits', 'customers', 'events']
    >>> tables["customers"].loc[0, ["customer", "segment", "region"]].to_list()
    ['C00001', 'Hospitality', 'North']
    """
    return tell(customers, seed).tables


def truth(*, customers: int = laws.CUSTOMERS, seed: int = laws.SEED) -> dict[str, Any]:
    """What is true of the sample company, for statistics to be tested against.

    Parameters
    ----------
    customers : int, default 1500
        As for `company`.
    seed : int, default 12
        As for `company`.

    Returns
    -------
    dict
        ``nps`` (points, the exact expectation over the customers with consent, by month and by segment),
        ``movement`` (month, from, to), ``hazards`` (events a day, and what multiplies them), ``journeys``
        (share of cases that go on, by step and channel), ``campaigns``, ``drivers`` (weights of the
        touchpoints), ``tickets``, ``answers``, ``staff``, ``themes``, ``audits``. Shares are 0-1.

    Raises
    ------
    ValueError
        As for `company`.

    See Also
    --------
    company : the tables.

    Notes
    -----
    Expectations are exact: what a customer feels is a sum of whole numbers whose distribution is known, and
    the truth is the mean of each customer's chances. An estimate from the tables differs from it by chance,
    and, unweighted, by whom the company asks and who answers; both expectations are given.

    Examples
    --------
    >>> truth(customers=200)["movement"]["month"]
    '2026-02'
    """
    story = tell(customers, seed)
    return facts(story.people, story.survey, story.feedback_themes)
