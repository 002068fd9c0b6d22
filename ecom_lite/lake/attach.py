"""The lake as a catalog of a DuckDB: what it is called, and how it is attached."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from ..settings.data_dir import LAKE_TABLES
from ..warehouse.duck import SECRET, literal

DUCKLAKE: Final = "ducklake"
CATALOGUE: Final = "ducklake"  # the schema in PostgreSQL
LAKE: Final = "lake"  # what the attached lake is called


def has_tables(lake_dir: Path) -> bool:
    """Whether some warehouse has tables there."""
    return any(lake_dir.glob(f"{LAKE_TABLES}*"))


def known_folder(connection: duckdb.DuckDBPyConnection, catalog: str) -> str:
    """Where the catalogue has the tables; `catalog` is the warehouse. Raises duckdb.Error where there is no lake."""
    query = f"SELECT value FROM {CATALOGUE}.ducklake_metadata WHERE key = 'data_path'"
    row = connection.execute(
        "SELECT value FROM postgres_query($catalog, $query_)", {"catalog": catalog, "query_": query}
    ).fetchone()
    return "" if row is None else str(row[0])


def tables_in(lake_dir: Path, known: str) -> Path:
    """Where the tables are which the catalogue has at `known`: the data folder may have been moved since it was written down."""
    return lake_dir / Path(known).name


def attach_lake(connection: duckdb.DuckDBPyConnection, place: str, folder: Path | None, *, read_only: bool) -> None:
    """The lake as catalog `lake`; `place` is what `options` gave. Without a `folder` the catalogue says where the files are."""
    given = [f"METADATA_SCHEMA {literal(CATALOGUE)}", f"META_SECRET {literal(SECRET)}"]
    given += ["READ_ONLY", "CREATE_IF_NOT_EXISTS false"] if read_only else ["DATA_INLINING_ROW_LIMIT 0"]
    if folder is not None:
        given += [f"DATA_PATH {literal(f'{folder}/')}", "OVERRIDE_DATA_PATH true"]
    connection.execute(f"ATTACH {literal(f'ducklake:postgres:{place}')} AS {LAKE} ({', '.join(given)})")
