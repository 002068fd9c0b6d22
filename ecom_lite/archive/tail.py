"""What of one partition is read and not yet in a file, and where the days part."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from ..topic.records import Record

DAY_MS: Final = 86_400_000
EPOCH: Final = date(1970, 1, 1)


class Piece(NamedTuple):
    """What one file is to hold: all records of the offsets [first, end)."""

    first: int
    end: int
    day: date
    records: list[Record]


def day_of(ms: int, earliest: date, latest: date) -> date:
    """The UTC day of a record's time, in these bounds: what clock its producer had is anybody's guess. -1 is no time."""
    if ms < 0:
        return earliest
    first_ms, last_ms = (_ms(each) for each in (earliest, latest))
    return EPOCH + timedelta(days=min(max(ms, first_ms), last_ms) // DAY_MS)


class Tail:
    """The records of one partition from `start` on. The day of its files never goes back: offsets and days have one order."""

    def __init__(self, topic: str, partition: int, start: int, day: date | None) -> None:
        self.topic = topic
        self.partition = partition
        self.start = start
        self.end = start
        self.day = day  # of the newest file, None before the first
        self.bytes = 0
        self._records: list[Record] = []

    def __len__(self) -> int:
        return len(self._records)

    def add(self, records: Sequence[Record], end: int, oldest: date, today: date) -> list[Piece]:
        """Take what a poll has brought up to the offset `end`; what is whole because a later day has begun comes back."""
        done = []
        if records and self.day is None:
            first_ms = records[0].timestamp
            self.day = today if first_ms < 0 else day_of(first_ms, oldest, today)
        elif records and self.day is not None and self.day < oldest:
            self.day = oldest  # in a file of a day that is not kept any more they would be deleted as soon as they are written
        while records and self.day is not None and self.day < today:
            day = self.day
            next_ms = _ms(day) + DAY_MS
            at = next((place for place, record in enumerate(records) if record.timestamp >= next_ms), None)
            if at is None:
                break
            self._keep(records[:at])
            self.end = records[at].offset
            done += self.taken()
            self.day = day_of(records[at].timestamp, day, today)
            records = records[at:]
        self._keep(records)
        self.end = end
        return done

    def taken(self) -> list[Piece]:
        """All that is there; offsets without any record wait for the next one."""
        if not self._records or self.day is None:
            return []
        piece = Piece(self.start, self.end, self.day, self._records)
        self.start, self._records, self.bytes = self.end, [], 0
        return [piece]

    def _keep(self, records: Sequence[Record]) -> None:
        self._records += records
        self.bytes += sum([len(record.value or b"") + len(record.key or b"") for record in records])


def _ms(day: date) -> int:
    return (day - EPOCH).days * DAY_MS


def utc_day(seconds: float) -> date:
    """The day of a clock in epoch seconds."""
    return datetime.fromtimestamp(seconds, UTC).date()
