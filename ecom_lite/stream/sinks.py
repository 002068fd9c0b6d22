"""Where the stream goes: per-minute figures and the record of each micro-batch, into PostgreSQL."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import psycopg

from ..errors import StreamError, first_line
from ..warehouse.backoff import delays
from ..warehouse.broken import BROKEN
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .queries import OBSERVED

PER_MINUTE: Final = "per_minute"
ROLE: Final = "ecom_stream"
RETRY_FIRST_S: Final = 0.2
RETRY_MAX_S: Final = 2.0
HELD_S: Final = 0.2  # how soon it goes on once it may
log = logging.getLogger("ecom_lite.stream")


@dataclass(frozen=True)
class Batch:
    """What one micro-batch read and dropped. `late_rows` are order lines outside the reach of the watermark, on either side."""

    batch_id: int
    input_rows: int
    late_rows: int
    ahead_rows: int
    duplicate_rows: int
    watermark: datetime | None
    duration_ms: int


class MinuteSink:
    """The foreachBatch function of the per-minute query: the batch's windows and its counts in one transaction.

    Counts come from the batch's own plan, not from a progress report afterwards, so that they are never lost in a crash.
    A lost PostgreSQL is waited for up to `patience_s`; past that the batch, and with it the query, fails with StreamError. What
    `held` names is waited for as long as it takes, before the batch.
    """

    def __init__(
        self, address: Address, session: Any, stop: threading.Event, patience_s: float, held: Callable[[], str] = str
    ) -> None:
        self._held = held
        self._address = address
        self._session = session
        self._stop = stop
        self._patience_s = patience_s
        self._connection: psycopg.Connection | None = None
        self._started_ms = time.time() * 1000
        self.last: Batch | None = None
        self.rows_per_s = 0.0
        self.late_rows = 0
        self.error: Exception | None = None
        self._last_end = time.monotonic()

    def __call__(self, frame: Any, batch_id: int) -> None:
        """Called by Spark, one batch at a time, on a thread of py4j. The frame is computed once."""
        began = time.monotonic()
        try:
            while self._held() and not self._stop.wait(HELD_S):
                pass
            rows = frame.collect()
            batch = self._measure(rows, batch_id, began)
            self._write_patiently(rows, batch)
        except Exception as error:
            self.error = error
            raise
        now = time.monotonic()
        self.rows_per_s = batch.input_rows / max(now - self._last_end, 0.001)
        self._last_end, self.last = now, batch
        self.late_rows += batch.late_rows
        if batch.ahead_rows:
            log.warning("%d events with a time ahead of the clock are left out of the per-minute figures", batch.ahead_rows)

    def _measure(self, rows: list[Any], batch_id: int, began: float) -> Batch:
        execution = running_query(self._session, PER_MINUTE).streamingQuery().lastExecution()
        observed = execution.observedMetrics().get(OBSERVED)
        records, lines, ahead = (int(observed.get().getLong(n)) for n in range(3)) if observed.isDefined() else (0, 0, 0)
        watermark_ms = int(execution.offsetSeqMetadata().batchWatermarkMs())
        trigger_ms = int(execution.offsetSeqMetadata().batchTimestampMs())
        # A batch that is repeated after a restart has the trigger time of its first try.
        known = trigger_ms >= self._started_ms
        elapsed_ms = time.time() * 1000 - trigger_ms if known else (time.monotonic() - began) * 1000
        arrived, new = sum(row["arrived"] for row in rows), sum(row["lines"] for row in rows)
        return Batch(
            batch_id=batch_id,
            input_rows=records,
            late_rows=lines - arrived,  # what is ahead did not arrive either
            ahead_rows=ahead,
            duplicate_rows=arrived - new,
            watermark=datetime.fromtimestamp(watermark_ms / 1000, UTC) if watermark_ms > 0 else None,
            duration_ms=int(elapsed_ms),
        )

    def _write_patiently(self, rows: list[Any], batch: Batch) -> None:
        give_up = time.monotonic() + self._patience_s
        waits = delays(RETRY_FIRST_S, RETRY_MAX_S)
        while True:
            try:
                self._write(rows, batch)
                return
            except BROKEN as error:
                self.close()
                reason = first_line(error)
                if time.monotonic() >= give_up or self._stop.is_set():
                    raise StreamError(f"micro-batch {batch.batch_id} cannot be written to PostgreSQL: {reason}") from error
                log.warning("PostgreSQL: %s; micro-batch %d is tried again", reason, batch.batch_id)
            self._stop.wait(next(waits))

    def _write(self, rows: list[Any], batch: Batch) -> None:
        if self._connection is None or self._connection.closed:
            self._connection = self._address.connect(ROLE)
        with self._connection.transaction():
            known = {"query": PER_MINUTE, "batch_id": batch.batch_id}
            if self._connection.execute(read_sql(__package__, "batch_is_written"), known).fetchone():
                return  # it is repeated: what it adds is there
            self._connection.execute(read_sql(__package__, "make_news"))
            with self._connection.cursor().copy(read_sql(__package__, "copy_news")) as copy:
                for row in rows:
                    copy.write(row["text"])
            self._connection.execute(read_sql(__package__, "add_news"))
            for statement in ("upsert_minutes", "close_minutes"):
                self._connection.execute(read_sql(__package__, statement), {"watermark": batch.watermark})
            self._connection.execute(
                read_sql(__package__, "record_progress"),
                {
                    "query": PER_MINUTE,
                    "batch_id": batch.batch_id,
                    "watermark": batch.watermark,
                    "input_rows": batch.input_rows,
                    "late_rows": batch.late_rows,
                    "duplicate_rows": batch.duplicate_rows,
                    "duration_ms": batch.duration_ms,
                },
            )

    def close(self) -> None:
        """Drop the connection; the next batch makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def running_query(session: Any, name: str) -> Any:
    """The JVM's handle of a query that runs, by its name."""
    for query in session._jsparkSession.streams().active():
        if query.name() == name:
            return query
    raise StreamError(f"Spark's query {name} does not run any more")
