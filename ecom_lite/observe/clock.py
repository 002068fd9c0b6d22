"""Whether the wall clock was put back, by a person or a time server: whoever waits for a moment of it then waits too long."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

PUT_BACK_S: Final = 1.0  # so much at once, and somebody has set it; less is how clocks are corrected


class ClockWatch:
    """Compares the wall clock (epoch seconds) with one that nobody can set. For one thread."""

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._ahead = wall() - monotonic()

    def put_back_s(self) -> float:
        """By how much since the last time this was asked; 0 where nobody has."""
        before, self._ahead = self._ahead, self._wall() - self._monotonic()
        back = before - self._ahead
        return back if back > PUT_BACK_S else 0.0
