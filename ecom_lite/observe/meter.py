"""The figures of a live run, once a second: totals and rates from the database, memory, and the supervisor's events into it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg
from psycopg.rows import dict_row

from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .disk import stores_bytes
from .figures import DbtFigures, ModelFigures
from .gaps import Gap, read_gaps
from .memory import resident_bytes
from .status import Totals

MEMORY_EVERY_TICKS: Final = 2
DISK_EVERY_TICKS: Final = 60
HISTORY: Final = 60  # rates kept for the live view, one a second
DETAIL_CHARS: Final = 1000
RECORD: Final = "INSERT INTO ops.service_events (at, service, event, detail) VALUES (%s, %s, %s, %s)"
FORGET: Final = "DELETE FROM ops.service_events WHERE at < %s"
KEEP_EVENTS: Final = timedelta(days=90)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Meter:
    """Measures from one thread; `heard` may be called from any. While the database is away the last figures stay."""

    def __init__(
        self, data_dir: Path, clock: Callable[[], float] = time.monotonic, wall: Callable[[], datetime] = _utc_now
    ) -> None:
        self.totals = Totals()
        self.dbt: DbtFigures | None = None
        self.models: dict[str, ModelFigures] = {}  # by name, of their newest dbt runs
        self.sent_per_s = 0.0
        self.loaded_per_s = 0.0
        self.memory: dict[str, int] = {}  # bytes by part
        self.peak_memory = 0  # bytes, of all parts together
        self.disk: dict[str, int] = {}  # bytes by store
        self.gaps: list[Gap] = []
        self.history: deque[float] = deque(maxlen=HISTORY)  # loaded_per_s
        self._data_dir = data_dir
        self._clock = clock
        self._wall = wall
        self._last: tuple[float, Totals] | None = None
        self._ticks = 0
        self._models_of = 0  # the dbt run up to which `models` are known
        self._lost = 0  # records in `gaps`, by the loader's count
        self._events: list[tuple[datetime, str, str, str]] = []
        self._reader: psycopg.Connection[dict[str, Any]] | None = None
        self._recorder: psycopg.Connection | None = None

    def heard(self, service: str, event: str, detail: str) -> None:
        """A change of a part, for ops.service_events: with its own time, as it may wait for the database."""
        self._events.append((self._wall(), service, event, detail[:DETAIL_CHARS]))

    def measure(self, address: Address, parts: Mapping[int, str] | None = None) -> None:
        """Take all figures now; `parts` are the parts' processes by pid. Never raises for a database that is away."""
        if self._ticks % MEMORY_EVERY_TICKS == 0:
            self.measure_memory(parts)
        if self._ticks % DISK_EVERY_TICKS == 0:
            self.disk = stores_bytes(self._data_dir)
        self._ticks += 1
        self._record_events(address)
        row = self._read(address)
        if not row:
            self.sent_per_s = self.loaded_per_s = 0.0
            return
        now = self._clock()
        self.dbt = msgspec.convert(row["dbt"], DbtFigures | None)
        totals = msgspec.convert(row, Totals)
        if self._last is not None and now > self._last[0]:
            before, old = self._last
            self.sent_per_s = max(0.0, (totals.sent - old.sent) / (now - before))
            self.loaded_per_s = max(0.0, (totals.records - old.records) / (now - before))
            self.history.append(self.loaded_per_s)
        self.totals, self._last = totals, (now, totals)
        self._measure_gaps()
        self._measure_models()

    def measure_memory(self, parts: Mapping[int, str] | None = None) -> None:
        self.memory = resident_bytes(parts or {})
        self.peak_memory = max(self.peak_memory, sum(self.memory.values()))

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
        lost = self.totals.lost
        if self._reader is None or lost == self._lost:
            return
        try:
            self.gaps, self._lost = read_gaps(self._reader), lost
        except psycopg.Error:
            self._reader.close()

    def _measure_models(self) -> None:
        """Only when a dbt run has ended since."""
        if self._reader is None or self.dbt is None or self.dbt.finished_at is None or self.dbt.run_id == self._models_of:
            return
        try:
            found = self._reader.execute(read_sql(__package__, "models")).fetchall()
        except psycopg.Error:
            self._reader.close()
            return
        self.models = {row.pop("model"): msgspec.convert(row, ModelFigures) for row in found}
        self._models_of = self.dbt.run_id

    def _record_events(self, address: Address) -> None:
        """While the database is away they wait here."""
        events = self._events[:]
        if not events:
            return
        try:
            if self._recorder is None or self._recorder.closed:
                self._recorder = address.connect("ecom_owner", autocommit=True)
            with self._recorder.transaction(), self._recorder.cursor() as cursor:  # all or none: they come again after an error
                cursor.executemany(RECORD, events)
                cursor.execute(FORGET, [self._wall() - KEEP_EVENTS])  # by its index: costs what goes
        except psycopg.Error:
            if self._recorder is not None:
                self._recorder.close()
            return
        del self._events[: len(events)]
