"""The clock of the machine is put back under Spark, whose JVM here has one that can be."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecom_lite.engines.jars import JarCache
from ecom_lite.engines.spark import SparkGateway
from ecom_lite.errors import StreamError
from ecom_lite.harness.clock import WallClock
from ecom_lite.stream.session import close_session
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.sqlfiles import read_sql
from tests.runs import START_S, wait_for

from .streaming import Shop, a_stream, lines_from, minutes_in, minutes_of, running, wait_until_read, wire

pytestmark = pytest.mark.timeout(600)  # two starts of Spark
BACK_S = 200  # longer than anything is waited for here; the lines are older, or they would lie in the future then


@pytest.fixture
def clock() -> Iterator[WallClock]:
    clock = WallClock()
    yield clock
    clock.close()


@pytest.fixture
def jvm(
    clock: WallClock, tmp_path: Path, java: Path, jar_cache: JarCache, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SparkGateway]:
    if clock.refused:
        pytest.skip(f"no clock to be turned here: {clock.refused}")
    for name, value in clock.environment.items():
        monkeypatch.setenv(name, value)  # for what is started from now on
    jars, archive_dir = jar_cache.classpath("spark"), jar_cache.root.parent / "cds"
    gateway = SparkGateway(tmp_path / "work", tmp_path / "logs", java=java, jars=jars, memory_mb=512, archive_dir=archive_dir)
    gateway.start(START_S)
    try:
        yield gateway
    finally:
        close_session()
        gateway.stop()


def test_a_clock_that_is_put_back_does_not_make_spark_wait_until_it_is_again_what_it_was(
    jvm: SparkGateway, clock: WallClock, warehouse: Address, kafka_bootstrap: str, topic: str, shop: Shop, data_dir: Path
) -> None:
    lines = lines_from(datetime.now(UTC) - timedelta(seconds=BACK_S + 200), 60, "a", seconds=20)
    more = lines_from(lines[-1].ordered_at, 60, "b", seconds=20)
    stream = a_stream(warehouse, kafka_bootstrap, topic, data_dir, jvm, wall=lambda: time.time() + clock.seconds)
    with running(stream) as it:
        shop.send(wire(line) for line in lines)
        wait_until_read(warehouse, shop, "the lines")
        clock.jump(-BACK_S)
        wait_for(lambda: it.failure is not None, "somebody has noticed")
        assert isinstance(it.failure, StreamError) and f"the clock was put back by {BACK_S} s" in str(it.failure)
    with running(stream):  # as the supervisor would
        shop.send(wire(line) for line in more)
        wait_until_read(warehouse, shop, "the lines after")
    assert minutes_in(warehouse) == minutes_of([*lines, *more])


def test_a_query_that_begins_anew_finds_no_batches_of_before_whatever_time_they_have(warehouse: Address) -> None:
    with warehouse.connect("ecom_stream") as connection:
        for batch, hours in ((0, -60), (1, -1), (2, 1)):  # the last one from before the clock was put back
            connection.execute(
                "INSERT INTO realtime.stream_progress (query, batch_id, at, input_rows) "
                "VALUES ('per_minute', %s, now() + make_interval(hours => %s), 10)",
                [batch, hours],
            )
        kept = "SELECT batch_id, input_rows FROM realtime.stream_progress ORDER BY batch_id"
        for keep_s, wanted in ((2 * 86_400.0, [(-1, 10), (1, 10), (2, 10)]), (0, [(-1, 30)])):
            connection.execute(read_sql("ecom_lite.stream", "prune_progress"), {"query": "per_minute", "keep_s": keep_s})
            assert connection.execute(kept).fetchall() == wanted
