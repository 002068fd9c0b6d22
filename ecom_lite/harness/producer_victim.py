"""`python -m ecom_lite.harness.producer_victim`: a shop's producer in a process of its own that strikes itself at a named point.

The first line of stdin is the job; a further line lets it go on where it waits; the end of stdin means stop.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from socket import socket
from typing import Any, Final

from kafka.net.inet import KafkaNetSocket
from msgspec import to_builtins

from ..contract.events import Clock
from ..produce import ledger as ledger_room
from ..produce.counts import Counts
from ..produce.ledger import Ledger
from ..produce.producer import Producer
from ..produce.recover import Recovered
from ..settings.tree import Settings
from ..topic.client import Config
from ..topic.record_batch import WholeBatch
from ..warehouse.connect import Address
from .hook import Hook, Job, Work, say, victim
from .producer_mutations import client_class, recovery, sender_class

REQUEST_TIMEOUT_MS: Final = 1_500  # an answer that does not come costs a round so much, not ten seconds
At = Callable[[str], None]


def produce(job: Job, hook: Hook) -> Work:
    """A producer of this job, which sends until the topic has so many of its shop's events."""
    vars(ledger_room)["FLUSH_S"] = job["flush_s"]
    if job["proxy"] is not None:
        _go_through(job["proxy"])
    producer = producer_class(job["mutation"], job["batch_bytes"], hook)(
        Settings.model_validate(job["settings"]), Address(**job["address"]), job["bootstrap"],
        report=lambda figures: say(to_builtins(figures)),
    )  # fmt: skip
    return lambda stop: producer.run(stop, until=job["until"])


def producer_class(mutation: str | None, batch_bytes: int, at: At) -> type[Producer]:
    """A producer with this mutation that says where it is: "taken over", "reading" a record of which the ledger does not know,
    "encoded" and "sent" with each batch, "acknowledged" and "booked" before and after the ledger's transaction."""

    class Client(client_class(mutation)):  # type: ignore[misc]
        def take_over(self, topic: str, first: bool) -> None:
            super().take_over(topic, first)
            at("taken over")

        def hand_over(self, *args: Any) -> WholeBatch:
            at("encoded")
            batch: WholeBatch = super().hand_over(*args)
            at("sent")
            return batch

    class PointedSender(sender_class(mutation)):  # type: ignore[misc]
        _make_client = Client

    class PointedLedger(Ledger):
        def _write_rows(self, counts: Mapping[int, Counts], now: Any) -> None:
            has_news = any(count.events for count in counts.values())
            if has_news:
                at("acknowledged")
            super()._write_rows(counts, now)
            if has_news:
                at("booked")

    def pointed_recovery(
        ledger: Ledger, config: Config, topic: str, clock: Clock, stop: threading.Event,
        take_over: Callable[[], None] = lambda: None,
    ) -> Recovered:  # fmt: skip
        def reading() -> Any:  # it asks what time it is with each record
            at("reading")
            return clock()

        return recovery(mutation)(ledger, config, topic, reading, stop, take_over)

    class PointedProducer(Producer):
        _make_ledger = PointedLedger
        _make_sender = PointedSender
        _recover = staticmethod(pointed_recovery)

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self._batch_bytes = batch_bytes
            self._config["request_timeout_ms"] = REQUEST_TIMEOUT_MS

    return PointedProducer


def _go_through(proxy: int) -> None:
    """All of kafka-python's connections go to this port: a broker names its own address to those who come by another."""

    def connect_ex(_: KafkaNetSocket, sock: socket, address: tuple[Any, ...]) -> int:
        return sock.connect_ex((address[0], proxy, *address[2:]))

    setattr(KafkaNetSocket, "connect_ex", connect_ex)  # noqa: B010


if __name__ == "__main__":
    sys.exit(victim(produce))
