"""Customer-experience analysis: survey scores, churn, and the report that says how sure they are."""

__version__ = "0.6.0"
