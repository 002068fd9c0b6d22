"""The Kafka client that sends: idempotent, batched, one that closes when told to, and one that leaves no other beside it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

from kafka import KafkaProducer, TopicPartition
from kafka.errors import KafkaTimeoutError

from .client import Config
from .record_batch import WholeBatch

log = logging.getLogger("ecom_lite.produce")

BATCH_BYTES: Final = 256 * 1024
LINGER_MS: Final = 20
DELIVERY_TIMEOUT_MS: Final = 120_000  # a broker that is away for longer makes sends fail; they are then made again
METADATA_TIMEOUT_MS: Final = 10_000
MAX_REQUEST_BYTES: Final = 8 * 1024 * 1024  # before compression: a value broken by its size has more than a megabyte


class BatchProducer(KafkaProducer):  # type: ignore[misc]
    """Idempotent, in large lz4 batches; and `close` always closes."""

    def __init__(self, config: Config, **options: Any) -> None:
        super().__init__(
            **config,
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            batch_size=BATCH_BYTES,
            linger_ms=LINGER_MS,
            delivery_timeout_ms=DELIVERY_TIMEOUT_MS,
            max_block_ms=METADATA_TIMEOUT_MS,
            max_request_size=MAX_REQUEST_BYTES,
            allow_auto_create_topics=False,
            metrics_enabled=False,
            **options,
        )

    def hand_over(self, topic: str, partition: int, body: bytes, records: int, first_ms: int, last_ms: int) -> WholeBatch:
        """A batch that was put together elsewhere takes the way of those of `send`: numbered, sent, sent again where the
        answer does not come. `body` are its records, not compressed; the times are those of the first and the last one."""
        batch = WholeBatch(TopicPartition(topic, partition), body, records, first_ms, last_ms)
        self.put(batch)
        return batch

    def put(self, batch: WholeBatch) -> None:
        """Into the queue of its partition."""
        part, waiting = batch.topic_partition, self._accumulator
        with waiting._tp_lock(part):
            waiting._batches[part].append(batch)
            waiting._incomplete.add(batch)

    def wake(self) -> None:
        """Have sent what was handed over. (One call for several: a request takes a batch of each partition.)"""
        self._sender.wakeup()

    def flush(self, timeout: float | None = None) -> None:
        # kafka-python's `close` gives up halfway when its flush times out: the IO thread would go on sending.
        try:
            super().flush(timeout)
        except KafkaTimeoutError:
            log.debug("flush ended before all was acknowledged")


class SoleProducer(BatchProducer):
    """The only one of its `name` at this broker: from `take_over` on, whatever an earlier one still has in flight is refused.

    A request that has reached the broker can be written long after the process that sent it has died, and after the next one
    has read the topic's end. The broker knows a name's number and counts its epochs, and takes nothing of an older epoch: but
    only where it has seen the new one. An empty transaction shows it to each partition, by markers that follow the broker's
    answer; the next one begins behind them. What is sent then is in none. The first batch that fails ends all: the error is
    that of every later one.
    """

    def __init__(self, config: Config, name: str) -> None:
        super().__init__(config, transactional_id=name)

    def take_over(self, topic: str, first: bool) -> None:
        """Before the topic's end is read. `first`: nobody has ever sent by this name, so that nobody must be kept out.

        Raises KafkaError, an AuthorizationError where the broker does not let us have the name. To be called once.
        """
        parts = [TopicPartition(topic, number) for number in sorted(self.partitions_for(topic))]
        self.init_transactions()
        if not first:
            self._empty_transaction(parts)
            self._empty_transaction(parts[:1])  # returns once all partitions have the markers of the one before
        manager = self._transaction_manager
        manager.transactional_id = None
        # The client would go on after a batch that has failed, at times by another number that nobody could keep out.
        manager.classify_batch_error = lambda *_, **__: manager.ERROR_CLASS_FATAL
        manager.reset_producer_id = lambda: None

    def _empty_transaction(self, parts: Sequence[TopicPartition]) -> None:
        self.begin_transaction()
        for part in parts:
            self._transaction_manager.maybe_add_partition_to_transaction(part)
        self.commit_transaction()
