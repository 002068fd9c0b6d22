"""How far the loaders have come: ops.consumer_offsets is the truth about it, for whoever waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from .sqlfiles import read_sql


def committed_offsets(connection: psycopg.Connection[Any], topic: str) -> dict[int, int]:
    """Per partition the offset below which every record is accounted for. Raises psycopg.Error."""
    with connection.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        return dict(cursor.execute(read_sql(__package__, "offsets"), {"topic": topic}, prepare=True).fetchall())


def reached(offsets: Mapping[int, int], ends: Mapping[int, int]) -> bool:
    """Whether every record below `ends` is accounted for."""
    return all(offsets.get(partition, 0) >= end for partition, end in ends.items())
