"""Notebooks and a date in; one dated, self-contained report out."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib.util
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cxlib.report import collect, manifest, page, parameters, publish
from cxlib.report.execute import Execution, Job, Room, execute
from cxlib.report.letters import DATA_REFUSED, DONE, ENVIRONMENT, NOTEBOOK_FAILED, USAGE, Refusal
from cxlib.report.lock import held
from cxlib.report.parameters import Notebook, Value
from cxlib.report.progress import Progress

STALE_DAYS = 100
#: The file of the private folder that holds the letter about refused data.
REFUSED = "refused/letter.txt"


@dataclass(frozen=True)
class Request:
    """What is asked of a run; every path may be left to the project."""

    as_of: str
    notebooks: Sequence[str] = ()
    sources: str | None = None
    to: str | None = None
    private: str | None = None
    given: Sequence[tuple[str, str]] = ()
    jobs: int | None = None
    timeout: int = 3600
    force: bool = False
    stale: bool = False


@dataclass
class Outcome:
    """How a run ended: its exit code, what was published, and the reasons where notebooks failed."""

    status: str
    code: int
    as_of: str
    folder: str
    files: list[str] = field(default_factory=list)
    revision: str | None = None
    reasons: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    log: str | None = None


@dataclass(frozen=True)
class Plan:
    """A request with everything found and checked, before anything starts."""

    request: Request
    root: Path
    as_of: str
    notebooks: Sequence[Notebook]
    values: Mapping[str, Mapping[str, Value]]
    workbook: Path
    name: str
    smallest_group: int
    to: Path
    private: Path

    @property
    def place(self) -> Path:
        """Where the report is published."""
        return self.to / self.as_of


def run(request: Request) -> Outcome:
    """Make the report of one date, or say that it is up to date.

    Parameters
    ----------
    request : Request
        Date, notebooks, workbook, folders and parameters.

    Returns
    -------
    Outcome
        ``code`` is 0 where the report was published or is up to date, 1 where a notebook failed.

    Raises
    ------
    Refusal
        If the run cannot start or go on: a letter and an exit code (2 usage, 3 data, 4 environment, 75 lock held).
    """
    plan = _plan(request)
    with _environment(plan), held(plan.to):
        publish.settle(plan.to)
        publish.refuse_other_workbook(plan.to, plan.name)
        made_of = _basis(plan)
        if not request.force and manifest.up_to_date(plan.place, made_of):
            if publish.forget_failure(plan.to, plan.as_of):
                _write_dates(plan)
            return Outcome("up to date", DONE, plan.as_of, str(plan.place))
        with publish.building(plan.to) as built, tempfile.TemporaryDirectory(prefix="cxlib-run-", ignore_cleanup_errors=True) as scratch:
            return _made(plan, made_of, built, Path(scratch))


def _plan(request: Request) -> Plan:
    from cxlib import sources

    root = project_root()
    notebooks = [parameters.notebook(path) for path in _notebooks(request.notebooks, root)]
    asked = parameters.as_of_date(request.as_of)
    given = parameters.assign(notebooks, request.given)
    path = Path(request.sources).resolve() if request.sources else root / "data" / "sources.toml"
    if not path.is_file():
        raise Refusal(f"{request.sources or path}: there is no such file. Name the workbook's sources.toml with --sources FILE.", USAGE)
    workbook = _data(lambda: sources.declared(path))
    today = dt.datetime.now(ZoneInfo(workbook.time_zone)).date()
    if asked > today:
        letter = f"--as-of: {asked} has not come yet (today is {today} in {workbook.time_zone}); its answers are still to be given."
        raise Refusal(letter, USAGE)
    fixed = {"as_of": asked.isoformat(), "workbook": _shown(path, root)}
    values = {each.name: {**given[each.name], **{key: fixed[key] for key in fixed if key in each.signature}} for each in notebooks}
    to = Path(request.to or root / "reports").resolve()
    private = Path(request.private or root / "data" / "private").resolve()
    if private.is_relative_to(to):
        raise Refusal(f"--private: {private} lies within {to}, beside the pages. Choose a folder outside of it.", USAGE)
    if importlib.util.find_spec("ipykernel") is None:
        raise Refusal(f"no kernel: the package ipykernel is not installed for {sys.executable}.", ENVIRONMENT)
    private = private / (re.sub(r"\W+", "-", workbook.name).strip("-")[:60] or "workbook") / asked.isoformat()
    return Plan(request, root, asked.isoformat(), notebooks, values, path, workbook.name, workbook.smallest_group, to, private)


#: The order in which a reader meets the pages; others follow by name.
ORDER = "scorecard survey_scores churn_survival feedback_themes journey_dropoff support_tickets campaign_engagement service_audits"


def project_root() -> Path:
    """The folder that holds ``notebooks/``: here, above, or where this package was installed from."""
    import cxlib

    here = Path.cwd()
    for folder in (here, *here.parents, Path(cxlib.__file__).resolve().parents[1]):
        if (folder / "notebooks").is_dir():
            return folder
    return here


def _notebooks(named: Sequence[str], root: Path) -> list[Path]:
    from cxlib.tables import did_you_mean

    there = sorted((root / "notebooks").glob("*.ipynb"), key=lambda path: (path.stem not in ORDER, ORDER.find(path.stem), path.stem))
    if not named and not there:
        raise Refusal(f"there is no notebook in {root / 'notebooks'}. Name one, or start in the project's folder.", USAGE)
    found = []
    for name in named:
        path = next((path for path in (Path(name), root / "notebooks" / f"{name}.ipynb") if path.is_file()), None)
        if path is None:
            raise Refusal(f"{name}: there is no such notebook.{did_you_mean(Path(name).stem, [path.stem for path in there])}", USAGE)
        found.append(path.resolve())
    stems = [path.stem for path in found]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise Refusal(f"{twice[0]}: named twice; a report has one page of a name.", USAGE)
    return found or there


def _shown(path: Path, root: Path) -> str:
    """A path as it may be published: from the project's root, or its name alone."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _data(read: Any) -> Any:
    """What the door says no to, as a refusal."""
    from cxlib.tables import TableError

    try:
        return read()
    except TableError as letter:
        raise Refusal(str(letter), DATA_REFUSED) from letter


@contextlib.contextmanager
def _environment(plan: Plan) -> Iterator[None]:
    """A folder that cannot be written to, or a full disk, is the environment's fault and said as such."""
    try:
        yield
    except OSError as fault:
        where = fault.filename or plan.to
        raise Refusal(f"{where}: {fault.strerror or fault}.", ENVIRONMENT) from fault


def _basis(plan: Plan) -> dict[str, Any]:
    from cxlib import sources

    inputs = _data(lambda: sources.inputs(plan.workbook))
    head = {"workbook": plan.name, "as_of": plan.as_of, "smallest_group": plan.smallest_group}
    return manifest.basis(notebooks=plan.notebooks, values=plan.values, inputs=inputs, head=head)


def _made(plan: Plan, made_of: Mapping[str, Any], built: Path, scratch: Path) -> Outcome:
    """Pass the door, execute, check, write the pages, publish; or note why not."""
    started, scrub = dt.datetime.now(dt.UTC), _scrubber(plan, scratch)
    admitted = scratch / "admitted"
    admitted.mkdir(mode=0o700)
    try:
        tables = _admitted(plan, admitted)
    except Refusal as refusal:
        _note_failure(plan, {"data": _without_cells(plan, refusal, scrub(refusal.letter))}, started)
        raise
    finally:
        publish.move_private(admitted / "set_aside", plan.private / "set_aside")
    first = min((row["first"] for row in tables.values() if row["first"]), default=None)
    since, until = manifest.period(tables)
    if first and not until:
        raise Refusal(f"--as-of: the data begin on {first}, after {plan.as_of}: there is nothing to report.", DATA_REFUSED)
    executions = _executed(plan, admitted, scratch)
    for one in executions:
        one.reason = scrub(one.reason or collect.fault(one.name, one.content, smallest_group=plan.smallest_group))
        if one.content:
            one.content = collect.tidied(scrub(one.content), plan.values[one.name])
    if any(one.reason for one in executions):
        return _failed(plan, executions, started)
    seconds = {one.name: round(one.seconds, 1) for one in executions}
    read = {"tables": tables, "since": since, "until": until, "commit": manifest.commit(plan.root)}
    record = {"status": "good", **made_of, **read, "started": _stamp(started), "seconds": seconds}
    files = _written(executions, record, built)
    with _undisturbed():
        revision = publish.publish(built, plan.place)
        _write_dates(plan)
        for left in ("failed", "refused"):
            shutil.rmtree(plan.private / left, ignore_errors=True)
    return Outcome("published", DONE, plan.as_of, str(plan.place), files, revision, seconds=seconds)


def _without_cells(plan: Plan, refusal: Refusal, letter: str) -> str:
    """What the list of reports may say: a letter of the door quotes cells, and those stay in the private folder."""
    from cxlib.tables import TABLES, TableError

    if not isinstance(refusal.__cause__, TableError):
        return letter
    publish.private_folder((plan.private / REFUSED).parent)
    (plan.private / REFUSED).write_text(letter + "\n", encoding="utf-8")
    named = [name for name in TABLES if any(line.startswith((f"{name}:", f"{name} (")) for line in letter.splitlines())]
    tables = f" of {', '.join(named)}" if named else ""
    return f"The data{tables} were refused. The letter may quote what customers wrote: it is in {REFUSED} in the private folder."


def _admitted(plan: Plan, folder: Path) -> dict[str, dict[str, Any]]:
    from cxlib import sources

    _data(lambda: sources.admit(plan.workbook, to=folder))
    tables = manifest.spans(folder, plan.as_of)
    _, until = manifest.period(tables)
    if until is None:  # no dates at all, or none yet, which is said by whoever asked
        return tables
    late = (dt.date.fromisoformat(plan.as_of) - dt.date.fromisoformat(until)).days
    if late > STALE_DAYS and not plan.request.stale:
        letter = (
            f"--as-of: the data end on {until}, {late} days before {plan.as_of}: the report would look newer than it is. "
            f"Ask for an earlier date, or say --stale if this is meant."
        )
        raise Refusal(letter, DATA_REFUSED)
    return tables


def _executed(plan: Plan, admitted: Path, scratch: Path) -> list[Execution]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    jobs = min(plan.request.jobs or cores, len(plan.notebooks))
    room = Room(scratch, plan.root, admitted, jobs, cores, plan.request.timeout)
    path = {"workbook": str(plan.workbook)}
    work = [Job(each, {key: path.get(key, value) for key, value in plan.values[each.name].items()}) for each in plan.notebooks]
    with Progress(plan.notebooks) as progress:
        return execute(work, room, stepped=progress.stepped, done=progress.done)


def _scrubber(plan: Plan, scratch: Path) -> Callable[[Any], Any]:
    """Of what is published, the places on this machine told as the project's own; the workbook's folder as ``_shown`` has it."""
    beside = _shown(plan.workbook, plan.root).removesuffix(plan.workbook.name)
    package = Path(collect.__file__).parents[2]
    folders = {Path.home(): "~/", Path(sys.prefix): "python/", package: "", plan.to: "", plan.root: "", plan.workbook.parent: beside}
    return collect.scrubber({**folders, scratch: "", Path(tempfile.gettempdir()): ""})


def _note_failure(plan: Plan, reasons: Mapping[str, str], started: dt.datetime) -> None:
    publish.note_failure(plan.to, plan.as_of, {"when": _stamp(started), "reasons": reasons})
    _write_dates(plan)


def _failed(plan: Plan, executions: Sequence[Execution], started: dt.datetime) -> Outcome:
    """Keep the evidence in the private folder, say why beside the reports, and leave what was published alone."""
    import json

    reasons = {one.name: one.reason for one in executions if one.reason}
    folder = plan.private / "failed"
    shutil.rmtree(folder, ignore_errors=True)
    publish.private_folder(folder)
    for one in executions:
        if one.reason:
            (folder / f"{one.name}.log").write_text(one.log or f"{one.reason}\n", encoding="utf-8")
            (folder / f"{one.name}.ipynb").write_text(json.dumps(one.content, indent=1, ensure_ascii=False), encoding="utf-8")
    _note_failure(plan, reasons, started)
    return Outcome("failed", NOTEBOOK_FAILED, plan.as_of, str(plan.place), reasons=reasons, log=str(folder))


def _written(executions: Sequence[Execution], record: dict[str, Any], built: Path) -> list[str]:
    """All files of a report, in the folder it is built in; the manifest last, with the hashes of the others."""
    import json

    documents = [page.document(one.name, one.content) for one in executions]
    items = [item for one in executions for item in collect.shown(one.name, one.content)]
    (built / "tables").mkdir()
    record["csv"] = []
    for name, content in collect.tables(items):
        (built / "tables" / name).write_text(content, encoding="utf-8-sig")
        record["csv"].append(name)
    collect.write_parquet(collect.estimates(items), built / publish.RESULTS)
    record["pages"] = {document.name: {"title": document.title, "headline": document.headline} for document in documents}
    for one, document in zip(executions, documents, strict=True):
        (built / f"{one.name}.ipynb").write_text(json.dumps(one.content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (built / f"{one.name}.html").write_text(page.notebook_page(document, record), encoding="utf-8")
    (built / "index.html").write_text(page.front_page(documents, record), encoding="utf-8")
    files = {path.relative_to(built).as_posix(): manifest.digest(path) for path in sorted(built.rglob("*")) if path.is_file()}
    record |= {"files": files, "finished": _stamp(dt.datetime.now(dt.UTC))}
    (built / manifest.NAME).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return [*files, manifest.NAME]


def _write_dates(plan: Plan) -> None:
    publish.write(plan.to / "index.html", page.dates_page(publish.history(plan.to), plan.name))


def _stamp(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="seconds")


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """The few moments of publishing, during which a signal waits."""
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
