"""The lake for those who ask: beside the warehouse in `ecom_lite sql`, as plain Parquet, as it was, and how old it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ecom_lite.ask.answer import Wish
from ecom_lite.ask.asker import Asker
from ecom_lite.ask.catalogue import read_catalogue
from ecom_lite.ask.session import Session
from ecom_lite.ask.warm import Warm
from ecom_lite.errors import QueryError, UsageError
from ecom_lite.lake.export import export
from ecom_lite.lake.reader import open_lake
from ecom_lite.lake.writer import Writer
from ecom_lite.settings.data_dir import LAKE, LAKE_TABLES
from ecom_lite.warehouse.attributes import declare
from ecom_lite.warehouse.connect import Address

from .facts import change_profile, load, settle, some_lines
from .lake_page import A_DAY


@pytest.fixture
def writer(warehouse: Address, data_dir: Path) -> Iterator[Writer]:
    load(warehouse, some_lines(120))
    change_profile(warehouse, 3, "Ada", "Paris", "FR")
    with Writer(warehouse.only("ecom_lake"), data_dir / LAKE / LAKE_TABLES) as writer:
        writer.open()
        writer.sync()
        yield writer


def asked(warehouse: Address, data_dir: Path, *statements: str) -> list[list[tuple[Any, ...]]]:
    """The answers in one session."""
    session = Session(warehouse, data_dir / LAKE)
    try:
        return [session.ask(statement, lambda connection: connection.fetchall()) for statement in statements]
    finally:
        session.close()


def test_sql_asks_the_lake_beside_the_warehouse(warehouse: Address, data_dir: Path, writer: Writer) -> None:
    sums = "SELECT category, sum(revenue), count(DISTINCT order_id) FROM {} GROUP BY ALL ORDER BY ALL"
    both = "SELECT count(*) FROM lake.sales l JOIN order_lines w USING (order_id, product_id) WHERE l.revenue = w.revenue"
    of_lake, of_warehouse, joined = asked(warehouse, data_dir, sums.format("lake.sales"), sums.format("order_lines"), both)
    assert of_lake == of_warehouse and len(of_lake) == 3 and joined == [(120,)]


def test_sql_asks_how_the_lake_was(warehouse: Address, data_dir: Path, writer: Writer) -> None:
    (((snapshot, at),),) = asked(
        warehouse, data_dir, "SELECT max(snapshot_id), max(snapshot_time) FROM ducklake_snapshots('lake')"
    )
    load(warehouse, some_lines(30, seed=2))
    writer.sync()
    count = "SELECT count(*) FROM lake.sales"
    then = f"{count} AT (TIMESTAMP => TIMESTAMPTZ '{at.isoformat()}')"
    assert asked(warehouse, data_dir, count, then, f"{count} AT (VERSION => {snapshot})") == [[(150,)], [(120,)], [(120,)]]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM lake.sales", "only reads"),
        ("CALL ducklake_expire_snapshots('lake', older_than => now())", "only reads"),
        ("FROM ducklake_cleanup_old_files('lake', cleanup_all => true)", "only reads"),
        ("FROM ducklake_merge_adjacent_files('lake')", "only reads"),
        ("FROM lake.sale", "does not exist"),
    ],
)
def test_sql_only_reads_the_lake(warehouse: Address, data_dir: Path, writer: Writer, statement: str, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        asked(warehouse, data_dir, statement)


def test_it_is_said_how_old_the_lake_is(warehouse: Address, data_dir: Path, writer: Writer) -> None:
    with Asker(data_dir, lambda _: warehouse, Warm(), 30) as asker:
        assert asker.ask("SELECT count(*) FROM lake.sales", Wish()).notes == ("the lake has all facts",)
        assert asker.ask("SELECT count(*) FROM fact_sales", Wish()).notes == ()
        load(warehouse, some_lines(30, seed=2))
        (note,) = asker.ask("SELECT count(*) FROM lake.sales", Wish()).notes
        assert "s behind: 30 facts are not in it yet" in note
        writer.sync()
        assert asker.ask("FROM lake.sales LIMIT 1", Wish()).notes == ("the lake has all facts",)
        days = "SELECT max(date) FROM Lake . daily"
        assert asker.ask(days, Wish()).notes == ("there is no day in lake.daily yet",)
        writer.ask(f"INSERT INTO lake.daily BY NAME {A_DAY}")
        (note,) = asker.ask(days, Wish()).notes
        assert re.fullmatch(r"lake\.daily is as of the run of dbt \d+ s ago", note)
        assert len(asker.ask(f"SELECT ({days}), count(*) FROM lake.sales", Wish()).notes) == 2


def test_without_a_lake_there_is_nothing_of_it(warehouse: Address, data_dir: Path) -> None:
    with pytest.raises(QueryError, match="lake"):
        asked(warehouse, data_dir, "FROM lake.sales")
    (data_dir / LAKE / LAKE_TABLES).mkdir(parents=True)  # of another warehouse
    assert asked(warehouse, data_dir, "SELECT count(*) FROM fact_sales") == [[(0,)]]
    assert not [table for table in read_catalogue(warehouse).tables if table.schema == "lake"]


def test_the_tables_of_the_lake_are_listed_and_explained(warehouse: Address, writer: Writer) -> None:
    tables = {table.name: table for table in read_catalogue(warehouse).tables if table.schema == "lake"}
    assert list(tables) == ["sales", "returns", "customers", "products", "orders", "daily"]
    assert (tables["sales"].rows, tables["customers"].rows) == (120, 1)
    for table in tables.values():
        assert table.comment and all(column.comment for column in table.columns), table.name
    assert {column.name: column.nullable for column in tables["sales"].columns}["country"]


def test_an_export_is_plain_parquet_of_one_moment(warehouse: Address, tmp_path: Path, writer: Writer) -> None:
    with open_lake(warehouse) as reader:
        folder = tmp_path / "plain"
        rows = export(reader, folder)
        orders = len({line.order_id for line in some_lines(120)})
        assert rows == {"sales": 120, "orders": orders, "returns": 0, "customers": 1, "products": 8, "daily": 0} and orders < 120
        assert sorted(file.name for file in folder.iterdir()) == [f"{table}.parquet" for table in sorted(rows)]
        plain = duckdb.sql(f"SELECT category, sum(revenue) FROM '{folder}/sales.parquet' GROUP BY ALL ORDER BY ALL").fetchall()
        assert plain == reader.execute("SELECT category, sum(revenue) FROM lake.sales GROUP BY ALL ORDER BY ALL").fetchall()
        with pytest.raises(UsageError, match="is there already"):
            export(reader, folder)


def test_declared_attributes_are_columns_of_the_lake(warehouse: Address, writer: Writer) -> None:
    with warehouse.connect("ecom_owner", autocommit=True) as owner:
        declare(owner, {"channel": "dimension", "gift": "boolean", "weight": "number"})
    with warehouse.connect("ecom_loader") as loader:
        loader.execute("INSERT INTO warehouse.dim_channel (channel) VALUES ('web')")
    load(warehouse, some_lines(30, seed=2))
    with warehouse.connect("admin") as admin:
        admin.execute(
            "UPDATE warehouse.fact_sales SET gift = true, weight = 1.5, "
            "channel_key = (SELECT channel_key FROM warehouse.dim_channel) WHERE order_id LIKE 'o-2-%'"
        )
    settle(warehouse)
    writer.sync()
    with open_lake(warehouse) as reader:
        found = reader.execute(
            "SELECT channel, gift, weight::VARCHAR, count(*) FROM lake.sales GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    assert found == [("web", True, "1.500000", 30), (None, None, None, 120)]
