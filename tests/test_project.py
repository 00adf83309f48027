"""The project's own papers agree with each other: bounds, lock, conda's environment, commands, hooks."""

import ast
import importlib
import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
RUN = [Requirement(text) for text in PYPROJECT["project"]["dependencies"]]
LAB = [Requirement(text) for text in EXTRAS["lab"]]
DEV = [Requirement(text) for text in EXTRAS["dev"]]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")

CONDA_NAMES = {
    "duckdb": "python-duckdb",  # duckdb is the command line there
    "ibis-framework": "ibis-duckdb",
    "jupyter-client": "jupyter_client",
    "matplotlib": "matplotlib-base",  # without a toolkit for windows
    "seaborn": "seaborn-base",
}
#: Bounded though no module of cxlib imports it, and why.
NOT_IMPORTED = {
    "duckdb": "Ibis's engine",
    "ipykernel": "the kernel of every notebook",
    "lifelines": "what an analyst fits beside our curves, and what the tests hold them against",
    "nbclient": "what papermill runs a notebook with",
    "nbconvert": "JupyterLab's export; older ones have security holes",
    "statsmodels": "what an analyst fits beside our intervals, and what the tests hold them against",
    "sqlglot": "Ibis's compiler, whose later versions break it",
}


def bounds(requirement: Requirement) -> set[str]:
    return {str(bound) for bound in requirement.specifier}


def locked() -> dict[str, Requirement]:
    entries = [line.removesuffix("\\").strip() for line in LOCK.splitlines() if line and not line.startswith((" ", "#"))]
    return {canonicalize_name(entry.name): entry for entry in map(Requirement, entries)}


def version(entry: Requirement) -> Version:
    (pin,) = entry.specifier
    assert pin.operator == "=="
    return Version(pin.version)


def modules() -> list[Path]:
    return sorted((ROOT / "cxlib").rglob("*.py"))


def imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {"cxlib"}


def test_conda_and_pip_users_get_the_same_bounds():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert conda["channels"] == ["conda-forge", "nodefaults"]
    (by_pip,) = [entry for entry in conda["dependencies"] if isinstance(entry, dict)]
    assert by_pip == {"pip": ["-e ."]}
    entries = [entry.partition(" ") for entry in conda["dependencies"] if isinstance(entry, str)]
    found = {name: set(filter(None, limits.split(","))) for name, _, limits in entries}
    wanted = {CONDA_NAMES.get(requirement.name, requirement.name): bounds(requirement) for requirement in [*RUN, *LAB]}
    assert found == wanted | {"python": {PYPROJECT["project"]["requires-python"]}, "pip": set()}


@pytest.mark.parametrize("requirement", [*RUN, *LAB, *DEV], ids=lambda requirement: requirement.name)
def test_the_lock_lies_within_the_bounds(requirement):
    assert version(locked()[canonicalize_name(requirement.name)]) in requirement.specifier


def test_every_locked_package_is_one_version_with_hashes():
    blocks = re.split(r"\n(?=\S)", LOCK.split("\n", 2)[2])
    assert len(blocks) == len(locked()) > len([*RUN, *LAB, *DEV])
    for block in blocks:
        version(Requirement(block.splitlines()[0].removesuffix("\\").strip()))
        assert "--hash=sha256:" in block, block


def test_the_lock_names_no_index_and_no_folder():
    allowed = re.compile(r"#.*|[a-z0-9._-]+==\S+( ; [^/:]+)?( \\)?|    --hash=sha256:[0-9a-f]{64}( \\)?|    # .*|")
    assert [line for line in LOCK.splitlines() if not allowed.fullmatch(line)] == []
    assert "://" not in LOCK


@pytest.mark.parametrize(
    ("name", "broken", "why"),
    [
        ("pandas", "3.0.0", "lifelines caps it, and pip would fall back to a lifelines that is broken on numpy 2.4"),
        ("lifelines", "0.30.0", "it is broken on numpy 2.4"),
        ("sqlglot", "30.18.0", "it turns Ibis's DROP VIEW x into DROP VIEW"),
        ("matplotlib", "3.13.0", "it removes what seaborn's boxplot calls"),
        ("nbconvert", "7.17.0", "it has known security holes"),
    ],
)
def test_no_version_known_to_be_broken_is_within_the_bounds(name, broken, why):
    (requirement,) = [requirement for requirement in RUN if requirement.name == name]
    assert broken not in requirement.specifier, why


def test_the_lowest_python_is_the_same_everywhere():
    lowest = PYPROJECT["project"]["requires-python"].removeprefix(">=")
    assert PYPROJECT["tool"]["mypy"]["python_version"] == lowest
    assert PYPROJECT["tool"]["ruff"]["target-version"] == "py" + lowest.replace(".", "")
    assert f"--python-version {lowest}" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_what_cxlib_imports_is_declared_and_what_is_declared_is_imported():
    used = {canonicalize_name(name) for path in modules() for name in imports(path)}
    declared = {{"ibis-framework": "ibis"}.get(requirement.name, requirement.name) for requirement in RUN}
    assert used <= declared
    assert declared - used <= NOT_IMPORTED.keys()


def test_the_command_exists():
    module, _, name = PYPROJECT["project"]["scripts"]["cxlib"].partition(":")
    assert callable(getattr(importlib.import_module(module), name))


def test_files_that_are_not_python_travel_with_the_package():
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"]["*"]
    files = [path for path in (ROOT / "cxlib").rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}]
    lost = [path.relative_to(ROOT).as_posix() for path in files if not any(fnmatch(path.name, pattern) for pattern in patterns)]
    assert lost == []
    assert [path for path in files if not (path.parent / "__init__.py").exists()] == []


def test_hooks_need_no_network_and_strip_what_check_asks_for():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert {repository["repo"] for repository in hooks["repos"]} == {"local"}
    keys = re.compile(r'--extra-keys "([^"]+)"')
    entries = [hook["entry"] for repository in hooks["repos"] for hook in repository["hooks"] if hook["id"] == "nbstripout"]
    assert keys.findall(entries[0]) == keys.findall((ROOT / "Makefile").read_text(encoding="utf-8")) != []


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_says_what_it_can_make():
    said = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {"report", "lab", "test", "check", "bench"} <= {line.split()[1] for line in said.splitlines()}
