"""Servers as a company runs them (docs/cluster.md): three Kafka nodes, a PostgreSQL, TLS, log-in, only the rights of it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ACLResourcePatternType, ResourcePattern, ResourceType

from ecom_lite.warehouse.connect import ROLES
from tests.cluster.certificates import Authority
from tests.cluster.database import why_not
from tests.cluster.servers import DATABASE, Secured, secured
from tests.runs import COMMAND, LightRun, wait_for

END_S = 240.0
pytestmark = [
    pytest.mark.timeout(700),
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured(tmp_path_factory.mktemp("secured")) as found:
        yield found


def migrate(servers: Secured, data_dir: Path, url: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, "migrate", "--data-dir", str(data_dir)]
    env = {**os.environ, **servers.settings("ecom_run", url)}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)


def test_rights_at_postgresql_that_are_lacking_are_named(servers: Secured, tmp_path: Path) -> None:
    with servers.postgres.superuser() as superuser:
        superuser.execute("CREATE ROLE guest LOGIN PASSWORD 'hush'")
        superuser.execute("CREATE DATABASE closed")
        superuser.execute("REVOKE ALL ON DATABASE closed FROM PUBLIC")
    said = migrate(servers, tmp_path / "a", servers.postgres.url("guest", "hush", "closed"))
    assert said.returncode == 1 and "docs/cluster.md" in said.stderr, said.stderr
    lacking = (
        "create roles, connect to closed, let others connect to closed, let others make temporary tables in closed, "
        "let others create schemas in closed"
    )
    assert f"guest at {servers.postgres.host}:{servers.postgres.port}/closed may not {lacking}:" in said.stderr
    with servers.postgres.superuser() as superuser:
        superuser.execute("ALTER ROLE guest CREATEROLE")
        superuser.execute("GRANT ALL ON DATABASE closed TO guest WITH GRANT OPTION")
    said = migrate(servers, tmp_path / "a", servers.postgres.url("guest", "hush", "closed"))
    assert "may not let others create tables in schema public of closed:" in said.stderr, said.stderr


def test_nobody_gets_in_without_tls_or_with_another_authority(servers: Secured, tmp_path: Path) -> None:
    port, host = servers.postgres.port, servers.postgres.host
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(host=host, port=port, user="ecom_admin", password="x", dbname="postgres", sslmode="disable")
    other = Authority(tmp_path / "ca").file
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(
            host=host, port=port, user="ecom_admin", dbname="postgres", sslmode="verify-full", sslrootcert=str(other)
        )  # fmt: skip


def test_rights_at_kafka_that_are_lacking_are_named(servers: Secured, tmp_path: Path) -> None:
    """One who may only read: topics are not made for him."""
    where = ResourcePattern(ResourceType.TOPIC, "ecommerce_", ACLResourcePatternType.PREFIXED)
    servers.kafka.let_in({"onlooker": "hush"}, [ACL("User:onlooker", "*", ACLOperation.READ, ACLPermissionType.ALLOW, where)])
    own = {**servers.settings("onlooker", ""), "ECOM_LITE_KAFKA__SASL_PASSWORD": "hush"}
    run = LightRun(tmp_path / "data", "--events", "10", env=own)
    assert run.wait(END_S) == 1
    assert "no topic ecommerce_events that onlooker may see, nor may it make one: grant Create" in run.stderr, run.stderr


def test_the_count_closes_over_a_broker_that_dies_with_the_rights_of_the_page(servers: Secured, tmp_path: Path) -> None:
    servers.grant()
    env = {**servers.settings("ecom_run", servers.url), "ECOM_LITE_LOAD__PROCESSES": "2"}
    run = LightRun(tmp_path / "data", "--events", "1200", "--rate", "100", "--json", env=env)
    try:
        run.wait_state("running", END_S)
        with servers.postgres.superuser(DATABASE) as superuser:
            held = "SELECT count(*) FROM warehouse.fact_sales"
            wait_for(lambda: superuser.execute(held).fetchone() != (0,), "the first facts", END_S)
            servers.kafka.kill(2)
            assert run.wait(END_S) == 0, run.stderr
            plain = superuser.execute(
                "SELECT usename FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE client_addr IS NOT NULL AND NOT ssl"
            ).fetchall()
            query = "SELECT rolname FROM pg_roles WHERE rolsuper AND rolname = ANY(%s)"
            super_roles = superuser.execute(query, [[*ROLES, "ecom_admin"]]).fetchall()
        assert run.summary()["closes"] and run.summary()["sent"] == 1200, run.stdout
        assert (plain, super_roles) == ([], [])
        said = run.verb("doctor")
        assert "ecom_admin may do what is needed" in said.stdout, said.stdout
    finally:
        run.close()
        servers.kafka.start_again(2)
