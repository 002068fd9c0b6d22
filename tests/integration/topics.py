"""What is really in a topic, read by Kafka's own client."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from kafka import KafkaConsumer

from ecom_lite.topic.client import end_offsets, partitions_of
from tests.runs import DEADLINE_S


def records_of(client: Mapping[str, Any], topic: str) -> list[Any]:
    """All records that the topic holds now, partition after partition."""
    config = {"max_partition_fetch_bytes": 8_000_000, **client}
    ends = end_offsets(config, topic)
    consumer = KafkaConsumer(**config, group_id=None, auto_offset_reset="earliest")
    found: dict[int, list[Any]] = {number: [] for number in ends}
    try:
        parts = partitions_of(consumer, topic)
        consumer.assign(parts)
        give_up = time.monotonic() + DEADLINE_S
        while any((consumer.position(part) or 0) < ends[part.partition] for part in parts):  # None: not yet found out
            assert time.monotonic() < give_up, f"{topic} cannot be read to its end {ends}"
            for part, records in consumer.poll(timeout_ms=200, max_records=20_000).items():
                found[part.partition] += records
    finally:
        consumer.close()
    return [record for number in sorted(found) for record in found[number]]
