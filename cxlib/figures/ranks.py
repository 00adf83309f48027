"""Ranks: which group is said to be the lowest or the highest, and what is said where that is not settled.

A group is called so only where its interval lies wholly apart from the interval of every other group, as a reader sees in
the picture. Where nothing differs fewer than one result in twenty calls any group so: the first has to be tested against
the next only, and more groups make it rarer (Hung, Fithian 2019, Rank verification for exponential families, Annals of
Statistics 47, 758-782), and to lie apart two estimates must differ by 2.8 standard errors of their difference where both
are as sure, by 2.0 however unlike they are. Simulated at 95 %, three groups of 993, 322 and 140: one result in 280, two of
1,000 and 100: one in 73, two of 100,000 and 10: one in 21; so of a page with six such results fewer than one in twenty. It
is cautious: groups whose intervals overlap may differ by more than chance, which a comparison with the rest tells. It
misleads where the groups are parts of one whole, of which one grows as another shrinks: there 2.0 may be all there is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cxlib.figures.shown import Row

#: What is said of a group: its name, and its number with what stands behind it; the first one says the level.
Said = Callable[["Row", bool], tuple[str, str]]


class Bounds(Protocol):
    """The interval by which a group is compared."""

    def __call__(self, row: Row, /) -> tuple[float, float]: ...


def own(row: Row) -> tuple[float, float]:
    """The interval of the number itself."""
    return row.low, row.high


def apart(row: Row, others: Sequence[Row], bounds: Bounds = own) -> bool:
    """Whether the interval of a group lies wholly below or wholly above those of all others; an open end reaches them."""
    low, high = bounds(row)
    rest = [bounds(each) for each in others]
    return bool(rest) and (all(high < each for each, _ in rest) or all(low > each for _, each in rest))


def ends_told(rows: Sequence[Row], said: Said, *, claims: tuple[str, str], ranges: str, falling: bool = False, bounds: Bounds = own) -> str:
    """The first and the last of groups in order, called the lowest and the highest where they are; without a stop.

    ``claims`` speak of both where both are settled, each with places for a name and a number; ``ranges`` with a place for
    each end says what they range between where one is not. ``falling`` says that the highest comes first.
    """
    first, last = rows[0], rows[-1]
    settled = apart(first, rows[1:], bounds), apart(last, rows[:-1], bounds)
    ends = said(first, True), said(last, False)
    if all(settled):
        return "; ".join(claim.format(*end) for claim, end in zip(claims, ends, strict=True))
    words = ("the highest", "the lowest") if falling else ("the lowest", "the highest")
    one, other = (", ".join([*end, *([word] if known else [])]) for end, word, known in zip(ends, words, settled, strict=True))
    still = [word for word, known in zip(words, settled, strict=True) if not known]
    doubt = f"which is {still[0]} is not settled" if len(still) == 1 else "their order is not settled"
    return f"{ranges.format(one + ',', other)}; {doubt}"
