"""A clock that was set back is noticed, once; one that is corrected or set ahead is nobody's business."""

from __future__ import annotations

from ecom_lite.observe.clock import ClockWatch


def test_only_what_somebody_has_set_back_is_told_and_once() -> None:
    wall, monotonic = 1e9, 50.0
    watch = ClockWatch(lambda: wall, lambda: monotonic)
    told = []
    for passed, jump in [(10, 0), (1, -3600), (1, 0), (5, -0.4), (5, 7200), (5, -2)]:
        monotonic += passed
        wall += passed + jump
        told.append(round(watch.put_back_s(), 3))
    assert told == [0, 3600, 0, 0, 0, 2]
