"""The lake's loop: a pass over what is new, upkeep, figures; when PostgreSQL is away it waits and goes on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from msgspec.structs import replace

from ..observe.figures import ArchiveFigures, LakeFigures, WorkerReport
from ..settings.tree import Lake
from ..warehouse.backoff import delays
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .daily import Daily
from .upkeep import Upkeep
from .writer import LakeBroken, LakeBusy, Writer

REPORT_S: Final = 1.0
RETRY_FIRST_S: Final = 0.2
RETRY_MAX_S: Final = 5.0
HELD_S: Final = 0.2  # how soon it goes on once there is room
MEASURE_EVERY_S: Final = 10.0  # files and bytes
log = logging.getLogger("ecom_lite.lake")
Report = Callable[[WorkerReport[LakeFigures]], None]


class Beside(Protocol):
    """What else the worker does, in a thread of its own: the raw archive."""

    @property
    def figures(self) -> ArchiveFigures: ...

    def start(self) -> None: ...

    def hold(self, reason: str) -> None: ...

    def raise_failure(self) -> None: ...

    def stop(self) -> None: ...


class LakeService:
    """`folder` is where the tables' files are. `report` is told once a second, from a thread of its own: a pass may take long."""

    def __init__(self, settings: Lake, address: Address, folder: Path, report: Report, archive: Beside | None = None) -> None:
        self._settings = settings
        self._writer = Writer(address, folder)
        self._report = report
        self._archive = archive
        self._figures = LakeFigures()
        self._synced: float | None = None  # the newest pass began then
        self._measured = -MEASURE_EVERY_S
        self._waits_for = self._held = ""

    def hold(self, reason: str) -> None:
        """Write no file while there is a reason to, such as a disk that is full; from any thread."""
        self._held = reason
        if self._archive is not None:
            self._archive.hold(reason)

    def run(self, stop: threading.Event) -> None:
        """Until `stop`; what was loaded by then is taken in at the end."""
        over = threading.Event()
        teller = threading.Thread(target=self._tell, args=(over,), name="lake-report", daemon=True)
        teller.start()
        if self._archive is not None:
            self._archive.start()
        try:
            with self._writer:
                self._loop(stop)
        finally:
            if self._archive is not None:
                self._archive.stop()
            over.set()
            teller.join()
        self._report(self._now())

    def _loop(self, stop: threading.Event) -> None:
        waits = delays(RETRY_FIRST_S, RETRY_MAX_S)
        upkeep = Upkeep(self._writer, self._settings.keep_snapshots_h)
        daily = Daily(self._writer)
        busy = False
        while True:
            last = stop.is_set()
            if self._archive is not None:
                self._archive.raise_failure()
            if self._held:
                if last:
                    return
                stop.wait(HELD_S)
                continue
            try:
                if not self._writer.is_open:
                    self._writer.open()
                self._pass()
                if not last:
                    upkeep()
                daily()  # last: the marts may be those of a dbt project of the user's own, and have no such columns
                waits, pause_s = delays(RETRY_FIRST_S, RETRY_MAX_S), self._settings.every_s
            except LakeBusy as error:  # in reserve: nothing is wrong
                if not busy:
                    log.info("%s; this one is in reserve", error)
                busy, self._waits_for, pause_s = True, "", RETRY_MAX_S
            except LakeBroken as error:
                if not self._waits_for:
                    log.warning("%s; it is tried again", error)
                self._waits_for, pause_s = str(error), next(waits)
            if last:
                return
            stop.wait(pause_s)

    def _pass(self) -> None:
        began = time.monotonic()
        rows = self._writer.sync()
        seconds = time.monotonic() - began
        self._waits_for, self._synced = "", began
        self._figures = replace(
            self._figures, passes=self._figures.passes + 1, rows=self._figures.rows + rows,
            pass_ms=round(seconds * 1000) if rows else self._figures.pass_ms,
        )  # fmt: skip
        if began - self._measured >= MEASURE_EVERY_S:
            self._measured = began
            ((files, size, facts),) = self._writer.read(read_sql(__package__, "files"))
            self._figures = replace(self._figures, files=files, bytes=size, facts=facts)
        elif rows:
            ((_, _, facts),) = self._writer.read(read_sql(__package__, "files"))
            self._figures = replace(self._figures, facts=facts)

    def _tell(self, over: threading.Event) -> None:
        while not over.wait(REPORT_S if self._figures.passes else 0.1):
            self._report(self._now())

    def _now(self) -> WorkerReport[LakeFigures]:
        age = None if self._synced is None else round(time.monotonic() - self._synced, 1)
        raw = None if self._archive is None else self._archive.figures
        waits_for = (self._held and f"waits for {self._held}") or self._waits_for or (raw.waiting_for if raw is not None else "")
        # Ready at once: it takes facts in behind a run that is ready, and catches up.
        return WorkerReport(figures=replace(self._figures, age_s=age, raw=raw), ready=True, waiting_for=waits_for)
