"""What the warehouse's own shops put on their records, so that copies of another one's are told from them."""

from __future__ import annotations

import psycopg

from .connect import Address


def read_mark(connection: psycopg.Connection) -> str:
    """Raises psycopg.Error."""
    row = connection.execute("SELECT mark FROM ops.mark").fetchone()
    assert row is not None, "the migration puts one row there"
    return str(row[0])


def known_mark(address: Address, role: str) -> str:
    """The same where nothing else is asked of the database; empty while it is away."""
    try:
        with address.connect(role) as connection:
            return read_mark(connection)
    except psycopg.OperationalError:
        return ""
