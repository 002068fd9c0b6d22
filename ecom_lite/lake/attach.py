"""The lake as a catalog of a DuckDB: what it is called, and how it is attached."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from ..warehouse.duck import SECRET, literal

DUCKLAKE: Final = "ducklake"
CATALOGUE: Final = "ducklake"  # the schema in PostgreSQL
LAKE: Final = "lake"  # what the attached lake is called


def attach_lake(connection: duckdb.DuckDBPyConnection, place: str, folder: Path | None, *, read_only: bool) -> None:
    """The lake as catalog `lake`; `place` is what `options` gave. Without a `folder` the catalogue says where the files are."""
    given = [f"METADATA_SCHEMA {literal(CATALOGUE)}", f"META_SECRET {literal(SECRET)}"]
    given += ["READ_ONLY", "CREATE_IF_NOT_EXISTS false"] if read_only else ["DATA_INLINING_ROW_LIMIT 0"]
    if folder is not None:
        given += [f"DATA_PATH {literal(f'{folder}/')}", "OVERRIDE_DATA_PATH true"]
    connection.execute(f"ATTACH {literal(f'ducklake:postgres:{place}')} AS {LAKE} ({', '.join(given)})")
