"""Records -> one of Kafka's record batches (format 2), put together whole: kafka-python takes 20 us a record for it, this 1."""

from __future__ import annotations

from struct import Struct
from typing import Any, Final

from kafka import TopicPartition
from kafka.codec import lz4_encode
from kafka.errors import KafkaError
from kafka.producer.producer_batch import ProducerBatch
from kafka.record.util import calc_crc32c

_HEADER: Final = Struct(">qiibIhiqqqhii")
_BEHIND_LENGTH: Final = 12  # what the batch's length counts begins here, ...
_BEHIND_CRC: Final = 21  # ... and what its checksum covers here
_CRC: Final = Struct(">I")
_CRC_AT: Final = 17
_MAGIC: Final = 2
_LZ4: Final = 3  # of the attributes
_NONE: Final = -1
KNOWN_NUMBERS: Final = 16_384


def varint(number: int) -> bytes:
    """A number as a record has it: zigzag, seven bits a byte, the lowest first."""
    left = number << 1 ^ number >> 63
    out = bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    out.append(left)
    return bytes(out)


SMALL: Final = [varint(number) for number in range(KNOWN_NUMBERS)]  # nearly all numbers of a record are among these
NULL: Final = varint(-1)  # the length of a key or a value that is not there
NO_HEADERS: Final = SMALL[0]


def sized(data: bytes | None) -> bytes:
    """A key or a value with its length before it."""
    if data is None:
        return NULL
    size = len(data)
    return (SMALL[size] if size < KNOWN_NUMBERS else varint(size)) + data


def headers(*pairs: tuple[str, bytes]) -> bytes:
    """What stands at the end of a record."""
    return varint(len(pairs)) + b"".join(sized(name.encode()) + sized(value) for name, value in pairs)


class _Records:
    """The bytes of a batch, as kafka-python's IO thread asks for them: numbered by it, closed, and sent."""

    def __init__(self, body: bytes, count: int, first_ms: int, last_ms: int) -> None:
        packed: bytes = lz4_encode(body)
        self._attributes, self._body = (_LZ4, packed) if len(packed) < len(body) else (0, body)
        self._bytes = _HEADER.size + len(self._body)
        self._count, self._first_ms, self._last_ms = count, first_ms, last_ms
        self.producer_id = self.producer_epoch = self.base_sequence = _NONE
        self._whole: bytearray | None = None

    def next_offset(self) -> int:
        return self._count

    def is_full(self) -> bool:
        return True

    def size_in_bytes(self) -> int:
        return self._bytes

    def set_producer_state(self, producer_id: int, epoch: int, base_sequence: int, is_transactional: bool) -> None:
        self.producer_id, self.producer_epoch, self.base_sequence = producer_id, epoch, base_sequence

    def close(self) -> None:
        """Asked for again with each attempt: the bytes are those of the first one, or the broker would take them twice."""
        if self._whole is not None:
            return
        head = _HEADER.pack(
            0, self._bytes - _BEHIND_LENGTH, 0, _MAGIC, 0, self._attributes, self._count - 1, self._first_ms,
            self._last_ms, self.producer_id, self.producer_epoch, self.base_sequence, self._count,
        )  # fmt: skip
        whole = bytearray(head)
        whole += self._body
        _CRC.pack_into(whole, _CRC_AT, calc_crc32c(memoryview(whole)[_BEHIND_CRC:]))
        self._whole, self._body = whole, b""

    def buffer(self) -> bytearray:
        assert self._whole is not None
        return self._whole


class WholeBatch(ProducerBatch):  # type: ignore[misc]
    """A batch that is never added to: `size` records, whose offsets are `offset` and up once it is acknowledged."""

    def __init__(self, part: TopicPartition, body: bytes, size: int, first_ms: int, last_ms: int) -> None:
        super().__init__(part, _Records(body, size, first_ms, last_ms))
        self.size = size

    @property
    def record_count(self) -> int:
        return 1  # kafka-python would take one that is too large for the topic apart by its records, and has none: it fails

    @property
    def offset(self) -> int:
        """Of the first record. Raises the KafkaError that it was given up for."""
        offset, _, why_not = self.produce_future.value
        if why_not is not None:
            error: Any = why_not(0)
            raise error if isinstance(error, KafkaError) else KafkaError(error)
        if offset < 0:  # taken as one that the broker has already: the topic knows where
            raise KafkaError("the broker does not say where it has put a batch")
        return int(offset)
