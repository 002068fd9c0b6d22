"""One round of the producer: a topic and a database of its own, the strikes of its plan, a last producer, and the account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import psycopg
from kafka.errors import KafkaError

from .kafka_proxy import KafkaProxy, RequestTrap
from .loaders import Nursery, Victim, wait_for
from .outcome import Outcome, played
from .own import own_settings
from .producer_plan import ProducerPhase, ProducerPlan
from .sent import Sent, differences
from .servers import Servers

PATIENCE_S: Final = 90.0  # seconds, and what a busy machine adds
START: Final = "2026-01-01T00:00Z"  # of the shop's clock: what it sends does not depend on when it is sent
END_SESSIONS: Final = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = 'ecom_producer'"""


class ProducerRound:
    """What a scenario works with. `play` is the whole of it."""

    def __init__(self, servers: Servers, nursery: Nursery, plan: ProducerPlan, mutation: str | None, name: str) -> None:
        self.servers, self.plan = servers, plan
        self.outcome = Outcome(plan)
        self._nursery, self._mutation, self._name = nursery, mutation, name
        shop = {"seed": plan.shop_seed, "rate": plan.rate, "start": START}
        flags = {f"shop.{key}": value for key, value in shop.items()} | {f"faults.{key}": v for key, v in plan.faults.items()}
        self.settings = own_settings({"kafka.topic": name, **flags})
        self._until = 0
        self._victims: list[Victim] = []
        self._proxies: list[KafkaProxy] = []

    def play(self, strike: Callable[[ProducerRound, ProducerPhase], bool]) -> Outcome:
        """All of it. A Violation is not raised: it is in the outcome."""
        return played(self.outcome, lambda: self._play(strike), self._close)

    def _play(self, strike: Callable[[ProducerRound, ProducerPhase], bool]) -> None:
        self._address = self.servers.ready(self._name)
        struck = []
        for phase in self.plan.phases:
            self._until += phase.events
            struck.append(strike(self, phase))
            self._finish()
        self.outcome.struck = all(struck)
        self._until += self.plan.last_events
        self.start()
        self._finish()
        self._account()

    # What scenarios do.

    def start(self, *, strike: Mapping[str, Any] | None = None, proxy: KafkaProxy | None = None) -> Victim:
        """A producer that goes on to where this phase of the stream ends."""
        self.outcome.restarts += bool(self._victims)
        victim = self._nursery.start(
            f"producer {len(self._victims) + 1}", self.settings, self._address, self.servers.kafka.bootstrap, strike=strike,
            mutation=self._mutation, batch_bytes=self.plan.batch_bytes, flush_s=self.plan.flush_s, until=self._until,
            proxy=None if proxy is None else proxy.port,
        )  # fmt: skip
        self._victims.append(victim)
        return victim

    def proxy(self, trap: RequestTrap, on_strike: Callable[[], None] = lambda: None) -> KafkaProxy:
        made = KafkaProxy((self.servers.kafka.host, self.servers.kafka.port), trap, on_strike)
        self._proxies.append(made)
        return made

    def happens(self, victim: Victim, condition: Callable[[], Any], what: str) -> bool:
        """Wait for a strike: True when it happens, False when the producer has come to its end and it did not."""
        wait_for([], lambda: condition() or not victim.alive, what, PATIENCE_S)
        if not victim.alive:
            victim.hear_out()
        return bool(condition())

    def end_sessions(self) -> None:
        """Of all that send."""
        with self._address.connect("admin", autocommit=True) as admin:
            admin.execute(END_SESSIONS.encode())

    # The end.

    def _finish(self) -> None:
        for victim in self._victims:
            if not victim.ended_by_us:
                victim.wait_done(PATIENCE_S)

    def _account(self) -> None:
        sent = Sent(self.servers.client(self.settings), self.settings, self._address)
        self.outcome.records, found = differences(sent, self._until)
        self.outcome.violations += found

    def _close(self) -> None:
        for victim in self._victims:
            victim.kill()
        for proxy in self._proxies:
            proxy.close()
        try:
            self.servers.drop(self._name)
        except (KafkaError, psycopg.Error, OSError) as error:
            self.outcome.notes.append(f"cleaning up: {error}")
