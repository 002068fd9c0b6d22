"""One shop's events to the topic: partitioned by key, and booked into the ledger once acknowledged."""

from __future__ import annotations

from typing import Final

from ..contract.events import FAULT_HEADER, PRODUCER_HEADER
from ..simulate import Outgoing
from ..topic.batch_producer import SoleProducer
from ..topic.client import Config
from ..topic.packer import Packer
from ..topic.record_batch import headers
from .counts import NO_ORDER, Tally
from .ledger import Ledger

NAME: Final = "ecom_lite.%s"  # of a shop's producer at the broker, by its mark


class Sender:
    """Sends one shop's events and books each acknowledged one into its ledger. For one thread, which calls `take_over` first.

    Raises KafkaError where the broker cannot be reached.
    """

    _make_client: type[SoleProducer] = SoleProducer  # the harness puts another here

    def __init__(self, config: Config, topic: str, ledger: Ledger, batch_bytes: int) -> None:
        self._ledger, self._topic, self._batch_bytes = ledger, topic, batch_bytes
        self._mark = (PRODUCER_HEADER, ledger.mark)
        self._headers = {"": headers(self._mark)}  # by fault
        self._producer = self._make_client(config, NAME % ledger.mark.decode())

    def take_over(self) -> None:
        """From now on nothing of an earlier sender of the shop gets into the topic. Raises KafkaError where the broker does not
        know the topic or does not let us send.
        """
        self._producer.take_over(self._topic, first=not self._ledger.was_sent)
        self._ledger.was_sent = True
        self._packer = Packer(self._producer, self._topic, Tally, self._batch_bytes)

    @property
    def unacked(self) -> int:
        """How many events are in memory: what bounds them is the caller's matter."""
        return self._packer.unacked

    def wait_s(self) -> float:
        """How long until `settle` has something to send."""
        return self._packer.wait_s()

    def send(self, events: list[Outgoing]) -> None:
        """Take the events; they go out within milliseconds, if `settle` is called."""
        self._packer.turn()
        add, plain = self._packer.add, self._headers[""]
        for event in events:
            if event.fault:
                tally = add(event.key, event.value, self._headers_of(event.fault))
                tally.faults[event.fault] += 1
                if event.extra:
                    tally.extras += 1
                    continue
            else:
                tally = add(event.key, event.value, plain)
            if event.sequence < tally.lowest:
                tally.lowest = event.sequence
            if event.kind == "order":
                tally.lines += 1
                tally.cents += event.revenue_cents
            else:
                tally.others += 1

    def _headers_of(self, fault: str) -> bytes:
        known = self._headers.get(fault)
        if known is None:
            known = self._headers[fault] = headers(self._mark, (FAULT_HEADER, fault.encode()))
        return known

    def settle(self, next_sequence: int, made: int) -> None:
        """Book what the broker has acknowledged since the last call. `next_sequence` is the first order not handed over
        whole; of order `made` and later ones nothing was handed over.

        Raises the KafkaError of the first batch that failed; what follows it in its partition is left to `recover`.
        """
        self._packer.turn()
        with self._ledger.lock:
            for partition, tally, behind in self._packer.acknowledged():
                self._ledger.counts[partition].add(tally, behind)
            self._ledger.next_sequence = min(next_sequence, *(tally.lowest for tally in self._packer.notes()), NO_ORDER)
            self._ledger.made = made

    def flush(self) -> None:
        """What was taken goes out now."""
        self._packer.flush()

    def close(self, timeout_s: float) -> None:
        """Free the client; whatever is not acknowledged within `timeout_s` is given up. Safe to call twice."""
        self._producer.close(timeout=timeout_s)
