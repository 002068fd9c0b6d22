"""The marts: right to the cent, the same whether built at once or bit by bit, whatever is late, slow or broken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from ecom_lite.settings.attributes import AttributeType
from ecom_lite.transform import Transform, many_facts_wait, new_facts_exist
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.migrate import migrate

from .facts import DAY0, Line, change_profile, insert_bulk, insert_lines, load, rows, some_lines, standing_still

PROJECT = Path(__file__).parents[2] / "dbt_project"
MARTS = {
    "customer_ltv": "user_id, name, city, country, lifetime_orders, lifetime_value, average_order_value, items, first_order_at, "
    "last_order_at, tenure_days, segment",
    "product_performance": "product_id, product_title, category, units, revenue, orders, rank_overall, rank_in_category, "
    "share_of_total",
    "daily_sales": "date, lines, orders, units, revenue, customers, average_order_value",
}  # what `expected` works out: test_histories.py has the rest
CENT = Decimal("0.01")
pytestmark = pytest.mark.timeout(600)  # up to six runs of dbt's own, each of seconds, or of half a minute


@pytest.fixture
def transform(warehouse: Address, tmp_path: Path) -> Transform:
    return Transform(warehouse, PROJECT, tmp_path / "dbt", threads=2)


def marts(warehouse: Address) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the marts as a dashboard sees them."""
    return {mart: rows(warehouse, f"SELECT {columns} FROM marts.{mart} ORDER BY 1") for mart, columns in MARTS.items()}


def per(value: Decimal, count: int) -> Decimal:
    return (value / count).quantize(CENT, ROUND_HALF_UP)


def expected(lines: Iterable[Line], profiles: dict[int, tuple[str, str, str]] | None = None) -> dict[str, list[tuple[Any, ...]]]:
    """The marts worked out in plain Python."""
    by_user, by_product, by_day = defaultdict(list), defaultdict(list), defaultdict(list)
    for line in lines:
        by_user[line.user_id].append(line)
        by_product[line.product_id].append(line)
        by_day[line.ordered_at.astimezone(UTC).date()].append(line)
    customers, days = [], []
    for user, bought in sorted(by_user.items(), key=lambda of: str(of[0])):
        orders, value = len({line.order_id for line in bought}), sum(line.revenue for line in bought)
        first, last = min(line.ordered_at for line in bought), max(line.ordered_at for line in bought)
        segment = "VIP" if orders >= 20 else "Regular" if orders >= 10 else "Casual"
        tenure = (last.astimezone(UTC).date() - first.astimezone(UTC).date()).days
        profile = (profiles or {}).get(user, (None, None, None))
        items = sum(line.quantity for line in bought)
        customers.append((str(user), *profile, orders, value, per(Decimal(value), orders), items, first, last, tenure, segment))
    revenue = {product: sum(line.revenue for line in sold) for product, sold in by_product.items()}
    products = []
    for product, sold in sorted(by_product.items(), key=lambda of: str(of[0])):
        above = [p for p, r in revenue.items() if r > revenue[product]]
        beside = [p for p in above if by_product[p][0].category == sold[0].category]
        share = (Decimal(revenue[product]) / Decimal(sum(revenue.values()))).quantize(Decimal("0.000001"), ROUND_HALF_UP)
        units = sum(line.quantity for line in sold)
        names = (f"Product {product}", sold[0].category)
        products.append((str(product), *names, units, revenue[product], len(sold), len(above) + 1, len(beside) + 1, share))
    for day, sold in sorted(by_day.items()):
        orders, value = len({line.order_id for line in sold}), sum(line.revenue for line in sold)
        counts = (len(sold), orders, sum(line.quantity for line in sold))
        days.append((day, *counts, value, len({line.user_id for line in sold}), per(Decimal(value), orders)))
    return {"customer_ltv": customers, "product_performance": products, "daily_sales": days}


def test_an_empty_warehouse_has_empty_marts_and_fills_later(warehouse: Address, transform: Transform) -> None:
    run = transform.run("schedule")
    assert (run.status, run.message, run.tests_failed) == ("success", "", 0)
    assert marts(warehouse) == {mart: [] for mart in MARTS}
    lines = some_lines(50)
    load(warehouse, lines)
    assert transform.run("schedule").status == "success"
    assert marts(warehouse) == expected(lines)


def test_marts_equal_an_independent_computation_load_after_load(warehouse: Address, transform: Transform) -> None:
    # 3 loads share the order ids, so orders and days are completed by later loads; ids span customers and days.
    lines = some_lines(900, orders=250)
    # Segment limits, to the order: 9, 10, 19 and 20 orders.
    for user, orders in ((91, 9), (92, 10), (93, 19), (94, 20)):
        lines += [Line(f"s-{user}-{n}", user, 1, 1, Decimal("0.33"), DAY0) for n in range(orders)]
    for part in range(3):
        load(warehouse, lines[part::3])
        run = transform.run("schedule")
        assert (run.status, run.message) == ("success", "")
        assert marts(warehouse) == expected([line for n in range(part + 1) for line in lines[n::3]])
    assert {row[0]: row[-1] for row in marts(warehouse)["customer_ltv"] if int(row[0]) > 90} == {
        "91": "Casual",
        "92": "Regular",
        "93": "Regular",
        "94": "VIP",
    }


def test_bit_by_bit_equals_a_full_refresh_after_late_events_and_changes(warehouse: Address, transform: Transform) -> None:
    load(warehouse, some_lines(200, seed=1))
    assert transform.run("first facts").status == "success"
    late = [Line(f"late-{n}", n % 7 + 1, 3, 1, Decimal("5.55"), DAY0 - timedelta(days=40, hours=n)) for n in range(20)]
    load(warehouse, late)
    change_profile(warehouse, 2, "Grace", "Arlington", "USA")  # no new order comes with it
    change_profile(warehouse, 777, "No Orders", "Nowhere", "Utopia")
    with warehouse.connect("ecom_loader") as connection:
        connection.execute("UPDATE warehouse.dim_product SET product_title = 'Renamed' WHERE product_id = '3'")
    assert transform.run("schedule").status == "success"
    load(warehouse, [Line("o-new", 777, 3, 2, Decimal("1.10"), DAY0)])
    assert transform.run("schedule").status == "success"
    bit_by_bit = marts(warehouse)
    assert [row[1] for row in bit_by_bit["customer_ltv"] if row[0] in ("2", "777")] == ["Grace", "No Orders"]
    assert [row[1] for row in bit_by_bit["product_performance"] if row[0] == "3"] == ["Renamed"]
    assert transform.run("refresh", full_refresh=True).status == "success"
    assert marts(warehouse) == bit_by_bit


@pytest.mark.long
def test_a_large_catch_up_equals_a_full_refresh(warehouse: Address, transform: Transform) -> None:
    """Large parts get other query plans than small ones, and the second one begins in the middle of an order."""
    for part in (9_999, 40_000):
        insert_bulk(warehouse, part, users=500)
        assert transform.run("schedule").status == "success"
    bit_by_bit = marts(warehouse)
    assert transform.run("refresh", full_refresh=True).status == "success"
    assert marts(warehouse) == bit_by_bit


def test_a_slow_loader_is_not_skipped(warehouse: Address, transform: Transform) -> None:
    """Its facts have a lower load_xid than facts that are long visible; a high-water mark would lose them."""
    slow, quick = some_lines(20, seed=1), some_lines(20, seed=2)
    load(warehouse, some_lines(5, seed=3))
    with standing_still(warehouse) as open_transaction:
        insert_lines(open_transaction, slow[:10])
        with warehouse.connect("ecom_loader") as connection:
            connection.execute("SET lock_timeout = '5s'")
            # Same dimensions would wait for the slow one: only facts are in flight here.
            connection.execute(
                "INSERT INTO warehouse.dim_user (user_id) VALUES ('900'); "
                "INSERT INTO warehouse.fact_sales SELECT 'q-' || order_id, product_key, (SELECT user_key FROM warehouse.dim_user "
                "WHERE user_id = '900'), category_key, date_key, ordered_at, quantity, unit_price, revenue, 0, 0, "
                "pg_current_xact_id()::text::bigint FROM warehouse.fact_sales"
            )
        run = transform.run("schedule")
        assert run.status == "success"
        assert len(rows(warehouse, "SELECT FROM warehouse.fact_sales WHERE order_id LIKE 'q-%'")) == 5
        assert rows(warehouse, "SELECT FROM marts.customer_ltv WHERE user_id = '900'") == [], (
            "not taken before the slow one ended"
        )
        assert not new_facts_exist(warehouse)
    load(warehouse, quick)
    assert new_facts_exist(warehouse)
    assert transform.run("schedule").status == "success"
    taken = rows(warehouse, "SELECT sum(lines)::int FROM marts.daily_sales")
    assert taken == rows(warehouse, "SELECT count(*)::int FROM warehouse.fact_sales") == [(5 + 10 + 5 + 20,)]
    assert not new_facts_exist(warehouse)


def test_a_run_ahead_of_time_is_worth_it_where_many_facts_wait_and_the_marts_have_rested(
    warehouse: Address, transform: Transform
) -> None:
    def ago(seconds: int) -> None:
        with warehouse.connect("ecom_dbt") as connection:
            connection.execute(
                "UPDATE ops.dbt_runs SET started_at = now() - make_interval(secs => %s), "
                "finished_at = now() - make_interval(secs => %s)", [seconds + 100, seconds],
            )  # fmt: skip

    load(warehouse, some_lines(30))
    assert not many_facts_wait(warehouse, 1), "the first run is another's matter"
    transform.run("first facts")
    load(warehouse, some_lines(20, seed=2))
    assert not many_facts_wait(warehouse, 20), "it has just ended"
    ago(340)
    assert not many_facts_wait(warehouse, 20), "it took 100 s"
    ago(410)
    assert many_facts_wait(warehouse, 20) and not many_facts_wait(warehouse, 21)
    with warehouse.connect("ecom_dbt") as connection:
        connection.execute("UPDATE ops.dbt_runs SET status = 'error'")
    assert not many_facts_wait(warehouse, 20), "what failed is tried again at the pace of the settings"


def test_a_model_that_failed_catches_up(warehouse: Address, transform: Transform) -> None:
    lines = some_lines(60, orders=30)
    load(warehouse, lines[:20])
    transform.run("first facts")
    with warehouse.connect("ecom_dbt") as connection:
        connection.execute("ALTER TABLE marts.customer_ltv RENAME items TO itemz")
    load(warehouse, lines[20:40])
    run = transform.run("schedule")
    assert run.status == "error" and "customer_ltv" in run.message
    days = rows(warehouse, f"SELECT {MARTS['daily_sales']} FROM marts.daily_sales ORDER BY 1")
    assert days == expected(lines[:40])["daily_sales"], "the others went on"
    with warehouse.connect("ecom_dbt") as connection:
        connection.execute("ALTER TABLE marts.customer_ltv RENAME itemz TO items")
    load(warehouse, lines[40:])
    assert transform.run("schedule").status == "success"
    assert marts(warehouse) == expected(lines)


def test_attributes_split_the_facts_and_one_declared_later_takes_in_all_of_them(warehouse: Address, transform: Transform) -> None:
    """Row for row what a full refresh makes, and what the facts say."""
    declared: dict[str, AttributeType] = {}
    kinds: tuple[tuple[str, AttributeType], ...] = (
        ("channel", "text"), ("store", "dimension"), ("group", "number"), ("gift", "boolean")
    )  # fmt: skip
    said = {
        "channel": "channel = (ARRAY['web', 'app', NULL])[1 + user_key % 3]",
        "store": "store_key = (SELECT store_key FROM warehouse.dim_store WHERE store = 'S' || user_key % 2)",
        "group": '"group" = product_key / 2.0',
        "gift": "gift = product_key = 1",
    }
    load(warehouse, some_lines(60, seed=9))
    assert transform.run("first facts").status == "success"
    assert rows(warehouse, "SELECT FROM marts.sales_by_attribute") == []
    for part, (name, kind) in enumerate(kinds):
        declared[name] = kind
        migrate(warehouse, attributes=declared)
        if kind == "dimension":
            with warehouse.connect("ecom_loader") as connection:
                connection.execute("INSERT INTO warehouse.dim_store (store) VALUES ('S1'), ('S2')")
        load(warehouse, some_lines(120, seed=part, orders=40))
        with warehouse.connect("admin") as connection:  # those before have none, of this attribute and of the older ones
            values = ", ".join(said[each] for each in declared)
            connection.execute(f"UPDATE warehouse.fact_sales SET {values} WHERE order_id LIKE 'o-{part}-%'".encode())
        run = transform.run("schedule")
        assert (run.status, run.message) == ("success", "")
    found = "SELECT attribute, value, date, lines, units, revenue FROM marts.sales_by_attribute ORDER BY 1, 2, 3"
    bit_by_bit = rows(warehouse, found)
    assert {(name, value) for name, value, *_ in bit_by_bit if name in ("channel", "store", "gift")} == {
        ("channel", "web"), ("channel", "app"), ("channel", "(none)"), ("store", "S1"), ("store", "(none)"),
        ("gift", "true"), ("gift", "false"), ("gift", "(none)"),
    }  # fmt: skip
    assert {value for name, value, *_ in bit_by_bit if name == "group"} >= {"0.5", "1", "(none)"}
    union = " UNION ALL ".join(
        f"SELECT '{name}', coalesce({'trim_scale(s.' if kind == 'number' else '(s.'}\"{name}\")::text, '(none)'), "
        "(ordered_at AT TIME ZONE 'UTC')::date, count(*), sum(quantity)::bigint, sum(revenue)::numeric(20, 2) "
        "FROM warehouse.sales s GROUP BY 1, 2, 3"
        for name, kind in kinds
    )
    assert bit_by_bit == rows(warehouse, f"{union} ORDER BY 1, 2, 3")
    assert transform.run("refresh", full_refresh=True).status == "success"
    assert rows(warehouse, found) == bit_by_bit


def test_a_mart_that_does_not_split_the_days_fails_its_test(warehouse: Address, transform: Transform) -> None:
    migrate(warehouse, attributes={"channel": "text"})
    load(warehouse, some_lines(20))
    assert transform.run("first facts").status == "success"
    with warehouse.connect("ecom_dbt") as connection:
        connection.execute("UPDATE marts.sales_by_attribute SET revenue = revenue + 0.01")
    run = transform.run("schedule")
    assert (run.status, run.message) == ("tests failed", "attributes_split_the_days")
