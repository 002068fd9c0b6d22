"""The shop's stream: a pure function of seed, settings, sequence and time, and valid by the event contract."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest

from ecom_lite.contract import events
from ecom_lite.settings.tree import Shop as ShopSettings
from ecom_lite.simulate import Outgoing, Shop, Timetable, identity, order_of
from ecom_lite.simulate.catalogue import PRODUCTS

TIME = datetime(2026, 11, 23, 6, 47, 20, 896327, tzinfo=UTC)
OPENED = datetime(2026, 1, 1, 7, 13, 5, tzinfo=UTC)
US = timedelta(microseconds=1)
BIG = {"products": 100_000, "customers": 5_000_000}
WIDE = {**BIG, "customers_start": 3000}  # its import is over soon
EVENTFUL = {"cancelled": 0.3, "returned": 0.3, "moves": 0.05, "orders_per_day": 40, "promotions": 0.3}  # much at once
DIGEST_PROGRAM = """
import hashlib
from datetime import UTC, datetime
from ecom_lite.settings.tree import Shop as Settings
from ecom_lite.simulate import Shop, Timetable
settings = Settings(seed=11)
opened = datetime(2026, 1, 1, tzinfo=UTC)
for times in opened, Timetable(settings, opened):
    events = Shop(settings).batch(0, 3000, times)
    print(hashlib.sha256(b"".join(e.key + b"=" + e.value for e in events)).hexdigest())
"""
# Whoever changes the stream of existing seeds does it knowingly, and updates these.
GOLDEN = {
    "default": "0061cb1baa322311e21db26658335820ec4330857734ef66f51b444179ed5f1c",
    "big": "056c85c88587eea81186edefbfbc15683c413b263cb02b90b72b0d348672ece1",
}


def settings(**changes: object) -> ShopSettings:
    return ShopSettings.model_validate(changes)


def shop(**changes: object) -> Shop:
    return Shop(settings(**changes))


def mapped(first: int, orders: int, **changes: object) -> list[Outgoing]:
    return shop(**changes).batch(first, orders, Timetable(settings(**changes), OPENED))


def value(event: Outgoing) -> bytes:
    assert event.value is not None
    return event.value


def parsed(stream: list[Outgoing]) -> Iterator[tuple[Outgoing, events.Event]]:
    for outgoing in stream:
        yield outgoing, events.parse(outgoing.value, TIME + timedelta(days=400_000))


def as_sent(event: events.Event) -> events.Event:
    """The shop names no currency: it is the default one."""
    return msgspec.structs.replace(event, currency=None) if isinstance(event, events.OrderLine) else event


def order_lines(stream: list[Outgoing]) -> list[events.OrderLine]:
    return [event for _, event in parsed(stream) if isinstance(event, events.OrderLine)]


def test_the_bytes_are_the_same_in_another_process_with_another_hash_seed() -> None:
    digests = set()
    for hash_seed in ("0", "1", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", DIGEST_PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        digests.add(done.stdout)
    assert len(digests) == 1
    assert len(digests.pop().split()) == 2


@pytest.mark.parametrize(("name", "changes"), [("default", {}), ("big", BIG)])
def test_the_stream_of_a_seed_never_changes(name: str, changes: dict[str, object]) -> None:
    stream = [*mapped(0, 2000, seed=11, **changes), *mapped(700_000, 500, seed=11, **changes)]
    assert hashlib.sha256(b"\n".join(map(value, stream))).hexdigest() == GOLDEN[name]


@pytest.mark.parametrize("changes", [{}, EVENTFUL, {**BIG, "orders_per_day": 100}])
def test_resuming_anywhere_continues_the_whole_stream(changes: dict[str, object]) -> None:
    whole, whole_now = mapped(0, 2800, **changes), shop(**changes).batch(0, 2800, TIME)
    for start in (1, 30, 63, 64, 999, 2500, 2513):
        wanted = range(start, start + 280)
        assert mapped(start, 280, **changes) == [event for event in whole if event.sequence in wanted]
        resumed = shop(**changes).batch(start, 280, TIME + start * US)
        assert resumed == [event for event in whole_now if event.sequence in wanted]


@pytest.mark.parametrize("changes", [{}, EVENTFUL])
def test_the_size_of_batches_does_not_show(changes: dict[str, object]) -> None:
    one, timetable = shop(**changes), Timetable(settings(**changes), OPENED)
    whole = mapped(0, 2100, **changes)
    assert [event for n in range(2100) for event in one.batch(n, 1, timetable)] == whole
    assert [event for n in range(0, 2100, 70) for event in one.batch(n, 70, timetable)] == whole
    now = shop(**changes).batch(0, 2100, TIME)
    assert [event for n in range(2100) for event in one.batch(n, 1, TIME + n * US)] == now


def test_what_was_asked_before_does_not_show() -> None:
    """Caches, filled in any order, change nothing."""
    one, timetable = shop(**EVENTFUL), Timetable(settings(**EVENTFUL), OPENED)
    for first in (90_000, 5, 4000, 0, 90_000, 4001):
        assert one.batch(first, 50, timetable) == mapped(first, 50, **EVENTFUL)


def test_only_seed_settings_and_time_matter() -> None:
    base = shop().batch(0, 100, TIME)
    assert shop(rate="max", events=5, start=TIME, speed=7).batch(0, 100, TIME) == base
    assert shop(seed=8).batch(0, 100, TIME) != base
    for later in shop().batch(0, 100, TIME + timedelta(seconds=1)), mapped(0, 100):
        assert [(event.key, event.kind, event.revenue_cents) for event in later] == [
            (event.key, event.kind, event.revenue_cents) for event in base
        ]


def test_time_is_written_in_utc_whatever_its_zone() -> None:
    elsewhere = TIME.astimezone(datetime.fromisoformat("2026-01-01T00:00:00+05:30").tzinfo)
    assert shop().batch(0, 5, elsewhere) == shop().batch(0, 5, TIME)


@pytest.mark.parametrize("time", [TIME, TIME.replace(microsecond=999_998), TIME.replace(microsecond=0)])
def test_each_order_of_a_batch_has_its_own_microsecond(time: datetime) -> None:
    for outgoing, event in parsed(shop().batch(40, 300, time)):
        assert event.timestamp == time + (outgoing.sequence - 40) * US
        assert events.encode(as_sent(event)) == outgoing.value


@pytest.mark.parametrize(
    "changes",
    [
        {},
        EVENTFUL,
        {**BIG, **EVENTFUL},
        {"max_lines": 20, "more_lines": 1},
        {"products": 1},
        {"products": 3, "max_lines": 9},
        {"max_lines": 1},
        {"products": 21},
        {"products": 7919, "product_tail": 0, "promotions": 1, "discount": 1, "price_change": 1},
        {"cancelled": 1, "returned": 1, "moves": 1, "lapsed": 1, "orders_per_day": 1, "related": 1},
        {"cancelled": 0, "returned": 0, "moves": 0, "lapsed": 0, "more_lines": 0, "promotions": 0, "price_change": 0},
    ],
)
def test_every_event_is_what_the_contract_makes_of_it(changes: dict[str, object]) -> None:
    timetable = Timetable(settings(**changes), OPENED)
    for first in (0, 100_000):
        kinds = set()
        for outgoing, event in parsed(mapped(first, 500, **changes)):
            kinds.add(outgoing.kind)
            assert events.encode(as_sent(event)) == outgoing.value  # the hand-joined bytes, field order included
            assert outgoing.key == str(event.user_id).encode()
            assert outgoing.kind == event.event_type
            assert event.timestamp == timetable.time(outgoing.sequence)
            assert event.event_id == identity(value(outgoing))
            assert order_of(event.event_id) == outgoing.sequence
            if isinstance(event, events.OrderLine):
                assert event.price >= Decimal("0.01")
                assert event.revenue == event.price * event.quantity == Decimal(outgoing.revenue_cents).scaleb(-2)
            else:
                assert outgoing.revenue_cents == 0
        assert "order" in kinds
        assert (kinds == {"order"}) == (first > 0 and changes.get("moves") == 0)


def test_the_stream_order_of_an_order_is_sign_ups_move_reversals_lines() -> None:
    place = {"user_registered": 0, "user_updated": 1, "order_cancelled": 2, "order_returned": 2, "order": 3}
    stream = mapped(0, 3000, **EVENTFUL)
    assert {event.kind for event in stream} == set(place)
    marks = [(event.sequence, place[event.kind]) for event in stream]
    assert marks == sorted(marks)


@pytest.mark.parametrize("changes", [{}, EVENTFUL, {**WIDE, **EVENTFUL}])
def test_ids_never_collide_and_lines_of_an_order_are_distinct_products(changes: dict[str, object]) -> None:
    stream = [*mapped(0, 4000, seed=7, **changes), *mapped(0, 4000, seed=71, **changes)]
    ids = [identity(value(event)) for event in stream]
    assert len(set(ids)) == len(ids)
    lines = order_lines(stream)
    assert len({(line.order_id, line.product_id) for line in lines}) == len(lines)
    assert len({line.order_id for line in lines}) == 8000
    sizes = Counter(Counter(line.order_id for line in lines).values())
    assert set(sizes) == {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize("changes", [{}, EVENTFUL, {**WIDE, **EVENTFUL}, {"cancelled": 1, "returned": 1, "orders_per_day": 3}])
def test_what_comes_back_was_bought_by_that_customer_before_and_comes_back_once(changes: dict[str, object]) -> None:
    bought: dict[object, events.OrderLine] = {}
    whole: dict[str, int] = {}  # order -> lines
    gone: dict[object, str] = {}
    cancelled: Counter[str] = Counter()
    for _, event in parsed(mapped(0, 12_000, **changes)):
        if isinstance(event, events.OrderLine):
            bought[event.order_id, event.product_id] = event
            whole[event.order_id] = whole.get(event.order_id, 0) + 1
        elif isinstance(event, events.OrderReversal):
            line = bought[event.order_id, event.product_id]
            assert (event.order_id, event.product_id) not in gone
            gone[event.order_id, event.product_id] = event.event_type
            assert event.user_id == line.user_id
            assert event.reason
            assert event.timestamp > line.timestamp
            if event.event_type == "order_cancelled":
                cancelled[event.order_id] += 1
                assert event.quantity == line.quantity
            else:
                assert 1 <= event.quantity <= line.quantity
    assert set(gone.values()) == ({"order_cancelled"} if changes.get("cancelled") == 1 else {"order_cancelled", "order_returned"})
    assert cancelled == {order: whole[order] for order in cancelled}


def test_one_order_has_one_buyer_who_has_signed_up_before_and_so_has_who_moves() -> None:
    known: dict[int | str, events.UserChange] = {}
    buyer_of: dict[object, object] = {}
    for _, event in parsed(mapped(0, 9000, moves=0.05)):
        if isinstance(event, events.UserChange) and event.event_type == "user_registered":
            assert event.user_id not in known
            known[event.user_id] = event
        elif isinstance(event, events.UserChange):
            before = known[event.user_id]
            assert (event.name, event.email) == (before.name, before.email)
            assert event.city != before.city
        elif isinstance(event, events.OrderLine):
            assert event.user_id in known
            assert buyer_of.setdefault(event.order_id, event.user_id) == event.user_id
    assert set(known) == set(range(1, 201))


def test_customers_grow_from_10_to_200_one_every_20_to_50_orders() -> None:
    sign_ups = [event.sequence for event in mapped(0, 10_000) if event.kind == "user_registered"]
    assert sign_ups[:10] == [0] * 10
    gaps = [later - earlier for earlier, later in pairwise(sign_ups[9:])]
    assert len(gaps) == 190
    assert min(gaps) >= 20
    assert max(gaps) <= 50
    assert not [event for event in mapped(10_000, 2000) if event.kind == "user_registered"]


def test_many_customers_of_the_opening_are_imported_ten_before_an_order() -> None:
    stream = mapped(0, 300, customers=5000, customers_start=1234)
    sign_ups = Counter(event.sequence for event in stream if event.kind == "user_registered")
    assert sign_ups[123] == 4
    assert {sign_ups[n] for n in range(123)} == {10}
    assert all(sign_ups[n] <= 1 for n in range(124, 300))


@pytest.mark.parametrize(("start", "most"), [(1, 1), (5, 2), (3, 12), (200, 200)])
def test_odd_numbers_of_customers_work(start: int, most: int) -> None:
    stream = mapped(0, 3000, customers_start=start, customers=most, lapsed=0)
    assert {int(event.key) for event in stream} == set(range(1, most + 1))
    assert {int(event.key) for event in stream if event.kind == "order"} == set(range(1, most + 1))
    assert sum(event.kind == "user_registered" for event in stream) == most


def test_the_catalogue_has_20_products_in_4_categories_and_all_are_sold() -> None:
    assert len({product.product_id for product in PRODUCTS}) == 20
    assert sorted(Counter(product.category for product in PRODUCTS).values()) == [5, 5, 5, 5]
    lines = order_lines(mapped(0, 3000))
    assert {line.product_id for line in lines} == {product.product_id for product in PRODUCTS}
    assert {line.quantity for line in lines} == {1, 2, 3, 4, 5}
    assert all(1 <= product.price_cents <= 100_000 for product in PRODUCTS)


def test_fewer_products_are_the_first_of_the_catalogue() -> None:
    lines = order_lines(mapped(0, 500, products=4))
    assert {line.product_id for line in lines} == {product.product_id for product in PRODUCTS[:4]}
    assert len({line.category for line in lines}) == 4


@pytest.mark.parametrize("changes", [{}, BIG])
def test_starting_far_ahead_replays_nothing(changes: dict[str, object]) -> None:
    """Sequence 10**12 could not be reached by replay within a test."""
    stream = shop(**changes).batch(10**12, 10, TIME)
    assert {event.sequence for event in stream} == set(range(10**12, 10**12 + 10))
