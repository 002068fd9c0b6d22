"""The producer against a real Kafka and a real PostgreSQL: exact counts, and a ledger that equals the broker."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.partitioner import murmur2

from ecom_lite import events, kafka_client
from ecom_lite.config import Settings, load_settings
from ecom_lite.engines.jars import JarCache
from ecom_lite.engines.java import find_java
from ecom_lite.engines.kafka import KafkaServer
from ecom_lite.errors import EcomLiteError
from ecom_lite.produce import Producer, client, producer
from ecom_lite.simulate import Shop
from ecom_lite.warehouse.connect import Address

PATIENCE_S = 60.0
CHILD = """
import json, sys
from threading import Event
from ecom_lite.config import load_settings
from ecom_lite.produce import Producer
from ecom_lite.warehouse.connect import Address
told = json.load(sys.stdin)
Producer(
    load_settings(env={}, flags=told["flags"]), Address(**told["address"]), told["bootstrap"],
    report=lambda figures: print(json.dumps(figures), flush=True),
).run(Event())
"""


def settings_for(topic: str, **shop: object) -> Settings:
    return load_settings(env={}, flags={"kafka.topic": topic, **{f"shop.{name}": value for name, value in shop.items()}})


@dataclass
class Broker:
    """What is really in the topic, read without any of the producer's code."""

    own: Counter[int] = field(default_factory=Counter)  # records per partition
    lines: Counter[int] = field(default_factory=Counter)
    revenue: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    sold: Counter[tuple[str, int]] = field(default_factory=Counter)  # (order, product) -> how often
    partitions_of_key: dict[bytes, set[int]] = field(default_factory=lambda: defaultdict(set))


def read_topic(bootstrap: str, topic: str, shop_id: str = "seed-7") -> Broker:
    settings = settings_for(topic)
    config = kafka_client.client_config(settings.kafka, bootstrap)
    ends = kafka_client.end_offsets(config, topic)
    consumer = KafkaConsumer(**config, group_id=None, auto_offset_reset="earliest")
    found = Broker()
    try:
        parts = kafka_client.partitions_of(consumer, topic)
        consumer.assign(parts)
        give_up = time.monotonic() + PATIENCE_S
        while any(consumer.position(part) < ends[part.partition] for part in parts):
            assert time.monotonic() < give_up, "the topic cannot be read to its end"
            for part, records in consumer.poll(timeout_ms=200, max_records=20_000).items():
                for record in records:
                    if (events.PRODUCER_HEADER, shop_id.encode()) in record.headers:
                        note(found, part.partition, record)
    finally:
        consumer.close()
    return found


def note(found: Broker, partition: int, record: Any) -> None:
    found.own[partition] += 1
    found.partitions_of_key[record.key].add(partition)
    event = events.parse(record.value, events.utc_now())
    if isinstance(event, events.OrderLine):
        found.lines[partition] += 1
        found.revenue[partition] += event.revenue
        found.sold[str(event.order_id), int(event.product_id)] += 1


def assert_ledger_equals(warehouse: Address, found: Broker, shop_id: str = "seed-7") -> None:
    with warehouse.connect("ecom_reader") as reader:
        rows = reader.execute(
            "SELECT partition, events, order_lines, other_events, revenue FROM ops.sent_ledger WHERE shop = %s", [shop_id]
        ).fetchall()
    ledger = {row[0]: tuple(row[1:]) for row in rows}
    assert set(found.own) <= set(ledger)
    assert ledger == {
        p: (found.own[p], found.lines[p], found.own[p] - found.lines[p], found.revenue.get(p, Decimal(0))) for p in ledger
    }


def next_sequence(warehouse: Address, shop_id: str = "seed-7") -> int:
    with warehouse.connect("ecom_reader") as reader:
        row = reader.execute("SELECT next_sequence FROM ops.shops WHERE shop = %s", [shop_id]).fetchone()
    return row[0] if row else 0


def assert_orders_whole(found: Broker, settings: Settings, upto: int) -> None:
    """Every line of every order below `upto` is in the topic."""
    stream = Shop(settings.shop).batch(0, upto, datetime(2026, 1, 1, tzinfo=UTC))
    expected = {
        (event.order_id, event.product_id)
        for event in (events.parse(out.value, events.utc_now()) for out in stream)
        if isinstance(event, events.OrderLine)
    }
    assert len(expected - set(found.sold)) == 0


def wait_until(condition: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    give_up = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < give_up, f"waited {patience_s} s in vain for: {what}"
        time.sleep(0.02)


@dataclass
class Running:
    stop: Event
    thread: Thread
    figures: list[Mapping[str, object]]

    def latest(self, name: str) -> Any:
        return self.figures[-1][name] if self.figures else 0

    def end(self) -> float:
        """Stop it; returns the seconds that took."""
        began = time.monotonic()
        self.stop.set()
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()
        return time.monotonic() - began


@contextmanager
def running(settings: Settings, warehouse: Address, bootstrap: str) -> Iterator[Running]:
    figures: list[Mapping[str, object]] = []
    stop = Event()
    made = Producer(settings, warehouse, bootstrap, report=figures.append)
    it = Running(stop, Thread(target=made.run, args=(stop,), daemon=True), figures)
    it.thread.start()
    try:
        yield it
    finally:
        it.end()


def test_exactly_n_events_are_sent_and_booked(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    settings = settings_for(topic, rate="max")
    figures: list[Mapping[str, object]] = []
    Producer(settings, warehouse, kafka_bootstrap, report=figures.append).run(Event(), events=5003)
    found = read_topic(kafka_bootstrap, topic)
    assert found.own.total() == 5003
    assert_ledger_equals(warehouse, found)
    assert_orders_whole(found, settings, next_sequence(warehouse))
    assert max(found.sold.values()) == 1
    last = figures[-1]
    assert (last["state"], last["sent"], last["acked"], last["errors"]) == ("done", 5003, 5003, 0)
    for key, partitions in found.partitions_of_key.items():
        assert partitions == {(murmur2(key) & 0x7FFFFFFF) % 4}


def test_the_next_run_goes_on_where_the_last_one_ended(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    settings = settings_for(topic, rate="max")
    reached = []
    for _ in range(3):
        Producer(settings, warehouse, kafka_bootstrap).run(Event(), events=1000)
        reached.append(next_sequence(warehouse))
    found = read_topic(kafka_bootstrap, topic)
    assert found.own.total() == 3000
    assert_ledger_equals(warehouse, found)
    assert reached == sorted(set(reached))
    # Only the order that a run broke off in the middle is sent again.
    again = {order for (order, _), times in found.sold.items() if times > 1}
    assert again <= {f"7-{sequence}" for sequence in reached}
    assert_orders_whole(found, settings, reached[-1])


def test_two_shops_keep_ledgers_of_their_own_and_foreign_records_are_in_none(
    warehouse: Address, kafka_bootstrap: str, topic: str
) -> None:
    foreign = KafkaProducer(bootstrap_servers=kafka_bootstrap)
    for number in range(50):
        foreign.send(topic, b'{"order_id": "x"}', str(number).encode())
    foreign.flush()
    foreign.close()
    for seed in (7, 8, 7):
        Producer(settings_for(topic, rate="max", seed=seed), warehouse, kafka_bootstrap).run(Event(), events=400)
    for shop_id, own in (("seed-7", 800), ("seed-8", 400)):
        found = read_topic(kafka_bootstrap, topic, shop_id)
        assert found.own.total() == own
        assert_ledger_equals(warehouse, found, shop_id)


def test_stop_ends_it_soon_with_everything_booked(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    with running(settings_for(topic, rate=300), warehouse, kafka_bootstrap) as it:
        wait_until(lambda: it.latest("acked") > 300, "some acknowledged events")
        assert it.end() < 10  # about two seconds on a quiet machine
    found = read_topic(kafka_bootstrap, topic)
    assert it.figures[-1]["state"] == "stopped"
    assert found.own.total() == it.figures[-1]["sent"] == it.figures[-1]["acked"]
    assert_ledger_equals(warehouse, found)


def test_a_paced_run_is_neither_far_too_fast_nor_far_too_slow(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    with running(settings_for(topic, rate=100, customers_start=1, customers_max=1), warehouse, kafka_bootstrap) as it:
        wait_until(lambda: it.latest("orders") > 0, "the first report")
        first, began = it.latest("orders"), time.monotonic()
        wait_until(lambda: it.latest("orders") > first + 150, "three more seconds of orders")
        took = time.monotonic() - began
        assert 50 < (it.latest("orders") - first) / took < 200


def test_a_deadline_ends_the_run(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    Producer(settings_for(topic, rate=200), warehouse, kafka_bootstrap).run(Event(), deadline=time.monotonic() + 1)
    found = read_topic(kafka_bootstrap, topic)
    assert found.own.total() > 0
    assert_ledger_equals(warehouse, found)


def test_a_lost_ledger_is_counted_again_from_the_topic(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    settings = settings_for(topic, rate="max")
    Producer(settings, warehouse, kafka_bootstrap).run(Event(), events=2500)
    with warehouse.connect("admin") as admin:
        admin.execute("DELETE FROM ops.sent_ledger WHERE partition <> 2")
        admin.execute("UPDATE ops.sent_ledger SET events = 0, order_lines = 0, other_events = 0, revenue = 0, next_offset = 0")
    figures: list[Mapping[str, object]] = []
    Producer(settings, warehouse, kafka_bootstrap, report=figures.append).run(Event(), events=0)
    assert figures[-1]["recovered"] == 2500
    assert_ledger_equals(warehouse, read_topic(kafka_bootstrap, topic))


def test_sigkill_at_any_moment_leaves_a_ledger_that_recovers(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    flags = {"kafka.topic": topic, "shop.rate": "max"}
    settings = load_settings(env={}, flags=flags)
    told = {
        "flags": flags,
        "address": {**asdict(warehouse), "passwords": dict(warehouse.passwords)},
        "bootstrap": kafka_bootstrap,
    }
    config = kafka_client.client_config(settings.kafka, kafka_bootstrap)
    sent_before = 0
    for enough in (1, 3000, 9000):
        child = subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        assert child.stdin
        json.dump(told, child.stdin)
        child.stdin.close()
        target = sent_before + enough
        wait_until(lambda: sum(kafka_client.end_offsets(config, topic).values()) >= target, "records in the topic")  # noqa: B023
        child.send_signal(signal.SIGKILL)
        child.wait(PATIENCE_S)
        sent_before = sum(kafka_client.end_offsets(config, topic).values())
    Producer(settings, warehouse, kafka_bootstrap).run(Event(), events=100)
    found = read_topic(kafka_bootstrap, topic)
    assert found.own.total() >= 9000
    assert_ledger_equals(warehouse, found)
    assert_orders_whole(found, settings, next_sequence(warehouse))


def test_postgres_being_away_does_not_stop_the_sending(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    with running(settings_for(topic, rate=200), warehouse, kafka_bootstrap) as it:
        wait_until(lambda: it.latest("acked") > 0, "the first events")
        allow_connections(warehouse, False)
        wait_until(lambda: it.latest("ledger") == "in memory", "the ledger to notice")
        before = it.latest("acked")
        wait_until(lambda: it.latest("acked") > before + 300, "sending to go on")
        allow_connections(warehouse, True)
        wait_until(lambda: it.latest("ledger") == "written", "the ledger to be written again")
    assert_ledger_equals(warehouse, read_topic(kafka_bootstrap, topic))


def allow_connections(warehouse: Address, allow: bool) -> None:
    with warehouse.with_database("postgres").connect("admin", autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {warehouse.database} ALLOW_CONNECTIONS {allow}")
        if not allow:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
                [warehouse.database],
            )


def test_without_postgres_at_the_start_it_says_so(
    warehouse: Address, kafka_bootstrap: str, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer, "DATABASE_WAIT_S", 0.2)
    allow_connections(warehouse, False)
    with pytest.raises(EcomLiteError, match="cannot read its ledger"):
        Producer(settings_for(topic), warehouse, kafka_bootstrap).run(Event(), events=1)


def test_a_missing_topic_and_a_topic_made_anew_are_said_in_words(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    with pytest.raises(EcomLiteError, match="no topic"):
        Producer(settings_for(topic + "-none"), warehouse, kafka_bootstrap).run(Event(), events=1)
    with warehouse.connect("admin") as admin:
        admin.execute("INSERT INTO ops.sent_ledger (shop, partition, next_offset) VALUES ('seed-7', 0, 99)")
    with pytest.raises(EcomLiteError, match="made anew"):
        Producer(settings_for(topic), warehouse, kafka_bootstrap).run(Event(), events=1)


def test_topics_are_made_once_and_keep_their_partitions(kafka_bootstrap: str, topic: str) -> None:
    config = kafka_client.client_config(settings_for(topic).kafka, kafka_bootstrap)
    assert kafka_client.ensure_topics(config, topic, 9, f"{topic}.dlq") == 4
    assert kafka_client.ensure_topics(config, f"{topic}-new", 3, f"{topic}.dlq") == 3
    assert kafka_client.end_offsets(config, f"{topic}-new") == {0: 0, 1: 0, 2: 0}
    with pytest.raises(EcomLiteError, match="no topic"):
        kafka_client.end_offsets(config, f"{topic}-none")


@pytest.fixture
def own_kafka(data_dir: Path) -> Iterator[KafkaServer]:
    """A broker that the test may kill."""
    server = KafkaServer(
        data_dir / "kafka", data_dir / "logs", java=find_java(), classpath=JarCache().classpath("kafka"), heap_mb=256
    )
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("sends_fail", [False, True], ids=["the client waits", "the client gives up"])
def test_a_broker_that_is_killed_and_started_again_loses_nothing(
    warehouse: Address, own_kafka: KafkaServer, monkeypatch: pytest.MonkeyPatch, sends_fail: bool
) -> None:
    if sends_fail:
        monkeypatch.setattr(kafka_client, "REQUEST_TIMEOUT_MS", 1000)
        monkeypatch.setattr(client, "DELIVERY_TIMEOUT_MS", 1500)
    topic = "restarted"
    settings = settings_for(topic, rate=400)
    kafka_client.ensure_topics(kafka_client.client_config(settings.kafka, own_kafka.bootstrap), topic, 4, f"{topic}.dlq")
    with running(settings, warehouse, own_kafka.bootstrap) as it:
        wait_until(lambda: it.latest("acked") > 500, "events before the kill")
        own_kafka.kill()
        if sends_fail:
            wait_until(lambda: it.latest("state") == "waiting for kafka", "the client to give up")
        own_kafka.start()
        before = it.latest("acked")
        wait_until(lambda: it.latest("acked") > before + 1500, "events after the restart")
    found = read_topic(own_kafka.bootstrap, topic)
    assert_ledger_equals(warehouse, found)
    assert_orders_whole(found, settings, next_sequence(warehouse))
    assert it.latest("errors") >= 1 if sends_fail else it.latest("errors") == 0
    if not sends_fail:
        assert max(found.sold.values()) == 1  # idempotence: a retried batch is not stored twice


def test_stop_while_the_broker_is_away_ends_soon(warehouse: Address, own_kafka: KafkaServer) -> None:
    topic = "away"
    settings = settings_for(topic, rate=400)
    kafka_client.ensure_topics(kafka_client.client_config(settings.kafka, own_kafka.bootstrap), topic, 4, f"{topic}.dlq")
    with running(settings, warehouse, own_kafka.bootstrap) as it:
        wait_until(lambda: it.latest("acked") > 100, "events before the kill")
        own_kafka.kill()
        wait_until(lambda: it.latest("unacked") > 100, "events that wait for the broker")
        assert it.end() < 10  # about two seconds on a quiet machine
    own_kafka.start()
    Producer(settings, warehouse, own_kafka.bootstrap).run(Event(), events=50)
    found = read_topic(own_kafka.bootstrap, topic)
    assert_ledger_equals(warehouse, found)
    assert_orders_whole(found, settings, next_sequence(warehouse))
