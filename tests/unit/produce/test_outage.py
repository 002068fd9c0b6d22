"""The producer while Kafka or PostgreSQL is away, and when it is back: what it says, and what it does not wait for."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any, ClassVar

import pytest

from ecom_lite.contract.events import Clock, utc_now
from ecom_lite.produce.ledger import Ledger
from ecom_lite.produce.producer import Producer
from ecom_lite.produce.recover import Recovered
from ecom_lite.settings.override import ShopOverride
from ecom_lite.settings.tree import Settings
from ecom_lite.settings.tree import Shop as ShopSettings
from ecom_lite.simulate import Outgoing, identity
from ecom_lite.simulate import Shop as Simulated
from ecom_lite.topic.client import Config

from .fakes import NOWHERE, InMemory, Overwhelmed, Shop, Willing


class Away(InMemory):
    """Of a database that has been away for a moment."""

    for_turns: ClassVar[int]

    @property
    def away(self) -> bool:
        type(self).for_turns -= 1
        return self.for_turns >= 0


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


@pytest.mark.parametrize(("given", "most"), [({"rate": 5}, 10), ({"speed": 20_000, "hours": 0, "weekdays": 0, "season": 0}, 300)])
def test_what_the_broker_has_already_is_gone_through_at_once_whatever_the_pace(
    port: int, given: dict[str, Any], most: int
) -> None:
    """With late events that is a minute of orders, after an hour without PostgreSQL an hour: so long nothing was sent."""
    settings = ShopSettings.model_validate(given)
    orders = 2300
    there = {identity(event.value or b"") for event in Simulated(settings).batch(0, orders, utc_now())}
    missing = min(there)

    def most_is_there(
        ledger: Ledger, config: Config, topic: str, clock: Clock, stop: Event, take_over: Callable[[], None] = lambda: None
    ) -> Recovered:
        return Recovered(len(there), there - {missing}, orders - 1)

    class Watched(Willing):
        sent: ClassVar[list[Outgoing]] = []

        def send(self, events: list[Outgoing]) -> None:
            self.sent.extend(events)

    class Back(Producer):
        _make_ledger = InMemory
        _make_sender = Watched
        _recover = staticmethod(most_is_there)

    Watched.stop, Watched.lives = Event(), 20
    Back(Settings(shop=settings), NOWHERE, f"127.0.0.1:{port}").run(Watched.stop)
    sequences = [event.sequence for event in Watched.sent]
    assert identity(Watched.sent[0].value or b"") == missing and sequences[1] >= orders
    assert orders <= sequences[-1] < orders + most, "then the pace counts"
