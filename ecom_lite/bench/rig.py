"""Engines of the benchmark's own, with the settings of a run, in a temporary folder that goes at the end."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg import sql
from pydantic import SecretStr

from ..engines.scratch import Scratch
from ..errors import EcomLiteError
from ..machine.prepare import fetch_jars
from ..observe.logs import setup_file_logs
from ..run.app import App
from ..run.signals import undisturbed
from ..settings.tree import Settings
from ..supervise.supervisor import Supervisor
from ..terminal.terminal import Terminal
from ..topic.client import client_config, ensure_topics
from ..warehouse.connect import Address
from ..warehouse.migrate import migrate
from ..warehouse.roles import ensure_database_and_roles
from ..warehouse.sqlfiles import read_sql


class Rig:
    """One Kafka and one PostgreSQL; each measurement asks for a topic and a database that nothing has touched."""

    def __init__(self, app: App) -> None:
        self.app = app

    def topic(self, name: str) -> Settings:
        """The settings of a run on a new topic."""
        settings = self.app.settings
        kafka = settings.kafka.model_copy(update={"topic": name})
        ensure_topics(self.client, name, kafka.partitions, kafka.dlq_topic)
        return settings.model_copy(update={"kafka": kafka})

    @property
    def client(self) -> dict[str, Any]:
        return client_config(self.app.settings.kafka, self.app.bootstrap)

    @contextmanager
    def warehouse(self, name: str) -> Iterator[Address]:
        """A migrated, empty warehouse, dropped at the end. What was written before is on disk when it begins."""
        address = self.app.address.with_database(name)
        ensure_database_and_roles(address)
        migrate(address)
        self.settle()
        yield address
        with self.app.address.connect("admin", autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def settle(self) -> None:
        """Write all dirty pages out, so that no measurement pays for what was done before it."""
        with self.app.address.connect("admin", autocommit=True) as admin:
            admin.execute("CHECKPOINT")


@contextmanager
def rig(settings: Settings, terminal: Terminal, needed_bytes: int) -> Iterator[Rig]:
    """Start the engines; at the end, also by Ctrl-C, stop them and delete the folder."""
    fetch_jars(settings, terminal, ["kafka"])
    scratch = Scratch("bench")
    folder = scratch.path
    try:
        _require_space(folder, needed_bytes)
        terminal.say(f"starting Kafka and PostgreSQL of the benchmark's own in {folder}")
        setup_file_logs(folder, settings.run.log_level)
        with _engines(App(isolated(settings, folder))) as app:
            yield Rig(app)
    finally:
        with undisturbed():
            scratch.remove()


def isolated(settings: Settings, folder: Path) -> Settings:
    """The same settings with everything that would reach the user's own data, servers or ports taken out."""
    return settings.model_copy(
        update={
            "run": settings.run.model_copy(update={"data_dir": folder, "light": True}),
            "kafka": settings.kafka.model_copy(
                update={"bootstrap": "", "port": None, "security_protocol": "PLAINTEXT", "ssl_cafile": ""}
            ),
            "postgres": settings.postgres.model_copy(update={"url": SecretStr(""), "port": None}),
        }
    )


@contextmanager
def _engines(app: App) -> Iterator[App]:
    run = app.settings.run
    supervisor = Supervisor(restarts=0, restart_window_s=60, ready_timeout_s=run.ready_timeout_s, listener=lambda *_: None)
    app.add_engines(supervisor)
    try:
        supervisor.start()
        yield app
    except BaseException:
        if supervisor.failure is not None:  # the first cause: an engine that died
            raise supervisor.failure from None
        raise
    finally:
        with undisturbed():
            supervisor.stop()
            app.postgres.remove()


def _require_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise EcomLiteError(
            f"{folder.parent} has {free / 1e9:.1f} GB free and this benchmark wants {needed / 1e9:.1f} GB: free some, set TMPDIR "
            "to another folder, or take fewer --events"
        )


def ask(address: Address, name: str, values: Mapping[str, object] | None = None, role: str = "ecom_reader") -> Sequence[Any]:
    """The first row of sql/<name>.sql."""
    with address.connect(role, autocommit=True) as connection:
        return connection.execute(read_sql(__package__, name), values).fetchone() or ()
