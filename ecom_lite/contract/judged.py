"""Order lines that the loader has judged, for Spark: where a mapping makes events of records that Spark cannot read itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Final

import msgspec
from msgspec import Struct

from .fields import OrderLine

LINES_PER_RECORD: Final = 500
SPARK_TYPE: Final = (  # of a record's value, which is a list of lines
    "array<struct<order_id string, product_id string, category string, quantity bigint, revenue decimal(18, 4), "
    "currency string, ordered_us bigint>>"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


class JudgedLine(Struct, gc=False):
    """What the minutes need of an order line. `ordered_us` is in microseconds since 1970."""

    order_id: str
    product_id: str
    category: str
    quantity: int
    revenue: Decimal
    currency: str | None
    ordered_us: int


def encode_lines(lines: Iterable[OrderLine]) -> Iterator[bytes]:
    """The values of the records that hold these lines."""
    remaining = iter(lines)
    while chunk := [_judged(line) for line in islice(remaining, LINES_PER_RECORD)]:
        yield _encode(chunk)


def _judged(line: OrderLine) -> JudgedLine:
    since = line.timestamp - _EPOCH
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return JudgedLine(line.order_id, str(line.product_id), line.category, line.quantity, line.revenue, line.currency, micros)
