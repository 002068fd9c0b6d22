"""Dead letters on their own topic, with the headers that Kafka Connect's tools understand."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kafka import KafkaProducer
from kafka.errors import KafkaError

from .decode import DeadLetter

ACK_TIMEOUT_S: Final = 10
log = logging.getLogger("ecom_lite.load")


class DeadLetterTopic:
    """Sends before the batch commits: a dead letter is never missing here; a crash in between can repeat one.

    The table ops.dead_letters is the exact record. The producer is made at the first dead letter.
    """

    def __init__(self, client_config: Mapping[str, Any], source: str, topic: str) -> None:
        self._config = dict(client_config)
        self._source = source
        self._topic = topic
        self._producer: KafkaProducer | None = None

    def send(self, letters: Sequence[DeadLetter]) -> None:
        """Send and wait for the acknowledgements; a broker that does not answer is logged, the table has the letters."""
        if not letters:
            return
        try:
            if self._producer is None:
                self._producer = KafkaProducer(**self._config, linger_ms=5)
            for letter in letters:
                self._producer.send(
                    self._topic, key=letter.key, value=letter.value, headers=self._headers(letter), partition=None
                )
            self._producer.flush(timeout=ACK_TIMEOUT_S)
        except KafkaError as error:
            log.warning("%d dead letters are in ops.dead_letters but not on topic %s: %s", len(letters), self._topic, error)

    def _headers(self, letter: DeadLetter) -> list[tuple[str, bytes]]:
        ours = {
            "__connect.errors.topic": self._source,
            "__connect.errors.partition": str(letter.partition),
            "__connect.errors.offset": str(letter.offset),
            "__connect.errors.connector.name": "ecom_lite",
            "__connect.errors.stage": "VALUE_CONVERTER",
            "__connect.errors.class.name": letter.error_class,
            "__connect.errors.exception.class.name": letter.reason,
            "__connect.errors.exception.message": letter.detail,
        }
        kept = [(name, value or b"") for name, value in letter.headers]
        return kept + [(name, text.encode("utf-8", "replace")) for name, text in ours.items()]

    def close(self) -> None:
        if self._producer is not None:
            self._producer.close(timeout=2)
            self._producer = None
