"""What is no order line: lines taken back, and the history of customers' profiles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import LiteralString

import msgspec
import psycopg

from ..contract.events import OrderReversal, UserChange
from ..warehouse.sqlfiles import read_sql
from .decode import Other


def insert_others(connection: psycopg.Connection, others: Sequence[Other]) -> Counter[int]:
    """How many of each partition were new. The customers' rows exist already. Raises psycopg.Error."""
    reversals = [other for other in others if isinstance(other.event, OrderReversal)]
    changed = [other for other in others if isinstance(other.event, UserChange)]
    new: Counter[int] = Counter()
    if reversals:
        new += _insert(connection, "insert_returns", reversals)
    if changed:
        new += _insert(connection, "insert_user_changes", changed)
        users = sorted({other.event.user_id for other in changed if other.event.user_id is not None})
        connection.execute(read_sql(__package__, "update_profiles"), {"user_ids": users})
    return new


def _insert(connection: psycopg.Connection, statement: LiteralString, others: Sequence[Other]) -> Counter[int]:
    # As one JSON value of [partition, offset, event]: to make an array of each column costs Python ten times as much.
    rows = connection.execute(read_sql(__package__, statement), {"events": msgspec.json.encode(others).decode()})
    return Counter(partition for (partition,) in rows)
