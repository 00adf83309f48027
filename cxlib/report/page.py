"""An executed notebook as a page for people: one file, without code, script or request, safe against hostile text."""

from __future__ import annotations

import base64
import datetime as dt
import html
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cxlib
from cxlib.report.collect import MIME, text

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
FIGURES = Path(cxlib.__file__).parent / "figures" / "style.css"
MARK = "\x00"
TAG = re.compile(r"<[^>]+>")
REGION = re.compile(r'role="region" aria-label="([^"]*)"')


@dataclass
class Section:
    """One heading and what stands under it, already HTML."""

    title: str
    level: int
    id: str
    parts: list[str] = field(default_factory=list)


@dataclass
class Document:
    """A notebook as a reader has it: title, what comes before the first question, and the questions."""

    name: str
    title: str
    lead: Section
    sections: list[Section]
    items: list[Mapping[str, Any]]

    def of_kind(self, kind: str) -> list[str]:
        """The HTML of all it shows of a kind, such as the headline or the cards."""
        return [item["html"] for item in self.items if item["kind"] == kind]

    @property
    def window(self) -> tuple[str, str] | None:
        """First and last day of what its numbers count; none where not all of them say."""
        return _window([row for item in self.items for result in item["results"] for row in result["rows"] if row.get("n")])

    @property
    def headline(self) -> str:
        """The finding, in words."""
        return " ".join(item["text"] for item in self.items if item["kind"] == "headline")


def document(name: str, content: Mapping[str, Any]) -> Document:
    """Read an executed notebook for people: code, warnings and settings left out."""
    found = Document(name, name.replace("_", " ").capitalize(), Section("", 1, "top"), [], [])
    here, titled, taken = found.lead, False, {"top", "main", "contents", "origin"}
    named: Counter[str] = Counter()

    def unique(region: re.Match[str]) -> str:
        """Number the regions of one name: a screen reader lists them, and two figures may be alike."""
        named[region[1]] += 1
        return region[0] if named[region[1]] == 1 else f'role="region" aria-label="{region[1]} ({named[region[1]]})"'

    for cell in content["cells"]:
        if cell["cell_type"] == "markdown":
            for heading, body in _markdown(text(cell["source"])):
                if heading is not None and heading[0] == 1 and not titled:
                    found.title, titled = _plain(heading[1]), True
                elif heading is not None:
                    level = min(max(heading[0], 2), here.level + 1)
                    here = Section(heading[1], level, _id(_plain(heading[1]), taken))
                    found.sections.append(here)
                if body.strip():
                    here.parts.append(f'<div class="words">{body}</div>')
        for output in cell.get("outputs", []):
            part = REGION.sub(unique, _output(output, above=_plain(here.title) or found.title))
            if part:
                here.parts.append(part)
            if MIME in output.get("data", {}):
                payload = output["data"][MIME]
                said = payload.get("text") or payload.get("reason") or ""
                found.items.append({"kind": payload["kind"], "text": said, "html": part, "results": payload.get("results", [])})
    return found


def _markdown(source: str) -> list[tuple[tuple[int, str] | None, str]]:
    """Markdown as HTML, cut at its headings. Tags in it are text, and a link that runs code is none."""
    import mistune

    headings: list[tuple[int, str]] = []

    class Renderer(mistune.HTMLRenderer):
        def heading(self, text: str, level: int, **_: Any) -> str:
            headings.append((level, text))
            return MARK

        # A page loads nothing, so of a picture elsewhere the words are left.
        def image(self, text: str, url: str, title: str | None = None) -> str:
            return html.escape(text)

    rendered = mistune.create_markdown(renderer=Renderer(escape=True), plugins=["table", "footnotes"])(source.replace(MARK, ""))
    before, *parts = str(rendered).split(MARK)
    return [(None, before), *zip(headings, parts, strict=True)]


def _output(output: Mapping[str, Any], *, above: str) -> str:
    """One output as HTML. Only a figure of ours brings its own; of anything else the words are shown, or the picture."""
    if output["output_type"] == "stream":
        return f"<pre>{html.escape(text(output['text']))}</pre>" if output["name"] == "stdout" else ""
    data, metadata = output.get("data", {}), output.get("metadata", {})
    if MIME in data:
        return "" if data[MIME]["kind"] == "set_up" else text(data["text/html"])
    for kind in ("image/svg+xml", "image/png"):
        if kind in data:
            raw = text(data[kind])
            encoded = raw.replace("\n", "") if kind == "image/png" else base64.b64encode(raw.encode()).decode()
            alt = html.escape(metadata.get(kind, {}).get("alt") or f"Picture under the heading '{above}'", quote=True)
            return f'<p><img alt="{alt}" src="data:{kind};base64,{encoded}"></p>'
    if "text/markdown" in data:
        parts = _markdown(text(data["text/markdown"]))
        return "".join((f"<p><b>{heading[1]}</b></p>" if heading else "") + body for heading, body in parts)
    return f"<pre>{html.escape(text(data['text/plain']))}</pre>" if "text/plain" in data else ""


def _plain(markup: str) -> str:
    return html.unescape(TAG.sub("", markup)).strip()


def _id(title: str, taken: set[str]) -> str:
    stem = re.sub(r"\W+", "-", title.lower()).strip("-") or "section"
    number, name = 1, stem
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name)
    return name


def _window(rows: Sequence[Mapping[str, Any]]) -> tuple[str, str] | None:
    whole = bool(rows) and all(row.get("since") and row.get("until") for row in rows)
    return (min(row["since"] for row in rows), max(row["until"] for row in rows)) if whole else None


def long_date(iso: str | None) -> str:
    """A date as people write it.

    >>> long_date("2026-06-30")
    '30 June 2026'
    """
    if iso is None:
        return ""
    date = dt.date.fromisoformat(iso)
    return f"{date.day} {date:%B} {date.year}"


@cache
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(HERE)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"long_date": long_date, "plain": _plain}
    environment.globals["style"] = "".join(file.read_text(encoding="utf-8") for file in (HERE / "page.css", FIGURES) if file.exists())
    return environment


def notebook_page(document: Document, manifest: Mapping[str, Any]) -> str:
    """The page of one notebook."""
    return _templates().get_template("notebook.html.j2").render(document=document, manifest=manifest)


def front_page(documents: Sequence[Document], manifest: Mapping[str, Any]) -> str:
    """The front page of one date: the finding and the cards of every notebook."""
    windows = [dict(zip(("since", "until"), document.window or (None, None), strict=True)) for document in documents]
    return _templates().get_template("front.html.j2").render(documents=documents, manifest=manifest, window=_window(windows))


def dates_page(history: Sequence[Mapping[str, Any]], name: str) -> str:
    """The page of all dates, with what became of each."""
    return _templates().get_template("dates.html.j2").render(history=history, name=name)
