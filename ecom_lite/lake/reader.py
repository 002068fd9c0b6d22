"""How others look into the lake: as the warehouse's reader, who can change nothing, from any DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from ..errors import QueryError, first_line
from ..warehouse.connect import Address
from ..warehouse.duck import POSTGRES, conninfo, engine, literal, log_in, options
from .attach import CATALOGUE, DUCKLAKE, LAKE, attach_here, attach_lake

ROLE: Final = "ecom_reader"
NAME: Final = "ecom_lite lake reader"


def open_lake(address: Address, lake_dir: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory with the lake as catalog `lake`, read-only. Without `lake_dir` its files must be where the catalogue
    says, which is so while a run is up.

    Raises QueryError where there is no lake, or no server.
    """
    connection = engine(POSTGRES, DUCKLAKE)
    connection.execute("SET TimeZone = 'UTC'")
    log_in(connection, address, ROLE)
    place = options(address, NAME)
    try:
        if lake_dir is None:
            attach_lake(connection, place, None, read_only=True)
        else:
            attach_here(connection, place, lake_dir)
    except duckdb.Error as error:
        connection.close()
        said = first_line(error).replace(address.passwords[ROLE], "***")
        raise QueryError(f"the lake at {address.place} cannot be attached: {said}") from None
    return connection


def statement(address: Address) -> str:
    """What anyone's DuckDB is given to attach it. The password of the reader, who can change nothing, is in it."""
    login = {
        "host": address.host, "port": address.port, "dbname": address.database, "user": ROLE,
        "password": address.passwords[ROLE], **address.options,
    }  # fmt: skip
    place = literal(f"ducklake:postgres:{conninfo(login)}")
    return f"INSTALL ducklake; INSTALL postgres;\nATTACH {place} AS {LAKE} (READ_ONLY, METADATA_SCHEMA {literal(CATALOGUE)});"
