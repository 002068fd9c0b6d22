"""Carries changes from the outbox to one outlet, at least once: what was refused is tried again, later each time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from ..errors import first_line
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .message import AlertMessage
from .store import ROLE

BATCH: Final = 50  # messages of one pass
FIRST_WAIT_S: Final = 1.0  # then twice as long each time
LONGEST_WAIT_S: Final = 300.0
LOOK_S: Final = 60.0  # so often it looks where nobody has woken it: another run may have left something
ERROR_CHARS: Final = 500
log = logging.getLogger("ecom_lite.alerts")


class Undelivered(Exception):
    """An outlet took only the first `delivered` messages: the text says why in one line, without any secret. `one`: the next one
    was refused, and those behind it were not tried."""

    def __init__(self, why: str, delivered: int = 0, *, one: bool = False) -> None:
        super().__init__(why)
        self.delivered = delivered
        self.one = one


class Outlet(Protocol):
    """`send` returns how many of the first messages it has delivered, or raises Undelivered."""

    name: str

    def send(self, messages: Sequence[AlertMessage]) -> int: ...


@dataclass(frozen=True)
class Patience:
    """`most` attempts of one message, None for no end; after those it is dropped, and that is said."""

    most: int | None = None
    first_s: float = FIRST_WAIT_S
    longest_s: float = LONGEST_WAIT_S

    def wait(self, attempts: int) -> timedelta:
        return timedelta(seconds=min(self.longest_s, self.first_s * 2 ** min(attempts, 30)))


class Delivery:
    """`deliver` is called again and again, from one thread; it is cheap where nothing waits. `wake` is for any thread."""

    def __init__(
        self, address: Address, outlet: Outlet, patience: Patience, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._address = address
        self._outlet = outlet
        self._patience = patience
        self._clock = clock
        self._look_at: datetime | None = None  # None: now
        self._later: set[datetime] = set()  # when what was put off is due
        self._failing = False

    def wake(self) -> None:
        """Something may wait."""
        self._look_at = None

    def deliver(self) -> int:
        """How many messages went out. Blocks as long as the outlet does; raises psycopg.Error where the database is away."""
        now = self._clock()
        if self._look_at is not None and now < self._look_at:
            return 0
        self._later = {due for due in self._later if due > now}
        self._look_at = min({now + timedelta(seconds=LOOK_S)} | self._later)
        waiting = self._waiting(now)
        if not waiting:
            return 0
        messages = [message for message, _ in waiting]
        try:
            sent = self._outlet.send(messages)
        except Undelivered as error:
            self._done(messages[: error.delivered])
            last = error.delivered + 1 if error.one else len(waiting)
            self._put_off(waiting[error.delivered : last], str(error))
            if last < len(waiting):  # one that is refused for itself must not take them along
                self._look_at = self._clock() + timedelta(seconds=self._patience.first_s)
            return error.delivered
        self._done(messages[:sent])
        if self._failing:
            log.info("alerts reach the %s again", self._outlet.name)
        self._failing = False
        if sent < len(messages) or len(waiting) == BATCH:
            self.wake()
        return sent

    def _waiting(self, now: datetime) -> list[tuple[AlertMessage, int]]:
        with self._address.connect(ROLE) as connection:
            values = {"outlet": self._outlet.name, "now": now, "most": BATCH}
            return [_message(row) for row in connection.execute(read_sql(__package__, "waiting"), values)]

    def _done(self, messages: Sequence[AlertMessage]) -> None:
        if not messages:
            return
        with self._address.connect(ROLE) as connection:
            values = {"outlet": self._outlet.name, "changes": [message.id for message in messages]}
            connection.execute(read_sql(__package__, "delivered"), values)

    def _put_off(self, waiting: Sequence[tuple[AlertMessage, int]], why: str) -> None:
        most = self._patience.most
        given_up = [message for message, attempts in waiting if most is not None and attempts + 1 >= most]
        kept = [(message, attempts) for message, attempts in waiting if message not in given_up]
        if not self._failing:
            log.warning("alerts do not reach the %s, which is tried again: %s", self._outlet.name, first_line(why))
        self._failing = True
        if given_up:
            self._done(given_up)
            told = ", ".join(f"{message.rule} {message.state}" for message in given_up)
            log.error("given up after %s attempts, the %s was never told: %s", most, self._outlet.name, told)
        if not kept:
            self.wake()
            return
        not_before = self._clock() + self._patience.wait(min(attempts for _, attempts in kept))
        with self._address.connect(ROLE) as connection:
            values: dict[str, Any] = {
                "outlet": self._outlet.name, "changes": [message.id for message, _ in kept], "not_before": not_before,
                "error": why[:ERROR_CHARS],
            }  # fmt: skip
            connection.execute(read_sql(__package__, "put_off"), values)
        self._later.add(not_before)
        self._look_at = min(self._later)


def _message(row: Sequence[Any]) -> tuple[AlertMessage, int]:
    change, at, rule, title, severity, after, since, value, unit, told, what_to_do, board, attempts = row
    return AlertMessage(
        id=change, rule=rule, title=title, severity=severity, state="firing" if after == "firing" else "resolved",
        at=at.isoformat(), since=since.isoformat(), value=value, unit=unit, told=told, what_to_do=what_to_do, board=board,
    ), int(attempts)  # fmt: skip
