"""The till's events, on a real Kafka, in a real warehouse: no conftest.py, the plugin brings the fixtures."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from tiny_shop import PRODUCTS, Till


@pytest.fixture
def till(ecom_lite_topic) -> Iterator[Till]:
    till = Till(ecom_lite_topic.bootstrap, ecom_lite_topic.topic)
    yield till
    till.close()


def test_each_line_of_an_order_is_a_fact(till, ecom_lite_topic):
    till.sell("A-1", customer=42, cart={1: 2, 3: 1})
    till.close()
    ecom_lite_topic.assert_facts(2, order_id="A-1")
    ecom_lite_topic.assert_facts(1, product_id=1, quantity=2, price="24.50", revenue="49.00")
    ecom_lite_topic.assert_dead(0)


def test_an_order_that_is_sent_twice_is_counted_once(till, ecom_lite_topic):
    for _ in range(2):
        till.sell("A-1", customer=42, cart={2: 1})
    till.close()
    ecom_lite_topic.assert_facts(1)
    assert ecom_lite_topic.counts()["duplicates"] == 1
    ecom_lite_topic.assert_closes()


def test_a_discount_is_taken_to_the_cent(till, ecom_lite_topic):
    till.sell("A-1", customer=42, cart={3: 3}, discount=Decimal("0.15"))
    till.close()
    (fact,) = ecom_lite_topic.assert_facts(1)
    assert fact["price"] == Decimal("16.06") and fact["revenue"] == Decimal("48.18")


def test_a_price_below_zero_is_a_dead_letter_and_not_lost(till, ecom_lite_topic, monkeypatch):
    monkeypatch.setitem(PRODUCTS, 2, ("Moka pot", "Kitchen", Decimal("-39.00")))
    till.sell("A-1", customer=42, cart={1: 1, 2: 1})
    till.close()
    (letter,) = ecom_lite_topic.assert_dead(1, reason="out_of_range")
    assert letter.event["product_id"] == 2 and letter.key == b"42"
    ecom_lite_topic.assert_facts(1, product_id=1)


def test_the_till_sells_beside_another_shop(till, ecom_lite_topic, ecom_lite_events):
    others = ecom_lite_events(200)
    ecom_lite_topic.send(others)
    till.sell("till-1", customer=42, cart={1: 1, 2: 1, 3: 1})
    till.close()
    ecom_lite_topic.assert_facts(3, order_id="till-1")
    ecom_lite_topic.assert_closes()
