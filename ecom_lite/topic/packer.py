"""Fills record batches, one of each partition at a time, and hands each to the client whole: for those who send much."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar

from kafka.partitioner import murmur2

from .batch_producer import BATCH_BYTES, LINGER_MS, BatchProducer
from .record_batch import KNOWN_NUMBERS, NO_HEADERS, NULL, SMALL, WholeBatch, sized, varint

KNOWN_KEYS: Final = 200_000  # some 35 MB; a shop may have millions of customers

Note = TypeVar("Note")


class _Filling(Generic[Note]):
    """The batch of one partition that takes further records, and what is not acknowledged of those before it."""

    __slots__ = ("bytes", "count", "first_ms", "last_ms", "note", "number", "parts", "stamp", "unacked")

    def __init__(self, number: int, note: Note) -> None:
        self.number = number
        self.unacked: deque[tuple[WholeBatch, Note]] = deque()  # in the order of sending
        self.empty(note)

    def empty(self, note: Note) -> None:
        self.parts: list[bytes] = []
        self.count = self.bytes = self.first_ms = self.last_ms = 0
        self.stamp = b""  # a record's attributes, of which there are none, and how many ms after the first one it came
        self.note = note


class Packer(Generic[Note]):
    """For one thread, which bounds `unacked` itself: nothing here does. `note` makes what is remembered with each batch.

    Records go by their key as Kafka's own partitioner has it, and those without one all to one partition until a batch is
    full. Raises KafkaError where the broker does not know the topic.
    """

    def __init__(
        self,
        producer: BatchProducer,
        topic: str,
        note: Callable[[], Note],
        batch_bytes: int = BATCH_BYTES,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._producer, self._topic, self._make_note, self._most, self._now = producer, topic, note, batch_bytes, now
        self._filling = [_Filling(number, note()) for number in sorted(producer.partitions_for(topic))]
        self._by_key: dict[bytes, tuple[_Filling[Note], bytes]] = {}
        self._keyless = random.choice(self._filling)
        self._ms = int(now() * 1000)
        self.unacked = 0  # records
        self.unacked_bytes = 0  # of the batches that were handed over, as they are sent

    def turn(self) -> None:
        """What is added next came now; what has waited for LINGER_MS goes out. Call it often."""
        self._ms = ms = int(self._now() * 1000)
        opened = [into for into in self._filling if into.count]
        if all(0 <= ms - into.first_ms < LINGER_MS for into in opened):
            for into in opened:
                self._date(into)
        else:  # or the clock was set; one request has room for all of them
            self.flush()

    def add(self, key: bytes | None, value: bytes | None, headers: bytes = NO_HEADERS) -> Note:
        """One record; `headers` as `record_batch.headers` makes them. Returns the note of the batch that it is in."""
        if key is None:
            into, named = self._keyless, NULL
        else:
            into, named = self._by_key.get(key) or self._place(key)
        size = 0 if value is None else len(value)
        if into.bytes + size > self._most and into.count:
            self._hand_over(into)
            self._producer.wake()
        if not into.count:
            into.first_ms = into.last_ms = self._ms
            into.stamp = b"\0\0"
        count = into.count
        offset, stamp = SMALL[count], into.stamp
        head = NULL if value is None else SMALL[size] if size < KNOWN_NUMBERS else varint(size)
        length = len(stamp) + len(offset) + len(named) + len(head) + size + len(headers)
        into.parts += (
            SMALL[length] if length < KNOWN_NUMBERS else varint(length), stamp, offset, named, head, value or b"", headers,
        )  # fmt: skip
        into.count = count + 1
        into.bytes += length
        self.unacked += 1
        note = into.note
        if into.bytes >= self._most or into.count == KNOWN_NUMBERS:
            self._hand_over(into)
            self._producer.wake()
        return note

    def flush(self) -> None:
        """Everything that was added goes out now."""
        for into in self._filling:
            if into.count:
                self._hand_over(into)
        self._producer.wake()

    def wait_s(self) -> float:
        """How long until `turn` has something to do: LINGER_MS at most."""
        first = min((into.first_ms for into in self._filling if into.count), default=self._ms)
        return max(0, first + LINGER_MS - self._ms) / 1000

    def acknowledged(self) -> Iterator[tuple[int, Note, int]]:
        """(partition, note, offset behind the last record) of each batch that the broker has since the last call.

        Raises the KafkaError of the first one that failed; nothing behind that one in its partition is told any more.
        """
        for into in self._filling:
            unacked = into.unacked
            while unacked and unacked[0][0].is_done:
                batch, note = unacked[0]
                behind = batch.offset + batch.size
                unacked.popleft()
                self.unacked -= batch.size
                self.unacked_bytes -= batch.records.size_in_bytes()
                yield into.number, note, behind

    def notes(self) -> Iterator[Note]:
        """Of all batches that are not acknowledged, those still being filled too."""
        for into in self._filling:
            yield from (note for _, note in into.unacked)
            if into.count:
                yield into.note

    def _place(self, key: bytes) -> tuple[_Filling[Note], bytes]:
        if len(self._by_key) >= KNOWN_KEYS:
            self._by_key.clear()
        into = self._filling[(murmur2(key) & 0x7FFFFFFF) % len(self._filling)]
        placed = self._by_key[key] = (into, sized(key))
        return placed

    def _date(self, into: _Filling[Note]) -> None:
        into.last_ms = max(into.last_ms, self._ms)
        into.stamp = b"\0" + SMALL[into.last_ms - into.first_ms]

    def _hand_over(self, into: _Filling[Note]) -> None:
        body = b"".join(into.parts)
        batch = self._producer.hand_over(self._topic, into.number, body, into.count, into.first_ms, into.last_ms)
        self.unacked_bytes += batch.records.size_in_bytes()
        into.unacked.append((batch, into.note))
        into.empty(self._make_note())
        if into is self._keyless:
            self._keyless = random.choice(self._filling)
