"""Order lines into `fact_sales`: straight where all are new, past those that are there already where some are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from operator import itemgetter
from typing import Final

import psycopg
from psycopg.errors import UniqueViolation

from ..warehouse.sqlfiles import fill_sql, read_sql
from .attributes import AttributeColumns
from .decode import Batch
from .dimensions import Dimensions
from .rows import COLUMNS, copy_chunks

FIRST_DETOUR: Final = 4  # so many batches take the slower way once a duplicate was met; doubled each time that it is met again
LONGEST_DETOUR: Final = 256
ORDER: Final = b"SELECT ops.load_order()"
ORDER_QUIETLY: Final = read_sql(__package__, "order_quietly")


def fact_sql(name: str, attributes: AttributeColumns) -> bytes:
    """A statement of this room with the columns that a line is written to."""
    return fill_sql(__package__, name, columns=", ".join([*COLUMNS, *attributes.columns]))


class Facts:
    """Remembers whether duplicates are about. A COPY into the table itself costs half of one beside it and an INSERT from there,
    but has no ON CONFLICT: a duplicate undoes it, to a savepoint.
    """

    def __init__(self, at: Callable[[str], None]) -> None:
        self._at = at
        self._detour = FIRST_DETOUR
        self.detour_left = 0  # so many more batches take the slower way

    def insert(
        self, connection: psycopg.Connection, batch: Batch, keys: Dimensions, attributes: AttributeColumns
    ) -> Counter[int]:
        """How many lines of each partition were new. Raises psycopg.Error."""
        if self.detour_left == 0:
            try:
                with connection.transaction():  # a savepoint: our caller has begun the transaction
                    self._copy(connection, ORDER_QUIETLY, fact_sql("copy_facts", attributes), batch, keys, attributes)
                self._detour = FIRST_DETOUR
                return Counter(map(itemgetter(0), batch.lines))
            except UniqueViolation:
                self.detour_left, self._detour = self._detour, min(2 * self._detour, LONGEST_DETOUR)
        self.detour_left -= 1
        self._copy(connection, ORDER, read_sql(__package__, "copy_incoming"), batch, keys, attributes)
        return Counter(dict(connection.execute(fact_sql("insert_facts", attributes)).fetchall()))

    def _copy(
        self,
        connection: psycopg.Connection,
        order_sql: bytes,
        copy_sql: bytes,
        batch: Batch,
        keys: Dimensions,
        attributes: AttributeColumns,
    ) -> None:
        row = connection.execute(order_sql).fetchone()
        load_xid = row[0] if row else 0
        with connection.cursor() as cursor, cursor.copy(copy_sql) as copy:
            for chunk in copy_chunks(batch.lines, keys.products, keys.users, keys.categories, load_xid, attributes):
                copy.write(chunk)
            self._at("copying")
        self._at("copied")
