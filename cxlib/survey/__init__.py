"""What customers answered: loyalty, satisfaction, effort, ratings, each with its interval, base and window."""

from cxlib.survey.drivers import drivers
from cxlib.survey.movement import movement
from cxlib.survey.ratings import distribution, ratings
from cxlib.survey.scores import ces, csat, nps
from cxlib.survey.scoring import Score

__all__ = ["Score", "ces", "csat", "distribution", "drivers", "movement", "nps", "ratings"]
