"""Sees the loader commit: the offsets in the warehouse, asked for again and again, with the time at which they were seen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final, NamedTuple

import psycopg

from ..errors import EcomLiteError
from ..warehouse.connect import Address
from ..warehouse.offsets import committed_offsets, reached

STALL_S: Final = 60.0  # without any progress for so long the measurement fails
CHECK_S: Final = 0.2


class Seen(NamedTuple):
    """`offsets` are next offsets by partition; the clocks are read after the answer has come, so they never flatter."""

    monotonic_s: float
    wall_ms: float
    offsets: Mapping[int, int]


class Watch:
    """A thread that asks every `every_s` seconds and keeps what changed. Use as a context manager."""

    def __init__(self, address: Address, topic: str, every_s: float) -> None:
        self.seen: list[Seen] = []
        self._address = address
        self._topic = topic
        self._every_s = every_s
        self._changed = threading.Condition()
        self._end = threading.Event()
        self._failure: psycopg.Error | None = None
        self._thread = threading.Thread(target=self._look, name="bench-watch", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end.set()
        self._thread.join(timeout=5)

    def until(self, ends: Mapping[int, int], check: Callable[[], None]) -> Seen:
        """The first sight of all offsets up to `ends` committed; `check` raises when waiting is in vain."""
        known, last = -1, time.monotonic()
        while True:
            with self._changed:
                if len(self.seen) == known:
                    self._changed.wait(CHECK_S)
                grown, known = len(self.seen) > known, len(self.seen)
                newest = self.seen[-1] if self.seen else None
            if newest is not None and reached(newest.offsets, ends):
                return newest
            if self._failure is not None:
                raise self._failure
            check()
            last = time.monotonic() if grown else last
            if time.monotonic() - last > STALL_S:
                at = dict(newest.offsets) if newest else "nothing"
                raise EcomLiteError(
                    f"the loader made no progress for {STALL_S:g} s: the topic ends at {dict(ends)}, loaded: {at}"
                )

    def _look(self) -> None:
        try:
            with self._address.connect("ecom_reader", autocommit=True) as connection:
                while not self._end.is_set():
                    offsets = committed_offsets(connection, self._topic)
                    now = Seen(time.monotonic(), time.time() * 1000, offsets)
                    if offsets and (not self.seen or self.seen[-1].offsets != offsets):
                        with self._changed:
                            self.seen.append(now)
                            self._changed.notify_all()
                    self._end.wait(self._every_s)
        except psycopg.Error as error:
            self._failure = error
