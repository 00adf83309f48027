"""Who leaves sooner, what goes with it, and who is likely to leave next."""

from cxlib.leaving.at_risk import at_risk
from cxlib.leaving.backtest import Past, backtest, past
from cxlib.leaving.calibration import accuracy, calibration
from cxlib.leaving.effects import effects, proportionality
from cxlib.leaving.expected import expected
from cxlib.leaving.journeys import journeys
from cxlib.leaving.learned import campaigns, scores, slow_tickets
from cxlib.leaving.model import Model, model

__all__ = [
    "Model",
    "Past",
    "accuracy",
    "at_risk",
    "backtest",
    "calibration",
    "campaigns",
    "effects",
    "expected",
    "journeys",
    "model",
    "past",
    "proportionality",
    "scores",
    "slow_tickets",
]
