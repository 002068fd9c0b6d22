"""What a round of all rules reads does not grow with what is there: pages that the database touches, at two sizes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from ecom_lite.alerts.rules import Rule
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.sqlfiles import read_sql

from .alerting import Watch, shipped

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SMALL, LARGE = 30, 120  # days
RETURNS = 500  # a day
MOST_PAGES = 1_500  # of one question: some ten megabytes, all of them in memory
TABLES = "realtime.minutes_by_currency", "warehouse.fact_returns", "ops.load_batches", "ops.dbt_runs", "ops.gaps"


def grow(warehouse: Address, days: int) -> None:
    with warehouse.connect("admin", autocommit=True) as admin:
        for table in TABLES:
            # An analyze of the server's own, at the same moment, would have vacuum leave pages for each query to look through.
            admin.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)".encode())
            admin.execute(f"TRUNCATE {table} CASCADE".encode())
        values: dict[str, Any] = {"now": NOW, "days": days, "returns": RETURNS}
        with psycopg.ClientCursor(admin) as cursor:
            cursor.execute(read_sql(__package__ or "", "alert_history"), values)
        admin.execute(f"VACUUM (ANALYZE) {', '.join(TABLES)}".encode())


def pages(reader: psycopg.Connection, rule: Rule) -> int:
    known = {"now": NOW, "window": timedelta(seconds=rule.window_s or 0), "marts_every_s": 300.0}
    statement = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {rule.question.statement}"
    row = psycopg.RawCursor(reader).execute(statement.encode(), [known[name] for name in rule.question.names]).fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def test_what_a_rule_reads_does_not_grow(warehouse: Address, tmp_path: Path) -> None:
    found: dict[int, dict[str, int]] = {}
    for days in (SMALL, LARGE):
        grow(warehouse, days)
        watch = Watch(warehouse, shipped(), tmp_path)
        assert watch.state(NOW, "order_rate") == "ok", watch.evaluator.figures["order_rate"]
        with warehouse.connect("ecom_reader") as reader:
            found[days] = {rule.name: pages(reader, rule) for rule in shipped()}
    for name, few in found[SMALL].items():
        assert found[LARGE][name] <= max(50, 2 * few) and few <= MOST_PAGES, (name, found)
