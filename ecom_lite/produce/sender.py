"""One shop's events to the topic: partitioned by key, and booked into the ledger once acknowledged."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import Any, Final

from kafka.errors import KafkaError
from kafka.partitioner import murmur2

from ..contract.events import FAULT_HEADER, PRODUCER_HEADER
from ..simulate import Outgoing
from ..topic.batch_producer import BatchProducer
from ..topic.client import Config
from .counts import Tally
from .ledger import Ledger

KNOWN_KEYS: Final = 200_000  # some 25 MB; a shop may have millions of customers
_DELAYED: Final = ("late", "out_of_order")

Unacked = deque[tuple[Any, Outgoing]]  # (future, event) in the order of sending


class Sender:
    """Sends one shop's events and books each acknowledged one into its ledger. For one thread.

    Raises KafkaError where the broker cannot be reached or does not know the topic.
    """

    def __init__(self, config: Config, topic: str, ledger: Ledger) -> None:
        self._producer = BatchProducer(config)
        self._topic = topic
        self._ledger = ledger
        self._headers = {"": [(PRODUCER_HEADER, ledger.mark)]}  # by fault
        self._partition_of: dict[bytes, int] = {}
        try:
            self._partitions: list[int] = sorted(self._producer.partitions_for(topic))
        except KafkaError:
            self.close(0)
            raise
        self._unacked: dict[int, Unacked] = {partition: deque() for partition in self._partitions}
        self._overtaken: list[tuple[int, int, Any]] = []  # a heap of (order, number, future): delayed ones, not acknowledged
        self._numbers = 0
        self.unacked = 0

    def send(self, events: list[Outgoing]) -> None:
        """Hand the events to the client's IO thread. The caller bounds `unacked`: nothing here does."""
        send, topic, headers, partition_of, unacked = (
            self._producer.send,
            self._topic,
            self._headers[""],
            self._partition_of,
            self._unacked,
        )
        for event in events:
            key = event.key
            partition = partition_of.get(key)
            if partition is None:
                partition = self._choose_partition(key)
            if event.fault:
                future = send(topic, event.value, key, self._headers_of(event.fault), partition)
                if event.fault in _DELAYED:
                    self._numbers += 1
                    heappush(self._overtaken, (event.sequence, self._numbers, future))
            else:
                future = send(topic, event.value, key, headers, partition)
            unacked[partition].append((future, event))
            self.unacked += 1

    def _choose_partition(self, key: bytes) -> int:
        # What Kafka's own partitioner does, once per customer instead of once per event.
        if len(self._partition_of) >= KNOWN_KEYS:
            self._partition_of.clear()
        partition: int = self._partitions[(murmur2(key) & 0x7FFFFFFF) % len(self._partitions)]
        self._partition_of[key] = partition
        return partition

    def _headers_of(self, fault: str) -> list[tuple[str, bytes]]:
        headers = self._headers.get(fault)
        if headers is None:
            headers = self._headers[fault] = [*self._headers[""], (FAULT_HEADER, fault.encode())]
        return headers

    def settle(self, next_sequence: int, made: int) -> None:
        """Book what the broker has acknowledged since the last call. `next_sequence` is the first order not handed over
        whole; of order `made` and later ones nothing was handed over.

        Raises the KafkaError of the first failed send; what follows it in its partition is left to `recover`.
        """
        failure: KafkaError | None = None
        with self._ledger.lock:
            for partition, unacked in self._unacked.items():
                failure = self._settle_partition(partition, unacked) or failure
            # Whatever follows the head of its partition is of the same order or a later one, but for the delayed ones.
            waiting = [unacked[0][1].sequence for unacked in self._unacked.values() if unacked]
            while self._overtaken and self._overtaken[0][2].succeeded():
                heappop(self._overtaken)
            waiting += [order for order, _, _ in self._overtaken[:1]]
            self._ledger.next_sequence = min(waiting, default=next_sequence)
            self._ledger.next_sequence = min(self._ledger.next_sequence, next_sequence)
            self._ledger.made = made
        if failure is not None:
            raise failure

    def _settle_partition(self, partition: int, unacked: Unacked) -> KafkaError | None:
        tally = Tally()
        last = failure = None
        lines = others = cents = 0
        while unacked:
            future, event = unacked[0]
            if not future.is_done:
                break
            if future.exception is not None:
                failure = future.exception
                break
            unacked.popleft()
            last = future
            if event.fault:
                tally.faults[event.fault] += 1
                if event.extra:
                    tally.extras += 1
                    continue
            if event.kind == "order":
                lines += 1
                cents += event.revenue_cents
            else:
                others += 1
        if last is not None:
            tally.lines, tally.others, tally.cents = lines, others, cents
            self._ledger.counts[partition].add(tally, last.value.offset + 1)
            self.unacked -= tally.records
        return failure

    def close(self, timeout_s: float) -> None:
        """Free the client; whatever is not acknowledged within `timeout_s` is given up. Safe to call twice."""
        self._producer.close(timeout=timeout_s)
