"""What people's producers write, as their libraries write it, and what becomes of it; docs/producers.md has it as tables.

`python -m tests.unit.contract.producers` writes the table.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from .corpus_base import BASE, FACT, json_object, order
from .producers_base import NOTHING, PLAIN, Producer, becomes, settings
from .producers_mapped import SHOPS

PAGE: Final = Path(__file__).parents[3] / "docs" / "producers.md"
BEGIN, END = "<!-- made by tests/unit/contract/producers.py -->\n", "<!-- end -->\n"


def timed(who: str, sends: str, fate: str = FACT, says: str = "", by: Mapping[str, Any] = NOTHING) -> Producer:
    return Producer(who, sends, order(product_id="42", timestamp=sends), fate, says, by)


def with_names(names: dict[str, str]) -> bytes:
    return json_object({names.get(name, name): text for name, text in BASE.items()}).replace(b"@ID@", b"42")


CAMEL: Final = {"order_id": "orderId", "user_id": "userId", "product_id": "productId", "product_title": "productTitle"}

TIMES: Final = [
    timed("Python `time.time()`", "1732454400.123456"),
    timed("Python `int(time.time())`, `date +%s`, PHP `time()`", "1732454400"),
    timed("Python `datetime.now(UTC).isoformat()`", '"2024-11-24T13:20:00.123456+00:00"'),
    timed("Python `str(datetime.now())`: is read as UTC", '"2024-11-24 13:20:00.123456"'),
    timed("JavaScript `Date.now()`, Java `currentTimeMillis()`", "1732454400123"),
    timed("JavaScript `performance.timeOrigin + performance.now()`", "1732454400123.4236"),
    timed("JavaScript `toISOString()`, `JSON.stringify(new Date())`", '"2024-11-24T13:20:00.123Z"'),
    timed("JavaScript `new Date().toString()`", '"Sun Nov 24 2024 13:20:00 GMT+0000"',
             "bad_timestamp", "write it like 2026-01-31T12:00:00Z"),
    timed("Java `Instant.now().toString()`, Go `time.RFC3339Nano`", '"2024-11-24T13:20:00.123456789Z"'),
    timed("Java `LocalDateTime`: is read as UTC", '"2024-11-24T13:20:00.123456789"'),
    timed("Java `ZonedDateTime.toString()`", '"2024-11-24T14:20:00+01:00[Europe/Paris]"',
          "bad_timestamp", "write it like 2026-01-31T12:00:00Z"),
    timed("Java, a `double` of seconds", "1.732454400123E9"),
    timed("Jackson, an `Instant` as it is written by default", "1732454400.123456789"),
    timed("Jackson, a `LocalDateTime` as it is written by default", "[2024,11,24,13,20,0,123456789]",
          "wrong_type", "WRITE_DATES_AS_TIMESTAMPS"),
    timed("pandas `to_json(orient='records', lines=True)`", "1732454400123"),
    timed("pandas, `date_unit='s'`", "1732454400"),
    timed("pandas, `date_format='iso'`", '"2024-11-24T13:20:00.123"'),
    timed("pandas, `date_unit='ns'`; Go `UnixNano()`, Python `time.time_ns()`", "1732454400123456789",
             "bad_timestamp", 'it looks like epoch nanoseconds: set [events] time_unit = "ns"', {"time_unit": "ns"}),
    timed("pandas, `date_unit='us'`; Debezium's `MicroTimestamp`", "1732454400123456",
             "bad_timestamp", 'it looks like epoch microseconds: set [events] time_unit = "us"', {"time_unit": "us"}),
    timed("BigQuery's export", '"2024-11-24 13:20:00.123456 UTC"',
             "bad_timestamp", "write it like 2026-01-31T12:00:00Z"),
    timed("a log's `yyyymmddHHMMSS`", '"20241124132000"', "bad_timestamp",
             "write it like 2026-01-31T12:00:00Z"),
]  # fmt: skip

SHAPES: Final = [
    Producer("a plain producer", '{"order_id": "o-1", ...}', PLAIN),
    Producer("numbers as ids", '"order_id": 1001', order(order_id="1001", product_id="42")),
    Producer("digits as ids", '"user_id": "7", "product_id": "42"', order(user_id='"7"', product_id='"42"')),
    Producer("UUIDs, upper or lower case: the text as it is", '"user_id": "018f3f6e-7c1a-7b1e-8000-2b1e7c1a9f3f"',
             order(user_id='"018f3f6e-7c1a-7b1e-8000-2b1e7c1a9f3f"', product_id="42")),
    Producer("SKUs", '"product_id": "MUG-042/blue"', order(product_id='"MUG-042/blue"')),
    Producer("digits with leading zeros: the same id as 7", '"user_id": "007"', order(user_id='"007"', product_id="42")),
    Producer("a number beyond 64 bits, as a text", '"user_id": "12345678901234567890"',
             order(user_id='"12345678901234567890"', product_id="42")),
    Producer("a number beyond 64 bits", '"user_id": 12345678901234567890',
             order(user_id="12345678901234567890", product_id="42"), "out_of_range", "goes as a text"),
    Producer("no customer: an empty text", '"user_id": ""', order(user_id='""', product_id="42"), "out_of_range", "user_id"),
    Producer("more fields than the contract has", '"coupon": "X"', order(product_id="42", coupon='"X"')),
    Producer("floats multiplied: 24.1 * 3", '"revenue": 72.30000000000001', order(product_id="42", price="24.1",
             revenue="72.30000000000001")),
    Producer("a price added up of floats: 0.1 + 0.2", '"price": 0.30000000000000004',
             order(product_id="42", price="0.30000000000000004", revenue="0.90"), "out_of_range",
             "more decimals than USD has (2)"),
    Producer("money in quotes", '"price": "19.99"', order(product_id="42", price='"19.99"')),
    Producer("Kafka Connect's decimals", '"price": "B88="', order(product_id="42", price='"B88="'), "wrong_type",
             "json.decimal.format=NUMERIC"),
    Producer("money with a comma", '"price": "19,99"', order(product_id="42", price='"19,99"'), "wrong_type",
             "write the decimals behind a point"),
    Producer("a quantity in quotes", '"quantity": "3"', order(product_id="42", quantity='"3"')),
    Producer("pandas, an integer column that had gaps", '"user_id": 7.0', order(product_id="42", user_id="7.0")),
    Producer("a till without categories and sums", '"category": null, no revenue',
             order(product_id="42", category="null", revenue="null")),
    Producer("a shop that names products elsewhere: a product shows its newest title, or else its id", '"product_title": null',
             order(product_id="42", product_title="null")),
    Producer("a field that may be absent, under another name: is not read", '"productTitle": "Mug"',
             with_names({"product_title": "productTitle"}), by={"fields": {"product_title": "productTitle"}}),
    Producer("pandas or Python with a missing number", '"price": NaN', order(product_id="42", price="NaN"), "not_json",
             "JSON has no NaN"),
    Producer("camelCase names", '"orderId": "o-1"', with_names(CAMEL), "missing_field",
             'map it by [events.fields]: order_id = "orderId"; likewise user_id = "userId", product_id = "productId"',
             {"fields": CAMEL}),
    Producer("other names", '"qty": 3', with_names({"quantity": "qty"}), "missing_field",
             'found `qty`: map it by [events.fields]: quantity = "qty"', {"fields": {"quantity": "qty"}}),
    Producer("Kafka Connect, JsonConverter with its schema", '{"schema": {...}, "payload": {...}}',
             b'{"schema":{"type":"struct","fields":[],"optional":false},"payload":' + PLAIN + b"}", "missing_field",
             '[events] envelope = "connect"', {"envelope": "connect"}),
    Producer("Debezium", '{"before": null, "after": {...}, "op": "c"}',
             b'{"before":null,"after":' + PLAIN + b',"source":{"version":"3.0"},"op":"c","ts_ms":1732454400123}', "missing_field",
             '[events] envelope = "debezium"', {"envelope": "debezium"}),
    Producer("Debezium with its schema", '{"schema": {...}, "payload": {"after": {...}}}',
             b'{"schema":{},"payload":{"before":null,"after":' + PLAIN + b',"op":"c"}}', "missing_field",
             '[events] envelope = "debezium"', {"envelope": "debezium"}),
    Producer("CloudEvents, structured", '{"specversion": "1.0", "data": {...}}',
             b'{"specversion":"1.0","type":"order","source":"/shop","id":"1","data":' + PLAIN + b"}", "missing_field",
             'the event seems to be in `data`: send that object itself, or map [events.fields]: order_id = "data.order_id"',
             {"fields": {name: f"data.{name}" for name in BASE}}),
    Producer("many events in one record", "[{...}, {...}]", b"[" + PLAIN + b"," + PLAIN + b"]", "not_an_object",
             "each event as a record of its own"),
    Producer("`json.dumps` twice", r'"{\"order_id\": ...}"', b'"' + PLAIN.replace(b'"', b'\\"') + b'"', "not_an_object",
             "encoded twice"),
    Producer("Python `str(dict)`", "{'order_id': 'o-1', ...}", PLAIN.replace(b'"', b"'"), "not_json", "use json.dumps"),
    Producer("a line of CSV", "o-1,7,42,Mug,Kitchen,19.99,3,59.97", b"o-1,7,42,Mug,Kitchen,19.99,3,59.97", "not_json",
             "`ecom_lite produce --format csv FILE`"),
    Producer("Confluent's Avro or JSON Schema serializer", r"\x00\x00\x00\x00\x05...", b"\0\0\0\0\x05" + PLAIN, "not_json",
             "send plain JSON"),
    Producer("base64", "eyJvcmRlcl9pZCI6...", base64.b64encode(PLAIN), "not_json", "base64"),
    Producer("gzip by the program itself", r"\x1f\x8b...", b"\x1f\x8b\x08\x00\x00" + PLAIN, "not_utf8", "gzip"),
]  # fmt: skip

PRODUCERS: Final = [*TIMES, *SHAPES, *SHOPS]


def table(producers: list[Producer]) -> str:
    lines = ["| who | sends | becomes | with `[events]` |", "|---|---|---|---|"]
    for one in producers:
        mapped = ""
        if one.by:
            found = becomes(one.value, one.by)
            mapped = settings(one.by) + ("" if found == "loads" else f": {found}")
        lines.append(f"| {one.who} | `{one.sends}` | {becomes(one.value)} | {mapped} |".replace("  |", " |"))
    return "\n".join(lines) + "\n"


def tables() -> str:
    sections = {"The time": TIMES, "The fields": SHAPES, "Shapes of their own, and what is wrong in any": SHOPS}
    return "\n".join(f"## {title}\n\n{table(producers)}" for title, producers in sections.items())


if __name__ == "__main__":
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    PAGE.write_text(before + BEGIN + tables() + END + rest.partition(END)[2], "utf-8")
