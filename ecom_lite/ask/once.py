"""A question in one go: `ecom_lite sql "SELECT ..."`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from .answer import Told, Wish, parquet_draft
from .asker import Asker

if TYPE_CHECKING:
    from ..warehouse.connect import Address
    from .warm import Warm


def ask_once(
    data_dir: Path, reach: Callable[[ExitStack], Address], warm: Warm, statement: str, wish: Wish, timeout_s: float
) -> Told:  # fmt: skip
    """Ask the one statement and show its answer. Raises QueryError, with near names; UsageError, OSError."""
    with parquet_draft(wish) as draft, Asker(data_dir, reach, warm, timeout_s, output=draft) as asker:
        return asker.ask(statement, wish)
