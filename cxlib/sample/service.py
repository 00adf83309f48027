"""How customers are helped and what they write unasked: tickets and feedback; and how shops are audited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from cxlib.sample import comments, laws, words
from cxlib.sample.columns import DAY, identifiers, named, shown_until_as_of, times
from cxlib.sample.comments import Written
from cxlib.sample.laws import NEVER, Flag
from cxlib.sample.people import People

TICKET_CHANNELS = ("phone", "e-mail", "app")
FEEDBACK_CHANNELS = ("e-mail", "app", "phone", "store", "web")


@dataclass(frozen=True)
class Served:
    """Tickets, and who had a slow one in which month (a column a month)."""

    tickets: Any
    slow: Flag


def tickets(people: People, seed: int, *, block: int = 0, first: int = 1) -> Served:
    """One ticket at most a customer and month; a delivery problem makes one likely, and slow."""
    rng = laws.stream(seed, 2, block)
    months = np.arange(laws.MONTHS)
    person, month = people.cells(laws.month_first(months) + 12)
    troubled = people.trouble[person, month]
    chance = np.where(troubled, laws.TICKETS_TROUBLE, laws.TICKETS * laws.season(laws.SEASON, month))
    opens = rng.random(len(person)) < chance
    person, month, troubled = person[opens], month[opens], troubled[opens]
    size = len(person)
    topic = np.where(troubled & (rng.random(size) < 0.9), 0, laws.pick(rng, laws.TOPIC_SHARE, size))
    day = laws.month_first(month) + np.where(troubled, rng.integers(9, 13, size=size), rng.integers(0, 28, size=size))
    kept = (people.start[person] < day) & (day < people.end[person])
    rows = np.flatnonzero(kept)[np.argsort(day[kept], kind="stable")]
    person, month, troubled, topic, day = person[rows], month[rows], troubled[rows], topic[rows], day[rows]
    size = len(person)
    took = np.array(laws.RESOLVE_DAYS)[troubled.astype(np.int64), rng.integers(0, 10, size=size)]
    opened = laws.clock(rng, day, since=8, until=18)
    same_day = day * DAY + 20 * 3600
    resolved = np.where(took == 0, same_day + rng.integers(0, 3600, size=size), laws.clock(rng, day + took, since=10, until=18))
    first_day = laws.clock(rng, day + np.minimum(took, 1), since=8, until=10)
    soon = opened + rng.integers(300, 2 * 3600, size=size)
    replied = np.where((took == 0) | (rng.random(size) < 0.5), soon, first_day)
    again = rng.random(size)
    slow = np.zeros((len(people.start), laws.MONTHS), dtype=bool)
    slow[person[took > laws.SLOW_DAYS], month[took > laws.SLOW_DAYS]] = True
    until = shown_until_as_of(resolved)
    reopened = np.where(again < laws.REOPENED / 8, 2, np.where(again < laws.REOPENED, 1, 0))
    table = pa.table(
        {
            "ticket": identifiers("T", np.arange(size) + first, people.digits),
            "customer": people.named(person),
            "topic": named(laws.TOPICS, topic),
            "channel": named(TICKET_CHANNELS, laws.pick(rng, (0.35, 0.45, 0.20), size)),
            "time_opened": times(opened),
            "time_first_reply": times(shown_until_as_of(replied)),
            "time_resolved": times(until),
            "reopened": np.where((until < NEVER * DAY) & (took > 0), reopened, 0),
        }
    )
    return Served(table, slow)


def feedback(people: People, slow: Flag, seed: int, *, block: int = 0, first: int = 1) -> tuple[Any, Written]:
    """What customers write unasked, and what was planted in it."""
    rng = laws.stream(seed, 3, block)
    person, month = people.cells(laws.month_first(np.arange(laws.MONTHS)) + 12)
    troubled, waited = people.trouble[person, month], slow[person, month]
    writes = rng.random(len(person)) < np.where(troubled, laws.FEEDBACK_TROUBLE, laws.FEEDBACK)
    person, month, troubled, waited = person[writes], month[writes], troubled[writes], waited[writes]
    size = len(person)
    day = laws.month_first(month) + np.where(troubled, rng.integers(8, 13, size=size), rng.integers(0, 28, size=size))
    second = laws.clock(rng, day)
    kept = np.flatnonzero((people.start[person] <= day) & (day < people.end[person]))
    rows = kept[np.argsort(second[kept], kind="stable")]
    person, troubled, waited, second = person[rows], troubled[rows], waited[rows], second[rows]
    size = len(person)
    happy = ~troubled & (rng.random(size) < np.where(waited, 0.2, 0.55))
    theme = laws.pick(rng, laws.THEME_SHARE, size)
    theme = np.where(troubled & (rng.random(size) < 0.85), 0, np.where(waited & ~happy & (rng.random(size) < 0.7), 1, theme))
    known = np.where(rng.random(size) < 0.9, person, -1)
    written = comments.write(rng, people, person=known, theme=theme, happy=happy)
    touched = theme < len(laws.TOUCHPOINTS)
    channel = np.where(known >= 0, laws.pick(rng, (0.4, 0.3, 0.2, 0.1), size), FEEDBACK_CHANNELS.index("web"))
    table = pa.table(
        {
            "feedback": identifiers("F", np.arange(size) + first, people.digits),
            "customer": people.named(known),
            "channel": named(FEEDBACK_CHANNELS, channel),
            "touchpoint": named(laws.TOUCHPOINTS, np.where(touched, theme, -1)),
            "time_answered": times(second),
            "comment": written.texts,
            "language": named(laws.LANGUAGES, np.where(known >= 0, people.language[known], -1)),
        }
    )
    return table, written


def audits(seed: int) -> Any:
    """One visit a quarter and shop, every item worth five points in halves; one auditor is harsh."""
    rng = laws.stream(seed, 4)
    visits = np.arange(laws.PLACES * 8)
    place, quarter = visits % laws.PLACES, visits // laws.PLACES
    second = laws.clock(rng, laws.month_first(quarter * 3) + rng.integers(5, 80, size=len(visits)), since=9, until=18)
    auditor = laws.pick(rng, (1 / laws.AUDITORS,) * laws.AUDITORS, len(visits))
    order = np.argsort(second, kind="stable")
    place, second, auditor = place[order], second[order], auditor[order]
    visit = np.repeat(np.arange(len(visits)), len(laws.ITEMS))
    share = np.array(laws.PLACE_LEVEL)[place] + np.where(auditor == laws.HARSH_AUDITOR, laws.HARSH, 0.0)
    halves = (rng.random((10, len(visit))) < share[visit]).sum(axis=0)
    region = np.arange(laws.PLACES) % len(laws.REGIONS)
    return pa.table(
        {
            "audit": identifiers("V", visit + 1, 5),
            "place": named(words.places(), place[visit]),
            "region": named(laws.REGIONS, region[place[visit]]),
            "auditor": identifiers("B", auditor[visit] + 1, 5),
            "item": named(laws.ITEMS, np.tile(np.arange(len(laws.ITEMS)), len(visits))),
            "points": halves / 2,
            "points_possible": np.full(len(visit), 5.0),
            "time_audited": times(second[visit]),
        }
    )
