"""Several topics, each read in its own way, by one group of loaders: exactly once, and never mixed."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka import KafkaAdminClient

from ecom_lite.check.reconcile import Report, reconcile
from ecom_lite.dead_letters.resend import Wish, resend
from ecom_lite.load.loader import Loader
from ecom_lite.own_events.formats import recognised, records
from ecom_lite.own_events.source import opened
from ecom_lite.run.jobs import load_job
from ecom_lite.run.reach import Reach
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.tree import Settings
from ecom_lite.stream.source import settle_source
from ecom_lite.topic.client import end_offsets, ends_of, ensure_topics
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.migrate import migrate
from ecom_lite.warehouse.offsets import offsets_of, reached
from tests.integration.topics import records_of
from tests.runs import wait_for

from .facts import standing_still
from .loading import LOAD_S, Bench, line, rest_in_each_batch, without_rest
from .test_load_mapped import EXAMPLES, text_of

pytestmark = pytest.mark.timeout(600)  # loaders wait for the end of each other's sessions
ORDERS: dict[str, Any] = {
    "fields": {"order_id": "id", "product_id": "items[].sku", "price": "items[].cents", "quantity": "items[].n"},
    "constants": {"user_id": "web", "timestamp": "2026-07-01T10:00:00Z"}, "lines": "items[]", "unit": "cents",
}  # fmt: skip


class Sources(Bench):
    """The topic of a bench, and two further ones: `web` of whole orders, `pos` of the contract with a prefix."""

    @property
    def web(self) -> str:
        return f"{self.topic}-web"

    @property
    def pos(self) -> str:
        return f"{self.topic}-pos"

    def to(self, topic: str) -> Bench:
        """To send there, and count there."""
        return Bench(self.bootstrap, topic, self.warehouse)

    def until_all_loaded(self) -> None:
        ends = ends_of(self.client, self.settings().topics)
        with self.warehouse.connect("ecom_reader", autocommit=True) as reader:
            wait_for(lambda: reached(offsets_of(reader, self.settings().topics), ends), lambda: f"{ends}", LOAD_S)

    def load_all(self, batch_rows: int = 10_000) -> None:
        with self.loading(self.loader(batch_rows=batch_rows)) as running:
            self.until_all_loaded()
        assert running.failure is None

    def count(self) -> Report:
        topics = self.settings().topics
        return reconcile(self.warehouse, topics, lambda: ends_of(self.client, topics), producing=False, catch_up_s=0, spark=False)

    def open_lines(self) -> list[str]:
        return [one.name for one in self.count().lines if not one.closes and not one.name.startswith("marts")]


@pytest.fixture
def sources(kafka_bootstrap: str, topic: str, warehouse: Address) -> Sources:
    made = Sources(kafka_bootstrap, topic, warehouse)
    events = {"web": {"topic": made.web, **ORDERS}, "pos": {"topic": made.pos, "order_prefix": "pos-"}}
    made = replace(made, events=events)
    kafka = made.settings().kafka
    ensure_topics(made.client, topic, 4, kafka.dlq_topic, kafka.judged_topic, made.settings().topics[1:])
    return made


def order(number: int, *skus: str, n: int = 1) -> dict[str, Any]:
    return {"id": number, "items": [{"sku": sku, "cents": 1050, "n": n} for sku in skus]}


def test_each_topic_is_read_in_its_own_way_and_counted_for_itself(sources: Sources) -> None:
    """Order 1001 of the shop and of the web are one; the till's has its prefix. Equal offsets are three records."""
    sources.send([line("1001", product_id="a"), b"{", line("1002")])
    sources.to(sources.web).send([order(1001, "a", "b"), order(1003, "a", n=0), b"{"])
    sources.to(sources.pos).send([line("1001", product_id="a"), line(1001, product_id="a"), line("x" * 61)])
    sources.load_all()
    assert sources.ask("SELECT order_id, product_id FROM warehouse.order_lines ORDER BY 1, 2 ") == [
        ("1001", "a"), ("1001", "b"), ("1002", "1"), ("pos-1001", "a"),
    ]  # fmt: skip
    accounts = [sources.to(topic).counts() for topic in sources.settings().topics]
    assert sum(one.get("facts", 0) for one in accounts) == 4
    assert [one["dead"] for one in accounts] == [1, 2, 1] and accounts[2]["duplicates"] == 1
    assert accounts[0]["facts"] + accounts[1]["facts"] == 3 and accounts[1]["further_lines"] == 1
    assert sources.ask('SELECT topic, partition, "offset" FROM ops.dead_letters ORDER BY 1, 3') == [
        (sources.topic, 0, 1), (sources.pos, 0, 2), (sources.web, 0, 1), (sources.web, 0, 2),
    ]  # fmt: skip
    assert sources.ask(
        "SELECT DISTINCT coalesce(s.topic, 'main') FROM warehouse.fact_sales f"
        " LEFT JOIN ops.sources s ON s.number = f.source_partition / 1000000 WHERE f.order_id LIKE 'pos-%%'"
    ) == [(sources.pos,)]
    letters = [dict(record.headers) for record in records_of(sources.client, sources.settings().kafka.dlq_topic)]
    assert {each["__connect.errors.topic"].decode() for each in letters} == set(sources.settings().topics)
    assert sources.open_lines() == []


def test_dead_letters_go_back_to_their_own_topic_and_are_read_by_its_mapping(sources: Sources) -> None:
    plain = replace(sources, events={"web": {"topic": sources.web}, "pos": {"topic": sources.pos}})
    plain.to(sources.web).send([order(1, "a", "b")])
    plain.send([order(2, "a")])
    Sources.load_all(plain)
    web = sources.settings().of_source("web")
    with standing_still(sources.warehouse, "ecom_producer") as sender:
        sent = resend(sender, sources.client, Wish(web.kafka.topic, events=web.events))
        main = resend(sender, sources.client, Wish(sources.topic, events=sources.settings().events))
    assert (sent.letters, sent.sent, main.letters, main.sent) == (1, 1, 1, 0)
    sources.load_all()
    assert sources.to(sources.web).counts() == {"facts": 2, "further_lines": 1, "dead": 1}
    assert sources.counts() == {"dead": 1} and sources.open_lines() == []


def test_a_source_that_is_taken_out_keeps_its_account_and_goes_on_when_it_is_back(sources: Sources) -> None:
    sources.to(sources.web).send([order(1, "a", "b")])
    sources.send([line("m")])
    sources.load_all()
    without = replace(sources, events={"pos": sources.events["pos"]})
    sources.to(sources.web).send([order(2, "a")])
    without.to(sources.pos).send([line("p")])
    without.load_all()
    assert without.open_lines() == [] and sources.open_lines() == ["broker's offsets = offsets accounted for"]
    (waiting,) = [one for one in sources.count().lines if not one.closes and not one.name.startswith("marts")]
    assert f"1 on {sources.web}" in waiting.note
    numbers = sources.ask("SELECT topic, number FROM ops.sources ORDER BY 1")
    sources.load_all()
    assert sources.to(sources.web).counts() == {"facts": 3, "further_lines": 1} and sources.open_lines() == []
    assert sources.ask("SELECT topic, number FROM ops.sources ORDER BY 1") == numbers


def test_a_source_that_was_made_anew_is_refused_by_its_name(sources: Sources) -> None:
    sources.to(sources.web).send([order(1, "a"), order(2, "a")])
    sources.load_all()
    admin = KafkaAdminClient(**sources.client)
    admin.delete_topics([sources.web])
    admin.close()

    def gone() -> bool:
        admin = KafkaAdminClient(**sources.client)
        try:
            return sources.web not in admin.list_topics()
        finally:
            admin.close()

    wait_for(gone, "the topic to be gone")
    kafka = sources.settings().kafka
    ensure_topics(sources.client, sources.topic, 4, kafka.dlq_topic, None, [sources.web])
    with sources.loading() as running:
        failure = wait_for(lambda: running.failure, "it to refuse")
    assert sources.web in str(failure) and "made anew" in str(failure)


@contextmanager
def worker(settings: Settings, sources: Sources, name: str) -> Iterator[subprocess.Popen[str]]:
    job = load_job(settings, Reach(sources.warehouse, sources.bootstrap, settings.kafka, settings.topics[1:]), name, 20)
    process = subprocess.Popen(
        [sys.executable, "-m", "ecom_lite.run.worker", "load"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(job).decode() + "\n")
        process.stdin.flush()
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_loader_killed_with_three_topics_in_hand_is_taken_over_and_all_is_loaded_once(sources: Sources) -> None:
    count = 1500
    for partition in range(4):
        mine = range(partition, count, 4)
        sources.send([line(f"m{n}") for n in mine], partition)
        sources.to(sources.web).send([order(n, "a", "b") for n in mine], partition)
        sources.to(sources.pos).send([line(f"m{n}") for n in mine], partition)
    rest_in_each_batch(sources)
    settings = sources.settings(batch_rows=20)
    facts = "SELECT count(*) FROM warehouse.fact_sales"
    for name in ("one", "one", "two"):
        (before,) = sources.ask(facts)[0]
        with worker(settings, sources, name) as process:
            wait_for(lambda before=before: sources.ask(facts)[0][0] > before, "progress", LOAD_S)  # type: ignore[misc]
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert sources.ask(facts)[0][0] < 4 * count, "it was killed too late to prove anything"
    without_rest(sources)
    with sources.loading(_second(sources)) as running:
        sources.until_all_loaded()
    assert running.failure is None
    assert sources.ask(facts) == [(4 * count,)]
    accounts = [sources.to(topic).counts() for topic in settings.topics]
    assert accounts == [{"facts": count}, {"facts": 2 * count, "further_lines": count}, {"facts": count}]
    assert sources.open_lines() == []


def _second(sources: Sources) -> Loader:
    return sources.loader("three", session_timeout_ms=6000)


def test_what_spark_reads_are_the_facts_of_all_topics(sources: Sources) -> None:
    settle_source(sources.settings(), sources.warehouse, sources.client)
    sources.send([line("m", product_id="p")])
    sources.to(sources.web).send([order(1, "a", "b")], partition=3)
    sources.to(sources.pos).send([line("m", product_id="p")], partition=1)
    sources.load_all()
    found = [json.loads(record.value) for record in records_of(sources.client, sources.settings().kafka.judged_topic)]
    judged = {(one["order_id"], one["product_id"]) for lines in found for one in lines}
    assert judged == {("m", "p"), ("1", "a"), ("1", "b"), ("pos-m", "p")}
    assert judged == set(sources.ask("SELECT order_id, product_id FROM warehouse.order_lines"))


def test_the_three_examples_load_as_three_sources_of_one_warehouse(kafka_bootstrap: str, topic: str, warehouse: Address) -> None:
    given = load_settings(EXAMPLES / "all.toml", env={}).events
    own = {
        name: source.model_dump(exclude={"attributes"}) | {"topic": f"{topic}-{name}"} for name, source in given.sources.items()
    }
    bench = Sources(kafka_bootstrap, topic, warehouse, events={"attributes": given.attributes, **own})
    migrate(warehouse, attributes=given.attributes)
    ensure_topics(bench.client, topic, 4, bench.settings().kafka.dlq_topic, None, bench.settings().topics[1:])
    expected: list[list[str]] = []
    files = {"web": "web_orders/orders.jsonl", "pos": "point_of_sale/sales.csv", "connect": "connect/rows.jsonl"}
    for name, file in files.items():
        with opened(str(EXAMPLES / file), print) as source:
            bench.to(own[name]["topic"]).send([record.value for record in records(source, recognised(source))])
        with Path(EXAMPLES / file).with_name("facts.csv").open(newline="") as facts:
            rows = list(csv.reader(facts))[1:]
        expected += [[f"{given.sources[name].order_prefix}{row[0]}", *row[1:]] for row in rows]
    bench.load_all()
    columns = 'order_id, user_id, product_id, product_title, category, price, quantity, revenue, "timestamp", currency'
    found = [[text_of(each) for each in row] for row in bench.ask(f"SELECT {columns} FROM warehouse.order_lines")]
    assert sorted(row[:3] + row[4:] for row in found) == sorted(row[:3] + row[4:10] for row in expected)
    assert bench.open_lines() == [] and sum(end_offsets(bench.client, topic).values()) == 0
    channels = dict(bench.ask("SELECT channel, count(*) FROM warehouse.fact_sales GROUP BY channel"))
    assert channels == {"web": 2, "app": 1, None: 1, "till": 4, "partner": 2}
