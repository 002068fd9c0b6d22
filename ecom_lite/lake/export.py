"""The lake as plain Parquet files, a file for each table, all of one moment: for who has no DuckLake."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

import duckdb

from ..errors import EcomLiteError, UsageError, first_line
from ..settings.data_dir import DRAFT
from ..warehouse.duck import literal
from .attach import LAKE

TABLES: Final = ("sales", "orders", "returns", "customers", "products", "daily")


def export(lake: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, int]:
    """Write `folder`/sales.parquet and so on; rows by table. Files that are there stay: raises UsageError then. Raises OSError,
    and EcomLiteError where the lake cannot be read."""
    files = {table: folder / f"{table}.parquet" for table in TABLES}
    folder.mkdir(parents=True, exist_ok=True)
    if there := next((file for file in files.values() if file.exists()), None):
        raise UsageError(f"{there} is there already: give a folder without it")
    drafts = {table: file.with_name(file.name + DRAFT) for table, file in files.items()}
    try:
        lake.begin()  # one snapshot for all
        rows = {table: _copy(lake, table, draft) for table, draft in drafts.items()}
        for table, draft in drafts.items():
            draft.replace(files[table])
    except duckdb.Error as error:
        raise EcomLiteError(f"the lake could not be exported: {first_line(error)}") from None
    finally:
        with suppress(duckdb.Error):
            lake.rollback()
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
    return rows


def _copy(lake: duckdb.DuckDBPyConnection, table: str, file: Path) -> int:
    row = lake.execute(f"COPY {LAKE}.{table} TO {literal(file)} (FORMAT parquet, COMPRESSION zstd)").fetchone()
    return 0 if row is None else int(row[0])
