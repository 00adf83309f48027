"""The real command line: what it publishes, what it refuses, and that a failure never harms a good report."""

import json
import os
import pty
import signal
import stat
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from pyarrow import parquet

from cxlib.report import collect
from tests.report_project import AS_OF, PARAMETERS, READ, SHOW, Project, cell, notebook, payload, result, row, show

COUNTED = """
rows = [dict(measure="nps", estimate=float(answers), low=None, high=None, level=0.95, n=int(answers), plan="=1+1")]
held = {"name": "nps_by_plan", "keys": ["plan"], "counts": [], "rows": rows, "withheld": 0, "reason": None}
content = {"version": 1, "kind": "table", "text": "", "reason": None, "smallest_group": 5, "results": [held]}
for _ in range(2):
    display({"text/plain": "", "text/html": "<p>a table</p>", "application/vnd.cxlib.result+json": content}, raw=True)
"""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with one good report. Tests read it, or copy its folder; none changes it."""
    project = Project(tmp_path_factory.mktemp("good") / "a {curly} fünf 五")
    project.add("scores", READ, "## Is it moving?", SHOW, "## By plan", COUNTED, "import warnings; warnings.warn('beware')")
    project.answers([(number * 7) % 11 for number in range(100)], slip=True)
    done = project.run()
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"published: {project.place / 'index.html'}\n"
    return project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


def test_a_run_publishes_every_file_it_promises(good: Project) -> None:
    names = {path.relative_to(good.place).as_posix() for path in good.place.rglob("*") if path.is_file()}
    tables = {"tables/scores-nps.csv", "tables/scores-nps_by_plan.csv"}
    assert names == {"index.html", "scores.html", "scores.ipynb", "results.parquet", "manifest.json"} | tables
    assert (good.reports / "index.html").exists()
    assert good.left_over() == []


def test_results_hold_one_row_an_estimate_and_a_result_drawn_twice_once(good: Project) -> None:
    table = parquet.read_table(good.place / "results.parquet")
    assert table.column_names == ["notebook", "section", "measure", "keys", "estimate", "low", "high", "level", "n", "counts"]
    first, second = table.to_pylist()
    assert (first["section"], first["keys"], first["estimate"], first["n"], first["counts"]) == (
        "By plan",
        '{"plan":"=1+1"}',
        100.0,
        100,
        "{}",
    )
    assert (second["section"], second["keys"], second["estimate"], second["counts"]) == ("Is it moving?", "{}", 12.5, '{"promoters":20}')


def test_text_that_a_spreadsheet_would_run_is_told_to_be_text(good: Project) -> None:
    lines = (good.place / "tables" / "scores-nps_by_plan.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines == ["plan,measure,estimate,low,high,level,n", "'=1+1,nps,100.0,,,0.95,100"]


def test_nothing_published_names_a_place_on_this_machine(good: Project) -> None:
    here = [str(good.folder), good.folder.name, "curly", str(Path.home()), sys.prefix, "ipykernel_"]
    for path in good.place.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert [place for place in here if place.encode() in content] == [], path.name
    metadata = json.loads((good.place / "scores.ipynb").read_text())["metadata"]
    assert metadata["kernelspec"] == {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    assert set(metadata) == {"kernelspec", "language_info"}


def test_rows_set_aside_go_to_a_private_folder_and_never_beside_the_pages(good: Project) -> None:
    folder = good.private / "Tiny-Sons" / AS_OF / "set_aside"
    assert [path.name for path in folder.iterdir()] == ["responses.csv"]
    for path in (folder, folder.parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert "set_aside" not in " ".join(good.hashes())


def test_the_manifest_says_what_the_report_was_made_from(good: Project) -> None:
    manifest = json.loads((good.place / "manifest.json").read_text())
    assert manifest["workbook"] == "Tiny & Sons"
    assert manifest["parameters"] == {"scores": {"as_of": AS_OF, "workbook": "data/sources.toml"}}
    assert set(manifest["inputs"]) == {"answers.csv", "sources.toml"}
    assert manifest["tables"]["responses"] == {
        "rows_read": 101, "kept": 100, "set_aside": 1, "first": "2026-01-10", "since": "2026-01-10", "until": "2026-06-10",
    }  # fmt: skip
    assert manifest["versions"]["python"] == sys.version.split()[0]
    assert {"fingerprint", "code", "commit", "seeds", "seconds", "started", "finished"} <= set(manifest)


def test_the_same_again_is_up_to_date_and_touches_nothing(good: Project) -> None:
    before = good.hashes()
    again = good.run("--json")
    assert again.returncode == 0
    assert json.loads(again.stdout)["status"] == "up to date"
    assert again.stderr == ""
    assert good.hashes() == before


@pytest.mark.parametrize("setting", [{"CXLIB_THREADS": "1"}, {"CXLIB_THREADS": "2"}])
def test_the_same_inputs_give_the_same_results_to_the_byte(good: Project, tmp_path: Path, setting: dict[str, str]) -> None:
    done = good.run("--to", str(tmp_path / "reports"), "--private", str(tmp_path / "private"), **setting)
    assert done.returncode == 0, done.stderr
    again = tmp_path / "reports" / AS_OF
    for name in ("results.parquet", "scores.html", "index.html", "tables/scores-nps.csv"):
        assert (again / name).read_bytes() == (good.place / name).read_bytes(), name


def test_a_changed_input_keeps_the_earlier_report_as_a_revision(project: Project) -> None:
    project.add("scores", READ, SHOW)
    assert project.run().returncode == 0
    earlier = project.hashes(project.place)
    project.answers([10] * 50)
    done = project.run()
    assert done.returncode == 0, done.stderr
    assert "the earlier report is kept as 2026-06-30.revision-1" in done.stdout
    assert project.hashes(project.reports / f"{AS_OF}.revision-1") == earlier
    assert "Revision 1" in (project.reports / "index.html").read_text()
    forced = project.run("--force")
    assert (forced.returncode, forced.stdout.splitlines()[1:]) == (0, [])


FAILING = {
    "broken": ("1 / 0", "code cell 2, under 'Asked of few', failed: ZeroDivisionError: division by zero"),
    "left": (
        f"import sys; sys.exit(0)\n{SHOW}",
        "code cell 2, under 'Asked of few', left the notebook by sys.exit, so the cells after it never ran.",
    ),
    "killed": (
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "the kernel died at code cell 2, under 'Asked of few': it was killed, or ran out of memory.",
    ),
    "slow": (
        "import time; time.sleep(300)",
        "at code cell 2, under 'Asked of few', the notebook had taken 20 seconds and was stopped. Give it more with --timeout SECONDS.",
    ),
    "silent": ("answers = 3", "shows no result. Show at least one with cxlib.figures."),
    "hidden": (
        "class figures: trend = staticmethod(lambda result: None)\nfigures.trend(3)",
        "code cell 2, under 'Asked of few', calls figures.trend but shows no result.",
    ),
    "tiny": (
        show(payload("table", result("nps_by_plan", [row(50.0, 3, plan="paid")], keys=["plan"]))),
        "'nps_by_plan' under 'Asked of few' shows a group of 3; the smallest this workbook shows is 5.",
    ),
}


def test_every_way_to_fail_in_silence_fails_the_run_and_leaves_the_good_report(project: Project) -> None:
    project.add("scores", SHOW)
    assert project.run().returncode == 0
    before = project.hashes(project.place)
    for name, (source, _) in FAILING.items():
        project.add(name, "## Asked of few", source, "'the last cell'")
    failed = project.run("--timeout", "20", "--jobs", "4", "--json")
    assert failed.returncode == 1
    said = json.loads(failed.stdout)
    assert said["status"] == "failed"
    assert said["reasons"] == {name: reason for name, (_, reason) in FAILING.items()}
    assert all(f"cxlib run: {name}: {reason}" in failed.stderr for name, (_, reason) in FAILING.items())
    assert project.hashes(project.place) == before
    assert project.left_over() == []
    index = (project.reports / "index.html").read_text()
    assert "The last attempt to renew it failed" in index
    assert "ZeroDivisionError: division by zero" in index
    evidence = project.private / "Tiny-Sons" / AS_OF / "failed"
    assert {path.name for path in evidence.iterdir()} == {f"{name}.{kind}" for name in FAILING for kind in ("ipynb", "log")}
    assert "division by zero" in (evidence / "broken.log").read_text()
    for name in FAILING:
        (project.folder / "notebooks" / f"{name}.ipynb").unlink()
    mended = project.run()
    assert mended.stdout.startswith("up to date")
    assert "failed" not in (project.reports / "index.html").read_text().partition("</style>")[2]


TYPED = PARAMETERS + 'strict: bool = False\nsteps: list[int] = [1]\nlevel: float = 0.95\nmonths: int = 3\nplan: str = "all"'


@pytest.mark.parametrize(
    ("words", "letter"),
    [
        (["-p", "levle", "0.9"], "-p levle: no parameter of this name in typed. Did you mean 'level'?"),
        (["-p", "zzz", "0.9"], "-p zzz: no parameter of this name in typed. There are: level, months, plan, steps, strict."),
        (["-p", "strict", "1"], "-p strict: '1' is not of type bool, as typed declares it. Write true or false."),
        (["-p", "months", "3.0"], "-p months: '3.0' is not of type int, as typed declares it. Write a whole number, such as 12."),
        (["-p", "level", "nan"], "-p level: 'nan' is not of type float, as typed declares it. Write a number, such as 0.95."),
        (["-p", "steps", "[true]"], "-p steps: '[true]' is not of type list[int], as typed declares it. Write it as JSON, such as"),
        (["-p", "as_of", "x"], "-p as_of: this parameter is given by --as-of."),
        (["-p", "plan", "a", "-p", "plan", "b"], "-p plan: given twice."),
        (["--as-of", "2026-6-3"], "--as-of: '2026-6-3' is not a date. Write year-month-day, such as 2026-06-30."),
        (["--as-of", "2999-01-01"], "--as-of: 2999-01-01 has not come yet (today is "),
        (["typd"], "typd: there is no such notebook. Did you mean 'typed'?"),
        (["--sources", "data/none.toml"], "data/none.toml: there is no such file. Name the workbook's sources.toml with --sources FILE."),
        (["--private", "reports/private"], "beside the pages. Choose a folder outside of it."),
        (["--jobs", "0"], "argument --jobs: '0' is not a whole number from 1"),
    ],
)
def test_wrong_use_is_refused_before_anything_starts(project: Project, words: list[str], letter: str) -> None:
    project.add("typed", SHOW, parameters=TYPED)
    refused = project.run(*words)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert letter in refused.stderr
    assert "executed" not in refused.stderr
    assert not project.reports.exists()


def test_parameters_arrive_with_the_type_the_notebook_declares(project: Project) -> None:
    checked = "assert (strict, steps, level, months, plan) == (True, [1, 2], 0.9, 12, '7') and type(level) is float"
    project.add("other", SHOW)
    project.add("typed", checked, SHOW, parameters=TYPED)
    words = {"strict": "true", "steps": "[1, 2]", "level": "0.9", "months": "12", "plan": "7"}
    done = project.run(*[word for name, value in words.items() for word in ("-p", name, value)], as_of="20260630")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((project.place / "manifest.json").read_text())
    assert manifest["parameters"]["typed"]["strict"] is True
    assert "strict" not in manifest["parameters"]["other"]


@pytest.mark.parametrize(
    ("source", "letter"),
    [
        ("level: float = 0.9", "no parameter 'as_of'. Give it a cell tagged 'parameters'"),
        ('as_of: str = "2026-06-30"\nlevel = 0.9', "line 2 of the parameters cell is not of the form 'name: type = value'."),
        ('as_of: str = "2026-06-30"\nlevel: float = max(1, 2)', "the default of 'level' is not a plain value"),
        ('as_of: str = "2026-06-30', "the parameters cell is not Python (line 1: unterminated string literal"),
    ],
)
def test_a_notebook_whose_parameters_cannot_be_read_is_refused(project: Project, source: str, letter: str) -> None:
    project.add("odd", SHOW, parameters=source)
    refused = project.run()
    assert refused.returncode == 2
    assert f"odd.ipynb: {letter}" in refused.stderr


def test_a_second_run_at_the_same_time_is_told_to_wait(good: Project) -> None:
    before = good.hashes()
    holder = (
        "import fcntl, sys\nfile = open(sys.argv[1], 'a')\nfcntl.flock(file, fcntl.LOCK_EX)\nprint('held', flush=True)\nsys.stdin.read()"
    )
    words = [sys.executable, "-c", holder, str(good.reports / ".lock")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        refused = good.run("--force", "--json")
        other.communicate()
    assert refused.returncode == 75
    assert "another run is writing here. Try again when it is done." in refused.stderr
    assert json.loads(refused.stdout)["code"] == 75
    assert good.hashes() == before


def test_a_folder_that_cannot_be_written_is_the_environments_fault(good: Project) -> None:
    before = good.hashes(good.folder / "data")
    refused = good.run("--to", "data/answers.csv/reports")
    assert refused.returncode == 4
    assert "cannot write reports here (Not a directory)." in refused.stderr
    assert good.hashes(good.folder / "data") == before
    good.private.with_name("taken").write_text("a file in the way")
    refused = good.run("--force", "--private", "data/taken")
    assert refused.returncode == 4
    assert "taken" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_missing_kernel_is_the_environments_fault(project: Project) -> None:
    project.add("scores", SHOW)
    hiding = project.folder / "hiding"
    hiding.mkdir()
    (hiding / "sitecustomize.py").write_text(
        "import importlib.util as util\nfind = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'ipykernel' else find(name, *more)\n"
    )
    refused = project.run(PYTHONPATH=str(hiding))
    assert refused.returncode == 4
    assert "no kernel: the package ipykernel is not installed" in refused.stderr


def test_no_kernel_of_the_user_and_no_start_up_file_has_a_say(project: Project) -> None:
    project.add("scores", "assert 'SPOILT' not in globals()", SHOW)
    home = project.folder / "home"
    spec = home / ".local" / "share" / "jupyter" / "kernels" / "python3"
    start = home / ".ipython" / "profile_default" / "startup"
    for folder in (spec, start):
        folder.mkdir(parents=True)
    (spec / "kernel.json").write_text('{"argv": ["/bin/false"], "display_name": "spoilt", "language": "python"}')
    (start / "00.py").write_text("SPOILT = 1")
    (home / "start.py").write_text("SPOILT = 1")
    done = project.run(HOME=str(home), IPYTHONDIR=str(home / ".ipython"), PYTHONSTARTUP=str(home / "start.py"))
    assert done.returncode == 0, done.stderr


def test_data_refused_at_the_door_are_told_on_the_page_of_dates_and_nothing_runs(project: Project) -> None:
    project.add("scores", SHOW)
    assert project.run().returncode == 0
    before = project.hashes(project.place)
    project.answers([99] * 30 + [9] * 70)
    refused = project.run()
    assert refused.returncode == 3
    assert "99 occurs 30 times" in refused.stderr
    assert "executed" not in refused.stderr
    assert project.hashes(project.place) == before
    listed = (project.reports / "index.html").read_text()
    assert "The data of responses were refused. The letter may quote what customers wrote: it is in refused/letter.txt" in listed
    assert "99 occurs" not in listed
    (told,) = project.private.rglob("refused/letter.txt")
    assert "99 occurs 30 times" in told.read_text()
    assert told.parent.stat().st_mode & 0o777 == 0o700
    assert project.left_over() == []


@pytest.mark.parametrize(
    ("as_of", "letter", "noted"),
    [
        ("2025-12-31", "--as-of: the data begin on 2026-01-10, after 2025-12-31: there is nothing to report.", False),
        ("2026-10-01", "--as-of: the data end on 2026-06-10, 113 days before 2026-10-01: the report would look newer than it is.", True),
    ],
)
def test_a_date_without_data_of_its_own_is_refused(project: Project, as_of: str, letter: str, noted: bool) -> None:
    project.add("scores", SHOW)
    refused = project.run(as_of=as_of)
    assert refused.returncode == 3
    assert letter in refused.stderr
    assert (project.reports / f"{as_of}.failed.json").exists() is noted


def test_data_that_end_long_before_are_accepted_where_it_is_meant(project: Project) -> None:
    project.add("scores", SHOW)
    assert project.run("--stale", as_of="2026-10-01").returncode == 0


def test_a_folder_of_another_workbook_is_refused(good: Project, tmp_path: Path) -> None:
    other = Project(tmp_path / "other", name="Another")
    other.add("scores", SHOW)
    before = good.hashes()
    refused = other.run("--to", str(good.reports))
    assert refused.returncode == 2
    assert "holds the reports of 'Tiny & Sons', and this workbook is 'Another'. Give each its own folder with --to DIR." in refused.stderr
    assert good.hashes() == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_kernels_and_leaves_nothing_behind(project: Project, number: signal.Signals, code: int) -> None:
    project.add("scores", "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(300)", SHOW)
    words = project.command("run", "--as-of", AS_OF)
    with subprocess.Popen(words, cwd=project.folder, env=project.environment(), stderr=subprocess.PIPE, text=True) as run:
        until = time.monotonic() + 60
        while not (project.folder / "pid").exists() or not (project.folder / "pid").read_text():
            assert time.monotonic() < until
            time.sleep(0.1)
        run.send_signal(number)
        assert run.wait(timeout=30) == code
        assert run.stderr is not None
        assert run.stderr.read().endswith(f"cxlib run: stopped by {number.name}.\n")
    kernel = Path("/proc") / (project.folder / "pid").read_text()
    assert not kernel.exists() or "Z" in (kernel / "stat").read_text()
    assert [path.name for path in project.reports.iterdir()] == [".lock"]
    assert project.left_over() == []


def test_a_run_that_was_killed_is_cleared_up_by_the_next(project: Project) -> None:
    project.add("scores", SHOW)
    assert project.run().returncode == 0
    before = project.hashes(project.place)
    (project.reports / ".building").mkdir()
    retired = project.reports / ".retired"
    retired.mkdir()
    project.place.rename(retired / AS_OF)
    assert project.run().stdout.startswith("up to date")
    assert project.hashes(project.place) == before
    assert project.left_over() == []


def test_progress_is_a_bar_on_a_terminal_and_plain_lines_elsewhere(good: Project, tmp_path: Path) -> None:
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 100))
    words = good.command("run", "--as-of", AS_OF, "--to", str(tmp_path / "reports"), "--private", str(tmp_path / "private"))
    with subprocess.Popen(words, cwd=good.folder, env=good.environment(), stdout=subprocess.PIPE, stderr=slave, text=True) as run:
        os.close(slave)
        seen = b""
        while part := _read(master):
            seen += part
        assert run.wait(timeout=60) == 0
    os.close(master)
    assert b"cell/s" in seen or b"s/cell" in seen
    assert b"scores: executed after" in seen


def _read(handle: int) -> bytes:
    try:
        return os.read(handle, 4096)
    except OSError:  # the other end of a terminal is closed
        return b""


def test_check_shows_the_workbook_without_running_it(good: Project) -> None:
    done = good.cxlib("check", "--as-of", AS_OF)
    assert done.returncode == 0, done.stderr
    assert "responses: 101 rows read, 100 kept, 2026-01-10 to 2026-06-10" in done.stdout
    refused = good.cxlib("check", "--sources", "data/none.toml")
    assert refused.returncode == 3
    assert "there is no file 'data/none.toml'" in refused.stderr


def test_help_imports_nothing_heavy() -> None:
    words = (
        "import sys, cxlib.__main__ as command\ntry: command.main(['--help'])\nexcept SystemExit: pass\n"
        "print('pandas' in sys.modules, 'jinja2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, cwd=Path(__file__).parents[1], check=True)
    assert done.stdout.endswith("False False\n")


def test_a_withheld_row_is_said_in_the_file_and_shows_no_number() -> None:
    held = {**row(None, None, plan="paid"), "withheld": True}
    item = collect.Shown("scores", "By plan", payload("table", result("nps_by_plan", [row(9.0, 7, plan="free"), held], keys=["plan"])))
    ((name, text),) = collect.tables([item, item])
    assert name == "scores-nps_by_plan.csv"
    assert text.splitlines()[1:] == ["free,nps,9.0,,,0.95,7,", "paid,nps,,,,0.95,,not shown: fewer than 5"]
    held["n"] = 3
    content = notebook("## By plan")
    shown = {"output_type": "display_data", "metadata": {}, "data": {collect.MIME: item.payload}}
    content["cells"].append({**cell("figures.table(by_plan)"), "outputs": [shown]})
    said = collect.fault("scores", content, smallest_group=5)
    assert said == "'nps_by_plan' under 'By plan' says of a row that it is withheld, and shows its numbers."


def test_results_of_one_name_and_other_numbers_keep_a_file_each() -> None:
    items = [collect.Shown("scores", "", payload("table", result("nps", [row(float(number), 40)]))) for number in (1, 2, 1)]
    assert [name for name, _ in collect.tables(items)] == ["scores-nps.csv", "scores-nps-2.csv"]


def test_a_place_on_this_machine_is_told_as_the_projects_own() -> None:
    scrub = collect.scrubber({Path("/srv/cx"): "", Path("/srv"): "srv/", Path("/var/ann"): "~/"})
    assert scrub({"a": ["/srv/cx/data/x.csv", "in /srv/cx: /var/ann/y", "/srv/cxy"]}) == {"a": ["data/x.csv", "in cx: ~/y", "srv/cxy"]}
