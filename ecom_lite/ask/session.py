"""One person's connection to the warehouse: a question at a time, which Ctrl-C and a time limit end, and a dead server, too."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event, Thread
from threading import enumerate as threads
from typing import Any, Final, Generic, TypeVar

import duckdb

from ..archive.view import create_view, lacks_file
from ..errors import QueryError, TookTooLong, WarehouseLost
from ..warehouse.connect import READER_STATEMENT_TIMEOUT_S, Address
from . import duck
from .reading import require_reading

T = TypeVar("T")
END_S: Final = 10.0  # a question that was told to end and has not by then is left behind, with its connection
POLL_S: Final = 0.05
THREAD: Final = "question"
SERVER_LATER_S: Final = 2.0  # the server's own limit only matters where ours does not: it comes later
CANCEL: Final = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = %s AND state = 'active'"
_LOST: Final = re.compile(
    r"server closed the connection|connection to server .* failed|Unable to connect to Postgres|terminating connection"
    r"|could not (?:send|receive) data|no connection to the server|SSL (?:SYSCALL|connection)|database has been invalidated"
    r"|FATAL Error|the database system is (?:shutting down|starting up|not yet accepting|in recovery)|Connection refused",
    re.DOTALL,
)
# Kinds of errors with words of the question or of its data in them, which may read as any of those. Of a server that is gone none
# of them tells, but for a few that hand on what they heard.
_OF_QUESTION: Final = re.compile(
    r"(?:Parser|Catalog|Conversion|Out of Range|Mismatch Type) Error:"
    r"|Invalid Input Error: (?!Attempting to )|Binder Error: (?!Failed to (?:prepare|describe) )"
)
_LAKE: Final = re.compile(r"""\blake\s*\.\s*"?(\w*)""", re.IGNORECASE)
_DAYS: Final = "daily"  # the table of the lake that comes from the marts; all else comes from the facts
_TIME_IS_UP: Final = "canceling statement due to statement timeout"


def left_behind() -> bool:
    """Whether a question is stuck: Python must then not end its thread, which is inside C++, but the process as a whole."""
    return any(thread.name == THREAD for thread in threads())


class Session:
    """DuckDB on the warehouse, as `attach` makes it. `close` ends it; one that has `lost` its server, or has `stuck`, is of no
    more use: make another.

    `ask` is for one thread. `output` is the one file that `export` may write; `prepared` what `duck.engine` gave.
    """

    def __init__(
        self,
        address: Address,
        lake_dir: Path | None = None,
        *,
        timeout_s: float = READER_STATEMENT_TIMEOUT_S,
        output: Path | None = None,
        prepared: duckdb.DuckDBPyConnection | None = None,
    ) -> None:
        self.timeout_s = timeout_s
        self.lost = self.stuck = False
        self.answering = False  # something of the last answer may have been shown
        self._address = address
        self._lake_dir = lake_dir
        self._output = output
        self._name = f"{duck.NAME} {secrets.token_hex(4)}"  # so that the server can be told to end what is ours
        self._asked = False
        server_s = timeout_s + SERVER_LATER_S if timeout_s else 0
        self._connection = duck.attach(
            address, lake_dir, prepared=prepared, timeout_s=server_s, output=output, name=self._name
        )  # fmt: skip

    def ask(self, statement: str, take: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Run one user's statement and return what `take` makes of the answer, which it fetches: both in a thread of their own,
        and in one transaction, so that all tables are read in one snapshot.

        Raises QueryError: with the database's own message, or where the statement would do more than read; TookTooLong,
        WarehouseLost. A KeyboardInterrupt (or SystemExit) ends the question and is passed on.
        """
        return self._end_with(_Task(lambda: self._ask(statement, take)))

    def export(self, statement: str) -> int:
        """Write the answer to `output` as Parquet; how many rows. Raises as `ask`."""
        assert self._output is not None, "a session without a file to write"
        output = str(self._output)

        def count(connection: duckdb.DuckDBPyConnection) -> int:
            row = connection.execute("SELECT num_rows FROM parquet_file_metadata(?)", [output]).fetchone()
            return 0 if row is None else int(row[0])

        writing = duck.export(statement, self._output)
        return self._end_with(_Task(lambda: self._export(statement, writing, count)))

    def notes(self, statement: str) -> tuple[str, ...]:
        """What is to be known of the answer to this statement: how old the lake is that it asks."""
        asked = {found.lower() for found in _LAKE.findall(statement)}
        if self.lost or self.stuck or not asked:
            return ()
        ages = [duck.days_are_of] if _DAYS in asked else []
        ages += [duck.lake_is_behind] if asked - {_DAYS} else []
        try:
            return tuple(self._end_with(_Task(partial(age, self._connection))) for age in ages)
        except QueryError:  # there is none
            return ()

    def close(self) -> None:
        """Safe to repeat. Waits for nothing: a question that is stuck keeps its connection."""
        if not self.stuck:
            self._connection.close()

    def _ask(self, statement: str, take: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        connection = self._checked(statement)

        def start() -> None:
            connection.begin()
            connection.execute(statement)

        try:
            self._once_more(start)
            self.answering = True
            return take(connection)
        finally:
            self._rollback()

    def _export(self, statement: str, writing: str, count: Callable[[duckdb.DuckDBPyConnection], int]) -> int:
        connection = self._checked(statement)
        # A transaction by itself; in one of ours DuckDB 1.5.5 would refuse a PIVOT.
        self._once_more(lambda: connection.execute(writing))
        return count(connection)

    def _once_more(self, start: Callable[[], object]) -> None:
        """Start it; and once more where the raw archive has merged a file away between its listing and its reading."""
        try:
            start()
        except duckdb.IOException as error:
            view = create_view(self._lake_dir) if self._lake_dir is not None and lacks_file(str(error)) else None
            if view is None:
                raise
            self._rollback()
            self._connection.execute(view)  # it may name the very file
            start()

    def _rollback(self) -> None:
        try:
            self._connection.rollback()  # what was not fetched is not read on, and nobody's snapshot is held
        except duckdb.Error:  # the server is gone: the first error tells
            pass

    def _checked(self, statement: str) -> duckdb.DuckDBPyConnection:
        self.answering = False
        require_reading(self._connection, statement)
        if self._asked:  # tables may have come and gone since
            self._connection.execute("CALL pg_clear_cache()")
        self._asked = True
        return self._connection

    def _end_with(self, task: _Task[T]) -> T:
        try:
            in_time = task.done.wait(self.timeout_s or None)
        except BaseException:
            self._stop(task)
            raise
        if not in_time:
            self._stop(task)
            raise self._too_long()
        try:
            return task.result()
        except (duckdb.Error, ValueError) as error:
            raise self._in_words(str(error).strip()) from None

    def _in_words(self, said: str) -> QueryError:
        if _OF_QUESTION.match(said):
            return QueryError(said)
        if _LOST.search(said):
            self.lost = True
            return WarehouseLost(f"PostgreSQL at {self._address.place} went away: {_last_words(said)}")
        return self._too_long() if _TIME_IS_UP in said else QueryError(said)

    def _too_long(self) -> TookTooLong:
        limit = f"{self.timeout_s:g} s"
        return TookTooLong(f"the question took longer than {limit} and was ended: give it more time, or ask for less")

    def _stop(self, task: _Task[Any]) -> None:
        """Tell DuckDB and the server to end it; returns when it has ended, or after END_S, `stuck` then."""
        give_up = time.monotonic() + END_S
        self.stuck = True  # until it has ended: another Ctrl-C may come
        told = False
        while not task.done.wait(POLL_S):
            self._connection.interrupt()
            if not told:
                told = True
                _tell_server(self._address, self._name)
            if time.monotonic() > give_up:
                return
        self.stuck = False


class _Task(Generic[T]):
    """Something that runs in a thread of its own from now on."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.done = Event()
        self._work = work
        self._result: list[T] = []
        self._error: BaseException | None = None
        # A daemon: what is stuck in a dead server must not keep the process.
        Thread(target=self._run, name=THREAD, daemon=True).start()

    def result(self) -> T:
        """Once it is done. Raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._result[0]

    def _run(self) -> None:
        try:
            self._result.append(self._work())
        except BaseException as error:
            self._error = error
        finally:
            self.done.set()


def _tell_server(address: Address, name: str) -> None:
    """DuckDB looks at an interrupt only when rows come: a server that works on the first one must be told itself."""
    import psycopg

    try:
        with address.connect(duck.ROLE, autocommit=True) as reader:
            reader.execute(CANCEL, [name])
    except psycopg.Error:
        pass  # it is gone: then the question ends by that


def _last_words(said: str) -> str:
    """Of a message with a statement and an address in it, what the server or the system said."""
    found = re.search(r"(?:FATAL|PANIC|ERROR):\s*([^\n]+)", said) or re.search(
        r"(server closed the connection[^\n]*|Connection refused|could not [^\n]*|no connection to the server[^\n]*)", said
    )
    return found[1].strip() if found else said.splitlines()[0]
