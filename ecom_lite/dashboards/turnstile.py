"""Owns how many panels are asked for at once: beyond that a request is told so at once, and takes no thread that others need."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Final, TypeVar

from anyio import CapacityLimiter, to_thread

from ..errors import DashboardError

THREADS: Final = 32  # of their own: what else the page answers never waits for a panel
PATIENCE_S: Final = 5.0
AGAIN_S: Final = 0.1
PER_CLIENT: Final = 16  # of one address; a browser asks six at a time

T = TypeVar("T")


class Busy(DashboardError):
    """Too much is being computed already: the same may be asked again in a moment."""


class Turnstile:
    """To be used on the event loop only."""

    def __init__(self, threads: int = THREADS, per_client: int = PER_CLIENT) -> None:
        self._limiter = CapacityLimiter(threads)
        self._threads = threads
        self._per_client = per_client
        self._within: Counter[str] = Counter()

    async def run(self, client: str, work: Callable[[], T]) -> T:
        """What `work` returns, from a thread. Raises what it does, and Busy before it began."""
        if self._within[client] >= self._per_client:
            raise Busy(f"busy: {self._per_client} panels are being computed for {client}")
        if self._within.total() >= self._threads:
            raise Busy(f"busy: {self._threads} panels are being computed")
        self._within[client] += 1
        try:
            return await to_thread.run_sync(work, limiter=self._limiter, abandon_on_cancel=True)  # when the server ends
        finally:
            self._within[client] -= 1
            self._within += Counter()  # forgets who has none

    async def patient(self, client: str, work: Callable[[], T]) -> T:
        """As `run`, but Busy only after some seconds: for who, once refused, does not come again (a browser's EventSource)."""
        give_up = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await self.run(client, work)
            except Busy:
                if time.monotonic() > give_up:
                    raise
            await asyncio.sleep(AGAIN_S)
