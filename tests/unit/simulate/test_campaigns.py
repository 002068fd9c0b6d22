"""Campaigns: the orders they touch, prices and baskets, and that the stream stays a function of what is kept."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

from ecom_lite.contract import events
from ecom_lite.produce.course import Course
from ecom_lite.settings.override import CATEGORIES
from ecom_lite.settings.tree import Faults, Shop
from ecom_lite.simulate import Campaign, Outgoing, Timetable, changed, read_campaigns
from ecom_lite.simulate import Shop as Stream
from ecom_lite.simulate.catalogue import CATEGORIES as SOLD

TIME = datetime(2026, 11, 23, tzinfo=UTC)
LIVELY = Shop(products=300, customers=500, orders_per_day=40, cancelled=0.3, returned=0.3, promotions=0.1)
BOOKS = Campaign("Books", 0.3, 1000, 2000)


def stream(campaigns: tuple[Campaign, ...], first: int = 0, orders: int = 3000) -> list[Outgoing]:
    return Stream(LIVELY, campaigns).batch(first, orders, TIME)


def lines(batch: list[Outgoing], category: str, since: int, until: int) -> list[events.OrderLine]:
    sold = [events.parse(event.value, TIME) for event in batch if since <= event.sequence < until]
    return [event for event in sold if isinstance(event, events.OrderLine) and event.category == category]


def test_the_categories_that_can_be_promoted_are_those_that_are_sold() -> None:
    assert tuple(category.name for category in SOLD) == CATEGORIES


def test_orders_before_and_after_are_those_of_a_shop_without_it_but_for_what_comes_back_of_them() -> None:
    def orders(batch: list[Outgoing]) -> dict[int, list[bytes | None]]:
        found: dict[int, list[bytes | None]] = {}
        for event in batch:
            if event.kind == "order":
                found.setdefault(event.sequence, []).append(event.value)
        return found

    plain, promoted = orders(stream(())), orders(stream((BOOKS,)))
    touched = {sequence for sequence in plain if plain[sequence] != promoted[sequence]}
    assert touched and min(touched) >= 1000 and max(touched) < 2000


def test_it_is_cheaper_by_its_share_and_bought_almost_twice_as_often() -> None:
    plain, promoted = stream(()), stream((BOOKS,))
    before, during = (lines(batch, "Books", 1000, 2000) for batch in (plain, promoted))
    assert 1.5 < len(during) / len(before) < 2.3
    prices = {(line.order_id, line.product_id): line.price for line in before}
    both = [(prices[line.order_id, line.product_id], line.price) for line in during if (line.order_id, line.product_id) in prices]
    assert both and all(abs(now - was * Decimal("0.7")) <= Decimal("0.01") for was, now in both)


def test_what_comes_back_was_sold() -> None:
    batch = stream((BOOKS,))
    sold, back = set(), 0
    for event in (events.parse(outgoing.value, TIME) for outgoing in batch):
        if isinstance(event, events.OrderLine):
            sold.add((event.order_id, event.product_id))
        elif isinstance(event, events.OrderReversal):
            back += 1
            assert (event.order_id, event.product_id) in sold
    assert back > 100


def test_however_the_stream_is_cut_the_bytes_are_the_same() -> None:
    campaigns = (BOOKS, Campaign("Pets", 0.5, 1500), Campaign("Books", 0.1, 2500))
    table, cuts = Timetable(LIVELY, TIME), [0, 999, 1000, 1001, 1700, 2000, 2600, 3000]
    whole = Stream(LIVELY, campaigns).batch(0, 3000, table)
    shop = Stream(LIVELY, campaigns)
    pieces = [event for first, end in pairwise(cuts) for event in shop.batch(first, end - first, table)]
    assert [event.value for event in pieces] == [event.value for event in whole]
    assert [event.value for event in shop.batch(0, 3000, table)] == [event.value for event in whole], "and again, from the first"


def test_what_is_wanted_begins_and_what_is_not_ends_at_the_next_order() -> None:
    one = changed((), {"Books": 0.3}, 100)
    assert one == (Campaign("Books", 0.3, 100),)
    assert changed(one, {"Books": 0.3}, 200) == one
    other = changed(one, {"Books": 0.5, "Pets": 0.1}, 200)
    assert other == (Campaign("Books", 0.3, 100, 200), Campaign("Books", 0.5, 200), Campaign("Pets", 0.1, 200))
    assert changed(other, {}, 200) == (Campaign("Books", 0.3, 100, 200),), "one without an order is none"
    assert changed(one, {"Books": 0.0}, 300) == (Campaign("Books", 0.3, 100, 300),)


def test_what_is_kept_is_read_back_and_what_another_version_kept_is_left_out() -> None:
    assert read_campaigns([asdict(BOOKS), {"category": "Submarines"}, 7]) == (BOOKS,)
    assert read_campaigns(None) == ()


def test_a_course_that_begins_anew_with_what_was_kept_makes_the_same_orders() -> None:
    course = Course(LIVELY, Faults())
    course.make(50, None, TIME, 0.0)
    course.promote(course.campaigns_with({"Books": 0.3}))
    assert course.on == {"Books": 0.3} and course.campaigns[0].first == 50
    sent = course.make(500, None, TIME, 0.0)
    again = Course(LIVELY, Faults())
    again.open(LIVELY, course.campaigns)
    again.make(50, None, TIME, 0.0)
    assert [event.value for event in again.make(500, None, TIME, 0.0)] == [event.value for event in sent]
