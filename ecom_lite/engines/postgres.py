"""Owns the PostgreSQL server of our own: cluster, password, settings, start (also after a kill), proof of life, stop."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
import psycopg
from psycopg.conninfo import make_conninfo

from ecom_lite.engines import pgfiles
from ecom_lite.engines.child import Child, ChildRegistry, inherited
from ecom_lite.engines.ports import choose_port
from ecom_lite.engines.server import Server
from ecom_lite.errors import EngineError
from ecom_lite.settings.data_dir import write_plain, write_private
from ecom_lite.system import LONGEST_SOCKET, NOBODY, Account, account_for

SUPERUSER = "postgres"
START_DEADLINE_S = 60.0
STOP_GRACE_S = 15.0
QUIT_GRACE_S = 1.0  # an immediate shutdown takes hundredths; one that stands still has no more
CONNECT_TIMEOUT_S = 2
POLL_S = 0.02
STARTING_UP = "starting up"  # it answers: it recovers from a crash, and would begin anew if it were ended now
STARTING_POLL_S = 0.1  # each try leaves a line in the server's log
PASSWORD_FILE = "superuser.password"
PORT_FILE = "port"
STILL_IN_USE = ("is still in use", "lock file", "could not bind")

SETTINGS = {
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "max_connections": "60",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a ",
    "log_checkpoints": "off",
    "logging_collector": "off",
    "cluster_name": "ecom_lite",
}

logger = logging.getLogger("ecom_lite.engines")


class PostgresServer(Server):
    """A PostgreSQL 18 server of our own, on loopback. `stop()` and `kill()` may be called from any
    thread, also during `start()`, which then raises.

    `port=None` takes the last run's port when it is still free, else a free one; a restart of this object keeps it.
    `settings` are added to, and win over, SETTINGS; `initdb` are further options of that program. `user` is the account it runs
    as when we are root.
    """

    name = "PostgreSQL"

    def __init__(
        self,
        data_dir: Path,
        log_dir: Path,
        *,
        port: int | None = None,
        registry: ChildRegistry | None = None,
        settings: Mapping[str, str] | None = None,
        initdb: Sequence[str] = (),
        user: str = NOBODY,
    ) -> None:
        super().__init__()
        self.data_dir = data_dir.absolute()
        self.socket_dir: Path | None = None
        self.log = log_dir.absolute() / "postgres.log"
        self._fixed_port = port
        self._registry = registry
        self._settings = dict(settings or {})
        self._initdb_options = list(initdb)
        self._user = user

    @property
    def superuser_password(self) -> str:
        """Made by the first start, kept 0600 in the data folder."""
        try:
            return (self.data_dir / PASSWORD_FILE).read_text("utf-8").strip()
        except OSError as error:
            raise EngineError(
                f"PostgreSQL's superuser password cannot be read from {self.data_dir / PASSWORD_FILE}: {error}. "
                "Restore the file, or start with fresh data."
            ) from error

    @property
    def dsn_superuser(self) -> str:
        """Connection string of the superuser, with the password: never log it."""
        return make_conninfo(
            "", host=self.host, port=self.port, user=SUPERUSER, password=self.superuser_password, dbname="postgres"
        )

    def start(self, deadline_s: float = START_DEADLINE_S) -> None:
        """Start the server, making the cluster the first time, and return once a query was answered.

        May be called again after a stop, a kill or a crash. Raises EngineError, with the end of the log, when it dies
        or says nothing for `deadline_s` seconds; nothing runs then. While it says that it recovers from a crash it is waited for.
        Raises PortTaken for a fixed port that is in use.
        """
        self._begin()
        give_up = time.monotonic() + deadline_s
        account = account_for(self._user)
        install = pgfiles.reachable_install(pgfiles.find_install(), account)
        home = pgfiles.cluster_home(self.data_dir, account)
        if not (home / pgfiles.CLUSTER / "PG_VERSION").exists():
            self._initdb(install, home, account, give_up)
        cluster = pgfiles.link_cluster(self.data_dir, home)
        self._check_version(cluster, install)
        pgfiles.drop_false_pid(cluster)
        self._choose_port()
        self._child = self._make_child(install, cluster)
        self._child.start()
        try:
            self._wait_ready(self._child, give_up, deadline_s)
        except BaseException:
            self.kill()
            raise

    def stop(self, grace_s: float = STOP_GRACE_S) -> bool:
        """Fast stop (ends sessions), by force after `grace_s`; True when it went by itself. Safe before start, twice."""
        self._cancelled.set()
        if self._child is None:
            return True
        backends = self._backends()
        graceful = self._child.stop(grace_s)
        _kill_all(backends)
        return graceful

    def kill(self) -> None:
        """End the server and its backends now, as a crash would; the next start recovers. Safe before start and twice."""
        self._cancelled.set()
        if self._child is not None:
            backends = self._backends()
            # By SIGKILL it would leave its shared memory, a megabyte in /dev/shm, to nobody: the folder may be about to go.
            self._child.stop(QUIT_GRACE_S, signal.SIGQUIT)
            _kill_all(backends)

    def remove(self) -> None:
        """Kill the server and delete its data folder, and the cluster where it lives elsewhere. Twice is fine."""
        self.kill()
        pgfiles.remove_cluster(self.data_dir)

    def _backends(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self.pid).children(recursive=True) if self.pid is not None else []
        except psutil.Error:
            return []

    def _make_child(self, install: Path, cluster: Path) -> Child:
        socket_path = os.fsencode(cluster / f".s.PGSQL.{self.port}")
        fits = len(socket_path) <= LONGEST_SOCKET and not set(str(cluster)) & set(',"')
        self.socket_dir = cluster if fits else None
        settings = {
            "wal_compression": "lz4" if pgfiles.has_lz4(install) else "pglz",
            **SETTINGS,
            **self._settings,
            "listen_addresses": self.host,
            "port": str(self.port),
            "unix_socket_directories": f'"{cluster}"' if fits else "",
            "unix_socket_permissions": "0700",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Child(
            "PostgreSQL",
            [install / "bin" / "postgres", "-D", cluster, *options],
            log=self.log,
            env=_environment(),
            cwd=cluster.parent,
            user=self._user,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGQUIT,
            registry=self._registry,
        )

    def _initdb(self, install: Path, home: Path, account: Account | None, give_up: float) -> None:
        """Make the cluster in a folder aside and move it in place whole, so that a kill never leaves half of it."""
        final, draft, password = home / pgfiles.CLUSTER, home / "cluster.new", home / "initdb.password"
        if final.exists():
            raise EngineError(f"The PostgreSQL cluster {final} has no PG_VERSION file: it is damaged. Start with fresh data.")
        for path in (self.data_dir / PASSWORD_FILE, password):
            path.unlink(missing_ok=True)
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        secret = secrets.token_urlsafe(24)
        write_private(self.data_dir / PASSWORD_FILE, secret)
        write_private(password, secret)
        if account is not None:
            os.chown(draft, account.uid, account.gid)
            os.chown(password, account.uid, account.gid)
        options = ["--no-sync", "--no-instructions", "-U", SUPERUSER, "--auth=scram-sha-256", f"--pwfile={password}"]
        options += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        child = Child(
            "PostgreSQL's initdb",
            [install / "bin" / "initdb", "-D", draft, *options, *self._initdb_options],
            log=self.log,
            env=_environment(),
            cwd=home,
            user=self._user,
            registry=self._registry,
        )
        try:
            child.start()
            code = child.wait(max(give_up - time.monotonic(), 0.1))
        finally:
            child.kill()
            password.unlink(missing_ok=True)
        if code != 0:
            raise child.failure(f"making the cluster {final}")
        draft.replace(final)

    def _check_version(self, cluster: Path, install: Path) -> None:
        major = (cluster / "PG_VERSION").read_text("utf-8").strip()
        ours = pgfiles.version_of(install)
        if major != ours.split(".")[0]:
            raise EngineError(
                f"The cluster {cluster} was made by PostgreSQL {major}, and this is PostgreSQL {ours}. Start with fresh "
                f"data, or move the data with pg_dump of version {major}."
            )

    def _choose_port(self) -> None:
        file = self.data_dir / PORT_FILE
        try:
            last = int(file.read_text("utf-8"))
        except (OSError, ValueError):
            last = 0
        self._port = choose_port(self._port, self._fixed_port, last, host=self.host, what="PostgreSQL")
        write_plain(file, str(self._port))

    def _wait_ready(self, child: Child, give_up: float, patience_s: float) -> None:
        """Connect and ask until it answers; start it again while backends of a killed server are on their way out."""
        dsn, last, say_at = self.dsn_superuser, None, give_up
        while True:
            try:
                with psycopg.connect(dsn, connect_timeout=CONNECT_TIMEOUT_S, application_name="ecom_lite-readiness") as link:
                    link.execute("SELECT 1")
                if child.alive and not self._cancelled.is_set():  # before the server was there to be stopped
                    return
            except psycopg.Error as error:
                last = error
                if "password authentication failed" in str(error):
                    raise EngineError(
                        f"PostgreSQL refuses the superuser password in {self.data_dir / PASSWORD_FILE}: it is not the one "
                        "this cluster was made with. Restore the file, or start with fresh data."
                    ) from error
            recovers = child.alive and STARTING_UP in str(last)
            if recovers:
                give_up = time.monotonic() + patience_s
                if time.monotonic() > say_at:
                    logger.warning("PostgreSQL still recovers from a crash, and is waited for: %s", child.log_tail(1).strip())
                    say_at = give_up
            late = time.monotonic() > give_up or self._cancelled.is_set()
            if not child.alive:
                if late or not any(sign in child.log_tail() for sign in STILL_IN_USE):
                    raise child.failure(f"starting on {self.host}:{self.port}", last)
                time.sleep(5 * POLL_S)
                child.start()
            elif late:
                raise child.failure(f"starting on {self.host}:{self.port}", last)
            time.sleep(STARTING_POLL_S if recovers else POLL_S)


def _environment() -> dict[str, str]:
    """Ours without what would steer PostgreSQL or its messages."""
    return inherited("PG", "LC_", "LANG") | {"LC_ALL": "C", "TZ": "UTC"}


def _kill_all(processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.Error:
            continue
    psutil.wait_procs(processes, timeout=2)
