"""The pace: steady, no drift, no burst after a stall."""

from __future__ import annotations

import random

import pytest

from ecom_lite.produce.pace import BURST_S, UNPACED_ORDERS, Pace


def walk(pace: Pace, start: float, seconds: float, late: random.Random | None = None) -> list[tuple[float, int]]:
    """Follow the pace with a clock that wakes up a little late, as sleeping does. Returns (time, orders)."""
    now, sent = start, []
    while now < start + seconds:
        orders = pace.due(now)
        if orders:
            pace.sent(orders)
            sent.append((now, orders))
        now += pace.wait_s(now) + (late.uniform(0, 0.003) if late else 0)
    return sent


@pytest.mark.parametrize("rate", [0.5, 1, 5, 33.3, 200, 12_345])
def test_the_rate_is_kept_without_drift(rate: float) -> None:
    seconds = 120.0
    sent = walk(Pace(rate, 1000.0), 1000.0, seconds, random.Random(1))
    total = sum(orders for _, orders in sent)
    assert abs(total - rate * seconds) <= max(2, rate * 0.02)


@pytest.mark.parametrize("rate", [5, 200, 12_345])
def test_orders_are_spread_evenly(rate: float) -> None:
    sent = walk(Pace(rate, 0.0), 0.0, 20.0, random.Random(2))
    assert max(orders for _, orders in sent) <= max(1, rate * BURST_S)


def test_a_stall_is_not_made_up_for_by_a_burst() -> None:
    pace = Pace(100.0, 0.0)
    walk(pace, 0.0, 5.0)
    assert pace.due(65.0) == 10  # 100 ms worth, not 60 s
    pace.sent(10)
    after = walk(pace, 65.0, 10.0)
    assert abs(sum(orders for _, orders in after) - 1000) <= 2


def test_the_first_order_is_due_at_once_and_the_next_one_period_later() -> None:
    pace = Pace(5.0, 100.0)
    assert pace.due(100.0) == 1
    pace.sent(1)
    assert pace.due(100.1) == 0
    assert pace.wait_s(100.1) == pytest.approx(0.1)
    assert pace.due(100.21) == 1


def test_max_is_as_much_as_one_likes() -> None:
    pace = Pace(None, 0.0)
    assert pace.due(0.0) == UNPACED_ORDERS
    pace.sent(UNPACED_ORDERS)
    assert (pace.due(0.0), pace.wait_s(0.0)) == (UNPACED_ORDERS, 0.0)
