"""The canonical tables: their columns, units and rules, and how a measure asks them for counts."""

from cxlib.tables.engine import Table, ask, expression, kept, keys, need
from cxlib.tables.result import RESULT, assemble, nothing
from cxlib.tables.schema import TABLES, Column, Kind, TableError, TableSpec, did_you_mean

__all__ = [
    "RESULT",
    "TABLES",
    "Column",
    "Kind",
    "Table",
    "TableError",
    "TableSpec",
    "ask",
    "assemble",
    "did_you_mean",
    "expression",
    "kept",
    "keys",
    "need",
    "nothing",
]
