"""`cxlib init`: exports in; a `sources.toml` out that reads like a letter, with every guess to be confirmed."""

from __future__ import annotations

import glob
import os
import re
import shutil
import tempfile
import textwrap
from collections.abc import Sequence
from pathlib import Path

from cxlib.draft import guesses, known, questions, tables
from cxlib.draft.facts import facts, plain
from cxlib.draft.look import Look, looks
from cxlib.draft.plan import Line, Part, Plan, Unknown
from cxlib.draft.toml import inline, said
from cxlib.tables import TABLES, TableError
from cxlib.tables.engine import connect

_WIDE = 118
#: Columns that are named of an export nobody knows; it may have hundreds.
_NAMED = 60
_HEAD = (
    "Drafted by `cxlib init`. What is sure is written as it will be read. What was guessed is listed under [confirm], with its evidence"
    " further down, and refused until it says true: look, correct what is wrong, write true. data/README.md says what each table and"
    " column means; `cxlib check --sources …` shows what would be read."
)

_NO_TABLE = (
    "none of the files feeds a table that is known. Name the template of the tool they come from (cxlib init --templates), or say which"
    " table each is: write these lines into a sources.toml, without the # before a setting."
)


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
        If a file is absent, empty or cannot be read, or none of them feeds a table that is known. Where only some do, the others have
        a skeleton in the draft, and are to be confirmed.
    """
    paths = sorted({Path(os.path.abspath(file)) for file in files})  # noqa: PTH100 - a link keeps the name it is asked by
    scratch = Path(tempfile.mkdtemp(prefix="cxlib-init-"))
    con = connect()
    con.raw_sql("SET preserve_insertion_order = true")
    plan = Plan()
    known.recognised((), template)
    try:
        for look in looks(paths, con=con, scratch=scratch):
            seen = {name: facts(con, look.table, name=name, nothing=known.words("nothing")) for name in look.columns}
            made = tables.parts(look, seen, known.recognised(look.columns, template))
            if not made:
                plan.unknown.append(Unknown(look, tables.closest(look, seen), _asked(look, plan)))
            for part in made:
                guesses.settle(part, plan)
                if part.table == "responses":
                    questions.questions(part, plan, con)
                guesses.doubles(part, con)
                guesses.keys(part)
                plan.parts.append(part)
    finally:
        con.disconnect()
        shutil.rmtree(scratch, ignore_errors=True)
    folder = Path(os.path.abspath(beside))  # noqa: PTH100
    if not plan.parts:
        raise TableError("\n".join([_NO_TABLE, *(line for each in plan.unknown for line in ["", *_skeleton(each, folder)])]))
    return _letter(plan, folder)


def templates() -> str:
    """The ready-made templates: name, what it is of, and the documentation it was written from, one a line."""
    made = known.templates()
    wide = max(len(name) for name in made)
    return "\n".join(f"{name:<{wide}}  {each['title']} ({each['documentation'][0]})" for name, each in made.items())


def _letter(plan: Plan, beside: Path) -> str:
    zone = _zone(plan)
    name = said(plan.parts[0].look.paths[0].name.split(".")[0], 60)
    lines = [*_comment(_HEAD), "", "[workbook]", f"name = {inline(name)}", *zone, ""]
    if many := len(plan.confirm):
        lines += ["[confirm]", *_comment("One guess, to be looked at." if many == 1 else f"{many} guesses, each to be looked at.")]
        wide = max(len(name) for name in plan.confirm)
        lines += [f"{name:<{wide}} = false  # {said(why, 150)}" for name, why in plan.confirm.items()]
        lines.append("")
    several = [part.table for part in plan.parts]
    for part in plan.parts:
        lines += ["", *_part(part, several.count(part.table) > 1, beside)]
    for unknown in plan.unknown:
        lines += ["", "", *_skeleton(unknown, beside, confirm=f" (confirm {unknown.asked})")]
    if plan.questions:
        lines += ["", "", *_comment("Every question that is answered. A line that begins with # is offered, not read."), "[questions]"]
        lines += [written for line in plan.questions for written in _line(line)]
    return "\n".join(lines).rstrip() + "\n"


def _zone(plan: Plan) -> list[str]:
    """The workbook's time zone: the exports do not say it, so it is asked where it makes a difference."""
    dated = [facts for part in plan.parts for facts in part.of("date", "time").values() if facts.dated]
    offsets = sorted({zone for facts in dated for zone in facts.dates.offsets})
    if not any(facts.dates.timed or facts.epoch for facts in dated):
        return [*_comment("No time of day was seen, so the zone decides nothing yet."), 'time_zone = "UTC"']
    said_so = all("time_zone" in part.made for part in plan.parts)
    bare = not said_so and any(facts.dates.timed > facts.dates.offsets.total() for facts in dated)
    seen = f"times carry {', '.join(offsets[:4])}" if offsets else "no time names its zone" if bare else "times are in UTC"
    name = plan.ask("time_zone", "the zone in which days begin; UTC is only assumed")
    read = "days begin, and times without a zone are read," if bare else "days begin"
    return [*_comment(f"{seen}; {read} in this one (confirm {name})."), 'time_zone = "UTC"']


def _part(part: Part, several: bool, beside: Path) -> list[str]:
    look, spec = part.look, TABLES[part.table]
    rows = f"{look.rows:,} rows" if look.of is None else f"{look.rows:,} rows looked at of about {look.of:,}"
    lines = _comment(
        f"{part.table}: {spec.row}. {', '.join(said(path.name) for path in look.paths[:3])}{' …' if len(look.paths) > 3 else ''}: {rows}."
    )
    if part.made:
        lines += _comment(f"Recognised as {part.made['title']}: {part.made['documentation'][0]}")
    lines += _comment(*part.notes, *([f"{look.unreadable:,} lines cannot be read with these settings."] if look.unreadable else []))
    lines += [f"[[tables.{part.table}]]" if several else f"[tables.{part.table}]", f"files = {inline(_files(look, beside))}"]
    lines += [f"{name} = {inline(value)}" for name, value in look.settings.items() if name not in look.unsure]
    lines += [written for line in part.lines for written in _line(line)]
    lines += ["", f"[tables.{part.table}.columns]"]
    for ours, theirs in part.columns.items():
        if ours != theirs:
            lines += _line(Line(f"{ours} = {inline(theirs)}", f"{ours}: {part.guessed[ours]}." if ours in part.guessed else ""))
            lines += [f"# or: {ours} = {inline(other)}" for other in part.others.get(ours, [])[:5]]
    if same := [ours for ours, theirs in part.columns.items() if ours == theirs]:
        lines += _comment(f"Read under their own names: {', '.join(same)}.")
    if left := guesses.unread(part):
        lines += _comment(f"Not read: {left}.")
    return lines


def _asked(look: Look, plan: Plan) -> str:
    """The name under which a file is asked about that feeds no table: nobody should overlook that it is not read."""
    bare = "_".join(re.sub(r"[^a-z0-9 ]", " ", plain(look.paths[0].name.split(".")[0]).encode("ascii", "ignore").decode()).split())[:40]
    return plan.ask(f"file_{bare}".rstrip("_"), f"{_named(look)} is not read: say further down which table it is, or leave it out")


def _named(look: Look) -> str:
    sheet = f", sheet {inline(said(look.settings['sheet'], 40))}" if "sheet" in look.settings else ""
    return f"{said(look.paths[0].name, 60)}{f' and {len(look.paths) - 1} more' if look.paths[1:] else ''}{sheet}"


def _skeleton(unknown: Unknown, beside: Path, *, confirm: str = "") -> list[str]:
    """What is to be written of an export that feeds no table that is known; all of it as comments."""
    look = unknown.look
    settings = {"files": _files(look, beside), **look.settings}
    lines = _comment(
        f"{_named(look)}: not read, since it feeds no table that is known. {unknown.closest}",
        f"Which table is it? One of {', '.join(TABLES)}: data/README.md says what each is, and what its columns mean. Write its name for"
        " which_table and the table's names for ours, and take the # away where a line is meant. Two exports of one table are written"
        f' [[tables.…]] both. In short: columns = {{ ours = "theirs" }}. Not wanted? Delete these lines{confirm}.',
        *(f"{name}: {why}." for name, why in look.unsure.items()),
    )
    lines += ["# [tables.which_table]", *(f"# {name} = {inline(value)}" for name, value in settings.items())]
    lines += ["# [tables.which_table.columns]", *(f"# ours = {inline(name)}" for name in look.columns[:_NAMED])]
    return [*lines, f"# … and {len(look.columns) - _NAMED} more columns"] if look.columns[_NAMED:] else lines


def _files(look: Look, beside: Path) -> str | list[str]:
    """The files from where the draft stands; several of one shape as a pattern, where it finds these and no others."""
    folder, first = look.paths[0].parent, look.paths[0]
    if len(look.paths) > 1:
        # What is counted is left out of what they share: after orders-01 to orders-03 comes, one day, orders-10.
        before = re.sub(r"\d+$", "", os.path.commonprefix([path.name for path in look.paths]))  # noqa: RUF071 - of letters
        after = first.suffix if all(path.suffix == first.suffix for path in look.paths) else ""
        pattern = f"{glob.escape(before)}*{glob.escape(after)}"
        if sorted(folder.glob(pattern)) == sorted(look.paths):
            return (Path(os.path.relpath(folder, beside)) / pattern).as_posix()
    names = [glob.escape(Path(os.path.relpath(path, beside)).as_posix()) for path in look.paths]
    return names if len(names) > 1 else names[0]


def _line(line: Line) -> list[str]:
    above = _comment(line.because) if line.because else []
    return [*above, f"# {line.setting}" if line.offered else line.setting] if line.setting else above


def _comment(*paragraphs: str) -> list[str]:
    """Comment lines; whatever stands in them stays in them."""
    wrapped = [textwrap.wrap(said(text, 6_000), _WIDE, break_long_words=True, break_on_hyphens=False) for text in paragraphs]
    return [f"# {line}" for lines in wrapped for line in lines]
