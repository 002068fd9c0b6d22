"""One benchmark around its measurement: engines of its own, their errors in words, and what the figures were measured on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from ..contract.events import utc_now
from ..errors import EcomLiteError
from ..settings.tree import Settings
from ..terminal.terminal import Terminal
from .machine import machine, versions
from .rig import Rig, rig

Figures = dict[str, Any]


def measured(
    settings: Settings, terminal: Terminal, needed_bytes: int, measure: Callable[[Rig], Figures], command: str
) -> Figures:
    """What `measure` finds, with when, how long, by which command, of which shop, and on which machine. Raises EcomLiteError."""
    began = utc_now()
    try:
        with rig(settings, terminal, needed_bytes) as own:
            figures = measure(own)
            where = {"machine": machine(), "versions": versions(own.servers)}
    except psycopg.Error as error:
        said = str(error).strip() or type(error).__name__
        raise EcomLiteError(f"the benchmark's PostgreSQL: {said} (SQLSTATE {error.sqlstate})") from error
    shop = settings.shop
    return {
        **figures,
        "seed": shop.seed,
        "shop": {"products": shop.products, "customers": shop.customers},
        "began": began.isoformat(timespec="seconds"),
        "took_s": round((utc_now() - began).total_seconds(), 1),
        "command": command,
        **where,
    }
