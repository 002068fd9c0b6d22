"""The lake holds each fact once, whatever its writer dies of, and its reader sees a moment that was."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import psycopg
import pytest

from ecom_lite.errors import LakeError, QueryError
from ecom_lite.lake import writer as writing
from ecom_lite.lake.reader import open_lake, statement
from ecom_lite.lake.upkeep import Tier, Upkeep
from ecom_lite.lake.writer import LakeBroken, LakeBusy, Writer
from ecom_lite.warehouse.connect import Address
from tests.runs import wait_for

from .facts import DAY0, change_profile, insert_bulk, insert_lines, load, rows, settle, some_lines, standing_still
from .lake_writer import open_in_turn

LOOKS = 3  # of a reader, in each round of kills
SEED = int(os.environ.get("ECOM_LITE_LAKE_SEED", "15"))
ROUNDS = int(os.environ.get("ECOM_LITE_LAKE_ROUNDS", "20"))
LONG_ROUNDS = 200
END_WRITER = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'ecom_lite lake' AND datname = current_database()"""
EARLY = 0.2  # of the rounds: the writer is killed while it opens


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "lake"


@contextmanager
def a_writer(warehouse: Address, folder: Path) -> Iterator[Writer]:
    with Writer(warehouse.only("ecom_lake"), folder) as writer:
        open_in_turn(writer)
        yield writer


def look(warehouse: Address, query: str) -> list[tuple[Any, ...]]:
    with open_lake(warehouse) as reader:
        return reader.execute(query).fetchall()


def assert_same(warehouse: Address) -> None:
    """What the lake holds is what the warehouse holds, row by row; titles are as of loading, so products have their own table."""
    pairs = (
        (
            "SELECT order_id, user_id, product_id, category, ordered_at, quantity, price, revenue, currency, load_xid "
            "FROM lake.sales",
            "SELECT order_id, user_id, product_id, category, timestamp, quantity, price, revenue, currency, load_xid "
            "FROM warehouse.order_lines",
        ),
        (
            "SELECT order_id, user_id, ordered_at, day, hour, lines, units, revenue, currency, load_xid FROM lake.orders",
            "SELECT order_id, min(user_id), min(timestamp), (min(timestamp) AT TIME ZONE 'UTC')::date, "
            "extract(hour FROM min(timestamp) AT TIME ZONE 'UTC')::int, count(*), sum(quantity), sum(revenue), min(currency), "
            "max(load_xid) FROM warehouse.order_lines GROUP BY order_id",
        ),
        (
            "SELECT order_id, product_id, kind, return_id, quantity, reason, returned_at FROM lake.returns",
            "SELECT order_id, product_id, kind, return_id, quantity, reason, returned_at FROM warehouse.fact_returns",
        ),
        (
            "SELECT user_id, valid_from, name, city, country FROM lake.customers",
            "SELECT user_id, changed_at, name, city, country FROM warehouse.user_changes",
        ),
        (
            "SELECT product_id, arg_max(product_title, load_xid), arg_max(category, load_xid) FROM lake.products GROUP BY ALL",
            "SELECT product_id, product_title, category FROM warehouse.dim_product "
            "JOIN warehouse.dim_category USING (category_key)",
        ),
    )
    for of_lake, of_warehouse in pairs:
        assert sorted(look(warehouse, of_lake)) == sorted(rows(warehouse, of_warehouse)), of_lake


def take_back(connection: psycopg.Connection, order_id: str, product_id: int) -> None:
    connection.execute(
        "INSERT INTO warehouse.fact_returns (order_id, product_id, kind, return_id, quantity, reason, returned_at, "
        "source_partition, source_offset, load_xid) "
        "VALUES (%s, %s, 'order_returned', 'r', 1, 'broken', %s, 0, 0, ops.load_order())",
        [order_id, str(product_id), DAY0 + timedelta(days=40)],
    )


def test_each_pass_takes_in_what_is_new_and_a_new_writer_goes_on_where_the_last_one_ended(
    warehouse: Address, folder: Path
) -> None:
    with pytest.raises(QueryError, match="cannot be attached"), open_lake(warehouse):
        pass
    with a_writer(warehouse, folder) as writer:
        assert writer.sync() == 0
        load(warehouse, some_lines(300))
        assert (writer.sync(), writer.sync()) == (300, 0)
        assert_same(warehouse)
        change_profile(warehouse, 3, "Ada", "Paris", "FR")
        assert writer.sync() == 1
    load(warehouse, some_lines(200, seed=2))
    with warehouse.connect("ecom_loader") as loader:
        take_back(loader, "o-1-1", 1)
        loader.execute("UPDATE warehouse.dim_product SET product_title = 'Better' WHERE product_id = '1'")
    settle(warehouse)
    load(warehouse, some_lines(40, seed=3))
    with a_writer(warehouse, folder) as writer:
        assert (writer.sync(), writer.sync()) == (241, 0)
    assert_same(warehouse)
    assert look(warehouse, "SELECT product_title FROM lake.products WHERE product_id = '1' ORDER BY load_xid") == [
        ("Product 1",),
        ("Better",),
    ]
    assert look(warehouse, "SELECT DISTINCT country FROM lake.sales WHERE user_id = '3' ORDER BY 1") == [("FR",), (None,)]
    assert {file.parent.name for file in folder.glob("main/sales/*/*/*.parquet")} == {"month=3"}


def test_what_a_transaction_loads_that_is_still_open_waits_for_the_next_pass(warehouse: Address, folder: Path) -> None:
    lines = some_lines(90)
    load(warehouse, some_lines(300, seed=2))
    with a_writer(warehouse, folder) as writer:
        writer.sync()
        with standing_still(warehouse) as slow:
            insert_lines(slow, lines[:30])
            with warehouse.connect("ecom_loader") as quick:  # began later, ended earlier
                insert_lines(quick, lines[30:60])
            assert writer.sync() == 0
        settle(warehouse)
        assert writer.sync() == 60
    assert_same(warehouse)


def test_a_server_that_does_not_let_it_in_ends_it_so_that_it_begins_anew_with_the_password_of_now(
    warehouse: Address, folder: Path
) -> None:
    wrong = replace(warehouse, passwords={"ecom_lake": "wrong"})
    with Writer(wrong, folder) as writer, pytest.raises(LakeError, match="password authentication failed"):
        writer.open()


def test_there_is_one_writer(warehouse: Address, folder: Path) -> None:
    load(warehouse, some_lines(50))
    with a_writer(warehouse, folder) as first:
        with Writer(warehouse.only("ecom_lake"), folder) as another, pytest.raises(LakeBusy, match="another writer"):
            another.open()
        assert first.sync() == 50
    with a_writer(warehouse, folder) as second:
        assert second.sync() == 0


def test_a_writer_that_lost_its_lock_without_knowing_cannot_commit_beside_its_heir(warehouse: Address, folder: Path) -> None:
    load(warehouse, some_lines(50))
    with a_writer(warehouse, folder) as old:
        old.ask("BEGIN")
        old.ask("INSERT INTO lake.customers VALUES ('1', now(), 'user_updated', 'x', 'x', 'x', 'x', 1, now())")
        with warehouse.connect("admin", autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", [old.warehouse.info.backend_pid])
        with a_writer(warehouse, folder) as heir:
            assert heir.sync() == 50
            with pytest.raises(duckdb.Error):
                old.ask("COMMIT")
            with pytest.raises(LakeBroken):
                old.sync()
    assert_same(warehouse)


def test_files_that_are_lost_or_damaged_are_made_anew_from_the_facts(warehouse: Address, folder: Path) -> None:
    load(warehouse, some_lines(50))
    for damage in (Path.unlink, lambda file: file.write_bytes(file.read_bytes()[:-1])):
        with a_writer(warehouse, folder) as writer:
            writer.sync()
        damage(next(folder.glob("main/sales/**/*.parquet")))
        with a_writer(warehouse, folder) as writer:
            assert writer.sync() == 50
            assert_same(warehouse)


def test_the_data_folder_may_be_moved(warehouse: Address, folder: Path) -> None:
    load(warehouse, some_lines(50))
    with a_writer(warehouse, folder) as writer:
        writer.sync()
    moved = folder.with_name("elsewhere")
    folder.rename(moved)
    with a_writer(warehouse, moved) as writer:
        assert writer.sync() == 0
        assert_same(warehouse)  # whoever attaches it finds the files where they are


def test_merging_keeps_rows_and_history_and_unused_files_go(warehouse: Address, folder: Path) -> None:
    lines = some_lines(200)
    with a_writer(warehouse, folder) as writer:
        upkeep = Upkeep(writer, keep_snapshots_h=24, tiers=(Tier(0, 1 << 20, 5),))
        for n in range(4):
            load(warehouse, lines[n::20])
            writer.sync()
        assert upkeep.merge() == 0, "too few to be worth it"
        ((version,),) = look(warehouse, "SELECT max(snapshot_id) FROM ducklake_snapshots('lake')")
        for n in range(4, 20):
            load(warehouse, lines[n::20])
            writer.sync()
        assert upkeep.merge() == 2 * 19, "of order lines and of orders"
        assert_same(warehouse)
        then = f"SELECT count(*) FROM lake.sales AT (VERSION => {version})"
        assert look(warehouse, then) == [(40,)]
        files = len(list(folder.glob("main/sales/**/*.parquet")))
        assert files == 21 and upkeep.delete(3600) == 0, "they may still be read"
        assert upkeep.delete(0) == 2 * 20 and len(list(folder.glob("main/sales/**/*.parquet"))) == 1
        assert look(warehouse, then) == [(40,)]
        assert_same(warehouse)
        left = folder / "main" / "sales" / "left.parquet"
        left.write_bytes(b"")
        assert upkeep.delete_orphans(3600) == 0 and upkeep.delete_orphans(0) == 1 and not left.exists()
        Upkeep(writer, keep_snapshots_h=0).expire()
        assert look(warehouse, "SELECT count(*) FROM ducklake_snapshots('lake')") == [(1,)]
        assert_same(warehouse)


def test_the_reader_can_change_nothing(warehouse: Address, folder: Path) -> None:
    load(warehouse, some_lines(50))
    with a_writer(warehouse, folder) as writer:
        writer.sync()
    with open_lake(warehouse) as reader, pytest.raises(duckdb.Error, match="read-only"):
        reader.execute("DELETE FROM lake.sales")
    with warehouse.connect("ecom_reader") as connection, pytest.raises(psycopg.errors.Error):
        connection.execute("SET default_transaction_read_only = off")
        connection.commit()
        connection.execute("DELETE FROM ducklake.ducklake_data_file")
    with warehouse.connect("ecom_lake") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM warehouse.fact_sales")


def test_a_server_that_goes_away_within_the_writers_transaction_is_told_and_ends_no_process(
    warehouse: Address, folder: Path
) -> None:
    load(warehouse, some_lines(50))
    with a_writer(warehouse, folder) as writer:
        writer.sync()
        writer.ask("BEGIN")
        writer.ask("SELECT max(load_xid) FROM lake.sales")
        assert rows(warehouse, END_WRITER, "admin")
        with pytest.raises(LakeBroken, match="the lake cannot be written: "):
            writer.carry_out("SELECT max(load_xid) FROM lake.sales")
        assert not writer.is_open
        open_in_turn(writer)
        assert writer.sync() == 0
    assert_same(warehouse)


def test_what_is_kept_of_each_sync_goes_when_the_lake_is_attached_anew(
    warehouse: Address, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ATTACH_AFTER", 3)
    kept = []
    with a_writer(warehouse, folder) as writer:
        for seed in range(7):
            load(warehouse, some_lines(50, seed=seed + 1))
            assert writer.sync() == 50
            kept.append(sum(size for _, size, _ in writer.ask("FROM duckdb_memory()")))
    assert kept[3] < kept[2] and kept[6] < kept[5], "of three syncs at most"
    assert max(kept[3:]) < 1.5 * kept[2]
    assert_same(warehouse)


def test_the_printed_statement_attaches_the_lake(warehouse: Address, folder: Path) -> None:
    load(warehouse, some_lines(50))
    with a_writer(warehouse, folder) as writer:
        writer.sync()
    install, _, attach = statement(warehouse).partition("\n")
    assert install == "INSTALL ducklake; INSTALL postgres;"
    with open_lake(warehouse) as reader:  # has the extensions
        reader.execute("DETACH lake")
        reader.execute(attach)
        assert reader.execute("SELECT count(*) FROM lake.sales").fetchall() == [(50,)]


@pytest.mark.timeout(900)  # each round starts a process, and nobody in it rests
@pytest.mark.parametrize("rounds", [ROUNDS, pytest.param(LONG_ROUNDS, marks=pytest.mark.long)])
def test_each_fact_is_in_the_lake_once_whenever_its_writer_is_killed(warehouse: Address, folder: Path, rounds: int) -> None:
    rng = random.Random(SEED)
    insert_bulk(warehouse, 1_000, users=50)
    over, told = threading.Event(), [0]

    def go_on_loading() -> None:
        for n in range(10_000):
            if over.is_set():
                return
            with warehouse.connect("ecom_loader") as loader:
                insert_lines(loader, some_lines(20, seed=1_000 + n, days=60))
                if n % 5 == 0:
                    take_back(loader, f"o-{n}", n)
            told[0] += 20
            time.sleep(0.02)

    loading = threading.Thread(target=go_on_loading)
    loading.start()
    struck, passes = Counter[str](), 0
    try:
        for number in range(1, rounds + 1):
            writer = start_writer(warehouse, folder)
            try:
                steps = [b"open"]
                if rng.random() < EARLY:  # before it has anything to say
                    time.sleep(rng.uniform(0, 0.8))
                else:
                    assert writer.stdout is not None
                    steps = [writer.stdout.readline().strip(), writer.stdout.readline().strip()]
                    assert steps == [b"sync", b"merge"], f"the writer writes: {steps}"
                    for _ in range(LOOKS):
                        ((count, orders),) = look(
                            warehouse, "SELECT count(*), count(DISTINCT (order_id, product_id)) FROM lake.sales"
                        )
                        assert count == orders
                    time.sleep(rng.uniform(0, 0.15))
                assert writer.poll() is None, f"the writer died by itself in round {number} of seed {SEED}"
            finally:
                writer.kill()
                steps += writer.communicate()[0].splitlines()
            passes += steps.count(b"sync")
            struck[steps[-1].decode()] += 1
    finally:
        over.set()
        loading.join()
    settle(warehouse)
    with a_writer(warehouse, folder) as last:
        wait_for(lambda: last.sync() == 0, "the lake has everything")
        assert_same(warehouse)
        Upkeep(last, 1, tiers=(Tier(0, 1 << 20, 2),)).merge()
        assert_same(warehouse)
    print(f"seed {SEED}: {rounds} kills, of {dict(struck)}, in {passes:,} passes over {told[0]:,} facts beside it")
    assert told[0] and passes > rounds and struck.total() == rounds


def start_writer(warehouse: Address, folder: Path) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.lake_writer", str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin is not None
    child.stdin.write(msgspec.json.encode(warehouse.only("ecom_lake").by_value()) + b"\n")
    child.stdin.close()
    child.stdin = None
    return child


def test_an_order_whose_lines_come_in_several_loads_is_one_row_in_each_moment(warehouse: Address, folder: Path) -> None:
    lines = some_lines(240, orders=60)
    with a_writer(warehouse, folder) as writer:
        for n in range(6):
            load(warehouse, lines[n::6])
            writer.sync()
            assert_same(warehouse)
            (count,) = look(warehouse, "SELECT count(*), count(DISTINCT order_id), sum(lines) FROM lake.orders")
            orders = len({line.order_id for part in range(n + 1) for line in lines[part::6]})
            assert count == (orders, orders, 40 * (n + 1))
        assert look(warehouse, "SELECT count(*) > 60 FROM lake.order_versions") == [(True,)]
        with warehouse.connect("admin") as admin:
            admin.execute("ALTER TABLE warehouse.fact_sales ALTER currency SET DEFAULT 'EUR'")
        load(warehouse, some_lines(20, orders=60, seed=2))
        load(warehouse, [replace(lines[0], product_id=9)])
        writer.sync()
    several = "SELECT order_id, revenue, currency, lines > 1 FROM lake.orders WHERE currency IS NULL"
    assert look(warehouse, several) == [(lines[0].order_id, None, None, True)]


def test_a_lake_without_orders_gets_them_when_it_is_opened(warehouse: Address, folder: Path) -> None:
    lines = some_lines(240, orders=60)
    with a_writer(warehouse, folder) as writer:
        load(warehouse, lines[:200])
        writer.sync()
        writer.carry_out("DROP VIEW lake.orders")
        writer.carry_out("DROP TABLE lake.order_versions")
    with a_writer(warehouse, folder) as writer:
        assert_same(warehouse)
        load(warehouse, lines[200:])
        writer.sync()
    assert_same(warehouse)
