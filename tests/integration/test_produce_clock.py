"""The shop's clock against a real Kafka and a real PostgreSQL: opened once, gone on with, and never ahead of the real one."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest

from ecom_lite.errors import EcomLiteError
from ecom_lite.observe.figures import InForce
from ecom_lite.produce.producer import Producer
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.override import ShopOverride
from ecom_lite.simulate import Shop, Timetable, identity
from ecom_lite.topic.client import client_config, ensure_topics
from ecom_lite.warehouse.connect import Address
from tests.runs import wait_for

from .producing import (
    RunningProducer,
    assert_ledger_equals,
    assert_whole_prefix,
    flags_for,
    read_topic,
    run_and_kill,
    send,
    settings_for,
    shop_row,
)

pytestmark = pytest.mark.timeout(600)  # many producers are killed, and what they have sent is read
START = "2026-01-01T00:00Z"
OPENED = datetime(2026, 1, 1, tzinfo=UTC)


def values(start: datetime, events: int, **shop: object) -> dict[str, bytes]:
    settings = load_settings(env={}, flags=flags_for("-", None, **shop)).shop
    batch = Shop(settings).batch(0, events, Timetable(settings, start))[:events]
    return {identity(event.value or b""): event.value or b"" for event in batch}


def test_a_start_makes_equal_bytes_however_often_it_is_killed(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    flags = flags_for(topic, rate="max", start=START)
    for enough in (1, 1500, 100):
        run_and_kill(flags, warehouse, kafka_bootstrap, enough, until=60_000)
    settings = settings_for(topic, rate="max", start=START)
    assert send(settings, warehouse, kafka_bootstrap, until=60_000)["stream_events"] == 60_000
    found = read_topic(kafka_bootstrap, topic)
    assert found.own.total() == 60_000
    assert_ledger_equals(warehouse, found)
    assert found.values == values(OPENED, 60_000)
    row = shop_row(warehouse)
    assert (row["opened_at"], row["live_from"]) == (OPENED, None)


def test_a_history_is_sent_at_once_and_then_the_shop_is_live(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    shop: dict[str, Any] = {"history": "2d", "orders_per_day": 20_000, "hours": 0}  # at night, too, somebody buys something
    settings = settings_for(topic, **shop)
    before = datetime.now(UTC)
    with RunningProducer(settings, warehouse, kafka_bootstrap) as it:
        wait_for(lambda: it.latest("history") == "sent", "the past to be sent")
        history_events = it.latest("history_events")
        assert it.latest("control")["rate"] == "natural"
        wait_for(lambda: it.latest("stream_events") > history_events and it.latest("unacked") == 0, "events of the present")
        wait_for(lambda: it.latest("behind_s") < 5, "the clock to reach the present")
        shop_time, now = datetime.fromisoformat(it.latest("shop_time")), datetime.now(UTC)
    assert abs(shop_time - now) < timedelta(seconds=30)
    row = shop_row(warehouse)
    midnight = (row["live_from"] - timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert row["opened_at"] == midnight and before <= row["live_from"] <= datetime.now(UTC)
    found = read_topic(kafka_bootstrap, topic)
    assert_whole_prefix(found, settings)
    assert_ledger_equals(warehouse, found)
    assert found.values == values(midnight, found.stream.total(), **shop)
    assert max(found.times) <= datetime.now(UTC)
    assert sum(time <= row["live_from"] for time in found.times) == history_events


def test_a_history_with_a_rate_goes_on_with_the_time_of_sending(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    settings = settings_for(topic, history="1d", orders_per_day=1_000, rate=100)
    with RunningProducer(settings, warehouse, kafka_bootstrap) as it:
        wait_for(lambda: it.latest("history") == "sent", "the past to be sent")
        history_events = it.latest("history_events")
        wait_for(lambda: it.latest("stream_events") > history_events + 300, "events at the rate")
    live_from = shop_row(warehouse)["live_from"]
    found = read_topic(kafka_bootstrap, topic)
    assert_whole_prefix(found, settings)
    assert sum(time > live_from for time in found.times) == found.stream.total() - history_events > 300
    assert max(found.times) <= datetime.now(UTC)


def test_a_shop_is_opened_once(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    flags: dict[str, Any] = {"history": "1d", "orders_per_day": 50, "customers": 100}
    send(settings_for(topic, **flags), warehouse, kafka_bootstrap, events=30)
    row = shop_row(warehouse)
    assert row["settings"]["customers"] == 100
    assert not {"rate", "events", "enabled"} & row["settings"].keys()

    def refused(match: str, **changed: object) -> None:
        with pytest.raises(EcomLiteError, match=match):
            send(settings_for(topic, **{**flags, **changed}), warehouse, kafka_bootstrap, events=1)

    refused("shop.customers was 100 and is 120.*--fresh.*--seed", customers=120)
    refused("shop.history was 1d and is 2d.*--fresh", history="2d")
    refused("shop.start was unset and is 2026.*--fresh", start=START)
    refused("paced by one of them", speed=60, rate=5)
    refused("in the future", start="2199-01-01T00:00Z")
    assert shop_row(warehouse) == row
    assert send(settings_for(topic, **flags), warehouse, kafka_bootstrap, events=5)["stream_events"] == 35
    plain = settings_for(topic, orders_per_day=50, customers=100)  # without a word of the history, which has other defaults
    assert plain.shop.products != row["settings"]["products"]
    assert send(plain, warehouse, kafka_bootstrap, events=5)["stream_events"] == 40
    found = read_topic(kafka_bootstrap, topic)
    assert found.values == values(row["opened_at"], 40, **flags)


def test_a_shop_that_has_sent_the_present_gets_no_past(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    send(settings_for(topic, rate="max"), warehouse, kafka_bootstrap, events=10)
    for flag in ({"history": "1d"}, {"start": START}, {"speed": 60}):
        with pytest.raises(EcomLiteError, match=r"without a clock.*--fresh"):
            send(settings_for(topic, **flag), warehouse, kafka_bootstrap, events=1)
    assert send(settings_for(topic, seed=8, history="1d"), warehouse, kafka_bootstrap, events=5)["stream_events"] == 5


def test_a_shop_from_before_its_settings_were_kept_goes_on(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    with warehouse.connect("admin") as admin:
        admin.execute("INSERT INTO ops.shops (shop, next_sequence) VALUES ('seed-7', 40)")
    send(settings_for(topic, rate="max"), warehouse, kafka_bootstrap, events=10)
    row = shop_row(warehouse)
    assert row["next_sequence"] >= 40 and row["opened_at"] is None and row["settings"]["products"] == 20
    with pytest.raises(EcomLiteError, match=r"shop.products was 20 and is 30"):
        send(settings_for(topic, rate="max", products=30), warehouse, kafka_bootstrap, events=10)


def test_a_clock_with_a_speed_goes_on_from_where_it_stood(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    settings = settings_for(topic, start=START, speed=3_600)
    with RunningProducer(settings, warehouse, kafka_bootstrap) as it:
        wait_for(lambda: str(it.latest("shop_time")) > "2026-01-01T06", "six hours of the shop's")
    stood = datetime.fromisoformat(it.latest("shop_time"))
    with RunningProducer(settings, warehouse, kafka_bootstrap) as it:
        # The first report of it: a second later the shop's clock is an hour further.
        begun = wait_for(lambda: next((each for each in it.figures if each.get("state") == "sending"), None), "the second start")
        assert abs(datetime.fromisoformat(begun["shop_time"]) - stood) < timedelta(hours=1)
        assert begun["behind_s"] < 1200
        it.producer.override(ShopOverride(paused=True))
        wait_for(lambda: it.latest("state") == "paused", "the pause")
        held, reports = it.latest("shop_time"), len(it.figures)
        wait_for(lambda: len(it.figures) > reports + 2, "two more reports")
        assert it.latest("shop_time") == held
        resumed = time.monotonic()
        it.producer.override(ShopOverride(paused=False))
        wait_for(lambda: it.latest("shop_time") > held, "the clock to go on")
        gone_s = (datetime.fromisoformat(it.latest("shop_time")) - datetime.fromisoformat(held)).total_seconds()
        assert gone_s < (time.monotonic() - resumed + 1) * 3_600, "it makes nothing up for the seconds of the pause"
    found = read_topic(kafka_bootstrap, topic)
    assert_whole_prefix(found, settings)
    assert found.values == values(OPENED, found.stream.total())


def test_the_rate_can_be_changed_while_it_runs(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    with RunningProducer(settings_for(topic, rate=2), warehouse, kafka_bootstrap) as it:
        wait_for(lambda: it.latest("orders") > 0, "the first order")
        it.producer.override(ShopOverride(rate=1000))
        wait_for(lambda: it.latest("orders") > 1500, "many orders")
        assert it.latest("control")["rate"] == 1000
        it.producer.override(ShopOverride(rate="natural"))
        wait_for(lambda: it.latest("control")["rate"] == "natural", "the natural pace")
        still = it.latest("orders")
        reports = len(it.figures)
        wait_for(lambda: len(it.figures) > reports + 2, "two more reports")
        assert it.latest("orders") <= still + 10  # 2,500 a day
        it.producer.override(ShopOverride(rate="max"))
        wait_for(lambda: it.latest("orders") > still + 5000, "orders at full speed")


def test_an_override_that_comes_before_the_start_counts(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    figures: list[Any] = []
    made = Producer(settings_for(topic, rate=1), warehouse, kafka_bootstrap, report=figures.append)
    made.override(ShopOverride("max", False, {"duplicate": 0.5}))
    made.run(Event(), events=1000)
    assert figures[-1].control == InForce(rate="max", faults={"duplicate": 0.5})
    assert figures[-1].fault_events["duplicate"] > 300


def test_two_shops_open_clocks_of_their_own(warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    second = f"{topic}-b"
    config = client_config(settings_for(topic).kafka, kafka_bootstrap)
    ensure_topics(config, second, 2, f"{topic}.dlq")
    send(settings_for(topic, rate="max", start=START), warehouse, kafka_bootstrap, events=500)
    send(settings_for(second, rate="max", start=START, seed=9), warehouse, kafka_bootstrap, events=500)
    assert read_topic(kafka_bootstrap, second, "seed-9").values == values(OPENED, 500, seed=9)
    assert read_topic(kafka_bootstrap, topic).values == values(OPENED, 500)
