"""Each rule that comes with the program fires, and is over: by the simulated shop and its faults, real producers and loaders.

Events of the past are the shop's own (its clock begins there); the evaluator's moments are the test's. So an hour takes a second.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, TopicPartition

from ecom_lite.alerts.rules import Rule
from ecom_lite.observe.status import RunStatus
from ecom_lite.run.reach import Reach
from ecom_lite.run.recorder import Recorder
from ecom_lite.settings.load import load_settings
from ecom_lite.simulate import Shop, Timetable
from ecom_lite.stream.light import LightMinutes
from ecom_lite.transform import Transform
from ecom_lite.warehouse.connect import Address

from .alerting import Watch, own, shipped
from .facts import settle
from .loading import Bench, line
from .producing import flags_for, send

PROJECT = Path(__file__).parents[2] / "dbt_project"
pytestmark = pytest.mark.timeout(600)  # weeks of a shop are sent, loaded and looked at again and again
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def now() -> datetime:
    return datetime.now(UTC)


def sell(bench: Bench, start: datetime, end: datetime, **shop: object) -> None:
    """A shop of its own sells from `start` to `end` by its own clock: its producer sends what it would have sent by then."""
    moment = f"{start:%Y-%m-%dT%H:%M}Z"
    flags = flags_for(bench.topic, None, start=moment, rate="max", **shop)
    settings = load_settings(env={}, flags=flags)
    table = Timetable(settings.shop, datetime.fromisoformat(moment))
    events = len(Shop(settings.shop).batch(0, table.due(end), table))
    send(settings, bench.warehouse, bench.bootstrap, events=events)


def loaded(bench: Bench) -> None:
    bench.load()
    settle(bench.warehouse)
    LightMinutes(bench.warehouse).refresh()


def test_orders_that_stop_and_orders_that_flood_fire_and_are_over(bench: Bench, tmp_path: Path) -> None:
    end = now().replace(second=0, microsecond=0)
    # As many at any hour: at night there are so few that chance alone leaves the band for a moment.
    usual = {"orders_per_day": 2_500, "customers": 300, "products": 20, "hours": 0, "weekdays": 0}
    sell(bench, end - 16 * DAY, end - 5 * HOUR, **usual)
    sell(bench, end - 2 * HOUR, end, seed=8, **usual)  # after a silence of three hours another one goes on
    sell(bench, end - 9 * HOUR, end - 8 * HOUR, seed=9, **{**usual, "orders_per_day": 60_000})
    loaded(bench)
    watch = Watch(bench.warehouse, shipped("order_rate", after_start_s=0, for_s=600), tmp_path)
    hours = [(state, round((at - end) / HOUR, 1)) for state, at in watch.settled(end - 11 * HOUR, end, 10 * MINUTE)]
    assert [state for state, _ in hours] == ["ok", "firing", "ok", "firing", "ok"], hours
    spike, over, drop, again = (hour for _, hour in hours[1:])
    assert -9 < spike < -8 and -8 < over <= -7.3 and -5 < drop <= -4.3 and -2 < again <= -1.3, hours
    told = [(change.after, change.told) for change in watch.evaluator.news()]
    assert [state for state, _ in told] == ["firing", "ok", "firing", "ok"]
    assert "orders in 30 minutes, usually" in told[0][1] and ": -" in told[2][1]
    weeks_later = end + 30 * DAY
    assert watch.state(weeks_later, "order_rate") == "unknown", "nothing to compare with is never ok"


def test_a_burst_of_a_live_shop_fires(bench: Bench, tmp_path: Path) -> None:
    end = now().replace(second=0, microsecond=0)
    # As many at any hour: half an hour of a night may have none, and then there is nothing to compare with.
    sell(bench, end - 15 * DAY, end - HOUR, orders_per_day=400, customers=300, hours=0, weekdays=0)
    loaded(bench)
    watch = Watch(bench.warehouse, shipped("order_rate", after_start_s=0, for_s=0), tmp_path)
    assert watch.state(end - HOUR, "order_rate") == "ok"
    rated = load_settings(env={}, flags=flags_for(bench.topic, {"burst": 0.5}, seed=8, rate=200))
    send(rated, bench.warehouse, bench.bootstrap, events=900)
    loaded(bench)
    assert watch.state(now() + MINUTE, "order_rate") == "firing"


def test_more_that_comes_back_fires_and_is_over(bench: Bench, tmp_path: Path) -> None:
    end = now().replace(second=0, microsecond=0)
    usual = {"customers": 300, "hours": 0, "weekdays": 0}  # as many at any hour: this one is any hour, too
    sell(bench, end - 26 * DAY, end, orders_per_day=800, **usual)
    sell(bench, end - 44 * HOUR, end - 38 * HOUR, seed=8, cancelled=1.0, orders_per_day=3_000, **usual)
    loaded(bench)
    watch = Watch(bench.warehouse, shipped("returns"), tmp_path)
    found = watch.settled(end - 47 * HOUR, end, 30 * MINUTE)
    # As the six hours leave the window, a few lines by chance may lift what has just sunk below the bound above it once more.
    assert [state for state, _ in found] == ["ok", *["firing", "ok"] * (len(found) // 2)] and len(found) >= 3, found
    assert end - 44 * HOUR < found[1][1] < end - 38 * HOUR < found[-1][1] < end - 13 * HOUR


def test_broken_records_fire_and_are_over(bench: Bench, tmp_path: Path) -> None:
    watch = Watch(bench.warehouse, shipped("dead_letters"), tmp_path)
    good = load_settings(env={}, flags=flags_for(bench.topic, None, rate="max"))
    send(good, bench.warehouse, bench.bootstrap, events=300)
    bench.load()
    assert watch.state(now(), "dead_letters") == "ok"
    broken = load_settings(env={}, flags=flags_for(bench.topic, {"malformed": "20%"}, rate="max"))
    send(broken, bench.warehouse, bench.bootstrap, events=300)
    bench.load()
    began = now()
    assert [watch.state(began + timedelta(seconds=s), "dead_letters") for s in (0, 10, 20, 31)] == [
        "pending", "pending", "pending", "firing"
    ]  # fmt: skip
    assert watch.state(began + 10 * MINUTE, "dead_letters") == "ok"


def test_a_loader_that_does_not_load_fires_and_is_over(bench: Bench, tmp_path: Path) -> None:
    shop = load_settings(env={}, flags=flags_for(bench.topic, None, rate="max"))
    watch = Watch(bench.warehouse, shipped("lag", after_start_s=0), tmp_path)
    assert watch.state(now(), "lag") == "ok", "nothing was sent yet"
    send(shop, bench.warehouse, bench.bootstrap, events=400)
    bench.load()
    assert watch.state(now(), "lag") == "ok"
    ((began,),) = bench.ask("SELECT max(loaded_at) FROM ops.load_batches")  # from then on it loads nothing
    send(shop, bench.warehouse, bench.bootstrap, events=40)
    states = [watch.state(began + timedelta(seconds=s), "lag") for s in (10, 30, 70, 85, 101)]
    assert states == ["ok", "ok", "pending", "pending", "firing"], "at first there was little to catch up with"
    bench.load()
    assert watch.state(began + timedelta(seconds=111), "lag") == "ok"


def test_records_of_others_that_are_not_loaded_fire_too(bench: Bench, tmp_path: Path) -> None:
    recorder = Recorder(lambda: Reach(bench.warehouse, bench.bootstrap, bench.settings().kafka), RunStatus)
    watch = Watch(bench.warehouse, shipped("lag", after_start_s=0, for_s=5), tmp_path)
    bench.send([line(f"o{n}") for n in range(10)])
    bench.load()
    recorder.take()
    assert watch.state(now(), "lag") == "ok"
    bench.send([line(f"p{n}") for n in range(500)])
    recorder.take()
    began = now()
    assert [watch.state(began + timedelta(seconds=s), "lag") for s in (0, 6)] == ["pending", "firing"]
    bench.load()
    assert watch.state(began + timedelta(seconds=7), "lag") == "ok", "by what is loaded now, not by the sample"


def test_marts_that_nobody_builds_fire_and_are_over(bench: Bench, tmp_path: Path) -> None:
    bench.send([line(f"o{n}") for n in range(20)])
    watch = Watch(bench.warehouse, shipped("stale_marts", after_start_s=0), tmp_path)
    assert watch.state(now(), "stale_marts") == "ok", "no facts, nothing waits"
    bench.load()
    began = now()
    assert watch.state(began + 20 * MINUTE, "stale_marts") == "ok"
    states = [watch.state(began + minutes * MINUTE, "stale_marts") for minutes in (26, 28)]
    assert states == ["pending", "firing"]
    settle(bench.warehouse)
    assert Transform(bench.warehouse, PROJECT, tmp_path / "dbt", threads=2).run("refresh").status == "success"
    assert watch.state(began + 29 * MINUTE, "stale_marts") == "ok"
    slower = Watch(bench.warehouse, shipped("stale_marts", after_start_s=0), tmp_path, marts_every_s=3600)
    bench.send([line(f"p{n}") for n in range(20)])
    bench.load()
    assert slower.state(now() + 180 * MINUTE, "stale_marts") == "ok", "by transform.every_s"
    assert slower.state(now() + 200 * MINUTE, "stale_marts") == "pending"


def test_records_that_retention_removed_open_the_count(bench: Bench, tmp_path: Path) -> None:
    watch = Watch(bench.warehouse, shipped("open_check"), tmp_path)
    shop = load_settings(env={}, flags=flags_for(bench.topic, None, rate="max"))
    send(shop, bench.warehouse, bench.bootstrap, events=300)
    bench.load()
    assert watch.state(now(), "open_check") == "ok"
    send(shop, bench.warehouse, bench.bootstrap, events=300)
    admin = KafkaAdminClient(**bench.client)
    admin.delete_records({TopicPartition(bench.topic, 0): -1})
    admin.close()
    bench.load()
    began = now()
    assert [watch.state(began + timedelta(seconds=s), "open_check") for s in (0, 61)] == ["pending", "firing"]
    assert watch.state(began + DAY, "open_check") == "ok", "it is known by then, and `check` goes on saying so"
    lag = Watch(bench.warehouse, shipped("lag", after_start_s=0, for_s=0), tmp_path)
    assert lag.state(began + 2 * MINUTE, "lag") == "ok", "what is gone is not waited for"


def test_a_failing_test_of_dbt_is_open_until_a_run_of_all_models_has_asked_it_again(warehouse: Address, tmp_path: Path) -> None:
    watch = Watch(warehouse, shipped("open_check", for_s=0), tmp_path)
    insert = (
        "INSERT INTO ops.dbt_runs (trigger, started_at, finished_at, status, load_xid_below, tests_failed, selected) "
        "VALUES ('schedule', now(), now(), %s, 5, %s, %s)"
    )
    states = []
    for status, failed, selected in (
        ("success", 0, None), ("tests failed", 1, None), ("error", 0, None), ("selected", 0, ["cohorts"]), ("error", 2, None),
        ("success", 0, None),
    ):  # fmt: skip
        with warehouse.connect("ecom_dbt", autocommit=True) as connection:
            connection.execute(insert, [status, failed, selected])
        states.append(watch.state(now(), "open_check"))
    assert states == ["ok", "firing", "firing", "firing", "firing", "ok"]


def test_a_disk_that_fills_fires_and_is_over(warehouse: Address, tmp_path: Path) -> None:
    (disk,) = shipped("disk")
    watch = Watch(warehouse, [disk], tmp_path)
    watch.states(now())
    free_gb = watch.evaluator.figures["disk"].value
    assert free_gb is not None and free_gb > 0.5, "this test needs some room"
    taken_gb = min(4.0, free_gb / 2)  # reserved, not written: far more than other tests write and delete meanwhile
    tight = {"question": disk.question.text, "threshold": {"below": free_gb - taken_gb / 2}, "for": "30s"}
    watch = Watch(warehouse, [own(tmp_path, name="disk", **tight)], tmp_path)
    began = now()
    assert watch.state(began, "disk") == "ok"
    ballast = tmp_path / "ballast"
    try:
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, round(taken_gb * 1e9))
        assert [watch.state(began + timedelta(seconds=s), "disk") for s in (10, 41)] == ["pending", "firing"]
    finally:
        ballast.unlink(missing_ok=True)
    assert watch.state(began + timedelta(seconds=50), "disk") == "ok"


def without_chance(rule: Rule) -> Rule:
    """The same as it would be with a percentage alone."""
    assert rule.deviation and rule.deviation.chance
    return rule.model_copy(update={"name": f"bare_{rule.name}", "deviation": rule.deviation.model_copy(update={"chance": 0.0})})


@pytest.mark.parametrize(("orders_per_day", "seed"), [(1_440, 1), (480, 3), (144, 4), (48, 6)])
def test_a_slow_shop_fires_by_a_flood_or_silence_but_not_by_chance(
    bench: Bench, tmp_path: Path, orders_per_day: int, seed: int
) -> None:
    """Of few orders some more or less are a large percentage: a day of thirty, by rules that know it and by percentages."""
    end = datetime(2026, 10, 15, 12, tzinfo=UTC)
    sell(bench, end - 30 * DAY, end, seed=seed, orders_per_day=orders_per_day, customers=300)
    sell(bench, end + HOUR, end + 1.5 * HOUR, seed=8, orders_per_day=20_000, customers=300)
    loaded(bench)
    rules = shipped("order_rate", "returns", after_start_s=0, for_s=0)
    watch = Watch(bench.warehouse, [*rules, *(without_chance(rule) for rule in rules)], tmp_path)
    found = watch.over(end - DAY, end, 10 * MINUTE)
    fired = {rule for rule, state, _ in found if state == "firing"}
    assert not fired & {"order_rate", "returns"}, found
    assert {"order_rate", "returns"} <= {rule for rule, state, _ in found if state == "ok"}, found
    assert ("bare_order_rate" in fired) == (orders_per_day < 1_440), found
    silent = watch.state(end + 31 * MINUTE, "order_rate")
    assert silent == ("firing" if orders_per_day == 1_440 else "ok"), "half an hour without an order is chance where few come"
    assert watch.state(end + 90 * MINUTE, "order_rate") == "firing", "a flood is none"


@pytest.mark.long
@pytest.mark.parametrize("seed", [7, 11])
def test_a_day_of_the_default_shop_fires_nothing(bench: Bench, tmp_path: Path, seed: int) -> None:
    """30 days of the shop as it is by default with a history; its last day is replayed in steps of two minutes, by all rules."""
    end = now().replace(second=0, microsecond=0)
    defaults = load_settings(env={}, flags={"shop.history": "30d"}).shop
    assert defaults.orders_per_day == 2_500
    sell(bench, end - 30 * DAY, end, seed=seed, customers=defaults.customers, products=defaults.products)
    loaded(bench)
    assert Transform(bench.warehouse, PROJECT, tmp_path / "dbt", threads=2).run("refresh").status == "success"
    watch = Watch(bench.warehouse, shipped(), tmp_path)
    found = watch.over(end - DAY, end, 2 * MINUTE)
    assert not [each for each in found if each[1] == "firing"], found
    judged = {rule for rule, state, _ in found if state == "ok"}
    assert {"order_rate", "returns", "dead_letters", "lag", "open_check", "stale_marts"} <= judged, found
    assert not [rule for rule, before, after in watch.changes() if after == "firing"]
