"""The corpus of bad exports: what the door says of each, to the letter; made of what people really have."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from bad.made import MADE

from cxlib import sources
from cxlib.tables import TableError

BAD = Path(__file__).parent / "bad"
FOLDERS = sorted(path.parent.name for path in BAD.glob("*/says.txt"))
#: The last day counted, where it matters.
AS_OF = {"rows-after-the-last-day": "2026-06-30"}
#: What is made to exhaust whoever reads it.
HOSTILE = (
    "file-with-a-file-of-the-machine-in-it",
    "file-with-a-line-of-a-gigabyte",
    "file-with-a-million-columns",
    "file-with-an-entity-bomb",
    "file-zip-bomb",
    "file-zip-bomb-in-a-zip",
)
#: The kinds of dirt that each have a rule, a count and a folder here.
DIRT = (
    "mixed date orders",
    "times without zone",
    "daylight saving",
    "numbers with comma decimals and currency signs",
    "blank strings, ?, N/A",
    "codes in scales",
    "reversed scales",
    "trailing blanks and doubled columns in headers",
    "wrong encodings",
    "multi-line cells",
    "ids that lose digits as floats",
    "exact duplicates",
    "end before start",
    "events after as_of",
    "unknown customers",
    "byte-order marks",
    "empty and header-only files",
    "a zip bomb",
    "a gigabyte line",
)
#: What a person should never read: a program's own words.
_OURS = re.compile(
    r"Traceback|\w*Error:|\b(?:None|NoneType|nan|NaT|True|False|dict|list_contains|codec|VARCHAR|BIGINT|DOUBLE|TIMESTAMP|BOOLEAN)\b"
    r"|\b(?:SELECT|CAST|FROM|WHERE|JOIN|read_csv|read_parquet)\b|<class|(?<![\w.:])/(?:tmp|home|usr|work|root|var|private)/|\(export\)|\(text\)"
)


def made(folder: str, to: Path) -> Path:
    """A copy of a folder of the corpus, with what is not committed made in it."""
    shutil.copytree(BAD / folder, to)
    if folder in MADE:
        MADE[folder](to)
    return to / "sources.toml"


def said(path: Path, as_of: str | None) -> str:
    try:
        return sources.check(path, as_of=as_of)
    except TableError as letter:
        return str(letter)


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """The folder of temporary files, empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_door_says_what_is_wrong_and_leaves_nothing_behind(folder, tmp_path, scratch, monkeypatch):
    path = made(folder, tmp_path / folder)
    if folder == "file-that-may-not-be-read" and os.access(path.parent / "feedback.csv", os.R_OK):
        real = Path.open  # root may read everything

        def locked(file: Path, *rest: object, **named: object) -> object:
            if file.suffix == ".csv":
                raise PermissionError(13, "Permission denied", str(file))
            return real(file, *rest, **named)

        monkeypatch.setattr(Path, "open", locked)
    before = time.process_time()
    words = said(path, AS_OF.get(folder))
    assert time.process_time() - before < 5
    assert words + "\n" == (BAD / folder / "says.txt").read_text(encoding="utf-8")
    # The admitted tables stay for as long as the process, in a folder nobody else can enter.
    left = list(scratch.iterdir())
    assert all(place.name.startswith("cxlib-tables-") and place.stat().st_mode & 0o077 == 0 for place in left)
    assert len(left) <= 1


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_message_has_words_of_a_program_in_it(folder):
    says = (BAD / folder / "says.txt").read_text(encoding="utf-8")
    theirs = "".join(path.read_text(encoding="utf-8", errors="replace") for path in (BAD / folder).iterdir() if path.name != "says.txt")
    assert [word for word in _OURS.findall(says) if word not in theirs] == []
    unseen = [letter for letter in says if not (letter.isprintable() or letter == "\n")]
    assert unseen == []
    assert max(map(len, says.splitlines())) < 1_000


def test_the_account_of_every_bad_export_adds_up():
    """Rows read are rows kept and rows left out, each with its reason."""
    counted = 0
    for folder in FOLDERS:
        says = (BAD / folder / "says.txt").read_text(encoding="utf-8")
        for part in re.split(r"\n\n", says)[1:]:
            read, kept = (int(number.replace(",", "")) for number in re.match(r"\w+: ([\d,]+) rows? read, ([\d,]+) kept", part).groups())
            out = sum(int(number.replace(",", "")) for number in re.findall(r"^  (?:set aside|left out) ([\d,]+):", part, re.MULTILINE))
            assert read == kept + out, folder
            counted += 1
    assert counted > 50


def test_hostile_files_are_refused_in_little_memory(tmp_path):
    paths = [str(made(folder, tmp_path / folder)) for folder in HOSTILE]
    program = (
        "import resource, sys\n"
        "from cxlib import sources\n"
        "from cxlib.tables import TableError\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        sources.check(path)\n"
        "    except TableError:\n"
        "        print('refused')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, *paths], capture_output=True, text=True, check=True, timeout=120)
    *refused, most = done.stdout.split()
    assert refused == ["refused"] * len(HOSTILE)
    assert int(most) < 900


@pytest.mark.parametrize(("folder", "code"), [("codes-in-words", 3), ("dates-of-both-orders", 0), ("quote-that-never-closes", 3)])
def test_the_command_leaves_no_temporary_folder_and_says_its_letter(folder, code, tmp_path):
    path, temporary = made(folder, tmp_path / folder), tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "cxlib", "check", "--sources", str(path)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, env={**os.environ, "TMPDIR": str(temporary), "PYTHONUTF8": "1"}
    )
    says = (BAD / folder / "says.txt").read_text(encoding="utf-8")
    assert done.returncode == code
    assert (done.stdout, done.stderr) == ((says, "") if code == 0 else ("", f"cxlib check: {says}"))
    assert list(temporary.iterdir()) == []


def test_what_is_set_aside_stands_beside_columns_of_any_name(tmp_path):
    path = made("header-with-the-names-of-what-is-set-aside", tmp_path / "bad")
    (to := tmp_path / "door").mkdir()
    sources.admit(path, to=to)
    lines = (to / "set_aside" / "customers.csv").read_text(encoding="utf-8").splitlines()
    assert lines[1:] == ["2,start is not a date,b,never,y,1,2,3,4,", "4,the line has too few cells,,,,,,,,c"]


def test_every_kind_of_dirt_has_its_rule_its_count_and_its_folders():
    lines = (BAD / "README.md").read_text(encoding="utf-8").splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")][1:]
    assert all(len(row) == 4 and all(row) for row in table)
    kinds = [row[0] for row in table]
    assert [kind for kind in DIRT if kind not in kinds] == []
    named = [name for row in table for name in re.findall(r"`([^`]+)`", row[3])]
    assert sorted(named) == sorted(set(named))
    assert sorted(named) == FOLDERS == sorted(path.name for path in BAD.iterdir() if path.is_dir() and path.name != "__pycache__")
    assert set(MADE) <= set(FOLDERS)
    assert len(FOLDERS) >= 70
