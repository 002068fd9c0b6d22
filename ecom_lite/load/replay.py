"""Loads records that come from elsewhere than the broker, as the loader would have: for a warehouse that is made anew."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import psycopg
from kafka import TopicPartition

from ..errors import UsageError
from ..settings.tree import Settings
from ..topic.records import Record
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .attributes import AttributeColumns
from .claims import Claims
from .commit import Committer
from .decode import Batch, Part, readers_of
from .retry import Patience
from .topics import Topics
from .write import Writer

READER: Final = "ecom_reader"


@dataclass(frozen=True)
class Slice:
    """Records of one partition in order; it accounts for the offsets [first, end). `now` is when they were on the broker."""

    first: int
    end: int
    now: datetime
    records: list[Record]


@dataclass
class Replayed:
    """What came of it, in this call."""

    records: int = 0
    facts: int = 0
    duplicates: int = 0
    other: int = 0
    dead: int = 0

    def as_json(self) -> dict[str, int]:
        return asdict(self)


class Replay:
    """Fills an empty warehouse. `mark` is that of the warehouse that first loaded these records: its own shops' are read as such,
    and counted as foreign: the ledger of what was sent is not here. Nothing goes to Kafka.

    What is in stays in: after an end half-way the next one goes on. Raises UsageError where the warehouse has other facts,
    LoadError, psycopg.Error.
    """

    def __init__(self, settings: Settings, address: Address, mark: str) -> None:
        self.done = Replayed()
        self._settings = settings
        self._address = address
        self._mark = mark.encode()
        self._topics = Topics(settings.kafka.topic, settings.topics[1:])
        self._claims = Claims(address, self._topics)
        self._writer = Writer(address, self._topics)
        self._writer.attributes = AttributeColumns(settings.events.attributes)
        self._patience = Patience(time.sleep)
        self._committer = Committer(self._writer, lambda letters: None, lambda batch: None, self._patience)

    def __enter__(self) -> Replay:
        return self

    def __exit__(self, *_: object) -> None:
        self._claims.close()
        self._writer.close()

    def begin(self) -> None:
        """Note that the warehouse is being rebuilt. Raises UsageError where it has facts and no rebuild has begun them."""
        with self._address.connect(READER) as reader:
            rebuilding, facts, offsets = self._one(reader, "rebuild_state")
        if not rebuilding and (facts or offsets):
            there = f"{facts:,} facts" if facts else f"{offsets:,} offsets of Kafka accounted for"
            raise UsageError(
                f"the warehouse at {self._address.place} has {there}: only an empty one is rebuilt. `ecom_lite run` loads what "
                "is missing from Kafka; to rebuild, name another database (postgres.database or postgres.url)"
            )
        with self._address.connect("ecom_loader") as loader:
            if not rebuilding:
                loader.execute(read_sql(__package__, "rebuild_begin"))
        self._claims.learn_numbers()
        self._readers = readers_of(self._settings, self._topics)

    def load(self, topic: str, partition: int, topic_id: UUID | None, slices: Iterable[Slice]) -> None:
        """All of one partition. Offsets that no slice accounts for are noted as lost (ops.gaps)."""
        number = self._topics.of(TopicPartition(topic, partition))
        batch, end, epoch = self._new_batch(), -1, 0
        for each in slices:
            if end < each.first:
                self._commit(batch)
                claim = partial(self._claims.claim, {number: each.first}, {topic: topic_id})
                claimed = self._patience.run(claim, self._claims.close)[number]
                batch, end, epoch = self._new_batch(), max(end, claimed.next_offset), claimed.epoch
            if each.end <= end:  # loaded before an end half-way
                continue
            records = [record._replace(partition=number) for record in each.records if record.offset >= end]
            batch.add(Part(number, records, end, each.end, epoch), each.now)
            end = each.end
            if batch.rows >= self._settings.load.batch_rows:
                self._commit(batch)
                batch = self._new_batch()
        self._commit(batch)

    def end(self) -> None:
        """Note that it is whole."""
        with self._address.connect("ecom_loader") as loader:
            loader.execute(read_sql(__package__, "rebuild_end"), self.done.as_json())

    def _new_batch(self) -> Batch:
        return Batch(mark=self._mark, readers=self._readers, currency=self._settings.currency.default)

    def _commit(self, batch: Batch) -> None:
        if not batch.extents:
            return
        for extent in batch.extents.values():
            extent.own = 0
        batch, written = self._committer.commit(batch)
        done = self.done
        done.records += batch.records
        done.facts += written.facts
        done.duplicates += written.duplicates
        done.other += written.other
        done.dead += written.dead

    def _one(self, connection: psycopg.Connection, statement: str, **values: Any) -> tuple[Any, ...]:
        row = connection.execute(read_sql(__package__, statement), values).fetchone()
        assert row is not None
        return row


def topic_id_of(about: Mapping[str, Any]) -> UUID | None:
    """Of what is written about a topic's records."""
    return UUID(about["topic_id"]) if about.get("topic_id") else None
