"""Changes of alerts on a Kafka topic: one JSON record each, key: the rule. The client lives only while something is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from kafka.errors import KafkaError

from ..topic.batch_producer import BatchProducer
from ..topic.client import Config, explain, reachable
from .delivery import Undelivered
from .message import AlertMessage

FLUSH_S: Final = 10.0
CLOSE_S: Final = 2.0


class TopicOutlet:
    """`client` is asked for kafka-python's settings when there is something to send."""

    name = "topic"

    def __init__(self, topic: str, client: Callable[[], Config]) -> None:
        self._topic = topic
        self._client = client

    def send(self, messages: Sequence[AlertMessage]) -> int:
        config = self._client()
        if not reachable(config):
            raise Undelivered(f"nothing listens at {','.join(config['bootstrap_servers'])}")
        try:
            producer = BatchProducer(config)
        except KafkaError as error:
            raise Undelivered(explain(config, error)) from error
        try:
            futures = [producer.send(self._topic, key=message.rule.encode(), value=message.encoded()) for message in messages]
            producer.flush(FLUSH_S)
            if not all(future.succeeded() for future in futures):
                why = next((str(future.exception) for future in futures if future.failed()), f"no answer within {FLUSH_S:g} s")
                raise Undelivered(f"topic {self._topic}: {why}")
            return len(messages)
        except KafkaError as error:
            raise Undelivered(f"topic {self._topic}: {type(error).__name__}: {error}") from error
        finally:
            producer.close(timeout=CLOSE_S)
