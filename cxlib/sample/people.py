"""Who joins, what goes wrong for them, and when and why they leave."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from cxlib.sample import laws, words
from cxlib.sample.columns import days, identifiers, named
from cxlib.sample.laws import BEFORE, BLOCK, MONTH_START, MONTHS, NEVER, Flag, Real, Whole

#: Plan, segment, band of tenure, band of lasting feeling, recent trouble: what the hazards of a month depend on.
STATES = (len(laws.PLANS), len(laws.SEGMENTS), len(laws.TENURE_UNTIL) + 1, len(laws.LEVEL_CUTS) + 1, 2)


@dataclass(frozen=True)
class People:
    """The customers of one block, one position a spell; every attribute is a position in its list in `laws`.

    ``start`` and ``end`` are days from SINCE, ``reason`` is -1 while a customer. ``number`` tells persons
    apart, from 0 on; ``ids`` are their identifiers. ``plan`` is the one they were first seen with; ``plans``
    and ``trouble`` have a column for each month from SINCE. ``level`` is a person's lasting feeling.
    """

    number: Whole
    ids: Any
    full_name: Whole
    start: Whole
    end: Whole
    reason: Whole
    segment: Whole
    persona: Whole
    plan: Whole
    region: Whole
    language: Whole
    account: Whole
    consent: Flag
    level: Whole
    plans: Whole
    trouble: Flag
    digits: int
    accounts: Any

    def cells(self, on: Whole) -> tuple[Whole, Whole]:
        """Person and month (from SINCE) of everyone who is a customer on that month's day in ``on``."""
        here = (self.start[:, None] <= on[None, :]) & (on[None, :] < self.end[:, None])
        person, month = np.nonzero(here)
        return person, month

    def named(self, person: Whole) -> Any:
        """The identifiers of these spells' persons; missing where the position is negative."""
        return named(self.ids, np.where(person < 0, -1, self.number[person]))


def blocks(customers: int) -> range:
    """The blocks of a company of that size."""
    return range(-(-customers // BLOCK))


def digits(customers: int, journeys: float) -> int:
    """Digits of identifiers, enough for every table of a company."""
    return max(5, len(str(int(24 * customers * max(1.0, 2 * journeys)))))


def band(cuts: tuple[int, ...], value: Whole, *, side: str = "left") -> Whole:
    """Between which of the cuts each value lies."""
    places: Whole = sum((value > cut if side == "left" else value >= cut).astype(np.int64) for cut in cuts)  # type: ignore[assignment]
    return places


def state_of(people: dict[str, Whole], plan: Whole, tenure: Whole, troubled: Flag) -> Whole:
    """The state of each person in a month."""
    tenure, level = band(laws.TENURE_UNTIL, tenure, side="right"), band(laws.LEVEL_CUTS, people["level"])
    return np.asarray((((plan * STATES[1] + people["segment"]) * STATES[2] + tenure) * STATES[3] + level) * STATES[4] + troubled)


@cache
def daily_hazards() -> Real:
    """Probability of leaving on a day: a row a reason, a column a state."""
    plan, segment, tenure, level, troubled = np.indices(STATES).reshape(5, -1)
    choice = np.array(laws.CHOICE_BY_PLAN)[plan] * np.array(laws.CHOICE_SEGMENT)[segment]
    choice = choice * np.array(laws.CHOICE_TENURE)[tenure] * np.array(laws.CHOICE_LEVEL)[level]
    choice = choice * np.where(troubled, laws.CHOICE_TROUBLE, 1.0)
    payment = np.array(laws.PAYMENT_BY_PLAN)[plan]
    return np.stack([choice, payment, np.array(laws.CLOSED_BY_SEGMENT)[segment], np.array(laws.MOVED_BY_SEGMENT)[segment]])


@cache
def _staying() -> tuple[Real, Real]:
    """Chance to stay a day in each state, and to stay 0 to 31 days. Products, since powers differ between machines."""
    hazards = daily_hazards()
    stays = 1.0 - (hazards[0] + hazards[1] + hazards[2] + hazards[3])
    return stays, np.cumprod(np.vstack([np.ones(len(stays)), np.tile(stays, (31, 1))]), axis=0).T


def _lives(rng: np.random.Generator, people: dict[str, Whole]) -> None:
    """End, reason, and plan and trouble by month, from 60 months before SINCE."""
    start, plan, size = people["start"], people["plan"], len(people["start"])
    end, reason, since_trouble = np.full(size, NEVER), np.full(size, -1), np.full(size, 99)
    plans, trouble = np.zeros((size, MONTHS), dtype=np.int64), np.zeros((size, MONTHS), dtype=bool)
    stays, staying = _staying()
    until = np.cumsum(daily_hazards()[:3], axis=0)
    for month in range(BEFORE + MONTHS):
        opens, closes = int(MONTH_START[month]), int(MONTH_START[month + 1])
        move = rng.random(size)
        settled = start < opens
        plan = np.clip(plan + (settled & (move < laws.PLAN_UP)) - (settled & (move > 1 - laws.PLAN_DOWN)), 0, 2)
        state = state_of(people, plan, np.maximum(opens - start, 0), since_trouble <= 3)
        first = np.maximum(start + 1, opens)
        chance, which = rng.random(size), rng.random(size)
        leaves = np.flatnonzero((end == NEVER) & (chance >= staying[state, np.clip(closes - first, 0, 31)]))
        state = state[leaves]
        end[leaves] = first[leaves] + (chance[leaves, None] < staying[state, 1:]).sum(axis=1)
        reason[leaves] = (which[leaves] * (1.0 - stays[state]) >= until[:, state]).sum(axis=0)
        wrong = settled & (rng.random(size) < laws.TROUBLE[month >= BEFORE + laws.BREAKDOWN])
        since_trouble = np.where(wrong, 1, since_trouble + 1)
        if month >= BEFORE:
            plans[:, month - BEFORE], trouble[:, month - BEFORE] = plan, wrong
    people |= {"end": end, "reason": reason, "plans": plans, "trouble": trouble}


def _come_back(people: dict[str, Whole]) -> Whole:
    """Position of the person each spell belongs to: a few who join had left by choice before."""
    owner = np.arange(len(people["start"]))
    for segment in range(len(laws.SEGMENTS)):
        same = people["segment"] == segment
        left = np.flatnonzero(same & (people["reason"] == 0))
        left = left[np.argsort(people["end"][left], kind="stable")]
        joined = np.flatnonzero(same & (people["start"] > 90))[::25]
        earlier = np.searchsorted(people["end"][left], people["start"][joined] - 60, side="right") - 1
        joined, earlier = joined[earlier >= 0], earlier[earlier >= 0]
        earlier, chosen = np.unique(earlier, return_index=True)
        once = ~np.isin(left[earlier], joined)
        owner[joined[chosen[once]]] = left[earlier[once]]
    return owner


def _joined(rng: np.random.Generator, size: int) -> dict[str, Whole]:
    """Everybody who ever joined: more than are kept, since many had left before SINCE."""
    pool = 4 * size + 200
    months = np.arange(BEFORE + MONTHS)
    joins = np.cumsum(laws.season(laws.JOIN_SEASON, months - BEFORE))
    month = np.searchsorted(joins / joins[-1], rng.random(pool), side="right")
    start = MONTH_START[month] + rng.integers(0, 28, size=pool)
    segment = laws.pick(rng, laws.SEGMENT_SHARE, pool)
    drawn, until = rng.random(pool), np.cumsum(laws.PLAN_SHARE, axis=1)[segment]
    plan = (drawn[:, None] >= until[:, :2]).sum(axis=1)
    accounts = max(size // 6, 1)
    account = np.where(segment > 0, rng.integers(0, accounts, size=pool), -1)
    of_account = laws.noise(rng, accounts, half=laws.ACCOUNT_HALF_WIDTH)
    level = laws.noise(rng, pool, half=laws.LEVEL_HALF_WIDTH) + np.where(account >= 0, of_account[account], 0)
    return {"start": start, "segment": segment, "plan": plan, "account": account, "level": level}


def live(customers: int, seed: int, *, block: int = 0, journeys: float = laws.JOURNEYS) -> People:
    """The customers of one block who were there on SINCE or joined after it."""
    rng = laws.stream(seed, 1, block)
    size = min(BLOCK, customers - block * BLOCK)
    pool = _joined(rng, size)
    _lives(rng, pool)
    kept = np.flatnonzero((pool["end"] > 0) & (pool["start"] <= laws.LAST_DAY))
    kept = np.sort(rng.permutation(kept)[:size])
    kept = kept[np.argsort(pool["start"][kept], kind="stable")]
    people = {name: values[kept] for name, values in pool.items()}
    owner = _come_back(people)
    number = (np.cumsum(owner == np.arange(size)) - 1)[owner]
    language = laws.pick(rng, laws.LANGUAGE_SHARE, size)[owner]
    first, last = (rng.integers(0, words.NAMES, size=size) for _ in range(2))
    width, accounts = digits(customers, journeys), np.arange(max(size // 6, 1)) + 1 + block * (BLOCK // 6)
    return People(
        number=number,
        ids=identifiers("C", np.arange(number.max() + 1) + 1 + block * BLOCK, width),
        full_name=((language * words.NAMES + first) * words.NAMES + last)[owner],
        start=people["start"],
        end=people["end"],
        reason=people["reason"],
        segment=people["segment"],
        persona=laws.pick(rng, laws.PERSONA_SHARE, size)[owner],
        plan=people["plans"][np.arange(size), np.clip(laws.month_of(people["start"]), 0, MONTHS - 1)],
        region=laws.pick(rng, laws.REGION_SHARE, size)[owner],
        language=language,
        account=people["account"][owner],
        consent=(rng.random(size) >= laws.CONSENT_NO)[owner],
        level=people["level"],
        plans=people["plans"],
        trouble=people["trouble"].astype(bool),
        digits=width,
        accounts=identifiers("A", accounts, max(4, len(str(customers // 6)))),
    )


def customers(people: People) -> Any:
    """The customer table."""
    gone = people.end <= laws.LAST_DAY
    return pa.table(
        {
            "customer": people.named(np.arange(len(people.start))),
            "start": days(people.start),
            "end": days(np.where(gone, people.end, NEVER)),
            "end_reason": named(laws.REASONS, np.where(gone, people.reason, -1)),
            "observed_from": days(np.where(people.start < 0, 0, NEVER)),
            "segment": named(laws.SEGMENTS, people.segment),
            "persona": named(laws.PERSONAS, people.persona),
            "plan": named(laws.PLANS, people.plan),
            "region": named(laws.REGIONS, people.region),
            "language": named(laws.LANGUAGES, people.language),
            "consent": pa.array(people.consent),
            "name": named(words.full_names(), people.full_name),
            "account": named(people.accounts, people.account),
        }
    )


def attributes(people: People) -> Any:
    """The plan at joining, and every change of it that the data saw."""
    person, month = np.nonzero(np.diff(people.plans, axis=1))
    day = laws.month_first(month + 1)
    seen = (people.start[person] < day) & (day < people.end[person])
    person, month, day = person[seen], month[seen], day[seen]
    value = np.concatenate([people.plan, people.plans[person, month + 1]])
    person = np.concatenate([np.arange(len(people.start)), person])
    day = np.concatenate([np.maximum(people.start, 0), day])
    rows = np.lexsort((day, people.number[person]))
    return pa.table(
        {
            "customer": people.named(person[rows]),
            "attribute": named(("plan",), np.zeros(len(rows), dtype=np.int64)),
            "value": named(laws.PLANS, value[rows]),
            "valid_from": days(day[rows]),
        }
    )
