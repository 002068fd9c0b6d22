"""One producer of a name: what an earlier one has in flight cannot land behind the next one's reading of the topic's end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kafka import KafkaAdminClient
from kafka.errors import InvalidProducerEpochError, KafkaError

from ecom_lite.harness.proxy import Proxy, Trap
from ecom_lite.topic.batch_producer import SoleProducer
from ecom_lite.topic.client import client_config, end_offsets
from ecom_lite.topic.packer import Packer
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.mark import read_mark
from tests.integration.topics import records_of
from tests.runs import wait_for

from .producing import (
    RunningProducer,
    assert_each_once,
    assert_ledger_equals,
    assert_whole_prefix,
    next_sequence,
    read_topic,
    send,
    settings_for,
)

NAME = "ecom_lite.test-%s"


@pytest.fixture
def client(kafka_bootstrap: str, topic: str) -> dict[str, object]:
    return client_config(settings_for(topic).kafka, kafka_bootstrap)


def opened(client: dict[str, object], topic: str, first: bool = False) -> tuple[SoleProducer, Packer[object]]:
    producer = SoleProducer(client, NAME % topic)
    producer.take_over(topic, first)
    return producer, Packer(producer, topic, object)


def sent(packer: Packer[object], values: list[bytes]) -> list[int]:
    for value in values:
        packer.add(b"k", value)
    packer.flush()
    behind: list[int] = []

    def all_there() -> bool:
        behind.extend(end for _, _, end in packer.acknowledged())
        return not packer.unacked

    wait_for(all_there, "the broker has them")
    return behind


def test_what_an_earlier_one_sends_after_the_next_has_taken_over_is_refused(client: dict[str, object], topic: str) -> None:
    old, old_packer = opened(client, topic, first=True)
    assert sent(old_packer, [b"1", b"2"]) == [2]
    new, new_packer = opened(client, topic)
    assert sum(end_offsets(client, topic).values()) >= 2 + 4, "each partition has heard of it"
    wait_for(lambda: sum(end_offsets(client, topic).values()) == 2 + 4 + 1, "the last marker, which follows the broker's answer")
    ends = end_offsets(client, topic)  # what the next one goes by
    with pytest.raises(InvalidProducerEpochError):
        sent(old_packer, [b"too late"])
    with pytest.raises(KafkaError):
        sent(old_packer, [b"and that is the end of it"])
    assert end_offsets(client, topic) == ends
    sent(new_packer, [b"3"])
    assert [record.value for record in records_of(client, topic)] == [b"1", b"2", b"3"]
    old.close(timeout=0)
    new.close(timeout=1)


def test_the_first_of_a_name_leaves_no_trace_and_each_later_one_a_marker_in_each_partition_and_two_in_the_first(
    client: dict[str, object], topic: str
) -> None:
    for number in range(3):
        producer, _ = opened(client, topic, first=number == 0)
        producer.close(timeout=1)
        markers = {0: 2 * number, 1: number, 2: number, 3: number}
        wait_for(lambda markers=markers: end_offsets(client, topic) == markers, "its markers")  # type: ignore[misc]
    assert records_of(client, topic) == []


def test_a_sender_that_another_has_taken_over_from_ends_and_says_so(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    settings = settings_for(topic, rate=200)
    with warehouse.connect("ecom_reader") as reader:
        mark = read_mark(reader)
    with RunningProducer(settings, warehouse, kafka_bootstrap) as first:
        wait_for(lambda: first.latest("acked") > 50, "it sends")
        other = SoleProducer(client_config(settings.kafka, kafka_bootstrap), f"ecom_lite.seed-7@{mark}")
        other.take_over(topic, first=False)
        wait_for(lambda: first.failure is not None, "it is told")
        other.close(timeout=0)
    assert "another process sends for seed-7 now" in str(first.failure)
    send(settings_for(topic, rate="max"), warehouse, kafka_bootstrap, events=500)
    found = read_topic(kafka_bootstrap, topic)
    assert_ledger_equals(warehouse, found)
    assert_each_once(found, settings, next_sequence(warehouse))


def test_a_topic_that_takes_small_batches_only_gets_small_ones(
    warehouse: Address, kafka_bootstrap: str, client: dict[str, object], topic: str
) -> None:
    admin = KafkaAdminClient(**client)
    narrow = f"{topic}-narrow"
    admin.create_topics({narrow: {"num_partitions": 4, "configs": {"max.message.bytes": "8000"}}})
    admin.wait_for_topics([narrow])
    admin.close()
    settings = settings_for(narrow, rate="max")
    assert send(settings, warehouse, kafka_bootstrap, events=5_000)["acked"] == 5_000
    found = read_topic(kafka_bootstrap, narrow)
    assert_ledger_equals(warehouse, found)
    assert_whole_prefix(found, settings)


def test_a_sender_that_does_not_know_that_it_was_replaced_sends_nothing_twice(
    warehouse: Address, kafka_bootstrap: str, topic: str
) -> None:
    settings = settings_for(topic, rate=400)
    way = Proxy((warehouse.host, warehouse.port), Trap("none", 1))
    with RunningProducer(settings, replace(warehouse, host="127.0.0.1", port=way.port), kafka_bootstrap) as first:
        wait_for(lambda: first.latest("acked") > 100, "it sends")
        way.close()
        wait_for(lambda: first.latest("ledger") == "in memory", "it goes on without PostgreSQL")
        before = first.latest("acked")
        wait_for(lambda: first.latest("acked") > before + 100, "it still sends")
        with RunningProducer(settings, warehouse, kafka_bootstrap) as second:
            wait_for(lambda: second.latest("acked") > 100, "the next one sends")
            wait_for(lambda: first.failure is not None, "the first one ends")
    assert second.failure is None
    found = read_topic(kafka_bootstrap, topic)
    assert_ledger_equals(warehouse, found)
    assert_each_once(found, settings, next_sequence(warehouse))
