"""The figures of a live run, once a second: totals and rates from the database, memory, and the supervisor's events into it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .gaps import Gap, read_gaps
from .memory import run_memory_bytes

MEMORY_EVERY_TICKS: Final = 2
HISTORY: Final = 60  # rates kept for the live view, one a second
DETAIL_CHARS: Final = 1000
RECORD: Final = "INSERT INTO ops.service_events (service, event, detail) VALUES (%s, %s, %s)"


class Meter:
    """Measures from one thread; `heard` may be called from any. While the database is away the last figures stay."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.totals: dict[str, int] = {}
        self.dbt: dict[str, Any] = {}  # the newest run's row of ops.dbt_runs
        self.sent_per_s = 0.0
        self.loaded_per_s = 0.0
        self.peak_memory = 0
        self.gaps: list[Gap] = []
        self.history: deque[float] = deque(maxlen=HISTORY)  # loaded_per_s
        self._clock = clock
        self._last: tuple[float, dict[str, int]] | None = None
        self._ticks = 0
        self._lost = 0  # records in `gaps`, by the loader's count
        self._events: list[tuple[str, str, str]] = []
        self._reader: psycopg.Connection[dict[str, Any]] | None = None
        self._recorder: psycopg.Connection | None = None

    def heard(self, service: str, event: str, detail: str) -> None:
        """A change of a part, for ops.service_events."""
        self._events.append((service, event, detail[:DETAIL_CHARS]))

    def measure(self, address: Address) -> None:
        """Take all figures now. Never raises for a database that is away."""
        self._ticks += 1
        if self._ticks % MEMORY_EVERY_TICKS == 0:
            self.measure_memory()
        self._record_events(address)
        totals = self._read(address)
        if not totals:
            self.sent_per_s = self.loaded_per_s = 0.0
            return
        now = self._clock()
        self.dbt = totals.pop("dbt") or {}
        totals["records"] = sum(totals[name] for name in ("facts", "duplicates", "other", "dead"))
        if self._last is not None and now > self._last[0]:
            before, old = self._last
            self.sent_per_s = max(0.0, (totals["sent"] - old["sent"]) / (now - before))
            self.loaded_per_s = max(0.0, (totals["records"] - old["records"]) / (now - before))
            self.history.append(self.loaded_per_s)
        self.totals, self._last = totals, (now, totals)
        self._measure_gaps()

    def measure_memory(self) -> None:
        self.peak_memory = max(self.peak_memory, run_memory_bytes())

    def this_run(self, address: Address, began: float) -> dict[str, int]:
        """`dbt_runs` and `load_rate` (events a second) since `began`, epoch seconds. Raises psycopg.Error."""
        with psycopg.connect(address.conninfo("ecom_reader"), row_factory=dict_row) as reader:
            return reader.execute(read_sql(__package__, "this_run"), {"began": began}).fetchone() or {}

    def close(self) -> None:
        for connection in (self._reader, self._recorder):
            if connection is not None:
                connection.close()

    def _read(self, address: Address) -> dict[str, Any]:
        try:
            if self._reader is None or self._reader.closed:
                self._reader = psycopg.connect(address.conninfo("ecom_reader"), autocommit=True, row_factory=dict_row)
            return self._reader.execute(read_sql(__package__, "totals")).fetchone() or {}
        except psycopg.Error:
            if self._reader is not None:
                self._reader.close()
            return {}

    def _measure_gaps(self) -> None:
        """Only when the count says that there are more than we know."""
        lost = self.totals["lost"]
        if self._reader is None or lost == self._lost:
            return
        try:
            self.gaps, self._lost = read_gaps(self._reader), lost
        except psycopg.Error:
            self._reader.close()

    def _record_events(self, address: Address) -> None:
        """While the database is away they wait here."""
        events = self._events[:]
        if not events:
            return
        try:
            if self._recorder is None or self._recorder.closed:
                self._recorder = address.connect("ecom_owner", autocommit=True)
            with self._recorder.cursor() as cursor:
                cursor.executemany(RECORD, events)
        except psycopg.Error:
            if self._recorder is not None:
                self._recorder.close()
            return
        del self._events[: len(events)]
