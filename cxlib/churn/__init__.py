"""How long customers stay and how many leave; who has not left yet is never counted as lost."""

from cxlib.churn.difference import difference, survival_difference
from cxlib.churn.ends import ends
from cxlib.churn.hazard import hazard
from cxlib.churn.quantiles import quantiles
from cxlib.churn.rate import churn_rate
from cxlib.churn.tenure import median_tenure, survival

__all__ = ["churn_rate", "difference", "ends", "hazard", "median_tenure", "quantiles", "survival", "survival_difference"]
