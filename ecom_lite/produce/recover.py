"""The truth after a kill: own records that the broker has and the ledger does not, counted from the topic."""

from __future__ import annotations

import logging
from threading import Event
from typing import Final

from kafka import KafkaConsumer, TopicPartition

from ..errors import EcomLiteError
from ..events import PRODUCER_HEADER, Clock, OrderLine, Rejected, parse
from ..kafka_client import Config, partitions_of
from .ledger import Counts, Ledger

log = logging.getLogger("ecom_lite.produce")

POLL_MS: Final = 200
POLL_RECORDS: Final = 5_000  # bounds the memory, with max_partition_fetch_bytes


def recover(ledger: Ledger, config: Config, topic: str, clock: Clock, stop: Event) -> int:
    """Read each partition from the ledger's next_offset to the end and count this shop's records there.

    Afterwards the ledger holds exactly what the broker holds of this shop, provided nobody is sending for it. Returns
    how many records were added; returns early, with the ledger still true, once `stop` is set. Raises KafkaError.
    """
    consumer = KafkaConsumer(
        **config, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest", max_poll_records=POLL_RECORDS
    )
    try:
        parts = partitions_of(consumer, topic)
        first, end = consumer.beginning_offsets(parts), consumer.end_offsets(parts)
        behind = _behind(ledger, parts, first, end)
        if not behind:
            return 0
        consumer.assign(list(behind))
        for part, offset in behind.items():
            consumer.seek(part, offset)
        return _count(consumer, ledger, {part: end[part] for part in behind}, clock, stop)
    finally:
        consumer.close()


def _behind(
    ledger: Ledger, parts: list[TopicPartition], first: dict[TopicPartition, int], end: dict[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """Where to read on, for each partition that has something unread."""
    behind = {}
    with ledger.lock:
        for part in parts:
            counts = ledger.counts.setdefault(part.partition, Counts())
            if counts.next_offset > end[part]:
                raise EcomLiteError(
                    f"topic {part.topic} partition {part.partition} ends at offset {end[part]}, but {counts.next_offset}"
                    " records of it are in the ledger: the topic was made anew; start anew too (`run --fresh`)"
                )
            start = max(counts.next_offset, first[part])
            if start < end[part]:
                behind[part] = start
    return behind


def _count(consumer: KafkaConsumer, ledger: Ledger, unread: dict[TopicPartition, int], clock: Clock, stop: Event) -> int:
    mark = (PRODUCER_HEADER, ledger.shop_id.encode())
    added = 0
    while unread and not stop.is_set():
        for part, records in consumer.poll(timeout_ms=POLL_MS).items():
            lines = others = cents = 0
            until = unread.get(part, 0)
            for record in records:
                if record.offset < until and mark in record.headers:
                    line_cents = _revenue_cents(record.value, clock)
                    lines += line_cents is not None
                    others += line_cents is None
                    cents += line_cents or 0
            with ledger.lock:
                counts = ledger.counts[part.partition]
                counts.add(lines, others, cents, max(counts.next_offset, min(until, records[-1].offset + 1)))
            added += lines + others
        for part in [part for part, until in unread.items() if consumer.position(part) >= until]:
            with ledger.lock:  # the last offsets may hold no record at all (transaction markers)
                counts = ledger.counts[part.partition]
                counts.next_offset = max(counts.next_offset, unread.pop(part))
            consumer.pause(part)
    if added:
        log.info("%d records of %s were in the topic but not in the ledger: added", added, ledger.shop_id)
    return added


def _revenue_cents(value: bytes | None, clock: Clock) -> int | None:
    """The revenue of an order line; None for any other record."""
    try:
        event = parse(value, clock())
    except Rejected:
        return None
    return int(event.revenue * 100) if isinstance(event, OrderLine) else None
