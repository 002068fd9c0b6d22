"""Rates loaded, corrected and missing: the marts follow them, exactly, and what has none is named."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ecom_lite.check.reconcile import reconcile
from ecom_lite.rates.file import read_rates
from ecom_lite.rates.store import Loaded, days_of, list_rates, put_rates, reporting_currency
from ecom_lite.settings.tree import Currency
from ecom_lite.topic.client import ends_of
from ecom_lite.transform import Transform
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.migrate import migrate

from .facts import rows, settle
from .loading import Bench, line

PROJECT = Path(__file__).parents[2] / "dbt_project"
pytestmark = pytest.mark.timeout(600)  # up to five runs of dbt's own, each of seconds, or of half a minute
MONEY = [f"revenue in {mart} = facts" for mart in ("daily_sales", "product_performance", "customer_ltv")]


@pytest.fixture
def bench(kafka_bootstrap: str, topic: str, warehouse: Address) -> Bench:
    return Bench(kafka_bootstrap, topic, warehouse)


@pytest.fixture
def transform(warehouse: Address, tmp_path: Path) -> Transform:
    return Transform(warehouse, PROJECT, tmp_path / "dbt", threads=2)


def sale(number: int, currency: str, price: object, day: str, quantity: int = 1, product: int = 1) -> dict[str, Any]:
    found = line(f"o-{number}", product, price=price, quantity=quantity, currency=currency, timestamp=f"{day}T10:00:00Z")
    return found | {"revenue": None, "user_id": number % 3 + 1}


def put(address: Address, *lines: str, reporting: str = "USD") -> Loaded:
    return put_rates(address, read_rates(lines, "rates.csv", reporting), reporting)


def daily(address: Address) -> dict[str, Decimal]:
    return {str(day): revenue for day, revenue in rows(address, "SELECT date, revenue FROM marts.daily_sales ORDER BY 1")}


def open_lines(bench: Bench) -> list[str]:
    """Of the lines that tell about the marts and about amounts."""
    topics = [bench.topic]
    report = reconcile(bench.warehouse, topics, lambda: ends_of(bench.client, topics), producing=False, spark=False)
    about = [
        one
        for one in report.lines
        if one.name.startswith(("lines with", "lines in daily", "revenue in")) and "totals" not in one.name
    ]
    assert len(about) == 5
    return [one.name for one in about if not one.closes]


def test_a_file_is_loaded_once_corrected_and_listed(warehouse: Address) -> None:
    assert reporting_currency(warehouse) == "USD"
    assert put(warehouse, "2026-01-02,EUR,1.1", "2026-01-03,EUR,1.2", "2026-01-02,JPY,0.0064") == Loaded("USD", 3, 0, 0, False)
    assert put(warehouse, "2026-01-02,EUR,1.10", "2026-01-03,EUR,1.25") == Loaded("USD", 0, 1, 1, False)
    assert put(warehouse, "2026-01-02,USD,0.9", reporting="EUR") == Loaded("EUR", 1, 0, 0, False)
    listed, missing = list_rates(warehouse)
    assert [(one.currency, one.reporting, one.days, one.last_day, one.rate) for one in listed] == [
        ("USD", "EUR", 1, date(2026, 1, 2), Decimal("0.9")),
        ("EUR", "USD", 2, date(2026, 1, 3), Decimal("1.25")),
        ("JPY", "USD", 1, date(2026, 1, 2), Decimal("0.0064")),
    ]
    assert missing == []
    assert days_of(warehouse, "EUR") == [(date(2026, 1, 3), "USD", Decimal("1.25")), (date(2026, 1, 2), "USD", Decimal("1.1"))]


def test_marts_are_in_the_reporting_currency_and_follow_missing_and_corrected_rates(bench: Bench, transform: Transform) -> None:
    bench.send(
        [
            sale(1, "USD", "10.00", "2026-01-02"),
            sale(2, "EUR", "10.00", "2026-01-02"),
            sale(3, "EUR", "20.00", "2026-01-03", 2),
            sale(4, "KWD", "1.005", "2026-01-03", 1, 2),
        ]
    )
    bench.load()
    settle(bench.warehouse)
    run = transform.run("refresh")
    assert run.status == "success"
    assert run.message == (
        "no rate to USD: EUR (2 lines, 2026-01-02 .. 2026-01-03), KWD (1 line, 2026-01-03 .. 2026-01-03); these lines are in no "
        "sum of money until `ecom_lite rates load` has one"
    )
    assert daily(bench.warehouse) == {"2026-01-02": Decimal("10.00"), "2026-01-03": Decimal("0.00")}
    assert rows(bench.warehouse, "SELECT sum(lines), sum(units) FROM marts.daily_sales") == [(4, 5)]
    assert open_lines(bench) == []
    # Loaded: the marts hold other money than the facts, until the next run, which is a full one by itself.
    assert put(bench.warehouse, "2026-01-01,EUR,1.1", "2026-01-01,KWD,3.25").touched
    assert set(open_lines(bench)) == set(MONEY)
    said: list[str] = []
    assert transform.run("schedule", said=said.append).message == ""
    assert "built anew" in said[0]
    assert daily(bench.warehouse) == {"2026-01-02": Decimal("21.00"), "2026-01-03": Decimal("47.27")}
    assert open_lines(bench) == []
    # A correction of the past, and a rate of a day that no fact is on or after.
    assert put(bench.warehouse, "2026-01-03,EUR,1.2").touched
    assert not put(bench.warehouse, "2026-01-03,EUR,1.2", "2027-01-01,EUR,9").touched
    bench.send([sale(5, "EUR", "1.00", "2026-01-04")])
    bench.load()
    settle(bench.warehouse)
    assert transform.run("schedule").status == "success"
    assert daily(bench.warehouse)["2026-01-03"] == Decimal("51.27") and daily(bench.warehouse)["2026-01-04"] == Decimal("1.20")
    assert open_lines(bench) == []
    runs = rows(bench.warehouse, "SELECT full_refresh, status FROM ops.dbt_runs ORDER BY run_id")
    assert runs == [(False, "success"), (True, "success"), (True, "success")]
    assert transform.run("schedule").status == "success"
    assert rows(bench.warehouse, "SELECT full_refresh FROM ops.dbt_runs ORDER BY run_id DESC LIMIT 1") == [(False,)]


@pytest.mark.parametrize(
    ("reporting", "rate", "expected"), [("KWD", "0.3", "3.327"), ("JPY", "150", "1664.00"), ("EUR", "0.9", "9.98")]
)
def test_another_reporting_currency_makes_the_marts_anew_with_its_decimals(
    bench: Bench, transform: Transform, reporting: str, rate: str, expected: str
) -> None:
    bench.send(
        [sale(1, "USD", "10.01", "2026-01-02"), sale(2, "USD", "1.08", "2026-01-02"), sale(3, reporting, "0.000", "2026-01-02")]
    )
    bench.load()
    settle(bench.warehouse)
    transform.run("refresh")
    put(bench.warehouse, f"2026-01-01,USD,{rate}", reporting=reporting)
    migrate(bench.warehouse, currency=Currency(default="USD", reporting=reporting))
    run = transform.run("schedule")
    assert (run.status, run.message) == ("success", "")
    assert rows(bench.warehouse, "SELECT revenue::text FROM marts.daily_sales") == [(expected,)]
    total = "SELECT sum(lifetime_value)::text, (SELECT sum(revenue)::text FROM marts.product_performance) FROM marts.customer_ltv"
    assert rows(bench.warehouse, total) == [(expected, expected)]
    assert open_lines(bench) == []
    migrate(bench.warehouse, currency=Currency(default="USD"))
    assert transform.run("schedule").status == "success"
    # The line in the other currency has no rate back, and is worth nothing known.
    assert daily(bench.warehouse) == {"2026-01-02": Decimal("11.09")}
    assert open_lines(bench) == []


def test_a_full_build_that_fails_is_made_up_for(bench: Bench, transform: Transform) -> None:
    bench.send([sale(1, "EUR", "10.00", "2026-01-02")])
    bench.load()
    settle(bench.warehouse)
    transform.run("refresh")
    put(bench.warehouse, "2026-01-01,EUR,1.1")

    bench.ask("REVOKE SELECT ON warehouse.sales FROM ecom_dbt")
    assert transform.run("schedule").status == "error"
    bench.ask("GRANT SELECT ON warehouse.sales TO ecom_dbt")

    assert transform.run("schedule").status == "success"
    assert daily(bench.warehouse) == {"2026-01-02": Decimal("11.00")}
    assert rows(bench.warehouse, "SELECT full_refresh FROM ops.dbt_runs ORDER BY run_id") == [(False,), (True,), (True,)]


def test_one_currency_is_not_looked_through_for_missing_rates(bench: Bench, transform: Transform) -> None:
    bench.send([sale(1, "USD", "10.00", "2026-01-02")])
    bench.load()
    settle(bench.warehouse)
    assert transform.run("refresh").message == ""
    assert rows(bench.warehouse, "SELECT other_currencies FROM ops.reporting_currency") == [(False,)]
    bench.send([sale(2, "EUR", "10.00", "2026-01-02")])
    bench.load()
    settle(bench.warehouse)
    assert "EUR (1 line" in transform.run("refresh").message
    assert rows(bench.warehouse, "SELECT other_currencies FROM ops.reporting_currency") == [(True,)]
