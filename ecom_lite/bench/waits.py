"""What the loader's session in PostgreSQL is doing, sampled: the part of a load that no CPU time explains."""

from __future__ import annotations

import threading
from collections import Counter
from types import TracebackType
from typing import Final

import psycopg

from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql

EVERY_S: Final = 0.05
KINDS: Final = ("works", "waits_for_disk", "waits_for_loader", "waits_else")


class Waits:
    """Counts samples by kind. Use as a context manager."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._counts: Counter[str] = Counter()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="bench-waits", daemon=True)

    def __enter__(self) -> Waits:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end.set()
        self._thread.join(timeout=5)

    def shares(self) -> dict[str, float]:
        """Share of the time by kind; all zero without a sample."""
        total = self._counts.total() or 1
        return {kind: self._counts[kind] / total for kind in KINDS}

    def _sample(self) -> None:
        try:
            with self._address.connect("admin", autocommit=True) as connection, connection.cursor() as cursor:
                query = read_sql(__package__, "waits")
                while not self._end.is_set():
                    (kind,) = cursor.execute(query, prepare=True).fetchone() or ("waits_else",)
                    self._counts[kind] += 1
                    self._end.wait(EVERY_S)
        except psycopg.Error:
            pass  # the measurement itself will say that the server has gone
