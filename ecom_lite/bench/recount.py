"""What the topic holds, counted by code of the benchmark's own, against what the producer's ledger says."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from ..errors import CheckFailed
from ..settings.tree import Settings
from ..topic.client import end_offsets
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .backlog import Sent
from .stages import reader


class Counted(NamedTuple):
    """Of one partition, or of several together."""

    lines: int = 0
    others: int = 0
    cents: int = 0


class _Event(msgspec.Struct, frozen=True, gc=False):
    event_type: str
    revenue: Decimal = Decimal(0)


_decode: Final = msgspec.json.Decoder(_Event).decode


def on_topic(settings: Settings, client: dict[str, Any]) -> dict[int, Counted]:
    """Each record read and parsed; nobody sends meanwhile."""
    left = sum(end_offsets(client, settings.kafka.topic).values())
    lines, others, cents = ({number: 0 for number in range(settings.kafka.partitions)} for _ in range(3))
    with reader(settings, client, {}) as reading:
        for polled in reading.polls(left):
            for part, records in polled.items():
                events = [_decode(record.value) for record in records]
                revenues = [event.revenue for event in events if event.event_type == "order"]
                lines[part.partition] += len(revenues)
                others[part.partition] += len(events) - len(revenues)
                cents[part.partition] += int(sum(revenues, Decimal(0)) * 100)
    return {number: Counted(lines[number], others[number], cents[number]) for number in lines}


def in_ledger(address: Address) -> dict[int, Counted]:
    """As the producer has written it."""
    with address.connect("ecom_reader", autocommit=True) as connection:
        return {number: Counted(*counts) for number, *counts in connection.execute(read_sql(__package__, "ledger")).fetchall()}


def close(ledger: Mapping[int, Counted], topic: Mapping[int, Counted] | None, events: int, seconds: float) -> Sent:
    """What was sent, in all. Raises CheckFailed unless the ledger is the topic's, partition by partition, and has `events`."""
    if topic is not None:
        wrong = [
            f"partition {number}: the ledger has {ledger.get(number, Counted())}, the topic {topic.get(number, Counted())}"
            for number in sorted({*ledger, *topic})
            if ledger.get(number, Counted()) != topic.get(number, Counted())
        ]
        if wrong:
            raise CheckFailed(f"the producer's ledger is not what the topic holds: {'; '.join(wrong)}")
    lines, others, cents = (sum(counts) for counts in zip(*ledger.values(), strict=True)) if ledger else (0, 0, 0)
    if lines + others != events:
        raise CheckFailed(f"the producer's ledger has {lines + others} events, not {events}")
    return Sent(events, lines, cents, seconds)
