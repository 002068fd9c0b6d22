"""A producer without a broker and without a database: what stands for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event
from typing import Any, ClassVar

from kafka.errors import KafkaConnectionError

from ecom_lite.contract.events import Clock
from ecom_lite.produce.ledger import Ledger
from ecom_lite.produce.plan import Opening
from ecom_lite.produce.producer import MAX_UNACKED, Producer
from ecom_lite.produce.recover import Recovered
from ecom_lite.produce.sender import Sender
from ecom_lite.simulate import Campaign, Outgoing
from ecom_lite.topic.client import Config
from ecom_lite.warehouse.connect import Address

NOWHERE = Address("127.0.0.1", 1, "none", "postgres", "", {})


class InMemory(Ledger):
    asked: ClassVar[int] = 0

    def load(self, stop: Event) -> None: ...

    def keep_campaigns(self, campaigns: Sequence[Campaign]) -> None:
        type(self).asked += 1

    def open(self, opening: Opening) -> None:
        self.opening = opening

    def start(self) -> None: ...

    def close(self, timeout_s: float) -> bool:
        return True


class Overwhelmed(Sender):
    """To a broker that acknowledges nothing: it takes what there is room for, and then it is gone."""

    stop: ClassVar[Event]
    lives: ClassVar[int]

    def __init__(self, *_: Any) -> None:
        self.settled = 0

    @property
    def unacked(self) -> int:
        return MAX_UNACKED

    def wait_s(self) -> float:
        return 0.001

    def settle(self, next_sequence: int, made: int) -> None:
        self.settled += 1
        if self.settled > 1:  # the loop has waited for it
            type(self).lives -= 1
            if not self.lives:
                self.stop.set()
            raise KafkaConnectionError("gone")

    def close(self, timeout_s: float) -> None: ...


class Willing(Overwhelmed):
    """Takes all, for some turns."""

    @property
    def unacked(self) -> int:
        return 0

    def send(self, events: list[Outgoing]) -> None: ...

    def flush(self) -> None: ...

    def settle(self, next_sequence: int, made: int) -> None:
        type(self).lives -= 1
        if self.lives <= 0:
            self.stop.set()


def nothing_there(
    ledger: Ledger, config: Config, topic: str, clock: Clock, stop: Event, take_over: Callable[[], None] = lambda: None
) -> Recovered:
    return Recovered()


class Shop(Producer):
    _make_ledger = InMemory
    _make_sender = Overwhelmed
    _recover = staticmethod(nothing_there)
