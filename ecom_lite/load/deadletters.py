"""Dead letters on their own topic, with the headers that Kafka Connect's tools understand."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError

from .decode import DeadLetter
from .topics import Topics

ACK_TIMEOUT_S: Final = 10
PRODUCER: Final = {
    "linger_ms": 5,
    "max_block_ms": ACK_TIMEOUT_S * 1000,  # a broker that is away must not hold the loader up for long
    "max_request_size": 16 * 1024 * 1024,  # the original may be as large as its own topic allows, and headers come on top
}
log = logging.getLogger("ecom_lite.load")


class DeadLetterTopic:
    """Sends before the batch commits: a dead letter is never missing here; a crash in between can repeat one.

    The table ops.dead_letters is the exact record. The producer is made at the first dead letter.
    """

    def __init__(self, client_config: Mapping[str, Any], sources: Topics, topic: str) -> None:
        self._config = dict(client_config)
        self._sources = sources
        self._topic = topic
        self._producer: KafkaProducer | None = None

    def send(self, letters: Sequence[DeadLetter]) -> None:
        """Send and wait for the acknowledgements; what Kafka does not take is logged, the table has it."""
        if not letters:
            return
        futures, problem = [], None
        try:
            if self._producer is None:
                self._producer = KafkaProducer(**self._config, **PRODUCER)
            for letter in letters:
                try:
                    # The client cannot send neither key nor value, nor a header of null: they go as empty.
                    value = b"" if letter.key is None and letter.value is None else letter.value
                    futures.append(self._producer.send(self._topic, key=letter.key, value=value, headers=self._headers(letter)))
                except MessageSizeTooLargeError as error:
                    problem = error
            self._producer.flush(timeout=ACK_TIMEOUT_S)
        except KafkaError as error:
            problem = error
        problem = next((future.exception for future in futures if future.failed()), problem)
        if problem is not None:
            missing = len(letters) - sum(future.succeeded() for future in futures)
            log.warning("%d dead letters are in ops.dead_letters but not on topic %s: %r", missing, self._topic, problem)

    def _headers(self, letter: DeadLetter) -> list[tuple[str, bytes]]:
        topic, partition = self._sources.place(letter.partition)
        ours = {
            "__connect.errors.topic": topic,
            "__connect.errors.partition": str(partition),
            "__connect.errors.offset": str(letter.offset),
            "__connect.errors.connector.name": "ecom_lite",
            "__connect.errors.stage": "VALUE_CONVERTER",
            "__connect.errors.class.name": letter.error_class,
            "__connect.errors.exception.class.name": letter.reason,
            "__connect.errors.exception.message": letter.detail,
        }
        return [(name, value or b"") for name, value in letter.headers] + [
            (name, text.encode("utf-8", "replace")) for name, text in ours.items()
        ]

    def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError):  # a broker that is away: what it has not got is logged already
                producer.close(timeout=2)
