"""How fast: the whole report beside papermill and nbconvert, and each measure beside hand-written SQL.

``make bench``, or ``python tests/benchmarks/bench.py --answers 5000000 --customers 1000000 --repeat 5``. Every pair is
timed in one run, in turns, and the median is shown; a measure whose counts are not those of its SQL fails the run.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pandas as pd

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

from cxlib import churn, groups, impact, survey  # noqa: E402  (the project may not be installed)
from cxlib.tables import TABLES  # noqa: E402
from cxlib.tables.schema import PHYSICAL  # noqa: E402

AS_OF = "2026-06-30"
BY = ("month", "segment")
#: The scores are counted in the cells that a page is made of.
CELLS = (*BY, "touchpoint")


@dataclass(frozen=True)
class Case:
    """A measure, the SQL file that counts the same, and the columns that have to agree."""

    name: str
    table: str
    measure: Callable[[Any], pd.DataFrame]
    counts: tuple[str, ...]
    keys: tuple[str, ...] = BY

    @property
    def sql(self) -> str:
        return (HERE / f"{self.name}.sql").read_text(encoding="utf-8").replace("$as_of", f"DATE '{AS_OF}'")


def effort(table: Any) -> pd.DataFrame:
    """One row a group, as SQL counts them: the share; the mean has the same counts."""
    frame = survey.ces(table, by=CELLS)
    return frame[frame["measure"] == "ces_share"]


def side_by_side(table: Any) -> Any:
    """The k-th answers to all questions given to one person, as in one questionnaire, whatever they were asked after."""
    order = [table[name] for name in ("time_answered", "respondent", "score", "segment")]
    place = ibis.row_number().over(ibis.window(group_by=table["question"], order_by=order))
    return table.drop("touchpoint").mutate(respondent=(place % 900_000).cast("string"), wave=(place // 900_000).cast("string"))


def chosen(table: Any) -> pd.DataFrame:
    """One rating as a question with yes and no: the two best answers are a yes."""
    staff = table.filter(table["question"] == "staff")
    yes = (staff["score"] >= 4).cast("int64")
    return survey.choices(staff.mutate(score=yes, kind=ibis.literal("choice"), scale_low=0, scale_high=1), by=BY)


WINDOW = ("since", "until")
PEOPLE = ("n_people", *WINDOW)
BOTH = (
    *("n_before", "n_after", "good_before", "good_after", "bad_before", "bad_after"),
    *("n_both", "since_before", "until_before"),
)
CASES = (
    Case("nps", "responses", lambda t: survey.nps(t, by=CELLS), ("n", "promoters", "passives", "detractors", *PEOPLE), CELLS),
    Case("csat", "responses", lambda t: survey.csat(t, by=CELLS), ("n", "satisfied", "dissatisfied", *PEOPLE), CELLS),
    Case("ces", "responses", effort, ("n", "easy", *PEOPLE), CELLS),
    Case(
        "ratings",
        "responses",
        lambda t: survey.ratings(t, by=CELLS),
        ("n", "top", "bottom", "scale_low", "scale_high", *PEOPLE),
        (*CELLS, "question"),
    ),
    Case("movement", "responses", lambda t: survey.movement(t, by="segment"), ("n", *BOTH, *WINDOW), ("segment", "after")),
    Case("distribution", "responses", lambda t: survey.distribution(t, by=BY), ("n", "answers"), (*BY, "question", "score")),
    Case("classes", "responses", lambda t: survey.classes(t, by=BY), ("n", "answers", *PEOPLE), (*BY, "class")),
    Case("choices", "responses", chosen, ("n", "chosen", *PEOPLE)),
    Case("against_rest", "responses", lambda t: groups.against_rest(t, by="segment"), ("n", "n_rest", "n_both", *WINDOW), ("segment",)),
    Case("drivers", "responses", lambda t: impact.drivers(side_by_side(t)), ("n", "missing", *PEOPLE), ("driver",)),
    Case(
        "churn_rate",
        "customers",
        lambda t: churn.churn_rate(t, as_of=AS_OF, by="segment"),
        ("n", "left", "joined", "joined_left", *WINDOW),
        ("segment", "month"),
    ),
    Case(
        "survival",
        "customers",
        lambda t: churn.survival(t, as_of=AS_OF, by="segment"),
        ("n", "events", "censored", "customers"),
        ("segment", "tenure_days"),
    ),
    Case(
        "median_tenure",
        "customers",
        lambda t: churn.median_tenure(t, as_of=AS_OF, by="segment"),
        ("estimate", "n", "churned", "censored"),
        ("segment",),
    ),
    Case(
        "quantiles",
        "customers",
        lambda t: churn.quantiles(t, as_of=AS_OF, by="segment"),
        ("estimate", "n", "churned", "censored"),
        ("segment", "share_left"),
    ),
    Case(
        "ends",
        "customers",
        lambda t: churn.ends(t, as_of=AS_OF, by="segment"),
        ("n", "events", "left", "customers"),
        ("segment", "end_reason", "tenure_days"),
    ),
    Case(
        "hazard",
        "customers",
        lambda t: churn.hazard(t, as_of=AS_OF, by="segment"),
        ("n", "left", "customer_days"),
        ("segment", "tenure_days"),
    ),
    Case("difference", "customers", lambda t: churn.difference(t, as_of=AS_OF, by="segment"), ("n", "n_rest"), ("segment",)),
    Case(
        "survival_difference",
        "customers",
        lambda t: churn.survival_difference(t, as_of=AS_OF, by="segment"),
        ("n", "n_rest"),
        ("segment", "tenure_days"),
    ),
)


def nps_in_pandas(frame: pd.DataFrame) -> int:
    """What a pandas user writes for the score of each month and segment."""
    asked = frame[frame["kind"] == "nps"].dropna(subset=["score"])
    classed = asked.assign(promoter=asked["score"] >= 9, detractor=asked["score"] <= 6)
    shares = classed.groupby(list(BY), dropna=False)[["promoter", "detractor"]].mean()
    return len(100 * (shares["promoter"] - shares["detractor"]))


def survival_in_lifelines(frame: pd.DataFrame) -> int:
    """What a lifelines user writes for the curve of each segment."""
    from lifelines import KaplanMeierFitter

    end = frame["end"].fillna(pd.Timestamp(AS_OF))
    tenure = (end - frame["start"]).dt.days
    left = frame["end"].notna()
    curves = [
        KaplanMeierFitter().fit(tenure[rows], left[rows]).confidence_interval_
        for rows in (frame["segment"].isna(), *(frame["segment"] == name for name in frame["segment"].dropna().unique()))
    ]
    return sum(map(len, curves))


#: A frame of more rows takes all the memory that many machines have: some 200 bytes a row.
MOST_IN_MEMORY = 20_000_000
PEERS: dict[str, tuple[str, Callable[[pd.DataFrame], int]]] = {
    "nps": ("pandas", nps_in_pandas),
    "survival": ("lifelines", survival_in_lifelines),
}


def generate(folder: Path, rows: Mapping[str, int]) -> dict[str, Path]:
    """One Parquet file a table, with every canonical column as the door hands it over."""
    files = {}
    for table, number in rows.items():
        made = (HERE / f"generate_{table}.sql").read_text(encoding="utf-8").replace("$rows", str(number))
        engine = ibis.duckdb.connect()
        engine.create_table("every", schema=ibis.schema({column.name: PHYSICAL[column.kind] for column in TABLES[table].columns}))
        files[table] = folder / f"{table}.parquet"
        engine.raw_sql(f"COPY (FROM every UNION ALL BY NAME ({made})) TO '{files[table]}' (FORMAT parquet)")
        engine.disconnect()
    return files


def in_turns(repeat: int, *calls: Callable[[], Any]) -> tuple[list[float], list[Any]]:
    """The median seconds of each call and its last answer; the calls take turns, so that all meet the same machine."""
    times: list[list[float]] = [[] for _ in calls]
    answers: list[Any] = [None] * len(calls)
    for _ in range(repeat):
        for position, call in enumerate(calls):
            began = time.perf_counter()
            answers[position] = call()
            times[position].append(time.perf_counter() - began)
    return [statistics.median(each) for each in times], answers


def differing(case: Case, measured: pd.DataFrame, counted: pd.DataFrame) -> list[str]:
    """Groups whose counts are not the same in both, in words."""

    def rows(frame: pd.DataFrame) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        columns = [*case.keys, *case.counts]
        plain = frame[columns].astype(object).where(frame[columns].notna(), None)
        for name in {*WINDOW, "month", "after", "since_before", "until_before"} & set(columns):
            plain[name] = [None if day is None else pd.Timestamp(day).date() for day in plain[name]]
        return {row[: len(case.keys)]: row[len(case.keys) :] for row in plain.itertuples(index=False, name=None)}

    ours, theirs = rows(measured), rows(counted)
    wrong = [key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)]
    return [f"{key}: {ours.get(key)}, and {theirs.get(key)} in SQL" for key in wrong]


def measures(folder: Path, rows: Mapping[str, int], asked: argparse.Namespace) -> bool:
    """Time every measure beside its SQL and, where there is one, its peer; true where all the counts agree."""
    cases = [case for case in CASES if not asked.measure or case.name in asked.measure]
    files = generate(folder, {table: rows[table] for table in sorted({case.table for case in cases})})
    agreed = True
    print(f"\n{rows['responses']:,} answers, {rows['customers']:,} customers, as Parquet; median of {asked.repeat}, in seconds\n")
    print(f"{'measure':<21}{'groups':>8}{'cxlib':>9}{'SQL':>9}{'ratio':>8}   counts  peer, on a frame in memory", flush=True)
    for case in cases:
        ours, theirs, groups, wrong = beside_sql(case, files[case.table], asked.repeat, asked.memory)
        agreed = agreed and not wrong
        told = "differ" if wrong else "agree"
        words = f"{case.name:<21}{groups:>8,}{ours:>9.3f}{theirs:>9.3f}{ours / theirs:>7.1f}x   {told:<8}"
        if case.name in PEERS and rows[case.table] > MOST_IN_MEMORY:
            words += f"{PEERS[case.name][0]}: not beside so many rows, which fill the memory as a frame"
        elif case.name in PEERS:
            library, call = PEERS[case.name]
            frame = in_memory(files[case.table])
            (seconds,), _ = in_turns(asked.repeat, partial(call, frame))
            words += f"{library} {seconds:.3f} ({seconds / ours:.1f}x cxlib)"
        print(words.rstrip(), *(f"    {line}" for line in wrong[:3]), sep="\n", flush=True)
    return agreed


def beside_sql(case: Case, file: Path, repeat: int, memory: str) -> tuple[float, float, int, list[str]]:
    """Seconds of the measure, seconds of its SQL, groups, and what differs between them."""
    embedded, plain = ibis.duckdb.connect(memory_limit=memory), duckdb.connect(config={"memory_limit": memory})
    table = embedded.read_parquet(file, table_name=case.table)
    plain.execute(f"CREATE VIEW {case.table} AS FROM '{file}'")
    calls = (partial(case.measure, table), lambda: plain.execute(case.sql).df())
    in_turns(1, *calls)  # neither pays for imports and a cold file
    (ours, theirs), (measured, counted) = in_turns(repeat, *calls)
    return ours, theirs, len(counted), differing(case, measured, counted)


def in_memory(file: Path) -> pd.DataFrame:
    """The table as a frame, its dates in the type that pandas computes with."""
    frame = pd.read_parquet(file)
    return frame.astype(dict.fromkeys(frame.columns.intersection(["start", "end"]), "datetime64[us]"))


def timed(words: list[str], **environment: str) -> float:
    """Seconds of a command; its output is shown only where it fails."""
    began = time.perf_counter()
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | environment)
    if done.returncode:
        sys.exit(f"{' '.join(words)}\n{done.stderr[-3000:]}")
    return time.perf_counter() - began


def report(folder: Path, repeat: int) -> None:
    """Time the run of the sample company: first, unchanged, forced, and what the same costs without it."""
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    times: dict[str, list[float]] = {name: [] for name in ("cold", "warm", "force", "papermill", "nbconvert")}
    for _ in range(repeat):
        where = Path(tempfile.mkdtemp(dir=folder))
        run = [sys.executable, "-m", "cxlib", "run", "--as-of", AS_OF, "--to", str(where / "reports"), "--private", str(where / "private")]
        times["cold"].append(timed(run))
        times["warm"].append(timed(run))
        times["force"].append(timed([*run, "--force"]))
        out = [str(where / notebook.name) for notebook in notebooks]
        papermill = [[sys.executable, "-m", "papermill", "--no-progress-bar", str(n), o] for n, o in zip(notebooks, out, strict=True)]
        times["papermill"].append(sum(timed([*words, "-p", "as_of", AS_OF]) for words in papermill))
        times["nbconvert"].append(sum(timed([sys.executable, "-m", "nbconvert", "--to", "html", "--no-input", o]) for o in out))
        shutil.rmtree(where)
    median = {name: statistics.median(each) for name, each in times.items()}
    by_hand = median["papermill"] + median["nbconvert"]
    print(f"\nThe report of the sample company, {len(notebooks)} notebooks; median of {repeat}, in seconds\n")
    print(f"{'cxlib run, nothing there yet':<58}{median['cold']:>8.1f}")
    print(f"{'cxlib run again, nothing changed':<58}{median['warm']:>8.1f}")
    print(f"{'cxlib run again, --force':<58}{median['force']:>8.1f}")
    print(f"{'papermill, then nbconvert, one notebook after the other':<58}{by_hand:>8.1f}   ({by_hand / median['cold']:.1f}x cxlib run)")
    print(f"{'    of which papermill':<58}{median['papermill']:>8.1f}")


def main() -> int:
    """Print both tables, or the one that is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--answers", type=int, default=5_000_000, help="rows of responses (default: 5,000,000)")
    parser.add_argument("--customers", type=int, default=1_000_000, help="rows of customers (default: 1,000,000)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of which the median is shown (default: 3)")
    parser.add_argument("--memory", default="8GB", help="what each engine may take; beyond that it writes to disk (default: 8GB)")
    parser.add_argument("--only", choices=("report", "measures"), help="one of the two tables")
    parser.add_argument("--measure", nargs="+", default=[], choices=[case.name for case in CASES], help="these measures alone")
    asked = parser.parse_args()
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("duckdb", "ibis-framework", "pandas", "lifelines"))
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {versions}")
    with tempfile.TemporaryDirectory(prefix="cxlib-bench-") as name:
        if asked.only != "measures" and not asked.measure:
            report(Path(name), asked.repeat)
        if asked.only != "report":
            return 0 if measures(Path(name), {"responses": asked.answers, "customers": asked.customers}, asked) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
