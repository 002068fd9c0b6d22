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
from ..run.interrupts import undisturbed
from ..run.servers import Servers, servers
from ..settings.events import AllEvents
from ..settings.tree import Currency, Faults, Settings
from ..terminal.terminal import Terminal
from ..topic.client import ensure_topics
from ..warehouse.connect import Address
from ..warehouse.migrate import migrate
from ..warehouse.roles import ensure_database_and_roles
from ..warehouse.sqlfiles import read_sql


class Rig:
    """One Kafka and one PostgreSQL; each measurement asks for a topic and a database that nothing has touched."""

    def __init__(self, started: Servers) -> None:
        self.servers = started
        self.reach = started.reach
        self.settings = started.settings

    def topic(self, name: str) -> Settings:
        """The settings of a run on a new topic."""
        settings = self.settings
        kafka = settings.kafka.model_copy(update={"topic": name})
        ensure_topics(self.client, name, kafka.partitions, kafka.dlq_topic)
        return settings.model_copy(update={"kafka": kafka})

    @property
    def client(self) -> dict[str, Any]:
        return self.reach.client

    @contextmanager
    def warehouse(self, name: str) -> Iterator[Address]:
        """A migrated, empty warehouse, dropped at the end. What was written before is on disk when it begins."""
        address = self.reach.address.with_database(name)
        ensure_database_and_roles(address)
        migrate(address, currency=self.settings.currency)
        self.settle()
        yield address
        with self.reach.address.connect("admin", autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def settle(self) -> None:
        """Write all dirty pages out, so that no measurement pays for what was done before it."""
        with self.reach.address.connect("admin", autocommit=True) as admin:
            admin.execute("CHECKPOINT")


@contextmanager
def rig(settings: Settings, terminal: Terminal, needed_bytes: int) -> Iterator[Rig]:
    """Start the engines; at the end, also by Ctrl-C, stop them and delete the folder."""
    with own_folder(needed_bytes) as folder:
        terminal.say(f"starting Kafka and PostgreSQL of the benchmark's own in {folder}")
        with servers(isolated(settings, folder), "bench", terminal, temporary=True) as started:
            started.supervisor.start()
            yield Rig(started)


@contextmanager
def own_folder(needed_bytes: int) -> Iterator[Path]:
    """A temporary folder, deleted at the end, also by Ctrl-C. Raises EcomLiteError where its disk has less room than needed."""
    scratch = Scratch("bench")
    try:
        require_space(scratch.path, needed_bytes)
        yield scratch.path
    finally:
        with undisturbed():
            scratch.remove()


def isolated(settings: Settings, folder: Path) -> Settings:
    """The same settings with everything that would reach the user's own data, servers or ports taken out, and what only fits
    the user's own events, or a shop that has a past: what is sent here is of our shop, at the benchmark's pace."""
    return settings.model_copy(
        update={
            "run": settings.run.model_copy(update={"data_dir": folder, "light": True}),
            "kafka": settings.kafka.model_copy(
                update={"bootstrap": "", "port": None, "security_protocol": "PLAINTEXT", "ssl_cafile": ""}
            ),
            "postgres": settings.postgres.model_copy(update={"url": SecretStr(""), "port": None}),
            "events": AllEvents(),
            "currency": Currency(),  # our shop's prices have two decimals, and there are no rates
            "shop": settings.shop.model_copy(update={"start": None, "history": None, "speed": None}),
            "faults": Faults(),
        }
    )


def require_space(folder: Path, needed: int) -> None:
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
