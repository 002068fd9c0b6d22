"""Whose partitions these are: a loader takes them over in the warehouse, and learns where to go on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg
from kafka import TopicPartition
from psycopg.errors import LockNotAvailable

from ..errors import LoadError
from ..warehouse.connect import Address
from ..warehouse.mark import read_mark
from ..warehouse.sqlfiles import read_sql
from .session import open_session
from .topics import Topics

TopicIds = Mapping[str, UUID | None]  # by topic; None where the broker names none
NO_IDS: Final[TopicIds] = {}


class Claimed(NamedTuple):
    """A partition taken over: go on at `next_offset`; the offsets from `was` up to it were lost to retention."""

    next_offset: int
    epoch: int
    was: int


def made_anew(what: str) -> LoadError:
    """The error of a topic whose offsets are not those that were loaded."""
    return LoadError(
        f"{what}: the topic was made anew or the broker lost data; `ecom_lite run --fresh` starts with new data, "
        "another topic is loaded beside the old one"
    )


class Claims:
    """One connection as ecom_loader, beside the writer's: a claim must not wait for a batch."""

    def __init__(self, address: Address, topics: Topics) -> None:
        self._address = address
        self._topics = topics
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

    def learn_numbers(self) -> None:
        """Give each further topic its number, once and for all. Raises psycopg.Error."""
        further = list(self._topics.further)
        if not further:
            return
        connection = self.connection()
        with connection.transaction():
            connection.execute(read_sql(__package__, "add_sources"), {"topics": further})
        with connection.transaction():  # a moment of its own: another loader may have been quicker
            rows = connection.execute("SELECT topic, number FROM ops.sources WHERE topic = ANY(%s::text[])", [further]).fetchall()
        self._topics.learn(dict(rows))

    def newest_loaded(self, partitions: Collection[int], topic_ids: TopicIds) -> dict[int, tuple[int, datetime]]:
        """Offset and broker time of the newest record loaded, where no topic id is known. Raises psycopg.Error."""
        connection = self.connection()
        with connection.transaction():
            rows = connection.execute(read_sql(__package__, "newest_loaded"), self._values(partitions, topic_ids)).fetchall()
        return {self._topics.of(TopicPartition(*row[:2])): (row[2], row[3]) for row in rows}

    def claim(self, beginnings: Mapping[int, int], topic_ids: TopicIds = NO_IDS) -> dict[int, Claimed]:
        """Take partitions over, by their first offset on the broker. What was lost goes to ops.gaps.

        Raises LoadError, and changes nothing, when a topic's id is not that of the topic that was loaded; LockNotAvailable, which
        says by whom a partition is held, when its last owner's transaction does not end.
        """
        try:
            return self._claim(beginnings, topic_ids)
        except LockNotAvailable as error:
            raise LockNotAvailable(self._holders(list(beginnings)) or str(error)) from None

    def _claim(self, beginnings: Mapping[int, int], topic_ids: TopicIds) -> dict[int, Claimed]:
        partitions = sorted(beginnings, key=self._topics.place)  # one order for all, so that two loaders cannot deadlock
        firsts = [beginnings[partition] for partition in partitions]
        connection = self.connection()
        with connection.transaction():
            values = self._values(partitions, topic_ids) | {"beginnings": firsts}
            claims = {}
            for topic, partition, next_offset, epoch, was, loaded_id in connection.execute(
                read_sql(__package__, "claim"), values
            ):
                topic_id = topic_ids.get(topic)
                if topic_id is not None and loaded_id != topic_id:
                    raise made_anew(
                        f"topic {topic} was loaded up to offset {was} of partition {partition} as {loaded_id}"
                        f", and is {topic_id} now"
                    )
                claims[self._topics.of(TopicPartition(topic, partition))] = Claimed(next_offset, epoch, was)
        return claims

    def _values(self, partitions: Iterable[int], topic_ids: TopicIds) -> dict[str, Any]:
        columns = self._topics.columns(partitions)
        return columns | {"topic_ids": [topic_ids.get(topic) for topic in columns["topics"]]}

    def _holders(self, partitions: list[int]) -> str:
        """Which of them are in an open transaction, and whose; "" when it has just ended."""
        connection = self.connection()
        with connection.transaction():
            rows = connection.execute(read_sql(__package__, "holders"), self._topics.columns(partitions)).fetchall()
        said = []
        for topic, held, pid, host, silent_s in rows:
            which = f"partition{'' if len(held) == 1 else 's'} {', '.join(map(str, held))}"
            which += "" if topic == self._topics.main else f" of {topic}"
            said.append(f"{which} held by a loader that is silent for {silent_s:.0f} s (pid {pid} on the server, from {host})")
        return "; ".join(said)
