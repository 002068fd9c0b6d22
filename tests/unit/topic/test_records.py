"""Our reader of record batches reads what kafka-python reads, and refuses what is damaged with one kind of error."""

from __future__ import annotations

import inspect
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.errors import CorruptRecordError
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

from ecom_lite.topic.records import Record, RecordReader

PARTITION = 3
sizes = st.sampled_from([0, 1, 63, 64, 127, 128, 8_191, 8_192, 70_000])
some_bytes = st.binary(max_size=300) | st.builds(lambda size: b"x" * size, sizes)
headers = st.lists(st.tuples(st.text(max_size=20), st.none() | some_bytes), max_size=4) | st.just([("ecom_lite", b"seed-7")])
appended = st.tuples(st.integers(0, 2**40), st.none() | some_bytes, st.none() | some_bytes, headers)
codecs = st.sampled_from([0, 1, 3])  # none, gzip, lz4


def built(records: list[Any], codec: int = 0, base_offset: int = 0) -> bytearray:
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 1 << 30)
    for number, (timestamp, key, value, pairs) in enumerate(records):
        assert builder.append(number, timestamp, key, value, pairs) is not None
    data = bytearray(builder.build())
    data[:8] = base_offset.to_bytes(8, "big")  # the broker sets it; the checksum does not cover it
    return data


@given(st.lists(appended, min_size=1, max_size=8), codecs, st.integers(0, 2**50))
def test_it_reads_what_the_library_reads(records: list[Any], codec: int, base_offset: int) -> None:
    data = built(records, codec, base_offset)
    theirs = [
        Record(PARTITION, r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in DefaultRecordBatch(bytearray(data))
    ]
    assert RecordReader(PARTITION).read(DefaultRecordBatch(bytearray(data))) == theirs
    assert len(theirs) == len(records)


def test_the_broker_s_time_of_appending_wins_where_the_topic_says_so() -> None:
    data = built([(5, None, b"a", []), (7, None, b"b", [])])
    data[22] |= 8  # the attribute LogAppendTime
    assert [record.timestamp for record in RecordReader(0).read(DefaultRecordBatch(data))] == [7, 7]


def test_offsets_that_were_compacted_away_leave_holes() -> None:
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    for number in (0, 3, 200, 20_000):
        builder.append(number, 1, None, b"v", [])
    read = RecordReader(0).read(DefaultRecordBatch(bytearray(builder.build())))
    assert [record.offset for record in read] == [0, 3, 200, 20_000]


def test_a_header_name_that_is_not_utf8_is_escaped() -> None:
    data = built([(0, None, b"v", [("cafe", b"\xe9")])])
    data[:] = data.replace(b"cafe", b"caf\xe9")
    assert RecordReader(0).read(DefaultRecordBatch(data))[0].headers == (("caf\\xe9", b"\xe9"),)


def test_many_different_headers_are_read_right_and_not_all_remembered() -> None:
    reader, kept = RecordReader(0), dict[int, int]()
    ours = [tracemalloc.Filter(True, inspect.getfile(RecordReader))]  # not what threads of other tests take meanwhile
    tracemalloc.start()
    for start in range(0, 6_000, 100):
        pairs = [[("trace", str(start + n).encode())] for n in range(100)]
        read = reader.read(DefaultRecordBatch(built([(0, None, b"v", pair) for pair in pairs])))
        assert [list(record.headers) for record in read] == pairs
        del pairs, read
        if start in (0, 900, 2_900, 5_900):
            kept[start] = sum(each.size for each in tracemalloc.take_snapshot().filter_traces(ours).traces)
    tracemalloc.stop()
    assert kept[5_900] - kept[2_900] < (kept[900] - kept[0]) / 2, "the second half is not remembered, as the first thousand are"


@given(st.lists(appended, min_size=1, max_size=4), st.data())
def test_damage_is_a_corrupt_record_or_other_content_but_never_another_error(records: list[Any], data: st.DataObject) -> None:
    batch = built(records)
    where = data.draw(st.integers(61, len(batch) - 1), "where")
    damaged = (
        batch[:where] if data.draw(st.booleans(), "cut") else batch[:where] + bytes([batch[where] ^ 0x81]) + batch[where + 1 :]
    )
    try:
        read = RecordReader(0).read(DefaultRecordBatch(bytearray(damaged)))
    except CorruptRecordError:
        return
    assert len(read) == len(records)


def test_bytes_behind_the_last_record_are_refused() -> None:
    with pytest.raises(CorruptRecordError, match="3 bytes behind its records"):
        RecordReader(0).read(DefaultRecordBatch(built([(0, None, b"v", [])]) + b"abc"))


@pytest.mark.parametrize("codec", [1, 3], ids=["gzip", "lz4"])
def test_what_its_codec_cannot_read_is_a_corrupt_record(codec: int) -> None:
    whole = built([(0, None, b"v" * 100, [])] * 3, codec)
    for damaged in (whole[:61] + b"garbage" * 5, whole[:-9]):
        with pytest.raises(CorruptRecordError, match="offset 0"):
            RecordReader(0).read(DefaultRecordBatch(bytearray(damaged)))
