"""A day of events through the stream in minutes: state, checkpoint and memory stay as large as they were."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from ecom_lite.engines.spark import SparkGateway
from ecom_lite.warehouse.connect import Address
from tests.runs import wait_for

from .facts import rows
from .streaming import Shop, a_stream, lines_from, minutes_in, minutes_of, progress, running, wire

HOURS = 24
BATCH_MINUTES = 2  # of event time: what a micro-batch brings
LINES = 60


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_day_leaves_state_checkpoint_and_memory_as_they_were(
    gateway: SparkGateway, warehouse: Address, kafka_bootstrap: str, topic: str, shop: Shop, data_dir: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS)
    lines, sizes = [], []
    jvm = psutil.Process(gateway.pid)
    with running(a_stream(warehouse, kafka_bootstrap, topic, data_dir, gateway)) as it:
        for number in range(HOURS * 60 // BATCH_MINUTES):
            some = lines_from(start + timedelta(minutes=number * BATCH_MINUTES), LINES, f"b{number}", seconds=BATCH_MINUTES * 60)
            shop.send(wire(line) for line in [*some, *some[:5]])
            lines += some
            wait_for(lambda: it.failure or progress(warehouse)[0] == shop.sent, "the batch")
            if number % (HOURS * 60 // BATCH_MINUTES // 8) == 0:
                files = [Path(folder) / name for folder, _, names in os.walk(data_dir / "spark") for name in names]
                size = sum(path.stat().st_size for path in files if path.exists())
                ((open_minutes,),) = rows(warehouse, "SELECT count(*) FROM realtime.open_minutes")
                sizes.append((len(files), size, open_minutes, jvm.memory_info().rss))
    with capsys.disabled():
        for found in sizes:
            print("files {}, bytes {:,}, open minutes {}, JVM {:,} bytes".format(*found))
    assert minutes_in(warehouse) == minutes_of(lines)
    settled, last = sizes[2:5], sizes[-3:]
    for which in range(4):
        assert max(each[which] for each in last) <= 1.5 * max(each[which] for each in settled), sizes
