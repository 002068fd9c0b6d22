"""A warehouse whose count closes: records of our own shop and others, its ledger, marts, minutes and sums that agree."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from psycopg import sql

from ecom_lite.rollups import Rollups
from ecom_lite.warehouse.connect import Address
from tests.conftest import copy_database

from .facts import settle
from .loading import Bench, line


@contextmanager
def clone(source: Address, target: Address) -> Iterator[None]:
    with source.with_database("postgres").connect("admin", autocommit=True) as admin:
        copy_database(admin, source.database, target.database)
        yield
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(target.database)))


def fill(bench: Bench) -> Bench:
    """Eight own lines and one own change, two foreign records, a duplicate, a dead letter; marts and minutes that agree."""
    own = [line(order, order % 3, category=f"C{order % 2}") for order in range(1, 9)]
    own = [value | {"product_id": value["product_id"] + 1} for value in own]
    send_own(bench, [*own, {"event_type": "user_updated", "user_id": 1, "name": "A", "timestamp": "2026-01-01"}])
    bench.send([line("foreign", 2), line("foreign", 2), b"nonsense"], partition=1)
    bench.load()
    write_ledger(bench, 9, 8, 1, {})
    make_marts(bench)
    settle(bench.warehouse)
    Rollups(bench.warehouse).refresh()
    return bench


def make_marts(bench: Bench) -> None:
    """Marts and minutes that agree with the facts."""
    for mart, columns in {
        "daily_sales": "count(*) AS lines, sum(revenue) AS revenue",
        "product_performance": "sum(revenue) AS revenue",
        "customer_ltv": "sum(revenue) AS revenue",
        "sales_by_attribute": "'channel' AS attribute, count(*) AS lines, sum(revenue) AS revenue",
    }.items():
        bench.ask(f"CREATE TABLE marts.{mart} AS SELECT {columns} FROM warehouse.fact_sales")
        bench.ask(f"GRANT SELECT ON marts.{mart} TO ecom_reader")
    bench.ask(
        "INSERT INTO ops.dbt_runs (trigger, started_at, status, load_xid_below)"
        " VALUES ('t', now(), 'success', pg_current_xact_id()::text::bigint)"
    )
    bench.ask(
        "INSERT INTO realtime.minutes_by_currency (window_start, category, currency, revenue, orders, lines, units)"
        " SELECT date_trunc('minute', ordered_at), 'all', 'USD', sum(revenue), 0, count(*), 0"
        " FROM warehouse.fact_sales GROUP BY 1"
    )
    bench.ask(
        "INSERT INTO realtime.stream_progress (query, batch_id, watermark, input_rows) VALUES ('q', 1, '2026-01-03T00:00:00Z', 9)"
    )


def write_ledger(bench: Bench, events: int, order_lines: int, other: int, faults: dict[str, int]) -> None:
    bench.ask(
        "INSERT INTO ops.sent_ledger (shop, partition, events, order_lines, other_events, faults)"
        " VALUES ('seed-7', 0, %(events)s, %(order_lines)s, %(other)s, %(faults)s) ON CONFLICT (shop, partition) DO UPDATE"
        " SET events = %(events)s, order_lines = %(order_lines)s, other_events = %(other)s, faults = %(faults)s,"
        " updated_at = now()",
        {"events": events, "order_lines": order_lines, "other": other, "faults": json.dumps(faults)},  # type: ignore[arg-type]
    )


def send_own(bench: Bench, values: Sequence[dict[str, Any] | bytes], fault: str = "") -> None:
    headers = bench.own(fault)
    with bench.producer() as producer:
        for value in values:
            raw = value if isinstance(value, bytes) else json.dumps(value).encode()
            producer.send(bench.topic, value=raw, headers=headers, partition=0)
