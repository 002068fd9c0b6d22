"""The ledger of what the broker acknowledged: counted in memory, written to `ops` in the background."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib.resources import files
from threading import Event, Lock, Thread
from typing import Final

import psycopg

from ..warehouse.connect import Address

log = logging.getLogger("ecom_lite.produce")

FLUSH_S: Final = 0.5
RETRY_S: Final = 2.0  # while PostgreSQL is away
CLOSING_RETRY_S: Final = 0.1
ROLE: Final = "ecom_producer"
_READ, _WRITE, _WRITE_SHOP = (
    files(__package__).joinpath(f"{name}.sql").read_text() for name in ("read_ledger", "write_ledger", "write_shop")
)


@dataclass
class Counts:
    """What one partition holds of one shop, as acknowledged. Every own record below `next_offset` is in it."""

    events: int = 0
    order_lines: int = 0
    other_events: int = 0
    revenue_cents: int = 0
    next_offset: int = 0

    def add(self, order_lines: int, other_events: int, revenue_cents: int, next_offset: int) -> None:
        self.events += order_lines + other_events
        self.order_lines += order_lines
        self.other_events += other_events
        self.revenue_cents += revenue_cents
        self.next_offset = next_offset


class Ledger:
    """One shop's counts. Change `counts` and `next_sequence` under `lock` only; `start` keeps them written."""

    def __init__(self, address: Address, shop_id: str) -> None:
        self.lock = Lock()
        self.counts: dict[int, Counts] = {}
        self.next_sequence = 0
        self.shop_id = shop_id
        self._address = address
        self._connection: psycopg.Connection | None = None
        self._written: tuple[dict[int, Counts], int] = ({}, -1)
        self._away = False
        self._closing = Event()
        self._give_up = 0.0  # monotonic seconds, once closing
        self._thread: Thread | None = None

    @property
    def events(self) -> int:
        """Acknowledged events of this shop, all partitions, ever."""
        with self.lock:
            return sum(counts.events for counts in self.counts.values())

    @property
    def away(self) -> bool:
        """True while the counts are kept in memory only, because PostgreSQL cannot be reached."""
        return self._away

    def load(self) -> None:
        """Read what earlier runs wrote. Raises psycopg.OperationalError when the server cannot be reached."""
        with self._address.connect(ROLE) as connection:
            rows = connection.execute(_READ, {"shop": self.shop_id}).fetchall()
            found = connection.execute("SELECT next_sequence FROM ops.shops WHERE shop = %s", [self.shop_id]).fetchone()
        with self.lock:
            self.counts = {
                partition: Counts(events, lines, others, int(revenue * 100), next_offset)
                for partition, events, lines, others, revenue, next_offset in rows
            }
            self.next_sequence = found[0] if found else 0
            self._written = self._copy()

    def start(self) -> None:
        """Write every FLUSH_S, in a thread, what has changed."""
        self._thread = Thread(target=self._keep_writing, name="produce-ledger", daemon=True)
        self._thread.start()

    def close(self, timeout_s: float) -> bool:
        """Write the rest and end the thread. False if that did not work in time: the topic still has the truth, and
        the next start counts it from there. Safe to call twice and before `start`."""
        self._give_up = time.monotonic() + timeout_s
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
        with self.lock:
            written = self._copy() == self._written
        if not written:
            log.warning("the ledger is not written to the end; the next start completes it from the topic")
        return written

    def _keep_writing(self) -> None:
        while not self._closing.wait(RETRY_S if self._away else FLUSH_S):
            self._write()
        self._write()
        while self._away and time.monotonic() < self._give_up:
            time.sleep(CLOSING_RETRY_S)
            self._write()
        self._disconnect()

    def _write(self) -> None:
        with self.lock:
            counts, next_sequence = now = self._copy()
        written_counts, written_sequence = self._written
        changed = {partition: count for partition, count in counts.items() if count != written_counts.get(partition)}
        if not changed and next_sequence == written_sequence:
            return
        try:
            self._write_rows(changed, next_sequence)
        except psycopg.Error as error:
            self._disconnect()
            if not self._away:
                log.warning("PostgreSQL does not take the ledger (%s): counting in memory until it does", error)
            self._away = True
            return
        if self._away:
            log.info("the ledger is being written again")
        self._away = False
        with self.lock:
            self._written = now

    def _write_rows(self, counts: Mapping[int, Counts], next_sequence: int) -> None:
        if self._connection is None:
            self._connection = self._address.connect(ROLE)
        with self._connection.transaction():
            for partition, count in counts.items():
                self._connection.execute(
                    _WRITE,
                    {
                        "shop": self.shop_id,
                        "partition": partition,
                        "events": count.events,
                        "order_lines": count.order_lines,
                        "other_events": count.other_events,
                        "revenue": Decimal(count.revenue_cents).scaleb(-2),
                        "next_offset": count.next_offset,
                    },
                )
            self._connection.execute(_WRITE_SHOP, {"shop": self.shop_id, "next_sequence": next_sequence})

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _copy(self) -> tuple[dict[int, Counts], int]:
        return {partition: replace(count) for partition, count in self.counts.items()}, self.next_sequence
