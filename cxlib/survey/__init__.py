"""What customers answered: loyalty, satisfaction, effort, ratings, choices, each with its interval, base and window."""

from cxlib.survey.choices import choices, classes
from cxlib.survey.movement import movement
from cxlib.survey.ratings import distribution, ratings
from cxlib.survey.scores import ces, csat, nps
from cxlib.survey.scoring import Score

__all__ = ["Score", "ces", "choices", "classes", "csat", "distribution", "movement", "nps", "ratings"]
