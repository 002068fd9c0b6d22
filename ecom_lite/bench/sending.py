"""Each stage of the producer alone: making events, putting them into record batches, sending batches. Nothing overlaps here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Event
from types import TracebackType
from typing import Any, Final, NamedTuple, cast

from kafka import TopicPartition

from ..contract.events import PRODUCER_HEADER
from ..errors import EcomLiteError
from ..produce.pace import UNPACED_ORDERS
from ..settings.tree import Settings
from ..simulate import Outgoing
from ..topic.batch_producer import BatchProducer
from ..topic.client import end_offsets, explained
from ..topic.packer import Packer
from ..topic.record_batch import WholeBatch, headers
from .backlog import ACK_TIMEOUT_S, SETTLE_S, stream

HELD: Final = 100_000  # events in memory at a time, or batches of so many


class Stage(NamedTuple):
    """`rate` is events per second, `cpu_us` what an event takes of the benchmark's own process, all its threads."""

    rate: float
    cpu_us: float


class _Stopwatch:
    """Adds up the stretches that it is entered for."""

    def __init__(self) -> None:
        self._seconds = self._cpu_s = 0.0

    def __enter__(self) -> None:
        self._began, self._cpu_began = time.perf_counter(), time.process_time()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._seconds += time.perf_counter() - self._began
        self._cpu_s += time.process_time() - self._cpu_began

    def stage(self, events: int) -> Stage:
        return Stage(events / self._seconds, self._cpu_s / events * 1e6)


class _Kept:
    """Stands in for the client: what is handed over is kept."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self.batches: list[WholeBatch] = []

    def packer(self, topic: str) -> Packer[None]:
        return Packer(cast(BatchProducer, self), topic, lambda: None)

    def partitions_for(self, topic: str) -> set[int]:
        return set(range(self._partitions))

    def hand_over(self, topic: str, partition: int, body: bytes, records: int, first_ms: int, last_ms: int) -> WholeBatch:
        batch = WholeBatch(TopicPartition(topic, partition), body, records, first_ms, last_ms)
        self.batches.append(batch)
        return batch

    def wake(self) -> None:
        pass


class _Dropped(_Kept):
    """... or made ready for the broker, called acknowledged, and dropped."""

    def hand_over(self, topic: str, partition: int, body: bytes, records: int, first_ms: int, last_ms: int) -> WholeBatch:
        batch = WholeBatch(TopicPartition(topic, partition), body, records, first_ms, last_ms)
        batch.records.set_producer_state(0, 0, 0, False)
        batch.records.close()
        batch.complete(0, -1)
        return batch


def generate(settings: Settings, events: int) -> Stage:
    """The shop's events, asked for as the producer does at `--rate max`, and dropped."""
    watch, made = _Stopwatch(), 0
    with watch:
        for batch in stream(settings, 0, UNPACED_ORDERS):
            made += len(batch)
            if made >= events:
                break
    return watch.stage(made)


def encode(settings: Settings, events: int) -> Stage:
    """Events in memory into record batches, compressed and closed; no broker."""
    packer, mark = _Dropped(settings.kafka.partitions).packer(settings.kafka.topic), _mark(settings)
    watch = _Stopwatch()
    for held in _held(settings, events):
        with watch:
            _pack(packer, held, mark)
    return watch.stage(events)


def send(settings: Settings, client: dict[str, Any], events: int) -> Stage:
    """Batches that are ready through the client onto the new topic of `settings`, HELD events at a time, until the last one is
    acknowledged. Raises EcomLiteError."""
    kept, mark = _Kept(settings.kafka.partitions), _mark(settings)
    watch, pause = _Stopwatch(), Event()
    with explained(client, "sending batches"):
        producer = BatchProducer(client)
        try:
            producer.partitions_for(settings.kafka.topic)  # it is connected before the clock runs
            for held in _held(settings, events):
                _pack(kept.packer(settings.kafka.topic), held, mark)
                with watch:
                    for batch in kept.batches:
                        producer.put(batch)
                    producer.wake()
                    for batch in kept.batches:
                        _wait(batch, pause)
                kept.batches.clear()
        finally:
            producer.close(timeout=2)
    arrived = sum(end_offsets(client, settings.kafka.topic).values())
    if arrived != events:
        raise EcomLiteError(f"the topic has {arrived} records and not {events}: another producer writes to this broker")
    return watch.stage(events)


def _wait(batch: WholeBatch, pause: Event) -> None:
    """Raises the KafkaError that it was given up for."""
    give_up = time.monotonic() + ACK_TIMEOUT_S
    while not batch.is_done:
        if time.monotonic() > give_up:
            raise EcomLiteError(f"the benchmark's Kafka acknowledged nothing for {ACK_TIMEOUT_S} s")
        pause.wait(SETTLE_S)
    assert batch.offset >= 0


def _pack(packer: Packer[None], held: list[list[Outgoing]], mark: bytes) -> None:
    add = packer.add
    for batch in held:
        packer.turn()
        for event in batch:
            add(event.key, event.value, mark)
        for _ in packer.acknowledged():
            pass
    packer.flush()


def _held(settings: Settings, events: int) -> Iterator[list[list[Outgoing]]]:
    """So many events in all, in the producer's batches, about HELD of them at a time."""
    held: list[list[Outgoing]] = []
    size = done = 0
    for batch in stream(settings, 0, UNPACED_ORDERS):
        held.append(batch[: events - done])
        done += len(held[-1])
        size += len(held[-1])
        if size >= HELD or done == events:
            yield held
            held, size = [], 0
        if done == events:
            return


def _mark(settings: Settings) -> bytes:
    return headers((PRODUCER_HEADER, f"seed-{settings.shop.seed}".encode()))
