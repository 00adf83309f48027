"""Who leaves sooner, what goes with it, and who is likely to leave next."""

from cxlib.leaving.learned import campaigns, scores, slow_tickets
from cxlib.leaving.model import Model, model

__all__ = ["Model", "campaigns", "model", "scores", "slow_tickets"]
