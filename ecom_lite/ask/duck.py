"""One in-memory DuckDB, attached read-only to PostgreSQL as ecom_reader; several readers never get in each other's way."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import duckdb

from ..errors import EcomLiteError, QueryError, first_line
from ..lake.archive_view import create_view
from ..warehouse.connect import CONNECT_TIMEOUT_S, LIVENESS, READER_STATEMENT_TIMEOUT_S, Address
from .reading import require_reading
from .statements import only

CATALOG: Final = "ecom"
ROLE: Final = "ecom_reader"
NAME: Final = "ecom_lite sql"
EXTENSION: Final = "duckdb_extension_postgres_scanner"


def engine() -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own in memory, with the extension that reads PostgreSQL.

    The extension is taken from its Python package, as is DuckDB itself: it is not looked for elsewhere, not copied into the home
    folder, and its signature (of 42 MB, a tenth of a second) is not computed anew each time.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false", "python_enable_replacements": "false", "allow_unsigned_extensions": "true",
    }  # fmt: skip
    connection = duckdb.connect(":memory:", config=config)
    connection.execute(f"LOAD {_literal(_extension_file())}")
    return connection


def _extension_file() -> Path:
    spec = find_spec(EXTENSION)
    version = f"v{duckdb.__version__}"
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        file = Path(place) / "extensions" / version / "postgres_scanner.duckdb_extension"
        if file.is_file():
            return file
    raise EcomLiteError(
        f"DuckDB {version} has no extension for PostgreSQL: the package {EXTENSION} is missing or of another version"
    )


def attach(
    address: Address,
    lake_dir: Path | None = None,
    *,
    prepared: duckdb.DuckDBPyConnection | None = None,
    timeout_s: float = READER_STATEMENT_TIMEOUT_S,
    output: Path | None = None,
    name: str = NAME,
) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection whose current catalog is the warehouse (schemas warehouse, marts, realtime, ops).

    Where `lake_dir` has a raw archive, view `memory.main.lake` reads it. No other file can be read or written but `output`;
    what else a user's statement must not do, `query` and Session refuse. All tables of one transaction are read in one snapshot.
    `prepared` is what `engine` gave; the server ends a statement after `timeout_s` (0: never); `name` is what it calls us.
    """
    connection = prepared or engine()
    connection.execute("SET TimeZone = 'UTC'")
    # As a secret, so that neither duckdb_databases() nor a message can show the password.
    login = {
        "host": address.host, "port": address.port, "database": address.database,
        "user": ROLE, "password": address.passwords[ROLE],
    }  # fmt: skip
    given = dict(address.options)
    given["options"] = f"{given.get('options', '')} -c statement_timeout={round(timeout_s * 1000)}".strip()
    options = _conninfo({"connect_timeout": CONNECT_TIMEOUT_S, **LIVENESS, **given, "application_name": name})
    try:
        fields = ", ".join(f"{name.upper()} {_literal(value)}" for name, value in login.items())
        connection.execute(f"CREATE SECRET warehouse (TYPE postgres, {fields})")
        kind = "TYPE postgres, SECRET warehouse, READ_ONLY, ISOLATION_LEVEL 'REPEATABLE READ'"
        connection.execute(f"ATTACH {_literal(options)} AS {CATALOG} ({kind})")
    except duckdb.Error as error:
        where = f"{address.host}:{address.port}/{address.database}"
        reason = first_line(error).replace(address.passwords[ROLE], "***").rpartition('": ')[2]
        raise QueryError(f"the warehouse at {where} cannot be reached: {reason}") from None
    if lake_dir is not None and lake_dir.is_dir():
        connection.execute(f"SET allowed_directories = [{_literal(f'{lake_dir}/')}]")
        if view := create_view(lake_dir):
            connection.execute(view)
    if output is not None:
        connection.execute(f"SET allowed_paths = [{_literal(output)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    connection.execute(f"USE {CATALOG}.warehouse")
    return connection


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
    return f"COPY ({text}) TO {_literal(output)} (FORMAT parquet, USE_TMP_FILE false)"


def _conninfo(values: dict[str, Any]) -> str:
    """A libpq connection string (psycopg would make one too, and takes a fifth of a second to be imported)."""
    quoted = {name: str(value).replace("\\", "\\\\").replace("'", "\\'") for name, value in values.items()}
    return " ".join(f"{name}='{value}'" for name, value in quoted.items())


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
