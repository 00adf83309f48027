"""`cxlib doctor`: whether a report can be made here, tried and not guessed; where not, what to do.

Nothing here is imported before the check that needs it, so that a broken installation gets a letter too.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlib.report import installed
from cxlib.report.finding import Finding, Place, first_line, install, project, some
from cxlib.report.letters import DONE, ENVIRONMENT

if TYPE_CHECKING:
    from cxlib.sources import Workbook

#: Below these a run is likely to end half way: bytes free on a disk, megabytes a kernel may use.
FREE, KERNEL_MEMORY = 2**30, 512


@dataclass(frozen=True)
class Examination:
    """All findings, in the order in which they were made."""

    findings: tuple[Finding, ...]

    @property
    def code(self) -> int:
        return ENVIRONMENT if any(each.sign == "wrong" for each in self.findings) else DONE

    @property
    def text(self) -> str:
        """The findings in lines for a terminal, each remedy below what it is for."""
        wide = max(len(each.check) for each in self.findings)
        lines = []
        for each in self.findings:
            lines.append(f"{each.sign:<5}  {each.check:<{wide}}  {each.seen}")
            if each.remedy:
                lines.append(f"{'':<5}  {'':<{wide}}  {each.remedy}")
        count = {sign: sum(each.sign == sign for each in self.findings) for sign in ("wrong", "mind")}
        if not any(count.values()):
            return "\n".join([*lines, "All is well: a report can be made here."])
        return "\n".join([*lines, f"{count['wrong']} wrong, {count['mind']} to mind, of {len(self.findings)} looked at."])

    @property
    def record(self) -> dict[str, Any]:
        """The same as data."""
        status = "good" if self.code == DONE else "wrong"
        return {"status": status, "code": self.code, "checks": [asdict(each) for each in self.findings]}


def examine(*, sources: str | None = None, to: str | None = None, private: str | None = None) -> Examination:
    """Look at everything a run needs: packages, a kernel, folders, the workbook, its engine, the machine.

    Parameters
    ----------
    sources, to, private : str, optional
        The workbook, the folder of reports and the private one; by default the project's.

    Returns
    -------
    Examination
        Its ``code`` is 4 where something is wrong, otherwise 0.
    """
    root = project()
    place = Place(
        root,
        Path(sources) if sources else root / "data" / "sources.toml",
        Path(to) if to else root / "reports",
        Path(private) if private else root / "data" / "private",
    )
    return Examination(tuple(finding for name, check in CHECKS.items() for finding in _tried(name, check, place)))


def _tried(name: str, check: Callable[[Place], Iterator[Finding]], place: Place) -> list[Finding]:
    """A check's findings; what stops it is a finding too, never a traceback."""
    found: list[Finding] = []
    try:
        found.extend(check(place))
    except ImportError as missing:
        package = (missing.name or "").partition(".")[0] or "a package"
        found.append(
            Finding(name, "wrong", f"{package} cannot be imported: {first_line(missing)}", f"Install what is missing: {install()}")
        )
    except Exception as fault:  # noqa: BLE001 - whatever stops a check, its reader wants to know and the others to go on
        found.append(Finding(name, "wrong", f"this could not be looked at: {type(fault).__name__}: {first_line(fault)}"))
    return found


def _folders(place: Place) -> Iterator[Finding]:
    for name, folder, option in (("reports", place.to, "--to DIR"), ("private", place.private, "--private DIR")):
        yield _writable(name, folder, f"Choose another with {option}, or make it yours to write in.")
    try:
        folder = Path(tempfile.gettempdir())
    except FileNotFoundError:
        yield Finding("temporary", "wrong", "there is no temporary folder to write in.", "Name one: export TMPDIR=DIR")
        return
    yield _writable("temporary", folder, "Name another: export TMPDIR=DIR")


def _writable(name: str, folder: Path, remedy: str) -> Finding:
    """A file is really written, into the folder or the nearest one above that is there."""
    folder = folder.absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"x")
        free = shutil.disk_usage(there).free
    except OSError as fault:
        return Finding(name, "wrong", f"{folder}: cannot be written ({fault.strerror}).", remedy)
    seen = f"{folder}: can be {'written' if there == folder else 'made'}, {free / 2**30:,.1f} GB free"
    return Finding(name, "mind", f"{seen}.", f"A large workbook may fill it. {remedy}") if free < FREE else Finding(name, "good", seen)


def _held(place: Place) -> Iterator[Finding]:
    file = place.to / ".lock"
    if file.is_file() and os.access(file, os.W_OK):
        with file.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                seen = f"another run is writing in {place.to} now."
                yield Finding(
                    "lock held", "mind", seen, "A second one ends with code 75. Wait, or end the other; the lock goes with its process."
                )


def _workbook(place: Place) -> Iterator[Finding]:
    from cxlib import sources
    from cxlib.tables import TableError

    try:
        workbook = sources.declared(place.sources)
        seen = f"{place.sources.name}: {workbook.name}, {len(workbook.sources)} tables, {len(workbook.questions)} questions"
        yield Finding("workbook", "good", seen)
    except TableError as letter:
        yield Finding("workbook", "wrong", str(letter), "data/README.md says what a sources.toml holds; --sources FILE names another.")
        return
    try:
        read = sources.inputs(place.sources)
        files = [name for name, digest in read.items() if digest]
        yield Finding("files", "good", f"{len(files)} files can be read: {some(sorted(files))}")
    except TableError as letter:
        yield Finding("files", "wrong", str(letter), "Correct the name there, or the right to read the file.")
    yield _clock(workbook)
    if workbook.engine != "duckdb":
        yield _engine(workbook)


def _engine(workbook: Workbook) -> Finding:
    """Ask the engine something; its address is shown without the password, whoever quotes it."""
    import ibis

    from cxlib.sources.engines import database

    url = workbook.engine
    remedy = "Correct engine under [workbook], or start the server."
    if url.startswith("duckdb:"):
        file, there = database(workbook)
        if not there:
            return Finding("engine", "wrong", f"{file.name}: there is no such database beside {workbook.path.name}.", remedy)
        url = f"duckdb://{file}?read_only=True"
    os.environ.setdefault("PGCONNECT_TIMEOUT", "10")  # a server that never answers would be waited for forever
    start = time.monotonic()
    try:
        engine = ibis.connect(url)
        engine.execute(ibis.literal(1))
        engine.disconnect()
    except ImportError as missing:
        return Finding("engine", "wrong", f"its driver is not installed: {first_line(missing)}", f"Install it: {install()}")
    except Exception as fault:  # noqa: BLE001 - each driver has errors of its own
        return Finding(
            "engine", "wrong", f"{_hidden(workbook.engine, workbook.engine)}: {_hidden(first_line(fault), workbook.engine)}", remedy
        )
    seen = f"{_hidden(workbook.engine, workbook.engine)}: answered in {time.monotonic() - start:.1f} s"
    return Finding("engine", "good", seen)


def _hidden(text: str, url: str) -> str:
    """A text without the password of an address, as it is written there and as it is meant."""
    from cxlib.sources.engines import secrets

    for each in secrets(url):
        text = text.replace(each, "***")
    return re.sub(r"(://[^/@\s:]*):[^@\s]*@", r"\1:***@", text)


def _clock(workbook: Workbook) -> Finding:
    import datetime as dt
    from zoneinfo import ZoneInfo

    here, there = dt.datetime.now().astimezone(), dt.datetime.now(ZoneInfo(workbook.time_zone))
    seen = f"{there:%Y-%m-%d %H:%M} in {workbook.time_zone}, the workbook's zone; {here:%Y-%m-%d %H:%M} on this machine ({here:%Z})"
    if here.utcoffset() != there.utcoffset():
        return Finding("clock", "mind", f"{seen}.", "A schedule runs by the machine's clock: plan it for when the workbook's day is over.")
    return Finding("clock", "good", seen)


def _machine(place: Place) -> Iterator[Finding]:
    given = installed.shares(place, place.root)
    threads, memory = given["CXLIB_THREADS"], given["CXLIB_MEMORY"]
    seen = f"each notebook gets {threads} thread{'s' * (threads != '1')} and {memory} of memory for its tables"
    size = re.fullmatch(r"(\d+)MB", memory)
    limit = _container_limit()
    if limit and size and int(size[1]) > limit:
        yield Finding(
            "memory", "mind", f"{seen}, and this container may use {limit} MB.", f"Say what it may use: export CXLIB_MEMORY={limit // 2}MB"
        )
    elif size and int(size[1]) < KERNEL_MEMORY:
        yield Finding("memory", "mind", f"{seen}, which is little.", "Run fewer at a time: cxlib run --jobs 1")
    else:
        yield Finding("memory", "good", seen)


def _container_limit() -> int | None:
    """Megabytes that this container may use, where it has a limit."""
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            return int(Path(file).read_text()) // 2**20
    return None


def _texts(_: Place) -> Iterator[Finding]:
    import locale
    from zoneinfo import ZoneInfo

    names = {sys.getfilesystemencoding(), locale.getpreferredencoding(False), sys.stdout.encoding or "utf-8"}
    odd = sorted(name for name in names if name.lower().replace("-", "") != "utf8")
    if odd:
        yield Finding("letters", "mind", f"texts and names of files are {some(odd)} here, not UTF-8.", "export LC_ALL=C.UTF-8 PYTHONUTF8=1")
    else:
        yield Finding("letters", "good", "texts and names of files are UTF-8")
    try:
        ZoneInfo("Europe/Rome")
        yield Finding("time zones", "good", "known by name")
    except (KeyError, OSError, ValueError):
        yield Finding("time zones", "wrong", "this Python knows no time zone by name.", "python -m pip install tzdata")


def _reading(_: Place) -> Iterator[Finding]:
    """What only those need who look at pages on this machine, or run the tests: letters of Chinese, a browser, shared memory."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome"))), None)
    if shutil.which("fc-list"):
        listed = subprocess.run(["fc-list", ":lang=zh-tw", "family"], capture_output=True, text=True, check=False, timeout=30).stdout
        if not listed.strip():
            seen = "pictures use the fonts of whoever reads them; this machine has none for Chinese."
            yield Finding("fonts", "mind", seen, "Only to read it here: install fonts-noto-cjk (Debian's name).")
        else:
            yield Finding("fonts", "good", "pictures use the fonts of whoever reads them; this machine has one for Chinese")
    yield Finding("browser", "good", f"{browser}, for the tests" if browser else "none, which only the tests would use")
    shared = Path("/dev/shm")
    if browser and shared.is_dir() and shutil.disk_usage(shared).total < 2**26:
        seen = "/dev/shm has less than 64 MB, with which Chromium's tabs crash."
        yield Finding("browser", "mind", seen, "Only for the tests: start the container with --shm-size=1g.")


#: In the order in which a newcomer meets them.
CHECKS: dict[str, Callable[[Place], Iterator[Finding]]] = {
    "python": installed.python,
    "packages": installed.packages,
    "kernel": installed.kernel,
    "jupyter": installed.jupyter,
    "folders": _folders,
    "lock held": _held,
    "workbook": _workbook,
    "memory": _machine,
    "letters": _texts,
    "reading": _reading,
}
