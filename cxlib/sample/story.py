"""The sample company told: its tables block by block, and what is true of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from cxlib.sample import laws, people, service, trade
from cxlib.sample.answers import survey
from cxlib.sample.facts import Tally, facts
from cxlib.sample.feelings import SIDES, askable, moods
from cxlib.tables import TABLES


class Company:
    """A company of one size and seed. Its blocks are told in order, and the truth is known once all have been."""

    def __init__(self, customers: int, seed: int, journeys: float = laws.JOURNEYS) -> None:
        for name, number, least in (("customers", customers, 1), ("seed", seed, 0)):
            if isinstance(number, bool) or not isinstance(number, int) or number < least:
                raise ValueError(f"{name}: {number!r} is not a whole number from {least} on.")
        if isinstance(journeys, bool) or not isinstance(journeys, int | float) or not 0 <= journeys <= laws.MOST_JOURNEYS:
            raise ValueError(f"journeys: {journeys!r} is not a number from 0 to {laws.MOST_JOURNEYS}.")
        self.customers, self.seed, self.journeys, self.size = customers, seed, journeys, len(people.blocks(customers))
        self.tally = Tally()
        self._counted = np.zeros(SIDES, dtype=np.int64)
        self._mood = np.zeros(laws.MONTHS, dtype=np.int64)

    def blocks(self, progress: Callable[[str], object] = str) -> Iterator[dict[str, Any]]:
        """The tables of each block as Arrow tables with canonical columns.

        All are lived once before that and only counted: what is true of a month is true of the whole company.
        """
        self.tally, self._counted = Tally(), np.zeros(SIDES, dtype=np.int64)
        for block in range(self.size):
            who = people.live(self.customers, self.seed, block=block)
            self._counted += askable(who, service.tickets(who, self.seed, block=block).slow).counted(who)
            progress(f"block {block + 1} of {self.size} counted")
        self._mood = moods(self._counted)
        for block in range(self.size):
            yield self._block(block)
            progress(f"block {block + 1} of {self.size} written, {self.tally.rows['events']:,} events so far")

    def _block(self, block: int) -> dict[str, Any]:
        seed, tally = self.seed, self.tally
        who = people.live(self.customers, seed, block=block, journeys=self.journeys)

        def place(table: str) -> dict[str, int]:
            return {"block": block, "first": tally.rows[table] + 1}

        served = service.tickets(who, seed, **place("tickets"))
        asked = survey(who, askable(who, served.slow), self._mood, seed=seed, **place("invitations"))
        feedback, written = service.feedback(who, served.slow, seed, **place("feedback"))
        events, online, cases = trade.journeys(who, seed, block=block, first=tally.cases + 1, rate=self.journeys)
        sends, brought = trade.sends(who, seed, **place("sends"))
        orders, bought = trade.orders(who, online.and_then(brought), seed, **place("orders"))
        value_history, worth = trade.value_history(who, bought)
        tables = {
            "customers": people.customers(who),
            "attributes": people.attributes(who),
            "value_history": value_history,
            "orders": orders,
            "invitations": asked.invitations,
            "responses": asked.responses,
            "feedback": feedback,
            "events": events,
            "tickets": served.tickets,
            "sends": sends,
            **({"audits": service.audits(seed)} if block == 0 else {}),
        }
        tally.count(who, tables)
        tally.cases += cases
        tally.worth += worth
        tally.score(asked)
        for source, one in (("responses", asked.written), ("feedback", written)):
            tally.hear(source, one)
        readable = {name: [column for column in TABLES[name].readable if column in table.column_names] for name, table in tables.items()}
        return {name: table.select(readable[name]) for name, table in tables.items()}

    def truth(self) -> dict[str, Any]:
        """What is true of it, once its blocks have been told."""
        return facts(self._counted, self._mood, self.tally, journeys=self.journeys)


def frame(parts: list[Any]) -> pd.DataFrame:
    """The blocks of one table as one frame: texts as objects, days and times as moments."""
    plain = []
    for table in parts:
        for place, field in enumerate(table.schema):
            if pa.types.is_dictionary(field.type):
                table = table.set_column(place, field.name, table[field.name].cast(pa.string()))
            elif pa.types.is_date32(field.type):
                table = table.set_column(place, field.name, table[field.name].cast(pa.timestamp("us")))
        plain.append(table)
    kinds = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    whole: pd.DataFrame = pa.concat_tables(plain).to_pandas(types_mapper=kinds.get)
    return whole


def company(*, customers: int = laws.CUSTOMERS, seed: int = laws.SEED) -> dict[str, pd.DataFrame]:
    """The sample company's tables, clean, one frame for each canonical table.

    A coffee subscription with a monthly delivery, shops, a web shop and an app, seen from 2024-07-01 to
    2026-06-30. Two things happen to it: in July 2025 its website is made anew, and rated higher from then on;
    from February 2026 deliveries break down, and the true NPS falls from 38 to 24 points. Every other month is
    as the one before.

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
    blocks = list(Company(customers, seed).blocks())
    return {name: frame([tables[name] for tables in blocks if name in tables]) for name in blocks[0]}


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
        ``movements`` (each measure that really moves: month, from, to, cause) and ``no_movement``; ``nps``,
        ``csat``, ``ces``, ``ratings_top_two`` (the exact expectation over the customers with consent, by month);
        ``causes`` (what a delivery problem and a slow ticket do to the NPS); ``drivers``; ``answers`` (who is
        asked, who answers, how late) and ``staff``; ``hazards`` and ``cumulative_incidence``; ``journeys``
        (share of cases that go on, by step and channel, and after how long); ``value``; ``campaigns``;
        ``tickets``; ``season``; ``audits``; ``themes`` and ``theme_effects``. Shares are 0-1, scores in points.

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
    >>> [(each["measure"], each["month"]) for each in truth(customers=200)["movements"]][::5]
    [('nps', '2026-02'), ('rating_website', '2025-07')]
    """
    told = Company(customers, seed)
    for _ in told.blocks():
        pass
    return told.truth()
