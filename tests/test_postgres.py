"""A table or a query of Postgres, read from a real server that these tests start on loopback and stop again."""

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from cxlib import sources
from cxlib.tables import TableError

#: What no message may ever hold.
SECRET = "s3cr3t/+ word"
QUOTED = "s3cr3t%2F%2B%20word"

ANSWERS = """
CREATE SCHEMA survey;
CREATE TYPE survey.mood AS ENUM ('fine', 'odd');
CREATE TABLE survey.answers (
    respondent uuid, question text, score smallint, weight numeric(30, 10), time_answered timestamptz,
    comment text, wave varchar(8), mood survey.mood, details jsonb, consent boolean, tags text[]);
INSERT INTO survey.answers VALUES
    ('00000000-0000-0000-0000-000000000001', 'nps', 9, 1.0000000001, '2026-01-31 23:30:00+00',
     E'two\\nlines, "quoted"', 'w1', 'fine', '{"a": 1}', true, '{a,b}'),
    ('00000000-0000-0000-0000-000000000002', 'nps', NULL, NULL, NULL, '', 'w1', NULL, NULL, NULL, NULL);
CREATE VIEW survey.late AS SELECT * FROM survey.answers WHERE time_answered > '2027-01-01';
CREATE TABLE forever (feedback int, time_answered timestamp);
INSERT INTO forever SELECT n, '2026-01-01' FROM generate_series(1, 99) n;
INSERT INTO forever VALUES (100, 'infinity');
CREATE TABLE many AS SELECT n AS feedback, 'comment number ' || n AS comment FROM generate_series(1, 300000) n;
CREATE TABLE lonely (comment text);
INSERT INTO lonely VALUES ('a'), (NULL), ('');
"""


@dataclass(frozen=True)
class Server:
    port: int
    folder: Path

    def url(self, password: str = QUOTED, user: str = "reader", database: str = "company") -> str:
        return f"postgres://{user}:{password}@127.0.0.1:{self.port}/{database}"


def binaries() -> Path:
    """The folder of Debian's initdb, or of the one on the PATH. Without one a test is skipped or, where CI_POSTGRES=required, fails."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    path = str(found[-1]) if found else shutil.which("initdb")
    if path:
        return Path(path).parent
    reason = "no Postgres: there is no initdb in /usr/lib/postgresql or on the PATH"
    if os.environ.get("CI_POSTGRES") == "required":
        pytest.fail(reason + ", and CI_POSTGRES=required")
    pytest.skip(reason)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    folder, programs = Path(tempfile.mkdtemp(prefix="cxlib-postgres-")), binaries()
    # Postgres refuses to run as root; whoever else runs the tests also runs the server.
    owner = {} if os.geteuid() else {"user": "postgres", "group": "postgres"}
    if owner:
        shutil.chown(folder, **owner)

    def run(program: str, *options: str) -> None:
        # pg_ctl's server keeps a pipe open, so that nothing may wait for its end.
        with (folder.parent / f"{folder.name}.log").open("ab") as said:
            subprocess.run([programs / program, *options], check=True, cwd=folder, stdout=said, stderr=said, timeout=120, **owner)

    def superuser(database: str) -> psycopg.Connection:
        return psycopg.connect(host="127.0.0.1", port=port, user="boss", password="boss", dbname=database, autocommit=True)

    passwords, data, port = folder / "boss", str(folder / "data"), free_port()
    passwords.write_text("boss\n")
    passwords.chmod(0o644)
    run("initdb", "-D", data, "-U", "boss", "-A", "scram-sha-256", f"--pwfile={passwords}", "-E", "UTF8", "--locale=C", "--no-sync")
    run("pg_ctl", "-D", data, "-w", "-o", f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off", "-l", str(folder / "log"), "start")
    try:
        with superuser("postgres") as con:
            con.execute("CREATE DATABASE company")
            con.execute(f"CREATE ROLE reader LOGIN PASSWORD '{SECRET}'")
        with superuser("company") as con:
            con.execute(ANSWERS)
            con.execute("GRANT USAGE ON SCHEMA survey TO reader")
            con.execute("GRANT ALL ON ALL TABLES IN SCHEMA survey, public TO reader")
            con.execute("CREATE TABLE private (a int)")
        yield Server(port, folder)
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
        (folder.parent / f"{folder.name}.log").unlink()


QUESTION = '[questions.nps]\nkind = "nps"\nscale = [0, 10]\ndirection = "high is good"\n'


@pytest.fixture
def workbook(tmp_path, monkeypatch):
    """A maker of workbooks on an engine; nothing of the user's own settings for Postgres is seen."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "nowhere"))

    def make(url: str, what: str, table: str = "responses") -> Path:
        head = f"[workbook]\nengine = '{url}'\ntime_zone = \"Europe/Rome\"\n"
        (tmp_path / "sources.toml").write_text(head + f"[tables.{table}]\n{what}\n" + (QUESTION if table == "responses" else ""))
        return tmp_path / "sources.toml"

    return make


def refusal(path: Path) -> str:
    with pytest.raises(TableError) as error:
        sources.read(path, as_of="2026-12-31")
    said = str(error.value)
    assert "s3cr3t" not in said
    assert "word@" not in said
    return said


def test_a_table_comes_in_with_every_kind_of_column(server, workbook):
    path = workbook(server.url(), 'table = "survey.answers"\nkeys = { mood = "mood", details = "details", yes = "consent", tags = "tags" }')
    book = sources.read(path, as_of="2026-12-31")
    first, second = book.responses.order_by("respondent").execute().to_dict("records")
    assert first["respondent"] == "00000000-0000-0000-0000-000000000001"
    assert (first["score"], first["weight"], first["comment"]) == (9, 1.0000000001, 'two\nlines, "quoted"')
    assert str(first["time_answered"]) == "2026-02-01 00:30:00"
    assert (first["mood"], first["details"], first["yes"], first["tags"]) == ("fine", '{"a": 1}', "true", "{a,b}")
    assert second["comment"] is None
    assert sources.inputs(path)["table survey.answers"] == ""


def test_a_query_comes_in_with_its_own_names(server, workbook):
    query = "SELECT n AS feedback, 'x' AS comment, 1 AS a, 2 AS a FROM generate_series(1, 3) AS n -- all of them\n;"
    path = workbook(server.url(), f'query = """{query}"""', table="feedback")
    book = sources.read(path, as_of="2026-12-31")
    assert sorted(book.feedback.execute()["feedback"]) == ["1", "2", "3"]
    assert book.account["not_read"].tolist() == [["a (1)", "a (2)"]]
    assert "" in sources.inputs(path).values()


def test_all_rows_of_a_large_table_come_in_and_a_row_without_any_value_is_one(server, workbook):
    book = sources.read(workbook(server.url(), 'table = "many"', table="feedback"), as_of="2026-12-31")
    assert book.feedback.count().execute() == 300_000
    lonely = sources.read(workbook(server.url(), 'table = "lonely"', table="feedback"), as_of="2026-12-31")
    assert lonely.account["rows_read"].tolist() == [3]


def test_an_empty_view_is_a_table_without_rows(server, workbook):
    book = sources.read(workbook(server.url(), 'table = "survey.late"'), as_of="2026-12-31")
    assert book.account["rows_read"].tolist() == [0]


def test_a_time_that_no_other_program_has_is_counted(server, workbook):
    book = sources.read(workbook(server.url(), 'table = "forever"', table="feedback"), as_of="2026-12-31")
    assert book.account[["rows_read", "set_aside"]].iloc[0].tolist() == [100, 1]
    assert book.problems["first"].tolist() == ["row 100: infinity"]


def test_the_password_may_stand_in_the_environment_or_in_pgpass(server, workbook, monkeypatch, tmp_path):
    url = f"postgresql://reader@127.0.0.1:{server.port}/company"
    path = workbook(url, 'table = "many"', table="feedback")
    monkeypatch.setenv("PGPASSWORD", SECRET)
    assert sources.read(path, as_of="2026-12-31").account["kept"].tolist() == [300_000]
    monkeypatch.delenv("PGPASSWORD")
    (tmp_path / "pgpass").write_text(f"127.0.0.1:{server.port}:*:reader:{SECRET}\n")
    (tmp_path / "pgpass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    assert sources.read(path, as_of="2026-12-30").account["kept"].tolist() == [300_000]


def test_nothing_can_be_written_through_a_query(server, workbook):
    path = workbook(server.url(), 'query = "WITH gone AS (DELETE FROM many RETURNING *) SELECT * FROM gone"', table="feedback")
    assert refusal(path).startswith("sources.toml [tables.feedback]: the query cannot be read: ")
    path = workbook(server.url(), "query = \"SELECT setval('x', 1); DELETE FROM many\"", table="feedback")
    assert refusal(path).startswith("sources.toml [tables.feedback]: the query cannot be read: syntax error at or near ")
    book = sources.read(workbook(server.url(), 'table = "many"', table="feedback"), as_of="2026-12-31")
    assert book.account["rows_read"].tolist() == [300_000]


def test_a_wrong_table_or_query_is_refused(server, workbook):
    where = "sources.toml [tables.feedback]:"
    for name in ("absent", "survey.absent", "absent.answers", "no.such.table"):
        said = refusal(workbook(server.url(), f'table = "{name}"', table="feedback"))
        assert said.startswith(f"{where} the engine has no table '{name}'. Correct table.") or "cross-database" in said
    assert refusal(workbook(server.url(), 'query = "SELEC 1"', table="feedback")) == (
        f'{where} the query cannot be read: syntax error at or near "1".'
    )
    assert refusal(workbook(server.url(), 'query = "SELECT plam FROM many"', table="feedback")) == (
        f'{where} the query cannot be read: column "plam" does not exist.'
    )
    assert refusal(workbook(server.url(), 'query = "SELECT * FROM absent"', table="feedback")) == (
        f'{where} the query cannot be read: relation "absent" does not exist.'
    )
    assert refusal(workbook(server.url(), 'table = "private"', table="feedback")) == (
        f"{where} the table 'private' cannot be read: permission denied for table private."
    )
    assert refusal(workbook(server.url(), 'query = "SELECT 1 / (feedback - 300000) AS feedback FROM many"', table="feedback")) == (
        f"{where} the query cannot be read: division by zero."
    )


def test_a_server_that_is_down_is_said_without_the_password(workbook):
    port = free_port()
    said = refusal(workbook(f"postgres://reader:{QUOTED}@127.0.0.1:{port}/company", 'table = "many"', table="feedback"))
    assert said.startswith(f"sources.toml [tables.feedback]: the engine 'postgres://reader@127.0.0.1:{port}/company' does not answer: ")
    assert "Connection refused" in said
    assert said.endswith("Correct engine under [workbook]; a password may also stand in PGPASSWORD or ~/.pgpass.")


@pytest.mark.parametrize(
    "make",
    [
        lambda server: server.url(password="s3cr3t-wrong"),
        lambda server: server.url(password="s3cr3t@wr:on/g"),
        lambda server: f"postgres://reader@127.0.0.1:{server.port}/company?password=s3cr3t",
        lambda server: f"postgres://reader:s3cr3t%@127.0.0.1:{server.port}/company",
        lambda server: server.url(database="absent"),
        lambda server: server.url(user="nobody"),
    ],
    ids=["wrong", "unquoted", "as a parameter", "badly quoted", "no such database", "no such user"],
)
def test_a_wrong_address_is_refused_and_never_quotes_the_password(server, workbook, make):
    said = refusal(workbook(make(server), 'table = "many"', table="feedback"))
    assert said.startswith("sources.toml [tables.feedback]: the engine 'postgres://")
    assert "wr:on" not in said
    assert "does not answer: " in said


def test_the_tests_do_not_run_the_server_as_root(server):
    assert (server.folder / "data").owner() == (getpass.getuser() if os.geteuid() else "postgres")
