"""Samples of a run's health: taken from a real broker and warehouse, thinned with time, and the count that closes beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from ecom_lite.observe.figures import StreamFigures
from ecom_lite.observe.samples import thin_samples
from ecom_lite.observe.status import PartStatus, RunStatus
from ecom_lite.run.reach import Reach
from ecom_lite.run.recorder import Recorder
from ecom_lite.topic.client import end_offsets
from ecom_lite.warehouse.connect import Address

from .facts import settle
from .loading import Bench, line

PARTS = {"kafka": PartStatus(state="ready", ok=True), "load": PartStatus(state="ready"), "produce": PartStatus(state="starting")}
STREAM = StreamFigures(
    batch=3,
    rows_per_s=7.5,
    batch_ms=310,
    watermark_lag_s=121,
    late_rows=2,
    state_rows=90,
    phases_ms={"addBatch": 300, "walCommit": 9},
)
STATUS = RunStatus(
    state="running", parts=PARTS, stream=STREAM, resident_bytes={"kafka": 350_000_000}, disk_bytes={"postgres": 90_000_000}
)


def reach(bench: Bench) -> Reach:
    settings = bench.settings()
    return Reach(bench.warehouse, bench.bootstrap, settings.kafka, settings.topics[1:])


@pytest.fixture
def recorder(bench: Bench) -> Iterator[Recorder]:
    made = Recorder(lambda: reach(bench), lambda: STATUS)
    yield made
    made.close()
    made.close()


def newest(bench: Bench) -> dict[str, Any]:
    ((row,),) = bench.ask("SELECT to_jsonb(s) FROM ops.health_samples s ORDER BY at DESC LIMIT 1")
    return dict(row)


def count(bench: Bench) -> dict[str, Any]:
    ((row,),) = bench.ask("SELECT to_jsonb(c) FROM ops.count_that_closes c")
    return dict(row)


def test_a_sample_says_what_waits_by_partition_and_what_the_run_has_measured(bench: Bench, recorder: Recorder) -> None:
    assert count(bench)["open"] is None and count(bench)["ends_at"] is None, "nobody has asked the broker yet"
    bench.send([line(order) for order in range(30)])
    recorder.take()
    assert newest(bench)["loaded"] == 0 and newest(bench)["delay_p50_ms"] is None
    waiting = bench.ask("SELECT name, lag FROM ops.lag_by_partition ORDER BY name")
    assert waiting == [("0", 30), ("1", 0), ("2", 0), ("3", 0)], "also of partitions that nobody has begun to load"
    assert (count(bench)["on_topic"], count(bench)["under_way"], count(bench)["open"]) == (30, 30, 0)
    bench.load()
    bench.ask("INSERT INTO ops.sent_ledger (shop, partition, events, faults) VALUES ('seed-7', 0, 48, '{\"late\": 5}')")
    bench.send([line(order) for order in range(20, 35)], partition=2)
    recorder.take()
    sample = newest(bench)
    assert (sample["sent"], sample["faults"], sample["loaded"], sample["events"]) == (48, 5, 30, 30)
    assert sample["parts"] == {"kafka": "ready", "load": "unwell", "produce": "starting"}
    assert (sample["memory"], sample["disk"]) == (STATUS.resident_bytes, STATUS.disk_bytes)
    of_stream = ("rows_per_s", "state_rows", "late_rows", "watermark_lag_s", "phases_ms")
    assert sample["stream"] == {name: getattr(STREAM, name) for name in of_stream}
    ends = end_offsets(bench.client, bench.topic)
    assert {place["partition"]: place["end_offset"] for place in sample["partitions"]} == ends
    lags = dict(bench.ask("SELECT partition, lag FROM ops.lag_by_partition WHERE at = (SELECT max(at) FROM ops.health_samples)"))
    loaded = dict(bench.ask("SELECT partition, next_offset FROM ops.consumer_offsets"))
    assert lags == {partition: end - loaded.get(partition, 0) for partition, end in ends.items()} and lags[2] == 15


def test_the_count_closes_while_events_are_under_way_and_is_open_when_a_row_is_missing(bench: Bench, recorder: Recorder) -> None:
    bench.send([*(line(order) for order in range(40)), line(0), b"rubbish", b"more"])
    recorder.take()
    bench.load()
    bench.send([line(order) for order in range(40, 50)], partition=1)
    found = count(bench)
    assert (found["facts"], found["duplicates"], found["dead"], found["on_topic"]) == (40, 1, 2, 43), "no end was asked since"
    assert (found["under_way"], found["open"]) == (0, 0)
    recorder.take()
    found = count(bench)
    assert (found["on_topic"], found["under_way"], found["open"]) == (53, 10, 0)
    bench.load()
    assert (count(bench)["under_way"], count(bench)["facts"], count(bench)["open"]) == (0, 50, 0)
    bench.ask("DELETE FROM warehouse.fact_sales WHERE order_id IN ('3', '4')")
    bench.ask('DELETE FROM ops.dead_letters WHERE "offset" = 41')
    assert count(bench)["open"] == 3, "rows that are gone are seen at once"
    bench.ask("INSERT INTO ops.gaps (topic, partition, first_offset, last_offset) VALUES ('t', 0, 5, 9)")
    assert count(bench)["open"] == -2, "and so is what is counted twice"


def test_a_topic_that_was_cut_leaves_the_count_open(bench: Bench, recorder: Recorder) -> None:
    bench.send([line(order) for order in range(40)])
    bench.load()
    bench.ask("UPDATE ops.consumer_offsets SET next_offset = next_offset + 5, facts = facts + 5 WHERE partition = 0")
    recorder.take()
    assert (count(bench)["on_topic"], count(bench)["open"]) == (40, 0), "the rows are 40, whatever the counter says"
    bench.ask(
        "INSERT INTO warehouse.fact_sales SELECT 'more-' || n, product_key, user_key, category_key, date_key, ordered_at, "
        "quantity, unit_price, revenue, 0, 40 + n, load_xid "
        "FROM warehouse.fact_sales, generate_series(1, 5) n WHERE order_id = '1'"
    )
    assert count(bench)["open"] == -5, "facts of events that the topic does not have"


def test_delays_are_of_the_events_since_the_sample_before(bench: Bench, recorder: Recorder) -> None:
    batches = [(3, 900), (120, 40), (7, 2500), (60, 300), (10, 80)]
    for records, delay_ms in batches:
        bench.ask(
            "INSERT INTO ops.load_batches (records, facts, duplicates, other, dead, oldest_broker_time, offsets) "
            f"VALUES ({records}, {records}, 0, 0, 0, now() - interval '{delay_ms} ms', '{{}}')"
        )
    recorder.take()
    every = sorted(delay_ms for records, delay_ms in batches for _ in range(records))
    sample = newest(bench)
    for share, name in ((0.50, "delay_p50_ms"), (0.95, "delay_p95_ms"), (0.99, "delay_p99_ms")):
        assert sample[name] == pytest.approx(every[math.ceil(share * len(every)) - 1]), name
    assert sample["events"] == 200
    recorder.take()
    after = newest(bench)
    assert (after["events"], after["delay_p99_ms"], after["newest_batch"]) == (0, None, sample["newest_batch"]), "each once"


def test_events_are_counted_once_also_after_the_clock_was_put_back(bench: Bench, recorder: Recorder) -> None:
    bench.send([line(order) for order in range(10)])
    bench.load()
    recorder.take()
    bench.ask("UPDATE ops.health_samples SET at = at + interval '1 hour'")
    bench.send([line(order) for order in range(10, 15)])
    bench.load()
    recorder.take()
    recorder.take()
    assert bench.ask("SELECT events FROM ops.health_samples ORDER BY at") == [(5,), (0,), (10,)]


def test_a_broker_that_is_away_leaves_its_part_empty(bench: Bench) -> None:
    bench.send([line(1)])
    away = Recorder(lambda: replace(reach(bench), bootstrap="127.0.0.1:1"), lambda: STATUS)
    away.take()
    away.close()
    assert newest(bench)["partitions"] == [] and newest(bench)["memory"] == STATUS.resident_bytes
    early = Recorder(lambda: reach(bench), lambda: replace_parts(topics=PartStatus(state="starting")))
    early.take()
    assert newest(bench)["partitions"] == [], "the topics are not made yet: nobody is asked"
    early.close()
    early.take()
    assert newest(bench)["partitions"] == [], "closed"


def replace_parts(**parts: PartStatus) -> RunStatus:
    return RunStatus(state="starting", parts=parts)


def test_old_samples_are_thinned_to_one_a_minute_with_the_highest_delays(warehouse: Address) -> None:
    with warehouse.connect("ecom_stream") as writer:  # one transaction, and one `now()`: no minute ends between the statements
        writer.execute(
            "INSERT INTO ops.health_samples (at, sent, faults, loaded, events, delay_p99_ms) "
            "SELECT date_trunc('minute', now()) - back * interval '5 s', 10000 - back, 0, 0, 2, "
            "CASE WHEN back % 12 = 7 THEN 700 ELSE 20 END "
            "FROM generate_series(1, 360) AS back"
        )
        writer.execute("INSERT INTO ops.health_samples (at, sent, faults, loaded) VALUES (now() - interval '3 h', 1, 0, 0)")
        for _ in range(2):
            thin_samples(writer, fine_s=600, keep_s=7200)
        old = "at < date_trunc('minute', now() - interval '600 s')"
        (counts,) = writer.execute(
            f"SELECT count(*) FILTER (WHERE {old}), count(*) FILTER (WHERE NOT {old}), sum(events), min(sent) "
            "FROM ops.health_samples"
        ).fetchall()
        assert counts == (20, 120, 720, 9640), "20 minutes of one, 10 of twelve; nothing of three hours ago; no event is lost"
        found = writer.execute(
            f"SELECT DISTINCT at = date_trunc('minute', at), events, delay_p99_ms FROM ops.health_samples WHERE {old}"
        ).fetchall()
        assert found == [(True, 24, 700)], "the first of each minute, with what the others had"


def test_the_writer_of_samples_may_write_nothing_else_there(warehouse: Address) -> None:
    settle(warehouse)
    with warehouse.connect("admin") as admin:
        found = admin.execute(
            "SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = 'ecom_stream' "
            "AND table_schema IN ('ops', 'warehouse') AND privilege_type <> 'SELECT' AND table_name NOT LIKE 'alert%' "
            "ORDER BY 1, 2"
        ).fetchall()
    changing = [(table, right) for table in ("check_results", "health_samples") for right in ("DELETE", "INSERT", "UPDATE")]
    assert found == [*changing, ("service_events", "INSERT")], "beside the alerts"
