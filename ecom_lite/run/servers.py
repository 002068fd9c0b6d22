"""The servers of a run, of a command, of a test or of a benchmark: one way to start them, and to leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from ..engines.from_settings import kafka_server, postgres_server, spark_gateway
from ..engines.registry import ChildRegistry
from ..live.lock import RunLock
from ..live.state import forget_state
from ..machine.prepare import fetch_jars
from ..observe.logs import setup_file_logs
from ..settings.data_dir import CHILDREN
from ..settings.tree import Settings
from ..supervise.adapters import EngineService, Step
from ..supervise.supervisor import Listener, Supervisor
from ..terminal.terminal import Terminal
from ..warehouse.migrate import bundled, migrate
from ..warehouse.passwords import shared_passwords
from ..warehouse.roles import ensure_database_and_roles
from . import grafana_part
from .interrupts import undisturbed
from .logins import refusal, tell_former
from .reach import Reach, address_of, reach_of

if TYPE_CHECKING:
    from ..engines.kafka import KafkaServer
    from ..engines.postgres import PostgresServer
    from ..engines.spark import SparkGateway


class Servers:
    """Kafka and PostgreSQL, ours or those that the settings name, as the first services of a supervisor.

    Services that are added to `supervisor` may need the steps `schema` and `topics`. Nothing runs before `supervisor.start`.
    `say` tells the user a line in a style. The clock of the marts is set, or refused, where `sets_clock`: not for a question.
    """

    def __init__(
        self, settings: Settings, supervisor: Supervisor, registry: ChildRegistry, say: Callable[[str, str], None], *,
        kafka: bool, sets_clock: bool = False, spark: bool = False,
    ) -> None:  # fmt: skip
        self._say = say
        self._time_zone = settings.shop.time_zone if sets_clock else None
        self._alerts = sets_clock and settings.alerts.enabled  # not for a question
        self.settings = settings
        self.supervisor = supervisor
        self.registry = registry
        self.kafka: KafkaServer | None = kafka_server(settings, registry) if kafka else None
        self.postgres: PostgresServer | None = postgres_server(settings, registry)
        self.spark: SparkGateway | None = spark_gateway(settings, registry) if spark else None
        self.engines = [
            EngineService(name, engine)
            for name, engine in (("kafka", self.kafka), ("postgres", self.postgres), ("spark", self.spark))
            if engine is not None
        ]
        for engine in self.engines:
            supervisor.add(engine)
        supervisor.add(Step("schema", self._prepare_schema), [] if self.postgres is None else ["postgres"])
        if kafka:
            supervisor.add(Step("topics", self._prepare_topics), [] if self.kafka is None else ["kafka"])

    def ahead(self) -> None:
        """Have our servers start now; `supervisor.start` then waits for them as for any other part. Ends with its `stop`."""
        for engine in self.engines:
            local = engine.engine is self.spark and self.settings.spark.master.startswith("local")
            engine.ahead(*[self._open_session] if local else [])

    def _open_session(self) -> None:
        from ..stream.session import open_ahead

        assert self.spark is not None
        open_ahead(self.settings, self.spark, self.settings.data_dir)

    @property
    def reach(self) -> Reach:
        """Known once our servers are up."""
        return reach_of(self.settings, self.kafka, self.postgres)

    @property
    def client(self) -> dict[str, Any]:
        """kafka-python's settings for the broker. Not by `reach`: a PostgreSQL of ours may be up later than Kafka."""
        from ..topic.client import client_config

        kafka = self.settings.kafka
        return client_config(kafka, kafka.bootstrap if self.kafka is None else self.kafka.bootstrap)

    def _prepare_schema(self) -> None:
        # Not by `reach`: a Kafka of ours may not be up yet, and the schema needs none.
        address, ours = address_of(self.settings, self.postgres), self.postgres is not None
        ensure_database_and_roles(address, None if ours else shared_passwords(self.settings))
        try:
            applied = migrate(
                address, currency=self.settings.currency, attributes=self.settings.events.attributes,
                time_zone=self._time_zone,
            )  # fmt: skip
        except psycopg.OperationalError as error:
            told = None if ours else refusal(self.settings, error)
            raise told or error from None
        if 0 < len(applied) < len(bundled()):  # one that was there before
            self._say(f"the warehouse is of this version now: {', '.join(applied)}", "dim")
        if not ours:
            tell_former(self.settings, self._say)
        grafana_part.write_env(self.settings.data_dir, address)

    def _prepare_topics(self) -> None:
        from ..topic.client import PATIENT, ensure_topics

        kafka = self.settings.kafka
        judged = kafka.judged_topic if self.settings.spark_reads_judged else None
        alerts = self.settings.alerts.topic if self._alerts else None
        client = self.client if self.kafka is None else self.client | PATIENT  # ours has just answered
        ensure_topics(client, kafka.topic, kafka.partitions, kafka.dlq_topic, judged, self.settings.topics[1:], alerts)


@contextmanager
def servers(
    settings: Settings,
    purpose: str,
    terminal: Terminal,
    *,
    kafka: bool = True,
    jars: Sequence[str] = (),
    restarts: int = 0,
    listener: Listener = lambda service, event, detail: None,
    temporary: bool = False,
    sets_clock: bool = False,
    spark: bool = False,
) -> Iterator[Servers]:
    """The data folder locked for `purpose`, what a killed run left in it ended, the jars fetched (Kafka's where
    it is ours, and the groups named in `jars`); nothing started yet.

    At the end everything is stopped; a `temporary` cluster is deleted too (parts of it may lie outside the folder). Raises
    AlreadyRunning, JarError; on leaving, the first cause where a server has died.
    """
    with RunLock(settings.data_dir, purpose):
        if purpose == "run":
            forget_state(settings.data_dir)  # of one that was killed: for a moment it would be taken for this one's
        setup_file_logs(settings.data_dir, settings.run.log_level)
        registry = ChildRegistry(settings.data_dir / CHILDREN)
        if left := registry.cleanup():
            terminal.say(f"ended what an earlier run had left: {', '.join(left)}", "yellow")
        fetch_jars(settings, terminal, [*(["kafka"] if kafka and not settings.kafka.bootstrap else []), *jars])
        run = settings.run
        supervisor = Supervisor(
            restarts=restarts, restart_window_s=run.restart_window_s, ready_timeout_s=run.ready_timeout_s, listener=listener
        )
        started = Servers(settings, supervisor, registry, terminal.say, kafka=kafka, sets_clock=sets_clock, spark=spark)
        try:
            yield started
        except Exception:  # no Ctrl-C: whoever presses it wants no more than that
            if supervisor.failure is not None:  # the first cause: a server that died under its user
                raise supervisor.failure from None
            raise
        finally:
            with undisturbed():
                supervisor.stop()
                if temporary and started.postgres is not None:
                    started.postgres.remove()
