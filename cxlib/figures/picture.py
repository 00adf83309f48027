"""What a figure hands to the notebook: one MIME bundle with html, words, pictures and the result itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from cxlib.figures import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cxlib.figures.shown import Shown

MIME = "application/vnd.cxlib.result+json"
#: What a result names of what it does not show.
_WITHHELD = ("small", "beside", "gone", "remarks")


@dataclass
class Piece:
    """Something shown in a notebook and on a page: html for eyes, ``text`` for everyone else, results for the record."""

    kind: str
    name: str
    text: str
    html: Markup
    results: Sequence[dict[str, Any]] = ()
    reason: str | None = None
    smallest_group: int = 5
    more: dict[str, Any] = field(default_factory=dict)

    def payload(self) -> dict[str, Any]:
        """The record of this piece, in JSON's types."""
        return {
            "version": 1,
            "kind": self.kind,
            "name": self.name,
            "text": self.text,
            "reason": self.reason,
            "withheld": sum(result["withheld"] for result in self.results),
            "smallest_group": self.smallest_group,
            "results": list(self.results),
            **self.more,
        }

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"text/html": str(self.html), "text/plain": self.text, MIME: self.payload()}, {}

    def __str__(self) -> str:
        return self.text


@dataclass
class Picture(Piece):
    """A drawn result.

    ``axes`` gives the matplotlib Axes of the wide drawing to whoever wants to change something; from
    then on the picture is shown as they stand, on a phone too. ``text`` states the finding, and with
    it the alt text, what the picture is.
    """

    draw: Callable[[canvas.Sheet], Figure] | None = None
    alt: str = ""
    below: Markup = field(default_factory=Markup)
    _figure: Figure | None = field(default=None, init=False, repr=False)

    @property
    def axes(self) -> list[Axes]:
        """The Axes of the wide drawing; none where there is nothing to draw."""
        if self.draw is None:
            return []
        if self._figure is None:
            with canvas.theme():
                self._figure = self.draw(canvas.WIDE)
        return self._figure.axes

    def svg(self, sheet: canvas.Sheet = canvas.WIDE) -> str:
        """The drawing as SVG; empty where there is nothing to draw."""
        if self.draw is None:
            return ""
        with canvas.theme():
            return canvas.svg(self._figure or self.draw(sheet))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_()
        image = Markup()
        if self.draw is not None:
            wide, narrow = self.svg(canvas.WIDE), self.svg(canvas.NARROW)
            data["image/svg+xml"] = wide
            metadata["image/svg+xml"] = {"alt": self.alt}
            image = _image(wide, narrow, self.alt)
        words = Markup('<p class="cx-note">{}</p>' if self.reason else "<figcaption>{}</figcaption>").format(self.html)
        data["text/html"] = str(Markup('<figure class="cx-figure">{}{}{}</figure>').format(image, words, self.below))
        return data, metadata


def _image(wide: str, narrow: str, alt: str) -> Markup:
    """The wide drawing, and the narrow one where the screen is; sizes are given so that nothing jumps."""
    (w, h), (nw, nh) = _size(wide), _size(narrow)
    return Markup(
        '<picture><source media="(max-width: 600px)" srcset="{}" width="{}" height="{}">'
        '<img src="{}" width="{}" height="{}" alt="{}"></picture>'
    ).format(canvas.data_uri(narrow), nw, nh, canvas.data_uri(wide), w, h, alt)


def _size(svg: str) -> tuple[str, str]:
    import re

    found = re.search(r'width="([\d.]+)" height="([\d.]+)"', svg)
    return (found[1], found[2]) if found else ("", "")


def said(sentences: Sequence[str]) -> Markup:
    """What is not shown, or why nothing is, as one small paragraph."""
    return Markup('<p class="cx-note">{}</p>').format(unbroken(" ".join(sentences))) if sentences else Markup()


def unbroken(text: str) -> str:
    """A text whose numbers stay on the line of their %."""
    return text.replace(" %", "\u00a0%")


def pictured(
    shown: Shown,
    text: str,
    draw: Callable[[canvas.Sheet], Figure] | None = None,
    *,
    what: str = "",
    notes: Sequence[str] = (),
    beside: Sequence[Shown] = (),
) -> Picture:
    """A result with its finding below and its table folded under it; without a drawing where there is none to make.

    What is said ``beside`` it, such as its movements, is folded under it, too.
    """
    from cxlib.figures.tables import all_folded

    # What is withheld of the result is withheld of its movements, and need not be said again.
    held = [*([] if shown.reason else shown.notes), *(remark for each in beside if not each.reason for remark in each.remarks)]
    below = said([*notes, *dict.fromkeys(held)]) + all_folded([shown, *beside])
    return _picture(shown.name, text, [shown, *beside], shown.reason, draw, what, below)


def several(name: str, shown: Sequence[Shown], text: str, *, draw: Callable[[canvas.Sheet], Figure] | None = None, **said_: Any) -> Picture:
    """Several results in one picture: their tables stand one below the other."""
    from cxlib.figures.tables import all_folded

    reason, what, notes = said_.get("reason"), said_.get("what", ""), said_.get("notes", ())
    below = said([*notes, *_notes(shown)]) + all_folded(shown)
    stem = f"{name}_{shown[0].name.split('_by_')[0]}"
    return _picture(stem, text, shown, reason, draw, what, below)


def _notes(shown: Sequence[Shown]) -> list[str]:
    """What is not shown of several results, each kind of it said once for all of them."""
    told = [each for each in shown if not each.reason]
    every = {name: tuple(dict.fromkeys(words for each in told for words in getattr(each, name))) for name in _WITHHELD}
    none = dict.fromkeys(_WITHHELD, ())
    cut = sum(each.cut for each in told)
    return [note for place, each in enumerate(told) for note in replace(each, cut=cut * (not place), **(none if place else every)).notes]


def _picture(
    name: str,
    text: str,
    shown: Sequence[Shown],
    reason: str | None,
    draw: Callable[[canvas.Sheet], Figure] | None,
    what: str,
    below: Markup,
) -> Picture:
    alt = f"{what}. {text}" if draw is not None else ""
    results = [each.payload() for each in shown]
    return Picture("picture", name, text, Markup.escape(unbroken(text)), results, reason, shown[0].k, draw=draw, alt=alt, below=below)
