"""One round: a topic and a database of its own, a load, the strikes of its plan, loaders until all is in, and the account."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import psycopg
from kafka.errors import KafkaError

from ..settings.data_dir import LAKE
from ..settings.tree import Settings
from ..warehouse.connect import Address
from ..warehouse.mark import read_mark
from .feed import Feed
from .lake import Lake
from .loaders import Nursery, Victim, wait_for
from .mutations import NO_UNIQUE_KEY
from .outcome import Outcome, played
from .plan import Phase, Plan
from .proxy import Proxy
from .records import REFUSED_QUANTITY, Portion
from .recount import Account, Lost, differences
from .servers import Servers, ask
from .shapes import EVENTS, drawn
from .topic import Topic

PATIENCE_S: Final = 90.0  # seconds, and what a busy machine adds
DRAIN_S: Final = 15.0
LOOK_S: Final = 0.05  # between two looks at the offsets
REFUSE: Final = f"ALTER TABLE warehouse.fact_sales ADD CONSTRAINT harness_refuses CHECK (quantity <> {REFUSED_QUANTITY})"
REFUSALS: Final = "SELECT FROM ops.dead_letters WHERE reason = 'refused_by_database' LIMIT 1"
DROP_KEY: Final = "ALTER TABLE warehouse.fact_sales DROP CONSTRAINT fact_sales_pkey"


class Round:
    """What a scenario works with. `play` is the whole of it."""

    def __init__(self, servers: Servers, nursery: Nursery, plan: Plan, mutation: str | None, name: str) -> None:
        self.servers, self.plan, self.draw = servers, plan, plan.draw
        self.victims: list[Victim] = []
        self.lost: list[Lost] = []
        self.first_offsets: dict[int, int] = {}
        self.outcome = Outcome(plan)
        self._nursery, self._mutation = nursery, mutation
        self._name = name
        self.settings: Settings = servers.settings(name, plan.batch_rows, plan.flush_ms, EVENTS[plan.form])
        self.client = servers.client(self.settings)
        self._drawn = drawn(plan.form, plan.draw, plan.refuse)
        self._admin: psycopg.Connection | None = None
        self._proxies: list[Proxy] = []
        self._next_look, self._looked = 0.0, False
        self._closing: list[Callable[[], None]] = []

    def play(self, strike: Callable[[Round, Phase], bool]) -> Outcome:
        """All of it. A Violation is not raised: it is in the outcome."""
        return played(self.outcome, lambda: self._play(strike), self._close)

    def _play(self, strike: Callable[[Round, Phase], bool]) -> None:
        self._open()
        struck = []
        for phase in self.plan.phases:
            struck.append(strike(self, phase))
            wait_for(self.victims, self.all_loaded, "all of the topic loaded", PATIENCE_S)
            self._finish()
        if self.plan.refuse:
            struck.append(bool(self.ask(REFUSALS)))
        self.outcome.struck = all(struck)
        self._account()

    def _open(self) -> None:
        self.address: Address = self.servers.ready(self._name)
        self._closing.append(lambda: self.servers.drop(self._name))
        self.lake = Lake(self.address, self.servers.folder / LAKE / self._name)
        self._closing.append(self.lake.close)
        self.lake.begin()
        if self.plan.refuse:
            self.execute(REFUSE)
        if self._mutation == NO_UNIQUE_KEY:
            self.execute(DROP_KEY)
        mark = f"harness@{read_mark(self._connection())}".encode()
        self.topic = Topic(self.client, self.settings.kafka.topic, mark)
        self._closing.append(self.topic.close)
        self.feed = Feed(self.client, self.settings.kafka.topic, mark)
        self._closing.append(self.feed.close)

    # What scenarios do.

    def portions(self, count: int) -> list[Portion]:
        """Records to send; with transactions in rounds that leave the broker alone."""
        return self._drawn.portions(count, transactions=all(p.scenario != "kafka-kill" for p in self.plan.phases))

    def start(
        self, name: str, *, strike: Mapping[str, Any] | None = None, proxy: Proxy | None = None, restart: bool = False
    ) -> Victim:
        address = self.address if proxy is None else self.via(proxy)
        victim = self._nursery.start(
            name, self.settings, address, self.servers.kafka.bootstrap,
            strike=strike, instance=name, drain_s=DRAIN_S, session_ms=self.plan.session_ms, mutation=self._mutation,
        )  # fmt: skip
        self.victims.append(victim)
        self.outcome.restarts += restart
        return victim

    def via(self, proxy: Proxy) -> Address:
        self._proxies.append(proxy)
        return replace(self.address, host="127.0.0.1", port=proxy.port)

    def load_and_start(self, phase: Phase, **options: Any) -> Victim:
        """The phase's records and its first loader, in the order that was drawn."""
        portions = self.portions(phase.records)
        if phase.before:
            self.feed.send(portions)
            return self.start("one", **options)
        pause_s = self.draw.uniform(0.0, 0.05)
        victim = self.start("one", **options)
        self.feed.begin(portions, pause_s)
        return victim

    def start_again(self, phase: Phase, **options: Any) -> Victim:
        return self.start("one" if phase.same_name else "two", restart=True, **options)

    def happens(self, condition: Callable[[], Any], what: str) -> bool:
        """Wait for a strike: True when it happens, False when all is loaded and it did not."""
        return bool(wait_for(self.victims, lambda: (condition() and 1) or (self.all_loaded() and -1), what, PATIENCE_S) == 1)

    # What is true of the round now.

    def execute(self, statement: str) -> None:
        """As the superuser, on the round's database."""
        self._connection().execute(statement.encode())

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """As the superuser; connects anew where the server was killed meanwhile."""
        try:
            return ask(self._connection(), query)
        except psycopg.OperationalError:
            return ask(self._connection(), query)

    def _connection(self) -> psycopg.Connection:
        if self._admin is None or self._admin.closed:
            self._admin = self.address.connect("admin", autocommit=True)
        return self._admin

    def positions(self) -> dict[int, int]:
        return dict(self.ask("SELECT partition, next_offset FROM ops.consumer_offsets"))

    def all_loaded(self) -> bool:
        """Whether everything was sent and the table has come to its end. Looks a few times a second."""
        if time.monotonic() < self._next_look:
            return self._looked
        self._looked = False
        if self.feed.done:
            try:
                self._looked = self.positions() == self.topic.ends()
            except (psycopg.OperationalError, KafkaError):
                pass  # one of them is down
        self._next_look = time.monotonic() + (0.0 if self._looked else LOOK_S)
        return self._looked

    # The end.

    def _finish(self) -> None:
        for victim in self.victims:
            if victim.alive:
                victim.let_finish()
        for victim in self.victims:
            if victim.alive or not victim.was_killed:
                victim.finish()
        self.victims.clear()
        self._looked = False

    def _account(self) -> None:
        self.lake.take_in_all(PATIENCE_S)
        self.topic.read()
        self.outcome.records = len(self.topic.records)
        account = Account(
            self.address, self.settings.kafka.topic, self.topic.records, self.topic.ends(), self.first_offsets, self.lost,
            REFUSED_QUANTITY if self.plan.refuse else None, self.plan.form, self.lake.folder,
        )  # fmt: skip
        self.outcome.violations += differences(account)

    def _close(self) -> None:
        for victim in self.victims:
            victim.kill()
        for proxy in self._proxies:
            proxy.close()
        for close in reversed(self._closing):
            try:
                close()
            except (KafkaError, psycopg.Error, OSError) as error:
                self.outcome.notes.append(f"cleaning up: {error}")
        if self._admin is not None:
            self._admin.close()
