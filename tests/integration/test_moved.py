"""A warehouse that moves to another PostgreSQL server goes on there as if it had stayed: facts, marts, minutes, the count."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from ecom_lite.check.fingerprint import Fingerprint, fingerprint
from ecom_lite.check.reconcile import reconcile
from ecom_lite.engines import pgfiles
from ecom_lite.engines.postgres import PostgresServer
from ecom_lite.errors import MigrationError
from ecom_lite.stream.light import LightMinutes
from ecom_lite.system import account_for
from ecom_lite.topic.client import ends_of
from ecom_lite.transform import Transform
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.migrate import migrate, require_schema
from ecom_lite.warehouse.roles import ensure_database_and_roles
from tests.runs import START_S

from .facts import change_profile, load, rows, settle, some_lines
from .loading import Bench, line

PROJECT = Path(__file__).parents[2] / "dbt_project"
UNSAFE = {"fsync": "off", "full_page_writes": "off"}
MINUTES = "SELECT window_start, category, revenue, orders, lines, units FROM realtime.sales_per_minute ORDER BY 1, 2"
BURNT = 20_000  # transactions
LINES = some_lines(600, orders=150)
Servers = Callable[[str], PostgresServer]
Move = Callable[[PostgresServer, Address, Servers, Path], Address]
pytestmark = pytest.mark.timeout(600)  # runs of dbt, each of its own, and two servers


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """Servers by name, not started; whatever was is gone afterwards."""
    with ExitStack() as stack:

        def named(name: str) -> PostgresServer:
            server = PostgresServer(tmp_path / name, tmp_path / "logs" / name, settings=UNSAFE)
            stack.callback(server.remove)
            return server

        yield named


def address_of(server: PostgresServer, like: Address) -> Address:
    return replace(like, host=server.host, port=server.port, admin="postgres", admin_password=server.superuser_password)


def _run(command: Sequence[Any], **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def tool(name: str, server: PostgresServer, *arguments: str) -> None:
    """A program of PostgreSQL, as the administrator of `server`."""
    env = os.environ | {"PGPASSWORD": server.superuser_password, "PGHOST": server.host, "PGPORT": str(server.port)}
    done = _run([pgfiles.find_install() / "bin" / name, "-U", "postgres", *arguments], env=env)
    assert done.returncode == 0, done.stderr


def dump_and_restore(first: PostgresServer, warehouse: Address, servers: Servers, folder: Path) -> Address:
    """As docs/SETUP.md says: the roles, then the database."""
    second = servers("restored")
    second.start(START_S)
    tool("pg_dumpall", first, "--roles-only", "--no-role-passwords", "-f", str(folder / "roles.sql"))
    tool("pg_dump", first, "--format=custom", "-f", str(folder / "warehouse.dump"), warehouse.database)
    tool("psql", second, "-q", "-d", "postgres", "-f", str(folder / "roles.sql"))
    tool("pg_restore", second, "--create", "-d", "postgres", str(folder / "warehouse.dump"))
    moved = address_of(second, warehouse)
    ensure_database_and_roles(moved)  # the passwords
    return moved


def physical_copy(first: PostgresServer, warehouse: Address, servers: Servers, folder: Path) -> Address:
    return _copied(first, warehouse, servers("copied"))


def promoted_standby(first: PostgresServer, warehouse: Address, servers: Servers, folder: Path) -> Address:
    moved = _copied(first, warehouse, servers("standby"), "--write-recovery-conf")
    with moved.connect("admin", autocommit=True) as admin:
        assert admin.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
        assert admin.execute("SELECT pg_promote()").fetchone() == (True,)
    return moved


def upgraded(first: PostgresServer, warehouse: Address, servers: Servers, folder: Path) -> Address:
    """By pg_upgrade, from this version to itself: it makes a new cluster and takes the transaction ids along."""
    old, new = servers("copied"), servers("upgraded")
    _copied(first, warehouse, old)
    new.start(START_S)
    for server in (old, new):
        server.stop()
    account = account_for("nobody")
    install = pgfiles.reachable_install(pgfiles.find_install(), account)
    clusters = [(server.data_dir / pgfiles.CLUSTER).resolve() for server in (old, new)]
    for cluster in clusters:
        hba = cluster / "pg_hba.conf"
        hba.write_text(hba.read_text("utf-8").replace("scram-sha-256", "trust"), "utf-8")
    programs = install / "bin"
    arguments = ["-U", "postgres", "-b", programs, "-B", programs, "-d", clusters[0], "-D", clusters[1], "-s", clusters[1]]
    who = {} if account is None else {"user": account.uid, "group": account.gid}
    done = _run([programs / "pg_upgrade", *arguments], cwd=clusters[1], **who)
    assert done.returncode == 0, done.stdout + done.stderr
    hba.write_text(hba.read_text("utf-8").replace("trust", "scram-sha-256"), "utf-8")
    _take_password(first, new)  # it comes along
    new.start(START_S)
    return address_of(new, warehouse)


def _copied(first: PostgresServer, warehouse: Address, second: PostgresServer, *options: str) -> Address:
    account = account_for("nobody")
    second.data_dir.mkdir()
    home = pgfiles.cluster_home(second.data_dir, account)
    cluster = home / pgfiles.CLUSTER
    tool("pg_basebackup", first, "-D", str(cluster), "--checkpoint=fast", *options)
    if account is not None:
        for path in (cluster, *cluster.rglob("*")):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
    pgfiles.link_cluster(second.data_dir, home)
    _take_password(first, second)
    second.start(START_S)
    return address_of(second, warehouse)


def _take_password(first: PostgresServer, second: PostgresServer) -> None:
    for secret in first.data_dir.glob("*.password"):
        shutil.copy(secret, second.data_dir)


MOVES = [
    dump_and_restore,
    pytest.param(physical_copy, marks=pytest.mark.long),
    pytest.param(promoted_standby, marks=pytest.mark.long),
    pytest.param(upgraded, marks=pytest.mark.long),
]


def burn(warehouse: Address) -> None:
    """Many transactions, so that the server's ids are far above those of a new one."""
    with warehouse.connect("admin", autocommit=True) as admin:
        loop = "DO $$ BEGIN FOR i IN 1..{} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
        admin.execute(sql.SQL(loop).format(sql.Literal(BURNT)))


def go_on(warehouse: Address, part: int, folder: Path) -> None:
    """A part of the events, and everything that follows the order of loading: marts and minutes."""
    load(warehouse, LINES[part::3])
    change_profile(warehouse, part + 1, "Grace", f"City {part}", "USA")
    settle(warehouse)
    run = Transform(warehouse, PROJECT, folder / f"{warehouse.port}", threads=2).run("schedule")
    assert (run.status, run.message) == ("success", "")
    LightMinutes(warehouse).refresh()


def content(warehouse: Address) -> tuple[Fingerprint, list[tuple[object, ...]]]:
    return fingerprint(warehouse), rows(warehouse, MINUTES)


@pytest.mark.parametrize("move", MOVES)
def test_a_moved_warehouse_goes_on_as_one_that_stayed(
    move: Move, postgres_server: PostgresServer, warehouse: Address, servers: Servers, tmp_path: Path
) -> None:
    burn(warehouse)
    go_on(warehouse, 0, tmp_path)
    moved = move(postgres_server, warehouse, servers, tmp_path)
    assert migrate(moved) == []
    for part in (1, 2):
        go_on(moved, part, tmp_path)
        go_on(warehouse, part, tmp_path)
    assert content(moved) == content(warehouse)
    again = Transform(moved, PROJECT, tmp_path / "again", threads=2).run("refresh", full_refresh=True)
    assert (again.status, again.message) == ("success", "")
    assert content(moved) == content(warehouse)


def test_the_count_closes_over_a_move(bench: Bench, postgres_server: PostgresServer, servers: Servers, tmp_path: Path) -> None:
    bench.send([line(f"o-{n}", n % 5 + 1) for n in range(300)])
    bench.load()
    burn(bench.warehouse)
    bench.send([line(f"o-{n}", n % 5 + 1) for n in range(300, 400)])
    bench.load()
    settle(bench.warehouse)
    Transform(bench.warehouse, PROJECT, tmp_path / "dbt", threads=2).run("schedule")
    moved = replace(bench, warehouse=dump_and_restore(postgres_server, bench.warehouse, servers, tmp_path))
    with pytest.raises(MigrationError, match="was moved there from another server: run `ecom_lite migrate`"):
        require_schema(moved.warehouse)
    migrate(moved.warehouse)
    moved.send([line(f"o-{n}", n % 5 + 1) for n in range(200, 500)])
    moved.load()
    assert moved.counts() == {"facts": 500, "duplicates": 200}
    settle(moved.warehouse)
    Transform(moved.warehouse, PROJECT, tmp_path / "dbt", threads=2).run("schedule")
    report = reconcile(moved.warehouse, [moved.topic], lambda: ends_of(moved.client, [moved.topic]), producing=False, spark=False)
    assert [one for one in report.lines if not one.closes] == []


@pytest.mark.long
def test_a_dump_of_a_copy_goes_on_in_the_server_that_was_copied(
    postgres_server: PostgresServer, warehouse: Address, servers: Servers, tmp_path: Path
) -> None:
    """Both have one system identifier, so the identifier alone does not tell."""
    go_on(warehouse, 0, tmp_path)
    copy = servers("copied")
    copied = _copied(postgres_server, warehouse, copy)
    burn(copied)
    go_on(copied, 1, tmp_path)
    with warehouse.with_database("postgres").connect("admin", autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(warehouse.database)))
    tool("pg_dump", copy, "--format=custom", "-f", str(tmp_path / "warehouse.dump"), warehouse.database)
    tool("pg_restore", postgres_server, "--create", "-d", "postgres", str(tmp_path / "warehouse.dump"))
    migrate(warehouse)
    for place in (copied, warehouse):
        go_on(place, 2, tmp_path)
    assert content(warehouse) == content(copied)
