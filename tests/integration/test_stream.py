"""Spark for real: it judges like the loader, its minutes are exact whatever is repeated, late or killed; so is plain SQL."""

from __future__ import annotations

import json
import logging
import signal
import socket
import struct
import threading
import time
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import psutil
import pytest
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from kafka import KafkaAdminClient, TopicPartition
from py4j.clientserver import FinalizerWorker

from ecom_lite.check.reconcile import reconcile
from ecom_lite.contract.events import OrderLine, parse
from ecom_lite.contract.rejected import Rejected
from ecom_lite.engines.spark import SparkGateway
from ecom_lite.errors import StreamError
from ecom_lite.observe.figures import StreamFigures
from ecom_lite.settings.load import load_settings
from ecom_lite.simulate.malformed import MALFORMED
from ecom_lite.stream import queries
from ecom_lite.stream.light import LightMinutes
from ecom_lite.stream.queries import order_lines
from ecom_lite.stream.session import open_session
from ecom_lite.stream.source import settle_source
from ecom_lite.stream.stream import Stream
from ecom_lite.topic.client import client_config, end_offsets, ends_of, ensure_topics
from ecom_lite.warehouse.connect import Address
from tests.runs import START_S, wait_for
from tests.unit.contract.corpus import cases
from tests.unit.contract.corpus_base import FACT, Case, order, reversal, user
from tests.unit.contract.differences import SPARK
from tests.unit.contract.fuzz import events, values

from .facts import Line, insert_bulk, load, rows
from .loading import Bench
from .streaming import (
    WATERMARK_S,
    Shop,
    a_stream,
    lines_from,
    minutes_in,
    minutes_of,
    progress,
    running,
    wait_until_late,
    wait_until_read,
    wire,
)

pytestmark = pytest.mark.timeout(600)  # several starts of Spark
DEADLINE_S = 60
DRAWN, DRAWN_SEED = 2000, 20261128
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def broken_by_the_shop() -> Iterator[Case]:
    """Each kind of record that the simulated shop breaks on purpose."""
    events = {
        "order": order(event_type='"order"'),
        "order_returned": reversal(user_id="7", reason='"small"'),
        "user_updated": user(name='"Ada"'),
    }
    for kind, malformed in MALFORMED.items():
        for event_type, whole in events.items():
            if event_type in malformed.types:
                value = whole.replace(b"@ID@", b"7")
                yield Case(f"{event_type} broken by {kind}", malformed.make(value), malformed.reason)


def rpc_answer(port: int) -> str:
    """What one request of Spark's network protocol gets from whoever shows no secret."""
    body = b"let me in"
    request = struct.pack(">bqi", 3, 42, len(body)) + body  # a message of type 3, its number, its length
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as link:
        link.sendall(struct.pack(">q", 8 + len(request)) + request)
        length = struct.unpack(">q", link.recv(8, socket.MSG_WAITALL))[0]
        return link.recv(length - 8, socket.MSG_WAITALL).decode("utf-8", "replace")


def test_local_spark_refuses_whoever_has_not_its_secret_at_every_port(gateway: SparkGateway, tmp_path: Path) -> None:
    open_session(load_settings(env={}, flags={"run.data_dir": str(tmp_path)}), gateway, tmp_path)
    found = psutil.Process(gateway.pid).net_connections("tcp")
    ports = {each.laddr.port for each in found if each.status == psutil.CONN_LISTEN} - {gateway.port}  # that asks for its own
    assert len(ports) == 2, "the driver's RPC and the block manager"
    for port in ports:
        answer = rpc_answer(port)
        assert "IllegalStateException: Expected SaslMessage" in answer, f"it read what was sent: {answer.splitlines()[0]}"


def test_classes_are_kept_with_the_data_where_the_cache_takes_none(
    gateway: SparkGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_folder = tmp_path / "a file"
    no_folder.touch()
    monkeypatch.setattr(gateway, "archive_dir", no_folder)
    open_session(load_settings(env={}, flags={"run.data_dir": str(tmp_path)}), gateway, tmp_path)
    (made,) = (tmp_path / "spark" / "classes").iterdir()
    with zipfile.ZipFile(made) as archive:
        assert {"ecom_lite/Judge.class", "ecom_lite/Minutes.class", "ecom_lite/LocalFiles.class"} <= set(archive.namelist())
    with pytest.raises(StreamError, match=f"classes cannot be kept: {no_folder}"):
        open_session(load_settings(env={}, flags={"run.data_dir": str(no_folder)}), gateway, no_folder)


def test_a_session_leaves_the_interrupts_to_its_caller(gateway: SparkGateway, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    open_session(load_settings(env={}, flags={"run.data_dir": str(tmp_path)}), gateway, tmp_path)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_jvm_that_was_killed_leaves_no_thread_and_no_socket_here(gateway: SparkGateway, tmp_path: Path) -> None:
    """A soak of an hour, with Spark killed nine times, had eighteen threads and nine sockets more in the end."""
    settings = load_settings(env={}, flags={"run.data_dir": str(tmp_path)})

    def threads() -> list[threading.Thread]:
        return [each for each in threading.enumerate() if isinstance(each, FinalizerWorker) or "serve_forever" in each.name]

    open_session(settings, gateway, tmp_path)
    before = threads()
    for _ in range(2):
        gateway.kill()
        gateway.start(START_S)
        open_session(settings, gateway, tmp_path)
    wait_for(lambda: len(threads()) == len(before), lambda: f"{len(before)} threads: {threads()}")


class Judged(NamedTuple):
    """What a judge says of an order line."""

    order_id: str
    product_id: str
    category: str
    quantity: int
    revenue: Decimal
    currency: str | None
    ordered_at: datetime


def judged_by_spark(gateway: SparkGateway, folder: Path, values: Sequence[bytes | None]) -> list[Judged | None]:
    session = open_session(load_settings(env={}, flags={"run.data_dir": str(folder)}), gateway, folder)
    with duckdb.connect() as duck:
        duck.execute("CREATE TABLE records (n INTEGER, value BLOB)")
        duck.executemany("INSERT INTO records VALUES (?, ?)", list(enumerate(values)))
        duck.execute(f"COPY records TO '{folder}/records.parquet'")
    records = session.read.parquet(f"{folder}/records.parquet").orderBy("n").coalesce(1)
    found = order_lines(session, records, WATERMARK_S).selectExpr("*", "unix_micros(ordered_at) AS at").collect()
    return [
        Judged(
            row["order_id"], row["product_id"], row["category"], row["quantity"], Decimal(row["revenue_e4"]).scaleb(-4),
            row["currency"], EPOCH + timedelta(microseconds=row["at"]),
        )
        if row["valid"] else None
        for row in found
    ]  # fmt: skip


def judged_by_the_loader(value: bytes | None, now: datetime) -> Judged | None:
    try:
        event = parse(value, now)
    except Rejected:
        return None
    if not isinstance(event, OrderLine):
        return None
    return Judged(
        event.order_id, str(event.product_id), event.category, event.quantity, event.revenue, event.currency, event.timestamp
    )


def test_spark_and_the_loader_judge_alike(gateway: SparkGateway, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    judged = [*cases(now, margin=timedelta(hours=1)), *broken_by_the_shop()]
    different: dict[str, str] = {}
    for case, spark in zip(judged, judged_by_spark(gateway, tmp_path, [case.value for case in judged]), strict=True):
        if (spark is not None) != (case.fate == FACT):
            different[case.name] = f"{case.fate} to the loader, to Spark {spark}"
        elif spark is not None:
            assert spark == judged_by_the_loader(case.value, now), case.name
    assert {name: what for name, what in different.items() if name not in SPARK} == {}
    assert SPARK.keys() - different.keys() == set(), "judged alike: no difference any more"


def test_spark_and_the_loader_judge_alike_whatever_is_drawn(gateway: SparkGateway, tmp_path: Path) -> None:
    drawn: list[bytes | None] = []

    @seed(DRAWN_SEED)
    @hypothesis_settings(
        max_examples=DRAWN, database=None, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(values | events((0, 1)) | events((1,)))
    def draw(value: bytes | None) -> None:
        drawn.append(value)

    draw()
    now = datetime.now(UTC)
    wrong = [
        (value, spark, loader)
        for value, spark in zip(drawn, judged_by_spark(gateway, tmp_path, drawn), strict=True)
        if spark != (loader := judged_by_the_loader(value, now))
    ]
    assert wrong == [], f"seed {DRAWN_SEED}"


def tells_progress(stream: Stream) -> bool:
    told = stream.health().figures
    return isinstance(told, StreamFigures) and told.state_rows > 0 and "addBatch" in told.phases_ms


def late_rows_of(stream: Stream) -> int:
    figures = stream.health().figures
    return figures.late_rows if isinstance(figures, StreamFigures) else 0


def test_minutes_are_exact_over_duplicates_rubbish_late_lines_and_restarts(
    gateway: SparkGateway, warehouse: Address, kafka_bootstrap: str, topic: str, shop: Shop, data_dir: Path
) -> None:
    now = datetime.now(UTC)
    first = lines_from(now - timedelta(seconds=400), 300, "a")
    shop.send(wire(line) for line in first)
    shop.send(wire(line) for line in first[:40])
    shop.send([None, b"{", b'{"order_id": 1}', b"\xff", b"  ", b"", b"\x00\x01\x02"])
    stream = a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway)
    with running(stream):
        wait_until_read(warehouse, shop, "all of the first lines")
        assert minutes_in(warehouse) == minutes_of(first)
        assert progress(warehouse) == (shop.sent, 0, 40)
        wait_until_late(warehouse, first[-1])
        # Lines older than the watermark are dropped and counted; one within its reach is counted.
        late = [replace(first[0], order_id=f"late-{n}") for n in range(7)]
        in_time = replace(first[-1], order_id="in-time", ordered_at=first[-1].ordered_at - timedelta(seconds=WATERMARK_S - 10))
        ahead = replace(first[0], order_id="ahead", ordered_at=now + timedelta(hours=20))
        shop.send(wire(line) for line in [*late, in_time, ahead])
        wait_until_read(warehouse, shop, "the late lines")
        assert progress(warehouse) == (shop.sent, 8, 40)
        assert minutes_in(warehouse) == minutes_of([*first, in_time])
        wait_for(lambda: late_rows_of(stream) == 8, "health to count them, too")
        assert stream.health().ok
        wait_for(lambda: tells_progress(stream), "progress")
        # PostgreSQL throws the sink out: it comes back by itself.
        with warehouse.connect("admin", autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ecom_stream'")
        second = lines_from(first[-1].ordered_at, 90, "b", seconds=40)
        shop.send(wire(line) for line in second)
        wait_until_read(warehouse, shop, "lines after the lost connection")
        assert minutes_in(warehouse) == minutes_of([*first, in_time, *second])
    assert not stream.health().ok
    # Sent while the stream is down, with repetitions from before; the checkpoint knows them.
    third = lines_from(second[-1].ordered_at, 60, "c", seconds=30)
    shop.send(wire(line) for line in [*second, *third])
    with running(a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway)):
        wait_until_read(warehouse, shop, "lines after the restart")
        assert minutes_in(warehouse) == minutes_of([*first, in_time, *second, *third])
        assert progress(warehouse) == (shop.sent, 8, 40 + len(second))
    with pytest.raises(StreamError, match=r"shuffle_partitions = 3, but it was 2"):
        a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway, spark__shuffle_partitions=3).start()
    # The same figures from the same facts by plain SQL; late lines are in there.
    load(warehouse, [*first, in_time, *late, *second, *third])
    LightMinutes(warehouse).refresh()
    assert minutes_in(warehouse) == minutes_of([*first, in_time, *late, *second, *third])


def test_minutes_whose_lines_came_again_are_given_up_too(
    gateway: SparkGateway, warehouse: Address, kafka_bootstrap: str, topic: str, shop: Shop, data_dir: Path
) -> None:
    start = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=30)
    lines = lines_from(start, 60, "a", seconds=50)
    stream = a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway)
    with running(stream):
        for _ in range(2):  # the second time there is nothing new
            shop.send(wire(line) for line in lines)
            wait_until_read(warehouse, shop, "the lines")
        for minute in (10, 20, 25):  # each moves the watermark, by which the next batch gives up what is over
            shop.send([wire(replace(lines[0], order_id=f"later-{minute}", ordered_at=start + timedelta(minutes=minute)))])
            wait_until_read(warehouse, shop, "the line")
        wait_for(lambda: stream.recent_progress().state_rows == 1, lambda: f"one share is left, not {stream.recent_progress()}")


def test_a_line_that_comes_again_with_a_later_time_leaves_the_count_closed(
    gateway: SparkGateway, warehouse: Address, kafka_bootstrap: str, topic: str, shop: Shop, data_dir: Path
) -> None:
    """The facts keep the first one; Spark has forgotten it by then and counts both."""
    start = datetime.now(UTC) - timedelta(hours=2)
    twice = Line("twice", 1, 1, 1, Decimal(3), start)
    bench = Bench(kafka_bootstrap, topic, warehouse)
    with running(a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway)):
        for hour in range(2):
            shop.send([wire(replace(twice, ordered_at=start + timedelta(hours=hour)))])
            # Two batches: the first one moves the watermark on, the second one evicts what is older from Spark's memory.
            for n in (1, 2):
                later = start + timedelta(hours=hour, seconds=(n + 2) * WATERMARK_S)
                shop.send([wire(replace(twice, order_id=f"filler-{hour}-{n}", ordered_at=later))])
                wait_until_read(warehouse, shop, "the batch")
    assert sum(found[2] for found in minutes_in(warehouse).values()) == 6, "Spark has counted both"
    bench.load()
    assert bench.counts() == {"facts": 5, "duplicates": 1}
    report = reconcile(warehouse, [topic], lambda: ends_of(bench.client, [topic]), producing=False, catch_up_s=0)
    (minutes,) = [one for one in report.lines if one.name == "lines in closed minutes = facts"]
    assert minutes.closes, minutes
    assert "came again with another time, which the minutes may count once more: 1" in minutes.note


def test_a_state_of_another_layout_makes_the_stream_begin_anew_and_takes_nothing_from_minutes_whose_records_are_gone(
    gateway: SparkGateway,
    warehouse: Address,
    kafka_bootstrap: str,
    topic: str,
    shop: Shop,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(kafka_bootstrap, topic, warehouse)
    lines = lines_from(datetime.now(UTC) - timedelta(seconds=400), 120, "a")
    late = replace(lines[0], order_id="late")

    def with_numbers(*source: Any) -> Any:
        return order_lines(*source).selectExpr("* EXCEPT (product_id)", "CAST(product_id AS BIGINT) AS product_id")

    # Spark's state as the version before this layout has left it: it refuses to go on with that.
    with monkeypatch.context() as version:
        version.setattr(queries, "order_lines", with_numbers)
        with running(a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway)):
            shop.send(wire(line) for line in lines)
            wait_until_read(warehouse, shop, "the lines")
            wait_until_late(warehouse, lines[-1])
            shop.send([wire(late)])
            wait_until_read(warehouse, shop, "the late one")
    bench.load()
    checkpoints = data_dir / "spark" / "checkpoints"
    (now,) = (path for path in checkpoints.glob("per_minute*") if path.is_dir())
    for path in (now, now.with_name(f"{now.name}.json")):  # and where it has left it
        path.rename(path.with_name(path.name.replace(now.name, "per_minute")))
    # Retention removes the beginning: what is left of a minute is one line.
    before = end_offsets(bench.client, topic)
    shop.send([wire(replace(lines[-1], order_id="left"))])
    admin = KafkaAdminClient(**bench.client)
    admin.delete_records({TopicPartition(topic, partition): offset for partition, offset in before.items()})
    admin.close()
    with running(a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway)):
        wait_until_read(warehouse, shop, "what is left")
        wait_for(lambda: rows(warehouse, "SELECT max(watermark) FROM realtime.stream_progress") != [(None,)], "closed minutes")
    assert now.is_dir() and not any(checkpoints.glob("per_minute")) and not any(checkpoints.glob("per_minute.json"))
    assert minutes_in(warehouse) == minutes_of(lines)
    bench.load()
    report = reconcile(warehouse, [topic], lambda: ends_of(bench.client, [topic]), producing=False, catch_up_s=0)
    (minutes,) = [one for one in report.lines if one.name == "lines in closed minutes = facts"]
    assert minutes.closes and "1 late lines were not counted" in minutes.note, minutes


def test_a_killed_jvm_is_reported_and_a_new_one_goes_on(
    gateway: SparkGateway, warehouse: Address, kafka_bootstrap: str, topic: str, shop: Shop, data_dir: Path
) -> None:
    lines = lines_from(datetime.now(UTC) - timedelta(seconds=100), 30, "a", seconds=50)
    shop.send(wire(line) for line in lines)
    with running(a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway)) as it:
        wait_until_read(warehouse, shop, "the lines")
        gateway.kill()
        wait_for(lambda: it.failure, "the report")
    assert isinstance(it.failure, StreamError)
    gateway.start(START_S)
    more = lines_from(lines[-1].ordered_at, 30, "b", seconds=10)
    shop.send(wire(line) for line in [*lines[-5:], *more])
    with running(a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway)):
        wait_until_read(warehouse, shop, "the lines after")
        assert minutes_in(warehouse) == minutes_of([*lines, *more])


def test_without_spark_facts_are_added_once(warehouse: Address, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ecom_lite.stream")
    light = LightMinutes(warehouse)
    assert light.refresh() == 0
    parts: Sequence[list[Line]] = _in_parts(lines_from(datetime(2026, 5, 1, 10, tzinfo=UTC), 240, "a", seconds=300), 6)
    known: list[Line] = []
    for part in parts:  # orders are torn apart: their lines come in different refreshes
        load(warehouse, part)
        known += part
        assert light.refresh() > 0
        assert minutes_in(warehouse) == minutes_of(known)
    assert light.refresh() == 0
    assert progress(warehouse) == (len(known), 0, 0)
    with warehouse.connect("ecom_stream") as connection:
        connection.execute("DELETE FROM realtime.light_progress")
        connection.execute("UPDATE realtime.minutes_by_currency SET lines = 0")
    LightMinutes(warehouse).refresh()
    assert minutes_in(warehouse) == minutes_of(known), "built anew"


def _in_parts(lines: list[Line], count: int) -> list[list[Line]]:
    return [lines[n::count] for n in range(count)]


def test_without_spark_a_refresh_costs_by_what_is_new(warehouse: Address) -> None:
    light = LightMinutes(warehouse)
    insert_bulk(warehouse, 200_000)
    light.refresh()
    took = []
    for _ in range(3):
        insert_bulk(warehouse, 500)
        start = time.monotonic()
        assert light.refresh() > 0
        took.append(time.monotonic() - start)
    assert min(took) < 1.0, "whatever else the machine did at the time of one of them"
    same = rows(
        warehouse,
        "SELECT (SELECT sum(lines) FROM realtime.sales_per_minute) = (SELECT count(*) FROM warehouse.fact_sales), "
        "(SELECT sum(revenue) FROM realtime.sales_per_minute) = (SELECT sum(revenue) FROM warehouse.fact_sales)",
    )
    assert same == [(True, True)]


WHOLE_ORDERS = {
    "events.fields": {
        "order_id": "id", "user_id": "customer", "timestamp": "at", "product_id": "items[].sku", "product_title": "items[].kind",
        "category": "items[].kind", "price": "items[].cents", "quantity": "items[].n",
    },
    "events.lines": "items[]", "events.unit": "cents",
}  # fmt: skip


def whole_orders(lines: Iterable[Line]) -> Iterator[bytes]:
    orders: dict[tuple[str, datetime], list[Line]] = defaultdict(list)
    for each in lines:
        orders[each.order_id, each.ordered_at].append(each)
    for (order_id, at), found in orders.items():
        items = [{"sku": one.product_id, "kind": one.category, "cents": int(one.price * 100), "n": one.quantity} for one in found]
        yield json.dumps({"id": order_id, "customer": "c", "at": at.isoformat(), "items": items}).encode()


def test_the_minutes_are_those_of_the_facts_while_mappings_come_and_go(
    gateway: SparkGateway, warehouse: Address, kafka_bootstrap: str, topic: str, shop: Shop, data_dir: Path
) -> None:
    """All within the same minutes, so that each change falls into the midst of them."""
    start = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(seconds=400)
    known: list[Line] = []

    def phase(name: str, events: dict[str, Any], *, light: bool = False) -> None:
        flags = {"kafka.topic": topic, "load.flush_ms": 50, "run.light": light, **events}
        settings = load_settings(env={}, flags=flags)
        kafka, client = settings.kafka, client_config(settings.kafka, kafka_bootstrap)
        ensure_topics(client, topic, 4, kafka.dlq_topic, kafka.judged_topic if settings.spark_reads_judged else None)
        settle_source(settings, warehouse, client)
        bench = Bench(kafka_bootstrap, topic, warehouse, events={n.removeprefix("events."): value for n, value in events.items()})
        lines = [replace(one, ordered_at=start + timedelta(seconds=n // 3)) for n, one in enumerate(lines_from(start, 150, name))]
        loader = bench.loader()
        with ExitStack() as stack:
            if not light:
                more = {name.replace(".", "__"): value for name, value in events.items()}
                stack.enter_context(running(a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway, **more)))
            loading = stack.enter_context(bench.loading(loader))
            sent = list(whole_orders(lines) if events else map(wire, lines))
            shop.send([*sent, b"{", *sent[:7]])
            known.extend(lines)
            bench.until_loaded(loading)
            if not light:
                wait_for(lambda: minutes_in(warehouse).keys() == minutes_of(known).keys(), f"the minutes of {name}")
                wait_for(
                    lambda: sum(m[2] for m in minutes_in(warehouse).values()) >= len(known),
                    lambda: f"{name}: {minutes_in(warehouse)}, not {minutes_of(known)}",
                )
                assert minutes_in(warehouse) == minutes_of(known), name

    phase("plain", {})
    phase("mapped", WHOLE_ORDERS)
    phase("mapped again", WHOLE_ORDERS)
    phase("plain again", {})
    phase("light", WHOLE_ORDERS, light=True)
    phase("mapped for the third time", WHOLE_ORDERS)
