"""One batch, one transaction: dimensions, facts, other events, dead letters, counts, and the compare-and-set of the offsets."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from ..events import OrderReversal, UserChange
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .decode import Batch, DeadLetter
from .dimensions import Dimensions
from .rows import copy_payload


class StaleOwner(Exception):
    """Another loader has taken these partitions over: nothing of the batch was written."""

    def __init__(self, partitions: list[int]) -> None:
        super().__init__(f"partitions {partitions} belong to another loader now")
        self.partitions = partitions


@dataclass(frozen=True)
class Written:
    """What became of a batch's records."""

    facts: int
    duplicates: int
    other: int
    dead: int


class Writer:
    """Owns one connection as ecom_loader, and the key cache that is true for it."""

    def __init__(self, address: Address, topic: str) -> None:
        self._address = address
        self._topic = topic
        self._dimensions = Dimensions()
        self._connection: psycopg.Connection | None = None

    def close(self) -> None:
        """Drop the connection (whatever its state) and all that was learnt on it. Safe to repeat."""
        connection, self._connection = self._connection, None
        self._dimensions.forget()
        if connection is not None:
            connection.close()

    def connection(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._dimensions.forget()
            connection = self._address.connect("ecom_loader")
            connection.execute(read_sql(__package__, "temp_facts"))
            connection.commit()
            self._connection = connection
        return self._connection

    def claim(self, beginnings: dict[int, int]) -> dict[int, tuple[int, int]]:
        """Take partitions over: partition -> (next_offset, epoch). A partition never seen starts at its beginning."""
        connection = self.connection()
        claims = {}
        for partition, beginning in sorted(beginnings.items()):
            row = connection.execute(
                read_sql(__package__, "claim"), {"topic": self._topic, "partition": partition, "beginning": beginning}
            ).fetchone()
            assert row is not None
            claims[partition] = (int(row[0]), int(row[1]))
        connection.commit()
        return claims

    def record_lost(self, partition: int, start: int, epoch: int, beginning: int) -> None:
        """Account for offsets that retention removed before they were loaded, and say so in ops.service_events."""
        connection = self.connection()
        connection.execute(
            read_sql(__package__, "record_lost"),
            {"topic": self._topic, "partition": partition, "start": start, "epoch": epoch, "beginning": beginning},
        )
        connection.execute(
            "INSERT INTO ops.service_events (service, event, detail) VALUES ('load', 'lost', %s)",
            [f"{self._topic}[{partition}]: offsets {start} .. {beginning - 1} were removed by retention before they were loaded"],
        )
        connection.commit()

    def positions(self, partitions: list[int]) -> dict[int, int]:
        """next_offset as the database has it: settles a COMMIT whose reply was lost."""
        rows = self.connection().execute(
            "SELECT partition, next_offset FROM ops.consumer_offsets WHERE topic = %s AND partition = ANY(%s)",
            [self._topic, partitions],
        )
        found: dict[int, int] = dict(rows.fetchall())
        self.connection().rollback()
        return found

    def write(self, batch: Batch) -> Written:
        """Commit the batch, whole. Raises StaleOwner (nothing written) or psycopg.Error."""
        connection = self.connection()
        try:
            written = self._fill(connection, batch)
            connection.commit()
        except BaseException:
            self._dimensions.forget()
            if not connection.closed:
                connection.rollback()
            raise
        return written

    def try_rows(self, batch: Batch) -> psycopg.Error | None:
        """Write the rows of a part of a batch and roll back: the error that they cause, if they cause one."""
        connection = self.connection()
        try:
            self._rows(connection, batch)
        except psycopg.DataError as error:
            return error
        except psycopg.IntegrityError as error:
            return error
        finally:
            self._dimensions.forget()
            if not connection.closed:
                connection.rollback()
        return None

    def _fill(self, connection: psycopg.Connection, batch: Batch) -> Written:
        facts, other = self._rows(connection, batch)
        if batch.dead:
            with connection.cursor() as cursor:
                cursor.executemany(read_sql(__package__, "insert_dead_letters"), [self._dead_row(d) for d in batch.dead])
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
        if not (batch.lines or batch.others):
            return facts, others
        xid = _scalar(connection.execute("SELECT pg_current_xact_id()::text::bigint"))
        self._dimensions.resolve(connection, batch)
        if batch.lines:
            facts = self._facts(connection, batch, xid)
        reversals = [other for other in batch.others if isinstance(other.event, OrderReversal)]
        changes = [other for other in batch.others if isinstance(other.event, UserChange)]
        if reversals:
            events: list[Any] = [reversal.event for reversal in reversals]
            others += _count(connection, "insert_returns", xid, reversals, {
                "order_ids": [e.order_id for e in events], "product_ids": [e.product_id for e in events],
                "kinds": [e.event_type for e in events], "quantities": [e.quantity for e in events],
                "reasons": [e.reason for e in events],
            })  # fmt: skip
        if changes:
            people: list[Any] = [change.event for change in changes]
            others += _count(connection, "insert_user_changes", xid, changes, {
                "user_ids": [e.user_id for e in people], "kinds": [e.event_type for e in people],
                "names": [e.name for e in people], "emails": [e.email for e in people],
                "cities": [e.city for e in people], "countries": [e.country for e in people],
            })  # fmt: skip
            connection.execute(read_sql(__package__, "update_profiles"), {"user_ids": sorted({e.user_id for e in people})})
        return facts, others

    def _facts(self, connection: psycopg.Connection, batch: Batch, xid: int) -> Counter[int]:
        keys = self._dimensions
        payload = copy_payload(batch.lines, keys.products, keys.users, keys.categories)
        with connection.cursor() as cursor:
            with cursor.copy("COPY incoming_facts FROM STDIN (FORMAT binary)") as copy:
                copy.write(payload)
            cursor.execute(read_sql(__package__, "insert_facts"), {"xid": xid})
            if cursor.rowcount == len(batch.lines):
                return Counter(line.partition for line in batch.lines)
            return Counter(dict(cursor.execute(read_sql(__package__, "inserted_by_partition"), {"xid": xid}).fetchall()))

    def _advance(
        self, connection: psycopg.Connection, batch: Batch, facts: Counter[int], other: Counter[int], dead: Counter[int]
    ) -> None:
        stale = []
        for partition, extent in sorted(batch.extents.items()):
            known = facts[partition] + other[partition] + dead[partition]
            moved = connection.execute(
                read_sql(__package__, "advance"),
                {
                    "topic": self._topic, "partition": partition, "start": extent.start, "end": extent.end, "epoch": extent.epoch,
                    "own": extent.own, "facts": facts[partition], "other": other[partition], "dead": dead[partition],
                    "duplicates": extent.records - known, "markers": extent.end - extent.start - extent.records,
                },
            ).rowcount  # fmt: skip
            if not moved:
                stale.append(partition)
        if stale:
            raise StaleOwner(stale)

    def _record_batch(self, connection: psycopg.Connection, batch: Batch, written: Written) -> None:
        connection.execute(
            read_sql(__package__, "insert_batch"),
            {
                "records": batch.records, "facts": written.facts, "duplicates": written.duplicates, "other": written.other,
                "dead": written.dead, "oldest": _time(batch.oldest_ms), "newest": _time(batch.newest_ms),
                "offsets": Jsonb({str(p): [e.start, e.end] for p, e in sorted(batch.extents.items())}),
            },
        )  # fmt: skip

    def _dead_row(self, letter: DeadLetter) -> tuple[Any, ...]:
        headers = [[name, base64.b64encode(value or b"").decode()] for name, value in letter.headers]
        return (
            self._topic, letter.partition, letter.offset, _time(letter.broker_time_ms), letter.key, letter.value,
            Jsonb([[name.replace("\0", ""), value] for name, value in headers]), letter.reason,
            letter.detail.replace("\0", "\\0"), letter.error_class,
        )  # fmt: skip


def _count(connection: psycopg.Connection, name: str, xid: int, others: list[Any], columns: dict[str, Any]) -> Counter[int]:
    common = {
        "xid": xid,
        "times": [o.event.timestamp for o in others],
        "partitions": [o.partition for o in others],
        "offsets": [o.offset for o in others],
    }
    return Counter(partition for (partition,) in connection.execute(read_sql(__package__, name), common | columns))


def _scalar(cursor: psycopg.Cursor[Any]) -> int:
    row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def _time(ms: int | None) -> datetime | None:
    try:
        return None if ms is None or ms < 0 else datetime.fromtimestamp(ms / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
