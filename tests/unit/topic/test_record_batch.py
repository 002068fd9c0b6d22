"""Batches that are put together whole are read back by kafka-python as what went in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka import TopicPartition
from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.record.memory_records import MemoryRecords

from ecom_lite.topic.record_batch import KNOWN_NUMBERS, NO_HEADERS, WholeBatch, headers, varint
from tests.unit.topic.packed import NoBroker

PAIRS = st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=40)), max_size=3)
BYTES = st.binary(max_size=40) | st.sampled_from([b"x" * 63, b"x" * 64, b"x" * 8191, b"x" * 8192, b"x" * (KNOWN_NUMBERS + 1)])
Drawn = list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]], int]]
RECORDS = st.lists(st.tuples(st.none() | BYTES, st.none() | BYTES, PAIRS, st.integers(0, 3)), min_size=1, max_size=40)


@given(RECORDS)
@settings(deadline=None)
def test_what_is_packed_is_what_kafka_python_reads(
    records: Drawn,
) -> None:
    broker = NoBroker(partitions=1)
    packer = broker.packer()
    times = []
    for key, value, pairs, later_ms in records:
        broker.now_ms += later_ms
        packer.turn()
        packer.add(key, value, headers(*pairs))
        times.append(broker.now_ms)
    packer.flush()
    read = [record for batch in broker.handed for record in batch.read()]
    assert [(r.key, r.value, r.headers) for r in read] == [(key, value, pairs) for key, value, pairs, _ in records]
    assert [r.timestamp for r in read] == times
    assert all(batch.read_header().validate_crc() for batch in broker.handed)


@pytest.mark.parametrize("number", [0, 1, -1, 63, 64, -64, -65, 8191, 8192, 2**31 - 1, -(2**31), 2**40])
def test_a_number_is_written_as_kafka_python_writes_it(number: int) -> None:
    from kafka.record.util import encode_varint

    written = bytearray()
    encode_varint(number, written.append)
    assert varint(number) == bytes(written)


def test_a_batch_waits_for_the_linger_and_no_longer() -> None:
    broker = NoBroker(partitions=2)
    packer = broker.packer()
    packer.add(b"a", b"1")
    assert packer.wait_s() == 0.02
    broker.now_ms += 19
    packer.turn()
    assert not broker.handed
    assert packer.wait_s() == 0.001
    broker.now_ms += 1
    packer.turn()
    assert [len(batch.read()) for batch in broker.handed] == [1]


def test_what_waits_goes_out_together() -> None:
    broker = NoBroker(partitions=4)
    packer = broker.packer()
    for number in range(40):
        broker.now_ms += number == 20
        packer.turn()
        packer.add(b"%d" % number, b"1")
    broker.now_ms += 19
    packer.turn()
    assert sorted(batch.topic_partition.partition for batch in broker.handed) == [0, 1, 2, 3]
    assert broker.woken == 1


def test_a_clock_that_is_set_back_sends_what_waits() -> None:
    broker = NoBroker(partitions=1)
    packer = broker.packer()
    packer.add(b"a", b"1")
    broker.now_ms -= 3_600_000
    packer.turn()
    assert len(broker.handed) == 1


def test_a_large_record_gets_a_batch_of_its_own() -> None:
    broker = NoBroker(partitions=1)
    packer = broker.packer()
    packer.add(b"a", b"1")
    packer.add(b"a", b"x" * 300_000)
    packer.add(b"a", b"2")
    packer.flush()
    assert [[record.value[:1] for record in batch.read()] for batch in broker.handed] == [[b"1"], [b"x"], [b"2"]]


def test_keys_go_where_kafkas_partitioner_puts_them_and_records_without_one_stay_together() -> None:
    from kafka.partitioner import murmur2

    broker = NoBroker(partitions=4)
    packer = broker.packer()
    for number in range(200):
        packer.add(b"%d" % number, b"keyed")
        packer.add(None, b"none")
    packer.flush()
    keyless = set()
    for batch in broker.handed:
        for record in batch.read():
            if record.key is None:
                keyless.add(batch.topic_partition.partition)
            else:
                assert (murmur2(record.key) & 0x7FFFFFFF) % 4 == batch.topic_partition.partition
    assert len(keyless) == 1


def test_acknowledged_batches_are_told_in_order_with_their_notes_and_ends() -> None:
    broker = NoBroker(partitions=1)
    packer = broker.packer()
    notes = []
    for value in (b"1", b"2", b"3"):
        notes.append(packer.add(b"a", value))
        packer.flush()
    first, second, third = broker.handed
    second.complete(70, -1)
    assert [*packer.acknowledged()] == []
    first.complete(50, -1)
    assert [*packer.acknowledged()] == [(0, notes[0], 51), (0, notes[1], 71)]
    assert packer.unacked == 1
    assert [*packer.notes()] == [notes[2]]
    third.abort(KafkaTimeoutError("late"))
    with pytest.raises(KafkaError, match="late"):
        [*packer.acknowledged()]


def test_a_batch_that_is_sent_again_has_the_number_of_the_first_attempt() -> None:
    batch = WholeBatch(TopicPartition("t", 0), b"x" * 500, 1, 0, 0)
    batch.records.set_producer_state(7, 1, 40, False)
    batch.records.close()
    bytes_ = bytes(batch.records.buffer())
    batch.records.close()
    assert bytes(batch.records.buffer()) == bytes_
    assert MemoryRecords(bytes_).next_batch().base_sequence == 40


def test_a_batch_whose_place_is_not_told_is_left_to_a_reading_of_the_topic() -> None:
    broker = NoBroker(partitions=1)
    packer = broker.packer()
    packer.add(b"a", b"1")
    packer.flush()
    broker.handed[0].complete(-1, -1)
    with pytest.raises(KafkaError, match="does not say where"):
        [*packer.acknowledged()]


def test_no_headers_are_one_byte() -> None:
    assert headers() == NO_HEADERS == b"\0"
