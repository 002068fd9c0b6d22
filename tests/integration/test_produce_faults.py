"""Faults sent on purpose, against a real Kafka and a real PostgreSQL: counted by kind, and the stream stays whole."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from kafka.errors import KafkaError

from ecom_lite.contract.rejected import MAX_EVENT_BYTES
from ecom_lite.produce import course
from ecom_lite.produce.sender import Sender
from ecom_lite.settings.override import ShopOverride
from ecom_lite.simulate import MALFORMED
from ecom_lite.topic.client import client_config, ensure_topics
from ecom_lite.warehouse.connect import Address
from tests.runs import wait_for

from .producing import (
    Broker,
    RunningProducer,
    assert_each_once,
    assert_ledger_equals,
    assert_whole_prefix,
    flags_for,
    next_sequence,
    read_topic,
    run_and_kill,
    send,
    settings_for,
    shop_row,
)

pytestmark = pytest.mark.timeout(600)  # many producers are killed, and what they have sent is read
ALL = {"late": 0.05, "late_s": 3.0, "duplicate": 0.05, "out_of_order": 0.05, "malformed": 0.05}


def assert_extras_fit(found: Broker) -> None:
    faults = found.all_faults()
    assert faults["duplicate"] == found.doubled.total()
    assert max(found.doubled.values(), default=1) == 1
    assert sum(number for fault, number in faults.items() if fault.startswith("malformed.")) == len(found.broken)
    assert found.own.total() == found.stream.total() + found.doubled.total() + len(found.broken)


def test_every_fault_is_in_the_ledger_by_kind_and_the_stream_is_whole(
    warehouse: Address, kafka_bootstrap: str, topic: str
) -> None:
    settings = settings_for(topic, ALL, rate="max")
    last = send(settings, warehouse, kafka_bootstrap, events=8000)
    found = read_topic(kafka_bootstrap, topic)
    assert_ledger_equals(warehouse, found)
    assert_whole_prefix(found, settings)
    assert_extras_fit(found)
    assert found.stream.total() == last["stream_events"] == 8000
    faults = found.all_faults()
    assert last["fault_events"] == faults
    assert {fault for fault in faults if fault.startswith("malformed.")} == {f"malformed.{kind}" for kind in MALFORMED}
    assert None in found.broken and any(len(value or b"") > MAX_EVENT_BYTES for value in found.broken)
    for fault in ("late", "out_of_order", "duplicate"):
        assert 300 < faults[fault] < 500
    assert last["control"]["held"] == 0
    with warehouse.connect("ecom_reader") as reader:
        view: dict[str, int] = dict(
            reader.execute("SELECT fault, sum(events)::bigint FROM ops.sent_faults GROUP BY fault").fetchall()
        )
    assert view == faults


def test_the_same_seed_sends_the_same_stream_with_and_without_faults(
    warehouse: Address, kafka_bootstrap: str, topic: str
) -> None:
    send(settings_for(topic, ALL, rate="max", start="2026-01-01T00:00Z"), warehouse, kafka_bootstrap, events=3000)
    with warehouse.connect("admin") as admin:
        admin.execute("TRUNCATE ops.sent_ledger, ops.shops")
    plain = settings_for(f"{topic}-plain", rate="max", start="2026-01-01T00:00Z")
    ensure_topics(client_config(plain.kafka, kafka_bootstrap), plain.kafka.topic, 4, f"{topic}.dlq")
    send(plain, warehouse, kafka_bootstrap, events=3000)
    without = read_topic(kafka_bootstrap, plain.kafka.topic)
    assert without.values == read_topic(kafka_bootstrap, topic).values
    assert without.own.total() == 3000


@pytest.mark.parametrize(
    ("rate", "kills"), [("max", (1, 5000, 200, 20_000)), pytest.param(800, (1, 3000, 4000), marks=pytest.mark.long)]
)
def test_sigkill_with_held_back_events_loses_nothing_and_sends_nothing_twice(
    warehouse: Address, kafka_bootstrap: str, topic: str, rate: object, kills: tuple[int, ...]
) -> None:
    flags = flags_for(topic, ALL, rate=rate)
    for enough in kills:
        run_and_kill(flags, warehouse, kafka_bootstrap, enough)
    settings = settings_for(topic, ALL, rate="max")
    broken_off = read_topic(kafka_bootstrap, topic)
    send(settings, warehouse, kafka_bootstrap, events=broken_off.stream.total())
    found = read_topic(kafka_bootstrap, topic)
    assert_ledger_equals(warehouse, found)
    assert_each_once(found, settings, next_sequence(warehouse))
    assert_whole_prefix(found, settings)
    assert_extras_fit(found)


def test_a_restart_does_not_read_the_topic_from_its_beginning(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    settings = settings_for(topic, {**ALL, "late_s": 1.0}, rate=1500)
    with RunningProducer(settings, warehouse, kafka_bootstrap) as it:
        wait_for(lambda: it.latest("acked") > 12_000, "some seconds of events", 120)
        with warehouse.connect("ecom_reader", autocommit=True) as reader:

            def offsets() -> tuple[int, int]:
                row = reader.execute("SELECT sum(resume_offset)::int, sum(next_offset)::int FROM ops.sent_ledger").fetchone()
                return (row[0], row[1]) if row else (0, 0)

            def resumes_late() -> bool:
                resume, end = offsets()
                return end / 3 < resume < end

            # The ledger is written in its own time: where PostgreSQL has stood still, a little later.
            wait_for(resumes_late, lambda: f"a restart would read the last events only, not {offsets()}")


def test_a_client_that_breaks_with_events_held_back_is_followed_by_one_that_sends_them(
    warehouse: Address, kafka_bootstrap: str, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(topic, ALL, rate=1500)
    breaks = Counter[str]()
    settle = Sender.settle

    def breaking(self: Sender, next_sequence: int, made: int) -> None:
        settle(self, next_sequence, made)
        if self.unacked > 50 and breaks.total() < 5 and time.monotonic() > broken_at[0] + 1:
            breaks["now"] += 1
            broken_at[0] = time.monotonic()
            raise KafkaError("broken for the test")

    broken_at = [time.monotonic()]
    monkeypatch.setattr(Sender, "settle", breaking)
    with RunningProducer(settings, warehouse, kafka_bootstrap) as it:
        wait_for(lambda: breaks.total() == 5, "the client to break")
        before = it.latest("acked")
        wait_for(lambda: it.latest("acked") > before + 3000, "sending to go on")
    assert it.latest("errors") == 5
    found = read_topic(kafka_bootstrap, topic)
    assert_ledger_equals(warehouse, found)
    assert_whole_prefix(found, settings)
    assert_extras_fit(found)


def test_late_events_come_when_nothing_else_does(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    settings = settings_for(topic, {"late": 0.5, "late_s": 1.0}, rate="max")
    with RunningProducer(settings, warehouse, kafka_bootstrap) as it:
        wait_for(lambda: it.figures and it.latest("control")["held"] > 0, "events held back")
        it.producer.override(ShopOverride(paused=True))
        wait_for(lambda: it.latest("state") == "paused" and it.latest("control")["held"] == 0, "the held ones to be sent")
        assert it.latest("control")["paused"] is True
        wait_for(lambda: it.latest("unacked") == 0 and it.latest("acked") == it.latest("sent"), "their acknowledgement")
        still = it.latest("sent")
        seen = len(it.figures)
        wait_for(lambda: len(it.figures) > seen + 1, "two more reports")
        assert it.latest("sent") == still
        it.producer.override(ShopOverride(paused=False, faults={"late": 0.0, "duplicate": 0.25}))
        wait_for(lambda: it.latest("sent") > still + 2000, "the shop to go on")
        now = it.latest("control")
        assert (now["rate"], now["paused"], now["faults"]) == ("max", False, {"duplicate": 0.25})
        wait_for(lambda: it.latest("fault_events").get("duplicate", 0) > 0, "the acknowledgement of one")
    found = read_topic(kafka_bootstrap, topic)
    assert_ledger_equals(warehouse, found)
    assert_whole_prefix(found, settings)


def test_bursts_and_silences_are_counted_and_kept(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    settings, began = settings_for(topic, {"burst": 0.5, "silence": 0.5}, rate=200), time.monotonic()
    with RunningProducer(settings, warehouse, kafka_bootstrap) as it:
        wait_for(
            lambda: {"burst", "silence"} <= set(it.latest("fault_events") or ()) and it.latest("orders") > 1500,
            "bursts and silences",
        )
    lasted, episodes = time.monotonic() - began, shop_row(warehouse)["episodes"]
    assert {name: it.latest("fault_events")[name] for name in ("burst", "silence")} == episodes
    assert sum(episodes.values()) <= lasted + 2, "one in each second at most"
    before = episodes["silence"]
    with RunningProducer(settings, warehouse, kafka_bootstrap) as it:
        wait_for(lambda: (it.latest("fault_events") or {}).get("silence", 0) > before, "the count to go on")


def test_what_is_left_out_after_a_restart_costs_nothing_later(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    settings = settings_for(topic, rate="max")
    run_and_kill(flags_for(topic, rate="max"), warehouse, kafka_bootstrap, 2000)
    seen: list[int] = []
    make = course.Course.make

    def watched(self: course.Course, *arguments: object) -> object:
        out = make(self, *arguments)  # type: ignore[arg-type]
        seen.append(len(self._present))
        return out

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course.Course, "make", watched)
        send(settings, warehouse, kafka_bootstrap, events=30_000)
    assert seen[-1] == 0
    assert_whole_prefix(read_topic(kafka_bootstrap, topic), settings)
