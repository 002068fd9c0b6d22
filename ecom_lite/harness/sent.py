"""The account of what a producer sent: the topic against the shop's stream, and the ledger against the topic.

None of the producer's code is used: what the stream is, the simulator says; what the topic holds, its raw bytes.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NamedTuple

from kafka import KafkaConsumer, TopicPartition
from kafka.partitioner import murmur2

from ..settings.tree import Settings
from ..simulate import Faults, Outgoing, Shop, Timetable
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .expect import Violation
from .records import PARTITIONS
from .topic import OWN_HEADER, POLL_MS, POLL_RECORDS

SHOWN: Final = 5
ORDERS: Final = 2_000  # made at a time
FAULT_HEADER: Final = "ecom_lite.fault"
NOTHING: Final = b""


@dataclass(frozen=True)
class Sent:
    """What the account is taken of."""

    client: Mapping[str, Any]
    settings: Settings
    address: Address


class Record(NamedTuple):
    """One of the topic. `event_id` is "" for one that was broken on purpose."""

    partition: int
    offset: int
    key: bytes
    value: bytes | None
    own: bytes  # which shop has sent it, in which warehouse's ledger it is
    fault: str
    event_id: str
    cents: int | None  # of an order line; None for any other event

    @property
    def extra(self) -> bool:
        return self.fault == "duplicate" or self.fault.startswith("malformed")


@dataclass
class Booked:
    """A line of the ledger, by the topic or by the database."""

    events: int = 0
    order_lines: int = 0
    other_events: int = 0
    cents: int = 0
    faults: Counter[str] = field(default_factory=Counter)


def differences(sent: Sent, events: int) -> tuple[int, list[Violation]]:
    """How many records the topic has, and all that is not as promised of a shop that has sent its stream's first `events`."""
    records, ends = read_records(sent.client, sent.settings.kafka.topic)
    stream = stream_of(sent.settings, events)
    found = [*against_stream(records, stream), *extras_of(records, stream, sent.settings)]
    mark = f"seed-{sent.settings.shop.seed}@".encode()
    found += _shown("header", f"{mark!r} first", (repr(record.own) for record in records if not record.own.startswith(mark)))
    if not any((sent.settings.faults.late, sent.settings.faults.out_of_order)):
        found += out_of_order(records, stream)
    return len(records), found + _ledger(records, ends, stream, sent)


def stream_of(settings: Settings, events: int) -> list[Outgoing]:
    """The first `events` of the shop's stream."""
    assert settings.shop.start is not None
    shop, times = Shop(settings.shop), Timetable(settings.shop, settings.shop.start)
    made: list[Outgoing] = []
    first = 0
    while len(made) < events:
        made += shop.batch(first, ORDERS, times)
        first += ORDERS
    return made[:events]


def read_records(client: Mapping[str, Any], topic: str) -> tuple[list[Record], dict[int, int]]:
    """All records of a topic, in order by partition, and where each partition ends."""
    consumer = KafkaConsumer(
        **client, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest", max_poll_records=POLL_RECORDS,
        fetch_max_wait_ms=50,
    )  # fmt: skip
    try:
        parts = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
        consumer.assign(parts)
        ends = consumer.end_offsets(parts)
        records = []
        while any((consumer.position(part) or 0) < ends[part] for part in parts):  # None: not yet found out
            for found in consumer.poll(timeout_ms=POLL_MS).values():
                records += [_record(each) for each in found]
    finally:
        consumer.close(autocommit=False)
    records.sort(key=lambda record: (record.partition, record.offset))
    return records, {part.partition: end for part, end in ends.items()}


def _record(read: Any) -> Record:
    headers = dict(read.headers)
    fault, own = headers.get(FAULT_HEADER, NOTHING).decode(), headers.get(OWN_HEADER, NOTHING)
    key = read.key or NOTHING
    if fault.startswith("malformed"):
        return Record(read.partition, read.offset, key, read.value, own, fault, "", None)
    event = json.loads(read.value, parse_float=Decimal)
    cents = int(event["revenue"] * 100) if event["event_type"] == "order" else None
    return Record(read.partition, read.offset, key, read.value, own, fault, event["event_id"], cents)


def event_id(value: bytes | None) -> str:
    """Of an event as the simulator makes it."""
    return str(json.loads(value or b"")["event_id"])


def against_stream(records: Sequence[Record], stream: Sequence[Outgoing]) -> list[Violation]:
    """The topic holds the stream's events, each once, with these bytes, under their key, where the key belongs."""
    expected = {event_id(event.value): event for event in stream}
    there = Counter(record.event_id for record in records if not record.extra)
    found = _shown("stream", "each event once", (f"{name} {times} times" for name, times in there.items() if times > 1))
    found += _shown("stream", "all of it", (f"no {name}" for name in expected if name not in there))
    found += _shown("stream", f"no more than {len(expected):,} events", (name for name in there if name not in expected))
    others = (
        f"{record.key!r} {record.value!r} at {record.partition}/{record.offset}"
        for record in records
        if not record.extra
        and (event := expected.get(record.event_id))
        and (record.key, record.value) != (event.key, event.value)
    )
    found += _shown("bytes", "those of the stream", others)
    astray = (
        f"key {record.key!r} in partition {record.partition}"
        for record in records
        if (murmur2(record.key) & 0x7FFFFFFF) % PARTITIONS != record.partition
    )
    return found + _shown("partition", "that of its key", astray)


def out_of_order(records: Iterable[Record], stream: Sequence[Outgoing]) -> list[Violation]:
    """Without faults each partition has the order of the stream, and so each customer."""
    place = {event_id(event.value): number for number, event in enumerate(stream)}
    last: dict[int, int] = defaultdict(lambda: -1)
    wrong = []
    for record in records:
        if not record.extra and record.event_id in place:
            if place[record.event_id] < last[record.partition]:
                wrong.append(f"{record.event_id} at {record.partition}/{record.offset}")
            last[record.partition] = place[record.event_id]
    return _shown("order", "in each partition that of the stream", wrong)


def extras_of(records: Sequence[Record], stream: Sequence[Outgoing], settings: Settings) -> list[Violation]:
    """What was sent beside the stream was ordered, and is there once at most; delayed is what was to be delayed."""
    faults = Faults(settings.shop.seed, settings.faults)
    ordered = [*faults.take(list(stream), 0.0), *faults.flush()]
    may = Counter((event.key, event.value, event.fault) for event in ordered if event.extra)
    did = Counter((record.key, record.value, record.fault) for record in records if record.extra)
    found = _shown("extras", "as ordered", (f"{times} of {what}" for what, times in (did - may).items()))
    delays = {event_id(event.value): event.fault for event in ordered if not event.extra}
    wrong = (
        f"{record.event_id}: {record.fault!r}"
        for record in records
        if not record.extra and delays.get(record.event_id, record.fault) != record.fault
    )
    found += _shown("delays", "as ordered", wrong)
    originals = {record.event_id: record.offset for record in reversed(records) if not record.extra}
    early = (
        f"{record.event_id} at {record.partition}/{record.offset}"
        for record in records
        if record.fault == "duplicate" and record.offset <= originals.get(record.event_id, record.offset)
    )
    return found + _shown("extras", "a duplicate after its original", early)


def _ledger(records: Sequence[Record], ends: Mapping[int, int], stream: Sequence[Outgoing], sent: Sent) -> list[Violation]:
    shop = f"seed-{sent.settings.shop.seed}"
    with sent.address.connect("admin", autocommit=True) as admin:
        rows = admin.execute(read_sql(__package__, "sent_ledger"), {"shop": shop}).fetchall()
        sequences = admin.execute("SELECT next_sequence FROM ops.shops WHERE shop = %s", [shop]).fetchall()
    last = {record.partition: record.offset for record in records}
    ledger = {row[0]: Booked(row[1], row[2], row[3], int(row[4] * 100), Counter(row[5])) for row in rows}
    found = against_ledger(booked_of(records), ledger)
    offsets = ((row[0], row[6], last.get(row[0], -1) + 1, ends[row[0]]) for row in rows)
    outside = (f"{at} in partition {part}, of {low} to {high}" for part, at, low, high in offsets if not low <= at <= high)
    found += _shown("ledger", "next_offset behind the last record", outside)
    resume = {row[0]: row[7] for row in rows}
    following = {event_id(event.value) for event in stream if event.sequence >= sequences[0][0]} if sequences else set()
    below = (
        f"{record.event_id} at {record.partition}/{record.offset}, below {resume[record.partition]}"
        for record in records
        if record.event_id in following and not record.extra and record.offset < resume.get(record.partition, 0)
    )
    return found + _shown("ledger", "a restart reads all events of the orders that are not sent whole", below)


def against_ledger(topic: Mapping[int, Booked], ledger: Mapping[int, Booked]) -> list[Violation]:
    """Each partition's line of the ledger says what the topic has."""
    return [
        Violation(f"ledger of partition {partition}", str(topic.get(partition)), str(ledger.get(partition)))
        for partition in sorted(topic.keys() | ledger.keys())
        if topic.get(partition, Booked()) != ledger.get(partition, Booked())
    ]


def booked_of(records: Iterable[Record]) -> dict[int, Booked]:
    """What a ledger says of these, by partition."""
    lines: dict[int, Booked] = defaultdict(Booked)
    for record in records:
        _book(lines[record.partition], record)
    return dict(lines)


def _book(into: Booked, record: Record) -> None:
    into.events += 1
    if record.fault:
        into.faults[record.fault] += 1
    if record.extra:
        return
    if record.cents is None:
        into.other_events += 1
    else:
        into.order_lines += 1
        into.cents += record.cents


def _shown(check: str, expected: str, wrong: Iterable[str]) -> list[Violation]:
    """At most SHOWN of them."""
    rest: Iterator[str] = iter(wrong)
    found = [Violation(check, expected, each) for _, each in zip(range(SHOWN), rest, strict=False)]
    more = sum(1 for _ in rest)
    return found + ([Violation(check, expected, f"{more:,} more like these")] if more else [])
