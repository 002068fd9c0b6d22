"""The raw archive: what the topics hold, record by record and exactly once, as Parquet files whose names are the only memory."""

from __future__ import annotations

import gc
import logging
import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import duckdb
import msgspec
from kafka.errors import KafkaError

from ..errors import EcomLiteError, first_line, in_words
from ..observe.figures import ArchiveFigures
from ..settings.tree import Settings
from ..topic.client import client_config, explain
from ..warehouse.backoff import delays
from .files import ArchiveWriter
from .names import raw_folder
from .session import Plan, Session, Totals

EVERY_S: Final = 10.0  # a record is in a file after so long
MOST_BYTES: Final = 8 * 1024 * 1024  # keys and values in memory: beyond it they are written at once
LAST_TRIES: Final = 3  # once it is to end: an error of a moment must not leave out what the topics hold
GC_THRESHOLDS: Final = (100_000, 50, 100)  # records by the ten thousand come and go, none of them in a cycle
log = logging.getLogger("ecom_lite.archive")


class Archive:
    """Keeps the topics of the settings in `lake`/raw, for `lake.raw_days`. One per data folder. `run` is for one thread, once;
    `figures` for any.

    `mark` is that of the warehouse which loads the topics: who rebuilds it can tell then which records were its own shops'.
    """

    def __init__(
        self, settings: Settings, bootstrap: str, lake: Path, *, mark: str = "", every_s: float = EVERY_S,
        most_bytes: int = MOST_BYTES,
        clock: Callable[[], float] = time.time, at: Callable[[str], None] = lambda point: None,
    ) -> None:  # fmt: skip
        self.figures = ArchiveFigures()
        self._held = ""
        self._plan = Plan(
            settings.topics, client_config(settings.kafka, bootstrap), settings.lake.raw_days, every_s, most_bytes, mark, clock,
            lambda: bool(self._held),
        )  # fmt: skip
        self._folder = raw_folder(lake)
        self._totals = Totals()
        self._at = at  # see ArchiveWriter

    def hold(self, reason: str) -> None:
        """Read and write nothing more while there is a reason to; from any thread."""
        self._held = reason

    def run(self, stop: threading.Event, drain_s: float) -> None:
        """Archive until `stop` is set, then what the topics hold at that moment, at most `drain_s` seconds long.

        Whatever refuses (broker, disk, topics that are not those in the archive) is told, and tried again, a few times then.
        """
        tries, until, pause = 0, math.inf, threading.Event()
        waits, writer = delays(), ArchiveWriter(self._folder, self._at)
        thresholds = gc.get_threshold()
        gc.set_threshold(*GC_THRESHOLDS)
        try:
            while True:
                if stop.is_set():
                    tries, until = tries + 1, min(until, time.monotonic() + drain_s)
                left_s = max(0.0, min(drain_s, until - time.monotonic()))
                try:
                    if Session(self._plan, writer, self._totals, self._tell).run(stop, left_s):
                        return
                    waits = delays()  # and anew, from what the files say
                except EcomLiteError as error:
                    self._wait_for(str(error))
                except KafkaError as error:
                    self._wait_for(explain(self._plan.client, error))
                except (OSError, duckdb.Error) as error:
                    self._wait_for(f"{self._folder}: {first_line(in_words(error))}")
                if tries >= LAST_TRIES or time.monotonic() > until:
                    return
                (pause if stop.is_set() else stop).wait(next(waits))
        finally:
            writer.close()
            gc.set_threshold(*thresholds)

    def _tell(self) -> None:
        if self.figures.waiting_for:
            log.info("the raw archive goes on")
        totals = self._totals
        self.figures = ArchiveFigures(
            records=totals.records, files=totals.files, bytes=totals.bytes, files_kept=totals.files_kept,
            bytes_kept=totals.bytes_kept, oldest=totals.oldest, lag=totals.lag,
        )  # fmt: skip

    def _wait_for(self, reason: str) -> None:
        if self.figures.waiting_for != reason:
            log.warning("the raw archive waits: %s", reason)
        self.figures = msgspec.structs.replace(self.figures, waiting_for=reason)
