"""One sender for each shop: two with one seed would send everything twice, and neither would know what the other has sent.

The turn is an advisory lock of the session that the ledger is written by, so that who does not hold it writes nothing.
"""

from __future__ import annotations

import os
import platform
import time
from datetime import UTC, datetime
from threading import Event
from typing import Final, NamedTuple
from uuid import UUID, uuid4

import psycopg

from ..errors import UsageError
from ..warehouse.sqlfiles import read_sql

LOCK_KEY: Final = 7_204_004  # advisory lock, with the shop's name beside it
DEATH_S: Final = 3.0  # the server may be so late in noticing that the one before us has died
POLL_S: Final = 0.1
_SENDER, _TAKE = (read_sql(__package__, name) for name in ("sender", "take_turn"))


class TurnTaken(UsageError):
    """Another process sends for this shop: the message says which."""


class Sending(NamedTuple):
    """Who sends for a shop, or did so last."""

    token: UUID
    host: str
    pid: int
    since: datetime
    active: bool  # it has not ended in good order
    held: bool  # its lock is

    def taken(self, shop_id: str) -> TurnTaken:
        since = self.since.astimezone(UTC)
        return TurnTaken(
            f"{shop_id} is being sent already, by process {self.pid} on {self.host} since {since:%Y-%m-%d %H:%M:%S} UTC, and one "
            "shop has one sender: stop that one, give this run another --seed, or set shop.enabled = false to send nothing here"
        )


def who_sends(connection: psycopg.Connection, shop_id: str) -> Sending | None:
    """As the database knows it. Raises psycopg.Error."""
    row = connection.execute(_SENDER, {"shop": shop_id, "key": LOCK_KEY}).fetchone()
    return None if row is None else Sending(*row)


class Turn:
    """This process's turn to send for a shop."""

    def __init__(self, shop_id: str) -> None:
        self._shop_id = shop_id
        self._token = uuid4()
        self._host = platform.node()
        self._had = False
        self.not_the_first = False  # to have a turn for this shop
        self.lost = False  # to another process: for good, since it has sent what we know nothing of

    def take(self, connection: psycopg.Connection, stop: Event) -> None:
        """For as long as this session lasts. Who had it before and does not know yet is kept out by the broker.

        Raises TurnTaken, and psycopg.Error.
        """
        give_up = time.monotonic() + DEATH_S
        while not self._lock(connection):
            if stop.wait(POLL_S) or time.monotonic() > give_up:
                found = who_sends(connection, self._shop_id)
                if found is not None and found.token != self._token:
                    self.lost = True
                    raise found.taken(self._shop_id)
                raise psycopg.OperationalError("the server has not noticed yet that our last connection is gone")
        before = who_sends(connection, self._shop_id)
        if self._had and before is not None and before.token != self._token:
            self.lost = True
            raise before.taken(self._shop_id)
        values = {"shop": self._shop_id, "token": self._token, "host": self._host, "pid": os.getpid()}
        connection.execute(_TAKE, values)
        self._had = True
        self.not_the_first = before is not None

    def give(self, connection: psycopg.Connection) -> None:
        """Nothing will be sent any more. Raises psycopg.Error."""
        connection.execute("UPDATE ops.shop_senders SET active = false WHERE token = %s", [self._token])

    def _lock(self, connection: psycopg.Connection) -> bool:
        row = connection.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [LOCK_KEY, self._shop_id]).fetchone()
        return row == (True,)
