"""Amounts in several currencies: loaded as they came, and worth what the rate of the day says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ecom_lite.settings.tree import Currency
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.migrate import bundled, migrate
from ecom_lite.warehouse.roles import ensure_database_and_roles
from ecom_lite.warehouse.sqlfiles import read_sql

from .facts import load, rows, some_lines
from .loading import Bench, line

NUMBER = 19


@pytest.fixture
def bench(kafka_bootstrap: str, topic: str, warehouse: Address) -> Bench:
    return Bench(kafka_bootstrap, topic, warehouse)


@pytest.fixture
def old(template: Address) -> Iterator[Address]:
    """An empty warehouse of the version before facts had a currency."""
    address = template.with_database("test_currency")
    ensure_database_and_roles(address)
    migrate(address, [migration for migration in bundled() if migration.number < NUMBER])
    yield address
    with template.with_database("postgres").connect("admin", autocommit=True) as admin:
        admin.execute("DROP DATABASE test_currency WITH (FORCE)")


def sale(number: int, currency: str | None, price: float | str, day: str = "2026-01-02", quantity: int = 2) -> dict[str, Any]:
    fields = {} if currency is None else {"currency": currency}
    found = line(f"o-{number}", number, price=price, quantity=quantity, timestamp=f"{day}T23:30:00Z", **fields)
    return {name: value for name, value in found.items() if name != "revenue"}


def put_rates(address: Address, *rates: tuple[str, str, str], reporting: str = "USD") -> None:
    with address.connect("ecom_loader") as loader:
        for code, day, rate in rates:
            loader.execute(
                "INSERT INTO warehouse.rates (currency, reporting, day, rate) VALUES (%s, %s, %s, %s)",
                [code, reporting, day, rate],
            )


def test_facts_keep_the_amount_and_the_currency_that_came(bench: Bench) -> None:
    bench.send(
        [
            sale(1, None, 10.5),
            sale(2, "eur", "10.50"),
            sale(3, "JPY", 1990),
            sale(4, "KWD", "1.005"),
            sale(5, "CLF", "0.0001", quantity=3),
            sale(6, "JPY", 10.5),
            sale(7, "EURO", 10),
            sale(8, "EUR", "10.505"),
            sale(9, "KWD", "99999999.994"),
        ]
    )
    bench.load()
    found = bench.ask("SELECT order_id, price, revenue, currency FROM warehouse.order_lines ORDER BY 1")
    assert [(order, str(price.normalize()), str(revenue.normalize()), code) for order, price, revenue, code in found] == [
        ("o-1", "10.5", "21", "USD"),
        ("o-2", "10.5", "21", "EUR"),
        ("o-3", "1.99E+3", "3.98E+3", "JPY"),
        ("o-4", "1.005", "2.01", "KWD"),
        ("o-5", "0.0001", "0.0003", "CLF"),
        ("o-9", "99999999.994", "199999999.988", "KWD"),
    ]
    columns = "SELECT unit_price::text, revenue::text, exact_price::text FROM warehouse.fact_sales ORDER BY order_id"
    assert bench.ask(columns) == [
        ("10.50", "21.00", None),
        ("10.50", "21.00", None),
        ("1990.00", "3980.00", None),
        ("1.01", "2.01", "1.0050"),
        ("0.00", "0.00", "0.0001"),
        ("99999999.99", "199999999.99", "99999999.9940"),
    ]
    assert bench.ask('SELECT reason, detail FROM ops.dead_letters ORDER BY "offset"') == [
        ("out_of_range", "price 10.5 has more decimals than JPY has (0)"),
        ("unknown_currency", "currency 'EURO' is no ISO 4217 code; write EUR"),
        ("out_of_range", "price 10.505 has more decimals than EUR has (2)"),
    ]


def test_a_duplicate_takes_the_slow_way_with_its_currency(bench: Bench) -> None:
    bench.send([sale(1, "KWD", "1.005"), sale(1, "KWD", "1.005"), sale(2, None, 1)])
    bench.load()
    assert bench.ask("SELECT currency, exact_price FROM warehouse.fact_sales ORDER BY order_id") == [
        ("KWD", Decimal("1.005")), ("USD", None),
    ]  # fmt: skip


def test_the_default_is_the_setting_s_and_a_later_change_touches_no_fact(
    kafka_bootstrap: str, topic: str, warehouse: Address
) -> None:
    default = {"currency.default": "JPY", "shop.enabled": False}
    Bench(kafka_bootstrap, topic, warehouse).send([sale(1, None, 10), sale(2, None, "10.5"), sale(3, "USD", "10.5")])
    Bench(kafka_bootstrap, topic, warehouse, flags=default).load()
    after = Bench(kafka_bootstrap, topic, warehouse, flags={"currency.default": "EUR"})
    after.send([sale(4, None, "10.5")])
    after.load()
    query = "SELECT order_id, currency FROM warehouse.fact_sales ORDER BY 1"
    assert after.ask(query) == [("o-1", "JPY"), ("o-3", "USD"), ("o-4", "EUR")]


def test_the_newest_rate_on_or_before_the_utc_day_counts_and_without_one_there_is_no_amount(bench: Bench) -> None:
    bench.send(
        [
            sale(1, None, "10.50", "2026-01-01"),
            sale(2, "EUR", "10.00", "2026-01-01"),  # before the first rate
            sale(3, "EUR", "10.00", "2026-01-02"),
            sale(4, "EUR", "10.01", "2026-01-04"),  # a Sunday
            sale(5, "EUR", "10.00", "2026-01-05"),
            sale(6, "KWD", "1.005", "2026-01-05", quantity=1),
            sale(7, "JPY", 1990, "2026-01-05"),  # never
        ]
    )
    bench.load()
    put_rates(bench.warehouse, ("EUR", "2026-01-02", "1.1"), ("EUR", "2026-01-05", "1.2"), ("KWD", "2026-01-01", "3.25"))
    put_rates(bench.warehouse, ("JPY", "2026-01-01", "0.009"), reporting="EUR")
    found = bench.ask(
        "SELECT order_id, unit_price, revenue, currency, original_price, original_revenue FROM warehouse.sales ORDER BY 1"
    )
    assert found == [
        ("o-1", Decimal("10.5"), Decimal(21), "USD", Decimal("10.5"), Decimal(21)),
        ("o-2", None, None, "EUR", Decimal(10), Decimal(20)),
        ("o-3", Decimal(11), Decimal(22), "EUR", Decimal(10), Decimal(20)),
        ("o-4", Decimal("11.01"), Decimal("22.02"), "EUR", Decimal("10.01"), Decimal("20.02")),
        ("o-5", Decimal(12), Decimal(24), "EUR", Decimal(10), Decimal(20)),
        ("o-6", Decimal("3.27"), Decimal("3.27"), "KWD", Decimal("1.005"), Decimal("1.005")),
        ("o-7", None, None, "JPY", Decimal(1990), Decimal(3980)),
    ]
    assert bench.ask("SELECT date, revenue::text FROM warehouse.sales_by_date ORDER BY 1") == [
        (date(2026, 1, 1), "21.00"), (date(2026, 1, 2), "22.00"), (date(2026, 1, 4), "22.02"), (date(2026, 1, 5), "27.27"),
    ]  # fmt: skip
    migrate(bench.warehouse, currency=Currency(default="USD", reporting="EUR"))
    assert bench.ask("SELECT order_id, revenue FROM warehouse.sales WHERE currency IN ('EUR', 'JPY', 'USD') ORDER BY 1") == [
        ("o-1", None), ("o-2", Decimal(20)), ("o-3", Decimal(20)), ("o-4", Decimal("20.02")), ("o-5", Decimal(20)),
        ("o-7", Decimal("35.82")),
    ]  # fmt: skip
    assert bench.ask("SELECT currency, decimals FROM ops.reporting_currency") == [("EUR", 2)]
    migrate(bench.warehouse)  # without a wish: as it is
    assert bench.ask("SELECT currency FROM ops.reporting_currency") == [("EUR",)]


@pytest.mark.parametrize("default", ["USD", "EUR"])
def test_an_old_warehouse_gets_the_default_of_that_moment_without_being_rewritten(old: Address, default: str) -> None:
    load(old, some_lines(200))
    with old.connect("admin") as admin:
        (before,) = admin.execute("SELECT pg_relation_filenode('warehouse.fact_sales')").fetchone() or ()
    now = read_sql("ecom_lite.check", "fingerprint/fact_sales").decode()
    then = now.replace("coalesce(f.exact_price, f.unit_price)", "f.unit_price")
    then = then.replace("concat_ws(' ', f.revenue, nullif(f.currency, 'USD'), f.list_price)", "f.revenue")
    hashed = written(old, then)
    migrate(old, currency=Currency(default=default))
    with old.connect("admin") as admin:
        (after,) = admin.execute("SELECT pg_relation_filenode('warehouse.fact_sales')").fetchone() or ()
    assert after == before
    assert rows(old, "SELECT DISTINCT currency, exact_price FROM warehouse.fact_sales") == [(default, None)]
    assert rows(old, "SELECT currency FROM ops.reporting_currency") == [(default,)]
    assert rows(old, "SELECT count(*), sum(revenue) FROM warehouse.sales") == rows(
        old, "SELECT count(*), sum(revenue) FROM warehouse.fact_sales"
    )
    assert (written(old, now) == hashed) == (default == "USD")


def written(address: Address, query: str) -> bytes:
    """What a fingerprint is taken of."""
    with address.connect("ecom_reader") as reader:
        reader.execute(read_sql("ecom_lite.check", "fingerprint/session"))
        with reader.cursor().copy(f"COPY ({query}\n) TO STDOUT".encode()) as copy:
            return b"".join(copy)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)
