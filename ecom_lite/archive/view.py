"""The raw archive as a view of DuckDB: what `ecom_lite sql` shows as `memory.main.lake`."""

from __future__ import annotations

from pathlib import Path

from ..warehouse.sqlfiles import fill_sql
from .names import DAY, RAW, SUFFIX, chains, days, listed, pattern, raw_folder


def is_there(lake: Path) -> bool:
    """Whether the archive has a file."""
    return any(any(day.glob(f"*{SUFFIX}")) for day in days(raw_folder(lake)))


def lacks_file(message: str) -> bool:
    """Whether DuckDB says that a file of the archive is not there: it has been merged into another since it was listed."""
    return f"/{RAW}/{DAY}" in message and ("No such file" in message or "No files found" in message)


def create_view(lake: Path) -> str | None:
    """The statement that makes the view, or makes it anew; None where the archive is empty. Keys and values are text there, as
    they mostly are."""
    folder = raw_folder(lake)
    found, replaced = chains(listed(folder))
    if not found:
        return None
    # A kill in the midst of a merge leaves records in two files: then the files are named, which a pattern cannot tell apart.
    all_ = [f"{pattern(folder)}/{DAY}*/*{SUFFIX}"]
    paths = [pattern(file.path) for chain in found.values() for file in chain] if replaced else all_
    files = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    return fill_sql(__package__, "view", files=files).decode()
