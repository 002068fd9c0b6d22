"""What a mapping's decoder takes is what the long way would make of it; and it takes what people mostly send."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecom_lite.contract.compiled import compiled
from ecom_lite.contract.reader import make_reader
from ecom_lite.contract.rejected import Rejected
from ecom_lite.settings.events import Events

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LINE: dict[str, Any] = {"sku": "a", "name": "A", "category": "Pens", "unit_price": 1999, "qty": 1, "was": 2499}
ORDER: dict[str, Any] = {
    "id": 9, "customer": {"id": "u1"}, "created_at": "2026-07-01 10:00:00", "items": [LINE, {**LINE, "sku": "b", "qty": 2}],
}  # fmt: skip
PATHS = {
    "order_id": "id", "user_id": ["user", "customer.id"], "timestamp": "created_at", "product_id": "items[].sku",
    "product_title": "items[].name", "price": "items[].unit_price", "quantity": "items[].qty",
    "list_price": "items[].was",
}  # fmt: skip
FLAT: dict[str, Any] = {
    "order_id": "A1", "user_id": 7, "product_id": 5, "product_title": "Pen", "category": "Office", "price": 19.99,
    "quantity": 2, "revenue": 39.98, "timestamp": "2026-11-01T00:00:00Z",
}  # fmt: skip
NESTED = {
    "order": {"no": "A1"}, "buyer": {"id": 7}, "item": {"sku": "P-5", "price": {"net": 1999}}, "product_title": "Pen",
    "category": "Office", "quantity": 2, "at": 1793000000,
}  # fmt: skip

MAPPINGS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "whole orders": ({"fields": PATHS, "lines": "items[]"}, ORDER),
    "in cents, of a zone": ({"fields": PATHS, "lines": "items[]", "unit": "cents", "time_zone": "Europe/Berlin"}, ORDER),
    "strict": (
        {"fields": PATHS, "lines": "items[]", "strict": True},
        {**ORDER, "customer": {"id": 5}, "items": [{**LINE, "sku": 5, "revenue": 1999}]},
    ),
    "of one till": ({"fields": PATHS, "lines": "items[]", "constants": {"category": "Till 3", "currency": "JPY"}}, ORDER),
    "lines with what belongs to the order": (
        {
            "fields": {"product_id": "rows[].sku"}, "lines": "rows[]",
            "attributes": {"coupon": "text", "store": "dimension", "gift": "boolean"},
        },
        {
            "order_id": 1, "user_id": 2, "timestamp": 1793000000, "coupon": "X", "store": "Berlin",
            "rows": [
                {"sku": 5, "price": 2, "quantity": 1, "order_id": "own", "coupon": "Y", "list_price": None},
                {"sku": 6, "price": 2, "quantity": 1},
            ],
        },
    ),
    "in Connect's envelope": ({"fields": PATHS, "lines": "items[]", "envelope": "connect"}, {"schema": {}, "payload": ORDER}),
    "in Debezium's": ({"fields": PATHS, "lines": "items[]", "envelope": "debezium"}, {"before": None, "after": ORDER, "op": "c"}),
    "in both": ({"envelope": "debezium"}, {"schema": {}, "payload": {"before": None, "after": FLAT}}),
    "renamed": ({"fields": {"order_id": "orderId", "price": "p"}}, {**FLAT, "orderId": "B2", "p": 2, "revenue": None}),
    "with attributes": (
        {"attributes": {"weight": "number", "gift": "boolean", "channel": "text"}, "fields": {"channel": "meta.channel"}},
        {**FLAT, "weight": 1.25, "gift": True, "meta": {"channel": "web"}},
    ),
    "constants": ({"constants": {"user_id": "guest", "quantity": 3, "list_price": 25}}, {**FLAT, "revenue": "59.97"}),
    "a list price elsewhere, in cents": (
        {"fields": {"list_price": ["before.price", "rrp"]}, "unit": "cents"},
        {**FLAT, "price": 1999, "revenue": None, "before": {"price": None}, "rrp": 2499},
    ),
    "nested": (
        {
            "fields": {
                "order_id": "order.no", "user_id": ["buyer.mail", "buyer.id"], "product_id": "item.sku",
                "price": ["item.price.net", "price"], "timestamp": "at",
            },
            "unit": "cents", "time_unit": "s",
        },
        NESTED,
    ),
}  # fmt: skip
each_mapping = pytest.mark.parametrize(("events", "document"), MAPPINGS.values(), ids=list(MAPPINGS))


def judged(reader: Any, value: bytes) -> Any:
    try:
        return [{name: getattr(one, name) for name in _names(one)} for one in reader(value, NOW)]
    except Rejected as rejected:
        return str(rejected)


def _names(event: Any) -> list[str]:
    return [name for name in event.__struct_fields__ if not name.endswith("_")]


def long_way(events: Events) -> Any:
    reader: Any = make_reader(events)
    return reader.otherwise


@each_mapping
def test_a_decoder_takes_what_the_mapping_is_made_for(events: dict[str, Any], document: dict[str, Any]) -> None:
    reads = compiled(Events.model_validate(events), "USD")
    assert reads is not None
    value = json.dumps(document).encode()
    assert judged(reads, value) == judged(long_way(Events.model_validate(events)), value)


values = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**20), st.floats(), st.text(max_size=5),
    st.sampled_from(["5", "1.50", "07", "EUR", "x" * 201]),
    st.sampled_from([{}, [], {"id": 1}, {"id": None}, {"id": {}}, [1], "2026-07-01", "2026-07-01T25:00", 1793000000, "order"]),
)  # fmt: skip


@each_mapping
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_whatever_is_sent_it_says_no_other_thing_than_the_long_way(
    events: dict[str, Any], document: dict[str, Any], data: st.DataObject
) -> None:
    mapping = Events.model_validate(events)
    changed = json.loads(json.dumps(document))
    places = list(_places(changed))
    names = st.sampled_from(
        [
            *PATHS,
            *FLAT,
            "id",
            "user",
            "currency",
            "list_price",
            "was",
            "coupon",
            "weight",
            "gift",
            "channel",
            "event_type",
            "event_id",
            "payload",
            "~order_id",
            "v0_",
        ]
    )
    for holder, name in data.draw(st.lists(st.sampled_from(places), max_size=2)):
        holder[name if isinstance(name, int) else data.draw(st.just(name) | names)] = data.draw(values)
    value = json.dumps(changed).encode()
    assert judged(make_reader(mapping), value) == judged(long_way(mapping), value)


def _places(document: Any) -> Any:
    pairs = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    for name, value in pairs:
        yield document, name
        yield from _places(value)


@pytest.mark.parametrize("path", ['a"b', "a\\b", "items.0", "user_id", "~order_id"])
def test_a_path_that_no_decoder_can_have_is_read_the_long_way(path: str) -> None:
    events = Events.model_validate({"fields": {"order_id": path}})
    document: Any = {**FLAT, path: "X9", "items": ["X9"]}
    (event,) = make_reader(events)(json.dumps(document).encode(), NOW)
    assert event.order_id == "X9" if path != "user_id" else event.order_id == "X9" == event.user_id  # type: ignore[union-attr]


def test_a_hidden_field_does_not_count_where_the_mapping_says_another_place() -> None:
    events = Events.model_validate({"fields": PATHS, "lines": "items[]"})
    document = {**ORDER, "order_id": "no", "items": [{**LINE, "order_id": "no", "user_id": "no", "timestamp": "no"}]}
    (event,) = make_reader(events)(json.dumps(document).encode(), NOW)
    assert (event.order_id, event.user_id) == ("9", "u1")  # type: ignore[union-attr]
