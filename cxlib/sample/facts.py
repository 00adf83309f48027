"""What is true of the sample company, in plain numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cxlib.sample import laws
from cxlib.sample.answers import Spread, Survey, chance_to_answer, expected_nps, wave
from cxlib.sample.laws import MONTHS, UNIT, Real, Whole
from cxlib.sample.people import People


def facts(people: People, survey: Survey, feedback_themes: pd.DataFrame) -> dict[str, Any]:
    """Everything a statistic can be tested against."""
    scores = _scores(people, survey)
    return {
        "since": str(laws.SINCE),
        "as_of": str(laws.AS_OF),
        "spells": len(people.start),
        "customers": len(np.unique(people.name)),
        "without_consent": len(np.unique(people.name[~people.consent])),
        "movement": {
            "month": str(wave(np.array([laws.BREAKDOWN]))[0]),
            "measure": "nps",
            "from": laws.NPS_TRUE[0],
            "to": laws.NPS_TRUE[1],
            "cause": f"each month {laws.TROUBLE[1]:.0%} of the customers have a delivery problem, before it was {laws.TROUBLE[0]:.0%}",
        },
        **scores,
        "staff": {"nps": _staff(), "note": "the same in every quarter: staff do not see the breakdown"},
        "hazards": _hazards(),
        "journeys": _journeys(),
        "campaigns": {
            "conversion_within_14_days_unless_bounced": dict(zip(("control", "message"), laws.CONVERTED, strict=True)),
            "bounced": laws.BOUNCED,
            "opened_of_delivered": laws.OPENED,
            "clicked_of_opened": laws.CLICKED,
            "control_share": laws.CONTROL,
        },
        "tickets": _tickets(),
        "audits": {"share_by_place": list(laws.PLACE_LEVEL), "harsh_auditor": f"B{laws.HARSH_AUDITOR + 1:05d}", "harsh": laws.HARSH},
        "themes": {"responses": _themes(survey.themes), "feedback": _themes(feedback_themes)},
    }


def _scores(people: People, survey: Survey) -> dict[str, Any]:
    """The exact expectation of every score, for the population and for those whom the tables hold."""
    cells = survey.cells
    keep = people.consent[cells.person]
    month, segment, persona = cells.month[keep], people.segment[cells.person][keep], people.persona[cells.person][keep]
    mood = survey.moods[month]
    answers = chance_to_answer(people, cells)[keep]
    asked = np.array(laws.ASKED_SHARE)[segment]
    nps = expected_nps(Spread((*laws.DRIVER_WEIGHT, laws.OWN_NOISE)), cells.mean(laws.DRIVER_WEIGHT)[keep] + mood)
    csat = _above((*laws.CSAT_WEIGHT, laws.CSAT_NOISE), laws.CSAT_CUTS[2], cells.mean(laws.CSAT_WEIGHT)[keep] + mood)
    # Halves are rounded down one person at a time, as in the answers themselves.
    own = (UNIT * cells.own[keep] + mood) // 2
    ces = _above((*laws.CES_WEIGHT, laws.CES_NOISE), laws.CES_CUTS[3], np.array(laws.CES_WEIGHT) @ cells.touch[:, keep] + own)
    everyone, after = np.ones(len(month)), (month >= laws.BREAKDOWN).astype(np.int64)
    return {
        "nps": {
            "note": "by month of the wave; a few answers come in the next month",
            "by_month": _by(wave(np.arange(MONTHS)), month, nps, everyone),
            "among_answers_by_month": _by(wave(np.arange(MONTHS)), month, nps, asked * answers),
            "among_answers_weighted_by_month": _by(wave(np.arange(MONTHS)), month, nps, answers),
            "by_segment_before": _by(laws.SEGMENTS, segment, nps, 1.0 - after),
            "by_segment_after": _by(laws.SEGMENTS, segment, nps, after),
            "by_persona_before": _by(laws.PERSONAS, persona, nps, 1.0 - after),
            "by_persona_after": _by(laws.PERSONAS, persona, nps, after),
        },
        "csat": {"by_month": _by(wave(np.arange(MONTHS)), month, csat, everyone)},
        "ces": {"by_month": _by(wave(np.arange(MONTHS)), month, ces, everyone)},
        "drivers": {
            "weights": dict(zip(laws.TOUCHPOINTS, laws.DRIVER_WEIGHT, strict=True)),
            "own_noise": laws.OWN_NOISE,
            "note": "each touchpoint varies alike; what it adds to the score grows with its weight; store adds nothing",
        },
        "answers": {
            "asked_share": dict(zip(laws.SEGMENTS, laws.ASKED_SHARE, strict=True)),
            "answer_share": laws.ANSWER_SHARE,
            "by_persona": dict(zip(laws.PERSONAS, laws.ANSWER_PERSONA, strict=True)),
            "by_segment": dict(zip(laws.SEGMENTS, laws.ANSWER_SEGMENT, strict=True)),
            "by_calendar_month": {str(key): value for key, value in laws.ANSWER_SEASON.items()},
        },
        "customers_by_month": dict(zip(map(str, wave(np.arange(MONTHS))), np.bincount(month, minlength=MONTHS).tolist(), strict=True)),
    }


def _above(weights: tuple[int, ...], cut: int, mean: Whole) -> Real:
    """Chance of an answer above a cut, in hundredths like the NPS."""
    return Spread(weights).above(UNIT * cut - mean)


def _by(names: Any, position: Whole, value: Real, weight: Any) -> dict[str, float | None]:
    """Weighted means of 100 × value, to two decimals, by name; None where nobody is."""
    size = len(names)
    total = np.bincount(position, weight, minlength=size)
    mean = 100 * np.bincount(position, weight * value, minlength=size) / np.where(total == 0, 1, total)
    return {str(name): round(float(one), 2) if some else None for name, one, some in zip(names, mean, total, strict=True)}


def _staff() -> float:
    spread = Spread((sum(laws.DRIVER_WEIGHT),))
    return round(100 * float(expected_nps(spread, np.array([UNIT * laws.STAFF_MEAN]))[0]), 2)


def _hazards() -> dict[str, Any]:
    return {
        "unit": "probability of leaving on a day; the reasons add up",
        "choice": dict(zip(laws.PLANS, laws.CHOICE_BY_PLAN, strict=True)),
        "choice_times": {
            "segment": dict(zip(laws.SEGMENTS, laws.CHOICE_SEGMENT, strict=True)),
            "tenure_days_at_first_of_month": dict(zip(("below 90", "90 to 364", "365 and more"), laws.CHOICE_TENURE, strict=True)),
            "lasting_feeling": dict(zip(("low", "middle", "high"), laws.CHOICE_LEVEL, strict=True)),
            "three_months_after_delivery_problem": laws.CHOICE_TROUBLE,
        },
        "payment failure": dict(zip(laws.PLANS, laws.PAYMENT_BY_PLAN, strict=True)),
        "closed": dict(zip(laws.SEGMENTS, laws.CLOSED_BY_SEGMENT, strict=True)),
        "moved": dict(zip(laws.SEGMENTS, laws.MOVED_BY_SEGMENT, strict=True)),
        "plan": "the plan of the month; customers.plan is the first one seen, attributes has the changes",
        "plan_changes_a_month": {"up": laws.PLAN_UP, "down": laws.PLAN_DOWN},
        "delivery_problem_a_month": dict(zip(("before", "from the breakdown"), laws.TROUBLE, strict=True)),
    }


def _journeys() -> dict[str, Any]:
    steps = [f"{first} to {then}" for first, then in zip(laws.STEPS, laws.STEPS[1:], strict=False)]
    return {
        "steps": list(laws.STEPS),
        "share_that_goes_on": {
            channel: dict(zip(steps, shares, strict=True)) for channel, shares in zip(laws.JOURNEY_CHANNELS, laws.STEP_SHARE, strict=True)
        },
        "basket_within": "25 minutes",
        "checkout_within": "15 minutes for four in five, otherwise one to three days later",
        "pay_within": "7 minutes",
        "deliver_within": "1 to 4 days, or 7 to 15 where it is late",
        "late_share": dict(zip(("before", "from the breakdown"), laws.TROUBLE, strict=True)),
        "browse_again_after_basket": laws.REWORK,
    }


def _tickets() -> dict[str, Any]:
    usual, slow = laws.RESOLVE_DAYS
    return {
        "a_month": laws.TICKETS,
        "a_month_after_delivery_problem": laws.TICKETS_TROUBLE,
        "days_to_resolve_equally_likely": {"otherwise": list(usual), "after a delivery problem": list(slow)},
        "reopened": laws.REOPENED,
    }


def _themes(planted: pd.DataFrame) -> dict[str, Any]:
    main, second = planted["theme"].value_counts(), planted["second"].value_counts()
    return {
        "comments": len(planted),
        "main": {str(name): int(main[name]) for name in sorted(main.index)},
        "second": {str(name): int(second[name]) for name in sorted(second.index)},
        "unhappy": int((~planted["happy"]).sum()),
    }
