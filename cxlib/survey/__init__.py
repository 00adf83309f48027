"""What customers answered: loyalty, satisfaction, effort, ratings, each with its interval, base and window."""

from cxlib.survey.balance import balance
from cxlib.survey.banner import banner
from cxlib.survey.movement import movement
from cxlib.survey.raking import raked
from cxlib.survey.rates import response_rate
from cxlib.survey.ratings import distribution, ratings
from cxlib.survey.scores import ces, csat, nps
from cxlib.survey.scoring import Score
from cxlib.survey.segments import against_rest
from cxlib.survey.tipping import tipping

__all__ = [
    "Score",
    "against_rest",
    "balance",
    "banner",
    "ces",
    "csat",
    "distribution",
    "movement",
    "nps",
    "raked",
    "ratings",
    "response_rate",
    "tipping",
]
