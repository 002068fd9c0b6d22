"""The simulator's closed forms: draws, permutations, long tails, sign-ups, prices, the range and the people."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib import resources

import pytest

from ecom_lite.settings.tree import Shop as ShopSettings
from ecom_lite.simulate import Shop, Timetable
from ecom_lite.simulate.catalogue import CATEGORIES, PRODUCTS, Catalogue, product, product_id
from ecom_lite.simulate.customers import Customers
from ecom_lite.simulate.draws import LongTail, Shuffle, mix, salt, spread, word_source, words
from ecom_lite.simulate.offers import Offers
from ecom_lite.simulate.people import FILE, People, pools_text


def settings(**changes: object) -> ShopSettings:
    return ShopSettings.model_validate(changes)


def test_words_are_shake_128_of_the_label_whoever_asks() -> None:
    assert words("a label 5", 2) == (75019283, 2157230195)
    assert word_source("a label", 2)(5) == words("a label 5", 2)


def test_mix_is_splitmix64() -> None:
    """The published first outputs for seed 1234567."""
    assert [mix(1234567, n) for n in (1, 2, 3)] == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@pytest.mark.parametrize("size", [1, 2, 3, 10, 12, 97, 1024, 2310])
def test_a_shuffle_is_a_permutation_and_knows_its_way_back(size: int) -> None:
    for bits in (0, 2**64 - 1, salt("x"), salt("y")):
        shuffle = Shuffle(size, bits)
        assert sorted(map(shuffle.at, range(size))) == list(range(size))
        assert all(shuffle.place_of(shuffle.at(place)) == place for place in range(size))


@pytest.mark.parametrize(("size", "exponent"), [(1, 1.0), (5, 0.0), (21, 1.0), (1024, 0.86), (1_000_000, 2.0), (5_000_000, 0.5)])
def test_a_long_tail_covers_its_ranks_with_falling_shares(size: int, exponent: float) -> None:
    tail = LongTail(size, exponent)
    assert (tail.rank(0), tail.rank(2**32 - 1) <= size - 1) == (0, True)
    ranks = [tail.rank(word) for word in range(0, 2**32, 2**32 // 5000)]
    assert ranks == sorted(ranks)
    if size <= 1024:
        assert sum(map(tail.share, range(size))) == pytest.approx(1)
        assert set(map(tail.rank, range(0, 2**32, 2**32 // 200_000))) == set(range(size))
    order = Shuffle(size, salt("z"))
    draw = tail.draw(order)
    assert all(draw(word) == order.at(tail.rank(word)) for word in range(0, 2**32, 2**32 // 500))
    assert tail.share(0) / tail.share(min(9, size - 1)) == pytest.approx(min(10, size) ** exponent, rel=1e-6)


@pytest.mark.parametrize("size", [1, 2, 10, 200, 900])
def test_a_spread_walk_comes_back_late(size: int) -> None:
    walk = [spread(n, size) for n in range(4 * size)]
    assert set(walk) == set(range(size))
    for at in range(len(walk)):
        near = walk[at : at + max(1, size // 3)]
        assert len(set(near)) == len(near)


@pytest.mark.parametrize(
    "changes", [{}, {"customers": 1}, {"customers": 3}, {"customers": 500, "customers_start": 237}, {"customers_start": 10**6}]
)
def test_who_is_known_agrees_with_who_signs_up_when(changes: dict[str, object]) -> None:
    customers = Customers(settings(**changes))
    known = 0
    for sequence in range(12_000):
        while customers.sign_up_of(known + 1) == sequence:
            known += 1
        assert customers.sign_up_of(known + 1) > sequence
        assert customers.known_at(sequence) == known
    assert known == customers.most


@pytest.mark.parametrize("moves", [0.005, 0.03, 1.0, 0.0])
def test_moves_are_found_from_anywhere(moves: float) -> None:
    customers = Customers(settings(moves=moves))
    at = [n for n in range(2000) if customers.next_move(n) == n]
    assert len(at) == pytest.approx(2000 * moves, rel=0.1)
    for n in range(2000):
        assert customers.next_move(n) == next((move for move in at if move >= n), customers.next_move(2000))


def test_every_block_of_buyers_has_each_rank_once() -> None:
    for changes in ({}, {"customers": 100_000}):
        customers = Customers(settings(**changes))
        for block in (0, 3):
            ids = range(block * customers.block + 1, (block + 1) * customers.block + 1)
            assert sorted(map(customers.rank, ids)) == list(range(customers.block))


def test_products_are_the_same_in_every_range_and_have_titles_of_their_own() -> None:
    made = [product(index) for index in range(100_000)]
    assert made[:20] == list(PRODUCTS)
    assert len({item.product_id for item in made}) == len(made)
    assert len({(item.title, item.category) for item in made}) == len(made)
    assert all(item.product_id == product_id(index) for index, item in enumerate(made))
    assert {item.category for item in made} == {category.name for category in CATEGORIES}
    for size, indexes in ((20, range(20)), (1000, range(1000))):
        catalogue = Catalogue(settings(products=size))
        assert all(CATEGORIES[catalogue.category(index)].name == made[index].category for index in indexes)
    assert all(100 <= item.price_cents < 50_000 for item in made)


def test_categories_take_back_the_average_over_all_of_them() -> None:
    assert sum(category.takeback for category in CATEGORIES) == 100 * len(CATEGORIES)
    sold = [
        (item.popularity, category.takeback) for item in PRODUCTS for category in CATEGORIES if category.name == item.category
    ]
    assert sum(weight * percent for weight, percent in sold) / sum(weight for weight, _ in sold) == pytest.approx(100, abs=2)


def test_a_price_holds_until_the_day_it_says() -> None:
    offers = Offers(settings(promotions=0.4))
    for index in range(20):
        day = 0
        while day < 400:
            cents, until = offers.price(index, 5000, day)
            assert {offers.price(index, 5000, later) for later in range(day, until)} == {(cents, until)}
            day = until


@pytest.mark.parametrize("share", [0.0, 0.05, 0.4, 1.0])
@pytest.mark.parametrize("size", [1, 20, 5000])
def test_the_promoted_have_their_share_over_the_weeks(size: int, share: float) -> None:
    offers = Offers(settings(products=size, promotions=share))
    weeks = 2000 if size < 100 else 20
    count = sum(index in offers.promoted(week) for week in range(weeks) for index in range(size))
    assert count / weeks / size == pytest.approx(share, abs=0.015)


def test_the_people_are_what_the_locked_faker_makes() -> None:
    """Else: `python -m ecom_lite.simulate.people`, knowing that all streams change."""
    text = resources.files("ecom_lite.simulate").joinpath(FILE).read_text(encoding="utf-8")
    assert text == pools_text()


def test_faker_is_not_needed_at_run_time() -> None:
    program = (
        "import sys; from ecom_lite.simulate.people import People; People(7, ('US',)).person(1); sys.exit('faker' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0


def test_everyone_has_an_address_of_their_own() -> None:
    people = People(7, ("US", "GB", "DE", "FR", "ES", "NL"))
    everyone = [people.person(customer) for customer in range(1, 20_001)]
    assert len({person.email for person in everyone}) == len(everyone)
    assert all(person.email.decode().isascii() for person in everyone)
    assert len({person.name for person in everyone}) > 15_000


def test_one_country_is_enough() -> None:
    people = People(7, ("NL",))
    assert {people.person(customer).home.country for customer in range(500)} == {b"Netherlands"}
    assert {people.new_home(customer, mix(1, customer)).country for customer in range(500)} == {b"Netherlands"}


def test_a_very_big_shop_starts_at_once_and_keeps_little() -> None:
    begin = time.thread_time()  # its own, whatever else the machine does
    changes = settings(products=1_000_000, customers=100_000_000, customers_start=50_000_000, orders_per_day=1_000_000)
    shop = Shop(changes)
    stream = shop.batch(60_000_000, 3000, Timetable(changes, datetime(2026, 1, 1, tzinfo=UTC)))
    assert time.thread_time() - begin < 3
    assert len({event.key for event in stream}) > 2500
