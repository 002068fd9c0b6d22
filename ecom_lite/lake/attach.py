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


def attach_here(connection: duckdb.DuckDBPyConnection, place: str, lake_dir: Path) -> None:
    """As `attach_lake`, to read. Where the catalogue has the files elsewhere, and they are in `lake_dir`, these are read:
    the data folder was moved, and nobody has written to the lake since. Raises duckdb.Error where there is no lake."""
    attach_lake(connection, place, None, read_only=True)
    ((known,),) = connection.execute(f"SELECT data_path FROM ducklake_settings({literal(LAKE)})").fetchall()
    here = lake_dir / Path(known).name
    if here != Path(known) and here.is_dir():
        connection.execute(f"DETACH {LAKE}")
        attach_lake(connection, place, here, read_only=True)


def attach_lake(connection: duckdb.DuckDBPyConnection, place: str, folder: Path | None, *, read_only: bool) -> None:
    """The lake as catalog `lake`; `place` is what `options` gave. Without a `folder` the catalogue says where the files are."""
    given = [f"METADATA_SCHEMA {literal(CATALOGUE)}", f"META_SECRET {literal(SECRET)}"]
    given += ["READ_ONLY", "CREATE_IF_NOT_EXISTS false"] if read_only else ["DATA_INLINING_ROW_LIMIT 0"]
    if folder is not None:
        given += [f"DATA_PATH {literal(f'{folder}/')}", "OVERRIDE_DATA_PATH true"]
    connection.execute(f"ATTACH {literal(f'ducklake:postgres:{place}')} AS {LAKE} ({', '.join(given)})")
