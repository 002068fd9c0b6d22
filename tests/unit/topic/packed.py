"""A packer without a broker: what it hands over is kept, and a test says what became of it."""

from __future__ import annotations

from typing import Any, cast

from kafka import TopicPartition
from kafka.record.memory_records import MemoryRecords

from ecom_lite.topic.batch_producer import BatchProducer
from ecom_lite.topic.packer import Packer
from ecom_lite.topic.record_batch import WholeBatch


class Handed(WholeBatch):
    """A batch, and a look into it."""

    def read_header(self) -> Any:
        self.records.set_producer_state(1, 0, 0, False)
        self.records.close()
        return MemoryRecords(bytes(self.records.buffer())).next_batch()

    def read(self) -> list[Any]:
        return list(self.read_header())


class NoBroker:
    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self.handed: list[Handed] = []
        self.now_ms = 1_700_000_000_000
        self.woken = 0

    def packer(self) -> Packer[object]:
        return Packer(cast(BatchProducer, self), "t", object, now=lambda: (self.now_ms + 0.5) / 1000)

    def partitions_for(self, topic: str) -> set[int]:
        return set(range(self._partitions))

    def hand_over(self, topic: str, partition: int, body: bytes, records: int, first_ms: int, last_ms: int) -> Handed:
        self.handed.append(Handed(TopicPartition(topic, partition), body, records, first_ms, last_ms))
        return self.handed[-1]

    def wake(self) -> None:
        self.woken += 1
