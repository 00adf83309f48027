"""A declared workbook in, validated tables out: names are settled here, and bad rows set aside."""

from cxlib.sources.book import Book, admit, inputs, read
from cxlib.sources.check import check
from cxlib.sources.declared import Workbook, declared

__all__ = ["Book", "Workbook", "admit", "check", "declared", "inputs", "read"]
