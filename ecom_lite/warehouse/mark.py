"""What the warehouse's own shops put on their records, so that copies of another one's are told from them."""

from __future__ import annotations

import psycopg


def read_mark(connection: psycopg.Connection) -> str:
    """Raises psycopg.Error."""
    row = connection.execute("SELECT mark FROM ops.mark").fetchone()
    assert row is not None, "the migration puts one row there"
    return str(row[0])
