"""What customers answered: loyalty, satisfaction, effort, ratings, each with its interval, base and window."""

from cxlib.survey.banner import banner
from cxlib.survey.movement import movement
from cxlib.survey.ratings import distribution, ratings
from cxlib.survey.scores import ces, csat, nps
from cxlib.survey.scoring import Score
from cxlib.survey.segments import against_rest

__all__ = ["Score", "against_rest", "banner", "ces", "csat", "distribution", "movement", "nps", "ratings"]
