"""The days in the lake are those of the marts, at their cut; only what has changed is taken in, and what a day was stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecom_lite.lake.daily import Daily
from ecom_lite.lake.reader import open_lake
from ecom_lite.lake.writer import Writer
from ecom_lite.transform import Transform
from ecom_lite.warehouse.connect import Address

from .facts import insert_lines, load, rows, settle, some_lines
from .lake_writer import open_in_turn

PROJECT = Path(__file__).parents[2] / "dbt_project"
FIGURES = (
    "date, lines, orders, units, gross, discounts, revenue, returned_units, returns, net, customers, average_order_value, "
    "returned_of_orders, returned_share"
)


@pytest.fixture
def transform(warehouse: Address, tmp_path: Path) -> Transform:
    return Transform(warehouse, PROJECT, tmp_path / "dbt", threads=2)


@pytest.fixture
def writer(warehouse: Address, tmp_path: Path) -> Iterator[Writer]:
    with Writer(warehouse.only("ecom_lake"), tmp_path / "lake") as writer:
        open_in_turn(writer)
        yield writer


def newest(warehouse: Address) -> list[tuple[Any, ...]]:
    newest = "QUALIFY row_number() OVER (PARTITION BY date ORDER BY as_of DESC) = 1"
    with open_lake(warehouse) as lake:
        return lake.execute(f"SELECT {FIGURES} FROM lake.daily {newest} ORDER BY date").fetchall()


def marts(warehouse: Address) -> list[tuple[Any, ...]]:
    return rows(warehouse, f"SELECT {FIGURES} FROM marts.daily_sales ORDER BY date")


def snapshots(writer: Writer) -> int:
    ((count,),) = writer.ask("SELECT count(*) FROM ducklake_snapshots('lake')")
    return int(count)


def test_the_days_are_those_of_the_marts_and_only_what_has_changed_is_taken_in(
    warehouse: Address, writer: Writer, transform: Transform
) -> None:
    daily = Daily(writer)
    assert daily() == 0, "there are no marts yet"
    load(warehouse, some_lines(300, days=5))
    assert transform.run("first facts").status == "success"
    days = len(marts(warehouse))
    assert (daily(), daily()) == (days, 0) and days >= 5
    assert newest(warehouse) == marts(warehouse)

    before = newest(warehouse)
    late = [line for line in some_lines(200, seed=2) if line.ordered_at.date() == before[1][0]]
    load(warehouse, late)
    assert daily() == 0, "the marts have not taken them yet"
    assert transform.run("schedule").status == "success"
    assert daily() == 1 and newest(warehouse) == marts(warehouse) != before
    with open_lake(warehouse) as lake:
        versions = "SELECT lines FROM lake.daily WHERE date = ? ORDER BY as_of"
        assert lake.execute(versions, [before[1][0]]).fetchall() == [(before[1][1],), (before[1][1] + len(late),)]

    count = snapshots(writer)
    assert transform.run("refresh", full_refresh=True).status == "success"
    assert (daily(), snapshots(writer)) == (0, count), "the same figures, built anew: nothing is written"


def test_a_writer_that_is_opened_anew_takes_nothing_in_twice_and_goes_on(
    warehouse: Address, writer: Writer, transform: Transform
) -> None:
    daily = Daily(writer)
    load(warehouse, some_lines(100, days=2))
    assert transform.run("first facts").status == "success"
    assert daily() > 0
    open_in_turn(writer)
    assert (daily(), Daily(writer)()) == (0, 0)
    with warehouse.connect("ecom_loader") as loader:
        insert_lines(loader, some_lines(50, seed=2, days=2))
    settle(warehouse)
    assert transform.run("schedule").status == "success"
    open_in_turn(writer)
    assert daily() > 0 and newest(warehouse) == marts(warehouse)


def test_a_day_that_the_mart_has_no_more_counts_for_nothing(warehouse: Address, writer: Writer, transform: Transform) -> None:
    daily = Daily(writer)
    load(warehouse, some_lines(100, days=3))
    assert transform.run("first facts").status == "success"
    assert daily() > 0
    with warehouse.connect("admin") as admin:
        oldest = "(SELECT min(date) FROM marts.daily_sales)"
        ((day,),) = admin.execute(f"DELETE FROM marts.daily_sales WHERE date = {oldest} RETURNING date").fetchall()
    assert transform.run("schedule").status == "tests failed", "dbt's own tests see it"
    assert daily() == 1
    assert [row[1] for row in newest(warehouse) if row[0] == day] == [0]
    assert [row for row in newest(warehouse) if row[1]] == marts(warehouse)
