"""The ceiling: raw binary COPY from this Python into a bare table, its payload made beforehand."""

from __future__ import annotations

import struct
import time
from typing import Final

from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql

ROUNDS: Final = 3  # the best one counts
MAX_ROWS: Final = 500_000
CHUNK_ROWS: Final = 2_000
_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER: Final = struct.pack(">h", -1)
_ROW: Final = struct.Struct(">iqiqiiiiiqiiiqiqiiiq")  # each value behind its length
_COLUMNS: Final = 11


def payload(rows: int) -> list[bytes]:
    """So many rows of the facts' shape as one binary COPY stream, in pieces."""
    pieces, begun = [], 815_000_000_000_000  # microseconds since 2000
    for first in range(0, rows, CHUNK_ROWS):
        piece = bytearray()
        for row in range(first, min(first + CHUNK_ROWS, rows)):
            order = b"7-%d" % (row // 2)
            product, cents, quantity = row % 20 + 1, 999 + row % 10_000, row % 5 + 1
            piece += struct.pack(">hi", _COLUMNS, len(order)) + order
            piece += _ROW.pack(
                8, product, 8, row % 200 + 1, 4, row % 5 + 1, 4, 20260101, 8, begun + row,
                4, quantity, 8, cents, 8, cents * quantity, 4, row % 4, 8, row // 4,
            )  # fmt: skip
        pieces.append(bytes(piece))
    return [_HEADER, *pieces, _TRAILER]


def copy_raw(address: Address, events: int) -> float:
    """Rows per second, with the commit; best of ROUNDS."""
    rows = min(events, MAX_ROWS)
    pieces = payload(rows)
    best = float("inf")
    with address.connect("admin") as connection, connection.cursor() as cursor:
        cursor.execute(read_sql(__package__, "bare_table"))
        connection.commit()
        for _ in range(ROUNDS):
            cursor.execute("TRUNCATE public.bare")
            connection.commit()  # or else COPY could leave the log out, which no loader can
            began = time.perf_counter()
            with cursor.copy("COPY public.bare FROM STDIN (FORMAT binary)") as copy:
                for piece in pieces:
                    copy.write(piece)
            connection.commit()
            best = min(best, time.perf_counter() - began)
    return rows / best
