"""Tables and queries of an engine, copied: what is checked is then what is measured."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from cxlib.sources import sql as duck
from cxlib.sources.declared import Source, Workbook
from cxlib.sources.files import first_line
from cxlib.sources.names import numbered
from cxlib.sources.unpacked import apart
from cxlib.tables import TableError

if TYPE_CHECKING:
    import duckdb
    import psycopg

POSTGRES = ("postgres://", "postgresql://")


def through_ibis(workbook: Workbook, source: Source, to: Path) -> None:
    """A table or query of an engine that Ibis speaks to, as a private Parquet, copied batch by batch."""
    import ibis

    where, url = _where(workbook, source), workbook.engine
    if url == "duckdb":
        raise TableError(
            f"{where}: a {'query' if source.engine_query else 'table'} is named and the workbook has no engine. "
            'Write engine = "duckdb:///company.db" under [workbook].'
        )
    if url.startswith("duckdb:"):
        _from_duckdb(workbook, source, to)
        return
    try:
        engine = ibis.connect(url)
    except Exception as error:  # noqa: BLE001 - each driver has errors of its own, and none may reach the reader as a dump
        said = without_secrets(workbook.engine, first_line(error))
        raise TableError(f"{where}: the engine '{without_secrets(workbook.engine)}' does not answer: {said}") from None
    try:
        if source.engine_query:
            table = engine.sql(_one(source.engine_query))
        else:
            schema, _, called = str(source.engine_table).rpartition(".")
            table = engine.table(called, database=schema or None)
    except Exception as error:  # noqa: BLE001 - as above: a parser's, a driver's or Ibis's own
        engine.disconnect()
        if source.engine_query:
            raise TableError(f"{where}: the query cannot be read: {without_secrets(workbook.engine, first_line(error))}") from None
        raise TableError(f"{where}: the engine has no table '{source.engine_table}'. Correct table.") from None
    try:
        table.to_parquet(to)
    except Exception as error:  # noqa: BLE001 - as above
        said = without_secrets(workbook.engine, first_line(error))
        raise TableError(f"{where}: {_asked(source)} cannot be read: {said}") from None
    finally:
        engine.disconnect()


def _from_duckdb(workbook: Workbook, source: Source, to: Path) -> None:
    """A table or query of a DuckDB file: a colleague's query reads it and the workbook's folder, writes nothing and fetches nothing."""
    import duckdb

    where, beside = _where(workbook, source), workbook.path.parent
    file, there = database(workbook)
    if not there:
        raise TableError(
            f"{where}: there is no database '{file.name}' beside {workbook.path.name}. "
            'Correct engine under [workbook], such as engine = "duckdb:///company.db".'
        )
    closed: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    try:
        con = duckdb.connect(file, read_only=True, config=closed)
    except duckdb.Error as error:
        raise TableError(f"{where}: the engine '{workbook.engine}' does not answer: {first_line(error)}") from None
    with con:
        folders = ", ".join(duck.text(str(folder)) for folder in (beside, to.parent))
        con.execute(f"SET allowed_directories = [{folders}]; SET enable_external_access = false; SET lock_configuration = true")
        if source.engine_query:
            asked = _one(source.engine_query)
            _refuse_other_than_select(con, asked, where)
        else:
            schema, _, table = str(source.engine_table).rpartition(".")
            asked = f"FROM {'.'.join(map(duck.name, filter(None, (schema, table))))}"
        try:
            con.execute(f"COPY ({asked}\n) TO {duck.text(str(to))} (FORMAT parquet)")
        except duckdb.CatalogException as error:
            if source.engine_query:
                raise TableError(f"{where}: the query cannot be read: {first_line(error)}") from None
            raise TableError(f"{where}: the engine has no table '{source.engine_table}'. Correct table.") from None
        except duckdb.Error as error:
            raise TableError(f"{where}: {_asked(source)} cannot be read: {first_line(error)}") from None


def database(workbook: Workbook) -> tuple[Path, bool]:
    """The file of a DuckDB engine, and whether it is there under the right address; under any other DuckDB would make one."""
    file = workbook.path.parent / workbook.engine.removeprefix("duckdb:///")
    return file, workbook.engine.startswith("duckdb:///") and file.is_file()


def _refuse_other_than_select(con: duckdb.DuckDBPyConnection, query: str, where: str) -> None:
    """A query asks: one that could write, or install, or several at once, are none."""
    import duckdb

    try:
        statements = con.extract_statements(query)
    except duckdb.Error as error:
        raise TableError(f"{where}: the query cannot be read: {first_line(error)}") from None
    if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
        raise TableError(f"{where}: the query is not a single SELECT, and nothing else is run. Correct query.")


def _one(query: str) -> str:
    return query.strip().rstrip("; \n")


def _where(workbook: Workbook, source: Source) -> str:
    return f"{workbook.path.name} [tables.{source.table}]"


def _asked(source: Source) -> str:
    """What a letter calls it."""
    return "the query" if source.engine_query else f"the table '{source.engine_table}'"


def without_secrets(url: str, text: str = "") -> str:
    """The engine, or a text that may quote it, without what stands between the user's name and the last ``@``."""
    before, at, after = url.rpartition("@")
    scheme, _, user = before.partition("://")
    safe = f"{scheme}://{user.partition(':')[0]}{at}{after}" if at else url
    safe = re.sub(r"(password=)[^&\s]*", r"\1…", safe, flags=re.IGNORECASE)
    if not text:
        return safe
    text = text.replace(url, safe)
    for part in secrets(url):
        text = text.replace(part, "…")
    return text


def secrets(url: str) -> list[str]:
    """Every form in which a driver may quote the password of an address, the longest first."""
    before, _, _ = url.rpartition("@")
    _, _, secret = before.partition("://")[2].partition(":")
    found = {secret, unquote(secret), *re.split(r"[@:/]", secret), *re.findall(r"password=([^&\s]*)", url, flags=re.IGNORECASE)}
    return sorted(filter(None, found), key=len, reverse=True)


def from_postgres(workbook: Workbook, source: Source, to: Path) -> list[str]:
    """A table or query of Postgres as a private CSV, streamed by the server in one read-only transaction; the columns.

    Every value is written by Postgres itself: no number loses a digit on its way, and what no other
    program has, such as the time 'infinity', is judged at the door like any text.
    """
    import psycopg
    from psycopg import sql

    where, url = _where(workbook, source), workbook.engine
    try:
        con = psycopg.connect(url, connect_timeout=10, application_name="cxlib", options="-c default_transaction_read_only=on")
    except (psycopg.Error, UnicodeError) as error:
        raise TableError(
            f"{where}: the engine '{without_secrets(url)}' does not answer: {without_secrets(url, _last(error))} "
            "Correct engine under [workbook]; a password may also stand in PGPASSWORD or ~/.pgpass."
        ) from None
    if source.engine_query:
        asked: sql.Composable = sql.SQL(_one(source.engine_query))
    else:
        asked = sql.SQL("SELECT * FROM {}").format(sql.Identifier(*str(source.engine_table).split(".")))
    try:
        with con.transaction(), con.cursor() as cursor:
            cursor.execute("SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL client_encoding = 'UTF8'")
            # A prepared statement is a single one: a query cannot end the transaction that only reads, and begin another.
            names = _columns(cursor.execute(sql.SQL("SELECT * FROM ({}\n) AS asked LIMIT 0").format(asked), prepare=True))
            # By place, since a query may call two columns alike; 'true' rather than 't'; and one column more,
            # so that a row without any value is still a line.
            places = [sql.Identifier(f"c{place}") for place in range(len(names))]
            texts = sql.SQL(", ").join([*(sql.SQL("{}::text").format(place) for place in places), sql.SQL("1")])
            copy = sql.SQL("COPY (SELECT {} FROM ({}\n) AS asked ({})) TO STDOUT (FORMAT csv)")
            with cursor.copy(copy.format(texts, asked, sql.SQL(", ").join(places))) as blocks, to.open("wb") as out:
                out.writelines(blocks)
    except psycopg.errors.UndefinedTable as error:
        if source.engine_query:
            raise TableError(f"{where}: the query cannot be read: {_last(error)}") from None
        raise TableError(f"{where}: the engine has no table '{source.engine_table}'. Correct table.") from None
    except psycopg.Error as error:
        raise TableError(f"{where}: {_asked(source)} cannot be read: {without_secrets(url, _last(error))}") from None
    finally:
        con.close()
    return names


def _columns(cursor: psycopg.Cursor[tuple[object, ...]]) -> list[str]:
    return numbered([apart(column.name) for column in cursor.description or []])


def _last(error: BaseException) -> str:
    """What a driver says, without the server's addresses before it and the hints after it."""
    return first_line(ValueError(first_line(error).rpartition("FATAL:")[2].strip() or first_line(error)))
