"""What customers answered: loyalty, satisfaction, effort, ratings, each with its interval, base and window."""

from cxlib.survey.balance import balance
from cxlib.survey.banner import banner
from cxlib.survey.choices import choices, classes
from cxlib.survey.drivers import drivers
from cxlib.survey.early import early
from cxlib.survey.gap import gap
from cxlib.survey.late import late
from cxlib.survey.movement import movement
from cxlib.survey.raking import raked
from cxlib.survey.rates import response_rate
from cxlib.survey.ratings import distribution, ratings
from cxlib.survey.scores import ces, csat, nps
from cxlib.survey.scoring import Score
from cxlib.survey.segments import against_rest
from cxlib.survey.tipping import tipping

__all__ = [
    "Score", "against_rest", "balance", "banner", "ces", "choices", "classes", "csat", "distribution", "drivers", "early", "gap", "late",
    "movement", "nps", "raked", "ratings", "response_rate", "tipping",
]  # fmt: skip
