"""The ends of topics, asked again and again by one consumer that stays open."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress

from kafka import KafkaConsumer
from kafka.errors import KafkaError

from ..errors import EcomLiteError
from .client import Config, explain, partitions_of, reachable


class TopicEnds:
    """Asks one broker for the ends of all partitions of some topics. For any thread, one at a time; `close` may come twice."""

    def __init__(self, config: Config, topics: Sequence[str]) -> None:
        self.config = config
        self.topics = tuple(topics)
        self._lock = threading.Lock()
        self._consumer: KafkaConsumer | None = None

    def ask(self) -> dict[tuple[str, int], int]:
        """By topic and partition the offset below which all records can be read. Raises EcomLiteError; then it connects anew.

        Blocks for a second at most where nothing listens, and for the client's request timeout where nothing answers.
        """
        with self._lock:
            if self._consumer is None and not reachable(self.config):
                raise EcomLiteError(f"no Kafka at {','.join(self.config['bootstrap_servers'])}")
            try:
                if self._consumer is None:
                    self._consumer = KafkaConsumer(
                        **{**self.config, "isolation_level": "read_committed", "group_id": None, "enable_auto_commit": False}
                    )
                parts = [part for topic in self.topics for part in partitions_of(self._consumer, topic)]
                ends = self._consumer.end_offsets(parts)
            except KafkaError as error:
                self._drop()
                raise EcomLiteError(f"asking for the topics' ends: {explain(self.config, error)}") from error
            except EcomLiteError:
                self._drop()
                raise
            return {(part.topic, part.partition): ends[part] for part in parts}

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with suppress(KafkaError):
                consumer.close()
