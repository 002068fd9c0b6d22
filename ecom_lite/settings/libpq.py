"""What of the environment steers every connection to PostgreSQL, whatever its address says: libpq's own variables."""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager


def forget_variables(env: MutableMapping[str, str] = os.environ) -> None:
    """For who connects to our own server: PGSSLMODE=require, PGSERVICE, PGOPTIONS and the like are meant for others, and with
    some of them ours could not be reached. The children of this process do without them, too."""
    for name in [name for name in env if name.startswith("PG")]:
        del env[name]


@contextmanager
def restored_variables(env: MutableMapping[str, str] = os.environ) -> Iterator[None]:
    """Whatever is forgotten meanwhile is there again at the end: for a process that is somebody else's, such as their tests'."""
    kept = {name: value for name, value in env.items() if name.startswith("PG")}
    try:
        yield
    finally:
        env.update(kept)
