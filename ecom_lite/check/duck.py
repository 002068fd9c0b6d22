"""One in-memory DuckDB, attached read-only to PostgreSQL as ecom_reader; several readers never get in each other's way."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
from duckdb_extensions import import_extension
from psycopg.conninfo import make_conninfo

from ..errors import QueryError, UsageError, first_line
from ..warehouse.connect import CONNECT_TIMEOUT_S, Address
from .reading import require_reading

CATALOG = "ecom"
ROLE = "ecom_reader"
logging.getLogger("duckdb_extensions").setLevel(logging.WARNING)


def attach(address: Address, lake_dir: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection whose current catalog is the warehouse (schemas warehouse, marts, realtime, ops).

    Where `lake_dir` holds Parquet files, view `memory.main.lake` reads them. No other file can be read or written; what else a
    user's statement must not do, `query` refuses.
    """
    connection = duckdb.connect(
        ":memory:", config={"autoinstall_known_extensions": "false", "python_enable_replacements": "false"}
    )
    import_extension("postgres_scanner", con=connection)
    connection.execute("LOAD postgres_scanner")
    connection.execute("SET TimeZone = 'UTC'")
    # As a secret, so that neither duckdb_databases() nor a message can show the password.
    login = {
        "host": address.host, "port": address.port, "database": address.database,
        "user": ROLE, "password": address.passwords[ROLE],
    }  # fmt: skip
    options = make_conninfo("", connect_timeout=CONNECT_TIMEOUT_S, application_name="ecom_lite sql", **address.options)
    try:
        fields = ", ".join(f"{name.upper()} {_literal(value)}" for name, value in login.items())
        connection.execute(f"CREATE SECRET warehouse (TYPE postgres, {fields})")
        connection.execute(f"ATTACH {_literal(options)} AS {CATALOG} (TYPE postgres, SECRET warehouse, READ_ONLY)")
    except duckdb.Error as error:
        where = f"{address.host}:{address.port}/{address.database}"
        reason = first_line(error).replace(address.passwords[ROLE], "***").rpartition('": ')[2]
        raise QueryError(f"the warehouse at {where} cannot be reached: {reason}") from None
    if lake_dir is not None and any(lake_dir.glob("**/*.parquet")):
        pattern = _literal(lake_dir / "**" / "*.parquet")
        connection.execute(f"SET allowed_directories = [{_literal(f'{lake_dir}/')}]")
        connection.execute(
            f"CREATE VIEW lake AS SELECT * FROM read_parquet({pattern}, hive_partitioning = true, union_by_name = true)"
        )
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    connection.execute(f"USE {CATALOG}.warehouse")
    return connection


def require_one(text: str) -> None:
    """Raise UsageError unless the text holds one SQL statement; a `;` at its end and comments do not matter.

    (DuckDB would run several and answer the last one. It takes a PIVOT apart into several itself: hence the tokens.)
    """
    code = text.encode()
    statements = inside = 0
    for place, _ in duckdb.tokenize(text):
        ends = code[place : place + 1] == b";"
        statements += not ends and not inside
        inside = not ends
    if not statements:
        raise UsageError("no SQL statement was given")
    if statements > 1:
        raise UsageError(f"{statements} SQL statements were given: give one, and call `ecom_lite sql` once for each")


def query(connection: duckdb.DuckDBPyConnection, statement: str, limit: int) -> tuple[list[str], list[tuple[Any, ...]], bool]:
    """Run one user's statement: column names, at most `limit` rows, and whether there were more.

    Raises QueryError with the database's own message, or where it would do more than read. A KeyboardInterrupt or SystemExit
    ends the statement, too.
    """
    # In a thread: DuckDB looks at a Ctrl-C only between statements.
    with ThreadPoolExecutor(1) as aside:
        answer = aside.submit(_query, connection, statement, limit)
        try:
            return answer.result()
        except BaseException:
            connection.interrupt()
            raise


def _query(connection: duckdb.DuckDBPyConnection, statement: str, limit: int) -> tuple[list[str], list[tuple[Any, ...]], bool]:
    try:
        require_reading(connection, statement)
        cursor = connection.execute(statement)
        columns = [column[0] for column in cursor.description or []]
        rows = cursor.fetchmany(limit + 1)
    except (duckdb.Error, ValueError) as error:
        raise QueryError(str(error).strip()) from None
    return columns, rows[:limit], len(rows) > limit


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
