"""One in-memory DuckDB, attached read-only to PostgreSQL as ecom_reader; several readers never get in each other's way."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import duckdb
from duckdb_extensions import import_extension

from ..errors import QueryError
from ..warehouse.connect import Address

CATALOG = "ecom"
logging.getLogger("duckdb_extensions").setLevel(logging.WARNING)


def attach(address: Address, lake_dir: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection whose current catalog is the warehouse (schemas warehouse, marts, realtime, ops).

    Where `lake_dir` holds Parquet files, view `memory.main.lake` reads them. Nothing else of the machine can be read or written.
    """
    connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    import_extension("postgres_scanner", con=connection)
    connection.execute("LOAD postgres_scanner")
    connection.execute("SET TimeZone = 'UTC'")
    secret = address.conninfo("ecom_reader", application_name="ecom_lite check").replace("'", "''")
    try:
        connection.execute(f"ATTACH '{secret}' AS {CATALOG} (TYPE postgres, READ_ONLY)")
    except duckdb.Error as error:
        where = f"{address.host}:{address.port}/{address.database}"
        raise QueryError(f"the warehouse at {where} cannot be reached: {_first_line(error)}") from None
    if lake_dir is not None and any(lake_dir.glob("**/*.parquet")):
        pattern = str(lake_dir / "**" / "*.parquet").replace("'", "''")
        connection.execute(f"SET allowed_directories = ['{str(lake_dir).replace(chr(39), chr(39) * 2)}/']")
        connection.execute(
            f"CREATE VIEW lake AS SELECT * FROM read_parquet('{pattern}', hive_partitioning = true, union_by_name = true)"
        )
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    connection.execute(f"USE {CATALOG}.warehouse")
    return connection


def query(connection: duckdb.DuckDBPyConnection, statement: str, limit: int) -> tuple[list[str], list[tuple[Any, ...]], bool]:
    """Run one user's statement: column names, at most `limit` rows, and whether there were more.

    Raises QueryError with the database's own message.
    """
    try:
        cursor = connection.execute(statement)
        columns = [column[0] for column in cursor.description or []]
        rows = cursor.fetchmany(limit + 1)
    except (duckdb.Error, ValueError) as error:
        raise QueryError(_plain(error)) from None
    return columns, rows[:limit], len(rows) > limit


def _plain(error: Exception) -> str:
    return str(error).strip()


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
