"""Source: what a poll that fails says of the partitions."""

from __future__ import annotations

from typing import Any, cast

import pytest
from kafka import KafkaConsumer
from kafka.errors import GroupAuthorizationFailedError, KafkaConnectionError, KafkaError

from ecom_lite.load.source import Source
from ecom_lite.load.topics import Topics


class Consumer:
    """A consumer whose polls raise."""

    class _cluster:
        @staticmethod
        def topic_id(topic: str) -> None:
            return None

    def __init__(self, error: KafkaError) -> None:
        self.error = error

    def subscribe(self, topics: list[str], listener: Any) -> None:
        pass

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {0}

    def poll(self, timeout_ms: int, max_records: int) -> Any:
        raise self.error


def source(error: KafkaError) -> Source:
    consumer = cast(KafkaConsumer, Consumer(error))
    return Source(consumer, Topics("events", ()), lambda beginnings, ends, ids: None, lambda beginnings, ids: {})


def test_a_broker_that_is_gone_ends_no_loader_and_has_all_partitions_claimed_anew() -> None:
    it = source(KafkaConnectionError("111 ECONNREFUSED"))
    assert it.poll(0.0, 10) == []
    assert it.changed.is_set()


def test_what_no_waiting_mends_ends_the_loader() -> None:
    with pytest.raises(GroupAuthorizationFailedError):
        source(GroupAuthorizationFailedError("no")).poll(0.0, 10)
