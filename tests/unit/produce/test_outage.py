"""What the producer says when Kafka goes away: once per outage, also where it had waited for a slow broker before."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any, ClassVar

import pytest
from kafka.errors import KafkaConnectionError

from ecom_lite.contract.events import Clock
from ecom_lite.produce.ledger import Ledger
from ecom_lite.produce.plan import Opening
from ecom_lite.produce.producer import MAX_UNACKED, Producer
from ecom_lite.produce.recover import Recovered
from ecom_lite.produce.sender import Sender
from ecom_lite.settings.tree import Settings
from ecom_lite.topic.client import Config
from ecom_lite.warehouse.connect import Address

NOWHERE = Address("127.0.0.1", 1, "none", "postgres", "", {})


class InMemory(Ledger):
    def load(self, stop: Event) -> None: ...

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


def nothing_there(
    ledger: Ledger, config: Config, topic: str, clock: Clock, stop: Event, take_over: Callable[[], None] = lambda: None
) -> Recovered:
    return Recovered()


class Shop(Producer):
    _make_ledger = InMemory
    _make_sender = Overwhelmed
    _recover = staticmethod(nothing_there)


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def test_an_outage_is_said_also_while_the_shop_waits_for_acknowledgements(port: int, caplog: pytest.LogCaptureFixture) -> None:
    Overwhelmed.stop, Overwhelmed.lives = Event(), 2
    Shop(Settings(), NOWHERE, f"127.0.0.1:{port}").run(Overwhelmed.stop)
    said = [record.message for record in caplog.records if "Kafka is away" in record.message]
    assert len(said) == 2 and "KafkaConnectionError: gone" in said[0]
