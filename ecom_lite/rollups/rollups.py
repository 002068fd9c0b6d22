"""Sums over all facts (by category, product and customer) and over the last days, kept up to date by taking in what is new."""

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
log = logging.getLogger("ecom_lite.rollups")


class Rollups:
    """Adds new facts to the sums, each fact once: taking facts in and remembering how far is one transaction.

    What people look at is the sums plus the facts since, `realtime.totals()` and its like: exact at every moment, whenever a
    pass was made last. A pass costs what is new.
    """

    def __init__(self, address: Address, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._address = address
        self._now = now
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
            hour = self._now().replace(minute=0, second=0, microsecond=0)
            kept = {"sales_from": hour - KEEP_SALES, "products_from": hour - KEEP_PRODUCTS}
            row = connection.execute(read_sql(__package__, "add"), {"since": since, "below": below, **kept}).fetchone()
            facts = int(row[0]) if row is not None else 0
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
