"""One reading of the topics: from where the file names end, until it is to stop or must begin anew."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import duckdb
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import (
    IllegalStateError,
    KafkaError,
    KafkaTimeoutError,
    LogTruncationError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from ..errors import LakeError, first_line
from ..topic.client import Config, partitions_of, reachable
from ..topic.records import read_quickly
from .files import ArchiveWriter, delete
from .names import ArchiveFile, Place, chains, drafts, label, listed
from .tail import Piece, Tail, utc_day
from .upkeep import expired, wanted

POLL_MS: Final = 500  # a fetch may wait so long for more
POLL_RECORDS: Final = 10_000
POSITION_MS: Final = 1_000
CLOSE_MS: Final = 2_000
HELD_S: Final = 0.2  # how soon it goes on once it may
UPKEEP_EVERY_S: Final = 30.0
MERGES_S: Final = 1.0  # of these
TOPICS_EVERY_S: Final = 10.0  # partitions that are added are found within this time, and figures are told
log = logging.getLogger("ecom_lite.archive")

CONSUMER: Final[Mapping[str, Any]] = {
    "group_id": None,
    "enable_auto_commit": False,
    "auto_offset_reset": "none",  # the files say where to go on, nobody guesses
    "isolation_level": "read_committed",  # as the loader
    "max_poll_records": POLL_RECORDS,
    "metadata_max_age_ms": round(TOPICS_EVERY_S * 1000),
    "fetch_min_bytes": 64 * 1024,  # few and large answers: nobody waits for a record here
    "max_partition_fetch_bytes": 1024 * 1024,
    "metrics_enabled": False,
}
_MOVED: Final = (NoOffsetForPartitionError, OffsetOutOfRangeError, LogTruncationError, IllegalStateError)


@dataclass(frozen=True)
class Plan:
    """What an archive is to do. A record is in a file after `every_s`, or once `most_bytes` of keys and values are in memory.

    `clock` gives epoch seconds; `mark` is the warehouse's. While `held` it reads and writes nothing.
    """

    topics: tuple[str, ...]
    client: Config
    keep_days: int
    every_s: float
    most_bytes: int
    mark: str
    clock: Callable[[], float]
    held: Callable[[], bool] = bool


@dataclass
class Totals:
    """Since the archive was started, over all sessions; and what is on the disk now."""

    records: int = 0
    files: int = 0
    bytes: int = 0
    files_kept: int = 0
    bytes_kept: int = 0
    oldest: str = ""
    lag: int = 0


class Session:
    """`tell` is called when `totals` have changed. Raises KafkaError, OSError and duckdb.Error, after which another one can go on
    from what the files say, and LakeError where the topics are not those in the archive."""

    def __init__(self, plan: Plan, writer: ArchiveWriter, totals: Totals, tell: Callable[[], None]) -> None:
        self._plan = plan
        self._writer = writer
        self._totals = totals
        self._tell = tell
        self._poll_ms = min(POLL_MS, round(plan.every_s * 1000))
        self._tails: dict[TopicPartition, Tail] = {}
        self._ids: dict[str, str] = {}
        self._chains: dict[Place, list[ArchiveFile]] = {}
        self._too_large: set[Place] = set()  # to be merged in the memory that there is
        self._oldest_s: float | None = None  # monotonic, since when a record has waited for its file

    def run(self, stop: threading.Event, drain_s: float) -> bool:
        """True once all is in files that the topics held when `stop` was set, or the time to drain was over.

        False where the topics have changed: the next session goes on.
        """
        self._tidy()
        if not reachable(self._plan.client):
            raise KafkaTimeoutError("nothing listens there")
        client = {**self._plan.client, "client_id": "ecom_lite.archive", "fetch_max_wait_ms": self._poll_ms}
        consumer = KafkaConsumer(**client, **CONSUMER)
        try:
            read_quickly(consumer)
            self._begin(consumer)
            if not self._read(consumer, stop):
                return False
            return self._drain(consumer, time.monotonic() + drain_s)
        finally:
            consumer.close(autocommit=False, timeout_ms=CLOSE_MS)

    def _tidy(self) -> None:
        """Undo what a kill has left: drafts, and files that a merged one has replaced."""
        folder = self._writer.folder
        for draft in drafts(folder):
            draft.unlink(missing_ok=True)
        self._chains, replaced = chains(listed(folder))
        delete(replaced)
        self._count_kept()

    def _begin(self, consumer: KafkaConsumer) -> None:
        parts = [part for topic in self._plan.topics for part in partitions_of(consumer, topic)]
        self._ids = {topic: _topic_id(consumer, topic) for topic in self._plan.topics}
        for topic in self._plan.topics:
            self._require_same(topic)
        consumer.assign(parts)
        firsts, ends = consumer.beginning_offsets(parts), consumer.end_offsets(parts)
        for part in parts:
            chain = self._chains.get((label(part.topic), part.partition), [])
            begin = chain[-1].end if chain else firsts[part]
            if begin > ends[part]:
                raise self._made_anew(
                    part.topic, f"partition {part.partition} ends at offset {ends[part]}, and {begin} are in the archive"
                )
            if begin < firsts[part]:
                log.error(
                    "%s[%d]: offsets %d .. %d are MISSING in the archive: retention removed them before they were read",
                    part.topic, part.partition, begin, firsts[part] - 1,
                )  # fmt: skip
                begin = firsts[part]
            consumer.seek(part, begin)
            self._tails[part] = Tail(part.topic, part.partition, begin, chain[-1].day if chain else None)

    def _require_same(self, topic: str) -> None:
        """The newest file of a topic says which topic it was; one that was made anew has other records at the same offsets."""
        files = [chain[-1] for (name, _), chain in self._chains.items() if name == label(topic)]
        now = self._ids[topic]
        for file in files if now else []:
            was = self._writer.about(file).get("topic_id", "")
            if was not in ("", now):
                raise self._made_anew(topic, f"it was {was} when {file.path.name} was written, and is {now} now")

    def _made_anew(self, topic: str, what: str) -> LakeError:
        return LakeError(
            f"topic {topic} is not the one that is in {self._writer.folder}: {what}. The topic was made anew, or the broker lost "
            "data: move that folder elsewhere (or delete it), and a new archive begins"
        )

    def _read(self, consumer: KafkaConsumer, stop: threading.Event) -> bool:
        """Until `stop` is set. False where the session must begin anew."""
        next_look = next_upkeep = 0.0
        while not stop.is_set():
            if self._plan.held():
                stop.wait(HELD_S)
                continue
            if not self._poll(consumer):
                self._write_all()
                return False
            now = time.monotonic()
            waited_s = 0.0 if self._oldest_s is None else now - self._oldest_s
            if waited_s >= self._plan.every_s:
                self._write_all()
            if now >= next_look:
                next_look = now + min(TOPICS_EVERY_S, self._plan.every_s)
                if self._changed(consumer):
                    self._write_all()
                    return False
                self._look(consumer)
            if now >= next_upkeep:
                next_upkeep = now + min(UPKEEP_EVERY_S, self._plan.every_s)
                self._upkeep()
        return True

    def _drain(self, consumer: KafkaConsumer, until: float) -> bool:
        if self._plan.held():
            return True  # the next session reads it again: the files say from where
        try:
            ends = consumer.end_offsets(list(self._tails))
            while any(self._tails[part].end < end for part, end in ends.items()) and time.monotonic() < until:
                if not self._poll(consumer):
                    break
        except KafkaError as error:
            log.warning("Kafka does not answer, so only what was read is archived: %r", error)
        self._write_all()
        return True

    def _poll(self, consumer: KafkaConsumer) -> bool:
        """Take what came. False where the client's position is not one that the files gave: retention was quicker."""
        try:
            polled = consumer.poll(timeout_ms=self._poll_ms, max_records=POLL_RECORDS)
            ends = {part: consumer.position(part, timeout_ms=POSITION_MS) for part in self._tails}
        except _MOVED as error:
            log.warning("the archive looks anew where to go on: %r", error)
            return False
        today = utc_day(self._plan.clock())
        oldest = today - timedelta(days=self._plan.keep_days)
        for part, end in ends.items():
            if end is None:
                return False
            tail = self._tails[part]
            if end > tail.end:
                for piece in tail.add(polled.get(part, ()), end, oldest, today):
                    self._write(tail, piece)
        if sum(tail.bytes for tail in self._tails.values()) >= self._plan.most_bytes:
            self._write_all()
        if self._oldest_s is None and any(map(len, self._tails.values())):
            self._oldest_s = time.monotonic()
        return True

    def _write_all(self) -> None:
        for tail in self._tails.values():
            for piece in tail.taken():
                self._write(tail, piece)
        self._oldest_s = None
        self._tell()

    def _write(self, tail: Tail, piece: Piece) -> None:
        reached = {other.partition: other.start for other in self._tails.values() if other.topic == tail.topic}
        about = {
            "topic": tail.topic, "topic_id": self._ids[tail.topic], "mark": self._plan.mark,
            "archived": reached | {tail.partition: piece.end},
        }  # fmt: skip
        file = self._writer.write(tail.topic, tail.partition, (piece.first, piece.end), piece.day, piece.records, about)
        self._chains.setdefault(file.place, []).append(file)
        totals = self._totals
        totals.records += len(piece.records)
        totals.files += 1
        totals.bytes += file.bytes

    def _changed(self, consumer: KafkaConsumer) -> bool:
        """Whether a topic has other partitions than those that are read, or is another topic."""
        there = {part for topic in self._plan.topics for part in partitions_of(consumer, topic)}
        ids = {topic: _topic_id(consumer, topic) for topic in self._plan.topics}
        return there != set(self._tails) or ids != self._ids

    def _look(self, consumer: KafkaConsumer) -> None:
        highs = {part: consumer.highwater(part) or 0 for part in self._tails}
        self._totals.lag = sum(max(0, highs[part] - tail.start) for part, tail in self._tails.items())
        self._tell()

    def _upkeep(self) -> None:
        """Merges go on for MERGES_S at most, so that records do not wait long. One would not do for many partitions."""
        old = expired(self._chains, utc_day(self._plan.clock()), self._plan.keep_days)
        if old:
            delete(old)
            gone = set(old)
            self._chains = {place: [file for file in chain if file not in gone] for place, chain in self._chains.items()}
        until = time.monotonic() + MERGES_S
        for place, files in wanted(self._chains, self._too_large):
            self._merge(place, self._chains[place], files)
            if time.monotonic() >= until:
                break
        self._count_kept()
        self._tell()

    def _merge(self, place: Place, chain: list[ArchiveFile], files: list[ArchiveFile]) -> None:
        try:
            merged = self._writer.merge(files)
        except duckdb.OutOfMemoryException as error:
            log.warning("files of %s[%d] are left as they are: %s", *place, first_line(error))
            self._too_large.add(place)
            return
        at = chain.index(files[0])
        self._chains[place] = [*chain[:at], merged, *chain[at + len(files) :]]

    def _count_kept(self) -> None:
        files = [file for chain in self._chains.values() for file in chain]
        totals = self._totals
        totals.files_kept, totals.bytes_kept = len(files), sum(file.bytes for file in files)
        totals.oldest = min((file.day.isoformat() for file in files), default="")


def _topic_id(consumer: KafkaConsumer, topic: str) -> str:
    """As of the client's newest metadata; empty where the broker (before 3.1) names none."""
    found = consumer._cluster.topic_id(topic)
    return "" if found is None else str(found)
