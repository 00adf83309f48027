"""Every notebook is words and calls: its shape, its cells, its hygiene, and a plain papermill run of it."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ROOMS = {"churn", "fieldwork", "figures", "groups", "impact", "leaving", "money", "retention", "shops", "sources", "survey", "verdicts"}
LOGIC = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.If, ast.IfExp, ast.Match, ast.Try, ast.With),
    *(ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp, ast.Raise, ast.Assert, ast.Delete, ast.Global),
)
SIMPLE = {"str", "int", "float", "bool", "list[str]", "list[int]", "list[float]"}

every = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def source(cell: dict) -> str:
    return "".join(cell["source"])


def cells(path: Path, kind: str) -> list[dict]:
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == kind]


def tagged(path: Path) -> list[dict]:
    return [cell for cell in read(path)["cells"] if "parameters" in cell["metadata"].get("tags", [])]


def statements(path: Path) -> Iterator[ast.AST]:
    for cell in cells(path, "code"):
        yield from ast.walk(ast.parse(source(cell)))


def headings(path: Path) -> list[str]:
    """The headings in order, whole, so that ``## Is it moving?`` keeps its level."""
    return re.findall(r"^#+ .+$", "\n".join(source(cell) for cell in cells(path, "markdown")), flags=re.MULTILINE)


def test_there_are_notebooks():
    assert {"survey_scores", "churn_survival"} <= {path.stem for path in NOTEBOOKS}


@every
def test_a_notebook_is_committed_without_outputs_and_says_python3(path):
    notebook = read(path)
    assert notebook["metadata"]["kernelspec"] == {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    assert set(notebook["metadata"]) <= {"kernelspec", "language_info"}
    for cell in notebook["cells"]:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
        assert set(cell["metadata"]) <= {"tags"}
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])


@every
def test_a_notebook_opens_with_its_question_and_ends_with_its_method(path):
    title, *rest = headings(path)
    first = source(read(path)["cells"][0])
    assert first.startswith(title)
    assert title.startswith("# ")
    assert first.count("?") == 1, "the first cell asks the question that the notebook answers"
    assert all(heading.startswith(("## ", "### ")) for heading in rest)
    assert "## How this was measured" in [heading for heading in rest if heading.startswith("## ")][-2:]


@every
def test_a_notebook_begins_with_parameters_then_imports_then_data(path):
    (parameters,) = tagged(path)
    code = cells(path, "code")
    assert code[0] == parameters
    imports = [cell for cell in code if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.parse(source(cell)).body)]
    assert imports == [code[1]]
    assert all(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.parse(source(code[1])).body)


@every
def test_a_parameter_is_one_line_with_its_type_its_default_and_its_meaning(path):
    (cell,) = tagged(path)
    lines = source(cell).splitlines()
    for line in lines:
        (node,) = ast.parse(line).body
        assert isinstance(node, ast.AnnAssign), line
        assert ast.unparse(node.annotation) in SIMPLE, line
        assert type(ast.literal_eval(node.value)).__name__ == ast.unparse(node.annotation).partition("[")[0], line
        assert re.search(r"  # \w.{8,}", line), f"what does it mean? {line}"
    assert {"as_of", "workbook"} <= {line.partition(":")[0] for line in lines}


@every
def test_a_notebook_imports_only_what_a_notebook_may(path):
    rooms = set()
    for node in statements(path):
        assert not isinstance(node, ast.Import), ast.unparse(node)
        if isinstance(node, ast.ImportFrom):
            assert node.module == "cxlib", ast.unparse(node)
            rooms |= {alias.name for alias in node.names}
    assert rooms <= ROOMS
    assert {"figures", "sources"} <= rooms


@every
def test_a_notebook_has_no_logic_and_no_long_cell(path):
    assert sorted({type(node).__name__ for node in statements(path) if isinstance(node, LOGIC)}) == []
    # The parameters are a list, one line each, and may be as many as a report asks for.
    assert [source(cell) for cell in cells(path, "code") if len(source(cell).splitlines()) > 6 and cell not in tagged(path)] == []
    assert [source(cell) for cell in cells(path, "code") if re.search(r"^\s*[%!]", source(cell), flags=re.MULTILINE)] == []


@every
def test_no_number_is_typed_in_prose(path):
    """A number about the data comes from a sentence of ``figures``; how a scale is cut may be told at the end, in the method."""
    method = False
    for cell in cells(path, "markdown"):
        text = source(cell)
        method = method or "## How this was measured" in text
        prose = re.sub(r"`[^`]*`|\]\([^)]*\)", "", text)
        assert method or not re.search(r"\d", prose), text


@every
def test_small_groups_are_withheld_before_anything_is_shown(path):
    """``figures.set_up`` comes before every other figure, with the limit that the workbook declares."""
    calls = [node for cell in cells(path, "code") for node in ast.walk(ast.parse(source(cell))) if isinstance(node, ast.Call)]
    names = [ast.unparse(node.func) for node in calls]
    drawn = [name for name in names if name.startswith("figures.")]
    assert drawn[0] == "figures.set_up"
    assert drawn.count("figures.set_up") == 1
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in calls[names.index("figures.set_up")].keywords}
    assert given["smallest_group"] == "book.smallest_group"
    assert given["as_of"] == "as_of"


@every
def test_the_quality_of_the_data_read_is_shown(path):
    assert "figures.account(book.account, remarks=book.remarks)" in [
        ast.unparse(node) for node in statements(path) if isinstance(node, ast.Call)
    ]


@every
def test_plain_papermill_runs_it_and_every_cell_has_run(path, tmp_path):
    """Not only the exit code: papermill's output file looks fine after a killed kernel too."""
    out = tmp_path / "out.ipynb"
    command = [sys.executable, "-m", "papermill", str(path), str(out), "-p", "as_of", "2026-03-31", "--no-progress-bar"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    notebook = read(out)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in code)
    outputs = [output for cell in code for output in cell["outputs"]]
    assert [output for output in outputs if output["output_type"] in {"error", "stream"}] == []
    assert any("application/vnd.cxlib.result+json" in output.get("data", {}) for output in outputs)
    assert notebook["metadata"]["papermill"]["parameters"] == {"as_of": "2026-03-31"}
