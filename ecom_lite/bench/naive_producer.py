"""The producer that everybody writes first: `json.dumps` and the client's `send` for each event."""

from __future__ import annotations

import json
import time
from itertools import chain
from typing import Any, Final

from kafka import KafkaProducer

from ..errors import CheckFailed
from ..settings.tree import Settings
from ..topic.client import end_offsets, explained
from .backlog import ACK_TIMEOUT_S, stream

SLICE: Final = 50_000  # events


def naive_producer(settings: Settings, client: dict[str, Any], events: int) -> float:
    """Events per second, from the first `send` to the last acknowledgement; the events are there as dicts beforehand.

    As safe as ours (acks=all, idempotent) and compressed alike; the client's own settings otherwise. Raises CheckFailed.
    """
    topic, dicts = settings.kafka.topic, []
    for event in chain.from_iterable(stream(settings, 0)):
        dicts.append(json.loads(event.value or b""))
        if len(dicts) == events:
            break
    with explained(client, "the naive producer"):
        producer = KafkaProducer(**client, acks="all", enable_idempotence=True, compression_type="lz4")
        try:
            producer.partitions_for(topic)
            began = time.perf_counter()
            for each in dicts:
                producer.send(topic, json.dumps(each).encode(), str(each["user_id"]).encode())
            producer.flush(ACK_TIMEOUT_S)
            seconds = time.perf_counter() - began
        finally:
            producer.close(timeout=2)
    arrived = sum(end_offsets(client, topic).values())
    if arrived != events:
        raise CheckFailed(f"the naive producer sent {events} events, and the topic has {arrived}")
    return events / seconds
