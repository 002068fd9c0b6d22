"""The producer's ledger as one reading: what the broker has acknowledged, by kind and by fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import psycopg

from ..warehouse.sqlfiles import read_sql

DUPLICATE: Final = "duplicate"
MALFORMED: Final = "malformed."  # followed by the kind


@dataclass(frozen=True)
class Ledger:
    """Sums over all shops and partitions, ever. `events` counts all records; `order_lines` and `other_events` the stream's."""

    events: int
    order_lines: int
    other_events: int
    faults: Mapping[str, int]  # "late", "out_of_order", "duplicate", "malformed.<kind>" -> events

    @property
    def duplicates(self) -> int:
        return self.faults.get(DUPLICATE, 0)

    @property
    def malformed(self) -> dict[str, int]:
        return {fault: count for fault, count in self.faults.items() if fault.startswith(MALFORMED)}


def read_ledger(reader: psycopg.Connection) -> Ledger:
    """The ledger of this moment."""
    row = reader.execute(read_sql(__package__, "ledger")).fetchone()
    assert row is not None  # sums are always one row
    return Ledger(*row)
