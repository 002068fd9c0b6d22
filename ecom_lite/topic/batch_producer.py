"""The Kafka client that sends: idempotent, batched, and one that closes when told to."""

from __future__ import annotations

import logging
from typing import Final

from kafka import KafkaProducer
from kafka.errors import KafkaTimeoutError

from .client import Config

log = logging.getLogger("ecom_lite.produce")

BATCH_BYTES: Final = 256 * 1024
LINGER_MS: Final = 20
DELIVERY_TIMEOUT_MS: Final = 120_000  # a broker that is away for longer makes sends fail; they are then made again
METADATA_TIMEOUT_MS: Final = 10_000
MAX_REQUEST_BYTES: Final = 8 * 1024 * 1024  # before compression: a value broken by its size has more than a megabyte


class BatchProducer(KafkaProducer):  # type: ignore[misc]
    """Idempotent, in large lz4 batches; and `close` always closes."""

    def __init__(self, config: Config) -> None:
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
        )

    def flush(self, timeout: float | None = None) -> None:
        # kafka-python's `close` gives up halfway when its flush times out: the IO thread would go on sending.
        try:
            super().flush(timeout)
        except KafkaTimeoutError:
            log.debug("flush ended before all was acknowledged")
