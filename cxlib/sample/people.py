"""Who joins, what goes wrong for them, and when and why they leave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.sample import laws, words
from cxlib.sample.laws import BEFORE, MONTH_START, MONTHS, NEVER, Flag, Real, Whole, Words


@dataclass(frozen=True)
class People:
    """The customers, one position a spell; every attribute is a position in its list in `laws`.

    ``start`` and ``end`` are days from SINCE, ``reason`` is -1 while a customer. ``plan`` is the one
    they were first seen with; ``plans`` and ``trouble`` have a column for each month from SINCE.
    ``level`` is a person's lasting feeling.
    """

    name: Words
    full_name: Words
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

    def cells(self, days: Whole) -> tuple[Whole, Whole]:
        """Person and month (from SINCE) of everyone who is a customer on that month's day in ``days``."""
        here = (self.start[:, None] <= days[None, :]) & (days[None, :] < self.end[:, None])
        person, month = np.nonzero(here)
        return person, month


def daily_hazards(*, plan: Whole, segment: Whole, tenure: Whole, level: Whole, troubled: Flag) -> Real:
    """Probability of leaving on a day, one row a reason."""
    choice = np.array(laws.CHOICE_BY_PLAN)[plan] * np.array(laws.CHOICE_SEGMENT)[segment]
    choice = choice * np.array(laws.CHOICE_TENURE)[np.searchsorted(laws.TENURE_UNTIL, tenure, side="right")]
    choice = choice * np.array(laws.CHOICE_LEVEL)[np.searchsorted(laws.LEVEL_CUTS, level)]
    choice = choice * np.where(troubled, laws.CHOICE_TROUBLE, 1.0)
    payment = np.array(laws.PAYMENT_BY_PLAN)[plan]
    return np.stack([choice, payment, np.array(laws.CLOSED_BY_SEGMENT)[segment], np.array(laws.MOVED_BY_SEGMENT)[segment]])


def _lives(rng: np.random.Generator, start: Whole, segment: Whole, plan: Whole, level: Whole) -> tuple[Whole, Whole, Whole, Flag]:
    """End, reason, and plan and trouble by month, from 60 months before SINCE."""
    size = len(start)
    end = np.full(size, NEVER, dtype=np.int64)
    reason = np.full(size, -1, dtype=np.int64)
    since_trouble = np.full(size, 99, dtype=np.int64)
    plans, trouble = np.zeros((size, MONTHS), dtype=np.int64), np.zeros((size, MONTHS), dtype=bool)
    for month in range(BEFORE + MONTHS):
        opens, closes = int(MONTH_START[month]), int(MONTH_START[month + 1])
        move = rng.random(size)
        settled = start < opens
        plan = np.clip(plan + (settled & (move < laws.PLAN_UP)) - (settled & (move > 1 - laws.PLAN_DOWN)), 0, 2)
        hazards = daily_hazards(plan=plan, segment=segment, tenure=np.maximum(opens - start, 0), level=level, troubled=since_trouble <= 3)
        first = np.maximum(start + 1, opens)
        stays, chance = 1.0 - (hazards[0] + hazards[1] + hazards[2] + hazards[3]), rng.random(size)
        power, survived = np.ones(size), np.zeros(size, dtype=np.int64)
        for _ in range(closes - opens):
            power = power * stays
            survived += chance < power
        leaves = (end == NEVER) & (first + survived < closes)
        end[leaves] = (first + survived)[leaves]
        which = rng.random(size) * (1.0 - stays)
        until = np.stack([hazards[0], hazards[0] + hazards[1], hazards[0] + hazards[1] + hazards[2]])
        reason[leaves] = (which >= until).sum(axis=0)[leaves]
        wrong = settled & (rng.random(size) < laws.TROUBLE[month >= BEFORE + laws.BREAKDOWN])
        since_trouble = np.where(wrong, 1, since_trouble + 1)
        if month >= BEFORE:
            plans[:, month - BEFORE], trouble[:, month - BEFORE] = plan, wrong
    return end, reason, plans, trouble


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


def live(customers: int, seed: int) -> People:
    """All customers who were there on SINCE or joined after it."""
    rng = laws.stream(seed, 1)
    pool = 4 * customers + 200
    months = np.arange(BEFORE + MONTHS)
    joins = laws.season(laws.JOIN_SEASON, months - BEFORE)
    month = np.searchsorted(np.cumsum(joins) / np.cumsum(joins)[-1], rng.random(pool), side="right")
    start = MONTH_START[month] + rng.integers(0, 28, size=pool)
    segment = laws.pick(rng, laws.SEGMENT_SHARE, pool)
    drawn, until = rng.random(pool), np.cumsum(laws.PLAN_SHARE, axis=1)[segment]
    plan = (drawn[:, None] >= until[:, :2]).sum(axis=1)
    accounts = max(customers // 6, 1)
    account = np.where(segment > 0, rng.integers(0, accounts, size=pool), -1)
    of_account = laws.noise(rng, accounts, half=40)
    level = laws.noise(rng, pool, half=60) + np.where(account >= 0, of_account[account], 0)
    end, reason, plans, trouble = _lives(rng, start, segment, plan, level)
    kept = np.flatnonzero((end > 0) & (start <= laws.LAST_DAY))
    kept = np.sort(rng.permutation(kept)[:customers])
    kept = kept[np.argsort(start[kept], kind="stable")]
    size = len(kept)
    spells = {"start": start[kept], "end": end[kept], "segment": segment[kept], "reason": reason[kept]}
    owner = _come_back(spells)
    number = np.cumsum(owner == np.arange(size))[owner]
    width = max(5, len(str(size)))
    language = laws.pick(rng, laws.LANGUAGE_SHARE, size)[owner]
    first, last = (names[language, rng.integers(0, names.shape[1], size=size)] for names in map(words.names, ("first_names", "last_names")))
    eastern = language == laws.LANGUAGES.index("zh-Hant")
    return People(
        name=np.char.add("C", np.char.zfill(number.astype(str), width)).astype(object),
        full_name=np.where(eastern, last + first, first + " " + last)[owner],
        **spells,
        persona=laws.pick(rng, laws.PERSONA_SHARE, size)[owner],
        plan=plans[kept][np.arange(size), np.clip(laws.month_of(start[kept]), 0, MONTHS - 1)],
        region=laws.pick(rng, laws.REGION_SHARE, size)[owner],
        language=language,
        account=account[kept][owner],
        consent=(rng.random(size) >= laws.CONSENT_NO)[owner],
        level=level[kept],
        plans=plans[kept],
        trouble=trouble[kept],
    )


def named(values: tuple[str, ...], position: Whole) -> Words:
    """The names at these positions; None where the position is negative."""
    names: Words = np.array([*values, None], dtype=object)[np.where(position < 0, len(values), position)]
    return names


def only(there: Flag, texts: Words) -> Words:
    """Leave the texts where they are there, None elsewhere."""
    kept = texts.copy()
    kept[~there] = None
    return kept


def days(counted: Whole) -> pd.Series:
    """Days from SINCE as dates; missing at NEVER."""
    return pd.Series(laws.SINCE + np.where(counted == NEVER, 0, counted)).astype("datetime64[us]").mask(counted == NEVER)


def times(seconds: Whole) -> pd.Series:
    """Seconds from SINCE as local times; missing at NEVER days or later."""
    late = seconds >= NEVER * 86400
    whole = laws.SINCE.astype("datetime64[s]") + np.where(late, 0, seconds)
    return pd.Series(whole).astype("datetime64[us]").mask(late)


def customers(people: People) -> pd.DataFrame:
    """The customer table."""
    gone = people.end <= laws.LAST_DAY
    accounts = np.char.add("A", np.char.zfill((people.account + 1).astype(str), 4)).astype(object)
    return pd.DataFrame(
        {
            "customer": people.name,
            "start": days(people.start),
            "end": days(np.where(gone, people.end, NEVER)),
            "end_reason": named(laws.REASONS, np.where(gone, people.reason, -1)),
            "observed_from": days(np.where(people.start < 0, 0, NEVER)),
            "segment": named(laws.SEGMENTS, people.segment),
            "persona": named(laws.PERSONAS, people.persona),
            "plan": named(laws.PLANS, people.plan),
            "region": named(laws.REGIONS, people.region),
            "language": named(laws.LANGUAGES, people.language),
            "consent": people.consent,
            "name": people.full_name,
            "account": only(people.account >= 0, accounts),
        }
    )


def attributes(people: People) -> pd.DataFrame:
    """The plan at joining, and every change of it that the data saw."""
    person, month = np.nonzero(np.diff(people.plans, axis=1))
    day = laws.month_first(month + 1)
    seen = (people.start[person] < day) & (day < people.end[person])
    person, month, day = person[seen], month[seen], day[seen]
    frame = pd.DataFrame(
        {
            "customer": np.concatenate([people.name, people.name[person]]),
            "attribute": "plan",
            "value": named(laws.PLANS, np.concatenate([people.plan, people.plans[person, month + 1]])),
            "valid_from": days(np.concatenate([np.maximum(people.start, 0), day])),
        }
    )
    return frame.sort_values(["customer", "valid_from"], kind="stable", ignore_index=True)
