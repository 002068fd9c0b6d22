"""The past of a shop that opens with one: is it sent, loaded, in the marts, and after how many seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg

from ..observe.figures import ProducerFigures
from ..warehouse.connect import Address

LOADED = "SELECT coalesce(sum(facts + other), 0)::bigint FROM ops.consumer_offsets"


class Backfill:
    """Watches one back-fill. `figures` are the producer's; times are seconds since its first sign."""

    def __init__(
        self, figures: Callable[[], ProducerFigures], where: Callable[[], Address], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._figures = figures
        self._where = where
        self._clock = clock
        self._began: float | None = None
        self.seconds: dict[str, float] = {}  # sent, loaded, marts
        self.events = 0

    @property
    def expected(self) -> bool:
        """Whether this run sends a past at all."""
        return self._began is not None

    def pending(self) -> bool:
        """True from the first event of the past until the last one is loaded. Never raises for a database that is away."""
        figures = self._figures()
        if self._began is None and figures.history in ("sending", "sent"):
            self._began = self._clock()
        if self._began is None or "loaded" in self.seconds:
            return False
        if figures.history != "sending" and figures.history_events:  # "": a restarted producer finds it sent
            self.events = self.events or figures.history_events
            self._reached("sent")
            if self._loaded() >= self.events:
                self._reached("loaded")
                return False
        return True

    def in_marts(self) -> None:
        """A dbt run has just ended that had all of it."""
        self._reached("marts")

    def _reached(self, what: str) -> None:
        if self._began is not None:
            self.seconds.setdefault(what, round(self._clock() - self._began, 1))

    def _loaded(self) -> int:
        try:
            with self._where().connect("ecom_reader") as reader:
                row = reader.execute(LOADED).fetchone()
        except psycopg.Error:
            return -1
        return int(row[0]) if row else 0
