"""What the bytes of a file say of all its cells at once, so that the cells need not be asked one by one.

To look for blanks around a cell costs more than to read it. Nearly every export that a program wrote has none,
and that shows in its bytes, many of which are looked at together. What is said here is certain: where a file
leaves a doubt, nothing is said of it, and every cell is asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

#: What may stand around a cell unseen: blanks of all widths and of none, marks of direction, marks of byte order.
BLANKS = (
    " \t\r\n\v\f\u0085\u00a0\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u200e\u200f"
    "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u202f\u205f\u2060\u2066\u2067\u2068\u2069\u3000\ufeff"
)
#: What is left of an accent where a program took UTF-8 for something else.
MANGLED = ("Ã", "â€", "Â", "\ufffd")
#: Signs that the door asks many cells for; where a file has none, no cell has.
SIGNS = ("+", "_", *MANGLED)
#: Bytes that are looked at together: few enough for what is worked out of them to stay near the processor.
_BLOCK = 1 << 15
#: Bytes by which parts overlap: twice the longest blank, less one, and what stands around it.
_RIM = 6
_LONGEST_SIGN = max(len(sign.encode()) for sign in SIGNS) - 1
_MARK = b"\xef\xbb\xbf"
_TWO, _THREE = ({int.from_bytes(sign.encode()) for sign in BLANKS if len(sign.encode()) == size} for size in (2, 3))

_Bytes: TypeAlias = npt.NDArray[np.uint8]
_Which: TypeAlias = npt.NDArray[np.bool_]
_Places: TypeAlias = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Seen:
    """What is known of every cell of an export; by default nothing is.

    Attributes
    ----------
    bare
        Whether no cell has a blank at an edge, and none is empty rather than missing.
    spaced
        Whether all that parts words in any cell is one space.
    ascii
        Whether no cell has a letter beyond ASCII.
    without
        The signs that no cell has.
    """

    bare: bool = False
    spaced: bool = False
    ascii: bool = False
    without: frozenset[str] = frozenset()

    def __and__(self, other: Seen) -> Seen:
        """What is known of the cells of both."""
        return Seen(
            bare=self.bare and other.bare,
            spaced=self.spaced and other.spaced,
            ascii=self.ascii and other.ascii,
            without=self.without & other.without,
        )


#: What is known of an export whose bytes nobody looked at.
NOTHING_SEEN = Seen()


class Look:
    """A look at a file of cells, part by part.

    Parameters
    ----------
    delimiter, quote : str
        What stands between cells, and around them.
    header : bool
        Whether the first line is no row; which signs it has does not matter then.
    """

    def __init__(self, delimiter: str, quote: str, *, header: bool) -> None:
        around = (delimiter + quote).encode()
        self._between, self._quote = delimiter.encode(), quote.encode()
        #: Blanks that can only stand at the edge of a cell in quotes, since they end one elsewhere.
        self._ends = [end for end in b"\n\r" + self._between if chr(end) in BLANKS]
        self._is_end = _table(self._ends)
        self._is_stop = _table([*self._between, *b"\n\r"])
        self._edges = sorted({*around, *b"\n\r"})
        self._is_edge = _table(self._edges)
        self._blanks = [blank for blank in b" \t\v\f" if blank not in around]
        self._bare = len(self._between) == 1 and len(self._quote) < 2 and not around.isalnum()
        self._spaced, self._ascii, self._without = self._bare, True, set(SIGNS)
        #: Quotes before what is kept of the last part; whether one stood where none opens or closes a cell, and whether it mattered.
        self._rim = b""
        self._quotes, self._astray, self._leaned = 0, False, False
        # A file begins where a line does.
        self._before, self._in_header = b"\n\n", header
        #: The first bytes, until they are as many as a mark of byte order has.
        self._start: bytes | None = b""
        #: Line feeds (of a file without carriage returns: whether there was a part of it), carriage returns, both in a row.
        self._lines = self._returns = self._both = 0

    def see(self, part: bytes) -> None:
        """Look at the next part."""
        if self._start is not None:
            self._start += part
            if len(self._start) < len(_MARK):
                return
            part, self._start = self._start.removeprefix(_MARK), None
        self._look_for_signs(part)
        self._ascii = self._ascii and part.isascii()
        if self._bare:
            self._count_ends(part)
            self._look_at_edges(part)

    def seen(self) -> Seen:
        """What the whole file was found to be."""
        if self._start is not None:
            return NOTHING_SEEN
        if self._bare:
            self._look_at_edges(b"\n\n\n\n")
        # Where lines end in several ways, a reader may take a carriage return for a part of the last cell.
        alike = not self._returns or self._returns == self._both == self._lines
        bare = self._bare and alike and not (self._astray and self._leaned)
        return Seen(bare=bare, spaced=bare and self._spaced and not self._astray, ascii=self._ascii, without=frozenset(self._without))

    def _look_for_signs(self, part: bytes) -> None:
        rows = part
        if self._in_header:
            ends = [end for end in (part.find(b"\n"), part.find(b"\r")) if end >= 0]
            rows, self._in_header = part[min(ends) :] if ends else b"", not ends
        # A sign of several bytes may lie across two parts.
        both = self._rim + rows[:_LONGEST_SIGN]
        looked = [part for part in (both, rows) if not part.isascii()]
        self._rim = rows[-_LONGEST_SIGN:] if len(rows) >= _LONGEST_SIGN else both[-_LONGEST_SIGN:]
        self._without -= {sign for sign in self._without if any(sign.encode() in part for part in ([rows] if sign.isascii() else looked))}

    def _count_ends(self, part: bytes) -> None:
        """Count how lines end, where any ends with a carriage return; many files have none."""
        returns = part.count(b"\r")
        if returns and self._lines and not self._returns:
            self._bare = False
        elif returns or self._returns:
            self._both += part.count(b"\r\n") + (self._before[-1:] == b"\r" and part[:1] == b"\n")
            self._lines += part.count(b"\n")
        else:
            self._lines = self._lines or b"\n" in part
        self._returns += returns

    def _look_at_edges(self, part: bytes) -> None:
        """Look at a part in blocks that overlap, so that what stands at the rim of one stands within another."""
        self._look_at_block(self._before + part[:_RIM], self._quotes)
        quotes, step = self._quotes + self._count_quotes(self._before), _BLOCK - _RIM
        for start in range(0, len(part), step):
            self._look_at_block(part[start : start + _BLOCK], quotes)
            quotes += self._count_quotes(part[start : start + step])
        self._before = (self._before + part[-_RIM:])[-_RIM:]
        self._quotes = quotes - self._count_quotes(self._before)

    def _count_quotes(self, part: bytes) -> int:
        return part.count(self._quote) if self._quote else 0

    def _look_at_block(self, block: bytes, quotes: int) -> None:
        """Whether a blank stands beside what ends a cell; so many quotes stand before the block."""
        seen = np.frombuffer(block, dtype=np.uint8)
        # To find that a byte is absent takes a tenth of the time of asking each byte whether it is that one.
        blanks = [one for one in self._blanks if one in block]
        quoted = bool(self._quote) and self._quote in block
        edge, blank = (_any_of(seen, [one for one in some if one in block]) for some in (self._edges, blanks))
        beside = blank[2:-2] & (edge[3:-1] | edge[1:-3])
        odd, in_cells = bool(beside.any()), False
        if quoted or quotes % 2:
            found = np.flatnonzero(seen == self._quote[0])
            self._astray = self._astray or (quoted and not self._opens_or_closes(seen, found, quotes))
            odd = odd and self._beside_an_edge(seen, np.flatnonzero(beside) + 2, found, quotes)
            odd = odd or self._ends_in_quotes(seen, found)
            in_cells = self._spaced and self._parts_words(seen, found, quotes)
        if self._spaced:
            self._spaced = blanks in ([], [ord(" ")]) and not (blank[1:] & blank[:-1]).any() and not in_cells
        if not odd and not block.isascii():
            odd = _wide_blanks(seen, edge)
        self._bare = self._bare and not odd

    def _opens_or_closes(self, seen: _Bytes, found: _Places, quotes: int) -> bool:
        """Whether each quote stands where one begins a cell, ends one, or doubles another.

        What is within quotes is then what has an odd number of quotes before it.
        """
        inner = found[(found > 0) & (found < len(seen) - 1)]
        first = (quotes + int(found[0] == 0)) % 2
        return bool(self._is_edge[seen[inner[first::2] - 1]].all() and self._is_edge[seen[inner[1 - first :: 2] + 1]].all())

    def _beside_an_edge(self, seen: _Bytes, places: _Places, found: _Places, quotes: int) -> bool:
        """Whether one of some blanks stands beside what ends a cell, and not within quotes, where a separator is a letter like others."""
        within = (quotes + np.searchsorted(found, places)) % 2 == 1
        self._leaned = self._leaned or bool(within.any())
        # Within quotes only a quote ends a cell, where it does not double another.
        before, after = ((seen[places + step] == self._quote[0]) & (seen[places + 2 * step] != self._quote[0]) for step in (-1, 1))
        return bool((~within | before | after).any())

    def _parts_words(self, seen: _Bytes, found: _Places, quotes: int) -> bool:
        """Whether a line ends within quotes, or a tab stands there that elsewhere ends a cell."""
        places = np.flatnonzero(_any_of(seen, self._ends))
        return bool(((quotes + np.searchsorted(found, places)) % 2 == 1).any())

    def _ends_in_quotes(self, seen: _Bytes, found: _Places) -> bool:
        """Whether a cell in quotes may begin or end with what elsewhere ends one."""
        inner = found[(found > 0) & (found < len(seen) - 1)]
        before, after = seen[inner - 1], seen[inner + 1]
        return bool((self._is_stop[before] & self._is_end[after] | self._is_end[before] & self._is_stop[after]).any())


def _table(some: Iterable[int]) -> _Which:
    """Of each byte whether it is one of some."""
    return _any_of(np.arange(256, dtype=np.uint8), [*some])


def _any_of(seen: _Bytes, some: list[int]) -> _Which:
    """Which bytes are one of some."""
    which: _Which = seen == some[0] if some else np.zeros(len(seen), dtype=np.bool_)
    for one in some[1:]:
        which |= seen == one
    return which


def _wide_blanks(seen: _Bytes, edge: _Which) -> bool:
    """Whether a blank beyond ASCII stands beside what ends a cell."""
    beyond = seen[2:-2] > 127
    first, last = (np.flatnonzero(beyond & beside) + 2 for beside in (edge[1:-3], edge[3:-1]))
    begins, stops = (_three(seen, places) for places in (first, last - 2))
    wide = any(one in _THREE or one >> 8 in _TWO for one in begins)
    return wide or any(one in _THREE or one & 0xFFFF in _TWO for one in stops)


def _three(seen: _Bytes, places: _Places) -> set[int]:
    """The bytes at some places with the two after each, as numbers."""
    one, two, three = (seen[places + step].astype(np.int64) for step in range(3))
    return set((one << 16 | two << 8 | three).tolist())
