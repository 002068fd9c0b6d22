"""One in-memory DuckDB, attached read-only to PostgreSQL as ecom_reader; several readers never get in each other's way."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import duckdb

from ..archive.names import pattern
from ..archive.view import create_view
from ..errors import QueryError, first_line
from ..lake.attach import DUCKLAKE, attach_here, has_tables
from ..warehouse.connect import READER_STATEMENT_TIMEOUT_S, Address
from ..warehouse.duck import POSTGRES, SECRET, literal, log_in, options
from ..warehouse.duck import engine as bare_engine
from ..warehouse.sqlfiles import read_sql
from .reading import require_reading
from .statements import only

CATALOG: Final = "ecom"
ROLE: Final = "ecom_reader"
NAME: Final = "ecom_lite sql"


def engine() -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own in memory, with the extensions that read PostgreSQL and the lake."""
    return bare_engine(POSTGRES, DUCKLAKE)


def attach(
    address: Address,
    lake_dir: Path | None = None,
    *,
    prepared: duckdb.DuckDBPyConnection | None = None,
    timeout_s: float = READER_STATEMENT_TIMEOUT_S,
    output: Path | None = None,
    name: str = NAME,
) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection whose current catalog is the warehouse (schemas warehouse, marts, realtime, ops). The lake, where
    there is one, is catalog `lake`.

    Where `lake_dir` has a raw archive, view `memory.main.lake` reads it. No other file can be read or written but `output`;
    what else a user's statement must not do, `query` and Session refuse. All tables of one transaction are read in one snapshot.
    `prepared` is what `engine` gave; the server ends a statement after `timeout_s` (0: never); `name` is what it calls us.
    """
    connection = prepared or engine()
    connection.execute("SET TimeZone = 'UTC'")
    given = f"{address.options.get('options', '')} -c statement_timeout={round(timeout_s * 1000)}".strip()
    place = options(address, name, options=given)
    try:
        log_in(connection, address, ROLE)
        kind = f"TYPE postgres, SECRET {SECRET}, READ_ONLY, ISOLATION_LEVEL 'REPEATABLE READ'"
        connection.execute(f"ATTACH {literal(place)} AS {CATALOG} ({kind})")
    except duckdb.Error as error:
        where = f"{address.host}:{address.port}/{address.database}"
        reason = first_line(error).replace(address.passwords[ROLE], "***").rpartition('": ')[2]
        raise QueryError(f"the warehouse at {where} cannot be reached: {reason}") from None
    if lake_dir is not None and has_tables(lake_dir):
        with suppress(duckdb.Error):  # of another warehouse, or not made yet: then there is none
            attach_here(connection, place, lake_dir)
    if lake_dir is not None and lake_dir.is_dir():
        folders = ", ".join(literal(f"{name}/") for name in (lake_dir, pattern(lake_dir)))  # the view names it as a pattern
        connection.execute(f"SET allowed_directories = [{folders}]")
        if view := create_view(lake_dir):
            connection.execute(view)
    if output is not None:
        connection.execute(f"SET allowed_paths = [{literal(output)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    connection.execute(f"USE {CATALOG}.warehouse")
    return connection


def lake_is_behind(connection: duckdb.DuckDBPyConnection) -> str:
    """How far the lake is behind the facts, in words; raises duckdb.Error where there is none."""
    ask = "SELECT * FROM postgres_query($catalog, $statement)"

    def answer(name: str, **values: object) -> tuple[Any, ...]:
        statement = read_sql(__package__, name).decode().format(**values)
        return connection.execute(ask, {"catalog": CATALOG, "statement": statement}).fetchone() or (None, None)

    newest = answer("lake_newest")[0]
    facts, seconds = answer("lake_behind", newest=newest or 0)
    if not facts:
        return "the lake has all facts"
    return f"the lake is {seconds:.1f} s behind: {facts:,} fact{'s are' if facts != 1 else ' is'} not in it yet"


def days_are_of(connection: duckdb.DuckDBPyConnection) -> str:
    """How old the days in the lake are, in words; raises duckdb.Error where there is none."""
    (seconds,) = connection.execute("SELECT epoch(now() - max(as_of)) FROM lake.daily").fetchone() or (None,)
    return "there is no day in lake.daily yet" if seconds is None else f"lake.daily is as of the run of dbt {seconds:.0f} s ago"


def query(connection: duckdb.DuckDBPyConnection, statement: str, limit: int) -> tuple[list[str], list[tuple[Any, ...]], bool]:
    """Run one statement: column names, at most `limit` rows, and whether there were more.

    Raises QueryError with the database's own message, or where it would do more than read. (Session asks for people.)
    """
    try:
        require_reading(connection, statement)
        cursor = connection.execute(statement)
        columns = [column[0] for column in cursor.description or []]
        rows = cursor.fetchmany(limit + 1)
    except (duckdb.Error, ValueError) as error:
        raise QueryError(str(error).strip()) from None
    return columns, rows[:limit], len(rows) > limit


def export(statement: str, output: Path) -> str:
    """The statement that writes the answer to a user's statement as Parquet to `output`, which `attach` must know."""
    text = f"FROM ({only(statement)}\n)"  # not bare: DESCRIBE and SHOW may stand there, too
    if text.upper().startswith("FROM (EXPLAIN"):
        raise QueryError("an EXPLAIN is text and no Parquet: leave the format to be table")
    return f"COPY ({text}) TO {literal(output)} (FORMAT parquet, USE_TMP_FILE false)"
