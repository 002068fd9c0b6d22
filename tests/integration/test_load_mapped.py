"""Records of somebody else's shape, by [events] alone: whole orders become facts exactly once, all lines or none."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ecom_lite.check.reconcile import reconcile
from ecom_lite.contract.judged import LINES_PER_RECORD
from ecom_lite.dead_letters.resend import Wish, resend
from ecom_lite.load.decode import Batch
from ecom_lite.load.write import Writer, Written
from ecom_lite.own_events.formats import recognised, records
from ecom_lite.own_events.source import opened
from ecom_lite.settings.load import load_settings
from ecom_lite.stream.source import settle_source
from ecom_lite.topic.client import ends_of, ensure_topics
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.migrate import migrate
from tests.integration.topics import records_of
from tests.runs import wait_for

from .facts import standing_still
from .loading import Bench, line

EVENTS: dict[str, Any] = {
    "fields": {
        "order_id": "id", "user_id": "customer.id", "timestamp": "created_at", "product_id": "items[].sku",
        "product_title": "items[].name", "price": "items[].unit_price", "quantity": "items[].qty",
    },
    "constants": {"category": "Web"}, "lines": "items[]", "unit": "cents",
}  # fmt: skip


@pytest.fixture
def bench(kafka_bootstrap: str, topic: str, warehouse: Address) -> Bench:
    return Bench(kafka_bootstrap, topic, warehouse, events=EVENTS)


def order(number: int, *skus: str, **changes: Any) -> dict[str, Any]:
    items = [{"sku": sku, "name": sku.upper(), "unit_price": 1999, "qty": 2} | changes for sku in skus]
    return {"id": number, "customer": {"id": "u1"}, "created_at": "2026-07-01T10:00:00Z", "items": items}


def lines_of(bench: Bench) -> list[tuple[Any, ...]]:
    return bench.ask("SELECT order_id, product_id, quantity, revenue FROM warehouse.order_lines ORDER BY 1, 2")


def assert_closes(bench: Bench) -> None:
    report = reconcile(bench.warehouse, [bench.topic], lambda: ends_of(bench.client, [bench.topic]), producing=False, spark=False)
    assert [one for one in report.lines if not one.closes and not one.name.startswith("marts")] == []


def test_each_line_of_an_order_is_a_fact_once_and_one_broken_line_keeps_the_whole_order_out(bench: Bench) -> None:
    bench.send([order(1, "a", "b", "c"), order(2, "a"), order(3, "a", "b", qty=0), order(1, "a", "b"), b"{", order(4)])
    bench.load()
    bench.send([order(1, "a", "b", "c", "d")], partition=1)
    bench.load()
    revenue = Decimal("39.98")
    assert lines_of(bench) == [("1", sku, 2, revenue) for sku in "abcd"] + [("2", "a", 2, revenue)]
    # Seven records, six lines beyond the first of each: 5 facts, 5 duplicates, 3 dead.
    assert bench.counts() == {"facts": 5, "duplicates": 5, "dead": 3, "further_lines": 6}
    assert bench.ask("SELECT sum(records), sum(facts), sum(duplicates) FROM ops.load_batches") == [(7, 5, 5)]
    said = dict(bench.ask('SELECT "offset", detail FROM ops.dead_letters'))
    assert "line 1" in said[2] and "quantity" in said[2] and "items[]" in said[5]
    assert_closes(bench)


def test_a_line_that_the_database_refuses_keeps_its_whole_order_out(bench: Bench) -> None:
    bench.ask("ALTER TABLE warehouse.fact_sales ADD CHECK (quantity < 100)")
    bench.send([order(1, "a"), order(2, "b", "c", qty=100), order(3, "a", "b")])
    bench.send([{**order(4), "items": [*order(4, "a")["items"], *order(4, "b", qty=200)["items"]]}])
    bench.load()
    assert [row[:2] for row in lines_of(bench)] == [("1", "a"), ("3", "a"), ("3", "b")]
    assert bench.counts() == {"facts": 3, "dead": 2, "further_lines": 1}
    assert_closes(bench)


def test_the_own_shops_events_are_read_by_the_contract_beside_mapped_ones(bench: Bench) -> None:
    with bench.producer() as producer:
        producer.send(bench.topic, json.dumps(line("own")).encode(), headers=bench.own(), partition=0)
    bench.send([order(1, "a"), line("foreign")])
    bench.load()
    assert [row[0] for row in lines_of(bench)] == ["1", "own"]
    assert bench.counts() == {"own": 1, "facts": 2, "dead": 1}


def test_what_only_means_a_number_is_refused_where_the_settings_are_strict(bench: Bench) -> None:
    strict = replace(bench, events={"strict": True})
    strict.send([line("a"), line("b", quantity="2"), line("c", revenue=None)])
    strict.load()
    assert [row[0] for row in lines_of(strict)] == ["a"] and strict.counts() == {"facts": 1, "dead": 2}


def test_what_died_before_the_mapping_was_there_is_sent_again_and_loads(bench: Bench) -> None:
    before = replace(bench, events={})
    before.send([order(1, "a", "b"), order(2, "a", qty=0)])
    before.load()
    assert before.counts() == {"dead": 2}
    with standing_still(bench.warehouse, "ecom_producer") as sender:
        sent = resend(sender, bench.client, Wish(bench.topic, events=bench.settings().events))
    assert (sent.sent, dict(sent.refused)) == (1, {"out_of_range": 1})
    bench.load()
    assert bench.counts() == {"dead": 2, "facts": 2, "further_lines": 1}
    assert_closes(bench)


def judged(bench: Bench) -> list[tuple[str, str]]:
    found = [json.loads(record.value) for record in records_of(bench.client, bench.settings().kafka.judged_topic)]
    return [(one["order_id"], one["product_id"]) for lines in found for one in lines]


def test_what_was_judged_is_on_its_topic_before_it_is_committed_and_none_is_missing(bench: Bench) -> None:
    kafka = bench.settings().kafka
    ensure_topics(bench.client, kafka.topic, 4, kafka.dlq_topic, kafka.judged_topic)
    settle_source(bench.settings(), bench.warehouse, bench.client)
    seen: list[int] = []

    class Failing(Writer):
        def write(self, batch: Batch) -> Written:
            seen.append(len(judged(bench)))
            if len(seen) == 1:
                raise psycopg.OperationalError("the connection is lost")
            return super().write(batch)

    lines = LINES_PER_RECORD + 1
    bench.send([order(1, *(f"p{n}" for n in range(lines)))])
    bench.send([order(2, "a"), order(3, "a", qty=0)], partition=3)
    with bench.loading(bench.loader(make_writer=Failing, batch_rows=10)) as running:
        bench.until_loaded(running)
    found = judged(bench)
    assert min(seen) > 0 and set(found) == {("1", f"p{n}") for n in range(lines)} | {("2", "a")}
    assert bench.counts() == {"facts": lines + 1, "dead": 1, "further_lines": lines - 1}
    wait_for(lambda: running.failure is None, "it to have ended well")


def test_where_spark_does_not_read_it_nothing_is_sent_to_the_topic_of_the_judged(bench: Bench) -> None:
    """There may be none: a loader on another machine cannot know from its settings that the run is without Spark."""
    settings = bench.settings()
    light = settings.model_copy(update={"run": settings.run.model_copy(update={"light": True})})
    settle_source(light, bench.warehouse, bench.client)
    bench.send([order(1, "a", "b")])
    bench.load()
    assert bench.counts() == {"facts": 2, "further_lines": 1}


def text_of(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return f"{value:.2f}" if isinstance(value, Decimal) else str(value)


EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("name", ["web_orders/orders.jsonl", "point_of_sale/sales.csv", "connect/rows.jsonl"])
def test_each_example_loads_by_its_own_settings_as_the_facts_that_it_shows(bench: Bench, name: str) -> None:
    file = EXAMPLES / name
    given = load_settings(file.with_name("config.toml"), env={}).events
    mapped = replace(bench, events=given.model_dump())
    migrate(bench.warehouse, attributes=given.attributes)
    with opened(str(file), print) as source:
        values = [record.value for record in records(source, recognised(source))]
    mapped.send(values)
    mapped.load()
    columns = ", ".join(
        [
            "order_id, user_id, product_id, product_title, category, price, quantity, revenue",
            '"timestamp", currency',
            *given.attributes,
        ]
    )
    found = mapped.ask(f"SELECT {columns} FROM warehouse.order_lines ORDER BY source_offset, product_id DESC")
    texts = [[text_of(each) for each in row] for row in found]
    with file.with_name("facts.csv").open(newline="") as expected:
        assert sorted(texts) == sorted(list(csv.reader(expected))[1:])
    assert "dead" not in mapped.counts()
    assert_closes(mapped)
