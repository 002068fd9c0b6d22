"""SQL lives in .sql files beside the code that runs it; this reads them, once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def read_sql(package: str, name: str) -> bytes:
    """The text of `sql/<name>.sql` in `package` (usually `__package__`), as psycopg takes it."""
    return files(package).joinpath("sql", f"{name}.sql").read_bytes()


@cache
def fill_sql(package: str, name: str, **lists: str) -> bytes:
    """The same of a statement with `{columns}` and the like in it: lists of names that are declared once, in Python."""
    return read_sql(package, name).decode().format(**lists).encode()
