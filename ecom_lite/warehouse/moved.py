"""A warehouse that was moved to another server: its load order goes on there above all that was loaded before.

See migrations/0012_load_order.sql: transaction ids belong to one server, and a dump takes them along.
"""

from __future__ import annotations

import logging

import psycopg

log = logging.getLogger("ecom_lite.warehouse")


def was_moved(connection: psycopg.Connection) -> bool:
    """Whether nobody may load before `settle`. False also before the migration that can tell. Raises psycopg.Error."""
    row = connection.execute("SELECT to_regprocedure('ops.moved()')").fetchone()
    if row is None or row[0] is None:
        return False
    row = connection.execute("SELECT ops.moved()").fetchone()
    return row is not None and bool(row[0])


def settle(connection: psycopg.Connection) -> None:
    """As ecom_owner, under the lock of the migrations; the caller commits. Does nothing where the warehouse is at home."""
    if not was_moved(connection):
        return
    before = connection.execute("SELECT system_identifier FROM ops.server").fetchone()
    connection.execute("SELECT ops.settle_here()")
    if before and before[0] is not None:
        log.info(
            "the warehouse was moved here from another PostgreSQL server: what is loaded now is ordered after what came along"
        )
