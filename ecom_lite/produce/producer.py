"""The producer's loop: recover, send at the rate asked for, book what is acknowledged, end clean."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event
from typing import Final

import psycopg
from kafka.errors import AuthorizationError, KafkaError, SaslAuthenticationFailedError

from ..config import Settings
from ..errors import EcomLiteError
from ..events import Clock, utc_now
from ..kafka_client import client_config, explained, reachable
from ..simulate import Outgoing, Shop
from ..warehouse.connect import Address
from .client import Sender
from .ledger import Ledger
from .pace import Pace
from .recover import recover

log = logging.getLogger("ecom_lite.produce")

MAX_UNACKED: Final = 20_000  # events in memory; above it the shop waits for the broker
IDLE_S: Final = 0.05  # how often acknowledgements are looked for when nothing is due
SETTLE_S: Final = 0.005  # ... when the shop waits for them
STOP_S: Final = 1.0  # after `stop` the broker has so long to acknowledge the rest
CLOSE_S: Final = 0.3
RETRY_S: Final = 0.5
DATABASE_WAIT_S: Final = 30.0  # at the start the ledger must be read; later PostgreSQL may be away
REPORT_S: Final = 1.0
GC_THRESHOLD: Final = 50_000  # at full rate 20,000 live futures make Python's default collections cost 10 %

Report = Callable[[Mapping[str, object]], None]
_FATAL: Final = (AuthorizationError, SaslAuthenticationFailedError)


class Producer:
    """Sends the shop's events to Kafka and keeps `ops.sent_ledger` and `ops.shops` true. One `run` per object."""

    def __init__(
        self,
        settings: Settings,
        address: Address,
        bootstrap: str,
        clock: Clock = utc_now,
        report: Report = lambda figures: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._config = client_config(settings.kafka, bootstrap)
        self._clock = clock
        self._monotonic = monotonic
        self._report_to = report
        self._shop = Shop(settings.shop)
        self._ledger = Ledger(address, self._shop.shop_id)
        self._rate = None if settings.shop.rate == "max" else float(settings.shop.rate)
        self._tick = Event()  # never set: a sleep that does not end early because `stop` is set
        self._state = "starting"
        self._sent = self._errors = self._recovered = self._unacked = 0
        self._sequence = self._first_sequence = 0  # the next order to send, and that of this run's start
        self._base_events: int | None = None  # of the ledger, when this run's own count began
        self._reported: tuple[float, int] | None = None  # (monotonic time, acknowledged events) of the last report

    def run(self, stop: Event, events: int | None = None, deadline: float | None = None) -> None:
        """Send until `stop` is set, `events` more records are in the broker, or the monotonic clock passes `deadline`.

        Blocks. A broker that is away is waited for; without PostgreSQL it goes on, except at the start. Raises
        EcomLiteError when the ledger cannot be read, the login is refused, or the topic is missing or made anew.
        After `stop` it returns within about two seconds.
        """
        try:
            self._load(stop, deadline)
            self._ledger.start()
            with _rare_gc(), explained(self._config, "sending events"):
                while not (finished := self._session(stop, events, deadline)):
                    if self._over(stop, deadline) or stop.wait(RETRY_S):
                        break
            self._state = "done" if finished and not stop.is_set() else "stopped"
        except BaseException:
            self._state = "failed"
            raise
        finally:
            self._ledger.close(CLOSE_S if stop.is_set() else DATABASE_WAIT_S)
            self._report(self._monotonic(), force=True)

    def _load(self, stop: Event, deadline: float | None) -> None:
        give_up = self._monotonic() + DATABASE_WAIT_S
        while True:
            try:
                return self._ledger.load()
            except psycopg.OperationalError as error:
                if self._over(stop, deadline) or self._monotonic() >= give_up:
                    raise EcomLiteError(f"the producer cannot read its ledger: {str(error).strip()}") from error
            stop.wait(RETRY_S)

    def _session(self, stop: Event, events: int | None, deadline: float | None) -> bool:
        """One client's life. True when the run is over, False to begin again from what the broker really has."""
        sender: Sender | None = None
        if not reachable(self._config):
            self._wait_for_kafka("nothing listens at " + ",".join(self._config["bootstrap_servers"]))
            return False
        try:
            self._state = "recovering"
            recovered = recover(self._ledger, self._config, self._settings.kafka.topic, self._clock, stop)
            self._begin(recovered)
            sender = Sender(self._config, self._settings.kafka.topic, self._ledger)
            self._state = "sending"
            self._report(self._monotonic(), force=True)
            self._send_all(sender, stop, events, deadline)
            self._drain(sender, stop)
            return True
        except KafkaError as error:
            if isinstance(error, _FATAL):
                raise
            self._errors += 1
            self._wait_for_kafka(f"{type(error).__name__}: {error}")
            return False
        finally:
            if sender is not None:
                sender.close(CLOSE_S)

    def _wait_for_kafka(self, reason: str) -> None:
        if self._state != "waiting for kafka":  # once per outage
            log.warning("Kafka is away (%s); sending goes on when it is back, from what it has", reason)
        self._state = "waiting for kafka"
        self._report(self._monotonic())

    def _begin(self, recovered: int) -> None:
        self._sequence = self._ledger.next_sequence
        if self._base_events is None:
            self._base_events = self._ledger.events
            self._first_sequence = self._sequence
            self._recovered = recovered
            if recovered or self._sequence:
                log.info("%s goes on at order %d", self._shop.shop_id, self._sequence)
        self._sent = self._acked()

    def _acked(self) -> int:
        """Events of this run that are in the broker and in the ledger."""
        return self._ledger.events - (self._base_events or 0)

    def _send_all(self, sender: Sender, stop: Event, events: int | None, deadline: float | None) -> None:
        pace = Pace(self._rate, self._monotonic())
        most_orders = MAX_UNACKED // (2 * self._settings.shop.max_lines)
        while not self._over(stop, deadline):
            left = None if events is None else events - self._sent
            if left is not None and left <= 0:
                return
            now = self._monotonic()
            if sender.unacked < MAX_UNACKED:
                orders = min(pace.due(now), most_orders)
                if orders:
                    self._send(sender, orders, left)
                    pace.sent(orders)
                self._state = "sending"
                pause = min(pace.wait_s(self._monotonic()), IDLE_S)
            else:
                self._state = "waiting for kafka"
                pause = SETTLE_S
            self._settle(sender)
            self._report(now)
            if pause:
                stop.wait(pause)

    def _send(self, sender: Sender, orders: int, left: int | None) -> None:
        batch: list[Outgoing] = self._shop.batch(self._sequence, orders, self._clock())
        self._sequence += orders
        if left is not None and len(batch) > left:
            self._sequence = batch[left].sequence  # not sent whole: a later run sends it again
            batch = batch[:left]
        sender.send(batch)
        self._sent += len(batch)

    def _drain(self, sender: Sender, stop: Event) -> None:
        """Wait for the last acknowledgements: as long as it takes, but after `stop` not longer than STOP_S."""
        give_up: float | None = None
        while True:
            self._settle(sender)
            now = self._monotonic()
            if not sender.unacked or (give_up is not None and now >= give_up):
                return
            if give_up is None and stop.is_set():
                give_up = now + STOP_S
            self._report(now)
            self._tick.wait(SETTLE_S)

    def _settle(self, sender: Sender) -> None:
        sender.settle(self._sequence)
        self._unacked = sender.unacked

    def _over(self, stop: Event, deadline: float | None) -> bool:
        return stop.is_set() or (deadline is not None and self._monotonic() >= deadline)

    def _report(self, now: float, force: bool = False) -> None:
        """Once per REPORT_S: figures of this run; `rate` is acknowledged events per second since the last report."""
        if self._reported is None:
            self._reported = (now, self._acked())
        since, acked_then = self._reported
        if not force and now - since < REPORT_S:
            return
        acked = self._acked()
        self._reported = (now, acked)
        self._report_to(
            {
                "state": self._state,
                "shop": self._shop.shop_id,
                "sent": self._sent,
                "acked": acked,
                "unacked": self._unacked,
                "recovered": self._recovered,
                "rate": round((acked - acked_then) / (now - since), 1) if now > since else 0.0,
                "orders": self._sequence - self._first_sequence,
                "next_sequence": self._ledger.next_sequence,
                "errors": self._errors,
                "ledger": "in memory" if self._ledger.away else "written",
            }
        )


@contextmanager
def _rare_gc() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(GC_THRESHOLD, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
