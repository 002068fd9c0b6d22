"""A round's topic as any client sees it: read raw, from first to last, and where it ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from .records import PARTITIONS

POLL_MS: Final = 200
POLL_RECORDS: Final = 10_000
OWN_HEADER: Final = "ecom_lite"

Raw = tuple[int, int, bytes | None, bool]  # partition, offset, value, whether our own producer's header is on it


class Topic:
    """Reads what is committed, without a group. `records` grows with each `read`, whatever retention removes meanwhile."""

    def __init__(self, client: Mapping[str, Any], name: str, mark: bytes) -> None:
        self.name = name
        self._own = (OWN_HEADER, mark)
        self._client = client
        self._parts = [TopicPartition(name, partition) for partition in range(PARTITIONS)]
        self._consumer = KafkaConsumer(
            **client, group_id=None, enable_auto_commit=False, isolation_level="read_committed", auto_offset_reset="none",
            max_poll_records=POLL_RECORDS, fetch_max_wait_ms=50,
        )  # fmt: skip
        self._consumer.assign(self._parts)
        for part in self._parts:
            self._consumer.seek(part, 0)
        self.records: list[Raw] = []

    def go_on_from(self, earlier: Topic) -> None:
        """What was read of it by an earlier client needs not be read again."""
        self.records = earlier.records
        for partition, offset, _, _ in self.records:
            part = self._parts[partition]
            if offset >= self._consumer.position(part):
                self._consumer.seek(part, offset + 1)

    def ends(self) -> dict[int, int]:
        """Per partition the offset up to which records can be read now. Raises KafkaError."""
        return {part.partition: end for part, end in self._consumer.end_offsets(self._parts).items()}

    def read(self) -> None:
        """All that is not in `records` yet."""
        ends = self.ends()
        while any(self._consumer.position(part) < ends[part.partition] for part in self._parts):
            for part, found in self._consumer.poll(timeout_ms=POLL_MS, max_records=POLL_RECORDS).items():
                for record in found:
                    own = bool(record.headers) and record.headers[0] == self._own
                    self.records.append((part.partition, record.offset, record.value, own))

    def remove_before(self, offsets: Mapping[int, int]) -> None:
        """What retention does to a topic that nobody has read in time."""
        admin = KafkaAdminClient(**self._client)
        try:
            admin.delete_records({TopicPartition(self.name, partition): offset for partition, offset in offsets.items()})
        finally:
            admin.close()

    def close(self) -> None:
        self._consumer.close(autocommit=False)
