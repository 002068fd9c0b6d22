"""One set of real engines per session; a database cloned from a migrated template, and a topic of its own, per test."""

from __future__ import annotations

import itertools
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql

from ecom_lite.engines.jars import JarCache
from ecom_lite.engines.java import find_java
from ecom_lite.engines.kafka import KafkaServer
from ecom_lite.engines.postgres import PostgresServer
from ecom_lite.engines.scratch import Scratch, clear_dead
from ecom_lite.settings.load import load_settings
from ecom_lite.system import memory_folder
from ecom_lite.topic.client import PATIENT, client_config, ensure_topics
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.migrate import migrate
from ecom_lite.warehouse.passwords import load_passwords
from ecom_lite.warehouse.roles import ensure_database_and_roles
from tests import runs
from tests.patience import connect_patiently
from tests.runs import START_S, wait_for

TEMPLATE = "ecom_template"
CENTURY_H = 100 * 366 * 24
ROOM_BYTES = 8 << 30  # for two sessions of these tests
# Whoever started us in the background, or by nohup, has these ignored, and so would have every child.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("ours", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("ours")
connect_patiently()
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def no_run_outlives_its_test() -> Iterator[None]:
    """One that a test has begun and, failing, not ended would take the machine from all others; those of fixtures were before."""
    before = len(runs.started)
    yield
    for run in runs.started[before:]:
        if run.process.poll() is None:
            run.end()


@pytest.fixture(scope="session")
def session_dir() -> Iterator[Path]:
    """In memory where there is room, as a session of the plugin: thousands of databases come and go (decision 60)."""
    clear_dead()
    folder = Path(tempfile.mkdtemp(prefix="ecom_lite_tests_", dir=memory_folder(ROOM_BYTES)))
    folder.chmod(0o711)  # for the account that PostgreSQL has where we are root
    scratch = Scratch("tests", folder)
    yield folder
    scratch.remove()


@pytest.fixture(scope="session")
def postgres_server(session_dir: Path) -> Iterator[PostgresServer]:
    # Only processes die in these tests, never the machine: nothing need reach the disk.
    unsafe = {"fsync": "off", "full_page_writes": "off"}
    server = PostgresServer(session_dir / "postgres", session_dir / "logs", settings=unsafe)
    server.start(START_S)
    yield server
    server.stop()
    server.remove()


@pytest.fixture(scope="session")
def template(postgres_server: PostgresServer, session_dir: Path) -> Address:
    server = postgres_server
    passwords = load_passwords(session_dir)
    address = Address(server.host, server.port, TEMPLATE, "postgres", server.superuser_password, passwords)
    ensure_database_and_roles(address)
    migrate(address)
    return address


def copy_database(admin: psycopg.Connection, source: str, name: str) -> None:
    """A session of `source` ends a little after its client has closed it, and PostgreSQL waits for five seconds only."""
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
    wait_for(lambda: admin.execute(sessions, [source]).fetchone() == (0,), f"no session of {source}")
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER ecom_owner STRATEGY file_copy")
    admin.execute(statement.format(sql.Identifier(name), sql.Identifier(source)))


@contextmanager
def a_database(template: Address) -> Iterator[Address]:
    """A fresh, migrated database, dropped at the end."""
    name = f"test_{next(_numbers)}"
    database = sql.Identifier(name)
    with template.with_database("postgres").connect("admin", autocommit=True) as admin:
        copy_database(admin, TEMPLATE, name)
        admin.execute(sql.SQL("GRANT CREATE, CONNECT, TEMPORARY ON DATABASE {} TO ecom_dbt").format(database))
        yield template.with_database(name)
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))


@pytest.fixture
def warehouse(template: Address) -> Iterator[Address]:
    """A database of this test's own."""
    with a_database(template) as made:
        yield made


@pytest.fixture(scope="session")
def java() -> Path:
    return find_java()


@pytest.fixture(scope="session")
def jar_cache() -> JarCache:
    """The user's own cache: filled by `make test` before the tests run."""
    cache = JarCache()
    for group in ("kafka", "spark"):
        cache.fetch(group)
    return cache


@pytest.fixture(scope="session")
def kafka_server(session_dir: Path, java: Path, jar_cache: JarCache) -> Iterator[KafkaServer]:
    # Every five minutes Kafka removes what is older than a week: so would be, at that moment, a record without a time of its own.
    server = KafkaServer(
        session_dir / "kafka", session_dir / "logs", java=java, classpath=jar_cache.classpath("kafka"), retention_hours=CENTURY_H
    )
    server.start(START_S)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def kafka_bootstrap(kafka_server: KafkaServer) -> str:
    return kafka_server.bootstrap


@pytest.fixture
def topic(kafka_bootstrap: str) -> str:
    """A topic of four partitions, with its dead-letter topic."""
    name = f"events_{next(_numbers)}"
    kafka = load_settings(env={}, flags={"kafka.topic": name}).kafka
    ensure_topics(client_config(kafka, kafka_bootstrap) | PATIENT, name, 4, kafka.dlq_topic)
    return name


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"
