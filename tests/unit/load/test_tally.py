"""What a loader counts of its batches."""

from __future__ import annotations

from ecom_lite.load.decode import Batch
from ecom_lite.load.tally import Tally
from ecom_lite.load.write import Written

NOW_MS = 1_764_000_000_000


def test_batches_add_up_and_the_delay_is_the_newest_ones() -> None:
    tally = Tally()
    tally.add(Batch(oldest_ms=NOW_MS - 2_000), Written(facts=3, duplicates=1, other=2, dead=0), 0.04, NOW_MS)
    tally.add(Batch(oldest_ms=NOW_MS - 300), Written(facts=1, duplicates=0, other=0, dead=0), 0.2, NOW_MS)
    found = tally.figures
    assert (found.batches, found.facts, found.duplicates, found.other, found.dead) == (2, 4, 1, 2, 0)
    assert found.delay_ms == 300
    assert (found.commit_delay.counts[-1], found.commit_delay.sum_s) == (2, 2.3)
    assert (found.batch_time.counts[-1], found.batch_time.sum_s) == (2, 0.24)


def test_a_batch_of_markers_alone_says_nothing_about_the_delay() -> None:
    tally = Tally()
    tally.add(Batch(oldest_ms=NOW_MS - 70), Written(1, 0, 0, 0), 0.01, NOW_MS)
    tally.add(Batch(), Written(0, 0, 0, 0), 0.01, NOW_MS)
    figures = tally.figures
    assert (figures.delay_ms, figures.commit_delay.counts[-1], figures.batches) == (70, 1, 2)


def test_clocks_that_differ_make_no_negative_delay() -> None:
    tally = Tally()
    tally.add(Batch(oldest_ms=NOW_MS + 900), Written(1, 0, 0, 0), 0.01, NOW_MS)
    assert tally.figures.delay_ms == 0
