"""A declared workbook in, validated tables out: names are settled here, and bad rows set aside."""

from cxlib.sources.book import Book, admit, inputs, read
from cxlib.sources.check import check
from cxlib.sources.declared import Workbook, declared
from cxlib.sources.door import admitted_rows

__all__ = ["Book", "Workbook", "admit", "admitted_rows", "check", "declared", "inputs", "read"]
