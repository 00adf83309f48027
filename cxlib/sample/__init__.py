"""The sample company: every canonical table, coherent, with a truth that is written down."""

from cxlib.sample.story import company, truth
from cxlib.sample.write import write

__all__ = ["company", "truth", "write"]
