"""A warehouse from when ids were numbers goes on: nothing is lost, marts go on where they were, and a migration may be killed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from psycopg import sql

from ecom_lite.check.fingerprint import fingerprint
from ecom_lite.errors import MigrationError
from ecom_lite.transform import Transform
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.migrate import bundled, migrate
from ecom_lite.warehouse.roles import ensure_database_and_roles
from tests.running import Running
from tests.runs import wait_for

from .facts import change_profile, load, rows, settle, some_lines

PROJECT: Final = Path(__file__).parents[2] / "dbt_project"
NUMBER: Final = 18
pytestmark = pytest.mark.timeout(600)  # five runs of dbt, each of its own
# What a table of then holds, read from one of now.
OF_THEN: Final = {
    "dim_category": "SELECT category_key, category FROM warehouse.dim_category",
    "dim_user": "SELECT user_key, user_id, name, city, country, profile_at FROM warehouse.dim_user",
    "dim_product": "SELECT product_key, product_id, product_title, category_key, described_at FROM warehouse.dim_product",
    "dim_date": "SELECT * FROM warehouse.dim_date",
    "fact_sales": (
        "SELECT product_id, order_id, product_key, user_key, f.category_key, date_key, ordered_at, quantity, unit_price, revenue,"
        " source_partition, source_offset, load_xid, loaded_at FROM warehouse.fact_sales f JOIN warehouse.dim_product"
        " USING (product_key)"
    ),
    "fact_returns": (
        "SELECT order_id, product_id, kind, quantity, reason, returned_at, source_partition, source_offset, load_xid, loaded_at"
        " FROM warehouse.fact_returns"
    ),
    "user_changes": "SELECT * FROM warehouse.user_changes",
}
LINES_OF_THEN: Final = (
    "SELECT order_id, f.product_id::text, u.user_id::text, c.category, ordered_at, quantity, unit_price, revenue"
    " FROM warehouse.fact_sales f JOIN warehouse.dim_user u USING (user_key) JOIN warehouse.dim_category c USING (category_key)"
    ' ORDER BY order_id COLLATE "C", f.product_id::text COLLATE "C"'
)
LINES: Final = (
    'SELECT order_id, product_id, user_id, category, "timestamp", quantity, price, revenue FROM warehouse.order_lines'
    ' ORDER BY order_id COLLATE "C", product_id COLLATE "C"'
)

MARTS_OF_THEN: Final = (
    "CREATE TABLE marts.customer_ltv AS SELECT u.user_id, sum(f.revenue) AS lifetime_value, 1::bigint AS load_xid_below "
    "FROM warehouse.fact_sales f JOIN warehouse.dim_user u USING (user_key) GROUP BY 1",
    "CREATE TABLE marts.product_performance AS SELECT product_id, sum(revenue) AS revenue FROM warehouse.fact_sales GROUP BY 1",
    "CREATE TABLE marts.daily_sales AS SELECT ordered_at::date AS date, count(*) AS lines, 1::bigint AS load_xid_below "
    "FROM warehouse.fact_sales GROUP BY 1",
    "CREATE TABLE marts.int_product_sales AS SELECT product_key, sum(revenue) AS revenue FROM warehouse.fact_sales GROUP BY 1",
    "CREATE TABLE marts.int_customer_days AS SELECT DISTINCT user_key, ordered_at::date AS order_date FROM warehouse.fact_sales",
    "CREATE VIEW marts.stg_sales AS SELECT order_id, product_id FROM warehouse.fact_sales",
    "CREATE VIEW marts.stg_users AS SELECT user_id FROM warehouse.dim_user",
)


@pytest.fixture
def old(template: Address) -> Iterator[Address]:
    """An empty warehouse of the version before."""
    address = template.with_database("test_ids")
    ensure_database_and_roles(address)
    migrate(address, [migration for migration in bundled() if migration.number < NUMBER])
    yield address
    with template.with_database("postgres").connect("admin", autocommit=True) as admin:
        admin.execute("DROP DATABASE test_ids WITH (FORCE)")


def ask(address: Address, statement: str) -> None:
    with address.connect("admin", autocommit=True) as admin:
        admin.execute(statement.encode())


def fill(now: Address, then: Address) -> None:
    """The content of one warehouse into one of then."""
    load(now, some_lines(600, orders=200))
    change_profile(now, 3, "Ada", "Turin", "IT")
    named = "2026-03-02T00:00:00.000000Z"
    returned = f"VALUES ('o-1-1', '1', 'order_returned', 1, 'late', '2026-03-02', 0, 0, ops.load_order(), now(), '{named}')"
    ask(now, f"INSERT INTO warehouse.fact_returns {returned}")
    settle(now)
    with now.connect("admin") as reader, then.connect("admin") as writer:
        for table, query in OF_THEN.items():
            with reader.cursor() as source, writer.cursor() as target:
                described = source.execute(f"{query} LIMIT 0".encode()).description or []
                columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in described)
                into = sql.SQL("COPY warehouse.{} ({}) FROM STDIN").format(sql.Identifier(table), columns)
                with source.copy(f"COPY ({query}) TO STDOUT".encode()) as out, target.copy(into) as copy:
                    for chunk in out:
                        copy.write(chunk)
        for table, key in (("dim_category", "category_key"), ("dim_user", "user_key"), ("dim_product", "product_key")):
            sequence = f"pg_get_serial_sequence('warehouse.{table}', '{key}')"
            writer.execute(f"SELECT setval({sequence}, (SELECT max({key}) FROM warehouse.{table}))".encode())


def build_then(address: Address) -> None:
    """What dbt had made then: marts with their cut in each row, and its own relations beside them."""
    with address.connect("ecom_dbt") as connection:
        for statement in MARTS_OF_THEN:
            connection.execute(statement.encode())
        connection.execute(
            "INSERT INTO ops.dbt_runs (trigger, started_at, finished_at, status, load_xid_below) "
            "VALUES ('schedule', now(), now(), 'success', ops.load_order_cut())"
        )


def build(address: Address, project: Path, folder: Path) -> None:
    run = Transform(address, project, folder, 2).run("schedule")
    assert (run.status, run.message) == ("success", "")


def marts(address: Address) -> dict[str, list[tuple[Any, ...]]]:
    return {
        "customers": rows(address, "SELECT user_id::text, lifetime_value, load_xid_below FROM marts.customer_ltv ORDER BY 1"),
        "products": rows(address, "SELECT product_id::text, revenue FROM marts.product_performance ORDER BY 1"),
        "days": rows(address, "SELECT * FROM marts.daily_sales ORDER BY 1"),
    }


def test_what_was_loaded_when_ids_were_numbers_is_there_and_the_marts_go_on(
    warehouse: Address, old: Address, tmp_path: Path
) -> None:
    fill(warehouse, old)
    build_then(old)
    lines, before = rows(old, LINES_OF_THEN), marts(old)
    assert len(lines) == 600 and before["customers"]
    assert migrate(old)[0].startswith(f"00{NUMBER}_")
    assert rows(old, LINES) == lines and marts(old) == before
    build(old, PROJECT, tmp_path / "then")  # anew: they have other columns now
    build(warehouse, PROJECT, tmp_path / "now")
    assert fingerprint(old) == fingerprint(warehouse)
    # Lines of known and of new customers and orders, into both.
    known = {row[:2] for row in lines}
    more = [line for line in some_lines(900, orders=200, users=60) if (line.order_id, str(line.product_id)) not in known]
    for address in (old, warehouse):
        load(address, more)
        change_profile(address, 4, "Bo", "Oslo", "NO")
    build(old, PROJECT, tmp_path / "then")
    build(warehouse, PROJECT, tmp_path / "now")
    found = fingerprint(old)
    assert found == fingerprint(warehouse) and found.marts_behind == 0 and found.rows["fact_sales"] == 600 + len(more)
    run = Transform(old, PROJECT, tmp_path / "then", 2).run("refresh", full_refresh=True)
    assert run.status == "success" and fingerprint(old) == found


def test_a_migration_that_is_killed_in_the_midst_has_changed_nothing_and_is_done_by_the_next_start(
    warehouse: Address, old: Address
) -> None:
    fill(warehouse, old)
    lines = rows(old, LINES_OF_THEN)
    waiting = "SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'warehouse.user_changes'::regclass"
    with old.connect("admin") as holder, old.connect("admin", autocommit=True) as other:
        holder.execute("LOCK TABLE warehouse.user_changes IN ACCESS SHARE MODE")
        with Running(lambda _: migrate(old)) as running:
            (pid,) = wait_for(lambda: running.failure or other.execute(waiting).fetchone(), "it has come to the last tables")
            other.execute("SELECT pg_terminate_backend(%s)", [pid])
            wait_for(lambda: running.failure, "it says so")
    assert isinstance(running.failure, MigrationError), running.failure
    assert re.search(rf"migration 00{NUMBER}_\w+\.sql failed: terminating connection", str(running.failure))
    assert rows(old, LINES_OF_THEN) == lines
    assert migrate(old)[0].startswith(f"00{NUMBER}_")
    assert rows(old, LINES) == lines
    constraint = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'fact_sales_pkey'"
    assert rows(old, constraint) == [("PRIMARY KEY (order_id, product_key)",)]


@pytest.mark.parametrize("view", ["SELECT product_id FROM warehouse.fact_sales", "SELECT user_id FROM warehouse.dim_user"])
def test_a_view_of_one_s_own_that_is_in_the_way_is_named(old: Address, view: str) -> None:
    ask(old, f"CREATE VIEW public.of_mine AS {view}")
    with pytest.raises(MigrationError, match=r"of_mine"):
        migrate(old)
    ask(old, "DROP VIEW public.of_mine")
    assert migrate(old)


@pytest.mark.parametrize("role", ["ecom_loader", "ecom_stream", "ecom_dbt", "ecom_reader"])
def test_who_could_read_the_views_can_read_them(old: Address, role: str) -> None:
    migrate(old)
    for view in ("top_products", "order_lines"):
        assert rows(old, f"SELECT * FROM warehouse.{view}", role) == []
