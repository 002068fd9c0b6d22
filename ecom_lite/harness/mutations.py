"""Loaders that are broken on purpose, one way each: a harness that passes one of them proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import psycopg

from ..load import session
from ..load.decode import Batch, DeadLetter
from ..load.topics import Topics
from ..load.write import Writer, Written
from ..warehouse.connect import Address

NEVER_S: Final = 10**6


class NoCompare(Writer):
    """The compare-and-set is switched off: who has lost a partition writes on."""

    def _is_in(self, connection: psycopg.Connection, batch: Batch) -> bool:
        return False


class OffsetsFirst(Writer):
    """Offsets and counts are committed, and then the rows."""

    _rehearsal = False
    _moved: tuple[tuple[Any, ...], dict[str, Any]] | None = None

    def _fill(self, connection: psycopg.Connection, batch: Batch) -> Written:
        # A rehearsal finds the right counts: nothing but a crash in between shows that the order is wrong.
        points, self._at = self._at, lambda point: None
        self._rehearsal, self._moved = True, None
        connection.execute("SAVEPOINT rehearsal")
        super()._fill(connection, batch)
        connection.execute("ROLLBACK TO SAVEPOINT rehearsal")
        self._dimensions.forget()
        self._rehearsal, self._at = False, points
        if self._moved is not None:
            super()._advance(*self._moved[0], **self._moved[1])
        connection.commit()
        return super()._fill(connection, batch)

    def _advance(self, *args: Any, **named: Any) -> None:
        if self._rehearsal:
            self._moved = (args, named)


class DeadLettersOutside(Writer):
    """Dead letters are written in a transaction of their own, after the commit."""

    _held: Sequence[DeadLetter] = ()

    def write(self, batch: Batch) -> Written:
        self._held = ()
        written = super().write(batch)
        if self._held:
            connection = self.connection()
            super()._dead(connection, self._held)
            connection.commit()
        return written

    def _dead(self, connection: psycopg.Connection, letters: Sequence[DeadLetter]) -> None:
        self._held = letters


class NoTimeLimits(Writer):
    """A loader that is frozen keeps what it holds: neither the server nor another loader ends its session."""

    def __init__(self, address: Address, topics: Topics, at: Callable[[str], None]) -> None:
        super().__init__(address, topics, at)
        vars(session)["FROZEN_S"] = NEVER_S

    def connection(self) -> psycopg.Connection:
        known, connection = self._connection, super().connection()
        if connection is not known:
            connection.execute("SET idle_in_transaction_session_timeout = 0")
            connection.commit()
        return connection


class FurtherLineLost(Writer):
    """Of each whole order the last line is dropped, and not counted: nothing in the warehouse contradicts it."""

    def write(self, batch: Batch) -> Written:
        last = {(line.partition, line.offset): number for number, line in enumerate(batch.lines)}
        lost = {last[record] for record in batch.further if record in last}
        lines = [line for number, line in enumerate(batch.lines) if number not in lost]
        further = {record: count - (record in last) for record, count in batch.further.items()}
        return super().write(replace(batch, lines=lines, further=further))


class FurtherLineTwice(Writer):
    """Of each whole order the last line is taken in, and counted, twice."""

    def write(self, batch: Batch) -> Written:
        last = {(line.partition, line.offset): line for line in batch.lines}
        again = [last[record] for record in batch.further if record in last]
        further = {record: count + (record in last) for record, count in batch.further.items()}
        return super().write(replace(batch, lines=batch.lines + again, further=further))


NO_UNIQUE_KEY: Final = "no-unique-key"  # not the loader but its database: the primary key of fact_sales is dropped
_WRITERS: Final[dict[str, type[Writer]]] = {
    "no-compare": NoCompare,
    "offsets-first": OffsetsFirst,
    NO_UNIQUE_KEY: Writer,
    "dead-letters-outside": DeadLettersOutside,
    "no-time-limits": NoTimeLimits,
    "further-line-lost": FurtherLineLost,
    "further-line-twice": FurtherLineTwice,
}
MUTATIONS: Final = tuple(_WRITERS)


def writer_class(mutation: str | None) -> type[Writer]:
    """The writer of a loader with this mutation; the true one without."""
    return Writer if mutation is None else _WRITERS[mutation]
