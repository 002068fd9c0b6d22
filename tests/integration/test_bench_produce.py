"""What `bench produce` counts on the topic, and what its sender puts there."""

from __future__ import annotations

import json
import time
from collections import Counter

import pytest

from ecom_lite.bench.backlog import fill, trickle
from ecom_lite.bench.latency import timestamps
from ecom_lite.bench.recount import Counted, close, in_ledger, on_topic
from ecom_lite.contract.events import PRODUCER_HEADER, utc_now
from ecom_lite.errors import CheckFailed
from ecom_lite.simulate import Shop

from .loading import PARTITIONS, Bench
from .topics import records_of

EVENTS = 3_000


def write_ledger(bench: Bench, counted: dict[int, Counted]) -> None:
    rows = [(number, at.lines + at.others, at.lines, at.others, at.cents / 100) for number, at in counted.items()]
    with bench.warehouse.connect("admin", autocommit=True) as admin, admin.cursor() as cursor:
        cursor.execute("DELETE FROM ops.sent_ledger")
        cursor.executemany(
            "INSERT INTO ops.sent_ledger (shop, partition, events, order_lines, other_events, revenue, next_offset)"
            " VALUES ('seed-7', %s, %s, %s, %s, %s, 0)",
            rows,
        )


def test_a_ledger_that_does_not_equal_the_topic_fails_the_benchmark(bench: Bench) -> None:
    sent = fill(bench.settings(), bench.client, EVENTS)
    counted = on_topic(bench.settings(), bench.client)
    assert set(counted) == set(range(PARTITIONS)) and sum(at.cents for at in counted.values()) == sent.cents
    write_ledger(bench, counted)
    ledger = in_ledger(bench.warehouse)
    assert close(ledger, counted, EVENTS, sent.seconds) == sent
    with bench.producer() as producer:
        producer.send(bench.topic, b'{"event_type":"order","revenue":0.01}', partition=2).get(60)
    with pytest.raises(CheckFailed, match="partition 2: the ledger has"):
        close(ledger, on_topic(bench.settings(), bench.client), EVENTS, sent.seconds)


def test_the_backlog_is_the_shops_own_events_with_its_mark(bench: Bench) -> None:
    settings = bench.settings()
    sent = fill(settings, bench.client, EVENTS)
    records = records_of(bench.client, bench.topic)
    assert len(records) == EVENTS
    assert {tuple(record.headers) for record in records} == {((PRODUCER_HEADER, b"seed-7"),)}
    made = Shop(settings.shop).batch(0, EVENTS, utc_now())[:EVENTS]
    of_shop = Counter(json.loads(event.value or b"")["event_id"] for event in made)
    assert Counter(json.loads(record.value)["event_id"] for record in records) == of_shop
    assert sent.lines == sum(event.kind == "order" for event in made) and sent.events == EVENTS


def test_records_of_a_trickle_are_stamped_when_they_are_handed_over(bench: Bench) -> None:
    began_ms = time.time() * 1000
    sent = trickle(bench.settings(), bench.client, 200, 4)
    ended_ms = time.time() * 1000
    stamps = sorted(stamp for _, _, stamp in timestamps(bench.settings(), bench.client, sent.events))
    assert sent.events == len(stamps) == 800 and began_ms - 1 <= stamps[0] and stamps[-1] <= ended_ms
    assert len(set(stamps)) > 40, "each has the time at which it was due, not that of its batch or of the end"
