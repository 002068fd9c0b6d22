"""What is told by its texts alone: everything the shop sends, and no text that would mean something else without its quotes."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from ecom_lite.settings.load import load_settings
from ecom_lite.simulate import Shop
from ecom_lite.stream.plain import ABSENT, BETWEEN, NAMES, PATTERN

PLAIN: dict[str, Any] = {
    "order_id": "b7a1-55", "user_id": 7, "product_id": 9, "product_title": "Mug, blue", "category": "Home & Kitchen",
    "price": 4.5, "quantity": 2, "revenue": 9.0, "timestamp": "2026-11-01T10:00:00Z",
}  # fmt: skip


def is_plain(event: dict[str, Any]) -> bool:
    """As Spark's reader hands over any value: its text, without what quotes there were."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in event.items() if value is not None}
    return re.search(PATTERN, "".join(texts.get(name, ABSENT) + BETWEEN for name in NAMES)) is not None


def test_every_order_of_the_shop_is_plain() -> None:
    shop = Shop(load_settings(env={}, flags={"shop.seed": 3}).shop)
    events = [json.loads(one.value or b"") for one in shop.batch(0, 300, datetime.now(UTC)) if one.kind == "order"]
    assert len(events) > 300
    assert [event for event in events if not is_plain(event)] == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("order_id", 12), ("order_id", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"), ("user_id", "c-19"), ("product_title", None),
        ("product_title", "3-in-1 charger"), ("category", ""), ("currency", "eur"), ("timestamp", 1_767_225_600.25),
        ("timestamp", "2026-01-01 10:00"), ("list_price", 5.25), ("revenue", None), ("schema_version", 1),
        ("event_type", "order"),
    ],
)  # fmt: skip
def test_what_is_plain(field: str, value: object) -> None:
    assert is_plain({**PLAIN, field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("order_id", "1e5"), ("order_id", "-7"), ("order_id", "true"), ("order_id", "7.0"), ("order_id", "007"), ("order_id", ""),
        ("order_id", "[7]"), ("user_id", 0), ("user_id", "1e5"), ("product_title", "5.0"), ("product_title", "false"),
        ("product_title", "{}"), ("product_title", "x" * 201), ("category", "12"), ("category", "a\0b"), ("price", "1e2"),
        ("price", -1), ("price", "1.23456"), ("quantity", 0), ("quantity", "2.0"), ("timestamp", "20260101"), 
        ("timestamp", "2026"),
        ("currency", "EURO"), ("event_type", "order_returned"), ("schema_version", "one"), ("event_id", "17.5"),
    ],
)  # fmt: skip
def test_what_is_read_by_its_type(field: str, value: object) -> None:
    assert not is_plain({**PLAIN, field: value})
