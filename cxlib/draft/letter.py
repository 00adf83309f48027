"""`cxlib init`: exports in; a `sources.toml` out that reads like a letter, with every guess to be confirmed."""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cxlib.draft import asked, guesses, known, tables
from cxlib.draft.facts import facts
from cxlib.draft.look import Look, looks
from cxlib.draft.plan import Line, Part, Plan
from cxlib.draft.toml import inline, said
from cxlib.tables import TABLES, TableError
from cxlib.tables.engine import connect

_WIDE = 118


def draft(files: Sequence[str | Path], *, template: str | None = None, beside: str | Path = ".") -> str:
    """A `sources.toml` for these exports, with what speaks for each guess.

    Parameters
    ----------
    files : sequence of str or Path
        Exports: CSV of any separator and encoding, Parquet, and whatever else `cxlib.sources` reads.
    template : str, optional
        Name of a ready-made template. By default the one whose signature an export bears, if any.
    beside : str or Path, optional
        Folder of the `sources.toml` that is drafted; files are named from there.

    Returns
    -------
    str
        TOML. What was guessed is named under ``[confirm]`` and refused by `cxlib.sources` until it says true.

    Raises
    ------
    TableError
        If a file is absent, empty or cannot be read, or feeds no table that is known.
    """
    paths = sorted({Path(os.path.abspath(file)) for file in files})  # noqa: PTH100 - a link keeps the name it is asked by
    made = known.template(template) if template else None
    scratch = Path(tempfile.mkdtemp(prefix="cxlib-init-"))
    con = connect()
    con.raw_sql("SET preserve_insertion_order = true")
    plan = Plan()
    try:
        for look in looks(paths, con=con, scratch=scratch):
            nothing = set(known.words("nothing"))
            seen = {name: facts(con, look.table, name, nothing) for name in look.columns}
            name = template or known.recognised(look.columns)
            chosen = (name, made or known.template(name)) if name else None
            found = tables.parts(look, seen, chosen, plan)
            if not found:
                raise TableError(
                    f"init: '{look.paths[0].name}' feeds no table that is known: its columns are {_some(look.columns)}. "
                    "Look which table of data/README.md it is, and rename its columns; or name a template (cxlib init --templates)."
                )
            for part in found:
                settings = _of_template(chosen, part)
                guesses.settle(part, settings, plan)
                if part.table == "responses":
                    asked.questions(part, settings, plan, con)
                guesses.doubles(part, con)
                guesses.keys(part)
                plan.parts.append(part)
    finally:
        con.disconnect()
        shutil.rmtree(scratch, ignore_errors=True)
    return _letter(plan, Path(os.path.abspath(beside)))  # noqa: PTH100


def templates() -> str:
    """The ready-made templates: name, what it is of, and the documentation it was written from, one a line."""
    made = known.templates()
    wide = max(len(name) for name in made)
    return "\n".join(f"{name:<{wide}}  {each['title']} ({each['documentation'][0]})" for name, each in made.items())


def _of_template(chosen: tuple[str, dict[str, Any]] | None, part: Part) -> dict[str, Any]:
    tables_: list[dict[str, Any]] = chosen[1]["table"] if chosen else []
    fitting = [each for each in tables_ if each["table"] == part.table and known.bears(part.look.columns, each)]
    return (fitting or [each for each in tables_ if each["table"] == part.table] or [{}])[0]


def _some(names: Sequence[str]) -> str:
    more = f", … {len(names)} in all" if len(names) > 6 else ""
    return ", ".join(f"'{said(name, 40)}'" for name in names[:6]) + more


def _letter(plan: Plan, beside: Path) -> str:
    zone = _zone(plan)
    head = (
        "Drafted by `cxlib init`. What the exports say beyond doubt is written below as it will be read. What was guessed has its evidence"
        " above it and a name; it is refused until that name says true under [confirm]. Look, correct what is wrong, say true. What each"
        " table and column means stands in data/README.md; `cxlib check --sources …` shows what would be read."
    )
    lines = [*_comment(head), "", "[workbook]", f"name = {inline(_name(plan))}", *zone, ""]
    if many := len(plan.confirm):
        lines += ["[confirm]", *_comment("One guess, to be looked at." if many == 1 else f"{many} guesses, each to be looked at.")]
        wide = max(len(name) for name in plan.confirm)
        lines += [f"{name:<{wide}} = false  # {said(why, 150)}" for name, why in plan.confirm.items()]
        lines.append("")
    several = [part.table for part in plan.parts]
    for part in plan.parts:
        lines += ["", *_part(part, several.count(part.table) > 1, beside)]
    if plan.questions:
        lines += ["", "", *_comment("Every question that is answered. A line that begins with # is offered, not read."), "[questions]"]
        for line in plan.questions:
            lines += _line(line)
    return "\n".join(lines).rstrip() + "\n"


def _zone(plan: Plan) -> list[str]:
    """The workbook's time zone: the exports do not say it, so it is asked where it makes a difference."""
    offsets: set[str] = set()
    timed = bare = 0
    for part in plan.parts:
        for theirs in part.columns.values():
            if (each := part.facts.get(theirs)) and each.dated:
                offsets |= set(each.dates.offsets)
                timed += each.dates.timed + (each.filled if each.epoch else 0)
                bare += each.dates.timed - each.dates.offsets.total()
    if not timed:
        return [*_comment("No time of day was seen, so the zone decides nothing yet."), 'time_zone = "UTC"']
    seen = (
        f"times carry {', '.join(sorted(offsets)[:4])}"
        if offsets
        else "no time names its zone"
        if bare > 0
        else "times are counted from 1970, in UTC"
    )
    name = plan.ask("time_zone", "the zone in which days begin")
    return [*_comment(f"{seen}; days begin, and times without a zone are read, in this one (confirm {name})."), 'time_zone = "UTC"']


def _name(plan: Plan) -> str:
    return said(plan.parts[0].look.paths[0].name.split(".")[0], 60)


def _part(part: Part, several: bool, beside: Path) -> list[str]:
    look, spec = part.look, TABLES[part.table]
    rows = f"{look.rows:,} rows" if look.of is None else f"{look.rows:,} rows looked at of about {look.of:,}"
    lines = _comment(
        f"{part.table}: {spec.row}. {', '.join(said(path.name) for path in look.paths[:3])}{' …' if len(look.paths) > 3 else ''}: {rows}."
    )
    if part.template:
        made = known.template(part.template)
        lines += _comment(f"Recognised as {made['title']}: {made['documentation'][0]}")
    for note in part.notes:
        lines += _comment(note)
    if look.unreadable:
        lines += _comment(f"{look.unreadable:,} lines cannot be read with these settings.")
    lines += [f"[[tables.{part.table}]]" if several else f"[tables.{part.table}]", f"files = {inline(_files(look, beside))}"]
    lines += [f"{name} = {inline(value)}" for name, value in look.settings.items()]
    for line in part.lines:
        lines += _line(line)
    columns = {ours: theirs for ours, theirs in part.columns.items() if ours != theirs}
    lines += ["", f"[tables.{part.table}.columns]"]
    for ours, theirs in columns.items():
        lines += _line(Line(f"{ours} = {inline(theirs)}", f"{ours}: {part.guessed[ours]}." if ours in part.guessed else ""))
        lines += [f"# or: {ours} = {inline(other)}" for other in part.others.get(ours, [])[:5]]
    if same := [ours for ours, theirs in part.columns.items() if ours == theirs]:
        lines += _comment(f"Read under their own names: {', '.join(same)}.")
    for ours, others in part.others.items():
        if ours not in part.columns and ours not in ("question", "score"):
            why = f"{ours} is needed and was not found. {spec[ours].meaning}"
            lines += [*_comment(why), f"# {ours} = {inline(others[0] if others else '…')}"]
    if left := guesses.unread(part):
        lines += _comment(f"Not read: {left}.")
    return lines


def _files(look: Look, beside: Path) -> str | list[str]:
    """The files from where the draft stands; several of one shape as a pattern, where it finds these and no others."""
    names = [glob.escape(Path(os.path.relpath(path, beside)).as_posix()) for path in look.paths]
    if len(names) == 1:
        return names[0]
    first, last = min(path.name for path in look.paths), max(path.name for path in look.paths)
    same = [one == other for one, other in zip(first, last, strict=False)]
    before = first[: same.index(False) if False in same else len(same)]
    after = Path(first).suffix if all(path.suffix == look.paths[0].suffix for path in look.paths) else ""
    folder = look.paths[0].parent
    pattern = f"{glob.escape(before)}*{glob.escape(after)}"
    if sorted(folder.glob(pattern)) == sorted(look.paths):
        return (Path(os.path.relpath(folder, beside)) / pattern).as_posix()
    return names


def _line(line: Line) -> list[str]:
    above = _comment(line.because) if line.because else []
    return [*above, f"# {line.setting}" if line.offered else line.setting] if line.setting else above


def _comment(*paragraphs: str) -> list[str]:
    """Comment lines; whatever stands in them stays in them."""
    lines = []
    for text in paragraphs:
        wrapped = textwrap.wrap(said(text, 6_000), _WIDE, break_long_words=True, break_on_hyphens=False)
        lines += [f"# {line}" for line in wrapped]
    return lines
