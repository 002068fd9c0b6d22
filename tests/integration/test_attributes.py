"""Extra fields that count: what [events.attributes] declares, a generated migration adds as columns and the loader fills."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from ecom_lite.ask.duck import attach, query
from ecom_lite.errors import MigrationError
from ecom_lite.load.attributes import AttributeColumns
from ecom_lite.warehouse.attributes import VIEWS
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.migrate import migrate, require_schema
from tests.runs import wait_for

from .loading import Bench, line

DECLARED = {"channel": "text", "store": "dimension", "points": "integer", "weight": "number", "gift": "boolean", "group": "text"}
VALUES = {"channel": "web", "store": "Berlin", "points": 7, "weight": 1.25, "gift": True, "group": "a"}
SELECT = 'SELECT channel, store, points, weight, gift, "group" FROM warehouse.order_lines ORDER BY order_id'


@pytest.fixture
def declared(kafka_bootstrap: str, topic: str, warehouse: Address) -> Bench:
    migrate(warehouse, attributes=DECLARED)
    return Bench(kafka_bootstrap, topic, warehouse, events={"attributes": DECLARED})


def test_each_attribute_is_a_typed_column_and_absent_is_null(declared: Bench) -> None:
    declared.send([line("a", **VALUES), line("b"), line("c", **dict.fromkeys(VALUES)), line("d", channel=1.50, store="")])
    declared.send([line("e", weight=-12345678901.5, points=-(2**62), gift="false", store="München"), line("f", **VALUES)])
    declared.load()
    none = (None,) * 6
    assert declared.ask(SELECT) == [
        ("web", "Berlin", 7, Decimal("1.250000"), True, "a"), none, none, ("1.5", None, None, None, None, None),
        (None, "München", -(2**62), Decimal("-12345678901.5"), False, None),
            ("web", "Berlin", 7, Decimal("1.250000"), True, "a"),
    ]  # fmt: skip
    assert declared.ask("SELECT store FROM warehouse.dim_store ORDER BY 1") == [("Berlin",), ("München",)]
    # A duplicate goes by the detour, with the columns too.
    declared.send([line("a", **VALUES), line("g", **VALUES | {"store": "Bonn"})])
    declared.load()
    assert declared.counts() == {"facts": 7, "duplicates": 1}
    assert declared.ask(SELECT)[-1][:2] == ("web", "Bonn")


def test_a_wrong_type_is_a_dead_letter_that_says_what_and_the_own_shops_events_have_none(declared: Bench) -> None:
    wrong: list[dict[str, Any]] = [{"channel": ["web"]}, {"points": 1.5}, {"weight": "heavy"}, {"gift": 1}, {"store": "x" * 201}]
    declared.send([line(f"w{n}", **each) for n, each in enumerate(wrong)])
    with declared.producer() as producer:
        producer.send(declared.topic, json.dumps(line("own", channel="web")).encode(), headers=declared.own(), partition=0)
    declared.load()
    said = [detail for (detail,) in declared.ask('SELECT detail FROM ops.dead_letters ORDER BY "offset"')]
    assert said[0] == "channel ['web'] is not a text (events.attributes.channel = \"text\")"
    assert all(word in text for word, text in zip(("channel", "points", "weight", "gift", "201"), said, strict=True))
    assert declared.ask(SELECT) == [(None,) * 6]


@pytest.mark.parametrize(
    "events",
    [
        {"fields": {"order_id": "orderId", "channel": "via"}},
        {"fields": {"order_id": "order.no", "channel": ["none", "sales.channel"], "store": "items[].shop"}, "lines": "items[]"},
        {"constants": {"channel": "web", "store": "S1"}},
    ],
    ids=["renamed", "lines", "constants"],
)
def test_attributes_go_with_any_mapping(declared: Bench, events: dict[str, Any]) -> None:
    bench = replace(declared, events={"attributes": {"channel": "text", "store": "dimension"}, **events})
    item = {"product_id": 5, "price": 2, "quantity": 1, "shop": "S1"}
    whole = {"user_id": 1, "timestamp": "2026-01-02T03:04:05Z", "store": "S1", "via": "web", "sales": {"channel": "web"}}
    bench.send(
        [{**whole, **item, "order_id": "1", "orderId": "1", "order": {"no": "1"}, "items": [item, item | {"product_id": 6}]}]
    )
    bench.load()
    facts = 2 if "lines" in events else 1
    assert bench.ask("SELECT order_id, channel, store FROM warehouse.order_lines") == [("1", "web", "S1")] * facts


def test_a_new_attribute_is_added_to_a_warehouse_that_has_facts_and_an_old_one_keeps_its_column(bench: Bench) -> None:
    bench.send([line("before", channel="lost", store="lost")])
    bench.load()
    for attributes in ({"channel": "text"}, {"channel": "text", "store": "dimension"}, {"store": "dimension"}):
        made = migrate(bench.warehouse, attributes=attributes)
        assert len(made) == (0 if len(attributes) == 1 and "store" in attributes else 1)
        with_them = replace(bench, events={"attributes": attributes})
        with_them.send([line(f"with {len(attributes)} {min(attributes)}", channel="web", store="S1")])
        with_them.load()
    assert bench.ask("SELECT order_id, channel, store FROM warehouse.order_lines ORDER BY loaded_at, order_id") == [
        ("before", None, None), ("with 1 channel", "web", None), ("with 2 channel", "web", "S1"), ("with 1 store", None, "S1"),
    ]  # fmt: skip
    kept = bench.ask("SELECT name, type, still_declared FROM ops.attributes ORDER BY name")
    assert kept == [("channel", "text", False), ("store", "dimension", True)]
    assert bench.ask("SELECT DISTINCT channel FROM warehouse.order_lines", role="ecom_reader")


def test_what_the_warehouse_cannot_have_is_refused_in_words(warehouse: Address) -> None:
    with pytest.raises(MigrationError, match="run `ecom_lite migrate`"):
        require_schema(warehouse, {"channel": "text"})
    migrate(warehouse, attributes={"channel": "text"})
    require_schema(warehouse, {"channel": "text"})
    for refuse in (migrate, require_schema):
        with pytest.raises(MigrationError, match=r'the warehouse has it as text.*channel_2 = "dimension".*channel_2 = "channel"'):
            refuse(warehouse, attributes={"channel": "dimension"})
    with warehouse.connect("ecom_owner", autocommit=True) as owner:
        owner.execute("ALTER TABLE warehouse.fact_sales ADD COLUMN mine text")
        owner.execute("CREATE TABLE warehouse.dim_shop (id integer)")
    for name, kind, why in (
        ("mine", "text", "fact_sales has a column mine"),
        ("shop", "dimension", "a table warehouse.dim_shop"),
    ):
        with pytest.raises(MigrationError, match=f"{why} already: give the attribute another name"):
            migrate(warehouse, attributes={name: kind})


def test_a_migration_waits_for_a_reader_of_the_facts_and_goes_on_where_it_was_stopped(warehouse: Address) -> None:
    made: list[str] = []
    with warehouse.connect("ecom_reader") as reader:
        reader.execute("SELECT FROM warehouse.fact_sales LIMIT 1")
        aside = threading.Thread(target=lambda: made.extend(migrate(warehouse, attributes={"channel": "text"})))
        aside.start()
        with warehouse.connect("admin", autocommit=True) as admin:
            waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%ADD COLUMN%'"
            wait_for(lambda: bool(admin.execute(waits).rowcount), "it to wait for the reader")
    aside.join(timeout=60)
    assert made == ["attribute channel (text)"]
    with warehouse.connect("admin", autocommit=True) as admin:  # as if it had ended between the column and the view
        view, *_ = VIEWS
        (definition,) = admin.execute(f"SELECT pg_get_viewdef('warehouse.{view}')".encode()).fetchone() or ("",)
        admin.execute(
            f"DROP VIEW warehouse.{view}; CREATE VIEW warehouse.{view} AS {definition.replace(', f.channel', '')}".encode()
        )
        admin.execute(f"ALTER VIEW warehouse.{view} OWNER TO ecom_owner".encode())
    migrate(warehouse, attributes={"channel": "text"})
    with warehouse.connect("admin", autocommit=True) as admin:
        assert admin.execute("SELECT channel FROM warehouse.order_lines").rowcount == 0


def test_two_loaders_with_the_same_new_members_in_other_orders_do_not_deadlock(declared: Bench) -> None:
    attributes = {"store": "dimension", "area": "dimension"}
    migrate(declared.warehouse, attributes=attributes)
    one = replace(declared, events={"attributes": attributes})
    other = replace(declared, events={"attributes": dict(reversed(attributes.items()))})
    for partition in (0, 1):
        numbers = range(300) if partition else range(299, -1, -1)
        one.send([line(f"{partition}-{n}", store=f"s{n}", area=f"a{n}") for n in numbers], partition=partition)
    with one.loading(one.loader("one", batch_rows=50)) as first, other.loading(other.loader("two", batch_rows=50)) as second:
        one.until_loaded(first)
    assert (first.failure, second.failure) == (None, None)
    assert declared.ask("SELECT count(*), count(DISTINCT store), count(DISTINCT area) FROM warehouse.order_lines") == [
        (600, 300, 300)
    ]


def test_duckdb_sees_the_columns_with_their_types(declared: Bench) -> None:
    declared.send([line("a", **VALUES)])
    declared.load()
    connection = attach(declared.warehouse)
    try:
        _, rows, _ = query(connection, SELECT, 5)
        assert rows == [("web", "Berlin", 7, Decimal("1.250000"), True, "a")]
        _, rows, _ = query(connection, "SELECT store, sum(revenue) FROM order_lines GROUP BY ALL", 5)
        assert rows == [("Berlin", 21)]
    finally:
        connection.close()


def test_of_no_attribute_there_are_no_columns() -> None:
    columns = AttributeColumns()
    assert (columns.columns, columns.encoder()) == ((), None)
