"""The usual producers: what they send loads, or the dead letter says what to change; and the docs tell it as it is."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from ecom_lite.contract.events import OrderLine, parse
from ecom_lite.contract.reader import make_reader
from ecom_lite.contract.rejected import Rejected
from ecom_lite.settings.events import Events

from .corpus_base import FACT, NOW
from .producers import PAGE, PRODUCERS, tables
from .producers_base import NOTHING, PLAIN, Producer


@pytest.mark.parametrize("producer", PRODUCERS, ids=lambda producer: producer.who)
def test_a_producer_loads_or_its_dead_letter_says_what_to_change(producer: Producer) -> None:
    if producer.fate == FACT:
        assert isinstance(parse(producer.value, NOW), OrderLine)
        return
    with pytest.raises(Rejected) as rejected:
        parse(producer.value, NOW)
    assert rejected.value.reason == producer.fate
    assert producer.says in rejected.value.detail


@pytest.mark.parametrize("producer", [one for one in PRODUCERS if one.by], ids=lambda producer: producer.who)
def test_a_mapping_that_is_named_loads_what_it_is_named_for(producer: Producer) -> None:
    events = make_reader(Events.model_validate(producer.by))(producer.value, NOW)
    assert all(isinstance(event, OrderLine) for event in events)


def test_there_are_many_of_them_each_said_once() -> None:
    assert len({one.who for one in PRODUCERS}) == len(PRODUCERS) >= 87
    assert all(one.says for one in PRODUCERS if one.fate not in (FACT, "missing_field"))


def test_cents_that_nobody_names_load_as_whole_units_and_named_ones_as_what_they_are() -> None:
    (cents,) = [one for one in PRODUCERS if one.sends == '"price": 1999']
    for by, price in ((NOTHING, "1999.00"), (cents.by, "19.99")):
        (event,) = make_reader(Events.model_validate(by))(cents.value, NOW)
        assert isinstance(event, OrderLine) and str(event.price) == price


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
