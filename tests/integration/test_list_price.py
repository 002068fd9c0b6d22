"""List prices: loaded as they came, beside attributes too, shown in the reporting currency, and part of the fingerprint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ecom_lite.transform import Transform
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.migrate import bundled, migrate
from ecom_lite.warehouse.roles import ensure_database_and_roles
from ecom_lite.warehouse.sqlfiles import read_sql

from .facts import insert_bulk, load, rows, settle, some_lines
from .loading import Bench, line
from .test_currency import nodes, put_rates, written

PROJECT = Path(__file__).parents[2] / "dbt_project"
NUMBER = 32
DECLARED = {"channel": "text", "order": "dimension"}  # a name that SQL has a word of its own for
FACTS = "SELECT order_id, list_price FROM warehouse.fact_sales ORDER BY order_id"


@pytest.fixture
def bench(kafka_bootstrap: str, topic: str, warehouse: Address) -> Bench:
    return Bench(kafka_bootstrap, topic, warehouse)


@pytest.fixture
def old(template: Address) -> Iterator[Address]:
    """A warehouse with attributes, of the version before facts had a list price."""
    address = template.with_database("test_list_price")
    ensure_database_and_roles(address)
    migrate(address, [migration for migration in bundled() if migration.number < NUMBER], attributes=DECLARED)
    yield address
    with template.with_database("postgres").connect("admin", autocommit=True) as admin:
        admin.execute("DROP DATABASE test_list_price WITH (FORCE)")


def sale(number: int, list_price: object, **fields: Any) -> dict[str, Any]:
    listed = {} if list_price is None else {"list_price": list_price}
    return {name: value for name, value in line(f"o-{number}", number, **listed, **fields).items() if name != "revenue"}


def test_facts_keep_the_list_price_that_came_within_the_limits_of_a_price(bench: Bench) -> None:
    bench.send(
        [
            sale(1, 12.99),
            sale(2, None),
            {**sale(3, None), "list_price": None},
            sale(4, "12.990"),
            sale(5, ""),
            sale(6, 8),  # below the price
            sale(7, "1.0055", currency="CLF", price="1.005"),
            sale(8, 12.995),
            sale(9, -1),
            sale(9, "RRP 12"),
            sale(9, "99999999.99"),
        ]
    )
    bench.load()
    assert [(order, None if found is None else str(found)) for order, found in bench.ask(FACTS)] == [
        ("o-1", "12.9900"), ("o-2", None), ("o-3", None), ("o-4", "12.9900"), ("o-5", None), ("o-6", "8.0000"),
        ("o-7", "1.0055"), ("o-9", "99999999.9900"),
    ]  # fmt: skip
    assert bench.ask('SELECT reason, detail FROM ops.dead_letters ORDER BY "offset"') == [
        ("out_of_range", "list_price 12.995 has more decimals than USD has (2)"),
        ("out_of_range", "list_price -1 is outside 0 .. 100,000,000"),
        (
            "wrong_type",
            "list_price is '\"RRP 12\"', not a JSON number; write digits and a point, nothing else: "
            "the currency is a field of its own",
        ),
    ]


def test_a_repeated_line_with_another_list_price_is_a_duplicate_like_any(bench: Bench) -> None:
    bench.send([sale(1, 12), sale(1, 12), sale(1, 13), sale(2, 14)])  # which takes the slow way too
    bench.load()
    assert bench.ask(FACTS) == [("o-1", Decimal(12)), ("o-2", Decimal(14))]
    assert bench.counts() == {"facts": 2, "duplicates": 2}


def test_the_views_have_it_in_the_currency_that_came_and_in_the_reporting_one(bench: Bench) -> None:
    bench.send(
        [
            sale(1, 12.99),
            sale(2, 12.99, currency="EUR"),
            sale(3, 12.99, currency="GBP"),  # without a rate
            sale(4, None, currency="EUR"),
            sale(5, "12.995", currency="KWD"),
        ]
    )
    bench.load()
    put_rates(bench.warehouse, ("EUR", "2026-01-01", "1.1"), ("KWD", "2026-01-01", "3.25"))
    query = "SELECT list_price, original_list_price, greatest(list_price - unit_price, 0) FROM warehouse.sales ORDER BY order_id"
    assert bench.ask(query) == [
        (Decimal("12.99"), Decimal("12.99"), Decimal("2.49")),
        (Decimal("14.29"), Decimal("12.99"), Decimal("2.74")),
        (None, Decimal("12.99"), 0),
        (None, None, 0),
        (Decimal("42.23"), Decimal("12.995"), Decimal("8.10")),
    ]
    assert bench.ask("SELECT list_price FROM warehouse.order_lines WHERE order_id = 'o-5'") == [(Decimal("12.995"),)]


def test_a_line_at_its_list_price_has_no_discount_whatever_its_currency(bench: Bench, tmp_path: Path) -> None:
    put_rates(bench.warehouse, ("EUR", "2026-01-01", "1.0837"))
    bench.send(
        [
            sale(1, "12.99", currency="EUR", price="12.99", quantity=1000),
            sale(2, "14.99", currency="EUR", price="12.99", quantity=1000),
            sale(3, "14.99", currency="GBP"),  # without a rate
            sale(4, "14.99", price="12.99", quantity=1000),
        ]
    )
    bench.load()
    settle(bench.warehouse)
    assert Transform(bench.warehouse, PROJECT, tmp_path / "dbt", threads=2).run("first facts").status == "success"
    assert bench.ask("SELECT gross, discounts, revenue FROM marts.order_facts ORDER BY order_id") == [
        (Decimal("14077.26"), 0, Decimal("14077.26")),
        (Decimal("16244.66"), Decimal("2167.40"), Decimal("14077.26")),
        (0, 0, 0),
        (14990, 2000, 12990),
    ]


def test_a_mapping_with_lines_in_cents_fills_it_beside_attributes(bench: Bench) -> None:
    fields = {"order_id": "id", "product_id": "items[].sku", "price": "items[].now", "list_price": ["items[].was", "items[].rrp"]}
    events = {"fields": fields, "lines": "items[]", "unit": "cents", "attributes": DECLARED}
    migrate(bench.warehouse, attributes=DECLARED)
    mapped = replace(bench, events=events)
    order: dict[str, Any] = {"id": "o-1", "user_id": 1, "timestamp": "2026-01-02", "channel": "web", "order": "A"}
    items: list[dict[str, Any]] = [
        {"now": 1999, "was": 2499},
        {"now": 1999, "was": None, "rrp": "2599"},
        {"now": 1999, "rrp": None},
    ]
    mapped.send([{**order, "items": [{**one, "sku": f"p{n}", "quantity": 1} for n, one in enumerate(items)]}])
    mapped.load()
    query = 'SELECT product_id, price, list_price, channel, "order" FROM warehouse.order_lines ORDER BY 1'
    assert mapped.ask(query) == [
        ("p0", Decimal("19.99"), Decimal("24.99"), "web", "A"),
        ("p1", Decimal("19.99"), Decimal("25.99"), "web", "A"),
        ("p2", Decimal("19.99"), None, "web", "A"),
    ]


def test_a_warehouse_with_attributes_gets_it_without_being_rewritten_and_keeps_what_stands_on_its_views(old: Address) -> None:
    load(old, some_lines(200))
    with old.connect("ecom_owner") as owner:
        owner.execute("INSERT INTO warehouse.dim_order (\"order\") VALUES ('first')")
        owner.execute("UPDATE warehouse.fact_sales SET channel = 'web', order_key = 1 WHERE unit_price > 50")
        for view in ("sales", "order_lines"):
            owner.execute(f"CREATE VIEW public.on_{view} AS SELECT * FROM warehouse.{view}".encode())
    file = "SELECT pg_relation_filenode('warehouse.fact_sales')"
    before = {query: rows(old, query, "ecom_owner") for query in (file, *map(content, ("sales", "order_lines")))}
    columns = {view: columns_of(old, view) for view in ("sales", "order_lines")}

    migrate(old, attributes={**DECLARED, "late": "dimension"})
    assert {query: rows(old, query, "ecom_owner") for query in before} == before
    assert columns_of(old, "sales") == [*columns["sales"], "list_price", "original_list_price", "late"]
    assert columns_of(old, "order_lines") == [*columns["order_lines"], "list_price", "late"]

    with old.connect("ecom_owner") as owner:
        owner.execute("UPDATE warehouse.fact_sales SET list_price = unit_price + 1")
    for query in (
        "SELECT DISTINCT list_price - price, channel, \"order\" FROM warehouse.order_lines ORDER BY 2",
        "SELECT DISTINCT list_price - unit_price, channel, \"order\" FROM warehouse.sales ORDER BY 2",
        "SELECT DISTINCT original_list_price - original_price, channel, \"order\" FROM warehouse.sales ORDER BY 2",
    ):  # fmt: skip
        assert rows(old, query) == [(1, "web", "first"), (1, None, None)]


def content(view: str) -> str:
    """What a view over all columns of the one before says."""
    return f"SELECT * FROM public.on_{view} v ORDER BY v::text"


def columns_of(address: Address, view: str) -> list[str]:
    query = f"SELECT attname FROM pg_attribute WHERE attrelid = 'warehouse.{view}'::regclass AND attnum > 0 ORDER BY attnum"
    return [name for (name,) in rows(address, query)]


def test_the_fingerprint_has_it_and_is_the_old_one_where_there_is_none(old: Address) -> None:
    load(old, some_lines(100))
    now = read_sql("ecom_lite.check", "fingerprint/fact_sales").decode()
    assert ", f.list_price)" in now
    then = written(old, now.replace(", f.list_price)", ")"))
    migrate(old)
    assert written(old, now) == then
    with old.connect("ecom_owner") as owner:
        owner.execute("UPDATE warehouse.fact_sales SET list_price = 5 WHERE ctid = (SELECT min(ctid) FROM warehouse.fact_sales)")
    changed = written(old, now)
    assert changed != then and changed.count(b" 5.0000") == 1


def test_a_sum_over_facts_in_the_reporting_currency_goes_in_parallel_and_asks_for_no_rate(warehouse: Address) -> None:
    insert_bulk(warehouse, 20_000)
    with warehouse.connect("admin") as admin:
        admin.execute("SET max_parallel_workers_per_gather = 2")
        admin.execute("SET min_parallel_table_scan_size = 0")
        admin.execute("SET parallel_setup_cost = 0")
        query = "EXPLAIN (FORMAT JSON) SELECT sum(revenue), sum(unit_price), sum(list_price) FROM warehouse.sales"
        ((plan,),) = admin.execute(query).fetchall()
        found = list(nodes(plan[0]["Plan"]))
        assert any(node["Node Type"] == "Gather" for node in found)
        assert {node.get("Relation Name") for node in found} == {None, "fact_sales", "reporting_currency"}
        admin.execute("SET track_functions = 'all'")
        admin.execute("SET max_parallel_workers_per_gather = 0")  # the calls of this process are counted
        admin.execute("SELECT sum(revenue), sum(unit_price), sum(list_price) FROM warehouse.sales")
        calls = "SELECT coalesce(pg_stat_get_xact_function_calls('warehouse.rate_on(text, date)'::regprocedure), 0)"
        assert admin.execute(calls).fetchone() == (0,)
        admin.execute("UPDATE warehouse.fact_sales SET currency = 'EUR' WHERE source_offset = 7")
        admin.execute("SELECT sum(revenue) FROM warehouse.sales")
        assert admin.execute(calls).fetchone() == (1,)
