"""The fingerprint is the same for the same content, however it came there, and another one for any other content."""

from __future__ import annotations

import hashlib
import json
import random
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from psycopg import sql

from ecom_lite import cli
from ecom_lite.check.fingerprint import MARTS, WAREHOUSE, Fingerprint, fingerprint
from ecom_lite.errors import CheckFailed
from ecom_lite.run import opened
from ecom_lite.transform import Transform
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.migrate import migrate
from tests.conftest import copy_database
from tests.running import Running
from tests.runs import wait_for

from .facts import change_profile, load, some_lines

DBT = Path(__file__).resolve().parents[2] / "dbt_project"


@pytest.fixture
def other(template: Address, warehouse: Address) -> Any:
    """A second warehouse, whose server settings speak other formats and another time zone."""
    name = sql.Identifier("fingerprint_other")
    with template.with_database("postgres").connect("admin", autocommit=True) as admin:
        copy_database(admin, template.database, "fingerprint_other")
        admin.execute(sql.SQL("GRANT CREATE, CONNECT, TEMPORARY ON DATABASE {} TO ecom_dbt").format(name))
        for setting, value in (("TimeZone", "Asia/Tokyo"), ("DateStyle", "German"), ("statement_timeout", "60s")):
            admin.execute(sql.SQL("ALTER DATABASE {} SET {} = {}").format(name, sql.SQL(setting), sql.Literal(value)))
        yield template.with_database("fingerprint_other")
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def build(address: Address, folder: Path) -> None:
    run = Transform(address, DBT, folder, 2).run("refresh")
    assert run.status == "success", run


def ask(address: Address, statement: str) -> None:
    with address.connect("admin", autocommit=True) as admin:
        admin.execute(statement.encode())


def test_equal_content_has_an_equal_hash_however_it_came_there(warehouse: Address, other: Address, tmp_path: Path) -> None:
    lines = some_lines(400, users=40)
    load(warehouse, lines)
    change_profile(warehouse, 3, "Ada", "Turin", "IT")
    build(warehouse, tmp_path / "one")
    # the other one: in another order, in small loads, with marts in between, and surrogate keys far off
    for table, key in (("dim_user", "user_key"), ("dim_product", "product_key"), ("dim_category", "category_key")):
        ask(other, f"ALTER TABLE warehouse.{table} ALTER {key} RESTART WITH 5000")
    random.Random(5).shuffle(lines)
    load(other, lines[:150])
    build(other, tmp_path / "two")
    change_profile(other, 3, "Ada", "Turin", "IT")
    load(other, lines[150:])
    ask(other, "UPDATE warehouse.fact_sales SET source_partition = 3, source_offset = source_offset + 7, loaded_at = now()")
    build(other, tmp_path / "two")
    one, two = fingerprint(warehouse), fingerprint(other)
    assert one == two and one.marts_behind == 0
    assert one.rows["fact_sales"] == 400 and one.rows["user_changes"] == 1 and set(one.rows) == {*WAREHOUSE, *MARTS}
    assert all(one.rows[mart] > 0 for mart in MARTS if mart != "sales_by_attribute") and one.rows["sales_by_attribute"] == 0
    assert {len(part) for part in (one.fingerprint, one.facts, one.marts)} == {64}
    one.raise_if_behind()


@pytest.fixture(scope="module")
def seeded(template: Address, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A warehouse to be changed and changed back."""
    name = sql.Identifier("fingerprint_seeded")
    with template.with_database("postgres").connect("admin", autocommit=True) as admin:
        copy_database(admin, template.database, "fingerprint_seeded")
        admin.execute(sql.SQL("GRANT CREATE, CONNECT, TEMPORARY ON DATABASE {} TO ecom_dbt").format(name))
        address = template.with_database("fingerprint_seeded")
        migrate(address, attributes={"channel": "text"})
        load(address, some_lines(60))
        change_profile(address, 3, "Ada", "Turin", "IT")
        ask(
            address,
            "INSERT INTO warehouse.fact_returns "
            "VALUES ('o-1-1', '1', 'order_returned', 1, 'late', '2026-03-02', 0, 0, 1, now(), 'r')",
        )
        build(address, tmp_path_factory.mktemp("dbt"))
        yield address
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


CHANGES = {
    "fact_sales": (
        "order_id = order_id || 'x'", "ordered_at = ordered_at + '1 us'", "quantity = quantity + 1",
        "unit_price = unit_price + 0.01", "revenue = revenue - 0.01",
        "user_key = (SELECT max(user_key) FROM warehouse.dim_user WHERE user_key <> fact_sales.user_key)",
        "product_key = 1 + (SELECT max(product_key) FROM warehouse.dim_product)",
        "category_key = (SELECT max(category_key) FROM warehouse.dim_category WHERE category_key <> fact_sales.category_key)",
    ),
    "fact_returns": ("kind = 'order_cancelled'", "quantity = 2", "reason = ''", "returned_at = '2026-03-03'", "order_id = 'o'",
                     "return_id = 's'"),
    "user_changes": ("name = NULL", "name = ''", "city = 'Rome'", "email = 'a@b'", "changed_at = changed_at + '1 us'"),
    "dim_user": ("name = 'Bo'", "email = 'x'", "city = 'x'", "country = 'x'", "registered_at = now()", "profile_at = now()"),
    "dim_product": ("product_title = product_title || ' '",),
    "dim_category": ("category = category || 'x'",),
    "dim_date": ("is_weekend = NOT is_weekend",),
    "customer_ltv": ("lifetime_value = 0", "segment = 'x'", "lifetime_orders = 0", "city = 'x'", "last_order_at = now()"),
    "int_product_sales": ("revenue = revenue + 1", "units = units + 1", "orders = 99"),  # of product_performance
    "sales_by_attribute": ("value = 'web'", "lines = 0", "revenue = revenue + 0.01"),
    "daily_sales": ("customers = 0", "average_order_value = 0", "date = date - 1000"),
}  # fmt: skip


@pytest.mark.parametrize(("table", "change"), [(table, change) for table, changes in CHANGES.items() for change in changes])
def test_any_other_content_has_another_hash(seeded: Address, table: str, change: str) -> None:
    before = fingerprint(seeded)
    of_marts = table in (*MARTS, "int_product_sales")
    schema = "intermediate" if table.startswith("int_") else "marts" if of_marts else "warehouse"
    name = f"{schema}.{table}"
    with changed(seeded, f"UPDATE {name} SET {change} WHERE ctid = (SELECT min(ctid) FROM {name})", name):
        after = fingerprint(seeded)
    assert after.fingerprint != before.fingerprint
    # product_performance shows the titles and categories of now.
    seen_in_marts = of_marts or change.startswith(("product_title", "category ="))
    assert (after.facts == before.facts, after.marts == before.marts) == (of_marts, not seen_in_marts)
    assert fingerprint(seeded) == before


@contextmanager
def changed(address: Address, statement: str, table: str) -> Any:
    """With the change; afterwards the table is as it was."""
    columns = (
        f"SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '{table}'::regclass"
        " AND attnum > 0 AND NOT attisdropped"
    )
    with address.connect("admin", autocommit=True) as admin:
        (names,) = admin.execute(columns.encode()).fetchone() or ("",)
        admin.execute(f"CREATE TABLE public.kept AS SELECT * FROM {table}".encode())
        try:
            admin.execute(statement.encode())
            yield
        finally:
            admin.execute(f"DELETE FROM {table}".encode())
            admin.execute(f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE SELECT {names} FROM public.kept".encode())
            admin.execute(b"DROP TABLE public.kept")


def test_a_row_that_is_missing_or_new_changes_it(seeded: Address) -> None:
    before = fingerprint(seeded)
    table = "warehouse.fact_sales"
    with changed(seeded, f"DELETE FROM {table} WHERE ctid = (SELECT min(ctid) FROM {table})", table):
        assert fingerprint(seeded).facts != before.facts


def test_what_tells_how_the_content_came_here_does_not_count(seeded: Address) -> None:
    before = fingerprint(seeded)
    for table, change in {
        "warehouse.fact_sales": "source_partition = 9, source_offset = 9, load_xid = 1, loaded_at = now()",
        "warehouse.fact_returns": "source_partition = 9, source_offset = 9, load_xid = 1, loaded_at = now()",
        "warehouse.user_changes": "source_partition = 9, source_offset = 9, load_xid = 1, loaded_at = now()",
        "warehouse.dim_product": "described_at = now()",
    }.items():
        with changed(seeded, f"UPDATE {table} SET {change}", table):
            assert fingerprint(seeded) == before, table


def test_marts_that_are_behind_are_told(warehouse: Address, tmp_path: Path) -> None:
    empty = fingerprint(warehouse)
    assert empty.marts_behind == 0 and set(empty.rows.values()) == {0}
    load(warehouse, some_lines(20, users=3))
    assert fingerprint(warehouse).marts_behind == 20  # no dbt run yet
    assert fingerprint(warehouse).marts == empty.marts
    build(warehouse, tmp_path)
    assert fingerprint(warehouse).marts_behind == 0
    load(warehouse, some_lines(5, seed=2, users=3))
    change_profile(warehouse, 1, "Ada", "Turin", "IT")
    change_profile(warehouse, 999, "Never", "ordered", "IT")  # in no mart
    behind = fingerprint(warehouse)
    assert behind.marts_behind == 6
    with pytest.raises(CheckFailed, match=r"the marts lack 6 facts or profile changes.*`ecom_lite refresh` first"):
        behind.raise_if_behind()
    build(warehouse, tmp_path)
    assert fingerprint(warehouse).marts_behind == 0


def test_texts_are_ordered_by_their_bytes_and_hashed_as_utf_8(warehouse: Address) -> None:
    ask(warehouse, "INSERT INTO warehouse.dim_category (category) VALUES ('b'), ('B'), ('ä'), ('a'), (E'tab\\there')")
    expected = hashlib.sha256()
    for table in WAREHOUSE:
        expected.update(f"\n{table}\n".encode())
        if table == "dim_category":
            expected.update("B\na\nb\ntab\\there\nä\n".encode())
    assert fingerprint(warehouse).facts == expected.hexdigest()


def test_all_tables_are_of_one_moment(seeded: Address) -> None:
    before = fingerprint(seeded)
    found: list[Fingerprint] = []
    waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
    with changed(seeded, "SELECT 1", "warehouse.dim_category"):
        with seeded.connect("admin") as holder, seeded.connect("admin", autocommit=True) as other:
            holder.execute(f"LOCK TABLE warehouse.{WAREHOUSE[1]}".encode())
            with Running(lambda _: found.append(fingerprint(seeded))) as running:
                wait_for(lambda: other.execute(waiting, [f"warehouse.{WAREHOUSE[1]}"]).fetchone(), "it has read the first table")
                other.execute("INSERT INTO warehouse.dim_category (category) VALUES ('later')")
                holder.rollback()
            assert running.failure is None
        assert found == [before]
        assert fingerprint(seeded) != before


def test_a_warehouse_without_the_tables_is_one_message(template: Address) -> None:
    with pytest.raises(CheckFailed, match=r"the fingerprint could not be taken: permission denied|does not exist"):
        fingerprint(template.with_database("postgres"))


def test_the_verb_prints_the_hash_alone(
    seeded: Address, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    @contextmanager
    def here(*_: object, **__: object) -> Any:
        yield SimpleNamespace(address=seeded)

    monkeypatch.setattr(opened, "opened", here)
    expected = fingerprint(seeded)

    def say(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ecom_lite", "check", "--fingerprint", *arguments, "--data-dir", str(tmp_path)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), *capsys.readouterr()

    assert say() == (0, f"{expected.fingerprint}\n", "")
    code, out, _ = say("--json")
    assert code == 0 and Fingerprint(**json.loads(out)) == expected
    with changed(seeded, "UPDATE warehouse.fact_sales SET load_xid = 9223372036854775807", "warehouse.fact_sales"):
        code, out, err = say()
    assert (code, out) == (1, f"{expected.fingerprint}\n") and "`ecom_lite refresh` first" in err
