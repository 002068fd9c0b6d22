"""Producers that are broken on purpose, one way each: a harness that passes one of them proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any, Final

from ..contract.events import Clock
from ..produce.counts import Counts
from ..produce.ledger import Ledger
from ..produce.recover import Recovered, recover
from ..produce.sender import Sender
from ..topic.batch_producer import SoleProducer
from ..topic.client import Config
from .records import PARTITIONS

LEDGER_BEFORE_ACK: Final = "ledger-before-ack"
BLIND_RECOVERY: Final = "blind-recovery"
NO_TAKE_OVER: Final = "no-take-over"
PRODUCER_MUTATIONS: Final = (LEDGER_BEFORE_ACK, BLIND_RECOVERY, NO_TAKE_OVER)


class LedgerBeforeAck(Sender):
    """The ledger books a batch when it is sent, and not when the broker has it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._booked: set[int] = set()  # batches in flight, by id

    def settle(self, next_sequence: int, made: int) -> None:
        self._packer.turn()
        with self._ledger.lock:
            for into in self._packer._filling:
                for batch, tally in into.unacked:
                    if id(batch) not in self._booked:
                        self._booked.add(id(batch))
                        counts = self._ledger.counts[into.number]
                        counts.add(tally, counts.next_offset + batch.size)
            for _ in self._packer.acknowledged():
                pass
            self._booked &= {id(batch) for into in self._packer._filling for batch, _ in into.unacked}
            filling = [into.note.lowest for into in self._packer._filling if into.count]
            self._ledger.next_sequence = min([*filling, next_sequence])
            self._ledger.made = made


def blind_recovery(
    ledger: Ledger, config: Config, topic: str, clock: Clock, stop: Event, take_over: Callable[[], None] = lambda: None
) -> Recovered:
    """What the ledger says is taken for what the broker has: the topic is not read."""
    take_over()
    with ledger.lock:
        for partition in range(PARTITIONS):
            ledger.counts.setdefault(partition, Counts())
        ledger.made = ledger.next_sequence
    return Recovered()


class NoTakeOver(SoleProducer):
    """The name is taken, but no partition hears of it: what an earlier producer has in flight is written yet."""

    def take_over(self, topic: str, first: bool) -> None:
        super().take_over(topic, first=True)


def sender_class(mutation: str | None) -> type[Sender]:
    return LedgerBeforeAck if mutation == LEDGER_BEFORE_ACK else Sender


def recovery(mutation: str | None) -> Callable[..., Recovered]:
    return blind_recovery if mutation == BLIND_RECOVERY else recover


def client_class(mutation: str | None) -> type[SoleProducer]:
    return NoTakeOver if mutation == NO_TAKE_OVER else SoleProducer
