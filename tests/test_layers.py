"""The house keeps its shape: who imports whom, what importing does, what a public function is."""

import ast
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "cxlib"
MODULES = sorted(PACKAGE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}

#: Rooms that hold measures: a table in, a result out.
MEASURES = {"survey", "churn", "groups", "fieldwork", "impact", "leaving", "retention", "shops", "money"}
#: Room → the other rooms it may import. A room that is not here has no place in the house yet.
ARROWS = {
    "stats": set(),
    "tables": set(),
    "verdicts": {"stats"},
    **{name: {"tables", "stats", "verdicts"} for name in MEASURES},
    # What is said of a score by group, of who answered it, and of what goes with it rests on the score itself.
    **{name: {"tables", "stats", "verdicts", "survey"} for name in ("groups", "fieldwork", "impact")},
    # Who answers less than the rest is asked of invitations as of answers.
    "fieldwork": {"tables", "stats", "verdicts", "survey", "groups"},
    # Who leaves is asked of spells as churn reads them.
    "leaving": {"tables", "stats", "churn"},
    # Churn by the calendar counts the spells of churn by tenure.
    "retention": {"tables", "stats", "verdicts", "churn"},
    # What leaving costs rests on who leaves, and when.
    "money": {"tables", "stats", "verdicts", "churn", "leaving"},
    "sources": {"tables"},
    "figures": {"tables"},  # the names of a result, never a table
    "report": {"sources", "figures", "tables"},
    "sample": {"tables"},
    "draft": {"sources", "tables"},
    "__main__": {"report", "sources", "sample", "draft", "tables"},
    "__init__": set(),
}
#: What takes long to import is imported by the function that needs it.
HEAVY = {"matplotlib", "seaborn", "statsmodels", "lifelines", "papermill", "nbconvert", "nbformat", "IPython"}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def where(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def imported(tree: ast.Module) -> Iterator[tuple[ast.stmt, str]]:
    """Every module that is imported, with the names taken from it: ``cxlib.tables.ask``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def called(node: ast.AST) -> str:
    """``np.random.rand`` for the call of it; empty for anything that is not a plain dotted name."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute) else ""


def functions(tree: ast.Module) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def public(path: Path) -> list[ast.FunctionDef]:
    """Functions that a notebook can call: those of a module without a leading underscore, and not a method."""
    if path.stem.startswith("_"):
        return []
    return [node for node in TREES[path].body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


def test_every_room_has_its_arrows():
    assert {room(path) for path in MODULES} <= ARROWS.keys()


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_room_imports_only_where_an_arrow_points(path):
    rooms = {(where(path, node), name.split(".")[1]) for node, name in imported(TREES[path]) if name.startswith("cxlib.")}
    assert [pair for pair in sorted(rooms) if pair[1] not in {room(path), "__version__"} | ARROWS[room(path)]] == []


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_importing_runs_nothing(path):
    """A module's own lines import, define and name; they call nothing for its effect."""
    quiet = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
    for node in TREES[path].body:
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        condition = ast.unparse(node.test) if isinstance(node, ast.If) else ""
        assert isinstance(node, quiet) or text or condition in {"TYPE_CHECKING", "__name__ == '__main__'"}, where(path, node)


def test_importing_is_light_silent_and_leaves_no_trace(tmp_path):
    names = [dotted(path) for path in MODULES]
    script = f"""
import json, os, sys
before, seen = dict(os.environ), []
changes = {{"os.mkdir", "os.remove", "os.rename", "socket.connect", "subprocess.Popen", "os.system"}}
def watch(event, args):
    writes = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
    if writes or event in changes:
        seen.append([event, str(args[0])])
sys.addaudithook(watch)
for name in {names!r}:
    __import__(name)
heavy = sorted({HEAVY!r} & set(sys.modules))
blocked = [name for name, module in sys.modules.items() if module is None]
print(json.dumps({{"seen": seen, "heavy": heavy, "blocked": blocked, "same environment": dict(os.environ) == before}}))
"""
    command = [sys.executable, "-B", "-W", "error", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    (line,) = done.stdout.splitlines()
    assert json.loads(line) == {"seen": [], "heavy": [], "blocked": [], "same environment": True}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_an_error_is_a_letter_and_never_an_assert_or_a_bare_exception(path):
    for node in ast.walk(TREES[path]):
        assert not isinstance(node, ast.Assert), where(path, node)
        raised = ast.unparse(node.exc) if isinstance(node, ast.Raise) and node.exc else ""
        assert not re.match(r"(Base)?Exception\b", raised), where(path, node)


@pytest.mark.parametrize("path", [path for path in MODULES if room(path) in MEASURES | {"stats"}], ids=dotted)
def test_a_measure_reads_no_file_prints_nothing_and_never_asks_the_time(path):
    clock, files = r"today|now|utcnow|time\.time", r"read_\w+|write_\w+|to_(csv|parquet|excel)"
    forbidden = re.compile(rf"print|open|input|(\w+\.)*({clock}|{files}|random\.(?!Generator|default_rng)\w+)")
    for node in ast.walk(TREES[path]):
        assert not forbidden.fullmatch(called(node)), where(path, node)
        unseeded = called(node).endswith("default_rng") and not (node.args or node.keywords)
        assert not unseeded, where(path, node)


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_picture_leaves_the_state_of_matplotlib_alone(path):
    """Nobody imports pyplot or sets a style for everyone; a style holds inside ``rc_context``."""
    assert [where(path, node) for node, name in imported(TREES[path]) if "pyplot" in name] == []
    forbidden = re.compile(r"(matplotlib|mpl)\.(use|rc|rcdefaults)|.*rcParams\.(update|setdefault)|.*style\.use|(sns|seaborn)\.set(_\w+)?")
    for node in ast.walk(TREES[path]):
        assert not forbidden.fullmatch(called(node)), where(path, node)
        targets = node.targets if isinstance(node, ast.Assign) else []
        assert not any("rcParams" in ast.unparse(target) for target in targets), where(path, node)


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_file_and_its_functions_can_be_read_at_a_sitting(path):
    assert path.read_text(encoding="utf-8").count("\n") <= 450
    for node in functions(TREES[path]):
        body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
        assert (node.end_lineno or 0) - body[0].lineno < 50, where(path, node)


def measures() -> list[tuple[str, object]]:
    """What a notebook calls as a measure: the functions that ``cxlib.survey`` and ``cxlib.churn`` hand out."""
    found = []
    for name in sorted(MEASURES):
        module = __import__(f"cxlib.{name}", fromlist=["__all__"])
        names = getattr(module, "__all__", None) or [key for key in vars(module) if not key.startswith("_")]
        found += [(f"{name}.{key}", vars(module)[key]) for key in sorted(names) if inspect.isfunction(vars(module)[key])]
    return [(name, function) for name, function in found if function.__module__.startswith(f"cxlib.{name.partition('.')[0]}")]


def test_a_measure_has_at_most_twenty_public_functions():
    names = [name.partition(".")[0] for name, _ in measures()]
    assert {name for name in names if names.count(name) > 20} == set()
    assert set(names) == MEASURES


@pytest.mark.parametrize("function", [pytest.param(function, id=name) for name, function in measures()])
def test_a_measure_is_called_the_same_way_and_explained_in_the_same_order(function):
    parameters = list(inspect.signature(function, eval_str=False).parameters.values())
    tables = [each for each in parameters if each.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    rest = parameters[len(tables) :]
    # A table first, or two where one is held against the other; or what was made of tables: a model, earlier forecasts.
    assert 1 <= len(tables) <= 2
    assert {each.annotation for each in tables} <= {"Table", "pd.DataFrame", "Model", "Past"}
    assert {each.default for each in tables} == {inspect.Parameter.empty}
    assert len(rest) <= 6
    assert {parameter.kind for parameter in rest} == {inspect.Parameter.KEYWORD_ONLY}
    assert set(function.__annotations__) == {*(parameter.name for parameter in parameters), "return"}
    sections = re.findall(r"^([A-Z][\w ]+)\n-+$", inspect.getdoc(function) or "", flags=re.MULTILINE)
    assert [name for name in sections if name != "Warns"] == [
        "Parameters",
        "Returns",
        "Raises",
        "See Also",
        "Notes",
        "References",
        "Examples",
    ]


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_public_function_says_what_it_is_and_what_it_returns(path):
    for node in public(path):
        assert ast.get_docstring(node), where(path, node)
        assert node.returns is not None, where(path, node)
        assert len(node.args.kwonlyargs) <= 6, where(path, node)


def test_nothing_names_a_folder_of_one_machine():
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout, so there is no list of the project's own files")
    machine = re.compile(r"(?<![\w.~:/-])(/(home|Users|work|root|farm|opt|mnt|tmp/bash_jobs)/\w|[A-Z]:\\\\?Users)")
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and b"\0" not in path.read_bytes()[:8000]:
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [f"{name}: {line.strip()[:120]}" for line in text.splitlines() if machine.search(line)]
    assert found == []


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_an_answer_is_read_to_its_end(path):
    """DuckDB 2 refuses the next table on a connection that still holds half an answer; one_row reads one to its end."""
    half = {"fetchone", "fetchmany"}
    assert [where(path, node) for node in ast.walk(TREES[path]) if isinstance(node, ast.Attribute) and node.attr in half] == []
