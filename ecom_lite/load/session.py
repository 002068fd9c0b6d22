"""A loader's session in PostgreSQL: it waits for no lock for long, and it ends the sessions of loaders that are frozen."""

from __future__ import annotations

import logging
from typing import Final

import psycopg

from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql

LOCK_TIMEOUT_S: Final = 3  # less than after which a loader without a word counts as silent
FROZEN_S: Final = 10  # of a COPY that waits for its client
log = logging.getLogger("ecom_lite.load")


def open_session(address: Address) -> psycopg.Connection:
    """A new connection as ecom_loader. Whoever waits for another loader in vain opens one, so the frozen are ended here.

    Raises psycopg.OperationalError.
    """
    connection = address.connect("ecom_loader")
    connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT_S}s'")
    for pid, host, silent_s in connection.execute(read_sql(__package__, "end_frozen"), {"frozen_s": FROZEN_S}):
        log.warning(
            "a loader (pid %d on the server, from %s) is silent in the midst of its rows for %d s: ended", pid, host, silent_s
        )
    connection.commit()
    return connection
