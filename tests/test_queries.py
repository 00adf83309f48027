"""A query is asked of a database and does nothing else: it writes nothing, reads nothing elsewhere, fetches nothing."""

from __future__ import annotations

import duckdb
import pytest

from cxlib import sources
from cxlib.tables import TableError

TOML = '[workbook]\nengine = "{engine}"\n[tables.customers]\nquery = """{query}"""\n'


@pytest.fixture
def book(tmp_path):
    """A database beside a workbook that asks it something."""
    (tmp_path / "books").mkdir()
    with duckdb.connect(tmp_path / "books" / "company.db") as con:
        con.sql("CREATE TABLE people AS SELECT 'a' AS customer, DATE '2026-01-05' AS joined")

    def made(query, engine="duckdb:///company.db"):
        path = tmp_path / "books" / "sources.toml"
        path.write_text(TOML.format(engine=engine, query=query))
        return path

    return made


def refusal(path):
    with pytest.raises(TableError) as letter:
        sources.read(path, as_of="2026-06-30")
    return str(letter.value)


@pytest.mark.parametrize("query", ["SELECT customer, joined AS start FROM people -- all", "FROM people SELECT customer, joined AS start;"])
def test_a_query_of_a_database_gives_its_rows(book, query):
    assert sources.read(book(query), as_of="2026-06-30").customers.execute()["customer"].tolist() == ["a"]


@pytest.mark.parametrize("query", ["SELECT 1; COPY (SELECT 1) TO '{}'", "COPY (SELECT 1) TO '{}'", "INSTALL httpfs", "ATTACH '{}' AS new"])
def test_a_query_that_would_do_something_is_not_run(book, tmp_path, query):
    written = tmp_path / "books" / "written"
    letter = "sources.toml [tables.customers]: the query is not a single SELECT, and nothing else is run. Correct query."
    assert refusal(book(query.format(written))) == letter
    assert not written.exists()


@pytest.mark.parametrize("place", ["{}/secret.csv", "https://127.0.0.1:1/secret.csv", "s3://bucket/secret.csv"])
def test_a_query_reads_nothing_outside_of_the_workbooks_folder(book, tmp_path, place):
    (tmp_path / "secret.csv").write_text("customer\nmary\n")
    place = place.format(tmp_path)
    letter = refusal(book(f"SELECT customer, DATE '2026-01-05' AS start FROM read_csv('{place}')"))
    assert letter == (
        "sources.toml [tables.customers]: the query cannot be read: Permission Error: "
        f'Cannot access file "{place}" - file system operations are disabled by configuration.'
    )


@pytest.mark.parametrize("engine", ["duckdb://company.db", "duckdb://new.db", "duckdb:///new.db", "duckdb://:memory:"])
def test_a_database_is_a_file_that_is_there(book, tmp_path, engine):
    assert "there is no database" in refusal(book("SELECT 1", engine))
    assert not list(tmp_path.rglob("new.db"))


def test_a_folder_named_like_a_value_adds_no_column(tmp_path):
    (tmp_path / "plan=gold").mkdir()
    with duckdb.connect() as con:
        con.sql(f"COPY (SELECT 'a' AS customer, DATE '2026-01-05' AS start) TO '{tmp_path}/plan=gold/people.parquet'")
    (tmp_path / "sources.toml").write_text('[tables.customers]\nfiles = "plan=gold/people.parquet"\n')
    assert sources.read(tmp_path / "sources.toml", as_of="2026-06-30").customers.execute()["plan"].isna().all()


def test_the_check_says_that_nothing_tells_who_left(tmp_path):
    said = "  who left is not known: no column is read as end or churned, so nothing can be said of leaving"
    (tmp_path / "sources.toml").write_text('[tables.customers]\nfiles = "people.csv"\n')
    (tmp_path / "people.csv").write_text("customer,start,Cancelled on\na,2026-01-05,2026-02-01\n")
    assert said in sources.check(tmp_path / "sources.toml").splitlines()
    (tmp_path / "people.csv").write_text("customer,start,end\na,2026-01-05,2026-02-01\n")
    assert said not in sources.check(tmp_path / "sources.toml").splitlines()
