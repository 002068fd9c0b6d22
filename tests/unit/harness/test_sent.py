"""The account of what a producer sent finds what is missing, twice, other, astray, out of order or booked wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from kafka.partitioner import murmur2

from ecom_lite.harness.records import PARTITIONS
from ecom_lite.harness.sent import (
    Booked,
    Record,
    against_ledger,
    against_stream,
    booked_of,
    event_id,
    extras_of,
    out_of_order,
    stream_of,
)
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.tree import Settings
from ecom_lite.simulate import Faults, Outgoing

EVENTS = 400
MARK = b"seed-7@here"
Change = Callable[[list[Record]], object]


def settings(**faults: float) -> Settings:
    given = {f"faults.{name}": share for name, share in faults.items()}
    return load_settings(env={}, flags={"shop.seed": 7, "shop.start": "2026-01-01T00:00Z", **given})


def in_topic(events: Sequence[Outgoing]) -> list[Record]:
    """As a broker has them that got them in this order."""
    ends = [0] * PARTITIONS
    records = []
    for event in events:
        partition = (murmur2(event.key) & 0x7FFFFFFF) % PARTITIONS
        cents = event.revenue_cents if event.kind == "order" else None
        name = "" if event.fault.startswith("malformed") else event_id(event.value)
        records.append(Record(partition, ends[partition], event.key, event.value, MARK, event.fault, name, cents))
        ends[partition] += 1
    return sorted(records, key=lambda record: (record.partition, record.offset))


STREAM = stream_of(settings(), EVENTS)


def found_in(records: list[Record]) -> str:
    found = [*against_stream(records, STREAM), *extras_of(records, STREAM, settings()), *out_of_order(records, STREAM)]
    return " ".join(str(each) for each in found)


def test_a_topic_that_holds_the_stream_is_as_promised() -> None:
    assert len(STREAM) == EVENTS and found_in(in_topic(STREAM)) == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda records: records.pop(7), "all of it; found no "),
        (lambda records: records.insert(9, records[7]), "each event once"),
        (lambda records: records.append(in_topic(stream_of(settings(), EVENTS + 1)[-1:])[0]), "no more than 400 events"),
        (lambda records: records.__setitem__(7, records[7]._replace(value=b"{}")), "those of the stream"),
        (lambda records: records.__setitem__(7, records[7]._replace(key=b"other")), "those of the stream"),
        (lambda records: records.__setitem__(7, records[7]._replace(partition=records[7].partition ^ 1)), "that of its key"),
        (lambda records: records.insert(5, records.pop(9)), "in each partition that of the stream"),
        (lambda records: records.__setitem__(7, records[7]._replace(fault="late")), "delays: expected as ordered"),
        (lambda records: records.insert(9, records[7]._replace(fault="duplicate")), "extras: expected as ordered"),
    ],
)  # fmt: skip
def test_a_difference_is_found(change: Change, said: str) -> None:
    records = in_topic(STREAM)
    change(records)
    assert said in found_in(records)


def test_what_was_ordered_of_faults_is_no_difference_and_a_second_helping_is() -> None:
    ordered = settings(late=0.1, duplicate=0.1, out_of_order=0.1, malformed=0.1)
    faults = Faults(7, ordered.faults)
    sent = [*faults.take(list(STREAM), 0.0), *faults.flush()]
    records = in_topic(sent)
    assert len(records) > EVENTS + 40
    assert against_stream(records, STREAM) == [] and extras_of(records, STREAM, ordered) == []
    twice = next(record for record in records if record.fault.startswith("malformed"))
    assert "extras: expected as ordered; found 1 of" in str(extras_of([*records, twice], STREAM, ordered)[0])
    double = next(number for number, record in enumerate(records) if record.fault == "duplicate")
    records[double] = records[double]._replace(offset=-1)
    assert "a duplicate after its original" in str(extras_of(records, STREAM, ordered)[0])


def test_a_ledger_that_says_something_else_is_told_by_partition() -> None:
    records = in_topic(STREAM)
    topic = booked_of(records)
    assert sum(line.events for line in topic.values()) == EVENTS
    assert sum(line.cents for line in topic.values()) == sum(event.revenue_cents for event in STREAM)
    assert against_ledger(topic, topic) == []
    ledger = {**topic, 2: Booked(topic[2].events, topic[2].order_lines, topic[2].other_events, topic[2].cents + 1)}
    assert [found.check for found in against_ledger(topic, ledger)] == ["ledger of partition 2"]
    del ledger[2]
    assert [found.check for found in against_ledger(topic, ledger)] == ["ledger of partition 2"]
