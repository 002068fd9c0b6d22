"""The doctor at real servers that run elsewhere: version, delay, the topic, and what the role may do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from psycopg import sql

from ecom_lite.errors import MigrationError
from ecom_lite.machine.finding import Finding
from ecom_lite.machine.servers import look_at_kafka, look_at_postgres
from ecom_lite.settings.load import load_settings
from ecom_lite.warehouse import rights
from ecom_lite.warehouse.connect import ROLES, Address
from ecom_lite.warehouse.passwords import Passwords
from ecom_lite.warehouse.roles import ensure_database_and_roles

GUEST = "doctor_guest"


def kafka(bootstrap: str, topic: str) -> Finding:
    return look_at_kafka(load_settings(env={}, flags={"kafka.bootstrap": bootstrap, "kafka.topic": topic}))


def postgres(at: Address) -> Finding:
    url = f"postgresql://{at.admin}:{at.admin_password}@{at.host}:{at.port}/{at.database}"
    assert isinstance(at.passwords, Passwords)
    return look_at_postgres(load_settings(env={}, flags={"postgres.url": url, "postgres.passwords_file": at.passwords.path}))


def test_a_broker_says_who_it_is_and_whether_the_topic_is_there(kafka_bootstrap: str, topic: str) -> None:
    found = kafka(kafka_bootstrap, topic)
    assert found.ok and re.search(rf": API of 4\.\d, cluster \S+, \d+ ms; topic {topic}: 4 partitions$", found.found), found
    found = kafka(kafka_bootstrap, "none_such")
    assert found.ok and "topic none_such: not there yet" in found.found


def test_what_is_no_broker_is_told(warehouse: Address) -> None:
    found = kafka(f"127.0.0.1:{warehouse.port}", "any")
    assert not found.ok and "gave no answer as Kafka" in found.fix


@pytest.fixture
def guest(warehouse: Address) -> Iterator[Address]:
    """A role that may log in and nothing else."""
    with warehouse.connect("admin", autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'hush'").format(sql.Identifier(GUEST)))
        yield replace(warehouse, admin=GUEST, admin_password="hush")
        admin.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(GUEST)))
        admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(GUEST)))


def test_a_superuser_may_do_what_is_needed(warehouse: Address) -> None:
    found = postgres(warehouse)
    assert found.ok and re.search(r"version 18\S*, \d+ ms; postgres may do what is needed$", found.found), found


def test_a_server_that_is_too_old_is_told_before_anything_is_made(warehouse: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a PostgreSQL 16 this was tried by hand; here ours is too old."""
    monkeypatch.setattr(rights, "OLDEST", 99)
    found = postgres(warehouse)
    assert not found.ok and "version 18" in found.found and found.fix.startswith("update that server to ")
    nowhere = replace(warehouse, database="never_made")
    assert isinstance(warehouse.passwords, Passwords)
    with pytest.raises(MigrationError, match=rf"{nowhere.place} is version 18\S*, and this needs .* update that server"):
        ensure_database_and_roles(nowhere, warehouse.passwords)
    with warehouse.connect("admin") as admin:
        assert admin.execute("SELECT 1 FROM pg_database WHERE datname = 'never_made'").fetchone() is None


def test_rights_that_are_lacking_are_named(warehouse: Address, guest: Address) -> None:
    found = postgres(guest)
    assert not found.ok and "hush" not in str(found)
    roles = f"administer {', '.join(sorted(ROLES))}"
    assert f"{GUEST} may not create roles, {roles}, let others create schemas in {guest.database}" in found.found
    found = postgres(replace(guest, database="not_yet"))
    assert not found.ok and f"may not create roles, {roles}, create database not_yet" in found.found
    with warehouse.connect("admin", autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER ROLE {} CREATEROLE CREATEDB").format(sql.Identifier(GUEST)))
        everybody = sql.SQL(", ").join(map(sql.Identifier, ROLES))
        admin.execute(sql.SQL("GRANT {} TO {} WITH ADMIN OPTION").format(everybody, sql.Identifier(GUEST)))
        names = sql.Identifier(guest.database), sql.Identifier(GUEST)
        admin.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {} WITH GRANT OPTION").format(*names))
    assert postgres(guest).ok
    assert postgres(replace(guest, database="not_yet")).ok
