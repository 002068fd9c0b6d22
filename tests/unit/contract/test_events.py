"""The contract of the topic: what is an event, and the exact reason why something is none."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecom_lite.contract import events
from ecom_lite.contract import rejected as reasons
from ecom_lite.contract.events import OrderLine, OrderReversal, UserChange, parse
from ecom_lite.contract.rejected import Rejected
from ecom_lite.contract.schemas import json_schemas

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
PLAIN = {
    "order_id": '"o-1"',
    "user_id": "7",
    "product_id": "42",
    "product_title": '"Mug"',
    "category": '"Kitchen"',
    "price": "19.99",
    "quantity": "3",
    "revenue": "59.97",
    "timestamp": '"2026-01-01T00:00:00Z"',
}

CAN_BE_WORKED_OUT = {"product_title", "category", "revenue"}


def order(without: str = "", **raw: str) -> bytes:
    """A plain order line; `raw` replaces or adds fields by their JSON text."""
    fields = {name: text for name, text in (PLAIN | raw).items() if name != without}
    return ("{" + ",".join(f'"{name}":{text}' for name, text in fields.items()) + "}").encode("utf-8", "surrogateescape")


def user(**fields: Any) -> bytes:
    return json.dumps({"event_type": "user_updated", "user_id": 1, "timestamp": "2026-01-01", **fields}).encode()


def reversal(**fields: Any) -> bytes:
    base = {"event_type": "order_returned", "order_id": "o", "product_id": 1, "quantity": 1, "timestamp": "2026-01-01"}
    return json.dumps(base | fields).encode()


def test_the_nine_fields_of_a_plain_producer_are_an_order_line() -> None:
    event = parse(order(), NOW)
    assert isinstance(event, OrderLine)
    assert msgspec.structs.asdict(event) == {
        "order_id": "o-1", "user_id": 7, "product_id": 42, "product_title": "Mug", "category": "Kitchen",
        "price": Decimal("19.99"), "quantity": 3, "revenue": Decimal("59.97"), "timestamp": MIDNIGHT,
        "currency": "USD", "event_id": None, "event_type": None, "schema_version": None, "list_price": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "raw", "parsed"),
    [
        ("order_id", "12", "12"),
        ("order_id", "0", "0"),
        ("order_id", '"' + "x" * 64 + '"', "x" * 64),
        ("order_id", r'"\ud83d\ude00"', "\U0001f600"),
        ("user_id", '"007"', 7),
        ("user_id", str(2**63 - 1), 2**63 - 1),
        ("user_id", f'"{2**63 - 1}"', 2**63 - 1),
        ("user_id", f'"00{2**63}"', str(2**63)),
        ("user_id", '"' + "9" * 64 + '"', "9" * 64),
        ("user_id", '"018f3f6e-7c1a-7b1e-8000-00000000000F"', "018f3f6e-7c1a-7b1e-8000-00000000000F"),
        ("user_id", '" 7"', " 7"),
        ("user_id", r'"7\n"', "7\n"),
        ("user_id", '"7.0"', "7.0"),
        ("user_id", '"٧"', "٧"),
        ("product_id", '"' + "é" * 64 + '"', "é" * 64),
        ("product_id", '"42"', 42),
        ("product_title", '"' + "é" * 200 + '"', "é" * 200),
        ("product_title", r'"a\\u0000b"', r"a\u0000b"),
        ("timestamp", '"2026-01-01"', MIDNIGHT),
        ("timestamp", '"2026-01-01T00:00:00"', MIDNIGHT),
        ("timestamp", '"2026-01-01T05:30:00+05:30"', MIDNIGHT),
        ("timestamp", '"20260101T000000Z"', MIDNIGHT),
        ("timestamp", "1767225600000", MIDNIGHT),
        ("timestamp", "1767225600000.5", MIDNIGHT + timedelta(microseconds=500)),
        ("timestamp", "1767225600000.0009", MIDNIGHT),
        ("timestamp", "1767225600", MIDNIGHT),
        ("timestamp", "1767225600.000001", MIDNIGHT + timedelta(microseconds=1)),
        ("timestamp", "1732454400.9999999", datetime(2024, 11, 24, 13, 20, 0, 999_999, UTC)),  # as a float it is the next second
        ("timestamp", "1.7672256000000019e9", MIDNIGHT + timedelta(microseconds=1)),
        ("timestamp", '"1767225600"', MIDNIGHT),
        ("timestamp", '"1767225600000"', MIDNIGHT),
        ("timestamp", '"1767225600.1234569"', MIDNIGHT + timedelta(microseconds=123456)),
        ("timestamp", '"1704110100000"', datetime(2024, 1, 1, 11, 55, tzinfo=UTC)),  # fromisoformat: ten o'clock, in 1704
        ("timestamp", '"20260101"', MIDNIGHT),
        ("timestamp", '"2026-01-01T00:00:00.123456789Z"', MIDNIGHT + timedelta(microseconds=123456)),
        ("timestamp", '"2000-01-01T00:00:00Z"', events.EARLIEST),
        ("timestamp", '"2026-06-02T00:00:00Z"', NOW + timedelta(days=1)),
        ("event_type", "null", None),
        ("event_type", '"order"', "order"),
        ("schema_version", "99", 99),
    ],
)
def test_a_good_field_is_normalised(field: str, raw: str, parsed: object) -> None:
    assert getattr(parse(order(**{field: raw}), NOW), field) == parsed


MEANT = [
    ("order_id", "12.0", "12"),
    ("user_id", "7.0", 7),
    ("user_id", "9007199254740993.0", 9_007_199_254_740_993),  # as a float it is another one
    ("product_id", "4.2e1", 42),
    ("product_id", '"SKU-42"', "SKU-42"),
    ("user_id", '"7 "', "7 "),
    ("user_id", f'"{2**63}"', str(2**63)),
    ("quantity", '"3"', 3),
    ("quantity", '"3.00"', 3),
    ("quantity", "3.0", 3),
    ("price", '"19.99"', Decimal("19.99")),
    ("revenue", '"59.97"', Decimal("59.97")),
    ("revenue", "null", Decimal("59.97")),
    ("revenue", "", Decimal("59.97")),
    ("category", "null", "Uncategorised"),
    ("category", '""', "Uncategorised"),
    ("category", "", "Uncategorised"),
    ("product_title", "null", "42"),
    ("product_title", '""', "42"),
    ("product_title", "", "42"),
]


@pytest.mark.parametrize(("field", "raw", "meant"), MEANT)
def test_what_only_means_a_number_or_can_be_worked_out_is_taken_unless_strict(field: str, raw: str, meant: object) -> None:
    value = order(**{field: raw}) if raw else order(without=field)
    assert getattr(parse(value, NOW), field) == meant
    with pytest.raises(Rejected) as rejected:
        parse(value, NOW, strict=True)
    assert field in rejected.value.detail
    assert rejected.value.reason in {"wrong_type", "missing_field", "out_of_range"}


@pytest.mark.parametrize(
    ("price", "quantity", "revenue", "cents"),
    [
        ("0.1", 3, "0.3", 30),  # 0.1 * 3 is not 0.3 in floats
        ("1.1", 3, "3.3", 330),
        ("0", 1, "0.00", 0),
        ("-0", 1, "0", 0),
        ("1E2", 2, "2.0e2", 20_000),
        ("99999999.99", 10_000, "999999999900.00", 99_999_999_990_000),
        ("4.350", 1, "4.35", 435),
    ],
)
def test_money_is_exact(price: str, quantity: int, revenue: str, cents: int) -> None:
    event = parse(order(price=price, quantity=str(quantity), revenue=revenue), NOW)
    assert isinstance(event, OrderLine)
    assert event.revenue * 100 == cents
    assert event.price * quantity == event.revenue
    assert event.revenue.as_tuple().exponent == -2


@pytest.mark.parametrize(
    ("raw", "meant", "strictly"),
    [
        ("24.99", Decimal("24.99"), Decimal("24.99")),
        ("5", Decimal(5), Decimal(5)),  # below the price: it may be, and is no discount
        ("null", None, None),
        ('"24.99"', Decimal("24.99"), "wrong_type"),
        ('""', None, "wrong_type"),
        ('"RRP 24.99"', "wrong_type", "wrong_type"),
        ("24.995", "out_of_range", "out_of_range"),
        ("100000000", "out_of_range", "out_of_range"),
    ],
)
def test_a_list_price_is_optional_and_keeps_the_limits_of_a_price(raw: str, meant: object, strictly: object) -> None:
    for strict, expected in ((False, meant), (True, strictly)):
        try:
            event = parse(order(list_price=raw), NOW, strict=strict)
        except Rejected as rejected:
            assert rejected.reason == expected and rejected.detail.startswith("list_price ")
        else:
            assert isinstance(event, OrderLine) and event.list_price == expected


def test_the_list_price_of_another_currency_has_its_decimals() -> None:
    event = parse(order(currency='"KWD"', list_price="24.995"), NOW)
    assert isinstance(event, OrderLine) and event.list_price == Decimal("24.995")
    with pytest.raises(Rejected, match=r"list_price 24\.5 has more decimals than JPY has \(0\)"):
        parse(order(currency='"JPY"', price="10", revenue="30", list_price="24.5"), NOW)


@pytest.mark.parametrize("extra", ['"x":1e999', '"x":{"y":[1,2]}', '"price":19.99', r'"\u0000":1'])
def test_unknown_and_repeated_fields_do_no_harm(extra: str) -> None:
    assert parse(order()[:-1] + b"," + extra.encode("utf-8", "surrogateescape") + b"}", NOW) == parse(order(), NOW)


def test_the_last_of_two_equal_keys_counts() -> None:
    event = parse(order()[:-1] + b',"quantity":1,"revenue":19.99}', NOW)
    assert isinstance(event, OrderLine) and event.quantity == 1


def test_other_types_are_recognised() -> None:
    assert isinstance(parse(reversal(event_type="order_cancelled", order_id=5, product_id="3"), NOW), OrderReversal)
    changed = parse(user(event_type="user_registered", name="Ada", nickname="x"), NOW)
    assert isinstance(changed, UserChange) and (changed.name, changed.email) == ("Ada", None)


BAD: list[tuple[str, bytes | None]] = [
    ("empty", None),
    ("empty", b""),
    ("too_large", b"x" * 1_000_001),
    ("too_large", b'"' + b"x" * 10_000_000 + b'"'),
    ("not_utf8", b"\xff\xfe"),
    ("not_utf8", order(product_title='"\udcff"')),
    ("not_utf8", order(order_id='"\udced\udca0\udc80"')),  # a surrogate written as bytes
    ("not_utf8", b'{"event_type":"\xff"}'),
    ("not_json", b" "),
    ("not_json", b"nul"),
    ("not_json", order() + order()),
    ("not_json", order()[:-1]),
    ("not_json", b"\xef\xbb\xbf" + order()),
    ("not_json", b"[" * 200_000),
    ("not_json", b'{"a":' * 100_000),
    ("not_json", order(x="[" * 100_000 + "]" * 100_000)),
    ("not_json", order(price="NaN")),
    ("not_json", order(price="Infinity")),
    ("not_json", order(price="01")),
    ("not_json", order(price="1.")),
    ("not_json", order(order_id='"a\0b"')),
    ("not_json", order(order_id=r'"\ud800"')),
    ("not_json", user(name="x").replace(b'"x"', rb'"\udc00"')),
    ("not_json", order(timestamp="1e999")),
    ("not_json", b"9" * 100_000),
    ("not_an_object", b"null"),
    ("not_an_object", b"[]"),
    ("not_an_object", b'"text"'),
    ("not_an_object", b"12"),
    ("unknown_currency", order(currency='"EURO"')),
    ("unknown_type", order(event_type='"nope"')),
    ("unknown_type", order(event_type='""')),
    ("unknown_type", order(event_type="5")),
    ("unknown_type", order(event_type="[]")),
    ("missing_field", b"{}"),
    ("missing_field", user().replace(b"user_id", b"user")),
    ("missing_field", reversal().replace(b"quantity", b"n")),
    ("wrong_type", order(order_id="1.5")),
    ("wrong_type", order(user_id="true")),
    ("wrong_type", order(product_id="null")),
    ("wrong_type", order(quantity='"one"')),
    ("wrong_type", order(price='"19,99"')),
    ("wrong_type", order(price="null")),
    ("wrong_type", order(price="[1]")),
    ("not_utf8", order(price='"\udcff"')),
    ("not_utf8", order(x='"\udcff"')),  # also where the field is ignored: Spark looks at all of it
    ("wrong_type", order(schema_version='"x"')),
    ("wrong_type", user(name=5)),
    ("out_of_range", order(order_id='""')),
    ("out_of_range", order(order_id='"' + "x" * 65 + '"')),
    ("out_of_range", order(order_id="-1")),
    ("out_of_range", order(user_id="0")),
    ("out_of_range", order(user_id=str(2**63))),
    ("out_of_range", order(user_id="9" * 400)),
    ("out_of_range", order(user_id='"000"')),
    ("out_of_range", order(user_id='""')),
    ("out_of_range", order(product_id='"' + "x" * 65 + '"')),
    ("nul_byte", order(product_id=r'"a\u0000"')),
    ("nul_byte", user(user_id="7\0")),
    ("nul_byte", reversal(user_id="\0")),
    ("out_of_range", order(quantity="0")),
    ("out_of_range", order(quantity="10001")),
    ("out_of_range", order(product_title='"' + "x" * 201 + '"')),
    ("out_of_range", order(category='"' + "x" * 201 + '"')),
    ("out_of_range", order(price="-1")),
    ("out_of_range", order(price="100000000")),
    ("out_of_range", order(price="0.001")),
    ("out_of_range", order(price="1e-999999")),
    ("out_of_range", order(price="1e99999999999999999999")),
    ("out_of_range", order(revenue="1e99999999999999999999")),
    ("out_of_range", order(price="0." + "0" * 5000, revenue="0")),
    ("out_of_range", reversal(reason="x" * 201)),
    ("nul_byte", order(order_id=r'"a\u0000b"')),
    ("nul_byte", user(email="\0")),
    ("nul_byte", reversal(reason="\0")),
    ("wrong_type", order(timestamp="null")),
    ("bad_timestamp", order(timestamp='""')),
    ("bad_timestamp", order(timestamp='"yesterday"')),
    ("bad_timestamp", order(timestamp='"1767225600000000"')),
    ("bad_timestamp", order(timestamp="100000000000")),  # milliseconds of 1973
    ("bad_timestamp", order(timestamp='"2026-02-30T00:00:00Z"')),
    ("bad_timestamp", order(timestamp='"1999-12-31T23:59:59Z"')),
    ("bad_timestamp", order(timestamp='"2026-06-02T00:00:01Z"')),
    ("bad_timestamp", order(timestamp='"0001-01-01T00:00:00+23:59"')),
    ("bad_timestamp", order(timestamp='"9999-12-31T23:59:59-23:59"')),
    ("bad_timestamp", order(timestamp="9" * 40)),
    ("bad_timestamp", order(timestamp="-1e300")),
    ("wrong_type", user(timestamp={})),
    ("revenue_mismatch", order(revenue="59.98")),
    ("revenue_mismatch", order(revenue="59.975")),
    ("revenue_mismatch", order(revenue="-59.97")),
    ("revenue_mismatch", order(revenue="1e999999")),
    *(("missing_field", order(without=name)) for name in PLAIN.keys() - CAN_BE_WORKED_OUT),
]


@pytest.mark.parametrize(("reason", "value"), BAD, ids=[f"{reason}-{i}" for i, (reason, _) in enumerate(BAD)])
def test_what_is_no_event_is_rejected_with_the_exact_reason(reason: str, value: bytes | None) -> None:
    with pytest.raises(Rejected) as rejected:
        parse(value, NOW)
    assert rejected.value.reason == reason, rejected.value.detail
    assert len(rejected.value.detail) < 1000


def test_every_reason_but_the_database_s_is_in_the_corpus() -> None:
    assert {reason for reason, _ in BAD} == reasons.REASONS.keys() - {"refused_by_database"}


def is_event_or_rejected(value: bytes) -> None:
    try:
        event = parse(value, NOW)
    except Rejected as rejected:
        assert rejected.reason in reasons.REASONS
        rejected.detail.encode()
        return
    # What was accepted can be stored, and written again as the same event.
    for name in ("order_id", "product_title", "category", "name", "email", "city", "country", "reason"):
        text = getattr(event, name, None)
        assert text is None or "\0" not in text.encode().decode()
    assert parse(events.encode(event), NOW) == event


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_an_event_or_rejected(value: bytes) -> None:
    is_event_or_rejected(value)


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
plausible = {
    "order_id": any_json,
    "user_id": st.integers(-1, 2**64) | st.text("0123456789\n", max_size=20) | any_json,
    "product_id": st.integers(1, 50),
    "price": st.decimals(-1, 10**8, places=2).map(float) | any_json,
    "quantity": st.integers(0, 10_001),
    "timestamp": st.datetimes().map(str) | st.integers(-(10**14), 10**14) | st.floats() | any_json,
    "event_type": st.sampled_from([*events.EVENT_TYPES, None, "nope"]) | any_json,
    "name": any_json,
    "reason": any_json,
    "x": any_json,
}


@settings(max_examples=300, deadline=None)
@given(st.fixed_dictionaries({}, optional=plausible), st.data())
def test_any_json_object_is_an_event_or_rejected(fields: dict[str, Any], data: st.DataObject) -> None:
    base = {name: json.loads(text) for name, text in PLAIN.items()}
    value = json.dumps(base | fields, ensure_ascii=data.draw(st.booleans())).encode("utf-8", "surrogatepass")
    is_event_or_rejected(value)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(order()) - 1), st.binary(max_size=3))
def test_a_damaged_event_is_an_event_or_rejected(at: int, damage: bytes) -> None:
    good = order()
    is_event_or_rejected(good[:at] + damage + good[at + len(damage) :])


def test_schemas_say_which_fields_are_required() -> None:
    schemas = json_schemas()
    assert schemas.keys() == events.EVENT_TYPES.keys()
    assert set(schemas["order"]["required"]) == PLAIN.keys() - CAN_BE_WORKED_OUT
    assert msgspec.json.decode(msgspec.json.encode(schemas)) == schemas


def test_revenue_is_compared_to_the_cent_and_kept_exact() -> None:
    noisy = order(price="24.1", revenue=repr(24.1 * 3))
    assert b"72.30000000000001" in noisy
    event = parse(noisy, NOW)
    assert isinstance(event, OrderLine) and event.revenue == Decimal("72.30")
