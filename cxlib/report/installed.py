"""Whether what was installed works: the interpreter, the packages against their bounds and the lock, a kernel really started.

Packages are imported by the check that needs them, so that a broken installation gets a letter too.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from cxlib.report.finding import DISTRIBUTION, Finding, Place, beside, first_line, install, some

if TYPE_CHECKING:
    from packaging.requirements import Requirement

START_TIMEOUT = 60
REPLY_TIMEOUT = 30


def python(_: Place) -> Iterator[Finding]:
    """The interpreter that answers."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", "good", f"{version} in {sys.prefix}")


def packages(_: Place) -> Iterator[Finding]:
    """What is needed against what is here: none missing, within the bounds, and as in the lock."""
    needed = [text for text in _requirements() if "extra ==" not in text]
    names = [re.split(r"[^\w.-]", text, maxsplit=1)[0] for text in needed]
    missing = sorted(name for name in names if _version(name) is None)
    if missing:
        seen = f"{len(missing)} of {len(names)} needed packages are not installed: {some(missing)}."
        yield Finding("packages", "wrong", seen, f"Install them: {install()}")
        return
    from packaging.requirements import Requirement

    bounds = [(each, _version(each.name) or "") for each in map(Requirement, needed) if each.marker is None or each.marker.evaluate()]
    beyond = sorted(f"{each.name} {version} (needed {each.specifier})" for each, version in bounds if version not in each.specifier)
    if beyond:
        seen = f"{len(beyond)} of {len(names)} needed packages have a version this was not made for: {some(beyond)}."
        yield Finding("packages", "wrong", seen, f"Install those it was: {install()}")
    else:
        yield Finding("packages", "good", f"{len(names)} needed packages are installed, within their bounds")
    yield _lock()


def _requirements() -> list[str]:
    """What the package needs: as installed, or as the project's pyproject.toml has it."""
    with suppress(metadata.PackageNotFoundError):
        return metadata.requires(DISTRIBUTION) or []
    import tomllib

    file = beside("pyproject.toml")
    return list(tomllib.loads(file.read_text(encoding="utf-8"))["project"]["dependencies"]) if file else []


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _lock() -> Finding:
    file = beside("requirements.lock")
    if file is None:
        seen = "there is no requirements.lock here, which an installed package does not carry; the bounds above hold"
        return Finding("lock", "good", seen)
    pins = list(_pins(file))
    here = [(each, version) for each in pins if (version := _version(each.name)) is not None]
    odd = sorted(f"{each.name} {version} (lock {str(each.specifier)[2:]})" for each, version in here if version not in each.specifier)
    if odd:
        seen = f"{len(odd)} of {len(here)} installed packages differ from requirements.lock: {some(odd)}."
        return Finding("lock", "mind", seen, f"Numbers may differ in the last digits. For the tested set: {install()}")
    return Finding("lock", "good", f"{len(here)} installed packages are those of requirements.lock")


def _pins(file: Path) -> Iterator[Requirement]:
    from packaging.requirements import InvalidRequirement, Requirement

    for line in file.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith((" ", "#", "-")):
            with suppress(InvalidRequirement):
                each = Requirement(line.rstrip("\\ "))
                if each.marker is None or each.marker.evaluate():
                    yield each


def kernel(place: Place) -> Iterator[Finding]:
    """A kernel as a run starts it: this very interpreter, whatever kernels are registered."""
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import KernelManager

    class Manager(KernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--IPKernelApp.log_level=40"]
            return KernelSpec(argv=argv, display_name="Python 3", language="python")

    remedy = f"If pip's packages are at fault: {install()}"
    with tempfile.TemporaryDirectory(prefix="cxlib-doctor-", ignore_cleanup_errors=True) as folder:
        log, start = Path(folder) / "log", time.monotonic()
        manager = Manager(connection_file=str(Path(folder) / "kernel.json"))
        with log.open("wb") as said:
            manager.start_kernel(env=shares(place, Path(folder)), cwd=str(place.root), stdout=said, stderr=said)
        client = manager.client()
        try:
            client.start_channels()
            client.wait_for_ready(timeout=START_TIMEOUT)
            reply = client.execute_interactive("import cxlib.sources", timeout=REPLY_TIMEOUT, output_hook=lambda _: None)["content"]
        except (RuntimeError, TimeoutError) as fault:
            last = (log.read_text(errors="replace").strip().splitlines() or [first_line(fault)])[-1]
            yield Finding("kernel", "wrong", f"a kernel of {sys.executable} does not start: {first_line(last)}", remedy)
            return
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    if reply["status"] != "ok":
        yield Finding("kernel", "wrong", f"a kernel cannot import cxlib: {reply['ename']}: {first_line(reply['evalue'])}", remedy)
        return
    yield Finding("kernel", "good", f"started, and read cxlib, in {time.monotonic() - start:.1f} s")


def shares(place: Place, folder: Path) -> dict[str, str]:
    """The environment a run would give to each of its kernels."""
    from cxlib.report.execute import Room, environment

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    notebooks = len(list((place.root / "notebooks").glob("*.ipynb")))
    return environment(Room(folder, place.root, folder, max(1, min(cores, notebooks)), cores, REPLY_TIMEOUT))


def jupyter(_: Place) -> Iterator[Finding]:
    """The kernel that JupyterLab would start; a report never looks it up."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    register = f"Register this one: {sys.executable} -m ipykernel install --sys-prefix --name python3"
    try:
        program = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        yield Finding("jupyter", "mind", "no kernel called python3 is registered; reports do without it.", register)
        return
    if shutil.which(program) is None:
        seen = f"the registered kernel python3 starts '{program}', which is not there; reports do without it."
        yield Finding("jupyter", "mind", seen, register)
        return
    startup = Path(os.environ.get("IPYTHONDIR", Path.home() / ".ipython")) / "profile_default" / "startup"
    files = sorted(path.name for path in startup.glob("*.*py") if path.is_file()) if startup.is_dir() else []
    if files:
        seen = f"{len(files)} start-up files of IPython ({some(files)}) run in JupyterLab and not in reports: their cells may differ."
        yield Finding("jupyter", "mind", seen, f"Move what a notebook relies on into it. They are in {startup}.")
        return
    yield Finding("jupyter", "good", "JupyterLab would start a kernel as reports do")
