"""The table of fields: what is rendered from it is what the types say."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from ecom_lite.contract.fields import EVENT_TYPES, MAX_TEXT, OrderLine, OrderReversal, UserChange, columns, fields_of, wire_struct


@pytest.mark.parametrize("event", [OrderLine, OrderReversal, UserChange])
def test_the_wire_has_the_fields_of_the_event_with_the_same_defaults(event: type[msgspec.Struct]) -> None:
    wire = wire_struct(event, strict=True)
    assert issubclass(wire, event)
    found = {one.name: (one.default, one.required) for one in msgspec.structs.fields(wire)}
    assert found == {one.name: (one.default, one.required) for one in msgspec.structs.fields(event)}


def test_only_what_can_be_worked_out_may_be_absent_on_the_wire() -> None:
    needed = {event: {one.name for one in msgspec.structs.fields(event) if one.required} for event in EVENT_TYPES.values()}
    on_the_wire = {event: {one.name for one in msgspec.structs.fields(wire_struct(event)) if one.required} for event in needed}
    assert {event: needed[event] - on_the_wire[event] for event in needed} == {
        OrderLine: {"product_title", "category", "revenue"}, OrderReversal: set(), UserChange: set(),
    }  # fmt: skip


def test_a_field_says_its_type_its_limit_and_whether_it_may_be_null() -> None:
    table = {one.name: one for one in fields_of(OrderLine)}
    assert (table["price"].python, table["price"].kind.column, table["price"].nullable) == (Decimal, "decimal(10, 2)", False)
    assert (table["product_title"].max_length, table["event_id"].max_length) == (MAX_TEXT, None)
    assert (table["event_type"].python, table["event_type"].nullable, table["event_type"].default) == (str, True, None)


def test_a_name_has_one_column_type_in_all_event_types() -> None:
    merged = columns(*EVENT_TYPES.values())
    for event in EVENT_TYPES.values():
        assert {one.name: one.kind.column for one in fields_of(event)}.items() <= merged.items()
