"""Somebody's documents become events by the settings alone; what is wrong in them is said in their own names."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecom_lite.contract.events import OrderLine, OrderReversal, UserChange, parse
from ecom_lite.contract.fields import EVENT_TYPES, fields_of
from ecom_lite.contract.reader import make_reader
from ecom_lite.contract.rejected import Rejected
from ecom_lite.settings.events import Events
from ecom_lite.settings.values import EventField

NOW = datetime(2026, 11, 24, tzinfo=UTC)
PLAIN = {
    "order_id": "A1", "user_id": "c-7", "product_id": 5, "product_title": "Pen", "category": "Office", "price": 19.99,
    "quantity": 2, "revenue": 39.98, "timestamp": "2026-11-01T00:00:00Z",
}  # fmt: skip
RENAMED = Events(fields={"order_id": ("orderId",), "user_id": ("customerId",), "price": ("unitPrice",)})
NAMES = {"order_id": "orderId", "user_id": "customerId", "price": "unitPrice"}
ORDER: dict[str, Any] = {
    "id": 9, "customer": {"id": "u1"}, "created_at": "2026-07-01 10:00:00", "total": 8996,
    "items": [
        {"sku": "a", "name": "A", "unit_price": 1999, "qty": 1},
        {"sku": "b", "name": "B", "unit_price": 500, "qty": 2},
        {"sku": "a", "name": "A", "unit_price": 1999, "qty": 3},
    ],
}  # fmt: skip
FIRST = ORDER["items"][0]
WHOLE_ORDERS = Events.model_validate({
    "fields": {
        "order_id": "id", "user_id": ["user", "customer.id"], "timestamp": "created_at", "product_id": "items[].sku",
        "product_title": "items[].name", "price": "items[].unit_price", "quantity": "items[].qty",
    },
    "lines": "items[]", "unit": "cents", "time_zone": "Europe/Berlin",
})  # fmt: skip


def read(events: Events, document: Any) -> list[Any]:
    value = document if isinstance(document, bytes) else json.dumps(document).encode()
    return list(make_reader(events)(value, NOW))


def rejection(events: Events, document: Any) -> str:
    with pytest.raises(Rejected) as raised:
        read(events, document)
    return str(raised.value)


def as_dict(event: Any) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


def renamed(document: dict[str, Any]) -> dict[str, Any]:
    return {NAMES.get(name, name): value for name, value in document.items()}


def test_the_settings_know_exactly_the_fields_of_the_contract() -> None:
    assert set(get_args(EventField)) == {one.name for event in EVENT_TYPES.values() for one in fields_of(event)}


def test_without_a_mapping_a_record_is_read_by_the_contract() -> None:
    (event,) = read(Events(), PLAIN)
    assert as_dict(event) == as_dict(parse(json.dumps(PLAIN).encode(), NOW))
    assert "user_id" in rejection(Events(strict=True), PLAIN)


ODD: list[dict[str, Any]] = [
    {}, {"quantity": 2.0}, {"quantity": "2"}, {"user_id": 7.0}, {"user_id": "007"}, {"revenue": None}, {"category": ""},
    {"timestamp": 1790000000.5}, {"timestamp": "1790000000"}, {"product_title": "Stift für Ölkreide"}, {"event_type": "order"},
    {"quantity": 0}, {"price": -1, "revenue": -2}, {"revenue": 1}, {"timestamp": "yesterday"}, {"event_type": "purchase"},
    {"order_id": "a\0b"}, {"order_id": None}, {"product_id": 10**30}, {"price": "19.99"}, {"price": "19,99"},
]  # fmt: skip


@pytest.mark.parametrize("change", ODD, ids=json.dumps)
@pytest.mark.parametrize("strict", [False, True])
def test_a_renamed_record_is_judged_as_the_plain_one(change: dict[str, Any], strict: bool) -> None:
    plain, mapped = PLAIN | {"user_id": 7} | change, RENAMED.model_copy(update={"strict": strict})
    try:
        expected = as_dict(parse(json.dumps(plain).encode(), NOW, strict=strict))
    except Rejected as rejected:
        assert rejection(mapped, renamed(plain)).partition(":")[0] in (rejected.reason, "missing_field")
        return
    (event,) = read(mapped, renamed(plain))
    assert as_dict(event) == expected


# From 1e16 on a float has an exponent, without which the long way judges it: strict readers then take it for the integer it is.
floats = st.floats(-1e15, 1e15) | st.just(float("inf"))
values = st.one_of(st.none(), st.booleans(), st.integers(-10, 10**20), floats, st.text(max_size=5))


@given(st.dictionaries(st.sampled_from(sorted(PLAIN)), values, max_size=3), st.booleans())
def test_renaming_changes_no_verdict_and_no_value(change: dict[str, Any], strict: bool) -> None:
    plain = {name: value for name, value in (PLAIN | {"user_id": 7} | change).items() if value is not None}
    try:
        expected = as_dict(parse(json.dumps(plain).encode(), NOW, strict=strict))
    except Rejected:
        rejection(RENAMED.model_copy(update={"strict": strict}), renamed(plain))
        return
    (event,) = read(RENAMED.model_copy(update={"strict": strict}), renamed(plain))
    assert as_dict(event) == expected


def test_a_whole_order_becomes_one_event_for_each_of_its_products() -> None:
    pens, books = read(WHOLE_ORDERS, ORDER)
    assert (pens.order_id, pens.user_id, pens.product_id, pens.quantity) == ("9", "u1", "a", 4), (
        "two lines of one product are one"
    )
    assert (pens.price, pens.revenue) == (Decimal("19.99"), Decimal("79.96"))
    assert (books.product_id, books.revenue, books.category) == ("b", Decimal("10.00"), "Uncategorised")
    assert pens.timestamp == books.timestamp == datetime(2026, 7, 1, 8, tzinfo=UTC), "ten o'clock in Berlin in summer"


def test_lines_of_other_orders_and_of_other_types_are_no_lines_of_one_product() -> None:
    line = {"user_id": 1, "product_id": "a", "price": 2, "quantity": 3, "timestamp": "2026-11-01"}
    back = {**line, "order_id": "A", "event_type": "order_returned", "quantity": 1}
    lines: list[dict[str, Any]] = [
        {**line, "order_id": "A"}, {**line, "order_id": "B"}, {**line, "order_id": "A"},
        back, back, {**back, "timestamp": "2026-11-02"}, {**back, "event_type": "order_cancelled", "quantity": 2},
        {"event_type": "user_updated", "user_id": 1, "city": "Rome", "timestamp": "2026-11-01"},
        {"event_type": "user_updated", "user_id": 1, "city": "Oslo", "timestamp": "2026-11-01"},
    ]  # fmt: skip
    *orders, returned, later, cancelled, rome, oslo = read(Events(lines="items[]"), {"items": lines})
    assert [(one.order_id, one.quantity, one.revenue) for one in orders] == [("A", 6, 12), ("B", 3, 6)]
    assert [(one.event_type, one.quantity) for one in (returned, later, cancelled)] == [
        ("order_returned", 2), ("order_returned", 1), ("order_cancelled", 2),
    ]  # fmt: skip
    assert isinstance(returned, OrderReversal) and (rome.city, oslo.city) == ("Rome", "Oslo")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"items": []}, ["missing_field", "items[]", "an empty list"]),
        ({"items": None}, ["missing_field", "items[]", "is nothing"]),
        ({"items": "a"}, ["missing_field", "items[]", "'a'"]),
        ({"items": [1]}, ["wrong_type", "items[]", "1", "object"]),
        ({"items": [*ORDER["items"], {"sku": "c", "name": "C", "qty": 1}]}, ["missing_field", "line 4", "`items[].unit_price`"]),
        ({"items": [FIRST, {**FIRST, "unit_price": 1}]}, ["out_of_range", "'a' stands twice", "19.99", "0.01"]),
        (
            {"items": [{**FIRST, "list_price": 2499}, {**FIRST, "list_price": None}]},
            ["out_of_range", "'a' stands twice", "with list_price 24.99 and None"],
        ),
        ({"items": [{**FIRST, "qty": 6000}] * 2}, ["out_of_range", "'a'", "12,000"]),
        ({"items": [{**FIRST, "qty": 0}]}, ["out_of_range", "line 1", "quantity"]),
        ({"created_at": None}, ["missing_field", "timestamp", "`created_at`"]),
        ({"customer": None}, ["missing_field", "user_id", "`user` or `customer.id`"]),
        ({"items": [{**FIRST, "unit_price": "19.99 EUR"}]}, ["wrong_type", "price", "19.99 EUR"]),
    ],
)  # fmt: skip
def test_an_order_with_one_broken_line_is_rejected_whole(change: dict[str, Any], words: list[str]) -> None:
    said = rejection(WHOLE_ORDERS, ORDER | change)
    assert all(word in said for word in words), said


def test_a_profile_on_the_topic_of_whole_orders_needs_no_lines() -> None:
    profile = {"event_type": "user_registered", "user": "u1", "name": "Ada", "created_at": "2026-07-01T10:00:00"}
    (event,) = read(WHOLE_ORDERS, profile)
    assert isinstance(event, UserChange) and (event.user_id, event.name) == ("u1", "Ada")
    returned = {
        "event_type": "order_returned",
        "id": 9,
        "created_at": "2026-07-01T10:00:00Z",
        "items": [{"sku": "a", "qty": 1}] * 2,
    }
    (reversal,) = read(WHOLE_ORDERS, returned)
    assert isinstance(reversal, OrderReversal) and reversal.quantity == 2
    assert reversal.timestamp == datetime(2026, 7, 1, 10, tzinfo=UTC), "a zone that is named counts"


@pytest.mark.parametrize(
    ("unit", "sent"), [("s", 1790000000), ("ms", 1790000000000), ("us", 1790000000000000), ("ns", "1790000000000000000")]
)
def test_times_in_a_unit_of_their_own(unit: str, sent: object) -> None:
    (event,) = read(Events.model_validate({"time_unit": unit}), PLAIN | {"timestamp": sent})
    assert event.timestamp == datetime.fromtimestamp(1790000000, UTC)


@pytest.mark.parametrize(
    ("sent", "utc"),
    [
        ("20261101", datetime(2026, 10, 31, 23, tzinfo=UTC)),  # eight digits are a date, and no epoch
        ("2026-11-01", datetime(2026, 10, 31, 23, tzinfo=UTC)),
        ("20261101T0130", datetime(2026, 11, 1, 0, 30, tzinfo=UTC)),
        ("1790000000", datetime.fromtimestamp(1790000000, UTC)),
    ],
)
def test_a_time_without_a_zone_is_of_the_zone_that_is_set(sent: str, utc: datetime) -> None:
    (event,) = read(Events(time_zone="Europe/Berlin"), PLAIN | {"timestamp": sent})
    assert event.timestamp == utc


def test_a_time_beyond_all_times_is_refused_and_takes_no_time_to_be() -> None:
    said = rejection(Events(time_unit="ns"), PLAIN | {"timestamp": "9" * 900_000})
    assert said.startswith("bad_timestamp")
    began = time.monotonic()
    for number in (b"-1e300000", b"1e300000"):
        with pytest.raises(Rejected):
            make_reader(Events(time_unit="s"))(json.dumps(PLAIN | {"timestamp": 0}).encode().replace(b": 0", b": " + number), NOW)
    assert time.monotonic() - began < 2, "some seconds, where it becomes a whole number of so many digits"


@pytest.mark.parametrize(
    ("events", "field"),
    [
        (WHOLE_ORDERS.model_copy(update={"fields": {}, "lines": None}), "order_id"),
        (Events(), "event_type"),
        (Events(attributes={"channel": "text"}), "channel"),
        (Events(attributes={"weight": "number"}), "weight"),
        (WHOLE_ORDERS, "items"),
        (Events(envelope="connect"), "payload"),
        (Events(envelope="debezium"), "after"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("around", [(b"[", b"]"), (b'{"a":', b"}")], ids=["array", "object"])
def test_what_is_nested_ever_deeper_is_rejected_and_nothing_else(events: Events, field: str, around: tuple[bytes, bytes]) -> None:
    reader, (before, behind) = make_reader(events), around
    for depth in range(1, 1200):
        nested = before * depth + b"1" + behind * depth
        with pytest.raises(Rejected):
            reader(json.dumps(PLAIN | {field: "@"}).encode().replace(b'"@"', nested), NOW)


def test_a_constant_stands_in_every_event_and_null_is_no_value() -> None:
    events = Events.model_validate({"constants": {"category": "Till 3", "user_id": 1}, "fields": {"product_title": ["a", "b"]}})
    (event,) = read(events, {**PLAIN, "a": None, "b": "Found"})
    assert (event.category, event.user_id, event.product_title) == ("Till 3", 1, "Found")


@pytest.mark.parametrize("unit", ["cents", "units"])
def test_money_in_cents_is_exact_also_as_a_text(unit: str) -> None:
    events = Events.model_validate({"unit": unit})
    (event,) = read(events, {**PLAIN, "price": "1999", "revenue": 5997, "quantity": 3})
    expected = Decimal("19.99") if unit == "cents" else Decimal("1999.00")
    assert event.price == expected and event.revenue == 3 * expected


def test_envelopes_are_opened() -> None:
    row = {"before": None, "after": PLAIN, "op": "c"}
    for envelope, document in [
        ("connect", {"schema": {"type": "struct"}, "payload": PLAIN}),
        ("debezium", row),
        ("debezium", {"schema": {}, "payload": row}),
    ]:
        (event,) = read(Events.model_validate({"envelope": envelope}), document)
        assert isinstance(event, OrderLine) and event.order_id == "A1"
    assert "after" in rejection(Events(envelope="debezium"), {"before": PLAIN, "after": None, "op": "d"})
    assert "connect envelope" in rejection(Events(envelope="connect"), {"schema": {}, "payload": [PLAIN]})


@pytest.mark.parametrize("value", [None, b"", b"{", b"[1]", b"\xff", b'"x"', b"1e9999999", b"[" * 5000, b"x" * 1_100_000])
@pytest.mark.parametrize("events", [RENAMED, WHOLE_ORDERS])
def test_rubbish_is_rejected_and_nothing_else(events: Events, value: bytes | None) -> None:
    with pytest.raises(Rejected):
        make_reader(events)(value, NOW)
