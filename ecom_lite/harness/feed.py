"""Sends a round's records, in compressed batches and transactions of a foreign producer, now or while the loader works."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kafka import KafkaProducer
from kafka.errors import KafkaError

from ..errors import EcomLiteError
from .records import Portion
from .topic import OWN_HEADER

ACK_S: Final = 30.0
CLOSE_S: Final = 5.0
FOREIGN: Final = ([("source", b"elsewhere")], [("ecom_lite", b"seed-1@elsewhere")])  # the second: copied from another warehouse


class Feed:
    """One round's producers. `send` is for one thread at a time."""

    def __init__(self, client: Mapping[str, Any], topic: str, mark: bytes) -> None:
        self._own = [(OWN_HEADER, mark)]  # what the producer of a run puts on its records
        self._client, self._topic = client, topic
        self._producers: dict[str, KafkaProducer] = {}
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._ended = threading.Event()

    def send(self, portions: Sequence[Portion], pause_s: float = 0.0) -> None:
        """All of it, acknowledged. Raises EcomLiteError when the broker does not take it."""
        try:
            for portion in portions:
                if self._ended.wait(pause_s):
                    return
                self._send(portion)
            for producer in self._producers.values():
                producer.flush(timeout=ACK_S)
        except KafkaError as error:
            raise EcomLiteError(f"the records of the round could not be sent: {error!r}") from error

    def _send(self, portion: Portion) -> None:
        if portion.transaction is None:
            producer = self._producer(str(portion.codec), compression_type=portion.codec)
        else:
            producer = self._producers.get("transactions")
            if producer is None:
                producer = self._producer("transactions", transactional_id=f"{self._topic}-foreign")
                producer.init_transactions()
            producer.begin_transaction()
        futures = [
            producer.send(
                self._topic,
                key=r.key,
                value=r.value,
                partition=r.partition,
                headers=self._own if r.own else FOREIGN[number % len(FOREIGN)],
            )
            for number, r in enumerate(portion.records)
        ]
        if portion.transaction is not None:
            producer.flush(timeout=ACK_S)
            (producer.commit_transaction if portion.transaction == "commit" else producer.abort_transaction)()
        else:
            futures[-1].get(timeout=ACK_S)  # the order of the portions is the order on the broker

    def _producer(self, name: str, **options: Any) -> KafkaProducer:
        if name not in self._producers:
            self._producers[name] = KafkaProducer(**self._client, linger_ms=2, **options)
        return self._producers[name]

    def begin(self, portions: Sequence[Portion], pause_s: float) -> None:
        """Send in a thread, with a pause before each portion."""

        def run() -> None:
            try:
                self.send(portions, pause_s)
            except BaseException as error:  # raised by whoever asks whether it is done
                self._failure = error

        self._thread = threading.Thread(target=run, name="feed", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether all that was begun is on the broker."""
        if self._thread is not None and self._thread.is_alive():
            return False
        if self._failure is not None:
            raise self._failure
        return True

    def close(self) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join(CLOSE_S)
        for producer in self._producers.values():
            producer.close(timeout=1)
