"""What the asserts of the plugin say of facts, without any: matching, differences, and options that are no settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from ecom_lite.errors import UsageError
from ecom_lite.testing.dead import DeadLetter
from ecom_lite.testing.facts import differences, matching, same, shown
from ecom_lite.testing.options import OPTIONS, flags_of

NOON = datetime(2026, 1, 2, 7, tzinfo=timezone(timedelta(hours=-5)))  # by the clock of a session in New York


def fact(order: str, **columns: Any) -> dict[str, Any]:
    return {"order_id": order, "product_id": "7", "user_id": "42", "quantity": 2, "revenue": Decimal("49.00")} | columns


def event(order: object, **fields: Any) -> dict[str, Any]:
    return {"order_id": order, "product_id": 7, "user_id": 42, "quantity": 2, "revenue": 49.0} | fields


@pytest.mark.parametrize(
    ("stored", "wanted", "equal"),
    [
        (Decimal("24.5000"), 24.5, True), (Decimal("24.50"), "24.50", True), (Decimal("1"), "one", False), ("42", 42, True),
        (NOON, "2026-01-02T12:00:00Z", True), (NOON, "2026-01-02 13:00:00+01:00", True), (NOON, "2026-01-02T12:00:00", True),
        (NOON, datetime(2026, 1, 2, 12), True), (NOON, datetime(2026, 1, 2, 12, tzinfo=UTC), True),
        (NOON, "2026-01-02", False), (NOON, "noon", False), (NOON, None, False), (NOON, 1767355200, False),
        ("A", "A", True), ("A", "B", False), (1, True, False), (None, None, True), (None, "", False), (3, 3, True),
    ],
)  # fmt: skip
def test_values_are_compared_as_the_warehouse_keeps_them(stored: object, wanted: object, equal: bool) -> None:
    assert same(stored, wanted) is equal


def test_facts_are_chosen_by_their_columns_and_a_column_that_is_none_is_named() -> None:
    facts = [fact("A"), fact("B", quantity=3)]
    names = list(facts[0])
    assert matching(facts, {"quantity": 3}, names) == [facts[1]] and matching(facts, {}, names) == facts
    for found in (facts, []):  # none has such a value where there is no such column: that proves nothing
        with pytest.raises(UsageError, match=r"facts have no column amount: there are order_id, .*revenue"):
            matching(found, {"amount": 1}, names)


def test_what_is_missing_too_much_or_different_is_a_line_each() -> None:
    sent = [event("A"), event("A", quantity=9), event(5), event("C", revenue=1), {"event_type": "user_registered"}]
    assert differences([fact("A"), fact("B"), fact("C")], sent) == [
        "missing:  order_id 5, product_id 7",
        "too many: order_id B, product_id 7",
        "differs:  order_id C, product_id 7: revenue is 49.00, sent was 1",
    ]
    assert differences([fact("A")], [event("A")]) == []


def test_a_single_event_without_a_list_around_it_is_said_in_words() -> None:
    with pytest.raises(UsageError, match=r"'order_id' is no event \(a mapping of its fields\): give a list of events"):
        differences([fact("A")], event("A"))  # type: ignore[arg-type]


def test_of_many_lines_ten_are_shown() -> None:
    assert shown([str(number) for number in range(12)]).splitlines()[-2:] == ["  9", "  ... and 2 more"]


def test_a_dead_letter_shows_where_it_was_why_and_what() -> None:
    letter = DeadLetter.of(
        ["orders", 2, 17, "not_json", "no JSON value", b"42", b"\xffno", [["source", "dGlsbA=="], ["empty", None]]]
    )
    assert str(letter) == "2:17 not_json: no JSON value\n    \\xffno" and letter.event is None
    assert letter.headers == [("source", b"till"), ("empty", None)]
    assert "(no value)" in str(DeadLetter("orders", 0, 0, "empty", "", None, None))
    assert DeadLetter("orders", 0, 0, "not_json", "", None, b"[" * 100_000).event is None


class Config:
    """As much of pytest's as the options need."""

    def __init__(self, *lines: str) -> None:
        self._lines = lines

    def getini(self, name: str) -> Any:
        return list(self._lines) if name == "ecom_lite_settings" else OPTIONS[name][1]


def test_settings_are_read_from_lines() -> None:
    assert flags_of(Config("load.flush_ms = 50", "kafka.partitions=2")) == {"load.flush_ms": "50", "kafka.partitions": "2"}  # type: ignore[arg-type]


@pytest.mark.parametrize("line", ["load.flush_ms", "flush_ms = 3"])
def test_a_line_that_is_no_setting_is_refused(line: str) -> None:
    with pytest.raises(pytest.UsageError, match=f"ecom_lite_settings: '{line}' is not section.setting = value"):
        flags_of(Config(line))  # type: ignore[arg-type]
