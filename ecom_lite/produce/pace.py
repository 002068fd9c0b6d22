"""How many orders are due by a rate: steady, without drift, and without a burst after a stall."""

from __future__ import annotations

from typing import Final

BURST_S: Final = 0.1  # after a stall at most so much of the missed time is made up for; the rest is dropped
TICK_S: Final = 0.01  # high rates send in ticks of this length instead of waking up per order
UNPACED_ORDERS: Final = 200  # asked for at once at rate "max": a few milliseconds of work


class Pace:
    """Orders per second by a monotonic clock (seconds) that the caller reads. `rate` None is as fast as it goes."""

    def __init__(self, rate: float | None, now: float) -> None:
        self._rate = rate
        self._origin = now  # moves forward when time is dropped
        self._done = 0

    def change(self, rate: float | None, now: float) -> None:
        """Go on at another rate: what has come together of the next order counts."""
        if rate == self._rate:
            return
        if rate is not None:
            ahead = 0.0 if self._rate is None else min(1.0, (now - self._origin) * self._rate - self._done)
            self._origin, self._done = now - ahead / rate, 0
        self._rate = rate

    def due(self, now: float) -> int:
        """Orders to send now."""
        if self._rate is None:
            return UNPACED_ORDERS
        due = int((now - self._origin) * self._rate + 1) - self._done  # the first one at once
        most = max(1, int(BURST_S * self._rate))
        if due > most:
            self._origin += (due - most) / self._rate
            due = most
        return max(0, due)

    def sent(self, orders: int) -> None:
        """So many of them were sent."""
        self._done += orders

    def wait_s(self, now: float) -> float:
        """How long until the next order is due, at least a tick; 0 at rate "max"."""
        if self._rate is None:
            return 0.0
        return max(TICK_S, self._origin + self._done / self._rate - now)
