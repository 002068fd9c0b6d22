"""The kept sums and the tail since their cut: at every moment exactly what the facts say."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from ecom_lite.rollups import Rollups
from ecom_lite.stream.light import LightMinutes
from ecom_lite.warehouse.connect import Address

from .facts import insert_bulk, insert_lines, load, rows, some_lines, standing_still, wait_alone

SHOWN = {
    "totals": "SELECT lines, orders, units, revenue FROM realtime.totals()",
    "categories": "SELECT * FROM realtime.category_totals() ORDER BY category",
    "products": "SELECT * FROM realtime.top_products(5)",
    "customers": "SELECT user_id, lines, units, revenue FROM realtime.top_customers(5)",
}
COUNTED = {
    "totals": "SELECT count(*), count(DISTINCT order_id), coalesce(sum(quantity), 0), coalesce(sum(revenue), 0) "
    "FROM warehouse.fact_sales",
    "categories": "SELECT category, count(*), count(DISTINCT order_id), sum(quantity), sum(revenue) FROM warehouse.fact_sales "
    "JOIN warehouse.dim_category USING (category_key) GROUP BY category ORDER BY category",
    "products": "SELECT product_id, product_title, count(*), sum(quantity), sum(revenue) FROM warehouse.fact_sales "
    "JOIN warehouse.dim_product USING (product_key) GROUP BY product_key, product_id, product_title "
    "ORDER BY sum(revenue) DESC, product_key LIMIT 5",
    "customers": "SELECT user_id, count(*), sum(quantity), sum(revenue) FROM warehouse.fact_sales "
    "JOIN warehouse.dim_user USING (user_key) GROUP BY user_key, user_id ORDER BY sum(revenue) DESC, user_key LIMIT 5",
}
DAYS = {"days": "SELECT * FROM realtime.sales_by_day() ORDER BY date_key, currency"}
COUNTED_DAYS = {"days": "SELECT date_key, currency, count(*), sum(revenue) FROM warehouse.fact_sales GROUP BY 1, 2 ORDER BY 1, 2"}


def figures(warehouse: Address, asked: dict[str, str]) -> dict[str, list[tuple[Any, ...]]]:
    return {name: rows(warehouse, query) for name, query in asked.items()}


def test_sums_and_tail_are_the_facts_before_and_after_every_pass(warehouse: Address) -> None:
    rollups = Rollups(warehouse)
    assert rollups.refresh() == 0 and figures(warehouse, SHOWN) == figures(warehouse, COUNTED)
    lines = some_lines(400, orders=90)  # orders are torn apart: their lines come in different passes
    for n in range(8):
        load(warehouse, lines[n::8])
        assert figures(warehouse, SHOWN | DAYS) == figures(warehouse, COUNTED | COUNTED_DAYS), "a tail not taken in"
        if n % 3:
            assert rollups.refresh() == (100 if n == 1 or n == 4 or n == 7 else 50)
            assert figures(warehouse, SHOWN | DAYS) == figures(warehouse, COUNTED | COUNTED_DAYS), "no tail"
    assert rollups.refresh() == 0


def test_figures_that_may_be_old_leave_the_tail_out_while_somebody_keeps_the_sums(warehouse: Address) -> None:
    lately = {name: query.replace("()", "('1 hour')").replace("(5)", "(5, '1 hour')") for name, query in SHOWN.items()}
    load(warehouse, some_lines(200))
    assert figures(warehouse, lately) == figures(warehouse, COUNTED), "no pass was made yet"
    Rollups(warehouse).refresh()
    before = figures(warehouse, COUNTED)
    load(warehouse, some_lines(100, seed=3))
    assert figures(warehouse, lately) == before
    assert figures(warehouse, SHOWN) == figures(warehouse, COUNTED) != before
    with warehouse.connect("admin") as admin:
        admin.execute("UPDATE realtime.rolled SET updated_at = now() - interval '2 hours'")
    assert figures(warehouse, lately) == figures(warehouse, COUNTED), "the last pass was too long ago"
    with warehouse.connect("admin") as admin:
        admin.execute("UPDATE realtime.rolled SET updated_at = now()")
        admin.execute("INSERT INTO warehouse.rates (currency, reporting, day, rate) VALUES ('EUR', 'USD', '2026-01-01', 1.1)")
    assert figures(warehouse, lately) == figures(warehouse, SHOWN), "other rates have made the sums void"
    assert figures(warehouse, DAYS) == figures(warehouse, COUNTED_DAYS)


def test_what_a_transaction_loads_that_is_still_open_waits_for_the_next_pass(warehouse: Address) -> None:
    rollups, lines = Rollups(warehouse), some_lines(90)
    load(warehouse, some_lines(300, seed=2))  # all customers, products and days: nobody waits for another's
    rollups.refresh()
    with standing_still(warehouse) as slow:
        insert_lines(slow, lines[:30])
        with warehouse.connect("ecom_loader") as quick:  # began later, ended earlier
            insert_lines(quick, lines[30:60])
        rollups.refresh()
        assert figures(warehouse, SHOWN) == figures(warehouse, COUNTED)
    assert figures(warehouse, SHOWN) == figures(warehouse, COUNTED)
    load(warehouse, lines[60:])
    assert rollups.refresh() == 90
    assert figures(warehouse, SHOWN) == figures(warehouse, COUNTED)


def test_two_passes_at_once_take_each_fact_once(warehouse: Address) -> None:
    insert_bulk(warehouse, 30_000)
    taken: list[int] = []
    passes = [threading.Thread(target=lambda: taken.append(Rollups(warehouse).refresh())) for _ in range(3)]
    for one in passes:
        one.start()
    for one in passes:
        one.join()
    assert sorted(taken) == [0, 0, 35_000]  # with the dimensions' own
    assert figures(warehouse, SHOWN) == figures(warehouse, COUNTED)


@pytest.mark.parametrize("shown", SHOWN.values(), ids=SHOWN)
def test_a_figure_reads_the_tail_only(warehouse: Address, shown: str) -> None:
    insert_bulk(warehouse, 200_000)
    with warehouse.connect("ecom_owner", autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE warehouse.fact_sales")
    Rollups(warehouse).refresh()
    insert_bulk(warehouse, 500)
    wait_alone(warehouse)
    with warehouse.connect("ecom_reader") as connection:
        before = _read(connection)
        connection.execute(shown.encode()).fetchall()
        connection.execute("SELECT pg_stat_force_next_flush()")
        connection.commit()
        assert _read(connection) - before < 10_000


def _read(connection: Any) -> int:
    connection.execute("SELECT pg_stat_clear_snapshot()")
    row = connection.execute(
        "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relid = 'warehouse.fact_sales'::regclass"
    ).fetchone()
    connection.commit()
    return int(row[0])


def test_sums_and_minutes_are_in_the_reporting_currency_and_follow_its_rates(warehouse: Address) -> None:
    lines = some_lines(300, orders=120)
    load(warehouse, lines)
    with warehouse.connect("ecom_owner") as connection:  # a third of the customers pay in euros, a third in pounds
        connection.execute("UPDATE warehouse.fact_sales SET currency = (ARRAY['USD', 'EUR', 'GBP'])[1 + user_key % 3]")
    rollups, light = Rollups(warehouse), LightMinutes(warehouse)
    for rates in (
        "",
        "('EUR', 'USD', '2026-01-01', 1.25)",
        "('GBP', 'USD', '2026-01-01', 1.5)",
        "('GBP', 'USD', '2026-03-03', 2)",
    ):
        if rates:
            with warehouse.connect("ecom_owner") as connection:
                connection.execute(f"INSERT INTO warehouse.rates (currency, reporting, day, rate) VALUES {rates}".encode())
        for _ in range(2):  # from the facts, and from the sums
            assert figures(warehouse, SHOWN) == figures(warehouse, IN_DOLLARS)
            rollups.refresh()
        light.refresh()
        minutes = "SELECT sum(lines), sum(revenue) FROM realtime.sales_per_minute"
        ((count, revenue),) = rows(warehouse, minutes)
        ((_, _, _, total),) = rows(warehouse, SHOWN["totals"])
        assert count == 300 and abs(revenue - total) < 3, "a minute is rounded once, the facts each"
    with warehouse.connect("ecom_owner") as connection:
        connection.execute("UPDATE ops.reporting_currency SET currency = 'GBP'")
    assert figures(warehouse, SHOWN)["totals"] != figures(warehouse, IN_DOLLARS)["totals"]
    assert rollups.refresh() == 300 and rows(warehouse, SHOWN["totals"]) == rows(warehouse, IN_POUNDS)


CONVERTED = """
    (SELECT f.*, CASE currency WHEN 'USD' THEN f.revenue ELSE coalesce(round(f.revenue * (
         SELECT rate FROM warehouse.rates r WHERE r.currency = f.currency AND day <= f.ordered_at ORDER BY day DESC LIMIT 1
     ), 2), 0) END AS dollars
     FROM warehouse.fact_sales f)
"""
IN_DOLLARS = {
    name: query.replace("sum(revenue)", "sum(dollars)").replace("FROM warehouse.fact_sales", f"FROM {CONVERTED} AS facts")
    for name, query in COUNTED.items()
}
IN_POUNDS = (
    "SELECT count(*), count(DISTINCT order_id), sum(quantity), sum(revenue) FILTER (WHERE currency = 'GBP') "
    "FROM warehouse.fact_sales"
)


def test_what_is_below_a_cut_is_known_from_the_sums_whichever_of_the_two_cuts_is_the_later(warehouse: Address) -> None:
    lines = some_lines(120, orders=40)

    def below(cut: str) -> list[tuple[Any, ...]]:
        return rows(warehouse, f"SELECT * FROM realtime.facts_below({cut})", "ecom_dbt")

    cuts = ["0"]
    for n in range(4):
        load(warehouse, lines[n::4])
        cuts += [str(cut) for (cut,) in rows(warehouse, "SELECT ops.load_order_cut()", "ecom_dbt")]
        if n == 1:
            Rollups(warehouse).refresh()
    counted = (
        "SELECT count(*), coalesce(sum(quantity), 0), coalesce(sum(revenue), 0) FROM warehouse.fact_sales WHERE load_xid < {}"
    )
    assert [below(cut) for cut in cuts] == [rows(warehouse, counted.format(cut)) for cut in cuts]
    assert [below(cut)[0][0] for cut in cuts] == [0, 30, 60, 90, 120]
    with warehouse.connect("ecom_stream") as connection:
        connection.execute("UPDATE realtime.rolled SET load_xid_below = 0, lines = 0, orders = 0, units = 0, revenue = 0")
    assert [below(cut)[0][0] for cut in cuts] == [0, 30, 60, 90, 120], "no sums yet"
