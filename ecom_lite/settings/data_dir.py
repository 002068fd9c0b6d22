"""Every file and folder name of the data folder, and how a file in it is written that only its owner may read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

KAFKA: Final = "kafka"
POSTGRES: Final = "postgres"
SPARK: Final = "spark"
LAKE: Final = "lake"
LAKE_TABLES: Final = "tables"  # in there, and how the names of such folders begin: what one catalogue knows, and nothing else
DBT: Final = "dbt"
GRAFANA: Final = "grafana"
DASHBOARDS: Final = "dashboards"  # the boards of this run, in its currency
LOADERS: Final = "loaders"  # of `ecom_lite load`: a data folder in small, with a lock, children and logs of its own
LOGS: Final = "logs"
RUN_LOG: Final = "run.log"  # in there: what a run in the background would tell a terminal
GRAFANA_ENV: Final = "grafana.env"
SECRETS: Final = "secrets.json"
PASSWORDS: Final = "passwords"  # of our roles on a server that runs elsewhere
ROLES_FILE: Final = "roles.json"  # in there
STATE: Final = "state.json"
CHILDREN: Final = "children.json"
SQL_HISTORY: Final = "sql_history"  # what was asked at the prompt of `ecom_lite sql`
LOCK: Final = "run.lock"
OLDER_LOG: Final = ".1"  # behind the name of a log: the one generation before it
DRAFT: Final = ".new"  # behind the name of a file that is being replaced
SETTINGS_SEEN: Final = "settings_seen.json"  # by which settings a question came here

FOLDERS: Final = (KAFKA, POSTGRES, SPARK, LAKE, DBT, GRAFANA, DASHBOARDS, LOADERS, LOGS, PASSWORDS)
FILES: Final = (GRAFANA_ENV, SECRETS, STATE, CHILDREN, SQL_HISTORY, SETTINGS_SEEN)
# Everything that a run writes and a reset deletes; the lock stays while it is held. A file that is none of these is not ours.
OURS: Final = (*FOLDERS, *FILES, *(name + DRAFT for name in FILES))


def lake_tables(warehouse: str = "") -> str:
    """The folder, in that of the lake, for the tables of one warehouse: of our own server's usual one, or of that which
    `warehouse` tells from all others. Two in one folder would clean up each other's files."""
    return f"{LAKE_TABLES}-{hashlib.sha256(warehouse.encode()).hexdigest()[:8]}" if warehouse else LAKE_TABLES


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """An OSError in here names the file: that of a failed write does not by itself."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def write_plain(path: Path, content: str) -> None:
    """Write the file anew. Raises OSError, which names the file."""
    with naming(path):
        path.write_text(content, "utf-8")


def write_private(path: Path, content: str | bytes) -> None:
    """Replace the file in one step, 0600: a reader sees the old content or the new one, never half of it. Raises OSError,
    which names the file."""
    draft = path.with_name(path.name + DRAFT)
    with naming(path):
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)  # one that was there keeps its mode
            file.write(content.encode() if isinstance(content, str) else content)
        draft.replace(path)
