"""Records of the topic -> a batch: order lines, other events, dead letters, and the account of every offset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from ..contract.events import Event, OrderLine, OrderReversal, UserChange, is_own, parse
from ..contract.reader import Reader, make_reader
from ..contract.rejected import Rejected
from ..settings.currencies import DEFAULT
from ..settings.tree import Settings
from ..topic.records import Headers, Record
from .topics import STEP, Topics


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
    readers: Mapping[int, Reader] = field(default_factory=dict)  # how foreign records are read, by topic; none: by the contract
    currency: str = DEFAULT  # of amounts that name none
    further: dict[tuple[int, int], int] = field(
        default_factory=dict
    )  # by partition and offset, the events beyond a record's first

    @property
    def rows(self) -> int:
        return len(self.lines) + len(self.others) + len(self.dead)

    @property
    def records(self) -> int:
        return self.rows - sum(self.further.values())

    def further_by_partition(self) -> Mapping[int, int]:
        found: Counter[int] = Counter()
        for (partition, _), events in self.further.items():
            found[partition] += events
        return found

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
        reader, currency = self.readers.get(partition // STEP), self.currency
        own, ours, last_headers = 0, False, None
        for record in records:
            _, offset, _, _, value, headers = record
            if headers is not last_headers:  # a producer's headers are mostly the same ones, and then the same tuple
                ours, last_headers = is_own(headers, self.mark), headers
            own += ours
            try:
                if reader is None or ours:
                    event = parse(value, now, currency)
                else:
                    events = reader(value, now)
                    event = events[0]
                    if len(events) > 1:
                        self._add_further(partition, offset, events[1:])
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

    def _add_further(self, partition: int, offset: int, events: Sequence[Event]) -> None:
        self.further[partition, offset] = len(events)
        new = tuple.__new__
        for event in events:
            if isinstance(event, OrderLine):
                self.lines.append(new(Line, (partition, offset, event)))
            else:
                self.others.append(Other(partition, offset, event))

    def without(self, refused: dict[tuple[int, int], DeadLetter]) -> Batch:
        """The same batch with some of its records as dead letters instead, whole: with all of their events."""
        return replace(
            self,
            lines=[line for line in self.lines if line[:2] not in refused],
            others=[other for other in self.others if other[:2] not in refused],
            dead=self.dead + list(refused.values()),
            further={record: events for record, events in self.further.items() if record not in refused},
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


def readers_of(settings: Settings, topics: Topics) -> dict[int, Reader]:
    """By the number of the topic, of those whose records are not as the contract says."""
    events, currency = settings.events, settings.currency.default
    each = {topics.main: events} | {source.topic: source for source in events.sources.values()}
    return {topics.number(topic): make_reader(how, currency) for topic, how in each.items() if not how.contract}
