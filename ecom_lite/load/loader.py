"""The loop: poll and decode in one thread, commit in another, so that Python and the database work at the same time."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError

from ..config import Settings
from ..errors import EcomLiteError, LoadError
from ..events import Clock, utc_now
from ..kafka_client import client_config
from ..warehouse.connect import Address
from .commit import Committer, Stopped
from .deadletters import DeadLetterTopic
from .decode import Batch
from .write import StaleOwner, Writer

GROUP: Final = "ecom_lite.load"
POLL_RECORDS: Final = 10_000
KAFKA_COMMIT_EVERY_S: Final = 5.0  # for lag displays only: the truth is ops.consumer_offsets
LAG_EVERY_S: Final = 1.0
PRUNE_EVERY_S: Final = 3600.0
PRUNE: Final = "DELETE FROM ops.load_batches WHERE loaded_at < now() - interval '3 days'"
log = logging.getLogger("ecom_lite.load")
Report = Callable[[Mapping[str, object]], None]


@dataclass(slots=True)
class Claim:
    """A partition that is ours: all offsets below `next_offset` are in committed or queued batches."""

    next_offset: int
    epoch: int


class _Assignment(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes what the group coordinator says; the loop acts on it, because callbacks run on the client's IO thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unclaimed: set[int] = set()
        self._revoked: set[int] = set()

    def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        with self._lock:
            self._revoked |= {tp.partition for tp in revoked}
            self._unclaimed -= self._revoked

    def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        with self._lock:
            self._unclaimed |= {tp.partition for tp in assigned}

    def take(self) -> tuple[set[int], set[int]]:
        with self._lock:
            revoked, unclaimed = self._revoked, self._unclaimed
            self._revoked, self._unclaimed = set(), set()
        return revoked, unclaimed


class Loader:
    """Consumes the topic as one member of the group and writes every record exactly once.

    `instance` names this member (unique in the group): a restart takes its partitions over at once.
    `report` is called about once a second with figures, from the loop's thread.
    """

    def __init__(
        self, settings: Settings, address: Address, bootstrap: str, *, instance: str, report: Report, clock: Clock = utc_now
    ) -> None:
        self._settings = settings
        self._topic = settings.kafka.topic
        self._clock = clock
        self._report = report
        self._instance = instance
        self._client = client_config(settings.kafka, bootstrap)
        self._abort = threading.Event()
        self._dead_letters = DeadLetterTopic(self._client, self._topic, settings.kafka.dlq_topic)
        self._claims: dict[int, Claim] = {}
        self._assignment = _Assignment()
        self._queue: queue.Queue[Batch | None] = queue.Queue(maxsize=2)
        self._stale: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._failure: BaseException | None = None
        self._stop, self._drain_s = threading.Event(), 0.0
        self._drain_until: float | None = None
        self._counts: dict[str, Any] = {"records": 0, "facts": 0, "duplicates": 0, "other": 0, "dead": 0, "batches": 0}
        self._claimer = Writer(address, self._topic)
        self._committer = Committer(Writer(address, self._topic), self._dead_letters, self._abort)

    def run(self, stop: threading.Event, drain_s: float) -> None:
        """Load until `stop` is set, then drain what the topic holds at that moment, at most `drain_s` seconds.

        Raises LoadError when an error is met that no retry mends. What was not loaded is loaded by the next run.
        """
        load = self._settings.load
        self._stop, self._drain_s = stop, drain_s
        consumer = KafkaConsumer(
            **{**self._client, "client_id": self._instance},
            group_id=GROUP,
            group_instance_id=self._instance,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=POLL_RECORDS,
            max_poll_interval_ms=24 * 3600 * 1000,  # a database that is away is no reason to lose the partitions
            session_timeout_ms=10_000,
            fetch_min_bytes=1,
            fetch_max_wait_ms=min(100, load.flush_ms),
            max_partition_fetch_bytes=4 * 1024 * 1024,
            metrics_enabled=False,
        )
        writing = threading.Thread(target=self._write_loop, name="load-write", daemon=True)
        writing.start()
        try:
            consumer.subscribe([self._topic], listener=self._assignment)
            self._read_loop(consumer)
            self._hand_over(None)
            while writing.is_alive() and not self._give_up():
                writing.join(timeout=0.2)
            if self._failure is not None:
                raise self._failure
            self._commit_to_kafka(consumer)
        except KafkaError as error:
            raise LoadError(f"Kafka at {self._client['bootstrap_servers']}: {error!r}") from error
        finally:
            self._abort.set()
            writing.join(timeout=5)
            consumer.close(autocommit=False, timeout_ms=2000)
            self._dead_letters.close()
            self._claimer.close()

    def _give_up(self) -> bool:
        """True once the time to drain, which begins when `stop` is set, is over."""
        if self._drain_until is None and self._stop.is_set():
            self._drain_until = time.monotonic() + self._drain_s
        return self._drain_until is not None and time.monotonic() > self._drain_until

    def _read_loop(self, consumer: KafkaConsumer) -> None:
        load = self._settings.load
        batch, since = Batch(), 0.0
        ends: dict[TopicPartition, int] | None = None
        next_report = next_kafka_commit = time.monotonic()
        while self._failure is None and not self._give_up():
            now = time.monotonic()
            if self._stop.is_set():
                if ends is None:
                    ends = consumer.end_offsets([TopicPartition(self._topic, p) for p in self._claims])
                if self._reached(ends):
                    break
            if self._settle_assignment(consumer):
                batch = Batch()  # of partitions that may not be ours any more; the table says where to go on
            wait_s = load.flush_ms / 1000 if not batch.extents else max(0.0, since + load.flush_ms / 1000 - now)
            room = min(POLL_RECORDS, max(1, load.batch_rows - batch.records))
            polled = consumer.poll(timeout_ms=int(wait_s * 1000), max_records=room)
            if polled and not batch.extents:
                since = time.monotonic()
            self._decode(consumer, polled, batch)
            if batch.extents and (batch.records >= load.batch_rows or time.monotonic() - since >= load.flush_ms / 1000):
                self._hand_over(batch)
                batch = Batch()
            if now >= next_report:
                self._send_report(consumer)
                next_report = now + LAG_EVERY_S
            if now >= next_kafka_commit:
                self._commit_to_kafka(consumer)
                next_kafka_commit = now + KAFKA_COMMIT_EVERY_S
        if batch.extents:
            self._hand_over(batch)
        self._send_report(consumer)

    def _reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        return all(tp.partition not in self._claims or self._claims[tp.partition].next_offset >= end for tp, end in ends.items())

    def _settle_assignment(self, consumer: KafkaConsumer) -> bool:
        """Drop what was revoked or found stale, claim what was assigned. True when the open batch must be thrown away."""
        revoked, unclaimed = self._assignment.take()
        while not self._stale.empty():
            unclaimed.add(self._stale.get())
        if not revoked and not unclaimed:
            return False
        self._drain_queue()
        assigned = {tp.partition for tp in consumer.assignment() if tp.topic == self._topic}
        for partition in revoked | (self._claims.keys() - assigned):
            self._claims.pop(partition, None)
        # The open batch is thrown away, so every partition starts again from the table.
        self._claim(consumer, assigned)
        return True

    def _claim(self, consumer: KafkaConsumer, partitions: set[int]) -> None:
        if not partitions:
            return
        tps = [TopicPartition(self._topic, p) for p in sorted(partitions)]
        beginnings = {tp.partition: offset for tp, offset in consumer.beginning_offsets(tps).items()}
        ends = {tp.partition: offset for tp, offset in consumer.end_offsets(tps).items()}
        claims = self._committer.persist(lambda: self._claimer.claim(beginnings), self._claimer)
        for tp in tps:
            partition = tp.partition
            next_offset, epoch = claims[partition]
            if next_offset > ends[partition]:
                raise LoadError(
                    f"{self._topic}[{partition}] ends at offset {ends[partition]}, but offsets up to {next_offset} were loaded: "
                    "the topic was made anew or the broker lost data; `ecom_lite run --fresh` starts with new data"
                )
            if next_offset < beginnings[partition]:
                self._record_gap(partition, next_offset, epoch, beginnings[partition])
                next_offset = beginnings[partition]
            self._claims[partition] = Claim(next_offset, epoch)
            consumer.seek(tp, next_offset)
        log.info("loading %s from %s", self._topic, {p: c.next_offset for p, c in sorted(self._claims.items())})

    def _record_gap(self, partition: int, start: int, epoch: int, beginning: int) -> None:
        log.error(
            "%s[%d]: offsets %d .. %d are LOST: retention removed them before they were loaded",
            self._topic, partition, start, beginning - 1,
        )  # fmt: skip
        self._committer.persist(lambda: self._claimer.record_lost(partition, start, epoch, beginning), self._claimer)

    def _decode(self, consumer: KafkaConsumer, polled: Mapping[TopicPartition, Sequence[Any]], batch: Batch) -> None:
        now = self._clock()
        for tp, records in polled.items():
            claim = self._claims.get(tp.partition)
            if claim is None:
                continue  # assigned, but not yet claimed: `_claim` seeks, so they come again
            if records[0].offset < claim.next_offset:
                consumer.seek(tp, claim.next_offset)
                continue
            if records[0].offset > claim.next_offset and not self._only_markers(consumer, tp, claim, records[0].offset):
                continue
            batch.add(records, claim.next_offset, claim.epoch, now)
            claim.next_offset = batch.extents[tp.partition].end

    def _only_markers(self, consumer: KafkaConsumer, tp: TopicPartition, claim: Claim, offset: int) -> bool:
        """A hole before `offset`: transaction markers or compaction (true), or retention has overtaken us (recorded as lost)."""
        beginning = consumer.beginning_offsets([tp])[tp]
        if beginning <= claim.next_offset:
            return True
        self._stale.put(tp.partition)  # claim again: that records the loss and seeks
        return False

    def _hand_over(self, batch: Batch | None) -> None:
        while self._failure is None and not self._give_up():
            try:
                self._queue.put(batch, timeout=0.2)
                return
            except queue.Full:
                continue

    def _drain_queue(self) -> None:
        """Wait until the writer has nothing in hand, so that the table is the truth."""
        with self._queue.all_tasks_done:
            while self._queue.unfinished_tasks and self._failure is None and not self._give_up():
                self._queue.all_tasks_done.wait(0.2)

    def _write_loop(self) -> None:
        last_prune = time.monotonic()
        try:
            while (batch := self._queue.get()) is not None:
                try:
                    self._write(batch)
                    if time.monotonic() - last_prune > PRUNE_EVERY_S:
                        last_prune = time.monotonic()
                        self._committer.prune(PRUNE)
                finally:
                    self._queue.task_done()
        except Stopped:
            log.warning("stopped while PostgreSQL was away: the next run goes on from the last committed offset")
            self._failure = None
            self._abort.set()
        except EcomLiteError as error:
            self._failure = error
        except BaseException as error:
            log.exception("the writing thread died")
            self._failure = error
        finally:
            self._committer.close()

    def _write(self, batch: Batch) -> None:
        # The epoch does not change while a claim lasts; the compare is on next_offset, which each batch moves on.
        try:
            written = self._committer.commit(batch)
        except StaleOwner as stale:
            log.warning("%s", stale)
            for partition in stale.partitions:
                self._stale.put(partition)
            return
        counts = self._counts
        counts["batches"] += 1
        counts["records"] += batch.records
        for name in ("facts", "duplicates", "other", "dead"):
            counts[name] += max(0, getattr(written, name))
        if batch.oldest_ms is not None:
            counts["delay_ms"] = max(0, int(time.time() * 1000) - batch.oldest_ms)

    def _commit_to_kafka(self, consumer: KafkaConsumer) -> None:
        """Offsets for lag displays. They are those of the last queued batch: close enough for a display, never read back."""
        if self._claims and self._queue.unfinished_tasks == 0:
            offsets = {TopicPartition(self._topic, p): OffsetAndMetadata(c.next_offset, "", -1) for p, c in self._claims.items()}
            consumer.commit_async(offsets)

    def _send_report(self, consumer: KafkaConsumer) -> None:
        lag = 0
        for partition, claim in self._claims.items():
            high = consumer.highwater(TopicPartition(self._topic, partition))
            lag += max(0, (high or 0) - claim.next_offset)
        self._report({**self._counts, "lag": lag, "partitions": len(self._claims), "waiting_for": self._committer.waiting_for})
