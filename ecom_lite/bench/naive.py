"""The row-by-row baseline: a SELECT and an INSERT for each order line, correct while nothing fails."""

from __future__ import annotations

import json
import time
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import psycopg
from kafka import KafkaConsumer

from ..errors import CheckFailed, EcomLiteError
from ..settings.tree import Settings
from ..topic.client import explained, partitions_of
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .rig import ask

SLICE: Final = 20_000  # events
COMMIT_EVERY: Final = 100  # events
POLL_MS: Final = 1000
PATIENCE_S: Final = 30.0


def naive(settings: Settings, client: dict[str, Any], address: Address, events: int) -> float:
    """Events per second over the first `events` that come, from the first poll that brings some to the last commit."""
    with explained(client, "the naive loader"), address.connect("ecom_loader") as connection:
        consumer = KafkaConsumer(**client, group_id="naive", enable_auto_commit=True, auto_offset_reset="earliest")
        try:
            consumer.subscribe([settings.kafka.topic])
            partitions_of(consumer, settings.kafka.topic)  # now rather than after a first assignment without it
            seconds, lines = _run(consumer, connection, events)
        finally:
            consumer.close()
    (facts,) = ask(address, "count_facts")
    if facts != lines:
        raise CheckFailed(f"the naive loader wrote {facts} facts, not {lines}")
    return events / seconds


def _run(consumer: KafkaConsumer, connection: psycopg.Connection, events: int) -> tuple[float, int]:
    """Seconds and order lines. Events of other types are read and passed over."""
    seen = lines = 0
    began, give_up = 0.0, time.monotonic() + PATIENCE_S
    while seen < events:
        polled = consumer.poll(timeout_ms=POLL_MS)
        if not polled:
            if time.monotonic() > give_up:
                raise EcomLiteError(f"the naive loader got nothing for {PATIENCE_S:g} s")
            continue
        began, give_up = began or time.perf_counter(), time.monotonic() + PATIENCE_S
        for records in polled.values():
            for record in records[: events - seen]:
                event = json.loads(record.value, parse_float=Decimal)
                if event["event_type"] == "order":
                    _insert(connection, event, record)
                    lines += 1
                seen += 1
                if seen % COMMIT_EVERY == 0:
                    connection.commit()
    connection.commit()
    return time.perf_counter() - began, lines


def _insert(connection: psycopg.Connection, event: dict[str, Any], record: Any) -> None:
    user_key = _key(connection, "user", event)
    category_key = _key(connection, "category", event)
    product_key = _key(connection, "product", {**event, "category_key": category_key})
    day = datetime.fromisoformat(event["timestamp"])
    connection.execute(
        read_sql(__package__, "naive_fact"),
        {
            **event, "product_key": product_key, "user_key": user_key, "category_key": category_key,
            "date_key": day.year * 10_000 + day.month * 100 + day.day,
            "partition": record.partition, "offset": record.offset,
        },
    )  # fmt: skip


def _key(connection: psycopg.Connection, kind: str, values: dict[str, Any]) -> int:
    found = connection.execute(read_sql(__package__, f"naive_find_{kind}"), values).fetchone()
    if found is None:
        found = connection.execute(read_sql(__package__, f"naive_add_{kind}"), values).fetchone()
    assert found is not None
    return int(found[0])
