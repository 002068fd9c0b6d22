"""Parquet: each row one JSON object, read by DuckDB in flat memory."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from ..contract.rejected import Rejected
from ..errors import EcomLiteError, UsageError, first_line
from .records import Record, made
from .source import Source

MAGIC: Final = b"PAR1"
BATCH_ROWS: Final = 1_000
DUCKDB_SETTINGS: Final = {
    "memory_limit": "256MB",
    "threads": 1,
    "TimeZone": "UTC",
    "autoinstall_known_extensions": False,
    "enable_progress_bar": False,
}
_encode = msgspec.json.Encoder(decimal_format="number").encode  # an exact decimal stays exact


def read(source: Source) -> Iterator[Record]:
    """The rows. A NULL is a field that is absent; times are ISO 8601, with their zone where they have one."""
    if not source.head.startswith(MAGIC):
        raise UsageError(f"{source.title} is no Parquet, or compressed once more: Parquet begins with PAR1")
    if source.path is not None:
        yield from _rows(source.path, source.title)
        return
    with tempfile.NamedTemporaryFile(prefix="ecom_lite.", suffix=".parquet") as copy:  # its index is at the end
        shutil.copyfileobj(source.stream, copy)
        copy.flush()
        yield from _rows(Path(copy.name), source.title)


def _rows(path: Path, title: str) -> Iterator[Record]:
    import duckdb

    pattern = re.sub(r"([*?\[])", r"[\1]", str(path))  # a name is a pattern to DuckDB
    number = 0
    try:
        with duckdb.connect(":memory:") as connection:
            for name, value in DUCKDB_SETTINGS.items():
                connection.execute(f"SET {name} = '{value}'")
            columns = connection.execute("DESCRIBE SELECT * FROM read_parquet($1)", [pattern]).fetchall()
            # Of 4 bytes: 19.99 is 19.99, not 19.989999771118164.
            short = ", ".join(f"{_quoted(one[0])}::VARCHAR::DOUBLE AS {_quoted(one[0])}" for one in columns if one[1] == "FLOAT")
            names = [one[0] for one in columns]
            wanted = f"* REPLACE ({short})" if short else "*"
            found = connection.execute(f"SELECT {wanted} FROM read_parquet($1)", [pattern])
            while rows := found.fetchmany(BATCH_ROWS):
                for row in rows:
                    number += 1
                    where = f"row {number:,}"
                    present = {name: value for name, value in zip(names, row, strict=True) if value is not None}
                    try:
                        yield made(where, _encode(present))
                    except (TypeError, ValueError, OverflowError) as error:
                        yield Record(where, None, Rejected("wrong_type", f"cannot be written as JSON: {error}"))
    except duckdb.Error as error:
        what = f"{title} cannot be read as Parquet"
        if number:
            raise EcomLiteError(f"{what} after row {number:,}: {first_line(error)}") from None
        raise UsageError(f"{what}: {first_line(error)}") from None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
