"""Figures: results in; pictures, tables for readers, and sentences out. Nothing is computed here."""

from cxlib.figures.apart import difference
from cxlib.figures.bars import shares
from cxlib.figures.cards import cards
from cxlib.figures.cohorts import triangle
from cxlib.figures.crosstabs import banner
from cxlib.figures.curves import curve
from cxlib.figures.dangers import hazard
from cxlib.figures.definitions import rates
from cxlib.figures.dots import against, intervals
from cxlib.figures.drivers import drivers, priorities
from cxlib.figures.forecasts import backtest, calibration, expected
from cxlib.figures.forest import forest
from cxlib.figures.lines import trend
from cxlib.figures.money import economics
from cxlib.figures.pairs import gap, restated
from cxlib.figures.people import at_risk
from cxlib.figures.picture import Picture, Piece
from cxlib.figures.purchases import returning, silences
from cxlib.figures.reasons import ends
from cxlib.figures.settings import style
from cxlib.figures.tables import account, table
from cxlib.figures.weights import balance
from cxlib.figures.words import headline, sentence, set_up

__all__ = [
    "Picture",
    "Piece",
    "account",
    "against",
    "at_risk",
    "backtest",
    "balance",
    "banner",
    "calibration",
    "cards",
    "curve",
    "difference",
    "drivers",
    "economics",
    "ends",
    "expected",
    "forest",
    "gap",
    "hazard",
    "headline",
    "intervals",
    "priorities",
    "rates",
    "restated",
    "returning",
    "sentence",
    "set_up",
    "shares",
    "silences",
    "style",
    "table",
    "trend",
    "triangle",
]
