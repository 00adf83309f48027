"""What customers feel: the sum of what touched them, who they are and chance, with the exact expectation of every score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from cxlib.sample import laws
from cxlib.sample.laws import MONTHS, UNIT, Flag, Real, Whole
from cxlib.sample.people import People

DELIVERY, SUPPORT, WEBSITE, BILLING, STORE = range(5)

#: What is the person's own lies between these; the counts below have a place for each whole number.
OWN_LOW = min(laws.SEGMENT_EFFECT) + min(laws.PLAN_EFFECT) + min(laws.PERSONA_EFFECT) - laws.LEVEL_REACH
OWN_HIGH = max(laws.SEGMENT_EFFECT) + max(laws.PLAN_EFFECT) + max(laws.PERSONA_EFFECT) + laws.LEVEL_REACH
#: Month, segment, persona, delivery problem, slow ticket, own feeling: the sides of the counts.
SIDES = (MONTHS, len(laws.SEGMENTS), len(laws.PERSONAS), 2, 2, OWN_HIGH - OWN_LOW + 1)


@dataclass(frozen=True)
class Cells:
    """Everyone who could be asked in a month: person, month, what went wrong, and what they feel by themselves."""

    person: Whole
    month: Whole
    trouble: Flag
    slow: Flag
    own: Whole

    def touch(self, chosen: Whole) -> Whole:
        """What the touchpoints feel like on average to some of them, a row a touchpoint."""
        touch = np.zeros((len(laws.TOUCHPOINTS), len(chosen)), dtype=np.int64)
        touch[DELIVERY] = self.trouble[chosen] * laws.TROUBLE_EFFECT
        touch[SUPPORT] = self.slow[chosen] * laws.SLOW_EFFECT
        return touch

    def counted(self, people: People) -> Whole:
        """How many there are of each kind, without those who gave no consent. It adds up over blocks."""
        keep = people.consent[self.person]
        person = self.person[keep]
        who = (self.month[keep], people.segment[person], people.persona[person])
        kind = (*who, self.trouble[keep].astype(np.int64), self.slow[keep].astype(np.int64), self.own[keep] - OWN_LOW)
        places = np.ravel_multi_index(kind, SIDES)
        return np.bincount(places, minlength=int(np.prod(SIDES))).reshape(SIDES)


def askable(people: People, slow: Flag) -> Cells:
    """The customers of each month and what they feel on average, the mood of the month left out."""
    person, month = people.cells(laws.month_first(np.arange(MONTHS)) + laws.ASK_DAY[0])
    own = (
        people.level[person]
        + np.array(laws.SEGMENT_EFFECT)[people.segment[person]]
        + np.array(laws.PLAN_EFFECT)[people.plans[person, month]]
        + np.array(laws.PERSONA_EFFECT)[people.persona[person]]
    )
    return Cells(person, month, people.trouble[person, month], slow[person, month], own)


def answer_chance(month: Whole, segment: Whole, persona: Whole) -> Real:
    """Chance to answer once asked."""
    chance: Real = laws.ANSWER_SHARE * laws.season(laws.ANSWER_SEASON, month)
    return np.asarray(chance * np.array(laws.ANSWER_PERSONA)[persona] * np.array(laws.ANSWER_SEGMENT)[segment], dtype=float)


def bell(half: int) -> Real:
    """The distribution of a `laws.noise`: how likely each whole number is, from the lowest on."""
    one = np.ones(2 * half + 1) / (2 * half + 1)
    return np.convolve(np.convolve(one, one), one)


class Spread:
    """The exact distribution of a weighted sum of the noises: the chance to lie above a whole number."""

    def __init__(self, weights: Sequence[int]) -> None:
        one = bell(laws.HALF_WIDTH)
        self.reach = sum(weights) * laws.HALF_WIDTH * laws.DRAWS
        chances = np.ones(1)
        for weight in weights:
            if weight:
                stretched = np.zeros((len(one) - 1) * weight + 1)
                stretched[::weight] = one
                chances = np.convolve(chances, stretched)
        self.above_reach = np.append(1.0 - np.cumsum(chances), 0.0).clip(0.0, 1.0)

    def above(self, cut: Whole) -> Real:
        """P(noise > cut)."""
        known: Real = self.above_reach[np.clip(cut + self.reach, 0, len(self.above_reach) - 1)]
        return np.where(cut < -self.reach, 1.0, known)


@cache
def spread(*weights: int) -> Spread:
    """The spread of these weights."""
    return Spread(weights)


def felt(weights: Sequence[int]) -> Whole:
    """What touches a customer, weighed: without or with a delivery problem, without or with a slow ticket."""
    trouble, slow = weights[DELIVERY] * laws.TROUBLE_EFFECT, weights[SUPPORT] * laws.SLOW_EFFECT
    return np.array([[0, slow], [trouble, trouble + slow]])[:, :, None]


def mean_nps() -> Whole:
    """What enters the NPS of each kind of customer, the mood left out: a place for each of the last three of `SIDES`."""
    return felt(laws.DRIVER_WEIGHT) + UNIT * np.arange(OWN_LOW, OWN_HIGH + 1)


def expected_nps(mean: Whole) -> Real:
    """Expected promoter less detractor of somebody with this mean, as a share."""
    return nps_of(spread(*laws.DRIVER_WEIGHT, laws.OWN_NOISE), mean)


def nps_of(chances: Spread, mean: Whole) -> Real:
    """Expected promoter less detractor, where chance is spread like this."""
    return chances.above(UNIT * laws.NPS_CUTS[8] - mean) + chances.above(UNIT * laws.NPS_CUTS[6] - mean) - 1.0


def moods(counted: Whole) -> Whole:
    """What is added to everybody's feeling in a month, so that the true NPS of the month is the law's.

    Found by halving over whole numbers; the truth that is written down is computed from the result.
    """
    alike = counted.sum(axis=(1, 2))
    heads = np.maximum(alike.sum(axis=(1, 2, 3)), 1)
    target = np.where(np.arange(MONTHS) < laws.BREAKDOWN, *laws.NPS_TRUE)
    low, high = np.full(MONTHS, -4000, dtype=np.int64), np.full(MONTHS, 4000, dtype=np.int64)
    while (high - low > 1).any():
        middle = (low + high) // 2
        value = expected_nps(mean_nps() + middle[:, None, None, None])
        reached = 100 * (alike * value).sum(axis=(1, 2, 3)) / heads
        low, high = np.where(reached < target, middle, low), np.where(reached < target, high, middle)
    return high
