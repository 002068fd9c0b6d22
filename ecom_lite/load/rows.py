"""Order lines as PostgreSQL's binary COPY format, built by hand: it is the hottest loop of the loader."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

from .decode import Line

_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER: Final = struct.pack(">h", -1)
_PG_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_HEAD: Final = struct.Struct(">hi")
# Each value stands behind its length. Order and types are those of sql/temp_facts.sql after order_id.
_REST: Final = struct.Struct(">iq iq ii ii iq iq ii iq iq ii iq".replace(" ", ""))
_FIELDS: Final = 12


@lru_cache(maxsize=65_536)
def cents(money: Decimal) -> int:
    return int(money * 100)


def copy_payload(
    lines: Iterable[Line],
    products: Mapping[int, int],
    users: Mapping[int, int],
    categories: Mapping[str, int],
) -> bytes:
    """All lines as one binary COPY stream for `incoming_facts`; the mappings hold every key that the lines need."""
    head, rest = _HEAD.pack, _REST.pack
    parts = [_SIGNATURE]
    add = parts.append
    for partition, offset, event in lines:
        order_id = event.order_id.encode()
        since = event.timestamp - _PG_EPOCH
        add(head(_FIELDS, len(order_id)))
        add(order_id)
        add(
            rest(
                8, products[event.product_id],
                8, users[event.user_id],
                4, categories[event.category],
                4, date_key(since.days),
                8, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds,
                8, event.product_id,
                4, event.quantity,
                8, cents(event.price),
                8, cents(event.revenue),
                4, partition,
                8, offset,
            )
        )  # fmt: skip
    add(_TRAILER)
    return b"".join(parts)


@lru_cache(maxsize=20_000)
def date_key(days_since_2000: int) -> int:
    """yyyymmdd of a UTC day, as in warehouse.dim_date."""
    day = datetime.fromordinal(_PG_EPOCH.toordinal() + days_since_2000)
    return day.year * 10_000 + day.month * 100 + day.day
