"""Board 4, Explorer: each panel's figures for many selections against plain SQL, and what a narrow question reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from ecom_lite.dashboards.answer import Answer
from ecom_lite.dashboards.boards import read_board
from ecom_lite.dashboards.queries import Queries
from ecom_lite.rollups import Rollups
from ecom_lite.warehouse.connect import Address
from tests.browser.seed import build_marts, seed_warehouse
from tests.conftest import a_database
from tests.runs import DEADLINE_S

from .facts import settle

BOARD: Final = read_board(Path(__file__).resolve().parents[2] / "grafana" / "dashboards" / "explorer.json")
DAY_MS: Final = 86_400_000
# What a selection means, in the words of this test: one row per order line.
LINES: Final = """
WITH lines AS (
    SELECT f.order_id, f.ordered_at, f.user_key, u.user_id, coalesce(u.name, 'Customer ' || u.user_id) AS customer,
           coalesce(u.country, '(unknown)') AS country, p.product_id, p.product_title, c.category, f.quantity, f.unit_price,
           f.revenue, (f.ordered_at AT TIME ZONE 'Asia/Tokyo')::date AS day
    FROM warehouse.fact_sales f
    JOIN warehouse.dim_user u USING (user_key)
    JOIN warehouse.dim_product p USING (product_key)
    JOIN warehouse.dim_category c ON c.category_key = f.category_key
    WHERE (%(category)s::text[] IS NULL OR c.category = ANY (%(category)s))
      AND (%(country)s::text[] IS NULL OR coalesce(u.country, '(unknown)') = ANY (%(country)s))
      AND (%(customer)s::text IS NULL OR u.user_id = %(customer)s)
      AND (%(product)s::text IS NULL OR p.product_id = %(product)s)
      AND (%(segment)s::text[] IS NULL OR CASE WHEN (
              SELECT count(DISTINCT o.order_id) FROM warehouse.fact_sales o WHERE o.user_key = f.user_key
          ) >= 20 THEN 'VIP' WHEN (
              SELECT count(DISTINCT o.order_id) FROM warehouse.fact_sales o WHERE o.user_key = f.user_key
          ) >= 10 THEN 'Regular' ELSE 'Casual' END = ANY (%(segment)s))
)
"""


@dataclass(frozen=True)
class Shop:
    """A seeded warehouse with marts, its page's queries, and plain SQL on it."""

    queries: Queries
    address: Address
    start: str
    end: str

    def answer(self, title: str, chosen: Mapping[str, Sequence[str]] | None = None) -> Answer:
        panel = next(panel for panel in BOARD.panels if panel.title == title)
        return self.queries.panel(
            BOARD, panel, self.start, self.end, {name: tuple(each) for name, each in (chosen or {}).items()}
        )

    def rows(self, title: str, chosen: Mapping[str, Sequence[str]] | None = None) -> list[list[Any]]:
        found = self.answer(title, chosen)
        assert found.state in ("ok", "empty"), found.message
        return [list(row) for row in found.frames[0].rows]

    def plain(self, query: str, chosen: Mapping[str, Sequence[str]]) -> list[list[Any]]:
        values = {name: list(chosen[name]) if name in chosen else None for name in ("category", "country", "segment")}
        ones = {name: chosen[name][0] if name in chosen else None for name in ("customer", "product")}
        with self.address.connect("admin", autocommit=True) as admin:
            found = admin.execute((LINES + query).encode(), {**values, **ones}).fetchall()
        return [[float(each) if hasattr(each, "as_tuple") else each for each in row] for row in found]


@pytest.fixture(scope="module", params=["facts", "sums"])
def shop(template: Address, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """Nobody has kept sums of the facts, or somebody has: of the last nine of the twelve days."""
    with a_database(template) as warehouse:
        seed_warehouse(warehouse, lines=6_000, days=12, users=120)
        with warehouse.connect("admin", autocommit=True) as admin:
            admin.execute("UPDATE ops.calendar SET time_zone = 'Asia/Tokyo'")
            admin.execute("UPDATE warehouse.dim_user SET country = NULL, name = NULL WHERE user_key % 17 = 3")
            admin.execute(
                "INSERT INTO warehouse.fact_returns (order_id, product_id, kind, quantity, reason, returned_at, "
                "source_partition, source_offset, load_xid, return_id) SELECT order_id, product_id, "
                "CASE WHEN source_offset % 20 = 0 THEN 'order_cancelled' ELSE 'order_returned' END, 1, "
                "CASE WHEN source_offset % 3 = 0 THEN '' ELSE 'too small' END, ordered_at + interval '1 hour', 0, 0, "
                "ops.load_order(), '' FROM warehouse.fact_sales JOIN warehouse.dim_product USING (product_key) "
                "WHERE source_offset % 10 = 0 AND ordered_at < now() - interval '2 hours'"
            )
            # What was summed up with the countries of before is void.
            admin.execute(
                "TRUNCATE realtime.rolled_categories, realtime.rolled_products, realtime.rolled_customers, "
                "realtime.recent_sales, realtime.recent_products"
            )
            admin.execute("UPDATE realtime.rolled SET load_xid_below = 0, lines = 0, orders = 0, units = 0, revenue = 0")
            admin.execute("VACUUM ANALYZE")
        settle(warehouse)
        build_marts(warehouse, tmp_path_factory.mktemp("dbt"))
        if request.param == "sums":
            Rollups(warehouse).refresh()
        queries = Queries(warehouse, wait_s=DEADLINE_S)
        queries.open()
        end = datetime.now(UTC) + timedelta(minutes=10)
        yield Shop(queries, warehouse, str(int((end - timedelta(days=40)).timestamp() * 1000)), str(int(end.timestamp() * 1000)))
        queries.close()


SELECTIONS: Final[Sequence[dict[str, list[str]]]] = (
    {},
    {"category": ["Books", "Sports"]},
    {"country": ["Norway", "(unknown)"]},
    {"segment": ["VIP"]},
    {"segment": ["Regular", "Casual"], "category": ["Beauty"]},
    {"customer": ["7"]},
    {"product": ["3"]},
    {"customer": ["7"], "category": ["Electronics"], "country": ["Lebanon", "Norway", "Italy", "Portugal", "France", "Germany"]},
    {"product": ["12"], "country": ["Norway"]},
)


def known(shop: Shop, chosen: dict[str, list[str]]) -> dict[str, list[str]]:
    """Without the countries that nobody lives in: the page refuses those."""
    if "country" not in chosen:
        return chosen
    with shop.address.connect("ecom_reader") as reader:
        there = {row[0] for row in reader.execute("SELECT DISTINCT coalesce(country, '(unknown)') FROM warehouse.dim_user")}
    return {**chosen, "country": [country for country in chosen["country"] if country in there]}


@pytest.mark.parametrize("chosen", SELECTIONS, ids=lambda chosen: "+".join(chosen) or "all")
def test_every_panel_is_the_facts_of_the_selection(shop: Shop, chosen: dict[str, list[str]]) -> None:
    chosen = known(shop, chosen)
    ((revenue, orders, lines, units, customers, per_order),) = shop.rows("The selection", chosen)
    ((expected),) = shop.plain(
        "SELECT sum(revenue), count(DISTINCT order_id), count(*), sum(quantity), count(DISTINCT user_id) FROM lines", chosen
    )
    assert lines > 0, "a selection of nothing proves nothing"
    assert [revenue, orders, lines, units, customers] == [pytest.approx(expected[0]), *expected[1:]]
    assert per_order == pytest.approx(expected[0] / expected[1])

    days = shop.plain(
        "SELECT extract(epoch FROM day::timestamp AT TIME ZONE 'Asia/Tokyo') * 1000, sum(revenue), count(DISTINCT order_id), "
        "to_char(day, 'YYYY-MM-DD'), count(*) FROM lines GROUP BY day ORDER BY day", chosen,
    )  # fmt: skip
    assert shop.rows("Revenue and orders over time", chosen) == [pytest.approx(day[:3]) for day in days]
    assert shop.rows("Days", chosen) == [
        [name, pytest.approx(of_day), count, begins, begins + DAY_MS] for begins, of_day, _, name, count in reversed(days)
    ]

    products = shop.plain(
        "SELECT product_title, sum(quantity), sum(revenue), product_id FROM lines GROUP BY product_id, product_title "
        "ORDER BY sum(revenue) DESC LIMIT 10", chosen,
    )  # fmt: skip
    found = shop.rows("Top products", chosen)
    assert [row[3] for row in found] == [pytest.approx(row[2]) for row in products]
    assert {(row[0], row[2], row[4]) for row in found} == {(row[0], row[1], row[3]) for row in products}

    best = shop.plain(
        "SELECT customer, country, count(*), sum(revenue), user_id FROM lines GROUP BY customer, country, user_id "
        "ORDER BY sum(revenue) DESC, user_id LIMIT 10", chosen,
    )  # fmt: skip
    assert [row[3] for row in shop.rows("Top customers", chosen)] == [pytest.approx(row[3]) for row in best]
    assert shop.rows("Top customers", chosen)[0] == [*best[0][:3], pytest.approx(best[0][3]), best[0][4]]

    for title, column in (("Categories", "category"), ("Countries", "country")):
        parts = shop.plain(f"SELECT {column}, count(*), sum(revenue) FROM lines GROUP BY {column} ORDER BY 3 DESC, 1", chosen)
        assert shop.rows(title, chosen) == [
            [name, number, pytest.approx(part), pytest.approx(part / revenue)] for name, number, part in parts
        ], title

    newest = shop.plain(
        "SELECT extract(epoch FROM ordered_at) * 1000, order_id, customer, product_title, category, country, quantity, "
        "unit_price, revenue, (SELECT coalesce(sum(r.quantity), 0) FROM warehouse.fact_returns r "
        "WHERE r.order_id = lines.order_id AND r.product_id = lines.product_id), user_id, product_id "
        "FROM lines ORDER BY ordered_at DESC, order_id LIMIT 200", chosen,
    )  # fmt: skip
    found = shop.rows("The order lines", chosen)
    assert len(found) == min(200, lines) and [row[0] for row in found] == [pytest.approx(row[0], abs=1) for row in newest]
    inner = newest[0][0] if lines <= 200 else newest[-1][0] + 1  # of equal times at the cut any may be shown
    assert sorted((_place(row), row[2:10]) for row in found if row[0] > inner or lines <= 200) == [
        (place, [*rest[:5], pytest.approx(rest[5]), pytest.approx(rest[6]), rest[7]])
        for place, rest in sorted((_place(row), row[2:10]) for row in newest if row[0] > inner or lines <= 200)
    ]

    back = shop.plain(
        "SELECT CASE kind WHEN 'order_cancelled' THEN 'Cancelled' ELSE 'Returned' END, CASE WHEN reason = '' THEN '(none given)' "
        "ELSE reason END, count(*), sum(r.quantity), sum(r.quantity * lines.unit_price) FROM lines "
        "JOIN warehouse.fact_returns r USING (order_id, product_id) GROUP BY 1, 2 ORDER BY 5 DESC", chosen,
    )  # fmt: skip
    assert shop.rows("Returns by reason", chosen) == [[*row[:4], pytest.approx(row[4])] for row in back]


def _place(row: Sequence[Any]) -> tuple[str, str]:
    return row[1], row[11]


def test_a_day_is_narrowed_by_what_its_link_carries(shop: Shop) -> None:
    days = shop.rows("Days")
    name, revenue, lines, begins, ends = days[len(days) // 2]
    of_day = replace(shop, start=str(begins), end=str(ends))
    assert [row[:3] for row in of_day.rows("Days")] == [[name, pytest.approx(revenue), lines]]
    hours = of_day.rows("Revenue and orders over time")
    assert sum(row[1] for row in hours) == pytest.approx(revenue) and all(row[0] % 3_600_000 == 0 for row in hours)
    assert len(hours) > 1, "a short range is shown by the hour"


def test_a_range_of_many_lines_has_its_newest_ones_counted(shop: Shop) -> None:
    asked = "SELECT realtime.lines_since(%(most)s, now() - interval '40 days', now() + interval '10 minutes', %(customers)s)"
    with shop.address.connect("admin", autocommit=True) as admin:
        admin.execute("BEGIN")  # of one moment

        def since(most: int, customers: Sequence[str] = ("",)) -> tuple[datetime, int]:
            (begin,) = admin.execute(asked, {"most": most, "customers": list(customers)}).fetchone() or (None,)
            count = admin.execute("SELECT count(*) FROM warehouse.fact_sales WHERE ordered_at >= %s", [begin]).fetchone()
            return begin, count[0] if count else 0

        (all_lines, begin) = admin.execute(
            "SELECT count(*), now() - interval '40 days' FROM warehouse.fact_sales"
        ).fetchone() or (0, None)
        assert since(all_lines) == (begin, all_lines) and since(100, ["7"]) == (begin, all_lines)
        kept = admin.execute("SELECT coalesce(sum(lines), 0) FROM realtime.recent_sales WHERE minutes = 60").fetchone() or (0,)
        for most in (all_lines - 1, all_lines // 2, all_lines // 10, 300):
            newest, count = since(most)
            assert newest > begin and count <= most, "no more than that"
            if kept[0]:
                earlier = admin.execute(
                    "SELECT count(*) FROM warehouse.fact_sales WHERE ordered_at >= %s::timestamptz - interval '1 hour'", [newest]
                ).fetchone() or (0,)
                assert earlier[0] > most, "and nearly as many"


def test_sums_of_some_seconds_ago_will_do_and_older_ones_will_not(shop: Shop) -> None:
    """A line that came after the last pass is in the selection once that pass is not of a moment ago."""
    with shop.address.connect("admin", autocommit=True) as admin:
        (kept,) = admin.execute("SELECT load_xid_below > 0 FROM realtime.rolled").fetchone() or (False,)
        before = shop.rows("The selection")[0]
        admin.execute(
            "INSERT INTO warehouse.fact_sales (order_id, product_key, user_key, category_key, date_key, ordered_at, quantity, "
            "unit_price, revenue, source_partition, source_offset, load_xid) SELECT 'late', product_key, 1, category_key, "
            "20260101, now(), 1, 5, 5, 0, 3000000, ops.load_order() FROM warehouse.dim_product WHERE product_id = '1'"
        )
        try:
            admin.execute("UPDATE realtime.rolled SET updated_at = now()")
            lately = replace(shop, end=str(int(shop.end) + 120_000)).rows("The selection")[0]  # another key of the cache
            assert lately[2] == before[2] + (0 if kept else 1)
            admin.execute("UPDATE realtime.rolled SET updated_at = now() - interval '1 minute'")
            later = replace(shop, end=str(int(shop.end) + 180_000)).rows("The selection")[0]
            assert later[2] == before[2] + 1
        finally:
            admin.execute("DELETE FROM warehouse.fact_sales WHERE order_id = 'late'")


def test_a_customer_who_is_picked_has_a_profile(shop: Shop) -> None:
    assert shop.answer("The customer").state == "empty"
    (row,) = shop.rows("The customer", {"customer": ["7"]})
    ((orders, value),) = shop.plain("SELECT count(DISTINCT order_id), sum(revenue) FROM lines", {"customer": ["7"]})
    ((returned,),) = shop.plain(
        "SELECT coalesce(sum(r.quantity * unit_price), 0) FROM lines JOIN warehouse.fact_returns r USING (order_id, product_id)",
        {"customer": ["7"]},
    )
    assert (row[0], row[7]) == ("7", orders) and row[8] == pytest.approx(value - returned) and row[9] == pytest.approx(returned)
    assert shop.answer("The customer", {"customer": ["nobody"]}).state == "empty"


def test_what_is_typed_is_a_value_and_no_sql(shop: Shop) -> None:
    for text in ("' OR '1' = '1", "7'; DROP TABLE warehouse.fact_sales; --", "7, 8", "{7}"):
        for name in ("customer", "product"):
            assert shop.rows("The selection", {name: [text]})[0][2] in (0, None), text
    assert shop.rows("The selection", {"customer": ["*"]}) == shop.rows("The selection", {"customer": [""]}), "both are all"


def test_lines_that_the_marts_do_not_know_yet_are_a_customers_too(shop: Shop) -> None:
    before = shop.rows("The selection", {"customer": ["9"]})[0]
    with shop.address.connect("admin", autocommit=True) as admin:
        admin.execute(
            "INSERT INTO warehouse.fact_sales (order_id, product_key, user_key, category_key, date_key, ordered_at, quantity, "
            "unit_price, revenue, source_partition, source_offset, load_xid) SELECT 'new-' || product_key, product_key, "
            "(SELECT user_key FROM warehouse.dim_user WHERE user_id = '9'), category_key, 20260101, now(), 2, 5, 10, 0, "
            "1000000 + product_key, ops.load_order() FROM warehouse.dim_product WHERE product_id IN ('1', '2')"
        )
        try:
            later = replace(shop, end=str(int(shop.end) + 60_000))  # another key of the cache
            after = later.rows("The selection", {"customer": ["9"]})[0]
            assert (after[1], after[2], after[0]) == (before[1] + 2, before[2] + 2, pytest.approx(before[0] + 20))
            newest = later.rows("The order lines", {"customer": ["9"]})
            assert {row[1] for row in newest[:2]} == {
                f"new-{key}" for (key,) in admin.execute(
                    "SELECT product_key FROM warehouse.dim_product WHERE product_id IN ('1', '2')"
                )
            }  # fmt: skip
        finally:
            admin.execute("DELETE FROM warehouse.fact_sales WHERE order_id LIKE 'new-%'")


def plan(reader: psycopg.Connection, call: str) -> str:
    return "\n".join(row[0] for row in reader.execute(f"EXPLAIN {call}".encode()).fetchall())


def test_a_narrow_question_reads_no_more_than_it_must(shop: Shop) -> None:
    every = "'{*}', '{*}', '{*}', '{\"\"}', '{\"\"}'"
    with shop.address.connect("ecom_reader", autocommit=True) as reader:
        customer = plan(
            reader, "SELECT * FROM realtime.selected_lines('2000-01-01', now(), '{*}', '{*}', '{*}', '{7}', '{\"\"}')"
        )
        assert "fact_sales_pkey" in customer and "Seq Scan on fact_sales" not in customer
        everything = plan(reader, f"SELECT count(*) FROM realtime.selected_lines('2000-01-01', now(), {every})")
        assert "dim_user" not in everything and "dim_product" not in everything and "customer_ltv" not in everything
        reader.execute("SET enable_seqscan = off")  # of a table of a few pages there is no better plan
        hour = plan(reader, f"SELECT * FROM realtime.selected_lines(now() - interval '1 hour', now(), {every})")
        assert "fact_sales_ordered_at" in hour and "Function Scan" not in hour, "the planner sees through the function"
