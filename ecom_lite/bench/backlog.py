"""The events: what the shop of the settings sends at `--rate max`, put on a topic as its producer does."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from threading import Event
from typing import Any, Final, NamedTuple

from ..contract.events import PRODUCER_HEADER, utc_now
from ..errors import EcomLiteError
from ..settings.tree import Settings
from ..simulate import Outgoing, Shop
from ..topic.batch_producer import BatchProducer
from ..topic.client import end_offsets, explained

BATCH_ORDERS: Final = 2_000
MAX_UNACKED: Final = 20_000  # as the shop's producer
ACK_TIMEOUT_S: Final = 60
TICK_S: Final = 0.01  # how finely a given rate is kept


class Sent(NamedTuple):
    """The truth to compare with: `lines` are the order lines among the `events`."""

    events: int
    lines: int
    cents: int
    seconds: float


class Sender:
    """Sends a shop's events with their keys and a header as the shop's, and remembers what it has sent."""

    def __init__(self, settings: Settings, client: dict[str, Any]) -> None:
        self._client = client
        self._topic = settings.kafka.topic
        self._headers = [(PRODUCER_HEADER, f"seed-{settings.shop.seed}".encode())]
        self._unacked: deque[Any] = deque()
        self._producer = BatchProducer(client)
        self.events = self.lines = self.cents = 0

    def send(self, event: Outgoing) -> None:
        self._unacked.append(self._producer.send(self._topic, event.value, event.key, self._headers))
        self.events += 1
        if event.kind == "order":
            self.lines += 1
            self.cents += event.revenue_cents

    def settle(self, most: int) -> None:
        """Wait until at most so many events are not acknowledged. Raises KafkaError."""
        while len(self._unacked) > most:
            self._unacked.popleft().get(timeout=ACK_TIMEOUT_S)

    def close(self) -> None:
        self._producer.close(timeout=2)


def stream(settings: Settings, first_order: int, batch_orders: int = BATCH_ORDERS) -> Iterator[list[Outgoing]]:
    """Without end. Events have the time at which they are made."""
    shop = Shop(settings.shop)
    while True:
        yield shop.batch(first_order, batch_orders, utc_now())
        first_order += batch_orders


def fill(settings: Settings, client: dict[str, Any], events: int, first_order: int = 0) -> Sent:
    """Put `events` events on the new topic of `settings`, as fast as it goes."""
    began = time.perf_counter()
    with explained(client, "sending the backlog"):
        sender = Sender(settings, client)
        try:
            for batch in stream(settings, first_order):
                for event in batch[: events - sender.events]:
                    sender.send(event)
                sender.settle(MAX_UNACKED)
                if sender.events == events:
                    break
            sender.settle(0)
        finally:
            sender.close()
    arrived = sum(end_offsets(client, settings.kafka.topic).values())
    if arrived != events:
        raise EcomLiteError(f"the backlog has {arrived} records and not {events}: another producer writes to this broker")
    return Sent(events, sender.lines, sender.cents, time.perf_counter() - began)


def trickle(settings: Settings, client: dict[str, Any], rate: int, seconds: float, first_order: int = 0) -> Sent:
    """Send `rate` events per second, evenly, for so long."""
    events, pause = max(1, round(rate * seconds)), Event()
    with explained(client, f"sending {rate} events/s"):
        sender = Sender(settings, client)
        try:
            due = (event for batch in stream(settings, first_order, 1) for event in batch)
            began = time.perf_counter()
            while sender.events < events:
                wanted = min(events, int((time.perf_counter() - began) * rate) + 1)
                while sender.events < wanted:
                    sender.send(next(due))
                pause.wait(TICK_S)
            sender.settle(0)
        finally:
            sender.close()
    return Sent(events, sender.lines, sender.cents, time.perf_counter() - began)
