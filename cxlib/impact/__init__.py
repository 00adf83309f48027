"""What joins the measures: which parts of the experience a score goes with."""

from cxlib.impact.drivers import drivers

__all__ = ["drivers"]
