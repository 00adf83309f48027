"""Groups set against each other: each against the rest, side by side in a cross-table, staff against customers."""

from cxlib.groups.banner import banner
from cxlib.groups.breakdowns import breakdowns
from cxlib.groups.gap import gap
from cxlib.groups.segments import against_rest

__all__ = ["against_rest", "banner", "breakdowns", "gap"]
