"""Gaps: offsets that Kafka's retention removed before they were loaded, as ops.gaps has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg.rows import class_row

from ..warehouse.sqlfiles import read_sql

NAMED: Final = 5  # in one text; the others are counted


@dataclass(frozen=True)
class Gap:
    """Offsets `first` .. `last` of one partition, found missing at `at`."""

    topic: str
    partition: int
    first: int
    last: int
    at: datetime

    def __str__(self) -> str:
        return f"offsets {self.first} .. {self.last} of {self.topic}[{self.partition}]"

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "at": self.at.isoformat(), "count": self.last - self.first + 1}


def read_gaps(reader: psycopg.Connection[Any]) -> list[Gap]:
    """All of them, oldest first. Raises psycopg.Error."""
    with reader.cursor(row_factory=class_row(Gap)) as cursor:
        return cursor.execute(read_sql(__package__, "gaps")).fetchall()


def tell(gaps: Sequence[Gap]) -> str:
    """What has happened, and what to do about the next one."""
    named = ", ".join(str(gap) for gap in gaps[:NAMED])
    more = f" and {len(gaps) - NAMED} more ranges" if len(gaps) > NAMED else ""
    return (
        f"{named}{more} were removed by retention before they were loaded: they are gone; "
        "raise kafka.retention_hours or kafka.retention_mb, or the broker's own retention, to keep the next ones"
    )
