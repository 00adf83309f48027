"""Notebooks executed side by side, and none believed: whatever papermill keeps silent about is a failure here."""

from __future__ import annotations

import json
import logging
import os
import queue
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cxlib
from cxlib.report.collect import code
from cxlib.report.parameters import Notebook, Value

START_TIMEOUT = 120
GRACE = 20
THREAD = "cxlib-notebook"
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Job:
    """One notebook to execute, and the values to put into its parameters."""

    notebook: Notebook
    values: Mapping[str, Value]


@dataclass
class Execution:
    """What became of a notebook: its executed JSON, and the reason where it failed."""

    name: str
    content: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    reason: str = ""
    log: str = ""


@dataclass(frozen=True)
class Room:
    """Where and with what the kernels work: a private folder, a working directory, jobs side by side, cores, seconds allowed."""

    folder: Path
    root: Path
    admitted: Path
    jobs: int
    cores: int
    timeout: int


class Kernels:
    """The kernels alive now, so that a signal or a timeout can end them."""

    def __init__(self) -> None:
        self._alive: dict[str, int] = {}
        self._lock = threading.Lock()
        self._stopped = False

    def started(self, name: str, pid: int) -> None:
        """Note a kernel; one that comes to life after the stop ends at once."""
        with self._lock:
            self._alive[name] = pid
            if self._stopped:
                self._kill(name)

    def ended(self, name: str) -> None:
        """Kill whatever is left of a notebook's kernel, its children included."""
        with self._lock:
            self._kill(name)

    def stop(self) -> None:
        """End all kernels, and those about to start."""
        with self._lock:
            self._stopped = True
            for name in list(self._alive):
                self._kill(name)

    @property
    def stopped(self) -> bool:
        """Whether no kernel may start any more."""
        return self._stopped

    def _kill(self, name: str) -> None:
        pid = self._alive.pop(name, None)
        if pid is None:
            return
        try:  # a kernel leads a process group of its own
            os.killpg(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return


def environment(room: Room) -> dict[str, str]:
    """The environment of a kernel: its share of the machine, this package, and nothing of the user's IPython."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    shares = {"CXLIB_THREADS": str(max(1, room.cores // room.jobs)), "CXLIB_MEMORY": f"{max(256, memory * 6 // 10 // room.jobs)}MB"}
    package = str(Path(cxlib.__file__).resolve().parents[1])
    paths = [package, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    fixed = {
        "CXLIB_ADMITTED": str(room.admitted),
        "IPYTHONDIR": str(room.folder / "ipython"),
        "OMP_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONPATH": os.pathsep.join(paths),
    }
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONSTARTUP"}
    return shares | inherited | fixed


def _manager(name: str, kernels: Kernels, room: Room) -> type:
    """A kernel manager whose kernel is this very interpreter; no registered kernelspec is ever looked up."""
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    class Manager(AsyncKernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            return KernelSpec(argv=argv, display_name="Python 3", language="python")

        async def start_kernel(self, **options: Any) -> None:  # type: ignore[override] # as nbclient awaits it
            if kernels.stopped:
                raise RuntimeError("the run was stopped")
            self.connection_file = str(room.folder / f"{name}.json")
            with (room.folder / f"{name}.log").open("ab") as log:
                places = {"env": environment(room), "cwd": str(room.root), "stdout": log, "stderr": log}
                await super().start_kernel(**(options | places))
            kernels.started(name, self.provisioner.pid)  # type: ignore[union-attr] # a local one, which has it

    return Manager


def execute(jobs: Sequence[Job], room: Room, *, stepped: Callable[[str], None], done: Callable[[Execution], None]) -> list[Execution]:
    """Execute all jobs, ``room.jobs`` at a time, each within ``room.timeout`` seconds; in the order given.

    ``stepped`` hears of each cell, ``done`` of each notebook. A signal ends every kernel on the way out.
    """
    kernels = Kernels()
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    began: dict[str, float] = {}
    finished: queue.SimpleQueue[Execution] = queue.SimpleQueue()

    def work() -> None:
        while not kernels.stopped:
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            began[job.notebook.name] = time.monotonic()
            finished.put(_one(job, room, kernels, stepped))

    # Daemons: a notebook that hangs beyond its kernel's death must not keep the command from ending.
    threads = [threading.Thread(target=work, name=THREAD, daemon=True) for _ in range(room.jobs)]
    results: dict[str, Execution] = {}
    try:
        for thread in threads:
            thread.start()
        while len(results) < len(jobs):
            for result in _next(finished):
                results.setdefault(result.name, result)
                done(results[result.name])
            for name in _late(began, results, room.timeout):
                kernels.ended(name)
            for name in _late(began, results, room.timeout + GRACE):  # its kernel is gone, and papermill has not seen it
                finished.put(Execution(name, seconds=time.monotonic() - began[name], reason=_too_long(room.timeout)))
                threads.append(threading.Thread(target=work, name=THREAD, daemon=True))
                threads[-1].start()
    finally:
        kernels.stop()
        for thread in threads:
            thread.join(timeout=3)
    return [results[job.notebook.name] for job in jobs]


def _next(finished: queue.SimpleQueue[Execution]) -> list[Execution]:
    try:
        return [finished.get(timeout=0.2)]
    except queue.Empty:
        return []


def _late(began: Mapping[str, float], results: Mapping[str, Execution], seconds: float) -> list[str]:
    now = time.monotonic()
    return [name for name, start in list(began.items()) if name not in results and now - start > seconds]


def _too_long(seconds: int) -> str:
    return f"the notebook had taken {seconds} seconds and was stopped. Give it more with --timeout SECONDS."


def _one(job: Job, room: Room, kernels: Kernels, stepped: Callable[[str], None]) -> Execution:
    import papermill

    name, start = job.notebook.name, time.monotonic()
    output = room.folder / f"{name}.ipynb"
    fault: Exception | None = None
    begun = [""]
    logging.getLogger("papermill").disabled = True  # what it says is said better by the verdict
    try:
        source = papermill.iorw.load_notebook_node(str(job.notebook.path))
        papermill.execute_notebook(
            source,
            str(output).replace("{", "{{").replace("}", "}}"),  # papermill fills parameters into the path
            parameters=dict(job.values),
            kernel_name="python3",
            progress_bar=False,
            start_timeout=START_TIMEOUT,
            execution_timeout=room.timeout + GRACE // 2,
            kernel_manager_class=_manager(name, kernels, room),
            extra_arguments=["--IPKernelApp.log_level=40"],
            on_cell_start=lambda cell, **_: begun.append(cell.get("id", "")),
            on_cell_complete=lambda **_: stepped(name),
        )
    except Exception as raised:  # noqa: BLE001 - whatever it is, it is this notebook's failure, told below
        fault = raised
    finally:
        kernels.ended(name)
    result = Execution(name, seconds=time.monotonic() - start)
    if output.exists():
        result.content = json.loads(output.read_text(encoding="utf-8"))
        cells = result.content["cells"]
        result.content["cells"] = [cell for cell in cells if "papermill-error-cell-tag" not in cell["metadata"].get("tags", [])]
    late = room.timeout if result.seconds >= room.timeout else None
    result.reason = verdict(result.content, fault, at=begun[-1], late=late)
    if result.reason:
        said = room.folder / f"{name}.log"
        parts = [result.reason, str(fault or ""), said.read_text(errors="replace") if said.exists() else ""]
        result.log = ANSI.sub("", "\n\n".join(part for part in parts if part)) + "\n"
    return result


def verdict(content: Mapping[str, Any], fault: Exception | None, *, at: str, late: int | None) -> str:
    """The reason why an execution failed, in one line; empty where every cell truly ran.

    ``at`` is the cell begun last, ``late`` the seconds that were allowed, where they have passed.
    """
    cells = [(place, cell) for _, place, cell in code(content)]
    where = next((place for place, cell in cells if cell.get("id") == at), "the start")
    if fault is not None and late is not None:
        return f"at {where}, {_too_long(late)}"
    for place, cell in cells:
        for output in cell.get("outputs", []):
            if output["output_type"] == "error" and output["ename"] == "SystemExit":
                return f"{place}, left the notebook by sys.exit, so the cells after it never ran."
            if output["output_type"] == "error":
                return f"{place}, failed: {output['ename']}: {_first_line(output['evalue'])}"
    if type(fault).__name__ == "DeadKernelError":
        return f"the kernel died at {where}: it was killed, or ran out of memory."
    if fault is not None:
        return f"could not be executed from {where} on: {type(fault).__name__}: {_first_line(str(fault))}"
    for place, cell in cells:
        if cell.get("execution_count") is None or cell["metadata"].get("papermill", {}).get("status") == "pending":
            return f"{place}, never ran, and papermill did not say why."
    return ""


def _first_line(said: str) -> str:
    return next(iter(ANSI.sub("", said).strip().splitlines()), "")
