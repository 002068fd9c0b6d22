"""Records of the topic -> a batch: order lines, other events, dead letters, and the account of every offset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from ..contract.events import OrderLine, OrderReversal, UserChange, is_own, parse
from ..contract.rejected import Rejected
from .records import Headers, Record


class Line(NamedTuple):
    partition: int
    offset: int
    event: OrderLine


class Other(NamedTuple):
    partition: int
    offset: int
    event: OrderReversal | UserChange


class DeadLetter(NamedTuple):
    """A record that is not a valid event, with its original bytes."""

    partition: int
    offset: int
    broker_time_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    reason: str
    detail: str
    error_class: str


class Part(NamedTuple):
    """What one poll brought of one partition: it accounts for the offsets [start, end), also for those without a record."""

    partition: int
    records: Sequence[Record]
    start: int
    end: int
    epoch: int


@dataclass(slots=True)
class Extent:
    """The offsets [start, end) of one partition that a batch accounts for."""

    start: int
    end: int
    epoch: int
    records: int = 0
    own: int = 0
    newest: int | None = None  # offset of the last record, and its time on the broker
    newest_ms: int | None = None


@dataclass(slots=True)
class Batch:
    """What one transaction writes, and the offsets that it accounts for."""

    extents: dict[int, Extent] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    others: list[Other] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    oldest_ms: int | None = None
    newest_ms: int | None = None
    sources: list[Sequence[Record]] = field(default_factory=list)  # as read, for what the database may refuse
    mark: bytes = b""  # of the warehouse: its own shops' records are counted as own

    @property
    def records(self) -> int:
        return len(self.lines) + len(self.others) + len(self.dead)

    def add(self, part: Part, now: datetime) -> None:
        """Decode the records of one partition; parts of the same partition follow each other without a gap."""
        partition, records, start, end, epoch = part
        extent = self.extents.get(partition)
        if extent is None:
            extent = self.extents[partition] = Extent(start, start, epoch)
        extent.end = end
        if not records:
            return
        add, new = self.lines.append, tuple.__new__
        own, ours, last_headers = 0, False, None
        for record in records:
            _, offset, _, _, value, headers = record
            if headers is not last_headers:  # a producer's headers are mostly the same ones, and then the same tuple
                ours, last_headers = is_own(headers, self.mark), headers
            own += ours
            try:
                event = parse(value, now)
            except Rejected as rejected:
                self.dead.append(dead_letter(record, rejected.reason, rejected.detail, "Rejected"))
                continue
            if isinstance(event, OrderLine):
                add(new(Line, (partition, offset, event)))
            else:
                self.others.append(Other(partition, offset, event))
        self.sources.append(records)
        extent.records += len(records)
        extent.own += own
        extent.newest, extent.newest_ms = records[-1].offset, records[-1].timestamp
        stamps = [ms for ms in (records[0].timestamp, records[-1].timestamp, self.oldest_ms, self.newest_ms) if ms and ms > 0]
        self.oldest_ms, self.newest_ms = min(stamps, default=None), max(stamps, default=None)

    def without(self, refused: dict[tuple[int, int], DeadLetter]) -> Batch:
        """The same batch with some of its events as dead letters instead."""
        return Batch(
            self.extents,
            [line for line in self.lines if line[:2] not in refused],
            [other for other in self.others if other[:2] not in refused],
            self.dead + list(refused.values()),
            self.oldest_ms,
            self.newest_ms,
            self.sources,
        )

    def original(self, partition: int, offset: int) -> Record:
        """The record as it was read."""
        return next(r for part in self.sources for r in part if r.partition == partition and r.offset == offset)


def dead_letter(record: Record, reason: str, detail: str, error_class: str) -> DeadLetter:
    return DeadLetter(
        record.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.value,
        record.headers,
        reason,
        detail[:500].encode("utf-8", "backslashreplace").decode(),
        error_class,
    )
