"""What our clients take for granted of a broker holds for Apache Kafka. Of another one's code (`-m long`) is said what does not.

docs/cluster.md#another-brokers-code has the table.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaError

from ecom_lite.engines.ports import free_port
from ecom_lite.errors import EcomLiteError
from ecom_lite.harness.kafka_proxy import KafkaProxy, RequestTrap
from ecom_lite.settings.load import load_settings
from ecom_lite.topic.batch_producer import BatchProducer, SoleProducer
from ecom_lite.topic.client import client_config, end_offsets, ensure_topics, max_message_bytes, offset_range, partitions_of
from tests.brokers import tansu
from tests.runs import wait_for

PARTITIONS = 4
WAIT_S = 60
DIFFERS = {
    "test_the_end_of_a_partition_is_one_past_its_newest_record": "ListOffsets: the base offset of the newest batch, plus one",
    "test_what_a_transaction_aborted_is_not_read": "Fetch: lists no aborted transactions, so that its readers deliver them",
    "test_a_topic_is_made_once_with_its_partitions_and_its_limit": "DescribeConfigs with a name: not understood",
    "test_a_member_that_comes_back_under_its_name_goes_on_with_its_partitions": "JoinGroup: two find no rest in a minute",
}
_numbers = itertools.count()


@pytest.fixture(scope="module")
def tansu_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tansu.install(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def tansu_bootstrap(tmp_path_factory: pytest.TempPathFactory, tansu_program: Path) -> Iterator[str]:
    with tansu.running(tansu_program, tmp_path_factory.mktemp("tansu")) as bootstrap:
        yield bootstrap


@pytest.fixture(params=["Apache Kafka", pytest.param("Tansu", marks=pytest.mark.long)])
def client(request: pytest.FixtureRequest) -> dict[str, Any]:
    """How each of our clients reaches the broker."""
    other = request.param == "Tansu"
    if other and (reason := DIFFERS.get(request.function.__name__)):
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True, raises=(AssertionError, EcomLiteError)))
    bootstrap = request.getfixturevalue("tansu_bootstrap" if other else "kafka_bootstrap")
    return client_config(load_settings(env={}).kafka, bootstrap)


@pytest.fixture
def topic(client: dict[str, Any]) -> str:
    name = f"assumed_{next(_numbers)}"
    assert ensure_topics(client, name, PARTITIONS, f"{name}_dead") == PARTITIONS
    return name


def send(producer: KafkaProducer, topic: str, values: Sequence[bytes], partition: int = 0) -> None:
    """All of them in one batch, as far as the client can."""
    sent = [producer.send(topic, value=value, partition=partition) for value in values]
    producer.flush(WAIT_S)
    assert [future.get(WAIT_S).offset for future in sent] == sorted(future.get(0).offset for future in sent)


def read(client: dict[str, Any], topic: str, until: bytes, partition: int = 0) -> list[bytes]:
    """The values of a partition up to `until`, of what has been committed."""
    consumer = KafkaConsumer(
        **client, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    part, found = TopicPartition(topic, partition), list[bytes]()

    def reached() -> bool:
        found.extend(record.value for record in polled(consumer))
        return until in found

    consumer.assign([part])
    try:
        wait_for(reached, f"{until!r} to be read", WAIT_S)
    finally:
        consumer.close()
    return found


def polled(consumer: KafkaConsumer) -> list[ConsumerRecord]:
    return [record for records in consumer.poll(timeout_ms=200).values() for record in records]


def test_a_topic_is_made_once_with_its_partitions_and_its_limit(client: dict[str, Any], topic: str) -> None:
    assert ensure_topics(client, topic, PARTITIONS + 1, f"{topic}_dead") == PARTITIONS
    assert offset_range(client, topic) == (dict.fromkeys(range(PARTITIONS), 0), dict.fromkeys(range(PARTITIONS), 0))
    assert (max_message_bytes(client, topic) or 1_048_588) >= 1_000_000


@pytest.mark.parametrize("compression", [None, "gzip", "lz4", "zstd", "snappy"])
def test_records_are_read_in_the_order_of_their_offsets_however_they_are_packed(
    client: dict[str, Any], topic: str, compression: str | None
) -> None:
    values = [b"%d %s" % (number, b"x" * 100) for number in range(500)]
    producer = KafkaProducer(**client, compression_type=compression, linger_ms=50)
    send(producer, topic, values)
    producer.close()
    assert read(client, topic, values[-1]) == values


def test_the_end_of_a_partition_is_one_past_its_newest_record(client: dict[str, Any], topic: str) -> None:
    producer = BatchProducer(client)
    send(producer, topic, [b"x"] * 10)
    producer.close()
    assert end_offsets(client, topic) == {0: 10, 1: 0, 2: 0, 3: 0}


def test_what_a_transaction_aborted_is_not_read(client: dict[str, Any], topic: str) -> None:
    producer = KafkaProducer(**client, transactional_id=f"{topic}_t")
    producer.init_transactions()
    for value, end in ((b"aborted", producer.abort_transaction), (b"committed", producer.commit_transaction)):
        producer.begin_transaction()
        send(producer, topic, [value])
        end()
    producer.close()
    assert read(client, topic, b"committed") == [b"committed"]


def test_who_was_replaced_under_its_name_can_send_no_more(client: dict[str, Any], topic: str) -> None:
    first, second = SoleProducer(client, f"{topic}_s"), SoleProducer(client, f"{topic}_s")
    first.take_over(topic, True)
    send(first, topic, [b"first"])
    second.take_over(topic, False)
    with pytest.raises(KafkaError):
        first.send(topic, value=b"too late", partition=0).get(WAIT_S)
    send(second, topic, [b"second"])
    first.close(0), second.close()
    assert read(client, topic, b"second") == [b"first", b"second"]


def test_a_member_that_comes_back_under_its_name_goes_on_with_its_partitions(client: dict[str, Any], topic: str) -> None:
    producer = BatchProducer(client)
    for partition in range(PARTITIONS):
        send(producer, topic, [b"x"] * 5, partition)
    producer.close()

    def member(name: str) -> KafkaConsumer:
        consumer = KafkaConsumer(
            **client, group_id=f"{topic}_g", group_instance_id=name, enable_auto_commit=False,
            auto_offset_reset="earliest", session_timeout_ms=2 * WAIT_S * 1000, heartbeat_interval_ms=500,
        )  # fmt: skip
        consumer.subscribe([topic])
        partitions_of(consumer, topic)  # a member that joins without having heard of them may never get one (kafka-python 3.0)
        return consumer

    with ExitStack() as stack:
        one, two = (stack.enter_context(closing(member(name))) for name in ("one", "two"))
        shares = [set[TopicPartition](), set[TopicPartition]()]

        def shared() -> bool:
            polled(one), polled(two)
            shares[:] = one.assignment(), two.assignment()
            # A member has its old share until a poll of its own has seen the new one: then they overlap.
            return all(shares) and sorted(part.partition for share in shares for part in share) == list(range(PARTITIONS))

        wait_for(shared, "a share each", WAIT_S)
        one.close(autocommit=False)  # a named member leaves without a word; its session would last for longer than we wait
        back = stack.enter_context(closing(member("one")))
        wait_for(lambda: polled(two) is None or polled(back) is None or back.assignment(), "its partitions", WAIT_S)
        assert (back.assignment(), two.assignment()) == (shares[0], shares[1])


@pytest.mark.long
def test_a_batch_whose_answer_was_lost_is_kept_once(tmp_path: Path, tansu_program: Path) -> None:
    """Of Apache Kafka the rounds of the harness prove it (`--producer`)."""
    port = free_port()
    proxy = KafkaProxy(("127.0.0.1", port), RequestTrap("answer", 2))
    try:
        with tansu.running(tansu_program, tmp_path, port, proxy.port) as bootstrap:
            client, values = client_config(load_settings(env={}).kafka, bootstrap), [b"%d" % number for number in range(4)]
            ensure_topics(client, "lost_answer", 1, "lost_answer_dead")
            producer = BatchProducer(client)
            for value in values:
                send(producer, "lost_answer", [value])
            producer.close()
            assert proxy.struck.is_set()
            assert read(client, "lost_answer", values[-1]) == values
    finally:
        proxy.close()
