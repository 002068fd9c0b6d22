"""The producer's ledger as one reading: what the broker has acknowledged, by kind and by fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import psycopg

from ..warehouse.sqlfiles import read_sql


@dataclass(frozen=True)
class Ledger:
    """Sums over all shops and partitions, ever. `events` counts all records; `order_lines` and `other_events` the stream's."""

    events: int
    order_lines: int
    other_events: int
    faults: Mapping[str, int]  # "late", "out_of_order", "duplicate", "malformed.<kind>" -> events

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read_ledger(reader: psycopg.Connection) -> Ledger:
    """The ledger of this moment."""
    row = reader.execute(read_sql(__package__, "ledger")).fetchone()
    assert row is not None  # sums are always one row
    return Ledger(*row)
