"""Customers without a contract: how long they stay silent before they buy again, and when silence means that they are gone."""

from cxlib.shops.contracts import under_contract
from cxlib.shops.gaps import gaps, quantiles
from cxlib.shops.silence import inactivity, sensitivity
from cxlib.shops.spells import customers

__all__ = ["customers", "gaps", "inactivity", "quantiles", "sensitivity", "under_contract"]
