"""Paper and pencils: sizes, the few colours, the theme, and SVG that is the same to the byte each time.

Everything is measured in CSS pixels. A picture is drawn twice, for a page and for a phone, so that
its letters are never scaled below what can be read.
"""

from __future__ import annotations

import base64
import functools
import io
import re
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cxlib.figures.measures import decimal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1c2024"
QUIET = "#59616a"
GREY = "#868e96"
RULE = "#dfe3e6"
HIGH = "#006ba2"
SOFT = "#c3c9ce"

#: The same colours on a dark page. Grey on paper keeps 3:1 as a mark, ink and quiet 4.5:1 as text, in both.
DARK = {INK: "#e8ebee", QUIET: "#a9b1b9", GREY: "#7c858e", RULE: "#30363c", HIGH: "#62b7ee", SOFT: "#4a525a"}

#: Letters are left to the reader's own fonts; the one used for measuring need not have them.
MISSING_GLYPH = r"Glyph \d+ .* missing from font"

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"


@dataclass(frozen=True)
class Sheet:
    """A width to draw for, and the size of its letters, in pixels."""

    width: int
    size: float

    @property
    def narrow(self) -> bool:
        return self.width < 500

    @property
    def small(self) -> float:
        """Size of what stands beside: axis and base."""
        return self.size - 1


WIDE = Sheet(680, 14)
NARROW = Sheet(350, 13)


@contextmanager
def theme() -> Iterator[None]:
    """seaborn's white theme on matplotlib's own defaults, in grey, whatever the notebook has set."""
    import matplotlib.style
    import seaborn as sns

    ours = {
        **sns.axes_style("white"),
        "axes.edgecolor": GREY,
        "axes.labelcolor": QUIET,
        "axes.linewidth": 1,
        "font.family": ["sans-serif"],
        # Bundled with matplotlib, so that the lay-out does not depend on the machine's fonts.
        "font.sans-serif": ["DejaVu Sans"],
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "lines.linewidth": 2,
        "lines.solid_capstyle": "round",
        "svg.fonttype": "none",
        "svg.hashsalt": "cxlib",
        "text.color": INK,
        "text.parse_math": False,
        "xtick.color": QUIET,
        "ytick.color": QUIET,
        "xtick.bottom": False,
        "ytick.left": False,
    }
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=MISSING_GLYPH, category=UserWarning)
        with matplotlib.style.context(["default", ours], after_reset=True):
            yield


def figure(sheet: Sheet, height: float) -> Figure:
    """An empty figure of so many pixels, without pyplot and its global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(sheet.width / 72, height / 72), dpi=72)


def axes(fig: Figure, *, left: float, top: float, right: float, bottom: float) -> Axes:
    """Axes between margins given in pixels, with a line below and nothing else."""
    width, height = (72 * side for side in fig.get_size_inches())
    ax = fig.add_axes((left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height))
    for side in ("top", "left", "right"):
        ax.spines[side].set_visible(False)
    return ax


def write(fig: Figure, x: float, y: float, text: str, *, size: float, color: str = INK, ha: str = "left", bold: bool = False) -> None:
    """Text at pixels from the left and from the top, on its middle line."""
    width, height = (72 * side for side in fig.get_size_inches())
    weight = "bold" if bold else "normal"
    fig.text(x / width, 1 - y / height, text, size=size, color=color, ha=ha, va="center_baseline", weight=weight)


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """A text's width in pixels in DejaVu, which is about the widest font a reader may have."""
    return size * sum(_em(sign, bold) for sign in text)


@functools.cache
def _em(sign: str, bold: bool) -> float:
    """The width of one letter, in parts of the size."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    if unicodedata.combining(sign):
        return 0.0
    if unicodedata.east_asian_width(sign) in "WF":
        return 1.0
    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal", size=100)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=MISSING_GLYPH, category=UserWarning)
        return float(text_to_path.get_text_width_height_descent(sign, font, False)[0]) / 100


def shortened(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """The text, cut with an ellipsis where it would be wider than ``width``; the table has it whole."""
    if text_width(text, size, bold=bold) <= width:
        return text
    while text and text_width(text + "…", size, bold=bold) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def wrapped(text: str, width: float, size: float, *, most: int = 2, bold: bool = False) -> list[str]:
    """The text in at most so many lines, broken between words where it has any."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < most - 1 and text_width(rest, size, bold=bold) > width:
        room = next(i for i in range(len(rest), 0, -1) if i == 1 or text_width(rest[:i], size, bold=bold) <= width)
        at = rest.rfind(" ", 0, room + 1)
        at = room if at <= 0 else at
        lines.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return [*lines, shortened(rest, width, size, bold=bold)]


def svg(fig: Figure) -> str:
    """The figure as SVG without date or machine in it, text as text, dark where the reader's screen is."""
    drawn = io.BytesIO()
    fig.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = drawn.getvalue().decode("utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"<[^>]+>", lambda tag: _tidied(tag.group()), text)
    text = re.sub(r">\s*\n\s*<", "><", text).strip()
    return text.replace("</style>", f"{dark()}</style>", 1)


def _tidied(tag: str) -> str:
    """One tag with short numbers, the reader's fonts, and no names nobody uses."""
    tag = re.sub(r"\s*\n\s*", " ", tag)
    if tag.startswith("<svg"):
        return re.sub(r'(width|height)="([\d.]+)pt"', r'\1="\2"', tag)
    tag = re.sub(r"font-family: [^;\"]*", f"font-family: {FONT}", tag)
    tag = re.sub(r' transform="rotate\(-0 [^"]*"', "", tag)
    tag = re.sub(r'<g id="[^"]*"', "<g", tag)
    return re.sub(r"-?\d+\.\d{2,}", lambda number: f"{float(number.group()):.2f}".rstrip("0").rstrip("."), tag)


def dark() -> str:
    """Rules that swap the colours on a dark screen; viewers without them show the light picture, not a black one."""
    rules = (f'[style*="{what}: {light}"]{{{what}:{dark}!important}}' for light, dark in DARK.items() for what in ("fill", "stroke"))
    return f"@media (prefers-color-scheme:dark){{{''.join(rules)}}}"


def data_uri(text: str, kind: str = "image/svg+xml") -> str:
    """A text as an address that needs no network."""
    return f"data:{kind};base64,{base64.b64encode(text.encode('utf-8', 'replace')).decode('ascii')}"


def headed(fig: Figure, sheet: Sheet, text: str) -> float:
    """What the axis says, above the picture from its left edge; returns how many pixels it took."""
    lines = wrapped(text, sheet.width - 4, sheet.small, most=4)
    for place, line in enumerate(lines):
        write(fig, 0, 9 + place * 18, line, size=sheet.small, color=QUIET)
    return 18.0 * len(lines) + 8


def head_lines(sheet: Sheet, text: str) -> float:
    """The pixels that `headed` will take."""
    return 18.0 * len(wrapped(text, sheet.width - 4, sheet.small, most=4)) + 8


def ticks(low: float, high: float, *, most: int = 5) -> list[float]:
    """Round values between two ends."""
    from matplotlib.ticker import MaxNLocator

    values = MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [float(value) for value in values if low - 1e-9 <= value <= high + 1e-9]


def tick_words(values: list[float]) -> list[str]:
    """Round values as text, all with the places that the finest of them needs."""
    places = next((places for places in range(4) if all(abs(round(value, places) - value) < 1e-9 for value in values)), 4)
    return [decimal(value, places) for value in values]
