"""What the tests share: a browser, the real data beside the project, and an environment that is nobody's own."""

import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).parents[1]

# nbval runs the workbook's notebooks; those under tests/ are made to fail, and are run by the tests that say so.
collect_ignore_glob = ["*.ipynb"]

# An engine that is asked for the first time is slow once; that is no finding. The rest stays as hypothesis
# has it, here and in CI, where it repeats the same examples.
hypothesis.settings.register_profile("project", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("project")


def pytest_configure(config: pytest.Config) -> None:
    """Kernels and commands that tests start find the project, and nothing of the user's or of a run around the tests.

    Not a fixture, because nbval's cells have none.
    """
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    ipython = tempfile.TemporaryDirectory(prefix="cxlib-ipython-")
    config.add_cleanup(ipython.cleanup)
    patch.setenv("IPYTHONDIR", ipython.name)  # no start-up file of the user's
    patch.setenv("OMP_NUM_THREADS", "1")
    patch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
    for name in [name for name in os.environ if name.startswith("CXLIB_") and name != "CXLIB_REAL"]:
        patch.delenv(name)


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of public data sets beside the project, or the one that CXLIB_REAL names."""
    folder = Path(os.environ.get("CXLIB_REAL", ROOT.parent / "shared" / "real"))
    if not folder.is_dir():
        pytest.skip("the real data are not beside the project; CXLIB_REAL can name their folder")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium. Without one a test is skipped or, where CI_BROWSER=required, fails."""
    names = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found:
        return found
    reason = f"no browser: none of {', '.join(names)} is on the PATH"
    if os.environ.get("CI_BROWSER") == "required":
        pytest.fail(reason + ", and CI_BROWSER=required")
    pytest.skip(reason)


def pytest_make_parametrize_id(val, argname):
    """Bytes are no name: a packed file holds the time of its making, and two workers would not find the same tests."""
    return argname if isinstance(val, bytes) else None
