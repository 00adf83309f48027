"""Who answered, and when: response rates, late answers, weights to the customers, and what the silent would have to think."""

from cxlib.fieldwork.balance import balance
from cxlib.fieldwork.breakdowns import rate_breakdowns
from cxlib.fieldwork.early import early
from cxlib.fieldwork.late import late
from cxlib.fieldwork.raking import raked
from cxlib.fieldwork.rates import response_rate
from cxlib.fieldwork.tipping import tipping

__all__ = ["balance", "early", "late", "raked", "rate_breakdowns", "response_rate", "tipping"]
