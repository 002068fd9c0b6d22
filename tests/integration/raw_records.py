"""Records as any client may send them: header names that are no text, header values of null, neither key nor value."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaProducer
from kafka.record.default_records import DefaultRecordBatchBuilder

from ecom_lite.check.reconcile import reconcile
from ecom_lite.topic.client import DEAD_LETTER_MAX_BYTES, ends_of

from .loading import PARTITIONS, Bench

MAX_BYTES = 12 * 1024 * 1024
Headers = Sequence[tuple[str | bytes, bytes | None]]


class _Name(str):
    """kafka-python encodes names; this one already is."""

    raw: bytes

    def encode(self, *_: Any, **__: Any) -> bytes:
        return self.raw


NULL: Final = b"\0null\0"  # kafka-python's producer refuses headers of null: the builder puts them in


class NullHeaders(DefaultRecordBatchBuilder):  # type: ignore[misc]
    """Writes header values of null, as other clients do."""

    def append(self, offset: int, timestamp: int, key: bytes | None, value: bytes | None, headers: Any) -> Any:
        return super().append(offset, timestamp, key, value, [(name, None if v == NULL else v) for name, v in headers])


def client_headers(headers: Headers) -> list[tuple[str, bytes]]:
    """For KafkaProducer.send."""
    made: list[tuple[str, bytes]] = []
    for name, value in headers:
        if isinstance(name, bytes):
            raw, name = name, _Name("x")
            name.raw = raw
        made.append((name, NULL if value is None else value))
    return made


def stored_headers(headers: Headers) -> list[list[str | None]]:
    """As in ops.dead_letters."""
    return [
        [
            name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name,
            None if value is None else base64.b64encode(value).decode(),
        ]
        for name, value in headers
    ]


class RawSender:
    """Sends and says at which offset each record is. Its topic takes records of 12 MB."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        options: dict[str, Any] = {**bench.client, "linger_ms": 5, "max_request_size": MAX_BYTES}
        self._producer = KafkaProducer(**options)
        self._null = KafkaProducer(**options, value_serializer=lambda _: None)  # for neither key nor value
        self._futures: list[Any] = []

    def send(self, value: bytes | None, key: bytes | None, headers: Headers, partition: int) -> None:
        producer = self._null if value is None and key is None else self._producer
        other = self._producer if producer is self._null else self._null
        other.flush(timeout=60)  # the order of all records of a partition is that of the calls
        self._futures.append(
            producer.send(
                self._bench.topic,
                value=b"null" if producer is self._null else value,
                key=key,
                headers=client_headers(headers),
                partition=partition,
            )
        )

    def offsets(self) -> list[int]:
        """Wait for all that was sent since the last call."""
        self._producer.flush(timeout=60)
        self._null.flush(timeout=60)
        offsets = [future.get(timeout=1).offset for future in self._futures]
        self._futures.clear()
        return offsets

    def close(self) -> None:
        self._producer.close(timeout=2)
        self._null.close(timeout=2)


def make_wide_topic(bench: Bench) -> None:
    """The bench's topic, for records of up to 12 MB, and its dead-letter topic with the usual limit."""
    admin = KafkaAdminClient(**bench.client)
    try:
        wide = {"num_partitions": PARTITIONS, "configs": {"max.message.bytes": str(MAX_BYTES)}}
        letters = {"num_partitions": 1, "configs": {"max.message.bytes": str(DEAD_LETTER_MAX_BYTES)}}
        dlq = bench.settings().kafka.dlq_topic
        admin.create_topics({bench.topic: wide, dlq: letters})
        admin.wait_for_topics([bench.topic, dlq])
    finally:
        admin.close()


def open_lines(bench: Bench) -> list[str]:
    """The lines of the count that do not close; there are no marts here."""
    report = reconcile(
        bench.warehouse, [bench.topic], lambda: ends_of(bench.client, [bench.topic]), producing=False, catch_up_s=0, spark=False
    )
    return [line.name for line in report.lines if not line.closes and not line.name.startswith("marts")]
