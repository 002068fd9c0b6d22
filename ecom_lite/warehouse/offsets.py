"""How far the loaders have come: ops.consumer_offsets is the truth about it, for whoever waits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import psycopg

from .sqlfiles import read_sql

Place = tuple[str, int]  # topic, partition
Key = TypeVar("Key", int, Place)


def committed_offsets(connection: psycopg.Connection[Any], topic: str) -> dict[int, int]:
    """Per partition of one topic the offset below which every record is accounted for. Raises psycopg.Error."""
    return {partition: offset for (_, partition), offset in offsets_of(connection, [topic]).items()}


def offsets_of(connection: psycopg.Connection[Any], topics: Iterable[str]) -> dict[Place, int]:
    """The same of several topics."""
    with connection.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        rows = cursor.execute(read_sql(__package__, "offsets"), {"topics": list(topics)}, prepare=True).fetchall()
    return {(topic, partition): offset for topic, partition, offset in rows}


def reached(offsets: Mapping[Key, int], ends: Mapping[Key, int]) -> bool:
    """Whether every record below `ends` is accounted for."""
    return all(offsets.get(partition, 0) >= end for partition, end in ends.items())
