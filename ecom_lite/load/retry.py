"""What a database error means for the loader: try again, look for the record that caused it, or stop loudly."""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable
from typing import Final, TypeVar

import psycopg

from ..errors import LoadError, first_line
from ..warehouse.backoff import delays
from ..warehouse.refused import LOGIN_CLASSES, refused_login

T = TypeVar("T")
log = logging.getLogger("ecom_lite.load")


class Verdict(enum.Enum):
    RETRY = "retry"  # the server or the connection: it will mend
    BISECT = "bisect"  # a record in the batch
    STOP = "stop"  # neither


_RETRY_CLASSES: Final = ("08", "53", "57P")
# 25006: a read-only standby before it is promoted; 25P03, 25P04: we stood still in a transaction; 55P03: another one has the row
_RETRY_STATES: Final = {"40001", "40P01", "25006", "25P03", "25P04", "55P03"}
_DATA_CLASSES: Final = ("22", "23", "54")  # 54: a text that is too long for the index that it belongs in
_SCHEMA_CLASSES: Final = ("3F", "42")


class Stopped(Exception):
    """The loader was told to stop while it waited: nothing of the batch in hand is lost, the next run loads it."""


def verdict(error: psycopg.Error) -> Verdict:
    """Read the SQLSTATE; an error without one is a connection that broke or did not come about."""
    state = error.sqlstate or refused_login(error)
    if state is None:
        return Verdict.RETRY if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)) else Verdict.STOP
    if state in _RETRY_STATES or state.startswith(_RETRY_CLASSES):
        return Verdict.RETRY
    return Verdict.BISECT if state.startswith(_DATA_CLASSES) else Verdict.STOP


def fatal(error: psycopg.Error) -> LoadError:
    """The error that ends the loader, in words for the user."""
    state = error.sqlstate or refused_login(error) or "no SQLSTATE"
    if state.startswith(LOGIN_CLASSES):
        advice = (
            "`ecom_lite migrate` makes the database and the roles anew where they are missing, and says what helps where they "
            "are there and have other passwords than this machine knows (with postgres.url set: another machine made new ones)"
        )
    elif state.startswith(_SCHEMA_CLASSES):
        advice = "the schema or its grants are not those that this version expects: run `ecom_lite migrate`"
    else:
        advice = "nothing was lost, the next run goes on from here"
    message = " ".join(str(error).split())
    return LoadError(f"PostgreSQL refused the loader: {message} (SQLSTATE {state}); {advice}")


class Patience:
    """Repeats work until the database takes it. `pause(seconds)` waits, and raises Stopped when waiting must end."""

    def __init__(self, pause: Callable[[float], None]) -> None:
        self._pause = pause
        self.waiting_for = ""  # why the database cannot be used now; for `health`

    def run(self, work: Callable[[], T], reconnect: Callable[[], None]) -> T:
        """Raises Stopped, LoadError where no retry helps, and psycopg.Error only for what one record may have caused."""
        waits = delays()
        while True:
            try:
                result = work()
            except psycopg.Error as error:
                what = verdict(error)
                if what is Verdict.BISECT:
                    raise
                reconnect()
                if what is Verdict.STOP:
                    raise fatal(error) from error
                self._note(error)
                self._pause(next(waits))
            else:
                if self.waiting_for:
                    log.info("PostgreSQL has taken it, loading goes on")
                    self.waiting_for = ""
                return result

    def _note(self, error: psycopg.Error) -> None:
        reason = first_line(error)
        if not self.waiting_for:
            log.warning("waiting for PostgreSQL: %s", reason)
        self.waiting_for = reason
