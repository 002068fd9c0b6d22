"""The truth after a kill: own records that the broker has and the ledger does not, counted from the topic."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition

from ..contract.events import FAULT_HEADER, PRODUCER_HEADER, Clock, OrderLine, parse
from ..contract.rejected import Rejected
from ..errors import EcomLiteError
from ..simulate import identity, order_of
from ..topic.client import Config, partitions_of
from ..topic.records import read_quickly
from .counts import Counts, Tally
from .ledger import Ledger

log = logging.getLogger("ecom_lite.produce")

POLL_MS: Final = 200
POLL_RECORDS: Final = 5_000  # bounds the memory, with max_partition_fetch_bytes


@dataclass
class Recovered:
    """What the broker has beyond the ledger."""

    added: int = 0  # records that the ledger did not have
    present: set[str] = field(default_factory=set)  # events of orders not sent whole that need not be sent again
    highest: int = -1  # order that one of `present` belongs to


def recover(
    ledger: Ledger, config: Config, topic: str, clock: Clock, stop: Event, take_over: Callable[[], None] = lambda: None
) -> Recovered:
    """Read each partition from the ledger's resume_offset to the end: count this shop's records that are not in the
    ledger, and note which events of the orders from `next_sequence` on are there.

    Afterwards the ledger holds exactly what the broker holds of this shop, provided that nobody can send for it after
    `take_over`, which is called before the ends are asked for. Ends early, with the ledger still true but `present` not whole,
    once `stop` is set. Raises KafkaError, and EcomLiteError where there is no such topic.
    """
    found = Recovered()
    with ledger.lock:
        ledger.made = None  # until it is known what the broker has: no checkpoints
    consumer = KafkaConsumer(
        **config, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest", max_poll_records=POLL_RECORDS
    )
    try:
        read_quickly(consumer)
        parts = partitions_of(consumer, topic)
        take_over()
        first, end = consumer.beginning_offsets(parts), consumer.end_offsets(parts)
        unread = _unread(ledger, parts, first, end)
        if unread:
            consumer.assign(list(unread))
            for part, offset in unread.items():
                consumer.seek(part, offset)
            _read(consumer, ledger, {part: end[part] for part in unread}, clock, stop, found)
    finally:
        consumer.close()
    if found.added:
        log.info("%d records of %s were in the topic but not in the ledger: added", found.added, ledger.shop_id)
    if not stop.is_set():
        with ledger.lock:
            ledger.made = max(ledger.next_sequence, found.highest + 1)
    return found


def _unread(
    ledger: Ledger, parts: list[TopicPartition], first: dict[TopicPartition, int], end: dict[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """Where to read on, for each partition that has something to read."""
    unread = {}
    with ledger.lock:
        for part in parts:
            counts = ledger.counts.setdefault(part.partition, Counts())
            if counts.next_offset > end[part]:
                raise EcomLiteError(
                    f"topic {part.topic} partition {part.partition} ends at offset {end[part]}, but {counts.next_offset}"
                    " records of it are in the ledger: the topic was made anew; start anew too (`run --fresh`)"
                )
            start = max(min(counts.resume_offset, counts.next_offset), first[part])
            if start < end[part]:
                unread[part] = start
    return unread


def _read(
    consumer: KafkaConsumer, ledger: Ledger, unread: dict[TopicPartition, int], clock: Clock, stop: Event, found: Recovered
) -> None:
    mark = (PRODUCER_HEADER, ledger.mark)
    while unread and not stop.is_set():
        for part, records in consumer.poll(timeout_ms=POLL_MS).items():
            tally = Tally()
            until = unread.get(part, 0)
            counted = ledger.counts[part.partition].next_offset
            for record in records:
                if record.offset < until and mark in record.headers:
                    fault = _fault(record)
                    if record.offset >= counted:
                        _count(tally, record, fault, clock)
                    if not fault.startswith(("duplicate", "malformed")):
                        _note(found, record, ledger.next_sequence)
            with ledger.lock:
                counts = ledger.counts[part.partition]
                counts.add(tally, max(counts.next_offset, min(until, records[-1].offset + 1)))
            found.added += tally.records
        for part in [part for part, until in unread.items() if consumer.position(part) >= until]:
            with ledger.lock:  # the last offsets may hold no record at all (transaction markers)
                counts = ledger.counts[part.partition]
                counts.next_offset = max(counts.next_offset, unread.pop(part))
            consumer.pause(part)


def _fault(record: Any) -> str:
    return next((value.decode(errors="replace") for name, value in record.headers if name == FAULT_HEADER), "")


def _count(tally: Tally, record: Any, fault: str, clock: Clock) -> None:
    if fault:
        tally.faults[fault] += 1
    if fault.startswith(("duplicate", "malformed")):
        tally.extras += 1
        return
    cents = _revenue_cents(record.value, clock)
    if cents is None:
        tally.others += 1
    else:
        tally.lines += 1
        tally.cents += cents


def _note(found: Recovered, record: Any, next_sequence: int) -> None:
    try:
        event_id = identity(record.value)
        order = order_of(event_id)
    except (ValueError, IndexError, AttributeError, TypeError):
        return  # none of a version that gave its events such names
    if order >= next_sequence:
        found.present.add(event_id)
        found.highest = max(found.highest, order)


def _revenue_cents(value: bytes | None, clock: Clock) -> int | None:
    """The revenue of an order line; None for any other record."""
    try:
        event = parse(value, clock())
    except Rejected:
        return None
    return int(event.revenue * 100) if isinstance(event, OrderLine) else None
