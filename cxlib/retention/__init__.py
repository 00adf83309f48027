"""Churn by the calendar: its definitions side by side, whether it moved, what became of each cohort, and of the revenue."""

from cxlib.retention.cohorts import cohort_trend, cohorts
from cxlib.retention.definitions import definitions
from cxlib.retention.movement import movement
from cxlib.retention.revenue import net_retention, revenue_churn
from cxlib.retention.revenue_movement import revenue_movement
from cxlib.retention.rolling import rolling

__all__ = ["cohort_trend", "cohorts", "definitions", "movement", "net_retention", "revenue_churn", "revenue_movement", "rolling"]
