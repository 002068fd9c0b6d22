"""Sums over all facts (by category, product, customer, minute) and over the last days, kept up by taking in what is new."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg

from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql

ROLE: Final = "ecom_stream"
SUMMARISE_FACTS: Final = 20_000  # so many new facts have no BRIN summary at most, and are read by every look at the tail
# A week ago, at the begin of the shop's day, is eight days back and some hours; a day against the one before is two.
KEEP_SALES: Final = timedelta(days=9)
KEEP_PRODUCTS: Final = timedelta(days=3)
WATERMARK_S: Final = 120.0
MAX_AHEAD_S: Final = 60.0  # an event farther ahead of the clock closes no minute, nor one by half of the watermark: as for Spark
log = logging.getLogger("ecom_lite.rollups")


class Rollups:
    """Adds new facts to the sums, each fact once: taking facts in and remembering how far is one transaction.

    What people look at is the sums plus the facts since, `realtime.totals()` and its like: exact at every moment, whenever a
    pass was made last. A pass costs what is new. A minute is closed when events of `watermark_s` after its end have come.
    """

    def __init__(
        self, address: Address, now: Callable[[], datetime] = lambda: datetime.now(UTC), *, watermark_s: float = WATERMARK_S
    ) -> None:
        self._address = address
        self._now = now
        self._lateness = timedelta(seconds=watermark_s)
        self._ahead = timedelta(seconds=min(watermark_s / 2, MAX_AHEAD_S))
        self._bare = 0

    def refresh(self) -> int:
        """Take in what was loaded since the last pass; returns how many facts. Blocks.

        Two callers at once are safe: the second waits. Raises psycopg.Error when PostgreSQL cannot be reached; the next call
        makes up for it.
        """
        with self._address.connect(ROLE) as connection:
            row = connection.execute(read_sql(__package__, "lock")).fetchone()
            assert row is not None, "migration 0030 made the row"
            since, below = row
            if since >= below:
                return 0
            now = self._now()
            hour = now.replace(minute=0, second=0, microsecond=0)
            news = {"since": since, "below": below}
            kept = {"sales_from": hour - KEEP_SALES, "products_from": hour - KEEP_PRODUCTS}
            closed = {"ahead": now + self._ahead, "lateness": self._lateness}
            row = connection.execute(read_sql(__package__, "add"), {**news, **kept, **closed}).fetchone()
            facts = int(row[0]) if row is not None else 0
            connection.execute(read_sql(__package__, "add_returns"), news)
            connection.commit()
            self._summarise(connection, facts)
        if since == 0 and facts:
            log.info("summed up %d facts", facts)
        return facts

    def _summarise(self, connection: psycopg.Connection, facts: int) -> None:
        self._bare += facts
        if self._bare < SUMMARISE_FACTS:
            return
        try:
            connection.execute(read_sql(__package__, "summarise"))
            connection.commit()
        except psycopg.errors.LockNotAvailable:
            connection.rollback()
        self._bare = 0
