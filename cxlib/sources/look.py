"""What the bytes of a file say of all its cells at once, so that the cells need not be asked one by one.

To look for blanks around a cell costs more than to read it. Nearly every export that a program wrote has none,
and that shows in its bytes, many of which are looked at together. What is said here is certain: where a file
leaves a doubt, nothing is said of it, and every cell is asked.
"""

from __future__ import annotations

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
#: Bytes to look at together: few enough for what is worked out of them to stay near the processor.
PART = 1 << 16
#: Bytes by which parts overlap: twice the longest blank, less one, and what stands around it.
_RIM = 6
_LONGEST_SIGN = max(len(sign.encode()) for sign in SIGNS) - 1
_MARK = b"\xef\xbb\xbf"
_TWO, _THREE = ([int.from_bytes(sign.encode()) for sign in BLANKS if len(sign.encode()) == size] for size in (2, 3))

_Bytes: TypeAlias = npt.NDArray[np.uint8]
_Which: TypeAlias = npt.NDArray[np.bool_]


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
        self._edges = sorted({*around, *b"\n\r"})
        self._blanks = [blank for blank in b" \t\v\f" if blank not in around]
        self._bare = len(self._between) == 1 and len(self._quote) < 2 and not around.isalnum()
        self._spaced, self._ascii, self._without = self._bare, True, set(SIGNS)
        # A file begins where a line does.
        self._before, self._in_header = b"\n\n", header
        #: The end of the part before, in which a sign of several bytes may begin.
        self._rim = b""
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
        bare = self._bare and alike
        return Seen(bare=bare, spaced=bare and self._spaced, ascii=self._ascii, without=frozenset(self._without))

    def _look_for_signs(self, part: bytes) -> None:
        rows = part
        if self._in_header:
            ends = [end for end in (part.find(b"\n"), part.find(b"\r")) if end >= 0]
            rows, self._in_header = part[min(ends) :] if ends else b"", not ends
        both = self._rim + rows[:_LONGEST_SIGN]
        self._without -= {sign for sign in self._without if _holds(rows, sign.encode()) or _holds(both, sign.encode())}
        self._rim = rows[-_LONGEST_SIGN:] if len(rows) >= _LONGEST_SIGN else both[-_LONGEST_SIGN:]

    def _count_ends(self, part: bytes) -> None:
        """Count how lines end, where any ends with a carriage return; many files have none."""
        returns = part.count(b"\r") if b"\r" in part else 0
        if returns and self._lines and not self._returns:
            self._bare = False
        elif returns or self._returns:
            self._both += part.count(b"\r\n") + (self._before[-1:] == b"\r" and part[:1] == b"\n")
            self._lines += part.count(b"\n")
        else:
            self._lines = self._lines or b"\n" in part
        self._returns += returns

    def _look_at_edges(self, part: bytes) -> None:
        """Look at a part, and at where it joins the one before, so that what stands at its rim stands within one of both."""
        for window in (self._before + part[:_RIM], part):
            self._look_at_block(window, np.frombuffer(window, dtype=np.uint8))
        self._before = (self._before + part[-_RIM:])[-_RIM:]

    def _look_at_block(self, block: bytes, seen: _Bytes) -> None:
        """Whether a blank stands beside what ends a cell."""
        # To find that a byte is absent takes a tenth of the time of asking each byte whether it is that one.
        blanks = [one for one in self._blanks if one in block]
        quoted = bool(self._quote) and self._quote in block
        edge, blank = (_any_of(seen, [one for one in some if one in block]) for some in (self._edges, blanks))
        odd = bool((blank[1:-1] & (edge[2:] | edge[:-2])).any())
        if self._spaced:
            # Within quotes also a line or a tab may end between two words.
            self._spaced = not (quoted or blanks not in ([], [ord(" ")]) or bool((blank[1:] & blank[:-1]).any()))
        if not odd and quoted:
            odd = self._ends_in_quotes(seen)
        if not odd and not block.isascii():
            odd = _wide_blanks(seen, edge)
        self._bare = self._bare and not odd

    def _ends_in_quotes(self, seen: _Bytes) -> bool:
        """Whether a cell in quotes may begin or end with what elsewhere ends one."""
        end, stop = _any_of(seen, self._ends), _any_of(seen, [*self._between, *b"\n\r"])
        quote = seen[1:-1] == self._quote[0]
        return bool((quote & (stop[:-2] & end[2:] | end[:-2] & stop[2:])).any())


def _holds(part: bytes, sign: bytes) -> bool:
    """Whether a sign is in a part; that its last byte is not is found in a fraction of the time."""
    return sign[-1:] in part and sign in part


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
    wide = seen.astype(np.int64)
    begins = wide[first] << 16 | wide[first + 1] << 8 | wide[first + 2]
    stops = wide[last - 2] << 16 | wide[last - 1] << 8 | wide[last]
    two = np.isin(begins >> 8, _TWO).any() or np.isin(stops & 0xFFFF, _TWO).any()
    return bool(two or np.isin(begins, _THREE).any() or np.isin(stops, _THREE).any())
