"""The producer against a real Kafka and a real PostgreSQL: exact counts, and a ledger that equals the broker."""

from __future__ import annotations

import os
import platform
import signal
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from threading import Event, Timer

import pytest
from kafka import KafkaProducer
from kafka.partitioner import murmur2

from ecom_lite.engines.jars import JarCache
from ecom_lite.engines.kafka import KafkaServer
from ecom_lite.errors import EcomLiteError, UsageError
from ecom_lite.observe.figures import ProducerFigures
from ecom_lite.produce import producer
from ecom_lite.produce.producer import Producer
from ecom_lite.produce.turn import LOCK_KEY
from ecom_lite.settings.override import ShopOverride
from ecom_lite.simulate import Shop, Timetable, identity, read_campaigns
from ecom_lite.topic import batch_producer as client
from ecom_lite.topic import client as kafka_client
from ecom_lite.warehouse.connect import Address
from tests.runs import START_S, wait_for

from .facts import standing_still
from .producing import (
    RunningProducer,
    assert_each_once,
    assert_ledger_equals,
    assert_whole_prefix,
    flags_for,
    next_sequence,
    read_topic,
    run_and_kill,
    send,
    settings_for,
    shop_row,
)

pytestmark = pytest.mark.timeout(600)  # a broker of its own is started again and again


def test_exactly_n_events_are_sent_and_booked(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    settings = settings_for(topic, rate="max")
    last = send(settings, warehouse, kafka_bootstrap, events=5003)
    found = read_topic(kafka_bootstrap, topic)
    assert found.own.total() == 5003
    assert_ledger_equals(warehouse, found)
    assert_whole_prefix(found, settings)
    assert (last["state"], last["sent"], last["acked"], last["stream_events"], last["errors"]) == ("done", 5003, 5003, 5003, 0)
    for key, partitions in found.partitions_of_key.items():
        assert partitions == {(murmur2(key) & 0x7FFFFFFF) % 4}


def test_the_next_run_goes_on_in_the_middle_of_an_order(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    settings = settings_for(topic, rate="max")
    reached = []
    for events in (1000, 1, 1, 1, 1, 500, 0):
        send(settings, warehouse, kafka_bootstrap, events=events)
        reached.append(next_sequence(warehouse))
    found = read_topic(kafka_bootstrap, topic)
    assert found.own.total() == 1504
    assert_ledger_equals(warehouse, found)
    assert_whole_prefix(found, settings)
    assert reached == sorted(reached)


def test_until_counts_all_that_the_shop_ever_sent(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    settings = settings_for(topic, rate="max")
    for until, now in ((700, 700), (700, 700), (300, 700), (901, 901)):
        assert send(settings, warehouse, kafka_bootstrap, until=until)["stream_events"] == now
    found = read_topic(kafka_bootstrap, topic)
    assert found.own.total() == 901
    assert_whole_prefix(found, settings)


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
    with RunningProducer(settings_for(topic, rate=300), warehouse, kafka_bootstrap) as it:
        wait_for(lambda: it.latest("acked") > 300, "some acknowledged events")
        assert it.end() < 20  # about two seconds on a quiet machine
    found = read_topic(kafka_bootstrap, topic)
    assert it.figures[-1]["state"] == "stopped"
    assert found.own.total() == it.figures[-1]["sent"] == it.figures[-1]["acked"]
    assert_ledger_equals(warehouse, found)


def test_a_campaign_is_kept_and_every_order_can_be_made_again_from_what_is_kept(
    warehouse: Address, kafka_bootstrap: str, topic: str
) -> None:
    settings = settings_for(topic, rate=300, start="2026-01-01T00:00:00Z")
    with RunningProducer(settings, warehouse, kafka_bootstrap) as it:
        wait_for(lambda: it.latest("acked") > 100, "orders before it")
        it.producer.override(ShopOverride(campaigns={"Books": 0.3}))
        wait_for(lambda: it.latest("control").get("campaigns") == {"Books": 0.3}, "it is in force")
        begun = it.latest("acked")
        wait_for(lambda: it.latest("acked") > begun + 100, "orders in it")
        it.end()
    kept = shop_row(warehouse)["settings"]["campaigns"]
    assert [(each["category"], each["discount"], each["end"]) for each in kept] == [("Books", 0.3, None)] and kept[0]["first"] > 0
    with RunningProducer(settings, warehouse, kafka_bootstrap) as it:  # which nobody has asked for one
        wait_for(lambda: it.latest("acked") > 100, "orders after it")
        it.end()
    row = shop_row(warehouse)
    kept = row["settings"]["campaigns"]
    assert len(kept) == 1 and kept[0]["first"] < kept[0]["end"] < row["next_sequence"]
    found = read_topic(kafka_bootstrap, topic)
    shop, times = Shop(settings.shop, read_campaigns(kept)), Timetable(settings.shop, row["opened_at"])
    assert found.values == {identity(e.value or b""): e.value for e in shop.batch(0, row["next_sequence"], times)}
    assert_ledger_equals(warehouse, found)


def test_stop_waits_for_a_ledger_that_postgresql_is_slow_to_take(
    warehouse: Address, kafka_bootstrap: str, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        RunningProducer(settings_for(topic, rate=300), warehouse, kafka_bootstrap) as it,
        standing_still(warehouse, "ecom_owner") as other,
    ):
        wait_for(lambda: it.latest("acked") > 300, "some acknowledged events")
        other.execute("LOCK TABLE ops.sent_ledger IN EXCLUSIVE MODE")
        acked = it.latest("acked")
        wait_for(lambda: it.latest("acked") > acked, "events that are not in the ledger yet")
        release = Timer(1.0, other.rollback)
        release.start()
        it.end()
        release.join()
    assert "not written to the end" not in caplog.text
    assert_ledger_equals(warehouse, read_topic(kafka_bootstrap, topic))


def test_stop_waits_for_a_broker_that_is_slow(warehouse: Address, own_kafka: KafkaServer) -> None:
    topic = "slow"
    settings = settings_for(topic, rate=300)
    kafka_client.ensure_topics(kafka_client.client_config(settings.kafka, own_kafka.bootstrap), topic, 4, f"{topic}.dlq")
    with RunningProducer(settings, warehouse, own_kafka.bootstrap) as it:
        wait_for(lambda: it.latest("acked") > 100, "events before it stands still")
        pid = own_kafka.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            wait_for(lambda: it.latest("unacked") > 100, "events that wait for the broker")
            goes_on = Timer(2.0, os.kill, (pid, signal.SIGCONT))
            goes_on.start()
            it.end()
            goes_on.join()
        finally:
            os.kill(pid, signal.SIGCONT)
    assert_ledger_equals(warehouse, read_topic(own_kafka.bootstrap, topic))


def test_a_paced_run_is_neither_far_too_fast_nor_far_too_slow(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    with RunningProducer(settings_for(topic, rate=100, customers=1), warehouse, kafka_bootstrap) as it:
        wait_for(lambda: it.latest("orders") > 0, "the first report")
        seen = [(it.latest("orders"), time.monotonic())]
        for _ in range(5):  # about a second each: a machine that stands still, which is not made up for, spoils one or two
            wait_for(lambda: it.latest("orders") > seen[-1][0] + 80, "the next second of orders")
            seen.append((it.latest("orders"), time.monotonic()))
    rates = [(orders - before) / (at - since) for (before, since), (orders, at) in pairwise(seen)]
    assert 50 < median(rates) < 200, rates


def test_a_deadline_ends_the_run(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    told: list[ProducerFigures] = []

    def clock() -> float:
        """Jumps over the deadline once events are acknowledged, however long that takes."""
        return time.monotonic() + (3_600 if told and told[-1].acked else 0)

    made = Producer(settings_for(topic, rate=200), warehouse, kafka_bootstrap, report=told.append, monotonic=clock)
    made.run(Event(), deadline=time.monotonic() + 1_800)
    found = read_topic(kafka_bootstrap, topic)
    assert found.own.total() == told[-1].acked > 0 and told[-1].state == "done"
    assert_ledger_equals(warehouse, found)


def test_a_lost_ledger_is_counted_again_from_the_topic(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    settings = settings_for(topic, rate="max")
    Producer(settings, warehouse, kafka_bootstrap).run(Event(), events=2500)
    with warehouse.connect("admin") as admin:
        admin.execute("DELETE FROM ops.sent_ledger WHERE partition <> 2")
        admin.execute("UPDATE ops.sent_ledger SET events = 0, order_lines = 0, other_events = 0, revenue = 0, next_offset = 0")
    figures: list[ProducerFigures] = []
    Producer(settings, warehouse, kafka_bootstrap, report=figures.append).run(Event(), events=0)
    assert figures[-1].recovered == 2500
    assert_ledger_equals(warehouse, read_topic(kafka_bootstrap, topic))


def test_what_lies_above_the_ledger_is_not_sent_again(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    settings = settings_for(topic, rate="max")
    send(settings, warehouse, kafka_bootstrap, events=2500)
    with warehouse.connect("admin") as admin:
        admin.execute("DELETE FROM ops.sent_ledger")
        admin.execute("UPDATE ops.shops SET next_sequence = 3")
    send(settings, warehouse, kafka_bootstrap, events=700)
    found = read_topic(kafka_bootstrap, topic)
    assert found.own.total() == 3200
    assert_ledger_equals(warehouse, found)
    assert_whole_prefix(found, settings)


@pytest.mark.parametrize("rate", ["max", pytest.param(800, marks=pytest.mark.long)])
def test_sigkill_at_any_moment_loses_nothing_and_sends_nothing_twice(
    warehouse: Address, kafka_bootstrap: str, topic: str, rate: object
) -> None:
    flags = flags_for(topic, rate=rate)
    for enough in (1, 3000, 100, 9000) if rate == "max" else (1, 700, 1500):
        run_and_kill(flags, warehouse, kafka_bootstrap, enough)
    settings = settings_for(topic, rate="max")
    send(settings, warehouse, kafka_bootstrap, events=100)
    found = read_topic(kafka_bootstrap, topic)
    assert_ledger_equals(warehouse, found)
    assert_each_once(found, settings, next_sequence(warehouse))


def test_postgres_being_away_does_not_stop_the_sending(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    with RunningProducer(settings_for(topic, rate=200), warehouse, kafka_bootstrap) as it:
        wait_for(lambda: it.latest("acked") > 0, "the first events")
        allow_connections(warehouse, False)
        wait_for(lambda: it.latest("ledger") == "in memory", "the ledger to notice")
        before = it.latest("acked")
        wait_for(lambda: it.latest("acked") > before + 300, "sending to go on")
        allow_connections(warehouse, True)
        wait_for(lambda: it.latest("ledger") == "written", "the ledger to be written again")
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


@pytest.fixture(scope="module")
def killable_kafka(tmp_path_factory: pytest.TempPathFactory, java: Path, jar_cache: JarCache) -> Iterator[KafkaServer]:
    folder = tmp_path_factory.mktemp("own_kafka")
    server = KafkaServer(folder / "kafka", folder / "logs", java=java, classpath=jar_cache.classpath("kafka"), heap_mb=256)
    server.start(START_S)
    yield server
    server.stop()


@pytest.fixture
def own_kafka(killable_kafka: KafkaServer) -> KafkaServer:
    """A broker that a test may kill, and starts again; one that has failed before that takes no other test along."""
    if not killable_kafka.alive:
        killable_kafka.start(START_S)
    return killable_kafka


@pytest.mark.parametrize("sends_fail", [False, True], ids=["the client waits", "the client gives up"])
def test_a_broker_that_is_killed_and_started_again_loses_nothing(
    warehouse: Address, own_kafka: KafkaServer, monkeypatch: pytest.MonkeyPatch, sends_fail: bool
) -> None:
    topic = f"restarted-{sends_fail}"
    settings = settings_for(topic, rate=400)
    kafka_client.ensure_topics(kafka_client.client_config(settings.kafka, own_kafka.bootstrap), topic, 4, f"{topic}.dlq")
    with monkeypatch.context() as impatient:  # the producer only, and no more than a busy machine bears
        if sends_fail:
            impatient.setattr(kafka_client, "REQUEST_TIMEOUT_MS", 3000)
            impatient.setattr(client, "DELIVERY_TIMEOUT_MS", 4000)
        with RunningProducer(settings, warehouse, own_kafka.bootstrap) as it:
            wait_for(lambda: it.latest("acked") > 500, "events before the kill")
            own_kafka.kill()
            if sends_fail:
                wait_for(lambda: it.latest("state") == "waiting for kafka", "the client to give up")
            own_kafka.start(START_S)
            before = it.latest("acked")
            wait_for(lambda: it.latest("acked") > before + 1500, "events after the restart")
    found = read_topic(own_kafka.bootstrap, topic)
    assert_ledger_equals(warehouse, found)
    assert_each_once(found, settings, next_sequence(warehouse))
    assert it.latest("errors") >= 1 if sends_fail else it.latest("errors") == 0


def test_stop_while_the_broker_is_away_ends_soon(warehouse: Address, own_kafka: KafkaServer) -> None:
    topic = "away"
    settings = settings_for(topic, rate=400)
    kafka_client.ensure_topics(kafka_client.client_config(settings.kafka, own_kafka.bootstrap), topic, 4, f"{topic}.dlq")
    with RunningProducer(settings, warehouse, own_kafka.bootstrap) as it:
        wait_for(lambda: it.latest("acked") > 100, "events before the kill")
        own_kafka.kill()
        wait_for(lambda: it.latest("unacked") > 100, "events that wait for the broker")
        assert it.end() < 20  # about two seconds on a quiet machine
    own_kafka.start(START_S)
    Producer(settings, warehouse, own_kafka.bootstrap).run(Event(), events=50)
    found = read_topic(own_kafka.bootstrap, topic)
    assert_ledger_equals(warehouse, found)
    assert_each_once(found, settings, next_sequence(warehouse))


def sends(it: RunningProducer) -> bool:
    return bool(it.latest("acked") > 50)


def test_a_second_sender_of_one_shop_is_told_who_has_it_and_spoils_nothing(
    warehouse: Address, kafka_bootstrap: str, topic: str
) -> None:
    settings = settings_for(topic, rate=200)
    with RunningProducer(settings, warehouse, kafka_bootstrap) as first:
        wait_for(lambda: sends(first), "the first one sends")
        own = rf"seed-7 is being sent already, by process {os.getpid()} on {platform.node()} since 20.* another --seed"
        with pytest.raises(UsageError, match=own):
            Producer(settings, warehouse, kafka_bootstrap).run(Event(), events=500)
        other = settings_for(topic, rate="max", seed=8)
        assert send(other, warehouse, kafka_bootstrap, events=300)["acked"] == 300, "another shop is another's"
        before = first.latest("acked")
        wait_for(lambda: first.latest("acked") > before + 50, "the first one goes on")
    assert first.failure is None
    found = read_topic(kafka_bootstrap, topic)
    assert_ledger_equals(warehouse, found)
    assert_each_once(found, settings, next_sequence(warehouse))
    send(settings_for(topic, rate="max"), warehouse, kafka_bootstrap, events=100)
    assert_ledger_equals(warehouse, read_topic(kafka_bootstrap, topic))


def test_a_sender_that_has_lost_its_turn_with_its_connection_stops_before_the_next_one_sends(
    warehouse: Address, kafka_bootstrap: str, topic: str
) -> None:
    settings = settings_for(topic, rate=200)
    with RunningProducer(settings, warehouse, kafka_bootstrap) as first:
        wait_for(lambda: sends(first), "the first one sends")
        with warehouse.connect("admin", autocommit=True) as admin:
            taken = False
            while not taken:  # whoever comes first after the cut has it: here that is another
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE usename = 'ecom_producer' AND datname = current_database()"
                )
                (taken,) = admin.execute("SELECT pg_try_advisory_lock(%s, hashtext('seed-7'))", [LOCK_KEY]).fetchone() or (False,)
            admin.execute("UPDATE ops.shop_senders SET token = gen_random_uuid(), host = 'elsewhere', pid = 1")
            wait_for(lambda: first.failure is not None, "the first one notices")
        assert "by process 1 on elsewhere" in str(first.failure)
        with RunningProducer(settings, warehouse, kafka_bootstrap) as second:
            wait_for(lambda: sends(second), "the second one sends")
    found = read_topic(kafka_bootstrap, topic)
    assert second.failure is None
    assert_ledger_equals(warehouse, found)
    assert_each_once(found, settings, next_sequence(warehouse))
