"""The producer while Kafka or PostgreSQL is away: what it says, and what it does not wait for."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
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
from ecom_lite.settings.override import ShopOverride
from ecom_lite.settings.tree import Settings
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


class Away(InMemory):
    """Of a database that has been away for a moment."""

    for_turns: ClassVar[int]

    @property
    def away(self) -> bool:
        type(self).for_turns -= 1
        return self.for_turns >= 0


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


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def test_an_outage_is_said_also_while_the_shop_waits_for_acknowledgements(port: int, caplog: pytest.LogCaptureFixture) -> None:
    Overwhelmed.stop, Overwhelmed.lives = Event(), 2
    Shop(Settings(), NOWHERE, f"127.0.0.1:{port}").run(Overwhelmed.stop)
    said = [record.message for record in caplog.records if "Kafka is away" in record.message]
    assert len(said) == 2 and "KafkaConnectionError: gone" in said[0]


@pytest.mark.parametrize(("for_turns", "asked"), [(0, 1), (5, 1), (10**6, 0)])
def test_a_campaign_asks_nothing_of_a_database_that_is_away(port: int, for_turns: int, asked: int) -> None:
    class Promoted(Shop):
        _make_ledger = Away
        _make_sender = Willing

    Willing.stop, Willing.lives, Away.for_turns, Away.asked = Event(), 20, for_turns, 0
    shop = Promoted(Settings(), NOWHERE, f"127.0.0.1:{port}")
    shop.override(ShopOverride(campaigns={"Books": 0.3}))
    shop.run(Willing.stop)
    assert Away.asked == asked
