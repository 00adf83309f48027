"""What customers do: journeys through the shop, orders, what campaigns bring, and what all that is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from cxlib.sample import laws
from cxlib.sample.columns import DAY, Rows, days, identifiers, money, named, same, shown_until_as_of, times
from cxlib.sample.laws import MONTHS, NEVER, Flag, Whole
from cxlib.sample.people import People

END = (laws.LAST_DAY + 1) * DAY
CENTS = np.array(laws.ORDER_CENTS, dtype=np.int64)
PHONE, STORE = laws.ORDER_CHANNELS.index("phone"), laws.ORDER_CHANNELS.index("store")


@dataclass(frozen=True)
class Bought(Rows):
    """Orders as numbers: the person, the second from SINCE, the amount, and where."""

    person: Whole
    second: Whole
    cents: Whole
    channel: Whole


def _busy(people: People, rng: np.random.Generator, rate: float, last_day: int = 27) -> tuple[Whole, Whole]:
    """Person and day of what happens ``rate`` times a customer and month, with the season."""
    person, month = people.cells(laws.month_first(np.arange(MONTHS)))
    often = rate * laws.season(laws.SEASON, month)
    surely = np.floor(often)
    times_a_month = surely.astype(np.int64) + (rng.random(len(person)) < often - surely)
    person, month = np.repeat(person, times_a_month), np.repeat(month, times_a_month)
    day = laws.month_first(month) + rng.integers(0, last_day + 1, size=len(person))
    here = day < people.end[person]
    return person[here], day[here]


def journeys(people: People, seed: int, *, block: int = 0, first: int = 1, rate: float = laws.JOURNEYS) -> tuple[Any, Bought, int]:
    """Events of every case, the orders that paying made, and the number of cases."""
    rng = laws.stream(seed, 7, block)
    person, day = _busy(people, rng, rate)
    browse = laws.clock(rng, day, since=7, until=21)
    order = np.argsort(browse, kind="stable")
    person, browse = person[order], browse[order]
    size = len(person)
    channel = (rng.random(size) < 0.45).astype(np.int64)
    goes_on = rng.random((4, size)) < np.array(laws.STEP_SHARE)[channel].T
    reached = np.logical_and.accumulate(goes_on, axis=0)
    basket = browse + rng.integers(*laws.TO_BASKET, size=size)
    later = laws.clock(rng, basket // DAY + rng.integers(*laws.SLEPT_DAYS, size=size), since=7, until=21)
    checkout = np.where(rng.random(size) < laws.SLEEPS_ON_IT, later, basket + rng.integers(*laws.TO_CHECKOUT, size=size))
    pay = checkout + rng.integers(*laws.TO_PAY, size=size)
    broken = laws.month_of(pay // DAY) >= laws.BREAKDOWN
    late = rng.random(size) < np.array(laws.TROUBLE)[broken.astype(np.int64)]
    took = np.where(late, rng.integers(*laws.LATE_DAYS, size=size), rng.integers(*laws.DELIVERY_DAYS, size=size))
    deliver = laws.clock(rng, pay // DAY + took, since=8, until=20)
    again = reached[0] & (rng.random(size) < laws.REWORK)
    between = basket + np.maximum((np.where(reached[1], checkout, basket + 600) - basket) // 2, 1)
    moments = np.stack([browse, basket, checkout, pay, deliver, between])
    present = np.vstack([np.ones((1, size), dtype=bool), reached, again]) & (moments < END)
    case, step, second = _in_order(moments, present)
    events = pa.table(
        {
            "case_id": identifiers("J", np.arange(size) + first, people.digits).take(pa.array(case)),
            "customer": people.named(person[case]),
            "activity": named(laws.STEPS, np.where(step == len(laws.STEPS), 0, step)),
            "time": times(second),
            "channel": named(laws.JOURNEY_CHANNELS, channel[case]),
        }
    )
    cents = CENTS[rng.integers(0, len(CENTS), size=size)] * rng.integers(1, 4, size=size)
    return events, Bought(person, pay, cents, channel).rows(present[3]), size


def _in_order(moments: Whole, present: Flag) -> tuple[Whole, Whole, Whole]:
    """Case, step and second of what happened, by time: sorted as one whole number made of the three, which is much the fastest."""
    step, case = np.nonzero(present)
    bits = max(int(moments.shape[1]).bit_length(), 1)
    keys = np.sort((moments[step, case] << (bits + 3)) | (case << 3) | step)
    return (keys >> 3) & ((1 << bits) - 1), keys & 7, keys >> (bits + 3)


def sends(people: People, seed: int, *, block: int = 0, first: int = 1) -> tuple[Any, Bought]:
    """Messages and held-back customers of each campaign, and the orders that converting made."""
    rng = laws.stream(seed, 8, block)
    campaigns = np.arange(len(laws.CAMPAIGNS))
    day_of = np.array([laws.month_first(np.array(month)) + day - 1 for _, month, day in laws.CAMPAIGNS], dtype=np.int64)
    here = (people.start[:, None] <= day_of) & (day_of < people.end[:, None])
    campaign, person = np.nonzero(here.T & (rng.random((len(campaigns), len(people.start))) < laws.REACHED))
    size = len(person)
    message = rng.random(size) >= laws.CONTROL
    sent = day_of[campaign] * DAY + 10 * 3600 + rng.integers(0, 1800, size=size)
    bounced = message & (rng.random(size) < laws.BOUNCED)
    opens = message & ~bounced & (rng.random(size) < laws.OPENED)
    clicks = opens & (rng.random(size) < laws.CLICKED)
    opened = sent + rng.integers(120, 9 * 3600, size=size)
    clicked = opened + rng.integers(5, 300, size=size)
    converts = (rng.random(size) < np.array(laws.CONVERTED)[message.astype(np.int64)]) & ~bounced
    converted = laws.clock(rng, day_of[campaign] + rng.integers(1, 14, size=size))
    converts &= converted // DAY < people.end[person]
    cents = CENTS[rng.integers(0, len(CENTS), size=size)] * rng.integers(1, 3, size=size)
    shown = np.where(converts, shown_until_as_of(converted), NEVER * DAY)
    table = pa.table(
        {
            "send": identifiers("M", np.arange(size) + first, people.digits),
            "customer": people.named(person),
            "campaign": named(tuple(name for name, _, _ in laws.CAMPAIGNS), campaign),
            "arm": named(("control", "message"), message.astype(np.int64)),
            "channel": same("e-mail", size),
            "time_sent": times(sent),
            "bounced": pa.array(bounced, mask=~message),
            "time_opened": times(np.where(opens, opened, NEVER * DAY)),
            "time_clicked": times(np.where(clicks, clicked, NEVER * DAY)),
            "time_converted": times(shown),
            "amount": money(cents, converts),
        }
    )
    return table, Bought(person, converted, cents, np.full(size, PHONE)).rows(converts)


def orders(people: People, bought: Bought, seed: int, *, block: int = 0, first: int = 1) -> tuple[Any, Bought]:
    """All orders: those ``bought`` online and from campaigns, in shops, with a few refunds; once as a table, once as numbers."""
    rng = laws.stream(seed, 9, block)
    person, day = _busy(people, rng, laws.STORE_ORDERS)
    cents = CENTS[rng.integers(0, len(CENTS), size=len(person))]
    store = Bought(person, laws.clock(rng, day, since=9, until=19), cents, np.full(len(person), STORE))
    bought = bought.and_then(store)
    back = bought.rows(rng.random(len(bought.person)) < laws.REFUNDS)
    day = back.second // DAY + rng.integers(3, 15, size=len(back.person))
    back = Bought(back.person, laws.clock(rng, day), -back.cents, back.channel)
    bought = bought.and_then(back)
    bought = bought.rows(bought.second < END)
    bought = bought.rows(np.lexsort((bought.person, bought.second)))
    size = len(bought.person)
    table = pa.table(
        {
            "order": identifiers("O", np.arange(size) + first, people.digits),
            "customer": people.named(bought.person),
            "time_ordered": times(bought.second),
            "amount": money(bought.cents),
            "currency": same("EUR", size),
            "channel": named(laws.ORDER_CHANNELS, bought.channel),
        }
    )
    return table, bought


def value_history(people: People, bought: Bought) -> tuple[Any, Whole]:
    """What each customer was worth in each month: the plan's price, and what they ordered.

    Besides the table, a row a month: customers, and their revenue and margin in hundredths.
    """
    person, month = people.cells(laws.month_first(np.arange(MONTHS)))
    plan, segment = people.plans[person, month], people.segment[person]
    fee = np.array(laws.PRICE_CENTS, dtype=np.int64)[segment, plan]
    at = bought.person * MONTHS + laws.month_of(bought.second // DAY)
    extra = np.zeros(len(people.start) * MONTHS, dtype=np.int64)
    np.add.at(extra, at, bought.cents)
    extra = extra[person * MONTHS + month]
    margin = (np.array(laws.MARGIN_PERCENT)[plan] * fee + laws.ORDER_MARGIN_PERCENT * extra + 50) // 100
    table = pa.table(
        {
            "customer": people.named(person),
            "valid_from": days(laws.month_first(month)),
            "revenue": money(fee + extra),
            "margin": money(margin),
            "currency": same("EUR", len(person)),
        }
    )
    worth = np.zeros((MONTHS, 3), dtype=np.int64)
    np.add.at(worth, month, np.stack([np.ones_like(fee), fee + extra, margin], axis=1))
    return table, worth
