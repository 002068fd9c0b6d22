"""Data folders of earlier versions, small enough to be kept: packed by `make_folder.py`, made whole again by a test.

Kept as they are: Kafka's storage, lake, raw archive, passwords, the shop's copy, what dbt has parsed. PostgreSQL's cluster, 70 MB
of which 60 are the same in every cluster, is kept as a dump and restored into a new one: to the program it was moved there
from another server. So this does not cover the cluster's own files, which PostgreSQL of one major version reads whatever wrote
them; those of another one are refused (engines/postgres.py).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ecom_lite.engines.pgfiles import find_install
from ecom_lite.engines.postgres import SUPERUSER, PostgresServer
from ecom_lite.settings.data_dir import LAKE, LOGS, POSTGRES

KEPT: Final = Path(__file__).with_name("kept")
DATABASE: Final = "ecom_lite"
DUMP, ROLES, STORY = "database.dump", "roles.sql", "story.json"
FILTER: Final[Mapping[str, Any]] = {"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}  # Python 3.11.4 has it
FOLDERS: Final = ("kafka/storage", LAKE, "dbt/target")
FILES: Final = ("secrets.json", "grafana.env", "state.json", f"{POSTGRES}/shops.json")
LEFT_OUT: Final = ("/compiled", "/run", ".log.lock")  # of dbt/target: what it writes anew each time


@contextmanager
def database(folder: Path) -> Iterator[PostgresServer]:
    """The PostgreSQL of a data folder, by itself."""
    server = PostgresServer(folder / POSTGRES, folder / LOGS)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def pack(folder: Path, story: Mapping[str, Any], target: Path) -> None:
    """`folder` must be at rest. `story` is what a test is to find again."""
    draft = Path(tempfile.mkdtemp())
    with database(folder) as server:
        _tool(server, "pg_dump", "-Fc", "-Z0", "-f", draft / DUMP, DATABASE)
        roles = _tool(server, "pg_dumpall", "--roles-only")
    (draft / ROLES).write_text("".join(line for line in roles.splitlines(True) if f"ROLE {SUPERUSER}" not in line))
    (draft / STORY).write_text(json.dumps(story, indent=1))
    with tarfile.open(target, "w:xz", preset=9) as packed:
        for name in (DUMP, ROLES, STORY):
            packed.add(draft / name, name)
        for name in (*FOLDERS, *FILES):
            if (folder / name).exists():
                packed.add(folder / name, name, filter=lambda entry: None if entry.name.endswith(LEFT_OUT) else entry)
    shutil.rmtree(draft)


def unpack(packed: Path, folder: Path) -> dict[str, Any]:
    """The data folder, ready for a run; returns its story."""
    folder.mkdir()
    with tarfile.open(packed) as files:
        files.extractall(folder, **FILTER)
    with database(folder) as server:
        _tool(server, "psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", folder / ROLES, "postgres")
        _tool(server, "pg_restore", "--create", "--exit-on-error", "-d", "postgres", folder / DUMP)
    story = json.loads((folder / STORY).read_text())
    for name in (DUMP, ROLES, STORY):
        (folder / name).unlink()
    return dict(story)


def _tool(server: PostgresServer, name: str, *arguments: object) -> str:
    login = ["-h", server.host, "-p", str(server.port), "-U", SUPERUSER]
    done = subprocess.run(
        [find_install() / "bin" / name, *login, *map(str, arguments)],
        env={**os.environ, "PGPASSWORD": server.superuser_password}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
