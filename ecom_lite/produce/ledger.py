"""The ledger of what the broker acknowledged: counted in memory, written to `ops` in the background."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from threading import Event, Lock, Thread
from typing import Final

import psycopg
from psycopg.types.json import Jsonb

from ..contract.events import producer_mark
from ..errors import first_line
from ..simulate import Campaign
from ..warehouse.connect import Address
from ..warehouse.mark import read_mark
from ..warehouse.refused import refused_login
from ..warehouse.sqlfiles import read_sql
from .counts import Checkpoints, Counts
from .plan import Opening
from .turn import Turn, TurnTaken

log = logging.getLogger("ecom_lite.produce")

FLUSH_S: Final = 0.5
RETRY_S: Final = 2.0  # while PostgreSQL is away
CLOSING_RETRY_S: Final = 0.1
WRITE_S: Final = 4.0  # the last write may take so long where PostgreSQL is there, and only slow
ROLE: Final = "ecom_producer"
_READ, _READ_SHOP, _WRITE, _WRITE_SHOP, _OPEN_SHOP = (
    read_sql(__package__, name) for name in ("read_ledger", "read_shop", "write_ledger", "write_shop", "open_shop")
)


@dataclass
class _Copy:
    """What is written: compared with what was written last."""

    counts: dict[int, Counts]
    next_sequence: int
    episodes: dict[str, int]


class Ledger:
    """One shop's counts. Change the public attributes under `lock` only; `start` keeps them written."""

    def __init__(self, address: Address, shop_id: str) -> None:
        self.lock = Lock()
        self.counts: dict[int, Counts] = {}
        self.next_sequence = 0  # every event of the orders below it is acknowledged
        self.made: int | None = None  # no event of it or a later order was handed out up to now; None: not known
        self.episodes: Counter[str] = Counter()
        self.opening = Opening()
        self.shop_id = shop_id
        self.refused = ""  # why nothing can be written though PostgreSQL answers: nothing more must be sent
        self.mark = b""  # of the records that are counted here; known once loaded
        self.was_sent = False  # somebody has sent for this shop, or may have
        self._checkpoints = Checkpoints()
        self._address = address
        self._turn = Turn(shop_id)
        self._connection: psycopg.Connection | None = None
        self._written = self._copy()
        self._away = False
        self._closing = Event()
        self._give_up = 0.0  # monotonic seconds, once closing
        self._thread: Thread | None = None

    @property
    def events(self) -> int:
        """Acknowledged records of this shop, all partitions, ever; duplicates and broken copies too."""
        with self.lock:
            return sum(counts.events for counts in self.counts.values())

    @property
    def stream_events(self) -> int:
        """Acknowledged events of the shop's stream, each counted once."""
        with self.lock:
            return sum(counts.order_lines + counts.other_events for counts in self.counts.values())

    @property
    def faults(self) -> Counter[str]:
        """Acknowledged records by fault, and the bursts and silences."""
        with self.lock:
            return sum((counts.faults for counts in self.counts.values()), self.episodes.copy())

    @property
    def away(self) -> bool:
        """True while the counts are kept in memory only, because PostgreSQL cannot be reached."""
        return self._away

    def load(self, stop: Event) -> None:
        """Take the shop's turn and read what earlier runs wrote. Raises psycopg.OperationalError when the server cannot be
        reached, TurnTaken when another process sends for this shop.
        """
        self._disconnect()
        connection = self._connection = self._connect(stop)
        rows = connection.execute(_READ, {"shop": self.shop_id}).fetchall()
        found = connection.execute(_READ_SHOP, {"shop": self.shop_id}).fetchone()
        self.mark = producer_mark(self.shop_id, read_mark(connection))
        with self.lock:
            self.counts = {
                partition: Counts(events, lines, others, int(revenue * 100), next_offset, resume_offset, Counter(faults))
                for partition, events, lines, others, revenue, next_offset, resume_offset, faults in rows
            }
            if found:
                self.next_sequence, opened_at, live_from, settings, episodes = found
                self.opening = Opening(_utc(opened_at), _utc(live_from), settings)
                self.episodes = Counter(episodes)
            self._written = self._copy()
        self.was_sent = self._turn.not_the_first or bool(rows or found)

    def open(self, opening: Opening) -> None:
        """Keep what the shop's first start has decided. Raises psycopg.OperationalError; safe to repeat."""
        if opening == self.opening:
            return
        values = {**asdict(opening), "settings": Jsonb(opening.settings)}
        with self._address.connect(ROLE) as connection:
            connection.execute(_OPEN_SHOP, {"shop": self.shop_id, **values})
        self.opening = opening

    def keep_campaigns(self, campaigns: Sequence[Campaign]) -> None:
        """All that the shop ever had. Raises as `open`."""
        kept = {**(self.opening.settings or {}), "campaigns": [asdict(campaign) for campaign in campaigns]}
        self.open(replace(self.opening, settings=kept))

    def start(self) -> None:
        """Write every FLUSH_S, in a thread, what has changed."""
        self._thread = Thread(target=self._keep_writing, name="produce-ledger", daemon=True)
        self._thread.start()

    def close(self, timeout_s: float) -> bool:
        """Write the rest and end the thread. A PostgreSQL that is away is waited for `timeout_s`. False if that did not work in
        time: the topic still has the truth, and the next start counts it from there. Safe to call twice and before `start`.
        """
        self._give_up = time.monotonic() + timeout_s
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout_s if self._away else max(timeout_s, WRITE_S))
        else:
            self._disconnect()
        with self.lock:
            written = self._copy() == self._written
        if not written:
            log.warning("the ledger is not written to the end; the next start completes it from the topic")
        return written

    def _keep_writing(self) -> None:
        while not self._closing.wait(RETRY_S if self._away else FLUSH_S):
            self._write(keep_turn=True)
        self._write()
        while self._away and not self.refused and time.monotonic() < self._give_up:
            time.sleep(CLOSING_RETRY_S)
            self._write()
        if self._connection is not None and not self.refused:
            with suppress(psycopg.Error):
                self._turn.give(self._connection)
        self._disconnect()

    def _write(self, keep_turn: bool = False) -> None:
        """What has changed; with `keep_turn` the session is asked for even where nothing has."""
        if self._turn.lost:
            return
        with self.lock:
            if self.made is not None:
                self._checkpoints.advance(self.counts, self.next_sequence, self.made)
            now = self._copy()
        if now == self._written and not keep_turn:
            self._away = False
            return
        written = self._written.counts
        changed = {partition: count for partition, count in now.counts.items() if count != written.get(partition)}
        try:
            self._write_rows(changed, now)
        except TurnTaken as taken:
            self.refused = str(taken)
            return
        except psycopg.Error as error:
            self._disconnect()
            refused = f"PostgreSQL does not let the producer write its ledger: {first_line(error)}"
            self.refused = refused if refused_login(error) else ""
            if not self._away:
                log.warning("PostgreSQL does not take the ledger (%s): counting in memory until it does", error)
            self._away = True
            return
        if self._away:
            log.info("the ledger is being written again")
        self._away = False
        with self.lock:
            self._written = now

    def _write_rows(self, counts: Mapping[int, Counts], now: _Copy) -> None:
        if self._connection is None:
            self._connection = self._connect(self._closing)
        if now == self._written:
            self._connection.execute("SELECT")
            return
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
                        "faults": Jsonb(count.faults),
                        "next_offset": count.next_offset,
                        "resume_offset": count.resume_offset,
                    },
                )
            self._connection.execute(
                _WRITE_SHOP,
                {"shop": self.shop_id, "next_sequence": now.next_sequence, "episodes": Jsonb(now.episodes)},
            )

    def _connect(self, stop: Event) -> psycopg.Connection:
        """A session that has the shop's turn: nothing is written without."""
        connection = self._address.connect(ROLE, autocommit=True)
        try:
            self._turn.take(connection, stop)
        except BaseException:
            connection.close()
            raise
        return connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _copy(self) -> _Copy:
        counts = {partition: count.copy() for partition, count in self.counts.items()}
        return _Copy(counts, self.next_sequence, dict(self.episodes))


def _utc(time: datetime | None) -> datetime | None:
    return None if time is None else time.astimezone(UTC)
