"""The events: what the shop of the settings sends at `--rate max`, put on a topic as its producer does."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from threading import Event
from typing import Any, Final, NamedTuple

from kafka.errors import KafkaTimeoutError

from ..contract.events import PRODUCER_HEADER, utc_now
from ..errors import EcomLiteError
from ..settings.tree import Settings
from ..simulate import Outgoing, Shop
from ..topic.batch_producer import BatchProducer
from ..topic.client import end_offsets, explained
from ..topic.packer import Packer
from ..topic.record_batch import headers

BATCH_ORDERS: Final = 2_000
MAX_UNACKED: Final = 20_000  # as the shop's producer
ACK_TIMEOUT_S: Final = 60
SETTLE_S: Final = 0.002  # how often acknowledgements are looked for
TICK_S: Final = 0.01  # how finely a given rate is kept


class Sent(NamedTuple):
    """The truth to compare with: `lines` are the order lines among the `events`."""

    events: int
    lines: int
    cents: int
    seconds: float


class Sender:
    """Sends a shop's events as its producer does, with their keys and a header as theirs, and remembers what it has sent."""

    def __init__(self, settings: Settings, client: dict[str, Any]) -> None:
        self._headers = headers((PRODUCER_HEADER, f"seed-{settings.shop.seed}".encode()))
        self._producer = BatchProducer(client)
        self._packer = Packer(self._producer, settings.kafka.topic, lambda: None)
        self._pause = Event()
        self.events = self.lines = self.cents = 0

    def send(self, events: Sequence[Outgoing]) -> None:
        """The records' timestamps are those of this moment; they go out within milliseconds, if `settle` is called."""
        self._packer.turn()
        add, mark = self._packer.add, self._headers
        for event in events:
            add(event.key, event.value, mark)
            if event.kind == "order":
                self.lines += 1
                self.cents += event.revenue_cents
        self.events += len(events)

    def settle(self, most: int) -> None:
        """Wait until at most so many events are not acknowledged. Raises KafkaError."""
        give_up = time.monotonic() + ACK_TIMEOUT_S
        if not most:
            self._packer.flush()
        while True:
            self._packer.turn()
            for _ in self._packer.acknowledged():
                give_up = time.monotonic() + ACK_TIMEOUT_S
            if self._packer.unacked <= most:
                return
            if time.monotonic() > give_up:
                raise KafkaTimeoutError(f"nothing was acknowledged for {ACK_TIMEOUT_S} s")
            self._pause.wait(SETTLE_S)

    def wait_s(self) -> float:
        """How long until `settle` has something to send."""
        return self._packer.wait_s()

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
                sender.send(batch[: events - sender.events])
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
                sender.send(list(islice(due, wanted - sender.events)))
                sender.settle(MAX_UNACKED)
                pause.wait(min(TICK_S, sender.wait_s()))
            sender.settle(0)
        finally:
            sender.close()
    return Sent(events, sender.lines, sender.cents, time.perf_counter() - began)
