"""When orders come in: strictly increasing, found again by `due`, written as events write times."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ecom_lite.errors import EcomLiteError
from ecom_lite.settings.tree import Shop as ShopSettings
from ecom_lite.simulate import Timetable

OPENED = datetime(2026, 1, 1, 7, 13, 5, 250_000, tzinfo=UTC)
US = timedelta(microseconds=1)


def timetable(opened_at: datetime = OPENED, **changes: object) -> Timetable:
    return Timetable(ShopSettings.model_validate(changes), opened_at)


TABLES = {orders: timetable(orders_per_day=orders) for orders in (1, 40, 2500, 3_000_000, 100_000_000)}


@given(orders=st.sampled_from(sorted(TABLES)), after=st.timedeltas(timedelta(days=-3), timedelta(days=500)))
@hypothesis_settings(max_examples=300, deadline=None, derandomize=True)
def test_due_is_the_first_order_that_is_later(orders: int, after: timedelta) -> None:
    table, moment = TABLES[orders], OPENED + after
    due = table.due(moment)
    assert table.time(due) > moment
    assert due == 0 or table.time(due - 1) <= moment
    assert table.due(table.time(due)) == due + 1
    assert table.due(table.time(due) - US) == due


@pytest.mark.parametrize("orders", sorted(TABLES))
def test_times_strictly_increase_from_the_opening_on(orders: int) -> None:
    table = TABLES[orders]
    assert table.opened_at == OPENED
    assert OPENED <= table.time(0) < OPENED + timedelta(days=4)
    assert table.due(OPENED - US) == 0
    times = [table.time(n) for n in range(3000)]
    assert all(earlier < later for earlier, later in pairwise(times))


@pytest.mark.parametrize("orders", sorted(TABLES))
@pytest.mark.parametrize("first", [0, 250, 99_999])
def test_stamps_are_the_times_as_an_event_has_them(orders: int, first: int) -> None:
    table = TABLES[orders]
    expected = [msgspec.json.encode(table.time(n))[1:-1] for n in range(first, first + 700)]
    assert table.stamps(first, first + 700) == expected
    assert table.stamps(first + 3, first + 3) == []


def test_a_whole_second_has_no_fraction() -> None:
    """At 100 million orders a day one in a million stamps is of a whole second."""
    table = TABLES[100_000_000]
    stamps = table.stamps(0, 1_000_000)
    whole = [n for n, stamp in enumerate(stamps) if b"." not in stamp]
    assert whole
    assert all(msgspec.json.encode(table.time(n))[1:-1] == stamps[n] for n in whole)


def test_the_order_of_asking_does_not_show() -> None:
    whole = timetable().stamps(0, 20_000)
    other = timetable()
    other.due(OPENED + timedelta(days=300))
    assert other.stamps(19_000, 20_000) == whole[19_000:]
    assert other.stamps(0, 10) == whole[:10]
    assert timetable(seed=8).stamps(0, 10) != whole[:10]


@pytest.mark.parametrize("days", [1, 10, 400])
def test_an_opening_at_another_hour_only_shifts_the_numbers(days: int) -> None:
    """Both open on the same day: the later one misses the orders before it."""
    midnight, later = timetable(OPENED.replace(hour=0, minute=0, second=0, microsecond=0)), timetable()
    missed = midnight.due(OPENED - US)
    assert missed > 0
    at = days * 2000
    assert later.time(at) == midnight.time(at + missed)


@pytest.mark.parametrize("orders", [1, 7, 2500])
@pytest.mark.parametrize("opened_at", [datetime(2023, 6, 1, tzinfo=UTC), datetime(2027, 3, 1, 13, tzinfo=UTC)])
def test_a_year_has_orders_per_day_on_average(orders: int, opened_at: datetime) -> None:
    """The daily noise of a year averages out to a few thousandths; the table has a 29th of February."""
    year = timetable(opened_at, orders_per_day=orders).due(opened_at.replace(year=opened_at.year + 1))
    assert year / 365 == pytest.approx(orders, rel=0.02)


def test_with_everything_flat_each_hour_has_the_same_number() -> None:
    opened = datetime(2026, 1, 1, tzinfo=UTC)
    table = timetable(opened, hours=0, weekdays=0, season=0, orders_per_day=2400)
    dues = [table.due(opened + timedelta(hours=hour) - US) for hour in range(1, 24 * 400)]
    assert {later - earlier for earlier, later in pairwise(dues)} == {100}


def test_stamps_are_quick() -> None:
    """Half a microsecond each here; the bound only catches another order of growth."""
    table = timetable()
    begin = time.thread_time()  # its own, whatever else the machine does
    table.stamps(0, 200_000)
    assert time.thread_time() - begin < 2


def test_past_the_year_9999_the_message_says_what_to_do() -> None:
    with pytest.raises(EcomLiteError, match=r"shop\.orders_per_day"):
        timetable(datetime(9999, 1, 1, tzinfo=UTC)).time(10**12)
