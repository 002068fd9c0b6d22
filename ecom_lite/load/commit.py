"""Gets a batch committed, once, whatever happens: waits for the database, and finds the record that it refuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import psycopg

from ..errors import first_line
from .decode import Batch, DeadLetter, Line, Other, dead_letter
from .retry import Patience, fatal
from .write import Writer, Written


class Committer:
    """Commits batches in order, each as one transaction of `writer`; before it `send_dead` is told of dead letters, and
    `send_judged` of each batch."""

    def __init__(
        self, writer: Writer, send_dead: Callable[[Sequence[DeadLetter]], None], send_judged: Callable[[Batch], None],
        patience: Patience,
    ) -> None:  # fmt: skip
        self._writer = writer
        self._send_dead = send_dead
        self._send_judged = send_judged
        self._patience = patience

    def commit(self, batch: Batch) -> tuple[Batch, Written]:
        """The batch as it was written: events that the database refused are dead letters in it.

        Raises StaleOwner (another loader owns a partition), Stopped, or LoadError (no retry mends it)."""
        self._send_dead(batch.dead)
        self._send_judged(batch)
        while True:
            try:
                return batch, self._patience.run(partial(self._writer.write, batch), self._writer.close)
            except psycopg.Error as error:
                refused = self._find_refused(batch)
                if not refused:  # it is not the records, or not one of them alone
                    raise fatal(error) from error
                self._send_dead(list(refused.values()))
                batch = batch.without(refused)

    def _find_refused(self, batch: Batch) -> dict[tuple[int, int], DeadLetter]:
        """Bisect to the events that the database refuses, each with the database's reason."""
        refused: dict[tuple[int, int], DeadLetter] = {}
        todo: list[Sequence[Line | Other]] = [[*batch.lines, *batch.others]]
        while todo:
            part = todo.pop()
            problem = self._try(batch, part)
            if problem is None:
                continue
            if len(part) > 1:
                middle = len(part) // 2
                todo += [part[:middle], part[middle:]]
            else:
                refused[part[0][:2]] = _refusal(batch, part[0], problem)
        return refused

    def _try(self, batch: Batch, part: Sequence[Line | Other]) -> psycopg.Error | None:
        lines = [event for event in part if isinstance(event, Line)]
        others = [event for event in part if isinstance(event, Other)]
        trial = replace(batch, lines=lines, others=others, dead=[])
        try:
            self._patience.run(partial(self._writer.try_rows, trial), self._writer.close)
        except psycopg.Error as problem:
            return problem
        return None


def _refusal(batch: Batch, event: Line | Other, problem: psycopg.Error) -> DeadLetter:
    detail = f"{first_line(problem)} (SQLSTATE {problem.sqlstate})"
    return dead_letter(batch.original(event.partition, event.offset), "refused_by_database", detail, type(problem).__name__)
