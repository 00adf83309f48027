"""Exports in; a drafted `sources.toml` out, with what speaks for each guess and a line to confirm it."""

from cxlib.draft.letter import draft, templates

__all__ = ["draft", "templates"]
