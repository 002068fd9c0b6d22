"""A DuckDB of one's own in memory, with extensions from their Python packages, and how it logs in to PostgreSQL."""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import duckdb

from ..errors import EcomLiteError
from .connect import CONNECT_TIMEOUT_S, LIVENESS, Address

POSTGRES: Final = "postgres_scanner"
SECRET: Final = "warehouse"


def engine(*extensions: str) -> duckdb.DuckDBPyConnection:
    """Extensions are taken from their Python packages, as is DuckDB itself: they are not looked for elsewhere, not copied into
    the home folder, and their signature (of 42 MB, a tenth of a second) is not computed anew each time."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false", "python_enable_replacements": "false", "allow_unsigned_extensions": "true",
    }  # fmt: skip
    connection = duckdb.connect(":memory:", config=config)
    load(connection, *extensions)
    return connection


def load(connection: duckdb.DuckDBPyConnection, *extensions: str) -> None:
    """Raises EcomLiteError where one is missing."""
    for extension in extensions:
        connection.execute(f"LOAD {literal(_file(extension))}")


def log_in(connection: duckdb.DuckDBPyConnection, address: Address, role: str) -> None:
    """As a secret, so that neither duckdb_databases() nor a message can show the password."""
    login = {
        "host": address.host, "port": address.port, "database": address.database, "user": role,
        "password": address.passwords[role],
    }  # fmt: skip
    fields = ", ".join(f"{name.upper()} {literal(value)}" for name, value in login.items())
    connection.execute(f"CREATE SECRET {SECRET} (TYPE postgres, {fields})")


def options(address: Address, name: str, **further: str) -> str:
    """The rest of what libpq is given; `name` is what the server calls us."""
    return conninfo({"connect_timeout": CONNECT_TIMEOUT_S, **LIVENESS, **address.options, **further, "application_name": name})


def conninfo(values: dict[str, Any]) -> str:
    """A libpq connection string (psycopg would make one too, and takes a fifth of a second to be imported)."""
    quoted = {name: str(value).replace("\\", "\\\\").replace("'", "\\'") for name, value in values.items()}
    return " ".join(f"{name}='{value}'" for name, value in quoted.items())


def close(connection: duckdb.DuckDBPyConnection) -> None:
    """Close it, its open transaction rolled back first. Left to DuckDB 1.5.5, rolling back where the server of an attached
    catalogue is gone ends the whole process ("terminate called"); asked for, it is an error like others."""
    with suppress(duckdb.Error):
        connection.rollback()
    connection.close()


def literal(value: object) -> str:
    """As a literal of SQL."""
    return "'" + str(value).replace("'", "''") + "'"


def _file(extension: str) -> Path:
    package = f"duckdb_extension_{extension}"
    spec = find_spec(package)
    version = f"v{duckdb.__version__}"
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        file = Path(place) / "extensions" / version / f"{extension}.duckdb_extension"
        if file.is_file():
            return file
    raise EcomLiteError(f"DuckDB {version} has no extension {extension}: the package {package} is missing or of another version")
