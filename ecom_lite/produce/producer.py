"""The producer's loop: recover, send what is due, book what is acknowledged, end clean."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event
from typing import Final

from kafka.errors import (
    AuthorizationError,
    InvalidProducerEpochError,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFencedError,
    SaslAuthenticationFailedError,
)

from ..contract.events import Clock, utc_now
from ..errors import EcomLiteError
from ..settings.override import ShopOverride
from ..settings.tree import Settings
from ..simulate import Outgoing, read_campaigns
from ..topic.batch_producer import BATCH_BYTES
from ..topic.client import client_config, explained, reachable
from ..warehouse.broken import BROKEN
from ..warehouse.connect import Address
from .clock import ShopClock
from .course import Course
from .episodes import Episodes
from .figures import Figures, Report
from .ledger import Ledger
from .overrides import Overrides
from .plan import as_opened, decide, plan
from .recover import Recovered, recover
from .sender import Sender

log = logging.getLogger("ecom_lite.produce")

MAX_UNACKED: Final = 20_000  # events in memory; above it the shop waits for the broker
LEAST_BATCH_BYTES: Final = 4096
IDLE_S: Final = 0.05  # how often acknowledgements are looked for when nothing is due
SETTLE_S: Final = 0.005  # ... when the shop waits for them
STOP_S: Final = 1.0  # after `stop` the broker has so long to acknowledge the rest,
STOP_SLOWLY_S: Final = 4.0  # ... and so long where it is there, and only slow
CLOSE_S: Final = 0.3
RETRY_S: Final = 0.5
DATABASE_WAIT_S: Final = 30.0  # at the start the ledger must be read; later PostgreSQL may be away

_TAKEN_OVER: Final = (InvalidProducerEpochError, ProducerFencedError)
_FATAL: Final = (AuthorizationError, SaslAuthenticationFailedError)


class Producer:
    """Sends the shop's events to Kafka and keeps `ops.sent_ledger` and `ops.shops` true. One `run` per object."""

    _make_ledger: type[Ledger] = Ledger  # the harness puts others here, with points to strike at, or broken on purpose
    _make_sender: type[Sender] = Sender
    _recover = staticmethod(recover)

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
        self._overrides = Overrides(settings.faults)
        self._course = Course(settings.shop, settings.faults)
        self._episodes = Episodes(settings.shop.seed)
        self._ledger = self._make_ledger(address, self._course.shop_id)
        self._figures = Figures(report, self._ledger, self._course, self._overrides)
        self._batch_bytes = BATCH_BYTES
        self._promote_at = 0.0  # of the monotonic clock: not before
        self._kafka_is_away = False  # and that was said
        self._tick = Event()  # never set: a sleep that does not end early because `stop` is set

    def override(self, override: ShopOverride) -> None:
        """Change rate, pause or faults while it runs, from any thread."""
        self._overrides.put(override)

    def run(self, stop: Event, events: int | None = None, until: int | None = None, deadline: float | None = None) -> None:
        """Send until `stop` is set, `events` more events of the shop's stream are in the broker, it has `until` of them in
        all, or the monotonic clock passes `deadline`. What is sent twice or broken on purpose counts for neither.

        Blocks. A broker that is away is waited for; without PostgreSQL it goes on, except at the start. Raises
        EcomLiteError when the ledger cannot be read, another process sends for this shop, the settings do not fit the shop's
        earlier ones, the login is refused, or the topic is missing or made anew. After `stop` it returns in about two seconds,
        in ten where Kafka and PostgreSQL are there and do not answer.
        """
        self._figures.until = until
        try:
            self._patiently(lambda: self._ledger.load(stop), stop, deadline)
            self._ledger.start()
            with explained(self._config, "sending events"):
                while not (finished := self._session(stop, events, deadline)):
                    if self._over(stop, deadline) or stop.wait(RETRY_S):
                        break
            self._figures.state = "done" if finished and not stop.is_set() else "stopped"
        except BaseException:
            self._figures.state = "failed"
            raise
        finally:
            self._ledger.close(CLOSE_S if stop.is_set() else DATABASE_WAIT_S)
            self._report(self._monotonic(), force=True)

    def _patiently(self, ask: Callable[[], None], stop: Event, deadline: float | None) -> None:
        """At the start the database is needed, and may be a moment late."""
        give_up = self._monotonic() + DATABASE_WAIT_S
        while True:
            try:
                return ask()
            except BROKEN as error:
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
            self._figures.state = "recovering"
            topic = self._settings.kafka.topic
            sender = self._make_sender(self._config, topic, self._ledger, self._batch_bytes)
            recovered = self._recover(self._ledger, self._config, topic, self._clock, stop, sender.take_over)
            if stop.is_set():
                return True  # what the broker has may not be known whole
            clock = self._begin(recovered, events, stop, deadline)
            self._figures.state, self._kafka_is_away = "sending", False
            self._report(self._monotonic(), force=True)
            self._send_all(sender, clock, stop, deadline)
            self._hand(sender, self._course.faults.flush())  # what ends here is a whole stretch of the stream
            self._drain(sender, stop)
            return True
        except _TAKEN_OVER as error:  # we must not take it back: who has the shop's turn is for the next start to find out
            raise EcomLiteError(
                f"another process sends for {self._course.shop_id} now: the broker takes nothing more from this one"
            ) from error
        except KafkaError as error:
            if isinstance(error, _FATAL):
                raise
            self._figures.errors += 1
            if isinstance(error, MessageSizeTooLargeError) and self._batch_bytes > LEAST_BATCH_BYTES:
                self._batch_bytes //= 2  # the topic's max.message.bytes is less than usual
                return False
            self._wait_for_kafka(f"{type(error).__name__}: {error}")
            return False
        finally:
            if sender is not None:
                sender.close(CLOSE_S)

    def _wait_for_kafka(self, reason: str) -> None:
        if not self._kafka_is_away:  # once per outage
            log.warning("Kafka is away (%s); sending goes on when it is back, from what it has", reason)
        self._figures.state, self._kafka_is_away = "waiting for kafka", True
        self._report(self._monotonic())

    def _begin(self, recovered: Recovered, events: int | None, stop: Event, deadline: float | None) -> ShopClock:
        sequence, in_broker = self._ledger.next_sequence, self._ledger.stream_events
        self._course.begin(sequence, recovered, in_broker)
        clock = self._figures.clock
        if clock is None:
            clock = self._open(sequence, in_broker, stop, deadline)
            self._figures.begin(clock, recovered.added)
            if events is not None and (self._figures.until is None or in_broker + events < self._figures.until):
                self._figures.until = in_broker + events
            if recovered.added or sequence:
                log.info("%s goes on at order %d", self._course.shop_id, sequence)
        self._figures.sent = self._figures.acked
        return clock

    def _open(self, sequence: int, in_broker: int, stop: Event, deadline: float | None) -> ShopClock:
        """The shop's clock: decided at its first start, and kept before the first event is sent."""
        shop, now = self._settings.shop, self._clock()
        opening = decide(shop, self._ledger.opening, begun=sequence > 0 or in_broker > 0, now=now)
        self._patiently(lambda: self._ledger.open(opening), stop, deadline)
        shop = as_opened(shop, opening)
        self._course.open(shop, read_campaigns((opening.settings or {}).get("campaigns")))
        clock = ShopClock(shop, plan(shop, opening), self._course.made, now, self._monotonic())
        self._apply_overrides(clock)
        return clock

    def _apply_overrides(self, clock: ShopClock) -> bool:
        applied = self._overrides.apply()
        if applied:
            self._course.faults.settings = self._overrides.faults
            if self._overrides.rate is not None:
                clock.change_rate(self._overrides.rate, self._monotonic())
        return self._promote() or applied

    def _promote(self) -> bool:
        """Begin and end campaigns. They are kept first, so that an order that is made again is the same; without PostgreSQL they
        wait."""
        now = self._monotonic()
        # A server that does not answer would be waited for here, while nothing is sent: the ledger's thread knows of it.
        if self._overrides.campaigns == self._course.on or now < self._promote_at or self._ledger.away:
            return False
        campaigns = self._course.campaigns_with(self._overrides.campaigns)
        try:
            self._ledger.keep_campaigns(campaigns)
        except BROKEN as error:
            log.warning("a campaign waits for PostgreSQL: %s", str(error).strip())
            self._promote_at = now + RETRY_S
            return False
        self._course.promote(campaigns)
        return True

    def _left(self) -> int | None:
        return None if self._figures.until is None else self._figures.until - self._course.events

    def _send_all(self, sender: Sender, clock: ShopClock, stop: Event, deadline: float | None) -> None:
        while not self._over(stop, deadline):
            applied = self._apply_overrides(clock)
            left = self._left()
            if left is not None and left <= 0:
                return
            now = self._monotonic()
            if sender.unacked >= MAX_UNACKED:
                self._figures.state, pause = "waiting for kafka", SETTLE_S
            elif self._overrides.no_room:  # what is held back waits, too
                clock.hold(self._clock(), now)
                self._figures.state, pause = "no room", IDLE_S
            elif self._overrides.paused:
                clock.hold(self._clock(), now)
                self._hand(sender, self._course.faults.due(now))
                self._figures.state, pause = "paused", IDLE_S
            else:
                self._send_due(sender, clock, left, now)
                self._figures.state = "sending"
                pause = min(clock.wait_s(self._course.sequence, self._clock(), self._monotonic()), IDLE_S)
            self._settle(sender)
            self._report(now, force=applied)
            if pause:
                stop.wait(min(pause, sender.wait_s()) if sender.unacked else pause)

    def _send_due(self, sender: Sender, clock: ShopClock, left: int | None, now: float) -> None:
        course, wall = self._course, self._clock()
        in_past = clock.past(course.sequence)
        factor = 1 if in_past else self._episode(clock, wall.timestamp())
        orders = clock.due(course.sequence, wall, now, factor, course.again)
        if not orders:
            if course.faults.held:
                self._hand(sender, course.faults.due(now))
            return
        self._hand(sender, course.make(orders, left, clock.times(wall), now))
        clock.sent(orders)
        if in_past and not clock.past(course.sequence):
            self._figures.history_events = course.events
            log.info("the shop's past is sent: %d events; live from here", course.events)

    def _episode(self, clock: ShopClock, now_s: float) -> int:
        factor, begun = self._episodes.factor(self._overrides.faults, now_s)
        if begun == "silence" or (begun and clock.rated):
            with self._ledger.lock:
                self._ledger.episodes[begun] += 1
        return factor

    def _hand(self, sender: Sender, events: list[Outgoing]) -> None:
        if events:
            sender.send(events)
            self._figures.sent += len(events)

    def _drain(self, sender: Sender, stop: Event) -> None:
        """Wait for the last acknowledgements: as long as it takes, but after `stop` not longer than STOP_SLOWLY_S."""
        give_up, asked = None, False
        sender.flush()
        while True:
            self._settle(sender)
            now = self._monotonic()
            if not sender.unacked:
                return
            if give_up is None:
                give_up = now + STOP_S if stop.is_set() else None
            elif now >= give_up:
                if asked or not reachable(self._config):
                    return
                give_up, asked = now + STOP_SLOWLY_S - STOP_S, True
            self._report(now)
            self._tick.wait(SETTLE_S)

    def _settle(self, sender: Sender) -> None:
        if self._ledger.refused:  # whoever starts the producer again gives it the password that is in force
            raise EcomLiteError(self._ledger.refused)
        sender.settle(self._course.next_sequence, self._course.made)
        self._figures.unacked = sender.unacked

    def _over(self, stop: Event, deadline: float | None) -> bool:
        return stop.is_set() or (deadline is not None and self._monotonic() >= deadline)

    def _report(self, now: float, force: bool = False) -> None:
        self._figures.tell(now, self._clock(), force)
