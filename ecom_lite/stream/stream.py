"""The service that keeps Spark's queries running: it starts them, watches them, tells what they do, and stops them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg
from kafka import KafkaAdminClient

from ..errors import StreamError
from ..observe.clock import ClockWatch
from ..observe.figures import StreamFigures
from ..observe.health import SILENT_S, Health
from ..settings.data_dir import SPARK
from ..settings.tree import Settings
from ..topic.client import client_config, explained, offset_range
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .checkpoint import Checkpoint
from .executors import Executors
from .light import KEEP_PROGRESS_S, PRUNE_EVERY_S
from .queries import (
    MAX_JUDGED_PER_BATCH,
    MAX_RECORDS_PER_BATCH,
    judged_lines,
    new_lines,
    order_lines,
    read_topic,
)
from .session import Gateway, close_session, open_session, short
from .sinks import PER_MINUTE, ROLE, MinuteSink
from .source import MinutesSource, read_source
from .summary import render

SUMMARY_EVERY_S: Final = 10.0
PROGRESS_EVERY_S: Final = 5.0
DATABASE_PATIENCE_S: Final = 120.0
# Of what the minutes keep from batch to batch, by name of the folder: a checkpoint of another one cannot go on, and the query
# begins anew at the topic's earliest records. 2: ids are texts. 3: minutes by currency. 4: hashes by minute.
LAYOUT: Final = 4
STATE_IS_TORN: Final = "CANNOT_LOAD_STATE_STORE"  # Spark's name of that error
POLL_S: Final = 0.05
WATCH_S: Final = 0.5
log = logging.getLogger("ecom_lite.stream")


class Progress(NamedTuple):
    """What micro-batches took on average, in ms by Spark's names of their phases, and what is kept from one to the next."""

    phases_ms: dict[str, int]
    state_rows: int  # shares of minutes


class Stream:
    """Spark Structured Streaming from the topic into `realtime.*`, on a gateway JVM that is already up.

    One object or another may be started again on the same JVM, or on a new one; the checkpoints make it go on where it was.
    With a Spark cluster as `spark.master` the data folder must be on storage that all executors see: checkpoints.
    `held` says what micro-batches must wait for, such as room on the disk; "" for nothing.
    """

    name = "stream"

    def __init__(
        self, settings: Settings, address: Address, bootstrap: str, data_dir: Path, gateway: Gateway,
        held: Callable[[], str] = str, wall: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._held = held
        self._settings = settings
        self._address = address
        self._bootstrap = bootstrap
        self._data_dir = data_dir.absolute()
        self._gateway = gateway
        self._wall = wall
        self._stopping = threading.Event()
        self._session: Any = None
        self._executors: Executors | None = None
        self._queries: dict[str, Any] = {}
        self._minutes: MinuteSink | None = None
        self._checkpoint: Checkpoint | None = None
        self._progress = Progress({}, 0)
        self._given_up: Checkpoint | None = None
        self._shown: object = None
        self._asked_s: float | None = None  # since when Spark has owed an answer, monotonic

    def start(self) -> None:
        """Build the session and start the queries; returns when the first trigger has read from Kafka and written.

        Blocks. Raises StreamError when Spark refuses, or when a checkpoint does not fit the settings or the broker.
        """
        self._stopping.clear()
        self._asked_s = None
        source = self._source()
        name = f"{PER_MINUTE}_{LAYOUT}" + (f"_{source.generation}" if source.generation else "")
        checkpoints = self._data_dir / SPARK / "checkpoints"
        self._checkpoint = minutes = Checkpoint(checkpoints / name)
        cluster_id = self._cluster_id()
        if minutes.begun and (unfit := minutes.unfit(self._written())):
            log.warning("%s: the per-minute query begins anew, with what the topic still has", unfit)
            minutes.discard()
        minutes.compare(source.topic, *self._offsets(source.topic))
        if minutes.guard(self._settings, cluster_id):
            # The batches are counted from 0 again: rows of an older checkpoint would be taken for its own.
            self._execute("prune_progress", keep_s=0)
            self._execute("forget_open")
            for other in checkpoints.glob(f"{PER_MINUTE}*/"):
                if other != minutes.folder:
                    Checkpoint(other).discard()
        self._execute("forget_light")
        try:
            self._session = open_session(self._settings, self._gateway, self._data_dir)
            self._executors = Executors(self._session, self._gateway, self._settings.spark.master)
            self._start_minutes(minutes, source)
            self._wait_first_trigger()
        except StreamError:
            self.stop()
            raise
        except Exception as error:
            self.stop()
            raise StreamError(f"Spark cannot start the queries: {short(error)}") from error

    def _source(self) -> MinutesSource:
        try:
            return read_source(self._settings, self._address)
        except psycopg.Error as error:
            raise self._refused(error) from error

    def _offsets(self, topic: str) -> tuple[dict[int, int], dict[int, int]]:
        """The first and the end offsets of a topic."""
        return offset_range(client_config(self._settings.kafka, self._bootstrap), topic)

    def _cluster_id(self) -> str:
        config = client_config(self._settings.kafka, self._bootstrap)
        with explained(config, "asking Kafka for its cluster id"):
            admin = KafkaAdminClient(**config)
            try:
                return str(admin.describe_cluster().get("cluster_id"))
            finally:
                admin.close()

    def _written(self) -> int:
        """The newest micro-batch that PostgreSQL has."""
        try:
            with self._address.connect(ROLE) as connection:
                row = connection.execute(read_sql(__package__, "newest_batch"), {"query": PER_MINUTE}).fetchone()
        except psycopg.Error as error:
            raise self._refused(error) from error
        return -1 if row is None else int(row[0])

    def _execute(self, statement: str, **values: float) -> None:
        try:
            with self._address.connect(ROLE) as connection:
                connection.execute(read_sql(__package__, statement), {"query": PER_MINUTE, **values})
        except psycopg.Error as error:
            raise self._refused(error) from error

    @staticmethod
    def _refused(error: psycopg.Error) -> StreamError:
        return StreamError(f"the stream cannot use PostgreSQL as {ROLE}: {str(error).strip()}")

    def _start_minutes(self, checkpoint: Checkpoint, source: MinutesSource) -> None:
        spark, judged = self._settings.spark, source.topic == self._settings.kafka.judged_topic
        records = read_topic(
            self._session, self._settings, self._bootstrap, MAX_JUDGED_PER_BATCH if judged else MAX_RECORDS_PER_BATCH,
            topic=source.topic, starting=source.starting,
        )  # fmt: skip
        if judged:
            lines = judged_lines(self._session, records, spark.watermark_s)
        else:
            lines = order_lines(self._session, records, spark.watermark_s, self._settings.currency.default)
        self._minutes = MinuteSink(self._address, self._session, self._stopping, DATABASE_PATIENCE_S, self._held)
        writer = new_lines(self._session, lines, spark.watermark_s).writeStream.queryName(PER_MINUTE)
        writer = writer.outputMode("update").foreachBatch(self._minutes).option("checkpointLocation", checkpoint.folder.as_uri())
        self._queries[PER_MINUTE] = writer.trigger(processingTime=f"{round(spark.trigger_s * 1000)} milliseconds").start()

    def _wait_first_trigger(self) -> None:
        """Until the per-minute query has told of a trigger: with nothing to read, that it asked Kafka and found nothing."""
        query = self._queries[PER_MINUTE]
        give_up = time.monotonic() + self._settings.run.ready_timeout_s
        while query._jsq.lastProgress() is None:
            self._raise_if_dead()
            if time.monotonic() > give_up:
                missing = self._executors.missing() if self._executors is not None else ""
                raise StreamError(
                    f"Spark ran no micro-batch within run.ready_timeout_s = {self._settings.run.ready_timeout_s:g}: "
                    + (missing or "see `ecom_lite logs spark`, or give it more time")
                )
            if self._stopping.wait(POLL_S):
                raise StreamError("Spark was stopped while it started")

    def run(self, stop: threading.Event) -> None:
        """Watch the queries until `stop` is set. Raises StreamError with the cause when one has died, and when the clock was put
        back: Spark waits for the moment of the next micro-batch, which would then be hours away."""
        clock = ClockWatch(self._wall)
        next_summary = time.monotonic() + SUMMARY_EVERY_S
        next_progress = time.monotonic()
        next_prune = time.monotonic()
        while not stop.wait(WATCH_S):
            try:
                self._asked_s = time.monotonic()
                self._raise_if_dead()
                if back_s := clock.put_back_s():
                    raise StreamError(f"the clock was put back by {back_s:.0f} s, so long would Spark wait: it begins anew")
                if time.monotonic() >= next_progress:
                    next_progress = time.monotonic() + PROGRESS_EVERY_S
                    self._progress = self.recent_progress()
                self._asked_s = None
            except StreamError:
                raise
            except Exception as error:
                if stop.is_set():
                    return
                raise StreamError(f"Spark does not answer: {short(error)}") from error
            if self._stopping.is_set():
                return
            now = time.monotonic()
            with suppress(psycopg.Error, StreamError):  # PostgreSQL may restart; the sink is the one to complain
                if now >= next_summary:
                    next_summary = now + SUMMARY_EVERY_S
                    self._summarise()
                if now >= next_prune:
                    next_prune = now + PRUNE_EVERY_S
                    self._execute("prune_progress", keep_s=KEEP_PROGRESS_S)

    def _raise_if_dead(self) -> None:
        if not self._gateway.alive:
            raise StreamError("the Java process of Spark has ended")
        if self._executors is not None:
            self._executors.require()
        for name, query in self._queries.items():
            if not query.isActive:
                cause = (self._minutes.error if self._minutes is not None else None) or query.exception()
                said = short(cause) if cause is not None else "no cause given"
                if STATE_IS_TORN in str(cause):
                    self._given_up = self._checkpoint
                    said = f"its state is not whole, as after a loss of power; it begins anew, with what the topic has: {said}"
                raise StreamError(f"Spark's query {name} ended: {said}")

    def _summarise(self) -> None:
        with self._address.connect(ROLE, autocommit=True) as connection:
            lines = connection.execute(read_sql(__package__, "latest_minute")).fetchall()
        if lines and lines != self._shown:
            self._shown = lines
            log.info("%s", render([(line[0].astimezone(UTC), *line[1:]) for line in lines]))

    def recent_progress(self) -> Progress:
        """Of the last 20 micro-batches, as Spark tells it. Blocks."""
        query = self._queries.get(PER_MINUTE)
        recent = query.recentProgress if query is not None else []
        took = [each["durationMs"] for each in recent]
        phases = {name: round(sum(each.get(name, 0) for each in took) / len(took)) for name in sorted({*chain(*took)})}
        return Progress(phases, sum(each["numRowsTotal"] for each in recent[-1]["stateOperators"]) if recent else 0)

    def stop(self) -> None:
        """Stop queries and session. The batch at work is given up: it is repeated at the next start and changes nothing.

        Safe before `start`, twice, and when the JVM is dead.
        """
        self._stopping.set()
        queries, self._queries = self._queries, {}
        session, self._session = self._session, None
        if self._gateway.alive:
            for query in queries.values():
                with suppress(Exception):  # a JVM that dies meanwhile has stopped them too
                    query.stop()
        if session is not None:
            close_session()
        if self._minutes is not None:
            self._minutes.close()
        if self._given_up is not None:
            self._given_up.discard()
            self._given_up = None

    def health(self) -> Health:
        """From memory: figures of the last micro-batch."""
        sink = self._minutes
        last = sink.last if sink is not None else None
        figures: StreamFigures | None = None
        if sink is not None and last is not None:
            figures = StreamFigures(
                batch=last.batch_id,
                rows_per_s=round(sink.rows_per_s, 1),
                batch_ms=last.duration_ms,
                watermark=last.watermark.isoformat(timespec="seconds") if last.watermark else "",
                watermark_lag_s=round((datetime.now(UTC) - last.watermark).total_seconds()) if last.watermark else None,
                late_rows=sink.late_rows,
                phases_ms=self._progress.phases_ms,
                state_rows=self._progress.state_rows,
            )
        if not self._queries or not self._gateway.alive:
            return Health(False, "not running", figures)
        if held := self._held():
            return Health(False, f"waits for {held}", figures)
        asked_s = self._asked_s  # another thread's
        silent_s = 0.0 if asked_s is None else time.monotonic() - asked_s
        silent = silent_s > SILENT_S
        return Health(not silent, f"Spark has not answered for {silent_s:.0f} s" if silent else "", figures)
