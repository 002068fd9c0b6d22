"""The per-minute figures without Spark: plain SQL brings `realtime.sales_per_minute` up to the facts, a little at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .sinks import ROLE

LIGHT: Final = "light"
PRUNE_EVERY_S: Final = 3600.0
KEEP_PROGRESS_S: Final = 2 * 86_400.0
log = logging.getLogger("ecom_lite.stream")


class LightMinutes:
    """Adds new facts to their minutes, each fact once: taking facts in and remembering how far is one transaction.

    Facts are taken in the order of their loading transactions, up to the oldest one still running, so that none is missed.
    Adding, not recomputing: the cost follows the number of new facts, not the size of the minutes that they belong to.
    """

    def __init__(self, address: Address, clock: Callable[[], float] = time.monotonic) -> None:
        self._address = address
        self._clock = clock
        self._next_prune = clock()

    def refresh(self) -> int:
        """Take in what was loaded since the last call; returns the rows of `sales_per_minute` written. Blocks.

        The first call ever, and the first after a run with Spark, builds all minutes anew. Two callers at once are safe:
        the second waits. Raises psycopg.Error when PostgreSQL cannot be reached; the next call makes up for it.
        """
        with self._address.connect(ROLE) as connection:
            connection.execute(read_sql(__package__, "light_lock"))
            row = connection.execute(read_sql(__package__, "light_cut")).fetchone()
            assert row is not None
            since, below, watermark = row
            if since == below:
                return 0
            first = since is None
            if first:
                connection.execute(read_sql(__package__, "light_clear"))
            cut = {"since": since or 0, "below": below}
            facts, duration_ms, written = 0, 0, 0
            result = connection.execute(read_sql(__package__, "light_rebuild" if first else "light_add"), cut).fetchone()
            if result is not None:
                facts, written = result
            connection.execute(read_sql(__package__, "light_advance"), {"below": below, "watermark": watermark})
            if facts:
                row = connection.execute(read_sql(__package__, "light_duration")).fetchone()
                duration_ms = int(row[0]) if row is not None else 0
                progress = {"query": LIGHT, "batch_id": below, "facts": facts, "duration_ms": duration_ms}
                connection.execute(read_sql(__package__, "light_progress"), progress)
            if self._clock() >= self._next_prune:
                self._next_prune = self._clock() + PRUNE_EVERY_S
                connection.execute(read_sql(__package__, "prune_progress"), {"query": LIGHT, "keep_s": KEEP_PROGRESS_S})
            if first and facts:
                log.info("built %d rows of sales_per_minute from %d facts in %d ms", written, facts, duration_ms)
            return written
