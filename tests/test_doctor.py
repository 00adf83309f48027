"""`cxlib doctor` through the real command line, with each kind of failure really there."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from report_project import ROOT, Project

PIP = f"{sys.executable} -m pip install"


@pytest.fixture
def project(tmp_path) -> Project:
    made = Project(tmp_path / "project")
    made.add("answers", "1 + 1")
    return made


def examined(project: Project, *words: str, code: int = 0, **environment: str) -> dict[str, dict[str, str]]:
    """The findings by name; the command ended with ``code`` and said nothing on stderr."""
    done = project.cxlib("doctor", "--json", *words, **environment)
    assert done.stderr == ""
    record = json.loads(done.stdout)
    assert (done.returncode, record["code"], record["status"]) == (code, code, "wrong" if code else "good")
    found = {each["check"]: each for each in record["checks"]}
    wrong = [each["check"] for each in record["checks"] if each["sign"] == "wrong"]
    assert bool(wrong) == bool(code)
    return found


def said(finding: dict[str, str]) -> tuple[str, str, str]:
    return finding["sign"], finding["seen"], finding["remedy"]


def with_lock(project: Project, text: str) -> None:
    (project.folder / "requirements.lock").write_text(text)


def test_where_all_is_well_it_says_so_in_lines(project):
    with_lock(project, "")
    done = project.cxlib("doctor", TZ="UTC")
    assert (done.returncode, done.stderr) == (0, "")
    *lines, last = done.stdout.splitlines()
    findings = [re.split(r"  +", line.strip(), maxsplit=2) for line in lines if not line.startswith("  ")]
    names = [name for _, name, _ in findings]
    first = ["python", "packages", "lock", "kernel", "jupyter", "reports", "private", "temporary", "workbook", "files", "clock", "memory"]
    assert names[: len(first)] == first
    assert {"letters", "time zones", "browser"} <= set(names)
    assert {sign for sign, _, _ in findings} <= {"good", "mind"}
    mind = sum(sign == "mind" for sign, _, _ in findings)
    assert last == (f"0 wrong, {mind} to mind, of {len(findings)} looked at." if mind else "All is well: a report can be made here.")
    seen = {name: text for _, name, text in findings}
    assert re.fullmatch(r"started, and read cxlib, in \d+\.\d s", seen["kernel"])
    assert seen["workbook"] == "sources.toml: Tiny & Sons, 1 tables, 1 questions"
    assert seen["files"] == "2 files can be read: answers.csv, sources.toml"
    assert re.fullmatch(r"each notebook gets \d+ threads? and \d+MB of memory for its tables", seen["memory"])


def test_it_leaves_nothing_behind(project):
    before = project.hashes(project.folder)
    examined(project)
    assert {name: digest for name, digest in project.hashes(project.folder).items() if "/" not in name or "tmp" in name} == {
        name: digest for name, digest in before.items() if "/" not in name or "tmp" in name
    }
    assert project.left_over() == []


def test_packages_that_differ_from_the_lock_are_named_with_the_remedy(project):
    import numpy as np
    import pandas as pd

    with_lock(
        project,
        f"# made\nnumpy==1.2.3 \\\n    --hash=sha256:00\n    # via pandas\npandas=={pd.__version__} ; python_version > '3'\nabsent==1.0\n",
    )
    found = examined(project)["lock"]
    lock = project.folder / "requirements.lock"
    assert said(found) == (
        "mind",
        f"1 of 2 installed packages differ from requirements.lock: numpy {np.__version__} (lock 1.2.3).",
        f"Numbers may differ in the last digits. For the tested set: {PIP} --require-hashes -r {lock}",
    )


def test_an_installed_package_has_no_lock_and_is_told_so_kindly(tmp_path):
    site = tmp_path / "site"
    shutil.copytree(ROOT / "cxlib", site / "cxlib", ignore=shutil.ignore_patterns("__pycache__"))
    elsewhere = Project(tmp_path / "project")
    environment = {**elsewhere.environment(), "PYTHONPATH": str(site)}
    done = subprocess.run(
        elsewhere.command("doctor", "--json"), cwd=elsewhere.folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    found = {each["check"]: each for each in json.loads(done.stdout)["checks"]}
    seen = "there is no requirements.lock here, which an installed package does not carry; the bounds above hold"
    assert said(found["lock"]) == ("good", seen, "")


def test_where_no_package_is_installed_a_newcomer_gets_letters_and_no_traceback(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    python = tmp_path / "bare" / "bin" / "python"
    command = [python, "-m", "cxlib"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*command, "doctor"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (4, "")
    install = f"{python} -m pip install --require-hashes -r {ROOT / 'requirements.lock'}"
    count = re.search(
        r"^wrong  packages +(\d+) of \1 needed packages are not installed: [a-z-]+, .* and \d+ more\.\n +Install them: (.*)$",
        done.stdout,
        re.M,
    )
    assert count is not None
    assert count[2] == install
    assert re.search(
        rf"^wrong  workbook +pandas cannot be imported: No module named 'pandas'\.\n +Install what is missing: {re.escape(install)}$",
        done.stdout,
        re.M,
    )
    for word, more in (("run", ["--as-of", "2026-06-30"]), ("check", [])):
        other = subprocess.run([*command, word, *more], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert other.returncode == 4
        assert other.stderr == f"cxlib {word}: the package 'pandas' is not installed here. cxlib doctor says what else is.\n"


def test_a_kernel_that_does_not_start_is_wrong_and_its_last_words_are_given(project, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "ipykernel_launcher.py").write_text("raise RuntimeError('out of order')\n")
    found = examined(project, code=4, PYTHONPATH=str(broken))["kernel"]
    assert said(found) == (
        "wrong",
        f"a kernel of {sys.executable} does not start: RuntimeError: out of order.",
        f"If pip's packages are at fault: {PIP} --require-hashes -r {ROOT / 'requirements.lock'}",
    )


def test_a_registered_kernel_that_is_gone_matters_to_jupyterlab_only(project, tmp_path):
    spec = tmp_path / "jupyter" / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(json.dumps({"argv": ["/gone/python", "-m", "x"], "display_name": "x", "language": "python"}))
    found = examined(project, JUPYTER_PATH=str(tmp_path / "jupyter"))
    assert found["kernel"]["sign"] == "good"
    assert said(found["jupyter"]) == (
        "mind",
        "the registered kernel python3 starts '/gone/python', which is not there; reports do without it.",
        f"Register this one: {sys.executable} -m ipykernel install --sys-prefix --name python3",
    )


def test_start_up_files_of_ipython_are_mentioned(project, tmp_path):
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00-mine.py").write_text("import os\n")
    assert said(examined(project, IPYTHONDIR=str(tmp_path / "ipython"))["jupyter"]) == (
        "mind",
        "1 start-up files of IPython (00-mine.py) run in JupyterLab and not in reports: their cells may differ.",
        f"Move what a notebook relies on into it. They are in {startup}.",
    )


def test_a_folder_that_cannot_be_written_is_wrong(project):
    file = project.folder / "data" / "answers.csv"
    found = examined(project, "--to", str(file), "--private", str(file / "rows"), code=4)
    assert said(found["reports"]) == (
        "wrong",
        f"{file}: cannot be written (Not a directory).",
        "Choose another with --to DIR, or make it yours to write in.",
    )
    assert said(found["private"]) == (
        "wrong",
        f"{file / 'rows'}: cannot be written (Not a directory).",
        "Choose another with --private DIR, or make it yours to write in.",
    )


def test_a_lock_that_is_held_is_mentioned(project):
    project.reports.mkdir()
    with (project.reports / ".lock").open("a") as lock:
        assert "lock held" not in examined(project)
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert said(examined(project)["lock held"]) == (
            "mind",
            f"another run is writing in {project.reports} now.",
            "A second one ends with code 75. Wait, or end the other; the lock goes with its process.",
        )


def test_a_workbook_that_cannot_be_read_has_the_doors_own_letter(project):
    remedy = "data/README.md says what a sources.toml holds; --sources FILE names another."
    found = examined(project, "--sources", "absent.toml", code=4)
    letter = "there is no file 'absent.toml' here or in a folder above. Name the workbook's sources.toml."
    assert said(found["workbook"]) == ("wrong", letter, remedy)
    assert "files" not in found
    (project.folder / "data" / "answers.csv").unlink()
    found = examined(project, code=4)
    assert found["workbook"]["sign"] == "good"
    assert said(found["files"]) == (
        "wrong",
        "responses: there is no file 'answers.csv' beside sources.toml. Correct files under [tables.responses].",
        "Correct the name there, or the right to read the file.",
    )


def engine(project: Project, url: str) -> None:
    file = project.folder / "data" / "sources.toml"
    file.write_text(file.read_text().replace("[workbook]", f'[workbook]\nengine = "{url}"'))


@pytest.mark.parametrize(
    "url", ["postgres://ann:s%21cret@127.0.0.1:1/shop", "postgres://ann:s!cret@127.0.0.1:1/shop", "teapot://ann:s!cret@here"]
)
def test_an_engine_that_is_down_is_asked_and_its_password_never_shown(project, url):
    engine(project, url)
    found = examined(project, code=4)["engine"]
    assert found["sign"] == "wrong"
    assert "cret" not in json.dumps(found)
    remedy = "Correct engine under [workbook], or start the server."
    if url.startswith("teapot"):
        assert said(found)[1:] == ("teapot://ann:***@here: Don't know how to connect to 'teapot://ann:***@here'.", remedy)
    elif "not installed" not in found["seen"]:
        refused = 'connection failed: connection to server at "127.0.0.1", port 1 failed: Connection refused.'
        assert said(found)[1:] == (f"postgres://ann:***@127.0.0.1:1/shop: {refused}", remedy)


def test_a_database_file_is_opened(project):
    import duckdb

    engine(project, "duckdb:///shop.duckdb")
    found = examined(project, code=4)["engine"]
    assert said(found)[:2] == ("wrong", "shop.duckdb: there is no such database beside sources.toml.")
    duckdb.connect(str(project.folder / "data" / "shop.duckdb")).execute("CREATE TABLE orders (id INTEGER)").close()
    found = examined(project)["engine"]
    assert re.fullmatch(r"duckdb:///shop\.duckdb: answered in \d+\.\d s", found["seen"])


def test_letters_that_are_not_utf8_are_mentioned_and_still_printed(project):
    file = project.folder / "data" / "sources.toml"
    file.write_text(file.read_text().replace("Tiny & Sons", "Caffè 咖啡"), encoding="utf-8")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = project.cxlib("doctor", **plain)
    assert (done.returncode, done.stderr) == (0, "")
    assert "sources.toml: Caff? ??, 1 tables, 1 questions" in done.stdout
    finding = re.search(r"^mind   letters +(.*)\n +(.*)$", done.stdout, re.M)
    assert finding is not None
    assert finding[1].startswith("texts and names of files are ")
    assert finding[1].endswith(" here, not UTF-8.")
    assert finding[2] == "export LC_ALL=C.UTF-8 PYTHONUTF8=1"


def test_a_machine_on_another_clock_than_the_workbook_is_mentioned(project):
    found = examined(project, TZ="Asia/Taipei")["clock"]
    pattern = r"[\d-]{10} [\d:]{5} in UTC, the workbook's zone; [\d-]{10} [\d:]{5} on this machine \(CST\)\."
    assert (found["sign"], bool(re.fullmatch(pattern, found["seen"]))) == ("mind", True)
    assert found["remedy"] == "A schedule runs by the machine's clock: plan it for when the workbook's day is over."


def test_little_memory_for_each_notebook_is_mentioned(project):
    found = examined(project, CXLIB_MEMORY="200MB", CXLIB_THREADS="1")["memory"]
    seen = "each notebook gets 1 thread and 200MB of memory for its tables, which is little."
    assert said(found) == ("mind", seen, "Run fewer at a time: cxlib run --jobs 1")


def test_a_folder_for_temporary_files_that_is_not_there_falls_back_to_one_that_is(project):
    assert examined(project, TMPDIR=str(Path("absent")))["temporary"]["sign"] == "good"


def test_an_engine_that_names_no_file_is_wrong_and_no_file_is_made(project):
    engine(project, "duckdb://new.db")
    found = examined(project, code=4)["engine"]
    assert found["sign"] == "wrong"
    assert found["seen"].endswith("there is no such database beside sources.toml.")
    assert not list(project.folder.rglob("new.db"))
