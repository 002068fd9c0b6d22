"""The engines of one run of the tool, in a folder of their own; a topic and a database for each round."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psycopg
from kafka.errors import KafkaError
from psycopg import sql

from ..engines.from_settings import archive_dir, jar_cache
from ..engines.java import find_java
from ..engines.kafka import KafkaServer
from ..engines.postgres import PostgresServer
from ..engines.scratch import Scratch
from ..errors import EcomLiteError
from ..settings.data_dir import KAFKA, LOGS, POSTGRES
from ..settings.tree import Settings
from ..topic.client import client_config, ensure_topics
from ..warehouse.connect import Address
from ..warehouse.migrate import migrate
from ..warehouse.passwords import load_passwords
from ..warehouse.roles import ensure_database_and_roles
from .own import own_settings
from .records import PARTITIONS

TEMPLATE: Final = "faults_template"
NO_MAPPING: Final[Mapping[str, Any]] = {}
DISK_BYTES: Final = 24 << 20
MOUNT_TIMEOUT_S: Final = 10


class Servers:
    """One Kafka and one PostgreSQL, which the rounds may kill and start again."""

    def __init__(self, scratch: Scratch) -> None:
        self.folder, self.registry = scratch.path, scratch.registry
        self.logs = self.folder / LOGS
        settings = own_settings()
        java, classpath = find_java(settings.jars.java), jar_cache(settings).classpath("kafka")
        self.kafka = KafkaServer(
            self.folder / KAFKA, self.logs, java=java, classpath=classpath, archive_dir=archive_dir(settings),
            registry=self.registry,
        )  # fmt: skip
        self.postgres = PostgresServer(self.folder / POSTGRES, self.logs, registry=self.registry)
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="servers")
        self._prepared: dict[str, Future[None]] = {}
        self._small_disk: Path | None = None
        self.small_disk_refused = ""  # why there is no small disk on this machine

    def start(self) -> None:
        """Both engines, side by side, and the template of the databases."""
        with ThreadPoolExecutor(2) as starting:
            for started in [starting.submit(self.kafka.start), starting.submit(self._start_postgres)]:
                started.result()

    def _start_postgres(self) -> None:
        self.postgres.start()
        template = self.address(TEMPLATE)
        ensure_database_and_roles(template)
        migrate(template)

    def address(self, database: str) -> Address:
        server = self.postgres
        passwords = load_passwords(self.folder)
        return Address(server.host, server.port, database, "postgres", server.superuser_password, passwords)

    def settings(
        self, topic: str, batch_rows: int | None = None, flush_ms: int | None = None, events: Mapping[str, Any] = NO_MAPPING
    ) -> Settings:
        loading = {"kafka.topic": topic, "load.batch_rows": batch_rows, "load.flush_ms": flush_ms}
        return own_settings(loading | {f"events.{name}": value for name, value in events.items()})

    def client(self, settings: Settings) -> dict[str, Any]:
        return client_config(settings.kafka, self.kafka.bootstrap)

    def prepare(self, name: str) -> None:
        """Begin to make topic and database `name`, aside: an engine that is killed meanwhile costs time, no more."""
        self._prepared[name] = self._aside.submit(self._make, name)

    def ready(self, name: str) -> Address:
        """The database `name`, fresh and migrated; the topic of that name is there too."""
        try:
            self._prepared.pop(name).result()
        except (KeyError, EcomLiteError, KafkaError, psycopg.Error):
            self._make(name)
        return self.address(name)

    def _make(self, name: str) -> None:
        kafka = self.settings(name).kafka
        ensure_topics(client_config(kafka, self.kafka.bootstrap), name, PARTITIONS, kafka.dlq_topic)
        self._admin("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        self._admin("CREATE DATABASE {} TEMPLATE {} OWNER ecom_owner", name, TEMPLATE)

    def drop(self, name: str) -> None:
        """Let the database go, aside; what is left over goes with the cluster."""
        self._aside.submit(self._admin, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _admin(self, statement: str, *names: str) -> None:
        with self.address("postgres").connect("admin", autocommit=True) as admin:
            admin.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def small_disk(self) -> Path | None:
        """A tablespace `small` of a few MB on a disk of its own; its folder, or None where this machine allows no mounting."""
        if self._small_disk is None and not self.small_disk_refused:
            # Beside the cluster: what the server's account can reach, also where we are root.
            place = (self.postgres.data_dir / "cluster").resolve().parent / "small"
            place.mkdir(exist_ok=True)
            self.small_disk_refused = _run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0777", "tmpfs", str(place)])
            if not self.small_disk_refused:
                self._small_disk = place
                (place / "tablespace").mkdir()
                owner = (self.postgres.data_dir / "cluster").resolve().stat()
                with suppress(PermissionError):
                    shutil.chown(place / "tablespace", owner.st_uid, owner.st_gid)
                (place / "tablespace").chmod(0o700)
                with self.address("postgres").connect("admin", autocommit=True) as admin:
                    admin.execute(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(str(place / "tablespace")))
        return self._small_disk

    def versions(self) -> list[str]:
        """The servers, by name and version."""
        broker = kafka_version(self.kafka.classpath)
        with self.address("postgres").connect("admin") as admin:
            return [f"Kafka {broker}".strip(), f"PostgreSQL {ask(admin, 'SHOW server_version')[0][0]}"]

    def stop(self) -> None:
        """End both engines; what they have written stays."""
        self._aside.shutdown(wait=False, cancel_futures=True)
        self.kafka.kill()
        self.postgres.kill()


def kafka_version(classpath: Iterable[Path]) -> str:
    """Of the broker; "" where its jar has another name."""
    return next((jar.stem.rpartition("-")[2] for jar in classpath if jar.name.startswith("kafka-server-")), "")


def ask(admin: psycopg.Connection, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """The rows of one query."""
    return admin.execute(query.encode(), values).fetchall()


def _run(command: list[str]) -> str:
    """Why the command failed; empty when it did not."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MOUNT_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else (done.stderr.strip() or f"exit code {done.returncode}")
