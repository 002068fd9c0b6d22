"""Whose partitions these are: a loader takes them over in the warehouse, and learns where to go on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import psycopg
from psycopg.errors import LockNotAvailable

from ..errors import LoadError
from ..warehouse.connect import Address
from ..warehouse.mark import read_mark
from ..warehouse.sqlfiles import read_sql
from .session import open_session


class Claimed(NamedTuple):
    """A partition taken over: go on at `next_offset`; the offsets from `was` up to it were lost to retention."""

    next_offset: int
    epoch: int
    was: int


def made_anew(what: str) -> LoadError:
    """The error of a topic whose offsets are not those that were loaded."""
    return LoadError(
        f"{what}: the topic was made anew or the broker lost data; `ecom_lite run --fresh` starts with new data, "
        "another kafka.topic is loaded beside the old one"
    )


class Claims:
    """One connection as ecom_loader, beside the writer's: a claim must not wait for a batch."""

    def __init__(self, address: Address, topic: str) -> None:
        self._address = address
        self._topic = topic
        self._connection: psycopg.Connection | None = None

    def close(self) -> None:
        """Drop the connection, whatever its state. Safe to repeat."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def connection(self) -> psycopg.Connection:
        """The one that is open, or a new one. Raises psycopg.OperationalError."""
        if self._connection is None or self._connection.closed:
            self._connection = open_session(self._address)
        return self._connection

    def identity(self) -> str:
        """A name for this warehouse that no other one has."""
        connection = self.connection()
        with connection.transaction():
            row = connection.execute(read_sql(__package__, "identity")).fetchone()
        return str(row[0]) if row else ""

    def mark(self) -> bytes:
        """What the records of the warehouse's own shops carry. Raises psycopg.Error."""
        connection = self.connection()
        with connection.transaction():
            return read_mark(connection).encode()

    def minutes_topic(self) -> str:
        """Which topic Spark counts minutes from, empty where that has never been settled. Raises psycopg.Error."""
        connection = self.connection()
        with connection.transaction():
            row = connection.execute("SELECT topic FROM realtime.minutes_source").fetchone()
        return "" if row is None else str(row[0])

    def newest_loaded(self, partitions: Collection[int], topic_id: UUID | None) -> dict[int, tuple[int, datetime]]:
        """Offset and broker time of the newest record loaded, where no topic id is known. Raises psycopg.Error."""
        connection = self.connection()
        with connection.transaction():
            values = {"topic": self._topic, "topic_id": topic_id, "partitions": list(partitions)}
            rows = connection.execute(read_sql(__package__, "newest_loaded"), values).fetchall()
        return {partition: (offset, time) for partition, offset, time in rows}

    def claim(self, beginnings: Mapping[int, int], topic_id: UUID | None = None) -> dict[int, Claimed]:
        """Take partitions over, by their first offset on the broker. What was lost goes to ops.gaps.

        Raises LoadError, and changes nothing, when `topic_id` is not that of the topic that was loaded; LockNotAvailable, which
        says by whom a partition is held, when its last owner's transaction does not end.
        """
        try:
            return self._claim(beginnings, topic_id)
        except LockNotAvailable as error:
            raise LockNotAvailable(self._holders(list(beginnings)) or str(error)) from None

    def _claim(self, beginnings: Mapping[int, int], topic_id: UUID | None) -> dict[int, Claimed]:
        partitions = sorted(beginnings)  # one order for all, so that two loaders cannot deadlock
        firsts = [beginnings[partition] for partition in partitions]
        connection = self.connection()
        with connection.transaction():
            values = {"topic": self._topic, "topic_id": topic_id, "partitions": partitions, "beginnings": firsts}
            claims = {}
            for partition, next_offset, epoch, was, loaded_id in connection.execute(read_sql(__package__, "claim"), values):
                if topic_id is not None and loaded_id != topic_id:
                    raise made_anew(
                        f"topic {self._topic} was loaded up to offset {was} of partition {partition} as {loaded_id}"
                        f", and is {topic_id} now"
                    )
                claims[partition] = Claimed(next_offset, epoch, was)
        return claims

    def _holders(self, partitions: list[int]) -> str:
        """Which of them are in an open transaction, and whose; "" when it has just ended."""
        connection = self.connection()
        with connection.transaction():
            rows = connection.execute(
                read_sql(__package__, "holders"), {"topic": self._topic, "partitions": partitions}
            ).fetchall()
        said = []
        for held, pid, host, silent_s in rows:
            which = f"partition{'' if len(held) == 1 else 's'} {', '.join(map(str, held))}"
            said.append(f"{which} held by a loader that is silent for {silent_s:.0f} s (pid {pid} on the server, from {host})")
        return "; ".join(said)
