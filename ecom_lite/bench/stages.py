"""Each stage of the loader alone: reading the backlog, decoding it, writing it. Nothing overlaps here."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, Final, NamedTuple

from kafka import KafkaConsumer, TopicPartition

from ..contract.events import utc_now
from ..errors import EcomLiteError
from ..load.claims import Claims
from ..load.decode import Batch, Part
from ..load.loader import CONSUMER, GC_THRESHOLDS, POLL_RECORDS, TICK_S
from ..load.topics import Topics
from ..load.write import Writer
from ..settings.tree import Settings
from ..topic.client import explained, partitions_of
from ..topic.records import read_quickly
from ..warehouse.connect import Address

HELD: Final = 100_000  # records in memory at a time, for decode and write
PATIENCE_S: Final = 30.0


class Stages(NamedTuple):
    decode: float
    write: float


def consume(settings: Settings, client: dict[str, Any], events: int) -> float:
    """Events per second of polling the whole backlog as the loader does, and dropping it."""
    with _like_the_loader(), reader(settings, client, {}) as reading:
        began = time.perf_counter()
        for _ in reading.polls(events):
            pass
        return events / (time.perf_counter() - began)


def decode_and_write(settings: Settings, client: dict[str, Any], address: Address, events: int) -> Stages:
    """Events per second of `Batch.add` over records in memory, and of `Writer.write` over batches decoded beforehand.

    Both go through the whole backlog, HELD records at a time; the reading in between is not on any clock.
    """
    topics = Topics(settings.kafka.topic)
    writer = Writer(address, topics)
    decoding = writing = 0.0
    with _like_the_loader():
        try:
            with closing(Claims(address, topics)) as taking:
                claims = taking.claim({partition: 0 for partition in range(settings.kafka.partitions)})
            at = {partition: claim.next_offset for partition, claim in claims.items()}
            epochs = {partition: claim.epoch for partition, claim in claims.items()}
            done = 0
            while done < events:
                groups = _read(settings, client, at, epochs, min(HELD, events - done))
                gc.collect()
                gc.freeze()  # what is only held for the measurement is not looked through during it
                began = time.perf_counter()
                for group in groups:
                    _decode(group)
                decoding += time.perf_counter() - began
                batches = [_decode(group) for group in groups]
                began = time.perf_counter()
                for batch in batches:
                    writer.write(batch)
                writing += time.perf_counter() - began
                done += sum(batch.records for batch in batches)
                gc.unfreeze()
        finally:
            writer.close()
    return Stages(events / decoding, events / writing)


def _decode(parts: list[Part]) -> Batch:
    batch, now = Batch(), utc_now()
    for part in parts:
        batch.add(part, now)
    return batch


def _read(
    settings: Settings, client: dict[str, Any], at: dict[int, int], epochs: Mapping[int, int], count: int
) -> list[list[Part]]:
    """The next `count` records as the parts of each batch; the client is gone when this returns. Moves `at` on."""
    groups: list[list[Part]] = [[]]
    size = 0
    with reader(settings, client, at) as reading:
        for polled in reading.polls(count):
            for tp, records in polled.items():
                start, end = at[tp.partition], records[-1].offset + 1
                groups[-1].append(Part(tp.partition, records, start, end, epochs[tp.partition]))
                at[tp.partition] = end
                size += len(records)
            if size >= settings.load.batch_rows:
                groups.append([])
                size = 0
    return [group for group in groups if group]


class Reader:
    """The loader's consumer, without its group: what is read is said here."""

    def __init__(self, consumer: KafkaConsumer, batch_rows: int) -> None:
        self._consumer = consumer
        self._batch_rows = batch_rows

    def polls(self, count: int) -> Iterator[Mapping[TopicPartition, list[Any]]]:
        """What each poll brings, until it is `count` records."""
        give_up = time.monotonic() + PATIENCE_S
        in_batch = 0
        while count:
            most = min(POLL_RECORDS, self._batch_rows - in_batch, count)
            polled = self._consumer.poll(timeout_ms=int(TICK_S * 1000), max_records=most)
            got = sum(map(len, polled.values()))
            if got:
                give_up = time.monotonic() + PATIENCE_S
                count -= got
                in_batch = (in_batch + got) % self._batch_rows
                yield polled
            elif time.monotonic() > give_up:
                raise EcomLiteError(f"the benchmark's Kafka gave nothing for {PATIENCE_S:g} s, with {count} records to come")


@contextmanager
def reader(settings: Settings, client: dict[str, Any], at: Mapping[int, int]) -> Iterator[Reader]:
    """From the offsets `at`, the topic's beginning where nothing is said."""
    with explained(client, "reading the backlog"):
        wait_ms = min(100, settings.load.flush_ms)
        consumer = KafkaConsumer(**client, **CONSUMER, group_id=None, fetch_max_wait_ms=wait_ms)
        try:
            read_quickly(consumer)
            parts = partitions_of(consumer, settings.kafka.topic)
            consumer.assign(parts)
            for part in parts:
                consumer.seek(part, at.get(part.partition, 0))
            yield Reader(consumer, settings.load.batch_rows)
        finally:
            consumer.close()


@contextmanager
def _like_the_loader() -> Iterator[None]:
    """Its garbage collector."""
    before = gc.get_threshold()
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
