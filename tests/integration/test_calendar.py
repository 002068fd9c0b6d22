"""The shop's time zone: by its clock the marts count days, and marts of another clock are not mixed with those of a new one."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ecom_lite.errors import MigrationError
from ecom_lite.transform import Transform
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.migrate import migrate

from .facts import Line, load, rows

PROJECT = Path(__file__).parents[2] / "dbt_project"
DAYS = "SELECT date::text, lines::int FROM marts.daily_sales ORDER BY 1"


def sold_at(order_id: str, moment: str) -> Line:
    return Line(order_id, 1, 1, 1, Decimal("1.00"), datetime.fromisoformat(moment).replace(tzinfo=UTC))


def test_days_are_those_of_the_shop_and_another_clock_takes_a_rebuild(warehouse: Address, tmp_path: Path) -> None:
    migrate(warehouse, time_zone="Europe/Berlin")
    migrate(warehouse, time_zone="America/New_York")  # nothing counts days yet
    migrate(warehouse, time_zone="Europe/Berlin")
    # Summer time begins on the 29th, which has 23 hours.
    load(warehouse, [sold_at("a", "2026-03-28 22:59"), sold_at("b", "2026-03-28 23:00"), sold_at("c", "2026-03-29 21:59")])
    transform = Transform(warehouse, PROJECT, tmp_path / "dbt", threads=2)
    assert transform.run("first facts").status == "success"
    load(warehouse, [sold_at("d", "2026-03-29 22:00")])
    assert transform.run("schedule").status == "success"
    assert rows(warehouse, DAYS) == [("2026-03-28", 1), ("2026-03-29", 2), ("2026-03-30", 1)]

    with pytest.raises(MigrationError, match=r'shop.time_zone = "UTC", .* clock of Europe/Berlin: .*migrate --rebuild-marts'):
        migrate(warehouse, time_zone="UTC")
    assert rows(warehouse, "SELECT time_zone FROM ops.calendar") == [("Europe/Berlin",)]
    assert migrate(warehouse, time_zone="UTC", rebuild_marts=True) == ["days by the clock of UTC"]
    assert transform.run("schedule").status == "success"
    assert rows(warehouse, DAYS) == [("2026-03-28", 2), ("2026-03-29", 2)]


def test_a_zone_that_postgresql_does_not_know_is_refused_before_anything_counts_by_it(warehouse: Address) -> None:
    with pytest.raises(MigrationError, match=r'shop\.time_zone = "Mars/Olympus": PostgreSQL knows no time zone of this name'):
        migrate(warehouse, time_zone="Mars/Olympus")
    with warehouse.connect("ecom_reader") as reader:
        assert reader.execute("SELECT time_zone FROM ops.calendar").fetchone() == ("UTC",)


def test_a_run_of_some_models_does_not_mix_two_clocks(warehouse: Address, tmp_path: Path) -> None:
    migrate(warehouse, time_zone="Europe/Berlin")
    load(warehouse, [sold_at("a", "2026-03-28 22:59"), sold_at("b", "2026-03-28 23:00")])
    transform = Transform(warehouse, PROJECT, tmp_path / "dbt", threads=2)
    assert transform.run("first facts").status == "success"
    migrate(warehouse, time_zone="UTC", rebuild_marts=True)
    load(warehouse, [sold_at("c", "2026-03-28 23:01")])
    assert transform.run("refresh", select=["daily_sales"]).status == "selected"
    assert rows(warehouse, DAYS) == [("2026-03-28", 3)]
    assert transform.run("schedule").status == "success"
    assert rows(warehouse, DAYS) == [("2026-03-28", 3)]
    assert rows(warehouse, "SELECT hour::text, lines::int FROM marts.hourly_sales ORDER BY 1") == [
        ("2026-03-28 22:00:00+00", 1), ("2026-03-28 23:00:00+00", 2)
    ]  # fmt: skip
