"""A mapping is proposed for documents as shops and tools write them, and what it proposes loads them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from ecom_lite.contract.events import OrderLine
from ecom_lite.contract.reader import make_reader
from ecom_lite.own_events.propose import propose
from ecom_lite.settings.events import Events
from tests.unit.contract.corpus_base import NOW


class Shape(NamedTuple):
    """Documents, the settings that they ask for, and the facts: order, customer, product, title, quantity, revenue."""

    documents: list[Any]
    settings: dict[str, Any]
    facts: list[tuple[Any, ...]]


PLAIN = {
    "order_id": "A-1", "user_id": 7, "product_id": 42, "product_title": "Mug", "category": "Kitchen", "price": 19.99,
    "quantity": 2, "revenue": 39.98, "timestamp": "2024-11-24T13:20:00Z",
}  # fmt: skip
FACT = ("A-1", 7, 42, "Mug", 2, Decimal("39.98"))
CAMEL = {
    "orderId": "A-1", "userId": 7, "productId": 42, "productTitle": "Mug", "Category": "Kitchen", "unitPrice": "19.99",
    "qty": "2", "lineTotal": "39.98", "createdAt": 1732454400123,
}  # fmt: skip

SHAPES = {
    "our own": Shape([PLAIN], {}, [FACT]),
    "flat camelCase": Shape(
        [CAMEL],
        {"fields": {
            "order_id": "orderId", "timestamp": "createdAt", "user_id": "userId", "product_id": "productId",
            "product_title": "productTitle", "quantity": "qty", "price": "unitPrice", "category": "Category",
            "revenue": "lineTotal",
        }},
        [FACT],
    ),
    "a German till": Shape(
        [{"Bestellnummer": "A-1", "Kundennummer": "7", "Artikelnummer": "42", "Bezeichnung": "Mug", "Warengruppe": "Küche",
          "Einzelpreis": "19.99", "Menge": "2", "Gesamtpreis": "39.98", "Bestelldatum": "2024-11-24 13:20:00"}],
        {"fields": {
            "order_id": "Bestellnummer", "timestamp": "Bestelldatum", "user_id": "Kundennummer", "product_id": "Artikelnummer",
            "product_title": "Bezeichnung", "quantity": "Menge", "price": "Einzelpreis", "category": "Warengruppe",
            "revenue": "Gesamtpreis",
        }},
        [FACT],
    ),
    "Shopify": Shape(
        [{"id": 820982911946154508, "order_number": 1001, "name": "#1001", "created_at": "2024-11-24T09:20:00-04:00",
          "updated_at": "2024-11-24T09:25:00-04:00", "total_price": "44.98", "currency": "EUR", "email": "a@example.com",
          "customer": {"id": 7, "created_at": "2020-01-01T00:00:00Z", "first_name": "A"},
          "shipping_lines": [{"id": 3, "title": "Post", "price": "5.00"}],
          "line_items": [{"id": 866, "variant_id": 808, "title": "Mug", "quantity": 2, "sku": "M-42", "product_id": 42,
                          "name": "Mug - blue", "price": "19.99", "total_discount": "0.00"}]}],
        {"lines": "line_items[]", "fields": {
            "order_id": "order_number", "timestamp": "created_at", "user_id": "customer.id",
            "product_title": "line_items[].title",
        }},
        [("1001", *FACT[1:])],
    ),
    "WooCommerce": Shape(
        [{"id": 727, "number": "727", "date_created": "2024-11-24T14:20:00", "date_created_gmt": "2024-11-24T13:20:00",
          "total": "44.98", "customer_id": 7, "billing": {"first_name": "A", "email": "a@example.com"},
          "line_items": [{"id": 315, "name": "Mug", "product_id": 42, "quantity": 2, "total": "39.98", "sku": "",
                          "price": 19.99}]}],
        {"lines": "line_items[]", "fields": {
            "order_id": "id", "timestamp": "date_created_gmt", "user_id": "customer_id", "product_title": "line_items[].name",
            "revenue": "line_items[].total",
        }},
        [("727", *FACT[1:])],
    ),
    "Stripe's cents": Shape(
        [{"id": "cs_1", "object": "checkout.session", "amount_total": 3998, "created": 1732454400, "customer": "cus_7",
          "currency": "eur", "line_items": {"object": "list", "data": [
              {"id": "li_1", "description": "Mug", "quantity": 2, "amount_total": 3998,
               "price": {"id": "price_1", "product": "prod_42", "unit_amount": 1999}}]}}],
        {"lines": "line_items.data[]", "unit": "cents", "fields": {
            "order_id": "id", "timestamp": "created", "user_id": "customer", "product_id": "line_items.data[].price.product",
            "product_title": "line_items.data[].description", "price": "line_items.data[].price.unit_amount",
            "revenue": "line_items.data[].amount_total",
        }},
        [("cs_1", "cus_7", "prod_42", "Mug", 2, Decimal("39.98"))],
    ),
    "GA4": Shape(
        [{"event_name": "purchase", "event_timestamp": 1732454400123456, "user_pseudo_id": "7.1",
          "params": {"transaction_id": "A-1", "value": 39.98, "currency": "EUR"},
          "items": [{"item_id": "M-42", "item_name": "Mug", "item_category": "Kitchen", "price": 19.99, "quantity": 2}]}],
        {"lines": "items[]", "time_unit": "us", "fields": {
            "order_id": "params.transaction_id", "timestamp": "event_timestamp", "user_id": "user_pseudo_id",
            "product_id": "items[].item_id", "product_title": "items[].item_name", "category": "items[].item_category",
        }},
        [("A-1", "7.1", "M-42", "Mug", 2, Decimal("39.98"))],
    ),
    "Debezium": Shape(
        [{"before": None, "after": {**PLAIN, "timestamp": 1732454400123456789}, "op": "c", "ts_ms": 1732454400123,
          "source": {"name": "shop"}}],
        {"envelope": "debezium", "time_unit": "ns"},
        [FACT],
    ),
    "Debezium with its schema": Shape(
        [{"schema": {}, "payload": {"before": None, "after": CAMEL, "op": "c"}}],
        {"envelope": "debezium", "fields": {
            "order_id": "orderId", "timestamp": "createdAt", "user_id": "userId", "product_id": "productId",
            "product_title": "productTitle", "quantity": "qty", "price": "unitPrice", "category": "Category",
            "revenue": "lineTotal",
        }},
        [FACT],
    ),
    "Connect": Shape([{"schema": {"type": "struct"}, "payload": PLAIN}], {"envelope": "connect"}, [FACT]),
    "an event within the document": Shape(
        [{"specversion": "1.0", "id": "1", "time": "2024-11-24T13:20:01Z", "data": PLAIN}],
        {"fields": {name: f"data.{name}" for name in PLAIN}},
        [FACT],
    ),
    "two names for one field": Shape(
        [PLAIN, {**{k: v for k, v in PLAIN.items() if k != "order_id"}, "orderNo": "A-2"}],
        {"fields": {"order_id": ["order_id", "orderNo"]}},
        [FACT, ("A-2", *FACT[1:])],
    ),
    "cents by a sum of the order": Shape(
        [{"order_id": "A-1", "user_id": 7, "at": 1, "created_at": "2024-11-24T13:20:00Z", "total": 44.98,
          "items": [{"sku": "42", "name": "Mug", "price": 1999, "qty": 2},
                    {"sku": "43", "name": "Cup", "price": 500, "qty": 1}]}],
        {"lines": "items[]", "unit": "cents", "fields": {
            "timestamp": "created_at", "product_id": "items[].sku", "product_title": "items[].name", "quantity": "items[].qty",
        }},
        [FACT, ("A-1", 7, 43, "Cup", 1, Decimal("5.00"))],
    ),
    "an event type of others": Shape([{**PLAIN, "event_type": "purchase"}], {"constants": {"event_type": "order"}}, [FACT]),
    "a product that is only named": Shape(
        [{name: value for name, value in PLAIN.items() if name not in ("product_id", "product_title")} | {"product": "Mug"}],
        {"fields": {"product_id": "product"}},
        [("A-1", 7, "Mug", "Mug", 2, Decimal("39.98"))],
    ),
    "a total that is the order's": Shape(
        [{**{k: v for k, v in PLAIN.items() if k != "revenue"}, "total": 99.00}], {}, [FACT]
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_a_shape_is_mapped_and_loads(shape: Shape) -> None:
    proposal = propose(shape.documents, NOW)
    assert proposal.settings() == shape.settings
    assert proposal.missing == ()
    reader = make_reader(Events.model_validate(shape.settings))
    events = [event for one in shape.documents for event in reader(json.dumps(one).encode(), NOW)]
    assert all(isinstance(one, OrderLine) for one in events)
    found = [
        (e.order_id, e.user_id, e.product_id, e.product_title, e.quantity, e.revenue) for e in events if isinstance(e, OrderLine)
    ]
    assert found == shape.facts


def test_what_is_not_found_is_named_and_not_guessed() -> None:
    proposal = propose([{"foo": 1, "price": "free", "customer": {"name": "A"}}], NOW)
    assert proposal.settings() == {}
    assert proposal.missing == ("order_id", "user_id", "product_id", "price", "quantity", "timestamp")


@pytest.mark.parametrize("documents", [[], [1, "x", None, []], [{}], [{"a": {}}], [{"items": [1, {}]}], [{"items": []}]])
def test_nothing_to_go_by_gives_nothing(documents: list[Any]) -> None:
    assert propose(documents, NOW).settings() == {}


def test_a_name_whose_values_are_wrong_is_not_taken() -> None:
    documents = [{**CAMEL, "createdAt": "24.11.2024 13:20", "ts": "2024-11-24T13:20:00Z"}]
    assert propose(documents, NOW).fields["timestamp"] == ("ts",)


def test_events_of_our_other_types_count_for_nothing() -> None:
    other = {"event_type": "order_cancelled", "orderNo": "A", "product_id": 1}
    assert propose([PLAIN, other], NOW).settings() == {}


def test_prices_that_may_be_cents_and_times_without_a_zone_are_noted() -> None:
    notes = propose([{**PLAIN, "price": 1999, "revenue": 3998, "timestamp": "2024-11-24 13:20:00"}], NOW).notes
    assert 'unit = "cents"' in notes["unit"] and "time_zone" in notes["timestamp"]


@pytest.mark.parametrize("odd", ["n/a", "31.12.2025 23:59", "2024-13-01", True])
def test_one_time_in_ten_may_be_none(odd: object) -> None:
    found = propose([{**PLAIN, "timestamp": odd}, *[PLAIN] * 9], NOW)
    assert (found.time_unit, found.missing, found.notes) == ("auto", (), {})


@pytest.mark.parametrize(
    "name", ["list_price", "listPrice", "regular_price", "compare_at_price", "originalPrice", "RRP", "msrp", "UVP"]
)
def test_a_price_before_discounts_is_found_by_its_usual_names(name: str) -> None:
    found = propose([{**PLAIN, name: "24.99"}, {**PLAIN, name: None}, {**PLAIN, name: ""}], NOW)
    assert found.settings() == ({} if name == "list_price" else {"fields": {"list_price": name}})
    (event,) = make_reader(Events.model_validate(found.settings()))(json.dumps({**PLAIN, name: "24.99"}).encode(), NOW)
    assert isinstance(event, OrderLine) and event.list_price == Decimal("24.99")


def test_a_list_price_in_another_unit_than_the_price_is_left_out_and_said() -> None:
    cents = {**PLAIN, "unit_price_cents": 1999, "price": None, "revenue": None}
    assert propose([{**cents, "list_price": 2499}], NOW).settings() == {"unit": "cents", "fields": {"price": "unit_price_cents"}}
    found = propose([{**cents, "compare_at_price": "24.99"}], NOW)
    assert "list_price" not in found.fields and "compare_at_price is not in cents" in found.notes["list_price"]


def test_names_that_no_path_can_say_are_left_out() -> None:
    assert propose([{"order.id": 1, "items[]": [{"price": 1, "qty": 1, "sku": "a"}], "": 2}], NOW).settings() == {}
