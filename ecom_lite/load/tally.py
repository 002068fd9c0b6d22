"""Owns the figures of what a loader has committed."""

from __future__ import annotations

from collections import Counter

from msgspec import structs

from ..observe.figures import LoaderFigures
from ..observe.histogram import BATCH_BOUNDS_S, DELAY_BOUNDS_S, Histogram
from .decode import Batch
from .write import Written


class Tally:
    """Adds batches up, in one thread. `figures` may be read by any: they have all that is counted of a batch, or nothing."""

    def __init__(self) -> None:
        self.figures = LoaderFigures()
        self._dead_reasons: Counter[str] = Counter()
        self._commit_delay, self._batch_time = Histogram(DELAY_BOUNDS_S), Histogram(BATCH_BOUNDS_S)

    def add(self, batch: Batch, written: Written, seconds: float, now_ms: int) -> None:
        """A batch that was committed at `now_ms` (Unix time), after `seconds` of writing."""
        before = self.figures
        delay_ms = before.delay_ms
        if batch.oldest_ms is not None:
            delay_ms = max(0, now_ms - batch.oldest_ms)
            self._commit_delay.observe(delay_ms / 1000)
        self._batch_time.observe(seconds)
        self._dead_reasons.update(letter.reason for letter in batch.dead)
        self.figures = structs.replace(
            before,
            batches=before.batches + 1,
            records=before.records + batch.records,
            facts=before.facts + written.facts,
            duplicates=before.duplicates + written.duplicates,
            other=before.other + written.other,
            dead=before.dead + written.dead,
            dead_reasons=dict(self._dead_reasons),
            delay_ms=delay_ms,
            commit_delay=self._commit_delay.buckets(),
            batch_time=self._batch_time.buckets(),
        )
