"""The loop: poll and decode in one thread, commit in another, so that Python and the database work at the same time."""

from __future__ import annotations

import gc
import logging
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from typing import Any, Final

import psycopg
from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError
from msgspec import structs

from ..contract.events import Clock, utc_now
from ..contract.reader import Reader
from ..errors import EcomLiteError, LoadError
from ..observe.figures import LoaderFigures
from ..settings.tree import Settings
from ..topic.client import client_config, explain
from ..topic.records import read_quickly
from ..warehouse.connect import Address
from .attributes import AttributeColumns
from .claims import Claims, TopicIds
from .commit import Committer
from .deadletters import DeadLetterTopic
from .decode import Batch, readers_of
from .judged import JudgedTopic
from .proof import prove_same
from .retry import Patience, Stopped, fatal
from .source import Source, membership
from .tally import Tally
from .topics import Topics
from .write import StaleOwner, Writer

GROUP_PREFIX: Final = "ecom_lite.load"
SESSION_TIMEOUT_MS: Final = 10_000  # a loader that is silent for so long loses its partitions to the others
POLL_RECORDS: Final = 10_000
QUEUED_BATCHES: Final = 2
KAFKA_COMMIT_EVERY_S: Final = 5.0  # for lag displays only: the truth is ops.consumer_offsets
REPORT_EVERY_S: Final = 1.0
PRUNE_EVERY_S: Final = 3600.0
TICK_S: Final = 0.2  # how late a wait sees that it must end
CLOSE_S: Final = 5.0
GC_THRESHOLDS: Final = (100_000, 50, 100)
SWITCH_INTERVAL_S: Final = 0.0005  # the default of 5 ms is how long each reply of the database would wait for the decoding thread
log = logging.getLogger("ecom_lite.load")
Report = Callable[[LoaderFigures], None]

CONSUMER: Final[Mapping[str, Any]] = {
    "enable_auto_commit": False,
    "auto_offset_reset": "none",  # where to read is said by the table, never guessed
    "isolation_level": "read_committed",  # an aborted transaction of a foreign producer never happened
    "max_poll_records": POLL_RECORDS,
    "max_poll_interval_ms": 24 * 3600 * 1000,  # a database that is away is no reason to lose the partitions
    "metadata_max_age_ms": 10_000,  # partitions that are added later are found within this time
    "fetch_min_bytes": 1,
    "max_partition_fetch_bytes": 4 * 1024 * 1024,
    "metrics_enabled": False,
}


class Loader:
    """Consumes the topics as one member of the group and writes every record exactly once. Runs once.

    `instance` names this member (unique in the group): a restart takes its partitions over at once.
    Where Spark counts minutes from `kafka.judged_topic`, each batch's order lines go there too, before it commits.
    `report` is called about once a second with figures, from the loop's thread, also while the database is away.
    """

    def __init__(
        self,
        settings: Settings,
        address: Address,
        bootstrap: str,
        *,
        instance: str,
        report: Report,
        clock: Clock = utc_now,
        make_writer: Callable[[Address, Topics], Writer] = Writer,
        session_timeout_ms: int = SESSION_TIMEOUT_MS,
    ) -> None:
        self._settings = settings
        self._topics = Topics(settings.kafka.topic, settings.topics[1:])
        self._clock = clock
        self._report = report
        self._instance = instance
        self._client = client_config(settings.kafka, bootstrap)
        self._stop, self._drain_s = threading.Event(), 0.0
        self._drain_until: float | None = None
        self._held = ""  # why nothing may be written now
        self._abort = threading.Event()  # the reading thread has ended
        self._failure: BaseException | None = None  # why the writing thread has ended
        self._queue: queue.Queue[Batch | None] = queue.Queue(maxsize=QUEUED_BATCHES)
        self._committed: dict[int, int] = {}
        self._tally = Tally()
        self._claims, self._writer = Claims(address, self._topics), make_writer(address, self._topics)
        self._writer.attributes = AttributeColumns(settings.events.attributes)
        self._session_timeout_ms = session_timeout_ms
        self._claiming, self._writing = Patience(self._pause_reading), Patience(self._pause_writing)
        self._dead_letters = DeadLetterTopic(self._client, self._topics, settings.kafka.dlq_topic)
        self._judged = JudgedTopic(self._client, settings.kafka.judged_topic, self._pause_writing)
        self._committer = Committer(self._writer, self._dead_letters.send, self._judged.send, self._writing)
        self._readers: dict[int, Reader] = {}
        self._source: Source | None = None
        self._mark = b""
        self._next_report = self._next_kafka_commit = 0.0

    def hold(self, reason: str) -> None:
        """Write no further batch while there is a reason to, such as a disk that is full; from any thread. What was read waits,
        offsets stay where they are, and the partitions stay this loader's."""
        self._held = reason

    def run(self, stop: threading.Event, drain_s: float) -> None:
        """Load until `stop` is set, then drain what the topic holds at that moment, at most `drain_s` seconds.

        Raises LoadError when an error is met that no retry mends. What was not loaded is loaded by the next run.
        """
        self._stop, self._drain_s = stop, drain_s
        writing = threading.Thread(target=self._write_loop, name="load-write", daemon=True)
        with ExitStack() as stack:
            # Records by the ten thousand come and go, none of them in a cycle: the default would look through them all the time.
            stack.callback(gc.set_threshold, *gc.get_threshold())
            gc.set_threshold(*GC_THRESHOLDS)
            stack.callback(sys.setswitchinterval, sys.getswitchinterval())
            sys.setswitchinterval(SWITCH_INTERVAL_S)
            stack.callback(self._claims.close)
            stack.callback(self._dead_letters.close)
            stack.callback(self._judged.close)
            try:
                warehouse = self._claiming.run(self._claims.identity, self._claims.close)
                self._mark = self._claiming.run(self._claims.mark, self._claims.close)
                minutes_topic = self._claiming.run(self._claims.minutes_topic, self._claims.close)
                self._claiming.run(self._claims.learn_numbers, self._claims.close)
                self._readers = readers_of(self._settings, self._topics)
                self._judged.wanted = minutes_topic == self._settings.kafka.judged_topic
                self._consumer = KafkaConsumer(
                    **{**self._client, "client_id": self._instance},
                    **CONSUMER,
                    group_id=f"{GROUP_PREFIX}.{self._topics.main}.{warehouse}",
                    group_instance_id=self._instance,
                    session_timeout_ms=self._session_timeout_ms,
                    heartbeat_interval_ms=min(3000, self._session_timeout_ms // 3),
                    fetch_max_wait_ms=min(100, self._settings.load.flush_ms),
                )
                read_quickly(self._consumer, self._topics.of)
                stack.enter_context(membership(self._consumer, self._client))
                source = self._source = Source(self._consumer, self._topics, self._prove, self._claim)
                writing.start()
                stack.callback(writing.join, timeout=CLOSE_S)
                stack.callback(self._abort.set)
                self._read_loop(source)
                self._hand_over(None)
                while writing.is_alive():
                    self._tick()
                    writing.join(timeout=TICK_S)
                self._raise_failure()
                with suppress(KafkaError):
                    self._consumer.commit(self._kafka_offsets(), timeout_ms=2000)
            except Stopped:
                why = f"it waits for {self._held}" if self._held else "the time to drain is over"
                log.warning("%s: the next run goes on from the last committed offset", why)
            except KafkaError as error:
                raise LoadError(f"loading topic {self._topics.main}: {explain(self._client, error)}") from error
            except psycopg.Error as error:
                raise fatal(error) from error

    def _read_loop(self, source: Source) -> None:
        load = self._settings.load
        batch, since = self._new_batch(), 0.0
        ends: dict[int, int] | None = None
        while True:
            self._tick()
            if self._stop.is_set():
                ends = _ends(source) if ends is None else ends
                if source.reached(ends):
                    break
            if source.changed.is_set():
                batch = self._new_batch()  # perhaps of partitions that are not ours any more: the table says where to go on
                self._wait_idle()
                source.take_over()
                self._committed = {partition: claim.next_offset for partition, claim in source.claims.items()}
                self._next_report = 0.0  # whoever waits for us to be ready hears of it at once
            age = time.monotonic() - since if batch.extents else 0.0
            wait_s = max(0.0, min(TICK_S, load.flush_ms / 1000 - age))
            parts = source.poll(wait_s, max(1, min(POLL_RECORDS, load.batch_rows - batch.rows)))
            if parts and not batch.extents:
                since = time.monotonic()
            now = self._clock()
            for part in parts:
                batch.add(part, now)
            if batch.extents and (batch.rows >= load.batch_rows or time.monotonic() - since >= load.flush_ms / 1000):
                self._hand_over(batch)
                batch = self._new_batch()
        if batch.extents:
            self._hand_over(batch)

    def _new_batch(self) -> Batch:
        return Batch(mark=self._mark, readers=self._readers, currency=self._settings.currency.default)

    def _prove(self, beginnings: Mapping[int, int], ends: Mapping[int, int], topic_ids: TopicIds) -> None:
        loaded = self._claiming.run(lambda: self._claims.newest_loaded(beginnings.keys(), topic_ids), self._claims.close)
        there = {self._topics.place(p): newest for p, newest in loaded.items() if beginnings[p] <= newest[0] < ends[p]}
        prove_same(self._client, there)

    def _claim(self, beginnings: Mapping[int, int], topic_ids: TopicIds) -> Any:
        return self._claiming.run(lambda: self._claims.claim(beginnings, topic_ids), self._claims.close)

    def _hand_over(self, batch: Batch | None) -> None:
        while True:
            try:
                return self._queue.put(batch, timeout=TICK_S)
            except queue.Full:
                self._tick()

    def _wait_idle(self) -> None:
        """Until the writer has nothing in hand, so that the table is the truth."""
        while self._queue.unfinished_tasks:
            self._tick()
            with self._queue.all_tasks_done:
                if self._queue.unfinished_tasks:
                    self._queue.all_tasks_done.wait(TICK_S)

    def _write_loop(self) -> None:
        next_prune = time.monotonic()
        try:
            while (batch := self._next_batch()) is not None:
                self._wait_while_held()
                self._write(batch)
                self._queue.task_done()
                if time.monotonic() >= next_prune:
                    self._writing.run(self._writer.prune, self._writer.close)
                    next_prune = time.monotonic() + PRUNE_EVERY_S
        except (EcomLiteError, Stopped) as error:
            self._failure = error
        except BaseException as error:
            log.exception("the writing thread died")
            self._failure = error
        finally:
            self._writer.close()

    def _next_batch(self) -> Batch | None:
        while not self._abort.is_set():
            with suppress(queue.Empty):
                return self._queue.get(timeout=TICK_S)
        return None

    def _wait_while_held(self) -> None:
        """Between two batches, so that nothing is half written. Raises Stopped: there is no use in draining."""
        if not self._held:
            return
        log.warning("loading waits for %s", self._held)
        while self._held:
            if self._stop.is_set():
                raise Stopped
            self._pause_writing(TICK_S)
        log.info("loading goes on")

    def _write(self, batch: Batch) -> None:
        began = time.monotonic()
        try:
            batch, written = self._committer.commit(batch)
        except StaleOwner as stale:
            log.warning("%s", stale)
            assert self._source is not None
            self._source.changed.set()
            return
        self._committed = self._committed | {partition: extent.end for partition, extent in batch.extents.items()}
        self._tally.add(batch, written, time.monotonic() - began, int(time.time() * 1000))

    def _tick(self) -> None:
        """What the reading thread does while it waits for anything. Raises Stopped, or the writing thread's failure."""
        now = time.monotonic()
        if now >= self._next_report:
            self._next_report = now + REPORT_EVERY_S
            self._send_report()
        if now >= self._next_kafka_commit:
            self._next_kafka_commit = now + KAFKA_COMMIT_EVERY_S
            if self._committed:
                self._consumer.commit_async(self._kafka_offsets())
        self._raise_failure()
        if self._over():
            raise Stopped

    def _pause_reading(self, seconds: float) -> None:
        self._wait(seconds, self._tick)

    def _pause_writing(self, seconds: float) -> None:
        self._wait(seconds, self._stop_writing)

    def _stop_writing(self) -> None:
        if self._abort.is_set() or self._over():
            raise Stopped

    def _wait(self, seconds: float, tick: Callable[[], None]) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            tick()
            self._abort.wait(min(left, TICK_S))

    def _over(self) -> bool:
        """True once the time to drain, which begins when `stop` is set, is over."""
        if self._drain_until is None and self._stop.is_set():
            self._drain_until = time.monotonic() + self._drain_s
        return self._drain_until is not None and time.monotonic() > self._drain_until

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _kafka_offsets(self) -> dict[TopicPartition, OffsetAndMetadata]:
        return {self._topics.place(p): OffsetAndMetadata(offset, "", -1) for p, offset in self._committed.items()}

    def _send_report(self) -> None:
        waiting_for = self._writing.waiting_for or self._claiming.waiting_for
        if self._held:
            waiting_for = self._held
        elif waiting_for:
            waiting_for = f"PostgreSQL: {waiting_for}"
        elif self._judged.waiting_for:
            waiting_for = f"Kafka: {self._judged.waiting_for}"
        source = self._source
        self._report(
            structs.replace(
                self._tally.figures,
                lags=source.lags(self._committed, fetching=not waiting_for) if source else {},
                partitions=len(source.claims) if source else 0,
                standing_by=source is not None and source.stands_by,
                waiting_for=waiting_for,
            )
        )


def _ends(source: Source) -> dict[int, int]:
    try:
        return source.ends()
    except KafkaError as error:
        log.warning("Kafka does not answer, so only what was read is drained: %r", error)
        return {}
