"""The newest wins, for products and for customers' profiles: whatever the order, the batches and the loaders, one result."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecom_lite.contract.events import utc_now
from ecom_lite.load.claims import Claims
from ecom_lite.load.decode import Batch, Part
from ecom_lite.load.retry import Patience
from ecom_lite.load.topics import Topics
from ecom_lite.load.write import Writer
from ecom_lite.topic.records import Record
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.migrate import migrate
from tests.runs import DEADLINE_S

from .loading import line

TOPIC = "orders"
HOURS = [f"2026-01-02T{hour:02}:00:00Z" for hour in (10, 15, 20)]
CATEGORIES = st.sampled_from(["Books", "Toys"])
DESCRIPTIONS = st.tuples(st.sampled_from(HOURS), st.sampled_from(["new", "old", "Ü"]), CATEGORIES)
UNTITLED = st.sampled_from([None, ""])
ANY_TITLE = st.sampled_from(["new", "!"]) | UNTITLED  # "!" is less than any id
WORDS = st.sampled_from([None, "a", "b"])
PROFILES = st.tuples(st.sampled_from(HOURS), st.sampled_from(["user_registered", "user_updated"]), WORDS, WORDS)
Event = dict[str, Any]


class Two:
    """Two loaders, each with a partition of its own."""

    def __init__(self, warehouse: Address) -> None:
        self.claims = Claims(warehouse, Topics(TOPIC))
        self.claims.claim({0: 0, 1: 0})
        self.writers = [Writer(warehouse, Topics(TOPIC)), Writer(warehouse, Topics(TOPIC))]
        self._next = [0, 0]

    def batch(self, loader: int, events: Sequence[Event]) -> Batch:
        first, batch = self._next[loader], Batch()
        records = [Record(loader, first + i, 1, None, json.dumps(event).encode(), ()) for i, event in enumerate(events)]
        self._next[loader] += len(events)
        batch.add(Part(loader, records, first, first + len(events), 1), utc_now())
        assert not batch.dead
        return batch

    def write(self, loader: int, events: Sequence[Event]) -> None:
        self.writers[loader].write(self.batch(loader, events))

    def close(self) -> None:
        self.claims.close()
        for writer in self.writers:
            writer.close()


@pytest.fixture
def two(warehouse: Address) -> Iterator[Two]:
    loaders = Two(warehouse)
    yield loaders
    loaders.close()


def one(warehouse: Address, query: str, values: Sequence[object] = ()) -> tuple[Any, ...]:
    with warehouse.connect("ecom_reader") as reader:
        (row,) = reader.execute(query.encode(), values).fetchall()
    return row


def product(warehouse: Address, product_id: int) -> tuple[Any, ...]:
    query = "SELECT product_title, category FROM warehouse.dim_product JOIN warehouse.dim_category USING (category_key)"
    return one(warehouse, f"{query} WHERE product_id = %s", [str(product_id)])


def profile(warehouse: Address, user_id: int) -> tuple[Any, ...]:
    return one(warehouse, "SELECT name, city FROM warehouse.dim_user WHERE user_id = %s", [str(user_id)])


_names = itertools.count(1)


def dealt(data: st.DataObject, two: Two, events: Sequence[Event]) -> None:
    """All of them in a drawn order, cut into batches, each batch by one of the loaders."""
    left = data.draw(st.permutations(events))
    while left:
        size, loader = data.draw(st.integers(1, 4)), data.draw(st.integers(0, 1))
        two.write(loader, left[:size])
        left = left[size:]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), said=st.lists(DESCRIPTIONS, min_size=1, max_size=8))
def test_a_product_is_what_its_newest_order_line_says_and_of_lines_at_one_time_the_greater(
    two: Two, warehouse: Address, data: st.DataObject, said: list[tuple[str, str, str]]
) -> None:
    name = next(_names)
    events = [
        line(f"{name}-{i}", name, timestamp=at, product_title=title, category=category)
        for i, (at, title, category) in enumerate(said)
    ]
    dealt(data, two, events)
    assert product(warehouse, name) == max(said)[1:]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), said=st.lists(st.tuples(st.sampled_from(HOURS), ANY_TITLE, CATEGORIES), min_size=1, max_size=8))
def test_a_line_without_a_title_changes_nothing_of_a_product_that_has_one_and_without_any_it_shows_its_id(
    two: Two, warehouse: Address, data: st.DataObject, said: list[tuple[str, str | None, str]]
) -> None:
    name = next(_names)
    events = [
        line(f"{name}-{i}", name, timestamp=at, product_title=title, category=category)
        for i, (at, title, category) in enumerate(said)
    ]
    for event in events:
        if event["product_title"] is None and data.draw(st.booleans()):
            del event["product_title"]
    dealt(data, two, events)
    titled = [(at, title, category) for at, title, category in said if title]
    assert product(warehouse, name) == max(titled or [(at, str(name), category) for at, _, category in said])[1:]


def test_lines_with_and_without_titles_come_to_the_same_by_every_loader_in_every_order(two: Two, warehouse: Address) -> None:
    said = [(HOURS[0], "new", "Books"), (HOURS[1], "!", "Books"), (HOURS[2], None, "Toys")]
    for order in itertools.permutations(said):
        for loaders in itertools.product((0, 1), repeat=len(said)):
            name = next(_names)
            for i, (loader, (at, title, category)) in enumerate(zip(loaders, order, strict=True)):
                event = line(f"{name}-{i}", name, timestamp=at, product_title=title, category=category)
                two.write(loader, [event])
            assert product(warehouse, name) == ("!", "Books"), (order, loaders)


def newest(said: Sequence[tuple[str, str, str | None]]) -> str | None:
    return max((each for each in said if each[2] is not None), default=("", "", None))[2]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), said=st.lists(PROFILES, min_size=1, max_size=8))
def test_a_profile_has_the_newest_of_each_field_and_of_changes_at_one_time_the_greater(
    two: Two, warehouse: Address, data: st.DataObject, said: list[tuple[str, str, str | None, str | None]]
) -> None:
    user = next(_names)
    events = [{"event_type": kind, "user_id": user, "timestamp": at, "name": name, "city": city} for at, kind, name, city in said]
    dealt(data, two, events)
    assert profile(warehouse, user) == (
        newest([(at, kind, name) for at, kind, name, _ in said]), newest([(at, kind, city) for at, kind, _, city in said])
    )  # fmt: skip
    assert one(
        warehouse,
        "SELECT sum(other + duplicates) = sum(next_offset), sum(other) = (SELECT count(*) FROM warehouse.user_changes)"
        " FROM ops.consumer_offsets",
    ) == (True, True)


def test_the_newest_wins_over_what_another_loader_has_in_hand(two: Two, warehouse: Address) -> None:
    """One loader stands between its rows and its commit while the other one writes."""
    reached, go = threading.Event(), threading.Event()

    def at(point: str) -> None:
        if point == "filled" and not reached.is_set():
            reached.set()
            assert go.wait(DEADLINE_S)

    two.write(1, [line("first", 1, product_title="new", timestamp=HOURS[0])])
    slow = Writer(warehouse, Topics(TOPIC), at)
    late = two.batch(0, [
        line("second", 1, product_title="new", timestamp=HOURS[2]),
        {"event_type": "user_updated", "user_id": 1, "name": "Ada", "timestamp": HOURS[0]},
    ])  # fmt: skip
    beside = two.batch(1, [
        line("third", 1, product_title="old", timestamp=HOURS[1]),
        {"event_type": "user_updated", "user_id": 1, "city": "Paris", "timestamp": HOURS[1]},
    ])  # fmt: skip
    other = two.writers[1]

    def write_beside() -> None:
        """As a loader does it: a lock that is held for seconds, on a busy machine, is asked for again."""
        Patience(time.sleep).run(lambda: other.write(beside), other.close)

    threads = [threading.Thread(target=slow.write, args=(late,)), threading.Thread(target=write_beside)]
    threads[0].start()
    assert reached.wait(DEADLINE_S)
    threads[1].start()
    threads[1].join(0.5)  # it waits for the first, or is done: both are right
    go.set()
    for thread in threads:
        thread.join(DEADLINE_S)
    slow.close()
    assert product(warehouse, 1)[0] == "new" and profile(warehouse, 1) == ("Ada", "Paris")


def test_what_says_nothing_new_rewrites_no_row(two: Two, warehouse: Address) -> None:
    said = [
        line("a", 1, timestamp=HOURS[2]),
        {"event_type": "user_updated", "user_id": 1, "name": "Ada", "timestamp": HOURS[2]},
    ]
    rows = "SELECT p.ctid::text, u.ctid::text FROM warehouse.dim_product p, warehouse.dim_user u"
    two.write(0, said)
    before = one(warehouse, rows)
    two.write(1, said)
    two.write(1, [line("b", 1, product_title="older", timestamp=HOURS[1])])
    two.write(0, [{"event_type": "user_updated", "user_id": 1, "name": "Bob", "timestamp": HOURS[0]}])
    assert one(warehouse, rows) == before


def test_an_older_warehouse_learns_from_its_facts_when_its_products_were_last_described(two: Two, warehouse: Address) -> None:
    two.write(0, [line("a", 1, product_title="new", timestamp=HOURS[2])])
    with warehouse.connect("admin") as admin:  # as versions before this migration left it
        admin.execute("UPDATE warehouse.dim_product SET described_at = %s", [HOURS[0]])
        admin.execute("DELETE FROM public.ecom_lite_migrations WHERE name = '0013_newest.sql'")
    assert migrate(warehouse) == ["0013_newest.sql"]
    two.write(1, [line("b", 1, product_title="old", timestamp=HOURS[1])])
    assert product(warehouse, 1)[0] == "new"
