"""How long customers stay and how many leave; who has not left yet is never counted as lost."""

from cxlib.churn.rate import churn_rate
from cxlib.churn.tenure import median_tenure, survival

__all__ = ["churn_rate", "median_tenure", "survival"]
