"""A stream under test: order lines sent to a topic, what the minutes must say of them, and what they do say."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from kafka import KafkaProducer

from ecom_lite.engines.spark import SparkGateway
from ecom_lite.settings.load import load_settings
from ecom_lite.stream.stream import Stream
from ecom_lite.warehouse.connect import Address
from tests.running import Running
from tests.runs import wait_for

from .facts import Line, rows

WATERMARK_S = 60
READ_S = 150.0  # a second or a few, and what a busy machine adds
Minutes = dict[tuple[datetime, str], tuple[Decimal, int, int, int]]


class Shop:
    """Order lines sent to a topic, and what the minutes must say of them."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._topic = topic
        self._producer = KafkaProducer(bootstrap_servers=bootstrap, metadata_max_age_ms=1000)
        self.sent = 0

    def send(self, values: Iterable[bytes | None]) -> None:
        for value in values:
            self._producer.send(self._topic, key=b"%d" % (self.sent % 7), value=value)
            self.sent += 1
        self._producer.flush()

    def partitions(self) -> int:
        """As the producer knows them."""
        return len(self._producer.partitions_for(self._topic) or ())

    def close(self) -> None:
        self._producer.close()


def wire(line: Line) -> bytes:
    event = {
        "order_id": line.order_id,
        "user_id": line.user_id,
        "product_id": line.product_id,
        "product_title": f"Product {line.product_id}",
        "category": line.category,
        "price": float(line.price),
        "quantity": line.quantity,
        "revenue": float(line.revenue),
        "timestamp": line.ordered_at.isoformat(),
    }
    return json.dumps(event).encode()


def minutes_of(lines: Iterable[Line]) -> Minutes:
    """What the table must hold, by plain Python."""
    groups: dict[tuple[datetime, str], list[Line]] = defaultdict(list)
    for line in {(line.order_id, line.product_id): line for line in lines}.values():
        groups[line.ordered_at.replace(second=0, microsecond=0), line.category].append(line)
    return {
        key: (
            sum((line.revenue for line in group), Decimal(0)),
            len({line.order_id for line in group}),
            len(group),
            sum(line.quantity for line in group),
        )
        for key, group in groups.items()
    }


def minutes_in(warehouse: Address) -> Minutes:
    found = rows(warehouse, "SELECT window_start, category, revenue, orders, lines, units FROM realtime.sales_per_minute")
    return {(start.astimezone(UTC), category): tuple(figures) for start, category, *figures in found}


def progress(warehouse: Address) -> tuple[int, int, int]:
    """Records read, late lines, duplicates: over all micro-batches."""
    ((*sums,),) = rows(
        warehouse,
        "SELECT coalesce(sum(input_rows), 0)::int, coalesce(sum(late_rows), 0)::int, coalesce(sum(duplicate_rows), 0)::int "
        "FROM realtime.stream_progress",
    )
    return sums[0], sums[1], sums[2]


def lines_from(start: datetime, count: int, name: str, seconds: float = 150) -> list[Line]:
    """Orders of three lines, spread evenly over `seconds` of event time."""
    return [
        Line(
            f"{name}-{n // 3}",
            n % 5 + 1,
            n % 3 + n % 2 * 3 + 1,
            n % 4 + 1,
            Decimal(100 + n) / 100,
            start + timedelta(seconds=n * seconds / count),
        )
        for n in range(count)
    ]


@contextmanager
def running(stream: Stream) -> Iterator[Running]:
    """Start it, run it in a thread, and stop it at the end."""
    stream.start()
    it = Running(stream.run)
    try:
        yield it
    finally:
        it.stop.set()
        stream.stop()
        stream.stop()
        it.end()


def wait_until_read(warehouse: Address, shop: Shop, what: str) -> None:
    """Until micro-batches have read all that was sent."""
    wait_for(lambda: progress(warehouse)[0] == shop.sent, lambda: f"{what}: {progress(warehouse)} of {shop.sent}", READ_S)


def wait_until_late(warehouse: Address, line: Line) -> None:
    """Until Spark drops what is older than `line` by the delay: a batch is judged by the watermark of the one before."""
    due = line.ordered_at - timedelta(seconds=WATERMARK_S, milliseconds=1)
    known = "SELECT coalesce(max(watermark), '-infinity') >= '{}' FROM realtime.stream_progress"
    wait_for(lambda: rows(warehouse, known.format(due.isoformat())) == [(True,)], "the watermark", READ_S)


def a_stream(
    warehouse: Address, bootstrap: str, topic: str, data_dir: Path, gateway: SparkGateway,
    wall: Callable[[], float] = time.time, **more: object,
) -> Stream:  # fmt: skip
    flags = {
        "kafka.topic": topic,
        "spark.trigger_s": 0.2,
        "spark.watermark_s": WATERMARK_S,
        "run.data_dir": str(data_dir),
    }
    settings = load_settings(env={}, flags=flags | {name.replace("__", "."): value for name, value in more.items()})
    return Stream(settings, warehouse, bootstrap, data_dir, gateway, wall=wall)
