"""The PostgreSQL of a test session: from the template where there is one, else made, and then kept as the template."""

from __future__ import annotations

import logging
import shutil
from typing import Final

import psycopg
from psycopg import sql

from ..engines import pgfiles
from ..engines.from_settings import cache_dir, logs_dir
from ..engines.postgres import PostgresServer
from ..engines.registry import ChildRegistry
from ..errors import EcomLiteError
from ..settings.data_dir import POSTGRES
from ..settings.tree import Settings
from ..system import NOBODY, account_for
from ..warehouse.connect import Address
from ..warehouse.migrate import migrate
from ..warehouse.passwords import load_passwords
from ..warehouse.roles import ensure_database_and_roles
from .template import ClusterTemplate

TEMPLATE: Final = "ecom_template"
# Only processes die in a test session, never the machine: nothing need reach the disk. And few rows need little memory.
SETTINGS: Final = {
    "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "wal_level": "minimal", "max_wal_senders": "0",
    "shared_buffers": "32MB", "min_wal_size": "4MB", "max_wal_size": "128MB", "io_method": "sync", "max_connections": "200",
}  # fmt: skip
INITDB: Final = ["--wal-segsize=1"]  # MB: the least that a cluster has of its log is two of them
UNUSED: Final = ("template1", "template0")  # PostgreSQL's own: 600 files of a cluster
log = logging.getLogger("ecom_lite.testing")


class Database:
    """The server, and in it the migrated database that the tests' own ones are copies of."""

    def __init__(self, settings: Settings, registry: ChildRegistry) -> None:
        self._data_dir = settings.data_dir
        self._template = ClusterTemplate(cache_dir(settings))
        self.server = PostgresServer(
            settings.data_dir / POSTGRES, logs_dir(settings), registry=registry, settings=SETTINGS, initdb=INITDB,
            port=settings.postgres.port,
        )  # fmt: skip

    def start(self) -> Address:
        """The address of the template database. A copied cluster that is no good is made anew, once. Raises EcomLiteError."""
        server, template = self.server, self._template
        home = pgfiles.cluster_home(server.data_dir, account_for(NOBODY))
        if template.copy(server.data_dir, home):
            try:
                return self._started()
            except (EcomLiteError, psycopg.Error) as error:
                log.warning("the cluster in %s is made anew: %s", template.path, error)
                template.discard()
                server.kill()
                shutil.rmtree(home / pgfiles.CLUSTER)
        self._started()
        server.stop()
        template.keep(server.data_dir, home)
        return self._started()

    def _started(self) -> Address:
        server = self.server
        server.start()
        address = Address(
            server.host, server.port, TEMPLATE, "postgres", server.superuser_password, load_passwords(self._data_dir)
        )
        with address.with_database("postgres").connect("admin", autocommit=True) as admin:
            there = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone()
        if there is None:
            ensure_database_and_roles(address)
            self._drop_unused(address)
        migrate(address)  # a copy of a good template has it all: then it only looks
        return address

    def _drop_unused(self, address: Address) -> None:
        with address.with_database("postgres").connect("admin", autocommit=True) as admin:
            for name in map(sql.Identifier, UNUSED):
                admin.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE false").format(name))
                admin.execute(sql.SQL("DROP DATABASE {}").format(name))
