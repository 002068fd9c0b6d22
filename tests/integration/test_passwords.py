"""The roles' passwords on a server that several machines share: random, kept here, given on by a file, changed by a command."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from ecom_lite.engines.postgres import PostgresServer
from ecom_lite.warehouse.connect import ROLES
from tests.runs import COMMAND, START_S

DATABASE = "shared_shop"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server apart from the session's: its log has every statement, and its administrator needs no password."""
    folder = tmp_path_factory.mktemp("shared")
    server = PostgresServer(folder / "postgres", folder / "logs", settings={"log_statement": "all", "fsync": "off"})
    server.start(START_S)
    rules = server.data_dir / "cluster" / "pg_hba.conf"
    rules.write_text("host all postgres 127.0.0.1/32 trust\n" + rules.read_text())
    with psycopg.connect(server.dsn_superuser) as admin:
        admin.execute("SELECT pg_reload_conf()")
    yield server
    server.remove()


class Machine:
    """One of several machines: a data folder, and `postgres.url` without a password."""

    def __init__(self, server: PostgresServer, data_dir: Path, **env: str) -> None:
        self.data_dir = data_dir
        self.file = data_dir / "passwords" / "roles.json"
        url = f"postgresql://postgres@{server.host}:{server.port}/{DATABASE}"
        self.env = {**os.environ, "ECOM_LITE_POSTGRES__URL": url, **env}

    def verb(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*COMMAND, *arguments, "--data-dir", str(self.data_dir)]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=120)

    @property
    def passwords(self) -> dict[str, str]:
        return dict(json.loads(self.file.read_text()))


def lets_in(server: PostgresServer, role: str, password: str) -> bool:
    try:
        psycopg.connect(host=server.host, port=server.port, user=role, password=password, dbname=DATABASE).close()
    except psycopg.OperationalError as error:
        assert "password authentication failed" in str(error)
        return False
    return True


def empty(server: PostgresServer) -> None:
    """As if nobody had used it yet."""
    with psycopg.connect(server.dsn_superuser, autocommit=True) as admin:
        # A session ends a little after its command.
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(DATABASE)))
        for (role,) in admin.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(ROLES)]).fetchall():
            admin.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(role)))


def derived(admin_password: str, role: str) -> str:
    """What versions before this one gave the roles."""
    return hmac.new(admin_password.encode(), f"ecom_lite {role}".encode(), hashlib.sha256).hexdigest()


def test_an_address_without_a_password_gives_every_installation_random_passwords_that_no_log_has(
    server: PostgresServer, tmp_path: Path
) -> None:
    made: list[str] = []
    for name in ("one", "two"):
        empty(server)
        machine = Machine(server, tmp_path / name)
        assert (done := machine.verb("migrate")).returncode == 0, done.stderr
        assert not [role for role in ROLES if lets_in(server, role, derived("", role))], "anybody can work these out"
        assert all(lets_in(server, role, machine.passwords[role]) for role in ROLES)
        assert stat.S_IMODE(machine.file.stat().st_mode) == 0o600 and stat.S_IMODE(machine.file.parent.stat().st_mode) == 0o700
        assert machine.verb("migrate", "--rotate-passwords").returncode == 0
        made += machine.passwords.values()
    assert len(set(made)) == 2 * len(ROLES)
    log = server.log.read_text()
    assert "ALTER ROLE" in log and not [password for password in made if password in log]


def test_another_machine_changes_no_password_and_is_told_which_file_it_needs(server: PostgresServer, tmp_path: Path) -> None:
    empty(server)
    first, second = Machine(server, tmp_path / "first"), Machine(server, tmp_path / "second")
    assert first.verb("migrate").returncode == 0
    for verb in (("migrate",), ("sql", "SELECT 1"), ("load",)):
        second.env["ECOM_LITE_KAFKA__BOOTSTRAP"] = "127.0.0.1:9"
        refused = second.verb(*verb)
        assert refused.returncode == 1 and "Traceback" not in refused.stderr
        assert "passwords/roles.json" in refused.stderr and f"to {second.file} here" in refused.stderr, refused.stderr
    found = {finding["what"]: finding for finding in json.loads(second.verb("doctor", "--json").stdout)}
    assert not found["PostgreSQL"]["ok"] and str(second.file) in found["PostgreSQL"]["fix"]
    found = {finding["what"]: finding for finding in json.loads(first.verb("doctor", "--json").stdout)}
    assert found["PostgreSQL"]["ok"], found
    assert not second.file.exists() and all(lets_in(server, role, first.passwords[role]) for role in ROLES)
    given = tmp_path / "given.json"
    shutil.copy(first.file, given)
    third = Machine(server, tmp_path / "third", ECOM_LITE_POSTGRES__PASSWORDS_FILE=str(given))
    assert (done := third.verb("sql", "--json", "SELECT 1 AS one")).returncode == 0 and json.loads(done.stdout) == {"one": 1}
    assert first.verb("migrate").returncode == 0, "and the first one works on"


def test_a_machine_that_has_lost_the_passwords_makes_new_ones_on_request(server: PostgresServer, tmp_path: Path) -> None:
    empty(server)
    first, second = Machine(server, tmp_path / "first"), Machine(server, tmp_path / "second")
    assert first.verb("migrate").returncode == 0
    done = second.verb("migrate", "--rotate-passwords")
    assert done.returncode == 0 and str(second.file) in done.stderr, done.stderr
    assert all(lets_in(server, role, second.passwords[role]) for role in ROLES)
    assert first.verb("migrate").returncode == 1
    shutil.copy(second.file, first.file)
    assert first.verb("migrate").returncode == 0


def test_passwords_of_an_earlier_version_go_on_are_said_in_one_line_and_can_be_changed(
    server: PostgresServer, tmp_path: Path
) -> None:
    empty(server)
    machine = Machine(server, tmp_path / "data")
    assert machine.verb("migrate").returncode == 0
    machine.file.unlink()
    with psycopg.connect(server.dsn_superuser, autocommit=True) as admin:
        for role in ROLES:
            admin.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(derived("", role))))
    done = machine.verb("migrate")
    assert done.returncode == 0 and done.stderr.count("\n") == 1 and "migrate --rotate-passwords" in done.stderr, done.stderr
    assert machine.verb("migrate", "--rotate-passwords").returncode == 0
    assert not lets_in(server, "ecom_owner", derived("", "ecom_owner"))
    done = machine.verb("migrate")
    assert (done.returncode, done.stderr) == (0, "")
