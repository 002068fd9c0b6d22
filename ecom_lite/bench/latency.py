"""How long an event takes at a steady, moderate rate: from the broker's timestamp to the commit of its batch."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from kafka import KafkaConsumer

from ..errors import EcomLiteError
from ..settings.tree import Settings
from ..topic.client import end_offsets, explained, partitions_of
from ..warehouse.connect import Address
from .backlog import trickle
from .process import check, loader_process
from .rig import Rig, ask
from .watch import Seen, Watch

RATE: Final = 500  # events per second
WATCH_S: Final = 0.005
POLL_MS: Final = 500
QUIET_POLLS: Final = 20


class Latency(NamedTuple):
    """Milliseconds."""

    p50: float
    p95: float
    p99: float
    worst: float


def latency(rig: Rig, settings: Settings, address: Address, seconds: float) -> Latency:
    """Of every record sent at RATE for `seconds` seconds, the first ones too.

    The time of a commit is that at which a second connection, asking every WATCH_S, first sees the record's offset
    committed: `loaded_at` would flatter, as it is the time at which a transaction begins.
    """
    ordered = delays(rig, settings, address, seconds)
    return Latency(*(percentile(ordered, share) for share in (0.5, 0.95, 0.99, 1.0)))


def delays(rig: Rig, settings: Settings, address: Address, seconds: float, first_order: int = 0) -> list[float]:
    """Milliseconds of each record, the least first; the warehouse may hold other facts. Raises CheckFailed."""
    topic = settings.kafka.topic
    (above,) = ask(address, "newest_xid")
    with Watch(address, topic, WATCH_S) as watch, loader_process(rig, settings, address) as process:
        process.start()
        sent = trickle(settings, rig.client, RATE, seconds, first_order)
        watch.until(end_offsets(rig.client, topic), process.check)
    check(address, topic, sent, above)
    return sorted(delays_ms(timestamps(settings, rig.client, sent.events), watch.seen))


def delays_ms(stamps: Sequence[tuple[int, int, int]], seen: Sequence[Seen]) -> list[float]:
    """One for each (partition, offset, timestamp in ms)."""
    steps = {partition: [sight.offsets.get(partition, 0) for sight in seen] for partition in {stamp[0] for stamp in stamps}}
    # The first sight whose next offset is above the record's.
    return [seen[bisect_right(steps[partition], offset)].wall_ms - ms for partition, offset, ms in stamps]


def percentile(ordered: Sequence[float], share: float) -> float:
    """The nearest rank: a delay that some event really had."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def timestamps(settings: Settings, client: Mapping[str, Any], events: int) -> list[tuple[int, int, int]]:
    """(partition, offset, broker's timestamp in ms) of each record of the topic, of which there are `events`."""
    stamps: list[tuple[int, int, int]] = []
    with explained(client, "reading the timestamps"):
        consumer = KafkaConsumer(**client, group_id=None, enable_auto_commit=False)
        try:
            parts = partitions_of(consumer, settings.kafka.topic)
            consumer.assign(parts)
            consumer.seek_to_beginning()
            quiet = 0
            while len(stamps) < events:
                polled = consumer.poll(timeout_ms=POLL_MS)
                quiet = 0 if polled else quiet + 1
                if quiet > QUIET_POLLS:
                    raise EcomLiteError(f"the benchmark's Kafka has {len(stamps)} of the {events} records that were sent")
                stamps += [(tp.partition, r.offset, r.timestamp) for tp, records in polled.items() for r in records]
        finally:
            consumer.close()
    return stamps
