"""Figures: results in; pictures, tables for readers, and sentences out. Nothing is computed here."""

from cxlib.figures.bars import shares
from cxlib.figures.cards import cards
from cxlib.figures.curves import curve
from cxlib.figures.dots import intervals, worst
from cxlib.figures.drivers import drivers, priorities
from cxlib.figures.lines import trend
from cxlib.figures.picture import Picture, Piece
from cxlib.figures.settings import style
from cxlib.figures.tables import account, table
from cxlib.figures.words import headline, sentence, set_up

__all__ = [
    "Picture",
    "Piece",
    "account",
    "cards",
    "curve",
    "drivers",
    "headline",
    "intervals",
    "priorities",
    "sentence",
    "set_up",
    "shares",
    "style",
    "table",
    "trend",
    "worst",
]
