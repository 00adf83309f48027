"""Whom the company asks, who answers, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from cxlib.sample import comments, laws
from cxlib.sample.columns import DAY, Rows, identifiers, named, same, times
from cxlib.sample.comments import Written
from cxlib.sample.feelings import DELIVERY, WEBSITE, Cells, answer_chance
from cxlib.sample.laws import MONTHS, UNIT, Flag, Whole
from cxlib.sample.people import People

#: Days from being asked to answering, equally likely: most soon, a few after weeks.
DELAY_DAYS = (0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 8, 13, 24)
ROLES = ("customer", "staff")
RATINGS = 3  # the place of the first of them among the questions
QUESTIONS = ("nps", "csat", "ces", *(f"rating_{touchpoint}" for touchpoint in laws.TOUCHPOINTS))
STAFF_IDS = identifiers("S", np.arange(laws.STAFF) + 1, 3)


@dataclass(frozen=True)
class Survey:
    """The survey's tables, what was planted in comments, and the score beside each comment (-1 where skipped)."""

    invitations: Any
    responses: Any
    written: Written
    score: Whole


@dataclass(frozen=True)
class Asked(Rows):
    """Who is asked, in order of asking: the cell (-1 for staff), the respondent, the channel, and when (seconds).

    A respondent is a position among the identifiers of the block's persons and, after them, of the staff.
    """

    cell: Whole
    respondent: Whole
    month: Whole
    channel: Whole
    asked: Whole
    answered: Whole
    received: Whole
    answers: Flag


@dataclass(frozen=True)
class Answers(Rows):
    """One position an answer: its place among those who answer, the question and the score.

    ``comment`` is its place among the comments, or -1; ``tongue`` whether the language of the comment is known.
    """

    place: Whole
    question: Whole
    score: Whole
    skipped: Flag
    comment: Whole
    tongue: Flag


def wave(month: Whole) -> list[str]:
    """The name of each month's wave: 2026-02."""
    return [str(name) for name in np.datetime_as_string(laws.SINCE.astype("datetime64[M]") + month)]


def _asked(rng: np.random.Generator, people: People, cells: Cells) -> Asked:
    """Whom a wave invites, by segment; when they answer; and when the answer is known, late where it is on paper."""
    invited = rng.random(len(cells.person)) < np.array(laws.ASKED_SHARE)[people.segment[cells.person]]
    day = laws.month_first(cells.month) + rng.integers(laws.ASK_DAY[0], laws.ASK_DAY[1] + 1, size=len(cells.person))
    invited &= day < people.end[cells.person]
    asked = laws.clock(rng, day, since=9, until=12)
    cell = np.flatnonzero(invited)[np.argsort(asked[invited], kind="stable")]
    day, asked, size = day[cell], asked[cell], len(cell)
    delay = np.array(DELAY_DAYS)[rng.integers(0, len(DELAY_DAYS), size=size)]
    answered = np.where(delay == 0, asked + rng.integers(300, 8 * 3600, size=size), laws.clock(rng, day + delay))
    channel = laws.pick(rng, laws.CHANNEL_SHARE, size)
    paper = (channel >= laws.ON_PAPER) & (rng.random(size) < laws.LATE)
    late = laws.clock(rng, answered // DAY + rng.integers(*laws.LATE_BY_DAYS, size=size))
    received = np.where(paper, late, answered + rng.integers(1, 90, size=size))
    person, month = cells.person[cell], cells.month[cell]
    answers = rng.random(size) < answer_chance(month, people.segment[person], people.persona[person])
    answers &= received < (laws.LAST_DAY + 1) * DAY
    return Asked(cell, people.number[person], month, channel, asked, answered, received, answers)


def survey(people: People, cells: Cells, mood: Whole, *, seed: int, block: int = 0, first: int = 1) -> Survey:
    """One wave a month: invitations by segment, answers, comments; and in the first block the staff's guesses."""
    rng = laws.stream(seed, 5, block)
    customers = _asked(rng, people, cells)
    given = customers.rows(customers.answers)
    answers, written = _answers(rng, people, cells, given.cell, mood)
    if block == 0:
        staff, score = _staff(laws.stream(seed, 6), len(people.ids))
        answers = answers.and_then(_guesses(len(given.cell), score))
        customers, given = customers.and_then(staff), given.and_then(staff.rows(staff.answers))
    invited = customers.rows(np.lexsort((customers.respondent, customers.asked)))
    invitations = pa.table(
        {
            "invitation": identifiers("I", np.arange(len(invited.cell)) + first, people.digits),
            **_told(people, invited),
            "touchpoint": same(None, len(invited.cell)),
        }
    )
    answers = answers.rows(np.lexsort((given.respondent[answers.place], given.received[answers.place])))
    score = np.where(answers.skipped, -1, answers.score)[np.argsort(answers.comment, kind="stable")]
    return Survey(invitations, _responses(people, cells, given, answers, written), written, score[len(score) - len(written.theme) :])


def _told(people: People, asked: Asked) -> dict[str, Any]:
    """The columns that invitations and responses have in common."""
    return {
        "respondent": named(pa.concat_arrays([people.ids, STAFF_IDS]), asked.respondent),
        "role": named(ROLES, (asked.cell < 0).astype(np.int64)),
        "wave": named(wave(np.arange(MONTHS)), asked.month),
        "channel": named(laws.ANSWER_CHANNELS, asked.channel),
        "time_asked": times(asked.asked),
    }


def _responses(people: People, cells: Cells, given: Asked, answers: Answers, written: Written) -> Any:
    """The table of answers."""
    given = given.rows(answers.place)
    customer = given.cell >= 0
    person = cells.person[given.cell] if len(cells.person) else given.cell
    weight = np.where(customer, np.round(1 / np.array(laws.ASKED_SHARE), 4)[people.segment[person]], 1.0)
    return pa.table(
        {
            **_told(people, given),
            "weight": weight,
            "time_answered": times(given.answered),
            "time_received": times(given.received),
            "question": named(QUESTIONS, answers.question),
            "score": pa.array(answers.score, mask=answers.skipped),
            "touchpoint": named(laws.TOUCHPOINTS, answers.question - RATINGS),
            "comment": written.texts.take(pa.array(answers.comment, mask=answers.comment < 0)),
            "language": named(laws.LANGUAGES, np.where(answers.tongue, people.language[person], -1)),
        }
    )


def _cut(feeling: Whole, cuts: tuple[int, ...], unit: int = UNIT) -> Whole:
    return np.searchsorted(np.array(cuts) * unit, feeling, side="left").astype(np.int64)


def _answers(rng: np.random.Generator, people: People, cells: Cells, given: Whole, mood: Whole) -> tuple[Answers, Written]:
    """The scores and comments of those who answer, question after question."""
    size, person, month = len(given), cells.person[given], cells.month[given]
    own = UNIT * cells.own[given] + mood[month]
    touch = cells.touch(given) + np.stack([laws.noise(rng, size) for _ in laws.TOUCHPOINTS])
    nps = _cut(np.array(laws.DRIVER_WEIGHT) @ touch + own + laws.OWN_NOISE * laws.noise(rng, size), laws.NPS_CUTS)
    csat = 1 + _cut(np.array(laws.CSAT_WEIGHT) @ touch + own + laws.CSAT_NOISE * laws.noise(rng, size), laws.CSAT_CUTS)
    ces = 1 + _cut(np.array(laws.CES_WEIGHT) @ touch + own // 2 + laws.CES_NOISE * laws.noise(rng, size), laws.CES_CUTS)
    happy = (nps >= 9) | ((nps >= 7) & (rng.random(size) < 0.5))
    theme = _theme(rng, touch, happy, cells.trouble[given])
    says = rng.random(size) < laws.COMMENTED
    written = comments.write(rng, people, person=person[says], theme=theme[says], happy=happy[says])
    tongue = says & (rng.random(size) < 0.9)
    touch[WEBSITE] += laws.RELAUNCH_LIFT * (month >= laws.RELAUNCH)  # liked, and nothing more: no other score sees it
    scores = [nps, csat, ces, *(1 + _cut(feeling, laws.RATING_CUTS, 1) for feeling in touch)]
    asked = [np.ones(size, dtype=bool), rng.random(size) < laws.ASKED_CSAT, rng.random(size) < laws.ASKED_CES]
    asked += [rng.random(size) < laws.ASKED_RATINGS] * len(laws.TOUCHPOINTS)
    question, place = np.nonzero(np.stack(asked))
    comment = np.where(says, np.cumsum(says) - 1, -1)
    skipped = np.stack([rng.random(size) < laws.SKIPPED for _ in QUESTIONS])
    beside = question == 0
    answers = Answers(
        place=place,
        question=question,
        score=np.stack(scores)[question, place],
        skipped=skipped[question, place],
        comment=np.where(beside, comment[place], -1),
        tongue=beside & tongue[place],
    )
    return answers, written


def _theme(rng: np.random.Generator, touch: Whole, happy: Flag, trouble: Flag) -> Whole:
    """What they would write about: what stood out, something in general, or what went wrong."""
    size = len(happy)
    general = rng.random(size) < 0.45
    stood_out = np.where(happy, touch.argmax(axis=0), touch.argmin(axis=0))
    theme = np.where(general, len(laws.TOUCHPOINTS) + (rng.random(size) < 0.4), stood_out)
    wrong = ~happy & trouble & (rng.random(size) < 0.7)
    return np.where(wrong, DELIVERY, theme)


def _staff(rng: np.random.Generator, after: int) -> tuple[Asked, Whole]:
    """Every quarter staff guess what customers feel; they do not see the breakdown."""
    quarter, who = np.divmod(np.arange(laws.STAFF * MONTHS // 3), laws.STAFF)
    month = quarter * 3 + 1
    asked = laws.clock(rng, laws.month_first(month) + laws.ASK_DAY[0], since=9, until=10)
    answered = asked + rng.integers(600, 9 * 3600, size=len(asked))
    here = rng.random(len(asked)) < laws.STAFF_ANSWER
    score = _cut(UNIT * laws.STAFF_MEAN + sum(laws.DRIVER_WEIGHT) * laws.noise(rng, len(asked)), laws.NPS_CUTS)
    nobody, web = np.full(len(asked), -1), np.full(len(asked), laws.ANSWER_CHANNELS.index("web"))
    return Asked(nobody, who + after, month, web, asked, answered, answered + 5, here), score[here]


def _guesses(after: int, score: Whole) -> Answers:
    none, no = np.full(len(score), -1), np.zeros(len(score), dtype=bool)
    return Answers(np.arange(len(score)) + after, none + 1, score, no, none, no)
