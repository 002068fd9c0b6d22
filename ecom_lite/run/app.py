"""The one place that knows every room: builds the services of a run from the settings, in order."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..engines.child import ChildRegistry
from ..engines.from_settings import jar_cache, kafka_server, spark_gateway
from ..engines.kafka import KafkaServer
from ..engines.ports import LOOPBACK, free_port, is_free, require_free
from ..engines.postgres import PostgresServer
from ..settings.bundled import bundled
from ..settings.show import dump_settings
from ..settings.tree import Settings
from ..supervise.adapters import EngineService, Late, Step
from ..supervise.service import Service
from ..supervise.supervisor import Supervisor
from ..supervise.worker import WorkerService
from ..warehouse.connect import ROLES, Address
from ..warehouse.migrate import migrate
from ..warehouse.roles import ensure_database_and_roles, load_passwords
from . import grafana_part, loaders
from .backfill import History
from .page_part import PageService, page_status
from .shop_control import Wishes

if TYPE_CHECKING:  # heavy rooms are imported when they are built, so that small commands start at once
    from ..dashboards.page import Page
    from ..engines.grafana import GrafanaServer
    from ..engines.spark import SparkGateway
    from ..stream.light import LightMinutes
    from ..supervise.schedule import Schedule
    from ..transform import DbtRun, Transform

LIGHT_EVERY_S: Final = 2.0
FIRST_FACTS_EVERY_S: Final = 0.5
DBT_NICE: Final = 5
PRODUCER_STOP_S: Final = 10.0
SECOND_DBT_S: Final = 60.0  # after the start; then every transform.every_s
PAGE_PORT: Final = 8100  # tried first, so that a bookmark keeps working


class App:
    """All parts of one run. Nothing is started before the supervisor starts it; `address` and `bootstrap` are known after."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.data_dir = settings.data_dir
        self.logs = self.data_dir / "logs"
        self.registry = ChildRegistry(self.data_dir / "children.json")
        self.jars = jar_cache(settings)
        self.own_kafka = not settings.kafka.bootstrap
        self.own_postgres = not settings.postgres.url.get_secret_value()
        self.kafka: KafkaServer | None = None
        self.postgres = PostgresServer(self.data_dir / "postgres", self.logs, port=settings.postgres.port, registry=self.registry)
        self.transform: Transform | None = None
        self.light: LightMinutes | None = None
        self.page: Page | None = None
        self.grafana: GrafanaServer | None = None
        self.history: History | None = None
        self.wishes: Wishes | None = None
        self.control_token = secrets.token_urlsafe(32)
        self._address: Address | None = None
        self._producer: WorkerService | None = None

    @property
    def bootstrap(self) -> str:
        return self.settings.kafka.bootstrap if self.kafka is None else self.kafka.bootstrap

    @property
    def client(self) -> dict[str, Any]:
        """kafka-python's settings for this broker."""
        from ..topic import client as kafka_client

        return dict(kafka_client.client_config(self.settings.kafka, self.bootstrap))

    def use(self, address: Address) -> None:
        """Reach the warehouse of a live run instead of our own server."""
        self._address = address

    @property
    def address(self) -> Address:
        """Where the warehouse is; an external server's role passwords follow from its own, the same on every machine."""
        if self._address is None:
            url = self.settings.postgres.url.get_secret_value()
            if url:
                address = Address.from_url(url, {})
                passwords = {role: _derived(address.admin_password, role) for role in ROLES}
                self._address = Address.from_url(url, passwords)
            else:
                server = self.postgres
                self._address = Address(
                    server.host, server.port, self.settings.postgres.database, "postgres", server.superuser_password,
                    load_passwords(self.data_dir),
                )  # fmt: skip
        return self._address

    def prepare_schema(self) -> None:
        ensure_database_and_roles(self.address)
        migrate(self.address)
        grafana_part.write_env(self.data_dir, self.address)

    def prepare_topics(self) -> None:
        from ..topic import client as kafka_client

        kafka = self.settings.kafka
        kafka_client.ensure_topics(self.client, kafka.topic, kafka.partitions, kafka.dlq_topic)

    def end_offsets(self) -> Mapping[int, int]:
        """The broker's end of each partition, now."""
        from ..topic import client as kafka_client

        return dict(kafka_client.end_offsets(self.client, self.settings.kafka.topic))

    def require_ports(self) -> None:
        """Raise PortTaken, naming who has it, for a port that was set and is in use: before anything is started."""
        settings = self.settings
        for setting, port, host in (
            ("kafka.port", settings.kafka.port if self.own_kafka else None, LOOPBACK),
            ("postgres.port", settings.postgres.port if self.own_postgres else None, LOOPBACK),
            ("dashboards.port", settings.dashboards.port, settings.dashboards.host),
        ):
            if port is not None:
                require_free(port, host, setting)

    def add_engines(self, supervisor: Supervisor, *, kafka: bool = True) -> None:
        """The servers that are ours, and the steps that make them usable: `schema` and `topics`."""
        if kafka and self.own_kafka:
            self.kafka = kafka_server(self.settings, self.registry)
            assert self.kafka is not None
            supervisor.add(EngineService("kafka", self.kafka))
        if self.own_postgres:
            supervisor.add(EngineService("postgres", self.postgres))
        supervisor.add(Step("schema", self.prepare_schema), ["postgres"] if self.own_postgres else [])
        if kafka:
            supervisor.add(Step("topics", self.prepare_topics), ["kafka"] if self.own_kafka else [])

    def add_parts(self, supervisor: Supervisor, status: Callable[[], Mapping[str, object]]) -> None:
        """Everything above the engines, in the reverse of the order in which it must stop."""
        settings = self.settings
        supervisor.add(Late("page", lambda: self._build_page(status)), ["schema"])
        binary = grafana_part.find(settings.grafana.home) if settings.grafana.enabled else None
        if binary is not None:
            supervisor.add(Late("grafana", lambda: self._build_grafana(binary)), ["schema"])
        if not settings.run.light:
            gateway = spark_gateway(settings, self.registry)
            supervisor.add(EngineService("spark", gateway))
            supervisor.add(Late("stream", lambda: self._build_stream(gateway)), ["spark", "schema", "topics"])
        supervisor.add(Late("schedule", self._build_schedule), ["schema"])
        self.add_loader(supervisor)
        if settings.shop.enabled:
            # Last, as a viewer would expect; it also keeps the first dbt run out of the start, where Spark needs both cores.
            producer = self._producer = WorkerService(
                "produce", self._produce_job, log=self.logs / "produce.log", registry=self.registry,
                ready_s=settings.run.ready_timeout_s, stop_s=PRODUCER_STOP_S,
            )  # fmt: skip
            self.wishes = Wishes(settings, producer.tell, lambda: producer.health().figures)
            supervisor.add(
                producer, [*loaders.names(settings.load.processes), "page", *([] if settings.run.light else ["stream"])]
            )

    def add_loader(self, supervisor: Supervisor) -> None:
        """So many as load.processes says: load, load-2, ..."""
        for service in self.loader_services(self.data_dir, self.registry):
            supervisor.add(service, ["schema", "topics"])

    def loader_services(self, folder: Path, registry: ChildRegistry) -> list[WorkerService]:
        run = self.settings.run
        return loaders.workers(
            self.settings.load.processes, self._job, folder, registry, ready_s=run.ready_timeout_s, drain_s=run.stop_timeout_s
        )

    def run_dbt(self, trigger: str, *, full_refresh: bool = False) -> DbtRun:
        """One dbt run, now; runs never overlap."""
        from ..transform import Transform

        if self.transform is None:
            self.transform = Transform(
                self.address, bundled("dbt_project"), self.data_dir / "dbt", self.settings.transform.threads
            )
        with ThreadPoolExecutor(1, thread_name_prefix="dbt", initializer=_lower_priority) as thread:
            return thread.submit(self.transform.run, trigger, full_refresh=full_refresh).result()

    def settle(self) -> None:
        """At the end of a bounded run, with all facts in: bring minutes and marts up to them."""
        if self.light is not None:
            self.light.refresh()
        self.run_dbt("stop")
        if self.history is not None and not self.history.pending():
            self.history.in_marts()

    @property
    def page_url(self) -> str:
        return self.page.url if self.page is not None else ""

    def addresses(self) -> dict[str, str]:
        """What the banner shows."""
        shown = {"dashboards": self.page_url}
        if self.grafana is not None:
            shown["grafana"] = self.grafana.url
        address = self.address
        shown["kafka"] = f"{self.bootstrap}, topic {self.settings.kafka.topic}"
        shown["postgres"] = f'{address.host}:{address.port}/{address.database}, or `ecom_lite sql "SELECT ..."`'
        shown["data"] = str(self.data_dir)
        return shown

    def connect_state(self) -> dict[str, object]:
        """How another process of this user reaches the live parts: for the state file (0600), without passwords."""
        address = self.address
        return {
            "control_url": f"{self.page_url}api/control",
            "control_token": self.control_token,
            "bootstrap": self.bootstrap,
            "postgres": {"host": address.host, "port": address.port, "database": address.database},
        }

    def _job(self) -> dict[str, Any]:
        return {"settings": dump_settings(self.settings), "address": asdict(self.address), "bootstrap": self.bootstrap}

    def _produce_job(self) -> dict[str, Any]:
        """A restarted producer goes on to the end that the first one has set itself, and as it was last told to."""
        producer, wishes = self._producer, self.wishes
        assert producer is not None and wishes is not None
        until = producer.last_figures.get("until")
        wanted = {"events": self.settings.shop.events} if until is None else {"until": until}
        return {**self._job(), **wanted, "control": wishes.now()}

    def _build_stream(self, gateway: SparkGateway) -> Any:
        from ..stream.stream import Stream

        return Stream(self.settings, self.address, self.bootstrap, self.data_dir, gateway)

    def _build_page(self, status: Callable[[], Mapping[str, object]]) -> Any:
        from ..dashboards.page import Page

        wanted = self.settings.dashboards
        port = wanted.port or (PAGE_PORT if is_free(PAGE_PORT, wanted.host) else free_port(wanted.host))
        self.page = Page(self.address, bundled("grafana") / "dashboards", wanted.host, port, lambda: page_status(status()),
                         control=None if self.wishes is None else self.wishes.change, token=self.control_token)  # fmt: skip
        return PageService(self.page)

    def _build_grafana(self, binary: Path) -> Service:
        self.grafana = grafana_part.build(
            binary, self.data_dir, self.address, logs=self.logs, port=self.settings.grafana.port, registry=self.registry
        )
        return EngineService("grafana", self.grafana)

    def _build_schedule(self) -> Schedule:
        from ..stream.light import LightMinutes
        from ..supervise.schedule import Schedule
        from ..transform import new_facts_exist

        schedule = Schedule()
        address, producer = self.address, self._producer
        history = self.history = History(lambda: {} if producer is None else producer.last_figures, address)

        def first_run() -> bool:
            run = self.run_dbt("history" if history.expected else "first facts")
            if history.expected:
                history.in_marts()
            return run.status != "error"  # else it is tried again

        # While a past is being loaded its marts would be built again and again.
        schedule.when("first facts", FIRST_FACTS_EVERY_S, lambda: not history.pending() and new_facts_exist(address), first_run)
        # The first facts are a handful: marts made of them would look broken until the next run.
        soon = time.monotonic() + SECOND_DBT_S
        schedule.when(
            "first minute", 5, lambda: time.monotonic() > soon and not history.pending(), lambda: self.run_dbt("first minute")
        )
        schedule.every("dbt", self.settings.transform.every_s, lambda: self.run_dbt("schedule"))
        if self.settings.run.light:
            self.light = LightMinutes(address)
            schedule.every("minutes without Spark", LIGHT_EVERY_S, self.light.refresh, at_once=True)
        return schedule


def _lower_priority() -> None:
    """This thread, and those it starts, step back while the loader wants the cores (Linux only: elsewhere it would be all)."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), DBT_NICE)


def _derived(secret: str, role: str) -> str:
    return hmac.new(secret.encode(), f"ecom_lite {role}".encode(), hashlib.sha256).hexdigest()
