"""How many have left by a tenure, and why: the exact expectation of what the hazards of `people` bring about."""

from __future__ import annotations

from typing import Any

import numpy as np

from cxlib.sample import laws
from cxlib.sample.feelings import bell
from cxlib.sample.laws import BEFORE, MONTH_START, Real
from cxlib.sample.people import STATES, band, daily_hazards

#: Who joins in these months (from SINCE) and has 365 days before the deliveries break down.
JOINED = range(7)
#: Months since the last delivery problem: one to three, or longer.
RECENT = 4


def incidence() -> dict[str, Any]:
    """Expected share of those who joined in `JOINED` that has left after 90 and after 365 days, by reason.

    A customer's month depends on plan, segment, lasting feeling, tenure and recent trouble; the shares of
    customers in each such state are followed from month to month, for each day of joining.
    """
    weights = laws.season(laws.JOIN_SEASON, np.array(JOINED))
    weights = weights / weights.sum()
    begun = _joiners()
    result: dict[str, Any] = {
        "who": "joined 2024-07 to 2025-01; left at most so many days after joining",
        "note": "add up over the reasons; estimated by the cumulative incidence (Aalen-Johansen), not by one minus Kaplan-Meier",
    }
    for horizon in laws.HORIZONS:
        left = sum(weight * _left(begun, month, horizon) for month, weight in zip(JOINED, weights, strict=True))
        share = np.asarray(left).sum(axis=2) / begun.sum(axis=(1, 2, 3))
        total = np.asarray(left).sum(axis=(1, 2))
        result[f"{horizon}_days"] = {
            "all": _reasons(total),
            "by_plan_at_joining": {plan: _reasons(share[:, place]) for place, plan in enumerate(laws.PLANS)},
        }
    return result


def _reasons(share: Real) -> dict[str, float]:
    return {reason: round(float(value), 5) for reason, value in zip(laws.REASONS, share, strict=True)}


def _joiners() -> Real:
    """Shares of those who join: plan, segment, band of lasting feeling; nobody has had trouble yet."""
    plan = np.array(laws.PLAN_SHARE).T * np.array(laws.SEGMENT_SHARE)
    alone, of_account = bell(laws.LEVEL_HALF_WIDTH), bell(laws.ACCOUNT_HALF_WIDTH)
    feeling = np.stack([_bands(alone), *[_bands(np.convolve(alone, of_account))] * (len(laws.SEGMENTS) - 1)])
    begun = np.zeros((len(laws.PLANS), len(laws.SEGMENTS), STATES[3], RECENT))
    begun[:, :, :, RECENT - 1] = plan[:, :, None] * feeling
    return begun


def _bands(chances: Real) -> Real:
    reach = len(chances) // 2
    return np.bincount(band(laws.LEVEL_CUTS, np.arange(-reach, reach + 1)), chances, minlength=STATES[3]).astype(float)


def _left(begun: Real, joined: int, horizon: int) -> Real:
    """Shares that leave: reason, plan at joining, segment, averaged over the days of the month of joining."""
    days = np.arange(28)
    start = MONTH_START[BEFORE + joined] + days
    # Day of joining, plan at joining, and then the present state: plan, segment, feeling, trouble.
    here = np.zeros((len(days), len(laws.PLANS), *begun.shape))
    for plan in range(len(laws.PLANS)):
        here[:, plan, plan] = begun[plan]
    left = np.zeros((len(laws.REASONS), len(laws.PLANS), len(laws.SEGMENTS)))
    for month in range(joined, joined + horizon // 28 + 2):
        opens, closes = int(MONTH_START[BEFORE + month]), int(MONTH_START[BEFORE + month + 1])
        if month > joined:
            here = _moved(here)
        lasts = np.clip(np.minimum(closes, start + horizon + 1) - np.maximum(start + 1, opens), 0, None)
        tenure = band(laws.TENURE_UNTIL, np.maximum(opens - start, 0), side="right")
        hazards = daily_hazards().reshape(-1, *STATES)[:, :, :, tenure]
        # A state of this file has its recent trouble last, in four places: the first three are recent.
        hazards = np.moveaxis(hazards[..., [1, 1, 1, 0]], 3, 1)[:, :, None]
        total = hazards.sum(axis=0)
        stays = (1.0 - total) ** lasts[:, None, None, None, None, None]
        left += (hazards / total * here * (1.0 - stays)).sum(axis=(1, 3, 5, 6)) / len(days)
        here = here * stays
        if month > joined:
            wrong = laws.TROUBLE[month >= laws.BREAKDOWN]
            older = np.concatenate([np.zeros_like(here[..., :1]), here[..., :2], here[..., 2:].sum(axis=-1, keepdims=True)], axis=-1)
            here = (1.0 - wrong) * older
            here[..., 0] = wrong * (older.sum(axis=-1))
    return left


def _moved(here: Real) -> Real:
    """The plans a month later: a few move up by one, a few down."""
    up, down = here * laws.PLAN_UP, here * laws.PLAN_DOWN
    up[:, :, -1], down[:, :, 0] = 0.0, 0.0
    moved = here - up - down
    moved[:, :, 1:] += up[:, :, :-1]
    moved[:, :, :-1] += down[:, :, 1:]
    return moved
