"""A PostgreSQL as a company would run it: TLS only, and whoever connects from afar is no superuser."""

from __future__ import annotations

import os
import platform
import secrets
import shutil
import signal
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg

from ecom_lite.engines.child import Child
from ecom_lite.engines.jars import JarCache
from ecom_lite.engines.ports import free_port
from ecom_lite.system import account_for
from tests.cluster.certificates import Authority
from tests.runs import wait_for

LOCK: Final = Path(__file__).with_name("postgres.lock")
START_S: Final = 120.0
SUPERUSER: Final = "postgres"
# Nobody gets in without TLS; the superuser only by the socket, as its owner.
HBA: Final = """\
local all postgres trust
hostnossl all all 0.0.0.0/0 reject
hostssl all postgres 0.0.0.0/0 reject
hostssl all all 0.0.0.0/0 scram-sha-256
"""
SETTINGS: Final = {
    "ssl": "on", "ssl_cert_file": "server.pem", "ssl_key_file": "server.key", "ssl_min_protocol_version": "TLSv1.2",
    "max_connections": "60", "shared_buffers": "64MB", "timezone": "UTC", "fsync": "off",  # no machine dies here
}  # fmt: skip


def why_not() -> str | None:
    """Why there is no such server here."""
    if not sys.platform.startswith("linux") or platform.machine() != "x86_64":
        return "the PostgreSQL with OpenSSL that these tests use is built for Linux on x86-64 only"
    return None


FILTER: Final[Mapping[str, Any]] = {"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}  # Python 3.11.4 has it


class TlsPostgres:
    """One server; `socket` is the folder of its socket. Its files are in a folder of their own, which `remove` deletes."""

    def __init__(self, authority: Authority, host: str) -> None:
        self._authority = authority
        self.host, self.port = host, free_port(host)
        self._account = account_for("nobody")
        self._folder = Path(tempfile.mkdtemp(prefix="ecom_lite_tls_"))  # where `nobody` can pass
        self._folder.chmod(0o711)
        self._cluster = self._folder / "cluster"
        self.socket = self._folder / "socket"
        self._program = self._folder / "program"
        self._child = self._make_child()

    def start(self) -> None:
        """Also after a kill."""
        if not (self._cluster / "PG_VERSION").exists():
            self._initialise()
        self._child = self._make_child()
        self._child.start()
        wait_for(self._answers, lambda: f"PostgreSQL: {self._child.log_tail()}", START_S)

    def kill(self) -> None:
        """SIGKILL for the server and all its sessions, as when the machine dies."""
        with_sessions = psutil.Process(self._child.pid).children(recursive=True) if self._child.pid else []
        self._child.kill()
        for process in with_sessions:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                pass
        psutil.wait_procs(with_sessions, timeout=5)

    def remove(self) -> None:
        if self._child.alive:
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def superuser(self, database: str = "postgres") -> psycopg.Connection:
        """By the socket: what its owner does, and looks at."""
        return psycopg.connect(
            host=str(self.socket), port=self.port, user=SUPERUSER, dbname=database, autocommit=True, connect_timeout=30
        )  # fmt: skip

    def url(self, user: str, password: str, database: str) -> str:
        login = f"{user}:{password}@" if user else ""
        return f"postgresql://{login}{self.host}:{self.port}/{database}?sslmode=verify-full&sslrootcert={self._authority.file}"

    def _initialise(self) -> None:
        cache = JarCache(lock=LOCK)
        cache.fetch("postgres")
        (jar,) = cache.classpath("postgres")
        with zipfile.ZipFile(jar) as archive:
            (name,) = [name for name in archive.namelist() if name.endswith(".txz")]
            with archive.open(name) as packed, tarfile.open(fileobj=packed, mode="r|xz") as files:
                files.extractall(self._program, **FILTER)
        certificate, key = self._authority.sign("postgres", self.host)
        for folder in (self._cluster, self.socket):
            folder.mkdir()
        self._owned(self._cluster, 0o700)
        self._owned(self.socket, 0o755)
        initdb: list[str | Path] = [
            self._program / "bin/initdb",
            "-D",
            self._cluster,
            "-U",
            SUPERUSER,
            "--no-sync",
            "--no-instructions",
        ]
        initdb += ["--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", f"--pwfile={self._password_file()}"]
        child = Child("initdb", initdb, log=self._log, env={**os.environ, "LC_ALL": "C"}, cwd=self._folder, user=self._user)
        child.start()
        assert child.wait(START_S) == 0, child.failure("making a cluster")
        (self._cluster / "pg_hba.conf").write_text(HBA)
        for name, source in (("server.pem", certificate), ("server.key", key)):
            shutil.copy(source, self._cluster / name)
            self._owned(self._cluster / name, 0o600)

    @property
    def _log(self) -> Path:
        return self._folder / "postgres.log"

    @property
    def _user(self) -> str | None:
        return None if self._account is None else self._account.name

    def _password_file(self) -> Path:
        file = self._folder / "password"
        file.write_text(secrets.token_urlsafe(24))
        self._owned(file, 0o600)
        return file

    def _owned(self, path: Path, mode: int) -> None:
        path.chmod(mode)
        if self._account is not None:
            os.chown(path, self._account.uid, self._account.gid)

    def _make_child(self) -> Child:
        settings = {
            **SETTINGS, "listen_addresses": self.host, "port": self.port, "unix_socket_directories": self.socket,
        }  # fmt: skip
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Child(
            "PostgreSQL", [self._program / "bin/postgres", "-D", self._cluster, *options], log=self._log,
            env={**os.environ, "LC_ALL": "C", "TZ": "UTC"}, cwd=self._folder, user=self._user, stop_signal=signal.SIGINT,
        )  # fmt: skip

    def _answers(self) -> bool:
        try:
            self.superuser().close()
            return True
        except psycopg.OperationalError:
            assert self._child.alive, self._child.failure("starting")
            return False
