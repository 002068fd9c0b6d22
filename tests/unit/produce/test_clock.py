"""The shop's clock at work: what is due, what time it carries, how long until the next; with a clock of the test's own."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecom_lite.produce.clock import MOST_ORDERS, ShopClock
from ecom_lite.produce.pace import TICK_S, UNPACED_ORDERS
from ecom_lite.produce.plan import Opening, decide, plan
from ecom_lite.settings.tree import Shop
from ecom_lite.simulate import Timetable

NOW = datetime(2026, 7, 15, 13, 37, 5, tzinfo=UTC)
START = datetime(2026, 7, 1, tzinfo=UTC)


class Walk:
    """Follows a shop's clock as the producer does, in simulated time."""

    def __init__(self, sequence: int = 0, opened: datetime = NOW, begin: datetime = NOW, **given: Any) -> None:
        self.shop = Shop.model_validate(given)
        self.now, self.monotonic, self.sequence = begin, 1000.0, sequence
        opening = decide(self.shop, Opening(), False, opened)
        self.clock = ShopClock(self.shop, plan(self.shop, opening), sequence, begin, self.monotonic)
        self.opened_at = opening.opened_at
        self.turns = 0
        self.times: list[datetime] = []

    def turn(self, factor: int = 1) -> int:
        """Send what is due; returns the orders."""
        orders = self.clock.due(self.sequence, self.now, self.monotonic, factor)
        if orders:
            times = self.clock.times(self.now)
            self.times += (
                [times.time(n) for n in range(self.sequence, self.sequence + orders)]
                if isinstance(times, Timetable)
                else [times] * orders
            )
            self.sequence += orders
            self.clock.sent(orders)
        self.turns += 1
        return orders

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.monotonic += seconds

    def run(self, seconds: float, factor: int = 1) -> int:
        """Real time passes; returns the orders sent meanwhile. At full speed a turn takes 5 ms."""
        before, end = self.sequence, self.monotonic + seconds
        while self.monotonic < end:
            self.turn(factor)
            wait_s = self.clock.wait_s(self.sequence, self.now, self.monotonic)
            self.pass_time(min(wait_s or 0.005, max(0.001, end - self.monotonic)))
        return self.sequence - before

    def reading(self) -> tuple[str, float]:
        return self.clock.reading(self.sequence, self.now, self.monotonic)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """By the producer, whatever threads of other tests say meanwhile."""
    return [record.message for record in caplog.records if record.name == "ecom_lite.produce"]


def test_a_rate_is_kept_and_carries_the_time_of_sending() -> None:
    walk = Walk(rate=20)
    assert 195 <= walk.run(10) <= 205
    assert min(walk.times) >= NOW and walk.times[-1] > NOW + timedelta(seconds=9)
    assert walk.reading() == ("", 0.0)
    assert not walk.clock.has_past


def test_a_history_is_sent_at_full_speed_and_then_the_rate_begins_afresh() -> None:
    walk = Walk(history="2d", rate=10, orders_per_day=1000)
    assert walk.clock.has_past and walk.clock.past(0)
    orders = 0
    while walk.clock.past(walk.sequence):
        assert walk.clock.wait_s(walk.sequence, walk.now, walk.monotonic) == 0
        orders = walk.turn()
        assert 0 < orders <= UNPACED_ORDERS
        walk.pass_time(0.005)
    past = walk.sequence
    assert 2000 < past < 4000 and max(walk.times) <= NOW < walk.now
    assert walk.times == sorted(walk.times)
    assert 95 <= walk.run(10) <= 105
    assert all(time > NOW for time in walk.times[past:])
    assert walk.reading() == ("", 0.0)


def test_a_natural_shop_sends_when_its_timetable_says_and_sleeps_in_between() -> None:
    walk = Walk(rate="natural", orders_per_day=2500)
    walk.run(600)
    assert walk.opened_at == NOW
    table = Timetable(walk.shop, NOW)
    assert walk.sequence == table.due(walk.now) > 5
    assert walk.times == [table.time(n) for n in range(walk.sequence)]
    assert walk.turns < 4 * walk.sequence + 5
    text, behind_s = walk.reading()
    assert behind_s == 0 and abs(datetime.fromisoformat(text) - walk.now) < timedelta(seconds=1)


def test_a_natural_shop_makes_up_for_the_time_it_was_off(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ecom_lite.produce")
    table = Timetable(Shop(), NOW)
    off = table.due(NOW + timedelta(hours=1))
    walk = Walk(sequence=off, begin=NOW + timedelta(hours=9), rate="natural")
    assert walk.reading()[1] > 7 * 3600
    walk.run(3)
    assert walk.sequence == table.due(walk.now) > off + 500
    assert walk.times[0] == table.time(off)
    walk.run(60)
    assert told(caplog) == ["the shop's clock has reached the present"]


def test_a_start_is_paced_by_the_rate_until_the_shop_is_in_the_present() -> None:
    walk = Walk(start=START, rate=50, orders_per_day=2500)
    assert 490 <= walk.run(10) <= 510
    table = Timetable(walk.shop, START)
    assert walk.times == [table.time(n) for n in range(walk.sequence)]
    assert walk.reading()[0] == table.time(walk.sequence).isoformat(timespec="seconds")


@pytest.mark.parametrize("given", [{"rate": "max"}, {"rate": 5000}, {"speed": 100_000}, {"rate": "natural"}])
def test_the_clock_never_outruns_the_real_one_and_says_once_that_it_is_there(
    given: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ecom_lite.produce")
    walk = Walk(start=NOW - timedelta(hours=6), orders_per_day=10_000, **given)
    walk.run(30)
    assert walk.sequence == Timetable(walk.shop, NOW - timedelta(hours=6)).due(walk.now)
    turns = walk.turns
    walk.run(60)
    assert walk.turns - turns < 1000  # it does not spin
    assert walk.times[-1] <= walk.now
    assert told(caplog) == ["the shop's clock has reached the present"]


def test_a_speed_makes_hours_of_minutes() -> None:
    walk = Walk(start=START, speed=60, orders_per_day=10_000)
    walk.run(60)
    assert walk.sequence == pytest.approx(Timetable(walk.shop, START).due(START + timedelta(hours=1)), abs=20)
    text, behind_s = walk.reading()
    assert abs(datetime.fromisoformat(text) - START - timedelta(hours=1)) < timedelta(minutes=2)
    assert behind_s < 60
    # A later start goes on from there, not from where the clock would be by now.
    later = Walk(sequence=walk.sequence, begin=NOW + timedelta(days=2), start=START, speed=60, orders_per_day=10_000)
    assert datetime.fromisoformat(later.reading()[0]) - START < timedelta(minutes=65)
    later.run(60)
    assert later.sequence == pytest.approx(Timetable(walk.shop, START).due(START + timedelta(hours=2)), abs=60)


def test_a_speed_counts_from_the_end_of_the_past() -> None:
    walk = Walk(start=START, history="10d", speed=60, orders_per_day=2500)
    while walk.clock.past(walk.sequence):
        walk.turn()
        walk.pass_time(1.0)  # a slow machine
    assert walk.reading()[1] < 120
    walk.run(10)
    assert START < max(walk.times) <= START + timedelta(minutes=11)


def test_a_pause_makes_a_fast_clock_stand_still_and_a_natural_one_late() -> None:
    fast = Walk(start=START, speed=60, orders_per_day=10_000)
    fast.run(10)
    for _ in range(100):
        fast.clock.hold(fast.now, fast.monotonic)
        fast.pass_time(1.0)
    stood = fast.reading()[0]
    fast.run(10)
    assert datetime.fromisoformat(fast.reading()[0]) - datetime.fromisoformat(stood) < timedelta(minutes=12)
    natural = Walk(rate="natural", orders_per_day=100_000)
    natural.run(10)
    for _ in range(100):
        natural.clock.hold(natural.now, natural.monotonic)
        natural.pass_time(1.0)
    assert natural.reading()[1] > 90
    natural.run(1)
    assert natural.reading()[1] < 1


def test_a_rate_that_was_changed_holds_at_once() -> None:
    walk = Walk(rate=2)
    walk.run(5)
    walk.clock.change_rate(300.0, walk.monotonic)
    assert 295 <= walk.run(1) <= 305
    walk.clock.change_rate("natural", walk.monotonic)
    assert walk.run(60) <= 10  # 2,500 a day
    assert walk.run(6 * 3600) > 100
    assert walk.reading() == ("", 0.0)
    walk.clock.change_rate("max", walk.monotonic)
    assert walk.run(1) > 10_000
    walk.clock.change_rate(2.0, walk.monotonic)
    assert walk.run(10) <= 22


def test_the_natural_pace_can_be_asked_for_in_place_of_a_speed() -> None:
    walk = Walk(start=NOW - timedelta(hours=6), speed=2, orders_per_day=10_000)
    walk.run(10)
    walk.clock.change_rate("natural", walk.monotonic)
    walk.run(10)
    assert walk.sequence == Timetable(walk.shop, NOW - timedelta(hours=6)).due(walk.now)


def test_a_history_that_a_rate_has_outrun_goes_on_naturally_with_the_time_of_sending() -> None:
    walk = Walk(history="1d", rate=200, orders_per_day=1000)
    walk.run(60)
    walk.clock.change_rate("natural", walk.monotonic)
    before, at = walk.sequence, walk.now
    walk.run(6 * 3600)
    assert 100 < walk.sequence - before < 600
    assert all(time >= at for time in walk.times[before:]) and walk.times[-1] <= walk.now


def test_bursts_multiply_a_rate_and_silences_stop_all_but_the_past() -> None:
    walk = Walk(rate=20)
    walk.run(5)
    assert 480 <= walk.run(5, factor=5) <= 510
    assert walk.run(5, factor=0) == 0
    assert 95 <= walk.run(5) <= 110
    natural = Walk(rate="natural", orders_per_day=1_000_000)
    natural.run(5)
    assert natural.run(5, factor=0) == 0
    natural.run(1)
    assert natural.sequence == Timetable(natural.shop, NOW).due(natural.now)


@pytest.mark.parametrize("given", [{"rate": "max"}, {"rate": 20}, {"rate": "natural"}, {"speed": 1000}])
def test_in_a_silence_nobody_is_in_a_hurry(given: dict[str, Any]) -> None:
    walk = Walk(**given)
    walk.turn()
    walk.pass_time(3600)
    assert walk.turn(factor=0) == 0
    assert walk.clock.wait_s(walk.sequence, walk.now, walk.monotonic) == TICK_S
    assert walk.turn() > 0


@pytest.mark.parametrize("given", [{"rate": 20}, {"rate": 20, "start": START}, {"rate": "natural"}, {"speed": 2}])
def test_orders_that_are_made_again_wait_for_no_rate_and_count_for_none(given: dict[str, Any]) -> None:
    walk = Walk(orders_per_day=1000, **given)
    again = 3 * MOST_ORDERS // 2
    made = [walk.clock.due(0, walk.now, walk.monotonic, 1, again)]
    walk.clock.sent(made[0])
    made.append(walk.clock.due(made[0], walk.now, walk.monotonic, 1, again - made[0]))
    assert made == [MOST_ORDERS, again - MOST_ORDERS]
    assert walk.clock.due(again, walk.now, walk.monotonic, 0, 1) == 0, "in a silence they wait, too"
    if given == {"rate": 20}:
        walk.sequence = again
        assert 95 <= walk.run(5) <= 105
