"""How long to wait before the next try, for whoever waits until PostgreSQL is back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

FIRST_DELAY_S: Final = 0.1
MAX_DELAY_S: Final = 5.0


def delays(first_s: float = FIRST_DELAY_S, max_s: float = MAX_DELAY_S) -> Iterator[float]:
    """Seconds to wait before each next try: doubling, jittered (half of it to all), at most `max_s`, without end."""
    delay = first_s
    while True:
        yield delay * random.uniform(0.5, 1.0)
        delay = min(delay * 2, max_s)
