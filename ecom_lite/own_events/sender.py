"""Foreign records to a topic: idempotent, by key, in bounded memory, and counted once the broker has acknowledged them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from ..topic.batch_producer import BATCH_BYTES, BatchProducer
from ..topic.packer import Packer
from .whole import Whole

MAX_UNACKED: Final = 20_000  # records that the broker has not acknowledged ...
MAX_UNACKED_BYTES: Final = 32 * 1024 * 1024  # ... and their size on the wire; above either the file waits for the broker
SETTLE_S: Final = 0.005
TURN_S: Final = 0.001  # how often the clock is looked at where records come one after another


def batch_bytes(limit: int | None) -> int:
    """How large batches may be in a topic that takes `limit` bytes; what the records are wrapped in needs some of them."""
    return BATCH_BYTES if limit is None else min(BATCH_BYTES, limit - limit // 8)


class LineSender:
    """Sends values as they are, without a header: the ledger knows nothing of them. For one thread, where Ctrl-C parts no record.

    Its methods raise the KafkaError of the first batch that the broker has refused or not acknowledged in time.
    """

    def __init__(
        self, producer: BatchProducer, topic: str, batch_bytes: int = BATCH_BYTES, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._packer = Packer(producer, topic, lambda: None, batch_bytes)
        self._sleep = sleep
        self.whole = Whole()
        self._turn_at = 0.0
        self.sent = 0

    @property
    def acknowledged(self) -> int:
        return self.sent - self._packer.unacked

    def send(self, value: bytes, key: bytes | None) -> None:
        """Hand one record over; blocks while too many are not acknowledged."""
        if time.monotonic() >= self._turn_at:
            self._make_room()
        with self.whole:
            self._packer.add(key, value)
            self.sent += 1

    def rest(self) -> float | None:
        """For when nothing is to be sent: sends what has waited long enough. Returns in how many seconds to call it again,
        None where all is acknowledged."""
        self._settle()
        self._turn_at = 0.0
        return self._packer.wait_s() if self._packer.unacked else None

    def drain(self, limit_s: float | None = None) -> None:
        """Send the rest, and wait until all are acknowledged, or `limit_s` has passed."""
        give_up = None if limit_s is None else time.monotonic() + limit_s
        with self.whole:
            self._packer.flush()
        self._settle()
        while self._packer.unacked and (give_up is None or time.monotonic() < give_up):
            self._sleep(SETTLE_S)
            self._settle()

    def _make_room(self) -> None:
        self._settle()
        while self._packer.unacked >= MAX_UNACKED or self._packer.unacked_bytes >= MAX_UNACKED_BYTES:
            self._sleep(SETTLE_S)
            self._settle()
        self._turn_at = time.monotonic() + TURN_S

    def _settle(self) -> None:
        with self.whole:
            self._packer.turn()
            for _ in self._packer.acknowledged():
                pass
