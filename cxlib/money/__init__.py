"""What leaving costs and staying brings, in the currency of the customers' own margins."""

from cxlib.money.gain import retention_gain
from cxlib.money.lifetime import lifetime_value
from cxlib.money.risk import value_at_risk

__all__ = ["lifetime_value", "retention_gain", "value_at_risk"]
