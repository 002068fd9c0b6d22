"""How often something took how long: counts by duration, cheap to take, and added up over processes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, zip_longest
from typing import Final

from msgspec import Struct

# Upper bounds in seconds; what took longer is counted in one more bucket.
DELAY_BOUNDS_S: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
BATCH_BOUNDS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Buckets(Struct, frozen=True):
    """A histogram as it was at one moment. Empty where nothing was observed yet."""

    counts: tuple[int, ...] = ()  # cumulative, one per bound and one for all
    sum_s: float = 0.0

    def __add__(self, other: Buckets) -> Buckets:
        """Both must have the same bounds, or one be empty."""
        counts = tuple(a + b for a, b in zip_longest(self.counts, other.counts, fillvalue=0))
        return Buckets(counts, self.sum_s + other.sum_s)


class Histogram:
    """Counts durations by `bounds_s`, which ascend. For one thread; `buckets` may be read from another."""

    def __init__(self, bounds_s: Sequence[float]) -> None:
        self._bounds_s = bounds_s
        self._counts = [0] * (len(bounds_s) + 1)
        self._sum_s = 0.0

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(self._bounds_s, seconds)] += 1
        self._sum_s += seconds

    def buckets(self) -> Buckets:
        return Buckets(tuple(accumulate(self._counts)), round(self._sum_s, 6))
