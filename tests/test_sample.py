"""The sample company: the same to the byte, coherent across its tables, and as true as it says it is."""

import json
import re
import string
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from cxlib import sample, sources
from cxlib.__main__ import main
from cxlib.sample import laws, words
from cxlib.sample.feelings import Spread, askable
from cxlib.sample.people import People, daily_hazards, live, state_of
from cxlib.sample.service import tickets as tickets_of
from cxlib.sample.story import Company, frame
from cxlib.sources.declared import declared
from cxlib.tables import TABLES

DATA = Path(__file__).parents[1] / "data"
COMMITTED = DATA / "sample"
FOREIGN_NAMES = {"tickets": {"Ticket #": "ticket", "Customer ID": "customer", "Created": "time_opened", "Solved": "time_resolved"}}


@pytest.fixture(scope="module")
def files() -> dict[str, pd.DataFrame]:
    """The committed files as plain text."""
    how: dict[str, dict[str, Any]] = {"audits": {"sep": ";", "encoding": "cp1252"}}
    read = {name: pd.read_csv(COMMITTED / f"{name}.csv", dtype=str, keep_default_na=False, **how.get(name, {})) for name in TABLES}
    return {name: frame.rename(columns=FOREIGN_NAMES.get(name, {})) for name, frame in read.items()}


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    known: dict[str, Any] = json.loads((COMMITTED / "truth.json").read_text(encoding="utf-8"))
    return known


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return sample.company()


@dataclass(frozen=True)
class Large:
    """A company large enough to see its laws in its tables: two blocks of customers."""

    tables: dict[str, pd.DataFrame]
    truth: dict[str, Any]
    people: list[People]


LARGE, SEED = 2 * laws.BLOCK, 5


@pytest.fixture(scope="module")
def large() -> Large:
    told = Company(LARGE, SEED)
    blocks = list(told.blocks())
    tables = {name: frame([block[name] for block in blocks if name in block]) for name in TABLES}
    return Large(tables, told.truth(), [live(LARGE, SEED, block=block) for block in range(2)])


# The same company, wherever it is made.


def test_the_committed_sample_is_what_the_generator_writes_to_the_byte(tmp_path: Path) -> None:
    written = sample.write(tmp_path)
    assert sorted(path.name for path in written) == sorted(path.name for path in COMMITTED.iterdir())
    for path in written:
        assert path.read_bytes() == (COMMITTED / path.name).read_bytes(), f"{path.name} differs: write data/sample again"


def test_a_company_of_another_seed_is_another_company() -> None:
    one, same, other = (sample.company(customers=40, seed=seed) for seed in (3, 3, 4))
    for name in TABLES:
        pd.testing.assert_frame_equal(one[name], same[name])
    assert not one["responses"].equals(other["responses"])


def test_the_files_are_small_enough_to_be_committed() -> None:
    sizes = {path.name: path.stat().st_size for path in COMMITTED.iterdir()}
    assert max(sizes.values()) < 1_050_000
    assert sum(sizes.values()) < 4_000_000


def test_every_line_ends_alike_and_the_account_of_the_truth_is_json() -> None:
    for path in COMMITTED.iterdir():
        assert b"\r" not in path.read_bytes(), path.name
        assert path.read_bytes().endswith(b"\n"), path.name


@pytest.mark.parametrize("customers", [1, 2, 9])
def test_a_company_of_hardly_anybody_has_every_table(customers: int, tmp_path: Path) -> None:
    written = sample.write(tmp_path, customers=customers, seed=1)
    assert len(written) == len(TABLES) + 2
    assert len(sample.company(customers=customers, seed=1)["customers"]) == customers


@pytest.mark.parametrize("parquet", [False, True], ids=["CSV", "Parquet"])
def test_a_company_passes_the_door_with_the_declaration_beside_it(parquet: bool, tmp_path: Path) -> None:
    sample.write(tmp_path, customers=150, seed=2, parquet=parquet)
    book = sources.read(tmp_path / "sources.toml", as_of="2026-06-30")
    known = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    account = book.account.set_index("table")
    assert account["rows_read"].to_dict() == known["rows"]
    assert account.loc[list(known["rows_without_consent"]), "no_consent"].to_dict() == known["rows_without_consent"]
    assert parquet == (account["set_aside"].sum() == 0)


def test_the_declaration_beside_the_files_says_what_the_workbook_says() -> None:
    beside, workbook = (declared(path) for path in (COMMITTED / "sources.toml", DATA / "sources.toml"))
    assert beside.questions == workbook.questions
    assert set(beside.sources) == set(workbook.sources)
    for name, sources_of in workbook.sources.items():
        here = tuple(replace(one, files=tuple(file.removeprefix("sample/") for file in one.files)) for one in sources_of)
        assert beside.sources[name] == here, name


def test_parquet_has_the_clean_rows_in_canonical_types(tmp_path: Path) -> None:
    sample.write(tmp_path, customers=120, seed=2, parquet=True)
    arrow = {"text": pa.string(), "whole": pa.int64(), "number": pa.float64(), "date": pa.date32()}
    arrow |= {"time": pa.timestamp("us"), "yes/no": pa.bool_()}
    for name, clean in sample.company(customers=120, seed=2).items():
        read = pq.read_table(tmp_path / f"{name}.parquet")
        assert {field.name: field.type for field in read.schema} == {column: arrow[TABLES[name][column].kind] for column in clean}
        pd.testing.assert_frame_equal(frame([read]), clean)


def test_several_blocks_are_written_the_same_to_the_byte_each_time(tmp_path: Path) -> None:
    told: list[str] = []
    more = laws.BLOCK + 50
    once = sample.write(tmp_path / "once", customers=more, seed=3, parquet=True, progress=told.append)
    again = sample.write(tmp_path / "again", customers=more, seed=3, parquet=True)
    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in again]
    events = pq.read_metadata(tmp_path / "once" / "events.parquet").num_rows
    assert told[:2] == ["block 1 of 2 counted", "block 2 of 2 counted"]
    assert told[-1] == f"block 2 of 2 written, {events:,} events so far"


def test_exports_of_several_blocks_are_one_file_each_with_every_row_counted(tmp_path: Path) -> None:
    sample.write(tmp_path, customers=laws.BLOCK + 50, seed=3)
    known = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    for name, identifier in (("customers", "customer"), ("tickets", "Ticket #"), ("feedback", "feedback"), ("responses", None)):
        rows = pd.read_csv(tmp_path / f"{name}.csv", dtype=str, keep_default_na=False)
        assert len(rows) == known["rows"][name], name
        again = ["customer", "start"] if name == "customers" else [identifier]
        if identifier:
            assert rows.duplicated(again).sum() == known["dirt"][name]["duplicated id"], name
            assert not (rows[identifier] == identifier).any()
        else:
            assert (rows["score"] == "11").sum() == known["dirt"][name]["no answer (11) to nps"]
            assert (rows["score"] == "").sum() == known["dirt"][name]["no answer (empty)"]


def test_customers_of_one_block_are_the_same_in_a_company_of_two(large: Large) -> None:
    alone = live(laws.BLOCK, SEED)
    for column in ("start", "end", "reason", "plans", "level", "number"):
        assert (getattr(alone, column) == getattr(large.people[0], column)).all()
    assert not (large.people[0].start == large.people[1].start).all()


def test_files_of_somebody_else_are_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("mine\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("mine\n", encoding="utf-8")
    with pytest.raises(FileExistsError) as letter:
        sample.write(tmp_path, customers=5)
    assert str(letter.value) == (
        "1 of 13 files are in the folder already, and not from a sample company (orders.csv). Choose another folder, or move them away."
    )
    (tmp_path / "orders.csv").unlink()
    sample.write(tmp_path, customers=5)
    sample.write(tmp_path, customers=6)
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine\n"
    assert not list(tmp_path.glob("*.part"))
    assert json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))["spells"] == 6


def test_the_command_makes_a_company_that_check_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "new")
    assert main(["sample", "--customers", "30", "--seed", "4", "--journeys", "2", "--parquet", "--to", folder]) == 0
    said = capsys.readouterr()
    assert said.out == f"13 files in {folder}; look: cxlib check --sources {folder}/sources.toml\n"
    assert said.err == ""
    assert main(["check", "--sources", f"{folder}/sources.toml"]) == 0
    (tmp_path / "new" / "truth.json").unlink()
    assert main(["sample", "--to", folder, "--parquet"]) == 4
    assert main(["sample", "--to", folder, "--seed", "-1"]) == 2
    assert "cxlib sample: seed: -1 is not a whole number from 0 on.\n" in capsys.readouterr().err


def test_the_benchmark_of_the_generator_tells_events_and_memory() -> None:
    script = Path(__file__).parent / "benchmarks" / "generator.py"
    done = subprocess.run([sys.executable, str(script), "--customers", "40", "300"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    few, many = (line.replace(",", "").split() for line in done.stdout.splitlines()[-2:])
    assert (few[0], many[0]) == ("40", "300")
    assert 3 < int(many[1]) / int(few[1]) < 15
    assert (few[6], few[8]) == ("MB", "MB")


def test_journeys_are_as_many_as_asked_and_change_no_other_room() -> None:
    few, many = (Company(400, 2, rate) for rate in (0.25, 3.0))
    one, other = next(few.blocks()), next(many.blocks())
    cases = [block["events"]["case_id"].to_pandas().nunique() for block in (one, other)]
    assert stats.binomtest(cases[0], sum(cases), 0.25 / 3.25).pvalue > 0.001
    assert one["responses"]["score"] == other["responses"]["score"]
    assert one["feedback"]["comment"] == other["feedback"]["comment"]


def test_a_number_of_journeys_beyond_reason_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^journeys: 31 is not a number from 0 to 30\.$"):
        Company(10, 1, 31)


def test_no_customers_are_no_company() -> None:
    with pytest.raises(ValueError, match=r"^customers: 0 is not a whole number from 1 on\.$"):
        sample.company(customers=0)


def test_a_seed_is_a_whole_number() -> None:
    with pytest.raises(ValueError, match=r"^seed: -1 is not a whole number from 0 on\.$"):
        sample.truth(seed=-1)


# Coherent across its tables.


def test_identifiers_are_told_apart_across_blocks(large: Large) -> None:
    for name, spec in TABLES.items():
        if spec.key:
            assert not large.tables[name].duplicated(list(spec.key)).any(), name
    firsts = large.tables["events"].groupby("case_id")["customer"].nunique()
    assert (firsts == 1).all()


def test_every_canonical_table_is_there_with_canonical_columns_and_types(tables: dict[str, pd.DataFrame]) -> None:
    assert set(tables) == set(TABLES)
    for name, spec in TABLES.items():
        frame = tables[name]
        assert set(frame.columns) <= set(spec.readable), name
        for column in spec.columns:
            if column.required:
                assert frame[column.name].notna().all(), f"{name}.{column.name}"
            if column.name in frame and column.kind in ("date", "time"):
                assert frame[column.name].dtype == "datetime64[us]", f"{name}.{column.name}"
        if spec.key:
            assert not frame.duplicated(list(spec.key)).any(), name
        for first, second in spec.ordered:
            assert not (frame[first] > frame[second]).any(), f"{name}: {first} after {second}"


def test_everybody_in_a_table_is_a_customer(tables: dict[str, pd.DataFrame]) -> None:
    known = set(tables["customers"]["customer"])
    for name, rows in tables.items():
        if "customer" in rows:
            assert set(rows["customer"].dropna()) <= known, name
    for name in ("invitations", "responses"):
        by_role = tables[name].groupby("role")["respondent"].unique()
        assert set(by_role["customer"]) <= known
        assert not set(by_role["staff"]) & known


def _during(tables: dict[str, pd.DataFrame], name: str, time: str, grace: int = 0) -> pd.Series:
    """Whether each row of a table lies in a spell of its customer, or at most ``grace`` days after it."""
    frame = tables[name]
    person = "respondent" if "respondent" in frame else "customer"
    frame = frame[frame[person].str.startswith("C", na=False)].reset_index(names="line")
    spells = tables["customers"][["customer", "start", "end"]].rename(columns={"customer": person})
    both = frame[["line", person, time]].merge(spells, on=person)
    until = both["end"].fillna(pd.Timestamp("2100-01-01")) + pd.Timedelta(days=grace)
    return ((both[time].dt.normalize() >= both["start"]) & (both[time].dt.normalize() <= until)).groupby(both["line"]).any()


@pytest.mark.parametrize(
    ("name", "time", "grace"),
    [
        ("invitations", "time_asked", 0),
        ("responses", "time_asked", 0),
        ("responses", "time_answered", 30),
        ("tickets", "time_opened", 0),
        ("feedback", "time_answered", 0),
        ("sends", "time_sent", 0),
        ("sends", "time_converted", 0),
        ("orders", "time_ordered", 20),
        ("events", "time", 20),
        ("attributes", "valid_from", 0),
        ("value_history", "valid_from", 0),
    ],
)
def test_nothing_happens_to_a_customer_before_joining_or_long_after_leaving(
    tables: dict[str, pd.DataFrame], name: str, time: str, grace: int
) -> None:
    there = tables[name].loc[tables[name][time].notna()]
    assert _during({**tables, name: there}, name, time, grace).all()


def test_nothing_is_dated_after_the_last_day_counted(tables: dict[str, pd.DataFrame]) -> None:
    for name, spec in TABLES.items():
        for column in spec.columns:
            if column.kind in ("date", "time") and column.name in tables[name]:
                assert not (tables[name][column.name] >= "2026-07-01").any(), f"{name}.{column.name}"


def test_every_answer_follows_its_invitation(tables: dict[str, pd.DataFrame]) -> None:
    key = ["respondent", "wave", "role", "channel", "time_asked"]
    invited = pd.MultiIndex.from_frame(tables["invitations"][key])
    assert pd.MultiIndex.from_frame(tables["responses"][key]).isin(invited).all()
    nps = tables["responses"].query("question == 'nps' and role == 'customer'")
    assert 0.25 < len(nps) / (tables["invitations"]["role"] == "customer").sum() < 0.35


def test_some_answers_come_late_and_restate_earlier_months(tables: dict[str, pd.DataFrame]) -> None:
    responses = tables["responses"]
    late = responses["time_received"] - responses["time_answered"] > pd.Timedelta(days=5)
    assert set(responses.loc[late, "channel"]) == {"store", "phone"}
    assert 0.04 < late.mean() < 0.12


def test_who_was_there_before_is_observed_from_the_first_day_on(tables: dict[str, pd.DataFrame]) -> None:
    customers = tables["customers"]
    before = customers["start"] < "2024-07-01"
    assert (customers.loc[before, "observed_from"] == pd.Timestamp("2024-07-01")).all()
    assert customers.loc[~before, "observed_from"].isna().all()
    assert 0.4 < before.mean() < 0.6
    assert not (customers["end"] < "2024-07-01").any()


def test_a_few_customers_left_and_came_back_as_the_same_person(tables: dict[str, pd.DataFrame]) -> None:
    spells = tables["customers"].sort_values("start").groupby("customer")
    back = spells.filter(lambda one: len(one) > 1)
    assert len(back) > 10
    assert (back.groupby("customer")[["segment", "persona", "region", "language", "name"]].nunique() == 1).all(axis=None)
    assert (back.groupby("customer")["start"].shift(-1).dropna() > back.groupby("customer")["end"].head(1).dropna()).all()


def test_the_revenue_of_a_month_is_the_plan_and_the_orders(tables: dict[str, pd.DataFrame]) -> None:
    value, orders = tables["value_history"], tables["orders"]
    cents = (orders["amount"] * 100).round().astype("int64")
    ordered = cents.groupby([orders["customer"], orders["time_ordered"].dt.to_period("M").dt.start_time]).sum()
    at = pd.MultiIndex.from_frame(value[["customer", "valid_from"]])
    fee = (value["revenue"] * 100).round().astype("int64") - ordered.reindex(at, fill_value=0).to_numpy()
    assert set(fee) == {price for prices in laws.PRICE_CENTS for price in prices}


def test_paying_in_a_journey_is_an_order_and_so_is_a_conversion(tables: dict[str, pd.DataFrame]) -> None:
    orders = pd.MultiIndex.from_frame(tables["orders"][["customer", "time_ordered"]])
    paid = tables["events"].query("activity == 'pay'")
    assert pd.MultiIndex.from_frame(paid[["customer", "time"]]).isin(orders).all()
    converted = tables["sends"].dropna(subset="time_converted")
    assert pd.MultiIndex.from_frame(converted[["customer", "time_converted"]]).isin(orders).all()


def test_tickets_wait_at_the_last_day(tables: dict[str, pd.DataFrame]) -> None:
    tickets = tables["tickets"]
    waiting = tickets["time_resolved"].isna()
    assert waiting.any()
    assert (tickets.loc[waiting, "time_opened"] > "2026-05-01").all()
    assert (tickets["time_first_reply"] <= tickets["time_resolved"]).loc[~waiting].all()


# The dirt is counted.


def _recount(files: dict[str, pd.DataFrame]) -> dict[str, dict[str, int]]:
    """The dirt as plain pandas finds it."""
    known = set(files["customers"]["customer"])

    def undated(name: str, column: str) -> int:
        return int(pd.to_datetime(files[name][column], format="%Y-%m-%d %H:%M:%S", errors="coerce").isna().sum())

    def blanks(name: str) -> int:
        return int(files[name].apply(lambda column: column != column.str.strip()).any(axis=1).sum())

    def twice(name: str, *key: str) -> int:
        return int(files[name].duplicated(list(key)).sum())

    r = files["responses"]
    score = pd.to_numeric(r["score"], errors="coerce")
    low = np.where(r["question"] == "nps", 0, 1)
    high = r["question"].map({"nps": 11, "ces": 7}).fillna(5)
    answered, received = (
        pd.to_datetime(r[column], errors="coerce", format="%Y-%m-%d %H:%M:%S") for column in ("time_answered", "time_received")
    )
    person = {name: files[name]["respondent" if name == "responses" else "customer"] for name in ("orders", "responses")}
    tickets = files["tickets"]
    return {
        "customers": {
            "blanks after a value": blanks("customers"),
            "duplicated id": twice("customers", "customer", "start"),
            "end before start": int(((files["customers"]["end"] != "") & (files["customers"]["end"] < files["customers"]["start"])).sum()),
        },
        "orders": {
            "unknown customer": int((~person["orders"].isin(known)).sum()),
            "unreadable amount": int(pd.to_numeric(files["orders"]["amount"], errors="coerce").isna().sum()),
        },
        "responses": {
            "no answer (11) to nps": int((r["score"] == "11").sum()),
            "no answer (n/a) to csat": int((r["score"] == "n/a").sum()),
            "no answer (empty)": int((r["score"] == "").sum()),
            "score outside its scale": int(((score < low) | (score > high)).sum()),
            "unreadable date": int(answered.isna().sum()),
            "received before answered": int((received < answered).sum()),
            "unknown customer": int((~person["responses"].isin(known) & (r["role"] == "customer")).sum()),
            "blanks after a value": blanks("responses"),
            "repeat answer": twice("responses", "respondent", "role", "wave", "question"),
        },
        "feedback": {"unreadable date": undated("feedback", "time_answered"), "duplicated id": twice("feedback", "feedback")},
        "events": {"unreadable date": undated("events", "time"), "no activity": int((files["events"]["activity"] == "").sum())},
        "tickets": {
            "duplicated id": twice("tickets", "ticket"),
            "resolved before opened": int(((tickets["time_resolved"] != "") & (tickets["time_resolved"] < tickets["time_opened"])).sum()),
            "blanks after a value": blanks("tickets"),
        },
    }


def test_the_truth_counts_the_dirt_as_plain_pandas_does(files: dict[str, pd.DataFrame], truth: dict[str, Any]) -> None:
    assert _recount(files) == truth["dirt"]
    assert {name: len(frame) for name, frame in files.items()} == truth["rows"]


def test_the_dirt_is_the_whole_difference_between_the_files_and_the_tables(
    files: dict[str, pd.DataFrame], tables: dict[str, pd.DataFrame], truth: dict[str, Any]
) -> None:
    added = ("duplicated id", "end before start", "repeat answer")
    for name, clean in tables.items():
        more = sum(rows for kind, rows in truth["dirt"].get(name, {}).items() if kind in added)
        assert len(files[name]) == len(clean) + more, name


def test_no_value_outside_a_scale_is_frequent_enough_to_be_a_code(files: dict[str, pd.DataFrame]) -> None:
    answers = files["responses"].query("score not in ['', 'n/a']")
    for question, value in (("nps", "-1"), ("nps", "12"), ("csat", "0"), ("rating_website", "9")):
        scores = answers.loc[answers["question"] == question, "score"]
        assert 0 < (scores == value).mean() < 0.005, question


def test_the_account_of_the_door_is_the_dirt_of_the_truth(truth: dict[str, Any]) -> None:
    book = sources.read(DATA / "sources.toml", as_of="2026-06-30")
    kinds = {
        "a second row with the same": "duplicated id",
        "start is after end": "end before start",
        "amount is not": "unreadable amount",
        "score is outside": "score outside its scale",
        "is not a date": "unreadable date",
        "is after time_received": "received before answered",
        "time_opened is after time_resolved": "resolved before opened",
        "no activity": "no activity",
    }
    found: dict[str, dict[str, int]] = {}
    for problem in book.problems.itertuples():
        kind = next(kind for words, kind in kinds.items() if words in problem.reason)
        found.setdefault(problem.table, {})[kind] = problem.rows
    expected = {table: {kind: rows for kind, rows in dirt.items() if kind in kinds.values()} for table, dirt in truth["dirt"].items()}
    assert found == {table: dirt for table, dirt in expected.items() if dirt}
    account = book.account.set_index("table")
    assert account.loc["responses", "repeats"] == truth["dirt"]["responses"]["repeat answer"]
    assert account["rows_read"].to_dict() == truth["rows"]
    silent = account.loc[list(truth["rows_without_consent"]), "no_consent"]
    assert silent.to_dict() == truth["rows_without_consent"]
    assert (account["after_as_of"] == 0).all()


# The truth is true.


def test_the_true_nps_moves_once_and_by_the_size_that_is_written(truth: dict[str, Any]) -> None:
    moved = next(each for each in truth["movements"] if each["measure"] == "nps")
    before = [value for month, value in truth["nps"]["by_month"].items() if month < moved["month"]]
    after = [value for month, value in truth["nps"]["by_month"].items() if month >= moved["month"]]
    assert (len(before), len(after)) == (19, 5)
    assert np.abs(np.array(before) - moved["from"]).max() < 0.06
    assert np.abs(np.array(after) - moved["to"]).max() < 0.06


def test_every_measure_moves_where_it_is_written_and_nowhere_else(large: Large) -> None:
    by_month = {name: large.truth[name]["by_month"] for name in ("nps", "csat", "ces")}
    by_month |= {f"rating_{name}": part["by_month"] for name, part in large.truth["ratings_top_two"].items()}
    moved = {each["measure"]: each for each in large.truth["movements"]}
    assert set(by_month) == set(moved) | set(large.truth["no_movement"][:2])
    for name, values in by_month.items():
        months = pd.Series(values)
        month = moved[name]["month"] if name in moved else "2026-02"
        before, after = months[months.index < month], months[months.index >= month]
        # Who the customers are differs a little from month to month; a law that moves does more than that.
        assert max(before.max() - before.min(), after.max() - after.min()) < 0.6, name
        if name in moved:
            assert abs(after.mean() - before.mean()) > 0.8, name
            assert (round(before.mean(), 1), round(after.mean(), 1)) == (round(moved[name]["from"], 1), round(moved[name]["to"], 1))
        else:
            assert abs(after.mean() - before.mean()) < 0.01, name
    assert moved["rating_website"]["to"] > moved["rating_website"]["from"] + 10


def test_ratings_of_a_large_company_agree_with_their_truth_in_every_month(large: Large) -> None:
    silent = set(large.tables["customers"].query("~consent")["customer"])
    rated = large.tables["responses"].dropna(subset=["score", "touchpoint"])
    rated = rated[~rated["respondent"].isin(silent)]
    for touchpoint, part in large.truth["ratings_top_two"].items():
        scores = rated[rated["touchpoint"] == touchpoint]
        top = (scores["score"] >= 4).astype(float).groupby(scores["wave"])
        expected = pd.Series(part["by_month"]) / 100
        off = (top.mean() - expected) / np.sqrt(expected * (1 - expected) / top.size())
        assert stats.chi2.sf((off**2).sum(), len(off)) > 0.001, touchpoint


@pytest.mark.parametrize("weights", [(3,), (*laws.DRIVER_WEIGHT, laws.OWN_NOISE)])
def test_the_chances_of_a_feeling_are_those_of_many_draws(weights: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    drawn = sum(weight * laws.noise(rng, 200_000) for weight in weights)
    spread = Spread(weights)
    cuts = np.array([-3000, -500, -1, 0, 1, 200, 1200])
    often = np.array([(drawn > cut).mean() for cut in cuts])
    # Five standard errors of a share among 200,000 draws.
    assert np.abs(spread.above(cuts) - often).max() < 5 * 0.5 / np.sqrt(200_000)
    assert spread.above(np.array([-(10**6), 10**6])).tolist() == [1.0, 0.0]


def _felt(large: Large) -> pd.DataFrame:
    """Answers to the question of recommendation by customers with consent; 1 for promoters, -1 for detractors."""
    silent = set(large.tables["customers"].query("~consent")["customer"])
    nps = large.tables["responses"].query("question == 'nps' and role == 'customer'").dropna(subset="score")
    nps = nps[~nps["respondent"].isin(silent)]
    return nps.assign(felt=(nps["score"] >= 9).astype(float) - (nps["score"] <= 6).astype(float))


def test_the_answers_of_a_large_company_agree_with_its_truth(large: Large) -> None:
    nps, known = _felt(large), large.truth["nps"]
    felt, wave = nps["felt"], nps.groupby("wave")["felt"]
    raw = (100 * wave.mean() - pd.Series(known["among_answers_by_month"])) / (100 * wave.std() / np.sqrt(wave.size()))
    assert stats.chi2.sf((raw**2).sum(), len(raw)) > 0.001
    weighted = (felt * nps["weight"]).groupby(nps["wave"]).sum() / nps["weight"].groupby(nps["wave"]).sum()
    off = 100 * weighted - pd.Series(known["among_answers_weighted_by_month"])
    # Four standard errors of the smallest wave, a little wider for unequal weights.
    assert off.abs().max() < 1.1 * 4 * 100 * felt.std() / np.sqrt(wave.size().min())


def test_customers_of_a_large_company_leave_as_the_hazards_say(large: Large) -> None:
    """By reason, and apart for those with a delivery problem in the three months before."""
    left, expected = np.zeros((2, len(laws.REASONS))), np.zeros((2, len(laws.REASONS)))
    for people in large.people:
        for month in range(3, laws.MONTHS):
            opens, closes = (int(laws.month_first(np.array(m))) for m in (month, month + 1))
            since = np.maximum(people.start + 1, opens)
            days = np.clip(np.minimum(people.end, closes - 1) - since + 1, 0, None)
            recent = people.trouble[:, month - 3 : month] & (people.start[:, None] < laws.month_first(np.arange(month - 3, month)))
            troubled = recent.any(axis=1)
            alike = {"segment": people.segment, "level": people.level}
            hazards = daily_hazards()[:, state_of(alike, people.plans[:, month], np.maximum(opens - people.start, 0), troubled)]
            leaves = (people.end >= since) & (people.end < closes)
            for reason in range(len(laws.REASONS)):
                left[:, reason] += np.bincount(troubled, leaves & (people.reason == reason), minlength=2)
                expected[:, reason] += np.bincount(troubled, hazards[reason] * days, minlength=2)
    chances = stats.poisson.cdf(left, expected)
    assert ((chances > 0.0003) & (chances < 0.9997)).all(), (left, expected)


def test_as_many_have_left_after_90_and_365_days_as_the_truth_expects(large: Large) -> None:
    known = large.truth["cumulative_incidence"]
    joined = large.tables["customers"].query("'2024-07-01' <= start < '2025-02-01'")
    tenure = (joined["end"] - joined["start"]).dt.days
    for horizon in laws.HORIZONS:
        left = joined[tenure <= horizon]
        for reason, share in known[f"{horizon}_days"]["all"].items():
            seen = int((left["end_reason"] == reason).sum())
            assert stats.binomtest(seen, len(joined), share).pvalue > 0.0005, (horizon, reason, seen, share * len(joined))
        for plan, shares in known[f"{horizon}_days"]["by_plan_at_joining"].items():
            those = joined["plan"] == plan
            seen, expected = int((those & (tenure <= horizon)).sum()), sum(shares.values())
            assert stats.binomtest(seen, int(those.sum()), expected).pvalue > 0.0005, (horizon, plan, seen, expected)


def test_what_a_month_is_worth_is_written(large: Large) -> None:
    value = large.tables["value_history"].groupby(large.tables["value_history"]["valid_from"].dt.strftime("%Y-%m"))
    for name, column in (("revenue_a_month", "revenue"), ("margin_a_month", "margin")):
        assert value[column].mean().round(2).to_dict() == pytest.approx(large.truth["value"]["in_the_tables_a_customer"][name], abs=0.011)


def test_each_step_of_a_journey_takes_as_long_as_written(large: Large) -> None:
    events, known = large.tables["events"], large.truth["journeys"]["time_to_next_step"]
    events = events[~((events["activity"] == "browse") & events.duplicated(["case_id", "activity"]))]
    at = events.pivot(index="case_id", columns="activity", values="time")
    between = [(at[then] - at[first]).dropna().dt.total_seconds() for first, then in zip(laws.STEPS, laws.STEPS[1:], strict=False)]
    low, high = known["browse to basket"]["seconds"]
    assert stats.kstest(between[0], stats.uniform(low, high + 1 - low).cdf).pvalue > 0.0005
    later = at["checkout"].dt.normalize() > at["basket"].dt.normalize()
    slept = known["basket to checkout"]["slept on"]
    # Before the last days, in which a checkout days later has not come.
    began = at["checkout"].notna() & (at["basket"] < "2026-06-20")
    assert stats.binomtest(int((later & began).sum()), int(began.sum()), slept["share"]).pvalue > 0.0005
    days = (at["deliver"].dt.normalize() - at["pay"].dt.normalize()).dt.days.dropna()
    low, high = known["pay to deliver"]["calendar_days_where_late"]
    late = (days >= low) & (days <= high)
    paid = at.loc[days.index, "pay"]
    for period, share in zip((paid < "2026-02-01", (paid >= "2026-02-01") & (paid < "2026-06-10")), laws.TROUBLE, strict=True):
        assert stats.binomtest(int(late[period].sum()), int(period.sum()), share).pvalue > 0.0005


def test_journeys_of_a_large_company_drop_off_as_written(large: Large) -> None:
    events = large.tables["events"]
    # A month before the end every case that would go on has done so.
    begun = events.groupby("case_id")["time"].transform("min") < "2026-06-01"
    reached = events[begun].groupby(["channel", "activity"])["case_id"].nunique()
    for channel, shares in zip(laws.JOURNEY_CHANNELS, laws.STEP_SHARE, strict=True):
        reached_first = events.loc[begun & (events["channel"] == channel), "case_id"].nunique()
        counts = [reached_first, *(reached[channel, step] for step in laws.STEPS[1:])]
        for before, after, share in zip(counts, counts[1:], shares, strict=False):
            assert stats.binomtest(int(after), int(before), share).pvalue > 0.0005, (channel, share)


def test_campaigns_lift_and_touchpoints_weigh_as_written(large: Large) -> None:
    sends = large.tables["sends"]
    sends = sends[~sends["bounced"].fillna(False)]
    converted = sends.groupby("arm")["time_converted"].agg(["count", "size"])
    for arm, share in zip(("control", "message"), laws.CONVERTED, strict=True):
        # Who leaves within the fourteen days can no longer convert.
        assert share - 0.01 < converted.loc[arm, "count"] / converted.loc[arm, "size"] < share + 0.005, arm
    wide = large.tables["responses"].dropna(subset="score").pivot_table(index=["respondent", "wave"], columns="question", values="score")
    rated = wide.dropna(subset=[f"rating_{name}" for name in laws.TOUCHPOINTS])
    rated = rated - rated.groupby("wave").transform("mean")  # the new website is rated higher by all, and that is no driver
    pull = [rated["nps"].corr(rated[f"rating_{name}"]) for name in laws.TOUCHPOINTS]
    assert pull == sorted(pull, reverse=True)
    assert abs(pull[-1]) < 0.05


def test_a_delivery_problem_lowers_the_score_and_opens_a_slow_ticket(large: Large) -> None:
    """The cause runs through: ticket, time to resolve and score of those it met, against the law."""
    nps = _felt(large)
    rows, slow, troubled = [], 0, 0
    for block, people in enumerate(large.people):
        served = tickets_of(people, SEED, block=block)
        cells = askable(people, served.slow)
        names = people.named(cells.person).cast(pa.string()).to_numpy(zero_copy_only=False)
        wave = np.datetime_as_string(laws.SINCE.astype("datetime64[M]") + cells.month)
        rows.append(pd.DataFrame({"respondent": names, "wave": wave, "trouble": cells.trouble, "slow": cells.slow}))
        stayed = people.end[cells.person] > laws.month_first(cells.month) + 40
        early = people.start[cells.person] < laws.month_first(cells.month)
        whole = stayed & early & cells.trouble
        slow, troubled = slow + int((whole & cells.slow).sum()), troubled + int(whole.sum())
    share = laws.TICKETS_TROUBLE * np.mean(np.array(laws.RESOLVE_DAYS[1]) > laws.SLOW_DAYS)
    assert stats.binomtest(slow, troubled, share).pvalue > 0.0005
    known = large.truth["causes"]["delivery_problem"]
    beside = nps.merge(pd.concat(rows).drop_duplicates(["respondent", "wave"]), on=["respondent", "wave"])
    felt = beside.loc[beside["trouble"], "felt"]
    error = 100 * felt.std() / np.sqrt(len(felt))
    # Who answers is a little happier than who is asked (personas); that is worth less than two points.
    assert abs(100 * felt.mean() - known["nps"]) < 4 * error + 2
    assert known["effect"] == pytest.approx(known["nps"] - known["nps_had_it_not_happened"], abs=0.011)
    assert known["effect"] < -20
    late = large.tables["tickets"].query("topic == 'delivery'")
    per_month = late.groupby(late["time_opened"].dt.to_period("M")).size()
    assert per_month["2026-02":"2026-06"].min() > 3 * per_month[:"2026-01"].max()


def test_what_comments_do_to_the_score_adds_up_to_the_scores_beside_them(large: Large) -> None:
    answers = large.tables["responses"].dropna(subset=["score", "comment"])
    nps = 100 * ((answers["score"] >= 9).mean() - (answers["score"] <= 6).mean())
    effects = large.truth["theme_effects"]
    assert sum(each["comments"] for each in effects["main"].values()) == len(answers)
    for kind in ("main", "mentioned"):
        for theme, each in effects[kind].items():
            both = each["comments"] * each["nps"] + (len(answers) - each["comments"]) * each["nps_of_the_others"]
            assert both / len(answers) == pytest.approx(nps, abs=0.01), (kind, theme)
    lowest = min(effects["main"], key=lambda theme: effects["main"][theme]["nps"])
    assert lowest == "delivery"


# The words.


def test_every_theme_can_be_written_about_in_every_language_and_feeling() -> None:
    for language in laws.LANGUAGES:
        for theme in laws.THEMES:
            for happy in (False, True):
                said = words.sentences(language, theme, happy)
                assert len(set(said)) == len(said) >= 3, (language, theme, happy)
        assert len(words.reach_me(language)) == 3
        for part in ("openings", "endings"):
            assert all(len(words.around(part, language, happy)) >= 5 for happy in (False, True))


def test_comments_are_in_five_languages_with_and_without_diacritics(tables: dict[str, pd.DataFrame]) -> None:
    feedback = tables["feedback"].dropna(subset="language")
    assert set(feedback["language"]) == set(laws.LANGUAGES)
    romanian = feedback.loc[feedback["language"] == "ro", "comment"]
    plain = romanian.map(str.isascii)
    assert 0.15 < plain.mean() < 0.6
    assert romanian[~plain].str.contains("[șț]").any()
    assert romanian[~plain].str.contains("[şţ]").any()
    assert feedback.loc[feedback["language"] == "zh-Hant", "comment"].str.contains("[\u4e00-\u9fff]").all()


def test_no_slot_is_left_open_and_nobody_real_can_be_reached(tables: dict[str, pd.DataFrame]) -> None:
    said = pd.concat([tables["feedback"]["comment"], tables["responses"]["comment"]]).dropna()
    assert not said.str.contains("[{}]").any()
    assert set(said.str.extractall(r"@([\w.]+?)[.。 ]*(?:\s|$|。)")[0]) == {"example.com"}
    numbers = said.str.extractall(r"((?:\+44|\(?0)[\d() ]{6,}\d)")[0].map(lambda text: re.sub(r"\D", "", text))
    assert len(numbers) > 20
    assert all(re.fullmatch(r"(44|0)1632960\d{3}", number) for number in numbers)


def test_slots_and_turns_are_known_in_every_language() -> None:
    for language in laws.LANGUAGES:
        assert words.but(language)
        for text in words.reach_me(language):
            asked = {name for _, name, _, _ in string.Formatter().parse(text) if name}
            assert asked <= {"mail", "phone", "name"}
            assert asked & {"mail", "phone"}
