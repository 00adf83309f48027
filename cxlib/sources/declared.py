"""`data/sources.toml` as it is declared: read strictly, so that a misspelt key is an error and not a silence."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxlib.sources.question import Question, question
from cxlib.sources.settings import between, known, section, whole, words
from cxlib.sources.source import Source, refuse_zone, source
from cxlib.tables import TABLES, TableError

__all__ = ["Question", "Source", "Workbook", "declared", "found"]


@dataclass(frozen=True)
class Workbook:
    """A whole `sources.toml`; a table may be fed by several exports."""

    path: Path
    name: str
    time_zone: str
    bad_rows_allowed: float
    smallest_group: int
    journey_goal: str
    engine: str
    sources: Mapping[str, tuple[Source, ...]]
    questions: Mapping[str, Question]

    @property
    def wide(self) -> bool:
        """Whether there are answers that stand in one column a question instead of one row an answer."""
        return any(question.columns for question in self.questions.values())


def declared(path: str | Path) -> Workbook:
    """Read and check a `sources.toml`.

    Parameters
    ----------
    path : str or Path
        The file; a relative path is looked for here and in the folders above.

    Returns
    -------
    Workbook

    Raises
    ------
    TableError
        If the file is absent, is not TOML, or declares what nobody knows.
    """
    path = found(path)
    try:
        # Editors on Windows begin a file with a byte-order mark, which TOML does not know.
        content = path.read_text(encoding="utf-8-sig")
        raw = tomllib.loads(content)
    except UnicodeDecodeError:
        raise TableError(f"{path.name}: this is not UTF-8, which TOML is written in. Save it as UTF-8 in the editor.") from None
    except tomllib.TOMLDecodeError as error:
        raise TableError(f"{path.name}: this is not valid TOML: {error}. {_remedy(content, error)}") from None
    known(raw, ("workbook", "confirm", "tables", "questions"), where=path.name)
    _confirmed(section(raw, "confirm", path.name), path.name)
    head, where = section(raw, "workbook", path.name), f"{path.name} [workbook]"
    known(head, ("name", "time_zone", "bad_rows_allowed", "smallest_group", "journey_goal", "engine"), where=where)
    tables = section(raw, "tables", path.name)
    known(tables, tuple(TABLES), where=f"{path.name} [tables]")
    if not tables:
        raise TableError(f'{path.name}: no table is declared. Declare at least one, such as [tables.responses] with files = "answers.csv".')
    zone = words(head, "time_zone", where=where) or "UTC"
    refuse_zone(zone, path.name)
    workbook = Workbook(
        path=path,
        name=words(head, "name", where=where) or path.parent.name,
        time_zone=zone,
        bad_rows_allowed=between(head, "bad_rows_allowed", 0.05, low=0.0, high=1.0, where=where),
        smallest_group=whole(head, "smallest_group", 5, low=1, where=where),
        journey_goal=words(head, "journey_goal", where=where) or "",
        engine=words(head, "engine", where=where) or "duckdb",
        sources={name: _exports(name, part, path.name) for name, part in tables.items()},
        questions={name: question(name, part, path.name) for name, part in section(raw, "questions", path.name).items()},
    )
    _agree(workbook)
    return workbook


def _remedy(content: str, error: tomllib.TOMLDecodeError) -> str:
    """What to do where a line is not TOML."""
    place = re.search(r"at line (\d+)", str(error))
    line = content.splitlines()[int(place[1]) - 1] if place else ""
    if re.search("[“”„‘’]", line):
        return 'Quotes are straight: "…".'
    if "\\" in line:
        return 'Paths are written with slashes: "exports/answers.csv".'
    return 'Text stands in quotes, dates as "2026-06-30".'


def _exports(name: str, part: Any, file: str) -> tuple[Source, ...]:
    """The exports that feed a table: one section, or an array of them."""
    if isinstance(part, list) and len(part) > 1:
        return tuple(source(name, each, file, number=number) for number, each in enumerate(part, start=1))
    return (source(name, part[0] if isinstance(part, list) and part else part, file),)


def _confirmed(part: Mapping[str, Any], file: str) -> None:
    """Nothing that was guessed is read before a person has said that it is right."""
    unclear = [name for name, said in part.items() if not isinstance(said, bool)]
    if unclear:
        raise TableError(f"{file} [confirm]: {unclear[0]} is {part[unclear[0]]!r}; it is true or false.")
    waiting = [name for name, said in part.items() if not said]
    if waiting:
        more = ", …" if len(waiting) > 3 else ""
        raise TableError(
            f"{file}: {len(waiting)} of {len(part)} guesses wait for you ({', '.join(waiting[:3])}{more}). Look at the lines that say "
            f"(confirm {waiting[0]}), correct what is wrong, and write {waiting[0]} = true under [confirm]."
        )


def found(path: str | Path) -> Path:
    """The file, looked for from the working folder upwards: a notebook runs in its own folder, a schedule anywhere."""
    path = Path(path).expanduser()
    if path.is_absolute():
        places = [path]
    else:
        here = Path.cwd()
        places = [folder / path for folder in (here, *here.parents)]
    for place in places:
        if place.is_file():
            return place.resolve()
    raise TableError(f"there is no file '{path}' here or in a folder above. Name the workbook's sources.toml.")


def _agree(workbook: Workbook) -> None:
    """The parts of a declaration must fit each other."""
    file, exports = workbook.path.name, workbook.sources.get("responses", ())
    if exports and not workbook.questions:
        raise TableError(f"{file}: there are responses and no question. Declare each, such as [questions.nps] with kind, scale, direction.")
    without = sorted(name for name, question in workbook.questions.items() if not question.columns)
    if len(exports) == 1 and workbook.wide and without:
        raise TableError(
            f"{file}: {len(without)} of {len(workbook.questions)} questions have no column ({', '.join(without[:3])}). "
            'In a wide file each question says which column holds its answers: column = "…".'
        )
    for customers in workbook.sources.get("customers", ()):
        if "tenure_days" in customers.columns and customers.tenure_unit is None:
            raise TableError(
                f"{file} [tables.customers]: a tenure is read and its unit is not declared. "
                f'Write tenure_unit = "months" (or days, weeks, years).'
            )
