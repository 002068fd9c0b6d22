"""One question after the other: on one session for as long as it lives, on a new one when PostgreSQL died under it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..archive.view import is_there
from ..errors import EcomLiteError, QueryError, TookTooLong, UsageError, WarehouseLost, first_line
from ..settings.data_dir import LAKE
from .answer import Told, Wish, answer

if TYPE_CHECKING:
    from ..warehouse.connect import Address
    from .catalogue import Catalogue
    from .session import Session
    from .warm import Warm

AGAIN_S: Final = 30.0  # a server that is being started again is waited for so long, on a busy machine too
POLL_S: Final = 0.2
LESS_PATIENT: Final = 4  # the proposed limit is so many times that which was too short


def has_lake(data_dir: Path) -> bool:
    """Whether there is a raw archive."""
    return is_there(data_dir / LAKE)


def _noted(told: Told, session: Session, statement: str) -> Told:
    return replace(told, notes=(*told.notes, *session.notes(statement)))


class Asker:
    """Connects with the first question. `reach` finds the warehouse, and starts it where it must; what that needs is undone by
    `close`. `output` is the one file that may be written; `limit_by` how the user gives a question more time.

    `again` is told when a session was lost: the question is then asked once more on a new one. Without it that is an error.
    """

    def __init__(
        self, data_dir: Path, reach: Callable[[ExitStack], Address], warm: Warm, timeout_s: float, *,
        output: Path | None = None, limit_by: str = "--timeout", again: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        self.timeout_s = timeout_s
        self._data_dir = data_dir
        self._reach = reach
        self._warm = warm
        self._output = output
        self._limit_by = limit_by
        self._again = again
        self._address: Address | None = None
        self._session: Session | None = None
        self._opened = ExitStack()

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *error: object) -> None:
        self._leave_session()
        self._opened.__exit__(*error)  # type: ignore[arg-type]

    def connect(self) -> Session:
        """The session to ask on. Raises QueryError where the warehouse cannot be reached, and what `reach` raises."""
        if self._session is not None and self._session.lost:
            self._let_go()
        if self._session is not None and (self._session.stuck or self._session.timeout_s != self.timeout_s):
            self._leave_session()
        if self._session is None:
            self._session = self._connected()
        return self._session

    def ask(self, statement: str, wish: Wish) -> Told:
        """Ask the one statement and show its answer. Raises QueryError, with near names; UsageError, OSError."""
        try:
            return self._asked(statement, wish)
        except TookTooLong as error:
            raise TookTooLong(f"{error} ({self._limit_by} {self.timeout_s * LESS_PATIENT:g})") from None
        except WarehouseLost as error:
            raise WarehouseLost(f"{error}; `ecom_lite status` says what runs") from None
        except QueryError as error:
            raise type(error)(self._with_near_names(str(error), statement)) from None

    def catalogue(self) -> Catalogue:
        """What is there now. Raises as `connect`."""
        self.connect()
        try:
            return self.peek()
        except WarehouseLost as lost:
            self._let_go()
            if self._again is None:
                raise
            self._again(str(lost))
        self._connect_again()
        return self.peek()

    def peek(self) -> Catalogue:
        """The same from any thread: over the address that is known. Raises WarehouseLost where it does not answer."""
        import psycopg

        from .catalogue import read_catalogue

        address = self._address
        if address is None:
            raise WarehouseLost("the warehouse is not connected")
        try:
            return read_catalogue(address, lake=has_lake(self._data_dir))
        except psycopg.Error as error:
            raise WarehouseLost(f"PostgreSQL at {address.place} does not answer: {first_line(error)}") from None

    @property
    def place(self) -> str:
        """Where the warehouse is, once it was reached."""
        return "" if self._address is None else self._address.place

    def _asked(self, statement: str, wish: Wish) -> Told:
        session = self.connect()
        try:
            return _noted(answer(session, statement, wish), session, statement)
        except WarehouseLost as lost:
            if self._again is None or session.answering:
                raise
            self._again(str(lost))
        session = self._connect_again()
        return _noted(answer(session, statement, wish), session, statement)

    def _connect_again(self) -> Session:
        give_up = time.monotonic() + AGAIN_S
        while True:
            try:
                return self.connect()
            except UsageError:
                raise
            except EcomLiteError:
                if time.monotonic() > give_up:
                    raise
            time.sleep(POLL_S)

    def _connected(self) -> Session:
        if self._address is None:
            self._address = self._reach(self._opened)
        prepared = self._warm.taken()
        from .session import Session

        lake = self._data_dir / LAKE
        try:
            return Session(self._address, lake, timeout_s=self.timeout_s, output=self._output, prepared=prepared)
        except QueryError:
            self._let_go()  # it may be elsewhere by now, or no more
            raise

    def _let_go(self) -> None:
        """Of the session, and of what was known of the server."""
        self._leave_session()
        self._address = None
        self._opened.close()

    def _leave_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _with_near_names(self, said: str, statement: str) -> str:
        from .near import explained

        try:
            return explained(said, statement, self.peek)
        except WarehouseLost:  # it has just answered, and does no more: then without
            return said
