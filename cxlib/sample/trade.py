"""What customers do: journeys through the shop, orders, what campaigns bring, and what all that is worth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.sample import laws
from cxlib.sample.laws import MONTHS, NEVER, Whole
from cxlib.sample.people import People, days, named, times
from cxlib.sample.service import numbered, shown_until_as_of

END = (laws.LAST_DAY + 1) * 86400
SHOP_CENTS = np.array((1290, 1590, 1890, 2490, 3250), dtype=np.int64)


def _busy(people: People, rng: np.random.Generator, rate: float, last_day: int = 27) -> tuple[Whole, Whole]:
    """Person and day of what happens at most once a customer and month, with the season."""
    person, month = people.cells(laws.month_first(np.arange(MONTHS)))
    happens = rng.random(len(person)) < rate * laws.season(laws.SEASON, month)
    person, month = person[happens], month[happens]
    day = laws.month_first(month) + rng.integers(0, last_day + 1, size=len(person))
    here = day < people.end[person]
    return person[here], day[here]


def journeys(people: People, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Events of every case, and the orders that paying made (person, second, cents, channel)."""
    rng = laws.stream(seed, 7)
    person, day = _busy(people, rng, laws.JOURNEYS)
    browse = laws.clock(rng, day, since=7, until=21)
    order = np.argsort(browse, kind="stable")
    person, browse = person[order], browse[order]
    size = len(person)
    channel = (rng.random(size) < 0.45).astype(np.int64)
    goes_on = rng.random((4, size)) < np.array(laws.STEP_SHARE)[channel].T
    reached = np.logical_and.accumulate(goes_on, axis=0)
    basket = browse + rng.integers(60, 1500, size=size)
    # One in five sleeps on it, up to three days.
    later = laws.clock(rng, basket // 86400 + rng.integers(1, 4, size=size), since=7, until=21)
    checkout = np.where(rng.random(size) < 0.2, later, basket + rng.integers(30, 900, size=size))
    pay = checkout + rng.integers(40, 420, size=size)
    broken = laws.month_of(pay // 86400) >= laws.BREAKDOWN
    late = rng.random(size) < np.array(laws.TROUBLE)[broken.astype(np.int64)]
    took = np.where(late, rng.integers(7, 16, size=size), rng.integers(1, 5, size=size))
    deliver = laws.clock(rng, pay // 86400 + took, since=8, until=20)
    again = reached[0] & (rng.random(size) < laws.REWORK)
    between = basket + np.maximum((np.where(reached[1], checkout, basket + 600) - basket) // 2, 1)
    moments = np.stack([browse, basket, checkout, pay, deliver, between])
    present = np.vstack([np.ones((1, size), dtype=bool), reached, again])
    step, case = np.nonzero(present & (moments < END))
    second = moments[step, case]
    events = pd.DataFrame(
        {
            "case_id": numbered("J", size)[case],
            "customer": people.name[person[case]],
            "activity": named(laws.STEPS, np.where(step == 5, 0, step)),
            "time": times(second),
            "channel": named(laws.JOURNEY_CHANNELS, channel[case]),
        }
    )
    paid = reached[2] & (pay < END)
    cents = SHOP_CENTS[rng.integers(0, len(SHOP_CENTS), size=size)] * rng.integers(1, 4, size=size)
    bought = pd.DataFrame({"person": person, "second": pay, "cents": cents, "channel": named(laws.JOURNEY_CHANNELS, channel)})[paid]
    in_order = np.lexsort((step, case, second))
    return events.iloc[in_order].reset_index(drop=True), bought


def sends(people: People, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Messages and held-back customers of each campaign, and the orders that converting made."""
    rng = laws.stream(seed, 8)
    campaigns = np.arange(len(laws.CAMPAIGNS))
    day_of = np.array([laws.month_first(np.array(month)) + day - 1 for _, month, day in laws.CAMPAIGNS], dtype=np.int64)
    here = (people.start[:, None] <= day_of) & (day_of < people.end[:, None])
    campaign, person = np.nonzero(here.T & (rng.random((len(campaigns), len(people.start))) < laws.REACHED))
    size = len(person)
    message = rng.random(size) >= laws.CONTROL
    sent = day_of[campaign] * 86400 + 10 * 3600 + rng.integers(0, 1800, size=size)
    bounced = message & (rng.random(size) < laws.BOUNCED)
    opens = message & ~bounced & (rng.random(size) < laws.OPENED)
    clicks = opens & (rng.random(size) < laws.CLICKED)
    opened = sent + rng.integers(120, 9 * 3600, size=size)
    clicked = opened + rng.integers(5, 300, size=size)
    converts = (rng.random(size) < np.array(laws.CONVERTED)[message.astype(np.int64)]) & ~bounced
    converted = laws.clock(rng, day_of[campaign] + rng.integers(1, 14, size=size))
    converts &= converted // 86400 < people.end[person]
    cents = SHOP_CENTS[rng.integers(0, len(SHOP_CENTS), size=size)] * rng.integers(1, 3, size=size)
    frame = pd.DataFrame(
        {
            "send": numbered("M", size),
            "customer": people.name[person],
            "campaign": np.array([name for name, _, _ in laws.CAMPAIGNS], dtype=object)[campaign],
            "arm": np.where(message, "message", "control"),
            "channel": "e-mail",
            "time_sent": times(sent),
            "bounced": pd.array(bounced, dtype="boolean"),
            "time_opened": times(np.where(opens, opened, NEVER * 86400)),
            "time_clicked": times(np.where(clicks, clicked, NEVER * 86400)),
            "time_converted": times(np.where(converts, shown_until_as_of(converted), NEVER * 86400)),
            "amount": np.where(converts, cents / 100, np.nan),
        }
    )
    frame["bounced"] = frame["bounced"].mask(~message)
    return frame, pd.DataFrame({"person": person, "second": converted, "cents": cents, "channel": "phone"})[converts]


def orders(people: People, *, online: pd.DataFrame, campaign: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All orders: online, from campaigns, in shops, with a few refunds; once as a table, once as numbers."""
    rng = laws.stream(seed, 9)
    person, day = _busy(people, rng, laws.STORE_ORDERS)
    cents = SHOP_CENTS[rng.integers(0, len(SHOP_CENTS), size=len(person))]
    store = pd.DataFrame({"person": person, "second": laws.clock(rng, day, since=9, until=19), "cents": cents, "channel": "store"})
    bought = pd.concat([online, campaign, store], ignore_index=True)
    back = bought[rng.random(len(bought)) < laws.REFUNDS]
    day = back["second"].to_numpy() // 86400 + rng.integers(3, 15, size=len(back))
    back = back.assign(second=laws.clock(rng, day), cents=-back["cents"])
    bought = pd.concat([bought, back], ignore_index=True)
    bought = bought[bought["second"] < END].sort_values(["second", "person"], kind="stable", ignore_index=True)
    frame = pd.DataFrame(
        {
            "order": numbered("O", len(bought)),
            "customer": people.name[bought["person"].to_numpy()],
            "time_ordered": times(bought["second"].to_numpy()),
            "amount": bought["cents"] / 100,
            "currency": "EUR",
            "channel": bought["channel"],
        }
    )
    return frame, bought


def value_history(people: People, bought: pd.DataFrame) -> pd.DataFrame:
    """Revenue and margin of each customer and month: the plan's price, and what they ordered."""
    person, month = people.cells(laws.month_first(np.arange(MONTHS)))
    plan, segment = people.plans[person, month], people.segment[person]
    fee = np.array(laws.PRICE_CENTS, dtype=np.int64)[segment, plan]
    at = bought["person"].to_numpy() * MONTHS + laws.month_of(bought["second"].to_numpy() // 86400)
    extra = np.zeros(len(people.start) * MONTHS, dtype=np.int64)
    np.add.at(extra, at, bought["cents"].to_numpy())
    extra = extra[person * MONTHS + month]
    margin = (np.array(laws.MARGIN_PERCENT)[plan] * fee + laws.ORDER_MARGIN_PERCENT * extra + 50) // 100
    return pd.DataFrame(
        {
            "customer": people.name[person],
            "valid_from": days(laws.month_first(month)),
            "revenue": (fee + extra) / 100,
            "margin": margin / 100,
            "currency": "EUR",
        }
    )
