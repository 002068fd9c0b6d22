"""What the tests of the producer share: what is really in a topic, and a producer in a thread or in a process to be killed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from threading import Event
from typing import Any

from msgspec import to_builtins

from ecom_lite.contract import events
from ecom_lite.produce.producer import Producer
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.tree import Settings
from ecom_lite.simulate import Shop, identity
from ecom_lite.topic import client as kafka_client
from ecom_lite.topic.ends import TopicEnds
from ecom_lite.warehouse.connect import Address
from tests.integration.topics import records_of
from tests.running import Running
from tests.runs import wait_for

PATIENCE_S = 60.0
SHOP_ID = "seed-7"
CHILD = """
import json, sys
from threading import Event
from ecom_lite.settings.load import load_settings
from ecom_lite.produce.producer import Producer
from ecom_lite.warehouse.connect import Address
told = json.load(sys.stdin)
Producer(
    load_settings(env={}, flags=told["flags"]), Address(**told["address"]), told["bootstrap"],
    report=lambda figures: print(figures, flush=True),
).run(Event(), until=told["until"])
"""


def flags_for(topic: str, faults: Mapping[str, object] | None = None, **shop: object) -> dict[str, object]:
    behaviour = {f"shop.{name}": value for name, value in shop.items()}
    return {"kafka.topic": topic, **behaviour, **{f"faults.{name}": value for name, value in (faults or {}).items()}}


def settings_for(topic: str, faults: Mapping[str, object] | None = None, **shop: object) -> Settings:
    return load_settings(env={}, flags=flags_for(topic, faults, **shop))


@dataclass
class Broker:
    """What is really in the topic of one shop, read without any of the producer's code."""

    own: Counter[int] = field(default_factory=Counter)  # records per partition
    lines: Counter[int] = field(default_factory=Counter)
    others: Counter[int] = field(default_factory=Counter)
    revenue: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    faults: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    stream: Counter[str] = field(default_factory=Counter)  # event id -> how often, without what was doubled or broken on purpose
    values: dict[str, bytes] = field(default_factory=dict)  # ... -> bytes
    times: list[datetime] = field(default_factory=list)  # of the stream's events
    doubled: Counter[str] = field(default_factory=Counter)  # event id -> how often sent once more on purpose
    broken: list[bytes | None] = field(default_factory=list)
    partitions_of_key: dict[bytes, set[int]] = field(default_factory=lambda: defaultdict(set))

    def all_faults(self) -> Counter[str]:
        return sum(self.faults.values(), Counter[str]())


def read_topic(bootstrap: str, topic: str, shop_id: str = SHOP_ID) -> Broker:
    found = Broker()
    for record in records_of(kafka_client.client_config(settings_for(topic).kafka, bootstrap), topic):
        if dict(record.headers).get(events.PRODUCER_HEADER, b"").startswith(f"{shop_id}@".encode()):
            _note(found, record.partition, record)
    return found


def _note(found: Broker, partition: int, record: Any) -> None:
    found.own[partition] += 1
    found.partitions_of_key[record.key].add(partition)
    assert record.headers[0][0] == events.PRODUCER_HEADER
    fault = dict(record.headers).get(events.FAULT_HEADER, b"").decode()
    if fault:
        found.faults[partition][fault] += 1
    if fault.startswith("malformed"):
        found.broken.append(record.value)
        return
    event = events.parse(record.value, events.utc_now())
    event_id = identity(record.value)
    if fault == "duplicate":
        found.doubled[event_id] += 1
        assert found.values[event_id] == record.value, "it follows its original, byte for byte"
        return
    found.stream[event_id] += 1
    found.values[event_id] = record.value
    found.times.append(event.timestamp)
    if isinstance(event, events.OrderLine):
        found.lines[partition] += 1
        found.revenue[partition] += event.revenue
    else:
        found.others[partition] += 1


def assert_ledger_equals(warehouse: Address, found: Broker, shop_id: str = SHOP_ID) -> None:
    with warehouse.connect("ecom_reader") as reader:
        rows = reader.execute(
            "SELECT partition, events, order_lines, other_events, revenue, faults FROM ops.sent_ledger WHERE shop = %s",
            [shop_id],
        ).fetchall()
    ledger = {row[0]: tuple(row[1:]) for row in rows}
    assert set(found.own) <= set(ledger)
    assert ledger == {
        p: (found.own[p], found.lines[p], found.others[p], found.revenue.get(p, Decimal(0)), dict(found.faults.get(p, {})))
        for p in ledger
    }


def shop_row(warehouse: Address, shop_id: str = SHOP_ID) -> dict[str, Any]:
    names = ("next_sequence", "opened_at", "live_from", "settings", "episodes")
    with warehouse.connect("ecom_reader") as reader:
        row = reader.execute(
            "SELECT next_sequence, opened_at, live_from, settings, episodes FROM ops.shops WHERE shop = %s", [shop_id]
        ).fetchone()
    return dict(zip(names, row or (0, None, None, None, {}), strict=True))


def next_sequence(warehouse: Address, shop_id: str = SHOP_ID) -> int:
    return int(shop_row(warehouse, shop_id)["next_sequence"])


def ids_of(settings: Settings, orders: int) -> list[str]:
    """The events of the stream's first `orders` orders, in order."""
    stream = Shop(settings.shop).batch(0, orders, datetime(2026, 1, 1, tzinfo=UTC))
    return [identity(event.value or b"") for event in stream]


def assert_each_once(found: Broker, settings: Settings, upto: int) -> None:
    """Every event of every order below `upto` is in the topic, and no event of the stream is there twice."""
    assert [event_id for event_id in ids_of(settings, upto) if event_id not in found.stream] == []
    assert [event_id for event_id, times in found.stream.items() if times > 1] == []


def assert_whole_prefix(found: Broker, settings: Settings) -> None:
    """What is in the topic is the stream's first events, each once."""
    expected = ids_of(settings, found.stream.total())[: found.stream.total()]
    assert found.stream == Counter(expected)


class RunningProducer(Running):
    """A producer in a thread, and every report of its figures."""

    def __init__(self, settings: Settings, warehouse: Address, bootstrap: str) -> None:
        self.figures: list[Mapping[str, Any]] = []
        self.producer = Producer(settings, warehouse, bootstrap, report=lambda told: self.figures.append(to_builtins(told)))
        super().__init__(self.producer.run)

    def latest(self, name: str) -> Any:
        return self.figures[-1].get(name, 0) if self.figures else 0

    def __enter__(self) -> RunningProducer:
        return self


def send(
    settings: Settings, warehouse: Address, bootstrap: str, events: int | None = None, until: int | None = None
) -> Mapping[str, Any]:
    """One whole run; returns its last figures."""
    figures: list[Mapping[str, Any]] = []
    Producer(settings, warehouse, bootstrap, report=lambda told: figures.append(to_builtins(told))).run(
        Event(), events=events, until=until
    )
    return figures[-1]


def run_and_kill(flags: Mapping[str, object], warehouse: Address, bootstrap: str, records: int, until: int | None = None) -> None:
    """A producer in a process of its own, SIGKILLed once it has sent so many more records."""
    settings = load_settings(env={}, flags=flags)
    with closing(TopicEnds(kafka_client.client_config(settings.kafka, bootstrap), [settings.kafka.topic])) as ends:

        def in_topic() -> int:
            return sum(ends.ask().values())

        target = in_topic() + records
        address = {**asdict(warehouse), "passwords": dict(warehouse.passwords)}
        child = subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        try:
            assert child.stdin
            json.dump({"flags": dict(flags), "address": address, "bootstrap": bootstrap, "until": until}, child.stdin)
            child.stdin.close()
            wait_for(lambda: in_topic() >= target, "records in the topic")
        finally:
            child.kill()
            child.wait(PATIENCE_S)
