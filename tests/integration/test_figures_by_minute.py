"""Figures by minute from the facts: by country, in all, returns, movers; each knows whether its minute is closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ecom_lite.rollups import Rollups
from ecom_lite.stream.light import LightMinutes
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.sqlfiles import read_sql

from .facts import Line, change_profile, insert_bulk, load, rows, settle, some_lines, wait_alone

AT = datetime(2026, 3, 6, 12, tzinfo=UTC)  # `some_lines` are of the five days before
MINUTE = "date_trunc('minute', {}, 'UTC')"
SHOWN = {
    "in all": "SELECT window_start, orders, lines, units, revenue FROM realtime.orders_per_minute ORDER BY 1",
    "countries": "SELECT window_start, country, orders, lines, units, revenue FROM realtime.country_per_minute ORDER BY 1, 2",
    "returns": "SELECT window_start, kind, lines, units, amount FROM realtime.returns_per_minute ORDER BY 1, 2",
}
SALES = "count(DISTINCT order_id), count(*), sum(quantity), sum(revenue)"
FROM_SALES = "FROM warehouse.sales JOIN warehouse.dim_user USING (user_key)"
COUNTED = {
    "in all": f"SELECT {MINUTE.format('ordered_at')}, {SALES} {FROM_SALES} GROUP BY 1 ORDER BY 1",
    "countries": f"SELECT {MINUTE.format('ordered_at')}, coalesce(country, '(unknown)'), {SALES} {FROM_SALES} "
    "GROUP BY 1, 2 ORDER BY 1, 2",
    "returns": f"SELECT {MINUTE.format('r.returned_at')}, r.kind, count(*), sum(r.quantity), "
    "coalesce(sum(r.quantity * s.unit_price), 0) FROM warehouse.fact_returns r "
    "LEFT JOIN warehouse.dim_product p USING (product_id) LEFT JOIN warehouse.sales s USING (order_id, product_key) "
    "GROUP BY 1, 2 ORDER BY 1, 2",
}


def figures(warehouse: Address, asked: dict[str, str]) -> dict[str, list[tuple[Any, ...]]]:
    return {name: rows(warehouse, query) for name, query in asked.items()}


def take_back(warehouse: Address, lines: Sequence[Line], kind: str = "order_returned", return_id: str = "r") -> None:
    """Half a minute after each order."""
    with warehouse.connect("ecom_loader") as connection:
        connection.cursor().executemany(
            "INSERT INTO warehouse.fact_returns (order_id, product_id, kind, return_id, quantity, reason, returned_at, "
            "source_partition, source_offset, load_xid) VALUES (%s, %s, %s, %s, 1, '', %s, 0, 0, ops.load_order())",
            [(line.order_id, str(line.product_id), kind, return_id, line.ordered_at + timedelta(seconds=30)) for line in lines],
        )
    settle(warehouse)


def in_few_minutes(lines: Sequence[Line]) -> list[Line]:
    """So that orders have several lines of one minute, and lines of two."""
    return [replace(line, user_id=sum(map(ord, line.order_id)) % 9 + 1, ordered_at=AT - timedelta(seconds=n % 240 + 300))
            for n, line in enumerate(lines)]  # fmt: skip


def test_minutes_are_the_facts_after_every_pass(warehouse: Address) -> None:
    rollups = Rollups(warehouse, lambda: AT)
    lines = in_few_minutes(some_lines(400, orders=60))
    for user, country in ((1, "Norway"), (2, "Spain"), (3, "Norway")):
        change_profile(warehouse, user, "N", "C", country)
    for n in range(6):  # orders are torn apart: their lines come in different passes, returns before their lines and after
        part = lines[n::6]
        take_back(warehouse, part[:9], "order_cancelled")
        if n == 2:
            rollups.refresh()
        load(warehouse, part)
        take_back(warehouse, part[5:12])
        take_back(warehouse, part[5:7], return_id="once more")
        if n != 3:
            rollups.refresh()
            assert figures(warehouse, SHOWN) == figures(warehouse, COUNTED), n
    assert rows(warehouse, "SELECT count(*) FROM realtime.returns_waiting") == [(0,)]
    assert len(figures(warehouse, SHOWN)["in all"]) < 6 and len(figures(warehouse, SHOWN)["countries"]) > 8


def test_a_return_without_its_order_line_counts_and_waits_for_its_price(warehouse: Address) -> None:
    rollups, (line, other) = Rollups(warehouse, lambda: AT), some_lines(2)
    load(warehouse, [other])
    take_back(warehouse, [line, other])
    rollups.refresh()
    amounts = "SELECT sum(lines), sum(units), sum(amount) FROM realtime.returns_per_minute"
    assert rows(warehouse, amounts) == [(2, 2, other.price)]
    assert rows(warehouse, "SELECT order_id, units FROM realtime.returns_waiting") == [(line.order_id, 1)]
    load(warehouse, [line])
    rollups.refresh()
    assert rows(warehouse, amounts) == [(2, 2, other.price + line.price)]
    assert rows(warehouse, "SELECT count(*) FROM realtime.returns_waiting") == [(0,)]


def test_what_a_customer_bought_before_moving_stays_where_it_was(warehouse: Address) -> None:
    rollups, line = Rollups(warehouse, lambda: AT), replace(some_lines(1)[0], ordered_at=AT)
    change_profile(warehouse, line.user_id, "N", "C", "Norway")
    load(warehouse, [line])
    rollups.refresh()
    change_profile(warehouse, line.user_id, "N", "C", "Spain", AT)
    load(warehouse, [replace(line, order_id="after")])
    rollups.refresh()
    countries = "SELECT country, lines, orders FROM realtime.country_per_minute ORDER BY 1"
    assert rows(warehouse, countries) == [("Norway", 1, 1), ("Spain", 1, 1)]


def test_a_minute_is_closed_by_the_events_that_come_after_it_and_a_late_one_still_counts(warehouse: Address) -> None:
    rollups, light, line = Rollups(warehouse, lambda: AT, watermark_s=120), LightMinutes(warehouse), some_lines(1)[0]

    def comes(name: str, at: datetime) -> None:
        load(warehouse, [replace(line, order_id=name, ordered_at=at)])
        rollups.refresh()
        light.refresh()

    def closed(view: str) -> list[tuple[Any, ...]]:
        return rows(warehouse, f"SELECT lines, is_closed FROM realtime.{view} ORDER BY window_start")

    views = ("orders_per_minute", "country_per_minute", "sales_per_minute")
    comes("first", AT - timedelta(seconds=600))  # a minute begins here
    take_back(warehouse, [replace(line, order_id="first", ordered_at=AT - timedelta(seconds=600))])
    comes("second", AT - timedelta(seconds=421))
    assert [closed(view) for view in views] == [[(1, False), (1, False)]] * 3, "the watermark is a second too early"
    comes("third", AT - timedelta(seconds=420))
    assert [closed(view) for view in views] == [[(1, True), (1, False), (1, False)]] * 3
    assert closed("returns_per_minute") == [(1, True)]
    comes("late", AT - timedelta(seconds=600))
    assert [closed(view) for view in views] == [[(2, True), (1, False), (1, False)]] * 3
    comes("by a clock that is ahead", AT + timedelta(seconds=61))
    assert [closed(view) for view in views] == [[(2, True), (1, False), (1, False), (1, False)]] * 3, "it closes nothing"
    with warehouse.connect("ecom_stream") as connection:  # Spark goes on: now its watermark counts
        connection.execute("DELETE FROM realtime.light_progress; DELETE FROM realtime.stream_progress")
    assert not any(is_closed for _, is_closed in closed("sales_per_minute"))
    with warehouse.connect("ecom_stream") as connection:
        connection.execute(
            "INSERT INTO realtime.stream_progress (query, batch_id, watermark, input_rows) VALUES ('per_minute', 7, %s, 1)",
            [AT - timedelta(seconds=420)],
        )
    assert closed("sales_per_minute") == [(2, True), (1, True), (1, False), (1, False)]


def test_other_rates_make_the_minutes_void_and_the_next_pass_makes_them_anew(warehouse: Address) -> None:
    rollups, lines = Rollups(warehouse, lambda: AT), in_few_minutes(some_lines(120, orders=40))
    load(warehouse, lines)
    take_back(warehouse, lines[:20])
    with warehouse.connect("ecom_owner") as connection:
        connection.execute("UPDATE warehouse.fact_sales SET currency = 'EUR' WHERE user_key % 2 = 0")
    rollups.refresh()
    with warehouse.connect("ecom_owner") as connection:
        connection.execute(
            "INSERT INTO warehouse.rates (currency, reporting, day, rate) VALUES ('EUR', 'USD', '2026-01-01', 1.5)"
        )
    assert figures(warehouse, SHOWN) == {name: [] for name in SHOWN}
    rollups.refresh()
    assert figures(warehouse, SHOWN) == figures(warehouse, COUNTED)


def test_movers_compare_closed_minutes_with_as_many_of_the_hour_before(warehouse: Address) -> None:
    hour = AT.replace(minute=0)
    toys, books = (Line("x", 1, product, 1, Decimal(10), hour) for product in (2, 3))  # by product_id % 3
    assert (toys.category, books.category) == ("Toys", "Books")
    change_profile(warehouse, 1, "N", "C", "Norway")

    def minute(number: float) -> datetime:
        return hour + timedelta(minutes=number)

    sold = {
        "now": (toys, 5), "also now": (toys, 9.5), "not closed": (toys, 10), "before": (toys, -55),
        "as many minutes": (toys, -51),
        "later in the hour before": (toys, -50), "two hours before": (toys, -61), "only before": (books, -60),
        "clock": (books, 12),
    }  # fmt: skip
    lines = [replace(line, order_id=name, ordered_at=minute(at)) for name, (line, at) in sold.items()]
    load(warehouse, lines)
    rollups = Rollups(warehouse, lambda: minute(12), watermark_s=120)  # 12:12 less two minutes
    rollups.refresh()
    movers = "SELECT kind, name, begins, until, revenue, before, moved, moved_share FROM realtime.movers ORDER BY kind, name"
    until = minute(10)
    assert rows(warehouse, movers) == [
        ("category", "Books", hour, until, 0, 10, -10, -1),
        ("category", "Toys", hour, until, 20, 20, 0, 0),
        ("country", "Norway", hour, until, 20, 30, -10, Decimal("-0.3333")),
    ]
    with warehouse.connect("ecom_owner") as connection:
        connection.execute("UPDATE ops.calendar SET time_zone = 'Asia/Kolkata'")  # its hours begin at half past
    assert [row[2:4] for row in rows(warehouse, movers)] == [(hour - timedelta(minutes=30), until)] * 3


@pytest.mark.parametrize("view", ["orders_per_minute", "country_per_minute", "returns_per_minute", "movers"])
def test_nothing_sold_is_nothing_shown(warehouse: Address, view: str) -> None:
    Rollups(warehouse).refresh()
    assert rows(warehouse, f"SELECT * FROM realtime.{view}") == []


def test_a_pass_costs_what_is_new(warehouse: Address) -> None:
    rollups = Rollups(warehouse)
    insert_bulk(warehouse, 200_000)
    rollups.refresh()
    with warehouse.connect("ecom_owner", autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE warehouse.fact_sales")
    insert_bulk(warehouse, 500)
    before = _read(warehouse)
    assert rollups.refresh() == 500
    assert _read(warehouse) - before < 10_000


def _read(warehouse: Address) -> int:
    wait_alone(warehouse)
    with warehouse.connect("admin", autocommit=True) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        connection.execute("SELECT pg_stat_clear_snapshot()")
        row = connection.execute(
            "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables "
            "WHERE relid IN ('warehouse.fact_sales'::regclass, 'realtime.minutes_in_all'::regclass)"
        ).fetchone()
        return int(row[0]) if row else 0


def test_the_minute_of_the_log_is_found_by_the_index_however_many_there_are(warehouse: Address) -> None:
    def looked_at(node: dict[str, Any]) -> float:
        return float(node["Actual Loops"]) * float(node["Actual Rows"]) + sum(map(looked_at, node.get("Plans", [])))

    with warehouse.connect("ecom_stream") as connection:
        connection.execute(
            "INSERT INTO realtime.minutes_by_currency (window_start, category, currency, revenue, orders, lines, units) "
            "SELECT date_trunc('minute', now()) - make_interval(mins => n), category, 'USD', 1, 1, 1, 1 "
            "FROM generate_series(1, 5000) n, unnest(ARRAY['Toys', 'Tools']) category"
        )
        connection.execute("SET LOCAL enable_seqscan = off")  # the statistics are those of an empty table
        asked = read_sql("ecom_lite.stream", "latest_minute")
        assert [row[1:] for row in connection.execute(asked)] == [("Tools", 1, 1, 1, 1), ("Toys", 1, 1, 1, 1)]
        ((plan,),) = connection.execute(b"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + asked).fetchall()
    assert looked_at(plan[0]["Plan"]) < 100
