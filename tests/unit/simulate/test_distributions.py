"""What the shop does, measured: one draw of 200,000 events against each documented distribution, tolerances stated."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice, pairwise
from statistics import mean

import pytest

from ecom_lite.contract import events
from ecom_lite.contract.events import OrderLine, OrderReversal, UserChange
from ecom_lite.settings.tree import Shop as ShopSettings
from ecom_lite.simulate import Shop, Timetable, order_of
from ecom_lite.simulate.baskets import QUANTITY_BITS
from ecom_lite.simulate.catalogue import CATEGORIES, PRODUCTS, product
from ecom_lite.simulate.customers import Customers
from ecom_lite.simulate.draws import words
from ecom_lite.simulate.orders import Orders
from ecom_lite.simulate.people import COUNTRIES, People
from ecom_lite.simulate.timetable import HOURS, WEEKDAYS

EVENTS = 200_000
PER_DAY = 200  # orders a day: the draw covers more than a year
OPENED = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = ShopSettings.model_validate({"orders_per_day": PER_DAY})  # all else as a user gets it
TAKEBACK = {category.name: category.takeback / 100 for category in CATEGORIES}


@dataclass
class Draw:
    """The stream in parts; an order's number stands for its time in virtual days."""

    lines: list[OrderLine] = field(default_factory=list)
    reversals: list[OrderReversal] = field(default_factory=list)
    profiles: list[UserChange] = field(default_factory=list)

    @cached_property
    def baskets(self) -> dict[int, list[OrderLine]]:
        """The lines by order number."""
        baskets = defaultdict(list)
        for line in self.lines:
            baskets[order_of(line.order_id)].append(line)
        return baskets

    def of_kind(self, kind: str) -> list[OrderReversal]:
        return [event for event in self.reversals if event.event_type == kind]


def number(identity: int | str) -> int:
    """An id of the shop's own."""
    assert isinstance(identity, int)
    return identity


def at(event: OrderLine | OrderReversal | UserChange) -> int:
    """The order that an event belongs to, or that it precedes."""
    assert event.event_id is not None
    return order_of(event.event_id)


@pytest.fixture(scope="module")
def draw() -> Draw:
    shop, timetable, far = Shop(SETTINGS), Timetable(SETTINGS, OPENED), OPENED + timedelta(days=4000)
    stream = (event for first in range(0, EVENTS, 500) for event in shop.batch(first, 500, timetable))
    drawn = Draw()
    for outgoing in islice(stream, EVENTS):
        event = events.parse(outgoing.value, far)
        if isinstance(event, OrderLine):
            drawn.lines.append(event)
        elif isinstance(event, OrderReversal):
            drawn.reversals.append(event)
        else:
            drawn.profiles.append(event)
    return drawn


def shares(counts: Counter[int] | Counter[str] | Counter[int | str]) -> dict[object, float]:
    return {key: count / counts.total() for key, count in counts.items()}


def prices(draw: Draw) -> dict[int, dict[int, float]]:
    """By product: the price in parts of the list price, by virtual day on which it was sold."""
    listed = {item.product_id: item.price_cents / 100 for item in PRODUCTS}
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for line in draw.lines:
        day = order_of(line.order_id) // PER_DAY
        product_id = number(line.product_id)
        part = float(line.price) / listed[product_id]
        assert found[product_id].setdefault(day, part) == part, "one price a day"
    return found


def test_products_sell_by_their_popularity(draw: Draw) -> None:
    """First lines, each product within 15 % (a week on promotion lifts it a little); the order of the big ones holds."""
    first = shares(Counter(basket[0].product_id for basket in draw.baskets.values()))
    total = sum(item.popularity for item in PRODUCTS)
    for item in PRODUCTS:
        assert first[item.product_id] == pytest.approx(item.popularity / total, rel=0.15), item.title


def test_a_big_range_has_a_long_tail() -> None:
    """30,000 orders of 100,000 products: the first hundred have 43 % of the first lines, all categories have some."""
    orders = Orders(ShopSettings.model_validate({"products": 100_000, "promotions": 0, "product_tail": 1}))
    first = [orders.lines(n)[0] >> QUANTITY_BITS for n in range(30_000)]
    tail, ranking = orders.catalogue.tail, orders.catalogue.ranking
    ranks = [ranking.place_of(index) for index in first]
    expected = sum(map(tail.share, range(100)))
    assert expected == pytest.approx(0.43, abs=0.005)
    assert sum(rank < 100 for rank in ranks) / 30_000 == pytest.approx(expected, abs=0.015)
    assert ranks.count(0) == pytest.approx(10 * ranks.count(9), rel=0.3)  # exponent 1
    assert sum(rank > 50_000 for rank in ranks) > 1000
    categories = Counter(product(index).category for index in first)
    assert len(categories) == len(CATEGORIES)
    assert max(categories.values()) < 5 * min(categories.values())


def test_a_fifth_buys_half_and_half_a_fifth(draw: Draw) -> None:
    """50/30/20 within 2 points, once all 200 have signed up."""
    customers = Customers(SETTINGS)
    kinds = Counter(
        "heavy" if rank < 2 else "regular" if rank < 5 else "casual"
        for order, basket in draw.baskets.items()
        if order > 10_000
        for rank in [customers.rank(number(basket[0].user_id))]
    )
    found = shares(kinds)
    assert found["heavy"] == pytest.approx(0.50, abs=0.02)
    assert found["regular"] == pytest.approx(0.30, abs=0.02)
    assert found["casual"] == pytest.approx(0.20, abs=0.02)


@pytest.mark.parametrize(("exponent", "share"), [(1.5, 0.68), (2, 0.80)])
def test_in_a_large_shop_a_fifth_of_the_customers_buys_most(exponent: float, share: float) -> None:
    """The long tail, 60,000 orders of 2,048 customers of whom nobody is away: the share of the first fifth within 2 points."""
    settings = ShopSettings.model_validate({"customers": 20_480, "lapsed": 0, "buyers_tail": exponent})
    customers = Customers(settings)
    ranks: Counter[int] = Counter()
    bought: Counter[int] = Counter()
    for n in range(60_000):
        who, where = words(f"test {n}", 2)
        buyer = customers.buyer(who, where, 2048, 0).customer
        bought[buyer] += 1
        ranks[customers.rank(buyer)] += 1
    assert set(bought) <= set(range(1, 2049))
    assert sum(count for _, count in bought.most_common(410)) / 60_000 == pytest.approx(share, abs=0.02)
    assert ranks[0] / ranks[99] == pytest.approx((160 / 61) ** exponent, rel=0.35)


def test_hours_weekdays_and_months_have_their_shape(draw: Draw) -> None:
    """Hours and weekdays within 8 %; months within 10 %, from July's dip to December's peak."""
    orders = [basket[0].timestamp for basket in draw.baskets.values() if basket[0].timestamp.year == 2026]
    hours, weekdays, months = (Counter(map(part, orders)) for part in (_hour, _weekday, _month))
    for hour, weight in enumerate(HOURS):
        assert hours[hour] / len(orders) * 24 == pytest.approx(weight / 1000, rel=0.08)
    for weekday, weight in enumerate(WEEKDAYS):
        assert weekdays[weekday] / len(orders) * 7 == pytest.approx(weight / 1000, rel=0.08)
    for month, weight in ((4, 960), (7, 883), (8, 883), (11, 1240), (12, 1285)):
        days = 31 if month in (7, 8, 12) else 30
        assert months[month] / days / PER_DAY == pytest.approx(weight / 1000, rel=0.10), month


def _hour(time: datetime) -> int:
    return time.hour


def _weekday(time: datetime) -> int:
    return time.weekday()


def _month(time: datetime) -> int:
    return time.month


def test_days_differ_but_not_wildly(draw: Draw) -> None:
    """Same weekday, a week later: the noise of a day is up to 20 %, mostly within 10 %."""
    days = Counter(basket[0].timestamp.date() for basket in draw.baskets.values())
    ratios = [days[day + timedelta(days=7)] / days[day] for day in list(days)[1:-8]]
    assert max(ratios) < 1.7
    assert 0.05 < mean(abs(ratio - 1) for ratio in ratios) < 0.2


def test_prices_move_every_30_days_within_5_percent_of_the_list(draw: Draw) -> None:
    for by_day in prices(draw).values():
        regular = [(day, part) for day, part in sorted(by_day.items()) if part > 0.9]
        assert all(0.949 < part < 1.051 for _, part in regular)
        changes = [day for (_, before), (day, part) in pairwise(regular) if part != before]
        assert 11 <= len(changes) <= 14  # in about 395 days
        assert {day % 30 for day in changes} <= set(range(30))
        assert all(later - earlier >= 15 for earlier, later in pairwise(changes))
    every = [part for by_day in prices(draw).values() for part in by_day.values() if part > 0.9]
    assert min(every) < 0.96
    assert max(every) > 1.04


def test_a_twentieth_of_the_range_is_on_promotion_in_a_week_and_a_fifth_cheaper(draw: Draw) -> None:
    """Share within 2 points; the price within 1 % of four fifths of the day before or after; bought 1.5 to 2.4 times as often."""
    weeks: dict[int, set[int]] = defaultdict(set)
    cheaper = []
    for product_id, by_day in prices(draw).items():
        for day, part in by_day.items():
            if part < 0.9:
                weeks[day // 7].add(product_id)
        cheaper += [
            by_day[day] / by_day[day - 1] for day in by_day if day % 7 == 0 and by_day[day] < 0.9 < by_day.get(day - 1, 0)
        ]
    last = max(draw.baskets) // PER_DAY // 7
    assert sum(map(len, weeks.values())) / last / len(PRODUCTS) == pytest.approx(0.05, abs=0.02)
    assert mean(cheaper) == pytest.approx(0.8, rel=0.03)
    assert min(cheaper) > 0.72  # with a change of price on the same day
    first = Counter((order // PER_DAY // 7, basket[0].product_id) for order, basket in draw.baskets.items())
    popularity = {item.product_id: item.popularity / 99 for item in PRODUCTS}
    promoted = sum(first[week, product_id] for week in weeks for product_id in weeks[week])
    usual = sum(popularity[product_id] * 7 * PER_DAY for week in weeks for product_id in weeks[week])
    assert 1.5 < promoted / usual < 2.4


def test_a_basket_has_one_more_line_with_chance_6_in_10(draw: Draw) -> None:
    """Each size within a point."""
    sizes = shares(Counter(map(len, list(draw.baskets.values())[:-1])))
    expected = {size: 0.6 ** (size - 1) * (0.4 if size < 6 else 1) for size in range(1, 7)}
    assert sizes == pytest.approx(expected, abs=0.01)
    quantities = shares(Counter(line.quantity for line in draw.lines))
    assert quantities == pytest.approx({1: 8 / 16, 2: 4 / 16, 3: 2 / 16, 4: 1 / 16, 5: 1 / 16}, abs=0.01)


def test_every_second_further_line_goes_with_the_first(draw: Draw) -> None:
    """Half of the second lines by chance `related`, of the others a fifth by accident: 60 % within 4 points."""
    place = {item.product_id: index for index, item in enumerate(PRODUCTS)}

    def related(pairs: Iterator[tuple[int, int]]) -> float:
        found = [(second - first) % 20 in (4, 16, 8, 1) for first, second in pairs]
        return sum(found) / len(found)

    baskets = [basket for basket in draw.baskets.values() if len(basket) > 1]
    with_relation = related((place[number(basket[0].product_id)], place[number(basket[1].product_id)]) for basket in baskets)
    assert with_relation == pytest.approx(0.6, abs=0.04)
    unrelated = Orders(ShopSettings.model_validate({"related": 0, "promotions": 0}))
    lines = [unrelated.lines(n) for n in range(10_000)]
    by_accident = related((line[0] >> QUANTITY_BITS, line[1] >> QUANTITY_BITS) for line in lines if len(line) > 1)
    assert by_accident == pytest.approx(0.2, abs=0.05)
    assert with_relation > 2.3 * by_accident


def test_customers_sign_up_every_20_to_50_orders_on_average_35(draw: Draw) -> None:
    registered = [at(event) for event in draw.profiles if event.event_type == "user_registered"]
    gaps = [later - earlier for earlier, later in pairwise(registered[9:])]
    assert min(gaps) >= 20
    assert max(gaps) <= 50
    assert mean(gaps) == pytest.approx(35, abs=1)


def test_a_fifth_of_the_customers_stays_away_at_any_time_and_comes_back(draw: Draw) -> None:
    """The share within 3 points on average; of 1,000 orders at most 5 come from someone who is away; nobody is gone for good."""
    customers = Customers(SETTINGS)
    days = max(draw.baskets) // PER_DAY
    away = mean(customers.is_away(customer, day) for customer in range(1, 201) for day in range(0, days, 5))
    assert away == pytest.approx(0.2, abs=0.03)
    broken = sum(customers.is_away(number(basket[0].user_id), order // PER_DAY) for order, basket in draw.baskets.items())
    assert broken / len(draw.baskets) < 0.005
    bought: dict[int, list[int]] = defaultdict(list)
    for order, basket in draw.baskets.items():
        bought[number(basket[0].user_id)].append(order // PER_DAY)
    regulars = [days_of for days_of in bought.values() if len(days_of) > 500]
    assert len(regulars) > 30
    for days_of in regulars:
        spells = [later - earlier for earlier, later in pairwise(days_of) if later - earlier > 10]
        assert 2 <= len(spells) <= 8  # a cycle has 60 to 180 days, a fifth of it away
        assert max(spells) < 45
        assert days_of[-1] > days - 60


def test_one_in_200_orders_comes_after_a_move_mostly_within_the_country(draw: Draw) -> None:
    """The number within 5 %; six of seven stay, and some of the others by chance: 80 to 95 %."""
    moved = [event for event in draw.profiles if event.event_type == "user_updated"]
    assert len(moved) == pytest.approx(len(draw.baskets) * 0.005, rel=0.05)
    home = {event.user_id: event.country for event in draw.profiles if event.event_type == "user_registered"}
    assert 0.80 < mean(home[event.user_id] == event.country for event in moved) < 0.95
    assert len({event.user_id for event in moved}) > 150
    assert len({event.city for event in moved}) > 100
    again = [later.user_id == earlier.user_id for earlier, later in pairwise(moved)]
    assert sum(again) <= 2


def test_cancellations_and_returns_have_their_rates_by_category(draw: Draw) -> None:
    """Overall within a tenth; by category within a fifth (returns, per chosen line) and a quarter (cancellations)."""
    orders = len(draw.baskets)
    cancelled = {event.order_id for event in draw.of_kind("order_cancelled")}
    returned = draw.of_kind("order_returned")
    assert len(cancelled) / orders == pytest.approx(0.03, rel=0.1)
    assert len(returned) / orders == pytest.approx(0.06, rel=0.1)
    category = {item.product_id: item.category for item in PRODUCTS}
    firsts = Counter(basket[0].category for basket in draw.baskets.values())
    lines: Counter[str] = Counter()
    for basket in draw.baskets.values():
        for line in basket:
            lines[line.category] += 1 / len(basket)  # type: ignore[assignment]
    back = Counter(category[number(event.product_id)] for event in returned)
    undone = Counter(draw.baskets[order_of(order_id)][0].category for order_id in cancelled)
    for name in firsts:
        assert back[name] / lines[name] == pytest.approx(0.06 * TAKEBACK[name], rel=0.2), name
        assert undone[name] / firsts[name] == pytest.approx(0.03 * (TAKEBACK[name] + 1) / 2, rel=0.25), name
    assert {event.reason for event in returned} >= {"defective", "does not fit", "no longer needed"}


def test_cancellations_come_soon_and_returns_after_3_to_21_days_late_in_electronics(draw: Draw) -> None:
    """In virtual days; a delay is a multiple of 64 orders, here a third of a day."""

    def delays(kind: str) -> list[float]:
        return [(at(event) - order_of(event.order_id)) / PER_DAY for event in draw.of_kind(kind)]

    assert set(delays("order_cancelled")) == {64 / PER_DAY, 128 / PER_DAY}
    late = delays("order_returned")
    assert min(late) == pytest.approx(3, abs=0.2)
    assert max(late) == pytest.approx(21, abs=0.2)
    assert mean(late) == pytest.approx(10, abs=0.7)
    assert len(set(late)) == 9
    by_category = defaultdict(list)
    for event, delay in zip(draw.of_kind("order_returned"), late, strict=True):
        by_category["Electronics" if number(event.product_id) // 100 == 1 else "other"].append(delay)
    assert mean(by_category["Electronics"]) > mean(by_category["other"]) + 0.8
    sold = {line.order_id: line.timestamp for line in draw.lines}
    real = [(event.timestamp - sold[event.order_id]) / timedelta(days=1) for event in draw.of_kind("order_returned")]
    assert 1.5 < min(real) < max(real) < 30


def test_customers_live_where_the_weights_say_mostly_in_the_big_cities() -> None:
    """20,000 profiles: each country within a point; its first ten cities have a third or more of it."""
    people = People(7, tuple(COUNTRIES))
    homes = [people.person(customer).home for customer in range(1, 20_001)]
    found = shares(Counter(home.country.decode() for home in homes))
    assert found == pytest.approx({name: weight / 100 for _, name, weight in COUNTRIES.values()}, abs=0.01)
    for _, name, _ in COUNTRIES.values():
        cities = Counter(home.city for home in homes if home.country.decode() == name)
        assert 0.3 < sum(count for _, count in cities.most_common(10)) / cities.total() < 0.65, name
