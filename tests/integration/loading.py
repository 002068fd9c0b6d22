"""A loader in a thread, records for it, and the truth to compare with: what the loader's tests share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaProducer

from ecom_lite.contract.events import FAULT_HEADER, PRODUCER_HEADER, producer_mark
from ecom_lite.load.loader import Loader, Report
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.tree import Settings
from ecom_lite.topic.client import client_config, end_offsets
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.mark import read_mark
from tests.running import Running
from tests.runs import wait_for

PARTITIONS = 4
LOAD_S = 180.0  # a history of weeks, on a busy machine
SESSION_MS = 45_000  # longer than a machine stands still: else a loader may lose its partitions and claim them once more


def line(order: object = "o", product: object = 1, **fields: Any) -> dict[str, Any]:
    """A plain order line of the nine fields."""
    base: dict[str, Any] = {
        "order_id": order, "user_id": 1, "product_id": product, "product_title": f"Product {product}", "category": "Books",
        "price": 10.5, "quantity": 2, "revenue": 21.0, "timestamp": "2026-01-02T03:04:05Z",
    }  # fmt: skip
    return base | fields


@dataclass
class Bench:
    """One topic and one warehouse."""

    bootstrap: str
    topic: str
    warehouse: Address
    failures: list[BaseException] = field(default_factory=list)
    events: Mapping[str, Any] = field(default_factory=dict)  # the section of the settings
    flags: Mapping[str, Any] = field(default_factory=dict)  # further settings

    def settings(self, batch_rows: int = 10_000) -> Settings:
        flags = {"kafka.topic": self.topic, "load.flush_ms": 50, "load.batch_rows": batch_rows}
        return load_settings(
            env={}, flags={**flags, **self.flags, **{f"events.{name}": value for name, value in self.events.items()}}
        )

    @property
    def client(self) -> dict[str, Any]:
        return client_config(self.settings().kafka, self.bootstrap)

    @contextmanager
    def producer(self, **options: Any) -> Iterator[KafkaProducer]:
        producer = KafkaProducer(**{**self.client, "linger_ms": 5, **options})
        try:
            yield producer
            producer.flush(timeout=60)
        finally:
            producer.close(timeout=2)

    def send(self, values: Sequence[Mapping[str, Any] | bytes | None], partition: int = 0, **options: Any) -> None:
        with self.producer(**options) as producer:
            for value in values:
                raw = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
                producer.send(self.topic, value=raw, partition=partition)

    def own(self, fault: str = "") -> list[tuple[str, bytes]]:
        """The headers of a record that the warehouse's own shop has sent."""
        with self.warehouse.connect("ecom_reader") as reader:
            mark = producer_mark("seed-7", read_mark(reader))
        return [(PRODUCER_HEADER, mark)] + ([(FAULT_HEADER, fault.encode())] if fault else [])

    def loader(self, instance: str = "one", report: Report | None = None, batch_rows: int = 10_000, **options: Any) -> Loader:
        address, report = self.warehouse, report or (lambda figures: None)
        options = {"session_timeout_ms": SESSION_MS, **options}
        return Loader(self.settings(batch_rows), address, self.bootstrap, instance=instance, report=report, **options)

    def loading(self, loader: Loader | None = None, drain_s: float = 20) -> Running:
        chosen = loader or self.loader()
        return Running(lambda stop: chosen.run(stop, drain_s))

    def load(self, batch_rows: int = 10_000) -> None:
        """Run a loader until it has loaded what the topic holds now, and see it end well."""
        with self.loading(self.loader(batch_rows=batch_rows)) as running:
            self.until_loaded(running)
        assert running.failure is None

    def until_loaded(self, running: Running | None = None) -> None:
        ends = end_offsets(self.client, self.topic)
        wait_for(
            lambda: (running and running.failure) or self.positions() == ends,
            lambda: f"offsets {ends}, not {self.positions()}",
            LOAD_S,
        )
        if running is not None and running.failure is not None:
            raise running.failure

    def positions(self) -> dict[int, int]:
        return dict(self.ask("SELECT partition, next_offset FROM ops.consumer_offsets WHERE topic = %s", [self.topic]))

    def ask(self, query: str, values: Sequence[object] = (), role: str = "admin") -> list[tuple[Any, ...]]:
        with self.warehouse.connect(role, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def counts(self) -> dict[str, int]:
        """The account of the whole topic, without the counts that are zero."""
        names = ("own", "facts", "duplicates", "further_lines", "other", "dead", "markers", "lost")
        sums = ", ".join(f"coalesce(sum({name}), 0)::int" for name in names)
        (row,) = self.ask(f"SELECT {sums} FROM ops.consumer_offsets WHERE topic = %s", [self.topic])
        return {name: count for name, count in zip(names, row, strict=True) if count}

    def dead(self) -> list[tuple[Any, ...]]:
        return self.ask('SELECT partition, "offset", reason FROM ops.dead_letters ORDER BY 1, 2')


def rest_in_each_batch(bench: Bench) -> None:
    """So that whoever is to meet a loader at work does, however late it comes."""
    body = "BEGIN PERFORM pg_sleep(0.02); RETURN NULL; END"
    bench.ask(f"CREATE FUNCTION ops.rest() RETURNS trigger LANGUAGE plpgsql AS '{body}'")
    bench.ask("CREATE TRIGGER rest AFTER INSERT ON ops.load_batches EXECUTE FUNCTION ops.rest()")


def without_rest(bench: Bench) -> None:
    bench.ask("DROP TRIGGER rest ON ops.load_batches")
