"""Sums over all facts (in total, by category, product and customer), kept up to date by taking in what is new."""

from __future__ import annotations

import logging
from typing import Final

import psycopg

from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql

ROLE: Final = "ecom_stream"
SUMMARISE_FACTS: Final = 20_000  # so many new facts have no BRIN summary at most, and are read by every look at the tail
log = logging.getLogger("ecom_lite.rollups")


class Rollups:
    """Adds new facts to the sums, each fact once: taking facts in and remembering how far is one transaction.

    What people look at is the sums plus the facts since, `realtime.totals()` and its like: exact at every moment, whenever a
    pass was made last. A pass costs what is new.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
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
            row = connection.execute(read_sql(__package__, "add"), {"since": since, "below": below}).fetchone()
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
