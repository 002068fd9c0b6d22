"""Values of Kafka records, good and bad, that the loader and Spark must judge alike; and the few where they do not.

The differences, all outside what a JSON writer produces (EXOTIC has one of each):
- digits beyond the 18th decimal of a price or revenue are overlooked by Spark;
- ISO 8601 week dates, and UTC offsets of more than 18 hours or with seconds, are dates to the loader only;
- text that follows the object and itself closes the list which Spark puts around it;
- of two equal keys the last one counts; where it has another type than the first, Spark keeps the first;
- `schema_version` beyond 64 bits.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Final

BASE: Final = {
    "order_id": "A1",
    "user_id": 3,
    "product_id": "7",
    "product_title": "Wireless Mouse",
    "category": "Electronics",
    "price": 19.99,
    "quantity": 3,
    "revenue": 59.97,
    "timestamp": "2026-01-01T10:00:00",
}
ABSENT: Final = object()


def value(**changes: object) -> bytes:
    event = {name: item for name, item in (BASE | changes).items() if item is not ABSENT}
    return json.dumps(event).encode()


def raw(old: str, new: str) -> bytes:
    text = value().decode()
    assert old in text, old
    return text.replace(old, new, 1).encode()


def _times() -> dict[str, bytes]:
    now = datetime.now(UTC)
    texts = [
        "2026-01-01", "20260101", "2026-01-01T10", "2026-01-01T10:00", "2026-01-01T1000", "20260101T100000Z",
        "2026-01-01x10:00", "2026-01-01 10:00:00", "2026-01-01T10:00:00Z", "2026-01-01T10:00:00.5", "2026-01-01T10:00:00,5",
        "2026-01-01T10:00:00.1234567", "2026-01-01T10:00:00.123456+02:00", "2026-01-01T10:00:00+0200",
        "2026-01-01T10:00:00-02", "2026-01-01T10:00:00 Z", "2026-01-01T10:00:00 +02:00", "2026-01-01T10:00:00-00:00",
        "2026-02-28T23:59:59.999999Z", "2000-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2026-02-29", "2026-13-01",
        "2026-01-01T24:00:00", "2026-01-01T10:60", "2026-01-01T10:00:60", "2026", "2026-01", "2026-1-1", " 2026-01-01",
        "2026-01-01T10:00:00z", "2026-01-01T10:00:00.", "2026-01-01T10:00:00+25:00", "2026-0101", "2026-001", "",
        "yesterday", "1767261600000", "2026-01-01T10:00:00 Europe/Paris", "2026-01-01T", "9999-12-31T23:59:59-10:00",
        "2026-01-01T10:00:00+02:00Z", "2026-01-01T10:00:00Z\n",
        "2026-01-01\n", "2026-01-01\n10:00", "2026-01-01\u202810:00:00", "2026-01-01\x0010:00:00",
        "2026-01-01T10:00\x00", (now + timedelta(hours=23)).isoformat(), (now + timedelta(hours=25)).isoformat(),
    ]  # fmt: skip
    numbers: list[object] = [
        1767261600000,
        1767261600000.0,
        1767261600500.25,
        946684799999,
        946684800000,
        -5,
        0,
        10**18,
        1e300,
        True,
        None,
        {},
        [],
    ]
    return {f"timestamp {text!r}": value(timestamp=text) for text in [*texts, *numbers]}


CORPUS: Final[dict[str, bytes]] = {
    "plain": value(),
    "own": value(event_id="7-1", event_type="order", schema_version=1),
    "null event type": value(event_type=None, event_id=None, schema_version=None),
    "another type": value(event_type="order_returned"),
    "unknown type": value(event_type="zzz"),
    "empty type": value(event_type=""),
    "number as type": value(event_type=5),
    "number as event id": value(event_id=5),
    "text as schema version": value(schema_version="1"),
    "float as schema version": value(schema_version=1.0),
    "extra fields": value(extra={"price": "x", "list": [1, {"z": None}]}, price_old="9"),
    "extra huge number": raw("{", '{"x": 1e999, '),
    "extra long integer": raw("{", '{"x": 12345678901234567890123, '),
    **{f"{name} absent": value(**{name: ABSENT}) for name in BASE},
    **{f"{name} null": value(**{name: None}) for name in BASE},
    **{f"{name} list": value(**{name: [1]}) for name in BASE},
    **{f"{name} bool": value(**{name: True}) for name in BASE},
    "order id integer": value(order_id=5),
    "order id 0": value(order_id=0),
    "order id negative": value(order_id=-1),
    "order id float": value(order_id=3.0),
    "order id too large": value(order_id=2**63),
    "order id largest": value(order_id=2**63 - 1),
    "order id empty": value(order_id=""),
    "order id of 64": value(order_id="x" * 64),
    "order id of 65": value(order_id="x" * 65),
    "order id of 64 beyond the BMP": value(order_id="\U0001f600" * 64),
    "order id with NUL": value(order_id="a\0b"),
    "user id digits": value(user_id="0012"),
    "user id 0": value(user_id=0),
    "user id '0'": value(user_id="0"),
    "user id negative": value(user_id=-3),
    "user id '-3'": value(user_id="-3"),
    "user id float": value(user_id=3.0),
    "user id text": value(user_id="abc"),
    "user id of 20 digits": value(user_id="1" * 20),
    "user id beyond 64 bits": value(user_id="9" * 19),
    "user id and a line feed": value(user_id="3\n"),
    "user id other digits": value(user_id="٣"),
    "product id largest": value(product_id=2**63 - 1),
    "product id beyond": value(product_id=2**63),
    "title of 200": value(product_title="é" * 200),
    "title of 201": value(product_title="é" * 201),
    "title empty": value(product_title=""),
    "title blank": value(product_title=" "),
    "title number": value(product_title=5),
    "title with NUL": value(product_title="a\0b"),
    "category number": value(category=5),
    "category with quotes": value(category='a "b" \\ c'),
    "category of 201": value(category="c" * 201),
    "price text": value(price="19.99"),
    "price NaN": raw("19.99", "NaN"),
    "price 'NaN'": value(price="NaN"),
    "price 3 decimals": value(price=19.991, revenue=59.973),
    "price trailing zeros": raw("19.99", "19.9900"),
    "price exponent": raw("19.99", "1999e-2"),
    "price one more digit": raw("19.99", "19.990000000000001"),
    "price integer": value(price=20, revenue=60),
    "price zero": value(price=0, revenue=0),
    "price minus zero": value(price=-0.0, revenue=0),
    "price negative": value(price=-1, revenue=-3),
    "price highest": value(price=99999999.99, revenue=299999999.97),
    "price too high": value(price=100000000, revenue=300000000),
    "price huge": value(price=1e300),
    "price of 50 digits": value(price=10**50),
    "revenue off by a cent": value(revenue=59.98),
    "revenue off by less": value(revenue=59.9700001),
    "revenue text": value(revenue="59.97"),
    "revenue zero with an exponent": raw("59.97", "0e100").replace(b"19.99", b"0"),
    "revenue trailing zero": raw("59.97", "59.970"),
    "quantity 0": value(quantity=0, revenue=0),
    "quantity 1": value(quantity=1, revenue=19.99),
    "quantity 10000": value(quantity=10000, revenue=199900),
    "quantity 10001": value(quantity=10001, revenue=199919.99),
    "quantity text": value(quantity="3"),
    "quantity float": raw('"quantity": 3', '"quantity": 3.0'),
    "quantity exponent": raw('"quantity": 3', '"quantity": 3e0'),
    "quantity huge": value(quantity=10**30),
    **_times(),
    "key twice": raw("{", '{"price": 1, '),
    "key twice, first a list": raw("{", '{"price": [1], '),
    "key twice, first of a wrong type": raw("{", '{"quantity": "x", "event_type": 5, "event_type": "order", "user_id": {}, '),
    "key twice, first too large": raw("{", '{"quantity": 10001, "user_id": 0, "order_id": "", "timestamp": [], '),
    "other case": raw('"price"', '"Price"'),
    "white space around": b"\n " + value() + b" \t\n",
    "text after": value() + b" x",
    "two objects": value() + value(),
    "two objects with comma": value() + b"," + value(),
    "in a list": b"[" + value() + b"]",
    "byte order mark": b"\xef\xbb\xbf" + value(),
    "comment": b"// x\n" + value(),
    "single quotes": value().replace(b'"', b"'"),
    "comma at the end": raw("}", ",}"),
    "lone surrogate": raw('"A1"', '"\\ud800"'),
    "lone surrogate in an extra field": raw("{", '{"x": "\\ud800", '),
    "second half alone in an extra field": raw("{", '{"x": "\\uDC00 \\uD83D\\uDE00", '),
    "halves the wrong way round": raw("{", '{"x": ["\\uDE00\\uD83D"], '),
    "lone surrogate behind an escaped backslash": raw("{", '{"x": "\\\\\\ud800", '),
    "escaped backslash before the letters": raw("{", '{"x": "\\\\ud800 \\n\\ud83d\\ude00", '),
    "pair in an extra field": raw("{", '{"x": "\\ud83d\\ude00\\uD83D\\uDE00", '),
    "not UTF-8 in an extra field": raw("{", '{"x": "@", ').replace(b"@", b"caf\xe9"),
    "not UTF-8": value().replace(b"Wireless", b"Wire\xffess"),
    "control character": raw("Wireless", "Wire\x01less"),
    "cut short": value()[:-5],
    "too large": value(extra="x" * 1_000_000),
    "number": b"3",
    "text": b'"order"',
    "null": b"null",
    "empty object": b"{}",
    "blank": b"  ",
    "empty": b"",
    "rubbish": b"\x00\x01\x02",
}
EXOTIC: Final[dict[str, bytes]] = {
    "price digits beyond the 18th": raw("19.99", "19.9900000000000000001"),
    "week date": value(timestamp="2026-W01-1"),
    "offset of 20 hours": value(timestamp="2026-01-02T10:00:00+20:00"),
    "offset with seconds": value(timestamp="2026-01-01T10:00:00+02:00:30"),
    "closes the list": value() + b"] [1",
    "key twice, last of a wrong type": raw("}", ', "quantity": "x"}'),
    "schema version beyond 64 bits": value(schema_version=10**30),
}
