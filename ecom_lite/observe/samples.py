"""Samples of a run's health in ops.health_samples: what the dashboards show of lag, rates, delay, memory and disk over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from ..warehouse.offsets import Place
from ..warehouse.sqlfiles import read_sql
from .figures import StreamFigures
from .status import PartStatus

ROLE: Final = "ecom_stream"  # it may write these rows, and those of the sums, and no facts
UNWELL: Final = "unwell"
FINE_S: Final = 6 * 3600  # for so long every sample is kept, then one a minute
KEEP_S: Final = 7 * 86_400
OF_STREAM: Final = ("rows_per_s", "state_rows", "late_rows", "watermark_lag_s", "phases_ms")  # names of StreamFigures


def add_sample(
    connection: psycopg.Connection,
    topic: str,
    loaded: Mapping[Place, int],
    ends: Mapping[Place, int],
    *,
    parts: Mapping[str, PartStatus],
    memory: Mapping[str, int],
    disk: Mapping[str, int],
    stream: StreamFigures | None = None,
) -> None:
    """One row, of now. `ends` are the broker's and `loaded` where loading goes on, read before; {} where nobody knows them.

    `topic` is kafka.topic, whose partitions need no other name than their number. `stream` is None without Spark.
    Raises psycopg.Error.
    """
    places = [
        {
            "topic": of, "partition": partition, "name": str(partition) if of == topic else f"{of}/{partition}",
            "end_offset": end, "next_offset": loaded.get((of, partition), 0),
        }
        for (of, partition), end in sorted(ends.items())
    ]  # fmt: skip
    states = {name: UNWELL if part.state == "ready" and not part.ok else part.state for name, part in parts.items()}
    values = {"partitions": places, "parts": states, "memory": dict(memory), "disk": dict(disk), "stream": _of_stream(stream)}
    connection.execute(read_sql(__package__, "take_sample"), {name: Jsonb(value) for name, value in values.items()})


def _of_stream(stream: StreamFigures | None) -> dict[str, Any]:
    if stream is None:
        return {}
    return {name: getattr(stream, name) for name in OF_STREAM}


def thin_samples(connection: psycopg.Connection, fine_s: float = FINE_S, keep_s: float = KEEP_S) -> None:
    """Keep one sample a minute of those older than `fine_s`, and none older than `keep_s`. Raises psycopg.Error."""
    connection.execute(read_sql(__package__, "thin_samples"), {"fine_s": fine_s, "keep_s": keep_s})
