"""Whatever the bytes are, `parse` returns an event that keeps the contract, or a reason that can be stored; nothing else.

ECOM_LITE_FUZZ=long tries a hundred times as many, with a new seed each time (hypothesis prints how to repeat a failure).
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from ecom_lite.contract import events
from ecom_lite.contract import rejected as reasons
from ecom_lite.contract.events import (
    EARLIEST,
    LATEST_AHEAD,
    MAX_QUANTITY,
    PRICE_LIMIT,
    OrderLine,
    OrderReversal,
    UserChange,
    parse,
)
from ecom_lite.contract.rejected import Rejected
from ecom_lite.settings.currencies import DECIMALS

from .corpus_base import NOW
from .fuzz import any_document, json_text, values
from .fuzz import events as any_event

LONG = os.environ.get("ECOM_LITE_FUZZ") == "long"
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large]


def fuzz(examples: int) -> settings:
    return settings(
        max_examples=examples * 100 if LONG else examples,
        deadline=None,
        derandomize=not LONG,
        database=None,
        suppress_health_check=CHECKS,
        print_blob=True,
    )


def judge(value: bytes | None) -> OrderLine | OrderReversal | UserChange | None:
    """The event, all its promises checked; None for a rejection, which can be stored and shown."""
    try:
        event = parse(value, NOW)
    except Rejected as rejected:
        assert rejected.reason in reasons.REASONS.keys() - {"refused_by_database"}
        assert rejected.detail and rejected.detail.isprintable()
        assert len(rejected.detail.encode()) <= 400 * 10
        return None
    for name in ("order_id", "product_title", "category", "reason", "name", "email", "city", "country"):
        text = getattr(event, name, None)
        assert text is None or (type(text) is str and b"\0" not in text.encode() and len(text) <= 200)
    for name in ("user_id", "product_id"):
        found = getattr(event, name, None)
        if type(found) is int:
            assert 0 < found < 2**63
        elif found is not None:
            assert type(found) is str and 1 <= len(found) <= 64 and "\0" not in found
            assert not (found.isascii() and found.isdecimal()) or (int(found) >= 2**63 and found[0] != "0")
    assert event.timestamp.tzinfo is UTC and EARLIEST <= event.timestamp <= NOW + LATEST_AHEAD
    if not isinstance(event, UserChange):
        assert 1 <= event.quantity <= MAX_QUANTITY and 1 <= len(event.order_id) <= 64
    if isinstance(event, OrderLine):
        assert event.product_title and event.category
        assert 0 <= event.price < PRICE_LIMIT and event.revenue == event.price * event.quantity
        assert event.price.as_tuple().exponent == event.revenue.as_tuple().exponent == -DECIMALS[event.currency or ""]
    assert parse(events.encode(event), NOW) == event
    return event


@fuzz(1500)
@given(st.binary(max_size=300))
def test_any_bytes(value: bytes) -> None:
    judge(value)


@fuzz(600)
@given(any_document())
def test_any_json(value: bytes) -> None:
    judge(value)


@fuzz(2500)
@given(any_event())
def test_events_with_something_odd_in_them(value: bytes) -> None:
    judge(value)


@fuzz(600)
@given(json_text(), st.sampled_from(("price", "revenue", "quantity", "user_id", "timestamp", "order_id")))
def test_any_value_in_any_field(text: str, name: str) -> None:
    fields = {"order_id": '"o"', "user_id": "1", "product_id": "1", "product_title": '"t"', "category": '"c"', "price": "1"}
    fields |= {"quantity": "1", "revenue": "1", "timestamp": '"2026-01-01"'} | {name: text}
    judge(("{" + ",".join(f'"{n}":{t}' for n, t in fields.items()) + "}").encode("utf-8", "surrogatepass"))


@fuzz(600)
@given(
    st.datetimes(), st.timedeltas(-timedelta(hours=23), timedelta(hours=23)), st.sampled_from(("", "Z", "+02:00", "-23:59", ".5"))
)
def test_any_date(moment: datetime, shift: timedelta, zone: str) -> None:
    text = json.dumps(moment.isoformat() + zone)
    judge(b'{"event_type":"user_updated","user_id":1,"timestamp":' + text.encode() + b"}")
    near = (NOW + LATEST_AHEAD + shift).isoformat()
    event = judge(b'{"event_type":"user_updated","user_id":1,"timestamp":"' + near.encode() + b'"}')
    assert (event is not None) == (shift <= timedelta(0))


RARE = {"refused_by_database", "too_large", "empty", "not_an_object"}


@pytest.mark.parametrize(
    ("strategy", "rare"), [(any_event(), RARE), (values, RARE | {"unknown_currency"})], ids=["events", "values"]
)
def test_the_fuzz_reaches_events_of_each_kind_and_most_reasons(strategy: st.SearchStrategy[bytes | None], rare: set[str]) -> None:
    """A fuzz that only ever makes rubbish proves nothing. (Some runs of a strategy stay in one corner: so there are a few.)"""
    missing = {"OrderLine", "OrderReversal", "UserChange"} | (reasons.REASONS.keys() - rare)

    def look(value: bytes | None) -> None:
        try:
            missing.discard(type(parse(value, NOW)).__name__.strip("_").removesuffix("Wire"))
        except Rejected as rejected:
            missing.discard(rejected.reason)

    for number in range(24):
        if missing:
            seed(number)(fuzz(500)(given(strategy)(look)))()
    assert not missing
