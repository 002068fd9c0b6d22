"""Gets a batch committed, once, whatever happens: retries, settles lost replies, and finds the record a database refuses."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event
from typing import LiteralString, TypeVar

import psycopg

from ..errors import LoadError
from .deadletters import DeadLetterTopic
from .decode import Batch, DeadLetter, Line, Other, dead_letter
from .retry import Verdict, delays, hint, verdict
from .write import StaleOwner, Writer, Written

log = logging.getLogger("ecom_lite.load")
T = TypeVar("T")


class Stopped(Exception):
    """The loader was told to stop while the database was away: nothing of the batch is lost, the next run loads it."""


class Committer:
    """Commits batches in order. `abort` set means: stop waiting for a database that is away."""

    def __init__(self, writer: Writer, dead_letters: DeadLetterTopic, abort: Event) -> None:
        self._writer = writer
        self._dead_letters = dead_letters
        self._abort = abort
        self.waiting_for: str = ""  # why the database cannot be reached now, for `health`

    def commit(self, batch: Batch) -> Written:
        """Raises StaleOwner (another loader owns a partition), Stopped, or LoadError (no retry mends it)."""
        self._dead_letters.send(batch.dead)
        waits = delays()
        while True:
            try:
                written = self._writer.write(batch)
                self._back_again()
                return written
            except psycopg.Error as error:
                what = verdict(error)
                if what is Verdict.BISECT:
                    batch = self._without_refused(batch, error)
                elif what is Verdict.RETRY:
                    self._writer.close()
                    self._wait(error, next(waits))
                    settled = self._settle(batch)
                    if settled is not None:
                        return settled
                else:
                    state = error.sqlstate or "no SQLSTATE"
                    raise LoadError(f"PostgreSQL refused a batch: {str(error).strip()} ({state}); {hint(error)}") from error

    def persist(self, action: Callable[[], T], writer: Writer) -> T:
        """Run a small transaction of `writer` until the database takes it. Raises Stopped or LoadError."""
        waits = delays()
        while True:
            try:
                result = action()
                self._back_again()
                return result
            except psycopg.Error as error:
                if verdict(error) is not Verdict.RETRY:
                    raise LoadError(f"PostgreSQL: {str(error).strip()} ({error.sqlstate}); {hint(error)}") from error
                writer.close()
                self._wait(error, next(waits))

    def prune(self, statement: LiteralString) -> None:
        """House-keeping that may fail: it is tried again an hour later."""
        try:
            self._writer.connection().execute(statement)
            self._writer.connection().commit()
        except psycopg.Error:
            self._writer.close()

    def close(self) -> None:
        self._writer.close()

    def _settle(self, batch: Batch) -> Written | None:
        """After a broken connection: was the COMMIT carried out although its reply was lost? None means no."""
        try:
            positions = self._writer.positions(sorted(batch.extents))
        except psycopg.Error as error:
            if verdict(error) is not Verdict.RETRY:
                raise LoadError(f"PostgreSQL: {str(error).strip()}; {hint(error)}") from error
            self._writer.close()
            return None  # still away: the next write waits on
        if all(positions[p] == extent.end for p, extent in batch.extents.items()):
            log.info("a lost COMMIT reply was settled: the batch was in")
            return Written(-1, -1, -1, len(batch.dead))
        stale = [p for p, extent in batch.extents.items() if positions[p] != extent.start]
        if stale:
            raise StaleOwner(stale)
        return None

    def _wait(self, error: psycopg.Error, delay_s: float) -> None:
        if not self.waiting_for:
            log.warning("PostgreSQL is away, waiting: %s", str(error).strip().splitlines()[0])
        self.waiting_for = str(error).strip().splitlines()[0]
        if self._abort.wait(delay_s):
            raise Stopped

    def _back_again(self) -> None:
        if self.waiting_for:
            log.info("PostgreSQL is back, loading goes on")
            self.waiting_for = ""

    def _without_refused(self, batch: Batch, error: psycopg.Error) -> Batch:
        try:
            refused = self._find_refused(batch, error)
        except psycopg.Error as away:
            if verdict(away) is not Verdict.RETRY:
                raise LoadError(f"PostgreSQL: {str(away).strip()} ({away.sqlstate}); {hint(away)}") from away
            self._writer.close()
            return batch  # the next write waits for the server, and comes back here
        self._dead_letters.send(list(refused.values()))
        return batch.without(refused)

    def _find_refused(self, batch: Batch, error: psycopg.Error) -> dict[tuple[int, int], DeadLetter]:
        """Bisect to the events that the database refuses, each with the database's reason."""
        refused: dict[tuple[int, int], DeadLetter] = {}
        todo: list[Sequence[Line | Other]] = [[*batch.lines, *batch.others]]
        while todo:
            part = todo.pop()
            lines = [event for event in part if isinstance(event, Line)]
            others = [event for event in part if isinstance(event, Other)]
            problem = self._writer.try_rows(replace(batch, lines=lines, others=others, dead=[]))
            if problem is None:
                continue
            if len(part) > 1:
                middle = len(part) // 2
                todo += [part[:middle], part[middle:]]
            else:
                refused[part[0][:2]] = _refusal(batch, part[0], problem)
        if not refused:
            raise LoadError(
                f"PostgreSQL refused a batch, but none of its records: {str(error).strip()} ({error.sqlstate})"
            ) from error
        return refused


def _refusal(batch: Batch, event: Line | Other, problem: psycopg.Error) -> DeadLetter:
    message = str(problem).strip().splitlines()[0]
    detail = f"{message} (SQLSTATE {problem.sqlstate})"
    return dead_letter(batch.original(event.partition, event.offset), "refused_by_database", detail, type(problem).__name__)
