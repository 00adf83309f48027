"""What is true of the sample company, in plain numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cxlib.sample import laws
from cxlib.sample.answers import STAFF_IDS, Survey, wave
from cxlib.sample.comments import Written
from cxlib.sample.feelings import OWN_HIGH, OWN_LOW, SIDES, WEBSITE, answer_chance, expected_nps, felt, mean_nps, nps_of, spread
from cxlib.sample.laws import MONTHS, UNIT, Real, Whole
from cxlib.sample.leaving import incidence
from cxlib.sample.people import People

NAMES = wave(np.arange(MONTHS))
SOURCES = ("responses", "feedback")


@dataclass
class Tally:
    """What is counted while the blocks go by; everything adds up."""

    rows: Counter[str] = field(default_factory=Counter)
    without_consent: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    cases: int = 0
    themes: dict[str, Counter[str]] = field(default_factory=lambda: {source: Counter() for source in SOURCES})
    said: Whole = field(default_factory=lambda: np.zeros((2, len(laws.THEMES) + 1, 3), dtype=np.int64))
    worth: Whole = field(default_factory=lambda: np.zeros((MONTHS, 3), dtype=np.int64))

    def count(self, people: People, tables: dict[str, Any]) -> None:
        """Count the people and rows of a block."""
        silent = np.zeros(len(people.ids) + len(STAFF_IDS) + 1, dtype=bool)
        silent[people.number[~people.consent]] = True
        self.people["spells"] += len(people.start)
        self.people["customers"] += len(people.ids)
        self.people["without_consent"] += int(silent.sum())
        self.people["observed_from_the_first_day_only"] += int((people.start < 0).sum())
        for name, table in tables.items():
            self.rows[name] += table.num_rows
            for person in {"customer", "respondent"} & set(table.column_names):
                codes = table[person].combine_chunks().indices.fill_null(-1)
                self.without_consent[name] += int(silent[codes.to_numpy()].sum())

    def hear(self, source: str, written: Written) -> None:
        """Count what was planted in comments."""
        for kind, theme in (("main", written.theme), ("second", written.second)):
            for place, size in enumerate(np.bincount(theme[theme >= 0], minlength=len(laws.THEMES))):
                self.themes[source][f"{kind} {laws.THEMES[place]}"] += int(size)
        self.themes[source]["unhappy"] += int((~written.happy).sum())

    def score(self, survey: Survey) -> None:
        """Count answers, promoters and detractors beside comments: by main theme, and by any theme mentioned; in all in the last row."""
        given, written = survey.score >= 0, survey.written
        score = survey.score[given]
        each = np.stack([np.ones(len(score), dtype=np.int64), score >= 9, score <= 6], axis=1)
        both = np.stack([written.theme, written.second])[:, given]
        for theme in range(len(laws.THEMES)):
            self.said[0, theme] += each[both[0] == theme].sum(axis=0)
            self.said[1, theme] += each[(both == theme).any(axis=0)].sum(axis=0)
        self.said[:, -1] += each.sum(axis=0)


def facts(counted: Whole, mood: Whole, tally: Tally, *, journeys: float) -> dict[str, Any]:
    """Everything a statistic can be tested against."""
    scores = _scores(counted, mood)
    return {
        "made_by": "cxlib sample",
        "since": str(laws.SINCE),
        "as_of": str(laws.AS_OF),
        **tally.people,
        "movements": _movements(scores),
        "scores_are": "nps in points; csat percent of 4 and 5, ces percent of 5 to 7, ratings percent of 4 and 5",
        "no_movement": ["rating_billing", "rating_store", "nps of staff"],
        **scores,
        "causes": _causes(counted, mood),
        "staff": {
            "nps": _staff(),
            "answer_share": laws.STAFF_ANSWER,
            "note": "asked every quarter, the same in each: staff do not see the breakdown",
        },
        **_stated(journeys),
        "cumulative_incidence": incidence(),
        "value": _value(tally.worth),
        "themes": {source: _themes(tally.themes[source]) for source in SOURCES},
        "theme_effects": _theme_effects(tally.said),
    }


def _pairs(names: Any, values: Any) -> dict[str, Any]:
    return {str(name): value for name, value in zip(names, values, strict=True)}


def _months(table: dict[int, float]) -> dict[str, float]:
    return {str(month): factor for month, factor in table.items()}


def _scores(counted: Whole, mood: Whole) -> dict[str, Any]:
    """The exact expectation of every score, for the population and for those whom the tables hold."""
    month, segment, persona = np.indices(SIDES[:3])
    asked, answers = np.array(laws.ASKED_SHARE)[segment], answer_chance(month, segment, persona)
    heads = counted.sum(axis=(3, 4, 5))
    moods = mood[:, None, None, None]
    own = np.arange(OWN_LOW, OWN_HIGH + 1)

    def value(each: Real) -> Real:
        """Of each month, segment and persona the sum over its customers of 100 times this."""
        return np.asarray(100 * (counted * each[:, None, None]).sum(axis=(3, 4, 5)))

    nps = value(expected_nps(mean_nps() + moods))
    csat = value(spread(*laws.CSAT_WEIGHT, laws.CSAT_NOISE).above(UNIT * laws.CSAT_CUTS[2] - felt(laws.CSAT_WEIGHT) - UNIT * own - moods))
    # Halves are rounded down one person at a time, as in the answers themselves.
    halves = (UNIT * own + moods) // 2
    ces = value(spread(*laws.CES_WEIGHT, laws.CES_NOISE).above(UNIT * laws.CES_CUTS[3] - felt(laws.CES_WEIGHT) - halves))
    after = month >= laws.BREAKDOWN
    ratings = {}
    for place, touchpoint in enumerate(laws.TOUCHPOINTS):
        mean = felt([int(place == other) for other in range(len(laws.TOUCHPOINTS))]) + 0 * moods
        mean = mean + laws.RELAUNCH_LIFT * (place == WEBSITE) * (np.arange(MONTHS) >= laws.RELAUNCH)[:, None, None, None]
        each = value(spread(1).above(laws.RATING_CUTS[2] - mean))
        ratings[touchpoint] = {"by_month": _by(NAMES, month, each, heads)}
    return {
        "nps": {
            "note": "by month of the wave; a few answers come in the next month",
            "by_month": _by(NAMES, month, nps, heads),
            "among_answers_by_month": _by(NAMES, month, nps * asked * answers, heads * asked * answers),
            "among_answers_weighted_by_month": _by(NAMES, month, nps * answers, heads * answers),
            "by_segment_before": _by(laws.SEGMENTS, segment, nps * ~after, heads * ~after),
            "by_segment_after": _by(laws.SEGMENTS, segment, nps * after, heads * after),
            "by_persona_before": _by(laws.PERSONAS, persona, nps * ~after, heads * ~after),
            "by_persona_after": _by(laws.PERSONAS, persona, nps * after, heads * after),
        },
        "csat": {"by_month": _by(NAMES, month, csat, heads)},
        "ces": {"by_month": _by(NAMES, month, ces, heads)},
        "ratings_top_two": ratings,
        "customers_by_month": _pairs(NAMES, counted.sum(axis=(1, 2, 3, 4, 5)).tolist()),
    }


def _by(names: Any, position: Whole, total: Real, heads: Real) -> dict[str, float | None]:
    """Means to two decimals, by name; None where nobody is."""
    size, position = len(names), position.ravel()
    top, base = (np.bincount(position, np.asarray(part, dtype=float).ravel(), minlength=size) for part in (total, heads))
    return {str(name): round(float(a / b), 2) if b else None for name, a, b in zip(names, top, base, strict=True)}


def _movements(scores: dict[str, Any]) -> list[dict[str, Any]]:
    """Every real movement of a score: the month, and its mean over the months before and from it on."""
    broken = f"{laws.TROUBLE[1]:.0%} of the customers have a delivery problem each month; before, {laws.TROUBLE[0]:.0%}"
    liked = "the website is made anew; it is liked, and changes no other score"
    months = {name: scores[name]["by_month"] for name in ("csat", "ces")}
    months |= {f"rating_{name}": scores["ratings_top_two"][name]["by_month"] for name in ("delivery", "support", "website")}
    nps = {"measure": "nps", "month": NAMES[laws.BREAKDOWN], "from": laws.NPS_TRUE[0], "to": laws.NPS_TRUE[1], "cause": broken}
    others = ((name, (laws.RELAUNCH, liked) if name == "rating_website" else (laws.BREAKDOWN, broken)) for name in months)
    return [nps, *({"measure": name, **_moved(months[name], month), "cause": cause} for name, (month, cause) in others)]


def _moved(by_month: dict[str, float | None], month: int) -> dict[str, Any]:
    values = list(by_month.values())
    before, after = ([value for value in part if value is not None] for part in (values[:month], values[month:]))
    means = [round(sum(part) / len(part), 2) if part else None for part in (before, after)]
    return {"month": NAMES[month], "from": means[0], "to": means[1]}


def _causes(counted: Whole, mood: Whole) -> dict[str, Any]:
    """What each thing that goes wrong does to the NPS of those whom it meets, beside what theirs would be without."""
    months = counted.sum(axis=(1, 2))
    nps = expected_nps(mean_nps() + mood[:, None, None, None])
    result: dict[str, Any] = {}
    for name, axis in (("delivery_problem", 1), ("slow_ticket", 2)):
        heads = np.take(months, 1, axis=axis)
        met, without = (round(100 * _mean(heads, np.take(nps, place, axis=axis)), 2) for place in (1, 0))
        result[name] = {
            "customer_months": int(heads.sum()),
            "nps": met,
            "nps_had_it_not_happened": without,
            "effect": round(met - without, 2),
        }
    troubled, others = months[:, 1], months[:, 0]
    result["slow_ticket_in_the_month"] = {
        "after_delivery_problem": round(_mean(troubled.sum(axis=(0, 2)), np.arange(2)), 4),
        "otherwise": round(_mean(others.sum(axis=(0, 2)), np.arange(2)), 4),
    }
    result["note"] = "effects on the NPS are direct ones; a delivery problem also makes a slow ticket likely, and leaving (hazards)"
    return result


def _mean(heads: Whole, value: Any) -> float:
    return float((heads * value).sum() / max(int(heads.sum()), 1))


def _staff() -> float:
    mean, chances = np.array([UNIT * laws.STAFF_MEAN]), spread(sum(laws.DRIVER_WEIGHT))
    return round(100 * float(nps_of(chances, mean)[0]), 2)


def _stated(journeys: float) -> dict[str, Any]:
    """The laws that are true as they stand, by names a reader understands."""
    squares = np.array([*laws.DRIVER_WEIGHT, laws.OWN_NOISE]) ** 2
    usual, slow = laws.RESOLVE_DAYS
    return {
        "drivers": {
            "weights": _pairs(laws.TOUCHPOINTS, laws.DRIVER_WEIGHT),
            "own_noise": laws.OWN_NOISE,
            "share_of_variance_where_nothing_went_wrong": _pairs(laws.TOUCHPOINTS, (squares[:-1] / squares.sum()).round(4).tolist()),
            "effort_weights": _pairs(laws.TOUCHPOINTS, laws.CES_WEIGHT),
            "note": "each touchpoint varies alike and apart from the others; what it adds grows with its weight; store adds nothing",
            "website": "to be compared within a month: its relaunch lifts every rating of it and no score",
        },
        "answers": {
            "asked_share": _pairs(laws.SEGMENTS, laws.ASKED_SHARE),
            "answer_share": laws.ANSWER_SHARE,
            "by_persona": _pairs(laws.PERSONAS, laws.ANSWER_PERSONA),
            "by_segment": _pairs(laws.SEGMENTS, laws.ANSWER_SEGMENT),
            "by_calendar_month": _months(laws.ANSWER_SEASON),
            "note": "the chance to answer once asked is the product; nobody answers because of what they feel",
            "channels": _pairs(laws.ANSWER_CHANNELS, laws.CHANNEL_SHARE),
            "late": {
                "channels": list(laws.ANSWER_CHANNELS[laws.ON_PAPER :]),
                "share": laws.LATE,
                "days_from_answer_to_receipt": _between(laws.LATE_BY_DAYS),
            },
            "skipped": laws.SKIPPED,
        },
        "hazards": _hazards(),
        "journeys": _journeys(journeys),
        "campaigns": {
            "conversion_within_14_days_unless_bounced": _pairs(("control", "message"), laws.CONVERTED),
            "bounced": laws.BOUNCED,
            "opened_of_delivered": laws.OPENED,
            "clicked_of_opened": laws.CLICKED,
            "control_share": laws.CONTROL,
        },
        "tickets": {
            "a_month": laws.TICKETS,
            "a_month_after_delivery_problem": laws.TICKETS_TROUBLE,
            "days_to_resolve_equally_likely": {"otherwise": list(usual), "after a delivery problem": list(slow)},
            "reopened": laws.REOPENED,
        },
        "season": {"journeys, orders in shops, tickets": _months(laws.SEASON), "joining": _months(laws.JOIN_SEASON), "scores": "none"},
        "audits": {"share_by_place": list(laws.PLACE_LEVEL), "harsh_auditor": f"B{laws.HARSH_AUDITOR + 1:05d}", "harsh": laws.HARSH},
    }


def _hazards() -> dict[str, Any]:
    """What makes customers leave."""
    plans = [rate / laws.CHOICE_BY_PLAN[0] for rate in laws.CHOICE_BY_PLAN]
    return {
        "unit": "probability of leaving on a day; the reasons add up",
        "choice": _pairs(laws.PLANS, laws.CHOICE_BY_PLAN),
        "choice_times": {
            "segment": _pairs(laws.SEGMENTS, laws.CHOICE_SEGMENT),
            "tenure_days_at_first_of_month": _pairs(("below 90", "90 to 364", "365 and more"), laws.CHOICE_TENURE),
            "lasting_feeling": _pairs(("low", "middle", "high"), laws.CHOICE_LEVEL),
            "three_months_after_delivery_problem": laws.CHOICE_TROUBLE,
        },
        "hazard_ratios_of_choice": {
            f"plan to {laws.PLANS[0]}": _pairs(laws.PLANS, (round(ratio, 4) for ratio in plans)),
            f"segment to {laws.SEGMENTS[0]}": _pairs(laws.SEGMENTS, laws.CHOICE_SEGMENT),
            "delivery problem in the three months before": laws.CHOICE_TROUBLE,
            "note": "of people alike in all else, their lasting feeling too; not adjusted for that, estimates lie a little nearer to 1",
        },
        "payment failure": _pairs(laws.PLANS, laws.PAYMENT_BY_PLAN),
        "closed": _pairs(laws.SEGMENTS, laws.CLOSED_BY_SEGMENT),
        "moved": _pairs(laws.SEGMENTS, laws.MOVED_BY_SEGMENT),
        "plan": "the plan of the month; customers.plan is the first one seen, attributes has the changes",
        "plan_changes_a_month": {"up": laws.PLAN_UP, "down": laws.PLAN_DOWN},
        "delivery_problem_a_month": _pairs(("before", "from the breakdown"), laws.TROUBLE),
    }


def _journeys(rate: float) -> dict[str, Any]:
    """Where journeys end, and how long each step takes."""
    steps = [f"{first} to {then}" for first, then in zip(laws.STEPS, laws.STEPS[1:], strict=False)]
    return {
        "steps": list(laws.STEPS),
        "cases_a_customer_and_month": rate,
        "share_that_goes_on": _pairs(laws.JOURNEY_CHANNELS, (_pairs(steps, shares) for shares in laws.STEP_SHARE)),
        "time_to_next_step": {
            "note": "equally likely from the first number to the last",
            steps[0]: {"seconds": _between(laws.TO_BASKET)},
            steps[1]: {
                "at once": {"share": round(1 - laws.SLEEPS_ON_IT, 4), "seconds": _between(laws.TO_CHECKOUT)},
                "slept on": {"share": laws.SLEEPS_ON_IT, "calendar_days": _between(laws.SLEPT_DAYS)},
            },
            steps[2]: {"seconds": _between(laws.TO_PAY)},
            steps[3]: {"calendar_days": _between(laws.DELIVERY_DAYS), "calendar_days_where_late": _between(laws.LATE_DAYS)},
        },
        "late_share": _pairs(("before", "from the breakdown"), laws.TROUBLE),
        "browse_again_after_basket": laws.REWORK,
    }


def _between(bounds: tuple[int, int]) -> list[int]:
    return [bounds[0], bounds[1] - 1]


def _value(worth: Whole) -> dict[str, Any]:
    """Fees and margins of the law, and what the tables hold a customer and month."""
    means = np.round(worth[:, 1:] / 100 / np.maximum(worth[:, :1], 1), 2)
    euros = [[cents / 100 for cents in prices] for prices in laws.PRICE_CENTS]
    return {
        "fee_a_month": _pairs(laws.SEGMENTS, (_pairs(laws.PLANS, fees) for fees in euros)),
        "margin_share_of_fee": _pairs(laws.PLANS, (percent / 100 for percent in laws.MARGIN_PERCENT)),
        "margin_share_of_orders": laws.ORDER_MARGIN_PERCENT / 100,
        "orders_in_shops_a_month": laws.STORE_ORDERS,
        "refunded": laws.REFUNDS,
        "in_the_tables_a_customer": _pairs(("revenue_a_month", "margin_a_month"), (_pairs(NAMES, mean.tolist()) for mean in means.T)),
    }


def _themes(planted: Counter[str]) -> dict[str, Any]:
    parts = {kind: {name: planted[f"{kind} {name}"] for name in sorted(laws.THEMES)} for kind in ("main", "second")}
    return {"comments": sum(parts["main"].values()), **parts, "unhappy": planted["unhappy"]}


def _theme_effects(said: Whole) -> dict[str, Any]:
    """The NPS beside comments with a theme less that of the other comments, as it came about in these answers."""
    result: dict[str, Any] = {
        "note": "as it came about: NPS of the answers whose comment has the theme, less that of the other answers with a comment",
        "unit": "points; the standard error follows from the numbers of comments",
    }
    for kind, rows in zip(("main", "mentioned"), said, strict=True):
        total = rows[-1]
        result[kind] = {
            name: {"comments": int(row[0]), "nps": _nps(row), "nps_of_the_others": _nps(total - row)}
            for name, row in zip(laws.THEMES, rows, strict=False)
        }
    return result


def _nps(counts: Whole) -> float | None:
    return round(100 * float(counts[1] - counts[2]) / int(counts[0]), 2) if counts[0] else None
