"""Something breaks under the stream: JVM, checkpoint, partitions, PostgreSQL, a clock. The minutes stay exact."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewPartitions
from psycopg import sql

from ecom_lite.engines.spark import SparkGateway
from ecom_lite.errors import StreamError
from ecom_lite.warehouse.connect import Address
from tests.running import Running
from tests.runs import START_S, wait_for

from .facts import Line, rows
from .streaming import Shop, a_stream, lines_from, minutes_in, minutes_of, progress, running, wait_until_read, wire

pytestmark = pytest.mark.timeout(600)  # several starts of Spark
ROUNDS, LONG_ROUNDS = 8, 200  # a round takes some 13 s
SEEDS = {ROUNDS: 20261128, LONG_ROUNDS: 20261129}


def wait_until_it_fails(it: Running, or_else: Callable[[], bool] = lambda: False) -> bool:
    """False when the other came about."""
    wait_for(lambda: it.failure is not None or or_else(), "the report")
    return it.failure is not None


def number_of(path: Path) -> int:
    """Of a micro-batch or a version, with which the name of a checkpoint's file begins."""
    return int(re.split(r"\D", path.name)[0])


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("rounds", [ROUNDS, pytest.param(LONG_ROUNDS, marks=pytest.mark.long)])
def test_a_jvm_killed_at_any_moment_loses_no_line_and_counts_none_twice(
    rounds: int, gateway: SparkGateway, warehouse: Address, kafka_bootstrap: str, topic: str, shop: Shop, data_dir: Path
) -> None:
    """While it reads, writes its checkpoint, or writes to PostgreSQL: the moment is drawn."""
    seed = SEEDS[rounds]
    drawn = random.Random(seed)
    start, lines = datetime.now(UTC) - timedelta(seconds=2 * rounds), list[Line]()
    for number in range(rounds):
        more = lines_from(start + timedelta(seconds=number), 60, f"r{number}", seconds=1)
        recent = lines[-1000:]  # what the watermark has not closed
        again = drawn.sample(recent, min(len(recent), 20))
        if not gateway.alive:
            gateway.start(START_S)
        with running(a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway)) as it:
            values = [wire(line) for line in [*more, *again]]
            lines += more
            for part in range(0, len(values), 20):
                shop.send([*values[part : part + 20], b"{"])
                it.stop.wait(drawn.uniform(0, 0.3))
            gateway.kill()
            wait_until_it_fails(it)
            assert isinstance(it.failure, StreamError), f"round {number} of seed {seed}"
    gateway.start(START_S)
    with running(a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway)):
        wait_until_read(warehouse, shop, f"all lines, seed {seed}")
        assert minutes_in(warehouse) == minutes_of(lines), f"seed {seed}"


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("what", "happens"),
    [("offsets", half), ("commits", half), ("state", half), ("{offsets,commits}", Path.unlink)],
    ids=["offsets-torn", "commits-torn", "state-torn", "batch-lost"],
)
def test_a_checkpoint_that_lost_its_end_makes_the_query_begin_anew_with_the_same_minutes(
    what: str, happens: Callable[[Path], None], gateway: SparkGateway, warehouse: Address, kafka_bootstrap: str, topic: str,
    shop: Shop, data_dir: Path,
) -> None:  # fmt: skip
    """As a loss of power leaves it."""
    lines = lines_from(datetime.now(UTC) - timedelta(seconds=200), 90, "a")
    with running(a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway)):
        for part in range(0, 90, 30):
            shop.send(wire(line) for line in lines[part : part + 30])
            wait_until_read(warehouse, shop, "the lines")
    (checkpoint,) = (path for path in (data_dir / "spark" / "checkpoints").glob("per_minute*") if path.is_dir())
    folders = [checkpoint / name for name in what.strip("{}").split(",")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.name[0].isdigit()]
    newest = max(map(number_of, files))
    for path in files:
        if number_of(path) == newest:
            happens(path)
    more = lines_from(lines[-1].ordered_at, 30, "b", seconds=5)
    shop.send(wire(line) for line in [*lines[-10:], *more])
    for _ in range(2):  # as the supervisor does it: what has died, while it started or later, is started again
        with suppress(StreamError), running(a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway)) as it:
            if not wait_until_it_fails(it, or_else=lambda: minutes_in(warehouse) == minutes_of([*lines, *more])):
                break
    assert minutes_in(warehouse) == minutes_of([*lines, *more])


def test_a_database_that_is_another_one_gets_all_minutes(
    gateway: SparkGateway, warehouse: Address, kafka_bootstrap: str, topic: str, shop: Shop, data_dir: Path
) -> None:
    lines = lines_from(datetime.now(UTC) - timedelta(seconds=200), 90, "a")
    shop.send(wire(line) for line in lines)
    with running(a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway)):
        wait_until_read(warehouse, shop, "the lines")
    with warehouse.connect("admin", autocommit=True) as admin:
        for table in ("stream_progress", "open_minutes", "minutes_by_currency"):
            admin.execute(sql.SQL("TRUNCATE realtime.{}").format(sql.Identifier(table)))
    more = lines_from(lines[-1].ordered_at, 30, "b", seconds=5)
    shop.send(wire(line) for line in more)
    with running(a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway)):
        wait_for(lambda: minutes_in(warehouse) == minutes_of([*lines, *more]), "the minutes of all lines")


def test_partitions_that_are_added_under_it_are_read(
    gateway: SparkGateway, warehouse: Address, kafka_bootstrap: str, topic: str, shop: Shop, data_dir: Path
) -> None:
    lines = lines_from(datetime.now(UTC) - timedelta(seconds=100), 60, "a", seconds=50)
    shop.send(wire(line) for line in lines)
    more = lines_from(lines[-1].ordered_at, 60, "b", seconds=10)
    with running(a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway)):
        wait_until_read(warehouse, shop, "the lines")
        admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
        admin.create_partitions({topic: NewPartitions(7)})
        admin.close()
        wait_for(lambda: shop.partitions() == 7, "the new partitions")
        shop.send(wire(line) for line in [*lines[:10], *more])
        wait_until_read(warehouse, shop, "the lines after")
        assert minutes_in(warehouse) == minutes_of([*lines, *more])
    last = lines_from(more[-1].ordered_at, 30, "c", seconds=5)
    shop.send(wire(line) for line in last)
    with running(a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway)):
        wait_until_read(warehouse, shop, "the lines after a restart")
        assert minutes_in(warehouse) == minutes_of([*lines, *more, *last])


@contextmanager
def closed(warehouse: Address) -> Iterator[None]:
    """The database lets nobody in, and throws out who is."""
    database = sql.Identifier(warehouse.database)
    with warehouse.with_database("postgres").connect("admin", autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(database))
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [warehouse.database])
        try:
            yield
        finally:
            admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(database))


def test_a_database_that_is_away_is_waited_for(
    gateway: SparkGateway, warehouse: Address, kafka_bootstrap: str, topic: str, shop: Shop, data_dir: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    lines = lines_from(datetime.now(UTC) - timedelta(seconds=100), 60, "a", seconds=50)
    shop.send(wire(line) for line in lines)
    with running(a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway)) as it:
        wait_until_read(warehouse, shop, "the lines")
        with closed(warehouse):
            more = lines_from(lines[-1].ordered_at, 60, "b", seconds=10)
            shop.send(wire(line) for line in [*lines[:10], *more])
            wait_for(lambda: caplog.text.count("is tried again") >= 3, "three tries")
            assert it.failure is None
        wait_until_read(warehouse, shop, "the lines after")
        assert minutes_in(warehouse) == minutes_of([*lines, *more])
    assert rows(warehouse, "SELECT sum(duplicate_rows)::int FROM realtime.stream_progress") == [(10,)]


def test_a_producer_whose_clock_is_an_hour_ahead_spoils_nobody_elses_minutes(
    gateway: SparkGateway, warehouse: Address, kafka_bootstrap: str, topic: str, shop: Shop, data_dir: Path
) -> None:
    now = datetime.now(UTC)
    lines = lines_from(now - timedelta(seconds=100), 60, "a", seconds=50)
    ahead = [replace(line, order_id=f"ahead-{line.order_id}", ordered_at=line.ordered_at + timedelta(hours=1)) for line in lines]
    with running(a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway)):
        for part in range(0, 60, 20):  # in several micro-batches: the watermark has every chance to move
            shop.send(wire(line) for line in ahead[part : part + 20])
            wait_until_read(warehouse, shop, "the lines ahead")
            shop.send(wire(line) for line in lines[part : part + 20])
            wait_until_read(warehouse, shop, "the lines")
        assert minutes_in(warehouse) == minutes_of(lines)
    assert progress(warehouse) == (shop.sent, 60, 0), "what is ahead is told as outside the watermark's reach"
