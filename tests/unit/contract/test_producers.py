"""The usual producers: what they send loads, or the dead letter says what to change; and the docs tell it as it is."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from ecom_lite.contract.events import OrderLine, parse
from ecom_lite.contract.rejected import Rejected

from .corpus_base import FACT, NOW
from .producers import PAGE, PLAIN, PRODUCERS, Producer, tables


@pytest.mark.parametrize("producer", PRODUCERS, ids=lambda producer: producer.who)
def test_a_producer_loads_or_its_dead_letter_says_what_to_change(producer: Producer) -> None:
    if producer.fate == FACT:
        assert isinstance(parse(producer.value, NOW), OrderLine)
        return
    with pytest.raises(Rejected) as rejected:
        parse(producer.value, NOW)
    assert rejected.value.reason == producer.fate
    assert producer.says and producer.says in rejected.value.detail


@pytest.mark.parametrize(
    "stamp", [time.time, lambda: int(time.time()), lambda: str(datetime.now(UTC)), lambda: time.time_ns() // 10**6]
)
def test_what_python_writes_now_loads(stamp: Any) -> None:
    value = json.dumps(json.loads(PLAIN) | {"timestamp": (sent := stamp())}).encode()
    event = parse(value, datetime.now(UTC))
    assert abs((datetime.now(UTC) - event.timestamp).total_seconds()) < 60, sent


def test_the_page_of_producers_is_current() -> None:
    assert tables() in PAGE.read_text("utf-8"), "run `python -m tests.unit.contract.producers` and commit docs/producers.md"


@pytest.mark.parametrize(
    ("missing", "found"),
    [
        ("order_id", "OrderID"),
        ("order_id", "order-id"),
        ("product_id", "Product Id"),
        ("timestamp", "createdAt"),
        ("user_id", "customerId"),
    ],
)
def test_a_field_under_another_name_is_found(missing: str, found: str) -> None:
    with pytest.raises(Rejected, match=rf'found `{found}`: map it by \[events.fields\]: {missing} = "{found}"'):
        parse(PLAIN.replace(b'"%b"' % missing.encode(), b'"%b"' % found.encode()), NOW)


def test_a_hint_keeps_hostile_names_harmless_and_short() -> None:
    with pytest.raises(Rejected) as rejected:
        parse(PLAIN.replace(b'"order_id"', b'"\\u001b[2Jorder_id' + b"-" * 500 + b'"'), NOW)
    assert rejected.value.detail.isprintable() and len(rejected.value.detail) < 500
    with pytest.raises(Rejected) as rejected:
        parse(b'{"\\u202e\\u001b[31m' + b"x" * 500 + b'":' + PLAIN + b"}", NOW)
    assert "the event seems to be in" in rejected.value.detail and rejected.value.detail.isprintable()
