"""The newest records of a topic, to be looked at: no group, no offsets, nothing is changed there."""

from __future__ import annotations

import time
from typing import Any, Final

from kafka import KafkaConsumer

from ..contract.events import PRODUCER_HEADER
from ..contract.rejected import Rejected
from ..errors import EcomLiteError
from ..topic.client import Config, explained, offset_range, partitions_of
from .records import Record

POLL_MS: Final = 200
SILENCE_S: Final = 15.0  # without a record the broker is given up


def newest(config: Config, topic: str, last: int) -> list[tuple[Record, bool]]:
    """The last records by Kafka's time, the oldest first, and whether each is of a simulated shop. Raises EcomLiteError."""
    first, end = offset_range(config, topic)
    found: list[Any] = []
    with explained(config, f"reading topic {topic}"):
        consumer = KafkaConsumer(**config, group_id=None, enable_auto_commit=False)
        try:
            parts = [part for part in partitions_of(consumer, topic) if end[part.partition] > first[part.partition]]
            consumer.assign(parts)
            for part in parts:
                consumer.seek(part, max(first[part.partition], end[part.partition] - last))
            give_up = time.monotonic() + SILENCE_S
            while any(consumer.position(part) < end[part.partition] for part in parts):
                for records in consumer.poll(timeout_ms=POLL_MS).values():
                    found += [record for record in records if record.offset < end[record.partition]]
                    give_up = time.monotonic() + SILENCE_S
                if time.monotonic() > give_up:
                    raise EcomLiteError(f"topic {topic}: no record has come for {SILENCE_S:g} s: does the broker answer?")
        finally:
            consumer.close()
    found.sort(key=lambda record: (record.timestamp, record.partition, record.offset))
    return [(_record(one), bool(one.headers) and one.headers[0][0] == PRODUCER_HEADER) for one in found[-last:]]


def _record(found: Any) -> Record:
    where = f"{found.partition}:{found.offset}"
    return Record(where, found.value, Rejected("empty", "no value") if found.value is None else None)
