"""Order lines as PostgreSQL's binary COPY format, built by hand: it is the hottest loop of the loader."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from itertools import islice
from typing import Final

from ..settings.currencies import DECIMALS
from .attributes import AttributeColumns
from .decode import Line

CHUNK_LINES: Final = 1_000  # the server takes one in while we build the next

# `order_id` comes first, then what is in _REST, then what `amounts` makes.
COLUMNS: Final = (
    "order_id", "product_key", "user_key", "category_key", "date_key", "ordered_at", "quantity",
    "source_partition", "source_offset", "load_xid", "unit_price", "revenue", "currency", "exact_price",
    "list_price",
)  # fmt: skip
_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER: Final = struct.pack(">h", -1)
_PG_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_HEAD: Final = struct.Struct(">hi")
_REST: Final = struct.Struct(">iq iq ii ii iq ii ii iq iq".replace(" ", ""))  # each value stands behind its length
_NUMERIC: Final = struct.Struct(">ihhhhhhhh")
_NULL: Final = struct.pack(">i", -1)
_CENTS_SCALE, _EXACT_SCALE = 2, 4
_GROUP_DIGITS: Final = 4  # PostgreSQL keeps a numeric in groups of so many digits
_GROUP: Final = 10**_GROUP_DIGITS


@lru_cache(maxsize=65_536)
def amounts(price: Decimal, revenue: Decimal, currency: str, list_price: Decimal | None) -> bytes:
    """unit_price, revenue, currency, exact_price and list_price of a line, each with its length. A shop has few of them."""
    exact = _numeric(price, _EXACT_SCALE) if DECIMALS[currency] > _CENTS_SCALE else _NULL
    code = currency.encode()
    in_cents = _numeric(price, _CENTS_SCALE) + _numeric(revenue, _CENTS_SCALE)
    listed = _NULL if list_price is None else _numeric(list_price, _EXACT_SCALE)
    return in_cents + struct.pack(">i", len(code)) + code + exact + listed


def _numeric(money: Decimal, scale: int) -> bytes:
    """An amount below 10^12, rounded to `scale` decimals, as a numeric: three groups of four digits, and one behind the point."""
    small = int(money.scaleb(_GROUP_DIGITS).quantize(Decimal(1).scaleb(_GROUP_DIGITS - scale), ROUND_HALF_UP))
    units, behind = divmod(small, _GROUP)
    millions, low = divmod(units, _GROUP)
    return _NUMERIC.pack(16, 4, 2, 0, scale, *divmod(millions, _GROUP), low, behind)


def copy_chunks(
    lines: Sequence[Line],
    products: Mapping[int | str, int],
    users: Mapping[int | str, int],
    categories: Mapping[str, int],
    load_xid: int,
    attributes: AttributeColumns,
) -> Iterator[bytes]:
    """All lines as one binary COPY stream of COLUMNS and the attributes', in pieces; the mappings hold every key of them."""
    head, rest, fields = _HEAD.pack, _REST.pack, len(COLUMNS) + len(attributes.columns)
    end = attributes.encoder()
    parts = [_SIGNATURE]
    remaining = iter(lines)
    while chunk := list(islice(remaining, CHUNK_LINES)):
        add = parts.append
        for partition, offset, event in chunk:
            order_id = event.order_id.encode()
            since = event.timestamp - _PG_EPOCH
            days = since.days
            add(head(fields, len(order_id)))
            add(order_id)
            add(
                rest(
                    8, products[event.product_id],
                    8, users[event.user_id],
                    4, categories[event.category],
                    4, date_key(days),
                    8, (days * 86_400 + since.seconds) * 1_000_000 + since.microseconds,
                    4, event.quantity,
                    4, partition,
                    8, offset,
                    8, load_xid,
                )
            )  # fmt: skip
            add(amounts(event.price, event.revenue, event.currency, event.list_price))
            if end is not None:
                add(end(event))
        yield b"".join(parts)
        parts = []
    yield _TRAILER


@lru_cache(maxsize=20_000)
def date_key(days_since_2000: int) -> int:
    """yyyymmdd of a UTC day, as in warehouse.dim_date."""
    day = datetime.fromordinal(_PG_EPOCH.toordinal() + days_since_2000)
    return day.year * 10_000 + day.month * 100 + day.day
