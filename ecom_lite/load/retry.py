"""What a database error means for the loader: try again, look for the record that caused it, or stop loudly."""

from __future__ import annotations

import enum
import random
from collections.abc import Iterator
from typing import Final

import psycopg

FIRST_DELAY_S: Final = 0.1
MAX_DELAY_S: Final = 5.0


class Verdict(enum.Enum):
    RETRY = "retry"  # the server or the connection: it will mend
    BISECT = "bisect"  # a record in the batch
    STOP = "stop"  # neither


_RETRY_CLASSES: Final = ("08", "53", "57P")
_RETRY_STATES: Final = {"40001", "40P01", "25006", "55P03"}  # 25006: a read-only standby before it is promoted
_DATA_CLASSES: Final = ("22", "23")

HINTS: Final = {
    "28": "the password or the access rules of role ecom_loader were changed: start ecom_lite again, which sets them",
    "3D": "the database is gone: `ecom_lite reset` starts with new data",
    "42": "the schema is not the one that this version expects: run `ecom_lite migrate`",
}


def verdict(error: psycopg.Error) -> Verdict:
    """Read the SQLSTATE; an error without one is a connection that broke."""
    state = error.sqlstate
    if state is None:
        return Verdict.RETRY if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)) else Verdict.STOP
    if state in _RETRY_STATES or state.startswith(_RETRY_CLASSES):
        return Verdict.RETRY
    return Verdict.BISECT if state.startswith(_DATA_CLASSES) else Verdict.STOP


def hint(error: psycopg.Error) -> str:
    return HINTS.get((error.sqlstate or "")[:2], "see the loader's log; nothing was lost, the next run goes on from here")


def delays() -> Iterator[float]:
    """Seconds to wait before each next try: doubling, jittered, at most MAX_DELAY_S, without end."""
    delay = FIRST_DELAY_S
    while True:
        yield delay * random.uniform(0.5, 1.0)
        delay = min(delay * 2, MAX_DELAY_S)
