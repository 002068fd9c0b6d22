"""Foreign records to a topic: idempotent, by key, in bounded memory, and counted once the broker has acknowledged them."""

from __future__ import annotations

import time
from collections import deque
from typing import Any, Final

from ..topic.batch_producer import BatchProducer
from ..topic.client import Config

MAX_UNACKED: Final = 20_000  # records that the broker has not acknowledged ...
MAX_UNACKED_BYTES: Final = 32 * 1024 * 1024  # ... and their size; above either the file waits for the broker
SETTLE_S: Final = 0.005


class LineSender:
    """Sends values as they are, without a header: the ledger knows nothing of them. For one thread.

    Its methods raise the KafkaError of the first record that the broker has refused or not acknowledged in time.
    """

    def __init__(self, config: Config, topic: str) -> None:
        self._producer = BatchProducer(config)
        self._topic = topic
        self._unacked: deque[tuple[Any, int]] = deque()  # (future, bytes) in the order of sending
        self._unacked_bytes = 0
        self.acknowledged = 0

    def send(self, value: bytes, key: bytes | None) -> None:
        """Hand one record over; blocks while too many are not acknowledged."""
        while len(self._unacked) >= MAX_UNACKED or self._unacked_bytes >= MAX_UNACKED_BYTES:
            self.settle()
            time.sleep(SETTLE_S)
        self._unacked.append((self._producer.send(self._topic, value, key), len(value)))
        self._unacked_bytes += len(value)

    def settle(self) -> None:
        """Count what has been acknowledged since the last call."""
        unacked = self._unacked
        while unacked and unacked[0][0].is_done:
            future, size = unacked[0]
            if future.exception is not None:
                raise future.exception
            unacked.popleft()
            self._unacked_bytes -= size
            self.acknowledged += 1

    def drain(self, limit_s: float | None = None) -> None:
        """Wait until all are acknowledged, or `limit_s` has passed."""
        give_up = None if limit_s is None else time.monotonic() + limit_s
        self.settle()
        while self._unacked and (give_up is None or time.monotonic() < give_up):
            time.sleep(SETTLE_S)
            self.settle()

    def close(self) -> None:
        """Free the client; what is not acknowledged by now is given up."""
        self._producer.close(timeout=0)
