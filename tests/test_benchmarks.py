"""The benchmark stays true: hand-written SQL counts what the measures count, for every measure there is."""

import inspect
import subprocess
import sys
from pathlib import Path

from test_layers import measures

from cxlib import churn, survey

HERE = Path(__file__).parent / "benchmarks"


def test_each_measure_has_the_counts_of_hand_written_sql():
    command = [sys.executable, str(HERE / "bench.py"), "--only", "measures", "--answers", "20000", "--customers", "3000", "--repeat", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    timed = sorted(line.split()[0] for line in done.stdout.splitlines() if "agree" in line)
    # What is written small is a measure; a class is what one is told.
    assert timed == sorted([name for name in [*survey.__all__, *churn.__all__] if name.islower()] + ["against_rest", "drivers"])
    assert timed == sorted(path.stem for path in HERE.glob("*.sql") if not path.stem.startswith(("generate_", "export_")))


def test_the_door_is_timed_beside_duckdbs_reader():
    command = [sys.executable, str(HERE / "door.py"), "--answers", "20000", "--repeat", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the door takes " in done.stdout.splitlines()[-1]


def test_a_cox_model_on_counts_is_timed_beside_lifelines_on_rows():
    command = [sys.executable, str(HERE / "cox.py"), "--customers", "5000", "--repeat", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].endswith("at most: agree")


def test_survival_is_timed_beside_sql_and_lifelines_on_rows():
    command = [sys.executable, str(HERE / "lives.py"), "--customers", "5000", "--repeat", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "counts and curves agree"


def test_every_measure_that_gives_an_interval_has_its_coverage_on_a_page():
    pages = "".join((HERE / f"{name}.md").read_text(encoding="utf-8") for name in ("coverage", "drivers"))
    given = [name for name, function in measures() if "low, high" in (inspect.getdoc(function) or "")]
    assert len(given) > 40
    assert [name for name in given if f"`{name}`" not in pages] == []
