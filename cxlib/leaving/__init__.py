"""Who leaves sooner, what goes with it, and who is likely to leave next."""

from cxlib.leaving.effects import effects, proportionality
from cxlib.leaving.learned import campaigns, scores, slow_tickets
from cxlib.leaving.model import Model, model

__all__ = ["Model", "campaigns", "effects", "model", "proportionality", "scores", "slow_tickets"]
