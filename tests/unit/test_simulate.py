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

import pytest

from ecom_lite import events
from ecom_lite.config import Shop as ShopSettings
from ecom_lite.simulate import Outgoing, Shop
from ecom_lite.simulate.catalogue import PRODUCTS, money
from ecom_lite.simulate.customers import CASUAL, HEAVY, REGULAR, Customers

TIME = datetime(2026, 11, 23, 6, 47, 20, 896327, tzinfo=UTC)
DIGEST_PROGRAM = """
import hashlib
from datetime import UTC, datetime
from ecom_lite.config import Shop as Settings
from ecom_lite.simulate import Shop
events = Shop(Settings(seed=11)).batch(0, 3000, datetime(2026, 1, 1, tzinfo=UTC))
print(hashlib.sha256(b"".join(e.key + b"=" + e.value for e in events)).hexdigest())
"""


def shop(**settings: object) -> Shop:
    return Shop(ShopSettings.model_validate(settings))


def parsed(stream: list[Outgoing]) -> Iterator[tuple[Outgoing, events.Event]]:
    for outgoing in stream:
        yield outgoing, events.parse(outgoing.value, TIME + timedelta(hours=1))


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
        digests.add(done.stdout.strip())
    assert len(digests) == 1


def test_the_order_lines_of_a_seed_never_change() -> None:
    """A golden digest: whoever changes the stream of existing seeds does it knowingly."""
    lines = [event.value for event in shop(seed=11).batch(0, 2000, TIME) if event.kind == "order"]
    digest = hashlib.sha256(b"\n".join(lines)).hexdigest()
    assert digest == "610e4b9fa187cc279be8617543c781ca3efb3deae883a327b2336d614ce91256"


@pytest.mark.parametrize("start", [0, 1, 30, 999, 1023, 1024, 1025, 2500, 7321])
def test_resuming_anywhere_continues_the_whole_stream(start: int) -> None:
    whole = shop().batch(0, start + 300, TIME)
    assert shop().batch(start, 300, TIME) == [event for event in whole if event.sequence >= start]


def test_the_size_of_batches_does_not_show() -> None:
    one = shop()
    assert [event for n in range(2100) for event in one.batch(n, 1, TIME)] == shop().batch(0, 2100, TIME)


def test_only_seed_settings_and_time_matter() -> None:
    base = shop().batch(0, 100, TIME)
    assert shop(rate="max", events=5).batch(0, 100, TIME) == base
    assert shop(seed=8).batch(0, 100, TIME) != base
    later = shop().batch(0, 100, TIME + timedelta(seconds=1))
    assert [(event.key, event.revenue_cents) for event in later] == [(event.key, event.revenue_cents) for event in base]


def test_time_is_written_in_utc_whatever_its_zone() -> None:
    elsewhere = TIME.astimezone(datetime.fromisoformat("2026-01-01T00:00:00+05:30").tzinfo)
    assert shop().batch(0, 5, elsewhere) == shop().batch(0, 5, TIME)


@pytest.mark.parametrize("settings", [{}, {"max_lines": 20}, {"products": 1}, {"products": 3, "max_lines": 9}, {"max_lines": 1}])
def test_every_event_is_what_the_contract_makes_of_it(settings: dict[str, object]) -> None:
    stream = shop(**settings).batch(0, 1500, TIME)
    for outgoing, event in parsed(stream):
        assert events.encode(event) == outgoing.value  # the hand-joined bytes, field order included
        assert outgoing.key == str(event.user_id).encode()
        assert outgoing.kind == event.event_type
        assert event.timestamp == TIME
        if isinstance(event, events.OrderLine):
            assert event.revenue == event.price * event.quantity == Decimal(money(outgoing.revenue_cents))
        else:
            assert outgoing.revenue_cents == 0


def test_ids_never_collide_and_lines_of_an_order_are_distinct_products() -> None:
    stream = [*shop(seed=7, max_lines=6).batch(0, 20_000, TIME), *shop(seed=71, max_lines=6).batch(0, 20_000, TIME)]
    everything = [event for _, event in parsed(stream)]
    assert len({event.event_id for event in everything}) == len(everything)
    lines = order_lines(stream)
    assert len({(line.order_id, line.product_id) for line in lines}) == len(lines)
    assert len({line.order_id for line in lines}) == 40_000
    sizes = Counter(Counter(line.order_id for line in lines).values())
    assert set(sizes) == {1, 2, 3, 4, 5, 6}


def test_one_order_has_one_buyer_who_has_signed_up_before() -> None:
    known: set[object] = set()
    buyer_of: dict[object, object] = {}
    for _, event in parsed(shop().batch(0, 9000, TIME)):
        if isinstance(event, events.UserChange):
            assert event.user_id not in known
            known.add(event.user_id)
        elif isinstance(event, events.OrderLine):
            assert event.user_id in known
            assert buyer_of.setdefault(event.order_id, event.user_id) == event.user_id
    assert known == set(range(1, 201))


def test_customers_grow_from_10_to_200_one_every_20_to_50_orders() -> None:
    sign_ups = [event.sequence for event in shop().batch(0, 10_000, TIME) if event.kind == "user_registered"]
    assert sign_ups[:10] == [0] * 10
    gaps = [later - earlier for earlier, later in pairwise(sign_ups[9:])]
    assert len(gaps) == 190
    assert min(gaps) >= 20
    assert max(gaps) <= 50
    assert [event for event in shop().batch(10_000, 2000, TIME) if event.kind != "order"] == []


@pytest.mark.parametrize(("start", "most"), [(1, 1), (5, 2), (3, 12), (200, 200)])
def test_odd_numbers_of_customers_work(start: int, most: int) -> None:
    stream = shop(customers_start=start, customers_max=most).batch(0, 1500, TIME)
    assert {int(event.key) for event in stream} == set(range(1, most + 1))
    assert sum(event.kind == "user_registered" for event in stream) == most


def test_heavy_regular_and_casual_buyers_have_their_shares() -> None:
    customers = Customers(7, 10, 200)
    for known in (10, 50, 200):
        assert Counter(customers.kinds[:known]) == {HEAVY: known // 5, REGULAR: known * 3 // 10, CASUAL: known // 2}
    orders: Counter[int] = Counter()
    seen = set()
    for event in shop().batch(10_000, 30_000, TIME):
        if event.sequence not in seen:
            seen.add(event.sequence)
            orders[customers.kinds[int(event.key) - 1]] += 1
    assert orders[HEAVY] / 30_000 == pytest.approx(0.50, abs=0.015)
    assert orders[REGULAR] / 30_000 == pytest.approx(0.30, abs=0.015)
    assert orders[CASUAL] / 30_000 == pytest.approx(0.20, abs=0.015)


def test_the_catalogue_has_20_products_in_4_categories_and_all_are_sold() -> None:
    assert len({product.product_id for product in PRODUCTS}) == 20
    assert sorted(Counter(product.category for product in PRODUCTS).values()) == [5, 5, 5, 5]
    lines = order_lines(shop().batch(0, 5000, TIME))
    assert {line.product_id for line in lines} == {product.product_id for product in PRODUCTS}
    assert {line.quantity for line in lines} == {1, 2, 3, 4, 5}
    assert all(1 <= product.price_cents <= 100_000 for product in PRODUCTS)


def test_popular_products_are_sold_more() -> None:
    sold = Counter(line.product_title for line in order_lines(shop(max_lines=2).batch(0, 5000, TIME)))
    assert sold["Wireless Earbuds"] > 2 * sold["4K Monitor 27 inch"]


def test_fewer_products_are_the_first_of_the_catalogue() -> None:
    lines = order_lines(shop(products=4).batch(0, 500, TIME))
    assert {line.product_id for line in lines} == {product.product_id for product in PRODUCTS[:4]}
    assert len({line.category for line in lines}) == 4


def test_starting_far_ahead_replays_nothing() -> None:
    """Sequence 10**12 could not be reached by replay within a test."""
    stream = shop().batch(10**12, 10, TIME)
    assert {event.sequence for event in stream} == set(range(10**12, 10**12 + 10))
