"""One batch, one transaction: dimensions, facts, other events, dead letters, counts, and the compare-and-set of the offsets."""

from __future__ import annotations

import base64
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from kafka import TopicPartition
from psycopg.types.json import Jsonb

from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .attributes import AttributeColumns
from .decode import Batch, DeadLetter
from .dimensions import Dimensions
from .facts import Facts, fact_sql
from .others import insert_others
from .session import open_session
from .topics import Topics

log = logging.getLogger("ecom_lite.load")


class StaleOwner(Exception):
    """Another loader has taken these partitions over: nothing of the batch was written."""

    def __init__(self, partitions: list[str]) -> None:
        super().__init__(f"partitions {', '.join(partitions)} belong to another loader now")
        self.partitions = partitions


@dataclass(frozen=True)
class Written:
    """What became of a batch's records."""

    facts: int
    duplicates: int
    other: int
    dead: int


def _pass(point: str) -> None:
    """No harness is watching."""


class Writer:
    """Owns one connection as ecom_loader, and the key cache that is true for it.

    `at` is called at the points of each transaction: "begun" (compared and locked), "copying" (the server waits for more lines),
    "copied" (the lines are in), "filled" (all rows, counts and offsets are in), "committed" (the reply has come). The faults
    harness strikes there.
    """

    def __init__(self, address: Address, topics: Topics, at: Callable[[str], None] = _pass) -> None:
        self._address = address
        self._topics = topics
        self._at = at
        self._dimensions = Dimensions()
        self.facts = Facts(at)
        self.attributes = AttributeColumns()  # none, until its owner says which; before the first batch
        self._connection: psycopg.Connection | None = None
        self._last = Written(0, 0, 0, 0)  # what the newest transaction writes, should it be committed

    def close(self) -> None:
        """Drop the connection (whatever its state) and all that was learnt on it. Safe to repeat."""
        connection, self._connection = self._connection, None
        self._dimensions.forget()
        self.attributes.forget()
        if connection is not None:
            connection.close()

    def connection(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self.close()
            connection = open_session(self._address)
            connection.execute(fact_sql("temp_facts", self.attributes))
            connection.commit()
            self._connection = connection
        return self._connection

    def prune(self) -> None:
        """House-keeping. Raises psycopg.Error."""
        connection = self.connection()
        with connection.transaction():
            connection.execute(read_sql(__package__, "prune_batches"))

    def write(self, batch: Batch) -> Written:
        """Commit the batch, whole. Safe to repeat after a lost connection: a batch that is in stays in, once.

        Raises StaleOwner (nothing written) or psycopg.Error.
        """
        connection = self.connection()
        try:
            if not self._is_in(connection, batch):
                self._at("begun")
                self._last = self._fill(connection, batch)
                self._at("filled")
            connection.commit()
            self._at("committed")
        except BaseException:
            self._roll_back(connection)
            raise
        return self._last

    def try_rows(self, batch: Batch) -> None:
        """Write the rows of a part of a batch and roll back. Raises what they cause."""
        connection = self.connection()
        try:
            self._rows(connection, batch)
        finally:
            self._roll_back(connection)

    def _roll_back(self, connection: psycopg.Connection) -> None:
        self._dimensions.forget()
        self.attributes.forget()
        with suppress(psycopg.Error):  # a broken connection has nothing to roll back
            connection.rollback()

    def _is_in(self, connection: psycopg.Connection, batch: Batch) -> bool:
        """Compare and lock: False when our offsets are where the batch begins, True when a lost COMMIT had put it in."""
        rows = connection.execute(read_sql(__package__, "lock_offsets"), self._topics.columns(batch.extents)).fetchall()
        found = {self._topics.of(TopicPartition(*row[:2])): (row[2], row[3]) for row in rows}
        extents = batch.extents.items()
        if all(found.get(p) == (extent.end, extent.epoch) for p, extent in extents):
            log.info("a lost COMMIT reply was settled: the batch was in")
            return True
        stale = [p for p, extent in extents if found.get(p) != (extent.start, extent.epoch)]
        if stale:
            raise StaleOwner([self._topics.called(p) for p in sorted(stale)])
        return False

    def _fill(self, connection: psycopg.Connection, batch: Batch) -> Written:
        facts, other = self._rows(connection, batch)
        if batch.dead:
            self._dead(connection, batch.dead)
        dead = Counter(letter.partition for letter in batch.dead)
        self._advance(connection, batch, facts, other, dead)
        written = Written(
            facts.total(), len(batch.lines) + len(batch.others) - facts.total() - other.total(), other.total(), len(batch.dead)
        )
        if batch.records:
            self._record_batch(connection, batch, written)
        return written

    def _rows(self, connection: psycopg.Connection, batch: Batch) -> tuple[Counter[int], Counter[int]]:
        """Facts and other events really inserted, by partition; the rest of them are duplicates."""
        facts: Counter[int] = Counter()
        others: Counter[int] = Counter()
        if batch.lines or batch.others:
            self._dimensions.resolve(connection, batch)
        if batch.lines:
            self.attributes.resolve(connection, batch.lines)
            facts = self.facts.insert(connection, batch, self._dimensions, self.attributes)
        if batch.others:
            others = insert_others(connection, batch.others)
        self._dimensions.describe(connection)
        return facts, others

    def _dead(self, connection: psycopg.Connection, letters: Sequence[DeadLetter]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(read_sql(__package__, "insert_dead_letters"), [self._dead_row(d) for d in letters])

    def _advance(
        self, connection: psycopg.Connection, batch: Batch, facts: Counter[int], other: Counter[int], dead: Counter[int]
    ) -> None:
        extents, further = batch.extents.items(), batch.further_by_partition()
        connection.execute(
            read_sql(__package__, "advance"),
            self._topics.columns(batch.extents)
            | {
                "ends": [extent.end for _, extent in extents],
                "own": [extent.own for _, extent in extents],
                "facts": [facts[p] for p, _ in extents],
                "duplicates": [extent.records + further.get(p, 0) - facts[p] - other[p] - dead[p] for p, extent in extents],
                "further": [further.get(p, 0) for p, _ in extents],
                "other": [other[p] for p, _ in extents],
                "dead": [dead[p] for p, _ in extents],
                "markers": [extent.end - extent.start - extent.records for _, extent in extents],
                "newest": [extent.newest for _, extent in extents],
                "times": [broker_time(extent.newest_ms) for _, extent in extents],
            },
        )

    def _record_batch(self, connection: psycopg.Connection, batch: Batch, written: Written) -> None:
        connection.execute(
            read_sql(__package__, "insert_batch"),
            {
                "records": batch.records, "facts": written.facts, "duplicates": written.duplicates, "other": written.other,
                "dead": written.dead, "oldest": broker_time(batch.oldest_ms), "newest": broker_time(batch.newest_ms),
                "offsets": Jsonb({self._topics.called(p): [e.start, e.end] for p, e in sorted(batch.extents.items())}),
            },
        )  # fmt: skip

    def _dead_row(self, letter: DeadLetter) -> tuple[Any, ...]:
        headers = [
            [name.replace("\0", ""), None if value is None else base64.b64encode(value).decode()]
            for name, value in letter.headers
        ]
        return (
            *self._topics.place(letter.partition), letter.offset, broker_time(letter.broker_time_ms), letter.key, letter.value,
            Jsonb(headers), letter.reason, letter.detail.replace("\0", "\\0"), letter.error_class,
        )  # fmt: skip


def broker_time(ms: int | None) -> datetime | None:
    """Of a record's milliseconds; None where they are no time."""
    try:
        return None if ms is None or ms < 0 else datetime.fromtimestamp(ms / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
