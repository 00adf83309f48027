"""Whom the company asks, who answers, and what they say; with the exact expectation of every score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.sample import comments, laws, service
from cxlib.sample.laws import MONTHS, UNIT, Flag, Real, Whole
from cxlib.sample.people import People, named, only, times

#: Days from being asked to answering, equally likely: most soon, a few after weeks.
DELAY_DAYS = (0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 8, 13, 24)
DELIVERY, SUPPORT, WEBSITE, BILLING, STORE = range(5)


@dataclass(frozen=True)
class Cells:
    """Everyone who could be asked in a month: person, month, and the mean of what they feel at each touchpoint."""

    person: Whole
    month: Whole
    touch: Whole
    own: Whole

    def mean(self, weights: Sequence[int], share: int = UNIT) -> Whole:
        """Mean of a feeling that weighs the touchpoints, and ``share`` twentieths of what is the person's own."""
        total: Whole = np.array(weights) @ self.touch + share * self.own
        return total


def askable(people: People, slow: Flag) -> Cells:
    """The customers of each month and what they feel on average, the mood of the month left out."""
    person, month = people.cells(laws.month_first(np.arange(MONTHS)) + laws.ASK_DAY[0])
    touch = np.zeros((len(laws.TOUCHPOINTS), len(person)), dtype=np.int64)
    touch[DELIVERY] = people.trouble[person, month] * laws.TROUBLE_EFFECT
    touch[SUPPORT] = slow[person, month] * laws.SLOW_EFFECT
    own = (
        people.level[person]
        + np.array(laws.SEGMENT_EFFECT)[people.segment[person]]
        + np.array(laws.PLAN_EFFECT)[people.plans[person, month]]
        + np.array(laws.PERSONA_EFFECT)[people.persona[person]]
    )
    return Cells(person, month, touch, own)


class Spread:
    """The exact distribution of a weighted sum of the noises: the chance to lie above a whole number."""

    def __init__(self, weights: Sequence[int]) -> None:
        one = np.ones(2 * laws.HALF_WIDTH + 1)
        bell = np.convolve(np.convolve(one, one), one)
        self.reach = sum(weights) * laws.HALF_WIDTH * laws.DRAWS
        chances = np.ones(1)
        for weight in weights:
            if weight:
                stretched = np.zeros((len(bell) - 1) * weight + 1)
                stretched[::weight] = bell / bell.sum()
                chances = np.convolve(chances, stretched)
        self.above_reach = np.append(1.0 - np.cumsum(chances), 0.0).clip(0.0, 1.0)

    def above(self, cut: Whole) -> Real:
        """P(noise > cut)."""
        known: Real = self.above_reach[np.clip(cut + self.reach, 0, len(self.above_reach) - 1)]
        return np.where(cut < -self.reach, 1.0, known)


def expected_nps(spread: Spread, mean: Whole) -> Real:
    """Expected promoter less detractor of each person, as a share."""
    return spread.above(UNIT * laws.NPS_CUTS[8] - mean) + spread.above(UNIT * laws.NPS_CUTS[6] - mean) - 1.0


def moods(people: People, cells: Cells) -> Whole:
    """What is added to everybody's feeling in a month, so that the true NPS of the month is the law's.

    Found by halving over whole numbers; the truth that is written down is computed from the result.
    """
    spread = Spread((*laws.DRIVER_WEIGHT, laws.OWN_NOISE))
    asked = people.consent[cells.person]
    mean, month = cells.mean(laws.DRIVER_WEIGHT)[asked], cells.month[asked]
    target = np.where(np.arange(MONTHS) < laws.BREAKDOWN, *laws.NPS_TRUE)
    low, high = np.full(MONTHS, -4000, dtype=np.int64), np.full(MONTHS, 4000, dtype=np.int64)
    heads = np.maximum(np.bincount(month, minlength=MONTHS), 1)
    while (high - low > 1).any():
        middle = (low + high) // 2
        reached = 100 * np.bincount(month, expected_nps(spread, mean + middle[month]), minlength=MONTHS) / heads
        low, high = np.where(reached < target, middle, low), np.where(reached < target, high, middle)
    return high


@dataclass(frozen=True)
class Survey:
    """The survey's tables, the themes planted in comments, and what the truth needs."""

    invitations: pd.DataFrame
    responses: pd.DataFrame
    themes: pd.DataFrame
    moods: Whole
    cells: Cells


def chance_to_answer(people: People, cells: Cells) -> Real:
    """Chance of each askable customer to answer once asked."""
    person = cells.person
    chance: Real = laws.ANSWER_SHARE * laws.season(laws.ANSWER_SEASON, cells.month)
    chance = chance * np.array(laws.ANSWER_PERSONA)[people.persona[person]]
    return np.asarray(chance * np.array(laws.ANSWER_SEGMENT)[people.segment[person]], dtype=float)


def wave(month: Whole) -> np.ndarray:
    """The name of a month's wave: 2026-02."""
    names: np.ndarray = np.datetime_as_string(laws.SINCE.astype("datetime64[M]") + month).astype(object)
    return names


@dataclass(frozen=True)
class Asked:
    """What happens to each cell that is asked, in order of asking: the cell, the channel, and when (seconds)."""

    cell: Whole
    channel: Whole
    asked: Whole
    answered: Whole
    received: Whole
    answers: Flag


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
    paper = (channel >= 3) & (rng.random(size) < laws.LATE)
    late = laws.clock(rng, answered // 86400 + rng.integers(5, 50, size=size))
    received = np.where(paper, late, answered + rng.integers(1, 90, size=size))
    answers = (rng.random(size) < chance_to_answer(people, cells)[cell]) & (received < (laws.LAST_DAY + 1) * 86400)
    return Asked(cell, channel, asked, answered, received, answers)


def survey(people: People, slow: Flag, seed: int) -> Survey:
    """One wave a month: invitations by segment, answers, comments; and the staff's guesses."""
    rng = laws.stream(seed, 5)
    cells = askable(people, slow)
    mood = moods(people, cells)
    asked = _asked(rng, people, cells)
    told = pd.DataFrame(
        {
            "respondent": people.name[cells.person[asked.cell]],
            "role": "customer",
            "wave": wave(cells.month[asked.cell]),
            "channel": named(laws.ANSWER_CHANNELS, asked.channel),
            "time_asked": times(asked.asked),
        }
    )
    weight = np.round(1 / np.array(laws.ASKED_SHARE), 4)[people.segment[cells.person[asked.cell]]]
    whole = told.assign(weight=weight, time_answered=times(asked.answered), time_received=times(asked.received))
    answering = np.flatnonzero(asked.answers)
    rows, themes = _answers(rng, people, cells, asked.cell[answering], mood)
    given = whole.iloc[answering[rows.pop("place").to_numpy()]].reset_index(drop=True)
    staff, guesses = _staff(laws.stream(seed, 6))
    invitations = pd.concat([told, staff], ignore_index=True).assign(touchpoint=None)
    invitations = invitations.sort_values(["time_asked", "respondent"], ignore_index=True)
    invitations.insert(0, "invitation", service.numbered("I", len(invitations)))
    responses = pd.concat([pd.concat([given, rows], axis=1), guesses], ignore_index=True)
    responses = responses.sort_values(["time_received", "respondent"], kind="stable", ignore_index=True)
    return Survey(invitations, responses, themes, mood, cells)


def _cut(feeling: Whole, cuts: tuple[int, ...], unit: int = UNIT) -> Whole:
    return np.searchsorted(np.array(cuts) * unit, feeling, side="left").astype(np.int64)


def _answers(rng: np.random.Generator, people: People, cells: Cells, given: Whole, mood: Whole) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The scores of those who answer, one row an answer, with its place in ``given``; and the planted themes."""
    size = len(given)
    own = UNIT * cells.own[given] + mood[cells.month[given]]
    touch = cells.touch[:, given] + np.stack([laws.noise(rng, size) for _ in laws.TOUCHPOINTS])
    nps = _cut(np.array(laws.DRIVER_WEIGHT) @ touch + own + laws.OWN_NOISE * laws.noise(rng, size), laws.NPS_CUTS)
    csat = 1 + _cut(np.array(laws.CSAT_WEIGHT) @ touch + own + laws.CSAT_NOISE * laws.noise(rng, size), laws.CSAT_CUTS)
    ces = 1 + _cut(np.array(laws.CES_WEIGHT) @ touch + own // 2 + laws.CES_NOISE * laws.noise(rng, size), laws.CES_CUTS)
    person = cells.person[given]
    happy = (nps >= 9) | ((nps >= 7) & (rng.random(size) < 0.5))
    general = rng.random(size) < 0.45
    theme = np.where(general, 5 + (rng.random(size) < 0.4), np.where(happy, touch.argmax(axis=0), touch.argmin(axis=0)))
    felt = ~happy & people.trouble[person, cells.month[given]] & (rng.random(size) < 0.7)
    theme = np.where(felt, DELIVERY, theme)
    says = rng.random(size) < laws.COMMENTED
    text = np.full(size, None, dtype=object)
    written = comments.write(rng, people, person=person[says], theme=theme[says], happy=happy[says])
    text[says] = written.texts
    language = only(says & (rng.random(size) < 0.9), comments.languages(people, person))
    blank = np.full(size, None, dtype=object)
    parts = [("nps", nps, np.ones(size, dtype=bool), blank, text, language)]
    for name, score, share in (("csat", csat, laws.ASKED_CSAT), ("ces", ces, laws.ASKED_CES)):
        parts.append((name, score, rng.random(size) < share, blank, blank, blank))
    long = rng.random(size) < laws.ASKED_RATINGS
    for place, touchpoint in enumerate(laws.TOUCHPOINTS):
        at = np.full(size, touchpoint, dtype=object)
        parts.append((f"rating_{touchpoint}", 1 + _cut(touch[place], laws.RATING_CUTS, 1), long, at, blank, blank))
    frames = []
    for name, score, asked, at, words, tongue in parts:
        skipped = rng.random(size) < laws.SKIPPED
        frames.append(
            pd.DataFrame(
                {
                    "place": np.flatnonzero(asked),
                    "question": name,
                    "score": pd.array(np.where(skipped, 0, score)[asked], dtype="Int64"),
                    "touchpoint": at[asked],
                    "comment": words[asked],
                    "language": tongue[asked],
                    "skipped": skipped[asked],
                }
            )
        )
    rows = pd.concat(frames, ignore_index=True)
    rows["score"] = rows["score"].mask(rows.pop("skipped"))
    themes = service.planted(written)
    return rows, themes


def _staff(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every quarter staff guess what customers feel; they do not see the breakdown."""
    quarter, who = np.divmod(np.arange(laws.STAFF * MONTHS // 3), laws.STAFF)
    month = quarter * 3 + 1
    asked = laws.clock(rng, laws.month_first(month) + laws.ASK_DAY[0], since=9, until=10)
    answered = asked + rng.integers(600, 9 * 3600, size=len(asked))
    here = rng.random(len(asked)) < 0.8
    score = _cut(UNIT * laws.STAFF_MEAN + sum(laws.DRIVER_WEIGHT) * laws.noise(rng, len(asked)), laws.NPS_CUTS)
    names = np.char.add("S", np.char.zfill((who + 1).astype(str), 3)).astype(object)
    told = pd.DataFrame({"respondent": names, "role": "staff", "wave": wave(month), "channel": "web", "time_asked": times(asked)})
    guesses = told.assign(
        question="nps", score=pd.array(score, dtype="Int64"), weight=1.0, time_answered=times(answered), time_received=times(answered + 5)
    )
    return told, guesses[here].reset_index(drop=True)
