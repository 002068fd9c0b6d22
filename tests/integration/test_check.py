"""The count closes when it should, and opens at the right line whatever is taken away, added or changed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from kafka import KafkaAdminClient, TopicPartition
from psycopg import sql

from ecom_lite.check.duck import attach, query
from ecom_lite.check.reconcile import Report, reconcile
from ecom_lite.errors import CheckFailed, QueryError
from ecom_lite.events import PRODUCER_HEADER
from ecom_lite.kafka_client import end_offsets, ensure_topics
from ecom_lite.warehouse.connect import Address

from .loading import Bench, line

SENT = "sent (ledger) = own records on the broker"
OFFSETS = "broker's offsets = offsets accounted for"
RECORDS = "records = facts + duplicates + other + dead"
FACTS = "facts counted = rows of fact_sales"
OTHER = "other events counted = rows of fact_returns + user_changes"
DEAD = "dead letters counted = rows of dead_letters"
ORPHANS = "facts without a dimension row"
LOST = "offsets lost to retention"
MART_LINES = "lines in daily_sales = facts"
DAILY, PRODUCTS, CUSTOMERS = (f"revenue in {mart} = facts" for mart in ("daily_sales", "product_performance", "customer_ltv"))
WINDOWS = "lines in closed minutes = facts"


@pytest.fixture
def bench(kafka_bootstrap: str, topic: str, warehouse: Address) -> Bench:
    return Bench(kafka_bootstrap, topic, warehouse)


@pytest.fixture
def loaded(bench: Bench) -> Bench:
    return fill(bench)


@pytest.fixture(scope="module")
def original(kafka_bootstrap: str, template: Address) -> Iterator[Bench]:
    """Loaded once, for the tests that only read it or a copy of it."""
    bench = Bench(kafka_bootstrap, "check_original", template.with_database("check_original"))
    ensure_topics(bench.client, bench.topic, 4, bench.settings().kafka.dlq_topic)
    with clone(template, bench.warehouse):
        yield fill(bench)


@pytest.fixture
def copy(original: Bench) -> Iterator[Bench]:
    """May be tampered with, but not be sent to."""
    bench = replace(original, warehouse=original.warehouse.with_database("check_copy"))
    with clone(original.warehouse, bench.warehouse):
        yield bench


@contextmanager
def clone(source: Address, target: Address) -> Iterator[None]:
    with source.with_database("postgres").connect("admin", autocommit=True) as admin:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER ecom_owner")
        admin.execute(statement.format(sql.Identifier(target.database), sql.Identifier(source.database)))
        yield
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(target.database)))


def fill(bench: Bench) -> Bench:
    """Eight own lines and one own change, two foreign records, a duplicate, a dead letter; marts and minutes that agree."""
    own = [line(order, order % 3, category=f"C{order % 2}") for order in range(1, 9)]
    own = [value | {"product_id": value["product_id"] + 1} for value in own]
    send_own(bench, [*own, {"event_type": "user_updated", "user_id": 1, "name": "A", "timestamp": "2026-01-01"}])
    bench.send([line("foreign", 2), line("foreign", 2), b"nonsense"], partition=1)
    bench.load()
    bench.ask("INSERT INTO ops.sent_ledger (shop, partition, events) VALUES ('seed-7', 0, 9)")
    for mart, columns in {
        "daily_sales": "count(*) AS lines, sum(revenue) AS revenue",
        "product_performance": "sum(revenue) AS revenue",
        "customer_ltv": "sum(revenue) AS lifetime_value",
    }.items():
        bench.ask(f"CREATE TABLE marts.{mart} AS SELECT {columns} FROM warehouse.fact_sales")
        bench.ask(f"GRANT SELECT ON marts.{mart} TO ecom_reader")
    bench.ask(
        "INSERT INTO ops.dbt_runs (trigger, started_at, status, load_xid_below)"
        " VALUES ('t', now(), 'success', pg_current_xact_id()::text::bigint)"
    )
    bench.ask(
        "INSERT INTO realtime.sales_per_minute (window_start, category, revenue, orders, lines, units)"
        " SELECT date_trunc('minute', ordered_at), 'all', sum(revenue), 0, count(*), 0 FROM warehouse.fact_sales GROUP BY 1"
    )
    bench.ask(
        "INSERT INTO realtime.stream_progress (query, batch_id, watermark, input_rows) VALUES ('q', 1, '2026-01-03T00:00:00Z', 9)"
    )
    return bench


def send_own(bench: Bench, values: list[dict[str, Any]]) -> None:
    with bench.producer() as producer:
        for value in values:
            producer.send(bench.topic, value=json.dumps(value).encode(), headers=[(PRODUCER_HEADER, b"seed-7")], partition=0)


def count(bench: Bench, *, producing: bool = False, catch_up_s: float = 0.5) -> Report:
    ends = partial(end_offsets, bench.client, bench.topic)
    return reconcile(bench.warehouse, bench.topic, ends, producing=producing, catch_up_s=catch_up_s)


def recent(order: str, product: int = 1) -> dict[str, Any]:
    """A line that comes in time for its minute."""
    return line(order, product, timestamp="2026-02-01")


def open_lines(report: Report) -> set[str]:
    return {found.name for found in report.lines if not found.closes}


def test_the_count_closes_and_says_what_it_counted(original: Bench) -> None:
    report = count(original)
    assert open_lines(report) == set()
    report.raise_if_open()
    expected = {"sent": 9, "broker": 12, "own": 9, "foreign": 3, "facts": 9, "duplicates": 1, "other": 1, "dead": 1}
    assert {name: report.figures[name] for name in expected} == expected
    assert json.loads(json.dumps(report.as_json(), default=str))["closes"] is True
    assert [found.name for found in report.lines] == [
        SENT, OFFSETS, RECORDS, FACTS, OTHER, DEAD, ORPHANS, LOST, MART_LINES, DAILY, PRODUCTS, CUSTOMERS, WINDOWS
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tampering", "opens"),
    [
        ("DELETE FROM warehouse.fact_sales WHERE order_id = 'foreign'", {FACTS, MART_LINES, DAILY, PRODUCTS, CUSTOMERS, WINDOWS}),
        (
            "INSERT INTO warehouse.fact_sales"
            " SELECT 'added', product_key, user_key, category_key, date_key, '2026-02-01', product_id, 1, 1, 1, 0, 0,"
            " 9223372036854775807 FROM warehouse.fact_sales LIMIT 1",
            {FACTS},
        ),
        ("UPDATE warehouse.fact_sales SET revenue = revenue + 0.01 WHERE order_id = 'foreign'", {DAILY, PRODUCTS, CUSTOMERS}),
        ("UPDATE ops.sent_ledger SET events = events - 1", {SENT}),
        ("DELETE FROM ops.sent_ledger", {SENT}),
        ("UPDATE ops.consumer_offsets SET own = own + 1 WHERE partition = 1", {SENT}),
        ("UPDATE ops.consumer_offsets SET facts = facts - 1, duplicates = duplicates + 1 WHERE partition = 0", {FACTS}),
        ("UPDATE ops.consumer_offsets SET other = other - 1, duplicates = duplicates + 1 WHERE partition = 0", {OTHER}),
        ("UPDATE ops.consumer_offsets SET dead = dead - 1, lost = lost + 1 WHERE partition = 1", {DEAD, LOST}),
        ("UPDATE ops.consumer_offsets SET next_offset = 4, markers = 1 WHERE partition = 1", {OFFSETS}),
        ("DELETE FROM ops.consumer_offsets WHERE partition = 1", {OFFSETS, FACTS, DEAD}),
        ("DELETE FROM warehouse.user_changes", {OTHER}),
        ("DELETE FROM ops.dead_letters", {DEAD}),
        ("DELETE FROM warehouse.dim_user", {ORPHANS}),
        ("DELETE FROM warehouse.dim_product WHERE product_id = 2", {ORPHANS}),
        ("DELETE FROM warehouse.dim_category WHERE category = 'C1'", {ORPHANS}),
        ("DELETE FROM warehouse.dim_date", {ORPHANS}),
        ("UPDATE marts.daily_sales SET lines = lines + 1", {MART_LINES}),
        ("UPDATE marts.daily_sales SET revenue = revenue - 0.01", {DAILY}),
        ("UPDATE marts.product_performance SET revenue = revenue - 0.01", {PRODUCTS}),
        ("DELETE FROM marts.customer_ltv", {CUSTOMERS}),
        ("UPDATE realtime.sales_per_minute SET lines = lines - 1", {WINDOWS}),
        ("UPDATE realtime.sales_per_minute SET lines = lines + 1", {WINDOWS}),
    ],
)
def test_each_violation_opens_its_line(copy: Bench, tampering: str, opens: set[str]) -> None:
    copy.ask(tampering)
    report = count(copy, catch_up_s=0)
    assert open_lines(report) == opens
    with pytest.raises(CheckFailed, match="the count does not close"):
        report.raise_if_open()


def test_counters_that_do_not_add_up_are_refused_by_the_table_itself(original: Bench) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        original.ask("UPDATE ops.consumer_offsets SET facts = facts - 1 WHERE partition = 0")


def test_what_the_loader_has_not_reached_keeps_the_count_open(loaded: Bench) -> None:
    loaded.send([recent("new")])
    report = count(loaded)
    assert open_lines(report) == {OFFSETS}
    loaded.load()
    assert open_lines(count(loaded)) == set()  # a fact that is newer than the dbt run does not open the marts


def test_markers_of_transactions_do_not_keep_the_count_open(loaded: Bench) -> None:
    with loaded.producer(transactional_id=f"t-{loaded.topic}") as producer:
        producer.init_transactions()
        producer.begin_transaction()
        producer.send(loaded.topic, value=json.dumps(line("t")).encode(), partition=3)
        producer.flush()
        producer.abort_transaction()
    loaded.load()
    assert open_lines(count(loaded)) == set()


def test_lost_offsets_are_told_and_fail_the_check(loaded: Bench) -> None:
    loaded.send([recent("gone"), recent("new")], partition=1)
    admin = KafkaAdminClient(**loaded.client)
    admin.delete_records({TopicPartition(loaded.topic, 1): 4})
    admin.close()
    loaded.load()
    report = count(loaded)
    assert open_lines(report) == {LOST} and report.figures["lost"] == 1


def test_a_second_topic_in_the_same_warehouse_closes_too(loaded: Bench) -> None:
    other = replace(loaded, topic=f"{loaded.topic}-two")
    ensure_topics(other.client, other.topic, 2, f"{other.topic}.dlq")
    other.send([recent("other topic"), b"nonsense"])
    other.load()
    assert open_lines(count(other)) == open_lines(count(loaded)) == set()


def test_the_count_closes_on_a_live_system(loaded: Bench) -> None:
    ended = threading.Event()

    def produce() -> None:
        sent = 9
        while not ended.is_set():
            send_own(loaded, [recent(f"live-{sent + i}", 2) for i in range(20)])
            sent += 20
            loaded.ask("UPDATE ops.sent_ledger SET events = %s, updated_at = now()", [sent])
            ended.wait(0.05)

    thread = threading.Thread(target=produce)
    with loaded.loading() as running:
        thread.start()
        try:
            for _ in range(3):
                report = count(loaded, producing=True, catch_up_s=20)
                assert open_lines(report) == set(), report.lines
        finally:
            ended.set()
            thread.join()
        loaded.until_loaded(running)
    assert open_lines(count(loaded)) == set()


@pytest.fixture
def reader(original: Bench, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    duckdb.sql("SELECT 1 AS one").write_parquet(str(tmp_path / "part.parquet"))
    connection = attach(original.warehouse, tmp_path)
    yield connection
    connection.close()


def test_sql_reads_the_warehouse_and_the_lake(reader: duckdb.DuckDBPyConnection) -> None:
    assert query(reader, "SELECT count(*) AS n FROM fact_sales", 5) == (["n"], [(9,)], False)
    assert query(reader, "SELECT order_id FROM fact_sales ORDER BY 1", 2) == (["order_id"], [("1",), ("2",)], True)
    assert query(reader, "SELECT one FROM memory.main.lake", 5)[1] == [(1,)]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DELETE FROM fact_sales", "read-only"),
        ("CALL postgres_execute('ecom', 'DELETE FROM warehouse.fact_sales')", "read-only transaction"),
        ("SELECT * FROM read_text('/etc/passwd')", "disabled by configuration"),
        ("COPY (SELECT 1) TO '/tmp/ecom_lite_must_not_exist.csv'", "disabled by configuration"),
        ("ATTACH '/tmp/ecom_lite_must_not_exist.db'", "disabled by configuration"),
        ("SET enable_external_access = true", "locked"),
        ("SELECT nope FROM fact_sales", 'Referenced column "nope" not found'),
        ("SELEC 1", "syntax error"),
        ("", "no SQL statement"),
        ("-- nothing", "no SQL statement"),
    ],
)
def test_sql_can_only_read_and_says_why_not(reader: duckdb.DuckDBPyConnection, statement: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        query(reader, statement, 5)


def test_no_password_is_shown(reader: duckdb.DuckDBPyConnection, original: Bench) -> None:
    password = original.warehouse.passwords["ecom_reader"]
    for table in ("duckdb_databases()", "duckdb_secrets()", "duckdb_settings()"):
        assert password not in str(query(reader, f"SELECT * FROM {table}", 500))
    with pytest.raises(QueryError, match=r"cannot be reached: .*refused") as refused:
        attach(replace(original.warehouse, port=1))
    assert password not in str(refused.value)
