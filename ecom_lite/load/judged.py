"""Each batch's order lines on a topic of their own, for Spark, before the batch commits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from typing import Final

from kafka.errors import KafkaConnectionError, KafkaError

from ..contract.judged import encode_lines
from ..errors import first_line
from ..topic.batch_producer import BatchProducer
from ..topic.client import Config, reachable
from ..warehouse.backoff import delays
from .decode import Batch

ACK_TIMEOUT_S: Final = 10.0
log = logging.getLogger("ecom_lite.load")


class JudgedTopic:
    """Whoever reads it must drop repetitions: a batch whose transaction did not commit is sent again. None is ever missing.

    `pause(seconds)` waits for a broker that is away, and raises Stopped when waiting must end.
    """

    def __init__(self, client_config: Config, topic: str, pause: Callable[[float], None]) -> None:
        self._config = client_config
        self._topic = topic
        self._pause = pause
        self._producer: BatchProducer | None = None
        self._partitions = 0
        self.wanted = False  # whether anybody reads it
        self.waiting_for = ""

    def send(self, batch: Batch) -> None:
        """Send, and wait until the broker has all of it. Raises Stopped."""
        if not (self.wanted and batch.lines):
            return
        waits = delays()
        while True:
            try:
                self._send(batch)
            except KafkaError as error:
                self.close()
                self.waiting_for = first_line(error) or type(error).__name__
                log.warning("topic %s: %s; it is tried again", self._topic, self.waiting_for)
                self._pause(next(waits))
            else:
                self.waiting_for = ""
                return

    def _send(self, batch: Batch) -> None:
        if self._producer is None:
            if not reachable(self._config):  # a client that finds nobody keeps its sockets until Python looks for garbage
                raise KafkaConnectionError(f"nothing listens at {','.join(self._config['bootstrap_servers'])}")
            self._producer = BatchProducer(self._config)
            self._partitions = len(self._producer.partitions_for(self._topic) or (0,))
        futures = []
        for partition, lines in groupby(sorted(batch.lines, key=itemgetter(0)), key=itemgetter(0)):
            for value in encode_lines(line.event for line in lines):
                futures.append(self._producer.send(self._topic, value=value, partition=partition % self._partitions))
        self._producer.flush(ACK_TIMEOUT_S)
        for future in futures:
            future.get(timeout=ACK_TIMEOUT_S)

    def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.close(timeout=2)
