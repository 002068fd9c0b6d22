"""Migrations and roles on a real PostgreSQL: safe to repeat and to race, and nobody may do more than their part."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from ecom_lite.errors import ConfigError, MigrationError
from ecom_lite.observe.gaps import read_gaps
from ecom_lite.warehouse.connect import ROLES, Address
from ecom_lite.warehouse.migrate import Migration, bundled, migrate
from ecom_lite.warehouse.passwords import load_passwords
from ecom_lite.warehouse.roles import ensure_database_and_roles


@pytest.fixture
def empty(template: Address) -> Iterator[Address]:
    """A database with roles and nothing else."""
    address = template.with_database("test_migrations")
    ensure_database_and_roles(address)
    yield address
    with template.with_database("postgres").connect("admin", autocommit=True) as admin:
        admin.execute("DROP DATABASE test_migrations WITH (FORCE)")


def applied(address: Address) -> list[str]:
    with address.connect("admin") as admin:
        return [name for (name,) in admin.execute("SELECT name FROM public.ecom_lite_migrations ORDER BY number")]


def test_migrations_are_applied_once_in_order(empty: Address) -> None:
    names = [migration.name for migration in bundled()]
    assert migrate(empty) == names == sorted(names)
    assert migrate(empty) == []
    assert applied(empty) == names
    ensure_database_and_roles(empty)  # safe to repeat, also with everything in place


def test_two_migrations_at_once_do_each_file_once(empty: Address) -> None:
    done: list[list[str]] = []
    threads = [threading.Thread(target=lambda: done.append(migrate(empty))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(map(len, done)) == [0, 0, 0, len(bundled())]


def test_an_edited_migration_is_refused_by_name(empty: Address) -> None:
    migrate(empty)
    edited = [replace(m, sql=m.sql + "\n-- edited") if m.number == 2 else m for m in bundled()]
    with pytest.raises(MigrationError, match=r"0002_star_schema.sql was edited after it was applied .* put the file back"):
        migrate(empty, edited)


def test_a_database_of_a_newer_version_is_refused(empty: Address) -> None:
    migrate(empty, [*bundled(), Migration(9999, "9999_future.sql", "SELECT 1")])
    with pytest.raises(MigrationError, match=r"has migration 9999_future.sql, which this version .* does not know"):
        migrate(empty)


def test_a_failing_migration_names_itself_and_leaves_the_good_ones(empty: Address) -> None:
    bad = [*bundled(), Migration(9000, "9000_bad.sql", "CREATE TABLE ops.half (i int); SELECT 1/0")]
    with pytest.raises(MigrationError, match=r"migration 9000_bad.sql failed: division by zero.*22012"):
        migrate(empty, bad)
    assert applied(empty) == [migration.name for migration in bundled()]
    with empty.connect("admin") as admin:
        assert admin.execute("SELECT to_regclass('ops.half')").fetchone() == (None,)
    assert migrate(empty, [*bad[:-1], Migration(9000, "9000_bad.sql", "SELECT 1")]) == ["9000_bad.sql"]


def refused(address: Address, role: str, statement: str) -> str:
    with address.connect(role) as connection, pytest.raises(psycopg.Error) as error:
        connection.execute(statement.encode())
    return str(error.value.sqlstate)


@pytest.mark.parametrize("role", ["ecom_reader", "ecom_dbt", "ecom_stream", "ecom_producer"])
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO warehouse.dim_category (category) VALUES ('x')",
        "UPDATE warehouse.fact_sales SET quantity = 1",
        "DELETE FROM warehouse.fact_sales",
        "DROP TABLE warehouse.fact_sales",
        "INSERT INTO ops.consumer_offsets VALUES ('t', 0, 0, 0, 0)",
        "DELETE FROM ops.dead_letters",
        "CREATE TABLE warehouse.mine (i int)",
    ],
)
def test_only_the_loader_writes_the_facts(warehouse: Address, role: str, statement: str) -> None:
    assert refused(warehouse, role, statement) in ("42501", "25006")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE marts.mine (i int)",
        "DROP SCHEMA marts CASCADE",
        "DELETE FROM realtime.minutes_by_currency",
        "INSERT INTO ops.sent_ledger (shop, partition) VALUES ('x', 0)",
        "DELETE FROM warehouse.fact_sales",
        "UPDATE ops.dbt_runs SET models = 0",
        "DELETE FROM ops.consumer_offsets",
        "TRUNCATE warehouse.dim_user",
    ],
)
def test_the_loader_keeps_to_its_own_tables(warehouse: Address, statement: str) -> None:
    assert refused(warehouse, "ecom_loader", statement) == "42501"


def test_the_reader_reads_everything_but_not_for_long(warehouse: Address) -> None:
    with warehouse.connect("ecom_reader") as reader:
        assert reader.execute("SHOW statement_timeout").fetchone() == ("30s",)
        assert reader.execute("SHOW transaction_read_only").fetchone() == ("on",)
        tables = reader.execute(
            "SELECT format('%I.%I', schemaname, relname) FROM pg_stat_user_tables WHERE schemaname <> 'public'"
            " UNION ALL SELECT format('%I.%I', schemaname, viewname) FROM pg_views WHERE schemaname = 'warehouse'"
        ).fetchall()
        assert len(tables) > 15
        for (table,) in tables:
            reader.execute(f"SELECT * FROM {table} LIMIT 1".encode())
    with warehouse.connect("ecom_reader") as reader:
        reader.execute("SET TRANSACTION READ WRITE")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("INSERT INTO ops.service_events (service, event) VALUES ('x', 'x')")


def test_dbt_owns_the_marts_and_the_reader_reads_what_it_makes(warehouse: Address) -> None:
    with warehouse.connect("ecom_dbt") as dbt:
        dbt.execute("CREATE TABLE marts.mine AS SELECT 1 AS i")
    with warehouse.connect("ecom_reader") as reader:
        assert reader.execute("SELECT i FROM marts.mine").fetchone() == (1,)


def test_passwords_are_made_once_and_kept_to_the_owner(data_dir: Path) -> None:
    passwords = dict(load_passwords(data_dir))
    file = data_dir / "secrets.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert load_passwords(data_dir) == passwords and set(passwords) == set(ROLES)
    assert len(set(passwords.values())) == len(ROLES) and min(map(len, passwords.values())) >= 24
    del passwords["ecom_stream"]  # a role that a later version adds
    file.write_text(json.dumps(passwords))
    later = load_passwords(data_dir)
    assert later["ecom_stream"] and passwords.items() <= later.items()
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_address_shows_no_password(template: Address) -> None:
    text = f"{template!r} {template}"
    assert not any(secret in text for secret in (*template.passwords.values(), template.admin_password) if secret)


def test_an_external_address_keeps_its_options_and_a_bad_one_is_named() -> None:
    address = Address.from_url("postgresql://me:pw@db.example:6543/shop?sslmode=require", {"ecom_loader": "x"})
    assert (address.host, address.port, address.database, address.admin) == ("db.example", 6543, "shop", "me")
    assert "sslmode=require" in address.conninfo("ecom_loader") and "user=ecom_loader" in address.conninfo("ecom_loader")
    with pytest.raises(ConfigError, match=r"postgres\.url is not a PostgreSQL address"):
        Address.from_url("postgresql://h:x:y/?nonsense=1", {})


def test_gaps_that_an_older_version_recorded_in_words_are_carried_over(empty: Address) -> None:
    migrate(empty, [migration for migration in bundled() if migration.number < 10])
    with empty.connect("admin") as admin:
        insert = "INSERT INTO ops.service_events (at, service, event, detail) VALUES ('2026-02-03 04:05Z', 'load', 'lost', %s)"
        for detail in (
            "a[topic].x[3]: offsets 10 .. 24 were removed before they were loaded",
            "events[0]: offsets 7 .. 7 were removed before they were loaded",
            "in other words",
        ):
            admin.execute(insert, [detail])
        admin.commit()
        assert migrate(empty)[0] == "0010_gaps.sql"
        found = [(gap.topic, gap.partition, gap.first, gap.last, gap.at.isoformat()) for gap in read_gaps(admin)]
    when = "2026-02-03T04:05:00+00:00"
    assert found == [("a[topic].x", 3, 10, 24, when), ("events", 0, 7, 7, when)]
