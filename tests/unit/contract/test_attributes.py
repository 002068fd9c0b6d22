"""Declared attributes: whatever their way to the event, the same value or the same reason."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecom_lite.contract.attributes import MAX_DIGITS, PREFIX, attributes_of
from ecom_lite.contract.events import OrderReversal, parse
from ecom_lite.contract.reader import make_reader
from ecom_lite.contract.rejected import Rejected
from ecom_lite.settings.events import Events
from tests.unit.contract.corpus import CASES

NOW = datetime(2026, 11, 24, tzinfo=UTC)
PLAIN = {
    "order_id": "A1", "user_id": "c-7", "product_id": 5, "product_title": "Pen", "category": "Office", "price": 19.99,
    "quantity": 2, "revenue": 39.98, "timestamp": "2026-11-01T00:00:00Z",
}  # fmt: skip
DECLARED = {"t": "text", "store": "dimension", "i": "integer", "n": "number", "b": "boolean", "class": "text", "import": "text"}
EVENTS = Events.model_validate({"attributes": DECLARED})
SLOW = Events.model_validate({"attributes": DECLARED, "time_zone": "Europe/Berlin"})  # no decoder alone can do that


def read(events: Events, raw: str, name: str) -> Any:
    value = json.dumps(PLAIN)[:-1] + f', "{name}": {raw}}}'
    (event,) = make_reader(events)(value.encode(), NOW)
    return attributes_of(event)[name]


@pytest.mark.parametrize("events", [EVENTS, SLOW], ids=["quick", "slow"])
@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("t", '"web"', "web"), ("t", "1.50", "1.50"), ("t", "7", "7"), ("t", '""', None), ("t", "null", None), ("t", '"ß"', "ß"),
        ("store", '"S"', "S"), ("store", "12", "12"), ("class", '"x"', "x"), ("import", '"x"', "x"),
        ("t", '"' + "x" * 200 + '"', "x" * 200),
        ("i", "5", 5), ("i", "2.0", 2), ("i", '"-3"', -3), ("i", "1e3", 1000), ("i", '""', None),
        ("n", "0.1", Decimal("0.1")), ("n", '"2.5"', Decimal("2.5")), ("n", "1e-7", Decimal(0)),
        ("n", "0.0000015", Decimal("0.000002")),
        ("n", "-1", Decimal(-1)),
        ("n", "1e17", Decimal(10) ** 17), ("b", "true", True), ("b", '"False"', False), ("b", "null", None),
    ],
)  # fmt: skip
def test_a_value_is_what_its_type_says(events: Events, name: str, raw: str, value: Any) -> None:
    found = read(events, raw, name)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize("events", [EVENTS, SLOW], ids=["quick", "slow"])
@pytest.mark.parametrize(
    ("name", "raw", "words"),
    [
        ("t", "true", ["wrong_type", "t True", "a text", 'events.attributes.t = "text"']), ("t", "{}", ["wrong_type", "{}"]),
        ("store", "[1]", ["wrong_type", "[1]", '"dimension"']), ("t", '"' + "x" * 201 + '"', ["out_of_range", "201", "200 fit"]),
        ("t", r'"a\u0000b"', ["nul_byte", "t"]), ("i", "1.5", ["wrong_type", "1.5", "a whole number"]),
        ("i", "true", ["wrong_type"]), ("i", "1e30", ["out_of_range", "64-bit"]), ("i", '"many"', ["wrong_type", "many"]),
        ("n", '"1,5"', ["wrong_type", "1,5"]), ("n", '"NaN"', ["wrong_type"]),
        ("n", "1e18", ["out_of_range", str(MAX_DIGITS)]),
        ("n", "1e9999999", ["out_of_range"]), ("n", "999999999999999999.9999999", ["out_of_range"]),
        ("n", '"Infinity"', ["wrong_type"]),
        ("b", "1", ["wrong_type", "true or false"]), ("b", '"yes"', ["wrong_type", "yes"]), ("b", "[[]]", ["wrong_type"]),
    ],
)  # fmt: skip
def test_a_wrong_one_is_refused_and_the_detail_says_what(events: Events, name: str, raw: str, words: list[str]) -> None:
    with pytest.raises(Rejected) as raised:
        read(events, raw, name)
    assert [word for word in words if word not in str(raised.value)] == []


def test_what_has_no_attributes_is_judged_as_without_any_declared() -> None:
    def verdict(read: Any, value: bytes | None) -> Any:
        try:
            event = read(value)
        except Rejected as rejected:
            return rejected.reason
        return {name: getattr(event, name) for name in event.__struct_fields__ if not name.startswith(PREFIX)}

    reader = make_reader(EVENTS)
    differ = [
        case.name
        for case in CASES
        if verdict(lambda value: reader(value, NOW)[0], case.value) != verdict(lambda value: parse(value, NOW), case.value)
    ]
    assert differ == []


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9)


@given(st.sampled_from(sorted(DECLARED)), st.recursive(SCALARS, lambda of: st.lists(of, max_size=2)))
def test_the_quick_way_and_the_slow_one_agree(name: str, value: Any) -> None:
    found = []
    for events in (EVENTS, SLOW):
        try:
            found.append(read(events, json.dumps(value), name))
        except Rejected as rejected:
            found.append(rejected.reason)
    assert found[0] == found[1]


LINES = {"attributes": {"channel": "text", "coupon": "text"}, "lines": "items[]", "fields": {"coupon": "items[].code"}}


def order(*codes: str | None) -> bytes:
    return json.dumps(PLAIN | {"channel": "web", "items": [PLAIN | {"product_id": 5, "code": code} for code in codes]}).encode()


def test_an_attribute_of_the_order_goes_to_each_line_and_one_of_the_line_to_its_own() -> None:
    lines = make_reader(Events.model_validate(LINES))
    (event,) = lines(order("A", "A"), NOW)
    assert (event.quantity, attributes_of(event)) == (4, {"channel": "web", "coupon": "A"})  # type: ignore[union-attr]
    with pytest.raises(Rejected, match=r"product 5 stands twice, with coupon 'A' and None"):
        lines(order("A", None), NOW)


def test_other_events_have_no_attributes() -> None:
    value = {
        "event_type": "order_returned",
        "order_id": "A1",
        "product_id": 5,
        "quantity": 1,
        "timestamp": "2026-11-01T00:00:00Z",
    }
    (event,) = make_reader(EVENTS)(json.dumps(value | {"t": [1]}).encode(), NOW)
    assert isinstance(event, OrderReversal) and attributes_of(event) == {}


def test_a_name_on_the_wire_may_be_that_of_two() -> None:
    events = Events.model_validate({"attributes": {"title": "text"}, "fields": {"title": "product_title"}})
    (event,) = make_reader(events)(json.dumps(PLAIN).encode(), NOW)
    assert attributes_of(event) == {"title": "Pen"} and event.product_title == "Pen"  # type: ignore[union-attr]
