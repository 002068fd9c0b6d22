"""Kafka's record batches -> records: what kafka-python reads in 8 us a record, in 2. Half of a loader's work is this."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from kafka import IsolationLevel, KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError, KafkaError
from kafka.record.default_records import DefaultRecordBatch

MAX_KNOWN_TAILS: Final = 1_000
MAX_TAIL_BYTES: Final = 200

Headers = tuple[tuple[str, bytes | None], ...]


class Record(NamedTuple):
    """One record of the topic. `timestamp` is in ms; a header name that is not UTF-8 has \\x escapes."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class RecordReader:
    """Reads the records of one partition. For one thread."""

    def __init__(self, partition: int) -> None:
        self._partition = partition
        self._known: dict[bytes, Headers] = {b"\0": ()}  # what stands behind the value: a producer sends the same headers always

    def read(self, batch: DefaultRecordBatch) -> list[Record]:
        """All records of a batch. Raises CorruptRecordError, also for a codec's own complaint."""
        try:
            batch._maybe_uncompress()
        except KafkaError:  # no codec of that name is installed
            raise
        except Exception as error:  # each codec has errors of its own
            raise CorruptRecordError(f"batch at offset {batch.base_offset} cannot be uncompressed: {error!r}") from None
        data, count = bytes(batch._buffer), batch.records_count
        fixed = batch.max_timestamp if batch.timestamp_type == batch.LOG_APPEND_TIME else None
        try:
            records, end = self._records(data, batch._pos, count, batch.base_offset, batch.first_timestamp, fixed)
        except (IndexError, ValueError) as error:
            raise CorruptRecordError(f"batch at offset {batch.base_offset}: {error!r}") from None
        if end != len(data):
            raise CorruptRecordError(f"batch at offset {batch.base_offset}: {len(data) - end} bytes behind its records")
        return records

    def _records(
        self, data: bytes, pos: int, count: int, base_offset: int, base_time: int, fixed: int | None
    ) -> tuple[list[Record], int]:
        # Record: length, attributes (a byte), time delta, offset delta, key, value, headers; lengths are zigzag varints. Those
        # of one or two bytes, which is nearly all, are read in place: a call for each would cost more than the rest.
        records: list[Record] = []
        add, new, partition, known = records.append, tuple.__new__, self._partition, self._known
        for _ in range(count):
            n = data[pos]
            if n < 0x80:
                pos += 1
            elif data[pos + 1] < 0x80:
                n, pos = n & 0x7F | data[pos + 1] << 7, pos + 2
            else:
                n, pos = _varint(data, pos)
            end = pos + (n >> 1)
            pos += 1
            n = data[pos]
            if n < 0x80:
                pos += 1
            elif data[pos + 1] < 0x80:
                n, pos = n & 0x7F | data[pos + 1] << 7, pos + 2
            else:
                n, pos = _varint(data, pos)
            time = base_time + (n >> 1 ^ -(n & 1)) if fixed is None else fixed
            n = data[pos]
            if n < 0x80:
                pos += 1
            elif data[pos + 1] < 0x80:
                n, pos = n & 0x7F | data[pos + 1] << 7, pos + 2
            else:
                n, pos = _varint(data, pos)
            offset = base_offset + (n >> 1)
            n = data[pos]
            if n < 0x80:
                pos += 1
            else:
                n, pos = _varint(data, pos)
            key = None
            if not n & 1:
                start, pos = pos, pos + (n >> 1)
                key = data[start:pos]
            n = data[pos]
            if n < 0x80:
                pos += 1
            elif data[pos + 1] < 0x80:
                n, pos = n & 0x7F | data[pos + 1] << 7, pos + 2
            else:
                n, pos = _varint(data, pos)
            value = None
            if not n & 1:
                start, pos = pos, pos + (n >> 1)
                value = data[start:pos]
            headers = known.get(tail := data[pos:end])
            if headers is None:
                headers = self._headers(tail)
            if end > len(data):
                raise IndexError(f"a record ends at byte {end:,} of {len(data):,}")
            pos = end
            add(new(Record, (partition, offset, time, key, value, headers)))
        return records, pos

    def _headers(self, tail: bytes) -> Headers:
        count, pos = _varint(tail, 0)
        headers = []
        for _ in range(_length(count)):
            size, pos = _varint(tail, pos)
            name_end = pos + _length(size)
            name = tail[pos:name_end].decode("utf-8", "backslashreplace")
            size, pos = _varint(tail, name_end)
            value = None
            if size != 1:  # null
                start, pos = pos, pos + _length(size)
                value = tail[start:pos]
            headers.append((name, value))
        if pos != len(tail):
            raise ValueError(f"{len(tail) - pos} bytes behind the headers of a record")
        found = tuple(headers)
        if len(tail) <= MAX_TAIL_BYTES and len(self._known) < MAX_KNOWN_TAILS:
            self._known[tail] = found
        return found


def _varint(data: bytes, pos: int) -> tuple[int, int]:
    """The unsigned number at `pos`, still zigzag, and the position behind it."""
    number = shift = 0
    while True:
        byte = data[pos]
        pos += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, pos
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _length(zigzag: int) -> int:
    if zigzag & 1:
        raise ValueError(f"a length of {zigzag >> 1 ^ -1}")
    return zigzag >> 1


class _FetchedRecords(Fetcher.PartitionRecords):  # type: ignore[misc]
    """What a fetch brought of one partition, as the consumer hands it out: the library's class, with our reader."""

    number_of: Callable[[TopicPartition], int]

    def _unpack_records(self, tp: Any, fetched: Any, *_: object) -> Iterator[Record]:
        reader, batch = RecordReader(self.number_of(tp)), None
        while (following := fetched.next_batch()) is not None:
            batch = following
            if not batch.validate_crc():
                raise CorruptRecordError(
                    f"{tp.topic}[{tp.partition}]: the batch at offset {batch.base_offset} fails its checksum"
                )
            self.leader_epoch = batch.leader_epoch
            if self._is_for_us(batch):
                self.bytes_read += batch.size_in_bytes
                for record in reader.read(batch):
                    self.next_fetch_offset = record[1] + 1
                    yield record
            self.next_fetch_offset = batch.next_offset  # its last records may have been compacted away
        self.drain()

    def _is_for_us(self, batch: Any) -> bool:
        """False for the markers of transactions, and for what an aborted one wrote."""
        if self.isolation_level == IsolationLevel.READ_COMMITTED and batch.has_producer_id():
            self._consume_aborted_transactions_up_to(batch.last_offset)
            if self._contains_abort_marker(batch):
                self.aborted_producer_ids.discard(batch.producer_id)
            elif self._is_batch_aborted(batch):
                return False
        return not batch.is_control_batch


def read_quickly(consumer: KafkaConsumer, number_of: Callable[[TopicPartition], int] = lambda tp: int(tp.partition)) -> None:
    """From now on `consumer.poll` returns Records. Only for brokers that keep format 2, which is all since Kafka 0.11."""

    class Numbered(_FetchedRecords):
        pass

    Numbered.number_of = staticmethod(number_of)
    consumer._fetcher.PartitionRecords = Numbered
