"""The laws of the sample company: every number that is true of it, in one place.

Nothing here is estimated. Latent quantities are whole numbers, and every draw is a uniform or a
whole number of a PCG64 stream, so that the tables are the same to the byte on every machine.
Customers live in blocks of `BLOCK`, each with its own streams: where a block ends is part of the law.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Whole: TypeAlias = npt.NDArray[np.int64]
Real: TypeAlias = npt.NDArray[np.float64]
Flag: TypeAlias = npt.NDArray[np.bool_]

SEED: Final = 12  # of the first dozen the one in which chance misleads least about what is true
CUSTOMERS: Final = 1500
BLOCK: Final = 10_000

# The calendar: days and seconds are counted from SINCE. Customers join from 60 months earlier on.
SINCE: Final = np.datetime64("2024-07-01", "D")
AS_OF: Final = np.datetime64("2026-06-30", "D")
MONTHS: Final = 24
BEFORE: Final = 60
MONTH_START: Final[Whole] = (np.arange("2019-07", "2026-08", dtype="datetime64[M]").astype("datetime64[D]") - SINCE).astype(np.int64)
LAST_DAY: Final = int((AS_OF - SINCE).astype(np.int64))
NEVER: Final = 10**6
CALENDAR_MONTH: Final[Whole] = np.arange(BEFORE + MONTHS, dtype=np.int64) % 12 + 7 - 12 * (np.arange(BEFORE + MONTHS) % 12 >= 6)

# Who the customers are. Shares are parts of the customers who join.
SEGMENTS: Final = ("Home", "Office", "Hospitality")
SEGMENT_SHARE: Final = (0.70, 0.20, 0.10)
PERSONAS: Final = ("Explorer", "Regular", "Bargain hunter", "Devotee")
PERSONA_SHARE: Final = (0.25, 0.40, 0.20, 0.15)
PLANS: Final = ("Basic", "Plus", "Premium")
PLAN_SHARE: Final = ((0.50, 0.35, 0.15), (0.30, 0.45, 0.25), (0.20, 0.40, 0.40))
REGIONS: Final = ("North", "Centre", "South", "Islands")
REGION_SHARE: Final = (0.42, 0.28, 0.20, 0.10)
LANGUAGES: Final = ("en", "it", "ro", "es", "zh-Hant")
LANGUAGE_SHARE: Final = (0.25, 0.40, 0.12, 0.13, 0.10)
CONSENT_NO: Final = 0.03
JOIN_SEASON: Final = {1: 1.3, 2: 1.0, 3: 1.0, 4: 0.9, 5: 0.9, 6: 0.8, 7: 0.7, 8: 0.6, 9: 1.2, 10: 1.1, 11: 1.3, 12: 1.2}
PLAN_UP, PLAN_DOWN = 0.003, 0.002  # a month

# Why they leave: events a day. Choice is multiplied by segment, tenure, level and recent trouble.
REASONS: Final = ("choice", "payment failure", "closed", "moved")
CHOICE_BY_PLAN: Final = (110e-5, 70e-5, 45e-5)
CHOICE_SEGMENT: Final = (1.0, 0.7, 0.8)
TENURE_UNTIL: Final = (90, 365)  # days at the first of the month
HORIZONS: Final = (90, 365)  # days after joining, for which the truth tells who has left
CHOICE_TENURE: Final = (1.8, 1.0, 0.6)
LEVEL_CUTS: Final = (-26, 26)
CHOICE_LEVEL: Final = (1.5, 1.0, 0.7)
CHOICE_TROUBLE: Final = 2.0  # in the three months after a delivery problem
PAYMENT_BY_PLAN: Final = (25e-5, 18e-5, 10e-5)
CLOSED_BY_SEGMENT: Final = (0.0, 12e-5, 25e-5)
MOVED_BY_SEGMENT: Final = (10e-5, 4e-5, 4e-5)

# The monthly delivery, and what happens to this company: deliveries break down, and earlier the website
# is made anew. That is liked, and changes nothing else: not what is recommended, nor how easy things are.
BREAKDOWN: Final = 19  # 2026-02, counted from SINCE
TROUBLE: Final = (0.05, 0.37)  # a month: before the breakdown, and from it on
NPS_TRUE: Final = (38.0, 24.0)
RELAUNCH: Final = 12  # 2025-07
RELAUNCH_LIFT: Final = 45  # latent, on the rating of the website

# What they feel: a touchpoint is the sum of three draws from -100..100, less what went wrong.
TOUCHPOINTS: Final = ("delivery", "support", "website", "billing", "store")
DRIVER_WEIGHT: Final = (8, 5, 3, 2, 0)
OWN_NOISE: Final = 8
LEVEL_HALF_WIDTH, ACCOUNT_HALF_WIDTH = 60, 40  # lasting feeling: three draws of a person, and three of the account
HALF_WIDTH: Final = 100
DRAWS: Final = 3
LEVEL_REACH: Final = DRAWS * (LEVEL_HALF_WIDTH + ACCOUNT_HALF_WIDTH)
TROUBLE_EFFECT: Final = -200  # on delivery, in the month of the problem
SLOW_EFFECT: Final = -120  # on support, in the month of a ticket of more than seven days
UNIT: Final = 20  # latent points of the overall feeling: effects below are multiplied by it
SEGMENT_EFFECT: Final = (0, -12, -35)
PLAN_EFFECT: Final = (-10, 0, 15)
PERSONA_EFFECT: Final = (5, 0, -20, 25)
NPS_CUTS: Final = (-268, -247, -226, -205, -184, -152, -113, -52, -5, 52)
CSAT_CUTS: Final = (-230, -165, -100, 25)
CES_CUTS: Final = (-230, -190, -140, -90, -10, 85)
RATING_CUTS: Final = (-190, -120, -45, 45)
CSAT_WEIGHT, CSAT_NOISE = DRIVER_WEIGHT, 12
CES_WEIGHT, CES_NOISE = (2, 6, 10, 0, 0), 12

# Whom the company asks, and who answers.
ASKED_SHARE: Final = (0.40, 0.50, 0.80)  # by segment; the design weight is its inverse
ANSWER_SHARE: Final = 0.30
ANSWER_PERSONA: Final = (1.0, 1.0, 0.7, 1.4)
ANSWER_SEGMENT: Final = (1.0, 0.9, 0.8)
ANSWER_SEASON: Final = {8: 0.75, 12: 0.85}
ASK_DAY: Final = (14, 19)  # day of the month, from 0
ANSWER_CHANNELS: Final = ("e-mail", "app", "web", "store", "phone")
CHANNEL_SHARE: Final = (0.58, 0.20, 0.12, 0.06, 0.04)
ASKED_CSAT, ASKED_CES, ASKED_RATINGS = 0.6, 0.4, 0.25
SKIPPED: Final = 0.015
COMMENTED: Final = 0.35
ON_PAPER: Final = 3  # from this channel on answers reach the company late
LATE: Final = 0.8  # of the answers in shops and by telephone
LATE_BY_DAYS: Final = (5, 50)
STAFF, STAFF_ANSWER = 32, 0.8
STAFF_MEAN: Final = 40  # latent: staff think customers happier than they are, and do not see the breakdown

# What they do. Season acts on journeys, orders and tickets, never on the scores.
SEASON: Final = {1: 0.9, 2: 0.9, 3: 1.0, 4: 1.0, 5: 1.0, 6: 0.9, 7: 0.8, 8: 0.6, 9: 1.0, 10: 1.1, 11: 1.3, 12: 1.6}
STEPS: Final = ("browse", "basket", "checkout", "pay", "deliver")
JOURNEY_CHANNELS: Final = ("web", "app")
STEP_SHARE: Final = ((0.64, 0.76, 0.90, 0.98), (0.58, 0.70, 0.86, 0.98))
JOURNEYS: Final = 0.25  # cases a customer and month, unless a company is told with more
MOST_JOURNEYS: Final = 30
SLEEPS_ON_IT: Final = 0.20  # of the baskets are taken to checkout days later, and not at once
# From step to step, in seconds and in days; the upper end is not reached.
TO_BASKET, TO_CHECKOUT, TO_PAY = (60, 1500), (30, 900), (40, 420)
SLEPT_DAYS, DELIVERY_DAYS, LATE_DAYS = (1, 4), (1, 5), (7, 16)
REWORK: Final = 0.10  # of the baskets are taken up again before checkout
STORE_ORDERS: Final = 0.10
REFUNDS: Final = 0.02
PRICE_CENTS: Final = ((1900, 3400, 5900), (5700, 10200, 17700), (11400, 20400, 35400))
MARGIN_PERCENT: Final = (32, 38, 44)
ORDER_MARGIN_PERCENT: Final = 30
ORDER_CENTS: Final = (1290, 1590, 1890, 2490, 3250)  # equally likely
ORDER_CHANNELS: Final = (*JOURNEY_CHANNELS, "phone", "store")

# How they are helped.
TOPICS: Final = ("delivery", "billing", "website", "product", "account")
TOPIC_SHARE: Final = (0.15, 0.30, 0.20, 0.20, 0.15)
TICKETS: Final = 0.03
TICKETS_TROUBLE: Final = 0.45
RESOLVE_DAYS: Final = ((0, 1, 1, 2, 2, 3, 4, 5, 8, 12), (2, 3, 5, 6, 8, 9, 11, 14, 20, 35))  # equally likely: otherwise, and after trouble
SLOW_DAYS: Final = 7
REOPENED: Final = 0.08
FEEDBACK, FEEDBACK_TROUBLE = 0.03, 0.14
THEME_SHARE: Final = (0.10, 0.14, 0.16, 0.10, 0.10, 0.24, 0.16)  # where nothing went wrong

# What they write about; the first themes are the touchpoints.
THEMES: Final = (*TOUCHPOINTS, "product", "price")
SECOND_THEME, TURNS, REACH_ME = 0.20, 0.35, 0.05
WITHOUT_DIACRITICS, CEDILLA = 0.30, 0.10

# What reaches them: campaign, month, day of the month; conversion within 14 days in each arm.
CAMPAIGNS: Final = (
    ("Autumn roasts 2024", 2, 17),
    ("Christmas box 2024", 4, 25),
    ("Spring tasting 2025", 9, 8),
    ("Autumn roasts 2025", 14, 16),
    ("Christmas box 2025", 16, 24),
    ("Apology voucher 2026", 21, 7),
)
REACHED, CONTROL = 0.45, 0.20
BOUNCED, OPENED, CLICKED = 0.02, 0.40, 0.24
CONVERTED: Final = (0.045, 0.095)  # control, message

PLACES: Final = 14
ITEMS: Final = ("greeting", "waiting time", "cleanliness", "price labels", "stock", "coffee served", "receipt offered", "farewell")
PLACE_LEVEL: Final = (0.92, 0.90, 0.88, 0.88, 0.86, 0.85, 0.84, 0.84, 0.82, 0.80, 0.78, 0.75, 0.70, 0.62)
AUDITORS: Final = 4
HARSH_AUDITOR, HARSH = 3, -0.08


def stream(seed: int, room: int, block: int = 0) -> np.random.Generator:
    """The random numbers of one room and block, so that a change in one leaves the others as they were."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, room, block])))


def pick(rng: np.random.Generator, shares: tuple[float, ...], size: int) -> Whole:
    """Positions drawn with the given shares."""
    return np.searchsorted(np.cumsum(shares)[:-1], rng.random(size), side="right").astype(np.int64)


def noise(rng: np.random.Generator, size: int, *, half: int = HALF_WIDTH) -> Whole:
    """A bell of whole numbers around 0: the sum of three draws from ``-half`` to ``half``."""
    total: Whole = rng.integers(-half, half + 1, size=(DRAWS, size)).sum(axis=0)
    return total


def season(table: dict[int, float], months: Whole) -> Real:
    """The factor of each month, counted from SINCE."""
    factors = np.array([table.get(month, 1.0) for month in range(1, 13)])
    chosen: Real = factors[CALENDAR_MONTH[months + BEFORE] - 1]
    return chosen


def month_first(months: Whole) -> Whole:
    """First day of each month, counted in days from SINCE."""
    first: Whole = MONTH_START[months + BEFORE]
    return first


def month_of(days: Whole) -> Whole:
    """Month of each day, counted from SINCE."""
    return np.searchsorted(MONTH_START, days, side="right").astype(np.int64) - 1 - BEFORE


def clock(rng: np.random.Generator, days: Whole, *, since: int = 8, until: int = 21) -> Whole:
    """Seconds from SINCE: a moment of each day in local time, away from the hours that clocks change in."""
    return days * 86400 + rng.integers(since * 3600, until * 3600, size=len(days))
